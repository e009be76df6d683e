"""Makes two observations comparable: what differs by nature (ports, times, generated ids) becomes a word.

Each such value is still checked for its shape: an x-request-id that is no UUID stays as it is, and so differs.
"""

import re

UUID = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
DATE = re.compile(
    r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$"
)

# Statistics that depend on time, on the length of generated values, or on nothing the case did.
UNSTABLE_STATS = re.compile(
    r"_bytes_(total|buffered)$|_ms$|\.version$|total_match_count$|\.worker_\d+\.|"
    r"\.update_(attempt|success|no_rebuild)$|per_socket_event|update_time$|warming_state|_flow_control_|"
    r"upstream_flush_total$"
)


class Normaliser:
    def __init__(self, seen):
        self.sent = seen["sent"].decode("latin-1")
        self.ports = {str(v): k for k, v in seen["names"].items() if isinstance(v, int)}

    def text(self, text):
        """Ports behind an address or a host name."""

        def one(match):
            return f"{match.group(1)}@{self.ports.get(match.group(2), 'EPHEMERAL')}@"

        return re.sub(r"((?:127(?:\.\d+){3}|localhost|\[::1\])[:_])(\d{4,5})\b", one, text)

    def header(self, name, value):
        if name == "date" and DATE.match(value):
            return "<date>"
        if name == "x-request-id" and UUID.match(value) and value not in self.sent:
            return "<uuid>"
        if name == "x-envoy-upstream-service-time" and value.isdigit():
            return "<number>"
        if name == "x-forwarded-port":
            return "@" + self.ports.get(value, value) + "@"
        return self.text(value)

    def message(self, message, request=False):
        """start line, headers as lines in order, framing, body, completeness."""
        lines = message["head"].split("\r\n")
        headers = []
        for line in lines[1:]:
            if line:
                name, _, value = line.partition(": ")
                headers.append(f"{name}: {self.header(name.lower(), value)}")
        return {
            ("line" if request else "status"): self.text(lines[0]),
            "headers": headers,
            "framing": message["framing"],
            "body": self.text(message["body"].decode("latin-1")),
            "complete": message["complete"],
            "trailers": message["trailers"],
        }

    def log_line(self, line):
        """A line of config.LOG_FORMAT by fields; any other line as its text."""
        if "\t" not in line:
            return {"text": self.log_text(line)}
        fields = {}
        peer = next((part[len("direct=") :] for part in line.split("\t") if part.startswith("direct=")), None)
        for part in line.split("\t"):
            key, _, value = part.partition("=")
            if key in ("duration", "service") and value.isdigit():
                fields[key] = "<number>"
            elif key == "rid":
                fields[key] = self.header("x-request-id", value)
            elif key in ("direct", "remote") and value == peer:
                # The client's own port, which in a new namespace may be the number of some listener's too.
                fields[key] = re.sub(r":\d+$", ":@EPHEMERAL@", value)
            else:
                fields[key] = self.text(value)
        return fields

    def log_text(self, line):
        """A line of Envoy's default format: time, duration, service time and a generated id are replaced."""
        line = re.sub(r"^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\]", "[<time>]", self.text(line))
        return re.sub(r'(" \d+ \S+ \d+ \d+) \d+ (?:\d+|(-)) ', r"\1 <number> <number>\2 ", line)


def normalise(case, seen):
    n = Normaliser(seen)
    logs = [n.log_line(line) for line in seen["log"]]
    if case.parallel:
        logs.sort(key=lambda f: sorted(f.items()))
    stats = {n.text(k): v for k, v in seen["stats"].items() if not UNSTABLE_STATS.search(k)}
    if case.stats:
        stats = {k: v for k, v in stats.items() if any(re.search(s, k) for s in case.stats)}
    view = {
        "client": [
            {
                "response": [n.message(m) for m in c["responses"]],
                "raw": n.text(c["raw"].decode("latin-1")),
                "fate": c["fate"],
            }
            for c in seen["clients"]
        ],
        "origin": {
            name: [{"request": [n.message(m, True) for m in conn["got"]], "end": conn["end"]} for conn in conns]
            for name, conns in seen["origins"].items()
        },
        "log": logs,
        "stats": stats,
        "exit": seen["exit"],
    }
    return case.reduce(view) if case.reduce else view


def summary(view):
    """The codes and flags of the log lines, in order: what Case.want names. Other log formats have none."""
    return ", ".join(f"{f['code']} {f['flags']}" for f in view["log"] if "code" in f)
