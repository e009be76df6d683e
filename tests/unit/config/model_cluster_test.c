/* Clusters: texts of refusals (Envoy 1.40's), defaults, endpoints. */
#include "tests/support/t.h"
#include "tests/unit/config/fake_registry.h"
#include <stdio.h>

static const char before[] = "static_resources: {clusters: [";
static const char after[] = "]}";

#define MEMBERS(ends) "load_assignment: {cluster_name: x, endpoints: [{lb_endpoints: [" ends "]}]}"
#define END(ip) "{endpoint: {address: {socket_address: {address: " ip ", port_value: 1}}}}"
#define CLUSTER(text) "{name: c, " text "}"
#define HINT                                                                                       \
    " Consider setting resolver_name or setting cluster type to 'STRICT_DNS' or 'LOGICAL_DNS'"

static const struct fake_case kinds[] = {
    ROW("name only", "{name: c}", NULL, NULL),
    ROW("no name", "{}", "ClusterValidationError.Name: value length must be at least 1 characters",
        NULL),
    ROW("two", "{name: c}, {name: d}", NULL, NULL),
    ROW("twice", "{name: c}, {name: d}, {name: c}", "cluster manager: duplicate cluster 'c'",
        "clusters[2]"),
    ROW("static", CLUSTER("type: STATIC, " MEMBERS(END("127.0.0.1"))), NULL, NULL),
    ROW("dns", CLUSTER("type: STRICT_DNS, " MEMBERS(END("example.com") "," END("'::1'"))), NULL,
        NULL),
    ROW("logical dns", CLUSTER("type: LOGICAL_DNS"), "cluster 'c': type LOGICAL_DNS is unsupported",
        "clusters[0].type"),
    ROW("eds", CLUSTER("type: EDS"), "cluster 'c': type EDS is unsupported", NULL),
    ROW("unknown type", CLUSTER("type: 9"),
        "ClusterValidationError.Type: value must be one of the defined enum values", NULL),
    ROW("original dst", CLUSTER("type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED"), NULL, NULL),
    ROW("original dst, round robin", CLUSTER("type: ORIGINAL_DST"),
        "cluster: LB policy ROUND_ROBIN is not valid for Cluster type ORIGINAL_DST. Only "
        "'CLUSTER_PROVIDED' is "
        "allowed with cluster type 'ORIGINAL_DST'",
        "clusters[0].lb_policy"),
    ROW("original dst with members",
        CLUSTER(
            "type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED, load_assignment: {cluster_name: c}"),
        "ORIGINAL_DST clusters must have no load assignment configured",
        "clusters[0].load_assignment"),
    ROW("provided by nobody", CLUSTER("lb_policy: CLUSTER_PROVIDED"),
        "cluster manager: cluster provided LB specified but cluster 'c' did not provide one. Check "
        "cluster "
        "documentation.",
        NULL),
    ROW("least request", CLUSTER("lb_policy: LEAST_REQUEST"),
        "cluster 'c': lb_policy LEAST_REQUEST is unsupported", "clusters[0].lb_policy"),
    ROW("ring hash", CLUSTER("lb_policy: RING_HASH"), "lb_policy RING_HASH is unsupported", NULL),
    ROW("random", CLUSTER("lb_policy: RANDOM"), "lb_policy RANDOM is unsupported", NULL),
    ROW("maglev", CLUSTER("lb_policy: MAGLEV"), "lb_policy MAGLEV is unsupported", NULL),
    ROW("lb config", CLUSTER("lb_policy: LOAD_BALANCING_POLICY_CONFIG"), "is unsupported", NULL),
};

static const struct fake_case members[] = {
    ROW("no members", CLUSTER("load_assignment: {cluster_name: c}"), NULL, NULL),
    ROW("no assignment name", CLUSTER("load_assignment: {}"),
        "ClusterLoadAssignmentValidationError.ClusterName: value length must be at least 1 "
        "characters",
        NULL),
    ROW("name in static", CLUSTER(MEMBERS(END("127.0.0.1") "," END("localhost"))),
        "malformed IP address: localhost." HINT,
        "clusters[0].load_assignment.endpoints[0].lb_endpoints[1].endpoint.address.socket_address."
        "address"),
    ROW("no endpoint", CLUSTER(MEMBERS("{}")), "Address must be set." HINT, "lb_endpoints[0]"),
    ROW("no address", CLUSTER(MEMBERS("{endpoint: {}}")), "Address must be set." HINT,
        "endpoint.address"),
    ROW("no address in dns", CLUSTER("type: STRICT_DNS, " MEMBERS("{endpoint: {}}")),
        "Address must be set.", NULL),
    ROW("weight 0",
        CLUSTER(MEMBERS(
            "{load_balancing_weight: 0, endpoint: {address: {socket_address: {address: 1.2.3.4, "
            "port_value: 1}}}}")),
        "LbEndpointValidationError.LoadBalancingWeight: value must be greater than or equal to 1",
        NULL),
    ROW("the same twice", CLUSTER(MEMBERS(END("1.2.3.4") "," END("1.2.3.4"))), NULL, NULL),
    ROW("udp",
        CLUSTER(MEMBERS("{endpoint: {address: {socket_address: {address: 1.2.3.4, port_value: 1, "
                        "protocol: UDP}}}}")),
        NULL, NULL),
};

