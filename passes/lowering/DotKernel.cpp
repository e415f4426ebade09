//===-- DotKernel.cpp - Matrix products with fused epilogues ------------------------------------------------===//
//
// y[batch, m, n] = sum over k of left[batch, m, k] * right[batch, k, n], then the epilogue on registers. The left
// operand needs k contiguous; its rows may lie anywhere. The right operand is packed weight panels, or a view with n
// contiguous, or a view with k contiguous that is packed panel by panel on the stack. Panels of pairs of bf16 are
// multiplied in pairs: a step of the sum then is two of k.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/lowering/BlockedSum.h"
#include "passes/lowering/PackTransposed.h"
#include "passes/lowering/TileSpaces.h"

using namespace mlir;

namespace torsh {
namespace {

/// A right operand that is packed in the kernel is packed once a tile, so its tiles have more rows.
constexpr int64_t rowsWhenPacking = 240;
constexpr int64_t rowsOfTile = 96;
constexpr int64_t stackPackLimit = 4096; ///< longest k that is packed on the stack

struct DotShape {
  DotGeneralOp op;
  UnpackOp unpack;                  ///< set for packed weights
  SmallVector<int64_t> batch, rows; ///< result axes
  int64_t column;                   ///< result axis
  SmallVector<int64_t> leftRows;    ///< axes of left
  int64_t leftK, rightK, rightColumn;
};

FailureOr<DotShape> analyse(KernelOp kernel) {
  DotShape shape;
  shape.op = findOp<DotGeneralOp>(kernel);
  if (!shape.op || shape.op.getLhsContract().size() != 1)
    return failure();
  DotGeneralOp op = shape.op;
  shape.unpack = op.getRhs().getDefiningOp<UnpackOp>();
  shape.leftK = op.getLhsContract()[0];
  shape.rightK = op.getRhsContract()[0];
  int64_t leftRank = cast<RankedTensorType>(op.getLhs().getType()).getRank();
  int64_t rightRank = cast<RankedTensorType>(op.getRhs().getType()).getRank();
  for (size_t i = 0; i < op.getLhsBatch().size(); ++i)
    shape.batch.push_back(i);
  for (int64_t axis = 0; axis < leftRank; ++axis)
    if (axis != shape.leftK && !llvm::is_contained(op.getLhsBatch(), axis))
      shape.leftRows.push_back(axis);
  for (size_t i = 0; i < shape.leftRows.size(); ++i)
    shape.rows.push_back(shape.batch.size() + i);
  SmallVector<int64_t> columns;
  for (int64_t axis = 0; axis < rightRank; ++axis)
    if (axis != shape.rightK && !llvm::is_contained(op.getRhsBatch(), axis))
      columns.push_back(axis);
  if (columns.size() != 1)
    return failure();
  shape.rightColumn = columns[0];
  shape.column = shape.batch.size() + shape.rows.size();
  return shape;
}

DimAttr productOf(DotShape &shape, ArrayRef<int64_t> axes) {
  DimAttr result = dim::constant(shape.op.getContext(), 1);
  SmallVector<DimAttr> dims = getDims(shape.op.getY());
  for (int64_t axis : axes)
    result = dim::mul(result, dims[axis]);
  return result;
}

/// Whether the right operand is read with k contiguous and so is packed in the kernel. Decided on the body alone, so
/// that the tile space knows it too.
bool packsRight(DotShape &shape) {
  if (shape.unpack)
    return false;
  Value value = shape.op.getRhs();
  int64_t axis = shape.rightColumn;
  while (auto transpose = value.getDefiningOp<TransposeOp>()) {
    axis = transpose.getPermutation()[axis];
    value = transpose.getX();
  }
  return axis + 1 != cast<RankedTensorType>(value.getType()).getRank();
}

int64_t rowBlock(DotShape &shape) {
  return chooseRowBlock(shape.op, Knob::RowBlock, dim::asConstant(productOf(shape, shape.rows)),
                        packsRight(shape) ? rowsWhenPacking : rowsOfTile);
}

/// The addition behind the product of a value that depends on the column only, with which the sums can begin.
AddOp findBias(DotShape &shape) {
  Value y = shape.op.getY();
  auto sum = y.hasOneUse() ? dyn_cast<AddOp>(*y.user_begin()) : AddOp();
  if (!sum)
    return {};
  auto broadcast = (sum.getLhs() == y ? sum.getRhs() : sum.getLhs()).getDefiningOp<BroadcastOp>();
  return broadcast && broadcast.getAxes() == ArrayRef(shape.column) ? sum : AddOp();
}

} // namespace

TileSpace getDotTiles(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  FailureOr<DotShape> shape = analyse(kernel);
  if (failed(shape))
    return {dim::constant(context, 1), 1};
  const int64_t columnsOfTile = chooseColumns(shape->op);
  DimAttr rows = dim::ceilDiv(productOf(*shape, shape->rows), dim::constant(context, rowBlock(*shape)));
  DimAttr columns =
      dim::ceilDiv(getDims(shape->op.getY())[shape->column], dim::constant(context, columnsOfTile));
  auto sizeOf = [](DimAttr dim, int64_t most, int64_t unknown) {
    return double(std::min(most, dim::asConstant(dim).value_or(unknown)));
  };
  double products = sizeOf(productOf(*shape, shape->rows), rowBlock(*shape), 1) *
                    sizeOf(getDims(shape->op.getY())[shape->column], columnsOfTile, columnsOfTile) *
                    sizeOf(getDims(shape->op.getLhs())[shape->leftK], INT64_MAX, 256);
  return {dim::mul(productOf(*shape, shape->batch), dim::mul(rows, columns)), grainOf(products)};
}

LogicalResult emitDotKernel(KernelBuilder &kb) {
  FailureOr<DotShape> analysed = analyse(kb.kernel);
  if (failed(analysed))
    return kb.refuse("the contraction has not one contracting and one column dim");
  DotShape &shape = *analysed;
  DotGeneralOp op = shape.op;
  auto elementOf = [](Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); };
  Type accumulator = kb.computeType(elementOf(op.getY()));
  SmallVector<Value> sizes = kb.dims(op.getY());
  Value k = kb.dim(getDims(op.getLhs())[shape.leftK]);
  std::optional<View> left = kb.viewOf(op.getLhs());
  if (!left || getConstantIntValue(left->strides[shape.leftK]) != 1)
    return kb.refuse("the left operand's contracting dim is not contiguous");
  // Element types as they lie in memory: a narrow operand may be widened by its load.
  Type leftType = left->elementType, rightType;

