// adze bench
#include "tools/adze/Peer.h"
#include "tools/adze/Session.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <numeric>
#include <thread>

namespace adze::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char *kFooter = R"(Examples:
  adze bench model.adze --threads 2 --duration 5
  adze bench model.adze --shape x=1x3x640x640 --json
  adze bench model.adze --device cuda --requests 3          copies overlap kernels
  adze bench model.adze --model model.onnx --compare ort,openvino,iree

With --compare the engines take turns in the same run, so that a busy machine
slows all of them: trust the ratios.)";

struct Options : InputOptions {
  std::string artifact, model, device;
  std::vector<std::string> compare;
  int threads = 0, requests = 1;
  double duration = 3, warmup = 0.5;
};

/// Nanoseconds of each run; of all, where several are in flight at a time.
struct Runs {
  Runs() = default;
  explicit Runs(std::vector<double> t) : times(std::move(t)), all(sum(times)) {}
  static double sum(const std::vector<double> &t) { return std::accumulate(t.begin(), t.end(), 0.0); }

  std::vector<double> times;
  double all = 0;
};

/// Something that can be run and timed; without times it has failed.
struct Engine {
  std::string name, version;
  std::function<Runs(int)> run;
  Runs runs;
  std::string refusal;  ///< why it does not take the model; it is not run then
};

double percentile(const std::vector<double> &sorted, double share) {
  double at = share * static_cast<double>(sorted.size() - 1);
  size_t low = static_cast<size_t>(at), high = std::min(low + 1, sorted.size() - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - static_cast<double>(low));
}

Json statistics(const Engine &e) {
  if (!e.refusal.empty()) return Json{{"engine", e.name}, {"error", e.refusal}};
  std::vector<double> ms(e.runs.times);
  for (double &t : ms) t *= 1e-6;
  std::sort(ms.begin(), ms.end());
  double mean = Runs::sum(ms) / ms.size();
  return Json{{"engine", e.name},
              {"version", e.version},
              {"runs", ms.size()},
              {"latency_ms",
               {{"min", ms.front()},
                {"mean", mean},
                {"p50", percentile(ms, 0.50)},
                {"p90", percentile(ms, 0.90)},
                {"p95", percentile(ms, 0.95)},
                {"p99", percentile(ms, 0.99)},
                {"max", ms.back()}}},
              {"throughput_per_s", 1e9 * ms.size() / e.runs.all}};
}

/// Turns of about a twentieth of a second; an engine's first run of a turn only
/// brings its data back into the caches. Between turns the other engines'
/// threads get time to fall asleep.
bool takeTurns(std::vector<Engine> &engines, double seconds, bool keep) {
  auto end = Clock::now() + std::chrono::duration<double>(seconds * engines.size());
  bool first = true;
  while (first || Clock::now() < end) {
    for (Engine &e : engines) {
      if (!e.refusal.empty()) continue;
      if (engines.size() > 1) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      Runs warm = e.run(1);
      if (warm.times.empty()) return false;
      int count = std::clamp(static_cast<int>(5e7 / std::max(warm.all, 1.0)), 1, 10000);
      Runs runs = e.run(count);
      if (runs.times.empty()) return false;
      if (!keep) continue;
      e.runs.times.insert(e.runs.times.end(), runs.times.begin(), runs.times.end());
      e.runs.all += runs.all;
    }
    first = false;
  }
  return true;
}

double since(Clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
}

/// Requests take turns in this thread: each is waited for when its turn comes again.
/// One alone runs as callers run it.
class Requests {
 public:
  /// `session`'s own, and more of them; false after reporting.
  bool open(Session &session, int count, Cli &cli) {
    flights_.push_back({session.request(), {}});
    for (int i = 1; i < count; ++i) {
      more_.push_back(session.another(cli));
      if (!more_.back()) return false;
      flights_.push_back({more_.back().get(), {}});
    }
    return true;
  }

  Runs run(int count, Cli &cli) { return more_.empty() ? inTurn(count, cli) : ahead(count, cli); }

 private:
  struct Flight {
    adze_request *request;
    Clock::time_point begin;
  };

  Runs inTurn(int count, Cli &cli) {
    std::vector<double> times;
    for (int i = 0; i < count; ++i) {
      auto begin = Clock::now();
      if (!succeeded(adze_request_run(flights_[0].request), cli)) return {};
      times.push_back(since(begin));
    }
    return Runs(std::move(times));
  }

  Runs ahead(int count, Cli &cli) {
    Runs runs;
    auto begin = Clock::now();
    size_t ahead = flights_.size(), all = static_cast<size_t>(count);
    for (size_t i = 0; i < all + ahead; ++i) {
      Flight &f = flights_[i % ahead];
      if (i >= ahead && i - ahead < all) {
        if (!succeeded(adze_request_wait(f.request), cli)) return {};
        runs.times.push_back(since(f.begin));
      }
      f.begin = Clock::now();
      if (i < all && !succeeded(adze_request_start(f.request), cli)) return {};
    }
    runs.all = since(begin);
    return runs;
  }

  std::vector<Session::RequestHandle> more_;
  std::vector<Flight> flights_;
};

