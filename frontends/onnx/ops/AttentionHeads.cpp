//===-- AttentionHeads.cpp - Heads of attention operands --------------------------------------------------------===//
#include "frontends/onnx/ops/AttentionHeads.h"
#include "frontends/onnx/GraphImport.h"

using namespace mlir;

namespace torsh::onnx {

FailureOr<DimAttr> headSize(NodeImport &n, DimAttr whole, int64_t heads, StringRef attribute) {
  DimAttr parts = dim::constant(n.context(), heads);
  std::optional<DimAttr> size = heads > 0 ? dim::exactQuotient(whole, parts) : std::nullopt;
  if (size)
    return *size;
  if (heads < 1 || dim::asConstant(whole))
    return LogicalResult(n.malformed(attribute + " must divide the last dim of operands of rank 3"));
  DimAttr part = dim::floorDiv(whole, parts);
  if (!n.unify(dim::mul(part, parts), whole, attribute + " divides the last dim"))
    return LogicalResult(
        n.unsupported("the last dim of operands of rank 3 must be known to be a multiple of " + attribute));
  return part;
}

Value splitHeads(NodeImport &n, Value x, StringRef attribute) {
  if (rankOf(x) == 4)
    return x;
  int64_t heads = n.intAttr(attribute, 0);
  FailureOr<DimAttr> size = headSize(n, getDims(x)[2], heads, attribute);
  if (failed(size))
    return {};
  SmallVector<DimAttr> dims = getDims(x);
  return n.transpose(n.reshape(x, {dims[0], dims[1], dim::constant(n.context(), heads), *size}),
                     {0, 2, 1, 3});
}

Value repeatHeads(NodeImport &n, Value x, DimAttr heads) {
  SmallVector<DimAttr> dims = getDims(x);
  if (dims[1] == heads)
    return x;
  std::optional<DimAttr> repeats = dim::exactQuotient(heads, dims[1]);
  if (!repeats && dim::asConstant(dims[1]) && dim::asConstant(heads))
    return (void)n.malformed("the number of query heads is not a multiple of the number of key heads"),
           Value();
  if (repeats && dim::asConstant(*repeats)) {
    Value wide = n.reshape(x, {dims[0], dims[1], dim::constant(n.context(), 1), dims[2], dims[3]});
    wide = n.broadcastTo(wide, {dims[0], dims[1], *repeats, dims[2], dims[3]});
    return n.reshape(wide, {dims[0], heads, dims[2], dims[3]});
  }
  // Head i takes i / (heads / own), which is i * own / heads where that is a whole number of heads.
  mlir::Type i64 = n.builder.getI64Type();
  auto type = makeTensorType({heads}, i64);
  Value index = n.create<IotaOp>(type, int64_t(0));
  index = n.create<MulOp>(index, n.broadcastTo(n.fromDims({dims[1]}, true), {heads}));
  index = n.create<DivOp>(index, n.broadcastTo(n.fromDims({heads}, true), {heads}));
  return n.create<GatherOp>(x, index, int64_t(1));
}

HeadScale::HeadScale(NodeImport &n, DimAttr size, mlir::Type elementType) {
  if (std::optional<int64_t> known = dim::asConstant(size)) {
    number = 1 / std::sqrt(static_cast<double>(std::max<int64_t>(*known, 1)));
    return;
  }
  tensor = n.create<RsqrtOp>(n.cast(n.fromDims({size}, true), elementType));
}

Value HeadScale::apply(NodeImport &n, Value x) const {
  return tensor ? n.create<MulOp>(x, n.broadcastTo(tensor, getDims(x))) : x;
}

} // namespace torsh::onnx
