#pragma once
/* The process's insides, shared by proxy/server*.c only. Main thread. */
#include "net/dns.h"
#include "proxy/listener/listener.h"
#include "proxy/observe/env.h"
#include "proxy/server.h"
#include "proxy/upstream/cluster.h"

enum server_state { SERVER_LIVE, SERVER_DRAINING, SERVER_PRE_INITIALIZING, SERVER_INITIALIZING };

struct admin;

/* Gauges of server.* that are computed when somebody looks. */
struct server_stats {
    stat_id uptime, live, state, concurrency, memory_allocated, memory_heap_size,
        memory_physical_size;
    stat_id total_connections, parent_connections, version, hot_restart_epoch, days_until_cert;
    stat_id initialization_time_ms; /* histogram */
    stat_id active_clusters, warming_clusters, cluster_added;
    stat_id listeners_active, listener_added, listener_create_success, workers_started;
};

struct server {
    const struct options *opts;
    struct loop loop;
    struct stats *stats;
    struct server_stats st;
    struct alog_writer *alog;
    struct dns_resolver *dns;
    struct env env;
    char local_ip[ADDR_TEXT_MAX];
    struct snap *snap; /* until the generation takes it */
    struct generation *gen;
    struct listener **listeners;
    size_t n_listeners;
    struct worker *workers;
    unsigned n_workers;
    struct admin *admin;
    enum server_state state;
    bool health_failed; /* POST /healthcheck/fail */
    bool init_done;     /* reached LIVE */
    size_t clusters_waiting;
    uint64_t connection_ids;
    uint64_t started_us, started_wall_us;
    struct timer flush, drain_deadline, drain_end;
    struct event signals[5];
    unsigned workers_busy; /* draining: not yet without connections */
    bool stopping, drain_inbound_only;
    int exit_code;
};

/* server_start.c */
MUST enum err server_start(struct server *s, struct diag *d);
void server_release(struct server *s);
/* server_stop.c */
void server_drain_and_exit(struct server *s); /* SIGTERM */
void server_exit_now(struct server *s);       /* SIGINT, /quitquitquit */
/* /drain_listeners. graceful: over the drain time, then stop accepting; skip_exit: drain, but go on
 * accepting. Neither: stop accepting now. */
void server_drain_listeners(struct server *s, bool graceful, bool skip_exit, bool inbound_only);
void server_health_fail(struct server *s, bool fail);
/* server_signals.c */
MUST enum err server_signals_start(struct server *s);
void server_signals_stop(struct server *s);
void server_reopen_logs(struct server *s);
/* server_stats.c */
MUST enum err server_stats_register(struct server *s);
void server_stats_refresh(struct server *s);
/* server_admin.c */
MUST enum err server_admin_start(struct server *s, struct diag *d);
