/* Chain of reference-counted slabs; see buf.h. One thread per pool and its bufs.
 *
 *   buf --> seg --> seg --> seg        a seg is a view of one block; views never overlap
 *            |       |      |
 *            v       v      v
 *          slab <----+    foreign      a slab is filled from the left up to `used`; only a seg that
 *                                      ends there may grow in place
 *
 * Segs and the headers of foreign blocks have a free list of their own, so that a connection in
 * steady state calls no malloc. */
#include "net/buf.h"
#include <stdlib.h>

struct block {
    struct block *next; /* on the free list */
    void (*done)(void *);
    void *arg;
    size_t size; /* of bytes; 0: foreign */
    size_t used;
    uint32_t refs; /* segs that view it */
    char bytes[];
};

struct buf_seg {
    struct buf_seg *next;
    struct block *block;
    char *p; /* of a foreign block: read only */
    size_t n;
};

/* A seg or the header of a foreign block. */
union cell {
    union cell *next;
    struct buf_seg seg;
    struct block foreign;
};

struct slab_pool {
    struct block *slabs;
    union cell *cells;
    size_t slab_bytes;
    size_t slabs_kept, cells_kept, keep_max;
    size_t lent; /* blocks and segs not returned */
};

/* A slab is mostly viewed by one seg, seldom by several: cells kept for one slab kept. */
enum { CELLS_PER_SLAB = 4 };

struct slab_pool *slab_pool_new(size_t slab_bytes, size_t keep_max)
{
    struct slab_pool *p = malloc(sizeof *p);
    if (p == NULL)
        return NULL;
    *p = (struct slab_pool){.slab_bytes = slab_bytes == 0 ? 1 : slab_bytes, .keep_max = keep_max};
    return p;
}

void slab_pool_free(struct slab_pool **pool)
{
    struct slab_pool *p = *pool;
    if (p == NULL)
        return;
    BUG_ON(p->lent != 0);
    for (struct block *b = p->slabs, *next; b != NULL; b = next) {
        next = b->next;
        free(b);
    }
    for (union cell *c = p->cells, *next; c != NULL; c = next) {
        next = c->next;
        free(c);
    }
    free(p);
    *pool = NULL;
}

static union cell *cell_get(struct slab_pool *p)
{
    union cell *c = p->cells;
    if (c != NULL) {
        p->cells = c->next;
        p->cells_kept--;
    } else {
        c = malloc(sizeof *c);
    }
    if (c != NULL)
        p->lent++;
    return c;
}

static void cell_put(struct slab_pool *p, union cell *c)
{
    p->lent--;
    if (p->cells_kept / CELLS_PER_SLAB >= p->keep_max) {
        free(c);
        return;
    }
    c->next = p->cells;
    p->cells = c;
    p->cells_kept++;
}

/* An empty block of at least `room` bytes; a slab from the free list when that is enough. */
static struct block *block_get(struct slab_pool *p, size_t room)
{
    size_t size = p->slab_bytes, bytes;
    struct block *b = NULL;

    if (room <= size && p->slabs != NULL) {
        b = p->slabs;
        p->slabs = b->next;
        p->slabs_kept--;
    } else {
        /* Powers of two, so that linearising ever longer fronts copies each byte a few times only.
         */
        while (size < room && !__builtin_mul_overflow(size, 2, &size))
            ;
        if (size >= room && !__builtin_add_overflow(size, sizeof *b, &bytes))
            b = malloc(bytes);
        if (b == NULL)
            return NULL;
    }
    *b = (struct block){.size = size};
    p->lent++;
    return b;
}

static void block_drop(struct slab_pool *p, struct block *b)
{
    if (--b->refs != 0)
        return;
    if (b->size == 0) {
        void (*done)(void *) = b->done;
        void *arg = b->arg;
        cell_put(p, container_of(b, union cell, foreign));
        if (done != NULL)
            done(arg);
        return;
    }
    p->lent--;
    if (b->size != p->slab_bytes || p->slabs_kept == p->keep_max) {
        free(b);
        return;
    }
    b->next = p->slabs;
    p->slabs = b;
    p->slabs_kept++;
}

/* A further view of block. NULL: no memory. */
static struct buf_seg *seg_new(struct slab_pool *p, struct block *block, char *at, size_t n)
{
    union cell *c = cell_get(p);
    if (c == NULL)
        return NULL;
    block->refs++;
    c->seg = (struct buf_seg){.block = block, .p = at, .n = n};
    return &c->seg;
}

/* An empty view of a block of its own. NULL: no memory. */
static struct buf_seg *seg_with_room(struct slab_pool *p, size_t room)
{
    struct block *block = block_get(p, room);
    if (block == NULL)
        return NULL;
    struct buf_seg *s = seg_new(p, block, block->bytes, 0);
    if (s == NULL) {
        block->refs = 1;
        block_drop(p, block);
    }
    return s;
}

/* s is on no chain any more. Foreign bytes may run `done` here, so the chain must be in order. */
static void seg_free(struct slab_pool *p, struct buf_seg *s)
{
    struct block *block = s->block;
    cell_put(p, container_of(s, union cell, seg));
    block_drop(p, block);
}

static void append(struct buf *b, struct buf_seg *first, struct buf_seg *last, size_t n)
{
    if (b->last == NULL)
        b->first = first;
    else
        b->last->next = first;
    b->last = last;
    b->n += n;
}

