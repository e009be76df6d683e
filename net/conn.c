/* Stream sockets; see conn.h. */
#include "net/conn.h"
#include "net/sock.h"
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FLUSH_IOV = 64 };

/* The C library's wrappers are cancellation points, which costs each call some 30 instructions in a
 * process with threads. Nothing here is ever cancelled. */
static ssize_t sys_recv(int fd, void *p, size_t n)
{
    return syscall(SYS_recvfrom, fd, p, n, 0, NULL, NULL);
}

static ssize_t sys_send(int fd, const void *p, size_t n)
{
    return syscall(SYS_sendto, fd, p, n, MSG_NOSIGNAL, NULL, 0);
}

static ssize_t sys_writev(int fd, const struct iovec *iov, size_t n)
{
    return syscall(SYS_writev, fd, iov, n);
}

static enum err send_now(struct conn *c, struct iovec *iov, size_t n);

/* The owner hears of it from the loop: it may be in the middle of using c now. */
void conn_fail(struct conn *c)
{
    if (c->failed)
        return;
    c->failed = true;
    event_active(&c->event, EV_WRITE, 0);
}

static void tell_broken(struct conn *c)
{
    if (c->fd >= 0 && !c->told) {
        c->told = true;
        c->ops->broken(c);
    }
}

static void shut_write(struct conn *c)
{
    if (c->write_ended && c->out.n == 0 && c->fd >= 0)
        shutdown(c->fd, SHUT_WR);
}

/* Writes from `out` until it is empty or the kernel is full. */
static enum err flush_out(struct conn *c)
{
    while (c->out.n > 0) {
        struct iovec iov[FLUSH_IOV];
        size_t n = buf_iov(&c->out, iov, FLUSH_IOV);
        ssize_t sent = sys_writev(c->fd, iov, n);
        if (sent < 0) {
            if (errno == EINTR)
                continue;
            return errno == EAGAIN ? OK : E_IO;
        }
        c->sent += (size_t)sent;
        buf_drain(c->loop->slabs, &c->out, (size_t)sent);
    }
    shut_write(c);
    return OK;
}

static void writable(struct conn *c)
{
    if (flush_out(c) != OK)
        conn_fail(c);
    else if (c->out.n == 0)
        c->ops->drained(c);
}

static void handle(struct conn *c, short what)
{
    if (UNLIKELY(c->connecting)) {
        int error = sock_error(c->fd);
        if (error == 0 && (what & EV_WRITE) == 0)
            return;
        c->connecting = false;
        c->ops->connected(c, error);
        if (c->fd < 0 || error != 0)
            return;
    }
    if (UNLIKELY(what & EV_CLOSED))
        c->peer_done = true;
    if (what & (EV_READ | EV_CLOSED))
        c->maybe_data = true;
    if (UNLIKELY((what & EV_WRITE) && c->out.n > 0 && !c->failed)) {
        writable(c);
        if (c->fd < 0)
            return;
    }
    /* A paused owner still hears of the peer's end, so that it can give up on a caller who left. */
    if (c->maybe_data && (!c->paused || c->peer_done))
        c->ops->readable(c);
    if (UNLIKELY(c->failed))
        tell_broken(c);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct conn *c = arg;
    struct loop *l = c->loop;
    (void)fd;
    loop_enter(l);
    if (LIKELY(c->fd >= 0))
        handle(c, what);
    loop_leave(l);
}

enum err conn_open(struct conn *c, struct loop *l, int take_fd, bool connecting,
                   const struct conn_ops *ops)
{
    *c = (struct conn){.fd = take_fd, .connecting = connecting, .loop = l, .ops = ops};
    buf_init(&c->out);
    event_assign(&c->event, l->base, take_fd, EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST,
                 on_event, c);
    if (event_add(&c->event, NULL) != 0) {
        close(take_fd);
        c->fd = -1;
        return E_IO;
    }
    return OK;
}

void conn_close(struct conn *c)
{
    if (c->fd < 0)
        return;
    struct loop *l = c->loop;
    if (l->corked == c) {
        struct iovec iov = {.iov_base = l->head, .iov_len = l->corked_n};
        l->corked = NULL;
        if (!c->failed && send_now(c, &iov, 1) != OK)
            c->failed = true; /* the owner is closing it: nobody is left to tell */
    }
    event_del(&c->event);
    close(c->fd);
    c->fd = -1;
    buf_clear(c->loop->slabs, &c->out);
}

