#include "passes/AllPasses.h"

#include "dialects/Graph/Graph.h"
#include "dialects/Onnx/Onnx.h"
#include "dialects/Rt/Rt.h"
#include "passes/Fusion/Passes.h"
#include "passes/Graph/Passes.h"
#include "passes/Layout/Passes.h"
#include "passes/Lowering/Passes.h"
#include "passes/Import/Passes.h"
#include "passes/Rt/Passes.h"
#include "passes/Schedule/Passes.h"
#include "passes/Verify/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"

namespace adze {

void registerAdzeDialects(mlir::DialectRegistry &registry) {
  registry.insert<onnxir::OnnxDialect, graph::AdzeDialect, rt::RtDialect>();
}

void registerAllDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registerAdzeDialects(registry);
}

void registerAllPasses() {
  registerAdzeFusionPasses();
  registerAdzeGraphPasses();
  registerAdzeLayoutPasses();
  registerAdzeLoweringPasses();
  registerAdzeImportPasses();
  registerAdzeRtPasses();
  registerAdzeSchedulePasses();
  registerAdzeVerifyPasses();
}

}  // namespace adze
