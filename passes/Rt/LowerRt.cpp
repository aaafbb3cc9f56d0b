// adze_rt, allocation and the entry -> LLVM-dialect calls through the context.
#include "dialects/Rt/Rt.h"
#include "lib/Runtime/HostAbi.h"
#include "passes/Rt/Passes.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

#include <cstddef>

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_LOWERRT
#include "passes/Rt/Passes.h.inc"

namespace {

// Byte offsets of the context's fields.
enum Field : int64_t {
  kStatus = offsetof(adze_host_ctx, status),
  kWeights = offsetof(adze_host_ctx, weights),
  kHostWeights = offsetof(adze_host_ctx, host_weights),
  kAlloc = offsetof(adze_host_ctx, alloc),
  kDealloc = offsetof(adze_host_ctx, dealloc),
  kSlab = offsetof(adze_host_ctx, slab),
  kPlan = offsetof(adze_host_ctx, plan),
  kParallelFor = offsetof(adze_host_ctx, parallel_for),
  kFail = offsetof(adze_host_ctx, fail),
  kKernelBegin = offsetof(adze_host_ctx, kernel_begin),
  kKernelEnd = offsetof(adze_host_ctx, kernel_end),
  kDeviceAlloc = offsetof(adze_host_ctx, device_alloc),
  kDeviceDealloc = offsetof(adze_host_ctx, device_dealloc),
  kDeviceLaunch = offsetof(adze_host_ctx, device_launch),
  kDeviceRead = offsetof(adze_host_ctx, device_read),
  kDeviceWrite = offsetof(adze_host_ctx, device_write),
  kDeviceCopy = offsetof(adze_host_ctx, device_copy),
  kDeviceTensorMap = offsetof(adze_host_ctx, device_tensor_map),
  kDeviceStage = offsetof(adze_host_ctx, device_stage),
};

constexpr int64_t kTensorMapBytes = 128;  // CUtensorMap

/// Rewrites one module; keeps the builder, types and string globals.
class RtLowering {
 public:
  explicit RtLowering(ModuleOp module)
      : module(module), b(module.getContext()), converter(module.getContext()),
        ptr(LLVM::LLVMPointerType::get(module.getContext())), i64(b.getI64Type()) {
    converter.addConversion([this](rt::TensorMapType) { return ptr; });
  }

  LogicalResult run() {
    SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
    for (func::FuncOp f : functions) threadContext(f);
    for (func::FuncOp f : functions) lowerBody(f);
    for (func::FuncOp f : functions)
      if (f->hasAttr("adze.entry") && failed(exportEntry(f))) return failure();
    return success();
  }

 private:
  static bool isOurs(func::FuncOp f) { return !f.empty(); }

  void threadContext(func::FuncOp f) {
    if (!isOurs(f)) return;
    SmallVector<Type> inputs{ptr};
    llvm::append_range(inputs, f.getArgumentTypes());
    f.front().insertArgument(0u, ptr, f.getLoc());
    if (ArrayAttr attrs = f.getArgAttrsAttr()) {
      SmallVector<Attribute> shifted{b.getDictionaryAttr({})};
      llvm::append_range(shifted, attrs);
      f.setFunctionType(b.getFunctionType(inputs, f.getResultTypes()));
      f.setArgAttrsAttr(b.getArrayAttr(shifted));
    } else {
      f.setFunctionType(b.getFunctionType(inputs, f.getResultTypes()));
    }
  }

