/* Collects what was given where, picks the winner of each setting, reads it, and checks
 * combinations. Pure: no I/O; called by main.c (main thread) and tests. */
#include "iptables/options.h"
#include "base/str.h"
#include "iptables/settings.h"

/* The value chosen for one setting, and the name under which it was given. */
struct given {
    const char *name;
    struct sv value;
};

static size_t find_setting(struct sv name, bool flag)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *have = flag ? ipt_settings[i].flag : ipt_settings[i].ecs;
        if (have != NULL && sv_eq(name, sv_str(have)))
            return i;
    }
    return SIZE_MAX;
}

/* A variable set to nothing is one not set: task definitions carry empty ones. */
static void take_environment(const char *const *env, struct given given[SETTING_COUNT])
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *names[2] = {ipt_settings[i].appmesh,
                                ipt_settings[i].ecs}; /* the later one wins */
        for (size_t k = 0; k < 2; k++) {
            for (const char *const *e = env; names[k] != NULL && *e != NULL; e++) {
                struct sv rest = sv_str(*e), name = SV_NONE;
                if (sv_split(&rest, '=', &name) && sv_eq(name, sv_str(names[k])) &&
                    sv_trim(rest).n != 0)
                    given[i] = (struct given){names[k], rest};
            }
        }
    }
}

static enum err take_flag(const char *const **at, struct given *flags, struct diag *d)
{
    struct sv name = sv_str(**at), value = SV_NONE;
    size_t eq = sv_find(name, '=', 0);
    if (eq != SIZE_MAX) {
        value = sv_skip(name, eq + 1);
        name.n = eq;
    }
    size_t i = find_setting(name, true);
    if (i == SIZE_MAX)
        return diag_fail(d, E_NOTFOUND, "unknown flag \"%.*s\" (see --help)", SVF(name));
    const struct ipt_setting *s = &ipt_settings[i];
    if (flags[i].name != NULL)
        return diag_fail(d, E_CONFLICT, "%s is given twice", s->flag);
    if (s->takes == NULL && eq != SIZE_MAX)
        return diag_fail(d, E_PARSE, "%s takes no value", s->flag);
    if (s->takes != NULL && eq == SIZE_MAX) {
        if ((*at)[1] == NULL)
            return diag_fail(d, E_PARSE, "%s needs a value (%s)", s->flag, s->takes);
        value = sv_str(*++*at);
    }
    if (s->takes != NULL && !s->empty_ok && sv_trim(value).n == 0)
        return diag_fail(d, E_PARSE, "%s needs a value (%s)", s->flag, s->takes);
    flags[i] = (struct given){s->flag, value};
    return OK;
}

static enum err take_property(const char *arg, struct given *properties, struct diag *d)
{
    struct sv rest = sv_str(arg), name = SV_NONE;
    if (sv_find(rest, '=', 0) == SIZE_MAX || !sv_split(&rest, '=', &name))
        return diag_fail(d, E_PARSE, "unexpected argument \"%s\" (neither a flag nor NAME=VALUE)",
                         arg);
    size_t i = find_setting(name, false);
    if (i == SIZE_MAX)
        return diag_fail(d, E_NOTFOUND, "unknown property \"%.*s\" (see --help)", SVF(name));
    if (properties[i].name != NULL)
        return diag_fail(d, E_CONFLICT, "%s is given twice", ipt_settings[i].ecs);
    properties[i] = (struct given){ipt_settings[i].ecs, rest};
    return OK;
}

/* Flags and properties are collected apart, since a flag wins wherever it stands. */
static enum err take_arguments(const char *const *args, struct given given[SETTING_COUNT],
                               struct diag *d)
{
    struct given flags[SETTING_COUNT] = {0}, properties[SETTING_COUNT] = {0};
    for (const char *const *at = args; *at != NULL; at++) {
        if ((*at)[0] == '-')
            TRY(take_flag(&at, flags, d));
        else
            TRY(take_property(*at, properties, d));
    }
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (sv_trim(properties[i].value).n != 0)
            given[i] = properties[i];
        if (flags[i].name != NULL)
            given[i] = flags[i];
    }
    return OK;
}

/* A port of the proxy named as one of the application's would send the proxy's traffic to itself.
 */
static enum err check_app_ports(const struct ipt_options *o, struct diag *d)
{
    const uint16_t own[] = {o->ingress_port, o->egress_port, o->dns_port};
    for (size_t i = 0; i < o->app_ports.n; i++) {
        struct ipt_ports p = o->app_ports.at[i];
        for (size_t k = 0; k < ARRAY_LEN(own); k++)
            if (p.first == p.last && p.first == own[k])
                return diag_fail(d, E_CONFLICT, "application port %u is a port of the proxy",
                                 p.first);
    }
    if (o->ingress_ignored_ports.n > 0 && !o->all_app_ports)
        return diag_fail(d, E_CONFLICT, "--ingress-ignored-ports needs --app-ports '*'");
    return OK;
}

