//===-- PackTransposed.cpp - Rows of a buffer as columns of a packed block ----------------------------------===//
#include "passes/lowering/PackTransposed.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace torsh {

/// Transposes a square of vectors in registers: log2(lanes) rounds that swap the off-diagonal halves of ever smaller
/// squares (Eklundh, A Fast Computer Method for Matrix Transposing, 1972).
static void transposeSquare(KernelBuilder &kb, SmallVectorImpl<Value> &rows) {
  int64_t lanes = rows.size();
  for (int64_t half = lanes / 2; half > 0; half /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < lanes; ++lane) {
      bool left = (lane & half) == 0;
      low.push_back(left ? lane : lanes + lane - half);
      high.push_back(left ? lane + half : lanes + lane);
    }
    for (int64_t row = 0; row < lanes; ++row) {
      if (row & half)
        continue;
      Value upper = rows[row], lower = rows[row + half];
      rows[row] = vector::ShuffleOp::create(kb.b, kb.loc, upper, lower, low);
      rows[row + half] = vector::ShuffleOp::create(kb.b, kb.loc, upper, lower, high);
    }
  }
}

void packTransposed(KernelBuilder &kb, const PackSource &source, Value rows, Value packed, int64_t columns) {
  int64_t lanes = kb.target.lanes;
  Type computed = kb.computeType(source.elementType);
  Value last = kb.sub(rows, kb.constant(1));
  // Squares past the last row hold nothing that anybody reads.
  Value used = kb.min(kb.constant(columns), rows);
  kb.loop(kb.constant(0), used, lanes, [&](Value first) {
    SmallVector<Value> offsets;
    for (int64_t i = 0; i < lanes; ++i) {
      Value row = kb.min(kb.add(first, kb.constant(i)), last);
      offsets.push_back(kb.add(source.offset, kb.mul(row, source.rowStride)));
    }
    auto store = [&](Value value, Value depth) {
      kb.storeTo(value, packed, computed, kb.add(kb.mul(depth, kb.constant(columns)), first), lanes);
    };
    Value whole = kb.mul(kb.div(source.depth, kb.constant(lanes)), kb.constant(lanes));
    kb.loop(kb.constant(0), whole, lanes, [&](Value depth) {
      SmallVector<Value> square;
      for (Value offset : offsets)
        square.push_back(kb.loadFrom(source.pointer, source.elementType, kb.add(offset, depth), lanes));
      transposeSquare(kb, square);
      for (auto [i, vector] : llvm::enumerate(square))
        store(vector, kb.add(depth, kb.constant(i)));
    });
    kb.loop(whole, source.depth, 1, [&](Value depth) {
      SmallVector<Value> elements;
      for (Value offset : offsets)
        elements.push_back(kb.loadFrom(source.pointer, source.elementType, kb.add(offset, depth), 1));
      auto type = cast<VectorType>(kb.vectorOf(computed, lanes));
      store(vector::FromElementsOp::create(kb.b, kb.loc, type, elements), depth);
    });
  });
}

} // namespace torsh
