//===-- ReductionOps.cpp - Reduce*, ArgMax, ArgMin
//----------------------------------------------------------===//
//
// Axes are an attribute up to opset 12 (ReduceSum) or 17 (the others) and an optional operand afterwards. One
// function serves both: the operand wins when it is there.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/RunTimeLists.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

/// What the node asks for, in the terms of torsh.reduce.
struct Reduction {
  SmallVector<int64_t> axes;
  bool keepDims = true;
  /// No axes and noop_with_empty_axes: only what is done to each element remains.
  bool identity = false;
  /// Axes that only the run knows.
  std::optional<SplitReduction> split;
};

FailureOr<Reduction> readReduction(NodeImport &n) {
  Reduction r;
  if (failed(requireInputs(n, 1)))
    return failure();
  int64_t rank = n.typeOf(0).getRank();
  r.keepDims = n.intAttr("keepdims", 1) != 0;
  std::optional<SmallVector<int64_t>> axes = n.intsAttr("axes");
  if (n.hasInput(1)) {
    axes = n.constantInts(1);
    // An operand of size 0 means no axes whatever it holds.
    if (!axes && n.typeOf(1).getRank() == 1 && dim::isConstant(getDims(n.typeOf(1))[0], 0))
      axes.emplace();
    if (!axes) {
      Value list = Lists(n).operand(1);
      if (!list)
        return failure();
      r.split = splitReduction(n, n.operand(0), list, r.keepDims);
      return r;
    }
  }
  if (!axes || axes->empty()) {
    r.identity = n.intAttr("noop_with_empty_axes", 0) != 0;
    if (!r.identity)
      r.axes = range(0, rank);
    return r;
  }
  for (int64_t given : *axes) {
    FailureOr<int64_t> axis = n.axis(given, rank);
    if (failed(axis))
      return failure();
    r.axes.push_back(*axis);
  }
  llvm::sort(r.axes);
  r.axes.erase(llvm::unique(r.axes), r.axes.end());
  return r;
}

Value reduce(NodeImport &n, Value x, ReduceKind kind, const Reduction &r) {
  if (r.split) {
    SmallVector<int64_t> axes;
    for (size_t i = 1; i < r.split->pairs.size(); i += 2)
      axes.push_back(i);
    return n.reshape(n.create<ReduceOp>(n.reshape(x, r.split->pairs), kind, axes, false), r.split->kept);
  }
  // Without axes torsh.reduce of rank 0 is the identity, and so is the noop form.
  if (r.identity || r.axes.empty())
    return x;
  return n.create<ReduceOp>(x, kind, r.axes, r.keepDims);
}

template <ReduceKind kind> LogicalResult importReduce(NodeImport &n) {
  FailureOr<Reduction> r = readReduction(n);
  if (failed(r))
    return failure();
  Value x = n.operand(0);
  ReduceKind actual = kind;
  if (elementTypeOf(x).isInteger(1)) {
    if (kind != ReduceKind::max && kind != ReduceKind::min)
      return n.malformed("the operand is bool");
    actual = kind == ReduceKind::max ? ReduceKind::any : ReduceKind::all;
  }
  n.setResult(0, reduce(n, x, actual, *r));
  return success();
}

using Step = Value (*)(NodeImport &, Value);

Value same(NodeImport &, Value x) { return x; }
Value absolute(NodeImport &n, Value x) { return n.create<AbsOp>(x); }
Value square(NodeImport &n, Value x) { return n.create<MulOp>(x, x); }
Value root(NodeImport &n, Value x) { return n.create<SqrtOp>(x); }
Value logarithm(NodeImport &n, Value x) { return n.create<LogOp>(x); }

/// after(sum(before(x))). Integers whose `after` needs floats are computed in f64.
template <Step before, Step after> LogicalResult importComposed(NodeImport &n) {
  FailureOr<Reduction> r = readReduction(n);
  if (failed(r))
    return failure();
  Value x = n.operand(0);
  mlir::Type element = elementTypeOf(x);
  if (element.isInteger(1))
    return n.malformed("the operand is bool");
  bool widen = after != same && isa<IntegerType>(element);
  if (widen)
    x = n.cast(x, n.builder.getF64Type());
  Value result = after(n, reduce(n, before(n, x), ReduceKind::sum, *r));
  n.setResult(0, widen ? n.cast(result, element) : result);
  return success();
}

LogicalResult importLogSumExp(NodeImport &n) {
  FailureOr<Reduction> r = readReduction(n);
  if (failed(r) || failed(requireFloat(n, 0)))
    return failure();
  // Of one element it is log(exp(x)) = x, which `reduce` returns.
  n.setResult(0, reduce(n, n.operand(0), ReduceKind::logsumexp, *r));
  return success();
}

template <ReduceKind kind> LogicalResult importArgReduce(NodeImport &n) {
  if (failed(requireInputs(n, 1)) || failed(requireRank(n, 0, 1)))
    return failure();
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", 0), n.typeOf(0).getRank());
  if (failed(axis))
    return failure();
  bool keepDims = n.intAttr("keepdims", 1) != 0, last = n.intAttr("select_last_index", 0) != 0;
  n.setResult(0, n.create<ArgReduceOp>(n.operand(0), kind, *axis, keepDims, last));
  return success();
}

} // namespace

void addReductionOps(OpTable &table) {
  table.add("", "ReduceSum", 1, importReduce<ReduceKind::sum>);
  table.add("", "ReduceMean", 1, importReduce<ReduceKind::mean>);
  table.add("", "ReduceMax", 1, importReduce<ReduceKind::max>);
  table.add("", "ReduceMin", 1, importReduce<ReduceKind::min>);
  table.add("", "ReduceProd", 1, importReduce<ReduceKind::prod>);
  table.add("", "ReduceL1", 1, importComposed<absolute, same>);
  table.add("", "ReduceL2", 1, importComposed<square, root>);
  table.add("", "ReduceLogSum", 1, importComposed<same, logarithm>);
  table.add("", "ReduceLogSumExp", 1, importLogSumExp);
  table.add("", "ReduceSumSquare", 1, importComposed<square, same>);
  table.add("", "ArgMax", 1, importArgReduce<ReduceKind::max>);
  table.add("", "ArgMin", 1, importArgReduce<ReduceKind::min>);
}

} // namespace torsh::onnx
