//===-- ApplyWinograd.cpp - 3 x 3 convolutions as products of transformed tiles -----------------------------===//
#include "dialects/torsh/Winograd.h"
#include "passes/graph/FoldedMoves.h"
#include "passes/graph/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_APPLYWINOGRADPASS
#include "passes/graph/Passes.h.inc"

namespace {

/// What one core of the machines that we measured on does in a nanosecond. Only their ratios matter.
constexpr double productsPerNs = 42; ///< multiply-adds of a register-tiled kernel
constexpr double cachedBytesPerNs =
    16;                               ///< intermediate values that a later kernel reads, in the outer caches
constexpr double coldBytesPerNs = 12; ///< weights, which no cache holds from one run to the next
/// How much quicker it has to be.
constexpr double worthwhile = 0.85;

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

struct Candidate {
  ConvOp conv;
  int64_t images, height, width, channels, outputs; ///< of the output; an unknown batch counts as 1

  double directNs() const {
    double pixels = double(images) * height * width;
    return pixels * 9 * channels * outputs / productsPerNs + 9.0 * channels * outputs * 4 / coldBytesPerNs;
  }
  double winogradNs(int64_t tile) const {
    double tiles = double(images) * double((height + tile - 1) / tile) * double((width + tile - 1) / tile);
    double places = double((tile + 2) * (tile + 2));
    // Rows of the products come in sixes.
    double rows = std::ceil(tiles / 6) * 6;
    double products = places * rows * channels * outputs / productsPerNs;
    // Both intermediate values are written once and read once.
    double traffic = places * tiles * (channels + outputs) * 4 * 2 / cachedBytesPerNs;
    return products + traffic + places * channels * outputs * 4 / coldBytesPerNs;
  }
};

/// The tile that was chosen for the convolution before, none without such a choice.
std::optional<int64_t> chosenTile(ConvOp conv) {
  auto choices = conv->getAttrOfType<DictionaryAttr>("torsh.choices");
  auto tile = choices ? choices.getAs<IntegerAttr>("winograd") : IntegerAttr();
  if (!tile)
    return std::nullopt;
  return tile.getValue().getSExtValue();
}

/// A convolution that has the form, none for others.
std::optional<Candidate> matchCandidate(ConvOp conv) {
  auto all = [](ArrayRef<int64_t> values, int64_t wanted) {
    return llvm::all_of(values, [&](int64_t value) { return value == wanted; });
  };
  RankedTensorType w = typeOf(conv.getW());
  if (conv.getLayout() != Layout::channels_last || w.getRank() != 4 || !w.getElementType().isF32() ||
      w.getDimSize(0) != 3 || w.getDimSize(1) != 3 || conv.getGroups() != 1 || !all(conv.getStrides(), 1) ||
      !all(conv.getDilations(), 1) || !isa_and_nonnull<WeightAttr>(getConstantAttr(conv.getW())))
    return std::nullopt;
  // Whole vectors of channels on both sides.
  if (w.getDimSize(2) % 8 || w.getDimSize(3) % 8)
    return std::nullopt;
  SmallVector<DimAttr> dims = getDims(conv.getY());
  auto height = dim::asConstant(dims[1]), width = dim::asConstant(dims[2]);
  if (!height || !width || *height < 1 || *width < 1)
    return std::nullopt;
  return Candidate{conv,           dim::asConstant(dims[0]).value_or(1), *height, *width, w.getDimSize(2),
                   w.getDimSize(3)};
}

void apply(const Candidate &candidate, int64_t tile) {
  ConvOp conv = candidate.conv;
  OpBuilder builder(conv);
  Location loc = conv.getLoc();
  MLIRContext *context = builder.getContext();
  Type element = typeOf(conv.getX()).getElementType();
  int64_t places = (tile + 2) * (tile + 2);
  SmallVector<DimAttr> dims = getDims(conv.getY());
  DimAttr tiles = getWinogradTiles(dims[0], dims[1], dims[2], tile);
  auto tilesOf = [&](int64_t channels) {
    return makeTensorType({dim::constant(context, places), tiles, dim::constant(context, channels)}, element);
  };
  Value weights = appendStep(builder, loc, conv.getW(), "winograd", {tile},
                             RankedTensorType::get({places, candidate.channels, candidate.outputs}, element));
  Value patches = WinogradInputOp::create(builder, loc, tilesOf(candidate.channels), conv.getX(), tile,
                                          conv.getLow(), conv.getHigh());
  Value sums =
      DotGeneralOp::create(builder, loc, tilesOf(candidate.outputs), patches, weights, ArrayRef<int64_t>{0},
                           ArrayRef<int64_t>{0}, ArrayRef<int64_t>{2}, ArrayRef<int64_t>{1});
  Value y = WinogradOutputOp::create(builder, loc, conv.getY().getType(), sums, tile);
  if (Value bias = conv.getBias())
    y = AddOp::create(builder, loc, y,
                      BroadcastOp::create(builder, loc, y.getType(), bias, ArrayRef<int64_t>{3}));
  conv.getY().replaceAllUsesWith(y);
  conv.erase();
}

struct ApplyWinograd : impl::ApplyWinogradPassBase<ApplyWinograd> {
  void runOnOperation() override {
    SmallVector<Candidate> candidates;
    getOperation().walk([&](ConvOp conv) {
      if (auto candidate = matchCandidate(conv))
        candidates.push_back(*candidate);
    });
    for (const Candidate &candidate : candidates) {
      if (std::optional<int64_t> chosen = chosenTile(candidate.conv)) {
        // Taken: it must not make two kernels different.
        candidate.conv->removeDiscardableAttr("torsh.choices");
        if (getWinogradTransform(*chosen))
          apply(candidate, *chosen);
        continue;
      }
      double limit = worthwhile * candidate.directNs();
      int64_t tile = candidate.winogradNs(4) <= candidate.winogradNs(2) ? 4 : 2;
      if (candidate.winogradNs(tile) < limit)
        apply(candidate, tile);
    }
  }
};

} // namespace
} // namespace torsh
