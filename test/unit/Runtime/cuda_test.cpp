// The device "cuda" over the tests' own driver (test/driver): what is called, in which
// order, and what becomes of errors.
#include "lib/Runtime/DlPack.h"
#include "test/unit/Runtime/DeviceModel.h"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

using namespace adze;
using namespace adze::device_test;

namespace {
/// The tests' driver. Once it is loaded, it is found under the real one's name.
struct Driver {
  explicit Driver(int major = 9, int minor = 0, int devices = 1) {
    void *library = ::dlopen(ADZE_TEST_DRIVER, RTLD_NOW | RTLD_LOCAL);
    REQUIRE(library);
    find(library, "fake_reset", reset);
    find(library, "fake_log", log);
    find(library, "fake_fail", fail);
    find(library, "fake_live", live);
    reset(major, minor, devices);
  }

  template <typename F>
  static void find(void *library, const char *name, F &function) {
    function = reinterpret_cast<F>(::dlsym(library, name));
    REQUIRE(function);
  }

  /// How often the log has a line that begins so.
  int count(const std::string &begin) const {
    std::string text = std::string("\n") + log();
    int n = 0;
    for (size_t at = 0; (at = text.find("\n" + begin, at)) != std::string::npos; ++at) ++n;
    return n;
  }
  /// Whether both are there, the first before the second.
  bool before(const char *first, const char *second) const {
    const char *a = std::strstr(log(), first), *b = std::strstr(log(), second);
    return a && b && a < b;
  }

  void (*reset)(int major, int minor, int devices) = nullptr;
  const char *(*log)() = nullptr;
  void (*fail)(const char *name, int result, int after) = nullptr;
  int (*live)() = nullptr;
};

/// The fixture with other sections or variants, on the tests' driver.
std::string refusal(const std::function<void(artifact::Contents &)> &change) {
  auto bytes = changed(change);
  return failure([&] { rt::Model::fromMemory(bytes.data(), bytes.size(), 1, "cuda"); });
}

artifact::Section section(artifact::SectionKind kind, const char *name, std::string_view text) {
  return artifact::Section::of(kind, name, std::as_bytes(std::span(text)));
}
}  // namespace

