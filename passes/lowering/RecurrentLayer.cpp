//===-- RecurrentLayer.cpp - The walk of a recurrent layer over its sequence -----------------------------------===//
#include "passes/lowering/RecurrentLayer.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/lowering/IndexKernels.h"
#include "passes/lowering/MicroKernel.h"

using namespace mlir;

namespace torsh {

/// Rows of the register tile of the input's products.
constexpr int64_t rowsAtOnce = 6;
/// Elements of the input's products that wait on the stack.
constexpr int64_t waitingElements = 24 * 1024;

RecurrentWalk::RecurrentWalk(KernelBuilder &kb, const RecurrentLayer &layer, int64_t mostSamples)
    : kb(kb), layer(layer), columns(layer.gates * layer.units),
      padded((columns + panelWidth - 1) / panelWidth * panelWidth) {
  rowsOfInput = std::clamp<int64_t>(waitingElements / padded, mostSamples, 8 * rowsAtOnce);
  if (rowsOfInput > rowsAtOnce)
    rowsOfInput = rowsOfInput / rowsAtOnce * rowsAtOnce;
  auto buffer = [&](int64_t count) { return kb.stackBuffer(layer.state, count); };
  inputBias = buffer(padded);
  inputProducts = buffer(rowsOfInput * padded);
  hidden = buffer(mostSamples * layer.units);
  if (isa<LstmOp>(layer.op))
    cell = buffer(mostSamples * layer.units);
  if (isa<GruOp>(layer.op)) {
    stateBias = buffer(padded);
    stateProducts = buffer(mostSamples * padded);
    scaled = buffer(mostSamples * layer.units);
    scaledProducts = buffer(mostSamples * padded);
  }
}

//===-- What the steps are written with --------------------------------------------------------------------------===//

Value RecurrentWalk::add(Value a, Value b) { return arith::AddFOp::create(kb.b, kb.loc, a, b); }
Value RecurrentWalk::mul(Value a, Value b) { return arith::MulFOp::create(kb.b, kb.loc, a, b); }
Value RecurrentWalk::tanh(Value a) { return math::TanhOp::create(kb.b, kb.loc, a); }

Value RecurrentWalk::sigmoid(Value a, unsigned lanes) { return kb.emitSigmoid(a, layer.state, lanes); }

Value RecurrentWalk::emit(Value value, ArrayRef<Value> at, unsigned lanes) {
  if (Value emitted = kb.emit(value, at, lanes))
    return emitted;
  missing = true;
  return kb.splatConstant(layer.state, 0, lanes);
}

Value RecurrentWalk::load(Value buffer, Value at, unsigned lanes) {
  return kb.loadFrom(buffer, layer.state, at, lanes);
}

void RecurrentWalk::store(Value value, Value buffer, Value at, unsigned lanes) {
  kb.storeTo(value, buffer, layer.state, at, lanes);
}

void RecurrentWalk::overUnits(llvm::function_ref<void(Value, unsigned)> body) {
  kb.vectorLoop(kb.constant(0), kb.constant(layer.units), body);
}

/// A row of a buffer of the state's type.
Value RecurrentWalk::rowOf(Value buffer, Value row, int64_t width) {
  return kb.address(buffer, layer.state, kb.mul(row, kb.constant(width)));
}

SmallVector<Value> RecurrentWalk::rowsOf(Value buffer, Value row, int64_t count, int64_t width) {
  SmallVector<Value> rows;
  for (int64_t i = 0; i < count; ++i)
    rows.push_back(rowOf(buffer, kb.add(row, kb.constant(i)), width));
  return rows;
}

//===-- The steps ------------------------------------------------------------------------------------------------===//

/// The biases of the tile's direction by columns: inputBias starts the products of the input, stateBias those of the state
/// where they stay apart (GRU).
void RecurrentWalk::startDirection(Value direction) {
  d = direction;
  auto fill = [&](Value buffer, int64_t from, int64_t to, bool ofInput, bool ofState) {
    kb.vectorLoop(kb.constant(from), kb.constant(to), [&](Value column, unsigned lanes) {
      Value sum = kb.splatConstant(layer.state, 0, lanes);
      if (layer.bias && ofInput)
        sum = add(sum, emit(layer.bias, {d, column}, lanes));
      if (layer.bias && ofState)
        sum = add(sum, emit(layer.bias, {d, kb.add(column, kb.constant(columns))}, lanes));
      store(sum, buffer, column, lanes);
    });
  };
  int64_t joined = isa<GruOp>(layer.op) ? 2 * layer.units : columns;
  fill(inputBias, 0, joined, true, true);
  fill(inputBias, joined, columns, true, false);
  fill(inputBias, columns, padded, false, false);
  if (!stateBias)
    return;
  fill(stateBias, 0, joined, false, false);
  fill(stateBias, joined, columns, false, true);
  fill(stateBias, columns, padded, false, false);
}

/// target[row][column] = start[row][column] + left[row] times the column, for the columns of some panels.
void RecurrentWalk::products(const RecurrentWeights &weights, int64_t fromPanel, int64_t toPanel,
                             ArrayRef<Value> left, ArrayRef<Value> start, ArrayRef<Value> target) {
  int64_t lanes = std::min<int64_t>(kb.target.lanes, panelWidth), vectorsOfPanel = panelWidth / lanes;
  int64_t rows = left.size();
  // As many independent sums as the registers hold: they hide the latency of the multiply-add.
  int64_t most = choosePanels(kb.target, layer.state, rows, 8);
  MicroKernel micro{kb, layer.state, weights.leftType, weights.type, lanes};
  Value panelSize = kb.mul(weights.length, kb.constant(panelWidth));
  Value firstPanel = kb.mul(d, kb.constant(padded / panelWidth));
  auto group = [&](Value panel, int64_t panels) {
    int64_t vectors = panels * vectorsOfPanel;
    SmallVector<Value> bases, sums;
    for (int64_t p = 0; p < panels; ++p)
      bases.push_back(kb.address(weights.pointer, weights.type,
                                 kb.mul(kb.add(kb.add(firstPanel, panel), kb.constant(p)), panelSize)));
    auto columnOf = [&](int64_t v) {
      return kb.add(kb.mul(panel, kb.constant(panelWidth)), kb.constant(v * lanes));
    };
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t v = 0; v < vectors; ++v)
        sums.push_back(load(start[row], columnOf(v), lanes));
    sums = micro.run(left, vectors, weights.length, sums, [&](Value k, int64_t v) {
      Value offset = kb.add(kb.mul(k, kb.constant(panelWidth)), kb.constant(v % vectorsOfPanel * lanes));
      return kb.loadFrom(bases[v / vectorsOfPanel], weights.type, offset, lanes);
    });
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t v = 0; v < vectors; ++v)
        store(sums[row * vectors + v], target[row], columnOf(v), lanes);
  };
  int64_t whole = fromPanel + (toPanel - fromPanel) / most * most;
  kb.loop(kb.constant(fromPanel), kb.constant(whole), most, [&](Value panel) { group(panel, most); });
  kb.loop(kb.constant(whole), kb.constant(toPanel), 1, [&](Value panel) { group(panel, 1); });
}

