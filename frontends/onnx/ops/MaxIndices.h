//===-- MaxIndices.h - Where the maxima of pooling windows are ----------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_MAXINDICES_H
#define TORSH_FRONTENDS_ONNX_OPS_MAXINDICES_H

#include "frontends/onnx/ops/SpatialWindow.h"

namespace torsh::onnx {

/// For each window of the pooled tensor `y`, the position (i64) of its first maximum in all of x [N, C, spatial..]:
/// row-major, or with the spatial dims in column-major order.
mlir::Value maxIndices(NodeImport &n, mlir::Value x, const SpatialWindow &window, mlir::Value y,
                       bool columnMajor);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_MAXINDICES_H
