/* The other pages: texts and JSON as a real Envoy 1.40 prints them for the same things. */
#include "base/log.h"
#include "proxy/admin/admin_int.h"
#include "site.h"
#include <stdio.h>

/* Keeps the rows of wide tables within the line. */
#define ROW(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

#define H1 "up.stream::127.0.0.1:18082::"
#define H2 "up.stream::[::1]:18083::"
#define LIMITS(c, p, a, b, d, e)                                                                   \
    c "::" p "_priority::max_connections::" a "\n" c "::" p "_priority::max_pending_requests::" b  \
      "\n" c "::" p "_priority::max_requests::" d "\n" c "::" p "_priority::max_retries::" e "\n"

static const char clusters_up[] = "up.stream::observability_name::up.stream\n" LIMITS(
    "up.stream", "default", "7", "1024", "1024", "2")
    LIMITS("up.stream", "high", "1024", "1024", "9",
           "3") "up.stream::added_via_api::true\n" H1 "cx_active::0\n" H1 "cx_connect_fail::0\n" H1
                "cx_total::3\n" H1 "rq_active::2\n" H1 "rq_error::0\n" H1
                "rq_pending_active::0\n" H1 "rq_success::0\n" H1 "rq_timeout::0\n" H1
                "rq_total::0\n" H1 "hostname::hh\n" H1 "health_flags::healthy\n" H1 "weight::1\n" H1
                "region::r\n" H1 "zone::z\n" H1 "sub_zone::s\n" H1 "canary::false\n" H1
                "priority::0\n" H1 "success_rate::-1\n" H1 "local_origin_success_rate::-1\n" H2
                "cx_active::0\n" H2 "cx_connect_fail::0\n" H2 "cx_total::0\n" H2 "rq_active::0\n" H2
                "rq_error::0\n" H2 "rq_pending_active::0\n" H2 "rq_success::0\n" H2
                "rq_timeout::0\n" H2 "rq_total::0\n" H2 "hostname::\n" H2
                "health_flags::/failed_active_hc/failed_eds_health\n" H2 "weight::3\n" H2
                "region::\n" H2 "zone::\n" H2 "sub_zone::\n" H2 "canary::true\n" H2
                "priority::1\n" H2 "success_rate::-1\n" H2 "local_origin_success_rate::-1\n";

static const char clusters_empty[] =
    "empty::observability_name::altname\n" LIMITS("empty", "default", "1024", "1024", "1024", "3")
        LIMITS("empty", "high", "1024", "1024", "1024", "3") "empty::added_via_api::false\n";

static const char json_empty[] = "{\n \"cluster_statuses\": [\n  {\n   \"name\": \"empty\",\n   "
                                 "\"circuit_breakers\": {\n    \"thresholds\": [\n     {\n"
                                 "      \"max_connections\": 1024,\n      "
                                 "\"max_pending_requests\": 1024,\n      \"max_requests\": 1024,\n"
                                 "      \"max_retries\": 3\n     },\n     {\n      \"priority\": "
                                 "\"HIGH\",\n      \"max_connections\": 1024,\n"
                                 "      \"max_pending_requests\": 1024,\n      \"max_requests\": "
                                 "1024,\n      \"max_retries\": 3\n     }\n    ]\n   },\n"
                                 "   \"observability_name\": \"altname\"\n  }\n ]\n}\n";

static const char json_host[] =
    "    {\n     \"address\": {\n      \"socket_address\": {\n       \"address\": \"127.0.0.1\",\n"
    "       \"port_value\": 18082\n      }\n     },\n     \"stats\": [\n      {\n       \"name\": "
    "\"cx_connect_fail\"\n"
    "      },\n      {\n       \"value\": \"3\",\n       \"name\": \"cx_total\"\n      },\n      "
    "{\n"
    "       \"name\": \"rq_error\"\n      },\n      {\n       \"name\": \"rq_success\"\n      },\n "
    "     {\n"
    "       \"name\": \"rq_timeout\"\n      },\n      {\n       \"name\": \"rq_total\"\n      },\n "
    "     {\n"
    "       \"type\": \"GAUGE\",\n       \"name\": \"cx_active\"\n      },\n      {\n       "
    "\"type\": \"GAUGE\",\n"
    "       \"value\": \"2\",\n       \"name\": \"rq_active\"\n      },\n      {\n       \"type\": "
    "\"GAUGE\",\n"
    "       \"name\": \"rq_pending_active\"\n      }\n     ],\n     \"health_status\": {\n"
    "      \"eds_health_status\": \"HEALTHY\"\n     },\n     \"weight\": 1,\n     \"hostname\": "
    "\"hh\",\n"
    "     \"locality\": {\n      \"region\": \"r\",\n      \"zone\": \"z\",\n      \"sub_zone\": "
    "\"s\"\n     }\n    },\n";

