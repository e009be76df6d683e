/* One route: its match and what it does. envoy.config.route.v3.Route -> struct m_route. Called by
 * model_route.c; main thread. */
#include "config/model/model_int.h"
#include <inttypes.h>

enum {
    ROUTE_TIMEOUT_MS = 15000,
    DIRECT_BODY_MAX = 4096,
};

/* ---- clusters ---- */

static enum err find_cluster(const struct model_route_ctx *x, const char *name, const char *kind,
                             uint32_t *out, struct diag *d)
{
    *out = model_cluster_index(x->b, sv_str(name));
    if (*out == UINT32_MAX && x->validate_clusters)
        return diag_fail(d, E_NOTFOUND, "route: unknown %s '%s'", kind, name);
    return OK;
}

static enum err read_single(const struct model_route_ctx *x, const char *name, struct m_route *r,
                            struct diag *d)
{
    uint32_t index;
    TRY(find_cluster(x, name, "cluster", &index, d));
    r->total_weight = 1;
    return model_clusters(x->b, sv_str(name), &r->clusters, &r->n_clusters, d);
}

/* Names, weights and their sum; clusters are looked up afterwards, as Envoy does. */
static enum err sum_weights(const Envoy__Config__Route__V3__WeightedCluster *m, struct m_route *r,
                            struct diag *d)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < m->n_clusters; i++) {
        const Envoy__Config__Route__V3__WeightedCluster__ClusterWeight *w = m->clusters[i];
        enum err e = OK;
        if (w->name[0] == '\0')
            e = diag_fail(d, E_PARSE,
                          "At least one of name or cluster_header need to be specified");
        else if (w->weight == NULL)
            e = diag_fail(d, E_PARSE, "Field 'weight' is missing in: name: \"%s\"", w->name);
        if (e != OK) {
            diag_prefix(d, "clusters[%zu]", i);
            return e;
        }
        sum += w->weight->value;
        if (sum > UINT32_MAX)
            return diag_fail(d, E_LIMIT,
                             "The sum of weights of all weighted clusters of route %.*s exceeds "
                             "%" PRIu32,
                             SVF(r->name), UINT32_MAX);
    }
    if (sum == 0)
        return diag_fail(d, E_PARSE,
                         "Sum of weights in the weighted_cluster must be greater than 0.");
    r->total_weight = sum;
    return OK;
}

static enum err read_weighted(const struct model_route_ctx *x,
                              const Envoy__Config__Route__V3__WeightedCluster *m, struct m_route *r,
                              struct diag *d)
{
    TRY(sum_weights(m, r, d));
    struct m_weighted_cluster *all =
        ARENA_ARRAY(x->b->arena, struct m_weighted_cluster, m->n_clusters);
    if (all == NULL)
        return model_no_memory(d);
    uint32_t n = 0;
    for (size_t i = 0; i < m->n_clusters; i++) {
        const Envoy__Config__Route__V3__WeightedCluster__ClusterWeight *w = m->clusters[i];
        uint32_t index;
        enum err e = find_cluster(x, w->name, "weighted cluster", &index, d);
        if (e != OK) {
            diag_prefix(d, "clusters[%zu]", i);
            return e;
        }
        if (w->weight->value > 0)
            all[n++] = (struct m_weighted_cluster){
                .cluster = sv_str(w->name), .weight = w->weight->value, .cluster_index = index};
    }
    r->clusters = all;
    r->n_clusters = n;
    return OK;
}

/* ---- actions ---- */

static uint16_t not_found_code(const Envoy__Config__Route__V3__RouteAction *m)
{
    switch (m->cluster_not_found_response_code) {
    case ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__CLUSTER_NOT_FOUND_RESPONSE_CODE__NOT_FOUND:
        return 404;
    case ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__CLUSTER_NOT_FOUND_RESPONSE_CODE__INTERNAL_SERVER_ERROR:
        return 500;
    default:
        return 503;
    }
}

