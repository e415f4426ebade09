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

} // namespace

void addRandomOps(OpTable &table) {
  table.add("", "RandomNormal", 1, importNormal);
  table.add("", "RandomNormalLike", 1, importNormal);
  table.add("", "RandomUniform", 1, importUniform);
  table.add("", "RandomUniformLike", 1, importUniform);
  table.add("", "Bernoulli", 15, importBernoulli);
}

} // namespace torsh::onnx
