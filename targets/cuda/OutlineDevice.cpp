#include "dialects/Rt/Rt.h"
#include "targets/cuda/HostBuffers.h"
#include "targets/cuda/Passes.h"
#include "targets/cuda/Teams.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"

namespace adze::cuda {
#define GEN_PASS_DEF_OUTLINEDEVICE
#include "targets/cuda/Passes.h.inc"
}  // namespace adze::cuda

using namespace mlir;

namespace adze::cuda {
namespace {

constexpr int32_t kThreads = 256;  ///< of a block that is not one team

/// The threads of a team that is a block; 0: blocks hold many iterations.
int32_t teamBlock(scf::ParallelOp op) {
  auto team = op->getAttrOfType<IntegerAttr>("adze.team");
  return team && team.getInt() > kWarp ? team.getInt() : 0;
}

int32_t threadsOf(scf::ParallelOp op) { return teamBlock(op) ? teamBlock(op) : kThreads; }

/// A launch's arguments and how the kernel gets its values back from them.
struct Captures {
  SmallVector<Value> values;       ///< of the loop's surroundings that it uses
  SmallVector<Operation *> local;  ///< constants and globals, cloned into the kernel
  SmallVector<Value> arguments;    ///< what the launch passes
};

struct OutlineDevicePass : impl::OutlineDeviceBase<OutlineDevicePass> {
  void runOnOperation() override {
    converter = std::make_shared<LLVMTypeConverter>(&getContext());
    OpBuilder b(&getContext());
    b.setInsertionPointToStart(getOperation().getBody());
    device = getOperation().lookupSymbol<gpu::GPUModuleOp>(kDeviceModule);
    if (!device) device = gpu::GPUModuleOp::create(b, getOperation().getLoc(), kDeviceModule);
    for (func::FuncOp f : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (f->hasAttr(kDeviceAttr)) lower(f);
    numberLaunches(getOperation());
    getOperation()->setAttr("gpu.container_module", UnitAttr::get(&getContext()));
  }

  void lower(func::FuncOp f) {
    // LLVM would make one large function of the entry and a thousand small ones.
    OpBuilder b(&getContext());
    if (f.isPrivate()) f->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
    moveHostBuffersOutOfArena(f);
    SmallVector<scf::ParallelOp> loops;
    f.walk<WalkOrder::PreOrder>([&](scf::ParallelOp op) {
      loops.push_back(op);
      return WalkResult::skip();
    });
    for (auto [i, loop] : llvm::enumerate(loops)) outline(f, loop, i);
    SmallVector<Operation *> memory;
    f.walk([&](Operation *op) {
      if (Value buffer = bufferOf(op); buffer && !isHostBuffer(buffer)) memory.push_back(op);
    });
    // A stub's own copies are the host's.
    if (f->hasAttr(kHostAttr)) return;
    for (Operation *op : memory) moveToDevice(op);
  }

  /// What an op of host code allocates, frees, reads or writes; null for others.
  static Value bufferOf(Operation *op) {
    if (isa<memref::AllocOp>(op)) return op->getResult(0);
    if (auto store = dyn_cast<memref::StoreOp>(op)) return store.getMemref();
    if (isa<memref::DeallocOp, memref::LoadOp, memref::CopyOp>(op)) return op->getOperand(0);
    return {};
  }

  static void moveToDevice(Operation *op) {
    OpBuilder b(op);
    Location loc = op->getLoc();
    if (auto alloc = dyn_cast<memref::AllocOp>(op)) {
      auto made = rt::DeviceAllocOp::create(b, loc, alloc.getType(), alloc.getDynamicSizes());
      alloc.replaceAllUsesWith(made.getResult());
    } else if (auto dealloc = dyn_cast<memref::DeallocOp>(op)) {
      rt::DeviceDeallocOp::create(b, loc, dealloc.getMemref());
    } else if (auto load = dyn_cast<memref::LoadOp>(op)) {
      auto read =
          rt::DeviceLoadOp::create(b, loc, load.getType(), load.getMemref(), load.getIndices());
      load.replaceAllUsesWith(read.getResult());
    } else if (auto store = dyn_cast<memref::StoreOp>(op)) {
      rt::DeviceStoreOp::create(b, loc, store.getValue(), store.getMemref(), store.getIndices());
    } else {
      auto copy = cast<memref::CopyOp>(op);
      rt::DeviceCopyOp::create(b, loc, copy.getSource(), copy.getTarget());
    }
    op->erase();
  }

  /// Values used inside; what can be made there again is.
  Captures capture(scf::ParallelOp op) {
    Captures out;
    llvm::SetVector<Value> used;
    getUsedValuesDefinedAbove(op.getRegion(), used);
    for (ValueRange range :
         {ValueRange(op.getLowerBound()), ValueRange(op.getUpperBound()), ValueRange(op.getStep())})
      used.insert(range.begin(), range.end());
    llvm::SetVector<Value> seen;
    for (Value v : used) sort(v, seen, out);
    return out;
  }

  static void sort(Value v, llvm::SetVector<Value> &seen, Captures &out) {
    if (!seen.insert(v)) return;
    Operation *def = v.getDefiningOp();
    if (!def || !isMadeAgain(def)) {
      out.values.push_back(v);
      return;
    }
    for (Value operand : def->getOperands()) sort(operand, seen, out);
    if (!llvm::is_contained(out.local, def)) out.local.push_back(def);
  }

  /// Constants, with views of them; and vectors, which are no argument of a launch.
  static bool isMadeAgain(Operation *op) {
    if (auto view = dyn_cast<ViewLikeOpInterface>(op))
      return view.getViewSource().getDefiningOp() &&
             isMadeAgain(view.getViewSource().getDefiningOp());
    return op->hasTrait<OpTrait::ConstantLike>() || isa<memref::GetGlobalOp>(op) ||
           (isPure(op) && llvm::any_of(op->getResultTypes(), llvm::IsaPred<VectorType>));
  }

  /// Passes `v`: a buffer as pointer and dynamic extents and strides.
  void pass(OpBuilder &b, Value v, Captures &captures) {
    captures.arguments.push_back(v);
    auto type = dyn_cast<MemRefType>(v.getType());
    if (!type || isPlain(type)) return;
    auto metadata = memref::ExtractStridedMetadataOp::create(b, v.getLoc(), v);
    auto [strides, offset] = type.getStridesAndOffset();
    for (int64_t d = 0; d < type.getRank(); ++d)
      if (type.isDynamicDim(d)) captures.arguments.push_back(metadata.getSizes()[d]);
    for (int64_t d = 0; d < type.getRank(); ++d)
      if (ShapedType::isDynamic(strides[d])) captures.arguments.push_back(metadata.getStrides()[d]);
  }

  /// Of one dimension and unit stride: nothing reads its extent.
  static bool isPlain(MemRefType type) {
    auto [strides, offset] = type.getStridesAndOffset();
    return type.hasStaticShape() ? llvm::none_of(strides, ShapedType::isDynamic)
                                 : type.getRank() == 1 && strides[0] == 1;
  }

  Type argumentType(Type type) {
    if (isa<MemRefType>(type)) return LLVM::LLVMPointerType::get(&getContext());
    return type;
  }

  /// The buffer of type `type` from a pointer to its first element; further
  /// arguments from `next` on are its extents and strides.
  Value rebuild(OpBuilder &b, Location loc, MemRefType type, Value pointer, Block &block,
                unsigned &next) {
    auto [strides, offset] = type.getStridesAndOffset();
    // A buffer's type says where its first element is, unless that is dynamic.
    if (!ShapedType::isDynamic(offset) && offset != 0)
      pointer = LLVM::GEPOp::create(b, loc, pointer.getType(),
                                    converter->convertType(type.getElementType()), pointer,
                                    ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(-offset)});
    auto descriptor = MemRefDescriptor::poison(b, loc, converter->convertType(type));
    descriptor.setAllocatedPtr(b, loc, pointer);
    descriptor.setAlignedPtr(b, loc, pointer);
    descriptor.setConstantOffset(b, loc, ShapedType::isDynamic(offset) ? 0 : offset);
    auto value = [&](int64_t known) -> Value {
      Type i64 = b.getI64Type();
      if (!ShapedType::isDynamic(known)) return LLVM::ConstantOp::create(b, loc, i64, known);
      if (isPlain(type)) return LLVM::ConstantOp::create(b, loc, i64, int64_t(0));
      Value index = block.getArgument(next++);
      return arith::IndexCastOp::create(b, loc, i64, index);
    };
    for (int64_t d = 0; d < type.getRank(); ++d)
      descriptor.setSize(b, loc, d, value(type.getDimSize(d)));
    for (int64_t d = 0; d < type.getRank(); ++d) descriptor.setStride(b, loc, d, value(strides[d]));
    return UnrealizedConversionCastOp::create(b, loc, type, Value(descriptor)).getResult(0);
  }

