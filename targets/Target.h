// The one interface of a target: what it can do, as data, and how a module of
// kernels becomes sections of an artifact.
#pragma once
#include "lib/Artifact/Artifact.h"
#include "lib/Support/Diagnostics.h"
#include "lib/Tuning/LaunchCounts.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

#include <memory>
#include <string>
#include <vector>

namespace adze {

namespace schedule {
struct Unit;
}

struct TargetOptions {
  std::string cpu = "native";  ///< LLVM's name of the CPU
  std::string device;          ///< one of those after the target's name and ':'; may be empty
  int optLevel = 3;
  /// How matrix units may round factors of products in f32: "f32", nearly not; "tf32",
  /// to 10 bits of fraction; "bf16" and "f16", to that type.
  std::string products = "f32";
  /// The assembler that turns PTX into a GPU's machine code: a path; "auto": one that is found,
  /// if any; "none".
  std::string ptxas = "none";
  int64_t spillBudget = 64;  ///< bytes of registers that a thread may spill
};

/// A target for one set of options. What passes ask is `attributes`, data that
/// travels as the module attribute `adze.target`
/// (passes/Schedule/MachineModel.h names the keys).
struct TargetInfo {
  std::string name;                  ///< "host"
  std::string triple, cpu;           ///< LLVM's names
  std::vector<std::string> features; ///< LLVM's names, without '+', sorted
  mlir::DictionaryAttr attributes;
};

/// Where an op runs: on the target that was asked, or elsewhere.
struct Placement {
  std::string elsewhere;  ///< why not here, for the coverage table; empty: here
};

class Target {
 public:
  virtual ~Target() = default;
  virtual std::string name() const = 0;
  virtual std::string summary() const = 0;
  /// The description for `options`; reports an unknown device and fails.
  virtual mlir::FailureOr<TargetInfo> describe(mlir::MLIRContext &ctx,
                                                      const TargetOptions &options,
                                                      DiagnosticEngine &diags) const = 0;
  /// Asked of each onnx.node that converts, before it does; and by `adze ops`
  /// of a bare node: its operator, version and one input of an element type.
  virtual Placement placement(mlir::Operation *op) const = 0;
  /// Buffers are in a memory that host code cannot read.
  virtual bool hasOwnMemory() const { return false; }
  /// By how much a product of two f32 may be off, relative to it, where that is more
  /// than f32's own rounding; else 0.
  virtual double productError(mlir::MLIRContext &, const TargetOptions &) const { return 0; }
  /// In one line what timings depend on besides a kernel: what stored schedules are kept for.
  virtual std::string machine(const TargetInfo &info, const TargetOptions &) const;
  /// Of a unit with schedule::kTileAttr: texts that may stand in its place, at most `most`,
  /// best first.
  virtual std::vector<std::string> tileCandidates(schedule::Unit &, const TargetOptions &,
                                                  unsigned most) const {
    return {};
  }
  /// Whether a text may.
  virtual bool takesTile(schedule::Unit &, llvm::StringRef text, const TargetOptions &) const {
    return false;
  }
  /// Nanoseconds of a launch by a model of the device; 0: there is no model.
  virtual double launchTime(const tuning::LaunchCounts &, const TargetOptions &) const { return 0; }
  /// Decides how bufferized kernels (linalg on memrefs) run: what a search may
  /// change (lib/Compiler/Tuning.h) before buildSchedulePipeline follows it.
  virtual void buildDecidePipeline(mlir::OpPassManager &pm, const TargetOptions &) const {}
  /// Bufferized kernels, decided -> the target's own level.
  virtual void buildSchedulePipeline(mlir::OpPassManager &pm, const TargetOptions &) const = 0;
  /// The target's own level -> what emit() takes.
  virtual void buildEmitPipeline(mlir::OpPassManager &pm, const TargetOptions &) const = 0;
  /// Adds the target's sections. Bytes must live as long as `storage` does.
  virtual bool emit(mlir::ModuleOp module, const TargetInfo &description,
                    const TargetOptions &options, artifact::Contents &contents,
                    std::vector<std::shared_ptr<std::vector<std::byte>>> &storage,
                    DiagnosticEngine &diags) const = 0;
};

/// All targets, in a fixed order. Add one by adding its make…Target() to
/// targets/Registry.cpp.
const std::vector<std::unique_ptr<Target>> &allTargets();
/// Passes of the targets, for adze-opt.
void registerTargetPasses();
/// Null when there is no such target; `name` may carry a device after ':'.
const Target *findTarget(std::string_view name);

}  // namespace adze
