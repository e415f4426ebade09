//===-- PulledValues.cpp - Values of a fused body, computed on demand at an index ---------------------------===//
//
// `emit` walks from a value to the kernel's inputs. What is a window on an input (transpose, broadcast, slice,
// reshape of an input) becomes one address; elementwise ops recurse at the same index; ops that move elements recurse
// at another index. A vector runs along the last dim: where that is not contiguous, lanes are computed one by one.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/Bitcast.h"
#include "dialects/torsh/SplitDims.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/lowering/KernelBuilder.h"

using namespace mlir;

namespace torsh {

/// The operand of a cast that every load makes anyway: from bf16 to the type in which it is computed.
static Value beforeWidening(Value value) {
  auto cast = value.getDefiningOp<CastOp>();
  auto elementOf = [](Value value) { return mlir::cast<RankedTensorType>(value.getType()).getElementType(); };
  return cast && elementOf(cast.getX()).isBF16() && elementOf(cast.getY()).isF32() ? cast.getX() : Value();
}

std::optional<View> KernelBuilder::viewOf(Value value) {
  if (Value narrow = beforeWidening(value))
    return viewOf(narrow);
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (argument.getOwner() != &kernel.getBody().front())
      return std::nullopt;
    return rowMajor(inputPointers[argument.getArgNumber()], cast<RankedTensorType>(value.getType()));
  }
  Operation *op = value.getDefiningOp();
  if (auto bitcast = dyn_cast<BitcastOp>(op)) {
    // Memory is read as the other type, so that no conversion touches the bits.
    auto view = viewOf(bitcast.getX());
    if (!view || view->elementType != cast<RankedTensorType>(bitcast.getX().getType()).getElementType())
      return std::nullopt;
    view->elementType = cast<RankedTensorType>(value.getType()).getElementType();
    return view;
  }
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    auto view = viewOf(transpose.getX());
    if (!view)
      return std::nullopt;
    SmallVector<Value> strides;
    for (int64_t axis : transpose.getPermutation())
      strides.push_back(view->strides[axis]);
    view->strides = strides;
    return view;
  }
  if (auto broadcast = dyn_cast<BroadcastOp>(op)) {
    auto view = viewOf(broadcast.getX());
    if (!view)
      return std::nullopt;
    SmallVector<DimAttr> from = getDims(broadcast.getX()), to = getDims(broadcast.getY());
    SmallVector<Value> strides(to.size(), constant(0));
    // Only a dim that is 1 for certain is repeated; any other equals the result's, whatever expression it has.
    for (auto [index, axis] : llvm::enumerate(broadcast.getAxes()))
      if (!dim::isConstant(from[index], 1) || dim::isConstant(to[axis], 1))
        strides[axis] = view->strides[index];
    view->strides = strides;
    return view;
  }
  if (auto slice = dyn_cast<SliceOp>(op)) {
    auto view = viewOf(slice.getX());
    if (!view)
      return std::nullopt;
    for (size_t i = 0; i < view->strides.size(); ++i) {
      view->offset = add(view->offset, mul(dim(slice.getStarts()[i]), view->strides[i]));
      view->strides[i] = mul(view->strides[i], constant(slice.getSteps()[i]));
    }
    return view;
  }
  if (auto reshape = dyn_cast<ReshapeOp>(op)) {
    Value narrow = beforeWidening(reshape.getX());
    if (auto argument = dyn_cast<BlockArgument>(narrow ? narrow : reshape.getX())) {
      View view = rowMajor(inputPointers[argument.getArgNumber()], cast<RankedTensorType>(value.getType()));
      view.elementType = cast<RankedTensorType>(argument.getType()).getElementType();
      return view;
    }
    auto sources = splitSources(reshape);
    if (!sources)
      return std::nullopt;
    auto view = viewOf(reshape.getX());
    if (!view)
      return std::nullopt;
    // Parts of one operand dim: the last has its stride, each other spans the parts behind it.
    SmallVector<DimAttr> sizes = getDims(reshape.getY());
    SmallVector<Value> strides(sizes.size(), constant(0));
    llvm::DenseMap<int64_t, Value> running;
    for (size_t i = sizes.size(); i-- > 0;) {
      int64_t source = (*sources)[i];
      if (source < 0)
        continue;
      Value &stride = running.try_emplace(source, view->strides[source]).first->second;
      strides[i] = stride;
      stride = mul(stride, dim(sizes[i]));
    }
    view->strides = strides;
    return view;
  }
  return std::nullopt;
}

