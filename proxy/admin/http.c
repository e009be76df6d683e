/* HTTP/1.1 connections of the admin listener: one bufferevent each, requests parsed by net/h1, one
 * answer at a time.
 *
 * libevent's own evhttp is not used: it cannot limit connections (2.1), answers malformed requests
 * with pages of its own, and writes headers in other cases and orders than Envoy, whose answers
 * tools compare. */
#include "proxy/admin/http_int.h"
#include <stdlib.h>
#include <sys/socket.h>

enum {
    REQUEST_ARENA_CHUNK = 16 * 1024,
    REQUEST_ARENA_MAX = 512 << 20, /* a dump of all configuration */
    ANSWER_MAX = 256 << 20,
    ANSWERS_PENDING_MAX = 1 << 20, /* pipelined requests wait while this much is unsent */
    INPUT_MAX = 128 * 1024,        /* read ahead, more than a head may have */
    LINGER_MS = 1000,              /* for the peer to read a last answer and close */
    HEADERS_MAX = 100,
};

static const struct h1_limits limits = {.max_head_bytes = ADMIN_HEAD_MAX,
                                        .max_headers = HEADERS_MAX};

static void conn_free(struct admin_conn *c)
{
    struct admin *a = c->admin;

    void (*after)(void *arg) = c->after;
    admin_stats_closed(a, admin_conn_now_ms(c) - c->opened_ms);
    list_unlink(&c->link);
    event_del(&c->deadline);
    bufferevent_free(c->bev);
    admin_conn_request_end(c);
    free(c);
    admin_conn_gone(a);
    /* The peer left before it had all of the answer: what it asked for is done all the same. */
    if (after != NULL && a->listener != NULL)
        after(a->deps.arg);
}

/* ---- reading ---- */

static void consume(struct admin_conn *c, size_t n)
{
    evbuffer_drain(bufferevent_get_input(c->bev), n);
    stat_add(admin_conn_shard(c), c->admin->st.rx_bytes, n);
}

/* 0: go on; otherwise the status to refuse the request with, and whether that has a body. */
struct verdict {
    unsigned code;
    bool empty, keep;
};

static struct verdict judge_head(const struct h1_head *h)
{
    if (h->minor == 0)
        return (struct verdict){.code = 426};
    if (!headers_has(&h->headers, HDR_HOST))
        return (struct verdict){.code = 400, .empty = true};
    /* No proxy: absolute targets, "*" and CONNECT lead nowhere. */
    if (h->method == H1_CONNECT)
        return (struct verdict){.code = 404, .empty = true};
    if (h->absolute_form || h->target.n == 0 || h->target.p[0] != '/')
        return (struct verdict){
            .code = 404, .empty = true, .keep = h->framing == H1_BODY_NONE && !h->close};
    if (h->framing == H1_BODY_LENGTH && h->content_length > ADMIN_BODY_MAX)
        return (struct verdict){.code = 413};
    return (struct verdict){0};
}

/* The body of a form stands for the query, as in Envoy, whose home page sends it. */
static bool head_is_form(const struct h1_head *h)
{
    const struct header *type = headers_get(&h->headers, HDR_CONTENT_TYPE);
    return type != NULL && sv_istarts(header_value(type), SV("application/x-www-form-urlencoded"));
}

static bool request_begin(struct admin_conn *c)
{
    c->arena = arena_new(REQUEST_ARENA_CHUNK, REQUEST_ARENA_MAX);
    if (c->arena == NULL)
        return false;
    str_init(&c->form, ADMIN_FORM_MAX);
    c->body_bytes = 0;
    h1_parser_init(&c->parser, false, &limits);
    memset(&c->head, 0, sizeof(c->head));
    headers_init(&c->head.headers, c->arena);
    return true;
}

/* What of the head is needed after its bytes are gone. */
static bool keep_head(struct admin_conn *c)
{
    c->method = arena_dup(c->arena, c->head.method_text);
    c->target = arena_dup(c->arena, c->head.target);
    c->is_form = head_is_form(&c->head);
    return c->method.p != NULL && c->target.p != NULL;
}

static void run_request(struct admin_conn *c)
{
    struct admin_reply re = {.code = 200, .content_type = ADMIN_TEXT};
    struct admin_request *rq = ARENA_NEW(c->arena, struct admin_request);

    if (rq == NULL) {
        admin_conn_reply_locally(c, 500, true, true);
        return;
    }
    rq->arena = c->arena;
    rq->method = c->method;
    if (admin_request_parse(c->target, c->is_form ? str_sv(&c->form) : SV_NONE, rq) != OK) {
        admin_conn_reply_locally(c, 500, true, true);
        return;
    }
    str_init(&re.body, ANSWER_MAX);
    admin_answer(c->admin, rq, &re);
    admin_conn_reply(c, &re);
    str_fini(&re.body);
}

/* One step over what has arrived. E_AGAIN: more is needed; OK: go on, unless closing. */
static enum err read_head(struct admin_conn *c, struct evbuffer *in)
{
    size_t n = evbuffer_get_length(in);

