// Shapes, strides and copies of plain tensors.
#pragma once
#include "lib/Artifact/Artifact.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace adze::runtime {

/// Do these strides (in elements) walk the tensor row-major without gaps?
/// Extents of 1, and empty tensors, leave strides free.
bool isRowMajor(std::span<const int64_t> shape, std::span<const int64_t> strides);

/// Lowest and one-past-highest byte touched, relative to the data pointer;
/// nullopt on overflow. The tensor has elements.
struct ByteRange {
  int64_t low, high;
};
std::optional<ByteRange> touchedBytes(std::span<const int64_t> shape,
                                      std::span<const int64_t> strides, int64_t elementBytes);

/// Copies a strided tensor to row-major memory.
void copyStrided(std::span<const int64_t> shape, std::span<const int64_t> strides,
                 int64_t elementBytes, const void *from, void *to);

/// "float32[1,3,224]"
std::string typeText(artifact::DType dtype, std::span<const int64_t> shape);
/// "float32[batch,3,?]"
std::string typeText(const artifact::TensorInfo &info);

}  // namespace adze::runtime
