/* Options to rules. The order inside a chain is: what must never be touched (loopback, the proxy's
 * own traffic), what the user excluded, then what is redirected. Pure; see rules.h. */
#include "iptables/rules.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

/* The multiport match holds 15 numbers; a range takes two. */
enum { MULTIPORT_MAX = 15, SSH_PORT = 22, TEXT_MAX = 512, METADATA_MAX = 2 };

/* Conntrack zone of the proxy's own DNS queries. Kept apart from the application's, or a query that
 * happens to reuse the source port of a redirected one would be sent back to the proxy. */
enum { DNS_ZONE = 1 };

/* Addresses that are never redirected: task and instance credentials, instance metadata. The
 * proxy's pass-through connections carry the guard address as their source. */
static const struct {
    struct sv loopback, guard;
    const char *metadata[METADATA_MAX];
} fixed[IPT_FAMILIES] = {
    [IPT_V4] = {{"127.0.0.0/8", 11},
                {"127.0.0.6/32", 12},
                {"169.254.170.2/32", "169.254.169.254/32"}                      },
    [IPT_V6] = {{"::1/128", 7},      {"::6/128", 7}, {"fd00:ec2::254/128", NULL}},
};

/* A set under construction. The first failure sticks and later calls do nothing. */
struct builder {
    const struct ipt_options *o;
    enum ipt_family f;
    struct ipt_set *set;
    enum err err;
};

__attribute__((format(printf, 3, 0))) static void add_rule(struct builder *b, struct ipt_rule rule,
                                                           const char *fmt, va_list ap)
{
    char text[TEXT_MAX];
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    BUG_ON(n < 0 || (size_t)n >= sizeof(text));
    rule.text = arena_dup(b->set->a, sv_of(text, (size_t)n));
    if (b->err == OK)
        b->err = rule.text.p == NULL ? E_NOMEM : ipt_set_add(b->set, rule);
}

/* One rule at the end of our chain c. */
PRINTF(3, 4) static void add(struct builder *b, enum ipt_chain c, const char *fmt, ...)
{
    const struct ipt_chain_name *name = &ipt_chain_names[c];
    va_list ap;
    va_start(ap, fmt);
    add_rule(b, (struct ipt_rule){.table = name->table, .owner = c, .chain = name->name}, fmt, ap);
    va_end(ap);
}

/* The jump from a built-in chain into our chain c: "<match> -j <our chain>". */
static void add_jump(struct builder *b, const char *from, enum ipt_chain c, size_t place,
                     const char *match)
{
    char text[TEXT_MAX];
    const struct ipt_chain_name *name = &ipt_chain_names[c];
    int n = snprintf(text, sizeof(text), "%s -j %.*s", match, SVF(name->name));
    BUG_ON(n < 0 || (size_t)n >= sizeof(text));
    struct ipt_rule rule = {.table = name->table,
                            .owner = IPT_CHAINS,
                            .chain = sv_str(from),
                            .text = arena_dup(b->set->a, sv_of(text, (size_t)n)),
                            .place = place};
    if (b->err == OK)
        b->err = rule.text.p == NULL ? E_NOMEM : ipt_set_add(b->set, rule);
}

static void add_port_chunk(struct builder *b, enum ipt_chain c, const char *ports,
                           const char *target)
{
    add(b, c, "-p tcp -m multiport --dports %s -j %s", ports, target);
}

/* As many multiport rules as the list needs. */
static void add_ports(struct builder *b, enum ipt_chain c, const struct ipt_port_list *l,
                      const char *target)
{
    char ports[MULTIPORT_MAX * sizeof("65535,")] = "";
    size_t n = 0, used = 0;
    for (size_t i = 0; i < l->n; i++) {
        const struct ipt_ports *p = &l->at[i];
        size_t cost = p->first == p->last ? 1 : 2;
        if (used + cost > MULTIPORT_MAX) {
            add_port_chunk(b, c, ports, target);
            n = used = 0;
        }
        int k = cost == 1
                    ? snprintf(ports + n, sizeof(ports) - n, "%s%u", n == 0 ? "" : ",", p->first)
                    : snprintf(ports + n, sizeof(ports) - n, "%s%u:%u", n == 0 ? "" : ",", p->first,
                               p->last);
        BUG_ON(k < 0 || (size_t)k >= sizeof(ports) - n);
        n += (size_t)k;
        used += cost;
    }
    if (used > 0)
        add_port_chunk(b, c, ports, target);
}

