//===-- FourierOps.cpp - DFT and STFT ---------------------------------------------------------------------------===//
//
// A transform is one product with the matrix of the transform, over pairs (n, part) and (k, part) of a position and the real
// or imaginary part; symbolic sizes compute the matrix at run time. A short or symbolic transform is summed in f64, as sums
// that cancel are what short signals are tested with. A long static one is split into a product of two lengths, each
// transformed by itself with a rotation in between (Cooley and Tukey 1965), until the parts are short.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/RunTimeLists.h"
#include "frontends/onnx/ops/Topics.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

constexpr double pi = 3.14159265358979323846;
/// Longest transforms that are summed in f64, and that are one product.
constexpr int64_t longestPrecise = 64, longestProduct = 512;

DimAttr number(NodeImport &n, int64_t value) { return dim::constant(n.context(), value); }

/// Which entries of the matrix there are: `length` points, the first `inputs` of them given, `outputs` asked for.
struct Transform {
  DimAttr length, inputs, outputs;
  bool inverse = false;
  /// The input is one half of a conjugate symmetric spectrum, and the result is real.
  bool halfSpectrum = false;

  int64_t parts() const { return halfSpectrum ? 1 : 2; }
};

/// cos and sin of 2 pi * m / length, exact at multiples of a quarter.
std::pair<double, double> unitRoot(int64_t m, int64_t length) {
  m %= length;
  if (m * 4 % length == 0) {
    static const double quarters[] = {1, 0, -1, 0};
    int64_t quarter = m * 4 / length;
    return {quarters[quarter], quarters[(quarter + 3) % 4]};
  }
  double angle = 2 * pi * static_cast<double>(m) / static_cast<double>(length);
  return {std::cos(angle), std::sin(angle)};
}

/// The matrix [inputs, c, outputs, parts] as a constant; none when a size is symbolic.
Value constantMatrix(NodeImport &n, const Transform &t, DimAttr channels, mlir::Type element) {
  auto length = dim::asConstant(t.length), inputs = dim::asConstant(t.inputs),
       outputs = dim::asConstant(t.outputs), c = dim::asConstant(channels);
  if (!length || !inputs || !outputs || !c)
    return {};
  torsh::Tensor matrix = torsh::Tensor::zeros(element, {*inputs, *c, *outputs, t.parts()});
  size_t at = 0;
  for (int64_t i = 0; i < *inputs; ++i)
    for (int64_t from = 0; from < *c; ++from)
      for (int64_t o = 0; o < *outputs; ++o)
        for (int64_t to = 0; to < t.parts(); ++to) {
          auto [cosine, sine] = unitRoot(i * o, *length);
          sine *= t.inverse ? 1 : -1;
          double value = from == to ? cosine : from == 0 ? sine : -sine;
          if (t.inverse)
            value /= static_cast<double>(*length);
          // The other half of the spectrum is the conjugate of this one.
          if (t.halfSpectrum && i != 0 && 2 * i != *length)
            value *= 2;
          matrix.floats[at++] = roundTo(element, value);
        }
  return n.graph.constant(matrix, n.loc);
}

/// The same computed at run time, in f64.
Value computedMatrix(NodeImport &n, const Transform &t, DimAttr channels) {
  mlir::Type i64 = n.builder.getI64Type(), f64 = n.builder.getF64Type(), i1 = n.builder.getI1Type();
  SmallVector<DimAttr> dims = {t.inputs, channels, t.outputs, number(n, t.parts())};
  RankedTensorType whole = makeTensorType(dims, i64), real = makeTensorType(dims, f64);
  auto iota = [&](int64_t axis) { return n.create<IotaOp>(whole, axis); };
  auto compare = [&](Value a, Value b) {
    return n.create<CompareOp>(withElementType(whole, i1), a, b, ComparePredicate::eq);
  };
  auto select = [&](Value condition, Value yes, Value no) { return n.create<SelectOp>(condition, yes, no); };
  Value length = n.broadcastTo(n.fromDims({t.length}, true), dims);
  Value turns = n.create<ModOp>(n.create<MulOp>(iota(0), iota(2)), length);
  Value realLength = n.cast(length, f64);
  Value angle = n.create<DivOp>(scale(n, n.cast(turns, f64), 2 * pi), realLength);
  Value sine = n.create<SinOp>(angle), negative = n.create<NegOp>(sine);
  // exp(+-j angle) for the real part, j times that for the imaginary one.
  Value fromReal = t.inverse ? sine : negative, fromImaginary = t.inverse ? negative : sine;
  Value mixed = select(compare(iota(1), n.splat(whole, 0)), fromReal, fromImaginary);
  Value y = select(compare(iota(1), iota(3)), n.create<CosOp>(angle), mixed);
  if (t.inverse)
    y = n.create<DivOp>(y, realLength);
  if (t.halfSpectrum) {
    Value alone = n.create<OrOp>(compare(iota(0), n.splat(whole, 0)), compare(scale(n, iota(0), 2), length));
    y = select(alone, y, n.create<MulOp>(y, n.splat(real, 2)));
  }
  return y;
}

