/* The value rules of the schema, as upstream's validate options state them: facts of the wire
 * contract. Sorted by message. A field that gains a rule upstream gains a row here;
 * tests/e2e/test_descriptors.py finds what is missing. */
#include "config/reflect/rules_int.h"
#include <string.h>

#define MILLISECOND INT64_C(1000000)
#define SECOND (1000 * MILLISECOND)

#define BOOTSTRAP "envoy.config.bootstrap.v3.Bootstrap"
#define CIRCUIT_BREAKERS_THRESHOLDS "envoy.config.cluster.v3.CircuitBreakers.Thresholds"
#define CLUSTER "envoy.config.cluster.v3.Cluster"
#define CLUSTER_REFRESH_RATE "envoy.config.cluster.v3.Cluster.RefreshRate"
#define ADDRESS "envoy.config.core.v3.Address"
#define CIDR_RANGE "envoy.config.core.v3.CidrRange"
#define DATA_SOURCE "envoy.config.core.v3.DataSource"
#define HTTP_PROTOCOL_OPTIONS "envoy.config.core.v3.HttpProtocolOptions"
#define METADATA "envoy.config.core.v3.Metadata"
#define SOCKET_ADDRESS "envoy.config.core.v3.SocketAddress"
#define SUBSTITUTION_FORMAT_STRING "envoy.config.core.v3.SubstitutionFormatString"
#define CLUSTER_LOAD_ASSIGNMENT "envoy.config.endpoint.v3.ClusterLoadAssignment"
#define LB_ENDPOINT "envoy.config.endpoint.v3.LbEndpoint"
#define LOCALITY_LB_ENDPOINTS "envoy.config.endpoint.v3.LocalityLbEndpoints"
#define FILTER "envoy.config.listener.v3.Filter"
#define FILTER_CHAIN_MATCH "envoy.config.listener.v3.FilterChainMatch"
#define LISTENER_FILTER "envoy.config.listener.v3.ListenerFilter"
#define DIRECT_RESPONSE_ACTION "envoy.config.route.v3.DirectResponseAction"
#define ROUTE "envoy.config.route.v3.Route"
#define ROUTE_ACTION "envoy.config.route.v3.RouteAction"
#define ROUTE_MATCH "envoy.config.route.v3.RouteMatch"
#define VIRTUAL_HOST "envoy.config.route.v3.VirtualHost"
#define WEIGHTED_CLUSTER "envoy.config.route.v3.WeightedCluster"
#define FILE_ACCESS_LOG "envoy.extensions.access_loggers.file.v3.FileAccessLog"
#define STDERR_ACCESS_LOG "envoy.extensions.access_loggers.stream.v3.StderrAccessLog"
#define STDOUT_ACCESS_LOG "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"
#define HTTP_CONNECTION_MANAGER                                                                    \
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
#define HTTP_FILTER "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter"
#define TCP_PROXY "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
#define TCP_PROXY_WEIGHTED_CLUSTER                                                                 \
    "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster"
#define TCP_PROXY_WEIGHTED_CLUSTER_CLUSTER_WEIGHT                                                  \
    "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.WeightedCluster.ClusterWeight"

/* RANGE: OPEN excludes the bound, CLOSED includes it, NONE means that there is none. */
#define MIN_LEN(m, f, n)                                                                           \
    {                                                                                              \
        .message = m, .field = f, .kind = RULE_MIN_LEN, .min = n                                   \
    }
#define MIN_ITEMS(m, f, n)                                                                         \
    {                                                                                              \
        .message = m, .field = f, .kind = RULE_MIN_ITEMS, .min = n                                 \
    }
#define KEY_MIN_LEN(m, f, n)                                                                       \
    {                                                                                              \
        .message = m, .field = f, .kind = RULE_KEY_MIN_LEN, .min = n                               \
    }
#define RANGE(m, f, l, a, h, b)                                                                    \
    {                                                                                              \
        .message = m, .field = f, .kind = RULE_RANGE, .low = l, .min = a, .high = h, .max = b      \
    }
#define ENUM(m, f)                                                                                 \
    {                                                                                              \
        .message = m, .field = f, .kind = RULE_ENUM                                                \
    }
#define REQUIRED(m, f)                                                                             \
    {                                                                                              \
        .message = m, .field = f, .kind = RULE_REQUIRED                                            \
    }
#define ONEOF(m, f, one)                                                                           \
    {                                                                                              \
        .message = m, .field = f, .kind = RULE_ONEOF, .member = one                                \
    }
#define HEADER_VALUE(m, f)                                                                         \
    {                                                                                              \
        .message = m, .field = f, .kind = RULE_HEADER_VALUE                                        \
    }

