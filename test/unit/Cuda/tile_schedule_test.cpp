// Schedules of products: their ranks, their text, and what is refused of a stranger's.
#include "targets/cuda/TileSchedule.h"
#include "test/unit/Cuda/Kernels.h"

#include <catch2/catch.hpp>

using namespace adze;
using namespace adze::cuda;

namespace {

TileTask task(const char *device, ProductSize size, Multiply multiply = Multiply::TF32x3) {
  return {size, {multiply}, *findDevice(device), true};
}

std::string refusal(const std::string &text, const TileTask &t) {
  std::string why;
  auto schedule = parseTile(text, t, why);
  return schedule ? "" : why;
}

/// A problem that only whyNot looks at.
MatmulProblem problem(const ProductSize &size, mlir::Type element, bool aAlongK, bool bAlongK,
                      int64_t alignment) {
  MatmulProblem p;
  p.m = Extent::of(size.m), p.n = Extent::of(size.n), p.k = Extent::of(size.k);
  p.a.element = p.b.element = element;
  p.a.alongK = aAlongK, p.b.alongK = bAlongK;
  p.a.alignment = p.b.alignment = alignment;
  p.aMap = {element, {}, aAlongK, {}}, p.bMap = {element, {}, bAlongK, {}};
  return p;
}

}  // namespace

TEST_CASE("tiles are ranked by cycles", "[Cuda]") {
  for (const char *device : {"sm_75", "sm_80", "sm_90a"})
    for (Multiply m : {Multiply::TF32x3, Multiply::F16}) {
      auto list = rankTiles(task(device, {1, 196, 256, 1024}, m));
      CHECK(list.empty() == (std::string(device) == "sm_75" && m == Multiply::TF32x3));
      for (size_t i = 1; i < list.size(); ++i) CHECK(list[i - 1].cycles <= list[i].cycles);
    }
  auto isWarpgroups = [](const RankedTile &r) {
    return std::holds_alternative<HopperSplitKernel>(r.schedule);
  };
  CHECK(isWarpgroups(rankTiles(task("sm_90a", {1, 4096, 4096, 1024})).front()));
  CHECK_FALSE(isWarpgroups(rankTiles(task("sm_90a", {1, 64, 64, 64})).front()));
  for (Multiply m : {Multiply::F16, Multiply::BF16, Multiply::TF32}) {
    auto list = rankTiles(task("sm_90a", {1, 4096, 4096, 1024}, m));
    CHECK(std::holds_alternative<HopperKernel>(list.front().schedule));
    list = rankTiles(task("sm_80", {1, 4096, 4096, 1024}, m));
    CHECK_FALSE(std::holds_alternative<HopperKernel>(list.front().schedule));
  }
}

TEST_CASE("sums are kept apart only where that is possible", "[Cuda]") {
  TileTask t = task("sm_80", {1, 64, 64, 8192});
  CHECK(gridOf(rankTiles(t).front().schedule).parts > 1);
  t.canSumApart = false;
  auto list = rankTiles(t);
  for (const RankedTile &r : list) CHECK(gridOf(r.schedule).parts == 1);
  // Then blocks share them out.
  TileGrid grid = gridOf(list.front().schedule);
  CHECK(grid.blocks == 216);
  CHECK(grid.slots == 432);
}

TEST_CASE("a schedule is its text", "[Cuda]") {
  for (const Device &device : allDevices())
    for (const char *products : {"f32", "tf32", "bf16", "f16"}) {
      mlir::MLIRContext context;
      TileTask t{{2, 100, 300, 5000},
                 multipliesOf(mlir::Float32Type::get(&context), products, device),
                 device};
      for (const RankedTile &r : rankTiles(t)) {
        std::string why, text = printTile(r.schedule);
        auto read = parseTile(text, t, why);
        INFO(device.name << ": " << text << ": " << why);
        REQUIRE(read);
        CHECK(read->index() == r.schedule.index());
        CHECK(printTile(*read) == text);
        if (auto *k = std::get_if<MatmulKernel>(&r.schedule)) {
          auto &same = std::get<MatmulKernel>(*read);
          CHECK(same.chip == k->chip);
          CHECK(same.roundSums == k->roundSums);
          CHECK(same.splitsApart == k->splitsApart);
        }
      }
    }
}

