/* Responses, good and malformed, whole and split everywhere. */
#include "tests/support/t.h"
#include "tests/unit/net/h1_split.h"
#include <stdio.h>

enum limits_id { NORMAL, LENGTH_TOO, SMALL };

static const struct h1_limits limits[] = {
    [NORMAL] = {.max_head_bytes = 61440, .max_headers = 100},
    [LENGTH_TOO] = { 61440, 100,                  true, H1_UNDERSCORE_ALLOW},
    [SMALL] = { 64,    3,                 false, H1_UNDERSCORE_ALLOW},
};

/* want as in h1_request_test.c; "1.minor status [reason] framing". */
struct row {
    struct sv text;
    const char *want;
    enum h1_method method;
    enum limits_id limits;
};

#define GOOD(lit, want)                                                                            \
    {                                                                                              \
        SV(lit), want, H1_GET, NORMAL                                                              \
    }
#define GOOD_TO(method, lit, want)                                                                 \
    {                                                                                              \
        SV(lit), want, method, NORMAL                                                              \
    }
#define OK_LINE "HTTP/1.1 200 OK\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

static const struct row good_rows[] = {
    GOOD(OK_LINE "\r\n", "1.1 200 [OK] until-close close\n"),
    GOOD("HTTP/1.0 200 OK\r\n\r\n", "1.0 200 [OK] until-close close\n"),
    GOOD("HTTP/1.1 200\r\n\r\n", "1.1 200 [] until-close close\n"),
    GOOD("HTTP/1.1 200 \r\n\r\n", "1.1 200 [] until-close close\n"),
    GOOD("HTTP/1.1 200  a  \r\n\r\n", "1.1 200 [ a  ] until-close close\n"),
    GOOD("HTTP/1.1 404 Not Found\tat all \xe9\r\n\r\n",
         "1.1 404 [Not Found\tat all \xe9] until-close close\n"),
    GOOD(
        "HTTP/1.1 599 A reason of more than thirty-two bytes, no less\r\nContent-Length: 0\r\n\r\n",
        "1.1 599 [A reason of more than thirty-two bytes, no less] length 0\ncontent-length: 0\n"),
    GOOD(OK_LINE "Content-Length: 5\r\n\r\nhello", "1.1 200 [OK] length 5\ncontent-length: 5\n"),
    GOOD(OK_LINE CHUNKED "\r\n", "1.1 200 [OK] chunked\ntransfer-encoding: chunked\n"),
    GOOD(OK_LINE "Connection: close\r\nContent-Length: 5\r\n\r\n",
         "1.1 200 [OK] length 5 close\nconnection: close\ncontent-length: 5\n"),
    GOOD("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\n",
         "1.0 200 [OK] length 5\nconnection: keep-alive\ncontent-length: 5\n"),
    GOOD("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n",
         "1.0 200 [OK] until-close close\nconnection: keep-alive\n"),
    GOOD("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "1.1 100 [Continue] none\n"),
    GOOD("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
         "1.1 103 [Early Hints] none\nlink: </a>\n"),
    GOOD("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
         "1.1 101 [Switching Protocols] none upgrade\nconnection: Upgrade\nupgrade: websocket\n"),
    GOOD("HTTP/1.1 101 S\r\nContent-Length: 0\r\n\r\n", "1.1 101 [S] none\ncontent-length: 0\n"),
    GOOD("HTTP/1.1 204 No Content\r\n\r\n", "1.1 204 [No Content] none\n"),
    GOOD("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
         "1.1 204 [No Content] none\ncontent-length: 0\n"),
    GOOD("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
         "1.1 304 [Not Modified] none\ncontent-length: 5\n"),
    GOOD("HTTP/1.1 304 N\r\n" CHUNKED "\r\n", "1.1 304 [N] none\ntransfer-encoding: chunked\n"),
    GOOD_TO(H1_HEAD, OK_LINE "Content-Length: 5\r\n\r\n", "1.1 200 [OK] none\ncontent-length: 5\n"),
    GOOD_TO(H1_HEAD, OK_LINE CHUNKED "\r\n", "1.1 200 [OK] none\ntransfer-encoding: chunked\n"),
    GOOD_TO(H1_HEAD, OK_LINE "\r\n", "1.1 200 [OK] none\n"),
    GOOD_TO(H1_CONNECT, OK_LINE "\r\n", "1.1 200 [OK] none\n"),
    GOOD_TO(H1_CONNECT, OK_LINE "Content-Length: 5\r\n\r\n",
            "1.1 200 [OK] none\ncontent-length: 5\n"),
    GOOD_TO(H1_CONNECT, OK_LINE CHUNKED "\r\n", "1.1 200 [OK] none\ntransfer-encoding: chunked\n"),
    GOOD_TO(H1_CONNECT, "HTTP/1.1 407 P\r\nContent-Length: 5\r\n\r\n",
            "1.1 407 [P] length 5\ncontent-length: 5\n"),
    {SV(OK_LINE "Content-Length: 5\r\n" CHUNKED "\r\n"),
       "1.1 200 [OK] chunked\ntransfer-encoding: chunked\n", H1_GET, LENGTH_TOO},
    GOOD(OK_LINE "Date: Mon, 27 Jul 2026 12:28:53 GMT\r\nServer: a\r\nSet-Cookie: a=b\r\n"
                 "Set-Cookie: c=d\r\nX-Envoy-Upstream-Service-Time: 3\r\nContent-Length: 1\r\n\r\n",
         "1.1 200 [OK] length 1\ndate: Mon, 27 Jul 2026 12:28:53 GMT\nserver: a\nset-cookie: a=b\n"
         "set-cookie: c=d\nx-envoy-upstream-service-time: 3\ncontent-length: 1\n"),
};

/* Each ends at the byte that makes it hopeless, as in h1_refused_test.c. */
struct bad_row {
    struct sv text;
    enum h1_fault fault;
    enum limits_id limits;
};

#define BAD(lit, fault)                                                                            \
    {                                                                                              \
        SV(lit), H1_FAULT_##fault, NORMAL                                                          \
    }
#define BAD_SMALL(lit, fault)                                                                      \
    {                                                                                              \
        SV(lit), H1_FAULT_##fault, SMALL                                                           \
    }

static const struct bad_row bad_rows[] = {
    BAD("\r", CODEC), /* no empty line before a response */
    BAD("\n", CODEC),
    BAD(" ", CODEC),
    BAD("h", CODEC),
    BAD("G", CODEC),
    BAD("HTTP ", CODEC),
    BAD("HTTP/ ", CODEC),
    BAD("HTTP/x", CODEC),
    BAD("HTTP/1 ", CODEC),
    BAD("HTTP/1,", CODEC),
    BAD("HTTP/1.x", CODEC),
    BAD("HTTP/1.11", CODEC),
    BAD("HTTP/1.1\r", CODEC),
    BAD("HTTP/1.1\t", CODEC),
    BAD("HTTP/1.2 ", VERSION),
    BAD("HTTP/2.0 ", VERSION),
    BAD("HTTP/3.0 ", VERSION),
    BAD("HTTP/0.9 ", VERSION),
    BAD("HTTP/1.1  ", CODEC),
    BAD("HTTP/1.1 \t", CODEC),
    BAD("HTTP/1.1 0", CODEC),
    BAD("HTTP/1.1 6", CODEC),
    BAD("HTTP/1.1 9", CODEC),
    BAD("HTTP/1.1 -", CODEC),
    BAD("HTTP/1.1 +", CODEC),
    BAD("HTTP/1.1 2 ", CODEC),
    BAD("HTTP/1.1 2x", CODEC),
    BAD("HTTP/1.1 20 ", CODEC),
    BAD("HTTP/1.1 20\r", CODEC),
    BAD("HTTP/1.1 20x", CODEC),
    BAD("HTTP/1.1 2000", CODEC),
    BAD("HTTP/1.1 200O", CODEC),
    BAD("HTTP/1.1 200\t", CODEC),
    BAD("HTTP/1.1 200\n", CODEC),
    BAD("HTTP/1.1 200\rX", CODEC),
    BAD("HTTP/1.1 200 OK\n", CODEC),
    BAD("HTTP/1.1 200 OK\rX", CODEC),
    BAD("HTTP/1.1 200 OK\r\r", CODEC),
    BAD("HTTP/1.1 200 O\0", CHARACTERS),
    BAD("HTTP/1.1 200 O\x1b", CHARACTERS),
    BAD("HTTP/1.1 200 \x7f", CHARACTERS),
    BAD(OK_LINE " ", CODEC),
    BAD(OK_LINE "X: a\r\n ", CODEC),
    BAD(OK_LINE "X ", CODEC),
    BAD(OK_LINE ":", CODEC),
    BAD(OK_LINE "X: a\n", CODEC),
    BAD(OK_LINE "X: a\rb", CODEC),
    BAD(OK_LINE "X: a\0", CHARACTERS),
    BAD(OK_LINE "Content-Length: 5,", CODEC),
    BAD(OK_LINE "Content-Length: -", CODEC),
    BAD(OK_LINE "Content-Length: 5\r\nContent-Length:", CODEC),
    BAD(OK_LINE "Content-Length: 9223372036854775808", CODEC),
    BAD(OK_LINE "Content-Length: 5\r\nTransfer-Encoding:", CL_AND_CHUNKED),
    BAD(OK_LINE CHUNKED "Content-Length:", CL_AND_CHUNKED),
    BAD(OK_LINE CHUNKED "Transfer-Encoding:", TRANSFER_ENCODING),
    BAD(OK_LINE "Transfer-Encoding: g", TRANSFER_ENCODING),
    BAD(OK_LINE "Transfer-Encoding: chunked,", TRANSFER_ENCODING),
    BAD(OK_LINE "Transfer-Encoding: i", TRANSFER_ENCODING),
    BAD("HTTP/1.0 200 OK\r\nTransfer-Encoding:", CODEC),
    BAD("HTTP/1.1 100 Continue\r\nTransfer-Encoding:", TRANSFER_ENCODING),
    BAD("HTTP/1.1 101 S\r\nTransfer-Encoding:", TRANSFER_ENCODING),
    BAD("HTTP/1.1 101 S\r\nContent-Length: 5", BODY_DISALLOWED),
    BAD("HTTP/1.1 204 N\r\nTransfer-Encoding:", TRANSFER_ENCODING),
    BAD("HTTP/1.1 204 N\r\nContent-Length: 5", BODY_DISALLOWED),
    BAD(OK_LINE "Host: a\r\nHost:", CODEC),
    BAD_SMALL(OK_LINE "a: 1\r\nb: 1\r\nc: 1\r\nd", TOO_MANY_HEADERS),
    BAD_SMALL("HTTP/1.1 200 345678901234567890123456789012345678901234567890123",
              HEADERS_TOO_LARGE),
};

static void check_splits(const struct h1_input *in, enum h1_fault fault, const char *label)
{
    struct h1_outcome bytewise = h1_run_head(in, 1, 1);
    T_EXPECT_EQ(bytewise.fault, fault, label);
    T_EXPECT(fault == H1_FAULT_NONE || bytewise.seen == in->bytes.n, "%s: seen %zu", label,
             bytewise.seen);
    for (size_t cut = 0; cut <= in->bytes.n; cut++)
        T_EXPECT(h1_head_cut_agrees(in, &bytewise, cut), "%s: cut at %zu", label, cut);
    h1_outcome_free(&bytewise);
}

/* Whole, ordinary lines of what is refused: the fast layer must not take them. */
static void check_continued(const struct bad_row *row, const char *label)
{
    static const struct sv more[] = {
        SV("200 OK\r\n\r\n"),
        SV("00 OK\r\n\r\n"),
        SV("0 OK\r\n\r\n"),
        SV(" OK\r\n\r\n"),
        SV("\r\nAccept: */*\r\nA-Field-Of-Some-Length: b\r\n\r\n"),
        SV(" 5\r\nAccept: */*\r\nA-Field-Of-Some-Length: b\r\n\r\n"),
        SV(" chunked\r\nAccept: */*\r\nA-Field-Of-Some-Length: b\r\n\r\n"),
    };
    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        char bytes[256];
        memcpy(bytes, row->text.p, row->text.n);
        memcpy(bytes + row->text.n, more[i].p, more[i].n);
        struct h1_input in = {sv_of(bytes, row->text.n + more[i].n), &limits[row->limits], true,
                              H1_GET};
        struct h1_outcome o = h1_run_head(&in, in.bytes.n, 1);
        T_EXPECT_EQ(o.fault, row->fault, label);
        h1_outcome_free(&o);
    }
}