/* "10.0.0.0/8" */
static void print_block(const struct ipt_cidr *c, char *out, size_t room)
{
    char ip[INET6_ADDRSTRLEN];
    BUG_ON(inet_ntop(c->family == IPT_V4 ? AF_INET : AF_INET6, c->ip, ip, sizeof(ip)) == NULL);
    int n = snprintf(out, room, "%s/%u", ip, c->bits);
    BUG_ON(n < 0 || (size_t)n >= room);
}

static bool is_metadata(enum ipt_family f, const char *block)
{
    for (size_t i = 0; i < METADATA_MAX && fixed[f].metadata[i] != NULL; i++)
        if (strcmp(fixed[f].metadata[i], block) == 0)
            return true;
    return false;
}

/* One rule per block of this family; /0 is printed without a destination, as iptables-save does. */
static void add_destinations(struct builder *b, enum ipt_chain c, const struct ipt_cidr_list *l,
                             const char *target)
{
    for (size_t i = 0; i < l->n; i++) {
        char block[INET6_ADDRSTRLEN + sizeof("/128")];
        if (l->at[i].family != b->f)
            continue;
        print_block(&l->at[i], block, sizeof(block));
        if (l->at[i].bits == 0)
            add(b, c, "-p tcp -j %s", target);
        else if (!is_metadata(b->f, block)) /* has its rule already */
            add(b, c, "-d %s -p tcp -j %s", block, target);
    }
}

static void add_interfaces(struct builder *b, enum ipt_chain c, const char *direction)
{
    const struct ipt_name_list *l = &b->o->exclude_interfaces;
    for (size_t i = 0; i < l->n; i++)
        add(b, c, "%s %.*s -j RETURN", direction, SVF(l->at[i]));
}

/* The proxy's own ports are left alone: a connection straight to one of them must arrive as such,
 * so that the proxy sees its own address as the destination and refuses it. */
static void add_own_ports(struct builder *b, enum ipt_chain c)
{
    const struct ipt_options *o = b->o;
    struct ipt_ports own[2] = {
        {o->ingress_port, o->ingress_port},
        {o->egress_port,  o->egress_port }
    };
    add_ports(b, c, &(struct ipt_port_list){own, 2}, "RETURN");
}

static bool has_port(const struct ipt_port_list *l, uint16_t port)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->at[i].first <= port && port <= l->at[i].last)
            return true;
    return false;
}

/* Port 22 stays reachable whatever the lists say. */
static void add_ignored_ports(struct builder *b, enum ipt_chain c, const struct ipt_port_list *l)
{
    struct ipt_port_list all = {ARENA_ARRAY(b->set->a, struct ipt_ports, l->n + 1), l->n};
    if (all.at == NULL) {
        b->err = E_NOMEM;
        return;
    }
    if (l->n > 0)
        memcpy(all.at, l->at, l->n * sizeof(*l->at));
    if (!has_port(l, SSH_PORT))
        all.at[all.n++] = (struct ipt_ports){SSH_PORT, SSH_PORT};
    add_ports(b, c, &all, "RETURN");
}

/* The application's ports to the target: the listed ones, or all but those ignored. */
static void add_app_ports(struct builder *b, enum ipt_chain c, const char *target)
{
    add_own_ports(b, c);
    if (!b->o->all_app_ports) {
        add_ports(b, c, &b->o->app_ports, target);
        return;
    }
    add_ignored_ports(b, c, &b->o->ingress_ignored_ports);
    add(b, c, "-p tcp -j %s", target);
}

static bool has_ingress(const struct ipt_options *o)
{
    return o->all_app_ports || o->app_ports.n > 0;
}

