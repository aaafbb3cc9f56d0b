#include "lib/Compiler/Roundings.h"

#include "dialects/Graph/Graph.h"
#include "lib/Support/Checked.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace adze {

using namespace graph;

static ArrayRef<int64_t> shapeOf(Value v) { return cast<RankedTensorType>(v.getType()).getShape(); }

/// Product of extents; those not known count 1.
static int64_t product(ArrayRef<int64_t> extents) {
  int64_t n = 1;
  for (int64_t e : extents)
    if (!ShapedType::isDynamic(e)) n = checkedMul(n, e).value_or(INT64_MAX);
  return n;
}

static int64_t extent(Value v, int64_t axis) { return product(shapeOf(v)[axis]); }

static int64_t product(Value x, ArrayRef<int64_t> axes) {
  int64_t n = 1;
  for (int64_t a : axes) n = checkedMul(n, extent(x, a)).value_or(INT64_MAX);
  return n;
}

/// Functions whose result is one of their operands or a whole number.
static bool isExact(ElementwiseFn fn) {
  switch (fn) {
    case ElementwiseFn::Abs:
    case ElementwiseFn::Neg:
    case ElementwiseFn::Ceil:
    case ElementwiseFn::Floor:
    case ElementwiseFn::RoundEven:
    case ElementwiseFn::Sign:
    case ElementwiseFn::Min:
    case ElementwiseFn::Max:
    case ElementwiseFn::Select: return true;
    default: return false;
  }
}

static bool sums(ReduceKind kind) { return kind != ReduceKind::Max && kind != ReduceKind::Min; }

/// What one op adds to the way.
static Roundings of(Operation *op) {
  auto weights = [](Value w, int64_t outputAxis) {
    return product(shapeOf(w)) / std::max<int64_t>(extent(w, outputAxis), 1);
  };
  return TypeSwitch<Operation *, Roundings>(op)
      .Case([](ElementwiseOp e) { return Roundings{!isExact(e.getFn()), 0}; })
      .Case<CastOp, DequantizeOp, RangeOp>([](Operation *) { return Roundings{1, 0}; })
      .Case([](ResizeOp r) { return Roundings{r.getMode() != "nearest", 0}; })
      .Case<ScatterElementsOp, ScatterNDOp>([](auto s) {
        bool adds = s.getReduction() == ScatterReduction::Add || s.getReduction() == ScatterReduction::Mul;
        return Roundings{adds, 0};
      })
      .Case([](ReduceOp r) {
        return sums(r.getKind()) ? Roundings{1, product(r.getX(), r.getAxes())} : Roundings{};
      })
      .Case([](CumulativeOp c) { return Roundings{1, extent(c.getX(), c.getAxis())}; })
      // Difference, exponential, sum, quotient or logarithm.
      .Case([](SoftmaxOp s) { return Roundings{4, extent(s.getX(), s.getAxis())}; })
      // Mean, difference, square, mean, sum, root, quotient, scale, bias.
      .Case([](NormalizeOp n) { return Roundings{9, product(n.getX(), n.getAxes())}; })
      .Case([](MatmulOp m) {
        int64_t rank = int64_t(shapeOf(m.getA()).size());
        return Roundings{1, extent(m.getA(), rank - (m.getTransposeA() ? 2 : 1))};
      })
      .Case([&](ConvOp c) {
        bool nchw = c.getLayout() == DataLayout::NCHW;
        return Roundings{1, weights(c.getW(), nchw ? 0 : int64_t(shapeOf(c.getW()).size()) - 1)};
      })
      .Case([&](ConvTransposeOp c) {
        bool nchw = c.getLayout() == DataLayout::NCHW;
        return Roundings{1, weights(c.getW(), nchw ? 1 : int64_t(shapeOf(c.getW()).size()) - 1)};
      })
      .Case([](PoolOp p) {
        return p.getKind() == PoolKind::Max ? Roundings{} : Roundings{1, product(p.getKernel())};
      })
      // A gate's two products, their sum, its function, and the new state.
      .Case([](RecurrentOp r) { return Roundings{5, extent(r.getW(), 2) + extent(r.getR(), 2)}; })
      .Default([](Operation *) { return Roundings{}; });
}

static void lengthen(Roundings &way, const Roundings &other) {
  way.steps = std::max(way.steps, other.steps), way.terms = std::max(way.terms, other.terms);
}

namespace {
class LongestWay {
 public:
  /// Arguments of `block` come after `before`; what its terminator gives.
  Roundings run(Block &block, Roundings before) {
    for (Value argument : block.getArguments()) ways[argument] = before;
    for (Operation &op : block) {
      Roundings way;
      for (Value v : op.getOperands()) lengthen(way, ways.lookup(v));
      if (op.hasTrait<OpTrait::IsTerminator>()) return way;
      Roundings own = of(&op), after = way;
      after.steps += own.steps;
      after.terms = checkedAdd(after.terms, own.terms).value_or(INT64_MAX);
      for (Region &region : op.getRegions())
        for (Block &inner : region) lengthen(after, run(inner, way));
      for (Value v : op.getResults()) ways[v] = after;
    }
    return {};
  }

 private:
  llvm::DenseMap<Value, Roundings> ways;
};
}  // namespace

Roundings roundingsOf(ModuleOp module) {
  Roundings longest;
  for (auto f : module.getOps<func::FuncOp>())
    if (!f.empty()) lengthen(longest, LongestWay().run(f.front(), {}));
  return longest;
}

}  // namespace adze
