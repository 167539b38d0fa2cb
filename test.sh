#!/usr/bin/env bash
# Builds everything and runs every test. The last line is `N passed, N failed`.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: ./test.sh [unit] [e2e] [tools] [jinja] [name_test …]

Without arguments: all of them. unit: every GoogleTest binary; e2e: pytest over tests/; tools: the scripts' own tests;
jinja: the share of the Jinja2 conformance cases that pass (told, not counted). A name such as base_test runs that one.
TEXT
}

case ${1:-} in -h | --help) usage; exit 0 ;; esac
cd "$(dirname "${BASH_SOURCE[0]}")"
tools/setup.sh --tests

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [[ ! -f build/release/build.ninja ]] && ! cmake --preset release >"$log" 2>&1; then
  cat "$log"
  echo "test: cmake failed; the last lines above say why"
  echo "0 passed, 1 failed"
  exit 1
fi
echo "building …"
if ! ninja -C build/release -j "$(nproc)" >"$log" 2>&1; then
  grep -v '^\[' "$log" | head -n 200
  echo "test: the build failed; the first error above says where"
  echo "0 passed, 1 failed"
  exit 1
fi
status=0
tools/run_tests --build build/release "$@" || status=$?
exit "$status"
