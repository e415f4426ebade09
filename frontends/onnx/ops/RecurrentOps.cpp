//===-- RecurrentOps.cpp - LSTM, GRU and RNN
//----------------------------------------------------------------===//
//
// torsh keeps the specification's layout 0 (time first). Layout 1 (batch first) is transposed at the borders.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/RecurrentLoop.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

using Layer = RecurrentLayer;

/// A sequence [B, T, I] <-> [T, B, I], and likewise the first two dims of a state.
Value swapFirst(NodeImport &n, Value x) {
  SmallVector<int64_t> permutation = range(0, rankOf(x));
  std::swap(permutation[0], permutation[1]);
  return n.transpose(x, permutation);
}

FailureOr<Layer> readLayer(NodeImport &n, ArrayRef<StringRef> activations, int64_t gates) {
  Layer layer;
  if (failed(requireFloat(n, 0)) || failed(requireInputs(n, 3)))
    return failure();
  for (size_t i = 0; i < 3; ++i)
    if (n.typeOf(i).getRank() != 3)
      return n.malformed("operand " + Twine(i) + " must have rank 3");
  StringRef direction = n.stringAttr("direction", "forward");
  if (direction == "reverse")
    layer.direction = RnnDirection::reverse;
  else if (direction == "bidirectional")
    layer.direction = RnnDirection::bidirectional;
  else if (direction != "forward")
    return n.malformed("direction has an unknown value");
  layer.unusual = n.floatAttr("clip", 0) != 0;
  if (const Attribute *given = n.attribute("activations")) {
    size_t repeats = layer.direction == RnnDirection::bidirectional ? 2 : 1;
    bool usual = given->strings.empty() || given->strings.size() == activations.size() * repeats;
    for (size_t i = 0; usual && i < given->strings.size(); ++i)
      usual = given->strings[i].equals_insensitive(activations[i % activations.size()]);
    layer.unusual |= !usual;
  }
  layer.batchFirst = n.intAttr("layout", 0) != 0;
  DimAttr hidden = getDims(n.typeOf(2))[2];
  if (n.attribute("hidden_size") && !dim::isConstant(hidden, n.intAttr("hidden_size", 0)))
    return n.malformed("hidden_size is not the last dim of the recurrent weights");
  if (getDims(n.typeOf(1))[1] != dim::mul(hidden, dim::constant(n.context(), gates)))
    return n.malformed("the weights must have " + Twine(gates) + " * hidden_size rows");
  layer.x = n.operand(0);
  layer.w = n.operand(1);
  layer.r = n.operand(2);
  layer.bias = n.optionalOperand(3);
  layer.lengths = n.optionalOperand(4);
  layer.initialH = n.optionalOperand(5);
  if (layer.batchFirst) {
    layer.x = swapFirst(n, layer.x);
    if (layer.initialH)
      layer.initialH = swapFirst(n, layer.initialH);
  }
  return layer;
}

/// Y [T, D, B, H] becomes [B, T, D, H] and states [D, B, H] become [B, D, H].
void setOutputs(NodeImport &n, const Layer &layer, ValueRange results) {
  for (auto [i, value] : llvm::enumerate(results)) {
    if (!wantsOutput(n, i))
      continue;
    Value result = value;
    if (layer.batchFirst)
      result = i == 0 ? n.transpose(value, {2, 0, 1, 3}) : swapFirst(n, value);
    n.setResult(i, result);
  }
}

LogicalResult importLoop(NodeImport &n, const Layer &layer, CellKind kind) {
  FailureOr<SmallVector<Value>> results = recurrentLoop(n, layer, kind);
  if (failed(results))
    return failure();
  setOutputs(n, layer, *results);
  return success();
}

LogicalResult importLstm(NodeImport &n) {
  FailureOr<Layer> layer = readLayer(n, {"Sigmoid", "Tanh", "Tanh"}, 4);
  if (failed(layer))
    return failure();
  Value initialC = n.optionalOperand(6), peephole = n.optionalOperand(7);
  if (initialC && layer->batchFirst)
    initialC = swapFirst(n, initialC);
  if (layer->unusual || n.intAttr("input_forget", 0)) {
    layer->initialC = initialC;
    layer->peephole = peephole;
    return importLoop(n, *layer, CellKind::Lstm);
  }
  auto op = LstmOp::create(n.builder, n.loc, layer->x, layer->w, layer->r, layer->bias, layer->initialH,
                           initialC, layer->lengths, peephole, layer->direction);
  setOutputs(n, *layer, op->getResults());
  return success();
}

LogicalResult importGru(NodeImport &n) {
  FailureOr<Layer> layer = readLayer(n, {"Sigmoid", "Tanh"}, 3);
  if (failed(layer))
    return failure();
  if (layer->unusual)
    return importLoop(n, *layer, CellKind::Gru);
  auto op = GruOp::create(n.builder, n.loc, layer->x, layer->w, layer->r, layer->bias, layer->initialH,
                          layer->lengths, layer->direction, n.intAttr("linear_before_reset", 0) != 0);
  setOutputs(n, *layer, op->getResults());
  return success();
}

LogicalResult importRnn(NodeImport &n) {
  FailureOr<Layer> layer = readLayer(n, {"Tanh"}, 1);
  if (failed(layer))
    return failure();
  if (layer->unusual)
    return importLoop(n, *layer, CellKind::Rnn);
  auto op = RnnOp::create(n.builder, n.loc, layer->x, layer->w, layer->r, layer->bias, layer->initialH,
                          layer->lengths, layer->direction);
  setOutputs(n, *layer, op->getResults());
  return success();
}

} // namespace

void addRecurrentOps(OpTable &table) {
  table.add("", "LSTM", 1, importLstm);
  table.add("", "GRU", 1, importGru);
  table.add("", "RNN", 1, importRnn);
}

} // namespace torsh::onnx
