#include "lib/Runtime/Request.h"

#include "lib/Runtime/Tensor.h"
#include "lib/Support/Checked.h"

#include <algorithm>
#include <cstring>

namespace adze::runtime {

namespace {
using artifact::Dim;
using artifact::TensorInfo;

bool invalid(Diagnostic &error, const char *code, std::string message, std::string help = {}) {
  return failWith(error, ExitCode::InvalidModel, code, std::move(message), std::move(help));
}

std::string inputName(const TensorInfo &info) { return "input '" + printable(info.name, 80) + "'"; }

bool checkIndex(const char *what, size_t index, size_t count, Diagnostic &error) {
  if (index < count) return true;
  return failWith(error, ExitCode::Usage, "ADZ0702",
                  std::string(what) + " " + std::to_string(index) +
                      " does not exist; the model has " + std::to_string(count));
}

/// dtype, rank and fixed extents against the signature.
bool checkType(const TensorInfo &info, const TensorRef &t, Diagnostic &error) {
  auto mismatch = [&](const char *code) {
    return invalid(
        error, code,
        inputName(info) + " must be " + typeText(info) + ", not " + typeText(t.dtype, t.shape));
  };
  if (t.dtype != info.dtype) return mismatch("ADZ0703");
  if (t.shape.size() != info.dims.size()) return mismatch("ADZ0704");
  for (size_t d = 0; d < t.shape.size(); ++d) {
    if (t.shape[d] < 0)
      return invalid(error, "ADZ0707",
                     inputName(info) + " has a negative extent: " + typeText(t.dtype, t.shape));
    if (!info.dims[d].takes(t.shape[d])) return mismatch("ADZ0705");
  }
  return true;
}

/// Total bytes of the elements, or -1 and `error`.
int64_t elementBytesOf(const TensorInfo &info, std::span<const int64_t> shape, Diagnostic &error) {
  auto count = checkedNumElements(shape);
  auto bytes = count ? checkedMul(*count, artifact::dtypeBytes(info.dtype)) : std::nullopt;
  if (bytes) return *bytes;
  invalid(error, "ADZ0707",
          inputName(info) + " has too many elements: " + typeText(info.dtype, shape));
  return -1;
}

/// The memory behind the tensor is there and large enough.
bool checkMemory(const TensorInfo &info, const TensorRef &t, int64_t bytes, Diagnostic &error) {
  if (bytes == 0) return true;
  if (!t.data) return invalid(error, "ADZ0708", inputName(info) + " has no data (null pointer)");
  ByteRange range{0, bytes};
  if (t.strides) {
    auto touched =
        touchedBytes(t.shape, {t.strides, t.shape.size()}, artifact::dtypeBytes(info.dtype));
    if (!touched)
      return invalid(error, "ADZ0707", inputName(info) + " has strides that are too large");
    range = *touched;
  }
  // With negative strides data points into the middle: only the size of the
  // whole can be compared then.
  if (t.bytes && static_cast<uint64_t>(range.high - range.low) > t.bytes)
    return invalid(error, "ADZ0708",
                   inputName(info) + " needs " + std::to_string(range.high - range.low) +
                       " bytes, but its memory has " + std::to_string(t.bytes));
  return true;
}
}  // namespace

Request::Request(std::shared_ptr<const Model> model, int64_t memoryLimit, int64_t timeoutMs)
    : model_(std::move(model)),
      timeoutMs_(timeoutMs),
      blocks_(budget_, model_->module().blockMemory()),
      inputs_(model_->contents().inputs.size()),
      outputs_(model_->contents().outputs.size()) {
  budget_.setLimit(memoryLimit);
}

Request::~Request() {
  queue_.reset();  // waits for what may still use the inputs
  dropOutputs();
  for (Input &in : inputs_)
    if (in.owner) in.owner();
}

bool Request::inOtherThread(Diagnostic &error) const {
  return failWith(error, ExitCode::Usage, "ADZ0710", "the request is running in another thread",
                  "make one request for each thread");
}

bool Request::notWaitedFor(Diagnostic &error) const {
  return failWith(error, ExitCode::Usage, "ADZ0710",
                  "the request was started and has not been waited for",
                  "call adze_request_wait first");
}

bool Request::busy(Diagnostic &error) const {
  if (running_) return !inOtherThread(error);
  return started_ && !notWaitedFor(error);
}

bool Request::setInput(size_t index, const TensorRef &t, std::function<void()> owner,
                       Diagnostic &error) {
  if (busy(error) || !checkIndex("input", index, inputs_.size(), error)) return false;
  const TensorInfo &info = contents().inputs[index];
  if (!checkType(info, t, error)) return false;
  int64_t bytes = elementBytesOf(info, t.shape, error);
  if (bytes < 0 || !checkMemory(info, t, bytes, error)) return false;
  bool rowMajor = !t.strides || isRowMajor(t.shape, {t.strides, t.shape.size()});
  if (t.onDevice) {
    if (!needsDevice(inputName(info), error)) return false;
    if (!rowMajor)
      return failWith(error, ExitCode::Unsupported, "ADZ0714",
                      inputName(info) + " is strided, which in a GPU's memory it cannot be",
                      "make it contiguous");
    if (bytes > 0 &&
        !deviceMemory()->holds(t.data, bytes, inputName(info), error))
      return false;
  }
  Input next;
  next.set = true;
  next.shape.assign(t.shape.begin(), t.shape.end());
  if (t.strides) next.strides.assign(t.strides, t.strides + t.shape.size());
  next.rowMajor = rowMajor;
  next.onDevice = t.onDevice;
  next.data = t.data;
  next.bytes = bytes;
  next.owner = std::move(owner);
  std::swap(inputs_[index], next);
  if (!next.owner) return true;
  // On a stream of the caller's, what the owner does comes after what runs have left.
  Diagnostic later;  // whoever waits for the results hears of it
  if (queue_ && !stream_) queue_->settle(later);
  next.owner();
  return true;
}

bool Request::needsDevice(const std::string &what, Diagnostic &error) const {
  return deviceMemory() ||
         failWith(error, ExitCode::Unsupported, "ADZ0714",
                  what + " is on a GPU, and this model is not", "load it for the device 'cuda'");
}

bool Request::placeOutput(size_t index, bool onDevice, void *data, size_t bytes,
                          Diagnostic &error) {
  if (busy(error) || !checkIndex("output", index, outputs_.size(), error)) return false;
  std::string name = "output '" + printable(contents().outputs[index].name, 80) + "'";
  if (onDevice && !needsDevice(name, error)) return false;
  if (onDevice && data && bytes > 0 &&
      !deviceMemory()->holds(data, static_cast<int64_t>(bytes), name, error))
    return false;
  Output &out = outputs_[index];
  out.bound = data;
  out.boundBytes = data ? bytes : 0;
  out.onDevice = onDevice;
  return true;
}

bool Request::setStream(void *stream, Diagnostic &error) {
  if (busy(error) || (stream && !needsDevice("the stream", error))) return false;
  stream_ = stream;
  return true;
}

bool Request::setProfiler(Profiler profiler, Diagnostic &error) {
  if (busy(error)) return false;
  profiler_ = profiler;
  return true;
}

bool Request::setEmulation(Emulation emulation, Diagnostic &error) {
  if (busy(error)) return false;
  emulation_ = emulation;
  return true;
}

bool Request::checkInputs(Diagnostic &error) const {
  struct Binding {
    const std::string *symbol;
    int64_t extent;
    const TensorInfo *input;
  };
  std::vector<Binding> bindings;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const TensorInfo &info = contents().inputs[i];
    if (!inputs_[i].set) return invalid(error, "ADZ0709", inputName(info) + " is not set");
    for (size_t d = 0; d < info.dims.size(); ++d) {
      const Dim &dim = info.dims[d];
      if (dim.symbol.empty()) continue;
      int64_t extent = inputs_[i].shape[d];
      auto known =
          std::ranges::find_if(bindings, [&](const Binding &b) { return *b.symbol == dim.symbol; });
      if (known == bindings.end())
        bindings.push_back({&dim.symbol, extent, &info});
      else if (known->extent != extent)
        return invalid(error, "ADZ0706",
                       inputName(info) + " has " + printable(dim.symbol, 40) + " = " +
                           std::to_string(extent) + ", but " + inputName(*known->input) + " has " +
                           std::to_string(known->extent));
    }
  }
  return true;
}

