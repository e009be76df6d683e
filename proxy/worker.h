#pragma once
/* A worker: one thread, one loop, and what the data plane owns per thread. Workers share nothing
 * they write except the atomics of hosts and circuit breakers.
 *
 * Configuration reaches a worker as a generation: an immutable snapshot plus the clusters that run
 * it. Main posts one reference to each worker, which wraps it in a lease with a plain counter;
 * streams hold the lease. A lease that is neither current nor used goes back to main, which frees
 * (DESIGN.md decision 5). */
#include "config/model/model.h"
#include "net/loop.h"
#include "proxy/observe/access_log.h"
#include "proxy/observe/stats.h"
#include <pthread.h>

struct cluster;
struct wcluster;
struct server;

struct generation {
    uint32_t refs; /* main only: one for being current, one per lease */
    struct snap *snap;
    struct cluster **clusters; /* by m_cluster.index */
    size_t n_clusters;
};

struct lease {
    struct generation *gen;
    struct worker *worker;
    struct wcluster **clusters; /* by m_cluster.index, this worker's side of each */
    uint32_t uses;
    bool current;
    struct mail mail; /* the way here and back */
};

struct worker {
    unsigned index; /* from 0; statistics shard index + 1 */
    bool started;
    bool published; /* main: a generation was posted */
    bool draining;  /* answers close their connections: all, or more and more over drain_ms */
    bool drain_inbound_only;
    bool health_failed;                /* all answers close their connections */
    uint64_t drain_began_ms, drain_ms; /* drain_ms 0: all */
    pthread_t thread;
    struct loop loop;
    struct server *server;
    struct loop *main_loop;
    struct stats *stats_all;
    struct stat_shard *stats;
    struct alog_writer *alog;
    struct timer housekeeping; /* access log hand-over */
    struct lease *lease;       /* the current one */
    struct link downstreams;   /* struct downstream.link */
    size_t n_downstreams;
    struct timer drain_check; /* while draining: looks for quiet connections */
    struct mail drained;
    uint64_t *next_connection_id; /* atomic, shared */
};

/* Both on the worker's thread. */
struct lease *lease_get(struct worker *w);
void lease_put(struct lease **l);

/* Whether the answer being sent now should close its connection, which came by an inbound listener
 * or another one. */
bool worker_drains_now(struct worker *w, bool inbound);

MUST enum err worker_init(struct worker *w, unsigned index, struct server *server);
/* Starts the thread; its loop runs until worker_stop. */
MUST enum err worker_start(struct worker *w);
/* Main: stops the loop, joins, releases. All its connections must be closed or are cut. */
void worker_stop(struct worker *w);
/* Main: makes g the worker's current generation. Takes one reference. */
MUST enum err worker_publish(struct worker *w, struct generation *take_gen);
/* Worker: gives up the current lease (shutdown). */
void worker_retire_lease(struct worker *w);

/* Main only. The last drop stops the clusters and releases the snapshot. */
struct generation *generation_take(struct generation *g);
void generation_drop(struct generation **g);