static const char json_listeners[] = "{\n \"listener_statuses\": [\n  {\n   \"name\": \"l1\",\n   "
                                     "\"local_address\": {\n    \"socket_address\": {\n"
                                     "     \"address\": \"127.0.0.1\",\n     \"port_value\": "
                                     "18081\n    }\n   }\n  },\n  {\n   \"name\": \"l2\",\n"
                                     "   \"local_address\": {\n    \"socket_address\": {\n     "
                                     "\"address\": \"::1\",\n     \"port_value\": 18085\n    }\n"
                                     "   }\n  }\n ]\n}\n";

T(admin_pages, clusters_and_listeners)
{
    char all[8192];
    struct site s;
    struct sv body;
    site_open(&s);
    snprintf(all, sizeof(all), "%s%s", clusters_empty, clusters_up);
    site_expect(&s, "GET", "/clusters", 200, all);
    site_expect(&s, "GET", "/clusters?format=foo", 200, all);
    site_expect(&s, "GET", "/clusters?filter=^u", 200, clusters_up);
    site_expect(&s, "GET", "/clusters?filter=em%70ty", 200, clusters_empty);
    site_expect(&s, "GET", "/clusters?filter=nope", 200, "");
    site_expect(&s, "GET", "/clusters?filter=(", 400, "Invalid re2 regex");
    site_expect(&s, "GET", "/clusters?format=json&filter=empty", 200, json_empty);
    T_EXPECT_SV(site_header(&s, "content-type: "), SV("application/json"), "");
    site_expect(&s, "GET", "/clusters?format=json&filter=nope", 200, "{}\n");
    T_EXPECT_EQ(site_ask(&s, "GET", "/clusters?format=json", &body), 200, "");
    T_EXPECT(sv_search(body, sv_str(json_host)) != SIZE_MAX, "%.*s", SVF(body));
    T_EXPECT(sv_search(body, SV("\"eds_health_status\": \"UNHEALTHY\"")) != SIZE_MAX);
    T_EXPECT(sv_search(body, SV("\"locality\": {}")) != SIZE_MAX);
    T_EXPECT(sv_search(body, SV("\"added_via_api\": true")) != SIZE_MAX);

    site_expect(&s, "GET", "/listeners", 200,
                "l1::127.0.0.1:18081\nl1::127.0.0.1:18084\nl2::[::1]:18085\n");
    site_expect(&s, "GET", "/listeners?format=JSON", 200,
                "l1::127.0.0.1:18081\nl1::127.0.0.1:18084\nl2::[::1]:18085\n");
    site_expect(&s, "GET", "/listeners?format=json&format=text", 200, json_listeners);
    s.no_clusters = true;
    site_expect(&s, "GET", "/clusters", 200, "");
    site_expect(&s, "GET", "/clusters?format=json", 200, "{}\n");
    site_close(&s);
}

T(admin_pages, many_clusters_and_listeners_grow)
{
    struct site s;
    struct sv body;
    site_open(&s);
    for (int i = 0; i < 3; i++) {
        T_EXPECT_EQ(site_ask(&s, "GET", "/clusters?format=json", &body), 200, "");
        T_EXPECT_EQ(site_ask(&s, "GET", "/listeners?format=json", &body), 200, "");
    }
    site_close(&s);
}

T(admin_pages, server)
{
    struct site s;
    struct sv body;
    site_open(&s);
    site_expect(&s, "GET", "/ready", 200, "LIVE\n");
    s.state = ADMIN_DRAINING;
    site_expect(&s, "GET", "/ready", 503, "DRAINING\n");
    s.state = ADMIN_PRE_INITIALIZING;
    site_expect(&s, "GET", "/ready", 503, "PRE_INITIALIZING\n");
    s.state = ADMIN_INITIALIZING;
    site_expect(&s, "POST", "/ready", 503, "INITIALIZING\n");
    site_expect(&s, "GET", "/hot_restart_version", 200, "disabled");

    T_EXPECT_EQ(site_ask(&s, "GET", "/server_info", &body), 200, "");
    T_EXPECT_SV(site_header(&s, "content-type: "), SV("application/json"), "");
    T_EXPECT(
        sv_starts(body,
                  SV("{\n \"version\": \"abc/1.0/Clean/RELEASE/x\",\n \"state\": \"LIVE\",\n")),
        "%.*s", SVF(body));
    s.no_memory = true;
    T_EXPECT_EQ(site_ask(&s, "GET", "/server_info", &body), 500, "");

    T_EXPECT_EQ(site_ask(&s, "GET", "/memory", &body), 200, "");
    T_EXPECT(sv_starts(body, SV("{\n \"allocated\": \"")) && sv_ends(body, SV("\"\n}\n")), "%.*s",
             SVF(body));
    site_close(&s);
}

