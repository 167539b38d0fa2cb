#!/usr/bin/env bash
# From a fresh checkout on Debian 12 to a dataset: installs, builds, makes 200 records, shows the first ones.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: ./quickstart.sh

Installs what is missing (tools/setup.sh), builds build/release/plot-palette, runs examples/countries-qa.yaml with the
offline model (no account, no network) and shows the first rows. A second run takes seconds. The dataset goes to out/.
TEXT
}

case ${1:-} in
  "") ;;
  -h | --help) usage; exit 0 ;;
  *) echo "quickstart: '$1' is not known; see ./quickstart.sh --help" >&2; exit 2 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")"
tools/setup.sh

if [[ ! -f build/release/build.ninja ]]; then
  log=$(mktemp)
  if ! cmake --preset release >"$log" 2>&1; then
    cat "$log" >&2
    echo "quickstart: cmake failed; the last lines above say why" >&2
    exit 1
  fi
  rm -f "$log"
fi
[[ -x build/release/plot-palette ]] || echo "Building plot-palette (some minutes the first time) …"
ninja -C build/release -j "$(nproc)" --quiet plot-palette ||
  { echo "quickstart: the build failed; the first error above says where" >&2; exit 1; }

echo "Making the dataset of examples/countries-qa.yaml …"
build/release/plot-palette run examples/countries-qa.yaml --out out ||
  { status=$?; echo "quickstart: the job did not end well (exit $status); run the same command again to go on" >&2; exit "$status"; }

echo
echo "The first 3 rows of out/dataset.jsonl:"
head -n 3 out/dataset.jsonl | cut -c 1-400
echo
echo "The dataset:"
for file in out/dataset.*; do printf '  %s (%s)\n' "$file" "$(du -h "$file" | cut -f1)"; done
echo "Next: build/release/plot-palette --help, and examples/README.md"
