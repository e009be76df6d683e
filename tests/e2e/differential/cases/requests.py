"""What clients may send: bad and odd requests, versions, keep-alive, pipelining, framing, bodies, Expect."""

from diffkit.case import Case, close, fate, get, hang, head, http, interim, pause, reply, request, response, send, shut


def raw(data):
    return [[send(data), response()]]


def one(**kw):
    return [get(**kw)]


def many(*requests):
    """Requests one after the other on one connection."""
    return [[step for r in requests for step in (send(r), response())]]


def chunked(*chunks, extra=b"", trailers=b""):
    body = b"".join(b"%x%s\r\n%s\r\n" % (len(c), extra, c) for c in chunks)
    return body + b"0\r\n" + trailers + b"\r\n"


CHUNKED = [("Transfer-Encoding", "chunked")]
MIB = b"0123456789abcdef" * 65536
HELLO = b"GET / HTTP/1.1\r\nHost: h\r\n"

BAD_LINES = {
    "no-version": b"GET /\r\nHost: h\r\n\r\n",
    "not-http": b"garbage\r\n\r\n",
    "empty-lines-first": b"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
    "unknown-method": b"BREW / HTTP/1.1\r\nHost: h\r\n\r\n",
    "lower-case-method": b"get / HTTP/1.1\r\nHost: h\r\n\r\n",
    "two-spaces": b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
    "space-in-target": b"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
    "non-ascii-target": b"GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n",
    "fragment": b"GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n",
    "http2-version": b"GET / HTTP/2.0\r\nHost: h\r\n\r\n",
    "http12-version": b"GET / HTTP/1.2\r\nHost: h\r\n\r\n",
    "bad-protocol": b"GET / HTTQ/1.1\r\nHost: h\r\n\r\n",
    "h2-preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "tls-hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "options-star": b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
    "connect": b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
    "absolute-form": b"GET http://other.test/x?y HTTP/1.1\r\nHost: h\r\n\r\n",
    "absolute-form-no-path": b"GET http://other.test HTTP/1.1\r\nHost: h\r\n\r\n",
}
BAD_HEADERS = {
    "space-before-colon": b"X-A : 1\r\n",
    "bad-name": b"X A: 1\r\n",
    "no-colon": b"nothing\r\n",
    "empty-name": b": 1\r\n",
    "nul-in-value": b"X-A: a\x00b\r\n",
    "control-in-value": b"X-A: a\x01b\r\n",
    "high-byte-in-value": b"X-A: a\xffb\r\n",
    "tab-in-value": b"X-A: a\tb\r\n",
    "spaces-around-value": b"X-A:   a b \t \r\n",
    "empty-value": b"X-A:\r\n",
    "folded": b"X-A: a\r\n b\r\n",
    "folded-first": b" X-A: a\r\n",
    "bare-cr-in-value": b"X-A: a\rb\r\n",
    "bare-lf": b"X-A: a\nX-B: b\n",
    "underscore": b"x_a: 1\r\n",
    "upper-case": b"X-MiXeD: Value\r\n",
    "two-hosts": b"Host: other\r\n",
    "length-not-number": b"Content-Length: abc\r\n",
    "length-negative": b"Content-Length: -1\r\n",
    "length-plus": b"Content-Length: +3\r\n",
    "length-list": b"Content-Length: 3, 3\r\n",
    "length-twice-same": b"Content-Length: 3\r\nContent-Length: 3\r\n",
    "length-huge": b"Content-Length: 99999999999999999999999\r\n",
    "length-and-chunked": b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
    "coding-gzip": b"Transfer-Encoding: gzip\r\n",
    "coding-identity": b"Transfer-Encoding: identity\r\n",
    "coding-gzip-chunked": b"Transfer-Encoding: gzip, chunked\r\n",
    "coding-chunked-twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "connection-names-host": b"Connection: host\r\n",
}
# What Envoy answers to each (status and flags); 200 goes to the origin.
BAD_LINE_WANT = {
    "empty-lines-first": "200 -",
    "options-star": "404 -",
    "connect": "404 NR",
    "absolute-form": "200 -",
    "absolute-form-no-path": "200 -",
    "no-version": "426 DPE",
    "two-spaces": "200 -",
    "fragment": "400 -",
    "http2-version": "426 DPE",
    "http12-version": "426 DPE",
}
BAD_HEADER_WANT = {
    name: "200 -"
    for name in (
        "high-byte-in-value",
        "tab-in-value",
        "spaces-around-value",
        "empty-value",
        "folded",
        "bare-cr-in-value",
        "bare-lf",
        "underscore",
        "upper-case",
        "two-hosts",
    )
}
BAD_HEADER_WANT.update(
    {name: "501 DPE" for name in ("coding-gzip", "coding-identity", "coding-gzip-chunked", "coding-chunked-twice")}
)
BAD_HEADER_WANT["connection-names-host"] = "400 -"

