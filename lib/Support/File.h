// Files: read-only maps of input, and outputs that appear whole or not at all.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace adze {

/// A read-only private map of a regular file. Empty files map to an empty span.
class MappedFile {
 public:
  /// Opens and maps `path`; directories, devices and pipes are refused.
  /// Returns null and fills `error` on failure.
  static std::shared_ptr<MappedFile> open(const std::string &path, std::string &error);
  /// Maps an open descriptor (kept open by the caller only until return).
  static std::shared_ptr<MappedFile> fromFd(int fd, std::string &error);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// Gives back what has been read; what is used again comes from the system's
  /// cache, page by page.
  void release() const;

 private:
  MappedFile() = default;
  const std::byte *data_ = nullptr;
  size_t size_ = 0;
};

/// Writes to a file without a name in the folder of `path` (or, on filesystems
/// that have none, with a temporary one); commit() syncs it and gives it its
/// name, and without commit() nothing is left. Temporary names of the process
/// are also removed by removeTemporaries(), which is async-signal-safe.
class AtomicFile {
 public:
  AtomicFile() = default;
  ~AtomicFile();
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;
  /// All return false with `error` filled on failure.
  bool open(const std::string &path, std::string &error);
  bool write(const void *data, size_t size, std::string &error);
  bool commit(std::string &error);
  int64_t size() const { return size_; }

 private:
  bool giveName();

  int fd_ = -1;
  int slot_ = -1;
  bool unnamed_ = false;
  int64_t size_ = 0;
  std::string path_, temporary_;
};

/// Unlinks every temporary of unfinished AtomicFiles; for signal handlers.
void removeTemporaries();

}  // namespace adze
