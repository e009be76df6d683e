/* The router: the terminal HTTP filter. Matches the route, picks cluster and host, sends the
 * request, hands the answer back. Source: envoy.extensions.filters.http.router.v3.Router. */
#define LOG_COMPONENT LOGC_ROUTER
#include "base/log.h"
#include "envoy/extensions/filters/http/router/v3/router.pb-c.h"
#include "proxy/http/hcm_int.h"
#include "proxy/http/route_match.h"

struct router_conf {
    bool suppress_envoy_headers;
    bool dynamic_stats;
};

struct router {
    struct up_request rq; /* first: events give it back */
    struct stream *s;
    const struct router_conf *conf;
    const struct m_route *route;
    struct wcluster *wc;
    struct host *host;
    struct up_head head;
    struct buf early; /* body that came before the connection */
    bool early_end;
    uint64_t sent_us; /* the request was completely sent */
    bool started;     /* upstream_start succeeded and the request is not over */
    bool head_sent, answered;
};

static enum err conf(const struct any_view *in, struct model_build *b, const void **out,
                     struct diag *d)
{
    const ProtobufCMessage *msg = NULL;
    struct router_conf *c = ARENA_NEW(b->arena, struct router_conf);
    if (c == NULL)
        return diag_fail(d, E_NOMEM, "out of memory");
    TRY(model_unpack(b, in, &envoy__extensions__filters__http__router__v3__router__descriptor, &msg,
                     d));
    const Envoy__Extensions__Filters__Http__Router__V3__Router *r = (const void *)msg;
    c->suppress_envoy_headers = r->suppress_envoy_headers;
    c->dynamic_stats = r->dynamic_stats == NULL || r->dynamic_stats->value;
    *out = c;
    return OK;
}

static enum err open_state(void *st, const void *cf, struct stream *s)
{
    struct router *r = st;
    r->s = s;
    r->conf = cf;
    return OK;
}

static bool is_internal(const struct router *r)
{
    return r->s->is_internal;
}

/* Envoy counts the codes it answers itself on the cluster's account, when one was chosen. */
static void count_code(struct router *r, unsigned code)
{
    if (r->conf->dynamic_stats)
        cluster_count_code(r->wc, code, is_internal(r), false);
}

static enum hstep reply(struct router *r, const struct reply *rep)
{
    stream_reply(r->s, rep);
    return H_STOP;
}

/* ---- towards the upstream ---- */

static enum err rewrite(struct router *r)
{
    struct stream *s = r->s;
    const struct m_route *rt = r->route;
    struct headers *h = &s->req.headers;
    r->head.path = s->path;
    if (rt->has_prefix_rewrite) {
        TRY(route_rewrite_path(rt, s->path, s->arena, &r->head.path));
        if (!r->conf->suppress_envoy_headers)
            TRY(headers_set(h, HDR_X_ENVOY_ORIGINAL_PATH, s->path));
        s->info.path = r->head.path;
    }
    if (rt->host_rewrite_literal.n > 0) {
        if (!r->conf->suppress_envoy_headers)
            TRY(headers_set_named(h, SV("x-envoy-original-host"), s->authority));
        TRY(headers_set(h, HDR_HOST, rt->host_rewrite_literal));
        s->info.authority = rt->host_rewrite_literal;
    }
    return OK;
}

static struct sv decimal(struct arena *a, uint64_t v)
{
    char *p = arena_alloc(a, 20, 1);
    if (p == NULL)
        return SV_NONE;
    size_t at = 20;
    do
        p[--at] = (char)('0' + v % 10);
    while ((v /= 10) != 0);
    return sv_of(p + at, 20 - at);
}

