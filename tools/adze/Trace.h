// What a run's kernels did, and the same as a Chrome trace.
#pragma once
#include "tools/adze/Session.h"

namespace adze::cli {

struct KernelName {
  std::string name, kind;
  std::vector<std::string> nodes;  ///< ONNX nodes
};

/// Every kernel of the session's artifact; nullopt after reporting.
std::optional<std::vector<KernelName>> kernelNames(const Session &session, Cli &cli);

/// The first names, and how many more there are.
std::string someOf(const std::vector<std::string> &names, size_t most);

/// Collects the events of a session's runs while it lives.
class EventCollector {
 public:
  explicit EventCollector(Session &session) : session_(session) {}
  ~EventCollector();
  /// False after reporting.
  bool start(Cli &cli);
  std::vector<adze_trace_event> events;

 private:
  Session &session_;
};

/// Writes a run's events in the trace-event format that chrome://tracing and
/// Perfetto load: one slice a launch, on row 0; the pieces of its parallel
/// loops on the row of their thread. False after reporting.
bool writeTrace(const std::string &path, const std::vector<KernelName> &kernels,
                const std::vector<adze_trace_event> &events, Cli &cli);

}  // namespace adze::cli
