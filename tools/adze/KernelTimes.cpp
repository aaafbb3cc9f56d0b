#include "tools/adze/KernelTimes.h"

#include <chrono>
#include <numeric>

namespace adze::cli {

std::unique_ptr<KernelTimes> KernelTimes::start(std::unique_ptr<Session> session, LaunchTime model,
                                                Cli &cli) {
  std::unique_ptr<KernelTimes> times(new KernelTimes(std::move(session), std::move(model)));
  if (!times->collector_.start(cli)) return nullptr;
  adze_request *request = times->session_->request();
  if (times->model_ && !succeeded(adze_request_set_emulation(request, 0, launched, times.get()), cli))
    return nullptr;
  return times;
}

KernelTimes::~KernelTimes() {
  if (model_) adze_status_destroy(adze_request_set_emulation(session_->request(), 0, nullptr, nullptr));
}

static tuning::LaunchCounts countsOf(const adze_emulation &launch) {
  tuning::LaunchCounts c;
  c.blocks = launch.blocks;
  c.threads = launch.threads;
  c.sharedBytes = launch.shared_bytes;
  for (size_t p = 0; p < launch.pipe_count; ++p)
    if (launch.pipe_instructions[p]) c.instructions[launch.pipes[p]] = launch.pipe_instructions[p];
  c.globalSectors = launch.global_sectors;
  c.sharedWavefronts = launch.shared_wavefronts;
  c.tensorFlops = launch.tensor_flops;
  return c;
}

void KernelTimes::launched(void *self, const adze_emulation *launch) {
  auto &t = *static_cast<KernelTimes *>(self);
  // No exception may cross the runtime.
  try {
    t.launches_.push_back({t.collector_.events.size(), t.model_(countsOf(*launch))});
    for (size_t i = 0; i < launch->finding_count; ++i)
      if (const adze_finding &f = *launch->findings[i]; !f.advice && t.finding_.empty())
        t.finding_ = std::string(f.kind) + " in kernel '" + printable(launch->kernel, 80) + "', line " +
                     std::to_string(f.line) + " of its PTX: " + printable(f.message, 200);
  } catch (const std::bad_alloc &) {
  }
}

bool KernelTimes::checkFindings(Cli &cli) const {
  if (finding_.empty()) return true;
  cli.fail(ExitCode::OutOfTolerance, "ADZ0512", finding_,
           "this is a bug in adze: please report it with the model; nothing was kept");
  return false;
}

std::optional<std::vector<double>> KernelTimes::run(double &total, Cli &cli) {
  collector_.events.clear();
  launches_.clear();
  auto begin = std::chrono::steady_clock::now();
  if (!session_->run(cli) || !checkFindings(cli)) return std::nullopt;
  total = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
  std::vector<double> times(adze_model_kernel_count(session_->model()));
  auto launch = launches_.begin();
  for (size_t i = 0; i < collector_.events.size(); ++i) {
    const adze_trace_event &e = collector_.events[i];
    if (e.thread >= 0) continue;
    if (!model_) times[e.kernel] += static_cast<double>(e.end_ns - e.begin_ns);
    for (; launch != launches_.end() && launch->event <= i; ++launch)
      times[e.kernel] += launch->nanoseconds;
  }
  if (model_) total = std::accumulate(times.begin(), times.end(), 0.0);
  return times;
}

}  // namespace adze::cli
