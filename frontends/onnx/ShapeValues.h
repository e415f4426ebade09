//===-- ShapeValues.h - Computing with sizes at import
//------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_SHAPEVALUES_H
#define TORSH_FRONTENDS_ONNX_SHAPEVALUES_H

#include "frontends/onnx/GraphImport.h"

namespace torsh::onnx {

/// Integer tensors of rank <= 1 with at most this many elements are followed as lists of dim expressions.
constexpr int64_t maxShapeElements = 64;

/// Evaluates a node over known sizes, without building an op. True when all results have been recorded; false
/// leaves the node to its import function.
bool evaluateShapeNode(NodeImport &node);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_SHAPEVALUES_H
