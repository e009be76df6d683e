/* The operators of access log formats: one table row each, with what it may be given. Refusals have
 * Envoy's texts. Main thread. */
#include "proxy/observe/access_log_int.h"
#include <stdlib.h>
#include <unistd.h>

enum params { PARAMS_NONE, PARAMS_MAY, PARAMS_MUST };

struct command;
typedef enum err compile_fn(struct alog_builder *b, const struct alog_token *t,
                            const struct command *c);

struct command {
    const char *name;
    uint8_t params; /* enum params; NONE forbids a limit as well */
    bool limit;
    uint8_t code; /* enum alog_code, for compile functions that take it from here */
    uint8_t form;
    uint16_t offset, end_offset;
    compile_fn *compile; /* NULL: one operator from the fields above */
};

static enum err no_room(struct alog_builder *b)
{
    return diag_fail(b->diag, E_LIMIT, "access log format has more than %d parts", ALOG_OPS_MAX);
}

static enum err add_text(struct alog_builder *b, struct sv text)
{
    struct alog_op *op = alog_add(b, ALOG_LITERAL);
    if (op == NULL)
        return no_room(b);
    op->text = arena_dup(b->arena, text);
    return op->text.p == NULL ? diag_fail(b->diag, E_NOMEM, "out of memory") : OK;
}

static enum err compile_plain(struct alog_builder *b, const struct alog_token *t,
                              const struct command *c)
{
    struct alog_op *op = alog_add(b, (enum alog_code)c->code);
    if (op == NULL)
        return no_room(b);
    op->form = c->form;
    op->offset = c->offset;
    op->end_offset = c->end_offset;
    op->divisor = 1000;
    if (t->has_limit)
        op->limit = t->limit;
    return OK;
}

/* form: enum alog_clock */
static enum err compile_time(struct alog_builder *b, const struct alog_token *t,
                             const struct command *c)
{
    return alog_compile_time(b, (enum alog_clock)c->form, t->param);
}

/* ---- headers ---- */

