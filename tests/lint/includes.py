"""The include rule: which folder may include which. Looks at the #include "..." lines of every .c and .h.

    base <- nobody; net <- base; config <- base; resolver <- base net config; proxy <- base net config resolver;
    xds <- base net config; control <- base net config resolver xds/server; iptables <- base config.
    Inside config: proto <- reflect <- model. Inside proxy: listener -> network -> http -> upstream, never back;
    observe and the headers at the top of proxy serve all of them. Only proxy/main.c joins xds/client to proxy.
    x_int.h belongs to its folder. A source file includes its own header first, every header by its root path.
"""
import re

import tree

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
LOWER = {"base": [], "net": ["base"], "config": ["base"], "iptables": ["base", "config"],
         "resolver": ["base", "net", "config"], "proxy": ["base", "net", "config", "resolver"],
         "xds": ["base", "net", "config"], "control": ["base", "net", "config", "resolver", "xds/server"]}
CONFIG_ORDER = ["proto", "reflect", "model"]
PROXY_ORDER = ["upstream", "http", "network", "listener"]
PROXY_TOP = ""  # files directly in proxy/


def split(path):
    """(top folder, folder below it or "", name)"""
    parts = path.split("/")
    return parts[0], parts[1] if len(parts) > 2 else "", parts[-1]


def target_of(include):
    """Generated headers stand for the folder of their .proto files."""
    return "config/proto/" + include.split("/")[-1] if include.endswith(".pb-c.h") else include


def config_allows(from_sub, to_sub):
    if from_sub in CONFIG_ORDER and to_sub in CONFIG_ORDER:
        return CONFIG_ORDER.index(to_sub) <= CONFIG_ORDER.index(from_sub)
    return True


def proxy_allows(path, from_sub, to_sub):
    """Inside proxy. The .c files at its top and admin put the parts together, so they see all of them."""
    if from_sub == "admin" or (from_sub == PROXY_TOP and path.endswith(".c")) or path.startswith("proxy/server"):
        return True
    if to_sub == from_sub or to_sub == "observe":
        return True
    if from_sub == "observe":
        return False
    if to_sub == PROXY_TOP:
        return True
    if from_sub in PROXY_ORDER and to_sub in PROXY_ORDER:
        return PROXY_ORDER.index(to_sub) <= PROXY_ORDER.index(from_sub)
    return False


def complaint(path, include):
    """Why this file may not include that one, or None."""
    target = target_of(include)
    (top, sub, _), (to_top, to_sub, to_name) = split(path), split(target)
    if to_top not in LOWER or "/" not in target:
        return f'"{include}" is not a path from the root'
    if to_name.endswith("_int.h") and target.rpartition("/")[0] != path.rpartition("/")[0]:
        return f'"{include}" is private to its folder'
    if top == to_top:
        fine = {"config": lambda: config_allows(sub, to_sub),
                "proxy": lambda: proxy_allows(path, sub, to_sub)}.get(top, lambda: True)()
        return None if fine else f'{top}/{sub} may not include "{include}"'
    if path == "proxy/main.c" and target.startswith("xds/client/"):
        return None
    allowed = LOWER[top]
    if path.startswith("proxy/observe/"):
        allowed = ["base", "net", "config"]
    if to_top in allowed or f"{to_top}/{to_sub}" in allowed:
        return None
    return f'{top} may not include "{include}"'


def check_text(path, text, own_header_exists):
    """Problems of one file; path is relative to the root."""
    problems, first = [], None
    for number, line in enumerate(text.splitlines(), 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        first = first or (number, found.group(1))
        why = complaint(path, found.group(1))
        if why:
            problems.append(f"{path}:{number}: {why}")
    own = path[:-2] + ".h", path[:-2] + "_int.h"
    if path.endswith(".c") and own_header_exists and (first is None or first[1] not in own):
        problems.append(f'{path}:{first[0] if first else 1}: its own header "{own[0]}" must be included first')
    return problems


def check_tree(root):
    """(problems, number of files looked at)"""
    problems, count = [], 0
    for path in tree.files(".c", ".h", root=root):
        name = tree.relative(path, root)
        if split(name)[0] in LOWER:
            count += 1
            text = path.read_text(encoding="utf-8", errors="replace")
            problems += check_text(name, text, path.with_suffix(".h").exists())
    return problems, count


if __name__ == "__main__":
    tree.finish(*check_tree(tree.ROOT))