/// x [batch..., inputs, c] by the matrix: [batch..., outputs, parts].
Value product(NodeImport &n, Value x, const Transform &t) {
  mlir::Type element = elementTypeOf(x);
  SmallVector<DimAttr> dims = getDims(x), batch(dims.begin(), dims.end() - 2);
  DimAttr channels = dims.back();
  std::optional<int64_t> length = dim::asConstant(t.length);
  mlir::Type precise = !length || *length <= longestPrecise ? mlir::Type(n.builder.getF64Type()) : element;
  Value matrix = constantMatrix(n, t, channels, precise);
  if (!matrix)
    matrix = n.cast(computedMatrix(n, t, channels), precise);
  DimAttr rows = dim::mul(t.inputs, channels), columns = dim::mul(t.outputs, number(n, t.parts()));
  DimAttr lines = dim::product(n.context(), batch);
  Value y = matmul(n, n.reshape(n.cast(x, precise), {lines, rows}), n.reshape(matrix, {rows, columns}));
  if (!y)
    return {};
  batch.append({t.outputs, number(n, t.parts())});
  return n.cast(n.reshape(y, batch), element);
}

/// a * b for complex numbers in the last dim, whose sizes are 2.
Value complexProduct(NodeImport &n, Value a, Value b) {
  int64_t last = rankOf(a) - 1;
  auto part = [&](Value x, int64_t i) { return sliceAxis(n, x, last, number(n, i), number(n, 1)); };
  Value ar = part(a, 0), ai = part(a, 1), br = part(b, 0), bi = part(b, 1);
  SmallVector<Value> parts = {n.create<SubOp>(n.create<MulOp>(ar, br), n.create<MulOp>(ai, bi)),
                              n.create<AddOp>(n.create<MulOp>(ar, bi), n.create<MulOp>(ai, br))};
  return n.create<ConcatOp>(ValueRange(parts), last);
}

/// The largest divisor up to the square root; 1 for primes.
int64_t splitOf(int64_t length) {
  for (int64_t part = static_cast<int64_t>(std::sqrt(static_cast<double>(length))); part > 1; --part)
    if (length % part == 0)
      return part;
  return 1;
}

/// The full transform of x [batch..., length, c] without the inverse's division: [batch..., length, 2].
Value fullTransform(NodeImport &n, Value x, int64_t length, bool inverse) {
  int64_t first = length > longestProduct ? splitOf(length) : 1;
  SmallVector<DimAttr> dims = getDims(x), batch(dims.begin(), dims.end() - 2);
  if (first == 1) {
    // The matrix of the inverse divides; undone here, since the division is made once for all parts.
    Transform t{number(n, length), number(n, length), number(n, length), inverse, false};
    Value y = product(n, x, t);
    return y && inverse ? scale(n, y, static_cast<double>(length)) : y;
  }
  // n = i * second + j, k = p + first * q: transform over i, rotate by p * j, transform over j.
  int64_t second = length / first, rank = rankOf(x) + 1;
  SmallVector<DimAttr> split(batch);
  split.append({number(n, first), number(n, second), dims.back()});
  SmallVector<int64_t> exchange = range(0, rank);
  std::swap(exchange[rank - 3], exchange[rank - 2]);
  Value y = fullTransform(n, n.transpose(n.reshape(x, split), exchange), first, inverse);
  if (!y)
    return {};
  mlir::Type element = elementTypeOf(x);
  torsh::Tensor roots = torsh::Tensor::zeros(element, {second, first, 2});
  for (int64_t j = 0, at = 0; j < second; ++j)
    for (int64_t p = 0; p < first; ++p) {
      auto [cosine, sine] = unitRoot(j * p, length);
      roots.floats[at++] = roundTo(element, cosine);
      roots.floats[at++] = roundTo(element, inverse ? sine : -sine);
    }
  y = complexProduct(n, y, n.broadcastTo(n.graph.constant(roots, n.loc), getDims(y)));
  y = fullTransform(n, n.transpose(y, exchange), second, inverse);
  if (!y)
    return {};
  batch.append({number(n, length), number(n, 2)});
  return n.reshape(n.transpose(y, exchange), batch);
}

