//===-- RecurrentKernel.cpp - LSTM, GRU and plain recurrent layers ------------------------------------------===//
//
// A tile is one direction of one sample: it walks over the sequence with the state on the stack. A step multiplies the
// weights with the input and the state, four rows at once along their contiguous dim (their sums are independent, so
// the latency of the multiply-add is hidden), then applies the activations in vectors over the units.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/lowering/IndexKernels.h"
#include "passes/lowering/ReduceKernel.h"
#include "passes/lowering/TileSpaces.h"

using namespace mlir;

namespace torsh {
namespace {

/// Units of a layer whose gates still fit the stack.
constexpr int64_t mostUnits = 4096;
constexpr int64_t rowsAtOnce = 4;

Operation *findLayer(KernelOp kernel) {
  Operation *found = nullptr;
  kernel.getBody().walk([&](Operation *op) {
    if (isa<LstmOp, GruOp, RnnOp>(op))
      found = op;
  });
  return found;
}

struct Recurrent {
  KernelBuilder &kb;
  Operation *op;
  View x, w, r;
  RnnDirection direction = RnnDirection::forward;
  Value bias = {}, initialH = {}, initialC = {}, lengths = {};
  Type xType = {}, wType = {}, state = {}; ///< state: compute type
  int64_t gates = 1, units = 0;
  Value time = {}, inputs = {};
  bool missing = false;

  // Stack buffers, and what the tile is about.
  Value gateBuffer = {}, hidden = {}, cell = {}, scaled = {};
  Value d = {}, sample = {};

  template <typename OpTy> Value make(Value a, Value b) { return OpTy::create(kb.b, kb.loc, a, b); }
  Value add(Value a, Value b) { return make<arith::AddFOp>(a, b); }
  Value sub(Value a, Value b) { return make<arith::SubFOp>(a, b); }
  Value mul(Value a, Value b) { return make<arith::MulFOp>(a, b); }
  Value tanh(Value a) { return math::TanhOp::create(kb.b, kb.loc, a); }
  /// 1 / (1 + e^-x); e^-x overflows to infinity for very negative x, and 1 / inf is the right 0.
  Value sigmoid(Value a, unsigned lanes) {
    Value one = kb.splatConstant(state, 1, lanes);
    Value e = math::ExpOp::create(kb.b, kb.loc, arith::NegFOp::create(kb.b, kb.loc, a));
    return make<arith::DivFOp>(one, add(one, e));
  }
  Value emit(Value value, ArrayRef<Value> at, unsigned lanes) {
    if (Value emitted = kb.emit(value, at, lanes))
      return emitted;
    missing = true;
    return kb.splatConstant(state, 0, lanes);
  }
  Value load(Value buffer, Value at, unsigned lanes) { return kb.loadFrom(buffer, state, at, lanes); }
  void store(Value value, Value buffer, Value at, unsigned lanes) {
    kb.storeTo(value, buffer, state, at, lanes);
  }
  /// A gate's value in the buffer.
  Value gate(int64_t index, Value unit, unsigned lanes) {
    return load(gateBuffer, kb.add(kb.constant(index * units), unit), lanes);
  }
  void overUnits(llvm::function_ref<void(Value, unsigned)> body) {
    kb.vectorLoop(kb.constant(0), kb.constant(units), body);
  }

