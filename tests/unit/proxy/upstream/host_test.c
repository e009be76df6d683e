/* Hosts, sets of them, and the order that weighted round robin serves them in. */
#include "proxy/upstream/host.h"
#include "tests/support/failmalloc.h"
#include "tests/support/t.h"
#include <stdlib.h>

enum { ORDER_ROOM = 8192 };

static struct host *make(const char *at, uint32_t weight)
{
    struct addr a;
    T_EXPECT(addr_parse(sv_str(at), &a) == OK, "%s", at);
    return host_new(&(struct host_want){.addr = &a, .weight = weight}, 1);
}

/* Over one period every index is served as often as its weight says, and never far from its due. */
T(host, order_is_exact_over_a_period)
{
    static const struct {
        const char *name;
        uint32_t weights[6];
        size_t n, period;
    } rows[] = {
        {"one",            {7},                  1, 1   },
        {"two alike",      {3, 3},               2, 2   },
        {"one to two",     {1, 2},               2, 3   },
        {"common divisor", {20, 40, 60},         3, 6   },
        {"primes",         {2, 3, 5, 7, 11, 13}, 6, 41  },
        {"one small",      {1, 100},             2, 101 },
        {"many small",     {1, 1, 1, 1, 96},     5, 100 },
        {"largest sum",    {1, 4095},            2, 4096},
    };
    static uint32_t order[ORDER_ROOM];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t sum = 0, served[6] = {0};
        size_t n = lb_wrr_order(rows[i].weights, rows[i].n, order, ORDER_ROOM);
        T_EXPECT_EQ(n, rows[i].period, rows[i].name);
        for (size_t k = 0; k < rows[i].n; k++)
            sum += rows[i].weights[k];
        for (size_t at = 0; at < n; at++) {
            T_ASSERT(order[at] < rows[i].n, "%s", rows[i].name);
            served[order[at]]++;
            uint64_t due = (at + 1) * rows[i].weights[order[at]];
            T_EXPECT(served[order[at]] * sum <= due + rows[i].n * sum, "%s: at %zu", rows[i].name,
                     at);
        }
        for (size_t k = 0; k < rows[i].n; k++)
            T_EXPECT(served[k] * sum == (uint64_t)rows[i].weights[k] * n, "%s: index %zu: %d",
                     rows[i].name, k, (int)served[k]);
    }
}

