/* What the admin pages show of this process. Main thread. */
#define LOG_COMPONENT LOGC_ADMIN
#include "base/log.h"
#include "config/reflect/reflect.h"
#include "envoy/admin/v3/config_dump.pb-c.h"
#include "envoy/admin/v3/config_dump_shared.pb-c.h"
#include "envoy/admin/v3/server_info.pb-c.h"
#include "proxy/admin/admin.h"
#include "proxy/options.h"
#include "proxy/server_int.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- state ---- */

static enum admin_state state(void *arg)
{
    const struct server *s = arg;
    if (s->health_failed)
        return ADMIN_DRAINING;
    return (enum admin_state)s->state;
}
_Static_assert((int)ADMIN_LIVE == SERVER_LIVE && (int)ADMIN_INITIALIZING == SERVER_INITIALIZING,
               "same order");

static void refresh(void *arg)
{
    server_stats_refresh(arg);
}

static Google__Protobuf__Duration *seconds(struct arena *a, uint64_t s)
{
    Google__Protobuf__Duration *d = (void *)reflect_new(&google__protobuf__duration__descriptor, a);
    if (d != NULL)
        d->seconds = (int64_t)s;
    return d;
}

static const Envoy__Config__Bootstrap__V3__Bootstrap *bootstrap(const struct server *s)
{
    return (const void *)s->gen->snap->bootstrap;
}

static ProtobufCMessage *server_info(void *arg, struct arena *a)
{
    struct server *s = arg;
    uint64_t up = (clock_mono_us(clock_system()) - s->started_us) / 1000000;
    Envoy__Admin__V3__ServerInfo *m =
        (void *)reflect_new(&envoy__admin__v3__server_info__descriptor, a);
    if (m == NULL)
        return NULL;
    m->version = (char *)(uintptr_t)options_version();
    m->state = (Envoy__Admin__V3__ServerInfo__State)state(s);
    m->uptime_current_epoch = seconds(a, up);
    m->uptime_all_epochs = seconds(a, up);
    m->hot_restart_version = (char *)(uintptr_t) "disabled";
    m->command_line_options = (void *)options_message(s->opts, a);
    m->node = bootstrap(s)->node;
    if (m->uptime_current_epoch == NULL || m->uptime_all_epochs == NULL ||
        m->command_line_options == NULL)
        return NULL;
    return &m->base;
}

/* ---- clusters and listeners ---- */

struct host_list {
    struct admin_host *v;
    size_t n, room;
};

static void add_counts(struct admin_host *v, const struct host *h)
{
    v->cx_active += HOST_SUM(h, cx_active);
    v->cx_connect_fail += HOST_SUM(h, cx_connect_fail);
    v->cx_total += HOST_SUM(h, cx_total);
    v->rq_active += HOST_SUM(h, rq_active);
    v->rq_error += HOST_SUM(h, rq_error);
    v->rq_success += HOST_SUM(h, rq_success);
    v->rq_timeout += HOST_SUM(h, rq_timeout);
    v->rq_total += HOST_SUM(h, rq_total);
}

/* Workers make ORIGINAL_DST hosts of their own for one address: they are shown as one. */
static void add_host(const struct host *h, void *arg)
{
    struct host_list *l = arg;
    struct sv address = sv_str(h->text);
    for (size_t i = 0; i < l->n; i++)
        if (sv_eq(l->v[i].address, address)) {
            add_counts(&l->v[i], h);
            return;
        }
    if (l->n == l->room) {
        size_t room = l->room == 0 ? 16 : l->room * 2;
        struct admin_host *v = realloc(l->v, room * sizeof(*v));
        if (v == NULL)
            return;
        l->v = v;
        l->room = room;
    }
    struct admin_host *v = &l->v[l->n++];
    *v = (struct admin_host){.address = address,
                             .addr = h->addr,
                             .hostname = h->hostname,
                             .region = h->locality.region,
                             .zone = h->locality.zone,
                             .sub_zone = h->locality.sub_zone,
                             .weight = h->weight,
                             .priority = h->priority};
    add_counts(v, h);
}

