#pragma once
/* Runs the HTTP/1 parser over bytes that arrive in pieces, each time at another address, and turns
 * what came out into text. Used by the h1 tests and fuzz targets. */
#include "net/h1.h"

struct h1_input {
    struct sv bytes;
    const struct h1_limits *limits;
    bool response;
    enum h1_method request_method; /* of a response */
};

/* What came of it. text: the head (or body) spelled out, malloc'ed; the rest views nothing. */
struct h1_outcome {
    enum err err;
    enum h1_fault fault;
    size_t seen; /* bytes the parser had been given when it decided */
    size_t used; /* bytes consumed */
    char *text;
};
void h1_outcome_free(struct h1_outcome *o);
/* Gives the first call the first `first` bytes, and each further one `step` more. */
struct h1_outcome h1_run_head(const struct h1_input *in, size_t first, size_t step);

/* Is the outcome of two pieces, cut at `cut`, that of single bytes? */
bool h1_head_cut_agrees(const struct h1_input *in, const struct h1_outcome *bytewise, size_t cut);

/* The same for a body of a head with this framing and length. keep_trailers false: they are
 * dropped. */
struct h1_body_input {
    struct sv bytes;
    const struct h1_limits *limits;
    enum h1_framing framing;
    uint64_t length;
    bool keep_trailers;
};
struct h1_outcome h1_run_body(const struct h1_body_input *in, size_t first, size_t step);
bool h1_body_cut_agrees(const struct h1_body_input *in, const struct h1_outcome *bytewise,
                        size_t cut);

/* "name: value\n" for each; a '~' in front of those that are not HDR_RAW. malloc'ed. */
char *h1_headers_text(const struct headers *h);
