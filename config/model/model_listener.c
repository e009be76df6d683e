/* Listeners, their filter chains and listener filters: envoy.config.listener.v3.Listener -> struct
 * m_listener. Main thread. */
#include "base/rng.h"
#include "config/model/model_int.h"
#include <arpa/inet.h>
#include <stdio.h>

enum {
    FILTERS_TIMEOUT_MS = 15000,
    BUFFER_BYTES = 1 << 20,
};

#define ORIGINAL_DST_NAME "envoy.filters.listener.original_dst"
#define ORIGINAL_DST_TYPE "envoy.extensions.filters.listener.original_dst.v3.OriginalDst"

/* ---- names and addresses ---- */

enum { ADDRESS_TEXT = INET6_ADDRSTRLEN + 8 /* []:65535 */, UUID_LEN = 36 };

/* "127.0.0.1:80" or "[::1]:80", in the canonical spelling, so that equal addresses give equal
 * texts. */
static void format_address(const struct m_address *a, char out[ADDRESS_TEXT])
{
    unsigned char bytes[sizeof(struct in6_addr)];
    char ip[INET6_ADDRSTRLEN] = "";
    bool v4 = inet_pton(AF_INET, a->host.p, bytes) == 1;
    if (v4 || inet_pton(AF_INET6, a->host.p, bytes) == 1)
        (void)inet_ntop(v4 ? AF_INET : AF_INET6, bytes, ip, sizeof ip);
    snprintf(out, ADDRESS_TEXT, v4 ? "%s:%u" : "[%s]:%u", ip, a->port);
}

/* What the parts of one listener need. */
struct listener_ctx {
    struct model_build *b;
    const Envoy__Config__Listener__V3__Listener *m;
    size_t index;
    char address[ADDRESS_TEXT];
};

static bool is_mapped_or_any6(const char *host)
{
    struct in6_addr a;
    return inet_pton(AF_INET6, host, &a) == 1 &&
           (IN6_IS_ADDR_V4MAPPED(&a) || IN6_IS_ADDR_UNSPECIFIED(&a));
}

static enum err read_address(struct listener_ctx *x, struct m_listener *l, struct diag *d)
{
    const Envoy__Config__Core__V3__Address *m = x->m->address;
    if (m == NULL)
        return diag_fail(d, E_PARSE, "error adding listener named '%s': address is necessary",
                         x->m->name);
    TRY(model_at(model_address(m, MODEL_LITERAL, &l->address, d), d, "address"));
    format_address(&l->address, x->address);
    if (l->address.ipv4_compat && !is_mapped_or_any6(l->address.host.p))
        return model_at(diag_fail(d, E_PARSE,
                                  "Only IPv6 address '::' or valid IPv4-mapped IPv6 address can "
                                  "set ipv4_compat: %s",
                                  x->address),
                        d, "address.socket_address.ipv4_compat");
    if (m->socket_address->protocol == ENVOY__CONFIG__CORE__V3__SOCKET_ADDRESS__PROTOCOL__UDP)
        return model_at(diag_fail(d, E_UNSUPPORTED,
                                  "error adding listener '%s': protocol UDP is unsupported",
                                  x->address),
                        d, "address.socket_address.protocol");
    return OK;
}

/* Envoy makes up a random name; ours is the same after a restart. */
static enum err make_name(struct listener_ctx *x, struct sv *out, struct diag *d)
{
    struct rng r;
    uint64_t seed = x->index;
    for (const char *p = x->address; *p != '\0'; p++)
        seed = seed * 31 + (unsigned char)*p;
    rng_seed(&r, seed);
    char uuid[UUID_LEN];
    rng_uuid4(&r, uuid);
    *out = arena_dup(x->b->arena, sv_of(uuid, sizeof uuid));
    return out->p == NULL ? model_no_memory(d) : OK;
}

/* ---- filters ---- */

