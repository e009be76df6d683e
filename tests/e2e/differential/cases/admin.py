"""The admin listener: what its pages say, and how it refuses."""

from diffkit.case import AdminCase, get

OUR_STATS = "/stats?filter=^(http%5C.t%5C.|cluster%5C.origin%5C.|listener%5C.127)"
TRAFFIC = [get("/") + get("/nowhere")]
SOME_ROUTES = {"routes": "[{match: {path: /}, route: {cluster: origin}}]"}


def asks(method, *pairs):
    return [(method, path, view) for path, view in pairs]


ADMIN_CASES = [
    AdminCase("admin-ready", asks("GET", ("/ready", "text"))),
    AdminCase("admin-ready-head", asks("HEAD", ("/ready", "text"))),
    AdminCase("admin-server-info", asks("GET", ("/server_info", "shape"))),
    AdminCase("admin-listeners", asks("GET", ("/listeners", "text"), ("/listeners?format=json", "json"))),
    AdminCase("admin-clusters-text", asks("GET", ("/clusters", "text"))),
    AdminCase("admin-clusters-text-traffic", asks("GET", ("/clusters", "text")), traffic=TRAFFIC),
    AdminCase("admin-clusters-json", asks("GET", ("/clusters?format=json", "json")), traffic=TRAFFIC),
    AdminCase(
        "admin-clusters-filter", asks("GET", ("/clusters?filter=nosuch", "text"), ("/clusters?filter=ori", "text"))
    ),
    AdminCase("admin-stats-text", asks("GET", (OUR_STATS, "stat names")), SOME_ROUTES, TRAFFIC),
    AdminCase(
        "admin-stats-server",
        asks("GET", ("/stats?filter=^(server|cluster_manager|listener_manager|runtime)%5C.", "stat names")),
    ),
    AdminCase(
        "admin-stats-values",
        asks("GET", ("/stats?filter=^http%5C.t%5C.(downstream_rq_%5B0-9ct%5D|no_route|rq_total)", "text")),
        SOME_ROUTES,
        TRAFFIC,
    ),
    AdminCase("admin-stats-filter-nothing", asks("GET", ("/stats?filter=^nosuch", "text"))),
    AdminCase(
        "admin-stats-usedonly",
        asks("GET", ("/stats?usedonly&filter=^http%5C.t%5C.", "stat names")),
        SOME_ROUTES,
        TRAFFIC,
    ),
    AdminCase("admin-stats-json", asks("GET", (OUR_STATS + "&format=json", "json stat names")), SOME_ROUTES, TRAFFIC),
    AdminCase(
        "admin-stats-json-values",
        asks("GET", ("/stats?format=json&type=Counters&filter=^http%5C.t%5C.downstream_rq_%5B0-9%5D", "text")),
        SOME_ROUTES,
        TRAFFIC,
    ),
    AdminCase(
        "admin-stats-type",
        asks(
            "GET",
            ("/stats?type=Gauges&filter=^http%5C.t%5C.", "stat names"),
            ("/stats?type=Counters&filter=^http%5C.t%5C.", "stat names"),
            ("/stats?type=Histograms&filter=^http%5C.t%5C.", "stat names"),
            ("/stats?type=Nonsense", "text"),
        ),
    ),
    AdminCase("admin-stats-format-unknown", asks("GET", ("/stats?format=nonsense", "text"))),
    AdminCase(
        "admin-stats-prometheus",
        asks("GET", (OUR_STATS.replace("/stats?", "/stats/prometheus?"), "prometheus")),
        SOME_ROUTES,
        TRAFFIC,
    ),
    AdminCase(
        "admin-stats-prometheus-format",
        asks("GET", (OUR_STATS + "&format=prometheus", "prometheus")),
        SOME_ROUTES,
        TRAFFIC,
    ),
    AdminCase("admin-stats-histogram-empty", asks("GET", ("/stats?filter=upstream_rq_time", "text"))),
    AdminCase(
        "admin-reset-counters",
        asks("POST", ("/reset_counters", "text"))
        + asks("GET", ("/stats?filter=^http%5C.t%5C.downstream_rq_(total|2xx)$", "text")),
        traffic=TRAFFIC,
    ),
    AdminCase("admin-config-dump", asks("GET", ("/config_dump", "config dump"))),
    AdminCase("admin-config-dump-listener", asks("GET", ("/config_dump?resource=static_listeners", "json"))),
    AdminCase("admin-config-dump-cluster", asks("GET", ("/config_dump?resource=static_clusters", "json"))),
    AdminCase("admin-config-dump-routes", asks("GET", ("/config_dump?resource=static_route_configs", "json"))),
    AdminCase("admin-config-dump-bootstrap", asks("GET", ("/config_dump?resource=bootstrap", "shape"))),
    AdminCase("admin-config-dump-unknown", asks("GET", ("/config_dump?resource=nosuch", "text"))),
    AdminCase("admin-certs", asks("GET", ("/certs", "json"))),
    AdminCase("admin-memory", asks("GET", ("/memory", "shape"))),
    AdminCase("admin-runtime", asks("GET", ("/runtime", "json"))),
    AdminCase("admin-init-dump", asks("GET", ("/init_dump", "json"))),
    AdminCase("admin-hot-restart-version", asks("GET", ("/hot_restart_version", "text"))),
    AdminCase("admin-help", asks("GET", ("/help", "first line"))),
    AdminCase("admin-home", asks("GET", ("/", "nothing"))),
    AdminCase(
        "admin-unknown-path",
        asks("GET", ("/nosuch", "first line"), ("/ready/x", "first line"), ("/READY", "first line")),
    ),
    AdminCase(
        "admin-get-refused",
        asks(
            "GET",
            *[
                (p, "text")
                for p in (
                    "/logging",
                    "/quitquitquit",
                    "/healthcheck/fail",
                    "/healthcheck/ok",
                    "/reset_counters",
                    "/drain_listeners",
                    "/runtime_modify",
                    "/reopen_logs",
                    "/cpuprofiler",
                )
            ]
        ),
    ),
    AdminCase(
        "admin-other-methods",
        asks("DELETE", ("/ready", "text"), ("/logging", "text")) + asks("POST", ("/ready", "text")),
    ),
    AdminCase("admin-logging", asks("POST", ("/logging", "loggers"))),
    AdminCase(
        "admin-logging-level", asks("POST", ("/logging?level=error", "levels"), ("/logging?level=debug", "levels"))
    ),
    AdminCase("admin-logging-bad-level", asks("POST", ("/logging?level=nonsense", "text"))),
    AdminCase("admin-logging-bad-logger", asks("POST", ("/logging?nosuch=debug", "first line"))),
    AdminCase(
        "admin-logging-one",
        asks("POST", ("/logging?upstream=trace", "loggers"), ("/logging?paths=upstream:error,config:error", "loggers")),
    ),
    AdminCase(
        "admin-healthcheck-fail",
        asks("POST", ("/healthcheck/fail", "text"))
        + asks("GET", ("/ready", "text"), ("/stats?filter=^server.live$", "text"))
        + asks("POST", ("/healthcheck/ok", "text"))
        + asks("GET", ("/ready ", "text")),
    ),
    AdminCase("admin-reopen-logs", asks("POST", ("/reopen_logs", "text"))),
    AdminCase("admin-drain-listeners", asks("POST", ("/drain_listeners", "text"))),
    AdminCase("admin-quit", asks("POST", ("/quitquitquit", "text"))),
    AdminCase("admin-runtime-modify-without-layer", asks("POST", ("/runtime_modify?a=b", "text"))),
]
