// Brings a model to the newest opset with onnx's version converter.
#include "lib/Importer/Session.h"

#include "onnx/defs/schema.h"
#include "onnx/version_converter/convert.h"

#include <unordered_map>
#include <unordered_set>

namespace adze::importer {

using onnx::GraphProto;
using onnx::NodeProto;

namespace {

using Converter = onnx::version_conversion::DefaultVersionConverter;

const onnx::OpSchema *schemaAt(const NodeProto &n, int64_t opset) {
  return onnx::OpSchemaRegistry::Schema(n.op_type(), int(opset), "");
}

template <typename Nodes>
bool anyDiffers(const Nodes &nodes, int64_t from, int64_t to) {
  for (const NodeProto &n : nodes) {
    if (n.domain().empty() && schemaAt(n, from) != schemaAt(n, to)) return true;
    for (const auto &a : n.attribute()) {
      if (a.has_g() && anyDiffers(a.g().node(), from, to)) return true;
      for (const GraphProto &g : a.graphs())
        if (anyDiffers(g.node(), from, to)) return true;
    }
  }
  return false;
}

// The converter's graph takes these operators for its own bookkeeping, and
// converts one graph an attribute.
template <typename Nodes>
bool converterCanRead(const Nodes &nodes) {
  for (const NodeProto &n : nodes) {
    if (n.op_type() == "Undefined" || n.op_type() == "Captured") return false;
    for (const auto &a : n.attribute())
      if (a.graphs_size() || (a.has_g() && !converterCanRead(a.g().node()))) return false;
  }
  return true;
}

/// Scan of opset 8 has a batch axis; the converter strips it from the types and
/// leaves it in the data.
template <typename Nodes>
bool hasScan(const Nodes &nodes) {
  for (const NodeProto &n : nodes) {
    if (n.domain().empty() && n.op_type() == "Scan") return true;
    for (const auto &a : n.attribute())
      if (a.has_g() && hasScan(a.g().node())) return true;
  }
  return false;
}

/// All names that nodes read are made before: what the rest relies on.
bool wellFormed(const GraphProto &g, const std::unordered_set<std::string> &outer) {
  // A name of this graph may hide one around it, but is made once.
  std::unordered_set<std::string> known = outer, made;
  known.insert("");
  for (const auto &v : g.input()) known.insert(v.name());
  for (const auto &t : g.initializer()) known.insert(t.name());
  for (const NodeProto &n : g.node()) {
    for (const std::string &in : n.input())
      if (!known.count(in)) return false;
    for (const auto &a : n.attribute())
      if (a.has_g() && !wellFormed(a.g(), known)) return false;
    for (const std::string &out : n.output())
      {
      if (!out.empty() && !made.insert(out).second) return false;
      known.insert(out);
    }
  }
  for (const auto &v : g.output())
    if (!known.count(v.name())) return false;
  return true;
}

onnx::ModelProto convert(const onnx::ModelProto &m, int64_t from, int64_t to) {
  // Building it walks all schemas (25 ms): once a process.
  static const Converter converter;
  if (!converterCanRead(m.graph().node())) throw std::runtime_error("an operator with a reserved name, or a list of graphs");
  if (from == 8 && hasScan(m.graph().node())) throw std::runtime_error("Scan has a batch axis at opset 8");
  onnx::ModelProto out = converter.convert_version(m, onnx::OpSetID(from), onnx::OpSetID(to));
  if (!wellFormed(out.graph(), {})) throw std::runtime_error("the converter lost a value");
  return out;
}

/// The converter numbers its own values from the start each time: names of two
/// calls would clash.
class Renumber {
 public:
  explicit Renumber(Session &s) : s(s) {}

  void apply(std::vector<NodeProto> &nodes, const std::unordered_set<std::string> &keep) {
    for (NodeProto &n : nodes)
      for (std::string &out : *n.mutable_output())
        if (!out.empty() && !keep.count(out)) out = names[out] = s.fresh("value");
    for (NodeProto &n : nodes) renameInputs(n);
  }

