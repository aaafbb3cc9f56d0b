#include "lib/Compiler/Roundings.h"

#include "catch2/catch.hpp"
#include "dialects/Graph/Graph.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;

static adze::Roundings roundingsOf(const std::string &body) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<adze::graph::AdzeDialect, func::FuncDialect>();
  auto module = parseSourceString<ModuleOp>(
      "func.func @main(%x: tensor<2x8xf16>, %w: tensor<8x3xf16>, %c: tensor<i1>) -> tensor<2x3xf16> {\n" +
          body + "return %y : tensor<2x3xf16> }", &context);
  REQUIRE(module);
  return adze::roundingsOf(*module);
}

static const std::string kProduct =
    "%p = adze.matmul %x, %w : (tensor<2x8xf16>, tensor<8x3xf16>) -> tensor<2x3xf16>\n";

TEST_CASE("the longest way counts roundings and terms", "[Compiler]") {
  auto softmax = roundingsOf(
      kProduct + "%y = adze.softmax %p {axis = 1 : i64} : (tensor<2x3xf16>) -> tensor<2x3xf16>\n");
  CHECK(softmax.steps == 5);
  CHECK(softmax.terms == 8 + 3);
  // A maximum is one of its operands; the shorter way does not count.
  auto maximum = roundingsOf(kProduct +
                             "%q = adze.elementwise exp(%p) : (tensor<2x3xf16>) -> tensor<2x3xf16>\n"
                             "%y = adze.elementwise max(%p, %q) : (tensor<2x3xf16>, tensor<2x3xf16>) -> tensor<2x3xf16>\n");
  CHECK(maximum.steps == 2);
  CHECK(maximum.terms == 8);
}

TEST_CASE("regions lengthen the way", "[Compiler]") {
  auto branch = roundingsOf(kProduct + R"(
    %y = adze.if %c : (tensor<i1>) -> tensor<2x3xf16> {
      %a = adze.elementwise exp(%p) : (tensor<2x3xf16>) -> tensor<2x3xf16>
      adze.yield %a : tensor<2x3xf16>
    } else {
      adze.yield %p : tensor<2x3xf16>
    })");
  // What a region uses from around it counts.
  CHECK(branch.steps == 2);
  CHECK(branch.terms == 8);
}
