//===-- DepthwiseRow.cpp - A row of pixels of a depthwise convolution ----------------------------------------===//
//
// The register tile is some pixels of the row by one or two vectors of channels: enough independent sums to hide the
// latency of the multiply-add, and a column of the input is loaded once for all pixels that it belongs to. Rows outside
// the input are cut off by the bounds of the loop over kernel rows. Columns outside it are left out when the code is built
// where the row's length is known; else the border pixels run one by one with clipped bounds. Padding costs neither a copy
// nor a test.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "passes/lowering/DepthwiseRow.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace torsh {

/// Kernel columns up to which they are unrolled.
static constexpr int64_t unrolledColumns = 32;

/// Vectors of channels of a block. One lets a block have more pixels, which share the columns that they load; where the
/// row's length is not known, two keep the pixels of its rest from waiting for each other.
int64_t chooseVectors(std::optional<int64_t> width, const KernelBuilder &kb) {
  return kb.choices.get(Knob::ChannelVectors, width ? 1 : 2);
}

/// Pixels of a block for rows of `width` pixels: a block costs at least the latency of 8 sums.
int64_t choosePixels(std::optional<int64_t> width, const KernelBuilder &kb) {
  if (int64_t chosen = kb.choices.get(Knob::Pixels))
    return chosen;
  int64_t vectors = chooseVectors(width, kb), registers = kb.target.registers >= 32 ? 16 : 8;
  int64_t least = std::max<int64_t>(1, 8 / vectors), most = std::max<int64_t>(1, registers / vectors);
  if (!width)
    return most - most % 4;
  int64_t best = 1, bestCost = std::numeric_limits<int64_t>::max();
  for (int64_t pixels = 1; pixels <= most; ++pixels) {
    int64_t rest = *width % pixels;
    int64_t cost = *width / pixels * std::max(pixels, least) + (rest ? std::max(rest, least) : 0);
    if (cost <= bestCost) {
      best = pixels;
      bestCost = cost;
    }
  }
  return best;
}

Value DepthwiseRow::multiplyAdd(Value a, Value b, Value c) {
  if (isa<FloatType>(sum))
    return math::FmaOp::create(kb.b, kb.loc, a, b, c);
  return arith::AddIOp::create(kb.b, kb.loc, c, arith::MulIOp::create(kb.b, kb.loc, a, b));
}

DepthwiseRow::Place DepthwiseRow::placeOf(ArrayRef<Value> outer) const {
  Place place;
  place.outer.assign(outer.begin(), outer.end());
  for (size_t dim = 0; dim + 1 < spatial(); ++dim)
    place.bounds.emplace_back(kb, window[dim], outer[dim + 1], kb.constant(0), xSizes[dim + 1]);
  return place;
}

SmallVector<Value> DepthwiseRow::startSums(const Place &place, int64_t pixels, int64_t vectors,
                                           unsigned lanes, Value mask) {
  SmallVector<Value> start;
  for (int64_t v = 0; v < vectors; ++v) {
    Value value = kb.splatConstant(sum, 0, lanes);
    if (Value bias = op.getBias()) {
      Value channel = kb.add(place.channel, kb.constant(v * lanes));
      if (Value emitted = kb.emit(bias, {channel}, lanes, mask))
        value = emitted;
      else
        result = kb.refuse("the bias has no code");
    }
    start.push_back(value);
  }
  SmallVector<Value> sums;
  for (int64_t pixel = 0; pixel < pixels; ++pixel)
    sums.append(start);
  return sums;
}

SmallVector<Value> DepthwiseRow::overRows(const Place &place, ValueRange initial, RowSum body) {
  Value xBase = kb.add(x.offset, kb.mul(place.outer[0], x.strides[0]));
  xBase = kb.add(xBase, kb.mul(place.channel, x.strides.back()));
  Value wBase = kb.add(w.offset, kb.mul(place.channel, w.strides.back()));
  std::function<SmallVector<Value>(size_t, Value, Value, ValueRange)> nest = [&](size_t dim, Value xAt,
                                                                                 Value wAt, ValueRange sums) {
    if (dim + 1 == spatial())
      return body(kb.address(x.pointer, xType, xAt), kb.address(w.pointer, wType, wAt), sums);
    const WindowBounds &bounds = place.bounds[dim];
    return kb.loop(bounds.from, bounds.to, 1, sums, [&](Value tap, ValueRange carried) {
      Value position = bounds.at(kb, window[dim], tap);
      if (rowsOfRing)
        position = arith::AndIOp::create(kb.b, kb.loc, position, kb.constant(*rowsOfRing - 1));
      Value xRow = kb.add(xAt, kb.mul(position, x.strides[dim + 1]));
      return nest(dim + 1, xRow, kb.add(wAt, kb.mul(tap, w.strides[dim])), carried);
    });
  };
  return nest(0, xBase, wBase, initial);
}

