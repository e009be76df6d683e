/* The event loop: mail from other threads, timers, what is freed when, and stopping. */
#include "net/loop.h"
#include "tests/support/failmalloc.h"
#include "tests/support/t.h"
#include <pthread.h>

struct probe {
    struct loop *loop;
    struct mail mail;
    struct timer timer;
    struct reap reap;
    pthread_t thread;
    unsigned mails, fired, freed;
    unsigned freed_seen; /* how many had been freed when the callback ended */
    struct probe *next;  /* reaped by this one */
    uint64_t again_ms;   /* arm again when it fires */
    bool stops;
};

static void fire(struct timer *t)
{
    struct probe *p = container_of(t, struct probe, timer);
    p->fired++;
    if (p->again_ms > 0)
        loop_arm(p->loop, t, p->again_ms);
    if (p->stops)
        loop_stop(p->loop);
}

static void reaped(struct reap *r)
{
    struct probe *p = container_of(r, struct probe, reap);
    p->freed++;
    if (p->next != NULL)
        loop_reap_later(p->loop, &p->next->reap);
}

static void probe_init(struct probe *p, struct loop *l)
{
    *p = (struct probe){.loop = l, .reap.free_fn = reaped};
    timer_init(&p->timer, fire);
    list_init(&p->reap.link);
}

static void once(struct loop *l)
{
    event_base_loop(l->base, EVLOOP_NONBLOCK);
}

/* ---- timers ---- */

/* The clock stands still until told; libevent's own is not asked. */
static void advance(struct loop *l, struct fake_clock *f, uint64_t ms)
{
    fake_clock_advance_ms(f, ms);
    event_active(&l->tick, EV_TIMEOUT, 0);
    once(l);
}

T(loop, timers_follow_the_clock)
{
    struct loop l;
    struct fake_clock f;
    struct probe a, b;
    fake_clock_init(&f, 5000000, 0);
    T_ASSERT(loop_init(&l, &f.base, 4096) == OK);
    T_EXPECT_EQ(loop_now_ms(&l), 5000, "now");
    probe_init(&a, &l);
    probe_init(&b, &l);
    loop_arm(&l, &a.timer, 100);
    T_EXPECT(l.tick_due_ms == 5100);
    loop_arm(&l, &b.timer, 20);
    T_EXPECT(l.tick_due_ms == 5020, "an earlier one pulls the tick");
    b.again_ms = 50;
    advance(&l, &f, 19);
    T_EXPECT(a.fired == 0 && b.fired == 0);
    T_EXPECT(l.tick_due_ms == 5020, "armed again for the same moment");
    advance(&l, &f, 1);
    T_EXPECT(a.fired == 0 && b.fired == 1);
    T_EXPECT(l.tick_due_ms <= 5070, "%llu", (unsigned long long)l.tick_due_ms);
    advance(&l, &f, 80);
    T_EXPECT(a.fired == 1 && b.fired == 2);
    loop_cancel(&l, &b.timer);
    advance(&l, &f, 1000);
    T_EXPECT(a.fired == 1 && b.fired == 2, "cancelled");
    T_EXPECT(l.tick_due_ms == UINT64_MAX, "nothing to wait for");
    T_EXPECT_EQ(loop_now_ms(&l), 6100, "now");
    loop_fini(&l);
}

T(loop, sleeps_until_a_timer_is_due)
{
    struct loop l;
    struct probe p;
    T_ASSERT(loop_init(&l, clock_system(), 4096) == OK);
    probe_init(&p, &l);
    p.stops = true;
    uint64_t began = loop_now_ms(&l);
    loop_arm(&l, &p.timer, 3);
    loop_run(&l);
    T_EXPECT_EQ(p.fired, 1, "fired");
    T_EXPECT(loop_now_ms(&l) >= began + 3, "not early");
    loop_fini(&l);
}

/* ---- mail ---- */

