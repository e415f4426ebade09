//===-- LossOps.cpp - NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss ------------------------------------===//
#include "frontends/onnx/ops/Term.h"
#include "frontends/onnx/ops/TopicTables.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// The loss of log-probabilities [N, C, d..] against classes [N, d..] of operand 1, with the weights of operand 2.
/// An element whose class is ignore_index counts neither in the sum nor in the mean.
FailureOr<Value> lossOf(NodeImport &n, Value logProbabilities) {
  Value target = n.operand(1), weight = n.optionalOperand(2);
  int64_t rank = rankOf(logProbabilities);
  if (rank < 2 || rankOf(target) != rank - 1)
    return LogicalResult(n.malformed("the scores must be [N, C, d..] and the classes [N, d..]"));
  for (int64_t i = 0; i + 1 < rank; ++i) {
    DimAttr size = getDims(logProbabilities)[i == 0 ? 0 : i + 1], own = getDims(target)[i];
    if (!n.unify(size, own, "dim " + Twine(i) + " of the classes"))
      return LogicalResult(n.malformed("dim " + Twine(i) + " of the classes is " + dim::toString(own) +
                                       ", not " + dim::toString(size)));
  }
  if (weight && (rankOf(weight) != 1 ||
                 !n.unify(getDims(weight)[0], getDims(logProbabilities)[1], "the weights of the classes")))
    return LogicalResult(n.malformed("there must be one weight a class"));
  StringRef reduction = n.stringAttr("reduction", "mean");
  if (reduction != "mean" && reduction != "sum" && reduction != "none")
    return LogicalResult(n.malformed("the reduction '" + reduction + "' is not known"));

  Term classes(n, target);
  std::optional<Term> ignored;
  if (n.attribute("ignore_index")) {
    ignored = classes == double(n.intAttr("ignore_index", 0));
    // The ignored class may be any number; class 0 stands in.
    classes = ignored->choose(Term::number(classes.space(), 0), classes);
  }
  SmallVector<DimAttr> dims = getDims(classes.value()), column = dims;
  column.insert(column.begin() + 1, dim::constant(n.context(), 1));
  Value picked = n.create<GatherElementsOp>(logProbabilities, n.reshape(classes.value(), column), 1);
  Term loss = Term(n, n.reshape(picked, dims)).negated(), none = Term::number(loss.space(), 0);
  std::optional<Term> share;
  if (weight)
    share = Term(n, n.create<GatherOp>(n.cast(weight, loss.element()), classes.value(), 0));
  else if (ignored)
    share = Term::number(loss.space(), 1);
  if (ignored)
    share = ignored->choose(none, *share);
  if (weight)
    loss = loss * *share;
  if (ignored)
    loss = ignored->choose(none, loss);
  if (reduction == "none")
    return loss.value();
  SmallVector<int64_t> axes = range(0, rank - 1);
  if (reduction == "mean" && !share)
    return n.create<ReduceOp>(loss.value(), ReduceKind::mean, axes, false);
  Value sum = n.create<ReduceOp>(loss.value(), ReduceKind::sum, axes, false);
  if (reduction == "sum")
    return sum;
  return n.create<DivOp>(sum, n.create<ReduceOp>(share->value(), ReduceKind::sum, axes, false));
}

LogicalResult importNegativeLogLikelihood(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireInputs(n, 2)))
    return failure();
  FailureOr<Value> loss = lossOf(n, n.operand(0));
  if (failed(loss))
    return failure();
  n.setResult(0, *loss);
  return success();
}

LogicalResult importSoftmaxCrossEntropy(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireInputs(n, 2)) || failed(requireRank(n, 0, 2)))
    return failure();
  Value logProbabilities = n.create<LogSoftmaxOp>(n.operand(0), 1);
  FailureOr<Value> loss = lossOf(n, logProbabilities);
  if (failed(loss))
    return failure();
  n.setResult(0, *loss);
  n.setResult(1, logProbabilities);
  return success();
}

} // namespace

void addLossOps(OpTable &table) {
  table.add("", "NegativeLogLikelihoodLoss", 12, importNegativeLogLikelihood);
  table.add("", "SoftmaxCrossEntropyLoss", 12, importSoftmaxCrossEntropy);
}

} // namespace torsh::onnx
