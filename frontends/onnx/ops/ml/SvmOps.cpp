//===-- SvmOps.cpp - SVMClassifier and SVMRegressor ---------------------------------------------------------===//
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/ml/ClassScores.h"
#include "frontends/onnx/ops/ml/PairwiseProbabilities.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

enum class SvmKernel { Linear, Poly, Rbf, Sigmoid };

struct KernelChoice {
  SvmKernel kind = SvmKernel::Linear;
  double gamma = 0, offset = 0, degree = 0;
};

FailureOr<KernelChoice> readKernel(NodeImport &node) {
  KernelChoice choice;
  auto kind = llvm::StringSwitch<std::optional<SvmKernel>>(node.stringAttr("kernel_type", "LINEAR"))
                  .Case("LINEAR", SvmKernel::Linear)
                  .Case("POLY", SvmKernel::Poly)
                  .Case("RBF", SvmKernel::Rbf)
                  .Case("SIGMOID", SvmKernel::Sigmoid)
                  .Default(std::nullopt);
  if (!kind)
    return LogicalResult(
        node.malformed("the kernel '" + node.stringAttr("kernel_type", "") + "' is not known"));
  choice.kind = *kind;
  if (ArrayRef<float> parameters = floatsAttr(node, "kernel_params"); parameters.size() >= 3) {
    choice.gamma = parameters[0];
    choice.offset = parameters[1];
    choice.degree = parameters[2];
  }
  return choice;
}

/// The kernel function of every row with every vector, [rows, vectors]. `vectors` is [vectors, features].
Value kernelMatrix(NodeImport &node, Value x, Value vectors, const KernelChoice &kernel) {
  if (kernel.kind == SvmKernel::Rbf) {
    // By differences: squares of norms would cancel.
    if (!node.unify(getDims(x)[1], getDims(vectors)[1], "features of a support vector machine"))
      return (void)node.malformed("the rows have " + dim::toString(getDims(x)[1]) +
                                  " features, the vectors " + dim::toString(getDims(vectors)[1])),
             Value();
    SmallVector<DimAttr> dims{getDims(x)[0], getDims(vectors)[0], getDims(vectors)[1]};
    auto type = makeTensorType(dims, elementTypeOf(x));
    Value left = node.create<BroadcastOp>(type, x, ArrayRef<int64_t>{0, 2});
    Value right = node.create<BroadcastOp>(type, vectors, ArrayRef<int64_t>{1, 2});
    Value difference = node.create<SubOp>(left, right);
    Value square = node.create<ReduceOp>(node.create<MulOp>(difference, difference), ReduceKind::sum,
                                         ArrayRef<int64_t>{2}, false);
    return node.create<ExpOp>(scale(node, square, -kernel.gamma));
  }
  Value product = matmul(node, x, node.transpose(vectors, {1, 0}));
  if (!product || kernel.kind == SvmKernel::Linear)
    return product;
  Value shifted = addNumber(node, scale(node, product, kernel.gamma), kernel.offset);
  if (kernel.kind == SvmKernel::Sigmoid)
    return node.create<TanhOp>(shifted);
  if (kernel.degree == 2 || kernel.degree == 3) {
    Value square = node.create<MulOp>(shifted, shifted);
    return kernel.degree == 2 ? square : node.create<MulOp>(square, shifted);
  }
  return node.create<PowOp>(shifted, node.splatLike(shifted, kernel.degree));
}

Value matrixOf(NodeImport &node, ArrayRef<float> values, int64_t rows) {
  return constantMatrix(node, SmallVector<double>(values.begin(), values.end()), rows,
                        rows > 0 ? int64_t(values.size()) / rows : 0, node.builder.getF32Type());
}

