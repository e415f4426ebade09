//===-- FoldOps.cpp - Col2Im and MaxUnpool -------------------------------------------------------------------===//
#include "frontends/onnx/ops/SpatialWindow.h"
#include "frontends/onnx/ops/Term.h"
#include "frontends/onnx/ops/TopicTables.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

using Dims = SmallVector<DimAttr>;

/// As Col2Im wants it: each pixel of the image is the sum over the taps of the block, of the column that has the pixel
/// under that tap, where there is one.
LogicalResult importCol2Im(NodeImport &n) {
  if (failed(requireInputs(n, 3)))
    return failure();
  std::optional<Dims> image = n.shapeValue(1), block = n.shapeValue(2);
  if (!image || !block)
    return n.unsupported(
        "the shapes of image and block must be computed from constants and from sizes of the inputs");
  Value x = n.operand(0);
  int64_t spatial = image->size();
  if (rankOf(x) != 3 || spatial < 1 || int64_t(block->size()) != spatial)
    return n.malformed("x must have rank 3, and image and block the same number of dims");
  FailureOr<SpatialWindow> window = readWindow(n, spatial, SmallVector<int64_t>(spatial, 1));
  if (failed(window))
    return failure();
  auto number = [&](int64_t value) { return dim::constant(n.context(), value); };
  Dims columns;
  for (int64_t i = 0; i < spatial; ++i) {
    DimAttr extent =
        dim::add(dim::mul(dim::sub((*block)[i], number(1)), number(window->dilations[i])), number(1));
    DimAttr room = dim::sub(dim::add((*image)[i], number(window->low[i] + window->high[i])), extent);
    columns.push_back(dim::add(dim::floorDiv(room, number(window->strides[i])), number(1)));
  }
  DimAttr taps = dim::product(n.context(), *block), pixels = dim::product(n.context(), *image);
  if (!n.unify(getDims(x)[2], dim::product(n.context(), columns), "the columns of Col2Im"))
    return n.malformed("x has " + dim::toString(getDims(x)[2]) + " columns, image and block make " +
                       dim::toString(dim::product(n.context(), columns)));
  Dims dims = getDims(x);
  std::optional<DimAttr> channels = dim::exactQuotient(dims[1], taps);
  if (!channels) {
    channels = dim::floorDiv(dims[1], taps);
    if (!n.unify(dim::mul(*channels, taps), dims[1], "the taps of Col2Im"))
      return n.malformed("dim 1 of x is not a multiple of the block's size");
    dims = getDims(x);
  }

  TermSpace space{n, *block, n.builder.getI64Type()};
  llvm::append_range(space.dims, *image);
  SmallVector<Term> index;
  for (int64_t i = 0; i < spatial; ++i)
    index.push_back(Term::iota(space, i));
  std::optional<Term> hit;
  Dims sizes = *block;
  for (int64_t i = 0; i < spatial; ++i) {
    double stride = window->strides[i];
    // Where the column would start, in strides.
    Term start =
        Term::iota(space, spatial + i) + double(window->low[i]) - index[i] * double(window->dilations[i]);
    Term column = start / stride;
    Term own = (start >= 0) & (column < Term::size(space, columns[i]));
    if (stride != 1)
      own = own & (start.mod(stride) == 0.0);
    hit = hit ? *hit & own : own;
    index.push_back(column);
    sizes.push_back(columns[i]);
  }
  // A place outside is not used; the gather clamps it.
  Term place = linearPosition(index, sizes).max(0);
  Dims flat{taps, pixels}, wide{dim::mul(dims[0], *channels), taps, pixels};
  Value rows = n.reshape(x, {wide[0], dim::mul(taps, dims[2])});
  Value read = n.create<GatherOp>(rows, n.reshape(place.value(), flat), 1);
  TermSpace samples{n, getDims(read), elementTypeOf(x)};
  Term kept = Term::spread(samples, n.reshape(hit->value(), flat), {1, 2})
                  .choose(Term(n, read), Term::number(samples, 0));
  Value sum = n.create<ReduceOp>(kept.value(), ReduceKind::sum, ArrayRef<int64_t>{1}, false);
  Dims result{dims[0], *channels};
  llvm::append_range(result, *image);
  n.setResult(0, n.reshape(sum, result));
  return success();
}

/// Zeros, with the elements of x where the indices say. An index counts in the whole output as it is without
/// output_shape; a larger output_shape adds zeros behind.
LogicalResult importMaxUnpool(NodeImport &n) {
  if (failed(requireInputs(n, 2)) || failed(requireRank(n, 0, 3)))
    return failure();
  Value x = n.operand(0), indices = n.operand(1);
  int64_t spatial = rankOf(x) - 2;
  FailureOr<SpatialWindow> window = readWindow(n, spatial, {});
  if (failed(window))
    return failure();
  if (rankOf(indices) != rankOf(x))
    return n.malformed("x and the indices differ in rank");
  for (int64_t i = 0; i < rankOf(x); ++i)
    if (!n.unify(getDims(x)[i], getDims(indices)[i], "the indices of MaxUnpool"))
      return n.malformed("x and the indices differ in dim " + Twine(i));
  Dims dims = getDims(x), inferred{dims[0], dims[1]};
  auto number = [&](int64_t value) { return dim::constant(n.context(), value); };
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t beyond = window->kernel[i] - window->low[i] - window->high[i] - window->strides[i];
    inferred.push_back(dim::add(dim::mul(dims[i + 2], number(window->strides[i])), number(beyond)));
  }
  std::optional<Dims> wanted;
  if (n.hasInput(2)) {
    wanted = n.shapeValue(2);
    if (!wanted)
      return n.unsupported("output_shape must be computed from constants and from sizes of the inputs");
    if (wanted->size() != inferred.size())
      return n.malformed("output_shape must have one entry a dim");
  }
  mlir::Type element = elementTypeOf(x);
  DimAttr places = dim::product(n.context(), inferred), count = dim::product(n.context(), dims);
  Value zeros = n.splat(makeTensorType({places}, element), 0);
  Value y = ScatterElementsOp::create(n.builder, n.loc, zeros.getType(), zeros, n.reshape(indices, {count}),
                                      n.reshape(x, {count}), 0, ScatterKind::replace);
  y = n.reshape(y, inferred);
  if (wanted && *wanted != inferred) {
    Dims none(inferred.size(), number(0)), behind;
    for (auto [own, size] : llvm::zip(inferred, *wanted)) {
      behind.push_back(own == size ? number(0) : dim::sub(size, own));
      if (dim::asConstant(behind.back()).value_or(0) < 0)
        return n.malformed("output_shape is smaller than what was pooled: " + dim::toString(size) + " and " +
                           dim::toString(own));
    }
    y = n.create<PadOp>(y, n.scalar(element, 0), DimsAttr::get(n.context(), none),
                        DimsAttr::get(n.context(), behind), PadMode::constant);
  }
  n.setResult(0, y);
  return success();
}

} // namespace

void addFoldOps(OpTable &table) {
  table.add("", "Col2Im", 18, importCol2Im);
  table.add("", "MaxUnpool", 9, importMaxUnpool);
}

} // namespace torsh::onnx
