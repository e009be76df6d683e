"""Turns the rows into markdown tables: medians, ratios to the raw relay, the targets beside the values."""

import statistics

# (column, figure, format): "ratio" is the CPU figure over the relay's.
COLUMNS = {
    "http1": [
        ("CPU µs/req", "cpu_us", ".2f"),
        ("× relay", "ratio", ".2f"),
        ("syscalls/req", "syscalls", ".2f"),
        ("req/s", "rps", ".0f"),
        ("proxy core busy %", "util", ".0f"),
        ("errors", "errs", ".0f"),
    ],
    "own core": [
        ("CPU µs/req", "cpu_us", ".1f"),
        ("× relay", "ratio", ".2f"),
        ("p50 µs", "p50", ".0f"),
        ("p99 µs", "p99", ".0f"),
        ("syscalls/req", "syscalls", ".2f"),
        ("errors", "errs", ".0f"),
    ],
    "instructions": [("user instructions/req", "instructions", ".0f")],
    "memory": [("PSS at start, MB", "pss_mb", ".1f"), ("bytes per idle connection", "per_conn", ".0f")],
    "tcp-bulk": [
        ("CPU s/GB", "cpu_s_per_gb", ".3f"),
        ("× relay", "ratio", ".2f"),
        ("MB/s", "mbps", ".0f"),
        ("proxy core busy %", "util", ".0f"),
    ],
}
COLUMNS["peers' core"] = COLUMNS["own core"]
# What weft must reach: (case, figure) -> the highest value allowed.
TARGETS = {
    ("http1-1024", "ratio"): 1.2,
    ("http1-65536", "ratio"): 1.2,
    ("http1-1024", "syscalls"): 4.3,
    ("own core, 5000/s", "syscalls"): 7.0,
    ("instructions", "instructions"): 6000,
    ("memory", "pss_mb"): 8.0,
}


def columns(case):
    return next(c for prefix, c in COLUMNS.items() if case.startswith(prefix))


def median(samples, figure):
    values = [s[figure] for s in samples if figure in s]
    return statistics.median(values) if values else None


def cost(case):
    return "cpu_s_per_gb" if case.startswith("tcp") else "cpu_us"


def summarise(rows):
    """{case: {entry: {figure: median, "spread": text}}} in the order of the rows."""
    samples = {}
    for row in rows:
        samples.setdefault(row["case"], {}).setdefault(row["entry"], []).append(row["figures"])
    table = {}
    for case, entries in samples.items():
        base = median(entries.get("relay", []), cost(case))
        first = columns(case)[0][1]
        for name, many in entries.items():
            line = {f: median(many, f) for s in many for f in s}
            if base and line.get(cost(case)) is not None:
                line["ratio"] = line[cost(case)] / base
            values = [s[first] for s in many if first in s]
            if len(values) > 1 and line.get(first):
                low, high = (100 * (edge / line[first] - 1) for edge in (min(values), max(values)))
                line["spread"] = f"{low:+.0f}..{high:+.0f} % (n={len(values)})"
            table.setdefault(case, {})[name] = line
    return table


def cell(value, fmt):
    return "-" if value is None or value != value else format(value, fmt)


def case_text(case, entries):
    shown = columns(case)
    lines = [
        f"### {case}",
        "",
        "| proxy | " + " | ".join(c[0] for c in shown) + " | spread of the first |",
        "|---" * (len(shown) + 2) + "|",
    ]
    for name, line in entries.items():
        lines.append(
            f"| {name} | "
            + " | ".join(cell(line.get(f), fmt) for _, f, fmt in shown)
            + f" | {line.get('spread', '-')} |"
        )
    targets = [TARGETS.get((case, f)) for _, f, _ in shown]
    if any(t is not None for t in targets):
        lines.append("| **weft must** | " + " | ".join("-" if t is None else f"≤ {t:g}" for t in targets) + " | |")
    return "\n".join(lines) + "\n"


def verdicts(table):
    """[(case, column, value, target)] of what was measured of weft and has a target."""
    found = []
    for (case, figure), target in TARGETS.items():
        value = table.get(case, {}).get("weft", {}).get(figure)
        if value is not None:
            label = next(c[0] for c in columns(case) if c[1] == figure)
            found.append((case, label, value, target))
    return found


def text(table):
    parts = [case_text(case, entries) for case, entries in table.items()]
    found = verdicts(table)
    if found:
        lines = ["### weft and its targets", "", "| figure | measured | target | |", "|---|---|---|---|"]
        lines += [
            f"| {case}: {label} | {value:.4g} | ≤ {target:g} | {'met' if value <= target else 'MISSED'} |"
            for case, label, value, target in found
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)
