/* The request line (RFC 9112 3), and h1_parse_request. Called by the HTTP/1 server codec, on its
 * worker. */
#include "net/h1.h"
#include "net/h1_int.h"
#include "net/h1_scan.h"

/* What Envoy's parser takes, the common ones first. */
static const struct {
    char text[12];
    uint8_t len;
    uint8_t id; /* enum h1_method */
} methods[] = {
    {"GET",         3,  H1_GET         },
    {"POST",        4,  H1_POST        },
    {"PUT",         3,  H1_PUT         },
    {"HEAD",        4,  H1_HEAD        },
    {"DELETE",      6,  H1_DELETE      },
    {"PATCH",       5,  H1_PATCH       },
    {"OPTIONS",     7,  H1_OPTIONS     },
    {"CONNECT",     7,  H1_CONNECT     },
    {"TRACE",       5,  H1_TRACE       },
    {"ACL",         3,  H1_METHOD_OTHER},
    {"BIND",        4,  H1_METHOD_OTHER},
    {"CHECKOUT",    8,  H1_METHOD_OTHER},
    {"COPY",        4,  H1_METHOD_OTHER},
    {"LINK",        4,  H1_METHOD_OTHER},
    {"LOCK",        4,  H1_METHOD_OTHER},
    {"MERGE",       5,  H1_METHOD_OTHER},
    {"MKACTIVITY",  10, H1_METHOD_OTHER},
    {"MKCALENDAR",  10, H1_METHOD_OTHER},
    {"MKCOL",       5,  H1_METHOD_OTHER},
    {"MOVE",        4,  H1_METHOD_OTHER},
    {"MSEARCH",     7,  H1_METHOD_OTHER},
    {"NOTIFY",      6,  H1_METHOD_OTHER},
    {"PROPFIND",    8,  H1_METHOD_OTHER},
    {"PROPPATCH",   9,  H1_METHOD_OTHER},
    {"PURGE",       5,  H1_METHOD_OTHER},
    {"REBIND",      6,  H1_METHOD_OTHER},
    {"REPORT",      6,  H1_METHOD_OTHER},
    {"SEARCH",      6,  H1_METHOD_OTHER},
    {"SOURCE",      6,  H1_METHOD_OTHER},
    {"SUBSCRIBE",   9,  H1_METHOD_OTHER},
    {"UNBIND",      6,  H1_METHOD_OTHER},
    {"UNLINK",      6,  H1_METHOD_OTHER},
    {"UNLOCK",      6,  H1_METHOD_OTHER},
    {"UNSUBSCRIBE", 11, H1_METHOD_OTHER},
};

/* Does the text begin a method? *id: the method it is in full, or H1_METHOD_NONE. */
static bool method_prefix(const char *text, size_t n, enum h1_method *id)
{
    bool prefix = false;
    *id = H1_METHOD_NONE;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (methods[i].len < n || memcmp(methods[i].text, text, n) != 0)
            continue;
        prefix = true;
        if (methods[i].len == n)
            *id = (enum h1_method)methods[i].id;
    }
    return prefix;
}

static enum err method_step(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    const char *line = b->data + p->line_at;
    enum h1_method id;
    for (; b->data + p->scan_at < b->end; p->scan_at++) {
        size_t n = p->scan_at - p->line_at;
        if (line[n] != ' ') {
            if (!method_prefix(line, n + 1, &id))
                return h1_refuse(p, H1_FAULT_CODEC);
            continue;
        }
        if (n == 0 || !method_prefix(line, n, &id) || id == H1_METHOD_NONE)
            return h1_refuse(p, H1_FAULT_CODEC);
        b->head->method = id;
        b->head->method_text = sv_of(line, n);
        p->part_at = ++p->scan_at;
        p->sub = 0;
        p->state = H1_S_TARGET;
        return OK;
    }
    return E_AGAIN;
}

/* One byte of "HTTP/1.1\r\n". */
static enum err version_byte(struct h1_block *b, const char *version, size_t i)
{
    static const char pattern[10] = "HTTP/d.d\r\n";
    char want = pattern[i], c = version[i];
    if (want == 'd' ? c < '0' || c > '9' : c != want)
        return h1_refuse(b->p, H1_FAULT_CODEC);
    if (want != '\r')
        return OK;
    if (version[5] != '1' || version[7] > '1')
        return h1_refuse(b->p, H1_FAULT_VERSION);
    b->head->minor = (uint8_t)(version[7] - '0');
    return OK;
}

