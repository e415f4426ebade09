//===-- BatchAxis.cpp - Whether a fusion group computes each image by itself --------------------------------===//
#include "passes/graph/BatchAxis.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace torsh {

namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// Goes from the yielded values to the block arguments; each op says what form it needs of its operands.
class Finder {
public:
  explicit Finder(DimAttr images) : images(images) {}

  bool need(Value value, BatchForm form);
  llvm::DenseMap<Value, BatchForm> forms;

private:
  bool needAll(ValueRange values, BatchForm form) {
    return llvm::all_of(values, [&](Value value) { return need(value, form); });
  }
  bool needBroadcast(BroadcastOp op);
  bool needLeading(Operation *op);
  bool needTiles(Operation *op);

  DimAttr images;
};

bool Finder::need(Value value, BatchForm form) {
  auto [it, isNew] = forms.try_emplace(value, form);
  if (!isNew)
    return it->second == form;
  if (form != BatchForm::None && !imageType(typeOf(value), form, images))
    return false;
  Operation *op = value.getDefiningOp();
  if (!op)
    return true;
  if (form == BatchForm::None)
    return needAll(op->getOperands(), form);
  if (op->getNumResults() != 1)
    return false;
  return form == BatchForm::Leading ? needLeading(op) : needTiles(op);
}

bool Finder::needBroadcast(BroadcastOp op) {
  SmallVector<DimAttr> from = getDims(op.getX());
  for (auto [index, axis] : llvm::enumerate(op.getAxes())) {
    if (axis != 0 || dim::isConstant(from[index], 1))
      continue;
    return index == 0 && need(op.getX(), BatchForm::Leading);
  }
  return need(op.getX(), BatchForm::None);
}

bool Finder::needLeading(Operation *op) {
  constexpr BatchForm leading = BatchForm::Leading, none = BatchForm::None;
  if (op->hasTrait<ElementwiseOp>())
    return needAll(op->getOperands(), leading);
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](BroadcastOp broadcast) { return needBroadcast(broadcast); })
      .Case([&](ConstantOp constant) {
        auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
        return dense && dense.isSplat();
      })
      .Case([&](TransposeOp transpose) {
        return transpose.getPermutation().front() == 0 && need(transpose.getX(), leading);
      })
      .Case([&](ReshapeOp reshape) {
        return getDims(reshape.getX()).front() == images && need(reshape.getX(), leading);
      })
      .Case([&](SliceOp slice) {
        return dim::isConstant(slice.getStarts()[0], 0) && slice.getSteps().front() == 1 &&
               slice.getSizes()[0] == images && need(slice.getX(), leading);
      })
      .Case([&](PadOp pad) {
        return dim::isConstant(pad.getLow()[0], 0) && dim::isConstant(pad.getHigh()[0], 0) &&
               need(pad.getX(), leading) && (!pad.getValue() || need(pad.getValue(), none));
      })
      .Case([&](ConcatOp concat) { return concat.getAxis() != 0 && needAll(concat.getXs(), leading); })
      .Case([&](ReduceOp reduce) {
        return !llvm::is_contained(reduce.getAxes(), 0) && need(reduce.getX(), leading);
      })
      .Case<SoftmaxOp, LogSoftmaxOp>(
          [&](auto softmax) { return softmax.getAxis() != 0 && need(softmax.getX(), leading); })
      .Case<LayerNormOp, RmsNormOp>([&](auto norm) {
        return norm.getAxis() != 0 && need(norm.getX(), leading) &&
               needAll(norm->getOperands().drop_front(), none);
      })
      .Case<ConvOp, GroupNormOp>(
          [&](auto op) { return need(op.getX(), leading) && needAll(op->getOperands().drop_front(), none); })
      .Case<MaxPoolOp, AvgPoolOp>([&](auto pool) { return need(pool.getX(), leading); })
      .Case(
          [&](ResizeOp resize) { return resize.getScales().front() == 1.0 && need(resize.getX(), leading); })
      .Case([&](DotGeneralOp dot) {
        if (dot.getLhsBatch().empty())
          return dot.getLhsContract().front() != 0 && need(dot.getLhs(), leading) && need(dot.getRhs(), none);
        return dot.getLhsBatch().front() == 0 && dot.getRhsBatch().front() == 0 &&
               need(dot.getLhs(), leading) && need(dot.getRhs(), leading);
      })
      .Case([&](WinogradOutputOp output) { return need(output->getOperand(0), BatchForm::Tiles); })
      .Default([](Operation *) { return false; });
}

bool Finder::needTiles(Operation *op) {
  if (op->hasTrait<ElementwiseOp>())
    return needAll(op->getOperands(), BatchForm::Tiles);
  if (auto input = dyn_cast<WinogradInputOp>(op))
    return need(input.getX(), BatchForm::Leading);
  auto dot = dyn_cast<DotGeneralOp>(op);
  return dot && dot.getLhsBatch() == ArrayRef<int64_t>{0} && dot.getRhsBatch() == ArrayRef<int64_t>{0} &&
         dot.getLhsContract() == ArrayRef<int64_t>{2} && need(dot.getLhs(), BatchForm::Tiles) &&
         need(dot.getRhs(), BatchForm::None);
}

} // namespace

RankedTensorType imageType(RankedTensorType type, BatchForm form, DimAttr images) {
  SmallVector<DimAttr> dims = getDims(type);
  if (form == BatchForm::None)
    return type;
  if (form == BatchForm::Leading) {
    if (dims.empty() || dims.front() != images)
      return {};
    dims.front() = dim::constant(type.getContext(), 1);
    return makeTensorType(dims, type.getElementType());
  }
  if (dims.size() != 3)
    return {};
  std::optional<DimAttr> part = dim::exactQuotient(dims[1], images);
  if (auto whole = dim::asConstant(dims[1]), count = dim::asConstant(images); whole && count)
    part = *whole % *count ? std::optional<DimAttr>() : dim::constant(type.getContext(), *whole / *count);
  if (!part)
    return {};
  dims[1] = *part;
  return makeTensorType(dims, type.getElementType());
}

std::optional<llvm::DenseMap<Value, BatchForm>> findBatch(GroupOp group, DimAttr images) {
  Block &body = group.getBody().front();
  // All results of a group have one form: they are computed at the same place.
  for (BatchForm form : {BatchForm::Leading, BatchForm::Tiles}) {
    Finder finder(images);
    bool found = llvm::all_of(body.getTerminator()->getOperands(),
                              [&](Value value) { return finder.need(value, form); });
    if (!found)
      continue;
    for (Value argument : body.getArguments())
      finder.forms.try_emplace(argument, BatchForm::None);
    for (Operation &op : body.without_terminator())
      for (Value result : op.getResults())
        if (!finder.forms.contains(result))
          found = false;
    if (found)
      return finder.forms;
  }
  return std::nullopt;
}

} // namespace torsh
