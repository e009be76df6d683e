/* The command line: texts and exit codes as Envoy 1.40 gives them, values, defaults. */
#include "envoy/admin/v3/server_info.pb-c.h"
#include "proxy/options.h"
#include "tests/support/t.h"
#include <stdlib.h>

enum { ARGS_MAX = 160, CPUS = 3 };

/* A command line of words between blanks; '_' stands for an empty word. */
struct line {
    char text[1024];
    char *argv[ARGS_MAX];
    int argc;
};

static void line_split(struct line *l, const char *text)
{
    static char program[] = "weft", empty[] = "";
    snprintf(l->text, sizeof l->text, "%s", text);
    l->argv[0] = program;
    l->argc = 1;
    char *save = NULL;
    for (char *w = strtok_r(l->text, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save)) {
        T_ASSERT(l->argc < ARGS_MAX);
        l->argv[l->argc++] = strcmp(w, "_") == 0 ? empty : w;
    }
}

static bool parse(struct line *l, const char *text, struct options *o, struct options_end *end)
{
    line_split(l, text);
    return options_parse(l->argc, l->argv, CPUS, o, end);
}

/* ---- refusals ---- */

/* Unlike bare braces not padded to the width of the longest row. */
#define ROW(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
static const struct {
    const char *line, *err; /* err: the start of stderr; NULL: accepted */
} refusals[] = {
    ROW("", NULL),
    ROW("-c x", NULL),
    ROW("--config-path x --mode validate", NULL),
    ROW("--config-path=x --mode=validate --concurrency=2", NULL),
    ROW("-c _ --config-yaml={}", NULL),
    ROW("-", NULL),
    ROW("-c x -- --foo", NULL),
    ROW("-c x --ignore_rest --foo", NULL),
    ROW("--foo", "PARSE ERROR: Argument: --foo\n             Couldn't find match for argument\n\n"
                 "Brief USAGE: \n   weft  [-c <string>] "),
    ROW("foo", "PARSE ERROR: Argument: foo\n             Couldn't find match for argument\n"),
    ROW("-z", "PARSE ERROR: Argument: -z\n             Couldn't find match for argument\n"),
    ROW("-cx", "PARSE ERROR: Argument: -cx\n             Couldn't find match for argument\n"),
    ROW("--mod x", "PARSE ERROR: Argument: --mod\n"),
    ROW("--modes x", "PARSE ERROR: Argument: --modes\n"),
    ROW("--disable-hot-restart=1", "PARSE ERROR: Argument: --disable-hot-restart=1\n"),
    ROW("-c", "PARSE ERROR: Argument: -c (--config-path)\n             Missing a value for this "
              "argument!\n"),
    ROW("--mode",
        "PARSE ERROR: Argument: (--mode)\n             Missing a value for this argument!\n"),
    ROW("-c x -c y",
        "PARSE ERROR: Argument: -c (--config-path)\n             Argument already set!\n"),
    ROW("-c x --config-path y",
        "PARSE ERROR: Argument: -c (--config-path)\n             Argument already set!\n"),
    ROW("--disable-hot-restart --disable-hot-restart",
        "PARSE ERROR: Argument: (--disable-hot-restart)\n             Argument already set!\n"),
    ROW("-c --mode validate", "PARSE ERROR: Argument: validate\n"),
    ROW("--concurrency abc", "PARSE ERROR: Argument: (--concurrency)\n             Couldn't read "
                             "argument value from string 'abc'\n"),
    ROW("--concurrency 4294967296", "PARSE ERROR: Argument: (--concurrency)\n"),
    ROW("--concurrency 3x", "PARSE ERROR: Argument: (--concurrency)\n"),
    ROW("--concurrency _", "PARSE ERROR: Argument: (--concurrency)\n"),
    ROW("--concurrency 010", NULL),
    ROW("--concurrency 1024", NULL),
    ROW("--concurrency 1025", "error: --concurrency=1025: at most 1024\n"),
    ROW("--drain-time-s 5s", "PARSE ERROR: Argument: (--drain-time-s)\n"),
    ROW("--mode blah", "error: unknown mode 'blah'\n"),
    ROW("--mode init_only", NULL),
    ROW("-l foo", "error: invalid log level specified 'foo'\n"),
    ROW("-l WARN", "error: invalid log level specified 'WARN'\n"),
    ROW("-l _", "error: invalid log level specified ''\n"),
    ROW("--component-log-level foo", "error: component log level not correctly specified 'foo'\n"),
    ROW("--component-log-level foo:debug", "error: invalid component specified 'foo'\n"),
    ROW("--component-log-level upstream:debug,",
        "error: component log level not correctly specified ''\n"),
    ROW("--component-log-level upstream:", "error: invalid log level specified ''\n"),
    ROW("--component-log-level upstream:blah", "error: invalid log level specified 'blah'\n"),
    ROW("--component-log-level upstream:debug:x",
        "error: component log level not correctly specified 'upstream:debug:x'\n"),
    ROW("--component-log-level _", NULL),
    ROW("--component-log-level wasm:debug,misc:error,upstream:trace", NULL),
    ROW("--enable-fine-grain-logging --component-log-level upstream:debug",
        "error: --component-log-level will not work with --enable-fine-grain-logging\n"),
    ROW("--local-address-ip-version v5", "error: unknown IP address version 'v5'\n"),
    ROW("--local-address-ip-version v6", NULL),
    ROW("--drain-strategy foo", "error: unknown drain-strategy 'foo'\n"),
    ROW("--stats-tag foo", "error: misformatted stats-tag 'foo'\n"),
    ROW("--stats-tag foo:b.r",
        "error: misformatted stats-tag 'foo:b.r' contains invalid char in 'b.r'\n"),
    ROW("--stats-tag f_o:br",
        "error: misformatted stats-tag 'f_o:br' contains invalid char in 'f_o'\n"),
    ROW("--stats-tag foo:", "error: misformatted stats-tag 'foo:' contains invalid char in ''\n"),
    ROW("--stats-tag :br", NULL),
    ROW("--stats-tag foo:b:r", NULL),
    ROW("--stats-tag foo:bar --stats-tag foo:bar", NULL),
    ROW("--restart-epoch 0", NULL),
    ROW("--restart-epoch 1", "error: --restart-epoch=1: hot restart is unsupported\n"),
    ROW("--bootstrap-version 3", NULL),
    ROW("--bootstrap-version 2", "error: --bootstrap-version=2: only version 3 is supported\n"),
    ROW("--base-id 3 --use-dynamic-base-id --base-id-path x --socket-path @y --socket-mode 999",
        NULL),
    ROW("--skip-hot-restart-on-no-parent --skip-hot-restart-parent-stats "
        "--log-stacktrace-single-entry",
        NULL),
    ROW("--skip-deprecated-logs --enable-mutex-tracing --enable-core-dump "
        "--enable-fine-grain-logging",
        NULL),
    ROW("--disable-extensions foo,bar --cpuset-threads --parent-shutdown-time-s 5 "
        "--disable-hot-restart",
        NULL),
};

