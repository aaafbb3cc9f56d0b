// What a contraction's other stages do with the sums of its tiles.
#include "passes/Schedule/BodyEmitter.h"
#include "targets/cuda/ContractionReader.h"

using namespace mlir;
using namespace adze::schedule;

namespace adze::cuda {
namespace {

/// Evaluates the unit's stages at some neighbouring columns of a row.
class StageEvaluator {
 public:
  StageEvaluator(const Reader &reader, Value batch, Value row, Value column, Value sums)
      : reader(reader),
        kit(reader.kit),
        c(reader.c),
        sums(sums),
        lanes(cast<VectorType>(sums.getType()).getNumElements()) {
    reader.split(c.batch, batch, indices);
    reader.split(c.row, row, indices);
    indices[c.column.front()] = column;
    for (unsigned dim = 0; dim < c.unit->numDims(); ++dim)
      if (!c.unit->isReduction[dim] && !indices.count(dim)) indices[dim] = kit.i32(0);
  }

  void run() {
    evaluate();
    for (const Stage &stage : c.unit->stages)
      for (const Access &access : stage.outputs()) store(access);
  }

  /// What the last stage makes, a vector of f32.
  Value result() {
    evaluate();
    Value value = written.lookup(c.unit->stages.back().outputs().front().source);
    value = lanes == 1 ? kit.vector({wide(value)}) : wide(value);
    auto type = VectorType::get(lanes, kit.getF32Type());
    return value.getType() == type ? value : kit.create<arith::ExtFOp>(type, value);
  }

 private:
  void evaluate() {
    for (auto [s, stage] : llvm::enumerate(c.unit->stages)) {
      if (static_cast<int>(s) == c.unit->core) {
        const Access &out = stage.outputs().front();
        written[out.source] = kit.createOrFold<arith::AddFOp>(wide(read(out)), wide(sums));
      } else {
        evaluate(stage);
      }
    }
  }

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
    return elementPointer(kit, pointer, bytes(access),
                          kit.mulWide(kit.i32(i), reader.arguments.extent(stride(access))));
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
    if (lanes == 1 || stride(access).isZero())
      return kit.load(access.elementType(), pointer, bytes(access));
    if (isAlongLanes(access))
      return kit.load(valueType(access.elementType()), pointer, alignment(access));
    SmallVector<Value> elements;
    for (int64_t i = 0; i < lanes; ++i)
      elements.push_back(
          kit.load(access.elementType(), laneElement(access, pointer, i), bytes(access)));
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
    SmallVector<Value> results =
        emitBody({kit, kit.getLoc(), lanes, {}, false, indexOf, noLoad}, *stage.op.getBody(), args);
    for (auto [access, result] : llvm::zip(stage.outputs(), results))
      written[access.source] = result;
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
  return [&c, &arguments, partial, parts](Kit &kit, Value batch, Value row, Value column,
                                          Value values) {
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

ScoreFunction scoreOf(const Contraction &c, const KernelArguments &arguments) {
  return [&c, &arguments](Kit &kit, Value batch, Value query, Value key, Value scores) {
    return StageEvaluator(Reader{kit, c, arguments}, batch, query, key, scores).result();
  };
}

}  // namespace adze::cuda
