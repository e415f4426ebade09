//===-- MatrixTiles.cpp - Tiles of a matrix product in shared memory ----------------------------------------===//
//
// Fragments as the PTX ISA lays them out. With g = lane / 4 and t = lane % 4 a thread holds, of a 16 x 8 tile of sums,
// (g, 2t), (g, 2t + 1), (g + 8, 2t) and (g + 8, 2t + 1).
//
//===----------------------------------------------------------------------------------------------------------===//
#include "passes/gpu/MatrixTiles.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace torsh {

TileLayout TileLayout::of(MatrixType type) {
  if (type == MatrixType::TF32)
    return {4, tileDepth + 4, tileColumns + 8};
  return {2, tileDepth + 8, tileColumns + 8};
}

/// Steps of k that one instruction takes.
static int64_t depthOf(MatrixType type) { return type == MatrixType::TF32 ? 8 : 16; }

// A row of one matrix is 16 bytes, which is half of the instruction's depth for either element size.
WarpTile::Fragment WarpTile::loadLeft(Value tile, unsigned rowTile, int64_t depth) {
  Value row = db.add(warpRow(), db.add(db.rem(db.lane, db.constant(16)), db.constant(rowTile * 16)));
  Value half = db.div(db.lane, db.constant(16));
  Value bytes = db.add(db.mul(row, db.constant(layout.leftStride * layout.bytesOfElement)),
                       db.add(db.mul(half, db.constant(16)), db.constant(depth * layout.bytesOfElement)));
  SmallVector<Value> loaded = db.loadMatrices(db.offsetBytes(tile, bytes), /*transposed=*/false);
  return Fragment(loaded.begin(), loaded.end());
}

SmallVector<WarpTile::Fragment> WarpTile::loadRight(Value tile, int64_t depth) {
  SmallVector<Fragment> fragments;
  if (type == MatrixType::TF32) {
    // Matrices of 32-bit elements cannot be transposed on the way: each lane reads its elements.
    Value k = db.add(db.rem(db.lane, db.constant(4)), db.constant(depth));
    Value n = db.add(warpColumn(), db.div(db.lane, db.constant(4)));
    for (unsigned i = 0; i < columnTiles; ++i) {
      Fragment fragment;
      for (int64_t step : {0, 4}) {
        Value at = db.add(db.mul(db.add(k, db.constant(step)), db.constant(layout.rightStride)),
                          db.add(n, db.constant(8 * i)));
        fragment.push_back(db.loadFrom(tile, db.b.getI32Type(), at, 1));
      }
      fragments.push_back(fragment);
    }
    return fragments;
  }
  // Four matrices of 8 x 8, transposed: both halves of k for two tiles of columns.
  for (unsigned i = 0; i < columnTiles; i += 2) {
    Value k = db.add(db.rem(db.lane, db.constant(16)), db.constant(depth));
    Value n = db.add(warpColumn(),
                     db.add(db.mul(db.div(db.lane, db.constant(16)), db.constant(8)), db.constant(8 * i)));
    Value at = db.add(db.mul(k, db.constant(layout.rightStride)), n);
    Value address = db.offsetBytes(tile, db.mul(at, db.constant(layout.bytesOfElement)));
    SmallVector<Value> loaded = db.loadMatrices(address, /*transposed=*/true);
    fragments.push_back(Fragment{loaded[0], loaded[1]});
    fragments.push_back(Fragment{loaded[2], loaded[3]});
  }
  return fragments;
}

void WarpTile::multiply(const Fragment &left, const Fragment &right, Value *sums) {
  SmallVector<Value> next = db.multiplyAdd(type, left, right, ArrayRef<Value>(sums, 4));
  std::copy(next.begin(), next.end(), sums);
}

/// With x = high + low, both tf32, the product of two f32 is three products of tf32; the fourth is below f32's precision.
void WarpTile::multiplyF32(const Fragment &left, const Fragment &right, Value *sums) {
  auto split = [&](const Fragment &whole, Fragment &high, Fragment &low) {
    for (Value bits : whole) {
      Value value = db.asFloat(bits), rounded = db.roundToTf32(value);
      high.push_back(rounded);
      if (!db.device.fastF32)
        low.push_back(db.roundToTf32(arith::SubFOp::create(db.b, db.loc, value, db.asFloat(rounded))));
    }
  };
  Fragment leftHigh, leftLow, rightHigh, rightLow;
  split(left, leftHigh, leftLow);
  split(right, rightHigh, rightLow);
  if (!db.device.fastF32) {
    // The small products first: they are not lost in the large sum.
    multiply(leftLow, rightHigh, sums);
    multiply(leftHigh, rightLow, sums);
  }
  multiply(leftHigh, rightHigh, sums);
}

SmallVector<Value> WarpTile::add(Value left, Value right, ValueRange sums) {
  SmallVector<Value> result(sums);
  for (int64_t depth = 0; depth < tileDepth; depth += depthOf(type)) {
    SmallVector<Fragment> columns = loadRight(right, depth);
    for (unsigned i = 0; i < rowTiles; ++i) {
      Fragment rows = loadLeft(left, i, depth);
      for (unsigned j = 0; j < columnTiles; ++j) {
        Value *at = &result[(i * columnTiles + j) * 4];
        if (type == MatrixType::TF32)
          multiplyF32(rows, columns[j], at);
        else
          multiply(rows, columns[j], at);
      }
    }
  }
  return result;
}

void WarpTile::forEachSum(ValueRange sums, llvm::function_ref<void(Value, Value, Value)> body) {
  Value row = db.add(warpRow(), db.div(db.lane, db.constant(4)));
  Value column = db.add(warpColumn(), db.mul(db.rem(db.lane, db.constant(4)), db.constant(2)));
  for (unsigned i = 0; i < rowTiles; ++i)
    for (unsigned j = 0; j < columnTiles; ++j)
      for (unsigned part = 0; part < 4; ++part)
        body(sums[(i * columnTiles + j) * 4 + part], db.add(row, db.constant(i * 16 + part / 2 * 8)),
             db.add(column, db.constant(j * 8 + part % 2)));
}

} // namespace torsh
