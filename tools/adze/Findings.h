// What the PTX emulator finds, for people and as JSON.
#pragma once
#include "tools/adze/Trace.h"

#include <cstdint>
#include <string>
#include <vector>

namespace adze::cli {

/// At one instruction of a kernel.
struct FindingText {
  std::string kernel, kind, message, instruction, source;
  std::vector<std::string> nodes;         ///< of the ONNX model
  int64_t line = 0, count = 0;
  bool advice = false;
  std::vector<std::string> modelKernels;  ///< of an artifact, that launched it
};

Json toJson(const FindingText &finding);
/// "PLACE:LINE: error [race] st.shared: …", and of which kernels and nodes it is.
void printFinding(const std::string &place, const FindingText &finding);

/// Collects what a session's runs on the emulator find and count, while it lives.
class FindingCollector {
 public:
  explicit FindingCollector(Session &session) : session_(session) {}
  ~FindingCollector();
  /// False after reporting. `seed` orders the warps.
  bool start(uint64_t seed, Cli &cli);

  /// Findings in the order in which they first showed; those of several launches
  /// of a kernel at one instruction are one.
  void print() const;
  Json json() const;
  /// Findings that are errors.
  int64_t errors() const;

 private:
  static void add(void *self, const adze_emulation *launch);
  FindingText &entry(const adze_emulation &launch, const adze_finding &finding);

  Session &session_;
  std::vector<KernelName> kernels_;
  std::vector<FindingText> findings_;
  int64_t launches_ = 0;
  adze_emulation total_{};
};

}  // namespace adze::cli
