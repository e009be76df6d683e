/* Clusters; see cluster.h. */
#include "proxy/upstream/cluster.h"
#include "proxy/server.h"
#include "proxy/upstream/cluster_int.h"
#include "proxy/upstream/pool.h"
#include <stdlib.h>
#include <sys/random.h>

/* ---- main ---- */

static void gauge(struct cluster *c, stat_id id, uint64_t v)
{
    stats_gauge_set(server_stats(c->server), id, v);
}

enum err cluster_new(const struct m_cluster *m, struct server *server, struct cluster **out)
{
    struct cluster *c = aligned_alloc(64, (sizeof(*c) + 63) & ~(size_t)63);
    if (c == NULL)
        return E_NOMEM;
    *c = (struct cluster){.m = m, .server = server, .workers = server_worker_count(server)};
    list_init(&c->dst_hosts);
    enum err e = cluster_stats_register(c);
    if (e == OK && (c->set = host_set_new(NULL, 0)) == NULL)
        e = E_NOMEM;
    if (e != OK) {
        cluster_free(&c);
        return e;
    }
    *out = c;
    return OK;
}

void cluster_free(struct cluster **cp)
{
    struct cluster *c = *cp;
    *cp = NULL;
    if (c == NULL)
        return;
    dns_cluster_free(&c->dns);
    dst_reports_free(c);
    host_set_drop(&c->set);
    free(c);
}

static enum err set_static_hosts(struct cluster *c)
{
    const struct m_cluster *m = c->m;
    struct host_want *want = calloc(m->n_endpoints + 1, sizeof(*want));
    struct addr *addrs = calloc(m->n_endpoints + 1, sizeof(*addrs));
    enum err e = want != NULL && addrs != NULL ? OK : E_NOMEM;
    for (size_t i = 0; e == OK && i < m->n_endpoints; i++) {
        const struct m_endpoint *ep = &m->endpoints[i];
        e = addr_parse_ip(ep->address.host, ep->address.port, &addrs[i]);
        want[i] = (struct host_want){.addr = &addrs[i],
                                     .hostname = ep->hostname,
                                     .weight = ep->weight,
                                     .priority = ep->priority,
                                     .locality = ep->locality};
    }
    if (e == OK)
        e = cluster_set_hosts(c, want, m->n_endpoints);
    free(want);
    free(addrs);
    return e;
}

enum err cluster_start(struct cluster *c, void (*on_ready)(void *), void *arg)
{
    if (c->m->type == M_CLUSTER_STRICT_DNS)
        return dns_cluster_start(c, on_ready, arg);
    if (c->m->type == M_CLUSTER_STATIC)
        TRY(set_static_hosts(c));
    c->ready = true;
    on_ready(arg);
    return OK;
}

static struct host *same_host(const struct host_set *old, const struct host_want *want)
{
    for (size_t i = 0; i < old->n; i++) {
        struct host *h = old->hosts[i];
        if (addr_eq(&h->addr, want->addr) && h->weight == want->weight &&
            h->priority == want->priority && sv_eq(h->hostname, want->hostname))
            return h;
    }
    return NULL;
}

struct hosts_mail {
    struct mail mail;
    struct worker *w;
    uint32_t cluster;
    struct host_set *set;
    const struct cluster *c;
};

static void take_hosts(struct mail *m)
{
    struct hosts_mail *h = container_of(m, struct hosts_mail, mail);
    struct lease *l = h->w->lease;
    if (l != NULL && h->cluster < l->gen->n_clusters && l->clusters[h->cluster]->c == h->c)
        wcluster_set_hosts(l->clusters[h->cluster], h->set);
    else
        host_set_drop(&h->set);
    free(h);
}

static enum err tell_workers(struct cluster *c)
{
    for (unsigned i = 0; i < c->workers; i++) {
        struct worker *w = server_worker(c->server, i);
        if (!w->published)
            continue; /* it gets c->set with the generation */
        struct hosts_mail *m = malloc(sizeof(*m));
        if (m == NULL)
            return E_NOMEM;
        *m = (struct hosts_mail){.mail = {.fn = take_hosts},
                                 .w = w,
                                 .cluster = c->m->index,
                                 .set = host_set_take(c->set),
                                 .c = c};
        loop_post(&w->loop, &m->mail);
    }
    return OK;
}

static void count_members(struct cluster *c)
{
    uint64_t max_weight = 0;
    for (size_t i = 0; i < c->set->n; i++)
        if (c->set->hosts[i]->weight > max_weight)
            max_weight = c->set->hosts[i]->weight;
    gauge(c, c->st.membership_total, c->set->n);
    gauge(c, c->st.membership_healthy, c->set->n);
    gauge(c, c->st.max_host_weight, max_weight);
    stat_inc(stats_shard(server_stats(c->server), 0), c->st.membership_change);
}

