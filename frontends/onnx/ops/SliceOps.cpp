//===-- SliceOps.cpp - Ops that cut and join tensors
//--------------------------------------------------------===//
#include "frontends/onnx/ops/SliceOps.h"
#include "dialects/torsh/import/SliceBounds.h"
#include "frontends/onnx/GraphImport.h"
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/RunTimeLists.h"

using namespace mlir;

namespace torsh::onnx {

using Dims = SmallVector<DimAttr>;

Value sliceOf(NodeImport &node, Value x, ArrayRef<DimAttr> starts, ArrayRef<DimAttr> sizes,
              ArrayRef<int64_t> steps) {
  bool whole = llvm::all_of(starts, [](DimAttr start) { return dim::isConstant(start, 0); }) &&
               llvm::all_of(steps, [](int64_t step) { return step == 1; }) && ArrayRef(getDims(x)) == sizes;
  if (whole)
    return x;
  return node.create<SliceOp>(x, DimsAttr::get(node.context(), starts), DimsAttr::get(node.context(), sizes),
                              steps);
}

Value sliceAlong(NodeImport &node, Value x, int64_t axis, DimAttr start, DimAttr size) {
  Dims sizes = getDims(x), starts(sizes.size(), dim::constant(node.context(), 0));
  SmallVector<int64_t> steps(sizes.size(), 1);
  starts[axis] = start;
  sizes[axis] = size;
  return sliceOf(node, x, starts, sizes, steps);
}

namespace {

//===-- Slice
//--------------------------------------------------------------------------------------------------===//

/// The slice of bounds whose signs only the run knows.
SymbolicSlice clampAtRun(NodeImport &node, DimAttr start, DimAttr end, int64_t step, DimAttr size) {
  DimAttr zero = dim::constant(node.context(), 0), one = dim::constant(node.context(), 1);
  DimAttr least = step > 0 ? zero : dim::constant(node.context(), -1),
          most = step > 0 ? size : dim::sub(size, one);
  auto bound = [&](DimAttr value) {
    DimAttr isNegative = dim::min(one, dim::max(zero, dim::neg(value)));
    return dim::max(least, dim::min(dim::add(value, dim::mul(isNegative, size)), most));
  };
  DimAttr from = bound(start), to = bound(end);
  DimAttr span = dim::max(zero, step > 0 ? dim::sub(to, from) : dim::sub(from, to));
  Dims named = node.nameSizes(
      {dim::max(zero, from), dim::ceilDiv(span, dim::constant(node.context(), std::abs(step)))}, "bound");
  return {named[0], named[1]};
}

LogicalResult importSliceWith(NodeImport &node, ArrayRef<DimAttr> starts, ArrayRef<DimAttr> ends,
                              ArrayRef<int64_t> axes, ArrayRef<int64_t> steps) {
  Value x = node.operand(0);
  Dims sizes = getDims(x), from(sizes.size(), dim::constant(node.context(), 0));
  SmallVector<int64_t> stride(sizes.size(), 1);
  if (starts.size() != ends.size() || axes.size() != starts.size() || steps.size() != starts.size())
    return node.malformed("starts, ends, axes and steps differ in length");
  for (size_t i = 0; i < starts.size(); ++i) {
    FailureOr<int64_t> axis = node.axis(axes[i], sizes.size());
    if (failed(axis))
      return failure();
    if (steps[i] == 0)
      return node.malformed("a step is 0");
    auto start = dim::asConstant(starts[i]), end = dim::asConstant(ends[i]),
         size = dim::asConstant(sizes[*axis]);
    stride[*axis] = steps[i];
    if (start && end && size) {
      StaticSlice slice = clampSlice(*start, *end, steps[i], *size);
      from[*axis] = dim::constant(node.context(), slice.size ? slice.start : 0);
      sizes[*axis] = dim::constant(node.context(), slice.size);
      if (slice.size <= 1)
        stride[*axis] = 1;
      continue;
    }
    auto slice = clampSlice(node.graph.dims, starts[i], ends[i], steps[i], sizes[*axis]);
    if (!slice)
      slice = clampAtRun(node, starts[i], ends[i], steps[i], sizes[*axis]);
    from[*axis] = slice->start;
    sizes[*axis] = slice->size;
  }
  node.setResult(0, sliceOf(node, x, from, sizes, stride));
  return success();
}

LogicalResult importSliceAttributes(NodeImport &node) {
  auto starts = node.intsAttr("starts"), ends = node.intsAttr("ends"), axes = node.intsAttr("axes");
  if (!starts || !ends)
    return node.malformed("starts and ends are missing");
  if (!axes) {
    axes.emplace();
    for (size_t i = 0; i < starts->size(); ++i)
      axes->push_back(i);
  }
  auto toDims = [&](ArrayRef<int64_t> values) {
    return llvm::map_to_vector(values, [&](int64_t value) { return dim::constant(node.context(), value); });
  };
  return importSliceWith(node, toDims(*starts), toDims(*ends), *axes,
                         SmallVector<int64_t>(starts->size(), 1));
}

/// Bounds, axes or steps that only the run knows.
LogicalResult importSliceByLists(NodeImport &node) {
  Lists lists(node);
  Value given[4];
  for (size_t i = 1; i <= 4; ++i)
    if (i < 3 || node.hasInput(i))
      if (given[i - 1] = lists.operand(i); !given[i - 1])
        return failure();
  for (Value list : given)
    if (list && lists.length(list) != lists.length(given[0]))
      return node.malformed("starts, ends, axes and steps differ in length");
  node.setResult(0, sliceByLists(node, node.operand(0), given[0], given[1], given[2], given[3]));
  return success();
}

LogicalResult importSlice(NodeImport &node) {
  for (size_t i : {3, 4})
    if (node.hasInput(i) && !node.constantInts(i))
      return importSliceByLists(node);
  auto starts = node.integerValue(1), ends = node.integerValue(2);
  if (!starts || !ends)
    return node.unsupported("the number of starts and ends must be known");
  SmallVector<int64_t> axes, steps(starts->size(), 1);
  for (size_t i = 0; i < starts->size(); ++i)
    axes.push_back(i);
  for (auto [index, list] : {std::make_pair(3, &axes), std::make_pair(4, &steps)}) {
    if (!node.hasInput(index))
      continue;
    auto given = node.constantInts(index);
    if (!given)
      return node.unsupported("axes and steps must be constant");
    *list = *given;
  }
  return importSliceWith(node, *starts, *ends, axes, steps);
}

//===-- Split and Concat
//---------------------------------------------------------------------------------------===//

LogicalResult importSplit(NodeImport &node) {
  Value x = node.operand(0);
  FailureOr<int64_t> axis = node.axis(node.intAttr("axis", 0), getDims(x).size());
  if (failed(axis))
    return failure();
  DimAttr total = getDims(x)[*axis];
  int64_t count =
      node.opset >= 18 ? node.intAttr("num_outputs", node.numOutputs()) : int64_t(node.numOutputs());
  std::optional<Dims> sizes;
  if (node.opset >= 13 && node.hasInput(1)) {
    sizes = node.shapeValue(1);
    if (!sizes)
      return node.unsupported("the sizes must be computed from constants and from sizes of the inputs");
  } else if (auto given = node.opset < 13 ? node.intsAttr("split") : std::nullopt) {
    sizes = llvm::map_to_vector(*given, [&](int64_t value) { return dim::constant(node.context(), value); });
  }
  if (count != int64_t(node.numOutputs()) || (sizes && sizes->size() != node.numOutputs()))
    return node.malformed("the number of parts is not the number of outputs");
  if (!sizes) {
    DimAttr parts = dim::constant(node.context(), count), chunk = dim::ceilDiv(total, parts);
    if (node.opset < 18) {
      chunk = dim::exactQuotient(total, parts).value_or(dim::floorDiv(total, parts));
      if (!node.unify(dim::mul(chunk, parts), total, "Split makes equal parts"))
        return node.malformed("a dim of size " + dim::toString(total) + " cannot be split evenly");
    }
    sizes = Dims(count - 1, chunk);
    sizes->push_back(dim::sub(total, dim::mul(chunk, dim::constant(node.context(), count - 1))));
  }
  DimAttr sum = dim::constant(node.context(), 0);
  for (DimAttr size : *sizes) {
    if (dim::asConstant(size).value_or(0) < 0)
      return node.malformed("a part has a negative size");
    sum = dim::add(sum, size);
  }
  if (!node.unify(sum, total, "the parts of Split make up the dim"))
    return node.malformed("the parts have " + dim::toString(sum) + " elements, the dim has " +
                          dim::toString(total));
  DimAttr offset = dim::constant(node.context(), 0);
  for (size_t i = 0; i < node.numOutputs(); ++i) {
    if (!node.node.outputs[i].empty())
      node.setResult(i, sliceAlong(node, x, *axis, offset, node.graph.dims.canonical((*sizes)[i])));
    offset = dim::add(offset, (*sizes)[i]);
  }
  return success();
}

LogicalResult importConcat(NodeImport &node) {
  SmallVector<Value> values;
  for (size_t i = 0; i < node.numInputs(); ++i)
    values.push_back(node.operand(i));
  if (values.empty())
    return node.malformed("there is nothing to join");
  size_t rank = getDims(values[0]).size();
  FailureOr<int64_t> axis = node.axis(node.intAttr("axis", 1), rank);
  if (failed(axis))
    return failure();
  for (Value value : ArrayRef(values).drop_front()) {
    if (getDims(value).size() != rank || getElementTypeOrSelf(value) != getElementTypeOrSelf(values[0]))
      return node.malformed("the operands differ in rank or element type");
    for (size_t i = 0; i < rank; ++i)
      if (int64_t(i) != *axis &&
          !node.unify(getDims(values[0])[i], getDims(value)[i], "Concat joins along another dim"))
        return node.malformed("dim " + Twine(i) + " of the operands is " +
                              dim::toString(getDims(values[0])[i]) + " and " +
                              dim::toString(getDims(value)[i]));
  }
  node.setResult(0, values.size() == 1 ? values[0] : node.create<ConcatOp>(ValueRange(values), *axis));
  return success();
}

//===-- Pad
//----------------------------------------------------------------------------------------------------===//

LogicalResult importPadWith(NodeImport &node, ArrayRef<DimAttr> pads, ArrayRef<int64_t> axes, Value value) {
  Value x = node.operand(0);
  size_t rank = getDims(x).size();
  if (pads.size() != 2 * axes.size())
    return node.malformed("there must be two pads for each dim");
  DimAttr zero = dim::constant(node.context(), 0);
  Dims low(rank, zero), high(rank, zero), cutStart(rank, zero), cutSize = getDims(x);
  SmallVector<int64_t> steps(rank, 1);
  for (size_t i = 0; i < axes.size(); ++i) {
    FailureOr<int64_t> axis = node.axis(axes[i], rank);
    if (failed(axis))
      return failure();
    DimAttr before = pads[i], after = pads[i + axes.size()];
    // A negative pad removes elements.
    low[*axis] = node.graph.dims.max(before, zero);
    high[*axis] = node.graph.dims.max(after, zero);
    cutStart[*axis] = node.graph.dims.max(dim::neg(before), zero);
    cutSize[*axis] =
        dim::sub(cutSize[*axis], dim::add(cutStart[*axis], node.graph.dims.max(dim::neg(after), zero)));
    if (dim::asConstant(cutSize[*axis]).value_or(0) < 0)
      return node.malformed("negative pads remove more than the dim holds");
  }
  x = sliceOf(node, x, cutStart, cutSize, steps);
  auto mode = llvm::StringSwitch<std::optional<PadMode>>(node.stringAttr("mode", "constant"))
                  .Case("constant", PadMode::constant)
                  .Case("edge", PadMode::edge)
                  .Case("reflect", PadMode::reflect)
                  .Case("wrap", PadMode::wrap)
                  .Default(std::nullopt);
  if (!mode)
    return node.unsupported("the mode '" + node.stringAttr("mode", "") + "' is not known");
  auto isZero = [&](DimAttr pad) { return pad == zero; };
  if (llvm::all_of(low, isZero) && llvm::all_of(high, isZero)) {
    node.setResult(0, x);
    return success();
  }
  if (*mode != PadMode::constant)
    value = {};
  node.setResult(0, node.create<PadOp>(x, value, DimsAttr::get(node.context(), low),
                                       DimsAttr::get(node.context(), high), *mode));
  return success();
}

LogicalResult importPadAttributes(NodeImport &node) {
  auto pads = node.intsAttr("pads");
  if (!pads)
    return node.malformed("the pads are missing");
  Value value = node.scalar(node.typeOf(0).getElementType(), node.floatAttr("value", 0));
  return importPadWith(
      node, llvm::map_to_vector(*pads, [&](int64_t pad) { return dim::constant(node.context(), pad); }),
      range(0, node.typeOf(0).getRank()), value);
}

/// Pads of axes that only the run knows: zero for the others.
LogicalResult importPadOfAxes(NodeImport &node, Value value) {
  Lists lists(node);
  Value pads = lists.operand(1), axes = lists.operand(3);
  if (!pads || !axes)
    return failure();
  int64_t count = lists.length(axes), rank = node.typeOf(0).getRank();
  if (lists.length(pads) != 2 * count || count == 0)
    return node.malformed("there must be two pads for each axis");
  DimAttr half = dim::constant(node.context(), count), zero = dim::constant(node.context(), 0);
  Value places = lists.axes(axes, rank), none = lists.constant(SmallVector<int64_t>(rank, 0));
  Dims all;
  for (DimAttr start : {zero, half})
    all.append(node.bindIntegers(lists.put(none, places, sliceAlong(node, pads, 0, start, half)), "pad"));
  return importPadWith(node, all, range(0, rank), value);
}

LogicalResult importPad(NodeImport &node) {
  Value value =
      node.hasInput(2) ? node.reshape(node.operand(2), {}) : node.scalar(node.typeOf(0).getElementType(), 0);
  int64_t rank = node.typeOf(0).getRank();
  SmallVector<int64_t> axes = range(0, rank);
  if (node.opset >= 18 && node.hasInput(3)) {
    auto given = node.constantInts(3);
    if (!given)
      return importPadOfAxes(node, value);
    axes = *given;
  }
  auto pads = node.integerValue(1);
  if (!pads)
    return node.unsupported("the number of pads must be known");
  return importPadWith(node, *pads, axes, value);
}

//===-- Blocks of pixels
//---------------------------------------------------------------------------------------===//

LogicalResult importBlocks(NodeImport &node, bool toSpace) {
  Value x = node.operand(0);
  Dims d = getDims(x);
  int64_t block = node.intAttr("blocksize", 0);
  if (d.size() != 4 || block < 1 || block > 1 << 15)
    return node.malformed("the input must have rank 4 and the blocksize must be positive");
  DimAttr b = dim::constant(node.context(), block), bb = dim::mul(b, b);
  DimAttr c = d[1], h = d[2], w = d[3];
  if (toSpace) {
    if (auto channels = dim::exactQuotient(c, bb)) {
      c = *channels;
    } else {
      DimAttr part = dim::floorDiv(c, bb);
      if (!node.unify(dim::mul(part, bb), c, "DepthToSpace"))
        return node.malformed("the channels are not a multiple of the squared blocksize");
      // The guard may have given other sizes new names.
      d = getDims(x);
      c = part;
      h = d[2];
      w = d[3];
    }
    bool columnsFirst = node.stringAttr("mode", "DCR") == "DCR";
    x = columnsFirst ? node.reshape(x, {d[0], b, b, c, h, w}) : node.reshape(x, {d[0], c, b, b, h, w});
    x = node.transpose(x, columnsFirst ? ArrayRef<int64_t>{0, 3, 4, 1, 5, 2}
                                       : ArrayRef<int64_t>{0, 1, 4, 2, 5, 3});
    node.setResult(0, node.reshape(x, {d[0], c, dim::mul(h, b), dim::mul(w, b)}));
    return success();
  }
  DimAttr rows = dim::floorDiv(h, b), columns = dim::floorDiv(w, b);
  if (!node.unify(dim::mul(rows, b), h, "SpaceToDepth") ||
      !node.unify(dim::mul(columns, b), w, "SpaceToDepth"))
    return node.malformed("height and width are not multiples of the blocksize");
  x = node.reshape(x, {d[0], c, rows, b, columns, b});
  // Opset 28 has a mode that keeps the channel outermost.
  bool columnsFirst = node.stringAttr("mode", "DCR") == "DCR";
  x = node.transpose(x, columnsFirst ? ArrayRef<int64_t>{0, 3, 5, 1, 2, 4}
                                     : ArrayRef<int64_t>{0, 1, 3, 5, 2, 4});
  node.setResult(0, node.reshape(x, {d[0], dim::mul(c, bb), rows, columns}));
  return success();
}

LogicalResult importDepthToSpace(NodeImport &node) { return importBlocks(node, true); }
LogicalResult importSpaceToDepth(NodeImport &node) { return importBlocks(node, false); }

} // namespace

void addSliceOps(OpTable &table) {
  table.add("", "Slice", 1, importSliceAttributes);
  table.add("", "Slice", 10, importSlice);
  table.add("", "Split", 2, importSplit);
  table.add("", "Concat", 4, importConcat);
  table.add("", "Pad", 2, importPadAttributes);
  table.add("", "Pad", 11, importPad);
  table.add("", "DepthToSpace", 1, importDepthToSpace);
  table.add("", "SpaceToDepth", 1, importSpaceToDepth);
}

} // namespace torsh::onnx
