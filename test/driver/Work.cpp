// Streams, events, graphs, copies and launches.
#include "test/driver/Driver.h"

#include <algorithm>
#include <cstring>

namespace adze::driver {

namespace {
/// Bytes that a copy reads or writes; null where there are none.
uint8_t *bytesAt(State &s, uint64_t address, uint64_t bytes, bool host) {
  if (host) return reinterpret_cast<uint8_t *>(address);
  ptx::Memory::Allocation *a = s.memory.find(address);
  bool inside = a && bytes <= a->bytes - (address - a->address);
  return inside ? a->data + (address - a->address) : nullptr;
}

Result copyNow(State &s, const Work &w) {
  uint8_t *to = bytesAt(s, w.to, w.bytes, w.toHost),
          *from = bytesAt(s, w.from, w.bytes, w.fromHost);
  if (!to || !from) return kIllegalAddress;
  std::memmove(to, from, w.bytes);
  return kSuccess;
}

/// A module's variables have the same addresses as another's: they take turns.
void placeVariables(State &s, Module *module) {
  if (s.placed == module) return;
  constexpr uint64_t kVariables = uint64_t{1} << 24, kDevice = uint64_t{1} << 32;
  while (const ptx::Memory::Allocation *a = s.memory.nearest(kVariables)) {
    if (a->address >= kDevice) break;
    s.memory.free(a->address);
  }
  s.placed = module;
}

Result resultOf(const ptx::Report &report) {
  using ptx::FindingKind;
  for (const ptx::Finding &f : report.findings) {
    if (f.kind == FindingKind::OutOfBounds || f.kind == FindingKind::ReadOnly)
      return kIllegalAddress;
    if (f.kind == FindingKind::Misaligned) return kMisalignedAddress;
    if (f.kind == FindingKind::Deadlock || f.kind == FindingKind::Livelock) return kLaunchTimeout;
  }
  return report.completed ? kSuccess : kLaunchFailed;
}

Result launchNow(State &s, const Work &w) {
  if (!s.functions.contains(w.function)) return kInvalidHandle;
  placeVariables(s, w.function->module);
  ptx::SourceError error;
  auto report = ptx::launch(*w.function->module->code, w.function->entry->name, w.config,
                            w.parameters, s.memory, error);
  return report ? resultOf(*report) : kInvalidValue;
}

void perform(State &s, const Work &w) {
  if (w.kind == Work::Wait) {
    if (w.other == nullptr || !s.find<Stream>(w.other)) return;  // it did its work when it went
    return drain(s, *w.other, w.upTo);
  }
  if (s.broken) return;
  Result r = w.kind == Work::Copy ? copyNow(s, w) : launchNow(s, w);
  if (r) s.broken = r;
}

Result enqueue(State &s, Stream &stream, Work work) {
  if (stream.capturing) {
    // Pageable memory cannot be part of a graph.
    for (auto [host, address] :
         {std::pair(work.toHost, work.to), std::pair(work.fromHost, work.from)})
      if (host && !s.block(address, work.bytes)) return kCaptureUnsupported;
    stream.capturing->steps.push_back(std::move(work));
    return kSuccess;
  }
  stream.queue.push_back(std::move(work));
  ++stream.added;
  if (s.eager) drain(s, stream, stream.added);
  return kSuccess;
}

Result copy(const char *name, uint64_t to, uint64_t from, size_t bytes, void *handle, bool toHost,
            bool fromHost) {
  return callIn(name, "", static_cast<long long>(bytes), [&](State &s, Context &c) -> Result {
    Stream *stream = streamOf(s, handle, c);
    if (!stream) return kInvalidHandle;
    Work w;
    w.to = to, w.from = from, w.bytes = bytes, w.toHost = toHost, w.fromHost = fromHost;
    if (bytes == 0 || !bytesAt(s, to, bytes, toHost) || !bytesAt(s, from, bytes, fromHost))
      return kInvalidValue;
    return enqueue(s, *stream, std::move(w));
  });
}

Result toDevice(uint64_t to, const void *from, size_t bytes, void *stream) {
  return copy("MemcpyHtoDAsync", to, reinterpret_cast<uint64_t>(from), bytes, stream, false, true);
}
Result toHost(void *to, uint64_t from, size_t bytes, void *stream) {
  return copy("MemcpyDtoHAsync", reinterpret_cast<uint64_t>(to), from, bytes, stream, true, false);
}
Result onDevice(uint64_t to, uint64_t from, size_t bytes, void *stream) {
  return copy("MemcpyDtoDAsync", to, from, bytes, stream, false, false);
}

/// Whether the function takes blocks of this shape.
bool takes(const Function &f, const ptx::LaunchConfig &c) {
  const uint32_t threads[] = {c.block.x, c.block.y, c.block.z};
  uint64_t count = 1, most = 1024;
  const uint32_t *bound = f.entry->maxThreads;
  if (bound[0]) most = uint64_t{bound[0]} * std::max(bound[1], 1u) * std::max(bound[2], 1u);
  for (uint32_t t : threads) count *= t;
  const uint32_t *exact = f.entry->requiredThreads;
  if (exact[0] && !std::equal(threads, threads + 3, exact)) return false;
  return c.grid.x && c.grid.y && c.grid.z && count > 0 && count <= most &&
         c.dynamicShared <= f.mostShared;
}

Result launch(Function *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
              unsigned bz, unsigned shared, void *handle, void **arguments, void **extra) {
  return callIn("LaunchKernel", f && f->entry ? f->entry->name : "", gx,
                [&](State &s, Context &c) -> Result {
                  Stream *stream = streamOf(s, handle, c);
                  if (!stream || !s.functions.contains(f)) return kInvalidHandle;
                  Work w;
                  w.kind = Work::Launch, w.function = f;
                  w.config.grid = {gx, gy, gz}, w.config.block = {bx, by, bz};
                  w.config.dynamicShared = shared, w.config.check = false;
                  if (extra || !takes(*f, w.config)) return kInvalidValue;
                  w.parameters.resize(f->entry->parameterBytes);
                  for (size_t i = 0; i < f->entry->parameters.size(); ++i) {
                    const ptx::Parameter &p = f->entry->parameters[i];
                    std::memcpy(&w.parameters[p.offset], arguments[i], p.bytes);
                  }
                  return enqueue(s, *stream, std::move(w));
                });
}

// ---- streams and events

Result streamCreate(Stream **out, unsigned flags) {
  return callIn("StreamCreate", "", flags, [&](State &s, Context &c) -> Result {
    if (flags != 1) return kInvalidValue;  // no other waits for the legacy stream's work here
    auto stream = std::make_unique<Stream>();
    stream->context = &c;
    *out = s.add(std::move(stream));
    return kSuccess;
  });
}

Result streamDestroy(Stream *stream) {
  auto give = [&](State &s, Context &) -> Result {
    if (!s.find<Stream>(stream)) return kInvalidHandle;
    drain(s, *stream, stream->added);
    s.objects.erase(stream);
    return kSuccess;
  };
  return callIn("StreamDestroy", "", 0, give, true);
}

Result streamSynchronize(void *handle) {
  State &s = state();
  std::lock_guard lock(s.mutex);
  Context *c = currentContext();
  Stream *stream = c ? streamOf(s, handle, *c) : nullptr;
  long long waiting = stream ? static_cast<long long>(stream->queue.size()) : -1;
  return callIn("StreamSynchronize", "", waiting, [&](State &, Context &) -> Result {
    if (!stream) return kInvalidHandle;
    if (stream->capturing) return kCaptureUnsupported;
    drain(s, *stream, stream->added);
    return kSuccess;
  });
}

Result contextSynchronize() {
  return callIn("CtxSynchronize", "", 0, [&](State &s, Context &c) {
    for (auto &[device, stream] : s.legacy)
      if (device == c.device) drain(s, *stream, stream->added);
    for (auto &[handle, object] : s.objects)
      if (auto *stream = dynamic_cast<Stream *>(object.get()); stream && stream->context == &c)
        drain(s, *stream, stream->added);
    return kSuccess;
  });
}

Result streamContext(void *handle, Context **out) {
  return callIn("StreamGetCtx", "", 0, [&](State &s, Context &c) -> Result {
    Stream *stream = streamOf(s, handle, c);
    if (!stream) return kInvalidHandle;
    *out = stream->context;
    return kSuccess;
  });
}

Result eventCreate(Event **out, unsigned flags) {
  return callIn("EventCreate", "", flags, [&](State &s, Context &) {
    *out = s.add(std::make_unique<Event>());
    return kSuccess;
  });
}

Result eventDestroy(Event *event) {
  auto give = [&](State &s, Context &) -> Result {
    return s.find<Event>(event) ? s.objects.erase(event), kSuccess : kInvalidHandle;
  };
  return callIn("EventDestroy", "", 0, give, true);
}

Result eventRecord(Event *event, void *handle) {
  return callIn("EventRecord", "", 0, [&](State &s, Context &c) -> Result {
    Stream *stream = streamOf(s, handle, c);
    if (!s.find<Event>(event) || !stream) return kInvalidHandle;
    if (stream->capturing) return kCaptureUnsupported;
    event->stream = stream, event->upTo = stream->added;
    return kSuccess;
  });
}

Result eventSynchronize(Event *event) {
  return callIn("EventSynchronize", "", 0, [&](State &s, Context &) -> Result {
    if (!s.find<Event>(event)) return kInvalidHandle;
    Work wait;
    wait.kind = Work::Wait, wait.other = event->stream, wait.upTo = event->upTo;
    perform(s, wait);
    return kSuccess;
  });
}

Result streamWait(void *handle, Event *event, unsigned flags) {
  return callIn("StreamWaitEvent", "", flags, [&](State &s, Context &c) -> Result {
    Stream *stream = streamOf(s, handle, c);
    if (!stream || !s.find<Event>(event)) return kInvalidHandle;
    if (stream->capturing) return kCaptureUnsupported;
    Work wait;
    wait.kind = Work::Wait, wait.other = event->stream, wait.upTo = event->upTo;
    return enqueue(s, *stream, std::move(wait));
  });
}

// ---- graphs

Result beginCapture(Stream *stream, int mode) {
  return callIn("StreamBeginCapture", "", mode, [&](State &s, Context &) -> Result {
    if (!s.find<Stream>(stream)) return kCaptureUnsupported;  // nor the legacy stream
    if (stream->capturing) return kInvalidValue;
    stream->capturing = std::make_unique<Graph>();
    return kSuccess;
  });
}

Result endCapture(Stream *stream, Graph **out) {
  std::unique_ptr<Graph> graph;
  State &s = state();
  std::lock_guard lock(s.mutex);
  if (!s.find<Stream>(stream) || !stream->capturing) return kInvalidHandle;
  graph = std::move(stream->capturing);
  auto steps = static_cast<long long>(graph->steps.size());
  return callIn("StreamEndCapture", "", steps, [&](State &, Context &) {
    *out = s.add(std::move(graph));
    return kSuccess;
  });
}

Result instantiate(Graph **out, Graph *graph, unsigned long long flags) {
  return callIn("GraphInstantiateWithFlags", "", static_cast<long long>(flags),
                [&](State &s, Context &) -> Result {
                  if (!s.find<Graph>(graph) || graph->executable) return kInvalidHandle;
                  auto made = std::make_unique<Graph>();
                  made->executable = true, made->steps = graph->steps;
                  *out = s.add(std::move(made));
                  return kSuccess;
                });
}

Result graphLaunch(Graph *graph, void *handle) {
  State &s = state();
  std::lock_guard lock(s.mutex);
  bool known = s.find<Graph>(graph) && graph->executable;
  long long steps = known ? static_cast<long long>(graph->steps.size()) : -1;
  return callIn("GraphLaunch", "", steps, [&](State &, Context &c) -> Result {
    Stream *stream = streamOf(s, handle, c);
    if (!known || !stream) return kInvalidHandle;
    Result r = kSuccess;
    for (size_t i = 0; i < graph->steps.size() && !r; ++i) r = enqueue(s, *stream, graph->steps[i]);
    return r;
  });
}

Result graphDestroy(const char *name, Graph *graph, bool executable) {
  return call(name, "", 0, [&](State &s) -> Result {
    if (!s.find<Graph>(graph) || graph->executable != executable) return kInvalidHandle;
    s.objects.erase(graph);
    return kSuccess;
  });
}
Result destroyGraph(Graph *graph) { return graphDestroy("GraphDestroy", graph, false); }
Result destroyExecutable(Graph *graph) { return graphDestroy("GraphExecDestroy", graph, true); }
}  // namespace

/// Null, and 1 and 2, are the default streams.
Stream *streamOf(State &s, void *handle, Context &c) {
  if (reinterpret_cast<uint64_t>(handle) > 2) return s.find<Stream>(handle);
  std::unique_ptr<Stream> &stream = s.legacy[c.device];
  if (!stream) stream = std::make_unique<Stream>();
  stream->context = &c;
  return stream.get();
}

void drain(State &s, Stream &stream, uint64_t upTo) {
  while (stream.done < upTo && !stream.queue.empty()) {
    Work w = std::move(stream.queue.front());
    stream.queue.pop_front();
    ++stream.done;
    perform(s, w);
  }
}

std::vector<Row> workRows() {
  return {{"cuMemcpyHtoDAsync", 3020, addressOf(toDevice)},
          {"cuMemcpyDtoHAsync", 3020, addressOf(toHost)},
          {"cuMemcpyDtoDAsync", 3020, addressOf(onDevice)},
          {"cuLaunchKernel", 4000, addressOf(launch)},
          {"cuStreamCreate", 2000, addressOf(streamCreate)},
          {"cuStreamDestroy", 4000, addressOf(streamDestroy)},
          {"cuStreamSynchronize", 2000, addressOf(streamSynchronize)},
          {"cuStreamGetCtx", 9020, addressOf(streamContext)},
          {"cuStreamWaitEvent", 3020, addressOf(streamWait)},
          {"cuCtxSynchronize", 2000, addressOf(contextSynchronize)},
          {"cuEventCreate", 2000, addressOf(eventCreate)},
          {"cuEventDestroy", 4000, addressOf(eventDestroy)},
          {"cuEventRecord", 2000, addressOf(eventRecord)},
          {"cuEventSynchronize", 2000, addressOf(eventSynchronize)},
          {"cuStreamBeginCapture", 10010, addressOf(beginCapture)},
          {"cuStreamEndCapture", 10000, addressOf(endCapture)},
          {"cuGraphInstantiateWithFlags", 11040, addressOf(instantiate)},
          {"cuGraphLaunch", 10000, addressOf(graphLaunch)},
          {"cuGraphDestroy", 10000, addressOf(destroyGraph)},
          {"cuGraphExecDestroy", 10000, addressOf(destroyExecutable)}};
}

}  // namespace adze::driver
