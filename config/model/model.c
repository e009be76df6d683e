/* From a bootstrap message to a snapshot: the order of the build, and what several parts need.
 * Called by config/load.c, later by xDS, on the main thread. No sockets; the only files read are
 * those that data sources name. */
#include "config/model/model_int.h"
#include <arpa/inet.h>
#include <inttypes.h>

enum {
    STATS_FLUSH_MS = 5000,
    MS_PER_S = 1000,
    NS_PER_MS = 1000000,
};
/* Envoy keeps durations in a signed 64-bit count of nanoseconds. */
#define DURATION_MAX_S INT64_C(9223372035)

enum err model_no_memory(struct diag *d)
{
    return diag_fail(d, E_NOMEM, "out of memory");
}

static void free_map(void *arg)
{
    struct map *m = arg;
    map_free(&m);
}

enum err model_map_new(struct model_build *b, struct map **out, struct diag *d)
{
    struct map *m = map_new();
    if (m == NULL)
        return model_no_memory(d);
    if (arena_on_free(b->arena, free_map, m) != OK) {
        map_free(&m);
        return model_no_memory(d);
    }
    *out = m;
    return OK;
}

enum err model_duration_ms(const ProtobufCMessage *duration, uint64_t dflt_ms, uint64_t *out,
                           struct diag *d)
{
    const Google__Protobuf__Duration *m = (const Google__Protobuf__Duration *)duration;
    if (m == NULL) {
        *out = dflt_ms;
        return OK;
    }
    if (m->seconds < 0 || m->nanos < 0)
        return diag_fail(d, E_PARSE, "Invalid duration: Expected positive duration");
    if (m->seconds > DURATION_MAX_S || m->nanos >= MS_PER_S * NS_PER_MS)
        return diag_fail(d, E_PARSE, "Invalid duration: Duration out-of-range");
    *out = (uint64_t)m->seconds * MS_PER_S + ((uint64_t)m->nanos + NS_PER_MS - 1) / NS_PER_MS;
    return OK;
}

bool model_is_ip(const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

enum err model_address(const Envoy__Config__Core__V3__Address *m, enum model_names names,
                       struct m_address *out, struct diag *d)
{
    if (m == NULL || m->address_case != ENVOY__CONFIG__CORE__V3__ADDRESS__ADDRESS_SOCKET_ADDRESS ||
        m->socket_address == NULL)
        return diag_fail(d, E_PARSE, "Address must be set");
    const Envoy__Config__Core__V3__SocketAddress *s = m->socket_address;
    bool is_ip = model_is_ip(s->address);
    if (!is_ip && names == MODEL_LITERAL)
        return model_at(diag_fail(d, E_PARSE, "malformed IP address: %s", s->address), d,
                        "socket_address.address");
    uint32_t port =
        s->port_specifier_case == ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__PORT_SPECIFIER_PORT_VALUE
            ? s->port_value
            : 0;
    if (port > UINT16_MAX)
        return model_at(diag_fail(d, E_LIMIT, "value must be less than or equal to 65535"), d,
                        "socket_address.port_value");
    *out = (struct m_address){
        .host = sv_str(s->address),
        .port = (uint16_t)port,
        .is_name = !is_ip,
        .ipv4_compat = s->ipv4_compat != 0,
    };
    return OK;
}

uint32_t model_cluster_index(const struct model_build *b, struct sv name)
{
    const struct m_cluster *c = map_get(b->snap->cluster_by_name, name);
    return c == NULL ? UINT32_MAX : c->index;
}

enum err model_clusters(struct model_build *b, struct sv single,
                        const struct m_weighted_cluster **out, uint32_t *n_out, struct diag *d)
{
    struct m_weighted_cluster *w = ARENA_NEW(b->arena, struct m_weighted_cluster);
    if (w == NULL)
        return model_no_memory(d);
    *w = (struct m_weighted_cluster){
        .cluster = single, .weight = 1, .cluster_index = model_cluster_index(b, single)};
    *out = w;
    *n_out = 1;
    return OK;
}

static enum err add_admin(struct model_build *b, const Envoy__Config__Bootstrap__V3__Admin *m,
                          struct diag *d)
{
    struct m_admin *admin = &b->snap->admin;
    if (m == NULL)
        return OK;
    TRY(model_admin_logs(b, m, d));
    if (m->address == NULL)
        return OK;
    TRY(model_at(model_address(m->address, MODEL_LITERAL, &admin->address, d), d, "address"));
    admin->present = true;
    return OK;
}

static enum err build(struct model_build *b, const Envoy__Config__Bootstrap__V3__Bootstrap *m,
                      struct diag *d)
{
    struct snap *s = b->snap;
    TRY(model_map_new(b, &s->cluster_by_name, d));
    TRY(model_at(model_duration_ms((const ProtobufCMessage *)m->stats_flush_interval,
                                   STATS_FLUSH_MS, &s->stats_flush_ms, d),
                 d, "stats_flush_interval"));
    TRY(model_at(add_admin(b, m->admin, d), d, "admin"));
    if (m->static_resources != NULL) {
        TRY(model_at(model_add_clusters(b, m->static_resources, d), d, "static_resources"));
        TRY(model_at(model_add_listeners(b, m->static_resources, d), d, "static_resources"));
    }
    return model_close_route_configs(b, d);
}

/* The caller frees the arena when this fails. */
static enum err build_in_arena(const struct model_input *in, struct snap **out, struct diag *d)
{
    const Envoy__Config__Bootstrap__V3__Bootstrap *m =
        (const Envoy__Config__Bootstrap__V3__Bootstrap *)in->bootstrap;
    struct snap *s = ARENA_NEW(in->take_arena, struct snap);
    if (s == NULL)
        return model_no_memory(d);
    s->refs = 1;
    s->arena = in->take_arena;
    s->bootstrap = in->bootstrap;
    s->node = in->node != NULL ? in->node : (const ProtobufCMessage *)m->node;
    struct model_build b = {
        .snap = s, .arena = in->take_arena, .registry = in->registry, .env = in->env};
    list_init(&b.route_configs);
    TRY(build(&b, m, d));
    *out = s;
    return OK;
}

enum err model_build_input(const struct model_input *in, struct snap **out, struct diag *d)
{
    BUG_ON(in->bootstrap->descriptor != &envoy__config__bootstrap__v3__bootstrap__descriptor);
    struct arena *arena = in->take_arena;
    enum err e = build_in_arena(in, out, d);
    if (e != OK)
        arena_free(&arena);
    return e;
}

enum err model_build(const ProtobufCMessage *bootstrap, struct arena *take_arena,
                     const struct model_registry *registry, void *env, struct snap **out,
                     struct diag *d)
{
    struct model_input in = {
        .bootstrap = bootstrap, .take_arena = take_arena, .registry = registry, .env = env};
    return model_build_input(&in, out, d);
}
