//===-- MlOps.h - The ops of ai.onnx.ml and what their import functions share -------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_ML_MLOPS_H
#define TORSH_FRONTENDS_ONNX_OPS_ML_MLOPS_H

#include "dialects/torsh/reference/Evaluator.h"
#include "frontends/onnx/NodeImport.h"

namespace torsh::onnx {

/// All topics below.
void addMlOps(OpTable &table);
void addTreeOps(OpTable &table);
void addLinearModelOps(OpTable &table);
void addSvmOps(OpTable &table);
void addFeatureOps(OpTable &table);
void addCategoryOps(OpTable &table);

/// The numbers of a list attribute, as doubles; empty when it is absent.
llvm::ArrayRef<float> floatsAttr(const NodeImport &node, llvm::StringRef name);
llvm::ArrayRef<int64_t> intListAttr(const NodeImport &node, llvm::StringRef name);
llvm::ArrayRef<llvm::StringRef> stringsAttr(const NodeImport &node, llvm::StringRef name);
/// The elements of a tensor attribute; none when it is absent, a failure (reported) when it cannot be read.
llvm::FailureOr<std::optional<torsh::Tensor>> tensorAttr(NodeImport &node, llvm::StringRef name);

/// Operand `i` as rows of features: one row when it has rank 1. Integers become `elementType`, or f32 when it is null;
/// floats keep their type then. Null after a failure.
mlir::Value featureRows(NodeImport &node, size_t i, mlir::Type elementType = {});
/// A constant [rows, columns] or, with `rows` 0, [columns] of `elementType`.
mlir::Value constantMatrix(NodeImport &node, llvm::ArrayRef<double> values, int64_t rows, int64_t columns,
                           mlir::Type elementType);
mlir::Value constantVector(NodeImport &node, llvm::ArrayRef<float> values, mlir::Type elementType);
mlir::Value constantInts(NodeImport &node, llvm::ArrayRef<int64_t> values);
/// A vector of [columns] repeated for every row of `like`.
mlir::Value forEachRow(NodeImport &node, mlir::Value vector, mlir::Value like);
/// Column `index` of a matrix as [rows, 1].
mlir::Value column(NodeImport &node, mlir::Value x, int64_t index);
mlir::Value joinColumns(NodeImport &node, llvm::ArrayRef<mlir::Value> columns);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_ML_MLOPS_H
