// Elementwise ops: each is a row of a table. All operands have the shape of the result; broadcasts are explicit.
#ifndef TORSH_ELEMENTWISE_TD
#define TORSH_ELEMENTWISE_TD

include "TorshAttrs.td"
include "TorshInterfaces.td"

class Torsh_UnaryOp<string mnemonic, string semantics, Type operand = Torsh_FloatTensor, list<Trait> traits = []>
    : Torsh_Op<mnemonic, !listconcat([Pure, Torsh_Elementwise, SameOperandsAndResultType], traits)> {
  let summary = semantics;
  let arguments = (ins operand:$x);
  let results = (outs operand:$y);
  let assemblyFormat = "$x attr-dict `:` type($y)";
}

class Torsh_BinaryOp<string mnemonic, string semantics, Type operand = Torsh_NumberTensor, list<Trait> traits = []>
    : Torsh_Op<mnemonic, !listconcat([Pure, Torsh_Elementwise, SameOperandsAndResultType], traits)> {
  let summary = semantics;
  let arguments = (ins operand:$lhs, operand:$rhs);
  let results = (outs operand:$y);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($y)";
}

//===-- Unary ----------------------------------------------------------------------------------------------------===//

def Torsh_AbsOp : Torsh_UnaryOp<"abs", "|x|; the smallest integer maps to itself", Torsh_NumberTensor>;
def Torsh_NegOp : Torsh_UnaryOp<"neg", "-x; integers wrap", Torsh_NumberTensor> { let hasFolder = 1; }
def Torsh_SignOp : Torsh_UnaryOp<"sign", "-1, 0 or 1; NaN stays NaN", Torsh_NumberTensor, [Torsh_ZeroGradient]>;
def Torsh_ExpOp : Torsh_UnaryOp<"exp", "e^x">;
def Torsh_Expm1Op : Torsh_UnaryOp<"expm1", "e^x - 1">;
def Torsh_LogOp : Torsh_UnaryOp<"log", "natural logarithm">;
def Torsh_Log1pOp : Torsh_UnaryOp<"log1p", "log(1 + x)">;
def Torsh_SqrtOp : Torsh_UnaryOp<"sqrt", "square root">;
def Torsh_RsqrtOp : Torsh_UnaryOp<"rsqrt", "1 / sqrt(x)">;
def Torsh_SinOp : Torsh_UnaryOp<"sin", "sine of x in radians">;
def Torsh_CosOp : Torsh_UnaryOp<"cos", "cosine of x in radians">;
def Torsh_TanOp : Torsh_UnaryOp<"tan", "tangent of x in radians">;
def Torsh_AsinOp : Torsh_UnaryOp<"asin", "inverse sine">;
def Torsh_AcosOp : Torsh_UnaryOp<"acos", "inverse cosine">;
def Torsh_AtanOp : Torsh_UnaryOp<"atan", "inverse tangent">;
def Torsh_SinhOp : Torsh_UnaryOp<"sinh", "hyperbolic sine">;
def Torsh_CoshOp : Torsh_UnaryOp<"cosh", "hyperbolic cosine">;
def Torsh_TanhOp : Torsh_UnaryOp<"tanh", "hyperbolic tangent">;
def Torsh_AsinhOp : Torsh_UnaryOp<"asinh", "inverse hyperbolic sine">;
def Torsh_AcoshOp : Torsh_UnaryOp<"acosh", "inverse hyperbolic cosine">;
def Torsh_AtanhOp : Torsh_UnaryOp<"atanh", "inverse hyperbolic tangent">;
def Torsh_ErfOp : Torsh_UnaryOp<"erf", "error function">;
def Torsh_SigmoidOp : Torsh_UnaryOp<"sigmoid", "1 / (1 + e^-x) without overflow">;
def Torsh_SoftplusOp : Torsh_UnaryOp<"softplus", "log(1 + e^x) without overflow">;
def Torsh_FloorOp : Torsh_UnaryOp<"floor", "largest integer <= x", Torsh_FloatTensor, [Torsh_ZeroGradient]>;
def Torsh_CeilOp : Torsh_UnaryOp<"ceil", "smallest integer >= x", Torsh_FloatTensor, [Torsh_ZeroGradient]>;
def Torsh_RoundOp : Torsh_UnaryOp<"round", "nearest integer, halves to even", Torsh_FloatTensor, [Torsh_ZeroGradient]>;
def Torsh_NotOp : Torsh_UnaryOp<"not", "bitwise complement; logical not of i1", Torsh_IntOrBoolTensor, [Torsh_ZeroGradient]>;

