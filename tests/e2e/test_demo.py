"""The demonstration mesh (scripts/run): one round in each of its two forms, and no traces after any end."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MESH = [sys.executable, "-B", str(ROOT / "examples/demo/mesh.py")]
pytestmark = pytest.mark.usefixtures("weft_binary", "iptables_binary")


def children(pid):
    return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def runs(pid):
    """Whether the process is there and no zombie."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def run_once(*arguments):
    return subprocess.run([*MESH, "--once", *arguments], capture_output=True, text=True, timeout=100)


def test_round_in_namespaces(namespaces):
    done = run_once()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "redirected through their sidecars" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("OK:")


def test_round_on_loopback():
    done = run_once("--loopback")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("OK:")


def test_two_meshes_at_once():
    meshes = [subprocess.Popen([*MESH, "--once"], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for mesh in meshes:
        out, _ = mesh.communicate(timeout=100)
        assert mesh.returncode == 0, out


def test_traffic_past_the_sidecars_is_noticed(namespaces):
    """Without the redirect rules nothing may look well."""
    done = subprocess.run([*MESH, "--once"], capture_output=True, text=True, timeout=100,
                          env={**os.environ, "WEFT_IPTABLES_BIN": "/bin/true"})
    assert done.returncode == 1
    assert "FAILED: sidecar of frontend" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left(number):
    mesh = subprocess.Popen(MESH, stdout=subprocess.PIPE, text=True)
    for line in mesh.stdout:
        if "answered by" in line:
            break
    started = children(mesh.pid)
    commands = "".join(pathlib.Path(f"/proc/{pid}/cmdline").read_text() for pid in started)
    folder = pathlib.Path(re.search(r"[^\0]*/weft-demo-[^/]+", commands).group())
    assert len(started) >= 6 and folder.exists()
    mesh.send_signal(number)
    assert mesh.wait(20) == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    deadline = time.monotonic() + 5
    while any(map(runs, started)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not list(filter(runs, started))
    if number == signal.SIGKILL:
        shutil.rmtree(folder)
    assert not folder.exists()
