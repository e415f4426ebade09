//===-- RecurrentKernel.cpp - LSTM, GRU and plain recurrent layers ---------------------------------------------===//
//
// A tile is one direction of some samples: it walks over the sequence with the state on the stack (RecurrentLayer.h).
//
//===----------------------------------------------------------------------------------------------------------===//
#include "passes/lowering/RecurrentLayer.h"
#include "passes/lowering/TileSpaces.h"

using namespace mlir;

namespace torsh {
namespace {

/// Units of a layer whose gates still fit the stack.
constexpr int64_t mostUnits = 4096;
/// Samples of a tile: they share each load of the weights.
constexpr int64_t mostSamples = 4;

/// The lengths of the samples' sequences, null when all have the whole length.
Value lengthsOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, Value>(op).Case<LstmOp, GruOp, RnnOp>(
      [](auto layer) { return layer.getLengths(); });
}

/// Samples of a tile; those of one tile walk in step, so samples of different lengths have tiles of their own.
int64_t samplesOfTile(Operation *op) {
  // y is [T, D, B, H].
  SmallVector<DimAttr> dims = getDims(op->getResult(0));
  bool large = dim::asConstant(dims[3]).value_or(mostUnits) > 1024;
  if (lengthsOf(op) || large)
    return 1;
  return std::clamp<int64_t>(dim::asConstant(dims[2]).value_or(mostSamples), 1, mostSamples);
}

/// The panels behind weights [D, columns, length]: transpose(unpack(input)).
std::optional<RecurrentWeights> panelsOf(KernelBuilder &kb, Value weights, Type leftType) {
  auto transpose = weights.getDefiningOp<TransposeOp>();
  auto unpack = transpose ? transpose.getX().getDefiningOp<UnpackOp>() : UnpackOp();
  auto input = unpack ? dyn_cast<BlockArgument>(unpack.getX()) : BlockArgument();
  if (!input)
    return std::nullopt;
  auto type = cast<RankedTensorType>(weights.getType());
  return RecurrentWeights{kb.inputPointer(input.getArgNumber()), type.getElementType(),
                          kb.constant(type.getDimSize(2)), leftType};
}

/// Direction and operands, which the three layers name alike.
template <typename OpTy> void readOperands(RecurrentLayer &layer, OpTy op) {
  layer.direction = op.getDirection();
  layer.bias = op.getBias();
  layer.initialH = op.getInitialH();
  layer.lengths = op.getLengths();
}

} // namespace

TileSpace getRecurrentTiles(KernelOp kernel) {
  Operation *op = findAnyOf<LstmOp, GruOp, RnnOp>(kernel);
  if (!op)
    return {dim::constant(kernel.getContext(), 1), 1};
  // y is [T, D, B, H].
  SmallVector<DimAttr> dims = getDims(op->getResult(0));
  // All gates of all steps of the samples; a short sequence when its length is not known.
  auto weights = cast<RankedTensorType>(op->getOperand(2).getType()).getShape();
  int64_t samples = samplesOfTile(op);
  double products = double(samples) * dim::asConstant(dims[0]).value_or(8);
  for (int64_t size : weights.drop_front())
    products *= std::max<int64_t>(size, 1);
  DimAttr blocks = dim::ceilDiv(dims[2], dim::constant(kernel.getContext(), samples));
  return {dim::mul(dims[1], blocks), grainOf(products)};
}

LogicalResult emitRecurrentKernel(KernelBuilder &kb) {
  Operation *op = findAnyOf<LstmOp, GruOp, RnnOp>(kb.kernel);
  if (!op)
    return kb.refuse("the body has no recurrent layer");
  for (Value yielded : kb.kernel.getYielded())
    if (yielded.getDefiningOp() != op)
      return kb.refuse("a yielded value is not a result of the layer");
  auto typeOf = [](Value value) { return cast<RankedTensorType>(value.getType()); };
  Value xValue = op->getOperand(0), wValue = op->getOperand(1), rValue = op->getOperand(2);
  Type state = kb.computeType(typeOf(wValue).getElementType());
  std::optional<View> x = kb.viewOf(xValue);
  if (!x || getConstantIntValue(x->strides.back()) != 1)
    return kb.refuse("the input is not contiguous along the summed dim");
  int64_t units = typeOf(rValue).getShape()[2];
  if (ShapedType::isDynamic(units) || units > mostUnits)
    return kb.refuse("the number of units is not known or above " + Twine(mostUnits));
  std::optional<RecurrentWeights> w = panelsOf(kb, wValue, typeOf(xValue).getElementType()),
                                  r = panelsOf(kb, rValue, state);
  if (!w || !r)
    return kb.refuse("the weights are not packed");
  RecurrentLayer layer{op, *x, *w, *r, state, 1, units, kb.dim(getDims(xValue)[0])};
  if (auto lstm = dyn_cast<LstmOp>(op)) {
    readOperands(layer, lstm);
    layer.initialC = lstm.getInitialC();
    layer.peephole = lstm.getPeephole();
    layer.gates = 4;
  } else if (auto gru = dyn_cast<GruOp>(op)) {
    readOperands(layer, gru);
    layer.gates = 3;
  } else {
    readOperands(layer, cast<RnnOp>(op));
  }
  int64_t samples = samplesOfTile(op);
  RecurrentWalk walk(kb, layer, samples);
  kb.note = llvm::formatv("{0} samples, {1} rows of input at once, {2} lanes, packed weights", samples,
                          walk.getRowsOfInput(), kb.target.lanes);
  Value batch = kb.dim(getDims(op->getResult(0))[2]), wanted = kb.constant(samples);
  Value blocks = kb.div(kb.add(batch, kb.constant(samples - 1)), wanted);
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    Value d = kb.div(tile, blocks), first = kb.mul(kb.rem(tile, blocks), wanted);
    walk.startDirection(d);
    auto known = getConstantIntValue(batch);
    if (samples == 1 || (known && *known % samples == 0))
      return walk.run(d, first, samples);
    // The last samples one by one.
    Value whole = kb.less(kb.add(first, kb.constant(samples - 1)), batch);
    kb.ifThenElse(
        whole, [&] { walk.run(d, first, samples); },
        [&] { kb.loop(first, batch, 1, [&](Value sample) { walk.run(d, sample, 1); }); });
  });
  if (walk.isMissing())
    return kb.refuse("an operand has no code");
  return success();
}

} // namespace torsh
