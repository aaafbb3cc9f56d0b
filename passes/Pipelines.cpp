#include "passes/Pipelines.h"

#include "passes/Fusion/Passes.h"
#include "passes/Graph/Passes.h"
#include "passes/Layout/Passes.h"
#include "passes/Lowering/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace adze {

static void cleanup(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void buildGraphPipeline(OpPassManager &pm, const PipelineOptions &options) {
  pm.addPass(createFoldConstants());
  cleanup(pm);
  if (options.optLevel < kFuseLevel) return;
  pm.addPass(createSimplifyGraph());
  if (options.optLevel < kRewriteLevel) return cleanup(pm);
  pm.addPass(createRecognizeNormalize());
  pm.addPass(createRecognizeSoftmax());
  pm.addPass(createRecognizeActivations());
  pm.addPass(createRecognizeRotary());
  pm.addPass(createMergePads());
  pm.addPass(createFoldConvAffine());
  pm.addPass(createFoldConstants());
  cleanup(pm);
}

void buildLayoutPipeline(OpPassManager &pm, const PipelineOptions &options) {
  if (options.optLevel < kLayoutLevel) return;
  AssignLayoutOptions layout;
  layout.remarks = options.remarks;
  pm.addPass(createAssignLayout(layout));
  pm.addPass(createFoldConstants());
  pm.addPass(createSimplifyGraph());
  pm.addPass(createTraceShapes());
  cleanup(pm);
  pm.addPass(createPackWeights());
  pm.addPass(createFoldConstants());
  pm.addPass(createCSEPass());
}

void buildFusePipeline(OpPassManager &pm, const PipelineOptions &options) {
  FormFusionsOptions fusion;
  if (options.optLevel < kFuseLevel) fusion.maxOps = 1;
  fusion.remarks = options.remarks;
  pm.addPass(createFormFusions(fusion));
}

static void addBufferization(OpPassManager &pm) {
  pm.addPass(createShareDestinations());
  bufferization::OneShotBufferizePassOptions options;
  options.bufferizeFunctionBoundaries = true;
  options.functionBoundaryTypeConversion = bufferization::LayoutMapOption::IdentityLayoutMap;
  options.unknownTypeConversion = bufferization::LayoutMapOption::IdentityLayoutMap;
  options.allowReturnAllocsFromLoops = true;
  pm.addPass(bufferization::createOneShotBufferizePass(options));
  cleanup(pm);
  pm.addPass(createDropDestinationResults());
  bufferization::BufferDeallocationPipelineOptions dealloc;
  bufferization::buildBufferDeallocationPipeline(pm, dealloc);
  cleanup(pm);
  pm.addPass(createConvertBufferizationToMemRefPass());
  // Deallocation stands at the block's end: the plan wants it after the last use,
  // which should be no question for an extent, and the extents of what it places
  // from the inputs'.
  pm.addNestedPass<func::FuncOp>(createResolveExtents());
  pm.addPass(createCSEPass());
  pm.addNestedPass<func::FuncOp>(bufferization::createOptimizeAllocationLivenessPass());
}

void buildKernelPipeline(OpPassManager &pm, const PipelineOptions &options,
                         std::shared_ptr<WeightPool> pool) {
  if (options.optLevel > 0) pm.addPass(createOrderKernels());
  pm.addPass(createExternalizeConstants(std::move(pool), options.ownMemory));
  pm.addPass(createOutlineKernels());
  // Of kernels that are the same as they stand only one goes on: a long model
  // repeats few of them.
  pm.addPass(func::createDuplicateFunctionEliminationPass());
  pm.addPass(createAdzeToLinalg());
  cleanup(pm);
  if (options.optLevel >= kFuseLevel) {
    pm.addNestedPass<func::FuncOp>(createSinkReshapes());
    pm.addNestedPass<func::FuncOp>(createFuseElementwise());
    cleanup(pm);
  }
  // Others become the same by their lowering: what only the graph told apart.
  pm.addPass(func::createDuplicateFunctionEliminationPass());
  addBufferization(pm);
  pm.addNestedPass<func::FuncOp>(createCopyToLinalg());
  if (options.optLevel >= kFuseLevel) {
    pm.addPass(createReuseOperands());
    pm.addPass(createPlanMemory());
  }
  pm.addPass(createFormLaunches());
  cleanup(pm);
  pm.addPass(createCountWork());
}

void registerPipelines() {
  PassPipelineRegistration<>("adze-graph-pipeline", "phase graph",
                             [](OpPassManager &pm) { buildGraphPipeline(pm, {}); });
  PassPipelineRegistration<>("adze-layout-pipeline", "phase layout",
                             [](OpPassManager &pm) { buildLayoutPipeline(pm, {}); });
  PassPipelineRegistration<>("adze-fuse-pipeline", "phase fuse",
                             [](OpPassManager &pm) { buildFusePipeline(pm, {}); });
  PassPipelineRegistration<>("adze-kernel-pipeline", "phase kernel", [](OpPassManager &pm) {
    buildKernelPipeline(pm, {}, std::make_shared<WeightPool>());
  });
}

}  // namespace adze
