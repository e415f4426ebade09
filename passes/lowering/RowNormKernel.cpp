//===-- RowNormKernel.cpp - Softmax, layer norm and RMS norm over the last dim ------------------------------===//
//
// A tile is a row. The producers are pulled again in each pass: they come from the first-level cache, and nothing is
// written between the passes but the exponentials of softmax, which wait in the output row when its type allows.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/lowering/ReduceKernel.h"
#include "passes/lowering/TileSpaces.h"

using namespace mlir;

namespace torsh {

TileSpace getRowNormTiles(KernelOp kernel) {
  SmallVector<DimAttr> dims =
      getDims(findAnyOf<SoftmaxOp, LogSoftmaxOp, LayerNormOp, RmsNormOp>(kernel)->getOperand(0));
  int64_t row = dim::asConstant(dims.back()).value_or(256);
  return {dim::product(kernel.getContext(), ArrayRef(dims).drop_back()),
          std::max<int64_t>(1, 2048 / std::max<int64_t>(1, row))};
}

namespace {

struct RowNorm {
  KernelBuilder &kb;
  Operation *root;
  Type element;
  Value size;
  SmallVector<Value> indices; ///< of the row; the last entry is the running one
  bool missing = false;

  Value pull(Value value, Value index, unsigned lanes) {
    indices.back() = index;
    Value emitted = kb.emit(value, indices, lanes);
    if (!emitted) {
      missing = true;
      return kb.splatConstant(element, 0, lanes);
    }
    return emitted;
  }
  Value x(Value index, unsigned lanes) { return pull(root->getOperand(0), index, lanes); }
  template <typename OpTy> Value make(Value a, Value c) { return OpTy::create(kb.b, kb.loc, a, c); }
  Value reduce(ReduceKind kind, llvm::function_ref<Value(Value, unsigned)> value) {
    return reduceRow(kb, kind, element, size, neutral(kb, kind, element, 1), value);
  }
  Value asFloat(Value integer) {
    return arith::SIToFPOp::create(kb.b, kb.loc, kb.computeType(element), integer);
  }

  /// Stores the yields with the root's value given for each position.
  LogicalResult store(llvm::function_ref<Value(Value, unsigned)> value) {
    LogicalResult result = success();
    kb.vectorLoop(kb.constant(0), size, [&](Value index, unsigned lanes) {
      Value given = value(index, lanes);
      indices.back() = index;
      kb.setOverride(root->getResult(0), given);
      if (failed(kb.storeYielded(indices, lanes)))
        result = failure();
      kb.clearOverrides();
    });
    return result;
  }

