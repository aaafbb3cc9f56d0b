// How long a model's kernels take: measured, or what a model of the GPU says of the emulator's
// counts.
#pragma once
#include "tools/adze/Trace.h"

#include "lib/Tuning/LaunchCounts.h"

#include <functional>

namespace adze::cli {

/// Nanoseconds of a launch that did so much.
using LaunchTime = std::function<double(const tuning::LaunchCounts &)>;

/// A loaded model and its kernels' times, run by run.
class KernelTimes {
 public:
  /// Null after reporting. With a model, every run must be on the PTX emulator: kernels on the
  /// host then take no time.
  static std::unique_ptr<KernelTimes> start(std::unique_ptr<Session> session, LaunchTime model,
                                            Cli &cli);
  ~KernelTimes();

  Session &session() { return *session_; }
  /// Of each kernel in one more run; `total`: of the whole run. nullopt after reporting; what the
  /// emulator finds wrong is ADZ0512.
  std::optional<std::vector<double>> run(double &total, Cli &cli);

 private:
  explicit KernelTimes(std::unique_ptr<Session> session, LaunchTime model)
      : session_(std::move(session)), collector_(*session_), model_(std::move(model)) {}
  static void launched(void *self, const adze_emulation *launch);
  bool checkFindings(Cli &cli) const;

  std::unique_ptr<Session> session_;
  EventCollector collector_;
  LaunchTime model_;
  std::vector<double> modelled_;  ///< of each kernel in this run
  std::string finding_;  ///< the first that is an error
};

}  // namespace adze::cli
