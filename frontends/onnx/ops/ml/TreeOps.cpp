//===-- TreeOps.cpp - TreeEnsemble, TreeEnsembleRegressor, TreeEnsembleClassifier ---------------------------===//
#include "dialects/torsh/TreeEnsemble.h"
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/ml/ClassScores.h"
#include "frontends/onnx/ops/ml/TreeTables.h"
#include <cmath>
#include <set>

using namespace mlir;

namespace torsh::onnx {
namespace {

/// A table as a constant; `values` has `columns` entries a row.
Value table(NodeImport &node, std::vector<int64_t> values, int64_t columns, mlir::Type elementType) {
  torsh::Tensor tensor = torsh::Tensor::zeros(elementType, {int64_t(values.size()) / columns, columns});
  tensor.ints = std::move(values);
  return node.graph.constant(tensor, node.loc);
}

/// A constant of an unsigned key type.
Value keyConstant(NodeImport &node, mlir::Type type, int64_t value) {
  torsh::Tensor tensor = torsh::Tensor::zeros(type, {});
  tensor.ints[0] = value;
  return node.graph.constant(tensor, node.loc);
}

/// The given columns of `keys`; all of them need no copy.
Value takeColumns(NodeImport &node, Value keys, ArrayRef<int64_t> columns) {
  if (dim::isConstant(getDims(keys)[1], columns.size()) && llvm::equal(columns, range(0, columns.size())))
    return keys;
  return node.create<GatherOp>(keys, constantInts(node, columns), uint64_t(1));
}

/// The keys of all columns of the tables: those of features, those in which a missing value is less than all numbers, and
/// a column of zeros.
Value makeKeys(NodeImport &node, Value x, ArrayRef<KeyColumn> columns, bool wide) {
  mlir::Type type = IntegerType::get(node.context(), wide ? 64 : 32, IntegerType::Unsigned);
  Value all = node.create<SortKeyOp>(withElementType(cast<RankedTensorType>(x.getType()), type), x);
  SmallVector<int64_t> plain, low;
  for (const KeyColumn &column : columns)
    (column.missingIsLow ? low : plain).push_back(column.feature);
  SmallVector<Value> parts;
  if (!plain.empty())
    parts.push_back(takeColumns(node, all, plain));
  if (!low.empty()) {
    Value keys = takeColumns(node, all, low);
    auto broadcast = [&](int64_t value) {
      return node.broadcastTo(keyConstant(node, type, value), getDims(keys));
    };
    auto booleans = withElementType(cast<RankedTensorType>(keys.getType()), node.builder.getI1Type());
    Value isMissing = node.create<CompareOp>(booleans, keys, broadcast(wide ? -1 : int64_t(UINT32_MAX)),
                                             ComparePredicate::eq);
    parts.push_back(node.create<SelectOp>(isMissing, broadcast(0), keys));
  }
  DimAttr zero = dim::constant(node.context(), 0), one = dim::constant(node.context(), 1);
  auto dims = [&](DimAttr last) { return DimsAttr::get(node.context(), {zero, last}); };
  if (parts.empty())
    return node.broadcastTo(keyConstant(node, type, 0), {getDims(x)[0], one});
  parts.back() =
      node.create<PadOp>(parts.back(), keyConstant(node, type, 0), dims(zero), dims(one), PadMode::constant);
  return joinColumns(node, parts);
}

/// Plain columns first, those of missing values behind; features in order, and all up to the last where most are used.
void orderColumns(TreeTables &tables, unsigned half) {
  size_t count = tables.columns.size();
  std::vector<int64_t> order(count), place(count);
  for (size_t i = 0; i < count; ++i)
    order[i] = int64_t(i);
  llvm::sort(order, [&](int64_t a, int64_t b) {
    const KeyColumn &left = tables.columns[a], &right = tables.columns[b];
    return std::pair(left.missingIsLow, left.feature) < std::pair(right.missingIsLow, right.feature);
  });
  std::vector<KeyColumn> columns;
  for (bool low : {false, true}) {
    int64_t used = 0, last = -1;
    for (const KeyColumn &column : tables.columns)
      if (column.missingIsLow == low) {
        ++used;
        last = std::max(last, column.feature);
      }
    bool isDense = last + 1 <= 2 * used + 8;
    if (isDense)
      for (int64_t feature = 0; feature <= last; ++feature)
        columns.push_back({feature, low});
    size_t first = columns.size() - (isDense ? last + 1 : 0);
    for (int64_t index : order) {
      if (tables.columns[index].missingIsLow != low)
        continue;
      if (!isDense)
        columns.push_back(tables.columns[index]);
      place[index] = isDense ? int64_t(first) + tables.columns[index].feature : int64_t(columns.size()) - 1;
    }
  }
  uint64_t mask = (uint64_t(1) << half) - 1;
  for (size_t word = 1; word < tables.nodes.size(); word += 2) {
    uint64_t value = uint64_t(tables.nodes[word]), column = value & mask;
    uint64_t to = column < count ? uint64_t(place[column]) : columns.size();
    tables.nodes[word] = int64_t((value & ~mask) | to);
  }
  tables.columns = std::move(columns);
}

/// What the leaves of every row come to, [rows, targets], before base values.
FailureOr<Value> combineLeaves(NodeImport &node, Value x, const TreeModel &model, TreeTables &tables,
                               bool wide) {
  mlir::Type element = elementTypeOf(x);
  DimAttr rows = getDims(x)[0], one = dim::constant(node.context(), 1);
  // Few rows: the trees are shared among threads in parts that are worth it, at most eight.
  constexpr double worthSteps = 1500;
  constexpr int64_t rowsOfTile = 128, tilesWanted = 8;
  int64_t most = std::clamp<int64_t>(int64_t(tables.averageSteps / worthSteps), 1, 8);
  DimAttr blocks = dim::ceilDiv(rows, dim::constant(node.context(), rowsOfTile));
  DimAttr chunks = one;
  if (most > 1)
    chunks = dim::max(
        one, dim::min(dim::constant(node.context(), most),
                      dim::floorDiv(dim::constant(node.context(), tilesWanted), dim::max(one, blocks))));
  Value keys = makeKeys(node, x, tables.columns, wide);
  mlir::Type word = elementTypeOf(keys);
  Value leaves;
  if (!tables.leaves.empty())
    leaves = constantMatrix(node, tables.leaves, int64_t(tables.leaves.size()) / model.targets, model.targets,
                            element);
  bool isSum = model.aggregate == TreeAggregate::Sum || model.aggregate == TreeAggregate::Average;
  ReduceKind kind = isSum                                   ? ReduceKind::sum
                    : model.aggregate == TreeAggregate::Min ? ReduceKind::min
                                                            : ReduceKind::max;
  RankedTensorType type =
      makeTensorType({chunks, rows, dim::constant(node.context(), model.targets)}, element);
  Value parts = node.create<TreeEnsembleOp>(
      type, keys, table(node, std::move(tables.nodes), 2, word),
      table(node, std::move(tables.trees), 4, node.builder.getI32Type()), leaves, kind);
  Value sums = node.create<ReduceOp>(parts, kind, ArrayRef<int64_t>{0}, false);
  if (model.aggregate == TreeAggregate::Average)
    sums = node.create<DivOp>(sums, node.splatLike(sums, double(model.roots.size())));
  // A target that no leaf has a value for.
  if (!isSum) {
    double neutral = kind == ReduceKind::min ? INFINITY : -INFINITY;
    sums = node.create<SelectOp>(compareNumber(node, sums, ComparePredicate::eq, neutral),
                                 node.splatLike(sums, 0), sums);
  }
  return sums;
}

/// The first `count` features of rows whose length is known at run time; one that is not there is missing.
Value withFeatures(NodeImport &node, Value x, int64_t count) {
  DimAttr zero = dim::constant(node.context(), 0), wanted = dim::constant(node.context(), count);
  DimAttr there = dim::min(getDims(x)[1], wanted);
  Value nothing = node.scalar(elementTypeOf(x), NAN);
  return node.create<PadOp>(
      sliceAxis(node, x, 1, zero, there), nothing, DimsAttr::get(node.context(), {zero, zero}),
      DimsAttr::get(node.context(), {zero, dim::sub(wanted, there)}), PadMode::constant);
}

/// The sums of all trees over the rows of operand 0.
FailureOr<Value> walkTrees(NodeImport &node, const TreeModel &model,
                           std::vector<bool> *targetHasLeaf = nullptr) {
  Value x = featureRows(node, 0);
  if (!x)
    return failure();
  if (isa<FloatType>(elementTypeOf(x)) && !elementTypeOf(x).isF64())
    x = elementTypeOf(x).isF32() ? x : node.cast(x, node.builder.getF32Type());
  bool wide = elementTypeOf(x).isF64();
  std::optional<int64_t> given = dim::asConstant(getDims(x)[1]);
  if (given && *given < model.features)
    return LogicalResult(node.malformed("a node compares feature " + Twine(model.features - 1) +
                                        " of rows of " + Twine(*given)));
  constexpr int64_t mostFeatures = int64_t(1) << 24;
  if (model.features > mostFeatures)
    return LogicalResult(node.unsupported("a node compares feature " + Twine(model.features - 1) +
                                          "; at most " + Twine(mostFeatures) + " features are supported"));
  auto tables = packTrees(node, model, wide);
  if (failed(tables))
    return failure();
  if (!*tables) {
    // Distances or columns that need more bits.
    wide = true;
    x = node.cast(x, node.builder.getF64Type());
    tables = packTrees(node, model, wide);
    if (failed(tables))
      return failure();
    if (!*tables)
      return LogicalResult(node.unsupported("a tree has more than two thousand million nodes"));
  }
  orderColumns(**tables, wide ? 32 : 16);
  if (targetHasLeaf)
    *targetHasLeaf = (*tables)->targetHasLeaf;
  if (!given && model.features > 0)
    x = withFeatures(node, x, model.features);
  return combineLeaves(node, x, model, **tables, wide);
}

/// A list of floats or a tensor.
FailureOr<SmallVector<double>> baseValues(NodeImport &node) {
  ArrayRef<float> floats = floatsAttr(node, "base_values");
  SmallVector<double> values(floats.begin(), floats.end());
  auto tensor = tensorAttr(node, "base_values_as_tensor");
  if (failed(tensor))
    return failure();
  if (values.empty() && *tensor)
    values.assign((*tensor)->floats.begin(), (*tensor)->floats.end());
  return values;
}

Value addToRows(NodeImport &node, Value scores, ArrayRef<double> values) {
  if (values.empty())
    return scores;
  Value vector = constantMatrix(node, values, 0, int64_t(values.size()), elementTypeOf(scores));
  return node.create<AddOp>(scores, forEachRow(node, vector, scores));
}

LogicalResult importRegressor(NodeImport &node) {
  int64_t targets = node.intAttr("n_targets", 1);
  if (targets < 1)
    return node.malformed("n_targets must be 1 or more");
  FailureOr<TreeModel> model = readNodeLists(node, "target", targets);
  FailureOr<PostTransform> transform = readPostTransform(node);
  FailureOr<SmallVector<double>> base = baseValues(node);
  if (failed(model) || failed(transform) || failed(base))
    return failure();
  if (!base->empty() && int64_t(base->size()) != targets)
    return node.malformed("there are " + Twine(base->size()) + " base values for " + Twine(targets) +
                          " targets");
  FailureOr<Value> sums = walkTrees(node, *model);
  if (failed(sums))
    return failure();
  Value scores = transformScores(node, addToRows(node, *sums, *base), *transform);
  node.setResult(0, elementTypeOf(scores).isF32() ? scores : node.cast(scores, node.builder.getF32Type()));
  return success();
}

LogicalResult importEnsemble(NodeImport &node) {
  FailureOr<TreeModel> model = readTreeEnsemble(node);
  FailureOr<PostTransform> transform = readPostTransform(node);
  if (failed(model) || failed(transform))
    return failure();
  FailureOr<Value> sums = walkTrees(node, *model);
  if (failed(sums))
    return failure();
  Value scores = transformScores(node, *sums, *transform);
  mlir::Type wanted = node.typeOf(0).getElementType();
  node.setResult(0, elementTypeOf(scores) == wanted ? scores : node.cast(scores, wanted));
  return success();
}

/// A classifier with scores for one of two classes.
LogicalResult classifyByOneScore(NodeImport &node, Value score, const ClassLabels &labels, bool allPositive,
                                 PostTransform transform, Value &scores) {
  scores = scoresOfPair(node, score, transform, allPositive ? FirstClass::OneMinus : FirstClass::Negated);
  return scores ? setLabels(node, isAbove(node, score, allPositive ? 0.5 : 0), labels) : failure();
}

LogicalResult importClassifier(NodeImport &node) {
  ClassLabels labels{intListAttr(node, "classlabels_int64s"), stringsAttr(node, "classlabels_strings")};
  int64_t classes = labels.size();
  if (classes < 1)
    return node.malformed("classlabels_int64s or classlabels_strings must name the classes");
  FailureOr<TreeModel> model = readNodeLists(node, "class", classes);
  FailureOr<PostTransform> transform = readPostTransform(node);
  FailureOr<SmallVector<double>> base = baseValues(node);
  if (failed(model) || failed(transform) || failed(base))
    return failure();
  std::set<int64_t> scored;
  bool allPositive = true;
  for (const LeafWeight &weight : model->weights) {
    scored.insert(weight.target);
    allPositive &= weight.value >= 0;
  }
  bool isPair = classes == 2 && scored.size() == 1;
  if (classes <= 2 && !base->empty() && (base->size() > 1 || (isPair && *scored.begin() == 1)))
    return node.unsupported("base values of " + Twine(base->size()) +
                            " classes do not fit a model with scores for " + Twine(scored.size()) + " of " +
                            Twine(classes) + " classes");
  if (classes > 2 && !base->empty() && int64_t(base->size()) != classes)
    return node.malformed("there are " + Twine(base->size()) + " base values for " + Twine(classes) +
                          " classes");
  // Scores of one class need one sum.
  if (isPair) {
    model->targets = 1;
    for (LeafWeight &weight : model->weights)
      weight.target = 0;
  }
  std::vector<bool> hasLeaf;
  FailureOr<Value> sums = walkTrees(node, *model, &hasLeaf);
  if (failed(sums))
    return failure();
  Value scores = *sums;
  if (isPair && *scored.begin() == 0) {
    if (failed(classifyByOneScore(node, addToRows(node, scores, *base), labels, allPositive, *transform,
                                  scores)))
      return failure();
  } else if (isPair) {
    if (failed(setLabels(node, isAbove(node, scores, allPositive ? 0.5 : 0), labels)))
      return failure();
    scores = transformScores(node, joinColumns(node, {node.splatLike(scores, 0), scores}), *transform);
  } else if (classes <= 2) {
    // One value is for the first class. ONNX Runtime then answers 1 and 0 whatever the labels are.
    if (!base->empty() && classes == 2)
      base->push_back(0);
    scores = addToRows(node, scores, *base);
    static const int64_t numbers[] = {0, 1};
    ClassLabels answers = labels.strings.empty() ? ClassLabels{numbers, {}} : labels;
    if (failed(setLabels(node, isAbove(node, column(node, scores, classes - 1), 0), answers)))
      return failure();
    scores = transformScores(node, scores, *transform);
  } else {
    scores = addToRows(node, scores, *base);
    // A class without a score is no candidate.
    Value candidates = scores;
    if (base->empty() && llvm::is_contained(hasLeaf, false)) {
      SmallVector<double> bias;
      for (bool has : hasLeaf)
        bias.push_back(has ? 0 : -INFINITY);
      candidates = addToRows(node, scores, bias);
    }
    if (failed(setLabels(node, bestClass(node, candidates), labels)))
      return failure();
    scores = transformScores(node, scores, *transform);
  }
  node.setResult(1, elementTypeOf(scores).isF32() ? scores : node.cast(scores, node.builder.getF32Type()));
  return success();
}

} // namespace

void addTreeOps(OpTable &table) {
  table.add("ai.onnx.ml", "TreeEnsemble", 5, importEnsemble);
  table.add("ai.onnx.ml", "TreeEnsembleRegressor", 1, importRegressor);
  table.add("ai.onnx.ml", "TreeEnsembleClassifier", 1, importClassifier);
}

} // namespace torsh::onnx
