/* Malformed requests, as found in RFC 9112's text and in the known classes of parser discrepancies.
 * Every row ends at the byte that makes it hopeless: all before it must be taken as unfinished, and
 * it must be refused there, for the stated reason, whatever follows and however the bytes were
 * split. */
#include "tests/support/t.h"
#include "tests/unit/net/h1_split.h"
#include <stdio.h>

enum limits_id { NORMAL, NO_UNDERSCORE, LENGTH_TOO, SMALL };

static const struct h1_limits limits[] = {
    [NORMAL] = {.max_head_bytes = 61440, .max_headers = 100},
    [NO_UNDERSCORE] = { 61440, 100,                false, H1_UNDERSCORE_REJECT},
    [LENGTH_TOO] = { 61440, 100,                  true, H1_UNDERSCORE_ALLOW},
    [SMALL] = { 64,    3,                 false, H1_UNDERSCORE_ALLOW},
};

struct row {
    struct sv text;
    enum h1_fault fault;
    enum limits_id limits;
};

#define BAD(lit, fault)                                                                            \
    {                                                                                              \
        SV(lit), H1_FAULT_##fault, NORMAL                                                          \
    }
#define BAD_WITH(limits, lit, fault)                                                               \
    {                                                                                              \
        SV(lit), H1_FAULT_##fault, limits                                                          \
    }

static const struct row start_rows[] = {
    BAD(" ", CODEC),           BAD("\t", CODEC),
    BAD("\n", CODEC),          BAD("\r\r", CODEC),
    BAD("\rG", CODEC),         BAD("\r\n\r", CODEC), /* a second empty line */
    BAD("\r\n\n", CODEC),      BAD("\r\n ", CODEC),
    BAD("\0", CODEC),          BAD("\x16", CODEC), /* a TLS hello */
    BAD("\xef", CODEC),                            /* a byte order mark */
    BAD("\x80", CODEC),        BAD("\"", CODEC),
    BAD("@", CODEC),           BAD("g", CODEC),
    BAD("Ge", CODEC),          BAD("F", CODEC),
    BAD("PRI", CODEC),                           /* HTTP/2's preface */
    BAD("SS", CODEC),          BAD("HT", CODEC), /* a response */
    BAD("M-", CODEC),          BAD("GETX", CODEC),
    BAD("GE ", CODEC),         BAD("GET\t", CODEC),
    BAD("GET\r", CODEC),       BAD("GET\n", CODEC),
    BAD("GET\v", CODEC),       BAD("GET\0", CODEC),
    BAD("GET/", CODEC),        BAD("GET:", CODEC),
    BAD("POSTS", CODEC),       BAD("CONNECTS", CODEC),
    BAD("OPTIONS\xa0", CODEC), BAD("UNSUBSCRIBED", CODEC),
    BAD("MKCALENDARS", CODEC),
};

static const struct row target_rows[] = {
    BAD("GET  ", CODEC),
    BAD("GET \t", CODEC),
    BAD("GET \r", CODEC),
    BAD("GET \n", CODEC),
    BAD("GET \0", CHARACTERS),
    BAD("GET \x7f", CHARACTERS),
    BAD("GET \x80", CODEC),
    BAD("GET #", FRAGMENT),
    BAD("GET ?", CODEC),
    BAD("GET .", CODEC),
    BAD("GET 1", CODEC),
    BAD("GET \\", CODEC),
    BAD("GET *", URL),
    BAD("POST *", URL),
    BAD("OPTIONS *x", URL),
    BAD("OPTIONS **", URL),
    BAD("OPTIONS */", URL),
    BAD("OPTIONS *\t", CODEC),
    BAD("OPTIONS *#", FRAGMENT),
    BAD("GET /\t", CODEC),
    BAD("GET /\r", CODEC), /* no version: HTTP/0.9 */
    BAD("GET /\n", CODEC),
    BAD("GET /\0", CHARACTERS),
    BAD("GET /\v", CHARACTERS),
    BAD("GET /a\x01", CHARACTERS),
    BAD("GET /a\x1f", CHARACTERS),
    BAD("GET /a\x7f", CHARACTERS),
    BAD("GET /a\x80", CODEC),
    BAD("GET /caf\xc3", CODEC),
    BAD("GET /\xff", CODEC),
    BAD("GET /#", FRAGMENT),
    BAD("GET /index?q=1#", FRAGMENT),
    BAD("GET /a-path-that-is-longer-than-one-block-of-sixteen\xe2", CODEC),
    BAD("GET /a-path-that-is-longer-than-one-block-of-sixteen#", FRAGMENT),
    BAD("GET foo ", CODEC),
    BAD("GET foo/", CODEC),
    BAD("GET foo\r", CODEC),
    BAD("GET foo?", CODEC),
    BAD("GET http#", FRAGMENT),
    BAD("GET http\x01", CHARACTERS),
    BAD("GET http:x", CODEC),
    BAD("GET http: ", CODEC),
    BAD("GET http:/x", CODEC),
    BAD("GET http:/ ", CODEC),
    BAD("GET ftp://", SCHEME),
    BAD("GET ws://", SCHEME),
    BAD("GET file://", SCHEME),
    BAD("GET htt://", SCHEME),
    BAD("GET httpss://", SCHEME),
    BAD("GET h://", SCHEME),
    BAD("GET javascript:a", CODEC),
};

