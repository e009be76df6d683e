/* Access log lines: values of every operator, in the shapes a real Envoy 1.40 printed. */
#include "proxy/observe/access_log_int.h"
#include "tests/support/failmalloc.h"
#include "tests/support/t.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Keeps the rows of wide tables within the line. */
#define ROW(...)                                                                                   \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

struct sample {
    struct arena *arena;
    struct headers req, res, trailers;
    struct addr host, host6, local, remote, up_local;
    struct stream_info si;
};

/* 2026-11-24T10:10:54.694490Z */
enum { SAMPLE_SECOND = 1795515054, SAMPLE_US = 694490 };

static void add(struct headers *h, const char *name, const char *value)
{
    struct sv n = sv_str(name);
    enum hdr_id id = hdr_lookup(n.p, n.n);
    T_EXPECT((id != HDR_OTHER ? headers_add(h, id, sv_str(value))
                              : headers_add_named(h, n, sv_str(value))) == OK);
}

static void sample_init(struct sample *s)
{
    memset(s, 0, sizeof(*s));
    s->arena = arena_new(4096, SIZE_MAX);
    headers_init(&s->req, s->arena);
    headers_init(&s->res, s->arena);
    headers_init(&s->trailers, s->arena);
    add(&s->req, "host", "127.0.0.1:18081");
    add(&s->req, "user-agent", "curl/7.88.1");
    add(&s->req, "accept", "*/*");
    add(&s->req, "x-forwarded-proto", "http");
    add(&s->req, "x-request-id", "040591d1-9887-4209-b7be-b1d991b2f897");
    add(&s->res, "content-length", "2");
    add(&s->res, "content-type", "text/plain");
    add(&s->res, "date", "Tue, 24 Nov 2026 10:08:22 GMT");
    add(&s->res, "server", "envoy");
    T_EXPECT(addr_parse(SV("127.0.0.1:18082"), &s->host) == OK);
    T_EXPECT(addr_parse(SV("[::1]:18083"), &s->host6) == OK);
    T_EXPECT(addr_parse(SV("127.0.0.1:18081"), &s->local) == OK);
    T_EXPECT(addr_parse(SV("10.20.30.40:36366"), &s->remote) == OK);
    T_EXPECT(addr_parse(SV("127.0.0.1:40000"), &s->up_local) == OK);
    s->si = (struct stream_info){
        .start_wall_us = UINT64_C(1000000) * SAMPLE_SECOND + SAMPLE_US,
        .start_us = 1000000,
        .rx_end_us = 1000418,
        .up_tx_first_us = 1001000,
        .up_tx_last_us = 1002500,
        .up_rx_first_us = 1006999,
        .up_rx_last_us = 1008000,
        .tx_first_us = 1007000,
        .end_us = 1012345,
        .bytes_received = 5,
        .bytes_sent = 98,
        .wire_received = 218,
        .wire_sent = 232,
        .up_wire_received = 150,
        .up_wire_sent = 300,
        .connection_id = 7,
        .attempts = 2,
        .response_code = 200,
        .protocol = PROTO_HTTP11,
        .up_protocol = PROTO_HTTP11,
        .log_type = ALOG_TYPE_DOWNSTREAM_END,
        .details = SV("via_upstream"),
        .method = SV("GET"),
        .path = SV("/d?a=1&b=x%20y&e="),
        .authority = SV("127.0.0.1:18081"),
        .req = &s->req,
        .res = &s->res,
        .route_name = SV("rx"),
        .cluster = SV("altname"),
        .cluster_raw = SV("empty"),
        .up_host = &s->host,
        .up_local = &s->up_local,
        .down_remote = &s->remote,
        .down_direct_remote = &s->remote,
        .down_local = &s->local,
    };
}

/* The line, in the sample's arena. */
static struct sv line(struct sample *s, const char *format)
{
    static char out[4096];
    const struct alog_prog *p = NULL;
    struct diag d = {0};
    enum err e = alog_compile(sv_str(format), s->arena, &p, &d);
    T_EXPECT(e == OK, "%s: %s", format, d.msg);
    return e == OK
               ? sv_of(out, alog_run(p, &s->si, s->si.start_wall_us + 1500000, out, sizeof(out)))
               : SV_NONE;
}

struct row {
    const char *format, *want;
};

