"""Runs the cases that need no scripts: admin requests and command lines."""

import asyncio
import json
import re
import socket
import subprocess

from . import config
from .client import Client
from .normalise import DATE
from .observe import Stage
from .wire import Wire, read_message

# weft ends its own errors with the path of the field, in brackets; Envoy has no such thing.
PATH_SUFFIX = re.compile(r" \(static_resources[\w.\[\]]*\)$")
TIMES = re.compile(r'"(last_updated|uptime_\w+)": ?"[^"]*"')


# ---- admin ----------------------------------------------------------------------------------------


def shape(value, path=""):
    """{path: type} of a JSON value; of a list, its first member stands for all."""
    if isinstance(value, dict):
        flat = {}
        for key, inner in value.items():
            flat.update(shape(inner, f"{path}.{key}" if path else key))
        return flat or {path: "empty object"}
    if isinstance(value, list):
        return shape(value[0], f"{path}[]") if value else {path: "empty list"}
    return {path: type(value).__name__}


def view_shape(text):
    return shape(json.loads(text))


def view_json(text):
    return json.loads(TIMES.sub(r'"\1": "<time>"', text))


def view_stat_names(text):
    """Names of counters, gauges and histograms; their values have their own cases."""
    return {line.partition(": ")[0].replace(".", "/"): "present" for line in text.splitlines() if ": " in line}


def view_json_stat_names(text):
    stats = json.loads(text)["stats"]
    names = {s["name"].replace(".", "/"): type(s["value"]).__name__ for s in stats if "name" in s}
    for s in stats:
        names.update(
            {
                "histogram " + h["name"].replace(".", "/"): "present"
                for h in s.get("histograms", {}).get("computed_quantiles", [])
            }
        )
    return names


def view_prometheus(text):
    """Types by metric, and the series without their values."""
    found = {}
    for line in text.splitlines():
        if line.startswith("# TYPE"):
            found["type " + line.split()[2]] = line.split()[3]
        elif line and not line.startswith("#"):
            found["series " + line.rsplit(" ", 1)[0].replace(".", "/")] = "present"
    return found


def view_config_dump(text):
    """The dumps in order, each with its members."""
    dumps = json.loads(text)["configs"]
    return {"types": [d["@type"] for d in dumps], **{d["@type"].rpartition(".")[2]: sorted(d) for d in dumps}}


def view_loggers(text):
    """Whether the list of loggers has its form; which loggers there are is each program's own."""
    lines = text.rstrip("\n").splitlines()
    return {
        "first": lines[0],
        "form": all(re.match(r"^  [\w.-]+: \w+$", line) for line in lines[1:]),
        "last newline": text.endswith("\n"),
    }


def view_levels(text):
    return {"levels": sorted(set(re.findall(r"^  [\w.-]+: (\w+)$", text, re.M)))}


VIEWS = {
    "text": str,
    "nothing": lambda text: None,
    "shape": view_shape,
    "json": view_json,
    "stat names": view_stat_names,
    "json stat names": view_json_stat_names,
    "prometheus": view_prometheus,
    "config dump": view_config_dump,
    "loggers": view_loggers,
    "levels": view_levels,
    "first line": lambda text: text.split("\n")[0],
}


async def ask(port, method, path):
    sock = socket.create_connection(("127.0.0.1", port), 10)
    wire = Wire(sock)
    await wire.send(f"{method} {path} HTTP/1.1\r\nHost: admin\r\n\r\n".encode())
    message = await read_message(wire, bodyless=method == "HEAD")
    wire.close()
    return message


async def observe_admin_case(case, binary):
    stage = Stage(case, binary)
    answers = []
    try:
        stage.start()
        for script in case.traffic:
            await Client(stage.names["LISTENER"], stage.fill_bytes).run(script)
        if case.traffic:
            await asyncio.sleep(0.05)
            stage.proxy.settled_stats()
        for method, path, _ in case.asks:
            answers.append(await ask(stage.names["ADMIN"], method, path))
    finally:
        await stage.stop()
    return {"names": stage.names, "answers": answers}


def observe_admin(case, binary):
    return asyncio.run(observe_admin_case(case, binary))


