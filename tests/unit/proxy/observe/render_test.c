/* The three renderings, against what a real Envoy 1.40 printed for statistics of the same names and
 * values. */
#include "proxy/observe/render.h"
#include "tests/support/failmalloc.h"
#include "tests/support/t.h"

/* Keeps the rows of wide tables within the line. */
#define ROW(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static const uint64_t sizes[] = {0,   1,   2,   5,   9,   10,  11,   15,   99,    100,
                                 101, 109, 110, 250, 255, 999, 1000, 1001, 12345, 100000};
enum { FIRST_INTERVAL = 14 };

struct ids {
    stat_id live, rq, zero, text, body, idle;
};

static struct stats *sample(struct ids *id)
{
    struct stats *s = stats_new(2);
    T_EXPECT(stats_gauge(s, SV("server.live"), &id->live) == OK);
    T_EXPECT(stats_counter(s, SV("cluster.tls.upstream_rq_200"), &id->rq) == OK);
    T_EXPECT(stats_counter(s, SV("cluster_manager.cluster_added"), &id->zero) == OK);
    T_EXPECT(stats_text(s, SV("http.ingress.rds.my.route.version_text"), &id->text) == OK);
    T_EXPECT(stats_histogram(s, SV("cluster.tls.upstream_rq_body_size"), STAT_UNIT_BYTES,
                             &id->body) == OK);
    T_EXPECT(stats_histogram(s, SV("cluster.up.upstream_rq_body_size"), STAT_UNIT_BYTES,
                             &id->idle) == OK);
    stats_gauge_set(s, id->live, 1);
    stat_add(stats_shard(s, 1), id->rq, 20);
    stats_text_set(s, id->text, SV("a<b>&\"c'\\ \xc3\xa9"));
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        if (i == FIRST_INTERVAL)
            stats_flush(s);
        stat_record(stats_shard(s, 1), id->body, sizes[i]);
    }
    stats_flush(s);
    return s;
}

#define QUANTILES                                                                                  \
    "P0(255,0) P25(995,9.05) P50(1033.3333333333333,102.5) P75(12500,256.6666666666667) "          \
    "P90(105000,1066.6666666666667) P95(105000,12500) P99(105000,105000) P99.5(105000,105000) "    \
    "P99.9(105000,105000) P100(105000,105000)"

static const char text_all[] = "http.ingress.rds.my.route.version_text: \"a<b>&\"c'\\ \xc3\xa9\"\n"
                               "cluster.tls.upstream_rq_200: 20\n"
                               "cluster_manager.cluster_added: 0\n"
                               "server.live: 1\n"
                               "cluster.tls.upstream_rq_body_size: " QUANTILES "\n"
                               "cluster.up.upstream_rq_body_size: No recorded values\n";

static const char text_cumulative[] = "cluster.tls.upstream_rq_body_size: B0.5(0,1) B1(0,2) "
                                      "B5(0,4) B10(0,6) B25(0,8) B50(0,8) B100(0,12) "
                                      "B250(1,15) B500(1,15) B1000(4,18) B2500(4,18) B5000(4,18) "
                                      "B10000(4,18) B30000(5,19) B60000(5,19) "
                                      "B300000(6,20) B600000(6,20) B1.8e+06(6,20) B3.6e+06(6,20)\n";

static const char text_disjoint[] =
    "cluster.tls.upstream_rq_body_size: B0.5(0,1) B1(0,1) B5(0,2) B10(0,2) B25(0,2) B50(0,0) "
    "B100(0,4) "
    "B250(1,3) B500(0,0) B1000(3,3) B2500(0,0) B5000(0,0) B10000(0,0) B30000(1,1) B60000(0,0) "
    "B300000(1,1) B600000(0,0) B1.8e+06(0,0) B3.6e+06(0,0)\n";

static const char text_detailed[] =
    "cluster.tls.upstream_rq_body_size:\n"
    "  totals=0,0:1, 1,0.1:1, 2,0.1:1, 5,0.1:1, 9,0.1:1, 10,1:1, 11,1:1, 15,1:1, 99,1:1, 100,10:3, "
    "110,10:1, 250,10:2, 990,10:1, 1000,100:2, 12000,1000:1, 100000,10000:1\n"
    "  intervals=250,10:1, 990,10:1, 1000,100:2, 12000,1000:1, 100000,10000:1\n"
    "  summary=" QUANTILES "\n";

