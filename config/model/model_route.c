/* Routes: envoy.config.route.v3.RouteConfiguration -> struct m_route_config with its lookup tables.
 * Called by the connection manager's conf while a snapshot is built; main thread. */
#include "config/model/model_int.h"
#include <stdlib.h>

/* A route configuration that the snapshot will list. */
struct listed {
    struct link link;
    const struct m_route_config *rc;
};

/* ---- virtual hosts ---- */

/* The tables under construction. */
struct domain_ctx {
    struct model_build *b;
    struct m_route_config *rc;
    struct m_wildcard *suffixes, *prefixes; /* with room for every domain */
    struct map *seen;                       /* wildcards, as written in lower case */
};

/* Envoy compares with what stands before the query, which a text with a '?' or '#' never equals. */
static bool fits_a_path(const struct m_route *r)
{
    return sv_find(r->match_text, '?', 0) == SIZE_MAX && sv_find(r->match_text, '#', 0) == SIZE_MAX;
}

static enum err read_vhost(const struct model_route_ctx *x,
                           const Envoy__Config__Route__V3__VirtualHost *m, struct m_vhost *v,
                           struct diag *d)
{
    struct m_route *routes = ARENA_ARRAY(x->b->arena, struct m_route, m->n_routes);
    if (routes == NULL)
        return model_no_memory(d);
    size_t n = 0;
    for (size_t i = 0; i < m->n_routes; i++) {
        enum err e = model_route(x, m->routes[i], &routes[n], d);
        if (e != OK) {
            diag_prefix(d, "routes[%zu]", i);
            return e;
        }
        if (fits_a_path(&routes[n]))
            n++;
        else
            routes[n] = (struct m_route){0};
    }
    *v = (struct m_vhost){.name = sv_str(m->name), .routes = routes, .n_routes = n};
    return OK;
}

/* Where a domain was put: E_CONFLICT when it was there already. */
static enum err place_domain(struct domain_ctx *x, struct sv domain, struct m_vhost *v)
{
    struct m_route_config *rc = x->rc;
    if (domain.n > 0 && domain.p[0] == '*') {
        TRY(map_add(x->seen, domain, v));
        x->suffixes[rc->n_suffixes++] = (struct m_wildcard){sv_skip(domain, 1), v};
        return OK;
    }
    if (domain.n > 0 && domain.p[domain.n - 1] == '*') {
        TRY(map_add(x->seen, domain, v));
        x->prefixes[rc->n_prefixes++] = (struct m_wildcard){sv_of(domain.p, domain.n - 1), v};
        return OK;
    }
    return map_add(rc->exact, domain, v);
}

static enum err add_domain(struct domain_ctx *x, struct sv text, struct m_vhost *v, struct diag *d)
{
    struct m_route_config *rc = x->rc;
    if (sv_eq(text, SV("*"))) {
        if (rc->any != NULL)
            return diag_fail(d, E_CONFLICT,
                             "Only a single wildcard domain is permitted in route %.*s",
                             SVF(rc->name));
        rc->any = v;
        return OK;
    }
    char *lower = arena_alloc(x->b->arena, text.n + 1, 1);
    if (lower == NULL)
        return model_no_memory(d);
    for (size_t i = 0; i < text.n; i++)
        lower[i] = ascii_lower(text.p[i]);
    struct sv domain = sv_of(lower, text.n);
    enum err e = place_domain(x, domain, v);
    if (e == E_CONFLICT)
        return diag_fail(d, e,
                         "Only unique values for domains are permitted. Duplicate entry of domain "
                         "%.*s in route %.*s",
                         SVF(domain), SVF(rc->name));
    return e == OK ? OK : model_no_memory(d);
}

static enum err add_domains(struct domain_ctx *x, const Envoy__Config__Route__V3__VirtualHost *m,
                            struct m_vhost *v, struct diag *d)
{
    for (size_t i = 0; i < m->n_domains; i++) {
        enum err e = add_domain(x, sv_str(m->domains[i]), v, d);
        if (e != OK) {
            diag_prefix(d, "domains[%zu]", i);
            return e;
        }
    }
    return OK;
}

