// Parses a module of adze's graph dialect and runs a pass over it.
#include "passes/AllPasses.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

static const char *text = R"(
func.func @f(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = adze.elementwise add(%x, %x) : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
})";

int main() {
  mlir::DialectRegistry registry;
  adze::registerAllDialects(registry);
  adze::registerAllPasses();
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  if (!module) return 1;
  mlir::PassManager pm(&context);
  pm.addPass(mlir::createCanonicalizerPass());
  return mlir::succeeded(pm.run(*module)) ? 0 : 1;
}
