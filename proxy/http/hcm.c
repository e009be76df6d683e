/* The downstream connection of the HTTP connection manager: reading requests, time-outs, closing.
 */
#define LOG_COMPONENT LOGC_HTTP
#include "proxy/http/hcm.h"
#include "base/log.h"
#include "net/sock.h"
#include "proxy/http/hcm_int.h"
#include <stdlib.h>

enum { HEAD_COPY_MAX = 2048 };

/* ---- closing ---- */

static void count_bytes(struct hcm *h)
{
    stat_add(h->w->stats, h->conf->st.downstream_cx_rx_bytes_total, h->c->received - h->rx_counted);
    stat_add(h->w->stats, h->conf->st.downstream_cx_tx_bytes_total, h->c->sent - h->tx_counted);
    h->rx_counted = h->c->received;
    h->tx_counted = h->c->sent;
}

static void closed(struct hcm *h, bool local, bool active)
{
    const struct hcm_stats *st = &h->conf->st;
    struct stat_shard *sh = h->w->stats;
    if (h->state == HCM_CLOSED)
        return;
    h->state = HCM_CLOSED;
    loop_cancel(&h->w->loop, &h->timer);
    list_unlink(&h->next.link);
    conn_close(h->c);
    count_bytes(h);
    stat_dec(sh, st->downstream_cx_active);
    if (h->spoke)
        stat_dec(sh, st->downstream_cx_http1_active);
    if (h->soft_drain)
        stat_dec(sh, st->downstream_cx_http1_soft_drain);
    stat_inc(sh, st->downstream_cx_destroy);
    stat_inc(sh, local ? st->downstream_cx_destroy_local : st->downstream_cx_destroy_remote);
    if (active) {
        stat_inc(sh, st->downstream_cx_destroy_active_rq);
        stat_inc(sh, local ? st->downstream_cx_destroy_local_active_rq
                           : st->downstream_cx_destroy_remote_active_rq);
    }
    stat_record(sh, st->downstream_cx_length_ms, loop_now_ms(&h->w->loop) - h->opened_ms);
    free(h->stash);
    h->stash = NULL;
    h->owner->closed(h);
}

static void linger_or_close(struct hcm *h)
{
    if (!h->linger || h->conf->delayed_close_ms == 0 || h->c->peer_done) {
        closed(h, true, false);
        return;
    }
    /* Closing with unread bytes would reset the connection and could take our answer with it: wait
     * for the client's end, as long as Envoy does (delayed_close_timeout). */
    h->state = HCM_LINGER;
    h->close_by_ms = loop_now_ms(&h->w->loop) + h->conf->delayed_close_ms;
    hcm_need_timer(h, h->close_by_ms);
    h->c->paused = false;
    if (h->c->maybe_data)
        loop_reap_later(&h->w->loop, &h->next);
}

void hcm_finish(struct hcm *h)
{
    if (h->state != HCM_OPEN)
        return;
    conn_uncork(&h->w->loop);
    if (h->c->out.n > 0) {
        h->state = HCM_FLUSH;
        h->close_by_ms = loop_now_ms(&h->w->loop) + h->conf->stream_idle_ms;
        if (h->conf->stream_idle_ms > 0)
            hcm_need_timer(h, h->close_by_ms);
        return;
    }
    linger_or_close(h);
}

/* A client that left in the middle of a request head still gets its line in the log. */
static void drop_unbegun(struct hcm *h, struct stream *s)
{
    if (h1_parser_begun(&s->parser)) {
        s->begun = true;
        s->info.response_flags |= RF_DOWNSTREAM_CONNECTION_TERMINATION;
        s->info.details = SV("downstream_remote_disconnect");
        s->info.end_us = h->w->loop.now_us;
        stat_inc(h->w->stats, h->conf->st.downstream_rq_rx_reset);
    }
    hcm_stream_over(h, s);
    loop_reap_later(&h->w->loop, &s->reap);
}

/* The client left, or the connection broke. */
static void lost(struct hcm *h)
{
    struct stream *s = h->stream;
    bool active = s != NULL && (s->begun || h1_parser_begun(&s->parser));
    if (s != NULL && s->begun && !s->ended) {
        s->info.response_flags |= RF_DOWNSTREAM_CONNECTION_TERMINATION;
        s->info.details = SV("downstream_remote_disconnect");
        stat_inc(h->w->stats, h->conf->st.downstream_rq_rx_reset);
        h->close_after = true;
        h->state = HCM_FLUSH; /* stream_end shall not start a close of its own */
        stream_end(s);
    } else if (s != NULL) {
        drop_unbegun(h, s);
    }
    closed(h, false, active);
}

