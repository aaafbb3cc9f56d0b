// Files that have no place in any folder, for tools that want names.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace adze {

/// A name for an open descriptor that this process, and those it starts, can open.
std::string descriptorPath(int fd);

/// A file in memory.
class MemoryFile {
 public:
  explicit MemoryFile(const char *name);
  ~MemoryFile();
  MemoryFile(const MemoryFile &) = delete;
  MemoryFile &operator=(const MemoryFile &) = delete;

  bool ok() const { return fd_ >= 0; }
  std::string path() const { return descriptorPath(fd_); }
  bool write(std::string_view bytes);
  /// All that is in it; false when it cannot be read.
  bool read(std::vector<std::byte> &bytes) const;

 private:
  int fd_;
};

}  // namespace adze
