#pragma once
/* The command line of weft, which is Envoy's. Parsing is pure: it prints nothing, opens nothing and
 * allocates only the text of an answer (--help, --version, an error). Main thread, at start-up.
 *
 * Seen in Envoy 1.40 and kept: flags may stand in any order, a flag given twice is an error unless
 * it may be repeated, a value may begin with '-', errors go to stderr with exit code 1.
 * "--flag=value", which Envoy refuses, is accepted. */
#include "base/arena.h"
#include "base/log.h"
#include "base/str.h"
#include "config/load.h"

enum options_mode { OPTIONS_SERVE, OPTIONS_VALIDATE, OPTIONS_INIT_ONLY };
enum options_drain { OPTIONS_DRAIN_GRADUAL, OPTIONS_DRAIN_IMMEDIATE };

enum {
    OPTIONS_TAGS_MAX = 64,
    OPTIONS_CONCURRENCY_MAX = 1024,
};

struct options_level {
    enum log_component component;
    enum log_level level;
};

/* Strings are borrowed from argv and never NULL; "" stands for what was not given. */
struct options {
    const char *config_path, *config_yaml;
    enum options_mode mode;
    bool allow_unknown_static_fields, reject_unknown_dynamic_fields, ignore_unknown_dynamic_fields;
    bool skip_deprecated_logs;

    uint32_t concurrency; /* >= 1 */
    bool cpuset_threads;

    enum log_level log_level;
    const char *component_log_level;         /* as given */
    struct options_level levels[LOGC_COUNT]; /* the same, for those components that weft has */
    size_t n_levels;
    const char *log_path;   /* "": stderr */
    const char *log_format; /* Envoy's default when not given */
    bool log_format_escaped, enable_fine_grain_logging;

    const char *service_node, *service_cluster, *service_zone;
    const char *admin_address_path;
    bool local_address_v6;
    const char *stats_tags[OPTIONS_TAGS_MAX]; /* "name:value", checked */
    size_t n_stats_tags;

    uint32_t drain_time_s;           /* 600 */
    uint32_t parent_shutdown_time_s; /* 900 */
    enum options_drain drain_strategy;
    uint32_t file_flush_interval_ms; /* 10000 */
    uint32_t file_flush_min_kb;      /* 64 */

    /* Without effect: weft never restarts hot. base_id_path gets a 0 written, as with
     * --disable-hot-restart. */
    uint32_t base_id, restart_epoch;
    bool use_dynamic_base_id, disable_hot_restart, skip_hot_restart_on_no_parent;
    bool skip_hot_restart_parent_stats;
    const char *base_id_path, *socket_path, *socket_mode;

    /* Without effect. */
    uint32_t bootstrap_version;
    bool enable_mutex_tracing, enable_core_dump, log_stacktrace_single_entry;
    const char *disable_extensions; /* comma-separated */
};

/* What to say and how to end when there is nothing to run. */
struct options_end {
    int code;
    struct str out, err;
};

/* argv[0] is the program's name. cpus: the default of --concurrency, see options_cpus. True: run
 * with *out. False: end as *end says. options_end_fini in either case. */
bool options_parse(int argc, char *const *argv, unsigned cpus, struct options *out,
                   struct options_end *end);
void options_end_fini(struct options_end *end);
/* Writes the texts to stdout and stderr, and returns the exit code. */
int options_end_print(const struct options_end *end);

/* CPUs this process may run on, at least 1. */
unsigned options_cpus(void);
/* "<revision>/<version>/<Clean|Modified>/<RELEASE|DEBUG>/<TLS library>", for --version and
 * /server_info. */
const char *options_version(void);
/* What the loader needs of them. The strings are borrowed. */
struct load_input options_load_input(const struct options *o);
/* envoy.admin.v3.CommandLineOptions for /server_info, in the arena; NULL without memory. */
MUST ProtobufCMessage *options_message(const struct options *o, struct arena *a);
