/* Good requests: what the parser makes of them, whole and split everywhere; and what it does over
 * several calls and messages. Malformed ones are in h1_refused_test.c. */
#include "tests/support/t.h"
#include "tests/unit/net/h1_split.h"
#include <stdio.h>
#include <stdlib.h>

enum limits_id { NORMAL, DROP_UNDERSCORE, LENGTH_TOO, SMALL };

static const struct h1_limits limits[] = {
    [NORMAL] = {.max_head_bytes = 61440, .max_headers = 100},
    [DROP_UNDERSCORE] = { 61440, 100,                  false, H1_UNDERSCORE_DROP},
    [LENGTH_TOO] = { 61440, 100,                  true, H1_UNDERSCORE_ALLOW},
    [SMALL] = { 64,    3,                 false, H1_UNDERSCORE_ALLOW},
};

/* want: "id:method target version framing...\n" and the fields, those that are not HDR_RAW after a
 * '~'; see h1_split.c. */
struct row {
    struct sv text;
    const char *want;
    enum limits_id limits;
};

#define GOOD(lit, want)                                                                            \
    {                                                                                              \
        SV(lit), want, NORMAL                                                                      \
    }
#define LINE "GET / HTTP/1.1\r\n"
#define SEEN "1:GET / 1.1 none\n"
#define VALUE_50 "12345678901234567890123456789012345678901234567890"

static const struct row line_rows[] = {
    GOOD("GET / HTTP/1.1\r\n\r\n", "1:GET / 1.1 none\n"),
    GOOD("GET / HTTP/1.0\r\n\r\n", "1:GET / 1.0 none close\n"),
    GOOD("\r\nGET / HTTP/1.1\r\n\r\n", "1:GET / 1.1 none\n"),
    GOOD("HEAD /a HTTP/1.1\r\n\r\n", "2:HEAD /a 1.1 none\n"),
    GOOD("POST /a HTTP/1.1\r\n\r\n", "3:POST /a 1.1 none\n"),
    GOOD("PUT /a HTTP/1.1\r\n\r\n", "4:PUT /a 1.1 none\n"),
    GOOD("DELETE /a HTTP/1.1\r\n\r\n", "5:DELETE /a 1.1 none\n"),
    GOOD("PATCH /a HTTP/1.1\r\n\r\n", "9:PATCH /a 1.1 none\n"),
    GOOD("TRACE /a HTTP/1.1\r\n\r\n", "8:TRACE /a 1.1 none\n"),
    GOOD("OPTIONS /a HTTP/1.1\r\n\r\n", "7:OPTIONS /a 1.1 none\n"),
    GOOD("OPTIONS * HTTP/1.1\r\n\r\n", "7:OPTIONS * 1.1 none\n"),
    GOOD("PROPFIND /a HTTP/1.1\r\n\r\n", "10:PROPFIND /a 1.1 none\n"),
    GOOD("UNSUBSCRIBE /a HTTP/1.1\r\n\r\n", "10:UNSUBSCRIBE /a 1.1 none\n"),
    GOOD("GET //a//b/../c HTTP/1.1\r\n\r\n", "1:GET //a//b/../c 1.1 none\n"),
    GOOD("GET /a?b=c&d=%20%zz HTTP/1.1\r\n\r\n", "1:GET /a?b=c&d=%20%zz 1.1 none\n"),
    GOOD("GET /{}|\"\\^`<>[]~!$'()*+,;:@ HTTP/1.1\r\n\r\n",
         "1:GET /{}|\"\\^`<>[]~!$'()*+,;:@ 1.1 none\n"),
    GOOD("GET /" VALUE_50 VALUE_50 " HTTP/1.1\r\n\r\n", "1:GET /" VALUE_50 VALUE_50 " 1.1 none\n"),
    GOOD("GET http://h HTTP/1.1\r\n\r\n", "1:GET http://h 1.1 none (http h /)\n"),
    GOOD("GET http://h/ HTTP/1.1\r\n\r\n", "1:GET http://h/ 1.1 none (http h /)\n"),
    GOOD("GET HTTPS://H.example:8443/a?b HTTP/1.1\r\n\r\n",
         "1:GET HTTPS://H.example:8443/a?b 1.1 none (https H.example:8443 /a?b)\n"),
    GOOD("GET http://h?q=/ HTTP/1.1\r\n\r\n", "1:GET http://h?q=/ 1.1 none (http h /?q=/)\n"),
    GOOD("GET http://h:/a HTTP/1.1\r\n\r\n", "1:GET http://h:/a 1.1 none (http h: /a)\n"),
    GOOD("GET http://a_b.c%2d~:1 HTTP/1.1\r\n\r\n",
         "1:GET http://a_b.c%2d~:1 1.1 none (http a_b.c%2d~:1 /)\n"),
    GOOD("GET http://[::1]:80/a HTTP/1.1\r\n\r\n",
         "1:GET http://[::1]:80/a 1.1 none (http [::1]:80 /a)\n"),
    GOOD("GET http://[1:2:3:4:5:6:255.255.255.255]/ HTTP/1.1\r\n\r\n",
         "1:GET http://[1:2:3:4:5:6:255.255.255.255]/ 1.1 none "
         "(http [1:2:3:4:5:6:255.255.255.255] /)\n"),
    GOOD("OPTIONS http://h HTTP/1.1\r\n\r\n", "7:OPTIONS http://h 1.1 none (http h *)\n"),
    GOOD("OPTIONS http://h/ HTTP/1.1\r\n\r\n", "7:OPTIONS http://h/ 1.1 none (http h /)\n"),
    GOOD("CONNECT h:443 HTTP/1.1\r\n\r\n", "6:CONNECT h:443 1.1 none\n"),
    GOOD("CONNECT [::1]:65535 HTTP/1.1\r\n\r\n", "6:CONNECT [::1]:65535 1.1 none\n"),
};

