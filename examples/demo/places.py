"""Where the tasks of the demonstration live: each in a network namespace of its own, or all on loopback addresses.

A namespace is held by a process (`unshare ... sleep`), so it goes when that process goes: nothing is left behind, not
even after SIGKILL, because the kernel then kills all that mesh.py started.
"""
import ctypes
import os
import random
import shutil
import socket
import subprocess

SIDECAR_UID = "1337"
APP_UID = "65534"
FRONTEND, API = "frontend-service.my-app.local", "api-service.my-app.local"
# Nobody has this address: only a sidecar can answer for it.
API_ADDRESS = "10.77.9.9"
HOSTS = f"127.0.0.1 localhost\n10.77.0.2 {FRONTEND}\n{API_ADDRESS} {API}\n"
# (task, its address) twice: the two ends of a cable
LINKS = [(("client", "10.77.0.1"), ("frontend", "10.77.0.2")),
         (("frontend", "10.77.1.1"), ("api-v1", "10.77.1.2")),
         (("frontend", "10.77.2.1"), ("api-v2", "10.77.2.2"))]
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def works(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


def as_user(uid):
    """Prefix: run as that user when we may choose, and in any case die with mesh.py."""
    user = ["--reuid", uid, "--regid", uid, "--clear-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *user, "--pdeathsig", "KILL"]


def why_no_namespaces():
    """None when the mesh can run in namespaces, else what is in the way."""
    if os.geteuid() != 0:
        return "not root"
    for tool in ("ip", "iptables", "nsenter", "setpriv", "unshare"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed"
    if not works("unshare", "--net", "true"):
        return "no network namespaces here"
    if not works("unshare", "--net", "iptables", "-t", "nat", "-S"):
        return "iptables does not work here"
    return None


class Namespaces:
    """Tasks as network namespaces joined by veth pairs; rules in each send the traffic through the sidecar."""
    configs = "."

    def __init__(self, folder, spawn):
        self.holders = {}
        self.spawn = spawn
        hosts = folder / "hosts"
        hosts.write_text(HOSTS)
        # In a bare chroot a mount cannot be kept private, so /etc/hosts stays as it is.
        self.own_hosts = works("unshare", "--mount", "--propagation", "private", "true")
        for task in ("client", "frontend", "api-v1", "api-v2"):
            self.holders[task] = self.hold(task, hosts)
        for (left, left_ip), (right, right_ip) in LINKS:
            ends = str(self.holders[left]), str(self.holders[right])
            run("ip", "link", "add", right, "netns", ends[0], "type", "veth", "peer", "name", left, "netns", ends[1])
            for task, device, ip in (left, right, left_ip), (right, left, right_ip):
                run(*self.enter(task), "ip", "address", "add", f"{ip}/24", "dev", device)
                run(*self.enter(task), "ip", "link", "set", device, "up")
        run(*self.enter("frontend"), "ip", "route", "add", "default", "via", "10.77.1.2")

    def hold(self, task, hosts):
        mount = ["--mount", "--propagation", "private"] if self.own_hosts else []
        bind = f"mount --bind {hosts} /etc/hosts && " if self.own_hosts else ""
        script = f"{bind}ip link set lo up && echo ready && exec sleep infinity"
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", *mount, "sh", "-c", script]
        process = self.spawn(f"{task}.namespace", command, last=True, stdout=subprocess.PIPE)
        if process.stdout.readline() != b"ready\n":
            raise RuntimeError(f"the namespace of {task} could not be made")
        return process.pid

    def enter(self, task):
        """Prefix: run inside the task."""
        mount = ["--mount", "--root", "--wd"] if self.own_hosts else []
        return ["nsenter", "--target", str(self.holders[task]), "--net", *mount, "--"]

    def socket(self, task):
        """A TCP socket of the task's namespace (a socket stays where it was made)."""
        with open("/proc/self/ns/net") as home, open(f"/proc/{self.holders[task]}/ns/net") as there:
            self.switch(there)
            try:
                return socket.socket()
            finally:
                self.switch(home)

    @staticmethod
    def switch(namespace):
        if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    def config(self, text):
        return text

    def app_address(self, _task, port):
        return f"127.0.0.1:{port}"

    def entry(self):
        return "10.77.0.2", 8080

    def entry_url(self, name):
        """For curl, which reads the client's /etc/hosts."""
        return f"http://{name}/" if self.own_hosts else f"-H 'Host: {name}' http://10.77.0.2:8080/"

    def admin(self, _task):
        return "127.0.0.1", 9901

    def connect(self):
        """Where frontend finds the API when names cannot be resolved to it."""
        return [] if self.own_hosts else ["--connect", f"{API_ADDRESS}:3000"]

    def intercept(self, binary, task, port):
        rules = {"APPMESH_START_ENABLED": "1", "APPMESH_IGNORE_UID": SIDECAR_UID, "APPMESH_APP_PORTS": str(port),
                 "APPMESH_ENVOY_EGRESS_PORT": "15001", "APPMESH_ENVOY_INGRESS_PORT": "15000"}
        done = subprocess.run([*self.enter(task), binary], env={**os.environ, **rules}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"the redirect rules of {task} could not be installed\n{done.stdout}")

    def shell(self, task):
        """What a user types before a command to run it inside the task."""
        return " ".join(self.enter(task)[:-1]) + " "


class Loopback:
    """All tasks on addresses of one 127.x.y.0/24, without interception: whoever calls names the sidecar."""
    configs = "loopback"
    HOST = {"frontend": 2, "api-v1": 3, "api-v2": 4}

    def __init__(self, _folder, _spawn):
        for _ in range(50):
            self.net = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}."
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((self.address("frontend"), 15000))
                    return
                except OSError:
                    continue
        raise RuntimeError("no free loopback addresses")

    def address(self, task):
        return f"{self.net}{self.HOST[task]}"

    def enter(self, _task):
        return []

    def socket(self, _task):
        return socket.socket()

    def config(self, text):
        return text.replace("127.0.0.", self.net)

    def app_address(self, task, port):
        return f"{self.address(task)}:{port}"

    def entry(self):
        return self.address("frontend"), 15000

    def entry_url(self, name):
        return f"-H 'Host: {name}' http://{self.address('frontend')}:15000/"

    def admin(self, task):
        return self.address(task), 9901

    def connect(self):
        return ["--connect", f"{self.address('frontend')}:15001"]

    def intercept(self, _binary, _task, _port):
        pass

    def shell(self, _task):
        return ""
