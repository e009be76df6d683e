/* Stream sockets over socket pairs: what is queued, what leaves in which call, who is told what. */
#include "net/conn.h"
#include "net/sock.h"
#include "tests/support/failmalloc.h"
#include "tests/support/t.h"
#include "tests/unit/net/conn_rig.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define TOLD(r, want, row) T_EXPECT_SV(sv_str((r)->told), SV(want), row)

/* ---- what leaves, and in which calls ---- */

/* Steps: a letter each. h: a head "H", s: a send "S", l: the callback ends, e: end_write, c: close,
 * a: abort. packets: what the peer receives call by call, '|' after each, '.' for the end. */
T(conn, heads_leave_with_what_follows)
{
    static const struct {
        const char *name, *steps, *packets;
    } rows[] = {
        {"a send",                  "s",     "S|"  },
        {"each send alone",         "ssl",   "S|S|"},
        {"head waits",              "h",     ""    },
        {"until the callback ends", "hl",    "H|"  },
        {"or a send",               "hs",    "HS|" },
        {"several heads",           "hhs",   "HHS|"},
        {"behind a send",           "shl",   "S|H|"},
        {"nothing left afterwards", "hsll",  "HS|" },
        {"before the end",          "he",    "H|." },
        {"the end alone",           "e",     "."   },
        {"the end once",            "hsee",  "HS|."},
        {"a close sends it",        "hc",    "H|." },
        {"a close behind a send",   "hsc",   "HS|."},
        {"an abort does not",       "ha",    "."   },
        {"nothing after a close",   "cshlc", "."   },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig r;
        char got[64] = "";
        T_ASSERT(rig_open(&r, SOCK_SEQPACKET), "%s", rows[i].name);
        for (const char *s = rows[i].steps; *s != '\0'; s++) {
            if (*s == 'h')
                rig_head(&r, SV("H"));
            else if (*s == 's')
                rig_send(&r, SV("S"));
            else if (*s == 'l')
                loop_leave(&r.loop);
            else if (*s == 'e')
                conn_end_write(&r.conn);
            else if (*s == 'c')
                conn_close(&r.conn);
            else
                conn_abort(&r.conn);
        }
        for (struct sv p; (p = rig_peer_recv(&r)).n > 0;) {
            bool end = p.p[0] == '<';
            size_t at = strlen(got);
            snprintf(got + at, sizeof got - at, end ? "." : "%.*s|", SVF(p));
            if (end)
                break;
        }
        T_EXPECT_SV(sv_str(got), sv_str(rows[i].packets), rows[i].name);
        T_EXPECT_EQ(r.conn.out.n, 0, rows[i].name);
        rig_close(&r);
    }
}

T(conn, one_head_room_for_all)
{
    struct rig r;
    T_ASSERT(rig_open(&r, SOCK_SEQPACKET));
    T_EXPECT(conn_head_room(&r.conn, LOOP_HEAD_ROOM + 1) == NULL, "more than there is");
    rig_head(&r, SV("first"));
    char *room = conn_head_room(&r.conn, LOOP_HEAD_ROOM);
    T_EXPECT(room == r.loop.head, "the corked head went, to make room");
    T_EXPECT_SV(rig_peer_recv(&r), SV("first"), "made room");
    rig_head(&r, SV("second"));

    struct conn other = {.fd = -1, .loop = &r.loop};
    T_EXPECT(conn_head_room(&other, 10) == r.loop.head, "the room changes hands");
    T_EXPECT_SV(rig_peer_recv(&r), SV("second"), "and what was in it is sent");
    rig_head(&r, SV("third"));
    T_EXPECT(conn_head_room(&r.conn, LOOP_HEAD_ROOM + 1) == NULL);
    T_EXPECT_SV(rig_peer_recv(&r), SV("third"), "order is kept for what is sent another way");
    rig_close(&r);
}

enum { BIG = 1 << 20 };