static const struct row authority_rows[] = {
    BAD("GET http:///", URL),
    BAD("GET http:// ", URL),
    BAD("GET http://?", URL),
    BAD("GET http://:", URL),
    BAD("GET http://@", URL),
    BAD("GET http://user@", URL),
    BAD("GET http://user:p", URL),
    BAD("GET http://h:80@", URL),
    BAD("GET http://h:0", URL),
    BAD("GET http://h:65536", URL),
    BAD("GET http://h:123456", URL),
    BAD("GET http://h:8a", URL),
    BAD("GET http://h:+", URL),
    BAD("GET http://h:80:", URL),
    BAD("GET http://h|", URL),
    BAD("GET http://h\\", URL),
    BAD("GET http://h^", URL),
    BAD("GET http://h\"", URL),
    BAD("GET http://h<", URL),
    BAD("GET http://h{", URL),
    BAD("GET http://h%z", URL),
    BAD("GET http://h%4z", URL),
    BAD("GET http://h%4/", URL),
    BAD("GET http://h% ", URL),
    BAD("GET http://[g", URL),
    BAD("GET http://[/", URL),
    BAD("GET http://[]", URL),
    BAD("GET http://[::1/", URL),
    BAD("GET http://[::1 ", URL),
    BAD("GET http://[::1%", URL),
    BAD("GET http://[::1]a", URL),
    BAD("GET http://[::1]]", URL),
    BAD("GET http://[1::2::3]", URL),
    BAD("GET http://[12345::]", URL),
    BAD("GET http://[1.2.3.4]", URL),
    BAD("GET http://[1111:2222:3333:4444:5555:6666:7777:8888:9999:a", URL),
    BAD("GET http://h]", URL),
    BAD("GET http://h[", URL),
    BAD("GET http://h#", FRAGMENT),
    BAD("GET http://h/#", FRAGMENT),
    BAD("GET http://h?#", FRAGMENT),
    BAD("GET http://h\t", CODEC),
    BAD("GET http://h\r", CODEC),
    BAD("GET http://h\x80", CODEC),
    BAD("GET http://h\x01", CHARACTERS),
    BAD("GET http://h/\x80", CODEC),
    BAD("CONNECT /", URL),
    BAD("CONNECT h ", URL),
    BAD("CONNECT h: ", URL),
    BAD("CONNECT :", URL),
    BAD("CONNECT * ", URL),
    BAD("CONNECT http:/", URL),
    BAD("CONNECT h:80/", URL),
    BAD("CONNECT h:80?", URL),
    BAD("CONNECT h:70000", URL),
    BAD("CONNECT h:0", URL),
    BAD("CONNECT u@", URL),
    BAD("CONNECT [::1] ", URL),
    BAD("CONNECT  ", CODEC),
    BAD("CONNECT \t", CODEC),
    BAD("CONNECT h:80#", FRAGMENT),
    BAD("CONNECT h:80\r", CODEC),
};

