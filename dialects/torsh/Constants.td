// Constants, parameters and markers.
#ifndef TORSH_CONSTANTS_TD
#define TORSH_CONSTANTS_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"

def Torsh_ConstantOp : Torsh_Op<"constant", [Pure, ConstantLike, Torsh_ZeroGradient]> {
  let summary = "a constant tensor";
  let description = [{
    `value` is a dense attribute (at most 1 KiB, or a splat of any size) or a `#torsh.weight` recipe.
    constant_c1: the type of the value is the result type, and the value has this form.
  }];
  let arguments = (ins AnyAttr:$value);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$value attr-dict `->` type($y)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Torsh_ParamOp : Torsh_Op<"param", [Symbol]> {
  let summary = "a named parameter of the model";
  let description = "Identity for training, weight swap and sharing. `value` is its initial value, as in constant. param_c1: as constant_c1.";
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttr:$type, AnyAttr:$value, DefaultValuedAttr<BoolAttr, "false">:$trainable);
  let assemblyFormat = "$sym_name `:` $type `=` $value attr-dict";
  let hasVerifier = 1;
}

def Torsh_GetParamOp : Torsh_Op<"get_param", [Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "the current value of a parameter";
  let description = "get_param_c1: the symbol names a torsh.param of the result type.";
  let arguments = (ins FlatSymbolRefAttr:$param);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$param attr-dict `:` type($y)";
}

def Torsh_StopGradientOp : Torsh_Op<"stop_gradient", [Pure, SameOperandsAndResultType, Torsh_ZeroGradient]> {
  let summary = "identity with zero derivative";
  let description = "Removed by the inference pipeline.";
  let arguments = (ins Torsh_Tensor:$x);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($y)";
}

def Torsh_GuardOp : Torsh_Op<"guard", [Torsh_ZeroGradient]> {
  let summary = "two dim expressions must be equal";
  let description = [{
    Checked in the artifact's prologue before anything runs; a run that breaks it gets a status with `message`.
  }];
  let arguments = (ins Torsh_DimAttr:$lhs, Torsh_DimAttr:$rhs, StrAttr:$message);
  let assemblyFormat = "$lhs `equals` $rhs `,` $message attr-dict";
}

#endif // TORSH_CONSTANTS_TD