static const char json_summary[] =
    "{\"stats\":[{\"name\":\"http.ingress.rds.my.route.version_text\",\"value\":\"a<b>&\\\"c'\\\\ "
    "\xc3\xa9\"},"
    "{\"name\":\"server.live\",\"value\":1},"
    "{\"histograms\":{\"supported_quantiles\":[0,25,50,75,90,95,99,99.5,99.9,100],\"computed_"
    "quantiles\":["
    "{\"name\":\"cluster.tls.upstream_rq_body_size\",\"values\":[{\"cumulative\":0,\"interval\":"
    "255},"
    "{\"cumulative\":9.05,\"interval\":995},{\"cumulative\":102.5,\"interval\":1033.3333333333333},"
    "{\"cumulative\":256.6666666666667,\"interval\":12500},"
    "{\"cumulative\":1066.6666666666667,\"interval\":105000},{\"cumulative\":12500,\"interval\":"
    "105000},"
    "{\"cumulative\":105000,\"interval\":105000},{\"cumulative\":105000,\"interval\":105000},"
    "{\"cumulative\":105000,\"interval\":105000},{\"cumulative\":105000,\"interval\":105000}]},"
    "{\"name\":\"cluster.up.upstream_rq_body_size\",\"values\":[{\"cumulative\":null,\"interval\":"
    "null},"
    "{\"cumulative\":null,\"interval\":null},{\"cumulative\":null,\"interval\":null},"
    "{\"cumulative\":null,\"interval\":null},{\"cumulative\":null,\"interval\":null},"
    "{\"cumulative\":null,\"interval\":null},{\"cumulative\":null,\"interval\":null},"
    "{\"cumulative\":null,\"interval\":null},{\"cumulative\":null,\"interval\":null},"
    "{\"cumulative\":null,\"interval\":null}]}]}}]}";

static const char json_cumulative[] =
    "{\"stats\":[{\"histograms\":[{\"name\":\"cluster.tls.upstream_rq_body_size\",\"buckets\":["
    "{\"upper_bound\":0.5,\"interval\":0,\"cumulative\":1},{\"upper_bound\":1,\"interval\":0,"
    "\"cumulative\":2},"
    "{\"upper_bound\":5,\"interval\":0,\"cumulative\":4},{\"upper_bound\":10,\"interval\":0,"
    "\"cumulative\":6},"
    "{\"upper_bound\":25,\"interval\":0,\"cumulative\":8},{\"upper_bound\":50,\"interval\":0,"
    "\"cumulative\":8},"
    "{\"upper_bound\":100,\"interval\":0,\"cumulative\":12},{\"upper_bound\":250,\"interval\":1,"
    "\"cumulative\":15},"
    "{\"upper_bound\":500,\"interval\":1,\"cumulative\":15},{\"upper_bound\":1000,\"interval\":4,"
    "\"cumulative\":18},"
    "{\"upper_bound\":2500,\"interval\":4,\"cumulative\":18},{\"upper_bound\":5000,\"interval\":4,"
    "\"cumulative\":18},"
    "{\"upper_bound\":10000,\"interval\":4,\"cumulative\":18},{\"upper_bound\":30000,\"interval\":"
    "5,\"cumulative\":19},"
    "{\"upper_bound\":60000,\"interval\":5,\"cumulative\":19},{\"upper_bound\":3e+05,\"interval\":"
    "6,\"cumulative\":20},"
    "{\"upper_bound\":6e+05,\"interval\":6,\"cumulative\":20},{\"upper_bound\":1800000,"
    "\"interval\":6,\"cumulative\":20},"
    "{\"upper_bound\":3600000,\"interval\":6,\"cumulative\":20}]}]}]}";

