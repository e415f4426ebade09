//===-- QuantizedElementwise.cpp - QLinearAdd, QLinearConcat and others that requantise elements
//------------===//
//
// Each takes its operands back to f32, computes, and quantises the result; fusion makes one loop of that.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/microsoft/MicrosoftOps.h"
#include "frontends/onnx/ops/microsoft/QuantizedTensor.h"

using namespace mlir;

namespace torsh::onnx::microsoft {
namespace {

/// Sets the only result to `y`, quantised by the inputs `scale` and `zero` into the type of input `like`.
LogicalResult finish(NodeImport &n, Value y, size_t scale, size_t zero, size_t like) {
  Value result = y ? quantized(n, y, scale, zero, n.typeOf(like).getElementType()) : Value();
  if (!result)
    return failure();
  n.setResult(0, result);
  return success();
}

/// Inputs: A, A_scale, A_zero, B, B_scale, B_zero, C_scale, C_zero.
template <typename OpTy> LogicalResult importBinary(NodeImport &n) {
  for (size_t i : {0, 1, 3, 4, 6})
    if (!n.hasInput(i))
      return n.malformed("input " + Twine(i) + " is missing");
  Value a = dequantized(n, {0, 1, 2}), b = a ? dequantized(n, {3, 4, 5}) : a;
  if (!b)
    return failure();
  SmallVector<Value> values = {a, b};
  if (failed(n.broadcastTogether(values)))
    return failure();
  return finish(n, n.create<OpTy>(values[0], values[1]), 6, 7, 0);
}

/// Inputs: X, X_scale, X_zero, Y_scale, Y_zero.
LogicalResult requireUnary(NodeImport &n) {
  if (!n.hasInput(0) || !n.hasInput(1) || !n.hasInput(3))
    return n.malformed("X, X_scale or Y_scale is missing");
  return success();
}

LogicalResult importSigmoid(NodeImport &n) {
  if (failed(requireUnary(n)))
    return failure();
  Value x = dequantized(n, {0, 1, 2});
  return x ? finish(n, n.create<SigmoidOp>(x), 3, 4, 0) : failure();
}

LogicalResult importLeakyRelu(NodeImport &n) {
  if (failed(requireUnary(n)))
    return failure();
  Value x = dequantized(n, {0, 1, 2});
  if (!x)
    return failure();
  Value negative = compareNumber(n, x, ComparePredicate::lt, 0);
  return finish(n, n.create<SelectOp>(negative, scale(n, x, n.floatAttr("alpha", 0.01f)), x), 3, 4, 0);
}

/// `opset` is the version of the Softmax that was quantised: before 13 all dims from the axis on are one.
LogicalResult importSoftmax(NodeImport &n) {
  if (failed(requireUnary(n)) || failed(requireRank(n, 0, 1)))
    return failure();
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", -1), n.typeOf(0).getRank());
  Value x = failed(axis) ? Value() : dequantized(n, {0, 1, 2});
  if (!x)
    return failure();
  if (n.intAttr("opset", 13) >= 13)
    return finish(n, n.create<SoftmaxOp>(x, *axis), 3, 4, 0);
  SmallVector<DimAttr> dims = getDims(x);
  DimAttr rows = dim::product(n.context(), ArrayRef(dims).take_front(*axis));
  DimAttr columns = dim::product(n.context(), ArrayRef(dims).drop_front(*axis));
  Value y = n.create<SoftmaxOp>(n.reshape(x, {rows, columns}), int64_t(1));
  return finish(n, n.reshape(y, dims), 3, 4, 0);
}

/// Inputs: condition, X, x_scale, x_zero, Y, y_scale, y_zero, z_scale, z_zero.
LogicalResult importWhere(NodeImport &n) {
  if (failed(requireInputs(n, 8)))
    return failure();
  Value x = dequantized(n, {1, 2, 3}), y = x ? dequantized(n, {4, 5, 6}) : x;
  if (!y)
    return failure();
  SmallVector<Value> values = {n.operand(0), x, y};
  if (failed(n.broadcastTogether(values)))
    return failure();
  return finish(n, n.create<SelectOp>(values[0], values[1], values[2]), 7, 8, 1);
}

/// Inputs: Y_scale, Y_zero, then a tensor, its scale and its zero point, again and again.
LogicalResult importConcat(NodeImport &n) {
  if (failed(requireInputs(n, 5)))
    return failure();
  if ((n.numInputs() - 2) % 3 != 0)
    return n.malformed("each tensor must be followed by its scale and zero point");
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", 0), n.typeOf(2).getRank());
  if (failed(axis))
    return failure();
  mlir::Type type = n.typeOf(1).getElementType();
  SmallVector<Value> parts;
  for (size_t i = 2; i < n.numInputs(); i += 3) {
    Value x = n.hasInput(i) && n.hasInput(i + 1) ? dequantized(n, {i, i + 1, i + 2}) : Value();
    Value part = x ? quantized(n, x, 0, 1, type) : Value();
    if (!part)
      return n.malformed("tensor " + Twine((i - 2) / 3) + " is incomplete");
    if (rankOf(part) != n.typeOf(2).getRank())
      return n.malformed("the tensors differ in rank");
    parts.push_back(part);
    for (int64_t d = 0; d < rankOf(part); ++d)
      if (d != *axis && !n.unify(getDims(parts[0])[d], getDims(part)[d], "tensors to be joined"))
        return n.malformed("the tensors differ in dim " + Twine(d));
  }
  n.setResult(0, parts.size() == 1 ? parts[0] : n.create<ConcatOp>(ValueRange(parts), *axis));
  return success();
}

/// Inputs: data, data_scale, data_zero, reduced_scale, reduced_zero.
LogicalResult importReduceMean(NodeImport &n) {
  if (failed(requireUnary(n)))
    return failure();
  int64_t rank = n.typeOf(0).getRank();
  SmallVector<int64_t> axes;
  for (int64_t given : n.intsAttr("axes").value_or(range(0, rank))) {
    FailureOr<int64_t> axis = n.axis(given, rank);
    if (failed(axis))
      return failure();
    axes.push_back(*axis);
  }
  llvm::sort(axes);
  axes.erase(llvm::unique(axes), axes.end());
  Value x = dequantized(n, {0, 1, 2});
  if (!x)
    return failure();
  if (!axes.empty())
    x = n.create<ReduceOp>(x, ReduceKind::mean, axes, n.intAttr("keepdims", 1) != 0);
  return finish(n, x, 3, 4, 0);
}

} // namespace

void addQuantizedElementwiseOps(OpTable &table) {
  table.add("com.microsoft", "QLinearAdd", 1, importBinary<AddOp>);
  table.add("com.microsoft", "QLinearMul", 1, importBinary<MulOp>);
  table.add("com.microsoft", "QLinearSigmoid", 1, importSigmoid);
  table.add("com.microsoft", "QLinearLeakyRelu", 1, importLeakyRelu);
  table.add("com.microsoft", "QLinearSoftmax", 1, importSoftmax);
  table.add("com.microsoft", "QLinearWhere", 1, importWhere);
  table.add("com.microsoft", "QLinearConcat", 1, importConcat);
  table.add("com.microsoft", "QLinearReduceMean", 1, importReduceMean);
}

} // namespace torsh::onnx::microsoft
