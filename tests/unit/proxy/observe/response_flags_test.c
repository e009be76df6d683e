/* Response flag texts. */
#include "proxy/observe/access_log_int.h"
#include "tests/support/t.h"

/* Keeps the rows of wide tables within the line. */
#define ROW(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static const struct {
    uint32_t set;
    const char *brief, *http, *name;
} rows[] = {
    ROW(0, "-", "-", "-"),
    ROW(RF_NO_HEALTHY_UPSTREAM, "UH", "UH", "NoHealthyUpstream"),
    ROW(RF_DOWNSTREAM_REMOTE_RESET, "DR", "DR", "DownstreamRemoteReset"),
    ROW(RF_UPSTREAM_CONNECTION_FAILURE | RF_UPSTREAM_RETRY_LIMIT_EXCEEDED, "UF,URX", "URX,UF",
        "UpstreamRetryLimitExceeded,UpstreamConnectionFailure"),
    ROW(RF_UPSTREAM_RETRY_LIMIT_EXCEEDED, "URX", "URX", "UpstreamRetryLimitExceeded"),
    ROW(RF_DELAY_INJECTED | RF_UPSTREAM_REQUEST_TIMEOUT, "UT,DI", "DI,UT",
        "DelayInjected,UpstreamRequestTimeout"),
    ROW(RF_FAILED_LOCAL_HEALTH_CHECK | RF_DNS_FAILURE, "LH,DF", "LH,DF",
        "FailedLocalHealthCheck,DnsResolutionFailed"),
};

T(response_flags, texts)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[128];
        struct alog_out o = {text, text + sizeof(text)};
        T_EXPECT_SV(sv_of(text, response_flags_format(rows[i].set, text, sizeof(text))),
                    sv_str(rows[i].brief), "brief");
        alog_put_flags(&o, rows[i].set, true, true);
        T_EXPECT_SV(sv_of(text, (size_t)(o.p - text)), sv_str(rows[i].http), "http");
        o.p = text;
        alog_put_flags(&o, rows[i].set, true, false);
        T_EXPECT_SV(sv_of(text, (size_t)(o.p - text)), sv_str(rows[i].name), "long");
    }
}

T(response_flags, every_flag_has_a_text)
{
    for (unsigned bit = 0; bit <= 26; bit++) {
        char text[64];
        size_t n = response_flags_format(UINT32_C(1) << bit, text, sizeof(text));
        T_EXPECT(n >= 2 && n <= 5 && text[0] != '-' && text[0] != ',', "bit %u", bit);
    }
}

T(response_flags, short_room_is_not_overrun)
{
    char text[8] = "xxxxxxx";
    T_EXPECT_EQ(response_flags_format(UINT32_MAX, text, 4), 4, "cut");
    T_EXPECT_EQ(text[4], 'x', "untouched");
    T_EXPECT_EQ(response_flags_format(1, text, 0), 0, "no room");
}
