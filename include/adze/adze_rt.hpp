// adze_rt.hpp: adze_rt.h for C++17, header only. Handles are owned, failures are
// exceptions of type adze::rt::Error; everything else is as in adze_rt.h.
//
//   adze::rt::Model model("model.adze");
//   adze::rt::Request request(model);
//   request.setInput("x", pixels.data(), {1, 3, 224, 224});
//   request.run();
//   auto scores = request.output<float>("scores");   // data, size, shape
#pragma once
#include "adze/adze_rt.h"

#include <complex>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace adze::rt {

/// What a call failed with.
class Error : public std::runtime_error {
 public:
  Error(int code, std::string id, const std::string &message, std::string hint)
      : std::runtime_error(message), code_(code), id_(std::move(id)), hint_(std::move(hint)) {}
  int code() const { return code_; }  ///< ADZE_INVALID, ...
  const std::string &id() const { return id_; }
  const std::string &hint() const { return hint_; }

 private:
  int code_;
  std::string id_, hint_;
};

/// Throws what `status` says, if it says anything, and destroys it.
inline void check(adze_status *status) {
  if (!status) return;
  std::unique_ptr<adze_status, void (*)(adze_status *)> owned(status, adze_status_destroy);
  throw Error(adze_status_code(status), adze_status_id(status), adze_status_message(status),
              adze_status_hint(status));
}

/// The dtype of a C++ type; a type without one does not compile.
template <typename T>
struct DType;
template <>
struct DType<float> {
  static constexpr int32_t value = ADZE_FLOAT32;
};
template <>
struct DType<double> {
  static constexpr int32_t value = ADZE_FLOAT64;
};
template <>
struct DType<bool> {
  static constexpr int32_t value = ADZE_BOOL;
};
template <>
struct DType<int8_t> {
  static constexpr int32_t value = ADZE_INT8;
};
template <>
struct DType<int16_t> {
  static constexpr int32_t value = ADZE_INT16;
};
template <>
struct DType<int32_t> {
  static constexpr int32_t value = ADZE_INT32;
};
template <>
struct DType<int64_t> {
  static constexpr int32_t value = ADZE_INT64;
};
template <>
struct DType<uint8_t> {
  static constexpr int32_t value = ADZE_UINT8;
};
template <>
struct DType<uint16_t> {
  static constexpr int32_t value = ADZE_UINT16;
};
template <>
struct DType<uint32_t> {
  static constexpr int32_t value = ADZE_UINT32;
};
template <>
struct DType<uint64_t> {
  static constexpr int32_t value = ADZE_UINT64;
};
template <>
struct DType<std::complex<float>> {
  static constexpr int32_t value = ADZE_COMPLEX64;
};
template <>
struct DType<std::complex<double>> {
  static constexpr int32_t value = ADZE_COMPLEX128;
};

/// One input or output of a signature.
struct TensorInfo {
  std::string name;
  int32_t dtype;
  std::vector<int64_t> dims;         ///< -1 where not fixed
  std::vector<std::string> symbols;  ///< "" where there is none
};

/// A loaded artifact; may be shared between threads.
class Model {
 public:
  /// threads: 0 means all CPUs. device: as in adze_model_options.
  explicit Model(const std::string &path, int threads = 0, const std::string &device = {}) {
    adze_model_options options = ADZE_INIT(adze_model_options);
    options.threads = threads;
    options.device = device.c_str();
    adze_model *m = nullptr;
    check(adze_model_load_file(path.c_str(), &options, &m));
    handle_.reset(m);
  }

  /// From memory that outlives the model and its requests.
  static Model fromMemory(const void *data, size_t size, int threads = 0,
                          const std::string &device = {}) {
    adze_model_options options = ADZE_INIT(adze_model_options);
    options.threads = threads;
    options.device = device.c_str();
    Model model;
    adze_model *m = nullptr;
    check(adze_model_load_memory(data, size, &options, &m));
    model.handle_.reset(m);
    return model;
  }

  const adze_model *get() const { return handle_.get(); }

  std::vector<TensorInfo> inputs() const {
    return list(adze_model_input_count(get()), adze_model_input);
  }
  std::vector<TensorInfo> outputs() const {
    return list(adze_model_output_count(get()), adze_model_output);
  }

