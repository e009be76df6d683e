/* Bodies: counted, chunked and until close, whole and split everywhere. */
#include "tests/support/t.h"
#include "tests/unit/net/h1_split.h"
#include <stdio.h>
#include <stdlib.h>

enum limits_id { NORMAL, NO_UNDERSCORE, SMALL };

static const struct h1_limits limits[] = {
    [NORMAL] = {.max_head_bytes = 61440, .max_headers = 100},
    [NO_UNDERSCORE] = { 61440, 100,                false, H1_UNDERSCORE_REJECT},
    [SMALL] = { 16,    2,                 false, H1_UNDERSCORE_ALLOW},
};

/* want: the data, then '|' and the trailers. unused: bytes of the text behind the body. */
struct row {
    struct sv text;
    const char *want;
    size_t unused;
    enum limits_id limits;
};

#define GOOD(lit, want)                                                                            \
    {                                                                                              \
        SV(lit), want, 0, NORMAL                                                                   \
    }
#define A_16 "0123456789abcdef"

static const struct row chunked_rows[] = {
    GOOD("0\r\n\r\n", "|"),
    GOOD("5\r\nhello\r\n0\r\n\r\n", "hello|"),
    GOOD("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", "abcdef|"),
    GOOD("a\r\n0123456789\r\n00\r\n\r\n", "0123456789|"),
    GOOD("A\r\n0123456789\r\n0\r\n\r\n", "0123456789|"),
    GOOD("10\r\n" A_16 "\r\n0\r\n\r\n", A_16 "|"),
    GOOD("0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", "hello|"),
    GOOD("2\r\n\r\n\r\n0\r\n\r\n", "\r\n|"),
    GOOD("1\r\n0\r\n0\r\n\r\n", "0|"),
    GOOD("1;a\r\nx\r\n0;b\r\n\r\n", "x|"),
    GOOD("1;a=b\r\nx\r\n0\r\n\r\n", "x|"),
    GOOD("1;a=b;c;d=e\r\nx\r\n0\r\n\r\n", "x|"),
    GOOD("1 ;a\r\nx\r\n0\r\n\r\n", "x|"),
    GOOD("1\t ; \ta \t= b ;c\r\nx\r\n0\r\n\r\n", "x|"),
    GOOD("1;a=\"b\"\r\nx\r\n0\r\n\r\n", "x|"),
    GOOD("1;a=\"\"\r\nx\r\n0\r\n\r\n", "x|"),
    GOOD("1;a=\"; \t\\\"\\\\ \xff\" ;c=\"d\"\r\nx\r\n0\r\n\r\n", "x|"),
    GOOD("1;!#$%&'*+-.^_`|~0aZ=!\r\nx\r\n0\r\n\r\n", "x|"),
    GOOD("1\r\nx\r\n0\r\nA: b\r\n\r\n", "x|a: b\n"),
    GOOD("0\r\nGrpc-Status: 0\r\nX-Checksum:abc\r\n\r\n", "|grpc-status: 0\n~x-checksum: abc\n"),
    GOOD("0\r\nX: \r\nx: \tb \r\n\r\n", "|x: \n~x: b\n"),
    {SV("1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"), "x|",            18, NORMAL},
    {SV("0\r\nA: b\r\n\r\nGET / HTTP/1.1\r\n\r\n"),   "|a: b\n",       18, NORMAL},
    {SV("0\r\na: 456789\r\n\r\n"),                    "|a: 456789\n",  0,  SMALL },
    {SV("0\r\na: b\r\nc: d\r\n\r\n"),                 "|a: b\nc: d\n", 0,  SMALL },
 /* 16 bytes of extension at a time are within the limit as long as data follows. */
    {SV("10;23456789abcdef\r\n" A_16 "\r\n10;23456789abcdef\r\n" A_16
        "\r\n0;23456789abcde\r\n\r\n"),
                                                      A_16 A_16 "|",                                                    0,  SMALL },
};

