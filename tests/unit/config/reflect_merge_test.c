/* One message laid over another. */
#include "tests/unit/config/reflect_presence.pb-c.h"
#include "tests/unit/config/reflect_support.h"
#include "tests/unit/config/reflect_test.pb-c.h"

/* A default without presence is not set, so it replaces nothing; map entries replace each other,
 * and the messages in them do not merge. */
T(reflect_merge, table)
{
    static const struct {
        const ProtobufCMessageDescriptor *type;
        const char *under, *over, *want;
    } rows[] = {

        ROW(&weft__test__scalars__descriptor, "{u32: 1, text: a, flag: y}", "{u32: 2, data: AA}",
            "{\"u32\":2,\"flag\":true,\"text\":\"a\",\"data\":\"AA==\"}"),
        ROW(&weft__test__scalars__descriptor, "{u32: 1, text: a}", "{u32: 0, text: ''}",
            "{\"u32\":1,\"text\":\"a\"}"),
        ROW(&weft__test__scalars__descriptor, "{}", "{u32: 1}", "{\"u32\":1}"),
        ROW(&weft__test__scalars__descriptor, "{u32: 1}", "{}", "{\"u32\":1}"),
        ROW(&weft__test__presence__descriptor, "{number: 1, flag: true, text: a}",
            "{number: 0, flag: false, text: ''}", "{\"number\":0,\"flag\":false,\"text\":\"\"}"),
        ROW(&weft__test__presence__descriptor, "{inner: {id: 1, name: a}, numbers: [1]}",
            "{inner: {id: 2, name: b}, numbers: [2]}",
            "{\"inner\":{\"id\":2,\"name\":\"b\"},\"numbers\":[1,2]}"),
        ROW(&weft__test__lists__descriptor, "{ints: [1, 2], texts: [a]}",
            "{ints: [3], scalars: [{u32: 1}]}",
            "{\"ints\":[1,2,3],\"texts\":[\"a\"],\"scalars\":[{\"u32\":1}]}"),
        ROW(&weft__test__tree__descriptor, "{name: a, child: {name: b, child: {name: c}}}",
            "{child: {name: x, children: [{}]}}",
            "{\"name\":\"a\",\"child\":{\"name\":\"x\",\"child\":{\"name\":\"c\"},\"children\":[{}]"
            "}}"),
        ROW(&weft__test__maps__descriptor, "{texts: {a: x, b: w}, by_int: {1: y}}",
            "{texts: {b: z, c: w}, by_int: {1: n, 2: y}}",
            "{\"texts\":{\"a\":\"x\",\"b\":\"z\",\"c\":\"w\"},\"by_int\":{\"1\":false,\"2\":true}"
            "}"),
        ROW(&weft__test__maps__descriptor, "{scalars: {a: {u32: 1, text: t}}}",
            "{scalars: {a: {u32: 2}}}", "{\"scalars\":{\"a\":{\"u32\":2}}}"),
        ROW(&weft__test__choice__descriptor, "{text: a}", "{number: 1}", "{\"number\":1}"),
        ROW(&weft__test__choice__descriptor, "{text: a}", "{text: ''}", "{\"text\":\"\"}"),
        ROW(&weft__test__choice__descriptor, "{text: a, flag: y}", "{data: AA}",
            "{\"text\":\"a\",\"data\":\"AA==\"}"),
        ROW(&weft__test__choice__descriptor, "{scalars: {u32: 1, text: t}}", "{scalars: {u32: 2}}",
            "{\"scalars\":{\"u32\":2,\"text\":\"t\"}}"),
        ROW(&weft__test__choice__descriptor, "{number: 5}", "{scalars: {u32: 2}}",
            "{\"scalars\":{\"u32\":2}}"),
        ROW(&weft__test__known__descriptor, "{duration: 1.5s, w_uint32: 5}",
            "{duration: 3s, w_uint32: 0}", "{\"duration\":\"3.500s\",\"w_uint32\":5}"),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        ProtobufCMessage *under = NULL, *over = NULL;
        setup(&f);
        T_ASSERT(parse_text(&f, REFLECT_YAML, rows[i].type, sv_str(rows[i].under), &under) == OK);
        T_ASSERT(parse_text(&f, REFLECT_YAML, rows[i].type, sv_str(rows[i].over), &over) == OK);
        T_EXPECT(reflect_merge(under, over, f.arena) == OK);
        T_EXPECT(reflect_print_json(under, 0, &f.out, NULL) == OK);
        T_EXPECT_SV(str_sv(&f.out), sv_str(rows[i].want), rows[i].over);
        teardown(&f);
    }
}

/* protobuf-c merges when it unpacks one message behind the other: an independent opinion. Left out
 * is what it does wrong: maps, and two messages in one member of a oneof, of which it drops the
 * first. */
T(reflect_merge, agrees_with_concatenation)
{
    static const char *const texts[] = {
        "{}",
        "{text: a, flag: y}",
        "{text: b, data: AA}",
        "{number: 5}",
        "{scalars: {u32: 2, wide_real: 0.5, flag: y}, flag: n}",
        "{color: GREEN}",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts) * ARRAY_LEN(texts); i++) {
        const ProtobufCMessageDescriptor *type = &weft__test__choice__descriptor;
        struct fixture f;
        ProtobufCMessage *a = NULL, *b = NULL, *joined = NULL;
        setup(&f);
        struct sv x = sv_str(texts[i % ARRAY_LEN(texts)]), y = sv_str(texts[i / ARRAY_LEN(texts)]);
        T_ASSERT(parse_text(&f, REFLECT_YAML, type, x, &a) == OK);
        T_ASSERT(parse_text(&f, REFLECT_YAML, type, y, &b) == OK);
        str_add(&f.out, reflect_pack(a, f.arena));
        str_add(&f.out, reflect_pack(b, f.arena));
        T_ASSERT(reflect_unpack(str_sv(&f.out), type, f.arena, &joined, &f.diag) == OK);
        T_EXPECT(reflect_merge(a, b, f.arena) == OK);
        T_EXPECT(same_message(&f, a, joined), "%.*s over %.*s", SVF(y), SVF(x));
        teardown(&f);
    }
}