/* Takes all from the peer while the loop runs; how many bytes of the pattern came in order. */
static size_t take_pattern(struct rig *r, bool *end)
{
    static char p[65536];
    size_t at = 0, wrong = 0;
    *end = false;
    for (int quiet = 0; quiet < 3;) {
        ssize_t n = recv(r->peer, p, sizeof p, 0);
        for (ssize_t i = 0; i < n; i++, at++)
            wrong += p[i] != (char)(at % 251);
        *end = n == 0;
        if (*end)
            break;
        quiet = n > 0 ? 0 : quiet + 1;
        rig_run(r);
    }
    T_EXPECT_EQ(wrong, 0, "bytes out of place");
    return at;
}

static size_t send_pattern(struct rig *r, size_t n)
{
    char *p = malloc(n);
    if (p == NULL)
        return 0;
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(i % 251);
    struct iovec iov[3] = {
        {p,      10    },
        {p + 10, 1     },
        {p + 11, n - 11}
    };
    conn_send(&r->conn, iov, 3);
    free(p); /* what is queued is a copy */
    return n;
}

T(conn, short_sends_queue_and_drain)
{
    struct rig r;
    bool end;
    T_ASSERT(rig_open(&r, SOCK_STREAM));
    send_pattern(&r, BIG);
    T_EXPECT(r.conn.out.n > 0 && conn_queued(&r.conn) + r.conn.sent == BIG, "%zu", r.conn.out.n);
    rig_run(&r);
    TOLD(&r, "", "the kernel is full");
    T_EXPECT_EQ(take_pattern(&r, &end), BIG, "all of it, in order");
    T_EXPECT(!end);
    TOLD(&r, "d", "drained once");
    T_EXPECT(r.conn.sent == BIG && r.conn.out.n == 0);
    send_pattern(&r, 100);
    T_EXPECT_EQ(take_pattern(&r, &end), 100, "goes on");
    TOLD(&r, "d", "a send that never queued");
    rig_close(&r);
}

T(conn, queued_sends_keep_their_order)
{
    struct rig r;
    bool end;
    T_ASSERT(rig_open(&r, SOCK_STREAM));
    send_pattern(&r, BIG);
    size_t next = BIG % 251;
    char a = (char)next, b = (char)(next + 1);
    rig_head(&r, sv_of(&a, 1));
    rig_send(&r, sv_of(&b, 1));
    T_EXPECT_EQ(take_pattern(&r, &end), BIG + 2, "head and send behind the queue");
    rig_close(&r);
}

T(conn, end_of_writing_waits_for_the_queue)
{
    struct rig r;
    bool end;
    T_ASSERT(rig_open(&r, SOCK_STREAM));
    send_pattern(&r, BIG);
    conn_end_write(&r.conn);
    T_EXPECT_EQ(take_pattern(&r, &end), BIG, "all of it");
    T_EXPECT(end, "then the end");
    TOLD(&r, "d", "drained");
    T_EXPECT(send(r.peer, "x", 1, 0) == 1, "the other direction is open");
    rig_run(&r);
    TOLD(&r, "dr", "and heard");
    rig_close(&r);
}

/* ---- what comes in ---- */

T(conn, receives_until_empty)
{
    struct rig r;
    char room[4];
    size_t got = 99;
    T_ASSERT(rig_open(&r, SOCK_STREAM));
    T_EXPECT(conn_recv(&r.conn, room, 4, &got) == E_AGAIN && got == 99 && !r.conn.maybe_data);
    T_EXPECT(send(r.peer, "abcdef", 6, 0) == 6);
    T_EXPECT(conn_recv(&r.conn, room, 4, &got) == OK && got == 4);
    T_EXPECT(r.conn.maybe_data, "a full read may have left something");
    T_EXPECT(conn_recv(&r.conn, room, 4, &got) == OK && got == 2);
    T_EXPECT(!r.conn.maybe_data, "a short one has not");
    T_EXPECT_EQ(r.conn.received, 6, "bytes");
    close(r.peer);
    r.peer = -1;
    rig_run(&r);
    T_EXPECT(r.conn.peer_done && r.conn.maybe_data, "the end is known");
    T_EXPECT(conn_recv(&r.conn, room, 4, &got) == E_CLOSED && r.conn.peer_done);
    rig_close(&r);
}