/* Each ends at the byte that makes it hopeless. */
struct bad_row {
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

static const struct bad_row bad_rows[] = {
    BAD("\r", CODEC),
    BAD("\n", CODEC),
    BAD(" ", CODEC),
    BAD("\t", CODEC),
    BAD(";", CODEC),
    BAD("g", CODEC),
    BAD("+", CODEC),
    BAD("-", CODEC),
    BAD("0x", CODEC),
    BAD("5h", CODEC),
    BAD("5_", CODEC),
    BAD("5,", CODEC),
    BAD("5.", CODEC),
    BAD("5\n", CODEC),
    BAD("5\0", CODEC),
    BAD("5\v", CODEC),
    BAD("5\x80", CODEC),
    BAD("5\rX", CODEC),
    BAD("5\r\r", CODEC),
    BAD("5 \r", CODEC), /* a blank, but no extension */
    BAD("5\t\r", CODEC),
    BAD("5 5", CODEC),
    BAD("5 =", CODEC),
    BAD("5=", CODEC),
    BAD("5;\r", CODEC),
    BAD("5; \r", CODEC),
    BAD("5;;", CODEC),
    BAD("5;=", CODEC),
    BAD("5;\"", CODEC),
    BAD("5;a=\r", CODEC),
    BAD("5;a= \r", CODEC),
    BAD("5;a=;", CODEC),
    BAD("5;a==", CODEC),
    BAD("5;a \r", CODEC),
    BAD("5;a b", CODEC),
    BAD("5;a=b c", CODEC),
    BAD("5;a=b \r", CODEC),
    BAD("5;a=b=", CODEC),
    BAD("5;a\n", CODEC), /* CVE-class: LF in an extension */
    BAD("5;a=b\n", CODEC),
    BAD("5;a\rX", CODEC),
    BAD("5;a=b\r\r", CODEC),
    BAD("5;a=\"b\r", CODEC),
    BAD("5;a=\"b\n", CODEC),
    BAD("5;a=\"\x01", CODEC),
    BAD("5;a=\"\x7f", CODEC),
    BAD("5;a=\"\\\r", CODEC),
    BAD("5;a=\"\\\n", CODEC),
    BAD("5;a=\"b\"c", CODEC),
    BAD("5;a=\"b\" c", CODEC),
    BAD("5;a\x80", CODEC),
    BAD("5;a@", CODEC),
    BAD("8000000000000000", CODEC), /* INT64_MAX + 1 */
    BAD("ffffffffffffffff", CODEC),
    BAD("00000000000000001", CODEC), /* 17 digits */
    BAD("10000000000000005", CODEC),
    BAD("1\r\nxy", CODEC),
    BAD("1\r\nx\n", CODEC),
    BAD("1\r\nx\r\r", CODEC),
    BAD("1\r\nx\r0", CODEC),
    BAD("1\r\nx0", CODEC),
    BAD("5\r\nhello\r\n\r", CODEC),
    BAD("5\r\nhello\r\n\n", CODEC),
    BAD("5\r\nhello\r\n ", CODEC),
    BAD("5\r\nhello\r\n-", CODEC),
    BAD("0\r\n\n", CODEC),
    BAD("0\r\n\rX", CODEC),
    BAD("0\r\n ", CODEC),
    BAD("0\r\n:", CODEC),
    BAD("0\r\nX ", CODEC),
    BAD("0\r\nX\r", CODEC),
    BAD("0\r\nX: a\n", CODEC),
    BAD("0\r\nX: a\rb", CODEC),
    BAD("0\r\nX: a\r\n ", CODEC),
    BAD("0\r\nX: a\r\n\n", CODEC),
    BAD("0\r\nX: a\r\n\rX", CODEC),
    BAD("0\r\nX: a\0", CHARACTERS),
    BAD("0\r\nX: a\x7f", CHARACTERS),
    BAD("0\r\nHost:", CODEC),
    BAD("0\r\nA: b\r\nhost:", CODEC),
    BAD("0\r\nContent-Length:", CODEC),
    BAD("0\r\ntransfer-encoding:", CODEC),
    BAD_WITH(NO_UNDERSCORE, "0\r\nx_", UNDERSCORE),
    BAD_WITH(SMALL, "0\r\na: 1\r\nb: 1\r\nc", TOO_MANY_HEADERS),
    BAD_WITH(SMALL, "0\r\na: 3456789012345", HEADERS_TOO_LARGE),
    BAD_WITH(SMALL, "0\r\na: 456789012\r\n\r\1", CODEC),
    BAD_WITH(SMALL, "0\r\na: 4567890123\r\n\r", HEADERS_TOO_LARGE),
    BAD_WITH(SMALL, "1;23456789abcdef0a", HEADERS_TOO_LARGE),
    BAD_WITH(SMALL, "1;2345678\r\nx\r\n1;2345678ab", HEADERS_TOO_LARGE),
};

static struct h1_body_input chunked(struct sv text, enum limits_id id, bool keep)
{
    return (struct h1_body_input){
        .bytes = text, .limits = &limits[id], .framing = H1_BODY_CHUNKED, .keep_trailers = keep};
}

static void check_splits(const struct h1_body_input *in, const struct h1_outcome *bytewise,
                         const char *label)
{
    for (size_t cut = 0; cut <= in->bytes.n; cut++)
        T_EXPECT(h1_body_cut_agrees(in, bytewise, cut), "%s: cut at %zu", label, cut);
}

static void check_good(const struct row *row, bool keep, const char *label)
{
    struct h1_body_input in = chunked(row->text, row->limits, keep);
    struct h1_outcome o = h1_run_body(&in, 1, 1);
    const char *trailers = strrchr(row->want, '|');
    T_EXPECT_EQ(o.err, OK, label);
    T_EXPECT_EQ(o.used, row->text.n - row->unused, label);
    T_EXPECT_EQ(o.seen, row->text.n - row->unused, label);
    T_EXPECT_SV(sv_str(o.text),
                keep ? sv_str(row->want) : sv_of(row->want, (size_t)(trailers - row->want)), label);
    check_splits(&in, &o, label);
    h1_outcome_free(&o);
}

T(h1_body, every_good_chunked_row)
{
    for (size_t i = 0; i < ARRAY_LEN(chunked_rows); i++) {
        char label[200];
        snprintf(label, sizeof label, "row %zu: %.*s", i, SVF(chunked_rows[i].text));
        check_good(&chunked_rows[i], true, label);
        check_good(&chunked_rows[i], false, label);
    }
}

/* What follows must not make it better: these complete lines that the single bytes never see whole.
 */
static void check_continued(const struct bad_row *row, const char *label)
{
    static const struct sv more[] = {SV("x"), SV("\n"), SV("\n0\r\n\r\n"), SV("\r\n0\r\n\r\n"),
                                     SV(" a\r\n\r\n")};
    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        char bytes[256];
        memcpy(bytes, row->text.p, row->text.n);
        memcpy(bytes + row->text.n, more[i].p, more[i].n);
        struct h1_body_input in = chunked(sv_of(bytes, row->text.n + more[i].n), row->limits, true);
        struct h1_outcome o = h1_run_body(&in, in.bytes.n, 1);
        T_EXPECT_EQ(o.fault, row->fault, label);
        h1_outcome_free(&o);
    }
}

