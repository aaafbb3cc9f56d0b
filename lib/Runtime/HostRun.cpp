// The functions behind adze_host_ctx that need no device, and the call of the entry.
#include "lib/Artifact/Count.h"
#include "lib/Runtime/RunContext.h"
#include "lib/Support/Checked.h"

#include <algorithm>
#include <new>

namespace adze::runtime {

void record(Run &run, ExitCode code, const char *id, const char *message, int64_t detail) {
  if (run.claimed.exchange(1)) return;
  run.code = static_cast<int32_t>(code);
  run.id = id;
  run.message = message;
  run.detail = detail;
  run.failed.store(1, std::memory_order_release);
}

void recordDevice(Run &run, Diagnostic &&error) {
  if (run.claimed.exchange(1)) return;
  run.device = std::move(error);
  run.failed.store(1, std::memory_order_release);
}

void leave(Context *c) {
  c->abi.status = 1;
  if (pthread_equal(c->thread, pthread_self())) _longjmp(*c->exit, 1);
}

void checkCancelled(Run &run) {
  const Execution &e = run.execution;
  if (e.cancelled.load(std::memory_order_relaxed))
    record(run, ExitCode::Interrupted, "ADZ0721", "the request was cancelled");
  else if (e.deadlineNs && nowNs() > e.deadlineNs)
    record(run, ExitCode::Interrupted, "ADZ0722", "the request ran past its timeout");
}

namespace {
// Several pieces a thread even out threads of unequal speed.
constexpr int64_t kPiecesPerThread = 4;

void *hostAlloc(adze_host_ctx *ctx, int64_t bytes) {
  Context *c = contextOf(ctx);
  Block *b = bytes >= 0 ? c->run->execution.blocks.allocate(bytes) : nullptr;
  if (b) return b->payload();
  if (bytes < 0)
    record(*c->run, ExitCode::InvalidModel, "ADZ0707", "a tensor's size is negative or too large");
  else
    record(*c->run, ExitCode::ResourceLimit, "ADZ0720", "out of memory", bytes);
  leave(c);
  return c->run->scratch;
}

void hostDealloc(adze_host_ctx *ctx, void *p) {
  Run &run = *contextOf(ctx)->run;
  // Code that frees by a condition may name a planned buffer: the plan ends it.
  if (p && p != run.scratch && !run.execution.arena.contains(p))
    run.execution.blocks.recycle(Block::of(p));
}

void *hostSlab(adze_host_ctx *ctx, int64_t bytes) {
  Context *c = contextOf(ctx);
  void *p = bytes >= 0 ? c->run->execution.arena.ensure(bytes) : nullptr;
  if (p) return p;
  if (bytes < 0)
    record(*c->run, ExitCode::InvalidModel, "ADZ0707", "the arena's size is negative or too large");
  else
    record(*c->run, ExitCode::ResourceLimit, "ADZ0720", "out of memory for the arena", bytes);
  leave(c);
  return c->run->scratch;
}

/// Separate from hostPlan, so that nothing is left to destroy when that leaves.
int64_t planOrError(Run &run, int64_t n, const int64_t *sizes, const int32_t *first,
                    const int32_t *last, int64_t *offsets) {
  try {
    size_t count = static_cast<size_t>(n);
    int64_t slab =
        run.execution.plans.plan({sizes, count}, {first, count}, {last, count}, {offsets, count});
    if (slab == PlanCache::kBadSizes)
      record(run, ExitCode::InvalidModel, "ADZ0707", "a tensor's size is negative or too large");
    else if (slab < 0)
      record(run, ExitCode::Internal, "ADZ0790", "the memory plan overlaps");
    return slab;
  } catch (const std::bad_alloc &) {
    record(run, ExitCode::ResourceLimit, "ADZ0720", "out of memory for the memory plan");
    return -1;
  }
}

int64_t hostPlan(adze_host_ctx *ctx, int64_t n, const int64_t *sizes, const int32_t *first,
                 const int32_t *last, int64_t *offsets) {
  Context *c = contextOf(ctx);
  int64_t slab = n <= 0 ? 0 : planOrError(*c->run, n, sizes, first, last, offsets);
  if (slab < 0) leave(c);
  return slab;
}

void hostFail(adze_host_ctx *ctx, int32_t code, const char *message) {
  Context *c = contextOf(ctx);
  record(*c->run, static_cast<ExitCode>(code), "ADZ0730", message ? message : "failed");
  leave(c);
}

int32_t hostCancelled(adze_host_ctx *ctx) {
  Context *c = contextOf(ctx);
  checkCancelled(*c->run);
  if (!c->run->failed.load(std::memory_order_acquire)) return 0;
  leave(c);
  return 1;
}

struct Job {
  Context *outer;
  adze_task_fn task;
  void *env;
  int64_t count, pieces;
  Slice *slices;  ///< one a piece; null: not asked for
};

/// One piece of a parallel loop, in any of the pool's threads.
void runPiece(void *p, size_t i) {
  const Job &job = *static_cast<Job *>(p);
  Run &run = *job.outer->run;
  checkCancelled(run);
  if (run.failed.load(std::memory_order_acquire)) return;
  Context local = *job.outer;
  jmp_buf exit;
  local.exit = &exit;
  local.thread = pthread_self();
  local.worker = true;
  // The first (count mod pieces) pieces have one iteration more.
  int64_t n = static_cast<int64_t>(i), base = job.count / job.pieces, more = job.count % job.pieces;
  int64_t begin = n * base + std::min(n, more);
  int64_t end = begin + base + (n < more ? 1 : 0);
  Slice *slice = job.slices ? &job.slices[i] : nullptr;
  if (slice) *slice = {pthread_self(), nowNs(), 0};
  if (_setjmp(exit) == 0) job.task(&local.abi, job.env, begin, end);
  if (slice) slice->endNs = nowNs();
}

/// Room for the slices of a loop; null where they are not asked for, or there
/// is no memory for them.
Slice *makeSlices(Run &run, size_t count) {
  if (!run.execution.profiler.pieces || run.kernel < 0) return nullptr;
  try {
    run.slices.assign(count, Slice{});
    return run.slices.data();
  } catch (const std::bad_alloc &) {
    return nullptr;
  }
}

/// A small number for a thread, the running one's first.
int64_t threadNumber(Run &run, pthread_t thread) {
  auto at = std::ranges::find_if(run.seen, [&](pthread_t t) { return pthread_equal(t, thread); });
  if (at == run.seen.end()) at = run.seen.insert(at, thread);
  return at - run.seen.begin();
}

void reportSlices(Run &run) {
  const Profiler &p = run.execution.profiler;
  try {
    threadNumber(run, pthread_self());
    for (const Slice &s : run.slices)
      if (s.endNs)
        p.callback(p.user, {run.kernel, threadNumber(run, s.thread), s.beginNs, s.endNs});
  } catch (const std::bad_alloc &) {
    // Without memory the rest is not reported.
  }
}

void hostParallelFor(adze_host_ctx *ctx, adze_task_fn task, void *env, int64_t count,
                     int64_t grain) {
  Context *c = contextOf(ctx);
  if (count <= 0) return;
  ThreadPool &threads = c->run->execution.threads;
  int64_t pieces =
      std::min(count / std::max<int64_t>(grain, 1), threads.threads() * kPiecesPerThread);
  if (c->worker || threads.threads() == 1 || pieces <= 1) {
    task(ctx, env, 0, count);
    return;
  }
  Slice *slices = makeSlices(*c->run, static_cast<size_t>(pieces));
  Job job{c, task, env, count, pieces, slices};
  threads.run(runPiece, &job, static_cast<size_t>(pieces));
  if (slices) reportSlices(*c->run);
  if (c->run->failed.load(std::memory_order_acquire)) leave(c);
}

// ---- profiling

void hostKernelBegin(adze_host_ctx *ctx, int32_t kernel) {
  Context *c = contextOf(ctx);
  Run &run = *c->run;
  if (c->worker || kernel < 0 || size_t(kernel) >= run.kernelBegin.size()) return;
  settle(c);
  run.kernel = kernel;
  if (run.around.device) run.around.device->enterKernel(kernel);
  run.kernelBegin[kernel] = nowNs();
}

/// The count at these extents, or -1.
int64_t countAt(const std::string &text, std::span<const int64_t> extents) {
  try {
    auto count = artifact::Count::parse(text, static_cast<uint32_t>(extents.size()));
    return count ? count->at(extents).value_or(-1) : -1;
  } catch (const std::bad_alloc &) {
    return -1;
  }
}

void hostKernelEnd(adze_host_ctx *ctx, int32_t kernel, const int64_t *extents, int64_t count) {
  Context *c = contextOf(ctx);
  Run &run = *c->run;
  if (c->worker || kernel < 0 || size_t(kernel) >= run.kernelBegin.size()) return;
  settle(c);
  int64_t end = nowNs();
  run.kernel = -1;
  if (run.around.device) run.around.device->enterKernel(-1);
  const Profiler &p = run.execution.profiler;
  if (!p.callback) return;
  const artifact::Kernel &k = run.execution.contents.kernels[kernel];
  std::span<const int64_t> at;
  if (count == k.extents) at = {extents, static_cast<size_t>(count)};
  p.callback(p.user, {kernel, -1, run.kernelBegin[kernel], end, countAt(k.flops, at),
                      countAt(k.bytesRead, at), countAt(k.bytesWritten, at)});
}

void fillContext(Context &c, Run &run, jmp_buf &exit) {
  const void *weights = run.around.weights;
  c.abi.abi_version = ADZE_HOST_ABI_VERSION;
  c.abi.weights = static_cast<const uint8_t *>(weights ? weights : run.scratch);
  const artifact::Section *section = run.execution.contents.find(artifact::SectionKind::Weights);
  c.abi.host_weights = section ? reinterpret_cast<const uint8_t *>(section->bytes().data()) : c.abi.weights;
  c.abi.alloc = hostAlloc;
  c.abi.dealloc = hostDealloc;
  c.abi.slab = hostSlab;
  c.abi.plan = hostPlan;
  c.abi.parallel_for = hostParallelFor;
  c.abi.fail = hostFail;
  c.abi.cancelled = hostCancelled;
  if (run.around.device) fillDevice(c.abi);
  c.run = &run;
  c.exit = &exit;
  c.thread = pthread_self();
  bool followed = run.around.device && run.around.device->followsKernels();
  if (!run.execution.profiler.callback && !followed) return;
  run.kernelBegin.resize(run.execution.contents.kernels.size());
  c.abi.kernel_begin = hostKernelBegin;
  c.abi.kernel_end = hostKernelEnd;
}

/// Memref descriptors of a list of tensors: pointers to them, and their words.
struct Descriptors {
  std::vector<std::vector<int64_t>> words;
  std::vector<void *> pointers;

