#pragma once
/* Renders the registry as Envoy's /stats pages do: text, JSON and the Prometheus exposition format.
 * Histograms show what the last stats_flush merged. Main thread. */
#include "base/str.h"
#include "proxy/observe/stats.h"
#include "proxy/observe/text_match.h"

enum stat_buckets {
    STAT_BUCKETS_DEFAULT, /* quantiles in text and JSON, cumulative buckets for Prometheus */
    STAT_BUCKETS_SUMMARY,
    STAT_BUCKETS_CUMULATIVE,
    STAT_BUCKETS_DISJOINT, /* this and the next: not for Prometheus */
    STAT_BUCKETS_DETAILED,
};

struct stats_query {
    const struct text_match *filter; /* of names; NULL: all */
    bool invert;                     /* those the filter does not match */
    bool used_only;
    bool text_readouts; /* Prometheus: as gauges of value 0 */
    unsigned kinds;     /* 1 << enum stat_kind; 0: all. Not for Prometheus */
    enum stat_buckets buckets;
};

/* Each appends to out. E_NOMEM, or E_LIMIT at the cap of out. */
MUST enum err stats_render_text(struct stats *s, const struct stats_query *q, struct str *out);
MUST enum err stats_render_json(struct stats *s, const struct stats_query *q, struct str *out);
MUST enum err stats_render_prometheus(struct stats *s, const struct stats_query *q,
                                      struct str *out);
