/* Route configurations: texts of refusals (Envoy 1.40's), lookup tables, clusters, direct
 * responses. */
#include "base/str.h"
#include "tests/support/t.h"
#include "tests/unit/config/fake_registry.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROUTER                                                                                     \
    "{name: r, typed_config: {'@type': type.googleapis.com/"                                       \
    "envoy.extensions.filters.http.router.v3.Router}}"
#define BEFORE_HCM                                                                                 \
    "static_resources: {clusters: [{name: c}, {name: d}], listeners: [{name: l, address: "         \
    "{socket_address: {address: 127.0.0.1, port_value: 80}}, filter_chains: [{filters: [{name: "   \
    "h, typed_config: {'@type': type.googleapis.com/"                                              \
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, "          \
    "stat_prefix: x"
#define AFTER_HCM "}}]}]}]}"
#define BEFORE_CONFIG BEFORE_HCM ", http_filters: [" ROUTER "], route_config: "
#define BEFORE_HOSTS BEFORE_CONFIG "{name: rc, virtual_hosts: ["
#define AFTER_HOSTS "]}" AFTER_HCM
#define BEFORE_ROUTE BEFORE_HOSTS "{name: v, domains: ['*'], routes: ["
#define AFTER_ROUTE "]}" AFTER_HOSTS
#define BEFORE_ACTION BEFORE_ROUTE "{name: rt, match: {prefix: /}, route: "
#define AFTER_ACTION "}" AFTER_ROUTE
#define BEFORE_DIRECT BEFORE_ROUTE "{match: {prefix: /}, direct_response: "

static void check_all(const struct fake_case *c, size_t n, const char *before, const char *after)
{
    for (size_t i = 0; i < n; i++)
        fake_check(&c[i], before, after);
}

static struct snap *build(const char *yaml)
{
    struct snap *s = NULL;
    struct diag d = {0};
    enum err e = fake_build(yaml, SIZE_MAX, &s, &d);
    T_EXPECT(e == OK, "refused: %s (%s)", d.msg, d.path);
    return s;
}

/* ---- domains ---- */

static const struct fake_case domains[] = {
    ROW("exact twice", "{name: v, domains: [a.b, a.b]}",
        "Only unique values for domains are permitted. Duplicate entry of domain a.b in route rc",
        "virtual_hosts[0].domains[1]"),
    ROW("in other case", "{name: v, domains: [a.b]}, {name: w, domains: [A.B]}",
        "Duplicate entry of domain a.b in route rc", "virtual_hosts[1].domains[0]"),
    ROW("two catch-alls", "{name: v, domains: ['*', '*']}",
        "Only a single wildcard domain is permitted in route rc", NULL),
    ROW("suffix twice", "{name: v, domains: ['*.b']}, {name: w, domains: ['*.B']}",
        "Duplicate entry of domain *.b in route rc", NULL),
    ROW("prefix twice", "{name: v, domains: ['a.*', 'a.*']}",
        "Duplicate entry of domain a.* in route rc", NULL),
    ROW("all kinds",
        "{name: v, domains: [a.b, '*.b', 'a.*', '*', '', 'a*b', '**', '*x', 'a.b:80']}", NULL,
        NULL),
    ROW("no domains", "{name: v}",
        "VirtualHostValidationError.Domains: value must contain at least 1 item(s)", NULL),
    ROW("no name", "{domains: [a]}", "VirtualHostValidationError.Name", NULL),
    ROW("same name", "{name: v, domains: [a]}, {name: v, domains: [b]}", NULL, NULL),
    ROW("a bad route comes first",
        "{name: v, domains: [a, a], routes: [{match: {prefix: /}, route: {cluster: zz}}]}",
        "route: unknown cluster 'zz'", NULL),
    ROW("an earlier domain comes first",
        "{name: v, domains: [a, a]},"
        "{name: w, domains: [b], routes: [{match: {prefix: /}, route: {cluster: zz}}]}",
        "Duplicate entry of domain a", NULL),
};