/// The first `size` entries of the dim before the last, with zeros behind where there are fewer.
Value fitLength(NodeImport &n, Value x, DimAttr size) {
  int64_t axis = rankOf(x) - 2;
  DimAttr have = getDims(x)[axis];
  if (have == size)
    return x;
  DimAttr kept = n.graph.dims.min(have, size);
  if (kept != have)
    x = sliceAxis(n, x, axis, number(n, 0), kept);
  if (kept == size)
    return x;
  SmallVector<DimAttr> low(rankOf(x), number(n, 0)), high = low;
  high[axis] = dim::sub(size, kept);
  return n.create<PadOp>(x, n.scalar(elementTypeOf(x), 0), DimsAttr::get(n.context(), low),
                         DimsAttr::get(n.context(), high), PadMode::constant);
}

/// A half spectrum with its conjugate behind it: [batch..., length, 2] of [batch..., length / 2 + 1, 2].
Value wholeSpectrum(NodeImport &n, Value x, int64_t length) {
  int64_t axis = rankOf(x) - 2, mirrored = length - (length / 2 + 1);
  if (mirrored < 1)
    return x;
  SmallVector<DimAttr> starts(rankOf(x), number(n, 0)), sizes = getDims(x);
  SmallVector<int64_t> steps(rankOf(x), 1);
  starts[axis] = number(n, mirrored);
  sizes[axis] = number(n, mirrored);
  steps[axis] = -1;
  Value mirror =
      n.create<SliceOp>(x, DimsAttr::get(n.context(), starts), DimsAttr::get(n.context(), sizes), steps);
  torsh::Tensor signs = torsh::Tensor::zeros(elementTypeOf(x), {2});
  signs.floats = {1, -1};
  mirror = n.create<MulOp>(mirror, n.broadcastTo(n.graph.constant(signs, n.loc), getDims(mirror)));
  SmallVector<Value> parts = {x, mirror};
  return n.create<ConcatOp>(ValueRange(parts), axis);
}

/// The transform of x along the dim before the last one, with `length` points; null after a failure.
Value transformLines(NodeImport &n, Value x, DimAttr length, bool inverse, bool onesided) {
  DimAttr half = dim::add(dim::floorDiv(length, number(n, 2)), number(n, 1));
  bool halfSpectrum = inverse && onesided;
  Transform t{length, halfSpectrum ? half : length, onesided && !inverse ? half : length, inverse,
              halfSpectrum};
  std::optional<int64_t> points = dim::asConstant(length), parts = dim::asConstant(getDims(x).back());
  bool split =
      points && parts && *points > longestProduct && splitOf(*points) > 1 && (!halfSpectrum || *parts == 2);
  if (!split) {
    // Zeros behind the signal add nothing, so those rows of the matrix are left out.
    DimAttr have = getDims(x)[rankOf(x) - 2];
    if (dim::asConstant(have) && dim::asConstant(t.inputs) &&
        *dim::asConstant(have) < *dim::asConstant(t.inputs))
      t.inputs = have;
    return product(n, fitLength(n, x, t.inputs), t);
  }
  x = fitLength(n, x, t.inputs);
  if (halfSpectrum)
    x = wholeSpectrum(n, x, *points);
  Value y = fullTransform(n, x, *points, inverse);
  if (!y)
    return {};
  if (inverse)
    y = scale(n, y, 1 / static_cast<double>(*points));
  if (halfSpectrum)
    return sliceAxis(n, y, rankOf(y) - 1, number(n, 0), number(n, 1));
  return sliceAxis(n, y, rankOf(y) - 2, number(n, 0), t.outputs);
}

LogicalResult checkParts(NodeImport &n, Value x) {
  std::optional<int64_t> parts = dim::asConstant(getDims(x).back());
  if (parts && *parts != 1 && *parts != 2)
    return n.malformed("the last dim, real and imaginary parts, is " + Twine(*parts) + ", not 1 or 2");
  return success();
}

/// The transform of x along one axis; null after a failure.
Value transformAxis(NodeImport &n, Value x, int64_t axis, std::optional<DimAttr> length) {
  bool inverse = n.intAttr("inverse", 0) != 0, onesided = n.intAttr("onesided", 0) != 0;
  DimAttr size = getDims(x)[axis];
  if (!length && inverse && onesided)
    length = dim::mul(number(n, 2), dim::sub(size, number(n, 1)));
  SmallVector<int64_t> exchange = range(0, rankOf(x));
  std::swap(exchange[axis], exchange[rankOf(x) - 2]);
  Value y = transformLines(n, n.transpose(x, exchange), length.value_or(size), inverse, onesided);
  return y ? n.transpose(y, exchange) : y;
}

