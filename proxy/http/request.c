/* What the connection manager does to a request before any filter sees it: refusals, hop-by-hop
 * headers, client address, x-envoy-* hygiene, request id. The order and the rules are Envoy's. */
#define LOG_COMPONENT LOGC_HTTP
#include "base/log.h"
#include "proxy/http/hcm_int.h"

#define BIT(id) (UINT64_C(1) << (id))

/* Never forwarded: they speak of this connection only. */
static const uint64_t hop_by_hop = BIT(HDR_CONNECTION) | BIT(HDR_KEEP_ALIVE) |
                                   BIT(HDR_PROXY_CONNECTION) | BIT(HDR_TRANSFER_ENCODING) |
                                   BIT(HDR_UPGRADE);

/* No client is internal (internal_address_config is empty by default), so none may set these. */
static const uint64_t internal_only =
    BIT(HDR_X_ENVOY_INTERNAL) | BIT(HDR_X_ENVOY_MAX_RETRIES) | BIT(HDR_X_ENVOY_RETRY_ON) |
    BIT(HDR_X_ENVOY_RETRY_GRPC_ON) | BIT(HDR_X_ENVOY_RETRIABLE_STATUS_CODES) |
    BIT(HDR_X_ENVOY_RETRIABLE_HEADER_NAMES) | BIT(HDR_X_ENVOY_UPSTREAM_RQ_TIMEOUT_MS) |
    BIT(HDR_X_ENVOY_UPSTREAM_RQ_PER_TRY_TIMEOUT_MS) |
    BIT(HDR_X_ENVOY_UPSTREAM_RQ_TIMEOUT_ALT_RESPONSE) |
    BIT(HDR_X_ENVOY_UPSTREAM_STREAM_DURATION_MS) | BIT(HDR_X_ENVOY_UPSTREAM_ALT_STAT_NAME) |
    BIT(HDR_X_ENVOY_EXPECTED_RQ_TIMEOUT_MS) | BIT(HDR_X_ENVOY_FORCE_TRACE) |
    BIT(HDR_X_ENVOY_IP_TAGS) | BIT(HDR_X_ENVOY_ORIGINAL_URL) |
    BIT(HDR_X_ENVOY_HEDGE_ON_PER_TRY_TIMEOUT);
/* With use_remote_address the request comes from the edge, which may not speak for a service
 * either. */
static const uint64_t edge_only =
    BIT(HDR_X_ENVOY_DECORATOR_OPERATION) | BIT(HDR_X_ENVOY_ORIGINAL_PATH) |
    BIT(HDR_X_ENVOY_DOWNSTREAM_SERVICE_CLUSTER) | BIT(HDR_X_ENVOY_DOWNSTREAM_SERVICE_NODE);

static bool refuse(struct stream *s, unsigned code, struct sv body, struct sv details)
{
    stream_reply(s, &(struct reply){.code = code, .body = body, .details = details});
    return false;
}

static void close_connection(struct stream *s)
{
    s->h->close_after = true;
    s->h->linger = true;
}

/* ---- the target ---- */

/* Absolute form: its authority replaces Host, its path is the path (RFC 9112 3.2.2). */
static enum err take_target(struct stream *s)
{
    struct h1_head *rq = &s->req;
    const struct header *host = headers_get(&rq->headers, HDR_HOST);
    s->method = rq->method_text;
    s->path = rq->target;
    s->authority = host != NULL ? header_value(host) : SV_NONE;
    if (rq->absolute_form && s->conf->allow_absolute_url) {
        s->path = rq->path;
        s->authority = rq->authority;
        TRY(headers_set(&rq->headers, HDR_HOST, rq->authority));
    } else if (host == NULL && rq->minor == 0 && s->conf->default_host_10.n > 0) {
        s->authority = s->conf->default_host_10;
        TRY(headers_set(&rq->headers, HDR_HOST, s->authority));
    }
    s->info.method = s->method;
    s->info.path = s->path;
    s->info.authority = s->authority;
    return OK;
}

static bool acceptable(struct stream *s)
{
    const struct h1_head *rq = &s->req;
    if (!headers_has(&rq->headers, HDR_HOST)) {
        close_connection(s);
        return refuse(s, 400, SV_NONE, SV("missing_host_header"));
    }
    if (rq->method == H1_CONNECT) {
        s->path = s->info.path = SV_NONE;
        return true;
    }
    if (s->path.n == 0 || s->path.p[0] != '/') {
        stat_inc(s->w->stats, s->conf->st.downstream_rq_non_relative_path);
        return refuse(s, 404, SV_NONE, SV("absolute_path_rejected"));
    }
    if (rq->upgrade && request_upgrades_to_h2c(s))
        s->req.upgrade = false; /* ignored, as Envoy does */
    return true;
}

/* ---- headers ---- */

