//===-- TreeKernel.cpp - Rows walk through decision trees ---------------------------------------------------===//
//
// A step from a node to its child is four loads that wait for one another and no branch: the comparison is added to the
// distance of the left child. So eight walks run side by side, eight rows in one tree, which then stays in the
// first-level cache for all rows of the tile, or eight trees for the rows that are left over. All take the same number
// of steps, since a leaf leads to itself. Gathers of eight lanes were tried instead and took 2.6 times as long on
// Zen 3, whose gathers are series of loads.
//
// The leaves of a row are combined in the order of the trees in either case, so a row's result does not depend on the
// number of rows.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "passes/lowering/TreeKernel.h"
#include "dialects/torsh/TreeEnsemble.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/lowering/ReduceKernel.h"

using namespace mlir;

namespace torsh {
namespace {

/// Walks side by side.
constexpr int64_t walks = 8;
/// Targets whose sums are unrolled.
constexpr int64_t unrolledTargets = 16;

/// Rows of a tile: as many as leave room for a tree in the first-level cache.
int64_t rowsOfTile(TreeEnsembleOp op) {
  constexpr int64_t most = 128, least = 16, cachedBytes = 16384;
  RankedTensorType keys = op.getKeys().getType();
  int64_t bytes = keys.getShape()[1] * (keys.getElementTypeBitWidth() / 8);
  return std::clamp(cachedBytes / bytes / walks * walks, least, most);
}

class TreeWalker {
public:
  TreeWalker(KernelBuilder &kb, TreeEnsembleOp op, const View &keys, const View &nodes)
      : kb(kb), op(op), keys(keys),
        nodes(kb.address(nodes.pointer, kb.computeType(nodes.elementType), nodes.offset)),
        element(op.getY().getType().getElementType()),
        word(kb.computeType(op.getNodes().getType().getElementType())),
        half(IntegerType::get(kb.b.getContext(), word.getIntOrFloatBitWidth() / 2)),
        targets(op.getY().getType().getShape()[2]),
        out(kb.rowMajor(kb.outputPointer(0), op.getY().getType())) {}

  LogicalResult emitTile(Value tile);

private:
  /// The rows behind one address: where their keys begin.
  Value rowPointer(Value row) {
    return kb.address(keys.pointer, word, kb.add(keys.offset, kb.mul(row, keys.strides[0])));
  }
  Value widen(Value integer) { return kb.b.createOrFold<arith::ExtUIOp>(kb.loc, kb.b.getI64Type(), integer); }
  Value loadHalf(Value node, int64_t index) {
    Value at = kb.add(kb.mul(node, kb.constant(4)), kb.constant(index));
    return widen(kb.loadFrom(nodes, half, at, 1));
  }
  Value loadWord(Value node) { return kb.loadFrom(nodes, word, kb.mul(node, kb.constant(2)), 1); }
  Value tableEntry(Value tree, int64_t column) {
    Value entry = kb.emit(op.getTrees(), {tree, kb.constant(column)}, 1);
    return arith::ExtSIOp::create(kb.b, kb.loc, kb.b.getI64Type(), entry);
  }

  /// The next node of a walk whose row has its keys `keyOffset` behind `row`.
  Value step(Value node, Value row, Value keyOffset) {
    Value key = kb.loadFrom(row, word, kb.add(loadHalf(node, 2), keyOffset), 1);
    Value right = arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::ult, loadWord(node), key);
    return kb.add(kb.add(node, loadHalf(node, 3)), widen(right));
  }
  SmallVector<Value> stepAll(ValueRange at, Value row, ArrayRef<Value> keyOffsets);
  SmallVector<Value> findLeaves(ArrayRef<Value> roots, Value steps, Value rest, Value row,
                                ArrayRef<Value> keyOffsets);

  /// Combines what a leaf holds with the sums of a row.
  void addToRow(Value leaf, Value row, Value tree);
  void addTargets(Value leafRow, Value row, Value target, unsigned lanes);
  Value held(Value leaf) { return arith::BitcastOp::create(kb.b, kb.loc, element, loadWord(leaf)); }
  Value outputOffset(Value row) { return kb.add(chunkOffset, kb.mul(row, kb.constant(targets))); }

  void walkRows(Value from, Value to, Value firstTree, Value lastTree);
  void walkTrees(Value row, Value firstTree, Value lastTree);

