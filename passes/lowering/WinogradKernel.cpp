//===-- WinogradKernel.cpp - The transforms around the products of a Winograd convolution -------------------===//
//
// A tile of either kernel is one patch of the image with all its channels, in vectors of channels. Both dims of a patch
// are transformed one after the other. The matrices' inner rows (or columns) belong to points that differ in sign alone,
// so their even and odd parts are computed once for two.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/Winograd.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/lowering/IndexKernels.h"
#include "passes/lowering/TileSpaces.h"

using namespace mlir;

namespace torsh {
namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// Vectors that divide the channels; both sides of a Winograd convolution have a multiple of 8.
int64_t lanesFor(const KernelTarget &target, int64_t channels) {
  return channels % target.lanes == 0 ? target.lanes : 8;
}

TileSpace tilesOf(Value patches) {
  SmallVector<DimAttr> dims = getDims(patches);
  double numbers = double(dim::asConstant(dims[0]).value_or(36)) * dim::asConstant(dims[2]).value_or(64);
  return {dims[1], grainOf(numbers)};
}

/// Vector arithmetic of one dim of a patch.
struct PatchTransform {
  KernelBuilder &kb;
  const WinogradTransform &matrices;
  Type element;
  int64_t lanes;

  Value add(Value a, Value b) { return arith::AddFOp::create(kb.b, kb.loc, a, b); }
  Value sub(Value a, Value b) { return arith::SubFOp::create(kb.b, kb.loc, a, b); }

  /// sum + factor * value; a null sum is 0.
  Value addTerm(Value sum, double factor, Value value) {
    if (factor == 0)
      return sum;
    Value scale = kb.splatConstant(element, factor, lanes);
    if (!sum)
      return factor == 1 ? value : Value(arith::MulFOp::create(kb.b, kb.loc, scale, value));
    if (factor == 1)
      return add(sum, value);
    if (factor == -1)
      return sub(sum, value);
    return math::FmaOp::create(kb.b, kb.loc, scale, value, sum);
  }

  /// B^T d.
  SmallVector<Value> input(ArrayRef<Value> d) {
    int64_t patch = matrices.patch;
    auto part = [&](int64_t row, int64_t from, int64_t step) {
      Value sum;
      for (int64_t i = from; i < patch; i += step)
        sum = addTerm(sum, matrices.input[row * patch + i], d[i]);
      return sum;
    };
    SmallVector<Value> result(patch);
    result[0] = part(0, 0, 1);
    result[patch - 1] = part(patch - 1, 0, 1);
    for (int64_t row = 1; row + 1 < patch; row += 2) {
      Value even = part(row, 0, 2), odd = part(row, 1, 2);
      result[row] = add(even, odd);
      result[row + 1] = sub(even, odd);
    }
    return result;
  }

  /// A^T m.
  SmallVector<Value> output(ArrayRef<Value> m) {
    int64_t patch = matrices.patch;
    SmallVector<Value> sums, differences;
    for (int64_t i = 1; i + 1 < patch; i += 2) {
      sums.push_back(add(m[i], m[i + 1]));
      differences.push_back(sub(m[i], m[i + 1]));
    }
    SmallVector<Value> result;
    for (int64_t row = 0; row < matrices.tile; ++row) {
      ArrayRef<double> factors = matrices.output.slice(row * patch, patch);
      Value sum = addTerm({}, factors[0], m[0]);
      for (size_t pair = 0; pair < sums.size(); ++pair)
        sum = addTerm(sum, factors[2 * pair + 1], row % 2 == 0 ? sums[pair] : differences[pair]);
      result.push_back(addTerm(sum, factors[patch - 1], m[patch - 1]));
    }
    return result;
  }