static const struct fake_case times[] = {
    ROW("connect 0", CLUSTER("connect_timeout: 0s"),
        "ConnectTimeout: value must be greater than 0s", NULL),
    ROW("connect negative", CLUSTER("connect_timeout: -1s"),
        "Invalid duration: Expected positive duration", NULL),
    ROW("dns 1 ms", CLUSTER("dns_refresh_rate: 0.001s"),
        "DnsRefreshRate: value must be greater than 1ms", NULL),
    ROW("failure max below base",
        CLUSTER(
            "type: STRICT_DNS, dns_failure_refresh_rate: {base_interval: 2s, max_interval: 1s}"),
        "dns_failure_refresh_rate must have max_interval greater than or equal to the "
        "base_interval",
        "clusters[0].dns_failure_refresh_rate"),
    ROW("failure max below base, static",
        CLUSTER("dns_failure_refresh_rate: {base_interval: 2s, max_interval: 1s}"), NULL, NULL),
    ROW("failure without base", CLUSTER("dns_failure_refresh_rate: {}"),
        "BaseInterval: value is required", NULL),
    ROW("cleanup 0", CLUSTER("cleanup_interval: 0s"),
        "CleanupInterval: value must be greater than 0s", NULL),
    ROW("two request limits",
        CLUSTER("max_requests_per_connection: 1, common_http_protocol_options: "
                "{max_requests_per_connection: 1}"),
        "Only one of max_requests_per_connection from Cluster or HttpProtocolOptions can be "
        "specified",
        NULL),
    ROW("negative idle", CLUSTER("common_http_protocol_options: {idle_timeout: -1s}"),
        "Invalid duration", "clusters[0].common_http_protocol_options.idle_timeout"),
    ROW("unknown priority", CLUSTER("circuit_breakers: {thresholds: [{priority: 3}]}"),
        "value must be one of the defined enum values", NULL),
};

static void check_all(const struct fake_case *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fake_check(&c[i], before, after);
}

T(model_cluster, kinds)
{
    check_all(kinds, ARRAY_LEN(kinds));
}

T(model_cluster, members)
{
    check_all(members, ARRAY_LEN(members));
}

T(model_cluster, times)
{
    check_all(times, ARRAY_LEN(times));
}

static struct snap *build(const char *yaml)
{
    struct snap *s = NULL;
    struct diag d = {0};
    enum err e = fake_build(yaml, SIZE_MAX, &s, &d);
    T_EXPECT(e == OK, "refused: %s (%s)", d.msg, d.path);
    return s;
}

static void expect_thresholds(const struct m_thresholds *t, uint32_t cx, uint32_t pending,
                              uint32_t rq, uint32_t retries)
{
    T_EXPECT_EQ(t->max_connections, cx, "connections");
    T_EXPECT_EQ(t->max_pending_requests, pending, "pending");
    T_EXPECT_EQ(t->max_requests, rq, "requests");
    T_EXPECT_EQ(t->max_retries, retries, "retries");
}

T(model_cluster, defaults)
{
    struct snap *s = build("static_resources: {clusters: [{name: c}]}");
    T_ASSERT(s != NULL && s->n_clusters == 1);
    const struct m_cluster *c = &s->clusters[0];
    T_EXPECT_SV(c->name, SV("c"), "name");
    T_EXPECT_SV(c->stat_name, SV("c"), "stat_name");
    T_EXPECT(c->type == M_CLUSTER_STATIC && c->lb_policy == M_LB_ROUND_ROBIN);
    T_EXPECT_EQ(c->connect_timeout_ms, 5000, "connect");
    T_EXPECT_EQ(c->per_connection_buffer_limit_bytes, 1 << 20, "buffer");
    expect_thresholds(&c->thresholds[M_PRIORITY_DEFAULT], 1024, 1024, 1024, 3);
    expect_thresholds(&c->thresholds[M_PRIORITY_HIGH], 1024, 1024, 1024, 3);
    T_EXPECT_EQ(c->n_endpoints, 0, "endpoints");
    T_EXPECT_EQ(c->dns_family, M_DNS_AUTO, "family");
    T_EXPECT_EQ(c->dns_refresh_ms, 5000, "dns");
    T_EXPECT_EQ(c->dns_failure_base_ms, 5000, "dns failure");
    T_EXPECT_EQ(c->dns_failure_max_ms, 5000, "dns failure");
    T_EXPECT(!c->respect_dns_ttl);
    T_EXPECT_EQ(c->cleanup_interval_ms, 5000, "cleanup");
    T_EXPECT_EQ(c->idle_timeout_ms, 3600000, "idle");
    T_EXPECT_EQ(c->max_requests_per_connection, 0, "requests");
    T_EXPECT_EQ(c->max_connection_duration_ms, 0, "duration");
    T_EXPECT_EQ(c->max_headers_count, 100, "headers");
    T_EXPECT(c->message != NULL && map_get(s->cluster_by_name, SV("c")) == c);
    snap_drop(&s);
}

