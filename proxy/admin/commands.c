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

#define TEXT(name, help)                                                                           \
    {                                                                                              \
        name, help, NULL, false                                                                    \
    }
#define FLAG(name, help)                                                                           \
    {                                                                                              \
        name, help, NULL, true                                                                     \
    }
#define CHOICE(name, help, choices)                                                                \
    {                                                                                              \
        name, help, choices, false                                                                 \
    }

static const struct admin_param clusters_params[] = {
    TEXT("filter", "Regular expression (Google re2) for filtering clusters by name"),
    CHOICE("format", "File format to use", text_or_json),
};

static const struct admin_param config_dump_params[] = {
    TEXT("resource", "The resource to dump"),
    TEXT("mask",
         "The mask to apply. When both resource and mask are specified, the mask is applied to "
         "every "
         "element in the desired "
         "repeated field so that only a subset of fields are returned. The mask is parsed as a "
         "Protobuf::FieldMask"),
    TEXT("name_regex", "Dump only the currently loaded configurations whose names match the "
                       "specified regex. Can be "
                       "used with both "
                       "resource and mask query parameters."),
};

static const struct admin_param drain_params[] = {
    FLAG("graceful",
         "When draining listeners, enter a graceful drain period prior to closing listeners. This "
         "behaviour and duration is "
         "configurable via server options or CLI"),
    FLAG(
        "skip_exit",
        "When draining listeners, drain the connections but never stop the listeners. The graceful "
        "parameter has no effect "
        "when this is set, since the drain period only delays stopping the listeners"),
    FLAG("inboundonly", "Drains all inbound listeners. traffic_direction field in "
                        "envoy_v3_api_msg_config.listener.v3.Listener is used to "
                        "determine whether a listener is inbound or outbound."),
};

static const struct admin_param listeners_params[] = {
    CHOICE("format", "File format to use", text_or_json),
};

static const struct admin_param logging_params[] = {
    TEXT("paths", "Change multiple logging levels by setting to "
                  "<logger_name1>:<desired_level1>,<logger_name2>:<desired_level2>."),
    CHOICE("level", "desired logging level, this will change all loggers's level", levels),
};

#define USED_ONLY                                                                                  \
    FLAG("usedonly", "Only include stats that have been written by system since restart")
#define FILTER TEXT("filter", "Regular expression (Google re2) for filtering stats")
#define INVERT FLAG("invert_filter", "Invert the filter regex")

static const struct admin_param stats_params[] = {
    USED_ONLY,
    FILTER,
    INVERT,
    CHOICE("format", "Format to use", stat_formats),
    CHOICE("type", "Stat types to include.", stat_types),
    CHOICE("histogram_buckets", "Histogram bucket display mode", bucket_modes),
};

static const struct admin_param prometheus_params[] = {
    USED_ONLY,
    FLAG("text_readouts",
         "Render text_readouts as new gaugues with value 0 (increases Prometheus data size)"),
    FILTER,
    INVERT,
    CHOICE("histogram_buckets", "Histogram bucket display mode", prometheus_modes),
};

#define GET(path, help, run)                                                                       \
    {                                                                                              \
        path, help, false, NULL, 0, run                                                            \
    }
#define POST(path, help, run)                                                                      \
    {                                                                                              \
        path, help, true, NULL, 0, run                                                             \
    }
#define GET_WITH(path, help, params, run)                                                          \
    {                                                                                              \
        path, help, false, params, ARRAY_LEN(params), run                                          \
    }
#define POST_WITH(path, help, params, run)                                                         \
    {                                                                                              \
        path, help, true, params, ARRAY_LEN(params), run                                           \
    }

const struct admin_command admin_commands[] = {
    GET("/", "Admin home page", admin_run_home),
    GET_WITH("/clusters", "upstream cluster status", clusters_params, admin_run_clusters),
    GET_WITH("/config_dump", "dump current Envoy configs", config_dump_params,
             admin_run_config_dump),
    POST_WITH("/drain_listeners", "drain listeners", drain_params, admin_run_drain),
    POST("/healthcheck/fail", "cause the server to fail health checks", admin_run_health_fail),
    POST("/healthcheck/ok", "cause the server to pass health checks", admin_run_health_ok),
    GET("/help", "print out list of admin commands", admin_run_help),
    GET("/hot_restart_version", "print the hot restart compatibility version",
        admin_run_hot_restart_version),
    GET_WITH("/listeners", "print listener info", listeners_params, admin_run_listeners),
    POST_WITH("/logging", "query/change logging levels", logging_params, admin_run_logging),
    GET("/memory", "print current allocation/heap usage", admin_run_memory),
    POST("/quitquitquit", "exit the server", admin_run_quit),
    GET("/ready", "print server state, return 200 if LIVE, otherwise return 503", admin_run_ready),
    POST("/reopen_logs", "reopen access logs", admin_run_reopen_logs),
    POST("/reset_counters", "reset all counters to zero", admin_run_reset_counters),
    GET("/server_info", "print server version/status information", admin_run_server_info),
    GET_WITH("/stats", "print server stats", stats_params, admin_run_stats),
    GET_WITH("/stats/prometheus", "print server stats in prometheus format", prometheus_params,
             admin_run_prometheus),
};
const size_t admin_n_commands = ARRAY_LEN(admin_commands);