/// The position in the sequence of the index-th step: the second direction of a bidirectional layer runs backwards.
Value RecurrentWalk::stepAt(Value index, Value length) {
  Value zero = kb.constant(0);
  Value backward = layer.direction == RnnDirection::forward   ? zero
                   : layer.direction == RnnDirection::reverse ? kb.constant(1)
                                                              : d;
  Value fromEnd = kb.sub(kb.sub(length, kb.constant(1)), index);
  Value isForward = kb.b.createOrFold<arith::CmpIOp>(kb.loc, arith::CmpIPredicate::eq, backward, zero);
  return kb.b.createOrFold<arith::SelectOp>(kb.loc, isForward, index, fromEnd);
}

/// The rows [step, step + count) of the input times its weights, sample by sample within a step.
void RecurrentWalk::multiplyInput(Value step, Value count, Value length, int64_t samples) {
  Value samplesOfStep = kb.constant(samples);
  forRowBlocks(kb, kb.constant(0), kb.mul(count, samplesOfStep), rowsAtOnce, [&](Value row, int64_t rows) {
    SmallVector<Value> left;
    for (int64_t i = 0; i < rows; ++i) {
      Value at = kb.add(row, kb.constant(i));
      Value position = stepAt(kb.add(step, kb.div(at, samplesOfStep)), length);
      Value sample = kb.add(first, kb.rem(at, samplesOfStep));
      left.push_back(kb.address(layer.x.pointer, layer.w.leftType,
                                kb.add(layer.x.offset, kb.add(kb.mul(position, layer.x.strides[0]),
                                                              kb.mul(sample, layer.x.strides[1])))));
    }
    products(layer.w, 0, padded / panelWidth, left, SmallVector<Value>(rows, inputBias),
             rowsOf(inputProducts, row, rows, padded));
  });
}

