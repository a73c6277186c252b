#!/usr/bin/env python3
"""Compares instruction counts with the recorded ones; the second half of tools/cachegrind.sh.

usage: compare_counts.py compare|update FILE COMPILER (CASE COUNT)...
"""

from __future__ import annotations

import json
import pathlib
import sys

LIMIT = 0.02


def main(mode: str, file: pathlib.Path, compiler: str, words: list[str]) -> int:
    counted = {name: int(count) for name, count in zip(words[::2], words[1::2])}
    if mode == "update":
        record = {"compiler": compiler, "instructions_per_evaluation": counted}
        file.write_text(json.dumps(record, indent=2) + "\n")
        print(f"cachegrind: wrote {file}")
        return 0
    record = json.loads(file.read_text())
    known: dict[str, int] = record["instructions_per_evaluation"]
    if record["compiler"] != compiler:
        print(f"cachegrind: recorded with {record['compiler']}, this is {compiler}")
    bad = []
    for name in sorted(known.keys() | counted.keys()):
        if name not in known or name not in counted:
            bad.append(name)
            print(f"  {name:20} only {'recorded' if name in known else 'counted'}; run with --update")
            continue
        change = counted[name] / known[name] - 1
        print(f"  {name:20} {known[name]:>9} -> {counted[name]:>9}  {change:+.2%}")
        if change > LIMIT:
            bad.append(name)
    if bad:
        print(f"cachegrind: more than +{LIMIT:.0%} instructions or not comparable: {', '.join(bad)}", file=sys.stderr)
        return 1
    print(f"cachegrind: {len(counted)} cases within +{LIMIT:.0%}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 5 or sys.argv[1] not in ("compare", "update"):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4:]))
