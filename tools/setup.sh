#!/usr/bin/env bash
# Installs what the build needs and is missing: Debian 12 packages, pinned Python packages into .venv, and for the tests
# DynamoDB Local into .cache.
# Does nothing, in well under a second, when all is there.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: tools/setup.sh [--tests] [--bench]

  --tests   also what the tests and checks need (clang-tidy, clang-format, tmux, openssl, pytest, pandas, duckdb,
            boto3, openai, moto; DynamoDB Local from Maven Central, into .cache/dynamodb-local)
  --bench   also what bench/ compares with (wrk, aiohttp)

Debian 12 only; elsewhere it names the packages and exits with 2. PALETTE_SETUP=skip leaves the system's packages
alone (you have installed equivalents yourself).
TEXT
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
with_tests=0
with_bench=0
for argument in "$@"; do
  case $argument in
    --tests) with_tests=1 ;;
    --bench) with_bench=1 ;;
    -h | --help) usage; exit 0 ;;
    *) echo "setup: '$argument' is not known; see tools/setup.sh --help" >&2; exit 2 ;;
  esac
done

packages=(clang-19 lld-19 libstdc++-12-dev ccache ninja-build cmake libboost1.81-dev libboost-json1.81-dev libssl-dev zlib1g-dev
  libsqlite3-dev libyaml-cpp-dev libfmt-dev libcli11-dev libgtest-dev libgmock-dev
  python3 python3-venv)
if ((with_tests)); then
  packages+=(clang-tidy-19 clang-format-19 libclang-rt-19-dev tmux procps openssl maven default-jre-headless)
fi
if ((with_bench)); then packages+=(wrk); fi
requirements=("$root/tools/requirements.txt")
if ((with_tests)); then requirements+=("$root/tools/requirements-test.txt"); fi
if ((with_bench)); then requirements+=("$root/tools/requirements-bench.txt"); fi

die() {
  echo "setup: $1" >&2
  exit "${2:-1}"
}

# The packages of the list that are not installed, one a line.
missing_packages() {
  local installed
  installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' "${packages[@]}" 2>/dev/null | sed -n 's/^.i *//p') || true
  local package
  for package in "${packages[@]}"; do
    grep -qxF "$package" <<<"$installed" || echo "$package"
  done
}

as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "packages are missing and neither root nor sudo is at hand; as root run: apt-get install ${missing[*]}"
  fi
}

install_packages() {
  [[ ${PALETTE_SETUP:-} != skip ]] || return 0
  local ID="" VERSION_ID=""
  if [[ -r /etc/os-release ]]; then . /etc/os-release; fi
  if [[ $ID != debian || $VERSION_ID != 12 ]]; then
    die "this is not Debian 12. Install what these Debian packages hold (clang 19 or newer, Boost 1.81 or newer), then run
again with PALETTE_SETUP=skip: ${packages[*]}" 2
  fi
  mapfile -t missing < <(missing_packages)
  if ((${#missing[@]} == 0)); then return 0; fi
  if [[ " ${missing[*]} " == *" libboost1.81-dev "* ]] && dpkg-query -W -f='${db:Status-Abbrev}' libboost1.74-dev 2>/dev/null | grep -q '^.i'; then
    die "Boost 1.74 (libboost-dev, libboost1.74-dev) is installed, and Debian does not allow 1.81 beside it; its Asio does not
compile here. Remove it first: apt-get remove libboost-dev libboost1.74-dev" 2
  fi
  echo "setup: installing ${missing[*]}"
  as_root apt-get update -qq || die "apt-get update failed; see above"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get could not install ${missing[*]}; see above"
}

# Installs the requirement files that changed since the last time: each leaves its hash in .venv.
install_python_packages() {
  local file stamp hash
  for file in "${requirements[@]}"; do
    stamp=$venv/.${file##*/}.sha256
    hash=$(sha256sum <"$file")
    if [[ -x $venv/bin/python && -f $stamp && $(<"$stamp") == "$hash" ]]; then continue; fi
    if ! "$venv/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "setup: making .venv"
      local python=/usr/bin/python3
      [[ -x $python ]] || python=python3
      "$python" -m venv --clear "$venv" || die "$python -m venv failed; is python3-venv installed?"
    fi
    echo "setup: installing the Python packages of ${file##*/} into .venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$file" ||
      die "pip could not install what ${file##*/} lists; see above"
    echo "$hash" >"$stamp"
  done
}

# DynamoDB Local, with what it needs, as tools/dynamodb_local/pom.xml pins it. The tests that want it say so and are
# skipped where it is missing: Maven Central may be out of reach.
install_dynamodb_local() {
  local pom=$root/tools/dynamodb_local/pom.xml folder=$root/.cache/dynamodb-local
  local hash fresh=$folder.new.$$
  hash=$(sha256sum <"$pom")
  if [[ -f $folder/pom.sha256 && $(<"$folder/pom.sha256") == "$hash" ]]; then return 0; fi
  if [[ $(uname -m) != x86_64 ]]; then
    echo "setup: warning: DynamoDB Local is not installed: Maven Central has its native library for x86_64 only" >&2
    return 0
  fi
  if ! command -v mvn >/dev/null || ! command -v java >/dev/null; then
    echo "setup: warning: DynamoDB Local is not installed: it needs mvn and java (maven, default-jre-headless)" >&2
    return 0
  fi
  echo "setup: installing DynamoDB Local into .cache/dynamodb-local"
  mkdir -p "$root/.cache"
  # Maven waits half an hour for an answer of a host that is silent.
  if ! timeout 300 mvn -q -B -ntp -Dstyle.color=never -f "$pom" dependency:copy-dependencies \
    -DoutputDirectory="$fresh" </dev/null >"$fresh.log" 2>&1; then
    grep -m 1 ERROR "$fresh.log" >&2 || tail -n 5 "$fresh.log" >&2
    rm -rf "$fresh" "$fresh.log"
    echo "setup: warning: DynamoDB Local is not installed: Maven could not bring it (see above)" >&2
    return 0
  fi
  echo "$hash" >"$fresh/pom.sha256"
  rm -rf "$folder" "$fresh.log"
  mv "$fresh" "$folder"
}

install_packages
install_python_packages
if ((with_tests)); then install_dynamodb_local; fi