Value KernelBuilder::emitByLane(unsigned lanes, Indices indices, llvm::function_ref<Value(Indices)> scalar) {
  if (lanes == 1)
    return scalar(indices);
  SmallVector<Value> values;
  SmallVector<Value> at(indices);
  for (unsigned lane = 0; lane < lanes; ++lane) {
    at.back() = add(indices.back(), constant(lane));
    values.push_back(scalar(at));
  }
  return vector::FromElementsOp::create(b, loc, cast<VectorType>(vectorOf(values[0].getType(), lanes)),
                                        values);
}

Value KernelBuilder::loadView(const View &view, Indices indices, unsigned lanes, Value mask) {
  Value at = linear(view, indices);
  if (lanes == 1)
    return loadFrom(view.pointer, view.elementType, at, 1);
  auto stride = getConstantIntValue(view.strides.back());
  if (stride == 1)
    return loadFrom(view.pointer, view.elementType, at, lanes, mask);
  if (stride == 0)
    return splat(loadFrom(view.pointer, view.elementType, at, 1), lanes);
  if (mask) {
    // Lanes that are off read the first lane's element, which is in range.
    SmallVector<Value> values;
    for (unsigned lane = 0; lane < lanes; ++lane) {
      Value on = vector::ExtractOp::create(b, loc, mask, lane);
      Value step = arith::SelectOp::create(b, loc, on, mul(constant(lane), view.strides.back()), constant(0));
      values.push_back(loadFrom(view.pointer, view.elementType, add(at, step), 1));
    }
    return vector::FromElementsOp::create(b, loc, cast<VectorType>(vectorOf(values[0].getType(), lanes)),
                                          values);
  }
  SmallVector<Value> values;
  for (unsigned lane = 0; lane < lanes; ++lane)
    values.push_back(
        loadFrom(view.pointer, view.elementType, add(at, mul(constant(lane), view.strides.back())), 1));
  return vector::FromElementsOp::create(b, loc, cast<VectorType>(vectorOf(values[0].getType(), lanes)),
                                        values);
}

/// The dense constant's splat as a double, when it is one.
static std::optional<Attribute> splatOf(ConstantOp op) {
  auto dense = dyn_cast<DenseElementsAttr>(op.getValue());
  if (!dense || !dense.isSplat())
    return std::nullopt;
  return dense.getSplatValue<Attribute>();
}

Value KernelBuilder::emit(Value value, Indices indices, unsigned lanes, Value mask) {
  Memo memo;
  return emitWith(value, indices, lanes, mask, memo);
}

Value KernelBuilder::emitWith(Value value, Indices indices, unsigned lanes, Value mask, Memo &memo) {
  if (Value known = memo.lookup(value))
    return known;
  if (Value given = overrides.lookup(value))
    return given;
  if (auto view = viewOf(value)) {
    Value loaded = loadView(*view, indices, lanes, mask);
    memo[value] = loaded;
    return loaded;
  }
  Operation *op = value.getDefiningOp();
  if (!op)
    return Value();
  if (auto constantOp = dyn_cast<ConstantOp>(op)) {
    auto splatValue = splatOf(constantOp);
    if (!splatValue)
      return Value();
    Type scalar = computeType(cast<RankedTensorType>(value.getType()).getElementType());
    Attribute attribute = *splatValue;
    if (auto floating = dyn_cast<FloatAttr>(attribute)) {
      bool lost;
      APFloat converted = floating.getValue();
      converted.convert(cast<FloatType>(scalar).getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
      attribute = b.getFloatAttr(scalar, converted);
    } else {
      attribute = b.getIntegerAttr(scalar, cast<IntegerAttr>(attribute).getValue());
    }
    if (lanes != 1)
      attribute = DenseElementsAttr::get(cast<VectorType>(vectorOf(scalar, lanes)), attribute);
    return memo[value] = arith::ConstantOp::create(b, loc, cast<TypedAttr>(attribute));
  }
  Value result;
  if (op->hasTrait<ElementwiseOp>()) {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      Value emitted = emitWith(operand, indices, lanes, mask, memo);
      if (!emitted)
        return Value();
      operands.push_back(emitted);
    }
    result = emitElementwise(op, operands, lanes);
  } else {
    result = emitMoved(op, indices, lanes, mask);
  }
  if (result)
    memo[value] = result;
  return result;
}

