// What each kernel does, counted from its linalg ops: operations, bytes.
#include "dialects/Rt/Rt.h"
#include "passes/Rt/ExtentPolynomial.h"
#include "passes/Rt/Passes.h"
#include "passes/Schedule/Schedule.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_COUNTWORK
#include "passes/Rt/Passes.h.inc"

namespace {

/// Numbers that follow from the extents of a function's arguments.
class Extents {
 public:
  explicit Extents(func::FuncOp kernel) {
    for (BlockArgument arg : kernel.getArguments()) {
      first.push_back(count);
      if (auto type = dyn_cast<MemRefType>(arg.getType())) count += type.getNumDynamicDims();
    }
  }

  /// Extent `i` of a memref.
  Amount of(Value memref, int64_t i) {
    auto type = cast<MemRefType>(memref.getType());
    if (!type.isDynamicDim(i)) return type.getDimSize(i);
    if (auto arg = dyn_cast<BlockArgument>(memref)) {
      if (!isa<func::FuncOp>(arg.getOwner()->getParentOp())) return {};
      unsigned number = first[arg.getArgNumber()] + type.getDynamicDimIndex(i);
      return Amount(ExtentPolynomial::factor("e" + std::to_string(number)));
    }
    return ofResult(cast<OpResult>(memref), i);
  }

  Amount elements(Value memref) {
    Amount product(1);
    for (int64_t i = 0; i < cast<MemRefType>(memref.getType()).getRank(); ++i)
      product = product * of(memref, i);
    return product;
  }

  Amount number(OpFoldResult v) {
    if (auto attr = dyn_cast<Attribute>(v)) return cast<IntegerAttr>(attr).getInt();
    return number(cast<Value>(v));
  }

  /// An index.
  Amount number(Value v) {
    auto [at, fresh] = known.try_emplace(v);
    if (!fresh) return at->second;
    Amount amount = compute(v);
    known[v] = amount;
    return amount;
  }

 private:
  Amount ofResult(OpResult result, int64_t i) {
    Operation *op = result.getOwner();
    auto type = cast<MemRefType>(result.getType());
    if (auto alloc = dyn_cast<memref::AllocOp>(op))
      return number(alloc.getDynamicSizes()[type.getDynamicDimIndex(i)]);
    if (auto alloca = dyn_cast<memref::AllocaOp>(op))
      return number(alloca.getDynamicSizes()[type.getDynamicDimIndex(i)]);
    if (auto cast = dyn_cast<memref::CastOp>(op)) return of(cast.getSource(), i);
    if (auto expand = dyn_cast<memref::ExpandShapeOp>(op))
      return number(expand.getMixedOutputShape()[i]);
    if (auto view = dyn_cast<memref::ReinterpretCastOp>(op)) return number(view.getMixedSizes()[i]);
    if (auto transpose = dyn_cast<memref::TransposeOp>(op))
      return of(transpose.getIn(), transpose.getPermutation().getDimPosition(i));
    if (auto branch = dyn_cast<scf::IfOp>(op)) return ofBranch(branch, result.getResultNumber(), i);
    if (auto collapse = dyn_cast<memref::CollapseShapeOp>(op)) {
      Amount product(1);
      for (int64_t from : collapse.getReassociationIndices()[i])
        product = product * of(collapse.getSrc(), from);
      return product;
    }
    if (auto view = dyn_cast<memref::SubViewOp>(op)) {
      SmallVector<OpFoldResult> kept;
      llvm::SmallBitVector dropped = view.getDroppedDims();
      for (auto [d, size] : llvm::enumerate(view.getMixedSizes()))
        if (!dropped.test(d)) kept.push_back(size);
      return number(kept[i]);
    }
    return {};
  }

  /// A copy that is made only where an extent differs from another: either way the
  /// buffer has the other.
  Amount ofBranch(scf::IfOp branch, unsigned result, int64_t i) {
    Amount then = of(branch.thenYield().getOperand(result), i);
    Amount otherwise = of(branch.elseYield().getOperand(result), i);
    return then == otherwise || sayDiffer(branch.getCondition(), then, otherwise) ? then : Amount();
  }

