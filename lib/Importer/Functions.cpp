// Replaces calls by function bodies: those of model-local functions, and those
// that ONNX gives for an operator. The number of nodes is counted before the
// first body is copied, so that functions which double cannot run away.
#include "lib/Importer/Session.h"
#include "lib/Support/Checked.h"

#include "onnx/defs/function.h"
#include "onnx/defs/schema.h"

#include <functional>
#include <unordered_map>

namespace adze::importer {

using onnx::AttributeProto;
using onnx::FunctionProto;
using onnx::GraphProto;
using onnx::NodeProto;

namespace {

std::string keyOf(const std::string &domain, const std::string &name, const std::string &overload) {
  return domain + '\0' + name + '\0' + overload;
}

int64_t saturatingAdd(int64_t a, int64_t b) { return checkedAdd(a, b).value_or(INT64_MAX); }
int64_t saturatingMul(int64_t a, int64_t b) { return checkedMul(a, b).value_or(INT64_MAX); }

/// What takes the place of a call. An operator's body reads the defaults of
/// the operator's attributes, which its schema has.
struct Body {
  const FunctionProto *function = nullptr;
  const onnx::OpSchema *schema = nullptr;
};

/// One body put in place of one call: renames values, binds attributes.
class Instance {
 public:
  Instance(Session &s, Body body, const NodeProto &call) : s(s), f(*body.function) {
    if (body.schema)
      for (const auto &[name, a] : body.schema->attributes())
        if (!a.default_value.name().empty()) attributes[name] = &a.default_value;
    for (int i = 0; i < f.input_size(); ++i)
      names[f.input(i)] = i < call.input_size() ? call.input(i) : "";
    for (int i = 0; i < f.output_size() && i < call.output_size(); ++i)
      outputNames[f.output(i)].push_back(call.output(i));
    for (const AttributeProto &a : f.attribute_proto()) attributes[a.name()] = &a;
    for (const AttributeProto &a : call.attribute()) attributes[a.name()] = &a;
    callId = s.idOf(call.name());
  }

  std::vector<NodeProto> build() {
    std::vector<NodeProto> out;
    for (const NodeProto &n : f.node()) {
      out.push_back(n);
      rename(out.back(), names, /*top=*/true);
    }
    passThrough(out);
    return out;
  }

 private:
  using Names = std::unordered_map<std::string, std::string>;

  std::string define(const std::string &name, Names &scope, bool top) {
    if (name.empty()) return name;
    auto it = top ? outputNames.find(name) : outputNames.end();
    std::string fresh = it == outputNames.end() ? s.fresh("value") : it->second.front();
    if (it != outputNames.end()) made[name] = fresh;
    return scope[name] = fresh;
  }

  void rename(NodeProto &n, Names &scope, bool top) {
    for (std::string &in : *n.mutable_input()) in = lookup(scope, in);
    nameNode(n);
    bindAttributes(n);
    for (AttributeProto &a : *n.mutable_attribute()) {
      if (a.has_g()) rename(*a.mutable_g(), scope);
      for (GraphProto &g : *a.mutable_graphs()) rename(g, scope);
    }
    for (std::string &o : *n.mutable_output()) o = define(o, scope, top);
  }

  // Names of a subgraph hide those around it, and all are fresh: an argument's
  // name may equal one of the subgraph's own.
  void rename(GraphProto &g, Names scope) {
    for (auto &v : *g.mutable_input()) v.set_name(define(v.name(), scope, false));
    for (auto &t : *g.mutable_initializer()) t.set_name(define(t.name(), scope, false));
    g.clear_value_info();
    for (NodeProto &n : *g.mutable_node()) rename(n, scope, false);
    for (auto &v : *g.mutable_output()) v.set_name(lookup(scope, v.name()));
  }

  static std::string lookup(const Names &scope, const std::string &name) {
    auto it = scope.find(name);
    return it == scope.end() ? name : it->second;
  }

  // The origin of a body's node, called from here.
  void nameNode(NodeProto &n) {
    int64_t id = s.idOf(n.name());
    NodeOrigin origin = id >= 0 ? s.origins[size_t(id)] : NodeOrigin{f.name(), -1, n.op_type(), ""};
    origin.caller = callId;
    s.origins.push_back(std::move(origin));
    n.set_name(s.nameOf(int64_t(s.origins.size()) - 1));
  }

