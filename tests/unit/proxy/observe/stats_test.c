/* The registry: ids, shards, used marks, resets, flushes, and lack of memory. */
#include "proxy/observe/stats_int.h"
#include "tests/support/failmalloc.h"
#include "tests/support/t.h"
#include <pthread.h>
#include <stdio.h>

static stat_id counter(struct stats *s, const char *name)
{
    stat_id id = 0;
    T_EXPECT(stats_counter(s, sv_str(name), &id) == OK, "%s", name);
    return id;
}

static stat_id gauge(struct stats *s, const char *name)
{
    stat_id id = 0;
    T_EXPECT(stats_gauge(s, sv_str(name), &id) == OK, "%s", name);
    return id;
}

static bool used(const struct stats *s, stat_id id)
{
    return stat_is_used(s, s->values.v[id]);
}

T(stats, one_name_one_id)
{
    struct stats *s = stats_new(2);
    stat_id id, again, text;

    T_ASSERT(stats_counter(s, SV("a:b.c"), &id) == OK);
    T_EXPECT(id != 0);
    T_ASSERT(stats_counter(s, SV("a_b.c"), &again) == OK);
    T_EXPECT_EQ(again, id, "':' is stored as '_'");
    T_EXPECT_EQ(stats_gauge(s, SV("a_b.c"), &again), E_CONFLICT, "other kind");
    T_EXPECT_EQ(stats_histogram(s, SV("a_b.c"), STAT_UNIT_MS, &again), E_CONFLICT, "other kind");
    T_EXPECT_EQ(stats_text(s, SV("a_b.c"), &text), E_CONFLICT, "other kind");
    T_EXPECT_EQ(stats_counter(s, SV(""), &again), E_LIMIT, "empty");
    stats_free(&s);
    T_EXPECT(s == NULL);
}

T(stats, sums_shards)
{
    struct stats *s = stats_new(3);
    stat_id c = counter(s, "c"), g = gauge(s, "g");

    stat_add(stats_shard(s, 1), c, 5);
    stat_inc(stats_shard(s, 2), c);
    T_EXPECT_EQ(stats_value(s, c), 6, "counter");
    stat_inc(stats_shard(s, 1), g);
    stat_inc(stats_shard(s, 1), g);
    stat_dec(stats_shard(s, 2), g);
    T_EXPECT_EQ(stats_value(s, g), 1, "gauge over two shards");
    stat_dec(stats_shard(s, 2), g);
    stat_dec(stats_shard(s, 2), g);
    T_EXPECT_EQ(stats_value(s, g), 0, "less than nothing is nothing");
    stat_inc(stats_shard(s, 0), g);
    stat_inc(stats_shard(s, 0), g);
    T_EXPECT_EQ(stats_value(s, g), 1, "and comes back exact");
    T_EXPECT_EQ(stats_value(s, 0), 0, "no statistic");
    T_EXPECT_EQ(stats_value(s, 999), 0, "unknown");
    stats_free(&s);
}

T(stats, id_0_may_be_written)
{
    struct stats *s = stats_new(1);
    stat_inc(stats_shard(s, 0), 0);
    stat_record(stats_shard(s, 0), 0, 7);
    stats_flush(s);
    T_EXPECT_EQ(stats_value(s, 0), 0, "and is never read");
    stats_free(&s);
}

T(stats, used_means_written)
{
    struct stats *s = stats_new(2);
    stat_id c = counter(s, "c"), g = gauge(s, "g"), set = gauge(s, "set"),
            zero = counter(s, "zero");

    T_EXPECT(!used(s, c) && !used(s, g) && !used(s, set));
    stat_inc(stats_shard(s, 1), g);
    stat_dec(stats_shard(s, 1), g);
    T_EXPECT(used(s, g), "0 again, and still used");
    T_EXPECT_EQ(stats_value(s, g), 0, "0 again");
    stats_gauge_set(s, set, 0);
    T_EXPECT(used(s, set), "set to 0");
    stat_add(stats_shard(s, 0), zero, 0);
    T_EXPECT(used(s, zero), "added 0");
    stat_inc(stats_shard(s, 0), c);
    stats_reset_counters(s);
    T_EXPECT(used(s, c), "a reset does not unuse");
    stats_free(&s);
}

