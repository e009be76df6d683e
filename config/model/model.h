#pragma once
/* The runtime model: what the data plane reads. Built from Envoy messages by config/model on the
 * main thread, validated, then immutable. Everything lives in the snapshot's arena; views stay
 * valid as long as the snapshot does.
 *
 * Sources: envoy.config.bootstrap.v3, listener.v3, route.v3, cluster.v3, endpoint.v3, core.v3.
 * Addresses are text plus port here (the folder knows no sockets), already checked to be literals
 * where Envoy demands it. Durations are milliseconds; 0 means off where Envoy says so. */
#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "envoy/config/core/v3/base.pb-c.h"
#include <protobuf-c/protobuf-c.h>

struct model_build;

/* A google.protobuf.Any, borrowed. */
struct any_view {
    const char *type_url;
    const uint8_t *bytes;
    size_t n;
};

/* One implemented extension. The tables of the data plane embed this as their first member; conf
 * turns the typed configuration into what the extension reads at run time (allocated in the
 * snapshot arena), or fails naming the field. in->n is 0 when there was no typed_config. Main
 * thread. */
struct model_ext {
    const char *name;     /* envoy.filters.network.tcp_proxy */
    const char *type_url; /* full message name, without the type.googleapis.com/ prefix */
    bool terminal;
    enum err (*conf)(const struct any_view *in, struct model_build *b, const void **out,
                     struct diag *d);
};

/* NULL-terminated lists. */
struct model_registry {
    const struct model_ext *const *listener_filters;
    const struct model_ext *const *network_filters;
    const struct model_ext *const *http_filters;
    const struct model_ext *const *access_loggers;
};

struct m_address {
    struct sv host; /* IP literal, or a name where the cluster type allows one */
    uint16_t port;
    bool is_name;
    bool ipv4_compat;
};

struct m_ext {
    const struct model_ext *ext;
    struct sv name;
    const void *conf;
};

enum m_direction { M_DIR_UNSPECIFIED, M_DIR_INBOUND, M_DIR_OUTBOUND };

struct m_filter_chain {
    struct sv name;
    uint32_t destination_port; /* 0: any */
    const struct m_ext *filters;
    size_t n_filters;
};

struct m_listener {
    struct sv name;        /* given, or made up as Envoy does */
    struct sv stat_prefix; /* empty: the address */
    struct m_address address;
    const struct m_ext *listener_filters; /* use_original_dst adds original_dst in front */
    size_t n_listener_filters;
    const struct m_filter_chain *chains;
    size_t n_chains;
    const struct m_filter_chain *default_chain; /* or NULL */
    uint64_t listener_filters_timeout_ms;       /* 15000; 0 off */
    bool continue_on_listener_filters_timeout;
    uint32_t per_connection_buffer_limit_bytes; /* 1 MiB */
    uint32_t tcp_backlog;                       /* 0: the system's */
    bool reuse_port;
    enum m_direction direction;
    const ProtobufCMessage *message; /* envoy.config.listener.v3.Listener, for config_dump */
};

enum m_cluster_type { M_CLUSTER_STATIC, M_CLUSTER_STRICT_DNS, M_CLUSTER_ORIGINAL_DST };
enum m_lb_policy { M_LB_ROUND_ROBIN, M_LB_CLUSTER_PROVIDED };
enum m_dns_family { M_DNS_AUTO, M_DNS_V4_ONLY, M_DNS_V6_ONLY, M_DNS_V4_PREFERRED, M_DNS_ALL };

struct m_locality {
    struct sv region, zone, sub_zone;
};

struct m_endpoint {
    struct m_address address;
    struct sv hostname;
    uint32_t weight; /* >= 1 */
    uint32_t priority;
    const struct m_locality *locality; /* never NULL */
};

enum { M_PRIORITY_DEFAULT, M_PRIORITY_HIGH, M_PRIORITIES };

struct m_thresholds {
    uint32_t max_connections, max_pending_requests, max_requests; /* 1024 each */
    uint32_t max_retries;                                         /* 3 */
};

