// The device "cuda" over the tests' own driver (test/driver): what is called, in which
// order, and what becomes of errors.
#include "lib/Runtime/CudaGpu.h"
#include "lib/Runtime/DlPack.h"
#include "test/unit/Runtime/DeviceModel.h"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <list>
#include <span>
#include <thread>
#include <utility>

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
    find(library, "fake_memory", memory);
    find(library, "fake_version", version);
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
  void (*memory)(uint64_t bytes) = nullptr;
  void (*version)(int version) = nullptr;
};

/// The fixture with other sections or variants, on the tests' driver.
std::string refusal(const std::function<void(artifact::Contents &)> &change) {
  auto bytes = changed(change);
  return failure([&] { rt::Model::fromMemory(bytes.data(), bytes.size(), 1, "cuda"); });
}

artifact::Section section(artifact::SectionKind kind, const char *name, std::string_view text) {
  return artifact::Section::of(kind, name, std::as_bytes(std::span(text)));
}
/// The GPU as another library uses it: memory and a stream of its own.
struct OtherLibrary {
  explicit OtherLibrary(int number = 0) {
    Diagnostic error;
    gpu = runtime::CudaGpu::open(number, error);
    REQUIRE(gpu);
    REQUIRE(gpu->retain(error));
    runtime::CurrentContext current(*gpu);
    REQUIRE(gpu->api.streamCreate(&stream, 1) == 0);
  }
  ~OtherLibrary() {
    runtime::CurrentContext current(*gpu);
    for (auto p : memory) gpu->api.memFree(p);
    if (stream) gpu->api.streamDestroy(stream);
  }
  template <typename T = float>
  T *make(size_t n) {
    runtime::CurrentContext current(*gpu);
    REQUIRE(gpu->api.memAlloc(&memory.emplace_back(), n * sizeof(T)) == 0);
    return reinterpret_cast<T *>(memory.back());
  }
  /// Enqueued.
  template <typename T>
  void write(T *to, const std::vector<T> &from) {
    runtime::CurrentContext current(*gpu);
    auto bytes = std::as_bytes(std::span(from));
    auto &held = sent.emplace_back(bytes.begin(), bytes.end());
    auto p = reinterpret_cast<runtime::cuda::Pointer>(to);
    CHECK(gpu->api.memcpyHtoDAsync(p, held.data(), held.size(), stream) == 0);
  }
  template <typename T>
  std::vector<T> read(const T *from, size_t n) {
    runtime::CurrentContext current(*gpu);
    std::vector<T> to(n);
    auto p = reinterpret_cast<runtime::cuda::Pointer>(from);
    CHECK(gpu->api.memcpyDtoHAsync(to.data(), p, n * sizeof(T), stream) == 0);
    CHECK(gpu->api.streamSynchronize(stream) == 0);
    return to;
  }

  std::shared_ptr<runtime::CudaGpu> gpu;
  runtime::cuda::Stream stream = nullptr;
  std::vector<runtime::cuda::Pointer> memory;
  std::list<std::vector<std::byte>> sent;
};

adze_status *setInput(Runner &r, size_t index, int32_t dtype, const std::vector<int64_t> &shape,
                      void *data, int32_t memory = ADZE_MEMORY_DEVICE,
                      const int64_t *strides = nullptr) {
  adze_tensor t = ADZE_INIT(adze_tensor);
  t.dtype = dtype, t.rank = static_cast<int32_t>(shape.size()), t.shape = shape.data();
  t.data = data, t.memory = memory, t.strides = strides;
  return adze_request_set_input(r.request.get(), index, &t);
}

std::span<const float> results(const rt::Request &request, const char *name) {
  auto out = request.output<float>(name);
  return {out.data, out.size};
}

adze_tensor outputOf(const Runner &r, size_t index) {
  adze_tensor t = ADZE_INIT(adze_tensor);
  rt::check(adze_request_output(r.request.get(), index, &t));
  return t;
}

/// All inputs and outputs in the GPU's memory: x and the mode of the other library's.
void stayOnDevice(Runner &r, float *x, int64_t n, int32_t *mode) {
  r.request.setInput("x", x, {n}, ADZE_MEMORY_DEVICE);
  r.request.setInput("mode", mode, {}, ADZE_MEMORY_DEVICE);
  for (const char *name : {"y", "same", "even"}) r.request.placeOutput(name, ADZE_MEMORY_DEVICE);
}