LogicalResult importRegressor(NodeImport &node) {
  FailureOr<KernelChoice> kernel = readKernel(node);
  ArrayRef<float> coefficients = floatsAttr(node, "coefficients"),
                  vectors = floatsAttr(node, "support_vectors"), rho = floatsAttr(node, "rho");
  int64_t count = node.intAttr("n_supports", 0);
  if (failed(kernel))
    return failure();
  if (coefficients.empty() || rho.empty() || count < 0 ||
      (count > 0 &&
       (int64_t(coefficients.size()) != count || vectors.empty() || vectors.size() % count != 0)))
    return node.malformed("coefficients, rho and support_vectors do not fit n_supports");
  mlir::Type f32 = node.builder.getF32Type();
  Value x = featureRows(node, 0, f32);
  if (!x)
    return failure();
  Value y;
  if (count > 0) {
    Value values = kernelMatrix(node, x, matrixOf(node, vectors, count), *kernel);
    y = values ? matmul(node, values, node.transpose(matrixOf(node, coefficients, 1), {1, 0})) : Value();
  } else {
    y = matmul(node, x, node.transpose(matrixOf(node, coefficients, 1), {1, 0}));
  }
  if (!y)
    return failure();
  y = addNumber(node, y, rho[0]);
  if (node.intAttr("one_class", 0) != 0)
    y = node.create<SelectOp>(compareNumber(node, y, ComparePredicate::gt, 0), node.splatLike(y, 1),
                              node.splatLike(y, -1));
  // Neither the specification's evaluator nor ONNX Runtime applies the post transform.
  node.setResult(0, y);
  return success();
}

/// The decisions between pairs of classes, and how many each class wins.
struct PairDecisions {
  Value scores, votes;
};

FailureOr<PairDecisions> decidePairs(NodeImport &node, Value x, const KernelChoice &kernel,
                                     ArrayRef<int64_t> perClass) {
  ArrayRef<float> coefficients = floatsAttr(node, "coefficients"),
                  vectors = floatsAttr(node, "support_vectors"), rho = floatsAttr(node, "rho");
  int64_t classes = int64_t(perClass.size()), count = 0, pairs = classes * (classes - 1) / 2;
  SmallVector<int64_t> starts;
  for (int64_t size : perClass) {
    if (size < 0)
      return LogicalResult(node.malformed("vectors_per_class has a negative entry"));
    starts.push_back(count);
    count += size;
  }
  if (vectors.empty() || vectors.size() % count != 0 ||
      int64_t(coefficients.size()) < (classes - 1) * count || int64_t(rho.size()) < pairs)
    return LogicalResult(
        node.malformed("coefficients, rho and support_vectors do not fit vectors_per_class"));
  SmallVector<double> weights(count * pairs, 0), wins(pairs * classes, 0), firstWins(classes, 0), offsets;
  int64_t pair = 0;
  for (int64_t i = 0; i < classes; ++i)
    for (int64_t j = i + 1; j < classes; ++j, ++pair) {
      for (int64_t v = 0; v < perClass[i]; ++v)
        weights[(starts[i] + v) * pairs + pair] = coefficients[(j - 1) * count + starts[i] + v];
      for (int64_t v = 0; v < perClass[j]; ++v)
        weights[(starts[j] + v) * pairs + pair] = coefficients[i * count + starts[j] + v];
      // A class wins as the first of a pair when the score is above 0, as the second one when it is not.
      wins[pair * classes + i] = 1;
      wins[pair * classes + j] = -1;
      ++firstWins[j];
      offsets.push_back(rho[pair]);
    }
  mlir::Type f32 = node.builder.getF32Type();
  Value values = kernelMatrix(node, x, matrixOf(node, vectors, count), kernel);
  if (!values)
    return failure();
  PairDecisions result;
  result.scores = matmul(node, values, constantMatrix(node, weights, count, pairs, f32));
  if (!result.scores)
    return failure();
  result.scores = node.create<AddOp>(
      result.scores, forEachRow(node, constantMatrix(node, offsets, 0, pairs, f32), result.scores));
  Value isFirst = node.cast(compareNumber(node, result.scores, ComparePredicate::gt, 0), f32);
  result.votes = matmul(node, isFirst, constantMatrix(node, wins, pairs, classes, f32));
  result.votes = node.create<AddOp>(
      result.votes, forEachRow(node, constantMatrix(node, firstWins, 0, classes, f32), result.votes));
  return result;
}

