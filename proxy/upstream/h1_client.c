/* The HTTP/1 side of an upstream connection: writes requests, reads answers straight from the
 * loop's scratch buffer. Limits and strictness are net/h1's; what it refuses is a protocol error,
 * answered 502 by the router. */
#define LOG_COMPONENT LOGC_CLIENT
#include "base/log.h"
#include "proxy/upstream/pool.h"
#include <errno.h>
#include <stdlib.h>

/* As much head as one receive can hold; Envoy's default of 100 headers. */
static const struct h1_limits answer_limits = {.max_head_bytes = 96 * 1024, .max_headers = 100};

enum { HEAD_COPY_MAX = 2048 };

/* ---- sending ---- */

static char *add(char *at, struct sv s)
{
    memcpy(at, s.p, s.n);
    return at + s.n;
}

static char *write_head(char *at, const struct up_head *h)
{
    at = add(at, h->method);
    *at++ = ' ';
    at = add(at, h->path);
    at = add(at, SV(" HTTP/1.1\r\n"));
    at = headers_write(h->headers, at);
    if (h->framing == H1_BODY_CHUNKED)
        at = add(at, SV("transfer-encoding: chunked\r\n"));
    return add(at, SV("\r\n"));
}

static void send_big_head(struct up_conn *uc, const struct up_head *h, size_t size)
{
    char *p = malloc(size);
    if (p == NULL) {
        conn_fail(&uc->conn);
        return;
    }
    struct iovec iov = {.iov_base = p, .iov_len = (size_t)(write_head(p, h) - p)};
    conn_send(&uc->conn, &iov, 1);
    free(p);
}

void upstream_send_head(struct up_request *rq, const struct up_head *head)
{
    struct up_conn *uc = rq->uc;
    size_t size = head->method.n + head->path.n + headers_size(head->headers) + 64;
    uc->sent_chunked = head->framing == H1_BODY_CHUNKED;
    rq->sent_all = head->end;
    char *at = conn_head_room(&uc->conn, size);
    if (UNLIKELY(at == NULL)) {
        send_big_head(uc, head, size);
        return;
    }
    conn_head_commit(&uc->conn, (size_t)(write_head(at, head) - at));
}

void upstream_send_data(struct up_request *rq, struct sv bytes, bool end)
{
    struct up_conn *uc = rq->uc;
    char size_line[32];
    struct iovec iov[3];
    size_t n = 0;
    if (bytes.n > 0 && uc->sent_chunked)
        iov[n++] = (struct iovec){size_line, h1_chunk_head(size_line, bytes.n)};
    if (bytes.n > 0)
        iov[n++] = (struct iovec){(void *)(uintptr_t)bytes.p, bytes.n};
    if (uc->sent_chunked && bytes.n > 0)
        iov[n++] = end ? (struct iovec){(void *)(uintptr_t) "\r\n0\r\n\r\n", 7}
                       : (struct iovec){(void *)(uintptr_t) "\r\n", 2};
    else if (uc->sent_chunked && end)
        iov[n++] = (struct iovec){(void *)(uintptr_t) "0\r\n\r\n", 5};
    rq->sent_all = end;
    if (n > 0)
        conn_send(&uc->conn, iov, n);
}

void upstream_send_end(struct up_request *rq, const struct headers *trailers)
{
    struct up_conn *uc = rq->uc;
    if (trailers == NULL || trailers->n == 0 || !uc->sent_chunked) {
        upstream_send_data(rq, SV_NONE, true);
        return;
    }
    size_t size = headers_size(trailers) + 8;
    char *p = malloc(size);
    if (p == NULL) {
        conn_fail(&uc->conn);
        return;
    }
    char *at = add(p, SV("0\r\n"));
    at = add(headers_write(trailers, at), SV("\r\n"));
    struct iovec iov = {p, (size_t)(at - p)};
    rq->sent_all = true;
    conn_send(&uc->conn, &iov, 1);
    free(p);
}

size_t upstream_queued(const struct up_request *rq)
{
    return rq->uc != NULL ? conn_queued(&rq->uc->conn) : 0;
}

void upstream_pause(struct up_request *rq)
{
    if (rq->uc == NULL || rq->uc->conn.paused)
        return;
    struct pool *p = rq->pool;
    stat_inc(p->w->stats, p->c->st.upstream_flow_control_paused_reading_total);
    conn_pause(&rq->uc->conn);
}

void upstream_resume(struct up_request *rq)
{
    if (rq->uc == NULL || !rq->uc->conn.paused)
        return;
    struct pool *p = rq->pool;
    stat_inc(p->w->stats, p->c->st.upstream_flow_control_resumed_reading_total);
    conn_resume(&rq->uc->conn);
}

const struct addr *upstream_local(const struct up_request *rq)
{
    return rq->uc != NULL && rq->uc->have_local ? &rq->uc->local : NULL;
}

