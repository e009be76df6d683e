#pragma once
/* The admin server: Envoy's paths, texts and JSON on one small HTTP server of the main loop (libevent's evhttp;
 * bufferevents are fine off the data path). Main thread.
 *
 * What it shows comes through struct admin_deps; it knows neither workers nor the server's insides. */
#include "base/str.h"
#include "net/addr.h"
#include "proxy/observe/stats.h"
#include <event2/event.h>
#include <protobuf-c/protobuf-c.h>

enum admin_state { ADMIN_LIVE, ADMIN_DRAINING, ADMIN_PRE_INITIALIZING, ADMIN_INITIALIZING };

struct admin_host {
    struct sv address; /* "1.2.3.4:80" */
    struct addr addr;
    struct sv hostname, region, zone, sub_zone;
    uint32_t weight, priority;
    bool canary;
    uint64_t cx_active, cx_connect_fail, cx_total;
    uint64_t rq_active, rq_error, rq_success, rq_timeout, rq_total, rq_pending_active;
};

struct admin_limits {
    uint32_t max_connections, max_pending_requests, max_requests, max_retries;
};

struct admin_cluster {
    struct sv name, observability_name;
    bool added_via_api;
    struct admin_limits limits[2]; /* default, high */
    const struct admin_host *hosts;
    size_t n_hosts;
};

struct admin_listener {
    struct sv name;
    struct sv address;
    struct addr addr;
};

/* The parameters of /config_dump; empty views and false when not given. */
struct admin_dump {
    struct sv resource, mask, name_regex;
    bool include_eds;
};

struct admin_deps {
    struct stats *stats;
    void *arg; /* first argument of all below */
    enum admin_state (*state)(void *arg);
    void (*refresh)(void *arg); /* computed gauges, before statistics are shown */
    /* envoy.admin.v3.ServerInfo in a; NULL without memory. */
    ProtobufCMessage *(*server_info)(void *arg, struct arena *a);
    /* Calls each for every cluster / listener. */
    void (*clusters)(void *arg, void (*each)(void *ctx, const struct admin_cluster *c), void *ctx);
    void (*listeners)(void *arg, void (*each)(void *ctx, const struct admin_listener *l), void *ctx);
    /* The messages of ConfigDump.configs (BootstrapConfigDump, ClustersConfigDump ...), in a. The page filters by
     * resource, mask and name. */
    MUST enum err (*config_dump)(void *arg, struct arena *a, ProtobufCMessage *const **out, size_t *n);
    void (*quit)(void *arg);
    void (*drain)(void *arg, bool graceful, bool skip_exit, bool inbound_only);
    void (*health)(void *arg, bool fail);
    void (*reopen_logs)(void *arg);
};

struct admin;
/* Binds and serves. deps is copied. d says why not. */
MUST enum err admin_new(struct event_base *base, const struct addr *bind, const struct admin_deps *deps,
                        struct admin **out, struct diag *d);
void admin_free(struct admin **a);
/* Where it listens (the port chosen for port 0), for --admin-address-path. */
const struct addr *admin_address(const struct admin *a);
