/* Growing text: adding, printing, the cap, JSON literals, and every allocation failing. */
#include "base/str.h"
#include "tests/support/failmalloc.h"
#include "tests/support/t.h"

T(str, adds)
{
    struct str s;
    str_init(&s, 0);
    T_EXPECT_SV(str_sv(&s), SV(""), "new");
    T_EXPECT(s.p != NULL && s.p[0] == '\0');
    str_add(&s, SV_NONE);
    str_add(&s, SV("one"));
    str_addc(&s, ' ');
    str_addc(&s, '\0');
    str_addf(&s, "%s%d", "two", 3);
    str_addf(&s, "%s", "");
    T_EXPECT_SV(str_sv(&s), SV("one \0two3"), "all");
    T_EXPECT_EQ(s.p[s.n], 0, "NUL");
    T_EXPECT_EQ(str_status(&s), OK, "status");
    char *kept = s.p;
    str_clear(&s);
    T_EXPECT_SV(str_sv(&s), SV(""), "cleared");
    T_EXPECT(s.p == kept && s.p[0] == '\0');
    str_fini(&s);
    T_EXPECT(s.p != NULL && s.p[0] == '\0' && s.n == 0);
    str_fini(&s);
}

T(str, grows)
{
    struct str s;
    str_init(&s, 0);
    for (unsigned i = 0; i < 5000; i++) {
        if (i % 2 == 0)
            str_addf(&s, "%04u,", i);
        else
            str_add(&s, SV("abcd,"));
        T_ASSERT(s.p[s.n] == '\0');
    }
    T_EXPECT_EQ(str_status(&s), OK, "status");
    T_ASSERT(s.n == 25000);
    for (unsigned i = 0; i < 5000; i += 2) {
        uint32_t v = 0;
        T_ASSERT(sv_u32(sv_of(s.p + i * 5, 4), &v) == OK && v == i);
        T_ASSERT(memcmp(s.p + i * 5 + 5, "abcd,", 5) == 0);
    }
    str_fini(&s);
}

T(str, prints_up_to_the_edge_of_its_room)
{
    for (int width = 1; width < 300; width++) {
        struct str s;
        str_init(&s, 0);
        str_addc(&s, '<'); /* now there is some room, and each width leaves another rest of it */
        str_addf(&s, "%*d", width, 7);
        T_EXPECT_EQ(s.n, width + 1, "length");
        T_EXPECT_EQ(strlen(s.p), width + 1, "NUL");
        T_EXPECT_EQ(s.p[width], '7', "last character");
        str_fini(&s);
    }
}

static void add_bytes(struct str *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        str_addc(s, 'x');
}

T(str, stops_at_the_cap)
{
    /* Each row: so much is there, this is added, in one of three ways. */
    static const struct {
        size_t cap, there, more;
        bool fits;
    } rows[] = {
        {10,  0,   10,  true },
        {10,  0,   11,  false},
        {10,  9,   1,   true },
        {10,  9,   2,   false},
        {10,  10,  1,   false},
        {300, 120, 180, true },
        {300, 120, 181, false},
        {0,   120, 181, true },
    };
    static const char many[] =
        "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
        "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
        "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";
    for (size_t i = 0; i < ARRAY_LEN(rows) * 2; i++) {
        size_t there = rows[i / 2].there, more = rows[i / 2].more;
        bool fits = rows[i / 2].fits;
        struct str s;
        str_init(&s, rows[i / 2].cap);
        add_bytes(&s, there);
        if (i % 2 == 0)
            str_add(&s, sv_of(many, more));
        else
            str_addf(&s, "%.*s", (int)more, many);
        T_EXPECT_EQ(str_status(&s), fits ? OK : E_NOMEM, "status");
        T_EXPECT_EQ(s.n, fits ? there + more : there, "all or nothing");
        T_EXPECT_EQ(strlen(s.p), s.n, "NUL");
        if (!fits) {
            str_addf(&s, "%s", "");
            str_add(&s, SV("z"));
            T_EXPECT_EQ(s.n, there, "no hole in the text");
            str_clear(&s);
            T_EXPECT_EQ(str_status(&s), OK, "forgotten");
            str_add(&s, SV("z"));
            T_EXPECT_SV(str_sv(&s), SV("z"), "usable again");
        }
        str_fini(&s);
    }
}

