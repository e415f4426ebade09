//===-- ContractionOps.cpp - MatMul, Gemm, MatMulInteger
//----------------------------------------------------===//
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/Einsum.h"
#include "frontends/onnx/ops/IntegerFactors.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

LogicalResult sameElementTypes(NodeImport &n, Value a, Value b) {
  if (elementTypeOf(a) == elementTypeOf(b) && !elementTypeOf(a).isInteger(1))
    return success();
  return n.malformed("the operands have element types " + typeText(elementTypeOf(a)) + " and " +
                     typeText(elementTypeOf(b)));
}

LogicalResult importMatMul(NodeImport &n) {
  if (failed(requireInputs(n, 2)))
    return failure();
  Value a = n.operand(0), b = n.operand(1);
  if (failed(sameElementTypes(n, a, b)))
    return failure();
  Value y = matmul(n, a, b);
  if (!y)
    return failure();
  n.setResult(0, y);
  return success();
}

/// y = alpha A' B' + beta C. The transposes are choices of the contracted dim, not ops.
LogicalResult importGemm(NodeImport &n) {
  if (failed(requireInputs(n, n.opset < 11 ? 3 : 2)))
    return failure();
  Value a = n.operand(0), b = n.operand(1);
  if (failed(sameElementTypes(n, a, b)))
    return failure();
  if (rankOf(a) != 2 || rankOf(b) != 2)
    return n.malformed("A and B must be matrices");
  double alpha = n.floatAttr("alpha", 1), beta = n.floatAttr("beta", 1);
  bool integers = isa<IntegerType>(elementTypeOf(a));
  if (integers && (alpha != std::trunc(alpha) || beta != std::trunc(beta)))
    return n.unsupported("alpha and beta must be whole numbers for integer matrices");
  SmallVector<int64_t> contractA = {n.intAttr("transA", 0) ? 0 : 1},
                       contractB = {n.intAttr("transB", 0) ? 1 : 0};
  DimAttr innerA = getDims(a)[contractA[0]], innerB = getDims(b)[contractB[0]];
  if (!n.unify(innerA, innerB, "the inner dims of Gemm"))
    return n.malformed("the inner dims " + dim::toString(innerA) + " and " + dim::toString(innerB) +
                       " differ");
  ArrayRef<int64_t> none;
  Value y = scale(n, n.create<DotGeneralOp>(a, b, none, none, contractA, contractB), alpha);
  if (n.hasInput(2) && beta != 0) {
    Value c = n.operand(2);
    if (failed(sameElementTypes(n, a, c)))
      return failure();
    SmallVector<Value> values = {y, scale(n, c, beta)};
    if (failed(n.broadcastTogether(values)))
      return failure();
    if (rankOf(values[0]) != 2)
      return n.malformed("C cannot be broadcast to the product");
    y = n.create<AddOp>(values[0], values[1]);
  }
  n.setResult(0, y);
  return success();
}

/// i32 values minus the zero point. `vectorAxis` is where a zero point with one entry a row (or column)
/// belongs.
FailureOr<Value> withoutZeroPoint(NodeImport &n, size_t operand, size_t zeroPoint, int64_t axisFromEnd) {
  mlir::Type i32 = n.builder.getI32Type();
  Value x = n.cast(n.operand(operand), i32);
  if (!n.hasInput(zeroPoint))
    return x;
  Value zero = n.cast(n.operand(zeroPoint), i32);
  int64_t rank = rankOf(x);
  if (rankOf(zero) == 1 && rank >= 2 && !dim::isConstant(getDims(zero)[0], 1)) {
    zero = alongAxis(n, zero, rank - axisFromEnd, x);
  } else {
    SmallVector<Value> values = {x, zero};
    if (failed(n.broadcastTogether(values)))
      return failure();
    x = values[0];
    zero = values[1];
  }
  return n.create<SubOp>(x, zero);
}

LogicalResult importMatMulInteger(NodeImport &n) {
  if (failed(requireInputs(n, 2)))
    return failure();
  FailureOr<Value> a = withoutZeroPoint(n, 0, 2, 2);
  if (failed(a))
    return failure();
  int64_t rank = n.typeOf(1).getRank();
  Value y;
  Value factor = rank >= 2 ? constantFactor(n, 1, 3, rank - 1, {rank - 2}, exactSums) : Value();
  if (factor) {
    y = matmul(n, n.cast(*a, n.builder.getF32Type()), factor);
    y = y ? n.cast(y, n.builder.getI32Type()) : y;
  } else {
    FailureOr<Value> b = withoutZeroPoint(n, 1, 3, 1);
    if (failed(b))
      return failure();
    y = matmul(n, *a, *b);
  }
  if (!y)
    return failure();
  n.setResult(0, y);
  return success();
}

} // namespace

void addContractionOps(OpTable &table) {
  table.add("", "MatMul", 1, importMatMul);
  table.add("", "Gemm", 1, importGemm);
  table.add("", "MatMulInteger", 10, importMatMulInteger);
  table.add("", "Einsum", 12, importEinsum);
}

} // namespace torsh::onnx
