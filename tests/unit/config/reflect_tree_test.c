/* Documents, anchors, limits and broken texts. */
#include "tests/unit/config/reflect_support.h"
#include "tests/unit/config/reflect_test.pb-c.h"

#define TREE &weft__test__tree__descriptor
#define KNOWN &weft__test__known__descriptor

T(reflect_tree, yaml_documents)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"{}",                          "{}"                                 },
        {"---\n{}\n",                   "{}"                                 },
        {"%YAML 1.1\n---\n{name: a}\n", "{\"name\":\"a\"}"                   },
        {"name: a\n---\nnope: 1\n",     "{\"name\":\"a\"}"                   },
        {"name: a\n...\n",              "{\"name\":\"a\"}"                   },
        {"\xef\xbb\xbfname: a\n",       "{\"name\":\"a\"}"                   },
        {"!!map {name: a}",             "{\"name\":\"a\"}"                   },
        {"!foo {name: !bar a}",         "{\"name\":\"a\"}"                   },
        {"name: a # comment",           "{\"name\":\"a\"}"                   },
        {"{\"name\": \"a\",}",          "{\"name\":\"a\"}"                   },
        {"",                            "t:1:1: the text is empty"           },
        {"# only a comment\n",          "t:1:1: the text is empty"           },
        {"null\n",                      "t:1:1: the text is empty"           },
        {"~",                           "t:1:1: the text is empty"           },
        {"---\n...\n",                  "t:1:1: the text is empty"           },
        {"%YAML 1.0\n---\n{}\n",        "t:1:1: unsupport version number 1.0"},
        {"name: >-00\"}\n    ? pl\n",   "t:1:1: indentation indicator 0"     },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        setup(&f);
        T_EXPECT_SV(read_as_json(&f, REFLECT_YAML, TREE, rows[i].text), sv_str(rows[i].want),
                    rows[i].text);
        teardown(&f);
    }
}

T(reflect_tree, anchors)
{
    static const struct {
        const char *text, *want;
    } rows[] = {

        ROW("{name: &a x, child: {name: *a}}", "{\"name\":\"x\",\"child\":{\"name\":\"x\"}}"),
        ROW("{child: &c {name: x}, children: [*c, *c]}",
            "{\"child\":{\"name\":\"x\"},\"children\":[{\"name\":\"x\"},{\"name\":\"x\"}]}"),
        ROW("{child: &c {name: x}, children: [&c {name: z}, *c]}",
            "{\"child\":{\"name\":\"x\"},\"children\":[{\"name\":\"z\"},{\"name\":\"z\"}]}"),
        ROW("{children: &l [{name: x}], child: {children: *l}}",
            "{\"child\":{\"children\":[{\"name\":\"x\"}]},\"children\":[{\"name\":\"x\"}]}"),
        ROW("{&k name: x, child: {*k : z}}", "{\"name\":\"x\",\"child\":{\"name\":\"z\"}}"),
        ROW("{name: *a}", "t:1:8: no anchor 'a' before this alias"),
        ROW("{child: &c {child: *c}}", "t:1:20: no anchor 'c' before this alias"),
        ROW("{children: &c [*c]}", "t:1:16: no anchor 'c' before this alias"),
        ROW("{child: {<<: {name: x}}}", "t:1:10: merge keys (<<) are not supported"),
        ROW("{child: {'<<': {name: x}}}", "t:1:10: child: no such field '<<' in weft.test.Tree"),
        ROW("? {a: b}\n: c\n", "t:1:3: a key must be a scalar"),
        ROW("{child: &c {}, *c : 1}", "t:1:16: a key must be a scalar"),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        setup(&f);
        T_EXPECT_SV(read_as_json(&f, REFLECT_YAML, TREE, rows[i].text), sv_str(rows[i].want),
                    rows[i].text);
        teardown(&f);
    }
}

