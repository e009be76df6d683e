/* /stats?format=json, compact as Envoy's; see render.h. */
#include "proxy/observe/number.h"
#include "proxy/observe/render.h"
#include "proxy/observe/stats_int.h"
#include <inttypes.h>
#include <math.h>

static void add_number(struct str *out, double v)
{
    char text[NUMBER_TEXT_MAX];
    if (isnan(v))
        str_add(out, SV("null"));
    else
        str_add(out, sv_of(text, number_short(v, text)));
}

static void add_named(struct str *out, const struct stat_entry *e)
{
    str_add(out, SV("{\"name\":"));
    str_add_json(out, stat_name(e));
}

/* [{"cumulative":1,"interval":null}, ...] */
static void add_quantiles(struct str *out, const struct stat_entry *e)
{
    double now[HIST_QUANTILES], all[HIST_QUANTILES];

    histogram_estimate(stat_interval(e), hist_quantiles, HIST_QUANTILES, now);
    histogram_estimate(stat_cumulative(e), hist_quantiles, HIST_QUANTILES, all);
    str_addc(out, '[');
    for (unsigned i = 0; i < HIST_QUANTILES; i++) {
        str_add(out, i > 0 ? SV(",{\"cumulative\":") : SV("{\"cumulative\":"));
        add_number(out, all[i]);
        str_add(out, SV(",\"interval\":"));
        add_number(out, now[i]);
        str_addc(out, '}');
    }
    str_addc(out, ']');
}

static void add_buckets(struct str *out, const struct stat_entry *e, bool disjoint)
{
    uint64_t now[HIST_BUCKETS], all[HIST_BUCKETS];

    stat_buckets_count(stat_interval(e), disjoint, now);
    stat_buckets_count(stat_cumulative(e), disjoint, all);
    add_named(out, e);
    str_add(out, SV(",\"buckets\":["));
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        str_add(out, i > 0 ? SV(",{\"upper_bound\":") : SV("{\"upper_bound\":"));
        add_number(out, hist_bucket_bounds[i]);
        str_addf(out, ",\"interval\":%" PRIu64 ",\"cumulative\":%" PRIu64 "}", now[i], all[i]);
    }
    str_add(out, SV("]}"));
}

static void add_bins(struct str *out, const char *title, const struct histogram *h)
{
    struct hist_bin b;
    const char *comma = "";

    str_addf(out, ",\"%s\":[", title);
    for (unsigned at = 0; histogram_next(h, &at, &b); comma = ",") {
        str_addf(out, "%s{\"lower_bound\":", comma);
        add_number(out, b.left);
        str_add(out, SV(",\"width\":"));
        add_number(out, b.width);
        str_addf(out, ",\"count\":%" PRIu64 "}", b.count);
    }
    str_addc(out, ']');
}

static void add_histogram(struct str *out, const struct stat_entry *e, enum stat_buckets mode)
{
    if (mode == STAT_BUCKETS_CUMULATIVE || mode == STAT_BUCKETS_DISJOINT) {
        add_buckets(out, e, mode == STAT_BUCKETS_DISJOINT);
        return;
    }
    add_named(out, e);
    if (mode == STAT_BUCKETS_DETAILED) {
        add_bins(out, "totals", stat_cumulative(e));
        add_bins(out, "intervals", stat_interval(e));
        str_add(out, SV(",\"percentiles\":"));
    } else {
        str_add(out, SV(",\"values\":"));
    }
    add_quantiles(out, e);
    str_addc(out, '}');
}

/* What stands before the first histogram and behind the last. */
static void open_histograms(struct str *out, enum stat_buckets mode)
{
    if (mode == STAT_BUCKETS_CUMULATIVE || mode == STAT_BUCKETS_DISJOINT) {
        str_add(out, SV("{\"histograms\":["));
        return;
    }
    bool detailed = mode == STAT_BUCKETS_DETAILED;
    str_addf(out, "{\"histograms\":{\"supported_%s\":[", detailed ? "percentiles" : "quantiles");
    for (unsigned i = 0; i < HIST_QUANTILES; i++)
        str_addf(out, "%s%g", i > 0 ? "," : "", 100 * hist_quantiles[i]);
    str_add(out, detailed ? SV("],\"details\":[") : SV("],\"computed_quantiles\":["));
}

static void close_histograms(struct str *out, enum stat_buckets mode)
{
    bool flat = mode == STAT_BUCKETS_CUMULATIVE || mode == STAT_BUCKETS_DISJOINT;
    str_add(out, flat ? SV("]}") : SV("]}}"));
}

static void add_value(struct stats *s, const struct stat_entry *e, struct str *out)
{
    add_named(out, e);
    str_add(out, SV(",\"value\":"));
    if (e->kind == STAT_TEXT)
        str_add_json(out, sv_of(e->text, e->text_n));
    else
        str_addf(out, "%" PRIu64, stat_entry_value(s, e));
    str_addc(out, '}');
}

enum err stats_render_json(struct stats *s, const struct stats_query *q, struct str *out)
{
    bool histograms = false;
    const char *comma = "";

    TRY(stats_sort(s));
    str_add(out, SV("{\"stats\":["));
    for (size_t i = 0; i < s->n_sorted; i++) {
        const struct stat_entry *e = s->sorted[i];
        if (!stat_selected(s, q, e))
            continue;
        str_add(out, sv_str(comma));
        comma = ",";
        if (e->kind != STAT_HISTOGRAM) {
            add_value(s, e, out);
            continue;
        }
        if (!histograms)
            open_histograms(out, q->buckets);
        histograms = true;
        add_histogram(out, e, q->buckets);
    }
    if (histograms)
        close_histograms(out, q->buckets);
    str_add(out, SV("]}"));
    return str_status(out);
}
