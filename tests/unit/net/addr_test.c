/* Addresses: tables of what is taken and refused, round trips through sockaddr, comparing, ranges.
 */
#include "net/addr.h"
#include "tests/support/t.h"
#include <stdio.h>

/* A parsed address that the table says is right. */
static struct addr of(const char *text)
{
    struct addr a = {0};
    T_EXPECT(addr_parse(sv_str(text), &a) == OK, "%s", text);
    return a;
}

static struct addr of_ip(const char *ip)
{
    struct addr a = {0};
    T_EXPECT(addr_parse_ip(sv_str(ip), 0, &a) == OK, "%s", ip);
    return a;
}

T(addr, parses_and_formats)
{
    static const struct {
        struct sv in;
        const char *want, *want_ip; /* NULL: refused */
    } rows[] = {
        {SV("1.2.3.4:80"),            "1.2.3.4:80",            "1.2.3.4"        },
        {SV("0.0.0.0:0"),             "0.0.0.0:0",             "0.0.0.0"        },
        {SV("255.255.255.255:65535"), "255.255.255.255:65535", "255.255.255.255"},
        {SV("[::1]:80"),              "[::1]:80",              "::1"            },
        {SV("[0:0:0:0:0:0:0:1]:80"),  "[::1]:80",              "::1"            },
        {SV("[2001:DB8::a]:443"),     "[2001:db8::a]:443",     "2001:db8::a"    },
        {SV("[::ffff:10.0.0.1]:5"),   "[::ffff:10.0.0.1]:5",   "::ffff:10.0.0.1"},
        {SV(""),                      NULL,                    NULL             },
        {SV_NONE,                     NULL,                    NULL             },
        {SV(":80"),                   NULL,                    NULL             },
        {SV("1.2.3.4"),               NULL,                    NULL             },
        {SV("1.2.3.4:"),              NULL,                    NULL             },
        {SV("1.2.3.4:65536"),         NULL,                    NULL             },
        {SV("1.2.3.4:-1"),            NULL,                    NULL             },
        {SV("1.2.3.4:80x"),           NULL,                    NULL             },
        {SV("1.2.3:80"),              NULL,                    NULL             },
        {SV("1.2.3.256:80"),          NULL,                    NULL             },
        {SV("01.2.3.4:80"),           NULL,                    NULL             },
        {SV("1.2.3.4\0:80"),          NULL,                    NULL             },
        {SV(" 1.2.3.4:80"),           NULL,                    NULL             },
        {SV("[1.2.3.4]:80"),          NULL,                    NULL             },
        {SV("::1:80"),                NULL,                    NULL             },
        {SV("[::1]"),                 NULL,                    NULL             },
        {SV("[::1:80"),               NULL,                    NULL             },
        {SV("::1]:80"),               NULL,                    NULL             },
        {SV("[]:80"),                 NULL,                    NULL             },
        {SV("[:80"),                  NULL,                    NULL             },
        {SV("[[::1]]:80"),            NULL,                    NULL             },
        {SV("[::1%lo]:80"),           NULL,                    NULL             },
        {SV("[::g]:80"),              NULL,                    NULL             },
        {SV("localhost:80"),          NULL,                    NULL             },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct addr a;
        char text[ADDR_TEXT_MAX];
        memset(&a, 0x55, sizeof a);
        struct addr before = a;
        enum err e = addr_parse(rows[i].in, &a);
        T_EXPECT_EQ(e, rows[i].want == NULL ? E_PARSE : OK, rows[i].in.p);
        if (e != OK) {
            T_EXPECT(memcmp(&a, &before, sizeof a) == 0, "%s: written on failure", rows[i].in.p);
            continue;
        }
        T_EXPECT_EQ(addr_format(&a, text, sizeof text), strlen(rows[i].want), rows[i].want);
        T_EXPECT_SV(sv_str(text), sv_str(rows[i].want), "with port");
        T_EXPECT_EQ(addr_format_ip(&a, text, sizeof text), strlen(rows[i].want_ip), rows[i].want);
        T_EXPECT_SV(sv_str(text), sv_str(rows[i].want_ip), "without port");
    }
}

T(addr, takes_the_longest_text)
{
    /* 45 characters, the longest an IPv6 address can have; then one with more. */
    static const char longest[] = "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535";
    static const char too_long[] = "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]:80";
    struct addr a = of(longest);
    char text[ADDR_TEXT_MAX];

    addr_format(&a, text, sizeof text);
    T_EXPECT_SV(sv_str(text), SV("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"), "longest");
    T_EXPECT_EQ(addr_parse(sv_str(too_long), &a), E_PARSE, "too long");
}

