"""What a case is made of: the configuration, the origins' scripts, the client's script, and what is compared.

A case is data. Client and origins speak the same small language, a list of steps (tuples) made by the
functions below; `observe.py` carries them out and `compare.py` compares what was seen.
"""

from dataclasses import dataclass, field

# ---- steps of either side -------------------------------------------------------------------------


def send(data):
    """Writes bytes; @NAME@ in them stands for a port of this run."""
    return ("send", data if isinstance(data, bytes) else data.encode("latin-1"))


def pause(ms):
    """Lets time pass: only to order two things whose order is the point of the case."""
    return ("pause", ms)


def shut():
    """Half-closes: no more bytes from this side."""
    return ("shut",)


def close():
    return ("close",)


def reset():
    """Closes with RST."""
    return ("reset",)


def read(count):
    """Reads exactly that many bytes, or what came before the end."""
    return ("read", count)


def read_end():
    """Reads until the other side ends."""
    return ("read_end",)


# ---- steps of the client --------------------------------------------------------------------------


def response(method="GET"):
    """Reads one response with its interim (1xx) ones; the method decides whether a body follows."""
    return ("response", method)


def interim():
    """Reads one interim response only."""
    return ("interim",)


def fate():
    """Looks whether the connection stays open, or how and how soon it ends. Ends every HTTP script by itself."""
    return ("fate",)


# ---- steps of an origin ---------------------------------------------------------------------------


def request():
    """Reads one whole request."""
    return ("request",)


def head():
    """Reads the head of a request only."""
    return ("head",)


def hang():
    """Reads and drops whatever comes until the other side ends."""
    return ("hang",)


def reply(status="200 OK", headers=(), body=b"ok", chunks=None):
    """One HTTP/1.1 answer: with content-length, or chunked when `chunks` (a list of bytes) is given.

    body=None sends neither body nor length.
    """
    lines = [f"HTTP/1.1 {status}"] + [f"{name}: {value}" for name, value in headers]
    if chunks is not None:
        lines.append("transfer-encoding: chunked")
        data = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n\r\n"
    elif body is None:
        data = b""
    else:
        data = body
        lines.append(f"content-length: {len(body)}")
    return send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + data)


ANSWER = [request(), reply()]


# ---- requests -------------------------------------------------------------------------------------


def http(target="/", method="GET", host="test.local", headers=(), body=None, version="HTTP/1.1"):
    """The bytes of a request; host=None leaves the Host header out."""
    lines = [f"{method} {target} {version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None and not any(n.lower() in ("content-length", "transfer-encoding") for n, _ in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def get(target="/", **kw):
    """A request with its response: two steps."""
    method = kw.get("method", "GET")
    return [send(http(target, **kw)), response(method)]


# ---- cases ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One HTTP or TCP case.

    id       unique; the key of docs/differences.md
    want     what Envoy must answer for the case to be about what its id says: the status codes (or, for a
             connection without any, how it ended) and flags of its log lines, e.g. "503 UF"
    conns    the client's connections, one script each; run one after the other, or together (`parallel`)
    origins  scripts by origin: {"origin": [script of connection 1, ...]}; the last one serves all later ones.
             A script is repeated until a step ends the connection.
    config   fragments for config.build(): routes, vhosts, hcm, clusters, cluster, listener, bootstrap ...
    stats    regular expressions of the statistics whose change is compared
    reduce   optional: changes an observation before it is compared (for what is random by design)
    netns    runs in network and (but for a bare chroot) mount namespaces of its own, prepared by these shell
             commands; daemons that they start leave a *.pid file in @DIR@, by which they are stopped
    source, port   the client's own address, and where it connects when that is not the listener
    """

    id: str
    want: str
    conns: list
    config: dict = field(default_factory=dict)
    origins: dict = field(default_factory=dict)
    stats: tuple = ()
    parallel: bool = False
    reduce: object = None
    netns: tuple = ()
    source: str = "127.0.0.1"
    port: str = "@LISTENER@"
    about: str = ""


@dataclass(frozen=True)
class AdminCase:
    """Requests to the admin listener: (method, path, view) each.

    The view, a name of plain.VIEWS, picks what of the body is compared.
    """

    id: str
    asks: list
    config: dict = field(default_factory=dict)
    traffic: list = field(default_factory=list)
    about: str = ""


@dataclass(frozen=True)
class CliCase:
    """One run of the program that ends by itself.

    args     the command line; @CONFIG@ is the configuration file, @DIR@ a scratch directory
    config   that file: its text, or fragments for config.build(); None: no file
    want     the exit code that Envoy must give
    mention  words that the error text must hold (what is wrong and where)
    text     the error text itself is compared: it is Envoy's own, not that of its JSON or YAML library
    """

    id: str
    args: list
    want: int
    config: object = None
    mention: tuple = ()
    text: bool = False
    about: str = ""
