#include "tools/adze/Remarks.h"

#include <algorithm>

namespace adze::cli {

Json remarksJson(const FusionRemarks &remarks) {
  Json kernels = Json::array(), nodes = Json::array();
  for (size_t i = 0; i < remarks.kernels.size(); ++i) {
    const RemarkKernel &k = remarks.kernels[i];
    Json joins = Json::array(), stops = Json::array();
    for (const RemarkJoin &j : k.joins)
      joins.push_back({{"op", j.op}, {"node", j.node}, {"as", j.as},
                       {"bytes_saved", j.bytesSaved}, {"steps_again", j.stepsAgain}});
    for (const RemarkStop &s : k.stops)
      stops.push_back({{"op", s.op}, {"node", s.node}, {"why", s.why}});
    kernels.push_back({{"kernel", i}, {"anchor", k.anchor}, {"what", k.what},
                       {"nodes", k.nodes}, {"joins", joins}, {"stops", stops}});
  }
  for (const RemarkNode &n : remarks.nodes)
    nodes.push_back({{"node", n.name}, {"op", n.opType}, {"graph", n.graph}, {"index", n.index},
                     {"fate", fateName(n.fate)}, {"kernel", n.kernel}, {"also", n.also},
                     {"why", n.why}});
  return {{"kernels", kernels}, {"nodes", nodes}};
}

static std::string nodeText(const FusionRemarks &remarks, const RemarkKernel &kernel) {
  constexpr size_t kMost = 4;
  std::string text;
  for (size_t i = 0; i < kernel.nodes.size() && i < kMost; ++i)
    text += (i ? ", " : "") + printable(remarks.nodes[kernel.nodes[i]].name, 40);
  if (kernel.nodes.size() > kMost)
    text += " and " + std::to_string(kernel.nodes.size() - kMost) + " more";
  return text;
}

static std::string stopText(const RemarkKernel &kernel) {
  if (kernel.stops.empty()) return "nothing uses it";
  const RemarkStop &s = kernel.stops.front();
  std::string text = s.op == "return" || s.op == "yield" ? s.why : s.op + ": " + s.why;
  if (kernel.stops.size() > 1) text += " (and " + std::to_string(kernel.stops.size() - 1) + " more)";
  return text;
}

void printRemarks(const FusionRemarks &remarks, std::ostream &out) {
  std::vector<std::vector<std::string>> rows{
      {"kernel", "what", "saves B/element", "ONNX nodes", "ends before"}};
  for (size_t i = 0; i < remarks.kernels.size(); ++i) {
    const RemarkKernel &k = remarks.kernels[i];
    int64_t saved = 0;
    for (const RemarkJoin &j : k.joins) saved += j.bytesSaved;
    rows.push_back({std::to_string(i), k.what, std::to_string(saved), nodeText(remarks, k), stopText(k)});
  }
  out << formatTable(rows);
  rows = {{"node", "op", "no kernel of its own, because"}};
  for (const RemarkNode &n : remarks.nodes)
    if (n.kernel < 0) rows.push_back({printable(n.name, 60), printable(n.opType, 40), n.why});
  if (rows.size() > 1) out << "\n" << formatTable(rows);
}

Json layoutJson(const LayoutRemarks &remarks) {
  Json regions = Json::array();
  for (const LayoutRegion &r : remarks) {
    Json ops = Json::array(), transposes = Json::array();
    for (const LayoutOp &op : r.ops)
      ops.push_back({{"op", op.op}, {"node", op.node}, {"order", op.changed ? "change" : "keep"},
                     {"keep", op.keep}, {"change", op.change}});
    for (const LayoutTranspose &t : r.transposes)
      transposes.push_back({{"of", t.node}, {"cycles", t.cycles}});
    regions.push_back({{"cycles", r.cycles}, {"keep", r.keep}, {"change", r.change},
                       {"ops", ops}, {"transposes", transposes}});
  }
  return regions;
}

void printLayout(const LayoutRemarks &remarks, std::ostream &out) {
  std::vector<std::vector<std::string>> regions{
      {"region", "ops", "changed", "transposes", "cycles", "all kept", "all changed"}};
  std::vector<std::vector<std::string>> rows{
      {"region", "what", "ONNX node", "order", "cycles kept", "changed"}};
  for (size_t i = 0; i < remarks.size(); ++i) {
    const LayoutRegion &r = remarks[i];
    std::string number = std::to_string(i);
    auto changed = std::count_if(r.ops.begin(), r.ops.end(), [](auto &op) { return op.changed; });
    regions.push_back({number, std::to_string(r.ops.size()), std::to_string(changed),
                       std::to_string(r.transposes.size()), std::to_string(r.cycles),
                       std::to_string(r.keep), std::to_string(r.change)});
    for (const LayoutOp &op : r.ops)
      if (op.keep != op.change)
        rows.push_back({number, op.op, printable(op.node, 60), op.changed ? "changed" : "kept",
                        std::to_string(op.keep), std::to_string(op.change)});
    for (const LayoutTranspose &t : r.transposes)
      rows.push_back({number, "transpose of result", printable(t.node, 60), "",
                      std::to_string(t.cycles), ""});
  }
  out << formatTable(regions);
  if (rows.size() > 1) out << "\n" << formatTable(rows);
}

}  // namespace adze::cli