static const struct row version_rows[] = {
    BAD("GET / \r", CODEC),
    BAD("GET / \n", CODEC),
    BAD("GET /  ", CODEC),
    BAD("GET / \t", CODEC),
    BAD("GET / h", CODEC),
    BAD("GET / HTTP ", CODEC),
    BAD("GET / HTTP\r", CODEC),
    BAD("GET / HTTX", CODEC),
    BAD("GET / HTTP/\r", CODEC),
    BAD("GET / HTTP/a", CODEC),
    BAD("GET / HTTP/-", CODEC),
    BAD("GET / HTTP/1\r", CODEC),
    BAD("GET / HTTP/2\r", CODEC),
    BAD("GET / HTTP/1,", CODEC),
    BAD("GET / HTTP/11", CODEC),
    BAD("GET / HTTP/1.\r", CODEC),
    BAD("GET / HTTP/1.x", CODEC),
    BAD("GET / HTTP/1.11", CODEC),
    BAD("GET / HTTP/1.1 ", CODEC),
    BAD("GET / HTTP/1.1\t", CODEC),
    BAD("GET / HTTP/1.1\n", CODEC),
    BAD("GET / HTTP/1.1\0", CODEC),
    BAD("GET / HTTP/1.1\r\r", CODEC),
    BAD("GET / HTTP/1.1\rX", CODEC),
    BAD("GET / HTTP/1.1\r ", CODEC),
    BAD("GET / HTTP/1.0\n", CODEC),
    BAD("GET / HTTP/1.2\r", VERSION),
    BAD("GET / HTTP/1.9\r", VERSION),
    BAD("GET / HTTP/0.9\r", VERSION),
    BAD("GET / HTTP/2.0\r", VERSION),
    BAD("GET / HTTP/2.1\r", VERSION),
    BAD("GET / HTTP/3.0\r", VERSION),
    BAD("GET / HTTP/9.9\r", VERSION),
};

#define GET "GET / HTTP/1.1\r\n"
#define CONNECT "CONNECT h:80 HTTP/1.1\r\n"

static const struct row field_rows[] = {
    BAD(GET " ", CODEC), /* blanks before the first field */
    BAD(GET "\t", CODEC),
    BAD(GET "\n", CODEC),
    BAD(GET "\r\r", CODEC),
    BAD(GET "\rX", CODEC),
    BAD(GET "\0", CODEC),
    BAD(GET "\v", CODEC),
    BAD(GET "\xef", CODEC),
    BAD(GET ":", CODEC),
    BAD(GET "\"", CODEC),
    BAD(GET "(", CODEC),
    BAD(GET "X ", CODEC), /* a blank before the colon */
    BAD(GET "X\t", CODEC),
    BAD(GET "X\r", CODEC), /* no colon */
    BAD(GET "X\n", CODEC),
    BAD(GET "X\0", CODEC),
    BAD(GET "X\x7f", CODEC),
    BAD(GET "X\x80", CODEC),
    BAD(GET "X(", CODEC),
    BAD(GET "X)", CODEC),
    BAD(GET "X,", CODEC),
    BAD(GET "X/", CODEC),
    BAD(GET "X;", CODEC),
    BAD(GET "X<", CODEC),
    BAD(GET "X=", CODEC),
    BAD(GET "X>", CODEC),
    BAD(GET "X?", CODEC),
    BAD(GET "X@", CODEC),
    BAD(GET "X[", CODEC),
    BAD(GET "X\\", CODEC),
    BAD(GET "X]", CODEC),
    BAD(GET "X{", CODEC),
    BAD(GET "X}", CODEC),
    BAD(GET "a-name-of-more-than-sixteen-bytes ", CODEC),
    BAD(GET "a-name-of-more-than-sixteen-bytes@", CODEC),
    BAD(GET "Content\r", CODEC),    /* CR would fold to the dash of a known name */
    BAD(GET "Host: a\r\n ", CODEC), /* a folded line */
    BAD(GET "Host: a\r\n\t", CODEC),
    BAD(GET "X: a\r\n:", CODEC),
    BAD(GET "X: a\r\n\n", CODEC),
    BAD(GET "X: a\n", CODEC),
    BAD(GET "X:\n", CODEC),
    BAD(GET "X: a value of more than one block of sixteen bytes\n", CODEC),
    BAD(GET "X: a\rb", CODEC),
    BAD(GET "X: a\r\r", CODEC),
    BAD(GET "X: a\r ", CODEC),
    BAD(GET "X: \r\0", CODEC),
    BAD(GET "X: \0", CHARACTERS),
    BAD(GET "X: a\0", CHARACTERS),
    BAD(GET "X: a\x01", CHARACTERS),
    BAD(GET "X: a\x08", CHARACTERS),
    BAD(GET "X: \v", CHARACTERS),
    BAD(GET "X:\f", CHARACTERS),
    BAD(GET "X: a\x1b", CHARACTERS),
    BAD(GET "X: a\x1f", CHARACTERS),
    BAD(GET "X: a\x7f", CHARACTERS),
    BAD(GET "X: a\tb\x7f", CHARACTERS),
    BAD(GET "X: a value of more than two blocks of sixteen bytes\x02", CHARACTERS),
    BAD(GET "Host: a\r\nX: a\r\nY: b\r\nZ: a value of more than one block\x7f", CHARACTERS),
    BAD_WITH(NO_UNDERSCORE, GET "_", UNDERSCORE),
    BAD_WITH(NO_UNDERSCORE, GET "Content_", UNDERSCORE),
    BAD_WITH(NO_UNDERSCORE, GET "X ", CODEC),
};

