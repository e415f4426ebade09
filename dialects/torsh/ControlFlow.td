// Regions: control flow and fusion groups.
#ifndef TORSH_CONTROL_FLOW_TD
#define TORSH_CONTROL_FLOW_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def Torsh_YieldOp : Torsh_Op<"yield", [Pure, ReturnLike, Terminator, ParentOneOf<["IfOp", "ForOp", "WhileOp", "GroupOp", "KernelOp"]>]> {
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

def Torsh_GroupOp : Torsh_Op<"group", [SingleBlock, IsolatedFromAbove, RecursiveMemoryEffects]> {
  let summary = "a fusion group: the ops that become one kernel";
  let description = [{
    Isolated; the block arguments stand for the operands. `anchor` names the strategy that builds the kernel
    (elementwise, reduction, contraction, depthwise, pool, recurrent, attention, index). group_c1: block arguments have the
    operands' types, yielded values the results' types.
  }];
  let arguments = (ins Variadic<AnyType>:$inputs, StrAttr:$anchor);
  let results = (outs Variadic<AnyType>:$ys);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$anchor `(` $inputs `)` $body attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

#endif // TORSH_CONTROL_FLOW_TD
