/* Name look-ups against a name server in a thread of the test. The resolver has no setting for its
 * servers, so the linker puts a call in front of c-ares' own that names ours (--wrap). */
#include "net/dns.h"
#include "tests/support/t.h"
#include <ares.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

/* ---- the name server ---- */

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28, NXDOMAIN = 3, SERVFAIL = 2 };

struct zone_row {
    const char *name;
    unsigned type, ttl;
    const char *value; /* of A and AAAA: an address; of CNAME: one label, beside this name; what
                          follows it in the table is that name's */
};
static const struct zone_row zone[] = {
    {"both.test.",  TYPE_A,     30, "192.0.2.1"  },
    {"both.test.",  TYPE_A,     20, "192.0.2.2"  },
    {"both.test.",  TYPE_AAAA,  40, "2001:db8::1"},
    {"four.test.",  TYPE_A,     60, "192.0.2.4"  },
    {"six.test.",   TYPE_AAAA,  60, "2001:db8::6"},
    {"alias.test.", TYPE_CNAME, 5,  "four"       },
    {"alias.test.", TYPE_A,     60, "192.0.2.4"  },
};

static struct {
    int fd;
    uint16_t port;
    pthread_t thread;
} server;

static size_t put16(unsigned char *p, unsigned v)
{
    p[0] = (unsigned char)(v >> 8);
    p[1] = (unsigned char)v;
    return 2;
}

/* owner: where in the message its name is. */
static size_t put_record(unsigned char *p, size_t owner, const struct zone_row *z)
{
    struct addr a;
    size_t n = put16(p, 0xc000 | (unsigned)owner);
    n += put16(p + n, z->type);
    n += put16(p + n, 1);
    n += put16(p + n, 0);
    n += put16(p + n, z->ttl);
    if (z->type == TYPE_CNAME) {
        size_t len = strlen(z->value);
        n += put16(p + n, (unsigned)len + 1 + 6);
        p[n++] = (unsigned char)len;
        memcpy(p + n, z->value, len);
        memcpy(p + n + len, "\4test", 6);
        return n + len + 6;
    }
    if (addr_parse_ip(sv_str(z->value), 0, &a) != OK)
        return 0;
    size_t len = z->type == TYPE_A ? 4 : 16;
    n += put16(p + n, (unsigned)len);
    memcpy(p + n, z->type == TYPE_A ? (void *)&a.in4.sin_addr : (void *)&a.in6.sin6_addr, len);
    return n + len;
}

/* The question's name as text with a dot after each label; returns the question's length. */
static size_t read_question(const unsigned char *q, size_t n, char *name, size_t room)
{
    size_t at = 0, out = 0;
    while (at < n && q[at] != 0 && out + q[at] + 2 < room) {
        memcpy(name + out, q + at + 1, q[at]);
        out += q[at];
        name[out++] = '.';
        at += q[at] + 1u;
    }
    name[out] = '\0';
    return at + 5;
}

static size_t answer(unsigned char *p, size_t n)
{
    char name[256];
    if (n < 17)
        return 0;
    size_t end = 12 + read_question(p + 12, n - 12, name, sizeof name), count = 0, owner = 12;
    unsigned type = p[end - 3];
    bool known = strcmp(name, "empty.test.") == 0;
    for (size_t i = 0; i < ARRAY_LEN(zone); i++) {
        if (strcasecmp(zone[i].name, name) != 0)
            continue;
        known = true;
        if (zone[i].type != type && (zone[i].type != TYPE_CNAME || type != TYPE_A))
            continue;
        size_t began = end;
        end += put_record(p + end, owner, &zone[i]);
        if (zone[i].type == TYPE_CNAME)
            owner = began + 12; /* what follows is about the name it stands for */
        count++;
    }
    unsigned code = strcmp(name, "broken.test.") == 0 ? SERVFAIL : known ? 0 : NXDOMAIN;
    put16(p + 2, 0x8180 | code);
    put16(p + 6, (unsigned)count);
    put16(p + 8, 0);
    put16(p + 10, 0);
    return end;
}

static void *serve(void *arg)
{
    unsigned char p[1024];
    (void)arg;
    for (;;) {
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        ssize_t n = recvfrom(server.fd, p, 512, 0, (struct sockaddr *)&from, &size);
        if (n <= 1) /* the test says so */
            return NULL;
        size_t len = answer(p, (size_t)n);
        sendto(server.fd, p, len, 0, (struct sockaddr *)&from, size);
    }
}

