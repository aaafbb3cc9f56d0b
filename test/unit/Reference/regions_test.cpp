#include "Evaluate.h"

#include "lib/Reference/Fold.h"
#include "dialects/Graph/Graph.h"

using namespace mlir;
namespace adze::reference {

TEST_CASE("if runs one region and sees values around it", "[Reference]") {
  auto module = parse(R"(func.func @main(%c: tensor<i1>, %x: tensor<2xi64>) -> tensor<2xi64> {
    %y = adze.elementwise add(%x, %x) : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
    %r = adze.if %c : (tensor<i1>) -> tensor<2xi64> {
      adze.yield %y : tensor<2xi64>
    } else {
      %z = adze.elementwise neg(%y) : (tensor<2xi64>) -> tensor<2xi64>
      adze.yield %z : tensor<2xi64>
    }
    return %r : tensor<2xi64>
  })");
  auto run = [&](double c) {
    return toInts((*runModule(*module, {tensor("i1", {c}), tensor("2xi64", {1, 2})}))[0]);
  };
  CHECK(run(1) == std::vector<int64_t>{2, 4});
  CHECK(run(0) == std::vector<int64_t>{-2, -4});
}

TEST_CASE("loop carries values and stacks scans", "[Reference]") {
  auto module = parse(R"(func.func @main(%n: tensor<i64>, %x: tensor<i64>) -> (tensor<i64>, tensor<?xi64>) {
    %true = adze.constant dense<true> : tensor<i1> : tensor<i1>
    %limit = adze.constant dense<20> : tensor<i64> : tensor<i64>
    %r:2 = adze.loop %n, %true, %x : (tensor<i64>, tensor<i1>, tensor<i64>) -> (tensor<i64>, tensor<?xi64>) {
    ^bb0(%i: tensor<i64>, %c: tensor<i1>, %v: tensor<i64>):
      %d = adze.elementwise add(%v, %v) : (tensor<i64>, tensor<i64>) -> tensor<i64>
      %go = adze.elementwise less(%d, %limit) : (tensor<i64>, tensor<i64>) -> tensor<i1>
      adze.yield %go, %d, %v : tensor<i1>, tensor<i64>, tensor<i64>
    }
    return %r#0, %r#1 : tensor<i64>, tensor<?xi64>
  })");
  auto results = runModule(*module, {tensor("i64", {100}), tensor("i64", {3})});
  REQUIRE(succeeded(results));
  CHECK(toInts((*results)[0]) == std::vector<int64_t>{24});
  CHECK(toInts((*results)[1]) == std::vector<int64_t>{3, 6, 12});
  results = runModule(*module, {tensor("i64", {0}), tensor("i64", {3})});
  REQUIRE(succeeded(results));
  CHECK((*results)[1].size() == 0);
}

TEST_CASE("a function is evaluated only on inputs of its types", "[Reference]") {
  auto module = parse("func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> { return %x : tensor<2xf32> }");
  std::string message;
  CHECK(failed(runModule(*module, {tensor("3xf32", {1, 2, 3})}, &message)));
  CHECK(message == "an input has type tensor<3xf32>, not tensor<2xf32>");
  CHECK(failed(runModule(*module, {}, &message)));
  CHECK(message == "needs 1 inputs, got 0");
}

TEST_CASE("a tensor above the limit is an error", "[Reference]") {
  std::string message;
  auto module = parse(R"(func.func @main(%n: tensor<i64>) -> tensor<?xi64> {
    %0 = adze.constant dense<0> : tensor<i64> : tensor<i64>
    %1 = adze.constant dense<1> : tensor<i64> : tensor<i64>
    %r = adze.range %0, %n, %1 : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
    return %r : tensor<?xi64>
  })");
  CHECK(failed(runModule(*module, {tensor("i64", {1e12})}, &message)));
  CHECK(message.find("a tensor of more than") != std::string::npos);
}

TEST_CASE("constants fold", "[Reference]") {
  auto module = parse(R"(func.func @main() -> tensor<?x?xf32> {
    %c = adze.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32> : tensor<2x3xf32>
    %t = adze.transpose %c {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<3x2xf32>
    %s = adze.constant dense<[32, 32]> : tensor<2xi64> : tensor<2xi64>
    %one = adze.constant dense<1.0> : tensor<f32> : tensor<f32>
    %e = adze.expand %one, %s : (tensor<f32>, tensor<2xi64>) -> tensor<?x?xf32>
    return %e : tensor<?x?xf32>
  })");
  SmallVector<Operation *> ops;
  module->walk([&](Operation *op) {
    if (isa<graph::TransposeOp, graph::ExpandOp>(op)) ops.push_back(op);
  });
  auto transposed = foldConstants(ops[0], 1024);
  REQUIRE(transposed);
  auto dense = dyn_cast<DenseElementsAttr>((*transposed)[0]);
  REQUIRE(dense);
  CHECK(llvm::to_vector(dense.getValues<float>()) == SmallVector<float>{1, 4, 2, 5, 3, 6});
  CHECK_FALSE(foldConstants(ops[1], 1024));
  auto expanded = foldConstants(ops[1], 1 << 20);
  REQUIRE(expanded);
  REQUIRE(isa<DenseResourceElementsAttr>((*expanded)[0]));
  // Equal contents share one resource.
  CHECK((*foldConstants(ops[1], 1 << 20))[0] == (*expanded)[0]);
  auto back = Tensor::fromAttr((*expanded)[0]);
  REQUIRE(back);
  CHECK(toDoubles(*back) == std::vector<double>(1024, 1.0));
}

}  // namespace adze::reference
