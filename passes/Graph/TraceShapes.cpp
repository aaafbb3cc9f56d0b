// adze-trace-shapes
#include "dialects/Graph/DimExprs.h"
#include "dialects/Graph/Graph.h"
#include "passes/Graph/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {
#define GEN_PASS_DEF_TRACESHAPES
#include "passes/Graph/Passes.h.inc"

namespace {

/// Where an extent is known from: an argument's dimension, or a number.
struct Source {
  Value argument;  ///< null: the number itself
  int64_t value;
};

struct TraceShapesPass : public impl::TraceShapesBase<TraceShapesPass> {
  void runOnOperation() override {
    std::vector<std::pair<ShapeOfOp, SmallVector<Source>>> found;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      DimExprs exprs(&getContext());
      llvm::DenseMap<AffineExpr, Source> known;
      for (BlockArgument arg : function.getArguments())
        if (auto type = dyn_cast<RankedTensorType>(arg.getType()))
          for (int64_t i = 0; i < type.getRank(); ++i)
            if (type.isDynamicDim(i)) known.try_emplace(exprs.dim(arg, i), Source{arg, i});
      // All are found before any change, which the expressions would not see.
      function.walk([&](ShapeOfOp op) {
        if (std::optional<SmallVector<Source>> sources = trace(op, exprs, known))
          found.push_back({op, *sources});
      });
    }
    for (auto &[op, sources] : found) replace(op, sources);
    numTraced += found.size();
  }

  static std::optional<SmallVector<Source>> trace(ShapeOfOp op, DimExprs &exprs,
                                                  const llvm::DenseMap<AffineExpr, Source> &known) {
    int64_t rank = cast<RankedTensorType>(op.getX().getType()).getRank();
    if (isa<BlockArgument>(op.getX()) || rank == 0) return std::nullopt;
    SmallVector<Source> sources;
    for (int64_t i = 0; i < rank; ++i) {
      std::optional<int64_t> constant = exprs.constantDim(op.getX(), i);
      auto it = known.find(exprs.dim(op.getX(), i));
      if (!constant && it == known.end()) return std::nullopt;
      sources.push_back(constant ? Source{Value(), *constant} : it->second);
    }
    return sources;
  }

  static Value ints(OpBuilder &b, Location loc, ArrayRef<int64_t> values) {
    auto type = RankedTensorType::get({int64_t(values.size())}, b.getI64Type());
    return ConstantOp::create(b, loc, type, DenseElementsAttr::get(type, values));
  }

  /// Neighbours from one place are taken together.
  static void replace(ShapeOfOp op, ArrayRef<Source> sources) {
    OpBuilder b(op);
    SmallVector<Value> parts;
    while (!sources.empty()) {
      Value argument = sources.front().argument;
      ArrayRef<Source> run = sources.take_while([&](const Source &s) { return s.argument == argument; });
      Value part = ints(b, op.getLoc(), llvm::map_to_vector(run, [](const Source &s) { return s.value; }));
      if (argument) {
        int64_t rank = cast<RankedTensorType>(argument.getType()).getRank();
        auto all = RankedTensorType::get({rank}, b.getI64Type());
        Value shape = ShapeOfOp::create(b, op.getLoc(), all, argument);
        part = GatherOp::create(b, op.getLoc(), part.getType(), shape, part, b.getI64IntegerAttr(0));
      }
      parts.push_back(part);
      sources = sources.drop_front(run.size());
    }
    Value shape = parts.front();
    if (parts.size() > 1) shape = ConcatOp::create(b, op.getLoc(), op.getType(), parts, 0);
    op.replaceAllUsesWith(shape);
    op.erase();
  }
};

}  // namespace
}  // namespace adze
