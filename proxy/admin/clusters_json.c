/* /clusters?format=json: builds an envoy.admin.v3.Clusters in the request's arena and prints it. */
#include "config/reflect/reflect.h"
#include "envoy/admin/v3/clusters.pb-c.h"
#include "proxy/admin/address.h"
#include "proxy/admin/clusters.h"

typedef Envoy__Admin__V3__ClusterStatus cluster_status;
typedef Envoy__Admin__V3__HostStatus host_status;
typedef Envoy__Config__Cluster__V3__CircuitBreakers__Thresholds thresholds;

struct builder {
    const struct text_match *filter;
    struct arena *arena;
    bool failed; /* no memory */
    Envoy__Admin__V3__Clusters all;
    size_t room;
};

static void *make(struct builder *b, size_t size)
{
    void *p = arena_zalloc(b->arena, size);
    b->failed |= p == NULL;
    return p;
}

/* The empty text is the shared one that unset fields have. */
static char *text(struct builder *b, struct sv s)
{
    struct sv copy = s.n == 0 ? sv_str(protobuf_c_empty_string) : arena_dup(b->arena, s);
    b->failed |= copy.p == NULL;
    return (char *)(uintptr_t)copy.p;
}

static Google__Protobuf__UInt32Value *wrapped(struct builder *b, uint32_t v)
{
    Google__Protobuf__UInt32Value *w = make(b, sizeof(*w));
    if (w != NULL) {
        google__protobuf__uint32_value__init(w);
        w->value = v;
    }
    return w;
}

static Envoy__Config__Cluster__V3__CircuitBreakers *breakers(struct builder *b,
                                                             const struct admin_cluster *c)
{
    Envoy__Config__Cluster__V3__CircuitBreakers *m = make(b, sizeof(*m));
    thresholds **list = make(b, ADMIN_PRIORITIES * sizeof(*list));

    if (m == NULL || list == NULL)
        return NULL;
    envoy__config__cluster__v3__circuit_breakers__init(m);
    for (unsigned i = 0; i < ADMIN_PRIORITIES; i++) {
        list[i] = make(b, sizeof(**list));
        if (list[i] == NULL)
            return NULL;
        envoy__config__cluster__v3__circuit_breakers__thresholds__init(list[i]);
        list[i]->priority = i == 0 ? ENVOY__CONFIG__CORE__V3__ROUTING_PRIORITY__DEFAULT
                                   : ENVOY__CONFIG__CORE__V3__ROUTING_PRIORITY__HIGH;
        list[i]->max_connections = wrapped(b, c->limits[i].max_connections);
        list[i]->max_pending_requests = wrapped(b, c->limits[i].max_pending_requests);
        list[i]->max_requests = wrapped(b, c->limits[i].max_requests);
        list[i]->max_retries = wrapped(b, c->limits[i].max_retries);
    }
    m->thresholds = list;
    m->n_thresholds = ADMIN_PRIORITIES;
    return m;
}

/* Counters first, then gauges. */
static void add_numbers(struct builder *b, const struct admin_host *h, host_status *m)
{
    Envoy__Admin__V3__SimpleMetric **list = make(b, ADMIN_HOST_NUMBERS * sizeof(*list));

    for (unsigned i = 0; i < 2 * ADMIN_HOST_NUMBERS && list != NULL; i++) {
        const struct admin_host_number *n = &admin_host_numbers[i % ADMIN_HOST_NUMBERS];
        if (n->gauge != (i >= ADMIN_HOST_NUMBERS))
            continue;
        Envoy__Admin__V3__SimpleMetric *one = make(b, sizeof(*one));
        if (one == NULL)
            return;
        envoy__admin__v3__simple_metric__init(one);
        one->name = text(b, sv_str(n->name));
        one->type = n->gauge ? ENVOY__ADMIN__V3__SIMPLE_METRIC__TYPE__GAUGE
                             : ENVOY__ADMIN__V3__SIMPLE_METRIC__TYPE__COUNTER;
        one->value = admin_host_number(h, n);
        list[m->n_stats++] = one;
    }
    m->stats = list;
}

