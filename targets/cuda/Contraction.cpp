#include "targets/cuda/Contraction.h"

#include "passes/Schedule/BodyEmitter.h"
#include "passes/Schedule/Decide.h"

#include "mlir/Transforms/RegionUtils.h"
#include "llvm/Support/MathExtras.h"

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

/// A power of two that divides it, at most 1024.
static int64_t divisorOf(const Stride &stride) {
  int64_t bits = 1024;
  for (const Term &term : stride.getTerms()) bits |= term.coefficient;
  return bits & -bits;
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

Stride strideOf(const Access &access, unsigned dim) {
  return access.dependsOn(dim) ? access.strides[dim] : Stride();
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
  if (element != core.operands[1].elementType() || !(element.isF32() || element.isF16() || element.isBF16()))
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

/// Reads the numbers of one contraction inside its kernel.
struct Reader {
  Kit &kit;
  const Contraction &c;
  const KernelArguments &arguments;

  Value value(const Stride &stride) const { return kit.value(arguments.extent(stride)); }

  /// The indices that a number stands for, last dimension fastest.
  void split(ArrayRef<unsigned> dims, Value number, DenseMap<unsigned, Value> &indices) const {
    for (unsigned i = dims.size(); i-- > 0;) {
      Value size = i ? value(c.unit->sizes[dims[i]]) : Value();
      indices[dims[i]] = i ? kit.rem(number, size) : number;
      if (i) number = kit.div(number, size);
    }
  }

  Value offset(const Access &access) const { return kit.wide(value(access.offset)); }

  /// start + sum of index * stride over `dims`, i64.
  Value address(const Access &access, ArrayRef<unsigned> dims,
                const DenseMap<unsigned, Value> &indices, Value start) const {
    for (unsigned dim : dims)
      if (Stride stride = strideOf(access, dim); !stride.isZero())
        start = kit.add(start, kit.mulWide(indices.at(dim), arguments.extent(stride)));
    return start;
  }
};

Value boundIndex(Kit &kit, const Bound &bound, ArrayRef<unsigned> dims,
                 const DenseMap<unsigned, Value> &indices, Value start) {
  for (unsigned dim : dims)
    if (int64_t coefficient = bound.coefficients[dim])
      start = kit.add(start, kit.mul(indices.at(dim), coefficient));
  return start;
}

/// Elements that are sure to lie side by side from a multiple of them on.
int64_t runElements(const Contraction &c, const Access &access, int run) {
  if (run < 0) return 1;
  int64_t elements = std::min(divisorOf(c.unit->sizes[run]), divisorOf(access.offset));
  for (unsigned dim = 0; dim < c.unit->numDims(); ++dim)
    if (static_cast<int>(dim) != run && !isOne(*c.unit, dim))
      elements = std::min(elements, divisorOf(strideOf(access, dim)));
  for (const Bound &bound : access.bounds)
    if (bound.coefficients[run]) return 1;
  return std::min(16 / bytesOf(access.elementType()), elements);
}

Value elementPointer(Kit &kit, Value base, int64_t bytes, Value index) {
  return kit.offset(base, kit.mul(index, kit.i64(bytes)));
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
  o.prepare = [&c, &access, &arguments, rowDims, fixed, base, bytes](Kit &kit, Value batch, Value row) {
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
  o.place = [&c, &access, &arguments, terms, bytes](Kit &kit, ValueRange prepared, Value k) -> Place {
    Reader reader{kit, c, arguments};
    DenseMap<unsigned, Value> indices;
    reader.split(terms, k, indices);
    Place place{elementPointer(kit, prepared[0], bytes, reader.address(access, terms, indices, kit.i64(0))), {}};
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

namespace {

/// Evaluates the unit's stages at some neighbouring columns of a row.
class StageEvaluator {
 public:
  StageEvaluator(const Reader &reader, Value batch, Value row, Value column, Value sums)
      : reader(reader), kit(reader.kit), c(reader.c), sums(sums),
        lanes(cast<VectorType>(sums.getType()).getNumElements()) {
    reader.split(c.batch, batch, indices);
    reader.split(c.row, row, indices);
    indices[c.column.front()] = column;
    for (unsigned dim = 0; dim < c.unit->numDims(); ++dim)
      if (!c.unit->isReduction[dim] && !indices.count(dim)) indices[dim] = kit.i32(0);
  }

  void run() {
    for (auto [s, stage] : llvm::enumerate(c.unit->stages)) {
      if (static_cast<int>(s) == c.unit->core) {
        const Access &out = stage.outputs().front();
        written[out.source] = kit.createOrFold<arith::AddFOp>(wide(read(out)), wide(sums));
      } else {
        evaluate(stage);
      }
    }
    for (const Stage &stage : c.unit->stages)
      for (const Access &access : stage.outputs()) store(access);
  }

 private:
  /// One lane is a scalar, as emitBody() wants it.
  Value wide(Value v) {
    auto type = dyn_cast<VectorType>(v.getType());
    if (lanes == 1) return type ? kit.element(v, 0) : v;
    return splat(kit, kit.getLoc(), v, lanes);
  }

  Type valueType(Type element) { return lanes == 1 ? element : VectorType::get(lanes, element); }

  SmallVector<unsigned> parallelDims() const {
    SmallVector<unsigned> dims;
    for (unsigned dim = 0; dim < c.unit->numDims(); ++dim)
      if (!c.unit->isReduction[dim]) dims.push_back(dim);
    return dims;
  }

  Value pointerTo(const Access &access) {
    Value index = reader.address(access, parallelDims(), indices, reader.offset(access));
    return elementPointer(kit, reader.arguments.values.lookup(access.source), bytes(access), index);
  }

  static int64_t bytes(const Access &access) { return bytesOf(access.elementType()); }
  Stride stride(const Access &access) { return strideOf(access, c.column.front()); }
  bool isAlongLanes(const Access &access) { return stride(access) == Stride::constant(1); }
  /// The element of lane `i` after the first one's.
  Value laneElement(const Access &access, Value pointer, int64_t i) {
    return elementPointer(kit, pointer, bytes(access), kit.mulWide(kit.i32(i), reader.arguments.extent(stride(access))));
  }
  unsigned alignment(const Access &access) {
    bool together = runElements(c, access, c.column.front()) % lanes == 0;
    return bytes(access) * (together ? lanes : 1);
  }

  Value read(const Access &access) {
    if (access.isScalar) {
      Value passed = reader.arguments.values.lookup(access.source);
      return passed ? passed : access.source;
    }
    if (Value known = written.lookup(access.source)) return known;
    Value pointer = pointerTo(access);
    if (lanes == 1 || stride(access).isZero()) return kit.load(access.elementType(), pointer, bytes(access));
    if (isAlongLanes(access)) return kit.load(valueType(access.elementType()), pointer, alignment(access));
    SmallVector<Value> elements;
    for (int64_t i = 0; i < lanes; ++i)
      elements.push_back(kit.load(access.elementType(), laneElement(access, pointer, i), bytes(access)));
    return kit.vector(elements);
  }

  void evaluate(const Stage &stage) {
    SmallVector<Value> args;
    for (auto [o, access] : llvm::enumerate(stage.operands)) {
      Value arg = stage.op.getBody()->getArgument(o);
      args.push_back(arg.use_empty() ? arg : read(access));
    }
    auto indexOf = [&](unsigned opDim) {
      unsigned dim = stage.dims[opDim];
      Value index = kit.create<arith::IndexCastUIOp>(kit.getIndexType(), indices.at(dim));
      return std::pair(index, dim == c.column.front() && lanes > 1);
    };
    auto noLoad = [](memref::LoadOp, ArrayRef<Value>) { return Value(); };
    SmallVector<Value> results = emitBody({kit, kit.getLoc(), lanes, {}, false, indexOf, noLoad},
                                          *stage.op.getBody(), args);
    for (auto [access, result] : llvm::zip(stage.outputs(), results)) written[access.source] = result;
  }

  /// A buffer of the function's own that nothing outside the unit reads.
  bool isDead(Value memref) const {
    return memref.getDefiningOp<memref::AllocOp>() &&
           llvm::all_of(memref.getUsers(), [&](Operation *user) {
             return isa<memref::DeallocOp, memref::DimOp>(user) ||
                    llvm::any_of(c.unit->stages, [&](const Stage &s) { return s.op == user; });
           });
  }

  void store(const Access &access) {
    Value value = written.lookup(access.source);
    if (!stored.insert(access.source).second || isDead(access.source)) return;
    value = wide(value);
    Value pointer = pointerTo(access);
    if (lanes == 1 || isAlongLanes(access)) return kit.store(value, pointer, alignment(access));
    for (int64_t i = 0; i < lanes; ++i)
      kit.store(kit.element(value, i), laneElement(access, pointer, i), bytes(access));
  }

  Reader reader;
  Kit &kit;
  const Contraction &c;
  Value sums;
  int64_t lanes;
  DenseMap<unsigned, Value> indices;
  DenseMap<Value, Value> written;
  llvm::SmallDenseSet<Value> stored;
};

}  // namespace

Epilogue partialEpilogueOf(const Contraction &c, Value partial, int64_t parts,
                           const KernelArguments &arguments) {
  return [&c, &arguments, partial, parts](Kit &kit, Value batch, Value row, Value column, Value values) {
    Reader reader{kit, c, arguments};
    const Access &out = c.core().outputs().front();
    int64_t elements = cast<MemRefType>(out.source.getType()).getNumElements();
    DenseMap<unsigned, Value> indices;
    reader.split(c.batch, kit.div(batch, parts), indices);
    reader.split(c.row, row, indices);
    indices[c.column.front()] = column;
    SmallVector<unsigned> dims(c.batch);
    dims.append(c.row);
    dims.append(c.column);
    Value start = kit.mulWide(kit.rem(batch, parts), Extent::of(elements));
    Value pointer = elementPointer(kit, partial, 4, reader.address(out, dims, indices, start));
    int64_t lanes = cast<VectorType>(values.getType()).getNumElements();
    bool together = runElements(c, out, c.column.front()) % lanes == 0 && elements % lanes == 0;
    kit.store(values, pointer, 4 * (together ? lanes : 1));
  };
}

Epilogue epilogueOf(const Contraction &c, const KernelArguments &arguments) {
  return [&c, &arguments](Kit &kit, Value batch, Value row, Value column, Value values) {
    StageEvaluator(Reader{kit, c, arguments}, batch, row, column, values).run();
  };
}

std::vector<Stride> unknownsOf(const Contraction &c) {
  std::set<Stride> found;
  auto add = [&](const Stride &stride) {
    if (!stride.asConstant()) found.insert(stride);
  };
  for (ArrayRef<unsigned> dims : {ArrayRef(c.batch), ArrayRef(c.row), ArrayRef(c.column), ArrayRef(c.k)})
    add(c.size(dims));
  for (const Stride &size : c.unit->sizes) add(size);
  for (const Stage &stage : c.unit->stages)
    for (const Access &access : stage.operands) {
      if (access.isScalar) continue;
      add(access.offset);
      for (unsigned dim = 0; dim < c.unit->numDims(); ++dim) add(strideOf(access, dim));
      for (const Bound &bound : access.bounds) add(bound.extent);
    }
  return {found.begin(), found.end()};
}

}  // namespace adze::cuda
