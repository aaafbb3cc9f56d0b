#include "passes/Schedule/Access.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;

namespace adze::schedule {

Type Access::elementType() const {
  return isScalar ? source.getType() : cast<MemRefType>(source.getType()).getElementType();
}

bool Access::dependsOn(unsigned dim) const {
  return !strides[dim].isZero() || packedDim == static_cast<int>(dim);
}

bool Access::isBoundedBy(unsigned dim) const {
  return llvm::any_of(bounds, [&](const Bound &b) { return b.coefficients[dim] != 0; });
}

bool Access::isContiguousIn(unsigned dim) const {
  return strides[dim] == Stride::constant(1);
}

LogicalResult visitTerms(AffineExpr expr, function_ref<void(int, int64_t)> visit, int64_t factor) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return visit(dim.getPosition(), factor), success();
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return visit(-1, factor * constant.getValue()), success();
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return failure();
  if (expr.getKind() == AffineExprKind::Add)
    return success(succeeded(visitTerms(binary.getLHS(), visit, factor)) &&
                   succeeded(visitTerms(binary.getRHS(), visit, factor)));
  auto by = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (expr.getKind() != AffineExprKind::Mul || !by)
    return failure();
  return visitTerms(binary.getLHS(), visit, factor * by.getValue());
}

namespace {

/// Adds memref dimension `stride` times `expr` to the access.
LogicalResult addLinear(AffineExpr expr, const Stride &stride, ArrayRef<unsigned> dims,
                        Access &access) {
  return visitTerms(expr, [&](int dim, int64_t factor) {
    Stride &total = dim < 0 ? access.offset : access.strides[dims[dim]];
    total = total + stride * factor;
  });
}

/// d floordiv c and d mod c, the two halves of a packed dimension.
LogicalResult addPacked(AffineBinaryOpExpr expr, const Stride &stride, ArrayRef<unsigned> dims,
                        Access &access) {
  auto dim = dyn_cast<AffineDimExpr>(expr.getLHS());
  auto tile = dyn_cast<AffineConstantExpr>(expr.getRHS());
  if (!dim || !tile || tile.getValue() <= 0)
    return failure();
  int position = dims[dim.getPosition()];
  bool first = access.packedDim < 0;
  if (!first && (access.packedDim != position || access.packTile != tile.getValue()))
    return failure();
  access.packedDim = position;
  access.packTile = tile.getValue();
  Stride &part = expr.getKind() == AffineExprKind::Mod ? access.strides[position] : access.packStride;
  if (!part.isZero())
    return failure();
  part = stride;
  return success();
}

bool isPackedExpr(AffineExpr expr) {
  return expr.getKind() == AffineExprKind::FloorDiv || expr.getKind() == AffineExprKind::Mod;
}

}  // namespace

FailureOr<Access> buildAccess(Value source, AffineMap map, ArrayRef<unsigned> dims,
                              unsigned numDims, Symbols &symbols) {
  Access access;
  access.source = source;
  access.strides.resize(numDims);
  auto type = dyn_cast<MemRefType>(source.getType());
  if (!type) {
    access.isScalar = true;
    return access;
  }
  if (!type.isStrided())
    return failure();
  for (auto [r, expr] : llvm::enumerate(map.getResults())) {
    Stride stride = symbols.strideOf(source, r);
    auto dim = dyn_cast<AffineDimExpr>(expr);
    access.pureDims.push_back(dim ? static_cast<int>(dims[dim.getPosition()]) : -1);
    LogicalResult added =
        isPackedExpr(expr) ? addPacked(cast<AffineBinaryOpExpr>(expr), stride, dims, access)
                           : addLinear(expr, stride, dims, access);
    if (failed(added))
      return failure();
  }
  return access;
}

Value flatten(OpBuilder &builder, Location loc, Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  unsigned rank = type.getRank();
  if (type.getLayout().isIdentity() && rank == 1)
    return memref;
  if (type.getLayout().isIdentity() && rank > 1) {
    ReassociationIndices all;
    for (unsigned r = 0; r < rank; ++r)
      all.push_back(r);
    return memref::CollapseShapeOp::create(builder, loc, memref,
                                           ArrayRef<ReassociationIndices>{all});
  }
  // Strided: from the first element to one past the last.
  auto metadata = memref::ExtractStridedMetadataOp::create(builder, loc, memref);
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  Value extent = one;
  for (unsigned r = 0; r < rank; ++r) {
    Value last = arith::SubIOp::create(builder, loc, metadata.getSizes()[r], one);
    Value reach = arith::MulIOp::create(builder, loc, last, metadata.getStrides()[r]);
    extent = arith::AddIOp::create(builder, loc, extent, reach);
  }
  auto layout = StridedLayoutAttr::get(builder.getContext(), ShapedType::kDynamic, {1});
  auto flat = MemRefType::get({ShapedType::kDynamic}, type.getElementType(), layout,
                              type.getMemorySpace());
  return memref::ReinterpretCastOp::create(
      builder, loc, flat, metadata.getBaseBuffer(), OpFoldResult(metadata.getOffset()),
      ArrayRef<OpFoldResult>{extent}, ArrayRef<OpFoldResult>{builder.getIndexAttr(1)});
}

namespace {

void collectRoots(Value memref, SmallPtrSetImpl<void *> &roots) {
  if (auto view = memref.getDefiningOp<ViewLikeOpInterface>())
    return collectRoots(view.getViewSource(), roots);
  if (auto select = memref.getDefiningOp<arith::SelectOp>()) {
    collectRoots(select.getTrueValue(), roots);
    return collectRoots(select.getFalseValue(), roots);
  }
  if (auto branch = memref.getDefiningOp<scf::IfOp>()) {
    unsigned index = cast<OpResult>(memref).getResultNumber();
    for (Region *region : {&branch.getThenRegion(), &branch.getElseRegion()})
      collectRoots(region->front().getTerminator()->getOperand(index), roots);
    return;
  }
  roots.insert(memref.getAsOpaquePointer());
}

}  // namespace

bool mayAlias(Value a, Value b) {
  SmallPtrSet<void *, 4> first, second;
  collectRoots(a, first);
  collectRoots(b, second);
  return llvm::any_of(first, [&](void *root) { return second.contains(root); });
}

}  // namespace adze::schedule
