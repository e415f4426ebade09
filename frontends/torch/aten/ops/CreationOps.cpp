//===-- CreationOps.cpp - Tensors from sizes and numbers ----------------------------------------------------===//
#include "frontends/torch/aten/Table.h"
#include <cmath>

using namespace mlir;

namespace torsh::torch {
namespace {

LogicalResult giveFilled(Call &c, ArrayRef<DimAttr> sizes, Type type, double value) {
  for (DimAttr size : sizes)
    if (dim::asConstant(size).value_or(0) < 0)
      return c.fail("a size is negative");
  return c.give(c.b.splat(sizes, type, value));
}

Type typeOr(Call &c, Type otherwise) {
  Type type = c.elementType("dtype");
  return type ? type : otherwise;
}

/// empty() has any contents; zeros are as good as others.
template <int value> LogicalResult importFilled(Call &c) {
  return giveFilled(c, c.dims("size"), typeOr(c, c.b.builder.getF32Type()), value);
}
template <int value> LogicalResult importFilledLike(Call &c) {
  Value x = c.tensor("self");
  return giveFilled(c, getDims(x), typeOr(c, elementTypeOf(x)), value);
}
template <int value> LogicalResult importNewFilled(Call &c) {
  return giveFilled(c, c.dims("size"), typeOr(c, elementTypeOf(c.tensor("self"))), value);
}

LogicalResult giveFull(Call &c, ArrayRef<DimAttr> sizes, Type type) {
  const Val &fill = c.value("fill_value");
  if (std::optional<double> known = fill.knownDouble(); known && std::abs(*known) < 0x1p53)
    return giveFilled(c, sizes, type, *known);
  if (fill.kind() == Val::Kind::Float && !fill.isDynamic())
    return giveFilled(c, sizes, type, fill.asDouble());
  return c.give(c.b.broadcastTo(asTensor(c.b, fill, type), sizes));
}

LogicalResult importFull(Call &c) {
  // Up to version 4 of the format full() of a bool or an integer was a float.
  Type inferred = c.formatVersion < 5 ? Type(c.b.builder.getF32Type()) : promote(c.b, c.value("fill_value"));
  return giveFull(c, c.dims("size"), typeOr(c, inferred));
}
LogicalResult importFullLike(Call &c) {
  Value x = c.tensor("self");
  return giveFull(c, getDims(x), typeOr(c, elementTypeOf(x)));
}
LogicalResult importNewFull(Call &c) {
  return giveFull(c, c.dims("size"), typeOr(c, elementTypeOf(c.tensor("self"))));
}

/// start, start + step, ... below end. Bounds may be symbolic where all are integers.
LogicalResult importArange(Call &c) {
  TensorBuilder &b = c.b;
  bool isFloat = false;
  for (StringRef name : {"start", "end", "step"})
    isFloat |= c.value(name).kind() == Val::Kind::Float;
  Type type = typeOr(c, isFloat ? Type(b.builder.getF32Type()) : Type(b.builder.getI64Type()));
  if (isFloat) {
    double start = c.number("start"), end = c.number("end"), step = c.number("step");
    if (step == 0)
      return c.fail("arange needs a step other than 0");
    double count = std::max(0.0, std::ceil((end - start) / step));
    if (!(count < 0x1p31))
      return c.fail("arange is too long");
    Value index = b.iota(b.dim(int64_t(count)), type);
    return c.give(b.addNumber(b.scale(index, step), start));
  }
  DimAttr start = c.has("start") ? c.dim("start") : b.dim(0), end = c.dim("end");
  int64_t step = c.has("step") ? c.integer("step") : 1;
  if (step == 0)
    return c.fail("arange needs a step other than 0");
  DimAttr span = step > 0 ? dim::sub(end, start) : dim::sub(start, end);
  DimAttr count = b.dims.max(b.dim(0), dim::ceilDiv(span, b.dim(std::abs(step))));
  Value index = b.scale(b.iota(count, type), double(step));
  if (dim::isConstant(start, 0))
    return c.give(index);
  Value first = b.cast(b.fromDims({start}, true), type);
  return c.give(b.create<AddOp>(index, b.broadcastTo(first, {count})));
}

LogicalResult importEye(Call &c) {
  TensorBuilder &b = c.b;
  DimAttr rows = c.dim("n"), columns = c.has("m") ? c.dim("m") : rows;
  RankedTensorType type = makeTensorType({rows, columns}, b.builder.getI64Type());
  Value same =
      b.compare(b.create<IotaOp>(type, int64_t(0)), b.create<IotaOp>(type, int64_t(1)), ComparePredicate::eq);
  return c.give(b.cast(same, typeOr(c, b.builder.getF32Type())));
}

LogicalResult importLinspace(Call &c) {
  TensorBuilder &b = c.b;
  double start = c.number("start"), end = c.number("end");
  int64_t steps = c.has("steps") ? c.integer("steps") : 100;
  Type type = typeOr(c, b.builder.getF32Type());
  if (steps < 0 || steps > maxFoldedElements)
    return c.fail("linspace needs between 0 and " + Twine(maxFoldedElements) + " steps");
  torsh::Tensor tensor = torsh::Tensor::zeros(b.builder.getF64Type(), {steps});
  for (int64_t i = 0; i < steps; ++i)
    tensor.floats[i] = steps == 1 ? start : start + (end - start) * double(i) / double(steps - 1);
  return c.give(b.cast(b.constant(tensor), type));
}

/// Flattens nested lists of numbers; false when they are ragged or hold something else.
bool flatten(const Val &value, size_t depth, SmallVectorImpl<int64_t> &shape, std::vector<Val> &into) {
  if (!value.isSequence()) {
    into.push_back(value);
    return depth == shape.size();
  }
  if (into.empty() && depth == shape.size())
    shape.push_back(int64_t(value.items().size()));
  if (depth >= shape.size() || shape[depth] != int64_t(value.items().size()))
    return false;
  for (const Val &item : value.items())
    if (!flatten(item, depth + 1, shape, into))
      return false;
  return true;
}

LogicalResult importTensor(Call &c) {
  TensorBuilder &b = c.b;
  SmallVector<int64_t> shape;
  std::vector<Val> items;
  if (!flatten(c.value("data"), 0, shape, items))
    return c.fail("tensor() needs a number, or lists of numbers of equal lengths");
  if (items.empty())
    return c.give(b.constant(torsh::Tensor::zeros(typeOr(c, b.builder.getF32Type()), shape)));
  Type type = typeOr(c, promote(b, items));
  if (shape.empty() && items[0].isKnownInt() && isa<IntegerType>(type) && !type.isInteger(1))
    return c.give(Val::tensor(b.knownCell(items[0].asDim(), type)));
  SmallVector<DimAttr> sizes;
  for (int64_t size : shape)
    sizes.push_back(b.dim(size));
  bool known = llvm::all_of(items, [](const Val &item) { return item.knownDouble().has_value(); });
  if (!known) {
    SmallVector<Value> parts;
    for (const Val &item : items)
      parts.push_back(b.reshape(asTensor(b, item, type), {b.dim(1)}));
    return c.give(b.reshape(b.concat(parts, 0), sizes));
  }
  torsh::Tensor tensor = torsh::Tensor::zeros(type, shape);
  for (auto [i, item] : llvm::enumerate(items)) {
    if (tensor.isFloat())
      tensor.floats[i] = roundTo(type, *item.knownDouble());
    else if (std::optional<int64_t> integer = item.knownInt())
      tensor.ints[i] = type.isInteger(1) ? *integer != 0 : wrapTo(type, *integer);
    else
      tensor.ints[i] =
          type.isInteger(1) ? *item.knownDouble() != 0 : wrapTo(type, int64_t(*item.knownDouble()));
  }
  return c.give(b.constant(tensor));
}

LogicalResult importNumToTensor(Call &c) {
  const Val &number = c.value("a");
  if (number.isKnownInt())
    return c.give(Val::tensor(c.b.knownCell(number.asDim(), c.b.builder.getI64Type())));
  return c.give(asTensor(c.b, number));
}

template <bool upper> LogicalResult importTriangle(Call &c) {
  TensorBuilder &b = c.b;
  Value x = c.tensor("self");
  int64_t rank = rankOf(x);
  if (rank < 2)
    return c.fail("a triangle needs a matrix or a batch of them");
  RankedTensorType type =
      makeTensorType({getDims(x)[rank - 2], getDims(x)[rank - 1]}, b.builder.getI64Type());
  Value row = b.create<IotaOp>(type, int64_t(0)), column = b.create<IotaOp>(type, int64_t(1));
  Value keep = b.compare(b.create<SubOp>(column, row), b.splatLike(row, double(c.integer("diagonal"))),
                         upper ? ComparePredicate::ge : ComparePredicate::le);
  keep = b.broadcastTo(keep, getDims(x));
  return c.give(b.create<SelectOp>(keep, x, b.splatLike(x, 0)));
}

LogicalResult importMeshgrid(Call &c) {
  TensorBuilder &b = c.b;
  SmallVector<Value> tensors = c.tensors("tensors");
  bool swapped = c.text("indexing") == "xy" && tensors.size() > 1;
  if (swapped)
    std::swap(tensors[0], tensors[1]);
  SmallVector<DimAttr> shape;
  for (Value &x : tensors) {
    if (rankOf(x) > 1)
      return c.fail("meshgrid needs vectors");
    x = b.toRank(x, 1);
    shape.push_back(getDims(x)[0]);
  }
  SmallVector<Value> grids;
  for (auto [i, x] : llvm::enumerate(tensors)) {
    SmallVector<DimAttr> apart(shape.size(), b.dim(1));
    apart[i] = shape[i];
    grids.push_back(b.broadcastTo(b.reshape(x, apart), shape));
  }
  if (swapped) {
    SmallVector<int64_t> permutation(shape.size());
    for (size_t i = 0; i < shape.size(); ++i)
      permutation[i] = int64_t(i < 2 ? 1 - i : i);
    for (Value &x : grids)
      x = b.transpose(x, permutation);
    std::swap(grids[0], grids[1]);
  }
  std::vector<Val> items;
  for (Value x : grids)
    items.push_back(b.tensor(x));
  return c.give(Val::list(std::move(items)));
}

} // namespace

void addCreationOps(Table &table) {
  const std::string options = ", *, int? dtype=None, any layout=None, any device=None, any pin_memory=None";
  const std::string likeOptions = options + ", any memory_format=None)";
  table.add("zeros(int[] size" + options + ")", importFilled<0>);
  table.add("ones(int[] size" + options + ")", importFilled<1>);
  table.add("empty(int[] size" + likeOptions, importFilled<0>);
  table.add("zeros_like(Tensor self" + likeOptions, importFilledLike<0>);
  table.add("ones_like(Tensor self" + likeOptions, importFilledLike<1>);
  table.add("empty_like(Tensor self" + likeOptions, importFilledLike<0>);
  table.add("new_zeros(Tensor self, int[] size" + options + ")", importNewFilled<0>);
  table.add("new_ones(Tensor self, int[] size" + options + ")", importNewFilled<1>);
  table.add("new_empty(Tensor self, int[] size" + options + ")", importNewFilled<0>);
  table.add("full(int[] size, Scalar fill_value" + options + ")", importFull);
  table.add("full_like(Tensor self, Scalar fill_value" + likeOptions, importFullLike);
  table.add("new_full(Tensor self, int[] size, Scalar fill_value" + options + ")", importNewFull);
  table.add("arange(Scalar end" + options + ")", importArange);
  table.add("arange(Scalar start, Scalar end" + options + ")", importArange);
  table.add("arange(Scalar start, Scalar end, Scalar step" + options + ")", importArange);
  table.add("eye(int n" + options + ")", importEye);
  table.add("eye(int n, int m" + options + ")", importEye);
  table.add("linspace(Scalar start, Scalar end, int? steps=None" + options + ")", importLinspace);
  table.add("tensor(any data, *, int? dtype=None, any device=None, bool requires_grad=False)", importTensor);
  table.add("scalar_tensor(Scalar data" + options + ")", importTensor);
  table.add("as_tensor(any data, *, int? dtype=None, any device=None)", importTensor);
  table.add("prim::NumToTensor(Scalar a)", importNumToTensor);
  table.add("triu(Tensor self, int diagonal=0)", importTriangle<true>);
  table.add("tril(Tensor self, int diagonal=0)", importTriangle<false>);
  table.add("meshgrid(Tensor[] tensors)", importMeshgrid);
  table.add("meshgrid(Tensor[] tensors, *, str indexing)", importMeshgrid);
}

} // namespace torsh::torch