static void build_ingress(struct builder *b)
{
    char target[64];
    snprintf(target, sizeof(target), "REDIRECT --to-ports %u", b->o->ingress_port);
    add(b, IPT_INGRESS, "-i lo -j RETURN");
    add(b, IPT_INGRESS, "-s %.*s -j RETURN", SVF(fixed[b->f].guard));
    add_interfaces(b, IPT_INGRESS, "-i");
    add_app_ports(b, IPT_INGRESS, target);
    add_jump(b, "PREROUTING", IPT_INGRESS, 0, "-p tcp -m addrtype ! --src-type LOCAL");
}

static void add_owners(struct builder *b, enum ipt_chain c)
{
    if (b->o->uid.set)
        add(b, c, "-m owner --uid-owner %u -j RETURN", b->o->uid.id);
    if (b->o->gid.set)
        add(b, c, "-m owner --gid-owner %u -j RETURN", b->o->gid.id);
}

static void build_egress(struct builder *b)
{
    const struct ipt_options *o = b->o;
    char target[64];
    snprintf(target, sizeof(target), "REDIRECT --to-ports %u", o->egress_port);
    add(b, IPT_EGRESS, "-o lo -j RETURN");
    add(b, IPT_EGRESS, "-d %.*s -j RETURN", SVF(fixed[b->f].loopback));
    add(b, IPT_EGRESS, "-s %.*s -j RETURN", SVF(fixed[b->f].guard));
    add_owners(b, IPT_EGRESS);
    add_interfaces(b, IPT_EGRESS, "-o");
    add_ignored_ports(b, IPT_EGRESS, &o->egress_ignored_ports);
    for (size_t i = 0; i < METADATA_MAX && fixed[b->f].metadata[i] != NULL; i++)
        add(b, IPT_EGRESS, "-d %s -p tcp -j RETURN", fixed[b->f].metadata[i]);
    add_destinations(b, IPT_EGRESS, &o->egress_ignored_ips, "RETURN");
    if (o->egress_only_ips.n > 0)
        add_destinations(b, IPT_EGRESS, &o->egress_only_ips, target);
    else
        add(b, IPT_EGRESS, "-p tcp -j %s", target);
    add_jump(b, "OUTPUT", IPT_EGRESS, 0, "-p tcp -m addrtype ! --dst-type LOCAL");
}

/* "<prefix> -m owner --uid-owner N" and the same by group, for what must be the proxy's own
 * traffic. */
static void add_owner_jumps(struct builder *b, enum ipt_chain c, const char *prefix)
{
    char match[TEXT_MAX / 2];
    const struct {
        const char *what;
        struct ipt_id id;
    } owners[] = {
        {"uid", b->o->uid},
        {"gid", b->o->gid}
    };
    for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
        if (!owners[i].id.set)
            continue;
        snprintf(match, sizeof(match), "%s -m owner --%s-owner %u", prefix, owners[i].what,
                 owners[i].id.id);
        add_jump(b, "OUTPUT", c, 0, match);
    }
}

/* The application called itself by its service name and the proxy chose this very host: through the
 * inbound listener, like any other caller. The way from there to the application is by loopback
 * address or carries the guard address, and so is not caught again. */
static void build_self_calls(struct builder *b)
{
    char target[64];
    snprintf(target, sizeof(target), "REDIRECT --to-ports %u", b->o->ingress_port);
    add(b, IPT_SELF, "-s %.*s -j RETURN", SVF(fixed[b->f].guard));
    add(b, IPT_SELF, "-d %.*s -j RETURN", SVF(fixed[b->f].loopback));
    add_app_ports(b, IPT_SELF, target);
    add_owner_jumps(b, IPT_SELF, "-o lo -p tcp");
}

