/* Bump allocator over chunks; see arena.h. The struct arena itself lies in its first chunk, so a
 * pooled arena costs no malloc while the pool has a chunk to lend. One owner at a time. */
#include "base/arena.h"
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* A chunk or a single large block: this header, then the bytes. */
struct chunk {
    struct chunk *next;
    alignas(max_align_t) char bytes[];
};

struct arena_pool {
    struct chunk *idle;
    size_t chunk_bytes; /* header included */
    size_t kept, keep_max;
    size_t lent;
};

struct cleanup {
    struct cleanup *next;
    void (*fn)(void *);
    void *arg;
};

struct arena {
    struct arena_front front;
    struct arena_pool *pool; /* NULL: malloc */
    const char *mark;        /* where the current chunk's counted bytes begin */
    size_t settled, cap;     /* bytes used before mark, in chunks left behind and in blocks */
    size_t chunk_bytes;
    struct chunk *chunks; /* newest first; the last one holds this struct */
    struct chunk *blocks; /* requests larger than a chunk */
    struct cleanup *cleanups;
};

/* A smaller chunk could not hold the struct arena and anything beside it. */
enum { CHUNK_MIN = 256 };

static size_t chunk_size(size_t asked)
{
    return asked < CHUNK_MIN ? CHUNK_MIN : asked;
}

struct arena_pool *arena_pool_new(size_t chunk_bytes, size_t keep_max)
{
    struct arena_pool *p = malloc(sizeof *p);
    if (p == NULL)
        return NULL;
    *p = (struct arena_pool){.chunk_bytes = chunk_size(chunk_bytes), .keep_max = keep_max};
    return p;
}

void arena_pool_free(struct arena_pool **p)
{
    if (*p == NULL)
        return;
    BUG_ON((*p)->lent != 0);
    for (struct chunk *c = (*p)->idle, *next; c != NULL; c = next) {
        next = c->next;
        free(c);
    }
    free(*p);
    *p = NULL;
}

static struct chunk *chunk_get(struct arena_pool *p, size_t bytes)
{
    if (p == NULL)
        return malloc(bytes);
    struct chunk *c = p->idle;
    if (c != NULL) {
        p->idle = c->next;
        p->kept--;
    } else {
        c = malloc(bytes);
    }
    if (c != NULL)
        p->lent++;
    return c;
}

static void chunk_put(struct arena_pool *p, struct chunk *c)
{
    if (p == NULL) {
        free(c);
        return;
    }
    p->lent--;
    if (p->kept == p->keep_max) {
        free(c);
        return;
    }
    c->next = p->idle;
    p->idle = c;
    p->kept++;
}

/* Goes on at `at`, with the end of the newest chunk or the cap as the limit, whichever is nearer.
 */
static void enter_chunk(struct arena *a, char *at)
{
    size_t room = a->chunk_bytes - (size_t)(at - (char *)a->chunks), left = a->cap - a->settled;
    a->front.at = at;
    a->front.end = at + (room < left ? room : left);
    a->mark = at;
}

/* The counted bytes of the current chunk become settled. */
static void settle(struct arena *a)
{
    a->settled += (size_t)(a->front.at - a->mark);
    a->mark = a->front.at;
}

static struct arena *open_arena(struct arena_pool *pool, size_t chunk_bytes, size_t cap)
{
    struct chunk *c = chunk_get(pool, chunk_bytes);
    if (c == NULL)
        return NULL;
    c->next = NULL;
    struct arena *a = (struct arena *)(void *)c->bytes;
    *a = (struct arena){
        .front.end = (char *)c + chunk_bytes,
        .pool = pool,
        .cap = cap,
        .chunk_bytes = chunk_bytes,
        .chunks = c,
    };
    enter_chunk(a, c->bytes + sizeof *a);
    return a;
}

struct arena *arena_new(size_t chunk, size_t cap)
{
    return open_arena(NULL, chunk_size(chunk), cap);
}

struct arena *arena_new_pooled(struct arena_pool *pool, size_t cap)
{
    return open_arena(pool, pool->chunk_bytes, cap);
}