void DepthwiseRow::finish(const Place &place, ArrayRef<Value> sums, int64_t vectors, unsigned lanes,
                          Value mask) {
  SmallVector<Value> at(place.outer);
  at.append(2, Value());
  for (auto [index, value] : llvm::enumerate(sums)) {
    at[at.size() - 2] = kb.add(place.pixel, kb.constant(index / vectors));
    at.back() = kb.add(place.channel, kb.constant(index % vectors * lanes));
    kb.setOverride(op.getY(), value);
    if (failed(kb.storeYielded(at, lanes, mask)))
      result = failure();
    kb.clearOverrides();
  }
}

void DepthwiseRow::block(const Place &place, int64_t pixels, int64_t vectors, unsigned lanes, Value mask,
                         std::optional<int64_t> known) {
  const WindowDim &along = row();
  // Input column of element 0 of the first pixel's window, then that of any column relative to it.
  Value first = kb.sub(kb.mul(place.pixel, kb.constant(along.stride)), kb.constant(along.low));
  auto xWidth = getConstantIntValue(xSizes[spatial()]);
  int64_t columns = (pixels - 1) * along.stride + (along.size - 1) * along.dilation + 1;
  auto inside = [&](int64_t column) {
    if (!known)
      return true;
    int64_t absolute = *known * along.stride - along.low + column;
    return absolute >= 0 && absolute < *xWidth;
  };
  SmallVector<Value> sums = overRows(
      place, startSums(place, pixels, vectors, lanes, mask), [&](Value xRow, Value wRow, ValueRange carried) {
        SmallVector<Value> next(carried);
        xRow = kb.address(xRow, xType, kb.mul(first, x.strides[spatial()]));
        SmallVector<Value> weights(along.size * vectors);
        for (int64_t column = 0; column < columns; ++column) {
          if (!inside(column))
            continue;
          SmallVector<Value> values(vectors);
          for (int64_t pixel = 0; pixel < pixels; ++pixel) {
            int64_t offset = column - pixel * along.stride;
            if (offset < 0 || offset % along.dilation != 0 || offset / along.dilation >= along.size)
              continue;
            int64_t tap = offset / along.dilation;
            for (int64_t v = 0; v < vectors; ++v) {
              Value &weight = weights[tap * vectors + v];
              if (!weight)
                weight = kb.loadFrom(
                    wRow, wType,
                    kb.add(kb.mul(kb.constant(tap), w.strides[spatial() - 1]), kb.constant(v * lanes)), lanes,
                    mask);
              if (!values[v])
                values[v] = kb.loadFrom(
                    xRow, xType,
                    kb.add(kb.mul(kb.constant(column), x.strides[spatial()]), kb.constant(v * lanes)), lanes,
                    mask);
              Value &target = next[pixel * vectors + v];
              target = multiplyAdd(values[v], weight, target);
            }
          }
        }
        return next;
      });
  finish(place, sums, vectors, lanes, mask);
}

void DepthwiseRow::borderPixel(const Place &place, unsigned lanes, Value mask) {
  const WindowDim &along = row();
  WindowBounds bounds(kb, along, place.pixel, kb.constant(0), xSizes[spatial()]);
  SmallVector<Value> sums =
      overRows(place, startSums(place, 1, 1, lanes, mask), [&](Value xRow, Value wRow, ValueRange carried) {
        return kb.loop(bounds.from, bounds.to, 1, carried, [&](Value tap, ValueRange inner) {
          Value xAt = kb.mul(bounds.at(kb, along, tap), x.strides[spatial()]);
          Value wAt = kb.mul(tap, w.strides[spatial() - 1]);
          Value value = kb.loadFrom(xRow, xType, xAt, lanes, mask);
          Value weight = kb.loadFrom(wRow, wType, wAt, lanes, mask);
          return SmallVector<Value>{multiplyAdd(value, weight, inner[0])};
        });
      });
  finish(place, sums, 1, lanes, mask);
}

