// Options -> phases -> artifact: the library behind `adze compile`.
#pragma once
#include "lib/Compiler/FusionRemarks.h"
#include "lib/Compiler/LayoutRemarks.h"
#include "lib/Compiler/Tuning.h"
#include "lib/Support/Diagnostics.h"
#include "lib/Tuning/LaunchCounts.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mlir {
class ModuleOp;
}

namespace adze {

/// The phases of a compile, in order; each stage's name is true of the IR it
/// leaves (docs/architecture.md gives the contracts).
enum class Phase { Import, Check, Graph, Precision, Quantize, Layout, Fuse, Kernel, Schedule, Emit };

std::string_view phaseName(Phase phase);
std::string_view phaseDescription(Phase phase);
std::optional<Phase> parsePhase(std::string_view name);
inline constexpr Phase kAllPhases[] = {Phase::Import,   Phase::Check,  Phase::Graph,
                                       Phase::Precision, Phase::Quantize, Phase::Layout,
                                       Phase::Fuse,     Phase::Kernel, Phase::Schedule,
                                       Phase::Emit};

/// One dimension given with --shape: an extent or an inclusive range.
struct ExtentRange {
  int64_t min = 0, max = 0;
};
struct ShapeOverride {
  std::string input;
  std::vector<ExtentRange> dims;
};

/// "x=1x3x640x640" or "x=1..8x3x64..960"; an empty list of dims is a scalar.
/// Nullopt when the text is no such thing.
std::optional<ShapeOverride> parseShape(std::string_view text);

/// With `keepKernelValues`, result R of kernel K is output "adze.kernel.K.R".
inline constexpr const char *kKernelValuePrefix = "adze.kernel.";

struct CompileOptions {
  std::string model;   ///< .onnx, .onnxtxt; or .mlir when `from` is set
  std::string output;  ///< .adze; with `to` before Emit: .mlir; "-" is stdout for .mlir
  std::string target = "host";
  std::string cpu = "native";  ///< LLVM's CPU name
  std::string products = "f32";  ///< how matrix units may round factors: f32, tf32, bf16, f16
  std::string ptxas = "none";    ///< TargetOptions::ptxas
  int64_t spillBudget = 64;      ///< TargetOptions::spillBudget
  std::vector<ShapeOverride> shapes;
  int optLevel = 3;  ///< 0 to 3, passes/Pipelines.h
  std::optional<Phase> from, to;
  std::string dumpPhases;  ///< folder for NN-phase.mlir; empty: none
  int64_t maxNodes = 1000000;
  /// What each kernel computes is an output as well (kKernelValuePrefix).
  bool keepKernelValues = false;
  bool remarks = false;       ///< fill CompileSummary::layout and ::fusion, at these phases
  bool verifyPhases = false;  ///< check each phase's contract (tests)
  TuningHooks tuning;
  /// Called when a phase begins; for progress lines. May be null.
  std::function<void(Phase)> onPhase;
  /// With `to` before Emit: takes the module in place of `output`. May be null.
  std::function<void(mlir::ModuleOp)> takeModule;
};

/// Counts along the longest way through a graph: what the bounds of comparisons
/// follow from (docs/accuracy.md).
struct Roundings {
  int64_t steps = 0;  ///< roundings to an element type, one after the other
  int64_t terms = 0;  ///< terms of the sums
  double product = 0; ///< Target::productError, the largest of the variants'
};

/// What the one-line success message says.
struct CompileSummary {
  int64_t nodes = 0;           ///< ONNX nodes after expansion
  int64_t kernels = 0;         ///< distinct launches in the entry function
  int64_t kernelFunctions = 0; ///< distinct kernel bodies
  int64_t fallbackLoops = 0;   ///< linalg ops left to plain loops
  int64_t tunedUnits = 0;      ///< units with a stored schedule (TuningHooks::stored)
  int64_t arenaBytes = -1;     ///< -1: planned at run time
  int64_t peakLiveBytes = -1;
  int64_t weightBytes = 0;
  Roundings roundings;         ///< of the graph phase
  std::vector<std::pair<Phase, double>> seconds;  ///< wall time a phase
  LayoutRemarks layout;        ///< empty unless asked for
  FusionRemarks fusion;        ///< empty unless asked for
};

/// Compiles. Returns Ok and writes the output, or reports errors and leaves no
/// file behind. Thread-safe: no globals.
ExitCode compile(const CompileOptions &options, DiagnosticEngine &diags, CompileSummary &summary);

/// Roundings of the model's graph at the shapes given. Writes nothing.
ExitCode countRoundings(CompileOptions options, DiagnosticEngine &diags, Roundings &roundings);

/// Compiles as far as kernels are formed, writes nothing, and fills
/// CompileSummary::layout and ::fusion.
ExitCode collectRemarks(CompileOptions options, DiagnosticEngine &diags, CompileSummary &summary);

struct OpSupportRow {
  std::string domain, name;
  int64_t minVersion = 1, maxVersion = 0;  ///< 0: newest
  std::string dtypes;                       ///< "float16, float32, ..."
};
/// Every ONNX op that converts and that `target` places on itself; nullopt when
/// there is no such target.
std::optional<std::vector<OpSupportRow>> supportedOps(std::string_view target);

/// A device that a target was asked for ("" where it has none to choose from), and what
/// schedules that a search found for it depend on besides the kernel, in one line.
struct Machine {
  std::string device, description;
};
/// Of each device of `target`, "cuda:sm_80,sm_90a". Empty after reporting.
std::vector<Machine> machinesOf(const std::string &target, const std::string &cpu,
                                DiagnosticEngine &diags);

/// Nanoseconds of a launch on `target`'s device, by a model; 0: there is none.
double launchTime(const std::string &target, const tuning::LaunchCounts &counts);

/// Names of the registered targets with one line each.
std::vector<std::pair<std::string, std::string>> targetNames();

}  // namespace adze