    if (n == 0)
        return E_AGAIN;
    if (c->arena == NULL && !request_begin(c)) {
        c->broken = true;
        return OK;
    }
    enum err e = h1_parse_request(&c->parser, (char *)evbuffer_pullup(in, -1), n, &c->head);
    if (c->begun_ms == 0 && (e != E_AGAIN || h1_parser_begun(&c->parser))) {
        c->begun_ms = admin_conn_now_ms(c);
        admin_stats_request(c->admin);
        admin_conn_arm(c, ADMIN_REQUEST_MS);
    }
    if (e == E_AGAIN)
        return e;
    if (e != OK || !keep_head(c)) {
        bool fault = e == E_PROTO || e == E_LIMIT;
        stat_add(admin_conn_shard(c), c->admin->st.protocol_error, fault);
        admin_conn_reply_locally(c, fault ? h1_fault_status(c->parser.fault) : 500, true, true);
        return OK;
    }
    struct verdict v = judge_head(&c->head);
    if (v.code != 0) {
        consume(c, c->head.head_bytes);
        admin_conn_reply_locally(c, v.code, !v.empty, !v.keep);
        return OK;
    }
    h1_body_init(&c->body, &c->head, &limits, NULL);
    bool wants_continue = c->head.expect_continue && c->head.framing != H1_BODY_NONE;
    consume(c, c->head.head_bytes);
    c->state = CONN_BODY;
    if (wants_continue)
        admin_conn_put(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    return OK;
}

static enum err read_body(struct admin_conn *c, struct evbuffer *in)
{
    while (!c->body.done && c->head.framing != H1_BODY_NONE) {
        size_t n = evbuffer_get_length(in), used = 0;
        struct sv data = SV_NONE;
        if (n == 0)
            return E_AGAIN;
        enum err e = h1_body_next(&c->body, (char *)evbuffer_pullup(in, -1), n, &used, &data);
        c->body_bytes += data.n;
        if (c->is_form)
            str_add(&c->form, data);
        consume(c, used);
        if (c->body_bytes > ADMIN_BODY_MAX || c->form.failed) {
            admin_conn_reply_locally(c, 413, true, true);
            return OK;
        }
        if (e == E_PROTO || e == E_LIMIT) {
            stat_inc(admin_conn_shard(c), c->admin->st.protocol_error);
            admin_conn_reply_locally(c, h1_fault_status(c->body.fault), true, true);
            return OK;
        }
        if (e != OK && e != E_AGAIN) {
            admin_conn_reply_locally(c, 500, true, true);
            return OK;
        }
        if (e == E_AGAIN || (used == 0 && !c->body.done))
            return E_AGAIN;
    }
    run_request(c);
    return OK;
}

/* ---- events ---- */

/* Answers what has arrived, as far as the peer takes answers. May free c. */
static void progress(struct admin_conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev), *out = bufferevent_get_output(c->bev);
    enum err e = OK;

    while (e == OK && !c->broken && !c->close_after &&
           evbuffer_get_length(out) <= ANSWERS_PENDING_MAX)
        e = c->state == CONN_HEAD ? read_head(c, in) : read_body(c, in);
    if (c->broken)
        conn_free(c);
}

static void on_read(struct bufferevent *bev, void *arg)
{
    struct admin_conn *c = arg;
    if (c->close_after || c->state == CONN_LINGER)
        consume(c, evbuffer_get_length(bufferevent_get_input(bev)));
    else
        progress(c);
}

/* All of the answers was sent. */
static void on_sent(struct bufferevent *bev, void *arg)
{
    struct admin_conn *c = arg;
    void (*after)(void *) = c->after;

    c->after = NULL;
    if (after != NULL)
        after(c->admin->deps.arg);
    if (c->state == CONN_LINGER)
        return;
    if (!c->close_after) {
        admin_conn_arm(c, c->begun_ms != 0 ? ADMIN_REQUEST_MS : ADMIN_IDLE_MS);
        progress(c);
        return;
    }
    /* Closing at once could reset the connection under an answer that is not read yet. */
    c->state = CONN_LINGER;
    shutdown(bufferevent_getfd(bev), SHUT_WR);
    admin_conn_arm(c, LINGER_MS);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct admin_conn *c = arg;
    bool unsent = evbuffer_get_length(bufferevent_get_output(bev)) > 0;

    /* A client may end its side and wait for the answer. */
    if ((what & BEV_EVENT_EOF) != 0 && unsent && c->state != CONN_LINGER) {
        c->close_after = true;
        return;
    }
    conn_free(c);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    conn_free(arg);
}

void admin_conn_open(struct admin *a, evutil_socket_t take_fd)
{
    struct admin_conn *c = calloc(1, sizeof(*c));
    struct bufferevent *bev = bufferevent_socket_new(a->base, take_fd, BEV_OPT_CLOSE_ON_FREE);

    if (c == NULL || bev == NULL) {
        free(c);
        if (bev != NULL)
            bufferevent_free(bev);
        else
            evutil_closesocket(take_fd);
        admin_conn_gone(a);
        return;
    }
    c->admin = a;
    c->bev = bev;
    c->opened_ms = admin_conn_now_ms(c);
    str_init(&c->form, ADMIN_FORM_MAX);
    list_push_back(&a->conns, &c->link);
    evtimer_assign(&c->deadline, a->base, on_deadline, c);
    bufferevent_setcb(bev, on_read, on_sent, on_event, c);
    bufferevent_setwatermark(bev, EV_READ, 0, INPUT_MAX);
    admin_stats_opened(a);
    admin_conn_arm(c, ADMIN_IDLE_MS);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
}

void admin_conn_close_all(struct admin *a)
{
    list_foreach_safe (it, &a->conns) {
        conn_free(list_entry(it, struct admin_conn, link));
    }
}

struct event *admin_conn_deadline(struct link *link)
{
    return &list_entry(link, struct admin_conn, link)->deadline;
}

size_t admin_conn_pending(struct link *link)
{
    return evbuffer_get_length(
        bufferevent_get_output(list_entry(link, struct admin_conn, link)->bev));
}
