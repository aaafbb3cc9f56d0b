// The CPU: one entry, weights where the file has them.
#include "lib/Runtime/Device.h"
#include "lib/Runtime/HostCode.h"
#include "lib/Runtime/HostRun.h"

#include <cstdlib>
#include <cstring>

namespace adze::runtime {

namespace {
using artifact::Contents;
using artifact::Section;
using artifact::SectionKind;

class HostModule final : public Module {
 public:
  ~HostModule() override { std::free(weightsCopy_); }

  bool open(std::shared_ptr<const artifact::Artifact> artifact, Diagnostic &error) {
    artifact_ = std::move(artifact);
    const Contents &c = artifact_->contents();
    return code_.open(c, {}, error) && mapWeights(c, error);
  }

  bool run(Execution &execution, Diagnostic &error) const override {
    return runEntry(code_.entry(), {weights_}, execution, error);
  }

 private:
  /// Weights stay where they are, unless the artifact was handed over at an
  /// address that vector loads could not use.
  bool mapWeights(const Contents &c, Diagnostic &error) {
    const Section *s = c.find(SectionKind::Weights);
    if (!s || s->size == 0) return true;
    weights_ = reinterpret_cast<const uint8_t *>(s->bytes().data());
    if (reinterpret_cast<uintptr_t>(weights_) % kAlignment == 0) return true;
    size_t size = (s->size + kAlignment - 1) / kAlignment * kAlignment;
    weightsCopy_ = std::aligned_alloc(kAlignment, size);
    if (!weightsCopy_)
      return failWith(error, ExitCode::ResourceLimit, "ADZ0720", "out of memory for weights");
    std::memcpy(weightsCopy_, weights_, s->size);
    weights_ = static_cast<const uint8_t *>(weightsCopy_);
    return true;
  }

  std::shared_ptr<const artifact::Artifact> artifact_;
  HostCode code_;
  const uint8_t *weights_ = nullptr;
  void *weightsCopy_ = nullptr;
};
}  // namespace

std::unique_ptr<Module> loadHostModule(std::shared_ptr<const artifact::Artifact> artifact,
                                       std::string_view which, Diagnostic &error) {
  if (!which.empty()) {
    failWith(error, ExitCode::Usage, "ADZ0701",
             "device 'host' has no '" + printable(which, 40) + "'");
    return nullptr;
  }
  auto module = std::make_unique<HostModule>();
  if (!module->open(std::move(artifact), error)) return nullptr;
  return module;
}

}  // namespace adze::runtime
