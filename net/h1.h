#pragma once
/* HTTP/1.1 message parsing, strict (RFC 9112), sans-I/O: bytes in, views out. Knows no socket,
 * makes no heap call: header slots come from the arena in h1_head.headers.
 *
 * The caller keeps the unparsed bytes contiguous and hands over the whole of them at each call; the
 * parser remembers how far it came, so a head that arrives byte by byte costs linear time, and
 * every split of the same bytes gives the same verdict at the earliest possible byte. Names are
 * lower-cased in place: the input buffer is written to. Views point into it; h1_head_rebase moves
 * them after the caller copied the head elsewhere. Thread: any, one parser one thread. */
#include "net/headers.h"

enum h1_method {
    H1_METHOD_NONE,
    H1_GET,
    H1_HEAD,
    H1_POST,
    H1_PUT,
    H1_DELETE,
    H1_CONNECT,
    H1_OPTIONS,
    H1_TRACE,
    H1_PATCH,
    H1_METHOD_OTHER, /* any other that Envoy takes (PROPFIND, ...): see h1_head.method_text */
};

/* Why a message was refused. The comment is Envoy's response code details. */
enum h1_fault {
    H1_FAULT_NONE,
    H1_FAULT_CODEC,             /* http1.codec_error: 400 */
    H1_FAULT_CHARACTERS,        /* http1.invalid_characters: 400 */
    H1_FAULT_SCHEME,            /* http1.invalid_scheme: 400 */
    H1_FAULT_URL,               /* http1.invalid_url: 400 */
    H1_FAULT_TRANSFER_ENCODING, /* http1.invalid_transfer_encoding: 501 */
    H1_FAULT_CL_AND_CHUNKED,    /* http1.content_length_and_chunked_not_allowed: 400 */
    H1_FAULT_HEADERS_TOO_LARGE, /* http1.headers_too_large: 431 */
    H1_FAULT_TOO_MANY_HEADERS,  /* http1.too_many_headers: 431 */
    H1_FAULT_UNDERSCORE,        /* http1.unexpected_underscore: 400 */
    H1_FAULT_VERSION,         /* low_version: 426; a well-formed HTTP/x.y other than 1.0 and 1.1 */
    H1_FAULT_AUTHORITY,       /* http.invalid_authority: 400; a Host field that is no authority */
    H1_FAULT_FRAGMENT,        /* path_normalization_failed: 400; '#' in the target */
    H1_FAULT_BODY_DISALLOWED, /* http1.body_disallowed: 400; a length on CONNECT, 1xx or 204 */
    H1_FAULT_CONNECTION,      /* http1.connection_header_rejected: 400 */
    H1_FAULT_COUNT
};
/* Details text and the status of the local reply for a request. */
const char *h1_fault_details(enum h1_fault f);
unsigned h1_fault_status(enum h1_fault f);

enum h1_underscore { H1_UNDERSCORE_ALLOW, H1_UNDERSCORE_REJECT, H1_UNDERSCORE_DROP };

struct h1_limits {
    uint32_t max_head_bytes;   /* first line and header block; likewise a body's trailers */
    uint32_t max_headers;      /* field lines, dropped ones too */
    bool allow_chunked_length; /* Content-Length beside chunked: drop it instead of refusing */
    enum h1_underscore underscores;
};

enum h1_framing {
    H1_BODY_NONE,
    H1_BODY_LENGTH,
    H1_BODY_CHUNKED,
    H1_BODY_UNTIL_CLOSE, /* responses only */
};

struct h1_head {
    struct headers headers;
    struct sv method_text, target; /* target exactly as sent */
    /* Of an absolute-form target (scheme in lower case; an empty path is "/", or "*" for OPTIONS;
     * "/?q" of "http://h?q" lies in the arena of headers); otherwise path = target, the others
     * empty. */
    struct sv scheme, authority, path;
    struct sv reason;
    enum h1_method method;
    uint16_t status;
    uint8_t minor; /* HTTP/1.<minor> */
    bool absolute_form;
    bool close;   /* what Connection (and the version) says of the connection after this message */
    bool upgrade; /* Connection: upgrade and an Upgrade header, both present */
    bool expect_continue;
    enum h1_framing framing;
    uint64_t content_length; /* H1_BODY_LENGTH */
    uint32_t head_bytes;     /* bytes of the head, its blank line included */
    uint32_t dropped_underscores;
};