TEST_CASE("text that is no schedule of the task is refused", "[Cuda]") {
  TileTask t = task("sm_80", {1, 64, 64, 8192});
  CHECK(refusal("tf32x3 64x64x32 warp 32x32 stages 3 slices 2 split 4", t) == "");
  for (const char *text :
       {"", " ", "x", "tf32 64x64x32 warp 32x32 stages 3", "f16 64x64x32 warp 32x32 stages 3"})
    CHECK(refusal(text, t) == "factors are not multiplied so");
  for (const char *text :
       {"tf32x3", "tf32x3 64x64 warp 32x32 stages 3", "tf32x3 64x64x32",
        "tf32x3 64x64x32 warp 32x32", "tf32x3 64x64x32 warp 32x32 stages",
        "tf32x3 64x64x32 warp 32x32 stages 3 stages 3", "tf32x3 64x64x32 warp 32x32 stages 0",
        "tf32x3 64x64x32 warp 32x32 stages -3", "tf32x3 64x64x32 warp 32x32 stages 3 ",
        "tf32x3 64x64x32 warp 32x32 stages 3 split 4 slices 2",
        "tf32x3 64x64x32 warp 32x32 stages 99999999999999999999",
        "tf32x3 64x64x32 warp 32x32 stages 4097", "tf32x3 64x64x32 warp 32xx32 stages 3",
        "tf32x3 0x64x32 warp 32x32 stages 3", "tf32x3 128x128 warpgroups stages 3"}) {
    INFO(text);
    CHECK(refusal(text, t) == "the device has no such kernel");
  }
  CHECK(refusal("tf32x3 128x128 warpgroups stages 3", task("sm_90a", {1, 64, 64, 8192})) == "");
  CHECK(refusal("f16 128x256 maps 2 stages 4", task("sm_90a", {1, 64, 64, 8192}, Multiply::F16)) == "");
  CHECK(refusal("f16 128x256 maps 2 stages 4", task("sm_80", {1, 64, 64, 8192}, Multiply::F16)) ==
        "the device has no such kernel");
  CHECK(refusal("tf32x3 64x64x32 warp 32x32 stages 3 split 4096", t) ==
        "parts of the sums have too few terms");
  t.canSumApart = false;
  CHECK(refusal("tf32x3 64x64x32 warp 32x32 stages 3 split 2", t) ==
        "parts of the sums cannot be kept apart");
}

// A database's schedules reach the builder's checks with any numbers.
TEST_CASE("whyNot takes any numbers", "[Cuda]") {
  mlir::MLIRContext context;
  std::mt19937 rng(7);
  const int64_t numbers[] = {1, 2, 3, 8, 16, 24, 32, 48, 64, 96, 128, 192, 512, 4095, 4096};
  auto number = [&] { return std::to_string(numbers[rng() % std::size(numbers)]); };
  ProductSize size{1, 200, 136, 4096};
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    bool maps = rng() % 3 == 0, groups = !maps && rng() % 2;
    Multiply m = maps ? (rng() % 2 ? Multiply::F16 : Multiply::TF32)
                 : groups || rng() % 2 ? Multiply::TF32x3
                                       : Multiply::F16;
    TileTask t = task("sm_90a", size, m);
    std::string tile = number() + "x" + number(), why;
    std::string text =
        nameOf(m).str() + " " + tile +
        (maps     ? " maps " + number()
         : groups ? " warpgroups"
                  : "x" + number() + " warp " + number() + "x" + number()) +
        " stages " + number() +
        (maps     ? ""
         : groups ? " split " + number()
                  : " slices " + number() + (rng() % 2 ? " split " : " stream ") + number());
    auto schedule = parseTile(text, t, why);
    if (!schedule) continue;
    mlir::Type element = m == Multiply::F16 ? mlir::Type(mlir::Float16Type::get(&context))
                                            : mlir::Float32Type::get(&context);
    MatmulProblem p = problem(size, element, rng() % 2, rng() % 2, int64_t{2} << rng() % 4);
    if (whyNot(*schedule, p)) continue;
    ++accepted;
    INFO(text);
    CHECK(threads(*schedule, p) >= 32);
    CHECK(threads(*schedule, p) <= 1024);
    CHECK(sharedBytes(*schedule, p) <= sharedLimit(90));
  }
  CHECK(accepted > 20);
}

TEST_CASE("kernels with tensor maps ask for maps of what they multiply", "[Cuda]") {
  mlir::MLIRContext context;
  mlir::Type half = mlir::Float16Type::get(&context), single = mlir::Float32Type::get(&context);
  std::string why;
  ProductSize size{1, 512, 512, 512};
  TileSchedule schedule =
      *parseTile("f16 128x128 maps 2 stages 4", task("sm_90a", size, Multiply::F16), why);
  CHECK_FALSE(whyNot(schedule, problem(size, half, true, false, 16)));
  CHECK(whyNot(schedule, problem(size, single, true, true, 16)) == "factors of another type");
  MatmulProblem p = problem(size, half, true, true, 16);
  p.bMap.reset();
  CHECK(whyNot(schedule, p) == "factors have no tensor maps");
}
