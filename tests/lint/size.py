"""Sizes: a file has at most 800 lines, a C function at most 80. A function that is little more than one switch may
be longer: it is a table in the shape of code."""
import re

import tree

FILE_LINES = 800
FUNCTION_LINES = 80
AROUND_SWITCH = 12  # lines outside the switch that a "pure" switch function may have


def functions(lines):
    """(line number, body lines) of each function: clang-format puts its braces alone in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield start, lines[start:number - 1]
            start = None


def is_switch(body):
    """Whether all but a few lines are inside one switch at the first level."""
    outside, inside = 0, False
    for line in body:
        if re.match(r"    switch \(", line):
            inside = True
        outside += not inside
        if line == "    }":
            inside = False
    return outside <= AROUND_SWITCH and any(re.match(r"    switch \(", line) for line in body)


def check_text(name, text):
    lines = text.splitlines()
    problems = []
    if len(lines) > FILE_LINES:
        problems.append(f"{name}:1: {len(lines)} lines, at most {FILE_LINES}")
    if name.endswith(".c"):
        for start, body in functions(lines):
            if len(body) > FUNCTION_LINES and not is_switch(body):
                problems.append(f"{name}:{start}: function of {len(body)} lines, at most {FUNCTION_LINES}")
    return problems


if __name__ == "__main__":
    paths = tree.files(".c", ".h", ".py")
    tree.finish([p for path in paths for p in check_text(tree.relative(path), path.read_text())], len(paths))
