/* Socket calls against the loopback interface. */
#include "net/sock.h"
#include "tests/support/t.h"
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static int option(int fd, int level, int name)
{
    int v = -1;
    socklen_t n = sizeof v;
    return getsockopt(fd, level, name, &v, &n) == 0 ? v : -1;
}

static bool readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) == 1;
}

static bool writable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, ms) == 1;
}

/* -1 when the family is not there. */
static int listen_at(const char *where, struct sock_listen_opts o, struct addr *at)
{
    int fd = -1;
    T_EXPECT(addr_parse(sv_str(where), at) == OK, "%s", where);
    if (sock_listen(at, &o, &fd) != OK)
        return -1;
    T_EXPECT(sock_local(fd, at) == OK, "%s", where);
    return fd;
}

T(sock, listens)
{
    static const struct {
        const char *at;
        struct sock_listen_opts o;
        bool v6;
    } rows[] = {
        {"127.0.0.1:0", {0},                  false},
        {"127.0.0.1:0", {.reuse_port = true}, false},
        {"127.0.0.1:0", {.backlog = 1},       false},
        {"[::1]:0",     {0},                  true },
        {"[::1]:0",     {.ipv6_only = true},  true },
        {"[::]:0",      {.reuse_port = true}, true },
        {"[::]:0",      {.ipv6_only = true},  true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct addr at;
        int fd = listen_at(rows[i].at, rows[i].o, &at);
        if (fd < 0 && rows[i].v6)
            continue; /* a machine without IPv6 */
        T_ASSERT(fd >= 0, "%s: %d", rows[i].at, errno);
        T_EXPECT(addr_port(&at) != 0, "%s", rows[i].at);
        T_EXPECT_EQ(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1, rows[i].at);
        T_EXPECT_EQ(option(fd, SOL_SOCKET, SO_REUSEADDR), 1, rows[i].at);
        T_EXPECT_EQ(option(fd, SOL_SOCKET, SO_REUSEPORT), rows[i].o.reuse_port, rows[i].at);
        T_EXPECT_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 1, rows[i].at);
        if (addr_is_any(&at)) /* elsewhere the kernel sets it by itself */
            T_EXPECT_EQ(option(fd, IPPROTO_IPV6, IPV6_V6ONLY), rows[i].o.ipv6_only, rows[i].at);
        T_EXPECT(fcntl(fd, F_GETFL) & O_NONBLOCK, "%s", rows[i].at);
        T_EXPECT(fcntl(fd, F_GETFD) & FD_CLOEXEC, "%s", rows[i].at);
        close(fd);
    }
}

T(sock, a_port_is_shared_only_on_request)
{
    for (int shared = 0; shared <= 1; shared++) {
        struct sock_listen_opts o = {.reuse_port = shared};
        struct addr at;
        int first = listen_at("127.0.0.1:0", o, &at), second = -1;
        T_ASSERT(first >= 0);
        enum err e = sock_listen(&at, &o, &second);
        if (shared) {
            T_EXPECT(e == OK, "%s", err_name(e));
            close(second);
        } else {
            T_EXPECT(e == E_IO && errno == EADDRINUSE && second == -1, "%s", err_name(e));
        }
        close(first);
    }
}

T(sock, connects)
{
    static const char *const families[] = {"127.0.0.1:0", "[::1]:0"};
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        struct addr at, local, peer, dst;
        int fd = listen_at(families[i], (struct sock_listen_opts){0}, &at), out = -1;
        if (fd < 0 && i == 1)
            continue;
        T_ASSERT(fd >= 0 && sock_connect(&at, &out) == OK);
        T_EXPECT(writable(out, 10000) && readable(fd, 10000));
        T_EXPECT_EQ(sock_error(out), 0, "connected");
        T_EXPECT_EQ(option(out, IPPROTO_TCP, TCP_NODELAY), 1, "no delay");
        T_EXPECT((fcntl(out, F_GETFL) & O_NONBLOCK) && (fcntl(out, F_GETFD) & FD_CLOEXEC));
        int in = accept(fd, NULL, NULL);
        T_ASSERT(in >= 0);
        T_EXPECT_EQ(option(in, IPPROTO_TCP, TCP_NODELAY), 1, "inherited");
        T_EXPECT(sock_local(out, &local) == OK && sock_peer(in, &peer) == OK);
        T_EXPECT(addr_eq(&local, &peer), "both ends agree");
        T_EXPECT(sock_peer(out, &peer) == OK && addr_eq(&peer, &at));
        T_EXPECT(sock_local(in, &local) == OK);
        T_EXPECT(sock_original_dst(in, &local, &dst) == E_NOTFOUND, "not redirected");
        close(in);
        close(out);
        close(fd);
    }
}

