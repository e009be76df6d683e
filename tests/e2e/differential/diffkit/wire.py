"""Raw sockets on asyncio, and the little HTTP/1 that both the client and the origins need to read messages.

It is deliberately tolerant: it must be able to show whatever a proxy sends.
"""

import asyncio
import socket
import struct
import time

LIMIT = 15.0  # seconds any single wait may take


class Wire:
    """One connection: buffered reads that tell end from reset, and counted bytes."""

    def __init__(self, sock):
        self.sock = sock
        self.buf = b""
        self.end = None  # "eof" or "reset" once seen
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def fill(self, timeout=LIMIT):
        """Reads more; False at the end or when the time is up."""
        if self.end:
            return False
        loop = asyncio.get_running_loop()
        try:
            data = await asyncio.wait_for(loop.sock_recv(self.sock, 65536), timeout)
        except asyncio.TimeoutError:
            return False
        except OSError:
            self.end = "reset"
            return False
        if not data:
            self.end = "eof"
            return False
        self.buf += data
        return True

    async def until(self, mark, timeout=LIMIT):
        """The bytes up to and with the mark, or None."""
        deadline = time.monotonic() + timeout
        while mark not in self.buf:
            if not await self.fill(max(0.01, deadline - time.monotonic())):
                return None
        cut = self.buf.index(mark) + len(mark)
        data, self.buf = self.buf[:cut], self.buf[cut:]
        return data

    async def exactly(self, count):
        while len(self.buf) < count:
            if not await self.fill():
                break
        data, self.buf = self.buf[:count], self.buf[count:]
        return data

    async def rest(self, timeout=LIMIT):
        while await self.fill(timeout):
            pass
        data, self.buf = self.buf, b""
        return data

    async def send(self, data):
        """Writes all; a peer that closed is not an error here, the reads will tell."""
        try:
            await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(self.sock, data), LIMIT)
        except (OSError, asyncio.TimeoutError):
            return False
        return True

    def shut(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.sock.close()

    def reset(self):
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.sock.close()


def header_values(head, name):
    """All values of a header in a raw message head, in order."""
    found = []
    for line in head.split(b"\r\n")[1:]:
        key, colon, value = line.partition(b":")
        if colon and key.strip().lower() == name:
            found.append(value.strip())
    return found


async def read_chunked(wire, sizes):
    """(body, complete): the decoded body of a chunked message; trailer lines are kept in `sizes` as text."""
    body = b""
    while True:
        line = await wire.until(b"\r\n")
        if line is None:
            return body, False
        size = int(line.split(b";")[0], 16)
        if size == 0:
            break
        data = await wire.exactly(size + 2)
        body += data[:size]
        if len(data) < size + 2:
            return body, False
    while True:
        line = await wire.until(b"\r\n")
        if line is None:
            return body, False
        if line == b"\r\n":
            return body, True
        sizes.append("trailer " + line.decode("latin-1").strip())


async def read_message(wire, bodyless=False, to_end=False):
    """One HTTP/1 message as a dict: head (text), framing, body, complete, trailers; None at a clean end."""
    head = await wire.until(b"\r\n\r\n")
    if head is None:
        if not wire.buf:
            return None
        rest, wire.buf = wire.buf, b""
        return {"head": rest.decode("latin-1"), "framing": "none", "body": b"", "complete": False, "trailers": []}
    message = {"head": head.decode("latin-1"), "body": b"", "complete": True, "trailers": []}
    coding = b",".join(header_values(head, b"transfer-encoding")).lower()
    lengths = header_values(head, b"content-length")
    if bodyless:
        message["framing"] = "none"
    elif b"chunked" in coding:
        message["framing"] = "chunked"
        message["body"], message["complete"] = await read_chunked(wire, message["trailers"])
    elif lengths:
        message["framing"] = "length"
        want = int(lengths[0])
        message["body"] = await wire.exactly(want)
        message["complete"] = len(message["body"]) == want
    elif to_end:
        message["framing"] = "end"
        message["body"] = await wire.rest()
        message["complete"] = wire.end == "eof"
    else:
        message["framing"] = "none"
    return message
