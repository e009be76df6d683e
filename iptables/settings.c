/* One table says, for every setting, its flag, its ECS property, its App Mesh variable, its reader
 * and its help. Pure: no I/O; used by options.c (main thread). */
#include "iptables/settings.h"
#include "iptables/values.h"

enum { TPROXY_MARK = 1337, ROUTE_TABLE = 15000, WAIT_S = 30, WAIT_MAX_S = 3600 };

#define READ(name, call)                                                                           \
    static enum err read_##name(const struct ipt_reader *r, struct sv v)                           \
    {                                                                                              \
        return call;                                                                               \
    }

READ(uid, ipt_value_id(v, &r->o->uid, r->d))
READ(gid, ipt_value_id(v, &r->o->gid, r->d))
READ(egress_port, ipt_value_port(v, &r->o->egress_port, r->d))
READ(ingress_port, ipt_value_port(v, &r->o->ingress_port, r->d))
READ(dns_port, ipt_value_port(v, &r->o->dns_port, r->d))
READ(egress_ips, ipt_value_cidrs(r->a, v, &r->o->egress_ignored_ips, r->d))
READ(only_ips, ipt_value_cidrs(r->a, v, &r->o->egress_only_ips, r->d))
READ(egress_ports, ipt_value_ports(r->a, v, &r->o->egress_ignored_ports, r->d))
READ(ingress_ports, ipt_value_ports(r->a, v, &r->o->ingress_ignored_ports, r->d))
READ(interfaces, ipt_value_interfaces(r->a, v, &r->o->exclude_interfaces, r->d))
READ(mark, ipt_value_u32(v, &r->o->tproxy_mark, r->d))

static enum err read_app_ports(const struct ipt_reader *r, struct sv v)
{
    if (sv_eq(sv_trim(v), SV("*"))) {
        r->o->all_app_ports = true;
        return OK;
    }
    return ipt_value_ports(r->a, v, &r->o->app_ports, r->d);
}

static enum err read_start(const struct ipt_reader *r, struct sv v)
{
    bool on = true;
    TRY(ipt_value_bool(v, &on, r->d));
    r->o->disabled = !on;
    return OK;
}

/* Puts the index of v in names at *out. */
static enum err read_choice(const struct ipt_reader *r, struct sv v, const char *const names[3],
                            unsigned *out)
{
    for (unsigned i = 0; i < 3 && names[i] != NULL; i++)
        if (sv_eq(v, sv_str(names[i]))) {
            *out = i;
            return OK;
        }
    return diag_fail(r->d, E_PARSE, "\"%.*s\" is not one of %s, %s%s%s", SVF(v), names[0], names[1],
                     names[2] == NULL ? "" : ", ", names[2] == NULL ? "" : names[2]);
}

static enum err read_ipv6(const struct ipt_reader *r, struct sv v)
{
    static const char *const names[3] = {"auto", "on", "off"};
    bool on = false;
    unsigned i = 0;
    if (ipt_value_bool(v, &on, NULL) == OK) { /* APPMESH_ENABLE_IPV6 */
        r->o->ipv6 = on ? IPT_IPV6_ON : IPT_IPV6_OFF;
        return OK;
    }
    TRY(read_choice(r, v, names, &i));
    r->o->ipv6 = (enum ipt_ipv6)i;
    return OK;
}

static enum err read_mode(const struct ipt_reader *r, struct sv v)
{
    static const char *const names[3] = {"redirect", "tproxy"};
    unsigned i = 0;
    TRY(read_choice(r, v, names, &i));
    r->o->mode = (enum ipt_mode)i;
    return OK;
}

static enum err read_self_calls(const struct ipt_reader *r, struct sv v)
{
    static const char *const names[3] = {"direct", "proxy"};
    unsigned i = 0;
    TRY(read_choice(r, v, names, &i));
    r->o->self_calls = (enum ipt_self_calls)i;
    return OK;
}

static enum err read_backend(const struct ipt_reader *r, struct sv v)
{
    static const char *const names[3] = {"auto", "nft", "legacy"};
    unsigned i = 0;
    TRY(read_choice(r, v, names, &i));
    r->o->backend = (enum ipt_backend)i;
    return OK;
}

static enum err read_table(const struct ipt_reader *r, struct sv v)
{
    uint32_t table = 0;
    TRY(ipt_value_u32(v, &table, r->d));
    if (table >= 253 && table <= 255)
        return diag_fail(r->d, E_PARSE, "%u is a table of the system (default, main, local)",
                         table);
    r->o->route_table = table;
    return OK;
}

static enum err read_wait(const struct ipt_reader *r, struct sv v)
{
    uint32_t s = 0;
    if (sv_u32(v, &s) != OK || s == 0 || s > WAIT_MAX_S)
        return diag_fail(r->d, E_PARSE, "\"%.*s\" is not a number of seconds (1-%d)", SVF(v),
                         WAIT_MAX_S);
    r->o->wait_s = s;
    return OK;
}

static enum err read_iptables(const struct ipt_reader *r, struct sv v)
{
    struct sv name = sv_skip(v, sv_rfind(v, '/') + 1); /* SIZE_MAX + 1 is 0: no slash */
    if (!sv_starts(v, SV("/")) || !sv_starts(name, SV("iptables")))
        return diag_fail(r->d, E_PARSE, "\"%.*s\" is not an absolute path to an iptables program",
                         SVF(v));
    struct sv copy = arena_dup(r->a, v);
    r->o->iptables = copy.p;
    return copy.p == NULL ? diag_fail(r->d, E_NOMEM, "no memory") : OK;
}