T(options, refusals)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        struct line l;
        struct options o;
        struct options_end end;
        bool go = parse(&l, refusals[i].line, &o, &end);
        T_EXPECT(go == (refusals[i].err == NULL), "[%s]: %s", refusals[i].line, end.err.p);
        T_EXPECT_EQ(end.code, refusals[i].err == NULL ? 0 : 1, refusals[i].line);
        T_EXPECT_EQ(end.out.n, 0, refusals[i].line);
        if (!go && refusals[i].err != NULL)
            T_EXPECT(sv_starts(str_sv(&end.err), sv_str(refusals[i].err)), "[%s]: said '%s'",
                     refusals[i].line, end.err.p);
        options_end_fini(&end);
    }
}

T(options, too_many_tags)
{
    char text[OPTIONS_TAGS_MAX * 16 + 32] = "";
    for (int i = 0; i <= OPTIONS_TAGS_MAX; i++)
        strcat(text, "--stats-tag a:b ");
    static char program[] = "weft", flag[] = "--stats-tag", tag[] = "a:b";
    char *argv[2 * (OPTIONS_TAGS_MAX + 1) + 1] = {program};
    for (int i = 0; i <= OPTIONS_TAGS_MAX; i++) {
        argv[1 + 2 * i] = flag;
        argv[2 + 2 * i] = tag;
    }
    struct options o;
    struct options_end end;
    T_EXPECT(!options_parse((int)ARRAY_LEN(argv), argv, CPUS, &o, &end));
    T_EXPECT_SV(str_sv(&end.err), SV("error: more than 64 stats-tags\n"), "limit");
    options_end_fini(&end);
    T_EXPECT(options_parse((int)ARRAY_LEN(argv) - 2, argv, CPUS, &o, &end));
    T_EXPECT_EQ(o.n_stats_tags, OPTIONS_TAGS_MAX, "tags");
    options_end_fini(&end);
}