/* Names listed in Connection go as well; Host among them leaves a request that cannot be routed. */
static enum err drop_nominated(struct stream *s)
{
    struct headers *h = &s->req.headers;
    for (uint32_t i = 0; i < h->n; i++) {
        if (h->v[i].id != HDR_CONNECTION)
            continue;
        struct sv rest = header_value(&h->v[i]), token;
        while (sv_split(&rest, ',', &token)) {
            char lower[128];
            token = sv_trim(token);
            if (token.n == 0 || token.n > sizeof(lower))
                continue;
            for (size_t k = 0; k < token.n; k++)
                lower[k] = ascii_lower(token.p[k]);
            enum hdr_id id = hdr_lookup(lower, token.n);
            if (id != HDR_CONNECTION && id != HDR_CONTENT_LENGTH && id != HDR_TRANSFER_ENCODING &&
                id != HDR_TE)
                headers_remove_named(h, sv_of(lower, token.n));
        }
    }
    return OK;
}

bool request_upgrades_to_h2c(const struct stream *s)
{
    const struct header *to = headers_get(&s->req.headers, HDR_UPGRADE);
    return to != NULL && sv_ieq(header_value(to), SV("h2c"));
}

static bool only_close_or_keep_alive(const struct headers *h)
{
    const struct header *c = headers_get(h, HDR_CONNECTION);
    return c == NULL || sv_ieq(header_value(c), SV("keep-alive")) ||
           sv_ieq(header_value(c), SV("close"));
}

/* Of TE only the promise to take trailers concerns the origin. */
static enum err keep_te_trailers(struct headers *h)
{
    struct sv rest = header_value(headers_get(h, HDR_TE)), token;
    while (sv_split(&rest, ',', &token))
        if (sv_ieq(sv_trim(token), SV("trailers")))
            return headers_set(h, HDR_TE, SV("trailers"));
    headers_remove(h, HDR_TE);
    return OK;
}

static enum err drop_hop_by_hop(struct stream *s)
{
    struct headers *h = &s->req.headers;
    if (UNLIKELY(!only_close_or_keep_alive(h)))
        TRY(drop_nominated(s));
    headers_remove_set(h, hop_by_hop);
    if (UNLIKELY(headers_has(h, HDR_TE)) &&
        !sv_ieq(header_value(headers_get(h, HDR_TE)), SV("trailers")))
        return keep_te_trailers(h);
    return OK;
}

static struct sv ip_text(struct stream *s, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];
    size_t n = addr_format_ip(a, text, sizeof(text));
    return arena_dup(s->arena, sv_of(text, n));
}

static enum err append_xff(struct stream *s, struct sv ip)
{
    struct headers *h = &s->req.headers;
    const struct header *old = headers_get(h, HDR_X_FORWARDED_FOR);
    struct sv v = ip;
    if (old != NULL && old->value_len > 0)
        v = arena_printf(s->arena, "%.*s,%.*s", SVF(header_value(old)), SVF(ip));
    return v.p == NULL ? E_NOMEM : headers_set(h, HDR_X_FORWARDED_FOR, v);
}

/* The n-th address from the right of x-forwarded-for, n from 0. False: there are fewer, or it is no
 * address. */
static bool xff_from_right(const struct headers *h, uint32_t n, struct addr *out)
{
    const struct header *xff = headers_get(h, HDR_X_FORWARDED_FOR);
    if (xff == NULL)
        return false;
    struct sv rest = header_value(xff);
    for (;;) {
        size_t comma = sv_rfind(rest, ',');
        struct sv last = comma == SIZE_MAX ? rest : sv_skip(rest, comma + 1);
        if (n-- == 0)
            return addr_parse_ip(sv_trim(last), 0, out) == OK;
        if (comma == SIZE_MAX)
            return false;
        rest = sv_of(rest.p, comma);
    }
}

static void set_client(struct stream *s, const struct addr *client)
{
    struct addr *copy = arena_alloc(s->arena, sizeof(*copy), _Alignof(struct addr));
    if (copy == NULL)
        return;
    *copy = *client;
    s->info.down_remote = copy;
}

/* Several lines of x-forwarded-for are one list (RFC 9110 5.3). */
static enum err join_xff(struct stream *s)
{
    struct headers *h = &s->req.headers;
    struct sv all = SV_NONE;
    for (uint32_t i = 0; i < h->n; i++) {
        if (h->v[i].id != HDR_X_FORWARDED_FOR)
            continue;
        struct sv v = header_value(&h->v[i]);
        all = all.p == NULL ? v : arena_printf(s->arena, "%.*s,%.*s", SVF(all), SVF(v));
        if (all.p == NULL)
            return E_NOMEM;
    }
    return headers_set(h, HDR_X_FORWARDED_FOR, all);
}

