"""Builds the configuration of a case: one base bootstrap, into which the case's YAML fragments are put.

Names in capitals between @ are ports and paths, filled in for each run (`fill`): @LISTENER@ @ADMIN@ @LOG@ @DIR@,
the origins @ORIGIN@, @ORIGIN2@..., @DEAD@ (refuses) and @FULL@ (its accept queue is full, so it never answers).
"""

import copy
import re

import yaml

HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
TCP = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
FILE_LOG = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"

LOG_FIELDS = {
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(:PATH)%",
    "proto": "%PROTOCOL%",
    "authority": "%REQ(:AUTHORITY)%",
    "code": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "end": "%CONNECTION_TERMINATION_DETAILS%",
    "rx": "%BYTES_RECEIVED%",
    "tx": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "service": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
    "attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "host": "%UPSTREAM_HOST%",
    "cluster": "%UPSTREAM_CLUSTER%",
    "route": "%ROUTE_NAME%",
    "transport": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    "chain": "%FILTER_CHAIN_NAME%",
    "rid": "%REQ(X-REQUEST-ID)%",
    "xff": "%REQ(X-FORWARDED-FOR)%",
    "origpath": "%REQ(X-ENVOY-ORIGINAL-PATH)%",
    "remote": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "direct": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%",
    "local": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "ulocal": "%UPSTREAM_LOCAL_ADDRESS%",
    "uproto": "%UPSTREAM_PROTOCOL%",
    "scheme": "%REQ(:SCHEME)%",
    "type": "%ACCESS_LOG_TYPE%",
}
LOG_FORMAT = "\t".join(f"{k}={v}" for k, v in LOG_FIELDS.items()) + "\n"


def access_log(fmt=LOG_FORMAT, path="@LOG@"):
    conf = {"@type": FILE_LOG, "path": path}
    if fmt:
        conf["log_format"] = {"text_format_source": {"inline_string": fmt}}
    return [{"name": "envoy.access_loggers.file", "typed_config": conf}]


def parse(fragment):
    return yaml.safe_load(fragment) if isinstance(fragment, str) else copy.deepcopy(fragment)


def merge(base, extra):
    """Puts extra over base: maps are merged, everything else is replaced; a null removes."""
    for key, value in (extra or {}).items():
        if value is None:
            base.pop(key, None)
        elif isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value
    return base


def cluster(name="origin", ports=("@ORIGIN@",), **extra):
    """A STATIC cluster over loopback ports."""
    hosts = [{"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": p}}}} for p in ports]
    conf = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": hosts}] if hosts else []},
    }
    return merge(conf, extra)


def http_filter_chain(routes=None, vhosts=None, hcm=None, route_config=None, log=LOG_FORMAT):
    vhosts = (
        parse(vhosts)
        if vhosts
        else [
            {
                "name": "all",
                "domains": ["*"],
                "routes": parse(routes or "[{match: {prefix: /}, route: {cluster: origin}}]"),
            }
        ]
    )
    conf = {
        "@type": HCM,
        "stat_prefix": "t",
        "codec_type": "HTTP1",
        "route_config": merge({"name": "local", "virtual_hosts": vhosts}, parse(route_config)),
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}],
        "access_log": access_log(log),
    }
    return {
        "name": "main",
        "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": merge(conf, parse(hcm))}],
    }


def tcp_filter_chain(tcp, log=LOG_FORMAT):
    conf = {"@type": TCP, "stat_prefix": "t", "access_log": access_log(log)}
    return {
        "name": "main",
        "filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": merge(conf, parse(tcp))}],
    }


def build(
    routes=None,
    vhosts=None,
    hcm=None,
    route_config=None,
    tcp=None,
    cluster_extra=None,
    clusters=None,
    listener=None,
    bootstrap=None,
    chains=None,
    log=LOG_FORMAT,
):
    """The bootstrap as a dict, placeholders still in it."""
    if chains is None:
        chain = (
            tcp_filter_chain(tcp, log) if tcp is not None else http_filter_chain(routes, vhosts, hcm, route_config, log)
        )
        chains = [chain]
    listener_conf = {
        "name": "in",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": "@LISTENER@"}},
        "filter_chains": chains,
    }
    conf = {
        "node": {"id": "diff", "cluster": "diff"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": "@ADMIN@"}}},
        "static_resources": {
            "listeners": [merge(listener_conf, parse(listener))],
            "clusters": parse(clusters) if clusters is not None else [cluster(**(parse(cluster_extra) or {}))],
        },
    }
    return merge(conf, parse(bootstrap))


def render(conf, names):
    """YAML text with the run's ports and paths; a placeholder that stands alone becomes a number."""
    return fill(yaml.safe_dump(conf, sort_keys=False, width=1000), names)


def fill(text, names):
    def one(match):
        return str(names[match.group(1)])

    text = re.sub(r"'@([A-Z0-9_]+)@'", one, text)
    return re.sub(r"@([A-Z0-9_]+)@", one, text)
