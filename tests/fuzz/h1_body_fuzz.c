/* Bodies: single bytes, two pieces and the whole must agree. The first byte of the input chooses
 * limits, framing and what becomes of trailers, the second where to cut. */
#include "tests/fuzz/h1_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sv bytes = h1_fuzz_message(data, size);
    if (bytes.p == NULL)
        return 0;
    struct h1_body_input in = {.bytes = bytes,
                               .limits = h1_fuzz_limits(data[0]),
                               .framing = H1_BODY_CHUNKED,
                               .keep_trailers = (data[0] & 8) != 0};
    if ((data[0] & 0xf0) == 0xf0) {
        in.framing = H1_BODY_LENGTH;
        in.length = 1U + (data[0] & 7U);
    }
    struct h1_outcome bytewise = h1_run_body(&in, 1, 1);
    H1_FUZZ_NEED(h1_body_cut_agrees(&in, &bytewise, data[1] % (bytes.n + 1)));
    H1_FUZZ_NEED(h1_body_cut_agrees(&in, &bytewise, bytes.n));
    h1_outcome_free(&bytewise);
    return 0;
}