static const struct rule rules[] = {
    RANGE(BOOTSTRAP, "stats_flush_interval", CLOSED, MILLISECOND, OPEN, 300 * SECOND),
    ENUM(CIRCUIT_BREAKERS_THRESHOLDS, "priority"),
    MIN_LEN(CLUSTER, "name", 1),
    ENUM(CLUSTER, "type"),
    RANGE(CLUSTER, "connect_timeout", OPEN, 0, NONE, 0),
    ENUM(CLUSTER, "lb_policy"),
    RANGE(CLUSTER, "dns_refresh_rate", OPEN, MILLISECOND, NONE, 0),
    ENUM(CLUSTER, "dns_lookup_family"),
    RANGE(CLUSTER, "cleanup_interval", OPEN, 0, NONE, 0),
    REQUIRED(CLUSTER_REFRESH_RATE, "base_interval"),
    RANGE(CLUSTER_REFRESH_RATE, "base_interval", OPEN, MILLISECOND, NONE, 0),
    RANGE(CLUSTER_REFRESH_RATE, "max_interval", OPEN, MILLISECOND, NONE, 0),
    ONEOF(ADDRESS, "address", "socket_address"),
    MIN_LEN(CIDR_RANGE, "address_prefix", 1),
    RANGE(CIDR_RANGE, "prefix_len", NONE, 0, CLOSED, 128),
    MIN_LEN(DATA_SOURCE, "filename", 1),
    MIN_LEN(DATA_SOURCE, "environment_variable", 1),
    ONEOF(DATA_SOURCE, "specifier", "filename"),
    RANGE(HTTP_PROTOCOL_OPTIONS, "max_headers_count", CLOSED, 1, NONE, 0),
    KEY_MIN_LEN(METADATA, "filter_metadata", 1),
    ENUM(SOCKET_ADDRESS, "protocol"),
    MIN_LEN(SOCKET_ADDRESS, "address", 1),
    RANGE(SOCKET_ADDRESS, "port_value", NONE, 0, CLOSED, 65535),
    ONEOF(SOCKET_ADDRESS, "port_specifier", "port_value"),
    ONEOF(SUBSTITUTION_FORMAT_STRING, "format", "text_format"),
    MIN_LEN(CLUSTER_LOAD_ASSIGNMENT, "cluster_name", 1),
    RANGE(LB_ENDPOINT, "load_balancing_weight", CLOSED, 1, NONE, 0),
    RANGE(LOCALITY_LB_ENDPOINTS, "load_balancing_weight", CLOSED, 1, NONE, 0),
    MIN_LEN(FILTER, "name", 1),
    RANGE(FILTER_CHAIN_MATCH, "destination_port", CLOSED, 1, CLOSED, 65535),
    MIN_LEN(LISTENER_FILTER, "name", 1),
    RANGE(DIRECT_RESPONSE_ACTION, "status", CLOSED, 200, OPEN, 600),
    REQUIRED(ROUTE, "match"),
    ONEOF(ROUTE, "action", "route"),
    MIN_LEN(ROUTE_ACTION, "cluster", 1),
    HEADER_VALUE(ROUTE_ACTION, "prefix_rewrite"),
    HEADER_VALUE(ROUTE_ACTION, "host_rewrite_literal"),
    ENUM(ROUTE_ACTION, "priority"),
    ENUM(ROUTE_ACTION, "cluster_not_found_response_code"),
    ONEOF(ROUTE_ACTION, "cluster_specifier", "cluster"),
    ONEOF(ROUTE_MATCH, "path_specifier", "prefix"),
    MIN_LEN(VIRTUAL_HOST, "name", 1),
    MIN_ITEMS(VIRTUAL_HOST, "domains", 1),
    HEADER_VALUE(VIRTUAL_HOST, "domains"),
    MIN_ITEMS(WEIGHTED_CLUSTER, "clusters", 1),
    MIN_LEN(FILE_ACCESS_LOG, "path", 1),
    REQUIRED(FILE_ACCESS_LOG, "log_format"),
    REQUIRED(STDERR_ACCESS_LOG, "log_format"),
    REQUIRED(STDOUT_ACCESS_LOG, "log_format"),
    ENUM(HTTP_CONNECTION_MANAGER, "codec_type"),
    MIN_LEN(HTTP_CONNECTION_MANAGER, "stat_prefix", 1),
    HEADER_VALUE(HTTP_CONNECTION_MANAGER, "server_name"),
    HEADER_VALUE(HTTP_CONNECTION_MANAGER, "via"),
    RANGE(HTTP_CONNECTION_MANAGER, "max_request_headers_kb", OPEN, 0, CLOSED, 8192),
    ENUM(HTTP_CONNECTION_MANAGER, "server_header_transformation"),
    RANGE(HTTP_CONNECTION_MANAGER, "request_headers_timeout", CLOSED, 0, NONE, 0),
    ONEOF(HTTP_CONNECTION_MANAGER, "route_specifier", "route_config"),
    MIN_LEN(HTTP_FILTER, "name", 1),
    MIN_LEN(TCP_PROXY, "stat_prefix", 1),
    RANGE(TCP_PROXY, "max_connect_attempts", CLOSED, 1, NONE, 0),
    ONEOF(TCP_PROXY, "cluster_specifier", "cluster"),
    MIN_ITEMS(TCP_PROXY_WEIGHTED_CLUSTER, "clusters", 1),
    MIN_LEN(TCP_PROXY_WEIGHTED_CLUSTER_CLUSTER_WEIGHT, "name", 1),
    RANGE(TCP_PROXY_WEIGHTED_CLUSTER_CLUSTER_WEIGHT, "weight", CLOSED, 1, NONE, 0),
};

const struct rule *rules_find(const char *message, size_t *n)
{
    size_t from = 0;
    while (from < ARRAY_LEN(rules) && strcmp(rules[from].message, message) != 0)
        from++;
    size_t to = from;
    while (to < ARRAY_LEN(rules) && strcmp(rules[to].message, message) == 0)
        to++;
    *n = to - from;
    return rules + from;
}
