//===-- RotaryEmbedding.cpp - Rotary position embedding
//-----------------------------------------------------===//
#include "frontends/onnx/ops/RotaryEmbedding.h"
#include "frontends/onnx/ops/Compose.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

DimAttr number(NodeImport &n, int64_t value) { return dim::constant(n.context(), value); }

/// Elements `start`, `start` + `step`, ... of the last dim.
Value sliceLast(NodeImport &n, Value x, int64_t start, int64_t size, int64_t step) {
  SmallVector<DimAttr> sizes = getDims(x), starts(sizes.size(), number(n, 0));
  starts.back() = number(n, start);
  sizes.back() = number(n, size);
  SmallVector<int64_t> steps(sizes.size(), 1);
  steps.back() = step;
  return n.create<SliceOp>(x, DimsAttr::get(n.context(), starts), DimsAttr::get(n.context(), sizes), steps);
}

Value concatLast(NodeImport &n, Value a, Value b) {
  SmallVector<Value> parts = {a, b};
  return n.create<ConcatOp>(ValueRange(parts), rankOf(a) - 1);
}

} // namespace

Value rotatePairs(NodeImport &n, Value x, Value cosine, Value sine, bool interleaved) {
  int64_t half = *dim::asConstant(getDims(cosine)[3]), rotary = 2 * half,
          size = *dim::asConstant(getDims(x)[3]);
  Value first = interleaved ? sliceLast(n, x, 0, half, 2) : sliceLast(n, x, 0, half, 1);
  Value second = interleaved ? sliceLast(n, x, 1, half, 2) : sliceLast(n, x, half, half, 1);
  Value real = n.create<SubOp>(n.create<MulOp>(cosine, first), n.create<MulOp>(sine, second));
  Value imaginary = n.create<AddOp>(n.create<MulOp>(sine, first), n.create<MulOp>(cosine, second));
  Value rotated;
  if (interleaved) {
    SmallVector<DimAttr> pair = getDims(real);
    pair.push_back(number(n, 1));
    rotated = concatLast(n, n.reshape(real, pair), n.reshape(imaginary, pair));
    pair.pop_back();
    pair[3] = number(n, rotary);
    rotated = n.reshape(rotated, pair);
  } else {
    rotated = concatLast(n, real, imaginary);
  }
  return rotary < size ? concatLast(n, rotated, sliceLast(n, x, rotary, size - rotary, 1)) : rotated;
}

namespace {

/// Rotates pairs of the last dim of x by the angles whose cosines and sines are given.
LogicalResult rotate(NodeImport &n, Value x, Value cosines, Value sines, Value positions) {
  if (failed(requireFloat(n, 0)))
    return failure();
  int64_t rank = rankOf(x);
  if (rank != 3 && rank != 4)
    return n.malformed("the operand must have rank 3 or 4");
  SmallVector<DimAttr> original = getDims(x);
  int64_t headAxis = 1;
  int64_t rotary = n.intAttr("rotary_embedding_dim", 0);
  if (rank == 3) {
    int64_t heads = n.intAttr("num_heads", 0);
    // Without the number of heads, the width of the caches tells the head size.
    if (heads == 0 && rotary == 0)
      if (auto width = dim::asConstant(getDims(cosines).back()), whole = dim::asConstant(original[2]);
          width && whole && *width > 0 && *whole % (2 * *width) == 0)
        heads = *whole / (2 * *width);
    std::optional<DimAttr> size =
        heads > 0 ? dim::exactQuotient(original[2], number(n, heads)) : std::nullopt;
    if (!size)
      return n.malformed("num_heads must divide the last dim of an operand of rank 3");
    x = n.reshape(x, {original[0], original[1], number(n, heads), *size});
    headAxis = 2;
  }
  std::optional<int64_t> size = dim::asConstant(getDims(x)[3]);
  if (!size)
    return n.unsupported("the head size must be static");
  rotary = rotary == 0 ? *size : rotary;
  if (rotary < 2 || rotary > *size || rotary % 2 != 0)
    return n.malformed("rotary_embedding_dim must be even and at most the head size");
  int64_t half = rotary / 2;
  bool interleaved = n.intAttr("interleaved", 0) != 0;

  // Caches as [B, S, half], then with a unit dim for the heads.
  auto angles = [&](Value cache) -> Value {
    if (positions)
      cache = n.create<GatherOp>(cache, positions, 0);
    if (rankOf(cache) != 3 || !dim::asConstant(getDims(cache)[2]) ||
        *dim::asConstant(getDims(cache)[2]) < half)
      return (void)n.malformed("the caches must have a column for each pair of the head"), Value();
    cache = sliceLast(n, cache, 0, half, 1);
    SmallVector<DimAttr> dims = getDims(cache);
    dims.insert(dims.begin() + headAxis, number(n, 1));
    cache = n.reshape(cache, dims);
    SmallVector<DimAttr> target = getDims(x);
    target[3] = number(n, half);
    return n.cast(n.broadcastTo(cache, target), elementTypeOf(x));
  };
  Value cosine = angles(cosines), sine = angles(sines);
  if (!cosine || !sine)
    return failure();
  Value rotated = rotatePairs(n, x, cosine, sine, interleaved);
  n.setResult(0, rank == 3 ? n.reshape(rotated, original) : rotated);
  return success();
}

} // namespace

LogicalResult importRotaryEmbedding(NodeImport &n) {
  if (failed(requireInputs(n, 3)))
    return failure();
  return rotate(n, n.operand(0), n.operand(1), n.operand(2), n.optionalOperand(3));
}

} // namespace torsh::onnx
