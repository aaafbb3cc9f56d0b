// adze explain
#include "lib/Artifact/Artifact.h"
#include "lib/Measure/Roofline.h"
#include "tools/adze/Trace.h"

#include <algorithm>
#include <chrono>
#include <iostream>

namespace adze::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char *kFooter = R"(Examples:
  adze explain model.adze --threads 1
  adze explain model.adze --shape x=1x3x640x640 --top 10
  adze explain model.adze --sort gap --json
  adze explain model.adze --trace run.json       for chrome://tracing or Perfetto

Operations (GFLOP) and bytes are counted from the kernels' own loops; bytes are
those of a kernel's arguments, each once, wherever they come from: small tensors
come from the caches, faster than memory. The peak is measured before the model
runs. A kernel is bound by `compute` or `memory`, whichever takes longer at its
peak, and by `overhead` where it reaches a tenth of neither.)";

struct Options : InputOptions {
  std::string artifact, trace, sort = "time";
  int threads = 0;
  int64_t iterations = 0, top = 0;
  double duration = 2;
};

/// What all launches of a kernel in one run did.
struct KernelRun {
  int64_t calls = 0, nanoseconds = 0, flops = 0, read = 0, written = 0;
};

/// Sum of counts, -1 when one is not known.
int64_t plus(int64_t sum, int64_t more) { return sum < 0 || more < 0 ? -1 : sum + more; }

std::vector<KernelRun> sumUp(const std::vector<adze_trace_event> &events, size_t kernels) {
  std::vector<KernelRun> runs(kernels);
  for (const adze_trace_event &e : events) {
    if (e.thread >= 0) continue;
    KernelRun &k = runs[e.kernel];
    ++k.calls;
    k.nanoseconds += e.end_ns - e.begin_ns;
    k.flops = plus(k.flops, e.flops);
    k.read = plus(k.read, e.bytes_read);
    k.written = plus(k.written, e.bytes_written);
  }
  return runs;
}

struct Measured {
  std::vector<std::vector<KernelRun>> runs;
  std::vector<double> milliseconds;  ///< of each run
};

bool measureRuns(Session &session, const Options &o, EventCollector &collector, size_t kernels,
                 Measured &m, Cli &cli) {
  for (int warm = 0; warm < 3; ++warm)
    if (!session.run(cli)) return false;
  auto end = Clock::now() + std::chrono::duration<double>(o.duration);
  auto more = [&] {
    int64_t done = static_cast<int64_t>(m.runs.size());
    return o.iterations ? done < o.iterations : done == 0 || (Clock::now() < end && done < 100000);
  };
  while (more()) {
    collector.events.clear();
    auto begin = Clock::now();
    if (!session.run(cli)) return false;
    std::chrono::duration<double, std::milli> took = Clock::now() - begin;
    m.milliseconds.push_back(took.count());
    m.runs.push_back(sumUp(collector.events, kernels));
  }
  return true;
}

template <typename T>
T median(std::vector<T> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

/// One row: a kernel, or all of them.
struct Row {
  const KernelName *kernel = nullptr;
  KernelRun run;  ///< medians
  measure::Roofline roofline;

  double seconds() const { return static_cast<double>(run.nanoseconds) * 1e-9; }
  double gap() const { return seconds() - roofline.seconds; }
  int64_t bytes() const { return plus(run.read, run.written); }
};

std::vector<Row> rowsOf(const Measured &m, const std::vector<KernelName> &kernels,
                        const measure::Peak &peak) {
  std::vector<Row> rows;
  for (size_t k = 0; k < kernels.size(); ++k) {
    std::vector<int64_t> times;
    for (const auto &run : m.runs) times.push_back(run[k].nanoseconds);
    Row row{&kernels[k], m.runs.back()[k], {}};
    row.run.nanoseconds = median(times);
    row.roofline = measure::rooflineOf({row.seconds(), static_cast<double>(row.run.flops),
                                        static_cast<double>(row.bytes())},
                                       peak);
    if (row.run.calls) rows.push_back(row);
  }
  return rows;
}

/// The model: the sum of its kernels. Its roofline is the sum of theirs, bound
/// by what bounds most of that time.
Row totalOf(const std::vector<Row> &rows) {
  Row total;
  double least[3] = {};
  for (const Row &r : rows) {
    total.run.calls += r.run.calls;
    total.run.nanoseconds += r.run.nanoseconds;
    total.run.flops += std::max<int64_t>(0, r.run.flops);
    total.run.read += std::max<int64_t>(0, r.run.read);
    total.run.written += std::max<int64_t>(0, r.run.written);
    total.roofline.seconds += r.roofline.seconds;
    least[static_cast<int>(r.roofline.bound)] += r.seconds();
  }
  total.roofline.share = total.seconds() > 0 ? total.roofline.seconds / total.seconds() : 0;
  total.roofline.bound =
      static_cast<measure::Bound>(std::max_element(least, least + 3) - least);
  return total;
}

void sortRows(std::vector<Row> &rows, const std::string &by) {
  auto key = [&](const Row &r) -> double {
    if (by == "flops") return static_cast<double>(r.run.flops);
    if (by == "bytes") return static_cast<double>(r.bytes());
    return by == "gap" ? r.gap() : r.seconds();
  };
  if (by != "order")
    std::stable_sort(rows.begin(), rows.end(),
                     [&](const Row &a, const Row &b) { return key(a) > key(b); });
}

std::string decimals(double v, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, v);
  return text;
}

