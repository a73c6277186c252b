#!/usr/bin/env bash
# Release build in build/release, quiet unless it fails.
# usage: tools/build.sh [--tests] [--bench] TARGET...
# Tests and benchmarks once switched on stay on, so that ./run after ./test rebuilds nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/release
tests=
bench=
targets=()
for argument in "$@"; do
  case $argument in
    --tests) tests=ON ;;
    --bench) bench=ON ;;
    *) targets+=("$argument") ;;
  esac
done
fresh=
[ -f $build/CMakeCache.txt ] || fresh=OFF
options=()
[ -z "${tests:-$fresh}" ] || options+=("-DSLUICE_TESTS=${tests:-$fresh}")
[ -z "${bench:-$fresh}" ] || options+=("-DSLUICE_BENCH=${bench:-$fresh}")

mkdir -p $build
log=$build/build.log
jobs=$(nproc)
echo "build: ${targets[*]} in $build with $jobs jobs (log: $log)"
if ! { cmake --preset release "${options[@]}" && cmake --build $build -j "$jobs" --target "${targets[@]}"; } \
    </dev/null >$log 2>&1; then
  grep -n -m 20 -E 'error|Error|FAILED|undefined reference' $log >&2 || tail -n 30 $log >&2
  echo "build: failed; the whole log is $log" >&2
  exit 1
fi
