/* The value rules. Every want was printed by Envoy 1.40 for the same text. */
#include "config/reflect/rules.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb-c.h"
#include "envoy/config/cluster/v3/cluster.pb-c.h"
#include "envoy/config/listener/v3/listener.pb-c.h"
#include "envoy/extensions/access_loggers/file/v3/file.pb-c.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb-c.h"
#include "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.pb-c.h"
#include "tests/unit/config/reflect_support.h"

struct row {
    const char *text, *path,
        *reason; /* reason: within Envoy's frame, or the whole when it begins with '=' */
};

static void check_rows(const ProtobufCMessageDescriptor *type, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct fixture f;
        ProtobufCMessage *m = NULL;
        setup(&f);
        T_ASSERT(parse_text(&f, REFLECT_YAML, type, sv_str(rows[i].text), &m) == OK, "%s: %s",
                 rows[i].text, f.diag.msg);
        enum err e = rules_check(m, &f.diag);
        T_EXPECT_EQ(e, rows[i].reason == NULL ? OK : E_PARSE, rows[i].text);
        if (rows[i].reason != NULL) {
            if (rows[i].reason[0] == '=')
                str_add(&f.out, sv_str(rows[i].reason + 1));
            else
                str_addf(&f.out, "Proto constraint validation failed (%s)", rows[i].reason);
            T_EXPECT_SV(sv_str(f.diag.msg), str_sv(&f.out), rows[i].text);
            T_EXPECT_SV(sv_str(f.diag.path), sv_str(rows[i].path), rows[i].text);
            T_EXPECT_EQ(rules_check(m, NULL), E_PARSE, rows[i].text);
        }
        teardown(&f);
    }
}

#define IN " embedded message failed validation | caused by "
#define TO_CLUSTER                                                                                 \
    "BootstrapValidationError.StaticResources:" IN "StaticResourcesValidationError.Clusters[0]"    \
    ":" IN

T(reflect_rules, bootstrap)
{
    static const struct row rows[] = {

        ROW("{}", "", NULL),
        ROW("stats_flush_interval: 299.999s", "", NULL),
        ROW("stats_flush_interval: 0.001s", "", NULL),
        ROW("stats_flush_interval: 300s", "stats_flush_interval",
            "BootstrapValidationError.StatsFlushInterval: value must be inside range [1ms, 5m0s)"),
        ROW("stats_flush_interval: 0.0009s", "stats_flush_interval",
            "BootstrapValidationError.StatsFlushInterval: value must be inside range [1ms, 5m0s)"),
        ROW("stats_flush_interval: -1s", "stats_flush_interval",
            "=Invalid duration: Expected positive duration: seconds: -1 nanos: 0"),
        ROW("stats_flush_interval: {seconds: 1, nanos: 1000000000}", "stats_flush_interval",
            "=Invalid duration: Duration out-of-range according to Protobuf: seconds: 1 nanos: "
            "1000000000"),
        ROW("stats_flush_interval: 9223372037s", "stats_flush_interval",
            "=Invalid duration: Duration out-of-range: seconds: 9223372037 nanos: 0"),
        ROW("static_resources: {clusters: [{}]}", "static_resources.clusters[0].name",
            TO_CLUSTER "ClusterValidationError.Name: value length must be at least 1 characters"),
        ROW("static_resources: {clusters: [{name: a, connect_timeout: 0s}]}",
            "static_resources.clusters[0].connect_timeout",
            TO_CLUSTER "ClusterValidationError.ConnectTimeout: value must be greater than 0s"),
        ROW("static_resources: {clusters: [{name: a, metadata: {filter_metadata: {'': {}}}}]}",
            "static_resources.clusters[0].metadata.filter_metadata[]",
            TO_CLUSTER "ClusterValidationError.Metadata:" IN
                       "MetadataValidationError.FilterMetadata[]: value length must be at least 1 "
                       "characters"),
    };
    check_rows(&envoy__config__bootstrap__v3__bootstrap__descriptor, rows, ARRAY_LEN(rows));
}