static const struct row field_rows[] = {
    GOOD(LINE "Host: a\r\n\r\n", SEEN "host: a\n"),
    GOOD(LINE "HOST: A.example:8080\r\n\r\n", SEEN "host: A.example:8080\n"),
    GOOD(LINE "host:a\r\n\r\n", SEEN "~host: a\n"),
    GOOD(LINE "Host:\r\n\r\n", SEEN "~host: \n"),
    GOOD(LINE "Host: \r\n\r\n", SEEN "host: \n"),
    GOOD(LINE "Host:  a \t\r\n\r\n", SEEN "~host: a\n"),
    GOOD(LINE "Host: a:\r\n\r\n", SEEN "host: a:\n"),
    GOOD(LINE "Host: a_b.c:65535\r\n\r\n", SEEN "host: a_b.c:65535\n"),
    GOOD(LINE "Host: [::1]\r\n\r\n", SEEN "host: [::1]\n"),
    GOOD(LINE "Host: [fe80::1:2]:80\r\n\r\n", SEEN "host: [fe80::1:2]:80\n"),
    GOOD(LINE "Host: a%41,b;c=d!$&'()*+~\r\n\r\n", SEEN "host: a%41,b;c=d!$&'()*+~\n"),
    GOOD(LINE "Host: orders.prod.mesh.local.of.some.length:8080\r\nAccept: */*\r\n\r\n",
         SEEN "host: orders.prod.mesh.local.of.some.length:8080\naccept: */*\n"),
    GOOD(LINE "Accept:  text/html, and more than that\r\nVia: 1.1 b\r\n\r\n",
         SEEN "~accept: text/html, and more than that\nvia: 1.1 b\n"),
    GOOD(LINE "X-Forwarded-Protx: a\r\nX-Forwarded-ForXX: b\r\nHost: c\r\n\r\n",
         SEEN "x-forwarded-protx: a\nx-forwarded-forxx: b\nhost: c\n"),
    GOOD(LINE "X:\r\n\r\n", SEEN "~x: \n"),
    GOOD(LINE "X: \r\n\r\n", SEEN "x: \n"),
    GOOD(LINE "X:\t\r\n\r\n", SEEN "~x: \n"),
    GOOD(LINE "X: \t a\tb \r\n\r\n", SEEN "~x: a\tb\n"),
    GOOD(LINE "X: a\tb\r\n\r\n", SEEN "x: a\tb\n"),
    GOOD(LINE "X: caf\xc3\xa9 \x80\xff\r\n\r\n", SEEN "x: caf\xc3\xa9 \x80\xff\n"),
    GOOD(LINE "X: a\r\nX: b\r\nx: a\r\n\r\n", SEEN "x: a\nx: b\nx: a\n"),
    GOOD(LINE "!#$%&'*+-.^_`|~09azAZ: a\r\n\r\n", SEEN "!#$%&'*+-.^_`|~09azaz: a\n"),
    GOOD(LINE "X_Y: a\r\nTransfer_Encoding: x\r\n\r\n", SEEN "x_y: a\ntransfer_encoding: x\n"),
    GOOD(LINE "TE: trailers\r\nVia: 1.1 a\r\nT: x\r\n\r\n",
         SEEN "te: trailers\nvia: 1.1 a\nt: x\n"),
    GOOD(LINE "X-Forwarded-Prot: a\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Proto2: a\r\n\r\n",
         SEEN "x-forwarded-prot: a\nx-forwarded-proto: http\nx-forwarded-proto2: a\n"),
    GOOD(LINE "X-Envoy-Upstream-Rq-Timeout-Alt-Response: 204\r\n"
              "X-Envoy-Upstream-Rq-Timeout-Alt-ResponseX: 1\r\n"
              "X-Envoy-Upstream-Rq-Per-Try-Timeout-Ms: 5\r\n\r\n",
         SEEN "x-envoy-upstream-rq-timeout-alt-response: 204\n"
              "x-envoy-upstream-rq-timeout-alt-responsex: 1\n"
              "x-envoy-upstream-rq-per-try-timeout-ms: 5\n"),
    GOOD(LINE
         "A-Name-Of-Fifteen: 1\r\nA-Name-Of-16byte: 1\r\nA-Name-Of-31-Bytes-0123456789-01: 1\r\n"
         "A-Name-Of-32-Bytes-0123456789-012: 1\r\n\r\n",
         SEEN "a-name-of-fifteen: 1\na-name-of-16byte: 1\na-name-of-31-bytes-0123456789-01: 1\n"
              "a-name-of-32-bytes-0123456789-012: 1\n"),
    GOOD(LINE "X: " VALUE_50 VALUE_50 "\r\nY: " VALUE_50 "\r\n\r\n",
         SEEN "x: " VALUE_50 VALUE_50 "\ny: " VALUE_50 "\n"),
    GOOD(LINE "X: 1234567890123 \r\nY: 12345678901234567890123456789\t\r\n\r\n",
         SEEN "~x: 1234567890123\n~y: 12345678901234567890123456789\n"),
    GOOD(LINE "A: b\r\nC: d\r\n\r\nGET /next HTTP/1.1\r\n\r\n", SEEN "a: b\nc: d\n"),
    GOOD(LINE "Content_Length: 5\r\nX-A: 1\r\n\r\n", SEEN "content_length: 5\nx-a: 1\n"),
    {SV(LINE "X_Y: a\r\nHost: a\r\n_: b\r\nZ: c\r\n\r\n"),
                                                                                      "1:GET / 1.1 none dropped 2\nhost: a\nz: c\n",                                              DROP_UNDERSCORE},
    {SV(LINE "a: 34567890123456789012345678901234567890123\r\n\r\n"),
                                                                                      SEEN "a: 34567890123456789012345678901234567890123\n",                                      SMALL          },
    {SV(LINE "a: 1\r\nb: 1\r\nc: 1\r\n\r\n"),                         SEEN "a: 1\nb: 1\nc: 1\n", SMALL          },
};