/* ---- answers ---- */

T(options, texts)
{
    struct line l;
    struct options o;
    struct options_end end;
    T_EXPECT(!parse(&l, "-c x --version --foo", &o, &end) && end.code == 0 && end.err.n == 0);
    char want[256];
    snprintf(want, sizeof want, "\nweft  version: %s\n\n", options_version());
    T_EXPECT_SV(str_sv(&end.out), sv_str(want), "--version");
    options_end_fini(&end);

    T_EXPECT(!parse(&l, "--foo --version", &o, &end) && end.code == 1 && end.out.n == 0);
    T_EXPECT(sv_ends(str_sv(&end.err), SV("\nFor complete USAGE and HELP type: \n   weft --help\n\n"
                                          "--foo -- Couldn't find match for argument\n")),
             "said '%s'", end.err.p);
    options_end_fini(&end);

    T_EXPECT(!parse(&l, "--hot-restart-version", &o, &end) && end.code == 0);
    T_EXPECT_SV(str_sv(&end.out), SV("disabled\n"), "--hot-restart-version");
    options_end_fini(&end);
}

T(options, version_form)
{
    struct sv rest = sv_str(options_version()), part;
    size_t n = 0;
    while (sv_split(&rest, '/', &part)) {
        T_EXPECT(part.n > 0, "part %zu", n);
        n++;
    }
    T_EXPECT_EQ(n, 5, "commit/version/tree/build/tls");
}

/* Every flag is explained, and no line is wider than Envoy's. */
T(options, help)
{
    static const char *const lines[] = {"-h", "--help"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct line l;
        struct options o;
        struct options_end end;
        T_ASSERT(!parse(&l, lines[i], &o, &end) && end.code == 0 && end.err.n == 0);
        struct sv out = str_sv(&end.out), line;
        T_EXPECT(sv_starts(out, SV("\nUSAGE: \n\n   weft  [")), "'%.40s'", end.out.p);
        T_EXPECT(sv_search(out, SV("\n   -c <string>,  --config-path <string>\n     ")) !=
                 SIZE_MAX);
        T_EXPECT(sv_search(out, SV("\n   --stats-tag <string>  (accepted multiple times)\n")) !=
                 SIZE_MAX);
        T_EXPECT(sv_search(out, SV("\n   --drain-time-s <uint32_t>\n")) != SIZE_MAX);
        T_EXPECT(sv_search(out, SV("\n   --disable-hot-restart\n")) != SIZE_MAX);
        while (sv_split(&out, '\n', &line))
            T_EXPECT(line.n <= 79, "%zu columns: %.*s", line.n, SVF(line));
        options_end_fini(&end);
    }
}

/* ---- values ---- */

