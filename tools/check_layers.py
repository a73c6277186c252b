#!/usr/bin/env python3
"""Checks every #include of src/, cli/, tests/ and bench/ against the tables in ARCHITECTURE.md.

Three things can be wrong, and each is reported with file and line:
  - a module includes a module that its row of the module table does not allow;
  - a third-party header is included outside the files that the library table names for it;
  - the module table and the DEPS in CMakeLists.txt disagree.
A new arrow is therefore a reviewed change of the table, never an accident.

usage: tools/check_layers.py [--root DIRECTORY]
"""

import argparse
import fnmatch
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# Modules that must stay independent witnesses of one another, whatever the table says.
WITNESSES = ("cost", "sim", "emit")


def read_table(text: str, marker: str) -> list[list[str]]:
    """Rows of the Markdown table that follows `<!-- marker -->`, backquotes removed."""
    _, found, rest = text.partition(f"<!-- {marker} -->")
    if not found:
        sys.exit(f"ARCHITECTURE.md has no table marked <!-- {marker} -->")
    rows = []
    for line in rest.splitlines():
        line = line.strip()
        if not line.startswith("|"):
            if rows:
                break
            continue
        rows.append([cell.strip().replace("`", "") for cell in line.strip("|").split("|")])
    return rows[2:]  # without the header and the rule below it


def cmake_arrows(text: str) -> dict[str, set[str]]:
    """DEPS of every sluice_module(...) call."""
    arrows = {}
    for body in re.findall(r"^sluice_module\(([^)]*)\)", text, re.MULTILINE):
        words = body.split()
        deps = words[words.index("DEPS") + 1 :] if "DEPS" in words else []
        if "LIBS" in deps:
            deps = deps[: deps.index("LIBS")]
        arrows[words[0]] = set(deps)
    return arrows


def owner_of(path: pathlib.PurePath) -> str:
    """The module a file belongs to: `src/cost/x.cpp` -> cost, `cli/x.cpp` -> cli."""
    return path.parts[1] if path.parts[0] == "src" else path.parts[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parent.parent,
                        type=pathlib.Path)
    root = parser.parse_args().root

    text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    modules = {row[0]: set(row[1].split()) for row in read_table(text, "module-table")}
    libraries = [(row[0], row[1].split(), row[2].split()) for row in read_table(text, "library-table")]
    problems = []
    if len(modules) != len(read_table(text, "module-table")):
        problems.append("ARCHITECTURE.md: a module has two rows")

    order = list(modules)
    for module, allowed in modules.items():
        for other in allowed - {"*"}:
            if other not in modules:
                problems.append(f"ARCHITECTURE.md: row {module} allows {other}, which has no row")
            elif order.index(other) >= order.index(module):
                problems.append(f"ARCHITECTURE.md: row {module} allows {other}, which is not above it")
        for other in WITNESSES:
            if module in WITNESSES and other != module and other in allowed:
                problems.append(f"ARCHITECTURE.md: {module} and {other} must stay independent")
    arrows = cmake_arrows((root / "CMakeLists.txt").read_text(encoding="utf-8"))
    for module in sorted(set(arrows) | {m for m in modules if (root / "src" / m).is_dir()}):
        if arrows.get(module) != modules.get(module):
            problems.append(
                f"CMakeLists.txt: module {module} has DEPS {sorted(arrows.get(module, []))}, "
                f"ARCHITECTURE.md says {sorted(modules.get(module, []))}")

    files = sorted(
        path for top in ("src", "cli", "tests", "bench", "include")
        for path in (root / top).rglob("*") if path.suffix in (".h", ".cpp"))
    for path in files:
        relative = path.relative_to(root)
        owner = owner_of(relative)
        if owner not in modules:
            problems.append(f"{relative}: folder {owner} has no row in ARCHITECTURE.md")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            style, header = match.groups()
            place = f"{relative}:{number}"
            if style == '"':
                target = header.split("/")[0]
                target = "include" if target == "sluice" else target  # include/sluice/plan.h
                if owner == "bench" and (path.parent / header).is_file():
                    continue  # a neighbour: benchmarks are no module that others include
                if "/" not in header:
                    problems.append(f'{place}: write "{owner}/{header}", relative to the source root')
                elif target != owner and "*" not in modules[owner] and target not in modules[owner]:
                    problems.append(f"{place}: {owner} must not include {target} ({header})")
                elif target not in modules and target not in ("fuzz", "testing", "generated"):
                    problems.append(f"{place}: {header} is in no module of ARCHITECTURE.md")
                continue
            for library, prefixes, allowed in libraries:
                if any(header.startswith(prefix) for prefix in prefixes) and not any(
                        fnmatch.fnmatch(str(relative), pattern) for pattern in allowed):
                    problems.append(f"{place}: {library} must not be included here ({header}); "
                                    f"allowed: {' '.join(allowed)}")

    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"layers: {len(files)} files, {len(modules)} modules, no arrow outside the table")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
