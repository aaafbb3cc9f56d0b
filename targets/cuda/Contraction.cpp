#include "targets/cuda/ContractionReader.h"

#include "passes/Schedule/BodyEmitter.h"
#include "passes/Schedule/Decide.h"

#include "llvm/Support/MathExtras.h"
#include "mlir/Transforms/RegionUtils.h"

#include <set>

using namespace mlir;
using namespace adze::schedule;

namespace adze::cuda {

Stride Contraction::size(ArrayRef<unsigned> dims) const {
  Stride product = Stride::constant(1);
  for (unsigned dim : dims) product = product * unit->sizes[dim];
  return product;
}

int64_t Contraction::estimate(ArrayRef<unsigned> dims) const {
  int64_t product = 1;
  for (unsigned dim : dims)
    product = llvm::SaturatingMultiply<uint64_t>(product, estimateSize(unit->sizes[dim]));
  return product;
}

int64_t divisorOf(const Stride &stride) {
  int64_t bits = 1024;
  for (const Term &term : stride.getTerms()) bits |= term.coefficient;
  return bits & -bits;
}

int64_t firstDivisor(const Access &access) {
  auto [strides, offset] = cast<MemRefType>(access.source.getType()).getStridesAndOffset();
  if (ShapedType::isDynamic(offset)) return 1;
  return std::min(divisorOf(access.offset), divisorOf(Stride::constant(offset)));
}

Extent KernelArguments::extent(const Stride &stride) const {
  if (auto known = stride.asConstant()) return Extent::of(*known);
  return Extent::of(numbers.at(stride), divisorOf(stride));
}

namespace {

/// The number before it was made wider.
Value beforeExtension(Value v) {
  auto wider = v.getDefiningOp<arith::ExtFOp>();
  return wider ? wider.getIn() : v;
}

/// out + a * b in f32, of factors that may be narrower, and nothing else.
bool isMultiplyAdd(const Stage &stage) {
  Block *body = stage.op.getBody();
  auto add = body->getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!add || !add.getType().isF32()) return false;
  Value out = body->getArgument(2);
  Value product = add.getLhs() == out ? add.getRhs() : add.getLhs();
  auto multiply = product.getDefiningOp<arith::MulFOp>();
  if (!multiply || (add.getLhs() != out && add.getRhs() != out)) return false;
  Value a = beforeExtension(multiply.getLhs()), b = beforeExtension(multiply.getRhs());
  return (a == body->getArgument(0) && b == body->getArgument(1)) ||
         (a == body->getArgument(1) && b == body->getArgument(0));
}

bool isOne(const Unit &unit, unsigned dim) { return unit.sizes[dim] == Stride::constant(1); }

bool isConstant(Value v) {
  return v.getDefiningOp() && v.getDefiningOp()->hasTrait<OpTrait::ConstantLike>();
}

/// Why the unit's addresses or bodies are not what a tile's epilogue computes.
std::string whyNotStages(const Unit &unit) {
  for (const Stage &stage : unit.stages) {
    for (const Access &access : stage.operands)
      if (!access.isScalar && access.packedDim >= 0) return "packed operands";
    for (Operation &op : stage.op.getBody()->without_terminator())
      if (isa<memref::LoadOp>(op)) return "a body that reads memory by itself";
    llvm::SetVector<Value> captured;
    getUsedValuesDefinedAbove(stage.op.getRegion(), captured);
    if (!llvm::all_of(captured, isConstant)) return "a body that uses what is computed outside";
    if (static_cast<int>(&stage - unit.stages.data()) != unit.core && !isVectorizableBody(stage.op))
      return "a body without vector form";
  }
  return "";
}

/// Sorts the dimensions by what they are to the operands.
bool sortDims(Contraction &c) {
  const Access &a = c.core().operands[c.a], &b = c.core().operands[c.b];
  const Access &out = c.core().outputs().front();
  for (unsigned dim = 0; dim < c.unit->numDims(); ++dim) {
    if (isOne(*c.unit, dim)) continue;
    bool inA = a.dependsOn(dim), inB = b.dependsOn(dim);
    if (c.unit->isReduction[dim] ? !(inA && inB) : !(out.dependsOn(dim) && (inA || inB)))
      return false;
    (c.unit->isReduction[dim] ? c.k : inA && inB ? c.batch : inA ? c.row : c.column).push_back(dim);
  }
  return true;
}

/// The dimension along which neighbours lie, or -1.
int runDim(const Contraction &c, const Access &access, ArrayRef<unsigned> dims) {
  for (unsigned dim : dims)
    if (strideOf(access, dim) == Stride::constant(1)) return dim;
  return -1;
}

/// Moves the terms that lie side by side in an operand last.
void orderTerms(Contraction &c) {
  for (unsigned operand : {c.b, c.a}) {
    int run = runDim(c, c.core().operands[operand], c.k);
    auto *at = llvm::find(c.k, static_cast<unsigned>(run));
    if (run >= 0) std::rotate(at, at + 1, c.k.end());
  }
}

}  // namespace

/// Elements that are sure to lie side by side from a multiple of them on.
int64_t runElements(const Contraction &c, const Access &access, int run) {
  if (run < 0) return 1;
  int64_t elements = std::min(divisorOf(c.unit->sizes[run]), firstDivisor(access));
  for (unsigned dim = 0; dim < c.unit->numDims(); ++dim)
    if (static_cast<int>(dim) != run && !isOne(*c.unit, dim))
      elements = std::min(elements, divisorOf(strideOf(access, dim)));
  for (const Bound &bound : access.bounds)
    if (bound.coefficients[run]) return 1;
  return std::min(16 / bytesOf(access.elementType()), elements);
}

