/* Listeners: what is accepted, with whose words the rest is refused, and the defaults. The texts
 * are those of Envoy 1.40 run with --mode validate. */
#include "tests/support/t.h"
#include "tests/unit/config/fake_registry.h"

#define TCP                                                                                        \
    "{name: t, typed_config: {'@type': type.googleapis.com/"                                       \
    "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: x, cluster: c}}"
#define PLAIN                                                                                      \
    "{name: p, typed_config: {'@type': type.googleapis.com/"                                       \
    "envoy.extensions.access_loggers.stream.v3.StderrAccessLog}}"
#define ROUTER_IN_TCP                                                                              \
    "{name: x, typed_config: {'@type': type.googleapis.com/"                                       \
    "envoy.extensions.filters.http.router.v3.Router}}"
#define DST                                                                                        \
    "{name: o, typed_config: {'@type': type.googleapis.com/"                                       \
    "envoy.extensions.filters.listener.original_dst.v3.OriginalDst}}"
#define ADDRESS(ip) "address: {socket_address: {address: " ip ", port_value: 80}}"
#define AT80 ADDRESS("127.0.0.1")
#define CHAINS "filter_chains: [{filters: [" TCP "]}]"

static const char before[] = "static_resources: {listeners: [";
static const char after[] = "]}";

static const struct fake_case addresses[] = {
    ROW("v4", "{name: l, " AT80 ", " CHAINS "}", NULL, NULL),
    ROW("v6", "{name: l, " ADDRESS("'::1'") ", " CHAINS "}", NULL, NULL),
    ROW("v6 any takes v4",
        "{name: l, address: {socket_address: {address: '::', port_value: 1, ipv4_compat: "
        "true}}, " CHAINS "}",
        NULL, NULL),
    ROW("mapped takes v4",
        "{name: l, address: {socket_address: {address: '::ffff:1.2.3.4', port_value: 1, "
        "ipv4_compat: "
        "true}}, " CHAINS "}",
        NULL, NULL),
    ROW("v4 takes v4",
        "{name: l, address: {socket_address: {address: 0.0.0.0, port_value: 1, ipv4_compat: "
        "true}}, " CHAINS "}",
        "Only IPv6 address '::' or valid IPv4-mapped IPv6 address can set ipv4_compat: 0.0.0.0:1",
        "listeners[0].address.socket_address.ipv4_compat"),
    ROW("v6 takes v4",
        "{name: l, address: {socket_address: {address: '0:0::1', port_value: 1, ipv4_compat: "
        "true}}, " CHAINS "}",
        "can set ipv4_compat: [::1]:1", NULL),
    ROW("name", "{name: l, " ADDRESS("foo") ", " CHAINS "}", "malformed IP address: foo",
        "static_resources.listeners[0].address.socket_address.address"),
    ROW("three parts", "{name: l, " ADDRESS("1.2.3") ", " CHAINS "}", "malformed IP address: 1.2.3",
        NULL),
    ROW("leading zero", "{name: l, " ADDRESS("01.2.3.4") ", " CHAINS "}", "malformed IP address",
        NULL),
    ROW("brackets", "{name: l, " ADDRESS("'[::1]'") ", " CHAINS "}", "malformed IP address: [::1]",
        NULL),
    ROW("zone", "{name: l, " ADDRESS("'fe80::1%eth0'") ", " CHAINS "}", "malformed IP address",
        NULL),
    ROW("no address", "{name: l, " CHAINS "}",
        "error adding listener named 'l': address is necessary", "listeners[0]"),
    ROW("empty address", "{name: l, address: {}, " CHAINS "}", "is required",
        "listeners[0].address"),
    ROW("no port", "{name: l, address: {socket_address: {address: 1.2.3.4}}, " CHAINS "}",
        "\"port_specifier\", reason: is required", NULL),
    ROW("port",
        "{name: l, address: {socket_address: {address: 1.2.3.4, port_value: 65536}}, " CHAINS "}",
        "value must be less than or equal to 65535", NULL),
    ROW("udp",
        "{name: l, address: {socket_address: {address: 1.2.3.4, port_value: 1, protocol: "
        "UDP}}, " CHAINS "}",
        "error adding listener '1.2.3.4:1': protocol UDP is unsupported",
        "socket_address.protocol"),
};

