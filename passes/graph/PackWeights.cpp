//===-- PackWeights.cpp - Weights as panels of 16 columns ---------------------------------------------------===//
#include "passes/graph/BufferViews.h"
#include "passes/graph/FoldedMoves.h"
#include "passes/graph/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_PACKWEIGHTSPASS
#include "passes/graph/Passes.h.inc"

namespace {

/// Columns of a panel; the same for all CPU levels.
constexpr int64_t panelWidth = 16;

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// The type of the panels of a matrix [batch.., K, N].
RankedTensorType panelType(RankedTensorType matrix) {
  SmallVector<int64_t> shape(matrix.getShape().drop_back(2));
  int64_t k = matrix.getDimSize(matrix.getRank() - 2), n = matrix.getShape().back();
  shape.append({(n + panelWidth - 1) / panelWidth, k, panelWidth});
  return RankedTensorType::get(shape, matrix.getElementType());
}

/// The matrix [batch.., K, N] again, behind panels: of a constant by its recipe, of a computed value by copies.
Value packMatrix(OpBuilder &builder, Location loc, Value matrix) {
  RankedTensorType type = typeOf(matrix), panels = panelType(type);
  Value packed;
  if (Value weight = asWeight(builder, matrix)) {
    packed = appendStep(builder, loc, weight, "pack", {panelWidth}, panels);
  } else {
    // [.., K, N] -> [.., K, P * 16] -> [.., K, P, 16] -> [.., P, K, 16]
    MLIRContext *context = builder.getContext();
    int64_t rank = type.getRank(), n = type.getShape().back();
    SmallVector<int64_t> low(rank, 0), high(rank, 0), order;
    int64_t count = panels.getDimSize(rank - 2);
    high.back() = count * panelWidth - n;
    if (high.back()) {
      auto scalar = RankedTensorType::get({}, type.getElementType());
      auto zero = cast<TypedAttr>(builder.getZeroAttr(scalar));
      Value fill = ConstantOp::create(builder, loc, scalar, zero);
      matrix = PadOp::create(builder, loc, matrix, fill, DimsAttr::fromConstants(context, low),
                             DimsAttr::fromConstants(context, high), PadMode::constant);
    }
    SmallVector<int64_t> split(type.getShape().drop_back());
    split.append({count, panelWidth});
    for (int64_t axis = 0; axis < rank - 2; ++axis)
      order.push_back(axis);
    order.append({rank - 1, rank - 2, rank});
    packed = materialize(builder,
                         createTranspose(builder, loc, createReshape(builder, loc, matrix, split), order));
  }
  return UnpackOp::create(builder, loc, type, packed);
}

/// Packs a constant right operand [batch.., K, N].
void packContraction(DotGeneralOp op) {
  RankedTensorType type = typeOf(op.getRhs());
  int64_t batches = op.getRhsBatch().size();
  if (!getConstantAttr(op.getRhs()) || type.getElementTypeBitWidth() < 8 || type.getRank() != batches + 2 ||
      !isIdentityPermutation(op.getRhsBatch()) || op.getRhsContract() != ArrayRef<int64_t>{batches})
    return;
  OpBuilder builder(op);
  op.getRhsMutable().assign(packMatrix(builder, op.getLoc(), op.getRhs()));
}

/// Packs the weights [spatial.., C/groups, O] of a convolution: a matrix [taps * C/groups, O/groups] for each group.
LogicalResult packConvolution(ConvOp op) {
  RankedTensorType type = typeOf(op.getW());
  int64_t rank = type.getRank(), groups = op.getGroups();
  if (op.getLayout() != Layout::channels_last)
    return success();
  if (!type.hasStaticShape())
    return op.emitError(
        "TSH-0511: the weights of a convolution have a size that is not known when the model is "
        "compiled; export the model with weights of a fixed shape");
  // The depthwise kernel reads weights as they are.
  if (groups > 1 && type.getDimSize(rank - 2) == 1 && type.getDimSize(rank - 1) == groups)
    return success();
  OpBuilder builder(op);
  Location loc = op.getLoc();
  int64_t outputs = type.getDimSize(rank - 1), depth = outputs == 0 ? 0 : type.getNumElements() / outputs;
  Value w = op.getW(), packed;
  if (!getConstantAttr(w))
    w = makeAddressable(builder, w);
  if (groups == 1) {
    packed = packMatrix(builder, loc, createReshape(builder, loc, w, {depth, outputs}));
  } else {
    Value split = createReshape(builder, loc, w, {depth, groups, outputs / groups});
    Value matrices = createTranspose(builder, loc, split, {1, 0, 2});
    if (!getConstantAttr(matrices))
      matrices = materialize(builder, matrices);
    // Not folded: the kernel looks through these to the panels.
    packed =
        TransposeOp::create(builder, loc, packMatrix(builder, loc, matrices), ArrayRef<int64_t>{1, 0, 2});
  }
  op.getWMutable().assign(createReshape(builder, loc, packed, type.getShape()));
  return success();
}

/// Packs the weights [D, gates * H, K] of a recurrent layer: matrices [K, gates * H].
void packRecurrent(Operation *op) {
  for (unsigned index : {1, 2}) {
    Value weights = op->getOperand(index);
    RankedTensorType type = typeOf(weights);
    if (!type.hasStaticShape() || type.getElementTypeBitWidth() < 8)
      continue;
    OpBuilder builder(op);
    Location loc = op->getLoc();
    if (!getConstantAttr(weights))
      weights = makeAddressable(builder, weights);
    Value matrices = createTranspose(builder, loc, weights, {0, 2, 1});
    if (!getConstantAttr(matrices))
      matrices = materialize(builder, matrices);
    // Not folded: the kernel looks through the transpose to the panels.
    op->setOperand(index, TransposeOp::create(builder, loc, packMatrix(builder, loc, matrices),
                                              ArrayRef<int64_t>{0, 2, 1}));
  }
}

struct PackWeights : impl::PackWeightsPassBase<PackWeights> {
  void runOnOperation() override {
    WalkResult walked = getOperation().walk([](Operation *op) {
      if (auto dot = dyn_cast<DotGeneralOp>(op))
        packContraction(dot);
      else if (auto conv = dyn_cast<ConvOp>(op))
        return WalkResult(packConvolution(conv));
      else if (isa<LstmOp, GruOp, RnnOp>(op))
        packRecurrent(op);
      return WalkResult::advance();
    });
    if (walked.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
} // namespace torsh
