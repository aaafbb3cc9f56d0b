// Tensors: forms, sizes, sparse.
#include "test/unit/Importer/Build.h"

#include "mlir/IR/DialectResourceBlobManager.h"

using namespace adze;
using namespace adze::test;

static Model withTensor(int dtype, std::vector<int64_t> dims) {
  Model m;
  m.input("x", {2}).output("y");
  m.node("Identity", {"w"}, {"y"}, "n");
  TensorProto &t = *m.graph.add_initializer();
  t.set_name("w");
  t.set_data_type(dtype);
  for (int64_t d : dims) t.add_dims(d);
  return m;
}

template <typename Edit>
static void refused(int dtype, std::vector<int64_t> dims, const char *text, Edit edit) {
  Model m = withTensor(dtype, std::move(dims));
  edit(*m.graph.mutable_initializer(0));
  checkFails(Import(m.proto.SerializeAsString()), ExitCode::InvalidModel, text);
}

TEST_CASE("tensors whose shape and data disagree are refused", "[Importer]") {
  auto nothing = [](TensorProto &) {};
  auto raw = [](size_t n) { return [n](TensorProto &t) { t.set_raw_data(std::string(n, '\1')); }; };
  refused(TensorProto::FLOAT, {-1}, "impossible shape", nothing);
  refused(TensorProto::FLOAT, {int64_t(1) << 62, 1 << 30}, "impossible shape", nothing);
  refused(TensorProto::FLOAT, {int64_t(1) << 40}, "has 0 values", nothing);
  refused(TensorProto::FLOAT, {2}, "has 7 bytes of data, its type float32[2] takes 8", raw(7));
  refused(TensorProto::FLOAT, {2}, "has 5000 bytes", raw(5000));
  refused(TensorProto::INT4, {3}, "has 1 bytes of data, its type int4[3] takes 2", raw(1));
  refused(99, {1}, "unknown element type 99", raw(1));
  refused(TensorProto::UNDEFINED, {1}, "unknown element type 0", raw(1));
  refused(TensorProto::STRING, {1}, "strings as raw data", raw(1));
  refused(TensorProto::FLOAT, {1}, "in another type's field", [](TensorProto &t) { t.add_int64_data(1); });
  refused(TensorProto::FLOAT, {1}, "in two places", [](TensorProto &t) {
    t.add_float_data(1);
    t.set_raw_data("abcd");
  });
  Model segments = withTensor(TensorProto::FLOAT, {1});
  segments.graph.mutable_initializer(0)->mutable_segment()->set_begin(0);
  checkFails(Import(segments), ExitCode::Unsupported, "segments");
}

TEST_CASE("large data in two places is seen too", "[Importer]") {
  refused(TensorProto::FLOAT, {1000}, "in two places", [](TensorProto &t) {
    t.set_raw_data(std::string(4000, '\0'));
    t.add_float_data(1);
  });
  refused(TensorProto::INT32, {1000}, "in another type's field", [](TensorProto &t) {
    for (int i = 0; i < 1000; ++i) t.add_float_data(1);
  });
}

TEST_CASE("an entry that poses as the importer's own is ignored", "[Importer]") {
  Model m = withTensor(TensorProto::FLOAT, {1});
  TensorProto &t = *m.graph.mutable_initializer(0);
  t.set_data_location(TensorProto::EXTERNAL);
  auto *e = t.add_external_data();
  e->set_key("@adze.payload");
  e->set_value("0");
  checkFails(Import(m), ExitCode::InvalidModel, "external data");
}

TEST_CASE("large tensors are resources that point into the input", "[Importer]") {
  for (bool raw : {true, false}) {
    Model m = withTensor(TensorProto::FLOAT, {1000});
    TensorProto &t = *m.graph.mutable_initializer(0);
    std::vector<float> values(1000);
    for (int i = 0; i < 1000; ++i) values[i] = float(i);
    if (raw) t.set_raw_data(values.data(), 4000);
    else t.mutable_float_data()->Add(values.begin(), values.end());
    auto bytes = std::make_shared<std::string>(m.proto.SerializeAsString());
    mlir::MLIRContext context;
    DiagnosticEngine diags;
    auto module = importModelFromBytes(std::as_bytes(std::span(bytes->data(), bytes->size())), bytes,
                                       context, {}, diags);
    REQUIRE(module);
    module->walk([&](onnxir::ConstantOp c) {
      auto attr = cast<mlir::DenseResourceElementsAttr>(c.getValue());
      llvm::ArrayRef<char> data = attr.getRawHandle().getBlob()->getData();
      CHECK((data.data() >= bytes->data() && data.data() < bytes->data() + bytes->size()));
      CHECK(std::memcmp(data.data(), values.data(), 4000) == 0);
    });
  }
}

