#include "tools/adze/KernelTimes.h"

#include <chrono>
#include <numeric>

namespace adze::cli {

std::unique_ptr<KernelTimes> KernelTimes::start(std::unique_ptr<Session> session, LaunchTime model,
                                                Cli &cli) {
  std::unique_ptr<KernelTimes> times(new KernelTimes(std::move(session), std::move(model)));
  adze_request *request = times->session_->request();
  bool ready =
      times->model_ ? succeeded(adze_request_set_emulation(request, 0, launched, times.get()), cli)
                    : times->collector_.start(cli);
  return ready ? std::move(times) : nullptr;
}

KernelTimes::~KernelTimes() {
  if (!model_) return;
  adze_status_destroy(adze_request_set_emulation(session_->request(), 0, nullptr, nullptr));
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
    if (launch->model_kernel >= 0) t.modelled_[launch->model_kernel] += t.model_(countsOf(*launch));
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
  modelled_.assign(adze_model_kernel_count(session_->model()), 0);
  auto begin = std::chrono::steady_clock::now();
  if (!session_->run(cli) || !checkFindings(cli)) return std::nullopt;
  total = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
  if (model_) {
    total = std::accumulate(modelled_.begin(), modelled_.end(), 0.0);
    return modelled_;
  }
  std::vector<double> times(modelled_.size());
  for (const adze_trace_event &e : collector_.events)
    if (e.thread < 0) times[e.kernel] += static_cast<double>(e.end_ns - e.begin_ns);
  return times;
}

}  // namespace adze::cli
