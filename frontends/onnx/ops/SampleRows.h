//===-- SampleRows.h - Interpolation at computed coordinates ------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_SAMPLEROWS_H
#define TORSH_FRONTENDS_ONNX_OPS_SAMPLEROWS_H

#include "frontends/onnx/ops/Term.h"

namespace torsh::onnx {

enum class SampleMode { nearest, linear, cubic };
/// What lies outside of the image.
enum class SamplePadding { zeros, border, reflection };

/// Where and how an image is sampled: `coordinates` holds one float tensor [lead.., P] a spatial dim, in elements;
/// integral coordinates are the centers of the elements.
struct SamplePlan {
  llvm::SmallVector<mlir::Value> coordinates;
  llvm::SmallVector<DimAttr> sizes; ///< of the image, one a coordinate
  SampleMode mode = SampleMode::linear;
  SamplePadding padding = SamplePadding::zeros;
  /// Whether the image ends at the centers of its border elements, not at their outer edges.
  bool alignCorners = false;
  /// [lead..]: the row of `table` at which the image starts; null where all start at 0.
  mlir::Value firstRow;
  /// [lead.., P]: a factor of each sample; null for none.
  mlir::Value factor;
};

/// The rows of `table` [rows, C], one row an element of an image, interpolated: [lead.., P, C] in `table`'s type.
mlir::Value sampleRows(NodeImport &n, mlir::Value table, const SamplePlan &plan);

/// The cubic kernel of Keys (1981) with coefficient `a` at a distance that is not negative.
Term cubicKernel(const Term &distance, double a);

/// The float type in which coordinates of these operands are computed: f64 when one of them is f64, else f32.
mlir::Type coordinateType(NodeImport &n, llvm::ArrayRef<mlir::Value> values);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_SAMPLEROWS_H