T(options, defaults)
{
    struct line l;
    struct options o;
    struct options_end end;
    T_ASSERT(parse(&l, "", &o, &end));
    options_end_fini(&end);
    T_EXPECT(o.config_path[0] == '\0' && o.config_yaml[0] == '\0' && o.log_path[0] == '\0');
    T_EXPECT_EQ(o.mode, OPTIONS_SERVE, "mode");
    T_EXPECT_EQ(o.log_level, LOG_INFO, "level");
    T_EXPECT_EQ(o.n_levels, 0, "levels");
    T_EXPECT_SV(sv_str(o.log_format), SV("[%Y-%m-%d %T.%e][%t][%l][%n] [%g:%#] %v"), "format");
    T_EXPECT_EQ(o.concurrency, CPUS, "one for each CPU");
    T_EXPECT(!o.local_address_v6 && o.drain_strategy == OPTIONS_DRAIN_GRADUAL);
    T_EXPECT_EQ(o.drain_time_s, 600, "drain");
    T_EXPECT_EQ(o.parent_shutdown_time_s, 900, "parent");
    T_EXPECT_EQ(o.file_flush_interval_ms, 10000, "flush");
    T_EXPECT_EQ(o.file_flush_min_kb, 64, "flush");
    T_EXPECT_EQ(o.n_stats_tags, 0, "tags");
    T_EXPECT(!o.allow_unknown_static_fields && !o.disable_hot_restart);
}

T(options, values)
{
    struct line l;
    struct options o;
    struct options_end end;
    T_ASSERT(
        parse(
            &l,
            "-c f --config-yaml={} -l warn --component-log-level "
            "upstream:debug,upstream:trace,redis:info "
            "--log-path /l --log-format %v --log-format-escaped --concurrency 0 --service-node n "
            "--service-cluster c --service-zone z --allow-unknown-fields --drain-time-s 7 "
            "--drain-strategy immediate --file-flush-interval-msec 1500 --file-flush-min-size-kb 2 "
            "--stats-tag a:b --stats-tag c:d --admin-address-path /a --local-address-ip-version v6",
            &o, &end),
        "%s", end.err.p);
    options_end_fini(&end);
    T_EXPECT_SV(sv_str(o.config_path), SV("f"), "path");
    T_EXPECT_SV(sv_str(o.config_yaml), SV("{}"), "yaml");
    T_EXPECT_EQ(o.log_level, LOG_WARNING, "warn");
    T_ASSERT(o.n_levels == 1);
    T_EXPECT(o.levels[0].component == LOGC_UPSTREAM && o.levels[0].level == LOG_TRACE,
             "the last counts");
    T_EXPECT_EQ(o.concurrency, 1, "0 means 1");
    T_EXPECT(o.allow_unknown_static_fields && o.log_format_escaped && o.local_address_v6);
    T_EXPECT_EQ(o.drain_time_s, 7, "drain");
    T_EXPECT_EQ(o.drain_strategy, OPTIONS_DRAIN_IMMEDIATE, "strategy");
    T_EXPECT_EQ(o.file_flush_interval_ms, 1500, "flush");
    T_EXPECT_EQ(o.file_flush_min_kb, 2, "flush");
    T_ASSERT(o.n_stats_tags == 2);
    T_EXPECT_SV(sv_str(o.stats_tags[1]), SV("c:d"), "tag");
    struct load_input in = options_load_input(&o);
    T_EXPECT_SV(sv_str(in.path), SV("f"), "path");
    T_EXPECT_SV(sv_str(in.yaml), SV("{}"), "yaml");
    T_EXPECT_SV(sv_str(in.node_id), SV("n"), "id");
    T_EXPECT_SV(sv_str(in.node_cluster), SV("c"), "cluster");
    T_EXPECT_SV(sv_str(in.node_zone), SV("z"), "zone");
    T_EXPECT(in.allow_unknown);
}

T(options, cpus)
{
    T_EXPECT(options_cpus() >= 1);
}