uint64_t upstream_wire_sent(const struct up_request *rq)
{
    return rq->uc != NULL ? rq->uc->conn.sent + rq->uc->conn.out.n - rq->uc->sent_base
                          : rq->wire_sent;
}

uint64_t upstream_wire_received(const struct up_request *rq)
{
    return rq->uc != NULL ? rq->uc->conn.received - rq->uc->received_base : rq->wire_received;
}

/* ---- receiving ---- */

void h1_client_begin(struct up_conn *uc, struct up_request *rq)
{
    h1_parser_init(&uc->parser, true, &answer_limits);
    uc->head = (struct h1_head){0};
    headers_init(&uc->head.headers, rq->arena);
    uc->head_done = false;
    uc->stash_n = 0;
}

static void protocol_error(struct up_conn *uc, bool local)
{
    struct pool *p = uc->pool;
    log_debug("client.protocol_error", "cluster=%.*s host=%s fault=%s", SVF(p->c->m->name),
              p->host->text, h1_fault_details(uc->parser.fault));
    stat_inc(p->w->stats, p->c->st.upstream_cx_protocol_error);
    pool_close_conn(uc, UPR_PROTOCOL_ERROR, SV_NONE, local);
}

/* Keeps what a parser cannot use yet. */
static bool stash(struct up_conn *uc, const char *p, size_t n)
{
    free(uc->stash);
    uc->stash = NULL;
    uc->stash_n = 0;
    if (n == 0)
        return true;
    uc->stash = malloc(n);
    if (uc->stash == NULL) {
        pool_close_conn(uc, UPR_LOCAL_RESET, SV_NONE, true);
        return false;
    }
    memcpy(uc->stash, p, n);
    uc->stash_n = (uint32_t)n;
    return true;
}

/* The answer is whole. A connection whose request is not fully sent yet cannot be used again. */
static void finish(struct up_conn *uc, size_t surplus)
{
    struct up_request *rq = uc->rq;
    const struct cluster_stats *st = &uc->pool->c->st;
    if (surplus > 0) {
        stat_inc(uc->pool->w->stats, st->upstream_cx_protocol_error);
        uc->close_after = true;
    }
    if (!rq->sent_all) {
        stat_inc(uc->pool->w->stats, st->upstream_cx_destroy_with_active_rq);
        stat_inc(uc->pool->w->stats, st->upstream_cx_destroy_local_with_active_rq);
        uc->close_after = true;
    }
    uc->close_after |= uc->conn.peer_done;
    struct headers *trailers = uc->trailers.n > 0 ? &uc->trailers : NULL;
    /* First the owner, who still reads this answer's head; the connection may get a new one then.
     */
    rq->events->done(rq, trailers);
    pool_release(uc);
}

/* The router reads the answer's headers until its end, when the scratch buffer is long gone. A
 * short head is parsed in the copy that is kept, which saves moving its views afterwards. */
static enum err parse_head(struct up_conn *uc, char *data, size_t n)
{
    struct up_request *rq = uc->rq;
    bool begun = h1_parser_begun(&uc->parser);
    char *copy = n <= HEAD_COPY_MAX && !begun ? arena_alloc(rq->arena, n, 1) : NULL;
    if (copy != NULL) {
        memcpy(copy, data, n);
        enum err e = h1_parse_response(&uc->parser, copy, n, rq->method, &uc->head);
        if (e == E_AGAIN)
            memcpy(data, copy,
                   n); /* names are lower-cased in place, and the parse goes on in data */
        return e;
    }
    TRY(h1_parse_response(&uc->parser, data, n, rq->method, &uc->head));
    copy = arena_alloc(rq->arena, uc->head.head_bytes, 1);
    if (copy == NULL)
        return E_NOMEM;
    memcpy(copy, data, uc->head.head_bytes);
    h1_head_rebase(&uc->head, data, copy);
    return OK;
}

/* The common case: the whole body came with the head. left: bytes behind the head. */
static size_t take_whole(struct up_conn *uc, struct sv body, size_t left)
{
    struct up_request *rq = uc->rq;
    rq->events->headers(rq, &uc->head, body.n == 0);
    if (uc->rq == rq && body.n > 0)
        rq->events->data(rq, body);
    if (uc->rq == rq)
        finish(uc, left - body.n);
    return SIZE_MAX;
}

