//===- NodeSort.h - Order of computation of a node list ---------*- C++ -*-===//
#ifndef TORSH_FRONTENDS_ONNX_READER_NODESORT_H
#define TORSH_FRONTENDS_ONNX_READER_NODESORT_H

#include "frontends/onnx/reader/Checks.h"

namespace torsh::onnx {

/// Sorts nodes by `dependencies` (for each node, the nodes whose values it uses), keeping the given order
/// where it is possible. On a cycle returns false and puts the nodes of one cycle into `order`.
bool sortNodes(ArrayRef<llvm::SmallVector<uint32_t, 4>> dependencies, NodeOrder &order);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_READER_NODESORT_H
