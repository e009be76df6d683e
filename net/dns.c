/* c-ares on a libevent loop; see dns.h. */
#include "net/dns.h"
#include <ares.h>
#include <netdb.h>
#include <stdlib.h>

enum { TRY_MS = 2000, TRIES = 3, ADDRS_MAX = 256 };

struct dns_socket {
    struct link link;
    struct event event;
    struct dns_resolver *r;
    ares_socket_t fd;
};

struct dns_resolver {
    struct loop *loop;
    ares_channel channel;
    struct event timeout;
    struct link sockets, queries;
    bool ready, closing;
};

struct dns_query {
    struct link link;
    struct reap reap; /* answers are delivered after the call that brought them */
    struct dns_resolver *r;
    void (*fn)(void *arg, const struct dns_answer *a);
    void *arg;
    bool cancelled, second;
    enum dns_family family;
    struct dns_answer answer;
    struct addr *addrs;
    char name[256];
};

/* ---- c-ares and its descriptors ---- */

static void arm_timeout(struct dns_resolver *r)
{
    struct timeval tv, *next = ares_timeout(r->channel, NULL, &tv);
    if (next != NULL)
        event_add(&r->timeout, next);
    else
        event_del(&r->timeout);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct dns_resolver *r = arg;
    (void)fd;
    (void)what;
    loop_enter(r->loop);
    ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm_timeout(r);
    loop_leave(r->loop);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct dns_socket *s = arg;
    struct dns_resolver *r = s->r;
    loop_enter(r->loop);
    ares_process_fd(r->channel, what & EV_READ ? fd : ARES_SOCKET_BAD,
                    what & EV_WRITE ? fd : ARES_SOCKET_BAD);
    arm_timeout(r);
    loop_leave(r->loop);
}

static struct dns_socket *find(struct dns_resolver *r, ares_socket_t fd)
{
    list_foreach (it, &r->sockets) {
        struct dns_socket *s = list_entry(it, struct dns_socket, link);
        if (s->fd == fd)
            return s;
    }
    return NULL;
}

static void socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct dns_resolver *r = arg;
    struct dns_socket *s = find(r, fd);
    if (s != NULL) {
        event_del(&s->event);
        if (!readable && !writable) {
            list_unlink(&s->link);
            free(s);
            return;
        }
    } else if (!readable && !writable) {
        return;
    } else if ((s = calloc(1, sizeof(*s))) == NULL) {
        return; /* the query times out */
    } else {
        s->r = r;
        s->fd = fd;
        list_push_back(&r->sockets, &s->link);
    }
    short what = (short)((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0) | EV_PERSIST);
    event_assign(&s->event, r->loop->base, fd, what, on_socket, s);
    event_add(&s->event, NULL);
}

enum err dns_resolver_new(struct loop *l, struct dns_resolver **out)
{
    struct dns_resolver *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return E_NOMEM;
    r->loop = l;
    list_init(&r->sockets);
    list_init(&r->queries);
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        free(r);
        return E_IO;
    }
    struct ares_options o = {
        .timeout = TRY_MS, .tries = TRIES, .sock_state_cb = socket_state, .sock_state_cb_data = r};
    evtimer_assign(&r->timeout, l->base, on_timeout, r);
    if (ares_init_options(&r->channel, &o,
                          ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB) !=
        ARES_SUCCESS) {
        ares_library_cleanup();
        free(r);
        return E_IO;
    }
    r->ready = true;
    *out = r;
    return OK;
}

static void free_query(struct dns_query *q)
{
    list_unlink(&q->link);
    list_unlink(&q->reap.link);
    free(q->addrs);
    free(q);
}

void dns_resolver_free(struct dns_resolver **rp)
{
    struct dns_resolver *r = *rp;
    *rp = NULL;
    if (r == NULL)
        return;
    r->closing = true;
    ares_destroy(r->channel); /* every query still in flight is called back */
    event_del(&r->timeout);
    list_foreach_safe (it, &r->queries)
        free_query(list_entry(it, struct dns_query, link));
    list_foreach_safe (it2, &r->sockets) {
        struct dns_socket *s = list_entry(it2, struct dns_socket, link);
        event_del(&s->event);
        free(s);
    }
    ares_library_cleanup();
    free(r);
}

/* ---- queries ---- */

static void ask(struct dns_query *q);

