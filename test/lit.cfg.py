# The lit suite: tests mirror the source tree (test/passes/Fusion/fuse.mlir
# tests passes/Fusion). Run one with
#   lit -v build/test --filter fuse      or      ninja -C build check
import os
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

for tool in ("adze-opt", "adze"):
    path = os.path.join(build, "tools", tool)
    if os.path.exists(os.path.join(path, tool)):
        config.available_features.add(tool)
    config.environment["PATH"] = path + os.pathsep + config.environment["PATH"]
config.environment["PATH"] = llvm_tools + os.pathsep + config.environment["PATH"]

config.substitutions += [("%python", python), ("%src", root), ("%build", build)]