TEST_CASE("the blob keeps the input alive", "[Importer]") {
  Model m = withTensor(TensorProto::FLOAT, {1000});
  m.graph.mutable_initializer(0)->set_raw_data(std::string(4000, '\1'));
  Import i(m.proto.SerializeAsString());
  auto attr = cast<mlir::DenseResourceElementsAttr>(i.constants().at(0).getValue());
  CHECK(attr.getRawHandle().getBlob()->getData()[3999] == 1);
}

TEST_CASE("large typed data is decoded", "[Importer]") {
  Model m = withTensor(TensorProto::INT64, {500});
  for (int i = 0; i < 500; ++i) m.graph.mutable_initializer(0)->add_int64_data(-i);
  Import i(m);
  auto attr = cast<mlir::DenseResourceElementsAttr>(i.constants().at(0).getValue());
  int64_t last;
  std::memcpy(&last, attr.getRawHandle().getBlob()->getData().data() + 499 * 8, 8);
  CHECK(last == -499);
}

TEST_CASE("elements narrower than a byte", "[Importer]") {
  Model m = withTensor(TensorProto::INT4, {3});
  m.graph.mutable_initializer(0)->set_raw_data("\xf1\x07", 2);
  Import i(m);
  auto values = cast<mlir::DenseElementsAttr>(i.constants().at(0).getValue()).getValues<llvm::APInt>();
  CHECK(values[0].getSExtValue() == 1);
  CHECK(values[1].getSExtValue() == -1);
  CHECK(values[2].getSExtValue() == 7);
  Model six = withTensor(TensorProto::FLOAT6E2M3, {2});
  six.graph.mutable_initializer(0)->add_int32_data(0x3f);
  six.graph.mutable_initializer(0)->add_int32_data(0x01);
  six.graph.mutable_node(0)->set_op_type("Cast");
  intAttribute(*six.graph.mutable_node(0), "to", TensorProto::FLOAT);
  Import s(six);
  INFO((s.diags.all().empty() ? "" : s.message()));
  CHECK(bool(s.module));
}

TEST_CASE("bools, strings and empty tensors", "[Importer]") {
  Model bools = withTensor(TensorProto::BOOL, {3});
  bools.graph.mutable_initializer(0)->set_raw_data(std::string("\0\1\2", 3));
  Import b(bools);
  auto values = cast<mlir::DenseElementsAttr>(b.constants().at(0).getValue()).getValues<bool>();
  CHECK((!values[0] && values[1] && values[2]));
  Model strings = withTensor(TensorProto::STRING, {2});
  strings.graph.mutable_initializer(0)->add_string_data("a");
  strings.graph.mutable_initializer(0)->add_string_data(std::string("\0", 1));
  Import s(strings);
  CHECK(isa<mlir::DenseStringElementsAttr>(s.constants().at(0).getValue()));
  Model empty = withTensor(TensorProto::FLOAT, {0, 4});
  CHECK(Import(empty).module);
}

static Model withSparse(std::vector<int64_t> dims, std::vector<int64_t> indices) {
  Model m;
  m.input("x", {2}).output("y");
  m.node("Identity", {"w"}, {"y"});
  auto &s = *m.graph.add_sparse_initializer();
  for (int64_t d : dims) s.add_dims(d);
  s.mutable_values()->set_name("w");
  s.mutable_values()->set_data_type(TensorProto::FLOAT);
  s.mutable_values()->add_dims(int64_t(indices.size()));
  s.mutable_indices()->set_data_type(TensorProto::INT64);
  s.mutable_indices()->add_dims(int64_t(indices.size()));
  for (size_t i = 0; i < indices.size(); ++i) {
    s.mutable_values()->add_float_data(float(i + 1));
    s.mutable_indices()->add_int64_data(indices[i]);
  }
  return m;
}

TEST_CASE("sparse initializers become dense", "[Importer]") {
  Import i(withSparse({2, 3}, {1, 5}));
  auto values = cast<mlir::DenseElementsAttr>(i.constants().at(0).getValue()).getValues<float>();
  CHECK(values[1] == 1);
  CHECK(values[5] == 2);
  CHECK(values[0] == 0);
  Import beyond(withSparse({2, 3}, {6}));
  checkFails(beyond, ExitCode::InvalidModel, "index 6 is out of range");
  CHECK(beyond.first().code == "ADZ0132");
  checkFails(Import(withSparse({2, 3}, {-1})), ExitCode::InvalidModel, "out of range");
  checkFails(Import(withSparse({2, 3}, {3, 1})), ExitCode::InvalidModel, "ascending");
  checkFails(Import(withSparse({1000000, 1000000}, {1})), ExitCode::ResourceLimit, "made dense");
  checkFails(Import(withSparse({int64_t(1) << 62, 1 << 20}, {1})), ExitCode::InvalidModel, "impossible");
}
