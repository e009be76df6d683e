/* Draining and ending. A drain stops accepting without losing what was accepted, lets every request
 * finish, tells clients to go elsewhere (connection: close), and closes connections that stay
 * quiet. */
#define LOG_COMPONENT LOGC_MAIN
#include "base/log.h"
#include "proxy/network/filter.h"
#include "proxy/options.h"
#include "proxy/server_int.h"
#include <stdlib.h>

enum {
    QUIET_MS =
        1000, /* a client that pauses longer than this between requests is closed while draining */
    CHECK_MS = 50,
};

struct to_worker {
    struct mail mail;
    struct worker *w;
    struct server *s;
    uint64_t drain_ms;
    bool inbound_only, value; /* for set_draining and set_health */
};

static void tell(struct server *s, unsigned i, void (*fn)(struct mail *), struct to_worker what)
{
    struct to_worker *m = malloc(sizeof(*m));
    BUG_ON(m == NULL); /* a few bytes at the end of the process's life */
    *m = what;
    m->mail.fn = fn;
    m->w = &s->workers[i];
    m->s = s;
    loop_post(&s->workers[i].loop, &m->mail);
}

static void tell_all(struct server *s, void (*fn)(struct mail *), struct to_worker what)
{
    for (unsigned i = 0; i < s->n_workers; i++)
        tell(s, i, fn, what);
}

/* ---- on workers ---- */

static void stop_listeners(struct mail *m)
{
    struct to_worker *t = container_of(m, struct to_worker, mail);
    for (size_t i = 0; i < t->s->n_listeners; i++) {
        struct listener *l = t->s->listeners[i];
        if (!t->inbound_only || l->m->direction == M_DIR_INBOUND)
            listener_stop(l, t->w);
    }
    free(t);
}

static void set_draining(struct mail *m)
{
    struct to_worker *t = container_of(m, struct to_worker, mail);
    t->w->draining = t->value;
    t->w->drain_began_ms = loop_now_ms(&t->w->loop);
    t->w->drain_ms = t->drain_ms;
    t->w->drain_inbound_only = t->inbound_only;
    free(t);
}

static void set_health(struct mail *m)
{
    struct to_worker *t = container_of(m, struct to_worker, mail);
    t->w->health_failed = t->value;
    free(t);
}

static void worker_is_idle(struct mail *m)
{
    struct server *s = container_of(m, struct worker, drained)->server;
    if (!s->stopping && --s->workers_busy == 0) {
        log_info("main.drained", "no connection is left");
        server_exit_now(s);
    }
}

static void check_idle(struct timer *t)
{
    struct worker *w = container_of(t, struct worker, drain_check);
    struct server *s = w->server;
    list_foreach_safe (it, &w->downstreams) {
        struct downstream *d = list_entry(it, struct downstream, link);
        if (d->ops->close_if_idle != NULL)
            d->ops->close_if_idle(d->state, QUIET_MS);
    }
    bool listening = false;
    for (size_t i = 0; i < s->n_listeners; i++)
        listening |= listener_accepts(s->listeners[i], w);
    if (w->n_downstreams > 0 || listening) {
        loop_arm(&w->loop, t, CHECK_MS);
        return;
    }
    w->drained.fn = worker_is_idle;
    loop_post(w->main_loop, &w->drained);
}

static void watch_idle(struct mail *m)
{
    struct to_worker *t = container_of(m, struct to_worker, mail);
    timer_init(&t->w->drain_check, check_idle);
    loop_arm(&t->w->loop, &t->w->drain_check, CHECK_MS);
    free(t);
}

static void worker_cut(struct mail *m);

/* Cuts what is left and gives the configuration back. */
static void cut_all(struct mail *m)
{
    struct to_worker *t = container_of(m, struct to_worker, mail);
    struct worker *w = t->w;
    list_foreach_safe (it, &w->downstreams) {
        struct downstream *d = list_entry(it, struct downstream, link);
        d->ops->abort(d->state);
    }
    worker_retire_lease(w);
    if (w->drain_check.fn != NULL)
        loop_cancel(&w->loop, &w->drain_check);
    /* Streams are reaped when this callback ends and return the lease then; the answer comes after.
     */
    t->mail.fn = worker_cut;
    loop_post(&w->loop, &t->mail);
}

static void worker_was_cut(struct mail *m)
{
    struct to_worker *t = container_of(m, struct to_worker, mail);
    struct server *s = t->s;
    free(t);
    if (--s->workers_busy == 0)
        loop_stop(&s->loop);
}

static void worker_cut(struct mail *m)
{
    struct to_worker *t = container_of(m, struct to_worker, mail);
    t->mail.fn = worker_was_cut;
    loop_post(t->w->main_loop, &t->mail);
}

/* ---- on main ---- */

void server_exit_now(struct server *s)
{
    if (s->stopping)
        return;
    s->stopping = true;
    loop_cancel(&s->loop, &s->drain_deadline);
    if (!s->init_done) {
        loop_stop(&s->loop);
        return;
    }
    s->workers_busy = s->n_workers;
    tell_all(s, cut_all, (struct to_worker){0});
}

static void deadline(struct timer *t)
{
    struct server *s = container_of(t, struct server, drain_deadline);
    log_warn("main.drain_timeout", "the drain time is over; connections that are left are cut");
    server_exit_now(s);
}

void server_drain_and_exit(struct server *s)
{
    if (s->state == SERVER_DRAINING && timer_armed(&s->drain_deadline)) {
        log_warn("main.second_signal", "exit without waiting any longer");
        server_exit_now(s);
        return;
    }
    if (!s->init_done) {
        server_exit_now(s);
        return;
    }
    s->state = SERVER_DRAINING;
    s->workers_busy = s->n_workers;
    tell_all(s, set_draining, (struct to_worker){.value = true});
    tell_all(s, stop_listeners, (struct to_worker){0});
    tell_all(s, watch_idle, (struct to_worker){0});
    timer_init(&s->drain_deadline, deadline);
    loop_arm(&s->loop, &s->drain_deadline, (uint64_t)s->opts->drain_time_s * 1000);
}

static void graceful_end(struct timer *t)
{
    struct server *s = container_of(t, struct server, drain_end);
    tell_all(s, stop_listeners, (struct to_worker){.inbound_only = s->drain_inbound_only});
}

void server_drain_listeners(struct server *s, bool graceful, bool skip_exit, bool inbound_only)
{
    if (!s->init_done)
        return;
    if (!graceful && !skip_exit) {
        tell_all(s, stop_listeners, (struct to_worker){.inbound_only = inbound_only});
        return;
    }
    /* A drain under way goes on as it began, unless more is to be drained. */
    if (timer_armed(&s->drain_end) && (inbound_only || !s->drain_inbound_only))
        return;
    bool gradual = s->opts->drain_strategy == OPTIONS_DRAIN_GRADUAL;
    uint64_t ms = (uint64_t)s->opts->drain_time_s * 1000;
    tell_all(s, set_draining,
             (struct to_worker){
                 .value = true, .drain_ms = gradual ? ms : 0, .inbound_only = inbound_only});
    if (skip_exit)
        return;
    s->drain_inbound_only = inbound_only;
    loop_cancel(&s->loop, &s->drain_end);
    timer_init(&s->drain_end, graceful_end);
    loop_arm(&s->loop, &s->drain_end, ms);
}

void server_health_fail(struct server *s, bool fail)
{
    s->health_failed = fail;
    if (s->init_done)
        tell_all(s, set_health, (struct to_worker){.value = fail});
}
