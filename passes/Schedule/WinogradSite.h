// Convolutions by Winograd's filtering, and what runs block by block with them.
#pragma once

#include "passes/Schedule/Padding.h"

namespace adze::schedule {

/// One convolution (kWinogradAttr), the zeros that its sums start from, and the
/// elementwise ops that follow it point by point.
struct WinogradSite {
  mlir::linalg::GenericOp conv, fill;
  llvm::SmallVector<mlir::linalg::GenericOp> epilogue;
  const Padding *padding = nullptr;  ///< of its input, which is read where it comes from

  mlir::Value results() { return conv.getDpsInits()[0]; }
};

/// The site of `conv`; none where its sums start from anything but zeros.
std::optional<WinogradSite> findWinogradSite(mlir::linalg::GenericOp conv,
                                             const Paddings &paddings);

}  // namespace adze::schedule
