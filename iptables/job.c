/* Deciding what a run has to do; see job.h. */
#define LOG_COMPONENT LOGC_IPTABLES
#include "iptables/job.h"
#include "iptables/rules.h"
#include "iptables/run.h"

#include <fcntl.h>
#include <unistd.h>

enum { IP_TIMEOUT_MS = 10000, IP_OUTPUT_MAX = 4 << 20, DUPLICATES_MAX = 8 };

/* IPv6 is compiled in, and not switched off for this network namespace. */
static bool namespace_has_ipv6(void)
{
    char off = '0';
    int fd = open("/proc/sys/net/ipv6/conf/all/disable_ipv6", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return access("/proc/self/net/if_inet6", R_OK) == 0;
    if (read(fd, &off, 1) != 1)
        off = '0';
    close(fd);
    return off != '1';
}

/* Whether this family gets rules; E_IO when it should but cannot. */
static enum err family_wanted(const struct ipt_job *j, enum ipt_family f, bool *on, struct diag *d)
{
    const struct ipt_options *o = j->o;
    const struct ipt_tools *t = &j->box.at[j->box.chosen];
    bool needed = f == IPT_V4 || o->ipv6 == IPT_IPV6_ON;
    *on = o->action == IPT_INSTALL;
    if (!t->readable[f] && needed && !o->dry_run)
        return diag_fail(d, E_IO, "the %s rules cannot be read: %s", ipt_family_name(f),
                         t->why[f].msg);
    if (needed)
        return OK;
    if (o->ipv6 == IPT_IPV6_OFF || !namespace_has_ipv6()) {
        *on = false;
        return OK;
    }
    if (t->readable[f] || o->dry_run)
        return OK;
    /* Removing must not claim success over rules it could not look at. A missing program made none.
     */
    if (o->action == IPT_CLEAN && t->save[f][0] != '\0')
        return diag_fail(d, E_IO, "the %s rules cannot be read: %s", ipt_family_name(f),
                         t->why[f].msg);
    log_warn("iptables.no_ipv6", "effect=\"IPv6 traffic bypasses the proxy\" reason=\"%s\"",
             t->why[f].msg);
    *on = false;
    return OK;
}

static enum err add_target(struct ipt_job *j, const struct ipt_tools *t, enum ipt_family f, bool on)
{
    struct ipt_target *target = &j->targets[j->n_targets];
    *target = (struct ipt_target){.tools = t, .family = f};
    ipt_set_init(&target->want, j->a);
    if (on)
        TRY(ipt_rules_build(j->o, f, j->a, &target->want));
    j->n_targets++;
    return OK;
}

/* Rules of ours under the backend that is not used would act twice, or survive a clean-up. They go
 * last: until then traffic is never without redirection. */
static enum err add_strays(struct ipt_job *j)
{
    for (size_t i = 0; i < j->box.n; i++)
        for (enum ipt_family f = 0; i != j->box.chosen && f < IPT_FAMILIES; f++)
            if (!ipt_set_empty(&j->box.at[i].state[f].ours))
                TRY(add_target(j, &j->box.at[i], f, false));
    return OK;
}

/* Output of an ip(8) command that shows something; nothing when it fails, as it does for an unknown
 * table. */
static void ip_show(const struct ipt_job *j, const char *const *argv, struct str *out)
{
    const struct run r = {.program = j->ip_program, .argv = argv, .timeout_ms = IP_TIMEOUT_MS};
    struct diag why;
    if (run_program(&r, out, &why) != OK) {
        log_debug("iptables.ip_show", "reason=\"%s\"", why.msg);
        str_clear(out);
    }
}

static void add_ip(struct ipt_job *j, struct ipt_ip c)
{
    if (j->n_ips < IPT_IPS_MAX)
        j->ips[j->n_ips++] = c;
}

/* Compares one pair of mark and table with what is there. */
static void plan_pair(struct ipt_job *j, struct ipt_ip pair, bool want)
{
    struct str rules, routes;
    struct ipt_ip_argv c;
    ipt_ip_command(&pair, &c);
    const char *show_rules[] = {"ip", c.at[1], "rule", "show", NULL};
    const char *show_routes[] = {"ip", c.at[1], "route", "show", "table", c.table, NULL};
    str_init(&rules, IP_OUTPUT_MAX);
    str_init(&routes, IP_OUTPUT_MAX);
    ip_show(j, show_rules, &rules);
    ip_show(j, show_routes, &routes);
    size_t n = ipt_route_rules(str_sv(&rules), pair.mark, pair.table);
    bool route = ipt_route_there(str_sv(&routes));
    str_fini(&rules);
    str_fini(&routes);

    pair.add = want;
    pair.rule = true;
    for (size_t i = want; i < n && i < DUPLICATES_MAX; i++) /* superfluous copies */
        add_ip(j, (struct ipt_ip){pair.family, false, true, pair.mark, pair.table});
    if (want && n == 0)
        add_ip(j, pair);
    pair.rule = false;
    if (want != route)
        add_ip(j, pair);
}

/* Pairs that may be there: what an installed tproxy mode noted, and on clean-up what the options
 * name. */
static void plan_family_ips(struct ipt_job *j, const struct ipt_target *t, bool want)
{
    const struct ipt_options *o = j->o;
    struct ipt_ip asked = {t->family, true, true, o->tproxy_mark, o->route_table}, found = asked;
    bool noted = ipt_state_tproxy(&t->tools->state[t->family].ours, &found.mark, &found.table);
    if (noted && (found.mark != asked.mark || found.table != asked.table))
        plan_pair(j, found, false);
    if (want || noted || o->action == IPT_CLEAN)
        plan_pair(j, asked, want);
}

/* Additions to the front, keeping the order among them: they come before the rules. */
static void sort_ips(struct ipt_job *j)
{
    struct ipt_ip sorted[IPT_IPS_MAX];
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < j->n_ips; i++)
            if (j->ips[i].add == (pass == 0))
                sorted[n++] = j->ips[i];
    memcpy(j->ips, sorted, n * sizeof(sorted[0]));
}

