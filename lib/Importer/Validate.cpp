// Checks the structure of a model before any of onnx's own code sees it:
// versions, names, order, attributes, operator schemas, functions.
#include "lib/Importer/Session.h"
#include "lib/Support/Checked.h"

#include "onnx/checker.h"
#include "onnx/defs/schema.h"

#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace adze::importer {

namespace {

using Opsets = std::map<std::string, int64_t>;

std::string quoted(const std::string &name) { return "'" + printable(name, 80) + "'"; }
std::string defaultDomain(const std::string &d) { return d == "ai.onnx" ? "" : d; }

// Who owns which result at the entry's end takes time with the square of their
// number; models have a few hundred at most.
constexpr int kMaxOutputs = 4096;

/// Names of one graph, and how far in it the check has come.
struct Scope {
  const Scope *parent = nullptr;
  const std::string *graph = nullptr;
  int64_t current = 0;  ///< node being checked
  /// Value -> node that makes it; -1: input or initializer.
  std::unordered_map<std::string_view, int64_t> producers;
};

class Validator {
 public:
  explicit Validator(Session &s) : s(s) {}

  bool run() {
    const onnx::ModelProto &m = s.model;
    if (!checkVersions(m)) return false;
    for (const auto &f : m.functions()) checkFunction(f);
    for (const auto &v : m.graph().input()) checkInput(v);
    for (const auto &v : m.graph().output()) checkInterfaceName("output", v.name());
    if (m.graph().output_size() > kMaxOutputs)
      fail("ADZ0105", "the model has " + std::to_string(m.graph().output_size()) +
                          " outputs, the limit is " + std::to_string(kMaxOutputs),
           {}, ExitCode::ResourceLimit);
    checkGraph(m.graph(), nullptr, s.opsets, 0);
    return !s.diags.hasErrors();
  }

 private:
  void fail(std::string code, std::string message, std::string help = {},
            ExitCode exit = ExitCode::InvalidModel) {
    s.error(std::move(code), std::move(message), std::move(help), exit);
  }

  // Programs name inputs and outputs by C strings.
  void checkInterfaceName(const char *what, const std::string &name) {
    if (name.find('\0') != name.npos)
      fail("ADZ0120", std::string(what) + " " + quoted(name) + " has a zero byte in its name");
  }

  void checkInput(const onnx::ValueInfoProto &v) {
    checkInterfaceName("input", v.name());
    if (!hasType(v.type()))
      return fail("ADZ0125", "input " + quoted(v.name()) + " of the model has no element type");
    // 128: bits of the widest element.
    std::optional<int64_t> size = 128;
    for (const auto &dim : v.type().tensor_type().shape().dim())
      if (dim.dim_value() > 0 && size) size = checkedMul(*size, dim.dim_value());
    if (!size) fail("ADZ0125", "input " + quoted(v.name()) + " has an impossible shape");
  }

  static bool hasType(const onnx::TypeProto &type) {
    if (type.has_sequence_type()) return hasType(type.sequence_type().elem_type());
    if (type.has_optional_type()) return hasType(type.optional_type().elem_type());
    if (type.has_tensor_type())
      return type.tensor_type().elem_type() == onnx::TensorProto::STRING ||
             elementBits(type.tensor_type().elem_type()) > 0;
    return type.value_case() != onnx::TypeProto::VALUE_NOT_SET;
  }

  bool checkVersions(const onnx::ModelProto &m) {
    if (!m.has_graph()) {
      fail("ADZ0102", "not an ONNX model: the file holds no graph");
      return false;
    }
    if (m.ir_version() < 1) {
      fail("ADZ0110", "the model has no valid IR version (" + std::to_string(m.ir_version()) + ")");
      return false;
    }
    if (m.ir_version() > onnx::IR_VERSION) {
      fail("ADZ0110", "IR version " + std::to_string(m.ir_version()) + " is newer than " +
                          std::to_string(onnx::IR_VERSION) + ", the newest known",
           "export the model with an older IR version", ExitCode::Unsupported);
      return false;
    }
    if (m.opset_import_size() == 0) {
      fail("ADZ0111", "the model imports no operator set",
           "the exporter must write opset_import; every model since 2017 has it");
      return false;
    }
    if (!readOpsets(m.opset_import(), s.opsets, "the model")) return false;
    auto it = s.opsets.find("");
    s.originalOpset = it == s.opsets.end() ? 0 : it->second;
    return true;
  }