/* ---- routes ---- */

static const struct fake_case routes[] = {
    ROW("prefix", "{match: {prefix: /}, route: {cluster: c}}", NULL, NULL),
    ROW("path", "{match: {path: /x}, route: {cluster: c}}", NULL, NULL),
    ROW("no match", "{route: {cluster: c}}", "RouteValidationError.Match: value is required",
        "routes[0].match"),
    ROW("empty match", "{match: {}, route: {cluster: c}}",
        "field: \"path_specifier\", reason: is required", NULL),
    ROW("no action", "{match: {prefix: /}}", "field: \"action\", reason: is required", NULL),
};

static const struct fake_case actions[] = {
    ROW("cluster", "{cluster: c}", NULL, NULL),
    ROW("unknown cluster", "{cluster: zz}", "route: unknown cluster 'zz'",
        "virtual_hosts[0].routes[0].route.cluster"),
    ROW("no cluster", "{}", "field: \"cluster_specifier\", reason: is required", NULL),
    ROW("line feed in rewrite", "{cluster: c, prefix_rewrite: \"a\\nb\"}",
        "RouteActionValidationError.PrefixRewrite: value does not match regex pattern", NULL),
    ROW("line feed in host", "{cluster: c, host_rewrite_literal: \"a\\nb\"}",
        "RouteActionValidationError.HostRewriteLiteral: value does not match regex pattern", NULL),
    ROW("negative time-out", "{cluster: c, timeout: -1s}",
        "Invalid duration: Expected positive duration", "route.timeout"),
    ROW("negative idle time-out", "{cluster: c, idle_timeout: -1s}",
        "Invalid duration: Expected positive duration", "route.idle_timeout"),
    ROW("unknown code", "{cluster: c, cluster_not_found_response_code: 9}",
        "value must be one of the defined enum values", NULL),
    ROW("unknown priority", "{cluster: c, priority: 9}",
        "value must be one of the defined enum values", NULL),
    ROW("weights", "{weighted_clusters: {clusters: [{name: c, weight: 1}, {name: d, weight: 0}]}}",
        NULL, NULL),
    ROW("unknown weighted",
        "{weighted_clusters: {clusters: [{name: c, weight: 1}, {name: zz, weight: 0}]}}",
        "route: unknown weighted cluster 'zz'", "route.weighted_clusters.clusters[1]"),
    ROW("all zero", "{weighted_clusters: {clusters: [{name: zz, weight: 0}]}}",
        "Sum of weights in the weighted_cluster must be greater than 0.",
        "route.weighted_clusters"),
    ROW("no weight", "{weighted_clusters: {clusters: [{name: c}]}}",
        "Field 'weight' is missing in: name: \"c\"", NULL),
    ROW("no name", "{weighted_clusters: {clusters: [{weight: 1}]}}",
        "At least one of name or cluster_header need to be specified", NULL),
    ROW("none", "{weighted_clusters: {clusters: []}}", "value must contain at least 1 item(s)",
        NULL),
    ROW("largest sum",
        "{weighted_clusters: {clusters: [{name: c, weight: 4294967294}, {name: c, weight: 1}]}}",
        NULL, NULL),
    ROW("sum too large",
        "{weighted_clusters: {clusters: [{name: c, weight: 4294967295}, {name: c, weight: 1}]}}",
        "The sum of weights of all weighted clusters of route rt exceeds 4294967295", NULL),
    ROW("total_weight is not compared",
        "{weighted_clusters: {clusters: [{name: c, weight: 1}], total_weight: 100}}", NULL, NULL),
};