/* The parser's own words are not ours to fix, so only the position is looked at. */
T(reflect_tree, broken_texts)
{
    static const struct {
        enum reflect_syntax syntax;
        const char *text, *position;
    } rows[] = {
        {REFLECT_YAML, "name: [a",                "t:2:1: "                 },
        {REFLECT_YAML, "name: {a",                "t:"                      },
        {REFLECT_YAML, "name: \"a",               "t:1:"                    },
        {REFLECT_YAML, "name: a\n b: c",          "t:1:"                    },
        {REFLECT_YAML, "{name: \"a\" \"b\"}",     "t:1:"                    },
        {REFLECT_YAML, "name: \xff",              "t:1:"                    },
        {REFLECT_YAML, "name: \"\\ud800\"",       "t:1:"                    },
        {REFLECT_YAML, "name:\n\tchild: a",       "t:2:"                    },
        {REFLECT_YAML, "a: b: c",                 "t:1:"                    },
        {REFLECT_JSON, "{\"name\": \"a\",}",      "t:1:"                    },
        {REFLECT_JSON, "{'name': 'a'}",           "t:1:"                    },
        {REFLECT_JSON, "{name: \"a\"}",           "t:1:"                    },
        {REFLECT_JSON, "name: a",                 "t:1:"                    },
        {REFLECT_JSON, "{\"name\": 01}",          "t:1:"                    },
        {REFLECT_JSON, "{\"name\": +1}",          "t:1:"                    },
        {REFLECT_JSON, "{\"name\": .5}",          "t:1:"                    },
        {REFLECT_JSON, "{\"name\": NaN}",         "t:1:"                    },
        {REFLECT_JSON, "{\"name\": True}",        "t:1:"                    },
        {REFLECT_JSON, "{\"name\" 1}",            "t:1:"                    },
        {REFLECT_JSON, "{\"name\": \"\\x41\"}",   "t:1:"                    },
        {REFLECT_JSON, "{\"name\": \"\\ud800\"}", "t:1:"                    },
        {REFLECT_JSON, "{\"name\": \"a\nb\"}",    "t:1:"                    },
        {REFLECT_JSON, "{} {}",                   "t:1:"                    },
        {REFLECT_JSON, "{}x",                     "t:1:"                    },
        {REFLECT_JSON, "{} # comment",            "t:1:"                    },
        {REFLECT_JSON, "// comment\n{}",          "t:1:"                    },
        {REFLECT_JSON, "",                        "t:1:1: the text is empty"},
        {REFLECT_JSON, " \n",                     "t:"                      },
        {REFLECT_JSON, "null",                    "t:1:1: the text is empty"},
        {REFLECT_JSON, "{\"name\": &a \"b\"}",    "t:1:"                    },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        ProtobufCMessage *m = NULL;
        setup(&f);
        T_EXPECT_EQ(parse_text(&f, rows[i].syntax, TREE, sv_str(rows[i].text), &m), E_PARSE,
                    rows[i].text);
        T_EXPECT(m == NULL, "%s", rows[i].text);
        T_EXPECT(sv_starts(sv_str(f.diag.msg), sv_str(rows[i].position)), "%s: %s", rows[i].text,
                 f.diag.msg);
        teardown(&f);
    }
}

/* n times a, then b, then n times c. */
static void nest(struct str *out, unsigned n, const char *a, const char *b, const char *c)
{
    str_clear(out);
    for (unsigned i = 0; i < n; i++)
        str_add(out, sv_str(a));
    str_add(out, sv_str(b));
    for (unsigned i = 0; i < n; i++)
        str_add(out, sv_str(c));
}

