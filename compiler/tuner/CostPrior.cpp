//===-- CostPrior.cpp - What a search may expect of choices --------------------------------------------------===//
#include "compiler/tuner/CostPrior.h"
#include "dialects/torsh/Dim.h"

using namespace mlir;

namespace torsh {
namespace {

/// The contraction of a kernel as a matrix product; the second one of attention counts like its first.
struct ProductSizes {
  double rows = 1, columns = 1, depth = 1;
};

double evaluate(DimAttr dim, const dim::Bindings &symbols) {
  return double(std::max<int64_t>(1, dim::evaluate(dim, symbols).value_or(1)));
}

ProductSizes sizesOf(KernelOp kernel, const dim::Bindings &symbols) {
  ProductSizes sizes;
  if (auto conv = findOp<ConvOp>(kernel)) {
    SmallVector<DimAttr> y = getDims(conv.getY()), w = getDims(conv.getW());
    for (DimAttr dim : ArrayRef(y).drop_front().drop_back())
      sizes.rows *= evaluate(dim, symbols);
    sizes.columns = evaluate(y.back(), symbols) / conv.getGroups();
    for (DimAttr dim : ArrayRef(w).drop_back())
      sizes.depth *= evaluate(dim, symbols);
  } else if (auto dot = findOp<DotGeneralOp>(kernel)) {
    SmallVector<DimAttr> y = getDims(dot.getY()), lhs = getDims(dot.getLhs());
    for (DimAttr dim : ArrayRef(y).drop_front(dot.getLhsBatch().size()).drop_back())
      sizes.rows *= evaluate(dim, symbols);
    sizes.columns = evaluate(y.back(), symbols);
    for (int64_t axis : dot.getLhsContract())
      sizes.depth *= evaluate(lhs[axis], symbols);
  }
  return sizes;
}

double roundedUp(double count, double block) { return std::ceil(count / block) * block; }

/// Cycles for a vector of products of the register tile, and what its borders waste.
double productCost(const KernelChoices &choices, const KernelTarget &target, const ProductSizes &sizes) {
  double rows = choices.get(Knob::TileRows, std::min<int64_t>(6, int64_t(sizes.rows)));
  double panels = choices.get(Knob::TilePanels, target.registers >= 32 ? 4 : 1);
  double unroll = choices.get(Knob::DepthUnroll, 1);
  double vectors = panels * panelWidth / target.lanes, sums = rows * vectors;
  constexpr double latency = 4, loadsPerCycle = 2, multipliesPerCycle = 2, width = 6;
  // Weights that the first-level cache does not hold from one row of tiles to the next come from the second.
  double weightLoads = sizes.depth * panels * panelWidth * sizeof(float) > 24576 ? 1.5 * vectors : vectors;
  double cycles = std::max({sums / multipliesPerCycle, (rows + weightLoads) / loadsPerCycle,
                            (sums + rows + vectors + 2 / unroll) / width, latency});
  double block = choices.get(Knob::RowBlock, 72);
  double blocks = std::ceil(sizes.rows / block), lastBlock = sizes.rows - (blocks - 1) * block;
  double worked = (blocks - 1) * roundedUp(block, rows) + roundedUp(lastBlock, rows);
  // Each block of rows reads all weights once more.
  double reading = blocks * sizes.depth * sizes.columns / 8;
  return cycles / sums * worked * sizes.depth * sizes.columns / target.lanes + reading;
}

double depthwiseCost(const KernelChoices &choices, const KernelTarget &target, double width,
                     double channels) {
  double pixels = choices.get(Knob::Pixels, 4), vectors = choices.get(Knob::ChannelVectors, 2);
  constexpr double latency = 4, multipliesPerCycle = 2;
  double cycles = std::max(pixels * vectors / multipliesPerCycle, latency);
  return cycles / (pixels * vectors) * roundedUp(width, pixels) * roundedUp(channels, vectors * target.lanes);
}

/// Values up to the first that is no smaller than the size: all beyond are one block.
std::vector<int64_t> valuesUpTo(Knob knob, double size) {
  std::vector<int64_t> values;
  for (int64_t value : getKnobInfo(knob).values) {
    values.push_back(value);
    if (double(value) >= size)
      break;
  }
  return values;
}

} // namespace

SearchSpace makeSearchSpace(KernelOp kernel, const KernelTarget &target, const dim::Bindings &symbols) {
  SearchSpace space;
  ProductSizes sizes = sizesOf(kernel, symbols);
  space.isLegal = [=](const KernelChoices &choices) {
    return explainIllegal(kernel, target, choices).empty();
  };
  auto axis = [&](Knob knob, double most = 1e18) { return SearchSpace::Axis{knob, valuesUpTo(knob, most)}; };
  ArrayRef<Knob> knobs = getKnobs(kernel);
  if (llvm::is_contained(knobs, Knob::Pixels)) {
    SmallVector<DimAttr> y = getDims(findOp<ConvOp>(kernel).getY());
    double width = evaluate(y[y.size() - 2], symbols), channels = evaluate(y.back(), symbols);
    space.prior = [=](const KernelChoices &choices) {
      return depthwiseCost(choices, target, width, channels);
    };
    space.stages = {
        {axis(Knob::Pixels, width), axis(Knob::ChannelVectors, std::ceil(channels / target.lanes))},
        {axis(Knob::ChannelBlock, channels)}};
    return space;
  }
  if (knobs.empty())
    return space;
  space.prior = [=](const KernelChoices &choices) { return productCost(choices, target, sizes); };
  double panels = std::ceil(sizes.columns / panelWidth);
  space.stages.push_back({axis(Knob::TileRows, sizes.rows), axis(Knob::TilePanels, panels)});
  if (llvm::is_contained(knobs, Knob::RowBlock)) {
    // With few rows the register tile is as wide as the tile, or wider than its default.
    if (sizes.rows <= 3)
      space.stages.back().push_back(axis(Knob::ColumnPanels, panels));
    else
      space.stages.push_back({axis(Knob::ColumnPanels, panels)});
    space.stages.push_back({axis(Knob::RowBlock, sizes.rows)});
  }
  if (llvm::is_contained(knobs, Knob::KeyBlock))
    space.stages.push_back({axis(Knob::QueryBlock), axis(Knob::KeyBlock)});
  SearchSpace::Axis unroll = axis(Knob::DepthUnroll, sizes.depth);
  llvm::erase(unroll.values, 1); // the default
  space.stages.push_back({unroll});
  return space;
}

} // namespace torsh