void print(const Json &result) {
  std::vector<std::vector<std::string>> rows{
      {"engine", "min ms", "p50", "p90", "p99", "runs/s", "ratio"}};
  auto number = [](double v) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", v);
    return std::string(text);
  };
  std::string notes;
  auto add = [&](const Json &r) {
    std::string engine = r["engine"].get<std::string>();
    if (r.contains("error")) {
      rows.push_back({engine, "-", "-", "-", "-", "-", "-"});
      notes += engine + " does not take the model: " + printable(r["error"].get<std::string>(), 300) + "\n";
      return;
    }
    const Json &l = r["latency_ms"];
    rows.push_back({engine + " " + r["version"].get<std::string>(), number(l["min"]),
                    number(l["p50"]), number(l["p90"]), number(l["p99"]),
                    number(r["throughput_per_s"]),
                    r.contains("adze_ratio") ? number(r["adze_ratio"]["p50"]) : ""});
  };
  add(result);
  for (const Json &r : result["compare"]) add(r);
  std::cout << formatTable(rows) << notes;
  if (!result["compare"].empty()) std::cout << "ratio: adze's latency to the engine's, p50\n";
}

/// Ratios of adze's latency to the peer's.
Json ratios(const Json &own, const Json &other) {
  Json r;
  for (const char *key : {"min", "p50", "p99"})
    r[key] = own["latency_ms"][key].get<double>() / other["latency_ms"][key].get<double>();
  return r;
}

bool startPeers(const Options &o, int threads, const Session &session,
                const std::vector<HostTensor> &inputs, std::vector<std::unique_ptr<Peer>> &peers,
                std::vector<Engine> &engines, Cli &cli) {
  if (o.compare.empty()) return true;
  adze_model_info info = ADZE_INIT(adze_model_info);
  if (!succeeded(adze_model_get_info(session.model(), &info), cli)) return false;
  std::string model = modelOf(o.artifact, o.model, "--model", info.model_hash, cli);
  if (model.empty()) return false;
  for (const std::string &name : o.compare) {
    std::string refusal;
    peers.push_back(Peer::start(name, model, threads, inputs, false, cli, &refusal));
    Peer *peer = peers.back().get();
    if (!peer && refusal.empty()) return false;
    if (!peer) {
      engines.push_back({name, "", {}, {}, refusal});
      continue;
    }
    engines.push_back({name, peer->version(), [peer, &cli](int n) { return Runs(peer->run(n, cli)); }, {}, ""});
  }
  return true;
}

ExitCode runBench(const Options &o, Cli &cli) {
  int threads = threadsOf(o.threads);
  auto session = Session::open(o.artifact, threads, cli, o.device);
  if (!session || !session->prepare(o.inputs, o.shapes, o.seed, cli)) return cli.diags.exitCode();

  Requests requests;
  if (!requests.open(*session, o.requests, cli)) return cli.diags.exitCode();
  std::vector<std::unique_ptr<Peer>> peers;
  std::vector<Engine> engines;
  engines.push_back(
      {"adze", adze_rt_version(), [&](int n) { return requests.run(n, cli); }, {}, ""});
  if (!startPeers(o, threads, *session, session->held(), peers, engines, cli)) return cli.diags.exitCode();
  {
    Progress progress(cli.showsProgress());
    progress.step(1, 2, "warm-up");
    if (!takeTurns(engines, o.warmup, false)) return cli.diags.exitCode();
    progress.step(2, 2, "measuring");
    if (!takeTurns(engines, o.duration, true)) return cli.diags.exitCode();
  }
  Json result = statistics(engines[0]);
  result["artifact"] = o.artifact;
  result["threads"] = threads;
  result["requests"] = o.requests;
  result["warmup_s"] = o.warmup;
  result["duration_s"] = o.duration;
  result["memory"] = session->memory();
  for (const HostTensor &t : session->held()) result["inputs"][t.name] = typeText(t);
  result["compare"] = Json::array();
  for (size_t i = 1; i < engines.size(); ++i) {
    Json other = statistics(engines[i]);
    if (!other.contains("error")) other["adze_ratio"] = ratios(result, other);
    result["compare"].push_back(other);
  }
  if (cli.json)
    std::cout << result.dump() << "\n";
  else
    print(result);
  return ExitCode::Ok;
}

}  // namespace

void addBench(CLI::App &app, Cli &cli) {
  auto *verb = app.add_subcommand("bench", "Measure latency and throughput");
  auto o = std::make_shared<Options>();
  verb->add_option("artifact", o->artifact, "The .adze file")->required();
  verb->add_option("--threads", o->threads, "0: one for each CPU")->check(CLI::Range(0, 1024));
  addDevice(*verb, o->device);
  verb->add_option("--requests", o->requests,
                   "So many in flight at a time: on a GPU, copies of one overlap kernels of others")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  verb->add_option("--duration", o->duration, "Seconds to measure, each engine")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
  verb->add_option("--warmup", o->warmup, "Seconds to run before")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  verb->add_option("--compare", o->compare, "Engines to measure in turns: ort, openvino, iree")
      ->delimiter(',')
      ->check(CLI::IsMember({"ort", "openvino", "iree"}));
  verb->add_option("--model", o->model, "The ONNX model, for --compare");
  o->addTo(*verb);
  addCommon(*verb, cli);
  verb->footer(kFooter);
  verb->callback([o, &cli] { cli.action = [o, &cli] { return runBench(*o, cli); }; });
}

}  // namespace adze::cli
