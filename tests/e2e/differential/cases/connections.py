"""Filter chains, original destination, tcp_proxy, and clusters found by DNS."""

from diffkit.case import Case, close, fate, get, hang, pause, read, read_end, reset, send, shut
from diffkit.config import access_log, cluster, http_filter_chain, merge, parse

MIB = b"0123456789abcdef" * 65536
TO_ORIGIN = {"tcp": "{cluster: origin}"}
ECHO = {"origin": [[read(5), send("world"), hang()]]}


def tcp(text, **more):
    return {"tcp": "{cluster: origin, " + text + "}", **more}


def answering(name, match=None):
    """A chain whose only route answers with the chain's name."""
    chain = http_filter_chain(
        f"[{{match: {{prefix: /}}, direct_response: {{status: 200, body: {{inline_string: {name}}}}}}}]"
    )
    chain["name"] = name
    return merge(chain, {"filter_chain_match": match} if match is not None else {})


ORIGINAL_DST = """
listener_filters:
- name: envoy.filters.listener.original_dst
  typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.listener.original_dst.v3.OriginalDst}
"""
PASS_THROUGH = [{"name": "origin", "type": "ORIGINAL_DST", "lb_policy": "CLUSTER_PROVIDED", "connect_timeout": "1s"}]
# Only the client, which has an address of its own, is redirected; the proxy's own connections are not.
REDIRECT = ("iptables -t nat -A OUTPUT -p tcp -s 127.0.0.2 -j REDIRECT --to-ports @LISTENER@",)


def redirected(case_id, want, conns, conf, port="8080", **more):
    return Case(case_id, want, conns, conf, netns=REDIRECT, source="127.0.0.2", port=port, **more)