static enum err prepare(struct router *r)
{
    struct stream *s = r->s;
    struct headers *h = &s->req.headers;
    if (r->route->timeout_ms > 0 && !r->conf->suppress_envoy_headers) {
        struct sv ms = decimal(s->arena, r->route->timeout_ms);
        if (ms.p == NULL)
            return E_NOMEM;
        TRY(headers_set(h, HDR_X_ENVOY_EXPECTED_RQ_TIMEOUT_MS, ms));
    }
    TRY(rewrite(r));
    /* Envoy tells the origin that no body follows where a method usually has one. */
    if (s->req.framing == H1_BODY_NONE && !headers_has(h, HDR_CONTENT_LENGTH) &&
        s->req.method != H1_GET && s->req.method != H1_HEAD && s->req.method != H1_DELETE &&
        s->req.method != H1_TRACE && s->req.method != H1_CONNECT)
        TRY(headers_add(h, HDR_CONTENT_LENGTH, SV("0")));
    r->head.method = s->method;
    r->head.headers = h;
    r->head.framing = s->req.framing;
    r->head.end = s->req.framing == H1_BODY_NONE;
    return OK;
}

static void request_sent(struct router *r)
{
    r->sent_us = r->s->w->loop.now_us;
    r->s->info.up_tx_last_us = r->sent_us;
}

static void throttle_request(struct router *r, size_t queued)
{
    if (queued > r->s->conf->buffer_limit) {
        stat_inc(r->s->w->stats, r->wc->c->st.upstream_flow_control_backed_up_total);
        stream_pause_request(r->s);
    }
}

/* The body that waited for the connection, as it came: one chunk when the request is chunked. */
static void send_early(struct router *r)
{
    struct slab_pool *slabs = r->s->w->loop.slabs;
    while (r->early.n > 0) {
        struct iovec iov;
        if (buf_iov(&r->early, &iov, 1) == 0)
            break;
        bool end = r->early_end && iov.iov_len == r->early.n;
        upstream_send_data(&r->rq, sv_of(iov.iov_base, iov.iov_len), end);
        buf_drain(slabs, &r->early, iov.iov_len);
    }
    if (r->early_end) {
        if (!r->rq.sent_all)
            upstream_send_end(&r->rq, r->s->conf->enable_trailers ? &r->s->req_trailers : NULL);
        request_sent(r);
    } else if (upstream_queued(&r->rq) == 0) {
        stream_resume_request(r->s);
    }
}

static void send_head(struct router *r)
{
    struct stream *s = r->s;
    r->head_sent = true;
    s->info.up_tx_first_us = s->w->loop.now_us;
    s->info.up_protocol = PROTO_HTTP11;
    const struct addr *local = upstream_local(&r->rq);
    if (local != NULL) {
        s->up_local = *local;
        s->info.up_local = &s->up_local;
    }
    upstream_send_head(&r->rq, &r->head);
    if (r->head.end)
        request_sent(r);
    else if (UNLIKELY(r->early.n > 0 || r->early_end))
        send_early(r);
}

static const struct reply no_healthy_upstream = {
    .code = 503,
    .body = {"no healthy upstream", 19},
    .details = {"no_healthy_upstream", 19},
    .flags = RF_NO_HEALTHY_UPSTREAM,
};

static enum hstep overflow(struct router *r)
{
    count_code(r, 503);
    return reply(
        r, &(struct reply){.code = 503,
                           .body = SV("upstream connect error or disconnect/reset before headers. "
                                      "reset reason: overflow"),
                           .details = SV("upstream_reset_before_response_started{overflow}"),
                           .flags = RF_UPSTREAM_OVERFLOW,
                           .overloaded = !r->conf->suppress_envoy_headers});
}

static void on_reset(struct up_request *rq, enum upstream_reset why, struct sv failure);
static const struct up_events events;

static enum hstep start(struct router *r)
{
    struct stream *s = r->s;
    const struct conn_meta *m = s->h->meta;
    struct pick p = {.original_dst = m->restored ? &m->local : NULL};
    s->info.attempts = 1;
    r->host = wcluster_pick(r->wc, &p);
    if (r->host == NULL) {
        stat_inc(s->w->stats, r->wc->c->st.upstream_cx_none_healthy);
        count_code(r, 503);
        return reply(r, &no_healthy_upstream);
    }
    s->up_addr = r->host->addr;
    s->info.up_host = &s->up_addr;
    if (s->conf->n_logs > 0 && r->host->hostname.n > 0)
        s->info.up_host_name = arena_dup(s->arena, r->host->hostname);
    r->rq.events = &events;
    r->rq.arena = s->arena;
    r->rq.method = s->req.method;
    bool ready;
    r->started = true;
    enum err e = upstream_start(r->wc, r->host, r->route->priority, &r->rq, &ready);
    if (LIKELY(e == OK)) {
        if (ready)
            send_head(r);
        return H_STOP;
    }
    r->started = false;
    if (e == E_LIMIT) {
        if (!ready) /* it never came as far as a connection */
            s->info.up_host = NULL;
        return overflow(r);
    }
    on_reset(&r->rq, UPR_LOCAL_CONNECTION_FAILURE, SV_NONE);
    return H_STOP;
}