static void check_bad(const struct bad_row *row, bool keep, const char *label)
{
    struct h1_body_input in = chunked(row->text, row->limits, keep);
    struct h1_outcome o = h1_run_body(&in, 1, 1);
    bool limit =
        row->fault == H1_FAULT_HEADERS_TOO_LARGE || row->fault == H1_FAULT_TOO_MANY_HEADERS;
    T_EXPECT_EQ(o.fault, row->fault, label);
    T_EXPECT_EQ(o.err, limit ? E_LIMIT : E_PROTO, label);
    T_EXPECT_EQ(o.seen, row->text.n, label);
    check_splits(&in, &o, label);
    check_continued(row, label);
    h1_outcome_free(&o);
    for (size_t n = 0; n < row->text.n; n++) {
        in.bytes.n = n;
        o = h1_run_body(&in, n, 1);
        T_EXPECT(o.err == E_AGAIN, "%s: decided after %zu bytes", label, n);
        h1_outcome_free(&o);
    }
}

T(h1_body, every_bad_chunked_row_at_its_last_byte)
{
    for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
        char label[200];
        snprintf(label, sizeof label, "row %zu: %.*s", i, SVF(bad_rows[i].text));
        check_bad(&bad_rows[i], true, label);
        check_bad(&bad_rows[i], false, label);
    }
}

