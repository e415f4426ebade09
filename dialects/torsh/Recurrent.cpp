//===-- Recurrent.cpp - Shape functions and verifiers of recurrent layers -------------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"

using namespace mlir;

namespace torsh {

namespace {

/// The sizes of a recurrent layer.
struct RnnSizes {
  DimAttr steps, batch, input, hidden, directions;
};

} // namespace

static DimAttr times(DimAttr dim, int64_t factor) {
  return dim::mul(dim, dim::constant(dim.getContext(), factor));
}

template <typename OpOrAdaptor>
static std::optional<RnnSizes> getSizes(OpOrAdaptor op, MLIRContext *context) {
  SmallVector<DimAttr> x = getDims(op.getX()), w = getDims(op.getW()), r = getDims(op.getR());
  if (x.size() != 3 || w.size() != 3 || r.size() != 3)
    return std::nullopt;
  int64_t directions = op.getDirection() == RnnDirection::bidirectional ? 2 : 1;
  return RnnSizes{x[0], x[1], x[2], r[2], dim::constant(context, directions)};
}

/// Appends y [T, D, B, H] and `numStates` final states [D, B, H].
template <typename Adaptor>
static LogicalResult inferRnn(MLIRContext *context, std::optional<Location> location, StringRef label,
                              Adaptor adaptor, unsigned numStates, SmallVectorImpl<Type> &types) {
  std::optional<RnnSizes> sizes = getSizes(adaptor, context);
  if (!sizes)
    return emitOptionalError(location, label, ": x, w and r have rank 3");
  Type element = cast<RankedTensorType>(adaptor.getX().getType()).getElementType();
  DimAttr y[] = {sizes->steps, sizes->directions, sizes->batch, sizes->hidden};
  types.push_back(makeTensorType(y, element));
  types.append(numStates, makeTensorType(ArrayRef(y).drop_front(), element));
  return success();
}

/// Checks the operands that all layers share; `gates` is the number of gates.
template <typename OpTy> static LogicalResult verifyRnn(OpTy op, StringRef label, int64_t gates) {
  std::optional<RnnSizes> sizes = getSizes(op, op.getContext());
  if (!sizes)
    return op.emitOpError(label) << ": x, w and r have rank 3";
  auto check = [&](StringRef name, Value value, ArrayRef<DimAttr> dims) -> LogicalResult {
    if (!value || shapesMayBeEqual(getDims(value), dims))
      return success();
    Type expected = makeTensorType(dims, cast<RankedTensorType>(value.getType()).getElementType());
    return op.emitOpError(label) << ": " << name << " is " << value.getType() << ", not " << expected;
  };
  DimAttr d = sizes->directions, h = sizes->hidden, rows = times(h, gates);
  if (failed(check("w", op.getW(), {d, rows, sizes->input})) || failed(check("r", op.getR(), {d, rows, h})) ||
      failed(check("bias", op.getBias(), {d, times(rows, 2)})) ||
      failed(check("initial_h", op.getInitialH(), {d, sizes->batch, h})) ||
      failed(check("lengths", op.getLengths(), {sizes->batch})))
    return failure();
  if constexpr (std::is_same_v<OpTy, LstmOp>)
    if (failed(check("initial_c", op.getInitialC(), {d, sizes->batch, h})) ||
        failed(check("peephole", op.getPeephole(), {d, times(h, 3)})))
      return failure();
  return success();
}

LogicalResult LstmOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location,
                                       Adaptor adaptor, SmallVectorImpl<Type> &types) {
  return inferRnn(context, location, "lstm_c1", adaptor, 2, types);
}

LogicalResult LstmOp::verify() { return verifyRnn(*this, "lstm_c1", 4); }

LogicalResult GruOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor adaptor,
                                      SmallVectorImpl<Type> &types) {
  return inferRnn(context, location, "gru_c1", adaptor, 1, types);
}

LogicalResult GruOp::verify() { return verifyRnn(*this, "gru_c1", 3); }

LogicalResult RnnOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, Adaptor adaptor,
                                      SmallVectorImpl<Type> &types) {
  return inferRnn(context, location, "rnn_c1", adaptor, 1, types);
}

LogicalResult RnnOp::verify() { return verifyRnn(*this, "rnn_c1", 1); }

} // namespace torsh