void arena_free(struct arena **arena)
{
    struct arena *a = *arena;
    if (a == NULL)
        return;
    while (a->cleanups != NULL) {
        struct cleanup *c = a->cleanups;
        a->cleanups = c->next;
        c->fn(c->arg);
    }
    for (struct chunk *b = a->blocks, *next; b != NULL; b = next) {
        next = b->next;
        free(b);
    }
    /* The last chunk of the list holds *a: nothing of a may be read once the walk has begun. */
    struct arena_pool *pool = a->pool;
    for (struct chunk *c = a->chunks, *next; c != NULL; c = next) {
        next = c->next;
        chunk_put(pool, c);
    }
    *arena = NULL;
}

/* A request that no chunk can hold. The current chunk stays in use. */
static void *alloc_block(struct arena *a, size_t n, size_t align)
{
    size_t bytes;
    if (__builtin_add_overflow(n, sizeof(struct chunk) + align - 1, &bytes))
        return NULL;
    struct chunk *b = malloc(bytes);
    if (b == NULL)
        return NULL;
    size_t pad = (size_t)(-(uintptr_t)b->bytes & (align - 1));
    if (pad > a->cap - a->settled - n) {
        free(b);
        return NULL;
    }
    a->settled += pad + n;
    b->next = a->blocks;
    a->blocks = b;
    enter_chunk(a, a->front.at);
    return b->bytes + pad;
}

void *arena_alloc_slow(struct arena *a, size_t n, size_t align)
{
    DCHECK(align != 0 && (align & (align - 1)) == 0);
    settle(a);
    if (n > a->cap - a->settled)
        return NULL;
    size_t most = a->chunk_bytes - sizeof(struct chunk);
    if (n > most || align - 1 > most - n)
        return alloc_block(a, n, align);
    /* What is left of this chunk may be refused only by the cap: then a fresh one would be, too. */
    size_t left = a->cap - a->settled, pad = (size_t)(-(uintptr_t)a->front.at & (align - 1));
    if (n > left || pad > left)
        return NULL;
    struct chunk *c = chunk_get(a->pool, a->chunk_bytes);
    if (c == NULL)
        return NULL;
    c->next = a->chunks;
    a->chunks = c;
    enter_chunk(a, c->bytes);
    pad = (size_t)(-(uintptr_t)c->bytes & (align - 1));
    if (n + pad > (size_t)(a->front.end - a->front.at))
        return NULL; /* the padding passed the cap */
    char *p = a->front.at + pad;
    a->front.at = p + n;
    return p;
}

void *arena_zalloc(struct arena *a, size_t n)
{
    void *p = arena_alloc(a, n, alignof(max_align_t));
    if (p != NULL)
        memset(p, 0, n);
    return p;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        return NULL;
    return arena_zalloc(a, bytes);
}

struct sv arena_dup(struct arena *a, struct sv s)
{
    char *p = s.n == SIZE_MAX ? NULL : arena_alloc(a, s.n + 1, 1);
    if (p == NULL)
        return SV_NONE;
    if (s.n != 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return sv_of(p, s.n);
}

struct sv arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;

    /* Mostly the text fits what is left of the chunk: print there and take it afterwards. */
    va_start(ap, fmt);
    int n = vsnprintf(a->front.at, (size_t)(a->front.end - a->front.at), fmt, ap);
    va_end(ap);
    if (n < 0)
        return SV_NONE;
    char *old = a->front.at;
    char *p = arena_alloc(a, (size_t)n + 1, 1);
    if (p == NULL || p == old)
        return p == NULL ? SV_NONE : sv_of(p, (size_t)n);
    va_start(ap, fmt);
    n = vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return n < 0 ? SV_NONE : sv_of(p, (size_t)n);
}

enum err arena_on_free(struct arena *a, void (*fn)(void *), void *arg)
{
    struct cleanup *c = ARENA_NEW(a, struct cleanup);
    if (c == NULL)
        return E_NOMEM;
    *c = (struct cleanup){.next = a->cleanups, .fn = fn, .arg = arg};
    a->cleanups = c;
    return OK;
}

size_t arena_used(const struct arena *a)
{
    return a->settled + (size_t)(a->front.at - a->mark);
}
