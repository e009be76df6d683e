/* Names of our chains, and growing sets of rules. Pure; see set.h. */
#include "iptables/set.h"

const struct ipt_chain_name ipt_chain_names[IPT_CHAINS] = {
    [IPT_DNS_OUT] = {IPT_RAW,    {"APPMESH_DNS_OUT", 15}},
    [IPT_DNS_IN] = {IPT_RAW,    {"APPMESH_DNS_IN", 14} },
    [IPT_INVALID] = {IPT_MANGLE, {"APPMESH_INVALID", 15}},
    [IPT_DIVERT] = {IPT_MANGLE, {"APPMESH_DIVERT", 14} },
    [IPT_TPROXY_IN] = {IPT_MANGLE, {"APPMESH_INGRESS", 15}},
    [IPT_TPROXY_OUT] = {IPT_MANGLE, {"APPMESH_EGRESS", 14} },
    [IPT_INGRESS] = {IPT_NAT,    {"APPMESH_INGRESS", 15}},
    [IPT_EGRESS] = {IPT_NAT,    {"APPMESH_EGRESS", 14} },
    [IPT_SELF] = {IPT_NAT,    {"APPMESH_SELF", 12}   },
    [IPT_DNS] = {IPT_NAT,    {"APPMESH_DNS", 11}    },
};

const char *ipt_table_name(enum ipt_table t)
{
    static const char *const names[IPT_TABLES] = {"raw", "mangle", "nat"};
    return names[t];
}

const char *ipt_family_name(enum ipt_family f)
{
    return f == IPT_V4 ? "ipv4" : "ipv6";
}

enum ipt_chain ipt_chain_find(enum ipt_table t, struct sv name)
{
    for (enum ipt_chain c = 0; c < IPT_CHAINS; c++)
        if (ipt_chain_names[c].table == t && sv_eq(ipt_chain_names[c].name, name))
            return c;
    return IPT_CHAINS;
}

void ipt_set_init(struct ipt_set *s, struct arena *a)
{
    *s = (struct ipt_set){.a = a};
}

enum err ipt_set_add(struct ipt_set *s, struct ipt_rule rule)
{
    if (s->n == s->room) {
        size_t room = s->room == 0 ? 32 : s->room * 2;
        struct ipt_rule *more = ARENA_ARRAY(s->a, struct ipt_rule, room);
        if (more == NULL)
            return E_NOMEM;
        if (s->n > 0)
            memcpy(more, s->rules, s->n * sizeof(*more));
        s->rules = more;
        s->room = room;
    }
    if (rule.owner != IPT_CHAINS)
        s->chains[rule.owner] = true;
    s->rules[s->n++] = rule;
    return OK;
}

bool ipt_set_empty(const struct ipt_set *s)
{
    for (size_t c = 0; c < IPT_CHAINS; c++)
        if (s->chains[c])
            return false;
    return s->n == 0;
}