static void expect_rows(struct sample *s, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        T_EXPECT_SV(line(s, rows[i].format), sv_str(rows[i].want), rows[i].format);
}

T(alog_run, values)
{
    static const struct row rows[] = {
        ROW("", ""),
        ROW("100%%", "100%"),
        ROW("%REQ(:METHOD)% %REQ(:path)% %REQ(:AUTHORITY)% %REQ(HOST)% %REQ(:SCHEME)%",
            "GET /d?a=1&b=x%20y&e= 127.0.0.1:18081 127.0.0.1:18081 http"),
        ROW("%REQ(USER-AGENT):4%|%REQ(USER-AGENT):0%|%REQ(NOPE)%|%REQ(NOPE?HOST)%|%REQ(NOPE?X)%|%"
            "REQ("
            "NOPE):0%",
            "curl||-|127.0.0.1:18081|-|-"),
        ROW("%REQUEST_HEADER(ACCEPT)%", "*/*"),
        ROW("%RESP(:STATUS)% %RESP(CONTENT-TYPE):4% %RESPONSE_HEADER(X?SERVER)%", "200 text envoy"),
        ROW("%TRAILER(X)%", "-"),
        ROW("%PATH% %PATH(NQ)% %PATH(WQ:PATH)% %PATH(NQ:ORIG)% %PATH:5%",
            "/d?a=1&b=x%20y&e= /d /d?a=1&b=x%20y&e= - /d?a="),
        ROW("%QUERY_PARAM(a)%|%QUERY_PARAM(b)%|%QUERY_PARAM(b):3%|%QUERY_PARAM(e)%|%QUERY_PARAM(z)%"
            "|%"
            "QUERY_PARAMS%",
            "1|x y|x y||-|a=1&b=x%20y&e="),
        ROW("%PROTOCOL% %UPSTREAM_PROTOCOL%", "HTTP/1.1 HTTP/1.1"),
        ROW("%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS%",
            "200 via_upstream -"),
        ROW("%RESPONSE_FLAGS% %RESPONSE_FLAGS_LONG%", "- -"),
        ROW("%BYTES_RECEIVED% %BYTES_SENT% %DOWNSTREAM_WIRE_BYTES_RECEIVED% "
            "%DOWNSTREAM_WIRE_BYTES_SENT% "
            "%UPSTREAM_WIRE_BYTES_RECEIVED% %UPSTREAM_WIRE_BYTES_SENT%",
            "5 98 218 232 150 300"),
        ROW("%REQUEST_HEADERS_BYTES% %RESPONSE_HEADERS_BYTES%", "167 91"),
        ROW("%DURATION% %REQUEST_DURATION% %REQUEST_TX_DURATION% %RESPONSE_DURATION% "
            "%RESPONSE_TX_DURATION%",
            "12 0 2 6 5"),
        ROW("%COMMON_DURATION(DS_RX_BEG:DS_RX_END:us)% %COMMON_DURATION(US_TX_BEG:US_RX_END:ns)% "
            "%COMMON_DURATION(DS_TX_END:DS_RX_BEG)% %COMMON_DURATION(US_TX_END:US_RX_BEG)% "
            "%COMMON_DURATION(DS_TX_BEG:DS_TX_END)%",
            "418 7000000 - 4 5"),
        ROW("%UPSTREAM_REQUEST_ATTEMPT_COUNT% %CONNECTION_ID%", "2 7"),
        ROW("%UPSTREAM_HOST% %UPSTREAM_HOST_NAME% %UPSTREAM_HOST_NAME_WITHOUT_PORT%",
            "127.0.0.1:18082 127.0.0.1:18082 127.0.0.1"),
        ROW("%UPSTREAM_CLUSTER% %UPSTREAM_CLUSTER_RAW%", "altname empty"),
        ROW("%UPSTREAM_LOCAL_ADDRESS% %UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT% %UPSTREAM_LOCAL_PORT%",
            "127.0.0.1:40000 127.0.0.1 40000"),
        ROW("%UPSTREAM_REMOTE_ADDRESS% %UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% "
            "%UPSTREAM_REMOTE_PORT%",
            "127.0.0.1:18082 127.0.0.1 18082"),
        ROW("%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT% "
            "%DOWNSTREAM_LOCAL_PORT%",
            "127.0.0.1:18081 127.0.0.1 18081"),
        ROW("%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% "
            "%DOWNSTREAM_REMOTE_PORT%",
            "10.20.30.40:36366 10.20.30.40 36366"),
        ROW("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS% %DOWNSTREAM_DIRECT_REMOTE_PORT%",
            "10.20.30.40:36366 36366"),
        ROW("%ROUTE_NAME% %FILTER_CHAIN_NAME% %UPSTREAM_TRANSPORT_FAILURE_REASON%", "rx - -"),
        ROW("%REQUESTED_SERVER_NAME% %REQUESTED_SERVER_NAME(SNI_FIRST)% "
            "%REQUESTED_SERVER_NAME(HOST_FIRST)%",
            "- 127.0.0.1:18081 127.0.0.1:18081"),
        ROW("%GRPC_STATUS% %GRPC_STATUS_NUMBER%", "- -"),
        ROW("[%LOCAL_REPLY_BODY%] %ACCESS_LOG_TYPE%", "[] DownstreamEnd"),
        ROW("%ENVIRONMENT(NO_SUCH_VARIABLE_X)%", "-"),
    };
    struct sample s;
    sample_init(&s);
    expect_rows(&s, rows, ARRAY_LEN(rows));
    arena_free(&s.arena);
}

