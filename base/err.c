/* Names of error codes, diagnostics for people, and the abort behind BUG_ON. Any thread. */
#include "base/err.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bug_fail(const char *file, int line, const char *expr)
{
    fprintf(stderr, "BUG at %s:%d: %s\n", file, line, expr);
    abort();
}

enum err diag_fail(struct diag *d, enum err e, const char *fmt, ...)
{
    char msg[sizeof d->msg];
    va_list ap;

    if (d == NULL)
        return e;
    /* Through a copy: the arguments may be the very texts of d. */
    va_start(ap, fmt);
    if (vsnprintf(msg, sizeof msg, fmt, ap) < 0)
        msg[0] = '\0';
    va_end(ap);
    memcpy(d->msg, msg, strlen(msg) + 1);
    d->path[0] = '\0';
    return e;
}

void diag_prefix(struct diag *d, const char *fmt, ...)
{
    char path[sizeof d->path];
    va_list ap;

    if (d == NULL)
        return;
    va_start(ap, fmt);
    if (vsnprintf(path, sizeof path, fmt, ap) < 0)
        path[0] = '\0';
    va_end(ap);

    size_t n = strlen(path), more = strlen(d->path);
    if (more != 0 && d->path[0] != '[' && n < sizeof path - 1)
        path[n++] = '.';
    if (more > sizeof path - 1 - n)
        more = sizeof path - 1 - n;
    memcpy(path + n, d->path, more);
    path[n + more] = '\0';
    memcpy(d->path, path, n + more + 1);
}

const char *err_name(enum err e)
{
    switch (e) {
    case OK:
        return "ok";
    case E_NOMEM:
        return "no_memory";
    case E_AGAIN:
        return "again";
    case E_PARSE:
        return "parse";
    case E_LIMIT:
        return "limit";
    case E_PROTO:
        return "protocol";
    case E_CLOSED:
        return "closed";
    case E_TIMEOUT:
        return "timeout";
    case E_NOTFOUND:
        return "not_found";
    case E_CONFLICT:
        return "conflict";
    case E_UNSUPPORTED:
        return "unsupported";
    case E_IO:
        return "io";
    case E_INTERNAL:
        return "internal";
    }
    return "unknown";
}
