/* The log: levels, names, the line format, and the descriptor lines go to. Any thread may write;
 * opening, closing and reopening belong to the main thread.
 *
 * Nothing is queued: a line is built on the caller's stack and given to one write(2). A line that
 * the kernel does not take is lost, because the log must never hold up traffic. */
#include "base/log.h"
#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define FORMAT_DEFAULT "[%Y-%m-%d %T.%e][%t][%l][%n] [%g:%#] %v"
#define FORMAT_FLAGS "YmdHMSTetlngs#vP%"

enum { FORMAT_MAX = 256, TEXT_MAX = 4096, LINE_MAX_ = TEXT_MAX + 1024 };

static const char *const component_names[LOGC_COUNT] = {
    [LOGC_MAIN] = "main",
    [LOGC_ADMIN] = "admin",
    [LOGC_CLIENT] = "client",
    [LOGC_CONFIG] = "config",
    [LOGC_CONNECTION] = "connection",
    [LOGC_DNS] = "dns",
    [LOGC_FILTER] = "filter",
    [LOGC_HTTP] = "http",
    [LOGC_POOL] = "pool",
    [LOGC_ROUTER] = "router",
    [LOGC_RUNTIME] = "runtime",
    [LOGC_STATS] = "stats",
    [LOGC_UPSTREAM] = "upstream",
    [LOGC_IPTABLES] = "iptables",
};

static const char *const level_names[] = {
    [LOG_TRACE] = "trace",     [LOG_DEBUG] = "debug", [LOG_INFO] = "info",
    [LOG_WARNING] = "warning", [LOG_ERROR] = "error", [LOG_CRITICAL] = "critical",
    [LOG_OFF] = "off",
};

static _Atomic uint8_t levels[LOGC_COUNT] = {[0 ... LOGC_COUNT - 1] = LOG_INFO};

/* Written by log_open and log_close while no other thread runs. */
static char line_format[FORMAT_MAX] = FORMAT_DEFAULT;
static char *file_path; /* NULL: stderr */
static int out_fd = STDERR_FILENO;

static enum err check_format(const char *format)
{
    if (strlen(format) >= FORMAT_MAX)
        return E_LIMIT;
    for (const char *p = format; (p = strchr(p, '%')) != NULL; p += 2)
        if (p[1] == '\0' || strchr(FORMAT_FLAGS, p[1]) == NULL)
            return E_PARSE;
    return OK;
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
}

enum err log_open(const char *path, const char *format)
{
    int fd = STDERR_FILENO;
    char *copy = NULL;

    if (format == NULL)
        format = FORMAT_DEFAULT;
    TRY(check_format(format));
    if (path != NULL) {
        copy = strdup(path);
        if (copy == NULL)
            return E_NOMEM;
        fd = open_file(path);
        if (fd < 0) {
            free(copy);
            return E_IO;
        }
    }
    log_close();
    memcpy(line_format, format, strlen(format) + 1);
    file_path = copy;
    out_fd = fd;
    return OK;
}

enum err log_reopen(void)
{
    if (file_path == NULL)
        return OK;
    int fd = open_file(file_path);
    if (fd < 0)
        return E_IO;
    /* The number stays, so writers on other threads never see a closed descriptor. */
    int moved = dup3(fd, out_fd, O_CLOEXEC);
    close(fd);
    return moved < 0 ? E_IO : OK;
}

void log_close(void)
{
    if (file_path != NULL)
        close(out_fd);
    free(file_path);
    file_path = NULL;
    out_fd = STDERR_FILENO;
    memcpy(line_format, FORMAT_DEFAULT, sizeof FORMAT_DEFAULT);
}

void log_set_level(enum log_component c, enum log_level l)
{
    atomic_store_explicit(&levels[c], (uint8_t)l, memory_order_relaxed);
}

void log_set_all(enum log_level l)
{
    for (size_t c = 0; c < LOGC_COUNT; c++)
        log_set_level((enum log_component)c, l);
}

enum log_level log_get_level(enum log_component c)
{
    return (enum log_level)atomic_load_explicit(&levels[c], memory_order_relaxed);
}

