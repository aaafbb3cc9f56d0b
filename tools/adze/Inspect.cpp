// adze inspect
#include "lib/Artifact/Artifact.h"
#include "lib/Compiler/Compiler.h"
#include "lib/Support/File.h"
#include "tools/adze/Remarks.h"
#include "tools/adze/Trace.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <iostream>
#include <map>

namespace adze::cli {

namespace {

using artifact::Contents;
using artifact::DeviceKernel;

constexpr const char *kFooter = R"(Examples:
  adze inspect model.adze                signature, target, kernels with their nodes
  adze inspect model.adze --memory       the memory plan, buffer by buffer
  adze inspect model.adze --ptx sm_80    the kernels' text, for `adze emulate`
  adze inspect model.onnx                signature, opsets, ops with counts
  adze inspect model.onnx --fusion       kernels, their nodes, and why they end where they do
  adze inspect model.onnx --layout       orders of dimensions, and what they cost)";

struct Options {
  std::string file, ptx;
  bool memory = false, nodes = false, fusion = false, layout = false;
  CompileOptions compile;  ///< for --fusion and --layout
};

Json tensorJson(const artifact::TensorInfo &t) {
  Json dims = Json::array(), ranges = Json::array();
  bool bounded = false;
  for (const auto &d : t.dims) {
    dims.push_back(d.value >= 0 ? Json(d.value) : Json(d.symbol));
    bool range = d.value < 0 && d.most >= 0;
    ranges.push_back(range ? Json{d.least, d.most} : Json());
    bounded |= range;
  }
  Json j{{"name", t.name}, {"dtype", dtypeName(t.dtype)}, {"dims", dims}};
  if (bounded) j["ranges"] = ranges;
  return j;
}

/// "float32[N,4]" of what tensorJson made.
std::string typeText(const Json &t) {
  std::string text;
  for (size_t i = 0; i < t["dims"].size(); ++i) {
    const Json &d = t["dims"][i];
    std::string symbol = d.is_string() ? printable(d.get<std::string>(), 60) : d.dump();
    if (t.contains("ranges") && t["ranges"][i].is_array())
      symbol += (symbol.empty() ? "" : ":") + t["ranges"][i][0].dump() + ".." + t["ranges"][i][1].dump();
    text += (i ? "," : "") + (symbol.empty() ? "?" : symbol);
  }
  return t["dtype"].get<std::string>() + "[" + text + "]";
}

Json artifactJson(const Contents &c) {
  Json j{{"kind", "artifact"},      {"compiler", c.compilerVersion}, {"target", c.target},
         {"triple", c.triple},      {"cpu", c.cpu},                  {"flags", c.provenance.flags},
         {"cpu_features", c.cpuFeatures}};
  char hash[24];
  std::snprintf(hash, sizeof hash, "%016llx",
                static_cast<unsigned long long>(c.provenance.modelHash));
  j["model_xxh3"] = hash;
  for (const char *side : {"inputs", "outputs"}) {
    j[side] = Json::array();
    for (const auto &t : side[0] == 'i' ? c.inputs : c.outputs) j[side].push_back(tensorJson(t));
  }
  j["kernels"] = Json::array();
  for (const auto &k : c.kernels)
    j["kernels"].push_back({{"name", k.name}, {"kind", k.kind}, {"nodes", k.nodes},
                            {"flops", k.flops}, {"bytes_read", k.bytesRead},
                            {"bytes_written", k.bytesWritten}});
  Json buffers = Json::array();
  for (const auto &b : c.memory.buffers)
    buffers.push_back({{"kernel", b.kernel}, {"first", b.first}, {"last", b.last},
                       {"offset", b.offset}, {"bytes", b.size}});
  j["memory"] = {{"arena_bytes", c.memory.arenaBytes},
                 {"peak_live_bytes", c.memory.peakLiveBytes},
                 {"buffers", buffers}};
  j["nodes"] = Json::array();
  for (const auto &n : c.nodeMapping) j["nodes"].push_back({{"node", n.node}, {"kernel", n.kernel}});
  j["metadata"] = Json::object();
  for (const auto &m : c.metadata) j["metadata"][m.key] = m.value;
  j["sections"] = Json::array();
  for (const auto &s : c.sections)
    j["sections"].push_back({{"name", s.name}, {"kind", static_cast<int>(s.kind)},
                             {"bytes", s.size}, {"offset", s.fileOffset}});
  if (c.variants.empty()) return j;
  j["variants"] = Json::array();
  for (const auto &v : c.variants) {
    Json kernels = Json::array();
    for (const auto &k : v.kernels)
      kernels.push_back(
          {{"name", k.name}, {"parameter_bytes", k.parameterBytes}, {"threads", k.threads},
           {"registers", k.registers}, {"spill_bytes", k.spillBytes}, {"shared_bytes", k.sharedBytes}});
    j["variants"].push_back({{"device", v.device}, {"assembler", v.assembler}, {"kernels", kernels}});
  }
  return j;
}

/// The largest of a variant's kernels.
std::string most(const artifact::Variant &v, uint32_t DeviceKernel::*what) {
  if (v.assembler.empty()) return "-";
  uint32_t largest = 0;
  for (const DeviceKernel &k : v.kernels) largest = std::max(largest, k.*what);
  return std::to_string(largest);
}

/// What there is for each device.
void printVariants(const Contents &c) {
  auto size = [&](artifact::SectionKind kind, const std::string &device) {
    const artifact::Section *s = c.find(kind, device);
    return s ? formatBytes(static_cast<int64_t>(s->size)) : "-";
  };
  std::vector<std::vector<std::string>> rows{
      {"device", "kernels", "host code", "PTX", "cubin", "by", "registers", "spills"}};
  for (const auto &v : c.variants)
    rows.push_back({printable(v.device, 40), std::to_string(v.kernels.size()),
                    size(artifact::SectionKind::HostCode, v.device),
                    size(artifact::SectionKind::Ptx, v.device),
                    size(artifact::SectionKind::Cubin, v.device),
                    v.assembler.empty() ? "-" : printable(v.assembler, 40), most(v, &DeviceKernel::registers),
                    most(v, &DeviceKernel::spillBytes)});
  std::cout << "\n" << formatTable(rows);
}

void printMemory(const Contents &c) {
  std::vector<std::vector<std::string>> rows{{"offset", "size", "lives", "made by"}};
  for (const auto &b : c.memory.buffers)
    rows.push_back({std::to_string(b.offset), formatBytes(b.size),
                    std::to_string(b.first) + ".." + std::to_string(b.last),
                    b.kernel >= 0 ? printable(c.kernels[b.kernel].name, 60) : "-"});
  std::cout << "\nmemory plan\n" << formatTable(rows);
}

void printNodes(const Contents &c) {
  std::vector<std::vector<std::string>> rows{{"node", "kernel"}};
  for (const auto &n : c.nodeMapping)
    rows.push_back({printable(n.node, 80),
                    n.kernel >= 0 ? printable(c.kernels[n.kernel].name, 60) : "(folded away)"});
  std::cout << "\nnodes\n" << formatTable(rows);
}

void printArtifact(const Contents &c, const Options &o) {
  int64_t weights = 0, code = 0;
  for (const auto &s : c.sections)
    (s.kind == artifact::SectionKind::Weights ? weights : code) += static_cast<int64_t>(s.size);
  std::cout << "target    " << c.target << ", " << c.cpu << " (" << c.triple << ")\n"
            << "compiled  by adze " << c.compilerVersion << ", " << c.provenance.flags << "\n"
            << "weights   " << formatBytes(weights) << ", code " << formatBytes(code) << "\n"
            << "arena     "
            << (c.memory.arenaBytes > 0 ? formatArena(c.memory.arenaBytes, c.memory.peakLiveBytes)
                                        : "planned at run time")
            << "\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto &t : c.inputs) rows.push_back({"input", printable(t.name, 80), typeText(tensorJson(t))});
  for (const auto &t : c.outputs) rows.push_back({"output", printable(t.name, 80), typeText(tensorJson(t))});
  std::cout << formatTable(rows);
  for (const auto &m : c.metadata)
    std::cout << "metadata  " << printable(m.key, 60) << " = " << printable(m.value, 60) << "\n";
  rows = {{"kernel", "kind", "ONNX nodes"}};
  for (const auto &k : c.kernels) rows.push_back({printable(k.name, 60), k.kind, someOf(k.nodes, 4)});
  std::cout << "\n" << formatTable(rows);
  if (!c.variants.empty()) printVariants(c);
  if (o.memory) printMemory(c);
  if (o.nodes) printNodes(c);
}

/// The text that the GPU's driver, or the emulator, gets.
ExitCode printPtx(const Contents &c, const std::string &device, Cli &cli) {
  const artifact::Section *ptx = c.find(artifact::SectionKind::Ptx, device);
  if (!ptx) {
    std::string names;
    for (const auto &v : c.variants) names += (names.empty() ? "" : ", ") + printable(v.device, 40);
    return cli.usage("there is no PTX for '" + printable(device, 40) + "'",
                     names.empty() ? "the artifact is for no GPU" : "it is for: " + names);
  }
  auto bytes = ptx->bytes();
  std::cout.write(reinterpret_cast<const char *>(bytes.data()),
                  static_cast<std::streamsize>(bytes.size()));
  return ExitCode::Ok;
}

ExitCode inspectArtifact(const Options &o, Cli &cli) {
  Diagnostic error;
  auto a = artifact::Artifact::open(o.file, error);
  if (!a) {
    cli.diags.report(error);
    return error.exitCode;
  }
  if (!o.ptx.empty()) return printPtx(a->contents(), o.ptx, cli);
  if (cli.json)
    std::cout << artifactJson(a->contents()).dump(-1, ' ', false, Json::error_handler_t::replace)
              << "\n";
  else
    printArtifact(a->contents(), o);
  return ExitCode::Ok;
}

// ---- models -----------------------------------------------------------------

artifact::TensorInfo valueInfo(const onnx::ValueInfoProto &v) {
  artifact::TensorInfo t;
  t.name = v.name();
  int32_t type = v.type().tensor_type().elem_type();
  if (type > 0 && type <= artifact::kMaxDType) t.dtype = static_cast<artifact::DType>(type);
  for (const auto &d : v.type().tensor_type().shape().dim())
    t.dims.push_back({d.has_dim_value() ? d.dim_value() : -1, d.dim_param()});
  return t;
}

/// Counts nodes by op, subgraphs included, to a depth no real model has.
void countOps(const onnx::GraphProto &graph, std::map<std::string, int64_t> &ops, int depth) {
  for (const auto &node : graph.node()) {
    ++ops[(node.domain().empty() ? "" : node.domain() + ".") + node.op_type()];
    for (const auto &a : node.attribute())
      if (a.has_g() && depth < 64) countOps(a.g(), ops, depth + 1);
  }
}

Json modelJson(const onnx::ModelProto &model) {
  Json j{{"kind", "model"}, {"ir_version", model.ir_version()}, {"producer", model.producer_name()}};
  for (const auto &o : model.opset_import())
    j["opsets"][o.domain().empty() ? "ai.onnx" : o.domain()] = o.version();
  std::vector<std::string> weights;
  for (const auto &t : model.graph().initializer()) weights.push_back(t.name());
  std::sort(weights.begin(), weights.end());
  j["inputs"] = Json::array();
  for (const auto &v : model.graph().input())
    if (!std::binary_search(weights.begin(), weights.end(), v.name()))
      j["inputs"].push_back(tensorJson(valueInfo(v)));
  j["outputs"] = Json::array();
  for (const auto &v : model.graph().output()) j["outputs"].push_back(tensorJson(valueInfo(v)));
  std::map<std::string, int64_t> ops;
  countOps(model.graph(), ops, 0);
  j["ops"] = ops;
  j["initializers"] = model.graph().initializer_size();
  j["functions"] = model.functions_size();
  return j;
}

void printModel(const Json &j) {
  std::cout << "ONNX IR " << j["ir_version"] << ", opsets";
  if (j.contains("opsets"))
    for (const auto &[domain, version] : j["opsets"].items())
      std::cout << " " << printable(domain, 60) << " " << version;
  std::cout << "\n";
  std::vector<std::vector<std::string>> rows;
  for (const char *side : {"inputs", "outputs"})
    for (const Json &t : j[side])
      rows.push_back({side[0] == 'i' ? "input" : "output",
                      printable(t["name"].get<std::string>(), 80), typeText(t)});
  std::cout << formatTable(rows) << j["initializers"] << " initializers\n\n";
  rows = {{"op", "count"}};
  for (const auto &[op, count] : j["ops"].items())
    rows.push_back({printable(op, 80), count.dump()});
  std::cout << formatTable(rows);
}

ExitCode inspectModel(const Options &o, std::span<const std::byte> bytes, Cli &cli) {
  onnx::ModelProto model;
  if (bytes.empty() || bytes.size() > INT32_MAX ||
      !model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !model.has_graph())
    return cli.fail(ExitCode::InvalidModel, "ADZ0807", "neither an artifact nor an ONNX model");
  Json j = modelJson(model);
  if (cli.json)
    std::cout << j.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
  else
    printModel(j);
  return ExitCode::Ok;
}

/// Compiles the model as far as its kernels are formed.
ExitCode inspectRemarks(Options &o, Cli &cli) {
  o.compile.model = o.file;
  CompileSummary summary;
  ExitCode code = collectRemarks(o.compile, cli.diags, summary);
  if (code != ExitCode::Ok) return code;
  if (cli.json) {
    Json j = o.fusion ? remarksJson(summary.fusion) : Json::object();
    if (o.layout) j["layout"] = layoutJson(summary.layout);
    std::cout << j.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
    return ExitCode::Ok;
  }
  if (o.layout) printLayout(summary.layout, std::cout);
  if (o.layout && o.fusion) std::cout << "\n";
  if (o.fusion) printRemarks(summary.fusion, std::cout);
  return ExitCode::Ok;
}

ExitCode runInspect(Options &o, Cli &cli) {
  cli.diags.setFile(o.file);
  if (o.fusion || o.layout) return inspectRemarks(o, cli);
  std::string error;
  auto file = MappedFile::open(o.file, error);
  if (!file) return cli.fail(ExitCode::InvalidModel, "ADZ0801", error);
  auto bytes = file->bytes();
  std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  bool named = o.file.size() > 5 && o.file.substr(o.file.size() - 5) == ".adze";
  return named || text.substr(0, 4) == "ADZE" ? inspectArtifact(o, cli) : inspectModel(o, bytes, cli);
}

}  // namespace

