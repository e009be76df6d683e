/* Route selection over the tables that config/model builds: see route_match.h. Called by the HTTP
 * connection manager for every request, on its worker. */
#include "proxy/http/route_match.h"

/* Longer than any DNS name with a port. A longer host is compared without the hash table. */
enum { HOST_MAX = 320 };

/* The path up to its query or fragment. */
static struct sv cut_query(struct sv path)
{
    const char *q = path.n == 0 ? NULL : memchr(path.p, '?', path.n);
    if (q != NULL)
        path.n = (size_t)(q - path.p);
    const char *f = path.n == 0 ? NULL : memchr(path.p, '#', path.n);
    if (f != NULL)
        path.n = (size_t)(f - path.p);
    return path;
}

static const struct m_vhost *find_long_host(const struct map *exact, struct sv host)
{
    struct sv key;
    void *value;
    for (size_t at = 0; map_next(exact, &at, &key, &value);)
        if (sv_ieq(key, host))
            return value;
    return NULL;
}

/* The tables are sorted, the longest first. A star never stands for nothing, hence the strict
 * comparison. */
static const struct m_vhost *find_wildcard(const struct m_route_config *rc, struct sv host)
{
    for (size_t i = 0; i < rc->n_suffixes; i++) {
        const struct m_wildcard *w = &rc->suffixes[i];
        if (w->text.n < host.n && sv_ieq(sv_skip(host, host.n - w->text.n), w->text))
            return w->vhost;
    }
    for (size_t i = 0; i < rc->n_prefixes; i++) {
        const struct m_wildcard *w = &rc->prefixes[i];
        if (w->text.n < host.n && sv_istarts(host, w->text))
            return w->vhost;
    }
    return rc->any;
}

const struct m_vhost *route_find_vhost(const struct m_route_config *rc, struct sv host)
{
    if (rc->exact != NULL && host.n <= HOST_MAX) {
        char lower[HOST_MAX];
        for (size_t i = 0; i < host.n; i++)
            lower[i] = ascii_lower(host.p[i]);
        const struct m_vhost *v = map_get(rc->exact, sv_of(lower, host.n));
        if (v != NULL)
            return v;
    } else if (rc->exact != NULL) {
        const struct m_vhost *v = find_long_host(rc->exact, host);
        if (v != NULL)
            return v;
    }
    return find_wildcard(rc, host);
}

static bool match_path(const struct m_route *r, struct sv path)
{
    if (r->match == M_MATCH_PREFIX)
        return r->case_insensitive ? sv_istarts(path, r->match_text)
                                   : sv_starts(path, r->match_text);
    return r->case_insensitive ? sv_ieq(path, r->match_text) : sv_eq(path, r->match_text);
}

const struct m_route *route_find(const struct m_vhost *v, struct sv path)
{
    path = cut_query(path);
    for (size_t i = 0; i < v->n_routes; i++)
        if (match_path(&v->routes[i], path))
            return &v->routes[i];
    return NULL;
}

struct route_hit route_match(const struct m_route_config *rc, struct sv host, struct sv path)
{
    struct route_hit hit = {.vhost = route_find_vhost(rc, host)};
    if (hit.vhost != NULL)
        hit.route = route_find(hit.vhost, path);
    return hit;
}

const struct m_weighted_cluster *route_pick_cluster(const struct m_route *r, uint64_t random)
{
    DCHECK(r->action == M_ACTION_ROUTE && r->n_clusters > 0 && r->total_weight > 0);
    const struct m_weighted_cluster *c = r->clusters;
    if (r->n_clusters == 1)
        return c;
    uint64_t left = random % r->total_weight;
    while (left >= c->weight)
        left -= (c++)->weight;
    return c;
}

enum err route_rewrite_path(const struct m_route *r, struct sv path, struct arena *a,
                            struct sv *out)
{
    DCHECK(r->has_prefix_rewrite);
    size_t matched = r->match == M_MATCH_PREFIX ? r->match_text.n : cut_query(path).n;
    struct sv rest = sv_skip(path, matched);
    char *p = arena_alloc(a, r->prefix_rewrite.n + rest.n + 1, 1);
    if (p == NULL)
        return E_NOMEM;
    memcpy(p, r->prefix_rewrite.p, r->prefix_rewrite.n);
    if (rest.n > 0)
        memcpy(p + r->prefix_rewrite.n, rest.p, rest.n);
    *out = sv_of(p, r->prefix_rewrite.n + rest.n);
    p[out->n] = '\0';
    return OK;
}
