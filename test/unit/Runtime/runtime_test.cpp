// The C API over a model whose code is fixture.c.
#include "adze/adze_rt.h"
#include "lib/Artifact/Artifact.h"
#include "lib/Support/File.h"

#include "catch2/catch.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <atomic>
#include <cstring>
#include <string>
#include <thread>

using namespace adze;

namespace {
enum Mode {
  kNormal,
  kAllocTooMuch,
  kFail,
  kFailInTask,
  kForget,
  kSpin,
  kReturn42,
  kNested,
  kAllocNegative,
  kCheckAlignment,
  kSlabTooMuch,
  kPlanNegative,
  kAllocInTask,
};

/// A status, destroyed; "" for success, else its id.
std::string id(adze_status *s) {
  std::string text = adze_status_id(s);
  if (s) {
    CHECK(adze_status_code(s) != ADZE_OK);
    CHECK(std::strlen(adze_status_message(s)) > 0);
  }
  adze_status_destroy(s);
  return text;
}

struct ModelHandle {
  explicit ModelHandle(int threads = 1) {
    adze_model_options options = ADZE_INIT(adze_model_options);
    options.threads = threads;
    adze_status *s = adze_model_load_file(ADZE_FIXTURE, &options, &model);
    INFO(adze_status_message(s));
    REQUIRE(!s);
  }
  ~ModelHandle() { adze_model_destroy(model); }
  adze_model *model = nullptr;
};

struct RequestHandle {
  explicit RequestHandle(const adze_model *m, int64_t limit = 0, int64_t timeout = 0) {
    adze_request_options options = ADZE_INIT(adze_request_options);
    options.memory_limit = limit;
    options.timeout_ms = timeout;
    REQUIRE(id(adze_request_create(m, &options, &request)) == "");
  }
  ~RequestHandle() { adze_request_destroy(request); }

  std::string set(size_t index, int32_t dtype, std::vector<int64_t> shape, void *data,
                  size_t bytes = 0, const int64_t *strides = nullptr) {
    adze_tensor t = ADZE_INIT(adze_tensor);
    t.dtype = dtype;
    t.rank = static_cast<int32_t>(shape.size());
    t.shape = shape.data();
    t.strides = strides;
    t.data = data;
    t.bytes = bytes;
    return id(adze_request_set_input(request, index, &t));
  }

  /// x = 0, 1, 2, ...; y = 10.
  std::string run(Mode mode, int64_t batch = 2, int64_t n = 3) {
    x.resize(static_cast<size_t>(batch * n));
    for (size_t i = 0; i < x.size(); ++i) x[i] = float(i);
    y.assign(x.size(), 10.0f);
    this->mode = mode;
    CHECK(set(0, ADZE_FLOAT32, {batch, n}, x.data()) == "");
    CHECK(set(1, ADZE_FLOAT32, {batch, n}, y.data()) == "");
    CHECK(set(2, ADZE_INT32, {}, &this->mode) == "");
    return id(adze_request_run(request));
  }

  adze_tensor output(size_t index) {
    adze_tensor t = ADZE_INIT(adze_tensor);
    REQUIRE(id(adze_request_output(request, index, &t)) == "");
    return t;
  }

  std::vector<float> values(size_t index) {
    adze_tensor t = output(index);
    const float *p = static_cast<const float *>(t.data);
    return {p, p + t.bytes / sizeof(float)};
  }

  adze_request *request = nullptr;
  std::vector<float> x, y;
  int32_t mode = 0;
};

using Floats = std::vector<float>;

std::vector<std::byte> fixtureBytes() {
  std::string why;
  auto file = MappedFile::open(ADZE_FIXTURE, why);
  REQUIRE(file);
  return {file->bytes().begin(), file->bytes().end()};
}

/// Loads the fixture with its header changed.
template <typename F>
adze_status *loadChanged(F change) {
  Diagnostic error;
  auto a = artifact::Artifact::open(ADZE_FIXTURE, error);
  REQUIRE(a);
  artifact::Contents c = a->contents();
  change(c);
  auto bytes = artifact::serialize(c, error);
  REQUIRE(bytes);
  adze_model *model = nullptr;
  adze_status *s = adze_model_load_memory(bytes->data(), bytes->size(), nullptr, &model);
  CHECK((model == nullptr) == (s != nullptr));
  adze_model_destroy(model);
  return s;
}
}  // namespace

