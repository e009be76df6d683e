/* Histograms: bins, merging, and estimates against hand-computed values and against what a real
 * Envoy 1.40 printed for the same values. */
#include "proxy/observe/histogram.h"
#include "proxy/observe/number.h"
#include "tests/support/failmalloc.h"
#include "tests/support/t.h"
#include <math.h>
#include <stdio.h>

/* Body sizes sent through a real Envoy, and its quantiles and sum of them. */
static const uint64_t seen_small[] = {0,   1,   2,   5,   9,   10,  11,   15,   99,    100,
                                      101, 109, 110, 250, 255, 999, 1000, 1001, 12345, 100000};
static const uint64_t seen_large[] = {
    48,    6,     2425,  2,     611,   79,    2,     435,    1,      179,   2,    2,      161,
    19935, 4,     14,    1830,  84739, 1002,  115,   119268, 1,      29109, 32,   5,      4,
    40,    17533, 8,     1057,  2100,  86,    705,   2,      2,      11,    3452, 167,    43,
    1108,  227,   36,    13513, 4312,  18,    970,   538,    35539,  6210,  31,   124999, 4,
    149,   8652,  6,     348,   1,     2983,  9457,  954,    35684,  42,    4126, 1232,   1036,
    235,   23325, 81722, 291,   2841,  2,     4443,  2317,   145914, 18793, 30,   101,    2999,
    1,     251,   7,     4,     2,     9881,  4,     19,     107,    33993, 2,    216,    719,
    39227, 18207, 31097, 28,    144,   73,    39609, 95543,  6,      8,     16,   16,     332,
    1157,  23,    1,     150,   83,    880,   90387, 3895,   479,    1627,  3282, 1,      47596,
    11372, 35275, 14090, 109,   118,   3,     1987,  2,      2,      12,    6,    58,     1,
    1,     6,     3,     77,    1,     35198, 1560};

static struct histogram *filled(const uint64_t *v, size_t n)
{
    struct histogram *h = histogram_new();
    for (size_t i = 0; i < n; i++)
        histogram_record(h, v[i]);
    return h;
}

static void expect_quantiles(const struct histogram *h, const char *const want[HIST_QUANTILES])
{
    double q[HIST_QUANTILES];
    char text[NUMBER_TEXT_MAX];

    histogram_estimate(h, hist_quantiles, HIST_QUANTILES, q);
    for (unsigned i = 0; i < HIST_QUANTILES; i++) {
        number_plain(q[i], text);
        T_EXPECT_SV(sv_str(text), sv_str(want[i]), "quantile");
    }
}

static void expect_sum(const struct histogram *h, const char *want)
{
    char text[64];
    snprintf(text, sizeof(text), "%.32g", histogram_sum(h));
    T_EXPECT_SV(sv_str(text), sv_str(want), "sum");
}

T(histogram, bins_have_two_digits)
{
    static const struct {
        uint64_t value;
        double left, width;
    } rows[] = {
        {0,          0,      0   },
        {1,          1,      0.1 },
        {9,          9,      0.1 },
        {10,         10,     1   },
        {99,         99,     1   },
        {100,        100,    10  },
        {109,        100,    10  },
        {255,        250,    10  },
        {999,        990,    10  },
        {12345,      12000,  1000},
        {UINT64_MAX, 1.8e19, 1e18},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct hist_bin b;
        unsigned at = 0;
        struct histogram *h = filled(&rows[i].value, 1);
        T_ASSERT(histogram_next(h, &at, &b));
        T_EXPECT(b.left == rows[i].left, "row %zu: left %g", i, b.left);
        T_EXPECT(b.width == rows[i].width, "row %zu: width %g", i, b.width);
        T_EXPECT_EQ(b.count, 1, "count");
        T_EXPECT(!histogram_next(h, &at, &b));
        histogram_free(&h);
        T_EXPECT(h == NULL);
    }
}

T(histogram, empty_has_no_quantiles)
{
    static const char *const nan[HIST_QUANTILES] = {"nan", "nan", "nan", "nan", "nan",
                                                    "nan", "nan", "nan", "nan", "nan"};
    struct histogram *h = histogram_new();
    expect_quantiles(h, nan);
    T_EXPECT_EQ(histogram_count(h), 0, "count");
    T_EXPECT(histogram_sum(h) == 0);
    histogram_free(&h);
}

