"""The checks themselves, each against a planted fault and against its nearest correct neighbour."""
import pathlib
import shutil
import tempfile
import unittest

import format as format_check
import headers
import includes
import paths
import size
import tree

FORBIDDEN = [
    ("base/a.c", "net/buf.h"), ("net/a.c", "config/model/model.h"), ("config/model/a.c", "net/addr.h"),
    ("config/reflect/a.c", "config/model/model.h"), ("iptables/a.c", "net/addr.h"), ("proxy/http/a.c", "xds/client/ads.h"),
    ("proxy/server.c", "xds/client/ads.h"), ("control/a.c", "xds/client/ads.h"), ("proxy/http/a.c", "control/store/store.h"),
    ("proxy/upstream/a.c", "proxy/http/hcm.h"), ("proxy/http/a.h", "proxy/network/tcp.h"),
    ("proxy/network/a.c", "proxy/listener/listener.h"), ("proxy/observe/a.c", "proxy/worker.h"),
    ("proxy/observe/a.c", "resolver/wire/msg.h"), ("proxy/http/a.c", "proxy/admin/admin.h"),
    ("proxy/worker.h", "proxy/http/hcm.h"), ("proxy/http/a.c", "net/h1_int.h"), ("proxy/http/a.c", "proxy/upstream/x_int.h"),
    ("net/a.c", "buf.h"), ("base/a.c", "envoy/config/core/v3/base.pb-c.h"), ("proxy/http/a.c", "tests/support/t.h"),
]
ALLOWED = [
    ("net/a.c", "base/sv.h"), ("net/a.c", "net/h1_int.h"), ("config/model/a.c", "envoy/config/core/v3/base.pb-c.h"),
    ("config/model/a.c", "config/reflect/reflect.h"), ("proxy/listener/a.c", "proxy/network/tcp.h"),
    ("proxy/http/a.c", "proxy/upstream/pool.h"), ("proxy/http/a.c", "proxy/worker.h"), ("proxy/admin/a.c", "proxy/listener/l.h"),
    ("proxy/server.c", "proxy/http/hcm.h"), ("proxy/main.c", "xds/client/ads.h"), ("proxy/upstream/a.c", "proxy/observe/stats.h"),
    ("proxy/registry.c", "proxy/network/tcp.h"), ("control/a.c", "xds/server/ads.h"), ("proxy/http/a.c", "resolver/wire/m.h"),
]


class Includes(unittest.TestCase):
    def test_rule(self):
        for path, include in FORBIDDEN:
            self.assertIsNotNone(includes.complaint(path, include), f"{path} -> {include}")
        for path, include in ALLOWED:
            self.assertIsNone(includes.complaint(path, include), f"{path} -> {include}")

    def test_tree_with_a_planted_violation(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in {"base/a.h": "", "base/a.c": '#include "base/a.h"\n#include "net/b.h"\n',
                               "net/b.h": "", "net/b.c": '#include <a.h>\n#include "base/a.h"\n#include "net/b.h"\n',
                               "build-x/base/c.c": '#include "net/b.h"\n'}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            problems, count = includes.check_tree(root)
        self.assertEqual(count, 4)
        self.assertEqual(problems, ['base/a.c:2: base may not include "net/b.h"',
                                    'net/b.c:2: its own header "net/b.h" must be included first'])


class Sizes(unittest.TestCase):
    @staticmethod
    def function(lines):
        return "int f(void)\n{\n" + "".join(lines) + "}\n"

    def test_function(self):
        step = ["    step();\n"]
        self.assertEqual(size.check_text("a.c", self.function(step * 80)), [])
        self.assertEqual(len(size.check_text("a.c", self.function(step * 81))), 1)
        table = ["    switch (x) {\n", *["    case A:\n", "        return 1;\n"] * 50, "    }\n", "    return 0;\n"]
        self.assertEqual(size.check_text("a.c", self.function(table)), [])
        self.assertEqual(len(size.check_text("a.c", self.function(step * 40 + table))), 1)

    def test_file(self):
        self.assertEqual(size.check_text("a.h", "\n" * 800), [])
        self.assertEqual(len(size.check_text("a.h", "\n" * 801)), 1)


class Paths(unittest.TestCase):
    def test_faults(self):
        for text in ("see /home/" "me/x", "-I/work/" "tree", "curl http:" "//mirror.corp.lan/x", "at box.corp." "lan", "http:" "//box.io/"):
            self.assertEqual(len(paths.check_text("a", text, ["box.corp.lan"])), 1, text)

    def test_fine(self):
        for text in ("https://www.envoyproxy.io/docs", "http://10.0.0.1/", "http://api-service.my-app.local:3000",
                     "http://a/b", "http://a_b.c/", "/usr/bin/weft", "build/work/x", "http://test.example.com/home/"):
            self.assertEqual(paths.check_text("a", text), [], text)


class Tools(unittest.TestCase):
    def test_header_that_needs_another(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "needy.h").write_text("#pragma once\nextern size_t n;\n")
            (pathlib.Path(folder) / "whole.h").write_text("#pragma once\n#include <stddef.h>\nextern size_t n;\n")
            self.assertIsNotNone(headers.check("cc", [folder], "needy.h"))
            self.assertIsNone(headers.check("cc", [folder], "whole.h"))

    def test_format(self):
        tool = format_check.find_tool()
        if tool is None:
            self.skipTest("no clang-format")
        with tempfile.TemporaryDirectory() as folder:  # outside the tree, which the other checks read meanwhile
            shutil.copy(tree.ROOT / ".clang-format", folder)
            for text, problems in ("int  a ;\n", 1), ("int a;\n", 0):
                (pathlib.Path(folder) / "a.c").write_text(text)
                self.assertEqual(len(format_check.misformatted(tool, [f"{folder}/a.c"])), problems)


if __name__ == "__main__":
    unittest.main()
