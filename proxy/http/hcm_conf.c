/* HttpConnectionManager message -> struct hcm_conf. Main thread. */
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb-c.h"
#include "proxy/http/hcm_int.h"
#include "proxy/observe/env.h"

typedef Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpConnectionManager Hcm;
typedef Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpFilter HcmFilter;

/* One receive has to hold a whole head (LOOP_SCRATCH), with room for what follows it. */
enum { MAX_HEAD_KB = 96 };

static struct sv keep(const char *s)
{
    return sv_str(s != NULL ? s : "");
}

static enum err duration(const Google__Protobuf__Duration *d, uint64_t dflt, uint64_t *out,
                         const char *field, struct diag *diag)
{
    enum err e = model_duration_ms((const ProtobufCMessage *)d, dflt, out, diag);
    if (e != OK)
        diag_prefix(diag, "%s", field);
    return e;
}

static enum err time_outs(const Hcm *m, struct hcm_conf *c, struct diag *d)
{
    TRY(duration(m->stream_idle_timeout, 300000, &c->stream_idle_ms, "stream_idle_timeout", d));
    TRY(duration(m->request_timeout, 0, &c->request_ms, "request_timeout", d));
    TRY(duration(m->request_headers_timeout, 0, &c->request_headers_ms, "request_headers_timeout",
                 d));
    TRY(duration(m->drain_timeout, 5000, &c->drain_ms, "drain_timeout", d));
    TRY(duration(m->delayed_close_timeout, 1000, &c->delayed_close_ms, "delayed_close_timeout", d));
    c->idle_ms = 3600000;
    if (m->common_http_protocol_options == NULL)
        return OK;
    TRY(duration(m->common_http_protocol_options->idle_timeout, 3600000, &c->idle_ms,
                 "common_http_protocol_options.idle_timeout", d));
    return duration(m->common_http_protocol_options->max_connection_duration, 0,
                    &c->max_connection_ms, "common_http_protocol_options.max_connection_duration",
                    d);
}

static enum err limits(const Hcm *m, struct hcm_conf *c, struct diag *d)
{
    uint32_t kb = m->max_request_headers_kb != NULL ? m->max_request_headers_kb->value : 60;
    if (kb > MAX_HEAD_KB) {
        enum err e = diag_fail(d, E_UNSUPPORTED, "values above %d are not supported", MAX_HEAD_KB);
        diag_prefix(d, "max_request_headers_kb");
        return e;
    }
    c->limits.max_head_bytes = kb * 1024;
    c->limits.max_headers = 100;
    const Envoy__Config__Core__V3__HttpProtocolOptions *o = m->common_http_protocol_options;
    if (o == NULL)
        return OK;
    if (o->max_headers_count != NULL)
        c->limits.max_headers = o->max_headers_count->value;
    if (o->max_requests_per_connection != NULL)
        c->max_requests = o->max_requests_per_connection->value;
    static const enum h1_underscore actions[] = {H1_UNDERSCORE_ALLOW, H1_UNDERSCORE_REJECT,
                                                 H1_UNDERSCORE_DROP};
    c->limits.underscores = actions[o->headers_with_underscores_action];
    return OK;
}

static void http1(const Hcm *m, struct hcm_conf *c)
{
    const Envoy__Config__Core__V3__Http1ProtocolOptions *o = m->http_protocol_options;
    c->allow_absolute_url = true;
    if (o == NULL)
        return;
    c->allow_absolute_url = bool_value(o->allow_absolute_url, true);
    c->accept_http_10 = o->accept_http_10;
    c->default_host_10 = keep(o->default_host_for_http_10);
    c->enable_trailers = o->enable_trailers;
    c->limits.allow_chunked_length = o->allow_chunked_length;
}

static void headers(const Hcm *m, struct hcm_conf *c, const struct env *env)
{
    c->server_name =
        m->server_name != NULL && m->server_name[0] != '\0' ? keep(m->server_name) : SV("envoy");
    c->server_header = (enum server_header)m->server_header_transformation;
    c->via = keep(m->via);
    c->local_ip = env->local_ip;
    c->use_remote_address = bool_value(m->use_remote_address, false);
    c->xff_hops = m->xff_num_trusted_hops;
    c->skip_xff_append = m->skip_xff_append;
    c->generate_request_id = bool_value(m->generate_request_id, true);
    c->preserve_external_request_id = m->preserve_external_request_id;
    c->always_set_request_id_in_response = m->always_set_request_id_in_response;
    if (bool_value(m->add_user_agent, false)) {
        c->user_agent = env->node_cluster;
        c->node_id = env->node_id;
    }
}

