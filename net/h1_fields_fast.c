/* Whole, ordinary field lines at once: the hot loop of the HTTP/1 parser. Called by h1_fields.c at
 * the start of a line; leaves every line that is not of the plain form "Name: value\r\n" to the
 * exact layer, untouched but for the case of its name. */
#include "net/h1_int.h"
#include "net/h1_scan.h"
#include "net/headers_int.h"

#define BIT(id) (UINT64_C(1) << (id))

/* Their values have a meaning for the message. */
static const uint64_t SPECIAL = BIT(HDR_HOST) | BIT(HDR_CONTENT_LENGTH) |
                                BIT(HDR_TRANSFER_ENCODING) | BIT(HDR_CONNECTION) | BIT(HDR_EXPECT);

#if H1_SSE2
/* 16 bytes from KEEP + 16 - n: the first n are ones. */
static const char KEEP[32] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};

/* Lower-cases the plain bytes from s on and returns the first other, or NULL when none is before
 * end - 16. */
static inline char *name_end(char *s, const char *end)
{
    for (; end - s >= 16; s += 16) {
        __m128i x = h1_load(s);
        __m128i letters = h1_letters(x);
        __m128i plain = _mm_or_si128(letters, h1_plain_marks(x));
        __m128i fold = _mm_and_si128(letters, _mm_set1_epi8(0x20));
        unsigned stop = (unsigned)_mm_movemask_epi8(plain) ^ 0xffffU;
        unsigned n = (unsigned)__builtin_ctz(stop | 0x10000U);
        fold = _mm_and_si128(fold, h1_load(KEEP + 16 - n));
        _mm_storeu_si128((__m128i *)(void *)s, _mm_or_si128(x, fold));
        if (stop != 0)
            return s + n;
    }
    return NULL;
}
#else
static inline char *name_end(char *s, const char *end)
{
    for (; s < end && h1_is(*s, H1_C_PLAIN); s++)
        *s = ascii_lower(*s);
    return s < end ? s : NULL;
}
#endif

/* Takes the line at s; its end, or NULL when it is not ordinary. */
static inline char *take_line(struct h1_block *b, char *s)
{
    enum { LINE_REST = 4 }; /* ": " and CRLF */
    char *colon = name_end(s, b->end);
    if (colon == NULL || colon == s || colon - s > UINT16_MAX || b->end - colon < LINE_REST ||
        memcmp(colon, ": ", 2) != 0)
        return NULL;
    const char *value = colon + 2;
    const char *stop = h1_scan_text(value, b->end, b->data);
    /* The byte before the stop is the value's last, or the blank of an empty value. */
    if (b->end - stop < 2 || memcmp(stop, "\r\n", 2) != 0 || stop[-1] == ' ' || *value == ' ')
        return NULL;
    size_t name_len = (size_t)(colon - s), value_len = (size_t)(stop - value);
    enum hdr_id id = hdr_lookup_inline(s, name_len);
    if (((SPECIAL >> id) & 1) && !h1_value_fast(b, id, sv_of(value, value_len)))
        return NULL;
    struct header *h = &b->list->v[b->list->n++];
    *h = (struct header){.name = s,
                         .value = value,
                         .value_len = (uint32_t)value_len,
                         .name_len = (uint16_t)name_len,
                         .id = (uint8_t)id,
                         .flags = HDR_RAW};
    b->list->present |= BIT(id);
    return s + (stop + 2 - s);
}

bool h1_fields_fast(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    char *s = b->data + p->line_at;
    bool done = false;
    while (b->end - s >= 2) {
        if (*s == '\r') {
            done = s[1] == '\n';
            s += done ? 2 : 0;
            break;
        }
        /* The exact layer says why not. */
        if (p->fields >= p->limits.max_headers ||
            (UNLIKELY(b->list->n == b->list->cap) && !headers_grow(b->list)))
            break;
        char *next = take_line(b, s);
        if (next == NULL)
            break;
        p->fields++;
        s = next;
    }
    p->line_at = p->scan_at = (uint32_t)(s - b->data);
    return done;
}