/// The same along the axis that operand 2 names during the run: the dims before and behind it are joined.
Value transformRunTimeAxis(NodeImport &n, Value x, std::optional<DimAttr> length) {
  Lists lists(n);
  Value axis = lists.operand(2);
  if (!axis)
    return {};
  if (Lists::length(axis) != 1)
    return (void)n.malformed("the axis must be one number"), Value();
  int64_t rank = rankOf(x);
  axis = lists.axes(axis, rank);
  SmallVector<DimAttr> dims = getDims(x);
  DimAttr parts = dims.pop_back_val();
  Value first = n.reshape(sliceAxis(n, x, rank - 1, number(n, 0), number(n, 1)), dims);
  SmallVector<DimAttr> split = splitAt(n, first, axis);
  split.push_back(parts);
  Value y = transformAxis(n, n.reshape(x, split), 1, length);
  if (!y)
    return {};
  SmallVector<DimAttr> joined = getDims(y);
  if (joined[1] != split[1])
    dims = n.bindSizes(lists.put(n.fromDims(dims), axis, n.fromDims({joined[1]})), "size");
  dims.push_back(joined.back());
  return n.reshape(y, dims);
}

LogicalResult importDft(NodeImport &n, std::optional<int64_t> axis) {
  if (failed(requireFloat(n, 0)) || failed(requireRank(n, 0, 2)) || failed(checkParts(n, n.operand(0))))
    return failure();
  std::optional<DimAttr> length;
  if (n.hasInput(1)) {
    auto given = n.shapeValue(1);
    if (!given || given->size() != 1)
      return n.unsupported("dft_length must be one number");
    length = given->front();
    if (auto known = dim::asConstant(*length); known && *known < 1)
      return n.malformed("dft_length is " + Twine(*known));
  }
  Value x = n.operand(0), y;
  if (axis) {
    FailureOr<int64_t> at = n.axis(*axis, rankOf(x));
    if (failed(at))
      return failure();
    if (*at + 1 == rankOf(x))
      return n.malformed("the axis is that of the real and imaginary parts");
    y = transformAxis(n, x, *at, length);
  } else {
    y = transformRunTimeAxis(n, x, length);
  }
  if (!y)
    return failure();
  n.setResult(0, y);
  return success();
}

LogicalResult importDft17(NodeImport &n) { return importDft(n, n.intAttr("axis", 1)); }
LogicalResult importDft20(NodeImport &n) {
  if (!n.hasInput(2))
    return importDft(n, -2);
  auto given = n.constantInts(2);
  if (given && given->size() != 1)
    return n.malformed("the axis must be one number");
  return importDft(n, given ? std::optional<int64_t>(given->front()) : std::nullopt);
}

LogicalResult importStft(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireInputs(n, 2)))
    return failure();
  Value signal = n.operand(0);
  if (rankOf(signal) != 3 || failed(checkParts(n, signal)))
    return n.malformed("the signal must be [batch, length, 1 or 2]");
  auto one = [&](size_t i) -> std::optional<DimAttr> {
    auto value = n.shapeValue(i);
    return value && value->size() == 1 ? std::optional<DimAttr>(value->front()) : std::nullopt;
  };
  Value window = n.optionalOperand(2);
  if (window && (rankOf(window) != 1 || elementTypeOf(window) != elementTypeOf(signal)))
    return n.malformed("the window must be a list of the signal's element type");
  std::optional<DimAttr> step = one(1), length;
  if (n.hasInput(3))
    length = one(3);
  else
    length = window ? getDims(window)[0] : getDims(signal)[1];
  if (!step || !length)
    return n.unsupported("frame_step and frame_length must be one number each");
  if (auto known = dim::asConstant(*step); known && *known < 1)
    return n.malformed("frame_step is " + Twine(*known));
  if (window && !n.unify(getDims(window)[0], *length, "the window and frame_length"))
    return n.malformed("the window does not have frame_length elements");
  DimAttr frames = dim::add(dim::floorDiv(dim::sub(getDims(signal)[1], *length), *step), number(n, 1));
  mlir::Type i64 = n.builder.getI64Type();
  RankedTensorType places = makeTensorType({frames, *length}, i64);
  Value index = n.create<MulOp>(n.create<IotaOp>(places, int64_t(0)),
                                n.broadcastTo(n.fromDims({*step}, true), {frames, *length}));
  index = n.create<AddOp>(index, n.create<IotaOp>(places, int64_t(1)));
  Value x = n.create<GatherOp>(signal, index, int64_t(1));
  if (window)
    x = n.create<MulOp>(x, alongAxis(n, window, 2, x));
  Value y = transformLines(n, x, *length, false, n.intAttr("onesided", 1) != 0);
  if (!y)
    return failure();
  n.setResult(0, y);
  return success();
}

} // namespace

void addFourierOps(OpTable &table) {
  table.add("", "DFT", 17, importDft17);
  table.add("", "DFT", 20, importDft20);
  table.add("", "STFT", 17, importStft);
}

} // namespace torsh::onnx
