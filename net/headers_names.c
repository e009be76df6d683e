/* The texts of the well-known header names and their perfect hash. Read by headers.c and h1_*.c;
 * constant.
 *
 * A row says: the id, the text, and the four characters that are hashed (headers_int.h). Two names
 * of one hash would initialise one element twice, which the compiler refuses; then try another
 * factor. A wrong character shows in the unit test, which looks every name up. */
#include "net/headers_int.h"

#define NAMES(X)                                                                                   \
    X(HDR_HOST, "host", 'h', 'o', 's', 't')                                                        \
    X(HDR_CONNECTION, "connection", 't', 'i', 'o', 'n')                                            \
    X(HDR_KEEP_ALIVE, "keep-alive", 'l', 'i', 'v', 'e')                                            \
    X(HDR_PROXY_CONNECTION, "proxy-connection", 't', 'i', 'o', 'n')                                \
    X(HDR_TRANSFER_ENCODING, "transfer-encoding", 'o', 'd', 'i', 'n')                              \
    X(HDR_CONTENT_LENGTH, "content-length", 'n', 'g', 't', 'h')                                    \
    X(HDR_TE, "te", '-', '*', 't', 'e')                                                            \
    X(HDR_TRAILER, "trailer", 'i', 'l', 'e', 'r')                                                  \
    X(HDR_UPGRADE, "upgrade", 'r', 'a', 'd', 'e')                                                  \
    X(HDR_EXPECT, "expect", 'p', 'e', 'c', 't')                                                    \
    X(HDR_DATE, "date", 'd', 'a', 't', 'e')                                                        \
    X(HDR_SERVER, "server", 'r', 'v', 'e', 'r')                                                    \
    X(HDR_USER_AGENT, "user-agent", 'g', 'e', 'n', 't')                                            \
    X(HDR_CONTENT_TYPE, "content-type", 't', 'y', 'p', 'e')                                        \
    X(HDR_ACCEPT, "accept", 'c', 'e', 'p', 't')                                                    \
    X(HDR_COOKIE, "cookie", 'o', 'k', 'i', 'e')                                                    \
    X(HDR_LOCATION, "location", 't', 'i', 'o', 'n')                                                \
    X(HDR_VIA, "via", '*', 'v', 'i', 'a')                                                          \
    X(HDR_PROXY_AUTHENTICATE, "proxy-authenticate", 't', 'i', 'c', 'a')                            \
    X(HDR_PROXY_AUTHORIZATION, "proxy-authorization", 'i', 'z', 'a', 't')                          \
    X(HDR_GRPC_STATUS, "grpc-status", 'a', 't', 'u', 's')                                          \
    X(HDR_X_FORWARDED_FOR, "x-forwarded-for", '-', 'f', 'o', 'r')                                  \
    X(HDR_X_FORWARDED_PROTO, "x-forwarded-proto", 'p', 'r', 'o', 't')                              \
    X(HDR_X_FORWARDED_PORT, "x-forwarded-port", 'p', 'o', 'r', 't')                                \
    X(HDR_X_FORWARDED_HOST, "x-forwarded-host", 'h', 'o', 's', 't')                                \
    X(HDR_X_FORWARDED_CLIENT_CERT, "x-forwarded-client-cert", 'l', 'i', 'e', 'n')                  \
    X(HDR_X_REQUEST_ID, "x-request-id", 't', '-', 'i', 'd')                                        \
    X(HDR_X_CLIENT_TRACE_ID, "x-client-trace-id", 'c', 'e', '-', 'i')                              \
    X(HDR_X_ENVOY_INTERNAL, "x-envoy-internal", 'r', 'n', 'a', 'l')                                \
    X(HDR_X_ENVOY_EXTERNAL_ADDRESS, "x-envoy-external-address", 'a', 'l', '-', 'a')                \
    X(HDR_X_ENVOY_EXPECTED_RQ_TIMEOUT_MS, "x-envoy-expected-rq-timeout-ms", 'd', '-', 'r', 'q')    \
    X(HDR_X_ENVOY_UPSTREAM_SERVICE_TIME, "x-envoy-upstream-service-time", 'm', '-', 's', 'e')      \
    X(HDR_X_ENVOY_UPSTREAM_RQ_TIMEOUT_MS, "x-envoy-upstream-rq-timeout-ms", 'm', '-', 'r', 'q')    \
    X(HDR_X_ENVOY_UPSTREAM_RQ_PER_TRY_TIMEOUT_MS, "x-envoy-upstream-rq-per-try-timeout-ms", 'r',   \
      'q', '-', 'p')                                                                               \
    X(HDR_X_ENVOY_UPSTREAM_RQ_TIMEOUT_ALT_RESPONSE, "x-envoy-upstream-rq-timeout-alt-response",    \
      'q', '-', 't', 'i')                                                                          \
    X(HDR_X_ENVOY_UPSTREAM_ALT_STAT_NAME, "x-envoy-upstream-alt-stat-name", 'm', '-', 'a', 'l')    \
    X(HDR_X_ENVOY_UPSTREAM_CANARY, "x-envoy-upstream-canary", 'e', 'a', 'm', '-')                  \
    X(HDR_X_ENVOY_ATTEMPT_COUNT, "x-envoy-attempt-count", 'p', 't', '-', 'c')                      \
    X(HDR_X_ENVOY_MAX_RETRIES, "x-envoy-max-retries", 'r', 'e', 't', 'r')                          \
    X(HDR_X_ENVOY_RETRY_ON, "x-envoy-retry-on", 'y', '-', 'o', 'n')                                \
    X(HDR_X_ENVOY_RETRY_GRPC_ON, "x-envoy-retry-grpc-on", '-', 'g', 'r', 'p')                      \
    X(HDR_X_ENVOY_RETRIABLE_STATUS_CODES, "x-envoy-retriable-status-codes", 'l', 'e', '-', 's')    \
    X(HDR_X_ENVOY_RETRIABLE_HEADER_NAMES, "x-envoy-retriable-header-names", 'l', 'e', '-', 'h')    \
    X(HDR_X_ENVOY_HEDGE_ON_PER_TRY_TIMEOUT, "x-envoy-hedge-on-per-try-timeout", '-', 'p', 'e',     \
      'r')                                                                                         \
    X(HDR_X_ENVOY_UPSTREAM_STREAM_DURATION_MS, "x-envoy-upstream-stream-duration-ms", '-', 's',    \
      't', 'r')                                                                                    \
    X(HDR_X_ENVOY_IP_TAGS, "x-envoy-ip-tags", 't', 'a', 'g', 's')                                  \
    X(HDR_X_ENVOY_FORCE_TRACE, "x-envoy-force-trace", 'e', '-', 't', 'r')                          \
    X(HDR_X_ENVOY_ORIGINAL_URL, "x-envoy-original-url", 'n', 'a', 'l', '-')                        \
    X(HDR_X_ENVOY_ORIGINAL_PATH, "x-envoy-original-path", 'n', 'a', 'l', '-')                      \
    X(HDR_X_ENVOY_OVERLOADED, "x-envoy-overloaded", 'l', 'o', 'a', 'd')                            \
    X(HDR_X_ENVOY_DECORATOR_OPERATION, "x-envoy-decorator-operation", 't', 'o', 'r', '-')          \
    X(HDR_X_ENVOY_DOWNSTREAM_SERVICE_CLUSTER, "x-envoy-downstream-service-cluster", 'a', 'm', '-', \
      's')                                                                                         \
    X(HDR_X_ENVOY_DOWNSTREAM_SERVICE_NODE, "x-envoy-downstream-service-node", 'e', 'a', 'm', '-')

#define BY_HASH(id, text, ...) [HDR_HASH(sizeof(text) - 1, HDR_WORD(__VA_ARGS__))] = (id),
#define ENTRY(id, text, ...) [(id)] = {text, UINT64_C(1) << (id), (id), sizeof(text) - 1},

/* Braces in a macro: nested in the initialiser below they crash clang-format 14. */
#define ENTRIES                                                                                    \
    {                                                                                              \
        [HDR_OTHER] = {":", 1, HDR_OTHER, 0}, NAMES(ENTRY)                                         \
    }
#define HASHES                                                                                     \
    {                                                                                              \
        NAMES(BY_HASH)                                                                             \
    }
#define ONES                                                                                       \
    {                                                                                              \
        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255             \
    }

const struct hdr_table hdr_table = {.entries = ENTRIES, .by_hash = HASHES, .keep = ONES};
