"""The scripted client: one connection to the proxy, carried out step by step."""

import asyncio
import socket
import time

from .wire import LIMIT, Wire, read_message

OPEN_AFTER = 0.25  # a connection that is quiet for so long is taken as kept
LATE_AFTER = 0.5  # an end later than this is "late" (Envoy's delayed close takes 1 s)
CLOSE_WAIT = 3.0  # how long an end is awaited when one is due


def must_close(message):
    """Whether the message says, or its framing means, that the connection ends after it."""
    if message is None:
        return True
    head = message["head"].lower()
    return "connection: close" in head or not message["complete"] or message["framing"] == "end"


class Client:
    def __init__(self, port, fill, source="127.0.0.1"):
        self.port, self.fill, self.source = port, fill, source
        self.notes = {"responses": [], "raw": b"", "fate": None}
        self.wire = None
        self.last_message = None
        self.started = 0.0

    async def run(self, script):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.bind((self.source, 0))
        sock.setblocking(False)
        await asyncio.wait_for(asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port)), LIMIT)
        self.wire = Wire(sock)
        for step in script:
            await self.step(step)
        if self.notes["fate"] is None:
            await self.fate()
        self.wire.close()
        return self.notes

    async def step(self, step):
        kind = step[0]
        if kind == "send":
            await self.wire.send(self.fill(step[1]))
        elif kind == "pause":
            await asyncio.sleep(step[1] / 1000)
        elif kind == "response":
            await self.response(step[1])
        elif kind == "interim":
            self.note(await read_message(self.wire, bodyless=True))
        elif kind == "read":
            self.notes["raw"] += await self.wire.exactly(step[1])
        elif kind == "read_end":
            self.notes["raw"] += await self.wire.rest()
        elif kind == "shut":
            self.wire.shut()
        elif kind in ("close", "reset"):
            self.notes["fate"] = "we " + kind
            (self.wire.reset if kind == "reset" else self.wire.close)()
        elif kind == "fate":
            await self.fate()
        else:
            raise ValueError(f"client cannot do {kind}")

    def note(self, message):
        self.last_message = message
        if message is not None:
            self.notes["responses"].append(message)

    async def response(self, method):
        """Reads up to and with the first final response (101 is final)."""
        while True:
            head = await self.peek_head()
            code = head.split(" ")[1] if head.count(" ") else ""
            bodyless = method == "HEAD" or code in ("204", "304") or code.startswith("1")
            message = await read_message(self.wire, bodyless=bodyless, to_end=True)
            self.note(message)
            if message is None or not code.startswith("1") or code == "101":
                return

    async def peek_head(self):
        deadline = time.monotonic() + LIMIT
        while b"\r\n\r\n" not in self.wire.buf:
            if not await self.wire.fill(max(0.01, deadline - time.monotonic())):
                break
        return self.wire.buf.split(b"\r\n")[0].decode("latin-1")

    async def fate(self):
        """kept, or how the connection ended: eof or reset, at once or late, after which stray bytes."""
        start = time.monotonic()
        wait = CLOSE_WAIT if must_close(self.last_message) else OPEN_AFTER
        extra = await self.wire.rest(wait)
        if self.wire.end is None:
            self.notes["fate"] = "kept"
        else:
            late = " late" if time.monotonic() - start > LATE_AFTER else ""
            self.notes["fate"] = self.wire.end + late
        if extra:
            self.notes["raw"] += extra
