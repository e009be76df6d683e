/* Runs a compiled access log format over one finished stream. A worker, on the path of every
 * request: no heap, no system call, no name compared for a well-known header, no copying by call of
 * what is short.
 *
 * At the start of each operator there is room for STEP bytes, so what is bounded is written without
 * asking; texts are cut so that the literal behind them fits. */
#include "proxy/observe/access_log_int.h"

enum { STEP = 64 + ALOG_TAIL_MAX };

/* ---- writing ---- */

/* n bytes without a call when they are few: two copies that overlap. */
static inline char *put(char *p, const char *s, size_t n)
{
    if (n > 32) {
        memcpy(p, s, n);
    } else if (n >= 16) {
        memcpy(p, s, 16);
        memcpy(p + n - 16, s + n - 16, 16);
    } else if (n >= 8) {
        memcpy(p, s, 8);
        memcpy(p + n - 8, s + n - 8, 8);
    } else if (n >= 4) {
        memcpy(p, s, 4);
        memcpy(p + n - 4, s + n - 4, 4);
    } else if (n > 0) {
        p[0] = s[0];
        p[n / 2] = s[n / 2];
        p[n - 1] = s[n - 1];
    }
    return p + n;
}

static inline char *put_cut(char *p, const char *end, struct sv s)
{
    size_t room = (size_t)(end - p);
    return put(p, s.p, s.n < room ? s.n : room);
}

static inline char *put_dash(char *p)
{
    *p = '-';
    return p + 1;
}

static inline char *put_pair(char *p, uint64_t below_100)
{
    memcpy(p, &alog_digit_pairs[below_100 * 2], 2);
    return p + 2;
}

static __attribute__((noinline)) char *put_large(char *p, uint64_t v)
{
    struct alog_out o = {p, p + STEP};
    alog_put_number(&o, v);
    return o.p;
}

/* Below 10000. */
static inline char *put_small(char *p, uint64_t v)
{
    if (v >= 100) {
        if (v >= 1000)
            p = put_pair(p, v / 100);
        else
            *p++ = (char)('0' + v / 100);
        return put_pair(p, v % 100);
    }
    if (v >= 10)
        return put_pair(p, v);
    *p = (char)('0' + v);
    return p + 1;
}

static inline char *put_number(char *p, uint64_t v)
{
    if (LIKELY(v < 10000))
        return put_small(p, v);
    if (v >= 100000000)
        return put_large(p, v);
    p = put_small(p, v / 10000);
    p = put_pair(p, v % 10000 / 100);
    return put_pair(p, v % 100);
}

/* ---- values ---- */

static inline const void *field(const struct stream_info *si, uint16_t offset)
{
    return (const char *)si + offset;
}

/* p is NULL when there is no such header; an empty one has a p. */
static inline struct sv find_known(const struct headers *h, enum hdr_id id)
{
    if (h == NULL || !headers_has(h, id))
        return SV_NONE;
    const struct header *v = h->v;
    while (v->id != id)
        v++;
    return sv_of(v->value != NULL ? v->value : "", v->value_len);
}

static __attribute__((noinline)) struct sv find_other(const struct headers *h, struct sv name)
{
    const struct header *v = h == NULL || name.n == 0 ? NULL : headers_find(h, name);
    if (v == NULL)
        return SV_NONE;
    return sv_of(v->value != NULL ? v->value : "", v->value_len);
}

/* Valid until the thread's next call. */
static __attribute__((noinline)) struct sv status_text(const struct stream_info *si)
{
    static _Thread_local char text[STEP];
    if (si->res == NULL || si->response_code == 0)
        return SV_NONE;
    return sv_of(text, (size_t)(put_number(text, si->response_code) - text));
}

/* An empty pseudo header is one that is not there. */
static __attribute__((noinline)) struct sv find_pseudo(const struct stream_info *si,
                                                       enum alog_pseudo pseudo)
{
    switch (pseudo) {
    case ALOG_METHOD:
        return si->method.n > 0 ? si->method : SV_NONE;
    case ALOG_TARGET:
        return si->path.n > 0 ? si->path : SV_NONE;
    case ALOG_AUTHORITY:
        return si->authority.n > 0 ? si->authority : SV_NONE;
    case ALOG_SCHEME: {
        /* What a trusted hop says, if it is a scheme at all. */
        struct sv proto = find_known(si->req, HDR_X_FORWARDED_PROTO);
        return proto.p == NULL || sv_ieq(proto, SV("http")) || sv_ieq(proto, SV("https"))
                   ? proto
                   : SV("http");
    }
    case ALOG_STATUS:
        return status_text(si);
    case ALOG_NO_PSEUDO:
        break;
    }
    return SV_NONE;
}

static inline struct sv find_name(const struct stream_info *si, const struct headers *h,
                                  const struct alog_name *name)
{
    if (name->pseudo != ALOG_NO_PSEUDO)
        return find_pseudo(si, (enum alog_pseudo)name->pseudo);
    if (LIKELY(name->id != HDR_OTHER))
        return find_known(h, (enum hdr_id)name->id);
    return find_other(h, name->name);
}

static inline char *put_header(char *p, const char *end, const struct stream_info *si,
                               const struct alog_op *op)
{
    const struct headers *h = *(const struct headers *const *)field(si, op->offset);
    struct sv v = find_name(si, h, &op->name);
    if (v.p == NULL && op->alt.name.n > 0)
        v = find_name(si, h, &op->alt);
    if (v.p == NULL)
        return put_dash(p);
    if (v.n > op->limit)
        v.n = op->limit;
    return put_cut(p, end, v);
}

