#pragma once
/* Clusters at run time: the shared part (statistics ids, circuit breakers, discovery on main) and
 * each worker's part (host set, cursor, pools). Source: envoy.config.cluster.v3.Cluster.
 *
 * Host sets are made on main and reach workers by mail; ORIGINAL_DST hosts are made by the worker
 * that needs them and are reported to main for the admin page. */
#include "proxy/upstream/host.h"
#include "proxy/worker.h"

/* X(field, "name in the statistics") for counters and gauges of cluster.<name>. */
/* clang-format off: one name a line */
#define CLUSTER_COUNTERS(X)                                                                        \
    X(assignment_stale)                                                                            \
    X(assignment_timeout_received)                                                                 \
    X(assignment_use_cached)                                                                       \
    X(bind_errors)                                                                                 \
    X(lb_healthy_panic)                                                                            \
    X(lb_local_cluster_not_ok)                                                                     \
    X(membership_change)                                                                           \
    X(original_dst_host_invalid)                                                                   \
    X(retry_or_shadow_abandoned)                                                                   \
    X(update_attempt)                                                                              \
    X(update_empty)                                                                                \
    X(update_failure)                                                                              \
    X(update_no_rebuild)                                                                           \
    X(update_success)                                                                              \
    X(upstream_cx_close_notify)                                                                    \
    X(upstream_cx_connect_attempts_exceeded)                                                       \
    X(upstream_cx_connect_fail)                                                                    \
    X(upstream_cx_connect_timeout)                                                                 \
    X(upstream_cx_destroy)                                                                         \
    X(upstream_cx_destroy_local)                                                                   \
    X(upstream_cx_destroy_local_with_active_rq)                                                    \
    X(upstream_cx_destroy_remote)                                                                  \
    X(upstream_cx_destroy_remote_with_active_rq)                                                   \
    X(upstream_cx_destroy_with_active_rq)                                                          \
    X(upstream_cx_http1_total)                                                                     \
    X(upstream_cx_idle_timeout)                                                                    \
    X(upstream_cx_max_duration_reached)                                                            \
    X(upstream_cx_max_requests)                                                                    \
    X(upstream_cx_none_healthy)                                                                    \
    X(upstream_cx_overflow)                                                                        \
    X(upstream_cx_pool_overflow)                                                                   \
    X(upstream_cx_protocol_error)                                                                  \
    X(upstream_cx_rx_bytes_total)                                                                  \
    X(upstream_cx_total)                                                                           \
    X(upstream_cx_tx_bytes_total)                                                                  \
    X(upstream_flow_control_backed_up_total)                                                       \
    X(upstream_flow_control_drained_total)                                                         \
    X(upstream_flow_control_paused_reading_total)                                                  \
    X(upstream_flow_control_resumed_reading_total)                                                 \
    X(upstream_rq_active_overflow)                                                                 \
    X(upstream_rq_cancelled)                                                                       \
    X(upstream_rq_completed)                                                                       \
    X(upstream_rq_maintenance_mode)                                                                \
    X(upstream_rq_max_duration_reached)                                                            \
    X(upstream_rq_pending_failure_eject)                                                           \
    X(upstream_rq_pending_overflow)                                                                \
    X(upstream_rq_pending_total)                                                                   \
    X(upstream_rq_per_try_timeout)                                                                 \
    X(upstream_rq_rx_reset)                                                                        \
    X(upstream_rq_timeout)                                                                         \
    X(upstream_rq_total)                                                                           \
    X(upstream_rq_tx_reset)
/* clang-format on */
/* clang-format off: one name a line */
#define CLUSTER_GAUGES(X)                                                                          \
    X(max_host_weight)                                                                             \
    X(membership_degraded)                                                                         \
    X(membership_excluded)                                                                         \
    X(membership_healthy)                                                                          \
    X(membership_total)                                                                            \
    X(upstream_cx_active)                                                                          \
    X(upstream_cx_rx_bytes_buffered)                                                               \
    X(upstream_cx_tx_bytes_buffered)                                                               \
    X(upstream_rq_active)                                                                          \
    X(upstream_rq_pending_active)                                                                  \
    X(version)                                                                                     \
    X(warming_state)
/* clang-format on */