  /// Whether a condition holds wherever two amounts differ.
  bool sayDiffer(Value condition, const Amount &x, const Amount &y) {
    if (auto either = condition.getDefiningOp<arith::OrIOp>())
      return sayDiffer(either.getLhs(), x, y) || sayDiffer(either.getRhs(), x, y);
    auto compare = condition.getDefiningOp<arith::CmpIOp>();
    if (!compare || compare.getPredicate() != arith::CmpIPredicate::ne) return false;
    Amount a = number(compare.getLhs()), b = number(compare.getRhs());
    return x.isKnown() && ((x == a && y == b) || (x == b && y == a));
  }

  /// b where a is one, else a: the extent of two that broadcast.
  Amount ofSelect(arith::SelectOp select) {
    auto compare = select.getCondition().getDefiningOp<arith::CmpIOp>();
    bool isOne = compare && compare.getPredicate() == arith::CmpIPredicate::eq &&
                 compare.getLhs() == select.getFalseValue() && matchPattern(compare.getRhs(), m_One());
    if (!isOne) return {};
    return number(select.getFalseValue()).broadcast(number(select.getTrueValue()));
  }

  Amount compute(Value v) {
    APInt constant;
    if (matchPattern(v, m_ConstantInt(&constant)))
      return constant.getSignificantBits() <= 64 ? Amount(constant.getSExtValue()) : Amount();
    Operation *op = v.getDefiningOp();
    if (!op) return {};
    if (auto dim = dyn_cast<memref::DimOp>(op)) {
      std::optional<int64_t> index = dim.getConstantIndex();
      bool ranked = isa<MemRefType>(dim.getSource().getType());
      return index && ranked ? of(dim.getSource(), *index) : Amount();
    }
    if (auto select = dyn_cast<arith::SelectOp>(op)) return ofSelect(select);
    if (isa<arith::IndexCastOp, arith::ExtSIOp>(op)) return number(op->getOperand(0));
    if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
      return number(apply.getAffineMap().getResult(0), apply.getAffineMap().getNumDims(),
                    apply.getMapOperands());
    if (op->getNumOperands() != 2) return {};
    Amount a = number(op->getOperand(0)), b = number(op->getOperand(1));
    if (isa<arith::AddIOp>(op)) return a + b;
    if (isa<arith::SubIOp>(op)) return a - b;
    if (isa<arith::MulIOp>(op)) return a * b;
    if (isa<arith::FloorDivSIOp>(op)) return a.over(b);
    if (isa<arith::CeilDivSIOp>(op)) return (a + b - Amount(1)).over(b);
    if (isa<arith::MaxSIOp>(op)) return a.atLeast(b);
    if (isa<arith::MinSIOp>(op)) return a.atMost(b);
    return {};
  }

  Amount number(AffineExpr e, unsigned numDims, ValueRange operands) {
    if (auto c = dyn_cast<AffineConstantExpr>(e)) return c.getValue();
    if (auto d = dyn_cast<AffineDimExpr>(e)) return number(operands[d.getPosition()]);
    if (auto s = dyn_cast<AffineSymbolExpr>(e)) return number(operands[numDims + s.getPosition()]);
    auto pair = cast<AffineBinaryOpExpr>(e);
    Amount a = number(pair.getLHS(), numDims, operands);
    Amount b = number(pair.getRHS(), numDims, operands);
    switch (e.getKind()) {
      case AffineExprKind::Add: return a + b;
      case AffineExprKind::Mul: return a * b;
      case AffineExprKind::FloorDiv: return a.over(b);
      case AffineExprKind::CeilDiv: return (a + b - Amount(1)).over(b);
      case AffineExprKind::Mod: return a - a.over(b) * b;
      default: return {};
    }
  }

  SmallVector<unsigned> first;  ///< extent number of each argument's first
  unsigned count = 0;
  llvm::DenseMap<Value, Amount> known;
};

/// Operations of one execution of a scalar op: one for each result of floating
/// point arithmetic, two for a multiply-add. What moves, converts, selects or
/// only changes a sign counts nothing. `integers`: whole numbers count too, as
/// in the sums of products of quantized data.
int64_t operationsOf(Operation *op, bool integers) {
  if (isa<math::FmaOp>(op)) return 2;
  if (op->getNumOperands() == 0 || op->getNumResults() != 1) return 0;
  bool arithmetic = isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::RemFOp,
                        arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp,
                        arith::CmpFOp>(op);
  bool function = isa<math::MathDialect>(op->getDialect()) && !isa<math::AbsFOp>(op) &&
                  isa<FloatType>(op->getResult(0).getType());
  bool whole = integers && isa<IntegerType>(op->getResult(0).getType()) &&
               isa<arith::AddIOp, arith::SubIOp, arith::MulIOp, arith::MaxSIOp, arith::MinSIOp,
                   arith::MaxUIOp, arith::MinUIOp>(op);
  return arithmetic || function || whole;
}

/// Counts one kernel.
class WorkCounter {
 public:
  explicit WorkCounter(func::FuncOp kernel) : kernel(kernel), extents(kernel) {}

