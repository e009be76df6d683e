"""How weft ends, and what its signals do, with traffic under way (traffic.py): no request is lost by SIGTERM."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import pytest

import weft_process
from traffic import Client, Load, Origin, accepts, get, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "differential"))
from diffkit.proxy import envoy_binary  # noqa: E402  pylint: disable=wrong-import-position

SOON_S = 2.5  # "at once" on a busy machine
HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
FILE_LOG = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"


@pytest.fixture
def origin():
    with contextlib.closing(Origin()) as running:
        yield running


def listener(port, name="web", direction="UNSPECIFIED", log=None):
    log = [] if log is None else [{"name": "log", "typed_config": {
        "@type": FILE_LOG, "path": str(log),
        "log_format": {"text_format_source": {"inline_string": "%REQ(:PATH)%\n"}}}}]
    hcm = {"@type": HCM, "stat_prefix": name, "server_name": name, "access_log": log, "route_config": {
        "virtual_hosts": [{"name": "all", "domains": ["*"],
                           "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "origin", "timeout": "0s"}}]}]},
           "http_filters": [{"name": "router", "typed_config": {"@type": ROUTER}}]}
    return {"name": name, "traffic_direction": direction, "filter_chains": [
                {"filters": [{"name": "hcm", "typed_config": hcm}]}],
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}


def to(origin):
    endpoint = {"address": {"socket_address": {"address": "127.0.0.1", "port_value": origin.port}}}
    return json.dumps([{"name": "origin", "type": "STATIC", "load_assignment": {
        "cluster_name": "origin", "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}]}}])


@pytest.fixture
def proxy(weft, origin):
    """Starts a weft in front of the origin: proxy(listener...) or, with one listener on a free port, proxy()."""
    def start(*listeners, log=None, **options):
        port = weft_process.free_port()
        listeners = listeners or [listener(port, log=log)]
        running = weft(listeners=json.dumps(listeners), clusters=to(origin), **options)
        running.port = port
        return running
    return start


def said(running, event):
    """Waits for a line of the log."""
    wait_for(lambda: event in running.log.read_text(), lambda: f"no {event} in: {running.log.read_text()}")


def exits(running, within=SOON_S):
    """Its exit code, and the seconds it took."""
    began = time.monotonic()
    code = running.process.wait(within)
    return code, time.monotonic() - began


def state_of(pid):
    """One letter; T: stopped, Z: a zombie."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


# --- SIGTERM ---------------------------------------------------------------------------------------------------------

def test_no_request_is_lost_when_one_of_two_ends(proxy):
    """Both listen on the port (SO_REUSEPORT), two workers each. SIGTERM ends the first, whose clients move on."""
    port = weft_process.free_port()
    first, second = (proxy(listener(port, name), workers=2) for name in ("first", "second"))
    with Load(port) as load:
        load.wait(600)
        before = len(load.answers)
        first.process.send_signal(signal.SIGTERM)
        assert exits(first, 10)[0] == 0
        load.wait(600)
        after = list(load.answers[-400:])
    assert load.failures == [] and load.refused == 0
    by_first = [n for n, answer in enumerate(load.answers) if answer.headers["server"] == "first"]
    assert len([n for n in by_first if n < before]) > 50, "the first had no traffic"
    assert any(load.answers[n].closes for n in by_first), "nobody was told to go elsewhere"
    assert not any(answer.closes for answer in load.answers if answer.headers["server"] == "second")
    assert {answer.headers["server"] for answer in after} == {"second"}
    assert second.process.poll() is None


def test_who_is_not_refused_is_answered(proxy):
    """One alone ends: whoever still gets a connection gets an answer."""
    running = proxy(workers=2)
    with Load(running.port) as load:
        load.wait(300)
        running.process.send_signal(signal.SIGTERM)
        assert exits(running, 10)[0] == 0
        wait_for(lambda: load.refused > 20, "nobody was refused")
    assert load.failures == []


