/* Doing and undoing; see apply.h. */
#define LOG_COMPONENT LOGC_IPTABLES
#include "iptables/apply.h"
#include "iptables/run.h"

#include <stdio.h>

enum {
    IP_TIMEOUT_MS = 10000,
    WORK_TIMEOUT_MS = 30000, /* what iptables-restore may take besides waiting for the lock */
    ATTEMPTS = 4,
    PLAN_MAX = 4 << 20
};

/* How far a job has come. */
struct progress {
    size_t ips, targets;
};

static enum err run_restore(const struct ipt_job *j, const struct ipt_target *t,
                            const struct str *in, struct diag *d)
{
    char wait[16];
    const char *program = t->tools->restore[t->family];
    snprintf(wait, sizeof(wait), "%u", j->o->wait_s);
    const char *argv[] = {program, "--noflush", "--wait", wait, NULL};
    const struct run r = {.program = program,
                          .argv = argv,
                          .input = str_sv(in),
                          .timeout_ms = j->o->wait_s * 1000 + WORK_TIMEOUT_MS};
    log_debug("iptables.restore", "program=%s input=\"%s\"", program, in->p);
    return run_program(&r, NULL, d);
}

static enum err run_ip(const struct ipt_job *j, const struct ipt_ip *c, struct diag *d)
{
    struct ipt_ip_argv argv;
    ipt_ip_command(c, &argv);
    const struct run r = {.program = j->ip_program, .argv = argv.at, .timeout_ms = IP_TIMEOUT_MS};
    return run_program(&r, NULL, d);
}

/* Feeds the plan and looks again. E_AGAIN: the rules have changed, by us or by others. */
static enum err try_plan(const struct ipt_job *j, const struct ipt_target *t, struct ipt_tools *now,
                         const struct str *plan, struct diag *d)
{
    enum ipt_family f = t->family;
    struct str again;
    struct diag why;
    enum err e = run_restore(j, t, plan, &why);

    if (ipt_tools_read(now, f, j->a) != OK)
        return diag_fail(d, E_NOMEM, "no memory");
    if (!now->readable[f])
        return diag_fail(d, E_IO, "the %s rules cannot be read back: %s", ipt_family_name(f),
                         now->why[f].msg);
    if (e == OK)
        return E_AGAIN;
    /* A failure that left everything as it was is final; after any other the ground has moved. */
    str_init(&again, PLAN_MAX);
    ipt_plan(&now->state[f].ours, &t->want, &again);
    bool same = sv_eq(str_sv(plan), str_sv(&again));
    str_fini(&again);
    return same ? diag_fail(d, e, "%s", why.msg) : E_AGAIN;
}

/* OK: nothing is left to do. E_AGAIN: something was done. */
static enum err step(const struct ipt_job *j, const struct ipt_target *t, struct ipt_tools *now,
                     struct diag *d)
{
    struct str plan;
    str_init(&plan, PLAN_MAX);
    ipt_plan(&now->state[t->family].ours, &t->want, &plan);
    enum err e = str_status(&plan);
    if (e != OK)
        e = diag_fail(d, e, "no memory");
    else if (plan.n > 0)
        e = try_plan(j, t, now, &plan, d);
    str_fini(&plan);
    return e;
}

/* Until the rules read back are the wanted ones; now: what was read last; *changed: something was
 * done. Somebody who works on them at the same time (another run of this program) is met by
 * planning anew from what is there.
 */
static enum err converge(const struct ipt_job *j, const struct ipt_target *t, struct ipt_tools *now,
                         bool *changed, struct diag *d)
{
    enum err e = E_AGAIN;
    *changed = false;
    for (int i = 0; i < ATTEMPTS && e == E_AGAIN; i++) {
        e = step(j, t, now, d);
        *changed = *changed || e == E_AGAIN;
    }
    if (e != E_AGAIN)
        return e;
    if (!ipt_set_similar(&now->state[t->family].ours, &t->want))
        return diag_fail(d, E_CONFLICT, "somebody else keeps changing the %s rules",
                         ipt_family_name(t->family));
    log_warn("iptables.spelling",
             "family=%s effect=\"installed; every run installs anew\" "
             "reason=\"%s prints rules in another form than the one known\"",
             ipt_family_name(t->family), now->save[t->family]);
    return OK;
}

/* Deletions (add false) come after the rules, additions before. */
static enum err change_ips(const struct ipt_job *j, bool add, struct progress *p, struct diag *d)
{
    for (; p->ips < j->n_ips && j->ips[p->ips].add == add; p->ips++)
        TRY(run_ip(j, &j->ips[p->ips], d));
    return OK;
}

static enum err go_forward(const struct ipt_job *j, struct progress *p, struct diag *d)
{
    TRY(change_ips(j, true, p, d));
    while (p->targets < j->n_targets) {
        const struct ipt_target *t = &j->targets[p->targets++]; /* it may fail half-way */
        struct ipt_tools now = *t->tools;
        bool changed = false;
        TRY(converge(j, t, &now, &changed, d));
        log_info("iptables.done", "family=%s backend=%s rules=%s", ipt_family_name(t->family),
                 now.name,
                 !changed                  ? "unchanged"
                 : ipt_set_empty(&t->want) ? "removed"
                                           : "installed");
    }
    return change_ips(j, false, p, d);
}

static enum err restore_target(const struct ipt_job *j, const struct ipt_target *t, struct diag *d)
{
    struct ipt_tools now = *t->tools;
    bool changed = false;
    const struct ipt_target former = {t->tools, t->family, t->tools->state[t->family].ours};
    if (ipt_tools_read(&now, t->family, j->a) != OK)
        return diag_fail(d, E_NOMEM, "no memory");
    if (!now.readable[t->family])
        return diag_fail(d, E_IO, "%s", now.why[t->family].msg);
    return converge(j, &former, &now, &changed, d);
}

static enum err reverse_ip(const struct ipt_job *j, struct progress *p, struct diag *d)
{
    struct ipt_ip back = ipt_ip_reverse(&j->ips[--p->ips]);
    return run_ip(j, &back, d);
}

/* The former state, in the reverse order of work. False: something could not be put back; d says
 * what. */
static bool go_back(const struct ipt_job *j, struct progress *p, struct diag *d)
{
    bool all = true;
    while (p->ips > 0 && !j->ips[p->ips - 1].add)
        all = reverse_ip(j, p, d) == OK && all;
    while (p->targets > 0)
        all = restore_target(j, &j->targets[--p->targets], d) == OK && all;
    while (p->ips > 0)
        all = reverse_ip(j, p, d) == OK && all;
    return all;
}

enum err ipt_job_apply(const struct ipt_job *j, struct diag *d)
{
    struct progress p = {0};
    struct diag failed, undone;
    enum err e = go_forward(j, &p, &failed);
    if (e == OK)
        return OK;
    if (go_back(j, &p, &undone))
        return diag_fail(d, e, "%s; the former rules are in place", failed.msg);
    return diag_fail(d, e,
                     "%s; putting the former rules back failed too (%s): rules may be left, remove "
                     "them with --clean",
                     failed.msg, undone.msg);
}
