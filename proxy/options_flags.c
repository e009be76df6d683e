/* The table of flags, and --help and the usage line made of it. Called by options.c. */
#include "proxy/options_int.h"
#include <string.h>

#define SWITCH(name_, field, help_)                                                                \
    {                                                                                              \
        .name = name_, .kind = OPT_SWITCH, .offset = offsetof(struct options_raw, field),          \
        .help = help_                                                                              \
    }
#define TEXT(name_, field, help_)                                                                  \
    {                                                                                              \
        .name = name_, .kind = OPT_TEXT, .offset = offsetof(struct options_raw, field),            \
        .help = help_                                                                              \
    }
#define NUMBER(name_, field, help_)                                                                \
    {                                                                                              \
        .name = name_, .kind = OPT_NUMBER, .offset = offsetof(struct options_raw, field),          \
        .help = help_                                                                              \
    }

/* Sorted by subject, as --help prints them. */
const struct option_flag option_flags[] = {
    {.name = "config-path",
     .letter = 'c',
     .kind = OPT_TEXT,
     .offset = offsetof(struct options_raw,                              o.config_path),
     .help = "File with the bootstrap: .yaml, .yml or .json"                    },
    TEXT("config-yaml", o.config_yaml, "Bootstrap given as text; merged over the file's"),
    TEXT(
        "mode", mode,
        "serve (the default), validate (check the configuration and end) or init_only (start, then "
        "end)"),
    SWITCH("allow-unknown-static-fields", o.allow_unknown_static_fields,
           "Skip unknown fields of the bootstrap instead of refusing them"),
    SWITCH("allow-unknown-fields", allow_unknown_fields,
           "Old name of --allow-unknown-static-fields"),
    SWITCH("reject-unknown-dynamic-fields", o.reject_unknown_dynamic_fields,
           "Refuse resources of a management server that hold unknown fields"),
    SWITCH("ignore-unknown-dynamic-fields", o.ignore_unknown_dynamic_fields,
           "Do not count unknown fields of a management server"),
    SWITCH("skip-deprecated-logs", o.skip_deprecated_logs, "Say nothing about deprecated fields"),
    NUMBER("concurrency", o.concurrency, "Worker threads; by default one for each CPU"),
    SWITCH("cpuset-threads", o.cpuset_threads, "Count only the CPUs this process may use"),
    {.name = "log-level",
     .letter = 'l',
     .kind = OPT_TEXT,
     .offset = offsetof(struct options_raw,                              log_level),
     .help = "trace, debug, info (the default), warning, error, critical or off"},
    TEXT("component-log-level", o.component_log_level,
         "Levels of single components, such as upstream:debug,config:trace"),
    TEXT("log-path", o.log_path, "Log file; by default stderr"),
    TEXT("log-format", o.log_format, "Layout of a log line, in the syntax of spdlog"),
    SWITCH("log-format-escaped", o.log_format_escaped, "Write control characters as escapes"),
    SWITCH("enable-fine-grain-logging", o.enable_fine_grain_logging, "Levels by source file"),
    SWITCH("log-stacktrace-single-entry", o.log_stacktrace_single_entry,
           "One log line for a stack trace"),
    TEXT("service-node", o.service_node, "Overrides node.id"),
    TEXT("service-cluster", o.service_cluster, "Overrides node.cluster"),
    TEXT("service-zone", o.service_zone, "Overrides node.locality.zone"),
    TEXT("admin-address-path", o.admin_address_path,
         "File that receives the address of the admin server"),
    TEXT("local-address-ip-version", local_address, "v4 (the default) or v6"),
    {.name = "stats-tag",
     .kind = OPT_LIST,
     .help = "A tag, NAME:VALUE, of every statistic. May be repeated"},
    NUMBER("drain-time-s", o.drain_time_s, "Seconds that a listener is drained; 600"),
    TEXT("drain-strategy", drain_strategy, "gradual (the default) or immediate"),
    NUMBER("parent-shutdown-time-s", o.parent_shutdown_time_s, "Without effect"),
    NUMBER("file-flush-interval-msec", o.file_flush_interval_ms,
           "Longest time that access log lines are kept back; 10000"),
    NUMBER("file-flush-min-size-kb", o.file_flush_min_kb,
           "Access log bytes that are written without waiting; 64"),
    SWITCH("disable-hot-restart", o.disable_hot_restart, "Without effect: there is no hot restart"),
    SWITCH("hot-restart-version", hot_restart_version, "Prints: disabled"),
    NUMBER("restart-epoch", o.restart_epoch, "Only 0"),
    NUMBER("base-id", o.base_id, "Without effect"),
    SWITCH("use-dynamic-base-id", o.use_dynamic_base_id, "Without effect"),
    TEXT("base-id-path", o.base_id_path, "File that receives the base id, which is 0"),
    SWITCH("skip-hot-restart-on-no-parent", o.skip_hot_restart_on_no_parent, "Without effect"),
    SWITCH("skip-hot-restart-parent-stats", o.skip_hot_restart_parent_stats, "Without effect"),
    TEXT("socket-path", o.socket_path, "Without effect"),
    TEXT("socket-mode", o.socket_mode, "Without effect"),
    NUMBER("bootstrap-version", o.bootstrap_version, "Only 3"),
    TEXT("disable-extensions", o.disable_extensions, "Without effect"),
    SWITCH("enable-mutex-tracing", o.enable_mutex_tracing, "Without effect"),
    SWITCH("enable-core-dump", o.enable_core_dump, "Without effect"),
    SWITCH("version", version, "Prints the version"),
    {.name = "help",
     .letter = 'h',
     .kind = OPT_SWITCH,
     .offset = offsetof(struct options_raw, help),
     .help = "Prints this"                                                              },
};

