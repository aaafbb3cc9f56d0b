// LLVM-dialect modules -> one ELF shared object, in memory.
#pragma once
#include "lib/Support/Diagnostics.h"

#include "mlir/IR/BuiltinOps.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace adze::native {

struct CodegenOptions {
  std::string triple, cpu, features;  ///< LLVM's forms; features "+avx2,-foo"
};

/// Translates, optimises and links `module`; empty and an error on failure.
/// Deterministic: the same module and options give the same bytes.
std::vector<std::byte> compileToSharedObject(mlir::ModuleOp module, const CodegenOptions &options,
                                             DiagnosticEngine &diags);

}  // namespace adze::native