static enum hstep no_cluster(struct router *r)
{
    stat_inc(r->s->w->stats, r->s->conf->st.no_cluster);
    return reply(r, &(struct reply){.code = r->route->cluster_not_found_code,
                                    .details = SV("cluster_not_found"),
                                    .flags = RF_NO_CLUSTER_FOUND});
}

static enum hstep direct(struct router *r)
{
    struct stream *s = r->s;
    struct sv location = SV_NONE;
    stat_inc(s->w->stats, s->conf->st.rq_direct_response);
    if (r->route->direct_status == 201)
        location = arena_printf(s->arena, "http://%.*s%.*s", SVF(s->authority), SVF(s->path));
    return reply(r, &(struct reply){.code = r->route->direct_status,
                                    .body = r->route->direct_body,
                                    .details = SV("direct_response"),
                                    .location = location});
}

static enum hstep req_headers(void *st, struct stream *s, bool end)
{
    struct router *r = st;
    (void)end;
    struct route_hit hit = route_match(s->conf->routes, s->authority, s->path);
    if (LIKELY(!s->req.upgrade))
        stat_inc(s->w->stats, s->conf->st.rq_total);
    s->vhost = hit.vhost;
    r->route = hit.route;
    if (UNLIKELY(r->route == NULL ||
                 s->req.method == H1_CONNECT)) { /* CONNECT needs a matcher of its own */
        stat_inc(s->w->stats, s->conf->st.no_route);
        return reply(r, &(struct reply){.code = 404,
                                        .details = SV("route_not_found"),
                                        .flags = RF_NO_ROUTE_FOUND});
    }
    s->info.route_name = r->route->name;
    s->info.vhost = s->vhost->name;
    if (r->route->action == M_ACTION_DIRECT_RESPONSE)
        return direct(r);
    uint64_t random = r->route->n_clusters > 1 ? rng_u64(&s->w->loop.rng) : 0;
    const struct m_weighted_cluster *c = route_pick_cluster(r->route, random);
    if (UNLIKELY(c->cluster_index == UINT32_MAX))
        return no_cluster(r);
    r->wc = s->lease->clusters[c->cluster_index];
    s->info.cluster = r->wc->c->m->stat_name;
    s->info.cluster_raw = r->wc->c->m->name;
    if (UNLIKELY(s->req.upgrade)) {
        stat_inc(s->w->stats, s->conf->st.downstream_rq_ws_on_non_ws_route);
        return reply(r, &(struct reply){.code = 403, .details = SV("upgrade_failed")});
    }
    if (UNLIKELY(prepare(r) != OK))
        return reply(r, &(struct reply){.code = 500, .details = SV("out_of_memory")});
    if (r->route->has_idle_timeout)
        stream_set_idle_timeout(s, r->route->idle_timeout_ms);
    stream_set_route_timeout(s, r->route->timeout_ms);
    return start(r);
}

static enum hstep req_data(void *st, struct stream *s, struct sv bytes, bool end)
{
    struct router *r = st;
    if (!r->started)
        return H_STOP;
    if (UNLIKELY(!r->head_sent)) {
        if (buf_add(s->w->loop.slabs, &r->early, bytes) != OK)
            return reply(r, &(struct reply){.code = 503, .details = SV("out_of_memory")});
        r->early_end = end;
        throttle_request(r, r->early.n);
        return H_CONTINUE;
    }
    upstream_send_data(&r->rq, bytes, end);
    if (end)
        request_sent(r);
    else
        throttle_request(r, upstream_queued(&r->rq));
    return H_CONTINUE;
}

