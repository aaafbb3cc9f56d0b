#include "passes/Schedule/Unit.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace adze::schedule {
namespace {

/// The ops of a unit in the making and how their dimensions correspond.
struct Draft {
  const Paddings *paddings = nullptr;
  SmallVector<linalg::GenericOp> ops;
  SmallVector<SmallVector<unsigned>> dims;
  int core = -1;
  unsigned numDims = 0;
};

/// What each result of an operand's map is: a unit dimension (>= 0) or
/// -1 - constant; nullopt for anything else.
using Pointwise = std::optional<SmallVector<int64_t>>;

Pointwise pointwiseKey(AffineMap map, ArrayRef<unsigned> dims) {
  SmallVector<int64_t> key;
  for (AffineExpr expr : map.getResults()) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      key.push_back(dims[dim.getPosition()]);
    else if (auto constant = dyn_cast<AffineConstantExpr>(expr);
             constant && constant.getValue() >= 0)
      key.push_back(-1 - constant.getValue());
    else
      return std::nullopt;
  }
  return key;
}

bool isOutput(OpOperand &operand) {
  auto op = cast<linalg::GenericOp>(operand.getOwner());
  return op.isDpsInit(&operand);
}

bool isMemRef(OpOperand &operand) { return isa<MemRefType>(operand.get().getType()); }

/// Memrefs that the body reads by itself.
void forEachBodyLoad(linalg::GenericOp op, function_ref<void(Value)> visit) {
  for (Operation &inner : op.getBody()->without_terminator())
    if (auto load = dyn_cast<memref::LoadOp>(inner))
      visit(load.getMemRef());
}

/// Matches the dimensions of `op` to those of `existing` (numbered by
/// `existingDims`) through a buffer that `existing` writes and `op` accesses.
std::optional<SmallVector<unsigned>> matchDims(linalg::GenericOp existing,
                                               ArrayRef<unsigned> existingDims,
                                               linalg::GenericOp op, unsigned numParallel) {
  for (OpOperand &written : existing.getDpsInitsMutable()) {
    for (OpOperand &operand : op->getOpOperands()) {
      if (operand.get() != written.get())
        continue;
      AffineMap from = existing.getMatchingIndexingMap(&written);
      AffineMap to = op.getMatchingIndexingMap(&operand);
      SmallVector<unsigned> dims(op.getNumLoops(), ~0u);
      unsigned matched = 0;
      for (auto [a, b] : llvm::zip(from.getResults(), to.getResults())) {
        auto source = dyn_cast<AffineDimExpr>(a);
        auto target = dyn_cast<AffineDimExpr>(b);
        if (!source || !target || dims[target.getPosition()] != ~0u)
          continue;
        dims[target.getPosition()] = existingDims[source.getPosition()];
        ++matched;
      }
      if (matched == numParallel)
        return dims;
    }
  }
  return std::nullopt;
}

/// True when running the two ops point by point, interleaved, keeps the meaning.
bool independentOrPointwise(linalg::GenericOp a, ArrayRef<unsigned> aDims, linalg::GenericOp b,
                            ArrayRef<unsigned> bDims, unsigned numParallel,
                            const Paddings &paddings) {
  for (OpOperand &x : a->getOpOperands())
    for (OpOperand &y : b->getOpOperands()) {
      if (!isMemRef(x) || !isMemRef(y) || (!isOutput(x) && !isOutput(y)) ||
          !mayAlias(paddings.sourceOf(x.get()), paddings.sourceOf(y.get())))
        continue;
      if (paddings.of(x.get()) || paddings.of(y.get()))
        return false;
      Pointwise first = pointwiseKey(a.getMatchingIndexingMap(&x), aDims);
      Pointwise second = pointwiseKey(b.getMatchingIndexingMap(&y), bDims);
      if (x.get() != y.get() || !first || !second || *first != *second)
        return false;
      if (llvm::count_if(*first, [](int64_t dim) { return dim >= 0; }) != numParallel)
        return false;
    }
  bool clash = false;
  auto checkLoads = [&](linalg::GenericOp reader, linalg::GenericOp writer) {
    forEachBodyLoad(reader, [&](Value memref) {
      for (Value out : writer.getDpsInits())
        clash |= mayAlias(out, memref);
    });
  };
  checkLoads(a, b);
  checkLoads(b, a);
  return !clash;
}

