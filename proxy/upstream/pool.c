/* The HTTP/1 connection pool; see pool.h. Order of events follows Envoy's: a request takes an idle
 * connection, or waits (max_pending_requests) while one is opened for it (max_connections). */
#define LOG_COMPONENT LOGC_POOL
#include "proxy/upstream/pool.h"
#include "base/log.h"
#include "net/sock.h"
#include <errno.h>
#include <stdlib.h>

static void stat(struct pool *p, stat_id id)
{
    stat_inc(p->w->stats, id);
}

static void count_bytes(struct up_conn *uc)
{
    struct pool *p = uc->pool;
    stat_add(p->w->stats, p->c->st.upstream_cx_rx_bytes_total, uc->conn.received - uc->rx_counted);
    stat_add(p->w->stats, p->c->st.upstream_cx_tx_bytes_total, uc->conn.sent - uc->tx_counted);
    uc->rx_counted = uc->conn.received;
    uc->tx_counted = uc->conn.sent;
}

struct pool *pool_get(struct wcluster *wc, struct host *h, unsigned priority)
{
    struct pool **slot = &h->slots[wc->w->index].pools[priority];
    if (LIKELY(*slot != NULL))
        return *slot;
    struct pool *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    p->wc = wc;
    p->c = wc->c;
    p->w = wc->w;
    p->host = host_take(h);
    p->priority = (uint8_t)priority;
    list_init(&p->idle);
    list_init(&p->busy);
    list_init(&p->connecting);
    list_init(&p->pending);
    list_init(&p->reap.link);
    list_push_back(&wc->pools, &p->link);
    *slot = p;
    return p;
}

static void free_pool(struct reap *r)
{
    struct pool *p = container_of(r, struct pool, reap);
    host_drop(&p->host);
    free(p);
}

static void free_when_empty(struct pool *p)
{
    if (!p->retired || p->n_conns > 0 || p->n_pending > 0 || list_linked(&p->reap.link))
        return;
    p->reap.free_fn = free_pool;
    loop_reap_later(&p->w->loop, &p->reap);
}

static void free_conn(struct reap *r)
{
    struct up_conn *uc = container_of(r, struct up_conn, reap);
    struct pool *p = uc->pool;
    free(uc->stash);
    free(uc);
    p->n_conns--;
    free_when_empty(p);
}

/* ---- pending requests ---- */

static void leave_pending(struct up_request *rq)
{
    struct pool *p = rq->pool;
    list_unlink(&rq->link);
    rq->pending = false;
    p->n_pending--;
    breaker_leave(p->c, p->priority, BREAKER_PENDING);
    stat_dec(p->w->stats, p->c->st.upstream_rq_pending_active);
}

static void fail_pending(struct up_request *rq, enum upstream_reset why, struct sv failure)
{
    struct pool *p = rq->pool;
    leave_pending(rq);
    rq->pool = NULL;
    free_when_empty(p);
    rq->events->reset(rq, why, failure);
}

/* Envoy fails every waiting request when a connection attempt fails. */
static void fail_all_pending(struct pool *p, enum upstream_reset why, struct sv failure)
{
    struct link failed;
    list_init(&failed);
    list_splice_back(&failed, &p->pending);
    struct link *l;
    while ((l = failed.next) != &failed) {
        stat(p, p->c->st.upstream_rq_pending_failure_eject);
        fail_pending(list_entry(l, struct up_request, link), why, failure);
    }
}

/* ---- connections ---- */

static void attach(struct up_conn *uc, struct up_request *rq)
{
    struct pool *p = uc->pool;
    struct host_counters *hc = &p->host->slots[p->w->index].count;
    uc->state = UP_BUSY;
    list_unlink(&uc->link);
    list_push_front(&p->busy, &uc->link);
    uc->requests++;
    uc->sent_base = uc->conn.sent;
    uc->received_base = uc->conn.received;
    rq->pool = p;
    rq->uc = uc;
    uc->rq = rq;
    stat(p, p->c->st.upstream_rq_total);
    stat_inc(p->w->stats, p->c->st.upstream_rq_active);
    host_count(&hc->rq_total, 1);
    host_count(&hc->rq_active, 1);
    h1_client_begin(uc, rq);
}

