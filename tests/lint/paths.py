"""No traces of the machines we work on: no home or work folders, no host names but well-known and reserved ones."""
import re
import socket

import tree

FOLDERS = re.compile(r"(?:(?<![\w.@/}-])|(?<=-[IL]))/(?:work|root|home|Users|mnt|media|build)/[\w.-]+")
URL = re.compile(r"\bhttps?://(?:[^/@\s\"']+@)?([A-Za-z0-9._-]+)")
# Documentation names (RFC 2606, RFC 6762), loopback, and what the sources have reason to cite.
RESERVED = re.compile(r"(^|\.)(local|localhost|test|example|invalid|internal|example\.(com|org|net))$")
CITED = re.compile(r"(^|\.)(debian\.org|github\.com|envoyproxy\.io|googleapis\.com|amazonaws\.com|amazon\.com|rfc-editor\.org"
                   r"|ietf\.org|iana\.org|w3\.org|python\.org|pypi\.org|apache\.org|datatracker\.ietf\.org|llvm\.org"
                   r"|kernel\.org|man7\.org|opentelemetry\.io|cmake\.org)$")
ADDRESS = re.compile(r"^[\d.]+$")


def own_names():
    """The name of the machine that runs the check, when it is a full one."""
    name = socket.gethostname()
    return [name] if name.count(".") >= 2 else []


def is_known_host(host):
    host = host.rstrip(".").lower()
    # Names of one label (http://a/b) and top domains of one letter (http://a.b/) are placeholders.
    labels = host.split(".")
    return len(labels) == 1 or len(labels[-1]) == 1 or ADDRESS.match(host) or RESERVED.search(host) or CITED.search(host)


def check_text(name, text, hosts=()):
    problems = []
    for number, line in enumerate(text.splitlines(), 1):
        for found in FOLDERS.finditer(line):
            problems.append(f"{name}:{number}: path of a machine: {found.group()}")
        for found in URL.finditer(line):
            if not is_known_host(found.group(1)):
                problems.append(f"{name}:{number}: host name: {found.group(1)}")
        problems += [f"{name}:{number}: host name: {host}" for host in hosts if host in line]
    return problems


if __name__ == "__main__":
    paths = tree.files()
    texts = [(tree.relative(p), p.read_text(encoding="utf-8", errors="replace")) for p in paths]
    tree.finish([p for name, text in texts for p in check_text(name, text, own_names())], len(paths))
