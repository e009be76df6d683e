#pragma once
/* Statistics: names registered once on the main thread, values kept per thread in shards that only
 * their owner writes, summed when somebody looks.
 *
 * A shard's values are one reserved range of memory of which only the touched pages exist, so a
 * value never moves and a worker may add while main registers more names. */
#include "base/sv.h"

typedef uint32_t stat_id; /* 0 is valid and never read: "no statistic" */
enum { STAT_PAGE_BITS = 8, STAT_PAGE = 1 << STAT_PAGE_BITS, STAT_PAGES_MAX = 4096 };

struct histogram; /* histogram.h; created by its shard's owner at the first record */

/* Set in a shard's value by the first write, so that "used" means what it does in Envoy: written,
 * even if the value is 0 again. The value itself is the low 63 bits, two's complement. */
#define STAT_USED (UINT64_C(1) << 63)

struct stat_shard {
    uint64_t *values;                                   /* counters and gauges, by id */
    struct histogram **hist_pages[STAT_PAGES_MAX / 16]; /* histograms have ids of their own */
};

enum stat_kind { STAT_COUNTER, STAT_GAUGE, STAT_TEXT, STAT_HISTOGRAM };
enum stat_unit { STAT_UNIT_NONE, STAT_UNIT_MS, STAT_UNIT_BYTES, STAT_UNIT_PERCENT };

struct stats;
/* shards: 1 for main + one per worker. NULL: no memory. */
struct stats *stats_new(unsigned shards);
void stats_free(struct stats **s);
/* Shard 0 is main's. */
struct stat_shard *stats_shard(struct stats *s, unsigned i);

/* Registration: main thread only. The same name gives the same id; E_CONFLICT if it has another
 * kind.
 * ':' in a name is stored as '_'. E_LIMIT when the table is full. */
MUST enum err stats_counter(struct stats *s, struct sv name, stat_id *out);
MUST enum err stats_gauge(struct stats *s, struct sv name, stat_id *out);
MUST enum err stats_histogram(struct stats *s, struct sv name, enum stat_unit unit, stat_id *out);
MUST enum err stats_text(struct stats *s, struct sv name, stat_id *out);
void stats_text_set(struct stats *s, stat_id id,
                    struct sv value); /* main; copied, kept as it was without memory */
/* A tag of a fixed value on every Prometheus series (stats_config.stats_tags). Main, before the
 * first scrape. */
MUST enum err stats_fixed_tag(struct stats *s, struct sv name, struct sv value);

static inline void stat_add(struct stat_shard *sh, stat_id id, uint64_t n)
{
    uint64_t *v = &sh->values[id];
    /* One writer per shard; relaxed so that the scraping thread reads whole values. */
    __atomic_store_n(v, (__atomic_load_n(v, __ATOMIC_RELAXED) + n) | STAT_USED, __ATOMIC_RELAXED);
}
static inline void stat_inc(struct stat_shard *sh, stat_id id)
{
    stat_add(sh, id, 1);
}
static inline void stat_dec(struct stat_shard *sh, stat_id id) /* gauges */
{
    stat_add(sh, id, UINT64_MAX);
}
/* Main's gauges that are set, not counted. */
void stats_gauge_set(struct stats *s, stat_id id, uint64_t value);
/* Records one value (already in the unit) in the owner's shard; lost silently only without memory.
 */
void stat_record(struct stat_shard *sh, stat_id histogram, uint64_t value);

/* Sum over shards of a counter (since the last reset) or a gauge. */
uint64_t stats_value(const struct stats *s, stat_id id);

/* Main, every stats_flush_interval: merges the shards' histograms. What was recorded since the last
 * flush is the interval, all of it the cumulative part of what is then rendered. */
void stats_flush(struct stats *s);
/* Main: every counter starts again at 0 (/reset_counters). Histograms and gauges stay, as in Envoy.
 */
void stats_reset_counters(struct stats *s);