std::string percent(double share) { return decimals(100 * share, 1) + " %"; }

/// "conv" of "conv + add + max epilogue".
std::string anchorOf(const std::string &kind) { return printable(kind.substr(0, kind.find(" +"))); }

std::vector<std::string> cells(const Row &r, double totalSeconds) {
  auto rate = [&](int64_t amount) {
    return amount < 0 || r.run.nanoseconds <= 0
               ? std::string("-")
               : decimals(static_cast<double>(amount) / static_cast<double>(r.run.nanoseconds), 1);
  };
  return {r.kernel ? printable(r.kernel->name, 60) : "total",
          std::to_string(r.run.calls),
          decimals(r.seconds() * 1e3, 3),
          percent(totalSeconds > 0 ? r.seconds() / totalSeconds : 0),
          rate(r.run.flops),
          rate(r.bytes()),
          percent(r.roofline.share),
          measure::boundName(r.roofline.bound),
          r.kernel ? anchorOf(r.kernel->kind) + ": " + someOf(r.kernel->nodes, 3) : ""};
}

Json rowJson(const Row &r, double totalSeconds) {
  Json j;
  if (r.kernel) j = {{"name", r.kernel->name}, {"kind", r.kernel->kind}, {"nodes", r.kernel->nodes}};
  auto count = [](int64_t n) { return n < 0 ? Json() : Json(n); };
  auto rate = [&](int64_t n) {
    return n < 0 || r.run.nanoseconds <= 0
               ? Json()
               : Json(static_cast<double>(n) / static_cast<double>(r.run.nanoseconds));
  };
  j["calls"] = r.run.calls;
  j["ms"] = r.seconds() * 1e3;
  j["share"] = totalSeconds > 0 ? r.seconds() / totalSeconds : 0;
  j["flops"] = count(r.run.flops);
  j["bytes_read"] = count(r.run.read);
  j["bytes_written"] = count(r.run.written);
  j["gflops"] = rate(r.run.flops);
  j["gbytes_per_s"] = rate(r.bytes());
  j["roofline_ms"] = r.roofline.seconds * 1e3;
  j["peak_share"] = r.roofline.share;
  j["bound"] = measure::boundName(r.roofline.bound);
  return j;
}

struct Report {
  std::vector<Row> rows;
  Row total;
  measure::Peak peak;
  int threads = 1;
  size_t runs = 0;
  double milliseconds = 0;
};

void print(const Report &r, const Options &o) {
  std::cout << "machine  " << r.threads << (r.threads == 1 ? " thread: " : " threads: ")
            << decimals(r.peak.flopsPerSecond * 1e-9, 0) << " GFLOP/s (fp32, " << r.peak.level
            << "), " << decimals(r.peak.bytesPerSecond * 1e-9, 1) << " GB/s from memory\n"
            << "run      " << decimals(r.milliseconds, 3) << " ms, "
            << decimals(r.milliseconds - r.total.seconds() * 1e3, 3)
            << " ms of it outside kernels; medians of " << r.runs << " runs\n\n";
  std::vector<std::vector<std::string>> rows{{"kernel", "calls", "ms", "share", "GFLOP/s", "GB/s",
                                              "of peak", "bound", "ONNX nodes"}};
  size_t shown = o.top ? std::min<size_t>(o.top, r.rows.size()) : r.rows.size();
  for (size_t i = 0; i < shown; ++i) rows.push_back(cells(r.rows[i], r.total.seconds()));
  rows.push_back(cells(r.total, r.total.seconds()));
  std::cout << formatTable(rows);
  if (shown < r.rows.size())
    std::cout << "and " << r.rows.size() - shown << " kernels more: see --top\n";
  std::cout << "roofline " << decimals(r.total.roofline.seconds * 1e3, 3) << " ms\n";
}

