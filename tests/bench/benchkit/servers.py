"""The programs under measurement: their commands, how they start on their core, and how they end."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parents[1]
ROOT = HERE.parents[1]
TOOLS = ROOT / "build" / "bench-tools"
ENVOY_FLAGS = "--concurrency 1 --disable-hot-restart -l error"

# {cfg:FILE} is a rendered copy of conf/FILE; {port}, {origin}, {tools}, {weft} are filled in.
HTTP = {
    "relay": "{tools}/relay -p {port} -b {origin}",
    "relay_ev": "{tools}/relay_ev -p {port} -b {origin}",
    "haproxy": "haproxy -db -q -f {cfg:haproxy-h1.cfg}",
    "nginx": "nginx -c {cfg:nginx-h1.conf} -e stderr",
    "envoy": "{tools}/envoy -c {cfg:envoy-h1.yaml} " + ENVOY_FLAGS,
    "envoy-mesh": "{tools}/envoy -c {cfg:envoy-h1-mesh.yaml} " + ENVOY_FLAGS,
    "weft": "{weft} -c {cfg:envoy-h1.yaml} --concurrency 1 -l error",
    "weft-mesh": "{weft} -c {cfg:envoy-h1-mesh.yaml} --concurrency 1 -l error",
}
TCP = {
    "relay": "{tools}/relay -p {port} -b {origin}",
    "relay-splice": "{tools}/relay -p {port} -b {origin} -m splice",
    "haproxy": "haproxy -db -q -f {cfg:haproxy-tcp.cfg}",
    "haproxy-splice": "haproxy -db -q -f {cfg:haproxy-tcp-splice.cfg}",
    "nginx": "nginx -c {cfg:nginx-tcp.conf} -e stderr",
    "envoy": "{tools}/envoy -c {cfg:envoy-tcp.yaml} " + ENVOY_FLAGS,
    "weft": "{weft} -c {cfg:envoy-tcp.yaml} --concurrency 1 -l error",
}
# Measured unless named: the mesh configurations take part when asked for.
ON_REQUEST = {"envoy-mesh", "weft-mesh"}
NGINX_STREAM = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")


def absent(name, weft):
    """Why an entry cannot run here, or None."""
    base = name.partition("-")[0]
    if base == "weft":
        return None if weft.exists() else f"{weft} is not built"
    if base == "envoy":
        return None if (TOOLS / "envoy").exists() else "no Envoy: run scripts/bench-setup"
    if base in ("haproxy", "nginx"):
        return None if shutil.which(base) else f"no {base}: run scripts/bench-setup"
    return None


class Failed(Exception):
    """A program did not start; the text says why."""


def wait_port(port, process, seconds=10.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return False
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.02)
    return False


def pin(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


def tree(pid):
    """The process and its descendants."""
    found = [pid]
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += tree(int(child))
    return found


def memory_kb(pid, kind):
    """`Pss` or `Rss` of the whole tree, in KiB."""
    total = 0
    for process in tree(pid):
        for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith(kind + ":"):
                total += int(line.split()[1])
    return total


class Place:
    """Where one run happens: the scratch directory, the ports and the two cores."""

    def __init__(self, directory, weft, proxy_cpu, load_cpu):
        self.dir, self.weft = pathlib.Path(directory), weft
        self.proxy_cpu, self.load_cpu = proxy_cpu, load_cpu
        self.port, self.origin_port = 18080, 19000

    def render(self, name, nginx_master):
        text = (HERE / "conf" / name).read_text()
        for key, value in {
            "PORT": self.port,
            "BACKEND": self.origin_port,
            "DIR": self.dir,
            "NGINX_MASTER": nginx_master,
        }.items():
            text = text.replace(f"@{key}@", str(value))
        path = self.dir / name
        path.write_text(text)
        return str(path)

    def command(self, template, nginx_master="on"):
        words = []
        for word in template.split():
            if word.startswith("{cfg:"):
                word = self.render(word[5:-1], nginx_master)
            words.append(word.format(port=self.port, origin=self.origin_port, tools=TOOLS, weft=self.weft))
        return words


class Server:
    """One running program, pinned to a core; use it in a `with`."""

    def __init__(self, command, port, cpu, place, wait=10.0):
        self.log = place.dir / "server.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=pin(cpu)
            )
        self.pid = self.process.pid
        if not wait_port(port, self.process, wait):
            self.stop()
            raise Failed(f"{' '.join(command)}: {self.log.read_text(errors='replace')[-500:]}")
        time.sleep(0.3)  # workers settle before anything is counted

    def stop(self, seconds=3.0):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def origin(place, cpu=None):
    return Server(
        [str(TOOLS / "origin"), "-p", str(place.origin_port)],
        place.origin_port,
        place.load_cpu if cpu is None else cpu,
        place,
    )


def proxy(place, template):
    return Server(place.command(template), place.port, place.proxy_cpu, place)
