// A loaded artifact, ready for requests. Immutable.
#pragma once
#include "lib/Artifact/Artifact.h"
#include "lib/Runtime/Device.h"
#include "lib/Runtime/ThreadPool.h"

#include <memory>
#include <string>

namespace adze::runtime {

class Model {
 public:
  /// Loads and checks. `device` is NAME or NAME:WHICH of devices(); empty: the one
  /// for the artifact's target. `pool` may be null: then the model has one of its
  /// own with `threads` threads (0: all CPUs). Null and `error` on failure.
  static std::shared_ptr<const Model> open(const std::string &path, std::string_view device,
                                           int threads, std::shared_ptr<ThreadPool> pool,
                                           Diagnostic &error);
  static std::shared_ptr<const Model> open(std::shared_ptr<const artifact::Artifact> artifact,
                                           std::string_view device, int threads,
                                           std::shared_ptr<ThreadPool> pool, Diagnostic &error);

  const artifact::Contents &contents() const { return artifact_->contents(); }
  const Module &module() const { return *module_; }
  ThreadPool &threads() const { return *pool_; }

 private:
  std::shared_ptr<const artifact::Artifact> artifact_;
  std::shared_ptr<ThreadPool> pool_;
  std::unique_ptr<Module> module_;  // last: unloads before the artifact goes
};

}  // namespace adze::runtime
