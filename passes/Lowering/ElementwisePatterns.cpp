// elementwise, cast, bitcast, constant.
#include "passes/Lowering/Emitter.h"

#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;

namespace adze::lowering {

namespace {

/// adze.elementwise -> one linalg.generic. The sole user of an anchor's result
/// writes over it; splat constants become scalars of the body.
struct LowerElementwise : Lower<graph::ElementwiseOp> {
  using Lower::Lower;

  struct Plan {
    SmallVector<Value> ins;
    SmallVector<AffineMap> maps;
    SmallVector<int64_t> argument;  // block argument of an operand, -1: a constant
    SmallVector<TypedAttr> constants;
    int64_t inPlace = -1;
  };

  static bool canOverwrite(Emitter &e, unsigned i, Value result, AffineMap map, Value v) {
    Value original = e.original(i);
    return e.getState().overwritable.contains(original) && original.hasOneUse() &&
           v == e.operand(i) && map.isIdentity() &&
           elementOf(v) == storageType(elementOf(result)) &&
           tensorType(original).getShape() == tensorType(result).getShape();
  }

  static Plan plan(graph::ElementwiseOp op, Emitter &e, ArrayRef<Fold> extents) {
    Plan p;
    SmallVector<AffineExpr> target = e.exprsOf(op.getResult());
    Value inPlace;
    for (unsigned i = 0, n = op.getArgs().size(); i < n; ++i) {
      std::optional<TypedAttr> constant = e.splat(i);
      p.constants.push_back(constant.value_or(TypedAttr()));
      p.argument.push_back(-1);
      if (constant) continue;
      Value v = e.operand(i);
      AffineMap map = e.broadcastMap(i, v, extents, target);
      if (!inPlace && canOverwrite(e, i, op.getResult(), map, v)) {
        p.inPlace = i;
        inPlace = v;
        continue;
      }
      p.argument[i] = p.ins.size();
      p.ins.push_back(v);
      p.maps.push_back(map);
    }
    if (inPlace) p.argument[p.inPlace] = p.ins.size();
    return p;
  }

  LogicalResult lower(graph::ElementwiseOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extents are not known");
    Plan p = plan(op, e, *extents);
    Type element = elementOf(op.getResult());
    SmallVector<Type> elements;
    for (Value v : op.getArgs()) elements.push_back(elementOf(v));
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
      SmallVector<Value> loaded;
      for (auto [i, at] : llvm::enumerate(p.argument))
        loaded.push_back(at < 0 ? Value(arith::ConstantOp::create(b, loc, p.constants[i]))
                                : loadScalar(b, loc, args[at], elements[i]));
      Value r = emitFunction(b, loc, op.getFn(), loaded, elements);
      return storeScalar(b, loc, r, element);
    };
    if (p.inPlace < 0) return e.replace(e.map(p.ins, p.maps, *extents, storageType(element), body));
    p.maps.push_back(e.identity(extents->size()));
    e.getState().overwritable.insert(op.getResult());
    return e.replace(e.generic(p.ins, e.operand(p.inPlace), p.maps, parallel(extents->size()), body));
  }
};

/// adze.cast -> an elementwise linalg.generic.
struct LowerCast : Lower<graph::CastOp> {
  using Lower::Lower;
  LogicalResult lower(graph::CastOp op, Emitter &e) const override {
    Type from = e.adzeElement(0), to = op.getTo();
    Folds extents = e.extents(0);
    e.setResultExtents(0, extents);
    if (from == to) return e.replace(e.operand(0));
    for (Type t : {from, to})
      if (!isa<IntegerType, Float16Type, BFloat16Type, Float32Type, Float64Type>(t))
        return e.unsupported("casts of this element type have no scalar code");
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
      return emitCast(b, loc, args[0], from, to);
    };
    return e.replace(e.map(e.operand(0), e.identity(extents.size()), extents, storageType(to), body));
  }
};

/// adze.bitcast -> arith.bitcast element by element.
struct LowerBitcast : Lower<graph::BitcastOp> {
  using Lower::Lower;
  LogicalResult lower(graph::BitcastOp op, Emitter &e) const override {
    Folds extents = e.extents(0);
    e.setResultExtents(0, extents);
    Type to = storageType(op.getTo());
    if (elementOf(e.operand(0)) == to) return e.replace(e.operand(0));
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
      return arith::BitcastOp::create(b, loc, to, args[0]);
    };
    return e.replace(e.map(e.operand(0), e.identity(extents.size()), extents, to, body));
  }
};

/// The value in storage elements; null where that needs a copy that is not made.
static TypedAttr storageConstant(ElementsAttr value) {
  auto type = cast<RankedTensorType>(value.getShapedType());
  Type from = type.getElementType(), to = storageType(from);
  RankedTensorType stored = type.clone(to);
  if (from == to) return cast<TypedAttr>(value);
  auto integer = cast<IntegerType>(from);
  if (auto dense = dyn_cast<DenseElementsAttr>(value)) {
    bool zext = integer.isUnsigned() || integer.getWidth() == 1;
    if (integer.getWidth() == to.getIntOrFloatBitWidth()) return dense.bitcast(to);
    return dense.mapValues(to, [&](const APInt &v) {
      unsigned width = to.getIntOrFloatBitWidth();
      return zext ? v.zext(width) : v.sext(width);
    });
  }
  auto resource = dyn_cast<DenseResourceElementsAttr>(value);
  if (resource && (integer.getWidth() >= 8 || integer.getWidth() == 1))
    return DenseResourceElementsAttr::get(stored, resource.getRawHandle());
  return {};
}

/// adze.constant -> arith.constant of the storage type.
struct LowerConstant : Lower<graph::ConstantOp> {
  using Lower::Lower;
  LogicalResult lower(graph::ConstantOp op, Emitter &e) const override {
    TypedAttr value = storageConstant(op.getValue());
    if (!value) return e.unsupported("packed integers in a resource are not unpacked");
    return e.replace(arith::ConstantOp::create(e.b, e.loc, value));
  }
};

}  // namespace

void populateElementwisePatterns(const TypeConverter &types, LoweringState &state,
                                 RewritePatternSet &patterns) {
  addPatterns<LowerElementwise, LowerCast, LowerBitcast, LowerConstant>(types, state, patterns);
}

}  // namespace adze::lowering
