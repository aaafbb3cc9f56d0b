// NumPy's .npy files, versions 1 to 3
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
// The header is hostile text: every size is checked against the file.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace adze {

/// A dense array in native byte order, row-major.
struct NpyArray {
  /// NumPy's kind: 'b' bool, 'i', 'u', 'f', 'c' complex, 'V' raw bytes (how
  /// NumPy stores bfloat16 and the 8-bit floats).
  char kind = 'f';
  int64_t itemBytes = 4;
  std::vector<int64_t> shape;
  std::vector<std::byte> data;
};

/// Reads `path`; nullopt and `error` on failure. Column-major and big-endian
/// arrays are turned around; Python objects and structures are refused.
std::optional<NpyArray> readNpy(const std::string &path, std::string &error);

/// Reads the bytes of a file.
std::optional<NpyArray> parseNpy(std::span<const std::byte> file, std::string &error);

/// Writes version 1.0, whole or not at all.
bool writeNpy(const std::string &path, const NpyArray &array, std::string &error);

}  // namespace adze
