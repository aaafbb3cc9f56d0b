#include "targets/cuda/tile/Standalone.h"
#include "targets/cuda/Ptx.h"

#include <algorithm>
#include <cmath>

using namespace mlir;

namespace adze::cuda {

gpu::GPUFuncOp startFunction(Kit &kit, StringRef name, TypeRange arguments, int64_t threads) {
  auto function = kit.create<gpu::GPUFuncOp>(
      name, FunctionType::get(kit.getContext(), arguments, {}), TypeRange(), TypeRange());
  function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), kit.getUnitAttr());
  function.setKnownBlockSizeAttr(kit.getDenseI32ArrayAttr({static_cast<int32_t>(threads), 1, 1}));
  kit.setInsertionPointToStart(&function.getBody().front());
  auto end = kit.create<gpu::ReturnOp>();
  kit.setInsertionPoint(end);
  return function;
}

namespace {

/// Bytes that every run's start is a multiple of.
int64_t runAlignment(int64_t most, const Extent &stride, Type type) {
  int64_t a = most;
  while (a > bytesOf(type) && !stride.isMultipleOf(a / bytesOf(type))) a /= 2;
  return a;
}

Operand factor(Kit &kit, const FactorSpec &spec, Value pointer, Type type, const Extent &rows,
               const Extent &depth, int64_t alignment, bool batched) {
  // Batches are dense; their stride is a product that no test needs beyond 2^31.
  Extent batch = Extent::of(0);
  if (batched)
    batch = rows.isConstant() ? Extent::of(rows.constant * depth.constant)
                              : Extent::of(kit.mul(kit.value(rows), kit.value(depth)));
  auto aligned = [&](const Extent &stride) {
    return std::min(runAlignment(alignment, stride, type), runAlignment(alignment, batch, type));
  };
  switch (spec.layout) {
    case FactorLayout::AlongK:
      return stridedOperand(pointer, type, true, depth, batch, aligned(depth));
    case FactorLayout::AlongRows:
      return stridedOperand(pointer, type, false, rows, batch, aligned(rows));
    case FactorLayout::Panels:
      return panelOperand(pointer, type, spec.panel, depth, batch, aligned(Extent::of(spec.panel)));
    case FactorLayout::Convolution:
      return convolutionOperand(
          pointer, type, spec.convolution,
          std::min(aligned(spec.convolution.channels),
                   runAlignment(alignment, spec.convolution.groupChannels, type)));
  }
  llvm_unreachable("all layouts are above");
}

Extent extentOf(gpu::GPUFuncOp function, const MatmulSpec &spec, int64_t n, unsigned argument) {
  if (!spec.isDynamic) return Extent::of(n);
  return Extent::of(function.getArgument(argument), spec.divisor);
}

Epilogue epilogueOf(Kit &kit, const MatmulSpec &spec, const Extent &m, const Extent &n, Value c,
                    Value bias) {
  Extent batchStride = Extent::of(0);
  if (spec.batch * spec.splits > 1)
    batchStride =
        spec.isDynamic ? Extent::of(kit.mul(m.value, n.value)) : Extent::of(spec.m * spec.n);
  std::function<Value(Kit &, Value)> activation;
  if (spec.relu) activation = relu;
  return storeEpilogue(c, spec.c, n, batchStride, spec.bias ? bias : Value(), activation);
}

void build(Kit &kit, const MatmulKernel &k, const MatmulProblem &p) { buildMatmul(kit, k, p); }
void build(Kit &kit, const HopperKernel &k, const MatmulProblem &p) { buildMatmul(kit, k, p); }
void build(Kit &kit, const HopperSplitKernel &k, const MatmulProblem &p) { buildMatmul(kit, k, p); }
void build(Kit &kit, const Int4Kernel &k, const Int4Problem &p) { buildMatmul(kit, k, p); }
void build(Kit &kit, const AttentionKernel &k, const AttentionProblem &p) {
  buildAttention(kit, k, p);
}
void build(Kit &kit, const HopperAttentionKernel &k, const HopperAttentionProblem &p) {
  buildAttention(kit, k, p);
}

template <typename Kernel, typename Problem>
gpu::GPUFuncOp finishFunction(Kit &kit, gpu::GPUFuncOp function, const Kernel &kernel,
                              const Problem &problem, int64_t shared, std::string &reason) {
  if (auto why = whyNot(kernel, problem)) {
    reason = *why;
    function.erase();
    return {};
  }
  function->setAttr("adze.shared_bytes", kit.getI64IntegerAttr(shared));
  build(kit, kernel, problem);
  return function;
}

/// As Extent; a product that no test needs beyond 2^31.
Extent times(Kit &kit, const Extent &e, int64_t n) {
  return e.isConstant() ? Extent::of(e.constant * n) : Extent::of(kit.mul(e.value, n), n);
}

}  // namespace

