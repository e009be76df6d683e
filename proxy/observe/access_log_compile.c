/* Reads an access log format: literal text with %OPERATOR(parameters):limit% in it, %% being a
 * percent sign. Main thread, once per configuration. */
#include "proxy/observe/access_log_int.h"
#include <stdlib.h>

struct sv alog_default_format(void)
{
    return SV("[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" "
              "%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "
              "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" "
              "\"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" "
              "\"%UPSTREAM_HOST%\"\n");
}

struct alog_op *alog_add(struct alog_builder *b, enum alog_code code)
{
    if (b->n == ALOG_OPS_MAX)
        return NULL;
    struct alog_op *op = &b->op[b->n++];
    *op = (struct alog_op){.code = (uint8_t)code, .limit = UINT32_MAX};
    return op;
}

static bool is_name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Optional ":digits", then "%": the end of an operator. Returns the bytes taken, 0 if it is not
 * one. */
static size_t take_end(struct sv s, struct alog_token *t)
{
    size_t digits = 0;
    uint64_t limit = 0;

    t->has_limit = s.n > 0 && s.p[0] == ':';
    if (!t->has_limit)
        return s.n > 0 && s.p[0] == '%';
    while (1 + digits < s.n && s.p[1 + digits] >= '0' && s.p[1 + digits] <= '9')
        digits++;
    if (1 + digits >= s.n || s.p[1 + digits] != '%' || sv_u64(sv_of(s.p + 1, digits), &limit) != OK)
        return 0;
    t->limit = limit > UINT32_MAX ? UINT32_MAX : (uint32_t)limit;
    return digits + 2;
}

/* The operator at the start of s, behind its first "%". Parameters end at the first parenthesis
 * that ends the operator, so they may contain parentheses. Returns the bytes taken, 0 if there is
 * none. */
static size_t take_token(struct sv s, struct alog_token *t)
{
    size_t name = 0, end;

    *t = (struct alog_token){0};
    while (name < s.n && is_name_char(s.p[name]))
        name++;
    t->name = sv_of(s.p, name);
    if (name == 0 || name == s.n)
        return 0;
    if (s.p[name] != '(') {
        end = take_end(sv_skip(s, name), t);
        return end == 0 ? 0 : name + end;
    }
    for (size_t close = name + 1; close < s.n && s.p[close] != '\n'; close++) {
        end = s.p[close] == ')' ? take_end(sv_skip(s, close + 1), t) : 0;
        if (end == 0)
            continue;
        t->param = sv_of(s.p + name + 1, close - name - 1);
        return close + 1 + end;
    }
    return 0;
}

static enum err add_literal(struct alog_builder *b, struct sv text)
{
    struct alog_op *op = b->n > 0 ? &b->op[b->n - 1] : NULL;

    if (text.n == 0)
        return OK;
    if (op != NULL && op->tail_n == 0 && text.n <= ALOG_TAIL_MAX) {
        memcpy(op->tail, text.p, text.n);
        op->tail_n = (uint8_t)text.n;
        return OK;
    }
    op = alog_add(b, ALOG_LITERAL);
    if (op == NULL)
        return diag_fail(b->diag, E_LIMIT, "access log format has more than %d parts",
                         ALOG_OPS_MAX);
    op->text = text;
    return OK;
}

static enum err compile_all(struct alog_builder *b, struct sv format)
{
    size_t start = 0;

    for (size_t at = 0; at < format.n; at++) {
        struct alog_token t;
        if (format.p[at] != '%')
            continue;
        TRY(add_literal(b, sv_of(format.p + start, at - start)));
        if (at + 1 < format.n && format.p[at + 1] == '%') {
            start = ++at;
            TRY(add_literal(b, sv_of(format.p + start, 1)));
            start++;
            continue;
        }
        size_t taken = take_token(sv_skip(format, at + 1), &t);
        if (taken == 0) {
            return diag_fail(
                b->diag, E_PARSE,
                "Incorrect configuration: %.*s. Couldn't find valid command at position %zu",
                SVF(format), at);
        }
        TRY(alog_compile_token(b, &t));
        at += taken;
        start = at + 1;
    }
    return add_literal(b, sv_of(format.p + start, format.n - start));
}

enum err alog_compile(struct sv format, struct arena *a, const struct alog_prog **out,
                      struct diag *d)
{
    struct alog_builder b = {.arena = a, .diag = d};
    struct alog_prog *p = NULL;
    struct sv copy = arena_dup(a, format);

    b.op = calloc(ALOG_OPS_MAX, sizeof(*b.op));
    enum err err = b.op == NULL || copy.p == NULL ? diag_fail(d, E_NOMEM, "out of memory")
                                                  : compile_all(&b, copy);
    if (err == OK) {
        p = arena_zalloc(a, sizeof(*p) + b.n * sizeof(p->op[0]));
        err = p == NULL ? diag_fail(d, E_NOMEM, "out of memory") : OK;
    }
    if (p != NULL) {
        p->n = b.n;
        p->newline = sv_ends(format, SV("\n"));
        memcpy(p->op, b.op, b.n * sizeof(p->op[0]));
        *out = p;
    }
    free(b.op);
    return err;
}
