/* The snapshot as a whole: what it holds, its reference count, and every shortage of memory. */
#include "config/reflect/reflect.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb-c.h"
#include "tests/support/failmalloc.h"
#include "tests/support/t.h"
#include "tests/unit/config/fake_registry.h"
#include <stdio.h>

/* Something of everything. */
static const char rich[] =
    "node: {id: one, cluster: c, locality: {zone: z}}\n"
    "admin: {address: {socket_address: {address: 127.0.0.1, port_value: 9901}}, access_log_path: "
    "/dev/null}\n"
    "stats_flush_interval: 2s\n"
    "static_resources:\n"
    "  clusters:\n"
    "  - name: web\n"
    "    type: STRICT_DNS\n"
    "    circuit_breakers: {thresholds: [{max_connections: 1}]}\n"
    "    load_assignment: {cluster_name: web, endpoints: [{locality: {zone: a}, lb_endpoints: [\n"
    "      {endpoint: {address: {socket_address: {address: a.example, port_value: 80}}}},\n"
    "      {endpoint: {address: {socket_address: {address: b.example, port_value: 80}}}}]}]}\n"
    "  - {name: raw, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED}\n"
    "  listeners:\n"
    "  - address: {socket_address: {address: 127.0.0.1, port_value: 80}}\n"
    "    use_original_dst: true\n"
    "    default_filter_chain: {filters: [{name: t, typed_config: {'@type': type.googleapis.com/"
    "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: x, cluster: raw}}]}\n"
    "    filter_chains:\n"
    "    - filter_chain_match: {destination_port: 80}\n"
    "      filters:\n"
    "      - name: h\n"
    "        typed_config:\n"
    "          '@type': type.googleapis.com/"
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n"
    "          stat_prefix: x\n"
    "          access_log: [{name: o, typed_config: {'@type': type.googleapis.com/"
    "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog}}]\n"
    "          http_filters: [{name: r, typed_config: {'@type': type.googleapis.com/"
    "envoy.extensions.filters.http.router.v3.Router}}]\n"
    "          route_config:\n"
    "            name: local\n"
    "            virtual_hosts:\n"
    "            - name: a\n"
    "              domains: [a.example, '*.a.example', 'a.*']\n"
    "              routes:\n"
    "              - match: {prefix: /hello}\n"
    "                direct_response: {status: 200, body: {inline_string: hi}}\n"
    "              - match: {prefix: /}\n"
    "                route: {weighted_clusters: {clusters: [{name: web, weight: 1}, {name: raw, "
    "weight: 2}]}}\n"
    "            - {name: rest, domains: ['*']}\n";

T(model, snapshot)
{
    struct snap *s = NULL;
    struct diag d = {0};
    T_ASSERT(fake_build(rich, SIZE_MAX, &s, &d) == OK, "%s (%s)", d.msg, d.path);
    T_EXPECT_EQ(s->refs, 1, "refs");
    T_EXPECT_EQ(s->n_clusters, 2, "clusters");
    T_EXPECT_EQ(s->n_listeners, 1, "listeners");
    T_EXPECT_EQ(s->n_route_configs, 1, "route configurations");
    T_EXPECT_EQ(s->stats_flush_ms, 2000, "flush");
    T_EXPECT(s->admin.present && s->admin.n_access_logs == 1);
    T_EXPECT(s->bootstrap != NULL && s->node != NULL);
    const Envoy__Config__Bootstrap__V3__Bootstrap *m =
        (const Envoy__Config__Bootstrap__V3__Bootstrap *)s->bootstrap;
    T_EXPECT(s->node == &m->node->base);
    T_EXPECT(s->clusters[1].message == &m->static_resources->clusters[1]->base);
    snap_drop(&s);
}

