/* /stats as text; see render.h. */
#include "proxy/observe/number.h"
#include "proxy/observe/render.h"
#include "proxy/observe/stats_int.h"
#include <inttypes.h>

static void add_plain(struct str *out, double v)
{
    char text[NUMBER_TEXT_MAX];
    str_add(out, sv_of(text, number_plain(v, text)));
}

/* P0(interval,cumulative) P25(...) ... */
static void add_quantiles(struct str *out, const struct stat_entry *e)
{
    double now[HIST_QUANTILES], all[HIST_QUANTILES];

    histogram_estimate(stat_interval(e), hist_quantiles, HIST_QUANTILES, now);
    histogram_estimate(stat_cumulative(e), hist_quantiles, HIST_QUANTILES, all);
    for (unsigned i = 0; i < HIST_QUANTILES; i++) {
        str_addf(out, "%sP%g(", i > 0 ? " " : "", 100 * hist_quantiles[i]);
        add_plain(out, now[i]);
        str_addc(out, ',');
        add_plain(out, all[i]);
        str_addc(out, ')');
    }
}

/* B0.5(interval,cumulative) B1(...) ... */
static void add_buckets(struct str *out, const struct stat_entry *e, bool disjoint)
{
    uint64_t now[HIST_BUCKETS], all[HIST_BUCKETS];

    stat_buckets_count(stat_interval(e), disjoint, now);
    stat_buckets_count(stat_cumulative(e), disjoint, all);
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        str_addf(out, "%sB%g(%" PRIu64 ",%" PRIu64 ")", i > 0 ? " " : "", hist_bucket_bounds[i],
                 now[i], all[i]);
    }
}

/* left,width:count, ... */
static void add_bins(struct str *out, const char *title, const struct histogram *h)
{
    struct hist_bin b;
    const char *comma = "";

    str_addf(out, "\n  %s=", title);
    for (unsigned at = 0; histogram_next(h, &at, &b); comma = ", ")
        str_addf(out, "%s%g,%g:%" PRIu64, comma, b.left, b.width, b.count);
}

static void add_histogram(struct str *out, const struct stat_entry *e, enum stat_buckets mode)
{
    str_add(out, stat_name(e));
    if (e->cumulative == NULL) {
        str_add(out, SV(": No recorded values\n"));
        return;
    }
    str_addc(out, ':');
    if (mode == STAT_BUCKETS_DETAILED) {
        add_bins(out, "totals", stat_cumulative(e));
        add_bins(out, "intervals", stat_interval(e));
        str_add(out, SV("\n  summary="));
        add_quantiles(out, e);
    } else {
        str_addc(out, ' ');
        if (mode == STAT_BUCKETS_CUMULATIVE || mode == STAT_BUCKETS_DISJOINT)
            add_buckets(out, e, mode == STAT_BUCKETS_DISJOINT);
        else
            add_quantiles(out, e);
    }
    str_addc(out, '\n');
}

static void add_entry(struct stats *s, const struct stats_query *q, const struct stat_entry *e,
                      struct str *out)
{
    if (e->kind == STAT_HISTOGRAM) {
        add_histogram(out, e, q->buckets);
        return;
    }
    str_add(out, stat_name(e));
    if (e->kind == STAT_TEXT) {
        str_add(out, SV(": \""));
        str_add(out, sv_of(e->text, e->text_n));
        str_add(out, SV("\"\n"));
        return;
    }
    str_addf(out, ": %" PRIu64 "\n", stat_entry_value(s, e));
}

enum err stats_render_text(struct stats *s, const struct stats_query *q, struct str *out)
{
    TRY(stats_sort(s));
    for (size_t i = 0; i < s->n_sorted; i++) {
        if (stat_selected(s, q, s->sorted[i]))
            add_entry(s, q, s->sorted[i], out);
    }
    return str_status(out);
}
