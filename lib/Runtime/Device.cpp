#include "lib/Runtime/Device.h"

#include <time.h>

namespace adze::runtime {

namespace {
constexpr Device kDevices[] = {
    {"host", "host", loadHostModule},
    {"cuda", "cuda", loadCudaModule},
    {"ptx-emulator", "cuda", loadEmulatorModule},
};
}  // namespace

std::span<const Device> devices() { return kDevices; }

int64_t nowNs() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

bool failWith(Diagnostic &error, ExitCode exitCode, const char *code, std::string message,
              std::string help) {
  error = {};
  error.exitCode = exitCode;
  error.code = code;
  error.message = std::move(message);
  error.help = std::move(help);
  return false;
}

}  // namespace adze::runtime
