//===-- ActivationOps.cpp - Activations, softmax and dropout ------------------------------------------------===//
#include "frontends/torch/aten/Table.h"
#include <cmath>

using namespace mlir;

namespace torsh::torch {
namespace {

LogicalResult importRelu(Call &c) {
  Value x = c.tensor("self");
  return c.give(c.b.create<MaximumOp>(x, c.b.splatLike(x, 0)));
}

LogicalResult importRelu6(Call &c) { return c.give(c.b.clamp(c.tensor("self"), 0, 6)); }

LogicalResult importHardtanh(Call &c) {
  return c.give(c.b.clamp(c.tensor("self"), c.number("min_val"), c.number("max_val")));
}

LogicalResult importLeakyRelu(Call &c) {
  Value x = c.tensor("self");
  Value positive = c.b.compareNumber(x, ComparePredicate::gt, 0);
  return c.give(c.b.create<SelectOp>(positive, x, c.b.scale(x, c.number("negative_slope"))));
}

LogicalResult importPrelu(Call &c) {
  Value x = c.tensor("self"), weight = c.tensor("weight");
  if (rankOf(weight) == 1 && rankOf(x) > 1 && !dim::isConstant(getDims(weight)[0], 1)) {
    // One slope a channel, and channels are dim 1.
    SmallVector<DimAttr> shape(rankOf(x) - 1, c.b.dim(1));
    shape[0] = getDims(weight)[0];
    weight = c.b.reshape(weight, shape);
  }
  Value slope = c.b.broadcastTo(rankOf(weight) > rankOf(x) ? c.b.reshape(weight, {}) : weight, getDims(x));
  if (c.b.hasFailed())
    return failure();
  Value positive = c.b.compareNumber(x, ComparePredicate::gt, 0);
  return c.give(c.b.create<SelectOp>(positive, x, c.b.create<MulOp>(x, slope)));
}

/// scale * (x > 0 ? x : alpha * (exp(x * input_scale) - 1))
Value elu(Call &c, Value x, double alpha, double scale, double inputScale) {
  Value negative = c.b.scale(c.b.create<Expm1Op>(c.b.scale(x, inputScale)), alpha);
  Value positive = c.b.compareNumber(x, ComparePredicate::gt, 0);
  return c.b.scale(c.b.create<SelectOp>(positive, x, negative), scale);
}

LogicalResult importElu(Call &c) {
  return c.give(elu(c, c.tensor("self"), c.number("alpha"), c.number("scale"), c.number("input_scale")));
}
LogicalResult importSelu(Call &c) {
  return c.give(
      elu(c, c.tensor("self"), 1.6732632423543772848170429916717, 1.0507009873554804934193349852946, 1));
}
LogicalResult importCelu(Call &c) {
  double alpha = c.number("alpha");
  return c.give(elu(c, c.tensor("self"), alpha, 1, 1 / alpha));
}

LogicalResult importGelu(Call &c) {
  Value x = c.tensor("self"), inner;
  if (c.text("approximate") == "tanh") {
    double factor = std::sqrt(2 / M_PI);
    Value square = c.b.create<MulOp>(x, x);
    inner =
        c.b.create<TanhOp>(c.b.create<MulOp>(x, c.b.addNumber(c.b.scale(square, 0.044715 * factor), factor)));
  } else {
    inner = c.b.create<ErfOp>(c.b.scale(x, M_SQRT1_2));
  }
  return c.give(c.b.create<MulOp>(c.b.scale(x, 0.5), c.b.addNumber(inner, 1)));
}

LogicalResult importSilu(Call &c) {
  Value x = c.tensor("self");
  return c.give(c.b.create<MulOp>(x, c.b.create<SigmoidOp>(x)));
}

LogicalResult importMish(Call &c) {
  Value x = c.tensor("self");
  return c.give(c.b.create<MulOp>(x, c.b.create<TanhOp>(c.b.create<SoftplusOp>(x))));
}

/// min(max(x + 3, 0), 6) / 6
Value hardSigmoid(Call &c, Value x) { return c.b.scale(c.b.clamp(c.b.addNumber(x, 3), 0, 6), 1.0 / 6); }

LogicalResult importHardSigmoid(Call &c) { return c.give(hardSigmoid(c, c.tensor("self"))); }
LogicalResult importHardSwish(Call &c) {
  Value x = c.tensor("self");
  return c.give(c.b.create<MulOp>(x, hardSigmoid(c, x)));
}

LogicalResult importSoftplus(Call &c) {
  Value x = c.tensor("self");
  double beta = c.number("beta"), threshold = c.number("threshold");
  Value scaled = c.b.scale(x, beta);
  Value soft = c.b.scale(c.b.create<SoftplusOp>(scaled), 1 / beta);
  return c.give(c.b.create<SelectOp>(c.b.compareNumber(scaled, ComparePredicate::gt, threshold), x, soft));
}

LogicalResult importLogSigmoid(Call &c) {
  return c.give(c.b.create<NegOp>(c.b.create<SoftplusOp>(c.b.create<NegOp>(c.tensor("self")))));
}

LogicalResult importThreshold(Call &c) {
  Value x = c.tensor("self");
  Value above = c.b.compareNumber(x, ComparePredicate::gt, c.number("threshold"));
  return c.give(c.b.create<SelectOp>(above, x, c.b.splatLike(x, c.number("value"))));
}

LogicalResult importGlu(Call &c) {
  Value x = c.tensor("self");
  int64_t axis = c.axis("dim", rankOf(x));
  if (rankOf(x) == 0)
    return c.fail("glu needs a tensor of rank 1 or more");
  DimAttr size = getDims(x)[axis], half = dim::floorDiv(size, c.b.dim(2));
  if (!c.b.unify(size, dim::mul(half, c.b.dim(2)), "glu splits a dim into halves"))
    return c.fail("glu needs an even number of channels");
  Value gate = c.b.create<SigmoidOp>(c.b.sliceAxis(x, axis, half, half));
  return c.give(c.b.create<MulOp>(c.b.sliceAxis(x, axis, c.b.dim(0), half), gate));
}

/// dtype, where given, is applied before.
template <typename Op> LogicalResult importSoftmax(Call &c) {
  Value x = c.tensor("self");
  if (Type type = c.elementType("dtype"))
    x = c.b.cast(x, type);
  if (!isa<FloatType>(elementTypeOf(x)))
    return c.fail("softmax needs floats, not " + typeText(elementTypeOf(x)));
  if (rankOf(x) == 0) {
    Value row = c.b.create<Op>(c.b.reshape(x, {c.b.dim(1)}), int64_t(0));
    return c.give(c.b.reshape(row, {}));
  }
  return c.give(c.b.create<Op>(x, c.axis("dim", rankOf(x))));
}

LogicalResult importDropout(Call &c) {
  if (c.flag("train") && c.number("p") != 0)
    return c.fail(
        "the model was saved in training mode, where dropout is random; call model.eval() before saving");
  return c.give(c.value("input"));
}

} // namespace

void addActivationOps(Table &table) {
  table.add("relu(Tensor self)", importRelu);
  table.add("relu6(Tensor self)", importRelu6);
  table.add("hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1)", importHardtanh);
  table.add("leaky_relu(Tensor self, Scalar negative_slope=0.01)", importLeakyRelu);
  table.add("prelu(Tensor self, Tensor weight)", importPrelu);
  table.add("elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1)", importElu);
  table.add("selu(Tensor self)", importSelu);
  table.add("celu(Tensor self, Scalar alpha=1)", importCelu);
  table.add("gelu(Tensor self, *, str approximate=\"none\")", importGelu);
  table.add("silu(Tensor self)", importSilu);
  table.add("mish(Tensor self)", importMish);
  table.add("hardsigmoid(Tensor self)", importHardSigmoid);
  table.add("hardswish(Tensor self)", importHardSwish);
  table.add("softplus(Tensor self, Scalar beta=1, Scalar threshold=20)", importSoftplus);
  table.add("log_sigmoid(Tensor self)", importLogSigmoid);
  table.add("threshold(Tensor self, Scalar threshold, Scalar value)", importThreshold);
  table.add("glu(Tensor self, int dim=-1)", importGlu);
  table.add("softmax(Tensor self, int dim, int? dtype=None)", importSoftmax<SoftmaxOp>);
  table.add("_softmax(Tensor self, int dim, bool half_to_float)", importSoftmax<SoftmaxOp>);
  table.add("log_softmax(Tensor self, int dim, int? dtype=None)", importSoftmax<LogSoftmaxOp>);
  table.add("_log_softmax(Tensor self, int dim, bool half_to_float)", importSoftmax<LogSoftmaxOp>);
  table.add("dropout(Tensor input, float p, bool train)", importDropout);
  table.add("feature_dropout(Tensor input, float p, bool train)", importDropout);
  table.add("alpha_dropout(Tensor input, float p, bool train)", importDropout);
}

} // namespace torsh::torch