/* ---- CommandLineOptions ---- */

static const char many[] =
    "-c a.yaml --config-yaml x --concurrency 2 -l warn --component-log-level upstream:debug "
    "--stats-tag a:b "
    "--drain-time-s 0 --service-node n --service-cluster c --service-zone z --mode init_only "
    "--disable-extensions "
    "foo,bar --log-format-escaped --drain-strategy immediate --file-flush-interval-msec 1500 "
    "--disable-hot-restart --base-id 4 --local-address-ip-version v6";

T(options, message)
{
    struct line l;
    struct options o;
    struct options_end end;
    T_ASSERT(parse(&l, many, &o, &end), "%s", end.err.p);
    options_end_fini(&end);
    struct arena *a = arena_new(1024, SIZE_MAX);
    T_ASSERT(a != NULL);
    ProtobufCMessage *p = options_message(&o, a);
    T_ASSERT(p != NULL && p->descriptor == &envoy__admin__v3__command_line_options__descriptor);
    const Envoy__Admin__V3__CommandLineOptions *m = (const Envoy__Admin__V3__CommandLineOptions *)p;
    T_EXPECT_EQ(m->base_id, 4, "base_id");
    T_EXPECT_EQ(m->concurrency, 2, "concurrency");
    T_EXPECT_SV(sv_str(m->config_path), SV("a.yaml"), "config_path");
    T_EXPECT_SV(sv_str(m->log_level), SV("warning"), "the long name");
    T_EXPECT_SV(sv_str(m->component_log_level), SV("upstream:debug"), "component_log_level");
    T_EXPECT_SV(sv_str(m->socket_path), SV("@envoy_domain_socket"), "socket_path");
    T_EXPECT_SV(sv_str(m->service_zone), SV("z"), "zone");
    T_EXPECT_EQ(m->mode, ENVOY__ADMIN__V3__COMMAND_LINE_OPTIONS__MODE__InitOnly, "mode");
    T_EXPECT_EQ(m->drain_strategy,
                ENVOY__ADMIN__V3__COMMAND_LINE_OPTIONS__DRAIN_STRATEGY__Immediate, "drain");
    T_EXPECT_EQ(m->local_address_ip_version, ENVOY__ADMIN__V3__COMMAND_LINE_OPTIONS__IP_VERSION__v6,
                "version");
    T_EXPECT(m->disable_hot_restart && m->log_format_escaped && !m->cpuset_threads);
    T_ASSERT(m->n_disabled_extensions == 2 && m->n_stats_tag == 1);
    T_EXPECT_SV(sv_str(m->disabled_extensions[1]), SV("bar"), "extension");
    T_EXPECT_SV(sv_str(m->stats_tag[0]), SV("a:b"), "tag");
    T_ASSERT(m->file_flush_interval != NULL && m->drain_time != NULL &&
             m->parent_shutdown_time != NULL);
    T_EXPECT(m->file_flush_interval->seconds == 1 && m->file_flush_interval->nanos == 500000000);
    T_EXPECT_EQ(m->drain_time->seconds, 0, "0 is said, too");
    T_EXPECT_EQ(m->parent_shutdown_time->seconds, 900, "parent");
    arena_free(&a);
}

T(options, message_without_memory)
{
    struct line l;
    struct options o;
    struct options_end end;
    T_ASSERT(parse(&l, many, &o, &end), "%s", end.err.p);
    options_end_fini(&end);
    struct arena *a = arena_new(1024, SIZE_MAX);
    T_ASSERT(a != NULL && options_message(&o, a) != NULL);
    size_t enough = arena_used(a);
    arena_free(&a);
    for (size_t cap = 0; cap + 8 < enough; cap += 7) {
        a = arena_new(1024, cap);
        T_ASSERT(a != NULL);
        T_EXPECT(options_message(&o, a) == NULL, "cap %zu of %zu", cap, enough);
        arena_free(&a);
    }
}
