// adze conformance: a tree of ONNX cases, each compiled, run and compared in a
// worker process, so that a crash or a hang is one failed case.
#include "lib/Compiler/Evaluate.h"
#include "tools/adze/Compare.h"
#include "tools/adze/Session.h"
#include "tools/adze/TestData.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace adze::cli {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char *kFooter = R"(Examples:
  adze conformance node-cases                 a table of what did not pass
  adze conformance node-cases --json > now.json
  adze conformance node-cases --filter test_softmax --jobs 1
  adze conformance node-cases --reference     by the reference evaluator, no code made
  adze conformance graphs --follow-errors     bounds for graphs of many ops

A case is a folder with model.onnx and test_data_set_N/{input_M,output_M}.pb.
Results are compared within ONNX's own bounds (rtol 1e-3, atol 1e-7) and what
the case's roundings add to them (docs/accuracy.md). Verdicts: pass; unsupported, with the reason; wrong; error; crash; timeout. Exit code 4
when any case is wrong or an error, crash or timeout.)";

struct Options {
  std::string folder, filter, target = "host", cpu = "native", device;
  int jobs = 0;
  double timeout = 20;
  bool reference = false, differential = false, followErrors = false;
  bool verifyPhases = false;
};

struct Verdict {
  std::string status, reason;
  double seconds = 0;
  std::set<std::string> ops = {};  ///< adze ops that the reference evaluated
};

// ---- one case, in a worker ---------------------------------------------------

Verdict verdictOf(Cli &cli, ExitCode code) {
  std::string reason;
  for (const Diagnostic &d : cli.diags.all())
    if (d.severity == Severity::Error && reason.empty())
      reason = (d.code.empty() ? "" : d.code + " ") + d.message +
               (d.notes.empty() ? "" : ": " + d.notes.front());
  return {code == ExitCode::Unsupported ? "unsupported" : "error", reason};
}

/// One run of a case: each data set, and what was made of its inputs.
struct CaseRun {
  std::vector<TestData> sets;
  std::vector<std::vector<HostTensor>> results;
  Roundings roundings;
  std::vector<std::vector<std::optional<double>>> errors;  ///< of the reference, if followed
  std::string unbounded;  ///< an op where the errors are not known
  std::set<std::string> ops;
};

bool runSet(Session &session, TestData &data, CaseRun &run, Cli &cli) {
  if (data.inputs.size() > session.inputs().size())
    return cli.fail(ExitCode::InvalidModel, "ADZ0412", "the inputs do not fit the model's signature"), false;
  for (size_t i = 0; i < data.inputs.size(); ++i) data.inputs[i].name = session.inputs()[i].name;
  if (!session.setInputs(data.inputs, cli) || !session.run(cli)) return false;
  auto results = session.results(cli);
  if (results) run.results.push_back(std::move(*results));
  return results.has_value();
}

bool runCompiled(CompileOptions options, const std::string &device, CaseRun &run, Cli &cli) {
  CompileSummary summary;
  if (compile(options, cli.diags, summary) != ExitCode::Ok) return false;
  run.roundings = summary.roundings;
  auto session = Session::open(options.output, 1, cli, device);
  return session && std::all_of(run.sets.begin(), run.sets.end(), [&](TestData &data) {
    return runSet(*session, data, run, cli);
  });
}

bool runReference(const CompileOptions &options, CaseRun &run, Cli &cli, bool followErrors = false) {
  std::vector<std::vector<EdgeTensor>> inputs;
  for (const TestData &data : run.sets) {
    auto &set = inputs.emplace_back();
    for (const HostTensor &t : data.inputs)
      set.push_back({static_cast<artifact::DType>(t.dtype), t.shape, t.data});
  }
  CompileSummary summary;
  EvaluatedModel evaluated;
  if (evaluateModel(options, inputs, cli.diags, summary, evaluated, followErrors) != ExitCode::Ok)
    return false;
  run.roundings = summary.roundings;
  run.errors = std::move(evaluated.errors), run.unbounded = std::move(evaluated.unbounded);
  run.ops = std::move(evaluated.ops);
  for (auto &outputs : evaluated.outputs) {
    auto &results = run.results.emplace_back();
    for (EdgeTensor &t : outputs)
      results.push_back({"", static_cast<int32_t>(t.dtype), std::move(t.shape), std::move(t.data)});
  }
  return true;
}

