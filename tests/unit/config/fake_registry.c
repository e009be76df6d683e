#include "tests/unit/config/fake_registry.h"
#include "config/reflect/reflect.h"
#include "config/reflect/rules.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb-c.h"
#include "envoy/extensions/access_loggers/file/v3/file.pb-c.h"
#include "envoy/extensions/access_loggers/stream/v3/stream.pb-c.h"
#include "envoy/extensions/filters/http/router/v3/router.pb-c.h"
#include "envoy/extensions/filters/listener/original_dst/v3/original_dst.pb-c.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb-c.h"
#include "envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.pb-c.h"
#include "tests/support/t.h"

#define UNPACK_ONLY(fn, descriptor)                                                                \
    static enum err fn(const struct any_view *in, struct model_build *b, const void **out,         \
                       struct diag *d)                                                             \
    {                                                                                              \
        const ProtobufCMessage *m = NULL;                                                          \
        TRY(model_unpack(b, in, &(descriptor), &m, d));                                            \
        *out = m;                                                                                  \
        return OK;                                                                                 \
    }
UNPACK_ONLY(file_conf, envoy__extensions__access_loggers__file__v3__file_access_log__descriptor)
UNPACK_ONLY(stdout_conf,
            envoy__extensions__access_loggers__stream__v3__stdout_access_log__descriptor)
UNPACK_ONLY(router_conf, envoy__extensions__filters__http__router__v3__router__descriptor)
UNPACK_ONLY(dst_conf,
            envoy__extensions__filters__listener__original_dst__v3__original_dst__descriptor)

static enum err hcm_conf(const struct any_view *in, struct model_build *b, const void **out,
                         struct diag *d)
{
    const ProtobufCMessage *p = NULL;
    TRY(model_unpack(
        b, in,
        &envoy__extensions__filters__network__http_connection_manager__v3__http_connection_manager__descriptor,
        &p, d));
    const Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpConnectionManager *m =
        (const Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpConnectionManager
             *)p;
    struct fake_hcm *h = ARENA_NEW(b->arena, struct fake_hcm);
    if (h == NULL)
        return E_NOMEM;
    TRY(model_access_logs(b, (ProtobufCMessage *const *)m->access_log, m->n_access_log, &h->logs,
                          &h->n_logs, d));
    TRY(model_route_config(b, &m->route_config->base, &h->routes, d));
    TRY(model_http_filters(b, (ProtobufCMessage *const *)m->http_filters, m->n_http_filters,
                           &h->filters, &h->n_filters, d));
    *out = h;
    return OK;
}

static enum err tcp_conf(const struct any_view *in, struct model_build *b, const void **out,
                         struct diag *d)
{
    const ProtobufCMessage *p = NULL;
    TRY(model_unpack(
        b, in, &envoy__extensions__filters__network__tcp_proxy__v3__tcp_proxy__descriptor, &p, d));
    const Envoy__Extensions__Filters__Network__TcpProxy__V3__TcpProxy *m =
        (const Envoy__Extensions__Filters__Network__TcpProxy__V3__TcpProxy *)p;
    struct fake_tcp *t = ARENA_NEW(b->arena, struct fake_tcp);
    if (t == NULL)
        return E_NOMEM;
    if (m->cluster_specifier_case ==
        ENVOY__EXTENSIONS__FILTERS__NETWORK__TCP_PROXY__V3__TCP_PROXY__CLUSTER_SPECIFIER_CLUSTER)
        TRY(model_clusters(b, sv_str(m->cluster), &t->clusters, &t->n_clusters, d));
    *out = t;
    return OK;
}

#define EXT(var, name_, type, conf_, terminal_)                                                    \
    static const struct model_ext var = {                                                          \
        .name = name_, .type_url = type, .terminal = terminal_, .conf = conf_}
EXT(original_dst, "envoy.filters.listener.original_dst",
    "envoy.extensions.filters.listener.original_dst.v3.OriginalDst", dst_conf, false);
EXT(tcp_proxy, "envoy.filters.network.tcp_proxy",
    "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", tcp_conf, true);
EXT(hcm, "envoy.filters.network.http_connection_manager",
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", hcm_conf,
    true);
/* Any message of the schema will do for a filter that is not terminal. */
EXT(stats_only, "test.filters.network.not_terminal",
    "envoy.extensions.access_loggers.stream.v3.StderrAccessLog", NULL, false);
EXT(router, "envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router",
    router_conf, true);
EXT(file_log, "envoy.access_loggers.file", "envoy.extensions.access_loggers.file.v3.FileAccessLog",
    file_conf, false);
EXT(stdout_log, "envoy.access_loggers.stdout",
    "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog", stdout_conf, false);

static const struct model_ext *const listener_filters[] = {&original_dst, NULL};
static const struct model_ext *const network_filters[] = {&tcp_proxy, &hcm, &stats_only, NULL};
static const struct model_ext *const http_filters[] = {&stats_only, &router, NULL};
static const struct model_ext *const access_loggers[] = {&file_log, &stdout_log, NULL};
static const struct model_ext *const nothing[] = {NULL};

const struct model_registry fake_registry = {
    .listener_filters = listener_filters,
    .network_filters = network_filters,
    .http_filters = http_filters,
    .access_loggers = access_loggers,
};
const struct model_registry empty_registry = {
    .listener_filters = nothing,
    .network_filters = nothing,
    .http_filters = nothing,
    .access_loggers = nothing,
};

enum err fake_build(const char *yaml, size_t cap, struct snap **out, struct diag *d)
{
    struct arena *a = arena_new(4096, cap);
    if (a == NULL)
        return E_NOMEM;
    struct reflect_text in = {.text = sv_str(yaml), .syntax = REFLECT_YAML};
    ProtobufCMessage *m = NULL;
    enum err e = reflect_parse(&in, &envoy__config__bootstrap__v3__bootstrap__descriptor, a, &m, d);
    if (e == OK)
        e = rules_check(m, d);
    if (e != OK) {
        arena_free(&a);
        return e;
    }
    return model_build(m, a, &fake_registry, NULL, out, d);
}

void fake_check(const struct fake_case *c, const char *before, const char *after)
{
    struct str yaml;
    struct diag d = {0};
    struct snap *s = NULL;
    str_init(&yaml, 0);
    str_addf(&yaml, "%s%s%s", before, c->text, after);
    enum err e = fake_build(yaml.p, SIZE_MAX, &s, &d);
    if (c->want == NULL) {
        T_EXPECT(e == OK, "%s: refused: %s (%s)", c->name, d.msg, d.path);
    } else {
        T_EXPECT(e != OK, "%s: accepted", c->name);
        T_EXPECT(e == OK || strstr(d.msg, c->want) != NULL, "%s: said '%s', want '%s'", c->name,
                 d.msg, c->want);
        T_EXPECT(e == OK || c->path == NULL || sv_ends(sv_str(d.path), sv_str(c->path)),
                 "%s: at '%s', want '%s'", c->name, d.path, c->path);
    }
    snap_drop(&s);
    str_fini(&yaml);
}

ProtobufCMessage *fake_parse(const char *yaml, struct arena *a)
{
    struct reflect_text in = {.text = sv_str(yaml), .syntax = REFLECT_YAML};
    struct diag d = {0};
    ProtobufCMessage *m = NULL;
    enum err e =
        reflect_parse(&in, &envoy__config__bootstrap__v3__bootstrap__descriptor, a, &m, &d);
    T_EXPECT(e == OK, "%s: %s", d.path, d.msg);
    return e == OK ? m : NULL;
}
