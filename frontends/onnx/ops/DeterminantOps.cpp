//===-- DeterminantOps.cpp - Det ----------------------------------------------------------------------------===//
#include "frontends/onnx/ops/Term.h"
#include "frontends/onnx/ops/TopicTables.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// One step of Gaussian elimination with row pivoting on matrices [B, M, M], at column `k` (rank 0): the matrices and the
/// products of the pivots [B] after it.
std::pair<Value, Value> eliminate(NodeImport &n, Value k, Value matrices, Value product) {
  mlir::Type i64 = n.builder.getI64Type(), element = elementTypeOf(matrices);
  SmallVector<DimAttr> dims = getDims(matrices);
  TermSpace all{n, dims, element}, rows{n, {dims[0], dims[1]}, i64}, batch{n, {dims[0]}, i64};
  Term own = Term::spread(rows, k, {}), row = Term::iota(rows, 1);
  // The pivot is the largest element of the column at row k or below.
  Term column(n, n.create<GatherOp>(matrices, k, 2));
  Term candidates = (row >= own).choose(column.abs(), Term::number(column.space(), -1));
  Term pivot(n, n.create<ArgReduceOp>(candidates.value(), ReduceKind::max, 1, false, false));
  // Rows k and pivot change places.
  Term isPivot = Term::spread(all, (row == Term::spread(rows, pivot.value(), {0})).value(), {0, 1});
  Term isOwn = Term::spread(all, (row == own).value(), {0, 1});
  Term matrix(n, matrices);
  Value pivotRow = n.create<ReduceOp>(isPivot.choose(matrix, Term::number(all, 0)).value(), ReduceKind::sum,
                                      ArrayRef<int64_t>{1}, false);
  Value ownRow = n.create<GatherOp>(matrices, k, 1);
  Term upper = Term::spread(all, pivotRow, {0, 2});
  matrix = isOwn.choose(upper, isPivot.choose(Term::spread(all, ownRow, {0, 2}), matrix));
  // What is below the pivot becomes 0; a column of zeros makes the determinant 0 by its pivot.
  Term value(n, n.create<GatherOp>(pivotRow, k, 1));
  Term divisor = (value == 0.0).choose(Term::number(value.space(), 1), value);
  Term below(n, n.create<GatherOp>(matrix.value(), k, 2));
  TermSpace factors = rows.with(element);
  Term factor =
      (row > own).choose(below / Term::spread(factors, divisor.value(), {0}), Term::number(factors, 0));
  matrix = matrix - Term::spread(all, factor.value(), {0, 1}) * upper;
  Term swapped = pivot != Term::spread(batch, k, {});
  Term next = Term(n, product) * swapped.choose(value.negated(), value);
  return {matrix.value(), next.value()};
}

LogicalResult importDet(NodeImport &n) {
  if (failed(requireFloat(n, 0)) || failed(requireRank(n, 0, 2)))
    return failure();
  Value x = n.operand(0);
  int64_t rank = rankOf(x);
  if (!n.unify(getDims(x)[rank - 2], getDims(x)[rank - 1], "the matrices of Det are square"))
    return n.malformed("the matrices are not square");
  SmallVector<DimAttr> dims = getDims(x);
  mlir::Type element = elementTypeOf(x).isF64() ? elementTypeOf(x) : mlir::Type(n.builder.getF32Type());
  DimAttr size = dims.back(), batch = dim::product(n.context(), ArrayRef(dims).drop_back(2));
  Value matrices = n.cast(n.reshape(x, {batch, size, size}), element);
  Value ones = n.splat(makeTensorType({batch}, element), 1);
  auto loop = ForOp::create(n.builder, n.loc, TypeRange{matrices.getType(), ones.getType()}, size,
                            ValueRange{matrices, ones});
  {
    OpBuilder::InsertionGuard guard(n.builder);
    auto step = RankedTensorType::get({}, n.builder.getI64Type());
    Block *body = n.builder.createBlock(&loop.getBody(), {}, {step, matrices.getType(), ones.getType()},
                                        {n.loc, n.loc, n.loc});
    auto [next, product] = eliminate(n, body->getArgument(0), body->getArgument(1), body->getArgument(2));
    YieldOp::create(n.builder, n.loc, ValueRange{next, product});
  }
  Value det = n.cast(loop->getResult(1), elementTypeOf(x));
  n.setResult(0, n.reshape(det, ArrayRef(dims).drop_back(2)));
  return success();
}

} // namespace

void addDeterminantOps(OpTable &table) { table.add("", "Det", 11, importDet); }

} // namespace torsh::onnx