std::vector<float> ramp(size_t n, float factor = 1, size_t step = 1) {
  std::vector<float> v;
  for (size_t i = 0; i < n; i += step) v.push_back(static_cast<float>(i) * factor);
  return v;
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
    adze_model_info info = ADZE_INIT(adze_model_info);
    rt::check(adze_model_get_info(r.model.get(), &info));
    CHECK(std::string(info.product) == "Emulated GPU 0");
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

TEST_CASE("unified memory may be more than the GPU's", "[Runtime]") {
  Driver driver;
  DLManagedTensor *kept = nullptr;
  {
    driver.memory(1 << 20);
    // The arena alone is 2 MiB.
    contains(Runner("cuda").run(kNormal), "ADZ0720");
    driver.reset(9, 0, 1);
    driver.memory(1 << 20);
    Runner r("cuda:0/unified");
    CHECK(driver.count("MemAllocManaged 64") == 1);  // weights
    CHECK(driver.count("MemAdvise 3 64") == 1);      // the GPU is their place
    CHECK(driver.count("MemAdvise 1 64") == 1);      // and they are read only
    CHECK(driver.count("MemPrefetchAsync 64") == 1);
    REQUIRE(r.run(kNormal) == "");
    CHECK(r.right(3));
    CHECK(driver.count("MemAlloc ") == 0);
    CHECK(driver.count("MemAllocManaged 2097152") == 1);
    CHECK(driver.count("MemAdvise 3 2097152") == 1);
    CHECK(driver.count("MemPrefetchAsync") == 1);  // no room for the arena
    REQUIRE(r.run(kCopies, 2000) == "");
    CHECK(r.right(6));
    driver.reset(9, 0, 1);
    REQUIRE(r.run(kNormal, 1 << 20) == "");
    CHECK(r.right(3));
    CHECK(driver.count("MemPrefetchAsync 8388608") == 1);
    // What is left there is anybody's.
    r.request.placeOutput("y", ADZE_MEMORY_DEVICE);
    REQUIRE(r.run(kNormal) == "");
    rt::check(adze_request_output_dlpack(r.request.get(), 0, &kept));
    auto *managed = reinterpret_cast<runtime::dlpack::ManagedTensor *>(kept);
    CHECK(managed->tensor.deviceType == runtime::dlpack::kCudaManaged);
    CHECK(static_cast<float *>(managed->tensor.data)[199] == 3 * 199);
    rt::check(adze_request_set_input_dlpack(r.request.get(), 0, kept));
    r.request.run();
    CHECK(static_cast<float *>(outputOf(r, 0).data)[199] == 9 * 199);
  }
  CHECK(driver.live() == 0);
  for (const char *hint : {"MemAdvise", "MemPrefetchAsync", "MemGetInfo"}) {
    driver.fail(hint, 801, 0);
    Runner r("cuda/unified");
    CHECK(r.run(kNormal) == "");
  }
  driver.fail("MemAllocManaged", 2, 0);
  contains(failure([] { Runner("cuda/unified"); }), "ADZ0720");
  driver.reset(5, 2, 1);
  contains(failure([] { Runner("cuda/unified"); }),
           "Emulated GPU 0 has no unified memory that the host may use while kernels run");
  CHECK(driver.live() == 0);
}

TEST_CASE("a model may have a part of a GPU", "[Runtime]") {
  Driver driver;
  {
    Runner r("cuda:0/50%");
    // 66 of 132 multiprocessors: the driver gives them in eights.
    CHECK(driver.count("DevSmResourceSplitByCount 66") == 2);
    CHECK(driver.count("GreenCtxCreate 72") == 1);
    REQUIRE(r.run(kCopies) == "");
    CHECK(r.right(6));
    CHECK(driver.count("GreenCtxStreamCreate") == 2);  // weights, the request
    CHECK(driver.count("StreamCreate") == 0);
  }
  CHECK(driver.live() == 0);
  driver.reset(9, 0, 1);
  // Two models, each with a quarter of its own, one in unified memory.
  Runner first("cuda/25%"), second("cuda/25%@3/unified");
  CHECK(driver.count("GreenCtxCreate 40") == 2);
  REQUIRE(first.start(kNormal) == "");
  REQUIRE(second.start(kNormal) == "");
  first.request.wait();
  second.request.wait();
  CHECK((first.right(3) && second.right(3)));
  contains(failure([] { Runner("cuda/25%@4"); }),
           "Emulated GPU 0 has 3 part(s) of 25% of its 132 multiprocessors, and none with "
           "number 4");
  contains(failure([] { Runner("cuda/100%@2"); }), "0 part(s) of 100%");
  CHECK(failure([] { Runner("cuda/100%"); }) == "");
  CHECK(driver.count("GreenCtxCreate") == 2);
  for (const char *share : {"0%", "101%", "x%", "%", "50%@", "50%@0", "50%2", "-5%"})
    contains(failure([&] { Runner(std::string("cuda/") + share); }), "ADZ0702");
}

TEST_CASE("where a GPU cannot be divided, the error says so", "[Runtime]") {
  Driver driver;
  for (const char *call : {"DeviceGetDevResource", "DevSmResourceSplitByCount",
                           "DevResourceGenerateDesc", "GreenCtxCreate", "GreenCtxStreamCreate"}) {
    driver.fail(call, 801, 0);
    contains(failure([] { Runner("cuda/50%").run(kNormal); }), "CUDA_ERROR_NOT_SUPPORTED");
    CHECK(driver.live() == 0);
  }
  driver.version(12040);
  contains(failure([] { Runner("cuda/50%"); }),
           "the CUDA driver cannot divide a GPU: it has no cuGreenCtxStreamCreate / "
           "install one of CUDA 12.5");
  CHECK(failure([] { Runner("cuda"); }) == "");
  driver.version(13000);
  CHECK(driver.live() == 0);
}

TEST_CASE("requests in several threads have a stream each", "[Runtime]") {
  Driver driver;
  {
    rt::Model model(ADZE_DEVICE_FIXTURE, 1, "cuda/pinned=40960");
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int64_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        rt::Request request(model);
        int32_t mode = t % 2 ? kNormal : kCopies;
        request.setInput("mode", &mode, {});
        for (int64_t i = 0; i < 12; ++i) {
          int64_t n = 100 * t + 700 * (i / 4 % 2) + 1;
          auto x = ramp(static_cast<size_t>(n));
          request.setInput("x", x.data(), {n});
          std::string error = failure([&] { request.run(); });
          auto wanted = ramp(x.size(), mode == kCopies ? 6 : 3);
          wrong += !error.empty() || !std::ranges::equal(wanted, results(request, "y"));
        }
      });
    for (std::thread &t : threads) t.join();
    CHECK(wrong == 0);
    CHECK(driver.count("StreamCreate") == 1 + 4);  // one for the weights
  }
  CHECK(driver.live() == 0);
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
  driver.fail("EventCreate", 1, 0);
  contains(Runner("cuda").run(kNormal), "ADZ0744: cannot make an event");
  contains(r.run(kAllocTooMuch), "ADZ0720: out of memory on the device");
  contains(r.run(kNoSuchKernel), "ADZ0790");
  REQUIRE(r.run(kNormal) == "");
  CHECK(r.right(3));
}