static bool is_header_char(char c)
{
    char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static uint8_t pseudo_of(struct sv name, enum alog_code code)
{
    static const struct {
        enum alog_code code;
        uint8_t pseudo;
        const char *name;
    } pseudos[] = {
        {ALOG_REQ, ALOG_METHOD,    ":method"   },
        {ALOG_REQ, ALOG_TARGET,    ":path"     },
        {ALOG_REQ, ALOG_AUTHORITY, ":authority"},
        {ALOG_REQ, ALOG_AUTHORITY, "host"      },
        {ALOG_REQ, ALOG_SCHEME,    ":scheme"   },
        {ALOG_RES, ALOG_STATUS,    ":status"   },
    };
    for (size_t i = 0; i < ARRAY_LEN(pseudos); i++) {
        if (pseudos[i].code == code && sv_eq(name, sv_str(pseudos[i].name)))
            return pseudos[i].pseudo;
    }
    return ALOG_NO_PSEUDO;
}

static enum err set_name(struct alog_builder *b, enum alog_code code, struct sv name,
                         struct alog_name *out)
{
    if (name.n == 0)
        return OK;
    char *p = arena_alloc(b->arena, name.n, 1);
    if (p == NULL)
        return diag_fail(b->diag, E_NOMEM, "out of memory");
    for (size_t i = 0; i < name.n; i++) {
        if (!is_header_char(name.p[i]) && !(i == 0 && name.p[i] == ':')) {
            return diag_fail(
                b->diag, E_PARSE,
                "Invalid header configuration. Format string contains invalid characters.");
        }
        p[i] = ascii_lower(name.p[i]);
    }
    out->name = sv_of(p, name.n);
    out->id = (uint8_t)hdr_lookup(p, name.n);
    out->pseudo = pseudo_of(out->name, code);
    return OK;
}

/* X or X?Y */
static enum err compile_header(struct alog_builder *b, const struct alog_token *t,
                               const struct command *c)
{
    struct sv rest = t->param, main, alt = SV_NONE, more;

    sv_split(&rest, '?', &main);
    if (sv_split(&rest, '?', &alt) && sv_split(&rest, '?', &more)) {
        return diag_fail(b->diag, E_PARSE,
                         "More than 1 alternative header specified in token: %.*s", SVF(t->param));
    }
    TRY(compile_plain(b, t, c));
    struct alog_op *op = &b->op[b->n - 1];
    TRY(set_name(b, (enum alog_code)c->code, main, &op->name));
    return set_name(b, (enum alog_code)c->code, alt, &op->alt);
}

/* ---- paths ---- */

static enum err compile_path(struct alog_builder *b, const struct alog_token *t,
                             const struct command *c)
{
    struct sv rest = t->param, query = SV_NONE, which = SV_NONE;
    uint8_t form = ALOG_PATH_ORIGINAL_OR;

    if (t->param.n > 0 && sv_split(&rest, ':', &query))
        sv_split(&rest, ':', &which);
    if (query.n > 0 && !sv_eq(query, SV("WQ")) && !sv_eq(query, SV("NQ"))) {
        return diag_fail(b->diag, E_PARSE,
                         "Invalid PATH option: '%.*s', only 'WQ'/'NQ' are allowed", SVF(query));
    }
    if (sv_eq(which, SV("PATH")))
        form = ALOG_PATH_CURRENT;
    else if (sv_eq(which, SV("ORIG")))
        form = ALOG_PATH_ORIGINAL;
    else if (which.n > 0 && !sv_eq(which, SV("ORIG_OR_PATH"))) {
        return diag_fail(
            b->diag, E_PARSE,
            "Invalid PATH option: '%.*s', only 'ORIG'/'PATH'/'ORIG_OR_PATH' are allowed",
            SVF(which));
    }
    TRY(compile_plain(b, t, c));
    b->op[b->n - 1].form = sv_eq(query, SV("NQ")) ? form | ALOG_PATH_NO_QUERY : form;
    return OK;
}

static enum err compile_query_param(struct alog_builder *b, const struct alog_token *t,
                                    const struct command *c)
{
    TRY(compile_plain(b, t, c));
    b->op[b->n - 1].text = t->param;
    return OK;
}

static enum err compile_query_params(struct alog_builder *b, const struct alog_token *t,
                                     const struct command *c)
{
    if (t->param.n > 0 && !sv_eq(t->param, SV("ORIG")) && !sv_eq(t->param, SV("DECODED"))) {
        return diag_fail(b->diag, E_PARSE,
                         "Invalid QUERY_PARAMS option: '%.*s', only 'ORIG'/'DECODED' are allowed",
                         SVF(t->param));
    }
    if (sv_eq(t->param, SV("DECODED")))
        return diag_fail(b->diag, E_UNSUPPORTED, "%%QUERY_PARAMS(DECODED)%% is not implemented");
    return compile_plain(b, t, c);
}

/* ---- others with parameters ---- */

static enum err compile_details(struct alog_builder *b, const struct alog_token *t,
                                const struct command *c)
{
    TRY(compile_plain(b, t, c));
    b->op[b->n - 1].form = sv_eq(t->param, SV("ALLOW_WHITESPACES"));
    return OK;
}

static enum err compile_grpc(struct alog_builder *b, const struct alog_token *t,
                             const struct command *c)
{
    TRY(compile_plain(b, t, c));
    if (sv_eq(t->param, SV("SNAKE_STRING")))
        b->op[b->n - 1].form = ALOG_GRPC_SNAKE;
    else if (sv_eq(t->param, SV("NUMBER")))
        b->op[b->n - 1].form = ALOG_GRPC_NUMBER;
    else if (t->param.n > 0 && !sv_eq(t->param, SV("CAMEL_STRING"))) {
        return diag_fail(
            b->diag, E_PARSE,
            "GrpcStatusFormatter only supports CAMEL_STRING, SNAKE_STRING or NUMBER. Got: %.*s",
            SVF(t->param));
    }
    return OK;
}

static enum err compile_server_name(struct alog_builder *b, const struct alog_token *t,
                                    const struct command *c)
{
    TRY(compile_plain(b, t, c));
    if (sv_eq(t->param, SV("SNI_FIRST")))
        b->op[b->n - 1].form = ALOG_SNI_FIRST;
    else if (sv_eq(t->param, SV("HOST_FIRST")))
        b->op[b->n - 1].form = ALOG_HOST_FIRST;
    else if (t->param.n > 0 && !sv_eq(t->param, SV("SNI_ONLY"))) {
        return diag_fail(b->diag, E_PARSE,
                         "Invalid REQUESTED_SERVER_NAME option: '%.*s', only "
                         "'SNI_ONLY'/'SNI_FIRST'/'HOST_FIRST' are allowed",
                         SVF(t->param));
    }
    return OK;
}

#define AT(field) offsetof(struct stream_info, field)

static enum err point_of(struct alog_builder *b, struct sv name, uint16_t *out)
{
    static const struct {
        const char *name;
        uint16_t offset;
    } points[] = {
        {"DS_RX_BEG", AT(start_us)      },
        {"DS_RX_END", AT(rx_end_us)     },
        {"US_TX_BEG", AT(up_tx_first_us)},
        {"US_TX_END", AT(up_tx_last_us) },
        {"US_RX_BEG", AT(up_rx_first_us)},
        {"US_RX_END", AT(up_rx_last_us) },
        {"DS_TX_BEG", AT(tx_first_us)   },
        {"DS_TX_END", AT(end_us)        },
    };
    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        if (sv_eq(name, sv_str(points[i].name))) {
            *out = points[i].offset;
            return OK;
        }
    }
    return diag_fail(b->diag, E_UNSUPPORTED,
                     "COMMON_DURATION: time point '%.*s' is not implemented", SVF(name));
}

