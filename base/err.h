#pragma once
/* The one error enum, and diagnostics for cold paths (configuration, APIs).
 *
 * A function that can fail returns enum err and writes its result only on OK.
 */
#include "base/compiler.h"

enum err {
    OK = 0,
    E_NOMEM = -100, /* an allocation or an arena's cap */
    E_AGAIN,        /* more input or a later readiness is needed */
    E_PARSE,        /* text that does not follow its grammar */
    E_LIMIT,        /* a configured or fixed limit is exceeded */
    E_PROTO,        /* a peer broke a protocol */
    E_CLOSED,       /* the other side is gone */
    E_TIMEOUT,
    E_NOTFOUND,
    E_CONFLICT,
    E_UNSUPPORTED, /* understood, not implemented: refused by name */
    E_IO,          /* a system call failed; errno holds why until the next call */
    E_INTERNAL,
};

/* Where a failure lies and what it is, for people. path: a field path such as
 * "static_resources.listeners[0].address", possibly empty. Both are NUL-terminated and truncated to
 * fit. */
struct diag {
    char path[192];
    char msg[512];
};

/* Fills d (which may be NULL) and returns e, so that `return diag_fail(d, E_PARSE, ...)` reads
 * well. */
MUST enum err diag_fail(struct diag *d, enum err e, const char *fmt, ...) PRINTF(3, 4);

/* Puts one more path element in front: diag_prefix(d, "listeners[%zu]", i). A '.' joins, unless the
 * present path is empty or begins with '['. */
void diag_prefix(struct diag *d, const char *fmt, ...) PRINTF(2, 3);

/* Short lower-case name of a code, such as "limit". Never NULL. */
const char *err_name(enum err e);

/* Only where nothing is held; otherwise `goto fail`. */
#define TRY(x)                                                                                     \
    do {                                                                                           \
        enum err try_ = (x);                                                                       \
        if (UNLIKELY(try_ != OK))                                                                  \
            return try_;                                                                           \
    } while (0)
