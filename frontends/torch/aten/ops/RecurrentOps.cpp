//===-- RecurrentOps.cpp - LSTM and GRU layers and cells ----------------------------------------------------===//
#include "frontends/torch/aten/Table.h"

using namespace mlir;

namespace torsh::torch {
namespace {

/// The blocks of rows of a weight in another order: PyTorch has the gates i, f, g, o and r, z, n, the dialect i, o, f,
/// c and z, r, h.
Value reorderGates(TensorBuilder &b, Value weight, ArrayRef<int64_t> order) {
  DimAttr gate = dim::floorDiv(getDims(weight)[0], b.dim(int64_t(order.size())));
  SmallVector<Value> blocks;
  for (int64_t from : order)
    blocks.push_back(b.sliceAxis(weight, 0, dim::mul(gate, b.dim(from)), gate));
  return b.concat(blocks, 0);
}

/// The arguments that lstm and gru share.
struct Layers {
  int64_t count, directions;
  bool hasBias, batchFirst, single;
  SmallVector<Value> weights;
  size_t perDirection() const { return hasBias ? 4 : 2; }
};

std::optional<Layers> readLayers(Call &c, Value &x) {
  Layers layers;
  layers.count = c.integer("num_layers");
  layers.directions = c.flag("bidirectional") ? 2 : 1;
  layers.hasBias = c.flag("has_biases");
  layers.batchFirst = c.flag("batch_first");
  layers.weights = c.tensors("params");
  if (c.flag("train") && c.number("dropout") != 0)
    (void)c.fail(
        "the model was saved in training mode, where dropout is random; call model.eval() before saving");
  if (layers.weights.size() != size_t(layers.count * layers.directions) * layers.perDirection())
    (void)c.fail("a recurrent layer has an unexpected number of weights (projections are not supported)");
  layers.single = rankOf(x) == 2;
  if (layers.single)
    x = c.b.expandDim(x, layers.batchFirst ? 0 : 1);
  if (rankOf(x) != 3)
    (void)c.fail("a recurrent layer needs a tensor of rank 3");
  if (c.b.hasFailed())
    return std::nullopt;
  if (layers.batchFirst)
    x = c.b.transpose(x, {1, 0, 2});
  return layers;
}

/// The weight of both directions with its gates reordered: [D, gates * H, ...].
Value stackDirections(Call &c, const Layers &layers, int64_t layer, size_t part, ArrayRef<int64_t> order) {
  SmallVector<Value> values;
  for (int64_t d = 0; d < layers.directions; ++d) {
    Value weight = layers.weights[size_t(layer * layers.directions + d) * layers.perDirection() + part];
    values.push_back(c.b.expandDim(reorderGates(c.b, weight, order), 0));
  }
  return c.b.concat(values, 0);
}

/// The state of one layer: [D, B, H] of [L * D, B, H].
Value layerState(Call &c, const Layers &layers, Value state, int64_t layer) {
  return c.b.sliceAxis(state, 0, c.b.dim(layer * layers.directions), c.b.dim(layers.directions));
}

/// y [T, D, B, H] -> [T, B, D * H]
Value mergeDirections(Call &c, Value y) {
  SmallVector<DimAttr> sizes = getDims(y);
  return c.b.reshape(c.b.transpose(y, {0, 2, 1, 3}), {sizes[0], sizes[2], dim::mul(sizes[1], sizes[3])});
}

Value finishOutput(Call &c, const Layers &layers, Value y) {
  if (layers.batchFirst)
    y = c.b.transpose(y, {1, 0, 2});
  return layers.single ? c.b.dropDim(y, layers.batchFirst ? 0 : 1) : y;
}

Value readState(Call &c, const Layers &layers, const Val &state) {
  if (!state.isTensor()) {
    (void)c.fail("the state of a recurrent layer must be a tensor");
    return c.b.scalar(c.b.builder.getF32Type(), 0);
  }
  Value value = c.b.read(state);
  if (layers.single && rankOf(value) == 2)
    value = c.b.expandDim(value, 1);
  if (rankOf(value) != 3)
    (void)c.fail("the state of a recurrent layer must have rank 3");
  return value;
}

LogicalResult importLstm(Call &c) {
  TensorBuilder &b = c.b;
  Value x = c.tensor("input");
  std::optional<Layers> layers = readLayers(c, x);
  const Val &states = c.value("hx");
  if (!layers || !states.isSequence() || states.items().size() != 2)
    return c.fail("an LSTM needs its two states");
  Value h = readState(c, *layers, states.items()[0]), cell = readState(c, *layers, states.items()[1]);
  if (b.hasFailed())
    return failure();
  SmallVector<int64_t> order = {0, 3, 1, 2};
  SmallVector<Value> lastH, lastC;
  for (int64_t layer = 0; layer < layers->count; ++layer) {
    Value w = stackDirections(c, *layers, layer, 0, order), r = stackDirections(c, *layers, layer, 1, order),
          bias;
    if (layers->hasBias)
      bias = b.concat(
          {stackDirections(c, *layers, layer, 2, order), stackDirections(c, *layers, layer, 3, order)}, 1);
    auto op = LstmOp::create(b.builder, b.loc, x, w, r, bias, layerState(c, *layers, h, layer),
                             layerState(c, *layers, cell, layer), Value(), Value(),
                             layers->directions == 2 ? RnnDirection::bidirectional : RnnDirection::forward);
    x = mergeDirections(c, op.getY());
    lastH.push_back(op.getYH());
    lastC.push_back(op.getYC());
  }
  Value hn = b.concat(lastH, 0), cn = b.concat(lastC, 0);
  if (layers->single) {
    hn = b.dropDim(hn, 1);
    cn = b.dropDim(cn, 1);
  }
  return c.giveAll({finishOutput(c, *layers, x), hn, cn});
}

LogicalResult importGru(Call &c) {
  TensorBuilder &b = c.b;
  Value x = c.tensor("input");
  std::optional<Layers> layers = readLayers(c, x);
  if (!layers)
    return failure();
  Value h = readState(c, *layers, c.value("hx"));
  if (b.hasFailed())
    return failure();
  SmallVector<int64_t> order = {1, 0, 2};
  SmallVector<Value> last;
  for (int64_t layer = 0; layer < layers->count; ++layer) {
    Value w = stackDirections(c, *layers, layer, 0, order), r = stackDirections(c, *layers, layer, 1, order),
          bias;
    if (layers->hasBias)
      bias = b.concat(
          {stackDirections(c, *layers, layer, 2, order), stackDirections(c, *layers, layer, 3, order)}, 1);
    auto op =
        GruOp::create(b.builder, b.loc, x, w, r, bias, layerState(c, *layers, h, layer), Value(),
                      layers->directions == 2 ? RnnDirection::bidirectional : RnnDirection::forward, true);
    x = mergeDirections(c, op.getY());
    last.push_back(op.getYH());
  }
  Value hn = b.concat(last, 0);
  return c.giveAll({finishOutput(c, *layers, x), layers->single ? b.dropDim(hn, 1) : hn});
}

LogicalResult importLstmCell(Call &c) {
  TensorBuilder &b = c.b;
  const Val &states = c.value("hx");
  if (!states.isSequence() || states.items().size() != 2 || !states.items()[0].isTensor() ||
      !states.items()[1].isTensor())
    return c.fail("an LSTM cell needs its two states");
  Value h = b.read(states.items()[0]), cell = b.read(states.items()[1]);
  Value sum = b.create<AddOp>(b.linear(c.tensor("input"), c.tensor("w_ih"), c.optionalTensor("b_ih")),
                              b.linear(h, c.tensor("w_hh"), c.optionalTensor("b_hh")));
  if (b.hasFailed())
    return failure();
  int64_t axis = rankOf(sum) - 1;
  DimAttr width = dim::floorDiv(getDims(sum)[axis], b.dim(4));
  auto gate = [&](int64_t i) { return b.sliceAxis(sum, axis, dim::mul(width, b.dim(i)), width); };
  Value in = b.create<SigmoidOp>(gate(0)), forget = b.create<SigmoidOp>(gate(1));
  Value next = b.create<AddOp>(b.create<MulOp>(forget, b.broadcastTo(cell, getDims(forget))),
                               b.create<MulOp>(in, b.create<TanhOp>(gate(2))));
  Value y = b.create<MulOp>(b.create<SigmoidOp>(gate(3)), b.create<TanhOp>(next));
  return c.giveAll({y, next});
}

LogicalResult importGruCell(Call &c) {
  TensorBuilder &b = c.b;
  Value h = c.tensor("hx");
  Value fromInput = b.linear(c.tensor("input"), c.tensor("w_ih"), c.optionalTensor("b_ih"));
  Value fromState = b.linear(h, c.tensor("w_hh"), c.optionalTensor("b_hh"));
  if (b.hasFailed() || rankOf(fromInput) != rankOf(fromState))
    return c.fail("the input and the state of a GRU cell do not fit together");
  int64_t axis = rankOf(fromInput) - 1;
  DimAttr width = dim::floorDiv(getDims(fromInput)[axis], b.dim(3));
  auto part = [&](Value x, int64_t i) { return b.sliceAxis(x, axis, dim::mul(width, b.dim(i)), width); };
  auto gate = [&](int64_t i) {
    return b.create<SigmoidOp>(b.create<AddOp>(part(fromInput, i), part(fromState, i)));
  };
  Value fresh =
      b.create<TanhOp>(b.create<AddOp>(part(fromInput, 2), b.create<MulOp>(gate(0), part(fromState, 2))));
  // (1 - z) * n + z * h = n + z * (h - n)
  return c.give(b.create<AddOp>(fresh, b.create<MulOp>(gate(1), b.create<SubOp>(h, fresh))));
}

} // namespace

void addRecurrentOps(Table &table) {
  StringRef layers = "Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, "
                     "bool bidirectional, bool batch_first)";
  table.add(("lstm(Tensor input, Tensor[] hx, " + layers).str(), importLstm);
  table.add(("gru(Tensor input, Tensor hx, " + layers).str(), importGru);
  StringRef cell = "Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None)";
  table.add(("lstm_cell(Tensor input, Tensor[] hx, " + cell).str(), importLstmCell);
  table.add(("gru_cell(Tensor input, Tensor hx, " + cell).str(), importGruCell);
}

} // namespace torsh::torch