#define POST "POST / HTTP/1.1\r\n"
#define OLD "POST / HTTP/1.0\r\n"

static const struct row message_rows[] = {
    GOOD(POST "Content-Length: 0\r\n\r\n", "3:POST / 1.1 length 0\ncontent-length: 0\n"),
    GOOD(POST "Content-Length: 12\r\n\r\nhello", "3:POST / 1.1 length 12\ncontent-length: 12\n"),
    GOOD(POST "Content-Length:\t007 \t\r\n\r\n", "3:POST / 1.1 length 7\n~content-length: 007\n"),
    GOOD(POST "Content-Length: 9223372036854775807\r\n\r\n",
         "3:POST / 1.1 length 9223372036854775807\ncontent-length: 9223372036854775807\n"),
    GOOD(POST "Content-Length: 0000000000000000001\r\n\r\n",
         "3:POST / 1.1 length 1\ncontent-length: 0000000000000000001\n"),
    GOOD(POST "Transfer-Encoding: chunked\r\n\r\n",
         "3:POST / 1.1 chunked\ntransfer-encoding: chunked\n"),
    GOOD(POST "Transfer-Encoding:  CHUNKed\t\r\n\r\n",
         "3:POST / 1.1 chunked\n~transfer-encoding: CHUNKed\n"),
    {SV(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
       "3:POST / 1.1 chunked\ntransfer-encoding: chunked\n",       LENGTH_TOO},
    {SV(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n"),
       "3:POST / 1.1 chunked\ntransfer-encoding: chunked\na: b\n", LENGTH_TOO},
    GOOD("CONNECT h:80 HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
         "6:CONNECT h:80 1.1 length 0\ncontent-length: 0\n"),
    GOOD(POST "Connection: close\r\n\r\n", "3:POST / 1.1 none close\nconnection: close\n"),
    GOOD(POST "Connection: Keep-Alive\r\n\r\n", "3:POST / 1.1 none\nconnection: Keep-Alive\n"),
    GOOD(POST "Connection: a, CLOSE ,b\r\n\r\n",
         "3:POST / 1.1 none close\nconnection: a, CLOSE ,b\n"),
    GOOD(POST "Connection: closed, xclose\r\n\r\n",
         "3:POST / 1.1 none\nconnection: closed, xclose\n"),
    GOOD(POST "Connection: a\r\nConnection: close\r\n\r\n",
         "3:POST / 1.1 none close\nconnection: a\nconnection: close\n"),
    GOOD(OLD "Connection: keep-alive\r\n\r\n", "3:POST / 1.0 none\nconnection: keep-alive\n"),
    GOOD(OLD "Connection: keep-alive, close\r\n\r\n",
         "3:POST / 1.0 none close\nconnection: keep-alive, close\n"),
    GOOD(OLD "Content-Length: 5\r\n\r\n", "3:POST / 1.0 length 5 close\ncontent-length: 5\n"),
    GOOD(POST "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
         "3:POST / 1.1 none upgrade\nconnection: Upgrade\nupgrade: websocket\n"),
    GOOD(POST "Connection: upgrade\r\n\r\n", "3:POST / 1.1 none\nconnection: upgrade\n"),
    GOOD(POST "Upgrade: websocket\r\n\r\n", "3:POST / 1.1 none\nupgrade: websocket\n"),
    GOOD(OLD "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
         "3:POST / 1.0 none close\nconnection: upgrade\nupgrade: websocket\n"),
    GOOD(POST "Expect: 100-Continue\r\n\r\n", "3:POST / 1.1 none expect\nexpect: 100-Continue\n"),
    GOOD(POST "Expect: 100-continued\r\n\r\n", "3:POST / 1.1 none\nexpect: 100-continued\n"),
    GOOD(OLD "Expect: 100-continue\r\n\r\n", "3:POST / 1.0 none close\nexpect: 100-continue\n"),
};

static const struct {
    const char *name;
    const struct row *rows;
    size_t n;
} tables[] = {
    {"line",    line_rows,    ARRAY_LEN(line_rows)   },
    {"field",   field_rows,   ARRAY_LEN(field_rows)  },
    {"message", message_rows, ARRAY_LEN(message_rows)},
};

/* The head alone; what follows it is none of the parser's business. */
static size_t head_len(struct sv text)
{
    return sv_search(sv_skip(text, 2), SV("\r\n\r\n")) + 6;
}

static void each_row(void (*check)(const struct h1_input *in, const struct row *row,
                                   const char *label))
{
    size_t count = 0;
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        for (size_t i = 0; i < tables[t].n; i++, count++) {
            const struct row *row = &tables[t].rows[i];
            struct h1_input in = {.bytes = row->text, .limits = &limits[row->limits]};
            char label[200];
            snprintf(label, sizeof label, "%s row %zu: %.*s", tables[t].name, i, SVF(row->text));
            check(&in, row, label);
        }
    }
    T_EXPECT(count >= 60, "only %zu rows", count);
}

static void check_head(const struct h1_input *in, const struct row *row, const char *label)
{
    struct h1_outcome o = h1_run_head(in, in->bytes.n, 1);
    T_EXPECT_EQ(o.err, OK, label);
    T_EXPECT_EQ(o.used, head_len(row->text), label);
    T_EXPECT_SV(sv_str(o.text), sv_str(row->want), label);
    h1_outcome_free(&o);
}

static void check_splits(const struct h1_input *in, const struct row *row, const char *label)
{
    struct h1_outcome bytewise = h1_run_head(in, 1, 1);
    T_EXPECT_EQ(bytewise.err, OK, label);
    T_EXPECT_EQ(bytewise.seen, head_len(row->text), label);
    T_EXPECT_SV(sv_str(bytewise.text), sv_str(row->want), label);
    for (size_t cut = 0; cut <= in->bytes.n; cut++)
        T_EXPECT(h1_head_cut_agrees(in, &bytewise, cut), "%s: cut at %zu", label, cut);
    h1_outcome_free(&bytewise);
}

T(h1_request, every_good_row)
{
    each_row(check_head);
}

T(h1_request, the_same_for_every_split)
{
    each_row(check_splits);
}

T(h1_request, every_method_that_envoy_takes)
{
    static const char *const names[] = {
        "ACL",       "BIND",    "CHECKOUT", "CONNECT", "COPY",       "DELETE",     "GET",
        "HEAD",      "LINK",    "LOCK",     "MERGE",   "MKACTIVITY", "MKCALENDAR", "MKCOL",
        "MOVE",      "MSEARCH", "NOTIFY",   "OPTIONS", "PATCH",      "POST",       "PROPFIND",
        "PROPPATCH", "PURGE",   "PUT",      "REBIND",  "REPORT",     "SEARCH",     "SOURCE",
        "SUBSCRIBE", "TRACE",   "UNBIND",   "UNLINK",  "UNLOCK",     "UNSUBSCRIBE"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char text[64], want[64];
        const char *target = strcmp(names[i], "CONNECT") == 0 ? "h:80" : "/";
        int n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\n\r\n", names[i], target);
        snprintf(want, sizeof want, ":%s %s 1.1 none\n", names[i], target);
        struct h1_input in = {.bytes = sv_of(text, (size_t)n), .limits = &limits[NORMAL]};
        struct h1_outcome o = h1_run_head(&in, in.bytes.n, 1);
        T_EXPECT_EQ(o.err, OK, names[i]);
        T_EXPECT(strstr(o.text, want) != NULL, "%s: %s", names[i], o.text);
        h1_outcome_free(&o);
    }
}

T(h1_request, a_head_at_any_distance_from_the_end_of_the_buffer)
{
    /* What follows a head must not show, nor may it be read as part of it. */
    static const char head[] = "GET /a HTTP/1.1\r\nHost: a.b:80\r\nX: y\r\nTE: trailers\r\n\r\n";
    struct h1_outcome alone;
    struct h1_input in = {.bytes = sv_str(head), .limits = &limits[NORMAL]};
    alone = h1_run_head(&in, in.bytes.n, 1);
    T_EXPECT_EQ(alone.err, OK, "alone");
    for (size_t more = 1; more < 80; more++) {
        char text[160];
        memcpy(text, head, sizeof head - 1);
        memset(text + sizeof head - 1, "\x01:\r\n A"[more % 6], more);
        in.bytes = sv_of(text, sizeof head - 1 + more);
        struct h1_outcome o = h1_run_head(&in, in.bytes.n, 1);
        T_EXPECT_EQ(o.err, OK, "with more");
        T_EXPECT_EQ(o.used, sizeof head - 1, "with more");
        T_EXPECT_SV(sv_str(o.text), sv_str(alone.text), "with more");
        h1_outcome_free(&o);
    }
    h1_outcome_free(&alone);
}

T(h1_request, pipelined_messages_one_parser)
{
    char text[] = "GET /1 HTTP/1.1\r\nConnection: close\r\nHost: a\r\n\r\n"
                  "\r\nGET http://h?2 HTTP/1.1\r\n\r\n"
                  "POST /3 HTTP/1.0\r\nContent-Length: 0\r\n\r\n";
    static const char *const paths[] = {"/1", "/?2", "/3"};
    struct arena *arena = arena_new(4096, SIZE_MAX);
    struct h1_parser p;
    struct h1_head head;
    size_t at = 0;
    h1_parser_init(&p, false, &limits[NORMAL]);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        headers_init(&head.headers, arena);
        T_EXPECT(!h1_parser_begun(&p), "message %zu", i);
        T_EXPECT_EQ(h1_parse_request(&p, text + at, sizeof text - 1 - at, &head), OK, paths[i]);
        T_EXPECT_SV(head.path, sv_str(paths[i]), "path");
        T_EXPECT_EQ(head.close, i != 1, paths[i]);
        T_EXPECT_EQ(head.minor, i != 2, paths[i]);
        at += head.head_bytes;
    }
    T_EXPECT_EQ(at, sizeof text - 1, "all used");
    arena_free(&arena);
}

