/* Hosts made of a connection's original destination: one an address, dropped when nobody asks. */
#include "proxy/upstream/cluster.h"
#include "tests/support/t.h"
#include "tests/unit/proxy/plane.h"

static const struct m_cluster model = {
    .name = {"c", 1},
    .stat_name = {"s", 1},
    .type = M_CLUSTER_ORIGINAL_DST,
    .lb_policy = M_LB_CLUSTER_PROVIDED,
    .cleanup_interval_ms = 5000,
};

static void note(const struct host *h, void *arg)
{
    *(struct sv *)arg = sv_str(h->text);
}

T(original_dst, one_host_an_address)
{
    struct addr a, b;
    struct sv shown = SV_NONE;
    T_ASSERT(plane_open() && addr_parse(SV("10.0.0.1:80"), &a) == OK &&
             addr_parse(SV("10.0.0.1:81"), &b) == OK);
    struct wcluster *wc = plane_cluster(&model);
    T_ASSERT(wc != NULL);
    loop_enter(&plane.w.loop);
    T_EXPECT(wcluster_pick(wc, &(struct pick){NULL}) == NULL, "not redirected");
    struct host *first = wcluster_pick(wc, &(struct pick){&a});
    T_ASSERT(first != NULL && addr_eq(&first->addr, &a));
    T_EXPECT(wcluster_pick(wc, &(struct pick){&a}) == first, "the same again");
    plane_run();
    T_EXPECT_EQ(plane_stat("cluster.s.membership_total"), 1, "main is told");
    cluster_each_host(wc->c, note, &shown);
    T_EXPECT_SV(shown, SV("10.0.0.1:80"), "and shows it");
    T_EXPECT(wcluster_pick(wc, &(struct pick){&b}) != first, "another port");

    plane_advance(5000); /* both were used since the last look */
    T_EXPECT_EQ(plane_stat("cluster.s.membership_total"), 2, "kept");
    T_EXPECT(wcluster_pick(wc, &(struct pick){&a}) == first, "used again");
    plane_advance(5000);
    T_EXPECT_EQ(plane_stat("cluster.s.membership_total"), 1, "the unused one is gone");
    T_EXPECT(wcluster_pick(wc, &(struct pick){&a}) == first, "the other is not");
    plane_advance(5000);
    plane_advance(5000);
    T_EXPECT_EQ(plane_stat("cluster.s.membership_total"), 0, "both");
    plane_close();
}
