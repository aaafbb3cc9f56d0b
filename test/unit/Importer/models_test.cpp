// What a good model becomes.
#include "test/unit/Importer/Build.h"

using namespace adze;
using namespace adze::test;
using Catch::Contains;

TEST_CASE("a model becomes a function with its signature", "[Importer]") {
  Model m(13);
  m.input("x", {-1, 4}).output("y");
  m.node("Relu", {"x"}, {"y"}, "my relu");
  auto *p = m.proto.add_metadata_props();
  p->set_key("character");
  p->set_value("abc");
  Import i(m);
  auto nodes = i.nodes();
  REQUIRE(nodes.size() == 1);
  CHECK(nodes[0].getOpType() == "Relu");
  CHECK(nodes[0].getSinceVersion() == 14);
  CHECK(typeText(nodes[0].getResult(0).getType()) == "tensor<?x4xf32>");
  CHECK(cast<mlir::StringAttr>(i.main().getArgAttr(0, onnxir::kName)) == "x");
  auto dims = cast<mlir::ArrayAttr>(i.main().getArgAttr(0, onnxir::kDims));
  CHECK(cast<mlir::StringAttr>(dims[0]) == "N");
  CHECK((*i.module)->getAttrOfType<mlir::IntegerAttr>(onnxir::kOriginalOpset).getInt() == 13);
  CHECK((*i.module)->getAttrOfType<mlir::ArrayAttr>(onnxir::kMetadata).size() == 1);
  auto opsets = (*i.module)->getAttrOfType<mlir::DictionaryAttr>(onnxir::kOpsets);
  CHECK(cast<mlir::IntegerAttr>(opsets.get("ai.onnx")).getInt() == 28);
}

TEST_CASE("locations name the node", "[Importer]") {
  Model m;
  m.input("x", {2}).output("y");
  m.node("Relu", {"x"}, {"t"}, "first");
  m.node("Neg", {"t"}, {"y"});
  Import i(m);
  auto nodes = i.nodes();
  auto first = onnxir::nodeOf(nodes[0].getLoc()), second = onnxir::nodeOf(nodes[1].getLoc());
  REQUIRE((first && second));
  CHECK(first->name == "first");
  CHECK(first->graph == "g");
  CHECK(first->opType == "Relu");
  // A node without a name goes by its first output.
  CHECK(second->name == "y");
  CHECK(second->index == 1);
}

TEST_CASE("locations outlive the version converter", "[Importer]") {
  Model m(11);
  m.input("x", {2, 3}).output("y");
  intAttribute(m.node("Softmax", {"x"}, {"t"}, "soft"), "axis", 0);
  m.node("Relu", {"t"}, {"y"}, "relu");
  Import i(m);
  bool found = false;
  for (auto n : i.nodes()) {
    REQUIRE(onnxir::nodeOf(n.getLoc()));
    found |= n.getOpType() == "Softmax" && onnxir::nodeOf(n.getLoc())->name == "soft";
  }
  CHECK(found);
}

TEST_CASE("a model that the converter refuses stays at its opset", "[Importer]") {
  Model m(9);
  m.input("x", {2, 3}).output("y");
  // The converter knows no operator of this name.
  m.node("Relu", {"x"}, {"t"});
  m.node("NoSuchOperator", {"t"}, {"y"}, "odd");
  Import i(m);
  auto nodes = i.nodes();
  REQUIRE(nodes.size() == 2);
  CHECK(nodes[1].getOpType() == "NoSuchOperator");
  CHECK(isa<onnxir::UnknownType>(nodes[1].getResult(0).getType()) == false);
  CHECK(i.first().severity == Severity::Note);
  CHECK_THAT(i.message(), Contains("stays at opset 9"));
}

TEST_CASE("unused domains are no error, unknown operators neither", "[Importer]") {
  Model m;
  m.import("Paddle", 1).import("my.ops", 7);
  m.input("x", {2}).output("y");
  m.node("Magic", {"x", ""}, {"y"}).set_domain("my.ops");
  Import i(m);
  auto nodes = i.nodes();
  REQUIRE(nodes.size() == 1);
  CHECK(nodes[0].getDomain() == "my.ops");
  CHECK(nodes[0].getSinceVersion() == 7);
  CHECK_FALSE(nodes[0].hasInput(1));
}

TEST_CASE("subgraphs become bodies that use outer values", "[Importer]") {
  Model m;
  m.input("c", {}, TensorProto::BOOL).input("x", {2}).output("y");
  auto &n = m.node("If", {"c"}, {"y"}, "if");
  for (const char *name : {"then_branch", "else_branch"}) {
    auto *g = attribute(n, name, onnx::AttributeProto::GRAPH).mutable_g();
    g->set_name(name);
    Model::addNode(*g, "Relu", {"x"}, {"inner"});
    g->add_output()->set_name("inner");
  }
  Import i(m);
  auto nodes = i.nodes();
  REQUIRE(nodes.size() == 3);
  mlir::Region *body = nodes[0].body("else_branch");
  REQUIRE(body);
  CHECK(nodes[1].getInputs()[0] == i.main().getArgument(1));
  CHECK(typeText(nodes[0].getResult(0).getType()) == "tensor<2xf32>");
  auto ref = onnxir::nodeOf(nodes[2].getLoc());
  CHECK(ref->graph == "else_branch");
}

