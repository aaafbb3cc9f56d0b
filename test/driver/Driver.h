// A CUDA driver for machines without a GPU, under the real one's name: device memory and
// kernels are the PTX emulator's. It is stricter than the real one. Only what it made
// itself is taken, and nothing without a current context; memory that is freed is gone
// though work that was enqueued may still want it; what was not given back by the end of
// the process is an error. Work on a stream waits until somebody waits for it, so that
// who forgets to reads old bytes; memory begins as 0xcd.
//
// The environment, read with the first call:
//   ADZE_DRIVER_GPU=sm_90        which GPU; ADZE_DRIVER_GPUS=2: so many of them
//   ADZE_DRIVER_MEMORY=1048576   bytes of each
//   ADZE_DRIVER_VERSION=12000    of the driver
//   ADZE_DRIVER_EAGER=1          work is done when it is enqueued
//   ADZE_DRIVER_FAIL=LaunchKernel:700:2   the call after the next two ends so
//   ADZE_DRIVER_REPORT=FILE      counts of calls, written at the end
#pragma once
#include "lib/PtxEmulator/Emulator.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace adze::driver {

using Result = int;
/// Of CUresult.
enum : Result {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kInvalidDevice = 101,
  kInvalidContext = 201,
  kNoBinaryForGpu = 209,
  kInvalidPtx = 218,
  kUnsupportedPtxVersion = 222,
  kInvalidHandle = 400,
  kNotFound = 500,
  kIllegalAddress = 700,
  kLaunchTimeout = 702,
  kHostMemoryAlreadyRegistered = 712,
  kHostMemoryNotRegistered = 713,
  kMisalignedAddress = 716,
  kLaunchFailed = 719,
  kNotSupported = 801,
  kCaptureUnsupported = 900,
  kInvalidResourceConfiguration = 915,
  kUnknown = 999,
};

struct Object {
  virtual ~Object() = default;
  virtual const char *kind() const = 0;
};

/// A primary context, or that of a green one.
struct Context final : Object {
  const char *kind() const override { return "context"; }
  int device = 0, retained = 0;
};

struct Module final : Object {
  const char *kind() const override { return "module"; }
  std::unique_ptr<ptx::Module> code;
};

/// Goes with its module.
struct Function final {
  Module *module = nullptr;
  const ptx::Entry *entry = nullptr;
  uint32_t staticShared = 0, mostShared = 48 << 10;
};

struct Stream;

struct Work {
  enum Kind { Copy, Launch, Wait } kind = Copy;
  uint64_t to = 0, from = 0, bytes = 0;  ///< of a copy
  bool toHost = false, fromHost = false;
  Function *function = nullptr;
  ptx::LaunchConfig config;
  std::vector<uint8_t> parameters;
  Stream *other = nullptr;  ///< waits for its work up to a number
  uint64_t upTo = 0;
};

struct Graph final : Object {
  const char *kind() const override { return executable ? "executable graph" : "graph"; }
  bool executable = false;
  std::vector<Work> steps;
};

struct Stream final : Object {
  const char *kind() const override { return "stream"; }
  Context *context = nullptr;
  std::deque<Work> queue;
  uint64_t added = 0, done = 0;  ///< pieces of work
  std::unique_ptr<Graph> capturing;
};

struct Event final : Object {
  const char *kind() const override { return "event"; }
  Stream *stream = nullptr;
  uint64_t upTo = 0;
};

struct GreenContext final : Object {
  const char *kind() const override { return "green context"; }
  Context *primary = nullptr;
  unsigned sms = 0;
};

/// Memory of any sort, by its address.
struct Block final : Object {
  enum Where { Device, Managed, Pinned, Registered } where = Device;
  const char *kind() const override {
    static constexpr const char *kNames[] = {"block of device memory", "block of managed memory",
                                             "block of pinned memory", "registered range"};
    return kNames[where];
  }
  int device = 0;
  uint64_t address = 0, bytes = 0;
  std::unique_ptr<uint8_t[]> host;  ///< managed and pinned memory
};

struct Gpu {
  int major = 9, minor = 0, sms = 132, sharedOptin = 227 << 10;
  unsigned smallestPartition = 8, partitionStep = 8;
  uint64_t memory = uint64_t{80} << 30;
};

struct State {
  std::recursive_mutex mutex;
  Gpu gpu;
  int gpus = 1, version = 13000;
  bool eager = false, initialised = false;
  Result broken = kSuccess;  ///< what a kernel did; every later call ends so
  struct {
    char name[40] = "";
    Result result = kSuccess;
    int after = 0;
  } failing;
  char log[1 << 16] = "";
  size_t logEnd = 0;
  std::map<std::string, int, std::less<>> calls;
  std::string report;

  ptx::Memory memory{uint64_t{1} << 46};
  std::map<int, uint64_t> used;  ///< bytes of device memory by device
  Module *placed = nullptr;      ///< whose variables are in memory
  std::map<const void *, std::unique_ptr<Object>> objects;
  std::map<uint64_t, std::unique_ptr<Block>> blocks;
  std::map<int, Context *> primary;  ///< by device
  std::map<const void *, std::unique_ptr<Function>> functions;
  std::map<int, std::unique_ptr<Stream>> legacy;  ///< by device

  template <typename T>
  T *find(const void *handle) {
    auto at = objects.find(handle);
    return at == objects.end() ? nullptr : dynamic_cast<T *>(at->second.get());
  }
  template <typename T>
  T *add(std::unique_ptr<T> object) {
    T *p = object.get();
    objects.emplace(p, std::move(object));
    return p;
  }
  /// The block that holds all of these bytes; null.
  Block *block(uint64_t address, uint64_t bytes);
};

State &state();
/// The thread's current context; null.
Context *currentContext();
Result pushContext(Context *context);
Result popContext(Context **context);

/// Counts and logs a call; not kSuccess where it is to fail.
Result note(State &s, const char *name, std::string_view more, long long number);

/// f(state) of a call, one at a time.
template <typename F>
Result call(const char *name, std::string_view more, long long number, F f) {
  State &s = state();
  std::lock_guard lock(s.mutex);
  try {
    Result r = note(s, name, more, number);
    return r ? r : f(s);
  } catch (const std::bad_alloc &) {
    return kOutOfMemory;
  }
}

/// The same of a call that needs a context. What gives something back does so even when
/// a kernel has broken everything.
template <typename F>
Result callIn(const char *name, std::string_view more, long long number, F f, bool gives = false) {
  return call(name, more, number, [&](State &s) {
    Context *c = currentContext();
    if (!c) return Result{kInvalidContext};
    if (s.broken && !gives) return s.broken;
    Result r = f(s, *c);
    return s.broken ? s.broken : r;
  });
}

/// Work.cpp
Stream *streamOf(State &s, void *handle, Context &c);
/// Does what is enqueued up to a number.
void drain(State &s, Stream &stream, uint64_t upTo);

/// An entry point, and the first CUDA that has it so.
struct Row {
  const char *name;
  int since;
  void *address;
};
/// Each file's.
std::vector<Row> deviceRows();
std::vector<Row> memoryRows();
std::vector<Row> workRows();

template <typename F>
void *addressOf(F *f) {
  return reinterpret_cast<void *>(f);
}

}  // namespace adze::driver
