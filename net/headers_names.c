/* The texts of the well-known header names and their perfect hash. Read by headers.c and h1_*.c;
 * constant.
 *
 * A row says: the id, the text, and its characters at one half and three quarters of the length.
 * Two names of one hash would initialise one element twice, which the compiler refuses; then try
 * other factors in HDR_HASH. A wrong character shows in the unit test, which looks every name up.
 */
#include "net/headers_int.h"

#define NAMES(X)                                                                                   \
    X(HDR_HOST, "host", 's', 't')                                                                  \
    X(HDR_CONNECTION, "connection", 'c', 'i')                                                      \
    X(HDR_KEEP_ALIVE, "keep-alive", 'a', 'i')                                                      \
    X(HDR_PROXY_CONNECTION, "proxy-connection", 'n', 't')                                          \
    X(HDR_TRANSFER_ENCODING, "transfer-encoding", '-', 'o')                                        \
    X(HDR_CONTENT_LENGTH, "content-length", '-', 'n')                                              \
    X(HDR_TE, "te", 'e', 'e')                                                                      \
    X(HDR_TRAILER, "trailer", 'i', 'e')                                                            \
    X(HDR_UPGRADE, "upgrade", 'r', 'd')                                                            \
    X(HDR_EXPECT, "expect", 'e', 'c')                                                              \
    X(HDR_DATE, "date", 't', 'e')                                                                  \
    X(HDR_SERVER, "server", 'v', 'e')                                                              \
    X(HDR_USER_AGENT, "user-agent", 'a', 'e')                                                      \
    X(HDR_CONTENT_TYPE, "content-type", 't', 'y')                                                  \
    X(HDR_ACCEPT, "accept", 'e', 'p')                                                              \
    X(HDR_COOKIE, "cookie", 'k', 'i')                                                              \
    X(HDR_LOCATION, "location", 't', 'o')                                                          \
    X(HDR_VIA, "via", 'i', 'a')                                                                    \
    X(HDR_PROXY_AUTHENTICATE, "proxy-authenticate", 'h', 'i')                                      \
    X(HDR_PROXY_AUTHORIZATION, "proxy-authorization", 'h', 'a')                                    \
    X(HDR_GRPC_STATUS, "grpc-status", 's', 't')                                                    \
    X(HDR_X_FORWARDED_FOR, "x-forwarded-for", 'r', '-')                                            \
    X(HDR_X_FORWARDED_PROTO, "x-forwarded-proto", 'd', 'p')                                        \
    X(HDR_X_FORWARDED_PORT, "x-forwarded-port", 'd', 'p')                                          \
    X(HDR_X_FORWARDED_HOST, "x-forwarded-host", 'd', 'h')                                          \
    X(HDR_X_FORWARDED_CLIENT_CERT, "x-forwarded-client-cert", '-', 't')                            \
    X(HDR_X_REQUEST_ID, "x-request-id", 'e', '-')                                                  \
    X(HDR_X_CLIENT_TRACE_ID, "x-client-trace-id", '-', 'c')                                        \
    X(HDR_X_ENVOY_INTERNAL, "x-envoy-internal", 'i', 'r')                                          \
    X(HDR_X_ENVOY_EXTERNAL_ADDRESS, "x-envoy-external-address", 'r', 'd')                          \
    X(HDR_X_ENVOY_EXPECTED_RQ_TIMEOUT_MS, "x-envoy-expected-rq-timeout-ms", 'd', 'm')              \
    X(HDR_X_ENVOY_UPSTREAM_SERVICE_TIME, "x-envoy-upstream-service-time", 'a', 'i')                \
    X(HDR_X_ENVOY_UPSTREAM_RQ_TIMEOUT_MS, "x-envoy-upstream-rq-timeout-ms", 'm', 'm')              \
    X(HDR_X_ENVOY_UPSTREAM_RQ_PER_TRY_TIMEOUT_MS, "x-envoy-upstream-rq-per-try-timeout-ms", '-',   \
      't')                                                                                         \
    X(HDR_X_ENVOY_UPSTREAM_RQ_TIMEOUT_ALT_RESPONSE, "x-envoy-upstream-rq-timeout-alt-response",    \
      't', 't')                                                                                    \
    X(HDR_X_ENVOY_UPSTREAM_ALT_STAT_NAME, "x-envoy-upstream-alt-stat-name", 'm', 't')              \
    X(HDR_X_ENVOY_UPSTREAM_CANARY, "x-envoy-upstream-canary", 't', 'c')                            \
    X(HDR_X_ENVOY_ATTEMPT_COUNT, "x-envoy-attempt-count", 't', '-')                                \
    X(HDR_X_ENVOY_MAX_RETRIES, "x-envoy-max-retries", 'a', 't')                                    \
    X(HDR_X_ENVOY_RETRY_ON, "x-envoy-retry-on", 'r', 'y')                                          \
    X(HDR_X_ENVOY_RETRY_GRPC_ON, "x-envoy-retry-grpc-on", 't', 'r')                                \
    X(HDR_X_ENVOY_RETRIABLE_STATUS_CODES, "x-envoy-retriable-status-codes", 'l', 'u')              \
    X(HDR_X_ENVOY_RETRIABLE_HEADER_NAMES, "x-envoy-retriable-header-names", 'l', 'e')              \
    X(HDR_X_ENVOY_HEDGE_ON_PER_TRY_TIMEOUT, "x-envoy-hedge-on-per-try-timeout", '-', '-')          \
    X(HDR_X_ENVOY_UPSTREAM_STREAM_DURATION_MS, "x-envoy-upstream-stream-duration-ms", 's', 'r')    \
    X(HDR_X_ENVOY_IP_TAGS, "x-envoy-ip-tags", '-', 't')                                            \
    X(HDR_X_ENVOY_FORCE_TRACE, "x-envoy-force-trace", 'o', 't')                                    \
    X(HDR_X_ENVOY_ORIGINAL_URL, "x-envoy-original-url", 'i', 'l')                                  \
    X(HDR_X_ENVOY_ORIGINAL_PATH, "x-envoy-original-path", 'i', 'l')                                \
    X(HDR_X_ENVOY_OVERLOADED, "x-envoy-overloaded", 'v', 'o')                                      \
    X(HDR_X_ENVOY_DECORATOR_OPERATION, "x-envoy-decorator-operation", 'a', 'e')                    \
    X(HDR_X_ENVOY_DOWNSTREAM_SERVICE_CLUSTER, "x-envoy-downstream-service-cluster", 'm', 'e')      \
    X(HDR_X_ENVOY_DOWNSTREAM_SERVICE_NODE, "x-envoy-downstream-service-node", 'e', 'i')

#define BY_HASH(id, text, half, three_quarters)                                                    \
    [HDR_HASH(sizeof(text) - 1, half, three_quarters)] = (id),
#define LENGTH(id, text, half, three_quarters) [(id)] = sizeof(text) - 1,
#define TEXT(id, text, half, three_quarters) [(id)] = (text),

const uint8_t hdr_by_hash[HDR_HASH_SIZE] = {NAMES(BY_HASH)};
const uint8_t hdr_name_len[HDR_COUNT] = {NAMES(LENGTH)};
const char hdr_name_text[HDR_COUNT][HDR_NAME_ROOM] = {NAMES(TEXT)};
