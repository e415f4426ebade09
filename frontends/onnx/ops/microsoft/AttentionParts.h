//===-- AttentionParts.h - What the attention operators have in common
//--------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_MICROSOFT_ATTENTIONPARTS_H
#define TORSH_FRONTENDS_ONNX_OPS_MICROSOFT_ATTENTIONPARTS_H

#include "frontends/onnx/ops/Compose.h"

namespace torsh::onnx::microsoft {

inline DimAttr dimOf(NodeImport &n, int64_t value) { return dim::constant(n.context(), value); }

//===-- Heads
//----------------------------------------------------------------------------------------------------===//

/// [B, S, heads * D] -> [B, heads, S, D]; null after a refusal.
mlir::Value splitHeads(NodeImport &n, mlir::Value x, int64_t heads);
/// [B, heads, S, D] -> [B, S, heads * D]
mlir::Value mergeHeads(NodeImport &n, mlir::Value x);
/// Joins a cache [B, heads, P, D] with new keys or values along axis 2; null after a refusal.
mlir::Value appendToCache(NodeImport &n, mlir::Value past, mlir::Value added);
/// A slice [start, start + size) of the only dim of a bias; null when the bias is null.
mlir::Value biasPart(NodeImport &n, mlir::Value bias, DimAttr start, DimAttr size);
/// x + bias along the last dim; x when the bias is null. Null after a refusal.
mlir::Value addBias(NodeImport &n, mlir::Value x, mlir::Value bias);

//===-- Masks
//----------------------------------------------------------------------------------------------------===//

/// What is added to the scores [B, heads, S, T]; parts may have 1 in the first dims.
class ScoreMask {
public:
  /// `queries` and `keys` are S and T.
  ScoreMask(NodeImport &n, mlir::Type element, DimAttr batch, DimAttr queries, DimAttr keys)
      : n(n), element(element), batch(batch), queries(queries), keys(keys) {}

  /// Null when nothing has been added.
  mlir::Value value() const { return mask; }
  /// A part of rank 4 that broadcasts to the scores.
  llvm::LogicalResult add(mlir::Value part);
  /// Adds `hidden` wherever `shown`, bool of rank 4, is false.
  llvm::LogicalResult addShown(mlir::Value shown, double hidden);
  /// The operand mask_index or key_padding_mask in all its forms: lengths [B]; ends and starts [2B]; 0 where hidden in
  /// [B, T], [B, S, T] or [B, 1, M, M], whose row of the first query is `past`.
  llvm::LogicalResult addPadding(mlir::Value given, DimAttr past, double hidden);
  /// The operand attention_bias [B or 1, heads or 1, S, T].
  llvm::LogicalResult addBias(mlir::Value bias);
  /// i64 [1, 1, 1, T] or [1, 1, S, 1]: the numbers of the keys or queries.
  mlir::Value keyIndex() { return index(3, keys); }
  mlir::Value queryIndex() { return index(2, queries); }
  /// Compares after broadcasting; null after a refusal.
  mlir::Value compare(mlir::Value a, mlir::Value b, ComparePredicate predicate);

private:
  mlir::Value index(int64_t axis, DimAttr size);

  NodeImport &n;
  mlir::Type element;
  DimAttr batch, queries, keys;
  mlir::Value mask;
};

//===-- Attention
//------------------------------------------------------------------------------------------------===//

/// The attribute `scale`, or 1 / sqrt(head size) when it is absent or 0; none after a refusal.
std::optional<double> scoreScale(NodeImport &n, mlir::Value q);

/// How scores become weights.
struct Scoring {
  double scale = 1, softcap = 0;
  bool causal = false;
  /// One more score a head, which takes weight and gives no value: [heads], or null.
  mlir::Value sink;
  /// Whether the scores and weights themselves are asked for.
  bool keepScores = false;
};

/// What attention gives; scores and weights only with `keepScores`.
struct Attended {
  mlir::Value y, scores, weights;
};

/// softmax(scale q k^T + mask) v for q [B, N, S, D], k [B, M, T, D] and v [B, M, T, Dv], where M divides N and each head
/// of k and v serves N / M heads of q. The y of a failure is null.
Attended attend(NodeImport &n, mlir::Value q, mlir::Value k, mlir::Value v, mlir::Value mask,
                const Scoring &scoring);

} // namespace torsh::onnx::microsoft

#endif // TORSH_FRONTENDS_ONNX_OPS_MICROSOFT_ATTENTIONPARTS_H
