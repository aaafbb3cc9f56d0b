// What the emulator's tests share: a kernel around a few lines of PTX.
#pragma once
#include "lib/PtxEmulator/Emulator.h"

#include <cstring>
#include <string>

namespace adze::ptx {

/// A module with one entry k(out) whose %out is the buffer's address, with
/// registers %r0 … %r31, %rd0 …, %f0 …, %p0 …, %h0 ….
inline std::string kernelText(const std::string &body, const std::string &before = "") {
  return ".version 8.4\n.target sm_90a\n.address_size 64\n" + before +
         "\n.visible .entry k(.param .u64 p) {\n.reg .b32 %r<32>; .reg .b64 %rd<32>, %out; .reg .f32 %f<32>;"
         " .reg .pred %p<8>; .reg .b16 %h<8>;\nld.param.u64 %out, [p]; cvta.to.global.u64 %out, %out;\n" +
         body + "\nret;\n}\n";
}

struct Outcome {
  std::optional<Report> report;
  std::vector<uint32_t> out;
  SourceError error;

  bool found(FindingKind kind) const {
    for (const Finding &f : report->findings)
      if (f.kind == kind) return true;
    return false;
  }
};

/// Runs it in one block on a buffer of 256 words that nothing has written.
inline Outcome runText(const std::string &text, LaunchConfig config = {}) {
  Outcome o;
  auto module = Module::load(text, o.error);
  if (!module) return o;
  if (config.block.x == 1) config.block.x = 32;
  o.out.resize(256, 0xcdcdcdcd);
  Memory memory;
  uint64_t address = memory.map(o.out.data(), 1024, "out", false);
  std::vector<uint8_t> parameters(8);
  std::memcpy(parameters.data(), &address, 8);
  o.report = launch(*module, "k", config, parameters, memory, o.error);
  return o;
}
inline Outcome runBody(const std::string &body, LaunchConfig config = {}) { return runText(kernelText(body), config); }

}  // namespace adze::ptx
