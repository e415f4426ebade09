// Regions: control flow and fusion groups.
#ifndef TORSH_CONTROL_FLOW_TD
#define TORSH_CONTROL_FLOW_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def Torsh_YieldOp : Torsh_Op<"yield", [Pure, ReturnLike, Terminator, ParentOneOf<["IfOp", "ForOp", "WhileOp", "StageOp", "GroupOp", "KernelOp"]>]> {
  let summary = "the results of a region";
  let description = "yield_c1: the types are those that the parent expects of this region.";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

def Torsh_IfOp : Torsh_Op<"if", [SingleBlock, NoRegionArguments, RecursiveMemoryEffects]> {
  let summary = "one of two regions";
  let description = "The condition is a rank-0 i1 tensor. if_c1: both regions yield the result types.";
  let arguments = (ins Torsh_BoolTensor:$condition);
  let results = (outs Variadic<AnyType>:$ys);
  let regions = (region SizedRegion<1>:$then_region, SizedRegion<1>:$else_region);
  let assemblyFormat = "$condition $then_region `else` $else_region attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_ForOp : Torsh_Op<"for", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "a counted loop with carried values and stacked outputs";
  let description = [{
    The body gets the iteration number (rank-0 i64) and the carried values, and yields the next carried values, then
    values to be stacked along a new leading dim. Results: final carried values, then stacked ones.
    for_c1: arity and types of body arguments, yields and results agree.
  }];
  let arguments = (ins Torsh_DimAttr:$trip_count, Variadic<AnyType>:$initial);
  let results = (outs Variadic<AnyType>:$ys);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$trip_count `init` `(` $initial `)` $body attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_WhileOp : Torsh_Op<"while", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "a loop that runs while its condition holds";
  let description = [{
    `initial` starts with a rank-0 i1 condition; the body gets the other values and yields the next condition and
    values. Results: the final values without the condition. while_c1: types agree.
  }];
  let arguments = (ins Torsh_BoolTensor:$condition, Variadic<AnyType>:$initial);
  let results = (outs Variadic<AnyType>:$ys);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$condition `init` `(` $initial `)` $body attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Torsh_BindSizesOp : Torsh_Op<"bind_sizes", [Torsh_ZeroGradient]> {
  let summary = "gives symbols the values of an integer tensor's elements";
  let description = [{
    Behind it the symbols are sizes that types may name. Values that must be sizes are checked: a negative one ends the
    run with a status. With `signed_values` each element has two symbols, the size of its positive part and of its
    negative part, so that symbols never are negative; values are cut to +-2^40.
    bind_sizes_c1: x is an i32 or i64 tensor of rank 0 or 1 and static length, with one symbol (or two) an element.
  }];
  let arguments = (ins Torsh_Tensor:$x, StrArrayAttr:$symbols, UnitAttr:$signed_values);
  let assemblyFormat = "$x `as` $symbols attr-dict `:` type($x)";
  let hasVerifier = 1;
}

def Torsh_StageOp : Torsh_Op<"stage", [SingleBlock, NoRegionArguments, RecursiveMemoryEffects]> {
  let summary = "what waits for sizes that are born at run time";
  let description = [{
    The region begins with the torsh.bind_sizes that give the sizes, and is all of its function that needs one of them;
    the function returns its results (torsh-form-stages). Buffers of these sizes get memory when the sizes are known.
    stage_c1: the region yields the result types.
  }];
  let results = (outs Variadic<AnyType>:$ys);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$body attr-dict `:` type($ys)";
  let hasVerifier = 1;
}

def Torsh_GroupOp : Torsh_Op<"group", [SingleBlock, IsolatedFromAbove, RecursiveMemoryEffects]> {
  let summary = "a fusion group: the ops that become one kernel";
  let description = [{
    Isolated; the block arguments stand for the operands. `anchor` names the strategy that builds the kernel
    (elementwise, reduction, contraction, depthwise, expand_depthwise, pool, pool_grad, weight_grad, recurrent,
    attention, index), or says "control" for an op whose regions call functions. group_c1: block arguments have the
    operands' types, yielded values the results' types.
  }];
  let arguments = (ins Variadic<AnyType>:$inputs, StrAttr:$anchor);
  let results = (outs Variadic<AnyType>:$ys);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$anchor `(` $inputs `)` $body attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // TORSH_CONTROL_FLOW_TD
