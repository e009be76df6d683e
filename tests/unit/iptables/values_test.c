/* Single values: what is taken, what is refused, and that the message quotes it. */
#include "base/str.h"
#include "iptables/values.h"
#include "tests/support/t.h"

#include <arpa/inet.h>

static struct arena *new_arena(void)
{
    return arena_new(4096, SIZE_MAX);
}

T(values, ports_and_ids)
{
    static const struct {
        const char *in;
        enum err port, id;
    } rows[] = {
        {"1",          OK,      OK     },
        {"65535",      OK,      OK     },
        {"0",          E_PARSE, OK     },
        {"65536",      E_PARSE, OK     },
        {"4294967294", E_PARSE, OK     },
        {"4294967295", E_PARSE, E_PARSE},
        {"-1",         E_PARSE, E_PARSE},
        {"+1",         E_PARSE, E_PARSE},
        {"80x",        E_PARSE, E_PARSE},
        {"0x50",       E_PARSE, E_PARSE},
        {"http",       E_PARSE, E_PARSE},
        {" 80",        E_PARSE, E_PARSE},
        {"",           E_PARSE, E_PARSE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag d = {0};
        uint16_t port = 0;
        struct ipt_id id = {0};
        T_EXPECT_EQ(ipt_value_port(sv_str(rows[i].in), &port, &d), rows[i].port, rows[i].in);
        if (rows[i].port != OK)
            T_EXPECT(strstr(d.msg, rows[i].in) != NULL, "%s: %s", rows[i].in, d.msg);
        T_EXPECT_EQ(ipt_value_id(sv_str(rows[i].in), &id, &d), rows[i].id, rows[i].in);
        T_EXPECT_EQ(id.set, rows[i].id == OK, rows[i].in);
    }
}

T(values, numbers_and_booleans)
{
    static const struct {
        const char *in;
        uint32_t number; /* 0: refused */
        int boolean;     /* -1: refused */
    } rows[] = {
        {"1",           1,          1 },
        {"1337",        1337,       -1},
        {"0x539",       1337,       -1},
        {"0XFFFFFFFF",  UINT32_MAX, -1},
        {"0x100000000", 0,          -1},
        {"0x",          0,          -1},
        {"0",           0,          0 },
        {"t",           0,          1 },
        {"TRUE",        0,          1 },
        {"f",           0,          0 },
        {"False",       0,          0 },
        {"yes",         0,          -1},
        {"2",           2,          -1},
        {"",            0,          -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t n = 0;
        bool b = false;
        enum err e = ipt_value_u32(sv_str(rows[i].in), &n, NULL);
        T_EXPECT_EQ(e, rows[i].number == 0 ? E_PARSE : OK, rows[i].in);
        T_EXPECT_EQ(n, rows[i].number, rows[i].in);
        e = ipt_value_bool(sv_str(rows[i].in), &b, NULL);
        T_EXPECT_EQ(e, rows[i].boolean < 0 ? E_PARSE : OK, rows[i].in);
        T_EXPECT_EQ(b, rows[i].boolean == 1, rows[i].in);
    }
}

/* A list back as text, ranges with a colon. */
static void print_ports(const struct ipt_port_list *l, struct str *out)
{
    for (size_t i = 0; i < l->n; i++) {
        str_addf(out, "%s%u", i == 0 ? "" : " ", l->at[i].first);
        if (l->at[i].last != l->at[i].first)
            str_addf(out, ":%u", l->at[i].last);
    }
}

T(values, port_lists)
{
    static const struct {
        const char *in;
        enum err e;
        const char *out; /* the list, or a part of the message */
    } rows[] = {
        {"80",                OK,      "80"                                   },
        {"80,443",            OK,      "80 443"                               },
        {" 80 , 443 ",        OK,      "80 443"                               },
        {"80,443,80",         OK,      "80 443"                               },
        {"8000:8010,80,1:1",  OK,      "8000:8010 80 1"                       },
        {"",                  OK,      ""                                     },
        {"  ",                OK,      ""                                     },
        {"80,",               E_PARSE, "\"\" is not a port"                   },
        {",80",               E_PARSE, "\"\" is not a port"                   },
        {"80,,443",           E_PARSE, "\"\" is not a port"                   },
        {"80 443",            E_PARSE, "\"80 443\" is not a port"             },
        {"80,x",              E_PARSE, "\"x\" is not a port"                  },
        {"80-90",             E_PARSE, "\"80-90\" is not a port"              },
        {"90:80",             E_PARSE, "range \"90:80\" ends before it begins"},
        {"80:",               E_PARSE, "\"80:\" is not a port"                },
        {":80",               E_PARSE, "\":80\" is not a port"                },
        {"1:2:3",             E_PARSE, "\"1:2:3\" is not a port"              },
        {"0:80",              E_PARSE, "\"0:80\" is not a port"               },
        {"80,*",              E_PARSE, "\"*\" is not a port"                  },
        {"80 -j ACCEPT",      E_PARSE, "is not a port"                        },
        {"80\n-A OUTPUT,443", E_PARSE, "is not a port"                        },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = new_arena();
        struct ipt_port_list l = {0};
        struct diag d = {0};
        struct str out;
        str_init(&out, 0);
        T_EXPECT_EQ(ipt_value_ports(a, sv_str(rows[i].in), &l, &d), rows[i].e, rows[i].in);
        print_ports(&l, &out);
        if (rows[i].e == OK)
            T_EXPECT_SV(str_sv(&out), sv_str(rows[i].out), rows[i].in);
        else
            T_EXPECT(strstr(d.msg, rows[i].out) != NULL, "%s: %s", rows[i].in, d.msg);
        str_fini(&out);
        arena_free(&a);
    }
}

static void print_cidrs(const struct ipt_cidr_list *l, struct str *out)
{
    char ip[INET6_ADDRSTRLEN];
    for (size_t i = 0; i < l->n; i++) {
        inet_ntop(l->at[i].family == IPT_V4 ? AF_INET : AF_INET6, l->at[i].ip, ip, sizeof(ip));
        str_addf(out, "%s%s/%u", i == 0 ? "" : " ", ip, l->at[i].bits);
    }
}

T(values, address_blocks)
{
    static const struct {
        const char *in;
        enum err e;
        const char *out;
    } rows[] = {
        {"169.254.169.254",                                   OK,      "169.254.169.254/32"          },
        {"10.1.2.3/8",                                        OK,      "10.0.0.0/8"                  },
        {"10.1.255.3/17",                                     OK,      "10.1.128.0/17"               },
        {"0.0.0.0/0",                                         OK,      "0.0.0.0/0"                   },
        {"10.0.0.0/8, fd00::/8",                              OK,      "10.0.0.0/8 fd00::/8"         },
        {"fd00:EC2:0::254",                                   OK,      "fd00:ec2::254/128"           },
        {"2001:db8:ffff::1/33",                               OK,      "2001:db8:8000::/33"          },
        {"::/0",                                              OK,      "::/0"                        },
        {"10.0.0.1,10.0.0.1/32",                              OK,      "10.0.0.1/32"                 },
        {"",                                                  OK,      ""                            },
        {"10.0.0.1/33",                                       E_PARSE, "\"10.0.0.1/33\" has a prefix"},
        {"::1/129",                                           E_PARSE, "prefix length outside 0-128" },
        {"10.0.0.1/",                                         E_PARSE, "prefix length"               },
        {"10.0.0.1/255.0.0.0",                                E_PARSE, "prefix length"               },
        {"10.0.0",                                            E_PARSE, "is not an IP address"        },
        {"10.0.0.256",                                        E_PARSE, "is not an IP address"        },
        {"010.0.0.1",                                         E_PARSE, "is not an IP address"        },
        {"example.com",                                       E_PARSE, "\"example.com\" is not an IP"},
        {"fe80::1%eth0",                                      E_PARSE, "is not an IP address"        },
        {"10.0.0.1,",                                         E_PARSE, "\"\" is not an IP address"   },
        {"/8",                                                E_PARSE, "is not an IP address"        },
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa", E_PARSE, "is not an IP address"        },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = new_arena();
        struct ipt_cidr_list l = {0};
        struct diag d = {0};
        struct str out;
        str_init(&out, 0);
        T_EXPECT_EQ(ipt_value_cidrs(a, sv_str(rows[i].in), &l, &d), rows[i].e, rows[i].in);
        print_cidrs(&l, &out);
        if (rows[i].e == OK)
            T_EXPECT_SV(str_sv(&out), sv_str(rows[i].out), rows[i].in);
        else
            T_EXPECT(strstr(d.msg, rows[i].out) != NULL, "%s: %s", rows[i].in, d.msg);
        str_fini(&out);
        arena_free(&a);
    }
}

T(values, interface_names)
{
    static const struct {
        const char *in;
        enum err e;
        size_t n;
    } rows[] = {
        {"eth0",             OK,      1},
        {"eth0, tap+,eth0",  OK,      2},
        {"br-1.5@x:0_",      OK,      1},
        {"",                 OK,      0},
        {"abcdefghijklmno",  OK,      1},
        {"abcdefghijklmnop", E_PARSE, 0},
        {"e+h",              E_PARSE, 0},
        {"+",                E_PARSE, 0},
        {"-j",               E_PARSE, 0},
        {"!eth0",            E_PARSE, 0},
        {"et h0",            E_PARSE, 0},
        {"eth0;x",           E_PARSE, 0},
        {"e\"th",            E_PARSE, 0},
        {"a/b",              E_PARSE, 0},
        {".",                E_PARSE, 0},
        {"..",               E_PARSE, 0},
        {"eth0,",            E_PARSE, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = new_arena();
        struct ipt_name_list l = {0};
        T_EXPECT_EQ(ipt_value_interfaces(a, sv_str(rows[i].in), &l, NULL), rows[i].e, rows[i].in);
        T_EXPECT_EQ(l.n, rows[i].n, rows[i].in);
        arena_free(&a);
    }
}

T(values, lists_have_a_limit)
{
    struct arena *a = new_arena();
    struct ipt_port_list l = {0};
    struct diag d = {0};
    struct str s;
    str_init(&s, 0);
    for (int i = 1; i <= IPT_LIST_MAX; i++)
        str_addf(&s, "%s%d", i == 1 ? "" : ",", i);
    T_EXPECT_EQ(ipt_value_ports(a, str_sv(&s), &l, &d), OK, "as many as allowed");
    T_EXPECT_EQ(l.n, IPT_LIST_MAX, "all of them");
    str_add(&s, SV(",2000"));
    T_EXPECT_EQ(ipt_value_ports(a, str_sv(&s), &l, &d), E_LIMIT, "one more");
    T_EXPECT_SV(sv_str(d.msg), SV("has 1025 elements, more than 1024"), "message");
    str_fini(&s);
    arena_free(&a);
}

T(values, a_full_arena_is_no_memory)
{
    struct arena *a = arena_new(64, 64);
    struct ipt_port_list ports = {0};
    struct ipt_cidr_list cidrs = {0};
    struct ipt_name_list names = {0};
    struct sv many = SV("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24");
    T_EXPECT_EQ(ipt_value_ports(a, many, &ports, NULL), E_NOMEM, "ports");
    T_EXPECT_EQ(ipt_value_cidrs(a, many, &cidrs, NULL), E_NOMEM, "blocks");
    T_EXPECT_EQ(ipt_value_interfaces(a, many, &names, NULL), E_NOMEM, "interfaces");
    arena_free(&a);
}