enum err cluster_set_hosts(struct cluster *c, const struct host_want *want, size_t n)
{
    struct host **hosts = calloc(n + 1, sizeof(*hosts));
    if (hosts == NULL)
        return E_NOMEM;
    size_t have = 0, kept = 0;
    enum err e = OK;
    for (; have < n; have++) {
        struct host *h = same_host(c->set, &want[have]);
        kept += h != NULL;
        hosts[have] = h != NULL ? host_take(h) : host_new(&want[have], c->workers);
        if (hosts[have] == NULL) {
            e = E_NOMEM;
            break;
        }
    }
    struct host_set *set = NULL;
    bool changed = kept != n || n != c->set->n;
    if (e == OK && changed && (set = host_set_new(hosts, n)) == NULL)
        e = E_NOMEM;
    for (size_t i = 0; i < have; i++)
        host_drop(&hosts[i]);
    free(hosts);
    if (e != OK || !changed)
        return e;
    host_set_drop(&c->set);
    c->set = set;
    count_members(c);
    return tell_workers(c);
}

void cluster_each_host(const struct cluster *c, void (*fn)(const struct host *, void *), void *arg)
{
    for (size_t i = 0; i < c->set->n; i++)
        fn(c->set->hosts[i], arg);
    dst_reports_each(c, fn, arg);
}

void cluster_refresh_gauges(struct cluster *c)
{
    for (unsigned p = 0; p < M_PRIORITIES; p++)
        for (unsigned k = BREAKER_CX; k <= BREAKER_RQ; k++)
            gauge(c, c->st.cb_open[p][k], !breaker_room(c, p, (enum breaker_kind)k));
}

/* ---- worker ---- */

enum err wcluster_new(struct cluster *c, struct worker *w, struct wcluster **out)
{
    struct wcluster *wc = calloc(1, sizeof(*wc));
    if (wc == NULL)
        return E_NOMEM;
    wc->c = c;
    wc->w = w;
    list_init(&wc->pools);
    wc->set = host_set_take(c->set);
    if (getrandom(&wc->cursor, sizeof(wc->cursor), GRND_NONBLOCK) < 0)
        wc->cursor = w->index; /* all that matters is that workers do not march in step */
    enum err e = original_dst_init(wc);
    if (e != OK) {
        wcluster_free(&wc);
        return e;
    }
    *out = wc;
    return OK;
}

void wcluster_free(struct wcluster **wcp)
{
    struct wcluster *wc = *wcp;
    *wcp = NULL;
    if (wc == NULL)
        return;
    list_foreach_safe (it, &wc->pools)
        pool_retire(list_entry(it, struct pool, link));
    original_dst_fini(wc);
    host_set_drop(&wc->set);
    free(wc);
}

void wcluster_set_hosts(struct wcluster *wc, struct host_set *take_set)
{
    struct host_set *old = wc->set;
    wc->set = take_set;
    list_foreach_safe (it, &wc->pools) {
        struct pool *p = list_entry(it, struct pool, link);
        if (!host_set_has(take_set, p->host))
            pool_retire(p);
    }
    host_set_drop(&old);
}

struct host *wcluster_pick(struct wcluster *wc, const struct pick *p)
{
    if (wc->c->m->type == M_CLUSTER_ORIGINAL_DST)
        return original_dst_pick(wc, p->original_dst);
    const struct host_set *s = wc->set;
    if (UNLIKELY(s->n_order == 0)) {
        stat_inc(wc->w->stats, wc->c->st.lb_healthy_panic);
        return NULL;
    }
    /* The cursor runs free; only a wrap of 2^32 bends the sequence for one turn. */
    uint32_t at = wc->cursor++;
    return s->hosts[s->n_order == 1 ? 0 : s->order[at % s->n_order]];
}

/* ---- circuit breakers ---- */

static uint32_t *count_of(struct cluster *c, unsigned priority, enum breaker_kind kind)
{
    struct breakers *b = &c->breakers[priority];
    return kind == BREAKER_CX ? &b->cx : kind == BREAKER_PENDING ? &b->pending : &b->rq;
}

static uint32_t limit_of(const struct cluster *c, unsigned priority, enum breaker_kind kind)
{
    const struct m_thresholds *t = &c->m->thresholds[priority];
    return kind == BREAKER_CX        ? t->max_connections
           : kind == BREAKER_PENDING ? t->max_pending_requests
                                     : t->max_requests;
}

bool breaker_room(const struct cluster *c, unsigned priority, enum breaker_kind kind)
{
    const struct breakers *b = &c->breakers[priority];
    const uint32_t *n = kind == BREAKER_CX        ? &b->cx
                        : kind == BREAKER_PENDING ? &b->pending
                                                  : &b->rq;
    return __atomic_load_n(n, __ATOMIC_RELAXED) < limit_of(c, priority, kind);
}

bool breaker_enter(struct cluster *c, unsigned priority, enum breaker_kind kind)
{
    uint32_t *n = count_of(c, priority, kind);
    if (LIKELY(__atomic_fetch_add(n, 1, __ATOMIC_RELAXED) < limit_of(c, priority, kind)))
        return true;
    __atomic_fetch_sub(n, 1, __ATOMIC_RELAXED);
    return false;
}

void breaker_force(struct cluster *c, unsigned priority, enum breaker_kind kind)
{
    __atomic_fetch_add(count_of(c, priority, kind), 1, __ATOMIC_RELAXED);
}

void breaker_leave(struct cluster *c, unsigned priority, enum breaker_kind kind)
{
    __atomic_fetch_sub(count_of(c, priority, kind), 1, __ATOMIC_RELAXED);
}
