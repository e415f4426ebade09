//===-- Torsh.h - The torsh dialect: attributes, interfaces and ops -----------------------------------------===//
#ifndef TORSH_DIALECTS_TORSH_TORSH_H
#define TORSH_DIALECTS_TORSH_TORSH_H

#include "dialects/torsh/TypeChecks.h"
#include "dialects/torsh/WeightStore.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace torsh {

class VJPContext;

/// The kinds of dim expressions (Dim.h).
enum class DimKind : uint32_t { Constant, Symbol, Add, Mul, FloorDiv, CeilDiv, Mod, Min, Max };

/// The derivative is zero everywhere that it exists.
template <typename ConcreteType>
class ZeroGradient : public mlir::OpTrait::TraitBase<ConcreteType, ZeroGradient> {};
/// No derivative is defined.
template <typename ConcreteType>
class NotDifferentiable : public mlir::OpTrait::TraitBase<ConcreteType, NotDifferentiable> {};
/// The result at an index depends on the operands at the same index only.
template <typename ConcreteType>
class ElementwiseOp : public mlir::OpTrait::TraitBase<ConcreteType, ElementwiseOp> {};

} // namespace torsh

#include "dialects/torsh/TorshEnums.h.inc"

#include "dialects/torsh/TorshDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/torsh/TorshAttrs.h.inc"

#include "dialects/torsh/TorshInterfaces.h.inc"

#define GET_OP_CLASSES
#include "dialects/torsh/TorshOps.h.inc"

#endif // TORSH_DIALECTS_TORSH_TORSH_H
