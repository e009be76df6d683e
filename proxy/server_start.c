/* From a snapshot to workers that accept: statistics, clusters (which may have to resolve names
 * first), listeners, threads. Main thread. */
#define LOG_COMPONENT LOGC_MAIN
#include "base/log.h"
#include "proxy/options.h"
#include "proxy/server_int.h"
#include <signal.h>
#include <stdlib.h>

static void start_workers(struct server *s);

/* ---- listeners on workers ---- */

struct start_mail {
    struct mail mail;
    struct worker *w;
    struct server *s;
};

static void start_listeners(struct mail *m)
{
    struct start_mail *t = container_of(m, struct start_mail, mail);
    struct server *s = t->s;
    for (size_t i = 0; i < s->n_listeners; i++)
        if (listener_start(s->listeners[i], t->w, s->listeners, s->n_listeners) != OK)
            log_critical("main.listen_failed", "listener=%s", s->listeners[i]->text);
    free(t);
}

static enum err start_worker(struct server *s, struct worker *w)
{
    struct start_mail *m = malloc(sizeof(*m));
    if (m == NULL)
        return E_NOMEM;
    *m = (struct start_mail){.mail = {.fn = start_listeners}, .w = w, .s = s};
    enum err e = worker_publish(w, generation_take(s->gen));
    if (e != OK) {
        free(m);
        return e;
    }
    loop_post(&w->loop, &m->mail);
    return worker_start(w);
}

static void went_live(struct server *s)
{
    s->init_done = true;
    s->state = SERVER_LIVE;
    stats_gauge_set(s->stats, s->st.workers_started, 1);
    stats_gauge_set(s->stats, s->st.state, SERVER_LIVE);
    stats_gauge_set(s->stats, s->st.live, 1);
    uint64_t ms = (clock_mono_us(clock_system()) - s->started_us) / 1000;
    stat_record(stats_shard(s->stats, 0), s->st.initialization_time_ms, ms);
    log_info("main.live", "listeners=%zu clusters=%zu workers=%u ms=%lu", s->n_listeners,
             s->gen->n_clusters, s->n_workers, (unsigned long)ms);
}

static void start_workers(struct server *s)
{
    sigset_t all, before;
    /* Threads inherit the mask: a signal must find main. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    enum err e = OK;
    for (unsigned i = 0; e == OK && i < s->n_workers; i++)
        e = start_worker(s, &s->workers[i]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (e == OK) {
        went_live(s);
        return;
    }
    log_critical("main.start_failed", "err=%s", err_name(e));
    s->exit_code = 1;
    loop_stop(&s->loop);
}

/* ---- clusters ---- */

static void cluster_ready(void *arg)
{
    struct server *s = arg;
    BUG_ON(s->clusters_waiting == 0);
    if (--s->clusters_waiting == 0)
        start_workers(s);
}

static enum err make_clusters(struct server *s, struct snap *take_snap)
{
    struct generation *g = calloc(1, sizeof(*g));
    if (g == NULL) {
        snap_drop(&take_snap);
        return E_NOMEM;
    }
    g->refs = 1;
    g->snap = take_snap;
    s->gen = g;
    g->clusters = calloc(g->snap->n_clusters + 1, sizeof(*g->clusters));
    if (g->clusters == NULL)
        return E_NOMEM;
    for (; g->n_clusters < g->snap->n_clusters; g->n_clusters++)
        TRY(cluster_new(&g->snap->clusters[g->n_clusters], s, &g->clusters[g->n_clusters]));
    stats_gauge_set(s->stats, s->st.active_clusters, g->n_clusters);
    stat_add(stats_shard(s->stats, 0), s->st.cluster_added, g->n_clusters);
    return OK;
}

static enum err start_clusters(struct server *s)
{
    /* One more than there are, so that workers start once, after the last call below. */
    s->clusters_waiting = s->gen->n_clusters + 1;
    s->state = SERVER_PRE_INITIALIZING;
    for (size_t i = 0; i < s->gen->n_clusters; i++)
        TRY(cluster_start(s->gen->clusters[i], cluster_ready, s));
    s->state = SERVER_INITIALIZING;
    cluster_ready(s);
    return OK;
}

static enum err open_listeners(struct server *s, struct diag *d)
{
    const struct snap *snap = s->gen->snap;
    s->listeners = calloc(snap->n_listeners + 1, sizeof(struct listener *));
    if (s->listeners == NULL)
        return diag_fail(d, E_NOMEM, "out of memory");
    for (; s->n_listeners < snap->n_listeners; s->n_listeners++) {
        const struct m_listener *m = &snap->listeners[s->n_listeners];
        enum err e = listener_open(m, s->stats, s->n_workers, &s->listeners[s->n_listeners], d);
        if (e != OK) {
            diag_prefix(d, "error adding listener '%.*s'", SVF(m->name));
            return e;
        }
    }
    stats_gauge_set(s->stats, s->st.listeners_active, s->n_listeners);
    stat_add(stats_shard(s->stats, 0), s->st.listener_added, s->n_listeners);
    stat_add(stats_shard(s->stats, 0), s->st.listener_create_success,
             s->n_listeners * s->n_workers);
    return OK;
}

static void flush(struct timer *t)
{
    struct server *s = container_of(t, struct server, flush);
    server_stats_refresh(s);
    stats_gauge_set(s->stats, s->st.state, s->state);
    stats_flush(s->stats);
    loop_arm(&s->loop, &s->flush, s->gen->snap->stats_flush_ms);
}

enum err server_start(struct server *s, struct diag *d)
{
    enum err e = make_clusters(s, s->snap);
    s->snap = NULL;
    if (e != OK)
        return diag_fail(d, e, "cannot create the clusters: %s", err_name(e));
    TRY(open_listeners(s, d));
    for (unsigned i = 0; i < s->n_workers; i++)
        if ((e = worker_init(&s->workers[i], i, s)) != OK)
            return diag_fail(d, e, "cannot create a worker: %s", err_name(e));
    TRY(server_admin_start(s, d));
    timer_init(&s->flush, flush);
    loop_arm(&s->loop, &s->flush, s->gen->snap->stats_flush_ms);
    if ((e = start_clusters(s)) != OK)
        return diag_fail(d, e, "cannot start the clusters: %s", err_name(e));
    return OK;
}