std::optional<Contraction> matchContraction(Unit &unit, std::string &why) {
  auto no = [&](StringRef reason) {
    why = reason.str();
    return std::nullopt;
  };
  if (unit.core < 0) return no("no sum");
  Contraction c;
  c.unit = &unit;
  const Stage &core = c.core();
  if (core.numInputs() != 2 || core.outputs().size() != 1 || !isMultiplyAdd(core))
    return no("no sum of products");
  Type element = core.operands[0].elementType();
  for (const Access &access : core.operands)
    if (access.isScalar) return no("a factor that is one number");
  if (element != core.operands[1].elementType() ||
      !(element.isF32() || element.isF16() || element.isBF16()))
    return no("factors of types that tensor cores do not multiply");
  if (why = whyNotStages(unit); !why.empty()) return std::nullopt;
  if (!sortDims(c)) return no("dimensions that are none of a product's");
  if (runDim(c, core.outputs().front(), c.row) >= 0) {
    std::swap(c.a, c.b);
    std::swap(c.row, c.column);
  }
  if (c.column.size() != 1 || runDim(c, core.outputs().front(), c.column) < 0)
    return no("results that do not lie side by side");
  orderTerms(c);
  return c;
}

namespace {

Value boundIndex(Kit &kit, const Bound &bound, ArrayRef<unsigned> dims,
                 const DenseMap<unsigned, Value> &indices, Value start) {
  for (unsigned dim : dims)
    if (int64_t coefficient = bound.coefficients[dim])
      start = kit.add(start, kit.mul(indices.at(dim), coefficient));
  return start;
}

}  // namespace

Operand factorOf(const Contraction &c, unsigned operand, ArrayRef<unsigned> rows,
                 const KernelArguments &arguments) {
  const Access &access = c.core().operands[operand];
  SmallVector<unsigned> fixed(c.batch), rowDims(rows), terms(c.k);
  fixed.append(rowDims);
  int alongK = terms.empty() ? -1 : runDim(c, access, terms.back());
  int run = alongK >= 0 || rowDims.empty() ? alongK : runDim(c, access, rowDims.back());
  Value base = arguments.values.lookup(access.source);
  Operand o;
  o.element = access.elementType();
  o.alongK = run < 0 || alongK >= 0;
  int64_t bytes = bytesOf(access.elementType());
  o.alignment = bytes * runElements(c, access, run);
  o.prepare = [&c, &access, &arguments, rowDims, fixed, base, bytes](Kit &kit, Value batch,
                                                                     Value row) {
    Reader reader{kit, c, arguments};
    DenseMap<unsigned, Value> indices;
    reader.split(c.batch, batch, indices);
    reader.split(rowDims, row, indices);
    Value start = reader.address(access, fixed, indices, reader.offset(access));
    SmallVector<Value> out{elementPointer(kit, base, bytes, start)};
    for (const Bound &bound : access.bounds)
      out.push_back(boundIndex(kit, bound, fixed, indices, kit.i32(bound.offset)));
    return out;
  };
  o.place = [&c, &access, &arguments, terms, bytes](Kit &kit, ValueRange prepared,
                                                    Value k) -> Place {
    Reader reader{kit, c, arguments};
    DenseMap<unsigned, Value> indices;
    reader.split(terms, k, indices);
    Place place{
        elementPointer(kit, prepared[0], bytes, reader.address(access, terms, indices, kit.i64(0))),
        {}};
    for (auto [i, bound] : llvm::enumerate(access.bounds)) {
      // Unsigned: a negative index is beyond any extent.
      Value index = boundIndex(kit, bound, terms, indices, prepared[i + 1]);
      Value inside = kit.less(index, reader.value(bound.extent));
      place.valid = place.valid ? kit.bitAnd(place.valid, inside) : inside;
    }
    return place;
  };
  return o;
}

MatmulProblem problemOf(const Contraction &c, const KernelArguments &arguments) {
  MatmulProblem problem;
  problem.batch = arguments.extent(c.size(c.batch));
  problem.m = arguments.extent(c.size(c.row));
  problem.n = arguments.extent(c.size(c.column));
  problem.k = arguments.extent(c.size(c.k));
  problem.a = factorOf(c, c.a, c.row, arguments);
  problem.b = factorOf(c, c.b, c.column, arguments);
  return problem;
}

std::vector<Stride> unknownsOf(const Contraction &c, ArrayRef<Value> untouched) {
  std::set<Stride> found;
  auto add = [&](const Stride &stride) {
    if (!stride.asConstant()) found.insert(stride);
  };
  for (ArrayRef<unsigned> dims :
       {ArrayRef(c.batch), ArrayRef(c.row), ArrayRef(c.column), ArrayRef(c.k)})
    add(c.size(dims));
  for (const Stride &size : c.unit->sizes) add(size);
  for (const Stage &stage : c.unit->stages)
    for (const Access &access : stage.operands) {
      if (access.isScalar || llvm::is_contained(untouched, access.source)) continue;
      add(access.offset);
      for (unsigned dim = 0; dim < c.unit->numDims(); ++dim) add(strideOf(access, dim));
      for (const Bound &bound : access.bounds) add(bound.extent);
    }
  return {found.begin(), found.end()};
}

}  // namespace adze::cuda
