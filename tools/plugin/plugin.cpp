// adze's dialects and passes as a plugin for stock mlir-opt-22:
//   mlir-opt-22 --load-dialect-plugin=AdzePlugin.so --load-pass-plugin=AdzePlugin.so
#include "passes/AllPasses.h"

#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

extern "C" LLVM_ATTRIBUTE_WEAK __attribute__((visibility("default"))) mlir::PassPluginLibraryInfo
mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "AdzePasses", LLVM_VERSION_STRING,
          [] { adze::registerAllPasses(); }};
}

extern "C" LLVM_ATTRIBUTE_WEAK __attribute__((visibility("default"))) mlir::DialectPluginLibraryInfo
mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "AdzeDialects", LLVM_VERSION_STRING,
          [](mlir::DialectRegistry *registry) { adze::registerAdzeDialects(*registry); }};
}
