//===-- Einsum.h - Einstein summation
//-----------------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_EINSUM_H
#define TORSH_FRONTENDS_ONNX_OPS_EINSUM_H

#include "frontends/onnx/NodeImport.h"

namespace torsh::onnx {

/// Einsum-12: any number of operands, ellipsis, repeated labels, implicit results.
llvm::LogicalResult importEinsum(NodeImport &n);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_EINSUM_H
