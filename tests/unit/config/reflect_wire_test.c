/* Packed bytes: what is refused before protobuf-c sees it. */
#include "tests/unit/config/reflect_support.h"
#include "tests/unit/config/reflect_test.pb-c.h"

#define BYTES(s)                                                                                   \
    {                                                                                              \
        "" s, sizeof(s) - 1                                                                        \
    }

T(reflect_wire, bytes)
{
    static const struct {
        const char *name;
        const ProtobufCMessageDescriptor *type;
        struct sv bytes;
        enum err want;
        const char *path, *msg;
    } rows[] = {

        ROW("empty", &weft__test__scalars__descriptor, BYTES(""), OK, "", ""),
        ROW("a varint", &weft__test__scalars__descriptor, BYTES("\x38\x05"), OK, "", ""),
        ROW("a text", &weft__test__scalars__descriptor, BYTES("\x7a\x01x"), OK, "", ""),
        ROW("four bytes", &weft__test__scalars__descriptor, BYTES("\x45\1\2\3\4"), OK, "", ""),
        ROW("eight bytes", &weft__test__scalars__descriptor, BYTES("\x51\1\2\3\4\5\6\7\x8"), OK, "",
            ""),
        ROW("packed integers", &weft__test__lists__descriptor, BYTES("\x0a\x02\x01\x02"), OK, "",
            ""),
        ROW("a map entry", &weft__test__maps__descriptor, BYTES("\x0a\x06\x0a\x01x\x12\x01y"), OK,
            "", ""),
        ROW("an unknown field", &weft__test__scalars__descriptor, BYTES("\xa0\x06\x01"), E_NOTFOUND,
            "", "no such field 100 in weft.test.Scalars"),
        ROW("an unknown field inside", &weft__test__tree__descriptor,
            BYTES("\x12\x05\x12\x03\xa0\x06\x01"), E_NOTFOUND, "child.child",
            "no such field 100 in weft.test.Tree"),
        ROW("field 0", &weft__test__scalars__descriptor, BYTES("\x00\x01"), E_PARSE, "",
            "a broken tag in a weft.test.Scalars"),
        ROW("a cut tag", &weft__test__scalars__descriptor, BYTES("\xb8"), E_PARSE, "",
            "a broken tag in a weft.test.Scalars"),
        ROW("a cut varint", &weft__test__scalars__descriptor, BYTES("\x38\x80"), E_PARSE, "",
            "a broken value of field 7 in a weft.test.Scalars"),
        ROW("an endless varint", &weft__test__scalars__descriptor,
            BYTES("\x38\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), E_PARSE, "",
            "a broken value of field 7 in a weft.test.Scalars"),
        ROW("a cut text", &weft__test__scalars__descriptor, BYTES("\x7a\x05x"), E_PARSE, "",
            "a broken value of field 15 in a weft.test.Scalars"),
        ROW("a huge length", &weft__test__scalars__descriptor,
            BYTES("\x7a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), E_PARSE, "",
            "a broken value of field 15 in a weft.test.Scalars"),
        ROW("a group", &weft__test__scalars__descriptor, BYTES("\x3b\x3c"), E_PARSE, "",
            "a broken value of field 7 in a weft.test.Scalars"),
        ROW("cut eight bytes", &weft__test__scalars__descriptor, BYTES("\x51\1\2\3"), E_PARSE, "",
            "a broken value of field 10 in a weft.test.Scalars"),
        ROW("text that is not UTF-8", &weft__test__tree__descriptor, BYTES("\x12\x03\x0a\x01\xff"),
            E_PARSE, "child.name", "text that is not UTF-8"),
        ROW("another wire type", &weft__test__scalars__descriptor, BYTES("\x78\x01"), E_PARSE, "",
            "bytes that are no weft.test.Scalars"),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        ProtobufCMessage *m = NULL;
        setup(&f);
        T_EXPECT_EQ(reflect_unpack(rows[i].bytes, rows[i].type, f.arena, &m, &f.diag), rows[i].want,
                    rows[i].name);
        T_EXPECT_SV(sv_str(f.diag.path), sv_str(rows[i].path), rows[i].name);
        T_EXPECT_SV(sv_str(f.diag.msg), sv_str(rows[i].msg), rows[i].name);
        T_EXPECT((m != NULL) == (rows[i].want == OK), "%s", rows[i].name);
        teardown(&f);
    }
}

/* Tree.child n levels deep. */
static struct sv deep_tree(struct fixture *f, unsigned n)
{
    ProtobufCMessage *m = NULL;
    for (unsigned i = 0; i <= n; i++) {
        Weft__Test__Tree *t =
            (Weft__Test__Tree *)reflect_new(&weft__test__tree__descriptor, f->arena);
        BUG_ON(t == NULL);
        t->child = (Weft__Test__Tree *)m;
        m = &t->base;
    }
    return reflect_pack(m, f->arena);
}

T(reflect_wire, depth)
{
    struct fixture f;
    ProtobufCMessage *m = NULL;

    setup(&f);
    T_EXPECT_EQ(reflect_unpack(deep_tree(&f, REFLECT_MAX_DEPTH), &weft__test__tree__descriptor,
                               f.arena, &m, &f.diag),
                OK, f.diag.msg);
    T_EXPECT_EQ(reflect_unpack(deep_tree(&f, REFLECT_MAX_DEPTH + 1), &weft__test__tree__descriptor,
                               f.arena, &m, &f.diag),
                E_LIMIT, "");
    T_EXPECT_SV(sv_str(f.diag.msg), SV("more than 100 levels of nesting"), "");
    teardown(&f);
}
