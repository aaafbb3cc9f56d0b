#include "lib/Runtime/Variants.h"

#include "lib/Runtime/Device.h"

#include <charconv>
#include <tuple>

namespace adze::runtime {

using artifact::Contents;
using artifact::Variant;

std::optional<Architecture> Architecture::parse(std::string_view name) {
  if (!name.starts_with("sm_")) return std::nullopt;
  name.remove_prefix(3);
  Architecture a;
  auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), a.number);
  if (bad != std::errc() || a.number < 10) return std::nullopt;
  name.remove_prefix(static_cast<size_t>(end - name.data()));
  // "f" would run on its family; taken for its first member it is never wrong.
  a.exact = name == "a" || name == "f";
  return a.exact || name.empty() ? std::optional(a) : std::nullopt;
}

std::string variantNames(const Contents &contents) {
  std::string names;
  for (const Variant &v : contents.variants)
    names += (names.empty() ? "" : ", ") + printable(v.device, 40);
  return names;
}

const Variant *bestVariant(const Contents &contents, int device, const std::string &what,
                           Diagnostic &error) {
  const Variant *best = nullptr;
  Architecture bestArchitecture;
  for (const Variant &v : contents.variants) {
    auto a = Architecture::parse(v.device);
    if (!a || !a->runsOn(device)) continue;
    if (best &&
        std::tie(a->number, a->exact) <= std::tie(bestArchitecture.number, bestArchitecture.exact))
      continue;
    best = &v, bestArchitecture = *a;
  }
  if (!best)
    failWith(error, ExitCode::CorruptArtifact, "ADZ0745",
             "the artifact has code for " +
                 (contents.variants.empty() ? "no device" : variantNames(contents)) +
                 "; none of it runs on " + what,
             "rebuild it for sm_" + std::to_string(device) + " with `adze compile`");
  return best;
}

}  // namespace adze::runtime
