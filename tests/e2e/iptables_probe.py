"""Probes for the redirect rules: servers that say what reached them and how, and clients that ask.

A server answers every TCP connection with one line of JSON, then echoes. SO_ORIGINAL_DST is what a proxy reads.
"""
import json
import selectors
import socket
import struct
import threading

SO_ORIGINAL_DST = 80      # and IP6T_SO_ORIGINAL_DST
IP_TRANSPARENT = 19
IPV6_TRANSPARENT = 75
TIMEOUT_S = 3

FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def original_destination(s):
    """[address, port] before redirection, or None where connection tracking knows nothing."""
    try:
        if s.family == socket.AF_INET:
            raw = s.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, 16)
            return [socket.inet_ntop(socket.AF_INET, raw[4:8]), struct.unpack("!H", raw[2:4])[0]]
        raw = s.getsockopt(socket.IPPROTO_IPV6, SO_ORIGINAL_DST, 28)
        return [socket.inet_ntop(socket.AF_INET6, raw[8:24]), struct.unpack("!H", raw[2:4])[0]]
    except OSError:
        return None


def make_transparent(s):
    if s.family == socket.AF_INET:
        s.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
    else:
        s.setsockopt(socket.IPPROTO_IPV6, IPV6_TRANSPARENT, 1)


def listen(address, port, transparent=False):
    """A listening socket in the namespace the calling thread is in."""
    s = socket.socket(family_of(address), socket.SOCK_STREAM)
    if s.family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if transparent:
        make_transparent(s)
    s.bind((address, port))
    s.listen(64)
    return s


class Servers:
    """One thread that serves any number of listening and datagram sockets, each with a label."""

    def __init__(self):
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def add(self, ns, label, ports, addresses=("0.0.0.0", "::"), transparent=False):
        with ns.inside():
            for port in ports:
                for address in addresses:
                    s = listen(address, port, transparent)
                    self._selector.register(s, selectors.EVENT_READ, ("listener", label))
        self._wake.send(b"x")

    def add_udp(self, ns, label, port, addresses):
        with ns.inside():
            for address in addresses:
                s = socket.socket(family_of(address), socket.SOCK_DGRAM)
                s.bind((address, port))
                self._selector.register(s, selectors.EVENT_READ, ("datagram", label))
        self._wake.send(b"x")

    def close(self):
        self._wake.send(b"q")
        self._thread.join(TIMEOUT_S)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()
        self._wake.close()

    def _serve(self):
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    if b"q" in self._woken.recv(64):
                        return
                else:
                    kind, label = key.data
                    getattr(self, "_" + kind)(key.fileobj, label)

    def _listener(self, s, label):
        try:
            c, peer = s.accept()
        except OSError:
            return
        answer = {"label": label, "peer": list(peer[:2]), "local": list(c.getsockname()[:2]),
                  "original": original_destination(c)}
        try:
            c.sendall(json.dumps(answer).encode() + b"\n")
            self._selector.register(c, selectors.EVENT_READ, ("connection", label))
        except OSError:
            c.close()

    def _connection(self, c, _label):
        try:
            data = c.recv(4096)
            if data:
                c.sendall(data)
                return
        except OSError:
            pass
        self._selector.unregister(c)
        c.close()

    @staticmethod
    def _datagram(s, label):
        _, peer = s.recvfrom(2048)
        s.sendto(json.dumps({"label": label, "peer": list(peer[:2])}).encode(), peer)


def connect(address, port, source=None, interface=None):
    s = socket.socket(family_of(address), socket.SOCK_STREAM)
    s.settimeout(TIMEOUT_S)
    try:
        if interface is not None:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
        if source is not None:
            s.bind((source, 0))
        s.connect((address, port))
    except BaseException:
        s.close()
        raise
    return s


def read_answer(s):
    """The JSON line, and nothing after it."""
    line = b""
    while not line.endswith(b"\n"):
        byte = s.recv(1)
        if not byte:
            raise ConnectionError("closed without an answer")
        line += byte
    return json.loads(line)


def ask(address, port, source=None):
    """What a fresh connection meets, as JSON text."""
    with connect(address, port, source) as s:
        return json.dumps(read_answer(s))


def ask_udp(address, port, source_port=0):
    with socket.socket(family_of(address), socket.SOCK_DGRAM) as s:
        s.settimeout(TIMEOUT_S)
        s.bind(("::" if ":" in address else "0.0.0.0", source_port))
        s.connect((address, port))
        s.send(b"?")
        return s.recv(2048).decode()


def dial(ns, address, port, uid=None, gid=None, source=None):
    """ask() by a process inside, of this user."""
    return json.loads(ns.call(ask, address, port, source, uid=uid, gid=gid))


def dial_udp(ns, address, port, uid=None, source_port=0):
    return json.loads(ns.call(ask_udp, address, port, source_port, uid=uid))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def send_impossible_segment(source, target, port):
    """A TCP segment without any flag, which no connection can contain."""
    family = family_of(target)
    src, dst = socket.inet_pton(family, source), socket.inet_pton(family, target)
    header = struct.pack("!HHIIBBHHH", 4444, port, 1, 0, 5 << 4, 0, 1024, 0, 0)
    if family == socket.AF_INET:
        pseudo = src + dst + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(header))
    else:
        pseudo = src + dst + struct.pack("!II", len(header), socket.IPPROTO_TCP)
    header = header[:16] + struct.pack("!H", checksum(pseudo + header)) + header[18:]
    with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP) as s:
        s.bind((source, 0))
        s.sendto(header, (target, 0))
    return "sent"
