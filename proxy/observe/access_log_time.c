/* Times in access logs: the default form, and strftime formats with Envoy's additions (%f, %3f, %s,
 * and %E... of the Abseil time library). What changes once a second is kept per thread. */
#include "proxy/observe/access_log_int.h"
#include <stdio.h>
#include <time.h>

enum { PIECE_MAX = 256, CACHED_PIECES = 8, DEFAULT_SECOND = 19 };

const char alog_digit_pairs[201] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536"
    "37383940414243444546474849505152535455565758596061626364656667686970717273"
    "7475767778798081828384858687888990919293949596979899";

void alog_put_number(struct alog_out *o, uint64_t v)
{
    char text[20], *p = text + sizeof(text);

    for (; v >= 100; v /= 100) {
        p -= 2;
        memcpy(p, &alog_digit_pairs[v % 100 * 2], 2);
    }
    if (v >= 10) {
        p -= 2;
        memcpy(p, &alog_digit_pairs[v * 2], 2);
    } else {
        *--p = (char)('0' + v);
    }
    alog_put(o, sv_of(p, (size_t)(text + sizeof(text) - p)));
}

/* The format is the configuration's own text. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static size_t print_time(char *out, size_t room, const char *format, const struct tm *tm)
{
    return strftime(out, room, format, tm);
}
#pragma GCC diagnostic pop

/* ---- compiling ---- */

/* Half of the room for a long month's name and the like, so that no other time overflows it. */
static bool piece_fits(struct sv format)
{
    char text[PIECE_MAX / 2], copy[PIECE_MAX / 2];
    struct tm tm = {.tm_year = 126, .tm_mon = 8, .tm_mday = 30, .tm_wday = 3, .tm_zone = "UTC"};

    if (format.n + 2 > sizeof(copy))
        return false;
    /* A character in front tells an empty text from one that does not fit. */
    copy[0] = 'x';
    memcpy(copy + 1, format.p, format.n);
    copy[format.n + 1] = '\0';
    return print_time(text, sizeof(text), copy, &tm) > 0;
}

static enum err add_piece(struct alog_builder *b, enum alog_clock clock, enum alog_time_part part,
                          unsigned digits)
{
    struct alog_op *op = alog_add(b, ALOG_TIME);
    if (op == NULL)
        return diag_fail(b->diag, E_LIMIT, "access log format has more than %d parts",
                         ALOG_OPS_MAX);
    op->clock = (uint8_t)clock;
    op->form = (uint8_t)part;
    op->digits = (uint8_t)digits;
    return OK;
}

static enum err add_strftime(struct alog_builder *b, enum alog_clock clock, struct sv format)
{
    static uint32_t last_id; /* main thread only; 0 is never given */

    if (format.n == 0)
        return OK;
    if (!piece_fits(format))
        return diag_fail(b->diag, E_LIMIT, "access log: time format is longer than %d bytes",
                         PIECE_MAX / 2);
    TRY(add_piece(b, clock, ALOG_TIME_STRFTIME, 0));
    struct alog_op *op = &b->op[b->n - 1];
    op->text = arena_dup(b->arena, format);
    op->cache_id = ++last_id;
    return op->text.p == NULL ? diag_fail(b->diag, E_NOMEM, "out of memory") : OK;
}

/* An addition at the start of s, which begins with '%'. */
struct piece {
    size_t taken; /* 0: none */
    enum alog_time_part part;
    unsigned digits;
    struct sv instead; /* strftime text to put in its place, or in front of the part */
    bool whole;        /* that text is all of it */
};

