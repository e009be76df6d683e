/* Hash map from byte strings to pointers; see map.h. One owner writes; reads change nothing.
 *
 * Entries stand in one array in the order of insertion; a removed one leaves a hole. A table of
 * slots, probed linearly, holds entry numbers. Rebuilding closes the holes:
 *
 *   slots   [ 0 ][ 3 ][ 0 ][ 1 ] ...      number + 1, 0 is free
 *                  |         |
 *   entries [ key a ][ hole ][ key c ] ...
 *
 * The hash is seeded per process, so that a peer cannot choose keys that collide. */
#include "base/map.h"
#include "base/rng.h"
#include <stdatomic.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct entry {
    char *key; /* own copy, NULL: a hole */
    size_t n;
    uint64_t hash;
    void *value;
};

struct map {
    struct entry *entries; /* one block with slots, which follow the entries */
    uint32_t *slots;
    size_t mask; /* slots - 1; 0 before the first insertion */
    size_t room; /* entries that fit before a rebuild */
    size_t used; /* entries, holes included */
    size_t live;
    uint64_t seed;
};

enum { SLOTS_MIN = 8 };
#define SLOTS_MAX ((size_t)1 << 31)

static uint64_t process_seed(void)
{
    static _Atomic uint64_t shared;
    uint64_t seed = atomic_load_explicit(&shared, memory_order_relaxed), none = 0;
    struct rng r;

    if (seed != 0)
        return seed;
    rng_seed_os(&r);
    seed = rng_u64(&r) | 1;
    /* Of several threads that come first, one wins and all use its seed. */
    return atomic_compare_exchange_strong(&shared, &none, seed) ? seed : none;
}

struct map *map_new(void)
{
    struct map *m = malloc(sizeof *m);
    if (m == NULL)
        return NULL;
    *m = (struct map){.seed = process_seed()};
    return m;
}

void map_free(struct map **map)
{
    struct map *m = *map;
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->used; i++)
        free(m->entries[i].key);
    free(m->entries);
    free(m);
    *map = NULL;
}

static uint64_t hash_key(const struct map *m, struct sv key)
{
    return XXH3_64bits_withSeed(key.n == 0 ? "" : key.p, key.n, m->seed);
}

static bool holds(const struct entry *e, uint64_t hash, struct sv key)
{
    return e->hash == hash && sv_eq(sv_of(e->key, e->n), key);
}

/* The slot of key, or SIZE_MAX. */
static size_t find_slot(const struct map *m, uint64_t hash, struct sv key)
{
    if (m->live == 0)
        return SIZE_MAX;
    for (size_t i = hash & m->mask; m->slots[i] != 0; i = (i + 1) & m->mask)
        if (holds(&m->entries[m->slots[i] - 1], hash, key))
            return i;
    return SIZE_MAX;
}

static struct entry *find_entry(const struct map *m, uint64_t hash, struct sv key)
{
    size_t slot = find_slot(m, hash, key);
    return slot == SIZE_MAX ? NULL : &m->entries[m->slots[slot] - 1];
}

static void fill_slot(struct map *m, size_t entry)
{
    size_t i = m->entries[entry].hash & m->mask;
    while (m->slots[i] != 0)
        i = (i + 1) & m->mask;
    m->slots[i] = (uint32_t)(entry + 1);
}

/* New arrays, at most half full once one more entry came, without holes. */
static enum err rebuild(struct map *m)
{
    size_t slots = SLOTS_MIN;
    while (slots < 2 * (m->live + 1))
        slots *= 2;
    if (slots > SLOTS_MAX)
        return E_NOMEM;

    size_t room = slots / 4 * 3;
    struct entry *fresh = malloc(room * sizeof *fresh + slots * sizeof *m->slots);
    if (fresh == NULL)
        return E_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < m->used; i++)
        if (m->entries[i].key != NULL)
            fresh[n++] = m->entries[i];
    free(m->entries);
    m->entries = fresh;
    m->slots = (uint32_t *)(void *)(fresh + room);
    m->mask = slots - 1;
    m->room = room;
    m->used = n;
    memset(m->slots, 0, slots * sizeof *m->slots);
    for (size_t i = 0; i < n; i++)
        fill_slot(m, i);
    return OK;
}

static enum err insert(struct map *m, uint64_t hash, struct sv key, void *value)
{
    if (m->used == m->room)
        TRY(rebuild(m));
    if (key.n == SIZE_MAX)
        return E_NOMEM;
    char *copy = malloc(key.n + 1);
    if (copy == NULL)
        return E_NOMEM;
    if (key.n != 0)
        memcpy(copy, key.p, key.n);
    copy[key.n] = '\0';
    m->entries[m->used] = (struct entry){.key = copy, .n = key.n, .hash = hash, .value = value};
    fill_slot(m, m->used);
    m->used++;
    m->live++;
    return OK;
}

enum err map_add(struct map *m, struct sv key, void *value)
{
    uint64_t hash = hash_key(m, key);
    if (find_entry(m, hash, key) != NULL)
        return E_CONFLICT;
    return insert(m, hash, key, value);
}

enum err map_set(struct map *m, struct sv key, void *value, void **old)
{
    uint64_t hash = hash_key(m, key);
    struct entry *e = find_entry(m, hash, key);
    void *former = NULL;

    if (e != NULL) {
        former = e->value;
        e->value = value;
    } else {
        TRY(insert(m, hash, key, value));
    }
    if (old != NULL)
        *old = former;
    return OK;
}

void *map_get(const struct map *m, struct sv key)
{
    const struct entry *e = find_entry(m, hash_key(m, key), key);
    return e == NULL ? NULL : e->value;
}

/* Frees slot i and moves later ones of its run back, so that no probe meets a gap before its entry.
 */
static void close_slot(struct map *m, size_t i)
{
    for (size_t j = (i + 1) & m->mask; m->slots[j] != 0; j = (j + 1) & m->mask) {
        size_t home = m->entries[m->slots[j] - 1].hash & m->mask;
        /* Only what would still be found from its home may move from j to i. */
        if (((j - home) & m->mask) >= ((j - i) & m->mask)) {
            m->slots[i] = m->slots[j];
            i = j;
        }
    }
    m->slots[i] = 0;
}

void *map_remove(struct map *m, struct sv key)
{
    size_t slot = find_slot(m, hash_key(m, key), key);
    if (slot == SIZE_MAX)
        return NULL;
    struct entry *e = &m->entries[m->slots[slot] - 1];
    void *value = e->value;

    close_slot(m, slot);
    free(e->key);
    e->key = NULL;
    m->live--;
    return value;
}

size_t map_count(const struct map *m)
{
    return m->live;
}

bool map_next(const struct map *m, size_t *at, struct sv *key, void **value)
{
    while (*at < m->used && m->entries[*at].key == NULL)
        ++*at;
    if (*at == m->used)
        return false;
    const struct entry *e = &m->entries[(*at)++];
    *key = sv_of(e->key, e->n);
    *value = e->value;
    return true;
}