static enum err read_clusters(const struct model_route_ctx *x,
                              const Envoy__Config__Route__V3__RouteAction *m, struct m_route *r,
                              struct diag *d)
{
    switch (m->cluster_specifier_case) {
    case ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__CLUSTER_SPECIFIER_CLUSTER:
        return model_at(read_single(x, m->cluster, r, d), d, "cluster");
    case ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__CLUSTER_SPECIFIER_WEIGHTED_CLUSTERS:
        return model_at(read_weighted(x, m->weighted_clusters, r, d), d, "weighted_clusters");
    default:
        return diag_fail(d, E_PARSE, "field: \"cluster_specifier\", reason: is required");
    }
}

static enum err read_route_action(const struct model_route_ctx *x,
                                  const Envoy__Config__Route__V3__RouteAction *m, struct m_route *r,
                                  struct diag *d)
{
    r->action = M_ACTION_ROUTE;
    r->cluster_not_found_code = not_found_code(m);
    r->priority = m->priority == ENVOY__CONFIG__CORE__V3__ROUTING_PRIORITY__HIGH
                      ? M_PRIORITY_HIGH
                      : M_PRIORITY_DEFAULT;
    r->prefix_rewrite = sv_str(m->prefix_rewrite);
    r->has_prefix_rewrite = r->prefix_rewrite.n > 0;
    if (m->host_rewrite_specifier_case ==
        ENVOY__CONFIG__ROUTE__V3__ROUTE_ACTION__HOST_REWRITE_SPECIFIER_HOST_REWRITE_LITERAL)
        r->host_rewrite_literal = sv_str(m->host_rewrite_literal);
    TRY(model_at(model_duration_ms((const ProtobufCMessage *)m->timeout, ROUTE_TIMEOUT_MS,
                                   &r->timeout_ms, d),
                 d, "timeout"));
    r->has_idle_timeout = m->idle_timeout != NULL;
    TRY(model_at(
        model_duration_ms((const ProtobufCMessage *)m->idle_timeout, 0, &r->idle_timeout_ms, d), d,
        "idle_timeout"));
    return read_clusters(x, m, r, d);
}

static enum err read_direct(const struct model_route_ctx *x,
                            const Envoy__Config__Route__V3__DirectResponseAction *m,
                            struct m_route *r, struct diag *d)
{
    r->action = M_ACTION_DIRECT_RESPONSE;
    if (m->status < 200 || m->status >= 600)
        return model_at(diag_fail(d, E_PARSE, "value must be inside range [200, 600)"), d,
                        "status");
    r->direct_status = (uint16_t)m->status;
    if (m->body == NULL)
        return OK;
    return model_at(model_data_source(x->b, m->body, DIRECT_BODY_MAX, &r->direct_body, d), d,
                    "body");
}

static enum err read_match(const Envoy__Config__Route__V3__RouteMatch *m, struct m_route *r,
                           struct diag *d)
{
    if (m == NULL)
        return diag_fail(d, E_PARSE, "value is required");
    switch (m->path_specifier_case) {
    case ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_PREFIX:
        r->match = M_MATCH_PREFIX;
        r->match_text = sv_str(m->prefix);
        break;
    case ENVOY__CONFIG__ROUTE__V3__ROUTE_MATCH__PATH_SPECIFIER_PATH:
        r->match = M_MATCH_PATH;
        r->match_text = sv_str(m->path);
        break;
    default:
        return diag_fail(d, E_PARSE, "field: \"path_specifier\", reason: is required");
    }
    r->case_insensitive = !model_bool(m->case_sensitive, true);
    return OK;
}

enum err model_route(const struct model_route_ctx *x, const Envoy__Config__Route__V3__Route *m,
                     struct m_route *r, struct diag *d)
{
    r->name = sv_str(m->name);
    TRY(model_at(read_match(m->match, r, d), d, "match"));
    switch (m->action_case) {
    case ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_ROUTE:
        return model_at(read_route_action(x, m->route, r, d), d, "route");
    case ENVOY__CONFIG__ROUTE__V3__ROUTE__ACTION_DIRECT_RESPONSE:
        return model_at(read_direct(x, m->direct_response, r, d), d, "direct_response");
    default:
        return diag_fail(d, E_PARSE, "field: \"action\", reason: is required");
    }
}
