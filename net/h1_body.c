/* Message bodies (RFC 9112 6 and 7): counted, chunked, or until the connection ends; and the
 * outgoing chunk's size line. Called by both HTTP/1 codecs, on their worker.
 *
 * Chunk framing is read byte by byte and kept in the state; only a trailer block must be whole. */
#include "net/h1.h"
#include "net/h1_int.h"
#include "net/h1_scan.h"

enum body_state {
    B_SIZE,
    B_EXT_BEFORE, /* blanks before a ';' */
    B_EXT_NAME_AT,
    B_EXT_NAME,
    B_EXT_NAME_AFTER, /* blanks before '=' or ';' */
    B_EXT_VALUE_AT,
    B_EXT_TOKEN,
    B_EXT_QUOTED,
    B_EXT_ESCAPED,
    B_EXT_AFTER, /* the closing quote was read, or blanks after a value */
    B_SIZE_LF,
    B_DATA,
    B_DATA_CR,
    B_DATA_LF,
    B_TRAILER_AT,
    B_TRAILER,
    B_LAST_CR,
    B_LAST_LF,
    B_FAILED,
};

enum { MAX_SIZE_DIGITS = 16 };

void h1_body_init(struct h1_body *b, const struct h1_head *head, const struct h1_limits *limits,
                  struct headers *trailers)
{
    *b = (struct h1_body){.framing = head->framing, .trailers = trailers};
    h1_parser_init(&b->trailer_parser, false, limits);
    b->trailer_parser.state = H1_S_FIELD;
    if (head->framing == H1_BODY_LENGTH)
        b->left = head->content_length;
    b->done = head->framing == H1_BODY_NONE || (head->framing == H1_BODY_LENGTH && b->left == 0);
}

