//===-- TrainingOps.cpp - Optimizer steps and derivatives of ai.onnx.preview.training ---------------------------===//
//
//
// Inputs of an optimizer are the learning rate R, the update count T, then all tensors, all gradients and all states, one kind after the
// other; results are the new tensors and the new states in that order.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/Gradient.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/Topics.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

using Step = SmallVector<Value> (*)(NodeImport &, ArrayRef<Value>, Value rate);

/// A rank-0 operand as `element`.
Value scalarOperand(NodeImport &n, size_t i, mlir::Type element) {
  return n.cast(n.reshape(n.operand(i), {}), element);
}
Value spread(NodeImport &n, Value scalar, Value like) { return n.broadcastTo(scalar, getDims(like)); }

/// Whether updates have been made before (T > 0), for a rank-0 result of `element`.
Value isLater(NodeImport &n, mlir::Type element) {
  return compareNumber(n, scalarOperand(n, 1, element), ComparePredicate::gt, 0);
}

/// The gradient with that of the regularisation, norm_coefficient / 2 * |x|^2.
Value regularised(NodeImport &n, Value x, Value gradient) {
  double norm = n.floatAttr("norm_coefficient", 0);
  return norm == 0 ? gradient : n.create<AddOp>(scale(n, x, norm), gradient);
}

/// Duchi, Hazan and Singer 2011.
SmallVector<Value> stepAdagrad(NodeImport &n, ArrayRef<Value> v, Value rate) {
  mlir::Type element = elementTypeOf(v[0]);
  Value decay = addNumber(n, scale(n, scalarOperand(n, 1, element), n.floatAttr("decay_factor", 0)), 1);
  rate = n.create<DivOp>(rate, decay);
  Value g = regularised(n, v[0], v[1]);
  Value sum = n.create<AddOp>(v[2], n.create<MulOp>(g, g));
  Value divisor = addNumber(n, n.create<SqrtOp>(sum), n.floatAttr("epsilon", 1e-6f));
  Value change = n.create<DivOp>(n.create<MulOp>(spread(n, rate, g), g), divisor);
  return {n.create<SubOp>(v[0], change), sum};
}

/// Kingma and Ba 2015.
SmallVector<Value> stepAdam(NodeImport &n, ArrayRef<Value> v, Value rate) {
  mlir::Type element = elementTypeOf(v[0]);
  double alpha = n.floatAttr("alpha", 0.9f), beta = n.floatAttr("beta", 0.999f);
  Value g = regularised(n, v[0], v[1]);
  Value mean = n.create<AddOp>(scale(n, v[2], alpha), scale(n, g, 1 - alpha));
  Value square = n.create<AddOp>(scale(n, v[3], beta), scale(n, n.create<MulOp>(g, g), 1 - beta));
  Value root = addNumber(n, n.create<SqrtOp>(square), n.floatAttr("epsilon", 1e-6f));
  // The moments start at 0, which is made up for from the first update on.
  Value count = scalarOperand(n, 1, element);
  auto missing = [&](double decay) {
    return addNumber(n, scale(n, n.create<PowOp>(n.splatLike(count, decay), count), -1), 1);
  };
  Value corrected = n.create<DivOp>(n.create<MulOp>(rate, n.create<SqrtOp>(missing(beta))), missing(alpha));
  rate = n.create<SelectOp>(isLater(n, element), corrected, rate);
  Value y = n.create<SubOp>(v[0], n.create<MulOp>(spread(n, rate, g), n.create<DivOp>(mean, root)));
  return {scale(n, y, 1 - n.floatAttr("norm_coefficient_post", 0)), mean, square};
}

SmallVector<Value> stepMomentum(NodeImport &n, ArrayRef<Value> v, Value rate) {
  mlir::Type element = elementTypeOf(v[0]);
  double alpha = n.floatAttr("alpha", 0), beta = n.floatAttr("beta", 0);
  Value g = regularised(n, v[0], v[1]);
  // The first gradient counts in full.
  Value weight = n.create<SelectOp>(isLater(n, element), n.scalar(element, beta), n.scalar(element, 1));
  Value velocity = n.create<AddOp>(scale(n, v[2], alpha), n.create<MulOp>(spread(n, weight, g), g));
  Value direction = velocity;
  if (n.stringAttr("mode", "") == "nesterov")
    direction = n.create<AddOp>(g, scale(n, velocity, alpha));
  return {n.create<SubOp>(v[0], n.create<MulOp>(spread(n, rate, g), direction)), velocity};
}

