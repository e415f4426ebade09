//===-- DotDevice.cpp - Matrix products with fused epilogues on tensor cores --------------------------------===//
//
// A block computes a tile of 64 x 64 sums. Two buffers of shared memory take turns: while the tensor cores multiply what
// is in one, the next step along k is copied to the other, by cp.async where 16 bytes lie together in the type that is
// multiplied, else through registers, which widens, narrows and pulls whatever the operand is. Rows, columns and steps
// behind the end are zeros. At last the sums go through shared memory, so that the epilogue is one loop that reads and
// writes neighbours.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "passes/gpu/MatrixTiles.h"

using namespace mlir;

namespace torsh {
namespace {

struct DotShape {
  DotGeneralOp op;
  UnpackOp unpack;           ///< set for packed weights
  unsigned batch = 0;        ///< leading axes of the result
  SmallVector<int64_t> rows; ///< axes of left that are neither batch nor contracted
  int64_t leftK = 0, rightK = 0, rightColumn = 0;

  DimAttr batchCount() { return product(0, batch); }
  DimAttr rowCount() { return product(batch, rows.size()); }
  DimAttr columnCount() { return getDims(op.getY()).back(); }

private:
  DimAttr product(size_t from, size_t count) {
    SmallVector<DimAttr> dims = getDims(op.getY());
    return dim::product(op.getContext(), ArrayRef(dims).slice(from, count));
  }
};

FailureOr<DotShape> analyse(KernelOp kernel) {
  DotShape shape;
  unsigned count = 0;
  kernel.getBody().walk([&](DotGeneralOp op) {
    shape.op = op;
    ++count;
  });
  if (count != 1 || shape.op.getLhsContract().size() != 1)
    return failure();
  DotGeneralOp op = shape.op;
  shape.unpack = op.getRhs().getDefiningOp<UnpackOp>();
  shape.batch = op.getLhsBatch().size();
  shape.leftK = op.getLhsContract()[0];
  shape.rightK = op.getRhsContract()[0];
  int64_t leftRank = cast<RankedTensorType>(op.getLhs().getType()).getRank();
  int64_t rightRank = cast<RankedTensorType>(op.getRhs().getType()).getRank();
  for (int64_t axis = 0; axis < leftRank; ++axis)
    if (axis != shape.leftK && !llvm::is_contained(op.getLhsBatch(), axis))
      shape.rows.push_back(axis);
  SmallVector<int64_t> columns;
  for (int64_t axis = 0; axis < rightRank; ++axis)
    if (axis != shape.rightK && !llvm::is_contained(op.getRhsBatch(), axis))
      columns.push_back(axis);
  if (columns.size() != 1)
    return failure();
  shape.rightColumn = columns[0];
  return shape;
}

Type elementOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

class DeviceDot {
public:
  DeviceDot(DeviceBuilder &db, DotShape shape) : db(db), shape(shape), op(shape.op) {}
  LogicalResult emit();

private:
  LogicalResult chooseTypes();
  void findPlace();
  bool copiesLeft();
  Value inside(Value index, Value size) { return db.less(index, size); }
  Value both(Value x, Value y) { return arith::AndIOp::create(db.b, db.loc, x, y); }
  SmallVector<Value> rowIndices(Value row) {
    return rowSizes.empty() ? SmallVector<Value>() : db.delinearize(row, rowSizes);
  }
  Value leftAddress(Value row, Value k);
  Value rightElement(Value k, Value column);
  void forChunks(int64_t rows, int64_t elementsOfRow, int64_t elements,
                 llvm::function_ref<void(Value, Value)> body);
  void storeElement(Value on, Value tile, Value at, llvm::function_ref<Value()> value);
  void loadLeftTile(Value tile, Value k);
  void loadRightTile(Value tile, Value k);
  LogicalResult finish(ValueRange sums, WarpTile &warp, Value shared);

