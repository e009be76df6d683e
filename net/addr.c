/* Socket addresses and address ranges; see addr.h. Pure: no lookups, no memory, any thread. */
#include "net/addr.h"
#include <arpa/inet.h>
#include <stdio.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

enum err addr_parse_ip(struct sv ip, uint16_t port, struct addr *out)
{
    char text[INET6_ADDRSTRLEN];
    struct addr a = {0};

    if (ip.n == 0 || ip.n >= sizeof text || sv_find(ip, '\0', 0) != SIZE_MAX)
        return E_PARSE;
    memcpy(text, ip.p, ip.n);
    text[ip.n] = '\0';
    if (inet_pton(AF_INET, text, &a.in4.sin_addr) == 1)
        a.in4.sin_family = AF_INET;
    else if (inet_pton(AF_INET6, text, &a.in6.sin6_addr) == 1)
        a.in6.sin6_family = AF_INET6;
    else
        return E_PARSE;
    addr_set_port(&a, port);
    *out = a;
    return OK;
}

enum err addr_parse(struct sv text, struct addr *out)
{
    struct addr a;
    uint16_t port = 0;
    size_t colon = sv_rfind(text, ':');

    if (colon == SIZE_MAX || sv_u16(sv_skip(text, colon + 1), &port) != OK)
        return E_PARSE;
    struct sv ip = sv_of(text.p, colon);
    bool brackets = sv_starts(ip, SV("[")) && sv_ends(ip, SV("]"));
    if (brackets)
        ip = sv_of(ip.p + 1, ip.n - 2);
    TRY(addr_parse_ip(ip, port, &a));
    /* Without brackets the last group of an IPv6 address would pass for a port. */
    if (brackets != (a.sa.sa_family == AF_INET6))
        return E_PARSE;
    *out = a;
    return OK;
}

void addr_unix(const char *keep_path, struct addr *out)
{
    *out = (struct addr){.path = keep_path};
    out->sa.sa_family = AF_UNIX;
}

enum err addr_from_sockaddr(const struct sockaddr *sa, socklen_t n, struct addr *out)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)(const void *)sa;
    const size_t path_at = offsetof(struct sockaddr_un, sun_path);

    if (n < sizeof sa->sa_family)
        return E_UNSUPPORTED;
    if (sa->sa_family == AF_INET && n >= sizeof out->in4) {
        *out = (struct addr){0};
        memcpy(&out->in4, sa, sizeof out->in4);
        return OK;
    }
    if (sa->sa_family == AF_INET6 && n >= sizeof out->in6) {
        *out = (struct addr){0};
        memcpy(&out->in6, sa, sizeof out->in6);
        return OK;
    }
    if (sa->sa_family != AF_UNIX)
        return E_UNSUPPORTED;
    /* Unnamed and abstract peers have no path; one that fills sun_path has no NUL to end it. */
    bool named = n > path_at && memchr(un->sun_path, '\0', n - path_at) != NULL;
    addr_unix(named ? un->sun_path : "", out);
    return OK;
}

static enum err unix_to_sockaddr(const char *path, struct sockaddr_storage *ss, socklen_t *n)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t len = strlen(path);

    if (len >= sizeof un.sun_path)
        return E_LIMIT;
    memcpy(un.sun_path, path, len + 1);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
    if (path[0] == '@') { /* Envoy's spelling of the abstract namespace, whose names have no NUL */
        un.sun_path[0] = '\0';
        size--;
    }
    memset(ss, 0, sizeof *ss);
    memcpy(ss, &un, sizeof un);
    *n = size;
    return OK;
}

enum err addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *ss, socklen_t *n)
{
    socklen_t size;

    switch (a->sa.sa_family) {
    case AF_UNIX:
        return unix_to_sockaddr(a->path, ss, n);
    case AF_INET:
        size = sizeof a->in4;
        break;
    case AF_INET6:
        size = sizeof a->in6;
        break;
    default:
        return E_UNSUPPORTED;
    }
    memset(ss, 0, sizeof *ss);
    memcpy(ss, &a->in6, size);
    *n = size;
    return OK;
}

/* The length that snprintf wrote, the NUL not counted. */
static size_t written(int n, size_t room)
{
    if (n < 0 || room == 0)
        return 0;
    return (size_t)n < room ? (size_t)n : room - 1;
}

size_t addr_format_ip(const struct addr *a, char *out, size_t room)
{
    char text[INET6_ADDRSTRLEN] = "";
    const char *shown = text;

    if (a->sa.sa_family == AF_INET)
        inet_ntop(AF_INET, &a->in4.sin_addr, text, sizeof text);
    else if (a->sa.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &a->in6.sin6_addr, text, sizeof text);
    else if (a->sa.sa_family == AF_UNIX)
        shown = a->path;
    return written(snprintf(out, room, "%s", shown), room);
}

size_t addr_format(const struct addr *a, char *out, size_t room)
{
    char ip[INET6_ADDRSTRLEN];

    if (a->sa.sa_family != AF_INET && a->sa.sa_family != AF_INET6)
        return addr_format_ip(a, out, room);
    addr_format_ip(a, ip, sizeof ip);
    const char *shape = a->sa.sa_family == AF_INET ? "" : "[]";
    int n = snprintf(out, room, "%.1s%s%s:%u", shape, ip, shape[0] == '\0' ? "" : shape + 1,
                     addr_port(a));
    return written(n, room);
}