T(h1_request, begun_with_the_first_byte_that_counts)
{
    char text[] = "\r\nGET / HTTP/1.1\r\n\r\n";
    struct arena *arena = arena_new(4096, SIZE_MAX);
    struct h1_parser p;
    struct h1_head head;
    headers_init(&head.headers, arena);
    h1_parser_init(&p, false, &limits[NORMAL]);
    for (size_t n = 0; n < sizeof text - 1; n++) {
        T_EXPECT_EQ(h1_parse_request(&p, text, n, &head), E_AGAIN, "unfinished");
        T_EXPECT_EQ(h1_parser_begun(&p), n > 2, "begun");
    }
    T_EXPECT_EQ(h1_parse_request(&p, text, sizeof text - 1, &head), OK, "whole");
    T_EXPECT(!h1_parser_begun(&p), "next message");
    char bad[] = "x";
    T_EXPECT_EQ(h1_parse_request(&p, bad, 1, &head), E_PROTO, "bad");
    T_EXPECT(h1_parser_begun(&p), "refused");
    arena_free(&arena);
}

T(h1_request, many_fields_grow_the_list)
{
    char text[4096], want[4096];
    int n = snprintf(text, sizeof text, LINE), w = snprintf(want, sizeof want, SEEN);
    for (int i = 0; i < 100; i++) {
        n += snprintf(text + n, sizeof text - (size_t)n, "X-%d: %d\r\n", i, i);
        w += snprintf(want + w, sizeof want - (size_t)w, "x-%d: %d\n", i, i);
    }
    n += snprintf(text + n, sizeof text - (size_t)n, "\r\n");
    struct h1_input in = {.bytes = sv_of(text, (size_t)n), .limits = &limits[NORMAL]};
    struct h1_outcome o = h1_run_head(&in, in.bytes.n, 1);
    T_EXPECT_EQ(o.err, OK, "100 fields");
    T_EXPECT_SV(sv_str(o.text), sv_of(want, (size_t)w), "100 fields");
    h1_outcome_free(&o);
    memcpy(text + n - 2, "X: y\r\n\r\n", 8);
    in.bytes.n += 6;
    o = h1_run_head(&in, in.bytes.n, 1);
    T_EXPECT_EQ(o.fault, H1_FAULT_TOO_MANY_HEADERS, "101 fields");
    h1_outcome_free(&o);
}

