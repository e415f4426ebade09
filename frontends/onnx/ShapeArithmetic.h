//===-- ShapeArithmetic.h - Arithmetic of sizes at import
//---------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_SHAPEARITHMETIC_H
#define TORSH_FRONTENDS_ONNX_SHAPEARITHMETIC_H

#include "frontends/onnx/GraphImport.h"

namespace torsh::onnx {

/// Whether `shapeArithmetic` knows the op.
bool isShapeArithmetic(llvm::StringRef op);

/// The result of an elementwise op, cast or reduction over known sizes; none when an operand is not known, or
/// the result cannot be decided (a comparison of unrelated symbols).
std::optional<ShapeValue> shapeArithmetic(NodeImport &node);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_SHAPEARITHMETIC_H
