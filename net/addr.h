#pragma once
/* Socket addresses: parsing, printing, comparing, CIDR ranges. Pure, any thread. */
#include "base/sv.h"
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

/* An IPv4, IPv6 or unix address. 28 bytes of payload for IP; unix paths live outside (path). */
struct addr {
    union {
        struct sockaddr sa;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
    };
    const char *path; /* AF_UNIX: borrowed, NUL-terminated; else NULL */
};

enum { ADDR_TEXT_MAX = 128 }; /* room addr_format needs */

/* A literal IPv4 or IPv6 address (no brackets, no name). E_PARSE. */
MUST enum err addr_parse_ip(struct sv ip, uint16_t port, struct addr *out);
/* "1.2.3.4:80" or "[::1]:80". E_PARSE. */
MUST enum err addr_parse(struct sv text, struct addr *out);
void addr_unix(const char *keep_path, struct addr *out);
/* E_UNSUPPORTED for a family we do not know. A unix path is borrowed from sa; an unnamed or
 * abstract one becomes "". */
MUST enum err addr_from_sockaddr(const struct sockaddr *sa, socklen_t n, struct addr *out);
/* Fills ss and its length, for bind and connect. A unix path that begins with '@' is abstract, as
 * in Envoy. E_LIMIT: unix path too long. */
MUST enum err addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *ss, socklen_t *n);

/* Envoy's text: "1.2.3.4:80", "[::1]:80", a unix path. Returns its length (NUL-terminated,
 * cut off at room). */
size_t addr_format(const struct addr *a, char *out, size_t room);
/* Without port and brackets. */
size_t addr_format_ip(const struct addr *a, char *out, size_t room);
uint16_t addr_port(const struct addr *a);
void addr_set_port(struct addr *a, uint16_t port);
bool addr_eq(const struct addr *a, const struct addr *b);    /* port included */
bool addr_eq_ip(const struct addr *a, const struct addr *b); /* IPv4-mapped IPv6 equals its IPv4 */
uint64_t addr_hash(const struct addr *a);
bool addr_is_loopback(const struct addr *a); /* 127/8, ::1, mapped 127/8 */
bool addr_is_any(const struct addr *a);
/* An IPv4-mapped IPv6 address becomes IPv4; others stay. */
void addr_unmap(struct addr *a);

struct cidr {
    uint8_t bytes[16];
    uint8_t family4; /* 1: IPv4 in the first 4 bytes */
    uint8_t prefix;
};
/* prefix beyond the family's length is clamped, as Envoy does. Host bits are cleared. */
MUST enum err cidr_make(struct sv ip, uint32_t prefix, struct cidr *out);
/* "10.0.0.0/8", "::/0", or a plain address (full length). */
MUST enum err cidr_parse(struct sv text, struct cidr *out);
/* An IPv4 range holds IPv4-mapped IPv6 addresses too: the host is the same. */
bool cidr_contains(const struct cidr *c, const struct addr *a);
