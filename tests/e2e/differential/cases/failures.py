"""Upstream failures: refused, unanswered, closed, reset, nonsense, cut short."""

from diffkit.case import Case, close, get, hang, head, http, pause, reply, request, reset, response, send
from diffkit.config import cluster

DEAD = {"clusters": [cluster("origin", ("@DEAD@",))]}
FULL = {"clusters": [cluster("origin", ("@FULL@",), connect_timeout="0.3s")]}


def post(body=b"abc"):
    return [send(http(method="POST", body=body)), response()]


def first(*steps):
    """The steps once, then ordinary answers on later connections."""
    return {"origin": [[request(), *steps], [request(), reply()]]}


OK = b"HTTP/1.1 200 OK\r\n"

CASES = [
    Case("connect-refused", "503 UF", [get("/")], DEAD),
    Case("connect-refused-post", "503 UF", [post()], DEAD),
    Case("connect-refused-head", "503 UF", [get("/", method="HEAD")], DEAD),
    Case("connect-refused-then-again", "503 UF, 503 UF", [get("/") + get("/")], DEAD, about="the connection is kept"),
    Case(
        "connect-refused-half-body",
        "503 UF",
        [[send(http(method="POST", headers=[("Content-Length", "10")], body=b"abc")), response()]],
        DEAD,
    ),
    Case(
        "connect-refused-grpc",
        "200 UF",
        [get("/", method="POST", headers=[("content-type", "application/grpc")], body=b"")],
        DEAD,
    ),
    Case("connect-timeout", "503 UF", [get("/")], FULL),
    Case("origin-closes-at-once", "503 UC", [get("/")], origins=first(close())),
    Case("origin-closes-on-connect", "503 UC", [get("/")], origins={"origin": [[close()]]}),
    Case("origin-closes-before-body-read", "503 UC", [post(b"x" * 100)], origins={"origin": [[head(), close()]]}),
    Case("origin-resets", "503 UC", [get("/")], origins=first(reset())),
    Case(
        "origin-fails-then-works",
        "503 UC, 200 -",
        [get("/") + get("/")],
        origins=first(close()),
        about="the next request opens a new connection",
    ),
    Case("origin-garbage", "502 UPE", [get("/")], origins=first(send("this is not HTTP\r\n\r\n"))),
    Case("origin-cut-status-line", "502 UPE", [get("/")], origins=first(send("HTTP/1.1 20"), close())),
    Case("origin-cut-headers", "502 UPE", [get("/")], origins=first(send(OK + b"content-le"), close())),
    Case(
        "origin-bad-content-length",
        "502 UPE",
        [get("/")],
        origins=first(send(OK + b"content-length: abc\r\n\r\n"), hang()),
    ),
    Case(
        "origin-two-lengths",
        "502 UPE",
        [get("/")],
        origins=first(send(OK + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd"), hang()),
    ),
    Case(
        "origin-bad-header-name",
        "502 UPE",
        [get("/")],
        origins=first(send(OK + b"bad name: 1\r\ncontent-length: 0\r\n\r\n"), hang()),
    ),
    Case(
        "origin-unknown-coding",
        "502 UPE",
        [get("/")],
        origins=first(send(OK + b"transfer-encoding: gzip\r\n\r\n"), hang()),
    ),
    Case(
        "origin-large-headers",
        "200 -",
        [get("/")],
        origins=first(send(OK + b"x-large: " + b"y" * 70000 + b"\r\ncontent-length: 0\r\n\r\n"), hang()),
    ),
    Case(
        "origin-too-large-headers",
        "502 UPE",
        [get("/")],
        {
            "clusters": [
                cluster(
                    "origin",
                    typed_extension_protocol_options={
                        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                            "explicit_http_config": {"http_protocol_options": {}},
                            "common_http_protocol_options": {"max_response_headers_kb": 16},
                        }
                    },
                )
            ]
        },
        first(send(OK + b"x-large: " + b"y" * 20000 + b"\r\ncontent-length: 0\r\n\r\n"), hang()),
    ),
    Case(
        "origin-many-headers",
        "502 UPE",
        [get("/")],
        origins=first(
            send(OK + b"".join(b"x-%d: 1\r\n" % i for i in range(101)) + b"content-length: 0\r\n\r\n"), hang()
        ),
    ),
    Case(
        "origin-body-cut-length",
        "200 UPE",
        [get("/")],
        origins=first(send(OK + b"content-length: 100\r\n\r\nshort"), pause(100), close()),
    ),
    Case(
        "origin-body-cut-chunked",
        "200 UPE",
        [get("/")],
        origins=first(send(OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"), pause(100), close()),
    ),
    Case(
        "origin-body-reset",
        "200 UPE",
        [get("/")],
        origins=first(send(OK + b"content-length: 100\r\n\r\nshort"), pause(100), reset()),
    ),
    Case(
        "origin-bad-chunk",
        "200 UPE",
        [get("/")],
        origins=first(
            send(OK + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"), pause(100), send("zz\r\n"), hang()
        ),
    ),
    Case("origin-body-to-end", "200 -", [get("/")], origins=first(send(OK + b"\r\nuntil the end"), close())),
    Case(
        "origin-more-than-length",
        "200 -, 200 -",
        [get("/") + get("/")],
        origins={"origin": [[request(), send(OK + b"content-length: 2\r\n\r\nokEXTRA"), hang()], [request(), reply()]]},
    ),
    Case(
        "origin-speaks-while-idle",
        "200 -, 200 -",
        [get("/") + [pause(200)] + get("/")],
        origins={
            "origin": [
                [request(), reply(), pause(50), send(OK + b"content-length: 3\r\n\r\nbad"), hang()],
                [request(), reply()],
            ]
        },
        about="bytes that nobody asked for end the idle connection",
    ),
    Case(
        "origin-answers-early",
        "200 -",
        [[send(http(method="POST", headers=[("Content-Length", "100000")], body=b"x" * 10)), response()]],
        origins={"origin": [[head(), reply(), hang()]]},
        about="the answer comes before the request is complete",
    ),
    Case(
        "origin-connection-close",
        "200 -, 200 -",
        [get("/") + get("/")],
        origins={"origin": [[request(), reply(headers=[("connection", "close")]), close()]]},
        about="the client's connection is kept, the upstream one is not reused",
    ),
    Case(
        "origin-http10",
        "200 -, 200 -",
        [get("/") + get("/")],
        origins={"origin": [[request(), send("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"), close()]]},
    ),
    Case(
        "origin-http10-keep-alive",
        "200 -, 200 -",
        [get("/") + get("/")],
        origins={
            "origin": [[request(), send("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok")]]
        },
    ),
    Case(
        "origin-closes-idle",
        "200 -, 200 -",
        [get("/") + [pause(200)] + get("/")],
        origins={"origin": [[request(), reply(), pause(50), close()], [request(), reply()]]},
    ),
    Case(
        "client-leaves-before-answer",
        "0 DC",
        [[send(http()), pause(100), close()]],
        origins={"origin": [[request(), hang()]]},
    ),
    Case(
        "client-resets-before-answer",
        "0 DC",
        [[send(http()), pause(100), reset()]],
        origins={"origin": [[request(), hang()]]},
    ),
    Case(
        "client-leaves-during-answer",
        "200 DC",
        [[send(http()), ("read", 10), pause(100), close()]],
        origins={"origin": [[request(), send(OK + b"content-length: 100\r\n\r\nshort"), hang()]]},
    ),
    Case(
        "client-leaves-during-request",
        "0 DC",
        [[send(http(method="POST", headers=[("Content-Length", "100")], body=b"abc")), pause(100), close()]],
        origins={"origin": [[request()]]},
    ),
]