/// Adds the products of the state to the samples' products of the input that start at `row`; a GRU's stay apart.
void RecurrentWalk::multiplyState(Value row, int64_t samples) {
  Value zero = kb.constant(0);
  int64_t panels = padded / panelWidth;
  SmallVector<Value> states = rowsOf(hidden, zero, samples, layer.units);
  auto gru = dyn_cast<GruOp>(layer.op);
  if (!gru) {
    SmallVector<Value> rows = rowsOf(inputProducts, row, samples, padded);
    return products(layer.r, 0, panels, states, rows, rows);
  }
  SmallVector<Value> start(samples, stateBias);
  if (gru.getLinearBeforeReset())
    return products(layer.r, 0, panels, states, start, rowsOf(stateProducts, zero, samples, padded));
  products(layer.r, 0, (2 * layer.units + panelWidth - 1) / panelWidth, states, start,
           rowsOf(stateProducts, zero, samples, padded));
  // The candidate sees the state times the reset gate.
  kb.loop(zero, kb.constant(samples), 1, [&](Value sample) {
    Value input = rowOf(inputProducts, kb.add(row, sample), padded),
          recurrent = rowOf(stateProducts, sample, padded);
    Value old = rowOf(hidden, sample, layer.units), target = rowOf(scaled, sample, layer.units);
    overUnits([&](Value unit, unsigned lanes) {
      Value column = kb.add(unit, kb.constant(layer.units));
      Value reset = sigmoid(add(load(input, column, lanes), load(recurrent, column, lanes)), lanes);
      store(mul(reset, load(old, unit, lanes)), target, unit, lanes);
    });
  });
  products(layer.r, 2 * layer.units / panelWidth, panels, rowsOf(scaled, zero, samples, layer.units), start,
           rowsOf(scaledProducts, zero, samples, padded));
}

/// The new state of one sample from its gates' products.
void RecurrentWalk::applyGates(Value row, Value sample) {
  Value products = rowOf(inputProducts, kb.add(row, sample), padded),
        current = rowOf(hidden, sample, layer.units);
  auto gate = [&](Value buffer, int64_t index, Value unit, unsigned lanes) {
    return load(buffer, kb.add(kb.constant(index * layer.units), unit), lanes);
  };
  if (isa<LstmOp>(layer.op)) {
    Value memory = rowOf(cell, sample, layer.units);
    // Gates stand in the order i, o, f, c; peepholes in the order i, o, f.
    return overUnits([&](Value unit, unsigned lanes) {
      auto gateSeeing = [&](int64_t index, Value memory) {
        Value sum = gate(products, index, unit, lanes);
        if (layer.peephole)
          sum = add(sum, mul(emit(layer.peephole, {d, kb.add(unit, kb.constant(index * layer.units))}, lanes),
                             memory));
        return sigmoid(sum, lanes);
      };
      Value old = load(memory, unit, lanes);
      Value input = gateSeeing(0, old), forget = gateSeeing(2, old);
      Value next = add(mul(forget, old), mul(input, tanh(gate(products, 3, unit, lanes))));
      store(next, memory, unit, lanes);
      store(mul(gateSeeing(1, next), tanh(next)), current, unit, lanes);
    });
  }
  if (isa<RnnOp>(layer.op))
    return overUnits([&](Value unit, unsigned lanes) {
      store(tanh(gate(products, 0, unit, lanes)), current, unit, lanes);
    });
  // Gates stand in the order z, r, h.
  bool linearFirst = cast<GruOp>(layer.op).getLinearBeforeReset();
  Value recurrent = rowOf(stateProducts, sample, padded);
  Value last = linearFirst ? recurrent : rowOf(scaledProducts, sample, padded);
  overUnits([&](Value unit, unsigned lanes) {
    auto both = [&](int64_t index) {
      return sigmoid(add(gate(products, index, unit, lanes), gate(recurrent, index, unit, lanes)), lanes);
    };
    Value fromState = gate(last, 2, unit, lanes);
    if (linearFirst)
      fromState = mul(both(1), fromState);
    Value candidate = tanh(add(gate(products, 2, unit, lanes), fromState));
    Value update = both(0), old = load(current, unit, lanes);
    // (1 - z) * candidate + z * h -> candidate + z * (h - candidate)
    Value next = add(candidate, mul(update, arith::SubFOp::create(kb.b, kb.loc, old, candidate)));
    store(next, current, unit, lanes);
  });
}

