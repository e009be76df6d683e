/* Clusters: hosts and what is told of them, picking, circuit breakers, counted codes. */
#include "proxy/upstream/cluster.h"
#include "tests/support/t.h"
#include "tests/unit/proxy/plane.h"

static const struct m_locality nowhere;
static const struct m_endpoint endpoints[] = {
    {.address = {.host = {"10.0.0.1", 8}, .port = 80}, .weight = 1, .locality = &nowhere},
    {.address = {.host = {"10.0.0.2", 8}, .port = 80}, .weight = 3, .locality = &nowhere},
};
static const struct m_cluster model = {
    .name = {"c",                                                                  1},
    .stat_name = {"s",                                                                  1},
    .thresholds = {{.max_connections = 1, .max_pending_requests = 2, .max_requests = 3},
             {.max_connections = 4, .max_pending_requests = 0, .max_requests = 1}   },
    .endpoints = endpoints,
    .n_endpoints = 2,
};

/* ---- hosts ---- */

T(cluster, static_hosts)
{
    T_ASSERT(plane_open());
    struct wcluster *wc = plane_cluster(&model);
    T_ASSERT(wc != NULL && wc->set->n == 2 && wc->c->ready);
    T_EXPECT_SV(sv_str(wc->set->hosts[1]->text), SV("10.0.0.2:80"), "text");
    T_EXPECT_EQ(plane_stat("cluster.s.membership_total"), 2, "total");
    T_EXPECT_EQ(plane_stat("cluster.s.membership_healthy"), 2, "healthy");
    T_EXPECT_EQ(plane_stat("cluster.s.max_host_weight"), 3, "weight");
    T_EXPECT_EQ(plane_stat("cluster.s.membership_change"), 1, "change");
    plane_close();
}

T(cluster, picks_by_weight)
{
    T_ASSERT(plane_open());
    struct wcluster *wc = plane_cluster(&model);
    T_ASSERT(wc != NULL && wc->set->n_order == 4);
    unsigned second = 0;
    wc->cursor = 0;
    for (unsigned i = 0; i < 400; i++)
        second += wcluster_pick(wc, &(struct pick){NULL}) == wc->set->hosts[1];
    T_EXPECT_EQ(second, 300, "three of four");
    T_ASSERT(cluster_set_hosts(wc->c, NULL, 0) == OK);
    plane_run();
    T_EXPECT(wcluster_pick(wc, &(struct pick){NULL}) == NULL);
    T_EXPECT_EQ(plane_stat("cluster.s.lb_healthy_panic"), 1, "nobody there");
    T_EXPECT_EQ(plane_stat("cluster.s.membership_total"), 0, "total");
    plane_close();
}

/* What is the same host stays the same object, with its counters and pools. */
T(cluster, hosts_are_matched_by_address_and_attributes)
{
    struct addr a, b;
    T_ASSERT(plane_open());
    struct wcluster *wc = plane_cluster(&model);
    T_ASSERT(wc != NULL && addr_parse(SV("10.0.0.1:80"), &a) == OK &&
             addr_parse(SV("10.0.0.9:80"), &b) == OK);
    const struct {
        const char *name;
        struct host_want want[2];
        size_t n;
        bool kept, changed;
    } rows[] = {
        {"the other left",  {{.addr = &a, .weight = 1}},                            1, true,  true },
        {"nothing changed", {{.addr = &a, .weight = 1}},                            1, true,  false},
        {"one more",        {{.addr = &b, .weight = 1}, {.addr = &a, .weight = 1}}, 2, true,  true },
        {"another weight",  {{.addr = &a, .weight = 2}, {.addr = &b, .weight = 1}}, 2, false, true },
        {"another level",   {{.addr = &a, .weight = 2, .priority = 1}},             1, false, true },
        {"another name",
         {{.addr = &a, .weight = 2, .priority = 1, .hostname = SV("x")}},
         1,                                                                            false,
         true                                                                                      },
        {"none",            {{0}},                                                  0, false, true },
    };
    const struct host *last = wc->set->hosts[0];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t before = plane_stat("cluster.s.membership_change");
        struct host_set *old = host_set_take(wc->set); /* or a new host could get its memory */
        T_ASSERT(cluster_set_hosts(wc->c, rows[i].want, rows[i].n) == OK, "%s", rows[i].name);
        T_EXPECT(wc->set == old, "%s: the worker hears by mail", rows[i].name);
        plane_run();
        T_EXPECT((wc->set != old) == rows[i].changed, "%s", rows[i].name);
        T_EXPECT(wc->set == wc->c->set && wc->set->n == rows[i].n, "%s", rows[i].name);
        T_EXPECT_EQ(plane_stat("cluster.s.membership_change") - before, rows[i].changed,
                    rows[i].name);
        T_EXPECT_EQ(plane_stat("cluster.s.membership_total"), rows[i].n, rows[i].name);
        T_EXPECT(host_set_has(wc->set, last) == rows[i].kept, "%s", rows[i].name);
        for (size_t k = 0; k < wc->set->n; k++)
            if (addr_eq(&wc->set->hosts[k]->addr, &a))
                last = wc->set->hosts[k];
        host_set_drop(&old);
    }
    plane_close();
}