static enum err read_listener_filters(struct listener_ctx *x, struct m_listener *l, struct diag *d)
{
    const Envoy__Config__Listener__V3__Listener *m = x->m;
    const struct model_ext *const *list = x->b->registry->listener_filters;
    struct m_ext *all = ARENA_ARRAY(x->b->arena, struct m_ext, m->n_listener_filters + 1);
    if (all == NULL)
        return model_no_memory(d);
    size_t n = 0;
    if (model_bool(m->use_original_dst, false)) {
        struct any_view any = {.type_url = ORIGINAL_DST_TYPE};
        TRY(model_at(model_ext(x->b, list, SV(ORIGINAL_DST_NAME), &any, &all[n++], d), d,
                     "use_original_dst"));
    }
    for (size_t i = 0; i < m->n_listener_filters; i++) {
        const Envoy__Config__Listener__V3__ListenerFilter *f = m->listener_filters[i];
        struct any_view any = model_any(f->typed_config);
        enum err e = model_ext(x->b, list, sv_str(f->name), &any, &all[n++], d);
        if (e != OK) {
            diag_prefix(d, "listener_filters[%zu]", i);
            return e;
        }
    }
    l->listener_filters = all;
    l->n_listener_filters = n;
    return OK;
}

static enum err read_chain(struct model_build *b, const Envoy__Config__Listener__V3__FilterChain *m,
                           struct m_filter_chain *out, struct diag *d)
{
    struct m_ext *all = ARENA_ARRAY(b->arena, struct m_ext, m->n_filters);
    if (all == NULL)
        return model_no_memory(d);
    for (size_t i = 0; i < m->n_filters; i++) {
        const Envoy__Config__Listener__V3__Filter *f = m->filters[i];
        struct any_view any = model_any(f->typed_config);
        enum err e = model_ext(b, b->registry->network_filters, sv_str(f->name), &any, &all[i], d);
        if (e == OK)
            e = model_check_terminal(&all[i], "network", i + 1 == m->n_filters, d);
        if (e != OK) {
            diag_prefix(d, "filters[%zu]", i);
            return e;
        }
    }
    *out =
        (struct m_filter_chain){.name = sv_str(m->name), .filters = all, .n_filters = m->n_filters};
    return OK;
}

static uint32_t chain_port(const Envoy__Config__Listener__V3__FilterChain *m)
{
    return m->filter_chain_match == NULL ? 0
                                         : model_u32(m->filter_chain_match->destination_port, 0);
}

/* Among the first n chains there may be none that matches the same connections. */
static enum err check_match(const struct listener_ctx *x, const struct m_filter_chain *chains,
                            size_t n, struct diag *d)
{
    const Envoy__Config__Listener__V3__FilterChain *m = x->m->filter_chains[n];
    uint32_t port = chain_port(m);
    for (size_t i = 0; i < n; i++) {
        if (chains[i].destination_port != port)
            continue;
        char matcher[sizeof "{\"destination_port\":4294967295}"] = "{}";
        if (port != 0)
            snprintf(matcher, sizeof matcher, "{\"destination_port\":%u}", port);
        return diag_fail(d, E_CONFLICT,
                         "error adding listener '%s': filter chain '%s' has the same matching "
                         "rules defined as '%.*s'. duplicate matcher is: %s",
                         x->address, m->name, SVF(chains[i].name), matcher);
    }
    return OK;
}

static enum err read_chains(const struct listener_ctx *x, struct m_listener *l, struct diag *d)
{
    const Envoy__Config__Listener__V3__Listener *m = x->m;
    struct arena *arena = x->b->arena;
    if (m->n_filter_chains == 0 && m->default_filter_chain == NULL)
        return model_at(diag_fail(d, E_PARSE,
                                  "error adding listener '%s': no filter chains specified",
                                  x->address),
                        d, "filter_chains");
    struct m_filter_chain *all = ARENA_ARRAY(arena, struct m_filter_chain, m->n_filter_chains);
    struct m_filter_chain *rest = ARENA_NEW(arena, struct m_filter_chain);
    if (all == NULL || rest == NULL)
        return model_no_memory(d);
    for (size_t i = 0; i < m->n_filter_chains; i++) {
        enum err e = check_match(x, all, i, d);
        if (e == OK)
            e = read_chain(x->b, m->filter_chains[i], &all[i], d);
        if (e != OK) {
            diag_prefix(d, "filter_chains[%zu]", i);
            return e;
        }
        all[i].destination_port = chain_port(m->filter_chains[i]);
    }
    l->chains = all;
    l->n_chains = m->n_filter_chains;
    if (m->default_filter_chain == NULL)
        return OK;
    TRY(model_at(read_chain(x->b, m->default_filter_chain, rest, d), d, "default_filter_chain"));
    l->default_chain = rest;
    return OK;
}

