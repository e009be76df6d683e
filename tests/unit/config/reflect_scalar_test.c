/* Scalars and their texts. */
#include "config/reflect/reflect_int.h"
#include "tests/unit/config/reflect_support.h"
#include <math.h>

T(reflect_scalar, yaml_resolve)
{
    static const struct {
        const char *text;
        enum yaml_type want;
        int integer; /* or 1, 0 of a boolean */
    } rows[] = {
        {"",                     YAML_NULL, 0              },
        {"~",                    YAML_NULL, 0              },
        {"null",                 YAML_NULL, 0              },
        {"Null",                 YAML_NULL, 0              },
        {"NULL",                 YAML_NULL, 0              },
        {"nUll",                 YAML_TEXT, 0              },
        {"true",                 YAML_BOOL, 1              },
        {"True",                 YAML_BOOL, 1              },
        {"TRUE",                 YAML_BOOL, 1              },
        {"tRue",                 YAML_TEXT, 0              },
        {"y",                    YAML_BOOL, 1              },
        {"Y",                    YAML_BOOL, 1              },
        {"yes",                  YAML_BOOL, 1              },
        {"Yes",                  YAML_BOOL, 1              },
        {"YES",                  YAML_BOOL, 1              },
        {"on",                   YAML_BOOL, 1              },
        {"On",                   YAML_BOOL, 1              },
        {"ON",                   YAML_BOOL, 1              },
        {"oN",                   YAML_TEXT, 0              },
        {"false",                YAML_BOOL, 0              },
        {"False",                YAML_BOOL, 0              },
        {"FALSE",                YAML_BOOL, 0              },
        {"n",                    YAML_BOOL, 0              },
        {"N",                    YAML_BOOL, 0              },
        {"no",                   YAML_BOOL, 0              },
        {"No",                   YAML_BOOL, 0              },
        {"NO",                   YAML_BOOL, 0              },
        {"off",                  YAML_BOOL, 0              },
        {"Off",                  YAML_BOOL, 0              },
        {"OFF",                  YAML_BOOL, 0              },
        {"t",                    YAML_TEXT, 0              },
        {"0",                    YAML_INT,  0              },
        {"5",                    YAML_INT,  5              },
        {"-5",                   YAML_INT,  -5             },
        {"+5",                   YAML_INT,  5              },
        {"007",                  YAML_INT,  7              },
        {"010",                  YAML_INT,  8              },
        {"-010",                 YAML_INT,  -8             },
        {"08",                   YAML_TEXT, 0              },
        {"0o7",                  YAML_TEXT, 0              },
        {"0x10",                 YAML_INT,  16             },
        {"0X1f",                 YAML_INT,  31             },
        {"-0x10",                YAML_INT,  -16            },
        {"0x",                   YAML_TEXT, 0              },
        {"0xg",                  YAML_TEXT, 0              },
        {"0b11",                 YAML_TEXT, 0              },
        {"1_000",                YAML_TEXT, 0              },
        {"-",                    YAML_TEXT, 0              },
        {"+",                    YAML_TEXT, 0              },
        {"--5",                  YAML_TEXT, 0              },
        {"1.5",                  YAML_TEXT, 0              },
        {"1e3",                  YAML_TEXT, 0              },
        {".inf",                 YAML_TEXT, 0              },
        {"2147483647",           YAML_INT,  2147483647     },
        {"2147483648",           YAML_TEXT, 0              },
        {"-2147483648",          YAML_INT,  -2147483647 - 1},
        {"-2147483649",          YAML_TEXT, 0              },
        {"99999999999999999999", YAML_TEXT, 0              },
        {"-9223372036854775808", YAML_TEXT, 0              },
        {"2020-01-01",           YAML_TEXT, 0              },
        {"190:20:30",            YAML_TEXT, 0              },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool boolean = false;
        int32_t integer = 0;
        enum yaml_type got = yaml_resolve(sv_str(rows[i].text), &boolean, &integer);
        T_EXPECT_EQ(got, rows[i].want, rows[i].text);
        if (got == YAML_BOOL)
            T_EXPECT_EQ(boolean, rows[i].integer, rows[i].text);
        else if (got == YAML_INT)
            T_EXPECT_EQ(integer, rows[i].integer, rows[i].text);
    }
}