static const struct fake_case configs[] = {
    ROW("empty", "{}", NULL, NULL),
    ROW("no hosts", "{name: x}", NULL, NULL),
    ROW("unknown cluster allowed",
        "{validate_clusters: false, virtual_hosts: [{name: v, domains: [a], routes: [{match: "
        "{prefix: "
        "/}, route: {cluster: zz}}]}]}",
        NULL, NULL),
    ROW("unknown cluster asked for",
        "{validate_clusters: true, virtual_hosts: [{name: v, domains: [a], routes: [{match: "
        "{prefix: "
        "/}, route: {cluster: zz}}]}]}",
        "route: unknown cluster 'zz'", NULL),
};

T(model_route, refusals)
{
    check_all(domains, ARRAY_LEN(domains), BEFORE_HOSTS, AFTER_HOSTS);
    check_all(routes, ARRAY_LEN(routes), BEFORE_ROUTE, AFTER_ROUTE);
    check_all(actions, ARRAY_LEN(actions), BEFORE_ACTION, AFTER_ACTION);
    check_all(configs, ARRAY_LEN(configs), BEFORE_CONFIG, AFTER_HCM);
}

/* ---- direct responses ---- */

static const struct fake_case direct[] = {
    ROW("200", "{status: 200}", NULL, NULL),
    ROW("599", "{status: 599}", NULL, NULL),
    ROW("199", "{status: 199}", "Status: value must be inside range [200, 600)", NULL),
    ROW("600", "{status: 600}", "Status: value must be inside range [200, 600)", NULL),
    ROW("no source", "{status: 200, body: {}}", "field: \"specifier\", reason: is required", NULL),
    ROW("no file", "{status: 200, body: {filename: /nowhere/x}}", "file /nowhere/x does not exist",
        "direct_response.body.filename"),
    ROW("a device", "{status: 200, body: {filename: /dev/null}}", "Invalid path: /dev/null", NULL),
    ROW("a folder", "{status: 200, body: {filename: /}}", "Invalid path: /", NULL),
    ROW("no variable", "{status: 200, body: {environment_variable: WEFT_NOT_SET}}",
        "Environment variable doesn't exist: WEFT_NOT_SET",
        "direct_response.body.environment_variable"),
    ROW("empty text", "{status: 200, body: {inline_string: ''}}", NULL, NULL),
};

static const struct m_route *first_route(const struct snap *s)
{
    const struct m_route_config *rc = s->n_route_configs > 0 ? s->route_configs[0] : NULL;
    return rc == NULL || rc->n_vhosts == 0 || rc->vhosts[0].n_routes == 0 ? NULL
                                                                          : rc->vhosts[0].routes;
}

/* The body that a source gives, or the start of the refusal. */
static void check_body(const char *source, struct sv want, const char *refusal)
{
    struct str yaml;
    struct snap *s = NULL;
    struct diag d = {0};
    str_init(&yaml, 0);
    str_addf(&yaml, "%s{status: 418, body: %s}%s", BEFORE_DIRECT, source, AFTER_ACTION);
    enum err e = fake_build(yaml.p, SIZE_MAX, &s, &d);
    T_EXPECT((e == OK) == (refusal == NULL), "%.40s: %s", source, d.msg);
    T_EXPECT(refusal == NULL || strcmp(d.msg, refusal) == 0, "said '%s', want '%s'", d.msg,
             refusal);
    const struct m_route *r = e == OK ? first_route(s) : NULL;
    if (r != NULL) {
        T_EXPECT_EQ(r->action, M_ACTION_DIRECT_RESPONSE, source);
        T_EXPECT_EQ(r->direct_status, 418, source);
        T_EXPECT(sv_eq(r->direct_body, want), "%.40s: %zu bytes", source, r->direct_body.n);
    }
    snap_drop(&s);
    str_fini(&yaml);
}

enum { BODY_MAX = 4096 };

static void write_file(const char *path, const char *text, size_t n)
{
    FILE *f = fopen(path, "we");
    T_ASSERT(f != NULL, "cannot write %s", path);
    T_EXPECT(fwrite(text, 1, n, f) == n && fclose(f) == 0);
}

