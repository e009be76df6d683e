/* Registration and counting of a cluster's statistics. Codes get their names when they are first
 * seen: a worker mails main, which registers the name and adds the first occurrences itself, so
 * none is lost. */
#include "proxy/server.h"
#include "proxy/upstream/cluster_int.h"
#include <stdlib.h>

static enum err reg(struct cluster *c, const char *name, bool gauge, stat_id *out)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "cluster.%.*s.%s", SVF(c->m->stat_name), name);
    if (n < 0 || (size_t)n >= sizeof(text))
        return E_LIMIT;
    struct stats *st = server_stats(c->server);
    return gauge ? stats_gauge(st, sv_of(text, (size_t)n), out)
                 : stats_counter(st, sv_of(text, (size_t)n), out);
}

static enum err reg_histogram(struct cluster *c, const char *name, stat_id *out)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "cluster.%.*s.%s", SVF(c->m->stat_name), name);
    if (n < 0 || (size_t)n >= sizeof(text))
        return E_LIMIT;
    return stats_histogram(server_stats(c->server), sv_of(text, (size_t)n), STAT_UNIT_MS, out);
}

static const char *const scopes[CLUSTER_SCOPES] = {"", "external.", "internal.", "canary."};

static enum err reg_scope(struct cluster *c, unsigned scope)
{
    char name[64];
    snprintf(name, sizeof(name), "%supstream_rq_completed", scopes[scope]);
    TRY(reg(c, name, false, &c->st.class_of[scope][0]));
    for (unsigned class = 1; class <= 5; class ++) {
        snprintf(name, sizeof(name), "%supstream_rq_%uxx", scopes[scope], class);
        TRY(reg(c, name, false, &c->st.class_of[scope][class]));
    }
    return OK;
}

static enum err reg_classes(struct cluster *c)
{
    for (unsigned scope = 0; scope < CLUSTER_SCOPES; scope++)
        TRY(reg_scope(c, scope));
    return OK;
}

static enum err reg_breakers(struct cluster *c)
{
    static const char *const priorities[] = {"default", "high"};
    static const char *const kinds[] = {"cx_open", "rq_pending_open", "rq_open"};
    static const char *const others[] = {"cx_pool_open", "rq_retry_open"};
    for (unsigned p = 0; p < M_PRIORITIES; p++) {
        char name[64];
        for (unsigned k = 0; k < ARRAY_LEN(kinds); k++) {
            snprintf(name, sizeof(name), "circuit_breakers.%s.%s", priorities[p], kinds[k]);
            TRY(reg(c, name, true, &c->st.cb_open[p][k]));
        }
        for (unsigned k = 0; k < ARRAY_LEN(others); k++) {
            stat_id unused;
            snprintf(name, sizeof(name), "circuit_breakers.%s.%s", priorities[p], others[k]);
            TRY(reg(c, name, true, &unused));
        }
    }
    return OK;
}

enum err cluster_stats_register(struct cluster *c)
{
#define X(name) TRY(reg(c, #name, false, &c->st.name));
    CLUSTER_COUNTERS(X)
#undef X
#define X(name) TRY(reg(c, #name, true, &c->st.name));
    CLUSTER_GAUGES(X)
#undef X
    TRY(reg_histogram(c, "upstream_cx_connect_ms", &c->st.upstream_cx_connect_ms));
    TRY(reg_histogram(c, "upstream_cx_length_ms", &c->st.upstream_cx_length_ms));
    TRY(reg_histogram(c, "upstream_rq_time", &c->st.upstream_rq_time));
    TRY(reg_classes(c));
    return reg_breakers(c);
}

struct new_code {
    struct mail mail;
    struct cluster *c;
    uint16_t code;
    uint8_t scope;
};

static void register_code(struct mail *m)
{
    struct new_code *n = container_of(m, struct new_code, mail);
    uint32_t *slot = &n->c->code_ids[n->scope][n->code - 100];
    stat_id id = *slot;
    char name[64];
    snprintf(name, sizeof(name), "%supstream_rq_%u", scopes[n->scope], n->code);
    if (id == 0 && reg(n->c, name, false, &id) == OK)
        __atomic_store_n(slot, id, __ATOMIC_RELEASE);
    if (id != 0)
        stat_inc(stats_shard(server_stats(n->c->server), 0), id);
    free(n);
}

static void count_code(struct wcluster *wc, unsigned code, uint8_t scope)
{
    uint32_t id = __atomic_load_n(&wc->c->code_ids[scope][code - 100], __ATOMIC_ACQUIRE);
    if (LIKELY(id != 0)) {
        stat_inc(wc->w->stats, id);
        return;
    }
    struct new_code *n = malloc(sizeof(*n));
    if (n == NULL)
        return;
    *n = (struct new_code){
        .mail = {.fn = register_code}, .c = wc->c, .code = (uint16_t)code, .scope = scope};
    loop_post(wc->w->main_loop, &n->mail);
}

static void count_scope(struct wcluster *wc, unsigned code, enum cluster_scope scope)
{
    const stat_id *ids = wc->c->st.class_of[scope];
    stat_inc(wc->w->stats, ids[0]);
    stat_inc(wc->w->stats, ids[code / 100]);
    count_code(wc, code, (uint8_t)scope);
}

void cluster_count_code(struct wcluster *wc, unsigned code, bool internal, bool canary)
{
    if (code < 100 || code > 599)
        return;
    count_scope(wc, code, SCOPE_ALL);
    count_scope(wc, code, internal ? SCOPE_INTERNAL : SCOPE_EXTERNAL);
    if (UNLIKELY(canary))
        count_scope(wc, code, SCOPE_CANARY);
}