void hcm_abort(struct hcm *h)
{
    struct stream *s = h->stream;
    bool active = s != NULL && s->begun;
    h->close_after = true;
    if (s != NULL) {
        h->state = HCM_FLUSH;
        if (s->begun) {
            s->info.response_flags |= RF_LOCAL_RESET;
            s->info.details = SV("downstream_local_disconnect(shutdown)");
            stream_end(s);
        } else {
            hcm_stream_over(h, s);
            loop_reap_later(&h->w->loop, &s->reap);
        }
    }
    closed(h, true, active);
}

bool hcm_close_if_idle(struct hcm *h, uint64_t quiet_ms)
{
    if (h->state != HCM_OPEN)
        return true;
    if (h->stream != NULL || h->stash_n > 0 || h->c->maybe_data ||
        loop_now_ms(&h->w->loop) < h->idle_since_ms + quiet_ms)
        return false;
    stat_inc(h->w->stats, h->conf->st.downstream_cx_drain_close);
    hcm_finish(h);
    return true;
}

/* ---- time ---- */

void hcm_need_timer(struct hcm *h, uint64_t due_ms)
{
    uint64_t now = loop_now_ms(&h->w->loop);
    if (timer_armed(&h->timer) && h->timer.due_ms <= due_ms)
        return;
    loop_arm(&h->w->loop, &h->timer, due_ms > now ? due_ms - now : 0);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return b != 0 && b < a ? b : a;
}

static void rearm(struct hcm *h)
{
    uint64_t due = UINT64_MAX;
    const struct stream *s = h->stream;
    if (h->state == HCM_FLUSH || h->state == HCM_LINGER) {
        due = earlier(due, h->close_by_ms);
    } else if (s != NULL) {
        due = earlier(due, s->request_due_ms);
        due = earlier(due, s->route_due_ms);
        if (s->idle_ms > 0)
            due = earlier(due, s->last_active_ms + s->idle_ms);
    } else if (h->close_by_ms != 0) {
        due = earlier(due, h->close_by_ms);
    } else if (h->conf->idle_ms > 0) {
        due = earlier(due, h->idle_since_ms + h->conf->idle_ms);
    }
    if (h->conf->max_connection_ms > 0 && !h->close_after)
        due = earlier(due, h->opened_ms + h->conf->max_connection_ms);
    if (due != UINT64_MAX)
        hcm_need_timer(h, due);
}

static void refuse_late(struct stream *s, unsigned code, struct sv body, struct sv details,
                        uint32_t flags)
{
    struct hcm *h = s->h;
    s->begun = true;
    h->close_after = h->close_after || !s->req_done;
    h->linger = !s->req_done;
    stream_reply(s,
                 &(struct reply){.code = code, .body = body, .details = details, .flags = flags});
}

static void stream_deadlines(struct hcm *h, struct stream *s, uint64_t now)
{
    const struct hcm_stats *st = &h->conf->st;
    if (s->route_due_ms != 0 && now >= s->route_due_ms) {
        const struct http_filter *f = &h->conf->filters[h->conf->n_filters - 1];
        s->route_due_ms = 0;
        f->ops->timed_out(s->states + f->state_at, s);
    } else if (s->request_due_ms != 0 && now >= s->request_due_ms) {
        bool headers = !s->begun && h->conf->request_headers_ms > 0;
        s->request_due_ms = 0;
        stat_inc(h->w->stats,
                 headers ? st->downstream_rq_header_timeout : st->downstream_rq_timeout);
        refuse_late(s, 408, headers ? SV("request header timeout") : SV("request timeout"),
                    headers ? SV("request_header_timeout") : SV("request_overall_timeout"), 0);
    } else if (s->idle_ms > 0 && now >= s->last_active_ms + s->idle_ms) {
        stat_inc(h->w->stats, st->downstream_rq_idle_timeout);
        refuse_late(s, s->req_done ? 504 : 408, SV("stream timeout"), SV("stream_idle_timeout"),
                    RF_STREAM_IDLE_TIMEOUT);
    }
}