  template <typename Imports>
  bool readOpsets(const Imports &imports, Opsets &opsets, const std::string &who) {
    const auto &known = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
    for (const auto &o : imports) {
      std::string domain = defaultDomain(o.domain());
      std::string shown = domain.empty() ? "ai.onnx" : printable(domain, 60);
      std::string version = std::to_string(o.version());
      if (o.version() < 1) {
        fail("ADZ0111", who + " imports " + shown + " at opset " + version + ", which is none");
        return false;
      }
      auto range = known.find(domain);
      if (range != known.end() && o.version() > range->second.second) {
        fail("ADZ0112", who + " imports " + shown + " at opset " + version + ", the newest known is " +
                            std::to_string(range->second.second),
             "export the model for an older opset", ExitCode::Unsupported);
        return false;
      }
      auto [it, fresh] = opsets.emplace(domain, o.version());
      if (!fresh && it->second != o.version()) {
        fail("ADZ0111", who + " imports " + shown + " at two opsets, " +
                            std::to_string(it->second) + " and " + version);
        return false;
      }
    }
    return true;
  }

  // ---- names ----

  void add(Scope &scope, const std::string &name, int64_t node, const char *what) {
    if (!scope.producers.emplace(name, node).second)
      fail("ADZ0120", std::string(what) + " " + quoted(name) + " of graph " + quoted(*scope.graph) +
                          " has a name that is in use");
  }

  void collectNames(Scope &scope, const onnx::GraphProto &g) {
    std::unordered_set<std::string_view> inputs;
    for (const auto &v : g.input()) {
      if (v.name().empty()) fail("ADZ0120", "an input of graph " + quoted(g.name()) + " has no name");
      add(scope, v.name(), -1, "input");
      inputs.insert(v.name());
    }
    std::unordered_set<std::string_view> initializers;
    auto initializer = [&](const std::string &name) {
      if (name.empty()) fail("ADZ0120", "an initializer of graph " + quoted(g.name()) + " has no name");
      if (!initializers.insert(name).second)
        fail("ADZ0120", "initializer " + quoted(name) + " is given twice");
      else if (!inputs.count(name))  // an input may have a default value
        add(scope, name, -1, "initializer");
    };
    for (const auto &t : g.initializer()) initializer(t.name());
    for (const auto &t : g.sparse_initializer()) initializer(t.values().name());
    addOutputs(scope, g.node());
  }

  template <typename Nodes>
  void addOutputs(Scope &scope, const Nodes &nodes) {
    for (int i = 0; i < nodes.size(); ++i)
      for (const std::string &out : nodes[i].output())
        if (!out.empty() && !scope.producers.emplace(out, i).second)
          s.errorAt(*scope.graph, i, nodes[i], "ADZ0120",
                    "output " + quoted(out) + " has a name that is in use");
  }

  // The node in `scope` itself that makes `name` too late; -2: none does.
  int64_t lookup(const Scope &scope, std::string_view name, bool &found) {
    int64_t late = -2;
    found = false;
    for (const Scope *at = &scope; at && !found; at = at->parent) {
      auto it = at->producers.find(name);
      if (it == at->producers.end()) continue;
      found = it->second < at->current;
      if (!found && late == -2) late = it->second;
    }
    return late;
  }

  // Nodes on a way from the outputs of `start` back to its inputs.
  template <typename Nodes>
  std::optional<std::string> findCycle(const Scope &scope, const Nodes &nodes, int64_t start) {
    std::vector<int64_t> stack{start};
    std::unordered_map<int64_t, int64_t> cameFrom;
    while (!stack.empty()) {
      int64_t at = stack.back();
      stack.pop_back();
      for (const std::string &in : nodes[int(at)].input()) {
        auto it = scope.producers.find(in);
        if (it == scope.producers.end() || it->second < 0) continue;
        if (it->second == start) return cycleText(nodes, cameFrom, start, at);
        if (cameFrom.emplace(it->second, at).second) stack.push_back(it->second);
      }
    }
    return std::nullopt;
  }

  template <typename Nodes>
  std::string cycleText(const Nodes &nodes, const std::unordered_map<int64_t, int64_t> &cameFrom,
                        int64_t start, int64_t at) {
    auto name = [&](int64_t i) {
      const auto &n = nodes[int(i)];
      return quoted(n.name().empty() ? n.output(0) : n.name());
    };
    std::string text = name(start);
    for (int shown = 0; at != start; at = cameFrom.at(at)) {
      if (++shown > 3) return text + " -> ... -> " + name(start);
      text += " -> " + name(at);
    }
    return text + " -> " + name(start);
  }