  // The right operand: a base pointer per batch, a stride per k, columns contiguous.
  std::optional<View> right;
  Value panelPointer;
  bool packs = packsRight(shape);
  if (shape.unpack) {
    auto argument = dyn_cast<BlockArgument>(shape.unpack.getX());
    if (!argument || shape.rightK + 1 != shape.rightColumn)
      return kb.refuse("the packed weights are not an input");
    panelPointer = kb.inputPointer(argument.getArgNumber());
    rightType = elementOf(shape.unpack.getX());
  } else {
    right = kb.viewOf(op.getRhs());
    rightType = right ? right->elementType : Type();
    int64_t contiguous = packs ? shape.rightK : shape.rightColumn;
    if (!right || getConstantIntValue(right->strides[contiguous]) != 1)
      return kb.refuse("the right operand is contiguous along neither dim");
    if (packs && getConstantIntValue(k).value_or(stackPackLimit + 1) > stackPackLimit)
      return kb.refuse("the right operand must be transposed, its contracting dim is too long to pack");
  }

  const bool pairs = shape.unpack && holdsPairs(shape.unpack);
  if (pairs && kb.target.pairs == PairDot::None)
    return kb.refuse("the weights are pairs of bf16, of which this CPU level has no products");
  if (pairs) {
    k = kb.div(k, kb.constant(2));
    rightType = kb.b.getI32Type();
  }

  int64_t lanes = std::min<int64_t>(kb.target.lanes, panelWidth);
  int64_t vectorsOfPanel = panelWidth / lanes;
  std::optional<int64_t> knownRows = dim::asConstant(productOf(shape, shape.rows));
  std::optional<int64_t> knownColumns = dim::asConstant(getDims(op.getY())[shape.column]);
  RegisterTile tile = chooseTile(kb, accumulator, knownRows, pairs ? knownColumns : std::nullopt);
  if (packs)
    tile.panels = 1;
  kb.note = llvm::formatv("tile {0}x{1}, {2} lanes{3}", tile.rows, tile.panels * panelWidth, lanes,
                          pairs          ? ", packed weights, bf16 pairs"
                          : shape.unpack ? ", packed weights"
                          : packs        ? ", packs"
                                         : "");
  Value packed =
      packs ? kb.stackBuffer(kb.computeType(rightType), *getConstantIntValue(k) * panelWidth) : Value();
  MicroKernel micro{kb, accumulator, pairs ? rightType : leftType, rightType, lanes, pairs};
  BlockedSum blocked{kb,
                     micro,
                     1,
                     getConstantIntValue(k).value_or(0),
                     std::min(rowBlock(shape), knownRows.value_or(INT64_MAX)),
                     tile,
                     rightType};
  bool cut = shape.unpack && blocked.pays();
  if (cut)
    blocked.prepare();
  // What is added in a narrower type is rounded before.
  AddOp bias = elementOf(op.getY()) == accumulator ? findBias(shape) : AddOp();
  LogicalResult result = success();