static void timer_fired(struct timer *t)
{
    struct hcm *h = container_of(t, struct hcm, timer);
    uint64_t now = loop_now_ms(&h->w->loop);
    const struct hcm_stats *st = &h->conf->st;
    if (h->state == HCM_FLUSH || h->state == HCM_LINGER) {
        if (now >= h->close_by_ms) {
            if (h->state == HCM_LINGER)
                stat_inc(h->w->stats, st->downstream_cx_delayed_close_timeout);
            closed(h, true, false);
            return;
        }
    } else if (h->stream != NULL) {
        stream_deadlines(h, h->stream, now);
    } else if (h->close_by_ms != 0) {
        if (now >= h->close_by_ms)
            hcm_finish(h);
    } else if (h->conf->idle_ms > 0 && now >= h->idle_since_ms + h->conf->idle_ms) {
        /* A request may be on its way: for the drain time it would still be answered. */
        stat_inc(h->w->stats, st->downstream_cx_idle_timeout);
        if (!h->spoke) {
            hcm_finish(h);
            return;
        }
        h->close_after = true;
        h->close_by_ms = now + h->conf->drain_ms;
    }
    if (h->state == HCM_OPEN && h->conf->max_connection_ms > 0 && !h->close_after &&
        now >= h->opened_ms + h->conf->max_connection_ms) {
        stat_inc(h->w->stats, st->downstream_cx_max_duration_reached);
        /* The next answer says so; an HTTP/1 connection that asks nothing more is left alone. */
        h->close_after = true;
        stat_inc(h->w->stats, st->downstream_cx_http1_soft_drain);
        h->soft_drain = true;
    }
    if (h->state != HCM_CLOSED)
        rearm(h);
}

/* ---- streams ---- */

/* A stream exists from its first byte on. */
static void count_stream(struct hcm *h)
{
    struct stat_shard *sh = h->w->stats;
    stat_inc(sh, h->conf->st.downstream_rq_total);
    stat_inc(sh, h->conf->st.downstream_rq_http1_total);
    stat_inc(sh, h->conf->st.downstream_rq_active);
    h->requests++;
}

void hcm_stream_over(struct hcm *h, struct stream *s)
{
    if (h->stream != s)
        return;
    h->stream = NULL;
    count_bytes(h);
    stat_dec(h->w->stats, h->conf->st.downstream_rq_active);
    if (s->begun) {
        stat_record(h->w->stats, h->conf->st.downstream_rq_time,
                    (s->info.end_us - s->info.start_us) / 1000);
        stream_log(s);
    }
    if (h->state != HCM_OPEN)
        return;
    h->idle_since_ms = loop_now_ms(&h->w->loop);
    h->c->paused = false;
    if (h->close_after) {
        hcm_finish(h);
        return;
    }
    if (h->conf->idle_ms > 0)
        hcm_need_timer(h, h->idle_since_ms + h->conf->idle_ms);
    if (h->stash_n > 0 || h->c->maybe_data)
        loop_reap_later(&h->w->loop, &h->next);
}

static enum err open_stream(struct hcm *h)
{
    uint64_t now = loop_now_ms(&h->w->loop);
    if (!h->spoke) { /* only now is the protocol known */
        h->spoke = true;
        stat_inc(h->w->stats, h->conf->st.downstream_cx_http1_total);
        stat_inc(h->w->stats, h->conf->st.downstream_cx_http1_active);
    }
    TRY(stream_new(h, &h->stream));
    struct stream *s = h->stream;
    s->info.protocol = PROTO_HTTP11;
    count_stream(h);
    if (h->conf->request_headers_ms > 0)
        s->request_due_ms = now + h->conf->request_headers_ms;
    if (h->conf->request_ms > 0 &&
        (s->request_due_ms == 0 || h->conf->request_ms < h->conf->request_headers_ms))
        s->request_due_ms = now + h->conf->request_ms;
    if (s->request_due_ms > 0)
        hcm_need_timer(h, s->request_due_ms);
    if (s->idle_ms > 0)
        hcm_need_timer(h, now + s->idle_ms);
    return OK;
}

/* A request that the codec refused: answered without filters, logged, and the connection ends. */
static void refuse(struct hcm *h, struct stream *s)
{
    enum h1_fault f = s->parser.fault;
    unsigned code = h1_fault_status(f);
    s->begun = true;
    h->close_after = true;
    h->linger = true;
    stat_inc(h->w->stats, h->conf->st.downstream_cx_protocol_error);
    s->info.protocol = PROTO_HTTP11;
    s->req.minor = 1;
    headers_init(&s->req.headers, s->arena);
    stream_reply(s, &(struct reply){.code = code,
                                    .body = http_reason(code),
                                    .details = sv_str(h1_fault_details(f)),
                                    .flags = RF_DOWNSTREAM_PROTOCOL_ERROR});
}

