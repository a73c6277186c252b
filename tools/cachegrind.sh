#!/usr/bin/env bash
# Instructions of one evaluation of each case of bench/evaluate_cases.h, against bench/instruction-counts.json.
# Fails above +2 %. Wall time only informs; instruction counts repeat to the last digit and can gate.
#
#   tools/cachegrind.sh             compare
#   tools/cachegrind.sh --update    rewrite the file (say why in the commit message)
#
# The count is the difference of two runs of different length, so start-up and input cancel out. SLUICE_BUILD_DIR
# names a build directory that already holds bench/count_evaluations; without it build/release is built.
set -euo pipefail
cd "$(dirname "$0")/.."

mode=compare
case ${1:-} in
  --update) mode=update ;;
  "") ;;
  *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac

build=${SLUICE_BUILD_DIR:-build/release}
[ -n "${SLUICE_BUILD_DIR:-}" ] || tools/build.sh --bench count_evaluations
program=$build/bench/count_evaluations
log=$(mktemp)
trap 'rm -f "$log"' EXIT

instructions() {  # case, times
  if ! valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null "$program" "$1" "$2" \
      >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
  fi
  sed -n 's/^.*I *refs: *//p' "$log" | tr -d ,
}

few=500
many=2500
counts=()
for name in $("$program"); do
  low=$(instructions "$name" $few)
  high=$(instructions "$name" $many)
  counts+=("$name" $(((high - low) / (many - few))))
done
compiler=$(sed -n 's/^CMAKE_CXX_COMPILER:[A-Z]*=//p' "$build/CMakeCache.txt")
exec python3 -B tools/compare_counts.py "$mode" bench/instruction-counts.json \
  "$("$compiler" --version | head -n 1)" "${counts[@]}"