const char *log_component_name(enum log_component c)
{
    return component_names[c];
}

const char *log_level_name(enum log_level l)
{
    return level_names[l];
}

enum err log_level_parse(struct sv name, enum log_level *out)
{
    if (sv_eq(name, SV("warn")))
        name = SV("warning");
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (sv_eq(name, sv_str(level_names[i]))) {
            *out = (enum log_level)i;
            return OK;
        }
    }
    return E_NOTFOUND;
}

enum err log_component_parse(struct sv name, enum log_component *out)
{
    for (size_t i = 0; i < LOGC_COUNT; i++) {
        if (sv_eq(name, sv_str(component_names[i]))) {
            *out = (enum log_component)i;
            return OK;
        }
    }
    return E_NOTFOUND;
}

enum err log_set_components(struct sv list, struct diag *d)
{
    enum log_level wanted[LOGC_COUNT];
    struct sv rest = list, item;

    for (size_t c = 0; c < LOGC_COUNT; c++)
        wanted[c] = log_get_level((enum log_component)c);
    while (list.n != 0 && sv_split(&rest, ',', &item)) {
        enum log_component c = LOGC_MAIN;
        enum log_level l = LOG_INFO;
        size_t colon = sv_find(item, ':', 0);

        if (colon == SIZE_MAX)
            return diag_fail(d, E_PARSE, "'%.*s' is not <component>:<level>", SVF(item));
        struct sv name = sv_of(item.p, colon), level = sv_skip(item, colon + 1);
        if (log_component_parse(name, &c) != OK)
            return diag_fail(d, E_NOTFOUND, "no log component '%.*s'", SVF(name));
        if (log_level_parse(level, &l) != OK)
            return diag_fail(d, E_NOTFOUND, "no log level '%.*s'", SVF(level));
        wanted[c] = l;
    }
    for (size_t c = 0; c < LOGC_COUNT; c++)
        log_set_level((enum log_component)c, wanted[c]);
    return OK;
}

bool log_enabled(enum log_component c, enum log_level l)
{
    return l < LOG_OFF && l >= log_get_level(c);
}

/* Text of bounded length on the stack; what does not fit is cut off. */
struct line {
    char p[LINE_MAX_];
    size_t n;
};

/* Control characters are escaped: text from a peer must not forge a line of its own. */
static void add_text(struct line *l, struct sv text)
{
    static const char digits[] = "0123456789abcdef";

    /* Room is kept for the longest escape and the newline of the line. */
    for (size_t i = 0; i < text.n && l->n + 5 < sizeof l->p; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c >= 0x20 && c != 0x7f) {
            l->p[l->n++] = (char)c;
        } else if (c == '\n' || c == '\r' || c == '\t') {
            l->p[l->n++] = '\\';
            l->p[l->n++] = c == '\n' ? 'n' : c == '\r' ? 'r' : 't';
        } else {
            l->p[l->n++] = '\\';
            l->p[l->n++] = 'x';
            l->p[l->n++] = digits[c >> 4];
            l->p[l->n++] = digits[c & 15];
        }
    }
}

static void add_number(struct line *l, long long v, int width)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%0*lld", width, v);
    add_text(l, sv_of(text, n < 0 ? 0 : (size_t)n));
}

/* What one call of log_write knows. */
struct record {
    enum log_component component;
    enum log_level level;
    const char *file;
    int line;
    struct sv text;
    struct tm at;
    unsigned ms;
};