TEST_CASE("inputs and results stay in the GPU's memory", "[Runtime]") {
  Driver driver;
  DLManagedTensor *kept = nullptr;
  {
    OtherLibrary other;
    auto *x = other.make(201), *y = other.make(200);
    auto *mode = other.make<int32_t>(1);
    other.write(x, ramp(201));
    other.write(mode, std::vector<int32_t>{kNormal});
    other.read(x, 1);  // waits
    Runner r("cuda");
    stayOnDevice(r, x, 200, mode);
    r.request.placeOutput("y", ADZE_MEMORY_DEVICE, y, 800);
    driver.reset(9, 0, 1);
    r.request.run();
    CHECK(other.read(y, 200) == ramp(200, 3));
    for (size_t i = 0; i < 3; ++i) CHECK(outputOf(r, i).memory == ADZE_MEMORY_DEVICE);
    CHECK(outputOf(r, 0).data == y);
    auto *same = static_cast<float *>(outputOf(r, 1).data);
    CHECK(same != x);  // results are the library's
    CHECK(other.read(same, 200) == ramp(200));
    CHECK(other.read(static_cast<float *>(outputOf(r, 2).data), 100) == ramp(200, 3, 2));
    // The mode, and the strided result by way of the host; what this test read.
    CHECK(driver.count("MemcpyHtoDAsync") == 1);
    CHECK(driver.count("MemcpyDtoHAsync") == 2 + 3);

    // The same memory again, unless somebody keeps it.
    r.request.run();
    CHECK(outputOf(r, 1).data == same);
    rt::check(adze_request_output_dlpack(r.request.get(), 1, &kept));
    auto &shared = reinterpret_cast<runtime::dlpack::ManagedTensor *>(kept)->tensor;
    CHECK(shared.deviceType == runtime::dlpack::kCuda);
    CHECK(shared.deviceId == 0);
    CHECK(shared.data == same);
    DLManagedTensor *none = nullptr;
    contains(failure([&] {
               rt::check(adze_request_output_dlpack(r.request.get(), 0, &none));
             }),
             "ADZ0711");
    // Where kernels cannot read it, it is copied.
    rt::check(setInput(r, 0, ADZE_FLOAT32, {200}, x + 1));
    r.request.run();
    CHECK(outputOf(r, 1).data != same);
    CHECK(other.read(same, 200) == ramp(200));
    CHECK(other.read(y, 1) == std::vector<float>{3});
    // It is an input of another model.
    Runner next("cuda");
    rt::check(setInput(next, 1, ADZE_INT32, {}, mode));
    rt::check(adze_request_set_input_dlpack(next.request.get(), 0, kept));
    next.request.run();
    CHECK(next.request.output<float>("y").data[199] == 3 * 199);
    // Empty tensors need no memory.
    rt::check(setInput(r, 0, ADZE_FLOAT32, {0}, nullptr));
    r.request.run();
    CHECK(outputOf(r, 0).bytes == 0);
  }
  INFO(driver.log());
  CHECK(driver.live() == 0);
}