T(addr, parses_plain_ip)
{
    struct addr a;
    T_EXPECT_EQ(addr_parse_ip(SV("10.0.0.1"), 8080, &a), OK, "v4");
    T_EXPECT_EQ(addr_port(&a), 8080, "v4 port");
    addr_set_port(&a, 1);
    T_EXPECT_EQ(addr_port(&a), 1, "v4 port set");
    T_EXPECT_EQ(addr_parse_ip(SV("::"), 53, &a), OK, "v6");
    T_EXPECT_EQ(addr_port(&a), 53, "v6 port");
    addr_set_port(&a, 2);
    T_EXPECT_EQ(addr_port(&a), 2, "v6 port set");
    T_EXPECT_EQ(addr_parse_ip(SV("[::]"), 53, &a), E_PARSE, "brackets");
    T_EXPECT_EQ(addr_parse_ip(SV("host"), 53, &a), E_PARSE, "name");
    T_EXPECT_EQ(addr_parse_ip(SV("1"), 53, &a), E_PARSE, "number");
}

T(addr, cuts_text_to_the_room)
{
    struct addr a = of("[2001:db8::a]:443");
    char text[8] = "#######";
    T_EXPECT_EQ(addr_format(&a, text, 6), 5, "written");
    T_EXPECT_SV(sv_of(text, 7), SV("[2001\0#"), "cut");
    T_EXPECT_EQ(addr_format(&a, text, 1), 0, "only the NUL");
    T_EXPECT_EQ(text[0], '\0', "NUL");
    T_EXPECT_EQ(addr_format(&a, NULL, 0), 0, "no room");
}

T(addr, goes_through_sockaddr)
{
    static const char *const rows[] = {"1.2.3.4:80", "[2001:db8::a]:443"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct addr a = of(rows[i]), back;
        struct sockaddr_storage ss;
        socklen_t n = 0;
        T_EXPECT_EQ(addr_to_sockaddr(&a, &ss, &n), OK, rows[i]);
        T_EXPECT_EQ(n, a.sa.sa_family == AF_INET ? sizeof a.in4 : sizeof a.in6, rows[i]);
        T_EXPECT_EQ(addr_from_sockaddr((struct sockaddr *)&ss, n, &back), OK, rows[i]);
        T_EXPECT(addr_eq(&a, &back) && back.path == NULL, "%s", rows[i]);
        T_EXPECT_EQ(addr_from_sockaddr((struct sockaddr *)&ss, n - 1, &back), E_UNSUPPORTED, "cut");
    }
    struct sockaddr other = {.sa_family = AF_APPLETALK};
    struct addr a = {0};
    struct sockaddr_storage ss;
    socklen_t n;
    T_EXPECT_EQ(addr_from_sockaddr(&other, sizeof other, &a), E_UNSUPPORTED, "family");
    T_EXPECT_EQ(addr_from_sockaddr(&other, 0, &a), E_UNSUPPORTED, "no family");
    T_EXPECT_EQ(addr_to_sockaddr(&a, &ss, &n), E_UNSUPPORTED, "no address");
}

