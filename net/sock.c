/* Socket calls; see sock.h. */
#include "net/sock.h"
#include <errno.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <unistd.h>

/* linux/netfilter_ipv4.h and .../ip6_tables.h; those headers clash with netinet/in.h. */
enum { ORIGINAL_DST_V4 = 80, ORIGINAL_DST_V6 = 80 };

static int set_int(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value));
}

static enum err close_failed(int fd)
{
    int saved = errno;
    close(fd);
    errno = saved;
    return E_IO;
}

enum err sock_listen(const struct addr *a, const struct sock_listen_opts *o, int *fd)
{
    struct sockaddr_storage ss;
    socklen_t n;
    TRY(addr_to_sockaddr(a, &ss, &n));
    int s = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0)
        return E_IO;
    if (ss.ss_family != AF_UNIX) {
        if (set_int(s, SOL_SOCKET, SO_REUSEADDR, 1) != 0)
            return close_failed(s);
        if (o->reuse_port && set_int(s, SOL_SOCKET, SO_REUSEPORT, 1) != 0)
            return close_failed(s);
        if (ss.ss_family == AF_INET6 && set_int(s, IPPROTO_IPV6, IPV6_V6ONLY, o->ipv6_only) != 0)
            return close_failed(s);
        /* Accepted sockets inherit it: one call less per connection. */
        sock_nodelay(s);
    }
    if (bind(s, (struct sockaddr *)&ss, n) != 0)
        return close_failed(s);
    if (listen(s, o->backlog > 0 ? o->backlog : SOMAXCONN) != 0)
        return close_failed(s);
    *fd = s;
    return OK;
}

enum err sock_connect(const struct addr *to, int *fd)
{
    struct sockaddr_storage ss;
    socklen_t n;
    TRY(addr_to_sockaddr(to, &ss, &n));
    int s = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s < 0)
        return E_IO;
    if (ss.ss_family != AF_UNIX)
        sock_nodelay(s);
    if (connect(s, (struct sockaddr *)&ss, n) != 0 && errno != EINPROGRESS)
        return close_failed(s);
    *fd = s;
    return OK;
}

int sock_error(int fd)
{
    int err = 0;
    socklen_t n = sizeof(err);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) != 0)
        return errno;
    return err;
}

enum err sock_local(int fd, struct addr *out)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof(ss);
    if (getsockname(fd, (struct sockaddr *)&ss, &n) != 0)
        return E_IO;
    return addr_from_sockaddr((struct sockaddr *)&ss, n, out);
}

enum err sock_peer(int fd, struct addr *out)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof(ss);
    if (getpeername(fd, (struct sockaddr *)&ss, &n) != 0)
        return E_IO;
    return addr_from_sockaddr((struct sockaddr *)&ss, n, out);
}

enum err sock_original_dst(int fd, const struct addr *local, struct addr *out)
{
    struct sockaddr_storage ss;
    socklen_t n = sizeof(ss);
    /* An IPv4 connection on a v6 socket has its mapping in the v4 table. */
    struct addr plain = *local;
    addr_unmap(&plain);
    int rc = plain.sa.sa_family == AF_INET ? getsockopt(fd, IPPROTO_IP, ORIGINAL_DST_V4, &ss, &n)
                                           : getsockopt(fd, IPPROTO_IPV6, ORIGINAL_DST_V6, &ss, &n);
    if (rc != 0)
        return E_NOTFOUND;
    return addr_from_sockaddr((struct sockaddr *)&ss, n, out);
}

void sock_nodelay(int fd)
{
    set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

void sock_listen_mute(int fd)
{
    /* A filter on a TCP socket sees the segment from its header on: drop what has SYN set (byte 13,
     * bit 2). */
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog prog = {.len = ARRAY_LEN(code), .filter = code};
    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog));
}

bool sock_ip_is_local(const struct addr *ip)
{
    if (addr_is_loopback(ip))
        return true;
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) != 0)
        return false;
    bool found = false;
    for (struct ifaddrs *i = list; i != NULL && !found; i = i->ifa_next) {
        struct addr a;
        if (i->ifa_addr == NULL)
            continue;
        socklen_t n = i->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                                        : sizeof(struct sockaddr_in6);
        if (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6)
            continue;
        found = addr_from_sockaddr(i->ifa_addr, n, &a) == OK && addr_eq_ip(&a, ip);
    }
    freeifaddrs(list);
    return found;
}

void sock_host_ip(bool v6, struct addr *out)
{
    struct ifaddrs *list = NULL;
    int family = v6 ? AF_INET6 : AF_INET;
    if (addr_parse_ip(v6 ? SV("::1") : SV("127.0.0.1"), 0, out) != OK || getifaddrs(&list) != 0)
        return;
    for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
        struct addr a;
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != family)
            continue;
        socklen_t n = v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
        bool link_local =
            v6 && IN6_IS_ADDR_LINKLOCAL(
                      &((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr);
        if (link_local || addr_from_sockaddr(i->ifa_addr, n, &a) != OK || addr_is_loopback(&a))
            continue;
        addr_set_port(&a, 0);
        *out = a;
        break;
    }
    freeifaddrs(list);
}