T(admin_pages, things_to_do)
{
    struct site s;
    stat_id id;
    site_open(&s);
    site_expect(&s, "POST", "/healthcheck/fail", 200, "OK\n");
    T_EXPECT(s.health_failed);
    site_expect(&s, "POST", "/healthcheck/ok", 200, "OK\n");
    T_EXPECT(!s.health_failed);
    site_expect(&s, "POST", "/reopen_logs", 200, "OK\n");
    T_EXPECT_EQ(s.reopens, 1, "");
    site_expect(&s, "POST", "/drain_listeners", 200, "OK\n");
    T_EXPECT(s.drains == 1 && !s.graceful && !s.skip_exit && !s.inbound_only);
    site_expect(&s, "POST", "/drain_listeners?graceful&skip_exit", 200, "OK\n");
    T_EXPECT(s.graceful && s.skip_exit && !s.inbound_only);
    site_expect(&s, "POST", "/drain_listeners?inboundonly", 200, "OK\n");
    T_EXPECT(!s.graceful && !s.skip_exit && s.inbound_only);

    T_ASSERT(stats_counter(s.stats, SV("c"), &id) == OK);
    stat_add(stats_shard(s.stats, 1), id, 5);
    site_expect(&s, "GET", "/stats?filter=^c$", 200, "c: 5\n");
    site_expect(&s, "POST", "/reset_counters", 200, "OK\n");
    site_expect(&s, "GET", "/stats?filter=^c$&usedonly", 200, "c: 0\n");
    site_close(&s);
}

T(admin_pages, posts_only)
{
    static const char *const paths[] = {"/quitquitquit",   "/healthcheck/fail", "/healthcheck/ok",
                                        "/reset_counters", "/drain_listeners",  "/reopen_logs",
                                        "/logging"};
    struct site s;
    site_open(&s);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        site_expect(&s, "GET", paths[i], 405, "Method GET not allowed, POST required.");
        site_expect(&s, "DELETE", paths[i], 405, "Method DELETE not allowed, POST required.");
    }
    T_EXPECT(s.quits == 0 && s.drains == 0 && s.reopens == 0);
    site_close(&s);
}

