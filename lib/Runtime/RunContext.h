// What the functions behind adze_host_ctx share; private to HostRun.cpp and
// DeviceRun.cpp. They are called by generated code, so they never throw, and where
// they cannot go on they leave with longjmp: the generated frames in between hold
// nothing, and the functions keep no object with a destructor alive across the jump.
#pragma once
#include "lib/Runtime/DeviceQueue.h"
#include "lib/Runtime/HostRun.h"

#include <pthread.h>
#include <setjmp.h>

#include <atomic>
#include <vector>

namespace adze::runtime {

/// When one piece of a parallel loop ran, and where.
struct Slice {
  pthread_t thread;
  int64_t beginNs = 0, endNs = 0;
};

/// What all contexts of one run share.
struct Run {
  Run(Execution &e, const Surroundings &a) : execution(e), around(a) {}
  Execution &execution;
  const Surroundings &around;
  std::atomic<int> claimed{0};  ///< 1 once a thread records the first error
  std::atomic<int> failed{0};   ///< 1 once it is recorded
  int32_t code = 0;
  const char *id = "";
  const char *message = "";
  int64_t detail = -1;  ///< bytes asked for; -1: none
  Diagnostic device;    ///< what the device says, if the first error is its
  std::vector<int64_t> kernelBegin;
  std::vector<Slice> slices;    ///< of the parallel loop that runs, where they are asked for
  std::vector<pthread_t> seen;  ///< threads that had slices, by their number
  int32_t kernel = -1;          ///< the one that runs, when profiling
  alignas(kAlignment) char scratch[4096];
};

/// The ABI's context, and where its thread leaves to.
struct Context {
  adze_host_ctx abi{};
  Run *run = nullptr;
  jmp_buf *exit = nullptr;
  pthread_t thread{};
  bool worker = false;
};

inline Context *contextOf(adze_host_ctx *c) { return reinterpret_cast<Context *>(c); }

/// Keeps the first error of a run: `message` is static text, `detail` bytes asked for.
void record(Run &run, ExitCode code, const char *id, const char *message, int64_t detail = -1);
/// The same for what a device says.
void recordDevice(Run &run, Diagnostic &&error);
/// Leaves the generated code; returns only when the context is another thread's.
void leave(Context *c);
/// Records it when the request was cancelled or is late.
void checkCancelled(Run &run);

// ---- DeviceRun.cpp
/// The functions for code that drives a device.
void fillDevice(adze_host_ctx &abi);
/// Waits for the device, if there is one: what is only enqueued takes its time later.
void settle(Context *c);
/// Begins to bring a result from the device into a block of the request's, if it has bytes.
bool fetch(DeviceQueue &device, artifact::DType dtype, OutputView &view, Execution &e,
           Diagnostic &error);

}  // namespace adze::runtime