T(reflect_scalar, signed_numbers)
{
    static const struct {
        const char *text;
        int64_t min, max;
        enum num_err want;
        int64_t value;
    } rows[] = {
        {"0",                    INT32_MIN, INT32_MAX, NUM_OK,       0        },
        {"-0",                   INT32_MIN, INT32_MAX, NUM_OK,       0        },
        {"+7",                   INT32_MIN, INT32_MAX, NUM_OK,       7        },
        {"010",                  INT32_MIN, INT32_MAX, NUM_OK,       10       },
        {"2147483647",           INT32_MIN, INT32_MAX, NUM_OK,       INT32_MAX},
        {"2147483648",           INT32_MIN, INT32_MAX, NUM_RANGE,    0        },
        {"-2147483648",          INT32_MIN, INT32_MAX, NUM_OK,       INT32_MIN},
        {"-2147483649",          INT32_MIN, INT32_MAX, NUM_RANGE,    0        },
        {"9223372036854775807",  INT64_MIN, INT64_MAX, NUM_OK,       INT64_MAX},
        {"9223372036854775808",  INT64_MIN, INT64_MAX, NUM_RANGE,    0        },
        {"-9223372036854775808", INT64_MIN, INT64_MAX, NUM_OK,       INT64_MIN},
        {"-9223372036854775809", INT64_MIN, INT64_MAX, NUM_RANGE,    0        },
        {"99999999999999999999", INT64_MIN, INT64_MAX, NUM_RANGE,    0        },
        {"5.0",                  INT32_MIN, INT32_MAX, NUM_OK,       5        },
        {"5.",                   INT32_MIN, INT32_MAX, NUM_OK,       5        },
        {".5e1",                 INT32_MIN, INT32_MAX, NUM_OK,       5        },
        {"-1e3",                 INT32_MIN, INT32_MAX, NUM_OK,       -1000    },
        {"1E+3",                 INT32_MIN, INT32_MAX, NUM_OK,       1000     },
        {"5.5",                  INT32_MIN, INT32_MAX, NUM_FRACTION, 0        },
        {"1e-1",                 INT32_MIN, INT32_MAX, NUM_FRACTION, 0        },
        {"1e10",                 INT32_MIN, INT32_MAX, NUM_RANGE,    0        },
        {"1e19",                 INT64_MIN, INT64_MAX, NUM_RANGE,    0        },
        {"1e400",                INT64_MIN, INT64_MAX, NUM_RANGE,    0        },
        {"",                     INT32_MIN, INT32_MAX, NUM_BAD,      0        },
        {"-",                    INT32_MIN, INT32_MAX, NUM_BAD,      0        },
        {".",                    INT32_MIN, INT32_MAX, NUM_BAD,      0        },
        {"e5",                   INT32_MIN, INT32_MAX, NUM_BAD,      0        },
        {"5e",                   INT32_MIN, INT32_MAX, NUM_BAD,      0        },
        {"5e+",                  INT32_MIN, INT32_MAX, NUM_BAD,      0        },
        {" 5",                   INT32_MIN, INT32_MAX, NUM_BAD,      0        },
        {"5 ",                   INT32_MIN, INT32_MAX, NUM_BAD,      0        },
        {"1.2.3",                INT32_MIN, INT32_MAX, NUM_BAD,      0        },
        {"0x10",                 INT32_MIN, INT32_MAX, NUM_BAD,      0        },
        {"inf",                  INT32_MIN, INT32_MAX, NUM_BAD,      0        },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t v = 0;
        enum num_err e = number_i64(sv_str(rows[i].text), rows[i].min, rows[i].max, &v);
        T_EXPECT_EQ(e, rows[i].want, rows[i].text);
        T_EXPECT_EQ(v, rows[i].value, rows[i].text);
    }
}

T(reflect_scalar, unsigned_numbers)
{
    static const struct {
        const char *text;
        uint64_t max;
        enum num_err want;
        uint64_t value;
    } rows[] = {
        {"4294967295",               UINT32_MAX, NUM_OK,    UINT32_MAX                    },
        {"4294967295.0",             UINT32_MAX, NUM_OK,    UINT32_MAX                    },
        {"4294967296",               UINT32_MAX, NUM_RANGE, 0                             },
        {"-0",                       UINT32_MAX, NUM_OK,    0                             },
        {"-0.0",                     UINT32_MAX, NUM_OK,    0                             },
        {"-1",                       UINT32_MAX, NUM_RANGE, 0                             },
        {"-1.0",                     UINT32_MAX, NUM_RANGE, 0                             },
        {"18446744073709551615",     UINT64_MAX, NUM_OK,    UINT64_MAX                    },
        {"18446744073709551616",     UINT64_MAX, NUM_RANGE, 0                             },
        {"1e19",                     UINT64_MAX, NUM_OK,    UINT64_C(10000000000000000000)},
        {"1.8446744073709551616e19", UINT64_MAX, NUM_RANGE, 0                             },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t v = 0;
        enum num_err e = number_u64(sv_str(rows[i].text), rows[i].max, &v);
        T_EXPECT_EQ(e, rows[i].want, rows[i].text);
        T_EXPECT(v == rows[i].value, "%s", rows[i].text);
    }
}

