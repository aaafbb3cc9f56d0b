// Tensors in the tool's own memory: files, random values, summaries.
#pragma once
#include "include/adze/adze_rt.h"
#include "tools/adze/Cli.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace adze::cli {

/// A dense row-major tensor; dtype is one of adze_rt.h's numbers.
struct HostTensor {
  std::string name;
  int32_t dtype = ADZE_FLOAT32;
  std::vector<int64_t> shape;
  std::vector<std::byte> data;

  int64_t count() const;
};

/// "float32[1,3,224,224]"
std::string typeText(const HostTensor &t);

bool isFloat(int32_t dtype);
bool isComplex(int32_t dtype);

/// The elements as doubles; a complex gives two. 64-bit integers beyond 2^53
/// lose digits: compare those by bytes.
std::vector<double> toDoubles(const HostTensor &t);

/// A tensor with room for its elements; nullopt when the size overflows or the
/// type has no bytes.
std::optional<HostTensor> makeTensor(std::string name, int32_t dtype, std::vector<int64_t> shape);

/// Seeded values, the same on every machine: floats about normal, integers from
/// 0 to 9, booleans.
void fillRandom(HostTensor &t, uint64_t seed);

/// .npy in and out. A file of raw two-byte items is taken for `wanted` when
/// that is bfloat16, and of raw single bytes for an 8-bit float.
std::optional<HostTensor> loadNpy(const std::string &path, const std::string &name, int32_t wanted,
                                  std::string &error);
bool saveNpy(const std::string &path, const HostTensor &t, std::string &error);

/// Shape, extremes, mean, count of values that are not finite.
Json summaryOf(const HostTensor &t);

}  // namespace adze::cli
