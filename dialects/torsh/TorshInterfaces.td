// Op interfaces and traits of the torsh dialect.
#ifndef TORSH_INTERFACES_TD
#define TORSH_INTERFACES_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"

/// The derivative is zero everywhere that it exists (floor, comparisons, integer ops, indices).
def Torsh_ZeroGradient : NativeOpTrait<"ZeroGradient"> { let cppNamespace = "::torsh"; }
/// No derivative is defined; an active op of this kind is an error.
def Torsh_NotDifferentiable : NativeOpTrait<"NotDifferentiable"> { let cppNamespace = "::torsh"; }
/// The result at an index depends on the operands at the same index only.
def Torsh_Elementwise : NativeOpTrait<"ElementwiseOp"> { let cppNamespace = "::torsh"; }

/// The result types follow from operands and attributes. An op with this trait defines the shape function
/// `inferReturnTypes(context, location, adaptor, types)`, which fails on operands that do not fit together.
///
/// A builder that fails would end the process, and models of users can be wrong: so building such an op reports the
/// error, gives the results a stand-in type, and leaves the refusal to the verifier, which runs the shape function
/// again. A given result type is accepted when it may be equal, because two symbols can name one size.
def Torsh_InferType : TraitList<[
  DeclareOpInterfaceMethods<InferTypeOpInterface, ["refineReturnTypes"]>,
  NativeOpTrait<"InferTypeOpAdaptor", [], [{
    static ::llvm::LogicalResult inferReturnTypes(::mlir::MLIRContext *context,
        std::optional<::mlir::Location> location, Adaptor adaptor, ::llvm::SmallVectorImpl<::mlir::Type> &types);
    static bool isCompatibleReturnTypes(::mlir::TypeRange a, ::mlir::TypeRange b) {
      return ::torsh::typesMayBeEqual(a, b);
    }
  }], [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(::mlir::MLIRContext *context,
        std::optional<::mlir::Location> location, ::mlir::ValueRange operands, ::mlir::DictionaryAttr attributes,
        ::mlir::OpaqueProperties properties, ::mlir::RegionRange regions,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      $cppClass::Adaptor adaptor(operands, attributes, properties, regions);
      if (failed($cppClass::inferReturnTypes(context, location, adaptor, types)))
        ::torsh::addStandInTypes(context, operands, ::torsh::countResults<$cppClass>(), types);
      return ::mlir::success();
    }
    ::llvm::LogicalResult $cppClass::refineReturnTypes(::mlir::MLIRContext *context,
        std::optional<::mlir::Location> location, ::mlir::ValueRange operands, ::mlir::DictionaryAttr attributes,
        ::mlir::OpaqueProperties properties, ::mlir::RegionRange regions,
        ::llvm::SmallVectorImpl<::mlir::Type> &types) {
      $cppClass::Adaptor adaptor(operands, attributes, properties, regions);
      ::llvm::SmallVector<::mlir::Type> inferred;
      if (failed($cppClass::inferReturnTypes(context, location, adaptor, inferred)))
        return ::mlir::failure();
      return ::torsh::checkResultTypes(location, $cppClass::getOperationName(), inferred, types);
    }
  }]>
]>;

#endif // TORSH_INTERFACES_TD