uint16_t addr_port(const struct addr *a)
{
    if (a->sa.sa_family == AF_INET)
        return ntohs(a->in4.sin_port);
    return a->sa.sa_family == AF_INET6 ? ntohs(a->in6.sin6_port) : 0;
}

void addr_set_port(struct addr *a, uint16_t port)
{
    if (a->sa.sa_family == AF_INET)
        a->in4.sin_port = htons(port);
    else if (a->sa.sa_family == AF_INET6)
        a->in6.sin6_port = htons(port);
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    switch (a->sa.sa_family) {
    case AF_INET:
        return a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr &&
               a->in4.sin_port == b->in4.sin_port;
    case AF_INET6:
        return memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16) == 0 &&
               a->in6.sin6_port == b->in6.sin6_port && a->in6.sin6_scope_id == b->in6.sin6_scope_id;
    case AF_UNIX:
        return strcmp(a->path, b->path) == 0;
    default:
        return true;
    }
}

bool addr_eq_ip(const struct addr *a, const struct addr *b)
{
    struct addr x = *a, y = *b;

    addr_unmap(&x);
    addr_unmap(&y);
    addr_set_port(&x, 0);
    addr_set_port(&y, 0);
    return addr_eq(&x, &y);
}

/* Everything addr_eq compares, in one row of bytes. */
uint64_t addr_hash(const struct addr *a)
{
    struct {
        uint8_t ip[16];
        uint32_t scope;
        uint16_t port, family;
    } key = {.family = a->sa.sa_family};

    switch (a->sa.sa_family) {
    case AF_INET:
        memcpy(key.ip, &a->in4.sin_addr, 4);
        key.port = a->in4.sin_port;
        break;
    case AF_INET6:
        memcpy(key.ip, &a->in6.sin6_addr, 16);
        key.port = a->in6.sin6_port;
        key.scope = a->in6.sin6_scope_id;
        break;
    case AF_UNIX:
        return XXH3_64bits(a->path, strlen(a->path));
    default:
        break;
    }
    return XXH3_64bits(&key, sizeof key);
}

bool addr_is_loopback(const struct addr *a)
{
    struct addr plain = *a;

    addr_unmap(&plain);
    if (plain.sa.sa_family == AF_INET)
        return ntohl(plain.in4.sin_addr.s_addr) >> 24 == 127;
    return plain.sa.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&plain.in6.sin6_addr);
}

bool addr_is_any(const struct addr *a)
{
    if (a->sa.sa_family == AF_INET)
        return a->in4.sin_addr.s_addr == htonl(INADDR_ANY);
    return a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

void addr_unmap(struct addr *a)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET};

    if (a->sa.sa_family != AF_INET6 || memcmp(&a->in6.sin6_addr, mapped_prefix, 12) != 0)
        return;
    in4.sin_port = a->in6.sin6_port;
    memcpy(&in4.sin_addr, a->in6.sin6_addr.s6_addr + 12, 4);
    *a = (struct addr){.in4 = in4};
}

enum err cidr_make(struct sv ip, uint32_t prefix, struct cidr *out)
{
    struct addr a;
    struct cidr c = {0};

    TRY(addr_parse_ip(ip, 0, &a));
    c.family4 = a.sa.sa_family == AF_INET;
    unsigned bytes = c.family4 ? 4 : 16;
    if (c.family4)
        memcpy(c.bytes, &a.in4.sin_addr, 4);
    else
        memcpy(c.bytes, &a.in6.sin6_addr, 16);
    c.prefix = (uint8_t)(prefix > bytes * 8 ? bytes * 8 : prefix);
    for (unsigned bit = c.prefix; bit < bytes * 8; bit++)
        c.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    *out = c;
    return OK;
}

enum err cidr_parse(struct sv text, struct cidr *out)
{
    uint32_t prefix = UINT8_MAX; /* clamped to the full length */
    size_t slash = sv_find(text, '/', 0);

    if (slash == SIZE_MAX)
        return cidr_make(text, prefix, out);
    TRY(sv_u32(sv_skip(text, slash + 1), &prefix));
    return cidr_make(sv_of(text.p, slash), prefix, out);
}

bool cidr_contains(const struct cidr *c, const struct addr *a)
{
    struct addr plain = *a;
    const uint8_t *ip;

    if (c->family4)
        addr_unmap(&plain);
    if (plain.sa.sa_family != (c->family4 ? AF_INET : AF_INET6))
        return false;
    ip = c->family4 ? (const uint8_t *)&plain.in4.sin_addr : plain.in6.sin6_addr.s6_addr;
    if (memcmp(ip, c->bytes, c->prefix / 8) != 0)
        return false;
    unsigned rest = c->prefix % 8;
    return rest == 0 || (uint8_t)(ip[c->prefix / 8] ^ c->bytes[c->prefix / 8]) >> (8 - rest) == 0;
}
