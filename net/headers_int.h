#pragma once
/* The table of well-known header names, shared by headers.c and the HTTP/1 parser. Private to net/.
 *
 * A name is hashed over its length and the characters at one half and at three quarters: perfect
 * for the names listed (headers_names.c does not compile otherwise), so one comparison decides. */
#include "net/headers.h"

#pragma GCC visibility push(hidden)

enum { HDR_HASH_SIZE = 256, HDR_NAME_ROOM = 48 };
#define HDR_HASH(n, half, three_quarters)                                                          \
    (((unsigned)(n) + 9U * (unsigned char)(half) + 29U * (unsigned char)(three_quarters)) &        \
     (HDR_HASH_SIZE - 1U))

extern const uint8_t hdr_by_hash[HDR_HASH_SIZE];
extern const uint8_t hdr_name_len[HDR_COUNT];
/* Padded with zeros, so that a comparison may work in whole words. */
extern const char hdr_name_text[HDR_COUNT][HDR_NAME_ROOM];

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

/* hdr_lookup without the call; n is at least 1. */
static inline enum hdr_id hdr_lookup_inline(const char *lower, size_t n)
{
    unsigned id = hdr_by_hash[HDR_HASH(n, lower[n / 2], lower[n * 3 / 4])];
    if (hdr_name_len[id] != n || !hdr_text_eq(lower, hdr_name_text[id], n))
        return HDR_OTHER;
    return (enum hdr_id)id;
}

/* The slot is not zeroed: the caller writes every field, and sets the bit in present. */
static inline struct header *headers_slot_inline(struct headers *h)
{
    if (UNLIKELY(h->n == h->cap) && !headers_grow(h))
        return NULL;
    return &h->v[h->n++];
}
