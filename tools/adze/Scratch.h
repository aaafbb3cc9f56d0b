// A place for a file that only this process needs.
#pragma once
#include <string>

namespace adze::cli {

/// A folder of its own with one file in it. Both go with the object, and when the
/// process is interrupted. One at a time.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch &) = delete;
  /// The file; empty when there is no folder.
  std::string path() const;
  /// Removes the file, which may still be mapped.
  void clear();
};

/// Removes file and folder; for signal handlers.
void removeScratch();

}  // namespace adze::cli