/// Inputs as devices take them; those that are not contiguous and aligned are
/// copied into blocks of the run.
bool Request::viewInputs(std::vector<InputView> &views, Diagnostic &error) {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const Input &in = inputs_[i];
    const TensorInfo &info = contents().inputs[i];
    InputView view{info.dtype, in.shape, in.data, in.onDevice};
    bool aligned = reinterpret_cast<uintptr_t>(in.data) % model_->module().inputAlignment() == 0;
    if (in.bytes > 0 && !in.onDevice && (!aligned || !in.rowMajor)) {
      Block *copy = blocks_.allocate(in.bytes);
      if (!copy)
        return failWith(error, ExitCode::ResourceLimit, "ADZ0720",
                        "out of memory for a copy of " + inputName(info) + " (" +
                            std::to_string(in.bytes) + " bytes)");
      view.data = copy->payload();
      if (in.rowMajor)
        std::memcpy(view.data, in.data, static_cast<size_t>(in.bytes));
      else
        copyStrided(in.shape, in.strides, artifact::dtypeBytes(info.dtype), in.data, view.data);
    }
    views.push_back(view);
  }
  return true;
}

void Request::dropOutputs() {
  for (Output &out : outputs_) {
    if (out.block) blocks_.giveBack(out.block);
    if (out.resident && queue_) queue_->giveBack(std::move(out.resident));
    out.resident.reset();
    out.block = nullptr;
    out.data = nullptr;
    out.valid = false;
  }
}

