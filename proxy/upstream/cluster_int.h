#pragma once
/* Shared by the files of proxy/upstream only. */
#include "proxy/upstream/cluster.h"

MUST enum err cluster_stats_register(struct cluster *c);

/* ORIGINAL_DST (original_dst.c). */
struct host *original_dst_pick(struct wcluster *wc, const struct addr *dst);
void original_dst_fini(struct wcluster *wc);
MUST enum err original_dst_init(struct wcluster *wc);

/* STRICT_DNS (dns_cluster.c), main only. */
MUST enum err dns_cluster_start(struct cluster *c, void (*on_ready)(void *), void *arg);
void dns_cluster_free(struct dns_cluster **d);

/* Main's list of the ORIGINAL_DST hosts that workers reported. */
void dst_reports_free(struct cluster *c);
void dst_reports_each(const struct cluster *c, void (*fn)(const struct host *, void *), void *arg);