TEST_CASE("a model runs and says what it is", "[Runtime]") {
  ModelHandle m;
  CHECK(adze_model_input_count(m.model) == 3);
  CHECK(adze_model_output_count(m.model) == 4);
  CHECK(adze_model_find_input(m.model, "mode") == 2);
  CHECK(adze_model_find_output(m.model, "turned") == 3);
  CHECK(adze_model_find_input(m.model, "nothing") == -1);
  adze_tensor_info info = ADZE_INIT(adze_tensor_info);
  REQUIRE(id(adze_model_input(m.model, 0, &info)) == "");
  CHECK(std::string(info.name) == "x");
  CHECK(info.dtype == ADZE_FLOAT32);
  CHECK(info.rank == 2);
  CHECK(info.dims[0] == -1);
  CHECK(std::string(info.symbols[1]) == "n");
  adze_kernel_info kernel = ADZE_INIT(adze_kernel_info);
  REQUIRE(id(adze_model_kernel(m.model, 1, &kernel)) == "");
  CHECK(std::string(kernel.nodes[0]) == "Mul_1");
  CHECK(adze_model_kernel_count(m.model) == 2);
  const char *key, *value;
  size_t size;
  REQUIRE(id(adze_model_metadata(m.model, 0, &key, &value, &size)) == "");
  CHECK(std::string(value, size) == "fixture");
  const char *node;
  int64_t where;
  REQUIRE(id(adze_model_node(m.model, 2, &node, &where)) == "");
  CHECK(where == -1);
  adze_model_info about = ADZE_INIT(adze_model_info);
  REQUIRE(id(adze_model_get_info(m.model, &about)) == "");
  CHECK(std::string(about.target) == "host");
  CHECK(about.weights_bytes == 64);
  CHECK(about.arena_bytes == 128);
  adze_planned_buffer buffer = ADZE_INIT(adze_planned_buffer);
  REQUIRE(id(adze_model_planned_buffer(m.model, 0, &buffer)) == "");
  CHECK(buffer.size == 64);

  RequestHandle r(m.model);
  REQUIRE(r.run(kNormal) == "");
  CHECK(r.values(0) == Floats{10, 11, 12, 13, 14, 15});
  CHECK(r.values(1) == Floats{30, 33, 36, 39, 42, 45});
  CHECK(r.values(2) == Floats{0, 1, 2, 3, 4, 5});
  CHECK(r.values(3) == Floats{10, 13, 11, 14, 12, 15});
  adze_tensor turned = r.output(3);
  CHECK(turned.shape[0] == 3);
  CHECK(turned.shape[1] == 2);
}

TEST_CASE("one request runs at any size, again and again", "[Runtime]") {
  ModelHandle m(2);
  RequestHandle r(m.model);
  for (int64_t n : {1, 1000, 7, 0, 100000, 3, 3, 3}) {
    REQUIRE(r.run(kNormal, 2, n) == "");
    Floats sum = r.values(0);
    REQUIRE(sum.size() == size_t(2 * n));
    for (size_t i = 0; i < sum.size(); ++i) REQUIRE(sum[i] == float(i) + 10.0f);
  }
}

TEST_CASE("memory stays flat over runs of one size", "[Runtime]") {
  ModelHandle m;
  RequestHandle r(m.model);
  auto held = [&] {
    adze_request_info info = ADZE_INIT(adze_request_info);
    REQUIRE(id(adze_request_get_info(r.request, &info)) == "");
    return info.arena_bytes + info.temporary_bytes;
  };
  REQUIRE(r.run(kForget, 8, 100) == "");
  REQUIRE(r.run(kForget, 8, 100) == "");
  int64_t before = held();
  for (int i = 0; i < 50; ++i) REQUIRE(r.run(kForget, 8, 100) == "");
  CHECK(held() == before);
}