TEST_CASE("what is no memory of the GPU is refused", "[Runtime]") {
  Driver driver(9, 0, 2);
  {
    OtherLibrary first(0), second(1);
    Runner r("cuda:1");
    float here[8] = {};
    auto *there = first.make(64), *x = second.make(64);
    auto text = [&](adze_status *s) { return failure([&] { rt::check(s); }); };
    auto place = [&](Runner &which, void *p, size_t bytes) {
      return text(adze_request_place_output(which.request.get(), 0, 1, p, bytes));
    };
    CHECK(text(setInput(r, 0, ADZE_FLOAT32, {64}, x)) == "");
    contains(text(setInput(r, 0, ADZE_FLOAT32, {8}, here)),
             "ADZ0708: input 'x' is not in the memory of GPU 1");
    contains(text(setInput(r, 0, ADZE_FLOAT32, {64}, there)), "ADZ0708");
    contains(text(setInput(r, 0, ADZE_FLOAT32, {1 << 20}, x)), "ADZ0708");
    contains(text(setInput(r, 0, ADZE_FLOAT32, {64}, nullptr)), "ADZ0708");
    int64_t two = 2;
    contains(text(setInput(r, 0, ADZE_FLOAT32, {32}, x, 1, &two)), "ADZ0714: input 'x' is strided");
    contains(text(setInput(r, 0, ADZE_FLOAT32, {64}, x, 7)), "ADZ0701");
    contains(place(r, there, 256), "ADZ0708: output 'y' is not in the memory of GPU 1");
    int32_t mode = kNormal;
    rt::check(setInput(r, 1, ADZE_INT32, {}, &mode, ADZE_MEMORY_HOST));
    REQUIRE(place(r, x, 255) == "");
    contains(failure([&] { r.request.run(); }), "ADZ0712");
    REQUIRE(place(r, nullptr, 0) == "");
    r.request.run();
    CHECK(outputOf(r, 0).memory == ADZE_MEMORY_DEVICE);
    CHECK(outputOf(r, 1).memory == ADZE_MEMORY_HOST);
    driver.fail("PointerGetAttribute", 1, 4);
    contains(text(setInput(r, 0, ADZE_FLOAT32, {64}, x)), "ADZ0708");

    Runner emulated("ptx-emulator");
    contains(text(setInput(emulated, 0, ADZE_FLOAT32, {64}, x)),
             "ADZ0714: input 'x' is on a GPU, and this model is not");
    contains(place(emulated, nullptr, 0), "ADZ0714: output 'y' is on a GPU");
    contains(text(adze_request_set_stream(emulated.request.get(), second.stream)),
             "ADZ0714: the stream is on a GPU");
    CHECK(text(adze_model_synchronize(emulated.model.get())) == "");
  }
  CHECK(driver.live() == 0);
}

