#pragma once
/* The table behind the options: names, reader and help of every setting. Private to options.c and
 * settings.c. */
#include "iptables/options.h"

enum { SETTING_COUNT = 26 };

/* Where values go and what they need to be read. */
struct ipt_reader {
    struct arena *a;
    struct ipt_options *o;
    struct diag *d;
};

struct ipt_setting {
    const char *flag, *ecs, *appmesh; /* NULL: has no such name */
    const char *takes;                /* what --help shows; NULL: a flag without a value */
    bool empty_ok;                    /* an empty flag value means an empty list */
    /* NULL: a question, answered before anything is read. */
    enum err (*read)(const struct ipt_reader *r, struct sv value);
    const char *help;
};

extern const struct ipt_setting ipt_settings[SETTING_COUNT];

/* The values of a run that gives nothing. */
void ipt_settings_defaults(struct ipt_options *o);
