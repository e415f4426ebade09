//===-- LoopBody.h - What importing loops shares ----------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_LOOPBODY_H
#define TORSH_FRONTENDS_ONNX_OPS_LOOPBODY_H

#include "frontends/onnx/GraphImport.h"

namespace torsh::onnx {

/// The graph of an attribute, null without one.
const Graph *graphAttr(NodeImport &node, llvm::StringRef name);
/// A name for an SSA value.
NamedValue namedValue(mlir::Value value);
/// Refuses carried values whose types change from one iteration to the next.
llvm::LogicalResult checkStable(NodeImport &node, llvm::ArrayRef<mlir::Value> initial,
                                llvm::ArrayRef<mlir::Value> next);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_LOOPBODY_H
