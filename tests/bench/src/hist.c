/* Log-linear histogram: the top 7 bits of a value choose its bucket. */
#include "tests/bench/src/hist.h"

#define SUB_BITS 6
#define SUB (1 << SUB_BITS)

static uint64_t buckets[64 * SUB];
static uint64_t total;

void hist_add(uint64_t ns)
{
    uint64_t index = ns;

    if (ns >= SUB) {
        unsigned shift = 63u - (unsigned)__builtin_clzll(ns) - SUB_BITS;

        index = (uint64_t)(shift + 1) * SUB + ((ns >> shift) - SUB);
    }
    buckets[index]++;
    total++;
}

static double bucket_us(unsigned i)
{
    if (i < SUB)
        return i / 1e3;
    return (double)((uint64_t)(i % SUB + SUB) << (i / SUB - 1)) / 1e3;
}

double hist_us(double quantile)
{
    uint64_t want = (uint64_t)(quantile * (double)total), seen = 0;

    for (unsigned i = 0; i < 64 * SUB; i++) {
        seen += buckets[i];
        if (seen > want)
            return bucket_us(i);
    }
    return 0;
}
