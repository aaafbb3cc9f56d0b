#!/bin/sh
# What adze and the emulator are held against: a machine with a GPU (Hopper, for all cases).
# Python, numpy and libcuda are enough there, and torch for its times.
#
# Times and results of models, of the kernels of gemm_bench.py, and of torch:
#   run.sh --prepare DIR [NAME ...]   where adze is built: at most 60 MB, of these models of
#                                     test/models/models.json (gpu_models.py --help)
#   run.sh DIR [FLAG ...]             there; DIR/gpu.json is the record
# Every instruction of opcodes.py, and whole kernels:
#   opcodes.py build DIR              where mlir-opt is
#   run.sh --opcodes DIR              there
#   opcodes.py emulate DIR --adze adze; opcodes.py compare DIR; opcodes.py record DIR h200.json
set -e
here=$(dirname "$0")
python=${ADZE_PYTHON:-python3}
case ${1:?a folder} in
  --prepare) shift; exec "$python" "$here/gpu_models.py" prepare "$@" --products ;;
  --opcodes) exec "$python" "$here/opcodes.py" gpu "${2:?a folder}" ;;
  *) exec "$python" "$here/gpu_models.py" run "$@" ;;
esac
