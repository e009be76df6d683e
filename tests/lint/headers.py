"""Every header compiles alone. Usage: headers.py COMPILER INCLUDE_FOLDER..."""
import concurrent.futures
import os
import subprocess
import sys

import tree

FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c", "-"]
FOLDERS = ("base", "net", "config", "resolver", "proxy", "xds", "control", "iptables", "tests/support")


def check(compiler, folders, header):
    """None, or the complaint. Through standard input, as `#pragma once` in a main file is a warning."""
    command = [compiler, *(f"-I{f}" for f in folders), *FLAGS]
    done = subprocess.run(command, input=f'#include "{header}"\n', capture_output=True, text=True)
    return None if done.returncode == 0 else f"{header}: does not compile alone\n{done.stderr}"


if __name__ == "__main__":
    compiler, folders = sys.argv[1], [str(tree.ROOT), *sys.argv[2:]]
    names = [n for n in map(tree.relative, tree.files(".h")) if n.startswith(tuple(f + "/" for f in FOLDERS))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda name: check(compiler, folders, name), names))
    tree.finish([r for r in results if r], len(names))