T(alog_run, nothing_known)
{
    static const struct row rows[] = {
        {"%REQ(:METHOD)% %REQ(X?:PATH)% %PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS%", "- - - 0 -" },
        {"%REQ(HOST)% %REQ(:SCHEME)% %RESP(:STATUS)% %RESP(X)%",                      "- - - -"   },
        {"%PATH% %QUERY_PARAM(a)% %QUERY_PARAMS% %RESPONSE_CODE_DETAILS%",            "- - - -"   },
        {"%DURATION% %RESPONSE_DURATION% %UPSTREAM_HOST% %UPSTREAM_HOST_NAME% "
         "%UPSTREAM_CLUSTER_RAW%",                                           "- - - - -" },
        {"%UPSTREAM_REMOTE_PORT% %DOWNSTREAM_REMOTE_ADDRESS% %GRPC_STATUS%",          "- - -"     },
        {"%REQUEST_HEADERS_BYTES% %RESPONSE_HEADERS_BYTES% %ACCESS_LOG_TYPE%",        "0 0 NotSet"},
    };
    struct sample s;
    sample_init(&s);
    s.si = (struct stream_info){0};
    expect_rows(&s, rows, ARRAY_LEN(rows));
    arena_free(&s.arena);
}

T(alog_run, odd_values)
{
    struct sample s;
    sample_init(&s);

    add(&s.req, "x-multi", "a");
    add(&s.req, "x-multi", "b");
    add(&s.req, "x-empty", "");
    T_EXPECT_SV(line(&s, "%REQ(X-MULTI)%|%REQ(X-EMPTY)%|%REQ(X-EMPTY?HOST)%"), SV("a||"),
                "repeated and empty");

    add(&s.req, "x-envoy-original-path", "/x/abc?q=1");
    s.si.path = SV("/rewritten?q=1#f");
    T_EXPECT_SV(line(&s, "%PATH% %PATH(NQ)% %PATH(NQ:PATH)% %PATH(NQ:ORIG)% %QUERY_PARAMS%"),
                SV("/x/abc?q=1 /x/abc /rewritten /x/abc q=1"), "rewritten");

    s.si.path = SV("/p?a=%0d%0Aevil&b=%zz%4&c=%41+&&=&d");
    T_EXPECT_SV(
        line(
            &s,
            "%QUERY_PARAM(a)%|%QUERY_PARAM(b)%|%QUERY_PARAM(c)%|%QUERY_PARAM(d)%|%QUERY_PARAM(x)%"),
        SV("??evil|%zz%4|A+||-"), "a line stays one line");

    s.si.details = SV("upstream reset: a\tb");
    T_EXPECT_SV(line(&s, "%RESPONSE_CODE_DETAILS% %RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)%"),
                SV("upstream_reset:_a_b upstream reset: a\tb"), "blanks");

    s.si.up_host = &s.host6;
    s.si.up_local = NULL;
    T_EXPECT_SV(
        line(&s, "%UPSTREAM_HOST% %UPSTREAM_HOST_NAME_WITHOUT_PORT% %UPSTREAM_REMOTE_ADDRESS%"),
        SV("[::1]:18083 [::1] -"), "not connected");
    s.si.up_local = &s.up_local;
    T_EXPECT_SV(line(&s, "%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %UPSTREAM_REMOTE_PORT%"),
                SV("::1 18083"), "v6");
    s.si.up_host_name = SV("hh");
    T_EXPECT_SV(line(&s, "%UPSTREAM_HOST_NAME% %UPSTREAM_HOST_NAME_WITHOUT_PORT%"), SV("hh hh"),
                "named");

    struct addr unix_addr;
    addr_unix("/run/x.sock", &unix_addr);
    s.si.down_remote = &unix_addr;
    T_EXPECT_SV(line(&s, "%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_REMOTE_PORT%"),
                SV("/run/x.sock -"), "unix");

    s.si.response_flags = RF_UPSTREAM_CONNECTION_FAILURE | RF_UPSTREAM_RETRY_LIMIT_EXCEEDED;
    T_EXPECT_SV(line(&s, "%RESPONSE_FLAGS%"), SV("URX,UF"), "http");
    s.si.protocol = PROTO_NONE;
    s.si.log_type = ALOG_TYPE_TCP_CONNECTION_END;
    T_EXPECT_SV(line(&s, "%RESPONSE_FLAGS% %PROTOCOL% %ACCESS_LOG_TYPE%"),
                SV("UF,URX - TcpConnectionEnd"), "tcp");
    s.si.server_name = SV("sni.example");
    T_EXPECT_SV(line(&s, "%REQUESTED_SERVER_NAME(SNI_FIRST)% %REQUESTED_SERVER_NAME(HOST_FIRST)%"),
                SV("sni.example 127.0.0.1:18081"), "sni");
    arena_free(&s.arena);
}

