// adze verify: an artifact against the model it came from, as onnxruntime
// computes it; on a difference, the first kernel that diverges.
#include "lib/Artifact/Artifact.h"
#include "lib/Compiler/Compiler.h"
#include "lib/Support/File.h"
#include "tools/adze/Compare.h"
#include "tools/adze/Peer.h"
#include "tools/adze/Session.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstring>
#include <iostream>
#include <map>
#include <set>

namespace adze::cli {

namespace {

constexpr const char *kFooter = R"(Examples:
  adze verify model.adze --against model.onnx
  adze verify model.adze --against model.onnx --shape x=4x3x320x320 --samples 4
  adze verify model.adze --against model.onnx --each-kernel

Kernels are compared where their values are outputs of the artifact
(`adze compile --keep-kernel-values`), else in a compile of the model made for it.
Needs Python with onnxruntime (ADZE_PYTHON names the program). Bounds are
derived from the element type, the number of roundings and the longest sum:
docs/accuracy.md. Exit code 4 when a result is out of them.)";

struct Options : InputOptions {
  std::string artifact, model, device, boundsOf;
  int samples = 1, threads = 0;
  bool eachKernel = false;
};

/// Of each value that a function reached by adding a constant, the constant's size.
using Addends = std::map<std::string, double>;

/// What the bounds depend on, and who computes which value.
struct ModelFacts {
  Roundings roundings;
  Addends addends;
  std::map<std::string, std::vector<std::string>> results;  ///< of a node
  /// Nodes that use a value; "" stands for the model's outputs.
  std::map<std::string, std::set<std::string>> users;
};

double lookup(const Addends &addends, const std::string &value) {
  auto found = addends.find(value);
  return found == addends.end() ? 0 : found->second;
}

/// Size of the constant that the function of `node` adds on the way to its
/// result: its rounding does not shrink with the result. Ops that only move
/// elements hand their inputs' on. 0 for others.
double addendOf(const onnx::NodeProto &node, const Addends &addends) {
  static const std::set<std::string_view> adding = {"HardSigmoid", "Sigmoid", "Softplus"};
  static const std::set<std::string_view> moving = {
      "Concat",  "Expand",  "Flatten", "Gather", "Identity", "Reshape",  "Slice",
      "Split",   "Squeeze", "Tile",    "TopK",   "Transpose", "Unsqueeze"};
  if (adding.count(node.op_type())) return 1;
  double largest = 0;
  if (moving.count(node.op_type()))
    for (const auto &in : node.input()) largest = std::max(largest, lookup(addends, in));
  return largest;
}

void addAddends(const onnx::GraphProto &graph, Addends &addends);

/// The results of a node with graphs are theirs.
void addAddends(const onnx::NodeProto &node, Addends &addends) {
  for (const auto &out : node.output())
    if (double addend = addendOf(node, addends); addend > 0) addends[out] = addend;
  int before = node.op_type() == "Loop" ? 1 : 0;  // a loop's body gives its condition first
  for (const auto &attribute : node.attribute()) {
    if (!attribute.has_g()) continue;
    Addends inside = addends;
    addAddends(attribute.g(), inside);
    for (int i = 0; i < node.output_size() && i + before < attribute.g().output_size(); ++i)
      if (double addend = lookup(inside, attribute.g().output(i + before).name()); addend > 0)
        addends[node.output(i)] = std::max(lookup(addends, node.output(i)), addend);
  }
}

void addAddends(const onnx::GraphProto &graph, Addends &addends) {
  for (const auto &node : graph.node()) addAddends(node, addends);
}

std::optional<ModelFacts> factsOf(const std::string &path) {
  std::string error;
  auto file = MappedFile::open(path, error);
  onnx::ModelProto model;
  if (!file || file->bytes().size() > INT32_MAX ||
      !model.ParseFromArray(file->bytes().data(), static_cast<int>(file->bytes().size())))
    return std::nullopt;
  ModelFacts facts;
  addAddends(model.graph(), facts.addends);
  for (const auto &node : model.graph().node()) {
    const std::string &name = node.name().empty() ? node.output(0) : node.name();
    for (const auto &in : node.input()) facts.users[in].insert(name);
    for (const auto &out : node.output()) facts.results[name].push_back(out);
  }
  for (const auto &out : model.graph().output()) facts.users[out.name()].insert("");
  return facts;
}

/// [n, c, ...] as [n, ..., c]: how kernels may hold what ONNX has channels first.
HostTensor channelsLast(const HostTensor &t) {
  HostTensor r = t;
  std::rotate(r.shape.begin() + 1, r.shape.begin() + 2, r.shape.end());
  int64_t channels = t.shape[1], inner = 1, width = adze_dtype_bytes(t.dtype);
  for (size_t d = 2; d < t.shape.size(); ++d) inner *= t.shape[d];
  for (int64_t n = 0; n < t.shape[0]; ++n)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t i = 0; i < inner; ++i)
        std::copy_n(&t.data[((n * channels + c) * inner + i) * width], width,
                    &r.data[((n * inner + i) * channels + c) * width]);
  return r;
}