/* The request leaves its connection, for whatever reason. */
static void detach(struct up_conn *uc, bool answered)
{
    struct pool *p = uc->pool;
    struct up_request *rq = uc->rq;
    struct host_counters *hc = &p->host->slots[p->w->index].count;
    rq->wire_sent = upstream_wire_sent(rq);
    rq->wire_received = upstream_wire_received(rq);
    host_count(answered && uc->head.status < 500 ? &hc->rq_success : &hc->rq_error, 1);
    rq->uc = NULL;
    rq->pool = NULL;
    uc->rq = NULL;
    breaker_leave(p->c, p->priority, BREAKER_RQ);
    stat_dec(p->w->stats, p->c->st.upstream_rq_active);
    host_count(&hc->rq_active, UINT64_MAX);
}

static void count_connect_failure(struct pool *p)
{
    stat(p, p->c->st.upstream_cx_connect_fail);
    host_count(&p->host->slots[p->w->index].count.cx_connect_fail, 1);
}

static void idle_timed_out(struct timer *t)
{
    struct up_conn *uc = container_of(t, struct up_conn, timer);
    struct pool *p = uc->pool;
    uint64_t now = loop_now_ms(&p->w->loop), due = uc->idle_since_ms + p->c->m->idle_timeout_ms;
    if (uc->state == UP_BUSY) /* becoming idle arms it again */
        return;
    if (uc->state == UP_IDLE && now < due) {
        loop_arm(&p->w->loop, &uc->timer, due - now);
        return;
    }
    if (uc->state == UP_CONNECTING) {
        stat(p, p->c->st.upstream_cx_connect_timeout);
        count_connect_failure(p);
        pool_close_conn(uc, UPR_CONNECTION_TIMEOUT, SV_NONE, true);
        return;
    }
    stat(p, p->c->st.upstream_cx_idle_timeout);
    pool_close_conn(uc, UPR_NONE, SV_NONE, true);
}

static void too_old(struct timer *t)
{
    struct up_conn *uc = container_of(t, struct up_conn, max_age);
    stat(uc->pool, uc->pool->c->st.upstream_cx_max_duration_reached);
    uc->close_after = true;
    if (uc->state == UP_IDLE)
        pool_close_conn(uc, UPR_NONE, SV_NONE, true);
}

static struct up_conn *new_conn(struct pool *p, int fd)
{
    struct up_conn *uc = calloc(1, sizeof(*uc));
    if (uc == NULL)
        return NULL;
    uc->pool = p;
    uc->state = UP_CONNECTING;
    uc->created_us = p->w->loop.now_us;
    list_init(&uc->reap.link);
    timer_init(&uc->timer, idle_timed_out);
    timer_init(&uc->max_age, too_old);
    if (conn_open(&uc->conn, &p->w->loop, fd, true, &h1_client_ops) != OK) {
        free(uc);
        return NULL;
    }
    return uc;
}

static enum err open_conn(struct pool *p)
{
    int fd;
    if (sock_connect(&p->host->addr, &fd) != OK) {
        log_debug("pool.connect_failed", "cluster=%.*s host=%s err=%s", SVF(p->c->m->name),
                  p->host->text, strerror(errno));
        stat(p, p->c->st.upstream_cx_total);
        host_count(&p->host->slots[p->w->index].count.cx_total, 1);
        count_connect_failure(p);
        breaker_leave(p->c, p->priority, BREAKER_CX);
        return E_IO;
    }
    struct up_conn *uc = new_conn(p, fd);
    if (uc == NULL) {
        breaker_leave(p->c, p->priority, BREAKER_CX);
        return E_NOMEM;
    }
    p->n_conns++;
    p->n_connecting++;
    list_push_back(&p->connecting, &uc->link);
    loop_arm(&p->w->loop, &uc->timer, p->c->m->connect_timeout_ms);
    stat(p, p->c->st.upstream_cx_total);
    stat(p, p->c->st.upstream_cx_http1_total);
    stat_inc(p->w->stats, p->c->st.upstream_cx_active);
    host_count(&p->host->slots[p->w->index].count.cx_total, 1);
    host_count(&p->host->slots[p->w->index].count.cx_active, 1);
    return OK;
}

/* One connection for one more waiting request, if the breaker lets it: a pool without one may
 * always open one. */
static enum err want_conn(struct pool *p)
{
    if (p->n_connecting >= p->n_pending)
        return OK;
    if (!breaker_enter(p->c, p->priority, BREAKER_CX)) {
        stat(p, p->c->st.upstream_cx_overflow);
        if (p->n_conns > 0)
            return OK;
        breaker_force(p->c, p->priority, BREAKER_CX);
    }
    return open_conn(p);
}

