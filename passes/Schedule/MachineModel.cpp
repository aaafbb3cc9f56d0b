#include "passes/Schedule/MachineModel.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <array>

using namespace mlir;

namespace adze::schedule {
namespace {

struct Field {
  llvm::StringLiteral key;
  int64_t MachineModel::*member;
};

constexpr std::array<Field, 13> kFields = {{
    {"vector_bits", &MachineModel::vectorBits},
    {"vector_registers", &MachineModel::vectorRegisters},
    {"mask_bits", &MachineModel::maskBits},
    {"fma_latency", &MachineModel::fmaLatency},
    {"l1_bytes", &MachineModel::l1Bytes},
    {"l2_bytes", &MachineModel::l2Bytes},
    {"task_work", &MachineModel::taskWork},
    {"bytes_per_cycle", &MachineModel::bytesPerCycle},
    {"packs_weights", &MachineModel::packsWeights},
    {"simt_width", &MachineModel::simtWidth},
    {"threads", &MachineModel::threads},
    {"launch_bytes", &MachineModel::launchBytes},
    {"score_depth", &MachineModel::scoreDepth},
}};

}  // namespace

int64_t MachineModel::columnVectors(int64_t vectors, int64_t depth,
                                    std::optional<int64_t> rows) const {
  // Few rows leave registers for columns.
  int64_t most = rows && *rows < 4 ? 8 : vectorRegisters >= 32 ? 4 : 2;
  // What a block of lanes reads, all along the sum, stays in the second-level
  // cache; two vectors at least, for they share the rows' loads.
  int64_t perVector = std::max<int64_t>(1, depth * (vectorBits / 8));
  most = std::min(most, std::max<int64_t>(2, l2Bytes * 3 / 4 / perVector));
  // A last tile of one vector would keep too few sums in flight.
  if (most > 2 && vectors > most && vectors % most == 1) --most;
  return std::min(most, vectors);
}

int64_t MachineModel::blockRows(int64_t rowBytes, std::optional<int64_t> rows) const {
  int64_t most = std::clamp(blockBytes() / std::max<int64_t>(1, rowBytes), kBlockUnit, kMostBlockRows);
  if (!rows)
    return most / kBlockUnit * kBlockUnit;
  if (*rows <= most)
    return std::max<int64_t>(1, *rows);
  // Blocks of one size where that is possible, else of about one.
  for (int64_t even = most; even > most / 2; --even)
    if (*rows % even == 0)
      return even;
  return std::min<int64_t>(most, llvm::alignTo(llvm::divideCeil(*rows, llvm::divideCeil(*rows, most)), 4));
}

MachineModel MachineModel::of(Operation *op) {
  MachineModel description;
  DictionaryAttr dict;
  for (Operation *at = op; at && !dict; at = at->getParentOp())
    dict = at->getAttrOfType<DictionaryAttr>(kAttrName);
  if (!dict)
    return description;
  for (const Field &field : kFields)
    if (auto value = dict.getAs<IntegerAttr>(field.key); value && value.getInt() >= 0)
      description.*field.member = value.getInt();
  return description;
}

DictionaryAttr MachineModel::toAttr(MLIRContext *context) const {
  Builder builder(context);
  SmallVector<NamedAttribute> entries;
  for (const Field &field : kFields)
    entries.push_back(builder.getNamedAttr(field.key, builder.getI64IntegerAttr(this->*field.member)));
  return builder.getDictionaryAttr(entries);
}

}  // namespace adze::schedule
