/* Messages to JSON and YAML, and back again. */
#include "google/protobuf/timestamp.pb-c.h"
#include "tests/unit/config/reflect_presence.pb-c.h"
#include "tests/unit/config/reflect_support.h"
#include "tests/unit/config/reflect_test.pb-c.h"
#include <stdio.h>

static struct sv print_json(struct fixture *f, const ProtobufCMessage *m, unsigned style)
{
    str_clear(&f->out);
    T_EXPECT(reflect_print_json(m, style, &f->out, &f->diag) == OK, "%s: %s", f->diag.path,
             f->diag.msg);
    return str_sv(&f->out);
}

static struct sv print_yaml(struct fixture *f, const ProtobufCMessage *m)
{
    str_clear(&f->out);
    T_EXPECT(reflect_print_yaml(m, &f->out, &f->diag) == OK, "%s: %s", f->diag.path, f->diag.msg);
    return str_sv(&f->out);
}

T(reflect_print, pretty_json)
{
    static const char text[] = "{name: a, child: {}, children: [{name: b}, {}], by_name: {x: {}}}";
    struct fixture f;
    ProtobufCMessage *m = NULL;

    setup(&f);
    T_ASSERT(parse_text(&f, REFLECT_YAML, &weft__test__tree__descriptor, sv_str(text), &m) == OK);
    T_EXPECT_SV(print_json(&f, m, REFLECT_PRETTY),
                SV("{\n"
                   " \"name\": \"a\",\n"
                   " \"child\": {},\n"
                   " \"children\": [\n"
                   "  {\n"
                   "   \"name\": \"b\"\n"
                   "  },\n"
                   "  {}\n"
                   " ],\n"
                   " \"by_name\": {\n"
                   "  \"x\": {}\n"
                   " }\n"
                   "}\n"),
                "");
    T_EXPECT_SV(print_json(&f, m, 0),
                SV("{\"name\":\"a\",\"child\":{},\"children\":[{\"name\":\"b\"},{}],"
                   "\"by_name\":{\"x\":{}}}"),
                "");
    teardown(&f);
}

T(reflect_print, defaults)
{
    static const struct {
        const ProtobufCMessageDescriptor *type;
        const char *want;
    } rows[] = {
        {&weft__test__tree__descriptor,     "{\"name\":\"\",\"children\":[],\"by_name\":{}}"},
        {&weft__test__choice__descriptor,   "{}"                                            },
        {&weft__test__known__descriptor,    "{}"                                            },
        {&weft__test__presence__descriptor, "{\"numbers\":[]}"                              },
        {&weft__test__scalars__descriptor,
         "{\"i32\":0,\"s32\":0,\"sf32\":0,\"i64\":\"0\",\"s64\":\"0\",\"sf64\":\"0\",\"u32\":0,"
         "\"f32\":0,\"u64\":\"0\",\"f64\":\"0\",\"real\":0,\"wide_real\":0,\"flag\":false,"
         "\"color\":\"RED\",\"text\":\"\",\"data\":\"\",\"meshName\":\"\"}"                 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        setup(&f);
        ProtobufCMessage *m = reflect_new(rows[i].type, f.arena);
        T_ASSERT(m != NULL);
        T_EXPECT_SV(print_json(&f, m, REFLECT_DEFAULTS), sv_str(rows[i].want), "");
        T_EXPECT_SV(print_json(&f, m, 0), SV("{}"), "");
        teardown(&f);
    }
}

/* What protobuf's printer escapes, which a real Envoy printed the same for every code point. */
T(reflect_print, json_escapes)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"a\"\\/b",                          "\"a\\\"\\\\/b\""                  },
        {"\b\f\n\r\t",                       "\"\\b\\f\\n\\r\\t\""              },
        {"\x01\x1f\x7f",                     "\"\\u0001\\u001f\\u007f\""        },
        {"<a href='&'>",                     "\"\\u003ca href='&'\\u003e\""     },
        {"\xc2\x80\xc2\x9f\xc2\xa0\xc2\xad", "\"\\u0080\\u009f\xc2\xa0\\u00ad\""},
        {"\xd8\x80\xe2\x80\xa8\xef\xbb\xbf", "\"\\u0600\\u2028\\ufeff\""        },
        {"\xf0\x9d\x85\xb3\xf3\xa0\x80\x81", "\"\\ud834\\udd73\\udb40\\udc01\"" },
        {"\xc3\xa9\xf0\x9f\x98\x80",         "\"\xc3\xa9\xf0\x9f\x98\x80\""     },
 /* From the wire a text could be no UTF-8. */
        {"a\xff\xe2\x82z",                   "\"a\\ufffd\\ufffd\\ufffdz\""      },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        Weft__Test__Scalars m = WEFT__TEST__SCALARS__INIT;
        char text[64], want[128];
        setup(&f);
        snprintf(text, sizeof text, "%s", rows[i].text);
        snprintf(want, sizeof want, "{\"text\":%s}", rows[i].want);
        m.text = text;
        T_EXPECT_SV(print_json(&f, &m.base, 0), sv_str(want), "");
        teardown(&f);
    }
}

