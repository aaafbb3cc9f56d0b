#include "targets/Target.h"

namespace adze {

std::string Target::machine(const TargetInfo &info, const TargetOptions &) const {
  std::string text = info.cpu;
  for (const std::string &feature : info.features) text += " " + feature;
  llvm::raw_string_ostream(text) << " " << info.attributes;
  return text;
}

std::unique_ptr<Target> makeHostTarget();
std::unique_ptr<Target> makeCudaTarget();
void registerCudaTargetPasses();

void registerTargetPasses() { registerCudaTargetPasses(); }

const std::vector<std::unique_ptr<Target>> &allTargets() {
  static const std::vector<std::unique_ptr<Target>> targets = [] {
    std::vector<std::unique_ptr<Target>> list;
    list.push_back(makeHostTarget());
    list.push_back(makeCudaTarget());
    return list;
  }();
  return targets;
}

const Target *findTarget(std::string_view name) {
  std::string_view base = name.substr(0, name.find(':'));
  for (const auto &t : allTargets())
    if (t->name() == base) return t.get();
  return nullptr;
}

}  // namespace adze
