/* The protocol of the admin server: bytes in, bytes out. The answers are those of a real
 * Envoy 1.40, except that HEAD gets no body. */
#include "proxy/admin/admin_int.h"
#include "site.h"
#include "tests/support/failmalloc.h"
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Keeps the rows of wide tables within the line. */
#define ROW(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

#define DATE "date: Tue, 24 Nov 2026 10:23:27 GMT\r\nserver: envoy\r\n"
#define HEAD_200                                                                                   \
    "HTTP/1.1 200 OK\r\ncontent-type: text/plain; charset=UTF-8\r\n"                               \
    "cache-control: no-cache, max-age=0\r\nx-content-type-options: nosniff\r\n" DATE
#define LIVE HEAD_200 "transfer-encoding: chunked\r\n\r\n5\r\nLIVE\n\r\n0\r\n\r\n"
#define OK_3 HEAD_200 "transfer-encoding: chunked\r\n\r\n3\r\nOK\n\r\n0\r\n\r\n"
#define LOCAL(code, text, n)                                                                       \
    "HTTP/1.1 " code " " text "\r\ncontent-length: " n "\r\ncontent-type: text/plain\r\n" DATE     \
    "connection: close\r\n\r\n" text

static const struct {
    const char *request, *want;
} rows[] = {
    ROW("GET /ready HTTP/1.1\r\nhost: x\r\n\r\n", LIVE),
    ROW("PUT /ready HTTP/1.1\r\nhost: x\r\n\r\n", LIVE),
    ROW("HEAD /ready HTTP/1.1\r\nhost: x\r\n\r\n", HEAD_200 "transfer-encoding: chunked\r\n\r\n"),
    ROW("GET /ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        HEAD_200 "connection: close\r\ntransfer-encoding: chunked\r\n\r\n5\r\nLIVE\n\r\n0\r\n\r\n"),
    ROW("GET /ready HTTP/1.1\r\nhost: x\r\n\r\nGET /ready HTTP/1.1\r\nhost: x\r\n\r\n", LIVE LIVE),
    ROW("POST /ready HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabcGET /ready "
        "HTTP/1.1\r\nhost: "
        "x\r\n\r\n",
        LIVE LIVE),
    ROW("POST /healthcheck/ok HTTP/1.1\r\nhost: x\r\ntransfer-encoding: "
        "chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        OK_3),
    ROW("POST /ready HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\nx",
        "HTTP/1.1 100 Continue\r\n\r\n" LIVE),
    ROW("GET /ready HTTP/1.1\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\n" DATE "connection: close\r\ncontent-length: 0\r\n\r\n"),
    ROW("GET /ready HTTP/1.0\r\n\r\n", LOCAL("426", "Upgrade Required", "16")),
    ROW("FOO /ready HTTP/1.1\r\nhost: x\r\n\r\n", LOCAL("400", "Bad Request", "11")),
    ROW("garbage\r\n\r\n", LOCAL("400", "Bad Request", "11")),
    ROW("GET ready HTTP/1.1\r\nhost: x\r\n\r\n", LOCAL("400", "Bad Request", "11")),
    ROW("POST /ready HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        LOCAL("400", "Bad Request", "11")),
    ROW("GET http://h/ready HTTP/1.1\r\nhost: x\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\n" DATE "content-length: 0\r\n\r\n"),
    ROW("OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\n" DATE "content-length: 0\r\n\r\n"),
    ROW("CONNECT x:1 HTTP/1.1\r\nhost: x:1\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\n" DATE "connection: close\r\ncontent-length: 0\r\n\r\n"),
    ROW("POST /ready HTTP/1.1\r\nhost: x\r\ncontent-length: 1048577\r\n\r\n",
        LOCAL("413", "Payload Too Large", "17")),
    ROW("GET /logging HTTP/1.1\r\nhost: x\r\n\r\n",
        "HTTP/1.1 405 Method Not Allowed\r\ncontent-type: text/plain; charset=UTF-8\r\n"
        "cache-control: no-cache, max-age=0\r\nx-content-type-options: nosniff\r\n" DATE
        "transfer-encoding: chunked\r\n\r\n26\r\nMethod GET not allowed, POST "
        "required.\r\n0\r\n\r\n"),
};

T(admin_http, bytes)
{
    struct site s;
    site_open(&s);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        T_EXPECT_SV(site_talk(&s, sv_str(rows[i].request)), sv_str(rows[i].want), rows[i].request);
    site_close(&s);
}

static bool wait_for(struct site *s, bool (*done)(const struct site *))
{
    for (unsigned i = 0; i < 20000 && !done(s); i++)
        site_turn(s);
    return done(s);
}

static bool idle(const struct site *s)
{
    return s->admin->n_conns == 0;
}

/* However the bytes are cut, the answer is the same. */
T(admin_http, byte_by_byte)
{
    static const char request[] = "POST /healthcheck/ok HTTP/1.1\r\nhost: x\r\ntransfer-encoding: "
                                  "chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    struct site s;
    char got[1024];
    size_t n = 0;
    site_open(&s);
    int fd = site_connect(&s);
    for (size_t i = 0; i < sizeof(request) - 1; i++) {
        T_ASSERT(send(fd, request + i, 1, MSG_NOSIGNAL) == 1);
        site_turn(&s);
    }
    for (unsigned i = 0; i < 2000 && n < sizeof(OK_3) - 1; i++) {
        site_turn(&s);
        ssize_t r = recv(fd, got + n, sizeof(got) - n, 0);
        n += r > 0 ? (size_t)r : 0;
    }
    T_EXPECT_SV(sv_of(got, n), SV(OK_3), "");
    close(fd);
    T_EXPECT(wait_for(&s, idle), "closed");
    site_close(&s);
}

T(admin_http, limits_of_head_and_form)
{
    struct site s;
    struct str r;
    site_open(&s);
    str_init(&r, 0);
    str_add(&r, SV("GET /ready HTTP/1.1\r\nhost: x\r\na: "));
    for (int i = 0; i < 70000; i++)
        str_addc(&r, 'b');
    str_add(&r, SV("\r\n\r\n"));
    T_EXPECT_SV(site_talk(&s, str_sv(&r)),
                SV(LOCAL("431", "Request Header Fields Too Large", "31")), "head");
    str_clear(&r);
    str_add(&r, SV("POST /logging HTTP/1.1\r\nhost: x\r\ncontent-type: "
                   "application/x-www-form-urlencoded\r\n"
                   "content-length: 70000\r\n\r\n"));
    for (int i = 0; i < 70000; i++)
        str_addc(&r, 'b');
    T_EXPECT_SV(site_talk(&s, str_sv(&r)), SV(LOCAL("413", "Payload Too Large", "17")), "form");
    str_clear(&r);
    str_add(&r, SV("POST /ready HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n"));
    for (int i = 0; i < 1000000; i++)
        str_addc(&r, 'b');
    T_EXPECT_SV(site_talk(&s, str_sv(&r)), SV(LIVE), "a body that nobody looks at");
    str_fini(&r);
    site_close(&s);
}

T(admin_http, form_stands_for_query)
{
    struct site s;
    site_open(&s);
    struct sv got =
        site_talk(&s, SV("POST /drain_listeners HTTP/1.1\r\nhost: x\r\ncontent-length: 8\r\n"
                         "content-type: application/x-www-form-urlencoded\r\n\r\ngraceful"));
    T_EXPECT_SV(got, SV(OK_3), "");
    T_EXPECT(s.graceful);
    site_talk(&s,
              SV("POST /drain_listeners HTTP/1.1\r\nhost: x\r\ncontent-length: 8\r\n\r\ngraceful"));
    T_EXPECT(!s.graceful, "only a form does");
    site_close(&s);
}

/* A client that ends its side still gets its answer. */
T(admin_http, half_close)
{
    struct site s;
    char got[1024];
    size_t n = 0;
    site_open(&s);
    int fd = site_connect(&s);
    T_ASSERT(send(fd, rows[0].request, strlen(rows[0].request), MSG_NOSIGNAL) > 0);
    shutdown(fd, SHUT_WR);
    ssize_t r = -1;
    for (unsigned i = 0; i < 2000 && r != 0; i++) {
        site_turn(&s);
        r = recv(fd, got + n, sizeof(got) - n, 0);
        n += r > 0 ? (size_t)r : 0;
    }
    T_EXPECT_EQ(r, 0, "the server ends as well");
    T_EXPECT_SV(sv_of(got, n), SV(LIVE), "");
    close(fd);
    T_EXPECT(wait_for(&s, idle), "closed");
    site_close(&s);
}

T(admin_http, connections_are_limited)
{
    struct site s;
    int fd[ADMIN_CONNECTIONS_MAX + 5];
    site_open(&s);
    for (size_t i = 0; i < ARRAY_LEN(fd); i++) {
        fd[i] = site_connect(&s);
        site_turn(&s);
    }
    for (unsigned i = 0; i < 50; i++)
        site_turn(&s);
    T_EXPECT_EQ(s.admin->n_conns, ADMIN_CONNECTIONS_MAX, "the rest waits");
    T_ASSERT(send(fd[ARRAY_LEN(fd) - 1], rows[0].request, strlen(rows[0].request), MSG_NOSIGNAL) >
             0);
    for (unsigned i = 0; i < 10; i++)
        close(fd[i]);
    char got[1024];
    ssize_t n = -1;
    for (unsigned i = 0; i < 2000 && n < 0; i++) {
        site_turn(&s);
        n = recv(fd[ARRAY_LEN(fd) - 1], got, sizeof(got), 0);
    }
    T_EXPECT_SV(sv_of(got, n > 0 ? (size_t)n : 0), SV(LIVE), "and gets its turn");
    for (size_t i = 10; i < ARRAY_LEN(fd); i++)
        close(fd[i]);
    T_EXPECT(wait_for(&s, idle), "closed");
    site_close(&s);
}

static bool has_one(const struct site *s)
{
    return s->admin->n_conns == 1;
}

/* Lets deadlines fire now: libevent's clock is the machine's, so they are shortened instead of
 * waited for. */
static void expire_deadlines(struct site *s)
{
    const struct timeval now = {0, 0};
    list_foreach (it, &s->admin->conns) {
        event_add(admin_conn_deadline(it), &now);
    }
}

T(admin_http, deadlines_close_connections)
{
    static const char *const begun[] = {
        "", "GET /re", "POST /ready HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nab"};
    struct site s;
    site_open(&s);
    for (size_t i = 0; i < ARRAY_LEN(begun); i++) {
        int fd = site_connect(&s);
        T_EXPECT(wait_for(&s, has_one), "accepted");
        T_EXPECT(send(fd, begun[i], strlen(begun[i]), MSG_NOSIGNAL) >= 0);
        for (unsigned k = 0; k < 50; k++)
            site_turn(&s);
        T_EXPECT(has_one(&s), "kept");
        expire_deadlines(&s);
        T_EXPECT(wait_for(&s, idle), "closed: %s", begun[i]);
        close(fd);
    }
    site_close(&s);
}

/* The process ends after the answer, not before, and also when nobody reads it. */
T(admin_http, quit_after_the_answer)
{
    struct site s;
    struct sv body;
    site_open(&s);
    T_EXPECT_EQ(site_ask(&s, "GET", "/quitquitquit", &body), 405, "");
    T_EXPECT_EQ(s.quits, 0, "not by GET");
    T_EXPECT_EQ(site_ask(&s, "POST", "/quitquitquit", &body), 200, "");
    T_EXPECT_SV(body, SV("OK\n"), "");
    T_EXPECT_EQ(s.quits, 1, "");
    site_close(&s);
    T_EXPECT_EQ(s.quits, 1, "");
}

/* More pipelined requests than answers that fit: nothing is lost, and memory stays bounded. */
T(admin_http, slow_reader_of_many_answers)
{
    enum { REQUESTS = 3000 };
    static const char request[] = "GET /help HTTP/1.1\r\nhost: x\r\n\r\n";
    struct site s;
    struct str all, got;
    char buf[65536];
    size_t sent = 0, most = 0, answers = 0, seen = 0;
    site_open(&s);
    str_init(&all, 0);
    str_init(&got, 0);
    for (int i = 0; i < REQUESTS; i++)
        str_add(&all, sv_str(request));
    int fd = site_connect(&s);
    for (unsigned turn = 0; turn < 20000 && answers < REQUESTS; turn++) {
        ssize_t n = send(fd, all.p + sent, all.n - sent, MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        site_turn(&s);
        list_foreach (it, &s.admin->conns) {
            size_t pending = admin_conn_pending(it);
            most = pending > most ? pending : most;
        }
        if (turn < 200)
            continue;
        n = recv(fd, buf, sizeof(buf), 0);
        str_add(&got, sv_of(buf, n > 0 ? (size_t)n : 0));
        for (size_t at;
             (at = sv_search(sv_skip(str_sv(&got), seen), SV("\r\n0\r\n\r\n"))) != SIZE_MAX;) {
            seen += at + 7;
            answers++;
        }
    }
    T_EXPECT_EQ(answers, REQUESTS, "answers");
    T_EXPECT(most < 3 << 20, "pending %zu", most);
    close(fd);
    str_fini(&all);
    str_fini(&got);
    T_EXPECT(wait_for(&s, idle), "closed");
    site_close(&s);
}

T(admin_http, refuses_an_address_in_use)
{
    struct site s;
    struct admin *second = NULL;
    struct diag d = {0};
    char want[200], text[ADDR_TEXT_MAX];
    site_open(&s);
    addr_format(admin_address(s.admin), text, sizeof(text));
    snprintf(want, sizeof(want), "cannot bind '%s': Address already in use", text);
    struct admin_deps deps = {.stats = s.stats};
    T_EXPECT_EQ(admin_new(s.base, admin_address(s.admin), &deps, &second, &d), E_IO, "");
    T_EXPECT_SV(sv_str(d.msg), sv_str(want), "");
    T_EXPECT(second == NULL);
    site_close(&s);
}

T(admin_http, statistics)
{
    struct site s;
    struct sv body;
    site_open(&s);
    site_ask(&s, "GET", "/ready", &body);
    site_ask(&s, "GET", "/nope", &body);
    site_talk(&s, SV("garbage\r\n\r\n"));
    T_EXPECT(wait_for(&s, idle), "closed");
    T_EXPECT_EQ(stats_value(s.stats, s.admin->st.cx_total), 3, "connections");
    T_EXPECT_EQ(stats_value(s.stats, s.admin->st.cx_active), 0, "open");
    T_EXPECT_EQ(stats_value(s.stats, s.admin->st.cx_destroy), 3, "closed");
    T_EXPECT_EQ(stats_value(s.stats, s.admin->st.rq_total), 3, "requests");
    T_EXPECT_EQ(stats_value(s.stats, s.admin->st.rq_completed), 3, "completed");
    T_EXPECT_EQ(stats_value(s.stats, s.admin->st.rq_active), 0, "active");
    T_EXPECT_EQ(stats_value(s.stats, s.admin->st.rq_class[2]), 1, "2xx");
    T_EXPECT_EQ(stats_value(s.stats, s.admin->st.rq_class[4]), 2, "4xx");
    T_EXPECT_EQ(stats_value(s.stats, s.admin->st.protocol_error), 1, "errors");
    T_EXPECT(stats_value(s.stats, s.admin->st.rx_bytes) > 50);
    T_EXPECT(stats_value(s.stats, s.admin->st.tx_bytes) > 500);
    site_close(&s);
}

/* Whatever allocation fails while a request is served: an answer or a closed connection, and the
 * next one works. */
static void survive(const char *request)
{
    for (size_t n = 1; n < 400; n++) {
        struct site s;
        struct sv body;
        site_open(&s);
        failmalloc_at(n);
        site_talk(&s, sv_str(request));
        bool reached = failmalloc_count() >= n;
        failmalloc_at(0);
        T_EXPECT_EQ(site_ask(&s, "GET", "/ready", &body), 200, request);
        site_close(&s);
        if (!reached)
            return;
    }
    T_EXPECT(false, "never without a failure: %s", request);
}

T(admin_http, each_allocation_may_fail)
{
    survive("GET /clusters?format=json&filter=up HTTP/1.1\r\nhost: x\r\n\r\n");
    survive("GET /stats/prometheus?filter=admin HTTP/1.1\r\nhost: x\r\n\r\n");
    survive("GET /config_dump?resource=static_clusters&name_regex=u.*&mask=cluster.name "
            "HTTP/1.1\r\nhost: x\r\n\r\n");
    survive("POST /logging HTTP/1.1\r\nhost: x\r\ntransfer-encoding: "
            "chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n");
}
