/* tcp_proxy: bytes both ways between the client and a connection to a cluster's host, half-closes
 * included. Source: envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy.
 *
 * The client is not read until the upstream connection stands. Each direction is paused while the
 * other side does not take its bytes. Worker's thread. */
#define LOG_COMPONENT LOGC_FILTER
#include "base/log.h"
#include "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.pb-c.h"
#include "net/sock.h"
#include "proxy/network/filter.h"
#include "proxy/observe/env.h"
#include "proxy/observe/loggers.h"
#include "proxy/upstream/upstream.h"
#include <errno.h>
#include <stdlib.h>

typedef Envoy__Extensions__Filters__Network__TcpProxy__V3__TcpProxy TcpProxy;

/* clang-format off: one name a line */
#define TCP_COUNTERS(X)                                                                            \
    X(downstream_cx_drain_close)                                                                   \
    X(downstream_cx_no_route)                                                                      \
    X(downstream_cx_overload_close)                                                                \
    X(downstream_cx_rx_bytes_total)                                                                \
    X(downstream_cx_total)                                                                         \
    X(downstream_cx_tx_bytes_total)                                                                \
    X(downstream_flow_control_paused_reading_total)                                                \
    X(downstream_flow_control_resumed_reading_total)                                               \
    X(early_data_received_count_total)                                                             \
    X(idle_timeout)                                                                                \
    X(max_downstream_connection_duration)                                                          \
    X(route_delayed_total)                                                                         \
    X(upstream_flush_total)
/* clang-format on */
/* clang-format off: one name a line */
#define TCP_GAUGES(X)                                                                              \
    X(downstream_cx_rx_bytes_buffered)                                                             \
    X(downstream_cx_tx_bytes_buffered)                                                             \
    X(upstream_flush_active)
/* clang-format on */

struct tcp_stats {
/* clang-format off */
#define X(name) stat_id name;
    TCP_COUNTERS(X)
    TCP_GAUGES(X)
#undef X
    /* clang-format on */
};

struct tcp_conf {
    struct sv stat_prefix;
    const struct m_weighted_cluster *clusters;
    uint32_t n_clusters;
    uint64_t total_weight;
    uint64_t idle_ms;
    uint32_t max_connect_attempts;
    const struct access_logger *logs;
    size_t n_logs;
    struct tcp_stats st;
};

/* The upstream side; an object of its own because each connect attempt is a new one. */
struct tcp_up {
    struct conn conn;
    struct reap reap;
    struct tcp *t;
    struct wcluster *wc;
    struct host *host;
    struct timer connect_timer;
    uint64_t opened_us;
    uint64_t rx_counted, tx_counted;
    bool connected, has_rq;
};

struct tcp {
    struct downstream *d;
    const struct tcp_conf *conf;
    struct wcluster *wc;
    struct tcp_up *up;
    struct timer idle;
    uint64_t last_active_ms;
    uint32_t attempts;
    bool done, down_ended, up_ended, up_ended_first;
    struct stream_info info;
    struct addr up_addr, up_local;
    char failure[96];
};

/* ---- configuration ---- */

static enum err reg(struct stats *st, const struct tcp_conf *c, const char *name, bool gauge,
                    stat_id *out)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "tcp.%.*s.%s", SVF(c->stat_prefix), name);
    if (n < 0 || (size_t)n >= sizeof(text))
        return E_LIMIT;
    return gauge ? stats_gauge(st, sv_of(text, (size_t)n), out)
                 : stats_counter(st, sv_of(text, (size_t)n), out);
}

static enum err statistics(struct stats *st, struct tcp_conf *c)
{
#define X(name) TRY(reg(st, c, #name, false, &c->st.name));
    TCP_COUNTERS(X)
#undef X
#define X(name) TRY(reg(st, c, #name, true, &c->st.name));
    TCP_GAUGES(X)
#undef X
    return OK;
}