T(model, empty)
{
    struct snap *s = NULL;
    struct diag d = {0};
    T_ASSERT(fake_build("{}", SIZE_MAX, &s, &d) == OK, "%s", d.msg);
    T_EXPECT(s->n_clusters == 0 && s->n_listeners == 0 && s->n_route_configs == 0);
    T_EXPECT(!s->admin.present && s->node == NULL);
    T_EXPECT_EQ(s->stats_flush_ms, 5000, "flush");
    T_EXPECT(map_get(s->cluster_by_name, SV("x")) == NULL);
    snap_drop(&s);
    snap_drop(&s); /* NULL */
}

static void count_free(void *arg)
{
    ++*(int *)arg;
}

T(model, references)
{
    struct snap *s = NULL;
    struct diag d = {0};
    int freed = 0;
    T_ASSERT(fake_build("{}", SIZE_MAX, &s, &d) == OK, "%s", d.msg);
    T_ASSERT(arena_on_free(s->arena, count_free, &freed) == OK);
    struct snap *other = snap_take(s);
    T_EXPECT(other == s);
    snap_drop(&s);
    T_EXPECT(s == NULL && freed == 0, "one holder is left");
    snap_drop(&other);
    T_EXPECT(other == NULL && freed == 1, "none is left");
}

T(model, given_node)
{
    struct arena *a = arena_new(4096, SIZE_MAX);
    struct diag d = {0};
    struct snap *s = NULL;
    T_ASSERT(a != NULL);
    ProtobufCMessage *m = fake_parse("node: {id: file}", a);
    ProtobufCMessage *node = reflect_new(&envoy__config__core__v3__node__descriptor, a);
    T_ASSERT(m != NULL && node != NULL);
    struct model_input in = {
        .bootstrap = m, .node = node, .take_arena = a, .registry = &fake_registry};
    T_ASSERT(model_build_input(&in, &s, &d) == OK, "%s", d.msg);
    T_EXPECT(s->node == node && s->bootstrap == m);
    snap_drop(&s);
}

T(model, flush_interval)
{
    static const struct fake_case rows[] = {
        ROW("1 ms", "0.001s", NULL, NULL),
        ROW("below", "0.0005s", "StatsFlushInterval: value must be inside range [1ms, 5m0s)", NULL),
        ROW("five minutes", "300s", "StatsFlushInterval: value must be inside range [1ms, 5m0s)",
            NULL),
        ROW("below five minutes", "299.9s", NULL, NULL),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        fake_check(&rows[i], "stats_flush_interval: ", "");
}

/* Every cap between nothing and enough: an error each time, and nothing leaks. */
T(model, arena_too_small)
{
    struct snap *s = NULL;
    struct diag d = {0};
    T_ASSERT(fake_build(rich, SIZE_MAX, &s, &d) == OK, "%s (%s)", d.msg, d.path);
    size_t enough = arena_used(s->arena);
    snap_drop(&s);
    enum { STEP = 53 };
    size_t refused = 0;
    for (size_t cap = 0; cap < enough; cap += STEP) {
        enum err e = fake_build(rich, cap, &s, &d);
        T_ASSERT(e == E_NOMEM, "cap %zu: %s: %s (%s)", cap, err_name(e), d.msg, d.path);
        refused++;
    }
    T_EXPECT(refused > 100, "%zu runs", refused);
    T_EXPECT(fake_build(rich, enough, &s, &d) == OK, "%s (%s)", d.msg, d.path);
    snap_drop(&s);
}

static void build_rich(bool failing)
{
    struct snap *s = NULL;
    struct diag d = {0};
    enum err e = fake_build(rich, SIZE_MAX, &s, &d);
    T_EXPECT(e == OK || (failing && e == E_NOMEM), "%s: %s (%s)", err_name(e), d.msg, d.path);
    if (e == OK)
        snap_drop(&s);
}

T(model, failing_malloc)
{
    size_t runs = failmalloc_each(build_rich);
    T_EXPECT(runs > 10, "%zu allocations", runs);
}