def normalise_admin(case, seen):
    ports = {str(v): k for k, v in seen["names"].items() if isinstance(v, int)}
    known = re.compile(r"(?<!\d)(" + "|".join(ports) + r")(?!\d)")
    view = {}
    for (method, path, what), answer in zip(case.asks, seen["answers"]):
        lines = answer["head"].split("\r\n")
        headers = [line for line in lines[1:] if line]
        headers = ["date: <date>" if h.startswith("date: ") and DATE.match(h[6:]) else h for h in headers]
        body = answer["body"].decode("utf-8", "replace")
        # A port in JSON becomes a string there; so it does on both sides.
        quoted = re.sub(r"(?<=: )(" + "|".join(ports) + r")(?=[,\s}])", r'"\1"', body) if body.startswith("{") else body
        text = known.sub(lambda m: "@" + ports[m.group(1)] + "@", quoted).replace(seen["names"]["DIR"], "@DIR@")
        try:
            shown = VIEWS[what](text)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            shown = f"unreadable ({error}): {text[:200]}"
        view[f"{method} {path.replace('.', '/')}"] = {"status": lines[0], "headers": headers, "body": shown}
    return view


# ---- command line ---------------------------------------------------------------------------------


def observe_cli(case, binary):
    class Bare:
        config, origins = {}, {}

    stage = Stage(Bare, binary)
    try:
        path = stage.path / "config.yaml"
        if case.config is not None:
            text = (
                config.fill(case.config, stage.names)
                if isinstance(case.config, str)
                else config.render(config.build(**{"log": None, **case.config}), stage.names)
            )
            path.write_text(text)
        names = {**stage.names, "CONFIG": str(path)}
        args = [config.fill(a, names) for a in case.args]
        done = subprocess.run([binary, *args], capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    finally:
        asyncio.run(stage.stop())
    return {"names": names, "binary": binary, "code": done.returncode, "out": done.stdout, "err": done.stderr}


def verdict(seen):
    """(what failed, why) of the error text on standard error."""
    found = re.search(r"(error initializing configuration '[^']*'): (.*)", seen["err"], re.S)
    if not found:
        return "", ""
    return found.group(1), found.group(2).strip()


def plain(text):
    """Names as StatPrefix and stat_prefix are the same to a reader."""
    return text.replace("_", "").lower()


def normalise_cli(case, seen):
    def tidy(text):
        text = text.replace(seen["names"]["DIR"], "@DIR@").replace(seen["binary"], "@PROGRAM@")
        text = re.sub(r"(127\.0\.0\.1:)\d{4,5}", r"\1<port>", text)
        # Built without a git tree to ask, weft names the commit 0.
        text = re.sub(r"\b([0-9a-f]{40}\b|0(?=/\d+\.\d+\.\d+/Modified/))", "<commit>", text)
        return re.sub(
            r"<commit>/[\d.]+(-\w+)?/(Clean|Modified)/(RELEASE|DEBUG)/\w+",
            "<commit>/<version>/<tree>/<build>/<tls>",
            text,
        )

    failed, why = verdict(seen)
    view = {"code": seen["code"], "verdict": tidy(failed)}
    if "--help" not in case.args and "-h" not in case.args:
        view["out"] = tidy(seen["out"])
    if case.text:
        view["why"] = PATH_SUFFIX.sub("", tidy(why))
    view["mentions"] = {word: plain(word) in plain(seen["err"]) for word in case.mention}
    return view


# ---- for record.py --------------------------------------------------------------------------------


def record(case, binary, out, block):
    if hasattr(case, "asks"):
        seen = observe_admin(case, binary)
        out.append(f"\n## {case.id}\n")
        for (method, path, what), answer in zip(case.asks, seen["answers"]):
            body = answer["body"].decode("utf-8", "replace")
            out.append(
                f"{method} {path} (compared: {what})\n" + block(answer["head"].replace("\r\n", "\n") + body, 30000)
            )
        return
    seen = observe_cli(case, binary)
    out.append(f"\n## {case.id}: exit code {seen['code']}\n\nargs: {' '.join(case.args)}\n")
    if case.config is not None:
        out.append(f"config: {case.config}\n")
    why = " ".join(verdict(seen)).replace(seen["names"]["DIR"], "@DIR@") or seen["err"]
    out.append(
        "stdout:\n"
        + block(seen["out"])
        + "error: "
        + (why if len(why) < 700 else f"{why[:150]} ... {why[-500:]}")
        + "\n"
    )
