/* Statistics of the process itself: server.*, cluster_manager.*, listener_manager.*. Main thread.
 */
#include "base/clock.h"
#include "proxy/options.h"
#include "proxy/server_int.h"
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct row {
    const char *name;
    bool gauge;
    size_t at; /* offset in struct server_stats, or SIZE_MAX: nothing counts it here */
};
#define AT(field) offsetof(struct server_stats, field)

static const struct row rows[] = {
    {"server.uptime",                                 true,  AT(uptime)                 },
    {"server.live",                                   true,  AT(live)                   },
    {"server.state",                                  true,  AT(state)                  },
    {"server.concurrency",                            true,  AT(concurrency)            },
    {"server.memory_allocated",                       true,  AT(memory_allocated)       },
    {"server.memory_heap_size",                       true,  AT(memory_heap_size)       },
    {"server.memory_physical_size",                   true,  AT(memory_physical_size)   },
    {"server.total_connections",                      true,  AT(total_connections)      },
    {"server.parent_connections",                     true,  AT(parent_connections)     },
    {"server.version",                                true,  AT(version)                },
    {"server.hot_restart_epoch",                      true,  AT(hot_restart_epoch)      },
    {"server.days_until_first_cert_expiring",         true,  AT(days_until_cert)        },
    {"cluster_manager.active_clusters",               true,  AT(active_clusters)        },
    {"cluster_manager.warming_clusters",              true,  AT(warming_clusters)       },
    {"cluster_manager.cluster_added",                 false, AT(cluster_added)          },
    {"listener_manager.total_listeners_active",       true,  AT(listeners_active)       },
    {"listener_manager.listener_added",               false, AT(listener_added)         },
    {"listener_manager.listener_create_success",      false, AT(listener_create_success)},
    {"listener_manager.workers_started",              true,  AT(workers_started)        },
    {"listener_manager.total_listeners_draining",     true,  SIZE_MAX                   },
    {"listener_manager.total_listeners_warming",      true,  SIZE_MAX                   },
    {"listener_manager.total_filter_chains_draining", true,  SIZE_MAX                   },
    {"listener_manager.listener_create_failure",      false, SIZE_MAX                   },
    {"listener_manager.listener_modified",            false, SIZE_MAX                   },
    {"listener_manager.listener_removed",             false, SIZE_MAX                   },
    {"listener_manager.listener_stopped",             false, SIZE_MAX                   },
    {"listener_manager.listener_in_place_updated",    false, SIZE_MAX                   },
    {"cluster_manager.cluster_modified",              false, SIZE_MAX                   },
    {"cluster_manager.cluster_removed",               false, SIZE_MAX                   },
    {"cluster_manager.cluster_updated",               false, SIZE_MAX                   },
};

enum err server_stats_register(struct server *s)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        stat_id id;
        struct sv name = sv_str(rows[i].name);
        TRY(rows[i].gauge ? stats_gauge(s->stats, name, &id) : stats_counter(s->stats, name, &id));
        if (rows[i].at != SIZE_MAX)
            *(stat_id *)(void *)((char *)&s->st + rows[i].at) = id;
    }
    stats_gauge_set(s->stats, s->st.concurrency, s->n_workers);
    stats_gauge_set(s->stats, s->st.days_until_cert, UINT32_MAX);
    stats_gauge_set(s->stats, s->st.state, SERVER_PRE_INITIALIZING);
    return stats_histogram(s->stats, SV("server.initialization_time_ms"), STAT_UNIT_MS,
                           &s->st.initialization_time_ms);
}

/* Resident pages, from /proc; 0 when it cannot be read. */
static uint64_t resident_bytes(void)
{
    unsigned long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f == NULL)
        return 0;
    int n = fscanf(f, "%lu %lu", &size, &resident);
    fclose(f);
    return n == 2 ? (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

void server_stats_refresh(struct server *s)
{
    struct mallinfo2 m = mallinfo2();
    uint64_t now_us = clock_mono_us(clock_system());
    uint64_t connections = 0;
    for (size_t i = 0; i < s->n_listeners; i++)
        connections += stats_value(s->stats, s->listeners[i]->st.downstream_cx_active);
    stats_gauge_set(s->stats, s->st.uptime, (now_us - s->started_us) / 1000000);
    stats_gauge_set(s->stats, s->st.live, s->state == SERVER_LIVE && !s->health_failed);
    stats_gauge_set(s->stats, s->st.memory_allocated, m.uordblks + m.hblkhd);
    stats_gauge_set(s->stats, s->st.memory_heap_size, m.arena + m.hblkhd);
    stats_gauge_set(s->stats, s->st.memory_physical_size, resident_bytes());
    stats_gauge_set(s->stats, s->st.total_connections, connections);
    for (size_t i = 0; s->gen != NULL && i < s->gen->n_clusters; i++)
        cluster_refresh_gauges(s->gen->clusters[i]);
}
