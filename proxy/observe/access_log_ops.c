/* The operators of access log formats: one table row each, with what it may be given. Main thread.
 */
#include "proxy/observe/access_log_ops.h"

#define HEADER(name, field)                                                                        \
    {                                                                                              \
        name, PARAMS_MUST, true, ALOG_HEADER, 0, AT(field), 0, alog_compile_header                 \
    }
#define CLOCK(name, which)                                                                         \
    {                                                                                              \
        name, PARAMS_MAY, false, 0, which, 0, 0, alog_compile_time                                 \
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

#define OWN(name, params, limit, code, compile)                                                    \
    {                                                                                              \
        name, params, limit, code, 0, 0, 0, compile                                                \
    }

static const struct alog_command commands[] = {
    CLOCK("START_TIME", ALOG_CLOCK_START),
    CLOCK("EMIT_TIME", ALOG_CLOCK_EMIT),
    CLOCK("START_TIME_LOCAL", ALOG_CLOCK_START_LOCAL),
    HEADER("REQ", req),
    HEADER("REQUEST_HEADER", req),
    HEADER("RESP", res),
    HEADER("RESPONSE_HEADER", res),
    HEADER("TRAILER", res_trailers),
    HEADER("RESPONSE_TRAILER", res_trailers),
    OWN("PATH", PARAMS_MAY, true, ALOG_PATH, alog_compile_path),
    OWN("QUERY_PARAM", PARAMS_MUST, true, ALOG_QUERY_PARAM, alog_compile_query_param),
    OWN("QUERY_PARAMS", PARAMS_MAY, true, ALOG_QUERY_PARAMS, alog_compile_query_params),
    FIELD("PROTOCOL", ALOG_PROTOCOL, protocol),
    FIELD("UPSTREAM_PROTOCOL", ALOG_PROTOCOL, up_protocol),
    PLAIN("RESPONSE_CODE", ALOG_CODE, 0),
    OWN("RESPONSE_CODE_DETAILS", PARAMS_MAY, false, ALOG_DETAILS, alog_compile_details),
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
    OWN("COMMON_DURATION", PARAMS_MUST, false, ALOG_DURATION, alog_compile_duration),
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
    OWN("REQUESTED_SERVER_NAME", PARAMS_MAY, false, ALOG_SERVER_NAME, alog_compile_server_name),
    OWN("GRPC_STATUS", PARAMS_MAY, false, ALOG_GRPC, alog_compile_grpc),
    PLAIN("GRPC_STATUS_NUMBER", ALOG_GRPC, ALOG_GRPC_NUMBER),
    FIELD("CONNECTION_ID", ALOG_NUMBER, connection_id),
    OWN("HOSTNAME", PARAMS_NONE, false, 0, alog_compile_hostname),
    OWN("ENVIRONMENT", PARAMS_MUST, true, 0, alog_compile_environment),
    OWN("LOCAL_REPLY_BODY", PARAMS_NONE, false, 0, alog_compile_nothing),
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
                             const struct alog_command *c)
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
        const struct alog_command *c = &commands[i];
        if (!sv_eq(t->name, sv_str(c->name)))
            continue;
        TRY(check_syntax(b, t, c));
        return c->compile != NULL ? c->compile(b, t, c) : alog_compile_plain(b, t, c);
    }
    if (is_unsupported(t->name)) {
        return diag_fail(b->diag, E_UNSUPPORTED, "access log operator %%%.*s%% is not implemented",
                         SVF(t->name));
    }
    return diag_fail(b->diag, E_PARSE, "Not supported field in StreamInfo: %.*s", SVF(t->name));
}
