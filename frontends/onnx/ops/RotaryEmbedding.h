//===-- RotaryEmbedding.h - Rotary position embedding
//-------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_ROTARYEMBEDDING_H
#define TORSH_FRONTENDS_ONNX_OPS_ROTARYEMBEDDING_H

#include "frontends/onnx/NodeImport.h"

namespace torsh::onnx {

/// RotaryEmbedding-23: x, cos_cache, sin_cache, position_ids (optional).
llvm::LogicalResult importRotaryEmbedding(NodeImport &n);
/// com.microsoft.RotaryEmbedding: x, position_ids, cos_cache, sin_cache.
llvm::LogicalResult importContribRotaryEmbedding(NodeImport &n);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_ROTARYEMBEDDING_H