  void bindAttributes(NodeProto &n) {
    google::protobuf::RepeatedPtrField<AttributeProto> bound;
    for (AttributeProto &a : *n.mutable_attribute()) {
      if (a.ref_attr_name().empty()) {
        *bound.Add() = std::move(a);
      } else if (auto it = attributes.find(a.ref_attr_name()); it != attributes.end()) {
        AttributeProto *value = bound.Add();
        *value = *it->second;
        value->set_name(a.name());
      }  // else: not given, and so the operator's own default holds
    }
    n.mutable_attribute()->Swap(&bound);
  }

  // Outputs that are inputs, or one value twice, need a node of their own.
  void passThrough(std::vector<NodeProto> &out) {
    for (const std::string &name : f.output()) {
      auto targets = outputNames.find(name);
      if (targets == outputNames.end()) continue;
      auto source = made.find(name);
      for (const std::string &target : targets->second) {
        if (source != made.end() && source->second == target) continue;
        NodeProto n;
        n.set_op_type("Identity");
        n.add_input(source != made.end() ? source->second : lookup(names, name));
        n.add_output(target);
        nameNode(n);
        out.push_back(std::move(n));
      }
      outputNames.erase(targets);
    }
  }

  Session &s;
  const FunctionProto &f;
  int64_t callId;
  Names names, made;
  std::unordered_map<std::string, std::vector<std::string>> outputNames;
  std::unordered_map<std::string, const AttributeProto *> attributes;
};

template <typename Imports>
int64_t defaultOpset(const Imports &imports, int64_t otherwise) {
  for (const auto &o : imports)
    if (o.domain().empty() || o.domain() == "ai.onnx") return o.version();
  return otherwise;
}

/// Body of `f` for `call`, at the model's opset.
bool instantiate(Session &s, Body source, const NodeProto &call, std::vector<NodeProto> &body) {
  const FunctionProto &f = *source.function;
  body = Instance(s, source, call).build();
  int64_t to = defaultOpset(s.model.opset_import(), 0);
  int64_t from = defaultOpset(f.opset_import(), to);
  if (from == to || !opsetsDiffer(body, from, to)) return true;
  std::vector<std::string> inputs, outputs(call.output().begin(), call.output().end());
  for (const std::string &in : call.input())
    if (!in.empty()) inputs.push_back(in);
  try {
    convertNodes(s, body, from, to, inputs, outputs);
    return true;
  } catch (const std::exception &e) {
    Diagnostic d = s.at(s.idOf(call.name()), "ADZ0142",
                        "function '" + printable(f.name(), 80) + "' is written for opset " +
                            std::to_string(from) + " and cannot be brought to " + std::to_string(to));
    d.exitCode = ExitCode::Unsupported;
    d.notes.push_back(cleanMessage(s, e.what()));
    s.diags.report(std::move(d));
    return false;
  }
}

/// Returns the function to put in place of a node, if any.
using Chooser = std::function<Body(const NodeProto &, const GraphProto &)>;

/// Replaces every node that `choose` has a body for, bodies included.
class Expander {
 public:
  Expander(Session &s, Chooser choose) : s(s), choose(std::move(choose)) {}

  bool run(GraphProto &g) {
    google::protobuf::RepeatedPtrField<NodeProto> old;
    old.Swap(g.mutable_node());
    // A stack, not recursion: bodies go on top and are looked at again.
    std::vector<NodeProto> todo;
    for (NodeProto &n : old) {
      todo.push_back(std::move(n));
      while (!todo.empty()) {
        NodeProto node = std::move(todo.back());
        todo.pop_back();
        if (!step(g, std::move(node), todo)) return false;
      }
    }
    return true;
  }

  int64_t expanded = 0;

 private:
  bool step(GraphProto &g, NodeProto node, std::vector<NodeProto> &todo) {
    if (Body source = choose(node, g); source.function) {
      ++expanded;
      std::vector<NodeProto> body;
      if (!instantiate(s, source, node, body)) return false;
      added += int64_t(body.size());
      if (added > s.options.maxNodes) return tooMany(*source.function, node);
      for (auto it = body.rbegin(); it != body.rend(); ++it) todo.push_back(std::move(*it));
      return true;
    }
    for (AttributeProto &a : *node.mutable_attribute()) {
      if (a.has_g() && !run(*a.mutable_g())) return false;
      for (GraphProto &inner : *a.mutable_graphs())
        if (!run(inner)) return false;
    }
    *g.add_node() = std::move(node);
    return true;
  }

