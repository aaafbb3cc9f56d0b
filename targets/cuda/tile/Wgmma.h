// Hopper's products of a warpgroup, and the barriers by which its factors arrive.
#pragma once
#include "targets/cuda/tile/Instructions.h"

namespace adze::cuda {

/// wgmma.mma_async.m64nNk<K>: 64 rows, 8 to 256 columns, 32 bytes of k.
struct WarpgroupInstruction {
  Multiply multiply;
  int k;
  mlir::StringLiteral factors, sums;  ///< PTX's types
};
/// Null where there is none.
const WarpgroupInstruction *findWarpgroupInstruction(Multiply multiply);

/// A factor's tile in shared memory, as tensor maps with a 128-byte swizzle write it: boxes of
/// lines of 128 bytes, one after the other. Lines lie along k, or (16-bit elements) along rows. It
/// begins at a multiple of 1024 bytes.
struct WarpgroupTile {
  int64_t rows, depth;  ///< elements; of k (or rows, if not alongK) whole lines
  int64_t elementBytes;
  bool alongK;

  int64_t lineElements() const { return 128 / elementBytes; }
  int64_t bytes() const { return rows * depth * elementBytes; }
  int64_t boxes() const { return (alongK ? depth : rows) / lineElements(); }
  int64_t boxBytes() const { return bytes() / boxes(); }
  /// The descriptor of the tile at `at`, from row `firstRow` on, a multiple of 64.
  Value describe(Kit &kit, Value at, Value firstRow) const;
  /// Of the step-th 32 bytes of k.
  Value advance(Kit &kit, Value descriptor, int64_t step) const;
};

/// Starts sums += A B, n columns; A is a descriptor or four registers (i32), fragments as mma's.
/// With no `sums` it is their first product. What it returns may be used by products and
/// awaitProducts().
mlir::SmallVector<Value> startProduct(Kit &kit, const WarpgroupInstruction &instruction, int64_t n,
                                      ValueRange sums, ValueRange a, bool aAlongK, Value b,
                                      bool bAlongK);
/// Before the first product of a group, and after its last.
void fenceProducts(Kit &kit);
void commitProducts(Kit &kit);
/// Waits until at most `pending` groups go on; the sums' values from here on.
mlir::SmallVector<Value> awaitProducts(Kit &kit, int64_t pending, ValueRange sums);

/// This warpgroup has `count` registers a thread from here on: those that load give some to the
/// `groups` that multiply. With one of these there are enough as it is.
void takeRegisters(Kit &kit, int64_t groups, int64_t count, bool loads);

/// A place in a ring, and how often the ring has gone round, mod 2.
struct RingSlot {
  Value number, phase;
};

/// `count` stages in shared memory, each with an mbarrier that it is full and one that it is empty.
class Ring {
 public:
  /// 16 bytes a stage at `barriers`.
  Ring(Value barriers, int64_t count) : barriers_(barriers), count_(count) {}
  static int64_t bytes(int64_t count) { return 16 * count; }
  /// By one thread: full after `producers` arrivals and their bytes, empty after `consumers`.
  void initialise(Kit &kit, int64_t producers, int64_t consumers) const;
  RingSlot next(Kit &kit, RingSlot slot) const;
  Value full(Kit &kit, Value slot) const;
  Value empty(Kit &kit, Value slot) const;

 private:
  Value barriers_;
  int64_t count_;
};
/// Where a ring begins: for those who fill it, it counts as emptied before.
RingSlot firstSlot(Kit &kit, bool fills);

void awaitBarrier(Kit &kit, Value barrier, Value phase);
void arrive(Kit &kit, Value barrier);
/// Arrives, and lets the barrier wait for `bytes` of copies too.
void expectBytes(Kit &kit, Value barrier, int64_t bytes);
/// A box of tensor map `map` at `coordinates`, innermost first, which `barrier` then counts.
void copyBox(Kit &kit, Value to, Value map, ValueRange coordinates, Value barrier);

}  // namespace adze::cuda
