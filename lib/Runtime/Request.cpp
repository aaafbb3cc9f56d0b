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
  Input next;
  next.set = true;
  next.shape.assign(t.shape.begin(), t.shape.end());
  if (t.strides) next.strides.assign(t.strides, t.strides + t.shape.size());
  next.rowMajor = !t.strides || isRowMajor(next.shape, next.strides);
  next.data = t.data;
  next.bytes = bytes;
  next.owner = std::move(owner);
  std::swap(inputs_[index], next);
  if (next.owner) next.owner();
  return true;
}

bool Request::bindOutput(size_t index, void *data, size_t bytes, Diagnostic &error) {
  if (busy(error) || !checkIndex("output", index, outputs_.size(), error)) return false;
  outputs_[index].bound = data;
  outputs_[index].boundBytes = data ? bytes : 0;
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
    InputView view{info.dtype, in.shape, in.data};
    bool aligned = reinterpret_cast<uintptr_t>(in.data) % model_->module().inputAlignment() == 0;
    if (in.bytes > 0 && (!aligned || !in.rowMajor)) {
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
    out.block = nullptr;
    out.data = nullptr;
    out.valid = false;
  }
}

bool Request::setOutput(size_t index, const OutputView &view, Diagnostic &error) {
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
  bool rowMajor = isRowMajor(view.shape, view.strides);
  out.data = out.bound;
  if (!out.bound && rowMajor && *bytes > 0 && (out.block = blocks_.detach(view.allocated))) {
    // The code's own allocation becomes the result.
    out.data = const_cast<void *>(view.data);
  } else {
    if (!out.bound) {
      Block *b = blocks_.allocate(*bytes);
      if (!b)
        return failWith(error, ExitCode::ResourceLimit, "ADZ0720",
                        "out of memory for " + name + " (" + std::to_string(*bytes) + " bytes)");
      out.block = blocks_.detach(b->payload());
      out.data = out.block->payload();
    }
    if (*bytes > 0) copyStrided(view.shape, view.strides, element, view.data, out.data);
  }
  out.valid = true;
  return true;
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
  return exclusively([&] { return startLocked(error); }, error);
}

bool Request::wait(Diagnostic &error) {
  return exclusively([&] { return waitLocked(error); }, error);
}

Execution Request::execution(std::span<const InputView> views) {
  return {contents(), views,    *this,      blocks_, arena_,    plans_,    model_->threads(), budget_,
          queue_,     pending_, cancelled_, 0,       profiler_, emulation_};
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

bool Request::waitLocked(Diagnostic &error) {
  if (!started_) return true;
  struct End {
    Request &r;
    bool ok = false;
    ~End() {
      r.started_ = false;
      r.endRun(ok);
    }
  } end{*this};
  Execution e = execution({});
  end.ok = model_->module().finish(e, error);
  return end.ok;
}

bool Request::result(size_t index, Result &out, Diagnostic &error) const {
  if (busy(error) || !checkIndex("output", index, outputs_.size(), error)) return false;
  const Output &o = outputs_[index];
  const TensorInfo &info = contents().outputs[index];
  if (!o.valid)
    return failWith(error, ExitCode::Usage, "ADZ0711",
                    "output '" + printable(info.name, 80) + "' is not there: no run has succeeded",
                    "run the request first");
  out = {info.dtype, o.shape, o.data, static_cast<size_t>(o.bytes)};
  return true;
}

Block *Request::shareResult(size_t index, Diagnostic &error) {
  Result r;
  if (!result(index, r, error)) return nullptr;
  Block *b = outputs_[index].block;
  if (!b) {
    failWith(
        error, ExitCode::Usage, "ADZ0711",
        "output '" + printable(contents().outputs[index].name, 80) + "' is in memory of the caller",
        "use that memory, or unbind the output before the run");
    return nullptr;
  }
  b->references.fetch_add(1, std::memory_order_relaxed);
  return b;
}

}  // namespace adze::runtime