static void clusters(void *arg, void (*each)(void *ctx, const struct admin_cluster *c), void *ctx)
{
    struct server *s = arg;
    for (size_t i = 0; i < s->gen->n_clusters; i++) {
        struct cluster *c = s->gen->clusters[i];
        struct host_list hosts = {NULL, 0, 0};
        cluster_each_host(c, add_host, &hosts);
        struct admin_cluster view = {.name = c->m->name,
                                     .observability_name = c->m->stat_name,
                                     .hosts = hosts.v,
                                     .n_hosts = hosts.n};
        for (unsigned p = 0; p < M_PRIORITIES; p++) {
            const struct m_thresholds *t = &c->m->thresholds[p];
            view.limits[p] = (struct admin_limits){t->max_connections, t->max_pending_requests,
                                                   t->max_requests, t->max_retries};
        }
        each(ctx, &view);
        free(hosts.v);
    }
}

static void listeners(void *arg, void (*each)(void *ctx, const struct admin_listener *l), void *ctx)
{
    struct server *s = arg;
    for (size_t i = 0; i < s->n_listeners; i++) {
        const struct listener *l = s->listeners[i];
        struct admin_listener view = {
            .name = l->m->name, .address = sv_str(l->text), .addr = l->address};
        each(ctx, &view);
    }
}

/* ---- /config_dump ---- */

static Google__Protobuf__Timestamp *started(const struct server *s, struct arena *a)
{
    Google__Protobuf__Timestamp *t =
        (void *)reflect_new(&google__protobuf__timestamp__descriptor, a);
    if (t != NULL) {
        t->seconds = (int64_t)(s->started_wall_us / 1000000);
        t->nanos = (int32_t)(s->started_wall_us % 1000000 / 1000 * 1000000);
    }
    return t;
}

static ProtobufCMessage *bootstrap_dump(const struct server *s, struct arena *a)
{
    Envoy__Admin__V3__BootstrapConfigDump *m =
        (void *)reflect_new(&envoy__admin__v3__bootstrap_config_dump__descriptor, a);
    if (m == NULL || (m->last_updated = started(s, a)) == NULL)
        return NULL;
    m->bootstrap = (void *)(uintptr_t)bootstrap(s);
    return &m->base;
}

static ProtobufCMessage *clusters_dump(const struct server *s, struct arena *a)
{
    const struct snap *snap = s->gen->snap;
    Envoy__Admin__V3__ClustersConfigDump *m =
        (void *)reflect_new(&envoy__admin__v3__clusters_config_dump__descriptor, a);
    if (m == NULL)
        return NULL;
    m->static_clusters = arena_array(a, snap->n_clusters + 1, sizeof(*m->static_clusters));
    if (m->static_clusters == NULL)
        return NULL;
    for (size_t i = 0; i < snap->n_clusters; i++) {
        Envoy__Admin__V3__ClustersConfigDump__StaticCluster *c = (void *)reflect_new(
            &envoy__admin__v3__clusters_config_dump__static_cluster__descriptor, a);
        if (c == NULL || (c->last_updated = started(s, a)) == NULL ||
            reflect_any_pack(snap->clusters[i].message, a, &c->cluster) != OK)
            return NULL;
        m->static_clusters[m->n_static_clusters++] = c;
    }
    return &m->base;
}

static ProtobufCMessage *listeners_dump(const struct server *s, struct arena *a)
{
    const struct snap *snap = s->gen->snap;
    Envoy__Admin__V3__ListenersConfigDump *m =
        (void *)reflect_new(&envoy__admin__v3__listeners_config_dump__descriptor, a);
    if (m == NULL)
        return NULL;
    m->static_listeners = arena_array(a, snap->n_listeners + 1, sizeof(*m->static_listeners));
    if (m->static_listeners == NULL)
        return NULL;
    for (size_t i = 0; i < snap->n_listeners; i++) {
        Envoy__Admin__V3__ListenersConfigDump__StaticListener *l = (void *)reflect_new(
            &envoy__admin__v3__listeners_config_dump__static_listener__descriptor, a);
        if (l == NULL || (l->last_updated = started(s, a)) == NULL ||
            reflect_any_pack(snap->listeners[i].message, a, &l->listener) != OK)
            return NULL;
        m->static_listeners[m->n_static_listeners++] = l;
    }
    return &m->base;
}