/* BEGIN:END or BEGIN:END:ms|us|ns */
static enum err compile_duration(struct alog_builder *b, const struct alog_token *t,
                                 const struct command *c)
{
    struct sv rest = t->param, part[4] = {0};
    size_t n = 0;

    while (n < 4 && sv_split(&rest, ':', &part[n]))
        n++;
    if (n < 2 || n > 3) {
        return diag_fail(b->diag, E_PARSE, "Invalid common duration configuration: %.*s.",
                         SVF(t->param));
    }
    TRY(compile_plain(b, t, c));
    struct alog_op *op = &b->op[b->n - 1];
    if (sv_eq(part[2], SV("us")))
        op->divisor = 1;
    else if (sv_eq(part[2], SV("ns")))
        op->divisor = 0;
    else if (n == 3 && !sv_eq(part[2], SV("ms")))
        return diag_fail(b->diag, E_PARSE, "Invalid common duration precision: %.*s.",
                         SVF(part[2]));
    TRY(point_of(b, part[0], &op->offset));
    return point_of(b, part[1], &op->end_offset);
}

static enum err compile_environment(struct alog_builder *b, const struct alog_token *t,
                                    const struct command *c)
{
    (void)c;
    struct sv name = arena_dup(b->arena, t->param);
    if (name.p == NULL)
        return diag_fail(b->diag, E_NOMEM, "out of memory");
    struct sv value = sv_str(getenv(name.p));
    if (t->has_limit && value.n > t->limit)
        value.n = t->limit;
    return add_text(b, value.p == NULL ? SV("-") : value);
}

static enum err compile_hostname(struct alog_builder *b, const struct alog_token *t,
                                 const struct command *c)
{
    char name[256] = "";
    (void)t;
    (void)c;
    if (gethostname(name, sizeof(name) - 1) != 0 || name[0] == '\0')
        return add_text(b, SV("-"));
    return add_text(b, sv_str(name));
}

/* Of use in local replies only: an access log has no body to show. */
static enum err compile_nothing(struct alog_builder *b, const struct alog_token *t,
                                const struct command *c)
{
    (void)b;
    (void)t;
    (void)c;
    return OK;
}

/* ---- tables ---- */