/// Which ONNX values the kernels of an artifact compute.
class KernelMap {
 public:
  KernelMap(const artifact::Contents &contents, const ModelFacts &facts)
      : contents_(contents), facts_(facts) {
    for (size_t k = 0; k < contents.kernels.size(); ++k)
      for (const std::string &node : contents.kernels[k].nodes)
        if (contents.kernels[k].kind != "transpose") last_[node] = k;
  }

  /// Values that leave kernel `k` for other nodes. A node in several kernels
  /// is finished by the last of them.
  std::vector<std::string> valuesOf(size_t k) const {
    const auto &nodes = contents_.kernels[k].nodes;
    std::set<std::string> inside(nodes.begin(), nodes.end());
    std::vector<std::string> values;
    for (const std::string &node : nodes) {
      auto last = last_.find(node);
      auto results = facts_.results.find(node);
      if (last == last_.end() || last->second != k || results == facts_.results.end()) continue;
      for (const std::string &value : results->second)
        if (leaves(value, inside)) values.push_back(value);
    }
    return values;
  }

 private:
  bool leaves(const std::string &value, const std::set<std::string> &inside) const {
    auto users = facts_.users.find(value);
    return users != facts_.users.end() &&
           !std::includes(inside.begin(), inside.end(), users->second.begin(), users->second.end());
  }

  const artifact::Contents &contents_;
  const ModelFacts &facts_;
  std::map<std::string, size_t> last_;
};

class Verification {
 public:
  Verification(const Options &o, Cli &cli) : o_(o), cli_(cli) {}

  ExitCode run() {
    Diagnostic error;
    artifact_ = artifact::Artifact::open(o_.artifact, error);
    if (!artifact_) return cli_.diags.report(error), error.exitCode;
    const artifact::Provenance &from = artifact_->contents().provenance;
    model_ = modelOf(o_.artifact, o_.model, "--against", from.modelHash, cli_);
    if (model_.empty()) return cli_.diags.exitCode();
    auto facts = factsOf(model_);
    if (!facts) return cli_.fail(ExitCode::InvalidModel, "ADZ0807", model_ + " cannot be read");
    facts_ = std::move(*facts);
    for (int sample = 0; sample < o_.samples; ++sample)
      if (!verifySample(o_.seed + sample)) break;
    if (cli_.json)
      printJson();
    return cli_.diags.hasErrors() ? cli_.diags.exitCode() : ExitCode::Ok;
  }

 private:
  void printJson() const {
    std::cout << Json{{"same", !cli_.diags.hasErrors()},
                      {"outputs", rows_},
                      {"first_diverging", diverging_},
                      {"stages", facts_.roundings.steps},
                      {"terms", facts_.roundings.terms},
                      {"product", facts_.roundings.product}}
                     .dump()
              << "\n";
  }

  std::optional<std::vector<HostTensor>> inputsFor(const Session &session, uint64_t seed) {
    std::map<std::string, std::vector<int64_t>> shapes;
    std::vector<HostTensor> given;
    if (!parseShapes(o_.shapes, shapes, cli_) || !loadInputs(o_.inputs, session, given, cli_))
      return std::nullopt;
    return session.completeInputs(std::move(given), shapes, seed, cli_);
  }

  /// The model, for the artifact's devices, its products rounded alike.
  CompileOptions optionsOfArtifact() const {
    const artifact::Contents &c = artifact_->contents();
    CompileOptions options;
    options.model = model_;
    options.target = c.target;
    for (const artifact::Variant &v : c.variants)
      options.target += (&v == c.variants.data() ? ":" : ",") + v.device;
    constexpr std::string_view kProducts = " products=";
    if (size_t at = c.provenance.flags.rfind(kProducts); at != std::string::npos) {
      at += kProducts.size();
      options.products = c.provenance.flags.substr(at, c.provenance.flags.find(' ', at) - at);
    }
    return options;
  }

  /// Sums over the inputs' sizes have the terms that these give them.
  bool countAtSizesOf(const std::vector<HostTensor> &inputs) {
    CompileOptions options = optionsOfArtifact();
    if (!o_.boundsOf.empty()) options.target = o_.boundsOf;
    for (const HostTensor &t : inputs) {
      ShapeOverride &shape = options.shapes.emplace_back();
      shape.input = t.name;
      for (int64_t extent : t.shape) shape.dims.push_back({extent, extent});
    }
    return countRoundings(options, cli_.diags, facts_.roundings) == ExitCode::Ok;
  }

