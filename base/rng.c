/* xoshiro256** seeded through splitmix64, both as their authors published them. One owner thread
 * each. */
#include "base/rng.h"
#include "base/clock.h"
#include <string.h>
#include <sys/random.h>

static uint64_t splitmix(uint64_t *x)
{
    uint64_t z = *x += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void rng_seed(struct rng *r, uint64_t seed)
{
    /* splitmix64 never gives four zeros in a row, the one state that xoshiro cannot leave. */
    for (size_t i = 0; i < ARRAY_LEN(r->s); i++)
        r->s[i] = splitmix(&seed);
}

void rng_seed_os(struct rng *r)
{
    uint64_t raw[ARRAY_LEN(r->s)];

    /* Start from something that differs between processes, should getrandom be forbidden to us. */
    rng_seed(r, clock_wall_us(clock_system()) ^ (uint64_t)(uintptr_t)r);
    if (getrandom(raw, sizeof raw, 0) == (ssize_t)sizeof raw && (raw[0] | raw[1] | raw[2] | raw[3]))
        memcpy(r->s, raw, sizeof raw);
}

static uint64_t rotl(uint64_t x, unsigned k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t rng_u64(struct rng *r)
{
    uint64_t *s = r->s;
    uint64_t out = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return out;
}

uint64_t rng_below(struct rng *r, uint64_t bound)
{
    if (bound == 0)
        return 0;
    /* The high half of a product maps 64 random bits onto the range; the few low halves that would
     * make some results likelier are drawn again. */
    unsigned __int128 m = (unsigned __int128)rng_u64(r) * bound;
    if ((uint64_t)m < bound) {
        uint64_t reject = -bound % bound;
        while ((uint64_t)m < reject)
            m = (unsigned __int128)rng_u64(r) * bound;
    }
    return (uint64_t)(m >> 64);
}

void rng_uuid4(struct rng *r, char out[36])
{
    static const char digits[] = "0123456789abcdef";
    uint64_t hi = rng_u64(r), lo = rng_u64(r);

    /* RFC 9562 5.4: version 4 in bits 48-51, variant 10 in bits 64-65. */
    hi = (hi & ~(uint64_t)0xf000) | 0x4000;
    lo = (lo & ~((uint64_t)3 << 62)) | (uint64_t)2 << 62;
    size_t at = 0;
    for (unsigned i = 0; i < 32; i++) {
        uint64_t half = i < 16 ? hi : lo;
        if (i == 8 || i == 12 || i == 16 || i == 20)
            out[at++] = '-';
        out[at++] = digits[half >> (60 - 4 * (i % 16)) & 15];
    }
}
