"""The command line, and which configuration files are accepted: exit code, verdict, and what the error names."""

from diffkit.case import CliCase
from diffkit.config import cluster, http_filter_chain, merge

VALIDATE = ["--mode", "validate", "-c", "@CONFIG@"]
GOOD = {}


def valid(case_id, conf, about=""):
    return CliCase(f"validate-{case_id}", VALIDATE, 0, conf, about=about)


def invalid(case_id, conf, *mention, text=False):
    return CliCase(f"validate-{case_id}", VALIDATE, 1, conf, mention, text)


def routes(text):
    return {"routes": text}


def vhosts(text):
    return {"vhosts": text}


def host(**extra):
    return {"clusters": [cluster("origin", **extra)]}


def two_chains(match):
    chains = [merge(http_filter_chain(), {"name": n, "filter_chain_match": match}) for n in ("a", "b")]
    return {"chains": chains}


ROUTER = "{name: envoy.filters.http.router, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}"

CLI_CASES = [
    CliCase("version", ["--version"], 0),
    CliCase("help", ["--help"], 0),
    CliCase("help-short", ["-h"], 0),
    CliCase("hot-restart-version", ["--hot-restart-version", "--disable-hot-restart"], 0),
    CliCase("unknown-flag", ["--nonsense"], 1),
    CliCase("stray-argument", ["nonsense"], 1),
    CliCase("unknown-mode", ["--mode", "nonsense", "-c", "@CONFIG@"], 1, GOOD),
    CliCase("unknown-log-level", ["-l", "nonsense", *VALIDATE], 1, GOOD),
    CliCase("bad-number", ["--concurrency", "x", *VALIDATE], 1, GOOD),
    CliCase("flag-without-value", ["-c"], 1),
    CliCase("no-config", ["--mode", "validate"], 1, text=True),
    CliCase("config-missing-file", ["--mode", "validate", "-c", "@DIR@/none.yaml"], 1, text=True),
    CliCase("config-yaml-flag", ["--mode", "validate", "--config-yaml", "{node: {id: a, cluster: b}}"], 0),
    CliCase("config-yaml-over-file", [*VALIDATE, "--config-yaml", "{node: {id: other}}"], 0, GOOD),
    CliCase("config-yaml-bad", [*VALIDATE, "--config-yaml", "{nonsense: 1}"], 1, GOOD, ("nonsense",)),
    CliCase(
        "many-flags",
        [
            *VALIDATE,
            "--service-node",
            "n",
            "--service-cluster",
            "c",
            "--service-zone",
            "z",
            "--drain-time-s",
            "5",
            "--parent-shutdown-time-s",
            "6",
            "--base-id",
            "3",
            "--disable-hot-restart",
            "--log-format",
            "%v",
            "--drain-strategy",
            "immediate",
            "--local-address-ip-version",
            "v4",
            "--concurrency",
            "2",
            "--component-log-level",
            "upstream:debug,config:trace",
            "--file-flush-interval-msec",
            "100",
        ],
        0,
        GOOD,
    ),
    CliCase("bad-drain-strategy", [*VALIDATE, "--drain-strategy", "nonsense"], 1, GOOD),
    CliCase("bad-component-log-level", [*VALIDATE, "--component-log-level", "nosuch:debug"], 1, GOOD),
    CliCase("flag-with-equals", ["--mode=validate", "--config-path=@CONFIG@"], 1, GOOD),
    CliCase("allow-unknown-static-fields", [*VALIDATE, "--allow-unknown-static-fields"], 0, {"hcm": "{nonsense: 1}"}),
    valid("good", GOOD),
    valid("empty-map", "{}"),
    valid("json", '{"node": {"id": "a", "cluster": "b"}}'),
    valid("lower-camel-case", "{node: {id: a, cluster: b, userAgentName: c}}"),
    valid("anchors", "node: &n {id: a, cluster: b}\nstats_flush_interval: 5s\n"),
    valid("tcp", {"tcp": "{cluster: origin}"}),
    valid("wrapper-and-duration-forms", host(connect_timeout="0.25s", per_connection_buffer_limit_bytes=1024)),
    valid("enum-number", host(type=0)),
    invalid("not-yaml", "{"),
    invalid("empty-file", ""),
    invalid("list", "[1]"),
    invalid("scalar", "text"),
    invalid("unknown-field", {"hcm": "{nonsense: 1}"}, "nonsense"),
    invalid("unknown-field-bootstrap", {"bootstrap": "{nonsense: 1}"}, "nonsense"),
    invalid("unknown-field-cluster", host(nonsense=1), "nonsense"),
    invalid("unknown-field-route", routes("[{match: {prefix: /, nonsense: 1}, route: {cluster: origin}}]"), "nonsense"),
    invalid("unknown-enum", host(type="NONSENSE"), "NONSENSE"),
    invalid("unknown-enum-hcm", {"hcm": "{codec_type: NONSENSE}"}, "NONSENSE"),
    invalid("wrong-type-string", {"hcm": "{stat_prefix: [1]}"}),
    invalid("wrong-type-number", {"hcm": "{max_request_headers_kb: many}"}),
    invalid("negative-number", {"hcm": "{xff_num_trusted_hops: -1}"}),
    invalid("fraction-for-integer", {"hcm": "{xff_num_trusted_hops: 1.5}"}),
    invalid("bad-duration", host(connect_timeout="5 minutes")),
    invalid("duration-number", host(connect_timeout=5)),
    invalid("duration-zero-connect-timeout", host(connect_timeout="0s"), "connect_timeout"),
    invalid("missing-stat-prefix", {"hcm": "{stat_prefix: null}"}, "stat_prefix"),
    invalid("missing-cluster-name", {"clusters": "[{type: STATIC}]"}, "name"),
    invalid("missing-route-config", {"hcm": "{route_config: null}"}),
    invalid("missing-route-action", routes("[{match: {prefix: /}}]"), "action"),
    invalid("missing-match", routes("[{route: {cluster: origin}}]"), "match"),
    invalid(
        "missing-path-specifier",
        routes("[{match: {case_sensitive: true}, route: {cluster: origin}}]"),
        "path_specifier",
    ),
    invalid("missing-cluster-specifier", routes("[{match: {prefix: /}, route: {timeout: 1s}}]"), "cluster_specifier"),
    invalid("two-path-specifiers", routes("[{match: {prefix: /, path: /a}, route: {cluster: origin}}]")),
    invalid("two-actions", routes("[{match: {prefix: /}, route: {cluster: origin}, direct_response: {status: 200}}]")),
    invalid("no-domains", vhosts("[{name: a, routes: []}]"), "domains"),
    valid("empty-domain", vhosts("[{name: a, domains: ['']}]")),
    invalid("no-vhost-name", vhosts("[{domains: ['*']}]"), "name"),
    invalid("duplicate-domain", vhosts("[{name: a, domains: [x.test]}, {name: b, domains: [x.test]}]"), text=True),
    invalid("duplicate-domain-case", vhosts("[{name: a, domains: [x.test]}, {name: b, domains: [X.test]}]"), text=True),
    invalid(
        "duplicate-domain-wildcard",
        vhosts("[{name: a, domains: ['*.test']}, {name: b, domains: ['*.test']}]"),
        text=True,
    ),
    invalid("two-catch-alls", vhosts("[{name: a, domains: ['*']}, {name: b, domains: ['*']}]"), text=True),
    valid("duplicate-vhost-name", vhosts("[{name: a, domains: [x.test]}, {name: a, domains: [y.test]}]")),
    invalid("route-unknown-cluster", routes("[{match: {prefix: /}, route: {cluster: nosuch}}]"), text=True),
    invalid(
        "weighted-unknown-cluster",
        routes("[{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: nosuch, weight: 1}]}}}]"),
        text=True,
    ),
    valid(
        "route-unknown-cluster-unchecked",
        {**routes("[{match: {prefix: /}, route: {cluster: nosuch}}]"), "route_config": "{validate_clusters: false}"},
    ),
    valid(
        "weighted-same-cluster-twice",
        routes(
            "[{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: origin, weight: 1}, {name: origin, weight: 2}]}}}]"
        ),
    ),
    invalid("weighted-empty", routes("[{match: {prefix: /}, route: {weighted_clusters: {clusters: []}}}]"), "clusters"),
    invalid(
        "weighted-all-zero",
        routes("[{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: origin, weight: 0}]}}}]"),
        text=True,
    ),
    invalid(
        "weighted-no-name",
        routes("[{match: {prefix: /}, route: {weighted_clusters: {clusters: [{weight: 1}]}}}]"),
        text=True,
    ),
    invalid("direct-response-status", routes("[{match: {prefix: /}, direct_response: {status: 99}}]"), "status"),
    invalid(
        "direct-response-too-long",
        routes("[{match: {prefix: /}, direct_response: {status: 200, body: {inline_string: " + "x" * 4097 + "}}}]"),
        text=True,
    ),
    invalid(
        "host-rewrite-bad",
        routes("[{match: {prefix: /}, route: {cluster: origin, host_rewrite_literal: \"a\\nb\"}}]"),
        "host_rewrite_literal",
    ),
    invalid(
        "unknown-network-filter",
        {
            "chains": [
                {
                    "filters": [
                        {
                            "name": "nosuch",
                            "typed_config": {
                                "@type": "type.googleapis.com/envoy.extensions.filters.network.nosuch.v3.NoSuch"
                            },
                        }
                    ]
                }
            ]
        },
        "nosuch",
    ),
    invalid(
        "unknown-http-filter",
        {
            "hcm": "{http_filters: [{name: nosuch, typed_config: {'@type': type.googleapis.com/no.Such}}, "
            + ROUTER
            + "]}"
        },
        "no.Such",
    ),
    invalid("http-filter-no-config", {"hcm": "{http_filters: [{name: nosuch}, " + ROUTER + "]}"}, "nosuch"),
    invalid("router-not-last", {"hcm": "{http_filters: [" + ROUTER + ", " + ROUTER + "]}"}, text=True),
    invalid("no-type", {"hcm": "{'@type': null}"}),
    invalid("duplicate-cluster", {"clusters": [cluster("origin"), cluster("origin")]}, text=True),
    invalid(
        "static-cluster-with-name",
        {
            "clusters": [
                merge(
                    cluster("origin"),
                    {
                        "load_assignment": {
                            "cluster_name": "origin",
                            "endpoints": [
                                {
                                    "lb_endpoints": [
                                        {
                                            "endpoint": {
                                                "address": {"socket_address": {"address": "host.test", "port_value": 1}}
                                            }
                                        }
                                    ]
                                }
                            ],
                        }
                    },
                )
            ]
        },
        "host.test",
    ),
    invalid("original-dst-wrong-lb", {"clusters": "[{name: origin, type: ORIGINAL_DST}]"}, text=True),
    invalid("original-dst-with-hosts", host(type="ORIGINAL_DST", lb_policy="CLUSTER_PROVIDED"), text=True),
    invalid("static-cluster-provided", host(lb_policy="CLUSTER_PROVIDED"), text=True),
    invalid("logical-dns-two-hosts", {"clusters": [cluster("origin", (1, 2), type="LOGICAL_DNS")]}, text=True),
    valid("cluster-no-hosts", {"clusters": [cluster("origin", ())]}),
    invalid("port-too-large", {"clusters": [cluster("origin", (70000,))]}, "port_value"),
    invalid(
        "no-port", {"listener": "{address: {socket_address: {address: 127.0.0.1, port_value: null}}}"}, "port_specifier"
    ),
    invalid("no-address", {"listener": "{address: null}"}),
    invalid("bad-address", {"listener": "{address: {socket_address: {address: 300.1.1.1}}}"}, "300.1.1.1"),
    invalid("no-filter-chains", {"chains": []}, text=True),
    invalid("duplicate-chain-match", two_chains({"destination_port": 80}), text=True),
    invalid("tcp-no-cluster", {"tcp": "{idle_timeout: 1s}"}, "cluster_specifier"),
    valid("tcp-unknown-cluster", {"tcp": "{cluster: nosuch}"}, about="looked up when a connection comes"),
    invalid("stats-flush-interval", {"bootstrap": "{stats_flush_interval: 0s}"}, "stats_flush_interval"),
    invalid("access-log-bad-operator", {"log": "%NONSENSE%\n"}, "NONSENSE"),
    invalid("access-log-unbalanced", {"log": "%REQ(x\n"}),
    invalid("breaker-negative", host(circuit_breakers={"thresholds": [{"max_requests": -1}]})),
    invalid("priority-unknown", host(circuit_breakers={"thresholds": [{"priority": "MIDDLE"}]}), "MIDDLE"),
]
