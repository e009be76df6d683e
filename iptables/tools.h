#pragma once
/* The iptables programs of this machine, by backend. Looks at the file system and runs
 * iptables-save; changes nothing. Main thread of weft-iptables only. */
#include "iptables/plan.h"

enum { IPT_PATH_MAX = 256, IPT_TOOLS_MAX = 2 };

/* One backend, and what it says is installed. */
struct ipt_tools {
    const char *name; /* "nft", "legacy", or "given" for what --iptables named */
    char save[IPT_FAMILIES][IPT_PATH_MAX], restore[IPT_FAMILIES][IPT_PATH_MAX];
    /* Read by ipt_tools_read; `readable` false: `why` says what failed, and the state is empty. */
    bool readable[IPT_FAMILIES];
    struct ipt_state state[IPT_FAMILIES];
    struct diag why[IPT_FAMILIES];
};

struct ipt_toolbox {
    struct ipt_tools at[IPT_TOOLS_MAX];
    size_t n, chosen;
};

/* Finds the programs that the options allow. E_NOTFOUND: none for IPv4. */
MUST enum err ipt_tools_find(const struct ipt_options *o, struct ipt_toolbox *out, struct diag *d);

/* Reads one family's state through one backend; the texts live in the arena. E_NOMEM; anything else
 * that fails only makes it unreadable. */
MUST enum err ipt_tools_read(struct ipt_tools *t, enum ipt_family f, struct arena *a);

/* The backend in use: the one that holds our rules, else the one that holds anybody's, else the
 * first that works. */
size_t ipt_tools_choose(const struct ipt_toolbox *box);
