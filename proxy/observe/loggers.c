/* Access loggers; see loggers.h. */
#include "proxy/observe/loggers.h"
#include "envoy/extensions/access_loggers/file/v3/file.pb-c.h"
#include "envoy/extensions/access_loggers/stream/v3/stream.pb-c.h"
#include "proxy/observe/env.h"

enum { LINE_MAX_BYTES = 16 * 1024, FORMAT_MAX_BYTES = 64 * 1024 };

typedef Envoy__Config__Core__V3__SubstitutionFormatString Format;

/* NULL gives the default format. */
static enum err format_text(struct model_build *b, const Format *f, struct sv *out, struct diag *d)
{
    *out = alog_default_format();
    if (f == NULL)
        return OK;
    switch (f->format_case) {
    case ENVOY__CONFIG__CORE__V3__SUBSTITUTION_FORMAT_STRING__FORMAT_TEXT_FORMAT:
        *out = sv_str(f->text_format);
        return OK;
    case ENVOY__CONFIG__CORE__V3__SUBSTITUTION_FORMAT_STRING__FORMAT_TEXT_FORMAT_SOURCE: {
        enum err e = model_data_source(b, f->text_format_source, FORMAT_MAX_BYTES, out, d);
        if (e != OK)
            diag_prefix(d, "text_format_source");
        return e;
    }
    default:
        return diag_fail(d, E_PARSE, "a format is required");
    }
}

static enum err open_log(struct model_build *b, struct sv path, const Format *f, const void **out,
                         struct diag *d)
{
    struct access_logger *l = ARENA_NEW(b->arena, struct access_logger);
    struct sv text = SV_NONE;
    if (l == NULL)
        return diag_fail(d, E_NOMEM, "out of memory");
    enum err e = format_text(b, f, &text, d);
    if (e == OK)
        e = alog_compile(text, b->arena, &l->prog, d);
    if (e != OK) {
        diag_prefix(d, "log_format");
        return e;
    }
    if (env_of(b)->alog != NULL)
        TRY(alog_open(env_of(b)->alog, path, &l->file, d));
    *out = l;
    return OK;
}

static enum err file_conf(const struct any_view *in, struct model_build *b, const void **out,
                          struct diag *d)
{
    const ProtobufCMessage *msg = NULL;
    TRY(model_unpack(
        b, in, &envoy__extensions__access_loggers__file__v3__file_access_log__descriptor, &msg, d));
    const Envoy__Extensions__AccessLoggers__File__V3__FileAccessLog *f = (const void *)msg;
    Format old;
    const Format *format = NULL;
    switch (f->access_log_format_case) {
    case ENVOY__EXTENSIONS__ACCESS_LOGGERS__FILE__V3__FILE_ACCESS_LOG__ACCESS_LOG_FORMAT_LOG_FORMAT:
        format = f->log_format;
        break;
    case ENVOY__EXTENSIONS__ACCESS_LOGGERS__FILE__V3__FILE_ACCESS_LOG__ACCESS_LOG_FORMAT_FORMAT:
        envoy__config__core__v3__substitution_format_string__init(&old);
        old.format_case = ENVOY__CONFIG__CORE__V3__SUBSTITUTION_FORMAT_STRING__FORMAT_TEXT_FORMAT;
        old.text_format = f->format;
        format = f->format[0] != '\0' ? &old : NULL;
        break;
    default:
        break;
    }
    return open_log(b, sv_str(f->path), format, out, d);
}

static enum err stdout_conf(const struct any_view *in, struct model_build *b, const void **out,
                            struct diag *d)
{
    const ProtobufCMessage *msg = NULL;
    TRY(model_unpack(b, in,
                     &envoy__extensions__access_loggers__stream__v3__stdout_access_log__descriptor,
                     &msg, d));
    const Envoy__Extensions__AccessLoggers__Stream__V3__StdoutAccessLog *m = (const void *)msg;
    return open_log(b, SV("/dev/stdout"), m->access_log_format_case != 0 ? m->log_format : NULL,
                    out, d);
}

static enum err stderr_conf(const struct any_view *in, struct model_build *b, const void **out,
                            struct diag *d)
{
    const ProtobufCMessage *msg = NULL;
    TRY(model_unpack(b, in,
                     &envoy__extensions__access_loggers__stream__v3__stderr_access_log__descriptor,
                     &msg, d));
    const Envoy__Extensions__AccessLoggers__Stream__V3__StderrAccessLog *m = (const void *)msg;
    return open_log(b, SV("/dev/stderr"), m->access_log_format_case != 0 ? m->log_format : NULL,
                    out, d);
}

static const struct model_ext file_logger = {
    .name = "envoy.access_loggers.file",
    .type_url = "envoy.extensions.access_loggers.file.v3.FileAccessLog",
    .conf = file_conf,
};
static const struct model_ext stdout_logger = {
    .name = "envoy.access_loggers.stdout",
    .type_url = "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
    .conf = stdout_conf,
};
static const struct model_ext stderr_logger = {
    .name = "envoy.access_loggers.stderr",
    .type_url = "envoy.extensions.access_loggers.stream.v3.StderrAccessLog",
    .conf = stderr_conf,
};
const struct model_ext *const access_loggers[] = {&file_logger, &stdout_logger, &stderr_logger,
                                                  NULL};

enum err loggers_conf(struct model_build *b, ProtobufCMessage *const *msgs, size_t n,
                      const struct access_logger **out, size_t *n_out, struct diag *d)
{
    const struct m_ext *exts = NULL;
    size_t n_exts = 0;
    TRY(model_access_logs(b, msgs, n, &exts, &n_exts, d));
    struct access_logger *list = ARENA_ARRAY(b->arena, struct access_logger, n_exts + 1);
    if (list == NULL)
        return diag_fail(d, E_NOMEM, "out of memory");
    for (size_t i = 0; i < n_exts; i++)
        list[i] = *(const struct access_logger *)exts[i].conf;
    *out = list;
    *n_out = n_exts;
    return OK;
}

void loggers_write(const struct access_logger *logs, size_t n, const struct stream_info *si,
                   uint64_t now_wall_us, unsigned worker)
{
    for (size_t i = 0; i < n; i++) {
        char line[LINE_MAX_BYTES];
        size_t len = alog_run(logs[i].prog, si, now_wall_us, line, sizeof(line));
        alog_append(logs[i].file, worker, sv_of(line, len));
    }
}
