//===-- ClassScores.h - What classifiers share: transforms of scores, and labels ----------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_ML_CLASSSCORES_H
#define TORSH_FRONTENDS_ONNX_OPS_ML_CLASSSCORES_H

#include "frontends/onnx/ops/ml/MlOps.h"

namespace torsh::onnx {

enum class PostTransform { None, Softmax, Logistic, SoftmaxZero, Probit };

/// The transform of the attribute post_transform, a name or (TreeEnsemble) a number; a failure is reported.
llvm::FailureOr<PostTransform> readPostTransform(NodeImport &node);
/// The transform of rows of scores; those of one score are left alone but for probit, as ONNX Runtime does.
mlir::Value transformScores(NodeImport &node, mlir::Value scores, PostTransform transform);

/// What the score of the first of two classes is when there is one for the second class only.
enum class FirstClass { OneMinus, Negated };
/// Both scores from [rows, 1]. Null after a refusal.
mlir::Value scoresOfPair(NodeImport &node, mlir::Value score, PostTransform transform, FirstClass first);

/// The labels of a classifier.
struct ClassLabels {
  llvm::ArrayRef<int64_t> ints;
  llvm::ArrayRef<llvm::StringRef> strings;
  int64_t size() const { return int64_t(strings.empty() ? ints.size() : strings.size()); }
};
/// Sets result 0 to the label of each row's class; `classes` is [rows] of i64. Labels of strings are refused where the
/// result is used.
llvm::LogicalResult setLabels(NodeImport &node, mlir::Value classes, const ClassLabels &labels);
/// The class of each row with the greatest score, the first among equals.
mlir::Value bestClass(NodeImport &node, mlir::Value scores);
/// 1 where the score of [rows, 1] is above `limit`, as [rows].
mlir::Value isAbove(NodeImport &node, mlir::Value score, double limit);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_ML_CLASSSCORES_H