  KernelBuilder &kb;
  TreeEnsembleOp op;
  View keys;
  Value nodes;
  Type element, word, half;
  int64_t targets;
  View out;
  Value chunkOffset; ///< where the results of the tile's chunk begin
};

SmallVector<Value> TreeWalker::stepAll(ValueRange at, Value row, ArrayRef<Value> keyOffsets) {
  SmallVector<Value> next;
  for (auto [node, offset] : llvm::zip_equal(at, keyOffsets))
    next.push_back(step(node, row, offset));
  return next;
}

SmallVector<Value> TreeWalker::findLeaves(ArrayRef<Value> roots, Value steps, Value rest, Value row,
                                          ArrayRef<Value> keyOffsets) {
  SmallVector<Value> at = kb.loop(kb.constant(0), steps, 1, roots,
                                  [&](Value, ValueRange nodes) { return stepAll(nodes, row, keyOffsets); });
  // Few walks need more steps. They go on by two until none has moved.
  Value go = kb.less(kb.constant(0), rest);
  at.push_back(rest);
  at.push_back(go);
  auto loop = scf::WhileOp::create(
      kb.b, kb.loc, TypeRange(at), at,
      [&](OpBuilder &, Location, ValueRange carried) {
        scf::ConditionOp::create(kb.b, kb.loc, carried.back(), carried);
      },
      [&](OpBuilder &, Location, ValueRange carried) {
        SmallVector<Value> middle = stepAll(carried.drop_back(2), row, keyOffsets);
        SmallVector<Value> last = stepAll(middle, row, keyOffsets);
        Value moved = kb.constant(0);
        for (auto [before, after] : llvm::zip_equal(middle, last))
          moved = kb.b.createOrFold<arith::OrIOp>(kb.loc, moved,
                                                  kb.b.createOrFold<arith::XOrIOp>(kb.loc, before, after));
        Value left = kb.sub(carried[carried.size() - 2], kb.constant(2));
        Value isMoving = arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::ne, moved, kb.constant(0));
        last.push_back(left);
        last.push_back(arith::AndIOp::create(kb.b, kb.loc, isMoving, kb.less(kb.constant(0), left)));
        scf::YieldOp::create(kb.b, kb.loc, last);
      });
  return SmallVector<Value>(loop.getResults().drop_back(2));
}

void TreeWalker::addTargets(Value leafRow, Value row, Value target, unsigned lanes) {
  Value at = kb.add(outputOffset(row), target);
  Value sum = kb.loadFrom(out.pointer, element, at, lanes);
  Value leaf = kb.emit(op.getLeaves(), {leafRow, target}, lanes);
  kb.storeTo(combine(kb, op.getKind(), element, sum, leaf), out.pointer, element, at, lanes);
}

void TreeWalker::addToRow(Value leaf, Value row, Value tree) {
  if (!op.getLeaves()) {
    Value at = outputOffset(row);
    if (targets > 1)
      at = kb.add(at, tableEntry(tree, 3));
    Value sum = kb.loadFrom(out.pointer, element, at, 1);
    kb.storeTo(combine(kb, op.getKind(), element, sum, held(leaf)), out.pointer, element, at, 1);
    return;
  }
  Value leafRow = loadWord(leaf);
  if (!leafRow.getType().isInteger(64))
    leafRow = widen(leafRow);
  if (targets > unrolledTargets) {
    kb.vectorLoop(kb.constant(0), kb.constant(targets),
                  [&](Value target, unsigned lanes) { addTargets(leafRow, row, target, lanes); });
    return;
  }
  for (int64_t target = 0; target < targets;) {
    unsigned lanes = kb.target.lanes;
    while (int64_t(lanes) > targets - target)
      lanes /= 2;
    addTargets(leafRow, row, kb.constant(target), lanes);
    target += lanes;
  }
}

/// Rows [from, to), a multiple of the walks, in one tree after the other.
void TreeWalker::walkRows(Value from, Value to, Value firstTree, Value lastTree) {
  SmallVector<Value> keyOffsets;
  for (int64_t i = 0; i < walks; ++i)
    keyOffsets.push_back(kb.mul(keys.strides[0], kb.constant(i)));
  kb.loop(firstTree, lastTree, 1, [&](Value tree) {
    Value root = tableEntry(tree, 0), steps = tableEntry(tree, 1), rest = tableEntry(tree, 2);
    kb.loop(from, to, walks, [&](Value row) {
      SmallVector<Value> roots(walks, root);
      SmallVector<Value> leaves = findLeaves(roots, steps, rest, rowPointer(row), keyOffsets);
      if (targets > 1 || op.getLeaves()) {
        for (auto [i, leaf] : llvm::enumerate(leaves))
          addToRow(leaf, kb.add(row, kb.constant(i)), tree);
        return;
      }
      // The results of neighbouring rows are neighbours.
      SmallVector<Value> values;
      for (Value leaf : leaves)
        values.push_back(held(leaf));
      auto type = VectorType::get({walks}, element);
      Value added = vector::FromElementsOp::create(kb.b, kb.loc, type, values);
      Value at = outputOffset(row), sums = kb.loadFrom(out.pointer, element, at, walks);
      kb.storeTo(combine(kb, op.getKind(), element, sums, added), out.pointer, element, at, walks);
    });
  });
}

