//===-- FeatureOps.cpp - Scaler, Normalizer, Imputer, Binarizer and their kin -------------------------------===//
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/ml/MlOps.h"
#include <cmath>

using namespace mlir;

namespace torsh::onnx {
namespace {

/// One number for all features or one for each, along the last dim of `like`. Null after a failure.
Value perFeature(NodeImport &node, ArrayRef<double> values, Value like) {
  mlir::Type element = elementTypeOf(like);
  std::optional<int64_t> features = rankOf(like) == 0 ? 1 : dim::asConstant(getDims(like).back());
  if (values.size() == 1)
    return node.splatLike(like, values[0]);
  if (features && *features != int64_t(values.size()))
    return (void)node.malformed("there are " + Twine(values.size()) + " numbers for " + Twine(*features) +
                                " features"),
           Value();
  // The number of features becomes known here.
  if (!features &&
      !node.unify(getDims(like).back(), dim::constant(node.context(), values.size()), "features"))
    return (void)node.malformed("the features are not " + Twine(values.size())), Value();
  torsh::Tensor tensor = torsh::Tensor::zeros(element, {int64_t(values.size())});
  for (size_t i = 0; i < values.size(); ++i) {
    if (tensor.isFloat())
      tensor.floats[i] = roundTo(element, values[i]);
    else
      tensor.ints[i] = wrapTo(element, int64_t(values[i]));
  }
  return alongAxis(node, node.graph.constant(tensor, node.loc), rankOf(like) - 1, like);
}

SmallVector<double> doubles(ArrayRef<float> values) {
  return SmallVector<double>(values.begin(), values.end());
}

LogicalResult importScaler(NodeImport &node) {
  Value x = node.operand(0);
  if (!isa<FloatType>(elementTypeOf(x)) || !elementTypeOf(x).isF32())
    x = node.cast(x, node.builder.getF32Type());
  if (ArrayRef<float> offset = floatsAttr(node, "offset"); !offset.empty()) {
    Value values = perFeature(node, doubles(offset), x);
    if (!values)
      return failure();
    x = node.create<SubOp>(x, values);
  }
  if (ArrayRef<float> factors = floatsAttr(node, "scale"); !factors.empty()) {
    Value values = perFeature(node, doubles(factors), x);
    if (!values)
      return failure();
    x = node.create<MulOp>(x, values);
  }
  node.setResult(0, x);
  return success();
}

/// x / its norm along the last dim; a row of norm 0 stays. As in ONNX Runtime the norm MAX is the largest value, not the
/// largest magnitude.
LogicalResult importNormalizer(NodeImport &node) {
  Value x = node.operand(0);
  if (rankOf(x) < 1 || rankOf(x) > 2)
    return node.unsupported("the features must be rows of a matrix or one row, not a tensor of rank " +
                            Twine(rankOf(x)));
  if (!elementTypeOf(x).isF32())
    x = node.cast(x, node.builder.getF32Type());
  int64_t last = rankOf(x) - 1;
  StringRef kind = node.stringAttr("norm", "MAX");
  Value norm;
  if (kind == "MAX")
    norm = reduceInPlace(node, x, ReduceKind::max, {last});
  else if (kind == "L1")
    norm = reduceInPlace(node, node.create<AbsOp>(x), ReduceKind::sum, {last});
  else if (kind == "L2")
    norm = node.create<SqrtOp>(reduceInPlace(node, node.create<MulOp>(x, x), ReduceKind::sum, {last}));
  else
    return node.malformed("the norm '" + kind + "' is not known");
  Value isZero = compareNumber(node, norm, ComparePredicate::eq, 0);
  norm = node.create<SelectOp>(isZero, node.splatLike(norm, 1), norm);
  node.setResult(0, node.create<DivOp>(x, norm));
  return success();
}

LogicalResult importImputer(NodeImport &node) {
  Value x = node.operand(0);
  bool isFloat = isa<FloatType>(elementTypeOf(x));
  SmallVector<double> values;
  if (isFloat)
    values = doubles(floatsAttr(node, "imputed_value_floats"));
  ArrayRef<int64_t> ints = intListAttr(node, "imputed_value_int64s");
  if (!isFloat)
    values.assign(ints.begin(), ints.end());
  if (values.empty())
    return node.malformed(Twine("the imputed values of ") + (isFloat ? "floats" : "integers") +
                          " are missing");
  if (rankOf(x) < 1)
    return node.malformed("the features have rank 0");
  // ONNX Runtime takes the first value where there is not one for each feature.
  std::optional<int64_t> features = dim::asConstant(getDims(x).back());
  if (features && *features != int64_t(values.size()))
    values.resize(1);
  Value imputed = perFeature(node, values, x), isReplaced;
  if (!imputed)
    return failure();
  double replaced =
      isFloat ? node.floatAttr("replaced_value_float", 0) : double(node.intAttr("replaced_value_int64", 0));
  if (std::isnan(replaced))
    isReplaced = node.create<IsNanOp>(x);
  else
    isReplaced = compareNumber(node, x, ComparePredicate::eq, replaced);
  node.setResult(0, node.create<SelectOp>(isReplaced, imputed, x));
  return success();
}

LogicalResult importBinarizer(NodeImport &node) {
  Value x = node.operand(0);
  Value isAbove = compareNumber(node, x, ComparePredicate::gt, node.floatAttr("threshold", 0));
  node.setResult(0, node.cast(isAbove, elementTypeOf(x)));
  return success();
}

LogicalResult importArrayFeatureExtractor(NodeImport &node) {
  Value x = node.operand(0), indices = node.operand(1);
  if (rankOf(x) < 1)
    return node.malformed("the data has rank 0");
  if (!elementTypeOf(indices).isSignlessInteger(64))
    indices = node.cast(indices, node.builder.getI64Type());
  indices = node.reshape(indices, {dim::product(node.context(), getDims(indices))});
  if (rankOf(x) == 1)
    x = node.reshape(x, {dim::constant(node.context(), 1), getDims(x)[0]});
  node.setResult(0, node.create<GatherOp>(x, indices, uint64_t(rankOf(x) - 1)));
  return success();
}

/// The inputs side by side, each cut or filled with zeros to the columns that inputdimensions states.
LogicalResult importFeatureVectorizer(NodeImport &node) {
  ArrayRef<int64_t> wanted = intListAttr(node, "inputdimensions");
  SmallVector<Value> parts;
  DimAttr zero = dim::constant(node.context(), 0);
  for (size_t i = 0; i < node.numInputs(); ++i) {
    Value x = node.operand(i);
    if (node.invalid)
      return failure();
    if (rankOf(x) == 1)
      x = node.reshape(x, {getDims(x)[0], dim::constant(node.context(), 1)});
    if (rankOf(x) != 2)
      return node.malformed("input " + Twine(i) + " has rank " + Twine(rankOf(x)) + ", not 1 or 2");
    if (!elementTypeOf(x).isF32())
      x = node.cast(x, node.builder.getF32Type());
    std::optional<int64_t> columns = dim::asConstant(getDims(x)[1]);
    if (i < wanted.size()) {
      if (wanted[i] < 0)
        return node.malformed("inputdimensions has a negative entry");
      if (!columns && !node.unify(getDims(x)[1], dim::constant(node.context(), wanted[i]), "inputdimensions"))
        return node.malformed("input " + Twine(i) + " does not have " + Twine(wanted[i]) + " columns");
      if (columns && *columns > wanted[i]) {
        x = sliceAxis(node, x, 1, zero, dim::constant(node.context(), wanted[i]));
      } else if (columns && *columns < wanted[i]) {
        Value nothing = node.scalar(elementTypeOf(x), 0);
        x = node.create<PadOp>(
            x, nothing, DimsAttr::get(node.context(), {zero, zero}),
            DimsAttr::get(node.context(), {zero, dim::constant(node.context(), wanted[i] - *columns)}),
            PadMode::constant);
      }
    }
    if (!parts.empty() && !node.unify(getDims(parts[0])[0], getDims(x)[0], "rows of FeatureVectorizer"))
      return node.malformed("the inputs have different numbers of rows");
    parts.push_back(x);
  }
  if (parts.empty())
    return node.malformed("there are no inputs");
  node.setResult(0, joinColumns(node, parts));
  return success();
}

} // namespace

void addFeatureOps(OpTable &table) {
  table.add("ai.onnx.ml", "Scaler", 1, importScaler);
  table.add("ai.onnx.ml", "Normalizer", 1, importNormalizer);
  table.add("ai.onnx.ml", "Imputer", 1, importImputer);
  table.add("ai.onnx.ml", "Binarizer", 1, importBinarizer);
  table.add("ai.onnx.ml", "ArrayFeatureExtractor", 1, importArrayFeatureExtractor);
  table.add("ai.onnx.ml", "FeatureVectorizer", 1, importFeatureVectorizer);
}

} // namespace torsh::onnx