  /// A transform of columns, then of rows: [from x from] -> [to x to].
  template <typename Transform>
  SmallVector<Value> bothDims(ArrayRef<Value> square, int64_t from, Transform transform) {
    SmallVector<SmallVector<Value>> columns;
    for (int64_t j = 0; j < from; ++j) {
      SmallVector<Value> column;
      for (int64_t i = 0; i < from; ++i)
        column.push_back(square[i * from + j]);
      columns.push_back(transform(column));
    }
    SmallVector<Value> result;
    for (size_t i = 0; i < columns.front().size(); ++i) {
      SmallVector<Value> row;
      for (int64_t j = 0; j < from; ++j)
        row.push_back(columns[j][i]);
      result.append(transform(row));
    }
    return result;
  }
};

/// Image, top row and left column of a patch's output pixels.
struct Place {
  Value image, top, left;
  Place(KernelBuilder &kb, Value index, Value height, Value width, int64_t tile) {
    auto tilesAlong = [&](Value size) {
      return kb.div(kb.add(size, kb.constant(tile - 1)), kb.constant(tile));
    };
    Value rows = tilesAlong(height), columns = tilesAlong(width);
    image = kb.div(index, kb.mul(rows, columns));
    top = kb.mul(kb.rem(kb.div(index, columns), rows), kb.constant(tile));
    left = kb.mul(kb.rem(index, columns), kb.constant(tile));
  }
};

} // namespace

TileSpace getWinogradInputTiles(KernelOp kernel) {
  auto op = findOp<WinogradInputOp>(kernel);
  return op ? tilesOf(op.getV()) : TileSpace{dim::constant(kernel.getContext(), 1), 1};
}

TileSpace getWinogradOutputTiles(KernelOp kernel) {
  auto op = findOp<WinogradOutputOp>(kernel);
  return op ? tilesOf(op.getSums()) : TileSpace{dim::constant(kernel.getContext(), 1), 1};
}

LogicalResult emitWinogradInputKernel(KernelBuilder &kb) {
  auto op = findOp<WinogradInputOp>(kb.kernel);
  std::optional<unsigned> output = op ? findOutput(kb.kernel, op.getV()) : std::nullopt;
  std::optional<View> x = op ? kb.viewOf(op.getX()) : std::nullopt;
  if (!output || !x || getConstantIntValue(x->strides.back()) != 1)
    return kb.refuse("the transform's input has no contiguous channels, or its result is not yielded");
  const WinogradTransform &matrices = *getWinogradTransform(op.getTile());
  int64_t patch = matrices.patch, channels = typeOf(op.getX()).getDimSize(3);
  if (ShapedType::isDynamic(channels) || channels % 8)
    return kb.refuse("the channels are not a multiple of 8");
  int64_t lanes = lanesFor(kb.target, channels);
  Type element = x->elementType;
  PatchTransform transform{kb, matrices, kb.computeType(element), lanes};
  kb.note = llvm::formatv("patches {0}x{0}, {1} lanes of channels", patch, lanes);
  SmallVector<Value> sizes = kb.dims(op.getX());
  auto outputSize = [&](unsigned axis) {
    return kb.add(sizes[axis + 1], kb.constant(op.getLow()[axis] + op.getHigh()[axis] - 2));
  };
  View v = kb.rowMajor(kb.outputPointer(*output), typeOf(op.getV()));
  Value zero = kb.constant(0);

  kb.loop(kb.begin, kb.end, 1, [&](Value index) {
    Place place(kb, index, outputSize(0), outputSize(1), op.getTile());
    Value top = kb.sub(place.top, kb.constant(op.getLow()[0])),
          left = kb.sub(place.left, kb.constant(op.getLow()[1]));
    Value base = kb.add(x->offset, kb.mul(place.image, x->strides[0]));
    // A position along a dim, and whether it lies in the image; outside, some position that does.
    auto positions = [&](Value from, Value size, Value stride, SmallVector<Value> &inside) {
      SmallVector<Value> offsets;
      for (int64_t i = 0; i < patch; ++i) {
        Value at = kb.add(from, kb.constant(i));
        Value clamped = kb.max(zero, kb.min(at, kb.sub(size, kb.constant(1))));
        inside.push_back(arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::eq, at, clamped));
        offsets.push_back(kb.mul(clamped, stride));
      }
      return offsets;
    };
    auto patches = [&](bool border) {
      SmallVector<Value> rowInside, columnInside, rows, columns;
      if (border) {
        rows = positions(top, sizes[1], x->strides[1], rowInside);
        columns = positions(left, sizes[2], x->strides[2], columnInside);
      } else {
        for (int64_t i = 0; i < patch; ++i) {
          rows.push_back(kb.mul(kb.add(top, kb.constant(i)), x->strides[1]));
          columns.push_back(kb.mul(kb.add(left, kb.constant(i)), x->strides[2]));
        }
      }
      kb.loop(zero, kb.constant(channels), lanes, [&](Value channel) {
        Value from = kb.add(base, channel);
        Value nothing = kb.splatConstant(element, 0, lanes);
        SmallVector<Value> pixels;
        for (int64_t i = 0; i < patch; ++i)
          for (int64_t j = 0; j < patch; ++j) {
            Value pixel = kb.loadFrom(x->pointer, element, kb.add(from, kb.add(rows[i], columns[j])), lanes);
            if (border) {
              Value inside = arith::AndIOp::create(kb.b, kb.loc, rowInside[i], columnInside[j]);
              pixel = arith::SelectOp::create(kb.b, kb.loc, inside, pixel, nothing);
            }
            pixels.push_back(pixel);
          }
        SmallVector<Value> transformed =
            transform.bothDims(pixels, patch, [&](ArrayRef<Value> d) { return transform.input(d); });
        for (auto [at, value] : llvm::enumerate(transformed))
          kb.storeTo(value, v.pointer, element, kb.linear(v, {kb.constant(at), index, channel}), lanes);
      });
    };
    auto within = [&](Value from, Value size) {
      Value starts = kb.less(kb.constant(-1), from),
            ends = kb.less(kb.add(from, kb.constant(patch - 1)), size);
      return kb.b.createOrFold<arith::AndIOp>(kb.loc, starts, ends);
    };
    Value interior = kb.b.createOrFold<arith::AndIOp>(kb.loc, within(top, sizes[1]), within(left, sizes[2]));
    kb.ifThenElse(interior, [&] { patches(false); }, [&] { patches(true); });
  });
  return success();
}

