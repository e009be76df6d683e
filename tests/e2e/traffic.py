"""Traffic for tests of a proxy's life: an origin whose answers can be held back, and clients that notice every request
that was sent and not answered.
"""
import asyncio
import socket
import threading
import time

LIMIT_S = 15


def wait_for(condition, what):
    """Until condition() gives something true, which is returned."""
    deadline = time.monotonic() + LIMIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(0.01)
    return found


class Origin:
    """An HTTP server on 127.0.0.1. "/slow" is answered after a second, "/hang" never, everything else at once."""
    SLOW_S = 1.0

    def __init__(self):
        self.held = 0  # requests for /slow and /hang that arrived
        self._loop = asyncio.new_event_loop()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._connection, sock=self._socket))
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _connection(self, reader, writer):
        try:
            while True:
                path = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1]
                if path in (b"/slow", b"/hang"):
                    self.held += 1
                    await asyncio.sleep(self.SLOW_S if path == b"/slow" else 3600)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(path), path))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()

    def close(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT_S)
        self._socket.close()


class Answer:
    """What came for one request: status None when the connection ended instead."""

    def __init__(self, raw):
        head, end, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n") if end else [""]
        self.status = int(lines[0].split()[1]) if end else None
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.closes = self.headers.get("connection") == "close"


class Client:
    """One blocking keep-alive connection."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)

    def send(self, path):
        self._socket.sendall(b"GET %s HTTP/1.1\r\nhost: a\r\n\r\n" % path.encode())
        return self

    def receive(self):
        raw, wanted = b"", None
        while wanted is None or len(raw) < wanted:
            try:
                got = self._socket.recv(65536)
            except ConnectionResetError:
                got = b""
            if not got:
                return Answer(b"")
            raw += got
            head, end, _ = raw.partition(b"\r\n\r\n")
            if end:
                wanted = len(head) + 4 + int(Answer(raw).headers.get("content-length", 0))
        return Answer(raw)

    def get(self, path="/"):
        return self.send(path).receive()

    def ended(self):
        """Whether the other side closed an idle connection; waits for it."""
        return self._socket.recv(1) == b""

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def get(port, path="/"):
    """One request on a connection of its own."""
    with Client(port) as client:
        return client.get(path)


def accepts(port):
    """Whether anybody takes connections; a listener about to close may take none and refuse none for a moment."""
    with socket.socket() as s:
        s.settimeout(0.2)
        try:
            s.connect(("127.0.0.1", port))
            return True
        except (ConnectionRefusedError, TimeoutError):
            return False


class Load:
    """Keep-alive clients and clients that connect for each request, a request every PAUSE_S each, until stopped.

    answers: every Answer. failures: requests that were sent and got none or a bad one. refused: how often nobody
    listened.
    """
    PAUSE_S = 0.02

    def __init__(self, port, keep_alive=8, fresh=4):
        self.answers, self.failures, self.refused = [], [], 0
        self._port, self._stop = port, threading.Event()
        self._threads = [threading.Thread(target=self._client, args=(keeps,))
                         for keeps in [True] * keep_alive + [False] * fresh]

    def _client(self, keeps):
        client = None
        while not self._stop.wait(self.PAUSE_S):
            try:
                client = client or Client(self._port)
            except ConnectionRefusedError:
                self.refused += 1
                continue
            try:
                answer = client.get("/load")
            except OSError as error:
                self.failures.append(repr(error))
                client = None
                continue
            self.answers.append(answer)
            if answer.status != 200 or answer.body != b"/load":
                self.failures.append(f"status {answer.status}, kept alive: {keeps}")
            if not keeps or answer.closes or answer.status is None:
                client.close()
                client = None
        if client is not None:
            client.close()

    def wait(self, more):
        """Until so many more were answered."""
        wanted = len(self.answers) + more
        wait_for(lambda: len(self.answers) >= wanted, "the load stopped")

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(2 * LIMIT_S)
