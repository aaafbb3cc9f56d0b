// adze tune
#include "lib/Compiler/Compiler.h"
#include "lib/Tuning/Compare.h"
#include "lib/Tuning/Database.h"
#include "tools/adze/Compare.h"
#include "tools/adze/KernelTimes.h"
#include "tools/adze/Scratch.h"

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

namespace adze::cli {

namespace {

using Clock = std::chrono::steady_clock;
using tuning::Entry;

constexpr const char *kFooter = R"(Examples:
  adze tune model.onnx --budget 60s
  adze tune model.onnx --shape x=1x3x640x640 --budget 5m --db tune.db
  adze tune model.onnx --target cuda:sm_80 --budget 5m
  adze tune model.onnx --target cuda:sm_90a --device ptx-emulator --budget 10m
  adze compile model.onnx -o model.adze --tune-db tune.db

Each kernel's candidates are timed next to the schedule that the compiler decides
for it, in runs of the model itself; only what wins beyond noise is kept. All that
was timed is in the database: a search that was stopped goes on where it was.
On a GPU what is searched are the tiles of matrix products. Without one the PTX
emulator counts what each does, and a model of the GPU ranks them.
`adze compile` uses the database that --tune-db or ADZE_TUNE_DB names, else
adze/tune.db in the user's cache folder.)";

/// A kernel's share of the time below which it is not worth a search.
constexpr double kLeastShare = 0.003;
/// Schedules of one kernel, and of all, that one round times.
constexpr size_t kRoundKernel = 8, kRoundAll = 64;
/// Runs of a comparison: enough for its sign test to speak.
constexpr size_t kLeastRuns = 15, kMostRuns = 101;
/// A candidate this good is worth a place in the model.
constexpr double kPromising = 0.97;

struct Options {
  std::string model, database, budget = "60s", target = "host", device, products = "f32";
  std::vector<std::string> inputs, shapes;
  int threads = 1;
  bool fixShapes = false;
  uint64_t seed = 0;

  /// Times are a model's, from what the emulator counts.
  bool isModelled() const { return device.starts_with("ptx-emulator"); }
};

/// "60", "90s", "5m", "1h" in seconds.
std::optional<double> parseBudget(const std::string &text) {
  char *end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  std::string unit = end;
  double factor = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (end == text.c_str() || !(value * factor > 0) || value * factor > 1e6) return std::nullopt;
  return value * factor;
}

/// A kernel under search.
struct Kernel {
  KernelSchedules schedules;
  std::vector<std::string> nodes;
  double share = 0;                            ///< of the model's time
  std::set<std::pair<unsigned, std::string>> tried;
  std::map<unsigned, Entry> best;              ///< of each unit
  std::set<unsigned> dropped;                  ///< units whose best did not hold in the model

  /// The next candidates that nobody has timed, unit by unit in turns.
  std::vector<std::pair<unsigned, std::string>> next(size_t most) const {
    std::vector<std::pair<unsigned, std::string>> list;
    for (size_t rank = 0; list.size() < most; ++rank) {
      bool any = false;
      for (unsigned u = 0; u < schedules.units.size(); ++u) {
        if (rank >= schedules.units[u].size()) continue;
        any = true;
        std::pair candidate(u, schedules.units[u][rank]);
        if (!tried.count(candidate) && list.size() < most) list.push_back(candidate);
      }
      if (!any) break;
    }
    return list;
  }

  void learn(const Entry &e) {
    tried.emplace(e.unit, e.schedule);
    auto at = best.find(e.unit);
    if (e.ratio < kPromising && (at == best.end() || e.ratio < at->second.ratio))
      best[e.unit] = e, dropped.erase(e.unit);
  }
};

class Tuner {
 public:
  Tuner(const Options &o, double budget, Cli &cli)
      : o_(o), cli_(cli), begin_(Clock::now()), budget_(budget), progress_(cli.showsProgress()) {}

