"""tools/check_layers.py must find what it is there to find: each case plants one violation."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class LayersTest(unittest.TestCase):
    def check(self, file=None, text="", cmake=None):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            shutil.copy(ROOT / "ARCHITECTURE.md", root)
            lists = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
            (root / "CMakeLists.txt").write_text(cmake(lists) if cmake else lists, encoding="utf-8")
            if file:
                (root / file).parent.mkdir(parents=True)
                (root / file).write_text(text, encoding="utf-8")
            return subprocess.run(
                [sys.executable, ROOT / "tools/check_layers.py", "--root", root],
                capture_output=True, text=True, check=False)

    def assert_refused(self, message, **kwargs):
        done = self.check(**kwargs)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(message, done.stderr)

    def test_clean_tree(self):
        self.assertEqual(self.check().returncode, 0)
        self.assertEqual(self.check("src/cost/a.cpp", '#include "base/text.h"\n').returncode, 0)

    def test_violations(self):
        self.assert_refused("src/cost/a.cpp:2: cost must not include planner", file="src/cost/a.cpp",
                            text='#pragma once\n#include "planner/plan.h"\n')
        self.assert_refused("yaml-cpp must not be included here", file="src/io/other.cpp",
                            text="#include <yaml-cpp/yaml.h>\n")
        self.assert_refused("fmt must not be included here", file="src/base/a.h",
                            text="#include <fmt/format.h>\n")
        self.assert_refused("has no row", file="src/gadgets/a.h", text="\n")
        self.assert_refused("relative to the source root", file="src/cost/b.cpp",
                            text='#include "cost.h"\n')
        self.assert_refused("module cost has DEPS", cmake=lambda lists: lists.replace(
            "sluice_module(cost    DEPS base", "sluice_module(cost    DEPS io base"))


if __name__ == "__main__":
    unittest.main()
