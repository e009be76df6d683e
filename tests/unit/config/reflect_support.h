#pragma once
/* What the tests of config/reflect share. */
#include "config/reflect/reflect.h"
#include "tests/support/t.h"

/* A row of a table whose texts are long: clang-format would align plain braces far beyond the line.
 */
#define ROW(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

struct fixture {
    struct arena *arena;
    struct str out;
    struct diag diag;
};

static inline void setup(struct fixture *f)
{
    *f = (struct fixture){.arena = arena_new(4096, SIZE_MAX)};
    BUG_ON(f->arena == NULL);
    str_init(&f->out, 0);
}

static inline void teardown(struct fixture *f)
{
    str_fini(&f->out);
    arena_free(&f->arena);
}

/* Parses a text called "t". */
static inline enum err parse_text(struct fixture *f, enum reflect_syntax syntax,
                                  const ProtobufCMessageDescriptor *type, struct sv text,
                                  ProtobufCMessage **out)
{
    const struct reflect_text in = {.text = text, .file = "t", .syntax = syntax};
    f->diag = (struct diag){.msg = ""};
    return reflect_parse(&in, type, f->arena, out, &f->diag);
}

/* Parses and prints as compact JSON; the explanation when it fails. Valid until the next call. */
static inline struct sv read_as_json(struct fixture *f, enum reflect_syntax syntax,
                                     const ProtobufCMessageDescriptor *type, const char *text)
{
    ProtobufCMessage *m = NULL;

    str_clear(&f->out);
    enum err e = parse_text(f, syntax, type, sv_str(text), &m);
    if (e == OK)
        e = reflect_print_json(m, 0, &f->out, &f->diag);
    if (e != OK) {
        str_clear(&f->out);
        reflect_explain(&f->diag, "t", &f->out);
    }
    return str_sv(&f->out);
}

static inline bool same_message(struct fixture *f, const ProtobufCMessage *a,
                                const ProtobufCMessage *b)
{
    struct sv x = reflect_pack(a, f->arena), y = reflect_pack(b, f->arena);
    return x.p != NULL && y.p != NULL && sv_eq(x, y);
}
