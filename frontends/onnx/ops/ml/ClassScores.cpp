//===-- ClassScores.cpp - What classifiers share: transforms of scores, and labels --------------------------===//
#include "frontends/onnx/ops/ml/ClassScores.h"
#include "frontends/onnx/ops/Compose.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// sqrt(2) times the inverse error function of 2 x - 1, by Winitzki's approximation with the constants that ONNX Runtime
/// uses.
Value probit(NodeImport &node, Value x) {
  constexpr double a = 0.147, pi = 3.14159, root = 1.41421356;
  Value centered = addNumber(node, scale(node, x, 2), -1);
  Value rest =
      node.create<MulOp>(addNumber(node, node.create<NegOp>(centered), 1), addNumber(node, centered, 1));
  Value log = node.create<LogOp>(rest);
  Value half = addNumber(node, scale(node, log, 0.5), 2 / (pi * a));
  Value square = node.create<SubOp>(node.create<MulOp>(half, half), scale(node, log, 1 / a));
  Value distance = node.create<SubOp>(node.create<SqrtOp>(square), half);
  return scale(node, node.create<MulOp>(node.create<SignOp>(centered), node.create<SqrtOp>(distance)), root);
}

/// A softmax in which scores of 0 stay 0.
Value softmaxZero(NodeImport &node, Value x) {
  Value largest = reduceInPlace(node, x, ReduceKind::max, {1});
  Value isCounted = compareNumber(node, node.create<AbsOp>(x), ComparePredicate::gt, 1e-7);
  Value power = node.create<ExpOp>(node.create<SubOp>(x, largest));
  Value counted = node.create<SelectOp>(isCounted, power, node.splatLike(x, 0));
  Value small = node.create<MulOp>(x, node.create<ExpOp>(node.create<NegOp>(largest)));
  Value value = node.create<SelectOp>(isCounted, power, small);
  return node.create<DivOp>(value, reduceInPlace(node, counted, ReduceKind::sum, {1}));
}

} // namespace

FailureOr<PostTransform> readPostTransform(NodeImport &node) {
  const Attribute *found = node.attribute("post_transform");
  if (!found)
    return PostTransform::None;
  if (found->kind == Attribute::Kind::Int) {
    static const PostTransform byNumber[] = {PostTransform::None, PostTransform::Softmax,
                                             PostTransform::Logistic, PostTransform::SoftmaxZero,
                                             PostTransform::Probit};
    if (found->i >= 0 && found->i <= 4)
      return byNumber[found->i];
    return LogicalResult(node.malformed("the post transform " + Twine(found->i) + " is not known"));
  }
  auto byName = llvm::StringSwitch<std::optional<PostTransform>>(found->s)
                    .Case("NONE", PostTransform::None)
                    .Case("SOFTMAX", PostTransform::Softmax)
                    .Case("LOGISTIC", PostTransform::Logistic)
                    .Case("SOFTMAX_ZERO", PostTransform::SoftmaxZero)
                    .Case("PROBIT", PostTransform::Probit)
                    .Default(std::nullopt);
  if (!byName)
    return LogicalResult(node.malformed("the post transform '" + found->s + "' is not known"));
  return *byName;
}

Value transformScores(NodeImport &node, Value scores, PostTransform transform) {
  bool isOne = dim::isConstant(getDims(scores)[1], 1);
  if (transform == PostTransform::Probit)
    return probit(node, scores);
  if (isOne)
    return scores;
  switch (transform) {
  case PostTransform::Softmax:
    return node.create<SoftmaxOp>(scores, uint64_t(1));
  case PostTransform::Logistic:
    return node.create<SigmoidOp>(scores);
  case PostTransform::SoftmaxZero:
    return softmaxZero(node, scores);
  default:
    return scores;
  }
}

Value scoresOfPair(NodeImport &node, Value score, PostTransform transform, FirstClass first) {
  if (transform == PostTransform::Probit)
    return (void)node.unsupported(
               "the post transform PROBIT of one score for two classes has no defined result"),
           Value();
  Value other = node.create<NegOp>(score);
  if (transform == PostTransform::Logistic)
    return node.create<SigmoidOp>(joinColumns(node, {other, score}));
  if (first == FirstClass::OneMinus)
    other = addNumber(node, other, 1);
  return joinColumns(node, {other, score});
}

LogicalResult setLabels(NodeImport &node, Value classes, const ClassLabels &labels) {
  if (!wantsOutput(node, 0))
    return success();
  if (!labels.strings.empty())
    return node.unsupported(
        "the labels are strings, which no tensor holds yet; convert the model with integer "
        "labels, or remove the output of labels and use the scores");
  Value numbers = constantInts(node, labels.ints);
  node.setResult(0, node.create<GatherOp>(numbers, classes, uint64_t(0)));
  return success();
}

Value bestClass(NodeImport &node, Value scores) {
  return ArgReduceOp::create(node.builder, node.loc, scores, ReduceKind::max, 1, /*keep_dims=*/false,
                             /*last=*/false)
      .getY();
}

Value isAbove(NodeImport &node, Value score, double limit) {
  Value flat = node.reshape(score, {getDims(score)[0]});
  return node.cast(compareNumber(node, flat, ComparePredicate::gt, limit), node.builder.getI64Type());
}

} // namespace torsh::onnx
