//===-- DepthwiseKernel.cpp - Convolution of each channel by itself, channels last --------------------------===//
//
// A tile is a row of pixels times a chunk of channels.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "passes/lowering/DepthwiseRow.h"
#include "passes/lowering/TileSpaces.h"

using namespace mlir;

namespace torsh {
namespace {

/// Channels of a tile.
int64_t chooseChannels(ConvOp op) {
  return KernelChoices::of(op->getParentOfType<KernelOp>()).get(Knob::ChannelBlock, 128);
}
void buildTile(DepthwiseRow &row, Value index) {
  KernelBuilder &kb = row.kb;
  // Rows run fastest: neighbouring tiles share rows of the input and the weights.
  SmallVector<Value> rowSizes(ArrayRef(row.ySizes).slice(1, row.spatial() - 1));
  Value rows = kb.constant(1), channels = row.ySizes.back(), chunk = kb.constant(row.channelsOfTile);
  for (Value size : rowSizes)
    rows = kb.mul(rows, size);
  Value chunks = kb.div(kb.add(channels, kb.constant(row.channelsOfTile - 1)), chunk);
  Value rest = kb.div(index, rows);
  SmallVector<Value> outer{kb.div(rest, chunks)};
  if (!rowSizes.empty())
    outer.append(kb.delinearize(kb.rem(index, rows), rowSizes));
  DepthwiseRow::Place place = row.placeOf(outer);
  Value from = kb.mul(kb.rem(rest, chunks), chunk);
  row.build(place, from, kb.min(kb.add(from, chunk), channels));
}

} // namespace

TileSpace getDepthwiseTiles(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  ConvOp op = findOp<ConvOp>(kernel);
  if (!op)
    return {dim::constant(context, 1), 1};
  SmallVector<DimAttr> dims = getDims(op.getY());
  DimAttr chunks = dim::ceilDiv(dims.back(), dim::constant(context, chooseChannels(op)));
  return {dim::mul(dim::product(context, ArrayRef(dims).drop_back(2)), chunks), 1};
}

LogicalResult emitDepthwiseKernel(KernelBuilder &kb) {
  ConvOp op = findOp<ConvOp>(kb.kernel);
  if (!op)
    return kb.refuse("the body has no convolution");
  std::optional<View> x = kb.viewOf(op.getX()), w = kb.viewOf(op.getW());
  if (op.getLayout() != Layout::channels_last || !x || !w)
    return kb.refuse("the depthwise convolution is not channels-last on buffers");
  ArrayRef<int64_t> shape = cast<RankedTensorType>(op.getW().getType()).getShape();
  if (ShapedType::isDynamicShape(shape) || shape[shape.size() - 2] != 1 ||
      shape.back() != int64_t(op.getGroups()))
    return kb.refuse("each group must have one input and one output channel");
  if (getConstantIntValue(x->strides.back()) != 1 || getConstantIntValue(w->strides.back()) != 1)
    return kb.refuse("the channels are not contiguous");
  auto elementOf = [](Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); };
  DepthwiseRow depthwise{kb,
                         op,
                         *x,
                         *w,
                         elementOf(op.getX()),
                         elementOf(op.getW()),
                         kb.computeType(elementOf(op.getY())),
                         {},
                         kb.dims(op.getX()),
                         kb.dims(op.getY()),
                         chooseChannels(op)};
  for (size_t i = 0; i + 2 < shape.size(); ++i)
    depthwise.window.push_back({shape[i], op.getStrides()[i], op.getDilations()[i], op.getLow()[i]});
  std::optional<int64_t> width = getConstantIntValue(depthwise.ySizes[shape.size() - 2]);
  kb.note = llvm::formatv("{0} pixels x {1} vectors of {2} lanes", choosePixels(width, kb),
                          chooseVectors(width, kb), kb.target.lanes);
  kb.loop(kb.begin, kb.end, 1, [&](Value index) { buildTile(depthwise, index); });
  return depthwise.result;
}

} // namespace torsh