static bool keep(struct hcm *h, const char *p, size_t n)
{
    char *fresh = NULL;
    if (n > 0 && (fresh = malloc(n)) == NULL) {
        lost(h);
        return false;
    }
    if (n > 0)
        memcpy(fresh, p, n);
    free(h->stash);
    h->stash = fresh;
    h->stash_n = (uint32_t)n;
    return true;
}

/* A short head is parsed in the copy that the stream keeps, which saves moving its views
 * afterwards. */
static enum err parse_head(struct stream *s, char *data, size_t n)
{
    char *copy =
        n <= HEAD_COPY_MAX && !h1_parser_begun(&s->parser) ? arena_alloc(s->arena, n, 1) : NULL;
    if (copy != NULL) {
        memcpy(copy, data, n);
        enum err e = h1_parse_request(&s->parser, copy, n, &s->req);
        if (e == E_AGAIN)
            memcpy(data, copy,
                   n); /* names are lower-cased in place, and the parse goes on in data */
        return e;
    }
    TRY(h1_parse_request(&s->parser, data, n, &s->req));
    copy = arena_alloc(s->arena, s->req.head_bytes, 1);
    if (copy == NULL)
        return E_NOMEM;
    memcpy(copy, data, s->req.head_bytes);
    h1_head_rebase(&s->req, data, copy);
    return OK;
}

/* Bytes used, or SIZE_MAX: stop feeding. */
static size_t take_head(struct hcm *h, char *p, size_t n)
{
    if (h->stream == NULL && open_stream(h) != OK) {
        lost(h);
        return SIZE_MAX;
    }
    struct stream *s = h->stream;
    enum err e = parse_head(s, p, n);
    if (e == E_AGAIN) {
        keep(h, p, n);
        return SIZE_MAX;
    }
    if (UNLIKELY(e != OK)) {
        if (e == E_NOMEM)
            s->parser.fault = H1_FAULT_HEADERS_TOO_LARGE;
        refuse(h, s);
        return SIZE_MAX;
    }
    size_t used = s->req.head_bytes;
    if (UNLIKELY(s->req.minor == 0 && !h->conf->accept_http_10)) {
        s->parser.fault = H1_FAULT_VERSION;
        refuse(h, s);
        return SIZE_MAX;
    }
    if (UNLIKELY(!hcm_connection_header_ok(&s->req.headers))) {
        s->parser.fault = H1_FAULT_CONNECTION;
        refuse(h, s);
        return SIZE_MAX;
    }
    if (h->conf->request_headers_ms > 0)
        s->request_due_ms =
            h->conf->request_ms > 0 ? s->info.start_us / 1000 + h->conf->request_ms : 0;
    s->is_head = s->req.method == H1_HEAD;
    s->info.protocol = s->req.minor == 0 ? PROTO_HTTP10 : PROTO_HTTP11;
    s->info.req = &s->req.headers;
    s->info.wire_received = used;
    headers_init(&s->req_trailers, s->arena);
    if (s->req.framing == H1_BODY_LENGTH && s->req.content_length == 0)
        s->req.framing = H1_BODY_NONE;
    if (s->req.framing != H1_BODY_NONE)
        h1_body_init(&s->body, &s->req, &h->conf->limits, &s->req_trailers);
    stream_begin(s);
    return used;
}

static size_t take_body(struct hcm *h, char *p, size_t n)
{
    struct stream *s = h->stream;
    if (h->c->paused) {
        keep(h, p, n);
        return SIZE_MAX;
    }
    size_t used = 0;
    struct sv data = SV_NONE;
    enum err e = h1_body_next(&s->body, p, n, &used, &data);
    s->info.wire_received += used;
    if (UNLIKELY(e != OK && e != E_AGAIN)) {
        s->info.response_flags |= RF_DOWNSTREAM_PROTOCOL_ERROR;
        stat_inc(h->w->stats, h->conf->st.downstream_cx_protocol_error);
        h->close_after = true;
        stream_reply(s, &(struct reply){.code = 400,
                                        .body = SV("Bad Request"),
                                        .details = SV("http1.codec_error")});
        return SIZE_MAX;
    }
    if (data.n > 0 || s->body.done)
        stream_req_data(s, data, s->body.done);
    if (e == E_AGAIN) {
        if (h->state == HCM_OPEN)
            keep(h, p + used, n - used);
        return SIZE_MAX;
    }
    return used;
}

