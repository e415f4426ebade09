//===-- DynamicQuantizeLstm.cpp - DynamicQuantizeLSTM
//-------------------------------------------------------===//
//
// ONNX Runtime quantises the input once and the hidden state in each step, so that the numbers are those of 8-bit
// products. torsh.lstm has no such step: the layer is a loop whose body quantises the state.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/microsoft/AttentionParts.h"
#include "frontends/onnx/ops/microsoft/MicrosoftOps.h"
#include "frontends/onnx/ops/microsoft/QuantizedTensor.h"

using namespace mlir;

namespace torsh::onnx::microsoft {
namespace {

/// What both directions share. The inputs are X, W, R, B, sequence_lens, initial_h, initial_c, P, then scale and zero
/// point of W and of R.
class Layer {
public:
  explicit Layer(NodeImport &n) : n(n), f32(n.builder.getF32Type()) {}
  LogicalResult run();

private:
  LogicalResult check();
  Value usedInput();
  /// The 8-bit weights of a direction without their zero point, i32 [K, 4H], and their scale as [1, 4H].
  std::pair<Value, Value> weights(int64_t direction, size_t input, size_t scale, size_t zero);
  /// Row `direction` of an operand as a tensor of one rank less.
  Value rowOf(size_t input, int64_t direction);
  Value gate(Value gates, int64_t i) {
    return sliceAxis(n, gates, 1, dimOf(n, i * hidden), dimOf(n, hidden));
  }
  /// Y [T, B, H] and the last states [B, H].
  std::array<Value, 3> direction(int64_t d, bool backwards);
  SmallVector<Value> step(Value iteration, Value h, Value c, Value fromInput, int64_t d, bool backwards);

