"""A running weft of the end-to-end tests, and free ports. A module of its own, since `conftest` is the name of several."""
import http.client
import socket
import subprocess
import time

import pytest

START_LIMIT = 20.0
SANITIZER_WORDS = ("Sanitizer", "runtime error:")


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
