//===-- FusedOps.cpp - Products and convolutions with an activation, bias activations
//-----------------------===//
//
// What ONNX Runtime's optimiser writes. The parts are imported one by one, and the fusion of the compiler joins them
// again.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/SpatialWindow.h"
#include "frontends/onnx/ops/microsoft/ChannelsLast.h"
#include "frontends/onnx/ops/microsoft/MicrosoftOps.h"

using namespace mlir;

namespace torsh::onnx::microsoft {
namespace {

//===-- Activations named by an attribute
//------------------------------------------------------------------------===//

struct Activation {
  StringRef name;
  double alpha, beta;
};

/// The activation of x; null after a refusal.
Value activate(NodeImport &n, Value x, const Activation &activation) {
  StringRef name = activation.name;
  double alpha = activation.alpha, beta = activation.beta;
  if (name.empty() || name == "Identity")
    return x;
  if (name == "Relu")
    return n.create<MaximumOp>(x, n.splatLike(x, 0));
  if (name == "Tanh")
    return n.create<TanhOp>(x);
  if (name == "Sigmoid")
    return n.create<SigmoidOp>(x);
  if (name == "Softplus")
    return n.create<SoftplusOp>(x);
  if (name == "Softsign")
    return n.create<DivOp>(x, addNumber(n, n.create<AbsOp>(x), 1));
  if (name == "Clip")
    return clamp(n, x, alpha, beta);
  if (name == "HardSigmoid")
    return clamp(n, addNumber(n, scale(n, x, alpha), beta), 0, 1);
  if (name == "HardSwish")
    return n.create<MulOp>(x, clamp(n, addNumber(n, scale(n, x, 1.0 / 6), 0.5), 0, 1));
  Value negative = compareNumber(n, x, ComparePredicate::lt, 0);
  if (name == "LeakyRelu")
    return n.create<SelectOp>(negative, scale(n, x, alpha), x);
  if (name == "Elu")
    return n.create<SelectOp>(negative, scale(n, n.create<Expm1Op>(x), alpha), x);
  if (name == "ThresholdedRelu")
    return n.create<SelectOp>(compareNumber(n, x, ComparePredicate::gt, alpha), x, n.splatLike(x, 0));
  return (void)n.unsupported("activation '" + name + "' is not supported"), Value();
}

/// The numbers of an activation where the model gives none: those of the standard operator.
Activation defaultsOf(StringRef name) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (name == "Clip")
    return {name, -infinity, infinity};
  if (name == "HardSigmoid")
    return {name, 0.2f, 0.5};
  return {name, name == "LeakyRelu" ? 0.01f : 1.0, 0};
}

/// From `activation` and the floats activation_alpha and activation_beta.
Activation readActivation(NodeImport &n) {
  Activation a = defaultsOf(n.stringAttr("activation", ""));
  a.alpha = n.floatAttr("activation_alpha", a.alpha);
  a.beta = n.floatAttr("activation_beta", a.beta);
  return a;
}

//===-- Convolutions
//---------------------------------------------------------------------------------------------===//

/// Conv, then + Z, then the activation with the list activation_params.
LogicalResult importFusedConv(NodeImport &n) {
  if (failed(importStandard(n, "Conv", 11)))
    return failure();
  Value y = resultOf(n, 0);
  if (n.hasInput(3)) {
    SmallVector<Value> values = {y, n.operand(3)};
    if (failed(n.broadcastTogether(values)))
      return failure();
    y = n.create<AddOp>(values[0], values[1]);
  }
  Activation a = defaultsOf(n.stringAttr("activation", ""));
  if (const Attribute *given = n.attribute("activation_params")) {
    if (!given->floats.empty())
      a.alpha = given->floats[0];
    if (given->floats.size() > 1)
      a.beta = given->floats[1];
  }
  y = activate(n, y, a);
  if (!y)
    return failure();
  n.setResult(0, y);
  return success();
}

/// Conv of x [N, spatial..., C] by w [O, spatial..., C/group].
LogicalResult importNhwcConv(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireInputs(n, 2)))
    return failure();
  int64_t rank = n.typeOf(0).getRank();
  if (rank < 3 || n.typeOf(1).getRank() != rank)
    return n.malformed("X and W must have one rank of at least 3");
  Value x = toChannelsFirst(n, n.operand(0)), w = toChannelsFirst(n, n.operand(1));
  std::optional<SmallVector<int64_t>> kernel = staticDims(w, 2, rank);
  if (!kernel)
    return n.unsupported("the weights must have a static shape");
  FailureOr<SpatialWindow> window = readWindow(n, rank - 2, *kernel);
  if (failed(window) || failed(resolveSame(n, *window, x, 0.0)))
    return failure();
  int64_t groups = n.intAttr("group", 1);
  if (!n.unify(getDims(x)[1], dim::mul(getDims(w)[1], dim::constant(n.context(), groups)),
               "channels of X and W"))
    return n.malformed("the channels of X are not those that W is made for");
  Value y = n.create<ConvOp>(x, w, n.optionalOperand(2), window->strides, window->dilations, window->low,
                             window->high, groups, Layout::channels_first);
  n.setResult(0, toChannelsLast(n, y));
  return success();
}

//===-- Products
//-------------------------------------------------------------------------------------------------===//

/// Swaps the last two dims; a vector stays. With `batch` the first dim is moved before the last one beforehand.
Value transposed(NodeImport &n, Value x, bool batch, bool matrix) {
  int64_t rank = rankOf(x);
  if (rank < 2)
    return x;
  SmallVector<int64_t> permutation = range(0, rank);
  if (batch && rank > 2) {
    permutation.erase(permutation.begin());
    permutation.insert(permutation.end() - 1, 0);
  }
  if (matrix)
    std::swap(permutation[rank - 2], permutation[rank - 1]);
  return n.transpose(x, permutation);
}

