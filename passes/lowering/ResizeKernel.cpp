//===-- ResizeKernel.cpp - Resampling -----------------------------------------------------------------------===//
//
// A tile is a row of the result. Each dim that changes gives an output index the input indices that it reads and their
// weights, computed in f64 as the specification does; those of the outer dims once a row. When the last dim stays (the
// channels, usually) the row runs in vectors, else element by element.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/lowering/IndexKernels.h"
#include "passes/lowering/TileSpaces.h"

using namespace mlir;

namespace torsh {
namespace {

/// Products of weights that are written out for one element: cubic in three dims.
constexpr size_t mostTaps = 64;

bool stays(ResizeOp op, size_t dim) {
  return op.getScales()[dim] == 1 && getDims(op.getX())[dim] == getDims(op.getY())[dim];
}

/// What one output index reads along a dim. No weights: the one index counts fully.
struct Taps {
  SmallVector<Value, 4> indices, weights;
};

struct Resize {
  KernelBuilder &kb;
  ResizeOp op;
  Type element; ///< of the result, in compute type
  SmallVector<Value> xSizes, ySizes;
  LogicalResult result = success();

  // f64 arithmetic.
  Value number(double value) { return kb.splatConstant(kb.b.getF64Type(), value, 1); }
  Value real(Value integer) { return arith::SIToFPOp::create(kb.b, kb.loc, kb.b.getF64Type(), integer); }
  Value integer(Value real) { return arith::FPToSIOp::create(kb.b, kb.loc, kb.b.getI64Type(), real); }
  template <typename OpTy> Value make(Value a, Value b) { return OpTy::create(kb.b, kb.loc, a, b); }
  Value add(Value a, Value b) { return make<arith::AddFOp>(a, b); }
  Value sub(Value a, Value b) { return make<arith::SubFOp>(a, b); }
  Value mul(Value a, Value b) { return make<arith::MulFOp>(a, b); }
  Value div(Value a, Value b) { return make<arith::DivFOp>(a, b); }
  Value floor(Value a) { return math::FloorOp::create(kb.b, kb.loc, a); }
  Value ceil(Value a) { return math::CeilOp::create(kb.b, kb.loc, a); }
  Value select(Value condition, Value a, Value b) {
    return arith::SelectOp::create(kb.b, kb.loc, condition, a, b);
  }
  Value compare(arith::CmpFPredicate predicate, Value a, Value b) {
    return arith::CmpFOp::create(kb.b, kb.loc, predicate, a, b);
  }
  /// The number held between two bounds.
  Value clamp(Value x, Value low, Value high) {
    x = select(compare(arith::CmpFPredicate::OGT, x, low), x, low);
    return select(compare(arith::CmpFPredicate::OLT, x, high), x, high);
  }