static const struct row host_rows[] = {
    BAD(GET "Host: a\r\nHost:", CODEC),
    BAD(GET "Host: a\r\nhOsT:", CODEC),
    BAD(GET "Host: a\r\nX: y\r\nhost:", CODEC),
    BAD(GET "Host:\r\nHost:", CODEC),
    BAD(GET "Host: a b", AUTHORITY),
    BAD(GET "Host: a\tb", AUTHORITY),
    BAD(GET "Host: a/", AUTHORITY),
    BAD(GET "Host: a?", AUTHORITY),
    BAD(GET "Host: a#", AUTHORITY),
    BAD(GET "Host: a@", AUTHORITY),
    BAD(GET "Host: a\\", AUTHORITY),
    BAD(GET "Host: a\"", AUTHORITY),
    BAD(GET "Host: a|", AUTHORITY),
    BAD(GET "Host: a^", AUTHORITY),
    BAD(GET "Host: a`", AUTHORITY),
    BAD(GET "Host: <", AUTHORITY),
    BAD(GET "Host: a{", AUTHORITY),
    BAD(GET "Host: a\x80", AUTHORITY),
    BAD(GET "Host: \xc3", AUTHORITY),
    BAD(GET "Host: http:/", AUTHORITY),
    BAD(GET "Host: :", AUTHORITY),
    BAD(GET "Host: a:x", AUTHORITY),
    BAD(GET "Host: a:80x", AUTHORITY),
    BAD(GET "Host: a:80:", AUTHORITY),
    BAD(GET "Host: a:80 8", AUTHORITY),
    BAD(GET "Host: a:0", AUTHORITY),
    BAD(GET "Host: a:65536", AUTHORITY),
    BAD(GET "Host: a:99999", AUTHORITY),
    BAD(GET "Host: a:-", AUTHORITY),
    BAD(GET "Host: a%\r", AUTHORITY),
    BAD(GET "Host: a%4\r", AUTHORITY),
    BAD(GET "Host: a%4 ", AUTHORITY),
    BAD(GET "Host: a%g", AUTHORITY),
    BAD(GET "Host: [\r", AUTHORITY),
    BAD(GET "Host: [ ", AUTHORITY),
    BAD(GET "Host: [x", AUTHORITY),
    BAD(GET "Host: []", AUTHORITY),
    BAD(GET "Host: [::1\r", AUTHORITY),
    BAD(GET "Host: [::1]8", AUTHORITY),
    BAD(GET "Host: [:::]", AUTHORITY),
    BAD(GET "Host: [::ffff:1.2.3.256]", AUTHORITY),
    BAD(GET "Host: a\x01", CHARACTERS),
    BAD(GET "Host: \0", CHARACTERS),
    BAD(GET "Host: a\n", CODEC),
    BAD(GET "Host: a\rb", CODEC),
    BAD(GET "Host: an.ordinary.host.of.some.length:80800", AUTHORITY),
};

