//===-- PoolingOps.cpp - Window pools and adaptive pools ----------------------------------------------------===//
#include "frontends/torch/aten/Table.h"

using namespace mlir;

namespace torsh::torch {
namespace {

/// The spatial rank is the digit in the operator's name: max_pool2d.
size_t spatialRank(Call &c) {
  for (char digit : c.schema.name)
    if (digit >= '1' && digit <= '3')
      return size_t(digit - '0');
  return 2;
}

/// The input with a batch dim, or none after a failure. `single` says whether the batch dim was added.
Value batched(Call &c, size_t spatial, bool &single) {
  Value x = c.tensor("self");
  single = rankOf(x) == int64_t(spatial) + 1;
  if (single)
    x = c.b.expandDim(x, 0);
  if (rankOf(x) == int64_t(spatial) + 2)
    return x;
  (void)c.fail("a pool over " + Twine(spatial) + " dims needs a tensor of rank " + Twine(spatial + 2) +
               ", not " + typeText(x.getType()));
  return {};
}

LogicalResult giveUnbatched(Call &c, Value y, bool single) { return c.give(single ? c.b.dropDim(y, 0) : y); }

struct Window {
  SmallVector<int64_t> kernel, strides, pad;
};

bool readWindow(Call &c, size_t spatial, Window &w) {
  w.kernel = c.ints("kernel_size", spatial);
  w.strides = c.ints("stride").empty() ? w.kernel : c.ints("stride", spatial);
  w.pad = c.ints("padding", spatial);
  for (size_t i = 0; i < spatial; ++i)
    if (w.kernel[i] < 1 || w.strides[i] < 1 || w.pad[i] < 0 || w.pad[i] > w.kernel[i] / 2)
      (void)c.fail("windows and strides of a pool must be positive, and its padding at most half the window");
  return !c.b.hasFailed();
}

LogicalResult importMaxPool(Call &c) {
  size_t spatial = spatialRank(c);
  bool single;
  Window w;
  Value x = batched(c, spatial, single);
  SmallVector<int64_t> dilations = c.ints("dilation", spatial);
  if (!x || !readWindow(c, spatial, w))
    return failure();
  if (llvm::any_of(dilations, [](int64_t d) { return d < 1; }))
    return c.fail("the dilations of a pool must be positive");
  return giveUnbatched(c,
                       c.b.create<MaxPoolOp>(x, w.kernel, w.strides, dilations, w.pad, w.pad,
                                             c.flag("ceil_mode"), Layout::channels_first),
                       single);
}

LogicalResult importAvgPool(Call &c) {
  size_t spatial = spatialRank(c);
  bool single;
  Window w;
  Value x = batched(c, spatial, single);
  if (!x || !readWindow(c, spatial, w))
    return failure();
  if (!isa<FloatType>(elementTypeOf(x)))
    return c.fail("an average pool needs floats");
  if (c.has("divisor_override"))
    return c.fail("divisor_override is not supported");
  SmallVector<int64_t> dilations(spatial, 1);
  return giveUnbatched(c,
                       c.b.create<AvgPoolOp>(x, w.kernel, w.strides, dilations, w.pad, w.pad,
                                             c.flag("count_include_pad"), c.flag("ceil_mode"),
                                             Layout::channels_first),
                       single);
}

/// Windows of equal size where the input is a multiple of the output; one element is a reduction.
LogicalResult giveAdaptive(Call &c, bool average) {
  size_t spatial = spatialRank(c);
  bool single;
  Value x = batched(c, spatial, single);
  if (!x)
    return failure();
  SmallVector<int64_t> window, none(spatial, 0), ones(spatial, 1), axes;
  bool global = true;
  const Val &sizes = c.value("output_size");
  for (size_t i = 0; i < spatial; ++i) {
    DimAttr have = getDims(x)[i + 2];
    axes.push_back(int64_t(i) + 2);
    Val wanted = !sizes.isSequence() ? sizes : i < sizes.items().size() ? sizes.items()[i] : Val();
    // None keeps the size.
    std::optional<int64_t> target = wanted.isNone() ? dim::asConstant(have) : wanted.knownInt();
    global &= target == 1;
    if (target == 1 && !dim::asConstant(have)) {
      window.push_back(1);
      continue;
    }
    std::optional<int64_t> size = dim::asConstant(have);
    if (!size || !target || *target < 1 || *size % *target) {
      if (target == 1)
        continue;
      return c.fail("an adaptive pool from " + dim::toString(have) + " to " +
                    (target ? Twine(*target) : Twine("?")) + " elements has windows of several sizes");
    }
    window.push_back(*size / *target);
  }
  if (average && !isa<FloatType>(elementTypeOf(x)))
    return c.fail("an average pool needs floats");
  if (global)
    return giveUnbatched(c, c.b.reduce(x, average ? ReduceKind::mean : ReduceKind::max, axes, true), single);
  if (window.size() != spatial ||
      llvm::any_of(axes, [&](int64_t axis) { return !dim::asConstant(getDims(x)[axis]); }))
    return c.fail("an adaptive pool over symbolic sizes needs an output of 1; fix the sizes with --dim");
  Value y =
      average
          ? c.b.create<AvgPoolOp>(x, window, window, ones, none, none, true, false, Layout::channels_first)
          : c.b.create<MaxPoolOp>(x, window, window, ones, none, none, false, Layout::channels_first);
  return giveUnbatched(c, y, single);
}

template <bool average> LogicalResult importAdaptive(Call &c) { return giveAdaptive(c, average); }

} // namespace

void addPoolingOps(Table &table) {
  for (StringRef rank : {"1d", "2d", "3d"}) {
    table.add(("max_pool" + rank +
               "(Tensor self, int[] kernel_size, int[] stride=[], int[] padding=0, int[] dilation=1, "
               "bool ceil_mode=False)")
                  .str(),
              importMaxPool);
    table.add(("avg_pool" + rank +
               "(Tensor self, int[] kernel_size, int[] stride=[], int[] padding=0, bool ceil_mode=False, "
               "bool count_include_pad=True, int? divisor_override=None)")
                  .str(),
              importAvgPool);
    table.add(("adaptive_avg_pool" + rank + "(Tensor self, any output_size)").str(), importAdaptive<true>);
  }
}

} // namespace torsh::torch
