//===-- MlOps.cpp - What the import functions of ai.onnx.ml share -------------------------------------------===//
#include "frontends/onnx/ops/ml/MlOps.h"
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/Compose.h"

using namespace mlir;

namespace torsh::onnx {

void addMlOps(OpTable &table) {
  addTreeOps(table);
  addLinearModelOps(table);
  addSvmOps(table);
  addFeatureOps(table);
  addCategoryOps(table);
}

ArrayRef<float> floatsAttr(const NodeImport &node, StringRef name) {
  const Attribute *found = node.attribute(name);
  return found ? found->floats : ArrayRef<float>();
}

ArrayRef<int64_t> intListAttr(const NodeImport &node, StringRef name) {
  const Attribute *found = node.attribute(name);
  return found ? found->ints : ArrayRef<int64_t>();
}

ArrayRef<StringRef> stringsAttr(const NodeImport &node, StringRef name) {
  const Attribute *found = node.attribute(name);
  return found ? found->strings : ArrayRef<StringRef>();
}

FailureOr<std::optional<torsh::Tensor>> tensorAttr(NodeImport &node, StringRef name) {
  const Attribute *found = node.attribute(name);
  if (!found || !found->t)
    return std::optional<torsh::Tensor>();
  std::string why;
  Value value = node.graph.constant(*found->t, node.loc, why);
  auto op = value ? value.getDefiningOp<ConstantOp>() : ConstantOp();
  if (!op)
    return LogicalResult(node.unsupported("the attribute " + name + " cannot be read: " + why));
  llvm::Expected<torsh::Tensor> tensor = evaluateConstant(op.getValue(), node.graph.weights());
  if (!tensor)
    return LogicalResult(
        node.unsupported("the attribute " + name + " cannot be read: " + llvm::toString(tensor.takeError())));
  return std::optional<torsh::Tensor>(std::move(*tensor));
}

Value featureRows(NodeImport &node, size_t i, mlir::Type elementType) {
  Value x = node.operand(i);
  if (node.invalid)
    return {};
  int64_t rank = rankOf(x);
  if (rank != 1 && rank != 2)
    return (void)node.unsupported("the features must be rows of a matrix or one row, not a tensor of rank " +
                                  Twine(rank)),
           Value();
  mlir::Type have = elementTypeOf(x);
  if (!elementType)
    elementType = isa<FloatType>(have) ? have : mlir::Type(node.builder.getF32Type());
  if (rank == 1)
    x = node.reshape(x, {dim::constant(node.context(), 1), getDims(x)[0]});
  return have == elementType ? x : node.cast(x, elementType);
}

Value constantMatrix(NodeImport &node, ArrayRef<double> values, int64_t rows, int64_t columns,
                     mlir::Type elementType) {
  SmallVector<int64_t> shape{columns};
  if (rows > 0)
    shape.insert(shape.begin(), rows);
  torsh::Tensor tensor = torsh::Tensor::zeros(elementType, shape);
  for (size_t i = 0; i < values.size(); ++i)
    tensor.floats[i] = roundTo(elementType, values[i]);
  return node.graph.constant(tensor, node.loc);
}

Value constantVector(NodeImport &node, ArrayRef<float> values, mlir::Type elementType) {
  return constantMatrix(node, SmallVector<double>(values.begin(), values.end()), 0, values.size(),
                        elementType);
}

Value constantInts(NodeImport &node, ArrayRef<int64_t> values) {
  torsh::Tensor tensor = torsh::Tensor::zeros(node.builder.getI64Type(), {int64_t(values.size())});
  tensor.ints.assign(values.begin(), values.end());
  return node.graph.constant(tensor, node.loc);
}

Value forEachRow(NodeImport &node, Value vector, Value like) {
  SmallVector<DimAttr> dims{getDims(like)[0], getDims(vector)[0]};
  return node.create<BroadcastOp>(makeTensorType(dims, elementTypeOf(vector)), vector, ArrayRef<int64_t>{1});
}

Value column(NodeImport &node, Value x, int64_t index) {
  return sliceAxis(node, x, 1, dim::constant(node.context(), index), dim::constant(node.context(), 1));
}

Value joinColumns(NodeImport &node, ArrayRef<Value> columns) {
  return columns.size() == 1 ? columns[0] : node.create<ConcatOp>(ValueRange(columns), uint64_t(1));
}

} // namespace torsh::onnx
