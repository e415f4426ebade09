//===-- PairwiseProbabilities.cpp - Class probabilities from those of pairs ---------------------------------===//
//
// The iteration stops for each row by itself when its error is small, so its result is not the exact minimum: a row must
// take as many rounds as elsewhere to give the same numbers. Rows that are done keep their values while others go on.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/ml/PairwiseProbabilities.h"
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/ops/Compose.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// Rows and columns of the problem, with constants made once.
struct Problem {
  NodeImport &node;
  int64_t classes;
  mlir::Type f32;

  Value repeatColumn(Value column) {
    return node.broadcastTo(column, {getDims(column)[0], dim::constant(node.context(), classes)});
  }
  Value sumColumns(Value x) { return node.create<ReduceOp>(x, ReduceKind::sum, ArrayRef<int64_t>{1}, true); }
  /// Row `i` of the matrix of each row, as [rows, classes].
  Value rowOf(Value q, int64_t i) {
    Value row = sliceAxis(node, q, 1, dim::constant(node.context(), i), dim::constant(node.context(), 1));
    return node.reshape(row, {getDims(q)[0], getDims(q)[2]});
  }
  Value unit(int64_t i, Value like) {
    SmallVector<double> values(classes, 0);
    values[i] = 1;
    return forEachRow(node, constantMatrix(node, values, 0, classes, f32), like);
  }

  Value makeQ(Value pairs);
  Value round(Value q, Value p, Value &done);
};

/// Q[i, i] = sum of r[j, i]^2 over j != i, Q[i, j] = -r[j, i] r[i, j].
Value Problem::makeQ(Value pairs) {
  int64_t count = classes * (classes - 1) / 2, pair = 0;
  SmallVector<double> spread(count * classes * classes, 0), offset(classes * classes, 0),
      identity(classes * classes, 0);
  for (int64_t i = 0; i < classes; ++i) {
    identity[i * classes + i] = 1;
    for (int64_t j = i + 1; j < classes; ++j, ++pair) {
      spread[pair * classes * classes + i * classes + j] = 1;
      spread[pair * classes * classes + j * classes + i] = -1;
      offset[j * classes + i] = 1;
    }
  }
  Value flat = matmul(node, pairs, constantMatrix(node, spread, count, classes * classes, f32));
  flat = node.create<AddOp>(flat,
                            forEachRow(node, constantMatrix(node, offset, 0, classes * classes, f32), flat));
  DimAttr rows = getDims(pairs)[0], size = dim::constant(node.context(), classes);
  Value r = node.reshape(flat, {rows, size, size}), turned = node.transpose(r, {0, 2, 1});
  Value diagonal =
      node.create<ReduceOp>(node.create<MulOp>(turned, turned), ReduceKind::sum, ArrayRef<int64_t>{2}, true);
  diagonal = node.broadcastTo(diagonal, {rows, size, size});
  Value mask = node.broadcastTo(constantMatrix(node, identity, classes, classes, f32), {rows, size, size});
  Value isDiagonal = compareNumber(node, mask, ComparePredicate::gt, 0.5);
  Value others = node.create<NegOp>(node.create<MulOp>(r, turned));
  return node.create<SelectOp>(isDiagonal, diagonal, others);
}

/// One round over all classes. `done` grows by the rows whose error is small; they keep `p`.
Value Problem::round(Value q, Value p, Value &done) {
  DimAttr rows = getDims(p)[0], size = dim::constant(node.context(), classes);
  Value spread =
      node.broadcastTo(node.reshape(p, {rows, dim::constant(node.context(), 1), size}), {rows, size, size});
  Value qp =
      node.create<ReduceOp>(node.create<MulOp>(q, spread), ReduceKind::sum, ArrayRef<int64_t>{2}, false);
  Value pqp = sumColumns(node.create<MulOp>(p, qp));
  Value error = node.create<AbsOp>(node.create<SubOp>(qp, repeatColumn(pqp)));
  error = node.create<ReduceOp>(error, ReduceKind::max, ArrayRef<int64_t>{1}, true);
  done = node.create<OrOp>(done,
                           compareNumber(node, error, ComparePredicate::lt, double(0.005f / float(classes))));
  Value next = p;
  for (int64_t i = 0; i < classes; ++i) {
    Value row = rowOf(q, i), own = column(node, row, i), qpi = column(node, qp, i);
    Value diff = node.create<DivOp>(node.create<SubOp>(pqp, qpi), own);
    Value grown = addNumber(node, diff, 1);
    Value inner = node.create<AddOp>(node.create<MulOp>(diff, own), scale(node, qpi, 2));
    pqp = node.create<AddOp>(pqp, node.create<MulOp>(diff, inner));
    pqp = node.create<DivOp>(node.create<DivOp>(pqp, grown), grown);
    Value diffs = repeatColumn(diff), divisor = repeatColumn(grown);
    qp = node.create<DivOp>(node.create<AddOp>(qp, node.create<MulOp>(diffs, row)), divisor);
    next = node.create<AddOp>(next, node.create<MulOp>(diffs, unit(i, next)));
    next = node.create<DivOp>(next, divisor);
  }
  return node.create<SelectOp>(repeatColumn(done), p, next);
}

} // namespace

Value classProbabilities(NodeImport &node, Value pairs, int64_t classes) {
  constexpr double mostRounds = 100;
  Problem problem{node, classes, node.builder.getF32Type()};
  mlir::Type i64 = node.builder.getI64Type(), i1 = node.builder.getI1Type();
  DimAttr rows = getDims(pairs)[0];
  Value q = problem.makeQ(pairs);
  Value start = node.splat(makeTensorType({rows, dim::constant(node.context(), classes)}, problem.f32),
                           double(1.0f / float(classes)));
  Value notDone = node.splat(makeTensorType({rows, dim::constant(node.context(), 1)}, i1), 0);
  SmallVector<Value> initial{node.scalar(i64, 0), start, notDone};
  auto loop =
      WhileOp::create(node.builder, node.loc, ValueRange(initial).getTypes(), node.scalar(i1, 1), initial);
  OpBuilder::InsertionGuard guard(node.builder);
  Block *body = &loop.getBody().emplaceBlock();
  for (Value value : initial)
    body->addArgument(value.getType(), node.loc);
  node.builder.setInsertionPointToStart(body);
  Value done = body->getArgument(2);
  Value p = problem.round(q, body->getArgument(1), done);
  Value count = addNumber(node, body->getArgument(0), 1);
  Value allDone = node.create<ReduceOp>(done, ReduceKind::all, ArrayRef<int64_t>{0, 1}, false);
  Value more = node.create<AndOp>(node.create<NotOp>(allDone),
                                  compareNumber(node, count, ComparePredicate::lt, mostRounds));
  YieldOp::create(node.builder, node.loc, ValueRange{more, count, p, done});
  return loop->getResult(1);
}

} // namespace torsh::onnx