  ExitCode run() {
    if (!prepare()) return code();
    // A round that would not end in time is not begun.
    for (double before = left(), took = 0; left() > took; took = before - left(), before = left()) {
      size_t timed = 0;
      if (!round(timed) || !confirm()) return code();
      if (timed == 0) break;
    }
    progress_.done();
    return report();
  }

 private:
  ExitCode code() const { return cli_.diags.exitCode(); }
  double left() const {
    return budget_ - std::chrono::duration<double>(Clock::now() - begin_).count();
  }
  bool failed(const Diagnostic &error) {
    cli_.diags.report(error);
    return false;
  }

  const char *done() const { return o_.isModelled() ? "reckoned" : "timed"; }

  /// Says how far the search is.
  void say(const std::string &what) {
    double best = 1;
    for (const Kernel &k : kernels_)
      for (const auto &[unit, entry] : k.best) best = std::min(best, entry.ratio);
    char text[160];
    std::snprintf(text, sizeof text, "%s: %zu schedules %s, best so far %.2f of a kernel's time, %s left", what.c_str(),
                  timed_, done(), best, formatSeconds(std::max(0.0, left())).c_str());
    progress_.step(text);
  }

  CompileOptions options() const {
    CompileOptions c;
    c.model = o_.model;
    c.output = scratch_.path();
    c.target = o_.target;
    c.products = o_.products;
    if (!o_.fixShapes) return c;
    for (const std::string &text : o_.shapes)
      if (auto shape = parseShape(text)) c.shapes.push_back(*shape);
    return c;
  }

  /// Compiles, loads and warms up; null after reporting.
  std::unique_ptr<KernelTimes> build(const CompileOptions &c) {
    CompileSummary summary;
    if (compile(c, cli_.diags, summary) != ExitCode::Ok) return nullptr;
    auto session = Session::open(c.output, o_.threads, cli_, o_.device);
    scratch_.clear();
    cli_.diags.setFile(o_.model);
    if (!session || !hasSizes(*session) || !session->prepare(o_.inputs, o_.shapes, o_.seed, cli_))
      return nullptr;
    LaunchTime model;
    if (o_.isModelled())
      model = [this](const tuning::LaunchCounts &c) { return launchTime(o_.target, c); };
    auto times = KernelTimes::start(std::move(session), std::move(model), cli_);
    double ignored = 0;
    if (times && !o_.isModelled() && !times->run(ignored, cli_)) return nullptr;
    return times;
  }

  /// Sizes that the model leaves open must be given: they decide what is fast.
  bool hasSizes(const Session &session) {
    for (const Session::Info &input : session.inputs()) {
      bool open = std::any_of(input.dims.begin(), input.dims.end(), [](int64_t d) { return d < 0; });
      auto names = [&](const std::string &text) { return text.rfind(input.name + "=", 0) == 0; };
      if (!open || std::any_of(o_.shapes.begin(), o_.shapes.end(), names) ||
          std::any_of(o_.inputs.begin(), o_.inputs.end(), names))
        continue;
      cli_.usage("input '" + printable(input.name) + "' takes any size",
                 "say which to tune for: --shape " + printable(input.name) + "=" + example(input));
      return false;
    }
    return true;
  }

  static std::string example(const Session::Info &input) {
    std::string text;
    for (int64_t d : input.dims) text += (text.empty() ? "" : "x") + std::to_string(d < 0 ? 1 : d);
    return text;
  }

