/*
 * The HTTP/1.1 load generator of the benchmarks: one thread, epoll.
 *   closed loop (-r 0): every connection sends its next request when the last one is answered;
 *   open loop (-r N): requests are due at fixed times, and latency counts from when a request was
 * due, so one that waits for a free connection is charged its wait (no coordinated omission); -m
 * bulk: each connection asks for one huge body and throws it away (MSG_TRUNC); -m idle: opens the
 * connections, does one request on each, prints "ready" and waits. With -P it also reads the CPU
 * time of that process tree over the measured window. Prints one line of key=value.
 *
 * usage: load -p PORT [-u PATH] [-c CONNECTIONS] [-d SECONDS] [-w WARMUP_MS] [-r RATE] [-m
 * http|bulk|idle]
 *             [-P PID] [-n MAX_REQUESTS]
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/src/cputime.h"
#include "tests/bench/src/hist.h"
#include "tests/bench/src/util.h"

#define MAX_ERRORS 1000
#define LONGEST_WAIT_NS ((int64_t)100000000)

enum mode { MODE_HTTP, MODE_BULK, MODE_IDLE };
enum got { GOT_MORE, GOT_RESPONSE, GOT_BROKEN };

struct conn {
    int fd;
    bool in_body;
    int64_t body_left;
    uint64_t due_ns; /* 0: the answer does not count */
    size_t head_len;
    char head[4096];
};

struct options {
    enum mode mode;
    uint16_t port;
    const char *path;
    unsigned long conns, warm_ms, max_requests, pid;
    double seconds, rate;
};

struct result {
    uint64_t requests, bytes, errors, start_ns;
    struct cpu_time cpu;
};

static struct options opt = {
    .port = 8080, .path = "/b/1024", .conns = 64, .warm_ms = 500, .seconds = 3};
static struct conn *conns;
static struct conn **free_conns; /* open loop: connections without a request */
static size_t free_count;
static int ep;
static char request[512], scratch[1 << 18];
static size_t request_len;
static uint64_t answered, body_bytes, errors;
static bool measuring;

static bool send_request(struct conn *c, uint64_t due_ns)
{
    c->due_ns = due_ns;
    c->in_body = false;
    c->head_len = 0;
    return send(c->fd, request, request_len, MSG_NOSIGNAL) == (ssize_t)request_len;
}

/* Takes n bytes of scratch as (part of) a head; the body bytes after it are counted. */
static enum got take_head(struct conn *c, size_t n)
{
    size_t before = c->head_len, room = sizeof c->head - 1 - before;
    size_t take = n < room ? n : room, body;
    char *end, *length;

    memcpy(c->head + before, scratch, take);
    c->head_len += take;
    c->head[c->head_len] = '\0';
    end = strstr(c->head, "\r\n\r\n");
    if (end == NULL)
        return c->head_len < sizeof c->head - 1 ? GOT_MORE : GOT_BROKEN;
    if (strncmp(c->head + strlen("HTTP/1.1 "), "200", 3) != 0)
        return GOT_BROKEN;
    end[2] = '\0';
    length = strcasestr(c->head, "\r\ncontent-length:");
    if (length == NULL)
        return GOT_BROKEN;
    body = n - ((size_t)(end + 4 - c->head) - before);
    c->body_left = strtoll(length + strlen("\r\ncontent-length:"), NULL, 10) - (int64_t)body;
    c->in_body = true;
    body_bytes += body;
    return c->body_left > 0 ? GOT_MORE : c->body_left == 0 ? GOT_RESPONSE : GOT_BROKEN;
}

static ssize_t receive(struct conn *c)
{
    if (opt.mode == MODE_BULK && c->in_body)
        return recv(c->fd, NULL, (size_t)1 << 22, MSG_TRUNC);
    return recv(c->fd, scratch, sizeof scratch, 0);
}

static enum got on_readable(struct conn *c)
{
    for (;;) {
        ssize_t n = receive(c);
        enum got got = GOT_MORE;

        if (n < 0 && errno == EAGAIN)
            return GOT_MORE;
        if (n <= 0)
            return GOT_BROKEN;
        if (!c->in_body) {
            got = take_head(c, (size_t)n);
        } else {
            c->body_left -= n;
            body_bytes += (uint64_t)n;
            got = c->body_left > 0 ? GOT_MORE : c->body_left == 0 ? GOT_RESPONSE : GOT_BROKEN;
        }
        if (got != GOT_MORE || opt.mode == MODE_BULK || (size_t)n < sizeof scratch)
            return got;
    }
}

static void open_conn(struct conn *c)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};

    c->fd = tcp_connect(opt.port);
    if (c->fd < 0)
        die("connect");
    set_nonblock(c->fd);
    epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
}

static void on_broken(struct conn *c)
{
    if (++errors > MAX_ERRORS) {
        fprintf(stderr, "too many errors\n");
        exit(1);
    }
    close(c->fd);
    open_conn(c);
    c->due_ns = 0;
}

static void on_event(struct conn *c)
{
    enum got got = on_readable(c);
    uint64_t now;

    if (got == GOT_MORE)
        return;
    if (got == GOT_BROKEN)
        on_broken(c);
    now = now_ns();
    if (c->due_ns != 0) {
        answered++;
        if (measuring)
            hist_add(now - c->due_ns);
    }
    if (opt.rate > 0)
        free_conns[free_count++] = c;
    else if (!send_request(c, now))
        errors++;
}

