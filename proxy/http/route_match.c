/* Route selection over the tables that config/model builds: see route_match.h. Called by the HTTP
 * connection manager for every request, on its worker. */
#include "proxy/http/route_match.h"

/* Longer than any DNS name with a port. A longer host is compared without the hash table. */
enum { HOST_MAX = 320 };

/* ---- text ---- */

static uint64_t load8(const char *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* ASCII upper case to lower in each of eight bytes; sums of seven bits never carry into the next
 * byte. */
static uint64_t lower8(uint64_t x)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t seven = x & (ones * 0x7f);
    uint64_t from_a = seven + ones * (0x80 - 'A');
    uint64_t above_z = seven + ones * (0x7f - 'Z');
    uint64_t upper = (from_a ^ above_z) & ~x & (ones * 0x80);
    return x | upper >> 2;
}

/* Whole words; the last one overlaps its neighbour. */
static void lower(struct sv in, char *out)
{
    if (in.n < 8) {
        for (size_t i = 0; i < in.n; i++)
            out[i] = ascii_lower(in.p[i]);
        return;
    }
    for (size_t i = 0; i + 8 < in.n; i += 8) {
        uint64_t x = lower8(load8(in.p + i));
        memcpy(out + i, &x, sizeof x);
    }
    uint64_t x = lower8(load8(in.p + in.n - 8));
    memcpy(out + in.n - 8, &x, sizeof x);
}

/* Whether the n bytes at a and b are the same. Most are not, which their ends show without a call.
 */
static inline bool same(const char *a, const char *b, size_t n)
{
    if (n < 8)
        return n == 0 || (a[n - 1] == b[n - 1] && (n == 1 || memcmp(a, b, n - 1) == 0));
    return load8(a) == load8(b) && load8(a + n - 8) == load8(b + n - 8) &&
           (n <= 16 || memcmp(a + 8, b + 8, n - 16) == 0);
}

/* ---- hosts ---- */

static const struct m_vhost *find_long_host(const struct map *exact, struct sv host)
{
    struct sv key;
    void *value;
    for (size_t at = 0; exact != NULL && map_next(exact, &at, &key, &value);)
        if (sv_ieq(key, host))
            return value;
    return NULL;
}

/* Any length, any case: what a client sends that wants to be slow. */
static const struct m_vhost *find_long(const struct m_route_config *rc, struct sv host)
{
    const struct m_vhost *v = find_long_host(rc->exact, host);
    if (v != NULL)
        return v;
    for (size_t i = 0; i < rc->n_suffixes; i++)
        if (rc->suffixes[i].text.n < host.n &&
            sv_ieq(sv_skip(host, host.n - rc->suffixes[i].text.n), rc->suffixes[i].text))
            return rc->suffixes[i].vhost;
    for (size_t i = 0; i < rc->n_prefixes; i++)
        if (rc->prefixes[i].text.n < host.n && sv_istarts(host, rc->prefixes[i].text))
            return rc->prefixes[i].vhost;
    return rc->any;
}

/* The tables are sorted, the longest first. A star never stands for nothing, hence the strict
 * comparison. */
static const struct m_vhost *find_wildcard(const struct m_route_config *rc, struct sv host)
{
    for (size_t i = 0; i < rc->n_suffixes; i++) {
        struct sv tail = rc->suffixes[i].text;
        if (tail.n < host.n && same(host.p + host.n - tail.n, tail.p, tail.n))
            return rc->suffixes[i].vhost;
    }
    for (size_t i = 0; i < rc->n_prefixes; i++) {
        struct sv head = rc->prefixes[i].text;
        if (head.n < host.n && same(host.p, head.p, head.n))
            return rc->prefixes[i].vhost;
    }
    return rc->any;
}

const struct m_vhost *route_find_vhost(const struct m_route_config *rc, struct sv host)
{
    if (rc->exact == NULL && rc->n_suffixes == 0 && rc->n_prefixes == 0)
        return rc->any;
    if (host.n > HOST_MAX)
        return find_long(rc, host);
    char text[HOST_MAX];
    lower(host, text);
    host.p = text;
    const struct m_vhost *v = rc->exact == NULL ? NULL : map_get(rc->exact, host);
    return v != NULL ? v : find_wildcard(rc, host);
}

/* ---- paths ---- */

/* Where the query or the fragment may begin. */
static bool ends_path(struct sv path, size_t at)
{
    return at == path.n || path.p[at] == '?' || path.p[at] == '#';
}

/* The model leaves out routes whose text holds a query or a fragment, so a text that fits lies
 * within the path proper and there is no need to look for its end. */
static bool match_path(const struct m_route *r, struct sv path)
{
    size_t n = r->match_text.n;
    if (n > path.n)
        return false;
    if (r->case_insensitive ? !sv_istarts(path, r->match_text) : !same(path.p, r->match_text.p, n))
        return false;
    return r->match == M_MATCH_PREFIX || ends_path(path, n);
}

const struct m_route *route_find(const struct m_vhost *v, struct sv path)
{
    const struct m_route *end = v->routes + v->n_routes;
    for (const struct m_route *r = v->routes; r < end; r++)
        if (match_path(r, path))
            return r;
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
    struct sv rest = sv_skip(path, r->match_text.n);
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
