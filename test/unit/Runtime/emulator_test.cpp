// Artifacts for GPUs on the PTX emulator.
#include "test/unit/Runtime/DeviceModel.h"

#include <atomic>
#include <map>
#include <thread>

using namespace adze;
using namespace adze::device_test;

namespace {
/// What adze_request_set_emulation reports.
struct Heard {
  std::vector<std::string> kernels, kinds, nodes;
  int64_t instructions = 0, bytes = 0, threads = 0, sharedBytes = 0, modelKernel = -1;
  std::map<std::string, int64_t> pipes;

  static void launch(void *user, const adze_emulation *e) {
    Heard &h = *static_cast<Heard *>(user);
    h.kernels.push_back(e->kernel);
    h.instructions += e->instructions;
    h.bytes += e->global_bytes;
    h.threads = e->threads;
    h.sharedBytes = e->shared_bytes;
    h.modelKernel = e->model_kernel;
    for (size_t p = 0; p < e->pipe_count; ++p) h.pipes[e->pipes[p]] += e->pipe_instructions[p];
    for (size_t i = 0; i < e->finding_count; ++i) {
      h.kinds.push_back(e->findings[i]->kind);
      h.nodes.push_back(e->findings[i]->node);
    }
  }
};
}  // namespace

TEST_CASE("the emulator runs an artifact for GPUs", "[Runtime]") {
  Runner r("ptx-emulator");
  for (int64_t n : {200, 1, 129, 200, 4096}) {
    REQUIRE(r.run(kNormal, n) == "");
    CHECK(r.right(3));
  }
  REQUIRE(r.run(kNormal, 0) == "");
  REQUIRE(r.run(kCopies) == "");
  CHECK(r.right(6));
  REQUIRE(r.run(kSharedMemory) == "");
  CHECK(r.right(3));
  REQUIRE(r.run(kTensorMap, 160) == "");  // the newest variant is the one that can
  CHECK(r.right(1));
  REQUIRE(r.run(kNoBlocks) == "");
  CHECK(r.right(3));
}

TEST_CASE("a variant can be chosen for the emulator", "[Runtime]") {
  Runner r("ptx-emulator:sm_80");
  REQUIRE(r.run(kNormal) == "");
  CHECK(r.right(3));
  contains(r.run(kTensorMap, 160), "ADZ0790: the model's code launches a kernel that is not there");
  contains(failure([] { Runner("ptx-emulator:sm_75"); }),
           "the artifact has no code for 'sm_75' / it has: sm_80, sm_90a");
}

TEST_CASE("errors that the emulator finds end the run", "[Runtime]") {
  Runner r("ptx-emulator");
  std::string text = r.run(kRunOver);
  contains(text, "ADZ0746: out-of-bounds in kernel 'overrun' of 'scale_0' (node 'Mul_0'), line ");
  contains(text, "ld.global.f32: warp ");
  contains(text, "bytes after 'input x' of 800 bytes");
  contains(r.run(kWriteNothing),
           "ADZ0746: 800 of 800 bytes that are read from 'arena' were never written");
  contains(r.run(kReadOutside),
           "ADZ0746: the host's code reads 4 bytes at a device address outside of every buffer");
  contains(r.run(kWriteInput), "ADZ0746: the host's code writes to 'input x'");
  contains(r.run(kUseAfterFree), "ADZ0746: out-of-bounds in kernel 'scale'");
  REQUIRE(r.run(kNormal) == "");
  CHECK(r.right(3));
}

TEST_CASE("the emulator's findings and counters can be collected", "[Runtime]") {
  Runner r("ptx-emulator");
  Heard h;
  rt::check(adze_request_set_emulation(r.request.get(), 7, Heard::launch, &h));
  REQUIRE(r.run(kRunOver) == "");
  CHECK(h.kernels == std::vector<std::string>{"overrun"});
  CHECK(h.kinds == std::vector<std::string>{"out-of-bounds", "out-of-bounds"});
  CHECK(h.nodes == std::vector<std::string>{"Bad_1", "Bad_1"});
  h = {};
  REQUIRE(r.run(kNormal) == "");
  CHECK(h.kinds.empty());
  CHECK(h.instructions > 0);
  CHECK(h.bytes == 200 * 12);
  CHECK(h.threads == 128);
  CHECK(h.sharedBytes == 0);
  CHECK(h.modelKernel == 0);
  CHECK(h.pipes["memory"] > 0);
  CHECK(h.pipes["tensor"] == 0);
  int64_t sum = 0;
  for (const auto &[pipe, count] : h.pipes) sum += count;
  CHECK(sum == h.instructions);
  h = {};
  REQUIRE(r.run(kSharedMemory) == "");
  CHECK(h.sharedBytes > 64 << 10);
  rt::check(adze_request_set_emulation(r.request.get(), 0, nullptr, nullptr));
  contains(r.run(kRunOver), "ADZ0746");
}