static struct buf_seg *pop_front(struct buf *b)
{
    struct buf_seg *s = b->first;
    b->first = s->next;
    if (b->first == NULL)
        b->last = NULL;
    b->n -= s->n;
    return s;
}

/* Bytes that may be written right behind s. */
static size_t room_behind(const struct buf_seg *s)
{
    const struct block *block = s->block;
    return block->size != 0 && s->p + s->n == block->bytes + block->used ? block->size - block->used
                                                                         : 0;
}

/* Copies in as much as fits behind s; returns how much that was. */
static size_t grow(struct buf_seg *s, struct sv bytes)
{
    size_t room = room_behind(s), n = bytes.n < room ? bytes.n : room;

    if (n == 0)
        return 0;
    memcpy(s->p + s->n, bytes.p, n);
    s->n += n;
    s->block->used += n;
    return n;
}

void buf_clear(struct slab_pool *p, struct buf *b)
{
    buf_drain(p, b, b->n);
}

enum err buf_add(struct slab_pool *p, struct buf *b, struct sv bytes)
{
    struct buf fresh;
    size_t room = b->last == NULL ? 0 : room_behind(b->last);
    struct sv rest = sv_skip(bytes, room);

    /* First all the memory, then the change. */
    buf_init(&fresh);
    while (rest.n != 0) {
        struct buf_seg *s = seg_with_room(p, 1);
        if (s == NULL) {
            buf_clear(p, &fresh);
            return E_NOMEM;
        }
        size_t n = grow(s, rest);
        append(&fresh, s, s, n);
        rest = sv_skip(rest, n);
    }
    if (room != 0)
        b->n += grow(b->last, bytes);
    buf_move(b, &fresh);
    return OK;
}

enum err buf_ref(struct slab_pool *p, struct buf *b, struct sv keep_bytes, void (*done)(void *),
                 void *arg)
{
    enum err e = OK;
    union cell *c = NULL;
    struct buf_seg *s;

    if (keep_bytes.n == 0)
        goto finished;
    e = E_NOMEM;
    c = cell_get(p);
    if (c == NULL)
        goto finished;
    c->foreign = (struct block){.done = done, .arg = arg};
    /* The chain has one type of view; room_behind and buf_peek keep foreign bytes from being
     * written. */
    s = seg_new(p, &c->foreign, (char *)(uintptr_t)keep_bytes.p, keep_bytes.n);
    if (s == NULL)
        goto finished;
    append(b, s, s, keep_bytes.n);
    return OK;
finished:
    if (c != NULL)
        cell_put(p, c);
    if (done != NULL)
        done(arg);
    return e;
}

void buf_move(struct buf *dst, struct buf *src)
{
    DCHECK(dst != src);
    if (src->first == NULL)
        return;
    append(dst, src->first, src->last, src->n);
    buf_init(src);
}

enum err buf_move_n(struct slab_pool *p, struct buf *dst, struct buf *src, size_t n)
{
    struct buf_seg *cut = src->first, *head = NULL;
    size_t before = 0;

    DCHECK(dst != src);
    /* The seg in which the n bytes end; what precedes it moves as it is. */
    while (cut != NULL && before + cut->n <= n) {
        before += cut->n;
        cut = cut->next;
    }
    if (cut != NULL && before < n) {
        head = seg_new(p, cut->block, cut->p, n - before);
        if (head == NULL)
            return E_NOMEM;
    }
    while (src->first != cut) {
        struct buf_seg *s = pop_front(src);
        s->next = NULL;
        append(dst, s, s, s->n);
    }
    if (head != NULL) {
        cut->p += head->n;
        cut->n -= head->n;
        src->n -= head->n;
        append(dst, head, head, head->n);
    }
    return OK;
}

void buf_drain(struct slab_pool *p, struct buf *b, size_t n)
{
    BUG_ON(n > b->n);
    while (n != 0 && n >= b->first->n) {
        struct buf_seg *s = pop_front(b);
        n -= s->n;
        seg_free(p, s);
    }
    if (n != 0) {
        b->first->p += n;
        b->first->n -= n;
        b->n -= n;
    }
}

size_t buf_iov(const struct buf *b, struct iovec *iov, size_t max)
{
    size_t n = 0;

    for (const struct buf_seg *s = b->first; s != NULL && n < max; s = s->next)
        iov[n++] = (struct iovec){.iov_base = s->p, .iov_len = s->n};
    return n;
}

/* Fills `front`, which is on no chain, up to want bytes from the front of b, and puts it there. */
static void pull_front(struct slab_pool *p, struct buf *b, struct buf_seg *front, size_t want)
{
    while (front->n < want) {
        size_t n = want - front->n;
        if (n > b->first->n)
            n = b->first->n;
        grow(front, sv_of(b->first->p, n));
        buf_drain(p, b, n);
    }
    front->next = b->first;
    b->first = front;
    if (b->last == NULL)
        b->last = front;
    b->n += front->n;
}

struct sv buf_peek(struct slab_pool *p, struct buf *b, size_t want)
{
    static char none[1];
    struct buf_seg *first = b->first;

    if (want > b->n)
        want = b->n;
    if (want == 0)
        return sv_of(none, 0);
    bool own = first->block->size != 0;
    if (!own || first->n < want) {
        struct buf_seg *front;
        if (own && room_behind(first) >= want - first->n) {
            front = pop_front(b);
        } else {
            front = seg_with_room(p, want);
            if (front == NULL)
                return SV_NONE;
        }
        pull_front(p, b, front, want);
    }
    return sv_of(b->first->p, want);
}