static inline char *put_protocol(char *p, uint8_t protocol)
{
    static const struct {
        char text[8];
        size_t n;
    } names[] = {
        [PROTO_NONE] = {"-",        1},
          [PROTO_HTTP10] = {"HTTP/1.0", 8},
        [PROTO_HTTP11] = {"HTTP/1.1", 8},
          [PROTO_HTTP2] = {"HTTP/2",   6},
        [PROTO_HTTP3] = {"HTTP/3",   6},
    };
    unsigned i = protocol < ARRAY_LEN(names) ? protocol : PROTO_NONE;
    memcpy(p, names[i].text, 8);
    return p + names[i].n;
}

static __attribute__((noinline)) char *put_flags(char *p, char *end, const struct stream_info *si,
                                                 const struct alog_op *op)
{
    struct alog_out o = {p, end};
    alog_put_flags(&o, si->response_flags, si->protocol != PROTO_NONE, op->form == 0);
    return o.p;
}

static inline char *put_duration(char *p, const struct stream_info *si, const struct alog_op *op)
{
    uint64_t from = *(const uint64_t *)field(si, op->offset);
    uint64_t to = *(const uint64_t *)field(si, op->end_offset);

    if (from == 0 || to < from)
        return put_dash(p);
    if (LIKELY(op->divisor == 1000))
        return put_number(p, (to - from) / 1000);
    return put_number(p, (to - from) * (op->divisor == 0 ? 1000 : 1));
}

static __attribute__((noinline)) char *put_other_address(char *p, char *end, const struct addr *a,
                                                         enum alog_address form)
{
    struct alog_out o = {p, end};
    alog_put_address(&o, a, form);
    return o.p;
}

static inline char *put_address(char *p, char *end, const struct addr *a, enum alog_address form)
{
    if (a == NULL)
        return put_dash(p);
    if (UNLIKELY(a->sa.sa_family != AF_INET))
        return put_other_address(p, end, a, form);
    if (form != ALOG_ADDR_PORT) {
        const uint8_t *b = (const uint8_t *)&a->in4.sin_addr;
        for (unsigned i = 0; i < 4; i++) {
            p = put_number(p, b[i]);
            *p++ = '.';
        }
        p--;
    }
    if (form == ALOG_ADDR_FULL)
        *p++ = ':';
    return form == ALOG_ADDR_IP ? p : put_number(p, ntohs(a->in4.sin_port));
}

static __attribute__((noinline)) char *put_value(char *p, char *end, const struct stream_info *si,
                                                 const struct alog_op *op)
{
    struct alog_out o = {p, end};
    alog_put_value(&o, si, op);
    return o.p;
}

static __attribute__((noinline)) char *put_time_piece(char *p, char *end, const struct alog_op *op,
                                                      uint64_t wall_us)
{
    struct alog_out o = {p, end};
    alog_put_time(&o, op, wall_us);
    return o.p;
}

static inline char *put_time(char *p, char *end, const struct stream_info *si,
                             const struct alog_op *op, uint64_t now_wall_us)
{
    uint64_t wall_us = op->clock == ALOG_CLOCK_EMIT ? now_wall_us : si->start_wall_us;
    if (LIKELY(op->form == ALOG_TIME_DEFAULT))
        return alog_put_default_time(p, (enum alog_clock)op->clock, wall_us);
    return put_time_piece(p, end, op, wall_us);
}

/* ---- the loop ---- */

static inline char *run_op(char *p, char *end, const struct stream_info *si,
                           const struct alog_op *op, uint64_t now_wall_us)
{
    switch ((enum alog_code)op->code) {
    case ALOG_LITERAL:
        return put_cut(p, end, op->text);
    case ALOG_TIME:
        return put_time(p, end, si, op, now_wall_us);
    case ALOG_HEADER:
        return put_header(p, end, si, op);
    case ALOG_PROTOCOL:
        return put_protocol(p, *(const uint8_t *)field(si, op->offset));
    case ALOG_CODE:
        return put_number(p, si->response_code);
    case ALOG_FLAGS:
        return LIKELY(si->response_flags == 0) ? put_dash(p) : put_flags(p, end, si, op);
    case ALOG_NUMBER:
        return put_number(p, *(const uint64_t *)field(si, op->offset));
    case ALOG_NUMBER32:
        return put_number(p, *(const uint32_t *)field(si, op->offset));
    case ALOG_TEXT: {
        struct sv s = *(const struct sv *)field(si, op->offset);
        return s.n > 0 ? put_cut(p, end, s) : put_dash(p);
    }
    case ALOG_DURATION:
        return put_duration(p, si, op);
    case ALOG_ADDRESS:
        return put_address(p, end, *(const struct addr *const *)field(si, op->offset),
                           (enum alog_address)op->form);
    case ALOG_REMOTE:
        return put_address(p, end, si->up_local != NULL ? si->up_host : NULL,
                           (enum alog_address)op->form);
    default:
        return put_value(p, end, si, op);
    }
}

size_t alog_run(const struct alog_prog *prog, const struct stream_info *si, uint64_t now_wall_us,
                char *out, size_t room)
{
    const struct alog_op *op = prog->op, *last = prog->op + prog->n;
    char *p = out, *end = out + room;

    for (; op < last && LIKELY(end - p >= STEP); op++) {
        p = run_op(p, end - ALOG_TAIL_MAX, si, op, now_wall_us);
        memcpy(p, op->tail, ALOG_TAIL_MAX);
        p += op->tail_n;
    }
    /* Cut: the next line must still begin on its own. */
    if (prog->newline && room > 0 && UNLIKELY(p == out || p[-1] != '\n')) {
        p -= p == end;
        *p++ = '\n';
    }
    return (size_t)(p - out);
}
