/*
 * The physical floor of proxying: a TCP relay with one thread and edge-triggered epoll, no parsing.
 *   copy: one recv() and one send() each way;  splice: socket -> pipe -> socket, no copy to user
 * space.
 *
 * usage: relay -p PORT -b ORIGIN_PORT [-m copy|splice]
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/src/util.h"

#define BUF_BYTES ((size_t)256 << 10)
#define PIPE_BYTES (1 << 20)

struct side {
    int fd;
    bool eof, dead;
    struct side *peer, *next_dead;
    int pipe[2];
    size_t in_pipe;
    char *pending; /* what this side could not take yet */
    size_t pending_len, pending_off;
};

enum drained { DRAINED, BLOCKED, BROKEN };

static int ep;
static uint16_t origin_port;
static bool splicing;
static char buf[BUF_BYTES];
static struct side *dead_list;

static void kill_pair(struct side *s)
{
    struct side *pair[2] = {s, s->peer};

    for (int i = 0; i < 2; i++) {
        if (pair[i]->dead)
            continue;
        pair[i]->dead = true;
        close(pair[i]->fd);
        if (splicing) {
            close(pair[i]->pipe[0]);
            close(pair[i]->pipe[1]);
        }
        pair[i]->next_dead = dead_list;
        dead_list = pair[i];
    }
}

static void reap(void)
{
    while (dead_list != NULL) {
        struct side *s = dead_list;

        dead_list = s->next_dead;
        free(s->pending);
        free(s);
    }
}

static enum drained drain_pipe(struct side *from)
{
    while (from->in_pipe > 0) {
        ssize_t n = splice(from->pipe[0], NULL, from->peer->fd, NULL, from->in_pipe,
                           SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

        if (n <= 0)
            return n < 0 && errno == EAGAIN ? BLOCKED : BROKEN;
        from->in_pipe -= (size_t)n;
    }
    return DRAINED;
}

/* Sends what waits for this side. */
static enum drained drain(struct side *to)
{
    if (splicing)
        return drain_pipe(to->peer);
    while (to->pending_len > 0) {
        ssize_t n = send(to->fd, to->pending + to->pending_off, to->pending_len, MSG_NOSIGNAL);

        if (n < 0)
            return errno == EAGAIN ? BLOCKED : BROKEN;
        to->pending_off += (size_t)n;
        to->pending_len -= (size_t)n;
    }
    return DRAINED;
}

static bool keep_rest(struct side *to, const char *rest, size_t n)
{
    if (to->pending == NULL)
        to->pending = malloc(BUF_BYTES);
    if (to->pending == NULL)
        return false;
    memcpy(to->pending, rest, n);
    to->pending_off = 0;
    to->pending_len = n;
    return true;
}

/* Moves once; the count read (0: end, -1: errno tells). *done: the socket is empty or the other
 * side is full. */
static ssize_t move_splice(struct side *from, bool *done)
{
    ssize_t n =
        splice(from->fd, NULL, from->pipe[1], NULL, PIPE_BYTES, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

    if (n <= 0)
        return n;
    from->in_pipe += (size_t)n;
    *done = n < 65536;
    return n;
}

static ssize_t move_copy(struct side *from, bool *done)
{
    ssize_t n = recv(from->fd, buf, BUF_BYTES, 0), sent;

    if (n <= 0)
        return n;
    sent = send(from->peer->fd, buf, (size_t)n, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        return -1;
    sent = sent < 0 ? 0 : sent;
    if (sent < n && !keep_rest(from->peer, buf + sent, (size_t)(n - sent)))
        return -1;
    /* A short read means that the socket is empty: the next edge will tell. */
    *done = sent < n || (size_t)n < BUF_BYTES;
    return n;
}

/* False when the pair is broken. */
static bool pump(struct side *from)
{
    struct side *to = from->peer;

    for (;;) {
        enum drained d = drain(to);
        bool done = false;
        ssize_t n;

        if (d != DRAINED)
            return d == BLOCKED;
        if (from->eof) {
            shutdown(to->fd, SHUT_WR);
            return !to->eof;
        }
        n = splicing ? move_splice(from, &done) : move_copy(from, &done);
        if (n < 0)
            return errno == EAGAIN;
        if (n == 0)
            from->eof = true;
        else if (done)
            return !splicing || drain(to) != BROKEN;
    }
}

static struct side *add_side(int fd)
{
    struct side *s = calloc(1, sizeof *s);

    if (s == NULL)
        die("calloc");
    s->fd = fd;
    if (splicing) {
        if (pipe2(s->pipe, O_NONBLOCK | O_CLOEXEC) != 0)
            die("pipe");
        fcntl(s->pipe[1], F_SETPIPE_SZ, PIPE_BYTES);
    }
    return s;
}

static void watch(struct side *s)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = s};

    epoll_ctl(ep, EPOLL_CTL_ADD, s->fd, &e);
}

static void accept_all(int listener)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int up = tcp_connect(origin_port);
        struct side *a, *b;

        if (up < 0) {
            close(fd);
            continue;
        }
        set_nodelay(fd);
        set_nonblock(up);
        a = add_side(fd);
        b = add_side(up);
        a->peer = b;
        b->peer = a;
        watch(a);
        watch(b);
    }
}

static void on_event(struct side *s, uint32_t events)
{
    bool waiting = splicing ? s->peer->in_pipe > 0 : s->pending_len > 0;
    bool ok = true;

    if (s->dead)
        return;
    if ((events & EPOLLOUT) != 0 && waiting)
        ok = pump(s->peer);
    if (ok && (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0)
        ok = pump(s);
    if (!ok)
        kill_pair(s);
}

int main(int argc, char **argv)
{
    unsigned long port = 8080, to = 9000;
    struct epoll_event e = {.events = EPOLLIN}, events[256];
    int opt, listener;

    while ((opt = getopt(argc, argv, "p:b:m:")) != -1) {
        if (opt == 'p')
            port = parse_number(optarg, UINT16_MAX);
        else if (opt == 'b')
            to = parse_number(optarg, UINT16_MAX);
        else if (opt == 'm')
            splicing = strcmp(optarg, "splice") == 0;
        else
            return 2;
    }
    origin_port = (uint16_t)to;
    signal(SIGPIPE, SIG_IGN);
    listener = tcp_listen((uint16_t)port);
    ep = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(ep, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int n = epoll_wait(ep, events, 256, -1);

        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == NULL)
                accept_all(listener);
            else
                on_event(events[i].data.ptr, events[i].events);
        }
        reap();
    }
}
