//===-- RandomOps.cpp - Random tensors
//----------------------------------------------------------------------===//
//
// An artifact is a pure function of its inputs: random nodes draw from a counter-based generator whose key is
// the node's seed, or its name where no seed is given. Each run gives the same numbers.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include "llvm/Support/xxhash.h"
#include <random>

using namespace mlir;

namespace torsh::onnx {
namespace {

Value stateOf(NodeImport &node) {
  torsh::Tensor state = torsh::Tensor::zeros(node.builder.getI64Type(), {2});
  StringRef name = node.node.outputs.empty() ? StringRef() : node.node.outputs[0];
  uint64_t key = llvm::xxh3_64bits(name);
  if (const Attribute *seed = node.attribute("seed"))
    key = llvm::xxh3_64bits(ArrayRef(reinterpret_cast<const uint8_t *>(&seed->f), sizeof(float)));
  state.ints[0] = int64_t(key);
  return node.graph.constant(state, node.loc);
}

/// The shape and element type of the result: from attributes, or from an input.
FailureOr<RankedTensorType> resultType(NodeImport &node, bool like) {
  mlir::Type elementType = node.builder.getF32Type();
  if (like && isa<FloatType>(node.typeOf(0).getElementType()))
    elementType = node.typeOf(0).getElementType();
  if (const Attribute *dtype = node.attribute("dtype"))
    elementType = elementTypeOf(node.context(), int32_t(dtype->i));
  if (!elementType || !isa<FloatType>(elementType))
    return LogicalResult(node.unsupported("random numbers must be floats"));
  if (like)
    return withElementType(node.typeOf(0), elementType);
  auto shape = node.intsAttr("shape");
  if (!shape || llvm::any_of(*shape, [](int64_t size) { return size < 0; }))
    return LogicalResult(node.malformed("the shape is missing or negative"));
  return RankedTensorType::get(*shape, elementType);
}

Value affine(NodeImport &node, Value x, double scale, double offset) {
  if (scale != 1)
    x = node.create<MulOp>(x, node.splatLike(x, scale));
  return offset == 0 ? x : node.create<AddOp>(x, node.splatLike(x, offset));
}

LogicalResult importNormal(NodeImport &node) {
  FailureOr<RankedTensorType> type = resultType(node, node.node.opType.ends_with("Like"));
  if (failed(type))
    return failure();
  Value x = RandomNormalOp::create(node.builder, node.loc, *type, stateOf(node));
  node.setResult(0, affine(node, x, node.floatAttr("scale", 1), node.floatAttr("mean", 0)));
  return success();
}

LogicalResult importUniform(NodeImport &node) {
  FailureOr<RankedTensorType> type = resultType(node, node.node.opType.ends_with("Like"));
  if (failed(type))
    return failure();
  double low = node.floatAttr("low", 0), high = node.floatAttr("high", 1);
  Value x = RandomUniformOp::create(node.builder, node.loc, *type, stateOf(node));
  node.setResult(0, affine(node, x, high - low, low));
  return success();
}

LogicalResult importBernoulli(NodeImport &node) {
  Value p = node.operand(0);
  auto type = cast<RankedTensorType>(p.getType());
  mlir::Type elementType = type.getElementType();
  if (const Attribute *dtype = node.attribute("dtype"))
    elementType = elementTypeOf(node.context(), int32_t(dtype->i));
  if (!elementType || !isa<FloatType>(type.getElementType()))
    return node.unsupported("probabilities must be floats and results numbers");
  Value drawn = RandomUniformOp::create(node.builder, node.loc, type, stateOf(node));
  Value hit = CompareOp::create(node.builder, node.loc, withElementType(type, node.builder.getI1Type()),
                                drawn, p, ComparePredicate::lt);
  node.setResult(0, node.cast(hit, elementType));
  return success();
}

//===-- Dropout
//------------------------------------------------------------------------------------------------===//

/// Numbers in [0, 1) for a mask. With a seed and a static shape they are those of NumPy's generator for that seed, by which
/// ONNX defines its expected results; else those of this file's own one.
Value dropoutNumbers(NodeImport &node, RankedTensorType type) {
  const Attribute *seed = node.attribute("seed");
  mlir::Type f64 = node.builder.getF64Type();
  bool few = type.hasStaticShape() && type.getNumElements() <= maxFoldedElements;
  if (!seed || !few || seed->i < 0 || seed->i > int64_t(UINT32_MAX))
    return node.cast(RandomUniformOp::create(node.builder, node.loc,
                                             withElementType(type, node.builder.getF32Type()), stateOf(node)),
                     f64);
  std::mt19937 generator(static_cast<uint32_t>(seed->i));
  torsh::Tensor numbers = torsh::Tensor::zeros(f64, type.getShape());
  for (double &number : numbers.floats) {
    // 53 bits of two draws.
    double high = generator() >> 5, low = generator() >> 6;
    number = (high * 0x1p26 + low) * 0x1p-53;
  }
  return node.graph.constant(numbers, node.loc);
}

/// Dropout at inference is the identity, and its mask is true everywhere. `ratio` and `training_mode` may be known at run
/// time only.
LogicalResult importDropout(NodeImport &node) {
  Value x = node.operand(0);
  auto type = cast<RankedTensorType>(x.getType());
  mlir::Type i1 = node.builder.getI1Type(), f64 = node.builder.getF64Type();
  Value all = node.splat(withElementType(type, node.opset >= 10 ? i1 : type.getElementType()), 1.0);
  auto known = node.opset >= 12 && node.hasInput(2) ? node.constantInts(2) : std::nullopt;
  if (node.opset < 12 || !node.hasInput(2) || (known && !known->empty() && known->front() == 0)) {
    node.setResult(0, x);
    node.setResult(1, all);
    return success();
  }
  if (!isa<FloatType>(type.getElementType()))
    return node.malformed("the data must be floats");
  Value ratio = node.hasInput(1) ? node.cast(node.reshape(node.operand(1), {}), f64) : node.scalar(f64, 0.5);
  Value numbers = dropoutNumbers(node, type);
  Value mask = CompareOp::create(node.builder, node.loc, withElementType(type, i1), numbers,
                                 node.broadcastTo(ratio, getDims(x)), ComparePredicate::ge);
  Value kept = node.create<SubOp>(node.scalar(f64, 1), ratio);
  Value scale = node.cast(node.create<DivOp>(node.scalar(f64, 1), kept), type.getElementType());
  Value scaled = node.create<MulOp>(x, node.broadcastTo(scale, getDims(x)));
  Value y = node.create<SelectOp>(mask, scaled, node.splat(type, 0));
  if (!known) {
    Value training = node.broadcastTo(node.reshape(node.operand(2), {}), getDims(x));
    y = node.create<SelectOp>(training, y, x);
    mask = node.create<SelectOp>(training, mask, all);
  }
  node.setResult(0, y);
  node.setResult(1, mask);
  return success();
}

} // namespace

void addRandomOps(OpTable &table) {
  table.add("", "RandomNormal", 1, importNormal);
  table.add("", "RandomNormalLike", 1, importNormal);
  table.add("", "RandomUniform", 1, importUniform);
  table.add("", "RandomUniformLike", 1, importUniform);
  table.add("", "Bernoulli", 15, importBernoulli);
  table.add("", "Dropout", 1, importDropout);
}

} // namespace torsh::onnx
