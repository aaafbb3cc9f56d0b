// What this CPU can do, by the names LLVM uses.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace adze::runtime {

/// 1: this CPU and operating system have the feature; 0: they do not; -1: the
/// name is not known here.
int cpuHasFeature(std::string_view name);

/// Every known feature that this CPU has, in a fixed order.
std::vector<std::string> cpuFeatures();

/// The required features that this CPU lacks (or that are not known here).
std::vector<std::string> missingCpuFeatures(const std::vector<std::string> &required);

}  // namespace adze::runtime
