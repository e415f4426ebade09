//===-- KernelChoices.cpp - The knobs of the strategies ------------------------------------------------------===//
#include "passes/lowering/KernelChoices.h"
#include "passes/lowering/MicroKernel.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace torsh {
namespace {

const int64_t tileRows[] = {1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 24};
const int64_t tilePanels[] = {1, 2, 3, 4, 6, 8};
const int64_t unrolls[] = {1, 2, 4, 8};
const int64_t rowBlocks[] = {6, 12, 24, 36, 48, 72, 96, 144, 240, 384};
const int64_t columnPanels[] = {1, 2, 3, 4, 6, 8, 12, 16, 32};
const int64_t pixelCounts[] = {2, 3, 4, 5, 6, 7, 8, 10, 12};
const int64_t channelVectors[] = {1, 2, 3, 4};
const int64_t channelBlocks[] = {32, 64, 128, 256, 512};
const int64_t queryBlocks[] = {12, 24, 36, 48, 72, 96, 144};
const int64_t keyBlocks[] = {32, 64, 128};
const int64_t winogradTiles[] = {1, 2, 4};
const int64_t yes[] = {1};

const KnobInfo knobs[numKnobs] = {
    {Knob::TileRows, "tile_rows", false, tileRows},
    {Knob::TilePanels, "tile_panels", false, tilePanels},
    {Knob::DepthUnroll, "depth_unroll", false, unrolls},
    {Knob::RowBlock, "row_block", true, rowBlocks},
    {Knob::ColumnPanels, "column_panels", true, columnPanels},
    {Knob::Pixels, "pixels", false, pixelCounts},
    {Knob::ChannelVectors, "channel_vectors", false, channelVectors},
    {Knob::ChannelBlock, "channel_block", true, channelBlocks},
    {Knob::QueryBlock, "query_block", true, queryBlocks},
    {Knob::KeyBlock, "key_block", false, keyBlocks},
    {Knob::Winograd, "winograd", true, winogradTiles},
    {Knob::Epilogue, "separate_epilogue", true, yes},
};

/// Accumulators beyond which the register allocator spills: 12 of 16 registers, 24 of 32.
int64_t mostAccumulators(const KernelTarget &target) { return target.registers >= 32 ? 24 : 12; }

/// The element type in which a contraction's kernel sums.
Type accumulatorOf(KernelOp kernel) {
  Operation *root = findAnyOf<DotGeneralOp, ConvOp>(kernel);
  if (!root)
    return Float32Type::get(kernel.getContext());
  Type element = cast<RankedTensorType>(root->getResult(0).getType()).getElementType();
  return element.getIntOrFloatBitWidth() < 32 ? Float32Type::get(kernel.getContext()) : element;
}

/// The longest static last dim of the products of an attention kernel: what its buffers are wide.
int64_t widestHead(KernelOp kernel) {
  int64_t widest = 16;
  kernel.getBody().walk([&](DotGeneralOp op) {
    for (Value value : {op.getLhs(), op.getRhs(), op.getY()})
      if (auto size = dim::asConstant(getDims(value).back()))
        widest = std::max(widest, *size);
  });
  return llvm::alignTo(widest, panelWidth);
}

} // namespace

const KnobInfo &getKnobInfo(Knob knob) { return knobs[unsigned(knob)]; }

std::optional<Knob> findKnob(StringRef name) {
  for (const KnobInfo &info : knobs)
    if (info.name == name)
      return info.knob;
  return std::nullopt;
}

StringRef getLevelName(const KernelTarget &target) { return target.lanes >= 16 ? "v4" : "v3"; }

std::string KernelChoices::toString() const {
  std::string text;
  for (const KnobInfo &info : knobs)
    if (int64_t value = get(info.knob))
      text += llvm::formatv("{0}{1}={2}", text.empty() ? "" : " ", info.name, value);
  return text.empty() ? "default" : text;
}

