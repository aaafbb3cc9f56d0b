// adze verify: an artifact against the model it came from, as onnxruntime
// computes it; on a difference, the first value of the graph that diverges and
// the kernel that computes it.
#include "lib/Artifact/Artifact.h"
#include "lib/Compiler/Compiler.h"
#include "lib/Support/File.h"
#include "tools/adze/Compare.h"
#include "tools/adze/Peer.h"
#include "tools/adze/Session.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <set>

namespace adze::cli {

namespace {

constexpr const char *kFooter = R"(Examples:
  adze verify model.adze --against model.onnx
  adze verify model.adze --against model.onnx --shape x=4x3x320x320 --samples 4
  adze verify model.adze --against model.onnx --each-kernel

Needs Python with onnxruntime (ADZE_PYTHON names the program). Bounds are
derived from the element type, the number of roundings and the longest sum:
docs/accuracy.md. Exit code 4 when a result is out of them.)";

struct Options {
  std::string artifact, model;
  std::vector<std::string> inputs, shapes;
  uint64_t seed = 0;
  int samples = 1, threads = 0;
  bool eachKernel = false;
};

/// What the bounds depend on, and who computes which value.
struct ModelFacts {
  int64_t stages = 1, terms = 1;
  std::map<std::string, double> addends;  ///< of values that addendOf() gives one
  std::vector<std::pair<std::string, std::string>> values;  ///< value, node; in order
};

/// Terms that one result of `node` sums, from its weights; 1 when not known.
int64_t termsOf(const onnx::NodeProto &node,
                const std::map<std::string, const onnx::TensorProto *> &weights) {
  if (node.input_size() < 2) return 1;
  auto w = weights.find(node.input(1));
  if (w == weights.end() || w->second->dims_size() < 2) return 1;
  const auto &dims = w->second->dims();
  int64_t terms = 1;
  if (node.op_type() == "Conv")
    for (int i = 1; i < dims.size(); ++i) terms *= dims[i];
  else if (node.op_type() == "MatMul" || node.op_type() == "Gemm")
    terms = std::max(dims[0], dims[dims.size() - 2]);
  return terms;
}

/// Size of the constant that the function of `node` adds on the way to its
/// result: its rounding does not shrink with the result. Ops that only move
/// elements hand their inputs' on. 0 for others.
double addendOf(const onnx::NodeProto &node, const std::map<std::string, double> &addends) {
  static const std::set<std::string_view> adding = {"HardSigmoid", "Sigmoid", "Softplus"};
  static const std::set<std::string_view> moving = {
      "Concat",  "Expand",  "Flatten", "Gather", "Identity", "Reshape",  "Slice",
      "Split",   "Squeeze", "Tile",    "TopK",   "Transpose", "Unsqueeze"};
  if (adding.count(node.op_type())) return 1;
  double largest = 0;
  if (moving.count(node.op_type()))
    for (const auto &in : node.input())
      if (auto found = addends.find(in); found != addends.end())
        largest = std::max(largest, found->second);
  return largest;
}

std::optional<ModelFacts> factsOf(const std::string &path) {
  std::string error;
  auto file = MappedFile::open(path, error);
  onnx::ModelProto model;
  if (!file || file->bytes().size() > INT32_MAX ||
      !model.ParseFromArray(file->bytes().data(), static_cast<int>(file->bytes().size())))
    return std::nullopt;
  ModelFacts facts;
  std::map<std::string, const onnx::TensorProto *> weights;
  for (const auto &t : model.graph().initializer()) weights[t.name()] = &t;
  for (const auto &node : model.graph().node())
    if (node.op_type() == "Constant" && node.attribute_size() && node.attribute(0).has_t())
      weights[node.output(0)] = &node.attribute(0).t();
  // The longest ways through the graph: roundings one after the other, and the
  // terms of the sums among them.
  std::map<std::string, int64_t> depth, length;
  for (const auto &node : model.graph().node()) {
    int64_t deepest = 0, longest = 0;
    for (const auto &in : node.input()) {
      deepest = std::max(deepest, depth[in]);
      longest = std::max(longest, length[in]);
    }
    ++deepest, longest += termsOf(node, weights);
    double addend = addendOf(node, facts.addends);
    for (const auto &out : node.output()) {
      depth[out] = deepest, length[out] = longest;
      if (addend > 0) facts.addends[out] = addend;
      facts.values.emplace_back(out, node.name().empty() ? node.op_type() : node.name());
    }
    facts.stages = std::max(facts.stages, deepest);
    facts.terms = std::max(facts.terms, longest);
  }
  return facts;
}

std::string kernelOf(const artifact::Contents &c, const std::string &node) {
  for (const auto &m : c.nodeMapping)
    if (m.node == node) return m.kernel >= 0 ? c.kernels[m.kernel].name : "(folded away)";
  return "(not known)";
}

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
                      {"stages", facts_.stages},
                      {"terms", facts_.terms}}
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

  /// Both sides' results for the inputs; false after reporting.
  bool runBoth(uint64_t seed, std::vector<HostTensor> &own, std::vector<HostTensor> &other) {
    Progress progress(cli_.showsProgress());
    progress.step(1, 2, "running adze and onnxruntime");
    auto session = Session::open(o_.artifact, o_.threads, cli_);
    auto inputs = session ? inputsFor(*session, seed) : std::nullopt;
    if (!inputs) return false;
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
    auto addend = facts_.addends.find(t.name);
    return derivedTolerance(t.dtype, facts_.stages, facts_.terms,
                            addend == facts_.addends.end() ? 0 : addend->second);
  }

  Difference check(const HostTensor &got, const HostTensor &want) const {
    return compare(got, want, toleranceOf(got));
  }

  bool verifySample(uint64_t seed) {
    std::vector<HostTensor> own, other;
    if (!runBoth(seed, own, other)) return false;
    bool same = true;
    for (const HostTensor &got : own) {
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

  /// Compiles the model again with every value an output, and compares them in
  /// the graph's order.
  bool findFirst(uint64_t seed) {
    Progress progress(cli_.showsProgress());
    progress.step(2, 2, "comparing the values inside the graph");
    auto original = Session::open(o_.artifact, o_.threads, cli_);
    auto inputs = original ? inputsFor(*original, seed) : std::nullopt;
    if (!inputs) return false;
    auto peer = Peer::start("ort", model_, std::max(1, o_.threads), *inputs, true, cli_);
    if (!peer) return false;
    CompileOptions options;
    options.model = peer->exposedModel();
    options.output = options.model + ".adze";
    CompileSummary summary;
    if (compile(options, cli_.diags, summary) != ExitCode::Ok) return false;
    auto session = Session::open(options.output, o_.threads, cli_);
    std::vector<HostTensor> own, other;
    if (!session || !runOwn(*session, std::move(*inputs), own) || !runPeer(*peer, other))
      return false;
    progress.done();
    cli_.diags.setFile(o_.artifact);
    compareValues(own, other);
    return true;
  }

  void compareValues(const std::vector<HostTensor> &own, const std::vector<HostTensor> &other) {
    std::map<std::string, const HostTensor *> got, want;
    for (const HostTensor &t : own) got[t.name] = &t;
    for (const HostTensor &t : other) want[t.name] = &t;
    int64_t compared = 0;
    for (const auto &[value, node] : facts_.values) {
      if (!got.count(value) || !want.count(value)) continue;
      ++compared;
      Difference d = check(*got[value], *want[value]);
      if (d.same) continue;
      diverging_ = toJson(d);
      diverging_["value"] = value, diverging_["node"] = node;
      diverging_["kernel"] = kernelOf(artifact_->contents(), node);
      Diagnostic message;
      message.exitCode = ExitCode::OutOfTolerance;
      message.code = "ADZ0809";
      message.message = "the first value that diverges is '" + printable(value) + "': it " + d.reason;
      message.node = node;
      message.notes.push_back("kernel " + diverging_["kernel"].get<std::string>() + "; " +
                              std::to_string(compared - 1) + " values before it agree");
      cli_.diags.report(message);
      return;
    }
    if (!cli_.json && !cli_.quiet)
      std::cout << "  " << compared << " values inside the graph agree one by one"
                << (cli_.diags.hasErrors() ? ": the fault appears when kernels are fused\n" : "\n");
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
  verb->add_option("-i,--input", o->inputs, "NAME=FILE.npy; inputs not given are random")
      ->allow_extra_args(false);
  verb->add_option("--shape", o->shapes, "Size of a random input: NAME=1x3x224x224; free extents are else 1")
      ->allow_extra_args(false);
  verb->add_option("--samples", o->samples, "How many random inputs")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  verb->add_option("--seed", o->seed, "Of the first")->capture_default_str();
  verb->add_option("--threads", o->threads, "0: one for each CPU")->check(CLI::Range(0, 1024));
  verb->add_flag("--each-kernel", o->eachKernel,
                 "Compare the values inside the graph too, not only after a difference");
  addCommon(*verb, cli);
  verb->footer(kFooter);
  verb->callback([o, &cli] { cli.action = [o, &cli] { return Verification(*o, cli).run(); }; });
}

}  // namespace adze::cli
