// Small models for the importer's tests.
#pragma once
#include "dialects/Onnx/Location.h"
#include "dialects/Onnx/Onnx.h"
#include "lib/Importer/Importer.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "onnx/onnx_pb.h"

#include "catch2/catch.hpp"

#include <string>
#include <vector>

namespace adze::test {

using onnx::TensorProto;

struct Model {
  onnx::ModelProto proto;
  onnx::GraphProto &graph = *proto.mutable_graph();

  explicit Model(int64_t opset = 28) {
    proto.set_ir_version(10);
    graph.set_name("g");
    import("", opset);
  }
  Model &import(const std::string &domain, int64_t version) {
    auto *o = proto.add_opset_import();
    o->set_domain(domain);
    o->set_version(version);
    return *this;
  }
  static void tensorType(onnx::ValueInfoProto &v, const std::string &name, std::vector<int64_t> dims,
                         int dtype = TensorProto::FLOAT) {
    v.set_name(name);
    auto *t = v.mutable_type()->mutable_tensor_type();
    t->set_elem_type(dtype);
    t->mutable_shape();
    for (int64_t d : dims) {
      auto *dim = t->mutable_shape()->add_dim();
      if (d >= 0) dim->set_dim_value(d);
      else dim->set_dim_param("N");
    }
  }
  Model &input(const std::string &name, std::vector<int64_t> dims, int dtype = TensorProto::FLOAT) {
    tensorType(*graph.add_input(), name, std::move(dims), dtype);
    return *this;
  }
  Model &output(const std::string &name) {
    graph.add_output()->set_name(name);
    graph.mutable_output()->rbegin()->mutable_type()->mutable_tensor_type()->set_elem_type(1);
    return *this;
  }
  onnx::NodeProto &node(const std::string &op, std::vector<std::string> inputs,
                        std::vector<std::string> outputs, const std::string &name = "") {
    return addNode(graph, op, std::move(inputs), std::move(outputs), name);
  }
  template <typename Graph>
  static onnx::NodeProto &addNode(Graph &g, const std::string &op, std::vector<std::string> inputs,
                                  std::vector<std::string> outputs, const std::string &name = "") {
    onnx::NodeProto &n = *g.add_node();
    n.set_op_type(op);
    n.set_name(name);
    for (auto &i : inputs) n.add_input(i);
    for (auto &o : outputs) n.add_output(o);
    return n;
  }
  TensorProto &initializer(const std::string &name, std::vector<int64_t> dims,
                           std::vector<float> values) {
    TensorProto &t = *graph.add_initializer();
    t.set_name(name);
    t.set_data_type(TensorProto::FLOAT);
    for (int64_t d : dims) t.add_dims(d);
    for (float v : values) t.add_float_data(v);
    return t;
  }
};

inline onnx::AttributeProto &attribute(onnx::NodeProto &n, const std::string &name,
                                       onnx::AttributeProto::AttributeType type) {
  auto *a = n.add_attribute();
  a->set_name(name);
  a->set_type(type);
  return *a;
}

inline onnx::AttributeProto &intAttribute(onnx::NodeProto &n, const std::string &name, int64_t v) {
  auto &a = attribute(n, name, onnx::AttributeProto::INT);
  a.set_i(v);
  return a;
}

/// One import: the module, or what was reported.
struct Import {
  mlir::MLIRContext context;
  DiagnosticEngine diags;
  mlir::OwningOpRef<mlir::ModuleOp> module;

  explicit Import(const std::string &bytes, const ImportOptions &options = {}) {
    module = importModelFromBytes(std::as_bytes(std::span(bytes.data(), bytes.size())), nullptr,
                                  context, options, diags);
  }
  explicit Import(const Model &m, const ImportOptions &options = {})
      : Import(m.proto.SerializeAsString(), options) {}

  const Diagnostic &first() const {
    REQUIRE(!diags.all().empty());
    return diags.all().front();
  }
  std::string message() const { return first().message; }
  std::vector<onnxir::NodeOp> nodes() {
    std::vector<onnxir::NodeOp> found;
    REQUIRE(module);
    module->walk<mlir::WalkOrder::PreOrder>([&](onnxir::NodeOp n) { found.push_back(n); });
    return found;
  }
  std::vector<onnxir::ConstantOp> constants() {
    std::vector<onnxir::ConstantOp> found;
    REQUIRE(module);
    module->walk([&](onnxir::ConstantOp c) { found.push_back(c); });
    return found;
  }
  mlir::func::FuncOp main() { return module->lookupSymbol<mlir::func::FuncOp>("main"); }
};

/// The import failed, with this exit code, and a message holding `text`.
inline void checkFails(const Import &i, ExitCode exit, const std::string &text) {
  CHECK_FALSE(i.module);
  REQUIRE(i.diags.hasErrors());
  CHECK(i.diags.exitCode() == exit);
  CHECK_THAT(i.message(), Catch::Contains(text));
}

inline std::string typeText(mlir::Type t) {
  std::string text;
  llvm::raw_string_ostream os(text);
  t.print(os);
  return text;
}

}  // namespace adze::test
