"""Network namespaces for tests: NetNs, and join() to connect two of them with a veth pair, IPv4 and IPv6.

A namespace lives as long as its holder process, which ends with the test process whatever happens to that: nothing
is left on the machine, no names are taken in /run/netns. Everything started inside is stopped by its pid.

    with NetNs("pod") as pod, NetNs("peer") as peer:
        join(pod, peer, "10.77.0", "fd77")               # .1/::1 and .2/::2, interfaces "to-peer" and "to-pod"
        pod.run("ip", "route")                           # a finished process: stdout, stderr, returncode
        server = pod.popen("python3", "-m", "http.server")
        with pod.inside():                               # this thread is inside: sockets made here stay there
            s = socket.create_connection(("10.77.0.2", 80))

Needs root: ask `why_not()` for the reason to skip.
"""
import contextlib
import ctypes
import os
import shutil
import subprocess

CLONE_NEWNET = 0x40000000
TIMEOUT_S = 30  # what a command may take
STOP_S = 5      # what a process may take to end after SIGTERM

_libc = ctypes.CDLL(None, use_errno=True)


def why_not():
    """Why namespaces cannot be made here; None when they can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [p for p in ("unshare", "nsenter", "ip") if shutil.which(p) is None]
    if missing:
        return f"missing: {' '.join(missing)}"
    probe = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, timeout=TIMEOUT_S)
    return None if probe.returncode == 0 else f"unshare --net: {probe.stderr.strip()}"


def set_namespace(fd):
    """Moves the calling thread, and only it, into the network namespace of this descriptor."""
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def stop(process):
    """Ends one process: SIGTERM, then SIGKILL after STOP_S."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


class NetNs:
    """A new network namespace, its loopback up. IPv6 addresses are usable at once (no duplicate detection)."""

    def __init__(self, name):
        self.name = name
        self._started = []
        # cat ends when our end of its standard input closes, that is, at the latest with this process.
        self._holder = subprocess.Popen(["unshare", "--net", "--", "sh", "-c", "echo ready; exec cat"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self._holder.stdout.readline() != b"ready\n":
            stop(self._holder)
            raise RuntimeError(f"no namespace for {name}")
        self.pid = self._holder.pid
        self.path = f"/proc/{self.pid}/ns/net"
        self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        self.run("ip", "link", "set", "lo", "up")
        self.sysctl("net.ipv6.conf.all.accept_dad", 0)
        self.sysctl("net.ipv6.conf.default.accept_dad", 0)

    def argv(self, *command, uid=None, gid=None):
        """The command line that runs a command inside, under another user if asked."""
        prefix = ["nsenter", f"--net={self.path}"]
        if gid is not None:
            prefix += ["-G", str(gid)]
        if uid is not None:
            prefix += ["-S", str(uid)]
        return [*prefix, "--", *(str(word) for word in command)]

    def run(self, *command, check=True, uid=None, gid=None, timeout=TIMEOUT_S, **options):
        """Runs a command to its end. With check, a failure raises, showing what was printed."""
        done = subprocess.run(self.argv(*command, uid=uid, gid=gid), capture_output=True, text=True,
                              timeout=timeout, **options)
        if check and done.returncode != 0:
            raise RuntimeError(f"{self.name}: {' '.join(map(str, command))}: exit {done.returncode}\n"
                               f"{done.stdout}{done.stderr}")
        return done

    def popen(self, *command, uid=None, gid=None, **options):
        """Starts a command; it is stopped with the namespace at the latest."""
        process = subprocess.Popen(self.argv(*command, uid=uid, gid=gid), **options)
        self._started.append(process)
        return process

    def sysctl(self, key, value):
        """Sets a network sysctl inside. /proc/sys/net shows the namespace of whoever opens it."""
        with self.inside(), open("/proc/sys/" + key.replace(".", "/"), "w", encoding="ascii") as f:
            f.write(str(value))

    def address(self, interface, *addresses):
        """Adds addresses such as "10.0.0.1/24" and "fd00::1/64"."""
        for a in addresses:
            family = ["-6"] if ":" in a else ["-4"]
            self.run("ip", *family, "address", "add", a, "dev", interface, *(["nodad"] if ":" in a else []))

    def route(self, destination, via):
        self.run("ip", "-6" if ":" in via else "-4", "route", "add", destination, "via", via)

    def call(self, function, *args, uid=None, gid=None, groups=()):
        """The result of function(*args) in a child process inside, under another user if asked: what a process of
        that user does. The result must be short text; an exception comes back as RuntimeError."""
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(read_end)
                set_namespace(self._fd)
                if gid is not None or uid is not None:
                    os.setgroups(groups)
                if gid is not None:
                    os.setgid(gid)
                if uid is not None:
                    os.setuid(uid)
                try:
                    os.write(write_end, str(function(*args)).encode())
                    status = 0
                except Exception as e:  # pylint: disable=broad-except
                    os.write(write_end, f"{type(e).__name__}: {e}".encode())
            finally:
                os._exit(status)
        os.close(write_end)
        with os.fdopen(read_end, "rb") as f:
            text = f.read().decode()
        _, status = os.waitpid(child, 0)
        if status != 0:
            raise RuntimeError(text)
        return text

    @contextlib.contextmanager
    def inside(self):
        """The calling thread is inside until the block ends; sockets it makes there stay there. Blocks nest."""
        back = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            set_namespace(self._fd)
            yield self
        finally:
            set_namespace(back)
            os.close(back)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Stops what was started inside and gives the namespace up."""
        for process in reversed(self._started):
            stop(process)
        self._started.clear()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        stop(self._holder)


def join(a, b, v4="10.77.0", v6="fd77"):
    """A veth pair between two namespaces: a has V4.1 and V6::1 on "to-<b>", b has V4.2 and V6::2 on "to-<a>"."""
    ends = [(a, f"to-{b.name}"[:15], 1), (b, f"to-{a.name}"[:15], 2)]
    (_, name_a, _), (_, name_b, _) = ends
    a.run("ip", "link", "add", name_a, "type", "veth", "peer", "name", name_b, "netns", str(b.pid))
    for ns, name, host in ends:
        ns.run("ip", "link", "set", name, "up")
        ns.address(name, f"{v4}.{host}/24", f"{v6}::{host}/64")
