# The lit suite: tests mirror the source tree (test/passes/Fusion/fuse.mlir
# tests passes/Fusion). Run one with
#   lit -v build/test --filter fuse      or      ninja -C build check
import os
import platform
import shutil
import subprocess
import sys

import lit.formats

config.name = "adze"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".onnxtxt", ".test"]
config.excludes = ["Inputs", "unit", "conformance", "models", "consumer", "python"]
config.test_source_root = os.path.dirname(__file__)

# Without a site file (lit straight on the source tree) the release build is meant.
root = os.path.dirname(config.test_source_root)
build = getattr(config, "adze_build", os.path.join(root, "build"))
llvm_tools = getattr(config, "llvm_tools", "/usr/lib/llvm-22/bin")
python = getattr(config, "python", sys.executable)
config.test_exec_root = os.path.join(build, "test")

for tool in ("adze-opt", "adze-tile", "adze"):
    path = os.path.join(build, "tools", tool)
    if os.path.exists(os.path.join(path, tool)):
        config.available_features.add(tool)
    config.environment["PATH"] = path + os.pathsep + config.environment["PATH"]
config.environment["PATH"] = llvm_tools + os.pathsep + config.environment["PATH"]

# What compiles PTX for a GPU: an installed toolkit's, or a Python package's.
site = subprocess.run([python, "-c", "import site; print(site.getsitepackages()[0])"], capture_output=True, text=True).stdout.strip()
for ptxas in (os.path.join(site, "nvidia", "cuda_nvcc", "bin", "ptxas"), shutil.which("ptxas")):
    if ptxas and os.path.exists(ptxas):
        config.available_features.add("ptxas")
        config.environment["PTXAS"] = ptxas
        config.substitutions.append(("%ptxas", ptxas))
        break
else:
    lit_config.note("no ptxas: what it makes of our PTX is not tested")

# Comparisons with another engine.
if subprocess.run([python, "-c", "import onnx, onnxruntime"], capture_output=True).returncode == 0:
    config.available_features.add("onnxruntime")

# Running kernels: vectors and loops down to LLVM, then the JIT. The runner prints
# where buffers lie, which differs from run to run.
to_llvm = ("--convert-linalg-to-loops --expand-strided-metadata --lower-affine "
           "--convert-scf-to-cf --convert-vector-to-llvm --expand-strided-metadata "
           "--lower-affine --finalize-memref-to-llvm --convert-math-to-llvm "
           "--convert-math-to-libm --convert-arith-to-llvm --convert-index-to-llvm "
           "--convert-func-to-llvm --convert-cf-to-llvm --convert-ub-to-llvm "
           "--reconcile-unrealized-casts")
runner_libs = os.path.join(llvm_tools, "..", "lib")
run_llvm = (f"mlir-runner -e main -entry-point-result=void "
            f"-shared-libs={runner_libs}/libmlir_runner_utils.so,"
            f"{runner_libs}/libmlir_c_runner_utils.so | sed 's/base@ = [^ ]*//'")
# Machines for adze.target: what passes/Schedule/MachineModel.h reads.
config.substitutions += [
    ("%to-llvm", to_llvm), ("%run-llvm", run_llvm),
    ("%avx512", "vector_bits = 512, vector_registers = 32, mask_bits = 8"),
    ("%avx2", "vector_bits = 256, vector_registers = 16, mask_bits = 32"),
    ("%sse", "vector_bits = 128, vector_registers = 16")]

config.substitutions += [("%llvm-libs", runner_libs), ("%python", python), ("%src", root), ("%build", build),
                         ("%device-fixture", os.path.join(build, "test/unit/Runtime/device_fixture.adze")),
                         ("%exits", f"sh {root}/test/Inputs/exits.sh")]
# The Python package runs what adze compiled.
config.available_features.add(platform.machine())
config.environment["PYTHONPATH"] = os.path.join(root, "python")
config.environment["ADZE_RT_LIBRARY"] = os.path.join(build, "lib", "libadze_rt.so")
config.environment["ADZE_PYTHON"] = python
# Schedules that this machine's user has found do not count.
config.environment["ADZE_TUNE_DB"] = ""
