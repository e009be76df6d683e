/* Packed bytes as messages, as a management server sends them. */
#include "tests/fuzz/reflect_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &envoy__config__bootstrap__v3__bootstrap__descriptor, &weft__test__everything__descriptor};

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct reflect_fuzz z = {.type = types[i], .arena = arena_new(8192, SIZE_MAX)};
        struct str text;
        ProtobufCMessage *m = NULL, *more = NULL;
        REFLECT_FUZZ_NEED(z.arena != NULL);
        str_init(&text, 0);
        struct sv bytes = sv_of((const char *)data, size);
        if (reflect_unpack(bytes, types[i], z.arena, &m, &z.diag) == OK) {
            (void)!rules_check(m, &z.diag);
            (void)!reflect_print_json(m, REFLECT_PRETTY, &text, &z.diag);
            (void)!reflect_print_yaml(m, &text, &z.diag);
            if (reflect_unpack(bytes, types[i], z.arena, &more, &z.diag) == OK)
                (void)!reflect_merge(m, more, z.arena);
        }
        str_fini(&text);
        arena_free(&z.arena);
    }
    return 0;
}
