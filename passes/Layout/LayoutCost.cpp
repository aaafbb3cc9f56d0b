#include "passes/Layout/LayoutCost.h"

#include "dialects/Graph/Graph.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {
namespace {

enum class Work {
  Dense, Pointwise, Depthwise, Transposed, Pool, ResizeLinear, ResizeNearest, Softmax
};

/// Cycles a vector of terms, and more a vector of results. Measured at 512 bits
/// (docs/layout.md); `strided` is of windows that move by more than one.
struct Rate {
  Work work;
  bool last;  ///< the innermost dimension, which lies across vectors, is no window's, and not resized
  double term, strided, result;
};
constexpr Rate kRates[] = {
    {Work::Dense, true, 0.55, 0.55, 0},      {Work::Dense, false, 1.3, 7, 80},
    {Work::Pointwise, true, 0.55, 0.55, 0},  {Work::Pointwise, false, 0.55, 7, 15},
    {Work::Depthwise, true, 0.9, 1.6, 0},    {Work::Depthwise, false, 1, 18, 85},
    {Work::Transposed, true, 0.55, 0.55, 0}, {Work::Transposed, false, 5, 5, 0},
    {Work::Pool, true, 2, 2.5, 0},           {Work::Pool, false, 2, 36, 60},
    {Work::ResizeLinear, true, 11, 11, 0},   {Work::ResizeLinear, false, 37, 37, 0},
    {Work::ResizeNearest, true, 5, 5, 0},    {Work::ResizeNearest, false, 6, 6, 0},
    {Work::Softmax, true, 18, 18, 0},        {Work::Softmax, false, 18, 18, 0},
};
/// A dot product along the channels, where too few results lie across a vector.
constexpr double kDotTerm = 1.5;
/// Where many threads step together, matrix units multiply channels-last data;
/// without them it takes this many times as long (tf32 to f32, data sheets).
constexpr double kMatrixUnits = 8;
/// Elements of a transpose come one by one.
constexpr double kRelayoutElement = 1.25;

constexpr const Rate &rateOf(Work work, bool last) {
  for (const Rate &rate : kRates)
    if (rate.work == work && rate.last == last) return rate;
  return kRates[0];
}

RankedTensorType typeOf(Value v) { return cast<RankedTensorType>(v.getType()); }

int64_t nominal(int64_t extent) {
  constexpr int64_t kNominalExtent = 64;
  return ShapedType::isDynamic(extent) ? kNominalExtent : extent;
}

double elementsOf(ArrayRef<int64_t> shape) {
  double count = 1;
  for (int64_t extent : shape) count *= double(nominal(extent));
  return count;
}

/// Sums of these over any graph fit 63 bits.
int64_t toCycles(double cycles) {
  constexpr double kMost = double(int64_t(1) << 38);
  return int64_t(std::ceil(std::min(cycles, kMost)));
}

/// A windowed op in NCHW.
struct Window {
  Work work;
  double terms;             ///< of one result
  int64_t inputChannels;    ///< that one result sums
  bool strided;
};

bool allOnes(ArrayRef<int64_t> values) {
  return llvm::all_of(values, [](int64_t v) { return v == 1; });
}

Window windowOf(Operation *op) {
  if (auto pool = dyn_cast<PoolOp>(op))
    return {Work::Pool, elementsOf(pool.getKernel()), 1, !allOnes(pool.getStrides())};
  if (auto conv = dyn_cast<ConvTransposeOp>(op)) {
    ArrayRef<int64_t> w = typeOf(conv.getW()).getShape();
    int64_t channels = nominal(w[0]) / conv.getGroups();
    double positions = elementsOf(conv.getX().getType().getShape().drop_front(2)) /
                       std::max(1.0, elementsOf(conv.getType().getShape().drop_front(2)));
    return {Work::Transposed, double(channels) * elementsOf(w.drop_front(2)) * positions, channels,
            false};
  }
  auto conv = cast<ConvOp>(op);
  ArrayRef<int64_t> w = typeOf(conv.getW()).getShape();
  bool strided = !allOnes(conv.getStrides());
  if (conv.getGroups() > 1 && w[1] == 1)
    return {Work::Depthwise, elementsOf(w.drop_front(2)), 1, strided};
  Work work = allOnes(w.drop_front(2)) ? Work::Pointwise : Work::Dense;
  return {work, elementsOf(w.drop_front()), nominal(w[1]), strided};
}

}  // namespace

