/* Arenas: placement, the cap, pooled chunks without malloc, callbacks, and every allocation
 * failing. */
#include "base/arena.h"
#include "base/rng.h"
#include "tests/support/failmalloc.h"
#include "tests/support/t.h"
#include <stdalign.h>

T(arena, aligns_and_keeps_apart)
{
    enum { OBJECTS = 2000 };
    static unsigned char *at[OBJECTS];
    static size_t size[OBJECTS];
    struct rng r;
    struct arena *a = arena_new(1024, SIZE_MAX);

    T_ASSERT(a != NULL);
    rng_seed(&r, 5);
    for (size_t i = 0; i < OBJECTS; i++) {
        size_t align = (size_t)1 << rng_below(&r, 9);
        /* Some are larger than a chunk. */
        size[i] = rng_below(&r, i % 50 == 0 ? 5000 : 60);
        at[i] = arena_alloc(a, size[i], align);
        T_ASSERT(at[i] != NULL);
        T_EXPECT_EQ((uintptr_t)at[i] % align, 0, "alignment");
        memset(at[i], (int)(i % 251), size[i]);
    }
    for (size_t i = 0; i < OBJECTS; i++)
        for (size_t k = 0; k < size[i]; k++)
            T_ASSERT(at[i][k] == i % 251, "object %zu was overwritten", i);
    arena_free(&a);
    T_EXPECT(a == NULL);
    arena_free(&a);
}

T(arena, counts_what_it_hands_out)
{
    struct arena *a = arena_new(4096, SIZE_MAX);
    T_ASSERT(a != NULL);
    T_EXPECT_EQ(arena_used(a), 0, "new");
    T_ASSERT(arena_alloc(a, 3, 1) != NULL);
    T_EXPECT_EQ(arena_used(a), 3, "bytes");
    T_ASSERT(arena_alloc(a, 8, 8) != NULL);
    T_EXPECT(arena_used(a) >= 11 && arena_used(a) <= 18);
    char *p = arena_alloc(a, 0, 1), *q = arena_alloc(a, 0, 1);
    T_EXPECT(p != NULL && q != NULL && p != q, "empty objects are distinct");
    arena_free(&a);
}

static const struct {
    const char *name;
    size_t cap, n, align;
    bool fits;
} cap_rows[] = {
    {"whole cap",             100,      100,          1,  true },
    {"one too many",          100,      101,          1,  false},
    {"cap 0",                 0,        1,            1,  false},
    {"whole cap, own block",  10000,    10000,        1,  true },
    {"own block too large",   10000,    10001,        1,  false},
    {"absurd",                10000,    SIZE_MAX,     1,  false},
    {"wraps with alignment",  SIZE_MAX, SIZE_MAX - 8, 64, false},
    {"wraps with the header", SIZE_MAX, SIZE_MAX - 1, 1,  false},
};

T(arena, respects_the_cap)
{
    for (size_t i = 0; i < ARRAY_LEN(cap_rows); i++) {
        struct arena *a = arena_new(1024, cap_rows[i].cap);
        T_ASSERT(a != NULL);
        void *p = arena_alloc(a, cap_rows[i].n, cap_rows[i].align);
        T_EXPECT_EQ(p != NULL, cap_rows[i].fits, cap_rows[i].name);
        T_EXPECT_EQ(arena_used(a), p != NULL ? cap_rows[i].n : 0, cap_rows[i].name);
        arena_free(&a);
    }
}

T(arena, goes_on_below_the_cap_after_a_refusal)
{
    struct arena *a = arena_new(256, 1000);
    size_t got = 0;

    T_ASSERT(a != NULL);
    T_EXPECT(arena_alloc(a, 2000, 1) == NULL);
    while (arena_alloc(a, 10, 1) != NULL)
        got += 10;
    T_EXPECT_EQ(got, 1000, "in small pieces");
    T_EXPECT(arena_alloc(a, 1, 1) == NULL);
    T_EXPECT(arena_on_free(a, NULL, NULL) == E_NOMEM);
    arena_free(&a);
}

