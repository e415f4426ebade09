//===-- CenterCropOps.cpp - CenterCropPad -------------------------------------------------------------------===//
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/SliceOps.h"
#include "frontends/onnx/ops/TopicTables.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// Cuts what a dim has too much, or pads what it lacks, on both sides; an odd element goes behind.
LogicalResult importCenterCropPad(NodeImport &n) {
  if (failed(requireInputs(n, 2)))
    return failure();
  std::optional<SmallVector<DimAttr>> wanted = n.shapeValue(1);
  if (!wanted)
    return n.unsupported("the shape must be computed from constants and from sizes of the inputs");
  Value x = n.operand(0);
  SmallVector<int64_t> axes = n.intsAttr("axes").value_or(range(0, rankOf(x)));
  if (axes.size() != wanted->size())
    return n.malformed("the shape has " + Twine(wanted->size()) + " entries for " + Twine(axes.size()) +
                       " axes");
  DimAttr zero = dim::constant(n.context(), 0), two = dim::constant(n.context(), 2);
  SmallVector<DimAttr> sizes = getDims(x), starts(sizes.size(), zero), low = starts, high = starts;
  for (auto [given, target] : llvm::zip(axes, *wanted)) {
    FailureOr<int64_t> axis = n.axis(given, sizes.size());
    if (failed(axis))
      return failure();
    if (dim::asConstant(target).value_or(0) < 0)
      return n.malformed("the shape has a negative entry");
    DimAttr &size = sizes[*axis];
    if (size == target)
      continue;
    DimAttr excess = dim::max(dim::sub(size, target), zero), lack = dim::max(dim::sub(target, size), zero);
    starts[*axis] = dim::floorDiv(excess, two);
    low[*axis] = dim::floorDiv(lack, two);
    high[*axis] = dim::sub(lack, low[*axis]);
    size = dim::sub(size, excess);
  }
  SmallVector<int64_t> steps(sizes.size(), 1);
  Value y = sliceOf(n, x, starts, sizes, steps);
  auto isZero = [&](DimAttr amount) { return amount == zero; };
  if (!llvm::all_of(low, isZero) || !llvm::all_of(high, isZero))
    y = n.create<PadOp>(y, n.scalar(elementTypeOf(x), 0), DimsAttr::get(n.context(), low),
                        DimsAttr::get(n.context(), high), PadMode::constant);
  // max(a - b, 0) and the like add up to the wanted sizes, which the algebra of dims does not see.
  SmallVector<DimAttr> result = getDims(y);
  for (auto [given, target] : llvm::zip(axes, *wanted))
    result[given < 0 ? given + int64_t(result.size()) : given] = target;
  n.setResult(0, n.reshape(y, result));
  return success();
}

} // namespace

void addCenterCropOps(OpTable &table) { table.add("", "CenterCropPad", 18, importCenterCropPad); }

} // namespace torsh::onnx