  /// The database, the untuned model, its kernels and what is known of them.
  bool prepare() {
    Diagnostic error;
    std::vector<Machine> machines = machinesOf(o_.target, "native", cli_.diags);
    if (machines.empty() || !isOne(machines) || !hasDriver()) return false;
    say("compiling");
    database_ = tuning::Database::open(o_.database, tuning::Database::Mode::Write, error);
    if (!database_) return failed(error);
    CompileOptions c = options();
    c.tuning.variants = [&](const KernelSchedules &k) {
      kernels_.emplace_back().schedules = k;
      return std::vector<std::pair<unsigned, std::string>>();
    };
    untuned_ = build(c);
    if (!untuned_) return false;
    nameMachine(machines.front());
    for (Kernel &k : kernels_) {
      std::vector<Entry> known;
      if (!database_->trials(k.schedules.key, cpu_, known, error)) return failed(error);
      for (const Entry &e : known)
        if (e.unit < k.schedules.units.size()) k.learn(e);
    }
    return measureShares();
  }

  /// What entries of the database are kept for.
  void nameMachine(const Machine &machine) {
    adze_model_info info = ADZE_INIT(adze_model_info);
    adze_status_destroy(adze_model_get_info(untuned_->session().model(), &info));
    std::string product = info.product ? info.product : "";
    cpu_ = o_.isModelled()     ? tuning::modelOf(machine.description)
           : !product.empty() ? tuning::productOf(machine.description, product)
                              : machine.description;
  }

  bool isOne(const std::vector<Machine> &machines) {
    if (machines.size() == 1) return true;
    cli_.usage("'" + printable(o_.target) + "' is more than one device",
               "tune for one after the other: they share the database");
    return false;
  }

  /// Said before anything is compiled: times on a GPU need it.
  bool hasDriver() {
    if (!o_.target.starts_with("cuda") || (!o_.device.empty() && !o_.device.starts_with("cuda")))
      return true;
    if (dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL)) return true;
    cli_.fail(ExitCode::Device, "ADZ0743", "no CUDA driver (libcuda.so.1)",
              "`--device ptx-emulator` ranks schedules by what the emulator counts");
    return false;
  }

  /// A model says the same of every run.
  size_t leastRuns() const { return o_.isModelled() ? 1 : kLeastRuns; }
  size_t mostRuns() const { return o_.isModelled() ? 1 : kMostRuns; }
  tuning::Comparison judge(std::vector<double> ratios) const {
    if (o_.isModelled()) ratios.resize(kLeastRuns, ratios.front());
    return tuning::compare(std::move(ratios));
  }

  bool measureShares() {
    auto names = kernelNames(untuned_->session(), cli_);
    if (!names) return false;
    std::vector<double> sums(names->size());
    double total = 0;
    for (size_t i = 0; i < std::min<size_t>(5, mostRuns()); ++i) {
      auto times = untuned_->run(total, cli_);
      if (!times) return false;
      for (size_t k = 0; k < times->size(); ++k) sums[k] += (*times)[k];
    }
    double all = std::accumulate(sums.begin(), sums.end(), 1e-9);
    for (Kernel &k : kernels_) {
      k.share = timeOf(k, sums) / all;
      for (int32_t launch : k.schedules.launches)
        k.nodes.insert(k.nodes.end(), (*names)[launch].nodes.begin(), (*names)[launch].nodes.end());
    }
    std::stable_sort(kernels_.begin(), kernels_.end(),
                     [](const Kernel &a, const Kernel &b) { return a.share > b.share; });
    return true;
  }

  static double timeOf(const Kernel &k, const std::vector<double> &times) {
    double sum = 0;
    for (int32_t launch : k.schedules.launches) sum += times[launch];
    return sum;
  }

  /// Times the next candidates of the kernels that take the time, all in one
  /// artifact; `timed` is how many.
  bool round(size_t &timed) {
    say("timing");
    std::map<std::string, std::vector<std::pair<unsigned, std::string>>> wanted;
    for (const Kernel &k : kernels_) {
      if (k.share < kLeastShare || timed >= kRoundAll) continue;
      auto next = k.next(std::min(kRoundKernel, kRoundAll - timed));
      timed += next.size();
      if (!next.empty()) wanted[k.schedules.key] = std::move(next);
    }
    if (timed == 0) return true;
    std::vector<TuningLaunch> added;
    CompileOptions c = options();
    c.tuning.variants = [&](const KernelSchedules &k) { return wanted[k.key]; };
    c.tuning.added = [&](std::vector<TuningLaunch> list) { added = std::move(list); };
    auto experiment = build(c);
    return experiment && timeCandidates(*experiment, added, wanted);
  }

