/* /stats/prometheus; see render.h. Series of one metric stand together; metrics and series are
 * ordered by name, token by token, counters before gauges before histograms, as Envoy orders them.
 */
#include "base/map.h"
#include "proxy/observe/number.h"
#include "proxy/observe/render.h"
#include "proxy/observe/stats_int.h"
#include <inttypes.h>
#include <stdlib.h>

struct page {
    struct stats *stats;
    const struct stats_query *query;
    struct str *out;
    struct str metric;  /* name of the metric being written */
    struct str labels;  /* those of the series being written */
    struct map *titled; /* metrics that have their TYPE line */
};

/* A dot sorts before every other character, so that the order is that of token lists. */
static int by_tokens(struct sv a, struct sv b)
{
    for (size_t i = 0; i < a.n && i < b.n; i++) {
        if (a.p[i] == b.p[i])
            continue;
        int x = a.p[i] == '.' ? -1 : (unsigned char)a.p[i],
            y = b.p[i] == '.' ? -1 : (unsigned char)b.p[i];
        return x - y;
    }
    return a.n < b.n ? -1 : a.n > b.n;
}

static int by_metric(const void *a, const void *b)
{
    const struct stat_entry *x = *(struct stat_entry *const *)a,
                            *y = *(struct stat_entry *const *)b;
    int order = by_tokens(x->tags->name, y->tags->name);
    return order != 0 ? order : by_tokens(stat_name(x), stat_name(y));
}

static void add_clean(struct str *out, struct sv name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i], lower = ascii_lower(c);
        bool word = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_';
        str_addc(out, word ? c : '_');
    }
}

static void add_label(struct str *out, struct sv name, struct sv value)
{
    if (out->n > 0)
        str_addc(out, ',');
    add_clean(out, name);
    str_add(out, SV("=\""));
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (c == '"' || c == '\\')
            str_addc(out, '\\');
        if (c == '\n')
            str_add(out, SV("\\n"));
        else
            str_addc(out, c);
    }
    str_addc(out, '"');
}

static void add_precise(struct str *out, double v)
{
    str_addf(out, "%.32g\n", v);
}

/* metric<suffix>{labels[,extra="number"]} */
static void add_series(struct page *p, const char *suffix, const char *extra, const char *number)
{
    str_addf(p->out, "%.*s%s{%.*s", SVF(str_sv(&p->metric)), suffix, SVF(str_sv(&p->labels)));
    if (extra != NULL)
        str_addf(p->out, "%s%s=\"%s\"", p->labels.n > 0 ? "," : "", extra, number);
    str_add(p->out, SV("} "));
}

static void add_tail(struct page *p, const struct histogram *h)
{
    add_series(p, "_sum", NULL, NULL);
    add_precise(p->out, histogram_sum(h));
    add_series(p, "_count", NULL, NULL);
    str_addf(p->out, "%" PRIu64 "\n", histogram_count(h));
}

static void add_histogram(struct page *p, const struct stat_entry *e)
{
    uint64_t counts[HIST_BUCKETS];
    char bound[NUMBER_TEXT_MAX];
    const struct histogram *h = stat_cumulative(e);

    stat_buckets_count(h, false, counts);
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        number_plain(hist_bucket_bounds[i], bound);
        add_series(p, "_bucket", "le", bound);
        str_addf(p->out, "%" PRIu64 "\n", counts[i]);
    }
    add_series(p, "_bucket", "le", "+Inf");
    str_addf(p->out, "%" PRIu64 "\n", histogram_count(h));
    add_tail(p, h);
}

/* Envoy's summaries are those of the interval. */
static void add_summary(struct page *p, const struct stat_entry *e)
{
    double values[HIST_QUANTILES];
    char quantile[NUMBER_TEXT_MAX];
    const struct histogram *h = stat_interval(e);

    histogram_estimate(h, hist_quantiles, HIST_QUANTILES, values);
    for (unsigned i = 0; i < HIST_QUANTILES; i++) {
        number_plain(hist_quantiles[i], quantile);
        add_series(p, "", "quantile", quantile);
        add_precise(p->out, values[i]);
    }
    add_tail(p, h);
}

static void add_entry(struct page *p, const struct stat_entry *e)
{
    str_clear(&p->labels);
    for (size_t i = 0; i < e->tags->n; i++)
        add_label(&p->labels, e->tags->tag[i].name, e->tags->tag[i].value);
    if (e->kind == STAT_TEXT)
        add_label(&p->labels, SV("text_value"), sv_of(e->text, e->text_n));
    if (e->kind == STAT_HISTOGRAM) {
        if (p->query->buckets == STAT_BUCKETS_SUMMARY)
            add_summary(p, e);
        else
            add_histogram(p, e);
        return;
    }
    add_series(p, "", NULL, NULL);
    str_addf(p->out, "%" PRIu64 "\n", e->kind == STAT_TEXT ? 0 : stat_entry_value(p->stats, e));
}

static const char *type_name(const struct page *p, enum stat_kind kind)
{
    if (kind == STAT_COUNTER)
        return "counter";
    if (kind == STAT_HISTOGRAM)
        return p->query->buckets == STAT_BUCKETS_SUMMARY ? "summary" : "histogram";
    return "gauge";
}

/* Names that differ before cleaning only get one TYPE line: readers of the format refuse a second.
 */
static enum err add_title(struct page *p, const struct stat_entry *e)
{
    str_clear(&p->metric);
    str_add(&p->metric, SV("envoy_"));
    add_clean(&p->metric, e->tags->name);
    enum err err = map_add(p->titled, str_sv(&p->metric), p);
    if (err == OK)
        str_addf(p->out, "# TYPE %.*s %s\n", SVF(str_sv(&p->metric)),
                 type_name(p, (enum stat_kind)e->kind));
    return err == E_CONFLICT ? OK : err;
}

static enum err add_kind(struct page *p, enum stat_kind kind, struct stat_entry **list)
{
    size_t n = 0;

    for (size_t i = 0; i < p->stats->n_sorted; i++) {
        struct stat_entry *e = p->stats->sorted[i];
        if (e->kind != kind || !stat_selected(p->stats, p->query, e))
            continue;
        TRY(stat_tag_entry(p->stats, e));
        list[n++] = e;
    }
    qsort(list, n, sizeof(struct stat_entry *), by_metric);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !sv_eq(list[i]->tags->name, list[i - 1]->tags->name))
            TRY(add_title(p, list[i]));
        add_entry(p, list[i]);
    }
    TRY(str_status(&p->metric));
    return str_status(&p->labels);
}

enum err stats_render_prometheus(struct stats *s, const struct stats_query *q, struct str *out)
{
    static const enum stat_kind order[] = {STAT_COUNTER, STAT_GAUGE, STAT_TEXT, STAT_HISTOGRAM};

    TRY(stats_sort(s));
    struct page p = {.stats = s, .query = q, .out = out, .titled = map_new()};
    struct stat_entry **list = calloc(s->n_sorted + 1, sizeof(struct stat_entry *));
    enum err err = list == NULL || p.titled == NULL ? E_NOMEM : OK;
    str_init(&p.metric, 0);
    str_init(&p.labels, 0);
    for (unsigned i = 0; err == OK && i < ARRAY_LEN(order); i++) {
        if (order[i] != STAT_TEXT || q->text_readouts)
            err = add_kind(&p, order[i], list);
    }
    str_fini(&p.metric);
    str_fini(&p.labels);
    map_free(&p.titled);
    free(list);
    return err != OK ? err : str_status(out);
}