  LogicalResult softmax(bool logarithm);
  LogicalResult norm(double epsilon, Value scale, Value bias, bool center);
};

LogicalResult RowNorm::softmax(bool logarithm) {
  Value top = reduce(ReduceKind::max, [&](Value index, unsigned lanes) { return x(index, lanes); });
  auto shifted = [&](Value index, unsigned lanes) -> Value {
    return make<arith::SubFOp>(x(index, lanes), kb.splat(top, lanes));
  };
  if (logarithm) {
    Value sum = reduce(ReduceKind::sum, [&](Value index, unsigned lanes) -> Value {
      return math::ExpOp::create(kb.b, kb.loc, shifted(index, lanes));
    });
    Value log = math::LogOp::create(kb.b, kb.loc, sum);
    return store([&](Value index, unsigned lanes) -> Value {
      return make<arith::SubFOp>(shifted(index, lanes), kb.splat(log, lanes));
    });
  }
  // The exponentials wait in the row of the yield that is the softmax itself, or are computed again.
  std::optional<unsigned> scratch;
  for (auto [index, yielded] : llvm::enumerate(kb.kernel.getYielded()))
    if (yielded.getType() == root->getResult(0).getType() && element.isF32())
      scratch = index;
  View row;
  if (scratch)
    row = kb.rowMajor(kb.outputPointer(*scratch), cast<RankedTensorType>(root->getResult(0).getType()));
  Value sum = reduce(ReduceKind::sum, [&](Value index, unsigned lanes) -> Value {
    Value e = math::ExpOp::create(kb.b, kb.loc, shifted(index, lanes));
    if (scratch) {
      indices.back() = index;
      kb.storeTo(e, row.pointer, element, kb.linear(row, indices), lanes);
    }
    return e;
  });
  Value inverse = make<arith::DivFOp>(kb.splatConstant(element, 1, 1), sum);
  return store([&](Value index, unsigned lanes) -> Value {
    Value e;
    if (scratch) {
      indices.back() = index;
      e = kb.loadFrom(row.pointer, element, kb.linear(row, indices), lanes);
    } else {
      e = math::ExpOp::create(kb.b, kb.loc, shifted(index, lanes));
    }
    return make<arith::MulFOp>(e, kb.splat(inverse, lanes));
  });
}

LogicalResult RowNorm::norm(double epsilon, Value scale, Value bias, bool center) {
  Value count = asFloat(size);
  Value mean;
  if (center) {
    Value sum = reduce(ReduceKind::sum, [&](Value index, unsigned lanes) { return x(index, lanes); });
    mean = make<arith::DivFOp>(sum, count);
  }
  auto centered = [&](Value index, unsigned lanes) -> Value {
    Value value = x(index, lanes);
    return center ? make<arith::SubFOp>(value, kb.splat(mean, lanes)) : value;
  };
  // Two passes: the sum of squares of centred values loses nothing to cancellation.
  Value squares = reduce(ReduceKind::sum, [&](Value index, unsigned lanes) -> Value {
    Value value = centered(index, lanes);
    return make<arith::MulFOp>(value, value);
  });
  Value variance = make<arith::DivFOp>(squares, count);
  Value deviation = math::SqrtOp::create(
      kb.b, kb.loc, make<arith::AddFOp>(variance, kb.splatConstant(element, epsilon, 1)));
  Value inverse = make<arith::DivFOp>(kb.splatConstant(element, 1, 1), deviation);
  auto parameter = [&](Value value, Value index, unsigned lanes) -> Value {
    Value emitted = kb.emit(value, {index}, lanes);
    missing |= !emitted;
    return emitted ? emitted : kb.splatConstant(element, 0, lanes);
  };
  return store([&](Value index, unsigned lanes) -> Value {
    Value value = make<arith::MulFOp>(centered(index, lanes), kb.splat(inverse, lanes));
    value = make<arith::MulFOp>(value, parameter(scale, index, lanes));
    return bias ? make<arith::AddFOp>(value, parameter(bias, index, lanes)) : value;
  });
}

} // namespace

LogicalResult emitRowNormKernel(KernelBuilder &kb) {
  Operation *root = findAnyOf<SoftmaxOp, LogSoftmaxOp, LayerNormOp, RmsNormOp>(kb.kernel);
  if (!root)
    return kb.refuse("the body has no row operation");
  Value x = root->getOperand(0);
  auto type = cast<RankedTensorType>(x.getType());
  int64_t axis = root->getAttrOfType<IntegerAttr>("axis").getInt();
  if (axis != type.getRank() - 1)
    return kb.refuse("the normalised dim is not the last one");
  SmallVector<Value> sizes = kb.dims(x);
  LogicalResult result = success();
  kb.note = llvm::formatv("{0} lanes, rows", kb.target.lanes);
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) {
    RowNorm row{kb, root, type.getElementType(), sizes.back(),
                kb.delinearize(tile, ArrayRef(sizes).drop_back())};
    row.indices.push_back(Value());
    if (isa<SoftmaxOp, LogSoftmaxOp>(root))
      result = row.softmax(isa<LogSoftmaxOp>(root));
    else if (auto norm = dyn_cast<LayerNormOp>(root))
      result = row.norm(norm.getEpsilon().convertToDouble(), norm.getScale(), norm.getBias(), true);
    else if (auto norm = dyn_cast<RmsNormOp>(root))
      result = row.norm(norm.getEpsilon().convertToDouble(), norm.getScale(), Value(), false);
    if (row.missing)
      result = kb.refuse("an operand of the normalisation has no code");
  });
  return result;
}

} // namespace torsh