def test_connections_that_were_not_accepted_yet_are_served(proxy):
    """Clients in the listener's queue believe that they are connected, and have sent their requests."""
    running = proxy()
    running.process.send_signal(signal.SIGSTOP)
    wait_for(lambda: state_of(running.process.pid) == "T", "it was not stopped")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(running.port)).send("/queued") for _ in range(300)]
        running.process.send_signal(signal.SIGTERM)
        running.process.send_signal(signal.SIGCONT)
        answers = [client.receive() for client in clients]
    assert {(answer.status, answer.body) for answer in answers} == {(200, b"/queued")}
    assert exits(running)[0] == 0


def test_slow_answers_are_completed_then_it_ends(proxy, origin):
    running = proxy()
    with contextlib.ExitStack() as stack:
        idle = stack.enter_context(Client(running.port))
        assert not idle.get().closes
        clients = [stack.enter_context(Client(running.port)).send("/slow") for _ in range(5)]
        wait_for(lambda: origin.held == 5, "the requests did not arrive")
        running.process.send_signal(signal.SIGTERM)
        said(running, "main.sigterm")
        wait_for(lambda: not accepts(running.port), "it goes on listening")
        assert running.process.poll() is None
        answers = [client.receive() for client in clients]
        assert [(a.status, a.body, a.closes) for a in answers] == [(200, b"/slow", True)] * 5
        assert idle.ended()
        code, _ = exits(running)
    assert code == 0


def test_without_connections_it_ends_at_once(proxy):
    running = proxy()
    running.process.send_signal(signal.SIGTERM)
    assert exits(running)[0] == 0


def test_the_drain_time_is_the_limit(proxy, origin):
    running = proxy(extra=["--drain-time-s", "2"])
    with Client(running.port) as hanging:
        hanging.send("/hang")
        wait_for(lambda: origin.held == 1, "the request did not arrive")
        running.process.send_signal(signal.SIGTERM)
        code, took = exits(running, 2 + SOON_S)
        assert hanging.receive().status is None
    assert code == 0 and took > 1.9
    said(running, "main.drain_timeout")


# --- other signals ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("signals", ["SIGINT", "SIGTERM SIGTERM", "SIGTERM SIGINT"])
def test_ends_at_once_with_a_request_under_way(proxy, origin, signals):
    running = proxy()
    with Client(running.port) as hanging:
        hanging.send("/hang")
        wait_for(lambda: origin.held == 1, "the request did not arrive")
        for name in signals.split():
            assert running.process.poll() is None
            running.process.send_signal(getattr(signal, name))
            said(running, f"main.{name.lower()}")
        assert exits(running)[0] == 0
        assert hanging.receive().status is None


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("how", ["SIGUSR1", "/reopen_logs"])
def test_moved_logs_are_opened_again(proxy, tmp_path, how):
    """And SIGHUP, whose refusal is the first line of the new log, is ignored."""
    access, log = tmp_path / "access.log", tmp_path / "own.log"
    running = proxy(log=access, extra=["--log-path", str(log), "--file-flush-interval-msec", "50"])
    get(running.port, "/before")
    wait_for(lambda: lines(access) == ["/before"], lambda: f"access log: {lines(access)}")
    access.rename(tmp_path / "access.log.1")
    log.rename(tmp_path / "own.log.1")
    if how == "SIGUSR1":
        running.process.send_signal(signal.SIGUSR1)
    else:
        assert running.get("/reopen_logs", "POST")[0] == 200
    wait_for(lambda: access.exists() and log.exists(), "not opened again")
    get(running.port, "/after")
    wait_for(lambda: lines(access) == ["/after"], lambda: f"access log: {lines(access)}")
    assert lines(tmp_path / "access.log.1") == ["/before"]
    running.process.send_signal(signal.SIGHUP)
    wait_for(lambda: any("main.sighup" in line for line in lines(log)), lambda: f"log: {lines(log)}")
    assert not any("main.sighup" in line for line in lines(tmp_path / "own.log.1"))
    assert get(running.port).status == 200 and running.get("/ready")[0] == 200


