#!/usr/bin/env bash
# ThreadSanitizer over everything that uses threads: the thread pool, the planner, and the public interface
# called from several threads. Any race fails. Built in build/tsan by the preset of that name, these tests only.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/tsan
mkdir -p $build
log=$build/build.log
if ! { cmake --preset tsan -DSLUICE_BENCH=OFF -DSLUICE_WEB=OFF -DSLUICE_CLI_DOCS=OFF &&
       cmake --build $build -j "${SLUICE_JOBS:-$(nproc)}" --target thread_tests api_tests; } </dev/null >$log 2>&1; then
  grep -n -m 20 -E 'error|FAILED|undefined reference' $log >&2 || tail -n 30 $log >&2
  echo "tsan: the build failed; the whole log is $log" >&2
  exit 1
fi

export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}
run() {
  if ! "$@" --gtest_brief=1 </dev/null >$build/run.log 2>&1; then
    tail -n 60 $build/run.log >&2
    exit 1
  fi
  grep -E ' ran\.' $build/run.log
}
run $build/tests/thread_tests
run $build/tests/install/api_tests --gtest_filter='ApiPlan.*'