TEST_CASE("wrong inputs are refused with the reason", "[Runtime]") {
  ModelHandle m;
  RequestHandle r(m.model);
  float data[12] = {};
  CHECK(r.set(9, ADZE_FLOAT32, {2, 3}, data) == "ADZ0702");
  CHECK(r.set(0, ADZE_FLOAT64, {2, 3}, data) == "ADZ0703");
  CHECK(r.set(0, ADZE_FLOAT32, {6}, data) == "ADZ0704");
  CHECK(r.set(0, ADZE_FLOAT32, {-1, 3}, data) == "ADZ0707");
  CHECK(r.set(0, ADZE_FLOAT32, {int64_t(1) << 40, int64_t(1) << 40}, data) == "ADZ0707");
  CHECK(r.set(0, ADZE_FLOAT32, {2, 3}, nullptr) == "ADZ0708");
  CHECK(r.set(0, ADZE_FLOAT32, {2, 3}, data, 23) == "ADZ0708");
  CHECK(r.set(0, ADZE_FLOAT32, {2, 3}, data, 24) == "");
  int64_t wide[] = {6, 2}, absurd[] = {INT64_MAX, 1};
  CHECK(r.set(0, ADZE_FLOAT32, {2, 3}, data, 40, wide) == "ADZ0708");
  CHECK(r.set(0, ADZE_FLOAT32, {2, 3}, data, 44, wide) == "");
  CHECK(r.set(0, ADZE_FLOAT32, {3, 3}, data, 48, absurd) == "ADZ0707");
  CHECK(r.set(0, 99, {2, 3}, data) == "ADZ0701");
  CHECK(id(adze_request_set_input(r.request, 0, nullptr)) == "ADZ0701");
  CHECK(id(adze_request_set_input(nullptr, 0, nullptr)) == "ADZ0701");
  adze_tensor unset{};
  CHECK(id(adze_request_set_input(r.request, 0, &unset)) == "ADZ0701");
  adze_tensor noShape = ADZE_INIT(adze_tensor);
  noShape.rank = 2;
  CHECK(id(adze_request_set_input(r.request, 0, &noShape)) == "ADZ0701");

  CHECK(id(adze_request_run(r.request)) == "ADZ0709");
  adze_tensor out = ADZE_INIT(adze_tensor);
  CHECK(id(adze_request_output(r.request, 0, &out)) == "ADZ0711");
  int32_t mode = 0;
  CHECK(r.set(0, ADZE_FLOAT32, {2, 3}, data) == "");
  CHECK(r.set(1, ADZE_FLOAT32, {2, 4}, data) == "");
  CHECK(r.set(2, ADZE_INT32, {}, &mode) == "");
  adze_status *s = adze_request_run(r.request);
  CHECK(std::string(adze_status_message(s)) == "input 'y' has n = 4, but input 'x' has 3");
  CHECK(id(s) == "ADZ0706");
  CHECK(r.run(kNormal) == "");
}

TEST_CASE("a run has two halves", "[Runtime]") {
  ModelHandle m;
  RequestHandle r(m.model);
  float data[6] = {1, 2, 3, 4, 5, 6};
  int32_t mode = kNormal;
  CHECK(id(adze_request_start(nullptr)) == "ADZ0701");
  CHECK(id(adze_request_wait(r.request)) == "");
  CHECK(id(adze_request_start(r.request)) == "ADZ0709");
  for (size_t i : {0, 1}) CHECK(r.set(i, ADZE_FLOAT32, {2, 3}, data) == "");
  CHECK(r.set(2, ADZE_INT32, {}, &mode) == "");
  REQUIRE(id(adze_request_start(r.request)) == "");
  CHECK(id(adze_request_run(r.request)) == "ADZ0710");
  CHECK(id(adze_request_bind_output(r.request, 0, data, 1)) == "ADZ0710");
  REQUIRE(id(adze_request_wait(r.request)) == "");
  CHECK(r.values(0) == Floats{2, 4, 6, 8, 10, 12});
  REQUIRE(id(adze_request_start(r.request)) == "");
}

