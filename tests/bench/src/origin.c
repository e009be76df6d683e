/*
 * The origin server of the benchmarks: HTTP/1.1 keep-alive, GET /b/N answers N fixed bytes. One
 * thread, epoll. Bodies above 1 MiB are sent with sendfile() from a memfd, so that it is never the
 * bottleneck.
 *
 * usage: origin -p PORT
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/bench/src/util.h"

#define SMALL ((size_t)1 << 20)
#define MEMFD ((size_t)4 << 20)

struct conn {
    int fd;
    bool writing; /* EPOLLOUT is asked for */
    uint64_t body_left;
    size_t head_off, head_len, in_len;
    char in[8192], head[160];
};

enum sent { SENT_ALL, SENT_SOME, SENT_BROKEN };

static char body[SMALL];
static int ep, body_fd;

static void want_write(struct conn *c, bool writing)
{
    struct epoll_event e = {.events = EPOLLIN | (writing ? (uint32_t)EPOLLOUT : 0), .data.ptr = c};

    if (c->writing == writing)
        return;
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
    c->writing = writing;
}

static ssize_t send_piece(struct conn *c)
{
    size_t head = c->head_len - c->head_off;
    size_t part = c->body_left > SMALL ? 0 : (size_t)c->body_left;
    struct iovec v[2] = {
        {c->head + c->head_off, head},
        {body,                  part}
    };
    off_t start = 0;

    if (head > 0)
        return writev(c->fd, v, part > 0 ? 2 : 1);
    if (c->body_left <= SMALL)
        return send(c->fd, body, part, MSG_NOSIGNAL);
    return sendfile(c->fd, body_fd, &start, c->body_left < MEMFD ? (size_t)c->body_left : MEMFD);
}

static enum sent flush(struct conn *c)
{
    while (c->head_off < c->head_len || c->body_left > 0) {
        ssize_t n = send_piece(c);
        size_t head = c->head_len - c->head_off;

        if (n < 0 && errno == EAGAIN) {
            want_write(c, true);
            return SENT_SOME;
        }
        if (n < 0)
            return SENT_BROKEN;
        head = (size_t)n < head ? (size_t)n : head;
        c->head_off += head;
        c->body_left -= (uint64_t)n - head;
    }
    want_write(c, false);
    return SENT_ALL;
}

/* Answers the requests that are complete; false when the connection is broken. */
static bool serve(struct conn *c)
{
    for (;;) {
        char *end = memmem(c->in, c->in_len, "\r\n\r\n", 4);
        char *path;
        size_t used;
        enum sent sent;

        if (end == NULL)
            return c->in_len < sizeof c->in;
        used = (size_t)(end + 4 - c->in);
        path = memmem(c->in, used, "/b/", 3);
        c->body_left = path != NULL ? strtoull(path + 3, NULL, 10) : 0;
        c->head_off = 0;
        c->head_len = (size_t)snprintf(c->head, sizeof c->head,
                                       "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"
                                       "server: origin\r\ncontent-length: %llu\r\n\r\n",
                                       (unsigned long long)c->body_left);
        c->in_len -= used;
        memmove(c->in, c->in + used, c->in_len);
        sent = flush(c);
        if (sent != SENT_ALL)
            return sent == SENT_SOME;
    }
}

static bool on_readable(struct conn *c)
{
    ssize_t n = recv(c->fd, c->in + c->in_len, sizeof c->in - c->in_len, 0);

    if (n < 0)
        return errno == EAGAIN;
    if (n == 0)
        return false;
    c->in_len += (size_t)n;
    return c->writing || serve(c);
}

static void on_event(struct conn *c, uint32_t events)
{
    bool ok = true;

    if (c->writing && (events & EPOLLOUT) != 0) {
        enum sent sent = flush(c);

        ok = sent == SENT_ALL ? serve(c) : sent == SENT_SOME;
    }
    if (ok && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        ok = on_readable(c);
    if (!ok) {
        close(c->fd);
        free(c);
    }
}

static void accept_all(int listener)
{
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct conn *c = calloc(1, sizeof *c);
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};

        if (c == NULL)
            die("calloc");
        set_nodelay(fd);
        c->fd = fd;
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
    }
}

static void make_body(void)
{
    memset(body, 'x', sizeof body);
    body_fd = memfd_create("body", MFD_CLOEXEC);
    for (size_t i = 0; i < MEMFD / SMALL; i++)
        if (write(body_fd, body, SMALL) != (ssize_t)SMALL)
            die("memfd");
}

int main(int argc, char **argv)
{
    unsigned long port = 9000;
    struct epoll_event e = {.events = EPOLLIN}, events[256];
    int opt, listener;

    while ((opt = getopt(argc, argv, "p:")) != -1) {
        if (opt != 'p')
            return 2;
        port = parse_number(optarg, UINT16_MAX);
    }
    signal(SIGPIPE, SIG_IGN);
    make_body();
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
    }
}