void DepthwiseRow::overChannels(Place &place, Value from, Value to,
                                llvm::function_ref<void(int64_t, unsigned, Value)> body) {
  int64_t lanes = kb.target.lanes;
  Value at = from;
  // Some vectors at once, then one, then the masked rest. What cannot occur is not built.
  std::optional<int64_t> channels = getConstantIntValue(ySizes.back());
  int64_t most = chooseVectors(getConstantIntValue(ySizes[spatial()]), kb);
  auto run = [&](int64_t vectors) {
    int64_t width = vectors * lanes;
    Value stop = kb.add(at, kb.mul(kb.div(kb.sub(to, at), kb.constant(width)), kb.constant(width)));
    kb.loop(at, stop, width, [&](Value channel) {
      place.channel = channel;
      body(vectors, lanes, Value());
    });
    at = stop;
  };
  if (most > 1 && (!channels || *channels >= most * lanes))
    run(most);
  if (most == 1 || !channels || *channels % (most * lanes) != 0 || channelsOfTile % (most * lanes) != 0)
    run(1);
  if (!channels || *channels % lanes != 0)
    kb.ifThen(kb.less(at, to), [&] {
      place.channel = at;
      body(1, lanes, kb.firstLanes(kb.sub(to, at), lanes));
    });
}

void DepthwiseRow::build(Place &place, Value from, Value to) {
  Value zero = kb.constant(0), width = ySizes[spatial()];
  const WindowDim &along = row();
  auto known = getConstantIntValue(width), knownX = getConstantIntValue(xSizes[spatial()]);
  int64_t pixels = choosePixels(known, kb);
  auto pixelBlock = [&](Value pixel, int64_t count, std::optional<int64_t> at) {
    place.pixel = pixel;
    overChannels(place, from, to, [&](int64_t vectors, unsigned lanes, Value mask) {
      block(place, count, vectors, lanes, mask, at);
    });
  };
  int64_t reach = (along.size - 1) * along.dilation;
  if (known && knownX && along.size <= unrolledColumns) {
    // Blocks at a border are built for their place; those between share one loop.
    auto touches = [&](int64_t first, int64_t count) {
      int64_t begin = first * along.stride - along.low,
              end = (first + count - 1) * along.stride - along.low + reach;
      return begin < 0 || end >= *knownX;
    };
    for (int64_t at = 0; at < *known;) {
      int64_t count = std::min(pixels, *known - at);
      if (touches(at, count) || count < pixels) {
        pixelBlock(kb.constant(at), count, at);
        at += count;
        continue;
      }
      int64_t stop = at;
      while (stop + pixels <= *known && !touches(stop, pixels))
        stop += pixels;
      kb.loop(kb.constant(at), kb.constant(stop), pixels,
              [&](Value pixel) { pixelBlock(pixel, pixels, std::nullopt); });
      at = stop;
    }
    return;
  }
  auto border = [&](Value first, Value last) {
    kb.loop(first, last, 1, [&](Value pixel) {
      place.pixel = pixel;
      overChannels(place, from, to, [&](int64_t vectors, unsigned lanes, Value mask) {
        Value channel = place.channel;
        for (int64_t v = 0; v < vectors; ++v) {
          place.channel = kb.add(channel, kb.constant(v * lanes));
          borderPixel(place, lanes, mask);
        }
      });
    });
  };
  if (along.size > unrolledColumns)
    return border(zero, width);
  // Pixels whose windows lie wholly inside: from the low border to the last start that still fits.
  Value begin =
      kb.min(kb.constant(std::max<int64_t>(0, (along.low + along.stride - 1) / along.stride)), width);
  Value room = kb.add(xSizes[spatial()], kb.constant(along.low - reach));
  Value fits = kb.div(kb.add(kb.max(room, zero), kb.constant(along.stride - 1)), kb.constant(along.stride));
  Value end = kb.max(begin, kb.min(fits, width));
  border(zero, begin);
  for (int64_t count : {pixels, int64_t(1)}) {
    Value stop = kb.add(begin, kb.mul(kb.div(kb.sub(end, begin), kb.constant(count)), kb.constant(count)));
    kb.loop(begin, stop, count, [&](Value pixel) { pixelBlock(pixel, count, std::nullopt); });
    begin = stop;
  }
  border(end, width);
}

} // namespace torsh