DictionaryAttr KernelChoices::toAttribute(MLIRContext *context, StringRef level) const {
  Builder builder(context);
  NamedAttrList common, own;
  for (const KnobInfo &info : knobs)
    if (int64_t value = get(info.knob))
      (info.shared ? common : own).append(info.name, builder.getI64IntegerAttr(value));
  if (!own.empty())
    common.append(level, own.getDictionary(context));
  return common.getDictionary(context);
}

KernelChoices KernelChoices::of(Operation *op, StringRef level) {
  KernelChoices choices;
  auto all = op->getAttrOfType<DictionaryAttr>(choicesAttrName);
  auto read = [&](DictionaryAttr entries, bool shared) {
    for (NamedAttribute entry : entries ? entries.getValue() : ArrayRef<NamedAttribute>())
      if (auto knob = findKnob(entry.getName()); knob && getKnobInfo(*knob).shared == shared)
        if (auto number = dyn_cast<IntegerAttr>(entry.getValue()))
          choices.set(*knob, number.getValue().getSExtValue());
  };
  read(all, true);
  if (all && !level.empty())
    read(all.getAs<DictionaryAttr>(level), false);
  return choices;
}

ArrayRef<Knob> getKnobs(KernelOp kernel) {
  static const Knob contraction[] = {Knob::TileRows, Knob::TilePanels, Knob::DepthUnroll, Knob::RowBlock,
                                     Knob::ColumnPanels};
  static const Knob depthwise[] = {Knob::Pixels, Knob::ChannelVectors, Knob::ChannelBlock};
  static const Knob attention[] = {Knob::TileRows, Knob::TilePanels, Knob::DepthUnroll, Knob::QueryBlock,
                                   Knob::KeyBlock};
  return llvm::StringSwitch<ArrayRef<Knob>>(kernel.getAnchor())
      .Cases({"dot", "conv"}, contraction)
      .Case("depthwise", depthwise)
      .Case("attention", attention)
      .Default({});
}

std::string explainIllegal(KernelOp kernel, const KernelTarget &target, const KernelChoices &choices) {
  ArrayRef<Knob> read = getKnobs(kernel);
  for (const KnobInfo &info : knobs) {
    int64_t value = choices.get(info.knob);
    if (!value)
      continue;
    if (!llvm::is_contained(read, info.knob))
      return llvm::formatv("kernels anchored by '{0}' have no choice '{1}'", kernel.getAnchor(), info.name);
    if (!llvm::is_contained(info.values, value))
      return llvm::formatv("{0} is no value of '{1}'", value, info.name);
  }
  int64_t most = mostAccumulators(target);
  auto tooMany = [&](int64_t count) {
    return llvm::formatv("{0} accumulators are more than the {1} that the registers hold", count, most).str();
  };
  int64_t rows = choices.get(Knob::TileRows), panels = choices.get(Knob::TilePanels);
  if (bool(rows) != bool(panels))
    return "tile_rows and tile_panels are chosen together";
  if (int64_t count = rows * panels * registersOfPanel(target, accumulatorOf(kernel)); count > most)
    return tooMany(count);
  bool hasColumns = llvm::is_contained(read, Knob::ColumnPanels);
  if (hasColumns && panels && choices.get(Knob::ColumnPanels, defaultColumnPanels) % panels)
    return "column_panels is not a multiple of tile_panels";
  int64_t pixels = choices.get(Knob::Pixels), vectors = choices.get(Knob::ChannelVectors);
  if (int64_t count = pixels * (vectors ? vectors : 2); count > most)
    return tooMany(count);
  if (int64_t queries = choices.get(Knob::QueryBlock, 72), keys = choices.get(Knob::KeyBlock, 64);
      kernel.getAnchor() == "attention" && !choices.isDefault()) {
    constexpr int64_t stackElements = 65536;
    int64_t width = widestHead(kernel);
    if (2 * keys * width + queries * (keys + width) > stackElements)
      return "the buffers of the block would not fit the stack";
  }
  return "";
}

} // namespace torsh
