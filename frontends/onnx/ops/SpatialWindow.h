//===-- SpatialWindow.h - Strides, dilations and padding of convolutions and pools
//--------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_SPATIALWINDOW_H
#define TORSH_FRONTENDS_ONNX_OPS_SPATIALWINDOW_H

#include "frontends/onnx/NodeImport.h"

namespace torsh::onnx {

/// The attributes that Conv, ConvTranspose and the pools share, one entry a spatial dim.
struct SpatialWindow {
  llvm::SmallVector<int64_t> kernel, strides, dilations, low, high;
  bool sameUpper = false, sameLower = false;

  bool isSame() const { return sameUpper || sameLower; }
  size_t size() const { return kernel.size(); }
  /// The extent of the dilated kernel.
  int64_t extent(size_t i) const { return dilations[i] * (kernel[i] - 1) + 1; }
  /// Splits padding as auto_pad asks.
  void setPadding(size_t i, int64_t total);
};

/// Reads the attributes; `kernel` is the kernel's shape as the weights have it, or empty where only the
/// attribute says it. Negative pads and sizes that are not positive are refused.
llvm::FailureOr<SpatialWindow> readWindow(NodeImport &n, int64_t spatialRank, llvm::ArrayRef<int64_t> kernel);

/// Resolves auto_pad = SAME_* to numbers: the output has ceil(size / stride) elements. Where a stride above 1
/// meets a symbolic size the padding is an expression; then x is padded explicitly with `fill`, and refused
/// without one.
llvm::LogicalResult resolveSame(NodeImport &n, SpatialWindow &window, mlir::Value &x,
                                std::optional<double> fill);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_SPATIALWINDOW_H
