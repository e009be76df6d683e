"""Time-outs of routes, streams, requests, headers, connections; and circuit breakers."""

from diffkit.case import Case, fate, get, hang, http, pause, reply, request, response, send
from diffkit.config import cluster

SILENT = {"origin": [[request(), hang()]]}
OK = "HTTP/1.1 200 OK\r\n"


def route(text):
    return {"routes": "[{match: {prefix: /}, route: {cluster: origin, " + text + "}}]"}


def breaker(text):
    return {"clusters": [cluster("origin", circuit_breakers={"thresholds": [text]})]}


def delayed(ms, *steps):
    """A connection that starts its script a little later than the others."""
    return [pause(ms), *steps]


HALF = send(http(method="POST", headers=[("Content-Length", "10")], body=b"abc"))

CASES = [
    Case("route-timeout", "504 UT", [get("/")], route("timeout: 0.2s"), SILENT),
    Case(
        "route-timeout-then-again",
        "504 UT, 504 UT",
        [get("/") * 2],
        route("timeout: 0.2s"),
        SILENT,
        about="the client's connection is kept, the upstream one is closed",
    ),
    Case("route-timeout-head", "504 UT", [get("/", method="HEAD")], route("timeout: 0.2s"), SILENT),
    Case(
        "route-timeout-post",
        "504 UT",
        [[send(http(method="POST", body=b"abc")), response()]],
        route("timeout: 0.2s"),
        SILENT,
    ),
    Case(
        "route-timeout-starts-after-request",
        "200 -",
        [[HALF, pause(400), send(b"defghij"), response()]],
        route("timeout: 0.3s"),
    ),
    Case(
        "route-timeout-during-body",
        "200 UT",
        [get("/")],
        route("timeout: 0.3s"),
        {"origin": [[request(), send(OK + "content-length: 100\r\n\r\nshort"), hang()]]},
    ),
    Case(
        "route-timeout-slow-connect",
        "504 UT",
        [get("/")],
        {**route("timeout: 0.2s"), "clusters": [cluster("origin", ("@FULL@",), connect_timeout="5s")]},
    ),
    Case(
        "route-timeout-answer-in-time",
        "200 -",
        [get("/")],
        route("timeout: 1s"),
        {"origin": [[request(), pause(150), reply()]]},
    ),
    Case("stream-idle-timeout-waiting", "504 SI", [get("/")], {"hcm": "{stream_idle_timeout: 0.2s}"}, SILENT),
    Case(
        "stream-idle-timeout-request-incomplete",
        "408 SI",
        [[HALF, response()]],
        {"hcm": "{stream_idle_timeout: 0.2s}"},
        SILENT,
    ),
    Case(
        "stream-idle-timeout-half-headers",
        "408 SI",
        [[send(b"GET / HTTP/1.1\r\nHo"), response()]],
        {"hcm": "{stream_idle_timeout: 0.2s}"},
    ),
    Case(
        "stream-idle-timeout-during-body",
        "200 SI",
        [get("/")],
        {"hcm": "{stream_idle_timeout: 0.2s}"},
        {"origin": [[request(), send(OK + "content-length: 100\r\n\r\nshort"), hang()]]},
    ),
    Case("route-idle-timeout", "504 SI", [get("/")], route("idle_timeout: 0.2s"), SILENT),
    Case("request-timeout", "408 -", [[HALF, response()]], {"hcm": "{request_timeout: 0.2s}"}, SILENT),
    Case(
        "request-timeout-complete",
        "200 -",
        [get("/")],
        {"hcm": "{request_timeout: 0.1s}"},
        {"origin": [[request(), pause(250), reply()]]},
    ),
    Case(
        "request-headers-timeout",
        "408 -",
        [[send(b"GET / HTTP/1.1\r\nHo"), response()]],
        {"hcm": "{request_headers_timeout: 0.2s}"},
    ),
    Case(
        "request-headers-timeout-complete",
        "200 -",
        [[HALF, pause(300), send(b"defghij"), response()]],
        {"hcm": "{request_headers_timeout: 0.2s}"},
    ),
    Case(
        "connection-idle-timeout",
        "200 -",
        [get("/") + [pause(400), fate()]],
        {"hcm": "{common_http_protocol_options: {idle_timeout: 0.2s}}"},
    ),
    Case(
        "connection-idle-timeout-never-used",
        "",
        [[pause(400), fate()]],
        {"hcm": "{common_http_protocol_options: {idle_timeout: 0.2s}}"},
    ),
    Case(
        "max-connection-duration",
        "200 -",
        [get("/") + [pause(500), fate()]],
        {"hcm": "{drain_timeout: 0.1s, common_http_protocol_options: {max_connection_duration: 0.2s}}"},
    ),
    Case(
        "max-stream-duration",
        "504 -",
        [get("/")],
        {"hcm": "{common_http_protocol_options: {max_stream_duration: 0.2s}}"},
        SILENT,
    ),
    Case(
        "upstream-idle-timeout",
        "200 -, 200 -",
        [get("/") + [pause(400)] + get("/")],
        {
            "clusters": [
                cluster(
                    "origin",
                    typed_extension_protocol_options={
                        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                            "explicit_http_config": {"http_protocol_options": {}},
                            "common_http_protocol_options": {"idle_timeout": "0.2s"},
                        }
                    },
                )
            ]
        },
    ),
    Case(
        "upstream-max-requests-per-connection",
        "200 -, 200 -, 200 -",
        [get("/") * 3],
        {
            "clusters": [
                cluster(
                    "origin",
                    typed_extension_protocol_options={
                        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                            "explicit_http_config": {"http_protocol_options": {}},
                            "common_http_protocol_options": {"max_requests_per_connection": 2},
                        }
                    },
                )
            ]
        },
    ),
    Case("breaker-max-requests-0", "503 UO", [get("/")], breaker({"max_requests": 0})),
    Case(
        "breaker-max-requests-1",
        "200 -, 503 UO",
        [get("/"), delayed(150, *get("/"))],
        breaker({"max_requests": 1}),
        {"origin": [[request(), pause(600), reply()]]},
        parallel=True,
    ),
    Case("breaker-max-requests-1-in-turn", "200 -, 200 -", [get("/") * 2], breaker({"max_requests": 1})),
    Case("breaker-max-pending-0", "503 UO", [get("/")], breaker({"max_pending_requests": 0})),
    Case(
        "breaker-max-pending-1",
        "200 -, 200 -, 503 UO",
        [get("/1"), delayed(100, *get("/2")), delayed(200, *get("/3"))],
        breaker({"max_connections": 1, "max_pending_requests": 1}),
        {"origin": [[request(), pause(500), reply()]]},
        parallel=True,
    ),
    Case(
        "breaker-max-connections-1-waits",
        "200 -, 200 -",
        [get("/1"), delayed(100, *get("/2"))],
        breaker({"max_connections": 1}),
        {"origin": [[request(), pause(300), reply()]]},
        parallel=True,
    ),
    Case(
        "breaker-high-priority",
        "200 -",
        [get("/")],
        {**route("priority: HIGH"), **breaker({"max_requests": 0})},
        about="each priority has its own thresholds",
    ),
    Case(
        "breaker-overflow-post",
        "503 UO",
        [[send(http(method="POST", body=b"abc")), response()]],
        breaker({"max_requests": 0}),
    ),
    Case(
        "breaker-two-at-once",
        "200 -, 200 -",
        [get("/1"), delayed(100, *get("/2"))],
        origins={"origin": [[request(), pause(300), reply()]]},
        parallel=True,
        about="each gets a connection of its own",
    ),
]
