//===-- ChannelsLast.h - Tensors whose channels are the last dim
//--------------------------------------------===//
//
// The import composes in ONNX's layout, channels first; torsh-channels-last removes the transposes where it computes in
// the other one anyway.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_MICROSOFT_CHANNELSLAST_H
#define TORSH_FRONTENDS_ONNX_OPS_MICROSOFT_CHANNELSLAST_H

#include "frontends/onnx/ops/Compose.h"

namespace torsh::onnx::microsoft {

/// [N, spatial..., C] -> [N, C, spatial...]
inline mlir::Value toChannelsFirst(NodeImport &n, mlir::Value x) {
  llvm::SmallVector<int64_t> permutation = {0, rankOf(x) - 1};
  permutation.append(range(1, rankOf(x) - 1));
  return n.transpose(x, permutation);
}

/// [N, C, spatial...] -> [N, spatial..., C]
inline mlir::Value toChannelsLast(NodeImport &n, mlir::Value x) {
  llvm::SmallVector<int64_t> permutation = {0};
  permutation.append(range(2, rankOf(x)));
  permutation.push_back(1);
  return n.transpose(x, permutation);
}

} // namespace torsh::onnx::microsoft

#endif // TORSH_FRONTENDS_ONNX_OPS_MICROSOFT_CHANNELSLAST_H
