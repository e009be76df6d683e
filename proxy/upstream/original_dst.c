/* Hosts made on demand from a connection's original destination (cluster type ORIGINAL_DST). Each
 * worker makes its own and drops it when unused for a clean-up interval; main is told of both for
 * the admin page. */
#define LOG_COMPONENT LOGC_UPSTREAM
#include "base/log.h"
#include "proxy/server.h"
#include "proxy/upstream/cluster_int.h"
#include "proxy/upstream/pool.h"
#include <stdlib.h>

struct dst_host {
    struct host *host;
    struct link link;
    bool used; /* since the last clean-up */
};

/* Main's list of what the workers have. */
struct dst_report {
    struct link link;
    struct host *host;
};

struct dst_mail {
    struct mail mail;
    struct cluster *c;
    struct host *host;
    bool gone;
};

static void count_members(struct cluster *c)
{
    uint64_t n = 0;
    list_foreach (it, &c->dst_hosts)
        n++;
    struct stats *st = server_stats(c->server);
    stats_gauge_set(st, c->st.membership_total, n);
    stats_gauge_set(st, c->st.membership_healthy, n);
    stat_inc(stats_shard(st, 0), c->st.membership_change);
}

static void take_report(struct mail *m)
{
    struct dst_mail *d = container_of(m, struct dst_mail, mail);
    if (d->gone) {
        list_foreach_safe (it, &d->c->dst_hosts) {
            struct dst_report *r = list_entry(it, struct dst_report, link);
            if (r->host == d->host) {
                list_unlink(&r->link);
                host_drop(&r->host);
                free(r);
            }
        }
    } else {
        struct dst_report *r = malloc(sizeof(*r));
        if (r != NULL) {
            r->host = host_take(d->host);
            list_push_back(&d->c->dst_hosts, &r->link);
        }
    }
    count_members(d->c);
    host_drop(&d->host);
    free(d);
}

static void report(struct wcluster *wc, struct host *h, bool gone)
{
    struct dst_mail *d = malloc(sizeof(*d));
    if (d == NULL)
        return;
    *d = (struct dst_mail){
        .mail = {.fn = take_report}, .c = wc->c, .host = host_take(h), .gone = gone};
    loop_post(wc->w->main_loop, &d->mail);
}

void dst_reports_free(struct cluster *c)
{
    struct link *l;
    while ((l = list_pop_front(&c->dst_hosts)) != NULL) {
        struct dst_report *r = list_entry(l, struct dst_report, link);
        host_drop(&r->host);
        free(r);
    }
}

void dst_reports_each(const struct cluster *c, void (*fn)(const struct host *, void *), void *arg)
{
    list_foreach (it, &c->dst_hosts)
        fn(list_entry(it, struct dst_report, link)->host, arg);
}

static void forget(struct wcluster *wc, struct dst_host *d)
{
    struct host *h = d->host;
    struct host_slot *slot = &h->slots[wc->w->index];
    map_remove(wc->dst_hosts, sv_str(h->text));
    list_unlink(&d->link);
    for (unsigned p = 0; p < M_PRIORITIES; p++)
        if (slot->pools[p] != NULL)
            pool_retire(slot->pools[p]);
    report(wc, h, true);
    host_drop(&d->host);
    free(d);
}

/* A host with a connection stays, as Envoy keeps it. */
static void clean_up(struct timer *t)
{
    struct wcluster *wc = container_of(t, struct wcluster, dst_cleanup);
    list_foreach_safe (it, &wc->dst_list) {
        struct dst_host *d = list_entry(it, struct dst_host, link);
        if (!d->used && d->host->slots[wc->w->index].count.cx_active == 0)
            forget(wc, d);
        else
            d->used = false;
    }
    if (map_count(wc->dst_hosts) > 0)
        loop_arm(&wc->w->loop, &wc->dst_cleanup, wc->c->m->cleanup_interval_ms);
}

enum err original_dst_init(struct wcluster *wc)
{
    list_init(&wc->dst_list);
    timer_init(&wc->dst_cleanup, clean_up);
    if (wc->c->m->type != M_CLUSTER_ORIGINAL_DST)
        return OK;
    wc->dst_hosts = map_new();
    return wc->dst_hosts != NULL ? OK : E_NOMEM;
}

void original_dst_fini(struct wcluster *wc)
{
    loop_cancel(&wc->w->loop, &wc->dst_cleanup);
    list_foreach_safe (it, &wc->dst_list)
        forget(wc, list_entry(it, struct dst_host, link));
    map_free(&wc->dst_hosts);
}

static struct dst_host *make(struct wcluster *wc, const struct addr *dst, struct sv text)
{
    struct host_want want = {.addr = dst, .hostname = text, .weight = 1};
    struct dst_host *d = calloc(1, sizeof(*d));
    if (d == NULL)
        return NULL;
    d->host = host_new(&want, wc->c->workers);
    if (d->host == NULL || map_add(wc->dst_hosts, text, d) != OK) {
        host_drop(&d->host);
        free(d);
        return NULL;
    }
    list_push_back(&wc->dst_list, &d->link);
    if (!timer_armed(&wc->dst_cleanup))
        loop_arm(&wc->w->loop, &wc->dst_cleanup, wc->c->m->cleanup_interval_ms);
    log_debug("upstream.original_dst", "cluster=%.*s host=%.*s", SVF(wc->c->m->name), SVF(text));
    report(wc, d->host, false);
    return d;
}

struct host *original_dst_pick(struct wcluster *wc, const struct addr *dst)
{
    char text[ADDR_TEXT_MAX];
    if (dst == NULL) {
        stat_inc(wc->w->stats, wc->c->st.original_dst_host_invalid);
        return NULL;
    }
    struct sv key = sv_of(text, addr_format(dst, text, sizeof(text)));
    struct dst_host *d = map_get(wc->dst_hosts, key);
    if (d == NULL && (d = make(wc, dst, key)) == NULL)
        return NULL;
    d->used = true;
    return d->host;
}
