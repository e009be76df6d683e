"""Headers on the way through: hop-by-hop, forwarding, request ids, x-envoy-*, server, date, via, expected time-out."""

from diffkit.case import Case, get, request, reply, send

UUID = "12345678-1234-4234-8234-123456789abc"
REMOTE = "{use_remote_address: true}"
OWN = [
    ("x-envoy-retry-on", "5xx"),
    ("x-envoy-max-retries", "2"),
    ("x-envoy-upstream-rq-timeout-ms", "1000"),
    ("x-envoy-upstream-rq-per-try-timeout-ms", "500"),
    ("x-envoy-expected-rq-timeout-ms", "1"),
    ("x-envoy-internal", "true"),
    ("x-envoy-original-path", "/o"),
    ("x-envoy-external-address", "9.9.9.9"),
    ("x-envoy-attempt-count", "7"),
    ("x-envoy-decorator-operation", "op"),
    ("x-envoy-downstream-service-cluster", "c"),
    ("x-envoy-downstream-service-node", "n"),
    ("x-envoy-force-trace", "1"),
    ("x-envoy-ip-tags", "t"),
    ("x-envoy-original-url", "/u"),
    ("x-envoy-is-timeout-retry", "true"),
    ("x-envoy-upstream-alt-stat-name", "alt"),
    ("x-envoy-retriable-status-codes", "503"),
    ("x-envoy-hedge-on-per-try-timeout", "true"),
    ("x-envoy-other", "kept"),
]


def sends(*headers):
    return [get("/", headers=list(headers))]


def answers(*headers, body=b"ok", status="200 OK"):
    return {"origin": [[request(), reply(status, headers, body)]]}


def xff(name, value, hcm, extra=()):
    headers = ([("x-forwarded-for", value)] if value else []) + list(extra)
    return Case(f"xff-{name}", "200 -", [get("/", headers=headers)], {"hcm": hcm} if hcm else {})