static enum err destinations(const TcpProxy *m, struct model_build *b, struct tcp_conf *c,
                             struct diag *d)
{
    if (m->cluster_specifier_case ==
        ENVOY__EXTENSIONS__FILTERS__NETWORK__TCP_PROXY__V3__TCP_PROXY__CLUSTER_SPECIFIER_CLUSTER) {
        c->total_weight = 1;
        return model_clusters(b, sv_str(m->cluster), &c->clusters, &c->n_clusters, d);
    }
    size_t n = m->weighted_clusters->n_clusters;
    struct m_weighted_cluster *list = ARENA_ARRAY(b->arena, struct m_weighted_cluster, n);
    if (list == NULL)
        return diag_fail(d, E_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        const struct m_weighted_cluster *one;
        uint32_t count;
        TRY(model_clusters(b, sv_str(m->weighted_clusters->clusters[i]->name), &one, &count, d));
        list[i] = *one;
        list[i].weight = m->weighted_clusters->clusters[i]->weight;
        c->total_weight += list[i].weight;
    }
    c->clusters = list;
    c->n_clusters = (uint32_t)n;
    return OK;
}

static enum err conf(const struct any_view *in, struct model_build *b, const void **out,
                     struct diag *d)
{
    const ProtobufCMessage *msg = NULL;
    struct tcp_conf *c = ARENA_NEW(b->arena, struct tcp_conf);
    if (c == NULL)
        return diag_fail(d, E_NOMEM, "out of memory");
    TRY(model_unpack(b, in,
                     &envoy__extensions__filters__network__tcp_proxy__v3__tcp_proxy__descriptor,
                     &msg, d));
    const TcpProxy *m = (const void *)msg;
    c->stat_prefix = sv_str(m->stat_prefix);
    TRY(destinations(m, b, c, d));
    TRY(model_duration_ms((const ProtobufCMessage *)m->idle_timeout, 3600000, &c->idle_ms, d));
    c->max_connect_attempts = m->max_connect_attempts != NULL ? m->max_connect_attempts->value : 1;
    TRY(loggers_conf(b, (ProtobufCMessage *const *)m->access_log, m->n_access_log, &c->logs,
                     &c->n_logs, d));
    if (statistics(env_of(b)->stats, c) != OK)
        return diag_fail(d, E_LIMIT, "too many statistics, or a stat_prefix that is too long");
    *out = c;
    return OK;
}

/* ---- ending ---- */

static void stat(struct tcp *t, stat_id id)
{
    stat_inc(t->d->w->stats, id);
}

static void count_up_bytes(struct tcp_up *u)
{
    const struct cluster_stats *st = &u->wc->c->st;
    stat_add(u->wc->w->stats, st->upstream_cx_rx_bytes_total, u->conn.received - u->rx_counted);
    stat_add(u->wc->w->stats, st->upstream_cx_tx_bytes_total, u->conn.sent - u->tx_counted);
    u->rx_counted = u->conn.received;
    u->tx_counted = u->conn.sent;
}

static void free_up(struct reap *r)
{
    struct tcp_up *u = container_of(r, struct tcp_up, reap);
    host_drop(&u->host);
    free(u);
}

static void close_up(struct tcp *t, bool local, bool reset)
{
    struct tcp_up *u = t->up;
    if (u == NULL)
        return;
    struct worker *w = u->wc->w;
    const struct cluster_stats *st = &u->wc->c->st;
    struct host_counters *hc = &u->host->slots[w->index].count;
    t->up = NULL;
    t->info.up_wire_sent = u->conn.sent;
    t->info.up_wire_received = u->conn.received;
    count_up_bytes(u);
    loop_cancel(&w->loop, &u->connect_timer);
    if (reset)
        conn_abort(&u->conn);
    else
        conn_close(&u->conn);
    stat_dec(w->stats, st->upstream_cx_active);
    stat_inc(w->stats, st->upstream_cx_destroy);
    stat_inc(w->stats, local ? st->upstream_cx_destroy_local : st->upstream_cx_destroy_remote);
    if (u->has_rq) {
        stat_inc(w->stats, st->upstream_cx_destroy_with_active_rq);
        stat_inc(w->stats, local ? st->upstream_cx_destroy_local_with_active_rq
                                 : st->upstream_cx_destroy_remote_with_active_rq);
        stat_dec(w->stats, st->upstream_rq_active);
        host_count(&hc->rq_active, UINT64_MAX);
    }
    host_count(&hc->cx_active, UINT64_MAX);
    breaker_leave(u->wc->c, M_PRIORITY_DEFAULT, BREAKER_CX);
    stat_record(w->stats, st->upstream_cx_length_ms, (w->loop.now_us - u->opened_us) / 1000);
    u->reap.free_fn = free_up;
    loop_reap_later(&w->loop, &u->reap);
}