/* %E4Y %ET %Ez %E*z %E3S %E*S %E3f %E*f */
static struct piece read_abseil(struct sv s)
{
    static const struct {
        struct sv from, to;
    } texts[] = {
        {{"%E4Y", 4}, {"%Y", 2}       },
        {{"%ET", 3},  {"T", 1}        },
        {{"%Ez", 3},  {"+00:00", 6}   },
        {{"%E*z", 4}, {"+00:00:00", 9}},
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (sv_starts(s, texts[i].from))
            return (struct piece){.taken = texts[i].from.n, .instead = texts[i].to, .whole = true};
    }
    if (s.n < 4 || s.p[1] != 'E' || (s.p[3] != 'S' && s.p[3] != 'f'))
        return (struct piece){0};
    bool any = s.p[2] == '*', one = s.p[2] >= '0' && s.p[2] <= '9';
    if (!any && !one)
        return (struct piece){0};
    unsigned digits = any ? 0 : (unsigned)(s.p[2] - '0');
    if (s.p[3] == 'f')
        return (struct piece){.taken = 4, .part = ALOG_TIME_FRACTION, .digits = digits};
    if (one && digits == 0)
        return (struct piece){.taken = 4, .instead = SV("%S"), .whole = true};
    return (struct piece){
        .taken = 4, .part = ALOG_TIME_DOTTED, .digits = digits, .instead = SV("%S")};
}

/* %f is nine digits, %1f .. %9f that many; %s and %1s .. %9s are the seconds since the epoch. As in
 * Envoy these are found even behind another '%'. */
static struct piece read_addition(struct sv s)
{
    if (s.n >= 2 && s.p[1] == 'f')
        return (struct piece){.taken = 2, .part = ALOG_TIME_FRACTION, .digits = 9};
    if (s.n >= 2 && s.p[1] == 's')
        return (struct piece){.taken = 2, .part = ALOG_TIME_EPOCH};
    if (s.n >= 3 && s.p[1] >= '1' && s.p[1] <= '9' && s.p[2] == 'f')
        return (struct piece){
            .taken = 3, .part = ALOG_TIME_FRACTION, .digits = (unsigned)(s.p[1] - '0')};
    if (s.n >= 3 && s.p[1] >= '1' && s.p[1] <= '9' && s.p[2] == 's')
        return (struct piece){.taken = 3, .part = ALOG_TIME_EPOCH};
    return read_abseil(s);
}

/* How many percent signs end the text is odd: the last one stands alone. */
static bool open_percent(const char *text, size_t n)
{
    bool odd = false;
    for (; n > 0 && text[n - 1] == '%'; n--)
        odd = !odd;
    return odd;
}

/* Collects strftime text until an addition comes. text has room for twice the format. */
static enum err compile_pieces(struct alog_builder *b, enum alog_clock clock, struct sv format,
                               char *text)
{
    size_t n = 0;

    for (size_t at = 0; at < format.n;) {
        struct sv rest = sv_skip(format, at);
        struct piece p = rest.p[0] == '%' ? read_addition(rest) : (struct piece){0};
        at += p.taken == 0 ? 1 : p.taken;
        if (p.taken == 0) {
            text[n++] = rest.p[0];
            continue;
        }
        if (open_percent(text, n))
            text[n++] = '%'; /* left over in front of an addition, it stands for itself */
        if (p.instead.n > 0)
            memcpy(text + n, p.instead.p, p.instead.n);
        n += p.instead.n;
        if (p.whole)
            continue;
        TRY(add_strftime(b, clock, sv_of(text, n)));
        n = 0;
        TRY(add_piece(b, clock, p.part, p.digits));
    }
    if (open_percent(text, n))
        text[n++] = '%';
    return add_strftime(b, clock, sv_of(text, n));
}

enum err alog_compile_pieces(struct alog_builder *b, enum alog_clock clock, struct sv format)
{
    if (sv_search(format, SV("%n")) != SIZE_MAX || sv_find(format, '\n', 0) != SIZE_MAX) {
        return diag_fail(b->diag, E_PARSE,
                         "Invalid header configuration. Format string contains newline.");
    }
    /* Reads the time zone now: a worker must not do so while it logs. */
    tzset();
    if (format.n == 0)
        return add_piece(b, clock, ALOG_TIME_DEFAULT, 3);
    char *text = arena_alloc(b->arena, format.n * 2 + 16, 1);
    if (text == NULL)
        return diag_fail(b->diag, E_NOMEM, "out of memory");
    return compile_pieces(b, clock, format, text);
}

