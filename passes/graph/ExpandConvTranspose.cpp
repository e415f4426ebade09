//===-- ExpandConvTranspose.cpp - Transposed convolution as a convolution -----------------------------------===//
//
// Along one spatial dim, with stride s, window k and T = ceil(k / s), the uncropped result is
//   y[q * s + r] = sum over j < T of x[q - j] * w[j * s + r]      (w is 0 from k on).
// With x padded by T - 1 zeros on both sides this is, for each phase r, a convolution of stride 1 with the window
// reversed. All phases of all dims together are the channels of one convolution. Cutting the border makes the phases start
// at different q; when that is worth it, each phase is a convolution of its own, which computes no q that is cut.
// A dilated window is one with zeros between its taps, and where the stride is 1 a dilated convolution. Groups stay groups:
// the phases of each stand next to each other among the channels.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/SpatialDims.h"
#include "dialects/torsh/reference/Evaluator.h"
#include "passes/graph/FoldedMoves.h"
#include "passes/graph/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_EXPANDCONVTRANSPOSEPASS
#include "passes/graph/Passes.h.inc"

namespace {

struct Expansion {
  ConvTransposeOp op;
  OpBuilder builder;
  Location loc;
  size_t spatial;
  SmallVector<int64_t> window, taps; ///< k with the zeros of a dilation, and T, of each spatial dim
  SmallVector<int64_t>
      spread; ///< the steps between taps in the window: the dilation where zeros stand for it
  SmallVector<int64_t> dilations;                            ///< of the convolution
  int64_t channels = 0, outputs = 0, phases = 1, groups = 1; ///< channels and outputs of a group
  std::optional<Tensor> held;                                ///< the weights' numbers, once they are needed

  explicit Expansion(ConvTransposeOp op)
      : op(op), builder(op), loc(op.getLoc()), spatial(op.getStrides().size()) {}

