//===-- PairProducts.cpp - Sums of products of pairs of bf16 -------------------------------------------------===//
//
// A bf16 is the high half of an f32, so a shift or a mask widens it. The emulation differs from the instruction in
// denormals alone, which the instruction takes and leaves as zeros.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "passes/lowering/PairProducts.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace torsh {

PairProducts::PairProducts(KernelBuilder &kb, ArrayRef<Value> columns) : kb(kb) {
  for (Value column : columns) {
    if (kb.target.pairs == PairDot::Native)
      packed.push_back(asBf16(column));
    else
      halves.push_back(split(column));
  }
}

Value PairProducts::asBf16(Value pairs) {
  auto type = VectorType::get({cast<VectorType>(pairs.getType()).getNumElements() * 2}, kb.b.getBF16Type());
  return LLVM::BitcastOp::create(kb.b, kb.loc, type, pairs);
}

PairProducts::Halves PairProducts::split(Value pairs) {
  int64_t lanes = cast<VectorType>(pairs.getType()).getNumElements();
  Type integer = kb.b.getI32Type(), wide = kb.vectorOf(kb.b.getF32Type(), lanes);
  Value even = arith::ShLIOp::create(kb.b, kb.loc, pairs, kb.splatConstant(integer, 16, lanes));
  Value odd = arith::AndIOp::create(kb.b, kb.loc, pairs, kb.splatConstant(integer, -65536, lanes));
  return {arith::BitcastOp::create(kb.b, kb.loc, wide, even),
          arith::BitcastOp::create(kb.b, kb.loc, wide, odd)};
}

void PairProducts::add(Value row, MutableArrayRef<Value> sums) {
  if (kb.target.pairs == PairDot::Native) {
    Value left = asBf16(row);
    for (auto [sum, column] : llvm::zip_equal(sums, packed)) {
      // One of three widths: .128, .256 and .512.
      int64_t bits = cast<VectorType>(sum.getType()).getNumElements() * 32;
      std::string name = "llvm.x86.avx512bf16.dpbf16ps." + std::to_string(bits);
      sum = LLVM::CallIntrinsicOp::create(kb.b, kb.loc, sum.getType(), kb.b.getStringAttr(name),
                                          ValueRange{sum, left, column})
                .getResult(0);
    }
    return;
  }
  Halves left = split(row);
  for (auto [sum, column] : llvm::zip_equal(sums, halves)) {
    sum = math::FmaOp::create(kb.b, kb.loc, left.odd, column.odd, sum);
    sum = math::FmaOp::create(kb.b, kb.loc, left.even, column.even, sum);
  }
}

} // namespace torsh
