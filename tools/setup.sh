#!/usr/bin/env bash
# Installs the Debian 12 packages that Sluice needs and that are missing, and nothing else.
# usage: tools/setup.sh [product] [web] [tests] [ci]      (default: product)
#   product  compile and run the program
#   web      bundle the interactive report (without it reports are plain tables)
#   tests    compile and run the default tests and benchmarks, make the site of the documents
#   ci       the second compiler, sanitizer run-times, formatter and static analysis, coverage, valgrind,
#            a browser for the report's tests
# Needs root or sudo only when something is missing. Safe to repeat.
set -euo pipefail

product=(build-essential cmake ninja-build ccache python3
         libonnx-dev libprotobuf-dev protobuf-compiler libyaml-cpp-dev nlohmann-json3-dev
         libcli11-dev libfmt-dev libexpected-dev libxxhash-dev libboost-dev
         libeigen3-dev)
tests=(libgtest-dev libgmock-dev librapidcheck-dev libbenchmark-dev libonnx-testdata dpkg-dev file
       mkdocs mkdocs-material)
ci=(clang-19 libclang-rt-19-dev clang-format-19 clang-tidy-19 cppcheck gcovr valgrind chromium)

wanted=()
for group in "${@:-product}"; do
  case $group in
    product) wanted+=("${product[@]}") ;;
    web)
      # Node.js from elsewhere brings its own npm and excludes Debian's.
      if ! command -v node >/dev/null || ! command -v npm >/dev/null; then wanted+=(nodejs npm); fi ;;
    tests) wanted+=("${tests[@]}") ;;
    ci) wanted+=("${ci[@]}") ;;
    *) echo "setup: no package group called '$group' (product, web, tests, ci)" >&2; exit 2 ;;
  esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup: this is not a Debian system; install the equivalents of: ${wanted[*]}" >&2
  exit 1
fi

missing=()
for package in "${wanted[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "setup: all ${#wanted[@]} packages are installed"
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: ${#missing[@]} packages are missing and there is neither root nor sudo. As root, run:" >&2
    echo "  apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "setup: installing ${#missing[@]} of ${#wanted[@]} packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
run_apt() {
  if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq "$@" \
      </dev/null >>"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "setup: apt-get $1 failed (log above)" >&2
    return 1
  fi
}
run_apt update
run_apt install -y --no-install-recommends "${missing[@]}"