TEST_CASE("work goes to the caller's stream, and nobody waits for it", "[Runtime]") {
  Driver driver;
  {
    OtherLibrary other;
    size_t n = 3000;
    auto *x = other.make(n), *y = other.make(n);
    auto *mode = other.make<int32_t>(1);
    Runner r("cuda");
    other.write(mode, std::vector<int32_t>{kNormal});
    stayOnDevice(r, x, 200, mode);
    auto *handle = r.request.get();
    r.request.placeOutput("y", ADZE_MEMORY_DEVICE, y, 4 * n);
    r.request.setStream(other.stream);
    // Runs of several sizes, the arena's with them, behind what makes their input.
    other.write(x, ramp(n));
    r.request.start();
    std::vector<float> before(200);
    {
      runtime::CurrentContext current(*other.gpu);
      auto p = reinterpret_cast<runtime::cuda::Pointer>(y);
      other.gpu->api.memcpyDtoHAsync(before.data(), p, 800, other.stream);
    }
    CHECK(outputOf(r, 0).data == y);
    CHECK(before[199] == 0);
    other.write(x, ramp(n, 5));
    rt::check(setInput(r, 0, ADZE_FLOAT32, {int64_t(n)}, x));
    r.request.start();
    CHECK(other.read(y, n) == ramp(n, 15));
    CHECK(before == ramp(200, 3));
    // A result that somebody holds, and uses when he lets go of it.
    r.request.start();
    DLManagedTensor *kept = nullptr;
    rt::check(adze_request_output_dlpack(handle, 1, &kept));
    auto *managed = reinterpret_cast<runtime::dlpack::ManagedTensor *>(kept);
    std::vector<float> used(n);
    {
      runtime::CurrentContext current(*other.gpu);
      auto p = reinterpret_cast<runtime::cuda::Pointer>(managed->tensor.data);
      other.gpu->api.memcpyDtoHAsync(used.data(), p, 4 * n, other.stream);
    }
    r.request.start();
    managed->deleter(kept);
    CHECK(used == ramp(n, 5));
    for (int i = 0; i < 20; ++i) r.request.start();  // graphs, soon
    CHECK(driver.count("GraphLaunch") > 10);
    // The next comes behind on another stream, here the request's own.
    r.request.setStream(nullptr);
    driver.fail("StreamWaitEvent", 1, 0);
    contains(failure([&] { r.request.start(); }), "ADZ0744: cannot wait for the run before");
    driver.reset(9, 0, 1);
    r.request.start();
    CHECK(driver.count("StreamWaitEvent") == 1);
    CHECK(driver.count("EventSynchronize") == 0);
    r.request.wait();
    CHECK(driver.count("EventSynchronize") == 1);
    r.request.wait();
    CHECK(driver.count("EventSynchronize") == 1);
    CHECK(other.read(y, n) == ramp(n, 15));
    // The legacy stream, and one that goes before the request does.
    r.request.setStream(reinterpret_cast<void *>(1));
    r.request.start();
    rt::check(adze_model_synchronize(r.model.get()));
    CHECK(driver.count("CtxSynchronize") == 1);
    r.request.setStream(other.stream);
    r.request.start();
    runtime::CurrentContext current(*other.gpu);
    other.gpu->api.streamDestroy(std::exchange(other.stream, nullptr));
  }
  INFO(driver.log());
  CHECK(driver.live() == 0);
}

TEST_CASE("an input's owner hears when no work needs it any more", "[Runtime]") {
  Driver driver;
  OtherLibrary other;
  auto *x = other.make(256);
  auto *mode = other.make<int32_t>(1);
  other.write(mode, std::vector<int32_t>{kNormal});
  other.write(x, ramp(256));
  other.read(mode, 1);
  static int waits;
  static Driver *log;
  log = &driver, waits = -1;
  Runner r("cuda");
  stayOnDevice(r, x, 256, mode);
  int64_t shape[] = {256};
  runtime::dlpack::ManagedTensor managed{};
  managed.tensor = {x, runtime::dlpack::kCuda, 0, 1, {2, 32, 1}, shape, nullptr, 0};
  managed.deleter = [](DLManagedTensor *) { waits = log->count("EventSynchronize"); };
  rt::check(adze_request_set_input_dlpack(r.request.get(), 0,
                                          reinterpret_cast<DLManagedTensor *>(&managed)));
  r.request.start();
  CHECK(waits == -1);
  rt::check(setInput(r, 0, ADZE_FLOAT32, {256}, x));
  CHECK(waits == 1);
}

TEST_CASE("errors of work that nobody waited for show later", "[Runtime]") {
  for (const char *call : {"EventRecord", "LaunchKernel", "EventSynchronize", "CtxSynchronize"}) {
    INFO(call);
    Driver driver;
    {
      OtherLibrary other;
      auto *x = other.make(200);
      auto *mode = other.make<int32_t>(1);
        other.write(mode, std::vector<int32_t>{kNormal});
      other.write(x, ramp(200));
      other.read(mode, 1);
      Runner r("cuda");
      stayOnDevice(r, x, 200, mode);
      driver.fail(call, 719, 0);
      std::string text = failure([&] {
        r.request.start();
        r.request.wait();
        rt::check(adze_model_synchronize(r.model.get()));
      });
      contains(text, "ADZ0744: cannot ");
      CHECK(failure([&] { r.request.run(); }) == "");
    }
    CHECK(driver.live() == 0);
  }
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
