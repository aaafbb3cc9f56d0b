// How the driver is found and told what to be, and what it says at the end.
#include "test/driver/Driver.h"

#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace adze::driver {

namespace {
struct Chip {
  const char *name;
  Gpu gpu;
};
constexpr Chip kChips[] = {
    {"sm_70", {7, 0, 80, 96 << 10, 2, 2, uint64_t{16} << 30}},
    {"sm_75", {7, 5, 40, 64 << 10, 2, 2, uint64_t{16} << 30}},
    {"sm_80", {8, 0, 108, 163 << 10, 4, 2, uint64_t{80} << 30}},
    {"sm_86", {8, 6, 84, 99 << 10, 4, 2, uint64_t{24} << 30}},
    {"sm_89", {8, 9, 128, 99 << 10, 4, 2, uint64_t{24} << 30}},
    {"sm_90", {9, 0, 132, 227 << 10, 8, 8, uint64_t{80} << 30}},
    {"sm_100", {10, 0, 148, 227 << 10, 8, 8, uint64_t{180} << 30}},
};

Gpu chip(int major, int minor) {
  for (const Chip &c : kChips)
    if (c.gpu.major == major && c.gpu.minor == minor) return c.gpu;
  Gpu other;
  other.major = major, other.minor = minor;
  return other;
}

int64_t numberOf(std::string_view text, int64_t otherwise) {
  int64_t n = 0;
  auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), n);
  return bad == std::errc() ? n : otherwise;
}

std::string_view variable(const char *name) {
  const char *text = std::getenv(name);
  return text ? text : "";
}

void failNext(State &s, const char *name, Result result, int after) {
  std::snprintf(s.failing.name, sizeof s.failing.name, "%s", name);
  s.failing.result = result, s.failing.after = after;
}

void readEnvironment(State &s) {
  if (auto name = variable("ADZE_DRIVER_GPU"); !name.empty())
    for (const Chip &c : kChips)
      if (c.name == name) s.gpu = c.gpu;
  s.gpus = static_cast<int>(numberOf(variable("ADZE_DRIVER_GPUS"), 1));
  s.gpu.memory = static_cast<uint64_t>(
      numberOf(variable("ADZE_DRIVER_MEMORY"), static_cast<int64_t>(s.gpu.memory)));
  s.version = static_cast<int>(numberOf(variable("ADZE_DRIVER_VERSION"), s.version));
  s.eager = variable("ADZE_DRIVER_EAGER") == "1";
  s.report = variable("ADZE_DRIVER_REPORT");
  // NAME:RESULT:AFTER
  std::string_view fail = variable("ADZE_DRIVER_FAIL");
  size_t first = fail.find(':'), second = fail.find(':', first + 1);
  if (second != fail.npos)
    failNext(s, std::string(fail.substr(0, first)).c_str(),
             static_cast<Result>(numberOf(fail.substr(first + 1), 0)),
             static_cast<int>(numberOf(fail.substr(second + 1), 0)));
}

/// "3 blocks of device memory, 1 stream"; "" when all was given back.
std::string left(State &s) {
  std::map<std::string, int> counts;
  for (const auto &[handle, object] : s.objects) ++counts[object->kind()];
  for (const auto &[address, block] : s.blocks) ++counts[block->kind()];
  std::string text;
  for (const auto &[kind, count] : counts)
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " × " + kind;
  return text;
}

void writeReport(State &s) {
  FILE *file = std::fopen(s.report.c_str(), "w");
  if (!file) return;
  for (const auto &[name, count] : s.calls) std::fprintf(file, "%s %d\n", name.c_str(), count);
  std::fprintf(file, "log:\n%s", s.log);
  std::fclose(file);
}

/// At the end of the process that loaded it; not in a child that never called.
[[gnu::destructor]] void finish() {
  State &s = state();
  if (!s.report.empty()) writeReport(s);
  std::string kept = left(s);
  if (kept.empty()) return;
  std::fprintf(stderr, "the tests' CUDA driver: not given back: %s\n", kept.c_str());
  std::fflush(nullptr);
  ::_exit(99);
}
}  // namespace

State &state() {
  // Never destroyed: calls may come until the very end.
  static State &s = []() -> State & {
    auto *made = new State;
    readEnvironment(*made);
    return *made;
  }();
  return s;
}

Result note(State &s, const char *name, std::string_view more, long long number) {
  size_t room = sizeof s.log - s.logEnd;
  int n = std::snprintf(s.log + s.logEnd, room, "%s%s%.*s %lld\n", name, more.empty() ? "" : " ",
                        static_cast<int>(more.size()), more.data(), number);
  if (static_cast<size_t>(n) < room) s.logEnd += static_cast<size_t>(n);
  if (!s.report.empty()) ++s.calls[name];
  if (std::strcmp(name, s.failing.name) != 0 || s.failing.after-- > 0) return kSuccess;
  s.failing.name[0] = 0;
  return s.failing.result;
}

}  // namespace adze::driver

using namespace adze::driver;

extern "C" {
#define EXPORT [[gnu::visibility("default")]]

/// The newest form of the function that both the caller and the driver know.
EXPORT int cuGetProcAddress_v2(const char *name, void **address, int version, uint64_t flags,
                               int *found) {
  return call("GetProcAddress", name, version, [&](State &s) -> Result {
    static const std::vector<Row> rows = [] {
      std::vector<Row> all = deviceRows();
      for (const auto &more : {memoryRows(), workRows()})
        all.insert(all.end(), more.begin(), more.end());
      return all;
    }();
    const Row *best = nullptr;
    for (const Row &r : rows)
      if (std::strcmp(r.name, name) == 0 && r.since <= std::min(version, s.version) &&
          (!best || r.since > best->since))
        best = &r;
    *found = best ? 0 : 1;
    *address = best ? best->address : nullptr;
    if (flags) return kInvalidValue;
    return best ? kSuccess : kNotFound;
  });
}

// ---- for tests in the same process

/// Forgets the log and the errors, and is another GPU.
EXPORT void fake_reset(int major, int minor, int devices) {
  State &s = state();
  std::lock_guard lock(s.mutex);
  s.logEnd = 0, s.log[0] = 0, s.failing.name[0] = 0, s.broken = kSuccess;
  s.gpu = chip(major, minor), s.gpus = devices, s.version = 13000, s.eager = false;
}
EXPORT const char *fake_log() { return state().log; }
EXPORT void fake_fail(const char *name, int result, int after) {
  failNext(state(), name, result, after);
}
EXPORT void fake_memory(uint64_t bytes) { state().gpu.memory = bytes; }
EXPORT void fake_version(int version) { state().version = version; }
EXPORT void fake_eager(int eager) { state().eager = eager != 0; }
/// What was not given back: how much, -1 where a context was left current.
EXPORT int fake_live() {
  State &s = state();
  return currentContext() ? -1 : static_cast<int>(s.objects.size() + s.blocks.size());
}
}
