#!/usr/bin/env bash
# Line coverage of src/ by the unit, property (fewer cases), golden and command-line tests. Prints gcovr's total
# and the ten files with the most lines missed; fails under 90 %. Everything is in build/coverage: the whole table
# in coverage.txt, the annotated source in coverage.html.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/coverage
minimum=90
mkdir -p $build
if ! { cmake -S . -B $build -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS="--coverage" -DCMAKE_CXX_FLAGS_DEBUG=-O0 \
         -DSLUICE_SEARCH_FLAGS=-O1 -DSLUICE_BENCH=OFF &&
       cmake --build $build -j "${SLUICE_JOBS:-$(nproc)}" \
         --target sluice unit_tests property_tests golden_tests; } </dev/null >$build/build.log 2>&1; then
  tail -n 30 $build/build.log >&2
  echo "coverage: the build failed; the whole log is $build/build.log" >&2
  exit 1
fi
find $build -name '*.gcda' -delete
# A source that was renamed or removed leaves notes behind, and gcovr stops at the file it then misses.
ninja -C $build -t cleandead >/dev/null
find $build -name '*.gcno' | while read -r note; do
  [ -f "${note%.gcno}.o" ] || rm "$note"
done

export RC_PARAMS=${RC_PARAMS:-"seed=20240229 max_success=20"}
export SLUICE_PROPERTY_CASES=${SLUICE_PROPERTY_CASES:-0.1}
# How good long searches are needs optimised code, and touches no line that short ones do not.
long='KnownLayers.*:AnnealingMapper.MoreBudget*:AnnealingMapper.ImperfectConvolutions*:Mappers.EndByThemselves*'
long+=':Dcp.Beats*:CodeSearch.FindsTheOptimum*'
for kind in unit property golden; do
  if ! $build/tests/${kind}_tests --gtest_brief=1 "--gtest_filter=-*${long//:/:*}" </dev/null >$build/$kind.log 2>&1; then
    tail -n 40 $build/$kind.log >&2
    exit 1
  fi
done
tools/run_ctest.sh $build -L cli

# Counters of threads race, and a negative one is a syntax error to gcovr; one that stops several workers of it
# makes the others wait for ever. Atomic counters would make the searches several times slower.
timeout 900 gcovr --root . --filter src/ --object-directory $build -j 1 --gcov-ignore-parse-errors --exclude-unreachable-branches \
  --json $build/coverage.json --txt $build/coverage.txt --html-details $build/coverage.html $build \
  >$build/gcovr.log 2>&1 || { tail -n 20 $build/gcovr.log >&2; exit 1; }
exec python3 -B tools/print_coverage.py $build/coverage.json $minimum
