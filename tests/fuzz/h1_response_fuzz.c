/* Response heads: as h1_request_fuzz.c. The first byte also chooses the request's method. */
#include "tests/fuzz/h1_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum h1_method methods[] = {H1_GET, H1_HEAD, H1_CONNECT, H1_POST};
    struct sv bytes = h1_fuzz_message(data, size);
    if (bytes.p == NULL)
        return 0;
    struct h1_input in = {.bytes = bytes,
                          .limits = h1_fuzz_limits(data[0]),
                          .response = true,
                          .request_method = methods[(data[0] >> 3) % ARRAY_LEN(methods)]};
    h1_fuzz_head(&in, data[1]);
    return 0;
}
