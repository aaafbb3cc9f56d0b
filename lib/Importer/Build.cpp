// Writes the onnx dialect from a checked, converted, inferred model.
#include "dialects/Onnx/Location.h"
#include "dialects/Onnx/Onnx.h"
#include "lib/Importer/Elements.h"
#include "lib/Importer/Session.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Verifier.h"
#include "onnx/defs/schema.h"

#include <unordered_map>

using namespace mlir;

namespace adze::importer {

using onnx::AttributeProto;
using onnx::GraphProto;
using onnx::NodeProto;
using onnx::TypeProto;

namespace {

/// Values and types of one graph, looked up outwards.
struct Names {
  const Names *outer = nullptr;
  std::unordered_map<std::string, Value> values;
  std::unordered_map<std::string, const TypeProto *> types;

  Value find(const std::string &name) const {
    for (const Names *at = this; at; at = at->outer)
      if (auto it = at->values.find(name); it != at->values.end()) return it->second;
    return {};
  }
};

class ModuleBuilder {
 public:
  ModuleBuilder(Session &s, MLIRContext &context) : s(s), b(&context), elements(s, context) {}

  OwningOpRef<ModuleOp> run() {
    Location loc = FileLineColLoc::get(b.getStringAttr(s.path.empty() ? "<model>" : s.path), 0, 0);
    module = ModuleOp::create(loc);
    setModuleAttributes();
    b.setInsertionPointToEnd(module->getBody());
    if (!buildMain(s.model.graph())) return nullptr;
    if (succeeded(verify(*module))) return std::move(module);
    s.error("ADZ0199", "internal error: the imported module does not verify", {}, ExitCode::Internal);
    return nullptr;
  }

 private:
  // ---- module and signature ----

  void setModuleAttributes() {
    Operation *op = module->getOperation();
    SmallVector<NamedAttribute> opsets;
    for (const auto &o : s.model.opset_import())
      opsets.emplace_back(b.getStringAttr(o.domain().empty() ? "ai.onnx" : o.domain()),
                          b.getI64IntegerAttr(o.version()));
    op->setAttr(onnxir::kOpsets, b.getDictionaryAttr(opsets));
    op->setAttr(onnxir::kOriginalOpset, b.getI64IntegerAttr(s.originalOpset));
    op->setAttr(onnxir::kIrVersion, b.getI64IntegerAttr(s.irVersion));
    op->setAttr(onnxir::kGraphName, b.getStringAttr(s.model.graph().name()));
    op->setAttr(onnxir::kProducerName, b.getStringAttr(s.model.producer_name()));
    op->setAttr(onnxir::kProducerVersion, b.getStringAttr(s.model.producer_version()));
    SmallVector<Attribute> metadata;
    for (const auto &p : s.model.metadata_props())
      metadata.push_back(b.getArrayAttr({b.getStringAttr(p.key()), b.getStringAttr(p.value())}));
    op->setAttr(onnxir::kMetadata, b.getArrayAttr(metadata));
  }

  bool buildMain(const GraphProto &g) {
    SmallVector<Type> inputs;
    for (const auto &v : g.input()) inputs.push_back(elements.type(v.type()));
    Location loc = module->getLoc();
    auto func = func::FuncOp::create(b, loc, "main", b.getFunctionType(inputs, {}));
    Block *entry = func.addEntryBlock();
    b.setInsertionPointToStart(entry);
    Names names;
    SmallVector<Value> results;
    if (!buildGraph(g, entry, names, results)) return false;
    func::ReturnOp::create(b, loc, results);
    func.setFunctionType(b.getFunctionType(inputs, ValueRange(results).getTypes()));
    setSignature(func, g);
    return true;
  }

