/* Extensions: lookup by type, HTTP filter chains, access logs, unpacking, durations. */
#include "envoy/extensions/access_loggers/file/v3/file.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "tests/support/t.h"
#include "tests/unit/config/fake_registry.h"

#define ROUTER                                                                                     \
    "{name: r, typed_config: {'@type': type.googleapis.com/"                                       \
    "envoy.extensions.filters.http.router.v3.Router}}"
#define PLAIN                                                                                      \
    "{name: p, typed_config: {'@type': type.googleapis.com/"                                       \
    "envoy.extensions.access_loggers.stream.v3.StderrAccessLog}}"
#define FILE_TYPE "envoy.extensions.access_loggers.file.v3.FileAccessLog"
#define FILE_LOG(path)                                                                             \
    "{name: f, typed_config: {'@type': type.googleapis.com/"                                       \
    "envoy.extensions.access_loggers.file.v3.FileAccessLog" path "}}"
#define BEFORE_HCM                                                                                 \
    "static_resources: {listeners: [{name: l, address: {socket_address: {address: 127.0.0.1, "     \
    "port_value: 80}}, filter_chains: [{filters: [{name: h, typed_config: {'@type': "              \
    "type.googleapis.com/"                                                                         \
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, "          \
    "stat_prefix: x, route_config: {}, "
#define AFTER_HCM "}}]}]}]}"
#define BEFORE_FILTERS BEFORE_HCM "http_filters: ["
#define AFTER_FILTERS "]" AFTER_HCM

static const struct fake_case filters[] = {
    ROW("router", ROUTER, NULL, NULL),
    ROW("none", "", NULL, NULL),
    ROW("plain, router", PLAIN ", " ROUTER, NULL, NULL),
    ROW("router first", ROUTER ", " PLAIN,
        "Error: terminal filter named r of type envoy.filters.http.router must be the last filter "
        "in "
        "a "
        "http filter chain.",
        "filters[0].typed_config.http_filters[0]"),
    ROW("two routers", ROUTER ", " ROUTER, "must be the last filter in a http filter chain.", NULL),
    ROW("plain last", PLAIN,
        "Error: non-terminal filter named p of type test.filters.network.not_terminal is the last "
        "filter in "
        "a http filter chain.",
        NULL),
    ROW("no configuration", "{name: envoy.filters.http.router}",
        "Didn't find a registered implementation for 'envoy.filters.http.router' with type URL: ''",
        NULL),
    ROW("unknown, optional", "{name: foo, is_optional: true}, " ROUTER, NULL, NULL),
    ROW("unknown, optional, last", ROUTER ", {name: foo, is_optional: true}",
        "must be the last filter in a http filter chain.", "http_filters[0]"),
    ROW("disabled router",
        "{name: r, disabled: true, typed_config: {'@type': type.googleapis.com/"
        "envoy.extensions.filters.http.router.v3.Router}}",
        "Error: the last (terminal) filter (r) in the chain cannot be disabled by default.", NULL),
    ROW("no name",
        "{typed_config: {'@type': "
        "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}",
        "HttpFilterValidationError.Name: value length must be at least 1 characters", NULL),
};

static const struct fake_case logs[] = {
    ROW("file", FILE_LOG(", path: /dev/null"), NULL, NULL),
    ROW("no path", FILE_LOG(""),
        "FileAccessLogValidationError.Path: value length must be at least 1 characters",
        "access_log[0].typed_config.path"),
    ROW("unknown", FILE_LOG(", path: x") ", {name: foo}",
        "Didn't find a registered implementation for 'foo' with type URL: ''",
        "typed_config.access_log[1]"),
    ROW("no configuration", "{name: envoy.access_loggers.file}", "with type URL: ''", NULL),
};

T(model_ext, http_filters)
{
    for (size_t i = 0; i < ARRAY_LEN(filters); i++)
        fake_check(&filters[i], BEFORE_FILTERS, AFTER_FILTERS);
}

T(model_ext, access_logs)
{
    for (size_t i = 0; i < ARRAY_LEN(logs); i++)
        fake_check(&logs[i], BEFORE_HCM "access_log: [", "]" AFTER_HCM);
}

static const struct fake_hcm *first_hcm(const struct snap *s)
{
    return s->listeners[0].chains[0].filters[0].conf;
}

T(model_ext, left_out_filters)
{
    struct snap *s = NULL;
    struct diag d = {0};
    enum err e = fake_build(
        BEFORE_FILTERS
        "{name: gone, is_optional: true}, {name: idle, disabled: true, typed_config: {'@type': "
        "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StderrAccessLog}}, " PLAIN
        ", " ROUTER AFTER_FILTERS,
        SIZE_MAX, &s, &d);
    T_ASSERT(e == OK, "%s", d.msg);
    const struct fake_hcm *h = first_hcm(s);
    T_ASSERT(h->n_filters == 2, "%zu filters", h->n_filters);
    T_EXPECT_SV(h->filters[0].name, SV("p"), "first");
    T_EXPECT_SV(h->filters[1].name, SV("r"), "last");
    T_EXPECT(h->filters[1].conf != NULL && h->filters[1].ext->terminal);
    snap_drop(&s);
}

