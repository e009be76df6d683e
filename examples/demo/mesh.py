"""The demonstration mesh: client -> frontend -> api-service, of which 80 % is version 1 and 20 % version 2.

frontend, api-v1 and api-v2 are tasks as ECS or Kubernetes would run them: one application (app.py) and one sidecar
(weft with frontend.yaml, api-v1.yaml, api-v2.yaml) each. Started by scripts/run; needs only Python's own library.
"""
import argparse
import collections
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import places

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PORTS = {"frontend": 8080, "api-v1": 3000, "api-v2": 3000}
ENTRY = f"{places.FRONTEND}:8080"
SHARES = {"v1": 0.8, "v2": 0.2}
ROUND = 200            # requests of --once
DEVIATIONS = 5         # of the binomial distribution: a false alarm in two million rounds
START_LIMIT = 20.0
STOP_LIMIT = 5.0
REPORT_EVERY = 5.0


class Stopped(Exception):
    """A signal asked us to end."""


def binary(variable, default):
    path = pathlib.Path(os.environ.get(variable) or ROOT / "build" / default)
    if not os.access(path, os.X_OK):
        sys.exit(f"{path} is not there: run scripts/build, or set {variable}")
    return path


class Mesh:
    def __init__(self, place):
        self.processes = []  # (name, Popen), in the order in which they are stopped
        self.holders = []
        self.folder = None
        self.place_class = place

    # ---- processes ----

    def spawn(self, name, command, last=False, stdout=None):
        """Starts a child in a session of its own, so that Ctrl-C reaches us alone and we stop it in order."""
        with open(self.folder / f"{name}.log", "wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout or log, stderr=log,
                                       start_new_session=True)
        (self.holders if last else self.processes).append((name, process))
        return process

    def start(self):
        weft, rules = binary("WEFT_BIN", "weft"), binary("WEFT_IPTABLES_BIN", "weft-iptables")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="weft-demo-"))
        self.folder.chmod(0o755)
        # Copies that the unprivileged users can read, wherever the source tree is.
        shutil.copy(weft, self.folder / "weft")
        shutil.copy(HERE / "app.py", self.folder)
        self.place = self.place_class(self.folder, self.spawn)
        for task in PORTS:
            self.start_sidecar(task)
        for task, port in PORTS.items():
            self.start_app(task, port)
            self.wait(f"{task}.app", task, *self.place.app_address(task, port).split(":"))
            self.wait(f"{task}.sidecar", task, *self.place.admin(task), path="/ready")
            self.place.intercept(str(rules), task, port)

    def start_sidecar(self, task):
        config = self.folder / f"{task}.yaml"
        config.write_text(self.place.config((HERE / self.place.configs / config.name).read_text()))
        self.spawn(f"{task}.sidecar", [
            *self.place.enter(task), *places.as_user(places.SIDECAR_UID), str(self.folder / "weft"), "-c", str(config),
            "--concurrency", "1", "--disable-hot-restart", "-l", "warning"])

    def start_app(self, task, port):
        name, _, version = task.partition("-")
        command = [sys.executable, "-B", str(self.folder / "app.py"), "--listen", self.place.app_address(task, port),
                   "--name", name, "--version", version or "v1"]
        if task == "frontend":
            command += ["--calls", f"http://{places.API}:3000/", *self.place.connect()]
        self.spawn(f"{task}.app", [*self.place.enter(task), *places.as_user(places.APP_UID), *command])

    def check_alive(self):
        for name, process in self.processes:
            if process.poll() is not None:
                log = (self.folder / f"{name}.log").read_text(errors="replace")
                raise RuntimeError(f"{name} ended with code {process.returncode}\n{log[-3000:]}")

    def wait(self, name, task, host, port, path=None):
        """Until the port accepts, or the path answers 200."""
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            self.check_alive()
            try:
                if path is None:
                    with self.place.socket(task) as probe:
                        probe.connect((host, int(port)))
                    return
                if self.get(task, (host, int(port)), path)[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"{name} was not ready after {START_LIMIT:.0f} s")

    def stop(self):
        for group in (self.processes, self.holders):
            for _, process in group:
                if process.poll() is None:
                    process.terminate()
            deadline = time.monotonic() + STOP_LIMIT
            for name, process in group:
                try:
                    process.wait(max(0.01, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    print(f"{name} did not stop, killed", file=sys.stderr)
                    process.kill()
                    process.wait()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    # ---- requests ----

    def get(self, task, address, path, host=None):
        """(status, body) of a GET on a connection of its own, made inside the task."""
        connection = http.client.HTTPConnection(*address, timeout=10)
        connection.sock = self.place.socket(task)
        try:
            connection.sock.settimeout(10)
            connection.sock.connect(address)
            connection.request("GET", path, headers={"Host": host} if host else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ask(self):
        """(status, version that answered) of one request from the client to frontend."""
        try:
            status, body = self.get("client", self.place.entry(), "/", ENTRY)
            return status, json.loads(body)["answer"]["version"] if status == 200 else None
        except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException) as error:
            return type(error).__name__, None

    def stats(self):
        """What each sidecar counted: {(task, statistic): value}"""
        found = {}
        for task in PORTS:
            text = self.get(task, self.place.admin(task), "/stats")[1].decode()
            for line in text.splitlines():
                name, _, value = line.rpartition(": ")
                if value.isdigit():
                    found[task, name] = int(value)
        return found


def expected_stats(total, versions):
    """Which statistic must have grown by how much, when so many requests were answered by each version."""
    return {("frontend", "http.ingress.downstream_rq_2xx"): total,
            ("frontend", "http.egress.downstream_rq_2xx"): total,
            ("frontend", "cluster.api-v1.upstream_rq_2xx"): versions["v1"],
            ("frontend", "cluster.api-v2.upstream_rq_2xx"): versions["v2"],
            ("api-v1", "http.ingress.downstream_rq_2xx"): versions["v1"],
            ("api-v2", "http.ingress.downstream_rq_2xx"): versions["v2"]}


def grown(mesh, before, wanted):
    """How much each wanted statistic grew; counters of the last requests may be a moment late."""
    deadline = time.monotonic() + 3
    while True:
        after = mesh.stats()
        found = {key: after.get(key, 0) - before.get(key, 0) for key in wanted}
        if found == wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def run_once(mesh):
    """One round and its verdict: the exit code."""
    before = mesh.stats()
    answers = [mesh.ask() for _ in range(ROUND)]
    statuses = collections.Counter(status for status, _ in answers)
    versions = collections.Counter(version for _, version in answers)
    print(f"{ROUND} requests to http://{ENTRY}/ -> http://{places.API}:3000/")
    print("  answers:   " + ", ".join(f"{n} x {status}" for status, n in statuses.items()))
    problems = [] if statuses[200] == ROUND else [f"{ROUND - statuses[200]} requests were not answered 200"]
    for version, share in SHARES.items():
        mean, slack = ROUND * share, DEVIATIONS * (ROUND * share * (1 - share)) ** 0.5
        print(f"  api {version}:    {versions[version]} ({versions[version] / ROUND:.0%}, weight {share:.0%})")
        if abs(versions[version] - mean) > slack:
            problems.append(f"api {version} answered {versions[version]}, not {mean:.0f} give or take {slack:.0f}")
    wanted = expected_stats(statuses[200], versions)
    for (task, name), count in grown(mesh, before, wanted).items():
        print(f"  sidecar of {task + ':':10} {name} +{count}")
        if count != wanted[task, name]:
            problems.append(f"sidecar of {task}: {name} grew by {count}, not {wanted[task, name]}")
        elif count == 0:
            problems.append(f"sidecar of {task}: {name} did not grow")
    for problem in problems:
        print(f"FAILED: {problem}")
    if not problems:
        print("OK: all requests were answered, split as configured, and passed through the sidecars of both sides")
    return 1 if problems else 0


def run_until_stopped(mesh):
    print("\nSee for yourself:")
    print(f"  {'the service':18} {mesh.place.shell('client')}curl -s {mesh.place.entry_url(ENTRY)}")
    for task in PORTS:
        host, port = mesh.place.admin(task)
        print(f"  {'admin of ' + task:18} {mesh.place.shell(task)}curl -s http://{host}:{port}/stats")
    print("Ctrl-C stops everything.\n", flush=True)
    counts, report = collections.Counter(), time.monotonic() + REPORT_EVERY
    while True:
        status, version = mesh.ask()
        counts[version or f"failed ({status})"] += 1
        if time.monotonic() >= report:
            mesh.check_alive()
            shown = "   ".join(f"{name} {n}" for name, n in sorted(counts.items()))
            print(f"{time.strftime('%H:%M:%S')}  answered by  {shown}", flush=True)
            report += REPORT_EVERY
        time.sleep(0.1)


def on_signal(number, _frame):
    raise Stopped(number)


def choose_place(want_loopback):
    if want_loopback:
        print("on loopback addresses, without interception")
        return places.Loopback
    reason = places.why_no_namespaces()
    if reason is None:
        print("three tasks in network namespaces, all traffic redirected through their sidecars")
        return places.Namespaces
    print(f"{reason}: on loopback addresses instead of namespaces, without interception")
    return places.Loopback


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--loopback", action="store_true")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    mesh = Mesh(choose_place(arguments.loopback))
    code = 1
    try:
        mesh.start()
        code = run_once(mesh) if arguments.once else run_until_stopped(mesh)
    except Stopped:
        print("\nstopping")
        code = 1 if arguments.once else 0
    except (RuntimeError, OSError, subprocess.CalledProcessError) as error:
        print(f"FAILED: {error}", file=sys.stderr)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        mesh.stop()
    return code


if __name__ == "__main__":
    sys.exit(main())