static void write_log(struct tcp *t)
{
    struct downstream *d = t->d;
    if (t->conf->n_logs == 0)
        return;
    uint64_t now = clock_wall_us(d->w->loop.clock);
    t->info.end_us = d->w->loop.now_us;
    t->info.start_wall_us = now - (t->info.end_us - t->info.start_us);
    t->info.bytes_received = t->info.wire_received = d->conn.received;
    t->info.bytes_sent = t->info.wire_sent = d->conn.sent;
    loggers_write(t->conf->logs, t->conf->n_logs, &t->info, now, d->w->index);
}

/* Both sides end; reset tells the client that the other side was cut, not closed. */
static void finish(struct tcp *t, uint32_t flags, bool reset)
{
    struct downstream *d = t->d;
    if (t->done)
        return;
    t->done = true;
    t->info.response_flags |= flags;
    loop_cancel(&d->w->loop, &t->idle);
    stat_add(d->w->stats, t->conf->st.downstream_cx_rx_bytes_total, d->conn.received);
    stat_add(d->w->stats, t->conf->st.downstream_cx_tx_bytes_total, d->conn.sent);
    close_up(t, true, reset);
    write_log(t);
    if (reset)
        conn_abort(&d->conn);
    else
        conn_close(&d->conn);
    downstream_done(d);
}

static void idle_fired(struct timer *timer)
{
    struct tcp *t = container_of(timer, struct tcp, idle);
    struct loop *l = &t->d->w->loop;
    uint64_t due = t->last_active_ms + t->conf->idle_ms;
    if (loop_now_ms(l) < due) {
        loop_arm(l, &t->idle, due - loop_now_ms(l));
        return;
    }
    stat(t, t->conf->st.idle_timeout);
    finish(t, 0, false);
}

/* ---- bytes ---- */

static void finish_if_both_ended(struct tcp *t)
{
    if (t->down_ended && t->up_ended && t->up != NULL && t->up->conn.out.n == 0 &&
        t->d->conn.out.n == 0) {
        close_up(t, t->up_ended_first, false);
        finish(t, 0, false);
    }
}

/* Moves what from has to to. False: from is closed or was finished. */
static enum err relay(struct tcp *t, struct conn *from, struct conn *to, uint32_t limit)
{
    char *scratch = from->loop->scratch;
    while (from->maybe_data && !from->paused) {
        size_t got;
        TRY(conn_recv(from, scratch, LOOP_SCRATCH, &got));
        t->last_active_ms = loop_now_ms(from->loop);
        struct iovec iov = {scratch, got};
        conn_send(to, &iov, 1);
        if (conn_queued(to) > limit)
            conn_pause(from);
    }
    return OK;
}

static void down_readable(void *st)
{
    struct tcp *t = st;
    struct downstream *d = t->d;
    if (t->up == NULL || !t->up->connected) {
        /* Nothing is read before the upstream stands, but a reset needs no reading to be seen. */
        conn_pause(&d->conn);
        return;
    }
    uint32_t limit = t->wc->c->m->per_connection_buffer_limit_bytes;
    enum err e = relay(t, &d->conn, &t->up->conn, limit);
    if (e == E_CLOSED) {
        t->down_ended = true;
        conn_end_write(&t->up->conn);
        finish_if_both_ended(t);
    } else if (e == E_IO) {
        finish(t, 0, true);
    } else if (d->conn.paused) {
        stat(t, t->conf->st.downstream_flow_control_paused_reading_total);
    }
}

static void down_drained(void *st)
{
    struct tcp *t = st;
    if (t->up != NULL && t->up->connected && t->up->conn.paused)
        conn_resume(&t->up->conn);
    if (!t->done)
        finish_if_both_ended(t);
}

static void down_broken(void *st)
{
    finish(st, 0, true);
}