const size_t option_flags_n = ARRAY_LEN(option_flags);
/* struct reader has a bit for each. */
_Static_assert(ARRAY_LEN(option_flags) <= 64, "too many flags");

/* ---- usage ---- */

/* As wide as Envoy's own. */
enum { WIDTH = 75, MARGIN = 3 };

/* Puts words on lines; the first line begins behind `at` columns, the others behind `indent`. */
struct wrap {
    struct str *out;
    size_t at, indent;
    bool line_begun;
};

static void add_indent(struct wrap *w)
{
    for (w->at = 0; w->at < w->indent; w->at++)
        str_addc(w->out, ' ');
    w->line_begun = false;
}

static void add_word(struct wrap *w, struct sv word)
{
    if (w->line_begun && w->at + 1 + word.n > WIDTH) {
        str_addc(w->out, '\n');
        add_indent(w);
    } else if (w->line_begun) {
        str_addc(w->out, ' ');
        w->at++;
    }
    str_add(w->out, word);
    w->at += word.n;
    w->line_begun = true;
}

static void add_words(struct wrap *w, struct sv text)
{
    struct sv word;
    while (sv_split(&text, ' ', &word))
        add_word(w, word);
}

/* " <string>" behind a flag that takes a value. */
static const char *value_name(const struct option_flag *f)
{
    switch (f->kind) {
    case OPT_SWITCH:
        return "";
    case OPT_NUMBER:
        return " <uint32_t>";
    default:
        return " <string>";
    }
}

void options_add_usage(struct str *out, const char *program)
{
    size_t indent = MARGIN + strlen(program) + 2;
    struct wrap w = {.out = out, .indent = indent > WIDTH / 2 ? WIDTH / 2 : indent};
    str_addf(out, "   %s ", program);
    w.at = indent - 1;
    w.line_begun = true;
    for (size_t i = 0; i < option_flags_n; i++) {
        const struct option_flag *f = &option_flags[i];
        char text[96];
        if (f->letter != 0)
            snprintf(text, sizeof text, "[-%c%s]", f->letter, value_name(f));
        else
            snprintf(text, sizeof text, "[--%s%s]%s", f->name, value_name(f),
                     f->kind == OPT_LIST ? " ..." : "");
        add_words(&w, sv_str(text));
    }
    str_addc(out, '\n');
}

void options_add_help(struct str *out, const char *program)
{
    str_add(out, SV("\nUSAGE: \n\n"));
    options_add_usage(out, program);
    str_add(out, SV("\n\nWhere: \n\n"));
    for (size_t i = 0; i < option_flags_n; i++) {
        const struct option_flag *f = &option_flags[i];
        const char *value = value_name(f);
        str_add(out, SV("   "));
        if (f->letter != 0)
            str_addf(out, "-%c%s,  ", f->letter, value);
        str_addf(out, "--%s%s%s\n", f->name, value,
                 f->kind == OPT_LIST ? "  (accepted multiple times)" : "");
        struct wrap w = {.out = out, .indent = MARGIN + 2};
        add_indent(&w);
        add_words(&w, sv_str(f->help));
        str_add(out, SV("\n\n"));
    }
}