static const struct row length_rows[] = {
    BAD(GET "Content-Length:\r", CODEC),
    BAD(GET "Content-Length: \r", CODEC),
    BAD(GET "Content-Length: +", CODEC),
    BAD(GET "Content-Length: -", CODEC),
    BAD(GET "Content-Length: a", CODEC),
    BAD(GET "Content-Length: 1a", CODEC),
    BAD(GET "Content-Length: 0x", CODEC),
    BAD(GET "Content-Length: 1e", CODEC),
    BAD(GET "Content-Length: 1_", CODEC),
    BAD(GET "Content-Length: 1,", CODEC),
    BAD(GET "Content-Length: ,", CODEC),
    BAD(GET "Content-Length: 1.", CODEC),
    BAD(GET "Content-Length: 1;", CODEC),
    BAD(GET "Content-Length: \"", CODEC),
    BAD(GET "Content-Length: 1 1", CODEC),
    BAD(GET "Content-Length: 1\t1", CODEC),
    BAD(GET "Content-Length: \xd9", CODEC),
    BAD(GET "Content-Length: 9223372036854775808", CODEC), /* INT64_MAX + 1 */
    BAD(GET "Content-Length: 9999999999999999999", CODEC),
    BAD(GET "Content-Length: 18446744073709551616", CODEC),
    BAD(GET "Content-Length: 00000000000000000001", CODEC),
    BAD(GET "Content-Length: 1\n", CODEC),
    BAD(GET "Content-Length: 1\rX", CODEC),
    BAD(GET "Content-Length: 1\x01", CHARACTERS),
    BAD(GET "Content-Length: \v", CHARACTERS),
    BAD(GET "Content-Length: 1\0", CHARACTERS),
    BAD(GET "Content-Length: 1\r\nContent-Length:", CODEC),
    BAD(GET "Content-Length: 0\r\nX: y\r\ncontent-length:", CODEC),
    BAD(GET "Content-Length ", CODEC),
    BAD(CONNECT "Content-Length: 5", BODY_DISALLOWED),
    BAD(CONNECT "Content-Length: 05", BODY_DISALLOWED),
};