Perm channelsLast(int64_t rank) {
  Perm perm{0};
  for (int64_t i = 2; i < rank; ++i) perm.push_back(i);
  perm.push_back(1);
  return perm;
}

double LayoutCost::vectors(double elements, int64_t extent) const {
  constexpr int64_t kElementBits = 32;  // what sums are kept in
  int64_t lanes = std::max<int64_t>(1, machine.vectorBits / kElementBits);
  int64_t row = std::max<int64_t>(1, extent);
  double filled = double(row) / double(llvm::alignTo(row, lanes));
  return elements / filled / double(lanes);
}

double LayoutCost::ofWindow(Operation *op, bool last) const {
  RankedTensorType y = typeOf(op->getResult(0)), x = typeOf(op->getOperand(0));
  int64_t groups = 1;
  if (auto conv = dyn_cast<ConvOp>(op)) groups = conv.getGroups();
  if (auto conv = dyn_cast<ConvTransposeOp>(op)) groups = conv.getGroups();
  Window window = windowOf(op);
  bool perChannel = window.work == Work::Depthwise || window.work == Work::Pool;
  double results = elementsOf(y.getShape());
  // With one channel both orders are the same bytes.
  if (x.getDimSize(1) == 1 && y.getDimSize(1) == 1) last = false;
  int64_t across = last ? nominal(y.getDimSize(1)) / (perChannel ? 1 : groups)
                        : nominal(y.getShape().back());
  const Rate &rate = rateOf(window.work, last);
  double term = window.strided ? rate.strided : rate.term;
  bool dense = window.work == Work::Dense || window.work == Work::Pointwise;
  if (dense && !last && machine.simtWidth > 0) term *= kMatrixUnits;
  double cycles = term * window.terms * vectors(results, across);
  if (last && !perChannel)
    cycles = std::min(cycles, kDotTerm * window.terms * vectors(results, window.inputChannels));
  return cycles + rate.result * vectors(results, across);
}

double LayoutCost::ofRows(Operation *op, ArrayRef<int64_t> perm) const {
  RankedTensorType x = typeOf(op->getOperand(0)), y = typeOf(op->getResult(0));
  if (x.getRank() == 0) return 0;
  int64_t innermost = llvm::find(perm, x.getRank() - 1) - perm.begin();
  Work work = Work::Softmax;
  if (auto resize = dyn_cast<ResizeOp>(op))
    work = resize.getMode() == "nearest" ? Work::ResizeNearest : Work::ResizeLinear;
  bool same = !x.isDynamicDim(innermost) && x.getDimSize(innermost) == y.getDimSize(innermost);
  double term = rateOf(work, same).term;
  return term * vectors(elementsOf(y.getShape()), nominal(y.getDimSize(innermost)));
}

int64_t LayoutCost::ofOp(Operation *op, ArrayRef<int64_t> perm) const {
  return TypeSwitch<Operation *, int64_t>(op)
      .Case<ConvOp, ConvTransposeOp, PoolOp>(
          [&](Operation *o) { return toCycles(ofWindow(o, !isIdentity(perm))); })
      .Case<ResizeOp, SoftmaxOp>([&](Operation *o) { return toCycles(ofRows(o, perm)); })
      .Default([](Operation *) { return 0; });
}

int64_t LayoutCost::ofRelayout(RankedTensorType type) const {
  double bytes = double(llvm::divideCeil(type.getElementTypeBitWidth(), 8));
  double moved = 2 * bytes / double(std::max<int64_t>(1, machine.bytesPerCycle));
  return toCycles(std::max(kRelayoutElement, moved) * elementsOf(type.getShape()));
}

}  // namespace adze