#define TO_ENDPOINT                                                                                \
    "ClusterValidationError.LoadAssignment:" IN "ClusterLoadAssignmentValidationError."

T(reflect_rules, cluster)
{
    static const struct row rows[] = {

        ROW("{name: a, connect_timeout: 0.000000001s, type: ORIGINAL_DST, dns_refresh_rate: "
            "0.002s}",
            "", NULL),
        ROW("{name: a, type: 77}", "type",
            "ClusterValidationError.Type: value must be one of the defined enum values"),
        ROW("{name: a, lb_policy: -1}", "lb_policy",
            "ClusterValidationError.LbPolicy: value must be one of the defined enum values"),
        ROW("{name: a, dns_lookup_family: 5}", "dns_lookup_family",
            "ClusterValidationError.DnsLookupFamily: value must be one of the defined enum values"),
        ROW("{name: a, dns_refresh_rate: 0.001s}", "dns_refresh_rate",
            "ClusterValidationError.DnsRefreshRate: value must be greater than 1ms"),
        ROW("{name: a, cleanup_interval: -0.5s}", "cleanup_interval",
            "=Invalid duration: Expected positive duration: seconds: 0 nanos: -500000000"),
        ROW("{name: a, dns_failure_refresh_rate: {}}", "dns_failure_refresh_rate.base_interval",
            "ClusterValidationError.DnsFailureRefreshRate:" IN
            "RefreshRateValidationError.BaseInterval: value is required"),
        ROW("{name: a, dns_failure_refresh_rate: {base_interval: 0.001s}}",
            "dns_failure_refresh_rate.base_interval",
            "ClusterValidationError.DnsFailureRefreshRate:" IN
            "RefreshRateValidationError.BaseInterval: value must be greater than 1ms"),
        ROW("{name: a, circuit_breakers: {thresholds: [{}, {priority: 3}]}}",
            "circuit_breakers.thresholds[1].priority",
            "ClusterValidationError.CircuitBreakers:" IN
            "CircuitBreakersValidationError.Thresholds[1]:" IN
            "ThresholdsValidationError.Priority: value must be one of the defined enum values"),
        ROW("{name: a, load_assignment: {}}", "load_assignment.cluster_name",
            TO_ENDPOINT "ClusterName: value length must be at least 1 characters"),
        ROW("{name: a, load_assignment: {cluster_name: a, endpoints: [{load_balancing_weight: "
            "0}]}}",
            "load_assignment.endpoints[0].load_balancing_weight",
            TO_ENDPOINT "Endpoints[0]:" IN
                        "LocalityLbEndpointsValidationError.LoadBalancingWeight: "
                        "value must be greater than or equal to 1"),
        ROW("{name: a, load_assignment: {cluster_name: a, endpoints: [{lb_endpoints: [{endpoint: "
            "{address: {}}}]}]}}",
            "load_assignment.endpoints[0].lb_endpoints[0].endpoint.address",
            "... | caused by ClusterLoadAssignmentValidationError.Endpoints[0]:" IN
            "LocalityLbEndpointsValidationError.LbEndpoints[0]:" IN
            "LbEndpointValidationError.Endpoint:" IN "EndpointValidationError.Address:" IN
            "field: \"address\", reason: is required"),
    };
    check_rows(&envoy__config__cluster__v3__cluster__descriptor, rows, ARRAY_LEN(rows));
}

#define TO_SOCKET "ListenerValidationError.Address:" IN "AddressValidationError.SocketAddress:" IN
#define TO_CHAIN "ListenerValidationError.FilterChains[0]:" IN "FilterChainValidationError."

