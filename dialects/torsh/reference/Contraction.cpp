//===-- Contraction.cpp - Reference semantics of dot_general and convolutions
//-------------------------------===//
//
// Operands are first brought into a canonical order of dims, then plain loops run with the innermost dim
// contiguous.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/reference/Call.h"
#include "dialects/torsh/reference/Iteration.h"
#include "dialects/torsh/reference/Window.h"

using namespace llvm;
using namespace mlir;

namespace torsh::reference {
namespace {

/// An operand's elements as the kind T; the frontends mix integer types of weights and activations, never
/// kinds.
bool sameKind(const Tensor &a, const Tensor &b, Type result) {
  return a.isFloat() == b.isFloat() && a.isFloat() == isa<FloatType>(result);
}

//===-- dot_general
//----------------------------------------------------------------------------------------------===//

/// y [batch, m, n] += a [batch, m, k] * b [batch, k, n]. A block of k keeps its rows of b in the cache.
template <typename T>
void multiply(const T *a, const T *b, T *y, int64_t batch, int64_t m, int64_t k, int64_t n) {
  constexpr int64_t blockSize = 64;
  for (int64_t s = 0; s < batch; ++s, a += m * k, b += k * n, y += m * n)
    for (int64_t block = 0; block < k; block += blockSize)
      for (int64_t i = 0; i < m; ++i)
        for (int64_t p = block; p < std::min(block + blockSize, k); ++p) {
          T factor = a[i * k + p];
          const T *row = b + p * n;
          T *out = y + i * n;
          for (int64_t j = 0; j < n; ++j)
            out[j] = mulAdd(out[j], factor, row[j]);
        }
}

/// The dims of an operand that are in neither list.
SmallVector<int64_t> freeDims(int64_t rank, ArrayRef<int64_t> batch, ArrayRef<int64_t> contract) {
  SmallVector<int64_t> dims;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (!is_contained(batch, dim) && !is_contained(contract, dim))
      dims.push_back(dim);
  return dims;
}

/// Whether the dims are distinct dims of the operand.
bool areDistinctDims(int64_t rank, ArrayRef<int64_t> batch, ArrayRef<int64_t> contract) {
  SmallVector<int64_t> dims(batch);
  append_range(dims, contract);
  llvm::sort(dims);
  return std::unique(dims.begin(), dims.end()) == dims.end() &&
         all_of(dims, [&](int64_t dim) { return dim >= 0 && dim < rank; });
}

SmallVector<int64_t> sizesOf(const Tensor &x, ArrayRef<int64_t> dims) {
  return to_vector(map_range(dims, [&](int64_t dim) { return x.shape[dim]; }));
}

Results evaluateDotGeneral(DotGeneralOp op, Call &call) {
  const Tensor &lhs = call[op.getLhs()], &rhs = call[op.getRhs()];
  ArrayRef<int64_t> lhsBatch = op.getLhsBatch(), rhsBatch = op.getRhsBatch();
  ArrayRef<int64_t> lhsContract = op.getLhsContract(), rhsContract = op.getRhsContract();
  if (!areDistinctDims(lhs.rank(), lhsBatch, lhsContract) ||
      !areDistinctDims(rhs.rank(), rhsBatch, rhsContract) ||
      sizesOf(lhs, lhsBatch) != sizesOf(rhs, rhsBatch) ||
      sizesOf(lhs, lhsContract) != sizesOf(rhs, rhsContract) || !sameKind(lhs, rhs, call.resultElementType()))
    return call.misfit("the batch and contracting dims of " + describe(lhs.shape, lhs.elementType) + " and " +
                       describe(rhs.shape, rhs.elementType) + " do not pair");
  SmallVector<int64_t> lhsFree = freeDims(lhs.rank(), lhsBatch, lhsContract);
  SmallVector<int64_t> rhsFree = freeDims(rhs.rank(), rhsBatch, rhsContract);
  SmallVector<int64_t> shape = sizesOf(lhs, lhsBatch);
  append_range(shape, sizesOf(lhs, lhsFree));
  append_range(shape, sizesOf(rhs, rhsFree));
  Expected<Tensor> y = call.allocate(call.resultElementType(), shape);
  if (!y)
    return y.takeError();

  SmallVector<int64_t> lhsOrder(lhsBatch), rhsOrder(rhsBatch);
  append_range(lhsOrder, lhsFree);
  append_range(lhsOrder, lhsContract);
  append_range(rhsOrder, rhsContract);
  append_range(rhsOrder, rhsFree);
  dispatch(*y, [&](auto tag) {
    using T = decltype(tag);
    multiply(permuted(valuesOf<T>(lhs), lhs.shape, lhsOrder).data(),
             permuted(valuesOf<T>(rhs), rhs.shape, rhsOrder).data(), valuesOf<T>(*y).data(),
             productOf(sizesOf(lhs, lhsBatch)), productOf(sizesOf(lhs, lhsFree)),
             productOf(sizesOf(lhs, lhsContract)), productOf(sizesOf(rhs, rhsFree)));
  });
  return single(std::move(y));
}

//===-- Convolutions
//---------------------------------------------------------------------------------------------===//

/// Sizes of a convolution. For the transposed one, `small` is its input and `large` its output.
struct ConvSizes {
  int64_t batch, groups, inChannels, outChannels;
  SmallVector<int64_t> inSpatial, kernel, outSpatial;
};

/// From and to batch, spatial..., channels; the identity for channels_last.
SmallVector<int64_t> toChannelsLast(Layout layout, int64_t rank) {
  auto order = to_vector(llvm::seq<int64_t>(0, rank));
  if (layout == Layout::channels_first)
    std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  return order;
}
SmallVector<int64_t> fromChannelsLast(Layout layout, int64_t rank) {
  auto order = to_vector(llvm::seq<int64_t>(0, rank));
  if (layout == Layout::channels_first)
    std::rotate(order.begin() + 1, order.end() - 1, order.end());
  return order;
}

/// out[o] += sum over c of pixel[c] * tap[c][o] for each group. `tap` is [C/groups, O] for a convolution,
/// with the group inside O, and [C, O/groups] for a transposed one, with the group inside C.
template <typename T>
void accumulatePixel(const ConvSizes &sizes, bool transposed, const T *pixel, const T *tap, T *out) {
  const int64_t in = sizes.inChannels / sizes.groups, outs = sizes.outChannels / sizes.groups;
  for (int64_t group = 0; group < sizes.groups; ++group)
    for (int64_t c = 0; c < in; ++c) {
      T value = pixel[group * in + c];
      const T *row = transposed ? tap + (group * in + c) * outs : tap + c * sizes.outChannels + group * outs;
      T *target = out + group * outs;
      for (int64_t o = 0; o < outs; ++o)
        target[o] = mulAdd(target[o], value, row[o]);
    }
}

/// The spatial position that a tap reaches: start + tap * dilation in each dim, -1 when it is outside.
int64_t tapPosition(const Window &window, ArrayRef<int64_t> position, ArrayRef<int64_t> tap,
                    ArrayRef<int64_t> spatial) {
  int64_t linear = 0;
  for (size_t dim = 0; dim < spatial.size(); ++dim) {
    int64_t index = window.start(dim, position[dim]) + tap[dim] * window.dilations[dim];
    if (index < 0 || index >= spatial[dim])
      return -1;
    linear = linear * spatial[dim] + index;
  }
  return linear;
}

/// x [N, in..., C], w [k..., C/groups, O], y [N, out..., O]; transposed: w [k..., C, O/groups].
/// A convolution gathers along its output positions, a transposed one scatters along its input positions.
template <typename T>
void convolve(const ConvSizes &sizes, const Window &window, bool transposed, const std::vector<T> &x,
              const std::vector<T> &w, std::vector<T> &y) {
  const int64_t inVolume = productOf(sizes.inSpatial), outVolume = productOf(sizes.outSpatial);
  const int64_t tapSize = (sizes.inChannels / sizes.groups) * sizes.outChannels;
  ArrayRef<int64_t> walked = transposed ? sizes.inSpatial : sizes.outSpatial;
  ArrayRef<int64_t> reached = transposed ? sizes.outSpatial : sizes.inSpatial;
  for (int64_t n = 0; n < sizes.batch; ++n) {
    const T *image = x.data() + n * inVolume * sizes.inChannels;
    T *result = y.data() + n * outVolume * sizes.outChannels;
    forEachIndex(walked, [&](ArrayRef<int64_t> position, int64_t here) {
      forEachIndex(sizes.kernel, [&](ArrayRef<int64_t> tap, int64_t tapIndex) {
        int64_t there = tapPosition(window, position, tap, reached);
        if (there < 0)
          return;
        int64_t in = transposed ? here : there, out = transposed ? there : here;
        accumulatePixel(sizes, transposed, image + in * sizes.inChannels, w.data() + tapIndex * tapSize,
                        result + out * sizes.outChannels);
      });
    });
  }
}

/// Runs a convolution whose sizes and window are checked.
Results runConvolution(Call &call, const ConvSizes &sizes, const Window &window, Layout layout,
                       bool transposed, const Tensor &x, const Tensor &w, const Tensor *bias) {
  if (!sameKind(x, w, call.resultElementType()) || (bias && bias->isFloat() != x.isFloat()))
    return call.misfit("operands and result must be all floats or all integers");
  if (bias)
    if (Error error = call.checkShape("the bias", *bias, {sizes.outChannels}))
      return error;
  LayoutView view(layout, x.rank());
  Expected<Tensor> y =
      call.allocate(call.resultElementType(), view.shape(sizes.batch, sizes.outChannels, sizes.outSpatial));
  if (!y)
    return y.takeError();
  // channels_first weights are [O, C/groups, k...], or [C, O/groups, k...] when transposed.
  auto weightOrder = to_vector(llvm::seq<int64_t>(0, w.rank()));
  if (layout == Layout::channels_first) {
    std::rotate(weightOrder.begin(), weightOrder.begin() + 2, weightOrder.end());
    if (!transposed)
      std::swap(weightOrder.end()[-1], weightOrder.end()[-2]);
  }
  dispatch(*y, [&](auto tag) {
    using T = decltype(tag);
    std::vector<T> result(y->numElements());
    for (size_t i = 0; bias && i < result.size(); ++i)
      result[i] = valuesOf<T>(*bias)[i % sizes.outChannels];
    convolve<T>(sizes, window, transposed,
                permuted(valuesOf<T>(x), x.shape, toChannelsLast(layout, x.rank())),
                permuted(valuesOf<T>(w), w.shape, weightOrder), result);
    SmallVector<int64_t> lastShape = {sizes.batch};
    append_range(lastShape, sizes.outSpatial);
    lastShape.push_back(sizes.outChannels);
    valuesOf<T>(*y) = permuted(result, lastShape, fromChannelsLast(layout, y->rank()));
  });
  return single(std::move(y));
}

/// The sizes that operands give; outSpatial is left empty.
ConvSizes readSizes(const Tensor &x, const Tensor &w, Layout layout, int64_t groups, bool transposed) {
  LayoutView view(layout, x.rank());
  const int64_t spatial = x.rank() - 2;
  bool first = layout == Layout::channels_first;
  int64_t rowDim = first ? 0 : spatial, columnDim = rowDim + 1;
  ConvSizes sizes;
  sizes.batch = x.shape[0];
  sizes.groups = groups;
  sizes.inChannels = x.shape[view.channel];
  // Transposed weights have O/groups as their second channel dim in both layouts; others have O first or
  // last.
  sizes.outChannels = transposed ? w.shape[columnDim] * groups : w.shape[first ? rowDim : columnDim];
  sizes.inSpatial.append(x.shape.begin() + view.firstSpatial, x.shape.begin() + view.firstSpatial + spatial);
  sizes.kernel.append(w.shape.begin() + (first ? 2 : 0), w.shape.begin() + (first ? 2 : 0) + spatial);
  return sizes;
}

/// The error of weights whose channels do not fit, else success.
Error checkChannels(const Call &call, const Tensor &x, const Tensor &w, Layout layout, int64_t groups,
                    bool transposed) {
  if (x.rank() < 2 || w.rank() != x.rank())
    return call.misfit("x and w must have one rank, of at least 2");
  LayoutView view(layout, x.rank());
  bool first = layout == Layout::channels_first;
  int64_t channels = x.shape[view.channel], rowDim = first ? 0 : x.rank() - 2;
  // The dim of w that counts input channels: all of them when transposed, else those of a group.
  int64_t inputs = w.shape[transposed ? rowDim : (first ? 1 : rowDim)];
  int64_t outputs = w.shape[first ? 0 : rowDim + 1];
  bool fits = groups >= 1 && groups <= std::max<int64_t>(channels, 1) && channels % groups == 0 &&
              (transposed ? inputs == channels : inputs == channels / groups && outputs % groups == 0);
  if (fits)
    return Error::success();
  return call.misfit("the channels of " + describe(x.shape, x.elementType) + " and of the weight " +
                     describe(w.shape, w.elementType) + " do not fit " + Twine(groups) + " groups");
}

Results evaluateConv(ConvOp op, Call &call) {
  const Tensor &x = call[op.getX()], &w = call[op.getW()];
  Layout layout = op.getLayout();
  int64_t groups = op.getGroups();
  if (Error error = checkChannels(call, x, w, layout, groups, /*transposed=*/false))
    return error;
  ConvSizes sizes = readSizes(x, w, layout, groups, /*transposed=*/false);
  Window window{sizes.kernel, op.getStrides(), op.getDilations(), op.getLow(), op.getHigh()};
  if (Error error = window.check(call, x.rank() - 2))
    return error;
  for (auto [dim, size] : enumerate(sizes.inSpatial)) {
    Expected<int64_t> positions = window.numPositions(call, dim, size, /*ceilMode=*/false);
    if (!positions)
      return positions.takeError();
    sizes.outSpatial.push_back(*positions);
  }
  return runConvolution(call, sizes, window, layout, /*transposed=*/false, x, w, call.find(op.getBias()));
}

Results evaluateConvTranspose(ConvTransposeOp op, Call &call) {
  const Tensor &x = call[op.getX()], &w = call[op.getW()];
  Layout layout = op.getLayout();
  int64_t groups = op.getGroups();
  if (Error error = checkChannels(call, x, w, layout, groups, /*transposed=*/true))
    return error;
  ConvSizes sizes = readSizes(x, w, layout, groups, /*transposed=*/true);
  Window window{sizes.kernel, op.getStrides(), op.getDilations(), op.getLow(), op.getHigh()};
  if (Error error = window.check(call, x.rank() - 2))
    return error;
  ArrayRef<int64_t> extra = op.getOutputPadding();
  if (extra.size() != sizes.inSpatial.size() ||
      any_of(extra, [](int64_t value) { return value < 0 || value > INT32_MAX; }))
    return call.misfit("output_padding must have one entry for each spatial dim, none negative");
  for (auto [dim, size] : enumerate(sizes.inSpatial))
    sizes.outSpatial.push_back((size - 1) * window.strides[dim] +
                               window.dilations[dim] * (window.size[dim] - 1) + 1 + extra[dim] -
                               window.low[dim] - window.high[dim]);
  return runConvolution(call, sizes, window, layout, /*transposed=*/true, x, w, call.find(op.getBias()));
}

/// The gradient of a convolution's weights, summed over every pair of an input and an output that a tap joins.
Results evaluateConvWeightGrad(ConvWeightGradOp op, Call &call) {
  const Tensor &x = call[op.getX()], &dy = call[op.getDy()];
  Layout layout = op.getLayout();
  const int64_t groups = op.getGroups(), rank = x.rank();
  if (rank < 2 || dy.rank() != rank)
    return call.misfit("x and dy must have one rank, of at least 2");
  LayoutView view(layout, rank);
  const int64_t inputs = x.shape[view.channel], outputs = dy.shape[view.channel];
  if (groups < 1 || inputs % groups || outputs % groups)
    return call.misfit("the channels of x and dy must be divisible by " + Twine(groups) + " groups");
  Window window{op.getKernel(), op.getStrides(), op.getDilations(), op.getLow(), op.getHigh()};
  if (Error error = window.check(call, rank - 2))
    return error;
  SmallVector<int64_t> inSpatial, outSpatial;
  for (int64_t dim = 0; dim < rank - 2; ++dim) {
    inSpatial.push_back(x.shape[view.firstSpatial + dim]);
    Expected<int64_t> positions = window.numPositions(call, dim, inSpatial.back(), /*ceilMode=*/false);
    if (!positions)
      return positions.takeError();
    outSpatial.push_back(*positions);
  }
  if (Error error = call.checkShape("dy", dy, view.shape(x.shape[0], outputs, outSpatial)))
    return error;
  SmallVector<int64_t> kernel(op.getKernel());
  SmallVector<int64_t> lastShape(kernel);
  lastShape.append({inputs / groups, outputs});
  bool first = layout == Layout::channels_first;
  SmallVector<int64_t> shape(lastShape);
  if (first) {
    shape = {outputs, inputs / groups};
    append_range(shape, kernel);
  }
  Expected<Tensor> dw = call.allocate(call.resultElementType(), shape);
  if (!dw)
    return dw.takeError();
  // Both channels-last: [N, in..., C] and [N, out..., O]; the sums are [k..., C/groups, O].
  std::vector<double> from = permuted(x.floats, x.shape, toChannelsLast(layout, rank));
  std::vector<double> by = permuted(dy.floats, dy.shape, toChannelsLast(layout, rank));
  std::vector<double> sums(productOf(lastShape));
  const int64_t in = inputs / groups, outs = outputs / groups;
  for (int64_t n = 0; n < x.shape[0]; ++n)
    forEachIndex(outSpatial, [&](ArrayRef<int64_t> position, int64_t here) {
      forEachIndex(kernel, [&](ArrayRef<int64_t> tap, int64_t tapIndex) {
        int64_t there = tapPosition(window, position, tap, inSpatial);
        if (there < 0)
          return;
        const double *pixel = from.data() + (n * productOf(inSpatial) + there) * inputs;
        const double *gradient = by.data() + (n * productOf(outSpatial) + here) * outputs;
        for (int64_t c = 0; c < in; ++c)
          for (int64_t o = 0; o < outputs; ++o)
            sums[(tapIndex * in + c) * outputs + o] += pixel[o / outs * in + c] * gradient[o];
      });
    });
  if (first) {
    // [k..., C/groups, O] -> [O, C/groups, k...]
    SmallVector<int64_t> order = {rank - 1, rank - 2};
    append_range(order, llvm::seq<int64_t>(0, rank - 2));
    sums = permuted(sums, lastShape, order);
  }
  dw->floats = std::move(sums);
  return single(std::move(dw));
}

} // namespace

void addContraction(HandlerTable &table) {
  table.add<DotGeneralOp>(evaluateDotGeneral);
  table.add<ConvOp>(evaluateConv);
  table.add<ConvTransposeOp>(evaluateConvTranspose);
  table.add<ConvWeightGradOp>(evaluateConvWeightGrad);
}

} // namespace torsh::reference
