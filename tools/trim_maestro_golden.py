#!/usr/bin/env python3
"""Trims MAESTRO golden vectors to what tests/golden/maestro_test.cpp compares.

Usage: trim_maestro_golden.py FULL.json TRIMMED.jsonl

FULL is {meta, vectors}. TRIMMED has one JSON value a line: first the names of the CSV columns, then
one object a vector: id, category, hw, the mapping file's text, the CSV rows as lists in column
order, what only the screen shows (buffer space per tensor, total energy in MACs), and whether MACs
were dropped, invented or done faster than the array can. Numbers that JSON has not (inf, nan) are
strings.
"""
import json
import math
import sys

HARDWARE = ["num_pes", "l1_size_cstr", "l2_size_cstr", "noc_bw_cstr", "offchip_bw_cstr",
            "noc_hops", "noc_hop_latency", "num_simd_lanes"]


def number(value):
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf"
    return value


def trim(vector, columns):
    result = {"id": vector["id"], "category": vector["category"],
              "hw": [vector["hw"][key] for key in HARDWARE], "mapping": vector["mapping_m"],
              "csv": [[number(row[column]) for column in columns] for row in vector["csv"]],
              "anomalous": bool(vector["anomalies"])}
    screen = vector["screen"]
    if screen:
        result["l2_words"] = [screen[t]["L2 size requirement"] for t in ("input", "filter", "output")]
        result["l1_words"] = [screen[t]["L1 size requirement"] for t in ("input", "filter", "output")]
        result["energy_macs"] = screen["Total energy consumption"]
    return result


def main():
    full, trimmed = sys.argv[1:]
    with open(full, encoding="utf-8") as file:
        vectors = json.load(file)["vectors"]
    columns = list(vectors[0]["csv"][0])
    with open(trimmed, "w", encoding="utf-8") as file:
        for value in [columns] + [trim(vector, columns) for vector in vectors]:
            json.dump(value, file, separators=(",", ":"), allow_nan=False)
            file.write("\n")


if __name__ == "__main__":
    main()