#define HEADER(name, code)                                                                         \
    {                                                                                              \
        name, PARAMS_MUST, true, code, 0, 0, 0, compile_header                                     \
    }
#define CLOCK(name, which)                                                                         \
    {                                                                                              \
        name, PARAMS_MAY, false, 0, which, 0, 0, compile_time                                      \
    }
#define FIELD(name, code, field)                                                                   \
    {                                                                                              \
        name, PARAMS_NONE, false, code, 0, AT(field), 0, NULL                                      \
    }
#define ADDRESS(name, code, field)                                                                 \
    {name, PARAMS_NONE, false, code, ALOG_ADDR_FULL, AT(field), 0, NULL},                          \
    {                                                                                              \
        name "_WITHOUT_PORT", PARAMS_NONE, false, code, ALOG_ADDR_IP, AT(field), 0, NULL           \
    }
#define PORT(name, code, field)                                                                    \
    {                                                                                              \
        name, PARAMS_NONE, false, code, ALOG_ADDR_PORT, AT(field), 0, NULL                         \
    }
#define SPAN(name, from, to)                                                                       \
    {                                                                                              \
        name, PARAMS_NONE, false, ALOG_DURATION, 0, AT(from), AT(to), NULL                         \
    }
#define PLAIN(name, code, form)                                                                    \
    {                                                                                              \
        name, PARAMS_NONE, false, code, form, 0, 0, NULL                                           \
    }

