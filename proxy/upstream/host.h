#pragma once
/* Upstream hosts and immutable sets of them.
 *
 * A host outlives the sets it is in: counters and pools live in it, one slot per worker, written by
 * that worker only. Sets are built on main, published to workers, counted atomically. */
#include "base/list.h"
#include "config/model/model.h"
#include "net/addr.h"

struct pool;

struct host_counters {
    uint64_t cx_active, cx_connect_fail, cx_total;
    uint64_t rq_active, rq_error, rq_success, rq_timeout, rq_total;
};

struct host_slot {
    struct host_counters count;
    struct pool *pools[M_PRIORITIES];
} __attribute__((aligned(64)));

struct host {
    uint32_t refs; /* atomic */
    struct addr addr;
    char text[ADDR_TEXT_MAX]; /* addr printed */
    struct sv hostname;       /* of the configuration or the DNS name; owned */
    uint32_t weight, priority;
    struct m_locality locality; /* owned */
    char *strings;
    unsigned n_slots;
    struct host_slot slots[];
};

struct host_want {
    const struct addr *addr;
    struct sv hostname;
    uint32_t weight, priority;
    const struct m_locality *locality; /* NULL: empty */
};

/* One reference. NULL: no memory. */
struct host *host_new(const struct host_want *want, unsigned workers);
struct host *host_take(struct host *h);
void host_drop(struct host **h); /* any thread */

static inline void host_count(uint64_t *counter, uint64_t n)
{
    __atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}
/* Sums one counter over workers: HOST_SUM(h, rq_total). */
#define HOST_SUM(h, field)                                                                         \
    ({                                                                                             \
        uint64_t sum_ = 0;                                                                         \
        for (unsigned i_ = 0; i_ < (h)->n_slots; i_++)                                             \
            sum_ += __atomic_load_n(&(h)->slots[i_].count.field, __ATOMIC_RELAXED);                \
        sum_;                                                                                      \
    })

/* Hosts with the order round robin serves them in: the table of the lb_policy. */
struct host_set {
    uint32_t refs; /* atomic */
    size_t n;
    struct host **hosts; /* one reference each */
    uint32_t *order;     /* indices into hosts: the sequence of weighted round robin */
    size_t n_order;      /* 0 when there are no hosts */
};

/* Takes a reference on each host. NULL: no memory. */
struct host_set *host_set_new(struct host *const *hosts, size_t n);
struct host_set *host_set_take(struct host_set *s);
void host_set_drop(struct host_set **s); /* any thread */
bool host_set_has(const struct host_set *s, const struct host *h);

/* The sequence of earliest-deadline-first over weights: each index appears weight/gcd times, spread
 * evenly. Longer sequences than max are scaled down, never losing an index. Returns the length; out
 * has room for max. */
size_t lb_wrr_order(const uint32_t *weights, size_t n, uint32_t *out, size_t max);