#define CHAIN(text) "{name: l, " AT80 ", filter_chains: [" text "]}"
static const struct fake_case chains[] = {
    ROW("none", "{name: l, " AT80 "}",
        "error adding listener '127.0.0.1:80': no filter chains specified",
        "listeners[0].filter_chains"),
    ROW("default only", "{name: l, " AT80 ", default_filter_chain: {filters: [" TCP "]}}", NULL,
        NULL),
    ROW("without filters", CHAIN("{}"), NULL, NULL),
    ROW("two by port",
        CHAIN("{filters: [" TCP "], filter_chain_match: {destination_port: 1}},"
              "{filters: [" TCP "], filter_chain_match: {destination_port: 2}}, {filters: [" TCP
              "]}"),
        NULL, NULL),
    ROW("same name", CHAIN("{name: a, filter_chain_match: {destination_port: 1}}, {name: a}"), NULL,
        NULL),
    ROW("same port",
        CHAIN("{name: a, filter_chain_match: {destination_port: 7}},"
              "{name: b, filter_chain_match: {destination_port: 7}}"),
        "error adding listener '127.0.0.1:80': filter chain 'b' has the same matching rules "
        "defined "
        "as 'a'. "
        "duplicate matcher is: {\"destination_port\":7}",
        "filter_chains[1]"),
    ROW("no match twice", CHAIN("{}, {filter_chain_match: {}}"),
        "filter chain '' has the same matching rules defined as ''. duplicate matcher is: {}",
        NULL),
    ROW("port 0", CHAIN("{filter_chain_match: {destination_port: 0}}"),
        "FilterChainMatchValidationError.DestinationPort: value must be inside range [1, 65535]",
        NULL),
    ROW("terminal first", CHAIN("{filters: [" TCP ", " TCP "]}"),
        "Error: terminal filter named t of type envoy.filters.network.tcp_proxy must be the last "
        "filter in a "
        "network filter chain.",
        "listeners[0].filter_chains[0].filters[0]"),
    ROW("plain before terminal", CHAIN("{filters: [" PLAIN ", " TCP "]}"), NULL, NULL),
    ROW("plain last", CHAIN("{filters: [" PLAIN "]}"),
        "Error: non-terminal filter named p of type test.filters.network.not_terminal is the last "
        "filter in a "
        "network filter chain.",
        "filters[0]"),
    ROW("plain last in default",
        "{name: l, " AT80 ", default_filter_chain: {filters: [" PLAIN "]}}",
        "Error: non-terminal filter", "listeners[0].default_filter_chain.filters[0]"),
    ROW("no configuration", CHAIN("{filters: [{name: envoy.filters.network.tcp_proxy}]}"),
        "Didn't find a registered implementation for 'envoy.filters.network.tcp_proxy' with type "
        "URL: "
        "''",
        "filters[0]"),
    ROW("of another kind", CHAIN("{filters: [" ROUTER_IN_TCP "]}"),
        "Didn't find a registered implementation for 'x' with type URL: "
        "'envoy.extensions.filters.http.router.v3.Router'",
        NULL),
    ROW("bad configuration",
        CHAIN("{filters: [{name: t, typed_config: {'@type': type.googleapis.com/"
              "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, cluster: c}}]}"),
        "TcpProxyValidationError.StatPrefix: value length must be at least 1 characters",
        "filters[0].typed_config.stat_prefix"),
    ROW("unnamed filter",
        CHAIN("{filters: [{typed_config: {'@type': type.googleapis.com/"
              "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, cluster: c, stat_prefix: "
              "x}}]}"),
        "FilterValidationError.Name: value length must be at least 1 characters", NULL),
};

#define WITH(text) "{name: l, " AT80 ", " CHAINS ", " text "}"
static const struct fake_case rest[] = {
    ROW("listener filter", WITH("listener_filters: [" DST "]"), NULL, NULL),
    ROW("twice", WITH("use_original_dst: true, listener_filters: [" DST ", " DST "]"), NULL, NULL),
    ROW("unknown listener filter", WITH("listener_filters: [{name: foo}]"),
        "Didn't find a registered implementation for 'foo' with type URL: ''",
        "listeners[0].listener_filters[0]"),
    ROW("negative time-out", WITH("listener_filters_timeout: -1s"),
        "Invalid duration: Expected positive duration", "listeners[0].listener_filters_timeout"),
    ROW("endless time-out", WITH("listener_filters_timeout: 9223372036s"),
        "Invalid duration: Duration out-of-range", NULL),
    ROW("long time-out", WITH("listener_filters_timeout: 9223372035s"), NULL, NULL),
    ROW("unknown direction", WITH("traffic_direction: 7"), NULL, NULL),
};

