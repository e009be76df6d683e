/* See site.h. */
#include "tests/unit/proxy/http/site.h"
#include <stdio.h>
#include <unistd.h>

struct site site;

/* ---- the filter ---- */

enum { FILTER_NEW, FILTER_OPEN, FILTER_CLOSED }; /* its state */

static enum err filter_open(void *st, const void *conf, struct stream *s)
{
    (void)conf;
    (void)s;
    T_EXPECT(*(unsigned *)st == 0, "states begin zeroed");
    *(unsigned *)st = FILTER_OPEN;
    site.opened++;
    return OK;
}

static void note_head(const struct stream *s)
{
    size_t n = (size_t)snprintf(site.seen, sizeof site.seen, "%.*s %.*s\n", SVF(s->path),
                                SVF(s->authority));
    for (uint32_t i = 0; i < s->req.headers.n && n < sizeof site.seen; i++) {
        const struct header *h = &s->req.headers.v[i];
        n += (size_t)snprintf(site.seen + n, sizeof site.seen - n, "%.*s: %.*s\n",
                              SVF(header_name(h)), SVF(header_value(h)));
    }
    addr_format_ip(s->info.down_remote, site.client_ip, sizeof site.client_ip);
}

static enum err make_head(struct stream *s, struct h1_head *head)
{
    headers_init(&head->headers, s->arena);
    head->status = (uint16_t)site.answer.status;
    return site.answer.length == NULL
               ? OK
               : headers_add(&head->headers, HDR_CONTENT_LENGTH, sv_str(site.answer.length));
}

static void give_answer(struct stream *s)
{
    const struct answer *a = &site.answer;
    site.requests++;
    if (a->local.code != 0) {
        stream_reply(s, &a->local);
        return;
    }
    struct h1_head *head = ARENA_NEW(s->arena, struct h1_head);
    struct headers trailers;
    headers_init(&trailers, s->arena);
    if (head == NULL || make_head(s, head) != OK ||
        (a->trailer != NULL && headers_add_named(&trailers, SV("t"), sv_str(a->trailer)) != OK)) {
        stream_res_reset(s, 0, SV("no_memory"));
        return;
    }
    stream_res_headers(s, head, a->body == NULL);
    if (a->body != NULL && !s->ended)
        stream_res_data(s, sv_str(a->body));
    if (a->reset)
        stream_res_reset(s, 0, SV("cut_off"));
    else
        stream_res_done(s, a->trailer != NULL ? &trailers : NULL);
}

static enum hstep req_headers(void *st, struct stream *s, bool end)
{
    T_EXPECT(*(unsigned *)st == FILTER_OPEN, "opened first");
    note_head(s);
    if (end)
        give_answer(s);
    return H_STOP;
}

static enum hstep req_data(void *st, struct stream *s, struct sv bytes, bool end)
{
    (void)st;
    size_t n = strlen(site.body);
    snprintf(site.body + n, sizeof site.body - n, "%.*s", SVF(bytes));
    if (end)
        give_answer(s);
    return H_CONTINUE;
}

static enum hstep req_trailers(void *st, struct stream *s, struct headers *t)
{
    (void)st;
    snprintf(site.trailers, sizeof site.trailers, "%.*s: %.*s", SVF(header_name(&t->v[0])),
             SVF(header_value(&t->v[0])));
    give_answer(s);
    return H_STOP;
}

static void drained(void *st, struct stream *s)
{
    (void)st;
    (void)s;
}

static void timed_out(void *st, struct stream *s)
{
    (void)st;
    stream_reply(s, &(struct reply){.code = 504});
}

/* A request that is refused early ends before its filters were opened. */
static void filter_close(void *st, struct stream *s)
{
    unsigned *state = st;
    (void)s;
    T_EXPECT(*state != FILTER_CLOSED, "closed once");
    site.closed_filters += *state == FILTER_OPEN;
    *state = FILTER_CLOSED;
}