/* While an answer is under way nothing more is read, but a client that left is noticed. */
static bool waits_for_answer(const struct hcm *h)
{
    return h->stream != NULL && h->stream->req_done;
}

static void feed(struct hcm *h, char *p, size_t n)
{
    while (n > 0 && h->state == HCM_OPEN) {
        if (waits_for_answer(h)) {
            conn_pause(h->c);
            keep(h, p, n);
            return;
        }
        bool head = h->stream == NULL || !h->stream->begun;
        size_t used = head ? take_head(h, p, n) : take_body(h, p, n);
        if (used == SIZE_MAX)
            return;
        p += used;
        n -= used;
    }
}

static void discard(struct hcm *h)
{
    size_t got;
    for (;;) {
        enum err e = conn_recv(h->c, h->w->loop.scratch, LOOP_SCRATCH, &got);
        if (e == E_AGAIN)
            return;
        if (e != OK) {
            closed(h, true, false);
            return;
        }
        if (!h->c->maybe_data)
            return;
    }
}

static size_t unstash(struct hcm *h, char *scratch)
{
    size_t n = h->stash_n;
    if (LIKELY(n == 0))
        return 0;
    memcpy(scratch, h->stash, n);
    free(h->stash);
    h->stash = NULL;
    h->stash_n = 0;
    return n;
}

/* The client's end. Half-closed requests are given up, as Envoy does: nobody waits for their
 * answer. */
static void client_ended(struct hcm *h, enum err e)
{
    if (h->stream == NULL && e == E_CLOSED) {
        closed(h, false, false);
        return;
    }
    lost(h);
}

void hcm_readable(struct hcm *h)
{
    struct conn *c = h->c;
    char *scratch = h->w->loop.scratch;
    if (h->state == HCM_LINGER) {
        discard(h);
        return;
    }
    while (h->state == HCM_OPEN && c->maybe_data) {
        if (waits_for_answer(h) || c->paused) {
            conn_pause(c);
            /* A reset shows as a readable event without an end. */
            if (c->peer_done || sock_error(c->fd) != 0)
                lost(h);
            return;
        }
        size_t got, had = unstash(h, scratch);
        enum err e = conn_recv(c, scratch + had, LOOP_SCRATCH - had, &got);
        if (e == E_AGAIN) {
            if (had > 0)
                keep(h, scratch, had);
            return;
        }
        if (UNLIKELY(e != OK)) {
            client_ended(h, e);
            return;
        }
        feed(h, scratch, had + got);
    }
}

/* Goes on with bytes that were kept: the next pipelined request, or a body that is wanted now. */
static void go_on(struct reap *r)
{
    struct hcm *h = container_of(r, struct hcm, next);
    char *scratch = h->w->loop.scratch;
    if (h->state == HCM_OPEN && h->stash_n > 0 && !waits_for_answer(h) && !h->c->paused)
        feed(h, scratch, unstash(h, scratch));
    if (h->state == HCM_OPEN || h->state == HCM_LINGER)
        hcm_readable(h);
}

void hcm_drained(struct hcm *h)
{
    struct stream *s = h->stream;
    if (h->state == HCM_FLUSH) {
        linger_or_close(h);
        return;
    }
    if (s == NULL || s->ended || !s->begun)
        return;
    const struct http_filter *f = &h->conf->filters[h->conf->n_filters - 1];
    stream_touch(s);
    f->ops->res_drained(s->states + f->state_at, s);
}

void hcm_broken(struct hcm *h)
{
    lost(h);
}

void hcm_open(struct hcm *h, const struct hcm_conf *conf, struct worker *w, struct conn *c,
              const struct conn_meta *meta, const struct hcm_owner *owner)
{
    *h = (struct hcm){.c = c, .owner = owner, .conf = conf, .w = w, .meta = meta};
    h->opened_ms = h->idle_since_ms = loop_now_ms(&w->loop);
    list_init(&h->next.link);
    h->next.free_fn = go_on;
    timer_init(&h->timer, timer_fired);
    stat_inc(w->stats, conf->st.downstream_cx_total);
    stat_inc(w->stats, conf->st.downstream_cx_active);
    rearm(h);
}