static void take_mail(struct mail *m)
{
    struct probe *p = container_of(m, struct probe, mail);
    p->mails++;
    p->thread = pthread_self();
    loop_reap_later(p->loop, &p->reap);
    loop_reap_later(p->loop, &p->reap);
    p->freed_seen = p->freed;
    if (p->stops)
        loop_stop(p->loop);
}

static void *post(void *arg)
{
    struct probe *p = arg;
    p->mail.fn = take_mail;
    loop_post(p->loop, &p->mail);
    return NULL;
}

T(loop, runs_mail_of_another_thread)
{
    struct loop l;
    struct probe p;
    pthread_t other;
    T_ASSERT(loop_init(&l, clock_system(), 4096) == OK);
    probe_init(&p, &l);
    p.stops = true;
    T_ASSERT(pthread_create(&other, NULL, post, &p) == 0);
    loop_run(&l);
    pthread_join(other, NULL);
    T_EXPECT_EQ(p.mails, 1, "ran");
    T_EXPECT(pthread_equal(p.thread, pthread_self()), "here");
    loop_fini(&l);
}

static void *stop(void *arg)
{
    loop_stop(arg);
    return NULL;
}

T(loop, stops_from_another_thread_and_runs_again)
{
    struct loop l;
    pthread_t other;
    T_ASSERT(loop_init(&l, clock_system(), 4096) == OK);
    for (int i = 0; i < 3; i++) {
        T_ASSERT(pthread_create(&other, NULL, stop, &l) == 0);
        loop_run(&l);
        pthread_join(other, NULL);
    }
    loop_stop(&l);
    loop_run(&l); /* a stop that came before the run is not lost */
    loop_fini(&l);
}

/* ---- freeing ---- */

T(loop, frees_after_the_callback)
{
    struct loop l;
    struct probe p, next;
    T_ASSERT(loop_init(&l, clock_system(), 4096) == OK);
    probe_init(&p, &l);
    probe_init(&next, &l);
    p.next = &next;
    post(&p);
    once(&l);
    T_EXPECT_EQ(p.freed_seen, 0, "not inside");
    T_EXPECT_EQ(p.freed, 1, "once, though asked twice");
    T_EXPECT_EQ(next.freed, 1, "what it gave up in turn too");
    once(&l);
    T_EXPECT_EQ(p.freed, 1, "not again");
    loop_fini(&l);
}

T(loop, wakes_for_what_is_deferred_outside)
{
    struct loop l;
    struct probe p;
    T_ASSERT(loop_init(&l, clock_system(), 4096) == OK);
    probe_init(&p, &l);
    loop_reap_later(&l, &p.reap);
    once(&l);
    T_EXPECT_EQ(p.freed, 0, "no callback ran");
    loop_wake(&l);
    once(&l);
    T_EXPECT_EQ(p.freed, 1, "woken");
    loop_fini(&l);
}

T(loop, the_end_runs_what_is_left)
{
    struct loop l;
    struct probe mailed, deferred, timed;
    T_ASSERT(loop_init(&l, clock_system(), 4096) == OK);
    probe_init(&mailed, &l);
    probe_init(&deferred, &l);
    probe_init(&timed, &l);
    post(&mailed);
    loop_reap_later(&l, &deferred.reap);
    loop_arm(&l, &timed.timer, 0);
    loop_fini(&l);
    T_EXPECT(mailed.mails == 1 && mailed.freed == 1, "mail, and what it deferred");
    T_EXPECT_EQ(deferred.freed, 1, "deferred");
    T_EXPECT_EQ(timed.fired, 0, "timers are forgotten");
}

static void life(bool failing)
{
    struct loop l;
    enum err e = loop_init(&l, clock_system(), 4096);
    if (e == OK)
        loop_fini(&l);
    T_EXPECT(e == (failing ? E_NOMEM : OK), "%s", err_name(e));
}

T(loop, without_memory)
{
    T_EXPECT(failmalloc_each(life) > 3);
}