def test_the_access_log_is_complete_after_the_end(proxy, tmp_path):
    """What was not flushed yet, too."""
    access = tmp_path / "access.log"
    running = proxy(log=access)
    for number in range(20):
        get(running.port, f"/{number}")
    assert lines(access) == []
    running.process.send_signal(signal.SIGTERM)
    assert exits(running)[0] == 0
    assert lines(access) == [f"/{number}" for number in range(20)]


# --- PID 1 -----------------------------------------------------------------------------------------------------------

def children(pid):
    return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def as_pid_1(weft_binary, tmp_path):
    """(the process of unshare, the pid of weft outside of its namespace), weft being ready."""
    if subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"], capture_output=True).returncode != 0:
        pytest.skip("no PID namespaces here")
    running = weft_process.Weft(weft_binary, tmp_path,
                            prefix=["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"])
    try:
        running.wait_ready()
        yield running, children(running.process.pid)[0]
    finally:
        running.process.kill()
        running.process.wait()


def test_pid_1_collects_orphans(as_pid_1):
    _, pid = as_pid_1
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    assert status.splitlines()[0] == "Name:\tweft" and "\t1\n" in status[status.index("NSpid:"):]
    assert children(pid) == []
    # The shell ends before the processes that it started: they fall to PID 1.
    for script in ("sleep 1000 & sleep 1000 &", "(exit 3) & sleep 1000 &"):
        subprocess.run(["nsenter", "--target", str(pid), "--pid", "sh", "-c", script], check=True,
                       stdin=subprocess.DEVNULL, timeout=10)
    orphans = wait_for(lambda: children(pid) if len(children(pid)) >= 3 else None, "no orphans")
    for orphan in orphans[:-1]:
        os.kill(orphan, signal.SIGKILL)
    wait_for(lambda: children(pid) == orphans[-1:], lambda: f"zombies among {children(pid)}")
    os.kill(orphans[-1], signal.SIGTERM)
    wait_for(lambda: children(pid) == [], lambda: f"a zombie: {children(pid)}")


