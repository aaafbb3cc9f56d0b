#include "passes/Schedule/WinogradSite.h"

#include "passes/Schedule/Unit.h"

using namespace mlir;

namespace adze::schedule {
namespace {

bool isZeroFill(linalg::GenericOp op, Value memref) {
  TypedAttr value = filledWith(op);
  return value && op.getDpsInits()[0] == memref && matchPattern(value, m_AnyZeroFloat());
}

bool touches(Operation &op, Value memref) {
  return op.walk([&](Operation *inner) {
             for (Value operand : inner->getOperands())
               if (isa<MemRefType>(operand.getType()) && mayAlias(operand, memref))
                 return WalkResult::interrupt();
             return WalkResult::advance();
           }).wasInterrupted();
}

/// The fill that the sums start from; null when they start from anything else.
linalg::GenericOp findFill(linalg::GenericOp conv) {
  Value memref = conv.getDpsInits()[0];
  for (Operation *op = conv->getPrevNode(); op; op = op->getPrevNode())
    if (touches(*op, memref) && !isa<memref::AllocOp>(op)) {
      auto generic = dyn_cast<linalg::GenericOp>(op);
      return isZeroFill(generic, memref) ? generic : linalg::GenericOp();
    }
  return {};
}

/// Reads and writes plain dimensions, and depends on nothing but what it reads.
bool isPlainElementwise(linalg::GenericOp op) {
  if (!op.hasPureBufferSemantics() || op.getNumParallelLoops() != 4 || op.getNumLoops() != 4)
    return false;
  for (Operation &inner : op.getBody()->without_terminator())
    if (isa<linalg::IndexOp>(inner) || !isMemoryEffectFree(&inner) || inner.getNumRegions())
      return false;
  for (OpOperand &operand : op->getOpOperands()) {
    AffineMap map = op.getMatchingIndexingMap(&operand);
    if (op.isDpsInit(&operand) ? !map.isIdentity()
                               : !llvm::all_of(map.getResults(), [](AffineExpr expr) {
                                   return isa<AffineDimExpr, AffineConstantExpr>(expr);
                                 }))
      return false;
  }
  return true;
}

/// `op` may run block by block after the ops of the site: what they write it
/// accesses at the same point, or not at all.
bool follows(linalg::GenericOp op, WinogradSite &site) {
  bool reads = false;
  SmallVector<linalg::GenericOp> before{site.conv};
  llvm::append_range(before, site.epilogue);
  for (OpOperand &operand : op->getOpOperands()) {
    bool identity = op.getMatchingIndexingMap(&operand).isIdentity();
    for (linalg::GenericOp other : before)
      for (OpOperand &theirs : other->getOpOperands()) {
        bool writes = op.isDpsInit(&operand) || other.isDpsInit(&theirs);
        if (!isa<MemRefType>(operand.get().getType()) || !isa<MemRefType>(theirs.get().getType()) ||
            !writes || !mayAlias(operand.get(), theirs.get()))
          continue;
        bool pointwise = operand.get() == theirs.get() && identity &&
                         other.getMatchingIndexingMap(&theirs).isProjectedPermutation() &&
                         (other == site.conv ? other.isDpsInit(&theirs)
                                             : other.getMatchingIndexingMap(&theirs).isIdentity());
        if (!pointwise)
          return false;
        reads |= other.isDpsInit(&theirs);
      }
  }
  // The input's source as well: it is read for a block while others are written.
  for (Value out : op.getDpsInits())
    if (site.padding && mayAlias(out, site.padding->source))
      return false;
  return reads;
}

}  // namespace

std::optional<WinogradSite> findWinogradSite(linalg::GenericOp conv, const Paddings &paddings) {
  WinogradSite site;
  site.conv = conv;
  site.fill = findFill(conv);
  if (!site.fill)
    return std::nullopt;
  site.padding = paddings.of(conv.getDpsInputs()[0]);
  for (Operation *op = conv->getNextNode(); op; op = op->getNextNode()) {
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (generic && isPlainElementwise(generic) && follows(generic, site))
      site.epilogue.push_back(generic);
    else if (generic || !isTransparent(*op))
      break;
  }
  return site;
}

}  // namespace adze::schedule
