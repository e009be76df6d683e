#pragma once
/* Access loggers as extensions (file, stdout, stderr), shared by the HTTP connection manager and
 * tcp_proxy. */
#include "config/model/model.h"
#include "proxy/observe/access_log.h"

struct access_logger {
    const struct alog_prog *prog;
    struct alog_file *file; /* NULL in validate mode */
};

/* NULL-terminated, for the registry. */
extern const struct model_ext *const access_loggers[];

/* access_log entries -> loggers in the snapshot's arena. Main thread. */
MUST enum err loggers_conf(struct model_build *b, ProtobufCMessage *const *msgs, size_t n,
                           const struct access_logger **out, size_t *n_out, struct diag *d);
/* Writes one line per logger. Worker. */
void loggers_write(const struct access_logger *logs, size_t n, const struct stream_info *si,
                   uint64_t now_wall_us, unsigned worker);
