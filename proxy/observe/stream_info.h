#pragma once
/* What is remembered of one request or one TCP connection for the access log and statistics.
 * Plain data, filled by the data plane, read by the access log when the stream ends. Worker-owned.
 */
#include "net/addr.h"
#include "net/headers.h"

/* Response flags; texts in response_flags.c. */
enum response_flag {
    RF_FAILED_LOCAL_HEALTH_CHECK = 1 << 0,          /* LH */
    RF_NO_HEALTHY_UPSTREAM = 1 << 1,                /* UH */
    RF_UPSTREAM_REQUEST_TIMEOUT = 1 << 2,           /* UT */
    RF_LOCAL_RESET = 1 << 3,                        /* LR */
    RF_UPSTREAM_REMOTE_RESET = 1 << 4,              /* UR */
    RF_UPSTREAM_CONNECTION_FAILURE = 1 << 5,        /* UF */
    RF_UPSTREAM_CONNECTION_TERMINATION = 1 << 6,    /* UC */
    RF_UPSTREAM_OVERFLOW = 1 << 7,                  /* UO */
    RF_NO_ROUTE_FOUND = 1 << 8,                     /* NR */
    RF_DELAY_INJECTED = 1 << 9,                     /* DI */
    RF_FAULT_INJECTED = 1 << 10,                    /* FI */
    RF_RATE_LIMITED = 1 << 11,                      /* RL */
    RF_UNAUTHORIZED_EXTERNAL = 1 << 12,             /* UAEX */
    RF_RATE_LIMIT_SERVICE_ERROR = 1 << 13,          /* RLSE */
    RF_DOWNSTREAM_CONNECTION_TERMINATION = 1 << 14, /* DC */
    RF_UPSTREAM_RETRY_LIMIT_EXCEEDED = 1 << 15,     /* URX */
    RF_STREAM_IDLE_TIMEOUT = 1 << 16,               /* SI */
    RF_INVALID_ENVOY_REQUEST_HEADERS = 1 << 17,     /* IH */
    RF_DOWNSTREAM_PROTOCOL_ERROR = 1 << 18,         /* DPE */
    RF_UPSTREAM_MAX_STREAM_DURATION = 1 << 19,      /* UMSDR */
    RF_NO_FILTER_CONFIG = 1 << 20,                  /* NFCF */
    RF_DURATION_TIMEOUT = 1 << 21,                  /* DT */
    RF_UPSTREAM_PROTOCOL_ERROR = 1 << 22,           /* UPE */
    RF_NO_CLUSTER_FOUND = 1 << 23,                  /* NC */
    RF_OVERLOAD_MANAGER = 1 << 24,                  /* OM */
    RF_DNS_FAILURE = 1 << 25,                       /* DF */
    RF_DOWNSTREAM_REMOTE_RESET = 1 << 26,           /* DR */
};

/* %ACCESS_LOG_TYPE%; a line of a listener's own log is of type NOT_SET. */
enum alog_type {
    ALOG_TYPE_NOT_SET,
    ALOG_TYPE_TCP_CONNECTION_END,
    ALOG_TYPE_DOWNSTREAM_END,
    ALOG_TYPE_COUNT
};

enum wire_protocol { PROTO_NONE, PROTO_HTTP10, PROTO_HTTP11, PROTO_HTTP2, PROTO_HTTP3 };

struct stream_info {
    uint64_t start_wall_us; /* START_TIME */
    uint64_t start_us; /* monotonic, of the first request byte; the following are monotonic too, 0 =
                          did not happen */
    uint64_t rx_end_us; /* last request byte received */
    uint64_t up_tx_first_us, up_tx_last_us, up_rx_first_us, up_rx_last_us;
    uint64_t tx_first_us, end_us;
    uint64_t bytes_received, bytes_sent; /* bodies */
    uint64_t wire_received, wire_sent;   /* downstream, heads included */
    uint64_t up_wire_received, up_wire_sent;
    uint64_t connection_id;
    uint32_t response_flags; /* enum response_flag */
    uint32_t attempts;       /* upstream attempts */
    uint16_t response_code;  /* 0: none was sent */
    uint8_t protocol;        /* enum wire_protocol */
    uint8_t up_protocol;
    uint8_t log_type;  /* enum alog_type */
    struct sv details; /* RESPONSE_CODE_DETAILS */
    struct sv termination_details;
    struct sv transport_failure;       /* UPSTREAM_TRANSPORT_FAILURE_REASON */
    struct sv method, path, authority; /* pseudo headers as the access log shows them */
    const struct headers *req, *res;   /* NULL when there is none */
    const struct headers *res_trailers;
    struct sv route_name, cluster, vhost,
        filter_chain;      /* cluster: its alt_stat_name, if it has one */
    struct sv cluster_raw; /* the cluster's name where it differs from cluster; else empty */
    struct sv server_name;
    struct sv up_host_name;                /* hostname of up_host; empty: it has none */
    const struct addr *up_host, *up_local; /* NULL: none */
    const struct addr *down_remote, *down_direct_remote, *down_local;
};
