/* One request's life: filter chain, local replies, time-outs; see hcm.h. */
#define LOG_COMPONENT LOGC_HTTP
#include "base/log.h"
#include "proxy/http/hcm_int.h"

/* What one request may hold: its head, the answer's head and what filters keep. */
enum { STREAM_ARENA_CAP = 1024 * 1024 };

static void free_stream(struct reap *r)
{
    struct stream *s = container_of(r, struct stream, reap);
    struct arena *a = s->arena;
    lease_put(&s->lease);
    arena_free(&a);
}

enum err stream_new(struct hcm *h, struct stream **out)
{
    size_t cap = STREAM_ARENA_CAP + 2 * (size_t)h->conf->limits.max_head_bytes;
    struct arena *a = arena_new_pooled(h->w->loop.arenas, cap);
    if (a == NULL)
        return E_NOMEM;
    struct stream *s = ARENA_NEW(a, struct stream);
    unsigned char *states = s != NULL ? arena_zalloc(a, h->conf->states_size) : NULL;
    if (states == NULL) {
        arena_free(&a);
        return E_NOMEM;
    }
    s->arena = a;
    s->h = h;
    s->w = h->w;
    s->conf = h->conf;
    s->states = states;
    s->reap.free_fn = free_stream;
    list_init(&s->reap.link);
    headers_init(&s->req.headers, a);
    h1_parser_init(&s->parser, false, &h->conf->limits);
    s->lease = lease_get(h->w);
    s->info.start_us = h->w->loop.now_us;
    s->info.log_type = ALOG_TYPE_DOWNSTREAM_END;
    s->info.connection_id = h->meta->id;
    s->info.down_local = &h->meta->local;
    s->info.down_remote = &h->meta->remote;
    s->info.down_direct_remote = &h->meta->direct_remote;
    s->info.filter_chain = h->meta->filter_chain;
    s->last_active_ms = loop_now_ms(&h->w->loop);
    s->idle_ms = h->conf->stream_idle_ms;
    *out = s;
    return OK;
}

static void *state_of(struct stream *s, size_t i)
{
    return s->states + s->conf->filters[i].state_at;
}

/* ---- time-outs ---- */

void stream_touch(struct stream *s)
{
    s->last_active_ms = loop_now_ms(&s->w->loop);
}

static void start_route_timer(struct stream *s)
{
    s->route_timer_waits = false;
    s->route_due_ms = loop_now_ms(&s->w->loop) + s->route_timeout_ms;
    hcm_need_timer(s->h, s->route_due_ms);
}

void stream_set_route_timeout(struct stream *s, uint64_t ms)
{
    s->route_timeout_ms = ms;
    s->route_timer_waits = ms > 0;
    if (ms > 0 && s->req_done)
        start_route_timer(s);
}

void stream_set_idle_timeout(struct stream *s, uint64_t ms)
{
    s->idle_ms = ms;
    if (ms > 0)
        hcm_need_timer(s->h, s->last_active_ms + ms);
}

/* ---- the request, downwards ---- */

static enum err open_filters(struct stream *s)
{
    for (size_t i = 0; i < s->conf->n_filters; i++) {
        const struct http_filter *f = &s->conf->filters[i];
        if (f->ops->open != NULL)
            TRY(f->ops->open(state_of(s, i), f->conf, s));
    }
    return OK;
}

void stream_request_complete(struct stream *s)
{
    s->req_done = true;
    s->info.rx_end_us = s->w->loop.now_us;
    s->request_due_ms = 0;
    if (s->route_timer_waits)
        start_route_timer(s);
}

void stream_begin(struct stream *s)
{
    const struct hcm_conf *conf = s->conf;
    s->begun = true;
    /* What asks for another protocol has no end that this one knows. */
    bool open_ended =
        s->req.method == H1_CONNECT || (s->req.upgrade && !request_upgrades_to_h2c(s));
    if (s->req.framing == H1_BODY_NONE && LIKELY(!open_ended))
        stream_request_complete(s);
    if (!request_prepare(s))
        return;
    if (UNLIKELY(open_filters(s) != OK)) {
        stream_reply(s, &(struct reply){.code = 500, .details = SV("filter_chain_out_of_memory")});
        return;
    }
    for (size_t i = 0; i < conf->n_filters; i++) {
        const struct http_filter_ops *ops = conf->filters[i].ops;
        if (ops->req_headers != NULL && ops->req_headers(state_of(s, i), s, s->req_done) == H_STOP)
            return;
    }
}

void stream_req_data(struct stream *s, struct sv bytes, bool end)
{
    const struct hcm_conf *conf = s->conf;
    s->info.bytes_received += bytes.n;
    stream_touch(s);
    if (end)
        stream_request_complete(s);
    for (size_t i = 0; i < conf->n_filters; i++) {
        const struct http_filter_ops *ops = conf->filters[i].ops;
        bool has_trailers = end && s->req_trailers.n > 0 && conf->enable_trailers;
        if (ops->req_data != NULL &&
            ops->req_data(state_of(s, i), s, bytes, end && !has_trailers) == H_STOP)
            return;
        if (has_trailers && ops->req_trailers != NULL &&
            ops->req_trailers(state_of(s, i), s, &s->req_trailers) == H_STOP)
            return;
    }
}

