/* See plane.h. */
#include "tests/unit/proxy/plane.h"
#include <signal.h>
#include <stdlib.h>

struct plane plane;
struct server {
    char nothing;
};
static struct server process;

struct stats *server_stats(struct server *s)
{
    (void)s;
    return plane.stats;
}

struct loop *server_main_loop(struct server *s)
{
    (void)s;
    return &plane.w.loop;
}

struct dns_resolver *server_dns(struct server *s)
{
    (void)s;
    return NULL;
}

struct alog_writer *server_alog(struct server *s)
{
    (void)s;
    return NULL;
}

unsigned server_worker_count(const struct server *s)
{
    (void)s;
    return 1;
}

struct worker *server_worker(struct server *s, unsigned i)
{
    (void)s;
    (void)i;
    return &plane.w;
}

uint64_t *server_connection_ids(struct server *s)
{
    (void)s;
    return &plane.connection_ids;
}

bool plane_open(void)
{
    memset(&plane, 0, sizeof plane);
    signal(SIGPIPE, SIG_IGN); /* as the process does */
    fake_clock_init(&plane.clock, 1000000000, UINT64_C(784111777000000));
    plane.stats = stats_new(2);
    if (plane.stats == NULL)
        return false;
    struct worker *w = &plane.w;
    w->server = &process;
    w->main_loop = &w->loop;
    w->stats_all = plane.stats;
    w->stats = stats_shard(plane.stats, 1);
    w->next_connection_id = &plane.connection_ids;
    list_init(&w->downstreams);
    return loop_init(&w->loop, &plane.clock.base, 8192) == OK;
}

void plane_close(void)
{
    worker_retire_lease(&plane.w);
    plane_run();
    loop_fini(&plane.w.loop);
    stats_free(&plane.stats);
}

void plane_run(void)
{
    for (int i = 0; i < 8; i++)
        event_base_loop(plane.w.loop.base, EVLOOP_NONBLOCK);
}

bool plane_wait(void)
{
    struct timeval limit = {.tv_sec = 10};
    event_base_loopexit(plane.w.loop.base, &limit);
    event_base_loop(plane.w.loop.base, EVLOOP_ONCE);
    return !event_base_got_exit(plane.w.loop.base);
}

void plane_advance(uint64_t ms)
{
    fake_clock_advance_ms(&plane.clock, ms);
    event_active(&plane.w.loop.tick, EV_TIMEOUT, 0);
    plane_run();
}

uint64_t plane_stat(const char *name)
{
    stat_id id;
    if (stats_counter(plane.stats, sv_str(name), &id) != OK &&
        stats_gauge(plane.stats, sv_str(name), &id) != OK)
        return 0;
    return stats_value(plane.stats, id);
}

static void ready(void *arg)
{
    *(bool *)arg = true;
}

static enum err start_cluster(struct generation *g, const struct m_cluster *m)
{
    bool started = false;
    TRY(cluster_new(m, &process, &g->clusters[0]));
    g->n_clusters = 1;
    TRY(cluster_start(g->clusters[0], ready, &started));
    return started ? OK : E_AGAIN;
}

bool plane_publish(const struct m_cluster *m)
{
    struct generation *g = calloc(1, sizeof *g);
    if (g == NULL)
        return false;
    g->refs = 1;
    g->clusters = calloc(1, sizeof(struct cluster *));
    if (g->clusters == NULL || (m != NULL && start_cluster(g, m) != OK)) {
        generation_drop(&g);
        return false;
    }
    if (worker_publish(&plane.w, g) != OK)
        return false;
    plane_run();
    return plane.w.lease != NULL;
}

struct wcluster *plane_cluster(const struct m_cluster *m)
{
    return plane_publish(m) ? plane.w.lease->clusters[0] : NULL;
}