T(reflect_print, yaml)
{
    static const struct {
        const ProtobufCMessageDescriptor *type;
        const char *text, *want;
    } rows[] = {

        ROW(&weft__test__tree__descriptor, "{}", "{}\n"),
        ROW(&weft__test__tree__descriptor,
            "{name: a, child: {}, children: [{name: b, children: [{name: c}, {}]}, {}], "
            "by_name: {x y: {name: d}}}",
            "name: a\n"
            "child: {}\n"
            "children:\n"
            "  - name: b\n"
            "    children:\n"
            "      - name: c\n"
            "      - {}\n"
            "  - {}\n"
            "by_name:\n"
            "  \"x y\":\n"
            "    name: d\n"),
        ROW(&weft__test__known__descriptor, "list: [1, [2, [], [3]], {a: {}}, null]",
            "list:\n"
            "  - 1\n"
            "  - - 2\n"
            "    - []\n"
            "    - - 3\n"
            "  - a: {}\n"
            "  - null\n"),
        ROW(&weft__test__known__descriptor,
            "object: {f: !!float 1.5, big: !!float 12345678901, i: 5}",
            "object:\n"
            "  f: !!float 1.5\n"
            "  big: !!float 12345678901\n"
            "  i: 5\n"),
        ROW(&weft__test__scalars__descriptor,
            "{u64: 5, real: 1.5, flag: y, color: 7, text: 'yes', data: AA}",
            "u64: 5\n"
            "real: 1.5\n"
            "flag: true\n"
            "color: DARK_BLUE\n"
            "text: \"yes\"\n"
            "data: \"AA==\"\n"),
        ROW(&weft__test__lists__descriptor,
            "texts: ['', '5', a b, '- a', 'a: b', '#', ~, 'null', 'n', a.b/c-d_e, -x, 0x, '<a>', "
            "\"\\u2028\\ufffe\\U0001d173\"]",
            "texts:\n"
            "  - \"\"\n"
            "  - \"5\"\n"
            "  - \"a b\"\n"
            "  - \"- a\"\n"
            "  - \"a: b\"\n"
            "  - \"#\"\n"
            "  - \"\"\n"
            "  - \"null\"\n"
            "  - \"n\"\n"
            "  - a.b/c-d_e\n"
            "  - \"-x\"\n"
            "  - \"0x\"\n"
            "  - \"<a>\"\n"
            "  - \"\\u2028\\ufffe\\U0001d173\"\n"),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        ProtobufCMessage *m = NULL;
        setup(&f);
        T_ASSERT(parse_text(&f, REFLECT_YAML, rows[i].type, sv_str(rows[i].text), &m) == OK, "%s",
                 f.diag.msg);
        T_EXPECT_SV(print_yaml(&f, m), sv_str(rows[i].want), "");
        teardown(&f);
    }
}

/* Text, message, text in either syntax, message: both messages must be the same. */
static void check_round(const ProtobufCMessageDescriptor *type, const char *text)
{
    struct fixture f;
    ProtobufCMessage *m = NULL, *back = NULL;

    setup(&f);
    T_ASSERT(parse_text(&f, REFLECT_YAML, type, sv_str(text), &m) == OK, "%s: %s", f.diag.path,
             f.diag.msg);
    for (unsigned style = 0; style <= (REFLECT_PRETTY | REFLECT_DEFAULTS); style++) {
        (void)print_json(&f, m, style);
        T_EXPECT(parse_text(&f, REFLECT_JSON, type, str_sv(&f.out), &back) == OK, "%s\n%s",
                 f.diag.msg, f.out.p);
        T_EXPECT(back != NULL && same_message(&f, m, back), "%s", f.out.p);
    }
    back = NULL;
    (void)print_yaml(&f, m);
    T_EXPECT(parse_text(&f, REFLECT_YAML, type, str_sv(&f.out), &back) == OK, "%s\n%s", f.diag.msg,
             f.out.p);
    T_EXPECT(back != NULL && same_message(&f, m, back), "%s", f.out.p);
    teardown(&f);
}

