/* What the three renderers share; see render.h and stats_int.h. */
#include "proxy/observe/render.h"
#include "proxy/observe/stats_int.h"

static const struct histogram empty;

bool stat_selected(const struct stats *s, const struct stats_query *q, const struct stat_entry *e)
{
    if (q->kinds != 0 && ((q->kinds >> e->kind) & 1) == 0)
        return false;
    if (q->filter != NULL && text_match_is(q->filter, stat_name(e)) == q->invert)
        return false;
    return !q->used_only || stat_is_used(s, e);
}

const struct histogram *stat_cumulative(const struct stat_entry *e)
{
    return e->cumulative != NULL ? e->cumulative : &empty;
}

const struct histogram *stat_interval(const struct stat_entry *e)
{
    return e->interval != NULL ? e->interval : &empty;
}

void stat_buckets_count(const struct histogram *h, bool disjoint, uint64_t out[HIST_BUCKETS])
{
    uint64_t before = 0;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        uint64_t to = histogram_count_to(h, hist_bucket_bounds[i]);
        out[i] = disjoint ? to - before : to;
        before = to;
    }
}
