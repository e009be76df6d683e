/* /listeners as text and as JSON (envoy.admin.v3.Listeners). */
#include "config/reflect/reflect.h"
#include "envoy/admin/v3/listeners.pb-c.h"
#include "proxy/admin/address.h"
#include "proxy/admin/admin_int.h"

struct page {
    struct str *out;     /* text */
    struct arena *arena; /* JSON */
    bool failed;         /* no memory */
    struct sv last;      /* JSON: the listener that was shown last */
    Envoy__Admin__V3__Listeners all;
    size_t room;
};

static void text_listener(void *ctx, const struct admin_listener *l)
{
    struct page *p = ctx;
    str_addf(p->out, "%.*s::%.*s\n", SVF(l->name), SVF(l->address));
}

/* The schema has one address for each listener: its first. */
static void json_listener(void *ctx, const struct admin_listener *l)
{
    struct page *p = ctx;

    if (p->all.n_listener_statuses > 0 && sv_eq(l->name, p->last))
        return;
    if (p->all.n_listener_statuses == p->room) {
        size_t room = p->room == 0 ? 8 : p->room * 2;
        Envoy__Admin__V3__ListenerStatus **grown =
            ARENA_ARRAY(p->arena, Envoy__Admin__V3__ListenerStatus *, room);
        if (grown != NULL && p->room > 0)
            memcpy(grown, p->all.listener_statuses, p->room * sizeof(*grown));
        p->failed |= grown == NULL;
        if (p->failed)
            return;
        p->all.listener_statuses = grown;
        p->room = room;
    }
    Envoy__Admin__V3__ListenerStatus *m = ARENA_NEW(p->arena, Envoy__Admin__V3__ListenerStatus);
    struct sv copy = arena_dup(p->arena, l->name);
    p->failed |= m == NULL || copy.p == NULL;
    if (p->failed)
        return;
    envoy__admin__v3__listener_status__init(m);
    m->name = (char *)(uintptr_t)copy.p;
    m->local_address = admin_address_message(&l->addr, p->arena);
    p->failed |= m->local_address == NULL;
    p->last = copy;
    p->all.listener_statuses[p->all.n_listener_statuses++] = m;
}

void admin_run_listeners(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    struct page p = {.out = &re->body, .arena = rq->arena};
    struct diag d = {0};

    if (!sv_eq(admin_query(rq, "format"), SV("json"))) {
        a->deps.listeners(a->deps.arg, text_listener, &p);
        return;
    }
    re->content_type = ADMIN_JSON;
    envoy__admin__v3__listeners__init(&p.all);
    a->deps.listeners(a->deps.arg, json_listener, &p);
    if (p.failed)
        admin_check(re, E_NOMEM, NULL);
    else
        admin_check(re, reflect_print_json(&p.all.base, REFLECT_PRETTY, &re->body, &d), &d);
}