T(alog_run, grpc)
{
    static const struct {
        uint16_t code;
        const char *header, *trailer, *want;
    } rows[] = {
        {200, NULL, "0",  "OK OK 0"                             },
        {200, "14", NULL, "Unavailable UNAVAILABLE 14"          },
        {200, "14", "5",  "NotFound NOT_FOUND 5"                },
        {200, NULL, "99", "99 99 99"                            },
        {200, NULL, "x",  "Unknown UNKNOWN 2"                   },
        {503, NULL, NULL, "Unavailable UNAVAILABLE 14"          },
        {404, NULL, NULL, "Unimplemented UNIMPLEMENTED 12"      },
        {403, NULL, NULL, "PermissionDenied PERMISSION_DENIED 7"},
        {401, NULL, NULL, "Unauthenticated UNAUTHENTICATED 16"  },
        {400, NULL, NULL, "Internal INTERNAL 13"                },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample s;
        sample_init(&s);
        add(&s.req, "content-type", i % 2 == 0 ? "application/grpc" : "application/grpc+proto");
        s.si.response_code = rows[i].code;
        if (rows[i].header != NULL)
            add(&s.res, "grpc-status", rows[i].header);
        if (rows[i].trailer != NULL) {
            add(&s.trailers, "grpc-status", rows[i].trailer);
            s.si.res_trailers = &s.trailers;
        }
        T_EXPECT_SV(line(&s, "%GRPC_STATUS% %GRPC_STATUS(SNAKE_STRING)% %GRPC_STATUS(NUMBER)%"),
                    sv_str(rows[i].want), "");
        arena_free(&s.arena);
    }
    struct sample s;
    sample_init(&s);
    add(&s.req, "content-type", "application/grpc-web");
    T_EXPECT_SV(line(&s, "%GRPC_STATUS%"), SV("-"), "grpc-web is not gRPC");
    arena_free(&s.arena);
}