  LogicalResult refuse(const Twine &what) {
    return op.emitError("TSH-0512: this transposed convolution has ")
           << what << ", which has no code; export the model with an upsampling followed by a convolution";
  }
  LogicalResult analyse();
  Value spreadWeights();
  Value computedPhases();
  FailureOr<Value> phaseWeights(ArrayRef<int64_t> firstPhase, ArrayRef<int64_t> phaseCounts);
  bool readsOnePosition();
  Value convolvePoint();
  void finish(Value y);
  bool separatesPhases();
  FailureOr<Value> convolvePhases(Value x);
  LogicalResult run();
};

LogicalResult Expansion::analyse() {
  auto type = cast<RankedTensorType>(op.getW().getType());
  if (op.getLayout() != Layout::channels_last)
    return refuse("channels-first layout");
  if (!type.hasStaticShape())
    return refuse("weights of a size that is not known");
  for (size_t i = 0; i < spatial; ++i) {
    int64_t stride = op.getStrides()[i], dilation = op.getDilations()[i];
    spread.push_back(stride == 1 ? 1 : dilation);
    dilations.push_back(stride == 1 ? dilation : 1);
    window.push_back((type.getDimSize(i) - 1) * spread[i] + 1);
    taps.push_back((window[i] + stride - 1) / stride);
    phases *= stride;
  }
  groups = op.getGroups();
  channels = type.getDimSize(spatial) / groups;
  outputs = type.getDimSize(spatial + 1);
  return success();
}

/// Weights that are not known with the zeros of their dilations between the taps.
Value Expansion::spreadWeights() {
  MLIRContext *context = op.getContext();
  Value w = op.getW();
  SmallVector<int64_t> shape(cast<RankedTensorType>(w.getType()).getShape());
  auto scalar = RankedTensorType::get({}, cast<RankedTensorType>(w.getType()).getElementType());
  for (size_t i = 0; i < spatial; ++i) {
    if (spread[i] == 1)
      continue;
    SmallVector<int64_t> apart(shape), none(shape.size() + 1, 0), high(none);
    apart.insert(apart.begin() + i + 1, 1);
    high[i + 1] = spread[i] - 1;
    Value zero = ConstantOp::create(builder, loc, scalar, builder.getZeroAttr(scalar));
    w = PadOp::create(builder, loc, createReshape(builder, loc, w, ArrayRef<int64_t>(apart)), zero,
                      DimsAttr::fromConstants(context, none), DimsAttr::fromConstants(context, high),
                      PadMode::constant);
    shape[i] *= spread[i];
    w = createReshape(builder, loc, w, ArrayRef<int64_t>(shape));
    // The last tap has no zeros behind it.
    shape[i] = window[i];
    SmallVector<int64_t> starts(shape.size(), 0), steps(shape.size(), 1);
    w = SliceOp::create(builder, loc, w, DimsAttr::fromConstants(context, starts),
                        DimsAttr::fromConstants(context, shape), steps);
  }
  return w;
}

/// All phases of weights that are computed or change from run to run: padded to whole phases, the taps of each reversed.
Value Expansion::computedPhases() {
  MLIRContext *context = op.getContext();
  Value w = spreadWeights();
  SmallVector<int64_t> none(spatial + 2, 0), high(spatial + 2, 0), split, order, joined(taps);
  SmallVector<int64_t> starts, steps;
  for (size_t i = 0; i < spatial; ++i) {
    high[i] = taps[i] * op.getStrides()[i] - window[i];
    split.append({taps[i], op.getStrides()[i]});
    starts.append({taps[i] - 1, 0});
    steps.append({-1, 1});
    order.push_back(2 * i);
  }
  split.append({groups, channels, outputs});
  starts.append({0, 0, 0});
  steps.append({1, 1, 1});
  order.append({int64_t(2 * spatial) + 1, int64_t(2 * spatial)});
  for (size_t i = 0; i < spatial; ++i)
    order.push_back(2 * i + 1);
  order.push_back(2 * spatial + 2);
  joined.append({channels, groups * phases * outputs});
  if (llvm::any_of(high, [](int64_t amount) { return amount != 0; })) {
    auto scalar = RankedTensorType::get({}, cast<RankedTensorType>(w.getType()).getElementType());
    Value zero = ConstantOp::create(builder, loc, scalar, builder.getZeroAttr(scalar));
    w = PadOp::create(builder, loc, w, zero, DimsAttr::fromConstants(context, none),
                      DimsAttr::fromConstants(context, high), PadMode::constant);
  }
  w = createReshape(builder, loc, w, ArrayRef<int64_t>(split));
  w = SliceOp::create(builder, loc, w, DimsAttr::fromConstants(context, starts),
                      DimsAttr::fromConstants(context, split), steps);
  return createReshape(builder, loc, createTranspose(builder, loc, w, order), ArrayRef<int64_t>(joined));
}

/// [k.., g * C, O] -> [T.., C, g * r.. * O]: w'[t.., c, g, r.., o] = w[(T - 1 - t) * s + first + r.., g, c, o], 0 past the
/// window and between its taps.
FailureOr<Value> Expansion::phaseWeights(ArrayRef<int64_t> firstPhase, ArrayRef<int64_t> phaseCounts) {
  WeightStore &store = op.getContext()->getLoadedDialect<TorshDialect>()->getWeightStore();
  if (!held) {
    llvm::Expected<Tensor> numbers = evaluateConstant(getConstantAttr(op.getW()), store);
    if (!numbers) {
      op.emitError(llvm::toString(numbers.takeError()));
      return failure();
    }
    held = std::move(*numbers);
  }
  const Tensor *from = &*held;
  auto element = cast<RankedTensorType>(op.getW().getType()).getElementType();
  SmallVector<int64_t> shape(taps);
  int64_t count = 1;
  for (int64_t size : phaseCounts)
    count *= size;
  shape.append({channels, groups * count * outputs});
  Tensor to = Tensor::zeros(element, shape);
  SmallVector<int64_t> sizes(taps);
  sizes.append(phaseCounts.begin(), phaseCounts.end());
  // Positions of t.. and r.. count together; the matrix [C, O] of a position moves as rows.
  SmallVector<int64_t> at(sizes.size(), 0);
  int64_t positions = 1;
  for (int64_t size : sizes)
    positions *= size;
  for (int64_t position = 0; position < positions; ++position) {
    int64_t source = 0, tap = 0, phase = 0;
    bool inside = true;
    for (size_t i = 0; i < spatial; ++i) {
      int64_t index = (taps[i] - 1 - at[i]) * op.getStrides()[i] + firstPhase[i] + at[spatial + i];
      inside &= index < window[i] && index % spread[i] == 0;
      source = source * op.getW().getType().getShape()[i] + index / spread[i];
      tap = tap * taps[i] + at[i];
      phase = phase * phaseCounts[i] + at[spatial + i];
    }
    for (int64_t channel = 0; inside && channel < groups * channels; ++channel)
      for (int64_t output = 0; output < outputs; ++output) {
        int64_t group = channel / channels, row = tap * channels + channel % channels;
        int64_t target = ((row * groups + group) * count + phase) * outputs + output;
        int64_t origin = (source * groups * channels + channel) * outputs + output;
        if (to.isFloat())
          to.floats[target] = from->floats[origin];
        else
          to.ints[target] = from->ints[origin];
      }
    for (size_t i = sizes.size(); i-- > 0;) {
      if (++at[i] < sizes[i])
        break;
      at[i] = 0;
    }
  }
  std::vector<char> bytes = to.toBytes();
  auto type = RankedTensorType::get(shape, element);
  auto key = builder.getStringAttr(store.addCopy(ArrayRef<char>(bytes.data(), bytes.size())));
  return ConstantOp::create(builder, loc, type, WeightAttr::get(op.getContext(), key, type, {})).getResult();
}

/// Whether the input has one position, whose products with the whole window are the result.
bool Expansion::readsOnePosition() {
  auto isZero = [](int64_t value) { return value == 0; };
  return groups == 1 && llvm::all_of(spread, [](int64_t steps) { return steps == 1; }) &&
         llvm::all_of(dilations, [](int64_t steps) { return steps == 1; }) &&
         llvm::all_of(ArrayRef(getDims(op.getX())).slice(1, spatial),
                      [](DimAttr size) { return dim::isConstant(size, 1); }) &&
         llvm::all_of(op.getLow(), isZero) && llvm::all_of(op.getHigh(), isZero) &&
         llvm::all_of(op.getOutputPadding(), isZero);
}

/// [N, 1.., C] with [k.., C, O] -> [N, k.., O]: a convolution of window 1 with k.. * O channels.
Value Expansion::convolvePoint() {
  SmallVector<int64_t> order{int64_t(spatial)}, shape(spatial, 1), ones(spatial, 1), zeros(spatial, 0);
  for (size_t i = 0; i < spatial; ++i)
    order.push_back(i);
  order.push_back(spatial + 1);
  int64_t positions = 1;
  for (int64_t size : window)
    positions *= size;
  shape.append({channels, positions * outputs});
  Value weights =
      createReshape(builder, loc, createTranspose(builder, loc, op.getW(), order), ArrayRef<int64_t>(shape));
  Value y = ConvOp::create(builder, loc, op.getX(), weights, Value(), ones, ones, zeros, zeros, /*groups=*/1,
                           Layout::channels_last);
  return createReshape(builder, loc, y, getDims(op.getY()));
}

/// Adds the bias, if there is one still, and takes the place of the op.
void Expansion::finish(Value y) {
  if (Value bias = op.getBias())
    y = AddOp::create(
        builder, loc, y,
        BroadcastOp::create(builder, loc, y.getType(), bias, ArrayRef<int64_t>{int64_t(spatial) + 1}));
  op.getY().replaceAllUsesWith(y);
  op.erase();
}

/// Whether every phase has a start of its own, and the positions that one convolution of all phases would compute in vain
/// are more than a tenth.
bool Expansion::separatesPhases() {
  if (groups != 1)
    return false;
  double all = 1, needed = 1;
  SmallVector<DimAttr> dims = getDims(op.getY());
  for (size_t i = 0; i < spatial; ++i) {
    int64_t stride = op.getStrides()[i], low = op.getLow()[i];
    auto size = dim::asConstant(dims[i + 1]);
    // Phases r - low + stride * start: with more than two some share a start.
    bool apart = stride == 1 || (stride == 2 && low % 2 == 1);
    if (!size || *size == 0 || *size % stride || !apart || low < 0)
      return false;
    needed *= double(*size / stride);
    all *= double(*size / stride + (stride - 1 + low) / stride);
  }
  return phases > 1 && all > 1.1 * needed;
}

/// One convolution a phase, on a window of the padded input; their channels follow each other.
FailureOr<Value> Expansion::convolvePhases(Value x) {
  MLIRContext *context = op.getContext();
  auto number = [&](int64_t value) { return dim::constant(context, value); };
  SmallVector<int64_t> ones(spatial, 1), zeros(spatial, 0), steps(spatial + 2, 1);
  SmallVector<DimAttr> dims = getDims(op.getY()), xDims = getDims(x);
  SmallVector<Value> parts;
  for (int64_t phase = 0; phase < phases; ++phase) {
    SmallVector<int64_t> first(spatial);
    SmallVector<DimAttr> starts(spatial + 2, number(0)), sizes(xDims);
    for (int64_t i = int64_t(spatial) - 1, rest = phase; i >= 0; --i) {
      int64_t stride = op.getStrides()[i], place = rest % stride + op.getLow()[i];
      rest /= stride;
      first[i] = place % stride;
      starts[i + 1] = number(place / stride);
      sizes[i + 1] = number(*dim::asConstant(dims[i + 1]) / stride + (taps[i] - 1) * dilations[i]);
    }
    FailureOr<Value> weights = phaseWeights(first, ones);
    if (failed(weights))
      return failure();
    Value window = SliceOp::create(builder, loc, x, DimsAttr::get(context, starts),
                                   DimsAttr::get(context, sizes), steps);
    parts.push_back(ConvOp::create(builder, loc, window, *weights, Value(), ones, dilations, zeros, zeros,
                                   /*groups=*/1, Layout::channels_last));
  }
  return ConcatOp::create(builder, loc, parts, spatial + 1).getResult();
}

LogicalResult Expansion::run() {
  if (failed(analyse()))
    return failure();
  if (readsOnePosition()) {
    finish(convolvePoint());
    return success();
  }
  MLIRContext *context = op.getContext();
  auto number = [&](int64_t value) { return dim::constant(context, value); };
  SmallVector<int64_t> low{0}, high{0};
  for (size_t i = 0; i < spatial; ++i) {
    int64_t stride = op.getStrides()[i];
    int64_t border = (taps[i] - 1) * dilations[i];
    // Rows that output_padding adds beyond the last phase of the last position; where the stride is 1, a dilated window is
    // as long as its border.
    int64_t beyond = stride == 1 ? op.getOutputPadding()[i] - op.getHigh()[i]
                                 : window[i] + op.getOutputPadding()[i] - op.getHigh()[i] - taps[i] * stride;
    low.push_back(border);
    high.push_back(border + (beyond > 0 ? (beyond + stride - 1) / stride : 0));
  }
  low.push_back(0);
  high.push_back(0);
  Value x = op.getX();
  if (llvm::any_of(low, [](int64_t v) { return v; }) || llvm::any_of(high, [](int64_t v) { return v; })) {
    auto scalar = RankedTensorType::get({}, cast<RankedTensorType>(x.getType()).getElementType());
    Value zero = ConstantOp::create(builder, loc, scalar, builder.getZeroAttr(scalar));
    x = PadOp::create(builder, loc, x, zero, DimsAttr::fromConstants(context, low),
                      DimsAttr::fromConstants(context, high), PadMode::constant);
  }
  SmallVector<int64_t> ones(spatial, 1), zeros(spatial, 0);
  bool constant = getConstantAttr(op.getW()) != nullptr, separate = constant && separatesPhases();
  FailureOr<Value> made = separate   ? convolvePhases(x)
                          : constant ? phaseWeights(zeros, op.getStrides())
                                     : FailureOr<Value>(computedPhases());
  if (failed(made))
    return failure();
  Value y = separate ? *made
                     : ConvOp::create(builder, loc, x, *made, Value(), ones, dilations, zeros, zeros, groups,
                                      Layout::channels_last)
                           .getY();
  if (phases != 1) {
    // [N, q.., g * s.. * O] -> [N, q0, s0, q1, s1, .., g, O] -> [N, q0 * s0, q1 * s1, .., g * O]
    int64_t grouped = groups == 1 ? 0 : 1;
    SmallVector<DimAttr> from = getDims(y), split{from[0]}, joined{from[0]};
    SmallVector<int64_t> order{0};
    for (size_t i = 0; i < spatial; ++i) {
      split.push_back(from[i + 1]);
      joined.push_back(dim::mul(from[i + 1], number(op.getStrides()[i])));
      order.append({int64_t(i) + 1, int64_t(spatial + i) + 1 + grouped});
    }
    if (grouped) {
      split.push_back(number(groups));
      order.push_back(spatial + 1);
    }
    for (int64_t stride : op.getStrides())
      split.push_back(number(stride));
    split.push_back(number(outputs));
    joined.push_back(number(groups * outputs));
    order.push_back(2 * spatial + 1 + grouped);
    y = createReshape(builder, loc,
                      createTranspose(builder, loc, createReshape(builder, loc, y, split), order), joined);
  }
  auto type = cast<RankedTensorType>(op.getY().getType());
  SmallVector<DimAttr> starts{number(0)};
  for (int64_t amount : op.getLow())
    starts.push_back(number(amount));
  starts.push_back(number(0));
  if (y.getType() != type) {
    SmallVector<int64_t> steps(spatial + 2, 1);
    y = SliceOp::create(builder, loc, y, DimsAttr::get(context, starts),
                        DimsAttr::get(context, getDims(type)), steps);
  }
  finish(y);
  return success();
}

struct ExpandConvTranspose : impl::ExpandConvTransposePassBase<ExpandConvTranspose> {
  void runOnOperation() override {
    SmallVector<ConvTransposeOp> ops;
    getOperation().walk([&](ConvTransposeOp op) { ops.push_back(op); });
    for (ConvTransposeOp op : ops)
      if (failed(Expansion(op).run()))
        signalPassFailure();
  }
};

} // namespace
} // namespace torsh
