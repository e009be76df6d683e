/* See origin.h. */
#include "tests/unit/proxy/upstream/origin.h"
#include "net/sock.h"
#include <poll.h>
#include <unistd.h>

struct origin origin;
static const struct m_locality nowhere;

bool origin_init(void)
{
    static const struct sock_listen_opts o;
    struct m_thresholds plenty = {
        .max_connections = 1024, .max_pending_requests = 1024, .max_requests = 1024};
    memset(&origin, 0, sizeof origin);
    if (addr_parse(SV("127.0.0.1:0"), &origin.at) != OK ||
        sock_listen(&origin.at, &o, &origin.listener) != OK ||
        sock_local(origin.listener, &origin.at) != OK)
        return false;
    origin.endpoint = (struct m_endpoint){
        .address = {.host = SV("127.0.0.1"), .port = addr_port(&origin.at)},
        .weight = 1,
        .locality = &nowhere
    };
    origin.model = (struct m_cluster){
        .name = SV("c"),
        .stat_name = SV("c"),
        .connect_timeout_ms = 5000,
        .thresholds = {plenty, plenty},
        .endpoints = &origin.endpoint,
        .n_endpoints = 1
    };
    return true;
}

bool origin_open(void)
{
    if (!plane_open() || (origin.wc = plane_cluster(&origin.model)) == NULL)
        return false;
    loop_enter(&plane.w.loop);
    origin.host = wcluster_pick(origin.wc, &(struct pick){NULL});
    return origin.host != NULL;
}

void origin_close(void)
{
    const struct breakers *b = &origin.wc->c->breakers[0];
    struct host *h = host_take(origin.host);
    T_ASSERT(cluster_set_hosts(origin.wc->c, NULL, 0) == OK);
    plane_run();
    T_EXPECT(b->cx == 0 && b->pending == 0 && b->rq == 0, "%u, %u, %u are left", b->cx, b->pending,
             b->rq);
    T_EXPECT_EQ(plane_stat("cluster.c.upstream_cx_active"), 0, "connections");
    T_EXPECT_EQ(plane_stat("cluster.c.upstream_rq_active"), 0, "requests");
    T_EXPECT_EQ(plane_stat("cluster.c.upstream_rq_pending_active"), 0, "waiting requests");
    T_EXPECT(HOST_SUM(h, cx_active) == 0 && HOST_SUM(h, rq_active) == 0, "of the host");
    T_EXPECT_EQ(HOST_SUM(h, rq_total), HOST_SUM(h, rq_success) + HOST_SUM(h, rq_error), "ended");
    plane_close();
    T_EXPECT_EQ(h->refs, 1 + origin.held, "nobody else holds the host");
    host_drop(&h);
    close(origin.listener);
}

/* ---- requests ---- */

static struct ask *ask_of(struct up_request *rq)
{
    return container_of(rq, struct ask, rq);
}

static void add(struct ask *a, const char *before, struct sv text, const char *after)
{
    size_t n = strlen(a->got);
    T_EXPECT(!a->done && !a->was_reset, "an event after the last one");
    snprintf(a->got + n, sizeof a->got - n, "%s%.*s%s", before, SVF(text), after);
}

static void send_head(struct up_request *rq)
{
    struct headers h;
    headers_init(&h, rq->arena);
    T_ASSERT(headers_add(&h, HDR_HOST, SV("h")) == OK);
    upstream_send_head(
        rq, &(struct up_head){.method = SV("GET"), .path = SV("/"), .headers = &h, .end = true});
}

static void interim(struct up_request *rq, unsigned status)
{
    char text[8];
    snprintf(text, sizeof text, "%u ", status);
    add(ask_of(rq), "", sv_str(text), "");
}

static void headers(struct up_request *rq, struct h1_head *head, bool end)
{
    (void)end;
    interim(rq, head->status);
}

static void data(struct up_request *rq, struct sv bytes)
{
    add(ask_of(rq), "", bytes, "");
}

static void done(struct up_request *rq, struct headers *trailers)
{
    if (trailers != NULL)
        add(ask_of(rq), "(", header_value(&trailers->v[0]), ")");
    T_EXPECT(!ask_of(rq)->done && !ask_of(rq)->was_reset);
    ask_of(rq)->done = true;
}

static void reset(struct up_request *rq, enum upstream_reset why, struct sv failure)
{
    struct ask *a = ask_of(rq);
    T_EXPECT(!a->done && !a->was_reset);
    a->was_reset = true;
    a->why = why;
    snprintf(a->failure, sizeof a->failure, "%.*s", SVF(failure));
}

static void drained(struct up_request *rq)
{
    (void)rq;
}

static const struct up_events events = {send_head, interim, headers, data, done, reset, drained};

enum err ask_start(struct ask *a)
{
    *a = (struct ask){
        .rq = {.events = &events, .method = H1_GET}
    };
    a->rq.arena = arena_new(4096, 1 << 20);
    if (a->rq.arena == NULL)
        return E_NOMEM;
    enum err e = upstream_start(origin.wc, origin.host, M_PRIORITY_DEFAULT, &a->rq, &a->now);
    if (e == OK && a->now)
        send_head(&a->rq);
    loop_leave(&plane.w.loop);
    return e;
}

void ask_free(struct ask *a)
{
    arena_free(&a->rq.arena);
}

void ask_wait(const struct ask *a)
{
    bool lively = true;
    while (lively && !a->done && !a->was_reset)
        lively = plane_wait();
    T_EXPECT(a->done || a->was_reset, "no end");
    plane_run();
}

/* ---- the origin ---- */

int origin_accept(void)
{
    struct pollfd p = {.fd = origin.listener, .events = POLLIN};
    for (int i = 0; i < 100 && poll(&p, 1, 100) == 0; i++)
        plane_run();
    return accept(origin.listener, NULL, NULL);
}

bool origin_has_caller(void)
{
    struct pollfd p = {.fd = origin.listener, .events = POLLIN};
    plane_run();
    return poll(&p, 1, 0) == 1;
}

struct sv origin_read(int fd)
{
    static char text[512];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (fd < 0)
        return SV_NONE;
    for (int i = 0; i < 1000 && poll(&p, 1, 10) == 0; i++)
        plane_run();
    ssize_t n = recv(fd, text, sizeof text, MSG_DONTWAIT);
    return sv_of(text, n > 0 ? (size_t)n : 0);
}

void origin_say(int fd, struct sv bytes)
{
    T_EXPECT(send(fd, bytes.p, bytes.n, MSG_NOSIGNAL) == (ssize_t)bytes.n);
}