/* One value lies in the middle of its bin, two at its thirds. */
T(histogram, hand_computed)
{
    static const uint64_t one[] = {15}, two[] = {20, 20};
    double q[3] = {0, 0.5, 1}, out[3];

    struct histogram *h = filled(one, 1);
    histogram_estimate(h, q, 3, out);
    T_EXPECT(out[0] == 15.5 && out[1] == 15.5 && out[2] == 15.5);
    histogram_free(&h);

    h = filled(two, 2);
    histogram_estimate(h, q, 3, out);
    T_EXPECT(fabs(out[0] - (20 + 1.0 / 3)) < 1e-12 && out[1] == out[0]);
    T_EXPECT(fabs(out[2] - (20 + 2.0 / 3)) < 1e-12);
    /* 2ab/(a+b) of 20 and 21, twice */
    T_EXPECT(fabs(histogram_sum(h) - 2 * (2 * 20.0 * 21.0 / 41.0)) < 1e-9);
    histogram_free(&h);
}

T(histogram, agrees_with_envoy)
{
    static const char *const small[HIST_QUANTILES] = {
        "0",      "9.05",   "102.5", "256.6666666666667", "1066.6666666666667", "12500", "105000",
        "105000", "105000", "105000"};
    static const char *const large[HIST_QUANTILES] = {"1.01",
                                                      "8.033333333333333",
                                                      "166.66666666666666",
                                                      "3250",
                                                      "35200",
                                                      "81500",
                                                      "125000",
                                                      "145000",
                                                      "145000",
                                                      "145000"};
    static const uint64_t to[HIST_BUCKETS] = {0,  9,   28,  36,  44,  53,  62,  74,  79, 89,
                                              99, 108, 112, 121, 130, 137, 137, 137, 137};

    struct histogram *h = filled(seen_small, ARRAY_LEN(seen_small));
    expect_quantiles(h, small);
    expect_sum(h, "121425.12141405821603257209062576");
    histogram_free(&h);

    h = filled(seen_large, ARRAY_LEN(seen_large));
    expect_quantiles(h, large);
    expect_sum(h, "1334011.3286705100908875465393066");
    T_EXPECT_EQ(histogram_count(h), 137, "count");
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        T_EXPECT_EQ(histogram_count_to(h, hist_bucket_bounds[i]), to[i], "bucket");
    histogram_free(&h);
}

T(histogram, merge_splits_interval_from_cumulative)
{
    struct histogram *a = histogram_new(), *cumulative = histogram_new(),
                     *interval = histogram_new();
    const struct histogram *shards[3] = {a, NULL, NULL};

    histogram_record(a, 3);
    histogram_record(a, 500);
    histogram_merge(shards, 3, cumulative, interval);
    T_EXPECT_EQ(histogram_count(cumulative), 2, "first cumulative");
    T_EXPECT_EQ(histogram_count(interval), 2, "first interval");

    struct histogram *b = histogram_new();
    shards[2] = b;
    histogram_record(b, 500);
    histogram_merge(shards, 3, cumulative, interval);
    T_EXPECT_EQ(histogram_count(cumulative), 3, "second cumulative");
    T_EXPECT_EQ(histogram_count(interval), 1, "second interval");
    T_EXPECT_EQ(histogram_count_to(interval, 499), 0, "the small value is old");

    histogram_merge(shards, 3, cumulative, interval);
    T_EXPECT_EQ(histogram_count(cumulative), 3, "third cumulative");
    T_EXPECT_EQ(histogram_count(interval), 0, "third interval");
    histogram_free(&a);
    histogram_free(&b);
    histogram_free(&cumulative);
    histogram_free(&interval);
}

/* A merge that finds no memory loses nothing: the next one brings it. */
T(histogram, merge_survives_lack_of_memory)
{
    for (size_t fail = 1; fail <= 2; fail++) {
        struct histogram *a = histogram_new(), *cumulative = histogram_new(),
                         *interval = histogram_new();
        const struct histogram *shards[1] = {a};
        histogram_record(a, 77);
        failmalloc_at(fail);
        histogram_merge(shards, 1, cumulative, interval);
        T_EXPECT_EQ(histogram_count(cumulative), 0, "nothing merged");
        failmalloc_at(0);
        histogram_merge(shards, 1, cumulative, interval);
        T_EXPECT_EQ(histogram_count(cumulative), 1, "merged later");
        T_EXPECT_EQ(histogram_count(interval), 1, "in that interval");
        histogram_free(&a);
        histogram_free(&cumulative);
        histogram_free(&interval);
    }
}

T(histogram, record_without_memory_loses_the_value_only)
{
    struct histogram *h = histogram_new();
    failmalloc_at(1);
    histogram_record(h, 40);
    failmalloc_at(0);
    histogram_record(h, 4);
    histogram_record(h, 41);
    T_EXPECT_EQ(histogram_count(h), 2, "count");
    histogram_free(&h);
    failmalloc_at(1);
    T_EXPECT(histogram_new() == NULL);
    failmalloc_at(0);
}
