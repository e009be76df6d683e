#pragma once
/* What one run has to do: looks at the machine (programs, rules and routes that are there) and
 * decides, changing nothing. apply.h carries it out. Main thread of weft-iptables only. */
#include "iptables/route.h"
#include "iptables/tools.h"

enum { IPT_TARGETS_MAX = IPT_TOOLS_MAX * IPT_FAMILIES, IPT_IPS_MAX = 64 };

/* One address family under one backend, and the rules it shall have. */
struct ipt_target {
    const struct ipt_tools *tools;
    enum ipt_family family;
    struct ipt_set want;
};

struct ipt_job {
    const struct ipt_options *o;
    struct arena *a;
    struct ipt_toolbox box;
    struct ipt_target targets[IPT_TARGETS_MAX]; /* in the order of work */
    size_t n_targets;
    /* Routes of tproxy mode: added before the rules that need them, removed after those that did.
     */
    struct ipt_ip ips[IPT_IPS_MAX];
    size_t n_ips;
    char ip_program[IPT_PATH_MAX]; /* empty: there is none, and none is needed */
};

/* Fills *j; everything it points to is in the arena or borrowed from o. E_NOTFOUND (a program is
 * missing), E_IO (the rules cannot be read), E_NOMEM. */
MUST enum err ipt_job_prepare(const struct ipt_options *o, struct arena *a, struct ipt_job *j,
                              struct diag *d);

/* The job as the commands and inputs it consists of: what --dry-run prints. */
void ipt_job_show(const struct ipt_job *j, struct str *out);