static const struct command commands[] = {
    CLOCK("START_TIME", ALOG_CLOCK_START),
    CLOCK("EMIT_TIME", ALOG_CLOCK_EMIT),
    CLOCK("START_TIME_LOCAL", ALOG_CLOCK_START_LOCAL),
    HEADER("REQ", ALOG_REQ),
    HEADER("REQUEST_HEADER", ALOG_REQ),
    HEADER("RESP", ALOG_RES),
    HEADER("RESPONSE_HEADER", ALOG_RES),
    HEADER("TRAILER", ALOG_TRAILER),
    HEADER("RESPONSE_TRAILER", ALOG_TRAILER),
    {"PATH",                  PARAMS_MAY,  true,  ALOG_PATH,         0,               0, 0, compile_path        },
    {"QUERY_PARAM",           PARAMS_MUST, true,  ALOG_QUERY_PARAM,  0,               0, 0, compile_query_param },
    {"QUERY_PARAMS",          PARAMS_MAY,  true,  ALOG_QUERY_PARAMS, 0,               0, 0, compile_query_params},
    FIELD("PROTOCOL", ALOG_PROTOCOL, protocol),
    FIELD("UPSTREAM_PROTOCOL", ALOG_PROTOCOL, up_protocol),
    PLAIN("RESPONSE_CODE", ALOG_CODE, 0),
    {"RESPONSE_CODE_DETAILS", PARAMS_MAY,  false, ALOG_DETAILS,      0,               0, 0, compile_details     },
    FIELD("CONNECTION_TERMINATION_DETAILS", ALOG_TEXT, termination_details),
    PLAIN("RESPONSE_FLAGS", ALOG_FLAGS, 0),
    PLAIN("RESPONSE_FLAGS_LONG", ALOG_FLAGS, 1),
    FIELD("BYTES_RECEIVED", ALOG_NUMBER, bytes_received),
    FIELD("BYTES_SENT", ALOG_NUMBER, bytes_sent),
    FIELD("DOWNSTREAM_WIRE_BYTES_RECEIVED", ALOG_NUMBER, wire_received),
    FIELD("DOWNSTREAM_WIRE_BYTES_SENT", ALOG_NUMBER, wire_sent),
    FIELD("UPSTREAM_WIRE_BYTES_RECEIVED", ALOG_NUMBER, up_wire_received),
    FIELD("UPSTREAM_WIRE_BYTES_SENT", ALOG_NUMBER, up_wire_sent),
    PLAIN("REQUEST_HEADERS_BYTES", ALOG_HEADER_BYTES, 0),
    PLAIN("RESPONSE_HEADERS_BYTES", ALOG_HEADER_BYTES, 1),
    SPAN("DURATION", start_us, end_us),
    SPAN("REQUEST_DURATION", start_us, rx_end_us),
    SPAN("REQUEST_TX_DURATION", start_us, up_tx_last_us),
    SPAN("RESPONSE_DURATION", start_us, up_rx_first_us),
    SPAN("RESPONSE_TX_DURATION", up_rx_first_us, end_us),
    {"COMMON_DURATION",       PARAMS_MUST, false, ALOG_DURATION,     0,               0, 0, compile_duration    },
    FIELD("UPSTREAM_REQUEST_ATTEMPT_COUNT", ALOG_NUMBER32, attempts),
    FIELD("UPSTREAM_HOST", ALOG_ADDRESS, up_host),
    PLAIN("UPSTREAM_HOST_NAME", ALOG_HOST_NAME, 0),
    PLAIN("UPSTREAM_HOST_NAME_WITHOUT_PORT", ALOG_HOST_NAME, 1),
    FIELD("UPSTREAM_CLUSTER", ALOG_TEXT, cluster),
    PLAIN("UPSTREAM_CLUSTER_RAW", ALOG_CLUSTER_RAW, 0),
    ADDRESS("UPSTREAM_LOCAL_ADDRESS", ALOG_ADDRESS, up_local),
    PORT("UPSTREAM_LOCAL_PORT", ALOG_ADDRESS, up_local),
    ADDRESS("UPSTREAM_REMOTE_ADDRESS", ALOG_REMOTE, up_host),
    PORT("UPSTREAM_REMOTE_PORT", ALOG_REMOTE, up_host),
    ADDRESS("DOWNSTREAM_LOCAL_ADDRESS", ALOG_ADDRESS, down_local),
    PORT("DOWNSTREAM_LOCAL_PORT", ALOG_ADDRESS, down_local),
    ADDRESS("DOWNSTREAM_REMOTE_ADDRESS", ALOG_ADDRESS, down_remote),
    PORT("DOWNSTREAM_REMOTE_PORT", ALOG_ADDRESS, down_remote),
    ADDRESS("DOWNSTREAM_DIRECT_REMOTE_ADDRESS", ALOG_ADDRESS, down_direct_remote),
    PORT("DOWNSTREAM_DIRECT_REMOTE_PORT", ALOG_ADDRESS, down_direct_remote),
    FIELD("UPSTREAM_TRANSPORT_FAILURE_REASON", ALOG_TEXT, transport_failure),
    FIELD("ROUTE_NAME", ALOG_TEXT, route_name),
    FIELD("FILTER_CHAIN_NAME", ALOG_TEXT, filter_chain),
    {"REQUESTED_SERVER_NAME", PARAMS_MAY,  false, ALOG_SERVER_NAME,  0,               0, 0, compile_server_name },
    {"GRPC_STATUS",           PARAMS_MAY,  false, ALOG_GRPC,         ALOG_GRPC_CAMEL, 0, 0, compile_grpc        },
    PLAIN("GRPC_STATUS_NUMBER", ALOG_GRPC, ALOG_GRPC_NUMBER),
    FIELD("CONNECTION_ID", ALOG_NUMBER, connection_id),
    {"HOSTNAME",              PARAMS_NONE, false, 0,                 0,               0, 0, compile_hostname    },
    {"ENVIRONMENT",           PARAMS_MUST, true,  0,                 0,               0, 0, compile_environment },
    {"LOCAL_REPLY_BODY",      PARAMS_NONE, false, 0,                 0,               0, 0, compile_nothing     },
    PLAIN("ACCESS_LOG_TYPE", ALOG_TYPE, 0),
};