/* With the end behind them, bytes are followed by another read: no further edge will come. */
T(conn, reads_on_to_a_known_end)
{
    struct rig r;
    T_ASSERT(rig_open(&r, SOCK_STREAM));
    r.swallow = true;
    T_EXPECT(send(r.peer, "last", 4, 0) == 4);
    close(r.peer);
    r.peer = -1;
    rig_run(&r);
    T_EXPECT_EQ(r.taken, 4, "bytes");
    T_EXPECT(r.end == E_CLOSED, "%s", err_name(r.end));
    rig_close(&r);
}

T(conn, paused_hears_only_of_the_end)
{
    struct rig r;
    T_ASSERT(rig_open(&r, SOCK_STREAM));
    r.swallow = true;
    conn_resume(&r.conn);
    TOLD(&r, "", "nothing to tell");
    conn_pause(&r.conn);
    T_EXPECT(send(r.peer, "abc", 3, 0) == 3);
    rig_run(&r);
    TOLD(&r, "", "paused");
    conn_resume(&r.conn);
    TOLD(&r, "r", "told by resume itself");
    T_EXPECT_EQ(r.taken, 3, "bytes");
    conn_resume(&r.conn);
    TOLD(&r, "r", "it was read empty");
    conn_pause(&r.conn);
    r.swallow = false;
    shutdown(r.peer, SHUT_WR);
    rig_run(&r);
    TOLD(&r, "rr", "the end is told");
    T_EXPECT(r.conn.peer_done && r.conn.paused);
    rig_close(&r);
}

/* ---- broken ---- */

T(conn, broken_is_told_once_and_from_the_loop)
{
    struct rig r;
    T_ASSERT(rig_open(&r, SOCK_STREAM));
    T_EXPECT(send(r.peer, "goodbye", 7, 0) == 7);
    close(r.peer);
    r.peer = -1;
    r.swallow = true;
    rig_send(&r, SV("x"));
    T_EXPECT(r.conn.failed && !r.conn.told);
    TOLD(&r, "", "not from inside");
    rig_send(&r, SV("y"));
    rig_head(&r, SV("z"));
    conn_uncork(&r.loop);
    rig_run(&r);
    TOLD(&r, "rb", "the peer's last words first");
    T_EXPECT_EQ(r.taken, 7, "bytes");
    rig_send(&r, SV("x"));
    conn_fail(&r.conn);
    rig_run(&r);
    TOLD(&r, "rb", "once");
    T_EXPECT_EQ(r.conn.sent, 0, "bytes");
    rig_close(&r);
}

T(conn, events_after_broken_do_not_tell_again)
{
    struct rig r;
    T_ASSERT(rig_open(&r, SOCK_STREAM));
    r.swallow = true;
    conn_fail(&r.conn);
    TOLD(&r, "", "not from inside");
    rig_run(&r);
    TOLD(&r, "b", "told");
    T_EXPECT(send(r.peer, "x", 1, 0) == 1);
    rig_run(&r);
    TOLD(&r, "br", "the owner has not closed it yet");
    rig_close(&r);
}

T(conn, a_queue_that_breaks)
{
    struct rig r;
    T_ASSERT(rig_open(&r, SOCK_STREAM));
    send_pattern(&r, BIG);
    conn_pause(&r.conn);
    close(r.peer);
    r.peer = -1;
    rig_run(&r);
    T_EXPECT(strchr(r.told, 'b') != NULL && strchr(r.told, 'd') == NULL, "%s", r.told);
    rig_close(&r);
}

T(conn, no_memory_for_the_queue)
{
    struct rig r;
    T_ASSERT(rig_open(&r, SOCK_STREAM));
    send_pattern(&r, BIG);
    static char more[LOOP_SLAB * 2];
    failmalloc_at(1);
    rig_send(&r, sv_of(more, sizeof more));
    failmalloc_at(0);
    T_EXPECT(r.conn.failed);
    conn_pause(&r.conn);
    rig_run(&r);
    TOLD(&r, "b", "told");
    rig_close(&r);
}

/* ---- closing from inside ---- */

