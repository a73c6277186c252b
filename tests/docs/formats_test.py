"""The reference pages against the program: what they name exists, what exists is named, examples work."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
BINARY = os.path.abspath(os.environ.get("SLUICE", ROOT / "build/release/sluice"))
OPTION = r"(?<![-\w])--[a-z][a-z-]*"

# The machine of docs/formats/mapping.md: two memories, and eight copies of the inner one.
TWO_LEVELS = """
version: 1
name: two
clock: 1 GHz
memory:
  name: DRAM
  size: unbounded
  word: 16 bit
  energy: {read: 100 pJ}
  below:
    - fan_out: {x: 4, y: 2}
      memory:
        name: RF
        size: 16 words
        energy: {read: 1 pJ}
        below:
          - compute:
              name: MAC
              classes:
                - {class: mac, energy: 1 pJ}
"""


def read(name):
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def keys_of(value):
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()


class FormatsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-formats-")
        self.addCleanup(self.folder.cleanup)
        self.directory = pathlib.Path(self.folder.name)

    def sluice(self, *arguments):
        done = subprocess.run([BINARY, *arguments], cwd=self.directory, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def write(self, name, text):
        (self.directory / name).write_text(text, encoding="utf-8")

    def test_plan_page_names_exactly_the_keys_of_a_plan(self):
        self.sluice("plan", str(ROOT / "models/alexnet.onnx"), "--arch", str(ROOT / "archs/eyeriss.yaml"),
                    "--constraints", "eyeriss-row-stationary", "--budget-evaluations", "50", "-o", "plan.json")
        plan = json.loads((self.directory / "plan.json").read_text(encoding="utf-8"))
        mapping_keys = keys_of([s["mapping"] for s in plan["solutions"]])
        named = set(re.findall(r"`([a-z_]+)`", read("formats/plan.md")))
        self.assertEqual(sorted(keys_of(plan) - mapping_keys - named), [])
        # What the page names beside keys of plans: verbs and values.
        values = {"sluice", "evaluate", "explain", "show", "report", "false", "last", "input", "weight", "output",
                  "compute", "read", "write", "network", "converged", "evaluations", "seconds", "interrupted", "value"}
        self.assertEqual(sorted(named - keys_of(plan) - values), [])

    def test_mapping_example_is_the_nest_shown(self):
        page = read("formats/mapping.md")
        self.write("two.yaml", TWO_LEVELS)
        self.write("m.yaml", blocks(page, "yaml")[0])
        output = self.sluice("evaluate", "--arch", "two.yaml", "--op", "gemm M=6 N=8 K=7", "--mapping", "m.yaml")
        self.assertIn(blocks(page, "text")[0], output)

    def test_architecture_example_is_read(self):
        self.write("small.yaml", blocks(read("formats/architecture.md"), "yaml")[0])
        self.assertIn("PEs: 4 x 4, X takes K", self.sluice("show", "small.yaml"))

    def test_constraints_example_is_obeyed(self):
        example = blocks(read("formats/constraints.md"), "yaml")[0]
        self.write("rows.yaml", example)
        output = self.sluice("map", "conv K=16 C=8 P=14 Q=14 R=3 S=3", "--arch", "eyeriss", "--constraints",
                             "rows.yaml", "--budget-evaluations", "200")
        self.assertIn("constraints satisfied: rows.yaml", output)

    def test_operator_page_lists_working_kinds(self):
        rows = re.findall(r"^\| `(\w+)` \| `([A-Z ]+)` \| (?:`([\w ]+)`)? ?\|", read("formats/operator.md"),
                          re.MULTILINE)
        self.assertEqual([row[0] for row in rows], ["conv", "depthwise", "conv1d", "gemm", "bmm"])
        for kind, needed, optional in rows:
            with self.subTest(kind):
                words = [f"{key}=2" for key in f"{needed} {optional}".split()]
                self.sluice("map", f"{kind} {' '.join(words)}", "--arch", str(ROOT / "archs/three-level.yaml"),
                            "--budget-evaluations", "20")

    def test_onnx_page_lists_the_operators_of_the_importer(self):
        source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/io/onnx").rglob("*.cpp"))
        rows = set(re.findall(r'^ +\{"([A-Z]\w*)", \w+, \d', source, re.MULTILINE))
        self.assertGreater(len(rows), 100)
        table = read("formats/onnx.md").partition("| family |")[2].partition("\n\n")[0]
        named = {word for line in table.splitlines()[2:] for word in re.findall(r"\b[A-Z]\w+\b", line.split("|")[2])}
        self.assertEqual(sorted(rows - named), [])
        self.assertEqual([name for name in sorted(named) if f'"{name}"' not in source], [])

    def test_cli_page_lists_verbs_and_options(self):
        page = read("cli.md")
        listed = self.sluice("--help").partition("Verbs:\n")[2].partition("\n\n")[0]
        verbs = re.findall(r"^  (\w+) ", listed, re.MULTILINE)
        self.assertGreater(len(verbs), 8)
        options = set()
        for verb in verbs:
            with self.subTest(verb):
                self.assertRegex(page, rf"`{verb}\b")
            options |= set(re.findall(OPTION, self.sluice(verb, "--help")))
        for option in sorted(set(re.findall(OPTION, page))):
            self.assertTrue(option in options, f"{option} is no option of any verb")

    def test_limits_page_states_the_padding_of_resnet18(self):
        self.sluice("plan", str(ROOT / "models/resnet18.onnx"), "--arch", str(ROOT / "archs/tpu-like.yaml"),
                    "--budget-evaluations", "20", "-o", "plan.json")
        plan = json.loads((self.directory / "plan.json").read_text(encoding="utf-8"))
        index = {op["name"]: op["solution"] for op in plan["operators"]}["/layer4/layer4.1/conv2/Conv"]
        words = [tensor["tile_words"] for tensor in plan["solutions"][index]["cost"]["levels"][0]["tensors"]]
        self.assertEqual(words, [512 * 9 * 9, 512 * 512 * 3 * 3, 512 * 7 * 7])
        for figure in (f"{words[0]:,}", f"{words[2]:,} exist", f"{words[1]:,}"):
            self.assertIn(figure, read("limits.md"))

    def test_codes_in_documents_exist(self):
        known = set(re.findall(r"^\| (E\d{4}) ", read("errors.md"), re.MULTILINE))
        for path in [*DOCS.glob("**/*.md"), ROOT / "README.md"]:
            unknown = set(re.findall(r"\bE1\d{3}\b", path.read_text(encoding="utf-8"))) - known
            self.assertEqual(unknown, set(), path.name)


if __name__ == "__main__":
    if not os.access(BINARY, os.X_OK):
        sys.exit(f"{BINARY} is not a program: build it, or set SLUICE")
    unittest.main()