CHUNKED_ORIGIN = [[request(), reply(chunks=[b"hello ", b"world"])]]
OK = "HTTP/1.1 200 OK\r\n"

CASES = [
    Case(f"request-line-{name}", BAD_LINE_WANT.get(name, "400 DPE"), raw(data)) for name, data in BAD_LINES.items()
]
CASES += [
    Case(f"request-header-{name}", BAD_HEADER_WANT.get(name, "400 DPE"), raw(HELLO + data + b"\r\n"))
    for name, data in BAD_HEADERS.items()
]
CASES += [
    Case("host-missing", "400 -", raw(b"GET / HTTP/1.1\r\n\r\n")),
    Case("host-empty", "200 -", raw(b"GET / HTTP/1.1\r\nHost:\r\n\r\n")),
    Case("host-invalid", "400 DPE", raw(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n")),
    Case("http10", "426 DPE", raw(b"GET / HTTP/1.0\r\nHost: h\r\n\r\n")),
    Case(
        "http10-accepted",
        "200 -",
        raw(b"GET / HTTP/1.0\r\nHost: h\r\n\r\n"),
        {"hcm": "{http_protocol_options: {accept_http_10: true}}"},
    ),
    Case(
        "http10-accepted-keep-alive",
        "200 -",
        raw(b"GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n"),
        {"hcm": "{http_protocol_options: {accept_http_10: true}}"},
    ),
    Case(
        "http10-accepted-chunked-answer",
        "200 -",
        raw(b"GET / HTTP/1.0\r\nHost: h\r\n\r\n"),
        {"hcm": "{http_protocol_options: {accept_http_10: true}}"},
        {"origin": CHUNKED_ORIGIN},
    ),
    Case(
        "http10-accepted-no-host",
        "200 -",
        raw(b"GET / HTTP/1.0\r\n\r\n"),
        {"hcm": "{http_protocol_options: {accept_http_10: true, default_host_for_http_10: default.test}}"},
    ),
    Case(
        "absolute-form-off",
        "404 -",
        raw(b"GET http://other.test/x HTTP/1.1\r\nHost: h\r\n\r\n"),
        {"hcm": "{http_protocol_options: {allow_absolute_url: false}}"},
    ),
    Case(
        "bad-then-no-more",
        "400 DPE",
        [[send(b"BREW / HTTP/1.1\r\n\r\n" + HELLO + b"\r\n"), response()]],
        about="nothing after a bad request is looked at",
    ),
    Case("good-then-bad", "200 -, 400 DPE", many(HELLO + b"\r\n", b"BREW / HTTP/1.1\r\n\r\n")),
    Case("request-headers-too-large", "431 DPE", [get("/", headers=[("x-large", "y" * 62000)])]),
    Case("request-headers-just-fit", "200 -", [get("/", headers=[("x-large", "y" * 60000)])]),
    Case(
        "request-headers-limit-set",
        "431 DPE",
        [get("/", headers=[("x-large", "y" * 2000)])],
        {"hcm": "{max_request_headers_kb: 1}"},
    ),
    Case("request-target-too-large", "431 DPE", [get("/" + "p" * 62000)]),
    Case("request-headers-too-many", "431 DPE", [get("/", headers=[(f"x-{i}", "1") for i in range(100)])]),
    Case("request-headers-many-fit", "200 -", [get("/", headers=[(f"x-{i}", "1") for i in range(99)])]),
    Case(
        "request-headers-count-set",
        "431 DPE",
        [get("/", headers=[(f"x-{i}", "1") for i in range(10)])],
        {"hcm": "{common_http_protocol_options: {max_headers_count: 10}}"},
    ),
    Case(
        "underscore-reject",
        "400 DPE",
        [get("/", headers=[("x_a", "1")])],
        {"hcm": "{common_http_protocol_options: {headers_with_underscores_action: REJECT_REQUEST}}"},
    ),
    Case(
        "underscore-drop",
        "200 -",
        [get("/", headers=[("x_a", "1"), ("x-b", "2")])],
        {"hcm": "{common_http_protocol_options: {headers_with_underscores_action: DROP_HEADER}}"},
    ),
    Case("keep-alive", "200 -, 200 -, 200 -", [get("/1") + get("/2") + get("/3")]),
    Case("two-connections", "200 -, 200 -", [get("/1"), get("/2")], about="the upstream connection is used again"),
    Case("connection-close", "200 -", [get("/", headers=[("Connection", "close")])]),
    Case("connection-close-upper", "200 -", [get("/", headers=[("Connection", "Close")])]),
    Case("connection-keep-alive", "200 -, 200 -", [get("/", headers=[("Connection", "keep-alive")]) * 2]),
    Case(
        "max-requests-per-connection",
        "200 -, 200 -",
        [get("/1") + get("/2")],
        {"hcm": "{common_http_protocol_options: {max_requests_per_connection: 2}}"},
    ),
    Case("pipelining", "200 -, 200 -", [[send(http("/1") + http("/2")), response(), response()]]),
    Case(
        "pipelining-with-body",
        "200 -, 200 -",
        [[send(http("/1", method="POST", body=b"abc") + http("/2")), response(), response()]],
    ),
    Case(
        "pipelining-chunked",
        "200 -, 200 -",
        [[send(http("/1", method="POST", headers=CHUNKED, body=chunked(b"abc")) + http("/2")), response(), response()]],
    ),
    Case(
        "pipelining-close-first",
        "200 -",
        [[send(http("/1", headers=[("Connection", "close")]) + http("/2")), response()]],
    ),
    Case(
        "pipelining-second-bad",
        "200 -, 400 DPE",
        [[send(http("/1") + b"BREW / HTTP/1.1\r\n\r\n"), response(), response()]],
    ),
    Case(
        "slow-request",
        "200 -",
        [
            [
                send(b"GE"),
                pause(30),
                send(b"T / HT"),
                pause(30),
                send(b"TP/1.1\r\nHo"),
                pause(30),
                send(b"st: h\r"),
                pause(30),
                send(b"\n\r"),
                pause(30),
                send(b"\n"),
                response(),
            ]
        ],
    ),
    Case(
        "slow-body",
        "200 -",
        [
            [
                send(http(method="POST", headers=[("Content-Length", "6")], body=b"abc")),
                pause(100),
                send(b"def"),
                response(),
            ]
        ],
    ),
    Case("post-length", "200 -", many(http(method="POST", body=b"hello"))),
    Case("post-empty", "200 -", many(http(method="POST", body=b""))),
    Case("post-no-length", "200 -", many(http(method="POST"))),
    Case("put-no-length", "200 -", many(http(method="PUT"))),
    Case("delete-no-length", "200 -", many(http(method="DELETE"))),
    Case("patch-body", "200 -", many(http(method="PATCH", body=b"{}"))),
    Case("get-with-body", "200 -", many(http(body=b"body"))),
    Case(
        "other-methods",
        "200 -, 200 -, 200 -",
        many(http(method="OPTIONS"), http(method="TRACE"), http(method="PROPFIND")),
    ),
    Case("chunked-request", "200 -", many(http(method="POST", headers=CHUNKED, body=chunked(b"hello ", b"world")))),
    Case(
        "chunked-request-slow",
        "200 -",
        [
            [
                send(http(method="POST", headers=CHUNKED, body=b"6\r\nhel")),
                pause(80),
                send(b"lo \r\n5\r"),
                pause(80),
                send(b"\nworld\r\n0\r\n"),
                pause(80),
                send(b"\r\n"),
                response(),
            ]
        ],
    ),
    Case(
        "chunked-request-extension",
        "200 -",
        many(http(method="POST", headers=CHUNKED, body=chunked(b"abc", extra=b";name=value"))),
    ),
    Case(
        "chunked-request-upper-hex",
        "200 -",
        many(http(method="POST", headers=CHUNKED, body=b"A\r\n0123456789\r\n0\r\n\r\n")),
    ),
    Case(
        "chunked-request-trailers",
        "200 -",
        many(http(method="POST", headers=CHUNKED, body=chunked(b"abc", trailers=b"x-t: 1\r\n"))),
    ),
    Case(
        "chunked-request-trailers-enabled",
        "200 -",
        many(http(method="POST", headers=CHUNKED, body=chunked(b"abc", trailers=b"x-t: 1\r\n"))),
        {"hcm": "{http_protocol_options: {enable_trailers: true}}"},
    ),
    Case(
        "chunked-request-coding-case",
        "200 -",
        many(http(method="POST", headers=[("Transfer-Encoding", "Chunked")], body=chunked(b"abc"))),
    ),
    Case(
        "chunked-request-bad-size",
        "400 DPE",
        many(http(method="POST", headers=CHUNKED, body=b"zz\r\nabc\r\n0\r\n\r\n")),
    ),
    Case("chunked-request-bad-end", "400 DPE", many(http(method="POST", headers=CHUNKED, body=b"3\r\nabcXX0\r\n\r\n"))),
    Case("chunked-response", "200 -, 200 -", [get("/") * 2], origins={"origin": CHUNKED_ORIGIN}),
    Case(
        "chunked-response-slow",
        "200 -",
        [get("/")],
        origins={
            "origin": [
                [
                    request(),
                    send(OK + "transfer-encoding: chunked\r\n\r\n5\r\nhel"),
                    pause(80),
                    send("lo\r\n"),
                    pause(80),
                    send("0\r\n\r\n"),
                ]
            ]
        },
    ),
    Case(
        "chunked-response-trailers",
        "200 -",
        [get("/")],
        origins={
            "origin": [[request(), send(OK + "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-t: 1\r\n\r\n")]]
        },
    ),
    Case(
        "chunked-response-with-length",
        "502 UPE",
        [get("/")],
        origins={
            "origin": [
                [request(), send(OK + "content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")]
            ]
        },
    ),
    Case(
        "head-length",
        "200 -, 200 -",
        [get("/", method="HEAD") * 2],
        origins={"origin": [[request(), send(OK + "content-length: 1234\r\n\r\n")]]},
    ),
    Case(
        "head-chunked",
        "200 -",
        [get("/", method="HEAD")],
        origins={"origin": [[request(), send(OK + "transfer-encoding: chunked\r\n\r\n")]]},
    ),
    Case("head-no-length", "200 -", [get("/", method="HEAD")], origins={"origin": [[request(), send(OK + "\r\n")]]}),
    Case(
        "status-204",
        "204 -, 204 -",
        [get("/") * 2],
        origins={"origin": [[request(), reply("204 No Content", body=None)]]},
    ),
    Case(
        "status-204-with-length",
        "204 -",
        [get("/")],
        origins={"origin": [[request(), send("HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n")]]},
    ),
    Case(
        "status-304",
        "304 -, 304 -",
        [get("/") * 2],
        origins={"origin": [[request(), reply("304 Not Modified", [("etag", '"1"')], body=None)]]},
    ),
    Case(
        "status-304-with-length",
        "304 -",
        [get("/")],
        origins={"origin": [[request(), send("HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\n\r\n")]]},
    ),
    Case("status-unknown", "299 -", [get("/")], origins={"origin": [[request(), reply("299 Whatever It Was")]]}),
    Case("status-reason-replaced", "404 -", [get("/")], origins={"origin": [[request(), reply("404 Gone Fishing")]]}),
    Case(
        "status-no-reason",
        "200 -",
        [get("/")],
        origins={"origin": [[request(), send("HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok")]]},
    ),
    Case(
        "status-500",
        "500 -",
        [get("/")],
        origins={"origin": [[request(), reply("500 Internal Server Error", body=b"oops")]]},
    ),
    Case(
        "interim-103",
        "200 -",
        [get("/")],
        origins={"origin": [[request(), send("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"), reply()]]},
    ),
    Case(
        "interim-100-unasked",
        "200 -",
        [get("/")],
        origins={"origin": [[request(), send("HTTP/1.1 100 Continue\r\n\r\n"), reply()]]},
    ),
    Case(
        "expect-continue",
        "200 -",
        [
            [
                send(http(method="POST", headers=[("Expect", "100-continue"), ("Content-Length", "3")])),
                interim(),
                send(b"abc"),
                response(),
            ]
        ],
    ),
    Case(
        "expect-continue-body-at-once",
        "200 -",
        [[send(http(method="POST", headers=[("Expect", "100-continue")], body=b"abc")), response()]],
    ),
    Case(
        "expect-continue-direct-response",
        "200 -",
        [
            [
                send(http(method="POST", headers=[("Expect", "100-continue"), ("Content-Length", "3")])),
                interim(),
                send(b"abc"),
                response(),
            ]
        ],
        {"routes": "[{match: {prefix: /}, direct_response: {status: 200}}]"},
    ),
    Case(
        "expect-continue-proxied",
        "200 -",
        [
            [
                send(http(method="POST", headers=[("Expect", "100-continue"), ("Content-Length", "3")])),
                interim(),
                send(b"abc"),
                response(),
            ]
        ],
        {"hcm": "{proxy_100_continue: true}"},
        {"origin": [[head(), send("HTTP/1.1 100 Continue\r\n\r\n"), ("read", 3), reply()]]},
    ),
    Case(
        "expect-continue-proxied-refused",
        "417 -",
        [[send(http(method="POST", headers=[("Expect", "100-continue"), ("Content-Length", "3")])), response("GET")]],
        {"hcm": "{proxy_100_continue: true}"},
        {"origin": [[head(), reply("417 Expectation Failed"), hang()]]},
    ),
    Case(
        "expect-other",
        "200 -",
        [[send(http(method="POST", headers=[("Expect", "something")], body=b"abc")), response()]],
    ),
    Case("large-request-body", "200 -", many(http(method="POST", body=MIB))),
    Case(
        "large-chunked-request-body",
        "200 -",
        many(
            http(method="POST", headers=CHUNKED, body=chunked(*[MIB[i : i + 50000] for i in range(0, len(MIB), 50000)]))
        ),
    ),
    Case("large-response-body", "200 -, 200 -", [get("/") * 2], origins={"origin": [[request(), reply(body=MIB)]]}),
    Case(
        "large-chunked-response-body",
        "200 -",
        [get("/")],
        origins={"origin": [[request(), reply(chunks=[MIB[i : i + 50000] for i in range(0, len(MIB), 50000)])]]},
    ),
    Case(
        "large-both-ways",
        "200 -",
        many(http(method="POST", body=MIB)),
        origins={"origin": [[request(), reply(body=MIB)]]},
    ),
    Case(
        "half-close-before-answer",
        "0 DC",
        [[send(http()), pause(100), shut(), response()]],
        origins={"origin": [[request(), pause(400), reply()]]},
    ),
    Case("half-close-after-answer", "200 -", [get("/") + [shut(), fate()]]),
    Case("client-ends-mid-headers", "0 DC", [[send(b"GET / HTTP/1.1\r\nHost"), shut(), fate()]]),
    Case("client-connects-only", "", [[close()]]),
    Case("upgrade-not-configured", "403 -", [get("/", headers=[("Connection", "Upgrade"), ("Upgrade", "websocket")])]),
    Case(
        "upgrade-h2c-ignored",
        "200 -",
        [
            get(
                "/",
                headers=[
                    ("Connection", "Upgrade, HTTP2-Settings"),
                    ("Upgrade", "h2c"),
                    ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
                ],
            )
        ],
    ),
]
