#pragma once
/* A compiled access log format: a list of operators, each a small record that alog_run switches on.
 */
#include "proxy/observe/access_log.h"

enum alog_code {
    ALOG_LITERAL,     /* text */
    ALOG_TIME,        /* the default form, or a piece of a custom one: time */
    ALOG_HEADER,      /* offset of a struct headers pointer; name, alt */
    ALOG_PATH,        /* path */
    ALOG_QUERY_PARAM, /* text: the name */
    ALOG_QUERY_PARAMS,
    ALOG_PROTOCOL, /* offset of an enum wire_protocol */
    ALOG_CODE,     /* response code */
    ALOG_FLAGS,    /* form: 0 brief, 1 long */
    ALOG_NUMBER,   /* offset of a uint64_t */
    ALOG_NUMBER32, /* offset of a uint32_t */
    ALOG_TEXT,     /* offset of a struct sv; "-" when empty */
    ALOG_DETAILS,  /* form 1: blanks stay */
    ALOG_CLUSTER_RAW,
    ALOG_HOST_NAME,    /* form 1: without the port */
    ALOG_ADDRESS,      /* offset of a struct addr pointer, form: enum alog_address */
    ALOG_REMOTE,       /* as ALOG_ADDRESS, of an upstream host that was connected to */
    ALOG_DURATION,     /* offset, end_offset, divisor of microseconds */
    ALOG_GRPC,         /* form: enum alog_grpc */
    ALOG_SERVER_NAME,  /* form: enum alog_sni */
    ALOG_HEADER_BYTES, /* form: 0 request, 1 response */
    ALOG_TYPE,
};

enum alog_address { ALOG_ADDR_FULL, ALOG_ADDR_IP, ALOG_ADDR_PORT };
enum alog_grpc { ALOG_GRPC_CAMEL, ALOG_GRPC_SNAKE, ALOG_GRPC_NUMBER };
enum alog_sni { ALOG_SNI_ONLY, ALOG_SNI_FIRST, ALOG_HOST_FIRST };

/* Which time, and what of it. */
enum alog_clock { ALOG_CLOCK_START, ALOG_CLOCK_EMIT, ALOG_CLOCK_START_LOCAL };
enum alog_time_part {
    ALOG_TIME_DEFAULT,  /* 2016-04-15T20:17:00.310Z */
    ALOG_TIME_STRFTIME, /* text: a NUL-terminated format; cached per second */
    ALOG_TIME_EPOCH,    /* seconds */
    ALOG_TIME_FRACTION, /* digits of the second's fraction; 0: as many as it needs, at least one */
    ALOG_TIME_DOTTED,   /* the same behind a dot, and nothing when the fraction is 0 and digits is 0
                         */
};

/* A name looked up in a header list: a pseudo header, a well-known name or any other. */
enum alog_pseudo {
    ALOG_NO_PSEUDO,
    ALOG_METHOD,
    ALOG_TARGET,
    ALOG_AUTHORITY,
    ALOG_SCHEME,
    ALOG_STATUS
};
struct alog_name {
    struct sv name; /* lower case; empty: none */
    uint8_t id;     /* enum hdr_id */
    uint8_t pseudo; /* enum alog_pseudo */
};

enum { ALOG_TAIL_MAX = 16 };

struct alog_op {
    uint8_t code; /* enum alog_code */
    uint8_t form;
    uint8_t clock;  /* ALOG_TIME: enum alog_clock */
    uint8_t digits; /* ALOG_TIME */
    uint8_t tail_n;
    uint16_t offset, end_offset; /* into struct stream_info */
    uint32_t limit;              /* bytes of the value at most; UINT32_MAX: no limit */
    uint32_t divisor;            /* ALOG_DURATION: 1000, 1, or 0 for nanoseconds */
    uint32_t cache_id;           /* ALOG_TIME_STRFTIME: unlike that of any other operator */
    char tail[ALOG_TAIL_MAX];    /* a short literal behind the value */
    struct alog_name name, alt;  /* ALOG_HEADER */
    struct sv text;
};

enum alog_path {
    ALOG_PATH_ORIGINAL_OR,
    ALOG_PATH_CURRENT,
    ALOG_PATH_ORIGINAL,
    ALOG_PATH_NO_QUERY = 4
};

struct alog_prog {
    size_t n;
    bool newline; /* the format ends with one */
    struct alog_op op[];
};

/* One operator as written: %NAME(param):limit% */
struct alog_token {
    struct sv name, param;
    bool has_limit;
    uint32_t limit;
};

enum { ALOG_OPS_MAX = 1024 };

/* What alog_compile builds. */
struct alog_builder {
    struct arena *arena;
    struct alog_op *op; /* ALOG_OPS_MAX of room */
    size_t n;
    struct diag *diag;
};

/* Appends an operator, all zero but its code and without a limit. NULL: too many, or no memory. */
MUST struct alog_op *alog_add(struct alog_builder *b, enum alog_code code);
/* Appends what a token stands for; access_log_ops.c. */
MUST enum err alog_compile_token(struct alog_builder *b, const struct alog_token *t);
/* Appends the pieces of a time format; access_log_time.c. */
MUST enum err alog_compile_pieces(struct alog_builder *b, enum alog_clock clock, struct sv format);

/* Where a line is written: silently stops at the end. */
struct alog_out {
    char *p, *end;
};

static inline void alog_putc(struct alog_out *o, char c)
{
    if (LIKELY(o->p < o->end))
        *o->p++ = c;
}

static inline void alog_put(struct alog_out *o, struct sv s)
{
    size_t room = (size_t)(o->end - o->p), n = s.n < room ? s.n : room;
    if (n > 0)
        memcpy(o->p, s.p, n);
    o->p += n;
}

/* "-" for the empty view. */
static inline void alog_put_or_dash(struct alog_out *o, struct sv s)
{
    if (s.n == 0)
        alog_putc(o, '-');
    else
        alog_put(o, s);
}

extern const char alog_digit_pairs[201]; /* "000102" ... "99" */
void alog_put_number(struct alog_out *o, uint64_t v);
void alog_put_address(struct alog_out *o, const struct addr *a, enum alog_address form);
/* The rarer operators. */
void alog_put_value(struct alog_out *o, const struct stream_info *si, const struct alog_op *op);
/* 2016-04-15T20:17:00.310Z: ALOG_DEFAULT_TIME bytes, for which there must be room; returns their
 * end. */
enum { ALOG_DEFAULT_TIME = 24 };
char *alog_put_default_time(char *p, enum alog_clock clock, uint64_t wall_us);
/* Pieces of other formats. */
void alog_put_time(struct alog_out *o, const struct alog_op *op, uint64_t wall_us);
void alog_put_flags(struct alog_out *o, uint32_t set, bool http, bool brief);
