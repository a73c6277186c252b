"""docs/errors.md: every code of its table has an example that provokes it and that prints what is shown.

The table itself is compared with the program's by tests/unit/diagnostic_test.cpp. Run with
UPDATE_GOLDEN=1 to write the examples anew, and look at the difference before committing it.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from error_examples import EXAMPLES, Example

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BINARY = os.path.abspath(os.environ.get("SLUICE", ROOT / "build/release/sluice"))
PAGE = ROOT / "docs/errors.md"
HEADING = "\n## Examples\n"
PREFACE = """
Every block is run by a test, in an empty directory with copies of `archs/` and `models/`. `<hash>` stands
for 32 hexadecimal digits.
"""
ROW = re.compile(r"^\| (E\d{4}) \| (\S+) \|", re.MULTILINE)
EXIT_ONE = {"E1503", "E1505"}


def run(example: Example) -> tuple[int, str]:
    """Exit code of the last command, and what the commands print."""
    with tempfile.TemporaryDirectory(prefix="sluice-errors-") as name:
        directory = pathlib.Path(name)
        (directory / ".bin").mkdir()
        (directory / ".bin/sluice").symlink_to(BINARY)
        for folder in ("archs", "models"):
            (directory / folder).symlink_to(ROOT / folder)
        for file, data in example.files.items():
            (directory / file).write_bytes(data)
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", example.commands], cwd=directory, text=True,
                              env=dict(os.environ, PATH=f"{directory}/.bin:{os.environ['PATH']}"),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=120, check=False)
    return done.returncode, re.sub(r"\b[0-9a-f]{32}\b", "<hash>", done.stdout)


def section(code: str, name: str) -> str:
    text = f"\n### {code} {name}\n\n"
    example = EXAMPLES[code]
    _, output = run(example)
    if example.given:
        text += example.given + "\n\n"
    return text + f"```console\n{example.commands}\n```\n\n```text\n{output}```\n"


class ErrorPageTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.page = PAGE.read_text(encoding="utf-8")
        self.codes = dict(ROW.findall(self.page.partition(HEADING)[0]))

    def test_every_code_has_an_example(self):
        self.assertGreater(len(self.codes), 30)
        self.assertEqual(sorted(self.codes), sorted(EXAMPLES))

    def test_examples_provoke_their_code(self):
        for code, example in EXAMPLES.items():
            with self.subTest(code):
                status, output = run(example)
                self.assertEqual(re.findall(r"\berror (E\d{4}): ", output), [code], output)
                self.assertEqual(status, 1 if code in EXIT_ONE else 2)

    def test_page_shows_what_is_printed(self):
        examples = PREFACE + "".join(section(code, name) for code, name in self.codes.items())
        if os.environ.get("UPDATE_GOLDEN"):
            PAGE.write_text(self.page.partition(HEADING)[0] + HEADING + examples, encoding="utf-8")
        self.assertEqual(PAGE.read_text(encoding="utf-8").partition(HEADING)[2], examples,
                         "rerun with UPDATE_GOLDEN=1")


if __name__ == "__main__":
    if not os.access(BINARY, os.X_OK):
        sys.exit(f"{BINARY} is not a program: build it, or set SLUICE")
    unittest.main()
