/* Extensions by the type of their configuration, and the lists that hold them: HTTP filters, access
 * loggers. Called by the other parts of the model and by conf callbacks of the data plane. Main
 * thread. */
#include "config/model/model_int.h"
#include "config/reflect/reflect.h"
#include "config/reflect/rules.h"
#include "envoy/extensions/access_loggers/file/v3/file.pb-c.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb-c.h"

/* What follows the last '/' of a type URL. */
static struct sv url_type(const char *url)
{
    struct sv s = sv_str(url);
    size_t slash = sv_rfind(s, '/');
    return slash == SIZE_MAX ? s : sv_skip(s, slash + 1);
}

struct any_view model_any(const Google__Protobuf__Any *any)
{
    if (any == NULL)
        return (struct any_view){.type_url = ""};
    return (struct any_view){
        .type_url = any->type_url, .bytes = any->value.data, .n = any->value.len};
}

enum err model_unpack(struct model_build *b, const struct any_view *in,
                      const ProtobufCMessageDescriptor *desc, const ProtobufCMessage **out,
                      struct diag *d)
{
    struct sv type = url_type(in->type_url);
    if (type.n != 0 && !sv_eq(type, sv_str(desc->name)))
        return diag_fail(d, E_PARSE, "Unable to unpack as %s: %s", desc->name, in->type_url);
    ProtobufCMessage *m = NULL;
    TRY(reflect_unpack(sv_of((const char *)in->bytes, in->n), desc, b->arena, &m, d));
    TRY(rules_check(m, d));
    *out = m;
    return OK;
}

/* NULL when it is not in the list. */
static const struct model_ext *find(const struct model_ext *const *list, const char *type_url)
{
    struct sv type = url_type(type_url);
    for (size_t i = 0; type.n != 0 && list != NULL && list[i] != NULL; i++)
        if (sv_eq(type, sv_str(list[i]->type_url)))
            return list[i];
    return NULL;
}

enum err model_ext(struct model_build *b, const struct model_ext *const *list, struct sv name,
                   const struct any_view *typed_config, struct m_ext *out, struct diag *d)
{
    const struct model_ext *ext = find(list, typed_config->type_url);
    if (ext == NULL)
        return diag_fail(d, E_UNSUPPORTED,
                         "Didn't find a registered implementation for '%.*s' with type URL: '%.*s'",
                         SVF(name), SVF(url_type(typed_config->type_url)));
    const void *conf = NULL;
    if (ext->conf != NULL)
        TRY(model_at(ext->conf(typed_config, b, &conf, d), d, "typed_config"));
    *out = (struct m_ext){.ext = ext, .name = name, .conf = conf};
    return OK;
}

enum err model_check_terminal(const struct m_ext *f, const char *kind, bool last, struct diag *d)
{
    if (f->ext->terminal && !last)
        return diag_fail(d, E_PARSE,
                         "Error: terminal filter named %.*s of type %s must be the last filter in "
                         "a %s filter chain.",
                         SVF(f->name), f->ext->name, kind);
    if (!f->ext->terminal && last)
        return diag_fail(d, E_PARSE,
                         "Error: non-terminal filter named %.*s of type %s is the last filter in a "
                         "%s filter chain.",
                         SVF(f->name), f->ext->name, kind);
    return OK;
}

/* ---- HTTP filters ---- */

/* *used tells whether out was filled. */
static enum err read_http_filter(
    struct model_build *b,
    const Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpFilter *m, bool last,
    struct m_ext *out, bool *used, struct diag *d)
{
    struct any_view any = model_any(m->typed_config);
    *used = false;
    if (m->is_optional && find(b->registry->http_filters, any.type_url) == NULL)
        return OK;
    TRY(model_ext(b, b->registry->http_filters, sv_str(m->name), &any, out, d));
    TRY(model_check_terminal(out, "http", last, d));
    if (m->disabled && last)
        return diag_fail(d, E_PARSE,
                         "Error: the last (terminal) filter (%s) in the chain cannot be disabled "
                         "by default.",
                         m->name);
    *used = !m->disabled;
    return OK;
}