T(admin_pages, stats)
{
    static const struct {
        const char *target;
        unsigned code;
        const char *want;
    } rows[] = {
        ROW("/stats?filter=^x", 200,
            "x.b: \"t\"\nx.a: 7\nx.c: 0\nx.h: P0(nan,1.05) P25(nan,1.05) P50(nan,1.05) "
            "P75(nan,1.05) "
            "P90(nan,1.05) "
            "P95(nan,1.05) P99(nan,1.05) P99.5(nan,1.05) P99.9(nan,1.05) P100(nan,1.05)\n"),
        ROW("/stats?format=text&type=Counters&filter=^x", 200, "x.a: 7\n"),
        ROW("/stats?type=Gauges&filter=^x", 200, "x.c: 0\n"),
        ROW("/stats?type=Gauges&filter=^x&usedonly", 200, ""),
        ROW("/stats?type=TextReadouts&filter=^x", 200, "x.b: \"t\"\n"),
        ROW("/stats?type=All&filter=^x.a", 200, "x.a: 7\n"),
        ROW("/stats?filter=admin%7C^x.h&invert_filter", 200, "x.b: \"t\"\nx.a: 7\nx.c: 0\n"),
        ROW("/stats?format=json&filter=^x.%5Babc%5D", 200,
            "{\"stats\":[{\"name\":\"x.b\",\"value\":\"t\"},{\"name\":\"x.a\",\"value\":7},{"
            "\"name\":"
            "\"x.c\",\"value\":0}]}"),
        ROW("/stats?format=json&filter=nope", 200, "{\"stats\":[]}"),
        ROW("/stats/prometheus?filter=^x.a", 200, "# TYPE envoy_x_a counter\nenvoy_x_a{} 7\n"),
        ROW("/stats?format=prometheus&filter=^x.a", 200,
            "# TYPE envoy_x_a counter\nenvoy_x_a{} 7\n"),
        ROW("/stats/prometheus?filter=^x.b&text_readouts", 200,
            "# TYPE envoy_x_b gauge\nenvoy_x_b{text_value=\"t\"} 0\n"),
        ROW("/stats/prometheus?filter=nope&format=json&type=foo", 200, ""),
        ROW("/stats?format=xml", 400,
            "usage: /stats?format=(html|active-html|json|prometheus|text)\n\n"),
        ROW("/stats?type=foo", 400, "invalid &type= param"),
        ROW("/stats?type=counters", 400, "invalid &type= param"),
        ROW("/stats?histogram_buckets=foo", 400,
            "usage: "
            "/stats?histogram_buckets=(cumulative|disjoint|detailed|summary|prometheusnative)\n\n"),
        ROW("/stats/prometheus?histogram_buckets=foo", 400,
            "usage: "
            "/stats?histogram_buckets=(cumulative|disjoint|detailed|summary|prometheusnative)\n\n"),
        ROW("/stats/prometheus?histogram_buckets=detailed", 400,
            "unsupported prometheus histogram bucket mode"),
        ROW("/stats?format=prometheus&histogram_buckets=disjoint", 400,
            "unsupported prometheus histogram bucket mode"),
        ROW("/stats?histogram_buckets=prometheusnative", 400,
            "Invalid histogram_buckets type for non prometheus stats type"),
        ROW("/stats/prometheus?histogram_buckets=prometheusnative", 400,
            "unsupported prometheusnative histogram type when not using protobuf exposition "
            "format"),
        ROW("/stats?filter=(", 400, "Invalid re2 regex: missing ): ("),
        ROW("/stats/prometheus?filter=a(b", 400, "Invalid re2 regex: missing ): a(b"),
        ROW("/stats?invert_filter", 400,
            "invert_filter can only be used if filter is also provided"),
    };
    struct site s;
    struct sv body;
    stat_id a, b, c, h;
    site_open(&s);
    T_ASSERT(stats_counter(s.stats, SV("x.a"), &a) == OK &&
             stats_gauge(s.stats, SV("x.c"), &c) == OK);
    T_ASSERT(stats_text(s.stats, SV("x.b"), &b) == OK &&
             stats_histogram(s.stats, SV("x.h"), STAT_UNIT_MS, &h) == OK);
    stat_add(stats_shard(s.stats, 0), a, 7);
    stats_text_set(s.stats, b, SV("t"));
    stat_record(stats_shard(s.stats, 1), h, 1);
    stats_flush(s.stats);
    stats_flush(s.stats);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        site_expect(&s, "GET", rows[i].target, rows[i].code, rows[i].want);
    T_EXPECT(s.refreshes > 0, "computed gauges were brought up to date");

    stats_text_set(s.stats, b, SV("<b>&\"'"));
    T_EXPECT_EQ(site_ask(&s, "GET", "/stats?format=html&filter=^x.b", &body), 200, "");
    T_EXPECT_SV(site_header(&s, "content-type: "), SV("text/html; charset=UTF-8"), "");
    T_EXPECT(sv_search(body, SV("<pre>x.b: &quot;&lt;b&gt;&amp;&quot;&#39;&quot;\n</pre>")) !=
                 SIZE_MAX,
             "%.*s", SVF(body));
    site_close(&s);
}

#define USAGE(why)                                                                                 \
    "error: " why "\n\nusage: /logging?<name>=<level> (change single level)\n"                     \
    "usage: /logging?paths=name1:level1,name2:level2,... (change multiple levels)\n"               \
    "usage: /logging?level=<level> (change all levels)\n"                                          \
    "usage: /logging?group=<group_name>:<level> (change group of loggers)\n"                       \
    "levels: trace debug info warning error critical off \nactive loggers:\n  admin: "

