//===-- LinearModelOps.cpp - LinearRegressor and LinearClassifier -------------------------------------------===//
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/ml/ClassScores.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// x times the rows of coefficients, plus the intercepts: [rows, targets] of f32. Null after a failure.
Value linearScores(NodeImport &node, int64_t targets) {
  ArrayRef<float> coefficients = floatsAttr(node, "coefficients"),
                  intercepts = floatsAttr(node, "intercepts");
  mlir::Type f32 = node.builder.getF32Type();
  int64_t features = targets > 0 ? int64_t(coefficients.size()) / targets : 0;
  if (features < 1 || features * targets != int64_t(coefficients.size()) ||
      (!intercepts.empty() && int64_t(intercepts.size()) != targets))
    return (void)node.malformed("there are " + Twine(coefficients.size()) + " coefficients and " +
                                Twine(intercepts.size()) + " intercepts for " + Twine(targets) + " targets"),
           Value();
  Value x = featureRows(node, 0, f32);
  if (!x)
    return {};
  Value weights = constantMatrix(node, SmallVector<double>(coefficients.begin(), coefficients.end()), targets,
                                 features, f32);
  Value scores = matmul(node, x, node.transpose(weights, {1, 0}));
  if (!scores || intercepts.empty())
    return scores;
  return node.create<AddOp>(scores, forEachRow(node, constantVector(node, intercepts, f32), scores));
}

LogicalResult importRegressor(NodeImport &node) {
  FailureOr<PostTransform> transform = readPostTransform(node);
  if (failed(transform))
    return failure();
  Value scores = linearScores(node, node.intAttr("targets", 1));
  if (!scores)
    return failure();
  node.setResult(0, transformScores(node, scores, *transform));
  return success();
}

LogicalResult importClassifier(NodeImport &node) {
  ClassLabels labels{intListAttr(node, "classlabels_ints"), stringsAttr(node, "classlabels_strings")};
  FailureOr<PostTransform> transform = readPostTransform(node);
  if (failed(transform))
    return failure();
  int64_t targets = int64_t(floatsAttr(node, "intercepts").size()), classes = labels.size();
  // Without intercepts: as many rows of coefficients as there are classes, unless they fill one row.
  if (targets == 0) {
    std::optional<int64_t> features = dim::asConstant(
        getDims(node.typeOf(0)).empty() ? dim::constant(node.context(), 0) : getDims(node.typeOf(0)).back());
    bool isOneRow = features && *features == int64_t(floatsAttr(node, "coefficients").size());
    targets = isOneRow ? 1 : classes;
  }
  if (classes != targets && !(classes == 2 && targets == 1))
    return node.malformed("there are " + Twine(classes) + " labels for the scores of " + Twine(targets) +
                          " classes");
  Value scores = linearScores(node, targets);
  if (!scores)
    return failure();
  // The label comes from the scores before their transform.
  if (targets == 1) {
    static const int64_t numbers[] = {0, 1};
    if (failed(setLabels(node, isAbove(node, scores, 0),
                         classes == 2 ? labels : ClassLabels{numbers, labels.strings})))
      return failure();
    scores = classes == 2 ? scoresOfPair(node, scores, *transform, FirstClass::OneMinus)
                          : transformScores(node, scores, *transform);
    if (!scores)
      return failure();
  } else {
    if (failed(setLabels(node, bestClass(node, scores), labels)))
      return failure();
    scores = transformScores(node, scores, *transform);
  }
  node.setResult(1, scores);
  return success();
}

} // namespace

void addLinearModelOps(OpTable &table) {
  table.add("ai.onnx.ml", "LinearRegressor", 1, importRegressor);
  table.add("ai.onnx.ml", "LinearClassifier", 1, importClassifier);
}

} // namespace torsh::onnx
