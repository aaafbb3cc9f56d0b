// Types of all values, by onnx's shape inference with data propagation.
#include "lib/Importer/Session.h"

#include "onnx/defs/schema.h"
#include "onnx/shape_inference/implementation.h"

#include <sstream>

namespace adze::importer {

using onnx::GraphProto;
using onnx::NodeProto;
using onnx::TypeProto;

namespace {

/// Above this, inference would take seconds: types stay unknown.
constexpr int64_t kMaxInferredNodes = 400000;

int64_t countNodes(const GraphProto &g) {
  int64_t n = g.node_size();
  for (const NodeProto &node : g.node())
    for (const auto &a : node.attribute())
      if (a.has_g()) n += countNodes(a.g());
  return n;
}

void forgetExtents(TypeProto &type) {
  if (type.has_tensor_type() && type.tensor_type().has_shape())
    for (auto &dim : *type.mutable_tensor_type()->mutable_shape()->mutable_dim()) dim.clear_value();
}

// What the exporter wrote on the values of known operators is often stale: only
// its ranks are kept, where inference cannot tell them. The file is all there
// is on the values of other operators.
void weakenHints(Session &s, GraphProto &g, bool keepRanks) {
  std::map<std::string, const NodeProto *> makers;
  for (const NodeProto &n : g.node())
    for (const std::string &out : n.output()) makers[out] = &n;
  auto known = [&](const std::string &name) {
    auto it = makers.find(name);
    if (it == makers.end()) return false;
    auto opset = s.opsets.find(it->second->domain());
    return opset != s.opsets.end() &&
           onnx::OpSchemaRegistry::Schema(it->second->op_type(), int(opset->second),
                                          it->second->domain()) != nullptr;
  };
  google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> kept;
  for (auto &v : *g.mutable_value_info()) {
    bool isKnown = known(v.name());
    if (isKnown && !keepRanks) continue;
    if (isKnown) forgetExtents(*v.mutable_type());
    *kept.Add() = std::move(v);
  }
  g.mutable_value_info()->Swap(&kept);
  for (auto &v : *g.mutable_output()) {
    if (!known(v.name())) continue;
    if (keepRanks) forgetExtents(*v.mutable_type());
    else v.clear_type();
  }
  for (NodeProto &n : *g.mutable_node())
    for (auto &a : *n.mutable_attribute())
      if (a.has_g()) weakenHints(s, *a.mutable_g(), keepRanks);
}

std::string infer(onnx::ModelProto &m) {
  std::unordered_map<std::string, onnx::TensorShapeProto> propagated;
  onnx::ShapeInferenceOptions options{/*check_type=*/true, /*error_mode=*/1, /*data_prop=*/true};
  try {
    onnx::shape_inference::InferShapes(m, onnx::OpSchemaRegistry::Instance(), options, &propagated);
    return "";
  } catch (const std::exception &e) {
    return e.what();
  }
}

// One error a line: "(op_type:T, node name: N): [..Error] text", where text may
// hold more of the same from graphs and functions inside. The innermost counts.
std::vector<Diagnostic> readErrors(Session &s, const std::string &errors) {
  std::vector<Diagnostic> found;
  std::istringstream lines(errors);
  for (std::string line; std::getline(lines, line);) {
    size_t at = line.rfind("(op_type:");
    if (at == line.npos) continue;
    const std::string mark = ", node name: ";
    size_t name = line.find(mark, at), end = line.find("): ", at);
    // Bodies that ONNX gives for its operators have unnamed nodes: not the
    // model's fault. Nor is what two graphs of a node say about one value.
    if (name == line.npos || end == line.npos || name > end) continue;
    if (line.find(" differ", end) != line.npos) continue;
    name += mark.size();
    int64_t id = s.idOf(line.substr(name, end - name));
    if (id >= 0) found.push_back(s.at(id, "ADZ0170", cleanMessage(s, line.substr(end + 3))));
  }
  return found;
}

}  // namespace

std::vector<Diagnostic> inferTypes(Session &s) {
  if (countNodes(s.model.graph()) > kMaxInferredNodes) return {};
  weakenHints(s, *s.model.mutable_graph(), /*keepRanks=*/true);
  GraphProto before = s.model.graph();
  std::string errors = infer(s.model);
  if (errors.empty()) return {};
  // Once more without the exporter's hints, which may be what is wrong.
  s.model.mutable_graph()->Swap(&before);
  weakenHints(s, *s.model.mutable_graph(), /*keepRanks=*/false);
  return readErrors(s, infer(s.model));
}

}  // namespace adze::importer