static void up_readable(struct conn *c)
{
    struct tcp_up *u = container_of(c, struct tcp_up, conn);
    struct tcp *t = u->t;
    enum err e = relay(t, c, &t->d->conn, t->d->buffer_limit);
    if (e == E_CLOSED) {
        t->up_ended = true;
        t->up_ended_first = !t->down_ended;
        conn_end_write(&t->d->conn);
        finish_if_both_ended(t);
    } else if (e == E_IO) {
        close_up(t, false, true);
        finish(t, RF_UPSTREAM_REMOTE_RESET, true);
    }
}

static void up_drained(struct conn *c)
{
    struct tcp *t = container_of(c, struct tcp_up, conn)->t;
    if (t->d->conn.paused) {
        stat(t, t->conf->st.downstream_flow_control_resumed_reading_total);
        conn_resume(&t->d->conn);
    }
    if (!t->done)
        finish_if_both_ended(t);
}

static void up_broken(struct conn *c)
{
    struct tcp *t = container_of(c, struct tcp_up, conn)->t;
    close_up(t, false, true);
    finish(t, RF_UPSTREAM_REMOTE_RESET, true);
}

/* ---- connecting ---- */

static void connect_upstream(struct tcp *t);

static void connect_failed(struct tcp *t, struct sv why, bool timed_out)
{
    struct worker *w = t->d->w;
    const struct cluster_stats *st = &t->wc->c->st;
    stat_inc(w->stats, st->upstream_cx_connect_fail);
    if (t->up != NULL)
        host_count(&t->up->host->slots[w->index].count.cx_connect_fail, 1);
    size_t n = why.n < sizeof(t->failure) ? why.n : sizeof(t->failure);
    if (n > 0)
        memcpy(t->failure, why.p, n);
    t->info.transport_failure = sv_of(t->failure, n);
    t->info.response_flags |= RF_UPSTREAM_CONNECTION_FAILURE;
    stat_inc(w->stats, st->upstream_rq_pending_failure_eject);
    close_up(t, timed_out, false);
    connect_upstream(t);
}

static void up_connected(struct conn *c, int error)
{
    struct tcp_up *u = container_of(c, struct tcp_up, conn);
    struct tcp *t = u->t;
    struct worker *w = t->d->w;
    const struct cluster_stats *st = &t->wc->c->st;
    if (error != 0) {
        char text[96];
        connect_failed(t, sv_of(text, upstream_connect_error(error, text, sizeof(text))), false);
        return;
    }
    loop_cancel(&w->loop, &u->connect_timer);
    u->connected = u->has_rq = true;
    t->info.response_flags = 0;
    t->info.transport_failure = SV_NONE;
    stat_record(w->stats, st->upstream_cx_connect_ms, (w->loop.now_us - u->opened_us) / 1000);
    stat_inc(w->stats, st->upstream_rq_total);
    stat_inc(w->stats, st->upstream_rq_active);
    host_count(&u->host->slots[w->index].count.rq_total, 1);
    host_count(&u->host->slots[w->index].count.rq_active, 1);
    if (sock_local(c->fd, &t->up_local) == OK)
        t->info.up_local = &t->up_local;
    conn_resume(&t->d->conn);
}

static void connect_timed_out(struct timer *timer)
{
    struct tcp_up *u = container_of(timer, struct tcp_up, connect_timer);
    stat_inc(u->wc->w->stats, u->wc->c->st.upstream_cx_connect_timeout);
    connect_failed(u->t, SV_NONE, true);
}

static const struct conn_ops up_ops = {
    .connected = up_connected,
    .readable = up_readable,
    .drained = up_drained,
    .broken = up_broken,
};

static enum err open_up(struct tcp *t, struct host *h)
{
    struct worker *w = t->d->w;
    const struct cluster_stats *st = &t->wc->c->st;
    int fd;
    struct tcp_up *u = calloc(1, sizeof(*u));
    if (u == NULL)
        return E_NOMEM;
    u->t = t;
    u->wc = t->wc;
    u->opened_us = w->loop.now_us;
    list_init(&u->reap.link);
    timer_init(&u->connect_timer, connect_timed_out);
    stat_inc(w->stats, st->upstream_rq_pending_total);
    stat_inc(w->stats, st->upstream_cx_total);
    host_count(&h->slots[w->index].count.cx_total, 1);
    if (sock_connect(&h->addr, &fd) != OK) {
        free(u);
        return E_IO;
    }
    if (conn_open(&u->conn, &w->loop, fd, true, &up_ops) != OK) {
        free(u);
        return E_IO;
    }
    u->host = host_take(h);
    stat_inc(w->stats, st->upstream_cx_active);
    host_count(&h->slots[w->index].count.cx_active, 1);
    loop_arm(&w->loop, &u->connect_timer, t->wc->c->m->connect_timeout_ms);
    t->up = u;
    return OK;
}