TEST_CASE("without a driver, the error says what there is instead", "[Runtime]") {
  // In a child, where no other test has loaded the tests' own.
  pid_t child = fork();
  if (child == 0) {
    if (::dlopen("libcuda.so.1", RTLD_NOW)) _exit(77);
    std::string text = failure([] { Runner("cuda"); });
    const char *wanted =
        "no CUDA driver (libcuda.so.1) / `--device ptx-emulator` runs the kernels on the CPU";
    _exit(text.rfind("ADZ0743", 0) == 0 && text.find(wanted) != std::string::npos ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK((WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77));  // 77: there is one
}

TEST_CASE("a GPU runs an artifact: kernels, copies, tensor maps, shared memory", "[Runtime]") {
  Driver driver;
  {
    Runner r("");  // the default of an artifact for CUDA
    CHECK(driver.count("ModuleLoadDataEx ptx") == 1);
    CHECK(driver.count("ModuleGetFunction") == 4);  // sm_90a is the better variant
    CHECK(driver.count("FuncSetAttribute scale 232448") == 1);
    CHECK(driver.count("FuncSetAttribute box 232376") == 1);  // 72 bytes are its own
    CHECK(driver.count("MemAlloc 64") == 1);                  // weights
    for (int64_t n : {200, 1, 129, 4096}) {
      REQUIRE(r.run(kNormal, n) == "");
      CHECK(r.right(3));
    }
    CHECK(driver.count("MemAlloc 64") == 1);
    REQUIRE(r.run(kNormal, 0) == "");
    REQUIRE(r.run(kCopies) == "");
    CHECK(r.right(6));
    REQUIRE(r.run(kSharedMemory) == "");
    CHECK(r.right(3));
    REQUIRE(r.run(kTensorMap, 160) == "");
    CHECK(r.right(1));
    CHECK(driver.count("TensorMapEncodeTiled type 2 rank 1 extent 160 box 16 swizzle 0") == 1);
    int launches = driver.count("LaunchKernel");
    REQUIRE(r.run(kNoBlocks) == "");
    CHECK(driver.count("LaunchKernel") == launches + 1);
  }
  INFO(driver.log());
  CHECK(driver.live() == 0);
  CHECK(driver.count("CtxPushCurrent") == driver.count("CtxPopCurrent"));
}

TEST_CASE("memory of a GPU is kept for the next run, and the arena grows", "[Runtime]") {
  Driver driver;
  Runner r("cuda");
  REQUIRE(r.run(kForget) == "");
  driver.reset(9, 0, 1);
  REQUIRE(r.run(kForget) == "");
  CHECK(driver.count("MemAlloc") == 0);
  CHECK(driver.count("MemFree") == 0);
  adze_request_info info = r.info();
  CHECK(info.arena_bytes == 2 << 20);
  // Runs without the ten blocks: the last of these gives up waiting for another.
  for (int i = 0; i < 8; ++i) {
    CHECK(driver.count("MemFree") == 0);
    REQUIRE(r.run(kNormal) == "");
  }
  CHECK(driver.count("MemFree") == 10);
  CHECK(r.info().temporary_bytes < info.temporary_bytes);
  REQUIRE(r.run(kNormal, 1 << 20) == "");
  CHECK(r.right(3));
  CHECK(r.info().arena_bytes == 8 << 20);
  CHECK(driver.count("MemAlloc 8388608") == 1);
}

TEST_CASE("a launch is enqueued, and waited for where its result is read", "[Runtime]") {
  Driver driver;
  Runner r("cuda");
  driver.reset(9, 0, 1);
  REQUIRE(r.run(kNormal) == "");
  // Two inputs and the mode back; the kernel and three outputs; nothing at the end.
  CHECK(driver.count("StreamSynchronize 3") == 1);
  CHECK(driver.count("StreamSynchronize 4") == 1);
  CHECK(driver.count("StreamSynchronize 0") == 1);
  CHECK(driver.count("StreamSynchronize") == 3);
}

TEST_CASE("copies go through page-locked memory, which is kept", "[Runtime]") {
  Driver driver;
  DLManagedTensor *kept = nullptr;
  {
    Runner r("cuda");
    REQUIRE(r.run(kNormal) == "");
    // Two inputs and three results, one of them made row-major: each in pages of its own.
    CHECK(driver.count("MemHostAlloc 4096") == 6);
    adze_host_memory m = r.hostMemory();
    CHECK(m.limit == 256 << 20);
    CHECK(m.held == 6 * 4096);
    CHECK(m.most_in_use == 6 * 4096);
    CHECK(m.refused == 0);
    driver.reset(9, 0, 1);
    REQUIRE(r.run(kNormal) == "");
    CHECK(r.right(3));
    CHECK(driver.count("MemHostAlloc") == 0);
    CHECK(driver.count("MemFreeHost") == 0);
    // A large input goes in pieces, each copied while the one before is on its way.
    REQUIRE(r.run(kWriteNothing, 9 << 18) == "");
    CHECK(driver.count("MemcpyHtoDAsync 4194304") == 2);
    CHECK(driver.count("MemcpyHtoDAsync 1048576") == 1);
    CHECK(r.request.output<float>("same").data[9 << 17] == 9 << 17);
    // A result that is kept outlives all else.
    rt::check(adze_request_output_dlpack(r.request.get(), 1, &kept));
  }
  CHECK(driver.live() == 2);  // the block and the context
  auto *managed = reinterpret_cast<runtime::dlpack::ManagedTensor *>(kept);
  managed->deleter(kept);
  CHECK(driver.live() == 0);
}

TEST_CASE("where there is no page-locked memory, any other does", "[Runtime]") {
  Driver driver;
  auto held = [&](const char *device, int64_t n) {
    Runner r(device);
    REQUIRE(r.run(kCopies, n) == "");
    CHECK(r.right(6));
    CHECK(r.hostMemory().held <= r.hostMemory().limit);
    CHECK(r.hostMemory().refused > 0);
    return r.hostMemory().held;
  };
  CHECK(held("cuda:0/pinned=0", 200) == 0);
  CHECK(held("cuda/pinned=8192", 200) == 8192);
  CHECK(held("cuda/pinned=4096", 5000) == 4096);  // the mode
  driver.fail("MemHostAlloc", 2, 0);
  CHECK(held("cuda", 200) > 0);
  CHECK(driver.live() == 0);
  // What is kept makes room for blocks of another size.
  Runner r("cuda/pinned=40960");
  REQUIRE(r.run(kNormal, 200) == "");
  REQUIRE(r.run(kNormal, 2000) == "");
  REQUIRE(r.run(kNormal, 200) == "");
  CHECK(r.right(3));
  CHECK(driver.count("MemFreeHost") > 0);
}

TEST_CASE("two requests in one thread take turns", "[Runtime]") {
  Driver driver;
  {
    Runner a("cuda"), b("cuda");
    driver.reset(9, 0, 1);
    REQUIRE(a.start(kNormal, 300) == "");
    REQUIRE(b.start(kCopies, 400) == "");
    // Nobody has waited for their results.
    CHECK(driver.count("StreamSynchronize 4") == 0);
    contains(failure([&] { a.request.output<float>("y"); }), "ADZ0710: the request was started");
    contains(a.start(kNormal), "ADZ0710: the request was started");
    a.request.wait();
    a.request.wait();
    CHECK(a.right(3));
    REQUIRE(a.start(kCopies, 5000) == "");
    b.request.wait();
    CHECK(b.right(6));
    a.request.cancel();  // too late
    a.request.wait();
    CHECK(a.right(6));
    // An error of a start leaves nothing to wait for, one of a wait no results.
    contains(a.start(kFail), "ADZ0730");
    a.request.wait();
    REQUIRE(a.start(kNormal) == "");
    driver.fail("StreamSynchronize", 999, 0);
    contains(failure([&] { a.request.wait(); }), "ADZ0744: cannot finish all up to kernel 'scale'");
    contains(failure([&] { a.request.output<float>("y"); }), "ADZ0711");
    REQUIRE(a.run(kNormal) == "");
    CHECK(a.right(3));
    REQUIRE(a.start(kNormal) == "");  // and it goes
  }
  CHECK(driver.live() == 0);
}

TEST_CASE("work that comes again is a graph", "[Runtime]") {
  Driver driver;
  {
    Runner r("cuda");
    auto calls = [&](int64_t n) {
      driver.reset(9, 0, 1);
      REQUIRE(r.run(kCopies, n) == "");
      CHECK(r.right(6));
      return std::to_string(driver.count("LaunchKernel")) + " launches, " +
             std::to_string(driver.count("GraphLaunch 2")) + " graphs, " +
             std::to_string(driver.count("StreamBeginCapture")) + " captures";
    };
    // The second run may still find its memory at other addresses than the first.
    auto capturesInThree = [&](int64_t n, const char *failing = "") {
      driver.reset(9, 0, 1);
      driver.fail(failing, 1, 0);
      for (int i = 0; i < 3; ++i) {
        REQUIRE(r.run(kCopies, n) == "");
        CHECK(r.right(6));
      }
      return driver.count("StreamBeginCapture");
    };
    CHECK(capturesInThree(200) == 1);
    CHECK(calls(200) == "0 launches, 1 graphs, 0 captures");
    // A graph for each of several sizes.
    CHECK(capturesInThree(5000) == 1);
    CHECK(calls(5000) == "0 launches, 1 graphs, 0 captures");
    CHECK(calls(200) == "0 launches, 1 graphs, 0 captures");
    // Where the driver does not want to, nothing is lost, and it is not asked again.
    int64_t n = 6000;
    for (const char *call :
         {"StreamBeginCapture", "StreamEndCapture", "GraphInstantiateWithFlags"}) {
      INFO(call);
      CHECK(capturesInThree(n += 2000, call) == 1);
      CHECK(calls(n) == "1 launches, 0 graphs, 0 captures");
    }
    // Many sizes: those used longest ago are forgotten.
    for (n = 1000; n < 1100; ++n) REQUIRE(r.run(kCopies, n) == "");
    CHECK(calls(200) == "1 launches, 0 graphs, 0 captures");
    // A profile wants each kernel by itself.
    auto ignore = [](void *, int64_t, int64_t, int64_t) {};
    rt::check(adze_request_set_profile(r.request.get(), ignore, nullptr));
    CHECK(calls(200) == "1 launches, 0 graphs, 0 captures");
    CHECK(calls(200) == "1 launches, 0 graphs, 0 captures");
  }
  CHECK(driver.live() == 0);
}

TEST_CASE("errors of the driver come back with what was done, and the next run works",
          "[Runtime]") {
  Driver driver;
  Runner r("cuda");
  contains(r.run(kReadOutside, 192), "ADZ0744: cannot read from the GPU");
  driver.fail("LaunchKernel", 1, 0);
  contains(r.run(kNormal),
           "ADZ0744: cannot launch kernel 'scale': CUDA_ERROR_INVALID_VALUE: invalid argument");
  driver.fail("LaunchKernel", 12345, 0);
  contains(r.run(kNormal), "an unknown error: the driver does not say more");
  driver.fail("MemcpyHtoDAsync", 1, 0);
  contains(r.run(kNormal), "ADZ0744: cannot upload 'input x'");
  driver.fail("MemcpyDtoHAsync", 1, 1);
  contains(r.run(kNormal), "ADZ0744: cannot read from the GPU");
  driver.fail("TensorMapEncodeTiled", 1, 0);
  contains(r.run(kTensorMap, 160), "ADZ0744: cannot make a tensor map");
  driver.fail("CtxPushCurrent", 201, 0);
  contains(r.run(kNormal), "ADZ0744: cannot use the GPU's context");
  contains(r.run(kAllocTooMuch), "ADZ0720: out of memory on the device");
  contains(r.run(kNoSuchKernel), "ADZ0790");
  REQUIRE(r.run(kNormal) == "");
  CHECK(r.right(3));
}

TEST_CASE("after an error of a kernel nothing runs on the GPU, and all is given back",
          "[Runtime]") {
  Driver driver;
  {
    Runner r("cuda");
    contains(r.run(kRunOver, 192),
             "ADZ0744: cannot finish all up to kernel 'overrun': CUDA_ERROR_ILLEGAL_ADDRESS: an "
             "illegal memory access was encountered / `adze run --device");
    contains(r.run(kNormal), "CUDA_ERROR_ILLEGAL_ADDRESS");
    contains(failure([] { Runner("cuda"); }), "CUDA_ERROR_ILLEGAL_ADDRESS");
  }
  CHECK(driver.live() == 0);
}

TEST_CASE("where a GPU's memory runs out, what is kept makes room", "[Runtime]") {
  Driver driver;
  Runner r("cuda");
  REQUIRE(r.run(kForget) == "");
  driver.reset(9, 0, 1);
  driver.fail("MemAlloc", 2, 0);
  REQUIRE(r.run(kForget, 3000) == "");
  CHECK(driver.before("MemAlloc", "MemFree"));
  CHECK(r.right(3));
  Runner small("cuda", 1 << 20);
  contains(small.run(kNormal), "ADZ0720: out of memory on the device (2097152 bytes)");
}

TEST_CASE("every call to the driver may fail: an error, and nothing left behind", "[Runtime]") {
  Driver driver;
  const char *calls[] = {"Init",
                         "DeviceGetCount",
                         "DeviceGet",
                         "DeviceGetName",
                         "DeviceGetAttribute",
                         "DevicePrimaryCtxRetain",
                         "ModuleLoadDataEx",
                         "ModuleGetFunction",
                         "FuncGetAttribute",
                         "FuncSetAttribute",
                         "MemAlloc",
                         "MemcpyHtoDAsync",
                         "StreamCreate",
                         "StreamSynchronize",
                         "GetProcAddress"};
  for (const char *call : calls) {
    INFO(call);
    driver.reset(9, 0, 1);
    // An allocation is tried twice.
    driver.fail(call, 1, 0);
    CHECK(failure([] { Runner("cuda"); }).substr(0, 5) == "ADZ07");
    CHECK(driver.live() == 0);
  }
}

TEST_CASE("the variant nearest to the GPU is loaded, machine code where it fits", "[Runtime]") {
  using artifact::Contents;
  using artifact::SectionKind;
  auto loads = [](int major, int minor, auto change) {
    Driver driver(major, minor);
    auto bytes = changed(change);
    std::string text =
        failure([&] { rt::Model::fromMemory(bytes.data(), bytes.size(), 1, "cuda"); });
    bool box = driver.count("ModuleGetFunction box");
    return text.empty() ? std::string(box ? "sm_90a" : "sm_80") +
                              (driver.count("ModuleLoadDataEx cubin") ? " cubin" : "") +
                              (driver.count("ModuleLoadDataEx ptx") ? " ptx" : "")
                        : text;
  };
  auto nothing = [](Contents &) {};
  CHECK(loads(9, 0, nothing) == "sm_90a ptx");
  CHECK(loads(8, 0, nothing) == "sm_80 ptx");
  CHECK(loads(8, 9, nothing) == "sm_80 ptx");
  CHECK(loads(10, 0, nothing) == "sm_80 ptx");  // sm_90a is for 9.0 alone
  contains(loads(7, 5, nothing),
           "ADZ0745: the artifact has code for sm_80, sm_90a; none of it runs "
           "on Emulated GPU 0 (sm_75) / rebuild it for sm_75");
  // The tests' driver takes the magic with PTX behind it for machine code.
  std::string machineCode[2];
  auto cubins = [&](Contents &c) {
    for (int i = 0; i < 2; ++i) {
      const std::string &device = c.variants[i].device;
      auto ptx = c.find(SectionKind::Ptx, device)->bytes();
      machineCode[i] = "\177ELF";
      machineCode[i].append(reinterpret_cast<const char *>(ptx.data()), ptx.size()) += '\0';
      c.sections.push_back(section(SectionKind::Cubin, device.c_str(), machineCode[i]));
    }
  };
  CHECK(loads(8, 0, cubins) == "sm_80 cubin");
  CHECK(loads(8, 6, cubins) == "sm_80 cubin");
  CHECK(loads(9, 0, cubins) == "sm_90a cubin");
  CHECK(loads(12, 0, cubins) == "sm_80 ptx");
  CHECK(loads(8, 0, [](Contents &c) {
          c.sections.push_back(section(SectionKind::Cubin, "sm_80", {"\177ELF broken", 12}));
        }) == "sm_80 cubin ptx");
  auto odd = [](Contents &c) {
    for (artifact::Section &s : c.sections)
      if (s.name == "sm_90a") s.name = "gfx90a";
    c.variants[1].device = "gfx90a";
  };
  CHECK(loads(9, 0, odd) == "sm_80 ptx");
}

TEST_CASE("code that the driver does not take is refused with its reason", "[Runtime]") {
  using artifact::Contents;
  using artifact::SectionKind;
  Driver driver;
  auto withPtx = [](std::string_view text) {
    return [text](Contents &c) {
      for (artifact::Section &s : c.sections)
        if (s.kind == SectionKind::Ptx) s = section(s.kind, s.name.c_str(), text);
    };
  };
  contains(refusal(withPtx(".version 8.0\n.target sm_90a\n.entry scale(")),
           "ADZ0744: cannot load the artifact's code for 'sm_90a': CUDA_ERROR_INVALID_PTX: a PTX "
           "JIT compilation failed; line 3; fatal: ");
  contains(refusal(withPtx(".version 8.0\n.target sm_90a\n.address_size 64\n")),
           "ADZ0744: cannot find kernel 'scale': CUDA_ERROR_NOT_FOUND");
  driver.fail("ModuleLoadDataEx", 222, 0);
  contains(refusal([](Contents &) {}), " / install a newer NVIDIA driver");
  CHECK(driver.live() == 0);
}

TEST_CASE("GPUs are chosen by number", "[Runtime]") {
  Driver driver(9, 0, 2);
  {
    Runner r("cuda:1");
    CHECK(driver.count("DevicePrimaryCtxRetain 41") == 1);
    REQUIRE(r.run(kNormal) == "");
    CHECK(r.right(3));
  }
  CHECK(driver.count("DevicePrimaryCtxRelease 41") == 1);
  contains(failure([] { Runner("cuda:2"); }), "there is no GPU 2; there are 2");
  contains(failure([] { Runner("cuda:x"); }), "'x' is no GPU's number");
  contains(failure([] { Runner("cuda:-1"); }), "ADZ0702");
  contains(failure([] { Runner("cuda/fast"); }), "'fast' is no way to use a GPU");
  contains(failure([] { Runner("cuda:0/pinned=x"); }), "'pinned=x' is no way to use a GPU");
  contains(failure([] { Runner("cuda:0/pinned=-1"); }), "ADZ0702");
}

TEST_CASE("a GPU's run is cancelled between launches, and traced with waits", "[Runtime]") {
  Driver driver;
  Runner late("cuda", 0, 1);
  contains(late.run(kSpin), "ADZ0722");

  Runner r("cuda");
  std::vector<adze_trace_event> seen;
  auto callback = [](void *user, const adze_trace_event *event) {
    static_cast<std::vector<adze_trace_event> *>(user)->push_back(*event);
  };
  rt::check(adze_request_set_trace(r.request.get(), callback, &seen));
  driver.reset(9, 0, 1);
  REQUIRE(r.run(kNormal) == "");
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].flops == 200);
  CHECK(driver.count("StreamSynchronize 1") == 1);  // the kernel
  CHECK(driver.count("StreamSynchronize 3") == 2);  // inputs and the mode; three results
  CHECK(driver.count("StreamSynchronize 0") == 2);  // before the kernel, at the end
}
