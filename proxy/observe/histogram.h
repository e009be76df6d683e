#pragma once
/* Histograms with log-linear bins of two significant decimal digits: 0, 1 .. 9, 10 .. 99, 100 ..
 * 990 in steps of 10, and so on, as Envoy's have. A bin is never wider than a tenth of its values.
 *
 * One thread records; any thread may read while it does, whole counts each, not one instant. Memory
 * grows by a block of 90 counts for each power of ten that occurs. */
#include "base/err.h"
#include <stdbool.h>

enum {
    HIST_SMALL = 10,     /* values below ten have a bin each */
    HIST_BINS = 90,      /* per power of ten */
    HIST_DECADES = 19,   /* 10^1 .. 10^19, the range of uint64_t */
    HIST_QUANTILES = 10, /* those that are reported */
    HIST_BUCKETS = 19,   /* upper bounds that are reported */
};

struct histogram {
    uint64_t small[HIST_SMALL];
    uint64_t *decades[HIST_DECADES]; /* HIST_BINS counts each, or NULL */
};

/* 0, 0.25 .. 1, and Envoy's default bucket bounds. */
extern const double hist_quantiles[HIST_QUANTILES];
extern const double hist_bucket_bounds[HIST_BUCKETS];

MUST struct histogram *histogram_new(void); /* empty; NULL: no memory */
void histogram_free(struct histogram **h);
/* Owner. Lost when a block is needed and there is no memory for it. */
void histogram_record(struct histogram *h, uint64_t value);

/* Reads the sum of n shards (any of which may be NULL) and makes it the cumulative part; what it
 * has more than before is the interval. cumulative and interval are the caller's. Blocks for which
 * there is no memory wait for the next merge. */
void histogram_merge(const struct histogram *const *shards, size_t n, struct histogram *cumulative,
                     struct histogram *interval);

struct hist_bin {
    double left, width;
    uint64_t count;
};
/* Non-empty bins, ascending: start with *at = 0; false at the end. */
bool histogram_next(const struct histogram *h, unsigned *at, struct hist_bin *out);

uint64_t histogram_count(const struct histogram *h);
/* Estimated from the bins' middles. */
double histogram_sum(const struct histogram *h);
/* The n ascending quantiles q of 0..1; NaN when empty. The k-th of c values in a bin is taken to
 * lie at k/(c+1) of its width. */
void histogram_estimate(const struct histogram *h, const double *q, size_t n, double *out);
/* How many values lie in bins that begin at or below bound. */
uint64_t histogram_count_to(const struct histogram *h, double bound);