struct m_cluster {
    struct sv name;
    struct sv stat_name; /* alt_stat_name or name */
    uint32_t index;      /* position in the snapshot */
    enum m_cluster_type type;
    enum m_lb_policy lb_policy;
    uint64_t connect_timeout_ms; /* 5000 */
    uint32_t per_connection_buffer_limit_bytes;
    struct m_thresholds thresholds[M_PRIORITIES];
    const struct m_endpoint *endpoints;
    size_t n_endpoints;
    enum m_dns_family dns_family;
    uint64_t dns_refresh_ms;                          /* 5000 */
    uint64_t dns_failure_base_ms, dns_failure_max_ms; /* both dns_refresh_ms unless set */
    bool respect_dns_ttl;
    uint64_t cleanup_interval_ms;         /* 5000; ORIGINAL_DST */
    uint64_t idle_timeout_ms;             /* pooled connections; 3600000; 0 off */
    uint32_t max_requests_per_connection; /* 0: no limit */
    uint64_t max_connection_duration_ms;  /* 0: no limit */
    uint32_t max_headers_count;           /* of a response; 100 */
    const ProtobufCMessage *message;      /* envoy.config.cluster.v3.Cluster */
};

/* ---- routes ---- */

struct m_weighted_cluster {
    struct sv cluster;
    uint32_t weight;        /* > 0: zero weights are left out */
    uint32_t cluster_index; /* UINT32_MAX: unknown cluster */
};

enum m_match_kind { M_MATCH_PREFIX, M_MATCH_PATH };
enum m_action_kind { M_ACTION_ROUTE, M_ACTION_DIRECT_RESPONSE };

struct m_route {
    struct sv name;
    enum m_match_kind match;
    struct sv match_text;
    bool case_insensitive;
    enum m_action_kind action;
    /* route */
    const struct m_weighted_cluster *clusters; /* a single cluster is one entry of weight 1 */
    uint32_t n_clusters;
    uint64_t total_weight;
    uint64_t timeout_ms;      /* 15000; 0 off */
    uint64_t idle_timeout_ms; /* of has_idle_timeout */
    bool has_idle_timeout;
    bool has_prefix_rewrite;
    struct sv prefix_rewrite, host_rewrite_literal; /* empty: none */
    uint8_t priority;                               /* M_PRIORITY_* */
    uint16_t cluster_not_found_code;                /* 503 or 404 or 500 */
    /* direct_response */
    uint16_t direct_status;
    struct sv direct_body;
};

struct m_vhost {
    struct sv name;
    /* Without those whose match_text holds a '?' or '#': they fit no path, as its query is cut off.
     */
    const struct m_route *routes;
    size_t n_routes;
};

/* A wildcard domain with its star cut off. */
struct m_wildcard {
    struct sv text; /* lower case: ".example.com" of a suffix, "www." of a prefix */
    const struct m_vhost *vhost;
};

struct m_route_config {
    struct sv name;
    const struct m_vhost *vhosts;
    size_t n_vhosts;
    struct map *exact;                 /* lower-case domain -> const struct m_vhost; NULL: none */
    const struct m_wildcard *suffixes; /* longest first */
    size_t n_suffixes;
    const struct m_wildcard *prefixes; /* longest first */
    size_t n_prefixes;
    const struct m_vhost *any;       /* "*", or NULL */
    const ProtobufCMessage *message; /* envoy.config.route.v3.RouteConfiguration */
};

/* ---- snapshot ---- */

struct m_admin {
    bool present;
    struct m_address address;
    const struct m_ext *access_logs;
    size_t n_access_logs;
};

struct snap {
    uint32_t refs; /* atomic; see snap_take */
    uint64_t version;
    struct arena *arena;
    const struct m_listener *listeners;
    size_t n_listeners;
    const struct m_cluster *clusters;
    size_t n_clusters;
    struct map *cluster_by_name;                       /* -> const struct m_cluster */
    const struct m_route_config *const *route_configs; /* all inline ones, for config_dump */
    size_t n_route_configs;
    struct m_admin admin;
    uint64_t stats_flush_ms;           /* 5000 */
    const ProtobufCMessage *bootstrap; /* envoy.config.bootstrap.v3.Bootstrap */
    /* envoy.config.core.v3.Node, the command line's overrides applied; or NULL. */
    const ProtobufCMessage *node;
};