  bool timeCandidates(KernelTimes &experiment, const std::vector<TuningLaunch> &added,
                      const std::map<std::string, std::vector<std::pair<unsigned, std::string>>> &wanted) {
    std::vector<std::vector<double>> ratios(added.size());
    auto end = Clock::now() + std::chrono::duration<double>(std::clamp(budget_ / 20, 0.5, 5.0));
    for (size_t i = 0; i < leastRuns() || (i < mostRuns() && Clock::now() < end); ++i) {
      double total = 0;
      auto times = experiment.run(total, cli_);
      if (!times) return false;
      for (size_t a = 0; a < added.size(); ++a) ratios[a].push_back((*times)[added[a].kernel]);
    }
    // A block of launches begins and ends with the decided schedules.
    std::vector<Entry> entries;
    for (size_t begin = 0; begin < added.size();) {
      size_t last = begin + 1;
      while (!added[last].schedule.empty()) ++last;
      for (size_t a = begin + 1; a < last; ++a) {
        for (size_t i = 0; i < ratios[a].size(); ++i) {
          double decided = (ratios[begin][i] + ratios[last][i]) / 2;
          ratios[a][i] = decided > 0 ? ratios[a][i] / decided : 1;
        }
        entries.push_back({added[a].key, added[a].unit, added[a].schedule,
                           judge(ratios[a]).ratio});
      }
      begin = last + 1;
    }
    return remember(std::move(entries), wanted);
  }

  /// What could not be timed (it does not fit, or its kernel cannot be launched
  /// twice) is as good as the decided one: nobody need try it again.
  bool remember(std::vector<Entry> entries,
                const std::map<std::string, std::vector<std::pair<unsigned, std::string>>> &wanted) {
    std::set<std::tuple<std::string, unsigned, std::string>> have;
    for (const Entry &e : entries) have.emplace(e.kernel, e.unit, e.schedule);
    for (const auto &[key, list] : wanted)
      for (const auto &[unit, schedule] : list)
        if (!have.count({key, unit, schedule})) entries.push_back({key, unit, schedule, 1});
    timed_ += entries.size();
    for (const Entry &e : entries)
      for (Kernel &k : kernels_)
        if (k.schedules.key == e.kernel) k.learn(e);
    Diagnostic error;
    return database_->addTrials(entries, cpu_, error) || failed(error);
  }

  std::vector<Entry> chosen() const {
    std::vector<Entry> entries;
    for (const Kernel &k : kernels_)
      for (const auto &[unit, entry] : k.best)
        if (!k.dropped.count(unit)) entries.push_back(entry);
    return entries;
  }

  /// Puts the best of all units into the model and compares it with the untuned
  /// one, kernel by kernel; what does not win there goes. Then keeps the rest.
  bool confirm() {
    for (bool again = true; again;) {
      std::vector<Entry> entries = chosen();
      if (entries == confirmed_) return true;
      confirmed_ = entries;
      whole_ = {};
      untunedMs_.clear();
      tunedMs_.clear();
      again = false;
      if (!entries.empty() && !compareWithUntuned(entries, again)) return false;
    }
    std::set<std::string> keys;
    for (const Kernel &k : kernels_)
      if (!k.tried.empty()) keys.insert(k.schedules.key);
    Diagnostic error;
    return database_->setBest(keys, confirmed_, cpu_, error) || failed(error);
  }

