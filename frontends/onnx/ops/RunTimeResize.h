//===-- RunTimeResize.h - Resizing by scales or sizes that only the run knows -------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_RUNTIMERESIZE_H
#define TORSH_FRONTENDS_ONNX_OPS_RUNTIMERESIZE_H

#include "frontends/onnx/ops/ResampleAxis.h"

namespace torsh::onnx {

/// What a resizing node asks for.
struct RunTimeResize {
  llvm::SmallVector<int64_t> axes;
  /// The operand that holds a scale, or a size, for each axis.
  std::optional<size_t> scales, sizes;
  /// None for the rule before opset 11: asymmetric, and nearest takes the floor where an axis grows, else the ceiling.
  std::optional<ResizeCoordinates> coordinates;
  AxisKernel kernel;
  /// Whether the form needs its scales while the model is imported.
  bool needsScales = false;
};

/// Sets the node's result: the axes go one after the other, by gathers and weighted sums.
llvm::LogicalResult resizeAtRun(NodeImport &n, const RunTimeResize &resize);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_RUNTIMERESIZE_H
