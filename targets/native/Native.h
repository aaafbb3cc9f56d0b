// Code for a CPU, as every target needs it: of the host target the kernels, of
// others the entry, and what their devices do not run.
#pragma once
#include "lib/Artifact/Artifact.h"
#include "lib/Support/Diagnostics.h"
#include "passes/Schedule/MachineModel.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

#include <memory>
#include <string>
#include <vector>

namespace adze::native {

/// A CPU, in LLVM's names.
struct Cpu {
  std::string triple, name;
  std::vector<std::string> features;  ///< those that the loader checks, without '+', sorted
  bool isNative = false;              ///< the one that this process runs on

  bool has(std::string_view feature) const;
};

/// "native" or LLVM's name of a CPU; reports one that it does not know.
mlir::FailureOr<Cpu> describeCpu(const std::string &name, DiagnosticEngine &diags);
/// One core of it.
schedule::MachineModel machineOf(const Cpu &cpu);

/// As Target::build…Pipeline: kernels as linalg on memrefs -> vector loop nests ->
/// the LLVM dialect.
void buildDecidePipeline(mlir::OpPassManager &pm);
void buildSchedulePipeline(mlir::OpPassManager &pm);
void buildEmitPipeline(mlir::OpPassManager &pm);

/// Adds `module` as the host-code section of that name, and what its loader has
/// to check.
bool emit(mlir::ModuleOp module, const Cpu &cpu, const std::string &section,
          artifact::Contents &contents,
          std::vector<std::shared_ptr<std::vector<std::byte>>> &storage, DiagnosticEngine &diags);

}  // namespace adze::native
