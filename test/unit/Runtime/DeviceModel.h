// The model of device_fixture.c, on any device: one request and its inputs.
#pragma once
#include "adze/adze_rt.hpp"
#include "lib/Artifact/Artifact.h"

#include "catch2/catch.hpp"

#include <functional>
#include <string>
#include <vector>

namespace adze::device_test {

enum Mode {
  kNormal,
  kRunOver,
  kWriteNothing,
  kSharedMemory,
  kTensorMap,
  kAllocTooMuch,
  kAllocNegative,
  kForget,
  kNoBlocks,
  kNoSuchKernel,
  kTooManyThreads,
  kCopies,
  kSpin,
  kReadOutside,
  kWriteInput,
  kFail,
  kBadMap,
  kCopyNegative,
  kSlabTooMuch,
  kUseAfterFree,
};

/// f()'s error: "ADZ0746: message", with the hint behind; "" when there is none.
inline std::string failure(const std::function<void()> &f) {
  try {
    f();
    return "";
  } catch (const rt::Error &e) {
    return e.id() + ": " + e.what() + (e.hint().empty() ? "" : " / " + e.hint());
  }
}

inline bool contains(const std::string &text, const std::string &part) {
  INFO(part << " in " << text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

/// The fixture's bytes with its header changed; they must outlive the model.
inline std::vector<std::byte> changed(const std::function<void(artifact::Contents &)> &change) {
  Diagnostic error;
  auto a = artifact::Artifact::open(ADZE_DEVICE_FIXTURE, error);
  REQUIRE(a);
  artifact::Contents c = a->contents();
  change(c);
  auto bytes = artifact::serialize(c, error);
  REQUIRE(bytes);
  return *bytes;
}

struct Runner {
  explicit Runner(const std::string &device, int64_t limit = 0, int64_t timeout = 0)
      : model(ADZE_DEVICE_FIXTURE, 2, device), request(model, limit, timeout) {}
  explicit Runner(rt::Model m) : model(std::move(m)), request(model) {}

  /// x = 0, 1, 2, ...
  std::string run(Mode mode, int64_t n = 200) {
    return failure([&] { set(mode, n), request.run(); });
  }
  std::string start(Mode mode, int64_t n = 200) {
    return failure([&] { set(mode, n), request.start(); });
  }
  void set(Mode mode, int64_t n) {
    std::vector<float> next(static_cast<size_t>(n));
    for (size_t i = 0; i < next.size(); ++i) next[i] = static_cast<float>(i);
    // One that is at work refuses the new input, and keeps the old.
    request.setInput("x", next.data(), {n});
    x = std::move(next);
    this->mode = mode;
    request.setInput("mode", &this->mode, {});
  }

  /// Whether the results are x times `factor`.
  bool right(float factor) const {
    auto y = request.output<float>("y"), same = request.output<float>("same");
    auto even = request.output<float>("even");
    bool ok = y.size == x.size() && same.size == x.size() && even.size == (x.size() + 1) / 2;
    for (size_t i = 0; ok && i < x.size(); ++i)
      ok = y.data[i] == x[i] * factor && same.data[i] == x[i];
    for (size_t i = 0; ok && i < even.size; ++i) ok = even.data[i] == y.data[2 * i];
    return ok;
  }

  adze_host_memory hostMemory() const {
    adze_host_memory v = ADZE_INIT(adze_host_memory);
    rt::check(adze_model_get_host_memory(model.get(), &v));
    return v;
  }

  adze_request_info info() const {
    adze_request_info v = ADZE_INIT(adze_request_info);
    rt::check(adze_request_get_info(request.get(), &v));
    return v;
  }

  rt::Model model;
  rt::Request request;
  std::vector<float> x;
  int32_t mode = 0;
};

}  // namespace adze::device_test