T(admin_pages, logging)
{
    static const struct {
        const char *query;
        unsigned code;
        const char *starts;
    } rows[] = {
        ROW("", 200, "active loggers:\n  admin: info\n  client: info\n"),
        ROW("?level=error", 200, "active loggers:\n  admin: error\n  client: error\n"),
        ROW("?admin=trace", 200, "active loggers:\n  admin: trace\n  client: error\n"),
        ROW("?paths=admin:critical,client:warning", 200,
            "active loggers:\n  admin: critical\n  client: warning\n"),
        ROW("?paths=admin:off,", 200, "active loggers:\n  admin: off\n  client: warning\n"),
        ROW("?paths=", 200, "active loggers:\n  admin: off\n"),
        ROW("?level=", 200, "active loggers:\n  admin: off\n"),
        ROW("?admin=", 200, "active loggers:\n  admin: off\n"),
        ROW("?level=foo", 400, USAGE("unknown logger level") "off\n"),
        ROW("?level=warn", 400, USAGE("unknown logger level") "off\n"),
        ROW("?level=INFO", 400, USAGE("unknown logger level") "off\n"),
        ROW("?nope=info", 400, USAGE("unknown logger name") "off\n"),
        ROW("?LEVEL=info", 400, USAGE("unknown logger name") "off\n"),
        ROW("?admin=foo", 400, USAGE("unknown logger level") "off\n"),
        ROW("?paths=foo:info", 400, USAGE("unknown logger name") "off\n"),
        ROW("?paths=admin:foo", 400, USAGE("unknown logger level") "off\n"),
        ROW("?paths=admin:warn", 400, USAGE("unknown logger level") "off\n"),
        ROW("?paths=admin", 400, USAGE("empty logger name or empty logger level") "off\n"),
        ROW("?paths=:info", 400, USAGE("empty logger name or empty logger level") "off\n"),
        ROW("?paths=admin:debug:x", 400, USAGE("unknown logger level") "off\n"),
        ROW("?paths=admin:debug,foo:info", 400, USAGE("unknown logger name") "off\n"),
        ROW("?level=info&admin=debug", 400, USAGE("invalid number of parameters") "off\n"),
        ROW("?group=admin:debug", 400,
            USAGE("group parameter requires fine-grain logging to be enabled") "off\n"),
    };
    struct site s;
    struct sv body;
    site_open(&s);
    log_set_all(LOG_INFO);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char target[200];
        snprintf(target, sizeof(target), "/logging%s", rows[i].query);
        T_EXPECT_EQ(site_ask(&s, "POST", target, &body), rows[i].code, rows[i].query);
        T_EXPECT(sv_starts(body, sv_str(rows[i].starts)), "%s: %.*s", rows[i].query, SVF(body));
    }
    log_set_all(LOG_INFO);
    site_close(&s);
}

T(admin_pages, help)
{
    struct site s;
    struct sv body;
    struct str text;
    site_open(&s);
    T_EXPECT_EQ(site_ask(&s, "GET", "/help", &body), 200, "");
    T_EXPECT(sv_starts(
        body,
        SV("admin commands are:\n  /: Admin home page\n  /clusters: upstream cluster status\n"
           "      filter: Regular expression (Google re2) for filtering clusters by name\n")));
    T_EXPECT(sv_search(body, SV("\n  /quitquitquit (POST): exit the server\n")) != SIZE_MAX);
    T_EXPECT(
        sv_search(
            body,
            SV("\n      type: Stat types to include.; One of (All, Counters, Histograms, Gauges, "
               "TextReadouts)\n")) != SIZE_MAX);
    T_EXPECT(sv_search(body, SV("\n      level: desired logging level, this will change all "
                                "loggers's level; One of (, "
                                "trace, debug, info, warning, error, critical, off)\n")) !=
             SIZE_MAX);
    str_init(&text, 0);
    str_add(&text, SV("invalid path. "));
    str_add(&text, body);
    site_expect(&s, "GET", "/nope", 404, text.p);
    site_expect(&s, "POST", "/ready/", 404, text.p);
    str_fini(&text);
    site_close(&s);
}

T(admin_pages, home_lists_every_command)
{
    struct site s;
    struct sv body;
    site_open(&s);
    T_EXPECT_EQ(site_ask(&s, "GET", "/?x", &body), 200, "");
    T_EXPECT_SV(site_header(&s, "content-type: "), SV("text/html; charset=UTF-8"), "");
    T_EXPECT(sv_starts(body, SV("<!DOCTYPE html>\n")) && sv_ends(body, SV("</html>\n")));
    for (size_t i = 1; i < admin_n_commands; i++) {
        char link[100], form[100];
        snprintf(link, sizeof(link), "<a href='%s'>", admin_commands[i].path + 1);
        snprintf(form, sizeof(form), "<form action='%s' method='%s'", admin_commands[i].path + 1,
                 admin_commands[i].mutates ? "post" : "get");
        T_EXPECT(sv_search(body, sv_str(link)) != SIZE_MAX ||
                     sv_search(body, sv_str(form)) != SIZE_MAX,
                 "%s", link);
    }
    T_EXPECT(sv_search(body, SV("&lt;logger_name1&gt;")) != SIZE_MAX, "escaped");
    site_close(&s);
}
