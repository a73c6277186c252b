#!/usr/bin/env python3
"""Trims Timeloop golden vectors to what tests/golden/timeloop_test.cpp compares.

Usage: trim_timeloop_golden.py FULL.jsonl TRIMMED.jsonl

FULL has one JSON object a line: id, the four input documents (arch, problem, mapping, ERT) and
results A, B, C of timeloop-model. Variant C (extrapolation and link transfers off) is the exact
one and the only one kept; of each result only the compared fields stay. A vector without C keeps
its inputs (they are still read and written back). Lists of levels run inner to outer, as printed.
"""
import json
import sys

TENSOR = ["scalar_reads", "scalar_fills", "scalar_updates", "vector_reads", "vector_fills",
          "vector_updates", "utilized_instances_max", "utilized_instances_avg", "energy_total"]
NETWORK = ["ingresses", "spatial_reductions", "avg_hops", "energy_total"]
# Environment of the run that changes the counting rule; the rest only selects the variant.
RULES = ["TIMELOOP_ENABLE_FIRST_READ_ELISION", "TIMELOOP_ENABLE_UPDATED_RMW"]


def pick(record, keys):
    return {key: record[key] for key in keys}


def trim(vector):
    result = pick(vector, ["id", "arch", "problem", "mapping", "ERT"])
    c = vector.get("C")
    if c is None:
        return result
    result["env"] = pick(c["env"], [key for key in RULES if key in c["env"]])
    result["levels"] = [
        {"name": level["name"], "cycles": level["cycles"],
         "tensors": {name: pick(t, TENSOR) for name, t in level["tensors"].items()}}
        for level in c["levels"]]
    result["networks"] = [
        {"name": net["name"], "tensors": {n: pick(t, NETWORK) for n, t in net["tensors"].items()}}
        for net in c["networks"]]
    result["arithmetic"] = pick(c["arithmetic"],
                                ["cycles", "computes", "utilized_instances", "energy_total"])
    result["total"] = pick(c["total"], ["cycles", "energy"])
    return result


def main():
    with open(sys.argv[1]) as source, open(sys.argv[2], "w") as target:
        for line in source:
            target.write(json.dumps(trim(json.loads(line)), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
