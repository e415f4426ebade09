//===-- FoldBatchNorm.cpp - Batch norms become weights or elementwise ops -----------------------------------===//
#include "dialects/torsh/SpatialDims.h"
#include "passes/graph/ConstantValues.h"
#include "passes/graph/Passes.h"
#include <cmath>

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_FOLDBATCHNORMPASS
#include "passes/graph/Passes.h.inc"

namespace {

/// y = x * factor + shift for each feature.
struct Affine {
  std::vector<double> factor, shift;
};

std::optional<Affine> getAffine(BatchNormOp norm) {
  std::optional<Tensor> scale = getConstantTensor(norm.getScale()), bias = getConstantTensor(norm.getBias()),
                        mean = getConstantTensor(norm.getMean()),
                        variance = getConstantTensor(norm.getVariance());
  if (!scale || !bias || !mean || !variance)
    return std::nullopt;
  size_t size = scale->floats.size();
  if (bias->floats.size() != size || mean->floats.size() != size || variance->floats.size() != size)
    return std::nullopt;
  Affine affine;
  double epsilon = norm.getEpsilon().convertToDouble();
  for (size_t i = 0; i < size; ++i) {
    affine.factor.push_back(scale->floats[i] / std::sqrt(variance->floats[i] + epsilon));
    affine.shift.push_back(bias->floats[i] - mean->floats[i] * affine.factor[i]);
  }
  return affine;
}

/// The weights with each slice along `axis` multiplied; null when they are no constant.
Value scaleWeights(OpBuilder &builder, Location location, Value weights, int64_t axis,
                   ArrayRef<double> factor) {
  auto constant = weights.getDefiningOp<ConstantOp>();
  auto type = cast<RankedTensorType>(weights.getType());
  if (!constant || !isa<FloatType>(type.getElementType()) || type.getDimSize(axis) != int64_t(factor.size()))
    return {};
  MLIRContext *context = builder.getContext();
  if (auto weight = dyn_cast<WeightAttr>(constant.getValue())) {
    Tensor factors = makeVector(Float32Type::get(context), factor);
    WeightStore &store = cast<TorshDialect>(constant->getDialect())->getWeightStore();
    std::vector<char> bytes = factors.toBytes();
    auto step = WeightStepAttr::get(context, StringAttr::get(context, "scale"), axis,
                                    StringAttr::get(context, store.addCopy(bytes)), type);
    return ConstantOp::create(builder, location, type, weight.append(step));
  }
  std::optional<Tensor> tensor = getConstantTensor(weights);
  if (!tensor)
    return {};
  int64_t inner = 1, size = factor.size();
  for (int64_t dim : type.getShape().drop_front(axis + 1))
    inner *= dim;
  for (int64_t i = 0; i < tensor->numElements(); ++i)
    tensor->floats[i] = roundTo(type.getElementType(), tensor->floats[i] * factor[i / inner % size]);
  return createConstant(builder, location, *tensor);
}

/// Where the outputs' factors lie in the weights of a convolution, and the factors in the order of that axis.
std::optional<std::pair<int64_t, std::vector<double>>> getWeightFactors(Operation *op, const Affine &affine) {
  if (auto conv = dyn_cast<ConvOp>(op)) {
    SpatialDims dims(conv.getLayout(), conv.getX().getType().getRank());
    return std::pair(int64_t(dims.filterOutputs()), affine.factor);
  }
  auto conv = cast<ConvTransposeOp>(op);
  auto type = cast<RankedTensorType>(conv.getW().getType());
  bool last = conv.getLayout() == Layout::channels_last;
  int64_t rank = type.getRank(), groups = conv.getGroups();
  // [C, O/groups, spatial...] or [spatial..., C, O/groups].
  int64_t inputs = last ? rank - 2 : 0, outputs = last ? rank - 1 : 1;
  if (groups == 1)
    return std::pair(outputs, affine.factor);
  // The outputs of a group are spread over two axes, unless each group has one.
  if (type.getDimSize(outputs) != 1)
    return std::nullopt;
  std::vector<double> factors;
  for (int64_t c = 0, count = type.getDimSize(inputs); c < count; ++c)
    factors.push_back(affine.factor[c / (count / groups)]);
  return std::pair(inputs, factors);
}

/// batch_norm(conv(x, w, b)) -> conv(x, w * factor, b * factor + shift)
template <typename OpTy> bool foldIntoConv(BatchNormOp norm, const Affine &affine) {
  auto conv = norm.getX().template getDefiningOp<OpTy>();
  if (!conv || !conv->hasOneUse())
    return false;
  SpatialDims dims(conv.getLayout(), norm.getX().getType().getRank());
  auto element = dyn_cast<FloatType>(norm.getX().getType().getElementType());
  if (norm.getAxis() != dims.channel() || !element)
    return false;
  std::vector<double> bias(affine.shift);
  if (conv.getBias()) {
    std::optional<Tensor> old = getConstantTensor(conv.getBias());
    if (!old || old->floats.size() != bias.size())
      return false;
    for (size_t i = 0; i < bias.size(); ++i)
      bias[i] += old->floats[i] * affine.factor[i];
  }
  auto factors = getWeightFactors(conv, affine);
  if (!factors)
    return false;
  OpBuilder builder(conv);
  Value weights = scaleWeights(builder, conv.getW().getLoc(), conv.getW(), factors->first, factors->second);
  if (!weights)
    return false;
  Value shift = createConstant(builder, norm.getLoc(), makeVector(element, bias));
  conv.getWMutable().assign(weights);
  conv.getBiasMutable().assign(shift);
  conv->setLoc(FusedLoc::get(builder.getContext(), {conv.getLoc(), norm.getLoc()}));
  norm.getY().replaceAllUsesWith(conv.getY());
  norm.erase();
  return true;
}

/// A [features] vector along the axis of a tensor of the given type.
Value spread(OpBuilder &builder, Location location, Value vector, int64_t axis, RankedTensorType like) {
  Type element = cast<RankedTensorType>(vector.getType()).getElementType();
  return BroadcastOp::create(builder, location, withElementType(like, element), vector, axis);
}

/// batch_norm(x) -> x * factor + shift
void expandConstant(BatchNormOp norm, const Affine &affine) {
  OpBuilder builder(norm);
  Location location = norm.getLoc();
  RankedTensorType type = norm.getX().getType();
  auto element = cast<FloatType>(type.getElementType());
  auto along = [&](ArrayRef<double> numbers) {
    Value vector = createConstant(builder, location, makeVector(element, numbers));
    return spread(builder, location, vector, norm.getAxis(), type);
  };
  Value product = MulOp::create(builder, location, norm.getX(), along(affine.factor));
  Value sum = AddOp::create(builder, location, product, along(affine.shift));
  norm.getY().replaceAllUsesWith(sum);
  norm.erase();
}

/// batch_norm(x) -> (x - mean) * (rsqrt(variance + epsilon) * scale) + bias, in the widest type of the operands.
void expandComputed(BatchNormOp norm) {
  OpBuilder builder(norm);
  Location location = norm.getLoc();
  RankedTensorType type = norm.getX().getType();
  Type element = type.getElementType();
  for (Value operand : norm->getOperands()) {
    Type other = cast<RankedTensorType>(operand.getType()).getElementType();
    if (other.getIntOrFloatBitWidth() > element.getIntOrFloatBitWidth())
      element = other;
  }
  auto cast = [&](Value value, Type to) -> Value {
    auto from = mlir::cast<RankedTensorType>(value.getType());
    return from.getElementType() == to
               ? value
               : CastOp::create(builder, location, withElementType(from, to), value, true);
  };
  RankedTensorType wide = withElementType(type, element);
  auto along = [&](Value vector) { return spread(builder, location, vector, norm.getAxis(), wide); };
  Value variance = cast(norm.getVariance(), element);
  auto vectorType = mlir::cast<RankedTensorType>(variance.getType());
  Tensor number = Tensor::zeros(element, {});
  number.floats[0] = roundTo(element, norm.getEpsilon().convertToDouble());
  Value epsilon = BroadcastOp::create(builder, location, vectorType,
                                      createConstant(builder, location, number), ArrayRef<int64_t>());
  Value deviation = RsqrtOp::create(builder, location, AddOp::create(builder, location, variance, epsilon));
  Value factor = MulOp::create(builder, location, deviation, cast(norm.getScale(), element));
  Value centred =
      SubOp::create(builder, location, cast(norm.getX(), element), along(cast(norm.getMean(), element)));
  Value scaled = MulOp::create(builder, location, centred, along(factor));
  Value sum = AddOp::create(builder, location, scaled, along(cast(norm.getBias(), element)));
  norm.getY().replaceAllUsesWith(cast(sum, type.getElementType()));
  norm.erase();
}

struct FoldBatchNorm : impl::FoldBatchNormPassBase<FoldBatchNorm> {
  void runOnOperation() override {
    SmallVector<BatchNormOp> norms;
    getOperation().walk([&](BatchNormOp norm) { norms.push_back(norm); });
    for (BatchNormOp norm : norms) {
      std::optional<Affine> affine = getAffine(norm);
      if (!affine)
        expandComputed(norm);
      else if (!foldIntoConv<ConvOp>(norm, *affine) && !foldIntoConv<ConvTransposeOp>(norm, *affine))
        expandConstant(norm, *affine);
    }
  }
};

} // namespace
} // namespace torsh
