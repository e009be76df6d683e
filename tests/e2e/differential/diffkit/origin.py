"""The scripted origins: listeners on loopback whose connections follow the case's scripts and note what they got."""

import asyncio
import socket

from .wire import Wire, read_message


def listen(backlog=128):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    if backlog is not None:
        sock.listen(backlog)
    sock.setblocking(False)
    return sock


class Origin:
    """scripts: one per connection, the last one for all later connections."""

    def __init__(self, name, scripts, fill, sock=None):
        self.name, self.scripts, self.fill = name, scripts, fill
        self.sock = sock or listen()
        self.port = self.sock.getsockname()[1]
        self.seen = []  # one entry per connection
        self.tasks = []

    def start(self):
        self.tasks.append(asyncio.ensure_future(self.accept()))

    async def accept(self):
        loop = asyncio.get_running_loop()
        while True:
            sock, _ = await loop.sock_accept(self.sock)
            number = len(self.seen)
            notes = {"got": [], "end": "open"}
            self.seen.append(notes)
            script = self.scripts[min(number, len(self.scripts) - 1)]
            self.tasks.append(asyncio.ensure_future(self.serve(Wire(sock), script, notes)))

    async def serve(self, wire, script, notes):
        try:
            while await self.once(wire, script, notes):
                pass
        except asyncio.CancelledError:
            wire.close()
            raise

    async def once(self, wire, script, notes):
        """One pass through the script; False when the connection is over."""
        for step in script:
            if not await self.step(wire, step, notes):
                if notes["end"] == "open":
                    notes["end"] = "peer " + (wire.end or "silent")
                wire.close()
                return False
        return True

    async def step(self, wire, step, notes):
        kind = step[0]
        if kind == "request":
            message = await read_message(wire)
            if message is None:
                return False
            notes["got"].append(message)
            return message["complete"]
        if kind == "head":
            data = await wire.until(b"\r\n\r\n")
            if data is None:
                return False
            notes["got"].append(
                {"head": data.decode("latin-1"), "framing": "unread", "body": b"", "complete": True, "trailers": []}
            )
        elif kind == "read":
            notes["got"].append(
                {"head": "", "framing": "raw", "body": await wire.exactly(step[1]), "complete": True, "trailers": []}
            )
        elif kind in ("read_end", "hang"):
            data = await wire.rest()
            if kind == "read_end":
                notes["got"].append({"head": "", "framing": "raw", "body": data, "complete": True, "trailers": []})
            elif wire.end:
                return False
        elif kind == "send":
            await wire.send(self.fill(step[1]))
        elif kind == "pause":
            await asyncio.sleep(step[1] / 1000)
        elif kind == "shut":
            wire.shut()
        elif kind in ("close", "reset"):
            notes["end"] = "we " + kind
            (wire.reset if kind == "reset" else wire.close)()
            return False
        else:
            raise ValueError(f"origin cannot do {kind}")
        return True

    async def stop(self):
        self.sock.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
