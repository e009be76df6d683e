/* Hash map: its contract in stories, then a long random run against a plain array. */
#include "base/map.h"
#include "base/rng.h"
#include "tests/support/failmalloc.h"
#include "tests/support/t.h"
#include <stdio.h>

static int values[8];

T(map, adds_gets_and_removes)
{
    struct map *m = map_new();
    T_ASSERT(m != NULL);
    T_EXPECT_EQ(map_count(m), 0, "new");
    T_EXPECT(map_get(m, SV("a")) == NULL);
    T_EXPECT(map_remove(m, SV("a")) == NULL);
    T_EXPECT_EQ(map_add(m, SV("a"), &values[0]), OK, "a");
    T_EXPECT_EQ(map_add(m, SV("A"), &values[1]), OK, "A is another");
    T_EXPECT_EQ(map_add(m, SV(""), &values[2]), OK, "empty key");
    T_EXPECT_EQ(map_add(m, SV("a\0b"), &values[3]), OK, "key with NUL");
    T_EXPECT_EQ(map_add(m, SV("a"), &values[4]), E_CONFLICT, "twice");
    T_EXPECT_EQ(map_count(m), 4, "count");
    T_EXPECT(map_get(m, SV("a")) == &values[0], "the old value stays");
    T_EXPECT(map_get(m, SV("A")) == &values[1]);
    T_EXPECT(map_get(m, SV_NONE) == &values[2]);
    T_EXPECT(map_get(m, SV("a\0b")) == &values[3]);
    T_EXPECT(map_get(m, SV("a\0")) == NULL);
    T_EXPECT(map_remove(m, SV("a")) == &values[0]);
    T_EXPECT(map_remove(m, SV("a")) == NULL);
    T_EXPECT_EQ(map_count(m), 3, "one less");
    T_EXPECT_EQ(map_add(m, SV("a"), &values[5]), OK, "again");
    T_EXPECT(map_get(m, SV("a")) == &values[5]);
    map_free(&m);
    T_EXPECT(m == NULL);
    map_free(&m);
}

T(map, set_tells_the_old_value)
{
    struct map *m = map_new();
    void *old = &values[7];
    T_ASSERT(m != NULL);
    T_EXPECT_EQ(map_set(m, SV("k"), &values[0], &old), OK, "new");
    T_EXPECT(old == NULL);
    T_EXPECT_EQ(map_set(m, SV("k"), &values[1], &old), OK, "replaced");
    T_EXPECT(old == &values[0] && map_get(m, SV("k")) == &values[1]);
    T_EXPECT_EQ(map_set(m, SV("k"), &values[2], NULL), OK, "not asked");
    T_EXPECT_EQ(map_count(m), 1, "count");
    map_free(&m);
}

T(map, copies_keys)
{
    char key[] = "key";
    struct map *m = map_new();
    T_ASSERT(m != NULL);
    T_EXPECT_EQ(map_add(m, sv_str(key), &values[0]), OK, "add");
    key[0] = 'X';
    T_EXPECT(map_get(m, SV("key")) == &values[0]);
    map_free(&m);
}

/* All keys in the order of iteration, with spaces. */
static void list_keys(const struct map *m, char *out, size_t room)
{
    size_t at = 0, n = 0;
    struct sv key;
    void *value;

    out[0] = '\0';
    while (map_next(m, &at, &key, &value) && n + key.n + 2 < room)
        n += (size_t)snprintf(out + n, room - n, "%.*s ", SVF(key));
    T_EXPECT(!map_next(m, &at, &key, &value), "stays at the end");
}

