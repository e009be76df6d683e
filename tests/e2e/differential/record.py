#!/usr/bin/env python3
"""Writes down what a program answers in every case: raw bytes, log lines, what the origins got, statistics.

usage: record.py [-o OUT.md] [--binary PATH] [ID-PATTERN ...]      (default: the real Envoy, all cases)
"""

import argparse
import fnmatch
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import yaml  # noqa: E402

from cases import ADMIN_CASES, CASES, CLI_CASES  # noqa: E402
from diffkit import config, netns, normalise, plain, proxy  # noqa: E402
from diffkit.observe import observe  # noqa: E402

SHOWN = 1500
INTRO = """One section a case: what was configured (where it differs from one catch-all route to the STATIC cluster
`origin`, stat prefix `t`, codec HTTP1), what the client and the origins did, what came back, the log line, and which
statistics changed between the program's readiness and the end of the case. An origin without a script answers every
request with 200 `ok`.
"""


def clip(text, shown=SHOWN):
    """Long runs of one character, and long texts, are shortened."""
    text = re.sub(r"(.)\1{40,}", lambda m: f"{m.group(1)}<{len(m.group(0))} times>", text)
    return text if len(text) <= shown else f"{text[:shown]}\n... ({len(text)} characters)"


def block(text, shown=SHOWN):
    return "```\n" + clip(text, shown).rstrip("\n") + "\n```\n"


def message_text(m):
    body = m["body"].decode("latin-1")
    tail = "" if m["complete"] else "   <-- cut short"
    return (
        m["head"].replace("\r\n", "\n").rstrip("\n")
        + f"\n\n[{m['framing']}, {len(body)} bytes] {body[:300]}"
        + "".join(f"\n{t}" for t in m["trailers"])
        + tail
    )


def steps_text(script):
    shown = []
    for step in script:
        args = " ".join(repr(a.decode("latin-1") if isinstance(a, bytes) else a) for a in step[1:])
        shown.append(f"{step[0]} {args[:400]}".rstrip())
    return "\n".join(shown)


def record_case(case, binary, out):
    seen = observe(case, binary)
    n = normalise.Normaliser(seen)
    out.append(f"\n## {case.id}: {normalise.summary(normalise.normalise(case, seen)) or '(no log line)'}\n")
    if case.about:
        out.append(case.about + "\n")
    if case.config:
        fragment = {k: config.parse(v) if k != "chains" else "..." for k, v in case.config.items()}
        out.append("config: " + yaml.safe_dump(fragment, default_flow_style=True, width=200).strip() + "\n")
    if case.origins:
        out.append("origins: " + clip(str({k: [steps_text(s) for s in v[:3]] for k, v in case.origins.items()})) + "\n")
    for script, notes in zip(case.conns, seen["clients"]):
        out.append("client:\n" + block(steps_text(script[:12])))
        for m in notes["responses"][:4]:
            out.append("response:\n" + block(message_text(m)))
        if notes["raw"]:
            out.append("bytes:\n" + block(repr(notes["raw"][:600])))
        out.append(f"fate: {notes['fate']}\n")
    for name, conns in seen["origins"].items():
        for i, conn in enumerate(conns[:4]):
            out.append(f"{name} connection {i + 1}, end: {conn['end']}\n")
            for m in conn["got"][:4]:
                out.append(block(message_text(m)))
    for line in seen["log"][:4]:
        out.append("log: `" + n.text(line).replace("\t", " | ") + "`\n")
    stats = [f"{k} {v:+d}" for k, v in sorted((n.text(k), v) for k, v in seen["stats"].items()) if ".worker_" not in k]
    out.append("stats: " + ", ".join(stats) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", default="-")
    parser.add_argument("--binary", default=None)
    parser.add_argument("ids", nargs="*", default=["*"])
    args = parser.parse_args()
    binary = args.binary or proxy.envoy_binary()
    out = ["# Answers of " + pathlib.Path(binary).name + ", case by case\n"]
    for case in CASES + ADMIN_CASES + CLI_CASES:
        if not any(fnmatch.fnmatchcase(case.id, p) for p in args.ids):
            continue
        print(case.id, file=sys.stderr)
        try:
            if case in CASES:
                if not case.netns or netns.why_not(case.netns) is None:
                    record_case(case, binary, out)
            else:
                plain.record(case, binary, out, block)
        except Exception as error:  # a case that cannot run is told, the others go on
            out.append(f"\n## {case.id}: FAILED {error}\n")
            print(f"  {type(error).__name__}: {error}", file=sys.stderr)
    index = [f"- {line[4:-1]}" for line in out if line.startswith("\n## ")]
    text = "\n".join([out[0], INTRO, *index, "", *out[1:]])
    if args.o == "-":
        print(text)
    else:
        pathlib.Path(args.o).write_text(text)


if __name__ == "__main__":
    main()
