//===-- ViewOps.cpp - Other views of the same elements ------------------------------------------------------===//
//
// Each op gives a view: how it reads its base, and how a write through it changes the base (TensorBuilder::view).
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/import/SliceBounds.h"
#include "frontends/torch/aten/Table.h"

using namespace mlir;

namespace torsh::torch {
namespace {

/// The tensor itself, which later writes change under both names.
LogicalResult importSame(Call &c) {
  bool isNumber = c.value("self").isTensor() && c.value("self").asCell()->isNumber;
  return isNumber ? c.give(c.tensor("self")) : c.give(c.value("self"));
}

LogicalResult giveReshaped(Call &c, SmallVector<DimAttr> sizes) {
  TensorBuilder &b = c.b;
  if (b.hasFailed())
    return failure();
  SmallVector<DimAttr> before = getDims(c.tensor("self"));
  return c.give(b.view(
      c.value("self").asCell(), [&b, sizes](Value base) { return b.reshape(base, sizes); },
      [&b, before](Value, Value part) { return b.reshape(part, before); }));
}

/// Replaces -1 by what the number of elements leaves over, and checks the number of elements.
SmallVector<DimAttr> resolveSizes(Call &c, Value x, SmallVector<DimAttr> sizes) {
  MLIRContext *context = c.b.context();
  DimAttr total = dim::product(context, getDims(x)), known = c.b.dim(1);
  int64_t open = -1;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (!dim::isConstant(sizes[i], -1))
      known = dim::mul(known, sizes[i]);
    else if (open < 0)
      open = int64_t(i);
    else
      (void)c.fail("only one size may be -1");
  }
  if (open >= 0) {
    if (dim::isConstant(known, 0)) {
      (void)c.fail("a size of -1 cannot be told where another is 0");
      return sizes;
    }
    std::optional<DimAttr> quotient = dim::exactQuotient(total, known);
    sizes[open] = quotient ? *quotient : dim::floorDiv(total, known);
    known = dim::mul(known, sizes[open]);
  }
  if (!c.b.unify(total, known, "a view keeps the number of elements"))
    (void)c.fail("a tensor of " + dim::toString(total) + " elements cannot be viewed as one of " +
                 dim::toString(known));
  return sizes;
}

LogicalResult importView(Call &c) {
  Value x = c.tensor("self");
  StringRef name = c.schema.parameters[1].name;
  return giveReshaped(c, resolveSizes(c, x, c.dims(name)));
}

LogicalResult importViewAs(Call &c) {
  return giveReshaped(c, resolveSizes(c, c.tensor("self"), getDims(c.tensor("other"))));
}

LogicalResult importFlatten(Call &c) {
  Value x = c.tensor("self");
  int64_t rank = rankOf(x), start = c.axis("start_dim", rank), end = c.axis("end_dim", rank);
  SmallVector<DimAttr> sizes = getDims(x);
  if (rank == 0)
    return giveReshaped(c, {c.b.dim(1)});
  if (start > end)
    return c.fail("start_dim lies after end_dim");
  DimAttr merged = dim::product(c.b.context(), ArrayRef(sizes).slice(start, end - start + 1));
  sizes.erase(sizes.begin() + start, sizes.begin() + end + 1);
  sizes.insert(sizes.begin() + start, merged);
  return giveReshaped(c, sizes);
}

LogicalResult importUnflatten(Call &c) {
  Value x = c.tensor("self");
  if (rankOf(x) == 0)
    return c.fail("unflatten needs a tensor of rank 1 or more");
  int64_t axis = c.axis("dim", rankOf(x));
  SmallVector<DimAttr> sizes = getDims(x), parts = c.dims("sizes");
  sizes.erase(sizes.begin() + axis);
  sizes.insert(sizes.begin() + axis, parts.begin(), parts.end());
  return giveReshaped(c, resolveSizes(c, x, sizes));
}

LogicalResult importUnsqueeze(Call &c) {
  SmallVector<DimAttr> sizes = getDims(c.tensor("self"));
  int64_t axis = c.axis("dim", int64_t(sizes.size()) + 1);
  sizes.insert(sizes.begin() + axis, c.b.dim(1));
  return giveReshaped(c, sizes);
}

/// Drops unit dims: all of them, or those that are named and 1. A symbolic dim stays.
LogicalResult importSqueeze(Call &c) {
  SmallVector<DimAttr> sizes = getDims(c.tensor("self")), kept;
  SmallVector<int64_t> axes = c.axes("dim", int64_t(sizes.size()));
  for (auto [i, size] : llvm::enumerate(sizes))
    if (!dim::isConstant(size, 1) || !llvm::is_contained(axes, int64_t(i)))
      kept.push_back(size);
  return giveReshaped(c, kept);
}

LogicalResult givePermuted(Call &c, SmallVector<int64_t> permutation) {
  TensorBuilder &b = c.b;
  SmallVector<int64_t> inverse(permutation.size());
  for (auto [i, from] : llvm::enumerate(permutation))
    inverse[from] = int64_t(i);
  if (b.hasFailed())
    return failure();
  return c.give(b.view(
      c.value("self").asCell(), [&b, permutation](Value base) { return b.transpose(base, permutation); },
      [&b, inverse](Value, Value part) { return b.transpose(part, inverse); }));
}

SmallVector<int64_t> identity(int64_t rank) {
  SmallVector<int64_t> result;
  for (int64_t i = 0; i < rank; ++i)
    result.push_back(i);
  return result;
}

LogicalResult importTranspose(Call &c) {
  int64_t rank = rankOf(c.tensor("self"));
  int64_t first = c.axis("dim0", rank), second = c.axis("dim1", rank);
  SmallVector<int64_t> permutation = identity(rank);
  if (rank > 0)
    std::swap(permutation[first], permutation[second]);
  return givePermuted(c, permutation);
}

LogicalResult importT(Call &c) {
  SmallVector<int64_t> permutation = identity(rankOf(c.tensor("self")));
  if (permutation.size() > 2)
    return c.fail("t() needs a matrix");
  std::reverse(permutation.begin(), permutation.end());
  return givePermuted(c, permutation);
}

LogicalResult importMT(Call &c) {
  SmallVector<int64_t> permutation = identity(rankOf(c.tensor("self")));
  if (permutation.size() < 2)
    return c.fail("a matrix or a batch of them is needed");
  std::swap(permutation[permutation.size() - 1], permutation[permutation.size() - 2]);
  return givePermuted(c, permutation);
}

LogicalResult importPermute(Call &c) {
  int64_t rank = rankOf(c.tensor("self"));
  SmallVector<int64_t> permutation, sorted;
  for (int64_t value : c.ints("dims"))
    permutation.push_back(c.b.axis(value, rank));
  sorted = permutation;
  llvm::sort(sorted);
  if (sorted != identity(rank))
    return c.fail("permute needs each dim once");
  return givePermuted(c, permutation);
}

LogicalResult importMovedim(Call &c) {
  int64_t rank = rankOf(c.tensor("self"));
  if (rank == 0)
    return c.fail("movedim needs a tensor of rank 1 or more");
  SmallVector<int64_t> permutation = identity(rank);
  int64_t from = c.axis("source", rank), to = c.axis("destination", rank);
  permutation.erase(permutation.begin() + from);
  permutation.insert(permutation.begin() + to, from);
  return givePermuted(c, permutation);
}

//===-- Parts ------------------------------------------------------------------------------------------------===//

/// The base with [start, start + size) along an axis replaced.
Value replaceRange(TensorBuilder &b, Value base, Value part, int64_t axis, DimAttr start, DimAttr size) {
  DimAttr whole = getDims(base)[axis], end = dim::add(start, size), rest = dim::sub(whole, end);
  SmallVector<Value> pieces;
  if (!dim::isConstant(start, 0))
    pieces.push_back(b.sliceAxis(base, axis, b.dim(0), start));
  pieces.push_back(part);
  if (!dim::isConstant(rest, 0))
    pieces.push_back(b.sliceAxis(base, axis, end, rest));
  return b.concat(pieces, axis);
}

Val rangeView(TensorBuilder &b, const TensorRef &self, int64_t axis, DimAttr start, DimAttr size,
              int64_t step) {
  auto forward = [&b, axis, start, size, step](Value base) {
    return b.sliceAxis(base, axis, start, size, step);
  };
  if (step != 1)
    return b.view(self, forward, {});
  return b.view(self, forward, [&b, axis, start, size](Value base, Value part) {
    return replaceRange(b, base, part, axis, start, size);
  });
}

LogicalResult importSlice(Call &c) {
  TensorBuilder &b = c.b;
  Value x = c.tensor("self");
  if (rankOf(x) == 0)
    return c.fail("slice needs a tensor of rank 1 or more");
  int64_t axis = c.axis("dim", rankOf(x)), step = c.integer("step");
  DimAttr start = c.has("start") ? c.dim("start") : b.dim(0);
  DimAttr end = c.has("end") ? c.dim("end") : b.dim(INT64_MAX);
  if (step < 1)
    return c.fail("a slice needs a step of 1 or more");
  std::optional<SymbolicSlice> bounds = clampSlice(b.dims, start, end, step, getDims(x)[axis]);
  if (!bounds)
    return c.fail("the bounds " + dim::toString(start) + " and " + dim::toString(end) +
                  " of a slice may be negative or not; fix the sizes in them with --dim");
  if (b.hasFailed())
    return failure();
  return c.give(rangeView(b, c.value("self").asCell(), axis, bounds->start, bounds->size, step));
}

LogicalResult importNarrow(Call &c) {
  Value x = c.tensor("self");
  if (rankOf(x) == 0)
    return c.fail("narrow needs a tensor of rank 1 or more");
  int64_t axis = c.axis("dim", rankOf(x));
  DimAttr start = c.dim("start"), size = c.dim("length"), whole = getDims(x)[axis];
  if (dim::asConstant(start).value_or(0) < 0)
    start = dim::add(start, whole);
  if (!c.b.dims.isNonNegative(dim::sub(whole, dim::add(start, size))))
    return c.fail("narrow leaves the tensor");
  if (c.b.hasFailed())
    return failure();
  return c.give(rangeView(c.b, c.value("self").asCell(), axis, start, size, 1));
}

LogicalResult importSelect(Call &c) {
  TensorBuilder &b = c.b;
  Value x = c.tensor("self");
  if (rankOf(x) == 0)
    return c.fail("select needs a tensor of rank 1 or more");
  int64_t axis = c.axis("dim", rankOf(x));
  if (c.value("index").isDynamic())
    return c.give(b.create<GatherOp>(x, b.read(c.value("index")), axis));
  DimAttr index = c.dim("index"), whole = getDims(x)[axis];
  if (dim::asConstant(index).value_or(0) < 0)
    index = dim::add(index, whole);
  std::optional<int64_t> room = dim::asConstant(dim::sub(dim::sub(whole, index), b.dim(1)));
  if ((room && *room < 0) || dim::asConstant(index).value_or(0) < 0)
    return c.fail("the index " + dim::toString(index) + " is out of range for a dim of size " +
                  dim::toString(whole));
  if (b.hasFailed())
    return failure();
  return c.give(b.view(
      c.value("self").asCell(),
      [&b, axis, index](Value base) { return b.dropDim(b.sliceAxis(base, axis, index, b.dim(1)), axis); },
      [&b, axis, index](Value base, Value part) {
        return replaceRange(b, base, b.expandDim(part, axis), axis, index, b.dim(1));
      }));
}

LogicalResult giveParts(Call &c, int64_t axis, ArrayRef<DimAttr> sizes) {
  if (c.b.hasFailed())
    return failure();
  std::vector<Val> parts;
  DimAttr start = c.b.dim(0);
  for (DimAttr size : sizes) {
    parts.push_back(rangeView(c.b, c.value("self").asCell(), axis, start, size, 1));
    start = dim::add(start, size);
  }
  return c.give(Val::list(std::move(parts)));
}

LogicalResult importSplitSizes(Call &c) {
  Value x = c.tensor("self");
  if (rankOf(x) == 0)
    return c.fail("split needs a tensor of rank 1 or more");
  int64_t axis = c.axis("dim", rankOf(x));
  SmallVector<DimAttr> sizes = c.dims(c.schema.parameters[1].name);
  DimAttr sum = c.b.dim(0);
  for (DimAttr size : sizes)
    sum = dim::add(sum, size);
  if (!c.b.unify(sum, getDims(x)[axis], "the sizes of split add up"))
    return c.fail("the sizes of split add up to " + dim::toString(sum) + ", not " +
                  dim::toString(getDims(x)[axis]));
  return giveParts(c, axis, sizes);
}

/// Parts of `size` elements each, the last one smaller.
LogicalResult giveEqualParts(Call &c, Value x, int64_t axis, int64_t size) {
  std::optional<int64_t> whole = dim::asConstant(getDims(x)[axis]);
  if (!whole)
    return c.fail("the number of parts depends on the symbolic size " + dim::toString(getDims(x)[axis]) +
                  "; fix it with --dim");
  if (size < 1)
    return c.fail("parts need a size of 1 or more");
  SmallVector<DimAttr> sizes;
  for (int64_t at = 0; at < *whole || sizes.empty(); at += size)
    sizes.push_back(c.b.dim(std::min(size, *whole - at)));
  return giveParts(c, axis, sizes);
}

LogicalResult importSplit(Call &c) {
  Value x = c.tensor("self");
  if (rankOf(x) == 0)
    return c.fail("split needs a tensor of rank 1 or more");
  return giveEqualParts(c, x, c.axis("dim", rankOf(x)), c.integer("split_size"));
}

LogicalResult importChunk(Call &c) {
  Value x = c.tensor("self");
  if (rankOf(x) == 0)
    return c.fail("chunk needs a tensor of rank 1 or more");
  int64_t axis = c.axis("dim", rankOf(x)), chunks = c.integer("chunks");
  if (chunks < 1)
    return c.fail("chunk needs 1 part or more");
  DimAttr whole = getDims(x)[axis];
  if (std::optional<DimAttr> part = dim::exactQuotient(whole, c.b.dim(chunks));
      part && !dim::asConstant(whole))
    return giveParts(c, axis, SmallVector<DimAttr>(chunks, *part));
  int64_t size = dim::asConstant(whole).value_or(1);
  return giveEqualParts(c, x, axis, std::max<int64_t>(1, (size + chunks - 1) / chunks));
}

LogicalResult importUnbind(Call &c) {
  TensorBuilder &b = c.b;
  Value x = c.tensor("self");
  if (rankOf(x) == 0)
    return c.fail("unbind needs a tensor of rank 1 or more");
  int64_t axis = c.axis("dim", rankOf(x));
  std::optional<int64_t> size = dim::asConstant(getDims(x)[axis]);
  if (!size)
    return c.fail("unbind needs a dim of constant size; fix it with --dim");
  if (b.hasFailed())
    return failure();
  std::vector<Val> parts;
  for (int64_t i = 0; i < *size; ++i) {
    DimAttr index = b.dim(i);
    parts.push_back(b.view(
        c.value("self").asCell(),
        [&b, axis, index](Value base) { return b.dropDim(b.sliceAxis(base, axis, index, b.dim(1)), axis); },
        [&b, axis, index](Value base, Value part) {
          return replaceRange(b, base, b.expandDim(part, axis), axis, index, b.dim(1));
        }));
  }
  return c.give(Val::list(std::move(parts)));
}

} // namespace

