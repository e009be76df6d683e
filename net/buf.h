#pragma once
/* A chain of reference-counted slabs: what could not be sent or parsed at once. Per-thread free
 * list, one owner thread. An empty buf owns no memory. All bufs that exchange bytes use the same
 * pool. */
#include "base/sv.h"
#include <sys/uio.h>

struct slab_pool; /* free list of slabs of one size, one thread */
/* slab_bytes: bytes a slab holds; keep_max: slabs kept at most. NULL: no memory. */
struct slab_pool *slab_pool_new(size_t slab_bytes, size_t keep_max);
void slab_pool_free(struct slab_pool **p); /* every buf filled from it must be empty */

struct buf_seg; /* one view of a slab or of foreign bytes */
struct buf {
    struct buf_seg *first, *last;
    size_t n; /* bytes held */
};

static inline void buf_init(struct buf *b)
{
    b->first = b->last = NULL;
    b->n = 0;
}
void buf_clear(struct slab_pool *p, struct buf *b); /* releases everything */
/* Copies in. E_NOMEM leaves b as it was. */
MUST enum err buf_add(struct slab_pool *p, struct buf *b, struct sv bytes);
/* Foreign bytes without a copy, never written to; done(arg), unless NULL, runs when the last byte
 * left, and must not touch b. On failure done is called too. */
MUST enum err buf_ref(struct slab_pool *p, struct buf *b, struct sv keep_bytes,
                      void (*done)(void *), void *arg);
void buf_move(struct buf *dst, struct buf *src); /* appends all of src, no copy */
/* Appends the first n bytes of src (all, if it holds fewer), no copy. E_NOMEM leaves both as they
 * were. */
MUST enum err buf_move_n(struct slab_pool *p, struct buf *dst, struct buf *src, size_t n);
/* Drops the first n bytes, at most b->n. */
void buf_drain(struct slab_pool *p, struct buf *b, size_t n);
/* Up to max views of the front; returns how many were filled. */
size_t buf_iov(const struct buf *b, struct iovec *iov, size_t max);
/* The first `want` bytes in one piece (fewer only if b holds fewer; p NULL when there is no memory,
 * with b as it was). Valid until the next call on b. The bytes may be written to: foreign ones are
 * copied first. */
MUST struct sv buf_peek(struct slab_pool *p, struct buf *b, size_t want);
