#include "targets/cuda/tile/Kit.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace adze::cuda {

Value Kit::i32(int64_t n) { return create<arith::ConstantOp>(getI32IntegerAttr(n)); }
Value Kit::i64(int64_t n) { return create<arith::ConstantOp>(getI64IntegerAttr(n)); }
Value Kit::f32(float x) { return create<arith::ConstantOp>(getF32FloatAttr(x)); }
Value Kit::truth(bool b) { return create<arith::ConstantOp>(getBoolAttr(b)); }

Value Kit::add(Value a, Value b) { return binary<arith::AddIOp>(a, b); }
Value Kit::add(Value a, int64_t b) { return b ? add(a, i32(b)) : a; }
Value Kit::sub(Value a, Value b) { return binary<arith::SubIOp>(a, b); }
Value Kit::mul(Value a, Value b) { return binary<arith::MulIOp>(a, b); }
Value Kit::mul(Value a, int64_t b) { return mul(a, i32(b)); }
Value Kit::div(Value a, Value b) { return binary<arith::DivUIOp>(a, b); }
Value Kit::div(Value a, int64_t b) { return b == 1 ? a : div(a, i32(b)); }
Value Kit::rem(Value a, Value b) { return binary<arith::RemUIOp>(a, b); }
Value Kit::rem(Value a, int64_t b) { return b == 1 ? i32(0) : rem(a, i32(b)); }
Value Kit::bitAnd(Value a, int64_t b) { return binary<arith::AndIOp>(a, i32(b)); }
Value Kit::bitAnd(Value a, Value b) { return binary<arith::AndIOp>(a, b); }
Value Kit::bitOr(Value a, Value b) { return binary<arith::OrIOp>(a, b); }
Value Kit::bitXor(Value a, Value b) { return binary<arith::XOrIOp>(a, b); }
Value Kit::shl(Value a, int64_t b) { return b ? binary<arith::ShLIOp>(a, i32(b)) : a; }
Value Kit::shr(Value a, int64_t b) { return b ? binary<arith::ShRUIOp>(a, i32(b)) : a; }
Value Kit::min(Value a, Value b) { return binary<arith::MinUIOp>(a, b); }
Value Kit::less(Value a, Value b) {
  return createOrFold<arith::CmpIOp>(arith::CmpIPredicate::ult, a, b);
}
Value Kit::equal(Value a, Value b) {
  return createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq, a, b);
}
Value Kit::select(Value c, Value a, Value b) { return createOrFold<arith::SelectOp>(c, a, b); }
Value Kit::wide(Value a) { return createOrFold<arith::ExtSIOp>(getI64Type(), a); }
Value Kit::mulWide(Value a, const Extent &b) {
  Value factor = b.isConstant() ? i64(b.constant) : wide(b.value);
  return mul(wide(a), factor);
}