T(arena, counts_large_blocks_with_their_alignment)
{
    enum { BLOCK = 2000, TRIES = 4 };
    struct arena *free_one = arena_new(256, SIZE_MAX), *capped[TRIES];

    T_ASSERT(free_one != NULL);
    /* Blocks of one size do not all happen to begin on a page: some padding there is. */
    for (size_t i = 0; i < TRIES; i++) {
        capped[i] = arena_new(256, BLOCK);
        T_ASSERT(capped[i] != NULL);
        T_EXPECT(arena_alloc(free_one, BLOCK, 4096) != NULL);
        bool fits = arena_alloc(capped[i], BLOCK, 4096) != NULL;
        T_EXPECT_EQ(arena_used(capped[i]), fits ? BLOCK : 0, "within the cap");
    }
    T_EXPECT(arena_used(free_one) > TRIES * BLOCK);
    T_EXPECT(arena_used(free_one) < TRIES * (BLOCK + 4096));
    arena_free(&free_one);
    for (size_t i = 0; i < TRIES; i++)
        arena_free(&capped[i]);
}

T(arena, a_large_block_leaves_less_for_the_chunk)
{
    struct arena *a = arena_new(1024, 3000);
    size_t got = 2900;

    T_ASSERT(a != NULL);
    T_ASSERT(arena_alloc(a, got, 1) != NULL);
    while (got < 4000 && arena_alloc(a, 10, 1) != NULL)
        got += 10;
    T_EXPECT_EQ(got, 3000, "the cap");
    T_EXPECT_EQ(arena_used(a), 3000, "counted");
    arena_free(&a);
}

T(arena, zeroes_on_request)
{
    struct arena_pool *pool = arena_pool_new(1024, 4);
    T_ASSERT(pool != NULL);
    /* The second round gets the chunk that the first one filled with ones. */
    for (int round = 0; round < 2; round++) {
        struct arena *a = arena_new_pooled(pool, SIZE_MAX);
        T_ASSERT(a != NULL);
        uint64_t *v = ARENA_ARRAY(a, uint64_t, 20), *one = ARENA_NEW(a, uint64_t);
        T_ASSERT(v != NULL && one != NULL);
        T_EXPECT_EQ((uintptr_t)one % alignof(max_align_t), 0, "alignment");
        T_EXPECT_EQ(*one, 0, "one");
        for (size_t i = 0; i < 20; i++)
            T_EXPECT_EQ(v[i], 0, "array");
        T_EXPECT(arena_array(a, SIZE_MAX / 2, 3) == NULL, "product wraps");
        memset(v, 0xff, 20 * sizeof *v);
        *one = UINT64_MAX;
        arena_free(&a);
    }
    arena_pool_free(&pool);
    T_EXPECT(pool == NULL);
    arena_pool_free(&pool);
}

T(arena, pooled_needs_no_malloc_in_steady_state)
{
    struct arena_pool *pool = arena_pool_new(2048, 8);
    T_ASSERT(pool != NULL);
    for (int round = 0; round < 100; round++) {
        if (round == 1)
            failmalloc_at(0); /* counts from here */
        struct arena *a = arena_new_pooled(pool, 16384);
        T_ASSERT(a != NULL);
        for (int i = 0; i < 60; i++)
            T_ASSERT(arena_alloc(a, 100, 8) != NULL);
        arena_free(&a);
    }
    T_EXPECT_EQ(failmalloc_count(), 0, "allocations after the first round");
    arena_pool_free(&pool);
}

T(arena, pool_keeps_no_more_than_told)
{
    struct arena_pool *pool = arena_pool_new(1024, 1);
    struct arena *two[2];

    T_ASSERT(pool != NULL);
    for (int round = 0; round < 2; round++) {
        failmalloc_at(0);
        for (int i = 0; i < 2; i++) {
            two[i] = arena_new_pooled(pool, SIZE_MAX);
            T_ASSERT(two[i] != NULL);
        }
        T_EXPECT_EQ(failmalloc_count(), round == 0 ? 2 : 1, "chunks allocated");
        arena_free(&two[0]);
        arena_free(&two[1]);
    }
    arena_pool_free(&pool);
}

