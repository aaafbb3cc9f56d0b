// What inference could not compare because it was not known then, compared when
// the model runs.
#include "passes/Lowering/Emitter.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace adze::lowering {

namespace {

/// Numbers operands by their place in the op; absent optionals are skipped.
class Checks {
 public:
  explicit Checks(Emitter &e) : e(e), m(e.m) {}

  void check(graph::ReshapeOp op);
  void check(graph::GatherElementsOp op) { indicesWithin(op.getAxis()); }
  void check(graph::GatherNDOp op);
  void check(graph::ScatterElementsOp op);
  void check(graph::ScatterNDOp op);
  void check(graph::ReverseSequenceOp op) { same(1, 0, 0, op.getBatchAxis()); }
  void check(graph::OneHotOp) { equal(2, 0, m.constant(2)); }
  void check(graph::TopKOp op);
  void check(graph::NmsOp op);
  void check(graph::ResizeOp op);
  void check(graph::PadOp op);
  void check(graph::MatmulOp op);
  void check(graph::ConvOp op);
  void check(graph::ConvTransposeOp op);
  void check(graph::RecurrentOp op);
  template <typename OpTy>
  void scales(OpTy op);

 private:
  std::string text(StringRef what) {
    return (e.getOp()->getName().stripDialect() + ": " + what).str();
  }
  /// Extent d of operand i is extent k of operand j.
  void same(unsigned i, int64_t d, unsigned j, int64_t k);
  void equal(unsigned i, int64_t d, Fold extent) {
    e.checkEqual(e.extent(i, d), extent, text(kDiffer));
  }
  void shapeIs(unsigned i, ArrayRef<Fold> extents) {
    for (auto [d, extent] : llvm::enumerate(extents)) equal(i, d, extent);
  }
  void divides(Fold extent, int64_t groups);
  void atMost(Fold l, Fold r, StringRef what);
  void indicesWithin(int64_t axis);
  void readsSomething();

  static constexpr StringLiteral kDiffer = "extents of its operands do not fit each other";
  Emitter &e;
  IndexMath &m;
};

void Checks::same(unsigned i, int64_t d, unsigned j, int64_t k) {
  if (e.exprs().same(e.original(i), d, e.original(j), k)) return;
  equal(i, d, e.extent(j, k));
}

void Checks::divides(Fold extent, int64_t groups) {
  Fold g = m.constant(groups);
  if (groups > 1) e.checkEqual(m.mul(m.floorDiv(extent, g), g), extent, text(kDiffer));
}

/// 0 <= l <= r.
void Checks::atMost(Fold l, Fold r, StringRef what) {
  std::optional<int64_t> a = getConstantIntValue(l), c = getConstantIntValue(r);
  if (a && c && *a >= 0 && *a <= *c) return;
  e.check(e.b.createOrFold<arith::CmpIOp>(e.loc, arith::CmpIPredicate::ule, m.value(l), m.value(r)),
          text(what));
}

/// Indices (operand 1) reach no further than x beside the axis.
void Checks::indicesWithin(int64_t axis) {
  for (int64_t d = 0, rank = rankOf(e.original(0)); d < rank; ++d)
    if (d != axis && !e.exprs().same(e.original(1), d, e.original(0), d))
      atMost(e.extent(1, d), e.extent(0, d), "indices have a larger extent than the input");
}

/// Code that always reads an element of x needs one, if it has a result.
void Checks::readsSomething() {
  FailureOr<Folds> into = e.resultExtents();
  if (failed(into)) return;
  for (auto [d, extent] : llvm::enumerate(*into)) {
    Fold from = e.extent(0, d);
    if (auto c = getConstantIntValue(from); c && *c > 0) continue;
    if (e.exprs().same(e.original(0), d, e.getOp()->getResult(0), d)) continue;
    atMost(m.min(extent, m.constant(1)), from, "it has no element to read");
  }
}

void Checks::check(graph::ReshapeOp op) {
  SmallVector<AffineExpr> from = e.exprsOf(op.getX()), into = e.exprsOf(op.getResult());
  for (int64_t i = 0, n = into.size(); i < n; ++i) {
    AffineExpr entry = e.exprs().element(op.getShape(), i);
    if (isa<AffineConstantExpr>(entry) || e.exprs().nonNegative(entry)) continue;
    Value v = m.value(e.elementIndex(1, i)), least = e.index(-1);
    e.check(arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::sge, v, least),
            text("an extent is below -1"));
  }
  if (e.exprs().product(from) == e.exprs().product(into)) return;
  FailureOr<Folds> extents = e.resultExtents();
  if (failed(extents)) return;
  Fold have = m.constant(1), want = m.constant(1);
  for (Fold f : e.extents(0)) have = m.mul(have, f);
  for (Fold f : *extents) want = m.mul(want, f);
  e.checkEqual(have, want, text("the element counts differ"));
}

void Checks::check(graph::GatherNDOp op) {
  for (int64_t d = 0, batch = op.getBatchDims(); d < batch; ++d) same(1, d, 0, d);
}

