#pragma once
/* A data plane of one worker inside a test: the worker's loop is main's too, time stands still
 * until told, and the process behind proxy/server.h is made up. */
#include "proxy/server.h"
#include "proxy/upstream/cluster.h"
#include "tests/support/t.h"

struct plane {
    struct fake_clock clock;
    struct stats *stats;
    struct worker w;
    uint64_t connection_ids;
};
extern struct plane plane;

MUST bool plane_open(void);
/* The lease, if any, is given up first. */
void plane_close(void);
/* Runs what is ready, until nothing is. */
void plane_run(void);
/* Waits for the next event; false when none came for 10 s. */
bool plane_wait(void);
/* Moves the clock on and fires what is due. */
void plane_advance(uint64_t ms);
/* A counter or gauge by its name; 0 when there is none. */
uint64_t plane_stat(const char *name);
/* Makes a generation with one cluster, or none, the worker's. */
MUST bool plane_publish(const struct m_cluster *m);
/* The same; the worker's side of the cluster, or NULL. */
struct wcluster *plane_cluster(const struct m_cluster *m);
