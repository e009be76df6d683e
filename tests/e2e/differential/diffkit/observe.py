"""Runs one case against one program and writes down everything that can be seen from outside."""

import asyncio
import copy
import os
import pathlib
import random
import signal
import socket
import tempfile
import time

from . import config, netns
from .client import Client
from .case import ANSWER
from .origin import Origin, listen
from .proxy import Proxy

ORIGINS = ("origin", "origin2", "origin3")


FIRST_PORT, LAST_PORT = 10240, 32000  # below the ports that the kernel gives out by itself


def claim_port():
    """(port, guard): a TCP port nobody listens on, and the UDP socket that claims it until it is closed.

    Listening programs share ports silently (SO_REUSEPORT), so a clash would mix up their traffic instead of failing:
    whoever holds the UDP port of that number has the TCP port, in all runs of these tests on this machine.
    """
    while True:
        port = random.randrange(FIRST_PORT, LAST_PORT)
        guard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            guard.bind(("127.0.0.1", port))
            with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
                probe.bind(("127.0.0.1", port))
            return port, guard
        except OSError:
            guard.close()


class Full:
    """A listener whose accept queue is full: connections to it are never answered."""

    def __init__(self):
        self.sock = listen(0)
        self.port = self.sock.getsockname()[1]
        self.fillers = []
        for _ in range(4):
            s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(s)

    def stop(self):
        for s in [self.sock, *self.fillers]:
            s.close()


class Stage:
    """Everything one run needs: scratch directory, ports, origins, the configuration file and the program."""

    def __init__(self, case, binary):
        self.case, self.binary = case, binary
        self.dir = tempfile.TemporaryDirectory(prefix="weft-diff-")
        self.path = pathlib.Path(self.dir.name)
        self.full, self.dead = Full(), listen(None)
        scripts = getattr(case, "origins", {})
        self.origins = [Origin(n, scripts.get(n, [ANSWER]), self.fill_bytes) for n in ORIGINS]
        claims = [claim_port() for _ in range(3)]
        self.guards = [guard for _, guard in claims]
        self.names = {
            "LISTENER": claims[0][0],
            "ADMIN": claims[1][0],
            "UNUSED": claims[2][0],
            "DEAD": self.dead.getsockname()[1],
            "FULL": self.full.port,
            "LOG": str(self.path / "access.log"),
            "DIR": str(self.path),
        }
        self.names.update({o.name.upper(): o.port for o in self.origins})
        self.proxy = None

    def fill_bytes(self, data):
        return config.fill(data.decode("latin-1"), self.names).encode("latin-1") if b"@" in data else data

    def prepare(self):
        """The case's shell commands, in its namespaces."""
        for command in getattr(self.case, "netns", ()):
            netns.shell(config.fill(command, self.names))

    def start(self):
        for origin in self.origins:
            origin.start()
        path = self.path / "config.yaml"
        path.write_text(config.render(config.build(**self.case.config), self.names))
        self.proxy = Proxy(self.binary, path, self.names["ADMIN"], self.names["LOG"])
        self.proxy.wait_ready()

    async def origins_see_the_ends(self, stats):
        """Waits until the origins have noticed what the proxy closed: no more are open than it counts as active."""
        active = sum(v for k, v in stats.items() if k.endswith(".upstream_cx_active"))
        deadline = time.monotonic() + 2
        await asyncio.sleep(0)
        while sum(n["end"] == "open" for o in self.origins for n in o.seen) > active and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    async def stop(self):
        """Access log and exit code."""
        log, code = self.proxy.stop() if self.proxy else ("", None)
        for origin in self.origins:
            await origin.stop()
        self.full.stop()
        for sock in [self.dead, *self.guards]:
            sock.close()
        for pid in self.path.glob("*.pid"):
            os.kill(int(pid.read_text()), signal.SIGTERM)
        self.dir.cleanup()
        return log, code


async def observe_case(case, binary):
    stage = Stage(case, binary)
    try:
        stage.prepare()
        stage.start()
        before = stage.proxy.settled_stats()
        port = int(config.fill(case.port, stage.names))
        clients = [Client(port, stage.fill_bytes, case.source) for _ in case.conns]
        if case.parallel:
            await asyncio.gather(*(c.run(s) for c, s in zip(clients, case.conns)))
        else:
            for c, s in zip(clients, case.conns):
                await c.run(s)
        await asyncio.sleep(0.05)  # the origins' last reads
        after = stage.proxy.settled_stats()
        await stage.origins_see_the_ends(after)
        origins = {o.name: copy.deepcopy(o.seen) for o in stage.origins if o.seen}
    finally:
        log, code = await stage.stop()
    changed = {k: after.get(k, 0) - before.get(k, 0) for k in {*after, *before} if after.get(k, 0) != before.get(k, 0)}
    sent = b"".join(stage.fill_bytes(s[1]) for script in case.conns for s in script if s[0] == "send")
    return {
        "names": stage.names,
        "sent": sent,
        "clients": [c.notes for c in clients],
        "origins": origins,
        "log": log.splitlines(),
        "stats": changed,
        "exit": code,
    }


def observe(case, binary):
    """What was seen, as it was seen (normalise.py makes it comparable)."""

    def go():
        return asyncio.run(observe_case(case, binary))

    return netns.run(go) if case.netns else go()
