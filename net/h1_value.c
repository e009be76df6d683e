/* The fields that decide about the message itself: Host, Content-Length, Transfer-Encoding,
 * Connection, Expect. Their values are read exactly (h1_value_byte) or at once (h1_value_fast),
 * with the same outcome. Called by h1_fields.c and h1_fields_fast.c. */
#include "net/h1_int.h"
#include "net/h1_scan.h"

/* h1_parser.sub while a checked value is read. */
enum { V_LEAD, V_BODY, V_TAIL };

/* The largest lengths have 19 digits; leading zeros count too. */
enum { MAX_LENGTH_DIGITS = 19 };

static const char CHUNKED[] = "chunked";
enum { CHUNKED_LEN = sizeof CHUNKED - 1 };

static bool refuses_body(const struct h1_block *b)
{
    unsigned status = b->head->status;
    if (b->p->response)
        return status < 200 || status == 204;
    return b->head->method == H1_CONNECT;
}

static enum err length_allowed(struct h1_block *b)
{
    if (headers_has(b->list, HDR_CONTENT_LENGTH))
        return h1_refuse(b->p, H1_FAULT_CODEC);
    if (headers_has(b->list, HDR_TRANSFER_ENCODING) && !b->p->limits.allow_chunked_length)
        return h1_refuse(b->p, H1_FAULT_CL_AND_CHUNKED);
    return OK;
}

/* RFC 9112 6.1: with HTTP/1.0 the framing is faulty. */
static enum err coding_allowed(struct h1_block *b)
{
    if (b->head->minor == 0)
        return h1_refuse(b->p, H1_FAULT_CODEC);
    if (headers_has(b->list, HDR_TRANSFER_ENCODING) || refuses_body(b))
        return h1_refuse(b->p, H1_FAULT_TRANSFER_ENCODING);
    if (headers_has(b->list, HDR_CONTENT_LENGTH) && !b->p->limits.allow_chunked_length)
        return h1_refuse(b->p, H1_FAULT_CL_AND_CHUNKED);
    return OK;
}

enum err h1_field_allowed(struct h1_block *b, enum hdr_id id)
{
    if (!h1_value_checked(id))
        return OK;
    if (b->head == NULL) /* RFC 9110 6.5.1: framing and routing have no place in trailers */
        return h1_refuse(b->p, H1_FAULT_CODEC);
    if (id == HDR_CONTENT_LENGTH)
        return length_allowed(b);
    if (id == HDR_TRANSFER_ENCODING)
        return coding_allowed(b);
    return headers_has(b->list, HDR_HOST) ? h1_refuse(b->p, H1_FAULT_CODEC) : OK;
}

bool h1_value_checked(enum hdr_id id)
{
    return id == HDR_HOST || id == HDR_CONTENT_LENGTH || id == HDR_TRANSFER_ENCODING;
}

static enum h1_fault fault_of(unsigned id)
{
    switch (id) {
    case HDR_HOST:
        return H1_FAULT_AUTHORITY;
    case HDR_TRANSFER_ENCODING:
        return H1_FAULT_TRANSFER_ENCODING;
    default:
        return H1_FAULT_CODEC;
    }
}

/* The value begins at `at`, or ends there without having begun. */
static void value_start(struct h1_block *b, uint32_t at)
{
    h1_authority_start(b->p, at);
    b->head->content_length = b->p->field == HDR_CONTENT_LENGTH ? 0 : b->head->content_length;
    b->p->sub = V_BODY;
}

static bool value_complete(const struct h1_parser *p)
{
    switch (p->field) {
    case HDR_HOST: /* empty: RFC 9112 3.2 */
        return h1_authority_complete(p, true, false);
    case HDR_TRANSFER_ENCODING:
        return p->number == CHUNKED_LEN;
    default:
        return p->number != 0;
    }
}

static enum err length_byte(struct h1_block *b, unsigned char c)
{
    struct h1_parser *p = b->p;
    uint64_t *length = &b->head->content_length;
    if (c < '0' || c > '9' || p->number == MAX_LENGTH_DIGITS)
        return h1_refuse(p, H1_FAULT_CODEC);
    p->number++;
    /* 19 digits fit in 64 bits. */
    *length = *length * 10 + (c - '0');
    if (*length > INT64_MAX)
        return h1_refuse(p, H1_FAULT_CODEC);
    if (*length != 0 && refuses_body(b))
        return h1_refuse(p, H1_FAULT_BODY_DISALLOWED);
    return OK;
}

