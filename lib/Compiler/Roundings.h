// How often a graph rounds.
#pragma once
#include "lib/Compiler/Compiler.h"

#include "mlir/IR/BuiltinOps.h"

namespace adze {

/// Of the module's functions of adze ops. An op counts one rounding for each
/// step of ONNX's definition of it, moves of data none; extents that are not
/// known and iterations of loops count once, so that bounds err to the tight side.
Roundings roundingsOf(mlir::ModuleOp module);

}  // namespace adze
