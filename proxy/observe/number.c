/* Number texts; see number.h. */
#include "proxy/observe/number.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLAIN_MAX_EXPONENT = 15, PLAIN_MIN_EXPONENT = -4 };

/* v = 0.d1d2d3... * 10^(exponent + 1), without trailing zeros. */
struct decimal {
    char digits[24];
    int n, exponent;
    bool negative;
};

static void shortest(double v, struct decimal *out)
{
    char text[40];
    /* 15 digits survive a round trip from text to text, 17 one from number to number. */
    for (int precision = 14; precision <= 16; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, fabs(v));
        if (strtod(text, NULL) == fabs(v))
            break;
    }
    const char *e = strchr(text, 'e');
    out->n = 0;
    for (const char *p = text; p < e; p++) {
        if (*p != '.')
            out->digits[out->n++] = *p;
    }
    while (out->n > 1 && out->digits[out->n - 1] == '0')
        out->n--;
    out->exponent = (int)strtol(e + 1, NULL, 10);
    out->negative = signbit(v) != 0;
}

static size_t write_exponent(const struct decimal *d, char *out)
{
    int n = snprintf(out, NUMBER_TEXT_MAX, "%s%c%s%.*se%+03d", d->negative ? "-" : "", d->digits[0],
                     d->n > 1 ? "." : "", d->n - 1, d->digits + 1, d->exponent);
    return (size_t)n;
}

/* Exponents are those of PLAIN_MIN_EXPONENT..PLAIN_MAX_EXPONENT and a few beyond: it fits. */
static size_t write_plain(const struct decimal *d, char *out)
{
    size_t n = 0;
    int whole = d->exponent + 1;

    if (d->negative)
        out[n++] = '-';
    if (whole <= 0)
        out[n++] = '0';
    for (int i = 0; i < whole; i++)
        out[n++] = i < d->n ? d->digits[i] : '0';
    if (d->n > whole)
        out[n++] = '.';
    for (int i = whole; i < 0; i++)
        out[n++] = '0';
    for (int i = whole < 0 ? 0 : whole; i < d->n; i++)
        out[n++] = d->digits[i];
    out[n] = '\0';
    return n;
}

size_t number_plain(double v, char out[NUMBER_TEXT_MAX])
{
    struct decimal d;
    if (!isfinite(v))
        return (size_t)snprintf(out, NUMBER_TEXT_MAX, "%s",
                                isnan(v) ? "nan"
                                : v < 0  ? "-inf"
                                         : "inf");
    shortest(v, &d);
    bool plain = d.exponent >= PLAIN_MIN_EXPONENT && d.exponent <= PLAIN_MAX_EXPONENT;
    return plain ? write_plain(&d, out) : write_exponent(&d, out);
}

size_t number_short(double v, char out[NUMBER_TEXT_MAX])
{
    char other[NUMBER_TEXT_MAX];
    struct decimal d;

    shortest(v, &d);
    size_t n = write_exponent(&d, out);
    if (d.exponent < -20 || d.exponent > 20)
        return n;
    size_t m = write_plain(&d, other);
    if (m > n)
        return n;
    memcpy(out, other, m + 1);
    return m;
}
