// The one table of ONNX operators that adze converts. Each family file
// contributes rows through one populate function, named in Registry.cpp.
#pragma once
#include "mlir/IR/Value.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace adze::convert {

class NodeBuilder;

/// Results of a converted node, in the node's order. A null entry stands for a
/// result that nobody may use, or for a failure the builder has recorded.
using Values = llvm::SmallVector<mlir::Value, 2>;
using ConvertFn = Values (*)(NodeBuilder &nb);

/// Sets of element types, as bits.
enum Dtype : uint32_t {
  kF16 = 1 << 0, kBF16 = 1 << 1, kF32 = 1 << 2, kF64 = 1 << 3,
  kF8 = 1 << 4,  ///< the four float8 formats of opset 19
  kI8 = 1 << 5, kI16 = 1 << 6, kI32 = 1 << 7, kI64 = 1 << 8,
  kU8 = 1 << 9, kU16 = 1 << 10, kU32 = 1 << 11, kU64 = 1 << 12,
  kBool = 1 << 13,
  kI4 = 1 << 14, kU4 = 1 << 15,
  kI2 = 1 << 16, kU2 = 1 << 17,
  kF4 = 1 << 18, kF6 = 1 << 19, kE8M0 = 1 << 20,
  kFloats = kF16 | kBF16 | kF32 | kF64,
  kSigned = kI8 | kI16 | kI32 | kI64,
  kUnsigned = kU8 | kU16 | kU32 | kU64,
  kInts = kSigned | kUnsigned,
  kNumbers = kFloats | kInts,
  kAny = kNumbers | kBool,
  kQuantized = kI2 | kU2 | kI4 | kU4 | kI8 | kU8 | kI16 | kU16 | kI32 | kF8 | kF4,
  kAll = kAny | kQuantized | kF6 | kE8M0,
};

/// One operator over a range of its since-versions.
struct OpEntry {
  const char *domain;   ///< "" is ONNX's own
  const char *name;
  int64_t minVersion;   ///< first since-version taken
  int64_t maxVersion;   ///< last since-version taken; 0: the newest known
  uint32_t dtypes;      ///< element types taken by the first input, or given when there is none
  ConvertFn convert;
};

/// The row for an operator at its since-version; null when there is none.
const OpEntry *lookupOp(llvm::StringRef domain, llvm::StringRef op, int64_t sinceVersion);
/// Every row, ordered by domain, name and version.
llvm::ArrayRef<OpEntry> allOps();

/// `type` (an element type) is in the set.
bool containsDtype(uint32_t dtypes, mlir::Type type);
/// One element type for each bit of the set; of the float8 formats E4M3FN.
llvm::SmallVector<std::pair<uint32_t, mlir::Type>> elementTypes(uint32_t dtypes,
                                                                mlir::MLIRContext *context);
/// "bool, float16, ...": ONNX's names for the set's types.
std::string dtypeNames(uint32_t dtypes);

using OpTable = std::vector<OpEntry>;
void populateElementwise(OpTable &table);
void populateActivation(OpTable &table);
void populateDataMovement(OpTable &table);
void populateShape(OpTable &table);
void populateReduction(OpTable &table);
void populateWindow(OpTable &table);
void populateMatMul(OpTable &table);
void populateEinsum(OpTable &table);
void populateNormalization(OpTable &table);
void populateControlFlow(OpTable &table);
void populateRecurrent(OpTable &table);
void populateQuantization(OpTable &table);
void populateSorting(OpTable &table);
void populateResize(OpTable &table);
void populateMicrosoft(OpTable &table);
void populateSampling(OpTable &table);
void populateSignal(OpTable &table);
void populateTraining(OpTable &table);

}  // namespace adze::convert