/* Open loop: sends what is due and gives back the wait until the next one. */
static int64_t send_due(uint64_t start_ns, uint64_t now)
{
    static uint64_t sent;
    double gap = 1e9 / opt.rate;
    uint64_t next = start_ns + (uint64_t)((double)sent * gap);

    while (next <= now && free_count > 0) {
        if (!send_request(free_conns[--free_count], next))
            errors++;
        next = start_ns + (uint64_t)((double)++sent * gap);
    }
    if (next <= now || next - now > (uint64_t)LONGEST_WAIT_NS)
        return LONGEST_WAIT_NS;
    return (int64_t)(next - now);
}

static void start_measuring(struct result *r)
{
    measuring = true;
    answered = body_bytes = 0;
    r->cpu = cpu_read();
    r->start_ns = now_ns();
}

static struct result run(void)
{
    uint64_t start = now_ns(), warm_end = start + opt.warm_ms * NS_PER_MS;
    uint64_t end = warm_end + (uint64_t)(opt.seconds * 1e9);
    struct epoll_event events[256];
    struct result r = {0};

    for (;;) {
        uint64_t now = now_ns();
        struct timespec wait = {.tv_nsec = LONGEST_WAIT_NS};
        int n;

        if (!measuring && now >= warm_end)
            start_measuring(&r);
        if (now >= end || (measuring && opt.max_requests > 0 && answered >= opt.max_requests))
            break;
        if (opt.rate > 0)
            wait.tv_nsec = send_due(start, now);
        n = epoll_pwait2(ep, events, 256, &wait, NULL);
        for (int i = 0; i < n; i++)
            on_event(events[i].data.ptr);
    }
    r.requests = answered;
    r.bytes = body_bytes;
    r.errors = errors;
    return r;
}

static void print_result(const struct result *r)
{
    struct cpu_time now = cpu_read();
    double secs = (double)(now_ns() - r->start_ns) / 1e9, cpu = now.total_s - r->cpu.total_s;
    double n = (double)r->requests, gb = (double)r->bytes / 1e9;

    printf("rps=%.0f mbps=%.1f n=%llu errs=%llu secs=%.3f util=%.1f cpu_us=%.3f cpu_s_per_gb=%.4f "
           "user=%.2f sys=%.2f p50=%.1f p99=%.1f\n",
           n / secs, gb * 1e3 / secs, (unsigned long long)r->requests,
           (unsigned long long)r->errors, secs, 100 * cpu / secs, n > 0 ? 1e6 * cpu / n : 0,
           gb > 0 ? cpu / gb : 0, now.user_s - r->cpu.user_s, now.sys_s - r->cpu.sys_s, hist_us(.5),
           hist_us(.99));
}

static int hold_idle(void)
{
    for (unsigned long i = 0; i < opt.conns; i++) {
        struct conn *c = &conns[i];
        enum got got;

        c->fd = tcp_connect_spread(opt.port);
        if (c->fd < 0 || !send_request(c, 0))
            die("connect");
        while ((got = on_readable(c)) == GOT_MORE)
            ;
        if (got == GOT_BROKEN)
            die("response");
    }
    printf("ready\n");
    fflush(stdout);
    sleep((unsigned)opt.seconds);
    return 0;
}

static void parse_mode(const char *name)
{
    opt.mode = strcmp(name, "bulk") == 0   ? MODE_BULK
               : strcmp(name, "idle") == 0 ? MODE_IDLE
                                           : MODE_HTTP;
}

static bool parse_options(int argc, char **argv)
{
    int o;

    while ((o = getopt(argc, argv, "p:u:c:d:w:r:m:P:n:")) != -1) {
        switch (o) {
        case 'p':
            opt.port = (uint16_t)parse_number(optarg, UINT16_MAX);
            break;
        case 'u':
            opt.path = optarg;
            break;
        case 'c':
            opt.conns = parse_number(optarg, 100000);
            break;
        case 'd':
            opt.seconds = strtod(optarg, NULL);
            break;
        case 'w':
            opt.warm_ms = parse_number(optarg, 60000);
            break;
        case 'r':
            opt.rate = strtod(optarg, NULL);
            break;
        case 'm':
            parse_mode(optarg);
            break;
        case 'P':
            opt.pid = parse_number(optarg, INT32_MAX);
            break;
        case 'n':
            opt.max_requests = parse_number(optarg, UINT32_MAX);
            break;
        default:
            return false;
        }
    }
    return opt.conns > 0;
}

int main(int argc, char **argv)
{
    struct result r;

    if (!parse_options(argc, argv))
        return 2;
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_TIMERSLACK, 1);
    request_len = (size_t)snprintf(request, sizeof request,
                                   "GET %s HTTP/1.1\r\nhost: svc.mesh.local\r\n"
                                   "user-agent: bench/1\r\naccept: */*\r\n"
                                   "x-trace: 0123456789abcdef0123456789abcdef\r\n\r\n",
                                   opt.path);
    conns = calloc(opt.conns, sizeof *conns);
    free_conns = calloc(opt.conns, sizeof(struct conn *));
    ep = epoll_create1(EPOLL_CLOEXEC);
    if (conns == NULL || free_conns == NULL || ep < 0)
        die("set-up");
    if (opt.mode == MODE_IDLE)
        return hold_idle();
    for (unsigned long i = 0; i < opt.conns; i++) {
        open_conn(&conns[i]);
        free_conns[free_count++] = &conns[i];
    }
    cpu_watch((int)opt.pid);
    if (opt.rate <= 0)
        while (free_count > 0)
            if (!send_request(free_conns[--free_count], now_ns()))
                die("send");
    r = run();
    print_result(&r);
    return 0;
}