void printJson(const Report &r, const Options &o) {
  Json j{{"artifact", o.artifact},
         {"threads", r.threads},
         {"runs", r.runs},
         {"run_ms", r.milliseconds},
         {"machine",
          {{"level", r.peak.level},
           {"gflops", r.peak.flopsPerSecond * 1e-9},
           {"gbytes_per_s", r.peak.bytesPerSecond * 1e-9}}}};
  j["kernels"] = Json::array();
  size_t shown = o.top ? std::min<size_t>(o.top, r.rows.size()) : r.rows.size();
  for (size_t i = 0; i < shown; ++i) j["kernels"].push_back(rowJson(r.rows[i], r.total.seconds()));
  j["total"] = rowJson(r.total, r.total.seconds());
  std::cout << j.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

/// The machine's peak for what the artifact's code may use.
bool peakFor(const Options &o, int threads, measure::Peak &peak, Cli &cli) {
  Diagnostic error;
  auto artifact = artifact::Artifact::open(o.artifact, error);
  if (!artifact) {
    cli.diags.report(error);
    return false;
  }
  peak = measure::measurePeak(threads, artifact->contents().cpuFeatures);
  return true;
}

ExitCode runExplain(const Options &o, Cli &cli) {
  Report r;
  r.threads = threadsOf(o.threads);
  auto session = Session::open(o.artifact, r.threads, cli);
  if (!session || !session->prepare(o.inputs, o.shapes, o.seed, cli)) return cli.diags.exitCode();
  auto kernels = kernelNames(*session, cli);
  EventCollector collector(*session);
  if (!kernels || !collector.start(cli)) return cli.diags.exitCode();
  Measured measured;
  {
    Progress progress(cli.showsProgress());
    progress.step(1, 2, "measuring the machine");
    if (!peakFor(o, r.threads, r.peak, cli)) return cli.diags.exitCode();
    progress.step(2, 2, "measuring the kernels");
    if (!measureRuns(*session, o, collector, kernels->size(), measured, cli))
      return cli.diags.exitCode();
  }
  r.runs = measured.runs.size();
  r.milliseconds = median(measured.milliseconds);
  r.rows = rowsOf(measured, *kernels, r.peak);
  r.total = totalOf(r.rows);
  sortRows(r.rows, o.sort);
  if (!o.trace.empty() && !writeTrace(o.trace, *kernels, collector.events, cli))
    return cli.diags.exitCode();
  cli.json ? printJson(r, o) : print(r, o);
  return ExitCode::Ok;
}

}  // namespace

void addExplain(CLI::App &app, Cli &cli) {
  auto *verb = app.add_subcommand("explain", "Show where the time goes, kernel by kernel");
  auto o = std::make_shared<Options>();
  verb->add_option("artifact", o->artifact, "The .adze file")->required();
  verb->add_option("--threads", o->threads, "0: one for each CPU")->check(CLI::Range(0, 1024));
  auto *iterations = verb->add_option("--iterations", o->iterations, "Runs to measure")
                         ->check(CLI::Range(int64_t(1), int64_t(1000000)));
  verb->add_option("--duration", o->duration, "Seconds to measure")
      ->check(CLI::Range(0.0, 86400.0))
      ->excludes(iterations)
      ->capture_default_str();
  verb->add_option("--sort", o->sort,
                   "Of the rows: time, order, flops, bytes, or gap, the time above the roofline")
      ->check(CLI::IsMember({"time", "order", "flops", "bytes", "gap"}))
      ->capture_default_str();
  verb->add_option("--top", o->top, "Show this many rows; 0: all")
      ->check(CLI::Range(int64_t(0), int64_t(1000000)));
  verb->add_option("--trace", o->trace, "Write the last run as a Chrome trace to this file");
  o->addTo(*verb);
  addCommon(*verb, cli);
  verb->footer(kFooter);
  verb->callback([o, &cli] { cli.action = [o, &cli] { return runExplain(*o, cli); }; });
}

}  // namespace adze::cli
