// Keys of kernels, candidates for their schedules, and schedules that were found.
#include "passes/Schedule/Candidates.h"
#include "passes/Schedule/Fit.h"
#include "passes/Schedule/Passes.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include "catch2/catch.hpp"

using namespace mlir;
using namespace adze::schedule;

namespace {

/// Two kernels that differ in their names, one of another shape, an elementwise one.
constexpr const char *kModule = R"(
#a = affine_map<(m, n, k) -> (m, k)>
#b = affine_map<(m, n, k) -> (k, n)>
#c = affine_map<(m, n, k) -> (m, n)>
module attributes {adze.target = {vector_bits = 512, vector_registers = 32, mask_bits = 8}} {
  func.func private @first(%a: memref<96x64xf32>, %b: memref<64x128xf32>, %c: memref<96x128xf32>) {
    linalg.matmul ins(%a, %b : memref<96x64xf32>, memref<64x128xf32>) outs(%c : memref<96x128xf32>)
    return
  }
  func.func private @second(%x: memref<96x64xf32>, %y: memref<64x128xf32>, %z: memref<96x128xf32>) attributes {adze.work = {}} {
    linalg.matmul ins(%x, %y : memref<96x64xf32>, memref<64x128xf32>) outs(%z : memref<96x128xf32>)
    return
  }
  func.func private @shape(%a: memref<95x64xf32>, %b: memref<64x128xf32>, %c: memref<95x128xf32>) {
    linalg.matmul ins(%a, %b : memref<95x64xf32>, memref<64x128xf32>) outs(%c : memref<95x128xf32>)
    return
  }
}
)";

struct Fixture {
  Fixture() {
    context.loadDialect<func::FuncDialect, linalg::LinalgDialect, arith::ArithDialect,
                        memref::MemRefDialect>();
    module = parseSourceString<ModuleOp>(kModule, &context);
    REQUIRE(module);
    run([](OpPassManager &pm) { pm.addPass(createAssignSchedule()); });
  }

  void run(llvm::function_ref<void(OpPassManager &)> build) {
    PassManager pm(&context);
    build(pm.nest<func::FuncOp>());
    REQUIRE(succeeded(pm.run(*module)));
  }

  func::FuncOp function(StringRef name) { return module->lookupSymbol<func::FuncOp>(name); }
  std::string key(StringRef name) { return kernelKey(function(name)); }

  Attribute scheduleOf(StringRef name) {
    Attribute found;
    forEachUnit(function(name), MachineModel::of(*module),
                [&](unsigned, Unit &unit) { found = unit.anchor()->getAttr(kScheduleAttr); });
    return found;
  }

  /// Runs adze-apply-tuned with this entry for @first; what it remarked.
  std::string apply(StringRef text) {
    Attribute entry = parseAttribute(text, &context);
    REQUIRE(entry);
    Builder b(&context);
    (*module)->setAttr(kTunedAttr, b.getDictionaryAttr(b.getNamedAttr(tunedName(key("first"), 0), entry)));
    std::string remark;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &d) { remark = d.str(); });
    run([](OpPassManager &pm) { pm.addPass(createApplyTuned()); });
    return remark;
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
  OwningOpRef<ModuleOp> module;
};

}  // namespace

TEST_CASE("a kernel's key is that of its code, not of its name", "[Schedule]") {
  Fixture f;
  CHECK(f.key("first").size() == 16);
  CHECK(f.key("first") == f.key("second"));
  CHECK(f.key("first") != f.key("shape"));
  CHECK(Fixture().key("first") == f.key("first"));
}

TEST_CASE("a key changes with the schedule that was decided", "[Schedule]") {
  Fixture f;
  std::string before = f.key("first");
  f.apply(R"({loops = ["d0 by 2", "d1 by 16", "d2 by 1"], tile = array<i64: 2, 1, 1>, vector = 1, lanes = 16})");
  CHECK(f.key("first") != before);
}

TEST_CASE("candidates fit their unit, differ from each other and from the decided one",
          "[Schedule]") {
  Fixture f;
  MachineModel machine = MachineModel::of(*f.module);
  forEachUnit(f.function("first"), machine, [&](unsigned, Unit &unit) {
    std::string error;
    auto attr = unit.anchor()->getAttrOfType<DictionaryAttr>(kScheduleAttr);
    auto decided = fitSchedule(attr, unit, error);
    REQUIRE(succeeded(decided));
    auto candidates = candidateSchedules(unit, *decided, machine, 20);
    CHECK(candidates.size() == 20);
    std::vector<Attribute> seen{attr};
    for (const Schedule &s : candidates) {
      CHECK(whyUnfit(unit, s) == "");
      Attribute text = s.toAttr(&f.context);
      CHECK_FALSE(llvm::is_contained(seen, text));
      seen.push_back(text);
    }
    // Sums in most of the registers, or of them all but a few, come first.
    const Schedule &best = candidates.front();
    CHECK(best.lanes == 16);
    CHECK(best.tile[0] * best.tile[1] >= 8);
    CHECK(best.tile[0] * best.tile[1] <= 32);
    CHECK(candidateSchedules(unit, *decided, machine, 3).size() == 3);
  });
}

TEST_CASE("a schedule that was found takes the place of the decided one", "[Schedule]") {
  Fixture f;
  Attribute decided = f.scheduleOf("second"), shape = f.scheduleOf("shape");
  // Both kernels have the key.
  CHECK(f.apply(R"({loops = ["d0 by 2", "d1 by 16", "d2 by 1"], tile = array<i64: 2, 1, 1>, vector = 1, lanes = 16})") == "");
  CHECK(f.scheduleOf("first") != decided);
  CHECK(f.scheduleOf("first") == f.scheduleOf("second"));
  CHECK(f.scheduleOf("shape") == shape);
}

TEST_CASE("a schedule that does not fit is refused, and the decided one stays", "[Schedule]") {
  const char *kBad[] = {
      "7", "{}", R"({loops = ["d0 by 1"], tile = array<i64: 1>})",
      R"({loops = ["d0 by 1", "d1 by 1", "d2 by 2", "d2 by 1"], tile = array<i64: 1, 1, 1>})",
      R"({loops = ["d0 by 64", "d1 by 64", "d2 by 64"], tile = array<i64: 64, 64, 64>})",
      R"({loops = ["d0 by 1", "d1 by 1", "d2 by 1"], tile = array<i64: 1, 1, 1>, vector = -9, lanes = 1})"};
  for (const char *bad : kBad) {
    Fixture f;
    Attribute decided = f.scheduleOf("first");
    INFO(bad);
    CHECK(StringRef(f.apply(bad)).starts_with("the tuned schedule does not fit: "));
    CHECK(f.scheduleOf("first") == decided);
  }
}
