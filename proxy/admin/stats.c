/* What the admin listener counts of itself, under Envoy's names. */
#include "proxy/admin/admin_int.h"

struct row {
    const char *name;
    bool gauge;
    size_t at; /* offset in struct admin_stats */
};
#define AT(field) offsetof(struct admin_stats, field)

static const struct row rows[] = {
    {"http.admin.downstream_cx_total",                    false, AT(cx_total)           },
    {"http.admin.downstream_cx_active",                   true,  AT(cx_active)          },
    {"http.admin.downstream_cx_destroy",                  false, AT(cx_destroy)         },
    {"http.admin.downstream_cx_http1_total",              false, AT(http1_total)        },
    {"http.admin.downstream_cx_http1_active",             true,  AT(http1_active)       },
    {"http.admin.downstream_cx_protocol_error",           false, AT(protocol_error)     },
    {"http.admin.downstream_cx_rx_bytes_total",           false, AT(rx_bytes)           },
    {"http.admin.downstream_cx_tx_bytes_total",           false, AT(tx_bytes)           },
    {"http.admin.downstream_rq_total",                    false, AT(rq_total)           },
    {"http.admin.downstream_rq_http1_total",              false, AT(rq_http1_total)     },
    {"http.admin.downstream_rq_active",                   true,  AT(rq_active)          },
    {"http.admin.downstream_rq_completed",                false, AT(rq_completed)       },
    {"http.admin.downstream_rq_1xx",                      false, AT(rq_class[1])        },
    {"http.admin.downstream_rq_2xx",                      false, AT(rq_class[2])        },
    {"http.admin.downstream_rq_3xx",                      false, AT(rq_class[3])        },
    {"http.admin.downstream_rq_4xx",                      false, AT(rq_class[4])        },
    {"http.admin.downstream_rq_5xx",                      false, AT(rq_class[5])        },
    {"listener.admin.downstream_cx_total",                false, AT(listener_cx_total)  },
    {"listener.admin.downstream_cx_active",               true,  AT(listener_cx_active) },
    {"listener.admin.downstream_cx_destroy",              false, AT(listener_cx_destroy)},
    {"listener.admin.http.admin.downstream_rq_completed", false, AT(listener_completed) },
    {"listener.admin.http.admin.downstream_rq_1xx",       false, AT(listener_class[1])  },
    {"listener.admin.http.admin.downstream_rq_2xx",       false, AT(listener_class[2])  },
    {"listener.admin.http.admin.downstream_rq_3xx",       false, AT(listener_class[3])  },
    {"listener.admin.http.admin.downstream_rq_4xx",       false, AT(listener_class[4])  },
    {"listener.admin.http.admin.downstream_rq_5xx",       false, AT(listener_class[5])  },
};

enum err admin_stats_register(struct admin *a)
{
    struct stats *s = a->deps.stats;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        stat_id *id = (stat_id *)(void *)((char *)&a->st + rows[i].at);
        struct sv name = sv_str(rows[i].name);
        TRY(rows[i].gauge ? stats_gauge(s, name, id) : stats_counter(s, name, id));
    }
    TRY(stats_histogram(s, SV("http.admin.downstream_cx_length_ms"), STAT_UNIT_MS,
                        &a->st.cx_length_ms));
    TRY(stats_histogram(s, SV("listener.admin.downstream_cx_length_ms"), STAT_UNIT_MS,
                        &a->st.listener_cx_length_ms));
    return stats_histogram(s, SV("http.admin.downstream_rq_time"), STAT_UNIT_MS, &a->st.rq_time);
}

void admin_stats_opened(struct admin *a)
{
    struct stat_shard *sh = stats_shard(a->deps.stats, 0);
    stat_inc(sh, a->st.cx_total);
    stat_inc(sh, a->st.cx_active);
    stat_inc(sh, a->st.http1_total);
    stat_inc(sh, a->st.http1_active);
    stat_inc(sh, a->st.listener_cx_total);
    stat_inc(sh, a->st.listener_cx_active);
}

void admin_stats_closed(struct admin *a, uint64_t open_ms)
{
    struct stat_shard *sh = stats_shard(a->deps.stats, 0);
    stat_dec(sh, a->st.cx_active);
    stat_dec(sh, a->st.http1_active);
    stat_inc(sh, a->st.cx_destroy);
    stat_dec(sh, a->st.listener_cx_active);
    stat_inc(sh, a->st.listener_cx_destroy);
    stat_record(sh, a->st.cx_length_ms, open_ms);
    stat_record(sh, a->st.listener_cx_length_ms, open_ms);
}

void admin_stats_request(struct admin *a)
{
    struct stat_shard *sh = stats_shard(a->deps.stats, 0);
    stat_inc(sh, a->st.rq_total);
    stat_inc(sh, a->st.rq_http1_total);
    stat_inc(sh, a->st.rq_active);
}

void admin_stats_answered(struct admin *a, unsigned code, uint64_t took_ms)
{
    struct stat_shard *sh = stats_shard(a->deps.stats, 0);
    unsigned class = code / 100;
    stat_dec(sh, a->st.rq_active);
    stat_inc(sh, a->st.rq_completed);
    stat_inc(sh, a->st.listener_completed);
    if (class >= 1 && class <= 5) {
        stat_inc(sh, a->st.rq_class[class]);
        stat_inc(sh, a->st.listener_class[class]);
    }
    stat_record(sh, a->st.rq_time, took_ms);
}
