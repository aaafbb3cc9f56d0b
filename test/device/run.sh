#!/bin/sh
# run.sh [DIR]: on a machine with a GPU (Hopper, for all cases; libcuda, Python and
# numpy are enough), runs every case of opcodes.py and whole kernel there. Build
# DIR first where mlir-opt and adze are:
#   opcodes.py build DIR; opcodes.py emulate DIR --adze adze
# and afterwards hold the two against each other and keep what the GPU gave:
#   opcodes.py compare DIR; opcodes.py record DIR h200.json
set -e
here=$(dirname "$0")
exec python3 "$here/opcodes.py" gpu "${1:-build/device}"
