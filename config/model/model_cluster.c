/* Clusters and their endpoints: envoy.config.cluster.v3.Cluster -> struct m_cluster. Main only. */
#include "config/model/model_int.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    DNS_REFRESH_MS = 5000,
    CLEANUP_MS = 5000,
    IDLE_MS = 3600000,
    BUFFER_BYTES = 1 << 20,
    MAX_HEADERS = 100,
    MAX_CONNECTIONS = 1024, /* pending requests and requests alike */
    MAX_RETRIES = 3,
    FAILURE_MAX_FACTOR = 10, /* of the base, when max_interval is not set */
};

#define LITERAL_HINT                                                                               \
    "Consider setting resolver_name or setting cluster type to 'STRICT_DNS' or 'LOGICAL_DNS'"

static const char *enum_name(const ProtobufCEnumDescriptor *type, int value)
{
    const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(type, value);
    return v == NULL ? "?" : v->name;
}

/* ---- kinds ---- */

static enum err read_type(const Envoy__Config__Cluster__V3__Cluster *m, enum m_cluster_type *out,
                          struct diag *d)
{
    int type = m->cluster_discovery_type_case ==
                       ENVOY__CONFIG__CLUSTER__V3__CLUSTER__CLUSTER_DISCOVERY_TYPE_TYPE
                   ? (int)m->type
                   : ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__STATIC;
    switch (type) {
    case ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__STATIC:
        *out = M_CLUSTER_STATIC;
        return OK;
    case ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__STRICT_DNS:
        *out = M_CLUSTER_STRICT_DNS;
        return OK;
    case ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DISCOVERY_TYPE__ORIGINAL_DST:
        *out = M_CLUSTER_ORIGINAL_DST;
        return OK;
    default:
        return diag_fail(
            d, E_UNSUPPORTED, "cluster '%s': type %s is unsupported", m->name,
            enum_name(&envoy__config__cluster__v3__cluster__discovery_type__descriptor, type));
    }
}

static enum err read_lb_policy(const Envoy__Config__Cluster__V3__Cluster *m,
                               enum m_cluster_type type, enum m_lb_policy *out, struct diag *d)
{
    bool provided =
        m->lb_policy == ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__CLUSTER_PROVIDED;
    const char *name =
        enum_name(&envoy__config__cluster__v3__cluster__lb_policy__descriptor, (int)m->lb_policy);
    if (type == M_CLUSTER_ORIGINAL_DST && !provided)
        return diag_fail(d, E_PARSE,
                         "cluster: LB policy %s is not valid for Cluster type ORIGINAL_DST. Only "
                         "'CLUSTER_PROVIDED' is allowed with cluster type 'ORIGINAL_DST'",
                         name);
    if (type != M_CLUSTER_ORIGINAL_DST && provided)
        return diag_fail(d, E_PARSE,
                         "cluster manager: cluster provided LB specified but cluster '%s' did not "
                         "provide one. Check cluster documentation.",
                         m->name);
    if (!provided && m->lb_policy != ENVOY__CONFIG__CLUSTER__V3__CLUSTER__LB_POLICY__ROUND_ROBIN)
        return diag_fail(d, E_UNSUPPORTED, "cluster '%s': lb_policy %s is unsupported", m->name,
                         name);
    *out = provided ? M_LB_CLUSTER_PROVIDED : M_LB_ROUND_ROBIN;
    return OK;
}

static enum m_dns_family read_family(const Envoy__Config__Cluster__V3__Cluster *m)
{
    switch (m->dns_lookup_family) {
    case ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DNS_LOOKUP_FAMILY__V4_ONLY:
        return M_DNS_V4_ONLY;
    case ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DNS_LOOKUP_FAMILY__V6_ONLY:
        return M_DNS_V6_ONLY;
    case ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DNS_LOOKUP_FAMILY__V4_PREFERRED:
        return M_DNS_V4_PREFERRED;
    case ENVOY__CONFIG__CLUSTER__V3__CLUSTER__DNS_LOOKUP_FAMILY__ALL:
        return M_DNS_ALL;
    default:
        return M_DNS_AUTO;
    }
}

/* ---- endpoints ---- */

