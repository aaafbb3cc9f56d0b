// External data: the model's folder, and nothing else.
#include "test/unit/Importer/Build.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace adze;
using namespace adze::test;
namespace fs = std::filesystem;

namespace {
/// root/secret.bin, root/model/model.onnx, root/model/data.bin (64 floats).
struct Folder {
  fs::path root, dir;
  Folder() {
    std::string name = fs::temp_directory_path() / "adze-external-XXXXXX";
    REQUIRE(::mkdtemp(name.data()));
    root = name;
    dir = root / "model";
    fs::create_directory(dir);
    write(root / "secret.bin");
    write(dir / "data.bin");
  }
  ~Folder() { fs::remove_all(root); }
  static void write(const fs::path &path) { std::ofstream(path) << std::string(256, 'x'); }

  /// Imports a model whose tensor of 64 floats has these entries.
  std::unique_ptr<Import> import(std::vector<std::pair<std::string, std::string>> entries) {
    Model m;
    m.input("x", {64}).output("y");
    m.node("Add", {"x", "w"}, {"y"});
    TensorProto &t = *m.graph.add_initializer();
    t.set_name("w");
    t.set_data_type(TensorProto::FLOAT);
    t.add_dims(64);
    t.set_data_location(TensorProto::EXTERNAL);
    for (auto &[key, value] : entries) {
      auto *e = t.add_external_data();
      e->set_key(key);
      e->set_value(value);
    }
    std::string path = dir / "model.onnx";
    std::ofstream(path) << m.proto.SerializeAsString();
    auto i = std::make_unique<Import>(std::string());
    i->diags = DiagnosticEngine();
    i->module = importModel(path, i->context, {}, i->diags);
    return i;
  }
  void refuses(const std::string &location, const char *text) {
    INFO(location);
    checkFails(*import({{"location", location}}), ExitCode::InvalidModel, text);
  }
};
}  // namespace

TEST_CASE("external data is mapped from the model's folder", "[Importer]") {
  Folder f;
  auto i = f.import({{"location", "data.bin"}, {"offset", "0"}, {"length", "256"}, {"checksum", "?"}});
  REQUIRE(i->module);
  CHECK(i->constants().size() == 1);
  fs::create_directory(f.dir / "sub");
  Folder::write(f.dir / "sub" / "d.bin");
  CHECK(f.import({{"location", "sub/d.bin"}})->module);
  CHECK(f.import({{"location", "./data.bin"}})->module);
}

TEST_CASE("external data does not leave the model's folder", "[Importer]") {
  Folder f;
  f.refuses("../secret.bin", "leaves the model's folder");
  f.refuses("sub/../../secret.bin", "leaves the model's folder");
  f.refuses((f.root / "secret.bin").string(), "is not relative");
  f.refuses("..\\secret.bin", "backslash");
  f.refuses("C:/secret.bin", "is not relative");
  f.refuses(std::string("data.bin\0x", 10), "zero byte");
  f.refuses("", "is empty");
  f.refuses("missing.bin", "does not exist");
  f.refuses(".", "");
  fs::create_symlink("../secret.bin", f.dir / "link");
  f.refuses("link", "links are not followed");
  fs::create_symlink("data.bin", f.dir / "inside");
  f.refuses("inside", "links are not followed");
  fs::create_directory_symlink(f.root, f.dir / "up");
  f.refuses("up/secret.bin", "links are not followed");
  fs::create_hard_link(f.root / "secret.bin", f.dir / "hard");
  f.refuses("hard", "hard links");
  REQUIRE(::mkfifo((f.dir / "fifo").c_str(), 0600) == 0);
  f.refuses("fifo", "not a regular file");
}

TEST_CASE("external ranges are checked", "[Importer]") {
  Folder f;
  auto refused = [&](const char *key, const char *value, const char *text) {
    checkFails(*f.import({{"location", "data.bin"}, {key, value}}), ExitCode::InvalidModel, text);
  };
  refused("offset", "4", "beyond the 256 of 'data.bin'");
  refused("offset", "-8", "no valid number");
  refused("offset", "4611686018427387904", "beyond");
  refused("offset", "99999999999999999999", "no valid number");
  refused("offset", "1x", "no valid number");
  refused("length", "255", "has 255 bytes of external data, its type float32[64] takes 256");
}

TEST_CASE("bytes in memory have no folder", "[Importer]") {
  Model m;
  m.input("x", {1}).output("y");
  m.node("Add", {"x", "w"}, {"y"});
  TensorProto &t = *m.graph.add_initializer();
  t.set_name("w");
  t.set_data_type(TensorProto::FLOAT);
  t.add_dims(1);
  t.set_data_location(TensorProto::EXTERNAL);
  auto *e = t.add_external_data();
  e->set_key("location");
  e->set_value("data.bin");
  checkFails(Import(m), ExitCode::InvalidModel, "without a folder");
}
