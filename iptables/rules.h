#pragma once
/* From options to the rules of one address family: a pure function. Main thread of weft-iptables
 * and tests only. */
#include "iptables/set.h"

/* The rules that the options ask for, to install. out is initialised here. E_NOMEM. */
MUST enum err ipt_rules_build(const struct ipt_options *o, enum ipt_family f, struct arena *a,
                              struct ipt_set *out);