def Torsh_IsNanOp : Torsh_Op<"is_nan", [Pure, Torsh_Elementwise, Torsh_ZeroGradient, SameOperandsAndResultShape,
                                       Torsh_InferType]> {
  let summary = "true where x is NaN";
  let arguments = (ins Torsh_FloatTensor:$x);
  let results = (outs Torsh_BoolTensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

//===-- Binary ---------------------------------------------------------------------------------------------------===//

def Torsh_AddOp : Torsh_BinaryOp<"add", "x + y; integers wrap", Torsh_NumberTensor, [Commutative]> { let hasFolder = 1; }
def Torsh_SubOp : Torsh_BinaryOp<"sub", "x - y; integers wrap"> { let hasFolder = 1; }
def Torsh_MulOp : Torsh_BinaryOp<"mul", "x * y; integers wrap", Torsh_NumberTensor, [Commutative]> { let hasFolder = 1; }
def Torsh_DivOp : Torsh_BinaryOp<"div", "x / y; integers truncate, x/0 = 0, INT_MIN/-1 = INT_MIN"> { let hasFolder = 1; }
def Torsh_RemOp : Torsh_BinaryOp<"rem", "remainder with the sign of x (fmod); integer x%0 = 0", Torsh_NumberTensor>;
def Torsh_ModOp : Torsh_BinaryOp<"mod", "remainder with the sign of y (floor division); integer x%0 = 0", Torsh_NumberTensor>;
def Torsh_PowOp : Torsh_BinaryOp<"pow", "x^y; integer powers with negative y are 0 (1 for x = 1, +-1 for x = -1)"> { let hasCanonicalizer = 1; }
def Torsh_MaximumOp : Torsh_BinaryOp<"maximum", "larger of both; NaN wins", Torsh_NumberTensor, [Commutative]>;
def Torsh_MinimumOp : Torsh_BinaryOp<"minimum", "smaller of both; NaN wins", Torsh_NumberTensor, [Commutative]>;
def Torsh_AndOp : Torsh_BinaryOp<"and", "bitwise and; logical for i1", Torsh_IntOrBoolTensor, [Commutative, Torsh_ZeroGradient]>;
def Torsh_OrOp : Torsh_BinaryOp<"or", "bitwise or; logical for i1", Torsh_IntOrBoolTensor, [Commutative, Torsh_ZeroGradient]>;
def Torsh_XorOp : Torsh_BinaryOp<"xor", "bitwise exclusive or", Torsh_IntOrBoolTensor, [Commutative, Torsh_ZeroGradient]>;
def Torsh_ShiftLeftOp : Torsh_BinaryOp<"shift_left", "x << y; 0 when y >= width", Torsh_IntTensor, [Torsh_ZeroGradient]>;
def Torsh_ShiftRightOp : Torsh_BinaryOp<"shift_right", "x >> y, arithmetic for signed; sign fill when y >= width", Torsh_IntTensor, [Torsh_ZeroGradient]>;

//===-- Others ---------------------------------------------------------------------------------------------------===//

def Torsh_CompareOp : Torsh_Op<"compare", [Pure, Torsh_Elementwise, Torsh_ZeroGradient, SameTypeOperands,
                                           SameOperandsAndResultShape, Torsh_InferType]> {
  let summary = "compares two tensors of one type elementwise";
  let description = "`ne` is true and all others are false where an operand is NaN.";
  let arguments = (ins Torsh_Tensor:$lhs, Torsh_Tensor:$rhs, Torsh_ComparePredicateAttr:$predicate);
  let results = (outs Torsh_BoolTensor:$y);
  let assemblyFormat = "$predicate $lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
}

def Torsh_SelectOp : Torsh_Op<"select", [Pure, Torsh_Elementwise, SameOperandsAndResultShape,
                                         AllTypesMatch<["on_true", "on_false", "y"]>]> {
  let summary = "on_true where the condition holds, on_false elsewhere";
  let description = "The value that is not taken has no influence, NaN included.";
  let arguments = (ins Torsh_BoolTensor:$condition, Torsh_Tensor:$on_true, Torsh_Tensor:$on_false);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$condition `,` $on_true `,` $on_false attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

def Torsh_CastOp : Torsh_Op<"cast", [Pure, Torsh_Elementwise, SameOperandsAndResultShape]> {
  let summary = "converts the element type";
  let description = [{
    float -> int truncates and saturates at the ends of the range, NaN becomes 0. int -> int wraps. float -> float
    rounds to nearest even; to an 8-bit float it saturates when `saturate` is set and becomes NaN or infinity
    otherwise. Anything -> i1 is `x != 0`.
  }];
  let arguments = (ins Torsh_Tensor:$x, DefaultValuedAttr<BoolAttr, "true">:$saturate);
  let results = (outs Torsh_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
  let hasFolder = 1;
}

#endif // TORSH_ELEMENTWISE_TD
