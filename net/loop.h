#pragma once
/* One thread's event loop: a libevent base, a timer wheel driven by one libevent timer, a mailbox,
 * the thread's scratch memory and free lists, and the list of things to free once no callback runs.
 *
 * Everything here belongs to the loop's thread, except loop_post and loop_stop. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/rng.h"
#include "net/buf.h"
#include "net/mailbox.h"
#include "net/wheel.h"
#include <event2/event.h>
#include <event2/event_struct.h>

enum {
    LOOP_SCRATCH = 128 * 1024, /* one receive: a 64 KiB body and its head arrive in one call */
    LOOP_HEAD_ROOM = 128 * 1024,
    LOOP_SLAB = 16 * 1024,
};

struct conn;

struct loop {
    struct event_base *base;
    struct wheel *wheel;
    struct event tick;
    uint64_t tick_due_ms; /* UINT64_MAX: not armed */
    struct mailbox *mail;
    struct event mail_event;
    const struct clock *clock;
    uint64_t now_us; /* monotonic, refreshed at the start of each callback */
    struct rng rng;
    char *scratch; /* LOOP_SCRATCH bytes to receive into; valid until the next receive */
    char *head;    /* LOOP_HEAD_ROOM bytes: the message head being written, see conn_head_room */
    struct conn *corked; /* whose bytes are in head */
    size_t corked_n;
    struct slab_pool *slabs;
    struct arena_pool *arenas;
    struct link reap; /* struct reap, freed when the outermost callback returns */
};

/* Embedded in what may not be freed while its own callbacks are on the stack. */
struct reap {
    struct link link;
    void (*free_fn)(struct reap *r);
};

/* E_NOMEM or E_IO. arena_chunk: chunk size of the stream arenas. */
MUST enum err loop_init(struct loop *l, const struct clock *clock, size_t arena_chunk);
void loop_fini(struct loop *l);
/* Runs until loop_stop. */
void loop_run(struct loop *l);
/* Any thread. */
void loop_stop(struct loop *l);
/* Any thread: m->fn runs on the loop's thread. */
void loop_post(struct loop *l, struct mail *keep_mail);

static inline uint64_t loop_now_ms(const struct loop *l)
{
    return l->now_us / 1000;
}
/* Arms t to fire in ms from now. */
void loop_arm(struct loop *l, struct timer *t, uint64_t in_ms);
static inline void loop_cancel(struct loop *l, struct timer *t)
{
    wheel_cancel(l->wheel, t);
}
/* r is freed when the callback that now runs has returned to the loop. Harmless when called twice.
 */
void loop_reap_later(struct loop *l, struct reap *r);

/* Makes the loop run its deferred list soon, for callers that are outside any callback. */
void loop_wake(struct loop *l);

/* Every callback registered on the base by other modules is bracketed by these. */
static inline void loop_enter(struct loop *l)
{
    l->now_us = clock_mono_us(l->clock);
}
void loop_leave(struct loop *l);