static void connect_upstream(struct tcp *t)
{
    struct worker *w = t->d->w;
    struct pick p = {.original_dst = t->d->meta.restored ? &t->d->meta.local : NULL};
    if (t->attempts >= t->conf->max_connect_attempts) {
        stat_inc(w->stats, t->wc->c->st.upstream_cx_connect_attempts_exceeded);
        finish(t, RF_UPSTREAM_RETRY_LIMIT_EXCEEDED, false);
        return;
    }
    struct host *h = wcluster_pick(t->wc, &p);
    if (h == NULL) {
        stat_inc(w->stats, t->wc->c->st.upstream_cx_none_healthy);
        finish(t, RF_NO_HEALTHY_UPSTREAM, false);
        return;
    }
    if (!breaker_enter(t->wc->c, M_PRIORITY_DEFAULT, BREAKER_CX)) {
        stat_inc(w->stats, t->wc->c->st.upstream_cx_overflow);
        finish(t, RF_UPSTREAM_OVERFLOW, false);
        return;
    }
    t->attempts++;
    t->info.attempts = t->attempts;
    t->up_addr = h->addr;
    t->info.up_host = &t->up_addr;
    enum err e = open_up(t, h);
    if (e == OK)
        return;
    breaker_leave(t->wc->c, M_PRIORITY_DEFAULT, BREAKER_CX);
    if (e == E_IO)
        connect_failed(t, sv_str(strerror(errno)), false);
    else
        finish(t, RF_OVERLOAD_MANAGER, true);
}

static const struct m_weighted_cluster *choose(const struct tcp *t)
{
    const struct tcp_conf *c = t->conf;
    if (c->n_clusters == 1)
        return &c->clusters[0];
    uint64_t at = rng_below(&t->d->w->loop.rng, c->total_weight);
    for (uint32_t i = 0; i < c->n_clusters; i++) {
        if (at < c->clusters[i].weight)
            return &c->clusters[i];
        at -= c->clusters[i].weight;
    }
    return &c->clusters[c->n_clusters - 1];
}

static void open_tcp(void *st, const void *cf, struct downstream *d)
{
    struct tcp *t = st;
    t->d = d;
    t->conf = cf;
    t->last_active_ms = loop_now_ms(&d->w->loop);
    t->info.start_us = d->w->loop.now_us;
    t->info.log_type = ALOG_TYPE_TCP_CONNECTION_END;
    t->info.connection_id = d->meta.id;
    t->info.down_local = &d->meta.local;
    t->info.down_remote = &d->meta.remote;
    t->info.down_direct_remote = &d->meta.direct_remote;
    t->info.filter_chain = d->meta.filter_chain;
    timer_init(&t->idle, idle_fired);
    stat(t, t->conf->st.downstream_cx_total);
    conn_pause(&d->conn);
    const struct m_weighted_cluster *c = choose(t);
    if (c->cluster_index == UINT32_MAX) {
        stat(t, t->conf->st.downstream_cx_no_route);
        finish(t, RF_NO_CLUSTER_FOUND, false);
        return;
    }
    t->wc = d->lease->clusters[c->cluster_index];
    t->info.cluster = t->wc->c->m->stat_name;
    t->info.cluster_raw = t->wc->c->m->name;
    if (t->conf->idle_ms > 0)
        loop_arm(&d->w->loop, &t->idle, t->conf->idle_ms);
    connect_upstream(t);
}

static void cut(void *st)
{
    finish(st, RF_LOCAL_RESET, false);
}

const struct net_filter_ops tcp_proxy_filter = {
    .ext = {.name = "envoy.filters.network.tcp_proxy",
            .type_url = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
            .terminal = true,
            .conf = conf},
    .state_size = sizeof(struct tcp),
    .open = open_tcp,
    .readable = down_readable,
    .drained = down_drained,
    .broken = down_broken,
    .abort = cut,
};