  gpu::GPUFuncOp makeKernel(func::FuncOp f, scf::ParallelOp loop, Captures &captures,
                            unsigned number) {
    Location loc = loop.getLoc();
    OpBuilder b(device.getBody(), device.getBody()->end());
    SmallVector<Type> types;
    for (Value v : captures.arguments) types.push_back(argumentType(v.getType()));
    auto kernel = gpu::GPUFuncOp::create(b, loc, (f.getName() + "_" + Twine(number)).str(),
                                         b.getFunctionType(types, {}));
    kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
    kernel.setKnownBlockSize(ArrayRef<int32_t>{threadsOf(loop), 1, 1});
    Block &block = kernel.getBody().front();
    b.setInsertionPointToStart(&block);
    IRMapping map;
    unsigned next = 0;
    for (Value v : captures.values) {
      Value arg = block.getArgument(next++);
      if (auto type = dyn_cast<MemRefType>(v.getType()))
        arg = rebuild(b, loc, type, arg, block, next);
      map.map(v, arg);
    }
    for (Operation *op : captures.local) cloneLocal(b, op, map);
    emitThread(b, loop, map);
    gpu::ReturnOp::create(b, loc);
    lowerTeams(kernel);
    return kernel;
  }

  /// Constants, and globals with their module's copy.
  void cloneLocal(OpBuilder &b, Operation *op, IRMapping &map) {
    if (auto get = dyn_cast<memref::GetGlobalOp>(op); get && !device.lookupSymbol(get.getName())) {
      auto global = getOperation().lookupSymbol<memref::GlobalOp>(get.getName());
      OpBuilder inside(device.getBody(), device.getBody()->begin());
      inside.clone(*global);
    }
    b.clone(*op, map);
  }