/* What must stand together, as the ECS agent and App Mesh's route manager demand it. */
static enum err check_install(const struct ipt_options *o, struct diag *d)
{
    bool ports = o->all_app_ports || o->app_ports.n > 0;
    if (!o->uid.set && !o->gid.set)
        return diag_fail(d, E_CONFLICT,
                         "the proxy's user or group is needed: IgnoredUID (APPMESH_IGNORE_UID, "
                         "--ignore-uid) or IgnoredGID (APPMESH_IGNORE_GID, --ignore-gid)");
    if (o->egress_port == 0)
        return diag_fail(d, E_CONFLICT,
                         "the proxy's outbound port is needed: ProxyEgressPort "
                         "(APPMESH_ENVOY_EGRESS_PORT, --egress-port)");
    if (ports != (o->ingress_port != 0))
        return diag_fail(
            d, E_CONFLICT,
            "%s is missing: ProxyIngressPort (APPMESH_ENVOY_INGRESS_PORT, "
            "--ingress-port) and AppPorts (APPMESH_APP_PORTS, --app-ports) go together",
            ports ? "ProxyIngressPort" : "AppPorts");
    if (o->egress_port == o->ingress_port || o->egress_port == o->dns_port ||
        (o->dns_port != 0 && o->ingress_port == o->dns_port))
        return diag_fail(d, E_CONFLICT, "the inbound, outbound and DNS ports must differ");
    if (o->mode == IPT_TPROXY && !ports)
        return diag_fail(d, E_CONFLICT,
                         "--mode tproxy is for inbound traffic: it needs "
                         "--ingress-port and --app-ports");
    if (o->self_calls == IPT_SELF_PROXY && !ports)
        return diag_fail(d, E_CONFLICT, "--self-calls proxy needs --ingress-port and --app-ports");
    return check_app_ports(o, d);
}

/* Whoever asks for help gets it, whatever else is wrong. */
static enum ipt_action question(const struct given *given)
{
    enum ipt_action asked = IPT_INSTALL;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (given[i].name == NULL || ipt_settings[i].flag == NULL)
            continue;
        if (strcmp(ipt_settings[i].flag, "--help") == 0)
            return IPT_HELP;
        if (strcmp(ipt_settings[i].flag, "--version") == 0)
            asked = IPT_VERSION;
    }
    return asked;
}

static enum err read_settings(const struct ipt_reader *r, const struct given *given)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct ipt_setting *s = &ipt_settings[i];
        if (given[i].name == NULL || s->read == NULL)
            continue;
        enum err e = s->read(r, sv_trim(given[i].value));
        if (e != OK) {
            diag_prefix(r->d, "%s", given[i].name);
            return e;
        }
    }
    return OK;
}

enum err ipt_options_read(struct arena *a, const struct ipt_input *in, struct ipt_options *out,
                          struct diag *d)
{
    struct given given[SETTING_COUNT] = {0};
    struct ipt_options o;
    const struct ipt_reader r = {a, &o, d};

    ipt_settings_defaults(&o);
    take_environment(in->env, given);
    TRY(take_arguments(in->args, given, d));
    o.action = question(given);
    if (o.action != IPT_INSTALL) {
        *out = o;
        return OK;
    }
    TRY(read_settings(&r, given));
    if (o.iptables != NULL && o.backend != IPT_BACKEND_AUTO)
        return diag_fail(d, E_CONFLICT, "--iptables and --backend exclude each other");
    if (o.action == IPT_INSTALL && !o.disabled)
        TRY(check_install(&o, d));
    *out = o;
    return OK;
}

void ipt_options_help(struct str *out)
{
    str_add(out, SV("usage: weft-iptables [FLAG...] [PROPERTY=VALUE...]\n\n"
                    "Installs or removes the rules that send an application's TCP traffic through "
                    "the proxy beside it.\nA flag wins over an ECS proxyConfiguration property (as "
                    "argument, then as environment variable),\nand that over App Mesh's "
                    "variable.\n\n"));
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct ipt_setting *s = &ipt_settings[i];
        if (s->flag != NULL)
            str_addf(out, "  %s%s%s\n", s->flag, s->takes == NULL ? "" : " ",
                     s->takes == NULL ? "" : s->takes);
        if (s->ecs != NULL || s->appmesh != NULL)
            str_addf(out, "  %s%s%s%s\n", s->flag == NULL ? "" : "    ",
                     s->ecs == NULL ? "" : s->ecs, s->ecs == NULL ? "" : ", ",
                     s->appmesh == NULL ? "" : s->appmesh);
        str_addf(out, "        %s\n", s->help);
    }
    str_add(out, SV("\nexit status: 0 done or nothing to do, 1 the rules could not be applied, "
                    "2 wrong use\n"));
}