T(model_route, direct_response_sources)
{
    check_all(direct, ARRAY_LEN(direct), BEFORE_DIRECT, AFTER_ACTION);
    check_body("{inline_string: hello}", SV("hello"), NULL);
    check_body("{inline_bytes: AAH/}", SV("\0\1\377"), NULL);
    T_ASSERT(setenv("WEFT_TEST_BODY", "from outside", 1) == 0);
    check_body("{environment_variable: WEFT_TEST_BODY}", SV("from outside"), NULL);
    T_ASSERT(unsetenv("WEFT_TEST_BODY") == 0);

    char path[] = "/tmp/weft_body_XXXXXX", source[64], text[BODY_MAX + 1];
    int fd = mkstemp(path);
    T_ASSERT(fd >= 0);
    (void)close(fd);
    memset(text, 'x', sizeof text);
    snprintf(source, sizeof source, "{filename: %s}", path);
    check_body(source, SV(""), NULL);
    write_file(path, text, BODY_MAX);
    check_body(source, sv_of(text, BODY_MAX), NULL);
    write_file(path, text, sizeof text);
    char refusal[128];
    snprintf(refusal, sizeof refusal, "file %s size is 4097 bytes; maximum is 4096", path);
    check_body(source, SV_NONE, refusal);
    (void)unlink(path);
}

T(model_route, direct_response_body_limit)
{
    char source[BODY_MAX + 64], text[BODY_MAX + 2];
    for (size_t n = BODY_MAX; n <= BODY_MAX + 1; n++) {
        memset(text, 'y', n);
        text[n] = '\0';
        snprintf(source, sizeof source, "{inline_string: %s}", text);
        check_body(source, sv_of(text, n),
                   n > BODY_MAX ? "response body size is 4097 bytes; maximum is 4096" : NULL);
    }
}

/* ---- results ---- */

T(model_route, route_fields)
{
    struct snap *s = build(
        BEFORE_ROUTE
        "{name: first, match: {path: /A, case_sensitive: false}, route: {cluster: d, timeout: 0s, "
        "idle_timeout: 1.5s, prefix_rewrite: /b, host_rewrite_literal: h, priority: HIGH, "
        "cluster_not_found_response_code: NOT_FOUND}},"
        "{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: c, weight: 0}, {name: "
        "d, weight: "
        "3}, {name: c, weight: 4}]}, cluster_not_found_response_code: "
        "INTERNAL_SERVER_ERROR}}" AFTER_ROUTE);
    T_ASSERT(s != NULL && s->n_route_configs == 1);
    const struct m_route *r = first_route(s);
    T_ASSERT(r != NULL && s->route_configs[0]->vhosts[0].n_routes == 2);
    T_EXPECT_SV(r->name, SV("first"), "name");
    T_EXPECT(r->match == M_MATCH_PATH && r->case_insensitive && r->action == M_ACTION_ROUTE);
    T_EXPECT_SV(r->match_text, SV("/A"), "match");
    T_EXPECT_EQ(r->timeout_ms, 0, "time-out off");
    T_EXPECT(r->has_idle_timeout && r->idle_timeout_ms == 1500);
    T_EXPECT(r->has_prefix_rewrite);
    T_EXPECT_SV(r->prefix_rewrite, SV("/b"), "rewrite");
    T_EXPECT_SV(r->host_rewrite_literal, SV("h"), "host");
    T_EXPECT_EQ(r->priority, M_PRIORITY_HIGH, "priority");
    T_EXPECT_EQ(r->cluster_not_found_code, 404, "code");
    T_ASSERT(r->n_clusters == 1);
    T_EXPECT_EQ(r->clusters[0].cluster_index, 1, "index of d");
    T_EXPECT_EQ(r->total_weight, 1, "weight");

    r++;
    T_EXPECT(r->match == M_MATCH_PREFIX && !r->case_insensitive && !r->has_prefix_rewrite);
    T_EXPECT_EQ(r->timeout_ms, 15000, "time-out");
    T_EXPECT(!r->has_idle_timeout && r->host_rewrite_literal.n == 0);
    T_EXPECT_EQ(r->cluster_not_found_code, 500, "code");
    T_ASSERT(r->n_clusters == 2, "the zero weight is left out: %u", r->n_clusters);
    T_EXPECT_EQ(r->total_weight, 7, "sum");
    T_EXPECT_SV(r->clusters[0].cluster, SV("d"), "first");
    T_EXPECT_EQ(r->clusters[1].cluster_index, 0, "index of c");
    snap_drop(&s);
}