static const struct row coding_rows[] = {
    BAD(GET "Transfer-Encoding:\r", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: \r", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: g", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: i", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: x", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: ,", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: \"", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: c\r", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: chunke\r", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: chunkedx", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: chunked,", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: chunked;", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: chunked c", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: chunk ", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: ch\xc5", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: cHUNKEDd", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: \v", CHARACTERS),
    BAD(GET "Transfer-Encoding: chunked\v", CHARACTERS),
    BAD(GET "Transfer-Encoding: chunked\0", CHARACTERS),
    BAD(GET "Transfer-Encoding: chunked\n", CODEC),
    BAD(GET "Transfer-Encoding: chunked\r ", CODEC),
    BAD(GET "Transfer-Encoding ", CODEC),
    BAD(GET "Transfer-Encoding\t", CODEC),
    BAD(GET "Transfer-Encoding\v", CODEC),
    BAD(GET "Transfer\r", CODEC),
    BAD(GET "Transfer-Encoding: chunked\r\nTransfer-Encoding:", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: chunked\r\ntransfer-ENCODING:", TRANSFER_ENCODING),
    BAD(GET "Transfer-Encoding: chunked\r\nContent-Length:", CL_AND_CHUNKED),
    BAD(GET "Content-Length: 5\r\nTransfer-Encoding:", CL_AND_CHUNKED),
    BAD(GET "Content-Length: 0\r\nX: y\r\nTransfer-Encoding:", CL_AND_CHUNKED),
    BAD("GET / HTTP/1.0\r\nTransfer-Encoding:", CODEC),
    BAD("POST / HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding:", CODEC),
    BAD(CONNECT "Transfer-Encoding:", TRANSFER_ENCODING),
    BAD_WITH(LENGTH_TOO, GET "Transfer-Encoding: chunked\r\nContent-Length: x", CODEC),
    BAD_WITH(LENGTH_TOO, GET "Content-Length: 5\r\nTransfer-Encoding: g", TRANSFER_ENCODING),
    BAD_WITH(LENGTH_TOO, GET "Content-Length: 5\r\nContent-Length:", CODEC),
};

/* 64 bytes of head, 3 fields. */
static const struct row limit_rows[] = {
    BAD_WITH(SMALL, GET "a: 1\r\nb: 1\r\nc: 1\r\nd", TOO_MANY_HEADERS),
    BAD_WITH(SMALL, GET "a: 1\r\nb: 1\r\nc: 1\r\n ", CODEC),
    BAD_WITH(SMALL, GET "a: 1\r\nb: 1\r\nc: 1\r\n\n", CODEC),
    BAD_WITH(SMALL, GET "a:                                             1", HEADERS_TOO_LARGE),
    BAD_WITH(SMALL, GET "a: 01234567890123456789012345678901234567890\r\n\r\1", CODEC),
    BAD_WITH(SMALL, GET "a: 012345678901234567890123456789012345678901\r\n\r", HEADERS_TOO_LARGE),
    BAD_WITH(SMALL, GET "n01234567890123456789012345678901234567890123456", HEADERS_TOO_LARGE),
    BAD_WITH(SMALL, "GET /01234567890123456789012345678901234567890123456789012345678",
             HEADERS_TOO_LARGE),
    BAD_WITH(SMALL, "GET http://h/012345678901234567890123456789012345678901234567890",
             HEADERS_TOO_LARGE),
    BAD_WITH(SMALL, "OPTIONS /01234567890123456789012345678901234567890123456789012 H",
             HEADERS_TOO_LARGE),
};

static const struct {
    const char *name;
    const struct row *rows;
    size_t n;
} tables[] = {
    {"start",     start_rows,     ARRAY_LEN(start_rows)    },
    {"target",    target_rows,    ARRAY_LEN(target_rows)   },
    {"authority", authority_rows, ARRAY_LEN(authority_rows)},
    {"version",   version_rows,   ARRAY_LEN(version_rows)  },
    {"field",     field_rows,     ARRAY_LEN(field_rows)    },
    {"host",      host_rows,      ARRAY_LEN(host_rows)     },
    {"length",    length_rows,    ARRAY_LEN(length_rows)   },
    {"coding",    coding_rows,    ARRAY_LEN(coding_rows)   },
    {"limit",     limit_rows,     ARRAY_LEN(limit_rows)    },
};

static struct h1_input input_of(const struct row *row, struct sv bytes)
{
    return (struct h1_input){.bytes = bytes, .limits = &limits[row->limits]};
}

/* Runs check for every row, with a label that shows the row. */
static void each_row(void (*check)(const struct row *row, const char *label))
{
    size_t count = 0;
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        for (size_t i = 0; i < tables[t].n; i++, count++) {
            const struct row *row = &tables[t].rows[i];
            char label[160];
            snprintf(label, sizeof label, "%s row %zu: %.*s", tables[t].name, i, SVF(row->text));
            check(row, label);
        }
    }
    T_EXPECT(count >= 150, "only %zu rows", count);
}

static enum err error_of(enum h1_fault fault)
{
    bool limit = fault == H1_FAULT_HEADERS_TOO_LARGE || fault == H1_FAULT_TOO_MANY_HEADERS;
    return limit ? E_LIMIT : E_PROTO;
}

static void expect_fault(const struct row *row, struct sv bytes, const char *label)
{
    struct h1_input in = input_of(row, bytes);
    struct h1_outcome o = h1_run_head(&in, bytes.n, 1);
    T_EXPECT_EQ(o.err, error_of(row->fault), label);
    T_EXPECT_EQ(o.fault, row->fault, label);
    h1_outcome_free(&o);
}

