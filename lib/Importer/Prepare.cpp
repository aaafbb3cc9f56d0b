// Small rewrites of a checked model: one spelling of domains, ids for nodes,
// inputs that are constants, and the shapes that the user gave.
#include "lib/Importer/Session.h"

#include <functional>
#include <unordered_set>

namespace adze::importer {

using onnx::AttributeProto;
using onnx::GraphProto;
using onnx::NodeProto;

namespace {

template <typename Nodes>
void forEachNode(Nodes &nodes, const std::string &graph,
                 const std::function<void(NodeProto &, const std::string &, int64_t)> &visit) {
  for (int i = 0; i < nodes.size(); ++i) {
    visit(nodes[i], graph, i);
    for (AttributeProto &a : *nodes[i].mutable_attribute()) {
      if (a.has_g()) forEachNode(*a.mutable_g()->mutable_node(), a.g().name(), visit);
      for (GraphProto &g : *a.mutable_graphs()) forEachNode(*g.mutable_node(), g.name(), visit);
    }
  }
}

template <typename Visit>
void forEachNode(onnx::ModelProto &m, Visit visit) {
  forEachNode(*m.mutable_graph()->mutable_node(), m.graph().name(), visit);
  for (auto &f : *m.mutable_functions()) forEachNode(*f.mutable_node(), f.name(), visit);
}

template <typename Imports>
void normaliseImports(Imports &imports) {
  std::unordered_set<std::string> seen;
  Imports kept;
  for (auto &o : imports) {
    if (o.domain() == "ai.onnx") o.clear_domain();
    if (seen.insert(o.domain()).second) *kept.Add() = o;
  }
  imports.Swap(&kept);
}

// Every name that a value can have; whatever else there is, is in no message
// that this importer rewrites.
void forEachName(const onnx::ModelProto &m, const std::function<void(const std::string &)> &visit);

void namesOf(const GraphProto &g, const std::function<void(const std::string &)> &visit);

void namesOf(const NodeProto &n, const std::function<void(const std::string &)> &visit) {
  visit(n.name());
  for (const auto &in : n.input()) visit(in);
  for (const auto &out : n.output()) visit(out);
  for (const auto &a : n.attribute()) {
    if (a.has_g()) namesOf(a.g(), visit);
    for (const auto &g : a.graphs()) namesOf(g, visit);
  }
}

void namesOf(const GraphProto &g, const std::function<void(const std::string &)> &visit) {
  for (const auto &v : g.input()) visit(v.name());
  for (const auto &v : g.output()) visit(v.name());
  for (const auto &t : g.initializer()) visit(t.name());
  for (const auto &n : g.node()) namesOf(n, visit);
}

void forEachName(const onnx::ModelProto &m, const std::function<void(const std::string &)> &visit) {
  namesOf(m.graph(), visit);
  for (const auto &f : m.functions()) {
    for (const auto &in : f.input()) visit(in);
    for (const auto &n : f.node()) namesOf(n, visit);
  }
}

void choosePrefix(Session &s) {
  // Ends when no name contains it: each round either does or grows beyond one.
  for (bool clash = true; clash;) {
    clash = false;
    forEachName(s.model, [&](const std::string &name) {
      clash = clash || name.find(s.prefix) != name.npos;
    });
    if (clash) s.prefix += "e";
  }
}

// An input with an initializer is a default value: adze takes it as constant.
void dropInitialisedInputs(GraphProto &g) {
  std::unordered_set<std::string> initialised;
  for (const auto &t : g.initializer()) initialised.insert(t.name());
  google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> kept;
  for (auto &v : *g.mutable_input())
    if (!initialised.count(v.name())) *kept.Add() = std::move(v);
  g.mutable_input()->Swap(&kept);
}

}  // namespace

void normalise(Session &s) {
  choosePrefix(s);
  normaliseImports(*s.model.mutable_opset_import());
  for (auto &f : *s.model.mutable_functions()) {
    normaliseImports(*f.mutable_opset_import());
    if (f.domain() == "ai.onnx") f.clear_domain();
  }
  forEachNode(s.model, [&](NodeProto &n, const std::string &graph, int64_t index) {
    if (n.domain() == "ai.onnx") n.clear_domain();
    const std::string &name = n.name().empty() && n.output_size() ? n.output(0) : n.name();
    s.origins.push_back({graph, index, n.op_type(), name});
    n.set_name(s.nameOf(int64_t(s.origins.size()) - 1));
    for (auto &a : *n.mutable_attribute())
      if (a.has_g()) dropInitialisedInputs(*a.mutable_g());
    // onnx's rewriters take "" for one value.
    for (std::string &out : *n.mutable_output())
      if (out.empty()) out = s.fresh("unused");
  });
  dropInitialisedInputs(*s.model.mutable_graph());
  for (const auto &v : s.model.graph().output()) s.declaredOutputs[v.name()] = v.type();
  // Initializers need not be inputs from here on.
  s.model.set_ir_version(std::max<int64_t>(s.model.ir_version(), 10));
}

namespace {

bool usage(Session &s, const std::string &input, const std::string &why) {
  s.error("ADZ0150", "shape of input '" + printable(input, 80) + "': " + why,
          "give one extent a dimension, as in --shape x=1x3x224x224", ExitCode::Usage);
  return false;
}

onnx::ValueInfoProto *findInput(Session &s, const std::string &name) {
  for (auto &v : *s.model.mutable_graph()->mutable_input())
    if (v.name() == name) return &v;
  return nullptr;
}

std::string inputNames(const Session &s) {
  std::string text;
  for (const auto &v : s.model.graph().input()) {
    if (text.size() > 200) return text + ", ...";
    text += (text.empty() ? "" : ", ") + printable(v.name(), 60);
  }
  return text;
}

using Fixed = std::map<std::string, int64_t>;

/// Dimensions of one name have one extent; some exporters write "?" for any.
bool isName(const std::string &text) { return !text.empty() && text != "?"; }

bool fixShape(Session &s, onnx::ValueInfoProto &v, const std::vector<DimRange> &dims, Fixed &fixed) {
  if (!v.type().has_tensor_type()) return usage(s, v.name(), "the input is no tensor");
  auto *tensor = v.mutable_type()->mutable_tensor_type();
  if (!tensor->has_shape())
    for (size_t i = 0; i < dims.size(); ++i) tensor->mutable_shape()->add_dim();
  auto *shape = tensor->mutable_shape();
  if (shape->dim_size() != int(dims.size()))
    return usage(s, v.name(), "the model's has " + std::to_string(shape->dim_size()) + " dimensions, not " +
                                  std::to_string(dims.size()));
  for (int i = 0; i < shape->dim_size(); ++i) {
    auto *dim = shape->mutable_dim(i);
    const DimRange &range = dims[size_t(i)];
    if (range.low < 0 || range.low > range.high) return usage(s, v.name(), "a range is empty or negative");
    bool known = dim->has_dim_value() && dim->dim_value() >= 0;  // some exporters write -1 for any
    if (known && (dim->dim_value() < range.low || dim->dim_value() > range.high))
      return usage(s, v.name(), "dimension " + std::to_string(i) + " is " +
                                    std::to_string(dim->dim_value()) + " in the model");
    if (range.low != range.high) continue;
    if (isName(dim->dim_param())) {
      auto [it, fresh] = fixed.emplace(dim->dim_param(), range.low);
      if (!fresh && it->second != range.low)
        return usage(s, v.name(), "symbolic dimension '" + printable(dim->dim_param(), 60) +
                                      "' would be " + std::to_string(it->second) + " and " +
                                      std::to_string(range.low));
    }
    dim->set_dim_value(range.low);
  }
  return true;
}

}  // namespace

bool applyShapes(Session &s) {
  Fixed fixed;
  for (const auto &[name, dims] : s.options.shapes) {
    onnx::ValueInfoProto *v = findInput(s, name);
    if (!v) return usage(s, name, "the model has no such input; it has " + inputNames(s));
    if (!fixShape(s, *v, dims, fixed)) return false;
  }
  for (auto &v : *s.model.mutable_graph()->mutable_input()) {
    if (!v.type().has_tensor_type()) continue;
    for (auto &dim : *v.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim())
      if (auto it = fixed.find(dim.dim_param()); dim.has_dim_param() && it != fixed.end())
        dim.set_dim_value(it->second);
  }
  return true;
}

}  // namespace adze::importer