static enum err read_endpoint(const Envoy__Config__Endpoint__V3__LbEndpoint *m,
                              enum m_cluster_type type, struct m_endpoint *out, struct diag *d)
{
    if (m->host_identifier_case !=
            ENVOY__CONFIG__ENDPOINT__V3__LB_ENDPOINT__HOST_IDENTIFIER_ENDPOINT ||
        m->endpoint == NULL)
        return diag_fail(d, E_PARSE, "Address must be set. " LITERAL_HINT);
    bool names = type == M_CLUSTER_STRICT_DNS;
    enum err e = model_address(m->endpoint->address, names ? MODEL_NAME_ALLOWED : MODEL_LITERAL,
                               &out->address, d);
    if (e != OK) {
        if (e == E_PARSE && d != NULL) {
            struct diag reason = *d;
            e = diag_fail(d, e, "%s. " LITERAL_HINT, reason.msg);
            diag_prefix(d, "%s", reason.path);
        }
        return model_at(e, d, "endpoint.address");
    }
    out->hostname = sv_str(m->endpoint->hostname);
    out->weight = model_u32(m->load_balancing_weight, 1);
    if (out->weight == 0)
        return model_at(diag_fail(d, E_PARSE, "value must be greater than or equal to 1"), d,
                        "load_balancing_weight");
    return OK;
}

static enum err read_locality(struct model_build *b,
                              const Envoy__Config__Endpoint__V3__LocalityLbEndpoints *m,
                              const struct m_locality **out, struct diag *d)
{
    struct m_locality *l = ARENA_NEW(b->arena, struct m_locality);
    if (l == NULL)
        return model_no_memory(d);
    if (m->locality != NULL) {
        l->region = sv_str(m->locality->region);
        l->zone = sv_str(m->locality->zone);
        l->sub_zone = sv_str(m->locality->sub_zone);
    }
    *out = l;
    return OK;
}

static enum err read_members(struct model_build *b,
                             const Envoy__Config__Endpoint__V3__ClusterLoadAssignment *m,
                             struct m_cluster *c, struct diag *d)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n_endpoints; i++)
        n += m->endpoints[i]->n_lb_endpoints;
    struct m_endpoint *all = ARENA_ARRAY(b->arena, struct m_endpoint, n);
    if (all == NULL)
        return model_no_memory(d);
    struct m_endpoint *to = all;
    for (size_t i = 0; i < m->n_endpoints; i++) {
        const Envoy__Config__Endpoint__V3__LocalityLbEndpoints *l = m->endpoints[i];
        const struct m_locality *locality = NULL;
        TRY(read_locality(b, l, &locality, d));
        for (size_t j = 0; j < l->n_lb_endpoints; j++, to++) {
            enum err e = read_endpoint(l->lb_endpoints[j], c->type, to, d);
            if (e != OK) {
                diag_prefix(d, "endpoints[%zu].lb_endpoints[%zu]", i, j);
                return e;
            }
            to->locality = locality;
        }
    }
    c->endpoints = all;
    c->n_endpoints = n;
    return OK;
}

/* ---- limits and times ---- */

/* Of several entries for one priority the first counts. */
static void read_thresholds(const Envoy__Config__Cluster__V3__Cluster *m, struct m_cluster *c)
{
    bool seen[M_PRIORITIES] = {false};
    for (int i = 0; i < M_PRIORITIES; i++)
        c->thresholds[i] =
            (struct m_thresholds){MAX_CONNECTIONS, MAX_CONNECTIONS, MAX_CONNECTIONS, MAX_RETRIES};
    for (size_t i = 0; m->circuit_breakers != NULL && i < m->circuit_breakers->n_thresholds; i++) {
        const Envoy__Config__Cluster__V3__CircuitBreakers__Thresholds *t =
            m->circuit_breakers->thresholds[i];
        int p = t->priority == ENVOY__CONFIG__CORE__V3__ROUTING_PRIORITY__HIGH ? M_PRIORITY_HIGH
                                                                               : M_PRIORITY_DEFAULT;
        if (seen[p])
            continue;
        seen[p] = true;
        c->thresholds[p] = (struct m_thresholds){
            .max_connections = model_u32(t->max_connections, MAX_CONNECTIONS),
            .max_pending_requests = model_u32(t->max_pending_requests, MAX_CONNECTIONS),
            .max_requests = model_u32(t->max_requests, MAX_CONNECTIONS),
            .max_retries = model_u32(t->max_retries, MAX_RETRIES),
        };
    }
}

static enum err read_ms(const Google__Protobuf__Duration *m, uint64_t dflt, const char *field,
                        uint64_t *out, struct diag *d)
{
    return model_at(model_duration_ms((const ProtobufCMessage *)m, dflt, out, d), d, field);
}