/// Shape and bytes, against the memory bound to it.
bool Request::describeOutput(size_t index, const OutputView &view, Diagnostic &error) {
  const TensorInfo &info = contents().outputs[index];
  Output &out = outputs_[index];
  int64_t element = artifact::dtypeBytes(info.dtype);
  std::string name = "output '" + printable(info.name, 80) + "'";
  auto count = checkedNumElements(view.shape);
  auto bytes = count ? checkedMul(*count, element) : std::nullopt;
  if (!bytes || (*bytes > 0 && !view.data))
    return failWith(error, ExitCode::Internal, "ADZ0790",
                    name + " came back broken: " + typeText(info.dtype, view.shape));
  out.shape.assign(view.shape.begin(), view.shape.end());
  out.bytes = *bytes;
  if (out.bound && static_cast<uint64_t>(*bytes) > out.boundBytes)
    return invalid(error, "ADZ0712",
                   name + " is " + typeText(info.dtype, out.shape) + " and needs " +
                       std::to_string(*bytes) + " bytes, but the memory bound to it has " +
                       std::to_string(out.boundBytes));
  out.data = out.bound;
  out.isOnDevice = out.onDevice;
  return true;
}

bool Request::setOutput(size_t index, const OutputView &view, Diagnostic &error) {
  if (!describeOutput(index, view, error)) return false;
  const TensorInfo &info = contents().outputs[index];
  Output &out = outputs_[index];
  bool rowMajor = isRowMajor(view.shape, view.strides);
  if (!out.bound && rowMajor && out.bytes > 0 && (out.block = blocks_.detach(view.allocated))) {
    // The code's own allocation becomes the result.
    out.data = const_cast<void *>(view.data);
  } else {
    if (!out.bound) {
      Block *b = blocks_.allocate(out.bytes);
      if (!b)
        return failWith(error, ExitCode::ResourceLimit, "ADZ0720",
                        "out of memory for output '" + printable(info.name, 80) + "' (" +
                            std::to_string(out.bytes) + " bytes)");
      out.block = blocks_.detach(b->payload());
      out.data = out.block->payload();
    }
    if (out.bytes > 0)
      copyStrided(view.shape, view.strides, artifact::dtypeBytes(info.dtype), view.data, out.data);
  }
  out.valid = true;
  return true;
}

bool Request::setDeviceOutput(size_t index, const OutputView &view, DeviceQueue &queue,
                              Diagnostic &error) {
  if (!describeOutput(index, view, error)) return false;
  Output &out = outputs_[index];
  int64_t element = artifact::dtypeBytes(contents().outputs[index].dtype);
  bool rowMajor = isRowMajor(view.shape, view.strides);
  if (!out.bound && rowMajor && out.bytes > 0 && (out.resident = queue.detach(view.allocated))) {
    // The code's own allocation becomes the result.
    out.data = const_cast<void *>(view.data);
  } else {
    if (!out.bound) {
      void *p = queue.allocate(out.bytes, error);
      if (!p) return false;
      out.resident = queue.detach(p);
      out.data = p;
    }
    if (out.bytes > 0 && !(rowMajor ? queue.copy(out.data, view.data, out.bytes, error)
                                    : compactOnDevice(view, element, out.data, queue, error)))
      return false;
  }
  out.valid = true;
  return true;
}

