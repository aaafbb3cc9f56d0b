#include "passes/Import/Coverage.h"

#include "passes/Import/Registry.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <tuple>

using namespace mlir;

namespace adze {

namespace {

using onnxir::NodeOp;

Type elementOf(Type type) {
  if (auto tensor = dyn_cast<TensorType>(type)) return tensor.getElementType();
  if (auto seq = dyn_cast<onnxir::SequenceType>(type)) return elementOf(seq.getElementType());
  if (auto opt = dyn_cast<onnxir::OptionalType>(type)) return elementOf(opt.getElementType());
  return {};
}

/// The type that tables list an operator by: its first input's, or without
/// inputs its first result's.
Type mainElement(NodeOp op) {
  for (Type t : op.getInputs().getTypes())
    if (Type element = elementOf(t)) return element;
  for (Type t : op.getResultTypes())
    if (Type element = elementOf(t)) return element;
  return {};
}

bool isStatic(Type type) {
  if (isa<onnxir::NoneType>(type)) return true;
  auto ranked = dyn_cast<RankedTensorType>(type);
  return ranked && ranked.hasStaticShape();
}

std::string domainOf(NodeOp op) {
  return op.getDomain().empty() ? "ai.onnx" : op.getDomain().str();
}

std::string text(Type type) {
  if (!type) return "?";
  std::string s;
  llvm::raw_string_ostream os(s);
  type.print(os);
  return s;
}

std::string nodeName(const onnxir::NodeRef &node) {
  if (!node.name.empty()) return "'" + printable(node.name, 60) + "'";
  return "#" + std::to_string(node.index);
}

std::string firstNames(const CoverageRow &row) {
  std::string names;
  for (const onnxir::NodeRef &node : row.first) names += (names.empty() ? "" : ", ") + nodeName(node);
  if (row.count > int64_t(row.first.size())) names += ", ...";
  return names;
}

std::string count(int64_t n, const char *what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

std::string rowLine(const CoverageRow &row) {
  return printable(row.op, 60) + " (" + printable(row.domain, 60) + ", since " +
         std::to_string(row.sinceVersion) + ", " + row.dtype + (row.dynamic ? ", dynamic" : "") +
         "): " + row.reason + "; " + count(row.count, "node") + ": " + firstNames(row);
}

}  // namespace

std::string unsupportedByRegistry(NodeOp op) {
  const auto *entry = convert::lookupOp(op.getDomain(), op.getOpType(), op.getSinceVersion());
  if (entry) {
    Type element = mainElement(op);
    if (!element || convert::containsDtype(entry->dtypes, element)) return "";
    return "element type not supported, only " + convert::dtypeNames(entry->dtypes);
  }
  for (const auto &other : convert::allOps())
    if (op.getDomain() == other.domain && op.getOpType() == other.name)
      return "not supported at this version";
  return "no converter";
}

std::vector<CoverageRow> findUnsupported(ModuleOp module, const SupportCheck &check) {
  std::map<std::tuple<std::string, std::string, int64_t, std::string, bool, std::string>, CoverageRow>
      rows;
  module->walk<WalkOrder::PreOrder>([&](NodeOp op) {
    std::string reason = check(op);
    if (reason.empty()) return;
    bool dynamic = !llvm::all_of(op.getInputs().getTypes(), isStatic) ||
                   !llvm::all_of(op.getResultTypes(), isStatic);
    CoverageRow fresh{domainOf(op), op.getOpType().str(), int64_t(op.getSinceVersion()),
                      text(mainElement(op)), dynamic, reason, 0, {}};
    auto key = std::tuple(fresh.domain, fresh.op, fresh.sinceVersion, fresh.dtype, dynamic, reason);
    CoverageRow &row = rows.try_emplace(key, fresh).first->second;
    ++row.count;
    if (row.first.size() < 3)
      row.first.push_back(onnxir::nodeOf(op.getLoc()).value_or(onnxir::NodeRef{}));
  });
  std::vector<CoverageRow> list;
  for (auto &[key, row] : rows) list.push_back(std::move(row));
  // Rows are distinct and in order of their keys: ties keep it.
  llvm::stable_sort(list,
                    [](const CoverageRow &a, const CoverageRow &b) { return a.count > b.count; });
  return list;
}

std::string coverageText(const std::vector<CoverageRow> &rows) {
  std::string out;
  llvm::raw_string_ostream os(out);
  const char *format = "{0,-28} {1,-16} {2,6} {3,-10} {4,-8} {5,6}  {6}\n";
  os << llvm::formatv(format, "operator", "domain", "since", "dtype", "dynamic", "nodes",
                      "first nodes; reason");
  for (const CoverageRow &row : rows)
    os << llvm::formatv(format, printable(row.op, 60), printable(row.domain, 60), row.sinceVersion,
                        row.dtype, row.dynamic ? "yes" : "no", row.count,
                        firstNames(row) + "; " + row.reason);
  return out;
}

std::string coverageJson(const std::vector<CoverageRow> &rows) {
  nlohmann::json list = nlohmann::json::array();
  for (const CoverageRow &row : rows) {
    nlohmann::json nodes = nlohmann::json::array();
    for (const onnxir::NodeRef &n : row.first)
      nodes.push_back({{"graph", n.graph}, {"index", n.index}, {"name", n.name}});
    list.push_back({{"op", row.op}, {"domain", row.domain}, {"since_version", row.sinceVersion},
                    {"dtype", row.dtype}, {"dynamic", row.dynamic}, {"reason", row.reason},
                    {"count", row.count}, {"nodes", nodes}});
  }
  return nlohmann::json{{"unsupported", list}}.dump(-1, ' ', false,
                                                    nlohmann::json::error_handler_t::replace) + "\n";
}

// A message shows few notes (lib/Support/Diagnostics.h): four rows in full, one
// line that names all others, and then those in full for the JSON form.
Diagnostic coverageDiagnostic(const std::vector<CoverageRow> &rows, llvm::StringRef target) {
  int64_t nodes = 0;
  for (const CoverageRow &row : rows) nodes += row.count;
  Diagnostic d;
  d.exitCode = ExitCode::Unsupported;
  d.code = "ADZ0201";
  d.message = count(int64_t(rows.size()), "operator form") + ", in " + count(nodes, "node") +
              (rows.size() == 1 ? ", is" : ", are") + " not supported by target '" + target.str() + "'";
  if (!rows.empty() && !rows[0].first.empty()) {
    const onnxir::NodeRef &node = rows[0].first[0];
    d.graph = node.graph;
    d.node = node.name;
    d.nodeIndex = node.index;
    d.opType = rows[0].op;
  }
  std::string others;
  for (size_t i = 4; i < rows.size(); ++i)
    others += (others.empty() ? "and " : ", ") + printable(rows[i].op, 40) + " (" +
              std::to_string(rows[i].count) + ")";
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i == 4 && rows.size() > 5) d.notes.push_back(others);
    d.notes.push_back(rowLine(rows[i]));
  }
  d.help = "`adze ops --target " + target.str() + "` lists what is supported";
  return d;
}

bool checkCoverage(ModuleOp module, llvm::StringRef target, const SupportCheck &placement,
                   DiagnosticEngine &diags) {
  std::vector<CoverageRow> rows = findUnsupported(module, [&](NodeOp op) {
    std::string reason = unsupportedByRegistry(op);
    return reason.empty() ? placement(op) : reason;
  });
  if (rows.empty()) return true;
  diags.report(coverageDiagnostic(rows, target));
  return false;
}

}  // namespace adze
