// DLPack's structures, as its ABI (version 0.x, unversioned tensors) lays them
// out; declared here so that the runtime needs no header of others.
#pragma once
#include "lib/Artifact/Artifact.h"

#include <cstdint>

struct DLManagedTensor;  // the same bytes as ManagedTensor, in the caller's words

namespace adze::runtime::dlpack {

/// Kinds of devices. Of the last two, the host's memory that a GPU reaches is the
/// host's, and what moves between them is the GPU's.
inline constexpr int32_t kCpu = 1, kCuda = 2, kCudaHost = 3, kCudaManaged = 13;

struct DataType {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
};

struct Tensor {
  void *data;
  int32_t deviceType;
  int32_t deviceId;
  int32_t rank;
  DataType dtype;
  int64_t *shape;
  int64_t *strides;  ///< in elements; null: row-major
  uint64_t byteOffset;
};

struct ManagedTensor {
  Tensor tensor;
  void *context;
  void (*deleter)(DLManagedTensor *self);
};

/// Undefined / code 255 where the two have no common type.
artifact::DType fromDlPack(DataType t);
DataType toDlPack(artifact::DType t);

}  // namespace adze::runtime::dlpack