  // All at once: setting one after another copies the list each time.
  void setSignature(func::FuncOp func, const GraphProto &g) {
    SmallVector<DictionaryAttr> args, results;
    for (int i = 0; i < g.input_size(); ++i) {
      const auto &v = g.input(i);
      Type type = func.getArgumentTypes()[i];
      args.push_back(valueAttributes(v.name(), dimNames(type, v.type()), rangesOf(type, v.name())));
    }
    for (int i = 0; i < g.output_size(); ++i) {
      const std::string &name = g.output(i).name();
      auto declared = s.declaredOutputs.find(name);
      ArrayAttr dims;
      if (declared != s.declaredOutputs.end())
        dims = dimNames(func.getResultTypes()[i], declared->second);
      results.push_back(valueAttributes(name, dims, {}));
    }
    func.setAllArgAttrs(args);
    func.setAllResultAttrs(results);
  }

  DictionaryAttr valueAttributes(const std::string &name, ArrayAttr dims, ArrayAttr ranges) {
    SmallVector<NamedAttribute> attrs{b.getNamedAttr(onnxir::kName, b.getStringAttr(name))};
    if (dims) attrs.push_back(b.getNamedAttr(onnxir::kDims, dims));
    if (ranges) attrs.push_back(b.getNamedAttr(onnxir::kRanges, ranges));
    return b.getDictionaryAttr(attrs);
  }

  // One string a dimension; null where ranks differ or no name is given.
  ArrayAttr dimNames(Type type, const TypeProto &declared) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    const auto &shape = declared.tensor_type().shape();
    if (!tensor || tensor.getRank() != shape.dim_size()) return {};
    SmallVector<Attribute> names;
    bool any = false;
    for (const auto &dim : shape.dim()) {
      names.push_back(b.getStringAttr(dim.dim_param()));
      any |= !dim.dim_param().empty();
    }
    return any ? b.getArrayAttr(names) : ArrayAttr();
  }

  ArrayAttr rangesOf(Type type, const std::string &name) {
    auto it = s.options.shapes.find(name);
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (it == s.options.shapes.end() || !tensor || tensor.getRank() != int64_t(it->second.size()))
      return {};
    SmallVector<Attribute> ranges;
    for (const DimRange &r : it->second) ranges.push_back(b.getDenseI64ArrayAttr({r.low, r.high}));
    return b.getArrayAttr(ranges);
  }

  // ---- graphs ----

  bool buildGraph(const GraphProto &g, Block *block, Names &names, SmallVectorImpl<Value> &results) {
    for (const auto &v : g.value_info()) names.types[v.name()] = &v.type();
    for (const auto &v : g.output())
      if (v.has_type()) names.types.emplace(v.name(), &v.type());
    for (int i = 0; i < g.input_size(); ++i) names.values[g.input(i).name()] = block->getArgument(i);
    for (const auto &t : g.initializer()) {
      auto loc = NameLoc::get(b.getStringAttr(t.name()), module->getLoc());
      Value v = constant(loc, elements.tensor(t));
      if (!v) return internal("initializer '" + printable(t.name()) + "'");
      names.values[t.name()] = v;
    }
    int64_t lastId = -1;
    for (int i = 0; i < g.node_size(); ++i)
      if (!buildNode(g.node(i), nodeId(g, i, lastId), names)) return false;
    for (const auto &v : g.output()) {
      Value value = names.find(v.name());
      if (!value) return internal("output '" + printable(v.name()) + "'");
      results.push_back(value);
    }
    return true;
  }

  // Nodes that the version converter put in have no id: they serve the next
  // node that has one.
  int64_t nodeId(const GraphProto &g, int index, int64_t &lastId) {
    for (int i = index; i < g.node_size() && i < index + 8; ++i)
      if (int64_t id = s.idOf(g.node(i).name()); id >= 0) return lastId = id;
    return lastId;
  }

  Location locationOf(int64_t id) {
    if (id < 0) return module->getLoc();
    const NodeOrigin &o = s.origins[size_t(id)];
    Location own = onnxir::nodeLocation(b.getContext(), o.graph, std::max<int64_t>(o.index, 0),
                                        o.opType, o.name);
    return o.caller < 0 ? own : Location(CallSiteLoc::get(own, locationOf(o.caller)));
  }

  bool internal(const std::string &what) {
    s.error("ADZ0199", "internal error: " + what + " was lost on import", {}, ExitCode::Internal);
    return false;
  }

