//===-- CategoryOps.cpp - LabelEncoder, OneHotEncoder, and the ops of strings and maps ----------------------===//
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/ml/MlOps.h"
#include <cmath>

using namespace mlir;

namespace torsh::onnx {
namespace {

/// One list of an encoder, from lists of floats or integers or from a tensor.
FailureOr<std::optional<torsh::Tensor>> encoderList(NodeImport &node, StringRef prefix) {
  if (!stringsAttr(node, (prefix + "_strings").str()).empty())
    return LogicalResult(node.unsupported("its " + prefix +
                                          " are strings, which no tensor holds yet; encode strings "
                                          "before they reach the model"));
  std::string floatName = (prefix + "_floats").str(), intName = (prefix + "_int64s").str();
  if (ArrayRef<float> floats = floatsAttr(node, floatName); !floats.empty()) {
    torsh::Tensor tensor = torsh::Tensor::zeros(node.builder.getF32Type(), {int64_t(floats.size())});
    tensor.floats.assign(floats.begin(), floats.end());
    return std::optional<torsh::Tensor>(std::move(tensor));
  }
  if (ArrayRef<int64_t> ints = intListAttr(node, intName); !ints.empty()) {
    torsh::Tensor tensor = torsh::Tensor::zeros(node.builder.getI64Type(), {int64_t(ints.size())});
    tensor.ints.assign(ints.begin(), ints.end());
    return std::optional<torsh::Tensor>(std::move(tensor));
  }
  return tensorAttr(node, (prefix + "_tensor").str());
}

/// Entries `order` of a list, the last one repeated up to `size`.
Value orderedList(NodeImport &node, const torsh::Tensor &list, ArrayRef<int64_t> order, int64_t size) {
  torsh::Tensor result = torsh::Tensor::zeros(list.elementType, {size});
  for (int64_t i = 0; i < size; ++i) {
    int64_t from = order[std::min<int64_t>(i, order.size() - 1)];
    if (list.isFloat())
      result.floats[i] = list.floats[from];
    else
      result.ints[i] = list.ints[from];
  }
  return node.graph.constant(result, node.loc);
}

/// What an encoder gives for values that are no key.
FailureOr<Value> defaultValue(NodeImport &node, mlir::Type type) {
  auto tensor = tensorAttr(node, "default_tensor");
  if (failed(tensor))
    return failure();
  if (*tensor) {
    if ((*tensor)->numElements() != 1 || (*tensor)->elementType != type)
      return LogicalResult(node.malformed("default_tensor must be one element of the type of the values"));
    (*tensor)->shape.clear();
    return node.graph.constant(**tensor, node.loc);
  }
  torsh::Tensor number = torsh::Tensor::zeros(type, {});
  if (number.isFloat())
    number.floats[0] = roundTo(type, node.floatAttr("default_float", -0.0));
  else
    number.ints[0] = wrapTo(type, node.intAttr("default_int64", -1));
  return node.graph.constant(number, node.loc);
}

/// A search by halving in the sorted keys: as many steps as the number of keys has bits, whatever the values are.
LogicalResult importLabelEncoder(NodeImport &node) {
  auto keys = encoderList(node, "keys"), values = encoderList(node, "values");
  if (failed(keys) || failed(values))
    return failure();
  if (!*keys || !*values || (*keys)->numElements() != (*values)->numElements() || (*keys)->numElements() == 0)
    return node.malformed("keys and values are missing or differ in length");
  Value x = node.operand(0);
  if (node.invalid)
    return failure();
  torsh::Tensor &list = **keys;
  if (elementTypeOf(x) != list.elementType)
    return node.malformed("the keys are of " + typeText(list.elementType) + ", the input of " +
                          typeText(elementTypeOf(x)));
  // The first of equal keys counts. NaN is a key like any other from version 4 on.
  SmallVector<int64_t> order;
  std::optional<int64_t> missing;
  for (int64_t i = 0, count = list.numElements(); i < count; ++i) {
    if (!list.isFloat() || !std::isnan(list.floats[i]))
      order.push_back(i);
    else if (!missing && node.opset >= 4)
      missing = i;
  }
  auto isLess = [&](int64_t a, int64_t b) {
    return list.isFloat() ? list.floats[a] < list.floats[b] : list.ints[a] < list.ints[b];
  };
  llvm::sort(order, [&](int64_t a, int64_t b) { return isLess(a, b) || (!isLess(b, a) && a < b); });
  order.erase(std::unique(order.begin(), order.end(), [&](int64_t a, int64_t b) { return !isLess(a, b); }),
              order.end());

  auto number = defaultValue(node, (*values)->elementType);
  if (failed(number))
    return failure();
  SmallVector<DimAttr> dims = getDims(x);
  Value result = node.broadcastTo(*number, dims);
  mlir::Type i64 = node.builder.getI64Type();
  auto booleans = withElementType(cast<RankedTensorType>(x.getType()), node.builder.getI1Type());
  if (!order.empty()) {
    int64_t size = int64_t(llvm::PowerOf2Ceil(order.size()));
    Value sorted = orderedList(node, list, order, size);
    Value at = node.splat(withElementType(cast<RankedTensorType>(x.getType()), i64), 0);
    for (int64_t step = size / 2; step > 0; step /= 2) {
      Value ahead = addNumber(node, at, double(step));
      Value key = node.create<GatherOp>(sorted, ahead, uint64_t(0));
      Value reached = node.create<CompareOp>(booleans, key, x, ComparePredicate::le);
      at = node.create<SelectOp>(reached, ahead, at);
    }
    Value isKey = node.create<CompareOp>(booleans, node.create<GatherOp>(sorted, at, uint64_t(0)), x,
                                         ComparePredicate::eq);
    Value found = node.create<GatherOp>(orderedList(node, **values, order, size), at, uint64_t(0));
    result = node.create<SelectOp>(isKey, found, result);
  }
  if (missing) {
    Value own = node.broadcastTo(node.reshape(orderedList(node, **values, {*missing}, 1), {}), dims);
    result = node.create<SelectOp>(node.create<IsNanOp>(x), own, result);
  }
  node.setResult(0, result);
  return success();
}

LogicalResult importLabelEncoder1(NodeImport &node) {
  return node.unsupported(
      "it maps strings to numbers or back, and no tensor holds strings yet; encode strings before "
      "they reach the model");
}

/// A 1 at the place of the category. ONNX Runtime fails at run time on a value that is no category when `zeros` is 0;
/// here it gives zeros in any case.
LogicalResult importOneHotEncoder(NodeImport &node) {
  ArrayRef<int64_t> categories = intListAttr(node, "cats_int64s");
  if (!stringsAttr(node, "cats_strings").empty())
    return node.unsupported(
        "its categories are strings, which no tensor holds yet; encode strings before they reach "
        "the model");
  if (categories.empty())
    return node.malformed("there are no categories");
  Value x = node.operand(0);
  if (node.invalid)
    return failure();
  mlir::Type i64 = node.builder.getI64Type();
  if (!elementTypeOf(x).isSignlessInteger(64))
    x = node.cast(x, i64);
  SmallVector<DimAttr> dims = getDims(x);
  dims.push_back(dim::constant(node.context(), categories.size()));
  RankedTensorType type = makeTensorType(dims, i64);
  Value spread = node.create<BroadcastOp>(type, x, range(0, rankOf(x)));
  Value list = node.create<BroadcastOp>(type, constantInts(node, categories), ArrayRef<int64_t>{rankOf(x)});
  Value hit = node.create<CompareOp>(withElementType(type, node.builder.getI1Type()), spread, list,
                                     ComparePredicate::eq);
  node.setResult(0, node.cast(hit, node.builder.getF32Type()));
  return success();
}

LogicalResult refuseStrings(NodeImport &node) {
  return node.unsupported(
      "it maps strings, and no tensor holds strings yet; encode strings before they reach the model");
}

LogicalResult refuseMapInput(NodeImport &node) {
  return node.unsupported("its input is a map, and only tensors are supported; give the values as a matrix");
}

LogicalResult refuseZipMap(NodeImport &node) {
  return node.unsupported(
      "its result is a list of maps, and only tensors are supported; convert the model without it "
      "(skl2onnx: options={'zipmap': False}, onnxmltools: zipmap=False) and read the probabilities "
      "as a matrix whose columns are the classes");
}

} // namespace

void addCategoryOps(OpTable &table) {
  table.add("ai.onnx.ml", "LabelEncoder", 1, importLabelEncoder1);
  table.add("ai.onnx.ml", "LabelEncoder", 2, importLabelEncoder);
  table.add("ai.onnx.ml", "OneHotEncoder", 1, importOneHotEncoder);
  table.add("ai.onnx.ml", "CategoryMapper", 1, refuseStrings);
  table.add("ai.onnx.ml", "DictVectorizer", 1, refuseMapInput);
  table.add("ai.onnx.ml", "CastMap", 1, refuseMapInput);
  table.add("ai.onnx.ml", "ZipMap", 1, refuseZipMap);
}

} // namespace torsh::onnx