T(host, order_takes_turns)
{
    static const uint32_t weights[] = {1, 2, 4}, want[] = {2, 1, 2, 0, 2, 1, 2};
    uint32_t order[16];
    T_ASSERT(lb_wrr_order(weights, 3, order, ARRAY_LEN(order)) == ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        T_EXPECT(order[i] == want[i], "at %zu: %u, want %u", i, order[i], want[i]);
}

T(host, order_of_weights_that_do_not_fit)
{
    static const uint32_t weights[] = {1, 4000000000u, 2000000000u};
    uint32_t order[300], served[3] = {0};
    size_t n = lb_wrr_order(weights, 3, order, ARRAY_LEN(order));
    T_ASSERT(n > 0 && n <= ARRAY_LEN(order), "%zu", n);
    for (size_t i = 0; i < n; i++)
        served[order[i]]++;
    T_EXPECT_EQ(served[0], 1, "the smallest is not left out");
    T_EXPECT(served[1] >= 2 * served[2] - 2 && served[1] <= 2 * served[2] + 2, "%u and %u",
             served[1], served[2]);
    T_EXPECT_EQ(lb_wrr_order(weights, 3, order, 2), 0, "no room for each once");
    T_EXPECT_EQ(lb_wrr_order(weights, 0, order, 2), 0, "no hosts");
}

T(host, keeps_its_own_strings)
{
    char name[] = "origin", region[] = "r", zone[] = "zo", sub[] = "sub";
    struct m_locality l = {sv_str(region), sv_str(zone), sv_str(sub)};
    struct addr a;
    T_ASSERT(addr_parse(SV("[2001:db8::1]:8080"), &a) == OK);
    struct host *h = host_new(
        &(struct host_want){
            .addr = &a, .hostname = sv_str(name), .weight = 9, .priority = 2, .locality = &l},
        3);
    T_ASSERT(h != NULL);
    memset(name, 'x', sizeof name);
    memset(region, 'x', sizeof region);
    memset(zone, 'x', sizeof zone);
    memset(sub, 'x', sizeof sub);
    T_EXPECT_SV(sv_str(h->text), SV("[2001:db8::1]:8080"), "text");
    T_EXPECT_SV(h->hostname, SV("origin"), "name");
    T_EXPECT_SV(h->locality.region, SV("r"), "region");
    T_EXPECT_SV(h->locality.zone, SV("zo"), "zone");
    T_EXPECT_SV(h->locality.sub_zone, SV("sub"), "sub-zone");
    T_EXPECT(h->weight == 9 && h->priority == 2 && h->n_slots == 3);
    for (unsigned i = 0; i < 3; i++) {
        T_EXPECT((uintptr_t)&h->slots[i] % 64 == 0, "workers share no cache line");
        host_count(&h->slots[i].count.rq_total, 10 + i);
        host_count(&h->slots[i].count.rq_active, 1);
    }
    host_count(&h->slots[1].count.rq_active, UINT64_MAX);
    T_EXPECT_EQ(HOST_SUM(h, rq_total), 33, "sum");
    T_EXPECT_EQ(HOST_SUM(h, rq_active), 2, "sum");
    T_EXPECT_EQ(HOST_SUM(h, cx_total), 0, "sum");
    host_drop(&h);
    T_EXPECT(h == NULL);
    host_drop(&h);
}

T(host, sets_hold_their_hosts)
{
    struct host *v[3] = {make("10.0.0.1:1", 1), make("10.0.0.2:1", 1), make("10.0.0.3:1", 2)};
    T_ASSERT(v[0] != NULL && v[1] != NULL && v[2] != NULL);
    struct host_set *same = host_set_new(v, 2), *weighted = host_set_new(v, 3),
                    *none = host_set_new(NULL, 0);
    T_ASSERT(same != NULL && weighted != NULL && none != NULL);
    T_EXPECT_EQ(v[0]->refs, 3, "one a set");
    T_EXPECT(same->n == 2 && same->n_order == 2 && same->order[0] == 0 && same->order[1] == 1);
    T_EXPECT(weighted->n == 3 && weighted->n_order == 4, "%zu", weighted->n_order);
    T_EXPECT(none->n == 0 && none->n_order == 0);
    T_EXPECT(host_set_has(same, v[1]) && !host_set_has(same, v[2]));
    T_EXPECT(!host_set_has(none, v[0]) && !host_set_has(NULL, v[0]));
    struct host_set *again = host_set_take(same), *gone = same;
    host_set_drop(&gone);
    T_EXPECT(gone == NULL && v[0]->refs == 3, "still taken");
    host_set_drop(&again);
    T_EXPECT_EQ(v[0]->refs, 2, "gave its reference back");
    host_set_drop(&weighted);
    host_set_drop(&none);
    host_set_drop(&none);
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        T_EXPECT_EQ(v[i]->refs, 1, "ours");
        host_drop(&v[i]);
    }
}

static void life(bool failing)
{
    struct host *v[2] = {make("10.0.0.1:1", 1), make("10.0.0.2:1", 5)};
    if (v[0] != NULL && v[1] != NULL) {
        struct host_set *s = host_set_new(v, 2);
        T_EXPECT(s != NULL || failing);
        host_set_drop(&s);
    }
    T_EXPECT((v[0] != NULL && v[1] != NULL) || failing);
    host_drop(&v[0]);
    host_drop(&v[1]);
}

T(host, without_memory)
{
    T_EXPECT(failmalloc_each(life) >= 5);
}
