/* The status line (RFC 9112 4), and h1_parse_response. Called by the HTTP/1 client codec and the
 * health checker's probes, on their thread. */
#include "net/h1.h"
#include "net/h1_int.h"
#include "net/h1_scan.h"

/* Offsets within "HTTP/1.1 200 OK". */
enum { MINOR_AT = 7, CODE_AT = 9, CODE_END = 12 };

/* One byte of "HTTP/1.1 200". */
static enum err status_byte(struct h1_block *b, const char *line, size_t i)
{
    static const char pattern[CODE_END] = "HTTP/d.d ddd";
    char want = pattern[i], c = line[i];
    if (want == 'd' ? c < '0' || c > '9' : c != want)
        return h1_refuse(b->p, H1_FAULT_CODEC);
    if (i == CODE_AT - 1) {
        if (line[5] != '1' || line[MINOR_AT] > '1')
            return h1_refuse(b->p, H1_FAULT_VERSION);
        b->head->minor = (uint8_t)(line[MINOR_AT] - '0');
    }
    if (i < CODE_AT)
        return OK;
    if (i == CODE_AT && (c < '1' || c > '5'))
        return h1_refuse(b->p, H1_FAULT_CODEC);
    b->head->status = (uint16_t)(b->head->status * 10 + (c - '0'));
    return OK;
}

static enum err status_step(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    p->state = H1_S_STATUS;
    for (; b->data + p->scan_at < b->end; p->scan_at++) {
        if (p->scan_at < CODE_END) {
            TRY(status_byte(b, b->data, p->scan_at));
            continue;
        }
        char c = b->data[p->scan_at];
        if (c != ' ' && c != '\r')
            return h1_refuse(p, H1_FAULT_CODEC);
        p->part_at = ++p->scan_at;
        p->state = c == ' ' ? H1_S_REASON : H1_S_REASON_LF;
        return OK;
    }
    return E_AGAIN;
}

static enum err reason_step(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    const char *at = b->data + p->scan_at;
    for (;; at++) {
        at = h1_scan_text(at, b->end, b->data);
        p->scan_at = (uint32_t)(at - b->data);
        if (at == b->end)
            return E_AGAIN;
        if (*at != '\t')
            break;
    }
    if (*at != '\r')
        return h1_refuse(p, *at == '\n' ? H1_FAULT_CODEC : H1_FAULT_CHARACTERS);
    b->head->reason = sv_of(b->data + p->part_at, p->scan_at - p->part_at);
    p->scan_at++;
    p->state = H1_S_REASON_LF;
    return OK;
}

static enum err status_line_step(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    if (p->state == H1_S_REASON)
        return reason_step(b);
    if (p->state != H1_S_REASON_LF)
        return status_step(b);
    if (b->data + p->scan_at == b->end)
        return E_AGAIN;
    if (b->data[p->scan_at] != '\n')
        return h1_refuse(p, H1_FAULT_CODEC);
    p->line_at = ++p->scan_at;
    p->state = H1_S_FIELD;
    return OK;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A whole status line with a reason. On anything else nothing lasting has happened. */
static bool status_line_fast(struct h1_block *b)
{
    const char *s = b->data, *code = s + CODE_AT;
    enum { SHORTEST = CODE_END + 3 };
    if (b->end - s < SHORTEST || memcmp(s, "HTTP/1.", MINOR_AT) != 0 ||
        (s[MINOR_AT] != '1' && s[MINOR_AT] != '0') || s[CODE_AT - 1] != ' ' || s[CODE_END] != ' ')
        return false;
    if (code[0] < '1' || code[0] > '5' || !is_digit(code[1]) || !is_digit(code[2]))
        return false;
    const char *reason = s + CODE_END + 1;
    const char *stop = h1_scan_text(reason, b->end, s);
    if (b->end - stop < 2 || memcmp(stop, "\r\n", 2) != 0)
        return false;
    b->head->minor = (uint8_t)(s[MINOR_AT] - '0');
    b->head->status = (uint16_t)((code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'));
    b->head->reason = sv_of(reason, (size_t)(stop - reason));
    b->p->line_at = b->p->scan_at = (uint32_t)(stop + 2 - s);
    b->p->state = H1_S_FIELD;
    return true;
}

static bool never_has_body(unsigned status, enum h1_method request_method)
{
    return request_method == H1_HEAD || status < 200 || status == 204 || status == 304 ||
           (request_method == H1_CONNECT && status < 300);
}

/* RFC 9112 6.3. */
static void set_framing(struct h1_head *out, enum h1_method request_method)
{
    bool chunked = headers_has(&out->headers, HDR_TRANSFER_ENCODING);
    bool length = headers_has(&out->headers, HDR_CONTENT_LENGTH);
    if (chunked && length) {
        headers_remove(&out->headers, HDR_CONTENT_LENGTH);
        out->content_length = 0;
    }
    if (never_has_body(out->status, request_method))
        return;
    if (chunked)
        out->framing = H1_BODY_CHUNKED;
    else
        out->framing = length ? H1_BODY_LENGTH : H1_BODY_UNTIL_CLOSE;
}

/* Whatever was left to the exact layer, from where the parser stands. */
static __attribute__((noinline)) enum err response_run(struct h1_block *b, size_t n)
{
    enum err e = OK;
    while (b->p->state < H1_S_FIELD && e == OK)
        e = status_line_step(b);
    if (e == OK)
        e = h1_fields_run(b);
    return e == E_AGAIN ? h1_out_of_bytes(b->p, n) : e;
}

enum err h1_parse_response(struct h1_parser *p, char *data, size_t n, enum h1_method request_method,
                           struct h1_head *out)
{
    struct h1_block b;
    TRY(h1_block_open(&b, p, data, n, out));
    bool fast = p->state == H1_S_START && status_line_fast(&b) && h1_fields_fast(&b);
    if (UNLIKELY(!fast))
        TRY(response_run(&b, n));
    set_framing(out, request_method);
    h1_head_done(p, out);
    if (out->framing == H1_BODY_UNTIL_CLOSE)
        out->close = true;
    return OK;
}