/// The function of a product whose factors are addressed by the kernel; it has no body yet.
static gpu::GPUFuncOp startProductFunction(Kit &kit, StringRef name, const MatmulSpec &spec,
                                           int64_t threads, MatmulProblem &p) {
  SmallVector<Type> types(6, kit.pointer(1));
  types.append(3, kit.getI32Type());
  gpu::GPUFuncOp function = startFunction(kit, name, types, threads);
  auto arg = [&](unsigned i) -> Value { return function.getArgument(i); };
  p.batch = Extent::of(spec.batch);
  p.m = extentOf(function, spec, spec.m, 6);
  p.n = extentOf(function, spec, spec.n, 7);
  p.k = extentOf(function, spec, spec.k, 8);
  bool batched = spec.batch > 1;
  p.a = factor(kit, spec.aFactor, arg(0), spec.a, p.m, p.k, spec.alignment, batched);
  p.b = factor(kit, spec.bFactor, arg(1), spec.b, p.n, p.k, spec.alignment, batched);
  p.partialSums = arg(4), p.counters = arg(5);
  p.epilogue = epilogueOf(kit, spec, p.m, p.n, arg(2), arg(3));
  return function;
}

gpu::GPUFuncOp buildMatmulFunction(Kit &kit, StringRef name, const MatmulKernel &kernel,
                                   const MatmulSpec &spec, std::string &reason) {
  OpBuilder::InsertionGuard guard(kit);
  MatmulProblem p;
  gpu::GPUFuncOp function = startProductFunction(kit, name, spec, threads(kernel), p);
  return finishFunction(kit, function, kernel, p, sharedBytes(kernel, p), reason);
}

gpu::GPUFuncOp buildMatmulFunction(Kit &kit, StringRef name, const HopperSplitKernel &kernel,
                                   const MatmulSpec &spec, std::string &reason) {
  OpBuilder::InsertionGuard guard(kit);
  MatmulProblem p;
  bool registersAreB =
      spec.bFactor.layout == FactorLayout::AlongRows || spec.bFactor.layout == FactorLayout::Panels;
  int64_t rows = registersAreB ? kernel.blockN : kernel.blockM;
  gpu::GPUFuncOp function = startProductFunction(kit, name, spec, 128 + 2 * rows, p);
  return finishFunction(kit, function, kernel, p, sharedBytes(kernel, p), reason);
}

gpu::GPUFuncOp buildMatmulFunction(Kit &kit, StringRef name, const HopperKernel &kernel,
                                   const MatmulSpec &spec, std::string &reason) {
  OpBuilder::InsertionGuard guard(kit);
  bool mapsA = kernel.maps == 2;
  SmallVector<Type> types{kit.pointer(mapsA ? 0 : 1), kit.pointer(0), kit.pointer(1),
                          kit.pointer(1)};
  types.append(3, kit.getI32Type());
  gpu::GPUFuncOp function = startFunction(kit, name, types, threads(kernel));
  SmallVector<int32_t> maps{0, 1};
  function->setAttr(kTensorMaps, kit.getDenseI32ArrayAttr(ArrayRef(maps).drop_front(!mapsA)));
  MatmulProblem p;
  p.batch = Extent::of(spec.batch);
  p.m = extentOf(function, spec, spec.m, 4);
  p.n = extentOf(function, spec, spec.n, 5);
  p.k = extentOf(function, spec, spec.k, 6);
  Value a = function.getArgument(0);
  if (mapsA)
    p.aMap = {spec.a, a, spec.aFactor.layout == FactorLayout::AlongK, {}};
  else
    p.a = factor(kit, spec.aFactor, a, spec.a, p.m, p.k, spec.alignment, spec.batch > 1);
  p.bMap = {spec.b, function.getArgument(1), spec.bFactor.layout == FactorLayout::AlongK, {}};
  p.epilogue = epilogueOf(kit, spec, p.m, p.n, function.getArgument(2), function.getArgument(3));
  return finishFunction(kit, function, kernel, p, sharedBytes(kernel, p), reason);
}

gpu::GPUFuncOp buildMatmulFunction(Kit &kit, StringRef name, const Int4Kernel &kernel,
                                   const Int4Spec &spec, std::string &reason) {
  OpBuilder::InsertionGuard guard(kit);
  SmallVector<Type> types(6, kit.pointer(1));
  types.push_back(kit.getI32Type());
  gpu::GPUFuncOp function = startFunction(kit, name, types, threads(kernel));
  auto arg = [&](unsigned i) -> Value { return function.getArgument(i); };
  Int4Problem p;
  p.m = spec.isDynamic ? Extent::of(arg(6)) : Extent::of(spec.m);
  p.n = spec.n, p.k = spec.k, p.group = spec.group, p.element = spec.x;
  p.x = arg(0), p.weights = arg(1), p.scales = arg(2);
  if (spec.zeroPoints) p.zeroPoints = arg(3);
  p.isSigned = spec.isSigned, p.zeroPoint = spec.isSigned ? 0 : 8;
  p.epilogue =
      storeEpilogue(arg(4), spec.c, Extent::of(spec.n), Extent::of(0), spec.bias ? arg(5) : Value(),
                    spec.relu ? relu : std::function<Value(Kit &, Value)>());
  return finishFunction(kit, function, kernel, p, sharedBytes(kernel), reason);
}

