// What the PTX emulator finds, for people and as JSON.
#pragma once
#include "tools/adze/Session.h"

#include <cstdint>
#include <string>
#include <vector>

namespace adze::cli {

/// At one instruction of a kernel.
struct FindingText {
  std::string kernel, kind, message, instruction, source, node;
  int64_t line = 0, count = 0;
  bool advice = false;
};

Json toJson(const FindingText &finding);
/// "PLACE:LINE: error [race] st.shared: …", and where it comes from.
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

  Session &session_;
  std::vector<FindingText> findings_;
  int64_t launches_ = 0;
  adze_emulation total_{};
};

}  // namespace adze::cli
