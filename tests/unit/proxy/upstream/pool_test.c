/* Upstream connections: which are used again, who waits, and what a request is told when its answer
 * does not come whole. */
#include "net/sock.h"
#include "proxy/upstream/pool.h"
#include "tests/support/t.h"
#include "tests/unit/proxy/upstream/origin.h"
#include <errno.h>
#include <unistd.h>

#define OK_2 "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
#define STAT(name, want) T_EXPECT_EQ(plane_stat("cluster.c." name), want, name)

/* Answers one request on fd and waits for its end. */
static void serve(int fd, struct ask *a, const char *answer)
{
    T_EXPECT_SV(origin_read(fd), SV("GET / HTTP/1.1\r\nhost: h\r\n\r\n"), "request");
    origin_say(fd, sv_str(answer));
    ask_wait(a);
}

/* ---- connections are used again, or not ---- */

T(pool, which_connections_are_used_again)
{
    static const struct {
        const char *name, *answer, *got;
        uint32_t max_requests;
        bool again;
    } rows[] = {
        {"length",       OK_2,                                                                        "200 ok",     0, true },
        {"chunked",      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
         "200 ok",                                                                                                  0, true },
        {"trailers",
         "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nt: v\r\n\r\n",         "200 ok(v)",  0, true },
        {"no content",   "HTTP/1.1 204 No Content\r\n\r\n",                                           "204 ",       0, true },
        {"interim",      "HTTP/1.1 103 Early Hints\r\na: b\r\n\r\n" OK_2,                             "103 200 ok", 0, true },
        {"says close",   "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
         "200 ok",                                                                                                  0, false},
        {"old version",  "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",                            "200 ok",     0, false},
        {"more behind",  OK_2 "surplus",                                                              "200 ok",     0, false},
        {"the last one", OK_2,                                                                        "200 ok",     1, false},
        {"not yet",      OK_2,                                                                        "200 ok",     2, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ask a, b;
        T_ASSERT(origin_init());
        origin.model.max_requests_per_connection = rows[i].max_requests;
        T_ASSERT(origin_open() && ask_start(&a) == OK, "%s", rows[i].name);
        T_EXPECT(!a.now, "%s", rows[i].name);
        int fd = origin_accept();
        serve(fd, &a, rows[i].answer);
        T_EXPECT(a.done, "%s", rows[i].name);
        T_EXPECT_SV(sv_str(a.got), sv_str(rows[i].got), rows[i].name);
        T_EXPECT(upstream_host(&a.rq) == NULL && upstream_wire_sent(&a.rq) == 27, "%s: %d",
                 rows[i].name, (int)upstream_wire_sent(&a.rq));
        T_ASSERT(ask_start(&b) == OK, "%s", rows[i].name);
        T_EXPECT(b.now == rows[i].again, "%s", rows[i].name);
        int other = rows[i].again ? fd : origin_accept();
        serve(other, &b, OK_2);
        T_EXPECT(b.done, "%s", rows[i].name);
        T_EXPECT_EQ(plane_stat("cluster.c.upstream_cx_total"), rows[i].again ? 1 : 2, rows[i].name);
        T_EXPECT_EQ(plane_stat("cluster.c.upstream_rq_total"), 2, rows[i].name);
        if (other != fd)
            T_EXPECT_EQ(origin_read(fd).n, 0, "closed");
        ask_free(&a);
        ask_free(&b);
        origin_close();
        close(fd);
        if (other != fd)
            close(other);
    }
}

T(pool, an_idle_connection_ends)
{
    struct ask a, b;
    T_ASSERT(origin_init());
    origin.model.idle_timeout_ms = 1000;
    T_ASSERT(origin_open() && ask_start(&a) == OK);
    int fd = origin_accept();
    serve(fd, &a, OK_2);
    plane_advance(999);
    STAT("upstream_cx_active", 1);
    plane_advance(1);
    STAT("upstream_cx_active", 0);
    STAT("upstream_cx_idle_timeout", 1);
    STAT("upstream_cx_destroy_local", 1);
    close(fd);

    T_ASSERT(ask_start(&b) == OK);
    fd = origin_accept();
    serve(fd, &b, OK_2);
    close(fd);
    for (int i = 0; i < 100 && plane_stat("cluster.c.upstream_cx_active") > 0; i++)
        plane_wait();
    STAT("upstream_cx_destroy_remote", 1);
    ask_free(&a);
    ask_free(&b);
    origin_close();
}

/* ---- waiting ---- */

T(pool, requests_wait_for_the_only_connection)
{
    struct ask a, b, c;
    T_ASSERT(origin_init());
    origin.model.thresholds[0].max_connections = 1;
    origin.model.thresholds[0].max_pending_requests = 2;
    T_ASSERT(origin_open());
    T_ASSERT(ask_start(&a) == OK && ask_start(&b) == OK);
    STAT("upstream_rq_pending_active", 2);
    STAT("upstream_cx_overflow", 1);
    T_EXPECT(ask_start(&c) == E_LIMIT, "no room to wait");
    STAT("upstream_rq_pending_overflow", 1);
    int fd = origin_accept();
    serve(fd, &a, OK_2);
    T_EXPECT(a.done && !b.done);
    serve(fd, &b, OK_2);
    T_EXPECT(b.done);
    T_EXPECT(!origin_has_caller(), "one connection for both");
    STAT("upstream_cx_total", 1);
    STAT("upstream_rq_pending_total", 2);
    ask_free(&a);
    ask_free(&b);
    ask_free(&c);
    origin_close();
    close(fd);
}

T(pool, cancelled_requests_hear_nothing)
{
    struct ask a, b;
    T_ASSERT(origin_init() && origin_open());
    T_ASSERT(ask_start(&a) == OK);
    upstream_cancel(&a.rq, false);
    upstream_cancel(&a.rq, false);
    STAT("upstream_rq_cancelled", 1);
    STAT("upstream_rq_pending_active", 0);
    int fd = origin_accept();
    T_ASSERT(ask_start(&b) == OK);
    T_EXPECT_SV(origin_read(fd), SV("GET / HTTP/1.1\r\nhost: h\r\n\r\n"), "takes the connection");
    upstream_cancel(&b.rq, true);
    plane_run();
    T_EXPECT_EQ(origin_read(fd).n, 0, "which is of no more use");
    T_EXPECT(!a.done && !a.was_reset && !b.done && !b.was_reset);
    T_EXPECT_EQ(HOST_SUM(origin.host, rq_timeout), 1, "timed out");
    ask_free(&a);
    ask_free(&b);
    origin_close();
    close(fd);
}

/* A host that left: what is under way is finished, then the connection goes. */
T(pool, retired_while_busy)
{
    struct ask a, b;
    T_ASSERT(origin_init() && origin_open());
    struct host *h = host_take(origin.host);
    origin.held = 1;
    T_ASSERT(ask_start(&a) == OK);
    int fd = origin_accept();
    T_EXPECT(origin_read(fd).n > 0);
    T_ASSERT(cluster_set_hosts(origin.wc->c, NULL, 0) == OK);
    plane_run();
    T_EXPECT(!a.was_reset && h->slots[0].pools[0] == NULL);
    origin_say(fd, SV(OK_2));
    ask_wait(&a);
    T_EXPECT(a.done);
    T_EXPECT_EQ(origin_read(fd).n, 0, "closed");

    origin.host = h; /* someone who picked it before may still ask: a new pool */
    T_ASSERT(ask_start(&b) == OK);
    close(fd);
    fd = origin_accept();
    serve(fd, &b, OK_2);
    T_EXPECT(b.done);
    pool_retire(h->slots[0].pools[0]);
    plane_run();
    ask_free(&a);
    ask_free(&b);
    origin_close();
    host_drop(&h);
    close(fd);
}

/* ---- failures ---- */

T(pool, connects_that_fail)
{
    struct ask a, b;
    T_ASSERT(origin_init());
    close(origin.listener);
    T_ASSERT(origin_open() && ask_start(&a) == OK && ask_start(&b) == OK);
    ask_wait(&a);
    ask_wait(&b);
    T_EXPECT(a.was_reset && a.why == UPR_REMOTE_CONNECTION_FAILURE);
    T_EXPECT_SV(sv_str(a.failure), SV("delayed_connect_error:_Connection_refused"), "why");
    T_EXPECT(b.was_reset && b.why == UPR_REMOTE_CONNECTION_FAILURE, "who waits fails as well");
    STAT("upstream_rq_pending_failure_eject", 2);
    T_EXPECT(HOST_SUM(origin.host, cx_connect_fail) >= 1);
    ask_free(&a);
    ask_free(&b);
    origin.listener = -1;
    origin_close();
}

T(pool, a_connect_that_takes_too_long)
{
    struct ask a;
    T_ASSERT(origin_init());
    sock_listen_mute(origin.listener);
    T_ASSERT(origin_open() && ask_start(&a) == OK);
    plane_advance(4999);
    T_EXPECT(!a.was_reset);
    plane_advance(1);
    T_EXPECT(a.was_reset && a.why == UPR_CONNECTION_TIMEOUT);
    STAT("upstream_cx_connect_timeout", 1);
    STAT("upstream_cx_connect_fail", 1);
    ask_free(&a);
    origin_close();
}

/* until_close: where an answer without a length is whole. */
T(h1_client, answers_cut_off_at_every_byte)
{
    static const struct {
        const char *name, *answer;
        size_t until_close;
    } rows[] = {
        {"length",     OK_2,                                                                  SIZE_MAX},
        {"chunked",
         "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nt: v\r\n\r\n", SIZE_MAX},
        {"no content", "HTTP/1.1 204 No Content\r\n\r\n",                                     SIZE_MAX},
        {"interim",    "HTTP/1.1 100 Continue\r\n\r\n" OK_2,                                  SIZE_MAX},
        {"to the end", "HTTP/1.1 200 OK\r\n\r\nok",                                           19      },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t all = strlen(rows[i].answer);
        for (size_t n = 0; n <= all; n++) {
            struct ask a;
            char row[48];
            snprintf(row, sizeof row, "%s, %zu bytes", rows[i].name, n);
            T_ASSERT(origin_init() && origin_open() && ask_start(&a) == OK, "%s", row);
            int fd = origin_accept();
            T_EXPECT(origin_read(fd).n > 0, "%s", row);
            origin_say(fd, sv_of(rows[i].answer, n));
            plane_run();
            close(fd);
            ask_wait(&a);
            bool whole = n == all || n >= rows[i].until_close;
            T_EXPECT(a.done == whole && a.was_reset != whole, "%s", row);
            bool between = n == 0 || (i == 3 && n == 25); /* nothing of the answer came */
            enum upstream_reset want = between ? UPR_CONNECTION_TERMINATION : UPR_PROTOCOL_ERROR;
            if (!whole)
                T_EXPECT(a.why == want, "%s: %s", row, upstream_reset_text(a.why));
            ask_free(&a);
            origin_close();
        }
    }
}

/* The same answers in two pieces: nobody can tell. */
T(h1_client, answers_in_two_pieces)
{
    static const char answer[] =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nt: v\r\n\r\n";
    struct ask a;
    int fd = -1;
    T_ASSERT(origin_init() && origin_open());
    for (size_t n = 1; n + 1 < sizeof answer; n++) {
        T_ASSERT(ask_start(&a) == OK, "%zu", n);
        if (fd < 0)
            fd = origin_accept();
        T_EXPECT(origin_read(fd).n > 0, "%zu", n);
        origin_say(fd, sv_of(answer, n));
        plane_run();
        origin_say(fd, sv_str(answer + n));
        ask_wait(&a);
        T_EXPECT(a.done && strcmp(a.got, "200 ok(v)") == 0, "%zu: %s", n, a.got);
        ask_free(&a);
    }
    STAT("upstream_cx_total", 1);
    origin_close();
    close(fd);
}

T(h1_client, answers_that_are_none)
{
    static const char *const rows[] = {"SSH-2.0-x\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n",
                                       "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
                                       "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nz"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ask a;
        T_ASSERT(origin_init() && origin_open() && ask_start(&a) == OK);
        int fd = origin_accept();
        serve(fd, &a, rows[i]);
        T_EXPECT(a.was_reset && a.why == UPR_PROTOCOL_ERROR, "%s", rows[i]);
        STAT("upstream_cx_protocol_error", 1);
        ask_free(&a);
        origin_close();
        close(fd);
    }
}

/* ---- texts ---- */

T(upstream, texts_of_failures)
{
    char text[96], small[8];
    static const char *const texts[] = {
        [UPR_NONE] = "",
        [UPR_OVERFLOW] = "overflow",
        [UPR_LOCAL_CONNECTION_FAILURE] = "local connection failure",
        [UPR_REMOTE_CONNECTION_FAILURE] = "remote connection failure",
        [UPR_CONNECTION_TIMEOUT] = "connection timeout",
        [UPR_CONNECTION_TERMINATION] = "connection termination",
        [UPR_REMOTE_RESET] = "remote reset",
        [UPR_LOCAL_RESET] = "local reset",
        [UPR_PROTOCOL_ERROR] = "protocol error",
    };
    for (unsigned i = 0; i < ARRAY_LEN(texts); i++)
        T_EXPECT_SV(sv_str(upstream_reset_text((enum upstream_reset)i)), sv_str(texts[i]), "text");
    size_t n = upstream_connect_error(ECONNREFUSED, text, sizeof text);
    T_EXPECT_SV(sv_of(text, n), SV("delayed_connect_error:_Connection_refused"),
                "blanks are lines");
    n = upstream_connect_error(ENETUNREACH, text, sizeof text);
    T_EXPECT_SV(sv_of(text, n), SV("delayed_connect_error:_Network_is_unreachable"), "all of them");
    T_EXPECT_EQ(upstream_connect_error(ECONNREFUSED, small, sizeof small), 7, "cut off");
    T_EXPECT_SV(sv_str(small), SV("delayed"), "cut off");
}