T(model_cluster, given_values)
{
    struct snap *s =
        build("static_resources: {clusters: [{name: a}, {name: c, type: STRICT_DNS, alt_stat_name: "
              "s, connect_timeout: "
              "0.25s, per_connection_buffer_limit_bytes: 77, dns_lookup_family: V4_PREFERRED, "
              "dns_refresh_rate: 60s, "
              "dns_failure_refresh_rate: {base_interval: 2s}, respect_dns_ttl: true, "
              "cleanup_interval: 9s, "
              "max_requests_per_connection: 5, common_http_protocol_options: {idle_timeout: 0s, "
              "max_connection_duration: 7s, max_headers_count: 12}, circuit_breakers: {thresholds: "
              "[{max_connections: 1, max_retries: 0}, {priority: HIGH, max_requests: 2}, "
              "{max_connections: 9}]}}]}");
    T_ASSERT(s != NULL && s->n_clusters == 2);
    const struct m_cluster *c = &s->clusters[1];
    T_EXPECT_EQ(c->index, 1, "index");
    T_EXPECT_SV(c->stat_name, SV("s"), "stat_name");
    T_EXPECT_EQ(c->type, M_CLUSTER_STRICT_DNS, "type");
    T_EXPECT_EQ(c->connect_timeout_ms, 250, "connect");
    T_EXPECT_EQ(c->per_connection_buffer_limit_bytes, 77, "buffer");
    T_EXPECT_EQ(c->dns_family, M_DNS_V4_PREFERRED, "family");
    T_EXPECT_EQ(c->dns_refresh_ms, 60000, "dns");
    T_EXPECT_EQ(c->dns_failure_base_ms, 2000, "base");
    T_EXPECT_EQ(c->dns_failure_max_ms, 20000, "ten times the base");
    T_EXPECT(c->respect_dns_ttl);
    T_EXPECT_EQ(c->cleanup_interval_ms, 9000, "cleanup");
    T_EXPECT_EQ(c->idle_timeout_ms, 0, "idle off");
    T_EXPECT_EQ(c->max_requests_per_connection, 5, "requests");
    T_EXPECT_EQ(c->max_connection_duration_ms, 7000, "duration");
    T_EXPECT_EQ(c->max_headers_count, 12, "headers");
    expect_thresholds(&c->thresholds[M_PRIORITY_DEFAULT], 1, 1024, 1024, 0);
    expect_thresholds(&c->thresholds[M_PRIORITY_HIGH], 1024, 1024, 2, 3);
    snap_drop(&s);
}

T(model_cluster, families)
{
    static const struct {
        const char *text;
        enum m_dns_family want;
    } rows[] = {
        {"AUTO",         M_DNS_AUTO        },
        {"V4_ONLY",      M_DNS_V4_ONLY     },
        {"V6_ONLY",      M_DNS_V6_ONLY     },
        {"V4_PREFERRED", M_DNS_V4_PREFERRED},
        {"ALL",          M_DNS_ALL         },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char yaml[128];
        snprintf(yaml, sizeof yaml,
                 "static_resources: {clusters: [{name: c, dns_lookup_family: %s}]}", rows[i].text);
        struct snap *s = build(yaml);
        T_ASSERT(s != NULL);
        T_EXPECT_EQ(s->clusters[0].dns_family, rows[i].want, rows[i].text);
        snap_drop(&s);
    }
}

T(model_cluster, endpoints)
{
    struct snap *s = build(
        "static_resources: {clusters: [{name: c, type: STRICT_DNS, load_assignment: {cluster_name: "
        "c, endpoints: ["
        "{locality: {region: r, zone: z, sub_zone: s}, lb_endpoints: ["
        "{load_balancing_weight: 7, endpoint: {hostname: h, address: {socket_address: {address: "
        "example.com, "
        "port_value: 0}}}}, " END("1.2.3.4") "]}, {}, {lb_endpoints: [" END("'::1'") "]}]}}]}");
    T_ASSERT(s != NULL && s->clusters[0].n_endpoints == 3);
    const struct m_endpoint *e = s->clusters[0].endpoints;
    T_EXPECT_SV(e[0].address.host, SV("example.com"), "host");
    T_EXPECT(e[0].address.is_name && !e[1].address.is_name && !e[2].address.is_name);
    T_EXPECT_EQ(e[0].address.port, 0, "port");
    T_EXPECT_SV(e[0].hostname, SV("h"), "hostname");
    T_EXPECT_EQ(e[0].weight, 7, "weight");
    T_EXPECT_EQ(e[1].weight, 1, "weight");
    T_EXPECT_EQ(e[0].priority, 0, "priority");
    T_EXPECT(e[0].locality == e[1].locality && e[2].locality != NULL &&
             e[2].locality != e[0].locality);
    T_EXPECT_SV(e[1].locality->region, SV("r"), "region");
    T_EXPECT_SV(e[1].locality->zone, SV("z"), "zone");
    T_EXPECT_SV(e[1].locality->sub_zone, SV("s"), "sub_zone");
    T_EXPECT_EQ(e[2].locality->zone.n, 0, "no zone");
    snap_drop(&s);
}