  void lowerBody(func::FuncOp f) {
    if (!isOurs(f)) return;
    ctx = f.getArgument(0);
    SmallVector<Operation *> ops;
    launch = LaunchMemory();
    f.walk([&](Operation *op) {
      ops.push_back(op);
      if (auto o = dyn_cast<rt::DeviceLaunchOp>(op))
        launch.count = std::max<int64_t>(launch.count, o.getArgs().size());
    });
    for (Operation *op : ops) {
      b.setInsertionPoint(op);
      if (auto o = dyn_cast<func::CallOp>(op)) addContext(o);
      else if (auto o = dyn_cast<rt::LaunchOp>(op)) lowerLaunch(o);
      else if (auto o = dyn_cast<rt::CheckOp>(op)) lowerCheck(o);
      else if (auto o = dyn_cast<rt::ConstantOp>(op)) lowerConstant(o);
      else if (auto o = dyn_cast<rt::SlabOp>(op)) lowerSlab(o);
      else if (auto o = dyn_cast<rt::PlanOp>(op)) lowerPlan(o);
      else if (auto o = dyn_cast<rt::ParallelForOp>(op)) lowerParallelFor(o, f);
      else if (auto o = dyn_cast<memref::AllocOp>(op)) lowerAlloc(o, o.getDynamicSizes(), kAlloc);
      else if (auto o = dyn_cast<memref::DeallocOp>(op)) lowerDealloc(o, o.getMemref(), kDealloc);
      else if (auto o = dyn_cast<rt::DeviceAllocOp>(op)) lowerAlloc(o, o.getSizes(), kDeviceAlloc);
      else if (auto o = dyn_cast<rt::DeviceDeallocOp>(op)) lowerDealloc(o, o.getBuffer(), kDeviceDealloc);
      else if (auto o = dyn_cast<rt::TensorMapOp>(op)) lowerTensorMap(o);
      else if (auto o = dyn_cast<rt::DeviceLaunchOp>(op)) lowerDeviceLaunch(o);
      else if (auto o = dyn_cast<rt::DeviceLoadOp>(op)) lowerDeviceLoad(o);
      else if (auto o = dyn_cast<rt::DeviceStoreOp>(op)) lowerDeviceStore(o);
      else if (auto o = dyn_cast<rt::ToHostOp>(op)) lowerToHost(o);
      else if (auto o = dyn_cast<rt::ToDeviceOp>(op)) lowerToDevice(o);
      else if (auto o = dyn_cast<rt::DeviceCopyOp>(op)) lowerDeviceCopy(o);
    }
  }

  //===-- Small builders ------------------------------------------------===//