  static Value tripCount(OpBuilder &b, Location loc, Value lb, Value ub, Value step) {
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value span = b.createOrFold<arith::SubIOp>(loc, ub, lb);
    span = b.createOrFold<arith::MaxSIOp>(loc, span, zero);
    return b.createOrFold<arith::CeilDivUIOp>(loc, span, step);
  }

  /// Iterations of the loop, where they are known and fit 31 bits.
  static std::optional<int64_t> iterations(scf::ParallelOp op) {
    int64_t count = 1;
    for (auto [lb, ub, step] : llvm::zip(op.getLowerBound(), op.getUpperBound(), op.getStep())) {
      std::optional<int64_t> l = getConstantIntValue(lb), u = getConstantIntValue(ub),
                             s = getConstantIntValue(step);
      if (!l || !u || !s || *s <= 0) return std::nullopt;
      int64_t trips = llvm::divideCeil(std::max<int64_t>(0, *u - *l), *s);
      if (llvm::MulOverflow(count, trips, count) || count > INT32_MAX) return std::nullopt;
    }
    return count;
  }

  /// One iteration a thread.
  void emitThread(OpBuilder &b, scf::ParallelOp op, IRMapping &map) {
    Location loc = op.getLoc();
    bool narrow = iterations(op).has_value();
    Type type = narrow ? Type(b.getI32Type()) : Type(b.getIndexType());
    // Numbers are 32 bits wide where they can be: division is much faster.
    auto number = [&](Value index) {
      return narrow ? b.createOrFold<arith::IndexCastOp>(loc, type, index) : index;
    };
    Value block = number(gpu::BlockIdOp::create(b, loc, gpu::Dimension::x));
    Value thread = number(gpu::ThreadIdOp::create(b, loc, gpu::Dimension::x));
    Value threads = number(arith::ConstantIndexOp::create(b, loc, threadsOf(op)));
    Value id = arith::AddIOp::create(b, loc, arith::MulIOp::create(b, loc, block, threads), thread);
    Value total = number(arith::ConstantIndexOp::create(b, loc, 1));
    SmallVector<Value> trips;
    auto at = [&](Value v) { return map.lookupOrDefault(v); };
    for (auto [lb, ub, step] : llvm::zip(op.getLowerBound(), op.getUpperBound(), op.getStep())) {
      trips.push_back(number(tripCount(b, loc, at(lb), at(ub), at(step))));
      total = b.createOrFold<arith::MulIOp>(loc, total, trips.back());
    }
    // A block that is one team has no threads to spare, and barriers want them all.
    Value inside =
        teamBlock(op)
            ? arith::ConstantIntOp::create(b, loc, 1, 1).getResult()
            : arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, id, total).getResult();
    auto guard = scf::IfOp::create(b, loc, inside, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard restore(b);
    b.setInsertionPointToStart(guard.thenBlock());
    for (unsigned d = op.getNumLoops(); d-- > 0;) {
      Value index = id;
      if (d > 0) {
        index = b.createOrFold<arith::RemUIOp>(loc, id, trips[d]);
        id = b.createOrFold<arith::DivUIOp>(loc, id, trips[d]);
      }
      if (narrow) index = arith::IndexCastUIOp::create(b, loc, b.getIndexType(), index);
      index = b.createOrFold<arith::MulIOp>(loc, index, at(op.getStep()[d]));
      map.map(op.getInductionVars()[d],
              b.createOrFold<arith::AddIOp>(loc, at(op.getLowerBound()[d]), index));
    }
    for (Operation &inner : op.getBody()->without_terminator()) b.clone(inner, map);
    serialize(guard);
  }