  DictionaryAttr run() {
    Amount flops = count(kernel.getBody().front(), 1);
    Amount read(0), written(0);
    for (BlockArgument arg : kernel.getArguments()) {
      if (!isa<MemRefType>(arg.getType())) continue;
      read = read + bytes(arg, reads[arg]);
      written = written + bytes(arg, writes[arg]);
    }
    Builder b(kernel.getContext());
    return b.getDictionaryAttr({b.getNamedAttr("flops", b.getStringAttr(flops.postfix())),
                                b.getNamedAttr("read", b.getStringAttr(read.postfix())),
                                b.getNamedAttr("written", b.getStringAttr(written.postfix()))});
  }

 private:
  /// What is touched of an argument: elements, or all of it.
  struct Touched {
    Amount elements{0};
    bool all = false;
  };

  static int64_t elementBytes(Type e) {
    return e.isIndex() ? 8 : std::max<int64_t>(1, (e.getIntOrFloatBitWidth() + 7) / 8);
  }

  /// Each element counts once, however often it is touched.
  Amount bytes(BlockArgument arg, const Touched &touched) {
    Amount whole = extents.elements(arg);
    Amount elements = touched.all || !touched.elements.isKnown() ? whole : touched.elements;
    if (elements != whole && elements != Amount(0)) elements = elements.atMost(whole);
    return elements * Amount(elementBytes(cast<MemRefType>(arg.getType()).getElementType()));
  }

  /// The argument that a memref is, or is a view of; null for the kernel's own.
  BlockArgument rootOf(Value memref) {
    while (Operation *op = memref.getDefiningOp()) {
      if (auto branch = dyn_cast<scf::IfOp>(op)) {
        unsigned result = cast<OpResult>(memref).getResultNumber();
        BlockArgument root = rootOf(branch.thenYield().getOperand(result));
        return root ? root : rootOf(branch.elseYield().getOperand(result));
      }
      auto view = dyn_cast<ViewLikeOpInterface>(op);
      if (!view) return {};
      memref = view.getViewSource();
    }
    auto arg = cast<BlockArgument>(memref);
    return arg.getOwner() == &kernel.front() ? arg : BlockArgument();
  }

  /// `elements` of what `memref` shows are read `times`. What the kernel wrote
  /// before it need not fetch.
  void read(Value memref, const Amount &elements, const Amount &times) {
    if (BlockArgument arg = rootOf(memref); arg && !writes[arg].all)
      touch(reads[arg], arg, elements * times);
  }

  void write(Value memref, const Amount &elements, const Amount &times) {
    if (BlockArgument arg = rootOf(memref)) touch(writes[arg], arg, elements * times);
  }

  void touch(Touched &touched, BlockArgument arg, const Amount &elements) {
    touched.elements = touched.elements + elements;
    touched.all |= elements == extents.elements(arg);
  }

  Amount count(Block &block, const Amount &times) {
    Amount flops(0);
    for (Operation &op : block) flops = flops + countOp(&op, times);
    return flops;
  }

  Amount countOp(Operation *op, const Amount &times) {
    if (auto linalg = dyn_cast<linalg::LinalgOp>(op)) return countLinalg(linalg, times);
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      Amount step = extents.number(loop.getStep());
      Amount length = extents.number(loop.getUpperBound()) - extents.number(loop.getLowerBound());
      return count(*loop.getBody(), times * (length + step - Amount(1)).over(step));
    }
    if (auto branch = dyn_cast<scf::IfOp>(op)) {
      Amount then = count(branch.getThenRegion().front(), times);
      if (branch.getElseRegion().empty()) return then;
      return then.atLeast(count(branch.getElseRegion().front(), times));
    }
    if (auto copy = dyn_cast<memref::CopyOp>(op)) {
      read(copy.getSource(), extents.elements(copy.getSource()), times);
      write(copy.getTarget(), extents.elements(copy.getTarget()), times);
      return 0;
    }
    if (auto load = dyn_cast<memref::LoadOp>(op)) return read(load.getMemRef(), 1, times), 0;
    if (auto store = dyn_cast<memref::StoreOp>(op)) return write(store.getMemRef(), 1, times), 0;
    if (op->getNumRegions() == 0 && !isa<CallOpInterface>(op))
      return times * Amount(operationsOf(op, /*integers=*/false));
    return unknown(op);
  }

