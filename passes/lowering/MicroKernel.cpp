//===-- MicroKernel.cpp - Register-tiled sums of products ---------------------------------------------------===//
//
// The accumulators are values carried by the loop over k, so they live in registers: each step loads the vectors of
// the right operand once, broadcasts one element a row and issues rows * vectors fused multiply-adds.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "passes/lowering/MicroKernel.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/lowering/PairProducts.h"

using namespace mlir;

namespace torsh {

int64_t registersOfPanel(const KernelTarget &target, Type accumulator) {
  return std::max<int64_t>(1,
                           panelWidth * accumulator.getIntOrFloatBitWidth() / (int64_t(target.lanes) * 32));
}

int64_t choosePanels(const KernelTarget &target, Type accumulator, int64_t rows, int64_t most) {
  int64_t panels = 1, budget = target.registers - 4;
  while (panels < most && rows * panels * 2 * registersOfPanel(target, accumulator) <= budget)
    panels *= 2;
  return panels;
}

RegisterTile chooseTile(const KernelBuilder &kb, Type accumulator, std::optional<int64_t> rows,
                        std::optional<int64_t> columns) {
  if (int64_t chosen = kb.choices.get(Knob::TileRows))
    return {chosen, kb.choices.get(Knob::TilePanels, 1)};
  const KernelTarget &target = kb.target;
  bool wide = target.registers >= 32;
  // 6 x 16 uses 12 + 2 + 1 of 16 registers with 8 lanes; 6 x 64 uses 24 + 4 + 1 of 32 with 16 lanes.
  RegisterTile tile{6, wide ? 4 : 1};
  if (registersOfPanel(target, accumulator) > (wide ? 1 : 2))
    tile = {4, 1};
  else if (columns && *columns <= int64_t(target.lanes))
    tile = {12, 1}; // One vector of columns: fewer than 8 sums would wait for each other.
  else if (int64_t count = columns ? (*columns + panelWidth - 1) / panelWidth : 4; wide && count % 4 != 0)
    // Panels beside groups of four would run alone, with 6 sums.
    tile = count % 2 == 0 ? RegisterTile{12, 2} : count == 3 ? RegisterTile{8, 3} : tile;
  if (rows && *rows < tile.rows) {
    tile.rows = std::max<int64_t>(1, *rows);
    tile.panels = choosePanels(target, accumulator, tile.rows, 4);
  }
  while (kb.choices.get(Knob::ColumnPanels) % tile.panels)
    --tile.panels;
  return tile;
}

int64_t chooseColumns(Operation *op) {
  KernelChoices choices = KernelChoices::of(op->getParentOfType<KernelOp>());
  return choices.get(Knob::ColumnPanels, defaultColumnPanels) * panelWidth;
}

bool holdsPairs(UnpackOp unpack) {
  return unpack.getX().getType().getRank() == unpack.getY().getType().getRank() + 2;
}

SmallVector<Value> MicroKernel::zeros(int64_t count) {
  Value zero = kb.splatConstant(accumulator, 0, lanes);
  return SmallVector<Value>(count, zero);
}

Value MicroKernel::plus(Value x, Value y) {
  return isa<FloatType>(accumulator) ? arith::AddFOp::create(kb.b, kb.loc, x, y).getResult()
                                     : arith::AddIOp::create(kb.b, kb.loc, x, y).getResult();
}

Value MicroKernel::widen(Value value, Type elementType) {
  Type wanted = accumulator;
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    wanted = VectorType::get(vector.getShape(), accumulator);
  if (value.getType() == wanted || pairs)
    return value;
  if (isa<FloatType>(accumulator))
    return arith::ExtFOp::create(kb.b, kb.loc, wanted, value);
  if (elementType.isUnsignedInteger())
    return arith::ExtUIOp::create(kb.b, kb.loc, wanted, value);
  return arith::ExtSIOp::create(kb.b, kb.loc, wanted, value);
}

/// A pair of bf16 lies at any even address: a row may begin at an odd element.
Value MicroKernel::loadLeft(Value pointer, Value k) {
  if (leftOffset)
    k = leftOffset(*getConstantIntValue(k));
  if (!pairs)
    return widen(kb.loadFrom(pointer, leftType, k, 1), leftType);
  return LLVM::LoadOp::create(kb.b, kb.loc, leftType, kb.address(pointer, leftType, k), /*alignment=*/2);
}

SmallVector<Value> MicroKernel::step(ArrayRef<Value> left, int64_t vectors, Value k, ValueRange acc,
                                     llvm::function_ref<Value(Value, int64_t)> right) {
  SmallVector<Value> next(acc), columns;
  for (int64_t v = 0; v < vectors; ++v)
    columns.push_back(right(k, v));
  if (pairs) {
    PairProducts products(kb, columns);
    for (auto [row, pointer] : llvm::enumerate(left))
      products.add(kb.splat(loadLeft(pointer, k), lanes),
                   MutableArrayRef(next).slice(row * vectors, vectors));
    return next;
  }
  for (auto [row, pointer] : llvm::enumerate(left)) {
    Value wide = kb.splat(loadLeft(pointer, k), lanes);
    for (int64_t v = 0; v < vectors; ++v) {
      Value &sum = next[row * vectors + v];
      if (isa<FloatType>(accumulator))
        sum = math::FmaOp::create(kb.b, kb.loc, wide, columns[v], sum);
      else
        sum = arith::AddIOp::create(kb.b, kb.loc, sum, arith::MulIOp::create(kb.b, kb.loc, wide, columns[v]));
    }
  }
  return next;
}

/// Steps of k in a round of the loop that nobody chose.
constexpr int64_t defaultUnroll = 4;

SmallVector<Value> MicroKernel::run(ArrayRef<Value> left, int64_t vectors, Value size, ValueRange acc,
                                    llvm::function_ref<Value(Value, int64_t)> right, int64_t multiple) {
  // A core that shares its front end with a busy neighbour issues about three operations a cycle: what a step does
  // beside its multiply-adds then costs as much as they do, so the loop's own operations are spread over four steps.
  const int64_t unroll = kb.choices.get(Knob::DepthUnroll, defaultUnroll);
  auto steps = [&](Value from, int64_t count, ValueRange sums) {
    SmallVector<Value> next(sums);
    for (int64_t i = 0; i < count; ++i)
      next = step(left, vectors, kb.add(from, kb.constant(i)), next, right);
    return next;
  };
  std::optional<int64_t> known = getConstantIntValue(size);
  if (known && (*known <= 3 * defaultUnroll || leftOffset))
    return steps(kb.constant(0), *known, acc);
  Value whole = size;
  if (!known && multiple % unroll != 0)
    whole = kb.mul(kb.div(size, kb.constant(unroll)), kb.constant(unroll));
  else if (known)
    whole = kb.constant(*known / unroll * unroll);
  SmallVector<Value> sums = kb.loop(kb.constant(0), whole, unroll, acc,
                                    [&](Value k, ValueRange carried) { return steps(k, unroll, carried); });
  if (known)
    return steps(whole, *known % unroll, sums);
  if (multiple % unroll == 0)
    return sums;
  return kb.loop(whole, size, 1, sums, [&](Value k, ValueRange carried) { return steps(k, 1, carried); });
}

void forRowBlocks(KernelBuilder &kb, Value from, Value to, int64_t tile,
                  llvm::function_ref<void(Value, int64_t)> body) {
  Value count = kb.sub(to, from);
  Value whole = kb.mul(kb.div(count, kb.constant(tile)), kb.constant(tile));
  Value middle = kb.add(from, whole);
  kb.loop(from, middle, tile, [&](Value row) { body(row, tile); });
  if (tile == 1)
    return;
  Value rest = kb.sub(to, middle);
  if (auto known = getConstantIntValue(rest)) {
    if (*known > 0)
      body(middle, *known);
    return;
  }
  SmallVector<int64_t> cases;
  for (int64_t i = 1; i < tile; ++i)
    cases.push_back(i);
  Value selector = arith::IndexCastOp::create(kb.b, kb.loc, kb.b.getIndexType(), rest);
  auto switchOp = scf::IndexSwitchOp::create(kb.b, kb.loc, TypeRange(), selector, cases, cases.size());
  OpBuilder::InsertionGuard guard(kb.b);
  for (auto [region, value] : llvm::zip_equal(switchOp.getCaseRegions(), cases)) {
    kb.b.setInsertionPointToStart(&region.emplaceBlock());
    body(middle, value);
    scf::YieldOp::create(kb.b, kb.loc);
  }
  kb.b.setInsertionPointToStart(&switchOp.getDefaultRegion().emplaceBlock());
  scf::YieldOp::create(kb.b, kb.loc);
}

void WeightsAhead::prefetch(KernelBuilder &kb, Value row, Value from) const {
  constexpr int64_t cacheLine = 64;
  int64_t bytes = type.getIntOrFloatBitWidth() / 8;
  int64_t lines = elements * bytes / cacheLine, tiles = std::max<int64_t>(1, blockRows / tileRows);
  int64_t linesOfTile = (lines + tiles - 1) / tiles;
  Value first = kb.mul(kb.div(kb.sub(row, from), kb.constant(tileRows)), kb.constant(linesOfTile));
  for (Value pointer : pointers) {
    for (int64_t line = 0; line < linesOfTile; ++line) {
      Value offset = kb.mul(kb.add(first, kb.constant(line)), kb.constant(cacheLine / bytes));
      Value address = kb.address(pointer, type, offset);
      LLVM::Prefetch::create(kb.b, kb.loc, address, /*rw=*/0, hint, /*cache=*/1);
    }
  }
}

int64_t chooseRowBlock(Operation *op, Knob knob, std::optional<int64_t> rows, int64_t preferred) {
  if (int64_t chosen = KernelChoices::of(op->getParentOfType<KernelOp>()).get(knob))
    return chosen;
  if (!rows || *rows <= 0)
    return preferred;
  int64_t blocks = std::max<int64_t>(1, (*rows + preferred / 2) / preferred);
  int64_t size = (*rows + blocks - 1) / blocks;
  return (size + 5) / 6 * 6;
}

} // namespace torsh