  SmallVector<Value> dotRows(ArrayRef<Value> rows, Value length, Value vector, Type vectorType);
  void product(const View &weights, int64_t from, int64_t count, int64_t target, Value length, Value vector,
               Type vectorType);
  void startGates(int64_t from, int64_t count, int64_t target, std::initializer_list<int64_t> biasParts);
  void stepOf(Value step);
  void storeResult(unsigned resultIndex, ArrayRef<Value> at, Value buffer);
  void run();
};

/// The products of rows of weights with a vector.
SmallVector<Value> Recurrent::dotRows(ArrayRef<Value> rows, Value length, Value vector, Type vectorType) {
  int64_t lanes = kb.target.lanes, count = rows.size();
  auto accumulate = [&](Value k, unsigned width, ValueRange sums, int64_t first, SmallVector<Value> &next) {
    Value value = kb.loadFrom(vector, vectorType, k, width);
    for (int64_t row = 0; row < count; ++row)
      next.push_back(math::FmaOp::create(kb.b, kb.loc, kb.loadFrom(rows[row], wType, k, width), value,
                                         sums[first + row]));
  };
  // Two vectors a step: twice the rows in independent sums.
  Value wide = kb.mul(kb.div(length, kb.constant(2 * lanes)), kb.constant(2 * lanes));
  SmallVector<Value> zeros(2 * count, kb.splatConstant(state, 0, lanes));
  SmallVector<Value> sums = kb.loop(kb.constant(0), wide, 2 * lanes, zeros, [&](Value k, ValueRange carried) {
    SmallVector<Value> next;
    accumulate(k, lanes, carried, 0, next);
    accumulate(kb.add(k, kb.constant(lanes)), lanes, carried, count, next);
    return next;
  });
  SmallVector<Value> joined;
  for (int64_t row = 0; row < count; ++row)
    joined.push_back(add(sums[row], sums[count + row]));
  Value whole = kb.mul(kb.div(length, kb.constant(lanes)), kb.constant(lanes));
  joined = kb.loop(wide, whole, lanes, joined, [&](Value k, ValueRange carried) {
    SmallVector<Value> next;
    accumulate(k, lanes, carried, 0, next);
    return next;
  });
  SmallVector<Value> scalars;
  for (Value sum : joined)
    scalars.push_back(reduceVector(kb, ReduceKind::sum, state, sum));
  return kb.loop(whole, length, 1, scalars, [&](Value k, ValueRange carried) {
    SmallVector<Value> next;
    accumulate(k, 1, carried, 0, next);
    return next;
  });
}

/// gateBuffer[target + i] += row `from + i` of the weights times the vector, for i < count.
void Recurrent::product(const View &weights, int64_t from, int64_t count, int64_t target, Value length,
                        Value vector, Type vectorType) {
  Value base = kb.add(weights.offset, kb.mul(d, weights.strides[0]));
  auto block = [&](Value first, int64_t rows) {
    SmallVector<Value> pointers;
    for (int64_t row = 0; row < rows; ++row)
      pointers.push_back(
          kb.address(weights.pointer, wType,
                     kb.add(base, kb.mul(kb.add(first, kb.constant(from + row)), weights.strides[1]))));
    SmallVector<Value> sums = dotRows(pointers, length, vector, vectorType);
    for (int64_t row = 0; row < rows; ++row) {
      Value place = kb.add(first, kb.constant(target + row));
      store(add(load(gateBuffer, place, 1), sums[row]), gateBuffer, place, 1);
    }
  };
  int64_t whole = count / rowsAtOnce * rowsAtOnce;
  kb.loop(kb.constant(0), kb.constant(whole), rowsAtOnce, [&](Value first) { block(first, rowsAtOnce); });
  if (whole < count)
    block(kb.constant(whole), count - whole);
}

/// gateBuffer[target + i] = the bias of row `from + i`: of the input (part 0), of the recurrence (part 1), or both.
void Recurrent::startGates(int64_t from, int64_t count, int64_t target,
                           std::initializer_list<int64_t> biasParts) {
  kb.vectorLoop(kb.constant(0), kb.constant(count), [&](Value i, unsigned lanes) {
    Value sum = kb.splatConstant(state, 0, lanes);
    if (bias)
      for (int64_t part : biasParts)
        sum = add(sum, emit(bias, {d, kb.add(i, kb.constant(part * gates * units + from))}, lanes));
    store(sum, gateBuffer, kb.add(i, kb.constant(target)), lanes);
  });
}

/// One step: the gates, then the new state.
void Recurrent::stepOf(Value step) {
  Value xRow = kb.address(x.pointer, xType,
                          kb.add(x.offset, kb.add(kb.mul(step, x.strides[0]), kb.mul(sample, x.strides[1]))));
  Value length = kb.constant(units);
  auto fromInput = [&](int64_t from, int64_t count, int64_t target) {
    product(w, from, count, target, inputs, xRow, xType);
  };
  auto fromState = [&](int64_t from, int64_t count, int64_t target, Value vector) {
    product(r, from, count, target, length, vector, state);
  };
  if (isa<LstmOp>(op)) {
    startGates(0, 4 * units, 0, {0, 1});
    fromInput(0, 4 * units, 0);
    fromState(0, 4 * units, 0, hidden);
    // Gates stand in the order i, o, f, c.
    overUnits([&](Value unit, unsigned lanes) {
      Value input = sigmoid(gate(0, unit, lanes), lanes), forget = sigmoid(gate(2, unit, lanes), lanes);
      Value next = add(mul(forget, load(cell, unit, lanes)), mul(input, tanh(gate(3, unit, lanes))));
      store(next, cell, unit, lanes);
      store(mul(sigmoid(gate(1, unit, lanes), lanes), tanh(next)), hidden, unit, lanes);
    });
    return;
  }
  if (isa<RnnOp>(op)) {
    startGates(0, units, 0, {0, 1});
    fromInput(0, units, 0);
    fromState(0, units, 0, hidden);
    overUnits([&](Value unit, unsigned lanes) { store(tanh(gate(0, unit, lanes)), hidden, unit, lanes); });
    return;
  }
  // GRU: gates z, r, and the candidate's input and recurrent products in the third and fourth quarter.
  bool linearFirst = cast<GruOp>(op).getLinearBeforeReset();
  startGates(0, 2 * units, 0, {0, 1});
  startGates(2 * units, units, 2 * units, {0});
  startGates(2 * units, units, 3 * units, {1});
  fromInput(0, 3 * units, 0);
  fromState(0, 2 * units, 0, hidden);
  if (linearFirst) {
    fromState(2 * units, units, 3 * units, hidden);
  } else {
    overUnits([&](Value unit, unsigned lanes) {
      store(mul(sigmoid(gate(1, unit, lanes), lanes), load(hidden, unit, lanes)), scaled, unit, lanes);
    });
    fromState(2 * units, units, 3 * units, scaled);
  }
  overUnits([&](Value unit, unsigned lanes) {
    Value recurrent = gate(3, unit, lanes);
    if (linearFirst)
      recurrent = mul(sigmoid(gate(1, unit, lanes), lanes), recurrent);
    Value candidate = tanh(add(gate(2, unit, lanes), recurrent));
    Value update = sigmoid(gate(0, unit, lanes), lanes), old = load(hidden, unit, lanes);
    // (1 - z) * candidate + z * h
    Value next = add(mul(sub(kb.splatConstant(state, 1, lanes), update), candidate), mul(update, old));
    store(next, hidden, unit, lanes);
  });
}

/// Writes a buffer of units (zeros without one) to a result, when the result is used.
void Recurrent::storeResult(unsigned resultIndex, ArrayRef<Value> at, Value buffer) {
  Value value = op->getResult(resultIndex);
  std::optional<unsigned> output = findOutput(kb.kernel, value);
  if (!output)
    return;
  auto type = cast<RankedTensorType>(value.getType());
  View view = kb.rowMajor(kb.outputPointer(*output), type);
  SmallVector<Value> indices(at);
  indices.push_back(kb.constant(0));
  Value base = kb.linear(view, indices);
  overUnits([&](Value unit, unsigned lanes) {
    Value stored = buffer ? load(buffer, unit, lanes) : kb.splatConstant(state, 0, lanes);
    kb.storeTo(stored, view.pointer, type.getElementType(), kb.add(base, unit), lanes);
  });
}

void Recurrent::run() {
  auto startState = [&](Value buffer, Value initial) {
    overUnits([&](Value unit, unsigned lanes) {
      Value value = initial ? emit(initial, {d, sample, unit}, lanes) : kb.splatConstant(state, 0, lanes);
      store(value, buffer, unit, lanes);
    });
  };
  startState(hidden, initialH);
  if (cell)
    startState(cell, initialC);
  Value length = time, zero = kb.constant(0);
  if (lengths) {
    Value given = emit(lengths, {sample}, 1);
    if (!given.getType().isInteger(64))
      given = arith::ExtSIOp::create(kb.b, kb.loc, kb.b.getI64Type(), given);
    length = kb.max(zero, kb.min(given, time));
  }
  // The second direction of a bidirectional layer runs backwards.
  Value backward = direction == RnnDirection::forward   ? zero
                   : direction == RnnDirection::reverse ? kb.constant(1)
                                                        : d;
  kb.loop(zero, length, 1, [&](Value i) {
    Value fromEnd = kb.sub(kb.sub(length, kb.constant(1)), i);
    Value isForward = kb.b.createOrFold<arith::CmpIOp>(kb.loc, arith::CmpIPredicate::eq, backward, zero);
    Value step = kb.b.createOrFold<arith::SelectOp>(kb.loc, isForward, i, fromEnd);
    stepOf(step);
    storeResult(0, {step, d, sample}, hidden);
  });
  if (lengths)
    kb.loop(length, time, 1, [&](Value step) { storeResult(0, {step, d, sample}, Value()); });
  storeResult(1, {d, sample}, hidden);
  if (cell)
    storeResult(2, {d, sample}, cell);
}

/// Direction and operands, which the three layers name alike.
template <typename OpTy> void readOperands(Recurrent &layer, OpTy op) {
  layer.direction = op.getDirection();
  layer.bias = op.getBias();
  layer.initialH = op.getInitialH();
  layer.lengths = op.getLengths();
}

} // namespace

TileSpace getRecurrentTiles(KernelOp kernel) {
  Operation *op = findLayer(kernel);
  if (!op)
    return {dim::constant(kernel.getContext(), 1), 1};
  // y is [T, D, B, H].
  SmallVector<DimAttr> dims = getDims(op->getResult(0));
  // All gates of all steps of one sample; a short sequence when its length is not known.
  auto weights = cast<RankedTensorType>(op->getOperand(2).getType()).getShape();
  double products = dim::asConstant(dims[0]).value_or(8);
  for (int64_t size : weights.drop_front())
    products *= std::max<int64_t>(size, 1);
  return {dim::mul(dims[1], dims[2]), grainOf(products)};
}

LogicalResult emitRecurrentKernel(KernelBuilder &kb) {
  Operation *op = findLayer(kb.kernel);
  if (!op)
    return kb.refuse("the body has no recurrent layer");
  for (Value yielded : kb.kernel.getYielded())
    if (yielded.getDefiningOp() != op)
      return kb.refuse("a yielded value is not a result of the layer");
  Value xValue = op->getOperand(0), wValue = op->getOperand(1), rValue = op->getOperand(2);
  std::optional<View> x = kb.viewOf(xValue), w = kb.viewOf(wValue), r = kb.viewOf(rValue);
  auto contiguous = [](const std::optional<View> &view) {
    return view && getConstantIntValue(view->strides.back()) == 1;
  };
  if (!contiguous(x) || !contiguous(w) || !contiguous(r))
    return kb.refuse("the input or the weights are not contiguous along the summed dim");
  auto typeOf = [](Value value) { return cast<RankedTensorType>(value.getType()); };
  int64_t units = typeOf(rValue).getShape()[2];
  if (ShapedType::isDynamic(units) || units > mostUnits)
    return kb.refuse("the number of units is not known or above " + Twine(mostUnits));
  Recurrent layer{kb, op, *x, *w, *r};
  layer.xType = typeOf(xValue).getElementType();
  layer.wType = typeOf(wValue).getElementType();
  layer.state = kb.computeType(layer.wType);
  layer.units = units;
  layer.time = kb.dim(getDims(xValue)[0]);
  layer.inputs = kb.dim(getDims(xValue)[2]);
  if (auto lstm = dyn_cast<LstmOp>(op)) {
    if (lstm.getPeephole())
      return kb.refuse("peephole weights have no code; export the model without them");
    readOperands(layer, lstm);
    layer.initialC = lstm.getInitialC();
    layer.gates = 4;
    layer.cell = kb.stackBuffer(layer.state, units);
  } else if (auto gru = dyn_cast<GruOp>(op)) {
    readOperands(layer, gru);
    layer.gates = 3;
    layer.scaled = kb.stackBuffer(layer.state, units);
  } else {
    readOperands(layer, cast<RnnOp>(op));
  }
  layer.hidden = kb.stackBuffer(layer.state, units);
  layer.gateBuffer = kb.stackBuffer(layer.state, isa<RnnOp>(op) ? units : 4 * units);
  kb.note = llvm::formatv("{0} rows at once, {1} lanes", rowsAtOnce, kb.target.lanes);
  Value batch = kb.dim(getDims(op->getResult(0))[2]);
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    layer.d = kb.div(tile, batch);
    layer.sample = kb.rem(tile, batch);
    layer.run();
  });
  if (layer.missing)
    return kb.refuse("an operand has no code");
  return success();
}

} // namespace torsh
