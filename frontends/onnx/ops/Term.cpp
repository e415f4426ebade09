//===-- Term.cpp - Formulas over tensors of one shape -------------------------------------------------------===//
#include "frontends/onnx/ops/Term.h"

using namespace mlir;

namespace torsh::onnx {

Term Term::iota(const TermSpace &space, int64_t axis) {
  return {space.n, IotaOp::create(space.n.builder, space.n.loc, space.type(), axis)};
}

Term Term::number(const TermSpace &space, double value) {
  return {space.n, space.n.splat(space.type(), value)};
}

Term Term::size(const TermSpace &space, DimAttr size) {
  if (std::optional<int64_t> known = dim::asConstant(size))
    return number(space, double(*known));
  return spread(space, space.n.cast(space.n.fromDims({size}, /*scalar=*/true), space.element), {});
}

Term Term::spread(const TermSpace &space, Value value, ArrayRef<int64_t> axes) {
  RankedTensorType type = makeTensorType(space.dims, elementTypeOf(value));
  if (type == value.getType())
    return {space.n, value};
  return {space.n, space.n.create<BroadcastOp>(type, value, axes)};
}

Term Term::choose(const Term &yes, const Term &no) const {
  return {*n, n->create<SelectOp>(held, yes.held, no.held)};
}

Term Term::compare(const Term &other, ComparePredicate predicate) const {
  auto type = withElementType(cast<RankedTensorType>(held.getType()), n->builder.getI1Type());
  return {*n, n->create<CompareOp>(type, held, other.held, predicate)};
}

Term linearPosition(ArrayRef<Term> index, ArrayRef<DimAttr> sizes) {
  Term position = index.front();
  for (size_t i = 1; i < index.size(); ++i)
    position = position * Term::size(position.space(), sizes[i]) + index[i];
  return position;
}

} // namespace torsh::onnx
