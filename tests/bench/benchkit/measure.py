"""The measurements. Each gives rows: {"case", "entry", and figures by name}; repetitions of the entries interleave."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import time

from . import servers

CONNECTIONS = 64
RATE = 5000


def figures(text):
    return {k: float(v) for k, v in re.findall(r"(\w+)=([\d.]+)", text)}


def load(place, *args, cpu=None):
    """Runs the load generator on its core; its figures by name."""
    command = [str(servers.TOOLS / "load"), "-p", str(place.port), *map(str, args)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=200,
        preexec_fn=servers.pin(place.load_cpu if cpu is None else cpu),
    )
    if done.returncode != 0:
        raise servers.Failed(f"{' '.join(command)}: {done.stderr.strip()}")
    return figures(done.stdout)


def perf_works():
    if not shutil.which("perf"):
        return False
    return (
        subprocess.run(["perf", "stat", "-x,", "-e", "raw_syscalls:sys_enter", "true"], capture_output=True).returncode
        == 0
    )


def syscalls_perf(place, server, args):
    """System calls of the proxy per request: the tracepoint over one run of the load."""
    out = place.dir / "perf.out"
    command = [
        "perf",
        "stat",
        "-x,",
        "-o",
        str(out),
        "-e",
        "raw_syscalls:sys_enter",
        "-p",
        ",".join(map(str, servers.tree(server.pid))),
        "--",
        str(servers.TOOLS / "load"),
        "-p",
        str(place.port),
        *map(str, args),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, preexec_fn=servers.pin(place.load_cpu))
    calls = next((line.split(",")[0] for line in out.read_text().splitlines() if "sys_enter" in line), "0")
    return int(calls) / figures(done.stdout)["n"]


def syscalls_strace(place, server, args):
    """The same by strace -c, which slows the program: batches may be smaller than in truth."""
    out = place.dir / "strace.out"
    command = ["strace", "-f", "-c", "-o", str(out)]
    for pid in servers.tree(server.pid):
        command += ["-p", str(pid)]
    tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    done = load(place, *args)
    tracer.terminate()
    tracer.wait(10)
    total = re.search(r"^\s*100\.00\s+\S+\s+(?:\S+\s+)?(\d+)\s+(?:\d+\s+)?total$", out.read_text(), re.M)
    return int(total.group(1)) / done["n"] if total else float("nan")


def syscalls(place, server, *args):
    if place.perf:
        return syscalls_perf(place, server, args)
    return syscalls_strace(place, server, args) if shutil.which("strace") else float("nan")


def http1(place, entries, options, row):
    """CPU and system calls per request at saturation, 1 KiB and 64 KiB."""
    with servers.origin(place):
        for size in (1024, 65536):
            for rep in range(options.reps):
                for name, template in entries.items():
                    with servers.proxy(place, template) as server:
                        url = ("-u", f"/b/{size}", "-c", CONNECTIONS)
                        got = load(place, *url, "-d", options.seconds, "-P", server.pid)
                        if rep == 0:
                            got["syscalls"] = syscalls(place, server, *url, "-d", 1, "-w", 0)
                        row(f"http1-{size}", name, got)


def lowrate(place, entries, options, row):
    """5,000 requests/s of 1 KiB: the proxy on a core of its own, and on the core of its peers."""
    for case, peers_cpu in ((f"own core, {RATE}/s", place.load_cpu), (f"peers' core, {RATE}/s", place.proxy_cpu)):
        with servers.origin(place, peers_cpu):
            for rep in range(options.reps):
                for name, template in entries.items():
                    with servers.proxy(place, template) as server:
                        args = ("-c", CONNECTIONS, "-r", RATE)
                        got = load(place, *args, "-d", options.seconds, "-P", server.pid, cpu=peers_cpu)
                        if rep == 0 and peers_cpu == place.load_cpu:
                            got["syscalls"] = syscalls(place, server, *args, "-d", 1, "-w", 0)
                        row(case, name, got)


def instructions(place, template, requests):
    """(user instructions, requests) of one run under callgrind, with the requests one by one."""
    with tempfile.TemporaryDirectory(dir=place.dir) as out:
        command = [
            "valgrind",
            "-q",
            "--tool=callgrind",
            f"--callgrind-out-file={out}/cg.%p",
            *place.command(template, nginx_master="off"),
        ]
        server = servers.Server(command, place.port, place.proxy_cpu, place, wait=60)
        try:
            done = load(place, "-c", 1, "-w", 0, "-d", 120, "-n", requests)
        finally:
            server.stop(20)
        total = 0
        for path in pathlib.Path(out).glob("cg.*"):
            total += sum(int(n) for n in re.findall(r"^totals: (\d+)", path.read_text(), re.M))
        return total, done["n"]


def instr(place, entries, options, row):
    """User instructions per request: the difference between two request counts, so that the start cancels out."""
    few, many = (300, 1300) if options.quick else (1000, 6000)
    with servers.origin(place):
        for name, template in entries.items():
            first, n1 = instructions(place, template, few)
            second, n2 = instructions(place, template, many)
            row("instructions", name, {"instructions": (second - first) / (n2 - n1)})


def memory(place, entries, options, row):
    """PSS at the start, and what a kept connection costs."""
    count = 1000 if options.quick else 10000
    with servers.origin(place):
        for _ in range(1 if options.quick else 3):
            for name, template in entries.items():
                with servers.proxy(place, template) as server:
                    got = {"pss_mb": servers.memory_kb(server.pid, "Pss") / 1024}
                    before = servers.memory_kb(server.pid, "Rss")
                    holder = subprocess.Popen(
                        [
                            str(servers.TOOLS / "load"),
                            "-m",
                            "idle",
                            "-p",
                            str(place.port),
                            "-c",
                            str(count),
                            "-d",
                            "60",
                        ],
                        stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL,
                        preexec_fn=servers.pin(place.load_cpu),
                    )
                    ready = holder.stdout.readline().strip() == b"ready"
                    time.sleep(0.5)
                    if ready:
                        got["per_conn"] = (servers.memory_kb(server.pid, "Rss") - before) * 1024 / count
                    holder.terminate()
                    holder.wait()
                    row("memory", name, got)


def tcp(place, entries, options, row):
    """Bulk data through a TCP proxy, 4 connections."""
    with servers.origin(place):
        for _ in range(options.reps):
            for name, template in entries.items():
                with servers.proxy(place, template) as server:
                    row(
                        "tcp-bulk",
                        name,
                        load(
                            place,
                            "-m",
                            "bulk",
                            "-u",
                            "/b/1000000000000",
                            "-c",
                            4,
                            "-d",
                            options.seconds,
                            "-P",
                            server.pid,
                        ),
                    )


TABLES = {"http1": http1, "lowrate": lowrate, "instr": instr, "memory": memory, "tcp": tcp}
# valgrind cannot run Envoy in reasonable time, and the raw relay has no library to price.
INSTR_ENTRIES = ("relay_ev", "haproxy", "nginx", "weft", "weft-mesh")
