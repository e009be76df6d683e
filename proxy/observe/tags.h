#pragma once
/* Tag extraction: which parts of a dotted statistic name are values of Envoy's default tags, and
 * what is left of the name without them. Prometheus shows tags as labels. Pure; any thread.
 *
 *   cluster.a.upstream_rq_200 -> cluster.upstream_rq {envoy.response_code 200, envoy.cluster_name
 * a} */
#include "base/arena.h"

enum { STAT_TAGS_MAX = 8, STAT_TAGS_FIXED_MAX = 64 };

struct stat_tag {
    struct sv name, value;
};

struct stat_tags {
    struct sv name; /* without the tag values */
    size_t n;
    struct stat_tag tag[];
};

/* *out lies in a; tag values are views into name, which must live as long, as must the fixed tags.
 * Tags come in Envoy's order, fixed ones in the middle. E_NOMEM. */
MUST enum err tags_extract(struct sv keep_name, const struct stat_tag *fixed, size_t n_fixed,
                           struct arena *a, const struct stat_tags **out);
