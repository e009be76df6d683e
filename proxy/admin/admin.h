#pragma once
/* The admin listener: Envoy's pages for operators and their tools, answered as a real Envoy 1.40
 * answers them. Main thread only; everything is on the event base it was given.
 *
 * What a page shows is asked of the callbacks in struct admin_deps, so this folder knows no server,
 * cluster or listener. The callbacks run from plain libevent callbacks: if they touch a struct
 * loop, bracketing is theirs. The process must ignore SIGPIPE. docs/admin.md lists the pages. */
#include "base/arena.h"
#include "base/clock.h"
#include "net/addr.h"
#include <protobuf-c/protobuf-c.h>

struct admin;
struct event_base;
struct stats;

/* As the server.state gauge counts them. */
enum admin_state { ADMIN_LIVE, ADMIN_DRAINING, ADMIN_PRE_INITIALIZING, ADMIN_INITIALIZING };

enum { ADMIN_PRIORITIES = 2 }; /* default, high */

struct admin_thresholds {
    uint32_t max_connections, max_pending_requests, max_requests, max_retries;
};

struct admin_cluster_view {
    struct sv name, observability_name;
    struct sv eds_service_name; /* empty: none */
    bool added_via_api;
    struct admin_thresholds thresholds[ADMIN_PRIORITIES];
};

/* Why a host is not used; none is "healthy". In the order in which they are printed. */
enum admin_health_flag {
    ADMIN_FAILED_ACTIVE_HC = 1 << 0,
    ADMIN_FAILED_OUTLIER_CHECK = 1 << 1,
    ADMIN_FAILED_EDS_HEALTH = 1 << 2,
    ADMIN_DEGRADED_ACTIVE_HC = 1 << 3,
    ADMIN_DEGRADED_EDS_HEALTH = 1 << 4,
    ADMIN_PENDING_DYNAMIC_REMOVAL = 1 << 5,
    ADMIN_PENDING_ACTIVE_HC = 1 << 6,
    ADMIN_EXCLUDED_VIA_IMMEDIATE_HC_FAIL = 1 << 7,
    ADMIN_ACTIVE_HC_TIMEOUT = 1 << 8,
};

struct admin_host_view {
    const struct addr *addr;
    struct sv hostname, region, zone, sub_zone;
    uint32_t weight, priority;
    uint32_t health_flags; /* enum admin_health_flag */
    bool canary;
    uint64_t cx_active, cx_connect_fail, cx_total;
    uint64_t rq_active, rq_error, rq_pending_active, rq_success, rq_timeout, rq_total;
    bool success_rate_known, local_success_rate_known; /* else -1 is shown */
    double success_rate, local_origin_success_rate;    /* 0..100 */
};

/* What the clusters callback calls: each cluster, then its hosts. Views are borrowed for the call.
 */
struct admin_cluster_sink {
    void (*cluster)(struct admin_cluster_sink *s, const struct admin_cluster_view *c);
    void (*host)(struct admin_cluster_sink *s, const struct admin_host_view *h);
};

/* What the listeners callback calls, once for each address of a listener. */
struct admin_listener_sink {
    void (*listener)(struct admin_listener_sink *s, struct sv name, const struct addr *local);
};

/* One part of /config_dump. */
struct admin_section {
    const char *type;                /* full name: envoy.admin.v3.ClustersConfigDump */
    const ProtobufCMessage *message; /* NULL: nothing to show but the type */
};

struct admin_deps {
    void *arg;                 /* first argument of every callback */
    const struct clock *clock; /* NULL: the machine's */
    struct stats *stats;
    /* Brings gauges that are computed when somebody looks up to date; NULL: there are none. */
    void (*refresh_stats)(void *arg);
    enum admin_state (*state)(void *arg);
    /* The envoy.admin.v3.ServerInfo, in a or living longer; NULL: no memory. */
    const ProtobufCMessage *(*server_info)(void *arg, struct arena *a);
    void (*clusters)(void *arg, struct admin_cluster_sink *sink);
    void (*listeners)(void *arg, struct admin_listener_sink *sink);
    /* The parts in Envoy's order, in a or living longer. endpoints: include_eds was asked for. */
    MUST enum err (*config_dump)(void *arg, bool endpoints, struct arena *a,
                                 const struct admin_section **out, size_t *n);
    void (*health_fail)(void *arg, bool fail);
    void (*drain_listeners)(void *arg, bool graceful, bool skip_exit, bool inbound_only);
    void (*reopen_logs)(void *arg);
    /* Called once the answer has been sent; may free nothing of the admin. */
    void (*quit)(void *arg);
};

enum {
    ADMIN_CONNECTIONS_MAX = 128,  /* more wait in the backlog */
    ADMIN_HEAD_MAX = 60 * 1024,   /* bytes of a request head */
    ADMIN_BODY_MAX = 1024 * 1024, /* bytes of a request body; more is refused */
    ADMIN_FORM_MAX = 64 * 1024,   /* bytes of a form, which stands for a query */
    ADMIN_IDLE_MS = 60000,        /* a connection without a request */
    ADMIN_REQUEST_MS = 30000,     /* a request that does not become complete */
    ADMIN_SEND_MS = 60000,        /* an answer that is not taken */
};

/* Listens on bind (port 0: any) and registers its statistics. deps is copied; what it points to
 * must live as long. E_IO: d->msg says why, as Envoy does; E_NOMEM. */
MUST enum err admin_new(struct event_base *base, const struct addr *bind,
                        const struct admin_deps *deps, struct admin **out, struct diag *d);
/* Closes everything; answers not yet sent are lost. */
void admin_free(struct admin **a);
/* Where it listens, for --admin-address-path. */
const struct addr *admin_address(const struct admin *a);