  bool compareWithUntuned(const std::vector<Entry> &entries, bool &dropped) {
    say("comparing with the untuned model");
    std::map<std::pair<std::string, unsigned>, std::string> stored;
    for (const Entry &e : entries) stored[{e.kernel, e.unit}] = e.schedule;
    CompileOptions c = options();
    c.tuning.stored = [&](const std::string &, const std::string &key, unsigned unit) {
      auto at = stored.find({key, unit});
      return at == stored.end() ? std::string() : at->second;
    };
    auto tuned = build(c);
    if (!tuned) return false;
    std::vector<std::vector<double>> ratios(kernels_.size());
    std::vector<double> wholes;
    auto end = Clock::now() + std::chrono::duration<double>(std::clamp(budget_ / 20, 0.5, 5.0));
    for (size_t i = 0; i < leastRuns() || (i < mostRuns() && Clock::now() < end); ++i) {
      std::optional<std::vector<double>> a, b;
      double wholeA = 0, wholeB = 0;
      if (i % 2) b = tuned->run(wholeB, cli_);
      a = untuned_->run(wholeA, cli_);
      if (i % 2 == 0) b = tuned->run(wholeB, cli_);
      if (!a || !b) return false;
      wholes.push_back(wholeB / std::max(1.0, wholeA));
      untunedMs_.push_back(wholeA * 1e-6);
      tunedMs_.push_back(wholeB * 1e-6);
      for (size_t k = 0; k < kernels_.size(); ++k)
        ratios[k].push_back(timeOf(kernels_[k], *b) / std::max(1.0, timeOf(kernels_[k], *a)));
    }
    if (!sameResults(*tuned)) return false;
    whole_ = judge(wholes);
    for (size_t k = 0; k < kernels_.size(); ++k)
      if (!judge(ratios[k]).faster) dropped |= drop(kernels_[k]);
    if (whole_.slower)
      for (Kernel &k : kernels_) dropped |= drop(k);
    return true;
  }

  static bool drop(Kernel &k) {
    bool any = false;
    for (const auto &[unit, entry] : k.best) any |= k.dropped.insert(unit).second;
    return any;
  }

  /// A schedule changes the order of sums, and nothing else: both have run.
  bool sameResults(KernelTimes &tuned) {
    auto want = untuned_->session().results(cli_);
    auto got = tuned.session().results(cli_);
    if (!want || !got) return false;
    for (size_t i = 0; i < want->size(); ++i) {
      const HostTensor &w = (*want)[i];
      Difference d = compare((*got)[i], w, toleranceOf(tuned.session(), w.dtype));
      if (d.same) continue;
      cli_.fail(ExitCode::OutOfTolerance, "ADZ0805",
                "with tuned schedules output '" + printable(w.name) + "' " + d.reason,
                "this is a bug in adze: please report it with the model; nothing was kept");
      return false;
    }
    return true;
  }

  static double middle(std::vector<double> values) {
    if (values.empty()) return 0;
    std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
    return values[values.size() / 2];
  }