  // ---- nodes ----

  Value constant(Location loc, ElementsAttr value) {
    if (!value) return {};
    return onnxir::ConstantOp::create(b, loc, value);
  }

  Value none(Location loc) {
    return onnxir::NoneOp::create(b, loc, onnxir::NoneType::get(b.getContext()));
  }

  bool buildNode(const NodeProto &n, int64_t id, Names &names) {
    Location loc = locationOf(id);
    if (n.op_type() == "Constant" && n.domain().empty() && n.output_size() == 1) {
      if (Value v = constant(loc, elements.constant(n))) {
        names.values[n.output(0)] = v;
        return true;
      }
    }
    OperationState state(loc, onnxir::NodeOp::getOperationName());
    for (const std::string &in : n.input()) {
      Value v = in.empty() ? none(loc) : names.find(in);
      if (!v) return internal("value '" + printable(in) + "'");
      state.operands.push_back(v);
    }
    for (const std::string &out : n.output()) state.types.push_back(typeOf(out, names));
    auto &props = state.getOrAddProperties<onnxir::NodeOp::Properties>();
    props.op_type = b.getStringAttr(n.op_type());
    props.domain = b.getStringAttr(n.domain());
    props.since_version = b.getI64IntegerAttr(sinceVersion(n));
    if (!buildAttributes(n, state, props, names)) return false;
    Operation *op = b.create(state);
    for (int i = 0; i < n.output_size(); ++i) names.values[n.output(i)] = op->getResult(i);
    return true;
  }

  Type typeOf(const std::string &name, const Names &names) {
    auto it = names.types.find(name);
    return it == names.types.end() ? onnxir::UnknownType::get(b.getContext())
                                   : elements.type(*it->second);
  }

  int64_t sinceVersion(const NodeProto &n) {
    auto opset = s.opsets.find(n.domain());
    int64_t version = opset == s.opsets.end() ? 1 : opset->second;
    const auto *schema = onnx::OpSchemaRegistry::Schema(n.op_type(), int(version), n.domain());
    return schema ? schema->since_version() : version;
  }

  bool buildAttributes(const NodeProto &n, OperationState &state,
                       onnxir::NodeOp::Properties &props, Names &names) {
    SmallVector<NamedAttribute> attrs;
    SmallVector<Attribute> bodies;
    for (const AttributeProto &a : n.attribute()) {
      if (a.type() == AttributeProto::GRAPH || a.type() == AttributeProto::GRAPHS) {
        if (a.has_g() && !buildBody(a.g(), state, names)) return false;
        for (const GraphProto &g : a.graphs())
          if (!buildBody(g, state, names)) return false;
        bodies.append(size_t(a.has_g()) + size_t(a.graphs_size()), b.getStringAttr(a.name()));
      } else if (Attribute value = elements.attribute(a)) {
        attrs.emplace_back(b.getStringAttr(a.name()), value);
      } else {
        return internal("attribute '" + printable(a.name()) + "'");
      }
    }
    if (!attrs.empty()) props.onnx_attributes = b.getDictionaryAttr(attrs);
    if (!bodies.empty()) props.body_names = b.getArrayAttr(bodies);
    return true;
  }

  bool buildBody(const GraphProto &g, OperationState &state, Names &outer) {
    OpBuilder::InsertionGuard guard(b);
    Region *region = state.addRegion();
    Block *block = b.createBlock(region);
    for (const auto &v : g.input()) block->addArgument(elements.type(v.type()), state.location);
    Names names;
    names.outer = &outer;
    SmallVector<Value> results;
    if (!buildGraph(g, block, names, results)) return false;
    onnxir::ReturnOp::create(b, state.location, results);
    return true;
  }

  Session &s;
  OpBuilder b;
  Elements elements;
  OwningOpRef<ModuleOp> module;
};

}  // namespace

OwningOpRef<ModuleOp> buildModule(Session &s, MLIRContext &context) {
  context.loadDialect<onnxir::OnnxDialect, func::FuncDialect>();
  return ModuleBuilder(s, context).run();
}

}  // namespace adze::importer