static enum hstep req_trailers(void *st, struct stream *s, struct headers *trailers)
{
    struct router *r = st;
    (void)s;
    r->early_end = true;
    if (r->started && r->head_sent) {
        upstream_send_end(&r->rq, trailers);
        request_sent(r);
    }
    return H_CONTINUE;
}

/* ---- events of the upstream ---- */

static void on_ready(struct up_request *rq)
{
    send_head((struct router *)rq);
}

static void on_interim(struct up_request *rq, unsigned status)
{
    count_code((struct router *)rq, status);
}

/* What belongs to the connection to the origin stays there. The rest of what Connection names is
 * kept, as Envoy does. */
static const uint64_t answer_hop_by_hop =
    UINT64_C(1) << HDR_CONNECTION | UINT64_C(1) << HDR_KEEP_ALIVE |
    UINT64_C(1) << HDR_PROXY_CONNECTION | UINT64_C(1) << HDR_UPGRADE;

static void on_headers(struct up_request *rq, struct h1_head *head, bool end)
{
    struct router *r = (struct router *)rq;
    struct stream *s = r->s;
    struct headers *h = &head->headers;
    uint64_t now = s->w->loop.now_us;
    r->answered = true;
    s->info.up_rx_first_us = now;
    s->info.details = SV("via_upstream");
    const struct header *canary = headers_get(h, HDR_X_ENVOY_UPSTREAM_CANARY);
    if (r->conf->dynamic_stats)
        cluster_count_code(r->wc, head->status, is_internal(r),
                           canary != NULL && sv_eq(header_value(canary), SV("true")));
    headers_remove_set(h, answer_hop_by_hop);
    if (!r->conf->suppress_envoy_headers && s->req_done) {
        struct sv ms = decimal(s->arena, (now - s->info.rx_end_us) / 1000);
        if (ms.p == NULL || headers_set(h, HDR_X_ENVOY_UPSTREAM_SERVICE_TIME, ms) != OK) {
            stream_res_reset(s, RF_OVERLOAD_MANAGER, SV("out_of_memory"));
            return;
        }
    }
    stream_res_headers(s, head, end);
}

static void on_data(struct up_request *rq, struct sv bytes)
{
    struct router *r = (struct router *)rq;
    stream_res_data(r->s, bytes);
    if (UNLIKELY(stream_queued(r->s) > r->s->conf->buffer_limit))
        upstream_pause(rq);
}

static void take_wire_counts(struct router *r)
{
    r->s->info.up_wire_sent = upstream_wire_sent(&r->rq);
    r->s->info.up_wire_received = upstream_wire_received(&r->rq);
}

static void on_done(struct up_request *rq, struct headers *trailers)
{
    struct router *r = (struct router *)rq;
    struct stream *s = r->s;
    r->started = false;
    s->info.up_rx_last_us = s->w->loop.now_us;
    take_wire_counts(r);
    if (r->sent_us != 0)
        stat_record(s->w->stats, r->wc->c->st.upstream_rq_time,
                    (s->w->loop.now_us - r->sent_us) / 1000);
    stream_res_done(s, trailers);
}

struct reset_reply {
    uint16_t code;
    uint32_t flag;
};

static const struct reset_reply reset_replies[] = {
    [UPR_NONE] = {503, RF_UPSTREAM_CONNECTION_TERMINATION},
    [UPR_OVERFLOW] = {503, RF_UPSTREAM_OVERFLOW              },
    [UPR_LOCAL_CONNECTION_FAILURE] = {503, RF_UPSTREAM_CONNECTION_FAILURE    },
    [UPR_REMOTE_CONNECTION_FAILURE] = {503, RF_UPSTREAM_CONNECTION_FAILURE    },
    [UPR_CONNECTION_TIMEOUT] = {503, RF_UPSTREAM_CONNECTION_FAILURE    },
    [UPR_CONNECTION_TERMINATION] = {503, RF_UPSTREAM_CONNECTION_TERMINATION},
    [UPR_REMOTE_RESET] = {503, RF_UPSTREAM_REMOTE_RESET          },
    [UPR_LOCAL_RESET] = {503, RF_LOCAL_RESET                    },
    [UPR_PROTOCOL_ERROR] = {502, RF_UPSTREAM_PROTOCOL_ERROR        },
};

