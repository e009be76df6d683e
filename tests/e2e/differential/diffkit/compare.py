"""Compares two normalised observations field by field, and knows the differences that docs/differences.md allows."""

import fnmatch
import pathlib
import re

TABLE = pathlib.Path(__file__).resolve().parents[4] / "docs" / "differences.md"
SHOWN = 300


def flatten(view, path=""):
    """{"client.0.response.0.status": value, ...}; header lists become a sorted part and their order."""
    flat = {}
    if isinstance(view, dict):
        for key, value in view.items():
            flat.update(flatten(value, f"{path}.{key}" if path else key))
    elif path.endswith(".headers"):
        for name in sorted({h.partition(":")[0] for h in view}):
            flat[f"{path}.{name}"] = [h.partition(": ")[2] for h in view if h.partition(":")[0] == name]
        flat[f"{path}.order"] = [h.partition(":")[0] for h in view]
    elif isinstance(view, list) and view and isinstance(view[0], (dict, list)):
        flat[f"{path}.count"] = len(view)
        for i, value in enumerate(view):
            flat.update(flatten(value, f"{path}.{i}"))
    else:
        flat[path] = view
    return flat


def differences(envoy, weft):
    """[(field, Envoy's value, weft's value)] of all fields that differ."""
    a, b = flatten(envoy), flatten(weft)
    found = [(k, a.get(k), b.get(k)) for k in sorted({*a, *b}) if a.get(k) != b.get(k)]
    # An order differs by necessity where the names differ: that is told once.
    orders = {k for k, x, y in found if k.endswith(".headers.order") and x and y and sorted(x) != sorted(y)}
    return [f for f in found if f[0] not in orders]


def allowed_rows():
    """[(case id pattern, field pattern)] from the table of docs/differences.md whose head starts with `case`."""
    rows, inside = [], False
    for line in TABLE.read_text().splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if re.match(r"^\|\s*case\s*\|", line):
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not set(cells[0]) <= set("-: "):
            for name in re.findall(r"`([^`]+)`", cells[1]):
                rows.append((cells[0].strip("`"), name))
    return rows


def matches_any(pattern, names):
    return any(fnmatch.fnmatchcase(name, pattern) for name in names)


def refused(case_id, found, rows=None):
    """Those of the found differences that no row allows."""
    rows = allowed_rows() if rows is None else rows
    mine = [field for case, field in rows if fnmatch.fnmatchcase(case_id, case)]
    return [f for f in found if not any(fnmatch.fnmatchcase(f[0], m) for m in mine)]


def unused(case_id, found, rows=None):
    """Fields that a row for exactly this case allows to differ, and that do not."""
    rows = allowed_rows() if rows is None else rows
    names = [f[0] for f in found]
    return [field for case, field in rows if case == case_id and not matches_any(field, names)]


def report(found):
    def short(value):
        text = repr(value)
        return text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} characters)"

    return "\n".join(f"{field}\n    envoy: {short(a)}\n    weft:  {short(b)}" for field, a, b in found)