/// `kinds` operands a tensor: itself, its gradient and its states.
LogicalResult importSteps(NodeImport &n, size_t kinds, Step step) {
  if (n.numInputs() < 2 + kinds || (n.numInputs() - 2) % kinds != 0)
    return n.malformed("behind R and T there must be " + Twine(kinds) + " inputs for each tensor");
  if (failed(requireInputs(n, n.numInputs())))
    return failure();
  size_t count = (n.numInputs() - 2) / kinds;
  for (size_t tensor = 0; tensor < count; ++tensor) {
    SmallVector<Value> values;
    for (size_t kind = 0; kind < kinds; ++kind)
      values.push_back(n.operand(2 + kind * count + tensor));
    mlir::Type element = elementTypeOf(values[0]);
    for (Value &value : values) {
      if (!isa<FloatType>(element) || elementTypeOf(value) != element || rankOf(value) != rankOf(values[0]))
        return n.malformed("a tensor, its gradient and its states must be floats of one type and shape");
      for (int64_t i = 0; i < rankOf(value); ++i)
        if (!n.unify(getDims(value)[i], getDims(values[0])[i], "a tensor and its gradient"))
          return n.malformed("a tensor, its gradient and its states must have one shape");
    }
    SmallVector<Value> results = step(n, values, scalarOperand(n, 0, element));
    for (auto [kind, result] : llvm::enumerate(results))
      n.setResult(kind * count + tensor, result);
  }
  return success();
}

LogicalResult importAdagrad(NodeImport &n) { return importSteps(n, 3, stepAdagrad); }
LogicalResult importAdam(NodeImport &n) { return importSteps(n, 4, stepAdam); }
LogicalResult importMomentum(NodeImport &n) {
  if (n.stringAttr("mode", "") != "standard" && n.stringAttr("mode", "") != "nesterov")
    return n.malformed("mode must be standard or nesterov");
  return importSteps(n, 3, stepMomentum);
}

//===-- Gradient
//---------------------------------------------------------------------------------------------------===//

/// The derivatives of the tensor that an attribute names by operands, at the values that they have in the graph.
LogicalResult importGradient(NodeImport &n) {
  const Attribute *xs = n.attribute("xs"), *zs = n.attribute("zs");
  SmallVector<StringRef> names;
  if (xs)
    names.append(xs->strings.begin(), xs->strings.end());
  size_t count = names.size();
  if (zs)
    names.append(zs->strings.begin(), zs->strings.end());
  if (count == 0 || names.size() != n.numInputs() || n.numOutputs() > count)
    return n.malformed("there must be one input for each name of xs and zs");
  for (auto [name, input] : llvm::zip_equal(names, n.node.inputs))
    if (name != input)
      return n.unsupported("the derivative at other values than those of '" + name + "'");
  NamedValue *named = n.graph.find(n.stringAttr("y", ""));
  if (!named || named->kind == NamedValue::Kind::Failed)
    return n.malformed("y is not computed before the node");
  Value y = n.graph.materialize(*named, n.builder, n.loc);
  SmallVector<Value> by;
  for (size_t i = 0; i < count; ++i)
    by.push_back(n.operand(i));
  for (Value value : by)
    if (!y || !isa<FloatType>(elementTypeOf(value)) || !isa<FloatType>(elementTypeOf(y)))
      return n.malformed("y and xs must be floats");
  auto gradient = GradientOp::create(n.builder, n.loc, ValueRange(by).getTypes(), y, by);
  for (size_t i = 0; i < n.numOutputs(); ++i)
    n.setResult(i, gradient->getResult(i));
  return success();
}

} // namespace

void addTrainingOps(OpTable &table) {
  table.add("ai.onnx.preview.training", "Adagrad", 1, importAdagrad);
  table.add("ai.onnx.preview.training", "Adam", 1, importAdam);
  table.add("ai.onnx.preview.training", "Momentum", 1, importMomentum);
  table.add("ai.onnx.preview.training", "Gradient", 1, importGradient);
}

} // namespace torsh::onnx
