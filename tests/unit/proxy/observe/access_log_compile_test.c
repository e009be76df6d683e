/* What access log formats are accepted, and the texts of refusals: those of a real Envoy 1.40. */
#include "proxy/observe/access_log_int.h"
#include "tests/support/failmalloc.h"
#include "tests/support/t.h"

/* Keeps the rows of wide tables within the line. */
#define ROW(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static const char *const accepted[] = {
    "",
    "plain",
    "%%",
    "100%%",
    "%REQ(:path)%",
    "%REQ(X):0%",
    "%REQ(X):99999999999%",
    "%REQ(:foo)%",
    "%REQ(?)%",
    "%REQ(?X)%",
    "%REQ(X?)%",
    "%START_TIME%",
    "%START_TIME()%",
    "%START_TIME(%Y)%",
    "%START_TIME(%Q)%",
    "%START_TIME(%f%)%",
    "%START_TIME(%s.%3f)%",
    "%START_TIME(a%t)%",
    "%EMIT_TIME%",
    "%EMIT_TIME(%Y)%",
    "%START_TIME_LOCAL(%Y)%",
    "%PROTOCOL()%",
    "%RESPONSE_CODE_DETAILS(x)%",
    "%TRAILER(X):3%",
    "%PATH%",
    "%PATH()%",
    "%PATH(WQ)%",
    "%PATH(WQ:ORIG)%",
    "%PATH(NQ:PATH):4%",
    "%PATH(WQ:ORIG:x)%",
    "%PATH:5%",
    "%QUERY_PARAM(a):4%",
    "%QUERY_PARAMS%",
    "%QUERY_PARAMS:3%",
    "%QUERY_PARAMS(ORIG)%",
    "%COMMON_DURATION(DS_RX_BEG:DS_RX_END)%",
    "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%",
    "%GRPC_STATUS%",
    "%GRPC_STATUS()%",
    "%GRPC_STATUS(NUMBER)%",
    "%GRPC_STATUS(CAMEL_STRING)%",
    "%GRPC_STATUS(SNAKE_STRING)%",
    "%GRPC_STATUS_NUMBER%",
    "%ENVIRONMENT(HOME):3%",
    "%HOSTNAME()%",
    "%RESPONSE_FLAGS()%",
    "%RESPONSE_FLAGS_LONG%",
    "%REQUESTED_SERVER_NAME%",
};