static const struct http_filter_ops filter = {
    .ext = {.name = "test", .terminal = true},
    .state_size = sizeof(unsigned),
    .open = filter_open,
    .req_headers = req_headers,
    .req_data = req_data,
    .req_trailers = req_trailers,
    .res_drained = drained,
    .timed_out = timed_out,
    .close = filter_close,
};
static const struct http_filter chain = {.ops = &filter};

/* ---- the connection ---- */

static void on_readable(struct conn *c)
{
    (void)c;
    hcm_readable(&site.hcm);
}

static void on_drained(struct conn *c)
{
    (void)c;
    hcm_drained(&site.hcm);
}

static void on_broken(struct conn *c)
{
    (void)c;
    hcm_broken(&site.hcm);
}

static void on_closed(struct hcm *h)
{
    (void)h;
    T_EXPECT(!site.closed, "told once");
    site.closed = true;
}

static const struct conn_ops conn_ops = {
    .readable = on_readable, .drained = on_drained, .broken = on_broken};
static const struct hcm_owner owner = {on_closed};

void site_reset(void)
{
    memset(&site, 0, sizeof site);
    site.client = site.conn.fd = -1;
    site.conf = (struct hcm_conf){
        .stat_prefix = SV("s"),
        .server_name = SV("envoy"),
        .server_header = SERVER_PASS_THROUGH,
        .local_ip = SV("10.0.0.7"),
        .filters = &chain,
        .n_filters = 1,
        .states_size = 16,
        .limits = {.max_head_bytes = 60 * 1024, .max_headers = 100},
        .allow_absolute_url = true,
    };
    T_EXPECT(addr_parse(SV("1.2.3.4:5678"), &site.meta.remote) == OK);
    T_EXPECT(addr_parse(SV("10.0.0.7:80"), &site.meta.local) == OK);
    site.meta.direct_remote = site.meta.remote;
    site.answer = (struct answer){.status = 200, .length = "2", .body = "ok"};
}

bool site_open(void)
{
    int fds[2];
    if (!plane_open() || !plane_publish(NULL) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return false;
    site.client = fds[1];
    if (conn_open(&site.conn, &plane.w.loop, fds[0], false, &conn_ops) != OK)
        return false;
    loop_enter(&plane.w.loop);
    hcm_open(&site.hcm, &site.conf, &plane.w, &site.conn, &site.meta, &owner);
    return true;
}

void site_close(void)
{
    if (!site.closed)
        hcm_abort(&site.hcm);
    loop_leave(&plane.w.loop);
    T_EXPECT(site.closed);
    T_EXPECT_EQ(site.closed_filters, site.opened, "filters closed as often as opened");
    if (site.client >= 0)
        close(site.client);
    plane_close();
}

struct sv site_say(const char *text)
{
    static const char date[] = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    static char got[8192];
    size_t n = 0;
    T_EXPECT(send(site.client, text, strlen(text), 0) == (ssize_t)strlen(text));
    for (int i = 0; i < 4; i++) {
        plane_run();
        ssize_t some = recv(site.client, got + n, sizeof got - n - 8, 0);
        if (some == 0) {
            n += (size_t)snprintf(got + n, sizeof got - n, "<end>");
            break;
        }
        n += some > 0 ? (size_t)some : 0;
    }
    got[n] = '\0';
    for (char *at; (at = strstr(got, date)) != NULL; n -= sizeof date - 1)
        memmove(at, at + sizeof date - 1, strlen(at + sizeof date - 1) + 1);
    return sv_of(got, n);
}

struct sv site_saw(const char *name)
{
    char key[80];
    snprintf(key, sizeof key, "\n%s: ", name);
    const char *at = strstr(site.seen, key);
    if (at == NULL)
        return SV_NONE;
    at += strlen(key);
    return sv_of(at, (size_t)(strchr(at, '\n') - at));
}