  adze_memref *add(size_t rank) {
    words.emplace_back(3 + 2 * rank);
    pointers.push_back(words.back().data());
    return reinterpret_cast<adze_memref *>(words.back().data());
  }
};

void describeInput(Descriptors &list, const InputView &in, void *data) {
  size_t rank = in.shape.size();
  adze_memref *m = list.add(rank);
  m->allocated = m->aligned = data;
  int64_t stride = 1;
  for (size_t d = rank; d-- > 0;) {
    m->dims[d] = in.shape[d];
    m->dims[rank + d] = stride;
    stride *= std::max<int64_t>(in.shape[d], 1);
  }
}

/// Descriptors of all inputs, in the memory of who reads them.
bool describeInputs(Descriptors &list, Run &run, Diagnostic &error) {
  for (size_t i = 0; i < run.execution.inputs.size(); ++i) {
    const InputView &in = run.execution.inputs[i];
    void *data = in.data ? in.data : run.scratch;
    if (DeviceQueue *device = run.around.device) {
      // The request has checked that this does not overflow.
      int64_t bytes = *checkedNumElements(in.shape) * artifact::dtypeBytes(in.dtype);
      const std::string &name = run.execution.contents.inputs[i].name;
      std::string what = "input " + printable(name, 80);
      data = in.onDevice && bytes ? device->adopt(data, bytes, what, error)
                                  : device->input(data, bytes, what, error);
      if (!data) return false;
    }
    describeInput(list, in, data);
  }
  return true;
}

/// The frame that generated code leaves to: nothing with a destructor in it.
int32_t callEntry(adze_entry_fn entry, Context &context, jmp_buf &exit, void *const *inputs,
                  void *const *outputs) {
  if (_setjmp(exit) != 0) return -1;
  return entry(&context.abi, inputs, outputs);
}

bool report(const Run &run, int32_t result, Diagnostic &error) {
  if (!run.failed.load(std::memory_order_acquire))
    return failWith(error, ExitCode::Internal, "ADZ0790",
                    "the model's code returned " + std::to_string(result));
  if (!run.device.code.empty()) {
    error = run.device;
    return false;
  }
  std::string message = run.message;
  if (run.detail >= 0) message += " (" + std::to_string(run.detail) + " bytes)";
  return failWith(error, static_cast<ExitCode>(run.code), run.id, std::move(message));
}

bool handOut(const Descriptors &outputs, Run &run, Diagnostic &error) {
  Execution &e = run.execution;
  for (size_t i = 0; i < outputs.words.size(); ++i) {
    const artifact::TensorInfo &info = e.contents.outputs[i];
    const adze_memref *m = reinterpret_cast<const adze_memref *>(outputs.words[i].data());
    size_t rank = info.dims.size();
    OutputView view{{m->dims, rank}, {m->dims + rank, rank}, nullptr, m->allocated};
    view.data =
        static_cast<const char *>(m->aligned) + m->offset * artifact::dtypeBytes(info.dtype);
    DeviceQueue *device = run.around.device;
    if (!device) {
      if (!e.outputs.setOutput(i, view, error)) return false;
      continue;
    }
    if (e.outputs.staysOnDevice(i)) {
      if (!e.outputs.setDeviceOutput(i, view, *device, error)) return false;
      continue;
    }
    if (!fetch(*device, info.dtype, view, e, error)) return false;
    e.pending.push_back({i,
                         {m->dims, m->dims + rank},
                         {m->dims + rank, m->dims + 2 * rank},
                         view.data,
                         view.allocated});
  }
  return true;
}
}  // namespace

bool runEntry(adze_entry_fn entry, const Surroundings &around, Execution &execution,
              Diagnostic &error) {
  Run run(execution, around);
  Context context;
  jmp_buf exit;
  fillContext(context, run, exit);
  Descriptors inputs, outputs;
  if (!describeInputs(inputs, run, error)) return false;
  for (const artifact::TensorInfo &out : execution.contents.outputs) outputs.add(out.dims.size());
  checkCancelled(run);
  int32_t result =
      run.failed ? -1
                 : callEntry(entry, context, exit, inputs.pointers.data(), outputs.pointers.data());
  checkCancelled(run);
  if (result != 0 || run.failed.load(std::memory_order_acquire)) return report(run, result, error);
  return handOut(outputs, run, error);
}

}  // namespace adze::runtime
