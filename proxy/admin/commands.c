/* The table of admin commands: paths, help texts and parameters are Envoy's. */
#include "proxy/admin/admin_int.h"

static const char *const text_or_json[] = {"text", "json", NULL};
static const char *const stat_formats[] = {"html", "active-html", "text",
                                           "json", "prometheus",  NULL};
static const char *const stat_types[] = {"All",    "Counters",     "Histograms",
                                         "Gauges", "TextReadouts", NULL};
static const char *const bucket_modes[] = {"cumulative", "disjoint", "detailed", "summary", NULL};
static const char *const prometheus_modes[] = {"cumulative", "summary", NULL};
static const char *const levels[] = {"",      "trace",    "debug", "info", "warning",
                                     "error", "critical", "off",   NULL};

static const struct admin_param clusters_params[] = {
    {"filter", "Regular expression (Google re2) for filtering clusters by name", NULL,         false},
    {"format", "File format to use",                                             text_or_json, false},
};

static const struct admin_param config_dump_params[] = {
    {"resource",   "The resource to dump",  NULL, false},
    {"mask",
     "The mask to apply. When both resource and mask are specified, the mask is applied to every "
     "element in the desired "
     "repeated field so that only a subset of fields are returned. The mask is parsed as a "
     "Protobuf::FieldMask",                 NULL, false},
    {"name_regex",
     "Dump only the currently loaded configurations whose names match the specified regex. Can be "
     "used with both "
     "resource and mask query parameters.", NULL, false},
};

static const struct admin_param drain_params[] = {
    {"graceful",
     "When draining listeners, enter a graceful drain period prior to closing listeners. This "
     "behaviour and duration is "
     "configurable via server options or CLI",                                      NULL, true},
    {"skip_exit",
     "When draining listeners, drain the connections but never stop the listeners. The graceful "
     "parameter has no effect "
     "when this is set, since the drain period only delays stopping the listeners", NULL, true},
    {"inboundonly",
     "Drains all inbound listeners. traffic_direction field in "
     "envoy_v3_api_msg_config.listener.v3.Listener is used to "
     "determine whether a listener is inbound or outbound.",                        NULL, true},
};

static const struct admin_param listeners_params[] = {
    {"format", "File format to use", text_or_json, false},
};

static const struct admin_param logging_params[] = {
    {"paths",
     "Change multiple logging levels by setting to "
     "<logger_name1>:<desired_level1>,<logger_name2>:<desired_level2>.",     NULL,   false},
    {"level", "desired logging level, this will change all loggers's level", levels, false},
};

#define USED_ONLY                                                                                  \
    {                                                                                              \
        "usedonly", "Only include stats that have been written by system since restart", NULL,     \
            true                                                                                   \
    }
#define FILTER                                                                                     \
    {                                                                                              \
        "filter", "Regular expression (Google re2) for filtering stats", NULL, false               \
    }
#define INVERT                                                                                     \
    {                                                                                              \
        "invert_filter", "Invert the filter regex", NULL, true                                     \
    }

static const struct admin_param stats_params[] = {
    USED_ONLY,
    FILTER,
    INVERT,
    {"format",            "Format to use",                 stat_formats, false},
    {"type",              "Stat types to include.",        stat_types,   false},
    {"histogram_buckets", "Histogram bucket display mode", bucket_modes, false},
};

static const struct admin_param prometheus_params[] = {
    USED_ONLY,
    {"text_readouts",
      "Render text_readouts as new gaugues with value 0 (increases Prometheus data size)", NULL,
      true                                                                                                        },
    FILTER,
    INVERT,
    {"histogram_buckets", "Histogram bucket display mode",                                prometheus_modes, false},
};

#define NO_PARAMS NULL, 0
#define PARAMS(list) list, ARRAY_LEN(list)

const struct admin_command admin_commands[] = {
    {"/",                    "Admin home page",                                              false, NO_PARAMS,                  admin_run_home          },
    {"/clusters",            "upstream cluster status",                                      false, PARAMS(clusters_params),    admin_run_clusters      },
    {"/config_dump",         "dump current Envoy configs",                                   false, PARAMS(config_dump_params),
     admin_run_config_dump                                                                                                                              },
    {"/drain_listeners",     "drain listeners",                                              true,  PARAMS(drain_params),       admin_run_drain         },
    {"/healthcheck/fail",    "cause the server to fail health checks",                       true,  NO_PARAMS,
     admin_run_health_fail                                                                                                                              },
    {"/healthcheck/ok",      "cause the server to pass health checks",                       true,  NO_PARAMS,
     admin_run_health_ok                                                                                                                                },
    {"/help",                "print out list of admin commands",                             false, NO_PARAMS,                  admin_run_help          },
    {"/hot_restart_version", "print the hot restart compatibility version",                  false, NO_PARAMS,
     admin_run_hot_restart_version                                                                                                                      },
    {"/listeners",           "print listener info",                                          false, PARAMS(listeners_params),   admin_run_listeners     },
    {"/logging",             "query/change logging levels",                                  true,  PARAMS(logging_params),     admin_run_logging       },
    {"/memory",              "print current allocation/heap usage",                          false, NO_PARAMS,                  admin_run_memory        },
    {"/quitquitquit",        "exit the server",                                              true,  NO_PARAMS,                  admin_run_quit          },
    {"/ready",               "print server state, return 200 if LIVE, otherwise return 503", false, NO_PARAMS,
     admin_run_ready                                                                                                                                    },
    {"/reopen_logs",         "reopen access logs",                                           true,  NO_PARAMS,                  admin_run_reopen_logs   },
    {"/reset_counters",      "reset all counters to zero",                                   true,  NO_PARAMS,                  admin_run_reset_counters},
    {"/server_info",         "print server version/status information",                      false, NO_PARAMS,
     admin_run_server_info                                                                                                                              },
    {"/stats",               "print server stats",                                           false, PARAMS(stats_params),       admin_run_stats         },
    {"/stats/prometheus",    "print server stats in prometheus format",                      false,
     PARAMS(prometheus_params),                                                                                                 admin_run_prometheus    },
};
const size_t admin_n_commands = ARRAY_LEN(admin_commands);