/// Writes a buffer of units (zeros without one) to a result, when the result is used.
void RecurrentWalk::storeResult(unsigned resultIndex, ArrayRef<Value> at, Value buffer) {
  Value value = layer.op->getResult(resultIndex);
  std::optional<unsigned> output = findOutput(kb.kernel, value);
  if (!output)
    return;
  auto type = cast<RankedTensorType>(value.getType());
  View view = kb.rowMajor(kb.outputPointer(*output), type);
  SmallVector<Value> indices(at);
  indices.push_back(kb.constant(0));
  Value base = kb.linear(view, indices);
  overUnits([&](Value unit, unsigned lanes) {
    Value stored = buffer ? load(buffer, unit, lanes) : kb.splatConstant(layer.state, 0, lanes);
    kb.storeTo(stored, view.pointer, type.getElementType(), kb.add(base, unit), lanes);
  });
}

void RecurrentWalk::run(Value direction, Value firstSample, int64_t samples) {
  d = direction;
  first = firstSample;
  Value zero = kb.constant(0), count = kb.constant(samples);
  auto overSamples = [&](llvm::function_ref<void(Value)> body) { kb.loop(zero, count, 1, body); };
  auto startState = [&](Value buffer, Value initial) {
    overSamples([&](Value sample) {
      Value row = rowOf(buffer, sample, layer.units);
      overUnits([&](Value unit, unsigned lanes) {
        Value value = initial ? emit(initial, {d, kb.add(first, sample), unit}, lanes)
                              : kb.splatConstant(layer.state, 0, lanes);
        store(value, row, unit, lanes);
      });
    });
  };
  startState(hidden, layer.initialH);
  if (cell)
    startState(cell, layer.initialC);
  Value length = layer.time;
  if (layer.lengths) {
    Value given = emit(layer.lengths, {first}, 1);
    if (!given.getType().isInteger(64))
      given = arith::ExtSIOp::create(kb.b, kb.loc, kb.b.getI64Type(), given);
    length = kb.max(zero, kb.min(given, layer.time));
  }
  int64_t steps = std::max<int64_t>(1, rowsOfInput / samples);
  kb.loop(zero, length, steps, [&](Value from) {
    Value now = kb.min(kb.constant(steps), kb.sub(length, from));
    multiplyInput(from, now, length, samples);
    kb.loop(zero, now, 1, [&](Value index) {
      Value row = kb.mul(index, count), step = stepAt(kb.add(from, index), length);
      multiplyState(row, samples);
      overSamples([&](Value sample) {
        applyGates(row, sample);
        storeResult(0, {step, d, kb.add(first, sample)}, rowOf(hidden, sample, layer.units));
      });
    });
  });
  if (layer.lengths)
    kb.loop(length, layer.time, 1, [&](Value step) { storeResult(0, {step, d, first}, Value()); });
  overSamples([&](Value sample) {
    storeResult(1, {d, kb.add(first, sample)}, rowOf(hidden, sample, layer.units));
    if (cell)
      storeResult(2, {d, kb.add(first, sample)}, rowOf(cell, sample, layer.units));
  });
}

} // namespace torsh
