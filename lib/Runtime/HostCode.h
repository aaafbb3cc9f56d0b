// Host code: an ELF shared object, copied into a sealed memory file and opened
// from there, so that what was checked is what is mapped and no page is ever
// writable and executable.
#pragma once
#include "lib/Artifact/Artifact.h"
#include "lib/Runtime/HostAbi.h"

#include <span>
#include <string>
#include <string_view>

namespace adze::runtime {

class HostCode {
 public:
  HostCode() = default;
  ~HostCode();
  HostCode(const HostCode &) = delete;
  HostCode &operator=(const HostCode &) = delete;

  /// Maps the host code of that section's name ("": the first), once the
  /// artifact's demands are checked. False and `error` on failure.
  bool open(const artifact::Contents &contents, std::string_view section, Diagnostic &error);
  adze_entry_fn entry() const { return entry_; }

 private:
  bool openObject(const std::string &path, std::string &why);
  bool map(std::span<const std::byte> code, Diagnostic &error);

  int fd_ = -1;
  void *handle_ = nullptr, *libm_ = nullptr;
  adze_entry_fn entry_ = nullptr;
};

}  // namespace adze::runtime