/// A vector of a window's row that may begin before it or end behind it.
Value KernelBuilder::emitAcrossBorder(Value window, Indices indices, unsigned lanes,
                                      llvm::function_ref<Value()> padding) {
  Value from = indices.back(), size = dims(window).back(), zero = constant(0);
  Type type = vectorOf(computeType(cast<RankedTensorType>(window.getType()).getElementType()), lanes);
  Value outside = b.createOrFold<arith::OrIOp>(loc, less(from, zero), less(sub(size, constant(lanes)), from));
  return ifThenElse(
      outside, type,
      [&] {
        Value before = firstLanes(sub(zero, from), lanes), all = firstLanes(lanes, lanes);
        Value on = arith::AndIOp::create(b, loc, firstLanes(sub(size, from), lanes),
                                         arith::XOrIOp::create(b, loc, before, all));
        Value loaded = emit(window, indices, lanes, on);
        return arith::SelectOp::create(b, loc, on, loaded, padding()).getResult();
      },
      [&] { return emit(window, indices, lanes); });
}

/// Ops that take elements from other indices of computed values, or that make them from the index.
Value KernelBuilder::emitMoved(Operation *op, Indices indices, unsigned lanes, Value mask) {
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](BroadcastOp broadcast) -> Value {
        SmallVector<DimAttr> from = getDims(broadcast.getX()), to = getDims(broadcast.getY());
        SmallVector<Value> at;
        bool alongVector = false;
        for (auto [index, axis] : llvm::enumerate(broadcast.getAxes())) {
          bool same = !dim::isConstant(from[index], 1) || dim::isConstant(to[axis], 1);
          at.push_back(same ? indices[axis] : constant(0));
          alongVector |= same && size_t(axis) + 1 == to.size();
        }
        if (lanes == 1 || alongVector)
          return emit(broadcast.getX(), at, lanes, mask);
        Value scalar = emit(broadcast.getX(), at, 1);
        return scalar ? splat(scalar, lanes) : scalar;
      })
      .Case([&](TransposeOp transpose) -> Value {
        auto permuted = [&](Indices from) {
          SmallVector<Value> at(from.size());
          for (auto [index, axis] : llvm::enumerate(transpose.getPermutation()))
            at[axis] = from[index];
          return at;
        };
        if (lanes == 1 || transpose.getPermutation().back() + 1 == int64_t(indices.size()))
          return emit(transpose.getX(), permuted(indices), lanes, mask);
        return emitByLane(lanes, indices,
                          [&](Indices at) { return emit(transpose.getX(), permuted(at), 1); });
      })
      .Case([&](SliceOp slice) -> Value {
        auto moved = [&](Indices from) {
          SmallVector<Value> at;
          for (auto [i, index] : llvm::enumerate(from))
            at.push_back(add(dim(slice.getStarts()[i]), mul(index, constant(slice.getSteps()[i]))));
          return at;
        };
        if (lanes == 1 || slice.getSteps().back() == 1)
          return emit(slice.getX(), moved(indices), lanes, mask);
        return emitByLane(lanes, indices, [&](Indices at) { return emit(slice.getX(), moved(at), 1); });
      })
      .Case([&](ReshapeOp reshape) -> Value {
        SmallVector<Value> from = dims(reshape.getY()), to = dims(reshape.getX());
        auto moved = [&](Indices at) {
          Value linearIndex = constant(0);
          for (auto [index, size] : llvm::zip_equal(at, from))
            linearIndex = add(mul(linearIndex, size), index);
          return delinearize(linearIndex, to);
        };
        // Neighbours stay neighbours only where the last dims agree.
        bool sameLast =
            !from.empty() && !to.empty() && getDims(reshape.getX()).back() == getDims(reshape.getY()).back();
        if (lanes == 1 || sameLast)
          return emit(reshape.getX(), moved(indices), lanes, mask);
        return emitByLane(lanes, indices, [&](Indices at) { return emit(reshape.getX(), moved(at), 1); });
      })
      .Case([&](IotaOp iota) -> Value {
        Type element = cast<RankedTensorType>(iota.getY().getType()).getElementType();
        Value index = indices[iota.getAxis()];
        bool along = lanes != 1 && iota.getAxis() + 1 == indices.size();
        Value wide = splat(index, lanes);
        if (along)
          wide = arith::AddIOp::create(b, loc, wide, laneNumbers(lanes));
        Type scalar = computeType(element);
        Type type = vectorOf(scalar, lanes);
        if (isa<FloatType>(scalar))
          return arith::SIToFPOp::create(b, loc, type, wide);
        if (scalar.getIntOrFloatBitWidth() < 64)
          return arith::TruncIOp::create(b, loc, type, wide);
        return wide;
      })
      .Case([&](GatherOp gather) -> Value {
        int64_t axis = gather.getAxis();
        int64_t indexRank = cast<RankedTensorType>(gather.getIndices().getType()).getRank();
        Value size = dim(getDims(gather.getX())[axis]);
        auto element = [&](Indices from, unsigned width) -> Value {
          SmallVector<Value> at(from.begin(), from.begin() + axis);
          Value index = emit(gather.getIndices(), from.slice(axis, indexRank), 1);
          if (!index)
            return index;
          if (!index.getType().isInteger(64))
            index = arith::ExtSIOp::create(b, loc, b.getI64Type(), index);
          // Negative indices count from the end; what is still out of range is clamped.
          Value wrapped = arith::SelectOp::create(b, loc, less(index, constant(0)), add(index, size), index);
          at.push_back(max(constant(0), min(wrapped, sub(size, constant(1)))));
          at.append(from.begin() + axis + indexRank, from.end());
          return emit(gather.getX(), at, width, width == 1 ? Value() : mask);
        };
        bool lastIsData = size_t(axis + indexRank) < indices.size();
        if (lanes == 1 || lastIsData)
          return element(indices, lanes);
        return emitByLane(lanes, indices, [&](Indices at) { return element(at, 1); });
      })
      .Case([&](ConcatOp concat) -> Value {
        int64_t axis = concat.getAxis();
        // Each operand covers [start, start + size) of the axis.
        auto choose = [&](Indices from, unsigned width) {
          Type type =
              vectorOf(computeType(cast<RankedTensorType>(concat.getY().getType()).getElementType()), width);
          std::function<Value(size_t, Value)> pick = [&](size_t operand, Value start) -> Value {
            SmallVector<Value> at(from);
            at[axis] = sub(from[axis], start);
            Value source = concat.getXs()[operand];
            if (operand + 1 == concat.getXs().size())
              return emit(source, at, width);
            Value next = add(start, dim(getDims(source)[axis]));
            return ifThenElse(
                less(from[axis], next), type, [&] { return emit(source, at, width); },
                [&] { return pick(operand + 1, next); });
          };
          return pick(0, constant(0));
        };
        if (lanes == 1 || size_t(axis) + 1 != indices.size())
          return choose(indices, lanes);
        return emitByLane(lanes, indices, [&](Indices at) { return choose(at, 1); });
      })
      .Case([&](PadOp pad) -> Value {
        SmallVector<Value> sizes = dims(pad.getX());
        Type element = computeType(cast<RankedTensorType>(pad.getY().getType()).getElementType());
        size_t rank = sizes.size();
        auto isPadded = [&](size_t axis) {
          return !dim::isConstant(pad.getLow()[axis], 0) || !dim::isConstant(pad.getHigh()[axis], 0);
        };
        auto inside = [&](Indices from, unsigned width) -> Value {
          SmallVector<Value> at;
          Value valid;
          for (size_t i = 0; i < rank; ++i) {
            Value index = sub(from[i], dim(pad.getLow()[i]));
            if (isPadded(i)) {
              Value size = sizes[i], last = sub(size, constant(1));
              switch (pad.getMode()) {
              case PadMode::constant: {
                // A vector may reach over the border of its own dim.
                if (width != 1 && i + 1 == rank)
                  break;
                Value in = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::ult, index, size);
                valid = valid ? b.createOrFold<arith::AndIOp>(loc, valid, in) : in;
                break;
              }
              case PadMode::edge:
                index = max(constant(0), min(index, last));
                break;
              case PadMode::reflect: {
                Value mirrored = max(index, sub(constant(0), index));
                Value over = max(constant(0), sub(mul(last, constant(2)), mirrored));
                index = arith::SelectOp::create(b, loc, less(last, mirrored), over, mirrored);
                break;
              }
              case PadMode::wrap: {
                // The low padding is at most size, so one size more makes the index positive.
                index = rem(add(index, size), size);
                break;
              }
              }
            }
            at.push_back(index);
          }
          auto padding = [&] { return splat(emit(pad.getValue(), {}, 1), width); };
          auto values = [&] {
            if (width == 1 || !isPadded(rank - 1))
              return emit(pad.getX(), at, width);
            return emitAcrossBorder(pad.getX(), at, width, padding);
          };
          return valid ? ifThenElse(valid, vectorOf(element, width), values, padding) : values();
        };
        // Lanes beyond the border must not be touched, which a masked load of a contiguous row keeps.
        auto view = viewOf(pad.getX());
        bool maskable = !mask && pad.getMode() == PadMode::constant && view &&
                        getConstantIntValue(view->strides.back()) == 1;
        if (lanes == 1 || !isPadded(rank - 1) || maskable)
          return inside(indices, lanes);
        return emitByLane(lanes, indices, [&](Indices at) { return inside(at, 1); });
      })
      .Default([](Operation *) { return Value(); });
}

