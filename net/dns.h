#pragma once
/* Name look-ups by c-ares on one loop (main's). Answers arrive by callback from the loop;
 * /etc/hosts and /etc/resolv.conf are honoured. */
#include "net/addr.h"
#include "net/loop.h"

enum dns_family { DNS_AUTO, DNS_V4_ONLY, DNS_V6_ONLY, DNS_V4_PREFERRED, DNS_ALL };

struct dns_answer {
    enum err err; /* OK, E_NOTFOUND (the name exists not, or has no address), E_TIMEOUT, E_IO */
    const char *reason;       /* for the log */
    const struct addr *addrs; /* port 0; borrowed for the call */
    size_t n;
    uint32_t ttl_s; /* the smallest of the answer, aliases included */
};

struct dns_resolver;
struct dns_query;

MUST enum err dns_resolver_new(struct loop *l, struct dns_resolver **out);
/* Pending queries are forgotten without a callback. */
void dns_resolver_free(struct dns_resolver **r);

/* AUTO asks for IPv6 and falls back to IPv4, V4_PREFERRED the other way round. fn is called once,
 * never from inside this call. *out may be given to dns_cancel until then. E_NOMEM. */
MUST enum err dns_resolve(struct dns_resolver *r, struct sv name, enum dns_family family,
                          void (*fn)(void *arg, const struct dns_answer *a), void *arg,
                          struct dns_query **out);
void dns_cancel(struct dns_query **q); /* fn will not be called */
