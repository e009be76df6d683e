#pragma once
/* What the two forms of /clusters share. */
#include "proxy/admin/admin_int.h"
#include "proxy/observe/text_match.h"

enum { ADMIN_HOST_NUMBERS = 9 };

/* The counters and gauges of a host, sorted by name. */
struct admin_host_number {
    const char *name;
    size_t at; /* offset in struct admin_host */
    bool gauge;
};
extern const struct admin_host_number admin_host_numbers[ADMIN_HOST_NUMBERS];

static inline uint64_t admin_host_number(const struct admin_host *h,
                                         const struct admin_host_number *n)
{
    return *(const uint64_t *)(const void *)((const char *)h + n->at);
}

/* envoy.admin.v3.Clusters of those whose name matches (filter NULL: all). */
void admin_clusters_json(struct admin *a, const struct text_match *filter, struct arena *arena,
                         struct admin_reply *re);