T(h1_request, a_name_longer_than_its_length_field)
{
    enum { LINE_LEN = sizeof LINE - 1, LONGEST = UINT16_MAX, ROOM = LINE_LEN + LONGEST + 16 };
    static const struct h1_limits wide = {.max_head_bytes = 1 << 20, .max_headers = 100};
    for (size_t extra = 0; extra < 2; extra++) {
        char *text = malloc(ROOM);
        T_ASSERT(text != NULL, "no memory");
        memcpy(text, LINE, LINE_LEN);
        memset(text + LINE_LEN, 'N', LONGEST + extra);
        memcpy(text + LINE_LEN + LONGEST + extra, ": a\r\n\r\n", 7);
        struct h1_input in = {.bytes = sv_of(text, LINE_LEN + LONGEST + extra + 7),
                              .limits = &wide};
        struct h1_outcome o = h1_run_head(&in, in.bytes.n, 1);
        T_EXPECT_EQ(o.fault, extra == 0 ? H1_FAULT_NONE : H1_FAULT_HEADERS_TOO_LARGE, "one call");
        h1_outcome_free(&o);
        o = h1_run_head(&in, LINE_LEN + 100, LONGEST);
        T_EXPECT_EQ(o.fault, extra == 0 ? H1_FAULT_NONE : H1_FAULT_HEADERS_TOO_LARGE, "two calls");
        h1_outcome_free(&o);
        free(text);
    }
}

