#pragma once
/* The admin server: Envoy's paths, texts and JSON on one small HTTP server of the main loop. Main
 * thread only. docs/admin.md lists the pages.
 *
 * What it shows comes through struct admin_deps; it knows neither workers nor the server's insides.
 * The callbacks run from plain libevent callbacks: where they touch a struct loop, loop_enter and
 * loop_leave are theirs to call. The process must ignore SIGPIPE. */
#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"
#include "net/addr.h"
#include "proxy/observe/stats.h"
#include <event2/event.h>
#include <protobuf-c/protobuf-c.h>

/* As the server.state gauge counts them. */
enum admin_state { ADMIN_LIVE, ADMIN_DRAINING, ADMIN_PRE_INITIALIZING, ADMIN_INITIALIZING };

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

struct admin_host {
    struct sv address; /* "1.2.3.4:80" */
    struct addr addr;
    struct sv hostname, region, zone, sub_zone;
    uint32_t weight, priority;
    bool canary;
    uint32_t health_flags; /* enum admin_health_flag */
    uint64_t cx_active, cx_connect_fail, cx_total;
    uint64_t rq_active, rq_error, rq_success, rq_timeout, rq_total, rq_pending_active;
};

struct admin_limits {
    uint32_t max_connections, max_pending_requests, max_requests, max_retries;
};

enum { ADMIN_PRIORITIES = 2 };

struct admin_cluster {
    struct sv name, observability_name;
    bool added_via_api;
    struct admin_limits limits[ADMIN_PRIORITIES]; /* default, high */
    const struct admin_host *hosts;
    size_t n_hosts;
};

/* One address of a listener. */
struct admin_listener {
    struct sv name;
    struct sv address;
    struct addr addr;
};

struct admin_deps {
    struct stats *stats;
    const struct clock *clock; /* NULL: the machine's */
    void *arg;                 /* first argument of all below */
    enum admin_state (*state)(void *arg);
    void (*refresh)(
        void *arg); /* computed gauges, before statistics are shown; NULL: there are none */
    /* envoy.admin.v3.ServerInfo in a; NULL without memory. */
    ProtobufCMessage *(*server_info)(void *arg, struct arena *a);
    /* Calls each for every cluster / address of a listener; views are borrowed for the call. */
    void (*clusters)(void *arg, void (*each)(void *ctx, const struct admin_cluster *c), void *ctx);
    void (*listeners)(void *arg, void (*each)(void *ctx, const struct admin_listener *l),
                      void *ctx);
    /* The messages of ConfigDump.configs (BootstrapConfigDump, ClustersConfigDump ...) in Envoy's
     * order, in a or living longer. The page filters by resource, mask and name, without touching
     * them, and adds the parts that are always empty here. */
    MUST enum err (*config_dump)(void *arg, struct arena *a, ProtobufCMessage *const **out,
                                 size_t *n);
    void (*quit)(void *arg); /* called once the answer has been sent */
    void (*drain)(void *arg, bool graceful, bool skip_exit, bool inbound_only);
    void (*health)(void *arg, bool fail);
    void (*reopen_logs)(void *arg);
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

struct admin;
/* Binds, registers its own statistics and serves. deps is copied. d says why not: E_IO, E_NOMEM.
 * None of its callbacks may free the admin. */
MUST enum err admin_new(struct event_base *base, const struct addr *bind,
                        const struct admin_deps *deps, struct admin **out, struct diag *d);
/* Closes everything; answers not yet sent are lost. */
void admin_free(struct admin **a);
/* Where it listens (the port chosen for port 0), for --admin-address-path. */
const struct addr *admin_address(const struct admin *a);
