// mlir-opt with adze's dialects and passes, for lit tests and pass authors.
#include "passes/AllPasses.h"
#include "passes/Pipelines.h"
#include "targets/Target.h"

#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  adze::registerAllDialects(registry);
  mlir::registerAllPasses();
  adze::registerAllPasses();
  adze::registerTargetPasses();
  adze::registerPipelines();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "adze pass driver\n", registry));
}
