#pragma once
/* What the fuzz targets of the reflection engine share: a text or packed bytes are read as two
 * messages, and whatever was read must survive both syntaxes and the wire. */
#include "config/reflect/reflect.h"
#include "config/reflect/rules.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb-c.h"
#include "tests/unit/config/reflect_test.pb-c.h"
#include <stdio.h>
#include <stdlib.h>

/* Small enough that no input takes long. */
enum { REFLECT_FUZZ_VALUES = 20000, REFLECT_FUZZ_BYTES = 256 << 10 };

#define REFLECT_FUZZ_NEED(cond, ...)                                                               \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #cond);                             \
            fprintf(stderr, "" __VA_ARGS__);                                                       \
            fputc('\n', stderr);                                                                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct reflect_fuzz {
    const ProtobufCMessageDescriptor *type;
    struct arena *arena;
    struct diag diag;
};

static inline enum err reflect_fuzz_parse(struct reflect_fuzz *z, enum reflect_syntax syntax,
                                          struct sv text, bool unknown, ProtobufCMessage **out)
{
    const struct reflect_text in = {.text = text,
                                    .syntax = syntax,
                                    .allow_unknown = unknown,
                                    .max_bytes = REFLECT_FUZZ_BYTES,
                                    .max_values = REFLECT_FUZZ_VALUES};
    return reflect_parse(&in, z->type, z->arena, out, &z->diag);
}

static inline bool reflect_fuzz_same(struct reflect_fuzz *z, const ProtobufCMessage *a,
                                     const ProtobufCMessage *b)
{
    return sv_eq(reflect_pack(a, z->arena), reflect_pack(b, z->arena));
}

/* Printed and read back the message is the same. Only a limit may be passed on the way back, since
 * a list of one may have been written without its brackets. */
static inline void reflect_fuzz_round(struct reflect_fuzz *z, const ProtobufCMessage *m, bool yaml,
                                      unsigned style)
{
    struct str text;
    ProtobufCMessage *back = NULL;

    str_init(&text, 0);
    enum err e = yaml ? reflect_print_yaml(m, &text, &z->diag)
                      : reflect_print_json(m, style, &text, &z->diag);
    /* Durations written as objects can be such as have no text; wire Anys can be broken or unknown.
     */
    bool printed = e == OK;
    REFLECT_FUZZ_NEED(printed || e == E_PARSE || e == E_UNSUPPORTED || e == E_NOTFOUND ||
                          e == E_LIMIT,
                      "%s", z->diag.msg);
    if (printed) {
        e = reflect_fuzz_parse(z, yaml ? REFLECT_YAML : REFLECT_JSON, str_sv(&text), false, &back);
        REFLECT_FUZZ_NEED(e == OK || e == E_LIMIT, "%s: %s\n%s", z->diag.path, z->diag.msg, text.p);
        REFLECT_FUZZ_NEED(e != OK || reflect_fuzz_same(z, m, back), "%s", text.p);
    }
    str_fini(&text);
}

static inline void reflect_fuzz_message(struct reflect_fuzz *z, ProtobufCMessage *m)
{
    ProtobufCMessage *back = NULL;

    (void)!rules_check(m, &z->diag);
    reflect_fuzz_round(z, m, false, 0);
    reflect_fuzz_round(z, m, false, REFLECT_PRETTY | REFLECT_DEFAULTS);
    reflect_fuzz_round(z, m, true, 0);
    /* The wire has less room for nesting than text. */
    if (reflect_unpack(reflect_pack(m, z->arena), z->type, z->arena, &back, &z->diag) != OK)
        return;
    REFLECT_FUZZ_NEED(reflect_fuzz_same(z, m, back));
    REFLECT_FUZZ_NEED(reflect_merge(back, m, z->arena) == OK);
}

static inline void reflect_fuzz_text(enum reflect_syntax syntax, const uint8_t *data, size_t size)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &envoy__config__bootstrap__v3__bootstrap__descriptor, &weft__test__everything__descriptor};
    struct sv text = sv_of((const char *)data, size);

    for (size_t i = 0; i < ARRAY_LEN(types) * 2; i++) {
        struct reflect_fuzz z = {.type = types[i / 2], .arena = arena_new(8192, SIZE_MAX)};
        ProtobufCMessage *m = NULL;
        REFLECT_FUZZ_NEED(z.arena != NULL);
        enum err e = reflect_fuzz_parse(&z, syntax, text, i % 2 != 0, &m);
        /* It would hide a failure of the parser that came without a message. */
        REFLECT_FUZZ_NEED(e != E_NOMEM);
        if (e == OK)
            reflect_fuzz_message(&z, m);
        arena_free(&z.arena);
    }
}
