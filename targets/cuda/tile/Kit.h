// Short names for the ops that tile kernels are made of.
#pragma once
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <functional>

namespace adze::cuda {

using mlir::Type;
using mlir::Value;
using mlir::ValueRange;

/// A size that a kernel works on: known when it is built or an i32 value, below
/// 2^31 either way.
struct Extent {
  Value value;  ///< i32; null when constant
  int64_t constant = 0;
  int64_t divisor = 1;  ///< what divides the value; of a constant itself

  static Extent of(int64_t n) { return {{}, n, n}; }
  static Extent of(Value v, int64_t divisor = 1) { return {v, 0, divisor}; }
  bool isConstant() const { return !value; }
  /// Is it certainly a multiple of `n`?
  bool isMultipleOf(int64_t n) const { return divisor % n == 0; }
};

/// Integers are i32 unless a name says otherwise; unsigned where it matters.
class Kit : public mlir::ImplicitLocOpBuilder {
 public:
  using ImplicitLocOpBuilder::ImplicitLocOpBuilder;

  Value i32(int64_t n);
  Value i64(int64_t n);
  Value f32(float x);
  Value truth(bool b);
  Value value(const Extent &e) { return e.isConstant() ? i32(e.constant) : e.value; }

  Value add(Value a, Value b);
  Value add(Value a, int64_t b);
  Value sub(Value a, Value b);
  Value mul(Value a, Value b);
  Value mul(Value a, int64_t b);
  Value div(Value a, Value b);
  Value div(Value a, int64_t b);
  Value rem(Value a, Value b);
  Value rem(Value a, int64_t b);
  Value bitAnd(Value a, int64_t b);
  Value bitAnd(Value a, Value b);
  Value bitOr(Value a, Value b);
  Value bitXor(Value a, Value b);
  Value shl(Value a, int64_t b);
  Value shr(Value a, int64_t b);
  Value min(Value a, Value b);
  Value less(Value a, Value b);  ///< unsigned
  Value equal(Value a, Value b);
  Value select(Value c, Value a, Value b);
  Value wide(Value a);  ///< i32 -> i64, sign extended
  /// a b as i64.
  Value mulWide(Value a, const Extent &b);

  Type pointer(unsigned space);  ///< 1: global, 3: shared
  Value offset(Value pointer, Value bytes);
  Value offset(Value pointer, int64_t bytes);
  Value load(Type type, Value pointer, unsigned alignment);
  void store(Value v, Value pointer, unsigned alignment);
  Value element(Value vector, int64_t i);
  Value member(Value aggregate, int64_t i);
  Value vector(ValueRange elements);
  Value bitcast(Value v, Type type);

  Value thread();
  Value block(int dimension);  ///< 0 to 2
  void barrier();
  /// x of the lane whose number differs in the bits of `mask`; f32 or i32.
  Value shuffleXor(Value x, int mask);
  /// One instruction, "ex2.approx.f32", on f32.
  Value approximate(mlir::StringRef instruction, Value x);
  /// `text`, kept where it stands, with operands $0, $1 …: results of `types`, the first inputs
  /// tied to them.
  mlir::SmallVector<Value> assembly(const std::string &text, mlir::ArrayRef<Type> types,
                                    ValueRange tied, ValueRange others = {});

  void when(Value condition, mlir::function_ref<void()> then,
            mlir::function_ref<void()> otherwise = nullptr);
  /// for (i = begin; i < end; i += step) carried = body(i, carried).
  mlir::SmallVector<Value> loop(
      Value begin, Value end, Value step, ValueRange carried,
      mlir::function_ref<mlir::SmallVector<Value>(Value, ValueRange)> body);

 private:
  template <typename Op>
  Value binary(Value a, Value b) {
    return createOrFold<Op>(a, b);
  }
};

/// The kernel's dynamic shared memory, aligned to 1024 bytes; declares it in the
/// module that `kit` builds in.
Value sharedMemory(Kit &kit);
/// A memref's first element in global memory.
Value globalPointer(Kit &kit, Value memref);
inline int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
Value ceilDiv(Kit &kit, const Extent &a, int64_t b);
/// Bytes of an element of memory.
int64_t bytesOf(Type type);

}  // namespace adze::cuda
