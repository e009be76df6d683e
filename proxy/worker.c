/* Workers, generations and leases; see worker.h. */
#define LOG_COMPONENT LOGC_MAIN
#include "proxy/worker.h"
#include "base/log.h"
#include "proxy/server.h"
#include "proxy/upstream/cluster.h"
#include <signal.h>
#include <stdlib.h>

enum { STREAM_CHUNK = 8 * 1024 };

/* ---- generations (main) ---- */

struct generation *generation_take(struct generation *g)
{
    g->refs++;
    return g;
}

void generation_drop(struct generation **gp)
{
    struct generation *g = *gp;
    *gp = NULL;
    if (g == NULL || --g->refs > 0)
        return;
    for (size_t i = 0; i < g->n_clusters; i++)
        cluster_free(&g->clusters[i]);
    free(g->clusters);
    snap_drop(&g->snap);
    free(g);
}

/* ---- leases ---- */

struct lease *lease_get(struct worker *w)
{
    w->lease->uses++;
    return w->lease;
}

/* Main: the worker is done with it. */
static void lease_returned(struct mail *m)
{
    struct lease *l = container_of(m, struct lease, mail);
    generation_drop(&l->gen);
    free(l->clusters);
    free(l);
}

static void give_back(struct lease *l)
{
    for (size_t i = 0; i < l->gen->n_clusters; i++)
        wcluster_free(&l->clusters[i]);
    l->mail.fn = lease_returned;
    loop_post(l->worker->main_loop, &l->mail);
}

void lease_put(struct lease **lp)
{
    struct lease *l = *lp;
    *lp = NULL;
    if (l != NULL && --l->uses == 0 && !l->current)
        give_back(l);
}

static void retire(struct worker *w)
{
    struct lease *old = w->lease;
    w->lease = NULL;
    if (old == NULL)
        return;
    old->current = false;
    if (old->uses == 0)
        give_back(old);
}

void worker_retire_lease(struct worker *w)
{
    retire(w);
}

static void take_lease(struct mail *m)
{
    struct lease *l = container_of(m, struct lease, mail);
    struct worker *w = l->worker;
    retire(w);
    l->current = true;
    w->lease = l;
}

/* The workers' sides of the clusters are made here, on main, which owns the host sets they start
 * with. */
enum err worker_publish(struct worker *w, struct generation *take_gen)
{
    size_t n = take_gen->n_clusters, made = 0;
    struct lease *l = calloc(1, sizeof(*l));
    struct wcluster **clusters = calloc(n + 1, sizeof(*clusters));
    enum err e = l != NULL && clusters != NULL ? OK : E_NOMEM;
    while (e == OK && made < n) {
        e = wcluster_new(take_gen->clusters[made], w, &clusters[made]);
        made += e == OK;
    }
    if (e != OK) {
        while (made > 0)
            wcluster_free(&clusters[--made]);
        free(clusters);
        free(l);
        generation_drop(&take_gen);
        return e;
    }
    l->gen = take_gen;
    l->clusters = clusters;
    l->worker = w;
    l->mail.fn = take_lease;
    w->published = true;
    loop_post(&w->loop, &l->mail);
    return OK;
}

bool worker_drains_now(struct worker *w, bool inbound)
{
    if (LIKELY(!w->draining && !w->health_failed))
        return false;
    if (w->health_failed)
        return true;
    if (w->drain_inbound_only && !inbound)
        return false;
    uint64_t elapsed = loop_now_ms(&w->loop) - w->drain_began_ms;
    return w->drain_ms == 0 || rng_below(&w->loop.rng, w->drain_ms) < elapsed;
}

/* ---- threads ---- */

static void housekeep(struct timer *t)
{
    struct worker *w = container_of(t, struct worker, housekeeping);
    alog_tick(w->alog, w->index, loop_now_ms(&w->loop));
    loop_arm(&w->loop, &w->housekeeping, alog_tick_ms(w->alog));
}

enum err worker_init(struct worker *w, unsigned index, struct server *server)
{
    *w = (struct worker){.index = index, .server = server};
    w->main_loop = server_main_loop(server);
    w->stats_all = server_stats(server);
    w->stats = stats_shard(w->stats_all, index + 1);
    w->alog = server_alog(server);
    w->next_connection_id = server_connection_ids(server);
    list_init(&w->downstreams);
    timer_init(&w->housekeeping, housekeep);
    return loop_init(&w->loop, clock_system(), STREAM_CHUNK);
}

static void *run(void *arg)
{
    struct worker *w = arg;
    char name[16];
    sigset_t all;
    /* Signals are main's. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    snprintf(name, sizeof(name), "wrk:worker_%u", w->index);
    pthread_setname_np(pthread_self(), name);
    loop_enter(&w->loop);
    loop_arm(&w->loop, &w->housekeeping, alog_tick_ms(w->alog));
    loop_run(&w->loop);
    return NULL;
}

enum err worker_start(struct worker *w)
{
    if (pthread_create(&w->thread, NULL, run, w) != 0)
        return E_IO;
    w->started = true;
    return OK;
}

void worker_stop(struct worker *w)
{
    if (w->started) {
        loop_stop(&w->loop);
        pthread_join(w->thread, NULL);
        w->started = false;
    }
    loop_fini(&w->loop);
}