static bool server_start(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    server.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(server.fd, (struct sockaddr *)&at, size) != 0 ||
        getsockname(server.fd, (struct sockaddr *)&at, &size) != 0)
        return false;
    server.port = ntohs(at.sin_port);
    return pthread_create(&server.thread, NULL, serve, NULL) == 0;
}

static void server_stop(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons(server.port)};
    sendto(server.fd, "x", 1, 0, (struct sockaddr *)&at, sizeof at);
    pthread_join(server.thread, NULL);
    close(server.fd);
}

int __real_ares_init_options(ares_channel *c, struct ares_options *o, int mask);
int __wrap_ares_init_options(ares_channel *c, struct ares_options *o, int mask);

int __wrap_ares_init_options(ares_channel *c, struct ares_options *o, int mask)
{
    char csv[32];
    int e = __real_ares_init_options(c, o, mask);
    snprintf(csv, sizeof csv, "127.0.0.1:%u", server.port);
    return e != ARES_SUCCESS ? e : ares_set_servers_ports_csv(*c, csv);
}

/* ---- the tests ---- */

struct asked {
    unsigned calls;
    enum err err;
    char text[256]; /* the addresses, a blank between */
    uint32_t ttl_s;
    bool have_reason;
};

static void note(void *arg, const struct dns_answer *a)
{
    struct asked *q = arg;
    q->calls++;
    q->err = a->err;
    q->ttl_s = a->ttl_s;
    q->have_reason = a->reason != NULL && a->reason[0] != '\0';
    for (size_t i = 0; i < a->n; i++) {
        char ip[ADDR_TEXT_MAX];
        size_t at = strlen(q->text);
        T_EXPECT_EQ(addr_port(&a->addrs[i]), 0, "port");
        addr_format_ip(&a->addrs[i], ip, sizeof ip);
        snprintf(q->text + at, sizeof q->text - at, at > 0 ? " %s" : "%s", ip);
    }
}

static struct loop loop;
static struct dns_resolver *resolver;

static bool begin(void)
{
    return server_start() && loop_init(&loop, clock_system(), 4096) == OK &&
           dns_resolver_new(&loop, &resolver) == OK;
}

static void finish(void)
{
    dns_resolver_free(&resolver);
    T_EXPECT(resolver == NULL);
    loop_fini(&loop);
    server_stop();
}

static void wait_for(const struct asked *q)
{
    struct timeval limit = {.tv_sec = 20};
    event_base_loopexit(loop.base, &limit);
    while (q->calls == 0 && !event_base_got_exit(loop.base))
        event_base_loop(loop.base, EVLOOP_ONCE);
}

T(dns, families_and_answers)
{
    static const struct {
        const char *name;
        enum dns_family family;
        enum err err;
        const char *addrs;
        uint32_t ttl_s;
    } rows[] = {
        {"both.test",    DNS_V4_ONLY,      OK,         "192.0.2.1 192.0.2.2", 20},
        {"both.test",    DNS_V6_ONLY,      OK,         "2001:db8::1",         40},
        {"both.test",    DNS_AUTO,         OK,         "2001:db8::1",         40},
        {"both.test",    DNS_V4_PREFERRED, OK,         "192.0.2.1 192.0.2.2", 20},
        {"four.test",    DNS_V4_ONLY,      OK,         "192.0.2.4",           60},
        {"four.test",    DNS_AUTO,         OK,         "192.0.2.4",           60},
        {"four.test",    DNS_V6_ONLY,      E_NOTFOUND, "",                    0 },
        {"six.test",     DNS_V4_PREFERRED, OK,         "2001:db8::6",         60},
        {"six.test",     DNS_V4_ONLY,      E_NOTFOUND, "",                    0 },
        {"alias.test",   DNS_V4_ONLY,      OK,         "192.0.2.4",           5 },
        {"empty.test",   DNS_AUTO,         E_NOTFOUND, "",                    0 },
        {"missing.test", DNS_AUTO,         E_NOTFOUND, "",                    0 },
        {"missing.test", DNS_ALL,          E_NOTFOUND, "",                    0 },
        {"broken.test",  DNS_V4_ONLY,      E_IO,       "",                    0 },
        {"broken.test",  DNS_AUTO,         E_IO,       "",                    0 },
    };
    T_ASSERT(begin());
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct asked q = {0};
        struct dns_query *query = NULL;
        char row[64];
        snprintf(row, sizeof row, "%s, family %d", rows[i].name, rows[i].family);
        T_ASSERT(dns_resolve(resolver, sv_str(rows[i].name), rows[i].family, note, &q, &query) ==
                 OK);
        T_EXPECT_EQ(q.calls, 0, row);
        wait_for(&q);
        T_EXPECT_EQ(q.calls, 1, row);
        T_EXPECT(q.err == rows[i].err, "%s: %s", row, err_name(q.err));
        T_EXPECT_SV(sv_str(q.text), sv_str(rows[i].addrs), row);
        T_EXPECT_EQ(q.ttl_s, rows[i].ttl_s, row);
        T_EXPECT(q.have_reason, "%s", row);
    }
    finish();
}

