//===-- BlockedSum.cpp - Long sums of products in pieces that stay in the cache -----------------------------===//
#include "passes/lowering/BlockedSum.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace torsh {

/// Products of a piece: 8 KiB of one panel, so that a first-level cache of 32 KiB keeps it while the rows' elements pass
/// through. Wide tiles read four panels at a time and hide the second-level cache, so their pieces are bounded by that one.
static int64_t mostOfPiece(const KernelTarget &target) { return target.registers >= 32 ? 768 : 128; }
/// Sums of up to so many products stay whole: half a first-level cache holds their panel.
static int64_t mostUncut(const KernelTarget &target) { return target.registers >= 32 ? 1152 : 384; }
/// The cache that the next piece is fetched to (3 the first level, 2 the second): where a piece is a large part of the
/// first level, the next one would drive it out.
static unsigned prefetchHint(const KernelTarget &target) { return target.registers >= 32 ? 3 : 2; }
/// Fewer products than this are not worth the way of the sums through memory.
constexpr int64_t leastOfPiece = 96;

int64_t BlockedSum::piecesOfRun() const {
  int64_t most = mostOfPiece(kb.target);
  return std::max<int64_t>(1, (run + most - 1) / most);
}

int64_t BlockedSum::pieceSize() const {
  int64_t even = (run + piecesOfRun() - 1) / piecesOfRun();
  return (even + 3) / 4 * 4;
}

bool BlockedSum::pays() const {
  return (widens() || outer * run > mostUncut(kb.target)) && pieceSize() >= leastOfPiece &&
         blockRows >= 4 * tile.rows;
}

void BlockedSum::prepare() {
  partial = kb.stackBuffer(micro.accumulator, blockRows * tile.panels * panelWidth);
  if (widens())
    widened = kb.stackBuffer(micro.accumulator, pieceSize() * tile.panels * panelWidth);
}

void BlockedSum::emit(const Place &place, LeftOf leftOf, OffsetOf offsetOf, Finish finish) {
  int64_t width = place.vectors * micro.lanes, pieces = outer * piecesOfRun();
  int64_t vectorsOfPanel = panelWidth / micro.lanes;
  Value zero = kb.splatConstant(micro.accumulator, 0, micro.lanes);
  kb.loop(kb.constant(0), kb.mul(kb.sub(place.to, place.from), kb.constant(width)), micro.lanes,
          [&](Value at) { kb.storeTo(zero, partial, micro.accumulator, at, micro.lanes); });
  kb.loop(kb.constant(0), kb.constant(pieces), 1, [&](Value piece) {
    Value index = kb.div(piece, kb.constant(piecesOfRun()));
    Value start = kb.mul(kb.rem(piece, kb.constant(piecesOfRun())), kb.constant(pieceSize()));
    Value size = kb.min(kb.constant(pieceSize()), kb.sub(kb.constant(run), start));
    if (run == pieceSize() * piecesOfRun())
      size = kb.constant(pieceSize());
    Value runOffset = offsetOf(index);
    Value k = kb.add(kb.mul(index, kb.constant(run)), start);
    Value last =
        arith::CmpIOp::create(kb.b, kb.loc, arith::CmpIPredicate::eq, piece, kb.constant(pieces - 1));
    SmallVector<Value> weights;
    for (Value panel : place.panels)
      weights.push_back(kb.address(panel, weightType, kb.mul(k, kb.constant(panelWidth))));
    Type loadedType = weightType;
    if (widens()) {
      loadedType = micro.accumulator;
      for (size_t index = 0; index < weights.size(); ++index) {
        Value panel = weights[index];
        Value wide = kb.address(widened, loadedType, kb.constant(index * pieceSize() * panelWidth));
        kb.loop(kb.constant(0), kb.mul(size, kb.constant(panelWidth)), micro.lanes, [&](Value at) {
          Value loaded = micro.widen(kb.loadFrom(panel, weightType, at, micro.lanes), weightType);
          kb.storeTo(loaded, wide, loadedType, at, micro.lanes);
        });
        weights[index] = wide;
      }
    }

    forRowBlocks(kb, place.from, place.to, tile.rows, [&](Value row, int64_t count) {
      SmallVector<Value> left;
      for (Value pointer : leftOf(row, count)) {
        // The elements of pairs are bf16, so that a run may begin between two pairs.
        if (micro.pairs)
          left.push_back(
              kb.address(kb.address(pointer, kb.b.getBF16Type(), runOffset), micro.leftType, start));
        else
          left.push_back(kb.address(pointer, micro.leftType, kb.add(runOffset, start)));
      }
      Value base = kb.mul(kb.sub(row, place.from), kb.constant(width));
      auto placeOf = [&](int64_t i) { return kb.add(base, kb.constant(i * micro.lanes)); };
      SmallVector<Value> sums;
      for (int64_t i = 0; i < count * place.vectors; ++i)
        sums.push_back(kb.loadFrom(partial, micro.accumulator, placeOf(i), micro.lanes));
      SmallVector<Value> ahead;
      for (Value panel : place.panels)
        ahead.push_back(kb.address(panel, weightType, kb.mul(kb.add(k, size), kb.constant(panelWidth))));
      WeightsAhead{ahead, weightType, pieceSize() * panelWidth, blockRows, tile.rows, prefetchHint(kb.target)}
          .prefetch(kb, row, place.from);
      sums = micro.run(
          left, place.vectors, size, sums,
          [&](Value at, int64_t v) {
            Value offset =
                kb.add(kb.mul(at, kb.constant(panelWidth)), kb.constant(v % vectorsOfPanel * micro.lanes));
            return micro.widen(kb.loadFrom(weights[v / vectorsOfPanel], loadedType, offset, micro.lanes),
                               loadedType);
          },
          run % 4 == 0 ? 4 : 1);
      kb.ifThenElse(
          last, [&] { finish(row, count, sums); },
          [&] {
            for (auto [i, sum] : llvm::enumerate(sums))
              kb.storeTo(sum, partial, micro.accumulator, placeOf(i), micro.lanes);
          });
    });
  });
}

} // namespace torsh
