#pragma once
/* Inside of the statistics registry, for the files of this folder that list and render it. Main
 * thread. */
#include "base/arena.h"
#include "base/map.h"
#include "proxy/observe/histogram.h"
#include "proxy/observe/stats.h"
#include "proxy/observe/tags.h"

struct stat_entry {
    stat_id id;
    uint8_t kind;                 /* enum stat_kind */
    uint8_t unit;                 /* enum stat_unit */
    const struct stat_tags *tags; /* NULL: not extracted yet */
    uint64_t base;                /* counter: its sum at the last reset */
    char *text;                   /* text readout; NULL: never set */
    size_t text_n;
    struct histogram *cumulative, *interval; /* histogram: NULL until something was merged */
    size_t n;
    char name[];
};

/* Growing array of entries, indexed by id where an id selects it. */
struct stat_list {
    struct stat_entry **v;
    size_t n, room;
};

struct stats {
    struct stat_shard *shards;
    unsigned n_shards;
    struct map *names;
    struct stat_list values, histograms, texts; /* index 0 of each is NULL: "no statistic" */
    struct arena *arena;                        /* tags */
    struct stat_tag fixed[STAT_TAGS_FIXED_MAX];
    size_t n_fixed;
    /* All entries, texts first, then values by name, then histograms by name; rebuilt when one was
     * added. */
    struct stat_entry **sorted;
    size_t n_sorted;
};

static inline struct sv stat_name(const struct stat_entry *e)
{
    return sv_of(e->name, e->n);
}

/* What /stats?usedonly shows: written at least once, or merged at least once. */
bool stat_is_used(const struct stats *s, const struct stat_entry *e);
/* Value of a counter or gauge. */
uint64_t stat_entry_value(const struct stats *s, const struct stat_entry *e);
/* s->sorted is up to date, or E_NOMEM. */
MUST enum err stats_sort(struct stats *s);
/* e->tags is set, or E_NOMEM. */
MUST enum err stat_tag_entry(struct stats *s, struct stat_entry *e);

struct stats_query;
/* True when the query wants the entry. */
bool stat_selected(const struct stats *s, const struct stats_query *q, const struct stat_entry *e);

/* A histogram's count per reported bound: values up to it, or between it and the bound before. */
void stat_buckets_count(const struct histogram *h, bool disjoint, uint64_t out[HIST_BUCKETS]);
/* Never NULL: an empty histogram for an entry that has recorded nothing. */
const struct histogram *stat_cumulative(const struct stat_entry *e);
const struct histogram *stat_interval(const struct stat_entry *e);
