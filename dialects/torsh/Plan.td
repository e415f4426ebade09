// The host plan: kernels as symbols, launches with placed results.
#ifndef TORSH_PLAN_TD
#define TORSH_PLAN_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"

def Torsh_KernelOp : Torsh_Op<"kernel", [Symbol, IsolatedFromAbove, SingleBlock]> {
  let summary = "one distinct fused computation";
  let description = [{
    The body of a fusion group, outlined and shared by all groups of the same text. `anchor` names the strategy that
    builds its code; `symbols` names the entries of the dims array that a launch passes.
    kernel_c1: the body uses no symbol that is not in `symbols`.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$anchor, StrArrayAttr:$symbols);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name $anchor $symbols $body attr-dict";
  let extraClassDeclaration = [{
    ::mlir::Block::BlockArgListType getInputs() { return getBody().front().getArguments(); }
    ::mlir::OperandRange getYielded() { return getBody().front().getTerminator()->getOperands(); }
  }];
}

def Torsh_UnpackOp : Torsh_Op<"unpack", [Pure]> {
  let summary = "the matrix behind packed weight panels";
  let description = [{
    x [batch..., ceil(N/p), K, p] -> y [batch..., K, N] with y[.., k, n] = x[.., n / p, k, n % p]. Weights are packed
    when the artifact is written; kernels of contractions read the panels and never run this op.
    Weights may be stored as bf16 behind an f32 matrix. Panels of pairs are x [batch..., ceil(N/p), K/2, p, 2] with
    y[.., k, n] = x[.., n / p, k / 2, n % p, k % 2]: two neighbours along k lie together.
    unpack_c1: shapes as above, element types equal or bf16 and f32.
  }];
  let arguments = (ins Torsh_Tensor:$x);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_LaunchOp : Torsh_Op<"launch", [Pure]> {
  let summary = "runs a kernel on whole buffers";
  let description = [{
    `dims` are the values of the kernel's symbols. After memory planning every result has a place: an arena offset in
    bytes (`#torsh.dim` expression) or an output of the model. launch_c1: types agree with the kernel's.
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<AnyType>:$inputs, Torsh_DimsAttr:$dims,
                       OptionalAttr<ArrayAttr>:$places);
  let results = (outs Variadic<AnyType>:$ys);
  let assemblyFormat = "$kernel `(` $inputs `)` `dims` `=` $dims attr-dict `:` functional-type(operands, results)";
}

def Torsh_PlaceAttr : Torsh_Attr<"Place", "place"> {
  let summary = "where a buffer lies: arena, output or weights, and an offset in bytes or an index";
  let parameters = (ins "::mlir::StringAttr":$space, "::torsh::DimAttr":$offset);
  let assemblyFormat = "`<` $space `,` $offset `>`";
}

#endif // TORSH_PLAN_TD
