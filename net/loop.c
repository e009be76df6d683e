/* The event loop of one thread; see loop.h. */
#include "net/loop.h"
#include "net/conn.h"
#include <errno.h>
#include <stdlib.h>

enum { SLABS_KEPT = 64, ARENA_CHUNKS_KEPT = 256 };

static void tick_arm(struct loop *l, uint64_t due_ms)
{
    uint64_t now_ms = loop_now_ms(l);
    uint64_t wait = due_ms > now_ms ? due_ms - now_ms : 0;
    struct timeval tv = {.tv_sec = (time_t)(wait / 1000),
                         .tv_usec = (suseconds_t)(wait % 1000 * 1000)};
    l->tick_due_ms = due_ms;
    event_add(&l->tick, &tv);
}

static void tick_fired(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;
    (void)fd;
    (void)what;
    loop_enter(l);
    l->tick_due_ms = UINT64_MAX;
    wheel_advance(l->wheel, loop_now_ms(l));
    uint64_t next = wheel_next(l->wheel);
    if (next < l->tick_due_ms)
        tick_arm(l, next);
    loop_leave(l);
}

static void mail_ready(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;
    (void)fd;
    (void)what;
    loop_enter(l);
    mailbox_drain(l->mail);
    loop_leave(l);
}

static enum err loop_alloc(struct loop *l, size_t arena_chunk)
{
    struct event_config *cfg = event_config_new();
    if (cfg == NULL)
        return E_NOMEM;
    event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
    l->base = event_base_new_with_config(cfg);
    event_config_free(cfg);
    l->wheel = wheel_new(loop_now_ms(l));
    l->mail = mailbox_new();
    l->scratch = malloc(LOOP_SCRATCH);
    l->head = malloc(LOOP_HEAD_ROOM);
    l->slabs = slab_pool_new(LOOP_SLAB, SLABS_KEPT);
    l->arenas = arena_pool_new(arena_chunk, ARENA_CHUNKS_KEPT);
    if (l->base == NULL || l->wheel == NULL || l->mail == NULL || l->scratch == NULL ||
        l->head == NULL || l->slabs == NULL || l->arenas == NULL)
        return E_NOMEM;
    return OK;
}

enum err loop_init(struct loop *l, const struct clock *clock, size_t arena_chunk)
{
    *l = (struct loop){.clock = clock, .tick_due_ms = UINT64_MAX};
    list_init(&l->reap);
    loop_enter(l);
    rng_seed_os(&l->rng);
    enum err e = loop_alloc(l, arena_chunk);
    if (e != OK)
        goto fail;
    evtimer_assign(&l->tick, l->base, tick_fired, l);
    event_assign(&l->mail_event, l->base, mailbox_fd(l->mail), EV_READ | EV_PERSIST, mail_ready, l);
    if (event_add(&l->mail_event, NULL) != 0) {
        e = E_IO;
        goto fail;
    }
    return OK;
fail:
    loop_fini(l);
    return e;
}

void loop_fini(struct loop *l)
{
    loop_leave(l);
    mailbox_free(&l->mail);
    loop_leave(l);
    if (l->base != NULL) {
        if (event_initialized(&l->tick))
            event_del(&l->tick);
        if (event_initialized(&l->mail_event))
            event_del(&l->mail_event);
        event_base_free(l->base);
        l->base = NULL;
    }
    wheel_free(&l->wheel);
    slab_pool_free(&l->slabs);
    arena_pool_free(&l->arenas);
    free(l->scratch);
    free(l->head);
    l->scratch = l->head = NULL;
}

void loop_run(struct loop *l)
{
    event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

struct stop_mail {
    struct mail mail;
    struct loop *loop;
};

static void stop_here(struct mail *m)
{
    struct stop_mail *s = container_of(m, struct stop_mail, mail);
    event_base_loopbreak(s->loop->base);
    free(s);
}

void loop_stop(struct loop *l)
{
    struct stop_mail *s = malloc(sizeof(*s));
    BUG_ON(s == NULL);
    *s = (struct stop_mail){.mail = {.fn = stop_here}, .loop = l};
    loop_post(l, &s->mail);
}

void loop_post(struct loop *l, struct mail *keep_mail)
{
    mailbox_post(l->mail, keep_mail);
}

void loop_arm(struct loop *l, struct timer *t, uint64_t in_ms)
{
    uint64_t due = loop_now_ms(l) + in_ms;
    wheel_arm(l->wheel, t, due);
    if (UNLIKELY(due < l->tick_due_ms))
        tick_arm(l, due);
}

void loop_reap_later(struct loop *l, struct reap *r)
{
    if (!list_linked(&r->link))
        list_push_back(&l->reap, &r->link);
}

void loop_wake(struct loop *l)
{
    event_active(&l->mail_event, EV_READ, 0);
}

void loop_leave(struct loop *l)
{
    if (l->corked != NULL)
        conn_uncork(l);
    while (UNLIKELY(!list_empty(&l->reap))) {
        struct reap *r = list_entry(list_pop_front(&l->reap), struct reap, link);
        r->free_fn(r);
    }
}
