#!/bin/sh
# Builds ONNX's C++ library from the pinned Python wheel into a prefix:
#   tools/setup/build_onnx.sh [--prefix DIR] [--wheel FILE] [--jobs N] [--python EXE]
# DIR gets lib/libadze_onnx.a, include/onnx/... and a stamp; nothing is done
# when the stamp is up to date. Without --wheel the wheel comes from pip.
set -eu

version=1.23.2
sha256=c03ecf6b835d136108eeaeeafbd0026fc7b3cf98661409fbc6b63d5a29361348
here=$(cd "$(dirname "$0")" && pwd)
prefix=$here/../../.adze/onnx-$version
wheel=
jobs=$(nproc 2>/dev/null || echo 2)
python=python3

usage() {
  sed -n '2,6s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || usage
  case $1 in
    --prefix) prefix=$2 ;;
    --wheel) wheel=$2 ;;
    --jobs) jobs=$2 ;;
    --python) python=$2 ;;
    *) usage ;;
  esac
  shift 2
done

# The stamp names everything that decides the result.
recipe=$(cat "$0" "$here/onnx/CMakeLists.txt" | sha256sum | cut -d' ' -f1)
stamp="$sha256 $recipe"
mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
if [ -f "$prefix/stamp" ] && [ "$(cat "$prefix/stamp")" = "$stamp" ]; then
  exit 0
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/adze-onnx.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
if [ -z "$wheel" ]; then
  # One file for every machine: the C++ sources are the same in each wheel.
  echo "onnx==$version --hash=sha256:$sha256" > "$work/requirements.txt"
  "$python" -m pip download --quiet --no-deps --require-hashes --only-binary=:all: \
    --python-version 3.11 --implementation cp --abi cp311 \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 \
    --dest "$work/wheel" -r "$work/requirements.txt"
  wheel=$(echo "$work"/wheel/*.whl)
fi
echo "$sha256  $wheel" | sha256sum --check --quiet - || {
  echo "error: $wheel is not the pinned onnx $version wheel" >&2
  exit 1
}

"$python" -m zipfile -e "$wheel" "$work/source"
launcher=$(command -v ccache || true)
compiler=$(command -v clang++-22 || command -v clang++ || command -v c++)
cmake -S "$here/onnx" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" \
  -DONNX_SOURCE="$work/source" -DCMAKE_INSTALL_PREFIX="$prefix" > "$work/configure.log" || {
  cat "$work/configure.log" >&2
  exit 1
}
cmake --build "$work/build" --parallel "$jobs"
cmake --install "$work/build" > /dev/null
echo "$stamp" > "$prefix/stamp"
