#include "passes/Schedule/Padding.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace adze::schedule {
namespace {

/// What a generic yields that writes every element of one output; null for
/// others. An input's argument comes out as the input.
Value writtenEverywhere(linalg::GenericOp op) {
  if (!op || op.getNumDpsInits() != 1 || op.getNumParallelLoops() != op.getNumLoops() ||
      !op.getIndexingMapsArray().back().isIdentity())
    return {};
  Value yielded = op.getBody()->getTerminator()->getOperand(0);
  if (auto arg = dyn_cast<BlockArgument>(yielded); arg && arg.getOwner() == op.getBody())
    return op->getOperand(arg.getArgNumber());
  return yielded;
}

bool isCopy(linalg::GenericOp op) {
  Value written = writtenEverywhere(op);
  return written && op.getNumDpsInputs() == 1 && written == op.getDpsInputs()[0] &&
         isa<MemRefType>(written.getType()) && op.getIndexingMapsArray().front().isIdentity();
}

/// `op` or an op inside it may write memory of `memref`.
bool mayWrite(Operation &op, Value memref) {
  return op.walk([&](MemoryEffectOpInterface inner) {
             SmallVector<MemoryEffects::EffectInstance> effects;
             inner.getEffects(effects);
             for (auto &effect : effects)
               if (isa<MemoryEffects::Write>(effect.getEffect()) && effect.getValue() &&
                   isa<MemRefType>(effect.getValue().getType()) && mayAlias(effect.getValue(), memref))
                 return WalkResult::interrupt();
             return WalkResult::advance();
           })
      .wasInterrupted();
}

/// Fills in the two writers of the buffer; the other users only read it.
bool findWriters(Padding &p) {
  for (Operation *user : p.buffer->getUsers()) {
    if (isa<memref::DeallocOp>(user))
      continue;
    if (user->getBlock() != p.buffer->getBlock())
      return false;
    if (auto view = dyn_cast<memref::SubViewOp>(user)) {
      if (p.inside)
        return false;
      p.inside = view;
      continue;
    }
    auto op = dyn_cast<linalg::GenericOp>(user);
    if (!op)
      return false;
    if (llvm::is_contained(op.getDpsInits(), p.buffer.getResult())) {
      if (p.fill)
        return false;
      p.fill = op;
    }
  }
  if (!p.fill || !p.inside || !p.inside->hasOneUse())
    return false;
  p.copy = dyn_cast<linalg::GenericOp>(*p.inside->getUsers().begin());
  p.value = filledWith(p.fill);
  return p.value && isCopy(p.copy) && p.copy.getDpsInits()[0] == p.inside.getResult();
}

/// Where the source lies in the buffer.
bool measure(Padding &p) {
  p.source = p.copy.getDpsInputs()[0];
  auto type = dyn_cast<MemRefType>(p.source.getType());
  if (!type || !type.isStrided() || p.inside.getType().getRank() != type.getRank())
    return false;
  SmallVector<OpFoldResult> sizes = p.inside.getMixedSizes(), whole = p.buffer.getMixedSizes();
  for (int64_t d = 0; d < type.getRank(); ++d) {
    std::optional<int64_t> low = getConstantIntValue(p.inside.getMixedOffsets()[d]);
    if (!low || getConstantIntValue(p.inside.getMixedStrides()[d]) != 1)
      return false;
    p.low.push_back(*low);
    p.padded.push_back(*low != 0 || !isEqualConstantIntOrValue(sizes[d], whole[d]));
  }
  return true;
}

bool isWorthwhile(const Padding &p, const MachineModel &machine) {
  constexpr int64_t kMostRowBits = 8 * (16 << 10);  // it lies on the stack
  auto type = cast<MemRefType>(p.source.getType());
  Type element = type.getElementType();
  int64_t rank = type.getRank();
  if (!element.isIntOrFloat() || rank == 0 || p.padded.back() || type.isDynamicDim(rank - 1))
    return false;
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) || strides.back() != 1)
    return false;
  int64_t bits = type.getShape().back() * element.getIntOrFloatBitWidth();
  return bits >= machine.vectorBits && bits <= kMostRowBits;
}

}  // namespace

TypedAttr filledWith(linalg::GenericOp op) {
  TypedAttr value;
  Value written = writtenEverywhere(op);
  if (written && matchPattern(written, m_Constant(&value)))
    return value;
  return {};
}

FailureOr<Access> Padding::access(AffineMap map, ArrayRef<unsigned> dims, unsigned numDims,
                                  Symbols &symbols) const {
  FailureOr<Access> access = buildAccess(source, map, dims, numDims, symbols);
  if (failed(access))
    return failure();
  access->padding = value;
  for (auto [d, expr] : llvm::enumerate(map.getResults())) {
    Bound bound{SmallVector<int64_t>(numDims, 0), -low[d], symbols.sizeOf(source, d)};
    auto add = [&](int dim, int64_t factor) {
      (dim < 0 ? bound.offset : bound.coefficients[dims[dim]]) += factor;
    };
    if (failed(visitTerms(expr, add)))
      return failure();
    if (!padded[d]) {
      access->row = std::move(bound);  // in the end that of the last dimension
      continue;
    }
    access->offset = access->offset + symbols.strideOf(source, d) * -low[d];
    access->pureDims[d] = -1;
    access->bounds.push_back(std::move(bound));
  }
  return access;
}

Paddings::Paddings(Block &block, const MachineModel &machine) {
  for (auto alloc : block.getOps<memref::AllocOp>()) {
    Padding p;
    p.buffer = alloc;
    if (!findWriters(p) || !measure(p) || !isWorthwhile(p, machine))
      continue;
    bool written = false;
    for (Operation *op = p.copy->getNextNode(); op && !written; op = op->getNextNode())
      written = mayWrite(*op, p.source);
    bool ordered = p.fill->isBeforeInBlock(p.copy);
    for (Operation *user : alloc->getUsers())
      ordered &= user == p.fill || user == p.inside || p.copy->isBeforeInBlock(user);
    if (written || !ordered)
      continue;
    owned.insert({p.fill, p.copy});
    list.push_back(std::move(p));
  }
}

const Padding *Paddings::of(Value memref) const {
  auto *found = llvm::find_if(list, [&](const Padding &p) {
    return const_cast<Padding &>(p).buffer.getResult() == memref;
  });
  return found == list.end() ? nullptr : found;
}

Value Paddings::sourceOf(Value memref) const {
  const Padding *padding = of(memref);
  return padding ? padding->source : memref;
}

void Paddings::eraseUnread() {
  for (Padding &p : list) {
    SmallVector<Operation *> users(p.buffer->getUsers());
    bool unread = llvm::all_of(users, [&](Operation *user) {
      return user == p.fill || user == p.inside || isa<memref::DeallocOp>(user);
    });
    if (!unread)
      continue;
    p.copy->erase();
    p.inside->erase();
    p.fill->erase();
    for (Operation *user : llvm::make_early_inc_range(p.buffer->getUsers()))
      user->erase();
    p.buffer->erase();
  }
}

}  // namespace adze::schedule
