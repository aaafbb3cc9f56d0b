// The named phases as pass pipelines. adze-opt takes them as
// --adze-<phase>-pipeline; the compiler library runs them one after another.
#pragma once
#include "passes/Rt/Passes.h"

#include "mlir/Pass/PassManager.h"

#include <memory>

namespace adze {

// What the level -O adds. At every level kernels are scheduled the same.
inline constexpr int kFuseLevel = 1;    ///< kernels of several ops, one memory plan
inline constexpr int kLayoutLevel = 2;  ///< data layouts, weights in panels
inline constexpr int kRewriteLevel = 3; ///< patterns recognised, scales folded into weights

struct PipelineOptions {
  int optLevel = kRewriteLevel;  ///< 0: the ops as they are
  bool ownMemory = false;  ///< kernels run in a memory that host code cannot read
  bool remarks = false;  ///< layouts and fusions say why they are what they are
};

/// graph -> graph: constants folded, patterns recognised.
void buildGraphPipeline(mlir::OpPassManager &pm, const PipelineOptions &options);
/// graph -> graph: data layouts assigned, transposes moved.
void buildLayoutPipeline(mlir::OpPassManager &pm, const PipelineOptions &options);
/// graph -> graph with every compute op in one adze.fusion.
void buildFusePipeline(mlir::OpPassManager &pm, const PipelineOptions &options);
/// fused graph -> kernels as linalg on buffers, an entry that launches them,
/// one memory plan. Weights go to `pool`.
void buildKernelPipeline(mlir::OpPassManager &pm, const PipelineOptions &options,
                         std::shared_ptr<WeightPool> pool);

/// Registers the pipelines for adze-opt.
void registerPipelines();

}  // namespace adze