/* Known to Envoy, without data here. A name that ends in '_' stands for all that begin with it. */
static const char *const unsupported[] = {
    "CEL",
    "CLUSTER_METADATA",
    "COALESCE",
    "CUSTOM_FLAGS",
    "DOWNSTREAM_DETECTED_CLOSE_TYPE",
    "DOWNSTREAM_DIRECT_LOCAL_",
    "DOWNSTREAM_HANDSHAKE_DURATION",
    "DOWNSTREAM_HEADER_BYTES_",
    "DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID",
    "DOWNSTREAM_LOCAL_CLOSE_REASON",
    "DOWNSTREAM_LOCAL_DNS_SAN",
    "DOWNSTREAM_LOCAL_EMAIL_SAN",
    "DOWNSTREAM_LOCAL_IP_SAN",
    "DOWNSTREAM_LOCAL_OTHERNAME_SAN",
    "DOWNSTREAM_LOCAL_SUBJECT",
    "DOWNSTREAM_LOCAL_URI_SAN",
    "DOWNSTREAM_PEER_",
    "DOWNSTREAM_TLS_",
    "DOWNSTREAM_TRANSPORT_FAILURE_REASON",
    "DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_",
    "DYNAMIC_METADATA",
    "FILTER_STATE",
    "METADATA",
    "RESPONSE_TRAILERS_BYTES",
    "ROUNDTRIP_DURATION",
    "SPAN_ID",
    "STREAM_ID",
    "TLS_JA3_FINGERPRINT",
    "TLS_JA4_FINGERPRINT",
    "TRACE_ID",
    "UNIQUE_ID",
    "UPSTREAM_CONNECTION_",
    "UPSTREAM_DECOMPRESSED_HEADER_BYTES_",
    "UPSTREAM_DETECTED_CLOSE_TYPE",
    "UPSTREAM_FILTER_STATE",
    "UPSTREAM_HEADER_BYTES_",
    "UPSTREAM_HOSTS_ATTEMPTED",
    "UPSTREAM_HOSTS_ATTEMPTED_",
    "UPSTREAM_LOCAL_CLOSE_REASON",
    "UPSTREAM_LOCAL_DNS_SAN",
    "UPSTREAM_LOCAL_EMAIL_SAN",
    "UPSTREAM_LOCAL_IP_SAN",
    "UPSTREAM_LOCAL_OTHERNAME_SAN",
    "UPSTREAM_LOCAL_SUBJECT",
    "UPSTREAM_LOCAL_URI_SAN",
    "UPSTREAM_METADATA",
    "UPSTREAM_PEER_",
    "UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID",
    "UPSTREAM_TLS_",
    "VIRTUAL_CLUSTER_NAME",
};

static bool is_unsupported(struct sv name)
{
    for (size_t i = 0; i < ARRAY_LEN(unsupported); i++) {
        struct sv known = sv_str(unsupported[i]);
        if (sv_eq(name, known) || (sv_ends(known, SV("_")) && sv_starts(name, known)))
            return true;
    }
    return false;
}

static enum err check_syntax(struct alog_builder *b, const struct alog_token *t,
                             const struct command *c)
{
    if (c->params == PARAMS_NONE && (t->param.n > 0 || t->has_limit))
        return diag_fail(b->diag, E_PARSE, "%s does not take any parameters or length", c->name);
    if (c->params == PARAMS_MUST && t->param.n == 0)
        return diag_fail(b->diag, E_PARSE, "%s requires parameters", c->name);
    if (!c->limit && t->has_limit)
        return diag_fail(b->diag, E_PARSE, "%s does not allow length to be specified.", c->name);
    return OK;
}

enum err alog_compile_token(struct alog_builder *b, const struct alog_token *t)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        const struct command *c = &commands[i];
        if (!sv_eq(t->name, sv_str(c->name)))
            continue;
        TRY(check_syntax(b, t, c));
        return c->compile != NULL ? c->compile(b, t, c) : compile_plain(b, t, c);
    }
    if (is_unsupported(t->name)) {
        return diag_fail(b->diag, E_UNSUPPORTED, "access log operator %%%.*s%% is not implemented",
                         SVF(t->name));
    }
    return diag_fail(b->diag, E_PARSE, "Not supported field in StreamInfo: %.*s", SVF(t->name));
}
