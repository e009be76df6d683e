"""weft behind its redirect rules, as in a task: what of a pod's traffic goes through it, and how it arrives.

Everything is real: weft as uid 1337, the rules of weft-iptables, applications and a peer in network namespaces
(sidecar.py). That traffic went through weft is shown by its statistics, its access log and, for HTTP, by the response
header x-envoy-upstream-service-time; that it went past it, by a count of connections that stays as it was.
"""
import contextlib

import pytest

import netns
import sidecar
from sidecar import APP_UID, EGRESS, IGNORED, IGNORED_PORT, INGRESS, LOOPBACK, PEER, POD, PROXY_UID

both = pytest.mark.parametrize("family", [4, 6])
BY_WEFT = "x-envoy-upstream-service-time"


def start(weft_binary, iptables_binary, **options):
    reason = netns.why_not()
    if reason:
        pytest.skip(reason)
    with contextlib.ExitStack() as stack:
        yield sidecar.World(stack, weft_binary, iptables_binary, **options)


@pytest.fixture(scope="module")
def world(weft_binary, iptables_binary):
    """What no chain is for is passed on to where it was going. One listener takes both families."""
    yield from start(weft_binary, iptables_binary, passes_on=True, dual=True)


@pytest.fixture(scope="module")
def strict(weft_binary, iptables_binary):
    """What no chain is for is refused. Each family has listeners of its own."""
    yield from start(weft_binary, iptables_binary, passes_on=False, dual=False)


def shown(address, port):
    """As access logs write it."""
    return rf"\[{address}\]:{port}" if ":" in address else rf"{address}:{port}".replace(".", r"\.")


# --- through weft ----------------------------------------------------------------------------------------------------

@both
@pytest.mark.parametrize("configuration", ["world", "strict"])
def test_outbound_http(request, configuration, family):
    world = request.getfixturevalue(configuration)
    with world.grows(connections=1, http__egress__downstream_rq_2xx=1,
                     **{f"cluster__service-{family}__upstream_rq_2xx": 1}):
        got = world.post(world.pod, PEER[family], 80, f"v{family}.test", f"/out{family}", "to the peer")
    assert got["status"] == 200 and BY_WEFT in got["headers"]
    assert got["answer"] == {"label": "peer", "peer": POD[family], "sent": "to the peer", "local": [PEER[family], 80],
                             "path": f"/out{family}"}
    where = shown(PEER[family], 80)
    world.logged(rf"^egress HTTP/1.1 /out{family} status=200 to={where} from={POD[family]} upstream={where} flags=-$")


@both
def test_outbound_http_to_an_unknown_host_goes_where_it_was_going(world, family):
    with world.grows(connections=1, http__egress__downstream_rq_2xx=1, cluster__passthrough__upstream_rq_2xx=1):
        got = world.post(world.pod, PEER[family], 80, "nobody.test", f"/unknown{family}")
    assert BY_WEFT in got["headers"]
    assert got["answer"]["label"] == "peer" and got["answer"]["local"] == [PEER[family], 80]
    world.logged(rf"^egress HTTP/1.1 /unknown{family} .*upstream={shown(PEER[family], 80)} ")


@both
@pytest.mark.parametrize("configuration", ["world", "strict"])
def test_inbound_http(request, configuration, family):
    """The application listens on loopback only: nobody but weft can reach it."""
    world = request.getfixturevalue(configuration)
    with world.grows(connections=1, http__ingress__downstream_rq_2xx=1):
        got = world.post(world.peer, POD[family], 8080, f"v{family}.test", f"/in{family}", "to the application")
    assert got["status"] == 200 and BY_WEFT in got["headers"]
    assert got["answer"] == {"label": "app", "peer": LOOPBACK[family], "sent": "to the application",
                             "local": [LOOPBACK[family], 8080], "path": f"/in{family}"}
    world.logged(rf"^ingress HTTP/1.1 /in{family} status=200 to={shown(POD[family], 8080)} from={PEER[family]} "
                 rf"upstream={shown(LOOPBACK[family], 8080)} flags=-$")