  template <typename Nodes>
  void reportInput(const Scope &scope, const Nodes &nodes, int64_t index, const std::string &name,
                   int64_t late) {
    const auto &node = nodes[int(index)];
    if (late == -2) {
      s.errorAt(*scope.graph, index, node, "ADZ0121", "input " + quoted(name) + " is defined nowhere");
    } else if (auto cycle = findCycle(scope, nodes, index)) {
      s.errorAt(*scope.graph, index, node, "ADZ0122", "the nodes form a cycle: " + *cycle);
    } else {
      s.errorAt(*scope.graph, index, node, "ADZ0122",
                "input " + quoted(name) + " is made by a later node (#" + std::to_string(late) + ")",
                "ONNX wants nodes in topological order");
    }
  }

  // ---- graphs, nodes, attributes ----

  void checkGraph(const onnx::GraphProto &g, const Scope *parent, const Opsets &opsets, int depth) {
    if (tooDeep(depth)) return;
    Scope scope;
    scope.parent = parent;
    scope.graph = &g.name();
    collectNames(scope, g);
    if (stop()) return;
    checkNodes(scope, g.node(), opsets, depth, nullptr);
    std::unordered_set<std::string_view> outputs;
    scope.current = g.node_size();
    for (const auto &v : g.output()) {
      bool found = false;
      lookup(scope, v.name(), found);
      if (!found)
        fail("ADZ0121", "output " + quoted(v.name()) + " of graph " + quoted(g.name()) +
                            " is defined nowhere");
      // A body may return one value twice; a model's outputs have one name each.
      if (!parent && !outputs.insert(v.name()).second)
        fail("ADZ0120", "output " + quoted(v.name()) + " is given twice");
    }
  }

  bool tooDeep(int depth) {
    if (depth <= s.options.maxDepth) return false;
    if (!depthReported)
      fail("ADZ0105", "graphs are nested deeper than " + std::to_string(s.options.maxDepth), {},
           ExitCode::ResourceLimit);
    return depthReported = true;
  }

  bool stop() const { return s.diags.errorCount() >= 20; }

  template <typename Nodes>
  void checkNodes(Scope &scope, const Nodes &nodes, const Opsets &opsets, int depth,
                  const onnx::FunctionProto *function) {
    for (int i = 0; i < nodes.size() && !stop(); ++i) {
      scope.current = i;
      if (++nodeCount > s.options.maxNodes) {
        fail("ADZ0105", "the model has more than " + std::to_string(s.options.maxNodes) + " nodes", {},
             ExitCode::ResourceLimit);
        return;
      }
      for (const std::string &in : nodes[i].input()) {
        bool found = in.empty();
        int64_t late = found ? -2 : lookup(scope, in, found);
        if (!found) reportInput(scope, nodes, i, in, late);
      }
      checkNode(scope, i, nodes[i], opsets, depth, function);
    }
  }

  void checkNode(const Scope &scope, int64_t index, const onnx::NodeProto &node,
                 const Opsets &opsets, int depth, const onnx::FunctionProto *function) {
    auto bad = [&](std::string code, std::string message) {
      s.errorAt(*scope.graph, index, node, std::move(code), std::move(message));
      return false;
    };
    if (node.op_type().empty()) return (void)bad("ADZ0123", "the node has no operator");
    std::string domain = defaultDomain(node.domain());
    auto opset = opsets.find(domain);
    if (opset == opsets.end())
      return (void)bad("ADZ0111", "operator domain '" +
                                      (domain.empty() ? "ai.onnx" : printable(domain, 60)) +
                                      "' is not imported");
    std::unordered_set<std::string_view> names;
    for (const auto &a : node.attribute()) {
      if (a.name().empty()) return (void)bad("ADZ0124", "an attribute has no name");
      if (!names.insert(a.name()).second)
        return (void)bad("ADZ0124", "attribute " + quoted(a.name()) + " is given twice");
      if (!function && !a.ref_attr_name().empty())
        return (void)bad("ADZ0124", "attribute " + quoted(a.name()) +
                                        " refers to a function's attribute outside of a function");
      if (!checkAttribute(a, bad)) return;
    }
    if (!checkSchema(node, domain, opset->second, bad)) return;
    for (const auto &a : node.attribute()) {
      if (a.has_g()) checkGraph(a.g(), &scope, opsets, depth + 1);
      for (const auto &g : a.graphs()) checkGraph(g, &scope, opsets, depth + 1);
    }
  }