struct h1_parser {
    struct h1_limits limits;
    enum h1_fault fault; /* set when a call returned E_PROTO or E_LIMIT */
    bool response;
    /* private: where the parse stands */
    uint8_t state;
    uint8_t sub;   /* within a target or a value */
    uint8_t auth;  /* within an authority */
    uint8_t field; /* enum hdr_id of the line being read */
    uint8_t seen;  /* what Connection named */
    uint16_t name_len;
    uint32_t fields;  /* field lines so far */
    uint32_t line_at; /* first byte of the line being read */
    uint32_t scan_at; /* the bytes before it are read for good */
    uint32_t part_at; /* first byte of the target, the version or the value */
    uint32_t auth_at; /* first byte of the authority */
    uint32_t number;  /* of a port, or bytes matched */
    const char *base; /* data of the last call */
};

void h1_parser_init(struct h1_parser *p, bool response, const struct h1_limits *limits);

/* One head. out->headers must be headers_init'ed by the caller before the first call of a message
 * and be left alone until OK; the rest of out is cleared by that call. data..data+n is all of the
 * message's bytes so far; it may have moved since the last call.
 *
 * OK: out is complete, out->head_bytes were used, the parser stands at the start of the next
 * message. E_AGAIN: give more. E_PROTO/E_LIMIT: p->fault, and the same at every further call.
 * E_NOMEM: the arena is full.
 *
 * Requests: one leading empty line is skipped and counted in head_bytes. A well-formed version
 * other than 1.0 and 1.1 is H1_FAULT_VERSION; 1.0 is OK with minor 0. A missing Host is not refused
 * here. Responses: request_method tells framing (HEAD, CONNECT); 1xx, 204 and 304 have no body. */
MUST enum err h1_parse_request(struct h1_parser *p, char *data, size_t n, struct h1_head *out);
MUST enum err h1_parse_response(struct h1_parser *p, char *data, size_t n,
                                enum h1_method request_method, struct h1_head *out);
/* True once any byte of a head was seen that is not a leading empty line. */
bool h1_parser_begun(const struct h1_parser *p);
/* Moves every view of head from the block at old (head_bytes long) to its copy at fresh. */
void h1_head_rebase(struct h1_head *head, const char *old, const char *fresh);

/* The body that follows a head. */
struct h1_body {
    enum h1_framing framing;
    uint64_t left; /* of the length, or of the current chunk */
    uint8_t state; /* private */
    uint8_t size_digits;
    bool done;
    enum h1_fault fault; /* set when a call returned E_PROTO or E_LIMIT */
    uint32_t overhead;   /* private: bytes of chunk extensions beyond those of data */
    struct h1_parser trailer_parser;
    struct headers *trailers; /* NULL: trailers are checked and dropped */
};

/* trailers: where to put them, or NULL. limits bound chunk extensions and the trailer block. */
void h1_body_init(struct h1_body *b, const struct h1_head *head, const struct h1_limits *limits,
                  struct headers *trailers);
/* Takes the next piece. *used: bytes consumed of in; *data: body bytes among them (a view into in,
 * may be empty). Call until b->done or used == n. A trailer block split over calls is given whole
 * again: when it returns E_AGAIN, keep in + *used .. and come again with more; *used is then 0 and
 * no data was taken. E_PROTO/E_LIMIT: malformed framing, b->fault. Trailers are views into `in` of
 * the call that sets done. */
MUST enum err h1_body_next(struct h1_body *b, char *in, size_t n, size_t *used, struct sv *data);

/* The size line of an outgoing chunk, "1f4\r\n", into out (up to 18 bytes); returns its length. */
size_t h1_chunk_head(char *out, uint64_t n);
