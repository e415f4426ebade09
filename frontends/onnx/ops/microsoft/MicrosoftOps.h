//===-- MicrosoftOps.h - The operators of domain com.microsoft
//----------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_MICROSOFT_MICROSOFTOPS_H
#define TORSH_FRONTENDS_ONNX_OPS_MICROSOFT_MICROSOFTOPS_H

#include "frontends/onnx/NodeImport.h"

namespace torsh::onnx {

/// All of them: the topics below.
void addMicrosoftOps(OpTable &table);

namespace microsoft {

void addFusedOps(OpTable &table);
void addNormOps(OpTable &table);
void addQuantizedElementwiseOps(OpTable &table);
void addQuantizedPoolOps(OpTable &table);
void addQuantizedProductOps(OpTable &table);
void addBlockQuantizedOps(OpTable &table);
void addAttentionOps(OpTable &table);
void addMultiHeadAttentionOps(OpTable &table);
void addGroupQueryAttentionOps(OpTable &table);
void addDynamicQuantizeLstmOps(OpTable &table);

/// Imports the node as the operator `name` of the default domain in `opset`.
llvm::LogicalResult importStandard(NodeImport &n, llvm::StringRef name, int64_t opset);
/// The value that output `i` of the node was set to; null when it was not.
mlir::Value resultOf(NodeImport &n, size_t i);

} // namespace microsoft
} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_MICROSOFT_MICROSOFTOPS_H