T(arena, copies_text)
{
    struct arena *a = arena_new(256, 600);
    T_ASSERT(a != NULL);
    struct sv s = arena_dup(a, SV("ab\0c")), none = arena_dup(a, SV_NONE);
    T_EXPECT_SV(s, SV("ab\0c"), "copy");
    T_EXPECT(s.p != NULL && s.p[s.n] == '\0');
    T_EXPECT(none.p != NULL && none.n == 0 && none.p[0] == '\0');
    T_EXPECT(arena_dup(a, sv_of("", SIZE_MAX)).p == NULL);
    T_EXPECT(arena_dup(a, sv_of("", SIZE_MAX - 1)).p == NULL);
    arena_free(&a);
}

T(arena, prints)
{
    static const int widths[] = {1, 10, 200, 100, 400, 20, 3};
    struct arena *a = arena_new(256, 2000);
    struct sv kept[ARRAY_LEN(widths)];

    T_ASSERT(a != NULL);
    for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
        kept[i] = arena_printf(a, "%*zu", widths[i], i);
        T_ASSERT(kept[i].p != NULL);
    }
    for (size_t i = 0; i < ARRAY_LEN(widths); i++) {
        T_EXPECT_EQ(kept[i].n, widths[i], "length");
        T_EXPECT_EQ(strlen(kept[i].p), widths[i], "NUL");
        T_EXPECT_EQ(kept[i].p[kept[i].n - 1], '0' + (int)i, "last character");
    }
    T_EXPECT_SV(arena_printf(a, "%s", ""), SV(""), "empty");
    size_t used = arena_used(a);
    T_EXPECT(arena_printf(a, "%*d", 3000, 1).p == NULL, "beyond the cap");
    T_EXPECT_EQ(arena_used(a), used, "nothing was taken");
    arena_free(&a);
}

static char order[8];

static void note(void *arg)
{
    size_t n = strlen(order);
    order[n] = *(const char *)arg;
}

static char *letter(struct arena *a, char c)
{
    char *p = ARENA_NEW(a, char);
    if (p != NULL)
        *p = c;
    return p;
}

T(arena, runs_callbacks_newest_first)
{
    struct arena *a = arena_new(256, SIZE_MAX);
    T_ASSERT(a != NULL);
    memset(order, 0, sizeof order);
    /* The arguments lie in the arena: they must still be there when the callbacks run. */
    T_EXPECT_EQ(arena_on_free(a, note, letter(a, '1')), OK, "1");
    T_EXPECT_EQ(arena_on_free(a, note, letter(a, '2')), OK, "2");
    T_ASSERT(arena_alloc(a, 1000, 1) != NULL);
    T_EXPECT_EQ(arena_on_free(a, note, letter(a, '3')), OK, "3");
    arena_free(&a);
    T_EXPECT_SV(sv_str(order), SV("321"), "order");
}

static void use_arena(struct arena *a, bool failing)
{
    static char mark[] = "x";
    struct sv text;
    bool registered = arena_on_free(a, note, mark) == OK;
    size_t used = 0;

    memset(order, 0, sizeof order);
    T_EXPECT(registered || failing);
    for (int i = 0; i < 6; i++) {
        size_t n = i == 3 ? 2000 : 150;
        char *p = arena_alloc(a, n, 16);
        T_EXPECT(p != NULL || failing);
        if (p == NULL)
            continue;
        memset(p, 1, n);
        used += n;
    }
    text = arena_printf(a, "%300d", 1);
    T_EXPECT(text.p != NULL || failing);
    T_EXPECT(arena_used(a) >= used);
    arena_free(&a);
    T_EXPECT_EQ(strlen(order), registered, "callbacks");
}

static void plain_scenario(bool failing)
{
    struct arena *a = arena_new(512, SIZE_MAX);
    T_EXPECT(a != NULL || failing);
    if (a != NULL)
        use_arena(a, failing);
}

static void pooled_scenario(bool failing)
{
    struct arena_pool *pool = arena_pool_new(512, 2);
    T_EXPECT(pool != NULL || failing);
    for (int round = 0; pool != NULL && round < 2; round++) {
        struct arena *a = arena_new_pooled(pool, SIZE_MAX);
        T_EXPECT(a != NULL || failing);
        if (a != NULL)
            use_arena(a, failing);
    }
    arena_pool_free(&pool);
}

T(arena, survives_each_failed_allocation)
{
    T_EXPECT(failmalloc_each(plain_scenario) >= 4);
    T_EXPECT(failmalloc_each(pooled_scenario) >= 5);
}