  Value constant(Location loc, int64_t v) { return LLVM::ConstantOp::create(b, loc, i64, v); }
  Value constant32(Location loc, int32_t v) {
    return LLVM::ConstantOp::create(b, loc, b.getI32Type(), v);
  }
  Value byteAddress(Location loc, Value base, int64_t offset) {
    // A constant index has 29 bits; weights have more bytes.
    constexpr int64_t kLargestIndex = (int64_t(1) << 28) - 1;
    LLVM::GEPArg index = static_cast<int32_t>(std::min(offset, kLargestIndex));
    if (offset > kLargestIndex) index = constant(loc, offset);
    return LLVM::GEPOp::create(b, loc, ptr, b.getI8Type(), base, index);
  }
  Value loadField(Location loc, Field field, Type type) {
    return LLVM::LoadOp::create(b, loc, type, byteAddress(loc, ctx, field));
  }
  Value callField(Location loc, Field field, Type result, ValueRange args) {
    SmallVector<Type> types(args.getTypes());
    auto type = LLVM::LLVMFunctionType::get(
        result ? result : LLVM::LLVMVoidType::get(b.getContext()), types);
    SmallVector<Value> operands{loadField(loc, field, ptr)};
    llvm::append_range(operands, args);
    auto call = LLVM::CallOp::create(b, loc, type, operands);
    return result ? call.getResult() : Value();
  }
  /// A value in LLVM's types; conversion removes the cast.
  Value lowered(Value v) {
    Type type = converter.convertType(v.getType());
    if (type == v.getType()) return v;
    return UnrealizedConversionCastOp::create(b, v.getLoc(), type, v).getResult(0);
  }
  Value raised(Value v, Type type) {
    if (v.getType() == type) return v;
    return UnrealizedConversionCastOp::create(b, v.getLoc(), type, v).getResult(0);
  }
  void replace(Operation *op, Value loweredResult) {
    op->getResult(0).replaceAllUsesWith(raised(loweredResult, op->getResult(0).getType()));
    op->erase();
  }
  /// Storage for `count` values of `type`, in the function's entry block.
  Value stack(Location loc, Type type, int64_t count) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(cast<BlockArgument>(ctx).getOwner());
    return LLVM::AllocaOp::create(b, loc, ptr, type, constant(loc, count));
  }
  Value stringAddress(Location loc, StringRef text) {
    std::string name;
    auto [it, fresh] = strings.try_emplace(text, strings.size());
    name = "adze_message_" + std::to_string(it->second);
    if (fresh) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(module.getBody());
      std::string bytes = text.str() + '\0';
      auto type = LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size());
      LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true, LLVM::Linkage::Internal, name,
                             b.getStringAttr(bytes));
    }
    return LLVM::AddressOfOp::create(b, loc, ptr, name);
  }

  /// Runs `emit` only when `condition` (i1) holds: splits the block at `op`.
  void when(Operation *op, Value condition, llvm::function_ref<void()> emit) {
    Location loc = op->getLoc();
    Block *before = op->getBlock();
    Block *after = before->splitBlock(op);
    Block *then = b.createBlock(after);
    b.setInsertionPointToEnd(before);
    cf::CondBranchOp::create(b, loc, condition, then, ValueRange(), after, ValueRange());
    b.setInsertionPointToStart(then);
    emit();
    cf::BranchOp::create(b, loc, after);
    b.setInsertionPoint(op);
  }

  //===-- Ops -----------------------------------------------------------===//

  void addContext(func::CallOp op) {
    auto callee = module.lookupSymbol<func::FuncOp>(op.getCallee());
    if (!callee || !isOurs(callee)) return;
    op.getOperandsMutable().append(ValueRange{});
    SmallVector<Value> operands{ctx};
    llvm::append_range(operands, op.getOperands());
    op->setOperands(operands);
  }

  /// Calls a hook of the profile, if it is set.
  void lowerHook(Operation *op, Field field, llvm::function_ref<SmallVector<Value>()> arguments) {
    Location loc = op->getLoc();
    Value hook = loadField(loc, field, ptr);
    Value null = LLVM::ZeroOp::create(b, loc, ptr);
    Value set = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ne, hook, null);
    when(op, set, [&] { callField(loc, field, Type(), arguments()); });
  }

  /// Stores the dynamic extents of the arguments to memory; their number.
  int64_t storeExtents(Location loc, ValueRange args, Value &memory) {
    SmallVector<Value> extents;
    for (Value arg : args)
      if (auto type = dyn_cast<MemRefType>(arg.getType()))
        for (int64_t i = 0; i < type.getRank(); ++i)
          if (type.isDynamicDim(i))
            extents.push_back(MemRefDescriptor(lowered(arg)).size(b, loc, i));
    memory = extents.empty() ? LLVM::ZeroOp::create(b, loc, ptr).getResult()
                             : stack(loc, i64, extents.size());
    for (auto [i, extent] : llvm::enumerate(extents))
      LLVM::StoreOp::create(b, loc, extent, byteAddress(loc, memory, i * 8));
    return extents.size();
  }

  void lowerLaunch(rt::LaunchOp op) {
    Location loc = op.getLoc();
    lowerHook(op, kKernelBegin, [&] {
      return SmallVector<Value>{ctx, constant32(loc, op.getKernel())};
    });
    SmallVector<Value> operands{ctx};
    llvm::append_range(operands, op.getArgs());
    auto call = func::CallOp::create(b, op.getLoc(), op.getCallee(), op.getResultTypes(), operands);
    op.replaceAllUsesWith(call.getResults());
    lowerHook(op, kKernelEnd, [&] {
      Value extents;
      int64_t count = storeExtents(loc, op.getArgs(), extents);
      return SmallVector<Value>{ctx, constant32(loc, op.getKernel()), extents,
                                constant(loc, count)};
    });
    op.erase();
  }

  void lowerCheck(rt::CheckOp op) {
    Location loc = op.getLoc();
    Value one = LLVM::ConstantOp::create(b, loc, b.getI1Type(), b.getBoolAttr(true));
    Value bad = LLVM::XOrOp::create(b, loc, op.getCondition(), one);
    when(op, bad, [&] {
      callField(loc, kFail, Type(),
                {ctx, constant32(loc, op.getCode()), stringAddress(loc, op.getMessage())});
    });
    op.erase();
  }

  void lowerConstant(rt::ConstantOp op) {
    Location loc = op.getLoc();
    Value weights = loadField(loc, op.getHost() ? kHostWeights : kWeights, ptr);
    Value p = byteAddress(loc, weights, op.getOffset());
    auto type = cast<MemRefType>(op.getType());
    replace(op, MemRefDescriptor::fromStaticShape(b, loc, converter, type, p));
  }

  void lowerSlab(rt::SlabOp op) {
    Location loc = op.getLoc();
    Value bytes = lowered(op.getBytes());
    Value p = callField(loc, kSlab, ptr, {ctx, bytes});
    replace(op, descriptor(loc, op.getType(), p, {bytes}));
  }

  void lowerPlan(rt::PlanOp op) {
    Location loc = op.getLoc();
    int64_t n = op.getSizes().size();
    Value sizes = stack(loc, i64, n), offsets = stack(loc, i64, n);
    for (auto [i, v] : llvm::enumerate(op.getSizes()))
      LLVM::StoreOp::create(b, loc, lowered(v), byteAddress(loc, sizes, i * 8));
    Value first = tableAddress(loc, op.getFirst()), last = tableAddress(loc, op.getLast());
    Value bytes = callField(loc, kPlan, i64, {ctx, constant(loc, n), sizes, first, last, offsets});
    op.getBytes().replaceAllUsesWith(raised(bytes, op.getBytes().getType()));
    for (auto [i, v] : llvm::enumerate(op.getOffsets())) {
      Value o = LLVM::LoadOp::create(b, loc, i64, byteAddress(loc, offsets, i * 8));
      v.replaceAllUsesWith(raised(o, v.getType()));
    }
    op.erase();
  }

  Value tableAddress(Location loc, ArrayRef<int32_t> values) {
    std::string name = "adze_table_" + std::to_string(numTables++);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(module.getBody());
      auto type = LLVM::LLVMArrayType::get(b.getI32Type(), values.size());
      LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true, LLVM::Linkage::Internal, name,
                             b.getI32TensorAttr(values));
    }
    return LLVM::AddressOfOp::create(b, loc, ptr, name);
  }

  /// The captures go to the stack; a wrapper task loads them and calls the body.
  void lowerParallelFor(rt::ParallelForOp op, func::FuncOp parent) {
    Location loc = op.getLoc();
    SmallVector<Type> fields;
    for (Value v : op.getCaptures()) fields.push_back(converter.convertType(v.getType()));
    auto type = LLVM::LLVMStructType::getLiteral(b.getContext(), fields);
    Value env = stack(loc, type, 1);
    for (auto [i, v] : llvm::enumerate(op.getCaptures())) {
      Value address = LLVM::GEPOp::create(b, loc, ptr, type, env,
                                          ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(i)});
      LLVM::StoreOp::create(b, loc, lowered(v), address);
    }
    func::FuncOp task = makeTask(op, type);
    Value address = func::ConstantOp::create(b, loc, task.getFunctionType(), task.getName());
    address = UnrealizedConversionCastOp::create(b, loc, ptr, address).getResult(0);
    callField(loc, kParallelFor, Type(),
              {ctx, address, env, lowered(op.getCount()), constant(loc, op.getGrain())});
    op.erase();
  }

  func::FuncOp makeTask(rt::ParallelForOp op, LLVM::LLVMStructType type) {
    OpBuilder::InsertionGuard guard(b);
    Location loc = op.getLoc();
    b.setInsertionPointToEnd(module.getBody());
    auto task = func::FuncOp::create(b, loc, (op.getBody() + "_run").str(),
                                     b.getFunctionType({ptr, ptr, i64, i64}, {}));
    task.setPrivate();
    Block *block = task.addEntryBlock();
    b.setInsertionPointToStart(block);
    SmallVector<Value> args{block->getArgument(0), raised(block->getArgument(2), b.getIndexType()),
                            raised(block->getArgument(3), b.getIndexType())};
    for (auto [i, v] : llvm::enumerate(op.getCaptures())) {
      Value address = LLVM::GEPOp::create(b, loc, ptr, type, block->getArgument(1),
                                          ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(i)});
      Value field = LLVM::LoadOp::create(b, loc, type.getBody()[i], address);
      args.push_back(raised(field, v.getType()));
    }
    func::CallOp::create(b, loc, op.getBody(), TypeRange(), args);
    func::ReturnOp::create(b, loc);
    return task;
  }

  /// a * b, or -1 on overflow or a negative factor: the allocator refuses it.
  Value checkedMul(Location loc, Value x, Value y) {
    auto type = LLVM::LLVMStructType::getLiteral(b.getContext(), {i64, b.getI1Type()});
    Value both = LLVM::SMulWithOverflowOp::create(b, loc, type, x, y);
    Value product = LLVM::ExtractValueOp::create(b, loc, both, ArrayRef<int64_t>{0});
    Value overflow = LLVM::ExtractValueOp::create(b, loc, both, ArrayRef<int64_t>{1});
    Value negative = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::slt, x, constant(loc, 0));
    Value bad = LLVM::OrOp::create(b, loc, overflow, negative);
    return LLVM::SelectOp::create(b, loc, bad, constant(loc, -1), product);
  }

  static int64_t elementBytes(Type e) {
    if (e.isIndex()) return 8;
    return std::max<int64_t>(1, (e.getIntOrFloatBitWidth() + 7) / 8);
  }

  /// A contiguous descriptor over `p`; `dynamic` are the dynamic extents.
  Value descriptor(Location loc, MemRefType type, Value p, ArrayRef<Value> dynamic) {
    auto desc = MemRefDescriptor::poison(b, loc, converter.convertType(type));
    desc.setAllocatedPtr(b, loc, p);
    desc.setAlignedPtr(b, loc, p);
    desc.setOffset(b, loc, constant(loc, 0));
    SmallVector<Value> sizes = extents(loc, type, dynamic);
    Value stride = constant(loc, 1);
    for (int64_t i = type.getRank(); i-- > 0;) {
      desc.setSize(b, loc, i, sizes[i]);
      desc.setStride(b, loc, i, stride);
      if (i) stride = LLVM::MulOp::create(b, loc, stride, sizes[i]);
    }
    return desc;
  }

  SmallVector<Value> extents(Location loc, MemRefType type, ArrayRef<Value> dynamic) {
    SmallVector<Value> sizes;
    for (int64_t d : type.getShape()) {
      if (!ShapedType::isDynamic(d)) {
        sizes.push_back(constant(loc, d));
        continue;
      }
      sizes.push_back(dynamic.front());
      dynamic = dynamic.drop_front();
    }
    return sizes;
  }

  Value sizeInBytes(Location loc, MemRefType type, ArrayRef<Value> dynamic) {
    Value bytes = constant(loc, elementBytes(type.getElementType()));
    for (Value v : extents(loc, type, dynamic)) bytes = checkedMul(loc, v, bytes);
    return bytes;
  }

  void lowerAlloc(Operation *op, ValueRange sizes, Field allocate) {
    Location loc = op->getLoc();
    auto type = cast<MemRefType>(op->getResult(0).getType());
    SmallVector<Value> dynamic;
    for (Value v : sizes) dynamic.push_back(lowered(v));
    Value p = callField(loc, allocate, ptr, {ctx, sizeInBytes(loc, type, dynamic)});
    replace(op, descriptor(loc, type, p, dynamic));
  }

  void lowerDealloc(Operation *op, Value buffer, Field deallocate) {
    MemRefDescriptor desc(lowered(buffer));
    callField(op->getLoc(), deallocate, Type(), {ctx, desc.allocatedPtr(b, op->getLoc())});
    op->erase();
  }

  //===-- Devices -------------------------------------------------------===//

  /// Address of the buffer's first element.
  Value firstElement(Location loc, Value buffer) {
    auto type = cast<MemRefType>(buffer.getType());
    MemRefDescriptor desc(lowered(buffer));
    Value base = desc.alignedPtr(b, loc);
    auto [strides, offset] = type.getStridesAndOffset();
    if (offset == 0) return base;
    Value bytes = LLVM::MulOp::create(b, loc, desc.offset(b, loc),
                                      constant(loc, elementBytes(type.getElementType())));
    return LLVM::GEPOp::create(b, loc, ptr, b.getI8Type(), base, ArrayRef<LLVM::GEPArg>{bytes});
  }

  SmallVector<Value> dynamicExtents(Location loc, Value buffer) {
    auto type = cast<MemRefType>(buffer.getType());
    SmallVector<Value> out;
    for (int64_t d = 0; d < type.getRank(); ++d)
      if (type.isDynamicDim(d)) out.push_back(MemRefDescriptor(lowered(buffer)).size(b, loc, d));
    return out;
  }

  Value bytesOf(Location loc, Value buffer) {
    return sizeInBytes(loc, cast<MemRefType>(buffer.getType()), dynamicExtents(loc, buffer));
  }

  Value truncated(Location loc, Value index) {
    return LLVM::TruncOp::create(b, loc, b.getI32Type(), lowered(index));
  }

  /// What a launch reads it reads at once: all of a function share this memory.
  struct LaunchMemory {
    int64_t count = 1;  ///< arguments of the longest launch
    Value shape, values, arguments;
  };

  void makeLaunchMemory(Location loc) {
    if (launch.shape) return;
    launch.shape = stack(loc, b.getI32Type(), 6);
    launch.values = stack(loc, i64, launch.count);
    launch.arguments = stack(loc, ptr, launch.count);
  }

  /// The map's bytes, on the stack; the runtime reads them when it is launched with.
  void lowerTensorMap(rt::TensorMapOp op) {
    Location loc = op.getLoc();
    int64_t element = elementBytes(cast<MemRefType>(op.getBuffer().getType()).getElementType());
    auto bytes = [&](Value elements) {
      return LLVM::MulOp::create(b, loc, lowered(elements), constant(loc, element)).getResult();
    };
    SmallVector<Value> shape{constant(loc, op.getBox().size()), constant(loc, element),
                             constant(loc, op.getSwizzle()), constant(loc, 0)};
    for (Value extent : op.getExtents()) shape.push_back(lowered(extent));
    shape.push_back(constant(loc, element));
    for (Value stride : op.getStrides()) shape.push_back(bytes(stride));
    for (int64_t extent : op.getBox()) shape.push_back(constant(loc, extent));
    Value memory = stack(loc, i64, shape.size());
    for (auto [i, v] : llvm::enumerate(shape))
      LLVM::StoreOp::create(b, loc, v, byteAddress(loc, memory, i * 8));
    Value address = LLVM::GEPOp::create(b, loc, ptr, b.getI8Type(), firstElement(loc, op.getBuffer()),
                                        ArrayRef<LLVM::GEPArg>{bytes(op.getOffset())});
    Value map = stack(loc, i64, kTensorMapBytes / 8);
    callField(loc, kDeviceTensorMap, Type(), {ctx, map, address, memory});
    replace(op, map);
  }

  /// Grid and block in one array, a pointer to each argument in another.
  void lowerDeviceLaunch(rt::DeviceLaunchOp op) {
    Location loc = op.getLoc();
    makeLaunchMemory(loc);
    Value shape = launch.shape, arguments = launch.arguments;
    SmallVector<Value> extents{truncated(loc, op.getGridX()), truncated(loc, op.getGridY()),
                               truncated(loc, op.getGridZ())};
    for (int32_t extent : op.getBlock()) extents.push_back(constant32(loc, extent));
    for (auto [i, extent] : llvm::enumerate(extents))
      LLVM::StoreOp::create(b, loc, extent, byteAddress(loc, shape, i * 4));
    for (auto [i, arg] : llvm::enumerate(op.getArgs())) {
      Value value = isa<MemRefType>(arg.getType()) ? firstElement(loc, arg) : lowered(arg);
      Value slot = byteAddress(loc, launch.values, i * 8);
      if (isa<rt::TensorMapType>(arg.getType())) slot = value;
      else LLVM::StoreOp::create(b, loc, value, slot);
      LLVM::StoreOp::create(b, loc, slot, byteAddress(loc, arguments, i * 8));
    }
    callField(loc, kDeviceLaunch, Type(),
              {ctx, constant32(loc, op.getNumber()), shape, constant32(loc, op.getShared()), arguments});
    op.erase();
  }

  /// Address of an element, and its bytes.
  std::pair<Value, Value> element(Location loc, Value buffer, ValueRange indices) {
    MemRefDescriptor desc(lowered(buffer));
    Value index = constant(loc, 0);
    for (auto [d, i] : llvm::enumerate(indices)) {
      Value step = LLVM::MulOp::create(b, loc, lowered(i), desc.stride(b, loc, d));
      index = LLVM::AddOp::create(b, loc, index, step);
    }
    Value bytes = constant(loc, elementBytes(cast<MemRefType>(buffer.getType()).getElementType()));
    index = LLVM::MulOp::create(b, loc, index, bytes);
    Value address = LLVM::GEPOp::create(b, loc, ptr, b.getI8Type(), firstElement(loc, buffer),
                                        ArrayRef<LLVM::GEPArg>{index});
    return {address, bytes};
  }

  void lowerDeviceLoad(rt::DeviceLoadOp op) {
    Location loc = op.getLoc();
    auto [from, bytes] = element(loc, op.getBuffer(), op.getIndices());
    Value to = stack(loc, i64, 1);
    callField(loc, kDeviceRead, Type(), {ctx, to, from, bytes});
    replace(op, LLVM::LoadOp::create(b, loc, converter.convertType(op.getType()), to));
  }

  void lowerDeviceStore(rt::DeviceStoreOp op) {
    Location loc = op.getLoc();
    auto [to, bytes] = element(loc, op.getBuffer(), op.getIndices());
    Value from = stack(loc, i64, 1);
    LLVM::StoreOp::create(b, loc, lowered(op.getValue()), from);
    callField(loc, kDeviceWrite, Type(), {ctx, to, from, bytes});
    op.erase();
  }

  void lowerToHost(rt::ToHostOp op) {
    Location loc = op.getLoc();
    Value bytes = bytesOf(loc, op.getBuffer());
    Value p = callField(loc, kAlloc, ptr, {ctx, bytes});
    callField(loc, op.getGaps() ? kDeviceStage : kDeviceRead, Type(),
              {ctx, p, firstElement(loc, op.getBuffer()), bytes});
    replace(op, descriptor(loc, cast<MemRefType>(op.getType()), p,
                           dynamicExtents(loc, op.getBuffer())));
  }

  void lowerToDevice(rt::ToDeviceOp op) {
    Location loc = op.getLoc();
    callField(loc, kDeviceWrite, Type(), {ctx, firstElement(loc, op.getDevice()),
                                          firstElement(loc, op.getHost()), bytesOf(loc, op.getHost())});
    op.erase();
  }

  void lowerDeviceCopy(rt::DeviceCopyOp op) {
    Location loc = op.getLoc();
    callField(loc, kDeviceCopy, Type(), {ctx, firstElement(loc, op.getTo()),
                                         firstElement(loc, op.getFrom()), bytesOf(loc, op.getFrom())});
    op.erase();
  }

  //===-- Entry ---------------------------------------------------------===//

  /// The entry function reads its arguments from `inputs` and writes its
  /// results to `outputs` itself: a function that returns hundreds of
  /// descriptors by value is beyond LLVM.
  LogicalResult exportEntry(func::FuncOp entry) {
    Location loc = entry.getLoc();
    Block &block = entry.front();
    ctx = block.getArgument(0);
    Value inputs = block.addArgument(ptr, loc), outputs = block.addArgument(ptr, loc);
    unsigned count = block.getNumArguments() - 3;
    b.setInsertionPointToStart(&block);
    for (unsigned i = 0; i < count; ++i) {
      BlockArgument arg = block.getArgument(1 + i);
      if (!isa<MemRefType>(arg.getType())) return entry.emitError("entry argument is no buffer");
      Value p = LLVM::LoadOp::create(b, loc, ptr, byteAddress(loc, inputs, i * 8));
      Value desc = LLVM::LoadOp::create(b, loc, converter.convertType(arg.getType()), p);
      arg.replaceAllUsesWith(raised(desc, arg.getType()));
    }
    block.eraseArguments(1, count);
    entry.walk([&](func::ReturnOp op) { storeResults(op, outputs); });
    entry.setName("adze_entry");
    entry.removeArgAttrsAttr();
    entry.removeResAttrsAttr();
    entry.setFunctionType(b.getFunctionType({ptr, ptr, ptr}, {b.getI32Type()}));
    return success();
  }

  void storeResults(func::ReturnOp op, Value outputs) {
    Location loc = op.getLoc();
    b.setInsertionPoint(op);
    for (auto [i, v] : llvm::enumerate(op.getOperands())) {
      Value p = LLVM::LoadOp::create(b, loc, ptr, byteAddress(loc, outputs, i * 8));
      LLVM::StoreOp::create(b, loc, lowered(v), p);
    }
    op.getOperandsMutable().assign(loadField(loc, kStatus, b.getI32Type()));
  }

  ModuleOp module;
  OpBuilder b;
  LLVMTypeConverter converter;
  Type ptr, i64;
  Value ctx;  ///< of the function being lowered
  LaunchMemory launch;  ///< likewise
  llvm::StringMap<unsigned> strings;
  unsigned numTables = 0;
};

struct LowerRtPass : impl::LowerRtBase<LowerRtPass> {
  void runOnOperation() override {
    if (failed(RtLowering(getOperation()).run())) signalPassFailure();
  }
};

}  // namespace
}  // namespace adze
