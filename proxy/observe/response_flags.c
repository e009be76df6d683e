/* Texts of response flags; see access_log.h. Pure, any thread. */
#include "proxy/observe/access_log_int.h"

struct flag_text {
    uint32_t flag;
    struct sv brief, name;
};

#define FLAG(bit, brief_, name_)                                                                   \
    {                                                                                              \
        bit, {"" brief_, sizeof(brief_) - 1},                                                      \
        {                                                                                          \
            "" name_, sizeof(name_) - 1                                                            \
        }                                                                                          \
    }

static const struct flag_text flags[] = {
    FLAG(RF_FAILED_LOCAL_HEALTH_CHECK, "LH", "FailedLocalHealthCheck"),
    FLAG(RF_NO_HEALTHY_UPSTREAM, "UH", "NoHealthyUpstream"),
    FLAG(RF_UPSTREAM_REQUEST_TIMEOUT, "UT", "UpstreamRequestTimeout"),
    FLAG(RF_LOCAL_RESET, "LR", "LocalReset"),
    FLAG(RF_UPSTREAM_REMOTE_RESET, "UR", "UpstreamRemoteReset"),
    FLAG(RF_UPSTREAM_CONNECTION_FAILURE, "UF", "UpstreamConnectionFailure"),
    FLAG(RF_UPSTREAM_CONNECTION_TERMINATION, "UC", "UpstreamConnectionTermination"),
    FLAG(RF_UPSTREAM_OVERFLOW, "UO", "UpstreamOverflow"),
    FLAG(RF_NO_ROUTE_FOUND, "NR", "NoRouteFound"),
    FLAG(RF_DELAY_INJECTED, "DI", "DelayInjected"),
    FLAG(RF_FAULT_INJECTED, "FI", "FaultInjected"),
    FLAG(RF_RATE_LIMITED, "RL", "RateLimited"),
    FLAG(RF_UNAUTHORIZED_EXTERNAL, "UAEX", "UnauthorizedExternalService"),
    FLAG(RF_RATE_LIMIT_SERVICE_ERROR, "RLSE", "RateLimitServiceError"),
    FLAG(RF_DOWNSTREAM_CONNECTION_TERMINATION, "DC", "DownstreamConnectionTermination"),
    FLAG(RF_UPSTREAM_RETRY_LIMIT_EXCEEDED, "URX", "UpstreamRetryLimitExceeded"),
    FLAG(RF_STREAM_IDLE_TIMEOUT, "SI", "StreamIdleTimeout"),
    FLAG(RF_INVALID_ENVOY_REQUEST_HEADERS, "IH", "InvalidEnvoyRequestHeaders"),
    FLAG(RF_DOWNSTREAM_PROTOCOL_ERROR, "DPE", "DownstreamProtocolError"),
    FLAG(RF_UPSTREAM_MAX_STREAM_DURATION, "UMSDR", "UpstreamMaxStreamDurationReached"),
    FLAG(RF_NO_FILTER_CONFIG, "NFCF", "NoFilterConfigFound"),
    FLAG(RF_DURATION_TIMEOUT, "DT", "DurationTimeout"),
    FLAG(RF_UPSTREAM_PROTOCOL_ERROR, "UPE", "UpstreamProtocolError"),
    FLAG(RF_NO_CLUSTER_FOUND, "NC", "NoClusterFound"),
    FLAG(RF_OVERLOAD_MANAGER, "OM", "OverloadManagerTerminated"),
    FLAG(RF_DNS_FAILURE, "DF", "DnsResolutionFailed"),
    FLAG(RF_DOWNSTREAM_REMOTE_RESET, "DR", "DownstreamRemoteReset"),
};

enum { EARLY_FLAGS = RF_DELAY_INJECTED | RF_FAULT_INJECTED | RF_UPSTREAM_RETRY_LIMIT_EXCEEDED };

static void put_flags(struct alog_out *o, uint32_t set, bool brief)
{
    const char *start = o->p;
    for (size_t i = 0; i < ARRAY_LEN(flags) && set != 0; i++) {
        if ((set & flags[i].flag) == 0)
            continue;
        set &= ~flags[i].flag;
        if (o->p != start)
            alog_putc(o, ',');
        alog_put(o, brief ? flags[i].brief : flags[i].name);
    }
}

void alog_put_flags(struct alog_out *o, uint32_t set, bool http, bool brief)
{
    const char *start = o->p;
    uint32_t early = http ? set & EARLY_FLAGS : 0;

    if (LIKELY(set == 0)) {
        alog_putc(o, '-');
        return;
    }
    put_flags(o, early, brief);
    if (o->p != start && set != early)
        alog_putc(o, ',');
    put_flags(o, set & ~early, brief);
}

size_t response_flags_format(uint32_t set, char *out, size_t room)
{
    struct alog_out o = {out, out + room};
    alog_put_flags(&o, set, false, true);
    return (size_t)(o.p - out);
}
