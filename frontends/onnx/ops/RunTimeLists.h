//===-- RunTimeLists.h - Axes, bounds and shapes that only the run knows ------------------------------------===//
//
// Where an operand that steers an op is no constant, the sizes that follow from it are computed by ops on short i64 lists
// and bound to symbols (torsh.bind_sizes); what is done to the data is then an op of known axes.
//
//===----------------------------------------------------------------------------------------------------------===//
#ifndef TORSH_FRONTENDS_ONNX_OPS_RUNTIMELISTS_H
#define TORSH_FRONTENDS_ONNX_OPS_RUNTIMELISTS_H

#include "frontends/onnx/NodeImport.h"

namespace torsh::onnx {

/// Arithmetic on i64 lists of one static length.
class Lists {
public:
  explicit Lists(NodeImport &n) : n(n) {}

  /// Operand `i` as a list of i64; null, with the node refused, where its length is not known.
  mlir::Value operand(size_t i);
  mlir::Value constant(llvm::ArrayRef<int64_t> values);
  mlir::Value iota(int64_t count);
  mlir::Value add(mlir::Value a, mlir::Value b) { return n.create<AddOp>(a, b); }
  mlir::Value sub(mlir::Value a, mlir::Value b) { return n.create<SubOp>(a, b); }
  mlir::Value mul(mlir::Value a, mlir::Value b) { return n.create<MulOp>(a, b); }
  mlir::Value add(mlir::Value a, int64_t b) { return add(a, n.splatLike(a, double(b))); }
  mlir::Value min(mlir::Value a, mlir::Value b) { return n.create<MinimumOp>(a, b); }
  mlir::Value max(mlir::Value a, mlir::Value b) { return n.create<MaximumOp>(a, b); }
  mlir::Value compare(mlir::Value a, ComparePredicate predicate, mlir::Value b);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);
  mlir::Value gather(mlir::Value list, mlir::Value indices);
  /// `whole` with `values` at `indices`.
  mlir::Value put(mlir::Value whole, mlir::Value indices, mlir::Value values);
  /// Element `i` as a rank-0 value.
  mlir::Value at(mlir::Value list, int64_t i);
  /// Axes of a tensor of this rank, none negative.
  mlir::Value axes(mlir::Value list, int64_t rank);
  /// An i1 list: whether an axis is in a list.
  mlir::Value mask(mlir::Value axes, int64_t rank);
  /// The number of elements.
  static int64_t length(mlir::Value list);

private:
  NodeImport &n;
};

/// What a reduction over the axes of a mask becomes: a reshape to pairs (kept, reduced) of each dim, a reduction over the
/// second of each pair, and a reshape to `kept`.
struct SplitReduction {
  llvm::SmallVector<DimAttr> pairs, kept;
};
SplitReduction splitReduction(NodeImport &n, mlir::Value x, mlir::Value axes, bool keepDims);

/// The dims of x as the product of those before an axis, its size, and the product of those behind it. `axis` is a list of
/// one element.
llvm::SmallVector<DimAttr> splitAt(NodeImport &n, mlir::Value x, mlir::Value axis);

/// x without, or with, unit dims at axes that the run knows.
mlir::Value squeeze(NodeImport &n, mlir::Value x, mlir::Value axes);
mlir::Value unsqueeze(NodeImport &n, mlir::Value x, mlir::Value axes);

/// The slice of ONNX with bounds (and axes and steps, where given) that the run knows.
mlir::Value sliceByLists(NodeImport &n, mlir::Value x, mlir::Value starts, mlir::Value ends, mlir::Value axes,
                         mlir::Value steps);

/// The dims of a reshape whose target only the run knows: 0 copies (unless `allowZero`), -1 is inferred.
llvm::SmallVector<DimAttr> resolveReshape(NodeImport &n, llvm::ArrayRef<DimAttr> from,
                                          llvm::ArrayRef<DimAttr> target, bool allowZero);

} // namespace torsh::onnx

#endif // TORSH_FRONTENDS_ONNX_OPS_RUNTIMELISTS_H
