// Schedules of products: their ranks, their text, and what is refused of a stranger's.
#include "targets/cuda/TileSchedule.h"
#include "test/unit/Cuda/Kernels.h"

#include <catch2/catch.hpp>

#include <map>

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
  for (const char *device : {"sm_70", "sm_75", "sm_80", "sm_90a"})
    for (Multiply m : {Multiply::TF32x3, Multiply::F16, Multiply::F32}) {
      auto list = rankTiles(task(device, {1, 196, 256, 1024}, m));
      bool isOld = findDevice(device)->tf32Tflops == 0;
      CHECK(list.empty() == (isOld && m == Multiply::TF32x3));
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

TEST_CASE("what tensor cores do not take is for the ordinary cores", "[Cuda]") {
  mlir::MLIRContext context;
  mlir::Type f32 = mlir::Float32Type::get(&context), f16 = mlir::Float16Type::get(&context),
             bf16 = mlir::BFloat16Type::get(&context);
  auto of = [](mlir::Type type, const char *products, const char *device) {
    auto list = multipliesOf(type, products, *findDevice(device));
    REQUIRE(list.size() == 1);
    return list.front();
  };
  for (const char *device : {"sm_70", "sm_75"}) {
    for (const char *products : {"f32", "tf32", "bf16"})
      CHECK(of(f32, products, device) == Multiply::F32);
    CHECK(of(f32, "f16", device) == Multiply::F16);
    CHECK(of(f16, "f32", device) == Multiply::F16);
    CHECK(of(bf16, "f32", device) == Multiply::F32);
  }
  for (const char *device : {"sm_80", "sm_90a", "sm_100a"})
    CHECK(of(f32, "f32", device) == Multiply::TF32x3);
  // By their data sheets three products of TF32 take longer than exact ones.
  for (const char *device : {"sm_86", "sm_89", "sm_120"}) {
    CHECK(of(f32, "f32", device) == Multiply::F32);
    CHECK(of(f32, "tf32", device) == Multiply::TF32);
  }
  CHECK(of(bf16, "f32", "sm_80") == Multiply::BF16);
}

TEST_CASE("kernels may have as much shared memory as blocks of the device", "[Cuda]") {
  for (const Device &device : allDevices()) {
    auto list = rankTiles({{1, 256, 256, 256}, {Multiply::F32}, device});
    INFO(device.name);
    CHECK(sharedLimit(std::get<MatmulKernel>(list.front().schedule).chip) == device.sharedKib << 10);
  }
}

// The fewer bytes from the cache and from memory, the larger the tiles of large products.
TEST_CASE("large products before sm_80 have large tiles, and whole sums", "[Cuda]") {
  for (const char *device : {"sm_70", "sm_75"})
    for (Multiply m : {Multiply::F32, Multiply::F16}) {
      TileGrid grid = gridOf(rankTiles(task(device, {1, 4096, 4096, 1024}, m)).front().schedule);
      CHECK(grid.m * grid.n >= 128 * 64);
      CHECK(grid.parts == 1);
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
  struct Kind {
    const char *device;
    int chip;
    Multiply multiply;
  };
  const Kind kinds[] = {{"sm_90a", 90, Multiply::TF32x3}, {"sm_90a", 90, Multiply::F16},
                        {"sm_90a", 90, Multiply::TF32},   {"sm_75", 75, Multiply::F32},
                        {"sm_70", 70, Multiply::F16}};
  const int64_t numbers[] = {1, 1, 2, 2, 3, 8, 16, 16, 24, 32, 32, 64, 64, 128, 512, 4095, 4096};
  auto number = [&] { return std::to_string(numbers[rng() % std::size(numbers)]); };
  ProductSize size{1, 200, 136, 4096};
  std::map<std::pair<int, Multiply>, int> accepted;
  for (int i = 0; i < 400000; ++i) {
    auto [device, chip, m] = kinds[rng() % std::size(kinds)];
    bool groups = m == Multiply::TF32x3 && rng() % 2;
    bool maps = chip == 90 && m != Multiply::TF32x3 && rng() % 2;
    TileTask t = task(device, size, m);
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
    ++accepted[{chip, m}];
    INFO(text);
    CHECK(threads(*schedule, p) >= 32);
    CHECK(threads(*schedule, p) <= 1024);
    CHECK(sharedBytes(*schedule, p) <= sharedLimit(chip));
  }
  for (const Kind &kind : kinds) CHECK(accepted[{kind.chip, kind.multiply}] > 10);
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
