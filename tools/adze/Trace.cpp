#include "tools/adze/Trace.h"

#include "lib/Support/File.h"

#include <algorithm>
#include <set>

namespace adze::cli {

std::optional<std::vector<KernelName>> kernelNames(const Session &session, Cli &cli) {
  std::vector<KernelName> kernels;
  for (size_t i = 0; i < adze_model_kernel_count(session.model()); ++i) {
    adze_kernel_info info = ADZE_INIT(adze_kernel_info);
    if (!succeeded(adze_model_kernel(session.model(), i, &info), cli)) return std::nullopt;
    kernels.push_back({info.name, info.kind, {info.nodes, info.nodes + info.node_count}});
  }
  return kernels;
}

std::string someOf(const std::vector<std::string> &names, size_t most) {
  std::string text;
  for (size_t i = 0; i < names.size() && i < most; ++i)
    text += (i ? ", " : "") + printable(names[i], 60);
  if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more";
  return text;
}

bool EventCollector::start(Cli &cli) {
  auto collect = [](void *user, const adze_trace_event *event) {
    // No exception may cross the model's code.
    try {
      static_cast<std::vector<adze_trace_event> *>(user)->push_back(*event);
    } catch (const std::bad_alloc &) {
    }
  };
  return succeeded(adze_request_set_trace(session_.request(), collect, &events), cli);
}

EventCollector::~EventCollector() {
  adze_status_destroy(adze_request_set_trace(session_.request(), nullptr, nullptr));
}

/// Metadata: how the viewer names a row.
static Json rowName(int64_t thread) {
  std::string name = thread ? "thread " + std::to_string(thread) : "main thread";
  return {{"ph", "M"}, {"name", "thread_name"}, {"pid", 1}, {"tid", thread},
          {"args", {{"name", name}}}};
}

static Json slice(const adze_trace_event &e, const KernelName &kernel, int64_t origin) {
  bool launch = e.thread < 0;
  Json j{{"name", kernel.name},
         {"cat", launch ? "kernel" : "piece"},
         {"ph", "X"},
         {"pid", 1},
         {"tid", std::max<int64_t>(0, e.thread)},
         {"ts", static_cast<double>(e.begin_ns - origin) * 1e-3},
         {"dur", static_cast<double>(e.end_ns - e.begin_ns) * 1e-3}};
  if (!launch) return j;
  j["args"] = {{"kind", kernel.kind}, {"nodes", kernel.nodes}};
  if (e.flops >= 0) j["args"]["flops"] = e.flops;
  if (e.bytes_read >= 0) j["args"]["bytes_read"] = e.bytes_read;
  if (e.bytes_written >= 0) j["args"]["bytes_written"] = e.bytes_written;
  return j;
}

bool writeTrace(const std::string &path, const std::vector<KernelName> &kernels,
                const std::vector<adze_trace_event> &events, Cli &cli) {
  int64_t origin = INT64_MAX;
  std::set<int64_t> threads{0};
  for (const adze_trace_event &e : events) {
    origin = std::min(origin, e.begin_ns);
    threads.insert(std::max<int64_t>(0, e.thread));
  }
  Json rows = Json::array();
  for (int64_t t : threads) rows.push_back(rowName(t));
  for (const adze_trace_event &e : events) rows.push_back(slice(e, kernels[e.kernel], origin));
  std::string text = Json{{"displayTimeUnit", "ns"}, {"traceEvents", rows}}.dump(
      -1, ' ', false, Json::error_handler_t::replace) + "\n";
  AtomicFile file;
  std::string error;
  if (file.open(path, error) && file.write(text.data(), text.size(), error) && file.commit(error))
    return true;
  cli.fail(ExitCode::ResourceLimit, "ADZ0803", error);
  return false;
}

}  // namespace adze::cli