T(addr, knows_unix_paths)
{
    struct sockaddr_storage ss;
    const struct sockaddr_un *un = (const struct sockaddr_un *)&ss;
    char text[ADDR_TEXT_MAX], long_path[109];
    struct addr a, b;
    socklen_t n = 0;

    addr_unix("/run/x.sock", &a);
    T_EXPECT_EQ(addr_format(&a, text, sizeof text), 11, "length");
    T_EXPECT_SV(sv_str(text), SV("/run/x.sock"), "text");
    T_EXPECT_EQ(addr_port(&a), 0, "port");
    addr_set_port(&a, 5);
    T_EXPECT_EQ(addr_to_sockaddr(&a, &ss, &n), OK, "to");
    T_EXPECT_EQ(n, offsetof(struct sockaddr_un, sun_path) + 12, "size");
    T_EXPECT_EQ(addr_from_sockaddr((struct sockaddr *)&ss, n, &b), OK, "from");
    T_EXPECT(addr_eq(&a, &b) && addr_hash(&a) == addr_hash(&b));
    T_EXPECT_EQ(addr_from_sockaddr((struct sockaddr *)&ss, n - 1, &b), OK, "no NUL");
    T_EXPECT_SV(sv_str(b.path), SV(""), "no NUL");
    T_EXPECT_EQ(addr_from_sockaddr((struct sockaddr *)&ss, sizeof(sa_family_t), &b), OK, "unnamed");
    T_EXPECT_SV(sv_str(b.path), SV(""), "unnamed");

    addr_unix("@abstract", &a);
    T_EXPECT_EQ(addr_to_sockaddr(&a, &ss, &n), OK, "abstract");
    T_EXPECT_EQ(n, offsetof(struct sockaddr_un, sun_path) + 9, "abstract size");
    T_EXPECT(memcmp(un->sun_path, "\0abstract", 9) == 0);
    T_EXPECT_EQ(addr_from_sockaddr((struct sockaddr *)&ss, n, &b), OK, "abstract peer");
    T_EXPECT_SV(sv_str(b.path), SV(""), "abstract peer");

    memset(long_path, 'p', sizeof long_path - 1);
    long_path[108] = '\0';
    addr_unix(long_path, &a);
    T_EXPECT_EQ(addr_to_sockaddr(&a, &ss, &n), E_LIMIT, "108 bytes");
    addr_unix(long_path + 1, &a);
    T_EXPECT_EQ(addr_to_sockaddr(&a, &ss, &n), OK, "107 bytes");
    T_EXPECT_EQ(addr_format(&a, text, sizeof text), 107, "longest path fits");
}

