/* The values of the command line: names, levels, tags, and what weft refuses. For options.c. */
#include "proxy/options_int.h"
#include <stdarg.h>
#include <string.h>

/* Envoy's loggers. Levels may be given for all of them; weft has some. */
static const char envoy_components[] =
    "a2a admin ai_protocol_manager alternate_protocols_cache assert aws backtrace "
    "basic_auth cache_filter client compression config conn_handler connection "
    "credential_injector decompression dns dubbo dynamic_modules envoy_bug ext_authz "
    "ext_proc file filter forward_proxy geolocation golang grpc happy_eyeballs hc "
    "health_checker http http2 hystrix init io ip_tagging json_rpc jwt kafka "
    "key_value_store local_rate_limit lua main matcher mcp misc mongo multi_connection "
    "notification oauth2 pool quic quic_stream rate_limit_quota rbac rds redis rocketmq "
    "router runtime secret sse stats stats_sinks tap testing thrift tracing udp upstream "
    "wasm websocket";

bool options_fail(struct options_end *end, const char *fmt, ...)
{
    va_list ap;
    end->code = 1;
    str_add(&end->err, SV("error: "));
    va_start(ap, fmt);
    str_vaddf(&end->err, fmt, ap);
    va_end(ap);
    str_addc(&end->err, '\n');
    return false;
}

/* The index of text among names, or -1. */
static int choose(const char *text, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    return -1;
}

static bool check_choices(struct options_raw *raw, struct options_end *end)
{
    static const char *const modes[] = {"serve", "validate", "init_only"};
    static const char *const versions[] = {"v4", "v6"};
    static const char *const strategies[] = {"gradual", "immediate"};
    int mode = choose(raw->mode, modes, ARRAY_LEN(modes));
    if (mode < 0)
        return options_fail(end, "unknown mode '%s'", raw->mode);
    int version = choose(raw->local_address, versions, ARRAY_LEN(versions));
    if (version < 0)
        return options_fail(end, "unknown IP address version '%s'", raw->local_address);
    int strategy = choose(raw->drain_strategy, strategies, ARRAY_LEN(strategies));
    if (strategy < 0)
        return options_fail(end, "unknown drain-strategy '%s'", raw->drain_strategy);
    raw->o.mode = (enum options_mode)mode;
    raw->o.local_address_v6 = version == 1;
    raw->o.drain_strategy = (enum options_drain)strategy;
    return true;
}

/* One "component:level". */
static bool check_component(struct options *o, struct sv item, struct options_end *end)
{
    size_t colon = sv_find(item, ':', 0);
    if (colon == SIZE_MAX || sv_find(item, ':', colon + 1) != SIZE_MAX)
        return options_fail(end, "component log level not correctly specified '%.*s'", SVF(item));
    struct sv name = sv_of(item.p, colon), level_name = sv_skip(item, colon + 1);
    enum log_level level;
    if (log_level_parse(level_name, &level) != OK)
        return options_fail(end, "invalid log level specified '%.*s'", SVF(level_name));
    enum log_component component;
    if (log_component_parse(name, &component) == OK) {
        size_t i = 0;
        while (i < o->n_levels && o->levels[i].component != component)
            i++;
        o->levels[i] = (struct options_level){component, level};
        o->n_levels = i == o->n_levels ? i + 1 : o->n_levels;
        return true;
    }
    struct sv rest = sv_str(envoy_components), known;
    while (sv_split(&rest, ' ', &known))
        if (sv_eq(name, known))
            return true;
    return options_fail(end, "invalid component specified '%.*s'", SVF(name));
}

static bool check_log(struct options_raw *raw, struct options_end *end)
{
    struct options *o = &raw->o;
    if (log_level_parse(sv_str(raw->log_level), &o->log_level) != OK)
        return options_fail(end, "invalid log level specified '%s'", raw->log_level);
    if (o->component_log_level[0] == '\0')
        return true;
    if (o->enable_fine_grain_logging)
        return options_fail(end,
                            "--component-log-level will not work with --enable-fine-grain-logging");
    struct sv rest = sv_str(o->component_log_level), item;
    while (sv_split(&rest, ',', &item))
        if (!check_component(o, item, end))
            return false;
    return true;
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

static bool check_tag(const char *tag, struct options_end *end)
{
    struct sv text = sv_str(tag);
    size_t colon = sv_find(text, ':', 0);
    if (colon == SIZE_MAX)
        return options_fail(end, "misformatted stats-tag '%s'", tag);
    struct sv name = sv_of(text.p, colon), value = sv_skip(text, colon + 1);
    for (size_t i = 0; i < name.n; i++)
        if (!is_alnum(name.p[i]))
            return options_fail(end, "misformatted stats-tag '%s' contains invalid char in '%.*s'",
                                tag, SVF(name));
    if (value.n == 0 || sv_find(value, '.', 0) != SIZE_MAX)
        return options_fail(end, "misformatted stats-tag '%s' contains invalid char in '%.*s'", tag,
                            SVF(value));
    return true;
}

static bool check_rest(struct options_raw *raw, struct options_end *end)
{
    struct options *o = &raw->o;
    for (size_t i = 0; i < o->n_stats_tags; i++)
        if (!check_tag(o->stats_tags[i], end))
            return false;
    if (o->restart_epoch != 0)
        return options_fail(end, "--restart-epoch=%u: hot restart is unsupported",
                            o->restart_epoch);
    if (o->bootstrap_version != 3)
        return options_fail(end, "--bootstrap-version=%u: only version 3 is supported",
                            o->bootstrap_version);
    if (o->concurrency > OPTIONS_CONCURRENCY_MAX)
        return options_fail(end, "--concurrency=%u: at most %d", o->concurrency,
                            OPTIONS_CONCURRENCY_MAX);
    if (o->concurrency == 0)
        o->concurrency = 1;
    o->allow_unknown_static_fields |= raw->allow_unknown_fields;
    return true;
}

bool options_check(struct options_raw *raw, struct options_end *end)
{
    return check_choices(raw, end) && check_log(raw, end) && check_rest(raw, end);
}
