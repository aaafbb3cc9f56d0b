// Model-local functions and ONNX's function bodies.
#include "test/unit/Importer/Build.h"

using namespace adze;
using namespace adze::test;

static onnx::FunctionProto &function(Model &m, const std::string &name, int64_t opset = 28) {
  auto &f = *m.proto.add_functions();
  f.set_domain("local");
  f.set_name(name);
  f.add_input("a");
  f.add_output("b");
  auto *o = f.add_opset_import();
  o->set_domain("");
  o->set_version(opset);
  o = f.add_opset_import();
  o->set_domain("local");
  o->set_version(1);
  return f;
}

static Model caller(const std::string &callee) {
  Model m;
  m.import("local", 1);
  m.input("x", {2, 3}).output("y");
  m.node(callee, {"x"}, {"y"}, "call").set_domain("local");
  return m;
}

TEST_CASE("functions are expanded with attributes bound", "[Importer]") {
  Model m = caller("fn");
  auto &f = function(m, "fn");
  f.add_attribute("slope");
  auto &n = Model::addNode(f, "LeakyRelu", {"a"}, {"t"}, "inner");
  attribute(n, "alpha", onnx::AttributeProto::FLOAT).set_ref_attr_name("slope");
  Model::addNode(f, "Abs", {"t"}, {"b"});
  attribute(*m.graph.mutable_node(0), "slope", onnx::AttributeProto::FLOAT).set_f(0.5f);
  Import i(m.proto.SerializeAsString());
  auto nodes = i.nodes();
  REQUIRE(nodes.size() == 2);
  CHECK(cast<mlir::FloatAttr>(nodes[0].onnxAttr("alpha")).getValueAsDouble() == 0.5);
  // The node in the file is the call.
  CHECK(onnxir::nodeOf(nodes[0].getLoc())->name == "call");
  CHECK(typeText(i.main().getResultTypes()[0]) == "tensor<2x3xf32>");
}

TEST_CASE("an attribute that is not given takes the function's default", "[Importer]") {
  Model m = caller("fn");
  auto &f = function(m, "fn");
  auto *d = f.add_attribute_proto();
  d->set_name("slope");
  d->set_type(onnx::AttributeProto::FLOAT);
  d->set_f(0.25f);
  auto &n = Model::addNode(f, "LeakyRelu", {"a"}, {"b"});
  attribute(n, "alpha", onnx::AttributeProto::FLOAT).set_ref_attr_name("slope");
  Import i(m.proto.SerializeAsString());
  CHECK(cast<mlir::FloatAttr>(i.nodes().at(0).onnxAttr("alpha")).getValueAsDouble() == 0.25);
}

TEST_CASE("two calls of one function do not share names", "[Importer]") {
  Model m = caller("fn");
  m.graph.mutable_node(0)->set_output(0, "t");
  m.node("fn", {"t"}, {"y"}, "second").set_domain("local");
  auto &f = function(m, "fn", 11);
  // Softmax at opset 11 needs conversion, and so names of the converter's own.
  Model::addNode(f, "Softmax", {"a"}, {"b"});
  Import i(m.proto.SerializeAsString());
  REQUIRE(i.module);
  CHECK(i.diags.all().empty());
}

TEST_CASE("functions call functions", "[Importer]") {
  Model m = caller("outer");
  Model::addNode(function(m, "outer"), "inner", {"a"}, {"b"}, "call inner").set_domain("local");
  Model::addNode(function(m, "inner"), "Relu", {"a"}, {"b"});
  Import i(m.proto.SerializeAsString());
  auto nodes = i.nodes();
  REQUIRE(nodes.size() == 1);
  CHECK(onnxir::nodeOf(nodes[0].getLoc())->name == "call");
}

TEST_CASE("an output that is an input passes through", "[Importer]") {
  Model m = caller("fn");
  auto &f = function(m, "fn");
  f.set_output(0, "a");
  Import i(m.proto.SerializeAsString());
  CHECK(i.nodes().at(0).getOpType() == "Identity");
}

TEST_CASE("recursive functions are refused", "[Importer]") {
  Model self = caller("fn");
  Model::addNode(function(self, "fn"), "fn", {"a"}, {"b"}).set_domain("local");
  checkFails(Import(self.proto.SerializeAsString()), ExitCode::InvalidModel, "recursive");
  Model two = caller("f");
  Model::addNode(function(two, "f"), "g", {"a"}, {"b"}).set_domain("local");
  Model::addNode(function(two, "g"), "f", {"a"}, {"b"}).set_domain("local");
  checkFails(Import(two.proto.SerializeAsString()), ExitCode::InvalidModel, "recursive");
}

TEST_CASE("functions that double are counted, not expanded", "[Importer]") {
  Model m = caller("f0");
  for (int i = 0; i < 60; ++i) {
    auto &f = function(m, "f" + std::to_string(i));
    std::string next = "f" + std::to_string(i + 1);
    for (auto [in, out] : {std::pair{"a", "t"}, std::pair{"t", "b"}}) {
      auto &n = Model::addNode(f, i < 59 ? next : "Relu", {in}, {out});
      if (i < 59) n.set_domain("local");
    }
  }
  checkFails(Import(m.proto.SerializeAsString()), ExitCode::ResourceLimit, "function 'f0'");
}

TEST_CASE("operators without converter are replaced by their bodies", "[Importer]") {
  Model m;
  m.input("x", {2, 3}).output("y");
  m.node("Softplus", {"x"}, {"t"}, "sp");
  m.node("Celu", {"t"}, {"y"}, "celu");
  ImportOptions o;
  o.hasConverter = [](llvm::StringRef, llvm::StringRef op, int64_t) { return op != "Celu"; };
  Import i(m, o);
  bool softplus = false;
  for (auto n : i.nodes()) {
    CHECK(n.getOpType() != "Celu");
    softplus |= n.getOpType() == "Softplus";
    CHECK(onnxir::nodeOf(n.getLoc()));
  }
  CHECK(softplus);
  CHECK(typeText(i.main().getResultTypes()[0]) == "tensor<2x3xf32>");
}

TEST_CASE("bodies that depend on types are built", "[Importer]") {
  Model m;
  m.input("x", {2, 3}).input("l", {2}, TensorProto::INT64).output("y");
  m.node("SoftmaxCrossEntropyLoss", {"x", "l"}, {"y"}, "loss");
  ImportOptions o;
  o.hasConverter = [](llvm::StringRef, llvm::StringRef op, int64_t) {
    return op != "SoftmaxCrossEntropyLoss" && op != "NegativeLogLikelihoodLoss";
  };
  Import i(m, o);
  for (auto n : i.nodes()) {
    CHECK(n.getOpType() != "SoftmaxCrossEntropyLoss");
    CHECK(n.getOpType() != "NegativeLogLikelihoodLoss");
  }
}