/* ---- running ---- */

static struct tm second_of(uint64_t sec, uint8_t clock)
{
    time_t t = (time_t)sec;
    struct tm tm = {0};

    if (clock == ALOG_CLOCK_START_LOCAL) {
        localtime_r(&t, &tm);
    } else {
        gmtime_r(&t, &tm);
        tm.tm_zone = "UTC";
    }
    return tm;
}

/* microseconds as the first `digits` of nine; 0 digits: without trailing zeros, at least one. */
static void put_fraction(struct alog_out *o, uint64_t us, unsigned digits)
{
    char text[10];

    for (unsigned i = 6; i-- > 0; us /= 10)
        text[i] = (char)('0' + us % 10);
    memcpy(text + 6, "000", 3);
    if (digits == 0) {
        for (digits = 6; digits > 1 && text[digits - 1] == '0';)
            digits--;
    }
    alog_put(o, sv_of(text, digits));
}

char *alog_put_default_time(char *p, enum alog_clock clock, uint64_t wall_us)
{
    static _Thread_local struct {
        uint64_t sec;
        bool filled;
        char text[DEFAULT_SECOND + 1];
    } cache[2];
    uint64_t sec = wall_us / 1000000;
    unsigned ms = (unsigned)(wall_us % 1000000 / 1000);
    bool local = clock == ALOG_CLOCK_START_LOCAL;

    if (UNLIKELY(!cache[local].filled || cache[local].sec != sec)) {
        struct tm tm = second_of(sec, (uint8_t)clock);
        if (strftime(cache[local].text, sizeof(cache[local].text), "%Y-%m-%dT%H:%M:%S", &tm) !=
            DEFAULT_SECOND)
            memcpy(cache[local].text, "9999-12-31T23:59:59", DEFAULT_SECOND + 1);
        cache[local].sec = sec;
        cache[local].filled = true;
    }
    memcpy(p, cache[local].text, DEFAULT_SECOND);
    p += DEFAULT_SECOND;
    p[0] = '.';
    p[1] = (char)('0' + ms / 100);
    memcpy(p + 2, &alog_digit_pairs[ms % 100 * 2], 2);
    p[4] = 'Z';
    return p + 5;
}

static void put_strftime(struct alog_out *o, const struct alog_op *op, uint64_t sec)
{
    static _Thread_local struct {
        uint64_t sec;
        uint32_t id;
        uint32_t n;
        char text[PIECE_MAX];
    } cache[CACHED_PIECES];
    unsigned i = op->cache_id % CACHED_PIECES;

    if (cache[i].id != op->cache_id || cache[i].sec != sec) {
        struct tm tm = second_of(sec, op->clock);
        cache[i].n = (uint32_t)print_time(cache[i].text, PIECE_MAX, op->text.p, &tm);
        cache[i].id = op->cache_id;
        cache[i].sec = sec;
    }
    alog_put(o, sv_of(cache[i].text, cache[i].n));
}

void alog_put_time(struct alog_out *o, const struct alog_op *op, uint64_t wall_us)
{
    uint64_t sec = wall_us / 1000000, us = wall_us % 1000000;

    switch ((enum alog_time_part)op->form) {
    case ALOG_TIME_DEFAULT:
        break; /* alog_put_default_time's */
    case ALOG_TIME_STRFTIME:
        put_strftime(o, op, sec);
        break;
    case ALOG_TIME_EPOCH:
        alog_put_number(o, sec);
        break;
    case ALOG_TIME_DOTTED:
        if (op->digits == 0 && us == 0)
            break;
        alog_putc(o, '.');
        put_fraction(o, us, op->digits);
        break;
    case ALOG_TIME_FRACTION:
        put_fraction(o, us, op->digits);
        break;
    }
}
