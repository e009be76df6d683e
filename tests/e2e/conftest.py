"""What the end-to-end tests share: the binaries, a running weft, and the conditions some tests need.

WEFT_BIN and WEFT_IPTABLES_BIN name other binaries than those of build/. A test that lacks its binary fails: a skip
would hide that nothing was tested.
"""
import os
import pathlib
import subprocess

import pytest

from weft_process import Weft

ROOT = pathlib.Path(__file__).resolve().parents[2]


def binary(variable, name):
    path = pathlib.Path(os.environ.get(variable) or ROOT / "build" / name)
    if not os.access(path, os.X_OK):
        pytest.fail(f"{path} is not there: run scripts/build, or set {variable}")
    return path


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