T(h1_response, every_good_row)
{
    for (size_t i = 0; i < ARRAY_LEN(good_rows); i++) {
        const struct row *row = &good_rows[i];
        char label[200];
        snprintf(label, sizeof label, "row %zu: %.*s", i, SVF(row->text));
        struct h1_input in = {row->text, &limits[row->limits], true, row->method};
        struct h1_outcome o = h1_run_head(&in, in.bytes.n, 1);
        T_EXPECT_EQ(o.err, OK, label);
        T_EXPECT_EQ(o.used, sv_search(row->text, SV("\r\n\r\n")) + 4, label);
        T_EXPECT_SV(sv_str(o.text), sv_str(row->want), label);
        h1_outcome_free(&o);
        check_splits(&in, H1_FAULT_NONE, label);
    }
}

T(h1_response, every_bad_row_at_its_last_byte)
{
    T_EXPECT(ARRAY_LEN(bad_rows) >= 25, "%zu rows", ARRAY_LEN(bad_rows));
    for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
        const struct bad_row *row = &bad_rows[i];
        char label[200];
        snprintf(label, sizeof label, "row %zu: %.*s", i, SVF(row->text));
        struct h1_input in = {row->text, &limits[row->limits], true, H1_GET};
        check_splits(&in, row->fault, label);
        check_continued(row, label);
        for (size_t n = 0; n < row->text.n; n++) {
            in.bytes.n = n;
            struct h1_outcome o = h1_run_head(&in, n, 1);
            T_EXPECT(o.err == E_AGAIN, "%s: decided after %zu bytes", label, n);
            h1_outcome_free(&o);
        }
    }
}

T(h1_response, interim_and_final_one_parser)
{
    char text[] =
        "HTTP/1.1 100 Continue\r\nX: y\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    struct arena *arena = arena_new(4096, SIZE_MAX);
    struct h1_parser p;
    struct h1_head head;
    headers_init(&head.headers, arena);
    h1_parser_init(&p, true, &limits[NORMAL]);
    T_EXPECT_EQ(h1_parse_response(&p, text, sizeof text - 1, H1_GET, &head), OK, "interim");
    T_EXPECT_EQ(head.status, 100, "interim");
    size_t at = head.head_bytes;
    headers_init(&head.headers, arena);
    T_EXPECT_EQ(h1_parse_response(&p, text + at, sizeof text - 1 - at, H1_GET, &head), OK, "final");
    T_EXPECT_EQ(head.status, 200, "final");
    T_EXPECT_EQ(head.content_length, 2, "final");
    T_EXPECT_EQ(head.headers.n, 1, "final");
    arena_free(&arena);
}
