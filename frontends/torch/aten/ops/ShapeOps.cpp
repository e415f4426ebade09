//===-- ShapeOps.cpp - Copies in another shape or element type ----------------------------------------------===//
#include "frontends/torch/aten/Table.h"

using namespace mlir;

namespace torsh::torch {
namespace {

LogicalResult giveExpanded(Call &c, SmallVector<DimAttr> sizes) {
  Value x = c.tensor("self");
  int64_t lead = int64_t(sizes.size()) - rankOf(x);
  if (lead < 0)
    return c.fail("expand needs as many sizes as the tensor has dims");
  for (size_t i = 0; i < sizes.size(); ++i)
    if (dim::isConstant(sizes[i], -1)) {
      if (int64_t(i) < lead)
        return c.fail("a new dim of expand needs a size");
      sizes[i] = getDims(x)[i - lead];
    }
  return c.give(c.b.broadcastTo(x, sizes));
}

LogicalResult importExpand(Call &c) { return giveExpanded(c, c.dims("size")); }
LogicalResult importExpandAs(Call &c) { return giveExpanded(c, getDims(c.tensor("other"))); }

LogicalResult importClone(Call &c) { return c.give(c.tensor("self")); }

/// to() without a change gives the tensor itself.
LogicalResult giveCast(Call &c, Type type) {
  const Val &self = c.value("self");
  if (self.isTensor() && self.asCell()->known && (!type || isa<IntegerType>(type)))
    return c.give(type ? Val::tensor(c.b.knownCell(self.asCell()->known, type)) : self);
  Value x = c.tensor("self");
  if (type && elementTypeOf(x) != type)
    return c.give(c.b.cast(x, type));
  return self.isTensor() && !self.asCell()->isNumber ? c.give(self) : c.give(x);
}

LogicalResult importTo(Call &c) { return giveCast(c, c.elementType("dtype")); }
LogicalResult importToDevice(Call &c) { return giveCast(c, {}); }
LogicalResult importTypeAs(Call &c) { return giveCast(c, elementTypeOf(c.tensor("other"))); }
template <ScalarType type> LogicalResult importCastTo(Call &c) {
  return giveCast(c, elementTypeOf(c.b.context(), int64_t(type)));
}

LogicalResult importCat(Call &c) {
  SmallVector<Value> tensors = c.tensors("tensors");
  // An empty vector may stand among tensors of another rank, for historical reasons.
  if (tensors.size() > 1)
    llvm::erase_if(tensors, [](Value x) { return rankOf(x) == 1 && dim::isConstant(getDims(x)[0], 0); });
  if (tensors.empty() || c.b.hasFailed())
    return c.fail("cat needs tensors");
  SmallVector<Val> operands;
  for (Value x : tensors)
    operands.push_back(c.b.tensor(x));
  Type type = promote(c.b, operands);
  int64_t rank = rankOf(tensors[0]), axis = c.axis("dim", rank);
  for (Value &x : tensors) {
    if (rankOf(x) != rank || rank == 0)
      return c.fail("cat needs tensors of one rank, 1 or more");
    x = c.b.cast(x, type);
    for (int64_t i = 0; i < rank; ++i)
      if (i != axis && !c.b.unify(getDims(tensors[0])[i], getDims(x)[i], "cat joins equal shapes"))
        return c.fail("dim " + Twine(i) + " of the operands of cat differs");
  }
  return c.give(c.b.concat(tensors, axis));
}

LogicalResult importStack(Call &c) {
  SmallVector<Value> tensors = c.tensors("tensors");
  if (tensors.empty() || c.b.hasFailed())
    return c.fail("stack needs tensors");
  SmallVector<Val> operands;
  for (Value x : tensors)
    operands.push_back(c.b.tensor(x));
  Type type = promote(c.b, operands);
  int64_t rank = rankOf(tensors[0]), axis = c.axis("dim", rank + 1);
  SmallVector<DimAttr> shape = getDims(tensors[0]);
  for (Value &x : tensors) {
    if (rankOf(x) != rank)
      return c.fail("stack needs tensors of one shape");
    x = c.b.broadcastTo(c.b.cast(x, type), shape);
    x = c.b.expandDim(x, axis);
  }
  return c.give(c.b.concat(tensors, axis));
}

/// repeat: unit dims between the sizes are broadcast and then merged.
LogicalResult importRepeat(Call &c) {
  SmallVector<DimAttr> repeats = c.dims(c.schema.parameters[1].name);
  Value x = c.b.toRank(c.tensor("self"), int64_t(repeats.size()));
  int64_t rank = rankOf(x);
  repeats.insert(repeats.begin(), rank - repeats.size(), c.b.dim(1));
  SmallVector<DimAttr> apart, wide, merged;
  for (int64_t i = 0; i < rank; ++i) {
    DimAttr size = getDims(x)[i];
    apart.append({c.b.dim(1), size});
    wide.append({repeats[i], size});
    merged.push_back(dim::mul(repeats[i], size));
  }
  return c.give(c.b.reshape(c.b.broadcastTo(c.b.reshape(x, apart), wide), merged));
}

LogicalResult importRepeatInterleave(Call &c) {
  Value x = c.tensor("self");
  if (!c.has("dim")) {
    x = c.b.reshape(x, {dim::product(c.b.context(), getDims(x))});
  } else if (rankOf(x) == 0) {
    return c.fail("repeat_interleave needs a tensor of rank 1 or more");
  }
  int64_t axis = c.has("dim") ? c.axis("dim", rankOf(x)) : 0;
  DimAttr repeats = c.dim("repeats");
  SmallVector<DimAttr> wide = getDims(x), merged = wide;
  wide.insert(wide.begin() + axis + 1, repeats);
  merged[axis] = dim::mul(merged[axis], repeats);
  return c.give(c.b.reshape(c.b.broadcastTo(c.b.expandDim(x, axis + 1), wide), merged));
}

LogicalResult importFlip(Call &c) {
  Value x = c.tensor("self");
  for (int64_t axis : c.axes("dims", rankOf(x))) {
    DimAttr size = getDims(x)[axis];
    x = c.b.sliceAxis(x, axis, dim::sub(size, c.b.dim(1)), size, -1);
  }
  return c.give(x);
}

LogicalResult importRoll(Call &c) {
  Value x = c.tensor("self");
  SmallVector<int64_t> shifts = c.ints("shifts"), axes = c.ints("dims");
  SmallVector<DimAttr> shape = getDims(x);
  if (axes.empty()) {
    x = c.b.reshape(x, {dim::product(c.b.context(), shape)});
    axes = {0};
  }
  if (axes.size() != shifts.size())
    return c.fail("roll needs a shift for each dim");
  for (auto [shift, given] : llvm::zip_equal(shifts, axes)) {
    int64_t axis = c.b.axis(given, rankOf(x));
    std::optional<int64_t> size = dim::asConstant(getDims(x)[axis]);
    if (!size)
      return c.fail("roll needs a dim of constant size; fix it with --dim");
    if (*size == 0)
      continue;
    int64_t by = ((shift % *size) + *size) % *size;
    if (by == 0)
      continue;
    x = c.b.concat({c.b.sliceAxis(x, axis, c.b.dim(*size - by), c.b.dim(by)),
                    c.b.sliceAxis(x, axis, c.b.dim(0), c.b.dim(*size - by))},
                   axis);
  }
  return c.give(c.b.reshape(x, shape));
}

/// Pads from the last dim on: low, high, low, high, ... Negative numbers crop.
LogicalResult givePadded(Call &c, PadMode mode, double fill) {
  Value x = c.tensor("self");
  SmallVector<DimAttr> pad = c.dims("pad");
  int64_t rank = rankOf(x);
  if (pad.size() % 2 || int64_t(pad.size() / 2) > rank)
    return c.fail("pad needs two numbers a dim");
  SmallVector<DimAttr> low(rank, c.b.dim(0)), high = low;
  for (size_t i = 0; i < pad.size() / 2; ++i) {
    int64_t axis = rank - 1 - int64_t(i);
    for (bool atEnd : {false, true}) {
      DimAttr amount = pad[2 * i + atEnd];
      std::optional<int> sign = c.b.dims.signOf(amount);
      if (!sign)
        return c.fail("the padding " + dim::toString(amount) +
                      " may be negative or not; fix the sizes in it with --dim");
      if (*sign >= 0) {
        (atEnd ? high : low)[axis] = amount;
        continue;
      }
      DimAttr size = dim::add(getDims(x)[axis], amount);
      x = c.b.sliceAxis(x, axis, atEnd ? c.b.dim(0) : dim::neg(amount), size);
    }
  }
  if (c.b.hasFailed())
    return failure();
  if (llvm::all_of(low, [](DimAttr d) { return dim::isConstant(d, 0); }) &&
      llvm::all_of(high, [](DimAttr d) { return dim::isConstant(d, 0); }))
    return c.give(x);
  Value value = mode == PadMode::constant ? c.b.scalar(elementTypeOf(x), fill) : Value();
  return c.give(c.b.create<PadOp>(x, value, DimsAttr::get(c.b.context(), low),
                                  DimsAttr::get(c.b.context(), high), mode));
}

LogicalResult importPad(Call &c) {
  StringRef mode = c.text("mode");
  double fill = c.has("value") ? c.number("value") : 0;
  if (mode == "constant")
    return givePadded(c, PadMode::constant, fill);
  if (mode == "reflect")
    return givePadded(c, PadMode::reflect, 0);
  if (mode == "replicate")
    return givePadded(c, PadMode::edge, 0);
  if (mode == "circular")
    return givePadded(c, PadMode::wrap, 0);
  return c.fail("the padding mode " + mode + " is not known");
}
LogicalResult importConstantPad(Call &c) { return givePadded(c, PadMode::constant, c.number("value")); }
template <PadMode mode> LogicalResult importPadMode(Call &c) { return givePadded(c, mode, 0); }

LogicalResult importPixelShuffle(Call &c) {
  Value x = c.tensor("self");
  int64_t rank = rankOf(x), factor = c.integer("upscale_factor");
  if (rank < 3 || factor < 1)
    return c.fail("pixel_shuffle needs a tensor of rank 3 or more and a positive factor");
  SmallVector<DimAttr> sizes = getDims(x), apart(sizes.begin(), sizes.end() - 3), merged = apart;
  std::optional<DimAttr> channels = dim::exactQuotient(sizes[rank - 3], c.b.dim(factor * factor));
  if (!channels)
    return c.fail("the channels of pixel_shuffle must be a multiple of the factor's square");
  DimAttr f = c.b.dim(factor);
  apart.append({*channels, f, f, sizes[rank - 2], sizes[rank - 1]});
  merged.append({*channels, dim::mul(sizes[rank - 2], f), dim::mul(sizes[rank - 1], f)});
  SmallVector<int64_t> permutation;
  for (int64_t i = 0; i < rank - 3; ++i)
    permutation.push_back(i);
  for (int64_t i : {0, 3, 1, 4, 2})
    permutation.push_back(rank - 3 + i);
  return c.give(c.b.reshape(c.b.transpose(c.b.reshape(x, apart), permutation), merged));
}

} // namespace

void addShapeOps(Table &table) {
  table.add("expand(Tensor self, int[] size, *, bool implicit=False)", importExpand);
  table.add("broadcast_to(Tensor self, int[] size)", importExpand);
  table.add("expand_as(Tensor self, Tensor other)", importExpandAs);
  table.add("clone(Tensor self, *, any memory_format=None)", importClone);
  table.add("to(Tensor self, Tensor other, bool non_blocking=False, bool copy=False, any memory_format=None)",
            importTypeAs);
  table.add("to(Tensor self, int dtype, bool non_blocking=False, bool copy=False, any memory_format=None)",
            importTo);
  table.add("to(Tensor self, any device, int? dtype, bool non_blocking=False, bool copy=False, any "
            "memory_format=None)",
            importTo);
  table.add("to(Tensor self, any device, bool non_blocking=False, bool copy=False)", importToDevice);
  table.add("to(Tensor self, *, int? dtype=None, any layout=None, any device=None, any pin_memory=None, "
            "bool non_blocking=False, bool copy=False, any memory_format=None)",
            importTo);
  table.add(
      "_to_copy(Tensor self, *, int? dtype=None, any layout=None, any device=None, any pin_memory=None, "
      "bool non_blocking=False, any memory_format=None)",
      importTo);
  table.add("type_as(Tensor self, Tensor other)", importTypeAs);
  table.add("float(Tensor self)", importCastTo<ScalarType::F32>);
  table.add("_cast_Float(Tensor self, bool non_blocking=False)", importCastTo<ScalarType::F32>);
  table.add("_cast_Long(Tensor self, bool non_blocking=False)", importCastTo<ScalarType::I64>);
  table.add("cat(Tensor[] tensors, int dim=0)", importCat);
  table.add("concat(Tensor[] tensors, int dim=0)", importCat);
  table.add("concatenate(Tensor[] tensors, int dim=0)", importCat);
  table.add("stack(Tensor[] tensors, int dim=0)", importStack);
  table.add("repeat(Tensor self, int[] repeats)", importRepeat);
  table.add("tile(Tensor self, int[] dims)", importRepeat);
  table.add("repeat_interleave(Tensor self, int repeats, int? dim=None, *, any output_size=None)",
            importRepeatInterleave);
  table.add("flip(Tensor self, int[] dims)", importFlip);
  table.add("roll(Tensor self, int[] shifts, int[] dims=[])", importRoll);
  table.add("pad(Tensor self, int[] pad, str mode=\"constant\", Scalar? value=None)", importPad);
  table.add("constant_pad_nd(Tensor self, int[] pad, Scalar value=0)", importConstantPad);
  for (StringRef rank : {"1d", "2d", "3d"}) {
    table.add(("reflection_pad" + rank + "(Tensor self, int[] pad)").str(), importPadMode<PadMode::reflect>);
    table.add(("replication_pad" + rank + "(Tensor self, int[] pad)").str(), importPadMode<PadMode::edge>);
  }
  table.add("pixel_shuffle(Tensor self, int upscale_factor)", importPixelShuffle);
}

} // namespace torsh::torch