/* Before everybody else's rules: a container engine's own DNS redirection would win otherwise. */
static void build_dns(struct builder *b)
{
    add_owners(b, IPT_DNS);
    add_interfaces(b, IPT_DNS, "-o");
    add(b, IPT_DNS, "-p udp -j REDIRECT --to-ports %u", b->o->dns_port);
    add(b, IPT_DNS, "-p tcp -j REDIRECT --to-ports %u", b->o->dns_port);
    add_jump(b, "OUTPUT", IPT_DNS, 1, "-p udp -m udp --dport 53");
    add_jump(b, "OUTPUT", IPT_DNS, 2, "-p tcp -m tcp --dport 53");

    /* Local servers are left in the common zone: their answers pass rules of others that know no
     * zones. */
    add(b, IPT_DNS_IN, "! -i lo -j CT --zone %d", DNS_ZONE);
    add_jump(b, "PREROUTING", IPT_DNS_IN, 0, "-p udp -m udp --sport 53");
    add(b, IPT_DNS_OUT, "-m addrtype --dst-type LOCAL -j RETURN");
    add(b, IPT_DNS_OUT, "-j CT --zone %d", DNS_ZONE);
    add_owner_jumps(b, IPT_DNS_OUT, "-p udp -m udp --dport 53");
}

/* A packet outside its connection's window would pass untranslated and draw a reset from the
 * application. */
static void build_invalid(struct builder *b)
{
    add(b, IPT_INVALID, "-i lo -j RETURN");
    add(b, IPT_INVALID, "-m conntrack --ctstate INVALID -j DROP");
    add_jump(b, "PREROUTING", IPT_INVALID, 0, "-p tcp");
}

/* Inbound without address translation. The mark steers marked packets to the local table, so that
 * packets for a foreign address are delivered here. A proxy that connects to the application from
 * the client's address marks that socket; the connection's mark then brings the application's
 * answers back. The routing table is noted in a comment, so that cleaning up needs no options. */
static void build_tproxy(struct builder *b)
{
    const struct ipt_options *o = b->o;
    char target[128];
    snprintf(target, sizeof(target), "TPROXY --on-port %u --on-ip %s --tproxy-mark 0x%x/0xffffffff",
             o->ingress_port, b->f == IPT_V4 ? "0.0.0.0" : "::", o->tproxy_mark);

    add(b, IPT_DIVERT, "-m comment --comment weft-table-%u -j MARK --set-xmark 0x%x/0xffffffff",
        o->route_table, o->tproxy_mark);
    add(b, IPT_DIVERT, "-j ACCEPT");

    add(b, IPT_TPROXY_IN,
        "-i lo -m mark --mark 0x%x -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff",
        o->tproxy_mark);
    add(b, IPT_TPROXY_IN, "-i lo -j RETURN");
    add(b, IPT_TPROXY_IN, "-s %.*s -j RETURN", SVF(fixed[b->f].guard));
    add_interfaces(b, IPT_TPROXY_IN, "-i");
    add(b, IPT_TPROXY_IN, "-p tcp -m socket --transparent -j APPMESH_DIVERT");
    add_app_ports(b, IPT_TPROXY_IN, target);
    add_jump(b, "PREROUTING", IPT_TPROXY_IN, 0, "-p tcp -m addrtype ! --src-type LOCAL");

    add(b, IPT_TPROXY_OUT,
        "-m connmark --mark 0x%x -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask "
        "0xffffffff",
        o->tproxy_mark);
    add_jump(b, "OUTPUT", IPT_TPROXY_OUT, 0, "-p tcp");
}

enum err ipt_rules_build(const struct ipt_options *o, enum ipt_family f, struct arena *a,
                         struct ipt_set *out)
{
    struct builder b = {.o = o, .f = f, .set = out};
    ipt_set_init(out, a);
    if (o->drop_invalid)
        build_invalid(&b);
    if (has_ingress(o) && o->mode == IPT_TPROXY)
        build_tproxy(&b);
    if (has_ingress(o) && o->mode == IPT_REDIRECT)
        build_ingress(&b);
    if (o->dns_port != 0) /* its jumps stand first */
        build_dns(&b);
    build_egress(&b);
    if (has_ingress(o) && o->self_calls == IPT_SELF_PROXY)
        build_self_calls(&b);
    return b.err;
}