void stream_pause_request(struct stream *s)
{
    if (s->h->c->paused)
        return;
    stat_inc(s->w->stats, s->conf->st.downstream_flow_control_paused_reading_total);
    conn_pause(s->h->c);
}

void stream_resume_request(struct stream *s)
{
    if (!s->h->c->paused)
        return;
    stat_inc(s->w->stats, s->conf->st.downstream_flow_control_resumed_reading_total);
    s->h->c->paused = false;
    loop_reap_later(&s->w->loop, &s->h->next);
}

/* ---- the answer, upwards ---- */

static void count_answer(struct stream *s, unsigned code)
{
    const struct hcm_stats *st = &s->conf->st;
    const stat_id classes[6] = {0,
                                st->downstream_rq_1xx,
                                st->downstream_rq_2xx,
                                st->downstream_rq_3xx,
                                st->downstream_rq_4xx,
                                st->downstream_rq_5xx};
    unsigned class = code / 100 <= 5 ? code / 100 : 5;
    stat_inc(s->w->stats, st->downstream_rq_completed);
    stat_inc(s->w->stats, classes[class]);
    stat_inc(s->w->stats, st->listener_completed);
    stat_inc(s->w->stats, st->listener_class[class]);
}

/* Whether the connection ends with this answer. */
static void decide_close(struct stream *s)
{
    struct hcm *h = s->h;
    const struct hcm_conf *conf = s->conf;
    if (!h->close_after && s->req.close)
        h->close_after = true;
    if (!h->close_after && worker_drains_now(s->w, h->meta->inbound)) {
        h->close_after = true;
        stat_inc(s->w->stats, conf->st.downstream_cx_drain_close);
    }
    if (!h->close_after && conf->max_requests > 0 && h->requests >= conf->max_requests) {
        h->close_after = true;
        stat_inc(s->w->stats, conf->st.downstream_cx_max_requests_reached);
    }
    if (!s->req_done) {
        /* What is left of the request would be taken for the next one. */
        h->close_after = true;
        h->linger = true;
    }
}

void stream_res_headers(struct stream *s, struct h1_head *head, bool end)
{
    const struct hcm_conf *conf = s->conf;
    for (size_t i = conf->n_filters; i-- > 0;) {
        const struct http_filter_ops *ops = conf->filters[i].ops;
        if (ops->res_headers != NULL && ops->res_headers(state_of(s, i), s, head, end) == H_STOP)
            return;
    }
    stream_touch(s);
    decide_close(s);
    s->info.response_code = head->status;
    s->info.tx_first_us = s->w->loop.now_us;
    s->info.res = &head->headers;
    count_answer(s, head->status);
    s->head_sent = true;
    h1_server_head(s, head, end);
}

void stream_res_data(struct stream *s, struct sv bytes)
{
    stream_touch(s);
    s->info.bytes_sent += bytes.n;
    h1_server_data(s, bytes, false);
}

void stream_res_done(struct stream *s, struct headers *trailers)
{
    if (s->ended)
        return;
    h1_server_end(s, s->conf->enable_trailers ? trailers : NULL);
    s->res_done = true;
    if (!s->req_done) {
        stat_inc(s->w->stats, s->conf->st.downstream_rq_response_before_rq_complete);
        stat_inc(s->w->stats, s->conf->st.downstream_rq_rx_reset);
        s->h->close_after = true;
        s->h->linger = true;
    }
    stream_end(s);
}

void stream_res_reset(struct stream *s, uint32_t flags, struct sv details)
{
    if (s->ended)
        return;
    s->info.response_flags |= flags;
    s->info.details = details;
    stat_inc(s->w->stats, s->conf->st.downstream_rq_tx_reset);
    stat_inc(s->w->stats, s->conf->st.downstream_rq_rx_reset);
    s->h->close_after = true;
    s->h->linger = true; /* an answer cut short ends as Envoy ends it */
    stream_end(s);
}

/* ---- the end ---- */

static void close_filters(struct stream *s)
{
    if (s->filters_closed)
        return;
    s->filters_closed = true;
    for (size_t i = 0; i < s->conf->n_filters; i++)
        if (s->conf->filters[i].ops->close != NULL)
            s->conf->filters[i].ops->close(state_of(s, i), s);
}

void stream_end(struct stream *s)
{
    if (s->ended)
        return;
    s->ended = true;
    s->info.end_us = s->w->loop.now_us;
    close_filters(s);
    hcm_stream_over(s->h, s);
    loop_reap_later(&s->w->loop, &s->reap);
}
