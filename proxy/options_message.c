/* The command line as others read it: the loader, /server_info, and what is printed at the end. */
#include "config/reflect/reflect.h"
#include "envoy/admin/v3/server_info.pb-c.h"
#include "proxy/options.h"
#include <sched.h>
#include <stdio.h>

#ifdef NDEBUG
#define BUILD_KIND "RELEASE"
#else
#define BUILD_KIND "DEBUG"
#endif

/* WEFT_REVISION: "<commit>/<version>/<Clean|Modified>", from cmake/WeftVersion.cmake. */
const char *options_version(void)
{
    return WEFT_REVISION "/" BUILD_KIND "/NoTLS";
}

unsigned options_cpus(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : (unsigned)n;
}

int options_end_print(const struct options_end *end)
{
    (void)fwrite(end->out.p, 1, end->out.n, stdout);
    (void)fwrite(end->err.p, 1, end->err.n, stderr);
    return fflush(stdout) == 0 ? end->code : 1;
}

struct load_input options_load_input(const struct options *o)
{
    return (struct load_input){
        .path = o->config_path,
        .yaml = o->config_yaml,
        .allow_unknown = o->allow_unknown_static_fields,
        .node_id = o->service_node,
        .node_cluster = o->service_cluster,
        .node_zone = o->service_zone,
    };
}

/* ---- CommandLineOptions ---- */

/* A message under construction; failed: the arena is full. */
struct builder {
    struct arena *a;
    bool failed;
};

static char *text(struct builder *b, struct sv s)
{
    struct sv copy = arena_dup(b->a, s);
    b->failed |= copy.p == NULL;
    return (char *)(uintptr_t)copy.p;
}

static char *str_text(struct builder *b, const char *s)
{
    return text(b, sv_str(s));
}

static Google__Protobuf__Duration *duration(struct builder *b, uint64_t ms)
{
    Google__Protobuf__Duration *m =
        (Google__Protobuf__Duration *)reflect_new(&google__protobuf__duration__descriptor, b->a);
    if (m == NULL) {
        b->failed = true;
        return NULL;
    }
    m->seconds = (int64_t)(ms / 1000);
    m->nanos = (int32_t)(ms % 1000) * 1000000;
    return m;
}

static char **list(struct builder *b, size_t n)
{
    char **p = ARENA_ARRAY(b->a, char *, n);
    b->failed |= p == NULL;
    return p;
}

/* Comma-separated names. */
static char **split(struct builder *b, const char *names, size_t *n_out)
{
    struct sv rest = sv_str(names), part;
    size_t n = 0, room = 1;
    for (size_t i = 0; i < rest.n; i++)
        room += rest.p[i] == ',' ? 1 : 0;
    char **all = list(b, room);
    while (rest.n > 0 && !b->failed && sv_split(&rest, ',', &part))
        all[n++] = text(b, part);
    *n_out = n;
    return all;
}

static char **copy(struct builder *b, const char *const *texts, size_t n)
{
    char **all = list(b, n);
    for (size_t i = 0; i < n && !b->failed; i++)
        all[i] = str_text(b, texts[i]);
    return all;
}

static void fill_texts(struct builder *b, const struct options *o,
                       Envoy__Admin__V3__CommandLineOptions *m)
{
    m->base_id_path = str_text(b, o->base_id_path);
    m->config_path = str_text(b, o->config_path);
    m->config_yaml = str_text(b, o->config_yaml);
    m->admin_address_path = str_text(b, o->admin_address_path);
    m->log_level = str_text(b, log_level_name(o->log_level));
    m->component_log_level = str_text(b, o->component_log_level);
    m->log_format = str_text(b, o->log_format);
    m->log_path = str_text(b, o->log_path);
    m->service_cluster = str_text(b, o->service_cluster);
    m->service_node = str_text(b, o->service_node);
    m->service_zone = str_text(b, o->service_zone);
    m->socket_path = str_text(b, o->socket_path);
    m->disabled_extensions = split(b, o->disable_extensions, &m->n_disabled_extensions);
    m->stats_tag = copy(b, o->stats_tags, o->n_stats_tags);
    m->n_stats_tag = o->n_stats_tags;
}

static void fill_scalars(const struct options *o, Envoy__Admin__V3__CommandLineOptions *m)
{
    m->base_id = o->base_id;
    m->use_dynamic_base_id = o->use_dynamic_base_id;
    m->skip_hot_restart_on_no_parent = o->skip_hot_restart_on_no_parent;
    m->skip_hot_restart_parent_stats = o->skip_hot_restart_parent_stats;
    m->concurrency = o->concurrency;
    m->allow_unknown_static_fields = o->allow_unknown_static_fields;
    m->reject_unknown_dynamic_fields = o->reject_unknown_dynamic_fields;
    m->ignore_unknown_dynamic_fields = o->ignore_unknown_dynamic_fields;
    m->skip_deprecated_logs = o->skip_deprecated_logs;
    m->log_format_escaped = o->log_format_escaped;
    m->disable_hot_restart = o->disable_hot_restart;
    m->enable_mutex_tracing = o->enable_mutex_tracing;
    m->restart_epoch = o->restart_epoch;
    m->cpuset_threads = o->cpuset_threads;
    m->enable_fine_grain_logging = o->enable_fine_grain_logging;
    m->enable_core_dump = o->enable_core_dump;
    m->local_address_ip_version = o->local_address_v6
                                      ? ENVOY__ADMIN__V3__COMMAND_LINE_OPTIONS__IP_VERSION__v6
                                      : ENVOY__ADMIN__V3__COMMAND_LINE_OPTIONS__IP_VERSION__v4;
    /* The enums have Envoy's order in both places. */
    m->mode = (Envoy__Admin__V3__CommandLineOptions__Mode)o->mode;
    m->drain_strategy = (Envoy__Admin__V3__CommandLineOptions__DrainStrategy)o->drain_strategy;
}

ProtobufCMessage *options_message(const struct options *o, struct arena *a)
{
    struct builder b = {.a = a};
    Envoy__Admin__V3__CommandLineOptions *m = (Envoy__Admin__V3__CommandLineOptions *)reflect_new(
        &envoy__admin__v3__command_line_options__descriptor, a);
    if (m == NULL)
        return NULL;
    fill_scalars(o, m);
    fill_texts(&b, o, m);
    m->file_flush_interval = duration(&b, o->file_flush_interval_ms);
    m->drain_time = duration(&b, (uint64_t)o->drain_time_s * 1000);
    m->parent_shutdown_time = duration(&b, (uint64_t)o->parent_shutdown_time_s * 1000);
    return b.failed ? NULL : &m->base;
}
