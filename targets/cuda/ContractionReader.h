// How kernels of contractions find what they compute on; private to Contraction.cpp and
// ContractionEpilogue.cpp.
#pragma once
#include "targets/cuda/Contraction.h"

namespace adze::cuda {

inline schedule::Stride strideOf(const schedule::Access &access, unsigned dim) {
  return access.dependsOn(dim) ? access.strides[dim] : schedule::Stride();
}

/// A power of two, at most 1024, that divides it.
int64_t divisorOf(const schedule::Stride &stride);
/// The same for the index of the access's first element, counted from where memory is aligned: its
/// source may be a part of a buffer.
int64_t firstDivisor(const schedule::Access &access);

/// Elements that are sure to lie side by side along `run` from a multiple of them on: at most
/// 16 bytes.
int64_t runElements(const Contraction &contraction, const schedule::Access &access, int run);

inline Value elementPointer(Kit &kit, Value base, int64_t bytes, Value index) {
  return kit.offset(base, kit.mul(index, kit.i64(bytes)));
}

/// Reads the numbers of one contraction inside its kernel.
struct Reader {
  Kit &kit;
  const Contraction &c;
  const KernelArguments &arguments;

  Value value(const schedule::Stride &stride) const { return kit.value(arguments.extent(stride)); }

  /// The indices that a number stands for, last dimension fastest.
  void split(llvm::ArrayRef<unsigned> dims, Value number,
             llvm::DenseMap<unsigned, Value> &indices) const {
    for (unsigned i = dims.size(); i-- > 0;) {
      Value size = i ? value(c.unit->sizes[dims[i]]) : Value();
      indices[dims[i]] = i ? kit.rem(number, size) : number;
      if (i) number = kit.div(number, size);
    }
  }

  Value offset(const schedule::Access &access) const { return kit.wide(value(access.offset)); }

  /// start + sum of index * stride over `dims`, i64.
  Value address(const schedule::Access &access, llvm::ArrayRef<unsigned> dims,
                const llvm::DenseMap<unsigned, Value> &indices, Value start) const {
    for (unsigned dim : dims)
      if (schedule::Stride stride = strideOf(access, dim); !stride.isZero())
        start = kit.add(start, kit.mulWide(indices.at(dim), arguments.extent(stride)));
    return start;
  }
};

}  // namespace adze::cuda