  Value toInput(size_t dim, Value index);
  Value rounded(Value coordinate);
  /// The nearest index of a dim to an integral coordinate.
  Value clampCoordinate(Value x, size_t dim) {
    return integer(clamp(x, number(0), real(kb.sub(xSizes[dim], kb.constant(1)))));
  }
  Value kernelAt(Value distance);
  Taps tapsOf(size_t dim, Value index);
  Value load(ArrayRef<Value> at, unsigned lanes) {
    if (Value value = kb.emit(op.getX(), at, lanes))
      return value;
    result = kb.refuse("the operand has no code");
    return kb.splatConstant(element, 0, lanes);
  }
  /// The weighted sum of what the taps of all dims read.
  Value sample(ArrayRef<Taps> taps, unsigned lanes);
  void row(Value tile);
};

/// The input coordinate of an output index (ONNX Resize-19).
Value Resize::toInput(size_t dim, Value index) {
  Value x = real(index), input = real(xSizes[dim]), output = real(ySizes[dim]);
  // 0 stands for the ratio of the sizes.
  Value scale = op.getScales()[dim] == 0 ? div(output, input) : number(op.getScales()[dim]);
  Value one = number(1), half = number(0.5);
  Value isSingle = compare(arith::CmpFPredicate::OEQ, output, one);
  auto halfPixel = [&] { return sub(div(add(x, half), scale), half); };
  switch (op.getCoordinates()) {
  case ResizeCoordinates::asymmetric:
    return div(x, scale);
  case ResizeCoordinates::align_corners: {
    // The length counts before it was rounded down to whole elements.
    Value rest = sub(mul(scale, input), output);
    Value counts = make<arith::AndIOp>(compare(arith::CmpFPredicate::OGT, rest, number(1e-3)),
                                       compare(arith::CmpFPredicate::OLT, rest, one));
    Value length = add(output, select(counts, rest, number(0)));
    return select(isSingle, number(0), div(mul(x, sub(input, one)), sub(length, one)));
  }
  case ResizeCoordinates::pytorch_half_pixel:
    return select(isSingle, number(0), halfPixel());
  case ResizeCoordinates::half_pixel_symmetric: {
    // The size may be rounded; the image then keeps its center.
    Value adjustment = div(output, mul(scale, input));
    return sub(add(mul(div(input, number(2)), sub(one, adjustment)), div(add(x, half), scale)), half);
  }
  case ResizeCoordinates::half_pixel:
    break;
  }
  return halfPixel();
}

Value Resize::rounded(Value x) {
  switch (op.getNearest()) {
  case NearestMode::round_prefer_floor:
    return ceil(sub(x, number(0.5)));
  case NearestMode::round_prefer_ceil:
    return floor(add(x, number(0.5)));
  case NearestMode::floor:
    return floor(x);
  case NearestMode::ceil:
    return ceil(x);
  }
  return x;
}

/// The triangle, or the cubic of Keys (1981) with coefficient a.
Value Resize::kernelAt(Value distance) {
  Value x = math::AbsFOp::create(kb.b, kb.loc, distance);
  if (op.getMode() == ResizeMode::linear) {
    Value weight = sub(number(1), x);
    return select(compare(arith::CmpFPredicate::OGT, weight, number(0)), weight, number(0));
  }
  double a = op.getCubicCoefficient().convertToDouble();
  Value inner = add(mul(mul(sub(mul(number(a + 2), x), number(a + 3)), x), x), number(1));
  Value outer = mul(add(mul(number(a), x), number(-5 * a)), x);
  outer = add(mul(add(outer, number(8 * a)), x), number(-4 * a));
  outer = select(compare(arith::CmpFPredicate::OLT, x, number(2)), outer, number(0));
  return select(compare(arith::CmpFPredicate::OLE, x, number(1)), inner, outer);
}

Taps Resize::tapsOf(size_t dim, Value index) {
  if (stays(op, dim))
    return {{index}, {}};
  if (op.getMode() == ResizeMode::nearest)
    return {{clampCoordinate(rounded(toInput(dim, index)), dim)}, {}};
  // Coordinates far outside read the border only; the bound keeps them integers.
  Value x = clamp(toInput(dim, index), number(-0x1p40), number(0x1p40)), base = floor(x);
  int64_t reach = op.getMode() == ResizeMode::linear ? 1 : 2;
  Taps taps;
  Value sum = number(0), empty;
  for (int64_t offset = 1 - reach; offset <= reach; ++offset) {
    Value place = add(base, number(offset));
    Value weight = kernelAt(sub(place, x));
    if (op.getExcludeOutside()) {
      Value low = compare(arith::CmpFPredicate::OGE, place, number(0));
      Value high = compare(arith::CmpFPredicate::OLT, place, real(xSizes[dim]));
      weight = select(make<arith::AndIOp>(low, high), weight, number(0));
      Value none = compare(arith::CmpFPredicate::OEQ, weight, number(0));
      empty = empty ? make<arith::AndIOp>(empty, none) : none;
    }
    taps.indices.push_back(clampCoordinate(place, dim));
    taps.weights.push_back(weight);
    sum = add(sum, weight);
  }
  for (auto [i, weight] : llvm::enumerate(taps.weights)) {
    weight = div(weight, sum);
    // All is excluded: the element nearest to the base stands in.
    if (empty)
      weight = select(empty, number(int64_t(i) == reach - 1), weight);
    if (!element.isF64())
      weight = arith::TruncFOp::create(kb.b, kb.loc, element, weight);
  }
  return taps;
}

Value Resize::sample(ArrayRef<Taps> taps, unsigned lanes) {
  SmallVector<Value> at(taps.size());
  Value sum;
  std::function<void(size_t, Value)> nest = [&](size_t dim, Value weight) {
    if (dim == taps.size()) {
      Value value = load(at, lanes);
      if (!weight) {
        sum = value;
        return;
      }
      Value wide = kb.splat(weight, lanes);
      sum = sum ? math::FmaOp::create(kb.b, kb.loc, value, wide, sum).getResult() : mul(value, wide);
      return;
    }
    for (auto [i, index] : llvm::enumerate(taps[dim].indices)) {
      at[dim] = index;
      Value next = weight;
      if (!taps[dim].weights.empty())
        next = weight ? mul(weight, taps[dim].weights[i]) : taps[dim].weights[i];
      nest(dim + 1, next);
    }
  };
  nest(0, Value());
  return sum;
}

void Resize::row(Value tile) {
  RowOfTile place(kb, op.getY(), tile);
  SmallVector<Taps> taps;
  for (auto [dim, index] : llvm::enumerate(place.outer))
    taps.push_back(tapsOf(dim, index));
  auto store = [&](Value column, unsigned lanes) {
    SmallVector<Taps> all(taps);
    if (!ySizes.empty())
      all.push_back(tapsOf(ySizes.size() - 1, column));
    kb.setOverride(op.getY(), sample(all, lanes));
    if (failed(kb.storeYielded(place.at(column), lanes)))
      result = failure();
    kb.clearOverrides();
  };
  if (!ySizes.empty() && stays(op, ySizes.size() - 1))
    kb.vectorLoop(kb.constant(0), place.length, store);
  else
    kb.loop(kb.constant(0), place.length, 1, [&](Value column) { store(column, 1); });
}

} // namespace

TileSpace getResizeTiles(KernelOp kernel) {
  ResizeOp op = findOp<ResizeOp>(kernel);
  return op ? getRowTiles(op.getY()) : TileSpace{dim::constant(kernel.getContext(), 1), 1};
}

LogicalResult emitResizeKernel(KernelBuilder &kb) {
  ResizeOp op = findOp<ResizeOp>(kb.kernel);
  if (!op)
    return kb.refuse("the body has no resize");
  Type element = cast<RankedTensorType>(op.getY().getType()).getElementType();
  size_t changed = 0, taps = 1;
  for (size_t dim = 0; dim < op.getScales().size(); ++dim) {
    if (stays(op, dim))
      continue;
    ++changed;
    taps *= op.getMode() == ResizeMode::cubic ? 4 : 2;
    if (op.getAntialias() && op.getScales()[dim] < 1 && op.getMode() != ResizeMode::nearest)
      return kb.refuse("shrinking with antialiasing has no code yet; resize without `antialias`");
  }
  if (op.getMode() != ResizeMode::nearest && !isa<FloatType>(element))
    return kb.refuse("integers are resized by the nearest element only; cast them to f32 first");
  if (op.getMode() != ResizeMode::nearest && taps > mostTaps)
    return kb.refuse("more dims are interpolated than there is code for");
  Resize resize{kb, op, kb.computeType(element), kb.dims(op.getX()), kb.dims(op.getY())};
  kb.note = llvm::formatv("{0} dims resampled", changed);
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) { resize.row(tile); });
  return resize.result;
}

} // namespace torsh