  /// Loops that the data ends, calls: all that they name is read and written, and
  /// how often they calculate is not known, if they do.
  Amount unknown(Operation *op) {
    bool calculates = false;
    op->walk([&](Operation *inner) {
      calculates |= operationsOf(inner, /*integers=*/false) > 0;
      for (Value operand : inner->getOperands())
        if (isa<MemRefType>(operand.getType())) {
          read(operand, {}, 1);
          write(operand, {}, 1);
        }
      if (auto call = dyn_cast<func::CallOp>(inner)) calculates |= calleeCalculates(call);
    });
    return calculates ? Amount() : Amount(0);
  }

  /// False of bufferization's helper that decides what to free.
  bool calleeCalculates(func::CallOp call) {
    auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(call, call.getCalleeAttr());
    bool known = callee && !callee.empty();
    return !known || callee
                         ->walk([](Operation *op) {
                           bool found = isa<CallOpInterface>(op) || operationsOf(op, false) > 0;
                           return found ? WalkResult::interrupt() : WalkResult::advance();
                         })
                         .wasInterrupted();
  }

  Amount countLinalg(linalg::LinalgOp op, const Amount &times) {
    Amount space = times * iterations(op);
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<MemRefType>(operand.get().getType())) continue;
      Amount elements = extents.elements(operand.get());
      bool output = op.isDpsInit(&operand);
      if (!op.getMatchingBlockArgument(&operand).use_empty()) read(operand.get(), elements, times);
      if (output) write(operand.get(), elements, times);
    }
    if (op->hasAttr(schedule::kWinogradAttr)) return countConvolution(op) * times;
    Amount flops(0);
    op.getBlock()->walk([&](Operation *inner) {
      if (auto load = dyn_cast<memref::LoadOp>(inner)) read(load.getMemRef(), 1, space);
      flops = flops + space * Amount(operationsOf(inner, op.getNumReductionLoops() > 0));
    });
    return flops;
  }

  /// A 3x3 convolution by Winograd's filtering counts as the sum that it stands
  /// for: what it saves shows as speed.
  Amount countConvolution(linalg::LinalgOp op) {
    Value x = op.getDpsInputs()[0];
    return extents.elements(op.getDpsInits()[0]) * extents.of(x, 3) * Amount(2 * 9);
  }

  /// The product of the loops' lengths, each from an operand that it indexes.
  Amount iterations(linalg::LinalgOp op) {
    Amount space(1);
    for (unsigned dim = 0; dim < op.getNumLoops(); ++dim) space = space * lengthOf(op, dim);
    return space;
  }

  Amount lengthOf(linalg::LinalgOp op, unsigned dim) {
    Amount length;
    for (OpOperand &operand : op->getOpOperands()) {
      AffineMap map = op.getMatchingIndexingMap(&operand);
      for (auto [i, e] : llvm::enumerate(map.getResults()))
        if (e == getAffineDimExpr(dim, op.getContext()))
          if (Amount next = extents.of(operand.get(), i); next.isKnown() && !length.asConstant())
            length = next;
    }
    return length;
  }

  func::FuncOp kernel;
  Extents extents;
  llvm::DenseMap<BlockArgument, Touched> reads, writes;
};

struct CountWorkPass : impl::CountWorkBase<CountWorkPass> {
  void runOnOperation() override {
    llvm::SmallPtrSet<Operation *, 16> kernels;
    SymbolTableCollection symbols;
    getOperation().walk([&](rt::LaunchOp launch) {
      kernels.insert(symbols.lookupNearestSymbolFrom(launch, launch.getCalleeAttr()));
    });
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (kernels.contains(function) && !function.empty())
        function->setAttr("adze.work", WorkCounter(function).run());
  }
};

}  // namespace
}  // namespace adze