TEST_CASE("misaligned and strided inputs are copied", "[Runtime]") {
  ModelHandle m;
  RequestHandle r(m.model);
  std::vector<char> raw(200);
  float y[6] = {}, *x = reinterpret_cast<float *>(raw.data() + 1);
  for (int i = 0; i < 6; ++i) std::memcpy(raw.data() + 1 + 4 * i, &(y[0] = float(i)), 4);
  y[0] = 0;
  int32_t mode = kCheckAlignment;
  CHECK(r.set(0, ADZE_FLOAT32, {2, 3}, x) == "");
  CHECK(r.set(1, ADZE_FLOAT32, {2, 3}, y) == "");
  CHECK(r.set(2, ADZE_INT32, {}, &mode) == "");
  REQUIRE(id(adze_request_run(r.request)) == "");
  CHECK(r.values(0) == Floats{0, 1, 2, 3, 4, 5});
  int64_t columns[] = {1, 2};
  CHECK(r.set(0, ADZE_FLOAT32, {2, 3}, x, 24, columns) == "");
  REQUIRE(id(adze_request_run(r.request)) == "");
  CHECK(r.values(0) == Floats{0, 2, 4, 1, 3, 5});
  CHECK(r.values(2) == Floats{0, 2, 4, 1, 3, 5});
}

TEST_CASE("outputs may go to the caller's memory", "[Runtime]") {
  ModelHandle m;
  RequestHandle r(m.model);
  float sum[6], turned[6];
  CHECK(id(adze_request_bind_output(r.request, 0, sum, sizeof(sum))) == "");
  CHECK(id(adze_request_bind_output(r.request, 3, turned, sizeof(turned))) == "");
  REQUIRE(r.run(kNormal) == "");
  CHECK(Floats(sum, sum + 6) == Floats{10, 11, 12, 13, 14, 15});
  CHECK(Floats(turned, turned + 6) == Floats{10, 13, 11, 14, 12, 15});
  CHECK(r.output(0).data == sum);
  CHECK(r.run(kNormal, 3, 3) == "ADZ0712");
  adze_tensor out = ADZE_INIT(adze_tensor);
  CHECK(id(adze_request_output(r.request, 1, &out)) == "ADZ0711");
  CHECK(id(adze_request_bind_output(r.request, 0, nullptr, 0)) == "");
  CHECK(id(adze_request_bind_output(r.request, 3, nullptr, 0)) == "");
  CHECK(r.run(kNormal, 3, 3) == "");
  CHECK(id(adze_request_bind_output(r.request, 4, sum, 4)) == "ADZ0702");
}

TEST_CASE("errors of the model's code come back, and the next run works", "[Runtime]") {
  for (int threads : {1, 3}) {
    ModelHandle m(threads);
    RequestHandle r(m.model);
    CHECK(r.run(kAllocTooMuch) == "ADZ0720");
    CHECK(r.run(kNormal) == "");
    CHECK(r.run(kSlabTooMuch) == "ADZ0720");
    CHECK(r.run(kFail) == "ADZ0730");
    CHECK(r.run(kFailInTask, 40, 100) == "ADZ0730");
    CHECK(r.run(kReturn42) == "ADZ0790");
    CHECK(r.run(kAllocNegative) == "ADZ0707");
    CHECK(r.run(kPlanNegative) == "ADZ0707");
    CHECK(r.run(kNested, 10, 10) == "");
    CHECK(r.values(0)[99] == 109.0f);
    CHECK(r.run(kAllocInTask, 40, 100) == "");
    CHECK(r.run(kNormal) == "");
    CHECK(r.values(0)[5] == 15.0f);
  }
}

TEST_CASE("the memory limit holds", "[Runtime]") {
  ModelHandle m;
  RequestHandle r(m.model, 1 << 16);
  CHECK(r.run(kNormal) == "");
  CHECK(r.run(kNormal, 100, 1000) == "ADZ0720");
  CHECK(r.run(kNormal) == "");
}

TEST_CASE("a request can be cancelled, and can run out of time", "[Runtime]") {
  ModelHandle m;
  RequestHandle late(m.model, 0, 20);
  CHECK(late.run(kSpin) == "ADZ0722");
  RequestHandle r(m.model);
  std::atomic<bool> done{false};
  std::thread stop([&] {
    // On a busy machine the first may come before the run.
    do {
      usleep(20000);
      adze_request_cancel(r.request);
    } while (!done);
  });
  CHECK(r.run(kSpin) == "ADZ0721");
  done = true;
  stop.join();
  CHECK(r.run(kNormal) == "");
}