static enum err version_step(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    while (b->data + p->scan_at < b->end) {
        size_t i = p->scan_at - p->part_at;
        TRY(version_byte(b, b->data + p->part_at, i));
        p->scan_at++;
        if (i == 9) {
            p->line_at = p->scan_at;
            p->state = H1_S_FIELD;
            return OK;
        }
    }
    return E_AGAIN;
}

/* RFC 9112 2.2: one empty line before the request line is passed over. */
static enum err start_step(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    if (b->data + p->scan_at == b->end)
        return E_AGAIN;
    char c = b->data[p->scan_at];
    if (p->state == H1_S_START && c != '\r') {
        p->state = H1_S_METHOD;
        return OK;
    }
    if (p->state == H1_S_START_LF && c != '\n')
        return h1_refuse(p, H1_FAULT_CODEC);
    p->line_at = ++p->scan_at;
    p->state = c == '\r' ? H1_S_START_LF : H1_S_METHOD;
    return OK;
}

static enum err request_line_step(struct h1_block *b)
{
    switch (b->p->state) {
    case H1_S_METHOD:
        return method_step(b);
    case H1_S_TARGET:
        return h1_target_step(b);
    case H1_S_VERSION:
        return version_step(b);
    default:
        return start_step(b);
    }
}

/* The method's length when it is one of the usual, with its blank, at the start of 8 bytes or more.
 */
static size_t usual_method(const char *s, struct h1_head *head)
{
    enum h1_method id;
    size_t n;
    if (memcmp(s, "GET ", 4) == 0)
        id = H1_GET, n = 3;
    else if (memcmp(s, "POST ", 5) == 0)
        id = H1_POST, n = 4;
    else if (memcmp(s, "PUT ", 4) == 0)
        id = H1_PUT, n = 3;
    else if (memcmp(s, "DELETE ", 7) == 0)
        id = H1_DELETE, n = 6;
    else if (memcmp(s, "HEAD ", 5) == 0)
        id = H1_HEAD, n = 4;
    else if (memcmp(s, "PATCH ", 6) == 0)
        id = H1_PATCH, n = 5;
    else
        return 0;
    head->method = id;
    head->method_text = sv_of(s, n);
    return n;
}

/* A whole request line in origin-form. On anything else nothing lasting has happened. */
static bool request_line_fast(struct h1_block *b)
{
    enum { SHORTEST = sizeof "GET / HTTP/1.1\r\n" - 1, VERSION = sizeof " HTTP/1.1\r\n" - 1 };
    const char *s = b->data;
    if (b->end - s < SHORTEST)
        return false;
    size_t method_len = usual_method(s, b->head);
    const char *target = s + method_len + 1;
    if (method_len == 0 || *target != '/')
        return false;
    const char *stop = h1_scan_target(target, b->end, s);
    if (b->end - stop < VERSION || memcmp(stop, " HTTP/1.", 8) != 0 ||
        memcmp(stop + 9, "\r\n", 2) != 0 || (stop[8] != '1' && stop[8] != '0'))
        return false;
    b->head->minor = (uint8_t)(stop[8] - '0');
    b->head->target = b->head->path = sv_of(target, (size_t)(stop - target));
    b->p->line_at = b->p->scan_at = (uint32_t)(stop + VERSION - s);
    b->p->state = H1_S_FIELD;
    return true;
}

/* RFC 9112 6.3. The values were checked field by field. */
static void set_framing(struct h1_head *out)
{
    if (headers_has(&out->headers, HDR_TRANSFER_ENCODING)) {
        out->framing = H1_BODY_CHUNKED;
        out->content_length = 0;
        headers_remove(&out->headers, HDR_CONTENT_LENGTH);
    } else if (headers_has(&out->headers, HDR_CONTENT_LENGTH)) {
        out->framing = H1_BODY_LENGTH;
    }
}

/* Whatever was left to the exact layer, from where the parser stands. */
static __attribute__((noinline)) enum err request_run(struct h1_block *b, size_t n)
{
    enum err e = OK;
    while (b->p->state < H1_S_FIELD && e == OK)
        e = request_line_step(b);
    if (e == OK)
        e = h1_fields_run(b);
    return e == E_AGAIN ? h1_out_of_bytes(b->p, n) : e;
}

enum err h1_parse_request(struct h1_parser *p, char *data, size_t n, struct h1_head *out)
{
    struct h1_block b;
    TRY(h1_block_open(&b, p, data, n, out));
    bool fast = p->state == H1_S_START && request_line_fast(&b) && h1_fields_fast(&b);
    if (UNLIKELY(!fast))
        TRY(request_run(&b, n));
    set_framing(out);
    h1_head_done(p, out);
    return OK;
}
