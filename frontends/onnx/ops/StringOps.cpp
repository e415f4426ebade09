//===-- StringOps.cpp - String tensors ----------------------------------------------------------------------===//
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ObjectValues.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// A string operand.
FailureOr<Value> stringOperand(NodeImport &node, size_t i) {
  Value value = node.operand(i);
  ArrayAttr type = object::describe(value.getType());
  if (!type || !object::isStrings(type))
    return LogicalResult(node.malformed("input " + Twine(i) + " must be a string tensor"));
  return value;
}

int64_t rankOf(Value strings) { return object::rankOf(object::describe(strings.getType())); }

/// The rank of what two tensors broadcast to.
int64_t commonRank(Value a, Value b) {
  return rankOf(a) < 0 || rankOf(b) < 0 ? -1 : std::max(rankOf(a), rankOf(b));
}

LogicalResult importStringConcat(NodeImport &node) {
  FailureOr<Value> a = stringOperand(node, 0), b = stringOperand(node, 1);
  if (failed(a) || failed(b))
    return failure();
  node.setResult(0, ObjectBuilder(node).call("string_concat", {*a, *b},
                                             object::strings(node.context(), commonRank(*a, *b))));
  return success();
}

LogicalResult importEqual(NodeImport &node) {
  FailureOr<Value> a = stringOperand(node, 0), b = stringOperand(node, 1);
  if (failed(a) || failed(b))
    return failure();
  ObjectBuilder objects(node);
  ArrayAttr flags = object::tensor(node.builder.getI1Type(), commonRank(*a, *b));
  Value equal = objects.unbox(objects.call("string_equal", {*a, *b}, flags));
  if (!equal)
    return failure();
  node.setResult(0, equal);
  return success();
}

LogicalResult importStringSplit(NodeImport &node) {
  FailureOr<Value> x = stringOperand(node, 0);
  if (failed(x))
    return failure();
  int64_t rank = rankOf(*x);
  SmallVector<StringRef> delimiter;
  if (const Attribute *given = node.attribute("delimiter"))
    delimiter.push_back(given->s);
  const Attribute *most = node.attribute("maxsplit");
  ObjectBuilder objects(node);
  mlir::Type types[] = {object::handle(object::strings(node.context(), rank < 0 ? -1 : rank + 1)),
                        object::handle(object::tensor(node.builder.getI64Type(), rank))};
  Operation *split = objects.create("string_split", *x, types, {most ? most->i : -1}, delimiter);
  node.setResult(0, split->getResult(0));
  if (node.numOutputs() < 2 || node.node.outputs[1].empty())
    return success();
  Value counts = objects.unbox(split->getResult(1));
  if (!counts)
    return failure();
  node.setResult(1, counts);
  return success();
}

LogicalResult importStringNormalizer(NodeImport &node) {
  FailureOr<Value> x = stringOperand(node, 0);
  if (failed(x))
    return failure();
  StringRef action = node.stringAttr("case_change_action", "NONE");
  int64_t change = action == "LOWER" ? 1 : action == "UPPER" ? 2 : 0;
  if (!change && action != "NONE")
    return node.malformed("case_change_action must be LOWER, UPPER or NONE");
  const Attribute *stopwords = node.attribute("stopwords");
  node.setResult(0, ObjectBuilder(node).call("string_normalize", *x, object::describe(x->getType()),
                                             {change, node.intAttr("is_case_sensitive", 0)},
                                             stopwords ? stopwords->strings : ArrayRef<StringRef>()));
  return success();
}

//===-- Labels ---------------------------------------------------------------------------------------------===//

/// The list that an attribute of one of the types holds: `what` with _strings, _int64s, _floats or _tensor.
FailureOr<Value> listAttribute(NodeImport &node, StringRef what) {
  auto of = [&](const Twine &suffix) { return node.attribute((what + suffix).str()); };
  if (const Attribute *found = of("_strings"))
    return node.graph.constant(found->strings, {int64_t(found->strings.size())}, node.loc);
  Value value;
  if (const Attribute *found = of("_int64s")) {
    auto tensor = torsh::Tensor::zeros(node.builder.getI64Type(), {int64_t(found->ints.size())});
    tensor.ints.assign(found->ints.begin(), found->ints.end());
    value = node.graph.constant(tensor, node.loc);
  } else if (const Attribute *found = of("_floats")) {
    auto tensor = torsh::Tensor::zeros(node.builder.getF32Type(), {int64_t(found->floats.size())});
    tensor.floats.assign(found->floats.begin(), found->floats.end());
    value = node.graph.constant(tensor, node.loc);
  } else if (const Attribute *found = of("_tensor"); found && found->t) {
    std::string why;
    value = node.graph.constant(*found->t, node.loc, why);
    if (!value)
      return LogicalResult(node.unsupported(why));
  } else {
    return LogicalResult(node.malformed("the attribute '" + what + "_...' is missing"));
  }
  value = ObjectBuilder(node).box(value);
  if (!value)
    return failure();
  return value;
}