T(reflect_print, round_trips)
{
    static const struct {
        const ProtobufCMessageDescriptor *type;
        const char *text;
    } rows[] = {
        {&weft__test__scalars__descriptor,
         "{i32: -1, s32: -2, sf32: -3, i64: -4, s64: -5, sf64: -6, u32: 7, f32: 8, u64: 9, f64: "
         "10, "
         "real: 0.1, wide_real: 0.1, flag: true, color: BELOW, text: \"\\t \\U0001d173 x\", "
         "data: AAECAw==, meshName: 'null'}"                                                      },
        {&weft__test__scalars__descriptor,  "{color: 99, wide_real: NaN, real: -Infinity}"        },
        {&weft__test__lists__descriptor,
         "{ints: [1], wides: [18446744073709551615], reals: [1e-7, 3], flags: [y, n], colors: [1, "
         "99], texts: ['', a], datas: ['', AA], scalars: [{}, {u32: 1}], values: [null, [], {}, "
         "[{}], !!float 1e300, !!float -0.0, -5], durations: [1s, -0.000000001s]}"                },
        {&weft__test__maps__descriptor,
         "{texts: {'': a, y: b, \"a\\nb\": c, '<<': d}, scalars: {a: {}}, by_int: {-5: y}, "
         "by_wide: {1: 7}, by_flag: {y: a, false: b}, values: {n: null}, camelCase: {a: b}, pairs: "
         "[{key: a}]}"                                                                            },
        {&weft__test__known__descriptor,
         "{duration: 1.5s, moment: '2026-01-02T03:04:05.000001Z', object: {a: {b: [1]}}, value: "
         "[], list: [[]], w_double: 0, w_float: 0.1, w_int64: -1, w_uint64: 1, w_int32: 0, "
         "w_uint32: 0, w_bool: n, w_string: '', w_bytes: '', any: {'@type': "
         "type.googleapis.com/envoy.config.cluster.v3.Cluster, name: x}}"                         },
        {&weft__test__choice__descriptor,   "{value: null, flag: false}"                          },
        {&weft__test__choice__descriptor,   "{text: '', data: ''}"                                },
        {&weft__test__presence__descriptor,
         "{number: 0, flag: false, text: '', named: '', data: '', inner: {id: 0, name: ''}, "
         "numbers: [1, 0]}"                                                                       },
        {&weft__test__tree__descriptor,     "{by_name: {a: {by_name: {b: {children: [{}, {}]}}}}}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_round(rows[i].type, rows[i].text);
}

T(reflect_print, long_keys)
{
    struct fixture f;
    struct str text;

    setup(&f);
    str_init(&text, 0);
    str_add(&text, SV("{by_name: {a: {name: x}, \""));
    for (int i = 0; i < 900; i++)
        str_addc(&text, 'k');
    str_add(&text, SV("\": {name: w, by_name: {\""));
    for (int i = 0; i < 100; i++)
        str_add(&text, SV("\\u2028"));
    str_add(&text, SV("\": {}}}}, children: [{by_name: {\""));
    for (int i = 0; i < 900; i++)
        str_addc(&text, '\xc3'), str_addc(&text, '\xa9');
    str_add(&text, SV("\": {name: z}}}]}"));
    check_round(&weft__test__tree__descriptor, text.p);
    str_fini(&text);
    teardown(&f);
}

T(reflect_print, unprintable)
{
    static char broken_url[] = "type.googleapis.com/no.such.Type";
    static uint8_t broken_bytes[] = {0x0a, 0x05, 'x'};
    static char router[] = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    Google__Protobuf__Timestamp moment = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Weft__Test__Known m = WEFT__TEST__KNOWN__INIT;
    struct fixture f;

    setup(&f);
    m.any = &any;
    any.type_url = broken_url;
    T_EXPECT_EQ(reflect_print_json(&m.base, 0, &f.out, &f.diag), E_UNSUPPORTED, "");
    T_EXPECT_SV(sv_str(f.diag.path), SV("any"), "");
    any.type_url = router;
    any.value = (ProtobufCBinaryData){.len = sizeof broken_bytes, .data = broken_bytes};
    T_EXPECT_EQ(reflect_print_yaml(&m.base, &f.out, &f.diag), E_PARSE, "");
    m.any = NULL;
    m.moment = &moment;
    moment.seconds = INT64_MAX;
    T_EXPECT_EQ(reflect_print_json(&m.base, 0, &f.out, &f.diag), E_PARSE, "");
    T_EXPECT_SV(sv_str(f.diag.path), SV("moment"), "");
    teardown(&f);
}

T(reflect_print, full_output)
{
    struct fixture f;
    struct str out;
    Weft__Test__Scalars m = WEFT__TEST__SCALARS__INIT;

    setup(&f);
    m.u32 = 1234567;
    str_init(&out, 8);
    T_EXPECT(reflect_print_json(&m.base, 0, &out, &f.diag) != OK);
    str_fini(&out);
    teardown(&f);
}
