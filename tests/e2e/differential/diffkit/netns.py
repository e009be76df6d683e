"""Runs a function in network and mount namespaces of its own: in a thread that leaves those of the process.

Sockets made and programs started by that thread belong to the new namespaces. Needs root (CAP_SYS_ADMIN).
"""

import ctypes
import os
import subprocess
import threading

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000


def works(*command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def private_mounts():
    """Whether mounts can be kept from the machine: not in a bare chroot, whose root is no mount point."""
    return works("unshare", "--mount", "--propagation", "private", "true")


def why_not(commands):
    """Why these shell commands cannot run in namespaces of their own; None when they can."""
    if os.geteuid() != 0 or not works("unshare", "--net", "true"):
        return "needs root, for a network namespace"
    if any("mount " in command for command in commands) and not private_mounts():
        return "needs mounts of its own, which a bare chroot does not have"
    return None


def shell(command):
    subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL, timeout=20)


def run(function):
    """function()'s result; inside, the loopback device is up and mounts, where there can be any, stay private."""
    result = {}

    def inside():
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            mounts = private_mounts()
            if libc.unshare(CLONE_NEWNET | (CLONE_NEWNS if mounts else 0)) != 0:
                raise OSError(ctypes.get_errno(), "unshare")
            if mounts:
                shell("mount --make-rprivate /")
            shell("ip link set lo up")
            result["value"] = function()
        except BaseException as error:  # handed to the caller's thread
            result["error"] = error

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    if "error" in result:
        raise result["error"]
    return result["value"]