namespace {

/// The rules and the epilogue of an attention whose mask, queries, keys and offset are the
/// arguments from `first` on, after the output.
template <typename Problem>
void setRules(Kit &kit, gpu::GPUFuncOp function, unsigned first, const AttentionSpec &spec,
              Problem &p) {
  auto extent = [&](int64_t n, unsigned i) {
    return spec.isDynamic ? Extent::of(function.getArgument(i), 1) : Extent::of(n);
  };
  p.queries = extent(spec.queries, first + 2), p.keys = extent(spec.keys, first + 3);
  p.depth = spec.depth, p.valueDepth = spec.valueDepth;
  p.scale = 1 / std::sqrt(static_cast<float>(spec.depth));
  p.causal = spec.causal, p.causalOffset = Extent::of(function.getArgument(first + 4));
  Value mask = function.getArgument(first + 1);
  Extent keys = p.keys;
  if (spec.mask)
    p.score = [=](Kit &kit, Value, Value query, Value key, Value scores) -> Value {
      Value at = kit.mul(kit.add(kit.mulWide(query, keys), kit.wide(key)), kit.i64(4));
      auto type = cast<VectorType>(scores.getType());
      unsigned alignment = keys.isMultipleOf(2) ? 4 * type.getNumElements() : 4;
      return kit.create<arith::AddFOp>(scores, kit.load(type, kit.offset(mask, at), alignment));
    };
  if (spec.clears)
    p.weight = [](Kit &kit, Value, Value query, Value factor) -> Value {
      Value isCleared = kit.equal(kit.rem(query, kit.i32(3)), kit.i32(0));
      return kit.select(isCleared, kit.f32(0), factor);
    };
  p.epilogue = storeEpilogue(function.getArgument(first), spec.out, Extent::of(spec.valueDepth),
                             times(kit, p.queries, spec.valueDepth));
}

}  // namespace

gpu::GPUFuncOp buildAttentionFunction(Kit &kit, StringRef name, const AttentionKernel &kernel,
                                      const AttentionSpec &spec, std::string &reason) {
  OpBuilder::InsertionGuard guard(kit);
  SmallVector<Type> types(5, kit.pointer(1));
  types.append(3, kit.getI32Type());
  gpu::GPUFuncOp function = startFunction(kit, name, types, threads(kernel));
  AttentionProblem p;
  setRules(kit, function, 3, spec, p);
  p.batch = Extent::of(spec.batch * spec.heads);
  auto operand = [&](unsigned i, bool alongK, int64_t depth, const Extent &rows) {
    return stridedOperand(function.getArgument(i), spec.type, alongK, Extent::of(depth),
                          times(kit, rows, depth), runAlignment(16, Extent::of(depth), spec.type));
  };
  int64_t group = spec.heads / spec.keyHeads;
  p.q = operand(0, true, spec.depth, p.queries);
  p.k = sharedOperand(operand(1, true, spec.depth, p.keys), group);
  p.v = sharedOperand(operand(2, false, spec.valueDepth, p.keys), group);
  return finishFunction(kit, function, kernel, p, sharedBytes(kernel, p), reason);
}

gpu::GPUFuncOp buildAttentionFunction(Kit &kit, StringRef name, const HopperAttentionKernel &kernel,
                                      const AttentionSpec &spec, std::string &reason) {
  OpBuilder::InsertionGuard guard(kit);
  SmallVector<Type> types(3, kit.pointer(0));
  types.append(2, kit.pointer(1));
  types.append(3, kit.getI32Type());
  gpu::GPUFuncOp function = startFunction(kit, name, types, threads(kernel));
  function->setAttr(kTensorMaps, kit.getDenseI32ArrayAttr({0, 1, 2}));
  HopperAttentionProblem p;
  setRules(kit, function, 3, spec, p);
  p.images = Extent::of(spec.batch), p.heads = spec.heads, p.keyHeads = spec.keyHeads;
  p.q = function.getArgument(0), p.k = function.getArgument(1), p.v = function.getArgument(2);
  return finishFunction(kit, function, kernel, p, sharedBytes(kernel, p), reason);
}

}  // namespace adze::cuda
