/* Log-linear histograms; see histogram.h. Workers record, main merges and reads. */
#include "proxy/observe/histogram.h"
#include <math.h>
#include <stdlib.h>

const double hist_quantiles[HIST_QUANTILES] = {0,    0.25, 0.5,   0.75,  0.9,
                                               0.95, 0.99, 0.995, 0.999, 1};
const double hist_bucket_bounds[HIST_BUCKETS] = {
    0.5,  1,    5,     10,    25,    50,     100,    250,     500,    1000,
    2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000};

static const double powers[HIST_DECADES + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,
                                                1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
                                                1e14, 1e15, 1e16, 1e17, 1e18, 1e19};

struct histogram *histogram_new(void)
{
    return calloc(1, sizeof(struct histogram));
}

void histogram_free(struct histogram **h)
{
    if (*h == NULL)
        return;
    for (unsigned d = 0; d < HIST_DECADES; d++)
        free((*h)->decades[d]);
    free(*h);
    *h = NULL;
}

static uint64_t load(const uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

/* The reader sees a block's counts only after the block's zeroes. */
static const uint64_t *load_block(const struct histogram *h, unsigned d)
{
    return __atomic_load_n(&h->decades[d], __ATOMIC_ACQUIRE);
}

static void count_one(uint64_t *p)
{
    __atomic_store_n(p, load(p) + 1, __ATOMIC_RELAXED);
}

void histogram_record(struct histogram *h, uint64_t value)
{
    unsigned d = 0;

    if (value < HIST_SMALL) {
        count_one(&h->small[value]);
        return;
    }
    for (; value >= 100; value /= 10)
        d++;
    uint64_t *block = h->decades[d];
    if (block == NULL) {
        block = calloc(HIST_BINS, sizeof(*block));
        if (block == NULL)
            return;
        __atomic_store_n(&h->decades[d], block, __ATOMIC_RELEASE);
    }
    count_one(&block[value - 10]);
}

/* One bin: total is what all shards hold now. */
static void merge_bin(uint64_t total, uint64_t *cumulative, uint64_t *interval)
{
    *interval = total - *cumulative;
    *cumulative = total;
}

static bool block_ready(struct histogram *h, unsigned d)
{
    if (h->decades[d] == NULL)
        h->decades[d] = calloc(HIST_BINS, sizeof(uint64_t));
    return h->decades[d] != NULL;
}

static void merge_block(const struct histogram *const *shards, size_t n, unsigned d,
                        struct histogram *cumulative, struct histogram *interval)
{
    uint64_t totals[HIST_BINS] = {0};
    bool any = false;

    for (size_t s = 0; s < n; s++) {
        const uint64_t *block = shards[s] == NULL ? NULL : load_block(shards[s], d);
        if (block == NULL)
            continue;
        any = true;
        for (unsigned i = 0; i < HIST_BINS; i++)
            totals[i] += load(&block[i]);
    }
    if (!any || !block_ready(cumulative, d) || !block_ready(interval, d))
        return;
    for (unsigned i = 0; i < HIST_BINS; i++)
        merge_bin(totals[i], &cumulative->decades[d][i], &interval->decades[d][i]);
}

void histogram_merge(const struct histogram *const *shards, size_t n, struct histogram *cumulative,
                     struct histogram *interval)
{
    for (unsigned i = 0; i < HIST_SMALL; i++) {
        uint64_t total = 0;
        for (size_t s = 0; s < n; s++)
            total += shards[s] == NULL ? 0 : load(&shards[s]->small[i]);
        merge_bin(total, &cumulative->small[i], &interval->small[i]);
    }
    for (unsigned d = 0; d < HIST_DECADES; d++)
        merge_block(shards, n, d, cumulative, interval);
}

/* The edges are computed as v/10 * 10^e, so that printed estimates agree with Envoy's to the last
 * digit. */
static void bin_edges(unsigned bin, struct hist_bin *out)
{
    if (bin < HIST_SMALL) {
        out->left = bin;
        out->width = bin == 0 ? 0 : 0.1;
        return;
    }
    unsigned d = (bin - HIST_SMALL) / HIST_BINS, v = 10 + (bin - HIST_SMALL) % HIST_BINS;
    out->left = v / 10.0 * powers[d + 1];
    out->width = powers[d + 1] / 10.0;
}

bool histogram_next(const struct histogram *h, unsigned *at, struct hist_bin *out)
{
    while (*at < HIST_SMALL + HIST_DECADES * HIST_BINS) {
        unsigned bin = *at;
        ++*at;
        out->count = 0;
        if (bin < HIST_SMALL) {
            out->count = load(&h->small[bin]);
        } else {
            unsigned block = (bin - HIST_SMALL) / HIST_BINS, i = (bin - HIST_SMALL) % HIST_BINS;
            const uint64_t *counts = load_block(h, block);
            if (counts == NULL)
                *at = HIST_SMALL + (block + 1) * HIST_BINS;
            else
                out->count = load(&counts[i]);
        }
        if (out->count != 0) {
            bin_edges(bin, out);
            return true;
        }
    }
    return false;
}

uint64_t histogram_count(const struct histogram *h)
{
    struct hist_bin b;
    uint64_t n = 0;
    for (unsigned at = 0; histogram_next(h, &at, &b);)
        n += b.count;
    return n;
}

double histogram_sum(const struct histogram *h)
{
    struct hist_bin b;
    double sum = 0;
    /* The harmonic mean of the edges errs least for values spread evenly by ratio. */
    for (unsigned at = 0; histogram_next(h, &at, &b);) {
        if (b.left > 0)
            sum += (b.left + b.width * (b.left / (2 * b.left + b.width))) * (double)b.count;
    }
    return sum;
}

/* Position of the value of rank `rank` among the count values of a bin. */
static double place_in_bin(const struct hist_bin *b, double rank)
{
    double k = ceil(rank);
    if (k < 1)
        k = 1;
    return b->left + b->width * (k / ((double)b->count + 1));
}

void histogram_estimate(const struct histogram *h, const double *q, size_t n, double *out)
{
    double total = (double)histogram_count(h), below = 0;
    struct hist_bin b = {0};
    unsigned at = 0;

    if (total == 0) {
        for (size_t i = 0; i < n; i++)
            out[i] = NAN;
        return;
    }
    histogram_next(h, &at, &b);
    for (size_t i = 0; i < n; i++) {
        double want = total * q[i];
        struct hist_bin next;
        while (below + (double)b.count < want && histogram_next(h, &at, &next)) {
            below += (double)b.count;
            b = next;
        }
        out[i] = place_in_bin(&b, want - below);
    }
}

uint64_t histogram_count_to(const struct histogram *h, double bound)
{
    struct hist_bin b;
    uint64_t n = 0;
    for (unsigned at = 0; histogram_next(h, &at, &b) && b.left <= bound;)
        n += b.count;
    return n;
}
