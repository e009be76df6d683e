/* ip(8) commands as text, and its output read. */
#include "iptables/route.h"
#include "tests/support/t.h"

T(route, commands)
{
    /* clang-format off */
    static const struct {
        struct ipt_ip c;
        const char *text, *reverse;
    } rows[] = {
        {{IPT_V4, true, true, 1337, 15000},
         "ip -4 rule add fwmark 0x539 lookup 15000",
         "ip -4 rule del fwmark 0x539 lookup 15000"},
        {{IPT_V6, false, false, 1, 7},
         "ip -6 route del local default dev lo table 7",
         "ip -6 route add local default dev lo table 7"},
        {{IPT_V4, true, false, UINT32_MAX, UINT32_MAX},
         "ip -4 route add local default dev lo table 4294967295",
         "ip -4 route del local default dev lo table 4294967295"},
        {{IPT_V6, true, true, UINT32_MAX, 1},
         "ip -6 rule add fwmark 0xffffffff lookup 1",
         "ip -6 rule del fwmark 0xffffffff lookup 1"},
    };
    /* clang-format on */
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str text;
        struct ipt_ip back = ipt_ip_reverse(&rows[i].c);
        str_init(&text, 0);
        ipt_ip_text(&rows[i].c, &text);
        T_EXPECT_SV(str_sv(&text), sv_str(rows[i].text), "text");
        str_clear(&text);
        ipt_ip_text(&back, &text);
        T_EXPECT_SV(str_sv(&text), sv_str(rows[i].reverse), "reverse");
        str_fini(&text);
    }
}

T(route, rules_shown)
{
    static const struct {
        const char *shown;
        size_t n;
    } rows[] = {
        {"",                                                                                 0},
        {"0:\tfrom all lookup local\n32766:\tfrom all lookup main\n",                        0},
        {"32765:\tfrom all fwmark 0x539 lookup 15000\n",                                     1},
        {"32765:\tfrom all fwmark 0x539 lookup 15000 \n32766:\tfrom all lookup main\n",      1},
        {"32765:\tfrom all fwmark 0x539 lookup 15000 proto static\n",                        1},
        {"1:\tfrom all fwmark 0x539 lookup 15000\n2:\tfrom all fwmark 0x539 lookup 15000\n", 2},
        {"32765:\tfrom all fwmark 0x539 lookup 150001\n",                                    0},
        {"32765:\tfrom all fwmark 0x539/0xfff lookup 15000\n",                               0},
        {"32765:\tfrom all fwmark 0x53 lookup 15000\n",                                      0},
        {"32765:\tfrom 10.0.0.1 fwmark 0x539 lookup 15000\n",                                0},
        {"from all fwmark 0x539 lookup 15000\n",                                             0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        T_EXPECT_EQ(ipt_route_rules(sv_str(rows[i].shown), 1337, 15000), rows[i].n, rows[i].shown);
}

T(route, routes_shown)
{
    static const struct {
        const char *shown;
        bool there;
    } rows[] = {
        {"",                                                      false},
        {"local default dev lo scope host \n",                    true },
        {"local default dev lo metric 1024 pref medium\n",        true },
        {"default via 10.0.0.1 dev eth0\nlocal default dev lo\n", true },
        {"local default dev lo2 scope host\n",                    false},
        {"default dev lo\n",                                      false},
        {"local 10.0.0.0/8 dev lo\n",                             false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        T_EXPECT_EQ(ipt_route_there(sv_str(rows[i].shown)), rows[i].there, rows[i].shown);
}