Type Kit::pointer(unsigned space) { return LLVM::LLVMPointerType::get(getContext(), space); }
Value Kit::offset(Value pointer, Value bytes) {
  return create<LLVM::GEPOp>(pointer.getType(), getI8Type(), pointer, ValueRange{bytes});
}
Value Kit::offset(Value pointer, int64_t bytes) {
  if (bytes == 0) return pointer;
  return create<LLVM::GEPOp>(pointer.getType(), getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
}
Value Kit::load(Type type, Value pointer, unsigned alignment) {
  return create<LLVM::LoadOp>(type, pointer, alignment);
}
void Kit::store(Value v, Value pointer, unsigned alignment) {
  create<LLVM::StoreOp>(v, pointer, alignment);
}
Value Kit::element(Value vector, int64_t i) {
  return create<LLVM::ExtractElementOp>(vector, i32(i));
}
Value Kit::member(Value aggregate, int64_t i) {
  return create<LLVM::ExtractValueOp>(aggregate, ArrayRef<int64_t>{i});
}
Value Kit::vector(ValueRange elements) {
  auto type = VectorType::get(static_cast<int64_t>(elements.size()), elements[0].getType());
  Value v = create<LLVM::PoisonOp>(type);
  for (auto [i, e] : llvm::enumerate(elements)) v = create<LLVM::InsertElementOp>(v, e, i32(i));
  return v;
}
Value Kit::bitcast(Value v, Type type) {
  return v.getType() == type ? v : Value(create<LLVM::BitcastOp>(type, v));
}

Value Kit::thread() { return create<NVVM::ThreadIdXOp>(getI32Type()); }
Value Kit::block(int dimension) {
  if (dimension == 0) return create<NVVM::BlockIdXOp>(getI32Type());
  if (dimension == 1) return create<NVVM::BlockIdYOp>(getI32Type());
  return create<NVVM::BlockIdZOp>(getI32Type());
}
void Kit::barrier() { create<NVVM::Barrier0Op>(); }

Value Kit::shuffleXor(Value x, int mask) {
  return create<NVVM::ShflOp>(x.getType(), i32(-1), x, i32(mask), i32(31), NVVM::ShflKind::bfly,
                              UnitAttr());
}

Value Kit::approximate(StringRef instruction, Value x) {
  auto dialect = LLVM::AsmDialectAttr::get(getContext(), LLVM::AsmDialect::AD_ATT);
  return create<LLVM::InlineAsmOp>(x.getType(), x, (instruction + " $0, $1;").str(), "=f,f",
                                   /*has_side_effects=*/false, /*is_align_stack=*/false,
                                   LLVM::TailCallKind::None, dialect, /*operand_attrs=*/nullptr)
      .getResult(0);
}

SmallVector<Value> Kit::assembly(const std::string &text, ArrayRef<Type> types, ValueRange tied,
                                 ValueRange others) {
  std::string constraints;
  auto add = [&](const std::string &c) { constraints += (constraints.empty() ? "" : ",") + c; };
  auto kind = [](Type t) { return t.isF32() ? "f" : t.isInteger(64) ? "l" : "r"; };
  for (Type t : types) add(std::string("=") + kind(t));
  for (size_t i = 0; i < tied.size(); ++i) add(std::to_string(i));
  for (Value v : others) add(kind(v.getType()));
  SmallVector<Value> operands(tied);
  llvm::append_range(operands, others);
  auto result = LLVM::LLVMStructType::getLiteral(getContext(), types);
  auto dialect = LLVM::AsmDialectAttr::get(getContext(), LLVM::AsmDialect::AD_ATT);
  Value all = create<LLVM::InlineAsmOp>(result, operands, text, constraints,
                                        /*has_side_effects=*/true, /*is_align_stack=*/false,
                                        LLVM::TailCallKind::None, dialect,
                                        /*operand_attrs=*/nullptr)
                  .getResult(0);
  SmallVector<Value> out;
  for (size_t i = 0; i < types.size(); ++i) out.push_back(member(all, i));
  return out;
}

void Kit::when(Value condition, function_ref<void()> then, function_ref<void()> otherwise) {
  auto op = create<scf::IfOp>(condition, static_cast<bool>(otherwise));
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(op.thenBlock());
  then();
  if (!otherwise) return;
  setInsertionPointToStart(op.elseBlock());
  otherwise();
}

SmallVector<Value> Kit::loop(Value begin, Value end, Value step, ValueRange carried,
                             function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto op = create<scf::ForOp>(begin, end, step, carried);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(op.getBody());
  SmallVector<Value> next = body(op.getInductionVar(), op.getRegionIterArgs());
  if (!carried.empty()) create<scf::YieldOp>(next);
  return SmallVector<Value>(op.getResults());
}

Value sharedMemory(Kit &kit) {
  constexpr StringLiteral kName = "adze_shared";
  Operation *parent = kit.getInsertionBlock()->getParentOp();
  auto module = isa<gpu::GPUModuleOp>(parent) ? cast<gpu::GPUModuleOp>(parent)
                                              : parent->getParentOfType<gpu::GPUModuleOp>();
  if (!SymbolTable::lookupSymbolIn(module, kName)) {
    OpBuilder::InsertionGuard guard(kit);
    kit.setInsertionPointToStart(module.getBody());
    auto type = LLVM::LLVMArrayType::get(kit.getI8Type(), 0);
    kit.create<LLVM::GlobalOp>(type, /*isConstant=*/false, LLVM::Linkage::External, kName,
                               Attribute(), /*alignment=*/1024, /*addrSpace=*/3);
  }
  return kit.create<LLVM::AddressOfOp>(kit.pointer(3), kName);
}

Value globalPointer(Kit &kit, Value memref) {
  Value address = kit.create<memref::ExtractAlignedPointerAsIndexOp>(memref);
  address = kit.create<arith::IndexCastOp>(kit.getI64Type(), address);
  return kit.create<LLVM::IntToPtrOp>(kit.pointer(1), address);
}

Value ceilDiv(Kit &kit, const Extent &a, int64_t b) {
  if (a.isConstant()) return kit.i32(ceilDiv(a.constant, b));
  return kit.div(kit.add(a.value, b - 1), b);
}

int64_t bytesOf(Type type) { return (type.getIntOrFloatBitWidth() + 7) / 8; }

}  // namespace adze::cuda