TEST_CASE("a name of a subgraph hides one around it", "[Importer]") {
  Model m;
  m.input("c", {}, TensorProto::BOOL).input("x", {2}).output("y");
  m.node("Neg", {"x"}, {"t"}, "outer");
  auto &n = m.node("If", {"c"}, {"y"}, "if");
  for (const char *name : {"then_branch", "else_branch"}) {
    auto *g = attribute(n, name, onnx::AttributeProto::GRAPH).mutable_g();
    g->set_name(name);
    Model::addNode(*g, "Relu", {"t"}, {"u"});
    Model::addNode(*g, "Abs", {"u"}, {"t"});
    g->add_output()->set_name("t");
  }
  m.proto.mutable_opset_import(0)->set_version(21);  // the converter copes as well
  Import i(m);
  REQUIRE(i.module);
  CHECK(i.diags.all().empty());
  for (auto node : i.nodes())
    if (node.getOpType() == "Relu")
      CHECK(node.getInputs()[0].getDefiningOp<onnxir::NodeOp>().getOpType() == "Neg");
}

TEST_CASE("initialised inputs are constants", "[Importer]") {
  Model m;
  m.input("x", {2}).input("w", {2}).output("y");
  m.initializer("w", {2}, {1, 2});
  m.node("Add", {"x", "w"}, {"y"});
  Import i(m);
  CHECK(i.main().getNumArguments() == 1);
  CHECK(i.constants().size() == 1);
}

TEST_CASE("shapes given by the user reach the types", "[Importer]") {
  Model m;
  m.input("x", {-1, 4}).input("z", {-1, 4}).output("y");
  m.node("Add", {"x", "z"}, {"y"});
  ImportOptions o;
  o.shapes["x"] = {{3, 3}, {4, 4}};
  Import fixed(m, o);
  CHECK(typeText(fixed.main().getArgumentTypes()[1]) == "tensor<3x4xf32>");
  CHECK(typeText(fixed.main().getResultTypes()[0]) == "tensor<3x4xf32>");
  o.shapes["x"] = {{1, 8}, {4, 4}};
  Import range(m, o);
  CHECK(typeText(range.main().getArgumentTypes()[0]) == "tensor<?x4xf32>");
  CHECK(range.main().getArgAttr(0, onnxir::kRanges));
}

TEST_CASE("an extent of -1 or without a name may be any", "[Importer]") {
  Model m;
  m.input("x", {-1, 4, -1}).output("y");
  m.node("Relu", {"x"}, {"y"});
  auto *dims = m.proto.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  dims->mutable_dim(0)->set_dim_param("?");
  dims->mutable_dim(1)->set_dim_value(-1);
  dims->mutable_dim(2)->set_dim_param("?");
  ImportOptions o;
  o.shapes["x"] = {{3, 3}, {5, 5}, {7, 7}};
  CHECK(typeText(Import(m, o).main().getArgumentTypes()[0]) == "tensor<3x5x7xf32>");
}

TEST_CASE("shapes that do not fit are usage errors", "[Importer]") {
  Model m;
  m.input("x", {-1, 4}).output("y");
  m.node("Relu", {"x"}, {"y"});
  ImportOptions o;
  o.shapes["x"] = {{3, 3}};
  checkFails(Import(m, o), ExitCode::Usage, "has 2 dimensions, not 1");
  o.shapes["x"] = {{3, 3}, {5, 5}};
  checkFails(Import(m, o), ExitCode::Usage, "dimension 1 is 4 in the model");
  o.shapes["x"] = {{8, 1}, {4, 4}};
  checkFails(Import(m, o), ExitCode::Usage, "range is empty");
  o.shapes = {{"q", {{1, 1}}}};
  checkFails(Import(m, o), ExitCode::Usage, "no such input; it has x");
}

TEST_CASE("stale types in the file are not believed", "[Importer]") {
  Model m;
  m.input("x", {2, 3}).output("y");
  m.node("Relu", {"x"}, {"t"});
  m.node("Relu", {"t"}, {"y"});
  Model::tensorType(*m.graph.add_value_info(), "t", {7, 7, 7});
  Import i(m);
  CHECK(typeText(i.main().getResultTypes()[0]) == "tensor<2x3xf32>");
}

TEST_CASE("text models are read", "[Importer]") {
  std::string path = std::string(std::tmpnam(nullptr)) + ".onnxtxt";
  FILE *f = std::fopen(path.c_str(), "w");
  REQUIRE(f);
  std::fputs("<ir_version: 8, opset_import: [\"\" : 17]>\n"
             "g (float[N,4] x) => (float[N,4] y) { y = Relu(x) }", f);
  std::fclose(f);
  mlir::MLIRContext context;
  DiagnosticEngine diags;
  auto module = importModel(path, context, {}, diags);
  std::remove(path.c_str());
  CHECK(module);
}