T(reflect_scalar, real_numbers)
{
    static const struct {
        const char *text;
        enum num_err want;
        double value;
    } rows[] = {
        {"1.5",       NUM_OK,    1.5      },
        {"-2",        NUM_OK,    -2       },
        {"1e3",       NUM_OK,    1000     },
        {"1e400",     NUM_RANGE, 0        },
        {"-1e400",    NUM_RANGE, 0        },
        {"1e-400",    NUM_OK,    0        },
        {"Infinity",  NUM_OK,    INFINITY },
        {"-Infinity", NUM_OK,    -INFINITY},
        {"inf",       NUM_BAD,   0        },
        {".inf",      NUM_BAD,   0        },
        {"0x1p3",     NUM_BAD,   0        },
        {"nan",       NUM_BAD,   0        },
        {"",          NUM_BAD,   0        },
    };
    double v;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum num_err e = number_double(sv_str(rows[i].text), &v);
        T_EXPECT_EQ(e, rows[i].want, rows[i].text);
        if (e == NUM_OK)
            T_EXPECT(v == rows[i].value, "%s", rows[i].text);
    }
    T_EXPECT(number_double(SV("NaN"), &v) == NUM_OK && isnan(v));
}

T(reflect_scalar, printed_numbers)
{
    static const struct {
        double v;
        bool is_float;
        const char *want;
    } rows[] = {
        {0,                  false, "0"                    },
        {-0.0,               false, "-0"                   },
        {0.1,                false, "0.1"                  },
        {2.0 / 3,            false, "0.66666666666666663"  },
        {1e21,               false, "1e+21"                },
        {1e15,               false, "1e+15"                },
        {123456,             false, "123456"               },
        {9007199254740993.0, false, "9007199254740992"     },
        {5e-324,             false, "4.94065645841247e-324"},
        {0.1F,               true,  "0.1"                  },
        {16777217.0F,        true,  "16777216"             },
        {3.4028235e38F,      true,  "3.40282347e+38"       },
        {NAN,                false, "NaN"                  },
        {INFINITY,           false, "Infinity"             },
        {-INFINITY,          true,  "-Infinity"            },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[NUMBER_TEXT];
        number_print(rows[i].v, rows[i].is_float, text);
        T_EXPECT_SV(sv_str(text), sv_str(rows[i].want), "");
    }
}

T(reflect_scalar, booleans)
{
    static const char *const yes[] = {"true", "True", "TRUE", "t", "yes", "Y", "1"};
    static const char *const no[] = {"false", "FALSE", "f", "No", "n", "0"};
    static const char *const neither[] = {"", "on", "off", "2", "truer", " true"};
    bool b;

    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        T_EXPECT(bool_parse(sv_str(yes[i]), &b) && b, "%s", yes[i]);
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        T_EXPECT(bool_parse(sv_str(no[i]), &b) && !b, "%s", no[i]);
    for (size_t i = 0; i < ARRAY_LEN(neither); i++)
        T_EXPECT(!bool_parse(sv_str(neither[i]), &b), "%s", neither[i]);
}

T(reflect_scalar, base64_good)
{
    static const struct {
        const char *text, *printed;
        struct sv bytes;
    } rows[] = {
        {"",         "",         SV_NONE        },
        {"AA==",     "AA==",     {"\0", 1}      },
        {"AA",       "AA==",     {"\0", 1}      },
        {"AB==",     "AA==",     {"\0", 1}      },
        {"AAE=",     "AAE=",     {"\0\1", 2}    },
        {"AAE",      "AAE=",     {"\0\1", 2}    },
        {"AAEC",     "AAEC",     {"\0\1\2", 3}  },
        {"aGVsbG8=", "aGVsbG8=", {"hello", 5}   },
        {"+/8=",     "+/8=",     {"\xfb\xff", 2}},
        {"-_8",      "+/8=",     {"\xfb\xff", 2}},
    };
    struct fixture f;

    setup(&f);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ProtobufCBinaryData data;
        T_ASSERT(base64_parse(sv_str(rows[i].text), f.arena, &data) == OK, "%s", rows[i].text);
        T_EXPECT_SV(sv_of((const char *)data.data, data.len), rows[i].bytes, rows[i].text);
        str_clear(&f.out);
        base64_print(&data, &f.out);
        T_EXPECT_SV(str_sv(&f.out), sv_str(rows[i].printed), rows[i].text);
    }
    teardown(&f);
}

T(reflect_scalar, base64_bad)
{
    static const char *const rows[] = {"A",    "AA=",  "AA===", "A===",  "=",    "====",
                                       "A*==", "A A=", "AAAA=", "AA==A", "AA=A", "AAA\n"};
    struct fixture f;

    setup(&f);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ProtobufCBinaryData data;
        T_EXPECT_EQ(base64_parse(sv_str(rows[i]), f.arena, &data), E_PARSE, rows[i]);
    }
    teardown(&f);
}

T(reflect_scalar, utf8)
{
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {
        "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
        "\xff",         "\xe2\x82",         "\xe2\x28\xa1",     "a\xc2"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        T_EXPECT(utf8_valid(sv_str(good[i])), "row %zu", i);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        T_EXPECT(!utf8_valid(sv_str(bad[i])), "row %zu", i);
}