static const struct {
    const char *format;
    enum err err;
    const char *want;
} refused[] = {
    ROW("%FOO%", E_PARSE, "Not supported field in StreamInfo: FOO"),
    ROW("%_%", E_PARSE, "Not supported field in StreamInfo: _"),
    ROW("%1%", E_PARSE, "Not supported field in StreamInfo: 1"),
    ROW("%", E_PARSE, "Incorrect configuration: %. Couldn't find valid command at position 0"),
    ROW("a%b", E_PARSE, "Incorrect configuration: a%b. Couldn't find valid command at position 1"),
    ROW("%%%", E_PARSE, "Incorrect configuration: %%%. Couldn't find valid command at position 2"),
    ROW("%START_TIME", E_PARSE,
        "Incorrect configuration: %START_TIME. Couldn't find valid command at position 0"),
    ROW("%START_TIME(", E_PARSE,
        "Incorrect configuration: %START_TIME(. Couldn't find valid command at position 0"),
    ROW("%REQ(X):abc%", E_PARSE,
        "Incorrect configuration: %REQ(X):abc%. Couldn't find valid command at position 0"),
    ROW("%REQ(X):-1%", E_PARSE,
        "Incorrect configuration: %REQ(X):-1%. Couldn't find valid command at position 0"),
    ROW("%REQ(X):%", E_PARSE,
        "Incorrect configuration: %REQ(X):%. Couldn't find valid command at position 0"),
    ROW("%REQ(X):", E_PARSE,
        "Incorrect configuration: %REQ(X):. Couldn't find valid command at position 0"),
    ROW("%REQ(X):12", E_PARSE,
        "Incorrect configuration: %REQ(X):12. Couldn't find valid command at position 0"),
    ROW("%REQ(X)?%", E_PARSE,
        "Incorrect configuration: %REQ(X)?%. Couldn't find valid command at position 0"),
    ROW("%REQ(X)5%", E_PARSE,
        "Incorrect configuration: %REQ(X)5%. Couldn't find valid command at position 0"),
    ROW("%req(X)%", E_PARSE,
        "Incorrect configuration: %req(X)%. Couldn't find valid command at position 0"),
    ROW("%REQ(X%", E_PARSE,
        "Incorrect configuration: %REQ(X%. Couldn't find valid command at position 0"),
    ROW("% A%", E_PARSE,
        "Incorrect configuration: % A%. Couldn't find valid command at position 0"),
    ROW("%REQ(a\nb)%", E_PARSE,
        "Incorrect configuration: %REQ(a\nb)%. Couldn't find valid command at position 0"),
    ROW("%REQ(X):18446744073709551616%", E_PARSE,
        "Incorrect configuration: %REQ(X):18446744073709551616%. Couldn't find valid command at "
        "position 0"),
    ROW("%REQ%", E_PARSE, "REQ requires parameters"),
    ROW("%REQ()%", E_PARSE, "REQ requires parameters"),
    ROW("%TRAILER%", E_PARSE, "TRAILER requires parameters"),
    ROW("%QUERY_PARAM()%", E_PARSE, "QUERY_PARAM requires parameters"),
    ROW("%ENVIRONMENT%", E_PARSE, "ENVIRONMENT requires parameters"),
    ROW("%COMMON_DURATION%", E_PARSE, "COMMON_DURATION requires parameters"),
    ROW("%REQ(X?Y?Z)%", E_PARSE, "More than 1 alternative header specified in token: X?Y?Z"),
    ROW("%REQ(A B)%", E_PARSE,
        "Invalid header configuration. Format string contains invalid characters."),
    ROW("%REQ(A:B)%", E_PARSE,
        "Invalid header configuration. Format string contains invalid characters."),
    ROW("%REQ(X)(Y)%", E_PARSE,
        "Invalid header configuration. Format string contains invalid characters."),
    ROW("%REQ(X))%", E_PARSE,
        "Invalid header configuration. Format string contains invalid characters."),
    ROW("%REQ(\xc3\xa9)%", E_PARSE,
        "Invalid header configuration. Format string contains invalid characters."),
    ROW("%START_TIME(%n)%", E_PARSE,
        "Invalid header configuration. Format string contains newline."),
    ROW("%START_TIME:5%", E_PARSE, "START_TIME does not allow length to be specified."),
    ROW("%EMIT_TIME(%Y):5%", E_PARSE, "EMIT_TIME does not allow length to be specified."),
    ROW("%RESPONSE_CODE_DETAILS:7%", E_PARSE,
        "RESPONSE_CODE_DETAILS does not allow length to be specified."),
    ROW("%GRPC_STATUS:3%", E_PARSE, "GRPC_STATUS does not allow length to be specified."),
    ROW("%REQUESTED_SERVER_NAME:3%", E_PARSE,
        "REQUESTED_SERVER_NAME does not allow length to be specified."),
    ROW("%PROTOCOL(x)%", E_PARSE, "PROTOCOL does not take any parameters or length"),
    ROW("%PROTOCOL:5%", E_PARSE, "PROTOCOL does not take any parameters or length"),
    ROW("%UPSTREAM_CLUSTER_RAW:3%", E_PARSE,
        "UPSTREAM_CLUSTER_RAW does not take any parameters or length"),
    ROW("%HOSTNAME:3%", E_PARSE, "HOSTNAME does not take any parameters or length"),
    ROW("%LOCAL_REPLY_BODY:3%", E_PARSE, "LOCAL_REPLY_BODY does not take any parameters or length"),
    ROW("%GRPC_STATUS_NUMBER(x)%", E_PARSE,
        "GRPC_STATUS_NUMBER does not take any parameters or length"),
    ROW("%PATH(XX)%", E_PARSE, "Invalid PATH option: 'XX', only 'WQ'/'NQ' are allowed"),
    ROW("%PATH(WQ:ZZ)%", E_PARSE,
        "Invalid PATH option: 'ZZ', only 'ORIG'/'PATH'/'ORIG_OR_PATH' are allowed"),
    ROW("%QUERY_PARAMS(XX)%", E_PARSE,
        "Invalid QUERY_PARAMS option: 'XX', only 'ORIG'/'DECODED' are allowed"),
    ROW("%COMMON_DURATION(DS_RX_BEG)%", E_PARSE,
        "Invalid common duration configuration: DS_RX_BEG."),
    ROW("%COMMON_DURATION(a:b:ms:x)%", E_PARSE, "Invalid common duration configuration: a:b:ms:x."),
    ROW("%COMMON_DURATION(DS_RX_BEG:x:xs)%", E_PARSE, "Invalid common duration precision: xs."),
    ROW("%GRPC_STATUS(x)%", E_PARSE,
        "GrpcStatusFormatter only supports CAMEL_STRING, SNAKE_STRING or NUMBER. Got: x"),
    ROW("%REQUESTED_SERVER_NAME(x)%", E_PARSE,
        "Invalid REQUESTED_SERVER_NAME option: 'x', only 'SNI_ONLY'/'SNI_FIRST'/'HOST_FIRST' are "
        "allowed"),
    /* Envoy knows these; there is nothing to print for them here. */
    ROW("%DOWNSTREAM_TLS_VERSION%", E_UNSUPPORTED,
        "access log operator %DOWNSTREAM_TLS_VERSION% is not implemented"),
    ROW("%DYNAMIC_METADATA(a)%", E_UNSUPPORTED,
        "access log operator %DYNAMIC_METADATA% is not implemented"),
    ROW("%DOWNSTREAM_PEER_CERT_V_START(%Y)%", E_UNSUPPORTED,
        "access log operator %DOWNSTREAM_PEER_CERT_V_START% is not implemented"),
    ROW("%TRACE_ID%", E_UNSUPPORTED, "access log operator %TRACE_ID% is not implemented"),
    ROW("%QUERY_PARAMS(DECODED)%", E_UNSUPPORTED, "%QUERY_PARAMS(DECODED)% is not implemented"),
    ROW("%COMMON_DURATION(US_CX_BEG:US_CX_END)%", E_UNSUPPORTED,
        "COMMON_DURATION: time point 'US_CX_BEG' is not implemented"),
};