TEST_CASE("a model and a request may go while a run is in flight", "[Runtime]") {
  auto m = std::make_unique<ModelHandle>();
  auto r = std::make_unique<RequestHandle>(m->model);
  adze_request *request = r->request;
  float data[6] = {};
  int32_t mode = kSpin;
  r->set(0, ADZE_FLOAT32, {2, 3}, data);
  r->set(1, ADZE_FLOAT32, {2, 3}, data);
  r->set(2, ADZE_INT32, {}, &mode);
  m.reset();
  std::string result;
  std::thread run([&] { result = id(adze_request_run(request)); });
  // Once it runs, the request is busy for everybody else.
  while (r->set(2, ADZE_INT32, {}, &mode) != "ADZ0710") usleep(1000);
  CHECK(id(adze_request_run(request)) == "ADZ0710");
  r.reset();
  run.join();
  CHECK(result == "ADZ0721");
}

TEST_CASE("eight threads run one model at once", "[Runtime]") {
  for (int threads : {1, 2}) {
    ModelHandle m(threads);
    std::atomic<int> wrong{0};
    std::vector<std::thread> workers;
    for (int w = 0; w < 8; ++w)
      workers.emplace_back([&, w] {
        adze_request *request = nullptr;
        adze_status_destroy(adze_request_create(m.model, nullptr, &request));
        for (int i = 0; i < 50; ++i) {
          int64_t shape[] = {1 + w, 10 + i};
          std::vector<float> x(static_cast<size_t>(shape[0] * shape[1]), float(w));
          std::vector<float> y(x.size(), float(i));
          int32_t mode = i % 10 == 9 ? kFailInTask : kNormal;
          adze_tensor t = ADZE_INIT(adze_tensor);
          t.dtype = ADZE_FLOAT32;
          t.rank = 2;
          t.shape = shape;
          t.data = x.data();
          adze_status_destroy(adze_request_set_input(request, 0, &t));
          t.data = y.data();
          adze_status_destroy(adze_request_set_input(request, 1, &t));
          t.rank = 0;
          t.dtype = ADZE_INT32;
          t.data = &mode;
          adze_status_destroy(adze_request_set_input(request, 2, &t));
          adze_status *s = adze_request_run(request);
          bool ok = adze_status_code(s) == (mode == kNormal ? ADZE_OK : ADZE_INVALID);
          adze_status_destroy(s);
          adze_tensor out = ADZE_INIT(adze_tensor);
          if (ok && mode == kNormal) {
            adze_status_destroy(adze_request_output(request, 1, &out));
            const float *p = static_cast<const float *>(out.data);
            for (size_t k = 0; k < x.size(); ++k) ok = ok && p[k] == float(w + i) * 3.0f;
          }
          wrong += !ok;
        }
        adze_request_destroy(request);
      });
    for (std::thread &t : workers) t.join();
    CHECK(wrong == 0);
  }
}

TEST_CASE("models share a pool that they keep alive", "[Runtime]") {
  adze_pool *pool = nullptr;
  REQUIRE(id(adze_pool_create(2, &pool)) == "");
  adze_model_options options = ADZE_INIT(adze_model_options);
  options.pool = pool;
  adze_model *a = nullptr, *b = nullptr;
  REQUIRE(id(adze_model_load_file(ADZE_FIXTURE, &options, &a)) == "");
  REQUIRE(id(adze_model_load_file(ADZE_FIXTURE, &options, &b)) == "");
  adze_pool_destroy(pool);
  {
    RequestHandle ra(a), rb(b);
    CHECK(ra.run(kNormal, 10, 1000) == "");
    CHECK(rb.run(kNormal, 10, 1000) == "");
  }
  adze_model_destroy(a);
  adze_model_destroy(b);
  CHECK(id(adze_pool_create(-1, &pool)) == "ADZ0701");
}

