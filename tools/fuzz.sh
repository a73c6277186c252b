#!/usr/bin/env bash
# Builds the fuzzers (preset asan: clang-19, ASan + UBSan) and runs each for a while. One line per target; fails on any
# crash, time-out or memory beyond 2 GiB, leaving the reproducer in out/fuzz/. docs/fuzzing.md explains.
#
#   tools/fuzz.sh [SECONDS]          seconds per target, 60 unless given
#   tools/fuzz.sh --executions N     executions per target instead
#   tools/fuzz.sh --jobs J           targets at once, all cores unless given
#   tools/fuzz.sh --only TARGET      one target (may be repeated)
#   tools/fuzz.sh --merge            instead of fuzzing, rewrite tests/fuzz/corpus: the smallest files
#                                    that reach what the seeds and earlier runs reached
set -euo pipefail
cd "$(dirname "$0")/.."

limit=-max_total_time=60
jobs=$(nproc)
merge=0
targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --executions) limit=-runs=$2; shift 2 ;;
    --jobs) jobs=$2; shift 2 ;;
    --only) targets+=("$2"); shift 2 ;;
    --merge) merge=1; shift ;;
    [0-9]*) limit=-max_total_time=$1; shift ;;
    *) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done

build=${SLUICE_FUZZ_BUILD:-build/asan}
out=out/fuzz
mkdir -p "$out"
log=$out/build.log
if ! { cmake --preset asan -B "$build" &&
       nice cmake --build "$build" -j "${SLUICE_JOBS:-$(nproc)}" --target fuzzers; } </dev/null >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "fuzz: the build failed; the whole log is $log" >&2
  exit 1
fi
if [ ${#targets[@]} -eq 0 ]; then
  for binary in "$build"/tests/fuzz/fuzz_*; do
    name=${binary##*/fuzz_}
    [ -x "$binary" ] && [ -f "$binary" ] && [ "$name" != tests ] && targets+=("$name")
  done
fi

# More seeds than the repository holds: the small models of ONNX's own test suite, if installed.
onnx_seeds=$out/seeds/onnx_import
if [ -d /usr/share/libonnx-testdata/data/node ] && [ ! -d "$onnx_seeds" ]; then
  mkdir -p "$onnx_seeds"
  find /usr/share/libonnx-testdata/data/node -name model.onnx -size -3k | while read -r model; do
    cp "$model" "$onnx_seeds/$(basename "$(dirname "$model")")"
  done
fi

options() {  # target: limits, longest input, dictionary
  local longest=4096
  case $1 in
    descriptor) longest=256 ;;
    evaluate_vs_walker) longest=15 ;;
    directives | mapping_yaml) longest=2048 ;;
    certificate_json | plan_json) longest=8192 ;;
  esac
  echo "-timeout=20 -rss_limit_mb=2048 -max_len=$longest"
  local dictionary=tests/fuzz/dictionaries/$1.dict
  if [ -f "$dictionary" ]; then
    echo "-dict=$dictionary"
  fi
}

seeds() {  # target: the folders it starts from, the one it writes first
  echo "$out/corpus/$1 tests/fuzz/corpus/$1"
  if [ -d "$out/seeds/$1" ]; then
    echo "$out/seeds/$1"
  fi
}

fuzz_one() {  # target
  local name=$1 log=$out/$1.log rc=0
  # Allocation traces cost half the speed; running a reproducer alone shows them.
  local -x ASAN_OPTIONS=${ASAN_OPTIONS:-malloc_context_size=0:quarantine_size_mb=16}
  mkdir -p "$out/corpus/$name" "tests/fuzz/corpus/$name"
  # shellcheck disable=SC2046
  "$build/tests/fuzz/fuzz_$name" $(options "$name") "$limit" -print_final_stats=1 \
    -artifact_prefix="$out/$name-" $(seeds "$name") >"$log" 2>&1 || rc=$?
  local executions speed coverage
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  speed=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
  coverage=$(grep -o 'cov: [0-9]*' "$log" | tail -n 1 | cut -d' ' -f2)
  printf '%-20s %10s executions %7s/s  coverage %6s  %s\n' "$name" "${executions:-?}" "${speed:-?}" \
    "${coverage:-?}" "$([ $rc -eq 0 ] && echo ok || echo "FAILED: see $log")"
  if [ $rc -ne 0 ]; then
    grep -m 5 -E 'what\(\)|ERROR|SUMMARY|runtime error|Test unit written' "$log" | sed 's/^/  /'
  fi
  return $rc
}

merge_one() {  # target
  local name=$1 fresh=$out/merged/$1
  rm -rf "$fresh"
  mkdir -p "$fresh"
  # shellcheck disable=SC2046
  "$build/tests/fuzz/fuzz_$name" $(options "$name") -use_counters=0 -set_cover_merge=1 "$fresh" $(seeds "$name") \
    >"$out/$name.merge.log" 2>&1 || { echo "merging $name failed, see $out/$name.merge.log" >&2; return 1; }
  # Named files are cases of fixed bugs: they stay.
  find "tests/fuzz/corpus/$name" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -delete
  cp "$fresh"/* "tests/fuzz/corpus/$name/"
  printf '%-20s %4s files %8s bytes\n' "$name" "$(find "tests/fuzz/corpus/$name" -type f | wc -l)" \
    "$(cat "tests/fuzz/corpus/$name"/* | wc -c)"
}

export -f options seeds fuzz_one merge_one
export build out limit
if [ "$merge" = 1 ]; then
  action=merge_one
else
  action=fuzz_one
fi
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c "$action {}" ||
  { echo "fuzz: something failed; reproducers are in $out/" >&2; exit 1; }
