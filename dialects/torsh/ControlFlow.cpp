//===-- ControlFlow.cpp - Verifiers of ops with regions -------------------------------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"

using namespace mlir;

namespace torsh {

/// Checks one list of types against what the parent expects of it.
static LogicalResult checkTypes(Operation *op, StringRef label, StringRef what, TypeRange actual,
                                TypeRange expected) {
  if (actual.size() != expected.size())
    return op->emitOpError(label) << ": " << expected.size() << " " << what << " expected, there are "
                                  << actual.size();
  for (auto [index, pair] : llvm::enumerate(llvm::zip(actual, expected)))
    if (Type a = std::get<0>(pair), e = std::get<1>(pair); !typesMayBeEqual(a, e))
      return op->emitOpError(label) << ": number " << index << " of the " << what << " is " << a << ", not "
                                    << e;
  return success();
}

static TypeRange yieldedTypes(Region &region) { return region.front().getTerminator()->getOperandTypes(); }

static Type scalarType(MLIRContext *context, unsigned width) {
  return RankedTensorType::get({}, IntegerType::get(context, width));
}

LogicalResult IfOp::verify() {
  if (getCondition().getType().getRank() != 0)
    return emitOpError("if_c1: the condition has rank ") << getCondition().getType().getRank() << ", not 0";
  return success(succeeded(checkTypes(*this, "if_c1", "values of the first region",
                                      yieldedTypes(getThenRegion()), getResultTypes())) &&
                 succeeded(checkTypes(*this, "if_c1", "values of the second region",
                                      yieldedTypes(getElseRegion()), getResultTypes())));
}

LogicalResult ForOp::verify() {
  if (std::optional<int64_t> count = dim::asConstant(getTripCount()); count && *count < 0)
    return emitOpError("for_c1: the trip count is ") << *count;
  TypeRange initial = getInitial().getTypes(), results = getResultTypes(), yielded = yieldedTypes(getBody());
  SmallVector<Type> arguments{scalarType(getContext(), 64)};
  llvm::append_range(arguments, initial);
  if (failed(checkTypes(*this, "for_c1", "body arguments", getBody().getArgumentTypes(), arguments)))
    return failure();
  if (yielded.size() < initial.size())
    return emitOpError("for_c1: the body yields ")
           << yielded.size() << " values for " << initial.size() << " carried ones";
  SmallVector<Type> expected(initial);
  for (Type type : yielded.drop_front(initial.size())) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor)
      return emitOpError("for_c1: only tensors can be stacked, not ") << type;
    SmallVector<DimAttr> dims{getTripCount()};
    llvm::append_range(dims, getDims(tensor));
    expected.push_back(makeTensorType(dims, tensor.getElementType()));
  }
  return success(
      succeeded(checkTypes(*this, "for_c1", "carried values", yielded.take_front(initial.size()), initial)) &&
      succeeded(checkTypes(*this, "for_c1", "results", results, expected)));
}

LogicalResult WhileOp::verify() {
  Type condition = scalarType(getContext(), 1);
  SmallVector<Type> yields{condition};
  llvm::append_range(yields, getInitial().getTypes());
  return success(
      succeeded(checkTypes(*this, "while_c1", "conditions", getCondition().getType(), condition)) &&
      succeeded(checkTypes(*this, "while_c1", "body arguments", getBody().getArgumentTypes(),
                           getInitial().getTypes())) &&
      succeeded(checkTypes(*this, "while_c1", "yielded values", yieldedTypes(getBody()), yields)) &&
      succeeded(checkTypes(*this, "while_c1", "results", getResultTypes(), getInitial().getTypes())));
}

/// The types outside a group as its body sees them: where it runs image by image, a value of all images is one of one.
static SmallVector<Type> typesInside(GroupOp group, TypeRange outside, TypeRange inside) {
  auto images = group->getAttrOfType<DimAttr>("images");
  SmallVector<Type> types(outside);
  for (auto [type, own] : llvm::zip(types, inside)) {
    auto tensor = dyn_cast<RankedTensorType>(type), part = dyn_cast<RankedTensorType>(own);
    SmallVector<DimAttr> dims = images && tensor && part ? getDims(tensor) : SmallVector<DimAttr>();
    if (dims.empty() || dims.front() != images || part.getRank() == 0 || part.getDimSize(0) != 1)
      continue;
    dims.front() = dim::constant(group.getContext(), 1);
    type = makeTensorType(dims, tensor.getElementType());
  }
  return types;
}

LogicalResult GroupOp::verify() {
  TypeRange arguments = getBody().getArgumentTypes(), yielded = yieldedTypes(getBody());
  return success(succeeded(checkTypes(*this, "group_c1", "block arguments", arguments,
                                      typesInside(*this, getInputs().getTypes(), arguments))) &&
                 succeeded(checkTypes(*this, "group_c1", "yielded values", yielded,
                                      typesInside(*this, getResultTypes(), yielded))));
}

LogicalResult BindSizesOp::verify() {
  auto type = cast<RankedTensorType>(getX().getType());
  if (type.getRank() > 1 || !type.hasStaticShape() ||
      !(type.getElementType().isInteger(32) || type.getElementType().isInteger(64)))
    return emitOpError("bind_sizes_c1: ") << type << " is no list of i32 or i64 of static length";
  size_t expected = type.getNumElements() * (getSignedValues() ? 2 : 1);
  if (getSymbols().size() != expected)
    return emitOpError("bind_sizes_c1: ")
           << expected << " symbols expected, there are " << getSymbols().size();
  return success();
}

LogicalResult StageOp::verify() {
  return checkTypes(*this, "stage_c1", "values of the region", yieldedTypes(getBody()), getResultTypes());
}

} // namespace torsh
