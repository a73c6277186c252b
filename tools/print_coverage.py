#!/usr/bin/env python3
"""Total of a gcovr JSON file and the files with the most lines missed; the last step of tools/coverage.sh.

usage: print_coverage.py FILE MINIMUM_PERCENT
"""

from __future__ import annotations

import json
import pathlib
import sys


def main(file: str, minimum: float) -> int:
    rows = []
    for entry in json.loads(pathlib.Path(file).read_text())["files"]:
        lines = [line for line in entry["lines"] if not line.get("gcovr/noncode")]
        rows.append((sum(line["count"] == 0 for line in lines), len(lines), entry["file"]))
    total = sum(row[1] for row in rows)
    missed = sum(row[0] for row in rows)
    if not total:
        sys.exit(f"coverage: {file} holds no lines")
    percent = 100 * (total - missed) / total
    for bad, lines, name in sorted(rows, reverse=True)[:10]:
        print(f"  {name:38} {bad:>4} of {lines:>4} lines missed ({100 * (lines - bad) / lines:.0f} %)")
    print(f"coverage: {percent:.1f} % of {total} lines in {len(rows)} files of src/")
    if percent < minimum:
        print(f"coverage: under {minimum:g} %", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