def dns(kind, name, **extra):
    conf = cluster("origin", type=kind, dns_lookup_family="V4_ONLY", **extra)
    host = conf["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
    host["address"] = name
    return {"clusters": [conf]}


# A name server for this case alone. The pid file of dnsmasq is where the harness looks for daemons to stop.
DNSMASQ = (
    "echo nameserver 127.0.0.1 > @DIR@/resolv.conf && mount --bind @DIR@/resolv.conf /etc/resolv.conf",
    "dnsmasq --no-resolv --no-hosts --user=root --listen-address=127.0.0.1 --bind-interfaces --pid-file=@DIR@/dnsmasq.pid "
    "--host-record=svc.test,127.0.0.1 --host-record=dead.test,127.0.0.9 --address=/empty.test/ --conf-file=/dev/null",
)


def tcp_shares(view):
    counts = {name: len(conns) for name, conns in view["origin"].items()}
    return {
        "log": view["log"][:1],
        "used": sorted(counts),
        "three quarters": abs(100 * counts["origin"] / sum(counts.values()) - 75) < 15,
    }


CASES = [
    Case(
        "chain-destination-port",
        "200 -",
        [get("/")],
        {
            "chains": [
                answering("other", {"destination_port": "@UNUSED@"}),
                answering("mine", {"destination_port": "@LISTENER@"}),
            ]
        },
    ),
    Case("chain-no-match", "", [[fate()]], {"chains": [answering("other", {"destination_port": "@UNUSED@"})]}),
    Case(
        "chain-default",
        "200 -",
        [get("/")],
        {
            "chains": [answering("other", {"destination_port": "@UNUSED@"})],
            "listener": {"default_filter_chain": answering("fallback")},
        },
    ),
    Case(
        "chain-empty-match-last",
        "200 -",
        [get("/")],
        {"chains": [answering("any", {}), answering("mine", {"destination_port": "@LISTENER@"})]},
        about="the specific one wins",
    ),
    Case(
        "chain-prefix-range",
        "200 -",
        [get("/")],
        {
            "chains": [
                answering("other", {"prefix_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}]}),
                answering("mine", {"prefix_ranges": [{"address_prefix": "127.0.0.0", "prefix_len": 8}]}),
            ]
        },
    ),
    Case("listener-stat-prefix", "200 -", [get("/")], {"listener": "{stat_prefix: front}"}),
    Case(
        "listener-log-no-chain",
        "0 NR",
        [[fate()]],
        {"chains": [answering("other", {"destination_port": "@UNUSED@"})], "listener": {"access_log": access_log()}},
    ),
    Case(
        "original-dst-not-redirected",
        "200 -",
        [get("/")],
        {"chains": [answering("mine", {"destination_port": "@LISTENER@"})], "listener": ORIGINAL_DST},
    ),
    redirected(
        "original-dst-chain",
        "200 -",
        [get("/")],
        {
            "chains": [answering("other", {"destination_port": 8081}), answering("mine", {"destination_port": 8080})],
            "listener": ORIGINAL_DST,
        },
    ),
    redirected(
        "original-dst-default-chain",
        "200 -",
        [get("/")],
        {
            "chains": [answering("other", {"destination_port": 8081})],
            "listener": {**parse(ORIGINAL_DST), "default_filter_chain": answering("fallback")},
        },
    ),
    redirected(
        "original-dst-field",
        "200 -",
        [get("/")],
        {
            "chains": [answering("other", {"destination_port": 8081}), answering("mine", {"destination_port": 8080})],
            "listener": "{use_original_dst: true}",
        },
    ),
    redirected(
        "original-dst-cluster",
        "200 -",
        [get("/")],
        {"clusters": PASS_THROUGH, "listener": ORIGINAL_DST},
        port="@ORIGIN@",
    ),
    redirected(
        "original-dst-tcp",
        "0 -",
        [[send("hello"), read(5), close()]],
        {"tcp": "{cluster: origin}", "clusters": PASS_THROUGH, "listener": ORIGINAL_DST},
        port="@ORIGIN@",
        origins=ECHO,
    ),
    redirected(
        "original-dst-tcp-refused",
        "0 UF,URX",
        [[read_end()]],
        {"tcp": "{cluster: origin}", "clusters": PASS_THROUGH, "listener": ORIGINAL_DST},
        port="@DEAD@",
    ),
    Case("tcp-both-ways", "0 -", [[send("hello"), read(5), close()]], TO_ORIGIN, ECHO),
    Case(
        "tcp-origin-speaks-first",
        "0 -",
        [[read(5), send("hello"), close()]],
        TO_ORIGIN,
        {"origin": [[send("world"), read(5), hang()]]},
    ),
    Case(
        "tcp-client-half-close",
        "0 -",
        [[send("hello"), shut(), read_end()]],
        TO_ORIGIN,
        {"origin": [[read_end(), send("all of it"), close()]]},
    ),
    Case(
        "tcp-origin-half-close",
        "0 -",
        [[read_end(), send("late"), shut(), pause(100), close()]],
        TO_ORIGIN,
        {"origin": [[send("first"), shut(), read_end(), close()]]},
    ),
    Case(
        "tcp-origin-closes",
        "0 -",
        [[send("hello"), read_end()]],
        TO_ORIGIN,
        {"origin": [[read(5), send("bye"), close()]]},
    ),
    Case("tcp-client-closes-at-once", "0 -", [[pause(100), close()]], TO_ORIGIN, {"origin": [[hang()]]}),
    Case("tcp-client-resets", "0 -", [[send("hello"), read(5), pause(50), reset()]], TO_ORIGIN, ECHO),
    Case("tcp-origin-resets", "0 UR", [[send("hello"), read_end()]], TO_ORIGIN, {"origin": [[read(5), reset()]]}),
    Case(
        "tcp-connect-refused",
        "0 UF,URX",
        # Nothing is sent: whether bytes arrive before the close decides between an end and a reset.
        [[read_end()]],
        {**TO_ORIGIN, "clusters": [cluster("origin", ("@DEAD@",))]},
    ),
    Case(
        "tcp-connect-refused-twice",
        "0 UF,URX",
        [[read_end()]],
        tcp("max_connect_attempts: 2", clusters=[cluster("origin", ("@DEAD@",))]),
    ),
    Case(
        "tcp-connect-timeout",
        "0 UF,URX",
        [[read_end()]],
        {**TO_ORIGIN, "clusters": [cluster("origin", ("@FULL@",), connect_timeout="0.3s")]},
    ),
    Case("tcp-cluster-missing", "0 NC", [[read_end()]], {"tcp": "{cluster: nosuch}"}),
    Case("tcp-cluster-empty", "0 UH", [[read_end()]], {**TO_ORIGIN, "clusters": [cluster("origin", ())]}),
    Case("tcp-idle-timeout", "0 -", [[send("hello"), read_end()]], tcp("idle_timeout: 0.2s"), ECHO),
    Case(
        "tcp-max-duration", "0 DT", [[send("hello"), read_end()]], tcp("max_downstream_connection_duration: 0.3s"), ECHO
    ),
    Case(
        "tcp-large-both-ways",
        "0 -",
        [[send(MIB), read(len(MIB)), close()]],
        TO_ORIGIN,
        {"origin": [[read(len(MIB)), send(MIB), hang()]]},
    ),
    Case(
        "tcp-large-to-end",
        "0 -",
        [[send(MIB), shut(), read_end()]],
        TO_ORIGIN,
        {"origin": [[read_end(), send(MIB), close()]]},
    ),
    Case(
        "tcp-weighted",
        "0 -",
        [[send("hello"), read(5), close()] for _ in range(100)],
        {
            "tcp": "{weighted_clusters: {clusters: [{name: origin, weight: 75}, {name: origin2, weight: 25}]}}",
            "clusters": [cluster("origin"), cluster("origin2", ("@ORIGIN2@",))],
        },
        {**ECHO, "origin2": ECHO["origin"]},
        reduce=lambda v: {**tcp_shares(v), "log": [{"code": "0", "flags": v["log"][0]["flags"]}]},
    ),
    Case(
        "tcp-weighted-one",
        "0 -",
        [[send("hello"), read(5), close()]],
        {"tcp": "{weighted_clusters: {clusters: [{name: origin, weight: 1}]}}"},
        ECHO,
    ),
    Case(
        "tcp-breaker",
        "0 UO",
        [[read_end()]],
        {**TO_ORIGIN, "clusters": [cluster("origin", circuit_breakers={"thresholds": [{"max_connections": 0}]})]},
    ),
    Case("tcp-then-tcp", "0 -, 0 -", [[send("hello"), read(5), close()]] * 2, TO_ORIGIN, ECHO),
    Case("dns-strict-localhost", "200 -", [get("/")], dns("STRICT_DNS", "localhost")),
    Case("dns-logical-localhost", "200 -", [get("/")], dns("LOGICAL_DNS", "localhost")),
    Case(
        "dns-strict-host-rewrite",
        "200 -",
        [get("/")],
        {
            **dns("STRICT_DNS", "localhost"),
            "routes": "[{match: {prefix: /}, route: {cluster: origin, auto_host_rewrite: true}}]",
        },
    ),
    Case("dns-strict-server", "200 -", [get("/")], dns("STRICT_DNS", "svc.test"), netns=DNSMASQ),
    Case("dns-logical-server", "200 -", [get("/")], dns("LOGICAL_DNS", "svc.test"), netns=DNSMASQ),
    Case("dns-strict-no-such-name", "503 UH", [get("/")], dns("STRICT_DNS", "nosuch.test"), netns=DNSMASQ),
    Case("dns-logical-no-such-name", "503 UH", [get("/")], dns("LOGICAL_DNS", "nosuch.test"), netns=DNSMASQ),
    Case("dns-strict-refused", "503 UF", [get("/")], dns("STRICT_DNS", "dead.test"), netns=DNSMASQ),
    Case(
        "dns-strict-tcp",
        "0 -",
        [[send("hello"), read(5), close()]],
        {**TO_ORIGIN, **dns("STRICT_DNS", "svc.test")},
        ECHO,
        netns=DNSMASQ,
    ),
]