T(map, iterates_in_order_of_insertion)
{
    static const char letters[] = "qwertyuiopasdfghjklzxcvbnm";
    struct map *m = map_new();
    char text[128];

    T_ASSERT(m != NULL);
    list_keys(m, text, sizeof text);
    T_EXPECT_SV(sv_str(text), SV(""), "new");
    for (size_t i = 0; i < 26; i++)
        T_EXPECT_EQ(map_add(m, sv_of(letters + i, 1), &values[0]), OK, "add");
    list_keys(m, text, sizeof text);
    T_EXPECT_SV(sv_str(text), SV("q w e r t y u i o p a s d f g h j k l z x c v b n m "), "all");
    for (size_t i = 0; i < 26; i += 2)
        T_EXPECT(map_remove(m, sv_of(letters + i, 1)) != NULL);
    T_EXPECT_EQ(map_add(m, SV("q"), &values[1]), OK, "comes last");
    T_EXPECT_EQ(map_set(m, SV("w"), &values[1], NULL), OK, "keeps its place");
    list_keys(m, text, sizeof text);
    T_EXPECT_SV(sv_str(text), SV("w r y i p s f h k z c b m q "), "after removal");
    map_free(&m);
}

/* A model: for each number whether it is in the map, with what, and when it was put in. */
enum { KEYS = 600, STEPS = 60000 };
static struct {
    size_t value; /* 0: absent */
    size_t since;
} model[KEYS];

static struct sv key_of(size_t i, char room[16])
{
    return sv_of(room, (size_t)snprintf(room, 16, "key-%zu", i));
}

static void check_order(const struct map *m)
{
    size_t at = 0, seen = 0, last = 0;
    struct sv key;
    void *value;

    while (map_next(m, &at, &key, &value)) {
        uint64_t i = 0;
        T_ASSERT(sv_u64(sv_skip(key, 4), &i) == OK && i < KEYS);
        T_ASSERT(model[i].value == (uintptr_t)value && model[i].since > last, "at %.*s", SVF(key));
        last = model[i].since;
        seen++;
    }
    T_EXPECT_EQ(seen, map_count(m), "iterated");
}

static bool random_step(struct map *m, struct rng *r, size_t step)
{
    char room[16];
    size_t i = rng_below(r, KEYS);
    struct sv key = key_of(i, room);
    /* Waves of growth and decline: the map is emptied and filled several times. */
    bool growing = step / 5000 % 2 == 0;

    if (rng_below(r, 10) < (growing ? 7 : 2)) {
        bool absent = model[i].value == 0;
        enum err e = map_add(m, key, (void *)(uintptr_t)step);
        if (e != (absent ? OK : E_CONFLICT))
            return false;
        if (absent) {
            model[i].value = step;
            model[i].since = step;
        }
        return true;
    }
    bool right = (uintptr_t)map_remove(m, key) == model[i].value;
    model[i].value = 0;
    return right;
}

T(map, behaves_like_an_array)
{
    struct map *m = map_new();
    struct rng r;
    char room[16];

    T_ASSERT(m != NULL);
    memset(model, 0, sizeof model);
    rng_seed(&r, 2024);
    for (size_t step = 1; step <= STEPS; step++) {
        T_ASSERT(random_step(m, &r, step), "step %zu", step);
        if (step % 1000 != 0)
            continue;
        for (size_t i = 0; i < KEYS; i++)
            T_ASSERT((uintptr_t)map_get(m, key_of(i, room)) == model[i].value, "key %zu", i);
        check_order(m);
    }
    map_free(&m);
}

static void scenario(bool failing)
{
    struct map *m = map_new();
    char room[16];
    size_t in = 0;

    T_EXPECT(m != NULL || failing);
    if (m == NULL)
        return;
    for (size_t i = 0; i < 40; i++) {
        enum err e = map_add(m, key_of(i, room), &values[0]);
        T_EXPECT(e == OK || (failing && e == E_NOMEM));
        in += e == OK;
        T_EXPECT_EQ(map_get(m, key_of(i, room)) != NULL, e == OK, "added");
    }
    void *old = &values[1];
    enum err e = map_set(m, SV("other"), &values[0], &old);
    T_EXPECT(e == OK || (failing && e == E_NOMEM));
    T_EXPECT(old == (e == OK ? NULL : &values[1]), "written only on OK");
    in += e == OK;
    T_EXPECT_EQ(map_count(m), in, "count");
    map_free(&m);
}

T(map, survives_each_failed_allocation)
{
    T_EXPECT(failmalloc_each(scenario) > 40);
}
