// Kernels in an order that needs less memory at once.
#include "dialects/Graph/DimExprs.h"
#include "dialects/Graph/Graph.h"
#include "lib/Support/Checked.h"
#include "passes/Rt/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <set>

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_ORDERKERNELS
#include "passes/Rt/Passes.h.inc"

namespace {

// What free extents of the inputs are taken for: large enough that divisions by
// strides lose nothing.
constexpr int64_t kNominalExtent = 256;
// Beyond it the order stays: each step looks at all that could be next.
constexpr size_t kMostOps = 8192;

/// Bytes of values, as far as extents are known.
class Sizes {
 public:
  explicit Sizes(MLIRContext *ctx) : exprs(ctx) {}

  /// Of a kernel's result; none where it depends on data.
  int64_t bytes(Value v) {
    auto type = dyn_cast<RankedTensorType>(v.getType());
    if (!type || !type.getElementType().isIntOrIndexOrFloat()) return 0;
    unsigned bits = type.getElementType().isIndex() ? 64 : type.getElementTypeBitWidth();
    int64_t total = std::max(1u, bits / 8);
    for (int64_t i = 0; i < type.getRank(); ++i) {
      auto product = checkedMul(total, extent(v, i));
      // So that sums of them stay in range as well.
      total = product && *product < INT64_MAX >> 16 ? *product : INT64_MAX >> 16;
    }
    return total;
  }

 private:
  int64_t extent(Value v, int64_t i) {
    AffineExpr expr = exprs.dim(v, i);
    unsigned symbols = 0;
    expr.walk([&](AffineExpr e) {
      if (auto s = dyn_cast<AffineSymbolExpr>(e)) symbols = std::max(symbols, s.getPosition() + 1);
    });
    SmallVector<AffineExpr> nominal(symbols, getAffineConstantExpr(kNominalExtent, expr.getContext()));
    auto known = dyn_cast<AffineConstantExpr>(
        simplifyAffineExpr(expr.replaceSymbols(nominal), /*numDims=*/0, /*numSymbols=*/0));
    return known ? std::max<int64_t>(known.getValue(), 0) : kNominalExtent;
  }

  graph::DimExprs exprs;
};

/// The ops of a block, the buffers that they make and read, and what must come
/// before what.
class Launches {
 public:
  explicit Launches(Block *block) : sizes(block->getParentOp()->getContext()) {
    for (Operation &op : block->without_terminator()) {
      number[&op] = ops.size();
      ops.push_back(&op);
    }
    reads.resize(ops.size());
    makes.resize(ops.size());
    after.resize(ops.size());
    before.resize(ops.size());
    for (auto [i, op] : llvm::enumerate(ops)) add(i, op);
    for (Value v : block->getTerminator()->getOperands())
      if (auto it = buffer.find(v); it != buffer.end()) ++readers[it->second];
  }

  size_t count() const { return ops.size(); }
  Operation *op(size_t i) const { return ops[i]; }

  /// Most bytes alive at once in this order.
  int64_t peak(ArrayRef<size_t> order) const {
    SmallVector<int64_t> left(readers);
    int64_t live = 0, most = 0;
    for (size_t i : order) {
      most = std::max(most, live + made(i));
      live += growth(i, left);
      for (size_t b : reads[i]) --left[b];
    }
    return most;
  }

  /// Of all that can be next the one after which least is alive; ties keep
  /// program order.
  SmallVector<size_t> leastGrowth() const {
    SmallVector<int64_t> left(readers);
    SmallVector<unsigned> waits(before);
    std::set<size_t> ready;
    for (size_t i = 0; i < count(); ++i)
      if (!waits[i]) ready.insert(i);
    SmallVector<size_t> order;
    while (!ready.empty()) {
      size_t next = *llvm::min_element(ready, [&](size_t a, size_t b) {
        return std::pair(growth(a, left), a) < std::pair(growth(b, left), b);
      });
      ready.erase(next);
      order.push_back(next);
      for (size_t b : reads[next]) --left[b];
      for (size_t a : after[next])
        if (!--waits[a]) ready.insert(a);
    }
    return order;
  }

 private:
  void add(size_t i, Operation *op) {
    llvm::SetVector<size_t> read, earlier;
    for (Value v : op->getOperands()) {
      if (auto it = buffer.find(v); it != buffer.end()) read.insert(it->second);
      if (Operation *def = v.getDefiningOp()) earlier.insert(number.lookup(def));
    }
    reads[i].assign(read.begin(), read.end());
    for (size_t b : read) ++readers[b];
    for (size_t e : earlier) after[e].push_back(i);
    before[i] = earlier.size();
    // What is no kernel makes no buffer: a reshape is another name for one.
    auto reshape = dyn_cast<graph::ReshapeOp>(op);
    if (reshape && !read.empty()) buffer[op->getResult(0)] = read.front();
    if (!isa<graph::FusionOp>(op)) return;
    for (Value v : op->getResults()) {
      buffer[v] = bytes.size();
      makes[i].push_back(bytes.size());
      bytes.push_back(sizes.bytes(v));
      readers.push_back(0);
    }
  }

  int64_t made(size_t i) const {
    int64_t sum = 0;
    for (size_t b : makes[i]) sum += bytes[b];
    return sum;
  }

  /// What is alive after op `i` more than before it; `left`: readers to come.
  int64_t growth(size_t i, ArrayRef<int64_t> left) const {
    int64_t sum = 0;
    for (size_t b : makes[i])
      if (left[b]) sum += bytes[b];
    for (size_t b : reads[i])
      if (left[b] == 1) sum -= bytes[b];
    return sum;
  }

  Sizes sizes;
  SmallVector<Operation *> ops;
  llvm::DenseMap<Operation *, size_t> number;
  llvm::DenseMap<Value, size_t> buffer;
  SmallVector<int64_t> bytes, readers;           ///< by buffer
  SmallVector<SmallVector<size_t>> reads, makes;  ///< buffers, by op
  SmallVector<SmallVector<size_t>> after;         ///< ops that wait for one
  SmallVector<unsigned> before;                   ///< how many an op waits for
};

struct OrderKernelsPass : impl::OrderKernelsBase<OrderKernelsPass> {
  void runOnOperation() override {
    for (auto f : getOperation().getOps<func::FuncOp>())
      if (f->hasAttr("adze.entry") && llvm::hasSingleElement(f.getBody())) order(f.front());
  }

  void order(Block &block) {
    // Regions other than kernels' may use what they do not name.
    bool plain = llvm::all_of(block.without_terminator(), [](Operation &op) {
      return isMemoryEffectFree(&op) && (isa<graph::FusionOp>(op) || op.getNumRegions() == 0);
    });
    if (!plain || block.getOperations().size() > kMostOps) return;
    Launches launches(&block);
    SmallVector<size_t> now = llvm::to_vector(llvm::seq<size_t>(0, launches.count()));
    SmallVector<size_t> next = launches.leastGrowth();
    if (launches.peak(next) >= launches.peak(now)) return;
    for (size_t i : next) launches.op(i)->moveBefore(block.getTerminator());
    ++numOrdered;
  }
};

}  // namespace
}  // namespace adze
