#include "lib/Runtime/CudaStream.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace adze::runtime {

namespace {
// Pieces of work that are remembered: a model's at a few sizes.
constexpr size_t kKnown = 32;
// No more is collected, should nobody wait.
constexpr size_t kMostSteps = 4096;

size_t roundUp8(size_t n) { return (n + 7) / 8 * 8; }
}  // namespace

uint64_t CudaStream::Work::hash() const {
  static_assert(std::has_unique_object_representations_v<Step>);
  return artifact::hashBytes(std::as_bytes(std::span(steps))) * 31 + artifact::hashBytes(arguments);
}

void CudaStream::Work::clear() {
  steps.clear();
  arguments.clear();
}

CudaStream::~CudaStream() {
  for (Known &k : known_)
    if (k.graph) api_.graphExecDestroy(k.graph);
  if (left_) api_.eventDestroy(left_);
  if (own_) api_.streamDestroy(own_);
}

bool CudaStream::open(Diagnostic &error) {
  return api_.check(gpu_.makeStream(own_), "make a stream", error) &&
         api_.check(api_.eventCreate(&left_, cuda::kEventDisableTiming), "make an event", error);
}

bool CudaStream::begin(bool graphs, cuda::Stream callers, Diagnostic &error) {
  target_ = callers ? callers : own_;
  // Also on what looks like the same stream: another may have taken its address.
  if (unsettled_ &&
      !api_.check(api_.streamWaitEvent(target_, left_, 0), "wait for the run before", error))
    return false;
  graphs_ = graphs, running_ = true;
  last_ = -1;
  return true;
}

bool CudaStream::add(Step step, Diagnostic &error) {
  work_.steps.push_back(step);
  return (graphs_ && work_.steps.size() < kMostSteps) || flush(error);
}

bool CudaStream::launch(int32_t kernel, const uint32_t *gridBlock, uint32_t shared,
                        void *const *arguments, Diagnostic &error) {
  Step step;
  step.kernel = kernel, step.shared = shared, step.argumentsAt = work_.arguments.size();
  std::copy_n(gridBlock, 6, step.gridBlock);
  for (uint32_t bytes : kernels_[kernel].parameterBytes) {
    size_t at = work_.arguments.size();
    work_.arguments.resize(at + roundUp8(bytes));
    std::memcpy(&work_.arguments[at], *arguments++, bytes);
  }
  return add(step, error);
}

bool CudaStream::copy(cuda::Pointer to, cuda::Pointer from, int64_t bytes, Diagnostic &error) {
  Step step;
  step.to = to, step.from = from, step.bytes = static_cast<uint64_t>(bytes);
  return add(step, error);
}

bool CudaStream::enqueue(const Work &work, cuda::Stream stream, Diagnostic &error) {
  for (const Step &s : work.steps) {
    if (s.kernel < 0) {
      if (!api_.check(api_.memcpyDtoDAsync(s.to, s.from, s.bytes, stream), "copy on the GPU",
                      error))
        return false;
      continue;
    }
    const artifact::DeviceKernel &kernel = kernels_[s.kernel];
    auto *at = const_cast<std::byte *>(work.arguments.data()) + s.argumentsAt;
    pointers_.clear();
    for (uint32_t bytes : kernel.parameterBytes) {
      pointers_.push_back(at);
      at += roundUp8(bytes);
    }
    const uint32_t *g = s.gridBlock;
    if (!api_.check(api_.launchKernel(functions_[s.kernel], g[0], g[1], g[2], g[3], g[4], g[5],
                                      s.shared, stream, pointers_.data(), nullptr),
                    "launch kernel", error, kernel.name))
      return false;
  }
  return true;
}

CudaStream::Known *CudaStream::find(uint64_t hash) {
  auto known = std::ranges::find_if(
      known_, [&](const Known &k) { return k.hash == hash && k.work == work_; });
  return known == known_.end() ? nullptr : &*known;
}

/// Takes the work collected; the place is a new one, or that of the work done
/// longest ago.
CudaStream::Known &CudaStream::remember(uint64_t hash) {
  if (known_.size() < kKnown) known_.emplace_back();
  Known &k = known_.back().work.steps.empty()
                 ? known_.back()
                 : *std::ranges::min_element(known_, {}, &Known::lastUse);
  if (k.graph) api_.graphExecDestroy(k.graph);
  k.graph = nullptr, k.tried = false, k.hash = hash;
  std::swap(k.work, work_);
  return k;
}

/// On the own stream, as some of the callers' cannot. Null where the driver does not
/// want to: then work goes on without.
cuda::GraphExec CudaStream::capture(const Work &work) {
  Diagnostic ignored;
  cuda::Graph graph = nullptr;
  cuda::GraphExec made = nullptr;
  if (api_.streamBeginCapture(own_, cuda::kStreamCaptureThreadLocal) != 0) return nullptr;
  bool ok = enqueue(work, own_, ignored);
  if (api_.streamEndCapture(own_, &graph) != 0) return nullptr;
  if (ok && api_.graphInstantiateWithFlags(&made, graph, 0) != 0) made = nullptr;
  api_.graphDestroy(graph);
  return made;
}

bool CudaStream::flush(Diagnostic &error) {
  if (work_.steps.empty()) return true;
  for (const Step &s : work_.steps)
    if (s.kernel >= 0) last_ = s.kernel;
  bool ok;
  // One step alone would not be faster.
  if (!graphs_ || work_.steps.size() == 1) {
    ok = enqueue(work_, target_, error);
  } else {
    uint64_t hash = work_.hash();
    Known *known = find(hash);
    if (!known) {
      known = &remember(hash);
      ok = enqueue(known->work, target_, error);
    } else {
      if (!known->tried) known->graph = capture(known->work);
      known->tried = true;
      ok = known->graph
               ? api_.check(api_.graphLaunch(known->graph, target_), "launch a graph up to kernel",
                            error, last_ < 0 ? std::string_view() : kernels_[last_].name)
               : enqueue(work_, target_, error);
    }
    known->lastUse = ++flushes_;
  }
  work_.clear();
  return ok;
}

/// An error of a kernel shows here.
bool CudaStream::synchronize(Diagnostic &error) {
  return flush(error) && finished(api_.streamSynchronize(target_), error);
}

bool CudaStream::finished(cuda::Result result, Diagnostic &error) {
  unsettled_ = false;
  if (result == 0) return true;
  api_.check(result, last_ < 0 ? "finish the copies" : "finish all up to kernel", error,
             last_ < 0 ? std::string_view() : kernels_[last_].name);
  error.help = "`adze run --device ptx-emulator --check` finds errors in kernels";
  return false;
}

bool CudaStream::leave(Diagnostic &error) {
  if (!flush(error) || !api_.check(api_.eventRecord(left_, target_), "mark the run's end", error))
    return false;
  running_ = false;
  return unsettled_ = true;
}

bool CudaStream::settle(Diagnostic &error) {
  return !unsettled_ || finished(api_.eventSynchronize(left_), error);
}

void CudaStream::abandon() {
  work_.clear();
  if (unsettled_) api_.eventSynchronize(left_);
  if (running_) api_.streamSynchronize(target_);
  running_ = unsettled_ = false;
}

}  // namespace adze::runtime