/* What a conf callback may use while a snapshot is built. */
struct model_build {
    struct snap *snap;
    struct arena *arena; /* the snapshot's */
    const struct model_registry *registry;
    void *env; /* the data plane's own (statistics, log writer); not touched by config/ */
    struct link route_configs; /* private to model_*.c */
    uint32_t n_route_configs;
};

/* What a snapshot is built of. Both messages live in take_arena. */
struct model_input {
    const ProtobufCMessage *bootstrap; /* which reflect already accepted */
    const ProtobufCMessage *node;      /* NULL: the bootstrap's */
    struct arena *take_arena;
    const struct model_registry *registry;
    void *env;
};

/* Builds a snapshot; it owns take_arena from then on, also on failure. d names the field path and,
 * in msg, Envoy's wording of the reason. On OK refs is 1. */
MUST enum err model_build_input(const struct model_input *in, struct snap **out, struct diag *d);
/* The same with the bootstrap's own node. */
MUST enum err model_build(const ProtobufCMessage *bootstrap, struct arena *take_arena,
                          const struct model_registry *registry, void *env, struct snap **out,
                          struct diag *d);

/* Reference counting, any thread; the last drop must be on main (style.md section 3: workers post
 * leases back). */
struct snap *snap_take(struct snap *s);
void snap_drop(struct snap **s);

/* ---- for conf callbacks ---- */

/* Unpacks in into the snapshot arena as desc; E_PARSE when it is not that message. */
MUST enum err model_unpack(struct model_build *b, const struct any_view *in,
                           const ProtobufCMessageDescriptor *desc, const ProtobufCMessage **out,
                           struct diag *d);
/* A google.protobuf.Duration in ms, rounded up; the default when msg is NULL. E_PARSE: negative or
 * out of range. */
MUST enum err model_duration_ms(const ProtobufCMessage *duration, uint64_t dflt_ms, uint64_t *out,
                                struct diag *d);
/* An extension of a list by its Any; E_UNSUPPORTED names it: "Didn't find a registered
 * implementation for 'NAME' with type URL: 'URL'". name may be empty. */
MUST enum err model_ext(struct model_build *b, const struct model_ext *const *list, struct sv name,
                        const struct any_view *typed_config, struct m_ext *out, struct diag *d);
/* envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter entries -> m_ext array,
 * without those that are disabled, or unknown and optional. The last one must be terminal, and only
 * the last; none at all is accepted. d->path begins with "http_filters[". */
MUST enum err model_http_filters(struct model_build *b, ProtobufCMessage *const *msgs, size_t n,
                                 const struct m_ext **out, size_t *n_out, struct diag *d);
/* access_log entries -> m_ext array. d->path begins with "access_log[". */
MUST enum err model_access_logs(struct model_build *b, ProtobufCMessage *const *msgs, size_t n,
                                const struct m_ext **out, size_t *n_out, struct diag *d);
/* envoy.config.route.v3.RouteConfiguration; remembered in the snapshot for config_dump. d->path
 * is relative to it. */
MUST enum err model_route_config(struct model_build *b, const ProtobufCMessage *msg,
                                 const struct m_route_config **out, struct diag *d);
/* The position of a cluster; UINT32_MAX: unknown, which tcp_proxy accepts. */
uint32_t model_cluster_index(const struct model_build *b, struct sv name);
/* A single cluster's name as a list of one entry of weight 1. */
MUST enum err model_clusters(struct model_build *b, struct sv single,
                             const struct m_weighted_cluster **out, uint32_t *n_out,
                             struct diag *d);

/* model_source.c: what a data source holds, read now. More than max bytes are refused. */
MUST enum err model_data_source(struct model_build *b, const Envoy__Config__Core__V3__DataSource *m,
                                size_t max, struct sv *out, struct diag *d);
