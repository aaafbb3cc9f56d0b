// Bytes that are no model, or only part of one.
#include "test/unit/Importer/Build.h"

#include <random>

using namespace adze;
using namespace adze::test;
using Catch::Contains;

TEST_CASE("files of other kinds are named", "[Importer]") {
  auto refused = [](const std::string &bytes, const char *text) {
    checkFails(Import(bytes), ExitCode::InvalidModel, text);
  };
  refused("", "empty");
  refused("\x89PNG\r\n\x1a\n", "a PNG image");
  refused("PK\x03\x04" "abcdef", "zip archive");
  refused("GGUF\x03", "GGUF");
  refused("\x89HDF\r\n", "HDF5");
  refused("hello, this is a text", "text");
  refused(std::string(100, '\0'), "all zeros");
  refused(std::string("\x20\0\0\0TFL3", 8), "TensorFlow Lite");
  refused("version https://git-lfs.github.com/spec/v1", "Git LFS");
  refused("\x08\x07", "holds no graph");
}

TEST_CASE("a model cut anywhere is refused or whole", "[Importer]") {
  Model m(13);
  m.input("x", {2, 3}).output("y");
  m.initializer("w", {2, 3}, {1, 2, 3, 4, 5, 6});
  m.node("Add", {"x", "w"}, {"y"}, "a");
  std::string bytes = m.proto.SerializeAsString();
  for (size_t n = 0; n < bytes.size(); ++n) {
    Import i(bytes.substr(0, n));
    CHECK((i.module || i.diags.hasErrors()));
  }
}

TEST_CASE("a model with any bit flipped is refused or read", "[Importer]") {
  Model m(13);
  m.input("x", {2, 3}).output("y");
  m.initializer("w", {2, 3}, {1, 2, 3, 4, 5, 6});
  m.node("Add", {"x", "w"}, {"y"}, "a");
  std::string bytes = m.proto.SerializeAsString();
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] ^= char(1 << (bit % 8));
    Import i(flipped);
    CHECK((i.module || i.diags.hasErrors()));
  }
}

TEST_CASE("random bytes are refused", "[Importer]") {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::string bytes(4096, '\0');
    for (char &c : bytes) c = char(random());
    Import i(bytes);
    CHECK_FALSE(i.module);
    CHECK(i.diags.exitCode() == ExitCode::InvalidModel);
  }
}

TEST_CASE("lengths beyond the file are refused", "[Importer]") {
  // Field 7 (graph) of 2^63 bytes.
  checkFails(Import(std::string("\x08\x08\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 12)),
             ExitCode::InvalidModel, "ends beyond the data");
  // A group, which no ONNX message has.
  checkFails(Import(std::string("\x08\x08\x3b\x3c", 4)), ExitCode::InvalidModel, "wire type");
}

TEST_CASE("graphs nested too deeply are refused", "[Importer]") {
  auto nested = [](int depth) {
    Model m;
    m.input("c", {}, TensorProto::BOOL).output("y");
    onnx::GraphProto *g = &m.graph;
    for (int i = 0; i < depth; ++i) {
      auto &n = Model::addNode(*g, "If", {"c"}, {g == &m.graph ? "y" : "z" + std::to_string(i)});
      for (const char *name : {"then_branch", "else_branch"}) {
        auto *inner = attribute(n, name, onnx::AttributeProto::GRAPH).mutable_g();
        inner->set_name("b");
        if (name[0] == 'e' || i + 1 == depth) {
          std::string out = std::string(name) + std::to_string(i);
          Model::addNode(*inner, "Identity", {"c"}, {out});
          inner->add_output()->set_name(out);
        }
      }
      g = n.mutable_attribute(0)->mutable_g();
      if (i + 1 < depth) g->add_output()->set_name("z" + std::to_string(i + 1));
    }
    return m.proto.SerializeAsString();
  };
  CHECK(Import(nested(99)).module);
  checkFails(Import(nested(101)), ExitCode::ResourceLimit, "nested deeper than 100");
}

TEST_CASE("the number of nodes is limited", "[Importer]") {
  Model m;
  m.input("x0", {2}).output("x20");
  for (int i = 0; i < 20; ++i)
    m.node("Relu", {"x" + std::to_string(i)}, {"x" + std::to_string(i + 1)});
  ImportOptions o;
  o.maxNodes = 19;
  checkFails(Import(m, o), ExitCode::ResourceLimit, "more than 19 nodes");
}
