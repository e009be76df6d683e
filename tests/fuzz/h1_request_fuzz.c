/* Request heads: single bytes, two pieces and the whole must agree, and what is taken must be
 * clean. The first byte of the input chooses the limits, the second where to cut. */
#include "tests/fuzz/h1_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sv bytes = h1_fuzz_message(data, size);
    if (bytes.p == NULL)
        return 0;
    struct h1_input in = {.bytes = bytes, .limits = h1_fuzz_limits(data[0])};
    h1_fuzz_head(&in, data[1]);
    return 0;
}
