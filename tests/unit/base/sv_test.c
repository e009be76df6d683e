/* Byte views: tables for comparing, searching, cutting and number parsing. */
#include "base/sv.h"
#include "tests/support/t.h"

T(sv, compares)
{
    static const struct {
        const char *name;
        struct sv a, b;
        bool eq, ieq, starts, istarts, ends;
        int cmp;
    } rows[] = {
        {"both empty",          SV(""),      SV(""),     true,  true,  true,  true,  true,  0 },
        {"no pointer",          SV_NONE,     SV(""),     true,  true,  true,  true,  true,  0 },
        {"empty second",        SV("a"),     SV(""),     false, false, true,  true,  true,  1 },
        {"empty first",         SV(""),      SV("a"),    false, false, false, false, false, -1},
        {"equal",               SV("abc"),   SV("abc"),  true,  true,  true,  true,  true,  0 },
        {"case",                SV("aBC"),   SV("Abc"),  false, true,  false, true,  false, 1 },
        {"prefix",              SV("abcd"),  SV("ab"),   false, false, true,  true,  false, 1 },
        {"suffix",              SV("abcd"),  SV("cd"),   false, false, false, false, true,  -1},
        {"inner NUL",           SV("a\0b"),  SV("a\0c"), false, false, false, false, false, -1},
        {"not letters",         SV("[\x60"), SV("{@"),   false, false, false, false, false, -1},
        {"high bytes",          SV("\xff"),  SV("a"),    false, false, false, false, false, 1 },
        {"no fold above ASCII", SV("\xc0"),  SV("\xe0"), false, false, false, false, false, -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sv a = rows[i].a, b = rows[i].b;
        int cmp = sv_cmp(a, b);
        T_EXPECT_EQ(sv_eq(a, b), rows[i].eq, rows[i].name);
        T_EXPECT_EQ(sv_ieq(a, b), rows[i].ieq, rows[i].name);
        T_EXPECT_EQ(sv_starts(a, b), rows[i].starts, rows[i].name);
        T_EXPECT_EQ(sv_istarts(a, b), rows[i].istarts, rows[i].name);
        T_EXPECT_EQ(sv_ends(a, b), rows[i].ends, rows[i].name);
        T_EXPECT_EQ((cmp > 0) - (cmp < 0), rows[i].cmp, rows[i].name);
    }
}

T(sv, finds_characters)
{
    static const struct {
        struct sv s;
        char c;
        size_t from, first, last;
    } rows[] = {
        {SV("a,b,c"), ',',    0,  1,        3       },
        {SV("a,b,c"), ',',    1,  1,        3       },
        {SV("a,b,c"), ',',    2,  3,        3       },
        {SV("a,b,c"), ',',    4,  SIZE_MAX, 3       },
        {SV("a,b,c"), ',',    99, SIZE_MAX, 3       },
        {SV("abc"),   ',',    0,  SIZE_MAX, SIZE_MAX},
        {SV(""),      ',',    0,  SIZE_MAX, SIZE_MAX},
        {SV_NONE,     ',',    0,  SIZE_MAX, SIZE_MAX},
        {SV("a\0b"),  '\0',   0,  1,        1       },
        {SV("\xe9x"), '\xe9', 0,  0,        0       },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        T_EXPECT_EQ(sv_find(rows[i].s, rows[i].c, rows[i].from), rows[i].first, "find");
        T_EXPECT_EQ(sv_rfind(rows[i].s, rows[i].c), rows[i].last, "rfind");
    }
}

T(sv, searches)
{
    static const struct {
        struct sv s, needle;
        size_t want;
    } rows[] = {
        {SV("hello"), SV("llo"), 2       },
        {SV("hello"), SV("l"),   2       },
        {SV("hello"), SV(""),    0       },
        {SV(""),      SV(""),    0       },
        {SV_NONE,     SV(""),    0       },
        {SV_NONE,     SV("x"),   SIZE_MAX},
        {SV("hi"),    SV("hey"), SIZE_MAX},
        {SV("aab"),   SV("ab"),  1       },
        {SV("a\0bc"), SV("\0b"), 1       },
        {SV("abc"),   SV("abd"), SIZE_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        T_EXPECT_EQ(sv_search(rows[i].s, rows[i].needle), rows[i].want, rows[i].s.p);
}

T(sv, skips_and_trims)
{
    static const struct {
        struct sv in, trimmed;
    } rows[] = {
        {SV(" a b\t\r\n"), SV("a b")},
        {SV("\t\r\n "),    SV("")   },
        {SV(""),           SV("")   },
        {SV("x"),          SV("x")  },
        {SV("\vx"),        SV("\vx")},
        {SV_NONE,          SV("")   },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        T_EXPECT_SV(sv_trim(rows[i].in), rows[i].trimmed, "trim");
    T_EXPECT_SV(sv_skip(SV("abc"), 0), SV("abc"), "none");
    T_EXPECT_SV(sv_skip(SV("abc"), 2), SV("c"), "two");
    T_EXPECT_SV(sv_skip(SV("abc"), 3), SV(""), "all");
    T_EXPECT_SV(sv_skip(SV("abc"), SIZE_MAX), SV(""), "too many");
    T_EXPECT(sv_skip(SV_NONE, 7).p == NULL);
    T_EXPECT_SV(sv_str(NULL), SV(""), "no text");
    T_EXPECT_SV(sv_str("ab"), SV("ab"), "text");
}

T(sv, splits)
{
    static const struct {
        struct sv in;
        const char *parts[5];
    } rows[] = {
        {SV("a,,b"), {"a", "", "b"}},
        {SV("a"),    {"a"}         },
        {SV(""),     {""}          },
        {SV("a,"),   {"a", ""}     },
        {SV(",a"),   {"", "a"}     },
        {SV(","),    {"", ""}      },
        {SV_NONE,    {NULL}        },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sv rest = rows[i].in, part;
        size_t n = 0;
        while (n < 4 && sv_split(&rest, ',', &part)) {
            T_EXPECT_SV(part, sv_str(rows[i].parts[n]), rows[i].in.p);
            T_EXPECT(rows[i].parts[n] != NULL, "too many parts");
            n++;
        }
        T_EXPECT(rows[i].parts[n] == NULL, "too few parts");
        T_EXPECT(rest.p == NULL);
    }
}

static const struct {
    struct sv in;
    enum err u16, u32, u64, i64;
    uint64_t want;
} decimals[] = {
    {SV("0"),                        OK,      OK,      OK,      OK,      0                   },
    {SV("007"),                      OK,      OK,      OK,      OK,      7                   },
    {SV("65535"),                    OK,      OK,      OK,      OK,      65535               },
    {SV("65536"),                    E_LIMIT, OK,      OK,      OK,      65536               },
    {SV("4294967295"),               E_LIMIT, OK,      OK,      OK,      UINT32_MAX          },
    {SV("4294967296"),               E_LIMIT, E_LIMIT, OK,      OK,      4294967296          },
    {SV("9223372036854775807"),      E_LIMIT, E_LIMIT, OK,      OK,      INT64_MAX           },
    {SV("9223372036854775808"),      E_LIMIT, E_LIMIT, OK,      E_LIMIT, 9223372036854775808u},
    {SV("18446744073709551615"),     E_LIMIT, E_LIMIT, OK,      E_LIMIT, UINT64_MAX          },
    {SV("18446744073709551616"),     E_LIMIT, E_LIMIT, E_LIMIT, E_LIMIT, 0                   },
    {SV("99999999999999999999999"),  E_LIMIT, E_LIMIT, E_LIMIT, E_LIMIT, 0                   },
    {SV("99999999999999999999999x"), E_PARSE, E_PARSE, E_PARSE, E_PARSE, 0                   },
    {SV(""),                         E_PARSE, E_PARSE, E_PARSE, E_PARSE, 0                   },
    {SV_NONE,                        E_PARSE, E_PARSE, E_PARSE, E_PARSE, 0                   },
    {SV("+1"),                       E_PARSE, E_PARSE, E_PARSE, E_PARSE, 0                   },
    {SV(" 1"),                       E_PARSE, E_PARSE, E_PARSE, E_PARSE, 0                   },
    {SV("1 "),                       E_PARSE, E_PARSE, E_PARSE, E_PARSE, 0                   },
    {SV("80x"),                      E_PARSE, E_PARSE, E_PARSE, E_PARSE, 0                   },
    {SV("0x10"),                     E_PARSE, E_PARSE, E_PARSE, E_PARSE, 0                   },
    {SV("1\0"),                      E_PARSE, E_PARSE, E_PARSE, E_PARSE, 0                   },
    {SV("1:"),                       E_PARSE, E_PARSE, E_PARSE, E_PARSE, 0                   },
    {SV("1/"),                       E_PARSE, E_PARSE, E_PARSE, E_PARSE, 0                   },
};

T(sv, parses_decimals)
{
    for (size_t i = 0; i < ARRAY_LEN(decimals); i++) {
        struct sv in = decimals[i].in;
        uint16_t u16 = 1234;
        uint32_t u32 = 1234;
        uint64_t u64 = 1234, want = decimals[i].want;
        int64_t i64 = 1234;
        T_EXPECT_EQ(sv_u16(in, &u16), decimals[i].u16, in.p);
        T_EXPECT_EQ(u16, decimals[i].u16 == OK ? (uint16_t)want : 1234, in.p);
        T_EXPECT_EQ(sv_u32(in, &u32), decimals[i].u32, in.p);
        T_EXPECT_EQ(u32, decimals[i].u32 == OK ? (uint32_t)want : 1234, in.p);
        T_EXPECT_EQ(sv_u64(in, &u64), decimals[i].u64, in.p);
        T_EXPECT_EQ(u64, decimals[i].u64 == OK ? want : 1234, in.p);
        T_EXPECT_EQ(sv_i64(in, &i64), decimals[i].i64, in.p);
        T_EXPECT_EQ(i64, decimals[i].i64 == OK ? (int64_t)want : 1234, in.p);
    }
}

T(sv, parses_negative_decimals)
{
    static const struct {
        struct sv in;
        enum err e;
        int64_t want;
    } rows[] = {
        {SV("-0"),                   OK,      0         },
        {SV("-1"),                   OK,      -1        },
        {SV("-9223372036854775807"), OK,      -INT64_MAX},
        {SV("-9223372036854775808"), OK,      INT64_MIN },
        {SV("-9223372036854775809"), E_LIMIT, 0         },
        {SV("-"),                    E_PARSE, 0         },
        {SV("--1"),                  E_PARSE, 0         },
        {SV("-1-"),                  E_PARSE, 0         },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t got = 1234;
        T_EXPECT_EQ(sv_i64(rows[i].in, &got), rows[i].e, rows[i].in.p);
        T_EXPECT_EQ(got, rows[i].e == OK ? rows[i].want : 1234, rows[i].in.p);
    }
}

T(sv, parses_hexadecimals)
{
    static const struct {
        struct sv in;
        enum err e;
        uint64_t want;
    } rows[] = {
        {SV("0"),                 OK,      0                 },
        {SV("fF"),                OK,      255               },
        {SV("ffffffffffffffff"),  OK,      UINT64_MAX        },
        {SV("0123456789abcdef"),  OK,      0x0123456789abcdef},
        {SV("ABCDEF"),            OK,      0xabcdef          },
        {SV("00000000000000001"), E_LIMIT, 0                 },
        {SV("0000000000000000g"), E_PARSE, 0                 },
        {SV(""),                  E_PARSE, 0                 },
        {SV("0x1"),               E_PARSE, 0                 },
        {SV("g"),                 E_PARSE, 0                 },
        {SV("@"),                 E_PARSE, 0                 },
        {SV("`"),                 E_PARSE, 0                 },
        {SV("-1"),                E_PARSE, 0                 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t got = 1234;
        T_EXPECT_EQ(sv_hex64(rows[i].in, &got), rows[i].e, rows[i].in.p);
        T_EXPECT_EQ(got, rows[i].e == OK ? rows[i].want : 1234, rows[i].in.p);
    }
}
