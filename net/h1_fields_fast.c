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

/* ": " and CRLF; and behind a value CRLF and at least two bytes of the next line. */
enum { AFTER_NAME = 4, AFTER_VALUE = 4 };

/* Where the next field goes, and what came so far. */
struct take {
    struct h1_block *b;
    struct header *h;
    uint64_t present;
};

/* A line up to its value. */
struct line {
    char *name;
    size_t name_len;
    const struct hdr_entry *known; /* that of HDR_OTHER when the name is not known */
};

static inline const char *value_of(const struct line *l)
{
    return l->name + l->name_len + 2;
}

/* Is the value that ends at `stop`, and its line's end, as usual? end: the block's. */
static inline bool ends_well(const char *value, const char *stop, const char *end)
{
    /* The byte before the stop is the value's last, or the blank of an empty value. */
    return end - stop >= AFTER_VALUE && memcmp(stop, "\r\n", 2) == 0 && stop[-1] != ' ' &&
           *value != ' ';
}

static inline bool keep_field(struct take *t, const struct line *l, struct sv value)
{
    if (UNLIKELY((SPECIAL & l->known->bit) != 0)) {
        t->b->list->present = t->present;
        if (!h1_value_fast(t->b, (enum hdr_id)l->known->id, value))
            return false;
    }
    *t->h++ = (struct header){.name = l->name,
                              .value = value.p,
                              .value_len = (uint32_t)value.n,
                              .name_len = (uint16_t)l->name_len,
                              .id = l->known->id,
                              .flags = HDR_RAW};
    t->present |= l->known->bit;
    return true;
}

#if H1_SSE2
enum { BLOCK = 16 };

static inline void store(char *to, __m128i x)
{
    _mm_storeu_si128((__m128i *)(void *)to, x);
}

static inline __m128i keep_first(size_t n)
{
    return h1_load((const char *)hdr_table.keep + BLOCK - n);
}

/* Lower-cases the plain bytes from s on; the first other, or an end that leaves less than a block.
 */
static inline char *fold_blocks(char *s, const char *end)
{
    while (end - s >= BLOCK) {
        __m128i x = h1_load(s), letters = h1_letters(x);
        __m128i plain = _mm_or_si128(letters, h1_plain_marks(x));
        unsigned n = (unsigned)__builtin_ctz(~(unsigned)_mm_movemask_epi8(plain));
        __m128i fold = _mm_and_si128(letters, _mm_set1_epi8(0x20));
        store(s, _mm_or_si128(x, _mm_and_si128(fold, keep_first(n))));
        s += n;
        if (n != BLOCK)
            break;
    }
    return s;
}
#else
static inline char *fold_blocks(char *s, const char *end)
{
    (void)end;
    return s;
}
#endif

/* Takes the line at s, whatever its name's length; its end, or NULL when it is not ordinary. */
static __attribute__((noinline)) char *take_any(struct take *t, char *s)
{
    const char *end = t->b->end;
    char *colon = fold_blocks(s, end);
    for (; colon < end && h1_is(*colon, H1_C_PLAIN); colon++)
        *colon = ascii_lower(*colon);
    size_t n = (size_t)(colon - s);
    if (n == 0 || n > UINT16_MAX || end - colon < AFTER_NAME || memcmp(colon, ": ", 2) != 0)
        return NULL;
    struct line l = {s, n, &hdr_table.entries[hdr_lookup_inline(s, n)]};
    const char *value = value_of(&l), *stop = h1_scan_text(value, end, s);
    if (!ends_well(value, stop, end) || !keep_field(t, &l, sv_of(value, (size_t)(stop - value))))
        return NULL;
    return s + (stop - s) + 2;
}

/* A copy is passed on, so that *t may live in registers. */
static inline char *take_odd(struct take *t, char *s)
{
    struct take copy = *t;
    char *next = take_any(&copy, s);
    *t = copy;
    return next;
}

#if H1_SSE2
/* Is the block of a name, padded with zeros, the one at `from` of e? The lengths are compared
 * apart: zeros may stand in a foreign name too. */
static inline bool is_known(const struct hdr_entry *e, size_t from, __m128i name)
{
    return _mm_movemask_epi8(_mm_cmpeq_epi8(name, h1_load(e->text + from))) == 0xffff;
}

static inline const struct hdr_entry *entry_of(const char *name, size_t n)
{
    /* A line end precedes the name: see hdr_word_of. */
    return &hdr_table.entries[hdr_table.by_hash[HDR_HASH(n, hdr_word_at(name + n - 4))]];
}

