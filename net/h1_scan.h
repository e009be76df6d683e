#pragma once
/* Character classes and block-wise scanning for the HTTP/1 parser. Private to net/h1*.c; pure.
 *
 * With SSE2 sixteen bytes are classed at a time; without (or with -DH1_PORTABLE_SCAN) a table
 * decides byte by byte. Both stop at the same byte. */
#include "base/compiler.h"
#include <stdbool.h>

#if defined(__SSE2__) && !defined(H1_PORTABLE_SCAN)
#define H1_SSE2 1
#include <emmintrin.h>
#else
#define H1_SSE2 0
#endif

enum h1_class {
    H1_C_TOKEN = 1,  /* RFC 9110 5.6.2 tchar */
    H1_C_PLAIN = 2,  /* letters, digits, '-', '.': nearly all of names and hosts */
    H1_C_TEXT = 4,   /* what stands in a value: VCHAR, obs-text, SP; not HTAB */
    H1_C_TARGET = 8, /* visible ASCII but '#' */
    H1_C_HOST = 16,  /* RFC 3986 unreserved and sub-delims */
    H1_C_HEX = 32,
    H1_C_SCHEME = 64, /* letters, digits, '+', '-', '.' */
    H1_C_ALPHA = 128,
};

extern const uint8_t h1_classes[256] __attribute__((visibility("hidden")));

static inline bool h1_is(char c, enum h1_class class)
{
    return (h1_classes[(unsigned char)c] & class) != 0;
}

static inline const char *h1_scan_bytes(const char *p, const char *end, enum h1_class class)
{
    while (p < end && h1_is(*p, class))
        p++;
    return p;
}

#if H1_SSE2
static inline __m128i h1_load(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* A bit for every byte of x that is c. */
static inline unsigned h1_matches(__m128i x, char c)
{
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8(c)));
}

/* Bytes of x in [from, from + count). */
static inline __m128i h1_in_range(__m128i x, char from, char count)
{
    __m128i at = _mm_sub_epi8(x, _mm_set1_epi8(from));
    return _mm_cmpeq_epi8(_mm_min_epu8(at, _mm_set1_epi8((char)(count - 1))), at);
}

static inline __m128i h1_letters(__m128i x)
{
    return h1_in_range(_mm_or_si128(x, _mm_set1_epi8(0x20)), 'a', 26);
}

/* Digits, '-' and '.': all of '-'..'9' but the slash. */
static inline __m128i h1_plain_marks(__m128i x)
{
    return _mm_andnot_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('/')), h1_in_range(x, '-', 13));
}

/* Each mask has a bit for every byte outside the class. */
static inline unsigned h1_not_plain(__m128i x)
{
    return 0xffffU ^ (unsigned)_mm_movemask_epi8(_mm_or_si128(h1_letters(x), h1_plain_marks(x)));
}

static inline unsigned h1_not_text(__m128i x)
{
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1f)), x);
    return (unsigned)_mm_movemask_epi8(
        _mm_or_si128(control, _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f))));
}

static inline unsigned h1_not_target(__m128i x)
{
    /* As signed bytes all of 0x80.. are below the space. */
    __m128i visible = _mm_cmpgt_epi8(x, _mm_set1_epi8(0x20));
    __m128i odd =
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f)), _mm_cmpeq_epi8(x, _mm_set1_epi8('#')));
    return 0xffffU ^ (unsigned)_mm_movemask_epi8(_mm_andnot_si128(odd, visible));
}

/* low: the lowest address that may be read. The last, short block is read from further left. */
#define H1_SCAN_BLOCKS(p, end, low, outside, class)                                                \
    do {                                                                                           \
        for (; (end) - (p) >= 16; (p) += 16) {                                                     \
            unsigned mask_ = outside(h1_load(p));                                                  \
            if (mask_ != 0)                                                                        \
                return (p) + (unsigned)__builtin_ctz(mask_);                                       \
        }                                                                                          \
        if (UNLIKELY((end) - (low) < 16))                                                          \
            return h1_scan_bytes(p, end, class);                                                   \
        unsigned mask_ = outside(h1_load((end)-16)) >> (16 - ((end) - (p)));                       \
        return mask_ != 0 ? (p) + (unsigned)__builtin_ctz(mask_) : (end);                          \
    } while (0)
#else
#define H1_SCAN_BLOCKS(p, end, low, outside, class)                                                \
    do {                                                                                           \
        (void)(low);                                                                               \
        return h1_scan_bytes(p, end, class);                                                       \
    } while (0)
#endif

/* Each returns the first byte in [p, end) outside its class, or end. */
static inline const char *h1_scan_plain(const char *p, const char *end, const char *low)
{
    H1_SCAN_BLOCKS(p, end, low, h1_not_plain, H1_C_PLAIN);
}

static inline const char *h1_scan_text(const char *p, const char *end, const char *low)
{
#if H1_SSE2
    for (; end - p >= 32; p += 32) {
        unsigned mask = h1_not_text(h1_load(p)) | h1_not_text(h1_load(p + 16)) << 16;
        if (mask != 0)
            return p + (unsigned)__builtin_ctz(mask);
    }
#endif
    H1_SCAN_BLOCKS(p, end, low, h1_not_text, H1_C_TEXT);
}

static inline const char *h1_scan_target(const char *p, const char *end, const char *low)
{
    H1_SCAN_BLOCKS(p, end, low, h1_not_target, H1_C_TARGET);
}
