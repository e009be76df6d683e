/* Regular expressions of admin pages; the refusals' texts are those of a real Envoy 1.40 where
 * PCRE2 can tell. */
#include "tests/support/t.h"
#include "proxy/observe/text_match.h"
#include "tests/support/failmalloc.h"

T(text_match, matches)
{
    static const struct {
        const char *pattern;
        bool whole;
        const char *text;
        bool want;
    } rows[] = {
        {"server.live",          false, "x.server.live.y", true },
        {"^server",              false, "x.server",        false},
        {"SERVER",               false, "server",          false},
        {"(?i)SERVER",           false, "server",          true },
        {"a|b",                  false, "xb",              true },
        {"",                     false, "",                true },
        {"up",                   true,  "up",              true },
        {"up",                   true,  "ups",             false},
        {"u|up",                 true,  "up",              true },
        {"u.*",                  true,  "up.stream",       true },
        {"(?P<n>a)(?:b)(?<m>c)", false, "abc",             true },
        {"a\\.b\\d",             false, "a.b7",            true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct text_match *m = NULL;
        struct diag d = {0};
        T_ASSERT(text_match_new(sv_str(rows[i].pattern), rows[i].whole, &m, &d) == OK, "%s",
                 rows[i].pattern);
        T_EXPECT_EQ(text_match_is(m, sv_str(rows[i].text)), rows[i].want, rows[i].pattern);
        text_match_free(&m);
        T_EXPECT(m == NULL);
    }
}

T(text_match, refusals)
{
    static const struct {
        const char *pattern, *want;
    } rows[] = {
        {"(",         "missing ): ("                          },
        {"(a",        "missing ): (a"                         },
        {"x[a",       "missing ]: [a"                         },
        {"*",         "no argument for repetition operator: *"},
        {"+a",        "no argument for repetition operator: +"},
        {"a**",       "bad repetition operator: **"           },
        {")",         "unexpected ): )"                       },
        {"\\",        "trailing \\"                           },
        {"\\1",       "invalid escape sequence: \\1"          },
        {"(?=a)",     "invalid perl operator: (?="            },
        {"(?!a)",     "invalid perl operator: (?!"            },
        {"(?<=a)",    "invalid perl operator: (?<"            },
        {"(?>a)",     "invalid perl operator: (?>"            },
        {"(*ACCEPT)", "invalid perl operator: (*A"            },
        {"(?P<x",     "invalid named capture group: (?P<x"    },
        {"a{70000}",  "invalid repetition size: a{70000}"     },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct text_match *m = NULL;
        struct diag d = {0};
        T_EXPECT_EQ(text_match_new(sv_str(rows[i].pattern), false, &m, &d), E_PARSE,
                    rows[i].pattern);
        T_EXPECT_SV(sv_str(d.msg), sv_str(rows[i].want), rows[i].pattern);
        T_EXPECT(m == NULL);
    }
}

T(text_match, long_patterns_are_refused)
{
    static char p[TEXT_MATCH_MAX_PATTERN + 1];
    struct text_match *m = NULL;
    struct diag d = {0};
    memset(p, 'a', sizeof(p));
    T_EXPECT_EQ(text_match_new(sv_of(p, sizeof(p)), false, &m, &d), E_PARSE, "");
}

/* Nested repetition would try 2^40 ways: the limit ends it. */
T(text_match, catastrophe_is_bounded)
{
    struct text_match *m = NULL;
    struct diag d = {0};
    T_ASSERT(text_match_new(SV("(a+)+$"), false, &m, &d) == OK);
    T_EXPECT(!text_match_is(m, SV("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")));
    text_match_free(&m);
}

T(text_match, no_memory)
{
    struct text_match *m = NULL;
    struct diag d = {0};
    failmalloc_at(1);
    T_EXPECT_EQ(text_match_new(SV("a"), false, &m, &d), E_NOMEM, "");
    failmalloc_at(0);
}
