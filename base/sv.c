/* Byte views: search, split, compare, strict number parsing. Pure: no memory, no locale, any
 * thread. */
#include "base/sv.h"

bool sv_ieq(struct sv a, struct sv b)
{
    return a.n == b.n && sv_istarts(a, b);
}

bool sv_istarts(struct sv s, struct sv prefix)
{
    if (s.n < prefix.n)
        return false;
    for (size_t i = 0; i < prefix.n; i++)
        if (ascii_lower(s.p[i]) != ascii_lower(prefix.p[i]))
            return false;
    return true;
}

int sv_cmp(struct sv a, struct sv b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n == 0 ? 0 : memcmp(a.p, b.p, n);
    if (d != 0)
        return d;
    return (a.n > b.n) - (a.n < b.n);
}

size_t sv_find(struct sv s, char c, size_t from)
{
    if (from >= s.n)
        return SIZE_MAX;
    const char *at = memchr(s.p + from, c, s.n - from);
    return at == NULL ? SIZE_MAX : (size_t)(at - s.p);
}

size_t sv_rfind(struct sv s, char c)
{
    if (s.n == 0)
        return SIZE_MAX;
    const char *at = memrchr(s.p, c, s.n);
    return at == NULL ? SIZE_MAX : (size_t)(at - s.p);
}

size_t sv_search(struct sv s, struct sv needle)
{
    if (needle.n == 0)
        return 0;
    if (s.n < needle.n)
        return SIZE_MAX;
    const char *at = memmem(s.p, s.n, needle.p, needle.n);
    return at == NULL ? SIZE_MAX : (size_t)(at - s.p);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct sv sv_trim(struct sv s)
{
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    while (s.n > 0 && is_blank(s.p[0]))
        s = sv_skip(s, 1);
    return s;
}

bool sv_split(struct sv *rest, char sep, struct sv *part)
{
    if (rest->p == NULL)
        return false;
    size_t at = sv_find(*rest, sep, 0);
    if (at == SIZE_MAX) {
        *part = *rest;
        *rest = SV_NONE;
        return true;
    }
    *part = sv_of(rest->p, at);
    *rest = sv_skip(*rest, at + 1);
    return true;
}

/* A number up to max. Bad characters outrank size, so that "99999999999999999999x" is E_PARSE. */
static enum err parse_decimal(struct sv s, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    bool over = false;

    if (s.n == 0)
        return E_PARSE;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return E_PARSE;
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            over = true;
    }
    if (over || v > max)
        return E_LIMIT;
    *out = v;
    return OK;
}

enum err sv_u16(struct sv s, uint16_t *out)
{
    uint64_t v = 0;
    TRY(parse_decimal(s, UINT16_MAX, &v));
    *out = (uint16_t)v;
    return OK;
}

enum err sv_u32(struct sv s, uint32_t *out)
{
    uint64_t v = 0;
    TRY(parse_decimal(s, UINT32_MAX, &v));
    *out = (uint32_t)v;
    return OK;
}

enum err sv_u64(struct sv s, uint64_t *out)
{
    return parse_decimal(s, UINT64_MAX, out);
}

enum err sv_i64(struct sv s, int64_t *out)
{
    bool negative = s.n > 0 && s.p[0] == '-';
    uint64_t v = 0;

    if (!negative) {
        TRY(parse_decimal(s, INT64_MAX, &v));
        *out = (int64_t)v;
        return OK;
    }
    TRY(parse_decimal(sv_skip(s, 1), (uint64_t)INT64_MAX + 1, &v));
    /* The magnitude of INT64_MIN has no positive int64_t: subtract before negating. */
    *out = v == 0 ? 0 : -(int64_t)(v - 1) - 1;
    return OK;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum err sv_hex64(struct sv s, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n == 0)
        return E_PARSE;
    for (size_t i = 0; i < s.n; i++) {
        int d = hex_digit(s.p[i]);
        if (d < 0)
            return E_PARSE;
        v = v << 4 | (uint64_t)d;
    }
    if (s.n > 16)
        return E_LIMIT;
    *out = v;
    return OK;
}