  // The one field that is filled must be the one that the type names.
  template <typename Bad>
  bool checkAttribute(const onnx::AttributeProto &a, Bad &bad) {
    using A = onnx::AttributeProto;
    const std::pair<A::AttributeType, bool> filled[] = {
        {A::FLOAT, a.has_f()},   {A::INT, a.has_i()},
        {A::STRING, a.has_s()},  {A::TENSOR, a.has_t()},
        {A::GRAPH, a.has_g()},   {A::SPARSE_TENSOR, a.has_sparse_tensor()},
        {A::TYPE_PROTO, a.has_tp()}, {A::FLOATS, a.floats_size() > 0},
        {A::INTS, a.ints_size() > 0}, {A::STRINGS, a.strings_size() > 0},
        {A::TENSORS, a.tensors_size() > 0}, {A::GRAPHS, a.graphs_size() > 0},
        {A::SPARSE_TENSORS, a.sparse_tensors_size() > 0}, {A::TYPE_PROTOS, a.type_protos_size() > 0}};
    bool known = !a.ref_attr_name().empty();
    for (auto [type, has] : filled) {
      if (type == a.type()) known = true;
      if (has && type != a.type())
        return bad("ADZ0124", "attribute " + quoted(a.name()) + " holds " +
                                  A::AttributeType_Name(type) + " but says it is " +
                                  A::AttributeType_Name(a.type()));
    }
    if (!known) return bad("ADZ0124", "attribute " + quoted(a.name()) + " has no type");
    // What is a message must be there: onnx's code reads it unasked.
    bool missing = (a.type() == A::TENSOR && !a.has_t()) || (a.type() == A::GRAPH && !a.has_g()) ||
                   (a.type() == A::SPARSE_TENSOR && !a.has_sparse_tensor()) ||
                   (a.type() == A::TYPE_PROTO && !a.has_tp());
    if (missing && a.ref_attr_name().empty())
      return bad("ADZ0124", "attribute " + quoted(a.name()) + " has no value");
    return true;
  }

  template <typename Bad>
  bool checkSchema(const onnx::NodeProto &node, const std::string &domain, int64_t version, Bad &bad) {
    const onnx::OpSchema *schema =
        onnx::OpSchemaRegistry::Schema(node.op_type(), int(version), domain);
    if (!schema) return true;  // the coverage check lists it
    try {
      schema->Verify(node);
    } catch (const std::exception &e) {
      std::string why = cleanMessage(s, e.what());
      // "Node(name) with schema(domain::Op:13) has input size ..."
      if (size_t at = why.find(") has "); at != why.npos) why = "the node" + why.substr(at + 1);
      return bad("ADZ0123", why);
    }
    return true;
  }

  // ---- functions ----

  void checkFunction(const onnx::FunctionProto &f) {
    std::string who = "function " + quoted(f.name());
    if (f.name().empty()) return fail("ADZ0140", "a function has no name");
    std::string key = defaultDomain(f.domain()) + '\0' + f.name() + '\0' + f.overload();
    if (!functions.insert(key).second) return fail("ADZ0140", who + " is defined twice");
    Opsets opsets;
    if (!readOpsets(f.opset_import(), opsets, who)) return;
    if (opsets.empty()) opsets = s.opsets;
    Scope scope;
    scope.graph = &f.name();
    for (const std::string &in : f.input()) {
      if (in.empty()) fail("ADZ0120", "an input of " + who + " has no name");
      add(scope, in, -1, "input");
    }
    addOutputs(scope, f.node());
    checkNodes(scope, f.node(), opsets, 0, &f);
    scope.current = f.node_size();
    for (const std::string &out : f.output()) {
      bool found = false;
      lookup(scope, out, found);
      if (!found) fail("ADZ0121", "output " + quoted(out) + " of " + who + " is defined nowhere");
    }
  }

  Session &s;
  int64_t nodeCount = 0;
  bool depthReported = false;
  std::unordered_set<std::string> functions;
};

}  // namespace

bool validate(Session &s) { return Validator(s).run(); }

}  // namespace adze::importer
