// Every example of the lit tests of the graph passes, evaluated.
#include "Differential.h"

#include "catch2/catch.hpp"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace adze;

static std::vector<std::string> exampleFiles() {
  std::vector<std::string> files;
  for (StringRef room : {"Fusion", "Graph", "Layout"}) {
    std::error_code ec;
    std::string folder = (llvm::Twine(ADZE_PASS_TESTS) + "/" + room).str();
    for (llvm::sys::fs::directory_iterator it(folder, ec), end; it != end && !ec; it.increment(ec))
      if (StringRef path = it->path(); path.ends_with(".mlir") && !path.ends_with("/errors.mlir"))
        files.push_back(path.str());
  }
  llvm::sort(files);
  return files;
}

static void checkFunction(ModuleOp module, func::FuncOp function, std::mt19937 &random) {
  SmallVector<reference::Tensor> inputs;
  for (Type type : function.getArgumentTypes())
    inputs.push_back(argumentFor(cast<RankedTensorType>(type), random));
  checkPipelines(module, function.getName(), inputs);
}

TEST_CASE("passes keep the meaning of their examples", "[Passes]") {
  std::vector<std::string> files = exampleFiles();
  REQUIRE(files.size() >= 7);
  std::mt19937 random(7);
  for (const std::string &file : files) {
    INFO(file);
    auto buffer = llvm::MemoryBuffer::getFile(file);
    REQUIRE(buffer);
    SmallVector<StringRef> parts;
    (*buffer)->getBuffer().split(parts, "// -----");
    for (StringRef part : parts) {
      auto module = parseSourceString<ModuleOp>(part, &graphContext());
      REQUIRE(module);
      for (func::FuncOp function : module->getOps<func::FuncOp>())
        checkFunction(*module, function, random);
    }
  }
}
