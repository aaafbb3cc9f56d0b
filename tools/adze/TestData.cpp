#include "tools/adze/TestData.h"

#include "lib/Support/Checked.h"
#include "lib/Support/File.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace adze::cli {

namespace fs = std::filesystem;

/// The repeated values as elements of type To.
template <typename To, typename Field>
static std::vector<std::byte> bytesOf(const Field &field) {
  std::vector<To> values(field.begin(), field.end());
  std::vector<std::byte> bytes(values.size() * sizeof(To));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

static std::vector<std::byte> valuesOf(const onnx::TensorProto &p) {
  if (p.has_raw_data()) {
    auto raw = reinterpret_cast<const std::byte *>(p.raw_data().data());
    return {raw, raw + p.raw_data().size()};
  }
  switch (p.data_type()) {
    case ADZE_FLOAT32:
    case ADZE_COMPLEX64: return bytesOf<float>(p.float_data());
    case ADZE_FLOAT64:
    case ADZE_COMPLEX128: return bytesOf<double>(p.double_data());
    case ADZE_INT64: return bytesOf<int64_t>(p.int64_data());
    case ADZE_UINT64: return bytesOf<uint64_t>(p.uint64_data());
    case ADZE_UINT32: return bytesOf<uint32_t>(p.uint64_data());
    case ADZE_INT32: return bytesOf<int32_t>(p.int32_data());
    default:  // narrower types stand in int32_data, the float16s by their bits
      return adze_dtype_bytes(p.data_type()) == 2 ? bytesOf<uint16_t>(p.int32_data())
                                                  : bytesOf<uint8_t>(p.int32_data());
  }
}

static std::optional<HostTensor> readTensor(const std::string &path, std::string &error,
                                            bool &unsupported) {
  auto file = MappedFile::open(path, error);
  if (!file) return std::nullopt;
  onnx::TensorProto p;
  auto bytes = file->bytes();
  if (bytes.size() > INT32_MAX ||
      !p.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    // Sequences and optionals have other messages; nothing in the file says which.
    error = path + ": not a tensor";
    unsupported = true;
    return std::nullopt;
  }
  if (adze_dtype_bytes(p.data_type()) == 0 || p.data_location() == onnx::TensorProto::EXTERNAL) {
    error = path + ": values of type " + adze_dtype_name(p.data_type()) + " cannot be run";
    unsupported = true;
    return std::nullopt;
  }
  // The values are counted before anything is made as large as the shape says.
  HostTensor t{p.name(), p.data_type(), {p.dims().begin(), p.dims().end()}, valuesOf(p)};
  auto count = checkedNumElements(t.shape);
  auto needed = count ? checkedMul(*count, adze_dtype_bytes(t.dtype)) : std::nullopt;
  if (needed && *needed == static_cast<int64_t>(t.data.size())) return t;
  error = path + ": the data are not as long as the shape says";
  return std::nullopt;
}

static bool readSeries(const std::string &folder, const char *kind, std::vector<HostTensor> &all,
                       std::string &error, bool &unsupported) {
  for (int i = 0;; ++i) {
    fs::path path = fs::path(folder) / (std::string(kind) + "_" + std::to_string(i) + ".pb");
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return true;
    auto t = readTensor(path.string(), error, unsupported);
    if (!t) return false;
    all.push_back(std::move(*t));
  }
}

std::optional<TestData> readTestData(const std::string &folder, std::string &error,
                                     bool &unsupported) {
  TestData data;
  unsupported = false;
  if (!readSeries(folder, "input", data.inputs, error, unsupported) ||
      !readSeries(folder, "output", data.outputs, error, unsupported))
    return std::nullopt;
  if (!data.outputs.empty()) return data;
  error = folder + ": no output_0.pb";
  return std::nullopt;
}

std::vector<std::string> testDataSets(const std::string &folder) {
  std::error_code ignored;
  if (fs::exists(fs::path(folder) / "output_0.pb", ignored)) return {folder};
  std::vector<std::string> sets;
  for (const auto &entry : fs::directory_iterator(folder, ignored))
    if (entry.path().filename().string().rfind("test_data_set_", 0) == 0)
      sets.push_back(entry.path().string());
  std::sort(sets.begin(), sets.end());
  return sets;
}

}  // namespace adze::cli