void Checks::check(graph::ScatterElementsOp op) {
  indicesWithin(op.getAxis());
  for (int64_t d = 0, rank = rankOf(op.getX()); d < rank; ++d) same(2, d, 1, d);
}

void Checks::check(graph::ScatterNDOp op) {
  int64_t q = rankOf(op.getIndices());
  std::optional<int64_t> depth = getConstantIntValue(e.extent(1, q - 1));
  if (!depth) return;
  for (int64_t d = 0, rank = rankOf(op.getUpdates()); d < rank; ++d)
    d < q - 1 ? same(2, d, 1, d) : same(2, d, 0, *depth + d - (q - 1));
}

void Checks::check(graph::TopKOp op) {
  atMost(e.elementIndex(1, 0), e.extent(0, op.getAxis()), "k is out of range");
}

void Checks::check(graph::NmsOp op) {
  same(0, 0, 1, 0);
  same(0, 1, 1, 2);
  equal(0, 2, m.constant(4));
}

void Checks::check(graph::ResizeOp) { readsSomething(); }

void Checks::check(graph::PadOp op) {
  if (op.getMode() != graph::PadMode::Constant) readsSomething();
}

void Checks::check(graph::MatmulOp op) {
  int64_t a = rankOf(op.getA()), b = rankOf(op.getB());
  same(0, a - (op.getTransposeA() ? 2 : 1), 1, b - (op.getTransposeB() ? 1 : 2));
}

void Checks::check(graph::ConvOp op) {
  int64_t rank = rankOf(op.getX());
  bool nhwc = op.getLayout() == graph::DataLayout::NHWC;
  int64_t outputs = nhwc ? rank - 1 : 0, inputs = nhwc ? rank - 2 : 1;
  equal(0, nhwc ? rank - 1 : 1, m.mul(e.extent(1, inputs), m.constant(op.getGroups())));
  divides(e.extent(1, outputs), op.getGroups());
  if (op.getBias()) same(2, 0, 1, outputs);
}

void Checks::check(graph::ConvTransposeOp op) {
  int64_t rank = rankOf(op.getX());
  bool nhwc = op.getLayout() == graph::DataLayout::NHWC;
  int64_t inputs = nhwc ? rank - 2 : 0, perGroup = nhwc ? rank - 1 : 1;
  same(0, nhwc ? rank - 1 : 1, 1, inputs);
  divides(e.extent(1, inputs), op.getGroups());
  if (op.getBias()) equal(2, 0, m.mul(e.extent(1, perGroup), m.constant(op.getGroups())));
}

void Checks::check(graph::RecurrentOp op) {
  using graph::RecurrentKind;
  RecurrentKind kind = op.getKind();
  int64_t gates = kind == RecurrentKind::LSTM ? 4 : kind == RecurrentKind::GRU ? 3 : 1;
  Fold directions = m.constant(op.getDirection() == "bidirectional" ? 2 : 1);
  Fold batch = e.extent(0, 1), hidden = e.extent(2, 2);
  Fold rows = m.mul(hidden, m.constant(gates)), both = m.mul(rows, m.constant(2));
  Folds shapes[] = {{},
                    {directions, rows, e.extent(0, 2)},
                    {directions, rows, hidden},
                    {directions, both},
                    {batch},
                    {directions, batch, hidden},
                    {directions, batch, hidden},
                    {directions, m.mul(hidden, m.constant(3))}};
  for (unsigned i = 0; i < std::size(shapes); ++i)
    if (auto [at, count] = op.getODSOperandIndexAndLength(i); count) shapeIs(at, shapes[i]);
}

/// Scale and zero point: alike, and one for all of x, for each position along
/// the axis, or for each block.
template <typename OpTy>
void Checks::scales(OpTy op) {
  int64_t rank = rankOf(op.getScale()), axis = op.getAxis(), block = op.getBlockSize();
  for (int64_t d = 0; d < rank; ++d) same(2, d, 1, d);
  if (block == 0) {
    if (rank == 1 && tensorType(op.getScale()).getDimSize(0) != 1) same(1, 0, 0, axis);
    return;
  }
  for (int64_t d = 0; d < rank; ++d)
    d == axis ? equal(1, d, m.ceilDiv(e.extent(0, d), m.constant(block))) : same(1, d, 0, d);
}

}  // namespace

void checkOperands(Emitter &e) {
  Checks checks(e);
  llvm::TypeSwitch<Operation *>(e.getOp())
      .Case<graph::ReshapeOp, graph::GatherElementsOp, graph::GatherNDOp, graph::ScatterElementsOp,
            graph::ScatterNDOp, graph::ReverseSequenceOp, graph::OneHotOp, graph::TopKOp, graph::NmsOp,
            graph::ResizeOp, graph::PadOp, graph::MatmulOp, graph::ConvOp, graph::ConvTransposeOp,
            graph::RecurrentOp>([&](auto op) { checks.check(op); })
      .Case<graph::QuantizeOp, graph::DequantizeOp>([&](auto op) { checks.scales(op); })
      .Default([](Operation *) {});
}

}  // namespace adze::lowering
