#pragma once
/* Carries a job out: runs ip(8) and iptables-restore, checks the outcome, and takes everything back
 * when a part fails. Main thread of weft-iptables only; SIGPIPE must be ignored. */
#include "iptables/job.h"

/* OK: every target has the rules it shall have. Otherwise d says what failed and whether the former
 * state is back. */
MUST enum err ipt_job_apply(const struct ipt_job *j, struct diag *d);
