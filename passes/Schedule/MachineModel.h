// What scheduling needs to know of the machine: a target's table fills it.
#pragma once

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"

#include <optional>

namespace adze::schedule {

/// Numbers of one core, or of one thread of a machine that runs many at once
/// (simtWidth). Read from the module's `adze.target` dictionary; a key
/// that is missing keeps the default below, which suits any 64-bit machine.
struct MachineModel {
  static constexpr llvm::StringLiteral kAttrName = "adze.target";

  int64_t vectorBits = 128;       ///< width of a vector register
  int64_t vectorRegisters = 16;   ///< how many there are
  int64_t maskBits = 0;           ///< narrowest element of masked loads, 0: no masks
  int64_t fmaLatency = 8;         ///< accumulators that keep the FMA units busy
  int64_t l1Bytes = 32 << 10;     ///< data cache a core
  int64_t l2Bytes = 256 << 10;    ///< second level a core
  int64_t taskWork = 1 << 19;     ///< multiply-adds that are worth a task of their own
  int64_t bytesPerCycle = 8;      ///< between a core and what its second level does not hold
  int64_t packsWeights = 1;       ///< constant weights are stored in panels (passes/Layout)
  int64_t simtWidth = 0;          ///< threads that take each step together; 0: a core of its own
  int64_t threads = 0;            ///< with simtWidth: threads that keep the machine busy
  int64_t launchBytes = 0;        ///< with simtWidth: what memory moves in the time of a launch
  /// Matrix units take scores through a softmax to a sum of values in registers, where neither
  /// has more terms or columns than this; 0: they do not.
  int64_t scoreDepth = 0;

  /// Vectors across a register tile of a contraction that is `vectors` wide and
  /// sums `depth` terms; `rows` are those that share the vectors, if known.
  int64_t columnVectors(int64_t vectors, int64_t depth, std::optional<int64_t> rows) const;

  /// Rows that go through several ops in one block: whole register tiles, and
  /// what the ops pass on, `rowBytes` a row, fits blockBytes(). `rows` are all there
  /// are, if known.
  int64_t blockRows(int64_t rowBytes, std::optional<int64_t> rows) const;
  /// The part of the second-level cache for what a block passes on.
  int64_t blockBytes() const { return l2Bytes / 2; }
  static constexpr int64_t kBlockUnit = 12;      ///< a multiple of most register tiles
  static constexpr int64_t kMostBlockRows = 96;  ///< more read nothing less often that counts

  /// The description on the nearest module around `op`.
  static MachineModel of(mlir::Operation *op);
  /// The attribute form, every key present.
  mlir::DictionaryAttr toAttr(mlir::MLIRContext *context) const;
};

}  // namespace adze::schedule
