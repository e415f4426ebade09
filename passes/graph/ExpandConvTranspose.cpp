//===-- ExpandConvTranspose.cpp - Transposed convolution as a convolution -----------------------------------===//
//
// Along one spatial dim, with stride s, window k and T = ceil(k / s), the uncropped result is
//   y[q * s + r] = sum over j < T of x[q - j] * w[j * s + r]      (w is 0 from k on).
// With x padded by T - 1 zeros on both sides this is, for each phase r, a convolution of stride 1 with the window
// reversed. All phases of all dims together are the channels of one convolution.
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
  SmallVector<int64_t> window, taps; ///< k and T of each spatial dim
  int64_t channels = 0, outputs = 0, phases = 1;

  explicit Expansion(ConvTransposeOp op)
      : op(op), builder(op), loc(op.getLoc()), spatial(op.getStrides().size()) {}

  LogicalResult refuse(const Twine &what) {
    return op.emitError("TSH-0512: this transposed convolution has ")
           << what << ", which has no code; export the model with an upsampling followed by a convolution";
  }
  LogicalResult analyse();
  FailureOr<Value> phaseWeights();
  LogicalResult run();
};

LogicalResult Expansion::analyse() {
  auto type = cast<RankedTensorType>(op.getW().getType());
  if (op.getLayout() != Layout::channels_last)
    return refuse("channels-first layout");
  if (!getConstantAttr(op.getW()) || !type.hasStaticShape())
    return refuse("weights that are not constants");
  if (op.getGroups() != 1)
    return refuse(Twine(op.getGroups()) + " groups");
  if (llvm::any_of(op.getDilations(), [](int64_t dilation) { return dilation != 1; }))
    return refuse("a dilation");
  for (size_t i = 0; i < spatial; ++i) {
    int64_t stride = op.getStrides()[i];
    window.push_back(type.getDimSize(i));
    taps.push_back((window[i] + stride - 1) / stride);
    phases *= stride;
  }
  channels = type.getDimSize(spatial);
  outputs = type.getDimSize(spatial + 1);
  return success();
}

/// [k.., C, O] -> [T.., C, s.. * O]: w'[t.., c, r.., o] = w[(T - 1 - t) * s + r.., c, o], 0 past the window.
FailureOr<Value> Expansion::phaseWeights() {
  WeightStore &store = op.getContext()->getLoadedDialect<TorshDialect>()->getWeightStore();
  llvm::Expected<Tensor> from = evaluateConstant(getConstantAttr(op.getW()), store);
  if (!from) {
    op.emitError(llvm::toString(from.takeError()));
    return failure();
  }
  auto element = cast<RankedTensorType>(op.getW().getType()).getElementType();
  SmallVector<int64_t> shape(taps);
  shape.append({channels, phases * outputs});
  Tensor to = Tensor::zeros(element, shape);
  SmallVector<int64_t> sizes(taps);
  sizes.append(op.getStrides().begin(), op.getStrides().end());
  // Positions of t.. and r.. count together; the matrix [C, O] of a position moves as rows.
  SmallVector<int64_t> at(sizes.size(), 0);
  int64_t positions = 1;
  for (int64_t size : sizes)
    positions *= size;
  for (int64_t position = 0; position < positions; ++position) {
    int64_t source = 0, tap = 0, phase = 0;
    bool inside = true;
    for (size_t i = 0; i < spatial; ++i) {
      int64_t index = (taps[i] - 1 - at[i]) * op.getStrides()[i] + at[spatial + i];
      inside &= index < window[i];
      source = source * window[i] + index;
      tap = tap * taps[i] + at[i];
      phase = phase * op.getStrides()[i] + at[spatial + i];
    }
    for (int64_t channel = 0; inside && channel < channels; ++channel)
      for (int64_t output = 0; output < outputs; ++output) {
        int64_t target = (tap * channels + channel) * phases * outputs + phase * outputs + output;
        int64_t origin = (source * channels + channel) * outputs + output;
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

LogicalResult Expansion::run() {
  if (failed(analyse()))
    return failure();
  FailureOr<Value> weights = phaseWeights();
  if (failed(weights))
    return failure();
  MLIRContext *context = op.getContext();
  auto number = [&](int64_t value) { return dim::constant(context, value); };
  SmallVector<int64_t> low{0}, high{0};
  for (size_t i = 0; i < spatial; ++i) {
    int64_t stride = op.getStrides()[i];
    // Rows that output_padding adds beyond the last phase of the last position.
    int64_t beyond = window[i] + op.getOutputPadding()[i] - op.getHigh()[i] - taps[i] * stride;
    low.push_back(taps[i] - 1);
    high.push_back(taps[i] - 1 + (beyond > 0 ? (beyond + stride - 1) / stride : 0));
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
  // With one phase the bias can stay in the convolution.
  Value bias = op.getBias();
  Value y = ConvOp::create(builder, loc, x, *weights, phases == 1 ? bias : Value(), ones, ones, zeros, zeros,
                           /*groups=*/1, Layout::channels_last);
  if (phases != 1) {
    // [N, q.., s.. * O] -> [N, q0, s0, q1, s1, .., O] -> [N, q0 * s0, q1 * s1, .., O]
    SmallVector<DimAttr> from = getDims(y), split{from[0]}, joined{from[0]};
    SmallVector<int64_t> order{0};
    for (size_t i = 0; i < spatial; ++i) {
      split.push_back(from[i + 1]);
      joined.push_back(dim::mul(from[i + 1], number(op.getStrides()[i])));
      order.append({int64_t(i) + 1, int64_t(spatial + i) + 1});
    }
    for (int64_t stride : op.getStrides())
      split.push_back(number(stride));
    split.push_back(number(outputs));
    joined.push_back(number(outputs));
    order.push_back(2 * spatial + 1);
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
  if (bias && phases != 1) {
    Value spread = BroadcastOp::create(builder, loc, type, bias, ArrayRef<int64_t>{int64_t(spatial) + 1});
    y = AddOp::create(builder, loc, y, spread);
  }
  op.getY().replaceAllUsesWith(y);
  op.erase();
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