  DeviceBuilder &db;
  DotShape shape;
  DotGeneralOp op;
  MatrixType type = MatrixType::TF32;
  Type stored; ///< element type in shared memory
  std::optional<View> left;
  View panels;
  bool leftCopies = false, rightCopies = false, missing = false;
  SmallVector<Value> rowSizes, batchSizes, batchIndices;
  Value batch, rowFrom, columnFrom, rowCount, columnCount, depth, panelCount;
};

LogicalResult DeviceDot::chooseTypes() {
  if (!db.computeType(elementOf(op.getY())).isF32())
    return db.refuse("tensor cores sum f32, and the result is of another type");
  left = db.viewOf(op.getLhs());
  Type leftType = left ? left->elementType : elementOf(op.getLhs());
  Type rightType = elementOf(op.getRhs());
  if (shape.unpack) {
    auto argument = dyn_cast<BlockArgument>(shape.unpack.getX());
    if (!argument || shape.rightK + 1 != shape.rightColumn)
      return db.refuse("the packed weights are not an input");
    auto packed = cast<RankedTensorType>(argument.getType());
    if (packed.getRank() != cast<RankedTensorType>(op.getRhs().getType()).getRank() + 1 ||
        packed.getShape().back() != panelWidth)
      return db.refuse("the weights are packed for a CPU that multiplies pairs");
    rightType = packed.getElementType();
    panels = {db.inputPointer(argument.getArgNumber()), rightType, db.constant(0), {}};
  }
  auto isFloat = [](Type type) { return type.isF32() || type.isF16() || type.isBF16(); };
  if (!isFloat(leftType) || !isFloat(rightType))
    return db.refuse("tensor cores multiply f32, f16 and bf16 here, and an operand is of another type");
  type = leftType.isBF16() || rightType.isBF16() ? MatrixType::BF16
         : leftType.isF16() && rightType.isF16() ? MatrixType::F16
                                                 : MatrixType::TF32;
  stored = type == MatrixType::F16    ? Type(db.b.getF16Type())
           : type == MatrixType::BF16 ? Type(db.b.getBF16Type())
                                      : Type(db.b.getF32Type());
  rightCopies = shape.unpack && rightType == stored;
  leftCopies = left && leftType == stored && copiesLeft();
  return success();
}

/// Whether every row's chunks of 16 bytes along k lie together, at addresses that are multiples of 16.
bool DeviceDot::copiesLeft() {
  int64_t chunk = 16 / TileLayout::of(type).bytesOfElement;
  auto isMultiple = [&](Value value) {
    auto known = getConstantIntValue(value);
    return known && *known % chunk == 0;
  };
  if (getConstantIntValue(left->strides[shape.leftK]) != 1 || !isMultiple(left->offset) ||
      !isMultiple(db.dim(getDims(op.getLhs())[shape.leftK])))
    return false;
  for (auto [axis, stride] : llvm::enumerate(left->strides))
    if (int64_t(axis) != shape.leftK && !isMultiple(stride))
      return false;
  return true;
}

/// The tile of this block: row blocks run fastest, so neighbours share the columns of the right operand.
void DeviceDot::findPlace() {
  SmallVector<Value> sizes = db.dims(op.getY());
  rowCount = db.constant(1);
  for (size_t i = 0; i < shape.rows.size(); ++i) {
    rowSizes.push_back(sizes[shape.batch + i]);
    rowCount = db.mul(rowCount, rowSizes.back());
  }
  batchSizes.assign(sizes.begin(), sizes.begin() + shape.batch);
  columnCount = sizes.back();
  depth = db.dim(getDims(op.getLhs())[shape.leftK]);
  panelCount = db.div(db.add(columnCount, db.constant(panelWidth - 1)), db.constant(panelWidth));
  Value rowBlocks = db.div(db.add(rowCount, db.constant(tileRows - 1)), db.constant(tileRows));
  Value columnBlocks = db.div(db.add(columnCount, db.constant(tileColumns - 1)), db.constant(tileColumns));
  batch = db.div(db.block, db.mul(rowBlocks, columnBlocks));
  Value inBatch = db.rem(db.block, db.mul(rowBlocks, columnBlocks));
  columnFrom = db.mul(db.div(inBatch, rowBlocks), db.constant(tileColumns));
  rowFrom = db.mul(db.rem(inBatch, rowBlocks), db.constant(tileRows));
  if (!batchSizes.empty())
    batchIndices = db.delinearize(batch, batchSizes);
}

/// Deals a tile's chunks of neighbours out to the threads: calls back with the row and the first element of each.
void DeviceDot::forChunks(int64_t rows, int64_t elementsOfRow, int64_t elements,
                          llvm::function_ref<void(Value, Value)> body) {
  int64_t chunksOfRow = elementsOfRow / elements;
  db.loop(db.constant(0), db.constant(rows * chunksOfRow / threadsOfTile), 1, [&](Value round) {
    Value chunk = db.add(db.thread, db.mul(round, db.constant(threadsOfTile)));
    body(db.div(chunk, db.constant(chunksOfRow)),
         db.mul(db.rem(chunk, db.constant(chunksOfRow)), db.constant(elements)));
  });
}

/// Stores an element of a tile, zero where it is behind the end.
void DeviceDot::storeElement(Value on, Value tile, Value at, llvm::function_ref<Value()> value) {
  Value zero = db.splatConstant(db.b.getF32Type(), 0, 1);
  Value element = db.ifThenElse(
      on, db.b.getF32Type(),
      [&] {
        Value emitted = value();
        missing |= !emitted;
        return emitted ? emitted : zero;
      },
      [&] { return zero; });
  db.storeTo(element, tile, stored, at, 1);
}

void DeviceDot::loadLeftTile(Value tile, Value k) {
  TileLayout layout = TileLayout::of(type);
  int64_t chunk = leftCopies ? 16 / layout.bytesOfElement : 1;
  forChunks(tileRows, tileDepth, chunk, [&](Value inTile, Value step) {
    Value row = db.add(rowFrom, inTile), at = db.add(k, step);
    Value on = both(inside(row, rowCount), inside(at, depth));
    Value place = db.add(db.mul(inTile, db.constant(layout.leftStride)), step);
    auto indices = [&](Value ofRow, Value ofStep) {
      SmallVector<Value> result(cast<RankedTensorType>(op.getLhs().getType()).getRank());
      for (auto [axis, index] : llvm::zip_equal(op.getLhsBatch(), batchIndices))
        result[axis] = index;
      for (auto [axis, index] : llvm::zip_equal(shape.rows, rowIndices(ofRow)))
        result[axis] = index;
      result[shape.leftK] = ofStep;
      return result;
    };
    if (!leftCopies)
      return storeElement(on, tile, place, [&] { return db.emit(op.getLhs(), indices(row, at), 1); });
    // The address of what is not read stays inside the operand.
    Value zero = db.constant(0);
    Value offset = db.linear(*left, indices(arith::SelectOp::create(db.b, db.loc, on, row, zero),
                                            arith::SelectOp::create(db.b, db.loc, on, at, zero)));
    db.copyAsync(db.offsetBytes(tile, db.mul(place, db.constant(layout.bytesOfElement))),
                 db.address(left->pointer, stored, offset), on);
  });
}

Value DeviceDot::rightElement(Value k, Value column) {
  if (!shape.unpack) {
    SmallVector<Value> at(cast<RankedTensorType>(op.getRhs().getType()).getRank());
    for (auto [axis, index] : llvm::zip_equal(op.getRhsBatch(), batchIndices))
      at[axis] = index;
    at[shape.rightK] = k;
    at[shape.rightColumn] = column;
    return db.emit(op.getRhs(), at, 1);
  }
  Value panel = db.add(batchIndices.empty() ? db.constant(0) : db.mul(batch, panelCount),
                       db.div(column, db.constant(panelWidth)));
  Value offset = db.add(db.mul(db.add(db.mul(panel, depth), k), db.constant(panelWidth)),
                        db.rem(column, db.constant(panelWidth)));
  if (rightCopies)
    return db.address(panels.pointer, stored, offset);
  return db.loadFrom(panels.pointer, panels.elementType, offset, 1);
}

void DeviceDot::loadRightTile(Value tile, Value k) {
  TileLayout layout = TileLayout::of(type);
  int64_t chunk = rightCopies ? 16 / layout.bytesOfElement : 1;
  // The last panel is whole in memory.
  Value columns = rightCopies ? db.mul(panelCount, db.constant(panelWidth)) : columnCount;
  forChunks(tileDepth, tileColumns, chunk, [&](Value step, Value inTile) {
    Value at = db.add(k, step), column = db.add(columnFrom, inTile);
    Value on = both(inside(at, depth), inside(column, columns));
    Value place = db.add(db.mul(step, db.constant(layout.rightStride)), inTile);
    if (!rightCopies)
      return storeElement(on, tile, place, [&] { return rightElement(at, column); });
    Value zero = db.constant(0);
    Value address = rightElement(arith::SelectOp::create(db.b, db.loc, on, at, zero),
                                 arith::SelectOp::create(db.b, db.loc, on, column, zero));
    db.copyAsync(db.offsetBytes(tile, db.mul(place, db.constant(layout.bytesOfElement))), address, on);
  });
}

LogicalResult DeviceDot::finish(ValueRange sums, WarpTile &warp, Value shared) {
  constexpr int64_t stride = tileColumns + 4;
  Type f32 = db.b.getF32Type();
  warp.forEachSum(sums, [&](Value sum, Value row, Value column) {
    db.storeTo(sum, shared, f32, db.add(db.mul(row, db.constant(stride)), column), 1);
  });
  db.barrier();
  LogicalResult result = success();
  forChunks(tileRows, tileColumns, 1, [&](Value inRow, Value inColumn) {
    Value row = db.add(rowFrom, inRow), column = db.add(columnFrom, inColumn);
    db.ifThen(both(inside(row, rowCount), inside(column, columnCount)), [&] {
      Value sum = db.loadFrom(shared, f32, db.add(db.mul(inRow, db.constant(stride)), inColumn), 1);
      SmallVector<Value> at(batchIndices);
      at.append(rowIndices(row));
      at.push_back(column);
      db.setOverride(op.getY(), sum);
      result = db.storeYielded(at, 1);
      db.clearOverrides();
    });
  });
  return result;
}

LogicalResult DeviceDot::emit() {
  if (failed(chooseTypes()))
    return failure();
  findPlace();
  TileLayout layout = TileLayout::of(type);
  Value shared = db.sharedMemory(2 * layout.bytes());
  auto buffer = [&](Value step) {
    return db.offsetBytes(shared, db.mul(db.rem(step, db.constant(2)), db.constant(layout.bytes())));
  };
  auto right = [&](Value tile) { return db.offsetBytes(tile, db.constant(layout.leftBytes())); };
  auto load = [&](Value step) {
    Value tile = buffer(step), k = db.mul(step, db.constant(tileDepth));
    loadLeftTile(tile, k);
    loadRightTile(right(tile), k);
  };
  bool copies = leftCopies || rightCopies;
  auto commit = [&] {
    if (copies)
      db.commitCopies();
  };
  WarpTile warp(db, type);
  Value steps = db.div(db.add(depth, db.constant(tileDepth - 1)), db.constant(tileDepth));
  load(db.constant(0));
  commit();
  SmallVector<Value> zeros(WarpTile::sumsOfThread, db.splatConstant(db.b.getF32Type(), 0, 1));
  SmallVector<Value> sums =
      db.loop(db.constant(0), steps, 1, zeros, [&](Value step, ValueRange carried) -> SmallVector<Value> {
        Value next = db.add(step, db.constant(1));
        db.ifThen(db.less(next, steps), [&] { load(next); });
        // A group each time, an empty one at last: all but the newest are waited for.
        commit();
        if (copies)
          db.waitCopies(1);
        db.barrier();
        SmallVector<Value> result = warp.add(buffer(step), right(buffer(step)), carried);
        // The buffer is free to be written again, by the next step or by the sums.
        db.barrier();
        return result;
      });
  LogicalResult result = finish(sums, warp, shared);
  if (missing)
    return db.refuse("an operand of the contraction has no code");
  static const char *const names[] = {"f16", "bf16", "tf32"};
  db.note = llvm::formatv("tensor cores, {0}{1}{2}", names[unsigned(type)],
                          type == MatrixType::TF32 && !db.device.fastF32 ? ", three products" : "",
                          leftCopies && rightCopies ? ", copied asynchronously"
                          : leftCopies              ? ", left copied asynchronously"
                          : rightCopies             ? ", right copied asynchronously"
                                                    : "");
  return result;
}

} // namespace

DeviceLaunch getDeviceDotLaunch(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  FailureOr<DotShape> shape = analyse(kernel);
  if (failed(shape))
    return {dim::constant(context, 1), threadsOfTile};
  DimAttr rows = dim::ceilDiv(shape->rowCount(), dim::constant(context, tileRows));
  DimAttr columns = dim::ceilDiv(shape->columnCount(), dim::constant(context, tileColumns));
  return {dim::mul(shape->batchCount(), dim::mul(rows, columns)), threadsOfTile};
}

LogicalResult emitDeviceDot(DeviceBuilder &db) {
  FailureOr<DotShape> shape = analyse(db.kernel);
  if (failed(shape))
    return db.refuse("the contraction has not one contracting and one column dim");
  return DeviceDot(db, *shape).emit();
}

} // namespace torsh