/// Platt's probabilities of the pairs: 1 - logistic(a s + b), kept away from 0 and 1.
Value pairProbabilities(NodeImport &node, Value scores, ArrayRef<float> a, ArrayRef<float> b) {
  mlir::Type f32 = node.builder.getF32Type();
  Value factors = forEachRow(node, constantVector(node, a, f32), scores);
  Value offsets = forEachRow(node, constantVector(node, b, f32), scores);
  Value line = node.create<AddOp>(node.create<MulOp>(scores, factors), offsets);
  Value probability = addNumber(node, node.create<NegOp>(node.create<SigmoidOp>(line)), 1);
  return clamp(node, probability, double(1e-7f), double(1 - 1e-7f));
}

/// A classifier without vectors: a score for each class.
LogicalResult classifyLinearly(NodeImport &node, Value x, const ClassLabels &labels,
                               PostTransform transform) {
  ArrayRef<float> coefficients = floatsAttr(node, "coefficients"), rho = floatsAttr(node, "rho");
  if (rho.empty() || coefficients.empty() || coefficients.size() % labels.size() != 0)
    return node.malformed("coefficients and rho do not fit the labels");
  Value scores = matmul(node, x, node.transpose(matrixOf(node, coefficients, labels.size()), {1, 0}));
  if (!scores)
    return failure();
  scores = addNumber(node, scores, rho[0]);
  Value classes = bestClass(node, scores);
  if (labels.size() == 2) {
    // ONNX Runtime gives the second class whenever the greater score is positive, or 0.5 where no coefficient is negative.
    bool allPositive = llvm::all_of(coefficients, [](float value) { return value >= 0; });
    Value best = node.create<ReduceOp>(scores, ReduceKind::max, ArrayRef<int64_t>{1}, false);
    Value isSecond = compareNumber(node, best, allPositive ? ComparePredicate::ge : ComparePredicate::gt,
                                   allPositive ? 0.5 : 0);
    classes = node.create<SelectOp>(isSecond, node.splatLike(classes, 1), classes);
  }
  node.setResult(1, transformScores(node, scores, transform));
  return setLabels(node, classes, labels);
}

LogicalResult importClassifier(NodeImport &node) {
  ClassLabels labels{intListAttr(node, "classlabels_ints"), stringsAttr(node, "classlabels_strings")};
  FailureOr<KernelChoice> kernel = readKernel(node);
  FailureOr<PostTransform> transform = readPostTransform(node);
  if (failed(kernel) || failed(transform))
    return failure();
  ArrayRef<int64_t> perClass = intListAttr(node, "vectors_per_class");
  ArrayRef<float> a = floatsAttr(node, "prob_a"), b = floatsAttr(node, "prob_b");
  int64_t classes = labels.size(), vectors = 0;
  for (int64_t size : perClass)
    vectors += std::max<int64_t>(size, 0);
  if (classes < 1 || (vectors > 0 && (int64_t(perClass.size()) != classes || classes < 2)))
    return node.malformed("the labels and vectors_per_class differ in length, or there are no labels");
  Value x = featureRows(node, 0, node.builder.getF32Type());
  if (!x)
    return failure();
  if (vectors == 0)
    return classifyLinearly(node, x, labels, *transform);
  FailureOr<PairDecisions> pairs = decidePairs(node, x, *kernel, perClass);
  if (failed(pairs) || failed(setLabels(node, bestClass(node, pairs->votes), labels)))
    return failure();
  Value scores = pairs->scores;
  if (!a.empty()) {
    int64_t count = classes * (classes - 1) / 2;
    if (int64_t(a.size()) < count || a.size() != b.size())
      return node.malformed("prob_a and prob_b do not fit the labels");
    scores = pairProbabilities(node, scores, a.take_front(count), b.take_front(count));
    scores = transformScores(node, classProbabilities(node, scores, classes), *transform);
  } else if (classes == 2) {
    bool isPlain = *transform == PostTransform::None;
    scores = scoresOfPair(node, scores, *transform, isPlain ? FirstClass::Negated : FirstClass::OneMinus);
    if (!scores)
      return failure();
  } else {
    scores = transformScores(node, scores, *transform);
  }
  node.setResult(1, scores);
  return success();
}

} // namespace

void addSvmOps(OpTable &table) {
  table.add("ai.onnx.ml", "SVMRegressor", 1, importRegressor);
  table.add("ai.onnx.ml", "SVMClassifier", 1, importClassifier);
}

} // namespace torsh::onnx
