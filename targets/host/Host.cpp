// The host target: the CPU this process runs on, or another named one.
#include "targets/Target.h"
#include "targets/native/Native.h"

using namespace mlir;

namespace adze {
namespace {

class HostTarget : public Target {
 public:
  std::string name() const override { return "host"; }
  std::string summary() const override {
    return "native code for a CPU; --cpu=native (default) or LLVM's name of one";
  }

  FailureOr<TargetInfo> describe(MLIRContext &ctx, const TargetOptions &options,
                                 DiagnosticEngine &diags) const override {
    if (!options.device.empty()) {
      diags.error(ExitCode::Usage, "ADZ0405", "the host has no device '" + printable(options.device) + "'",
                  "--cpu names another CPU");
      return failure();
    }
    FailureOr<native::Cpu> cpu = native::describeCpu(options.cpu, diags);
    if (failed(cpu)) return failure();
    return TargetInfo{"host", cpu->triple, cpu->name, cpu->features,
                      native::machineOf(*cpu).toAttr(&ctx)};
  }

  /// The one lowering was written for the host: what converts, runs here. Cases
  /// that it has no code for depend on what folds away, and are told later.
  Placement placement(Operation *) const override { return {}; }

  void buildDecidePipeline(OpPassManager &pm, const TargetOptions &) const override {
    native::buildDecidePipeline(pm);
  }
  void buildSchedulePipeline(OpPassManager &pm, const TargetOptions &) const override {
    native::buildSchedulePipeline(pm);
  }
  void buildEmitPipeline(OpPassManager &pm, const TargetOptions &) const override {
    native::buildEmitPipeline(pm);
  }

  bool emit(ModuleOp module, const TargetInfo &, const TargetOptions &options,
            artifact::Contents &contents,
            std::vector<std::shared_ptr<std::vector<std::byte>>> &storage,
            DiagnosticEngine &diags) const override {
    FailureOr<native::Cpu> cpu = native::describeCpu(options.cpu, diags);
    return succeeded(cpu) && native::emit(module, *cpu, "host", contents, storage, diags);
  }
};

}  // namespace

std::unique_ptr<Target> makeHostTarget() { return std::make_unique<HostTarget>(); }

}  // namespace adze
