#include "targets/cuda/Ptx.h"
#include "targets/cuda/Devices.h"
#include "lib/PtxEmulator/Emulator.h"

#include "mlir/Parser/Parser.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <cstring>
#include <thread>

using namespace mlir;
using namespace adze;

namespace {

std::optional<std::string> compile(const std::string &body, std::string &error,
                                   const cuda::PtxOptions &options = {}) {
  DialectRegistry registry;
  cuda::registerPtxDialects(registry);
  MLIRContext ctx(registry, MLIRContext::Threading::DISABLED);
  auto module = parseSourceString<ModuleOp>("gpu.module @m {" + body + "}", &ctx);
  REQUIRE(module);
  return cuda::emitPtx(*module->getOps<gpu::GPUModuleOp>().begin(), options, error);
}

const char *kRoots = R"(
gpu.func @roots(%x: memref<64xf32>, %y: memref<64xf32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
  %t = gpu.thread_id x
  %b = gpu.block_id x
  %c32 = arith.constant 32 : index
  %o = arith.muli %b, %c32 : index
  %i = arith.addi %o, %t : index
  %v = memref.load %x[%i] : memref<64xf32>
  %r = math.sqrt %v : f32
  %p = math.exp2 %r fastmath<afn> : f32
  memref.store %p, %y[%i] : memref<64xf32>
  gpu.return
})";

}  // namespace

TEST_CASE("kernels become PTX that runs", "[Cuda]") {
  std::string error;
  auto text = compile(kRoots, error);
  INFO(error);
  REQUIRE(text);
  INFO(*text);
  CHECK(text->find(".target sm_80") != std::string::npos);
  CHECK(text->find("ex2.approx.f32") != std::string::npos);
  ptx::SourceError where;
  auto module = ptx::Module::load(*text, where);
  REQUIRE(module);
  ptx::Memory memory;
  std::vector<float> x(64), y(64);
  for (int i = 0; i < 64; ++i) x[i] = i * 0.25f;
  uint64_t addresses[2] = {memory.map(x.data(), 256, "x", true), memory.map(y.data(), 256, "y", false)};
  std::vector<uint8_t> parameters(16);
  std::memcpy(parameters.data(), addresses, 16);
  ptx::LaunchConfig config;
  config.grid.x = 2, config.block.x = 32;
  auto report = ptx::launch(*module, "roots", config, parameters, memory, where);
  REQUIRE(report);
  CHECK(report->findings.empty());
  for (int i = 0; i < 64; ++i) CHECK(y[i] == Approx(std::exp2(std::sqrt(x[i]))).epsilon(1e-6));
}

TEST_CASE("PTX has the same bytes on every thread", "[Cuda]") {
  std::vector<std::string> texts(4);
  std::vector<std::thread> threads;
  for (std::string &t : texts)
    threads.emplace_back([&t] {
      std::string error;
      t = compile(kRoots, error).value_or(error);
    });
  for (std::thread &t : threads) t.join();
  for (const std::string &t : texts) CHECK(t == texts[0]);
}

TEST_CASE("what has no PTX is an error that names it", "[Cuda]") {
  std::string error;
  CHECK_FALSE(compile(R"(gpu.func @k(%x: memref<1xf32>) kernel {
    %c0 = arith.constant 0 : index
    %v = memref.load %x[%c0] : memref<1xf32>
    %r = math.exp %v : f32
    memref.store %r, %x[%c0] : memref<1xf32>
    gpu.return })", error));
  CHECK(error == "math.exp has no PTX instruction");
  CHECK_FALSE(compile(R"(llvm.func @missing()
    llvm.func @k() attributes {nvvm.kernel} { llvm.call @missing() : () -> ()  llvm.return })", error));
  CHECK(error == "nothing defines the function missing");
}

TEST_CASE("each chip gets its name and a PTX version", "[Cuda]") {
  for (const cuda::Device &device : cuda::allDevices()) {
    std::string chip(device.name), error;
    auto text = compile(kRoots, error, {chip, cuda::ptxFeatures(chip)});
    INFO(chip << ": " << error);
    REQUIRE(text);
    CHECK(text->find(".target " + chip + "\n") != std::string::npos);
    CHECK(text->find(".version " + std::to_string(device.ptx / 10) + ".") != std::string::npos);
  }
}