/// Copies strided elements to row-major ones, by way of the host.
bool Request::compactOnDevice(const OutputView &view, int64_t element, void *to,
                              DeviceQueue &queue, Diagnostic &error) {
  auto touched = touchedBytes(view.shape, view.strides, element);
  int64_t bytes = *checkedNumElements(view.shape) * element;  // describeOutput has checked it
  int64_t range = touched ? touched->high - touched->low : 0;
  Block *from = touched ? blocks_.allocate(range) : nullptr;
  Block *compact = from ? blocks_.allocate(bytes) : nullptr;
  if (!compact)
    return failWith(error, ExitCode::ResourceLimit, "ADZ0720",
                    "out of memory for a result (" + std::to_string(range) + " bytes)");
  const char *low = static_cast<const char *>(view.data) + touched->low;
  if (!queue.download(from->payload(), low, range, true, error)) return false;
  copyStrided(view.shape, view.strides, element,
              static_cast<char *>(from->payload()) - touched->low, compact->payload());
  return queue.upload(to, compact->payload(), bytes, error);
}

bool Request::allOnDevice() const {
  return std::ranges::all_of(inputs_, [](const Input &i) { return i.onDevice || !i.bytes; }) &&
         std::ranges::all_of(outputs_, &Output::onDevice);
}

/// f() while no other thread can run the request.
template <typename F>
bool Request::exclusively(F f, Diagnostic &error) {
  if (running_.exchange(true)) return inOtherThread(error);
  struct Finish {
    std::atomic<bool> &running;
    ~Finish() { running = false; }
  } finish{running_};
  return f();
}

bool Request::run(Diagnostic &error) {
  return exclusively([&] { return startLocked(error) && waitLocked(error); }, error);
}

bool Request::start(Diagnostic &error) {
  auto begin = [&] { return startLocked(error) && (!allOnDevice() || leaveLocked(error)); };
  return exclusively(begin, error);
}

bool Request::wait(Diagnostic &error) {
  return exclusively([&] { return waitLocked(error); }, error);
}

Execution Request::execution(std::span<const InputView> views) {
  return {contents(), views,  *this,    blocks_,    arena_,  plans_, model_->threads(),
          budget_,    queue_, pending_, cancelled_, stream_, 0,      profiler_,
          emulation_};
}

void Request::endRun(bool ok) {
  pending_.clear();
  blocks_.endRun();
  if (!ok) dropOutputs();
}

bool Request::startLocked(Diagnostic &error) {
  if (started_) return notWaitedFor(error);
  if (!closed_) cancelled_ = false;
  dropOutputs();
  budget_.resetPeak();
  // Ends the run on every way out, exceptions included.
  struct Unless {
    Request &r;
    ~Unless() {
      if (!r.started_) r.endRun(false);
    }
  } unless{*this};
  std::vector<InputView> views;
  if (!checkInputs(error) || !viewInputs(views, error)) return false;
  Execution e = execution(views);
  if (timeoutMs_ > 0) {
    auto ns = checkedMul(timeoutMs_, 1'000'000);
    auto deadline = ns ? checkedAdd(nowNs(), *ns) : std::nullopt;
    e.deadlineNs = deadline.value_or(0);
  }
  started_ = model_->module().run(e, error);
  return started_;
}

/// Ends the run whichever way f() goes.
template <typename F>
bool Request::ending(F f) {
  struct End {
    Request &r;
    bool ok = false;
    ~End() {
      r.started_ = false;
      r.endRun(ok);
    }
  } end{*this};
  end.ok = f();
  return end.ok;
}

bool Request::waitLocked(Diagnostic &error) {
  if (!started_) return !queue_ || queue_->settle(error);
  Execution e = execution({});
  return ending([&] { return model_->module().finish(e, error); });
}

bool Request::leaveLocked(Diagnostic &error) {
  Execution e = execution({});
  return ending([&] { return model_->module().leave(e, error); });
}

bool Request::result(size_t index, Result &out, Diagnostic &error) const {
  if (busy(error) || !checkIndex("output", index, outputs_.size(), error)) return false;
  const Output &o = outputs_[index];
  const TensorInfo &info = contents().outputs[index];
  if (!o.valid)
    return failWith(error, ExitCode::Usage, "ADZ0711",
                    "output '" + printable(info.name, 80) + "' is not there: no run has succeeded",
                    "run the request first");
  out = {info.dtype, o.shape, o.data, static_cast<size_t>(o.bytes), o.isOnDevice};
  return true;
}

bool Request::shareResult(size_t index, Share &share, Diagnostic &error) {
  Result r;
  if (!result(index, r, error)) return false;
  const Output &out = outputs_[index];
  if (!out.block && !out.resident)
    return failWith(
        error, ExitCode::Usage, "ADZ0711",
        "output '" + printable(contents().outputs[index].name, 80) + "' is in memory of the caller",
        "use that memory, or unbind the output before the run");
  if (out.block) out.block->references.fetch_add(1, std::memory_order_relaxed);
  share = {out.block, out.resident};
  return true;
}

}  // namespace adze::runtime