/* ---- admin ---- */

static const struct fake_case admin[] = {
    ROW("no address", "{}", NULL, NULL),
    ROW("bad address", "{address: {socket_address: {address: foo, port_value: 1}}}",
        "malformed IP address: foo", "admin.address.socket_address.address"),
    ROW("unknown log", "{access_log: [{name: foo}]}",
        "Didn't find a registered implementation for 'foo'", "admin.access_log[0]"),
    ROW("ipv4_compat is not looked at",
        "{address: {socket_address: {address: '::1', port_value: 1, ipv4_compat: true}}}", NULL,
        NULL),
};

T(model_ext, admin)
{
    for (size_t i = 0; i < ARRAY_LEN(admin); i++)
        fake_check(&admin[i], "admin: ", "");
    struct snap *s = NULL;
    struct diag d = {0};
    enum err e =
        fake_build("admin: {address: {socket_address: {address: '::1', port_value: 9901}}, "
                   "access_log: [" FILE_LOG(", path: /a") "], access_log_path: /b}",
                   SIZE_MAX, &s, &d);
    T_ASSERT(e == OK, "%s", d.msg);
    T_EXPECT(s->admin.present && s->admin.address.port == 9901);
    T_EXPECT_SV(s->admin.address.host, SV("::1"), "host");
    T_ASSERT(s->admin.n_access_logs == 2);
    static const char *const paths[] = {"/a", "/b"};
    for (size_t i = 0; i < 2; i++) {
        const Envoy__Extensions__AccessLoggers__File__V3__FileAccessLog *m =
            s->admin.access_logs[i].conf;
        T_EXPECT_SV(sv_str(m->path), sv_str(paths[i]), "path");
    }
    snap_drop(&s);

    e = fake_build("admin: {access_log_path: /b}", SIZE_MAX, &s, &d);
    T_ASSERT(e == OK, "%s", d.msg);
    T_EXPECT(!s->admin.present && s->admin.n_access_logs == 1);
    snap_drop(&s);
}

/* ---- helpers of conf callbacks ---- */

T(model_ext, unpack)
{
    struct model_build b = {.arena = arena_new(1024, SIZE_MAX)};
    const ProtobufCMessageDescriptor *type =
        &envoy__extensions__access_loggers__file__v3__file_access_log__descriptor;
    T_ASSERT(b.arena != NULL);
    static const struct {
        const char *name, *url, *bytes;
        size_t n;
        enum err want;
    } rows[] = {
        ROW("good", "type.googleapis.com/" FILE_TYPE, "\x0a\x01x", 3, OK),
        ROW("no prefix", FILE_TYPE, "\x0a\x01x", 3, OK),
        ROW("other type", "x/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog", "", 0,
            E_PARSE),
        ROW("cut", "x/" FILE_TYPE, "\x0a\x05x", 3, E_PARSE),
        ROW("unknown field", "x/" FILE_TYPE, "\x50\x01\x0a\x01x", 5, E_NOTFOUND),
        ROW("a rule broken", "x/" FILE_TYPE, "", 0, E_PARSE),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct any_view in = {rows[i].url, (const uint8_t *)rows[i].bytes, rows[i].n};
        const ProtobufCMessage *m = NULL;
        struct diag d = {0};
        enum err e = model_unpack(&b, &in, type, &m, &d);
        T_EXPECT(e == rows[i].want, "%s: %s, want %s: %s", rows[i].name, err_name(e),
                 err_name(rows[i].want), d.msg);
        T_EXPECT((e == OK) == (m != NULL), "%s", rows[i].name);
    }
    arena_free(&b.arena);
}

T(model_ext, durations)
{
    static const struct {
        int64_t s;
        int32_t ns;
        enum err want;
        uint64_t ms;
    } rows[] = {
        {0,          0,          OK,      0            },
        {1,          500000000,  OK,      1500         },
        {0,          1,          OK,      1            },
        {0,          1000000,    OK,      1            },
        {0,          1000001,    OK,      2            },
        {9223372035, 999999999,  OK,      9223372036000},
        {9223372036, 0,          E_PARSE, 0            },
        {-1,         0,          E_PARSE, 0            },
        {0,          -1,         E_PARSE, 0            },
        {0,          1000000000, E_PARSE, 0            },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        Google__Protobuf__Duration m = GOOGLE__PROTOBUF__DURATION__INIT;
        m.seconds = rows[i].s;
        m.nanos = rows[i].ns;
        uint64_t got = 0;
        enum err e = model_duration_ms(&m.base, 7, &got, NULL);
        T_EXPECT(e == rows[i].want && got == rows[i].ms, "row %zu: %s %llu", i, err_name(e),
                 (unsigned long long)got);
    }
    uint64_t got = 0;
    T_EXPECT(model_duration_ms(NULL, 7, &got, NULL) == OK && got == 7, "the default");
}
