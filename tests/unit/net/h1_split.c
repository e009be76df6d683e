/* See h1_split.h. Every call's bytes lie in a block of exactly their size, and the block of the
 * call before is freed: a view left behind, or a read past the end, is seen by AddressSanitizer. */
#include "tests/unit/net/h1_split.h"
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_CHUNK = 4096 };

/* What has to hold in every run; says where it did not, for the fuzzer. */
#define NEED(ok)                                                                                   \
    do {                                                                                           \
        if (!(ok)) {                                                                               \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #ok);                               \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

void h1_outcome_free(struct h1_outcome *o)
{
    free(o->text);
    o->text = NULL;
}

/* seen: with two pieces the decision falls with the first that holds the deciding byte. */
static bool agrees(const struct h1_outcome *bytewise, struct h1_outcome two, size_t cut, size_t n)
{
    bool same = bytewise->err == two.err && bytewise->fault == two.fault &&
                bytewise->used == two.used && strcmp(bytewise->text, two.text) == 0 &&
                two.seen == (cut >= bytewise->seen ? cut : n);
    h1_outcome_free(&two);
    return same;
}

bool h1_head_cut_agrees(const struct h1_input *in, const struct h1_outcome *bytewise, size_t cut)
{
    return agrees(bytewise, h1_run_head(in, cut, in->bytes.n), cut, in->bytes.n);
}

bool h1_body_cut_agrees(const struct h1_body_input *in, const struct h1_outcome *bytewise,
                        size_t cut)
{
    return agrees(bytewise, h1_run_body(in, cut, in->bytes.n), cut, in->bytes.n);
}

static void print_headers(FILE *f, const struct headers *h)
{
    uint64_t present = 0;
    for (uint32_t i = 0; i < h->n; i++) {
        const struct header *e = &h->v[i];
        fprintf(f, "%s%.*s: %.*s\n", e->flags & HDR_RAW ? "" : "~", SVF(header_name(e)),
                SVF(header_value(e)));
        NEED(e->id == hdr_lookup(e->name, e->name_len));
        present |= UINT64_C(1) << e->id;
    }
    NEED(present == h->present);
}

char *h1_headers_text(const struct headers *h)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    NEED(f != NULL);
    print_headers(f, h);
    fclose(f);
    return text;
}

static const char *framing_name(enum h1_framing f)
{
    static const char *const names[] = {"none", "length", "chunked", "until-close"};
    return names[f];
}

static char *head_text(const struct h1_head *h, bool response)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    NEED(f != NULL);
    if (response)
        fprintf(f, "1.%u %u [%.*s]", h->minor, h->status, SVF(h->reason));
    else
        fprintf(f, "%d:%.*s %.*s 1.%u", (int)h->method, SVF(h->method_text), SVF(h->target),
                h->minor);
    fprintf(f, " %s", framing_name(h->framing));
    if (h->framing == H1_BODY_LENGTH)
        fprintf(f, " %llu", (unsigned long long)h->content_length);
    fprintf(f, "%s%s%s", h->close ? " close" : "", h->upgrade ? " upgrade" : "",
            h->expect_continue ? " expect" : "");
    if (h->absolute_form)
        fprintf(f, " (%.*s %.*s %.*s)", SVF(h->scheme), SVF(h->authority), SVF(h->path));
    if (h->dropped_underscores != 0)
        fprintf(f, " dropped %u", h->dropped_underscores);
    fputc('\n', f);
    print_headers(f, &h->headers);
    fclose(f);
    return text;
}

/* old's n bytes and what more of all there is, up to `now`, in a block of exactly that size. */
static char *grown(char *old, size_t n, struct sv all, size_t now)
{
    char *fresh = malloc(now);
    NEED(fresh != NULL || now == 0);
    if (n != 0)
        memcpy(fresh, old, n);
    if (now > n)
        memcpy(fresh + n, all.p + n, now - n);
    free(old);
    return fresh;
}

/* The parser is left as it stands, and is asked once more after a refusal: it must not change its
 * mind. */