T(stats, reset_is_for_counters)
{
    struct stats *s = stats_new(2);
    stat_id c = counter(s, "c"), g = gauge(s, "g");

    stat_add(stats_shard(s, 1), c, 40);
    stats_gauge_set(s, g, 7);
    stats_reset_counters(s);
    T_EXPECT_EQ(stats_value(s, c), 0, "reset");
    T_EXPECT_EQ(stats_value(s, g), 7, "kept");
    stat_add(stats_shard(s, 1), c, 2);
    T_EXPECT_EQ(stats_value(s, c), 2, "counts on");
    stats_free(&s);
}

T(stats, gauge_set_replaces)
{
    struct stats *s = stats_new(2);
    stat_id g = gauge(s, "g");
    stats_gauge_set(s, g, 100);
    stats_gauge_set(s, g, 3);
    T_EXPECT_EQ(stats_value(s, g), 3, "");
    stats_free(&s);
}

T(stats, many_names_cross_pages)
{
    struct stats *s = stats_new(2);
    char name[32];
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "n%u", i);
        stat_id id = counter(s, name);
        stat_add(stats_shard(s, 1), id, i);
    }
    T_EXPECT_EQ(stats_value(s, counter(s, "n999")), 999, "last");
    T_EXPECT_EQ(stats_value(s, counter(s, "n0")), 0, "first");
    T_EXPECT_EQ(map_count(s->names), 1000, "count");
    stats_free(&s);
}

T(stats, histograms_are_merged_by_flush)
{
    struct stats *s = stats_new(3);
    stat_id h, other;
    T_ASSERT(stats_histogram(s, SV("h"), STAT_UNIT_MS, &h) == OK);
    T_ASSERT(stats_histogram(s, SV("other"), STAT_UNIT_MS, &other) == OK);
    const struct stat_entry *e = s->histograms.v[h];

    stat_record(stats_shard(s, 1), h, 12);
    T_EXPECT(!stat_is_used(s, e), "not before a flush");
    stats_flush(s);
    stat_record(stats_shard(s, 2), h, 700);
    stats_flush(s);
    T_EXPECT(stat_is_used(s, e) && !stat_is_used(s, s->histograms.v[other]));
    T_EXPECT_EQ(histogram_count(e->cumulative), 2, "both");
    T_EXPECT_EQ(histogram_count(e->interval), 1, "the last");
    stats_free(&s);
}

T(stats, text_readouts)
{
    struct stats *s = stats_new(1);
    stat_id t;
    T_ASSERT(stats_text(s, SV("t"), &t) == OK);
    T_EXPECT(!stat_is_used(s, s->texts.v[t]));
    stats_text_set(s, t, SV("one"));
    stats_text_set(s, t, SV("three"));
    T_EXPECT_SV(sv_of(s->texts.v[t]->text, s->texts.v[t]->text_n), SV("three"), "");
    failmalloc_at(1);
    stats_text_set(s, t, SV("four"));
    failmalloc_at(0);
    T_EXPECT_SV(sv_of(s->texts.v[t]->text, s->texts.v[t]->text_n), SV("three"),
                "kept without memory");
    stats_text_set(s, t, SV_NONE);
    T_EXPECT_EQ(s->texts.v[t]->text_n, 0, "empty");
    stats_text_set(s, 0, SV("x"));
    stats_text_set(s, 77, SV("x"));
    stats_free(&s);
}

