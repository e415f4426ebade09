//===-- SliceOps.h - Ops that cut and join tensors
//----------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_SLICEOPS_H
#define TORSH_FRONTENDS_ONNX_OPS_SLICEOPS_H

#include "frontends/onnx/NodeImport.h"

namespace torsh::onnx {

/// Slice, Split, Concat, Pad, DepthToSpace and SpaceToDepth.
void addSliceOps(OpTable &table);

/// `x[starts + i * steps]` for i < sizes; `x` itself when that is all of it.
mlir::Value sliceOf(NodeImport &node, mlir::Value x, llvm::ArrayRef<DimAttr> starts,
                    llvm::ArrayRef<DimAttr> sizes, llvm::ArrayRef<int64_t> steps);
/// `size` elements from `start` along one axis.
mlir::Value sliceAlong(NodeImport &node, mlir::Value x, int64_t axis, DimAttr start, DimAttr size);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_SLICEOPS_H