T(reflect_tree, depth)
{
    static const struct {
        const ProtobufCMessageDescriptor *type;
        const char *open, *close;
        unsigned around; /* levels outside the repeated part */
        const char *before, *after;
    } rows[] = {
        {TREE,  "{\"child\":",     "}",  1, "",             "" },
        {TREE,  "{\"children\":[", "]}", 1, "",             "" },
        {KNOWN, "[",               "]",  2, "{\"value\":",  "}"},
        {KNOWN, "{\"a\":",         "}",  2, "{\"object\":", "}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows) * 2; i++) {
        enum reflect_syntax syntax = i % 2 == 0 ? REFLECT_YAML : REFLECT_JSON;
        const unsigned levels = i / 2 == 1 ? 2 : 1;
        unsigned fits = (REFLECT_MAX_DEPTH - rows[i / 2].around) / levels;
        for (unsigned more = 0; more < 2; more++) {
            struct fixture f;
            struct str inner, text;
            ProtobufCMessage *m = NULL;
            setup(&f);
            str_init(&inner, 0);
            str_init(&text, 0);
            nest(&inner, fits + more, rows[i / 2].open, "{}", rows[i / 2].close);
            str_addf(&text, "%s%s%s", rows[i / 2].before, inner.p, rows[i / 2].after);
            enum err e = parse_text(&f, syntax, rows[i / 2].type, str_sv(&text), &m);
            T_EXPECT(e == (more ? E_LIMIT : OK), "row %zu: %s: %s", i, err_name(e), f.diag.msg);
            T_EXPECT(more == 0 || strstr(f.diag.msg, "more than 100 levels") != NULL, "%s",
                     f.diag.msg);
            str_fini(&text);
            str_fini(&inner);
            teardown(&f);
        }
    }
}

T(reflect_tree, depth_is_bounded_before_recursion)
{
    struct fixture f;
    ProtobufCMessage *m = NULL;
    static const char *const opens[] = {"[", "{\"a\":", "- ", "{a: "};

    for (size_t i = 0; i < ARRAY_LEN(opens); i++) {
        setup(&f);
        nest(&f.out, 300000, opens[i], "", "");
        T_EXPECT_EQ(parse_text(&f, i < 2 ? REFLECT_JSON : REFLECT_YAML, TREE, str_sv(&f.out), &m),
                    E_LIMIT, opens[i]);
        teardown(&f);
    }
}

/* Aliases can nest deeper than the text does. */
T(reflect_tree, depth_through_aliases)
{
    struct fixture f;
    ProtobufCMessage *m = NULL;

    setup(&f);
    str_add(&f.out, SV("list:\n- &a0 []\n"));
    for (int i = 1; i < 120; i++)
        str_addf(&f.out, "- &a%d [*a%d]\n", i, i - 1);
    T_EXPECT_EQ(parse_text(&f, REFLECT_YAML, KNOWN, str_sv(&f.out), &m), E_LIMIT, "");
    teardown(&f);
}

T(reflect_tree, billion_laughs)
{
    struct fixture f;
    ProtobufCMessage *m = NULL;

    setup(&f);
    str_add(&f.out, SV("object:\n  a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"));
    for (int i = 1; i < 12; i++)
        str_addf(&f.out, "  a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i,
                 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    T_EXPECT_EQ(parse_text(&f, REFLECT_YAML, KNOWN, str_sv(&f.out), &m), E_LIMIT, "");
    T_EXPECT(strstr(f.diag.msg, "more than 1048576 values") != NULL, "%s", f.diag.msg);
    teardown(&f);
}

/* The same where the repeated values are skipped, not taken. */
T(reflect_tree, billion_unknown_laughs)
{
    struct fixture f;
    ProtobufCMessage *m = NULL;
    size_t unknown = 0;

    setup(&f);
    str_add(&f.out, SV("by_name:\n  a: &a {"));
    for (int i = 0; i < 2000; i++)
        str_addf(&f.out, "x%d: 1, ", i);
    str_add(&f.out, SV("}\nchildren: ["));
    for (int i = 0; i < 2000; i++)
        str_add(&f.out, SV("*a, "));
    str_add(&f.out, SV("]\n"));
    const struct reflect_text in = {
        .text = str_sv(&f.out), .allow_unknown = true, .unknown = &unknown};
    T_EXPECT_EQ(reflect_parse(&in, TREE, f.arena, &m, &f.diag), E_LIMIT, "");
    teardown(&f);
}

/* libfyaml would take it for the end. */
T(reflect_tree, nul_bytes)
{
    static const char text[] = "name: a\n\0nope: b\n";
    struct fixture f;
    ProtobufCMessage *m = NULL;

    setup(&f);
    T_EXPECT_EQ(parse_text(&f, REFLECT_YAML, TREE, sv_of(text, sizeof text - 1), &m), E_PARSE, "");
    T_EXPECT_SV(sv_str(f.diag.msg), SV("t:2:1: a byte that is NUL"), "");
    teardown(&f);
}

T(reflect_tree, limits_can_be_set)
{
    static const struct {
        const char *text;
        size_t max_bytes, max_values;
        unsigned max_depth;
        enum err want;
    } rows[] = {
        {"{name: abc}",          11, 0, 0, OK     },
        {"{name: abc}",          10, 0, 0, E_LIMIT},
        {"{name: abc}",          0,  3, 0, OK     },
        {"{name: abc}",          0,  2, 0, E_LIMIT},
        {"{child: {name: abc}}", 0,  0, 2, OK     },
        {"{child: {name: abc}}", 0,  0, 1, E_LIMIT},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture f;
        ProtobufCMessage *m = NULL;
        const struct reflect_text in = {.text = sv_str(rows[i].text),
                                        .max_bytes = rows[i].max_bytes,
                                        .max_values = rows[i].max_values,
                                        .max_depth = rows[i].max_depth};
        setup(&f);
        T_EXPECT_EQ(reflect_parse(&in, TREE, f.arena, &m, &f.diag), rows[i].want, rows[i].text);
        teardown(&f);
    }
}

T(reflect_tree, large_texts)
{
    struct fixture f;
    ProtobufCMessage *m = NULL;

    setup(&f);
    str_add(&f.out, SV("{\"children\":["));
    for (int i = 0; i < 100000; i++)
        str_addf(&f.out, "%s{\"name\":\"n%d\"}", i == 0 ? "" : ",", i);
    str_add(&f.out, SV("]}"));
    T_ASSERT(parse_text(&f, REFLECT_JSON, TREE, str_sv(&f.out), &m) == OK, "%s", f.diag.msg);
    const Weft__Test__Tree *t = (const Weft__Test__Tree *)m;
    T_EXPECT_EQ(t->n_children, 100000, "");
    T_EXPECT_SV(sv_str(t->children[99999]->name), SV("n99999"), "");
    teardown(&f);
}