Tolerance caseTolerance(int32_t dtype, const Roundings &r) { return suiteTolerance(dtype, r.steps, r.terms); }

Tolerance modelTolerance(int32_t dtype, const Roundings &r) {
  return derivedTolerance(dtype, r.steps, r.terms, 0, r.product);
}

using BoundsFn = Tolerance (*)(int32_t dtype, const Roundings &roundings);

std::string differenceOf(const std::vector<HostTensor> &results, const std::vector<HostTensor> &wanted,
                         const Roundings &roundings, BoundsFn bounds) {
  if (results.size() != wanted.size()) return "the signature has another number of tensors";
  for (size_t i = 0; i < results.size(); ++i) {
    Difference d = compare(results[i], wanted[i],
                           bounds(wanted[i].dtype, roundings));
    if (!d.same) return "output " + std::to_string(i) + " " + d.reason;
  }
  return "";
}

/// Compiled code's results against the reference's on the same inputs, which
/// round alike but for the order of sums: within the bounds of a whole model.
Verdict againstReference(const CompileOptions &options, const CaseRun &run, Cli &cli) {
  CaseRun reference;
  reference.sets = run.sets;
  if (!runReference(options, reference, cli)) return verdictOf(cli, cli.diags.exitCode());
  for (size_t i = 0; i < run.results.size(); ++i) {
    std::string reason =
        differenceOf(run.results[i], reference.results[i], run.roundings, modelTolerance);
    if (!reason.empty()) return {"wrong", "against the reference: " + reason};
  }
  return {"pass", ""};
}

/// Compiled code's results against the case's outputs and the reference's, each
/// within the error that the reference followed to that output: both programs
/// may err by that much, the reference does not. Unsupported when an output
/// has no bound, and the others are right.
Verdict withinErrors(const CompileOptions &options, const CaseRun &run, Cli &cli) {
  CaseRun reference;
  reference.sets = run.sets;
  if (!runReference(options, reference, cli, /*followErrors=*/true))
    return verdictOf(cli, cli.diags.exitCode());
  Verdict all{"pass", ""};
  for (size_t i = 0; i < run.results.size(); ++i) {
    if (run.results[i].size() != run.sets[i].outputs.size())
      return {"wrong", "the signature has another number of tensors"};
    for (size_t j = 0; j < run.results[i].size(); ++j) {
      std::string output = "output " + std::to_string(j) + " ";
      std::optional<double> error = reference.errors[i][j];
      if (!error) {
        all = {"unsupported", output + "has no bound since " + reference.unbounded};
        continue;
      }
      const HostTensor &got = run.results[i][j];
      Difference own = compare(got, reference.results[i][j], {0, *error, 0});
      if (!own.same) return {"wrong", "against the reference: " + output + own.reason};
      Difference d = compare(got, run.sets[i].outputs[j], {0, 2 * *error, 0});
      if (!d.same) return {"wrong", output + d.reason};
    }
  }
  return all;
}

/// The case's data; none and a verdict when they cannot be read.
std::vector<TestData> readSets(const std::string &folder, Verdict &v) {
  std::vector<TestData> sets;
  v = {"error", "no test data"};
  for (const std::string &set : testDataSets(folder)) {
    std::string error;
    bool unsupported = false;
    auto data = readTestData(set, error, unsupported);
    if (!data) return v = {unsupported ? "unsupported" : "error", error}, std::vector<TestData>();
    sets.push_back(std::move(*data));
  }
  return sets;
}