static enum err filters(const Hcm *m, struct model_build *b, struct hcm_conf *c, struct diag *d)
{
    struct http_filter *list = ARENA_ARRAY(b->arena, struct http_filter, m->n_http_filters);
    if (list == NULL && m->n_http_filters > 0)
        return diag_fail(d, E_NOMEM, "out of memory");
    for (size_t i = 0; i < m->n_http_filters; i++) {
        const HcmFilter *f = m->http_filters[i];
        struct m_ext ext;
        struct any_view any = any_view_of(f->typed_config);
        enum err e = f->disabled
                         ? diag_fail(d, E_UNSUPPORTED, "disabled is not supported")
                         : model_ext(b, b->registry->http_filters, keep(f->name), &any, &ext, d);
        if (e != OK) {
            diag_prefix(d, "http_filters[%zu]", i);
            return e;
        }
        if (ext.ext->terminal && i + 1 < m->n_http_filters)
            return diag_fail(
                d, E_PARSE,
                "Error: terminal filter named %s of type %s must be the last filter in a http "
                "filter chain.",
                f->name, ext.ext->name);
        list[i].ops = const_container_of(ext.ext, struct http_filter_ops, ext);
        list[i].conf = ext.conf;
        list[i].state_at = (uint32_t)c->states_size;
        c->states_size += (list[i].ops->state_size + 15) & ~(size_t)15;
    }
    c->filters = list;
    c->n_filters = m->n_http_filters;
    if (c->n_filters == 0 || !list[c->n_filters - 1].ops->ext.terminal) {
        const char *last = c->n_filters > 0 ? list[c->n_filters - 1].ops->ext.name : "";
        return diag_fail(
            d, E_PARSE,
            "Error: non-terminal filter named %s of type %s is the last filter in a http filter "
            "chain.",
            last, last);
    }
    return OK;
}

static enum err stat(struct stats *st, const struct hcm_conf *c, const char *name, int kind,
                     stat_id *out)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "http.%.*s.%s", SVF(c->stat_prefix), name);
    if (n < 0 || (size_t)n >= sizeof(text))
        return E_LIMIT;
    struct sv full = sv_of(text, (size_t)n);
    return kind == STAT_COUNTER ? stats_counter(st, full, out)
           : kind == STAT_GAUGE ? stats_gauge(st, full, out)
                                : stats_histogram(st, full, STAT_UNIT_MS, out);
}

static enum err statistics(struct stats *st, struct hcm_conf *c)
{
#define X(name) TRY(stat(st, c, #name, STAT_COUNTER, &c->st.name));
    HCM_COUNTERS(X)
#undef X
#define X(name) TRY(stat(st, c, #name, STAT_GAUGE, &c->st.name));
    HCM_GAUGES(X)
#undef X
    TRY(stat(st, c, "downstream_cx_length_ms", STAT_HISTOGRAM, &c->st.downstream_cx_length_ms));
    return stat(st, c, "downstream_rq_time", STAT_HISTOGRAM, &c->st.downstream_rq_time);
}

static enum err codec(const Hcm *m, struct diag *d)
{
    const char *name = m->codec_type == 2 ? "HTTP2" : m->codec_type == 3 ? "HTTP3" : NULL;
    if (name == NULL)
        return OK;
    enum err e = diag_fail(d, E_UNSUPPORTED, "%s is not supported", name);
    diag_prefix(d, "codec_type");
    return e;
}

enum err hcm_conf(const struct any_view *in, struct model_build *b, const void **out,
                  struct diag *d)
{
    const ProtobufCMessage *msg = NULL;
    struct hcm_conf *c = ARENA_NEW(b->arena, struct hcm_conf);
    if (c == NULL)
        return diag_fail(d, E_NOMEM, "out of memory");
    TRY(model_unpack(
        b, in,
        &envoy__extensions__filters__network__http_connection_manager__v3__http_connection_manager__descriptor,
        &msg, d));
    const Hcm *m = (const void *)msg;
    c->stat_prefix = keep(m->stat_prefix);
    TRY(codec(m, d));
    TRY(time_outs(m, c, d));
    TRY(limits(m, c, d));
    http1(m, c);
    headers(m, c, env_of(b));
    if (m->route_config == NULL)
        return diag_fail(d, E_PARSE,
                         "route_config is required (rds and scoped_routes are not supported)");
    enum err e = model_route_config(b, (const ProtobufCMessage *)m->route_config, &c->routes, d);
    if (e != OK) {
        diag_prefix(d, "route_config");
        return e;
    }
    TRY(filters(m, b, c, d));
    TRY(loggers_conf(b, (ProtobufCMessage *const *)m->access_log, m->n_access_log, &c->logs,
                     &c->n_logs, d));
    if (statistics(env_of(b)->stats, c) != OK)
        return diag_fail(d, E_LIMIT, "too many statistics, or a stat_prefix that is too long");
    *out = c;
    return OK;
}

enum err hcm_conf_bind(const void *conf, struct sv listener, uint32_t buffer_limit,
                       struct stats *st)
{
    /* Still private to main: publishing comes after. */
    struct hcm_conf *c = (struct hcm_conf *)(uintptr_t)conf;
    static const char *const names[] = {"completed", "1xx", "2xx", "3xx", "4xx", "5xx"};
    c->buffer_limit = buffer_limit;
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        char text[512];
        int n = snprintf(text, sizeof(text), "listener.%.*s.http.%.*s.downstream_rq_%s",
                         SVF(listener), SVF(c->stat_prefix), names[i]);
        if (n < 0 || (size_t)n >= sizeof(text))
            return E_LIMIT;
        TRY(stats_counter(st, sv_of(text, (size_t)n),
                          i == 0 ? &c->st.listener_completed : &c->st.listener_class[i]));
    }
    return OK;
}
