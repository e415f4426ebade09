//===-- Losses.cpp - What training makes small --------------------------------------------------------------===//
#include "passes/autodiff/Losses.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace torsh {

using gradients::axesBut;
using gradients::RuleBuilder;
using gradients::typeOf;

std::optional<Loss> parseLoss(StringRef name) {
  return llvm::StringSwitch<std::optional<Loss>>(name)
      .Case("cross-entropy", Loss::CrossEntropy)
      .Case("mse", Loss::MeanSquaredError)
      .Default(std::nullopt);
}

RankedTensorType labelType(Loss loss, RankedTensorType output) {
  if (!isa<FloatType>(output.getElementType()))
    return {};
  if (loss == Loss::MeanSquaredError)
    return output;
  SmallVector<DimAttr> dims = getDims(output);
  if (dims.empty())
    return {};
  dims.pop_back();
  return makeTensorType(dims, IntegerType::get(output.getContext(), 64));
}

/// Minus the mean logarithm of the labels' probabilities. Labels outside of the classes are left out of sum and count.
static Value buildCrossEntropy(RuleBuilder &b, Value logits, Value labels) {
  RankedTensorType type = typeOf(logits), classType = withElementType(type, b.builder.getI64Type());
  int64_t axis = type.getRank() - 1;
  SmallVector<int64_t> allAxes = axesBut(type.getRank(), {}), rowAxes = axesBut(type.getRank(), {axis});
  Value logProbabilities = b.make<LogSoftmaxOp>(type, logits, axis);
  Value classes = b.make<IotaOp>(classType, axis);
  Value hit = b.compare(ComparePredicate::eq, classes, b.broadcast(labels, classType, rowAxes));
  Value total = b.sum(b.where(hit, logProbabilities), allAxes);

  Value known =
      b.make<AndOp>(b.compare(ComparePredicate::ge, labels, b.splat(labels, 0)),
                    b.compare(ComparePredicate::lt, labels, b.number(getDims(logits)[axis], labels)));
  Value count = b.sum(b.castTo(known, type.getElementType()), axesBut(axis, {}));
  return b.neg(b.div(total, count));
}

static Value buildMeanSquaredError(RuleBuilder &b, Value output, Value labels) {
  return b.reduce(ReduceKind::mean, b.square(b.sub(output, labels)), axesBut(typeOf(output).getRank(), {}));
}

Value buildLoss(RuleBuilder &b, Loss loss, Value output, Value labels) {
  return loss == Loss::CrossEntropy ? buildCrossEntropy(b, output, labels)
                                    : buildMeanSquaredError(b, output, labels);
}

} // namespace torsh