TEST_CASE("a forked child runs with threads of its own", "[Runtime]") {
  ModelHandle m(2);
  RequestHandle r(m.model);
  REQUIRE(r.run(kNormal, 10, 1000) == "");
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    adze_status *s = adze_request_run(r.request);
    _exit(adze_status_code(s));
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("profiling reports each kernel", "[Runtime]") {
  ModelHandle m;
  RequestHandle r(m.model);
  struct Seen {
    std::vector<int64_t> kernels;
    bool ordered = true;
  } seen;
  auto callback = [](void *user, int64_t kernel, int64_t begin, int64_t end) {
    Seen &s = *static_cast<Seen *>(user);
    s.kernels.push_back(kernel);
    s.ordered = s.ordered && begin <= end && begin > 0;
  };
  REQUIRE(id(adze_request_set_profile(r.request, callback, &seen)) == "");
  REQUIRE(r.run(kNormal) == "");
  CHECK(seen.kernels == std::vector<int64_t>{0, 1});
  CHECK(seen.ordered);
  REQUIRE(id(adze_request_set_profile(r.request, nullptr, nullptr)) == "");
  REQUIRE(r.run(kNormal) == "");
  CHECK(seen.kernels.size() == 2);
}

TEST_CASE("a trace reports what each kernel did, and the pieces of its loops", "[Runtime]") {
  ModelHandle m(4);
  RequestHandle r(m.model);
  std::vector<adze_trace_event> seen;
  auto callback = [](void *user, const adze_trace_event *event) {
    static_cast<std::vector<adze_trace_event> *>(user)->push_back(*event);
  };
  REQUIRE(id(adze_request_set_trace(r.request, callback, &seen)) == "");
  REQUIRE(r.run(kNormal) == "");
  std::vector<adze_trace_event> launches, pieces;
  for (const adze_trace_event &e : seen) (e.thread < 0 ? launches : pieces).push_back(e);
  REQUIRE(launches.size() == 2);
  int64_t count = launches[0].flops;
  CHECK(count > 0);
  CHECK(launches[0].bytes_read == 8 * count);
  CHECK(launches[0].bytes_written == 4 * count);
  CHECK(launches[1].bytes_written == -1);  // the artifact does not say
  CHECK(pieces.size() > 1);
  for (const adze_trace_event &e : pieces) {
    CHECK(e.kernel == 0);
    CHECK(e.flops == -1);
    CHECK(launches[0].begin_ns <= e.begin_ns);
    CHECK(e.begin_ns <= e.end_ns);
    CHECK(e.end_ns <= launches[0].end_ns);
  }
  REQUIRE(id(adze_request_set_trace(r.request, nullptr, nullptr)) == "");
  size_t before = seen.size();
  REQUIRE(r.run(kNormal) == "");
  CHECK(seen.size() == before);
}

// As a user's copy of DLPack's header declares it.
struct DLManagedTensor {
  void *data;
  int32_t deviceType, deviceId, ndim;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides;
  uint64_t byteOffset;
  void *context;
  void (*deleter)(DLManagedTensor *);
};

TEST_CASE("DLPack goes in and out", "[Runtime]") {
  ModelHandle m;
  auto r = std::make_unique<RequestHandle>(m.model);
  REQUIRE(r->run(kNormal) == "");
  DLManagedTensor *out = nullptr;
  REQUIRE(id(adze_request_output_dlpack(r->request, 0, &out)) == "");
  CHECK(out->ndim == 2);
  CHECK(out->bits == 32);
  CHECK(out->code == 2);
  REQUIRE(r->run(kNormal) == "");  // the first result is still there

  static int deleted;
  deleted = 0;
  int64_t shape[] = {2, 3};
  float x[] = {100, 1, 1, 1, 1, 1};
  DLManagedTensor in{x, 1, 0, 2, 2, 32, 1, shape, nullptr, 0, nullptr, nullptr};
  in.deleter = [](DLManagedTensor *) { ++deleted; };
  REQUIRE(id(adze_request_set_input_dlpack(r->request, 0, &in)) == "");
  REQUIRE(id(adze_request_run(r->request)) == "");
  CHECK(r->values(0)[0] == 110.0f);
  in.deviceType = 7;
  CHECK(id(adze_request_set_input_dlpack(r->request, 0, &in)) == "ADZ0713");
  in.deviceType = 2;  // a GPU's, where this model is not
  CHECK(id(adze_request_set_input_dlpack(r->request, 0, &in)) == "ADZ0714");
  in.deviceType = 1;
  in.bits = 64;
  CHECK(id(adze_request_set_input_dlpack(r->request, 0, &in)) == "ADZ0703");
  CHECK(deleted == 0);
  r.reset();
  CHECK(deleted == 1);
  CHECK(static_cast<float *>(out->data)[0] == 10.0f);
  out->deleter(out);
}

TEST_CASE("no page is writable and executable", "[Runtime]") {
  ModelHandle m;
  FILE *maps = std::fopen("/proc/self/maps", "r");
  REQUIRE(maps);
  char line[1024];
  bool seen = false, bad = false;
  while (std::fgets(line, sizeof(line), maps)) {
    if (!std::strstr(line, "adze-code")) continue;
    seen = true;
    bad = bad || std::strstr(line, "rwx");
  }
  std::fclose(maps);
  CHECK(seen);
  CHECK_FALSE(bad);
}

TEST_CASE("several models are several codes", "[Runtime]") {
  // Load, unload and load again: the loader must not hand out old code.
  for (int i = 0; i < 20; ++i) {
    ModelHandle a, b;
    RequestHandle ra(a.model), rb(b.model);
    CHECK(ra.run(kNormal) == "");
    CHECK(rb.run(kNormal) == "");
  }
}

TEST_CASE("artifacts for other machines are refused before their code is mapped", "[Runtime]") {
  CHECK(id(loadChanged([](artifact::Contents &) {})) == "");
  adze_status *s = loadChanged([](artifact::Contents &c) {
    c.cpu = "diamondrapids";
    c.cpuFeatures = {"sse2", "avx10.9"};
  });
  CHECK(std::string(adze_status_message(s)).find("diamondrapids; this CPU lacks avx10.9") !=
        std::string::npos);
  CHECK(adze_status_code(s) == ADZE_CORRUPT);
  CHECK(std::strlen(adze_status_hint(s)) > 0);
  CHECK(id(s) == "ADZ0605");
  s = loadChanged([](artifact::Contents &c) { c.target = "cuda:sm_90a"; });
  CHECK(std::string(adze_status_message(s)).find("cuda:sm_90a") != std::string::npos);
  CHECK(id(s) == "ADZ0604");
  CHECK(id(loadChanged([](artifact::Contents &c) { c.hostAbi = 99; })) == "ADZ0606");
  CHECK(id(loadChanged([](artifact::Contents &c) { c.sections.clear(); })) == "ADZ0607");
  CHECK(id(loadChanged([](artifact::Contents &c) {
          c.inputs[0].dtype = artifact::DType::String;
        })) == "ADZ0714");
  CHECK(id(loadChanged([](artifact::Contents &c) {
          c.outputs[0].dtype = artifact::DType::Int4;
        })) == "ADZ0714");
}

TEST_CASE("code that is not a safe shared object is refused", "[Runtime]") {
  auto withCode = [](auto change) {
    std::vector<std::byte> code;
    return id(loadChanged([&](artifact::Contents &c) {
      auto bytes = c.sections[0].bytes();
      code.assign(bytes.begin(), bytes.end());
      change(code);
      c.sections[0] = artifact::Section::of(artifact::SectionKind::HostCode, "host", code);
    }));
  };
  CHECK(withCode([](auto &) {}) == "");
  CHECK(withCode([](auto &c) { c.resize(10); }) == "ADZ0607");
  CHECK(withCode([](auto &c) { c[0] = std::byte(0); }) == "ADZ0607");
  CHECK(withCode([](auto &c) { c[18] = std::byte(0xf3); }) == "ADZ0604");  // RISC-V
  CHECK(withCode([](auto &c) { c[39] = std::byte(0x7f); }) == "ADZ0607");  // e_phoff
  CHECK(withCode([](auto &c) { c.resize(c.size() / 4); }) == "ADZ0607");
  // All permissions for every segment.
  CHECK(withCode([](auto &c) {
          uint64_t at;
          std::memcpy(&at, c.data() + 32, 8);
          for (int i = 0; i < std::to_integer<int>(c[56]); ++i) c[at + 56 * i + 4] = std::byte(7);
        }) == "ADZ0607");
}

TEST_CASE("damaged files are refused on load", "[Runtime]") {
  std::vector<std::byte> file = fixtureBytes();
  adze_model *model = nullptr;
  for (size_t at : {size_t(0), size_t(9), size_t(40), file.size() / 2, file.size() - 1}) {
    file[at] ^= std::byte(1);
    adze_status *s = adze_model_load_memory(file.data(), file.size(), nullptr, &model);
    CHECK(adze_status_code(s) == ADZE_CORRUPT);
    adze_status_destroy(s);
    CHECK(model == nullptr);
    file[at] ^= std::byte(1);
  }
  CHECK(id(adze_model_load_file("/nonexistent.adze", nullptr, &model)) == "ADZ0600");
  CHECK(id(adze_model_load_file("/dev/zero", nullptr, &model)) == "ADZ0600");
  CHECK(id(adze_model_load_file("/", nullptr, &model)) == "ADZ0600");
  CHECK(id(adze_model_load_file(nullptr, nullptr, &model)) == "ADZ0701");
  CHECK(id(adze_model_load_file(ADZE_FIXTURE, nullptr, nullptr)) == "ADZ0701");
}

TEST_CASE("memory at any address can be a model", "[Runtime]") {
  std::vector<std::byte> file = fixtureBytes();
  std::vector<std::byte> shifted(file.size() + 1);
  std::copy(file.begin(), file.end(), shifted.begin() + 1);
  adze_model *model = nullptr;
  REQUIRE(id(adze_model_load_memory(shifted.data() + 1, file.size(), nullptr, &model)) == "");
  {
    RequestHandle r(model);
    CHECK(r.run(kNormal) == "");
    CHECK(r.values(1)[0] == 30.0f);
  }
  adze_model_destroy(model);
}

TEST_CASE("older and newer callers' structs are understood", "[Runtime]") {
  ModelHandle m;
  adze_tensor_info info = ADZE_INIT(adze_tensor_info);
  info.struct_size = offsetof(adze_tensor_info, rank);
  info.rank = 77;
  REQUIRE(id(adze_model_input(m.model, 0, &info)) == "");
  CHECK(std::string(info.name) == "x");
  CHECK(info.rank == 77);
  info.struct_size = 0;
  CHECK(id(adze_model_input(m.model, 0, &info)) == "ADZ0701");
  CHECK(id(adze_model_input(m.model, 0, nullptr)) == "ADZ0701");
  struct {
    adze_model_options options;
    char more[32];
  } newer{};
  newer.options.struct_size = sizeof(newer);
  adze_model *model = nullptr;
  REQUIRE(id(adze_model_load_file(ADZE_FIXTURE, &newer.options, &model)) == "");
  adze_model_destroy(model);
}

TEST_CASE("null handles are answered", "[Runtime]") {
  adze_status_destroy(nullptr);
  adze_model_destroy(nullptr);
  adze_request_destroy(nullptr);
  adze_pool_destroy(nullptr);
  adze_request_cancel(nullptr);
  CHECK(adze_status_code(nullptr) == ADZE_OK);
  CHECK(std::string(adze_status_message(nullptr)).empty());
  CHECK(adze_model_input_count(nullptr) == 0);
  CHECK(adze_model_find_input(nullptr, "x") == -1);
  CHECK(id(adze_request_run(nullptr)) == "ADZ0701");
  CHECK(id(adze_request_create(nullptr, nullptr, nullptr)) == "ADZ0701");
  CHECK(std::string(adze_dtype_name(ADZE_BFLOAT16)) == "bfloat16");
  CHECK(std::string(adze_dtype_name(-5)) == "undefined");
  CHECK(adze_dtype_bytes(ADZE_COMPLEX128) == 16);
  CHECK(adze_dtype_bytes(ADZE_INT4) == 0);
}