static enum err plan_ips(struct ipt_job *j, struct diag *d)
{
    bool needed = false;
    for (size_t i = 0; i < j->n_targets; i++) {
        const struct ipt_target *t = &j->targets[i];
        needed = needed || t->want.chains[IPT_DIVERT] ||
                 t->tools->state[t->family].ours.chains[IPT_DIVERT];
    }
    if (!needed && j->o->action != IPT_CLEAN)
        return OK;
    if (run_find("ip", j->ip_program, sizeof(j->ip_program)) != OK) {
        j->ip_program[0] = '\0';
        return needed
                   ? diag_fail(d, E_NOTFOUND, "tproxy mode needs the program ip, which is missing")
                   : OK;
    }
    for (size_t i = 0; i < j->n_targets; i++)
        plan_family_ips(j, &j->targets[i], j->targets[i].want.chains[IPT_DIVERT]);
    sort_ips(j);
    return OK;
}

enum err ipt_job_prepare(const struct ipt_options *o, struct arena *a, struct ipt_job *j,
                         struct diag *d)
{
    *j = (struct ipt_job){.o = o, .a = a};
    TRY(ipt_tools_find(o, &j->box, d));
    for (size_t i = 0; i < j->box.n; i++)
        for (enum ipt_family f = 0; f < IPT_FAMILIES; f++)
            if (ipt_tools_read(&j->box.at[i], f, a) != OK)
                return diag_fail(d, E_NOMEM, "no memory");
    j->box.chosen = ipt_tools_choose(&j->box);

    for (enum ipt_family f = 0; f < IPT_FAMILIES; f++) {
        const struct ipt_tools *t = &j->box.at[j->box.chosen];
        bool on = false;
        TRY(family_wanted(j, f, &on, d));
        if ((on || t->readable[f]) && add_target(j, t, f, on) != OK)
            return diag_fail(d, E_NOMEM, "no memory");
    }
    if (add_strays(j) != OK)
        return diag_fail(d, E_NOMEM, "no memory");
    return plan_ips(j, d);
}

static void show_ips(const struct ipt_job *j, bool add, struct str *out)
{
    for (size_t i = 0; i < j->n_ips; i++) {
        if (j->ips[i].add != add)
            continue;
        ipt_ip_text(&j->ips[i], out);
        str_addc(out, '\n');
    }
}

void ipt_job_show(const struct ipt_job *j, struct str *out)
{
    show_ips(j, true, out);
    for (size_t i = 0; i < j->n_targets; i++) {
        const struct ipt_target *t = &j->targets[i];
        size_t before = out->n;
        if (!t->tools->readable[t->family])
            str_addf(out, "# the %s rules cannot be read, shown as for none (%s)\n",
                     ipt_family_name(t->family), t->tools->why[t->family].msg);
        str_addf(out, "# %s --noflush --wait %u\n", t->tools->restore[t->family], j->o->wait_s);
        size_t head = out->n;
        ipt_plan(&t->tools->state[t->family].ours, &t->want, out);
        if (out->n == head && !out->failed) {
            out->n = before;
            str_addf(out, "# %s (%s): nothing to change\n", ipt_family_name(t->family),
                     t->tools->name);
        }
    }
    show_ips(j, false, out);
}