void pool_connected(struct up_conn *uc, int error)
{
    struct pool *p = uc->pool;
    if (error != 0) {
        char text[96];
        size_t n = upstream_connect_error(error, text, sizeof(text));
        count_connect_failure(p);
        pool_close_conn(uc, UPR_REMOTE_CONNECTION_FAILURE, sv_of(text, n), false);
        return;
    }
    stat_record(p->w->stats, p->c->st.upstream_cx_connect_ms,
                (p->w->loop.now_us - uc->created_us) / 1000);
    p->n_connecting--;
    loop_cancel(&p->w->loop, &uc->timer);
    if (p->c->m->max_connection_duration_ms > 0)
        loop_arm(&p->w->loop, &uc->max_age, p->c->m->max_connection_duration_ms);
    uc->have_local = sock_local(uc->conn.fd, &uc->local) == OK;
    pool_release(uc);
}

size_t upstream_connect_error(int error, char *out, size_t room)
{
    int n = snprintf(out, room, "delayed_connect_error:_%s", strerror(error));
    size_t len = n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
    for (size_t i = 0; i < len; i++)
        if (out[i] == ' ')
            out[i] = '_';
    return len;
}

/* Whether one more request may run; counts it. */
static bool enter_active(struct pool *p)
{
    if (LIKELY(breaker_enter(p->c, p->priority, BREAKER_RQ)))
        return true;
    stat(p, p->c->st.upstream_rq_active_overflow);
    return false;
}

static void keep_idle(struct up_conn *uc)
{
    struct pool *p = uc->pool;
    uc->state = UP_IDLE;
    list_unlink(&uc->link);
    list_push_front(&p->idle, &uc->link);
    uc->idle_since_ms = loop_now_ms(&p->w->loop);
    /* Left armed over the requests in between: it looks at idle_since_ms when it fires. */
    if (p->c->m->idle_timeout_ms > 0 && !timer_armed(&uc->timer))
        loop_arm(&p->w->loop, &uc->timer, p->c->m->idle_timeout_ms);
}

void pool_release(struct up_conn *uc)
{
    struct pool *p = uc->pool;
    if (uc->rq != NULL)
        detach(uc, true);
    count_bytes(uc);
    uint32_t max = p->c->m->max_requests_per_connection;
    if (max > 0 && uc->requests >= max) {
        stat(p, p->c->st.upstream_cx_max_requests);
        uc->close_after = true;
    }
    if (uc->close_after || p->retired) {
        bool ended_by_peer = uc->head_done && uc->body.framing == H1_BODY_UNTIL_CLOSE;
        pool_close_conn(uc, UPR_NONE, SV_NONE, !ended_by_peer);
        return;
    }
    while (!list_empty(&p->pending)) {
        struct up_request *rq = list_entry(p->pending.next, struct up_request, link);
        if (!enter_active(p)) {
            fail_pending(rq, UPR_OVERFLOW, SV_NONE);
            continue;
        }
        leave_pending(rq);
        attach(uc, rq);
        rq->events->ready(rq);
        return;
    }
    keep_idle(uc);
}

static void count_close(struct up_conn *uc, bool local)
{
    struct pool *p = uc->pool;
    const struct cluster_stats *st = &p->c->st;
    count_bytes(uc);
    stat_dec(p->w->stats, st->upstream_cx_active);
    host_count(&p->host->slots[p->w->index].count.cx_active, UINT64_MAX);
    breaker_leave(p->c, p->priority, BREAKER_CX);
    stat_record(p->w->stats, st->upstream_cx_length_ms,
                (p->w->loop.now_us - uc->created_us) / 1000);
    stat(p, st->upstream_cx_destroy);
    stat(p, local ? st->upstream_cx_destroy_local : st->upstream_cx_destroy_remote);
    if (uc->rq == NULL)
        return;
    stat(p, st->upstream_cx_destroy_with_active_rq);
    stat(p, local ? st->upstream_cx_destroy_local_with_active_rq
                  : st->upstream_cx_destroy_remote_with_active_rq);
}

