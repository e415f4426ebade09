//===-- AttentionHeads.h - Heads of attention operands ----------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_ATTENTIONHEADS_H
#define TORSH_FRONTENDS_ONNX_OPS_ATTENTIONHEADS_H

#include "frontends/onnx/ops/Compose.h"

namespace torsh::onnx {

/// The size of one of `heads` equal parts of a dim. A dim that is symbolic becomes a multiple of `heads` by a guard.
/// Fails as malformed when `heads`, which `attribute` gives, does not divide it.
llvm::FailureOr<DimAttr> headSize(NodeImport &n, DimAttr whole, int64_t heads, llvm::StringRef attribute);
/// [B, S, heads * D] -> [B, heads, S, D] with the number of heads of an attribute; rank 4 stays. Null after a failure.
mlir::Value splitHeads(NodeImport &n, mlir::Value x, llvm::StringRef attribute);
/// Repeats each key/value head of [B, H, S, D] so that there is one for each of `heads` query heads; null after a failure.
mlir::Value repeatHeads(NodeImport &n, mlir::Value x, DimAttr heads);
/// 1 / sqrt(size), as a number or, for a symbolic size, as a rank-0 tensor of the element type.
struct HeadScale {
  double number = 1;
  mlir::Value tensor;
  HeadScale(NodeImport &n, DimAttr size, mlir::Type elementType);
  /// x times the part that is not a number.
  mlir::Value apply(NodeImport &n, mlir::Value x) const;
};

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_ATTENTIONHEADS_H
