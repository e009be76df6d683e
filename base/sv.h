#pragma once
/* Borrowed byte views. A view never owns its bytes and never depends on a NUL. Pure, any thread. */
#include "base/err.h"
#include <stdbool.h>
#include <string.h>

struct sv {
    const char *p;
    size_t n;
};

#define SV(lit) ((struct sv){"" lit, sizeof(lit) - 1})
#define SV_NONE ((struct sv){NULL, 0})
#define SVF(s) (int)(s).n, (s).p /* for "%.*s" */

static inline struct sv sv_of(const char *p, size_t n)
{
    return (struct sv){p, n};
}

/* NULL gives the empty view. */
static inline struct sv sv_str(const char *cstr)
{
    return (struct sv){cstr, cstr == NULL ? 0 : strlen(cstr)};
}

static inline bool sv_eq(struct sv a, struct sv b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool sv_starts(struct sv s, struct sv prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool sv_ends(struct sv s, struct sv suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* First n bytes cut off; n may exceed the length (gives the empty view). */
static inline struct sv sv_skip(struct sv s, size_t n)
{
    if (s.n == 0) /* p may be NULL, to which C lets nothing be added */
        return s;
    return n >= s.n ? sv_of(s.p + s.n, 0) : sv_of(s.p + n, s.n - n);
}

/* ASCII case folding only; the locale is never consulted. */
static inline char ascii_lower(char c)
{
    return (c >= 'A' && c <= 'Z') ? (char)(c | 0x20) : c;
}

bool sv_ieq(struct sv a, struct sv b);
bool sv_istarts(struct sv s, struct sv prefix);
/* <0, 0, >0 like memcmp, a shorter prefix sorts first. */
int sv_cmp(struct sv a, struct sv b);
/* Index of the first c at or after from, or SIZE_MAX. */
size_t sv_find(struct sv s, char c, size_t from);
/* Index of the last c, or SIZE_MAX. */
size_t sv_rfind(struct sv s, char c);
/* Index of needle, or SIZE_MAX. An empty needle is at 0. */
size_t sv_search(struct sv s, struct sv needle);
/* Space, tab, CR and LF off both ends. */
struct sv sv_trim(struct sv s);
/* Cuts the part before the first sep off *rest, and returns it; without a sep, all of *rest.
 * Returns false once *rest is used up (rest->p becomes NULL). "a,,b" gives "a", "", "b". */
bool sv_split(struct sv *rest, char sep, struct sv *part);

/* Whole-string decimal: E_PARSE for anything but digits, E_LIMIT out of range. */
MUST enum err sv_u16(struct sv s, uint16_t *out);
MUST enum err sv_u32(struct sv s, uint32_t *out);
MUST enum err sv_u64(struct sv s, uint64_t *out);
MUST enum err sv_i64(struct sv s, int64_t *out); /* an optional '-' */
/* Whole-string hexadecimal without 0x, 1..16 digits. */
MUST enum err sv_hex64(struct sv s, uint64_t *out);
