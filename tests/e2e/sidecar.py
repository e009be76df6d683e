"""A pod as a task with a sidecar has it: the real weft as uid 1337 behind the rules of the real weft-iptables, and a
peer that is the rest of the world. Configuration, clients and HTTP servers for tests/e2e/test_interception.py.

The egress listener takes port 80 as HTTP and passes on what it does not know; the ingress listener takes 8080 as HTTP,
8081 as TCP. Applications listen on loopback only where they shall be reached through weft alone.
"""
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import tempfile
import threading
import time

import iptables_probe as probe
import netns

PROXY_UID, APP_UID = 1337, 1000
INGRESS, EGRESS, ADMIN = 15000, 15001, 9901
POD = {4: "10.77.0.1", 6: "fd77::1"}
PEER = {4: "10.77.0.2", 6: "fd77::2"}
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
IGNORED = {4: "10.88.1.2", 6: "fd88::2"}  # behind the peer
APP_PORTS = "8080,8081,8082"
IGNORED_PORT = 7000
LIMIT_S = 10

TYPE = "type.googleapis.com/envoy.extensions"
ORIGINAL_DST = [{"name": "envoy.filters.listener.original_dst",
                 "typed_config": {"@type": f"{TYPE}.filters.listener.original_dst.v3.OriginalDst"}}]
LOG_LINE = ("%PROTOCOL% %REQ(:PATH)% status=%RESPONSE_CODE% to=%DOWNSTREAM_LOCAL_ADDRESS% "
            "from=%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% upstream=%UPSTREAM_HOST% flags=%RESPONSE_FLAGS%\n")


def access_log(name):
    return [{"name": "file", "typed_config": {
        "@type": f"{TYPE}.access_loggers.file.v3.FileAccessLog", "path": "@FOLDER@/access.log",
        "log_format": {"text_format_source": {"inline_string": f"{name} {LOG_LINE}"}}}}]


