#include "lib/Compiler/KernelValues.h"

#include "dialects/Graph/Graph.h"
#include "lib/Compiler/Compiler.h"
#include "lib/Compiler/Signature.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace adze {

void keepKernelValues(ModuleOp module) {
  auto entry = cast<func::FuncOp>(entryFunction(module));
  Operation *exit = entry.getBody().front().getTerminator();
  OpBuilder b(module.getContext());
  int64_t number = 0;
  entry.walk([&](graph::FusionOp fusion) {
    int64_t kernel = number++;
    if (fusion->getParentOp() != entry) return;  // one value an iteration
    for (OpResult r : fusion.getResults()) {
      Type element = getElementTypeOrSelf(r.getType());
      if (dtypeOf(element) == artifact::DType::Undefined ||
          llvm::is_contained(exit->getOperands(), r))
        continue;
      std::string name = kKernelValuePrefix + std::to_string(kernel) + "." +
                         std::to_string(r.getResultNumber());
      NamedAttribute attr = b.getNamedAttr("onnx.name", b.getStringAttr(name));
      (void)entry.insertResult(entry.getNumResults(), r.getType(), b.getDictionaryAttr(attr));
      exit->insertOperands(exit->getNumOperands(), r);
    }
  });
}

}  // namespace adze