  std::vector<std::pair<std::string, std::string>> metadata() const {
    std::vector<std::pair<std::string, std::string>> all;
    for (size_t i = 0; i < adze_model_metadata_count(get()); ++i) {
      const char *key, *value;
      size_t size;
      check(adze_model_metadata(get(), i, &key, &value, &size));
      all.emplace_back(key, std::string(value, size));
    }
    return all;
  }

 private:
  struct Destroy {
    void operator()(adze_model *m) const { adze_model_destroy(m); }
  };

  Model() = default;

  template <typename F>
  std::vector<TensorInfo> list(size_t count, F get_one) const {
    std::vector<TensorInfo> all;
    for (size_t i = 0; i < count; ++i) {
      adze_tensor_info t = ADZE_INIT(adze_tensor_info);
      check(get_one(get(), i, &t));
      all.push_back({t.name, t.dtype, {t.dims, t.dims + t.rank}, {t.symbols, t.symbols + t.rank}});
    }
    return all;
  }

  std::unique_ptr<adze_model, Destroy> handle_;
};

/// A result: row-major, valid until the request runs again.
template <typename T>
struct Output {
  T *data;
  size_t size;  ///< elements
  std::vector<int64_t> shape;
};

/// One thread's inputs, outputs and memory. The model may go before it.
class Request {
 public:
  explicit Request(const Model &model, int64_t memoryLimit = 0, int64_t timeoutMs = 0) {
    adze_request_options options = ADZE_INIT(adze_request_options);
    options.memory_limit = memoryLimit;
    options.timeout_ms = timeoutMs;
    adze_request *r = nullptr;
    check(adze_request_create(model.get(), &options, &r));
    handle_.reset(r);
    for (const TensorInfo &t : model.inputs()) inputs_.push_back(t.name);
    for (const TensorInfo &t : model.outputs()) outputs_.push_back(t.name);
  }

  adze_request *get() const { return handle_.get(); }

  /// Row-major data, which stays in place until run() returns. memory: which it is in,
  /// ADZE_MEMORY_HOST or ADZE_MEMORY_DEVICE.
  template <typename T>
  void setInput(std::string_view name, const T *data, const std::vector<int64_t> &shape,
                int32_t memory = ADZE_MEMORY_HOST) {
    adze_tensor t = ADZE_INIT(adze_tensor);
    t.dtype = DType<T>::value;
    t.rank = static_cast<int32_t>(shape.size());
    t.shape = shape.data();
    t.data = const_cast<T *>(data);
    t.memory = memory;
    check(adze_request_set_input(get(), index(inputs_, name, "input"), &t));
  }

  /// Results go to `data`, or for null to memory of the library's, of that kind.
  void placeOutput(std::string_view name, int32_t memory, void *data = nullptr, size_t bytes = 0) {
    check(adze_request_place_output(get(), index(outputs_, name, "output"), memory, data, bytes));
  }
  /// A CUDA stream to run on; null: the request's own.
  void setStream(void *stream) { check(adze_request_set_stream(get(), stream)); }

  void run() { check(adze_request_run(get())); }
  /// The two halves of a run.
  void start() { check(adze_request_start(get())); }
  void wait() { check(adze_request_wait(get())); }
  void cancel() { adze_request_cancel(get()); }

  template <typename T>
  Output<T> output(std::string_view name) const {
    adze_tensor t = ADZE_INIT(adze_tensor);
    check(adze_request_output(get(), index(outputs_, name, "output"), &t));
    if (t.dtype != DType<T>::value)
      throw Error(ADZE_USAGE, "ADZ0703",
                  "output '" + std::string(name) + "' is " + adze_dtype_name(t.dtype) + ", not " +
                      adze_dtype_name(DType<T>::value),
                  "");
    return {static_cast<T *>(t.data), t.bytes / sizeof(T), {t.shape, t.shape + t.rank}};
  }

 private:
  struct Destroy {
    void operator()(adze_request *r) const { adze_request_destroy(r); }
  };

  static size_t index(const std::vector<std::string> &names, std::string_view name,
                      const char *what) {
    for (size_t i = 0; i < names.size(); ++i)
      if (names[i] == name) return i;
    throw Error(ADZE_USAGE, "ADZ0702",
                std::string("the model has no ") + what + " '" + std::string(name) + "'", "");
  }

  std::unique_ptr<adze_request, Destroy> handle_;
  std::vector<std::string> inputs_, outputs_;
};

}  // namespace adze::rt