static void close_here(struct rig *r)
{
    conn_close(&r->conn);
    conn_close(&r->conn);
}

static void abort_here(struct rig *r)
{
    conn_abort(&r->conn);
    conn_abort(&r->conn);
}

/* Lets everything happen at once: the peer spoke, the queue can leave, the connection failed. */
T(conn, closed_inside_a_callback)
{
    static const struct {
        const char *name;
        char acts;
        void (*act)(struct rig *r);
        bool queued, failed;
        const char *told;
    } rows[] = {
        {"readable",          'r', close_here, false, false, "r" },
        {"readable, aborted", 'r', abort_here, false, false, "r" },
        {"readable, failed",  'r', close_here, false, true,  "r" },
        {"drained",           'd', close_here, true,  false, "d" },
        {"drained, aborted",  'd', abort_here, true,  false, "d" },
        {"broken",            'b', close_here, false, true,  "rb"},
        {"nobody",            'x', close_here, true,  false, "dr"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        static char sink[BIG];
        struct rig r;
        T_ASSERT(rig_open(&r, SOCK_STREAM), "%s", rows[i].name);
        if (rows[i].queued) {
            send_pattern(&r, 300 * 1024);
            while (recv(r.peer, sink, sizeof sink, 0) > 0)
                ;
        }
        T_EXPECT(r.conn.out.n < 300 * 1024, "%s", rows[i].name);
        T_EXPECT(send(r.peer, "x", 1, 0) == 1, "%s", rows[i].name);
        if (rows[i].failed)
            conn_fail(&r.conn);
        r.acts = rows[i].acts;
        r.act = rows[i].act;
        rig_run(&r);
        T_EXPECT_SV(sv_str(r.told), sv_str(rows[i].told), rows[i].name);
        T_EXPECT((r.conn.fd < 0) == (rows[i].acts != 'x'), "%s", rows[i].name);
        T_EXPECT(r.conn.fd >= 0 || r.conn.out.n == 0, "%s", rows[i].name);
        conn_resume(&r.conn);
        rig_close(&r);
    }
}

/* ---- connecting ---- */

static int listener(struct addr *at)
{
    int fd = -1;
    T_EXPECT(addr_parse(SV("127.0.0.1:0"), at) == OK);
    T_EXPECT(sock_listen(at, &(struct sock_listen_opts){0}, &fd) == OK && sock_local(fd, at) == OK);
    return fd;
}

T(conn, what_was_sent_before_it_is_connected_follows)
{
    struct rig r;
    struct addr at;
    int fd = listener(&at);
    T_ASSERT(rig_connect(&r, &at));
    rig_head(&r, SV("ab"));
    rig_send(&r, SV("cd"));
    T_EXPECT_EQ(r.conn.out.n, 4, "queued");
    conn_resume(&r.conn);
    TOLD(&r, "", "not readable yet");
    while (r.told[0] == '\0' || r.conn.out.n > 0)
        rig_wait(&r);
    T_EXPECT(r.error == 0 && r.told[0] == 'c' && !r.conn.connecting);
    T_EXPECT(strchr(r.told, 'd') != NULL, "%s", r.told);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    T_EXPECT(poll(&p, 1, 10000) == 1);
    r.peer = accept(fd, NULL, NULL);
    p.fd = r.peer;
    T_EXPECT(poll(&p, 1, 10000) == 1);
    T_EXPECT_SV(rig_peer_recv(&r), SV("abcd"), "in order");
    close(fd);
    rig_close(&r);
}

static void refused(struct rig *r)
{
    conn_close(&r->conn);
}

T(conn, a_refused_connect)
{
    struct rig r;
    struct addr at;
    close(listener(&at));
    T_ASSERT(rig_connect(&r, &at));
    r.acts = 'c';
    r.act = refused;
    rig_send(&r, SV("lost"));
    while (r.told[0] == '\0')
        rig_wait(&r);
    rig_run(&r);
    TOLD(&r, "c", "nothing else");
    T_EXPECT_EQ(r.error, ECONNREFUSED, "why");
    rig_close(&r);
}