static ProtobufCMessage *routes_dump(const struct server *s, struct arena *a)
{
    const struct snap *snap = s->gen->snap;
    Envoy__Admin__V3__RoutesConfigDump *m =
        (void *)reflect_new(&envoy__admin__v3__routes_config_dump__descriptor, a);
    if (m == NULL)
        return NULL;
    m->static_route_configs =
        arena_array(a, snap->n_route_configs + 1, sizeof(*m->static_route_configs));
    if (m->static_route_configs == NULL)
        return NULL;
    for (size_t i = 0; i < snap->n_route_configs; i++) {
        Envoy__Admin__V3__RoutesConfigDump__StaticRouteConfig *r = (void *)reflect_new(
            &envoy__admin__v3__routes_config_dump__static_route_config__descriptor, a);
        if (r == NULL || (r->last_updated = started(s, a)) == NULL ||
            reflect_any_pack(snap->route_configs[i]->message, a, &r->route_config) != OK)
            return NULL;
        m->static_route_configs[m->n_static_route_configs++] = r;
    }
    return &m->base;
}

static enum err config_dump(void *arg, struct arena *a, ProtobufCMessage *const **out, size_t *n)
{
    static ProtobufCMessage *(*const parts[])(const struct server *, struct arena *) = {
        bootstrap_dump, clusters_dump, listeners_dump, routes_dump};
    ProtobufCMessage **list = arena_array(a, ARRAY_LEN(parts), sizeof(*list));
    if (list == NULL)
        return E_NOMEM;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if ((list[i] = parts[i](arg, a)) == NULL)
            return E_NOMEM;
    *out = list;
    *n = ARRAY_LEN(parts);
    return OK;
}

/* ---- actions ---- */

static void quit(void *arg)
{
    struct server *s = arg;
    loop_enter(&s->loop);
    server_exit_now(s);
    loop_leave(&s->loop);
}

static void drain(void *arg, bool graceful, bool skip_exit, bool inbound_only)
{
    struct server *s = arg;
    loop_enter(&s->loop);
    server_drain_listeners(s, graceful, skip_exit, inbound_only);
    loop_leave(&s->loop);
}

static void health(void *arg, bool fail)
{
    server_health_fail(arg, fail);
}

static void reopen(void *arg)
{
    server_reopen_logs(arg);
}

/* --admin-address-path: where we listen, for a parent that asked for port 0. */
static enum err write_address(const struct server *s, struct diag *d)
{
    const char *path = s->opts->admin_address_path;
    char text[ADDR_TEXT_MAX];
    if (path[0] == '\0')
        return OK;
    size_t n = addr_format(admin_address(s->admin), text, sizeof(text));
    FILE *f = fopen(path, "we");
    if (f == NULL)
        return diag_fail(d, E_IO, "cannot open admin address output file %s for writing", path);
    bool ok = fwrite(text, 1, n, f) == n;
    ok = fclose(f) == 0 && ok;
    return ok ? OK : diag_fail(d, E_IO, "cannot write admin address output file %s", path);
}

enum err server_admin_start(struct server *s, struct diag *d)
{
    const struct m_admin *m = &s->gen->snap->admin;
    struct admin_deps deps = {.stats = s->stats,
                              .arg = s,
                              .state = state,
                              .refresh = refresh,
                              .server_info = server_info,
                              .clusters = clusters,
                              .listeners = listeners,
                              .config_dump = config_dump,
                              .quit = quit,
                              .drain = drain,
                              .health = health,
                              .reopen_logs = reopen};
    struct addr bind;
    if (!m->present) {
        log_info("admin.off", "the bootstrap has no admin address");
        return OK;
    }
    enum err e = addr_parse_ip(m->address.host, m->address.port, &bind);
    if (e != OK)
        return diag_fail(d, e, "malformed IP address: %.*s", SVF(m->address.host));
    TRY(admin_new(s->loop.base, &bind, &deps, &s->admin, d));
    char text[ADDR_TEXT_MAX];
    addr_format(admin_address(s->admin), text, sizeof(text));
    log_info("admin.listening", "address=%s", text);
    return write_address(s, d);
}