  bool tooMany(const FunctionProto &f, const NodeProto &node) {
    Diagnostic d = s.at(s.idOf(node.name()), "ADZ0141",
                        "expanding function '" + printable(f.name(), 80) + "' gives more than " +
                            std::to_string(s.options.maxNodes) + " nodes");
    d.exitCode = ExitCode::ResourceLimit;
    s.diags.report(std::move(d));
    return false;
  }

  Session &s;
  Chooser choose;
  int64_t added = 0;
};

/// Nodes that calls grow into, counted without growing them.
class Budget {
 public:
  explicit Budget(Session &s) : s(s) {
    for (const FunctionProto &f : s.model.functions())
      index[keyOf(f.domain(), f.name(), f.overload())] = int(rows.size()), rows.push_back({.f = &f, .calls = {}});
    for (Row &row : rows) count(row.f->node(), row.own, row.calls);
  }

  bool check() {
    if (!countFunctions()) return false;
    int64_t own = 0;
    std::map<int, int64_t> calls;
    count(s.model.graph().node(), own, calls);
    int64_t total = own, most = 0;
    int largest = -1;
    for (auto [callee, times] : calls) {
      int64_t grown = saturatingMul(times, rows[size_t(callee)].total);
      total = saturatingAdd(total, grown);
      if (grown > most) most = grown, largest = callee;
    }
    if (total <= s.options.maxNodes) return true;
    s.error("ADZ0141", "with its functions expanded the model has " +
                           (total == INT64_MAX ? "far too many" : std::to_string(total)) +
                           " nodes, the limit is " + std::to_string(s.options.maxNodes) +
                           (largest < 0 ? "" : "; most come from function '" +
                                                   printable(rows[size_t(largest)].f->name(), 80) + "'"),
            "raise the limit with --max-nodes", ExitCode::ResourceLimit);
    return false;
  }

 private:
  struct Row {
    const FunctionProto *f;
    int64_t own = 0;
    std::map<int, int64_t> calls;
    int64_t total = -1;
    int depth = 0;
  };

  template <typename Nodes>
  void count(const Nodes &nodes, int64_t &own, std::map<int, int64_t> &calls) {
    for (const NodeProto &n : nodes) {
      auto it = index.find(keyOf(n.domain(), n.op_type(), n.overload()));
      if (it == index.end()) ++own;
      else ++calls[it->second];
      for (const AttributeProto &a : n.attribute()) {
        if (a.has_g()) count(a.g().node(), own, calls);
        for (const GraphProto &g : a.graphs()) count(g.node(), own, calls);
      }
    }
  }

  // Totals from the leaves up; what stays over is recursive.
  bool countFunctions() {
    std::vector<size_t> open(rows.size());
    std::vector<std::vector<size_t>> callers(rows.size());
    std::vector<size_t> ready;
    for (size_t i = 0; i < rows.size(); ++i) {
      open[i] = rows[i].calls.size();
      for (auto [callee, times] : rows[i].calls) callers[size_t(callee)].push_back(i);
      if (!open[i]) ready.push_back(i);
    }
    size_t done = 0;
    for (; done < ready.size(); ++done) {
      Row &row = rows[ready[done]];
      row.total = row.own;
      for (auto [callee, times] : row.calls) {
        const Row &inner = rows[size_t(callee)];
        row.total = saturatingAdd(row.total, saturatingMul(times, inner.total));
        row.depth = std::max(row.depth, inner.depth + 1);
      }
      if (row.depth > s.options.maxDepth) return tooDeep(row);
      for (size_t caller : callers[ready[done]])
        if (--open[caller] == 0) ready.push_back(caller);
    }
    return done == rows.size() || recursive();
  }

  bool tooDeep(const Row &row) {
    s.error("ADZ0141", "function '" + printable(row.f->name(), 80) + "' calls functions deeper than " +
                           std::to_string(s.options.maxDepth), {}, ExitCode::ResourceLimit);
    return false;
  }

  bool recursive() {
    for (const Row &row : rows) {
      if (row.total >= 0) continue;
      s.error("ADZ0140", "function '" + printable(row.f->name(), 80) +
                             "' is recursive, or calls one that is");
      break;
    }
    return false;
  }

