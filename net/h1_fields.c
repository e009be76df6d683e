/* The exact reading of field lines (RFC 9112 5), byte by byte where it matters and resumable
 * anywhere; heads and trailers. Called by h1_request.c, h1_response.c and h1_body.c. */
#include "net/h1_int.h"
#include "net/h1_scan.h"
#include "net/headers_int.h"

/* The first byte of a line: the empty line's CR, or a field name's first. */
static enum err line_start_step(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    char c = b->data[p->scan_at];
    if (c == '\r') {
        p->scan_at++;
        p->state = H1_S_FIELD_LF;
        return OK;
    }
    if (!h1_is(c, H1_C_TOKEN)) /* a blank: a folded line, or layout before the first field */
        return h1_refuse(p, H1_FAULT_CODEC);
    if (p->fields >= p->limits.max_headers)
        return h1_refuse(p, H1_FAULT_TOO_MANY_HEADERS);
    p->fields++;
    p->sub = 0;
    p->state = H1_S_NAME;
    return OK;
}

static enum err name_end(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    size_t n = p->scan_at - p->line_at;
    enum hdr_id id = hdr_lookup_inline(b->data + p->line_at, n);
    TRY(h1_field_allowed(b, id));
    p->name_len = (uint16_t)n;
    p->field = (uint8_t)id;
    p->part_at = ++p->scan_at;
    p->sub = 0;
    p->state = H1_S_VALUE;
    return OK;
}

static enum err name_step(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    for (; b->data + p->scan_at < b->end; p->scan_at++) {
        char *c = b->data + p->scan_at;
        if (*c == ':')
            return name_end(b);
        if (!h1_is(*c, H1_C_TOKEN))
            return h1_refuse(p, H1_FAULT_CODEC);
        if (*c == '_' && p->limits.underscores == H1_UNDERSCORE_REJECT)
            return h1_refuse(p, H1_FAULT_UNDERSCORE);
        if (p->scan_at - p->line_at == UINT16_MAX)
            return h1_refuse(p, H1_FAULT_HEADERS_TOO_LARGE);
        *c = ascii_lower(*c);
    }
    return E_AGAIN;
}

/* Passes over value text. OK: a byte that is neither text nor a tab is at scan_at. */
static enum err text_step(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    const char *at = b->data + p->scan_at;
    do {
        at = h1_scan_text(at, b->end, b->data);
    } while (at < b->end && *at == '\t' && at++);
    p->scan_at = (uint32_t)(at - b->data);
    return at == b->end ? E_AGAIN : OK;
}

static enum err checked_step(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    for (; b->data + p->scan_at < b->end; p->scan_at++) {
        char c = b->data[p->scan_at];
        if (!h1_is(c, H1_C_TEXT) && c != '\t' && c != '\r')
            return OK;
        TRY(h1_value_byte(b, p->scan_at, (unsigned char)c));
        if (c == '\r')
            return OK;
    }
    return E_AGAIN;
}

static enum err value_step(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    TRY(h1_value_checked(p->field) ? checked_step(b) : text_step(b));
    char c = b->data[p->scan_at];
    if (c != '\r')
        return h1_refuse(p, c == '\n' ? H1_FAULT_CODEC : H1_FAULT_CHARACTERS);
    p->scan_at++;
    p->state = H1_S_VALUE_LF;
    return OK;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool dropped(const struct h1_block *b)
{
    const struct h1_parser *p = b->p;
    return p->limits.underscores == H1_UNDERSCORE_DROP && p->field == HDR_OTHER &&
           memchr(b->data + p->line_at, '_', p->name_len) != NULL;
}

static enum err keep_line(struct h1_block *b, struct sv value)
{
    const struct h1_parser *p = b->p;
    struct header *h = headers_slot_inline(b->list);
    if (h == NULL)
        return E_NOMEM;
    /* Blanks are taken off the value: the line is canonical if it ends there and one blank leads.
     */
    const char *name = b->data + p->line_at;
    bool raw = value.p == name + p->name_len + 2 && value.p[-1] == ' ' &&
               value.p + value.n + 1 == b->data + p->scan_at;
    *h = (struct header){.name = name,
                         .value = value.p,
                         .value_len = (uint32_t)value.n,
                         .name_len = p->name_len,
                         .id = p->field,
                         .flags = raw ? HDR_RAW : 0};
    b->list->present |= UINT64_C(1) << p->field;
    return OK;
}

/* The LF of a field line: the line is complete. */
static enum err line_end_step(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    if (b->data[p->scan_at] != '\n')
        return h1_refuse(p, H1_FAULT_CODEC);
    const char *from = b->data + p->part_at, *to = b->data + p->scan_at - 1;
    while (from < to && is_blank(*from))
        from++;
    while (to > from && is_blank(to[-1]))
        to--;
    struct sv value = sv_of(from, (size_t)(to - from));
    bool drop = dropped(b);
    if (b->list != NULL && !drop)
        TRY(keep_line(b, value));
    if (b->head != NULL) {
        h1_value_apply(b, (enum hdr_id)p->field, value);
        b->head->dropped_underscores += drop;
    }
    p->line_at = ++p->scan_at;
    p->state = H1_S_FIELD;
    return OK;
}

enum err h1_fields_run(struct h1_block *b)
{
    struct h1_parser *p = b->p;
    for (;;) {
        if (p->state == H1_S_FIELD && b->head != NULL && h1_fields_fast(b))
            return OK;
        if (b->data + p->scan_at >= b->end)
            return E_AGAIN;
        switch (p->state) {
        case H1_S_FIELD:
            TRY(line_start_step(b));
            break;
        case H1_S_NAME:
            TRY(name_step(b));
            break;
        case H1_S_VALUE:
            TRY(value_step(b));
            break;
        case H1_S_VALUE_LF:
            TRY(line_end_step(b));
            break;
        default: /* H1_S_FIELD_LF */
            if (b->data[p->scan_at] != '\n')
                return h1_refuse(p, H1_FAULT_CODEC);
            p->scan_at++;
            return OK;
        }
    }
}