Draft startDraft(linalg::GenericOp op, const Paddings &paddings) {
  Draft draft{&paddings};
  draft.ops.push_back(op);
  draft.numDims = op.getNumLoops();
  draft.dims.push_back(llvm::to_vector(llvm::seq<unsigned>(0, draft.numDims)));
  if (op.getNumReductionLoops() != 0)
    draft.core = 0;
  return draft;
}

unsigned numParallel(Draft &draft) {
  return draft.core < 0 ? draft.numDims : draft.ops[draft.core].getNumParallelLoops();
}

/// Renumbers the dimensions of a draft without core by those of `op`, its core.
bool adoptCore(Draft &draft, linalg::GenericOp op, ArrayRef<unsigned> opToDraft) {
  SmallVector<unsigned> draftToOp(draft.numDims, ~0u);
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  for (auto [dim, target] : llvm::enumerate(opToDraft))
    if (target != ~0u) {
      if (kinds[dim] != utils::IteratorType::parallel)
        return false;
      draftToOp[target] = dim;
    }
  if (llvm::is_contained(draftToOp, ~0u))
    return false;
  for (auto &dims : draft.dims)
    for (unsigned &dim : dims)
      dim = draftToOp[dim];
  draft.core = draft.ops.size();
  draft.numDims = op.getNumLoops();
  return true;
}

bool tryAppend(Draft &draft, linalg::GenericOp op) {
  bool reduces = op.getNumReductionLoops() != 0;
  unsigned parallel = numParallel(draft);
  if ((reduces && draft.core >= 0) || op.getNumParallelLoops() != parallel)
    return false;
  std::optional<SmallVector<unsigned>> dims;
  for (size_t i = draft.ops.size(); i-- > 0 && !dims;)
    dims = matchDims(draft.ops[i], draft.dims[i], op, parallel);
  if (!dims)
    return false;
  Draft next = draft;
  if (reduces) {
    if (!adoptCore(next, op, *dims))
      return false;
    dims = llvm::to_vector(llvm::seq<unsigned>(0, next.numDims));
  }
  for (auto [other, otherDims] : llvm::zip(next.ops, next.dims))
    if (!independentOrPointwise(other, otherDims, op, *dims, parallel, *draft.paddings))
      return false;
  next.ops.push_back(op);
  next.dims.push_back(*dims);
  draft = std::move(next);
  return true;
}

/// The size of each unit dimension, static where any operand says so; and the
/// same size for every memref dimension that the loop runs over.
LogicalResult inferSizes(const Draft &draft, Unit &unit) {
  SmallVector<SmallVector<std::pair<Value, unsigned>>> users(draft.numDims);
  for (auto [op, dims] : llvm::zip(draft.ops, draft.dims)) {
    auto generic = cast<linalg::GenericOp>(op);
    for (OpOperand &operand : generic->getOpOperands()) {
      if (!isMemRef(operand))
        continue;
      AffineMap map = generic.getMatchingIndexingMap(&operand);
      for (auto [r, expr] : llvm::enumerate(map.getResults()))
        if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
          const Padding *padding = draft.paddings->of(operand.get());
          if (padding && padding->padded[r])
            continue;  // the buffer's extent, which goes with it
          users[dims[dim.getPosition()]].push_back({draft.paddings->sourceOf(operand.get()), r});
        }
    }
  }
  for (auto &list : users) {
    if (list.empty())
      return failure();
    auto *fixed = llvm::find_if(list, [](auto &use) {
      return !cast<MemRefType>(use.first.getType()).isDynamicDim(use.second);
    });
    auto &use = fixed == list.end() ? list.front() : *fixed;
    Stride size = unit.symbols.sizeOf(use.first, use.second);
    for (auto &[memref, r] : list)
      unit.symbols.setSize(memref, r, size);
    unit.sizes.push_back(size);
  }
  return success();
}

