// Versions, names and order.
#include "test/unit/Importer/Build.h"

using namespace adze;
using namespace adze::test;

static Model reluModel(int64_t opset = 28) {
  Model m(opset);
  m.input("x", {2}).output("y");
  m.node("Relu", {"x"}, {"y"}, "r");
  return m;
}

TEST_CASE("IR versions", "[Importer]") {
  Model m = reluModel();
  m.proto.set_ir_version(0);
  checkFails(Import(m.proto.SerializeAsString()), ExitCode::InvalidModel, "IR version");
  m.proto.set_ir_version(999);
  checkFails(Import(m.proto.SerializeAsString()), ExitCode::Unsupported, "IR version 999 is newer");
}

TEST_CASE("opsets", "[Importer]") {
  checkFails(Import(reluModel(999)), ExitCode::Unsupported, "opset 999");
  checkFails(Import(reluModel(0)), ExitCode::InvalidModel, "opset 0");
  Model none = reluModel();
  none.proto.clear_opset_import();
  checkFails(Import(none.proto.SerializeAsString()), ExitCode::InvalidModel, "imports no operator set");
  Model twice = reluModel();
  twice.import("ai.onnx", 12);
  checkFails(Import(twice.proto.SerializeAsString()), ExitCode::InvalidModel, "at two opsets, 28 and 12");
  Model domain = reluModel();
  domain.graph.mutable_node(0)->set_domain("my.ops");
  checkFails(Import(domain.proto.SerializeAsString()), ExitCode::InvalidModel, "'my.ops' is not imported");
}

TEST_CASE("names are unique", "[Importer]") {
  Model m = reluModel();
  m.node("Abs", {"x"}, {"y"}, "again");
  Import i(m.proto.SerializeAsString());
  checkFails(i, ExitCode::InvalidModel, "output 'y' has a name that is in use");
  CHECK(i.first().node == "again");
  CHECK(i.first().nodeIndex == 1);
  CHECK(i.first().opType == "Abs");
}

TEST_CASE("values are defined before they are used", "[Importer]") {
  Model undefined;
  undefined.input("x", {2}).output("y");
  undefined.node("Add", {"x", "q"}, {"y"}, "a");
  checkFails(Import(undefined), ExitCode::InvalidModel, "input 'q' is defined nowhere");

  Model late;
  late.input("x", {2}).output("y");
  late.node("Relu", {"t"}, {"y"}, "a");
  late.node("Relu", {"x"}, {"t"}, "b");
  checkFails(Import(late), ExitCode::InvalidModel, "made by a later node (#1)");

  Model cycle;
  cycle.input("x", {2}).output("y");
  cycle.node("Add", {"x", "z"}, {"y"}, "a");
  cycle.node("Relu", {"y"}, {"z"}, "b");
  checkFails(Import(cycle), ExitCode::InvalidModel, "cycle: 'a' -> 'b' -> 'a'");

  Model self;
  self.input("x", {2}).output("y");
  self.node("Add", {"x", "y"}, {"y"}, "a");
  checkFails(Import(self), ExitCode::InvalidModel, "cycle: 'a' -> 'a'");

  Model output = reluModel();
  output.output("nowhere");
  checkFails(Import(output.proto.SerializeAsString()), ExitCode::InvalidModel, "output 'nowhere'");
}

TEST_CASE("hostile names are kept, and escaped in messages", "[Importer]") {
  std::string name = std::string("a\0b\x1b[31m\n", 9);
  Model m;
  m.input("a\x1b[m", {2}).output("y");
  m.node("Relu", {"a\x1b[m"}, {"y"}, name);
  Import i(m);
  REQUIRE(i.module);
  CHECK(cast<mlir::StringAttr>(i.main().getArgAttr(0, onnxir::kName)) == "a\x1b[m");
  CHECK(onnxir::nodeOf(i.nodes()[0].getLoc())->name == name);
}

TEST_CASE("inputs and outputs have no zero byte in their names", "[Importer]") {
  std::string name("a\0b", 3);
  Model m;
  m.input(name, {2}).output("y");
  m.node("Relu", {name}, {"y"});
  checkFails(Import(m), ExitCode::InvalidModel, "zero byte");
}

TEST_CASE("inputs of impossible size are refused", "[Importer]") {
  Model m;
  m.input("x", {int64_t(1) << 62, 4}).output("y");
  m.node("Relu", {"x"}, {"y"});
  checkFails(Import(m), ExitCode::InvalidModel, "'x' has an impossible shape");
}

TEST_CASE("names like the importer's own do not clash", "[Importer]") {
  Model m(13);
  m.input("@adze#0", {2}).output("@adzeunused0");
  m.node("Relu", {"@adze#0"}, {"t"}, "@adze#1");
  m.node("Abs", {"t"}, {"@adzeunused0"}, "@adzee#0");
  Import i(m);
  REQUIRE(i.module);
  CHECK(onnxir::nodeOf(i.nodes()[0].getLoc())->name == "@adze#1");
}

TEST_CASE("a very long name is clipped in messages", "[Importer]") {
  Model m;
  m.input("x", {2}).output("y");
  m.node("Relu", {std::string(1 << 20, 'q')}, {"y"});
  Import i(m);
  CHECK_FALSE(i.module);
  CHECK(i.message().size() < 400);
}
