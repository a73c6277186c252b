#!/usr/bin/env bash
# Static analysis of src/ and cli/: clang-tidy-19 with .clang-tidy, then cppcheck. Prints findings only and fails
# on any. A file that was clean is skipped until it, a header it includes, its flags or .clang-tidy change
# (build/tidy remembers).
#
#   tools/tidy.sh                 everything
#   tools/tidy.sh --since COMMIT  clang-tidy only for files that changed since, or whose own headers did
#   tools/tidy.sh FILE...         clang-tidy only for these
#   tools/tidy.sh --quick ...     without clang-analyzer-*, four fifths of the time (.ci/run: --quick)
#
# SLUICE_JOBS limits how many files are looked at at once. SLUICE_BUILD_DIR names a configured g++ or clang build
# directory; without it build/release is configured.
set -euo pipefail
cd "$(dirname "$0")/.."

build=${SLUICE_BUILD_DIR:-build/release}
mkdir -p build/tidy/cppcheck
if [ ! -f "$build/compile_commands.json" ]; then
  cmake --preset release -B "$build" -DSLUICE_TESTS=ON -DSLUICE_BENCH=ON </dev/null >build/tidy/configure.log 2>&1 ||
    { cat build/tidy/configure.log >&2; exit 1; }
fi
# Headers that the build writes: the version and the protobuf messages.
cmake --build "$build" --target sluice_build_info </dev/null >build/tidy/generate.log 2>&1 ||
  { cat build/tidy/generate.log >&2; exit 1; }

status=0
python3 -B tools/run_clang_tidy.py "$build" "$@" || status=1

# A suppression is a comment `// cppcheck-suppress id ; reason` over its line. Off for the whole tree, because
# version 2.10 is wrong about them and clang-tidy judges the same with a real parser:
#   accessMoved         takes the arguments of a chained call in a loop for a later use (bugprone-use-after-move)
#   constStatement      does not parse `x *= T{y} * z` (-Wunused-value)
#   returnStdMoveLocal  a reference is no local (performance-no-automatic-move, -Wpessimizing-move)
#   zerodivcond         holds the precondition of CeilDiv against checks of its callers (clang-analyzer)
# and, as no faults: useStlAlgorithm (an opinion), missingIncludeSystem, unmatchedSuppression.
suppressions=()
for id in accessMoved constStatement returnStdMoveLocal zerodivcond useStlAlgorithm missingIncludeSystem \
    unmatchedSuppression; do
  suppressions+=("--suppress=$id")
done
if ! cppcheck --enable=warning,performance,portability --std=c++20 --language=c++ --inline-suppr --quiet \
    --error-exitcode=1 -j "${SLUICE_JOBS:-$(nproc)}" --cppcheck-build-dir=build/tidy/cppcheck "${suppressions[@]}" \
    --template='{file}:{line}:{column}: {severity}: {message} [cppcheck-{id}]' -Isrc src cli; then
  status=1
fi
exit $status