T(str, refuses_absurd_lengths)
{
    struct str s;
    str_init(&s, 0);
    str_add(&s, SV("abc"));
    str_add(&s, sv_of("", SIZE_MAX));
    T_EXPECT_EQ(str_status(&s), E_NOMEM, "wraps");
    str_clear(&s);
    str_add(&s, sv_of("", SIZE_MAX));
    T_EXPECT_EQ(str_status(&s), E_NOMEM, "wraps with the NUL");
    str_fini(&s);
}

T(str, writes_json)
{
    static const struct {
        const char *name;
        struct sv in, want; /* want: between the quotes */
    } rows[] = {
        {"empty",                   SV(""),                 SV("")                            },
        {"none",                    SV_NONE,                SV("")                            },
        {"plain",                   SV("ab c/d"),           SV("ab c/d")                      },
        {"quotes",                  SV("\"a\\"),            SV("\\\"a\\\\")                   },
        {"short escapes",           SV("\b\f\n\r\t"),       SV("\\b\\f\\n\\r\\t")             },
        {"control",                 SV("\0\x01\x1f"),       SV("\\u0000\\u0001\\u001f")       },
        {"DEL",                     SV("\x7f"),             SV("\x7f")                        },
        {"two bytes",               SV("\xc2\x80\xdf\xbf"), SV("\xc2\x80\xdf\xbf")            },
        {"first of three",          SV("\xe0\xa0\x80"),     SV("\xe0\xa0\x80")                },
        {"last before surrogates",  SV("\xed\x9f\xbf"),     SV("\xed\x9f\xbf")                },
        {"first behind surrogates", SV("\xee\x80\x80"),     SV("\xee\x80\x80")                },
        {"first of four",           SV("\xf0\x90\x80\x80"), SV("\xf0\x90\x80\x80")            },
        {"last",                    SV("\xf4\x8f\xbf\xbf"), SV("\xf4\x8f\xbf\xbf")            },
        {"lone",                    SV("a\x80z"),           SV("a\\ufffdz")                   },
        {"cut short",               SV("\xe2\x82"),         SV("\\ufffd\\ufffd")              },
        {"cut by text",             SV("\xe2\x82z"),        SV("\\ufffd\\ufffdz")             },
        {"overlong, two",           SV("\xc0\xaf"),         SV("\\ufffd\\ufffd")              },
        {"overlong, three",         SV("\xe0\x9f\xbf"),     SV("\\ufffd\\ufffd\\ufffd")       },
        {"overlong, four",          SV("\xf0\x8f\xbf\xbf"), SV("\\ufffd\\ufffd\\ufffd\\ufffd")},
        {"surrogate",               SV("\xed\xa0\x80"),     SV("\\ufffd\\ufffd\\ufffd")       },
        {"too high",                SV("\xf4\x90\x80\x80"), SV("\\ufffd\\ufffd\\ufffd\\ufffd")},
        {"never in UTF-8",          SV("\xff\xf5"),         SV("\\ufffd\\ufffd")              },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str s;
        str_init(&s, 0);
        str_add_json(&s, rows[i].in);
        T_ASSERT(s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"', "%s", rows[i].name);
        T_EXPECT_SV(sv_of(s.p + 1, s.n - 2), rows[i].want, rows[i].name);
        str_fini(&s);
    }
}

static void scenario(bool failing)
{
    struct str s;
    size_t n = 0;

    str_init(&s, 0);
    for (int i = 0; i < 8; i++) {
        str_addf(&s, "%100d", i);
        str_add_json(&s, SV("a\nb"));
        T_EXPECT(s.n >= n && s.p[s.n] == '\0');
        T_EXPECT_EQ(strlen(s.p), s.n, "NUL");
        n = s.n;
    }
    T_EXPECT(str_status(&s) == (failing ? E_NOMEM : OK));
    str_fini(&s);
}

T(str, survives_each_failed_allocation)
{
    T_EXPECT(failmalloc_each(scenario) >= 3);
}