/* ---- listeners ---- */

static enum m_direction read_direction(const Envoy__Config__Listener__V3__Listener *m)
{
    switch (m->traffic_direction) {
    case ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__INBOUND:
        return M_DIR_INBOUND;
    case ENVOY__CONFIG__CORE__V3__TRAFFIC_DIRECTION__OUTBOUND:
        return M_DIR_OUTBOUND;
    default:
        return M_DIR_UNSPECIFIED;
    }
}

static enum err read_listener(struct listener_ctx *x, struct m_listener *l, struct diag *d)
{
    const Envoy__Config__Listener__V3__Listener *m = x->m;
    TRY(read_address(x, l, d));
    l->name = sv_str(m->name);
    if (l->name.n == 0)
        TRY(make_name(x, &l->name, d));
    l->stat_prefix = sv_str(m->stat_prefix);
    l->continue_on_listener_filters_timeout = m->continue_on_listener_filters_timeout != 0;
    l->per_connection_buffer_limit_bytes =
        model_u32(m->per_connection_buffer_limit_bytes, BUFFER_BYTES);
    l->tcp_backlog = model_u32(m->tcp_backlog_size, 0);
    l->reuse_port = model_bool(m->enable_reuse_port, true);
    l->direction = read_direction(m);
    l->message = &m->base;
    TRY(model_at(model_duration_ms((const ProtobufCMessage *)m->listener_filters_timeout,
                                   FILTERS_TIMEOUT_MS, &l->listener_filters_timeout_ms, d),
                 d, "listener_filters_timeout"));
    TRY(read_listener_filters(x, l, d));
    return read_chains(x, l, d);
}

/* The kernel chooses for port 0, so such addresses never clash. */
static enum err claim_address(struct map *addresses, const struct listener_ctx *x,
                              struct m_listener *l, struct diag *d)
{
    if (l->address.port == 0)
        return OK;
    enum err e = map_add(addresses, sv_str(x->address), l);
    if (e == E_CONFLICT)
        return model_at(
            diag_fail(d, e,
                      "error adding listener: '%.*s' has duplicate address '%s' as existing "
                      "listener, to check if the listener has duplicated addresses with other "
                      "listeners or 'enable_reuse_port' is set to 'false' for the listener",
                      SVF(l->name), x->address),
            d, "address");
    return e == OK ? OK : model_no_memory(d);
}

/* Of several listeners of one name the first stays; Envoy does not even look at the others. */
static enum err claim_name(struct map *names, const Envoy__Config__Listener__V3__Listener *m,
                           bool *taken, struct diag *d)
{
    *taken = false;
    if (m->name[0] == '\0')
        return OK;
    enum err e = map_add(names, sv_str(m->name), names);
    *taken = e == E_CONFLICT;
    return e == OK || e == E_CONFLICT ? OK : model_no_memory(d);
}

enum err model_add_listeners(struct model_build *b,
                             const Envoy__Config__Bootstrap__V3__Bootstrap__StaticResources *m,
                             struct diag *d)
{
    struct map *names = NULL, *addresses = NULL;
    TRY(model_map_new(b, &names, d));
    TRY(model_map_new(b, &addresses, d));
    struct m_listener *all = ARENA_ARRAY(b->arena, struct m_listener, m->n_listeners);
    if (all == NULL)
        return model_no_memory(d);
    size_t n = 0;
    for (size_t i = 0; i < m->n_listeners; i++) {
        struct listener_ctx x = {.b = b, .m = m->listeners[i], .index = i};
        bool taken;
        TRY(claim_name(names, x.m, &taken, d));
        if (taken)
            continue;
        enum err e = read_listener(&x, &all[n], d);
        if (e == OK)
            e = claim_address(addresses, &x, &all[n], d);
        if (e != OK) {
            diag_prefix(d, "listeners[%zu]", i);
            return e;
        }
        n++;
    }
    b->snap->listeners = all;
    b->snap->n_listeners = n;
    return OK;
}