/* Returns bytes used, or SIZE_MAX when the connection is gone or more is needed. */
static size_t take_head(struct up_conn *uc, char *p, size_t n)
{
    struct up_request *rq = uc->rq;
    enum err e = parse_head(uc, p, n);
    if (e == E_AGAIN) {
        stash(uc, p, n);
        return SIZE_MAX;
    }
    if (UNLIKELY(e == E_NOMEM)) {
        pool_close_conn(uc, UPR_LOCAL_RESET, SV_NONE, true);
        return SIZE_MAX;
    }
    if (UNLIKELY(e != OK)) {
        protocol_error(uc, true);
        return SIZE_MAX;
    }
    size_t used = uc->head.head_bytes;
    if (UNLIKELY(uc->head.status < 200 && uc->head.status != 101)) {
        rq->events->interim(rq, uc->head.status);
        h1_client_begin(uc, rq); /* dropped, as Envoy does */
        return used;
    }
    if (UNLIKELY(uc->head.status == 101)) { /* nobody asked for an upgrade */
        protocol_error(uc, true);
        return SIZE_MAX;
    }
    uc->head_done = true;
    uc->close_after |= uc->head.close;
    if (uc->head.close && uc->head.framing != H1_BODY_UNTIL_CLOSE)
        stat_inc(uc->pool->w->stats, uc->pool->c->st.upstream_cx_close_notify);
    headers_init(&uc->trailers, rq->arena);
    if (LIKELY(uc->head.framing == H1_BODY_LENGTH && uc->head.content_length <= n - used))
        return take_whole(uc, sv_of(p + used, (size_t)uc->head.content_length), n - used);
    h1_body_init(&uc->body, &uc->head, &answer_limits, &uc->trailers);
    bool end = uc->body.done;
    rq->events->headers(rq, &uc->head, end);
    if (uc->rq != rq)
        return SIZE_MAX;
    if (end) {
        finish(uc, n - used);
        return SIZE_MAX;
    }
    return used;
}

static size_t take_body(struct up_conn *uc, char *p, size_t n)
{
    struct up_request *rq = uc->rq;
    struct sv data = SV_NONE;
    size_t used = 0;
    enum err e = h1_body_next(&uc->body, p, n, &used, &data);
    if (data.n > 0) {
        rq->events->data(rq, data);
        if (uc->rq != rq)
            return SIZE_MAX;
    }
    if (UNLIKELY(e == E_AGAIN)) {
        stash(uc, p + used, n - used);
        return SIZE_MAX;
    }
    if (UNLIKELY(e != OK)) {
        protocol_error(uc, true);
        return SIZE_MAX;
    }
    if (uc->body.done) {
        finish(uc, n - used);
        return SIZE_MAX;
    }
    return used;
}

static void feed(struct up_conn *uc, char *p, size_t n)
{
    while (n > 0) {
        size_t used = uc->head_done ? take_body(uc, p, n) : take_head(uc, p, n);
        if (used == SIZE_MAX)
            return;
        p += used;
        n -= used;
    }
}

/* The peer's end: an answer without a length ends here, anything else is cut off. */
static void ended(struct up_conn *uc, bool reset)
{
    if (uc->rq == NULL) {
        pool_close_conn(uc, UPR_NONE, SV_NONE, false);
        return;
    }
    if (!reset && uc->head_done && uc->body.framing == H1_BODY_UNTIL_CLOSE) {
        uc->close_after = true;
        finish(uc, 0);
        return;
    }
    if (uc->head_done || uc->stash_n > 0) { /* cut off in the middle, by an end or a reset */
        protocol_error(uc, false);
        return;
    }
    pool_close_conn(uc, UPR_CONNECTION_TERMINATION, SV_NONE, false);
}

/* Bytes already waiting before this receive are put in front of it. */
static size_t unstash(struct up_conn *uc, char *scratch)
{
    size_t n = uc->stash_n;
    if (LIKELY(n == 0))
        return 0;
    memcpy(scratch, uc->stash, n);
    free(uc->stash);
    uc->stash = NULL;
    uc->stash_n = 0;
    return n;
}

static void on_readable(struct conn *c)
{
    struct up_conn *uc = container_of(c, struct up_conn, conn);
    char *scratch = c->loop->scratch;
    while (c->fd >= 0 && c->maybe_data && !c->paused) {
        size_t got, had = unstash(uc, scratch);
        enum err e = conn_recv(c, scratch + had, LOOP_SCRATCH - had, &got);
        if (e == E_AGAIN) {
            stash(uc, scratch, had);
            return;
        }
        if (UNLIKELY(uc->rq == NULL)) { /* idle: the end, or bytes that nobody asked for */
            if (e == OK)
                protocol_error(uc, true);
            else
                pool_close_conn(uc, UPR_NONE, SV_NONE, false);
            return;
        }
        if (UNLIKELY(e != OK)) {
            if (had > 0 && !stash(uc, scratch, had))
                return;
            ended(uc, e != E_CLOSED);
            return;
        }
        feed(uc, scratch, had + got);
    }
}

static void on_connected(struct conn *c, int error)
{
    pool_connected(container_of(c, struct up_conn, conn), error);
}

static void on_drained(struct conn *c)
{
    struct up_conn *uc = container_of(c, struct up_conn, conn);
    if (uc->rq != NULL)
        uc->rq->events->drained(uc->rq);
}

static void on_broken(struct conn *c)
{
    struct up_conn *uc = container_of(c, struct up_conn, conn);
    pool_close_conn(uc, UPR_CONNECTION_TERMINATION, SV_NONE, false);
}

const struct conn_ops h1_client_ops = {
    .connected = on_connected,
    .readable = on_readable,
    .drained = on_drained,
    .broken = on_broken,
};
