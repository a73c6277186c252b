#!/usr/bin/env bash
# Makes the documents a site that loads nothing from elsewhere. Installs nothing: needs mkdocs and
# mkdocs-material (tools/setup.sh tests).
# usage: tools/build_docs.sh [DIRECTORY]    (build/site otherwise)
set -euo pipefail
cd "$(dirname "$0")/.."
site=$(realpath -m "${1:-build/site}")

command -v mkdocs >/dev/null || { echo "build_docs: mkdocs is missing: tools/setup.sh tests" >&2; exit 69; }
mkdocs build --strict --quiet --clean --config-file mkdocs.yml --site-dir "$site"
# The theme's script would fetch mermaid for diagrams, of which there are none; the search needs no
# language but English, which is built in.
rm -rf "$site/assets/javascripts/lunr"
find "$site/assets" -name '*.map' -delete
find "$site/assets" -name '*.js' -exec sed -i 's#https://unpkg\.com/[^"]*#about:blank#g; /^\/\/# sourceMappingURL=/d' {} +
echo "build_docs: $site/index.html"
