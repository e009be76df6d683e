#pragma once
/* What the fuzz targets of the HTTP/1 parser share. The runs over pieces are those of the unit
 * tests. */
#include "tests/unit/net/h1_split.h"
#include <stdio.h>
#include <stdlib.h>

#define H1_FUZZ_NEED(ok)                                                                           \
    do {                                                                                           \
        if (!(ok)) {                                                                               \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #ok);                               \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The bytes behind the two that steer, or nothing when there are too few, or more than single bytes
 * are worth trying for. */
static inline struct sv h1_fuzz_message(const uint8_t *data, size_t size)
{
    enum { STEERING = 2, LONGEST = 2048 };
    if (size < STEERING || size > LONGEST)
        return SV_NONE;
    return sv_of((const char *)data + STEERING, size - STEERING);
}

static inline const struct h1_limits *h1_fuzz_limits(uint8_t choice)
{
    static const struct h1_limits limits[] = {
        {61440, 100, false, H1_UNDERSCORE_ALLOW },
        {61440, 100, true,  H1_UNDERSCORE_DROP  },
        {61440, 30,  false, H1_UNDERSCORE_REJECT},
        {96,    4,   true,  H1_UNDERSCORE_ALLOW },
    };
    return &limits[choice % ARRAY_LEN(limits)];
}

/* RFC 9112 2.2 and 5, asked in another way: in a head that was taken CR and LF come in pairs, no
 * line begins with a blank or is a name without its colon, no other control character stands but
 * HTAB in a value. */
static inline bool h1_fuzz_is_clean(struct sv head)
{
    bool colon = false, start = true;
    for (size_t i = 0; i < head.n; i++) {
        unsigned char c = (unsigned char)head.p[i];
        if (c == '\r' || c == '\n') {
            bool pair = c == '\r' && i + 1 < head.n && head.p[i + 1] == '\n';
            if (!pair || start == colon)
                return false;
            i++;
            start = true;
            colon = false;
            continue;
        }
        if ((c < 0x20 && (c != '\t' || !colon)) || c == 0x7f)
            return false;
        if (start && (c == ' ' || c == ':'))
            return false;
        colon |= c == ':';
        start = false;
    }
    return true;
}

static inline void h1_fuzz_head(const struct h1_input *in, uint8_t cut)
{
    struct h1_outcome bytewise = h1_run_head(in, 1, 1);
    H1_FUZZ_NEED(h1_head_cut_agrees(in, &bytewise, cut % (in->bytes.n + 1)));
    H1_FUZZ_NEED(h1_head_cut_agrees(in, &bytewise, in->bytes.n));
    if (bytewise.err == OK) {
        /* The first line has no colon rule: begin behind it. */
        struct sv head = sv_of(in->bytes.p, bytewise.used);
        size_t line = sv_find(head, '\n', in->response || head.p[0] != '\r' ? 0 : 2);
        H1_FUZZ_NEED(line < head.n && h1_fuzz_is_clean(sv_skip(head, line + 1)));
    }
    h1_outcome_free(&bytewise);
}
