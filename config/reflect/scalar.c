/* Scalars and their texts: what a plain YAML word means, numbers, booleans, base64, UTF-8. Called
 * by the readers and writers of this folder; pure. Numbers are read and written in the C locale,
 * which the programs never leave. */
#include "config/reflect/reflect_int.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool one_of(struct sv s, const char *const *words)
{
    for (; *words != NULL; words++)
        if (sv_eq(s, sv_str(*words)))
            return true;
    return false;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* A sign, then digits: hexadecimal after 0x, octal after 0, else decimal. */
static bool c_integer(struct sv s, int64_t *out)
{
    bool negative = s.n != 0 && s.p[0] == '-';
    int64_t v = 0;
    int base = 10;

    if (s.n != 0 && (s.p[0] == '-' || s.p[0] == '+'))
        s = sv_skip(s, 1);
    if (sv_istarts(s, SV("0x"))) {
        base = 16;
        s = sv_skip(s, 2);
    } else if (s.n > 1 && s.p[0] == '0') {
        base = 8;
    }
    for (size_t i = 0; i < s.n; i++) {
        int digit = digit_value(s.p[i]);
        if (digit >= base || __builtin_mul_overflow(v, base, &v) ||
            __builtin_sub_overflow(v, digit, &v))
            return false;
    }
    /* Summed below zero, where there is one more. */
    if (s.n == 0 || (!negative && v == INT64_MIN))
        return false;
    *out = negative ? v : -v;
    return true;
}

enum yaml_type yaml_resolve(struct sv plain, bool *boolean, int32_t *integer)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                      "True", "TRUE", "on",  "On",  "ON",  NULL};
    static const char *const no[] = {"n",     "N",     "no",  "No",  "NO",  "false",
                                     "False", "FALSE", "off", "Off", "OFF", NULL};
    int64_t v;

    if (one_of(plain, nulls))
        return YAML_NULL;
    *boolean = one_of(plain, yes);
    if (*boolean || one_of(plain, no))
        return YAML_BOOL;
    if (!c_integer(plain, &v) || v < INT32_MIN || v > INT32_MAX)
        return YAML_TEXT;
    *integer = (int32_t)v;
    return YAML_INT;
}

static size_t count_digits(struct sv s, size_t from)
{
    size_t n = 0;
    while (from + n < s.n && s.p[from + n] >= '0' && s.p[from + n] <= '9')
        n++;
    return n;
}

/* An optional sign, digits with at most one point among or around them, an optional exponent. */
static bool is_number(struct sv s, bool *whole)
{
    size_t at = s.n != 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    size_t before = count_digits(s, at), after = 0;

    at += before;
    *whole = true;
    if (at < s.n && s.p[at] == '.') {
        *whole = false;
        after = count_digits(s, ++at);
        at += after;
    }
    if (before + after == 0)
        return false;
    if (at < s.n && ascii_lower(s.p[at]) == 'e') {
        *whole = false;
        at++;
        if (at < s.n && (s.p[at] == '-' || s.p[at] == '+'))
            at++;
        size_t exponent = count_digits(s, at);
        if (exponent == 0)
            return false;
        at += exponent;
    }
    return at == s.n;
}

/* The magnitude of a whole number written with a fraction or an exponent. */
static enum num_err whole_double(struct sv text, bool *negative, uint64_t *out)
{
    double v = strtod(text.p, NULL);
    if (!isfinite(v) || fabs(v) >= 0x1p64)
        return NUM_RANGE;
    if (v != trunc(v))
        return NUM_FRACTION;
    *negative = v < 0;
    *out = (uint64_t)fabs(v);
    return NUM_OK;
}

static enum num_err magnitude(struct sv text, bool *negative, uint64_t *out)
{
    bool whole;

    if (!is_number(text, &whole))
        return NUM_BAD;
    if (!whole)
        return whole_double(text, negative, out);
    *negative = text.p[0] == '-';
    size_t at = text.p[0] == '-' || text.p[0] == '+' ? 1 : 0;
    uint64_t v = 0;
    for (; at < text.n; at++)
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(text.p[at] - '0'), &v))
            return NUM_RANGE;
    *out = v;
    return NUM_OK;
}

enum num_err number_i64(struct sv text, int64_t min, int64_t max, int64_t *out)
{
    bool negative = false;
    uint64_t v = 0;
    enum num_err e = magnitude(text, &negative, &v);
    if (e != NUM_OK)
        return e;
    if (negative ? v > (uint64_t)0 - (uint64_t)min : v > (uint64_t)max)
        return NUM_RANGE;
    *out = negative ? (int64_t)((uint64_t)0 - v) : (int64_t)v;
    return NUM_OK;
}