/* All seen in a real Envoy for the same instant. */
T(alog_run, times)
{
    static const struct row rows[] = {
        ROW("%START_TIME%", "2026-11-24T10:10:54.694Z"),
        ROW("%EMIT_TIME%", "2026-11-24T10:10:56.194Z"),
        ROW("%START_TIME(%Y)%", "2026"),
        ROW("%START_TIME(%Q)%", "%Q"),
        ROW("%START_TIME(abc)%", "abc"),
        ROW("%START_TIME(%)%", "%"),
        ROW("%START_TIME(a%t)%", "a\t"),
        ROW("%START_TIME(%f|%1f|%2f|%3f|%6f|%9f)%", "694490000|6|69|694|694490|694490000"),
        ROW("%START_TIME(%s|%3s|%E3S|%E*S|%E0S|%S)%",
            "1795515054|1795515054|54.694|54.69449|54|54"),
        ROW("%START_TIME(%Z|%z|%Ez|%E*z|%ET|%E4Y|%E3f|%E*f)%",
            "UTC|+0000|+00:00|+00:00:00|T|2026|694|69449"),
        ROW("%START_TIME(%j|%e|%k|%l|%I|%p|%P|%D|%F|%T|%R)%",
            "328|24|10|10|10|AM|am|11/24/26|2026-11-24|10:10:54|10:10"),
        ROW("%START_TIME(%b|%B|%h|%a|%A|%u|%w|%U|%V|%W|%G|%g|%C|%y)%",
            "Nov|November|Nov|Tue|Tuesday|2|2|47|48|47|2026|26|20|26"),
        ROW("%START_TIME(%%|%-d|%_d|%05d|%^a)%", "%|24|24|00024|TUE"),
        ROW("%START_TIME(%%f)%", "%694490000"),
        ROW("%START_TIME(%%3f)%", "%694"),
        ROW("%START_TIME(%3f%%s%s)%", "694%17955150541795515054"),
        ROW("%START_TIME(%fx%3f%6f)%", "694490000x694694490"),
        ROW("%START_TIME(%3f%3f)%", "694694"),
        ROW("%START_TIME(%%%%f)%", "%%694490000"),
    };
    struct sample s;
    sample_init(&s);
    expect_rows(&s, rows, ARRAY_LEN(rows));
    s.si.start_wall_us += 305510; /* the next second, on the dot: 694490 + 305510 = 1000000 */
    T_EXPECT_SV(line(&s, "%START_TIME% %START_TIME(%E*S %T)%"),
                SV("2026-11-24T10:10:55.000Z 55 10:10:55"), "");
    arena_free(&s.arena);
}

/* Lines of two formats take turns and seconds pass: the per-thread caches never show a stale one.
 */
T(alog_run, time_caches)
{
    struct sample s;
    const struct alog_prog *p[12];
    sample_init(&s);
    for (unsigned i = 0; i < ARRAY_LEN(p); i++) {
        char format[32];
        snprintf(format, sizeof(format), "%%START_TIME(%u-%%S)%%", i);
        T_ASSERT(alog_compile(sv_str(format), s.arena, &p[i], NULL) == OK);
    }
    for (unsigned round = 0; round < 5; round++) {
        s.si.start_wall_us = UINT64_C(1000000) * (SAMPLE_SECOND + round / 2);
        for (unsigned i = 0; i < ARRAY_LEN(p); i++) {
            char got[128], want[32];
            size_t n = alog_run(p[i], &s.si, 0, got, sizeof(got));
            snprintf(want, sizeof(want), "%u-%u", i, 54 + round / 2);
            T_EXPECT_SV(sv_of(got, n), sv_str(want), "");
        }
    }
    arena_free(&s.arena);
}

T(alog_run, local_time)
{
    struct sample s;
    sample_init(&s);
    setenv("TZ", "XYZ-2", 1);
    T_EXPECT_SV(line(&s, "%START_TIME_LOCAL(%H:%M %z)%"), SV("12:10 +0200"), "two hours east");
    T_EXPECT_SV(line(&s, "%START_TIME%"), SV("2026-11-24T10:10:54.694Z"), "UTC stays");
    unsetenv("TZ");
    tzset();
    arena_free(&s.arena);
}

T(alog_run, environment_and_host)
{
    char host[256] = "", want[300];
    struct sample s;
    sample_init(&s);
    setenv("ALOG_TEST", "value", 1);
    T_EXPECT_SV(line(&s, "%ENVIRONMENT(ALOG_TEST)% %ENVIRONMENT(ALOG_TEST):3%"), SV("value val"),
                "");
    gethostname(host, sizeof(host) - 1);
    snprintf(want, sizeof(want), "%s", host);
    T_EXPECT_SV(line(&s, "%HOSTNAME%"), sv_str(want), "");
    arena_free(&s.arena);
}