static int longest_first(const void *pa, const void *pb)
{
    const struct m_wildcard *a = pa, *b = pb;
    if (a->text.n != b->text.n)
        return a->text.n > b->text.n ? -1 : 1;
    return sv_cmp(a->text, b->text);
}

static enum err open_domains(struct domain_ctx *x,
                             const Envoy__Config__Route__V3__RouteConfiguration *m, struct diag *d)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n_virtual_hosts; i++)
        n += m->virtual_hosts[i]->n_domains;
    x->suffixes = ARENA_ARRAY(x->b->arena, struct m_wildcard, n);
    x->prefixes = ARENA_ARRAY(x->b->arena, struct m_wildcard, n);
    if (x->suffixes == NULL || x->prefixes == NULL)
        return model_no_memory(d);
    x->rc->suffixes = x->suffixes;
    x->rc->prefixes = x->prefixes;
    TRY(model_map_new(x->b, &x->rc->exact, d));
    return model_map_new(x->b, &x->seen, d);
}

static enum err read_vhosts(struct model_build *b,
                            const Envoy__Config__Route__V3__RouteConfiguration *m,
                            struct m_route_config *rc, struct diag *d)
{
    struct model_route_ctx rx = {b, model_bool(m->validate_clusters, true)};
    struct domain_ctx dx = {.b = b, .rc = rc};
    TRY(open_domains(&dx, m, d));
    struct m_vhost *vhosts = ARENA_ARRAY(b->arena, struct m_vhost, m->n_virtual_hosts);
    if (vhosts == NULL)
        return model_no_memory(d);
    for (size_t i = 0; i < m->n_virtual_hosts; i++) {
        enum err e = read_vhost(&rx, m->virtual_hosts[i], &vhosts[i], d);
        if (e == OK)
            e = add_domains(&dx, m->virtual_hosts[i], &vhosts[i], d);
        if (e != OK) {
            diag_prefix(d, "virtual_hosts[%zu]", i);
            return e;
        }
    }
    if (rc->n_suffixes > 1)
        qsort(dx.suffixes, rc->n_suffixes, sizeof *dx.suffixes, longest_first);
    if (rc->n_prefixes > 1)
        qsort(dx.prefixes, rc->n_prefixes, sizeof *dx.prefixes, longest_first);
    if (map_count(rc->exact) == 0)
        rc->exact = NULL;
    rc->vhosts = vhosts;
    rc->n_vhosts = m->n_virtual_hosts;
    return OK;
}

/* ---- route configurations ---- */

enum err model_route_config(struct model_build *b, const ProtobufCMessage *msg,
                            const struct m_route_config **out, struct diag *d)
{
    const Envoy__Config__Route__V3__RouteConfiguration *m =
        (const Envoy__Config__Route__V3__RouteConfiguration *)msg;
    struct m_route_config *rc = ARENA_NEW(b->arena, struct m_route_config);
    struct listed *entry = ARENA_NEW(b->arena, struct listed);
    if (rc == NULL || entry == NULL)
        return model_no_memory(d);
    rc->name = sv_str(m->name);
    rc->message = msg;
    TRY(read_vhosts(b, m, rc, d));
    entry->rc = rc;
    list_push_back(&b->route_configs, &entry->link);
    b->n_route_configs++;
    *out = rc;
    return OK;
}

enum err model_close_route_configs(struct model_build *b, struct diag *d)
{
    const struct m_route_config **all =
        ARENA_ARRAY(b->arena, const struct m_route_config *, b->n_route_configs);
    if (all == NULL)
        return model_no_memory(d);
    size_t n = 0;
    list_foreach (it, &b->route_configs)
        all[n++] = list_entry(it, struct listed, link)->rc;
    b->snap->route_configs = all;
    b->snap->n_route_configs = n;
    return OK;
}
