//===-- FlexAttention.h - Attention with subgraphs on scores and weights ----------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_FLEXATTENTION_H
#define TORSH_FRONTENDS_ONNX_OPS_FLEXATTENTION_H

#include "frontends/onnx/NodeImport.h"

namespace torsh::onnx {

/// ai.onnx.preview FlexAttention.
llvm::LogicalResult importFlexAttention(NodeImport &n);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_FLEXATTENTION_H