static const char json_detailed[] =
    "{\"stats\":[{\"histograms\":{\"supported_percentiles\":[0,25,50,75,90,95,99,99.5,99.9,100],"
    "\"details\":["
    "{\"name\":\"cluster.tls.upstream_rq_body_size\",\"totals\":[{\"lower_bound\":0,\"width\":0,"
    "\"count\":1},"
    "{\"lower_bound\":1,\"width\":0.1,\"count\":1},{\"lower_bound\":2,\"width\":0.1,\"count\":1},"
    "{\"lower_bound\":5,\"width\":0.1,\"count\":1},{\"lower_bound\":9,\"width\":0.1,\"count\":1},"
    "{\"lower_bound\":10,\"width\":1,\"count\":1},{\"lower_bound\":11,\"width\":1,\"count\":1},"
    "{\"lower_bound\":15,\"width\":1,\"count\":1},{\"lower_bound\":99,\"width\":1,\"count\":1},"
    "{\"lower_bound\":100,\"width\":10,\"count\":3},{\"lower_bound\":110.00000000000001,\"width\":"
    "10,\"count\":1},"
    "{\"lower_bound\":250,\"width\":10,\"count\":2},{\"lower_bound\":990,\"width\":10,\"count\":1},"
    "{\"lower_bound\":1000,\"width\":100,\"count\":2},{\"lower_bound\":12000,\"width\":1000,"
    "\"count\":1},"
    "{\"lower_bound\":1e+05,\"width\":10000,\"count\":1}],\"intervals\":["
    "{\"lower_bound\":250,\"width\":10,\"count\":1},{\"lower_bound\":990,\"width\":10,\"count\":1},"
    "{\"lower_bound\":1000,\"width\":100,\"count\":2},{\"lower_bound\":12000,\"width\":1000,"
    "\"count\":1},"
    "{\"lower_bound\":1e+05,\"width\":10000,\"count\":1}],\"percentiles\":[{\"cumulative\":0,"
    "\"interval\":255},"
    "{\"cumulative\":9.05,\"interval\":995},{\"cumulative\":102.5,\"interval\":1033.3333333333333},"
    "{\"cumulative\":256.6666666666667,\"interval\":12500},"
    "{\"cumulative\":1066.6666666666667,\"interval\":105000},{\"cumulative\":12500,\"interval\":"
    "105000},"
    "{\"cumulative\":105000,\"interval\":105000},{\"cumulative\":105000,\"interval\":105000},"
    "{\"cumulative\":105000,\"interval\":105000},{\"cumulative\":105000,\"interval\":105000}]}]}}]"
    "}";

#define L "{appmesh_mesh=\"m\\\"y\\\\\",envoy_cluster_name=\"tls\""
#define M "envoy_cluster_upstream_rq_body_size"
#define BUCKET(le, n) M "_bucket" L ",le=\"" le "\"} " n "\n"
#define QUANTILE(q, v) M L ",quantile=\"" q "\"} " v "\n"

static const char prometheus_histogram[] = "# TYPE " M " histogram\n" BUCKET("0.5", "1")
    BUCKET("1", "2") BUCKET("5", "4") BUCKET("10", "6") BUCKET("25", "8") BUCKET("50", "8")
        BUCKET("100", "12") BUCKET("250", "15") BUCKET("500", "15") BUCKET("1000", "18")
            BUCKET("2500", "18") BUCKET("5000", "18") BUCKET("10000", "18") BUCKET("30000", "19")
                BUCKET("60000", "19") BUCKET("300000", "20") BUCKET("600000", "20")
                    BUCKET("1800000", "20") BUCKET("3600000", "20") BUCKET("+Inf", "20") M
    "_sum" L "} 121425.12141405821603257209062576\n" M "_count" L "} 20\n";

static const char prometheus_summary[] =
    "# TYPE " M " summary\n" QUANTILE("0", "255") QUANTILE("0.25", "995")
        QUANTILE("0.5", "1033.3333333333332575421081855893") QUANTILE("0.75", "12500")
            QUANTILE("0.9", "105000") QUANTILE("0.95", "105000") QUANTILE("0.99", "105000")
                QUANTILE("0.995", "105000") QUANTILE("0.999", "105000") QUANTILE("1", "105000") M
    "_sum" L "} 120587.01969229902897495776414871\n" M "_count" L "} 6\n";

static const char prometheus_texts[] =
    "# TYPE envoy_http_rds_version_text gauge\n"
    "envoy_http_rds_version_text{appmesh_mesh=\"m\\\"y\\\\\",envoy_rds_route_config=\"my.route\","
    "envoy_http_conn_manager_prefix=\"ingress\",text_value=\"a<b>&\\\"c'\\\\ \xc3\xa9\"} 0\n";