static enum err body_byte(struct h1_block *b, uint32_t at, unsigned char c)
{
    struct h1_parser *p = b->p;
    if (p->field == HDR_CONTENT_LENGTH)
        return length_byte(b, c);
    bool good;
    if (p->field == HDR_HOST)
        good = h1_authority_byte(b, at, c);
    else
        good = p->number < CHUNKED_LEN && ascii_lower((char)c) == CHUNKED[p->number++];
    return good ? OK : h1_refuse(p, fault_of(p->field));
}

enum err h1_value_byte(struct h1_block *b, uint32_t at, unsigned char c)
{
    struct h1_parser *p = b->p;
    bool blank = c == ' ' || c == '\t', end = c == '\r';
    if (p->sub == V_TAIL)
        return blank || end ? OK : h1_refuse(p, fault_of(p->field));
    if (p->sub == V_LEAD) {
        if (blank)
            return OK;
        value_start(b, at);
    }
    if (!blank && !end)
        return body_byte(b, at, c);
    if (!value_complete(p))
        return h1_refuse(p, fault_of(p->field));
    p->sub = V_TAIL;
    return OK;
}

static void apply_connection(struct h1_parser *p, struct sv value)
{
    struct sv item;
    while (headers_list_next(&value, &item)) {
        if (sv_ieq(item, SV("close")))
            p->seen |= H1_CONN_CLOSE;
        else if (sv_ieq(item, SV("keep-alive")))
            p->seen |= H1_CONN_KEEP_ALIVE;
        else if (sv_ieq(item, SV("upgrade")))
            p->seen |= H1_CONN_UPGRADE;
    }
}

void h1_value_apply(struct h1_block *b, enum hdr_id id, struct sv value)
{
    if (id == HDR_CONNECTION)
        apply_connection(b->p, value);
    else if (id == HDR_EXPECT && b->head->minor != 0 && sv_ieq(value, SV("100-continue")))
        b->head->expect_continue = true; /* RFC 9110 10.1.1: not from HTTP/1.0 */
}

/* The first byte of a host that is not plain. */
static inline const char *plain_end(const struct h1_block *b, struct sv value)
{
#if H1_SSE2
    enum { BLOCKS = 32 };
    if (LIKELY(b->end - value.p >= BLOCKS && value.n < BLOCKS)) {
        unsigned high = h1_not_plain(h1_load(value.p + BLOCKS / 2));
        unsigned stops = h1_not_plain(h1_load(value.p)) | high << BLOCKS / 2;
        return value.p + (unsigned)__builtin_ctz(stops | 1U << value.n);
    }
#endif
    return h1_scan_plain(value.p, value.p + value.n, b->data);
}

/* An ordinary name, and perhaps a port. */
static bool host_fast(const struct h1_block *b, struct sv value)
{
    enum { USUAL_PORT = sizeof ":9999" - 1 };
    const char *end = value.p + value.n, *at = plain_end(b, value);
    if (at == end)
        return true;
    if (*at != ':' || at == value.p || end - at > USUAL_PORT || at + 1 == end || at[1] == '0')
        return false;
    for (at++; at < end; at++) {
        if (*at < '0' || *at > '9')
            return false;
    }
    return true;
}

static bool length_fast(struct h1_block *b, struct sv value)
{
    if (value.n >= MAX_LENGTH_DIGITS || refuses_body(b) ||
        headers_has(b->list, HDR_CONTENT_LENGTH) || headers_has(b->list, HDR_TRANSFER_ENCODING))
        return false;
    uint64_t length = 0;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return false;
        length = length * 10 + (uint64_t)(value.p[i] - '0');
    }
    b->head->content_length = length;
    return true;
}

static bool coding_fast(const struct h1_block *b, struct sv value)
{
    return value.n == CHUNKED_LEN && memcmp(value.p, CHUNKED, CHUNKED_LEN) == 0 &&
           b->head->minor != 0 && !refuses_body(b) && !headers_has(b->list, HDR_CONTENT_LENGTH) &&
           !headers_has(b->list, HDR_TRANSFER_ENCODING);
}

bool h1_value_fast(struct h1_block *b, enum hdr_id id, struct sv value)
{
    switch (id) {
    case HDR_HOST:
        return !headers_has(b->list, HDR_HOST) && host_fast(b, value);
    case HDR_CONTENT_LENGTH:
        return length_fast(b, value);
    case HDR_TRANSFER_ENCODING:
        return coding_fast(b, value);
    default:
        h1_value_apply(b, id, value);
        return true;
    }
}
