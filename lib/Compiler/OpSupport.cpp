#include "lib/Compiler/OpSupport.h"

#include "dialects/Onnx/Onnx.h"
#include "passes/Import/Registry.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/MLIRContext.h"

using namespace mlir;

namespace adze {

/// onnx.node "Op"(%x) of unranked tensors, in a block of its own.
static onnxir::NodeOp bareNode(OpBuilder &b, Block &block, const convert::OpEntry &entry,
                               Type element) {
  Type type = UnrankedTensorType::get(element);
  b.setInsertionPointToEnd(&block);
  return onnxir::NodeOp::create(b, b.getUnknownLoc(), TypeRange(type), b.getStringAttr(entry.name),
                                b.getStringAttr(entry.domain),
                                b.getI64IntegerAttr(entry.minVersion), DictionaryAttr(),
                                ArrayAttr(), block.addArgument(type, b.getUnknownLoc()), 0);
}

std::vector<OpSupportRow> supportedOps(const Target &target) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<onnxir::OnnxDialect>();
  OpBuilder b(&context);
  std::vector<OpSupportRow> rows;
  for (const convert::OpEntry &entry : convert::allOps()) {
    uint32_t here = 0;
    Block block;
    for (auto [bit, element] : convert::elementTypes(entry.dtypes, &context))
      if (target.placement(bareNode(b, block, entry, element)).elsewhere.empty()) here |= bit;
    if (here)
      rows.push_back({*entry.domain ? entry.domain : "ai.onnx", entry.name, entry.minVersion,
                      entry.maxVersion, convert::dtypeNames(here)});
  }
  return rows;
}

}  // namespace adze
