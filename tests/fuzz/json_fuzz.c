/* JSON texts as messages: what is read must survive printing and reading again. */
#include "tests/fuzz/reflect_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reflect_fuzz_text(REFLECT_JSON, data, size);
    return 0;
}
