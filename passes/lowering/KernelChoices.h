//===-- KernelChoices.h - The knobs of the strategies --------------------------------------------------------===//
//
// What a strategy may decide either way stands here as a knob with its legal values. A kernel without the attribute
// `torsh.choices` gets the strategies' own defaults. The attribute is a dictionary: knobs that shape the tile space,
// which all CPU levels of an artifact share, stand in it directly, the others below the name of a CPU level.
//
//   torsh.kernel @k "dot" [] {...} {torsh.choices = {row_block = 96, v3 = {tile_rows = 4, depth_unroll = 2}}}
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_PASSES_LOWERING_KERNELCHOICES_H
#define TORSH_PASSES_LOWERING_KERNELCHOICES_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"
#include <array>
#include <optional>
#include <string>

namespace torsh {

class KernelOp;
struct KernelTarget;

/// Panels of a contraction's tile that nobody chose.
constexpr int64_t defaultColumnPanels = 4;

/// One decision of a strategy, or of a graph pass about one op.
enum class Knob : unsigned {
  TileRows,       ///< rows of the register tile
  TilePanels,     ///< panels of 16 columns of the register tile
  DepthUnroll,    ///< steps of the contracting dim in one round of the innermost loop
  RowBlock,       ///< rows of a tile of the tile space
  ColumnPanels,   ///< panels of a tile of the tile space
  Pixels,         ///< pixels of a depthwise block
  ChannelVectors, ///< vectors of channels of a depthwise block
  ChannelBlock,   ///< channels of a depthwise tile
  QueryBlock,     ///< queries of a tile of attention
  KeyBlock,       ///< keys that attention streams at once
  Winograd,       ///< outputs of a Winograd tile along a dim; 1 is the direct sum
  Epilogue,       ///< 1 when elementwise code runs in a kernel of its own, after the anchor's
};
constexpr unsigned numKnobs = unsigned(Knob::Epilogue) + 1;

/// Name of the attribute on a torsh.kernel, torsh.group or torsh.conv.
constexpr llvm::StringLiteral choicesAttrName = "torsh.choices";

/// Counts up whenever the strategies change so much that times measured before say nothing any more.
constexpr int64_t strategyRevision = 3;

struct KnobInfo {
  Knob knob;
  llvm::StringRef name;
  bool shared; ///< decides about the tile space or the graph, so that all CPU levels have one value
  llvm::ArrayRef<int64_t> values; ///< all values that are ever legal, in ascending order
};

const KnobInfo &getKnobInfo(Knob knob);
std::optional<Knob> findKnob(llvm::StringRef name);

/// A value for some knobs; the others are at the strategy's default.
class KernelChoices {
public:
  /// 0 stands for the default.
  int64_t get(Knob knob) const { return values[unsigned(knob)]; }
  int64_t get(Knob knob, int64_t otherwise) const { return get(knob) ? get(knob) : otherwise; }
  void set(Knob knob, int64_t value) { values[unsigned(knob)] = value; }
  bool isDefault() const { return values == std::array<int64_t, numKnobs>(); }
  bool operator==(const KernelChoices &other) const { return values == other.values; }

  /// "tile_rows=4 row_block=96"; "default" without any.
  std::string toString() const;
  /// The attribute's value, with the knobs of registers below the name of the level.
  mlir::DictionaryAttr toAttribute(mlir::MLIRContext *context, llvm::StringRef level) const;
  /// What the op's attribute says for a level; with an empty level only what all levels share. Entries that are no knob
  /// or no number count as defaults here, and explainIllegal names them.
  static KernelChoices of(mlir::Operation *op, llvm::StringRef level = "");

private:
  std::array<int64_t, numKnobs> values = {};
};

/// Name of the CPU level of a target.
llvm::StringRef getLevelName(const KernelTarget &target);

/// The knobs that the strategy of a kernel reads.
llvm::ArrayRef<Knob> getKnobs(KernelOp kernel);

/// Why the choices cannot be built for a kernel, as a clause; empty when they can. Only explicit choices count: a
/// strategy makes its own defaults fit them.
std::string explainIllegal(KernelOp kernel, const KernelTarget &target, const KernelChoices &choices);

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_KERNELCHOICES_H
