#!/usr/bin/env python3
"""Runs the shell commands that a document shows, so that documents cannot lie.

In a Markdown file, every fenced block marked ```sh is run, in order, in one empty directory, with the
given binary as `sluice` on the PATH and `archs/` and `models/` beside it. Lines that start with `$ ` are
commands and what follows them is what they print; a block without `$ ` is all commands. A printed line
`...` stands for any lines. A command must exit with 0, or with N when its line ends in `# exit N`.
Blocks marked ```console are shown, not run (installation, builds).

usage: tools/run_doc_blocks.py --sluice BINARY FILE.md
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXIT = re.compile(r"#\s*exit (\d+)\s*$")


def steps_of(block: str) -> list[tuple[str, list[str]]]:
    """(command, expected output lines) pairs of one block."""
    lines = block.splitlines()
    if not any(line.startswith("$ ") for line in lines):
        return [(block, [])]
    steps: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("$ "):
            steps.append((line[2:], []))
        elif steps:
            steps[-1][1].append(line)
    return steps


def matches(expected: list[str], actual: list[str]) -> bool:
    """Whether the expected lines, with `...` for any lines, are the actual ones."""
    pattern = "".join(r"(?:.*\n)*" if line.strip() == "..." else re.escape(line.rstrip()) + r"\n"
                      for line in expected)
    return re.fullmatch(pattern, "".join(line.rstrip() + "\n" for line in actual)) is not None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sluice", required=True, type=pathlib.Path)
    parser.add_argument("document", type=pathlib.Path)
    options = parser.parse_args()

    blocks = BLOCK.findall(options.document.read_text(encoding="utf-8"))
    if not blocks:
        sys.exit(f"{options.document}: no ```sh block to run")
    commands = 0
    with tempfile.TemporaryDirectory(prefix="sluice-docs-") as name:
        directory = pathlib.Path(name)
        programs = directory / ".bin"
        programs.mkdir()
        (programs / "sluice").symlink_to(options.sluice.resolve())
        for folder in ("archs", "models"):
            (directory / folder).symlink_to(ROOT / folder)
        environment = dict(os.environ, PATH=f"{programs}:{os.environ['PATH']}")
        for block in blocks:
            for command, expected in steps_of(block):
                commands += 1
                wanted = EXIT.search(command)
                done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=directory,
                                      env=environment, stdin=subprocess.DEVNULL, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                                      check=False)
                code = int(wanted.group(1)) if wanted else 0
                if done.returncode != code:
                    sys.exit(f"{options.document}: exit code {done.returncode}, not {code}, of\n"
                             f"{command}\n{done.stdout}")
                if expected and not matches(expected, done.stdout.splitlines()):
                    sys.exit(f"{options.document}: the output is not what is shown, of\n"
                             f"{command}\n{done.stdout}")
    print(f"{options.document.name}: {commands} commands in {len(blocks)} blocks")
    return 0


if __name__ == "__main__":
    sys.exit(main())