T(dns, all_addresses_of_both_families)
{
    struct asked q = {0};
    struct dns_query *query = NULL;
    T_ASSERT(begin());
    T_ASSERT(dns_resolve(resolver, SV("both.test"), DNS_ALL, note, &q, &query) == OK);
    wait_for(&q);
    T_EXPECT(q.calls == 1 && q.err == OK && q.ttl_s == 20, "the smallest: %u", q.ttl_s);
    T_EXPECT(strstr(q.text, "192.0.2.1") && strstr(q.text, "192.0.2.2"), "%s", q.text);
    T_EXPECT(strstr(q.text, "2001:db8::1") != NULL, "%s", q.text);
    finish();
}

/* Known without asking anyone: still told from the loop. */
T(dns, literals_and_files_are_answered_from_the_loop)
{
    static const struct {
        const char *name, *addrs;
    } rows[] = {
        {"192.0.2.77", "192.0.2.77"},
        {"localhost",  "127.0.0.1" },
    };
    T_ASSERT(begin());
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct asked q = {0};
        struct dns_query *query = NULL;
        T_ASSERT(dns_resolve(resolver, sv_str(rows[i].name), DNS_V4_ONLY, note, &q, &query) == OK);
        T_EXPECT_EQ(q.calls, 0, rows[i].name);
        wait_for(&q);
        T_EXPECT(q.calls == 1 && q.err == OK, "%s: %s", rows[i].name, err_name(q.err));
        T_EXPECT_SV(sv_str(q.text), sv_str(rows[i].addrs), rows[i].name);
    }
    finish();
}

T(dns, names_that_are_too_long)
{
    static char name[300];
    struct asked q = {0};
    struct dns_query *query = NULL;
    T_ASSERT(begin());
    memset(name, 'a', sizeof name);
    T_EXPECT(dns_resolve(resolver, sv_of(name, 256), DNS_AUTO, note, &q, &query) == E_LIMIT);
    T_EXPECT(query == NULL, "nothing was started");
    T_EXPECT(dns_resolve(resolver, sv_of(name, 255), DNS_V4_ONLY, note, &q, &query) == OK);
    wait_for(&q);
    T_EXPECT(q.calls == 1 && q.err != OK, "a label of 255 letters: %s", err_name(q.err));
    finish();
}

T(dns, cancelled_and_forgotten)
{
    struct asked cancelled = {0}, kept = {0}, forgotten = {0};
    struct dns_query *a = NULL, *b = NULL, *c = NULL, *none = NULL;
    T_ASSERT(begin());
    T_ASSERT(dns_resolve(resolver, SV("four.test"), DNS_AUTO, note, &cancelled, &a) == OK);
    dns_cancel(&a);
    dns_cancel(&none);
    T_EXPECT(a == NULL);
    T_ASSERT(dns_resolve(resolver, SV("four.test"), DNS_AUTO, note, &kept, &b) == OK);
    wait_for(&kept);
    T_EXPECT_EQ(kept.calls, 1, "kept");
    T_ASSERT(dns_resolve(resolver, SV("both.test"), DNS_AUTO, note, &forgotten, &c) == OK);
    finish();
    T_EXPECT_EQ(cancelled.calls, 0, "cancelled");
    T_EXPECT_EQ(forgotten.calls, 0, "the resolver ended first");
}

static void ask_again(void *arg, const struct dns_answer *a)
{
    struct asked *q = arg;
    struct dns_query *query;
    (void)a;
    T_EXPECT(dns_resolve(resolver, SV("four.test"), DNS_V4_ONLY, note, q, &query) == OK);
}

T(dns, an_answer_may_ask_again)
{
    struct asked q = {0};
    struct dns_query *query = NULL;
    T_ASSERT(begin());
    T_ASSERT(dns_resolve(resolver, SV("192.0.2.1"), DNS_V4_ONLY, ask_again, &q, &query) == OK);
    wait_for(&q);
    T_EXPECT_SV(sv_str(q.text), SV("192.0.2.4"), "the second");
    finish();
}