enum form { TEXT, JSON, PROMETHEUS };
#define KIND(k) (1u << (k))

static const struct {
    const char *row;
    enum form form;
    struct stats_query query; /* its filter is put in */
    const char *filter;
    const char *want;
} rows[] = {
    ROW("all text", TEXT, {0}, NULL, text_all),
    ROW("filter", TEXT, {0}, "server\\.l", "server.live: 1\n"),
    ROW("nothing", TEXT, {0}, "nope", ""),
    ROW("inverted", TEXT, {.invert = true, .kinds = KIND(STAT_GAUGE) | KIND(STAT_COUNTER)},
        "live|added", "cluster.tls.upstream_rq_200: 20\n"),
    ROW("used only", TEXT, {.used_only = true}, "cluster_m|up\\.|live", "server.live: 1\n"),
    ROW("cumulative", TEXT, {.buckets = STAT_BUCKETS_CUMULATIVE}, "tls.*body", text_cumulative),
    ROW("disjoint", TEXT, {.buckets = STAT_BUCKETS_DISJOINT}, "tls.*body", text_disjoint),
    ROW("detailed", TEXT, {.buckets = STAT_BUCKETS_DETAILED}, "tls.*body", text_detailed),
    ROW("json", JSON, {0}, "live|body|version", json_summary),
    ROW("json cumulative", JSON, {.buckets = STAT_BUCKETS_CUMULATIVE}, "tls.*body",
        json_cumulative),
    ROW("json detailed", JSON, {.buckets = STAT_BUCKETS_DETAILED}, "tls.*body", json_detailed),
    ROW("json empty", JSON, {.used_only = true, .buckets = STAT_BUCKETS_CUMULATIVE}, "up\\.",
        "{\"stats\":[]}"),
    ROW("prometheus histogram", PROMETHEUS, {0}, "tls.*body", prometheus_histogram),
    ROW("prometheus summary", PROMETHEUS, {.buckets = STAT_BUCKETS_SUMMARY}, "tls.*body",
        prometheus_summary),
    ROW("prometheus no texts", PROMETHEUS, {0}, "version_text", ""),
    ROW("prometheus texts", PROMETHEUS, {.text_readouts = true}, "version_text", prometheus_texts),
    ROW("prometheus values", PROMETHEUS, {0}, "rq_200|live|added",
        "# TYPE envoy_cluster_upstream_rq counter\n"
        "envoy_cluster_upstream_rq{envoy_response_code=\"200\",appmesh_mesh=\"m\\\"y\\\\\",envoy_"
        "cluster_name=\"tls\"} 20\n"
        "# TYPE envoy_cluster_manager_cluster_added counter\n"
        "envoy_cluster_manager_cluster_added{appmesh_mesh=\"m\\\"y\\\\\"} 0\n"
        "# TYPE envoy_server_live gauge\n"
        "envoy_server_live{appmesh_mesh=\"m\\\"y\\\\\"} 1\n"),
};

static enum err render(struct stats *s, enum form form, const struct stats_query *q,
                       struct str *out)
{
    if (form == TEXT)
        return stats_render_text(s, q, out);
    return form == JSON ? stats_render_json(s, q, out) : stats_render_prometheus(s, q, out);
}

T(render, as_envoy)
{
    struct ids id;
    struct stats *s = sample(&id);
    T_ASSERT(stats_fixed_tag(s, SV("appmesh.mesh"), SV("m\"y\\")) == OK);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct stats_query q = rows[i].query;
        struct text_match *filter = NULL;
        struct str out;
        str_init(&out, 0);
        if (rows[i].filter != NULL)
            T_ASSERT(text_match_new(sv_str(rows[i].filter), false, &filter, NULL) == OK);
        q.filter = filter;
        T_EXPECT(render(s, rows[i].form, &q, &out) == OK);
        T_EXPECT_SV(str_sv(&out), sv_str(rows[i].want), rows[i].row);
        str_fini(&out);
        text_match_free(&filter);
    }
    stats_free(&s);
}