static enum err client_address(struct stream *s)
{
    const struct hcm_conf *conf = s->conf;
    struct headers *h = &s->req.headers;
    if (UNLIKELY(headers_has(h, HDR_X_FORWARDED_FOR)))
        TRY(join_xff(s));
    const struct addr *peer = &s->h->meta->remote;
    struct addr client = *peer;
    if (!conf->use_remote_address) {
        if (xff_from_right(h, conf->xff_hops, &client))
            set_client(s, &client);
        return OK;
    }
    if (conf->xff_hops > 0 && xff_from_right(h, conf->xff_hops - 1, &client))
        set_client(s, &client);
    if (conf->skip_xff_append)
        return OK;
    /* A client on this host is known to others by the host's address. */
    struct sv ip = addr_is_loopback(peer) ? conf->local_ip : ip_text(s, peer);
    return ip.p == NULL ? E_NOMEM : append_xff(s, ip);
}

static enum err external_address(struct stream *s)
{
    if (!s->conf->use_remote_address)
        return OK;
    struct sv external = ip_text(s, s->info.down_remote);
    return external.p == NULL
               ? E_NOMEM
               : headers_set(&s->req.headers, HDR_X_ENVOY_EXTERNAL_ADDRESS, external);
}

static enum err forwarded_proto(struct stream *s)
{
    struct headers *h = &s->req.headers;
    const struct hcm_conf *conf = s->conf;
    if ((conf->use_remote_address && conf->xff_hops == 0) || !headers_has(h, HDR_X_FORWARDED_PROTO))
        return headers_set(h, HDR_X_FORWARDED_PROTO, SV("http"));
    return OK;
}

static enum err request_id(struct stream *s)
{
    const struct hcm_conf *conf = s->conf;
    struct headers *h = &s->req.headers;
    bool edge = conf->use_remote_address;
    if (!conf->generate_request_id)
        return OK;
    if (headers_has(h, HDR_X_REQUEST_ID) && !(edge && !conf->preserve_external_request_id))
        return OK;
    char *id = arena_alloc(s->arena, 36, 1);
    if (id == NULL)
        return E_NOMEM;
    rng_uuid4(&s->w->loop.rng, id);
    return headers_set(h, HDR_X_REQUEST_ID, sv_of(id, 36));
}

static enum err name_us(struct stream *s)
{
    const struct hcm_conf *conf = s->conf;
    struct headers *h = &s->req.headers;
    if (conf->user_agent.n > 0) {
        TRY(headers_set(h, HDR_X_ENVOY_DOWNSTREAM_SERVICE_CLUSTER, conf->user_agent));
        const struct header *ua = headers_get(h, HDR_USER_AGENT);
        if (ua == NULL || ua->value_len == 0)
            TRY(headers_set(h, HDR_USER_AGENT, conf->user_agent));
        if (conf->node_id.n > 0)
            TRY(headers_set(h, HDR_X_ENVOY_DOWNSTREAM_SERVICE_NODE, conf->node_id));
    }
    if (conf->via.n == 0)
        return OK;
    const struct header *old = headers_get(h, HDR_VIA);
    struct sv v = conf->via;
    if (old != NULL)
        v = arena_printf(s->arena, "%.*s, %.*s", SVF(header_value(old)), SVF(conf->via));
    return v.p == NULL ? E_NOMEM : headers_set(h, HDR_VIA, v);
}

static enum err mutate(struct stream *s)
{
    struct headers *h = &s->req.headers;
    TRY(client_address(s));
    TRY(forwarded_proto(s));
    TRY(external_address(s));
    headers_remove_set(h, s->conf->use_remote_address ? internal_only | edge_only : internal_only);
    TRY(name_us(s));
    return request_id(s);
}

bool request_prepare(struct stream *s)
{
    if (UNLIKELY(take_target(s) != OK))
        return refuse(s, 500, SV_NONE, SV("out_of_memory"));
    if (UNLIKELY(s->req.expect_continue) && !s->req_done) {
        h1_server_continue(s);
        headers_remove(&s->req.headers, HDR_EXPECT);
    }
    if (UNLIKELY(!acceptable(s)))
        return false;
    enum err e = drop_hop_by_hop(s);
    if (UNLIKELY(!headers_has(&s->req.headers, HDR_HOST))) { /* Connection named it */
        s->info.authority = SV_NONE;
        close_connection(s);
        return refuse(s, 400, SV_NONE, SV("missing_host_header"));
    }
    if (UNLIKELY(e != OK || mutate(s) != OK)) {
        close_connection(s);
        return refuse(s, 431, SV("Request Header Fields Too Large"), SV("out_of_memory"));
    }
    return true;
}

bool hcm_connection_header_ok(const struct headers *h)
{
    static const struct sv refused[] = {
        {"x-forwarded-for",   15},
        {"x-forwarded-host",  16},
        {"x-forwarded-proto", 17}
    };
    if (LIKELY(only_close_or_keep_alive(h)))
        return true;
    for (uint32_t i = 0; i < h->n; i++) {
        if (h->v[i].id != HDR_CONNECTION)
            continue;
        struct sv rest = header_value(&h->v[i]), token;
        while (sv_split(&rest, ',', &token))
            for (size_t k = 0; k < ARRAY_LEN(refused); k++)
                if (sv_ieq(sv_trim(token), refused[k]))
                    return false;
    }
    return true;
}