void pool_close_conn(struct up_conn *uc, enum upstream_reset why, struct sv failure, bool local)
{
    struct pool *p = uc->pool;
    struct up_request *rq = uc->rq;
    if (uc->state == UP_CLOSED)
        return;
    bool was_connecting = uc->state == UP_CONNECTING;
    count_close(uc, local);
    uc->state = UP_CLOSED;
    loop_cancel(&p->w->loop, &uc->timer);
    loop_cancel(&p->w->loop, &uc->max_age);
    list_unlink(&uc->link);
    if (rq != NULL)
        detach(uc, false);
    conn_close(&uc->conn);
    uc->reap.free_fn = free_conn;
    loop_reap_later(&p->w->loop, &uc->reap);
    if (was_connecting) {
        p->n_connecting--;
        if (why != UPR_NONE)
            fail_all_pending(p, why, failure);
    }
    if (rq != NULL && !uc->cancelled)
        rq->events->reset(rq, why, failure);
    /* A connection slot is free now; someone may wait for it. */
    if (!p->retired && p->n_pending > 0 && want_conn(p) != OK)
        fail_all_pending(p, UPR_LOCAL_CONNECTION_FAILURE, SV_NONE);
}

void pool_retire(struct pool *p)
{
    if (p->retired)
        return;
    p->retired = true;
    list_unlink(&p->link);
    p->host->slots[p->w->index].pools[p->priority] = NULL;
    fail_all_pending(p, UPR_CONNECTION_TERMINATION, SV_NONE);
    list_foreach_safe (it, &p->idle)
        pool_close_conn(list_entry(it, struct up_conn, link), UPR_NONE, SV_NONE, true);
    list_foreach_safe (it2, &p->connecting)
        pool_close_conn(list_entry(it2, struct up_conn, link), UPR_NONE, SV_NONE, true);
    free_when_empty(p);
}

/* ---- requests ---- */

static enum err wait_for_conn(struct pool *p, struct up_request *rq)
{
    if (!breaker_enter(p->c, p->priority, BREAKER_PENDING)) {
        stat(p, p->c->st.upstream_rq_pending_overflow);
        return E_LIMIT;
    }
    rq->pool = p;
    rq->pending = true;
    list_push_back(&p->pending, &rq->link);
    p->n_pending++;
    stat(p, p->c->st.upstream_rq_pending_total);
    stat_inc(p->w->stats, p->c->st.upstream_rq_pending_active);
    enum err e = want_conn(p);
    if (e != OK) {
        leave_pending(rq);
        rq->pool = NULL;
        free_when_empty(p);
    }
    return e;
}

enum err upstream_start(struct wcluster *wc, struct host *h, unsigned priority,
                        struct up_request *rq, bool *ready_now)
{
    struct pool *p = pool_get(wc, h, priority);
    if (UNLIKELY(p == NULL))
        return E_NOMEM;
    rq->uc = NULL;
    rq->pool = NULL;
    rq->pending = rq->sent_all = false;
    list_init(&rq->link);
    *ready_now = !list_empty(&p->idle);
    if (!*ready_now)
        return wait_for_conn(p, rq);
    if (!enter_active(p))
        return E_LIMIT;
    attach(list_entry(p->idle.next, struct up_conn, link), rq);
    return OK;
}

void upstream_cancel(struct up_request *rq, bool timed_out)
{
    struct pool *p = rq->pool;
    if (p == NULL)
        return;
    if (timed_out)
        host_count(&p->host->slots[p->w->index].count.rq_timeout, 1);
    if (rq->pending) {
        stat(p, p->c->st.upstream_rq_cancelled);
        leave_pending(rq);
        rq->pool = NULL;
        free_when_empty(p);
        return;
    }
    struct up_conn *uc = rq->uc;
    uc->cancelled = true;
    pool_close_conn(uc, UPR_LOCAL_RESET, SV_NONE, true);
}

struct host *upstream_host(const struct up_request *rq)
{
    return rq->pool != NULL ? rq->pool->host : NULL;
}

const char *upstream_reset_text(enum upstream_reset r)
{
    static const char *const texts[] = {
        [UPR_NONE] = "",
        [UPR_OVERFLOW] = "overflow",
        [UPR_LOCAL_CONNECTION_FAILURE] = "local connection failure",
        [UPR_REMOTE_CONNECTION_FAILURE] = "remote connection failure",
        [UPR_CONNECTION_TIMEOUT] = "connection timeout",
        [UPR_CONNECTION_TERMINATION] = "connection termination",
        [UPR_REMOTE_RESET] = "remote reset",
        [UPR_LOCAL_RESET] = "local reset",
        [UPR_PROTOCOL_ERROR] = "protocol error",
    };
    return texts[r];
}
