#include "tools/adze/Findings.h"

#include <algorithm>
#include <iostream>

namespace adze::cli {

Json toJson(const FindingText &f) {
  return {{"kind", f.kind},   {"advice", f.advice},           {"kernel", f.kernel},
          {"line", f.line},   {"instruction", f.instruction}, {"message", f.message},
          {"count", f.count}, {"source", f.source},           {"nodes", f.nodes},
          {"model_kernels", f.modelKernels}};
}

void printFinding(const std::string &place, const FindingText &f) {
  std::cout << printable(place, 80) << ":" << f.line << ": " << (f.advice ? "advice" : "error")
            << " [" << f.kind << "] " << printable(f.instruction, 60) << ": "
            << printable(f.message, 400);
  if (f.count > 1) std::cout << ", " << f.count << " times";
  std::cout << "\n";
  auto list = [](const char *what, const std::vector<std::string> &names) {
    if (names.empty()) return;
    std::cout << "   = " << what << (names.size() > 1 ? "s: " : ": ") << someOf(names, 4) << "\n";
  };
  list("kernel", f.modelKernels);
  list("node", f.nodes);
  if (!f.source.empty()) std::cout << "   = source: " << printable(f.source, 120) << "\n";
}

FindingCollector::~FindingCollector() {
  adze_status_destroy(adze_request_set_emulation(session_.request(), 0, nullptr, nullptr));
}

bool FindingCollector::start(uint64_t seed, Cli &cli) {
  auto kernels = kernelNames(session_, cli);
  if (!kernels) return false;
  kernels_ = std::move(*kernels);
  return succeeded(adze_request_set_emulation(session_.request(), seed, add, this), cli);
}

static void addNew(std::vector<std::string> &to, const std::string &name) {
  if (std::ranges::find(to, name) == to.end()) to.push_back(name);
}

/// The finding at that instruction of the kernel, with where this launch is from.
FindingText &FindingCollector::entry(const adze_emulation &launch, const adze_finding &f) {
  auto at = std::ranges::find_if(findings_, [&](const FindingText &known) {
    return known.kernel == launch.kernel && known.line == f.line && known.kind == f.kind;
  });
  if (at == findings_.end())
    at = findings_.insert(at, {launch.kernel, f.kind, f.message, f.instruction, f.source, {},
                               f.line, 0, f.advice != 0, {}});
  if (launch.model_kernel < 0) {
    if (*f.node) addNew(at->nodes, f.node);
    return *at;
  }
  const KernelName &kernel = kernels_[launch.model_kernel];
  addNew(at->modelKernels, kernel.name);
  for (const std::string &node : kernel.nodes) addNew(at->nodes, node);
  return *at;
}

void FindingCollector::add(void *self, const adze_emulation *launch) {
  auto &c = *static_cast<FindingCollector *>(self);
  ++c.launches_;
  c.total_.blocks += launch->blocks;
  c.total_.instructions += launch->instructions;
  c.total_.global_bytes += launch->global_bytes;
  c.total_.global_sectors += launch->global_sectors;
  c.total_.shared_accesses += launch->shared_accesses;
  c.total_.shared_wavefronts += launch->shared_wavefronts;
  c.total_.tensor_flops += launch->tensor_flops;
  // No exception may cross the runtime.
  try {
    for (size_t i = 0; i < launch->finding_count; ++i)
      c.entry(*launch, *launch->findings[i]).count += launch->findings[i]->count;
  } catch (const std::bad_alloc &) {
  }
}

void FindingCollector::print() const {
  for (const FindingText &f : findings_) printFinding(f.kernel, f);
  std::cout << "  checked " << launches_ << " launches: " << total_.blocks << " blocks, "
            << total_.instructions << " warp instructions, " << formatBytes(total_.global_bytes)
            << " in " << total_.global_sectors << " sectors, " << total_.shared_wavefronts
            << " wavefronts for " << total_.shared_accesses << " shared accesses, "
            << total_.tensor_flops << " tensor flops, " << findings_.size() << " findings\n";
}

Json FindingCollector::json() const {
  Json j{{"launches", launches_},
         {"blocks", total_.blocks},
         {"instructions", total_.instructions},
         {"bytes", total_.global_bytes},
         {"sectors", total_.global_sectors},
         {"shared_accesses", total_.shared_accesses},
         {"wavefronts", total_.shared_wavefronts},
         {"tensor_flops", total_.tensor_flops},
         {"findings", Json::array()}};
  for (const FindingText &f : findings_) j["findings"].push_back(toJson(f));
  return j;
}

int64_t FindingCollector::errors() const {
  return std::ranges::count_if(findings_, [](const FindingText &f) { return !f.advice; });
}

}  // namespace adze::cli
