//===-- ResampleAxis.h - Resampling of one axis by a weighted sum -------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_RESAMPLEAXIS_H
#define TORSH_FRONTENDS_ONNX_OPS_RESAMPLEAXIS_H

#include "frontends/onnx/ops/Term.h"

namespace torsh::onnx {

/// How the elements of an axis are weighted.
struct AxisKernel {
  ResizeMode mode = ResizeMode::linear;
  NearestMode nearest = NearestMode::round_prefer_floor;
  double cubicCoefficient = -0.75;
  bool excludeOutside = false;
  /// Output elements an input element where the kernel is widened to that, for the axis shrinks; 0 asks for the ratio of
  /// the sizes; none for a kernel that is not widened.
  std::optional<double> shrink;
};

/// `axis` of x read at `coordinates` [out] (f64, in elements of x): an op of its own for what torsh.resize has no code for.
mlir::Value resampleAxis(NodeImport &n, mlir::Value x, int64_t axis, mlir::Value coordinates,
                         const AxisKernel &kernel);

/// Where each of `size` output elements of an axis reads: f64 [out]. A scale of 0 is the ratio of the sizes.
Term resizeCoordinates(NodeImport &n, ResizeCoordinates mode, DimAttr input, DimAttr output, double scale);
/// The same by a scale that only the run knows: f64 [out], the same everywhere.
Term resizeCoordinates(NodeImport &n, ResizeCoordinates mode, DimAttr input, DimAttr output,
                       const Term &scale);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_RESAMPLEAXIS_H
