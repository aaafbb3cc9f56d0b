#include "passes/Schedule/MachineModel.h"

#include <array>

using namespace mlir;

namespace adze::schedule {
namespace {

struct Field {
  llvm::StringLiteral key;
  int64_t MachineModel::*member;
};

constexpr std::array<Field, 7> kFields = {{
    {"vector_bits", &MachineModel::vectorBits},
    {"vector_registers", &MachineModel::vectorRegisters},
    {"mask_bits", &MachineModel::maskBits},
    {"fma_latency", &MachineModel::fmaLatency},
    {"l1_bytes", &MachineModel::l1Bytes},
    {"l2_bytes", &MachineModel::l2Bytes},
    {"task_work", &MachineModel::taskWork},
}};

}  // namespace

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