static enum err read_dns(const Envoy__Config__Cluster__V3__Cluster *m, struct m_cluster *c,
                         struct diag *d)
{
    c->dns_family = read_family(m);
    c->respect_dns_ttl = m->respect_dns_ttl != 0;
    TRY(read_ms(m->dns_refresh_rate, DNS_REFRESH_MS, "dns_refresh_rate", &c->dns_refresh_ms, d));
    c->dns_failure_base_ms = c->dns_failure_max_ms = c->dns_refresh_ms;
    const Envoy__Config__Cluster__V3__Cluster__RefreshRate *r = m->dns_failure_refresh_rate;
    if (r == NULL)
        return OK;
    TRY(read_ms(r->base_interval, c->dns_refresh_ms, "dns_failure_refresh_rate.base_interval",
                &c->dns_failure_base_ms, d));
    TRY(read_ms(r->max_interval, c->dns_failure_base_ms * FAILURE_MAX_FACTOR,
                "dns_failure_refresh_rate.max_interval", &c->dns_failure_max_ms, d));
    if (c->type == M_CLUSTER_STRICT_DNS && c->dns_failure_max_ms < c->dns_failure_base_ms)
        return model_at(diag_fail(d, E_PARSE,
                                  "dns_failure_refresh_rate must have max_interval greater than or "
                                  "equal to the base_interval"),
                        d, "dns_failure_refresh_rate");
    return OK;
}

static enum err read_http(const Envoy__Config__Cluster__V3__Cluster *m, struct m_cluster *c,
                          struct diag *d)
{
    const Envoy__Config__Core__V3__HttpProtocolOptions *o = m->common_http_protocol_options;
    c->idle_timeout_ms = IDLE_MS;
    c->max_headers_count = MAX_HEADERS;
    c->max_requests_per_connection = model_u32(m->max_requests_per_connection, 0);
    if (o == NULL)
        return OK;
    if (m->max_requests_per_connection != NULL && o->max_requests_per_connection != NULL)
        return diag_fail(d, E_PARSE,
                         "Only one of max_requests_per_connection from Cluster or "
                         "HttpProtocolOptions can be specified");
    c->max_requests_per_connection =
        model_u32(o->max_requests_per_connection, c->max_requests_per_connection);
    c->max_headers_count = model_u32(o->max_headers_count, MAX_HEADERS);
    enum err e = read_ms(o->idle_timeout, IDLE_MS, "idle_timeout", &c->idle_timeout_ms, d);
    if (e == OK)
        e = read_ms(o->max_connection_duration, 0, "max_connection_duration",
                    &c->max_connection_duration_ms, d);
    return model_at(e, d, "common_http_protocol_options");
}

/* ---- clusters ---- */

static enum err read_cluster(struct model_build *b, const Envoy__Config__Cluster__V3__Cluster *m,
                             struct m_cluster *c, struct diag *d)
{
    c->name = sv_str(m->name);
    c->stat_name = m->alt_stat_name[0] != '\0' ? sv_str(m->alt_stat_name) : c->name;
    c->message = &m->base;
    c->per_connection_buffer_limit_bytes =
        model_u32(m->per_connection_buffer_limit_bytes, BUFFER_BYTES);
    read_thresholds(m, c);
    TRY(model_at(read_type(m, &c->type, d), d, "type"));
    TRY(model_at(read_lb_policy(m, c->type, &c->lb_policy, d), d, "lb_policy"));
    TRY(read_ms(m->connect_timeout, CONNECT_TIMEOUT_MS, "connect_timeout", &c->connect_timeout_ms,
                d));
    TRY(read_ms(m->cleanup_interval, CLEANUP_MS, "cleanup_interval", &c->cleanup_interval_ms, d));
    TRY(read_dns(m, c, d));
    TRY(read_http(m, c, d));
    if (m->load_assignment == NULL)
        return OK;
    if (c->type == M_CLUSTER_ORIGINAL_DST)
        return model_at(
            diag_fail(d, E_PARSE, "ORIGINAL_DST clusters must have no load assignment configured"),
            d, "load_assignment");
    return model_at(read_members(b, m->load_assignment, c, d), d, "load_assignment");
}

enum err model_add_clusters(struct model_build *b,
                            const Envoy__Config__Bootstrap__V3__Bootstrap__StaticResources *m,
                            struct diag *d)
{
    struct m_cluster *all = ARENA_ARRAY(b->arena, struct m_cluster, m->n_clusters);
    if (all == NULL)
        return model_no_memory(d);
    for (size_t i = 0; i < m->n_clusters; i++) {
        struct m_cluster *c = &all[i];
        c->index = (uint32_t)i;
        enum err e = read_cluster(b, m->clusters[i], c, d);
        if (e == OK) {
            e = map_add(b->snap->cluster_by_name, c->name, c);
            if (e == E_CONFLICT)
                e = diag_fail(d, e, "cluster manager: duplicate cluster '%.*s'", SVF(c->name));
            else if (e != OK)
                e = model_no_memory(d);
        }
        if (e != OK) {
            diag_prefix(d, "clusters[%zu]", i);
            return e;
        }
    }
    b->snap->clusters = all;
    b->snap->n_clusters = m->n_clusters;
    return OK;
}