Verdict runCase(const std::string &folder, const std::string &artifact, const Options &o) {
  Cli cli;
  CaseRun run;
  Verdict unread;
  run.sets = readSets(folder, unread);
  CompileOptions options;
  options.model = folder + "/model.onnx";
  options.output = artifact;
  options.target = o.target;
  options.cpu = o.cpu;
  options.verifyPhases = o.verifyPhases;
  // Values that are no tensors belong to models that are not supported.
  if (run.sets.empty()) {
    CompileSummary summary;
    ExitCode code = compile(options, cli.diags, summary);
    return code == ExitCode::Unsupported ? verdictOf(cli, code) : unread;
  }
  if (!(o.reference ? runReference(options, run, cli) : runCompiled(options, o.device, run, cli)))
    return verdictOf(cli, cli.diags.exitCode());
  if (o.followErrors) return withinErrors(options, run, cli);
  for (size_t i = 0; i < run.sets.size(); ++i) {
    std::string reason = differenceOf(run.results[i], run.sets[i].outputs, run.roundings, caseTolerance);
    if (!reason.empty()) return {"wrong", reason};
  }
  if (o.differential) return againstReference(options, run, cli);
  return {"pass", "", 0, std::move(run.ops)};
}

bool readAll(int fd, void *data, size_t size) {
  auto at = static_cast<char *>(data);
  while (size > 0) {
    ssize_t n = read(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n, size -= n;
  }
  return true;
}

bool writeAll(int fd, const void *data, size_t size) {
  auto at = static_cast<const char *>(data);
  while (size > 0) {
    ssize_t n = write(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n, size -= n;
  }
  return true;
}

[[noreturn]] void workerMain(int in, int out, const std::vector<std::string> &cases,
                             const std::string &artifact, const Options &o) {
  resetSignalHandlers();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (int null = open("/dev/null", O_WRONLY); null >= 0) dup2(null, STDERR_FILENO);
  for (int32_t index; readAll(in, &index, sizeof index);) {
    auto begin = Clock::now();
    Verdict v;
    try {
      v = runCase(o.folder + "/" + cases[index], artifact, o);
    } catch (const std::exception &e) {
      v = {"error", e.what()};
    }
    v.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    std::string text = Json{{"status", v.status}, {"reason", printable(v.reason, 400)},
                            {"seconds", v.seconds}, {"ops", v.ops}}
                           .dump(-1, ' ', false, Json::error_handler_t::replace);
    auto size = static_cast<uint32_t>(text.size());
    if (!writeAll(out, &size, sizeof size) || !writeAll(out, text.data(), size)) break;
  }
  _exit(0);
}

// ---- the parent --------------------------------------------------------------

volatile sig_atomic_t interrupted = 0;
extern "C" void onStop(int) { interrupted = 1; }

struct Worker {
  int pid = -1, to = -1, from = -1;
  int32_t current = -1;  ///< index of its case; -1: idle
  Clock::time_point deadline;
};

class Pool {
 public:
  Pool(const Options &o, const std::vector<std::string> &cases, std::string scratch)
      : o_(o), cases_(cases), verdicts_(cases.size()), scratch_(std::move(scratch)) {}

  /// The verdicts; fewer than the cases when interrupted.
  std::vector<Verdict> run(bool quiet) {
    workers_.resize(std::min<size_t>(o_.jobs, cases_.size()));
    auto said = Clock::now();
    while (finished_ < cases_.size() && !interrupted) {
      for (Worker &w : workers_)
        if (w.current < 0 && next_ < cases_.size()) give(w);
      collect();
      if (quiet || Clock::now() - said < std::chrono::seconds(10)) continue;
      said = Clock::now();
      std::cerr << finished_ << " of " << cases_.size() << " cases\n";
    }
    for (Worker &w : workers_) stop(w);
    return std::move(verdicts_);
  }

 private:
  void start(Worker &w) {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC)) std::abort();
    std::string artifact = scratch_ + "/" + std::to_string(&w - workers_.data()) + ".adze";
    std::cout.flush();
    w.pid = fork();
    if (w.pid == 0) {
      // Other workers' ends would keep their pipes open.
      for (Worker &other : workers_)
        if (&other != &w && other.pid > 0) close(other.to), close(other.from);
      close(in[1]), close(out[0]);
      workerMain(in[0], out[1], cases_, artifact, o_);
    }
    close(in[0]), close(out[1]);
    w.to = in[1], w.from = out[0];
  }

  void stop(Worker &w) {
    if (w.pid <= 0) return;
    close(w.to), close(w.from);
    kill(w.pid, SIGKILL);
    waitpid(w.pid, nullptr, 0);
    w = {};
  }

  void give(Worker &w) {
    if (w.pid <= 0) start(w);
    w.current = static_cast<int32_t>(next_++);
    w.deadline = Clock::now() + std::chrono::milliseconds(static_cast<int64_t>(o_.timeout * 1e3));
    // A worker that died is noticed by the read.
    writeAll(w.to, &w.current, sizeof w.current);
  }

  void settle(Worker &w, Verdict v) {
    verdicts_[w.current] = std::move(v);
    w.current = -1;
    ++finished_;
  }

  /// The worker's pipe ended: how did it die?
  void bury(Worker &w) {
    int status = 0;
    waitpid(w.pid, &status, 0);
    close(w.to), close(w.from);
    std::string how = WIFSIGNALED(status)
                          ? std::string("signal ") + strsignal(WTERMSIG(status))
                          : "exit " + std::to_string(WEXITSTATUS(status));
    settle(w, {"crash", how});
    w = {};
  }

  void receive(Worker &w) {
    uint32_t size = 0;
    std::string text;
    bool ok = readAll(w.from, &size, sizeof size) && size < (1u << 20);
    if (ok) {
      text.resize(size);
      ok = readAll(w.from, text.data(), size);
    }
    Json j = ok ? Json::parse(text, nullptr, false) : Json();
    if (!j.is_object()) return bury(w);
    settle(w, {j["status"], j["reason"], j["seconds"], j["ops"]});
  }

  void collect() {
    std::vector<pollfd> fds;
    std::vector<Worker *> busy;
    auto now = Clock::now();
    auto until = now + std::chrono::milliseconds(500);
    for (Worker &w : workers_)
      if (w.current >= 0) {
        fds.push_back({w.from, POLLIN, 0});
        busy.push_back(&w);
        until = std::min(until, w.deadline);
      }
    auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(until - now).count();
    poll(fds.data(), fds.size(), static_cast<int>(std::max<int64_t>(wait, 1)));
    for (size_t i = 0; i < busy.size(); ++i) {
      if (fds[i].revents)
        receive(*busy[i]);
      else if (Clock::now() >= busy[i]->deadline) {
        settle(*busy[i], {"timeout", "no result in " + formatSeconds(o_.timeout), o_.timeout});
        stop(*busy[i]);
      }
    }
  }

  const Options &o_;
  const std::vector<std::string> &cases_;
  std::vector<Verdict> verdicts_;
  std::string scratch_;
  std::vector<Worker> workers_;
  size_t next_ = 0, finished_ = 0;
};