T(alog_compile, accepts)
{
    for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
        struct arena *a = arena_new(1024, SIZE_MAX);
        const struct alog_prog *p = NULL;
        struct diag d = {0};
        T_EXPECT(alog_compile(sv_str(accepted[i]), a, &p, &d) == OK, "%s: %s", accepted[i], d.msg);
        T_EXPECT(p != NULL, "%s", accepted[i]);
        arena_free(&a);
    }
}

T(alog_compile, refuses)
{
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct arena *a = arena_new(1024, SIZE_MAX);
        const struct alog_prog *p = NULL;
        struct diag d = {0};
        T_EXPECT_EQ(alog_compile(sv_str(refused[i].format), a, &p, &d), refused[i].err,
                    refused[i].format);
        T_EXPECT_SV(sv_str(d.msg), sv_str(refused[i].want), refused[i].format);
        T_EXPECT(p == NULL);
        arena_free(&a);
    }
}

T(alog_compile, limits)
{
    static const char op[] = "%PROTOCOL%";
    enum { OP = sizeof(op) - 1 };
    static char format[(ALOG_OPS_MAX + 1) * OP + 1], time[600];
    struct arena *a = arena_new(65536, SIZE_MAX);
    const struct alog_prog *p = NULL;
    struct diag d = {0};

    for (size_t i = 0; i <= ALOG_OPS_MAX; i++)
        memcpy(format + i * OP, op, OP);
    T_EXPECT_EQ(alog_compile(sv_of(format, ALOG_OPS_MAX * OP), a, &p, &d), OK, "just fits");
    T_EXPECT_EQ(alog_compile(sv_of(format, (ALOG_OPS_MAX + 1) * OP), a, &p, &d), E_LIMIT,
                "one too many");
    memset(time, 'x', sizeof(time));
    memcpy(time, "%START_TIME(%Y", 14);
    memcpy(time + sizeof(time) - 2, ")%", 2);
    T_EXPECT_EQ(alog_compile(sv_of(time, sizeof(time)), a, &p, &d), E_LIMIT, "long time format");
    arena_free(&a);
}

T(alog_compile, default_format_compiles)
{
    struct arena *a = arena_new(4096, SIZE_MAX);
    const struct alog_prog *p = NULL;
    T_EXPECT(alog_compile(alog_default_format(), a, &p, NULL) == OK);
    T_EXPECT(p != NULL && p->newline);
    arena_free(&a);
}

static void scenario(bool failing)
{
    struct arena *a = arena_new(64, SIZE_MAX);
    const struct alog_prog *p = NULL;
    struct diag d;
    if (a == NULL)
        return;
    enum err e = alog_compile(
        SV("%START_TIME(%Y%3f%H)% %REQ(X?Y):3% %ENVIRONMENT(HOME)% %QUERY_PARAM(q)%\n"), a, &p, &d);
    T_EXPECT(failing ? e == OK || e == E_NOMEM : e == OK, "%s", err_name(e));
    arena_free(&a);
}

T(alog_compile, each_allocation_may_fail)
{
    T_EXPECT(failmalloc_each(scenario) > 0);
}