T(addr, compares)
{
    static const struct {
        const char *a, *b;
        bool eq, eq_ip;
    } rows[] = {
        {"1.2.3.4:80",          "1.2.3.4:80",          true,  true },
        {"1.2.3.4:80",          "1.2.3.4:81",          false, true },
        {"1.2.3.4:80",          "1.2.3.5:80",          false, false},
        {"[::1]:80",            "[::1]:80",            true,  true },
        {"[::1]:80",            "[::2]:80",            false, false},
        {"[::ffff:1.2.3.4]:80", "1.2.3.4:80",          false, true },
        {"[::ffff:1.2.3.4]:80", "[::ffff:1.2.3.4]:81", false, true },
        {"[::1.2.3.4]:80",      "1.2.3.4:80",          false, false},
        {"0.0.0.0:80",          "[::]:80",             false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct addr a = of(rows[i].a), b = of(rows[i].b);
        T_EXPECT_EQ(addr_eq(&a, &b), rows[i].eq, rows[i].a);
        T_EXPECT_EQ(addr_eq(&b, &a), rows[i].eq, rows[i].a);
        T_EXPECT_EQ(addr_eq_ip(&a, &b), rows[i].eq_ip, rows[i].a);
        T_EXPECT_EQ(addr_eq_ip(&b, &a), rows[i].eq_ip, rows[i].a);
        T_EXPECT_EQ(addr_hash(&a) == addr_hash(&b), rows[i].eq, rows[i].a);
    }
    struct addr a = of("[fe80::1]:80"), b = a;
    b.in6.sin6_flowinfo = 7;
    T_EXPECT(addr_eq(&a, &b) && addr_hash(&a) == addr_hash(&b), "the flow is not the address");
    b.in6.sin6_scope_id = 2;
    T_EXPECT(!addr_eq(&a, &b) && addr_hash(&a) != addr_hash(&b), "another link");
    struct addr u, v;
    addr_unix("/a", &u);
    addr_unix("/b", &v);
    T_EXPECT(!addr_eq(&u, &v) && !addr_eq(&u, &a) && !addr_eq_ip(&u, &v));
}

T(addr, classifies)
{
    static const struct {
        const char *ip;
        bool loopback, any;
        const char *unmapped;
    } rows[] = {
        {"127.0.0.1",        true,  false, "127.0.0.1"      },
        {"127.255.0.9",      true,  false, "127.255.0.9"    },
        {"128.0.0.1",        false, false, "128.0.0.1"      },
        {"126.255.255.255",  false, false, "126.255.255.255"},
        {"0.0.0.0",          false, true,  "0.0.0.0"        },
        {"::",               false, true,  "::"             },
        {"::1",              true,  false, "::1"            },
        {"::2",              false, false, "::2"            },
        {"::ffff:127.0.0.2", true,  false, "127.0.0.2"      },
        {"::ffff:10.0.0.2",  false, false, "10.0.0.2"       },
        {"::fffe:10.0.0.2",  false, false, "::fffe:a00:2"   },
        {"1::ffff:10.0.0.2", false, false, "1::ffff:a00:2"  },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct addr a = of_ip(rows[i].ip);
        char text[ADDR_TEXT_MAX];
        addr_set_port(&a, 99);
        T_EXPECT_EQ(addr_is_loopback(&a), rows[i].loopback, rows[i].ip);
        T_EXPECT_EQ(addr_is_any(&a), rows[i].any, rows[i].ip);
        addr_unmap(&a);
        addr_format_ip(&a, text, sizeof text);
        T_EXPECT_SV(sv_str(text), sv_str(rows[i].unmapped), rows[i].ip);
        T_EXPECT_EQ(addr_port(&a), 99, "the port stays");
    }
    struct addr u;
    addr_unix("/a", &u);
    T_EXPECT(!addr_is_loopback(&u) && !addr_is_any(&u));
}

T(addr, cidr_contains)
{
    static const struct {
        const char *cidr, *ip;
        bool in;
    } rows[] = {
        {"10.0.0.0/8",    "10.255.255.255",   true },
        {"10.0.0.0/8",    "11.0.0.0",         false},
        {"10.0.0.0/8",    "9.255.255.255",    false},
        {"10.1.2.3/9",    "10.127.255.255",   true },
        {"10.1.2.3/9",    "10.128.0.0",       false},
        {"10.1.2.3",      "10.1.2.3",         true },
        {"10.1.2.3",      "10.1.2.2",         false},
        {"10.1.2.3/31",   "10.1.2.2",         true },
        {"10.1.2.3/31",   "10.1.2.4",         false},
        {"0.0.0.0/0",     "255.1.1.1",        true },
        {"0.0.0.0/0",     "::1",              false},
        {"::/0",          "1.2.3.4",          false},
        {"::/0",          "2001:db8::1",      true },
        {"10.1.2.3/999",  "10.1.2.2",         false},
        {"10.0.0.0/8",    "::ffff:10.1.1.1",  true },
        {"10.0.0.0/8",    "::ffff:11.1.1.1",  false},
        {"::ffff:0:0/96", "::ffff:1.2.3.4",   true },
        {"2001:db8::/33", "2001:db8:7fff::1", true },
        {"2001:db8::/33", "2001:db8:8000::",  false},
        {"::1/200",       "::1",              true },
        {"::1/200",       "::2",              false},
        {"fe80::1/127",   "fe80::",           true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cidr c;
        struct addr a = of_ip(rows[i].ip), u;
        T_ASSERT(cidr_parse(sv_str(rows[i].cidr), &c) == OK, "%s", rows[i].cidr);
        T_EXPECT_EQ(cidr_contains(&c, &a), rows[i].in, rows[i].cidr);
        addr_unix("/a", &u);
        T_EXPECT(!cidr_contains(&c, &u));
    }
}

T(addr, cidr_is_normal)
{
    struct cidr a, b;
    memset(&a, 0x55, sizeof a);
    memset(&b, 0xaa, sizeof b);
    T_EXPECT_EQ(cidr_make(SV("10.255.3.4"), 9, &a), OK, "make");
    T_EXPECT_EQ(cidr_parse(SV("10.128.0.0/9"), &b), OK, "parse");
    T_EXPECT(memcmp(&a, &b, sizeof a) == 0, "host bits are cleared");
    T_EXPECT_EQ(cidr_make(SV("10.1.2.3"), 31, &a), OK, "last bit");
    T_EXPECT_EQ(cidr_parse(SV("10.1.2.2/31"), &b), OK, "last bit");
    T_EXPECT(memcmp(&a, &b, sizeof a) == 0, "the last bit too");
    T_EXPECT_EQ(cidr_make(SV("::1"), UINT32_MAX, &a), OK, "clamped");
    T_EXPECT_EQ(a.prefix, 128, "clamped");
    T_EXPECT_EQ(a.family4, 0, "v6");
}

T(addr, cidr_refuses)
{
    static const struct {
        struct sv in;
        enum err e;
    } rows[] = {
        {SV(""),                     E_PARSE},
        {SV("/8"),                   E_PARSE},
        {SV("10.0.0.0/"),            E_PARSE},
        {SV("10.0.0.0/x"),           E_PARSE},
        {SV("10.0.0.0/-1"),          E_PARSE},
        {SV("10.0.0/8"),             E_PARSE},
        {SV("10.0.0.0/8/8"),         E_PARSE},
        {SV("10.0.0.0/99999999999"), E_LIMIT},
        {SV_NONE,                    E_PARSE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cidr c;
        T_EXPECT_EQ(cidr_parse(rows[i].in, &c), rows[i].e, rows[i].in.p);
    }
}
