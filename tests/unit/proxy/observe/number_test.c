/* Number texts, as a real Envoy 1.40 writes the same values. */
#include "proxy/observe/number.h"
#include "tests/support/t.h"
#include <math.h>

T(number, plain_and_short)
{
    static const struct {
        double v;
        const char *plain, *brief;
    } rows[] = {
        {0,               "0",                  "0"                 },
        {0.5,             "0.5",                "0.5"               },
        {0.995,           "0.995",              "0.995"             },
        {1,               "1",                  "1"                 },
        {15.5,            "15.5",               "15.5"              },
        {11 / 10.0 * 100, "110.00000000000001", "110.00000000000001"},
        {250 + 10.0 / 3,  "253.33333333333334", "253.33333333333334"},
        {1000,            "1000",               "1000"              },
        {30000,           "30000",              "30000"             },
        {100000,          "100000",             "1e+05"             },
        {300000,          "300000",             "3e+05"             },
        {105000,          "105000",             "105000"            },
        {1800000,         "1800000",            "1800000"           },
        {1e15,            "1000000000000000",   "1e+15"             },
        {1.8e19,          "1.8e+19",            "1.8e+19"           },
        {0.1,             "0.1",                "0.1"               },
        {0.00001,         "1e-05",              "1e-05"             },
        {-2.5,            "-2.5",               "-2.5"              },
        {1.0 / 3,         "0.3333333333333333", "0.3333333333333333"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[NUMBER_TEXT_MAX];
        T_EXPECT_SV(sv_of(text, number_plain(rows[i].v, text)), sv_str(rows[i].plain), "plain");
        T_EXPECT_SV(sv_of(text, number_short(rows[i].v, text)), sv_str(rows[i].brief), "short");
    }
}

T(number, not_numbers)
{
    char text[NUMBER_TEXT_MAX];
    T_EXPECT_SV(sv_of(text, number_plain(NAN, text)), SV("nan"), "");
    T_EXPECT_SV(sv_of(text, number_plain(INFINITY, text)), SV("inf"), "");
    T_EXPECT_SV(sv_of(text, number_plain(-INFINITY, text)), SV("-inf"), "");
}