static const struct fake_case pairs[] = {
    ROW("one address", "{name: a, " AT80 ", " CHAINS "}, {name: b, " AT80 ", " CHAINS "}",
        "error adding listener: 'b' has duplicate address '127.0.0.1:80' as existing listener, to "
        "check if the "
        "listener has duplicated addresses with other listeners or 'enable_reuse_port' is set to "
        "'false' for the "
        "listener",
        "listeners[1].address"),
    ROW("one address, spelled differently",
        "{name: a, " ADDRESS("'::1'") ", " CHAINS "}, {name: b, " ADDRESS("'0:0::1'") ", " CHAINS
                                                                                      "}",
        "'b' has duplicate address '[::1]:80'", NULL),
    ROW("any port",
        "{name: a, address: {socket_address: {address: 1.2.3.4, port_value: 0}}, " CHAINS "},"
        "{name: b, address: {socket_address: {address: 1.2.3.4, port_value: 0}}, " CHAINS "}",
        NULL, NULL),
    ROW("all and one",
        "{name: a, " ADDRESS("0.0.0.0") ", " CHAINS "}, {name: b, " AT80 ", " CHAINS "}", NULL,
        NULL),
    ROW("a chain's fault comes first", "{name: a, " AT80 ", " CHAINS "}, {name: b, " AT80 "}",
        "no filter chains specified", "listeners[1].filter_chains"),
    ROW("the second of a name is not looked at",
        "{name: a, " AT80 ", " CHAINS "}, {name: a, " ADDRESS("foo") "}", NULL, NULL),
};

T(model_listener, addresses)
{
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
        fake_check(&addresses[i], before, after);
}

T(model_listener, chains)
{
    for (size_t i = 0; i < ARRAY_LEN(chains); i++)
        fake_check(&chains[i], before, after);
}

T(model_listener, other_fields)
{
    for (size_t i = 0; i < ARRAY_LEN(rest); i++)
        fake_check(&rest[i], before, after);
}

T(model_listener, pairs)
{
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        fake_check(&pairs[i], before, after);
}

static struct snap *build(const char *yaml)
{
    struct snap *s = NULL;
    struct diag d = {0};
    enum err e = fake_build(yaml, SIZE_MAX, &s, &d);
    T_EXPECT(e == OK, "refused: %s (%s)", d.msg, d.path);
    return s;
}

T(model_listener, defaults)
{
    struct snap *s = build("static_resources: {listeners: [{name: l, " AT80 ", " CHAINS "}]}");
    T_ASSERT(s != NULL && s->n_listeners == 1);
    const struct m_listener *l = &s->listeners[0];
    T_EXPECT_SV(l->name, SV("l"), "name");
    T_EXPECT_SV(l->stat_prefix, SV(""), "stat_prefix");
    T_EXPECT_SV(l->address.host, SV("127.0.0.1"), "host");
    T_EXPECT_EQ(l->address.port, 80, "port");
    T_EXPECT(!l->address.is_name && !l->address.ipv4_compat);
    T_EXPECT_EQ(l->n_listener_filters, 0, "listener filters");
    T_EXPECT_EQ(l->listener_filters_timeout_ms, 15000, "time-out");
    T_EXPECT_EQ(l->per_connection_buffer_limit_bytes, 1 << 20, "buffer");
    T_EXPECT_EQ(l->tcp_backlog, 0, "backlog");
    T_EXPECT_EQ(l->direction, M_DIR_UNSPECIFIED, "direction");
    T_EXPECT(l->reuse_port && !l->continue_on_listener_filters_timeout && l->default_chain == NULL);
    T_ASSERT(l->n_chains == 1 && l->chains[0].n_filters == 1);
    T_EXPECT_EQ(l->chains[0].destination_port, 0, "any port");
    T_EXPECT(l->message != NULL && l->message == s->listeners[0].message);
    snap_drop(&s);
}