static void count_host(const struct host *h, void *arg)
{
    T_EXPECT(h->text[0] != '\0');
    ++*(unsigned *)arg;
}

T(cluster, each_host_is_shown)
{
    unsigned n = 0;
    T_ASSERT(plane_open());
    struct wcluster *wc = plane_cluster(&model);
    T_ASSERT(wc != NULL);
    cluster_each_host(wc->c, count_host, &n);
    T_EXPECT_EQ(n, 2, "hosts");
    plane_close();
}

/* ---- circuit breakers ---- */

T(cluster, breakers_stop_at_their_limits)
{
    static const struct {
        const char *gauge;
        unsigned priority;
        enum breaker_kind kind;
        unsigned limit;
    } rows[] = {
        {"cluster.s.circuit_breakers.default.cx_open",         M_PRIORITY_DEFAULT, BREAKER_CX,      1},
        {"cluster.s.circuit_breakers.default.rq_pending_open", M_PRIORITY_DEFAULT, BREAKER_PENDING,
         2                                                                                           },
        {"cluster.s.circuit_breakers.default.rq_open",         M_PRIORITY_DEFAULT, BREAKER_RQ,      3},
        {"cluster.s.circuit_breakers.high.cx_open",            M_PRIORITY_HIGH,    BREAKER_CX,      4},
        {"cluster.s.circuit_breakers.high.rq_pending_open",    M_PRIORITY_HIGH,    BREAKER_PENDING, 0},
        {"cluster.s.circuit_breakers.high.rq_open",            M_PRIORITY_HIGH,    BREAKER_RQ,      1},
    };
    T_ASSERT(plane_open());
    struct wcluster *wc = plane_cluster(&model);
    T_ASSERT(wc != NULL);
    struct cluster *c = wc->c;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *row = rows[i].gauge;
        unsigned p = rows[i].priority, in = 0;
        enum breaker_kind k = rows[i].kind;
        T_EXPECT(breaker_room(c, p, k) == (rows[i].limit > 0), "%s", row);
        while (in < 10 && breaker_enter(c, p, k))
            in++;
        T_EXPECT_EQ(in, rows[i].limit, row);
        T_EXPECT(!breaker_room(c, p, k) && !breaker_enter(c, p, k), "%s", row);
        cluster_refresh_gauges(c);
        T_EXPECT_EQ(plane_stat(row), 1, row);
        breaker_force(c, p, k);
        if (in > 0) {
            breaker_leave(c, p, k);
            T_EXPECT(!breaker_room(c, p, k), "%s: one was forced in", row);
        }
        breaker_leave(c, p, k);
        T_EXPECT(breaker_room(c, p, k) == (rows[i].limit > 0), "%s", row);
        for (; in > 1; in--)
            breaker_leave(c, p, k);
        cluster_refresh_gauges(c);
        T_EXPECT_EQ(plane_stat(row), rows[i].limit == 0, row);
    }
    for (unsigned p = 0; p < M_PRIORITIES; p++)
        T_EXPECT(c->breakers[p].cx == 0 && c->breakers[p].pending == 0 && c->breakers[p].rq == 0,
                 "priority %u", p);
    plane_close();
}

/* ---- codes ---- */

T(cluster, counts_codes_by_class_and_scope)
{
    static const struct {
        const char *name;
        unsigned want;
    } rows[] = {
        {"upstream_rq_completed",          6},
        {"upstream_rq_2xx",                4},
        {"upstream_rq_5xx",                2},
        {"upstream_rq_200",                3},
        {"upstream_rq_204",                1},
        {"upstream_rq_503",                2},
        {"external.upstream_rq_completed", 5},
        {"external.upstream_rq_200",       3},
        {"external.upstream_rq_204",       0},
        {"internal.upstream_rq_completed", 1},
        {"internal.upstream_rq_204",       1},
        {"internal.upstream_rq_2xx",       1},
        {"canary.upstream_rq_completed",   1},
        {"canary.upstream_rq_503",         1},
        {"upstream_rq_4xx",                0},
    };
    T_ASSERT(plane_open());
    struct wcluster *wc = plane_cluster(&model);
    T_ASSERT(wc != NULL);
    cluster_count_code(wc, 200, false, false);
    cluster_count_code(wc, 200, false, false);
    plane_run();
    T_EXPECT_EQ(plane_stat("cluster.s.upstream_rq_200"), 2, "two before the name was known");
    cluster_count_code(wc, 200, false, false);
    cluster_count_code(wc, 204, true, false);
    cluster_count_code(wc, 503, false, true);
    cluster_count_code(wc, 503, false, false);
    cluster_count_code(wc, 99, false, false);
    cluster_count_code(wc, 600, false, false);
    plane_run();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char name[96];
        snprintf(name, sizeof name, "cluster.s.%s", rows[i].name);
        T_EXPECT_EQ(plane_stat(name), rows[i].want, rows[i].name);
    }
    plane_close();
}