@both
def test_inbound_tcp(world, family):
    with world.grows(connections=1, tcp__ingress_tcp__downstream_cx_total=1):
        got = world.dial(world.peer, POD[family], 8081)
    assert got["label"] == "app" and got["local"] == [LOOPBACK[4], 8081]


# --- passed through to the original destination ----------------------------------------------------------------------

@both
def test_outbound_passed_through_server_first(world, family):
    with world.grows(connections=1, tcp__egress_passthrough__downstream_cx_total=1,
                     cluster__passthrough__upstream_cx_total=1):
        got = world.dial(world.pod, PEER[family], 9000)
    assert got["label"] == "peer" and got["local"] == [PEER[family], 9000] and got["peer"][0] == POD[family]
    world.logged(rf"^egress_passthrough - - status=0 to={shown(PEER[family], 9000)} from={POD[family]} "
                 rf"upstream={shown(PEER[family], 9000)} flags=-$")


@both
def test_outbound_passed_through_client_first(world, family):
    """The bytes pass as they are: nothing of weft in the answer."""
    with world.grows(connections=1, tcp__egress_passthrough__downstream_cx_total=1,
                     cluster__passthrough__upstream_cx_total=1):
        got = world.post(world.pod, PEER[family], 8888, "v4.test", "/bytes", "x" * 300_000)
    assert got["status"] == 200 and BY_WEFT not in got["headers"]
    assert got["answer"]["label"] == "peer" and got["answer"]["sent"] == "x" * 300_000


@both
def test_inbound_passed_through(world, family):
    """An application port without a chain."""
    with world.grows(connections=1, tcp__ingress_passthrough__downstream_cx_total=1,
                     cluster__passthrough__upstream_cx_total=1):
        got = world.dial(world.peer, POD[family], 8082)
    assert got["label"] == "app" and got["local"] == [POD[family], 8082] and got["peer"][0] == POD[family]


@both
def test_passing_through_to_a_closed_port_ends_the_connection(world, family):
    with world.grows(connections=1, cluster__passthrough__upstream_cx_connect_fail=1):
        assert world.what_comes(world.pod, PEER[family], 9999) == ""
    world.logged(rf"^egress_passthrough - - status=0 to={shown(PEER[family], 9999)} .*flags=UF,URX$")


@both
@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\n\r\n"], ids=["server-first", "client-first"])
def test_without_pass_through_the_unknown_is_refused(strict, family, first):
    with strict.grows(connections=0, **{f"listener__egress{family}__no_filter_chain_match": 1}):
        assert strict.what_comes(strict.pod, PEER[family], 9000, first) == ""
    with strict.grows(connections=0, **{f"listener__ingress{family}__no_filter_chain_match": 1}):
        assert strict.what_comes(strict.peer, POD[family], 8082, first) == ""


# --- past weft -------------------------------------------------------------------------------------------------------

@both
def test_the_proxys_uid_bypasses(world, family):
    with world.grows(connections=0):
        got = world.post(world.pod, PEER[family], 80, f"v{family}.test", uid=PROXY_UID)
        assert got["status"] == 200 and BY_WEFT not in got["headers"]
        assert world.dial(world.pod, PEER[family], 9000, uid=PROXY_UID)["label"] == "peer"
    with world.grows(connections=1):
        assert world.dial(world.pod, PEER[family], 9000, uid=PROXY_UID + 1)["label"] == "peer"


@both
def test_ignored_address_and_port_bypass(world, family):
    with world.grows(connections=0):
        assert BY_WEFT not in world.post(world.pod, IGNORED[family], 80, f"v{family}.test")["headers"]
        assert world.dial(world.pod, IGNORED[family], 9000)["label"] == "peer"
        assert world.dial(world.pod, PEER[family], IGNORED_PORT)["label"] == "peer"