static enum err refuse(struct h1_body *b, enum h1_fault f)
{
    b->fault = f;
    b->state = B_FAILED;
    return h1_refuse(&b->trailer_parser, f);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static unsigned hex_value(char c)
{
    return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

static enum err size_digit(struct h1_body *b, char c)
{
    if (b->size_digits == MAX_SIZE_DIGITS || b->left > INT64_MAX >> 4)
        return refuse(b, H1_FAULT_CODEC);
    b->left = b->left << 4 | hex_value(c);
    b->size_digits++;
    return OK;
}

/* The state after c at the end of a chunk size, an extension's name or value; B_FAILED when c
 * cannot stand there. blank: the state that blanks lead to. */
static enum body_state after_part(char c, enum body_state blank)
{
    if (c == ';')
        return B_EXT_NAME_AT;
    if (is_blank(c))
        return blank;
    return c == '\r' ? B_SIZE_LF : B_FAILED;
}

static enum body_state after_name(char c)
{
    return c == '=' ? B_EXT_VALUE_AT : after_part(c, B_EXT_NAME_AFTER);
}

static bool is_text(char c)
{
    return h1_is(c, H1_C_TEXT) || c == '\t';
}

/* RFC 9112 7.1.1, with the blanks (BWS) that it tells recipients to bear. A blank before the CR is
 * not among them. */
static enum body_state extension_next(enum body_state state, char c)
{
    bool token = h1_is(c, H1_C_TOKEN);
    switch (state) {
    case B_EXT_BEFORE:
        return c == '\r' ? B_FAILED : after_part(c, B_EXT_BEFORE);
    case B_EXT_NAME_AT:
        if (is_blank(c))
            return B_EXT_NAME_AT;
        return token ? B_EXT_NAME : B_FAILED;
    case B_EXT_NAME:
        return token ? B_EXT_NAME : after_name(c);
    case B_EXT_NAME_AFTER:
        return c == '\r' ? B_FAILED : after_name(c);
    case B_EXT_VALUE_AT:
        if (is_blank(c))
            return B_EXT_VALUE_AT;
        if (c == '"')
            return B_EXT_QUOTED;
        return token ? B_EXT_TOKEN : B_FAILED;
    case B_EXT_TOKEN:
        return token ? B_EXT_TOKEN : after_part(c, B_EXT_BEFORE);
    case B_EXT_QUOTED:
        if (c == '"' || c == '\\')
            return c == '"' ? B_EXT_AFTER : B_EXT_ESCAPED;
        return is_text(c) ? B_EXT_QUOTED : B_FAILED;
    case B_EXT_ESCAPED:
        return is_text(c) ? B_EXT_QUOTED : B_FAILED;
    default: /* B_EXT_AFTER */
        return after_part(c, B_EXT_BEFORE);
    }
}

static enum err extension_byte(struct h1_body *b, char c)
{
    enum body_state next = extension_next((enum body_state)b->state, c);
    if (next == B_FAILED)
        return refuse(b, H1_FAULT_CODEC);
    if (next != B_SIZE_LF && ++b->overhead > b->trailer_parser.limits.max_head_bytes)
        return refuse(b, H1_FAULT_HEADERS_TOO_LARGE);
    b->state = (uint8_t)next;
    return OK;
}

static enum err size_byte(struct h1_body *b, char c)
{
    if (h1_is(c, H1_C_HEX))
        return size_digit(b, c);
    if (b->size_digits == 0)
        return refuse(b, H1_FAULT_CODEC);
    b->state = B_EXT_AFTER;
    return extension_byte(b, c);
}

/* The size line is complete. */
static void chunk_start(struct h1_body *b)
{
    b->size_digits = 0;
    b->state = b->left == 0 ? B_TRAILER_AT : B_DATA;
    /* A stream of honest chunks may carry extensions for ever; only what outgrows the data counts.
     */
    b->overhead -= b->left < b->overhead ? (uint32_t)b->left : b->overhead;
}

static enum err expect(struct h1_body *b, char c, char want, enum body_state next)
{
    if (c != want)
        return refuse(b, H1_FAULT_CODEC);
    b->state = (uint8_t)next;
    return OK;
}

/* One byte of framing; not B_DATA nor B_TRAILER. */
static enum err framing_byte(struct h1_body *b, char c)
{
    switch ((enum body_state)b->state) {
    case B_SIZE:
        return size_byte(b, c);
    case B_SIZE_LF:
        TRY(expect(b, c, '\n', B_SIZE));
        chunk_start(b);
        return OK;
    case B_DATA_CR:
        return expect(b, c, '\r', B_DATA_LF);
    case B_DATA_LF:
        return expect(b, c, '\n', B_SIZE);
    case B_LAST_CR:
        return expect(b, c, '\r', B_LAST_LF);
    case B_LAST_LF:
        TRY(expect(b, c, '\n', B_LAST_LF));
        b->done = true;
        return OK;
    default:
        return extension_byte(b, c);
    }
}

/* The trailers, from the first byte of the first line; all of them or E_AGAIN. */
static enum err trailer_block(struct h1_body *b, char *in, size_t n, size_t *used)
{
    struct h1_parser *p = &b->trailer_parser;
    size_t usable = n < p->limits.max_head_bytes ? n : p->limits.max_head_bytes;
    struct h1_block block = {.p = p, .data = in, .end = in + usable, .list = b->trailers};
    if (b->trailers != NULL && p->base != NULL && p->base != in)
        headers_rebase(b->trailers, p->base, p->scan_at, in);
    p->base = in;
    enum err e = h1_fields_run(&block);
    if (e == E_AGAIN)
        e = h1_out_of_bytes(p, n);
    if (e == E_PROTO || e == E_LIMIT)
        return refuse(b, p->fault);
    if (e != OK)
        return e;
    *used = p->scan_at;
    b->done = true;
    return OK;
}

/* As much of the counted body or of the current chunk as is there. */
static struct sv take_data(struct h1_body *b, const char *in, size_t n)
{
    size_t take = b->left < n ? (size_t)b->left : n;
    b->left -= take;
    return sv_of(in, take);
}

/* A chunk's CRLF or an ordinary size line in one go. Returns the bytes taken, 0: read them singly.
 */
static size_t framing_fast(struct h1_body *b, const char *in, size_t n)
{
    enum { USUAL_DIGITS = 8 };
    if (b->state == B_DATA_CR && n >= 2 && memcmp(in, "\r\n", 2) == 0) {
        b->state = B_SIZE;
        return 2;
    }
    if (b->state != B_SIZE || b->size_digits != 0)
        return 0;
    uint64_t size = 0;
    size_t i = 0;
    for (; i < n && i < USUAL_DIGITS && h1_is(in[i], H1_C_HEX); i++)
        size = size << 4 | hex_value(in[i]);
    if (i == 0 || n - i < 2 || memcmp(in + i, "\r\n", 2) != 0)
        return 0;
    b->left = size;
    chunk_start(b);
    return i + 2;
}

/* The next step of a chunked body, not over data. *step: bytes used. */
static enum err framing_step(struct h1_body *b, char *in, size_t n, size_t *step)
{
    if (b->state == B_TRAILER_AT)
        b->state = *in == '\r' ? B_LAST_CR : B_TRAILER;
    if (b->state == B_TRAILER)
        return trailer_block(b, in, n, step);
    *step = framing_fast(b, in, n);
    if (*step != 0)
        return OK;
    *step = 1;
    return framing_byte(b, *in);
}

/* Reads on until the bytes or the body end, or a second piece of data begins. at: bytes used so
 * far; it stays before what is refused or not yet whole. */
static enum err chunked_next(struct h1_body *b, char *in, size_t n, size_t *at, struct sv *data)
{
    while (*at < n && !b->done) {
        size_t step;
        if (b->state != B_DATA) {
            TRY(framing_step(b, in + *at, n - *at, &step));
            *at += step;
            continue;
        }
        if (data->n != 0)
            return OK;
        *data = take_data(b, in + *at, n - *at);
        *at += data->n;
        b->state = b->left == 0 ? B_DATA_CR : B_DATA;
    }
    return OK;
}

enum err h1_body_next(struct h1_body *b, char *in, size_t n, size_t *used, struct sv *data)
{
    *used = 0;
    *data = sv_of(in, 0);
    if (UNLIKELY(b->state == B_FAILED))
        return h1_refuse(&b->trailer_parser, b->fault);
    if (b->done || b->framing == H1_BODY_NONE)
        return OK;
    if (b->framing == H1_BODY_UNTIL_CLOSE)
        b->left = n;
    if (b->framing != H1_BODY_CHUNKED) {
        *data = take_data(b, in, n);
        *used = data->n;
        b->done = b->framing == H1_BODY_LENGTH && b->left == 0;
        return OK;
    }
    enum err e = chunked_next(b, in, n, used, data);
    /* What came before the bad or the missing bytes is good: hand that over, tell the rest at the
     * next call. */
    return *used != 0 ? OK : e;
}

size_t h1_chunk_head(char *out, uint64_t n)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = 1;
    for (uint64_t rest = n >> 4; rest != 0; rest >>= 4)
        len++;
    for (size_t i = len; i-- > 0; n >>= 4)
        out[i] = digits[n & 15];
    memcpy(out + len, "\r\n", 2);
    return len + 2;
}