T(model_route, unknown_cluster_index)
{
    struct snap *s = build(BEFORE_CONFIG "{validate_clusters: false, virtual_hosts: [{name: v, "
                                         "domains: [a], routes: [{match: {prefix: /}, "
                                         "route: {cluster: zz}}]}]}" AFTER_HCM);
    const struct m_route *r = s == NULL ? NULL : first_route(s);
    T_ASSERT(r != NULL && r->n_clusters == 1);
    T_EXPECT_EQ(r->clusters[0].cluster_index, UINT32_MAX, "unknown");
    T_EXPECT_SV(r->clusters[0].cluster, SV("zz"), "name");
    T_EXPECT_EQ(r->cluster_not_found_code, 503, "code");
    snap_drop(&s);
}

T(model_route, routes_that_fit_nothing)
{
    struct snap *s =
        build(BEFORE_ROUTE "{name: a, match: {prefix: '/x?y'}, route: {cluster: c}},"
                           "{name: b, match: {path: '/x#y'}, direct_response: {status: 200}},"
                           "{name: c, match: {path: /x}, route: {cluster: d}}" AFTER_ROUTE);
    T_ASSERT(s != NULL && s->n_route_configs == 1);
    const struct m_vhost *v = s->route_configs[0]->vhosts;
    T_ASSERT(v->n_routes == 1, "%zu routes", v->n_routes);
    T_EXPECT_SV(v->routes[0].name, SV("c"), "the one that is left");
    T_EXPECT(v->routes[0].action == M_ACTION_ROUTE && v->routes[0].direct_status == 0);
    snap_drop(&s);
}

T(model_route, domain_tables)
{
    struct snap *s = build(BEFORE_HOSTS "{name: a, domains: [X.y, '*.B', 'w.*', '']},"
                                        "{name: b, domains: ['*.a.b', 'www.*', '*']}" AFTER_HOSTS);
    T_ASSERT(s != NULL && s->n_route_configs == 1);
    const struct m_route_config *rc = s->route_configs[0];
    T_ASSERT(rc->n_vhosts == 2 && rc->n_suffixes == 2 && rc->n_prefixes == 2);
    T_EXPECT_SV(rc->suffixes[0].text, SV(".a.b"), "the longest first");
    T_EXPECT_SV(rc->suffixes[1].text, SV(".b"), "lower case");
    T_EXPECT_SV(rc->prefixes[0].text, SV("www."), "the longest first");
    T_EXPECT(rc->suffixes[0].vhost == &rc->vhosts[1] && rc->suffixes[1].vhost == &rc->vhosts[0]);
    T_EXPECT(rc->any == &rc->vhosts[1]);
    T_EXPECT(map_get(rc->exact, SV("x.y")) == &rc->vhosts[0]);
    T_EXPECT(map_get(rc->exact, SV("")) == &rc->vhosts[0]);
    T_EXPECT_EQ(map_count(rc->exact), 2, "exact");
    T_EXPECT_SV(rc->name, SV("rc"), "name");
    T_EXPECT(rc->message != NULL);
    snap_drop(&s);

    s = build(BEFORE_HOSTS "{name: v, domains: ['*']}" AFTER_HOSTS);
    T_ASSERT(s != NULL);
    T_EXPECT(s->route_configs[0]->exact == NULL, "no table for no names");
    snap_drop(&s);
}