T(sock, a_refused_connect_tells_why)
{
    struct addr at;
    int fd = listen_at("127.0.0.1:0", (struct sock_listen_opts){0}, &at), out = -1;
    T_ASSERT(fd >= 0);
    close(fd);
    enum err e = sock_connect(&at, &out);
    if (e == OK) {
        T_EXPECT(writable(out, 10000));
        T_EXPECT_EQ(sock_error(out), ECONNREFUSED, "later");
        T_EXPECT_EQ(sock_error(out), 0, "told once");
        close(out);
    } else {
        T_EXPECT(e == E_IO && errno == ECONNREFUSED, "at once");
    }
    T_EXPECT_EQ(sock_error(-1), EBADF, "no socket");
}

T(sock, unix_paths)
{
    char path[64], long_path[200];
    struct addr at, here;
    int fd = -1, out = -1;
    snprintf(path, sizeof path, "@weft.test.%d", (int)getpid());
    addr_unix(path, &at);
    T_ASSERT(sock_listen(&at, &(struct sock_listen_opts){.reuse_port = true}, &fd) == OK);
    T_EXPECT(sock_connect(&at, &out) == OK);
    T_EXPECT(sock_local(out, &here) == OK && here.sa.sa_family == AF_UNIX);
    close(out);
    close(fd);
    addr_unix("/nowhere/at/all", &at);
    T_EXPECT(sock_connect(&at, &out) == E_IO && errno == ENOENT);
    T_EXPECT(sock_listen(&at, &(struct sock_listen_opts){0}, &out) == E_IO && errno == ENOENT);
    memset(long_path, 'x', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    addr_unix(long_path, &at);
    T_EXPECT(sock_connect(&at, &out) == E_LIMIT);
    T_EXPECT(sock_listen(&at, &(struct sock_listen_opts){0}, &out) == E_LIMIT);
}

/* Who is in the queue stays; nobody new gets in. */
T(sock, a_muted_listener_hears_no_one_new)
{
    struct addr at;
    int fd = listen_at("127.0.0.1:0", (struct sock_listen_opts){0}, &at), before = -1, after = -1;
    T_ASSERT(fd >= 0 && sock_connect(&at, &before) == OK);
    T_EXPECT(writable(before, 10000));
    sock_listen_mute(fd);
    T_EXPECT(sock_connect(&at, &after) == OK);
    T_EXPECT(!writable(after, 50), "no answer");
    int in = accept(fd, NULL, NULL);
    T_EXPECT(in >= 0, "the one before");
    T_EXPECT(accept(fd, NULL, NULL) < 0 && errno == EAGAIN, "and no one else");
    T_EXPECT(send(before, "x", 1, 0) == 1 && readable(in, 10000), "which is not deaf");
    close(in);
    close(before);
    close(after);
    close(fd);
}

T(sock, own_addresses)
{
    static const struct {
        const char *ip;
        bool local;
    } rows[] = {
        {"127.0.0.1",        true },
        {"127.9.9.9",        true },
        {"::1",              true },
        {"::ffff:127.0.0.1", true },
        {"192.0.2.1",        false},
        {"2001:db8::1",      false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct addr a;
        T_EXPECT(addr_parse_ip(sv_str(rows[i].ip), 0, &a) == OK);
        T_EXPECT(sock_ip_is_local(&a) == rows[i].local, "%s", rows[i].ip);
    }
    for (int v6 = 0; v6 <= 1; v6++) {
        struct addr a;
        sock_host_ip(v6, &a);
        T_EXPECT(a.sa.sa_family == (v6 ? AF_INET6 : AF_INET) && addr_port(&a) == 0);
        T_EXPECT(sock_ip_is_local(&a), "this host is itself");
    }
}
