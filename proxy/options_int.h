#pragma once
/* Shared by the files of the command line only. */
#include "proxy/options.h"

/* What is still text after the flags were read. */
struct options_raw {
    struct options o;
    const char *mode, *log_level, *local_address, *drain_strategy;
    bool help, version, hot_restart_version, allow_unknown_fields;
};

enum option_kind { OPT_SWITCH, OPT_TEXT, OPT_NUMBER, OPT_LIST };

struct option_flag {
    const char *name;
    char letter; /* 0: none */
    enum option_kind kind;
    size_t offset; /* in struct options_raw; unused for OPT_LIST */
    const char *help;
};

/* options_flags.c */

extern const struct option_flag option_flags[];
extern const size_t option_flags_n;

/* The short form of all flags, wrapped. */
void options_add_usage(struct str *out, const char *program);
void options_add_help(struct str *out, const char *program);

/* options_check.c */

/* Ends with Envoy's "error: ..." line; always false. */
bool options_fail(struct options_end *end, const char *fmt, ...) PRINTF(2, 3);
/* Checks what was read and turns it into raw->o. */
bool options_check(struct options_raw *raw, struct options_end *end);
