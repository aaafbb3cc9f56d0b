// The pass adze-to-linalg.
#include "passes/Lowering/Patterns.h"

#include "dialects/Graph/Graph.h"
#include "dialects/Rt/Rt.h"
#include "passes/Lowering/Emitter.h"
#include "passes/Lowering/Passes.h"
#include "passes/Schedule/MachineModel.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/IR/Verifier.h"

namespace adze {
#define GEN_PASS_DEF_ADZETOLINALG
#include "passes/Lowering/Passes.h.inc"
}  // namespace adze

using namespace mlir;

namespace adze::lowering {

void populateStorageTypeConversions(TypeConverter &types) {
  types.addConversion([](Type t) { return t; });
  types.addConversion([](RankedTensorType t) -> Type {
    Type element = t.getElementType();
    RankedTensorType stored = graph::storedType(t);
    return isa<IntegerType>(element) ? stored.clone(storageType(element)) : stored;
  });
  auto cast = [](OpBuilder &b, Type type, ValueRange inputs, Location loc) -> Value {
    if (inputs.size() != 1) return {};
    return UnrealizedConversionCastOp::create(b, loc, type, inputs).getResult(0);
  };
  types.addSourceMaterialization(cast);
  types.addTargetMaterialization(cast);
}

void populateAdzeToLinalgPatterns(const TypeConverter &types, LoweringState &state,
                                  RewritePatternSet &patterns) {
  for (PopulateFn *populate :
       {populateScalarPatterns, populateElementwisePatterns, populateShapePatterns,
        populateMovePatterns, populateGatherPatterns, populateScatterPatterns,
        populateReducePatterns, populateNormalizePatterns, populateContractionPatterns,
        populateConvTransposePatterns, populatePoolPatterns, populateResizePatterns,
        populateQuantizePatterns, populateSortPatterns, populateTopKPatterns,
        populateRecurrentPatterns, populateControlFlowPatterns})
    populate(types, state, patterns);
}

/// Any other op on tensors of a type that is stored differently: the same op on
/// the converted types.
struct ConvertTypes : ConversionPattern {
  ConvertTypes(const TypeConverter &types, MLIRContext *ctx)
      : ConversionPattern(types, MatchAnyOpTypeTag(), /*benefit=*/0, ctx) {}
  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &b) const override {
    if (isa<graph::AdzeDialect>(op->getDialect()) || op->getNumRegions() || op->getNumSuccessors())
      return b.notifyMatchFailure(op, "not a plain op");
    SmallVector<Type> results;
    if (failed(getTypeConverter()->convertTypes(op->getResultTypes(), results))) return failure();
    OperationState state(op->getLoc(), op->getName(), operands, results,
                         op->getDiscardableAttrDictionary().getValue());
    state.propertiesAttr = op->getPropertiesAsAttribute();
    b.replaceOp(op, b.create(state));
    return success();
  }
};

namespace {

struct AdzeToLinalg : impl::AdzeToLinalgBase<AdzeToLinalg> {
  using Base::Base;
  void runOnOperation() override;
};

void AdzeToLinalg::runOnOperation() {
  MLIRContext *ctx = &getContext();
  getOperation().walk([&](Operation *op) {
    if (isa<graph::AdzeDialect>(op->getDialect())) ++numOps;
  });
  LoweringState state(ctx);
  state.manyThreads = schedule::MachineModel::of(getOperation()).simtWidth != 0;
  TypeConverter types;
  populateStorageTypeConversions(types);
  RewritePatternSet patterns(ctx);
  populateAdzeToLinalgPatterns(types, state, patterns);
  populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns, types);
  patterns.add<ConvertTypes>(types, ctx);

  ConversionTarget target(*ctx);
  target.addIllegalDialect<graph::AdzeDialect>();
  target.addDynamicallyLegalOp<func::FuncOp>(
      [&](func::FuncOp f) { return types.isSignatureLegal(f.getFunctionType()); });
  scf::populateSCFStructuralTypeConversionsAndLegality(types, patterns, target);
  target.markUnknownOpDynamicallyLegal([&](Operation *op) { return types.isLegal(op); });
  ConversionConfig config;
  config.buildMaterializations = true;
  if (failed(applyFullConversion(getOperation(), target, std::move(patterns), config)))
    return signalPassFailure();
  getOperation().walk([](func::FuncOp f) {
    for (unsigned i = 0; i < f.getNumArguments(); ++i)
      for (StringRef name : {graph::DimExprs::kDimsAttr, graph::DimExprs::kCutFromAttr,
                             graph::DimExprs::kElementsAttr})
        f.removeArgAttr(i, name);
  });
}

}  // namespace
}  // namespace adze::lowering