static void check_verdict(const struct row *row, const char *label)
{
    /* The later ones make whole, ordinary lines of rows that end at a colon or in a value: those
     * the fast layer might take. */
    static const struct sv more[] = {
        SV("x"),
        SV(" "),
        SV("\n"),
        SV("\r\n\r\n"),
        SV(": a\r\n\r\n"),
        SV(" / HTTP/1.1\r\nHost: a\r\n\r\n"),
        SV(" a\r\n\r\n"),
        SV(" 5\r\n\r\n"),
        SV(" chunked\r\nA-Field-Of-Some-Length: b\r\n\r\n"),
        SV(" 5\r\nAccept: */*\r\nA-Field-Of-Some-Length: b\r\n\r\n"),
        SV("80\r\nAccept: */*\r\nA-Field-Of-Some-Length: b\r\n\r\n"),
        SV(" a:80\r\nAccept: */*\r\nA-Field-Of-Some-Length: b\r\n\r\n"),
        SV("hunked\r\nAccept: */*\r\nA-Field-Of-Some-Length: b\r\n\r\n"),
        SV("\r\nAccept: */*\r\nA-Field-Of-Some-Length: b\r\n\r\n"),
    };
    expect_fault(row, row->text, label);
    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        char bytes[256];
        memcpy(bytes, row->text.p, row->text.n);
        memcpy(bytes + row->text.n, more[i].p, more[i].n);
        expect_fault(row, sv_of(bytes, row->text.n + more[i].n), label);
    }
}

static void check_earliest(const struct row *row, const char *label)
{
    for (size_t n = 0; n < row->text.n; n++) {
        struct h1_input in = input_of(row, sv_of(row->text.p, n));
        struct h1_outcome o = h1_run_head(&in, n, 1);
        T_EXPECT(o.err == E_AGAIN, "%s: decided after %zu bytes: %d", label, n, (int)o.err);
        h1_outcome_free(&o);
    }
}

static void check_splits(const struct row *row, const char *label)
{
    struct h1_input in = input_of(row, row->text);
    struct h1_outcome bytewise = h1_run_head(&in, 1, 1);
    T_EXPECT_EQ(bytewise.fault, row->fault, label);
    T_EXPECT_EQ(bytewise.seen, row->text.n, label);
    for (size_t cut = 0; cut <= row->text.n; cut++)
        T_EXPECT(h1_head_cut_agrees(&in, &bytewise, cut), "%s: cut at %zu", label, cut);
    h1_outcome_free(&bytewise);
}

T(h1_refused, every_row_with_its_fault)
{
    each_row(check_verdict);
}

T(h1_refused, not_before_the_last_byte)
{
    each_row(check_earliest);
}

T(h1_refused, the_same_for_every_split)
{
    each_row(check_splits);
}

T(h1_refused, at_a_later_line_as_at_the_first)
{
    static const char lead[] = "GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nX-Request-Id: 1\r\n";
    for (size_t i = 0; i < ARRAY_LEN(field_rows); i++) {
        const struct row *row = &field_rows[i];
        struct sv rest = sv_skip(row->text, sizeof GET - 1);
        if (sv_starts(rest, SV("Host")))
            continue;
        char bytes[256];
        int n = snprintf(bytes, sizeof bytes, "%s", lead);
        memcpy(bytes + n, rest.p, rest.n);
        expect_fault(row, sv_of(bytes, (size_t)n + rest.n), "later line");
    }
}

/* Readers of whole blocks pad names with zeros. */
T(h1_refused, zeros_behind_a_known_name)
{
    static const char *const names[] = {"Connection", "Accept", "TE", "Content-Length",
                                        "Transfer-Encoding"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct row row = BAD("", CODEC);
        for (size_t zeros = 1; zeros <= 24; zeros++) {
            char bytes[256];
            size_t n = (size_t)snprintf(bytes, sizeof bytes, GET "%s", names[i]);
            memset(bytes + n, 0, zeros);
            n += zeros;
            n += (size_t)snprintf(bytes + n, sizeof bytes - n,
                                  ": 5\r\nHost: a\r\nA-Field-Of-Some-Length: b\r\n\r\n");
            expect_fault(&row, sv_of(bytes, n), names[i]);
        }
    }
}
