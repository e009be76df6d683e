"""The harness itself: that it finds differences, hides only what differs by nature, and allows only what is listed."""

import pytest

from diffkit import compare
from diffkit.case import Case, get
from diffkit.normalise import Normaliser, normalise

SENT_ID = "12345678-1234-4234-8234-123456789abc"
OTHER_ID = "87654321-4321-4321-8321-cba987654321"
NORMALISER = Normaliser({"sent": b"x-request-id: " + SENT_ID.encode(), "names": {"ORIGIN": 40001, "LISTENER": 40002}})
HEADERS = [
    ("x-request-id", OTHER_ID, "<uuid>"),
    ("x-request-id", SENT_ID, SENT_ID),
    ("x-request-id", "not-a-uuid", "not-a-uuid"),
    ("x-request-id", OTHER_ID.replace("-4321-8", "-1321-8"), OTHER_ID.replace("-4321-8", "-1321-8")),
    ("date", "Tue, 24 Nov 2026 09:58:42 GMT", "<date>"),
    ("date", "yesterday", "yesterday"),
    ("x-envoy-upstream-service-time", "17", "<number>"),
    ("x-envoy-upstream-service-time", "soon", "soon"),
    ("server", "envoy", "envoy"),
    ("x-forwarded-port", "40002", "@LISTENER@"),
    ("location", "http://127.0.0.1:40001/", "http://127.0.0.1:@ORIGIN@/"),
    ("via", "127.0.0.1:51234", "127.0.0.1:@EPHEMERAL@"),
]


def seen(head="HTTP/1.1 200 OK\r\nserver: envoy\r\nx-a: 1\r\n\r\n", stats=None, fate="kept"):
    message = {"head": head, "framing": "length", "body": b"ok", "complete": True, "trailers": []}
    return {
        "sent": b"",
        "names": {},
        "clients": [{"responses": [message], "raw": b"", "fate": fate}],
        "origins": {},
        "log": ["code=200\tflags=-\tduration=7"],
        "stats": stats or {},
        "exit": 0,
    }


def found_between(a, b):
    case = Case("kit", "200 -", [get("/")])
    return [field for field, _, _ in compare.differences(normalise(case, a), normalise(case, b))]


@pytest.mark.parametrize("name,value,shown", HEADERS)
def test_header_values(name, value, shown):
    assert NORMALISER.header(name, value) == shown


def test_equal_observations_have_no_difference():
    assert found_between(seen(), seen()) == []


@pytest.mark.parametrize(
    "other,field",
    [
        (seen("HTTP/1.1 201 OK\r\nserver: envoy\r\nx-a: 1\r\n\r\n"), "client.0.response.0.status"),
        (seen("HTTP/1.1 200 OK\r\nserver: envoy\r\nx-a: 2\r\n\r\n"), "client.0.response.0.headers.x-a"),
        (seen("HTTP/1.1 200 OK\r\nserver: envoy\r\n\r\n"), "client.0.response.0.headers.x-a"),
        (seen("HTTP/1.1 200 OK\r\nx-a: 1\r\nserver: envoy\r\n\r\n"), "client.0.response.0.headers.order"),
        (seen(fate="eof"), "client.0.fate"),
        (seen(stats={"http.t.rq_total": 1}), "stats.http.t.rq_total"),
    ],
)
def test_each_difference_is_found(other, field):
    assert found_between(seen(), other) == [field]


def test_unstable_statistics_are_left_out():
    assert found_between(seen(), seen(stats={"cluster.origin.upstream_cx_rx_bytes_total": 1})) == []


def test_only_listed_differences_pass():
    found = [("log.0.flags", "-", "UF"), ("stats.http.t.rq_total", 1, 2)]
    assert compare.refused("a", found, []) == found
    assert compare.refused("a", found, [("a", "log.0.flags")]) == found[1:]
    assert compare.refused("a", found, [("*", "stats.*"), ("b", "log.*")]) == found[:1]
    assert compare.unused("a", found, [("a", "log.0.flags"), ("a", "client.*"), ("*", "origin.*")]) == ["client.*"]
