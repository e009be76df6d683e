#pragma once
/* A growing text buffer for cold paths (admin pages, dumps, command lines). Always NUL-terminated.
 * Growth that fails or would pass the cap sets `failed`: that text and all later text is dropped,
 * so that what is there is always the beginning of what was meant, and str_status says so once. Not
 * thread-safe. */
#include "base/sv.h"
#include <stdarg.h>

struct str {
    char *p;
    size_t n, room;
    size_t cap;
    bool failed;
};

/* cap: bytes at most (0: no limit but memory). */
void str_init(struct str *s, size_t cap);
void str_fini(struct str *s);
void str_clear(struct str *s);               /* empty and no longer failed; keeps the memory */
void str_add(struct str *s, struct sv text); /* text must not lie in s */
void str_addc(struct str *s, char c);
void str_addf(struct str *s, const char *fmt, ...) PRINTF(2, 3);
void str_vaddf(struct str *s, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* A JSON string literal with its quotes; bytes that are not UTF-8 become \ufffd. */
void str_add_json(struct str *s, struct sv text);
/* E_NOMEM once something was dropped, be it for memory or for the cap. */
MUST enum err str_status(const struct str *s);

static inline struct sv str_sv(const struct str *s)
{
    return sv_of(s->p, s->n);
}
