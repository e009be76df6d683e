/* The generator against values computed once from the authors' description, its range and its
 * spread. */
#include "base/rng.h"
#include "tests/support/t.h"

T(rng, follows_the_published_algorithm)
{
    struct rng r = {
        .s = {1, 2, 3, 4}
    };
    static const uint64_t want[] = {11520, 0, 1509978240, 1215971899390074240};
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        T_EXPECT_EQ(rng_u64(&r), want[i], "xoshiro256**");
    /* splitmix64 of seed 0, its first output. */
    rng_seed(&r, 0);
    T_EXPECT(r.s[0] == 0xe220a8397b1dcdaf, "splitmix64");
}

T(rng, same_seed_same_numbers)
{
    struct rng a, b, c;
    size_t differ = 0;
    rng_seed(&a, 42);
    rng_seed(&b, 42);
    rng_seed(&c, 43);
    for (int i = 0; i < 100; i++) {
        uint64_t v = rng_u64(&a);
        T_EXPECT(v == rng_u64(&b));
        differ += v != rng_u64(&c);
    }
    T_EXPECT_EQ(differ, 100, "another seed");
}

T(rng, os_seeds_differ)
{
    struct rng a, b;
    rng_seed_os(&a);
    rng_seed_os(&b);
    T_EXPECT(rng_u64(&a) != rng_u64(&b) || rng_u64(&a) != rng_u64(&b));
}

T(rng, below_stays_below)
{
    static const uint64_t bounds[] = {
        1, 2, 3, 10, 1000, (uint64_t)1 << 63, ((uint64_t)1 << 63) + 1, UINT64_MAX};
    struct rng r;
    rng_seed(&r, 7);
    T_EXPECT_EQ(rng_below(&r, 0), 0, "bound 0");
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
        for (int k = 0; k < 1000; k++)
            T_ASSERT(rng_below(&r, bounds[i]) < bounds[i]);
}

T(rng, below_is_even)
{
    enum { BOUND = 7, DRAWS = 70000 };
    unsigned seen[BOUND] = {0};
    struct rng r;
    rng_seed(&r, 1);
    for (int i = 0; i < DRAWS; i++)
        seen[rng_below(&r, BOUND)]++;
    /* 10000 expected, standard deviation 93; the seed is fixed, so this never flickers. */
    for (int i = 0; i < BOUND; i++)
        T_EXPECT(seen[i] > 9500 && seen[i] < 10500, "%d: %u times", i, seen[i]);
}

T(rng, below_is_even_for_large_bounds)
{
    enum { DRAWS = 30000 };
    unsigned thirds = 0;
    struct rng r;
    rng_seed(&r, 3);
    /* Scaling 2^64 numbers onto 3 * 2^62 hits every third result twice, unless some are drawn
     * again. */
    for (int i = 0; i < DRAWS; i++)
        thirds += rng_below(&r, (uint64_t)3 << 62) % 3 == 0;
    T_EXPECT(thirds > 9500 && thirds < 10500, "%u of %d", thirds, DRAWS);
}

T(rng, uuids_have_their_form)
{
    struct rng r;
    char last[36] = "", uuid[37];
    rng_seed(&r, 99);
    for (int i = 0; i < 1000; i++) {
        uuid[36] = '!';
        rng_uuid4(&r, uuid);
        T_ASSERT(uuid[36] == '!', "wrote too far");
        for (int k = 0; k < 36; k++) {
            const char *allowed = k == 8 || k == 13 || k == 18 || k == 23 ? "-"
                                  : k == 14                               ? "4"
                                  : k == 19                               ? "89ab"
                                                                          : "0123456789abcdef";
            T_ASSERT(memchr(allowed, uuid[k], strlen(allowed)) != NULL, "%.36s at %d", uuid, k);
        }
        T_ASSERT(memcmp(last, uuid, 36) != 0);
        memcpy(last, uuid, 36);
    }
}