T(h1_request, a_long_line_byte_by_byte_is_linear)
{
    /* A quadratic parser would need 2 * 10^11 steps here, and the test its time limit. */
    enum { VALUE = 600000 };
    static const struct h1_limits wide = {.max_head_bytes = 1 << 20, .max_headers = 100};
    char *text = malloc(VALUE + 64);
    T_ASSERT(text != NULL, "no memory");
    int n = snprintf(text, 64, LINE "Cookie: ");
    memset(text + n, ' ', VALUE);
    memcpy(text + n + VALUE, "\r\nContent-Length: 1\r\n\r\n", 24);
    size_t len = (size_t)n + VALUE + 23;
    struct arena *arena = arena_new(4096, SIZE_MAX);
    struct h1_parser p;
    struct h1_head head;
    headers_init(&head.headers, arena);
    h1_parser_init(&p, false, &wide);
    enum err e = E_AGAIN;
    for (size_t i = 1; i <= len && e == E_AGAIN; i++)
        e = h1_parse_request(&p, text, i, &head);
    T_EXPECT_EQ(e, OK, "long line");
    T_EXPECT_EQ(head.head_bytes, len, "long line");
    T_EXPECT_EQ(head.content_length, 1, "long line");
    arena_free(&arena);
    free(text);
}