TEST_CASE("errors of a device's host code come back, and the next run works", "[Runtime]") {
  Runner r("ptx-emulator", int64_t{1} << 30);
  contains(r.run(kAllocTooMuch),
           "ADZ0720: out of memory on the device (1152921504606846976 bytes)");
  contains(r.run(kSlabTooMuch), "ADZ0720: out of memory on the device (1152921504606846976 bytes)");
  contains(r.run(kAllocNegative), "ADZ0707");
  contains(r.run(kCopyNegative), "ADZ0707");
  contains(r.run(kNoSuchKernel), "ADZ0790: the model's code launches a kernel that is not there");
  contains(r.run(kTooManyThreads), "ADZ0790: the model's code launches kernel 'scale' in blocks");
  contains(r.run(kFail), "ADZ0730: index out of range");
  contains(r.run(kBadMap), "ADZ0790: the model's code asks for a tensor map of 6 dimensions");
  REQUIRE(r.run(kForget) == "");
  CHECK(r.right(3));
  Runner small("ptx-emulator", 100);
  contains(small.run(kNormal), "ADZ0720: out of memory on the device (1664 bytes)");
}

TEST_CASE("a device's run can be cancelled between launches, and can run out of time",
          "[Runtime]") {
  Runner late("ptx-emulator", 0, 20);
  contains(late.run(kSpin), "ADZ0722");
}

TEST_CASE("memory on the emulator is given back, and reported while it is held", "[Runtime]") {
  Runner r("ptx-emulator");
  REQUIRE(r.run(kForget) == "");
  adze_request_info before = r.info();
  CHECK(before.peak_bytes >= 2 * 800 + 10 * 1000);
  REQUIRE(r.run(kForget) == "");
  CHECK(r.info().peak_bytes == before.peak_bytes);
  CHECK(r.info().temporary_bytes == before.temporary_bytes);
}

TEST_CASE("profiles and traces work on the emulator", "[Runtime]") {
  Runner r("ptx-emulator");
  std::vector<adze_trace_event> seen;
  auto callback = [](void *user, const adze_trace_event *event) {
    static_cast<std::vector<adze_trace_event> *>(user)->push_back(*event);
  };
  rt::check(adze_request_set_trace(r.request.get(), callback, &seen));
  REQUIRE(r.run(kNormal) == "");
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].kernel == 0);
  CHECK(seen[0].bytes_read == 800);
  CHECK(seen[0].begin_ns < seen[0].end_ns);
}

TEST_CASE("devices are chosen by name, and must fit the artifact's target", "[Runtime]") {
  contains(failure([] { Runner("toaster"); }),
           "there is no device 'toaster' / the devices are: host, cuda, ptx-emulator");
  contains(failure([] { Runner("host"); }), "for target 'cuda'; device 'host' runs target 'host'");
  contains(failure([] { rt::Model(ADZE_FIXTURE, 1, "ptx-emulator"); }),
           "for target 'host'; device 'ptx-emulator' runs target 'cuda'");
  contains(failure([] { rt::Model(ADZE_FIXTURE, 1, "host:1"); }), "device 'host' has no '1'");
  CHECK(failure([] { rt::Model(ADZE_FIXTURE, 1, "host"); }) == "");
}

TEST_CASE("PTX that is not what the artifact says is refused", "[Runtime]") {
  auto refusal = [](auto change) {
    auto bytes = changed(change);
    return failure([&] { rt::Model::fromMemory(bytes.data(), bytes.size(), 1, "ptx-emulator"); });
  };
  using artifact::Contents;
  contains(refusal([](Contents &c) { c.variants[1].kernels[0].name = "gone"; }),
           "ADZ0607: the artifact's code is not loadable: kernel 'gone' is not in its PTX");
  contains(refusal([](Contents &c) { c.variants[1].kernels[0].parameterBytes[3] = 8; }),
           "ADZ0607: the artifact's code is not loadable: kernel 'scale' has other parameters");
  contains(refusal([](Contents &c) { c.variants[1].kernels[0].parameterBytes.pop_back(); }),
           "ADZ0607");
  std::string ptx = ".version 8.0\n.target sm_90a\n.entry scale(";
  auto with = [&](Contents &c) {
    for (artifact::Section &s : c.sections)
      if (s.kind == artifact::SectionKind::Ptx)
        s = artifact::Section::of(s.kind, s.name, std::as_bytes(std::span(ptx)));
  };
  contains(refusal(with), "ADZ0747: the artifact's PTX cannot be emulated: line 3: ");
  contains(refusal([](Contents &c) { c.variants.clear(); }),
           "ADZ0745: the artifact has code for no device; none of it runs on the PTX emulator");
}

TEST_CASE("requests share a program on the emulator", "[Runtime]") {
  rt::Model model(ADZE_DEVICE_FIXTURE, 2, "ptx-emulator");
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      rt::Request request(model);
      std::vector<float> x(100 + t, 2);
      int32_t mode = kNormal;
      for (int i = 0; i < 5; ++i) {
        request.setInput("x", x.data(), {100 + t});
        request.setInput("mode", &mode, {});
        request.run();
        auto y = request.output<float>("y");
        right += y.size == x.size() && y.data[99 + t] == 6;
      }
    });
  for (std::thread &t : threads) t.join();
  CHECK(right == 20);
}