T(alog_run, default_format)
{
    struct sample s;
    sample_init(&s);
    T_EXPECT_SV(
        line(&s, alog_default_format().p),
        SV("[2026-11-24T10:10:54.694Z] \"GET /d?a=1&b=x%20y&e= HTTP/1.1\" 200 - 5 98 12 - \"-\" "
           "\"curl/7.88.1\" "
           "\"040591d1-9887-4209-b7be-b1d991b2f897\" \"127.0.0.1:18081\" \"127.0.0.1:18082\"\n"),
        "");
    arena_free(&s.arena);
}

T(alog_run, cut_lines_keep_their_newline)
{
    static const char *const formats[] = {
        "%REQ(X-REQUEST-ID)%%REQ(X-REQUEST-ID)%\n", "%RESPONSE_FLAGS_LONG%\n",
        "%REQ(X-REQUEST-ID)%%PATH%%UPSTREAM_HOST_NAME%%GRPC_STATUS%\n",
        "a literal that is longer than a tail may be, and than what is left\n"};
    struct sample s;
    char out[1200];
    sample_init(&s);
    s.si.response_flags = UINT32_MAX;
    for (size_t f = 0; f < ARRAY_LEN(formats); f++) {
        const struct alog_prog *p;
        T_ASSERT(alog_compile(sv_str(formats[f]), s.arena, &p, NULL) == OK);
        size_t full = alog_run(p, &s.si, 0, out, sizeof(out));
        for (size_t room = 0; room <= full + 100; room++) {
            memset(out, 'z', sizeof(out));
            size_t n = alog_run(p, &s.si, 0, out, room);
            T_EXPECT(n <= room && n <= full, "room %zu, %zu bytes", room, n);
            T_EXPECT(room < full + 80 || n == full, "room %zu, %zu bytes of %zu", room, n, full);
            T_EXPECT(n == 0 || out[n - 1] == '\n', "room %zu", room);
            T_EXPECT_EQ(out[room], 'z', "untouched");
        }
    }
    arena_free(&s.arena);
}

/* Every length that the short copies tell apart. */
T(alog_run, texts_of_every_length)
{
    char value[80], want[90], out[256];
    struct sample s;
    sample_init(&s);
    for (size_t n = 1; n < sizeof(value); n++) {
        const struct alog_prog *p;
        for (size_t i = 0; i < n; i++)
            value[i] = (char)('0' + i);
        s.si.route_name = sv_of(value, n);
        T_ASSERT(alog_compile(SV("<%ROUTE_NAME%>"), s.arena, &p, NULL) == OK);
        want[0] = '<';
        memcpy(want + 1, value, n);
        want[n + 1] = '>';
        T_EXPECT_SV(sv_of(out, alog_run(p, &s.si, 0, out, sizeof(out))), sv_of(want, n + 2), "");
    }
    arena_free(&s.arena);
}

T(alog_run, numbers_of_every_length)
{
    struct sample s;
    char want[32];
    sample_init(&s);
    for (uint64_t v = 1; v != 0 && v <= UINT64_C(10000000000000000000);
         v = v > UINT64_MAX / 10 ? 0 : v * 10) {
        for (uint64_t d = 0; d < 2; d++) {
            s.si.bytes_sent = v - d;
            snprintf(want, sizeof(want), "%llu", (unsigned long long)(v - d));
            T_EXPECT_SV(line(&s, "%BYTES_SENT%"), sv_str(want), "");
        }
    }
    s.si.bytes_sent = UINT64_MAX;
    T_EXPECT_SV(line(&s, "%BYTES_SENT%"), SV("18446744073709551615"), "");
    arena_free(&s.arena);
}

T(alog_run, makes_no_allocation)
{
    struct sample s;
    char out[1024];
    const struct alog_prog *p;
    sample_init(&s);
    T_ASSERT(alog_compile(alog_default_format(), s.arena, &p, NULL) == OK);
    failmalloc_at(1);
    T_EXPECT(alog_run(p, &s.si, 0, out, sizeof(out)) > 100);
    T_EXPECT_EQ(failmalloc_count(), 0, "allocations");
    failmalloc_at(0);
    arena_free(&s.arena);
}