/// activation(alpha * A' B').
LogicalResult importFusedMatMul(NodeImport &n) {
  if (failed(requireInputs(n, 2)))
    return failure();
  Value a = n.operand(0), b = n.operand(1);
  if (elementTypeOf(a) != elementTypeOf(b))
    return n.malformed("A and B have different element types");
  a = transposed(n, a, n.intAttr("transBatchA", 0) != 0, n.intAttr("transA", 0) != 0);
  b = transposed(n, b, n.intAttr("transBatchB", 0) != 0, n.intAttr("transB", 0) != 0);
  Value y = matmul(n, a, b);
  if (!y)
    return failure();
  y = scale(n, y, n.floatAttr("alpha", 1));
  if (n.node.opType == "FusedMatMulActivation")
    y = activate(n, y, readActivation(n));
  if (!y)
    return failure();
  n.setResult(0, y);
  return success();
}

LogicalResult importFusedGemm(NodeImport &n) {
  if (failed(importStandard(n, "Gemm", 13)))
    return failure();
  Value y = activate(n, resultOf(n, 0), readActivation(n));
  if (!y)
    return failure();
  n.setResult(0, y);
  return success();
}

//===-- Biases
//---------------------------------------------------------------------------------------------------===//

/// x + bias + skip.
LogicalResult importBiasAdd(NodeImport &n) {
  if (failed(requireInputs(n, 3)))
    return failure();
  SmallVector<Value> values = {n.operand(0), n.operand(1), n.operand(2)};
  if (failed(n.broadcastTogether(values)))
    return failure();
  n.setResult(0, n.create<AddOp>(n.create<AddOp>(values[0], values[1]), values[2]));
  return success();
}

/// Half of x + bias times the gelu of the other half.
LogicalResult importBiasSplitGelu(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireInputs(n, 2)))
    return failure();
  SmallVector<Value> values = {n.operand(0), n.operand(1)};
  if (failed(n.broadcastTogether(values)))
    return failure();
  Value x = n.create<AddOp>(values[0], values[1]);
  int64_t last = rankOf(x) - 1;
  std::optional<int64_t> size = dim::asConstant(getDims(x)[last]);
  if (!size || *size % 2 != 0)
    return n.unsupported("the last dim of X must be static and even");
  DimAttr half = dim::constant(n.context(), *size / 2);
  Value left = sliceAxis(n, x, last, dim::constant(n.context(), 0), half),
        right = sliceAxis(n, x, last, half, half);
  Value erf = n.create<ErfOp>(scale(n, right, 0.70710678118654752440));
  Value gelu = n.create<MulOp>(scale(n, right, 0.5), addNumber(n, erf, 1));
  n.setResult(0, n.create<MulOp>(left, gelu));
  return success();
}

/// softmax(x + bias). `is_inner_broadcast`: the bias has x's first dims and 1 for the rest before `axis`.
LogicalResult importBiasSoftmax(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireInputs(n, 2)))
    return failure();
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", 1), n.typeOf(0).getRank());
  if (failed(axis))
    return failure();
  SmallVector<Value> values = {n.operand(0), n.operand(1)};
  if (failed(n.broadcastTogether(values)))
    return failure();
  Value sum = n.create<AddOp>(values[0], values[1]);
  SmallVector<DimAttr> dims = getDims(sum);
  DimAttr rows = dim::product(n.context(), ArrayRef(dims).take_front(*axis));
  DimAttr columns = dim::product(n.context(), ArrayRef(dims).drop_front(*axis));
  if (*axis == rankOf(sum) - 1) {
    n.setResult(0, n.create<SoftmaxOp>(sum, *axis));
    return success();
  }
  n.setResult(0, n.reshape(n.create<SoftmaxOp>(n.reshape(sum, {rows, columns}), int64_t(1)), dims));
  return success();
}

/// Z sigmoid(Z) with Z = scale * X, each step rounded to the type of X.
LogicalResult importScaledSilu(NodeImport &n) {
  if (failed(requireFloat(n, 0)))
    return failure();
  Value x = n.operand(0), z;
  if (n.hasInput(1)) {
    Value factor = n.cast(n.operand(1), n.builder.getF32Type());
    if (!dim::isConstant(getNumElements(cast<RankedTensorType>(factor.getType())), 1))
      return n.malformed("scale must be a scalar");
    factor = n.broadcastTo(n.reshape(factor, {}), getDims(x));
    Value wide = n.cast(x, n.builder.getF32Type());
    z = n.cast(n.create<MulOp>(wide, factor), elementTypeOf(x));
  } else {
    z = scale(n, x, n.floatAttr("alpha", 1));
  }
  n.setResult(0, n.create<MulOp>(z, n.create<SigmoidOp>(z)));
  return success();
}

} // namespace

void addFusedOps(OpTable &table) {
  table.add("com.microsoft", "FusedConv", 1, importFusedConv);
  table.add("com.microsoft", "NhwcConv", 1, importNhwcConv);
  table.add("com.microsoft", "FusedGemm", 1, importFusedGemm);
  table.add("com.microsoft", "FusedMatMul", 1, importFusedMatMul);
  table.add("com.microsoft", "FusedMatMulActivation", 1, importFusedMatMul);
  table.add("com.microsoft", "TransposeMatMul", 1, importFusedMatMul);
  table.add("com.microsoft", "BiasAdd", 1, importBiasAdd);
  table.add("com.microsoft", "BiasSplitGelu", 1, importBiasSplitGelu);
  table.add("com.microsoft", "BiasSoftmax", 1, importBiasSoftmax);
  table.add("com.microsoft", "ScaledSiLU", 1, importScaledSilu);
}

} // namespace torsh::onnx::microsoft
