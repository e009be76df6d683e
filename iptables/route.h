#pragma once
/* The policy rule and the route of tproxy mode, and the ip(8) commands that add and remove them.
 * Pure; main thread of weft-iptables and tests only. */
#include "base/str.h"
#include "iptables/options.h"

/* One ip(8) command: `ip -4 rule add fwmark M lookup T` or `ip -4 route add local default dev lo
 * table T`. */
struct ipt_ip {
    enum ipt_family family;
    bool add, rule; /* else: delete; a route */
    uint32_t mark, table;
};

enum { IPT_IP_ARGS = 12 };
struct ipt_ip_argv {
    const char *at[IPT_IP_ARGS]; /* NULL-terminated; at[0] is "ip" */
    char mark[16], table[16];
};

void ipt_ip_command(const struct ipt_ip *c, struct ipt_ip_argv *out);
/* The same as a line of text, without its end. */
void ipt_ip_text(const struct ipt_ip *c, struct str *out);
/* The command that takes c back. */
struct ipt_ip ipt_ip_reverse(const struct ipt_ip *c);

/* How often the rule stands in the output of `ip rule show`. */
size_t ipt_route_rules(struct sv shown, uint32_t mark, uint32_t table);
/* Whether the route stands in the output of `ip route show table T`. */
bool ipt_route_there(struct sv shown);