  /// Both sides' results for the inputs; false after reporting.
  bool runBoth(uint64_t seed, std::vector<HostTensor> &own, std::vector<HostTensor> &other) {
    Progress progress(cli_.showsProgress());
    progress.step(1, 2, "running adze and onnxruntime");
    auto session = Session::open(o_.artifact, o_.threads, cli_, o_.device);
    auto inputs = session ? inputsFor(*session, seed) : std::nullopt;
    if (!inputs || !countAtSizesOf(*inputs)) return false;
    auto peer = Peer::start("ort", model_, std::max(1, o_.threads), *inputs, false, cli_);
    return peer && runOwn(*session, std::move(*inputs), own) && runPeer(*peer, other);
  }

  bool runOwn(Session &session, std::vector<HostTensor> inputs, std::vector<HostTensor> &results) {
    if (!session.setInputs(std::move(inputs), cli_) || !session.run(cli_)) return false;
    auto all = session.results(cli_);
    if (all) results = std::move(*all);
    return all.has_value();
  }

  bool runPeer(Peer &peer, std::vector<HostTensor> &results) {
    auto all = peer.run(1, cli_).empty() ? std::nullopt : peer.results(cli_);
    if (all) results = std::move(*all);
    return all.has_value();
  }

  Tolerance toleranceOf(const HostTensor &t) const {
    return derivedTolerance(t.dtype, facts_.roundings.steps, facts_.roundings.terms,
                            lookup(facts_.addends, t.name), facts_.roundings.product);
  }

  Difference check(const HostTensor &got, const HostTensor &want) const {
    return compare(got, want, toleranceOf(got));
  }

  bool verifySample(uint64_t seed) {
    std::vector<HostTensor> own, other;
    if (!runBoth(seed, own, other)) return false;
    bool same = true;
    for (const HostTensor &got : own) {
      if (isKernelValue(got.name)) continue;
      auto want = std::find_if(other.begin(), other.end(),
                               [&](const HostTensor &t) { return t.name == got.name; });
      if (want == other.end()) continue;
      Difference d = check(got, *want);
      same &= d.same;
      record(got, seed, d);
      if (!d.same)
        cli_.fail(ExitCode::OutOfTolerance, "ADZ0805",
                  "output '" + printable(got.name) + "' " + d.reason);
    }
    if (same && !o_.eachKernel) return true;
    return findFirst(seed) && same;
  }

  void record(const HostTensor &output, uint64_t seed, const Difference &d) {
    Json j = toJson(d);
    const std::string &name = output.name;
    Tolerance t = toleranceOf(output);
    j["output"] = name;
    j["seed"] = seed;
    j["bounds"] = {{"relative", t.relative}, {"of_largest", t.ofLargest}, {"absolute", t.absolute}};
    rows_.push_back(j);
    if (cli_.json || cli_.quiet) return;
    std::cout << "  " << printable(name) << "  " << (d.same ? "same" : "differs") << "  max error "
              << d.maxAbsolute << ", " << d.maxUlps << " ulps, SQNR " << d.sqnr << " dB\n";
  }

  static bool isKernelValue(const std::string &name) { return name.rfind(kKernelValuePrefix, 0) == 0; }

  /// The artifact that tells what its kernels compute: the one given, or the
  /// model compiled for it into `folder`. Empty after reporting.
  std::string artifactWithValues(const std::string &folder) {
    for (const auto &t : artifact_->contents().outputs)
      if (isKernelValue(t.name)) return o_.artifact;
    CompileOptions options = optionsOfArtifact();
    options.output = folder + "/values.adze";
    options.keepKernelValues = true;
    CompileSummary summary;
    DiagnosticEngine diags;  // its own: a difference reported before is no failure of this
    if (compile(options, diags, summary) == ExitCode::Ok) return options.output;
    for (const Diagnostic &d : diags.all()) cli_.diags.report(d);
    return {};
  }

  /// Compares what kernels compute with the model's values, in the order of the kernels.
  bool findFirst(uint64_t seed) {
    Progress progress(cli_.showsProgress());
    progress.step(2, 2, "comparing the values inside the graph");
    auto original = Session::open(o_.artifact, o_.threads, cli_, o_.device);
    auto inputs = original ? inputsFor(*original, seed) : std::nullopt;
    if (!inputs) return false;
    auto peer = Peer::start("ort", model_, std::max(1, o_.threads), *inputs, true, cli_);
    std::string path = peer ? artifactWithValues(peer->folder()) : std::string();
    if (path.empty()) return false;
    Diagnostic error;
    auto opened = artifact::Artifact::open(path, error);
    if (!opened) return cli_.diags.report(error), false;
    auto session = Session::open(path, o_.threads, cli_, o_.device);
    std::vector<HostTensor> own, other;
    if (!session || !runOwn(*session, std::move(*inputs), own) || !runPeer(*peer, other))
      return false;
    progress.done();
    cli_.diags.setFile(o_.artifact);
    compareKernels(opened->contents(), own, other);
    return true;
  }