void conn_abort(struct conn *c)
{
    if (c->fd < 0)
        return;
    if (c->loop->corked == c)
        c->loop->corked = NULL;
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    conn_close(c);
}

enum err conn_recv(struct conn *c, char *p, size_t room, size_t *got)
{
    ssize_t n;
    do
        n = sys_recv(c->fd, p, room);
    while (UNLIKELY(n < 0 && errno == EINTR));
    if (LIKELY(n > 0)) {
        c->received += (size_t)n;
        /* A short read emptied the socket: the next edge will tell of more. Asking again would only
         * cost a call, unless the end is known to be behind the bytes. */
        c->maybe_data = (size_t)n == room || c->peer_done;
        *got = (size_t)n;
        return OK;
    }
    c->maybe_data = false;
    if (n == 0) {
        c->peer_done = true;
        return E_CLOSED;
    }
    return errno == EAGAIN ? E_AGAIN : E_IO;
}

/* Skips the first n bytes of the vector. */
static size_t iov_skip(struct iovec *iov, size_t count, size_t n)
{
    size_t i = 0;
    while (i < count && n >= iov[i].iov_len)
        n -= iov[i++].iov_len;
    if (i < count) {
        iov[i].iov_base = (char *)iov[i].iov_base + n;
        iov[i].iov_len -= n;
    }
    return i;
}

static enum err queue(struct conn *c, const struct iovec *iov, size_t n)
{
    for (size_t i = 0; i < n; i++)
        TRY(buf_add(c->loop->slabs, &c->out, sv_of(iov[i].iov_base, iov[i].iov_len)));
    return OK;
}

static enum err send_now(struct conn *c, struct iovec *iov, size_t n)
{
    if (UNLIKELY(c->out.n > 0 || c->connecting))
        return queue(c, iov, n);
    ssize_t sent;
    do
        sent =
            n == 1 ? sys_send(c->fd, iov[0].iov_base, iov[0].iov_len) : sys_writev(c->fd, iov, n);
    while (UNLIKELY(sent < 0 && errno == EINTR));
    if (UNLIKELY(sent < 0)) {
        if (errno != EAGAIN)
            return E_IO;
        sent = 0;
    }
    c->sent += (size_t)sent;
    size_t i = iov_skip(iov, n, (size_t)sent);
    return i == n ? OK : queue(c, iov + i, n - i);
}

void conn_send(struct conn *c, struct iovec *iov, size_t n)
{
    struct loop *l = c->loop;
    if (UNLIKELY(c->fd < 0 || c->failed))
        return;
    if (l->corked != c) {
        if (send_now(c, iov, n) != OK)
            conn_fail(c);
        return;
    }
    struct iovec all[1 + CONN_IOV];
    BUG_ON(n > CONN_IOV);
    all[0] = (struct iovec){.iov_base = l->head, .iov_len = l->corked_n};
    memcpy(all + 1, iov, n * sizeof(*iov));
    l->corked = NULL;
    if (send_now(c, all, n + 1) != OK)
        conn_fail(c);
}

char *conn_head_room(struct conn *c, size_t want)
{
    struct loop *l = c->loop;
    if (l->corked != NULL && (l->corked != c || l->corked_n + want > LOOP_HEAD_ROOM))
        conn_uncork(l);
    if (want > LOOP_HEAD_ROOM)
        return NULL;
    return l->corked == c ? l->head + l->corked_n : l->head;
}

void conn_head_commit(struct conn *c, size_t n)
{
    struct loop *l = c->loop;
    l->corked_n = (l->corked == c ? l->corked_n : 0) + n;
    l->corked = c;
}

void conn_uncork(struct loop *l)
{
    struct conn *c = l->corked;
    if (c == NULL)
        return;
    l->corked = NULL;
    if (c->fd < 0 || c->failed)
        return;
    struct iovec iov = {.iov_base = l->head, .iov_len = l->corked_n};
    if (send_now(c, &iov, 1) != OK)
        conn_fail(c);
    else
        shut_write(c);
}

void conn_end_write(struct conn *c)
{
    if (c->write_ended || c->fd < 0)
        return;
    if (c->loop->corked == c)
        conn_uncork(c->loop);
    c->write_ended = true;
    shut_write(c);
}

void conn_pause(struct conn *c)
{
    c->paused = true;
}

void conn_resume(struct conn *c)
{
    c->paused = false;
    if (c->fd >= 0 && !c->connecting && c->maybe_data)
        c->ops->readable(c);
}