static long thread_id(void)
{
    static _Thread_local long id;
    if (id == 0)
        id = gettid();
    return id;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static void add_time_flag(struct line *l, char flag, const struct record *r)
{
    switch (flag) {
    case 'Y':
        add_number(l, r->at.tm_year + 1900, 4);
        break;
    case 'm':
        add_number(l, r->at.tm_mon + 1, 2);
        break;
    case 'd':
        add_number(l, r->at.tm_mday, 2);
        break;
    case 'H':
        add_number(l, r->at.tm_hour, 2);
        break;
    case 'M':
        add_number(l, r->at.tm_min, 2);
        break;
    case 'S':
        add_number(l, r->at.tm_sec, 2);
        break;
    case 'e':
        add_number(l, r->ms, 3);
        break;
    default: /* 'T' */
        add_number(l, r->at.tm_hour, 2);
        add_text(l, SV(":"));
        add_number(l, r->at.tm_min, 2);
        add_text(l, SV(":"));
        add_number(l, r->at.tm_sec, 2);
        break;
    }
}

static void add_flag(struct line *l, char flag, const struct record *r)
{
    switch (flag) {
    case 't':
        add_number(l, thread_id(), 0);
        break;
    case 'P':
        add_number(l, getpid(), 0);
        break;
    case 'l':
        add_text(l, sv_str(log_level_name(r->level)));
        break;
    case 'n':
        add_text(l, sv_str(log_component_name(r->component)));
        break;
    case 'g':
        add_text(l, sv_str(r->file));
        break;
    case 's':
        add_text(l, sv_str(base_name(r->file)));
        break;
    case '#':
        add_number(l, r->line, 0);
        break;
    case 'v':
        add_text(l, r->text);
        break;
    case '%':
        add_text(l, SV("%"));
        break;
    default:
        add_time_flag(l, flag, r);
        break;
    }
}

static void write_line(const struct record *r)
{
    struct line l;

    l.n = 0;
    for (const char *p = line_format; *p != '\0'; p++) {
        if (*p == '%')
            add_flag(&l, *++p, r);
        else
            add_text(&l, sv_of(p, 1));
    }
    l.p[l.n++] = '\n';
    ssize_t done = write(out_fd, l.p, l.n);
    if (done < 0 && errno == EINTR)
        done = write(out_fd, l.p, l.n);
    (void)done;
}

/* False when this second's lines are used up; *suppressed: lines dropped since the last one let
 * through. */
static bool site_allows(struct log_site *site, uint64_t now_s, uint32_t *suppressed)
{
    if (site->window != now_s) {
        site->window = now_s;
        site->in_window = 0;
    }
    if (site->in_window == LOG_BURST) {
        site->suppressed++;
        return false;
    }
    site->in_window++;
    *suppressed = site->suppressed;
    site->suppressed = 0;
    return true;
}

/* "event k=v suppressed=N"; returns its length. What is too long is cut in the middle part. */
static size_t build_text(char *out, size_t room, const char *event, uint32_t suppressed,
                         struct sv fields)
{
    char tail[32] = "";
    if (suppressed != 0)
        snprintf(tail, sizeof tail, " suppressed=%u", suppressed);
    size_t keep = room - sizeof tail;
    int n = snprintf(out, keep, "%s%s%.*s", event, fields.n == 0 ? "" : " ", SVF(fields));
    size_t len = n < 0 ? 0 : (size_t)n < keep ? (size_t)n : keep - 1;
    memcpy(out + len, tail, strlen(tail));
    return len + strlen(tail);
}

void log_write(struct log_site *site, enum log_component c, enum log_level l, const char *file,
               int line, const char *event, const char *fmt, ...)
{
    const struct clock *clock = clock_system();
    char fields[TEXT_MAX - 256], text[TEXT_MAX];
    uint32_t suppressed = 0;
    int saved = errno; /* callers go on to use the errno they report */
    va_list ap;

    if (!site_allows(site, clock_mono_us(clock) / 1000000, &suppressed))
        return;
    va_start(ap, fmt);
    int n = vsnprintf(fields, sizeof fields, fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof fields ? (size_t)n : sizeof fields - 1;

    uint64_t wall_us = clock_wall_us(clock);
    time_t s = (time_t)(wall_us / 1000000);
    struct record r = {.component = c, .level = l, .file = file, .line = line};
    r.ms = (unsigned)(wall_us / 1000 % 1000);
    localtime_r(&s, &r.at);
    r.text = sv_of(text, build_text(text, sizeof text, event, suppressed, sv_of(fields, len)));
    write_line(&r);
    errno = saved;
}
