/* Envoy's command line: the reading of its flags. See options.h. */
#include "proxy/options_int.h"
#include <stdio.h>
#include <string.h>

/* ---- reading flags ---- */

/* The reading of one command line. */
struct reader {
    int argc;
    char *const *argv;
    int at; /* the next argument */
    struct options_raw raw;
    uint64_t seen; /* bits by index of the flag */
    struct options_end *end;
};

/* Ends with the message of a flag that cannot be read. flag: as Envoy names it. */
static bool fail_parse(struct reader *r, const char *flag, const char *reason)
{
    struct str *err = &r->end->err;
    r->end->code = 1;
    str_addf(err, "PARSE ERROR: Argument: %s\n             %s\n\n", flag, reason);
    str_add(err, SV("Brief USAGE: \n"));
    options_add_usage(err, r->argv[0]);
    str_addf(err, "\nFor complete USAGE and HELP type: \n   %s --help\n\n", r->argv[0]);
    str_addf(err, "%s -- %s\n", flag, reason);
    return false;
}

static bool fail_flag(struct reader *r, const struct option_flag *f, const char *reason)
{
    char flag[64];
    if (f->letter != 0)
        snprintf(flag, sizeof flag, "-%c (--%s)", f->letter, f->name);
    else
        snprintf(flag, sizeof flag, "(--%s)", f->name);
    return fail_parse(r, flag, reason);
}

/* arg: "--name", "--name=value" or "-c". NULL: no such flag. *value: what follows '=', or NULL. */
static const struct option_flag *find_flag(const char *arg, const char **value)
{
    *value = NULL;
    for (size_t i = 0; i < option_flags_n; i++) {
        const struct option_flag *f = &option_flags[i];
        if (arg[0] == '-' && f->letter != 0 && arg[1] == f->letter && arg[2] == '\0')
            return f;
        size_t n = strlen(f->name);
        if (strncmp(arg, "--", 2) != 0 || strncmp(arg + 2, f->name, n) != 0)
            continue;
        const char *rest = arg + 2 + n;
        if (rest[0] == '\0')
            return f;
        if (rest[0] == '=' && f->kind != OPT_SWITCH) {
            *value = rest + 1;
            return f;
        }
    }
    return NULL;
}

static bool set_number(struct reader *r, const struct option_flag *f, const char *value,
                       uint32_t *out)
{
    if (sv_u32(sv_str(value), out) == OK)
        return true;
    char reason[128];
    snprintf(reason, sizeof reason, "Couldn't read argument value from string '%s'", value);
    return fail_flag(r, f, reason);
}

static bool add_tag(struct reader *r, const char *value)
{
    struct options *o = &r->raw.o;
    if (o->n_stats_tags == OPTIONS_TAGS_MAX)
        return options_fail(r->end, "more than %d stats-tags", OPTIONS_TAGS_MAX);
    o->stats_tags[o->n_stats_tags++] = value;
    return true;
}

static bool set_value(struct reader *r, const struct option_flag *f, const char *value)
{
    char *field = (char *)&r->raw + f->offset;
    switch (f->kind) {
    case OPT_SWITCH:
        memcpy(field, &(bool){true}, sizeof(bool));
        return true;
    case OPT_TEXT:
        memcpy(field, &value, sizeof value);
        return true;
    case OPT_NUMBER: {
        uint32_t n = 0;
        if (!set_number(r, f, value, &n))
            return false;
        memcpy(field, &n, sizeof n);
        return true;
    }
    case OPT_LIST:
        return add_tag(r, value);
    }
    return false;
}

/* The next argument, and its value with it. */
static bool read_flag(struct reader *r)
{
    const char *arg = r->argv[r->at++];
    const char *value = NULL;
    const struct option_flag *f = find_flag(arg, &value);
    if (f == NULL)
        return fail_parse(r, arg, "Couldn't find match for argument");
    uint64_t bit = UINT64_C(1) << (f - option_flags);
    if ((r->seen & bit) != 0 && f->kind != OPT_LIST)
        return fail_flag(r, f, "Argument already set!");
    r->seen |= bit;
    if (f->kind != OPT_SWITCH && value == NULL) {
        if (r->at == r->argc)
            return fail_flag(r, f, "Missing a value for this argument!");
        value = r->argv[r->at++];
    }
    return set_value(r, f, value);
}

/* --help and --version end the reading where they stand. */
static bool read_flags(struct reader *r)
{
    while (r->at < r->argc) {
        const char *arg = r->argv[r->at];
        if (strcmp(arg, "--") == 0 || strcmp(arg, "--ignore_rest") == 0)
            return true;
        if (strcmp(arg, "-") == 0) {
            r->at++;
            continue;
        }
        if (!read_flag(r))
            return false;
        if (r->raw.help) {
            options_add_help(&r->end->out, r->argv[0]);
            return false;
        }
        if (r->raw.version) {
            str_addf(&r->end->out, "\n%s  version: %s\n\n", r->argv[0], options_version());
            return false;
        }
    }
    return true;
}

/* ---- the whole ---- */

/* What Envoy takes for flags that are not given. */
static struct options_raw defaults(unsigned cpus)
{
    return (struct options_raw){
        .o =
            {
                .config_path = "",
                .config_yaml = "",
                .concurrency = cpus,
                .component_log_level = "",
                .log_path = "",
                .log_format = "[%Y-%m-%d %T.%e][%t][%l][%n] [%g:%#] %v",
                .service_node = "",
                .service_cluster = "",
                .service_zone = "",
                .admin_address_path = "",
                .drain_time_s = 600,
                .parent_shutdown_time_s = 900,
                .file_flush_interval_ms = 10000,
                .file_flush_min_kb = 64,
                .base_id_path = "",
                .socket_path = "@envoy_domain_socket",
                .socket_mode = "600",
                .bootstrap_version = 3,
                .disable_extensions = "",
                },
        .mode = "serve",
        .log_level = "info",
        .local_address = "v4",
        .drain_strategy = "gradual",
    };
}

bool options_parse(int argc, char *const *argv, unsigned cpus, struct options *out,
                   struct options_end *end)
{
    *end = (struct options_end){0};
    str_init(&end->out, 0);
    str_init(&end->err, 0);
    struct reader r = {.argc = argc, .argv = argv, .at = 1, .raw = defaults(cpus), .end = end};
    if (!read_flags(&r))
        return false;
    if (r.raw.hot_restart_version) {
        str_add(&end->out, SV("disabled\n"));
        return false;
    }
    if (!options_check(&r.raw, end))
        return false;
    *out = r.raw.o;
    return true;
}

void options_end_fini(struct options_end *end)
{
    str_fini(&end->out);
    str_fini(&end->err);
}
