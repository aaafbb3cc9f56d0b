// What a target places elsewhere is no more supported than what does not convert.
#include "lib/Compiler/OpSupport.h"
#include "passes/Import/Coverage.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

#include <catch2/catch.hpp>

using namespace adze;

namespace {

/// Has no convolution, and nothing in bfloat16.
struct SmallTarget : Target {
  std::string name() const override { return "small"; }
  std::string summary() const override { return ""; }
  mlir::FailureOr<TargetInfo> describe(mlir::MLIRContext &, const TargetOptions &,
                                       DiagnosticEngine &) const override {
    return mlir::failure();
  }
  Placement placement(mlir::Operation *op) const override {
    auto node = mlir::cast<onnxir::NodeOp>(op);
    if (node.getOpType() == "Conv") return {"no convolution unit"};
    auto type = mlir::cast<mlir::ShapedType>(node.getInputs().front().getType());
    if (type.getElementType().isBF16()) return {"no bfloat16"};
    return {};
  }
  void buildSchedulePipeline(mlir::OpPassManager &, const TargetOptions &) const override {}
  void buildEmitPipeline(mlir::OpPassManager &, const TargetOptions &) const override {}
  bool emit(mlir::ModuleOp, const TargetInfo &, const TargetOptions &, artifact::Contents &,
            std::vector<std::shared_ptr<std::vector<std::byte>>> &,
            DiagnosticEngine &) const override {
    return false;
  }
};

const OpSupportRow *find(const std::vector<OpSupportRow> &rows, const std::string &name) {
  for (const OpSupportRow &row : rows)
    if (row.name == name) return &row;
  return nullptr;
}

}  // namespace

TEST_CASE("the list of ops is what the target places on itself", "[Compiler]") {
  auto host = supportedOps("host");
  REQUIRE(host);
  REQUIRE(find(*host, "Conv"));
  CHECK_THAT(find(*host, "Relu")->dtypes, Catch::Contains("bfloat16"));
  auto small = supportedOps(SmallTarget());
  CHECK_FALSE(find(small, "Conv"));
  REQUIRE(find(small, "Relu"));
  CHECK_THAT(find(small, "Relu")->dtypes, !Catch::Contains("bfloat16"));
  CHECK_THAT(find(small, "Relu")->dtypes, Catch::Contains("float32"));
  CHECK_FALSE(supportedOps("toaster"));
}

TEST_CASE("the coverage check tells why a target does not take a node", "[Compiler]") {
  mlir::MLIRContext context;
  context.loadDialect<onnxir::OnnxDialect, mlir::func::FuncDialect>();
  const char *text = R"(
    func.func @main(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>) {
      %0 = onnx.node "Relu"(%x) {since_version = 14 : i64} : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>
      %1 = onnx.node "Conv"(%0, %w) {since_version = 22 : i64} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> tensor<1x4x6x6xf32>
      return
    })";
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  REQUIRE(module);
  SmallTarget target;
  auto placement = [&](onnxir::NodeOp op) { return target.placement(op).elsewhere; };
  DiagnosticEngine diags;
  CHECK_FALSE(checkCoverage(*module, "small", placement, diags));
  REQUIRE(diags.errorCount() == 1);
  const Diagnostic &d = diags.all().front();
  CHECK(d.code == "ADZ0201");
  CHECK(d.exitCode == ExitCode::Unsupported);
  CHECK_THAT(d.message,
             Catch::Contains("1 operator form, in 1 node, is not supported by target 'small'"));
  REQUIRE(d.notes.size() == 1);
  CHECK_THAT(d.notes.front(), Catch::Contains("Conv") && Catch::Contains("no convolution unit"));
}