  /// Parallel loops inside a thread's work are its own.
  static void serialize(scf::IfOp guard) {
    SmallVector<scf::ParallelOp> loops;
    guard.walk([&](scf::ParallelOp op) { loops.push_back(op); });
    for (scf::ParallelOp op : loops) {
      OpBuilder b(op);
      SmallVector<Value> indices;
      for (auto [lb, ub, step] : llvm::zip(op.getLowerBound(), op.getUpperBound(), op.getStep())) {
        auto loop = scf::ForOp::create(b, op.getLoc(), lb, ub, step);
        indices.push_back(loop.getInductionVar());
        b.setInsertionPointToStart(loop.getBody());
      }
      IRMapping map;
      map.map(op.getInductionVars(), indices);
      for (Operation &inner : op.getBody()->without_terminator()) b.clone(inner, map);
      op.erase();
    }
  }

  void outline(func::FuncOp f, scf::ParallelOp op, unsigned number) {
    OpBuilder b(op);
    Location loc = op.getLoc();
    Captures captures = capture(op);
    for (Value v : captures.values) pass(b, v, captures);
    gpu::GPUFuncOp kernel = makeKernel(f, op, captures, number);
    Value total = arith::ConstantIndexOp::create(b, loc, 1);
    for (auto [lb, ub, step] : llvm::zip(op.getLowerBound(), op.getUpperBound(), op.getStep()))
      total = b.createOrFold<arith::MulIOp>(loc, total, tripCount(b, loc, lb, ub, step));
    Value threads = arith::ConstantIndexOp::create(b, loc, threadsOf(op));
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    Value blocks = b.createOrFold<arith::CeilDivUIOp>(loc, total, threads);
    auto symbol =
        SymbolRefAttr::get(device.getNameAttr(), {FlatSymbolRefAttr::get(kernel.getNameAttr())});
    rt::DeviceLaunchOp::create(b, loc, symbol, b.getI32IntegerAttr(0), blocks, one, one,
                               b.getDenseI32ArrayAttr({threadsOf(op), 1, 1}),
                               b.getI32IntegerAttr(0), captures.arguments);
    ++numKernels;
    op.erase();
  }

  std::shared_ptr<LLVMTypeConverter> converter;
  gpu::GPUModuleOp device;
};

}  // namespace
}  // namespace adze::cuda
