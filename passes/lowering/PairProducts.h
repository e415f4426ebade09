//===-- PairProducts.h - Sums of products of pairs of bf16 ---------------------------------------------------===//
#ifndef TORSH_PASSES_LOWERING_PAIRPRODUCTS_H
#define TORSH_PASSES_LOWERING_PAIRPRODUCTS_H

#include "passes/lowering/KernelBuilder.h"

namespace torsh {

/// The products of one step over k for some vectors of columns. Operands are vectors of i32, of which each lane holds two
/// bf16: that of the even k in the low half. Sums are f32; the product of the odd k is added first, as vdpbf16ps does.
class PairProducts {
public:
  PairProducts(KernelBuilder &kb, llvm::ArrayRef<mlir::Value> columns);

  /// sums[v] += row.odd * columns[v].odd, then += row.even * columns[v].even.
  void add(mlir::Value row, llvm::MutableArrayRef<mlir::Value> sums);

private:
  struct Halves {
    mlir::Value even, odd; ///< as f32
  };
  Halves split(mlir::Value pairs);
  mlir::Value asBf16(mlir::Value pairs);

  KernelBuilder &kb;
  llvm::SmallVector<mlir::Value> packed; ///< columns for the instruction
  llvm::SmallVector<Halves> halves;      ///< columns for its emulation
};

} // namespace torsh

#endif // TORSH_PASSES_LOWERING_PAIRPRODUCTS_H