T(stats, sorted_by_kind_and_bytes)
{
    struct stats *s = stats_new(1);
    stat_id id;
    static const char *const names[] = {"b", "aa_x", "aa.b.c", "aa-x", "aa+x", "Aa", "aa.b"};
    static const char *const want[] = {"t",      "Aa",   "aa+x", "aa-x", "aa.b",
                                       "aa.b.c", "aa_x", "b",    "g",    "h"};

    T_ASSERT(stats_histogram(s, SV("h"), STAT_UNIT_MS, &id) == OK);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        counter(s, names[i]);
    gauge(s, "g");
    T_ASSERT(stats_text(s, SV("t"), &id) == OK);
    T_ASSERT(stats_sort(s) == OK);
    T_ASSERT(s->n_sorted == ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        T_EXPECT_SV(stat_name(s->sorted[i]), sv_str(want[i]), "");
    stats_free(&s);
}

T(stats, fixed_tags_are_limited)
{
    struct stats *s = stats_new(1);
    for (unsigned i = 0; i < STAT_TAGS_FIXED_MAX; i++)
        T_EXPECT(stats_fixed_tag(s, SV("n"), SV("v")) == OK);
    T_EXPECT_EQ(stats_fixed_tag(s, SV("n"), SV("v")), E_LIMIT, "");
    stats_free(&s);
}

static enum err scenario(struct stats *s)
{
    stat_id c, g, h, t;
    TRY(stats_counter(s, SV("cluster.a.upstream_rq_200"), &c));
    TRY(stats_gauge(s, SV("g"), &g));
    TRY(stats_histogram(s, SV("h"), STAT_UNIT_MS, &h));
    TRY(stats_text(s, SV("t"), &t));
    stat_inc(stats_shard(s, 1), c);
    stat_record(stats_shard(s, 1), h, 100);
    stats_flush(s);
    TRY(stats_sort(s));
    return stat_tag_entry(s, s->values.v[c]);
}

/* Whatever allocation fails, the call says so, nothing leaks, and the next try works. */
T(stats, each_allocation_may_fail)
{
    for (size_t n = 1; n < 200; n++) {
        failmalloc_at(n);
        struct stats *s = stats_new(2);
        if (s == NULL)
            continue;
        enum err e = scenario(s);
        bool reached = failmalloc_count() >= n;
        failmalloc_at(0);
        T_EXPECT(e == OK || e == E_NOMEM, "%s", err_name(e));
        T_EXPECT(scenario(s) == OK, "after failure %zu", n);
        T_EXPECT(stats_value(s, 1) >= 1, "counted");
        stats_free(&s);
        if (!reached)
            return;
    }
    T_EXPECT(false, "the scenario never ran without a failure");
}

enum { ROUNDS = 20000 };
struct racer {
    struct stats *s;
    stat_id c, h;
    unsigned shard;
};

static void *race(void *arg)
{
    const struct racer *r = arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        stat_inc(stats_shard(r->s, r->shard), r->c);
        stat_record(stats_shard(r->s, r->shard), r->h, i);
    }
    return NULL;
}

/* Workers count while main registers, flushes and reads. */
T(stats, threads)
{
    struct stats *s = stats_new(3);
    struct racer r[2] = {
        {.s = s, .shard = 1},
        {.s = s, .shard = 2}
    };
    pthread_t thread[2];

    for (unsigned i = 0; i < 2; i++) {
        T_ASSERT(stats_counter(s, SV("c"), &r[i].c) == OK);
        T_ASSERT(stats_histogram(s, SV("h"), STAT_UNIT_MS, &r[i].h) == OK);
        T_ASSERT(pthread_create(&thread[i], NULL, race, &r[i]) == 0);
    }
    for (unsigned i = 0; i < 500; i++) {
        char name[32];
        snprintf(name, sizeof(name), "new%u", i);
        counter(s, name);
        stats_flush(s);
        T_EXPECT(stats_value(s, r[0].c) <= 2 * ROUNDS);
    }
    for (unsigned i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    stats_flush(s);
    T_EXPECT_EQ(stats_value(s, r[0].c), 2 * ROUNDS, "counter");
    T_EXPECT_EQ(histogram_count(s->histograms.v[r[0].h]->cumulative), 2 * ROUNDS, "histogram");
    stats_free(&s);
}