/// One row in several trees at once.
void TreeWalker::walkTrees(Value row, Value firstTree, Value lastTree) {
  Value pointer = rowPointer(row), zero = kb.constant(0);
  auto walk = [&](Value tree, int64_t count) {
    SmallVector<Value> roots;
    Value steps, all;
    for (int64_t i = 0; i < count; ++i) {
      Value at = kb.add(tree, kb.constant(i));
      roots.push_back(tableEntry(at, 0));
      Value needed = tableEntry(at, 1), most = kb.add(needed, tableEntry(at, 2));
      steps = i == 0 ? needed : kb.max(steps, needed);
      all = i == 0 ? most : kb.max(all, most);
    }
    SmallVector<Value> offsets(count, zero);
    for (auto [i, leaf] : llvm::enumerate(findLeaves(roots, steps, kb.sub(all, steps), pointer, offsets)))
      addToRow(leaf, row, kb.add(tree, kb.constant(i)));
  };
  Value whole = kb.mul(kb.div(kb.sub(lastTree, firstTree), kb.constant(walks)), kb.constant(walks));
  Value middle = kb.add(firstTree, whole);
  kb.loop(firstTree, middle, walks, [&](Value tree) { walk(tree, walks); });
  kb.loop(middle, lastTree, 1, [&](Value tree) { walk(tree, 1); });
}

LogicalResult TreeWalker::emitTile(Value tile) {
  Value rows = kb.dims(op.getY())[1], chunks = kb.dims(op.getY())[0];
  Value trees = kb.constant(op.getTrees().getType().getShape()[0]), tileRows = kb.constant(rowsOfTile(op));
  Value blocks = kb.div(kb.add(rows, kb.sub(tileRows, kb.constant(1))), tileRows);
  Value chunk = kb.div(tile, blocks), from = kb.mul(kb.rem(tile, blocks), tileRows);
  Value to = kb.min(kb.add(from, tileRows), rows);
  Value share = kb.div(kb.add(trees, kb.sub(chunks, kb.constant(1))), chunks);
  Value firstTree = kb.min(kb.mul(chunk, share), trees), lastTree = kb.min(kb.add(firstTree, share), trees);
  chunkOffset = kb.mul(kb.mul(chunk, rows), kb.constant(targets));
  kb.vectorLoop(outputOffset(from), outputOffset(to), [&](Value at, unsigned lanes) {
    kb.storeTo(neutral(kb, op.getKind(), element, lanes), out.pointer, element, at, lanes);
  });
  Value whole = kb.mul(kb.div(kb.sub(to, from), kb.constant(walks)), kb.constant(walks));
  Value middle = kb.add(from, whole);
  kb.ifThen(kb.less(from, middle), [&] { walkRows(from, middle, firstTree, lastTree); });
  kb.loop(middle, to, 1, [&](Value row) { walkTrees(row, firstTree, lastTree); });
  return success();
}

} // namespace

TileSpace getTreeTiles(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  auto op = findOp<TreeEnsembleOp>(kernel);
  if (!op)
    return {dim::constant(context, 1), 1};
  SmallVector<DimAttr> dims = getDims(op.getY());
  return {dim::mul(dims[0], dim::ceilDiv(dims[1], dim::constant(context, rowsOfTile(op)))), 1};
}

LogicalResult emitTreeKernel(KernelBuilder &kb) {
  auto op = findOp<TreeEnsembleOp>(kb.kernel);
  if (!op || kb.kernel.getYielded().size() != 1 || kb.kernel.getYielded()[0] != op.getY())
    return kb.refuse("the body is not one ensemble of trees");
  std::optional<View> keys = kb.viewOf(op.getKeys()), nodes = kb.viewOf(op.getNodes());
  if (!keys || !nodes || getConstantIntValue(keys->strides[1]) != 1)
    return kb.refuse("the keys or nodes are not in memory, row by row");
  kb.note = llvm::formatv("{0} walks at once, {1} rows a tile", walks, rowsOfTile(op));
  TreeWalker walker(kb, op, *keys, *nodes);
  LogicalResult result = success();
  kb.loop(kb.begin, kb.end, 1, [&](Value tile) { result = walker.emitTile(tile); });
  return result;
}

} // namespace torsh
