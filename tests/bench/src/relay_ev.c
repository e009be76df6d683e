/*
 * The relay of relay.c on libevent, as weft uses it: one edge-triggered event per descriptor, own
 * recv() and send(). It prices the library: what it costs above relay.c is libevent's part.
 *
 * usage: relay_ev -p PORT -b ORIGIN_PORT
 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/src/util.h"

#define BUF_BYTES ((size_t)256 << 10)

struct side {
    int fd;
    struct side *peer;
    struct event *readable, *writable;
    char *pending;
    size_t pending_len, pending_off;
};

static struct event_base *base;
static uint16_t origin_port;
static char buf[BUF_BYTES];

static void kill_pair(struct side *s)
{
    struct side *pair[2] = {s, s->peer};

    for (int i = 0; i < 2; i++) {
        event_free(pair[i]->readable);
        event_free(pair[i]->writable);
        close(pair[i]->fd);
        free(pair[i]->pending);
        free(pair[i]);
    }
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct side *s = arg;

    (void)what;
    while (s->pending_len > 0) {
        ssize_t n = send(fd, s->pending + s->pending_off, s->pending_len, MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN) {
            event_add(s->writable, NULL);
            return;
        }
        if (n < 0) {
            kill_pair(s);
            return;
        }
        s->pending_off += (size_t)n;
        s->pending_len -= (size_t)n;
    }
    event_add(s->peer->readable, NULL);
    event_active(s->peer->readable, EV_READ, 0);
}

/* The other side is full: reading stops until it has taken the rest. */
static void wait_for_peer(struct side *s, const char *rest, size_t n)
{
    struct side *to = s->peer;

    if (to->pending == NULL)
        to->pending = malloc(BUF_BYTES);
    if (to->pending == NULL)
        die("malloc");
    memcpy(to->pending, rest, n);
    to->pending_off = 0;
    to->pending_len = n;
    event_del(s->readable);
    event_add(to->writable, NULL);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct side *s = arg, *to = s->peer;

    (void)what;
    while (to->pending_len == 0) {
        ssize_t n = recv(fd, buf, BUF_BYTES, 0), sent;

        if (n < 0 && errno == EAGAIN)
            return;
        sent = n > 0 ? send(to->fd, buf, (size_t)n, MSG_NOSIGNAL) : -1;
        if (n <= 0 || (sent < 0 && errno != EAGAIN)) {
            kill_pair(s);
            return;
        }
        sent = sent < 0 ? 0 : sent;
        if (sent < n)
            wait_for_peer(s, buf + sent, (size_t)(n - sent));
        if ((size_t)n < BUF_BYTES)
            return;
    }
}

static struct side *add_side(int fd)
{
    struct side *s = calloc(1, sizeof *s);

    if (s == NULL)
        die("calloc");
    s->fd = fd;
    s->readable = event_new(base, fd, EV_READ | EV_PERSIST | EV_ET, on_readable, s);
    s->writable = event_new(base, fd, EV_WRITE | EV_ET, on_writable, s);
    if (s->readable == NULL || s->writable == NULL)
        die("event_new");
    event_add(s->readable, NULL);
    return s;
}

static void on_accept(evutil_socket_t listener, short what, void *arg)
{
    int fd;

    (void)what;
    (void)arg;
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
    }
}

int main(int argc, char **argv)
{
    unsigned long port = 8080, to = 9000;
    struct event_config *conf = event_config_new();
    struct event *accepting;
    int opt;

    while ((opt = getopt(argc, argv, "p:b:")) != -1) {
        if (opt == 'p')
            port = parse_number(optarg, UINT16_MAX);
        else if (opt == 'b')
            to = parse_number(optarg, UINT16_MAX);
        else
            return 2;
    }
    origin_port = (uint16_t)to;
    signal(SIGPIPE, SIG_IGN);
    event_config_set_flag(conf, EVENT_BASE_FLAG_NOLOCK);
    base = event_base_new_with_config(conf);
    accepting = event_new(base, tcp_listen((uint16_t)port), EV_READ | EV_PERSIST, on_accept, NULL);
    event_add(accepting, NULL);
    return event_base_dispatch(base);
}
