/* Answers that weft gives itself, in Envoy's shape; for a gRPC request the status is in the
 * headers. */
#include "proxy/http/hcm_int.h"

static const struct sv text_plain = {"text/plain", 10};
static const struct sv grpc_type = {"application/grpc", 16};

static bool is_grpc(const struct stream *s)
{
    const struct header *type = headers_get(&s->req.headers, HDR_CONTENT_TYPE);
    if (LIKELY(type == NULL))
        return false;
    struct sv v = header_value(type);
    return sv_istarts(v, grpc_type) && (v.n == grpc_type.n || v.p[grpc_type.n] == '+');
}

/* The table of gRPC's HTTP mapping, as Envoy applies it. */
static struct sv grpc_status(unsigned code)
{
    switch (code) {
    case 400:
        return SV("13");
    case 401:
        return SV("16");
    case 403:
        return SV("7");
    case 404:
        return SV("12");
    case 429:
    case 502:
    case 503:
    case 504:
        return SV("14");
    default:
        return SV("2");
    }
}

/* grpc-message is percent-encoded outside printable ASCII. p is NULL without memory. */
static struct sv grpc_message(struct arena *a, struct sv text)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = arena_alloc(a, text.n * 3, 1);
    size_t n = 0;
    if (out == NULL)
        return SV_NONE;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x20 && c <= 0x7e && c != '%') {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '%';
        out[n++] = hex[c >> 4];
        out[n++] = hex[c & 15];
    }
    return sv_of(out, n);
}

static enum err grpc_headers(struct stream *s, const struct reply *r, struct headers *h)
{
    TRY(headers_add(h, HDR_CONTENT_TYPE, grpc_type));
    TRY(headers_add(h, HDR_GRPC_STATUS, grpc_status(r->code)));
    if (r->body.n == 0)
        return OK;
    struct sv message = grpc_message(s->arena, r->body);
    return message.p == NULL ? E_NOMEM : headers_add_named(h, SV("grpc-message"), message);
}

static enum err plain_headers(struct stream *s, const struct reply *r, struct headers *h)
{
    if (r->location.n > 0)
        TRY(headers_add(h, HDR_LOCATION, r->location));
    if (r->body.n == 0)
        return OK;
    struct sv length = arena_printf(s->arena, "%zu", r->body.n);
    if (length.p == NULL)
        return E_NOMEM;
    TRY(headers_add(h, HDR_CONTENT_LENGTH, length));
    return headers_add(h, HDR_CONTENT_TYPE, text_plain);
}

static enum err make_head(struct stream *s, const struct reply *r, bool grpc, struct h1_head *head)
{
    headers_init(&head->headers, s->arena);
    if (r->overloaded)
        TRY(headers_add(&head->headers, HDR_X_ENVOY_OVERLOADED, SV("true")));
    TRY(grpc ? grpc_headers(s, r, &head->headers) : plain_headers(s, r, &head->headers));
    head->status = grpc ? 200 : (uint16_t)r->code;
    return OK;
}

void stream_reply(struct stream *s, const struct reply *r)
{
    if (s->ended)
        return;
    s->info.response_flags |= r->flags;
    if (s->head_sent) {
        stream_res_reset(s, 0, r->details);
        return;
    }
    s->info.details = r->details;
    bool grpc = is_grpc(s);
    struct sv body = grpc ? SV_NONE : r->body;
    struct h1_head *head = ARENA_NEW(s->arena, struct h1_head);
    if (head == NULL || make_head(s, r, grpc, head) != OK) {
        stream_res_reset(s, RF_OVERLOAD_MANAGER, SV("out_of_memory"));
        return;
    }
    /* A request whose body was not read leaves the connection in no state to go on. */
    if (!s->req_done) {
        s->h->close_after = true;
        s->h->linger = true;
        stat_inc(s->w->stats, s->conf->st.downstream_rq_response_before_rq_complete);
        stat_inc(s->w->stats, s->conf->st.downstream_rq_rx_reset);
    }
    stream_res_headers(s, head, body.n == 0);
    if (body.n > 0 && !s->is_head)
        stream_res_data(s, body);
    h1_server_end(s, NULL);
    s->res_done = true;
    stream_end(s);
}
