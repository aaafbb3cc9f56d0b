// Nodes against their schemas, and attributes.
#include "test/unit/Importer/Build.h"

using namespace adze;
using namespace adze::test;

static Model withNode(const std::string &op, std::vector<std::string> inputs) {
  Model m;
  m.input("x", {1, 3, 8, 8}).input("w", {4, 3, 3, 3}).output("y");
  m.node(op, std::move(inputs), {"y"}, "n");
  return m;
}

TEST_CASE("attributes map to MLIR's", "[Importer]") {
  Model m;
  m.import("my.ops", 1);
  m.input("x", {2}).output("y");
  auto &n = m.node("Magic", {"x"}, {"y"});
  n.set_domain("my.ops");
  using A = onnx::AttributeProto;
  attribute(n, "f", A::FLOAT).set_f(0.5f);
  attribute(n, "i", A::INT).set_i(-3);
  attribute(n, "s", A::STRING).set_s(std::string("a\0b", 3));
  attribute(n, "fs", A::FLOATS).add_floats(1.5f);
  attribute(n, "is", A::INTS).add_ints(7);
  attribute(n, "none", A::INTS);
  attribute(n, "ss", A::STRINGS).add_strings("t");
  auto *t = attribute(n, "t", A::TENSOR).mutable_t();
  t->set_data_type(TensorProto::INT32);
  t->add_int32_data(5);
  attribute(n, "tp", A::TYPE_PROTO).mutable_tp()->mutable_sequence_type()->mutable_elem_type()
      ->mutable_tensor_type()->set_elem_type(TensorProto::FLOAT);
  Import i(m);
  auto node = i.nodes().at(0);
  CHECK(cast<mlir::FloatAttr>(node.onnxAttr("f")).getValueAsDouble() == 0.5);
  CHECK(cast<mlir::IntegerAttr>(node.onnxAttr("i")).getInt() == -3);
  CHECK(cast<mlir::StringAttr>(node.onnxAttr("s")).getValue() == llvm::StringRef("a\0b", 3));
  CHECK(cast<mlir::DenseF32ArrayAttr>(node.onnxAttr("fs"))[0] == 1.5f);
  CHECK(cast<mlir::DenseI64ArrayAttr>(node.onnxAttr("is"))[0] == 7);
  CHECK(cast<mlir::DenseI64ArrayAttr>(node.onnxAttr("none")).empty());
  CHECK(cast<mlir::ArrayAttr>(node.onnxAttr("ss")).size() == 1);
  CHECK(cast<mlir::DenseElementsAttr>(node.onnxAttr("t")).getSplatValue<int32_t>() == 5);
  CHECK(typeText(cast<mlir::TypeAttr>(node.onnxAttr("tp")).getValue()) == "!onnx.seq<tensor<*xf32>>");
}

TEST_CASE("nodes are checked against their schemas", "[Importer]") {
  checkFails(Import(withNode("Relu", {})), ExitCode::InvalidModel, "input size 0");
  checkFails(Import(withNode("Relu", {"x", "w"})), ExitCode::InvalidModel, "input size 2");
  checkFails(Import(withNode("Upsample", {"x", "w"})), ExitCode::InvalidModel, "deprecated");
  Model unknown = withNode("Relu", {"x"});
  intAttribute(*unknown.graph.mutable_node(0), "slope", 1);
  checkFails(Import(unknown.proto.SerializeAsString()), ExitCode::InvalidModel, "slope");
  Model wrong = withNode("Softmax", {"x"});
  attribute(*wrong.graph.mutable_node(0), "axis", onnx::AttributeProto::FLOAT).set_f(1);
  checkFails(Import(wrong.proto.SerializeAsString()), ExitCode::InvalidModel, "axis");
}

TEST_CASE("attributes are checked by themselves", "[Importer]") {
  using A = onnx::AttributeProto;
  auto refused = [](const char *text, auto edit) {
    Model m = withNode("Softmax", {"x"});
    edit(*m.graph.mutable_node(0));
    checkFails(Import(m.proto.SerializeAsString()), ExitCode::InvalidModel, text);
  };
  refused("'axis' is given twice", [](auto &n) { intAttribute(n, "axis", 1), intAttribute(n, "axis", 1); });
  refused("has no name", [](auto &n) { intAttribute(n, "", 1); });
  refused("has no type", [](auto &n) { attribute(n, "axis", A::UNDEFINED); });
  refused("holds INT but says it is FLOAT", [](auto &n) { attribute(n, "axis", A::FLOAT).set_i(1); });
  refused("has no value", [](auto &n) { attribute(n, "axis", A::GRAPH); });
  refused("outside of a function", [](auto &n) { attribute(n, "axis", A::INT).set_ref_attr_name("a"); });
}

TEST_CASE("what shape inference refuses names the node", "[Importer]") {
  Model m = withNode("Softmax", {"x"});
  intAttribute(*m.graph.mutable_node(0), "axis", 7);
  Import i(m.proto.SerializeAsString());
  checkFails(i, ExitCode::InvalidModel, "7");
  CHECK(i.first().code == "ADZ0170");
  CHECK(i.first().node == "n");
  Model stride = withNode("Conv", {"x", "w"});
  auto &strides = attribute(*stride.graph.mutable_node(0), "strides", onnx::AttributeProto::INTS);
  strides.add_ints(0);
  strides.add_ints(1);
  checkFails(Import(stride.proto.SerializeAsString()), ExitCode::InvalidModel, "strides");
}
