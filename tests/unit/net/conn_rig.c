/* See conn_rig.h. */
#include "tests/unit/net/conn_rig.h"
#include "net/sock.h"
#include <errno.h>
#include <signal.h>
#include <unistd.h>

static void tell(struct rig *r, char what)
{
    size_t n = strlen(r->told);
    if (n + 1 < sizeof r->told)
        r->told[n] = what;
    if (r->act != NULL && r->acts == what)
        r->act(r);
}

static void on_connected(struct conn *c, int error)
{
    struct rig *r = container_of(c, struct rig, conn);
    r->error = error;
    tell(r, 'c');
}

static void on_readable(struct conn *c)
{
    struct rig *r = container_of(c, struct rig, conn);
    tell(r, 'r');
    while (r->swallow && c->fd >= 0 && c->maybe_data) {
        size_t got = 0;
        r->end = conn_recv(c, r->loop.scratch, LOOP_SCRATCH, &got);
        r->taken += got;
    }
}

static void on_drained(struct conn *c)
{
    tell(container_of(c, struct rig, conn), 'd');
}

static void on_broken(struct conn *c)
{
    tell(container_of(c, struct rig, conn), 'b');
}

static const struct conn_ops ops = {on_connected, on_readable, on_drained, on_broken};

static bool start(struct rig *r)
{
    *r = (struct rig){.peer = -1};
    r->conn.fd = -1;
    signal(SIGPIPE, SIG_IGN); /* as the process does: writev has no flag for it */
    return loop_init(&r->loop, clock_system(), 4096) == OK;
}

bool rig_open(struct rig *r, int type)
{
    int fds[2];
    if (!start(r) || socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0)
        return false;
    r->peer = fds[1];
    if (conn_open(&r->conn, &r->loop, fds[0], false, &ops) != OK)
        return false;
    rig_run(r);
    memset(r->told, 0, sizeof r->told); /* a new socket is writable, and asked once for bytes */
    return true;
}

bool rig_connect(struct rig *r, const struct addr *to)
{
    int fd;
    return start(r) && sock_connect(to, &fd) == OK &&
           conn_open(&r->conn, &r->loop, fd, true, &ops) == OK;
}

void rig_close(struct rig *r)
{
    conn_close(&r->conn);
    if (r->peer >= 0)
        close(r->peer);
    loop_fini(&r->loop);
}

void rig_run(struct rig *r)
{
    for (int i = 0; i < 8; i++)
        event_base_loop(r->loop.base, EVLOOP_NONBLOCK);
}

void rig_wait(struct rig *r)
{
    struct timeval limit = {.tv_sec = 10};
    event_base_loopexit(r->loop.base, &limit);
    event_base_loop(r->loop.base, EVLOOP_ONCE);
}

void rig_send(struct rig *r, struct sv bytes)
{
    struct iovec iov = {(void *)(uintptr_t)bytes.p, bytes.n};
    conn_send(&r->conn, &iov, 1);
}

void rig_head(struct rig *r, struct sv bytes)
{
    char *at = conn_head_room(&r->conn, bytes.n);
    T_ASSERT(at != NULL);
    memcpy(at, bytes.p, bytes.n);
    conn_head_commit(&r->conn, bytes.n);
}

struct sv rig_peer_recv(struct rig *r)
{
    static char text[256];
    ssize_t n = recv(r->peer, text, sizeof text, 0);
    if (n == 0)
        return SV("<end>");
    return n > 0 ? sv_of(text, (size_t)n) : errno == EAGAIN ? SV("") : SV("<error>");
}