/* "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}"
 */
static struct sv reset_details(struct stream *s, const char *stage, enum upstream_reset why,
                               struct sv failure)
{
    struct sv f = failure.n > 0 ? failure : SV("");
    struct sv t = arena_printf(s->arena, "%s{%s%s%.*s}", stage, upstream_reset_text(why),
                               f.n > 0 ? "|" : "", SVF(f));
    if (t.p == NULL)
        return SV("upstream_reset_before_response_started");
    char *p = (char *)(uintptr_t)t.p;
    for (size_t i = 0; i < t.n; i++)
        if (p[i] == ' ')
            p[i] = '_';
    return t;
}

static void on_reset(struct up_request *rq, enum upstream_reset why, struct sv failure)
{
    struct router *r = (struct router *)rq;
    struct stream *s = r->s;
    const struct reset_reply *a = &reset_replies[why];
    r->started = false;
    take_wire_counts(r);
    if (failure.n > 0)
        s->info.transport_failure = arena_dup(s->arena, failure);
    if (r->answered) {
        stream_res_reset(s, a->flag,
                         reset_details(s, "upstream_reset_after_response_started", why, SV_NONE));
        return;
    }
    count_code(r, a->code);
    struct sv body = arena_printf(s->arena,
                                  "upstream connect error or disconnect/reset before headers. "
                                  "reset reason: %s",
                                  upstream_reset_text(why));
    stream_reply(
        s, &(struct reply){
               .code = a->code,
               .body = body.p != NULL ? body : SV_NONE,
               .details = reset_details(s, "upstream_reset_before_response_started", why, failure),
               .flags = a->flag,
               .overloaded = why == UPR_OVERFLOW && !r->conf->suppress_envoy_headers});
}

static void on_drained(struct up_request *rq)
{
    struct router *r = (struct router *)rq;
    if (!r->s->req_done && r->head_sent) {
        stat_inc(r->s->w->stats, r->wc->c->st.upstream_flow_control_drained_total);
        stream_resume_request(r->s);
    }
}

static const struct up_events events = {
    .ready = on_ready,
    .interim = on_interim,
    .headers = on_headers,
    .data = on_data,
    .done = on_done,
    .reset = on_reset,
    .drained = on_drained,
};

/* ---- events of the stream ---- */

static void res_drained(void *st, struct stream *s)
{
    struct router *r = st;
    (void)s;
    if (r->started)
        upstream_resume(&r->rq);
}

static void timed_out(void *st, struct stream *s)
{
    struct router *r = st;
    if (!r->started)
        return;
    stat_inc(s->w->stats, r->wc->c->st.upstream_rq_timeout);
    take_wire_counts(r);
    upstream_cancel(&r->rq, true);
    r->started = false;
    if (!r->answered)
        count_code(r, 504);
    stream_reply(s, &(struct reply){.code = 504,
                                    .body = SV("upstream request timeout"),
                                    .details = SV("response_timeout"),
                                    .flags = RF_UPSTREAM_REQUEST_TIMEOUT});
}

static void close_state(void *st, struct stream *s)
{
    struct router *r = st;
    buf_clear(s->w->loop.slabs, &r->early);
    if (!r->started)
        return;
    take_wire_counts(r);
    upstream_cancel(&r->rq, false);
    r->started = false;
}

const struct http_filter_ops router_filter = {
    .ext = {.name = "envoy.filters.http.router",
            .type_url = "envoy.extensions.filters.http.router.v3.Router",
            .terminal = true,
            .conf = conf},
    .state_size = sizeof(struct router),
    .open = open_state,
    .req_headers = req_headers,
    .req_data = req_data,
    .req_trailers = req_trailers,
    .res_drained = res_drained,
    .timed_out = timed_out,
    .close = close_state,
};
