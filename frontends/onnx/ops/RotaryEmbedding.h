//===-- RotaryEmbedding.h - Rotary position embedding
//-------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_ROTARYEMBEDDING_H
#define TORSH_FRONTENDS_ONNX_OPS_ROTARYEMBEDDING_H

#include "frontends/onnx/NodeImport.h"

namespace torsh::onnx {

/// RotaryEmbedding-23: x, cos_cache, sin_cache, position_ids (optional).
llvm::LogicalResult importRotaryEmbedding(NodeImport &n);
/// The pairs of the first elements of the last dim of x, of rank 4, turned by the angles with the given cosines and
/// sines; these have the dims of x, but one entry a pair. Pairs are neighbours when `interleaved`, else halves. The last
/// dims must be static, and that of x at least twice as large.
mlir::Value rotatePairs(NodeImport &n, mlir::Value x, mlir::Value cosine, mlir::Value sine, bool interleaved);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_ROTARYEMBEDDING_H