StringRef whyUnsupported(linalg::GenericOp op) {
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (inner.getNumRegions() != 0)
      return "its body has control flow";
    if (!isMemoryEffectFree(&inner) && !isa<memref::LoadOp>(inner))
      return "its body has side effects";
  }
  return "";
}

FailureOr<std::unique_ptr<Unit>> finish(const Draft &draft) {
  auto unit = std::make_unique<Unit>();
  unit->core = draft.core;
  unit->isReduction.assign(draft.numDims, false);
  if (draft.core >= 0) {
    linalg::GenericOp core = draft.ops[draft.core];
    for (auto [dim, kind] : llvm::enumerate(core.getIteratorTypesArray()))
      unit->isReduction[dim] = kind == utils::IteratorType::reduction;
  }
  if (failed(inferSizes(draft, *unit)))
    return failure();
  for (auto [op, dims] : llvm::zip(draft.ops, draft.dims)) {
    Stage stage{op, SmallVector<unsigned>(dims), {}};
    for (OpOperand &operand : stage.op->getOpOperands()) {
      AffineMap map = stage.op.getMatchingIndexingMap(&operand);
      const Padding *padding = draft.paddings->of(operand.get());
      auto access = padding ? padding->access(map, dims, draft.numDims, unit->symbols)
                            : buildAccess(operand.get(), map, dims, draft.numDims, unit->symbols);
      if (failed(access))
        return failure();
      stage.operands.push_back(std::move(*access));
    }
    unit->stages.push_back(std::move(stage));
  }
  return unit;
}

}  // namespace

bool isTransparent(Operation &op) {
  if (isa<memref::AllocOp, memref::AllocaOp>(op) || isMemoryEffectFree(&op))
    return true;
  auto isMemRef = [](Type type) { return isa<BaseMemRefType>(type); };
  return op.getNumRegions() == 0 && !op.hasTrait<OpTrait::IsTerminator>() &&
         llvm::none_of(op.getOperandTypes(), isMemRef) &&
         llvm::none_of(op.getResultTypes(), isMemRef);
}

bool Unit::writes(Value memref) const {
  return llvm::any_of(stages, [&](const Stage &stage) {
    return llvm::any_of(stage.outputs(), [&](const Access &out) { return out.source == memref; });
  });
}

int interleavedDim(const Unit &unit, const Access &access, unsigned dim) {
  constexpr int64_t kMost = 4;
  if (access.packedDim >= 0 || !access.bounds.empty())
    return -1;
  for (unsigned inner = 0; inner < unit.numDims(); ++inner) {
    std::optional<int64_t> size = unit.sizes[inner].asConstant();
    if (inner != dim && !unit.isReduction[inner] && size && *size > 1 && *size <= kMost &&
        access.isContiguousIn(inner) && access.strides[dim] == Stride::constant(*size))
      return static_cast<int>(inner);
  }
  return -1;
}

SmallVector<std::unique_ptr<Unit>>
buildUnits(Block &block, const Paddings &paddings,
           function_ref<void(Operation *, StringRef)> unsupported) {
  SmallVector<std::unique_ptr<Unit>> units;
  std::optional<Draft> draft;
  bool direct = false;
  auto flush = [&] {
    if (!draft)
      return;
    if (auto unit = finish(*draft); succeeded(unit)) {
      (*unit)->followsDirectly = direct;
      units.push_back(std::move(*unit));
      direct = true;
    } else {
      for (linalg::GenericOp op : draft->ops)
        unsupported(op, "an operand's map or layout is not linear");
      direct = false;
    }
    draft.reset();
  };
  for (Operation &op : block) {
    if (paddings.owns(&op))
      continue;
    auto generic = dyn_cast<linalg::GenericOp>(op);
    bool schedulable = generic && generic.hasPureBufferSemantics();
    if (schedulable)
      if (StringRef why = whyUnsupported(generic); !why.empty()) {
        unsupported(generic, why);
        schedulable = false;
      }
    if (schedulable && draft && !generic->hasAttr(kApartAttr) && tryAppend(*draft, generic))
      continue;
    if (!schedulable && isTransparent(op))
      continue;
    flush();
    if (schedulable)
      draft = startDraft(generic, paddings);
    else
      direct = false;
  }
  flush();
  return units;
}

}  // namespace adze::schedule