/// What a label without a key becomes, of the type of the values.
FailureOr<Value> defaultLabel(NodeImport &node, ArrayAttr values) {
  if (object::isStrings(values))
    return node.graph.constant({node.stringAttr("default_string", "_Unused")}, {}, node.loc);
  if (node.attribute("default_tensor"))
    return listAttribute(node, "default");
  mlir::Type element = object::elementOf(values);
  double otherwise = isa<FloatType>(element) ? node.floatAttr("default_float", -0.0)
                                             : double(node.intAttr("default_int64", -1));
  Value label = ObjectBuilder(node).box(node.scalar(element, otherwise));
  if (!label)
    return failure();
  return label;
}

LogicalResult importLabelEncoder(NodeImport &node) {
  Value x = node.operand(0);
  FailureOr<Value> keys, values;
  if (const Attribute *classes = node.attribute("classes_strings")) {
    // The first version: the place of a string among the classes.
    auto places = llvm::to_vector(llvm::seq<int64_t>(0, classes->strings.size()));
    auto tensor = torsh::Tensor::zeros(node.builder.getI64Type(), {int64_t(places.size())});
    tensor.ints.assign(places.begin(), places.end());
    keys = node.graph.constant(classes->strings, {int64_t(places.size())}, node.loc);
    values = ObjectBuilder(node).box(node.graph.constant(tensor, node.loc));
  } else {
    keys = listAttribute(node, "keys");
    values = failed(keys) ? FailureOr<Value>() : listAttribute(node, "values");
  }
  if (failed(keys) || failed(values))
    return failure();
  ArrayAttr type = object::describe(values->getType());
  FailureOr<Value> otherwise = defaultLabel(node, type);
  if (failed(otherwise))
    return failure();
  int64_t rank = rankOf(x);
  ArrayAttr result = object::isStrings(type) ? object::strings(node.context(), rank)
                                             : object::tensor(object::elementOf(type), rank);
  ObjectBuilder objects(node);
  Value labels = objects.call("label_encode", {x, *keys, *values, *otherwise}, result);
  if (!object::isStrings(type))
    labels = objects.unbox(labels);
  if (!labels)
    return failure();
  node.setResult(0, labels);
  return success();
}

//===-- Counts of n-grams of strings; those of numbers are in TextOps.cpp ----------------------------------------------------------------------------------===//

LogicalResult importTfIdfVectorizer(NodeImport &node) {
  ObjectBuilder objects(node);
  Value x = node.operand(0);
  const Attribute *texts = node.attribute("pool_strings");
  if (!texts)
    return node.malformed("the pool's elements are not of the input's type");
  Value pool = node.graph.constant(texts->strings, {int64_t(texts->strings.size())}, node.loc);
  int64_t mode = llvm::StringSwitch<int64_t>(node.stringAttr("mode", ""))
                     .Case("TF", 0)
                     .Case("IDF", 1)
                     .Case("TFIDF", 2)
                     .Default(-1);
  auto counts = node.intsAttr("ngram_counts"), columns = node.intsAttr("ngram_indexes");
  if (mode < 0 || !counts || !columns || columns->empty())
    return node.malformed("an attribute is missing, or mode is not TF, IDF or TFIDF");
  SmallVector<int64_t> numbers{mode, node.intAttr("min_gram_length", 1), node.intAttr("max_gram_length", 1),
                               node.intAttr("max_skip_count", 0), int64_t(counts->size())};
  llvm::append_range(numbers, *counts);
  llvm::append_range(numbers, *columns);
  Value weights = objects.call("none", {}, object::optional(object::tensor(node.builder.getF32Type(), 1)));
  if (const Attribute *given = node.attribute("weights")) {
    if (given->floats.size() != columns->size() ||
        llvm::any_of(*columns, [](int64_t column) { return column < 0; }))
      return node.malformed("weights must have one entry an n-gram, and no index be negative");
    // The weights belong to the n-grams in the order of the pool.
    int64_t width = *std::max_element(columns->begin(), columns->end()) + 1;
    if (width > int64_t(1) << 24)
      return node.unsupported("more than 2^24 columns");
    auto tensor = torsh::Tensor::zeros(node.builder.getF32Type(), {width});
    for (auto [column, weight] : llvm::zip_equal(*columns, given->floats))
      tensor.floats[column] = weight;
    weights = objects.box(node.graph.constant(tensor, node.loc));
  }
  int64_t rank = object::rankOf(object::describe(x.getType()));
  Value result = objects.unbox(
      objects.call("tfidf", {x, pool, weights}, object::tensor(node.builder.getF32Type(), rank), numbers));
  if (!result)
    return failure();
  node.setResult(0, result);
  return success();
}

} // namespace

void addStringOps(OpTable &table) {
  table.add("", "StringConcat", 20, importStringConcat);
  table.add("", "StringSplit", 20, importStringSplit);
  table.add("", "StringNormalizer", 10, importStringNormalizer);
}

void addOpsOnStrings(OpTable &table) {
  table.add("", "TfIdfVectorizer", 9, importTfIdfVectorizer);
  table.add("", "Equal", 7, importEqual);
  table.add("ai.onnx.ml", "LabelEncoder", 1, importLabelEncoder);
}

} // namespace torsh::onnx
