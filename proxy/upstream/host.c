/* Hosts and host sets; see host.h. */
#include "proxy/upstream/host.h"
#include <stdlib.h>

/* Keeps the table of a set small: 4096 entries resolve weights to a fortieth of a percent. */
enum { ORDER_MAX = 4096 };

static size_t put(char **at, struct sv text, struct sv *out)
{
    *out = sv_of(*at, text.n);
    if (text.n > 0)
        memcpy(*at, text.p, text.n);
    *at += text.n;
    return text.n;
}

struct host *host_new(const struct host_want *want, unsigned workers)
{
    static const struct m_locality nowhere;
    const struct m_locality *l = want->locality != NULL ? want->locality : &nowhere;
    size_t size = sizeof(struct host) + workers * sizeof(struct host_slot);
    size = (size + 63) & ~(size_t)63;
    struct host *h = aligned_alloc(64, size);
    char *strings = malloc(want->hostname.n + l->region.n + l->zone.n + l->sub_zone.n + 1);
    if (h == NULL || strings == NULL) {
        free(h);
        free(strings);
        return NULL;
    }
    memset(h, 0, size);
    h->refs = 1;
    h->addr = *want->addr;
    h->weight = want->weight;
    h->priority = want->priority;
    h->n_slots = workers;
    h->strings = strings;
    put(&strings, want->hostname, &h->hostname);
    put(&strings, l->region, &h->locality.region);
    put(&strings, l->zone, &h->locality.zone);
    put(&strings, l->sub_zone, &h->locality.sub_zone);
    addr_format(&h->addr, h->text, sizeof(h->text));
    return h;
}

struct host *host_take(struct host *h)
{
    __atomic_add_fetch(&h->refs, 1, __ATOMIC_RELAXED);
    return h;
}

void host_drop(struct host **hp)
{
    struct host *h = *hp;
    *hp = NULL;
    if (h == NULL || __atomic_sub_fetch(&h->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    free(h->strings);
    free(h);
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t t = a % b;
        a = b;
        b = t;
    }
    return a;
}

/* Weight of entry i in the table, at least 1. */
static uint64_t scaled(uint32_t weight, uint64_t divisor, uint64_t sum, size_t max)
{
    uint64_t w = weight / divisor;
    if (sum > max) {
        w = w * max / sum;
        if (w == 0)
            w = 1;
    }
    return w;
}

static size_t order_length(const uint32_t *weights, size_t n, uint64_t divisor, uint64_t sum,
                           size_t max)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++)
        len += (size_t)scaled(weights[i], divisor, sum, max);
    return len < max ? len : max;
}

/* Each index has a deadline; the smallest is served and moves on by the inverse of its weight. The
 * deadline of the k-th service of weight w is (2k+1)/(2w), compared as fractions, so no rounding
 * error builds up. */
size_t lb_wrr_order(const uint32_t *weights, size_t n, uint32_t *out, size_t max)
{
    if (n == 0 || max < n)
        return 0;
    uint64_t divisor = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        divisor = gcd(weights[i], divisor);
    if (divisor == 0)
        divisor = 1;
    for (size_t i = 0; i < n; i++)
        sum += weights[i] / divisor;
    size_t len = order_length(weights, n, divisor, sum, max);
    uint32_t *served = calloc(n, sizeof(*served));
    if (served == NULL)
        return 0;
    for (size_t at = 0; at < len; at++) {
        size_t best = 0;
        uint64_t best_num = 0, best_den = 0;
        for (size_t i = 0; i < n; i++) {
            uint64_t num = 2 * (uint64_t)served[i] + 1, den = scaled(weights[i], divisor, sum, max);
            if (best_den == 0 || num * best_den < best_num * den) {
                best = i;
                best_num = num;
                best_den = den;
            }
        }
        served[best]++;
        out[at] = (uint32_t)best;
    }
    free(served);
    return len;
}

static bool equal_weights(struct host *const *hosts, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (hosts[i]->weight != hosts[0]->weight)
            return false;
    return true;
}

static enum err set_order(struct host_set *s)
{
    if (s->n == 0)
        return OK;
    bool equal = equal_weights(s->hosts, s->n);
    size_t max = equal ? s->n : (s->n > ORDER_MAX ? s->n : ORDER_MAX);
    s->order = calloc(max, sizeof(*s->order));
    if (s->order == NULL)
        return E_NOMEM;
    if (equal) {
        for (size_t i = 0; i < s->n; i++)
            s->order[i] = (uint32_t)i;
        s->n_order = s->n;
        return OK;
    }
    uint32_t *weights = calloc(s->n, sizeof(*weights));
    if (weights == NULL)
        return E_NOMEM;
    for (size_t i = 0; i < s->n; i++)
        weights[i] = s->hosts[i]->weight;
    s->n_order = lb_wrr_order(weights, s->n, s->order, max);
    free(weights);
    return s->n_order > 0 ? OK : E_NOMEM;
}

struct host_set *host_set_new(struct host *const *hosts, size_t n)
{
    struct host_set *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->refs = 1;
    s->hosts = calloc(n > 0 ? n : 1, sizeof(*s->hosts));
    if (s->hosts == NULL) {
        host_set_drop(&s);
        return NULL;
    }
    for (; s->n < n; s->n++)
        s->hosts[s->n] = host_take(hosts[s->n]);
    if (set_order(s) != OK)
        host_set_drop(&s);
    return s;
}

struct host_set *host_set_take(struct host_set *s)
{
    __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
    return s;
}

void host_set_drop(struct host_set **sp)
{
    struct host_set *s = *sp;
    *sp = NULL;
    if (s == NULL || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (size_t i = 0; i < s->n; i++)
        host_drop(&s->hosts[i]);
    free(s->hosts);
    free(s->order);
    free(s);
}

bool host_set_has(const struct host_set *s, const struct host *h)
{
    for (size_t i = 0; s != NULL && i < s->n; i++)
        if (s->hosts[i] == h)
            return true;
    return false;
}
