// How ops are differentiated. Rules are external models, attached to the ops by the files of this folder.
#ifndef TORSH_GRADIENT_OP_INTERFACE_TD
#define TORSH_GRADIENT_OP_INTERFACE_TD

include "mlir/IR/OpBase.td"

def Torsh_GradientOpInterface : OpInterface<"GradientOpInterface"> {
  let cppNamespace = "::torsh";
  let description = [{
    How an op is differentiated in reverse. A rule emits torsh ops only, so the op set is closed under
    differentiation. An op with neither this interface, nor `ZeroGradient`, nor `NotDifferentiable` has no rule yet;
    an active one is an error that names the node.
  }];
  let methods = [
    InterfaceMethod<"Adds the cotangents of the operands to the context.", "::llvm::LogicalResult", "buildVJP",
      (ins "::mlir::OpBuilder &":$builder, "::torsh::VJPContext &":$context)>,
  ];
}

#endif // TORSH_GRADIENT_OP_INTERFACE_TD
