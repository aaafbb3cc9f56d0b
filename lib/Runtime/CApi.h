// What the two halves of the C API share: handles, argument checks, and structs
// that may be of another version than the library's.
#pragma once
#include "adze/adze_rt.h"
#include "lib/Runtime/Request.h"
#include "lib/Runtime/Status.h"

#include <algorithm>
#include <cstring>

struct adze_pool {
  std::shared_ptr<adze::runtime::ThreadPool> pool;
};

namespace adze::runtime {
/// A signature entry in C's terms.
struct SignatureView {
  std::vector<int64_t> dims;
  std::vector<const char *> symbols;
};
}  // namespace adze::runtime

struct adze_model {
  std::shared_ptr<const adze::runtime::Model> model;
  std::vector<adze::runtime::SignatureView> inputs, outputs;
  std::vector<std::vector<const char *>> kernelNodes;

  explicit adze_model(std::shared_ptr<const adze::runtime::Model> m);
  const adze::artifact::Contents &contents() const { return model->contents(); }
};

struct adze_request {
  std::shared_ptr<adze::runtime::Request> request;
  struct {
    adze_profile_fn callback = nullptr;
    void *user = nullptr;
  } profile;
  struct {
    adze_trace_fn callback = nullptr;
    void *user = nullptr;
  } trace;
};

namespace adze::runtime {

inline bool usage(Diagnostic &error, std::string message) {
  return failWith(error, ExitCode::Usage, "ADZ0701", std::move(message));
}

inline bool notNull(const void *p, const char *what, Diagnostic &error) {
  return p || usage(error, std::string(what) + " is null");
}

inline bool inRange(const char *what, size_t index, size_t count, Diagnostic &error) {
  if (index < count) return true;
  return failWith(error, ExitCode::Usage, "ADZ0702",
                  std::string(what) + " " + std::to_string(index) +
                      " does not exist; the model has " + std::to_string(count));
}

/// No version of any struct is near this size: a larger one was never set.
constexpr size_t kMaxStruct = 4096;

/// Reads the fields that caller and library both know; the rest are zero. Null
/// is all zero.
template <typename T>
bool readStruct(const T *in, T &out, const char *what, Diagnostic &error) {
  std::memset(&out, 0, sizeof(T));
  if (!in) return true;
  if (in->struct_size < sizeof(size_t) || in->struct_size > kMaxStruct)
    return usage(error, std::string("struct_size of ") + what + " is not set");
  std::memcpy(&out, in, std::min(in->struct_size, sizeof(T)));
  return true;
}

/// Writes the fields that both know, and leaves struct_size as it is.
template <typename T>
bool writeStruct(T *out, T value, const char *what, Diagnostic &error) {
  if (!notNull(out, what, error)) return false;
  if (out->struct_size < sizeof(size_t) || out->struct_size > kMaxStruct)
    return usage(error, std::string("struct_size of ") + what + " is not set");
  value.struct_size = out->struct_size;
  std::memcpy(out, &value, std::min(out->struct_size, sizeof(T)));
  return true;
}

}  // namespace adze::runtime