/* Whose answers a code is counted for: all, and beside them external or internal, and canary
 * hosts'. */
enum cluster_scope { SCOPE_ALL, SCOPE_EXTERNAL, SCOPE_INTERNAL, SCOPE_CANARY, CLUSTER_SCOPES };

struct cluster_stats {
/* clang-format off */
#define X(name) stat_id name;
    CLUSTER_COUNTERS(X)
    CLUSTER_GAUGES(X)
#undef X
    /* clang-format on */
    /* histograms */
    stat_id upstream_cx_connect_ms, upstream_cx_length_ms, upstream_rq_time;
    stat_id class_of[CLUSTER_SCOPES][6]; /* by first digit; [0] is upstream_rq_completed */
    stat_id cb_open[M_PRIORITIES][3];    /* cx_open, rq_pending_open, rq_open */
};

/* Counts shared by workers: exact limits need them (relaxed atomics). */
struct breakers {
    uint32_t cx, pending, rq;
} __attribute__((aligned(64)));

enum breaker_kind { BREAKER_CX, BREAKER_PENDING, BREAKER_RQ };

struct dns_cluster; /* main's discovery state of a STRICT_DNS cluster */

struct cluster {
    const struct m_cluster *m; /* of the generation that owns this */
    struct cluster_stats st;
    struct breakers breakers[M_PRIORITIES];
    /* By code - 100; atomic; 0: not registered yet. */
    uint32_t code_ids[CLUSTER_SCOPES][500];
    struct server *server;
    unsigned workers;
    /* main only */
    struct host_set *set;  /* what workers were last told */
    struct link dst_hosts; /* ORIGINAL_DST: struct dst_report.link */
    struct dns_cluster *dns;
    bool ready; /* the first resolution ended, or none is needed */
};

struct wcluster {
    struct cluster *c;
    struct worker *w;
    struct host_set *set;
    uint32_t cursor;
    struct map *dst_hosts; /* ORIGINAL_DST: address text -> struct dst_host */
    struct link dst_list;
    struct timer dst_cleanup;
    struct link pools; /* struct pool.link */
};

/* ---- main ---- */
MUST enum err cluster_new(const struct m_cluster *m, struct server *server, struct cluster **out);
void cluster_free(struct cluster **c);
/* Starts discovery. on_ready(arg) is called once, at once for types that need none. */
MUST enum err cluster_start(struct cluster *c, void (*on_ready)(void *), void *arg);
/* New hosts: counts the change, keeps host objects whose address and attributes are the same, tells
 * the workers. */
MUST enum err cluster_set_hosts(struct cluster *c, const struct host_want *want, size_t n);
/* Calls fn for each host, ORIGINAL_DST ones included. */
void cluster_each_host(const struct cluster *c, void (*fn)(const struct host *, void *), void *arg);

/* Sets the gauges that are computed rather than counted (circuit breakers), before somebody looks.
 */
void cluster_refresh_gauges(struct cluster *c);

/* ---- worker ---- */
/* Made on main, before it is handed to the worker. */
MUST enum err wcluster_new(struct cluster *c, struct worker *w, struct wcluster **out);
void wcluster_free(struct wcluster **wc); /* closes its pools */
void wcluster_set_hosts(struct wcluster *wc, struct host_set *take_set);

struct pick {
    const struct addr *original_dst; /* NULL: the connection was not redirected */
};
/* A borrowed host, or NULL: none is there. */
struct host *wcluster_pick(struct wcluster *wc, const struct pick *p);

/* Takes one of the limit. False when it is reached. */
bool breaker_enter(struct cluster *c, unsigned priority, enum breaker_kind kind);
/* Takes one whether or not the limit is reached (a pool without a connection may always open one).
 */
void breaker_force(struct cluster *c, unsigned priority, enum breaker_kind kind);
void breaker_leave(struct cluster *c, unsigned priority, enum breaker_kind kind);
/* True while one more of that kind would pass. */
bool breaker_room(const struct cluster *c, unsigned priority, enum breaker_kind kind);

/* Counts an answer: upstream_rq_<code>, _<class>xx, completed, with their internal./external. twins
 * and, for an answer that says it is a canary's, canary. ones. */
void cluster_count_code(struct wcluster *wc, unsigned code, bool internal, bool canary);