  ExitCode report() {
    double before = middle(untunedMs_), after = middle(tunedMs_);
    std::set<std::string> faster;
    for (const Entry &e : confirmed_) faster.insert(e.kernel);
    if (cli_.json) {
      Json rows = Json::array();
      for (const Kernel &k : kernels_)
        for (const auto &[unit, e] : k.best)
          if (faster.count(e.kernel) && !k.dropped.count(unit))
            rows.push_back({{"kernel", e.kernel}, {"unit", unit}, {"nodes", k.nodes},
                            {"schedule", e.schedule}, {"ratio", e.ratio}});
      Json j{{"database", o_.database}, {"by", o_.isModelled() ? "model" : "time"},
             {"kernels", kernels_.size()}, {"timed", timed_}, {"faster", faster.size()}, {"untuned_ms", before},
             {"tuned_ms", after}, {"ratio", confirmed_.empty() ? 1.0 : whole_.ratio}, {"schedules", rows}};
      std::cout << j.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
      return ExitCode::Ok;
    }
    if (cli_.quiet) return ExitCode::Ok;
    std::vector<std::vector<std::string>> rows{{"ONNX nodes", "share", "ratio"}};
    auto decimals = [](double v, const char *form) {
      char text[32];
      std::snprintf(text, sizeof text, form, v);
      return std::string(text);
    };
    for (const Kernel &k : kernels_)
      for (const auto &[unit, e] : k.best)
        if (!k.dropped.count(unit) && faster.count(e.kernel))
          rows.push_back({someOf(k.nodes, 3), decimals(100 * k.share, "%.1f %%"),
                          decimals(e.ratio, "%.2f")});
    if (!faster.empty()) std::cout << formatTable(rows);
    std::cout << timed_ << " schedules " << done() << ", " << faster.size() << " of "
              << kernels_.size() << " kernels faster";
    if (!faster.empty())
      std::cout << ": untuned " << decimals(before, "%.3f") << " ms, tuned "
                << decimals(after, "%.3f") << " ms (" << decimals(whole_.ratio, "%.2f") << ")";
    std::cout << "\n";
    return ExitCode::Ok;
  }

  const Options &o_;
  Cli &cli_;
  Clock::time_point begin_;
  double budget_;
  Progress progress_;
  Scratch scratch_;
  std::string cpu_;
  std::unique_ptr<tuning::Database> database_;
  std::unique_ptr<KernelTimes> untuned_;
  std::vector<Kernel> kernels_;
  std::vector<Entry> confirmed_;
  tuning::Comparison whole_;
  std::vector<double> untunedMs_, tunedMs_;
  size_t timed_ = 0;
};

ExitCode runTune(Options &o, Cli &cli) {
  auto budget = parseBudget(o.budget);
  if (!budget)
    return cli.usage("'" + printable(o.budget) + "' is no time", "write it as --budget 60s, 5m or 1h");
  std::map<std::string, std::vector<int64_t>> ignored;
  if (!parseShapes(o.shapes, ignored, cli)) return cli.diags.exitCode();
  if (o.database.empty()) o.database = tuning::defaultDatabase();
  if (o.database.empty())
    return cli.usage("there is no place for the database", "name a file with --db");
  return Tuner(o, *budget, cli).run();
}

}  // namespace

void addTune(CLI::App &app, Cli &cli) {
  auto *verb = app.add_subcommand("tune", "Search for faster schedules of a model's kernels");
  auto o = std::make_shared<Options>();
  verb->add_option("model", o->model, "The model: .onnx or .onnxtxt")->required();
  verb->add_option("--target", o->target, "What to tune for: host, cuda:sm_80 (`adze targets`)")
      ->capture_default_str();
  verb->add_option("--products", o->products, "As of `adze compile`")
      ->check(CLI::IsMember({"f32", "tf32", "bf16", "f16"}))
      ->capture_default_str();
  addDevice(*verb, o->device);
  verb->add_option("--budget", o->budget, "Time to search: 60s, 5m, 1h")->capture_default_str();
  verb->add_option("--db", o->database, "The database (default: what `adze compile` uses)");
  verb->add_option("--threads", o->threads, "Threads to time with; 0: one for each CPU")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  verb->add_option("--shape", o->shapes, "Size of an input to tune for: NAME=1x3x224x224")
      ->allow_extra_args(false);
  verb->add_flag("--fix-shapes", o->fixShapes,
                 "Tune the kernels that `compile` makes with the same --shape");
  verb->add_option("-i,--input", o->inputs, "NAME=FILE.npy; inputs not given are random")
      ->allow_extra_args(false);
  verb->add_option("--seed", o->seed, "Of the random inputs")->capture_default_str();
  addCommon(*verb, cli);
  verb->footer(kFooter);
  verb->callback([o, &cli] { cli.action = [o, &cli] { return runTune(*o, cli); }; });
}

}  // namespace adze::cli
