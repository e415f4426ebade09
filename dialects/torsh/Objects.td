// What is no dense tensor of numbers: lists, optionals, strings, boxed tensors.
#ifndef TORSH_OBJECTS_TD
#define TORSH_OBJECTS_TD

include "TorshDialect.td"
include "TorshInterfaces.td"

def Torsh_ObjectOp : Torsh_Op<"object", [Pure, Torsh_NotDifferentiable]> {
  let summary = "a function of the host's objects";
  let description = [{
    An object is immutable and lives until the end of the run; the graph has its handle, a rank-0 i64 tensor whose
    encoding says what it is: `tensor<i64, ["sequence", ["tensor", f32, 2 : i64]]>`. So every pass moves objects as it
    moves numbers. `function` is one of TORSH_OBJECT_FUNCTIONS (include/torsh/artifact.h), which the host computes in the
    order of the host plan; `numbers` and `strings` are its constants.

        %h = torsh.object "box"(%x) : (tensor<2x3xf32>) -> tensor<i64, ["tensor", f32, 2 : i64]>
        %d = torsh.object "dims"(%h) : (..) -> tensor<2xi64>
        torsh.bind_sizes %d as ["m", "n"] : tensor<2xi64>
        %y = torsh.object "unbox"(%h) : (..) -> tensor<?x?xf32, #torsh.dims<[m, n]>>

    object_c1: the function exists and has as many operands and results. object_c2: operands and results are handles
    where the function has no tensors.
  }];
  let arguments = (ins StrAttr:$function, Variadic<Torsh_Tensor>:$inputs, OptionalAttr<DenseI64ArrayAttr>:$numbers,
                       OptionalAttr<StrArrayAttr>:$strings);
  let results = (outs Variadic<Torsh_Tensor>:$ys);
  let assemblyFormat = "$function `(` $inputs `)` attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // TORSH_OBJECTS_TD