  Value rowCount = kb.constant(1), batchCount = kb.constant(1);
  SmallVector<Value> rowSizes, batchSizes;
  for (int64_t axis : shape.rows) {
    rowSizes.push_back(sizes[axis]);
    rowCount = kb.mul(rowCount, sizes[axis]);
  }
  for (int64_t axis : shape.batch) {
    batchSizes.push_back(sizes[axis]);
    batchCount = kb.mul(batchCount, sizes[axis]);
  }
  Value columnCount = sizes[shape.column];
  const int64_t block = rowBlock(shape), columnsOfTile = chooseColumns(op);
  Value rowBlocks = kb.div(kb.add(rowCount, kb.constant(block - 1)), kb.constant(block));
  Value columnBlocks =
      kb.div(kb.add(columnCount, kb.constant(columnsOfTile - 1)), kb.constant(columnsOfTile));

  kb.loop(kb.begin, kb.end, 1, [&](Value index) {
    // Row blocks run fastest, so neighbouring tiles share the columns of the right operand.
    Value batch = kb.div(index, kb.mul(rowBlocks, columnBlocks));
    Value inBatch = kb.rem(index, kb.mul(rowBlocks, columnBlocks));
    Value columnFrom = kb.mul(kb.div(inBatch, rowBlocks), kb.constant(columnsOfTile));
    Value columnTo = kb.min(kb.add(columnFrom, kb.constant(columnsOfTile)), columnCount);
    Value rowFrom = kb.mul(kb.rem(inBatch, rowBlocks), kb.constant(block));
    Value rowTo = kb.min(kb.add(rowFrom, kb.constant(block)), rowCount);
    SmallVector<Value> batchIndices = kb.delinearize(batch, batchSizes);
    if (batchSizes.empty())
      batchIndices.clear();

    Value leftBase = left->offset;
    for (auto [axis, at] : llvm::zip_equal(op.getLhsBatch(), batchIndices))
      leftBase = kb.add(leftBase, kb.mul(at, left->strides[axis]));
    Value rightBase;
    if (right) {
      rightBase = right->offset;
      for (auto [axis, at] : llvm::zip_equal(op.getRhsBatch(), batchIndices))
        rightBase = kb.add(rightBase, kb.mul(at, right->strides[axis]));
    } else {
      rightBase = kb.mul(
          kb.mul(batch, kb.div(kb.add(columnCount, kb.constant(panelWidth - 1)), kb.constant(panelWidth))),
          kb.mul(k, kb.constant(panelWidth)));
      if (shape.batch.empty())
        rightBase = kb.constant(0);
    }

    // One group of panels [column, column + panels * 16) for all rows of the tile. `valid` limits the columns.
    auto columnsGroup = [&](Value column, int64_t panels, Value valid) {
      int64_t vectors = panels * vectorsOfPanel;
      SmallVector<Value> masks(vectors);
      if (valid) {
        for (int64_t v = 0; v < vectors; ++v)
          masks[v] = kb.firstLanes(kb.sub(valid, kb.constant(v * lanes)), lanes);
      }
      if (packs) {
        // [n][k] -> [k][16]; columns past the end repeat the last one and are masked at the store.
        PackSource source{right->pointer, rightType,
                          kb.add(rightBase, kb.mul(column, right->strides[shape.rightColumn])),
                          right->strides[shape.rightColumn], k};
        packTransposed(kb, source, kb.sub(columnCount, column), packed, panelWidth);
      }
      SmallVector<Value> bases;
      if (shape.unpack) {
        Value panelSize = kb.mul(k, kb.constant(panelWidth));
        Value first = kb.div(column, kb.constant(panelWidth));
        for (int64_t p = 0; p < panels; ++p)
          bases.push_back(kb.address(panelPointer, rightType,
                                     kb.add(rightBase, kb.mul(kb.add(first, kb.constant(p)), panelSize))));
      } else if (!packs) {
        bases.push_back(kb.address(right->pointer, rightType, kb.add(rightBase, column)));
      }
      auto loadRight = [&](Value at, int64_t v) -> Value {
        if (packs)
          return micro.widen(kb.loadFrom(packed, kb.computeType(rightType),
                                         kb.add(kb.mul(at, kb.constant(panelWidth)), kb.constant(v * lanes)),
                                         lanes),
                             rightType);
        if (shape.unpack) {
          Value offset = kb.add(kb.mul(at, kb.constant(panelWidth)), kb.constant(v % vectorsOfPanel * lanes));
          return micro.widen(kb.loadFrom(bases[v / vectorsOfPanel], rightType, offset, lanes), rightType);
        }
        Value offset = kb.add(kb.mul(at, right->strides[shape.rightK]), kb.constant(v * lanes));
        return micro.widen(kb.loadFrom(bases[0], rightType, offset, lanes, masks[v]), rightType);
      };
      View leftRows{left->pointer, leftType, leftBase, {}};
      for (int64_t axis : shape.leftRows)
        leftRows.strides.push_back(left->strides[axis]);
      auto indicesOf = [&](Value row) {
        return rowSizes.empty() ? SmallVector<Value>() : kb.delinearize(row, rowSizes);
      };
      auto leftOf = [&](Value row, int64_t rows) {
        SmallVector<Value> pointers;
        for (int64_t i = 0; i < rows; ++i)
          pointers.push_back(kb.address(left->pointer, leftType,
                                        kb.linear(leftRows, indicesOf(kb.add(row, kb.constant(i))))));
        return pointers;
      };
      auto placeOf = [&](Value row, int64_t v) {
        SmallVector<Value> at(batchIndices);
        at.append(indicesOf(row));
        at.push_back(kb.add(column, kb.constant(v * lanes)));
        return at;
      };
      auto finish = [&](Value root, Value row, int64_t rows, ArrayRef<Value> sums) {
        for (int64_t i = 0; i < rows * vectors; ++i) {
          kb.setOverride(root, sums[i]);
          if (failed(kb.storeYielded(placeOf(kb.add(row, kb.constant(i / vectors)), i % vectors), lanes,
                                     masks[i % vectors])))
            result = failure();
          kb.clearOverrides();
        }
      };
      if (cut) {
        auto finishSums = [&](Value row, int64_t rows, ArrayRef<Value> sums) {
          finish(op.getY(), row, rows, sums);
        };
        blocked.emit(
            {rowFrom, rowTo, bases, vectors}, leftOf, [&](Value) { return kb.constant(0); }, finishSums);
        return;
      }
      forRowBlocks(kb, rowFrom, rowTo, tile.rows, [&](Value row, int64_t rows) {
        // The sums begin with the bias, which saves an addition each.
        SmallVector<Value> initial = micro.zeros(rows * vectors);
        for (int64_t i = 0; bias && i < rows * vectors; ++i) {
          Value added = bias.getLhs() == op.getY() ? bias.getRhs() : bias.getLhs();
          initial[i] = i < vectors ? kb.emit(added, placeOf(row, i), lanes, masks[i]) : initial[i - vectors];
          if (!initial[i]) {
            result = kb.refuse("the bias has no code");
            return;
          }
        }
        finish(bias ? bias.getY() : op.getY(), row, rows,
               micro.run(leftOf(row, rows), vectors, k, initial, loadRight));
      });
    };

    // Whole groups, then single whole panels, then the last panel with a mask.
    Value column = columnFrom;
    auto groups = [&](int64_t panels) {
      int64_t width = panels * panelWidth;
      Value stop =
          kb.add(column, kb.mul(kb.div(kb.sub(columnTo, column), kb.constant(width)), kb.constant(width)));
      kb.loop(column, stop, width, [&](Value at) { columnsGroup(at, panels, Value()); });
      column = stop;
    };
    if (tile.panels > 1)
      groups(tile.panels);
    if (tile.panels == 1 || !knownColumns || *knownColumns % (tile.panels * panelWidth) != 0)
      groups(1);
    if (!knownColumns || *knownColumns % panelWidth != 0)
      kb.ifThen(kb.less(column, columnTo), [&] { columnsGroup(column, 1, kb.sub(columnTo, column)); });
  });
  return result;
}

} // namespace torsh
