"""The files of the source tree, and how a check reports: `path:line: what is wrong`, exit code 1."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = {"__pycache__", "corpus", "results", "bin"}


def skipped(name):
    """Build folders, version control, virtual environments, caches; fuzz inputs are foreign bytes."""
    return name in SKIPPED or name.startswith("build") or (name.startswith(".") and name != ".ci")


def files(*suffixes, root=ROOT):
    """Paths below root with one of the suffixes (all files when none is given), sorted; not .git, which is a file in a
    second work tree."""
    found, folders = [], [root]
    while folders:
        for entry in folders.pop().iterdir():
            if entry.is_dir() and not entry.is_symlink():
                if not skipped(entry.name):
                    folders.append(entry)
            elif entry.is_file() and entry.name != ".git" and (not suffixes or entry.suffix in suffixes):
                found.append(entry)
    return sorted(found)


def relative(path, root=ROOT):
    return path.relative_to(root).as_posix()


def finish(problems, looked_at):
    """Prints the verdict and ends the program. Having looked at nothing is a failure too."""
    for problem in problems:
        print(problem)
    print(f"{looked_at} files, {len(problems)} problems")
    sys.exit(1 if problems or not looked_at else 0)
