#!/usr/bin/env python3
"""Runs clang-tidy-19 over src/ and cli/ and remembers clean files; the first half of tools/tidy.sh.

usage: run_clang_tidy.py BUILD_DIRECTORY [--quick] [--since COMMIT | FILE...]

--quick leaves out the path-sensitive clang-analyzer-*, four fifths of the time.

A file is keyed by a hash of its text, of every header of ours that it reaches, of its compiler flags, of
.clang-tidy and of the version of clang-tidy. Keys of clean files are kept in build/tidy/clean.txt.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

TIDY = "clang-tidy-19"
STORE = pathlib.Path("build/tidy/clean.txt")
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
# g++ knows warnings that clang does not; std::stable_sort of libstdc++ 12 uses what C++20 deprecates.
EXTRA = ["--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-deprecated-declarations"]


def reached(file: pathlib.Path, seen: set[pathlib.Path]) -> set[pathlib.Path]:
    """`file` and all headers of the repository it includes, directly or not."""
    seen.add(file)
    for name in INCLUDE.findall(file.read_text()):
        for root in (pathlib.Path("src"), pathlib.Path("."), pathlib.Path("include"), file.parent):
            header = root / name
            if header.is_file() and header not in seen:
                reached(header, seen)
                break
    return seen


def changed_since(commit: str) -> set[pathlib.Path]:
    names = subprocess.run(["git", "diff", "--name-only", commit], check=True, capture_output=True, text=True).stdout
    return {pathlib.Path(name) for name in names.split()}


def check(build: str, extra: list[str], file: pathlib.Path) -> tuple[pathlib.Path, str]:
    """Findings of one file, empty when it is clean."""
    done = subprocess.run([TIDY, "-p", build, "--quiet", *extra, str(file)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    if done.returncode == 0:
        return file, ""
    return file, done.stdout or done.stderr


def main(build: str, arguments: list[str]) -> int:
    root = pathlib.Path.cwd()
    extra = list(EXTRA)
    if arguments[:1] == ["--quick"]:
        arguments = arguments[1:]
        extra.append("--checks=-clang-analyzer-*")
    flags = {pathlib.Path(entry["file"]): entry["command"]
             for entry in json.loads(pathlib.Path(build, "compile_commands.json").read_text())}
    files = sorted(path for folder in ("src", "cli") for path in pathlib.Path(folder).rglob("*.cpp")
                   if root / path in flags)
    if arguments[:1] == ["--since"]:
        changed = changed_since(arguments[1])
        files = [path for path in files if reached(path, set()) & changed]
    elif arguments:
        wanted = {pathlib.Path(os.path.relpath(name)) for name in arguments}
        unknown = wanted - set(files)
        if unknown:
            sys.exit(f"tidy: not compiled in {build}: {', '.join(map(str, sorted(unknown)))}")
        files = sorted(wanted)

    version = subprocess.run([TIDY, "--version"], check=True, capture_output=True, text=True).stdout
    common = version + pathlib.Path(".clang-tidy").read_text() + " ".join(extra)

    def key(file: pathlib.Path) -> str:
        digest = hashlib.sha256((common + flags[root / file].replace(build, "")).encode())
        for part in sorted(reached(file, set())):
            digest.update(f"\0{part}\0".encode() + part.read_bytes())
        return digest.hexdigest()

    clean = set(STORE.read_text().split()) if STORE.exists() else set()
    keys = {file: key(file) for file in files}
    todo = [file for file in files if keys[file] not in clean]
    print(f"tidy: {len(files)} files, {len(files) - len(todo)} known to be clean", flush=True)

    STORE.parent.mkdir(parents=True, exist_ok=True)
    jobs = int(os.environ.get("SLUICE_JOBS") or os.cpu_count() or 1)
    bad = 0
    seen_lines: set[str] = set()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for file, findings in pool.map(lambda path: check(build, extra, path), todo):
            if not findings:
                with STORE.open("a") as store:
                    store.write(keys[file] + "\n")
                continue
            bad += 1
            # A finding in a header shows up once for every file that includes it.
            for block in re.split(r"\n(?=\S+:\d+:\d+: (?:error|warning):)", findings.strip()):
                head = block.split("\n", 1)[0]
                if head not in seen_lines:
                    seen_lines.add(head)
                    print(block.replace(f"{root}/", ""), flush=True)
    print(f"tidy: findings in {bad} files" if bad else "tidy: clean")
    return 1 if bad else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
