#pragma once
/* The table of well-known header names, shared by headers.c and the HTTP/1 parser. Private to net/.
 *
 * Hashed are a name's length and four of its characters: the last four, or of 16 characters and
 * more those from a quarter of the length plus 8 on. That is perfect for the names listed
 * (headers_names.c does not compile otherwise), so one comparison decides. */
#include "net/headers.h"

#pragma GCC visibility push(hidden)

enum { HDR_HASH_SIZE = 128, HDR_NAME_ROOM = 48, HDR_LONG_NAME = 16 };
#define HDR_WORD(a, b, c, d)                                                                       \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
#define HDR_HASH(n, word) ((((word) + (uint32_t)(n)) * 0x44635065U) >> 25)

/* One cache line per name. */
struct hdr_entry {
    char text[HDR_NAME_ROOM]; /* padded with zeros: may be compared in whole blocks */
    uint64_t bit;             /* in headers.present */
    uint8_t id, len;
} __attribute__((aligned(64)));

struct hdr_table {
    struct hdr_entry entries[HDR_COUNT]; /* [HDR_OTHER].text is equal to no name */
    uint8_t by_hash[HDR_HASH_SIZE];
    /* 16 bytes from keep + 16 - n: the first n are ones, the rest zeros. */
    uint8_t keep[32];
};

extern const struct hdr_table hdr_table;

/* Makes room for more slots; false when the arena is full. */
MUST bool headers_grow(struct headers *h);

#pragma GCC visibility pop

/* Equality of n bytes, n at least 1, without a call: words that may overlap. */
static inline bool hdr_text_eq(const char *a, const char *b, size_t n)
{
    uint64_t x, y;
    if (n >= 8) {
        for (size_t i = 0; i < n - 8; i += 8) {
            memcpy(&x, a + i, 8);
            memcpy(&y, b + i, 8);
            if (x != y)
                return false;
        }
        memcpy(&x, a + n - 8, 8);
        memcpy(&y, b + n - 8, 8);
        return x == y;
    }
    if (n >= 4) {
        uint32_t u, v, w, z;
        memcpy(&u, a, 4);
        memcpy(&v, b, 4);
        memcpy(&w, a + n - 4, 4);
        memcpy(&z, b + n - 4, 4);
        return ((u ^ v) | (w ^ z)) == 0;
    }
    return a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1];
}

/* Four characters from s on, letters in lower case (and other characters changed). */
static inline uint32_t hdr_word_at(const char *s)
{
    return HDR_WORD((uint8_t)s[0], (uint8_t)s[1], (uint8_t)s[2], (uint8_t)s[3]) | 0x20202020U;
}

/* The hashed characters. In a message a line end precedes a name, so that the last four characters
 * of a shorter name hold its bytes, folded ("-*"). */
static inline uint32_t hdr_word_of(const char *lower, size_t n)
{
    if (n >= 4)
        return hdr_word_at(lower + (n < HDR_LONG_NAME ? n - 4 : n / 4 + 8));
    if (n == 3)
        return HDR_WORD('*', (uint8_t)lower[0], (uint8_t)lower[1], (uint8_t)lower[2]);
    return n == 2 ? HDR_WORD('-', '*', (uint8_t)lower[0], (uint8_t)lower[1]) : 0;
}

/* hdr_lookup without the call; n is at least 1. */
static inline enum hdr_id hdr_lookup_inline(const char *lower, size_t n)
{
    const struct hdr_entry *e =
        &hdr_table.entries[hdr_table.by_hash[HDR_HASH(n, hdr_word_of(lower, n))]];
    return e->len == n && hdr_text_eq(lower, e->text, n) ? (enum hdr_id)e->id : HDR_OTHER;
}

/* The slot is not zeroed: the caller writes every field, and sets the bit in present. */
static inline struct header *headers_slot_inline(struct headers *h)
{
    if (UNLIKELY(h->n == h->cap) && !headers_grow(h))
        return NULL;
    return &h->v[h->n++];
}
