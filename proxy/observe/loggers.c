/* Access loggers; see loggers.h. */
#include "proxy/observe/loggers.h"
#include "envoy/extensions/access_loggers/file/v3/file.pb-c.h"
#include "envoy/extensions/access_loggers/stream/v3/stream.pb-c.h"
#include "proxy/env.h"

enum { LINE_MAX_BYTES = 16 * 1024 };

static enum err open_log(struct model_build *b, struct sv path, const void **out, struct diag *d)
{
    struct access_logger *l = ARENA_NEW(b->arena, struct access_logger);
    if (l == NULL)
        return diag_fail(d, E_NOMEM, "out of memory");
    TRY(alog_compile(alog_default_format(), b->arena, &l->prog, d));
    if (env_of(b)->alog != NULL)
        TRY(alog_open(env_of(b)->alog, path, &l->file, d));
    *out = l;
    return OK;
}

static enum err file_conf(const struct any_view *in, struct model_build *b, const void **out, struct diag *d)
{
    const ProtobufCMessage *msg = NULL;
    TRY(model_unpack(b, in, &envoy__extensions__access_loggers__file__v3__file_access_log__descriptor, &msg, d));
    const Envoy__Extensions__AccessLoggers__File__V3__FileAccessLog *f = (const void *)msg;
    return open_log(b, sv_str(f->path), out, d);
}

static enum err stdout_conf(const struct any_view *in, struct model_build *b, const void **out, struct diag *d)
{
    (void)in;
    return open_log(b, SV("/dev/stdout"), out, d);
}

static enum err stderr_conf(const struct any_view *in, struct model_build *b, const void **out, struct diag *d)
{
    (void)in;
    return open_log(b, SV("/dev/stderr"), out, d);
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
const struct model_ext *const access_loggers[] = {&file_logger, &stdout_logger, &stderr_logger, NULL};

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