  Session &s;
  std::vector<Row> rows;
  std::unordered_map<std::string, int> index;
};

}  // namespace

bool inlineFunctions(Session &s) {
  if (s.model.functions_size() == 0) return true;
  if (!Budget(s).check()) return false;
  std::unordered_map<std::string, const FunctionProto *> functions;
  for (const FunctionProto &f : s.model.functions())
    functions[keyOf(f.domain(), f.name(), f.overload())] = &f;
  Expander expander(s, [&](const NodeProto &n, const GraphProto &) {
    auto it = functions.find(keyOf(n.domain(), n.op_type(), n.overload()));
    return it == functions.end() ? Body() : Body{it->second, nullptr};
  });
  if (!expander.run(*s.model.mutable_graph())) return false;
  // Bodies may use domains that the model itself does not import.
  std::map<std::string, int64_t> opsets = s.opsets;
  for (const FunctionProto &f : s.model.functions())
    for (const auto &o : f.opset_import())
      if (opsets.emplace(o.domain(), o.version()).second) *s.model.add_opset_import() = o;
  s.opsets = std::move(opsets);
  s.model.clear_functions();
  return true;
}

namespace {


/// Finds ONNX's body for a node; bodies that depend on types are built and
/// kept until the round ends.
class OperatorBodies {
 public:
  OperatorBodies(Session &s) : s(s) {}

  Body choose(const NodeProto &n, const GraphProto &g) {
    auto opset = s.opsets.find(n.domain());
    if (opset == s.opsets.end()) return {};
    const onnx::OpSchema *schema =
        onnx::OpSchemaRegistry::Schema(n.op_type(), int(opset->second), n.domain());
    if (!schema || s.options.hasConverter(n.domain(), n.op_type(), schema->since_version()))
      return {};
    int version = int(opset->second);
    if (const FunctionProto *f = schema->GetFunction(version)) return {f, schema};
    if (!schema->HasContextDependentFunction()) return {};
    return {build(*schema, n, g, version), schema};
  }

 private:
  const FunctionProto *build(const onnx::OpSchema &schema, const NodeProto &n, const GraphProto &g,
                             int version) {
    std::vector<onnx::TypeProto> types;
    for (const std::string &in : n.input()) {
      types.push_back(typeOf(g, in));
      // A value of this round's bodies: the next round knows its type.
      if (!in.empty() && types.back().value_case() == onnx::TypeProto::VALUE_NOT_SET) return nullptr;
    }
    onnx::FunctionBodyBuildContextImpl context(n, types);
    auto f = std::make_unique<FunctionProto>();
    try {
      if (!schema.BuildContextDependentFunction(context, *f, version)) return nullptr;
    } catch (const std::exception &) {
      return nullptr;  // the coverage check lists the node
    }
    kept.push_back(std::move(f));
    return kept.back().get();
  }

  // Looked up in the graph's own lists: subgraphs with such operators are few.
  onnx::TypeProto typeOf(const GraphProto &g, const std::string &name) {
    if (name.empty()) return {};
    auto &known = types[&g];
    if (known.empty()) collect(g, known);
    auto it = known.find(name);
    if (it != known.end()) return it->second;
    auto &outer = types[&s.model.graph()];
    if (outer.empty()) collect(s.model.graph(), outer);
    it = outer.find(name);
    return it == outer.end() ? onnx::TypeProto() : it->second;
  }

  using Types = std::unordered_map<std::string, onnx::TypeProto>;
  static void collect(const GraphProto &g, Types &types) {
    for (const auto &v : g.value_info()) types[v.name()] = v.type();
    for (const auto &v : g.input()) types[v.name()] = v.type();
    for (const auto &v : g.output()) types.emplace(v.name(), v.type());
    for (const auto &t : g.initializer()) {
      onnx::TypeProto type;
      type.mutable_tensor_type()->set_elem_type(t.data_type());
      for (int64_t d : t.dims()) type.mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(d);
      types[t.name()] = type;
    }
  }

  Session &s;
  std::vector<std::unique_ptr<FunctionProto>> kept;
  std::unordered_map<const GraphProto *, Types> types;
};

}  // namespace

bool expandOperators(Session &s) {
  if (!s.options.hasConverter) return true;
  // A body that depends on types may hold operators whose bodies do so too:
  // their types come from the next round's inference.
  for (int round = 0; round < 8; ++round) {
    OperatorBodies bodies(s);
    Expander expander(s, [&](const NodeProto &n, const GraphProto &g) { return bodies.choose(n, g); });
    if (!expander.run(*s.model.mutable_graph())) return false;
    if (expander.expanded == 0) return true;
    // The model was found good: what bodies get wrong is for their converters.
    inferTypes(s);
  }
  return true;
}

}  // namespace adze::importer
