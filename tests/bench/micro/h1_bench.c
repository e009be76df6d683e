/* What HTTP/1 parsing costs: ns per head, chunked body and header block. One thread, no sockets.
 *
 * By hand, from the top of the tree:
 *   gcc -std=gnu17 -D_GNU_SOURCE -O2 -g -DNDEBUG -I. tests/bench/micro/h1_bench.c net/h1*.c \
 *       net/headers*.c base/arena.c base/sv.c base/err.c -o /tmp/h1_bench && /tmp/h1_bench
 * Instructions: valgrind --tool=callgrind --toggle-collect=h1_parse_request h1_bench 1000 request,
 * and divide the total by 1000 (likewise h1_parse_response, h1_body_next, headers_write). */
#include "net/h1.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { COPIES = 64, ROOM = 1024, DEFAULT_OPS = 400000, REPEATS = 7 };

static const char REQUEST[] = "GET /api/v1/orders/8431?expand=items HTTP/1.1\r\n"
                              "Host: orders.prod.mesh.local:8080\r\n"
                              "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101\r\n"
                              "Accept: application/json, text/plain, */*\r\n"
                              "Accept-Encoding: gzip, deflate\r\n"
                              "Accept-Language: en-GB,en;q=0.5\r\n"
                              "X-Request-Id: 4f0c1a52-6f0e-4d11-9a51-6f2b0d7c9e31\r\n"
                              "X-B3-TraceId: 80f198ee56343ba864fe8b2a57d3eff7\r\n"
                              "X-B3-SpanId: e457b5a2e4d86bd1\r\n"
                              "Content-Type: application/json\r\n"
                              "X-Forwarded-For: 10.1.2.3\r\n"
                              "X-Forwarded-Proto: http\r\n"
                              "Cookie: sid=31d4d96e407aad42\r\n\r\n";
static const char RESPONSE[] = "HTTP/1.1 200 OK\r\n"
                               "content-type: application/json; charset=utf-8\r\n"
                               "content-length: 1024\r\n"
                               "date: Mon, 27 Jul 2026 12:28:53 GMT\r\n"
                               "server: envoy\r\n"
                               "etag: \"33a64df551425fcc\"\r\n"
                               "cache-control: no-cache\r\n\r\n";
static const char CURL[] = "GET /healthz HTTP/1.1\r\n"
                           "Host: localhost:9901\r\n"
                           "User-Agent: curl/7.88.1\r\n"
                           "Accept: */*\r\n\r\n";
static const char CHUNKS[] = "5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n";

static const struct h1_limits LIMITS = {.max_head_bytes = 61440, .max_headers = 100};

struct bench {
    char copies[COPIES][ROOM];
    char out[ROOM];
    struct h1_parser parser;
    struct h1_head head;
    size_t n;
    unsigned long sink;
};

/* The array of slots is kept from message to message: an arena's bump is not what is measured. */
static void forget(struct headers *h)
{
    h->n = 0;
    h->present = 0;
}

static void parse_request(struct bench *b, unsigned i)
{
    forget(&b->head.headers);
    if (h1_parse_request(&b->parser, b->copies[i], b->n, &b->head) != OK)
        abort();
    b->sink += b->head.headers.n;
}

static void parse_request_split(struct bench *b, unsigned i)
{
    forget(&b->head.headers);
    if (h1_parse_request(&b->parser, b->copies[i], b->n / 2, &b->head) != E_AGAIN ||
        h1_parse_request(&b->parser, b->copies[i], b->n, &b->head) != OK)
        abort();
}

static void parse_response(struct bench *b, unsigned i)
{
    forget(&b->head.headers);
    if (h1_parse_response(&b->parser, b->copies[i], b->n, H1_GET, &b->head) != OK)
        abort();
    b->sink += b->head.headers.n;
}

static void write_headers(struct bench *b, unsigned i)
{
    (void)i;
    b->sink += (unsigned long)(headers_write(&b->head.headers, b->out) - b->out);
}

static void read_chunks(struct bench *b, unsigned i)
{
    struct h1_head head = {.framing = H1_BODY_CHUNKED};
    struct h1_body body;
    size_t at = 0, used;
    struct sv data;
    h1_body_init(&body, &head, &LIMITS, NULL);
    while (!body.done) {
        if (h1_body_next(&body, b->copies[i] + at, b->n - at, &used, &data) != OK)
            abort();
        at += used;
    }
    b->sink += at;
}

static const struct {
    const char *name, *text;
    bool response;
    void (*op)(struct bench *b, unsigned i);
} cases[] = {
    {"request",        REQUEST,  false, parse_request      },
    {"request_in_two", REQUEST,  false, parse_request_split},
    {"request_curl",   CURL,     false, parse_request      },
    {"response",       RESPONSE, true,  parse_response     },
    {"headers_write",  REQUEST,  false, write_headers      },
    {"chunked_body",   CHUNKS,   false, read_chunks        },
};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double run(struct bench *b, size_t c, unsigned long ops)
{
    double start = now_ns();
    for (unsigned long i = 0; i < ops; i++) {
        unsigned copy = i % COPIES;
        if (copy == 0) { /* names are lower-cased in place: start from fresh bytes */
            for (unsigned k = 0; k < COPIES; k++)
                memcpy(b->copies[k], cases[c].text, b->n);
        }
        cases[c].op(b, copy);
    }
    return (now_ns() - start) / (double)ops;
}

int main(int argc, char **argv)
{
    unsigned long ops = argc > 1 ? strtoul(argv[1], NULL, 10) : DEFAULT_OPS;
    struct bench *b = calloc(1, sizeof *b);
    struct arena *arena = arena_new(65536, SIZE_MAX);
    if (b == NULL || arena == NULL || ops == 0)
        return 1;
    headers_init(&b->head.headers, arena);
    for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
        if (argc > 2 && strcmp(argv[2], cases[c].name) != 0)
            continue;
        double best = 1e18;
        b->n = strlen(cases[c].text);
        h1_parser_init(&b->parser, cases[c].response, &LIMITS);
        memcpy(b->copies[0], cases[c].text, b->n);
        if (cases[c].op == write_headers)
            parse_request(b, 0);
        for (int r = 0; r < (argc > 1 ? 1 : REPEATS); r++) {
            double ns = run(b, c, ops);
            best = ns < best ? ns : best;
        }
        printf("case=%s bytes=%zu headers=%u ns=%.1f\n", cases[c].name, b->n, b->head.headers.n,
               best);
    }
    printf("# %lu\n", b->sink);
    arena_free(&arena);
    free(b);
    return 0;
}
