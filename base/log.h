#pragma once
/* Structured log: stable event key, then key=value text. Levels per component, as Envoy has them.
 *
 * The default line is Envoy's:
 *   [2026-01-02 03:04:05.678][tid][level][component] [file:line] event k=v
 *
 * Any thread may log; each line is one write(2), control characters in it are escaped. Levels are
 * read relaxed and may change at run time. A call site is limited to LOG_BURST lines a second and
 * thread; what was dropped is counted and said with its next line ("suppressed=N"). */
#include "base/sv.h"

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR, LOG_CRITICAL, LOG_OFF };

/* One per logger name that /logging lists. */
enum log_component {
    LOGC_MAIN,
    LOGC_ADMIN,
    LOGC_CLIENT,
    LOGC_CONFIG,
    LOGC_CONNECTION,
    LOGC_DNS,
    LOGC_FILTER,
    LOGC_HTTP,
    LOGC_POOL,
    LOGC_ROUTER,
    LOGC_RUNTIME,
    LOGC_STATS,
    LOGC_UPSTREAM,
    LOGC_IPTABLES,
    LOGC_COUNT
};

enum { LOG_BURST = 20 };

struct log_site {
    uint64_t window; /* the second being counted */
    uint32_t in_window, suppressed;
};

/* path NULL: stderr. format NULL: Envoy's default; of its flags %Y %m %d %H %M %S %T %e %t %P %l %n
 * %g %s %# %v and %% are known. Main thread, before others run. E_PARSE: another flag; E_LIMIT: the
 * format is too long; E_IO: the file cannot be opened. */
MUST enum err log_open(const char *path, const char *format);
/* Reopens the file given to log_open (SIGUSR1); nothing for stderr. */
MUST enum err log_reopen(void);
void log_close(void);

void log_set_level(enum log_component c, enum log_level l);
void log_set_all(enum log_level l);
enum log_level log_get_level(enum log_component c);
const char *log_component_name(enum log_component c);
const char *log_level_name(enum log_level l); /* trace debug info warning error critical off */
/* "warn" is accepted for warning. E_NOTFOUND otherwise. */
MUST enum err log_level_parse(struct sv name, enum log_level *out);
MUST enum err log_component_parse(struct sv name, enum log_component *out);
/* "upstream:debug,config:trace": all or nothing. */
MUST enum err log_set_components(struct sv list, struct diag *d);

bool log_enabled(enum log_component c, enum log_level l);
void log_write(struct log_site *site, enum log_component c, enum log_level l, const char *file,
               int line, const char *event, const char *fmt, ...) PRINTF(7, 8);

/* The file defines LOG_COMPONENT before including this header to name its component. */
#ifndef LOG_COMPONENT
#define LOG_COMPONENT LOGC_MAIN
#endif
#define LOG_AT(level, event, ...)                                                                  \
    do {                                                                                           \
        static _Thread_local struct log_site log_site_;                                            \
        if (UNLIKELY(log_enabled(LOG_COMPONENT, level)))                                           \
            log_write(&log_site_, LOG_COMPONENT, level, __FILE__, __LINE__, event, __VA_ARGS__);   \
    } while (0)
#define log_trace(event, ...) LOG_AT(LOG_TRACE, event, __VA_ARGS__)
#define log_debug(event, ...) LOG_AT(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) LOG_AT(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) LOG_AT(LOG_WARNING, event, __VA_ARGS__)
#define log_error(event, ...) LOG_AT(LOG_ERROR, event, __VA_ARGS__)
#define log_critical(event, ...) LOG_AT(LOG_CRITICAL, event, __VA_ARGS__)