T(h1_request, a_full_arena_is_no_memory_and_no_crash)
{
    static const char text[] = "GET http://h?q HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    for (size_t cap = 0; cap < 4096; cap += 64) {
        for (size_t first = 1; first < sizeof text; first += sizeof text - 2) {
            char data[sizeof text];
            memcpy(data, text, sizeof text);
            struct arena *arena = arena_new(512, cap);
            if (arena == NULL)
                continue;
            struct h1_parser p;
            struct h1_head head;
            headers_init(&head.headers, arena);
            h1_parser_init(&p, false, &limits[NORMAL]);
            enum err e = E_AGAIN;
            for (size_t n = first; n < sizeof text && e == E_AGAIN; n++)
                e = h1_parse_request(&p, data, n, &head);
            T_EXPECT(e == OK || e == E_NOMEM, "cap %zu: %d", cap, (int)e);
            T_EXPECT(e == OK || cap < 1024, "cap %zu", cap);
            if (e == E_NOMEM)
                T_EXPECT_EQ(h1_parse_request(&p, data, sizeof text - 1, &head), E_NOMEM, "again");
            arena_free(&arena);
        }
    }
}

T(h1_request, rebase_moves_every_view)
{
    char text[] = "GET http://h:80/p HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\nbody", copy[sizeof text];
    struct arena *arena = arena_new(4096, SIZE_MAX);
    struct h1_parser p;
    struct h1_head head;
    headers_init(&head.headers, arena);
    h1_parser_init(&p, false, &limits[NORMAL]);
    T_ASSERT(h1_parse_request(&p, text, sizeof text - 1, &head) == OK, "parse");
    T_EXPECT(headers_add(&head.headers, HDR_DATE, SV("now")) == OK, "add");
    memcpy(copy, text, sizeof text);
    h1_head_rebase(&head, text, copy);
    memset(text, '!', sizeof text);
    T_EXPECT_SV(head.method_text, SV("GET"), "method");
    T_EXPECT_SV(head.target, SV("http://h:80/p"), "target");
    T_EXPECT_SV(head.scheme, SV("http"), "scheme");
    T_EXPECT_SV(head.authority, SV("h:80"), "authority");
    T_EXPECT_SV(head.path, SV("/p"), "path");
    char *fields = h1_headers_text(&head.headers);
    T_EXPECT_SV(sv_str(fields), SV("host: a\nx: y\n~date: now\n"), "fields");
    free(fields);
    arena_free(&arena);
}

T(h1_request, faults_have_details_and_a_status)
{
    for (int f = H1_FAULT_CODEC; f < H1_FAULT_COUNT; f++) {
        T_EXPECT(h1_fault_details((enum h1_fault)f)[0] != 0, "fault %d", f);
        T_EXPECT(h1_fault_status((enum h1_fault)f) >= 400, "fault %d", f);
    }
    T_EXPECT_EQ(h1_fault_status(H1_FAULT_VERSION), 426, "version");
    T_EXPECT_EQ(h1_fault_status(H1_FAULT_TRANSFER_ENCODING), 501, "coding");
    T_EXPECT_EQ(h1_fault_status(H1_FAULT_HEADERS_TOO_LARGE), 431, "size");
    T_EXPECT_SV(sv_str(h1_fault_details(H1_FAULT_COUNT)), SV(""), "no fault");
    T_EXPECT_EQ(h1_fault_status(H1_FAULT_NONE), 0, "no fault");
}
