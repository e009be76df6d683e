/* /clusters as text. */
#include "proxy/admin/admin_int.h"
#include "proxy/admin/clusters.h"
#include <inttypes.h>

#define NUMBER(name, gauge)                                                                        \
    {                                                                                              \
#name, offsetof(struct admin_host, name), gauge                                            \
    }

const struct admin_host_number admin_host_numbers[ADMIN_HOST_NUMBERS] = {
    NUMBER(cx_active, true),   NUMBER(cx_connect_fail, false), NUMBER(cx_total, false),
    NUMBER(rq_active, true),   NUMBER(rq_error, false),        NUMBER(rq_pending_active, true),
    NUMBER(rq_success, false), NUMBER(rq_timeout, false),      NUMBER(rq_total, false),
};

struct page {
    const struct text_match *filter; /* NULL: all */
    struct str *out;
};

static const char *const priorities[ADMIN_PRIORITIES] = {"default", "high"};

static void add_limits(struct str *out, const struct admin_cluster *c, unsigned priority)
{
    const struct admin_limits *l = &c->limits[priority];
    const struct {
        const char *name;
        uint32_t value;
    } lines[] = {
        {"max_connections",      l->max_connections     },
        {"max_pending_requests", l->max_pending_requests},
        {"max_requests",         l->max_requests        },
        {"max_retries",          l->max_retries         }
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        str_addf(out, "%.*s::%s_priority::%s::%" PRIu32 "\n", SVF(c->name), priorities[priority],
                 lines[i].name, lines[i].value);
}

static void add_health(struct str *out, uint32_t flags)
{
    static const char *const names[] = {
        "/failed_active_hc",    "/failed_outlier_check",
        "/failed_eds_health",   "/degraded_active_hc",
        "/degraded_eds_health", "/pending_dynamic_removal",
        "/pending_active_hc",   "/excluded_via_immediate_hc_fail",
        "/active_hc_timeout",
    };
    if (flags == 0)
        str_add(out, SV("healthy"));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if ((flags >> i) & 1)
            str_add(out, sv_str(names[i]));
    }
}

/* cluster::address::key:: */
static void begin_line(struct str *out, const struct admin_cluster *c, const struct admin_host *h,
                       const char *key)
{
    str_addf(out, "%.*s::%.*s::%s::", SVF(c->name), SVF(h->address), key);
}

static void add_text(struct str *out, const struct admin_cluster *c, const struct admin_host *h,
                     const char *key, struct sv value)
{
    begin_line(out, c, h, key);
    str_addf(out, "%.*s\n", SVF(value));
}

static void add_number(struct str *out, const struct admin_cluster *c, const struct admin_host *h,
                       const char *key, uint64_t value)
{
    begin_line(out, c, h, key);
    str_addf(out, "%" PRIu64 "\n", value);
}

static void add_host(struct str *out, const struct admin_cluster *c, const struct admin_host *h)
{
    for (size_t i = 0; i < ADMIN_HOST_NUMBERS; i++)
        add_number(out, c, h, admin_host_numbers[i].name,
                   admin_host_number(h, &admin_host_numbers[i]));
    add_text(out, c, h, "hostname", h->hostname);
    begin_line(out, c, h, "health_flags");
    add_health(out, h->health_flags);
    str_addc(out, '\n');
    add_number(out, c, h, "weight", h->weight);
    add_text(out, c, h, "region", h->region);
    add_text(out, c, h, "zone", h->zone);
    add_text(out, c, h, "sub_zone", h->sub_zone);
    add_text(out, c, h, "canary", h->canary ? SV("true") : SV("false"));
    add_number(out, c, h, "priority", h->priority);
    /* Outlier detection, which would know the rates, is not there. */
    add_text(out, c, h, "success_rate", SV("-1"));
    add_text(out, c, h, "local_origin_success_rate", SV("-1"));
}

static void add_cluster(void *ctx, const struct admin_cluster *c)
{
    const struct page *p = ctx;

    if (p->filter != NULL && !text_match_is(p->filter, c->name))
        return;
    str_addf(p->out, "%.*s::observability_name::%.*s\n", SVF(c->name), SVF(c->observability_name));
    for (unsigned i = 0; i < ADMIN_PRIORITIES; i++)
        add_limits(p->out, c, i);
    str_addf(p->out, "%.*s::added_via_api::%s\n", SVF(c->name),
             c->added_via_api ? "true" : "false");
    for (size_t i = 0; i < c->n_hosts; i++)
        add_host(p->out, c, &c->hosts[i]);
}

void admin_run_clusters(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    struct sv pattern = admin_query(rq, "filter");
    struct text_match *filter = NULL;

    if (pattern.n > 0) {
        enum err e = text_match_new(pattern, false, &filter, NULL);
        if (e == E_PARSE)
            admin_refuse(re, 400, "Invalid re2 regex");
        else
            admin_check(re, e, NULL);
        if (e != OK)
            return;
    }
    if (sv_eq(admin_query(rq, "format"), SV("json"))) {
        admin_clusters_json(a, filter, rq->arena, re);
    } else {
        struct page p = {.filter = filter, .out = &re->body};
        a->deps.clusters(a->deps.arg, add_cluster, &p);
    }
    text_match_free(&filter);
}
