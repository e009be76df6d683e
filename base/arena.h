#pragma once
/* Bump allocator with a hard cap: the memory of one stream, one snapshot, one parse.
 * Nothing in it is freed singly. Not thread-safe: one owner at a time.
 *
 * Chunks of the arena's chunk size may come from a free list (struct arena_pool), so that opening
 * and resetting a stream's arena calls no malloc in steady state. */
#include "base/sv.h"

struct arena;
struct arena_pool;

/* A free list of chunks of one size, for one thread. keep_max: chunks kept at most. */
struct arena_pool *arena_pool_new(size_t chunk_bytes, size_t keep_max);
void arena_pool_free(struct arena_pool **p); /* every arena on it must be gone */

/* chunk: bytes asked for at a time; cap: bytes in all, the flood limit (SIZE_MAX: none). NULL: no
 * memory. */
struct arena *arena_new(size_t chunk, size_t cap);
/* The same over a pool; the arena header lives in the first chunk. NULL: no memory. */
struct arena *arena_new_pooled(struct arena_pool *pool, size_t cap);
/* Runs the on_free callbacks, newest first, then releases everything. Accepts NULL inside. */
void arena_free(struct arena **a);

/* The first member of struct arena, shown so that the common case of arena_alloc needs no call. */
struct arena_front {
    char *at, *end; /* what is left of the current chunk, within the cap */
};
void *arena_alloc_slow(struct arena *a, size_t n, size_t align);

/* NULL at the cap or without memory, with the arena as it was. What does not fit the rest of a
 * chunk leaves that rest unused; what is larger than a chunk gets a block of its own. align: power
 * of two. Contents are not zeroed. */
MUST static inline void *arena_alloc(struct arena *a, size_t n, size_t align)
{
    struct arena_front *f = (struct arena_front *)(void *)a;
    size_t room = (size_t)(f->end - f->at), pad = (size_t)(-(uintptr_t)f->at & (align - 1));
    n += n == 0; /* distinct objects have distinct addresses */
    if (LIKELY(n <= room && pad <= room - n)) {
        char *p = f->at + pad;
        f->at = p + n;
        return p;
    }
    return arena_alloc_slow(a, n, align);
}
/* Zeroed, aligned for any object. */
MUST void *arena_zalloc(struct arena *a, size_t n);
/* A NUL-terminated copy; p is NULL on failure. */
MUST struct sv arena_dup(struct arena *a, struct sv s);
/* printf into the arena, NUL-terminated; p is NULL on failure. */
MUST struct sv arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
MUST enum err arena_on_free(struct arena *a, void (*fn)(void *), void *arg);
/* Bytes handed out so far, alignment included. */
size_t arena_used(const struct arena *a);

#define ARENA_NEW(a, type) ((type *)arena_zalloc((a), sizeof(type)))
/* n objects, zeroed; NULL also when n * size overflows. */
MUST void *arena_array(struct arena *a, size_t n, size_t size);
#define ARENA_ARRAY(a, type, n) ((type *)arena_array((a), (n), sizeof(type)))
