/* The HTTP/1 parser's frame: set-up, verdicts, moved buffers. The callers of net/h1.h enter here
 * and in h1_request.c, h1_response.c and h1_body.c. Any thread, one parser one thread. */
#include "net/h1.h"
#include "net/h1_int.h"

static const struct {
    const char *details;
    unsigned status;
} faults[H1_FAULT_COUNT] = {
    [H1_FAULT_NONE] = {"",                                             0  },
    [H1_FAULT_CODEC] = {"http1.codec_error",                            400},
    [H1_FAULT_CHARACTERS] = {"http1.invalid_characters",                     400},
    [H1_FAULT_SCHEME] = {"http1.invalid_scheme",                         400},
    [H1_FAULT_URL] = {"http1.invalid_url",                            400},
    [H1_FAULT_TRANSFER_ENCODING] = {"http1.invalid_transfer_encoding",              501},
    [H1_FAULT_CL_AND_CHUNKED] = {"http1.content_length_and_chunked_not_allowed", 400},
    [H1_FAULT_HEADERS_TOO_LARGE] = {"http1.headers_too_large",                      431},
    [H1_FAULT_TOO_MANY_HEADERS] = {"http1.too_many_headers",                       431},
    [H1_FAULT_UNDERSCORE] = {"http1.unexpected_underscore",                  400},
    [H1_FAULT_CONNECTION] = {"http1.connection_header_rejected",             400},
    [H1_FAULT_VERSION] = {"low_version",                                  426},
    [H1_FAULT_AUTHORITY] = {"http.invalid_authority",                       400},
    [H1_FAULT_FRAGMENT] = {"path_normalization_failed",                    400},
    [H1_FAULT_BODY_DISALLOWED] = {"http1.body_disallowed",                        400},
};

const char *h1_fault_details(enum h1_fault f)
{
    return (unsigned)f < H1_FAULT_COUNT ? faults[f].details : "";
}

unsigned h1_fault_status(enum h1_fault f)
{
    return (unsigned)f < H1_FAULT_COUNT ? faults[f].status : 0;
}

static enum err error_of(enum h1_fault f)
{
    bool limit = f == H1_FAULT_HEADERS_TOO_LARGE || f == H1_FAULT_TOO_MANY_HEADERS;
    return limit ? E_LIMIT : E_PROTO;
}

enum err h1_refuse(struct h1_parser *p, enum h1_fault f)
{
    p->fault = f;
    p->state = H1_S_FAILED;
    return error_of(f);
}

void h1_parser_init(struct h1_parser *p, bool response, const struct h1_limits *limits)
{
    *p = (struct h1_parser){.limits = *limits, .response = response};
}

bool h1_parser_begun(const struct h1_parser *p)
{
    if (p->state <= H1_S_METHOD)
        return p->scan_at > p->line_at;
    return true;
}

static void move(struct sv *v, const char *old, size_t n, const char *fresh)
{
    uintptr_t at = (uintptr_t)v->p - (uintptr_t)old;
    if (at < n)
        v->p = fresh + at;
}

static void rebase(struct h1_head *head, const char *old, size_t n, const char *fresh)
{
    headers_rebase(&head->headers, old, n, fresh);
    move(&head->method_text, old, n, fresh);
    move(&head->target, old, n, fresh);
    move(&head->authority, old, n, fresh);
    move(&head->path, old, n, fresh);
    move(&head->reason, old, n, fresh);
}

void h1_head_rebase(struct h1_head *head, const char *old, const char *fresh)
{
    rebase(head, old, head->head_bytes, fresh);
}

enum err h1_block_again(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    if (p->state == H1_S_FAILED)
        return error_of(p->fault);
    if (p->base != b->data)
        rebase(b->head, p->base, p->scan_at, b->data);
    p->base = b->data;
    return OK;
}

enum err h1_out_of_bytes(struct h1_parser *p, size_t n)
{
    /* A head of exactly the limit is good; one that is not complete by then never will be. */
    return n >= p->limits.max_head_bytes ? h1_refuse(p, H1_FAULT_HEADERS_TOO_LARGE) : E_AGAIN;
}