  /// The candidate that `got` fits best; nullopt when none has its shape.
  std::optional<std::pair<std::string, Difference>> bestOf(
      const HostTensor &got, const std::vector<std::string> &candidates,
      const std::map<std::string, const HostTensor *> &want) const {
    std::optional<std::pair<std::string, Difference>> best;
    auto offer = [&](const std::string &value, const HostTensor &expected) {
      if (expected.shape != got.shape || expected.dtype != got.dtype) return;
      Difference d = compare(got, expected, toleranceOf(expected));
      if (!best || d.maxAbsolute < best->second.maxAbsolute) best.emplace(value, d);
    };
    for (const std::string &value : candidates) {
      auto expected = want.find(value);
      if (expected == want.end()) continue;
      offer(value, *expected->second);
      if (got.shape.size() > 2 && expected->second->shape.size() == got.shape.size())
        offer(value, channelsLast(*expected->second));
    }
    return best;
  }

  void compareKernels(const artifact::Contents &contents, const std::vector<HostTensor> &own,
                      const std::vector<HostTensor> &other) {
    std::map<std::string, const HostTensor *> want;
    for (const HostTensor &t : other) want[t.name] = &t;
    std::map<size_t, std::vector<const HostTensor *>> got;
    for (const HostTensor &t : own)
      if (isKernelValue(t.name))
        got[std::strtoull(t.name.c_str() + std::strlen(kKernelValuePrefix), nullptr, 10)].push_back(&t);
    KernelMap map(contents, facts_);
    int64_t compared = 0;
    for (const auto &[k, results] : got) {
      if (k >= contents.kernels.size()) continue;
      std::vector<std::string> candidates = map.valuesOf(k);
      for (const HostTensor *t : results) {
        auto best = bestOf(*t, candidates, want);
        if (best && !best->second.same)
          return reportKernel(contents.kernels[k], best->first, best->second, compared);
        compared += best.has_value();
      }
    }
    if (!cli_.json && !cli_.quiet)
      std::cout << "  " << compared << " values that kernels compute agree one by one"
                << (cli_.diags.hasErrors() ? ": the artifact is not what this model compiles to\n" : "\n");
  }

  void reportKernel(const artifact::Kernel &kernel, const std::string &value, const Difference &d,
                    int64_t before) {
    diverging_ = toJson(d);
    diverging_["value"] = value, diverging_["kernel"] = kernel.name;
    diverging_["nodes"] = kernel.nodes;
    Diagnostic message;
    message.exitCode = ExitCode::OutOfTolerance;
    message.code = "ADZ0809";
    message.message = "the first kernel that diverges is " + kernel.name + ": '" + printable(value) +
                      "' " + d.reason;
    message.node = kernel.nodes.empty() ? "" : kernel.nodes.back();
    char measures[120];
    std::snprintf(measures, sizeof measures, "max error %g, %g ulps, SQNR %.1f dB; %lld values before it agree",
                  d.maxAbsolute, d.maxUlps, d.sqnr, static_cast<long long>(before));
    message.notes.push_back(measures);
    cli_.diags.report(message);
  }

  const Options &o_;
  Cli &cli_;
  std::shared_ptr<const artifact::Artifact> artifact_;
  std::string model_;
  ModelFacts facts_;
  Json rows_ = Json::array(), diverging_;
};

}  // namespace

void addVerify(CLI::App &app, Cli &cli) {
  auto *verb = app.add_subcommand("verify", "Compare an artifact with its model in onnxruntime");
  auto o = std::make_shared<Options>();
  verb->add_option("artifact", o->artifact, "The .adze file")->required();
  verb->add_option("--against", o->model, "The ONNX model that it was compiled from");
  o->addTo(*verb);
  verb->add_option("--samples", o->samples, "How many random inputs")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  verb->add_option("--bounds-of", o->boundsOf,
                   "Bounds as for an artifact of this target, to compare results elsewhere");
  addDevice(*verb, o->device);
  verb->add_option("--threads", o->threads, "0: one for each CPU")->check(CLI::Range(0, 1024));
  verb->add_flag("--each-kernel", o->eachKernel,
                 "Compare what each kernel computes too, not only after a difference");
  addCommon(*verb, cli);
  verb->footer(kFooter);
  verb->callback([o, &cli] { cli.action = [o, &cli] { return Verification(*o, cli).run(); }; });
}

}  // namespace adze::cli