/* Seen: groups and series are ordered by tokens, not by bytes, and a group has one TYPE line. */
T(render, prometheus_order)
{
    static const char *const names[] = {"aa.b-x.r",
                                        "aa.b.c.r",
                                        "aa.b.r",
                                        "aa_x.http_local_rate_limit.ok",
                                        "aa-x.http_local_rate_limit.ok",
                                        "aa+x.http_local_rate_limit.ok",
                                        "9.b:c..d.r"};
    struct stats *s = stats_new(1);
    struct stats_query q = {0};
    struct str out;
    stat_id ignored;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        T_ASSERT(stats_counter(s, sv_str(names[i]), &ignored) == OK);
    str_init(&out, 0);
    T_ASSERT(stats_render_prometheus(s, &q, &out) == OK);
    T_EXPECT_SV(
        str_sv(&out),
        SV("# TYPE envoy_9_b_c__d_r counter\nenvoy_9_b_c__d_r{} 0\n"
           "# TYPE envoy_aa_b_c_r counter\nenvoy_aa_b_c_r{} 0\n"
           "# TYPE envoy_aa_b_r counter\nenvoy_aa_b_r{} 0\n"
           "# TYPE envoy_aa_b_x_r counter\nenvoy_aa_b_x_r{} 0\n"
           "# TYPE envoy_http_local_rate_limit_ok counter\n"
           "envoy_http_local_rate_limit_ok{envoy_local_http_ratelimit_prefix=\"aa+x\"} 0\n"
           "envoy_http_local_rate_limit_ok{envoy_local_http_ratelimit_prefix=\"aa-x\"} 0\n"
           "envoy_http_local_rate_limit_ok{envoy_local_http_ratelimit_prefix=\"aa_x\"} 0\n"),
        "");
    str_fini(&out);
    stats_free(&s);
}

/* Readers refuse a second TYPE line for a name, so there is one even when two statistics collide.
 */
T(render, prometheus_one_type_line_for_colliding_names)
{
    struct stats *s = stats_new(1);
    struct stats_query q = {0};
    struct str out;
    stat_id ignored;

    T_ASSERT(stats_counter(s, SV("a.b"), &ignored) == OK);
    T_ASSERT(stats_counter(s, SV("a_b"), &ignored) == OK);
    str_init(&out, 0);
    T_ASSERT(stats_render_prometheus(s, &q, &out) == OK);
    T_EXPECT_SV(str_sv(&out), SV("# TYPE envoy_a_b counter\nenvoy_a_b{} 0\nenvoy_a_b{} 0\n"), "");
    str_fini(&out);
    stats_free(&s);
}

T(render, label_values_are_escaped)
{
    struct stats *s = stats_new(1);
    struct stats_query q = {0};
    struct str out;
    stat_id ignored;

    T_ASSERT(stats_counter(s, SV("tcp.a\nb\"c\\d.x"), &ignored) == OK);
    str_init(&out, 0);
    T_ASSERT(stats_render_prometheus(s, &q, &out) == OK);
    T_EXPECT_SV(
        str_sv(&out),
        SV("# TYPE envoy_tcp_x counter\nenvoy_tcp_x{envoy_tcp_prefix=\"a\\nb\\\"c\\\\d\"} 0\n"),
        "");
    str_fini(&out);
    stats_free(&s);
}

T(render, a_cap_is_reported)
{
    struct ids id;
    struct stats *s = sample(&id);
    struct stats_query q = {0};
    struct str out;

    for (int form = TEXT; form <= PROMETHEUS; form++) {
        str_init(&out, 20);
        T_EXPECT(render(s, (enum form)form, &q, &out) != OK);
        str_fini(&out);
    }
    stats_free(&s);
}

static void scenario(bool failing)
{
    struct stats_query q = {.text_readouts = true};
    struct stats *s = stats_new(1);
    stat_id a, b;
    struct str out;

    if (s == NULL)
        return;
    if (stats_counter(s, SV("cluster.a.x"), &a) == OK &&
        stats_histogram(s, SV("cluster.a.y"), STAT_UNIT_MS, &b) == OK) {
        stat_record(stats_shard(s, 0), b, 5);
        stats_flush(s);
        for (int form = TEXT; form <= PROMETHEUS; form++) {
            str_init(&out, 0);
            enum err e = render(s, (enum form)form, &q, &out);
            T_EXPECT(e == OK || failing, "%s", err_name(e));
            str_fini(&out);
        }
    }
    stats_free(&s);
}

T(render, each_allocation_may_fail)
{
    T_EXPECT(failmalloc_each(scenario) > 0);
}
