/* A growing text buffer; see str.h. Cold paths only, one owner at a time. */
#include "base/str.h"
#include <stdio.h>
#include <stdlib.h>

enum { ROOM_MIN = 128 };

/* What p points to while there is no memory: always "" because room 0 forbids every write. */
static char nothing[1];

void str_init(struct str *s, size_t cap)
{
    *s = (struct str){.p = nothing, .cap = cap};
}

void str_fini(struct str *s)
{
    if (s->room != 0)
        free(s->p);
    str_init(s, s->cap);
}

void str_clear(struct str *s)
{
    s->n = 0;
    s->failed = false;
    if (s->room != 0)
        s->p[0] = '\0';
}

/* Room for `more` bytes and a NUL after them; false (and failed) when that cannot be. */
static bool reserve(struct str *s, size_t more)
{
    size_t need;

    if (s->failed)
        return false;
    if (__builtin_add_overflow(s->n, more, &need) || need == SIZE_MAX ||
        (s->cap != 0 && need > s->cap)) {
        s->failed = true;
        return false;
    }
    need++;
    if (need <= s->room)
        return true;
    size_t room = s->room < ROOM_MIN ? ROOM_MIN : s->room;
    while (room < need)
        room = room > SIZE_MAX / 2 ? need : room * 2;
    char *p = realloc(s->room == 0 ? NULL : s->p, room);
    if (p == NULL) {
        s->failed = true;
        return false;
    }
    s->p = p;
    s->room = room;
    return true;
}

void str_add(struct str *s, struct sv text)
{
    if (text.n == 0 || !reserve(s, text.n))
        return;
    memcpy(s->p + s->n, text.p, text.n);
    s->n += text.n;
    s->p[s->n] = '\0';
}

void str_addc(struct str *s, char c)
{
    str_add(s, sv_of(&c, 1));
}

void str_addf(struct str *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    str_vaddf(s, fmt, ap);
    va_end(ap);
}

void str_vaddf(struct str *s, const char *fmt, va_list ap)
{
    va_list again;
    size_t left = s->room - s->n;

    if (s->failed)
        return;
    va_copy(again, ap);
    int n = vsnprintf(s->room == 0 ? NULL : s->p + s->n, left, fmt, ap);
    if (n < 0) {
        s->failed = true;
    } else if (n > 0 && reserve(s, (size_t)n)) {
        if ((size_t)n >= left)
            n = vsnprintf(s->p + s->n, (size_t)n + 1, fmt, again);
        s->n += n < 0 ? 0 : (size_t)n;
    }
    va_end(again);
    /* The first print may have left its beginning behind text that was then refused. */
    if (s->room != 0)
        s->p[s->n] = '\0';
}

/* Length of the UTF-8 sequence at the front of s, 0 when its first byte begins none (RFC 3629
 * section 4: no overlong form, no surrogate, nothing above U+10FFFF). */
static size_t utf8_len(struct sv s)
{
    unsigned char c = (unsigned char)s.p[0], low = 0x80, high = 0xbf;
    size_t n;

    if (c < 0x80)
        return 1;
    if (c < 0xc2 || c > 0xf4)
        return 0;
    n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (c == 0xe0)
        low = 0xa0;
    else if (c == 0xed)
        high = 0x9f;
    else if (c == 0xf0)
        low = 0x90;
    else if (c == 0xf4)
        high = 0x8f;
    if (s.n < n || (unsigned char)s.p[1] < low || (unsigned char)s.p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if (((unsigned char)s.p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/* The escape that a character must have inside a JSON string; false: it stands for itself. */
static bool json_escape(char c, char out[8])
{
    static const char shorts[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *at = c == '\0' ? NULL : strchr(shorts, c);

    if (at != NULL) {
        out[0] = '\\';
        out[1] = letters[at - shorts];
        out[2] = '\0';
        return true;
    }
    if ((unsigned char)c >= 0x20)
        return false;
    snprintf(out, 8, "\\u%04x", (unsigned)(unsigned char)c);
    return true;
}

void str_add_json(struct str *s, struct sv text)
{
    size_t plain = 0; /* where the run not yet copied begins */
    char esc[8];

    str_addc(s, '"');
    for (size_t i = 0; i < text.n;) {
        size_t n = utf8_len(sv_skip(text, i));
        if (n > 1 || (n == 1 && !json_escape(text.p[i], esc))) {
            i += n;
            continue;
        }
        str_add(s, sv_of(text.p + plain, i - plain));
        str_add(s, n == 0 ? SV("\\ufffd") : sv_str(esc));
        plain = ++i;
    }
    str_add(s, sv_skip(text, plain));
    str_addc(s, '"');
}

enum err str_status(const struct str *s)
{
    return s->failed ? E_NOMEM : OK;
}