void addInspect(CLI::App &app, Cli &cli) {
  auto *verb = app.add_subcommand("inspect", "Show what is in an artifact or a model");
  auto o = std::make_shared<Options>();
  verb->add_option("file", o->file, "A .adze artifact or an ONNX model")->required();
  verb->add_flag("--memory", o->memory, "The memory plan");
  verb->add_flag("--nodes", o->nodes, "Every ONNX node and the kernel that computes it");
  verb->add_option("--ptx", o->ptx, "The PTX for a GPU of the artifact, as it is: --ptx sm_80");
  verb->add_flag("--fusion", o->fusion, "Of a model: its kernels, and why they end where they do");
  verb->add_flag("--layout", o->layout, "Of a model: the orders of its ops' dimensions, and what they cost");
  verb->add_option("--cpu", o->compile.cpu, "With --fusion and --layout: native, or LLVM's name of a CPU")
      ->capture_default_str();
  verb->add_option("-O,--opt-level", o->compile.optLevel, "With --fusion and --layout: as of `adze compile`")
      ->check(CLI::Range(0, 3))
      ->capture_default_str();
  addCommon(*verb, cli);
  verb->footer(kFooter);
  verb->callback([o, &cli] { cli.action = [o, &cli] { return runInspect(*o, cli); }; });
}

}  // namespace adze::cli
