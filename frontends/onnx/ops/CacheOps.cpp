//===-- CacheOps.cpp - TensorScatter ------------------------------------------------------------------------===//
#include "frontends/onnx/ops/Term.h"
#include "frontends/onnx/ops/TopicTables.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// Writes `update` [B, .., L, ..] into a cache [B, .., S, ..] from position write_indices[b] of the axis on: as rows
/// of what lies behind the axis.
LogicalResult importTensorScatter(NodeImport &n) {
  if (failed(requireInputs(n, 2)) || failed(requireRank(n, 0, 2)))
    return failure();
  Value cache = n.operand(0), update = n.operand(1), start = n.optionalOperand(2);
  int64_t rank = rankOf(cache);
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", -2), rank);
  if (failed(axis))
    return failure();
  StringRef mode = n.stringAttr("mode", "linear");
  if (mode != "linear" && mode != "circular")
    return n.malformed("mode must be linear or circular");
  if (*axis == 0 || rankOf(update) != rank || elementTypeOf(update) != elementTypeOf(cache))
    return n.malformed(
        "the cache and the update must have one rank and element type, and the axis must not be 0");
  for (int64_t i = 0; i < rank; ++i)
    if (i != *axis && !n.unify(getDims(cache)[i], getDims(update)[i], "the update of TensorScatter"))
      return n.malformed("dim " + Twine(i) + " of the update is not that of the cache");
  if (start && (rankOf(start) != 1 || !n.unify(getDims(start)[0], getDims(cache)[0], "write_indices")))
    return n.malformed("there must be one write index a batch");

  SmallVector<DimAttr> dims = getDims(cache);
  DimAttr length = getDims(update)[*axis], size = dims[*axis];
  DimAttr middle = dim::product(n.context(), ArrayRef(dims).slice(1, *axis - 1)),
          row = dim::product(n.context(), ArrayRef(dims).drop_front(*axis + 1));
  DimAttr outer = dim::mul(dims[0], middle), one = dim::constant(n.context(), 1);
  // [B, middle, L]: the row of each update among [B, middle, S].
  TermSpace space{n, {dims[0], middle, length}, n.builder.getI64Type()};
  Term place = Term::iota(space, 2), extent = Term::size(space, size);
  if (start)
    place = place + Term::spread(space, n.cast(start, space.element), {0});
  if (mode == "circular")
    place = place.mod(extent);
  Term plane = Term::iota(space, 0) * Term::size(space, middle) + Term::iota(space, 1);
  // A position past the end would be a row of the next plane.
  place = plane * extent + place.max(0).min(extent - 1);
  Value rows = n.reshape(cache, {dim::mul(outer, size), row}),
        values = n.reshape(update, {dim::mul(outer, length), row}),
        index = n.reshape(place.value(), {dim::mul(outer, length), one});
  Value y = ScatterNdOp::create(n.builder, n.loc, rows.getType(), rows, index, values, ScatterKind::replace);
  n.setResult(0, n.reshape(y, dims));
  return success();
}

} // namespace

void addCacheOps(OpTable &table) { table.add("", "TensorScatter", 24, importTensorScatter); }

} // namespace torsh::onnx
