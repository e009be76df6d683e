/* /stats and /stats/prometheus: parameters in, a rendering of proxy/observe out. */
#include "proxy/admin/admin_int.h"
#include "proxy/admin/html.h"
#include "proxy/observe/render.h"

enum format { FORMAT_TEXT, FORMAT_JSON, FORMAT_PROMETHEUS, FORMAT_HTML };

struct choice {
    struct sv name;
    int value;
};
#define CHOICE(name, value)                                                                        \
    {                                                                                              \
        {"" name, sizeof(name) - 1}, value                                                         \
    }

static const struct choice formats[] = {
    CHOICE("", FORMAT_TEXT),     CHOICE("text", FORMAT_TEXT),
    CHOICE("json", FORMAT_JSON), CHOICE("prometheus", FORMAT_PROMETHEUS),
    CHOICE("html", FORMAT_HTML), CHOICE("active-html", FORMAT_HTML),
};

enum { BUCKETS_NATIVE = 100 }; /* only in Prometheus' protobuf form, which is not served */

static const struct choice buckets[] = {
    CHOICE("", STAT_BUCKETS_DEFAULT),
    CHOICE("summary", STAT_BUCKETS_SUMMARY),
    CHOICE("cumulative", STAT_BUCKETS_CUMULATIVE),
    CHOICE("disjoint", STAT_BUCKETS_DISJOINT),
    CHOICE("detailed", STAT_BUCKETS_DETAILED),
    CHOICE("prometheusnative", BUCKETS_NATIVE),
};

static const struct choice types[] = {
    CHOICE("", 0),
    CHOICE("All", 0),
    CHOICE("Counters", 1 << STAT_COUNTER),
    CHOICE("Gauges", 1 << STAT_GAUGE),
    CHOICE("Histograms", 1 << STAT_HISTOGRAM),
    CHOICE("TextReadouts", 1 << STAT_TEXT),
};

static bool choose(const struct admin_request *rq, const char *param, const struct choice *list,
                   size_t n, int *out)
{
    struct sv value = admin_query(rq, param);
    for (size_t i = 0; i < n; i++) {
        if (sv_eq(value, list[i].name)) {
            *out = list[i].value;
            return true;
        }
    }
    return false;
}

/* False: refused, re says why. */
static bool read_buckets(const struct admin_request *rq, bool prometheus, struct stats_query *q,
                         struct admin_reply *re)
{
    int mode;
    if (!choose(rq, "histogram_buckets", buckets, ARRAY_LEN(buckets), &mode)) {
        admin_refuse(
            re, 400,
            "usage: "
            "/stats?histogram_buckets=(cumulative|disjoint|detailed|summary|prometheusnative)\n\n");
        return false;
    }
    if (prometheus && mode == BUCKETS_NATIVE) {
        admin_refuse(re, 400,
                     "unsupported prometheusnative histogram type when not using protobuf "
                     "exposition format");
        return false;
    }
    if (mode == BUCKETS_NATIVE) {
        admin_refuse(re, 400, "Invalid histogram_buckets type for non prometheus stats type");
        return false;
    }
    if (prometheus && (mode == STAT_BUCKETS_DISJOINT || mode == STAT_BUCKETS_DETAILED)) {
        admin_refuse(re, 400, "unsupported prometheus histogram bucket mode");
        return false;
    }
    q->buckets = (enum stat_buckets)mode;
    return true;
}

/* False: refused. *take_filter is the caller's, also when it is refused later. */
static bool read_filter(const struct admin_request *rq, struct stats_query *q,
                        struct text_match **take_filter, struct admin_reply *re)
{
    struct sv pattern = admin_query(rq, "filter");
    struct diag d = {0};

    q->invert = admin_query_has(rq, "invert_filter");
    if (q->invert && pattern.n == 0) {
        admin_refuse(re, 400, "invert_filter can only be used if filter is also provided");
        return false;
    }
    if (pattern.n == 0)
        return true;
    enum err e = text_match_new(pattern, false, take_filter, &d);
    if (e == E_PARSE)
        admin_refuse(re, 400, "Invalid re2 regex: %s", d.msg);
    else
        admin_check(re, e, &d);
    q->filter = *take_filter;
    return e == OK;
}

static enum err render_html(struct stats *s, const struct stats_query *q, struct str *out)
{
    struct str text;
    str_init(&text, 0);
    enum err e = stats_render_text(s, q, &text);
    html_begin(out);
    str_add(out, SV("<pre>"));
    html_escape(out, str_sv(&text));
    str_add(out, SV("</pre>\n"));
    html_end(out);
    str_fini(&text);
    return e;
}

static enum err render(struct stats *s, enum format form, const struct stats_query *q,
                       struct admin_reply *re)
{
    switch (form) {
    case FORMAT_JSON:
        re->content_type = ADMIN_JSON;
        return stats_render_json(s, q, &re->body);
    case FORMAT_PROMETHEUS:
        return stats_render_prometheus(s, q, &re->body);
    case FORMAT_HTML:
        re->content_type = ADMIN_HTML;
        return render_html(s, q, &re->body);
    case FORMAT_TEXT:
        break;
    }
    return stats_render_text(s, q, &re->body);
}

static void run(struct admin *a, const struct admin_request *rq, enum format form,
                struct admin_reply *re)
{
    struct stats_query q = {.used_only = admin_query_has(rq, "usedonly"),
                            .text_readouts = admin_query_has(rq, "text_readouts")};
    struct text_match *filter = NULL;
    int kinds = 0;
    bool prometheus = form == FORMAT_PROMETHEUS;

    if (!prometheus && !choose(rq, "type", types, ARRAY_LEN(types), &kinds)) {
        admin_refuse(re, 400, "invalid &type= param");
        return;
    }
    q.kinds = (unsigned)kinds;
    if (read_buckets(rq, prometheus, &q, re) && read_filter(rq, &q, &filter, re)) {
        if (a->deps.refresh != NULL)
            a->deps.refresh(a->deps.arg);
        admin_check(re, render(a->deps.stats, form, &q, re), NULL);
    }
    text_match_free(&filter);
}

void admin_run_stats(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    int form;
    if (!choose(rq, "format", formats, ARRAY_LEN(formats), &form))
        admin_refuse(re, 400, "usage: /stats?format=(html|active-html|json|prometheus|text)\n\n");
    else
        run(a, rq, (enum format)form, re);
}

void admin_run_prometheus(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    run(a, rq, FORMAT_PROMETHEUS, re);
}