T(reflect_rules, listener)
{
    static const struct row rows[] = {

        ROW("{address: {socket_address: {address: a, port_value: 65535}}}", "", NULL),
        ROW("{address: {socket_address: {address: a, port_value: 0}}}", "", NULL),
        ROW("{address: {socket_address: {address: a, port_value: 70000}}}",
            "address.socket_address.port_value",
            TO_SOCKET "SocketAddressValidationError.PortValue: value must be less than or equal to "
                      "65535"),
        ROW("{address: {socket_address: {port_value: 1}}}", "address.socket_address.address",
            TO_SOCKET "SocketAddressValidationError.Address: value length must be at least 1 "
                      "characters"),
        ROW("{address: {socket_address: {address: a}}}", "address.socket_address",
            TO_SOCKET "field: \"port_specifier\", reason: is required"),
        ROW("{address: {socket_address: {address: a, port_value: 1, protocol: 2}}}",
            "address.socket_address.protocol",
            TO_SOCKET
            "SocketAddressValidationError.Protocol: value must be one of the defined enum "
            "values"),
        ROW("{filter_chains: [{filter_chain_match: {destination_port: 0}}]}",
            "filter_chains[0].filter_chain_match.destination_port",
            TO_CHAIN "FilterChainMatch:" IN
                     "FilterChainMatchValidationError.DestinationPort: value "
                     "must be inside range [1, 65535]"),
        ROW("{filter_chains: [{filters: [{name: a}, {}]}]}", "filter_chains[0].filters[1].name",
            TO_CHAIN "Filters[1]:" IN
                     "FilterValidationError.Name: value length must be at least 1 characters"),
    };
    check_rows(&envoy__config__listener__v3__listener__descriptor, rows, ARRAY_LEN(rows));
}

#define ROUTES(route)                                                                              \
    "{stat_prefix: x, route_config: {virtual_hosts: [{name: v, domains: ['*'], routes: [" route    \
    "]}]}}"
#define TO_HOST                                                                                    \
    "HttpConnectionManagerValidationError.RouteConfig:" IN                                         \
    "RouteConfigurationValidationError.VirtualHosts[0]:" IN "VirtualHostValidationError."
#define TO_ROUTE TO_HOST "Routes[0]:" IN
#define ROUTE_PATH "route_config.virtual_hosts[0].routes[0]"

T(reflect_rules, http_connection_manager)
{
    static const struct row rows[] = {

        ROW(ROUTES("{match: {prefix: /}, route: {cluster: a}}"), "", NULL),
        ROW(ROUTES("{match: {prefix: ''}, direct_response: {status: 599}}"), "", NULL),
        ROW("{stat_prefix: x}", "", "field: \"route_specifier\", reason: is required"),
        ROW("{route_config: {}}", "stat_prefix",
            "HttpConnectionManagerValidationError.StatPrefix: value length must be at least 1 "
            "characters"),
        ROW("{stat_prefix: x, route_config: {}, codec_type: 9}", "codec_type",
            "HttpConnectionManagerValidationError.CodecType: value must be one of the defined enum "
            "values"),
        ROW("{stat_prefix: x, route_config: {}, max_request_headers_kb: 0}",
            "max_request_headers_kb",
            "HttpConnectionManagerValidationError.MaxRequestHeadersKb: value must be inside range "
            "(0, "
            "8192]"),
        ROW("{stat_prefix: x, route_config: {}, max_request_headers_kb: 8193}",
            "max_request_headers_kb",
            "HttpConnectionManagerValidationError.MaxRequestHeadersKb: value must be inside range "
            "(0, "
            "8192]"),
        ROW("{stat_prefix: x, route_config: {}, server_name: \"a\\nb\"}", "server_name",
            "HttpConnectionManagerValidationError.ServerName: value does not match regex pattern "
            "\"^[^\\x00\\n\\r]*$\""),
        ROW("{stat_prefix: x, route_config: {}, common_http_protocol_options: {max_headers_count: "
            "0}}",
            "common_http_protocol_options.max_headers_count",
            "HttpConnectionManagerValidationError.CommonHttpProtocolOptions:" IN
            "HttpProtocolOptionsValidationError.MaxHeadersCount: value must be greater than or "
            "equal "
            "to 1"),
        ROW("{stat_prefix: x, route_config: {virtual_hosts: [{name: v}]}}",
            "route_config.virtual_hosts[0].domains",
            TO_HOST "Domains: value must contain at least 1 item(s)"),
        ROW("{stat_prefix: x, route_config: {virtual_hosts: [{name: v, domains: [a, \"a\\nb\"]}]}}",
            "route_config.virtual_hosts[0].domains[1]",
            TO_HOST "Domains[1]: value does not match regex pattern \"^[^\\x00\\n\\r]*$\""),
        ROW(ROUTES("{match: {prefix: /}}"), ROUTE_PATH,
            TO_ROUTE "field: \"action\", reason: is required"),
        ROW(ROUTES("{direct_response: {status: 200}}"), ROUTE_PATH ".match",
            TO_ROUTE "RouteValidationError.Match: value is required"),
        ROW(ROUTES("{match: {prefix: /}, direct_response: {status: 100}}"),
            ROUTE_PATH ".direct_response.status",
            TO_ROUTE
            "RouteValidationError.DirectResponse:" IN
            "DirectResponseActionValidationError.Status: value must be inside range [200, 600)"),
        ROW(ROUTES("{match: {}, direct_response: {status: 200}}"), ROUTE_PATH ".match",
            TO_ROUTE "RouteValidationError.Match:" IN
                     "field: \"path_specifier\", reason: is required"),
    };
    check_rows(
        &envoy__extensions__filters__network__http_connection_manager__v3__http_connection_manager__descriptor,
        rows, ARRAY_LEN(rows));
}

