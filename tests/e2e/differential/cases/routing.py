"""Virtual hosts, route matches, rewrites, weighted clusters, direct responses, and what has no route."""

from diffkit.case import Case, get, http, reply, request, response, send
from diffkit.config import cluster


def direct(status, body=None, name=None, match="{prefix: /}"):
    """A route that answers by itself, so that the answer names the route."""
    text = f"  direct_response: {{status: {status}" + (f", body: {{inline_string: {body}}}" if body else "") + "}"
    return f"- match: {match}\n{text}\n" + (f"  name: {name}\n" if name else "")


def vhost(name, domains):
    return (
        f"- name: {name}\n  domains: {domains}\n"
        f"  routes: [{{match: {{prefix: /}}, direct_response: {{status: 200, body: {{inline_string: {name}}}}}}}]\n"
    )


VHOSTS = (
    vhost("exact", '["a.example.com", "ported.example.com:8080"]')
    + vhost("suffix", '["*.example.com"]')
    + vhost("longer-suffix", '["*.b.example.com", "*-x.example.com"]')
    + vhost("prefix", '["a.*"]')
    + vhost("longer-prefix", '["a.b.*"]')
)
CATCH = vhost("catch", '["*"]')


def hosts(*names):
    return [[step for name in names for step in get("/", host=name)]]


ROUTES = """
- {match: {path: /exact}, direct_response: {status: 200, body: {inline_string: path}}, name: path}
- {match: {prefix: /pre}, direct_response: {status: 200, body: {inline_string: prefix}}, name: prefix}
- {match: {prefix: /NoCase, case_sensitive: false}, direct_response: {status: 200, body: {inline_string: nocase}}}
- {match: {path: /NoCasePath, case_sensitive: false}, direct_response: {status: 200, body: {inline_string: nocasepath}}}
- {match: {prefix: /slash/}, direct_response: {status: 200, body: {inline_string: slash}}}
- {match: {prefix: /first}, direct_response: {status: 200, body: {inline_string: first}}}
- {match: {prefix: /first/longer}, direct_response: {status: 200, body: {inline_string: longer}}}
"""


def paths(*targets):
    return [[step for target in targets for step in get(target)]]


TWO = [cluster("origin"), cluster("origin2", ("@ORIGIN2@",))]


def weighted(first, second, extra=""):
    return f"""
- match: {{prefix: /}}
  route:
    weighted_clusters:
      clusters: [{{name: origin, weight: {first}}}, {{name: origin2, weight: {second}}}]
{extra}"""


WEIGHTED_HOSTS = """
- name: origin
  type: STATIC
  load_assignment:
    cluster_name: origin
    endpoints:
    - lb_endpoints:
      - {endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: '@ORIGIN@'}}}, load_balancing_weight: 3}
      - {endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: '@ORIGIN2@'}}}, load_balancing_weight: 1}
"""


def named(name):
    return [[request(), reply(body=name)]]


def counts(view):
    """How many requests each origin got; which one got the first is chance."""
    return {name: sum(len(c["request"]) for c in conns) for name, conns in view["origin"].items()}


def only_counts(view):
    return {"counts": counts(view), "log": [{"code": x["code"], "flags": x["flags"]} for x in view["log"]]}


def shares(view):
    """Random choice: which origins were used, and whether the share is within 12 points of the weights."""
    used = counts(view)
    total = sum(used.values())
    share = 100 * used.get("origin", 0) / total
    return {
        "log": only_counts(view)["log"][:1],
        "used": sorted(used),
        "total": total,
        "three quarters": abs(share - 75) < 12,
        "exit": view["exit"],
    }