@pytest.mark.parametrize("inside", [True, False], ids=["from inside", "from outside"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_pid_1_ends_by_signals(as_pid_1, inside, number):
    """The kernel drops signals to PID 1 for which it has no handler."""
    running, pid = as_pid_1
    if inside:
        command = ["nsenter", "--target", str(pid), "--pid", "sh", "-c", f"kill -{int(number)} 1"]
        # 137: the end of PID 1 may kill the shell before it ends itself.
        assert subprocess.run(command, stdin=subprocess.DEVNULL, timeout=10).returncode in (0, 137, -9)
    else:
        os.kill(pid, number)
    assert exits(running)[0] == 0


# --- exit codes ------------------------------------------------------------------------------------------------------

ADMIN = "admin: {address: {socket_address: {address: 127.0.0.1, port_value: @PORT@}}}\n"
STARTS = {
    "bad configuration": (["--config-yaml", "{nonsense: 1}"], 1, "nonsense"),
    "no configuration": ([], 1, ""),
    "address in use": (["--config-yaml", "static_resources: {listeners: [@LISTENER@]}"], 1, "in use"),
    "admin address in use": (["--config-yaml", ADMIN], 1, "in use"),
    "log cannot be opened": (["--log-path", "@DIR@/none/log", "--config-yaml", "{}"], 1, "@DIR@/none/log"),
    "init_only": (["--mode", "init_only", "--config-yaml", "static_resources: {listeners: [@FREE@]}"], 0, ""),
}


@pytest.mark.parametrize("program", ["weft", "envoy"])
@pytest.mark.parametrize("case", STARTS)
def test_exit_code_and_message(weft_binary, tmp_path, case, program):
    """envoy shows that the expectation is right."""
    path = weft_binary if program == "weft" else envoy_binary()
    if path is None:
        pytest.skip("no Envoy here")
    arguments, wanted, words = STARTS[case]
    chain = [{"filters": [{"name": "tcp", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", "stat_prefix": "t",
        "cluster": "none"}}]}]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        texts = {"@DIR@": str(tmp_path), "@PORT@": str(port),
                 "@LISTENER@": json.dumps({**listener(port), "filter_chains": chain}),
                 "@FREE@": json.dumps({**listener(weft_process.free_port()), "filter_chains": chain})}
        for key, text in texts.items():
            arguments = [argument.replace(key, text) for argument in arguments]
            words = words.replace(key, text)
        done = subprocess.run([path, "--disable-hot-restart", "--concurrency", "1", *arguments], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, timeout=20)
    assert done.returncode == wanted, done.stderr
    assert words in done.stderr


# --- POST /drain_listeners -------------------------------------------------------------------------------------------

def drain(running, query):
    assert running.get(f"/drain_listeners{query}", "POST") == (200, "OK\n")


def shares(port, seconds):
    """The share of answers with connection: close, in the first and in the last quarter of that time."""
    began, seen = time.monotonic(), []
    while (now := time.monotonic() - began) < seconds * 0.95:
        seen.append((now, get(port).closes))
    first = [closes for at, closes in seen if at < seconds / 4]
    last = [closes for at, closes in seen if at > seconds * 3 / 4]
    return sum(first) / len(first), sum(last) / len(last)


@pytest.mark.parametrize("strategy", ["immediate", "gradual"])
def test_graceful_drain(proxy, strategy):
    running = proxy(extra=["--drain-strategy", strategy, "--drain-time-s", "2"])
    with Client(running.port) as kept:
        assert not kept.get().closes
        began = time.monotonic()
        drain(running, "?graceful")
        if strategy == "immediate":
            assert kept.get().closes
    first, last = shares(running.port, 2)
    drain(running, "?graceful")  # again, which does not begin anew
    if strategy == "immediate":
        assert (first, last) == (1, 1)
    else:
        assert first < 0.5 < last
    wait_for(lambda: not accepts(running.port), "it goes on listening")
    assert time.monotonic() - began < 3.5
    assert running.get("/ready")[0] == 200 and running.process.poll() is None


def test_drain_at_once(proxy):
    """Listeners stop; who is connected stays."""
    running = proxy()
    with Client(running.port) as kept:
        kept.get()
        drain(running, "")
        wait_for(lambda: not accepts(running.port), "it goes on listening")
        assert kept.get().status == 200
        assert kept.get().status == 200


def test_drain_without_exit_goes_on_listening(proxy):
    running = proxy(extra=["--drain-strategy", "immediate", "--drain-time-s", "1"])
    drain(running, "?skip_exit")
    wait_for(lambda: get(running.port).closes, "not draining")
    began = time.monotonic()
    while time.monotonic() - began < 1.3:  # longer than the drain time
        assert get(running.port).closes


def test_only_inbound_listeners_are_drained(proxy):
    inbound, outbound = weft_process.free_port(), weft_process.free_port()
    running = proxy(listener(inbound, "in", "INBOUND"), listener(outbound, "out", "OUTBOUND"),
                    extra=["--drain-strategy", "immediate", "--drain-time-s", "1"])
    drain(running, "?graceful&inboundonly")
    wait_for(lambda: get(inbound).closes, "not draining")
    assert not get(outbound).closes
    wait_for(lambda: not accepts(inbound), "it goes on listening")
    answer = get(outbound)
    assert answer.status == 200 and not answer.closes


def test_passing_health_checks_again_does_not_end_a_drain(proxy):
    running = proxy(extra=["--drain-strategy", "immediate"])
    assert running.get("/healthcheck/fail", "POST")[0] == 200
    wait_for(lambda: get(running.port).closes, "health checks do not fail")
    assert running.get("/healthcheck/ok", "POST")[0] == 200
    wait_for(lambda: not get(running.port).closes, "health checks do not pass again")
    drain(running, "?skip_exit&graceful")
    wait_for(lambda: get(running.port).closes, "not draining")
    assert running.get("/healthcheck/ok", "POST")[0] == 200
    assert all(get(running.port).closes for _ in range(50))