@both
def test_port_22_is_not_intercepted(world, family):
    with world.grows(connections=0):
        assert world.dial(world.pod, PEER[family], 22)["label"] == "peer"
        got = world.dial(world.peer, POD[family], 22)
    assert got["label"] == "app" and got["peer"][0] == PEER[family]


@both
def test_inbound_on_other_ports_is_not_intercepted(world, family):
    with world.grows(connections=0):
        got = world.dial(world.peer, POD[family], 9000)
    assert got["label"] == "app" and got["peer"][0] == PEER[family]


@both
def test_loopback_and_own_address_are_untouched(world, family):
    with world.grows(connections=0):
        got = world.post(world.pod, LOOPBACK[family], 8080, f"v{family}.test")
        assert got["answer"]["label"] == "app" and BY_WEFT not in got["headers"]
        for address in (LOOPBACK[family], POD[family]):
            got = world.dial(world.pod, address, 9000)
            assert got["label"] == "app" and got["local"] == [address, 9000] and got["peer"][0] == address


# --- no loops --------------------------------------------------------------------------------------------------------

@both
@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\n\r\n"], ids=["silent", "request"])
def test_connections_to_the_proxys_own_ports_are_closed(world, family, first):
    """One connection each, and none that weft opens."""
    calls = [(ns, address, port) for port in (INGRESS, EGRESS)
             for ns, address in ((world.pod, LOOPBACK[family]), (world.pod, POD[family]), (world.peer, POD[family]))]
    with world.grows(connections=len(calls), cluster__passthrough__upstream_cx_total=0,
                     listener__egress__downstream_cx_total=3, listener__egress__downstream_cx_active=0,
                     listener__ingress__downstream_cx_active=0):
        for ns, address, port in calls:
            assert world.what_comes(ns, address, port, first) == ""


@both
def test_a_rule_that_leads_to_the_proxy_itself_is_noticed(world, family):
    """A foreign rule that sends the proxy's own egress port to its ingress port."""
    rule = ["PREROUTING", "-p", "tcp", "--dport", EGRESS, "-j", "REDIRECT", "--to-ports", INGRESS]
    tool = "iptables" if family == 4 else "ip6tables"
    world.pod.run(tool, "-t", "nat", "-I", *rule)
    try:
        with world.grows(connections=0, listener__ingress__downstream_listener_filter_error=1,
                         cluster__passthrough__upstream_cx_total=0):
            assert world.what_comes(world.peer, POD[family], EGRESS) == ""
    finally:
        world.pod.run(tool, "-t", "nat", "-D", *rule)


@both
def test_the_peers_port_of_the_same_number_is_no_loop(world, family):
    """15001 at another host is a destination as any other."""
    world.servers.add(world.peer, "peer", [EGRESS], [PEER[family]])
    with world.grows(connections=1, cluster__passthrough__upstream_cx_total=1):
        got = world.dial(world.pod, PEER[family], EGRESS)
    assert got["label"] == "peer" and got["local"] == [PEER[family], EGRESS]


# --- under load ------------------------------------------------------------------------------------------------------

def many(address, host):
    """What a busy application does: several connections with several requests each; how many were answered."""
    answered = 0
    for number in range(40):
        connection = sidecar.http.client.HTTPConnection(host, 80)
        connection.sock = sidecar.probe.connect(address, 80)
        with contextlib.closing(connection):
            for _ in range(5):
                connection.request("POST", f"/{number}", body=b"x" * 2000)
                answered += b"x" * 2000 in connection.getresponse().read()
    return answered


@both
def test_many_requests(world, family):
    with world.grows(connections=40, http__egress__downstream_rq_2xx=200, listener__egress__downstream_cx_active=0):
        assert world.pod.call(many, PEER[family], f"v{family}.test", uid=APP_UID, gid=APP_UID) == "200"