std::vector<std::string> casesOf(const Options &o) {
  std::vector<std::string> names;
  std::error_code failure;
  for (const auto &entry : fs::directory_iterator(o.folder, failure)) {
    std::string name = entry.path().filename().string();
    if (fs::exists(entry.path() / "model.onnx", failure) && name.find(o.filter) != std::string::npos)
      names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

ExitCode report(const std::vector<std::string> &cases, const std::vector<Verdict> &verdicts,
                Cli &cli) {
  std::map<std::string, int64_t> counts{{"pass", 0}, {"unsupported", 0}, {"wrong", 0},
                                        {"error", 0}, {"crash", 0}, {"timeout", 0}};
  Json rows = Json::array();
  std::vector<std::vector<std::string>> table;
  for (size_t i = 0; i < cases.size(); ++i) {
    const Verdict &v = verdicts[i];
    ++counts[v.status];
    rows.push_back({{"name", cases[i]}, {"status", v.status}, {"reason", v.reason},
                    {"seconds", v.seconds}});
    if (!v.ops.empty()) rows.back()["ops"] = v.ops;
    if (v.status != "pass") table.push_back({v.status, cases[i], v.reason});
  }
  if (cli.json) {
    std::cout << Json{{"counts", counts}, {"cases", rows}}.dump() << "\n";
  } else {
    std::cout << formatTable(table);
    std::cout << cases.size() << " cases: " << counts["pass"] << " passed, "
              << counts["unsupported"] << " unsupported, " << counts["wrong"] << " wrong, "
              << counts["error"] << " errors, " << counts["crash"] << " crashes, "
              << counts["timeout"] << " timeouts\n";
  }
  bool bad = counts["wrong"] || counts["error"] || counts["crash"] || counts["timeout"];
  return bad ? ExitCode::OutOfTolerance : ExitCode::Ok;
}

ExitCode runConformance(Options &o, Cli &cli) {
  auto cases = casesOf(o);
  if (cases.empty())
    return cli.fail(ExitCode::InvalidModel, "ADZ0808", o.folder + ": no cases in it",
                    "a case is a folder with model.onnx and test_data_set_0");
  if (!o.jobs) o.jobs = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  char scratch[] = "/tmp/adze-conformance-XXXXXX";
  if (!mkdtemp(scratch))
    return cli.fail(ExitCode::ResourceLimit, "ADZ0803", "no folder can be made in /tmp");
  signal(SIGPIPE, SIG_IGN);
  signal(SIGINT, onStop);
  signal(SIGTERM, onStop);
  std::vector<Verdict> verdicts = Pool(o, cases, scratch).run(cli.quiet);
  std::error_code ignored;
  fs::remove_all(scratch, ignored);
  if (interrupted) return ExitCode::Interrupted;
  return report(cases, verdicts, cli);
}

}  // namespace

void addConformance(CLI::App &app, Cli &cli) {
  auto *verb = app.add_subcommand("conformance", "Compile, run and compare a tree of ONNX cases");
  auto o = std::make_shared<Options>();
  verb->add_option("folder", o->folder, "Folder of cases")->required();
  verb->add_option("--filter", o->filter, "Only cases with this in their name");
  verb->add_option("--target", o->target, "What to compile for")->capture_default_str();
  verb->add_option("--cpu", o->cpu, "native, or LLVM's name of a CPU")->capture_default_str();
  addDevice(*verb, o->device);
  verb->add_flag("--reference", o->reference,
                 "Evaluate the graph phase with the reference in place of compiled code");
  verb->add_flag("--differential", o->differential,
                 "Compare compiled code's results with the reference's as well")
      ->excludes("--reference");
  verb->add_flag("--follow-errors", o->followErrors,
                 "Bound each output by its errors, followed op by op; compare with the reference too")
      ->excludes("--reference")
      ->excludes("--differential");
  verb->add_flag("--verify-phases", o->verifyPhases, "Check what each phase promises of its IR");
  verb->add_option("--jobs", o->jobs, "Worker processes; 0: one for each CPU")
      ->check(CLI::Range(0, 256));
  verb->add_option("--timeout", o->timeout, "Seconds for each case")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  addCommon(*verb, cli);
  verb->footer(kFooter);
  verb->callback([o, &cli] { cli.action = [o, &cli] { return runConformance(*o, cli); }; });
}

}  // namespace adze::cli
