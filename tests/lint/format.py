"""All C is formatted as .clang-format says. Versions of clang-format disagree, so only version 14 is asked:
clang-format-14, or the one that scripts/test puts into build/venv. Without it the check is skipped (exit code 77)."""
import re
import shutil
import subprocess
import sys

import tree

WANTED = "14"
CANDIDATES = ("clang-format-14", str(tree.ROOT / "build/venv/bin/clang-format"), "clang-format")


def find_tool():
    for name in CANDIDATES:
        path = shutil.which(name)
        if path:
            version = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
            if re.search(rf"version {WANTED}\.", version):
                return path
    return None


def misformatted(tool, paths):
    """The first complaint of clang-format about each file."""
    done = subprocess.run([tool, "--dry-run", "--style=file", *map(str, paths)], capture_output=True, text=True,
                          cwd=tree.ROOT)
    lines = [line for line in done.stderr.splitlines() if "warning:" in line or "error:" in line]
    first = {line.split(":")[0]: line.replace(f"{tree.ROOT}/", "") for line in reversed(lines)}
    return sorted(first.values()) or ([done.stderr] if done.returncode else [])


if __name__ == "__main__":
    tool = find_tool()
    if tool is None:
        print(f"skipped: clang-format {WANTED} was not found ({', '.join(CANDIDATES)})")
        sys.exit(77)
    paths = tree.files(".c", ".h")
    tree.finish(misformatted(tool, paths), len(paths))
