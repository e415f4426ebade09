//===-- Objects.h - Handles of lists, optionals, strings and boxed tensors ----------------------------------===//
//
// A handle is a rank-0 i64 tensor whose encoding describes the object: ["tensor", f32, rank], ["strings", rank],
// ["sequence", item] or ["optional", item]. A rank of -1 is not known.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_OBJECTS_H
#define TORSH_DIALECTS_TORSH_OBJECTS_H

#include "dialects/torsh/Torsh.h"

#define GET_OP_CLASSES
#include "dialects/torsh/Objects.h.inc"

namespace torsh::object {

/// Descriptions.
mlir::ArrayAttr tensor(mlir::Type element, int64_t rank);
mlir::ArrayAttr strings(mlir::MLIRContext *context, int64_t rank);
mlir::ArrayAttr sequence(mlir::ArrayAttr item);
mlir::ArrayAttr optional(mlir::ArrayAttr item);

/// The type of a handle, and what a type is the handle of; null when it is none.
mlir::RankedTensorType handle(mlir::ArrayAttr description);
mlir::ArrayAttr describe(mlir::Type type);

bool isTensor(mlir::ArrayAttr description);
bool isStrings(mlir::ArrayAttr description);
bool isSequence(mlir::ArrayAttr description);
bool isOptional(mlir::ArrayAttr description);
/// Of a sequence or optional.
mlir::ArrayAttr itemOf(mlir::ArrayAttr description);
/// The element type of the innermost tensors; null for strings.
mlir::Type elementOf(mlir::ArrayAttr description);
/// Of a tensor or strings; -1 when it is not known.
int64_t rankOf(mlir::ArrayAttr description);
/// What describes the objects of both; null when they differ in more than ranks.
mlir::ArrayAttr join(mlir::ArrayAttr a, mlir::ArrayAttr b);
/// torsh_port.kind; 0 for null.
uint32_t portKind(mlir::ArrayAttr description);
/// "sequence<tensor<f32>>".
std::string toString(mlir::ArrayAttr description);

/// TORSH_OBJECT_* of a name, none for an unknown one.
std::optional<uint32_t> numberOf(llvm::StringRef function);

} // namespace torsh::object

#endif // TORSH_DIALECTS_TORSH_OBJECTS_H
