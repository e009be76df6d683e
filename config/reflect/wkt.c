/* The well-known types: which of them a descriptor is, and the texts of durations and moments.
 * Called by the readers and writers of this folder; pure. */
#include "config/reflect/reflect_int.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "google/protobuf/wrappers.pb-c.h"
#include <inttypes.h>
#include <stdio.h>

enum { NANOS = 1000000000, DAY = 86400 };
/* 10,000 years, protobuf's bound of a duration. */
#define DURATION_MAX INT64_C(315576000000)
/* 0001-01-01 to 9999-12-31, protobuf's bounds of a moment. */
#define MOMENT_MIN INT64_C(-62135596800)
#define MOMENT_MAX INT64_C(253402300799)

enum wkt wkt_of(const ProtobufCMessageDescriptor *type)
{
    static const struct {
        const ProtobufCMessageDescriptor *type;
        enum wkt wkt;
    } known[] = {
        {&google__protobuf__any__descriptor,          WKT_ANY      },
        {&google__protobuf__duration__descriptor,     WKT_DURATION },
        {&google__protobuf__timestamp__descriptor,    WKT_TIMESTAMP},
        {&google__protobuf__struct__descriptor,       WKT_STRUCT   },
        {&google__protobuf__value__descriptor,        WKT_VALUE    },
        {&google__protobuf__list_value__descriptor,   WKT_LIST     },
        {&google__protobuf__double_value__descriptor, WKT_WRAPPER  },
        {&google__protobuf__float_value__descriptor,  WKT_WRAPPER  },
        {&google__protobuf__int64_value__descriptor,  WKT_WRAPPER  },
        {&google__protobuf__uint64_value__descriptor, WKT_WRAPPER  },
        {&google__protobuf__int32_value__descriptor,  WKT_WRAPPER  },
        {&google__protobuf__uint32_value__descriptor, WKT_WRAPPER  },
        {&google__protobuf__bool_value__descriptor,   WKT_WRAPPER  },
        {&google__protobuf__string_value__descriptor, WKT_WRAPPER  },
        {&google__protobuf__bytes_value__descriptor,  WKT_WRAPPER  },
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].type == type)
            return known[i].wkt;
    return WKT_NONE;
}

/* Exactly n digits off the front. */
static bool cut_digits(struct sv *s, size_t n, int *out)
{
    int v = 0;
    if (s->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = v * 10 + (s->p[i] - '0');
    }
    *s = sv_skip(*s, n);
    *out = v;
    return true;
}

static bool cut_char(struct sv *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = sv_skip(*s, 1);
    return true;
}

/* An optional point with one to nine digits. */
static bool cut_fraction(struct sv *s, int32_t *nanos)
{
    *nanos = 0;
    if (!cut_char(s, '.'))
        return true;
    int digit;
    int32_t unit = NANOS / 10;
    for (; unit > 0 && cut_digits(s, 1, &digit); unit /= 10)
        *nanos += digit * unit;
    return unit < NANOS / 10;
}

bool duration_parse(struct sv text, ProtobufCMessage *out)
{
    Google__Protobuf__Duration *d = (Google__Protobuf__Duration *)out;
    bool negative = cut_char(&text, '-');
    int64_t seconds = 0;
    int32_t nanos;
    int digit;
    size_t before = text.n;

    while (cut_digits(&text, 1, &digit))
        if (__builtin_mul_overflow(seconds, 10, &seconds) ||
            __builtin_add_overflow(seconds, digit, &seconds))
            return false;
    if (text.n == before || !cut_fraction(&text, &nanos) || !sv_eq(text, SV("s")) ||
        seconds > DURATION_MAX)
        return false;
    d->seconds = negative ? -seconds : seconds;
    d->nanos = negative ? -nanos : nanos;
    return true;
}

/* As many decimals as needed, in groups of three. */
static void print_fraction(int32_t nanos, char out[16])
{
    if (nanos == 0)
        out[0] = '\0';
    else if (nanos % 1000000 == 0)
        snprintf(out, 16, ".%03" PRId32, nanos / 1000000);
    else if (nanos % 1000 == 0)
        snprintf(out, 16, ".%06" PRId32, nanos / 1000);
    else
        snprintf(out, 16, ".%09" PRId32, nanos);
}