T(h1_body, counted)
{
    static const struct {
        struct sv text;
        uint64_t length;
        enum err err;
        const char *want;
    } rows[] = {
        {SV("hello"),      5,         OK,      "hello|"},
        {SV("hello more"), 5,         OK,      "hello|"},
        {SV("hel"),        5,         E_AGAIN, "hel"   },
        {SV(""),           5,         E_AGAIN, ""      },
        {SV("hello"),      0,         OK,      "|"     },
        {SV("hello"),      INT64_MAX, E_AGAIN, "hello" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct h1_body_input in = {.bytes = rows[i].text,
                                   .limits = &limits[NORMAL],
                                   .framing = H1_BODY_LENGTH,
                                   .length = rows[i].length,
                                   .keep_trailers = true};
        struct h1_outcome o = h1_run_body(&in, 1, 1);
        T_EXPECT_EQ(o.err, rows[i].err, rows[i].want);
        size_t used = rows[i].text.n < rows[i].length ? rows[i].text.n : rows[i].length;
        T_EXPECT_EQ(o.used, used, rows[i].want);
        /* A body of no bytes is done before it is asked for any. */
        struct sv want = rows[i].length == 0 ? SV("") : sv_str(rows[i].want);
        T_EXPECT_SV(sv_str(o.text), want, "counted");
        if (rows[i].length != 0)
            check_splits(&in, &o, rows[i].want);
        h1_outcome_free(&o);
    }
}

T(h1_body, until_close_never_ends)
{
    struct h1_body_input in = {
        .bytes = SV("0\r\n\r\n"), .limits = &limits[NORMAL], .framing = H1_BODY_UNTIL_CLOSE};
    struct h1_outcome o = h1_run_body(&in, 1, 1);
    T_EXPECT_EQ(o.err, E_AGAIN, "until close");
    T_EXPECT_SV(sv_str(o.text), SV("0\r\n\r\n"), "until close");
    check_splits(&in, &o, "until close");
    h1_outcome_free(&o);
}

T(h1_body, none_is_done_at_once)
{
    char more[] = "GET";
    struct h1_head head = {.framing = H1_BODY_NONE};
    struct h1_body b;
    size_t used = 9;
    struct sv data;
    h1_body_init(&b, &head, &limits[NORMAL], NULL);
    T_EXPECT(b.done, "done");
    T_EXPECT_EQ(h1_body_next(&b, more, 3, &used, &data), OK, "none");
    T_EXPECT_EQ(used, 0, "none");
    T_EXPECT_EQ(data.n, 0, "none");
}

T(h1_body, one_call_takes_a_chunk_with_the_framing_around_it)
{
    char text[] = "5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n";
    struct h1_head head = {.framing = H1_BODY_CHUNKED};
    struct h1_body b;
    size_t used;
    struct sv data;
    h1_body_init(&b, &head, &limits[NORMAL], NULL);
    T_EXPECT_EQ(h1_body_next(&b, text, sizeof text - 1, &used, &data), OK, "first");
    T_EXPECT_SV(data, SV("hello"), "first");
    T_EXPECT_EQ(used, 13, "up to the next data");
    T_EXPECT_EQ(h1_body_next(&b, text + 13, sizeof text - 14, &used, &data), OK, "second");
    T_EXPECT_SV(data, SV("abc"), "second");
    T_EXPECT_EQ(used, sizeof text - 14, "to the end");
    T_EXPECT(b.done, "done with the last data");
}

T(h1_body, a_refusal_is_final)
{
    char bad[] = "5\r\nhelloX", good[] = "\r\n0\r\n\r\n";
    struct h1_head head = {.framing = H1_BODY_CHUNKED};
    struct h1_body b;
    size_t used;
    struct sv data;
    h1_body_init(&b, &head, &limits[NORMAL], NULL);
    T_EXPECT_EQ(h1_body_next(&b, bad, sizeof bad - 1, &used, &data), OK, "the data before");
    T_EXPECT_SV(data, SV("hello"), "the data before");
    T_EXPECT_EQ(h1_body_next(&b, bad + used, sizeof bad - 1 - used, &used, &data), E_PROTO, "bad");
    T_EXPECT_EQ(h1_body_next(&b, good, sizeof good - 1, &used, &data), E_PROTO, "still");
    T_EXPECT_EQ(used, 0, "still");
    T_EXPECT_EQ(b.fault, H1_FAULT_CODEC, "still");
}

T(h1_body, trailers_in_a_full_arena_are_no_memory)
{
    char text[] = "0\r\nA: b\r\n\r\n";
    struct arena *arena = arena_new(256, 256);
    T_ASSERT(arena != NULL, "no memory");
    struct headers trailers;
    struct h1_head head = {.framing = H1_BODY_CHUNKED};
    struct h1_body b;
    size_t used;
    struct sv data;
    headers_init(&trailers, arena);
    h1_body_init(&b, &head, &limits[NORMAL], &trailers);
    T_EXPECT_EQ(h1_body_next(&b, text, sizeof text - 1, &used, &data), OK, "the size line");
    T_EXPECT_EQ(used, 3, "the size line");
    for (int i = 0; i < 2; i++)
        T_EXPECT_EQ(h1_body_next(&b, text + 3, sizeof text - 4, &used, &data), E_NOMEM, "trailers");
    arena_free(&arena);
}

T(h1_body, chunk_heads)
{
    static const struct {
        uint64_t n;
        const char *want;
    } rows[] = {
        {0,          "0\r\n"               },
        {1,          "1\r\n"               },
        {15,         "f\r\n"               },
        {16,         "10\r\n"              },
        {500,        "1f4\r\n"             },
        {65536,      "10000\r\n"           },
        {INT64_MAX,  "7fffffffffffffff\r\n"},
        {UINT64_MAX, "ffffffffffffffff\r\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[18];
        size_t n = h1_chunk_head(out, rows[i].n);
        T_EXPECT_SV(sv_of(out, n), sv_str(rows[i].want), "chunk head");
    }
}