static void add_place(struct builder *b, const struct admin_host *h, host_status *m)
{
    m->locality = make(b, sizeof(*m->locality));
    m->health_status = make(b, sizeof(*m->health_status));
    if (b->failed)
        return;
    envoy__config__core__v3__locality__init(m->locality);
    m->locality->region = text(b, h->region);
    m->locality->zone = text(b, h->zone);
    m->locality->sub_zone = text(b, h->sub_zone);
    envoy__admin__v3__host_health_status__init(m->health_status);
    m->health_status->eds_health_status = ENVOY__CONFIG__CORE__V3__HEALTH_STATUS__HEALTHY;
    if ((h->health_flags & ADMIN_FAILED_EDS_HEALTH) != 0)
        m->health_status->eds_health_status = ENVOY__CONFIG__CORE__V3__HEALTH_STATUS__UNHEALTHY;
    else if ((h->health_flags & ADMIN_DEGRADED_EDS_HEALTH) != 0)
        m->health_status->eds_health_status = ENVOY__CONFIG__CORE__V3__HEALTH_STATUS__DEGRADED;
}

static host_status *make_host(struct builder *b, const struct admin_host *h)
{
    host_status *m = make(b, sizeof(*m));

    if (m == NULL)
        return NULL;
    envoy__admin__v3__host_status__init(m);
    m->address = admin_address_message(&h->addr, b->arena);
    b->failed |= m->address == NULL;
    m->weight = h->weight;
    m->priority = h->priority;
    m->hostname = text(b, h->hostname);
    add_numbers(b, h, m);
    add_place(b, h, m);
    return m;
}

static cluster_status *make_cluster(struct builder *b, const struct admin_cluster *c)
{
    cluster_status *m = make(b, sizeof(*m));

    if (m == NULL)
        return NULL;
    envoy__admin__v3__cluster_status__init(m);
    m->name = text(b, c->name);
    m->observability_name = text(b, c->observability_name);
    m->added_via_api = c->added_via_api;
    m->circuit_breakers = breakers(b, c);
    m->host_statuses = make(b, (c->n_hosts + 1) * sizeof(host_status *));
    for (size_t i = 0; i < c->n_hosts && !b->failed; i++)
        m->host_statuses[m->n_host_statuses++] = make_host(b, &c->hosts[i]);
    return m;
}

/* Room for one more; the old array stays in the arena. */
static bool grow(struct builder *b)
{
    size_t n = b->all.n_cluster_statuses;
    if (n < b->room)
        return true;
    b->room = b->room == 0 ? 16 : b->room * 2;
    cluster_status **more = make(b, b->room * sizeof(*more));
    if (more == NULL)
        return false;
    if (n > 0)
        memcpy(more, b->all.cluster_statuses, n * sizeof(*more));
    b->all.cluster_statuses = more;
    return true;
}

static void add_cluster(void *ctx, const struct admin_cluster *c)
{
    struct builder *b = ctx;

    if (b->failed || (b->filter != NULL && !text_match_is(b->filter, c->name)) || !grow(b))
        return;
    b->all.cluster_statuses[b->all.n_cluster_statuses++] = make_cluster(b, c);
}

void admin_clusters_json(struct admin *a, const struct text_match *filter, struct arena *arena,
                         struct admin_reply *re)
{
    struct builder b = {.filter = filter, .arena = arena};
    struct diag d = {0};

    re->content_type = ADMIN_JSON;
    envoy__admin__v3__clusters__init(&b.all);
    a->deps.clusters(a->deps.arg, add_cluster, &b);
    if (b.failed)
        admin_check(re, E_NOMEM, NULL);
    else
        admin_check(re, reflect_print_json(&b.all.base, REFLECT_PRETTY, &re->body, &d), &d);
}
