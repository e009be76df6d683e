#pragma once
/* What the files of the HTTP/1 parser share. Private to net/h1*.c.
 *
 * Two layers read a head. The fast one takes whole, ordinary lines and only ever says yes; whatever
 * it does not take (odd, malformed or not yet complete) goes to the exact one, which reads byte by
 * byte, stops anywhere, resumes there, and alone gives verdicts. So how the bytes were split cannot
 * show, except where the two layers disagree on a good line: the unit tests and the fuzzer compare
 * all splits. */
#include "net/h1.h"

#pragma GCC visibility push(hidden)

/* h1_parser.state: the part of the head that the byte at scan_at belongs to. */
enum h1_state {
    H1_S_START,    /* nothing yet */
    H1_S_START_LF, /* the CR of a leading empty line was read */
    H1_S_METHOD,
    H1_S_TARGET,
    H1_S_VERSION, /* up to and with the end of the request line */
    H1_S_STATUS,  /* version, status and the blank before the reason */
    H1_S_REASON,
    H1_S_REASON_LF,
    H1_S_FIELD,    /* first byte of a field line or of the empty line */
    H1_S_FIELD_LF, /* the CR of the empty line was read */
    H1_S_NAME,
    H1_S_VALUE,
    H1_S_VALUE_LF,
    H1_S_FAILED,
};

/* h1_parser.seen: what the Connection fields named. */
enum { H1_CONN_CLOSE = 1, H1_CONN_KEEP_ALIVE = 2, H1_CONN_UPGRADE = 4 };

/* One call's view of a block of lines: a head or the trailers. */
struct h1_block {
    struct h1_parser *p;
    char *data;
    const char *end;
    struct h1_head *head; /* NULL: trailers */
    struct headers *list; /* NULL: check only */
};

/* h1.c */
MUST enum err h1_refuse(struct h1_parser *p, enum h1_fault f);
/* A further call for a head: says no again, or follows a moved buffer. */
MUST enum err h1_block_again(struct h1_block *b);
/* The verdict when a step ran out of bytes: more, or too large. */
MUST enum err h1_out_of_bytes(struct h1_parser *p, size_t n);

/* h1_target.c: the exact reading of a target and of an authority. */
MUST enum err h1_target_step(struct h1_block *b);
/* Sets target and the views of its parts. len: bytes of the target. */
MUST enum err h1_target_done(struct h1_block *b, const char *target, size_t len);
void h1_authority_start(struct h1_parser *p, uint32_t at);
/* False when c cannot follow. at: offset of c in the block. */
bool h1_authority_byte(struct h1_block *b, uint32_t at, unsigned char c);
/* True when the authority may end here. */
bool h1_authority_complete(const struct h1_parser *p, bool empty_ok, bool port_needed);

/* h1_value.c: fields whose value has a meaning for the message itself. */
/* At the colon: may this field stand here at all? */
MUST enum err h1_field_allowed(struct h1_block *b, enum hdr_id id);
/* Is the value read byte by byte by h1_value_byte? */
bool h1_value_checked(enum hdr_id id);
/* One byte of such a value, never a control character; a CR ends it. */
MUST enum err h1_value_byte(struct h1_block *b, uint32_t at, unsigned char c);
/* A field line is complete: Connection and Expect take effect. */
void h1_value_apply(struct h1_block *b, enum hdr_id id, struct sv value);
/* The fast layer's reading of a whole value; false: leave it to the exact one. */
bool h1_value_fast(struct h1_block *b, enum hdr_id id, struct sv value);

/* h1_fields.c: field lines up to and with the empty line. */
MUST enum err h1_fields_run(struct h1_block *b);
/* h1_fields_fast.c: takes lines from H1_S_FIELD on while they are ordinary. True: the empty line
 * was read. */
bool h1_fields_fast(struct h1_block *b);

#pragma GCC visibility pop

/* All but the list, which the caller has set up. Field by field, as compilers clear a structure of
 * this size with `rep stos`, whose start costs more than all of these. */
static inline void h1_head_clear(struct h1_head *h)
{
    h->method_text = h->target = h->scheme = h->authority = h->path = h->reason = SV_NONE;
    h->method = H1_METHOD_NONE;
    h->framing = H1_BODY_NONE;
    h->status = 0;
    h->minor = 0;
    h->absolute_form = h->close = h->upgrade = h->expect_continue = false;
    h->content_length = 0;
    h->head_bytes = h->dropped_underscores = 0;
}

/* Starts a call: bounds the input by the limit, and clears out at a head's first byte. */
static inline enum err h1_block_open(struct h1_block *b, struct h1_parser *p, char *data, size_t n,
                                     struct h1_head *out)
{
    size_t usable = n < p->limits.max_head_bytes ? n : p->limits.max_head_bytes;
    b->p = p;
    b->data = data;
    b->end = data + usable;
    b->head = out;
    b->list = &out->headers;
    if (p->state != H1_S_START)
        return h1_block_again(b);
    h1_head_clear(out);
    p->base = data;
    return OK;
}

/* A head is complete: what Connection said, its length; the parser stands at the next message. */
static inline void h1_head_done(struct h1_parser *p, struct h1_head *out)
{
    bool keep = out->minor != 0 || (p->seen & H1_CONN_KEEP_ALIVE);
    out->close = (p->seen & H1_CONN_CLOSE) || !keep;
    out->upgrade =
        out->minor != 0 && (p->seen & H1_CONN_UPGRADE) && headers_has(&out->headers, HDR_UPGRADE);
    out->head_bytes = p->scan_at;
    p->state = H1_S_START;
    p->fields = p->line_at = p->scan_at = 0;
    p->seen = 0;
}