/* A chain that does not fit loses its outer links, never the reason. */
T(reflect_rules, long_chains)
{
    static const struct row rows[] = {
        {ROUTES("{match: {prefix: /}, route: {weighted_clusters: {}}}"),
         ROUTE_PATH ".route.weighted_clusters.clusters",
         "... | caused by RouteConfigurationValidationError.VirtualHosts[0]:" IN
         "VirtualHostValidationError.Routes[0]:" IN "RouteValidationError.Route:" IN
         "RouteActionValidationError.WeightedClusters:" IN
         "WeightedClusterValidationError.Clusters: value must contain at least 1 item(s)"},
    };
    check_rows(
        &envoy__extensions__filters__network__http_connection_manager__v3__http_connection_manager__descriptor,
        rows, ARRAY_LEN(rows));
}

T(reflect_rules, tcp_proxy)
{
    static const struct row rows[] = {

        ROW("{stat_prefix: x, cluster: ''}", "", NULL),
        ROW("{stat_prefix: x}", "", "field: \"cluster_specifier\", reason: is required"),
        ROW("{stat_prefix: x, weighted_clusters: {}}", "weighted_clusters.clusters",
            "TcpProxyValidationError.WeightedClusters:" IN
            "WeightedClusterValidationError.Clusters: value must contain at least 1 item(s)"),
        ROW("{stat_prefix: x, weighted_clusters: {clusters: [{name: a}]}}",
            "weighted_clusters.clusters[0].weight",
            "TcpProxyValidationError.WeightedClusters:" IN
            "WeightedClusterValidationError.Clusters[0]:" IN
            "ClusterWeightValidationError.Weight: value must be greater than or equal to 1"),
        ROW("{stat_prefix: x, cluster: a, max_connect_attempts: 0}", "max_connect_attempts",
            "TcpProxyValidationError.MaxConnectAttempts: value must be greater than or equal to 1"),
    };
    check_rows(&envoy__extensions__filters__network__tcp_proxy__v3__tcp_proxy__descriptor, rows,
               ARRAY_LEN(rows));
}

T(reflect_rules, access_log)
{
    static const struct row rows[] = {
        ROW("{path: a}", "", NULL),
        ROW("{path: a, format: ''}", "", NULL),
        ROW("{path: a, log_format: {text_format: ''}}", "", NULL),
        ROW("{}", "path",
            "FileAccessLogValidationError.Path: value length must be at least 1 characters"),
        ROW("{path: a, log_format: {}}", "log_format",
            "FileAccessLogValidationError.LogFormat:" IN "field: \"format\", reason: is required"),
    };
    check_rows(&envoy__extensions__access_loggers__file__v3__file_access_log__descriptor, rows,
               ARRAY_LEN(rows));
}
