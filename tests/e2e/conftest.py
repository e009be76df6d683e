"""What the end-to-end tests share: the binaries, a running weft, and the conditions some tests need.

WEFT_BIN and WEFT_IPTABLES_BIN name other binaries than those of build/. A test that lacks its binary fails: a skip
would hide that nothing was tested.
"""
import http.client
import os
import pathlib
import socket
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_LIMIT = 20.0
SANITIZER_WORDS = ("Sanitizer", "runtime error:")


def binary(variable, name):
    path = pathlib.Path(os.environ.get(variable) or ROOT / "build" / name)
    if not os.access(path, os.X_OK):
        pytest.fail(f"{path} is not there: run scripts/build, or set {variable}")
    return path


def free_port():
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Weft:
    """A running weft; its admin listener is at self.admin_port of 127.0.0.1. prefix: the command that starts it."""

    def __init__(self, path, folder, listeners="[]", clusters="[]", extra=(), prefix=(), workers=1):
        self.admin_port = free_port()
        self.log = folder / "weft.log"
        config = folder / "weft.yaml"
        config.write_text(f"admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {self.admin_port}}}}}}}\n"
                          f"static_resources: {{listeners: {listeners}, clusters: {clusters}}}\n")
        with open(self.log, "wb") as log:
            command = [*prefix, str(path), "-c", str(config), "--concurrency", str(workers), "--disable-hot-restart",
                       *extra]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def get(self, path, method="GET"):
        """(status, body text) from the admin listener."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=10)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def wait_ready(self):
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                pytest.fail(f"weft ended with code {self.process.returncode}: {self.log.read_text()}")
            try:
                if self.get("/ready")[0] == 200:
                    return self
            except OSError:
                pass
            time.sleep(0.02)
        pytest.fail(f"weft was not ready: {self.log.read_text()}")

    def stop(self):
        """Ends it; a report of a sanitizer fails the test."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                pytest.fail("weft did not stop")
        text = self.log.read_text(errors="replace")
        assert not any(word in text for word in SANITIZER_WORDS), text


@pytest.fixture(scope="session")
def weft_binary():
    return binary("WEFT_BIN", "weft")


@pytest.fixture(scope="session")
def iptables_binary():
    return binary("WEFT_IPTABLES_BIN", "weft-iptables")


@pytest.fixture
def weft(weft_binary, tmp_path):
    """Starts weft: weft(listeners=YAML, clusters=YAML, extra=[arguments]) gives it when it is ready."""
    running = []

    def start(**options):
        folder = tmp_path / str(len(running))
        folder.mkdir()
        running.append(Weft(weft_binary, folder, **options))
        return running[-1].wait_ready()

    yield start
    for process in running:
        process.stop()


@pytest.fixture
def namespaces():
    """Skips where a test cannot make network namespaces."""
    if os.geteuid() != 0:
        pytest.skip("not root: no network namespaces")
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        pytest.skip("no network namespaces here")