T(model_listener, given_values)
{
    struct snap *s = build(
        "static_resources: {listeners: [{name: l, " AT80
        ", filter_chains: [{name: web, filters: [" TCP
        "], filter_chain_match: {destination_port: 443}}],"
        "default_filter_chain: {name: rest}, use_original_dst: true, listener_filters: [" DST "],"
        "stat_prefix: in, per_connection_buffer_limit_bytes: 4096, tcp_backlog_size: 7,"
        "listener_filters_timeout: 0.0001s, continue_on_listener_filters_timeout: true,"
        "traffic_direction: OUTBOUND, enable_reuse_port: false}]}");
    T_ASSERT(s != NULL && s->n_listeners == 1);
    const struct m_listener *l = &s->listeners[0];
    T_EXPECT_SV(l->stat_prefix, SV("in"), "stat_prefix");
    T_EXPECT_EQ(l->per_connection_buffer_limit_bytes, 4096, "buffer");
    T_EXPECT_EQ(l->tcp_backlog, 7, "backlog");
    T_EXPECT_EQ(l->listener_filters_timeout_ms, 1, "rounded up, as 0 would mean off");
    T_EXPECT_EQ(l->direction, M_DIR_OUTBOUND, "direction");
    T_EXPECT(!l->reuse_port && l->continue_on_listener_filters_timeout);
    T_ASSERT(l->n_listener_filters == 2);
    T_EXPECT_SV(l->listener_filters[0].name, SV("envoy.filters.listener.original_dst"), "added");
    T_EXPECT_SV(l->listener_filters[1].name, SV("o"), "listed");
    T_ASSERT(l->n_chains == 1 && l->default_chain != NULL);
    T_EXPECT_SV(l->chains[0].name, SV("web"), "chain");
    T_EXPECT_EQ(l->chains[0].destination_port, 443, "port");
    T_EXPECT_SV(l->chains[0].filters[0].name, SV("t"), "filter");
    const struct fake_tcp *t = l->chains[0].filters[0].conf;
    T_ASSERT(t != NULL && t->n_clusters == 1);
    T_EXPECT_EQ(t->clusters[0].cluster_index, UINT32_MAX, "tcp_proxy may name an unknown cluster");
    T_EXPECT_SV(l->default_chain->name, SV("rest"), "default chain");
    T_EXPECT_EQ(l->default_chain->n_filters, 0, "default chain");
    snap_drop(&s);
}

T(model_listener, names)
{
    static const char yaml[] = "static_resources: {listeners: [" WITH(
        "stat_prefix: first") ","
                              "{name: l, " ADDRESS(
                                  "127.0.0.2") ", " CHAINS ", stat_prefix: second},"
                                               "{" ADDRESS("127.0.0.2") ", " CHAINS "}, {" ADDRESS(
                                                   "127.0.0.3") ", " CHAINS "}]}";
    struct snap *s = build(yaml), *again = build(yaml);
    T_ASSERT(s != NULL && again != NULL);
    T_ASSERT(s->n_listeners == 3, "%zu listeners", s->n_listeners);
    T_EXPECT_SV(s->listeners[0].stat_prefix, SV("first"), "the first of a name stays");
    struct sv a = s->listeners[1].name, b = s->listeners[2].name;
    T_EXPECT(a.n == 36 && b.n == 36 && a.p[14] == '4', "UUIDs: '%.*s' '%.*s'", SVF(a), SVF(b));
    T_EXPECT(!sv_eq(a, b), "made-up names differ");
    T_EXPECT_SV(again->listeners[1].name, a, "the same after a restart");
    snap_drop(&s);
    snap_drop(&again);
}

T(model_listener, names_at_one_address)
{
#define ANY_PORT "{address: {socket_address: {address: 1.2.3.4, port_value: 0}}, " CHAINS "}"
    struct snap *s = build("static_resources: {listeners: [" ANY_PORT ", " ANY_PORT "]}");
    T_ASSERT(s != NULL && s->n_listeners == 2);
    T_EXPECT(!sv_eq(s->listeners[0].name, s->listeners[1].name), "made-up names differ");
    snap_drop(&s);
}

T(model_listener, unregistered_original_dst)
{
    struct diag d = {0};
    struct arena *a = arena_new(4096, SIZE_MAX);
    struct snap *s = NULL;
    T_ASSERT(a != NULL);
    ProtobufCMessage *m =
        fake_parse("static_resources: {listeners: [" WITH("use_original_dst: true") "]}", a);
    T_ASSERT(m != NULL);
    T_EXPECT_EQ(model_build(m, a, &empty_registry, NULL, &s, &d), E_UNSUPPORTED, "refused");
    T_EXPECT(strstr(d.msg, "'envoy.filters.listener.original_dst'") != NULL, "said %s", d.msg);
    T_EXPECT_SV(sv_str(d.path), SV("static_resources.listeners[0].use_original_dst"), "path");
}