LogicalResult KernelBuilder::storeYielded(Indices indices, unsigned lanes, Value mask) {
  // A contraction may end in a transpose that keeps the last dim: the index is that of the transpose's operand, and
  // only the place of the store moves. Other strategies run over the yielded shape.
  bool isContraction = kernel.getAnchor() == "dot" || kernel.getAnchor() == "attention";
  auto storedTranspose = [&](Value yielded) {
    return isContraction ? yielded.getDefiningOp<TransposeOp>() : TransposeOp();
  };
  Memo memo;
  SmallVector<Value> values;
  for (Value yielded : kernel.getYielded()) {
    TransposeOp transpose = storedTranspose(yielded);
    values.push_back(emitWith(transpose ? transpose.getX() : yielded, indices, lanes, mask, memo));
    if (!values.back())
      return refuse("a value of the body has no code");
  }
  for (auto [index, yielded] : llvm::enumerate(kernel.getYielded())) {
    auto type = cast<RankedTensorType>(yielded.getType());
    View view = rowMajor(outputPointers[index], type);
    SmallVector<Value> at(indices);
    if (TransposeOp transpose = storedTranspose(yielded))
      for (auto [to, from] : llvm::enumerate(transpose.getPermutation()))
        at[to] = indices[from];
    storeTo(values[index], view.pointer, type.getElementType(), linear(view, at), lanes, mask);
  }
  return success();
}

} // namespace torsh