/* Folds '@' and all above: right for letters, and no known name has any of the others. */
static inline __m128i fold(__m128i x)
{
    __m128i upper = _mm_cmpgt_epi8(x, _mm_set1_epi8('@'));
    return _mm_or_si128(x, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
}

/* Reads a name that ends in its first block, x, before the colon at l->name_len. *lower: x with the
 * name in lower case. False: it is not ordinary. */
static inline bool short_name(struct line *l, __m128i x, __m128i *lower)
{
    __m128i name = fold(_mm_and_si128(x, keep_first(l->name_len)));
    *lower = _mm_or_si128(x, name);
    l->known = entry_of(l->name, l->name_len);
    if (l->known->len == l->name_len && is_known(l->known, 0, name))
        return true;
    l->known = &hdr_table.entries[HDR_OTHER];
    return l->name_len != 0 && (h1_not_plain(x) & ((1U << l->name_len) - 1)) == 0;
}

/* Reads a known name that ends in its second block. False: it does not, or is not known. */
static inline bool long_name(struct line *l, __m128i x, __m128i *lower, const char *end)
{
    if (end - l->name < 2 * BLOCK + AFTER_NAME)
        return false;
    __m128i y = h1_load(l->name + BLOCK);
    unsigned colons = h1_matches(y, ':');
    if (colons == 0)
        return false;
    size_t n = (unsigned)__builtin_ctz(colons);
    __m128i name = fold(_mm_and_si128(y, keep_first(n)));
    *lower = fold(x);
    l->name_len = BLOCK + n;
    l->known =
        &hdr_table.entries[hdr_table.by_hash[HDR_HASH(BLOCK + n, hdr_word_of(l->name, BLOCK + n))]];
    if (l->known->len != l->name_len || !is_known(l->known, 0, *lower) ||
        !is_known(l->known, BLOCK, name))
        return false;
    store(l->name + BLOCK, _mm_or_si128(y, name));
    return true;
}

/* Takes the line at s; its end, or NULL when it is not ordinary. low: the block's start. */
static inline char *take_line(struct take *t, char *s, const char *low, const char *end)
{
    if (UNLIKELY(end - s < BLOCK + AFTER_NAME))
        return take_odd(t, s);
    __m128i x = h1_load(s), lower;
    unsigned colons = h1_matches(x, ':');
    struct line l = {.name = s, .name_len = (unsigned)__builtin_ctz(colons | 1U << BLOCK)};
    if (UNLIKELY(colons == 0)) {
        if (!long_name(&l, x, &lower, end))
            return take_odd(t, s);
    } else if (UNLIKELY(!short_name(&l, x, &lower))) {
        return NULL;
    }
    const char *value = value_of(&l), *stop = h1_scan_text(value, end, low);
    if (UNLIKELY(memcmp(s + l.name_len, ": ", 2) != 0 || !ends_well(value, stop, end)))
        return NULL;
    /* Not before the value was read: reading across a fresh store is slow. */
    store(s, lower);
    if (UNLIKELY(!keep_field(t, &l, sv_of(value, (size_t)(stop - value)))))
        return NULL;
    return s + (stop - s) + 2;
}
#else
static inline char *take_line(struct take *t, char *s, const char *low, const char *end)
{
    (void)low;
    (void)end;
    return take_odd(t, s);
}
#endif

/* Room for fields, or 0: the exact layer says why not. */
static uint32_t room(const struct h1_parser *p, struct headers *list)
{
    if (p->fields >= p->limits.max_headers || (list->n == list->cap && !headers_grow(list)))
        return 0;
    uint32_t slots = list->cap - list->n, allowed = p->limits.max_headers - p->fields;
    return slots < allowed ? slots : allowed;
}

bool h1_fields_fast(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    struct headers *list = b->list;
    const char *low = b->data, *end = b->end;
    char *s = b->data + p->line_at;
    if (end - s < 2)
        return false;
    uint32_t fits = room(p, list);
    if (UNLIKELY(fits == 0))
        return false;
    struct header *first = list->v + list->n;
    const struct header *last = first + fits;
    struct take t = {b, first, list->present};
    bool done = false;
    for (;;) {
        if (*s == '\r') {
            done = s[1] == '\n';
            s += done ? 2 : 0;
            break;
        }
        char *next = t.h != last ? take_line(&t, s, low, end) : NULL;
        if (next == NULL)
            break;
        s = next;
    }
    uint32_t taken = (uint32_t)(t.h - first);
    list->n += taken;
    list->present = t.present;
    p->fields += taken;
    p->line_at = p->scan_at = (uint32_t)(s - low);
    return done;
}
