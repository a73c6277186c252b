#!/usr/bin/env bash
# Runs the tests of a build directory: silent when they pass except for ctest's closing lines, the
# output of the failing tests otherwise.
# usage: tools/run_ctest.sh BUILD_DIRECTORY [ctest arguments]
set -euo pipefail
build=$1
shift
# Property tests draw the same cases in every run unless the caller asks for others.
export RC_PARAMS=${RC_PARAMS:-seed=20240229}
jobs=$(nproc)
log=$build/ctest.log
echo "test: running ctest in $build with $jobs jobs (log: $log)"
if ctest --test-dir "$build" --output-on-failure -j "$jobs" --no-tests=error "$@" </dev/null >"$log" 2>&1; then
  grep -E 'tests passed|Total Test time|did not run|Skipped|Disabled' "$log"
else
  status=$?
  grep -v -E '^ *[0-9]+/[0-9]+ Test +#[0-9]+: .* Passed |^ +Start +[0-9]+:' "$log" || true
  exit $status
fi