static void settle(struct h1_outcome *o, struct h1_parser *p, char *data, struct h1_head *head,
                   const struct h1_input *in)
{
    if (o->err == OK) {
        o->used = head->head_bytes;
        o->text = head_text(head, in->response);
        return;
    }
    o->text = strdup("");
    NEED(o->text != NULL);
    if (o->err == E_AGAIN)
        return;
    o->fault = p->fault;
    enum err again = in->response ? h1_parse_response(p, data, o->seen, in->request_method, head)
                                  : h1_parse_request(p, data, o->seen, head);
    NEED(again == o->err && p->fault == o->fault);
}

struct h1_outcome h1_run_head(const struct h1_input *in, size_t first, size_t step)
{
    struct h1_outcome o = {.err = E_AGAIN};
    struct h1_parser p;
    struct h1_head head;
    struct arena *arena = arena_new(ARENA_CHUNK, SIZE_MAX);
    char *data = NULL;
    NEED(arena != NULL);
    memset(&head, 0x5a, sizeof head);
    headers_init(&head.headers, arena);
    h1_parser_init(&p, in->response, in->limits);
    for (size_t now = first; o.err == E_AGAIN; now += step) {
        now = now < in->bytes.n ? now : in->bytes.n;
        data = grown(data, o.seen, in->bytes, now);
        o.seen = now;
        o.err = in->response ? h1_parse_response(&p, data, now, in->request_method, &head)
                             : h1_parse_request(&p, data, now, &head);
        if (now == in->bytes.n)
            break;
    }
    settle(&o, &p, data, &head, in);
    free(data);
    arena_free(&arena);
    return o;
}

struct body_run {
    struct h1_body body;
    struct headers trailers;
    FILE *out;
    char *held; /* bytes not consumed yet */
    size_t n;
};

/* Reads the held bytes as far as that goes. */
static enum err read_held(struct body_run *r, struct h1_outcome *o)
{
    size_t at = 0;
    enum err e = OK;
    while (!r->body.done && at < r->n && e == OK) {
        size_t used = 0;
        struct sv data = SV_NONE;
        e = h1_body_next(&r->body, r->held + at, r->n - at, &used, &data);
        NEED(e == OK || used == 0);
        NEED(e != OK || used != 0);
        fwrite(data.p, 1, data.n, r->out);
        at += used;
    }
    if (r->body.done && r->body.trailers != NULL) {
        fputc('|', r->out);
        print_headers(r->out, &r->trailers);
    }
    o->used += at;
    r->n -= at;
    char *rest = malloc(r->n);
    NEED(rest != NULL || r->n == 0);
    if (r->n != 0)
        memcpy(rest, r->held + at, r->n);
    free(r->held);
    r->held = rest;
    return e;
}

static void hold_more(struct body_run *r, struct sv more)
{
    r->held = realloc(r->held, r->n + more.n + 1);
    NEED(r->held != NULL);
    memcpy(r->held + r->n, more.p, more.n);
    r->n += more.n;
}

struct h1_outcome h1_run_body(const struct h1_body_input *in, size_t first, size_t step)
{
    struct h1_outcome o = {.err = E_AGAIN};
    struct body_run r = {.n = 0};
    struct h1_head head = {.framing = in->framing, .content_length = in->length};
    struct arena *arena = arena_new(ARENA_CHUNK, SIZE_MAX);
    size_t text_len = 0;
    r.out = open_memstream(&o.text, &text_len);
    NEED(arena != NULL && r.out != NULL);
    headers_init(&r.trailers, arena);
    h1_body_init(&r.body, &head, in->limits, in->keep_trailers ? &r.trailers : NULL);
    for (size_t now = first; !r.body.done && o.seen < in->bytes.n; now += step) {
        now = now < in->bytes.n ? now : in->bytes.n;
        hold_more(&r, sv_of(in->bytes.p + o.seen, now - o.seen));
        o.seen = now;
        o.err = read_held(&r, &o);
        if (o.err != OK && o.err != E_AGAIN)
            break;
    }
    o.fault = r.body.fault;
    if (o.err == OK && !r.body.done)
        o.err = E_AGAIN;
    if (r.body.done)
        o.err = OK;
    fclose(r.out);
    free(r.held);
    arena_free(&arena);
    return o;
}
