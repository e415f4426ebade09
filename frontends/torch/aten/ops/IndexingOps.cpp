//===-- IndexingOps.cpp - Gathers, scatters, sorting --------------------------------------------------------===//
#include "frontends/torch/aten/Table.h"

using namespace mlir;

namespace torsh::torch {
namespace {

LogicalResult importEmbedding(Call &c) {
  Value weight = c.tensor("weight"), indices = c.tensor("indices");
  if (rankOf(weight) != 2 || !isa<IntegerType>(elementTypeOf(indices)))
    return c.fail("embedding needs a matrix and integers");
  return c.give(c.b.create<GatherOp>(weight, indices, int64_t(0)));
}

LogicalResult importIndexSelect(Call &c) {
  Value x = c.tensor("self"), index = c.b.toRank(c.tensor("index"), 1);
  if (rankOf(x) == 0 || rankOf(index) != 1)
    return c.fail("index_select needs a tensor of rank 1 or more and a vector");
  return c.give(c.b.create<GatherOp>(x, index, c.axis("dim", rankOf(x))));
}

/// Elements of a smaller index tensor are taken from the start of the other dims.
LogicalResult importGather(Call &c) {
  Value x = c.tensor("self"), index = c.tensor("index");
  int64_t rank = rankOf(x);
  if (rank != rankOf(index) || rank == 0)
    return c.fail("gather needs a tensor and an index of one rank, 1 or more");
  int64_t axis = c.axis("dim", rank);
  for (int64_t i = 0; i < rank; ++i)
    if (DimAttr size = getDims(index)[i]; i != axis && size != getDims(x)[i])
      x = c.b.sliceAxis(x, i, c.b.dim(0), size);
  return c.give(c.b.create<GatherElementsOp>(x, index, axis));
}

LogicalResult giveScattered(Call &c, Value updates, ScatterKind kind) {
  Value x = c.tensor("self"), index = c.tensor("index");
  int64_t rank = rankOf(x);
  if (rank != rankOf(index) || rank == 0)
    return c.fail("scatter needs a tensor and an index of one rank, 1 or more");
  if (rankOf(updates) == 0)
    updates = c.b.broadcastTo(updates, getDims(index));
  if (rankOf(updates) != rank || elementTypeOf(updates) != elementTypeOf(x))
    return c.fail("scatter needs values of the tensor's rank and element type");
  for (int64_t i = 0; i < rank; ++i)
    updates = c.b.sliceAxis(updates, i, c.b.dim(0), getDims(index)[i]);
  return c.give(c.b.create<ScatterElementsOp>(x.getType(), x, index, updates, c.axis("dim", rank), kind));
}

LogicalResult importScatter(Call &c) {
  return giveScattered(c, asTensor(c.b, c.value("src"), elementTypeOf(c.tensor("self"))),
                       ScatterKind::replace);
}
LogicalResult importScatterAdd(Call &c) { return giveScattered(c, c.tensor("src"), ScatterKind::add); }

//===-- x[i, j] ----------------------------------------------------------------------------------------------===//

/// The indices of x[..., i, j, ...]: broadcast to one shape and stacked into tuples, and the dims that they index.
struct Indices {
  SmallVector<int64_t> axes;
  SmallVector<DimAttr> shape;
  Value tuples;
};

std::optional<Indices> readIndices(Call &c, Value x) {
  Indices result;
  SmallVector<Value> parts;
  const Val &list = c.value("indices");
  for (auto [i, item] : llvm::enumerate(list.items())) {
    if (item.isNone())
      continue;
    Value index = c.b.read(item);
    if (elementTypeOf(index).isInteger(1) || !isa<IntegerType>(elementTypeOf(index)) ||
        elementTypeOf(index).isUnsignedInteger(8)) {
      (void)c.fail("an index by a mask has a size that depends on data, which is not supported");
      return std::nullopt;
    }
    result.axes.push_back(int64_t(i));
    parts.push_back(c.b.cast(index, c.b.builder.getI64Type()));
  }
  if (parts.empty() || result.axes.back() >= rankOf(x)) {
    (void)c.fail("there are more indices than dims, or none");
    return std::nullopt;
  }
  c.b.broadcastTogether(parts);
  if (c.b.hasFailed())
    return std::nullopt;
  result.shape = getDims(parts[0]);
  for (Value &part : parts)
    part = c.b.expandDim(part, rankOf(part));
  result.tuples = c.b.concat(parts, rankOf(parts[0]) - 1);
  return result;
}

SmallVector<int64_t> axesFirst(ArrayRef<int64_t> axes, int64_t rank) {
  SmallVector<int64_t> permutation(axes);
  for (int64_t i = 0; i < rank; ++i)
    if (!llvm::is_contained(axes, i))
      permutation.push_back(i);
  return permutation;
}

bool areAdjacent(ArrayRef<int64_t> axes) {
  for (size_t i = 1; i < axes.size(); ++i)
    if (axes[i] != axes[i - 1] + 1)
      return false;
  return true;
}

/// The indexed dims go first for gather_nd. Where they stood together, their result goes back to that place.
LogicalResult importIndex(Call &c) {
  TensorBuilder &b = c.b;
  Value x = c.tensor("self");
  std::optional<Indices> indices = readIndices(c, x);
  if (!indices)
    return failure();
  int64_t rank = rankOf(x), indexRank = int64_t(indices->shape.size());
  if (indices->axes.size() == 1)
    return c.give(b.create<GatherOp>(x, b.dropDim(indices->tuples, indexRank), indices->axes[0]));
  Value y = b.create<GatherNdOp>(b.transpose(x, axesFirst(indices->axes, rank)), indices->tuples, int64_t(0));
  int64_t first = indices->axes.front();
  if (areAdjacent(indices->axes) && first > 0) {
    SmallVector<int64_t> permutation;
    for (int64_t i = 0; i < first; ++i)
      permutation.push_back(indexRank + i);
    for (int64_t i = 0; i < indexRank; ++i)
      permutation.push_back(i);
    for (int64_t i = indexRank + first; i < rankOf(y); ++i)
      permutation.push_back(i);
    y = b.transpose(y, permutation);
  }
  return c.give(y);
}

LogicalResult importIndexPut(Call &c) {
  TensorBuilder &b = c.b;
  Value x = c.tensor("self"), values = b.cast(c.tensor("values"), elementTypeOf(x));
  ScatterKind kind = c.flag("accumulate") ? ScatterKind::add : ScatterKind::replace;
  const Val &list = c.value("indices");
  // x[mask] = number chooses element by element.
  if (list.items().size() == 1 && list.items()[0].isTensor() &&
      elementTypeOf(b.read(list.items()[0])).isInteger(1)) {
    Value mask = b.read(list.items()[0]);
    if (rankOf(values) != 0 && !(rankOf(values) == 1 && dim::isConstant(getDims(values)[0], 1)))
      return c.fail("only one number can be assigned under a mask");
    while (rankOf(mask) < rankOf(x))
      mask = b.expandDim(mask, rankOf(mask));
    SmallVector<Value> all = {mask, b.reshape(values, {}), x};
    b.broadcastTogether(all);
    Value replaced = kind == ScatterKind::add ? b.create<AddOp>(all[1], all[2]) : all[1];
    return c.give(b.create<SelectOp>(all[0], replaced, all[2]));
  }
  std::optional<Indices> indices = readIndices(c, x);
  if (!indices)
    return failure();
  int64_t rank = rankOf(x);
  SmallVector<int64_t> permutation = axesFirst(indices->axes, rank), inverse(rank);
  for (auto [to, from] : llvm::enumerate(permutation))
    inverse[from] = int64_t(to);
  bool movesBack = areAdjacent(indices->axes) && indices->axes.front() > 0;
  if (movesBack)
    return c.fail("an assignment to indices after a whole dim is not supported");
  Value front = b.transpose(x, permutation);
  SmallVector<DimAttr> shape = indices->shape;
  for (int64_t i = int64_t(indices->axes.size()); i < rank; ++i)
    shape.push_back(getDims(front)[i]);
  Value updates = b.broadcastTo(values, shape);
  if (b.hasFailed())
    return failure();
  Value y = b.create<ScatterNdOp>(front.getType(), front, indices->tuples, updates, kind);
  return c.give(b.transpose(y, inverse));
}

//===-- Order ------------------------------------------------------------------------------------------------===//

LogicalResult giveSorted(Call &c, DimAttr k, int64_t axis, bool largest) {
  Value x = c.tensor("self");
  auto op = TopKOp::create(c.b.builder, c.b.loc, x, k, axis, largest);
  return c.giveAll({op.getValues(), op.getIndices()});
}

LogicalResult importTopk(Call &c) {
  Value x = c.tensor("self");
  if (rankOf(x) == 0)
    return c.fail("topk needs a tensor of rank 1 or more");
  return giveSorted(c, c.dim("k"), c.axis("dim", rankOf(x)), c.flag("largest"));
}

LogicalResult importSort(Call &c) {
  Value x = c.tensor("self");
  if (rankOf(x) == 0)
    return c.fail("sort needs a tensor of rank 1 or more");
  int64_t axis = c.axis("dim", rankOf(x));
  return giveSorted(c, getDims(x)[axis], axis, c.flag("descending"));
}

LogicalResult importArgsort(Call &c) {
  if (failed(importSort(c)))
    return failure();
  return c.give(Val(c.result.items()[1]));
}

LogicalResult importNonzero(Call &c) {
  TensorBuilder &b = c.b;
  Value x = c.tensor("self");
  RankedTensorType type =
      makeTensorType({b.dim(rankOf(x)), b.dims.bornAtRun("nonzero")}, b.builder.getI64Type());
  return c.give(b.transpose(b.create<NonZeroOp>(type, x), {1, 0}));
}

LogicalResult importOneHot(Call &c) {
  TensorBuilder &b = c.b;
  Value x = c.b.cast(c.tensor("self"), b.builder.getI64Type());
  int64_t classes = c.integer("num_classes");
  if (classes < 1)
    return c.fail("one_hot needs the number of classes");
  SmallVector<DimAttr> shape = getDims(x);
  shape.push_back(b.dim(classes));
  Value number = b.broadcastTo(b.iota(b.dim(classes), b.builder.getI64Type()), shape);
  Value wide = b.broadcastTo(b.expandDim(x, rankOf(x)), shape);
  return c.give(b.cast(b.compare(wide, number, ComparePredicate::eq), b.builder.getI64Type()));
}

} // namespace

void addIndexingOps(Table &table) {
  table.add("embedding(Tensor weight, Tensor indices, int padding_idx=-1, bool scale_grad_by_freq=False, "
            "bool sparse=False)",
            importEmbedding);
  table.add("index_select(Tensor self, int dim, Tensor index)", importIndexSelect);
  table.add("gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False)", importGather);
  table.add("scatter(Tensor self, int dim, Tensor index, Operand src)", importScatter);
  table.add("scatter_add(Tensor self, int dim, Tensor index, Tensor src)", importScatterAdd);
  table.add("index(Tensor self, Tensor[] indices)", importIndex);
  table.add("index_put(Tensor self, Tensor[] indices, Tensor values, bool accumulate=False)", importIndexPut);
  table.add("topk(Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True)", importTopk);
  table.add("sort(Tensor self, int dim=-1, bool descending=False)", importSort);
  table.add("argsort(Tensor self, int dim=-1, bool descending=False)", importArgsort);
  table.add("nonzero(Tensor self)", importNonzero);
  table.add("one_hot(Tensor self, int num_classes=-1)", importOneHot);
}

} // namespace torsh::torch