def http_chain(name, hosts, fallback):
    """Routes by the Host header; hosts: {name: cluster}, everything else goes to fallback."""
    vhosts = [{"name": host, "domains": [host], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": cluster}}]}
              for host, cluster in [*hosts.items(), ("*", fallback)]]
    return [{"name": "hcm", "typed_config": {
        "@type": f"{TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name, "access_log": access_log(name), "route_config": {"virtual_hosts": vhosts},
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{TYPE}.filters.http.router.v3.Router"}}]}}]


def tcp_chain(name, cluster):
    return [{"name": "tcp", "typed_config": {"@type": f"{TYPE}.filters.network.tcp_proxy.v3.TcpProxy",
                                             "stat_prefix": name, "cluster": cluster, "access_log": access_log(name)}}]


def static_cluster(name, address, port):
    endpoint = {"address": {"socket_address": {"address": address, "port_value": port}}}
    return {"name": name, "type": "STATIC", "connect_timeout": "2s", "load_assignment": {
        "cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}]}}


def listeners(name, port, chains, passes_on, dual):
    """One listener for both families, as App Mesh has it, or one for each."""
    out = []
    for suffix, address in [("", "::")] if dual else [("4", "0.0.0.0"), ("6", "::")]:
        one = {"name": name + suffix, "stat_prefix": name + suffix, "listener_filters": ORIGINAL_DST,
               "address": {"socket_address": {"address": address, "port_value": port, "ipv4_compat": dual}},
               "filter_chains": [{"filter_chain_match": {"destination_port": p}, "filters": f}
                                 for p, f in chains.items()]}
        if passes_on:
            one["default_filter_chain"] = {"filters": tcp_chain(f"{name}_passthrough", "passthrough")}
        out.append(one)
    return out


def bootstrap(passes_on, dual):
    app = {f"v{f}.test": f"app-{f}" for f in (4, 6)}
    service = {f"v{f}.test": f"service-{f}" for f in (4, 6)}
    ingress = {8080: http_chain("ingress", app, "app-4"), 8081: tcp_chain("ingress_tcp", "app-tcp")}
    egress = {80: http_chain("egress", service, "passthrough")}
    clusters = [static_cluster(f"app-{f}", LOOPBACK[f], 8080) for f in (4, 6)]
    clusters += [static_cluster(f"service-{f}", PEER[f], 80) for f in (4, 6)]
    clusters += [static_cluster("app-tcp", LOOPBACK[4], 8081),
                 {"name": "passthrough", "type": "ORIGINAL_DST", "lb_policy": "CLUSTER_PROVIDED",
                  "connect_timeout": "2s"}]
    return {"admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": ADMIN}}},
            "static_resources": {"listeners": listeners("ingress", INGRESS, ingress, passes_on, dual)
                                 + listeners("egress", EGRESS, egress, passes_on, dual), "clusters": clusters}}


class HttpServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listening, label):
        super().__init__(listening.getsockname()[:2], None, bind_and_activate=False)
        self.socket.close()
        self.socket, self.label = listening, label

    def finish_request(self, request, client_address):
        HttpHandler(request, client_address, self)


class HttpHandler(http.server.BaseHTTPRequestHandler):
    """Says who answers, and how the request came."""
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self):
        sent = self.rfile.read(int(self.headers["content-length"])).decode()
        body = json.dumps({"label": self.server.label, "peer": self.client_address[0], "sent": sent,
                           "local": list(self.connection.getsockname()[:2]), "path": self.path}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def post(address, port, host, path, body):
    """One request on a connection of its own, as JSON text: {"status", "headers", "answer"}."""
    connection = http.client.HTTPConnection(address, port)
    connection.sock = probe.connect(address, port)
    with contextlib.closing(connection):
        connection.request("POST", path, body=body.encode(), headers={"Host": host})
        answer = connection.getresponse()
        text = answer.read().decode()
        return json.dumps({"status": answer.status, "headers": {k.lower(): v for k, v in answer.getheaders()},
                           "answer": json.loads(text) if answer.status == 200 else text})


def what_comes(address, port, first=b""):
    """All bytes until the end, after sending some; "refused" when there is no connection at all."""
    try:
        s = probe.connect(address, port)
    except ConnectionRefusedError:
        return "refused"
    with s:
        got = b""
        try:
            s.sendall(first)
            while data := s.recv(4096):
                got += data
        except (ConnectionResetError, BrokenPipeError):
            pass
        return got.decode()


class World:
    """Pod and peer with everything running."""

    def __init__(self, stack, weft, iptables, passes_on, dual):
        self.pod, self.peer = (stack.enter_context(netns.NetNs(name)) for name in ("pod", "peer"))
        netns.join(self.pod, self.peer)
        for family in (4, 6):
            self.peer.address("lo", f"{IGNORED[family]}/{32 if family == 4 else 128}")
            self.pod.route("default", PEER[family])
        self.servers = stack.enter_context(contextlib.closing(probe.Servers()))
        self.folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="weft-sidecar-")))
        self.folder.chmod(0o755)
        self._stack = stack
        self._add_servers()
        self._start_weft(weft, passes_on, dual)
        self.pod.run(iptables, "--ignore-uid", PROXY_UID, "--ingress-port", INGRESS, "--egress-port", EGRESS,
                     "--app-ports", APP_PORTS, "--egress-ignored-ips", ",".join(IGNORED.values()),
                     "--egress-ignored-ports", IGNORED_PORT, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})

    def _add_servers(self):
        self.add_http(self.peer, "peer", [80, 8888])
        self.add_http(self.pod, "app", [8080], LOOPBACK.values())
        # These speak first, then echo.
        self.servers.add(self.peer, "peer", [22, 9000, 9001, IGNORED_PORT])
        self.servers.add(self.pod, "app", [8081], [LOOPBACK[4]])
        self.servers.add(self.pod, "app", [22, 8082, 9000])

    def add_http(self, ns, label, ports, addresses=("0.0.0.0", "::")):
        for port in ports:
            for address in addresses:
                with ns.inside():
                    server = HttpServer(probe.listen(address, port), label)
                thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
                thread.start()
                self._stack.callback(thread.join)
                self._stack.callback(server.server_close)
                self._stack.callback(server.shutdown)

    def _start_weft(self, binary, passes_on, dual):
        config = json.dumps(bootstrap(passes_on, dual)).replace("@FOLDER@", str(self.folder))
        (self.folder / "weft.json").write_text(config)
        shutil.copy(binary, self.folder / "weft")  # where uid 1337 can read it, wherever the source tree is
        os.chown(self.folder, PROXY_UID, PROXY_UID)
        with open(self.folder / "weft.log", "wb") as log:
            self.weft = self.pod.popen(self.folder / "weft", "-c", self.folder / "weft.json", "--concurrency", 2,
                                       "--disable-hot-restart", "--file-flush-interval-msec", 50, "--drain-time-s", 1,
                                       uid=PROXY_UID, gid=PROXY_UID, stdout=log, stderr=log)
        wait_for(self._ready, lambda: f"weft is not ready: {(self.folder / 'weft.log').read_text()}")

    def _ready(self):
        assert self.weft.poll() is None, (self.folder / "weft.log").read_text()
        try:
            return self._ask("/ready")[0] == 200
        except OSError:
            return False

    def _ask(self, path):
        with self.pod.inside():
            connection = http.client.HTTPConnection("127.0.0.1", ADMIN, timeout=LIMIT_S)
            with contextlib.closing(connection):
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.status, answer.read().decode()

    def stats(self):
        return {m[1]: int(m[2]) for m in re.finditer(r"^(\S+): (\d+)$", self._ask("/stats")[1], re.M)}

    @contextlib.contextmanager
    def grows(self, **wanted):
        """Fails unless these statistics ("__" for a dot) grow by that much during the block. Of the connections of all
        listeners together, which "connections" names, nothing else is allowed either: 0 means past weft."""
        def now():
            found = self.stats()
            found["connections"] = sum(n for name, n in found.items()
                                       if re.fullmatch(r"listener\.(in|e)gress\d?\.downstream_cx_total", name))
            # A counter may appear with its first event; one that shall not grow must be there.
            return {key: found.get(name, 0) if grow else found[name]
                    for key, grow in wanted.items() for name in [key.replace("__", ".")]}
        before = now()
        yield

        def grown():
            return {key: value - before[key] for key, value in now().items()}
        wait_for(lambda: grown() == wanted, lambda: f"grown by {grown()}, not {wanted}")

    def logged(self, pattern):
        """Waits until the access log has a line that matches."""
        log = self.folder / "access.log"
        wait_for(lambda: log.exists() and re.search(pattern, log.read_text(), re.M),
                 lambda: f"no {pattern} in:\n{log.read_text()}")

    # ---- clients ----

    def post(self, ns, address, port, host, path="/", body="some bytes", uid=APP_UID):
        return json.loads(ns.call(post, address, port, host, path, body, uid=uid, gid=uid))

    def dial(self, ns, address, port, uid=APP_UID):
        return probe.dial(ns, address, port, uid=uid, gid=uid)

    def what_comes(self, ns, address, port, first=b""):
        return ns.call(what_comes, address, port, first, uid=APP_UID, gid=APP_UID)


def wait_for(condition, explain):
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.02)
