/* STRICT_DNS: every address a name resolves to is a host. Main thread. A failed look-up keeps the
 * last good addresses; look-ups are asynchronous and never delay anyone but the start. */
#define LOG_COMPONENT LOGC_DNS
#include "base/log.h"
#include "net/dns.h"
#include "proxy/server.h"
#include "proxy/upstream/cluster_int.h"
#include <stdlib.h>

struct dns_target {
    struct dns_cluster *d;
    const struct m_endpoint *ep;
    struct dns_query *query;
    struct timer refresh;
    struct addr *addrs;
    size_t n;
    uint64_t failure_ms; /* the next wait after a failure */
    bool answered;
};

struct dns_cluster {
    struct cluster *c;
    void (*on_ready)(void *);
    void *arg;
    size_t n;
    struct dns_target targets[];
};

static struct stat_shard *shard(struct dns_cluster *d)
{
    return stats_shard(server_stats(d->c->server), 0);
}

/* The union of what all names resolve to; the same address twice is one host. */
static size_t gather(struct dns_cluster *d, struct host_want *want, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) {
        const struct dns_target *t = &d->targets[i];
        for (size_t k = 0; k < t->n && n < room; k++) {
            bool seen = false;
            for (size_t j = 0; j < n && !seen; j++)
                seen = addr_eq(want[j].addr, &t->addrs[k]);
            if (seen)
                continue;
            want[n++] = (struct host_want){.addr = &t->addrs[k],
                                           .hostname = t->ep->hostname.n > 0 ? t->ep->hostname
                                                                             : t->ep->address.host,
                                           .weight = t->ep->weight,
                                           .priority = t->ep->priority,
                                           .locality = t->ep->locality};
        }
    }
    return n;
}

static void update_hosts(struct dns_cluster *d)
{
    size_t room = 0;
    for (size_t i = 0; i < d->n; i++)
        room += d->targets[i].n;
    struct host_want *want = calloc(room + 1, sizeof(*want));
    enum err e = want != NULL ? cluster_set_hosts(d->c, want, gather(d, want, room)) : E_NOMEM;
    if (e != OK)
        log_error("dns.update_failed", "cluster=%.*s err=%s", SVF(d->c->m->name), err_name(e));
    free(want);
}

static void ready_when_all_answered(struct dns_cluster *d)
{
    if (d->c->ready)
        return;
    for (size_t i = 0; i < d->n; i++)
        if (!d->targets[i].answered)
            return;
    d->c->ready = true;
    d->on_ready(d->arg);
}

static bool same_addrs(const struct dns_target *t, const struct dns_answer *a)
{
    if (t->n != a->n)
        return false;
    for (size_t i = 0; i < t->n; i++)
        if (!addr_eq_ip(&t->addrs[i], &a->addrs[i]))
            return false;
    return true;
}

static void take_addrs(struct dns_target *t, const struct dns_answer *a)
{
    struct dns_cluster *d = t->d;
    if (same_addrs(t, a) && t->answered) {
        stat_inc(shard(d), d->c->st.update_no_rebuild);
        return;
    }
    struct addr *fresh = calloc(a->n + 1, sizeof(*fresh));
    if (fresh == NULL)
        return;
    for (size_t i = 0; i < a->n; i++) {
        fresh[i] = a->addrs[i];
        addr_set_port(&fresh[i], t->ep->address.port);
    }
    free(t->addrs);
    t->addrs = fresh;
    t->n = a->n;
    update_hosts(d);
}

static uint64_t next_wait(struct dns_target *t, const struct dns_answer *a)
{
    const struct m_cluster *m = t->d->c->m;
    if (a->err == OK || a->err == E_NOTFOUND) {
        t->failure_ms = m->dns_failure_base_ms;
        if (a->err == OK && m->respect_dns_ttl && a->ttl_s > 0)
            return (uint64_t)a->ttl_s * 1000;
        return m->dns_refresh_ms;
    }
    uint64_t wait = t->failure_ms;
    t->failure_ms = wait * 2 < m->dns_failure_max_ms ? wait * 2 : m->dns_failure_max_ms;
    return wait;
}

static void on_answer(void *arg, const struct dns_answer *a)
{
    struct dns_target *t = arg;
    struct dns_cluster *d = t->d;
    const struct cluster_stats *st = &d->c->st;
    t->query = NULL;
    if (a->err == OK) {
        stat_inc(shard(d), st->update_success);
        take_addrs(t, a);
    } else if (a->err == E_NOTFOUND) {
        /* The name is known to have no address: an empty answer removes the hosts. */
        stat_inc(shard(d), st->update_success);
        stat_inc(shard(d), st->update_empty);
        take_addrs(t, &(struct dns_answer){.n = 0});
    } else {
        stat_inc(shard(d), st->update_failure);
        log_warn("dns.lookup_failed", "cluster=%.*s name=%.*s err=%s", SVF(d->c->m->name),
                 SVF(t->ep->address.host), a->reason != NULL ? a->reason : err_name(a->err));
    }
    t->answered = true;
    loop_arm(server_main_loop(d->c->server), &t->refresh, next_wait(t, a));
    ready_when_all_answered(d);
}

static void look_up(struct dns_target *t)
{
    struct dns_cluster *d = t->d;
    stat_inc(shard(d), d->c->st.update_attempt);
    enum err e = dns_resolve(server_dns(d->c->server), t->ep->address.host,
                             (enum dns_family)d->c->m->dns_family, on_answer, t, &t->query);
    if (e != OK)
        on_answer(t,
                  &(struct dns_answer){.err = e == E_NOTFOUND ? E_IO : e, .reason = err_name(e)});
}

static void refresh(struct timer *timer)
{
    look_up(container_of(timer, struct dns_target, refresh));
}

enum err dns_cluster_start(struct cluster *c, void (*on_ready)(void *), void *arg)
{
    size_t n = c->m->n_endpoints;
    struct dns_cluster *d = calloc(1, sizeof(*d) + n * sizeof(d->targets[0]));
    if (d == NULL)
        return E_NOMEM;
    d->c = c;
    d->on_ready = on_ready;
    d->arg = arg;
    d->n = n;
    c->dns = d;
    for (size_t i = 0; i < n; i++) {
        d->targets[i].d = d;
        d->targets[i].ep = &c->m->endpoints[i];
        d->targets[i].failure_ms = c->m->dns_failure_base_ms;
        timer_init(&d->targets[i].refresh, refresh);
    }
    for (size_t i = 0; i < n; i++)
        look_up(&d->targets[i]);
    ready_when_all_answered(d);
    return OK;
}

void dns_cluster_free(struct dns_cluster **dp)
{
    struct dns_cluster *d = *dp;
    *dp = NULL;
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->n; i++) {
        dns_cancel(&d->targets[i].query);
        loop_cancel(server_main_loop(d->c->server), &d->targets[i].refresh);
        free(d->targets[i].addrs);
    }
    free(d);
}