static enum err read_log_level(const struct ipt_reader *r, struct sv v)
{
    if (log_level_parse(v, &r->o->log_level) != OK)
        return diag_fail(r->d, E_PARSE, "\"%.*s\" is not a log level", SVF(v));
    return OK;
}

static enum err read_drop_invalid(const struct ipt_reader *r, struct sv v)
{
    (void)v;
    r->o->drop_invalid = true;
    return OK;
}

static enum err read_dry_run(const struct ipt_reader *r, struct sv v)
{
    (void)v;
    r->o->dry_run = true;
    return OK;
}

static enum err read_clean(const struct ipt_reader *r, struct sv v)
{
    (void)v;
    r->o->action = IPT_CLEAN;
    return OK;
}

/* clang-format off */
const struct ipt_setting ipt_settings[SETTING_COUNT] = {
    {NULL, NULL, "APPMESH_START_ENABLED", "BOOL", false, read_start,
     "0: change nothing and say so; unset or 1: install"},
    {"--ignore-uid", "IgnoredUID", "APPMESH_IGNORE_UID", "UID", false, read_uid,
     "outbound traffic of this user is not redirected: the proxy's (1337)"},
    {"--ignore-gid", "IgnoredGID", "APPMESH_IGNORE_GID", "GID", false, read_gid,
     "the same by group; one of the two is needed"},
    {"--egress-port", "ProxyEgressPort", "APPMESH_ENVOY_EGRESS_PORT", "PORT", false,
     read_egress_port, "where outbound connections go (15001); needed"},
    {"--ingress-port", "ProxyIngressPort", "APPMESH_ENVOY_INGRESS_PORT", "PORT", false,
     read_ingress_port, "where inbound connections go (15000); with application ports"},
    {"--app-ports", "AppPorts", "APPMESH_APP_PORTS", "PORTS", true, read_app_ports,
     "inbound ports to redirect, such as 80,8000:8010; '*' is all ports but 22"},
    {"--ingress-ignored-ports", NULL, NULL, "PORTS", true, read_ingress_ports,
     "with '*': inbound ports left alone"},
    {"--egress-ignored-ips", "EgressIgnoredIPs", "APPMESH_EGRESS_IGNORED_IP", "CIDRS", true,
     read_egress_ips, "destinations not redirected; the metadata addresses never are"},
    {"--egress-ignored-ports", "EgressIgnoredPorts", "APPMESH_EGRESS_IGNORED_PORTS", "PORTS", true,
     read_egress_ports, "destination ports not redirected; 22 never is"},
    {"--egress-only-ips", NULL, NULL, "CIDRS", true, read_only_ips,
     "redirect only these destinations"},
    {"--exclude-interfaces", NULL, NULL, "NAMES", true, read_interfaces,
     "interfaces whose traffic is left alone; a last + is a wildcard"},
    {"--ipv6", NULL, "APPMESH_ENABLE_IPV6", "auto|on|off", false, read_ipv6,
     "IPv6 rules too; auto: when this network namespace has IPv6"},
    {"--mode", NULL, NULL, "redirect|tproxy", false, read_mode,
     "how inbound connections reach the proxy; tproxy changes no address"},
    {"--tproxy-mark", NULL, NULL, "MARK", false, read_mark,
     "packet mark of tproxy mode (1337)"},
    {"--route-table", NULL, NULL, "TABLE", false, read_table,
     "routing table of tproxy mode (15000)"},
    {"--self-calls", NULL, NULL, "direct|proxy", false, read_self_calls,
     "what the proxy sends to this host's own address on an application port"},
    {"--dns-port", NULL, NULL, "PORT", false, read_dns_port,
     "send DNS queries of the application to this local port"},
    {"--drop-invalid", NULL, NULL, NULL, false, read_drop_invalid,
     "drop inbound TCP packets that belong to no known connection"},
    {"--clean", NULL, NULL, NULL, false, read_clean,
     "remove everything this program or App Mesh's own tools installed"},
    {"--dry-run", NULL, NULL, NULL, false, read_dry_run,
     "print what would be done, change nothing; needs no root"},
    {"--backend", NULL, NULL, "auto|nft|legacy", false, read_backend,
     "which iptables; auto: the one in use"},
    {"--iptables", NULL, NULL, "PATH", false, read_iptables,
     "the iptables program, with -save, -restore and ip6tables beside it"},
    {"--wait", NULL, NULL, "SECONDS", false, read_wait,
     "how long to wait for another run and for the xtables lock (30)"},
    {"--log-level", NULL, NULL, "LEVEL", false, read_log_level,
     "trace debug info warning error critical off (info)"},
    {"--help", NULL, NULL, NULL, false, NULL, "this text"},
    {"--version", NULL, NULL, NULL, false, NULL, "name and version"},
};
/* clang-format on */

void ipt_settings_defaults(struct ipt_options *o)
{
    *o = (struct ipt_options){.tproxy_mark = TPROXY_MARK,
                              .route_table = ROUTE_TABLE,
                              .wait_s = WAIT_S,
                              .log_level = LOG_INFO};
}
