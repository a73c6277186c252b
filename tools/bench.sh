#!/usr/bin/env bash
# Builds the benchmarks (Release) and prints one table. Arguments go to every executable.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh product tests
tools/build.sh --bench all
found=0
for source in bench/*_bench.cpp; do
  name=$(basename "$source" .cpp)
  found=1
  echo "== $name"
  "build/release/bench/$name" --benchmark_counters_tabular=true "$@" 2>/dev/null
done
[ $found -eq 1 ] || { echo "bench: there is no bench/*_bench.cpp" >&2; exit 1; }