CASES = [
    Case(
        "vhost-exact",
        "200 -, 200 -, 200 -",
        hosts("a.example.com", "A.Example.COM", "a.example.com"),
        {"vhosts": VHOSTS + CATCH},
    ),
    Case(
        "vhost-suffix",
        "200 -, 200 -, 200 -",
        hosts("z.example.com", "z.b.example.com", "1-x.example.com"),
        {"vhosts": VHOSTS + CATCH},
        about="the longest suffix wins",
    ),
    Case("vhost-suffix-needs-label", "200 -, 200 -", hosts("example.com", ".example.com"), {"vhosts": VHOSTS + CATCH}),
    Case("vhost-prefix", "200 -, 200 -, 200 -", hosts("a.org", "a.b.org", "a."), {"vhosts": VHOSTS + CATCH}),
    Case("vhost-suffix-before-prefix", "200 -", hosts("a.b.example.com"), {"vhosts": VHOSTS + CATCH}),
    Case(
        "vhost-port-counts",
        "200 -, 200 -, 200 -",
        hosts("a.example.com:8080", "ported.example.com:8080", "ported.example.com"),
        {"vhosts": VHOSTS + CATCH},
    ),
    Case(
        "vhost-ignore-port",
        "200 -, 200 -",
        hosts("a.example.com:8080", "z.example.com:1"),
        {"vhosts": VHOSTS + CATCH, "route_config": "{ignore_port_in_host_matching: true}"},
    ),
    Case("vhost-none", "404 NR", hosts("nobody.test"), {"vhosts": VHOSTS}),
    Case("vhost-none-head", "404 NR", [get("/", host="nobody.test", method="HEAD")], {"vhosts": VHOSTS}),
    Case("vhost-ip", "200 -", hosts("127.0.0.1:80"), {"vhosts": CATCH}),
    Case(
        "route-path",
        "200 -, 200 -, 404 NR, 404 NR",
        paths("/exact", "/exact?q=1", "/exact/", "/Exact"),
        {"routes": ROUTES},
    ),
    Case(
        "route-prefix", "200 -, 200 -, 200 -, 404 NR", paths("/pre", "/prefix/x", "/pre?x", "/PRE"), {"routes": ROUTES}
    ),
    Case(
        "route-case-insensitive",
        "200 -, 200 -, 200 -",
        paths("/nocase/x", "/NOCASE", "/nocasepath"),
        {"routes": ROUTES},
    ),
    Case("route-prefix-slash", "200 -, 404 NR", paths("/slash/", "/slash"), {"routes": ROUTES}),
    Case("route-first-wins", "200 -", paths("/first/longer"), {"routes": ROUTES}),
    Case("route-none", "404 NR, 404 NR", paths("/nowhere", "/"), {"routes": ROUTES}),
    Case(
        "route-none-with-body",
        "404 NR",
        [[send(http("/nowhere", method="POST", body=b"x" * 1000)), response()]],
        {"routes": ROUTES},
        about="the body is read, so the connection is kept",
    ),
    Case(
        "route-none-half-body",
        "404 NR",
        [[send(http("/nowhere", method="POST", headers=[("Content-Length", "1000")], body=b"x" * 10)), response()]],
        {"routes": ROUTES},
        about="the body is not read: the connection ends after the answer",
    ),
    Case("direct-response-body", "200 -", [get("/")], {"routes": direct(200, "hello")}),
    Case("direct-response-empty", "204 -, 204 -", [get("/") + get("/")], {"routes": direct(204)}),
    Case("direct-response-201", "201 -", [get("/x?y=1")], {"routes": direct(201, "made")}),
    Case("direct-response-503", "503 -", [get("/")], {"routes": direct(503, "down")}),
    Case("direct-response-599", "599 -", [get("/")], {"routes": direct(599)}),
    Case("direct-response-head", "200 -", [get("/", method="HEAD")], {"routes": direct(200, "hello")}),
    Case(
        "direct-response-post",
        "200 -",
        [[send(http(method="POST", body=b"abc")), response()] + get("/")],
        {"routes": direct(200, "hello")},
    ),
    Case("proxy-plain", "200 -", [get("/path?query=1")]),
    Case(
        "prefix-rewrite",
        "200 -, 200 -, 200 -",
        paths("/api/v1/x?y=1", "/api", "/apix"),
        {"routes": "[{match: {prefix: /api}, route: {cluster: origin, prefix_rewrite: /}}]"},
    ),
    Case(
        "prefix-rewrite-slash",
        "200 -, 200 -",
        paths("/api/v1/x", "/api/"),
        {"routes": "[{match: {prefix: /api/}, route: {cluster: origin, prefix_rewrite: /}}]"},
    ),
    Case(
        "prefix-rewrite-longer",
        "200 -",
        paths("/a/b"),
        {"routes": "[{match: {prefix: /a}, route: {cluster: origin, prefix_rewrite: /deeper/still}}]"},
    ),
    Case(
        "prefix-rewrite-exact-path",
        "200 -",
        paths("/only?z=1"),
        {"routes": "[{match: {path: /only}, route: {cluster: origin, prefix_rewrite: /other}}]"},
    ),
    Case(
        "prefix-rewrite-case-insensitive",
        "200 -",
        paths("/API/x"),
        {"routes": "[{match: {prefix: /api, case_sensitive: false}, route: {cluster: origin, prefix_rewrite: /v2}}]"},
    ),
    Case(
        "host-rewrite-literal",
        "200 -",
        [get("/", host="outer.test:81")],
        {"routes": "[{match: {prefix: /}, route: {cluster: origin, host_rewrite_literal: inner.test}}]"},
    ),
    Case(
        "host-rewrite-append-x-forwarded-host",
        "200 -",
        [get("/", host="outer.test")],
        {
            "routes": "[{match: {prefix: /}, route: {cluster: origin, host_rewrite_literal: inner.test, append_x_forwarded_host: true}}]"
        },
    ),
    Case(
        "path-and-host-rewrite",
        "200 -",
        [get("/api/x", headers=[("x-envoy-original-path", "/fake")])],
        {
            "routes": "[{match: {prefix: /api}, route: {cluster: origin, host_rewrite_literal: inner.test, prefix_rewrite: /}}]"
        },
    ),
    Case(
        "weighted-one",
        "200 -",
        [get("/")],
        {"routes": "[{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: origin, weight: 1}]}}}]"},
    ),
    Case("weighted-zero", ", ".join(["200 -"] * 20), [get("/") * 20], {"routes": weighted(0, 100), "clusters": TWO}),
    Case(
        "weighted-distribution", "200 -", [get("/") * 400], {"routes": weighted(75, 25), "clusters": TWO}, reduce=shares
    ),
    Case(
        "weighted-large-weights",
        "200 -",
        [get("/") * 400],
        {"routes": weighted(750000, 250000), "clusters": TWO},
        reduce=shares,
    ),
    Case(
        "cluster-missing",
        "503 NC",
        [get("/")],
        {"routes": "[{match: {prefix: /}, route: {cluster: nosuch}}]", "route_config": "{validate_clusters: false}"},
    ),
    Case(
        "cluster-missing-code",
        "404 NC",
        [get("/")],
        {
            "routes": "[{match: {prefix: /}, route: {cluster: nosuch, cluster_not_found_response_code: NOT_FOUND}}]",
            "route_config": "{validate_clusters: false}",
        },
    ),
    Case(
        "weighted-cluster-missing",
        "503 NC",
        [get("/")],
        {
            "routes": "[{match: {prefix: /}, route: {weighted_clusters: {clusters: [{name: nosuch, weight: 1}]}}}]",
            "route_config": "{validate_clusters: false}",
        },
    ),
    Case("cluster-empty", "503 UH", [get("/")], {"clusters": [cluster("origin", ())]}),
    Case(
        "cluster-empty-post",
        "503 UH",
        [[send(http(method="POST", body=b"abc")), response()]],
        {"clusters": [cluster("origin", ())]},
    ),
    Case(
        "round-robin-two-hosts",
        ", ".join(["200 -"] * 4),
        [get("/") * 4],
        {"clusters": [cluster("origin", ("@ORIGIN@", "@ORIGIN2@"))]},
        {"origin": named(b"one"), "origin2": named(b"two")},
        reduce=only_counts,
    ),
    Case("host-weights", ", ".join(["200 -"] * 4), [get("/") * 4], {"clusters": WEIGHTED_HOSTS}, reduce=only_counts),
]