static bool wants_second(const struct dns_query *q)
{
    return !q->second && !q->cancelled && q->answer.n == 0 &&
           (q->family == DNS_AUTO || q->family == DNS_V4_PREFERRED) &&
           (q->answer.err == OK || q->answer.err == E_NOTFOUND);
}

static void deliver(struct reap *reap)
{
    struct dns_query *q = container_of(reap, struct dns_query, reap);
    if (wants_second(q)) {
        q->second = true;
        ask(q);
        return;
    }
    if (q->answer.err == OK && q->answer.n == 0)
        q->answer.err = E_NOTFOUND;
    if (!q->cancelled)
        q->fn(q->arg, &q->answer);
    free_query(q);
}

static enum err code_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return OK;
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
        return E_NOTFOUND;
    case ARES_ETIMEOUT:
        return E_TIMEOUT;
    case ARES_ENOMEM:
        return E_NOMEM;
    default:
        return E_IO;
    }
}

static void collect(struct dns_query *q, const struct ares_addrinfo *info)
{
    size_t count = 0;
    for (const struct ares_addrinfo_node *n = info->nodes; n != NULL; n = n->ai_next)
        count++;
    if (count > ADDRS_MAX)
        count = ADDRS_MAX;
    q->addrs = calloc(count + 1, sizeof(*q->addrs));
    if (q->addrs == NULL) {
        q->answer.err = E_NOMEM;
        return;
    }
    uint32_t ttl = UINT32_MAX;
    for (const struct ares_addrinfo_cname *c = info->cnames; c != NULL; c = c->next)
        if (c->ttl >= 0 && (uint32_t)c->ttl < ttl)
            ttl = (uint32_t)c->ttl;
    for (const struct ares_addrinfo_node *n = info->nodes; n != NULL && q->answer.n < count;
         n = n->ai_next) {
        if (addr_from_sockaddr(n->ai_addr, n->ai_addrlen, &q->addrs[q->answer.n]) != OK)
            continue;
        addr_set_port(&q->addrs[q->answer.n], 0);
        q->answer.n++;
        if (n->ai_ttl >= 0 && (uint32_t)n->ai_ttl < ttl)
            ttl = (uint32_t)n->ai_ttl;
    }
    q->answer.addrs = q->addrs;
    q->answer.ttl_s = ttl == UINT32_MAX ? 0 : ttl;
}

static void answered(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    struct dns_query *q = arg;
    (void)timeouts;
    free(q->addrs);
    q->addrs = NULL;
    q->answer = (struct dns_answer){.err = code_of(status), .reason = ares_strerror(status)};
    if (status == ARES_SUCCESS && info != NULL)
        collect(q, info);
    if (info != NULL)
        ares_freeaddrinfo(info);
    if (!q->r->closing)
        loop_reap_later(q->r->loop, &q->reap);
}

static int family_of(const struct dns_query *q)
{
    switch (q->family) {
    case DNS_V4_ONLY:
        return AF_INET;
    case DNS_V6_ONLY:
        return AF_INET6;
    case DNS_AUTO:
        return q->second ? AF_INET : AF_INET6;
    case DNS_V4_PREFERRED:
        return q->second ? AF_INET6 : AF_INET;
    default:
        return AF_UNSPEC;
    }
}

static void ask(struct dns_query *q)
{
    struct ares_addrinfo_hints hints = {.ai_family = family_of(q), .ai_socktype = SOCK_STREAM};
    ares_getaddrinfo(q->r->channel, q->name, NULL, &hints, answered, q);
    arm_timeout(q->r);
}

enum err dns_resolve(struct dns_resolver *r, struct sv name, enum dns_family family,
                     void (*fn)(void *arg, const struct dns_answer *a), void *arg,
                     struct dns_query **out)
{
    struct dns_query *q = calloc(1, sizeof(*q));
    if (q == NULL)
        return E_NOMEM;
    if (name.n >= sizeof(q->name)) {
        free(q);
        return E_LIMIT;
    }
    memcpy(q->name, name.p, name.n);
    q->r = r;
    q->fn = fn;
    q->arg = arg;
    q->family = family;
    q->reap.free_fn = deliver;
    list_init(&q->reap.link);
    list_push_back(&r->queries, &q->link);
    *out = q;
    ask(q);
    /* An answer from a file is there at once; deliver it from the loop, not from here. */
    if (list_linked(&q->reap.link))
        loop_wake(r->loop);
    return OK;
}

void dns_cancel(struct dns_query **qp)
{
    if (*qp != NULL)
        (*qp)->cancelled = true;
    *qp = NULL;
}