bool duration_print(const ProtobufCMessage *m, char out[TIME_TEXT])
{
    const Google__Protobuf__Duration *d = (const Google__Protobuf__Duration *)m;
    bool negative = d->seconds < 0 || d->nanos < 0;
    char fraction[16];

    if (d->seconds > DURATION_MAX || d->seconds < -DURATION_MAX || d->nanos <= -NANOS ||
        d->nanos >= NANOS || (negative && (d->seconds > 0 || d->nanos > 0)))
        return false;
    print_fraction(negative ? -d->nanos : d->nanos, fraction);
    snprintf(out, TIME_TEXT, "%s%" PRId64 "%ss", negative ? "-" : "",
             negative ? -d->seconds : d->seconds, fraction);
    return true;
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days from 0001-01-01 to the first of January of a year. */
static int64_t year_days(int year)
{
    int y = year - 1;
    return (int64_t)y * 365 + y / 4 - y / 100 + y / 400;
}

/* "Z" or "+01:00", in seconds to be subtracted. */
static bool cut_zone(struct sv *s, int *offset)
{
    int hours, minutes;

    *offset = 0;
    if (cut_char(s, 'Z'))
        return true;
    bool west = cut_char(s, '-');
    if ((!west && !cut_char(s, '+')) || !cut_digits(s, 2, &hours) || !cut_char(s, ':') ||
        !cut_digits(s, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset = (hours * 60 + minutes) * (west ? -60 : 60);
    return true;
}

bool timestamp_parse(struct sv s, ProtobufCMessage *out)
{
    Google__Protobuf__Timestamp *t = (Google__Protobuf__Timestamp *)out;
    int year, month, day, hour, minute, second, offset;
    int32_t nanos;

    if (!cut_digits(&s, 4, &year) || !cut_char(&s, '-') || !cut_digits(&s, 2, &month) ||
        !cut_char(&s, '-') || !cut_digits(&s, 2, &day) || !cut_char(&s, 'T') ||
        !cut_digits(&s, 2, &hour) || !cut_char(&s, ':') || !cut_digits(&s, 2, &minute) ||
        !cut_char(&s, ':') || !cut_digits(&s, 2, &second) || !cut_fraction(&s, &nanos) ||
        !cut_zone(&s, &offset) || s.n != 0)
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_days(year, month) ||
        hour > 23 || minute > 59 || second > 59)
        return false;
    int64_t days = year_days(year) + day - 1;
    for (int m = 1; m < month; m++)
        days += month_days(year, m);
    int64_t seconds = MOMENT_MIN + days * DAY + hour * 3600 + minute * 60 + second - offset;
    if (seconds < MOMENT_MIN || seconds > MOMENT_MAX)
        return false;
    t->seconds = seconds;
    t->nanos = nanos;
    return true;
}

bool timestamp_print(const ProtobufCMessage *m, char out[TIME_TEXT])
{
    const Google__Protobuf__Timestamp *t = (const Google__Protobuf__Timestamp *)m;
    char fraction[16];

    if (t->seconds < MOMENT_MIN || t->seconds > MOMENT_MAX || t->nanos < 0 || t->nanos >= NANOS)
        return false;
    int64_t days = (t->seconds - MOMENT_MIN) / DAY;
    int second = (int)((t->seconds - MOMENT_MIN) % DAY);
    /* Never too late, and some twenty years too early at most. */
    int year = (int)(days / 366) + 1, month = 1;
    while (year_days(year + 1) <= days)
        year++;
    int day = (int)(days - year_days(year));
    for (; day >= month_days(year, month); month++)
        day -= month_days(year, month);
    print_fraction(t->nanos, fraction);
    snprintf(out, TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", year, month, day + 1,
             second / 3600, second / 60 % 60, second % 60, fraction);
    return true;
}