void addViewOps(Table &table) {
  for (StringRef name : {"detach", "alias", "lift_fresh", "resolve_conj", "resolve_neg", "cpu", "positive"})
    table.add((name + "(Tensor self)").str(), importSame);
  table.add("contiguous(Tensor self, *, any memory_format=None)", importSame);
  table.add("requires_grad(Tensor self, bool requires_grad=True)", importSame);
  for (StringRef name : {"view", "_unsafe_view", "_reshape_alias"})
    table.add((name + "(Tensor self, int[] size)").str(), importView);
  table.add("reshape(Tensor self, int[] shape)", importView);
  table.add("view_as(Tensor self, Tensor other)", importViewAs);
  table.add("reshape_as(Tensor self, Tensor other)", importViewAs);
  table.add("flatten(Tensor self, int start_dim=0, int end_dim=-1)", importFlatten);
  table.add("unflatten(Tensor self, int dim, int[] sizes)", importUnflatten);
  table.add("unsqueeze(Tensor self, int dim)", importUnsqueeze);
  table.add("squeeze(Tensor self, int[]? dim=None)", importSqueeze);
  for (StringRef name : {"transpose", "swapaxes", "swapdims"})
    table.add((name + "(Tensor self, int dim0, int dim1)").str(), importTranspose);
  table.add("t(Tensor self)", importT);
  table.add("numpy_T(Tensor self)", importT);
  table.add("mT(Tensor self)", importMT);
  table.add("permute(Tensor self, int[] dims)", importPermute);
  table.add("movedim(Tensor self, int source, int destination)", importMovedim);
  table.add("slice(Tensor self, int dim=0, int? start=None, int? end=None, int step=1)", importSlice);
  table.add("narrow(Tensor self, int dim, int start, int length)", importNarrow);
  table.add("select(Tensor self, int dim, int index)", importSelect);
  table.add("split_with_sizes(Tensor self, int[] split_sizes, int dim=0)", importSplitSizes);
  table.add("split(Tensor self, int split_size, int dim=0)", importSplit);
  table.add("split(Tensor self, int[] split_sizes, int dim=0)", importSplitSizes);
  table.add("chunk(Tensor self, int chunks, int dim=0)", importChunk);
  table.add("unbind(Tensor self, int dim=0)", importUnbind);
}

} // namespace torsh::torch