enum num_err number_u64(struct sv text, uint64_t max, uint64_t *out)
{
    bool negative = false;
    uint64_t v = 0;
    enum num_err e = magnitude(text, &negative, &v);
    if (e != NUM_OK)
        return e;
    if (v > max || (negative && v != 0))
        return NUM_RANGE;
    *out = v;
    return NUM_OK;
}

enum num_err number_double(struct sv text, double *out)
{
    bool whole;

    *out = sv_eq(text, SV("NaN")) ? NAN : sv_eq(text, SV("-Infinity")) ? -INFINITY : INFINITY;
    if (isnan(*out) || *out < 0 || sv_eq(text, SV("Infinity")))
        return NUM_OK;
    if (!is_number(text, &whole))
        return NUM_BAD;
    *out = strtod(text.p, NULL);
    return isinf(*out) ? NUM_RANGE : NUM_OK;
}

bool bool_parse(struct sv text, bool *out)
{
    static const char *const yes[] = {"true", "t", "yes", "y", "1", NULL};
    static const char *const no[] = {"false", "f", "no", "n", "0", NULL};

    for (size_t i = 0; yes[i] != NULL; i++) {
        *out = sv_ieq(text, sv_str(yes[i]));
        if (*out || sv_ieq(text, sv_str(no[i])))
            return true;
    }
    return false;
}

void number_print(double v, bool is_float, char out[NUMBER_TEXT])
{
    if (isnan(v)) {
        snprintf(out, NUMBER_TEXT, "NaN");
    } else if (isinf(v)) {
        snprintf(out, NUMBER_TEXT, v < 0 ? "-Infinity" : "Infinity");
    } else if (is_float) {
        snprintf(out, NUMBER_TEXT, "%.6g", v);
        if (strtof(out, NULL) != (float)v)
            snprintf(out, NUMBER_TEXT, "%.9g", v);
    } else {
        snprintf(out, NUMBER_TEXT, "%.15g", v);
        if (strtod(out, NULL) != v)
            snprintf(out, NUMBER_TEXT, "%.17g", v);
    }
}

/* ---- base64 ---- */

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

enum err base64_parse(struct sv text, struct arena *a, ProtobufCBinaryData *out)
{
    size_t n = text.n;
    while (n > 0 && text.n - n < 2 && text.p[n - 1] == '=')
        n--;
    /* Padding fills a group of four or is left away altogether. */
    if (n % 4 == 1 || (n != text.n && text.n % 4 != 0))
        return E_PARSE;
    uint8_t *bytes = arena_alloc(a, n / 4 * 3 + 3, 1);
    if (bytes == NULL)
        return E_NOMEM;
    uint32_t group = 0;
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        int v = base64_value(text.p[i]);
        if (v < 0)
            return E_PARSE;
        group = group << 6 | (uint32_t)v;
        /* Every character but the first of a group completes a byte. */
        if (i % 4 != 0)
            bytes[len++] = (uint8_t)(group >> (6 - i % 4 * 2));
    }
    *out = (ProtobufCBinaryData){.len = len, .data = bytes};
    return OK;
}

void base64_print(const ProtobufCBinaryData *in, struct str *out)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < in->len; i += 3) {
        size_t left = in->len - i;
        uint32_t group = (uint32_t)in->data[i] << 16;
        if (left > 1)
            group |= (uint32_t)in->data[i + 1] << 8;
        if (left > 2)
            group |= in->data[i + 2];
        str_addc(out, alphabet[group >> 18]);
        str_addc(out, alphabet[group >> 12 & 63]);
        str_addc(out, left > 1 ? alphabet[group >> 6 & 63] : '=');
        str_addc(out, left > 2 ? alphabet[group & 63] : '=');
    }
}

/* ---- UTF-8 ---- */

uint32_t utf8_next(struct sv *s)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint8_t lead = (uint8_t)s->p[0];
    size_t more = lead < 0x80 ? 0 : lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    uint32_t c = lead & (more == 0 ? 0x7fU : 0x3fU >> more);

    if ((lead >= 0x80 && lead < 0xc0) || lead >= 0xf8 || s->n <= more) {
        *s = sv_skip(*s, 1);
        return UINT32_MAX;
    }
    for (size_t i = 1; i <= more; i++) {
        uint8_t b = (uint8_t)s->p[i];
        if ((b & 0xc0) != 0x80) {
            *s = sv_skip(*s, 1);
            return UINT32_MAX;
        }
        c = c << 6 | (b & 0x3f);
    }
    bool bad = c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff);
    *s = sv_skip(*s, bad ? 1 : more + 1);
    return bad ? UINT32_MAX : c;
}

bool utf8_valid(struct sv s)
{
    while (s.n != 0)
        if (utf8_next(&s) == UINT32_MAX)
            return false;
    return true;
}