  NodeImport &n;
  mlir::Type f32;
  int64_t directions = 1, hidden = 0;
  DimAttr steps, batch;
  DynamicallyQuantized x;
};

LogicalResult Layer::check() {
  for (size_t i : {0, 1, 2, 8, 9, 10, 11})
    if (!n.hasInput(i))
      return n.malformed("input " + Twine(i) + " is missing");
  for (size_t i = 0; i < 3; ++i)
    if (n.typeOf(i).getRank() != 3)
      return n.malformed("X, W and R must have rank 3");
  if (n.attribute("clip") && n.floatAttr("clip", 0) != 0)
    return n.unsupported("clip is not supported");
  if (n.intAttr("input_forget", 0) != 0)
    return n.unsupported("input_forget must be 0");
  if (const Attribute *given = n.attribute("activations")) {
    constexpr StringRef usual[] = {"Sigmoid", "Tanh", "Tanh"};
    for (size_t i = 0; i < given->strings.size(); ++i)
      if (!given->strings[i].equals_insensitive(usual[i % 3]))
        return n.unsupported("activations other than Sigmoid, Tanh, Tanh are not supported");
  }
  StringRef direction = n.stringAttr("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional")
    return n.malformed("direction has an unknown value");
  directions = direction == "bidirectional" ? 2 : 1;
  auto size = dim::asConstant(getDims(n.typeOf(2))[1]);
  if (!size || *size < 1 || *size > INT32_MAX / 4)
    return n.unsupported("the hidden size must be static");
  hidden = *size;
  for (size_t i : {1, 2})
    if (!dim::isConstant(getDims(n.typeOf(i))[0], directions) ||
        !dim::isConstant(getDims(n.typeOf(i))[2], 4 * hidden))
      return n.malformed("W and R must be [directions, size, 4 * hidden_size]");
  if (!n.unify(getDims(n.typeOf(0))[2], getDims(n.typeOf(1))[1], "the input size"))
    return n.malformed("W is not made for the size of X");
  DimAttr rows = getDims(n.typeOf(0))[1];
  if (n.hasInput(4) &&
      (n.typeOf(4).getRank() != 1 || !n.unify(getDims(n.typeOf(4))[0], rows, "sequence_lens")))
    return n.malformed("sequence_lens must have an entry for each batch entry");
  for (size_t i : {5, 6})
    if (n.hasInput(i) &&
        (n.typeOf(i).getRank() != 3 || !n.unify(getDims(n.typeOf(i))[1], rows, "a first state")))
      return n.malformed("the first states must be [directions, batch, hidden_size]");
  return success();
}

Value Layer::rowOf(size_t input, int64_t direction) {
  Value row = sliceAxis(n, n.operand(input), 0, dimOf(n, direction), dimOf(n, 1));
  return n.reshape(row, ArrayRef(getDims(row)).drop_front());
}

std::pair<Value, Value> Layer::weights(int64_t direction, size_t input, size_t scale, size_t zero) {
  mlir::Type i32 = n.builder.getI32Type();
  SmallVector<DimAttr> row = {dimOf(n, 1), dimOf(n, 4 * hidden)};
  // One number for all, or one for each column.
  auto parameter = [&](size_t i, mlir::Type element) {
    Value value = n.cast(rowOf(i, direction), element);
    if (dim::isConstant(getNumElements(cast<RankedTensorType>(value.getType())), 1))
      return n.broadcastTo(n.reshape(value, {}), row);
    return n.reshape(value, row);
  };
  Value w = n.cast(rowOf(input, direction), i32);
  Value point = n.broadcastTo(parameter(zero, i32), getDims(w));
  return {n.create<SubOp>(w, point), parameter(scale, f32)};
}

/// One step: the next states and the output, [B, H] each.
SmallVector<Value> Layer::step(Value iteration, Value h, Value c, Value fromInput, int64_t d,
                               bool backwards) {
  SmallVector<DimAttr> dims = getDims(fromInput);
  Value position = iteration;
  if (backwards)
    position = n.create<SubOp>(n.fromDims({dim::sub(steps, dimOf(n, 1))}, true), iteration);
  Value gates = n.create<GatherOp>(fromInput, position, int64_t(0));
  auto [r, scaleR] = weights(d, 2, 10, 11);
  DynamicallyQuantized state = quantizeDynamically(n, h);
  SmallVector<int64_t> none, contractH = {1}, contractR = {0};
  Value sums =
      n.create<DotGeneralOp>(n.cast(state.centred, elementTypeOf(r)), r, none, none, contractH, contractR);
  SmallVector<DimAttr> wide = getDims(sums);
  Value factor = n.create<MulOp>(n.broadcastTo(state.scale, wide), n.broadcastTo(scaleR, wide));
  gates = n.create<AddOp>(gates, n.create<MulOp>(n.cast(sums, f32), factor));

  Value peepholes = n.hasInput(7) ? rowOf(7, d) : Value();
  auto peep = [&](Value x, Value state, int64_t i) -> Value {
    if (!peepholes)
      return x;
    Value weight = sliceAxis(n, peepholes, 0, dimOf(n, i * hidden), dimOf(n, hidden));
    return n.create<AddOp>(x, n.create<MulOp>(alongAxis(n, weight, 1, x), state));
  };
  Value in = n.create<SigmoidOp>(peep(gate(gates, 0), c, 0));
  Value forget = n.create<SigmoidOp>(peep(gate(gates, 2), c, 2));
  Value cell = n.create<TanhOp>(gate(gates, 3));
  Value nextC = n.create<AddOp>(n.create<MulOp>(forget, c), n.create<MulOp>(in, cell));
  Value out = n.create<SigmoidOp>(peep(gate(gates, 1), nextC, 1));
  Value nextH = n.create<MulOp>(out, n.create<TanhOp>(nextC)), y = nextH;
  if (n.hasInput(4)) {
    // Steps at or after the end of a sequence leave its state, and put out 0.
    mlir::Type i64 = n.builder.getI64Type();
    SmallVector<DimAttr> state = getDims(h);
    Value ends = alongAxis(n, n.cast(n.operand(4), i64), 0, h);
    Value at = n.broadcastTo(position, state);
    Value alive =
        n.create<CompareOp>(makeTensorType(state, n.builder.getI1Type()), at, ends, ComparePredicate::lt);
    nextH = n.create<SelectOp>(alive, nextH, h);
    nextC = n.create<SelectOp>(alive, nextC, c);
    y = n.create<SelectOp>(alive, y, n.splatLike(y, 0));
  }
  return {nextH, nextC, y};
}

std::array<Value, 3> Layer::direction(int64_t d, bool backwards) {
  auto [w, scaleW] = weights(d, 1, 8, 9);
  SmallVector<int64_t> none, contractX = {2}, contractW = {0};
  Value sums =
      n.create<DotGeneralOp>(n.cast(x.centred, elementTypeOf(w)), w, none, none, contractX, contractW);
  SmallVector<DimAttr> wide = getDims(sums);
  Value factor = n.create<MulOp>(n.broadcastTo(x.scale, wide), n.broadcastTo(scaleW, wide));
  Value fromInput = n.create<MulOp>(n.cast(sums, f32), factor);
  if (n.hasInput(3)) {
    Value bias = rowOf(3, d);
    DimAttr half = dimOf(n, 4 * hidden);
    bias = n.create<AddOp>(sliceAxis(n, bias, 0, dimOf(n, 0), half), sliceAxis(n, bias, 0, half, half));
    fromInput = n.create<AddOp>(fromInput, alongAxis(n, bias, 2, fromInput));
  }
  RankedTensorType stateType = makeTensorType({batch, dimOf(n, hidden)}, f32);
  auto first = [&](size_t input) { return n.hasInput(input) ? rowOf(input, d) : n.splat(stateType, 0); };
  SmallVector<Value> initial = {first(5), first(6)};
  SmallVector<mlir::Type> types = {stateType, stateType,
                                   makeTensorType({steps, batch, dimOf(n, hidden)}, f32)};
  auto loop = ForOp::create(n.builder, n.loc, types, steps, initial);
  OpBuilder::InsertionGuard guard(n.builder);
  Block *block = &loop.getBody().emplaceBlock();
  n.builder.setInsertionPointToEnd(block);
  Value iteration = block->addArgument(RankedTensorType::get({}, n.builder.getI64Type()), n.loc);
  Value h = block->addArgument(stateType, n.loc), c = block->addArgument(stateType, n.loc);
  YieldOp::create(n.builder, n.loc, step(iteration, h, c, fromInput, d, backwards));
  Value y = loop->getResult(2);
  if (backwards) {
    // The loop stacks its steps in the order in which it takes them.
    n.builder.setInsertionPointAfter(loop);
    SmallVector<DimAttr> starts(3, dimOf(n, 0));
    starts[0] = dim::sub(steps, dimOf(n, 1));
    SmallVector<int64_t> strides = {-1, 1, 1};
    y = n.create<SliceOp>(y, DimsAttr::get(n.context(), starts), DimsAttr::get(n.context(), getDims(y)),
                          strides);
  }
  return {y, loop->getResult(0), loop->getResult(1)};
}

/// X without the steps after the end of the longest sequence, which do not count for its range.
Value Layer::usedInput() {
  Value input = n.operand(0);
  if (!n.hasInput(4))
    return input;
  SmallVector<DimAttr> dims = getDims(input);
  mlir::Type i64 = n.builder.getI64Type();
  SmallVector<int64_t> all = {0};
  Value longest = n.create<ReduceOp>(n.cast(n.operand(4), i64), ReduceKind::max, all, false);
  Value step = n.create<IotaOp>(makeTensorType(dims, i64), int64_t(0));
  Value used = n.create<CompareOp>(makeTensorType(dims, n.builder.getI1Type()), step,
                                   n.broadcastTo(longest, dims), ComparePredicate::lt);
  return n.create<SelectOp>(used, input, n.splatLike(input, 0));
}

LogicalResult Layer::run() {
  if (failed(check()))
    return failure();
  x = quantizeDynamically(n, usedInput());
  steps = getDims(x.centred)[0];
  batch = getDims(x.centred)[1];
  SmallVector<Value> parts[3];
  StringRef way = n.stringAttr("direction", "forward");
  for (int64_t d = 0; d < directions; ++d) {
    std::array<Value, 3> results = direction(d, way == "reverse" || d == 1);
    for (size_t i = 0; i < 3; ++i) {
      // Y gets its directions behind the steps, the states get them first.
      SmallVector<DimAttr> dims = getDims(results[i]);
      dims.insert(dims.begin() + (i == 0 ? 1 : 0), dimOf(n, 1));
      parts[i].push_back(n.reshape(results[i], dims));
    }
  }
  for (size_t i = 0; i < 3; ++i)
    n.setResult(i, directions == 1 ? parts[i][0]
                                   : n.create<ConcatOp>(ValueRange(parts[i]), int64_t(i == 0 ? 1 : 0)));
  return success();
}

LogicalResult importDynamicQuantizeLstm(NodeImport &n) { return Layer(n).run(); }

} // namespace

void addDynamicQuantizeLstmOps(OpTable &table) {
  table.add("com.microsoft", "DynamicQuantizeLSTM", 1, importDynamicQuantizeLstm);
}

} // namespace torsh::onnx::microsoft