CASES = [
    Case(
        "request-header-case-and-order",
        "200 -",
        sends(("X-First", "1"), ("Accept", "*/*"), ("x-SECOND", "2"), ("X-first", "3")),
    ),
    Case(
        "request-headers-repeated",
        "200 -",
        sends(
            ("Accept", "a"),
            ("X-A", "1"),
            ("Accept", "b"),
            ("X-A", "2"),
            ("Cookie", "a=1"),
            ("Cookie", "b=2"),
            ("Vary", "x"),
            ("Vary", "y"),
            ("Cache-Control", "no-cache"),
            ("Cache-Control", "no-store"),
        ),
    ),
    Case(
        "response-headers-repeated",
        "200 -",
        [get("/")],
        origins=answers(
            ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Vary", "x"), ("Vary", "y"), ("X-A", "1"), ("X-A", "2")
        ),
    ),
    Case(
        "response-header-case-and-order",
        "200 -",
        [get("/")],
        origins=answers(("X-First", "1"), ("Content-Type", "text/plain"), ("x-SECOND", "2")),
    ),
    Case(
        "connection-named-stripped",
        "200 -",
        sends(("Connection", "X-Drop, keep-alive"), ("X-Drop", "1"), ("X-Keep", "2")),
    ),
    Case(
        "connection-named-several",
        "200 -",
        sends(("Connection", "x-a"), ("Connection", "x-b , x-c"), ("x-a", "1"), ("x-b", "2"), ("x-c", "3")),
    ),
    Case("connection-named-close", "200 -", sends(("Connection", "close, x-a"), ("x-a", "1"))),
    Case(
        "connection-names-known",
        "400 DPE",
        sends(
            ("Connection", "accept, x-forwarded-for, content-length"), ("Accept", "*/*"), ("x-forwarded-for", "1.2.3.4")
        ),
    ),
    Case(
        "hop-by-hop-request",
        "200 -",
        sends(
            ("Keep-Alive", "timeout=5"),
            ("Proxy-Connection", "keep-alive"),
            ("TE", "trailers, gzip"),
            ("Trailer", "x-t"),
            ("Proxy-Authorization", "Basic eA=="),
            ("Proxy-Authenticate", "x"),
        ),
    ),
    Case("te-trailers", "200 -", sends(("TE", "trailers"), ("Connection", "TE"))),
    Case("te-gzip", "200 -", sends(("TE", "gzip"))),
    Case(
        "hop-by-hop-response",
        "200 -",
        [get("/")],
        origins=answers(
            ("Connection", "X-Named"),
            ("X-Named", "1"),
            ("Keep-Alive", "timeout=5"),
            ("Proxy-Connection", "keep-alive"),
            ("Proxy-Authenticate", "Basic"),
            ("TE", "x"),
            ("Trailer", "x-t"),
            ("Upgrade", "h2c"),
        ),
    ),
    Case("upgrade-header-only", "200 -", sends(("Upgrade", "websocket"))),
    Case("request-id-generated", "200 -", [get("/")]),
    Case("request-id-kept", "200 -", sends(("x-request-id", UUID))),
    Case("request-id-kept-any-text", "200 -", sends(("x-request-id", "not a uuid"))),
    Case("request-id-off", "200 -", [get("/")], {"hcm": "{generate_request_id: false}"}),
    Case(
        "request-id-in-response",
        "200 -",
        sends(("x-request-id", UUID)),
        {"hcm": "{always_set_request_id_in_response: true}"},
    ),
    Case("request-id-edge-replaced", "200 -", sends(("x-request-id", UUID)), {"hcm": REMOTE}),
    Case(
        "request-id-edge-preserved",
        "200 -",
        sends(("x-request-id", UUID)),
        {"hcm": "{use_remote_address: true, preserve_external_request_id: true}"},
    ),
    Case(
        "request-id-direct-response",
        "200 -",
        sends(("x-request-id", UUID)),
        {
            "hcm": "{always_set_request_id_in_response: true}",
            "routes": "[{match: {prefix: /}, direct_response: {status: 200}}]",
        },
    ),
    xff("none", None, None),
    xff("none-remote", None, REMOTE),
    xff("one", "1.2.3.4", None),
    xff("one-remote", "1.2.3.4", REMOTE),
    xff("two", "1.2.3.4, 5.6.7.8", None),
    xff("two-remote", "1.2.3.4, 5.6.7.8", REMOTE),
    xff("hops-1", "1.2.3.4, 5.6.7.8", "{xff_num_trusted_hops: 1}"),
    xff("hops-1-short", "1.2.3.4", "{xff_num_trusted_hops: 1}"),
    xff("hops-1-remote", "1.2.3.4, 5.6.7.8", "{use_remote_address: true, xff_num_trusted_hops: 1}"),
    xff("hops-2-remote", "1.2.3.4, 5.6.7.8", "{use_remote_address: true, xff_num_trusted_hops: 2}"),
    xff("skip-append", "1.2.3.4", "{use_remote_address: true, skip_xff_append: true}"),
    xff("bad", "not an address", None),
    xff("with-port", "1.2.3.4:80", None),
    xff("ipv6", "2001:db8::1", None),
    xff("internal-10", "10.0.0.1", None),
    xff(
        "internal-range",
        "10.0.0.1",
        "{internal_address_config: {cidr_ranges: [{address_prefix: 10.0.0.0, prefix_len: 8}]}}",
        OWN,
    ),
    xff(
        "internal-range-remote",
        None,
        "{use_remote_address: true, internal_address_config: {cidr_ranges: [{address_prefix: 127.0.0.0, prefix_len: 8}]}}",
        OWN,
    ),
    xff("proto-kept", None, None, [("x-forwarded-proto", "https")]),
    xff("proto-remote", None, REMOTE, [("x-forwarded-proto", "https")]),
    xff(
        "proto-remote-hops",
        "1.2.3.4",
        "{use_remote_address: true, xff_num_trusted_hops: 1}",
        [("x-forwarded-proto", "https")],
    ),
    xff("proto-bad", None, None, [("x-forwarded-proto", "ftp")]),
    xff("forwarded-port", None, "{append_x_forwarded_port: true}"),
    xff("forwarded-host-kept", None, None, [("x-forwarded-host", "outer.test")]),
    Case("own-headers-stripped", "200 -", sends(*OWN)),
    Case("own-headers-stripped-remote", "200 -", sends(*OWN), {"hcm": REMOTE}),
    Case(
        "own-headers-from-origin",
        "200 -",
        [get("/")],
        origins=answers(
            ("x-envoy-upstream-service-time", "12345"),
            ("x-envoy-upstream-canary", "true"),
            ("x-envoy-overloaded", "true"),
            ("x-envoy-attempt-count", "3"),
            ("x-envoy-degraded", "1"),
            ("x-envoy-decorator-operation", "op"),
            ("x-envoy-immediate-health-check-fail", "1"),
            ("x-envoy-ratelimited", "1"),
            ("x-envoy-other", "kept"),
        ),
    ),
    Case("server-overwritten", "200 -", [get("/")], origins=answers(("Server", "nginx"))),
    Case(
        "server-append-if-absent-present",
        "200 -",
        [get("/")],
        {"hcm": "{server_header_transformation: APPEND_IF_ABSENT}"},
        answers(("Server", "nginx")),
    ),
    Case(
        "server-append-if-absent-absent",
        "200 -",
        [get("/")],
        {"hcm": "{server_header_transformation: APPEND_IF_ABSENT}"},
    ),
    Case(
        "server-pass-through-present",
        "200 -",
        [get("/")],
        {"hcm": "{server_header_transformation: PASS_THROUGH}"},
        answers(("Server", "nginx")),
    ),
    Case("server-pass-through-absent", "200 -", [get("/")], {"hcm": "{server_header_transformation: PASS_THROUGH}"}),
    Case(
        "server-pass-through-local-reply",
        "404 NR",
        [get("/")],
        {"hcm": "{server_header_transformation: PASS_THROUGH}", "vhosts": "[]"},
    ),
    Case("server-name", "200 -", [get("/")], {"hcm": "{server_name: mine}"}),
    Case("server-name-local-reply", "404 NR", [get("/")], {"hcm": "{server_name: mine}", "vhosts": "[]"}),
    Case("date-kept", "200 -", [get("/")], origins=answers(("Date", "Mon, 01 Jan 2024 00:00:00 GMT"))),
    Case("date-nonsense-kept", "200 -", [get("/")], origins=answers(("Date", "yesterday"))),
    Case("via", "200 -", sends(("Via", "1.1 before")), {"hcm": "{via: 1.1 weft}"}, answers(("Via", "1.1 behind"))),
    Case("via-local-reply", "404 NR", [get("/")], {"hcm": "{via: 1.1 weft}", "vhosts": "[]"}),
    Case("expected-timeout-default", "200 -", [get("/")]),
    Case(
        "expected-timeout-set",
        "200 -",
        [get("/")],
        {"routes": "[{match: {prefix: /}, route: {cluster: origin, timeout: 2.5s}}]"},
    ),
    Case(
        "expected-timeout-zero",
        "200 -",
        [get("/")],
        {"routes": "[{match: {prefix: /}, route: {cluster: origin, timeout: 0s}}]"},
    ),
    Case(
        "service-time-is-the-origins", "200 -", [get("/")], origins={"origin": [[request(), ("pause", 120), reply()]]}
    ),
    Case(
        "suppress-own-headers",
        "200 -",
        sends(("x-envoy-upstream-rq-timeout-ms", "1")),
        {"hcm": """
http_filters:
- name: envoy.filters.http.router
  typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router, suppress_envoy_headers: true}
"""},
    ),
    Case("codec-auto", "200 -", [get("/")], {"hcm": "{codec_type: AUTO}"}),
    Case(
        "content-length-zero",
        "200 -",
        [get("/")],
        origins={"origin": [[request(), send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")]]},
    ),
    Case(
        "default-log-format",
        "",
        [get("/a?b=c", headers=[("User-Agent", "test/1"), ("x-request-id", UUID), ("x-forwarded-for", "1.2.3.4")])],
        {"log": None},
        about="the access log's default text",
    ),
]