 private:
  void renameInputs(NodeProto &n) {
    for (std::string &in : *n.mutable_input())
      if (auto it = names.find(in); it != names.end()) in = it->second;
    for (auto &a : *n.mutable_attribute())
      if (a.has_g())
        for (NodeProto &inner : *a.mutable_g()->mutable_node()) renameInputs(inner);
  }

  Session &s;
  std::unordered_map<std::string, std::string> names;
};

int64_t newestOpset() {
  return onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map().at("").second;
}

void setOpset(Session &s, int64_t version) {
  for (auto &o : *s.model.mutable_opset_import())
    if (o.domain().empty()) o.set_version(version);
  s.opsets[""] = version;
}

/// Puts the converted graph in the model; returns why not, "" on success.
std::string tryConvert(Session &s, int64_t from, int64_t to) {
  try {
    if (anyDiffers(s.model.graph().node(), from, to)) {
      onnx::ModelProto out = convert(s.model, from, to);
      s.model.mutable_graph()->Swap(out.mutable_graph());
    }
    setOpset(s, to);
    return "";
  } catch (const std::exception &e) {
    std::string why = cleanMessage(s, e.what());
    return why.empty() ? "no reason given" : why;
  }
}

bool report(Session &s, std::vector<Diagnostic> errors) {
  for (Diagnostic &d : errors) s.diags.report(std::move(d));
  return errors.empty();
}

}  // namespace

bool opsetsDiffer(const std::vector<NodeProto> &nodes, int64_t from, int64_t to) {
  return anyDiffers(nodes, from, to);
}

void convertNodes(Session &s, std::vector<NodeProto> &nodes, int64_t from, int64_t to,
                  const std::vector<std::string> &inputs, const std::vector<std::string> &outputs) {
  onnx::ModelProto m;
  m.set_ir_version(s.model.ir_version());
  auto *opset = m.add_opset_import();
  opset->set_version(from);
  GraphProto &g = *m.mutable_graph();
  std::unordered_set<std::string> seen;
  for (const std::string &name : inputs)
    if (seen.insert(name).second) g.add_input()->set_name(name);
  for (const std::string &name : outputs) g.add_output()->set_name(name);
  std::unordered_set<std::string> keep(outputs.begin(), outputs.end());
  for (NodeProto &n : nodes) {
    keep.insert(n.output().begin(), n.output().end());
    *g.add_node() = std::move(n);
  }
  onnx::ModelProto out = convert(m, from, to);
  nodes.clear();
  for (auto &t : *out.mutable_graph()->mutable_initializer()) {
    NodeProto constant;
    constant.set_op_type("Constant");
    constant.add_output(t.name());
    auto *a = constant.add_attribute();
    a->set_name("value");
    a->set_type(onnx::AttributeProto::TENSOR);
    *a->mutable_t() = std::move(t);
    nodes.push_back(std::move(constant));
  }
  for (NodeProto &n : *out.mutable_graph()->mutable_node()) nodes.push_back(std::move(n));
  Renumber(s).apply(nodes, keep);
}

bool convertAndInfer(Session &s) {
  auto it = s.opsets.find("");
  if (it == s.opsets.end()) return report(s, inferTypes(s));
  int64_t from = it->second, to = s.options.convertVersion ? newestOpset() : from;
  if (from == to) return report(s, inferTypes(s));
  GraphProto original = s.model.graph();
  std::string why = tryConvert(s, from, to);
  if (why.empty()) {
    std::vector<Diagnostic> errors = inferTypes(s);
    if (errors.empty()) return true;
    // Either the model is wrong or its conversion: ask at its own opset.
    why = errors[0].message;
    s.model.mutable_graph()->Swap(&original);
    setOpset(s, from);
  }
  if (!report(s, inferTypes(s))) return false;
  std::string opset = std::to_string(s.originalOpset);
  if (from >= 7) {
    s.note("the model stays at opset " + opset + ", ONNX's converter failed: " + why);
    return true;
  }
  s.error("ADZ0113", "opset " + opset + " is older than 7, and ONNX's converter failed: " + why,
          "export the model again with a newer opset", ExitCode::Unsupported);
  return false;
}

}  // namespace adze::importer