enum err model_http_filters(struct model_build *b, ProtobufCMessage *const *msgs, size_t n,
                            const struct m_ext **out, size_t *n_out, struct diag *d)
{
    struct m_ext *all = ARENA_ARRAY(b->arena, struct m_ext, n);
    if (all == NULL)
        return model_no_memory(d);
    size_t used_n = 0;
    for (size_t i = 0; i < n; i++) {
        const Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpFilter *m =
            (const Envoy__Extensions__Filters__Network__HttpConnectionManager__V3__HttpFilter *)
                msgs[i];
        bool used;
        enum err e = read_http_filter(b, m, i + 1 == n, &all[used_n], &used, d);
        if (e != OK) {
            diag_prefix(d, "http_filters[%zu]", i);
            return e;
        }
        used_n += used ? 1 : 0;
    }
    *out = all;
    *n_out = used_n;
    return OK;
}

/* ---- access logs ---- */

static enum err read_access_log(struct model_build *b,
                                const Envoy__Config__Accesslog__V3__AccessLog *m, struct m_ext *out,
                                struct diag *d)
{
    struct any_view any = model_any(m->typed_config);
    return model_ext(b, b->registry->access_loggers, sv_str(m->name), &any, out, d);
}

static enum err read_access_logs(struct model_build *b, ProtobufCMessage *const *msgs, size_t n,
                                 struct m_ext *out, struct diag *d)
{
    for (size_t i = 0; i < n; i++) {
        const Envoy__Config__Accesslog__V3__AccessLog *m =
            (const Envoy__Config__Accesslog__V3__AccessLog *)msgs[i];
        enum err e = read_access_log(b, m, &out[i], d);
        if (e != OK) {
            diag_prefix(d, "access_log[%zu]", i);
            return e;
        }
    }
    return OK;
}

enum err model_access_logs(struct model_build *b, ProtobufCMessage *const *msgs, size_t n,
                           const struct m_ext **out, size_t *n_out, struct diag *d)
{
    struct m_ext *all = ARENA_ARRAY(b->arena, struct m_ext, n);
    if (all == NULL)
        return model_no_memory(d);
    TRY(read_access_logs(b, msgs, n, all, d));
    *out = all;
    *n_out = n;
    return OK;
}

/* The deprecated admin.access_log_path means a file logger with the default format. */
static enum err read_log_path(struct model_build *b, char *path, struct m_ext *out, struct diag *d)
{
    Envoy__Extensions__AccessLoggers__File__V3__FileAccessLog file;
    envoy__extensions__access_loggers__file__v3__file_access_log__init(&file);
    file.path = path;
    struct sv bytes = reflect_pack(&file.base, b->arena);
    if (bytes.p == NULL)
        return model_no_memory(d);
    struct any_view any = {
        .type_url = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
        .bytes = (const uint8_t *)bytes.p,
        .n = bytes.n,
    };
    return model_ext(b, b->registry->access_loggers, SV("envoy.access_loggers.file"), &any, out, d);
}

enum err model_admin_logs(struct model_build *b, const Envoy__Config__Bootstrap__V3__Admin *m,
                          struct diag *d)
{
    struct m_ext *all = ARENA_ARRAY(b->arena, struct m_ext, m->n_access_log + 1);
    if (all == NULL)
        return model_no_memory(d);
    TRY(read_access_logs(b, (ProtobufCMessage *const *)m->access_log, m->n_access_log, all, d));
    b->snap->admin.access_logs = all;
    b->snap->admin.n_access_logs = m->n_access_log;
    if (m->access_log_path[0] == '\0')
        return OK;
    TRY(model_at(read_log_path(b, m->access_log_path, &all[m->n_access_log], d), d,
                 "access_log_path"));
    b->snap->admin.n_access_logs++;
    return OK;
}
