#include "targets/cuda/TileKinds.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace adze::cuda {
namespace {

/// Calls `f` with a kernel of each kind, begun.
template <typename F, typename... Kernels>
void forEachKind(const std::variant<Kernels...> *, Multiply multiply, const Device &device, F f) {
  auto one = [&](auto begun) {
    if (begun) f(*begun);
  };
  (one(TileKind<Kernels>::begin(multiply, device)), ...);
}
template <typename F>
void forEachKind(Multiply multiply, const Device &device, F f) {
  forEachKind(static_cast<const TileSchedule *>(nullptr), multiply, device, f);
}

template <typename Kernel>
using KindOf = TileKind<std::remove_cvref_t<Kernel>>;

/// "128x64" -> these numbers; larger ones than any kernel has are none.
bool readNumbers(StringRef text, ArrayRef<int64_t *> numbers) {
  constexpr int64_t kMost = 4096;
  SmallVector<StringRef> parts;
  text.split(parts, 'x');
  if (parts.size() != numbers.size()) return false;
  for (auto [part, number] : llvm::zip_equal(parts, numbers))
    if (!llvm::all_of(part, llvm::isDigit) || part.getAsInteger(10, *number) || *number < 1 ||
        *number > kMost)
      return false;
  return true;
}

bool readFields(ArrayRef<StringRef> words, ArrayRef<TileField> fields) {
  for (const TileField &field : fields) {
    if (!field.word.empty()) {
      bool isThere = !words.empty() && words.front() == field.word;
      if (!isThere && field.isOptional) continue;
      if (!isThere) return false;
      words = words.drop_front();
    }
    if (field.numbers.empty()) continue;
    if (words.empty() || !readNumbers(words.front(), field.numbers)) return false;
    words = words.drop_front();
  }
  return words.empty();
}

/// What no builder checks, for it does not see it.
std::optional<std::string> whyNot(const TileTask &task, const TileGrid &grid) {
  constexpr int64_t kLeastTerms = 16;
  if (grid.parts == 1) return std::nullopt;
  if (!task.canSumApart) return "parts of the sums cannot be kept apart";
  if (grid.parts > task.size.k / kLeastTerms) return "parts of the sums have too few terms";
  return std::nullopt;
}

}  // namespace

SmallVector<Multiply, 2> multipliesOf(Type element, StringRef products, const Device &device) {
  Multiply wanted = element.isF16() || (element.isF32() && products == "f16")     ? Multiply::F16
                    : element.isBF16() || (element.isF32() && products == "bf16") ? Multiply::BF16
                    : products == "tf32" ? Multiply::TF32
                                         : Multiply::TF32x3;
  // Exact, and faster than three products: GPUs with 128 ordinary cores and small tensor cores.
  if (wanted == Multiply::TF32x3 && device.f32Tflops > device.tf32Tflops / 3)
    return {Multiply::F32};
  bool any = false;
  forEachKind(wanted, device, [&](const auto &) { any = true; });
  return {any ? wanted : Multiply::F32};
}

double productError(Multiply multiply, const Device &device) {
  double most = 0;
  forEachKind(multiply, device, [&](const auto &begun) {
    most = std::max(most, KindOf<decltype(begun)>::productError(begun));
  });
  return most;
}

std::vector<RankedTile> rankTiles(const TileTask &task) {
  std::vector<RankedTile> list;
  for (Multiply multiply : task.multiplies)
    forEachKind(multiply, task.device, [&](const auto &begun) {
      using Kind = KindOf<decltype(begun)>;
      for (auto &k : Kind::candidates(begun, task)) {
        Kind::complete(k, task.size);
        list.push_back({k, Kind::cycles(k, task.size, task.device)});
      }
    });
  std::stable_sort(list.begin(), list.end(),
                   [](const RankedTile &a, const RankedTile &b) { return a.cycles < b.cycles; });
  return list;
}

std::string printTile(const TileSchedule &schedule) {
  return std::visit(
      [](auto kernel) {
        using Kind = KindOf<decltype(kernel)>;
        std::string text = nameOf(Kind::multiply(kernel)).str();
        for (const TileField &field : Kind::fields(kernel)) {
          if (field.isOptional && *field.numbers.front() <= 1) continue;
          if (!field.word.empty()) text += " " + field.word.str();
          for (auto [i, number] : llvm::enumerate(field.numbers))
            text += (i == 0 ? " " : "x") + std::to_string(*number);
        }
        return text;
      },
      schedule);
}

std::optional<TileSchedule> parseTile(StringRef text, const TileTask &task, std::string &why) {
  SmallVector<StringRef> words;
  text.split(words, ' ');
  auto *multiply =
      llvm::find_if(task.multiplies, [&](Multiply m) { return nameOf(m) == words.front(); });
  if (multiply == task.multiplies.end()) {
    why = "factors are not multiplied so";
    return std::nullopt;
  }
  std::optional<TileSchedule> found;
  std::optional<std::string> reason = "the device has no such kernel";
  forEachKind(*multiply, task.device, [&](auto kernel) {
    using Kind = KindOf<decltype(kernel)>;
    if (!readFields(ArrayRef(words).drop_front(), Kind::fields(kernel))) return;
    reason = whyNot(task, Kind::grid(kernel));
    Kind::complete(kernel, task.size);
    found = kernel;
  });
  if (reason) why = *reason;
  return reason ? std::nullopt : found;
}

TileGrid gridOf(const TileSchedule &schedule) {
  return std::visit([](const auto &k) { return KindOf<decltype(k)>::grid(k); }, schedule);
}

int64_t threads(const TileSchedule &schedule, const MatmulProblem &p) {
  return std::visit([&](const auto &k) { return KindOf<decltype(k)>::threads(k, p); }, schedule);
}

int64_t sharedBytes(const TileSchedule &schedule, const MatmulProblem &p) {
  return std::visit([&](const auto &k) { return sharedBytes(k, p); }, schedule);
}

std::optional<std::string> whyNot(const TileSchedule &schedule, const MatmulProblem &p) {
  return std::visit([&](const auto &k) { return whyNot(k, p); }, schedule);
}

void buildMatmul(Kit &kit, const TileSchedule &schedule, const MatmulProblem &p) {
  std::visit([&](const auto &k) { buildMatmul(kit, k, p); }, schedule);
}

}  // namespace adze::cuda