LogicalResult emitWinogradOutputKernel(KernelBuilder &kb) {
  auto op = findOp<WinogradOutputOp>(kb.kernel);
  std::optional<View> sums = op ? kb.viewOf(op.getSums()) : std::nullopt;
  if (!sums || getConstantIntValue(sums->strides.back()) != 1)
    return kb.refuse("the transform's operand has no contiguous channels");
  const WinogradTransform &matrices = *getWinogradTransform(op.getTile());
  int64_t patch = matrices.patch, tile = matrices.tile, channels = typeOf(op.getY()).getDimSize(3);
  if (ShapedType::isDynamic(channels) || channels % 8)
    return kb.refuse("the channels are not a multiple of 8");
  int64_t lanes = lanesFor(kb.target, channels);
  Type element = sums->elementType, computed = kb.computeType(element);
  PatchTransform transform{kb, matrices, computed, lanes};
  kb.note = llvm::formatv("tiles {0}x{0}, {1} lanes of channels", tile, lanes);
  SmallVector<Value> sizes = kb.dims(op.getY());
  Value zero = kb.constant(0), pixels = kb.stackBuffer(computed, tile * tile * lanes);
  LogicalResult result = success();

  kb.loop(kb.begin, kb.end, 1, [&](Value index) {
    Place place(kb, index, sizes[1], sizes[2], tile);
    Value rows = kb.min(kb.constant(tile), kb.sub(sizes[1], place.top)),
          columns = kb.min(kb.constant(tile), kb.sub(sizes[2], place.left));
    kb.loop(zero, kb.constant(channels), lanes, [&](Value channel) {
      SmallVector<Value> square;
      for (int64_t i = 0; i < patch * patch; ++i)
        square.push_back(
            kb.loadFrom(sums->pointer, element, kb.linear(*sums, {kb.constant(i), index, channel}), lanes));
      SmallVector<Value> image =
          transform.bothDims(square, patch, [&](ArrayRef<Value> m) { return transform.output(m); });
      for (auto [at, value] : llvm::enumerate(image))
        kb.storeTo(value, pixels, computed, kb.constant(at * lanes), lanes);
      // The last tiles reach past the image.
      kb.loop(zero, rows, 1, [&](Value row) {
        kb.loop(zero, columns, 1, [&](Value column) {
          Value at = kb.mul(kb.add(kb.mul(row, kb.constant(tile)), column), kb.constant(lanes));
          kb.setOverride(op.getY(), kb.loadFrom(pixels, computed, at, lanes));
          if (failed(kb.storeYielded(
                  {place.image, kb.add(place.top, row), kb.add(place.left, column), channel}, lanes)))
            result = failure();
          kb.clearOverrides();
        });
      });
    });
  });
  return result;
}

} // namespace torsh
