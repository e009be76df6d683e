/* Texts of durations and moments. */
#include "config/reflect/reflect_int.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "tests/unit/config/reflect_support.h"

T(reflect_wkt, durations)
{
    static const struct {
        const char *text, *printed; /* printed NULL: refused */
        int64_t seconds;
        int32_t nanos;
    } rows[] = {
        {"5s",                    "5s",             5,             0         },
        {"0s",                    "0s",             0,             0         },
        {"-0s",                   "0s",             0,             0         },
        {"00005s",                "5s",             5,             0         },
        {"1.5s",                  "1.500s",         1,             500000000 },
        {"-1.5s",                 "-1.500s",        -1,            -500000000},
        {"-0.5s",                 "-0.500s",        0,             -500000000},
        {"0.000001s",             "0.000001s",      0,             1000      },
        {"0.000000001s",          "0.000000001s",   0,             1         },
        {"0.123456789s",          "0.123456789s",   0,             123456789 },
        {"315576000000s",         "315576000000s",  315576000000,  0         },
        {"-315576000000s",        "-315576000000s", -315576000000, 0         },
        {"315576000001s",         NULL,             0,             0         },
        {"99999999999999999999s", NULL,             0,             0         },
        {"0.1234567891s",         NULL,             0,             0         },
        {".5s",                   NULL,             0,             0         },
        {"5.s",                   NULL,             0,             0         },
        {"5",                     NULL,             0,             0         },
        {"5S",                    NULL,             0,             0         },
        {"5m",                    NULL,             0,             0         },
        {"5ms",                   NULL,             0,             0         },
        {"1e3s",                  NULL,             0,             0         },
        {"+5s",                   NULL,             0,             0         },
        {"--5s",                  NULL,             0,             0         },
        {" 5s",                   NULL,             0,             0         },
        {"5s ",                   NULL,             0,             0         },
        {"s",                     NULL,             0,             0         },
        {"",                      NULL,             0,             0         },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        Google__Protobuf__Duration d = GOOGLE__PROTOBUF__DURATION__INIT;
        bool ok = duration_parse(sv_str(rows[i].text), &d.base);
        T_EXPECT_EQ(ok, rows[i].printed != NULL, rows[i].text);
        T_EXPECT_EQ(d.seconds, rows[i].seconds, rows[i].text);
        T_EXPECT_EQ(d.nanos, rows[i].nanos, rows[i].text);
        char text[TIME_TEXT];
        if (!ok)
            continue;
        T_EXPECT(duration_print(&d.base, text));
        T_EXPECT_SV(sv_str(text), sv_str(rows[i].printed), rows[i].text);
    }
}

T(reflect_wkt, durations_out_of_range)
{
    static const struct {
        int64_t seconds;
        int32_t nanos;
    } rows[] = {
        {5,            -5         },
        {-5,           5          },
        {0,            1000000000 },
        {0,            -1000000000},
        {315576000001, 0          },
        {INT64_MIN,    0          },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        Google__Protobuf__Duration d = GOOGLE__PROTOBUF__DURATION__INIT;
        char text[TIME_TEXT];
        d.seconds = rows[i].seconds;
        d.nanos = rows[i].nanos;
        T_EXPECT(!duration_print(&d.base, text), "row %zu", i);
    }
}

T(reflect_wkt, moments)
{
    static const struct {
        const char *text, *printed; /* printed NULL: refused */
        int64_t seconds;
        int32_t nanos;
    } rows[] = {

        ROW("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", 0, 0),
        ROW("1970-01-01T00:00:00.5Z", "1970-01-01T00:00:00.500Z", 0, 500000000),
        ROW("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z", -1, 0),
        ROW("2026-09-30T12:34:56.123456Z", "2026-09-30T12:34:56.123456Z", 1790771696, 123456000),
        ROW("2000-02-29T00:00:00Z", "2000-02-29T00:00:00Z", 951782400, 0),
        ROW("2000-03-01T00:00:00Z", "2000-03-01T00:00:00Z", 951868800, 0),
        ROW("2024-12-31T23:59:59Z", "2024-12-31T23:59:59Z", 1735689599, 0),
        ROW("2026-01-02T03:04:05+01:30", "2026-01-02T01:34:05Z", 1767317645, 0),
        ROW("2026-01-02T03:04:05-01:30", "2026-01-02T04:34:05Z", 1767328445, 0),
        ROW("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", -62135596800, 0),
        ROW("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z", 253402300799,
            999999999),
        ROW("0001-01-01T00:00:00+00:01", NULL, 0, 0),
        ROW("9999-12-31T23:59:59-00:01", NULL, 0, 0),
        ROW("0000-01-01T00:00:00Z", NULL, 0, 0),
        ROW("1900-02-29T00:00:00Z", NULL, 0, 0),
        ROW("2026-02-29T00:00:00Z", NULL, 0, 0),
        ROW("2026-13-01T00:00:00Z", NULL, 0, 0),
        ROW("2026-00-01T00:00:00Z", NULL, 0, 0),
        ROW("2026-01-32T00:00:00Z", NULL, 0, 0),
        ROW("2026-01-00T00:00:00Z", NULL, 0, 0),
        ROW("2026-01-01T24:00:00Z", NULL, 0, 0),
        ROW("2026-01-01T00:60:00Z", NULL, 0, 0),
        ROW("2026-01-01T00:00:60Z", NULL, 0, 0),
        ROW("2026-01-01T00:00:00", NULL, 0, 0),
        ROW("2026-01-01 00:00:00Z", NULL, 0, 0),
        ROW("2026-01-01T00:00:00.Z", NULL, 0, 0),
        ROW("2026-01-01T00:00:00.1234567890Z", NULL, 0, 0),
        ROW("2026-01-01T00:00:00+24:00", NULL, 0, 0),
        ROW("2026-01-01T00:00:00+01", NULL, 0, 0),
        ROW("2026-1-01T00:00:00Z", NULL, 0, 0),
        ROW("2026-01-01T00:00:00ZZ", NULL, 0, 0),
        ROW("", NULL, 0, 0),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        Google__Protobuf__Timestamp t = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
        bool ok = timestamp_parse(sv_str(rows[i].text), &t.base);
        T_EXPECT_EQ(ok, rows[i].printed != NULL, rows[i].text);
        T_EXPECT_EQ(t.seconds, rows[i].seconds, rows[i].text);
        T_EXPECT_EQ(t.nanos, rows[i].nanos, rows[i].text);
        char text[TIME_TEXT];
        if (!ok)
            continue;
        T_EXPECT(timestamp_print(&t.base, text));
        T_EXPECT_SV(sv_str(text), sv_str(rows[i].printed), rows[i].text);
    }
}

T(reflect_wkt, every_day_of_four_centuries)
{
    Google__Protobuf__Timestamp t = GOOGLE__PROTOBUF__TIMESTAMP__INIT, back = t;
    char text[TIME_TEXT];

    for (int64_t day = -200000; day < 200000; day++) {
        t.seconds = day * 86400 + 3599;
        bool ok = timestamp_print(&t.base, text) && timestamp_parse(sv_str(text), &back.base) &&
                  back.seconds == t.seconds;
        T_ASSERT(ok, "day %lld: %s", (long long)day, text);
    }
}
