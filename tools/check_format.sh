#!/usr/bin/env bash
# Fails when a C++ file differs from what clang-format-19 makes of it. With --fix, rewrites the files.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(find src cli tests bench include examples -name '*.h' -o -name '*.cpp' | sort)
if [ "${1:-}" = --fix ]; then
  clang-format-19 -i "${files[@]}"
  exit 0
fi
if ! clang-format-19 --dry-run --Werror --ferror-limit=1 "${files[@]}"; then
  echo "format: run tools/check_format.sh --fix" >&2
  exit 1
fi
