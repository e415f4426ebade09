//===-- PairContractions.cpp - Contractions as sums of products of pairs of bf16 ----------------------------===//
//
// The weights take one more move in their recipe; the left operand is rounded by a cast that is placed where the kernel
// that computes it can store it: below windows, which are addresses, and below ops that only move or select elements.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/HostControl.h"
#include "dialects/torsh/ImagePlanes.h"
#include "mlir/IR/IRMapping.h"
#include "passes/graph/FoldedMoves.h"
#include "passes/graph/Passes.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_PAIRCONTRACTIONSPASS
#include "passes/graph/Passes.h.inc"

namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

RankedTensorType narrowType(Value value) {
  return RankedTensorType::get(typeOf(value).getShape(), BFloat16Type::get(value.getContext()),
                               typeOf(value).getEncoding());
}

/// The reads that become bf16, and the values that are made for them.
class Narrowing {
public:
  void want(OpOperand &read) { wanted.insert(&read); }
  void apply();

private:
  bool isWanted(OpOperand &use);
  bool allWanted(Value value) {
    return llvm::all_of(value.getUses(), [&](OpOperand &use) { return isWanted(use); });
  }
  Value narrowed(Value value);
  Value make(Value value);
  Value moved(Operation *op);

  llvm::SetVector<OpOperand *> wanted;
  llvm::DenseMap<Value, Value> made;
  SmallVector<Operation *> replaced; ///< ops that may have no readers left
};

/// Ops that commute with rounding: they move elements, or select them by their order.
bool commutes(Operation *op) {
  if (auto pad = dyn_cast<PadOp>(op))
    return pad.getMode() != PadMode::constant || isSplatConstant(pad.getValue());
  return isa<MaxPoolOp, ConcatOp>(op);
}

bool Narrowing::isWanted(OpOperand &use) {
  Operation *op = use.getOwner();
  return wanted.contains(&use) ||
         ((commutes(op) || isa<ReshapeOp, TransposeOp, SliceOp>(op)) && allWanted(op->getResult(0)));
}

/// The op on narrow operands.
Value Narrowing::moved(Operation *op) {
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(narrowed(operand));
  OpBuilder builder(op);
  IRMapping mapping;
  for (auto [from, to] : llvm::zip_equal(op->getOperands(), operands))
    mapping.map(from, to);
  Operation *clone = builder.clone(*op, mapping);
  clone->getResult(0).setType(narrowType(op->getResult(0)));
  replaced.push_back(op);
  return clone->getResult(0);
}

Value Narrowing::make(Value value) {
  Operation *op = value.getDefiningOp();
  if (op && isa<ReshapeOp, TransposeOp, SliceOp>(op)) {
    // A window on a result is a window on the narrow result. An input has no kernel that could store it narrow, so there
    // only what the window shows is copied.
    Value base = value;
    while (Operation *window = base.getDefiningOp()) {
      if (!isa<ReshapeOp, TransposeOp, SliceOp>(window))
        break;
      base = window->getOperand(0);
    }
    if (base.getDefiningOp() && !base.getDefiningOp<ConstantOp>())
      return moved(op);
  }
  if (op && commutes(op) && allWanted(value))
    return moved(op);
  // A copy that an earlier pass made of something.
  if (auto group = dyn_cast_or_null<GroupOp>(op); group && !isControl(group) && allWanted(value)) {
    auto yield = cast<YieldOp>(group.getBody().front().getTerminator());
    OpBuilder builder(yield);
    OpOperand &yielded = yield->getOpOperand(cast<OpResult>(value).getResultNumber());
    yielded.set(CastOp::create(builder, value.getLoc(), narrowType(value), yielded.get()));
    value.setType(narrowType(value));
    return value;
  }
  OpBuilder builder(value.getContext());
  builder.setInsertionPointAfterValue(value);
  return builder.createOrFold<CastOp>(value.getLoc(), narrowType(value), value, builder.getBoolAttr(true));
}

Value Narrowing::narrowed(Value value) {
  if (typeOf(value).getElementType().isBF16())
    return value;
  if (Value known = made.lookup(value))
    return known;
  Value result = make(value);
  made[value] = result;
  return result;
}

void Narrowing::apply() {
  for (OpOperand *read : wanted)
    read->set(narrowed(read->get()));
  // Readers come after what they read, so ops without readers go first when the list is walked until nothing changes.
  bool erased = true;
  while (erased) {
    erased = false;
    for (Operation *&op : replaced) {
      if (op && op->use_empty()) {
        op->erase();
        op = nullptr;
        erased = true;
      }
    }
  }
}

/// Weights are read as they are by contractions alone, through the shape ops in between.
bool mayPair(Value value) {
  return llvm::all_of(value.getUses(), [&](OpOperand &use) {
    Operation *reader = use.getOwner();
    auto isWide = [](Value operand) { return typeOf(operand).getElementType().isF32(); };
    if (auto dot = dyn_cast<DotGeneralOp>(reader))
      return &use == &dot.getRhsMutable() && isWide(dot.getLhs()) && isWide(dot.getY());
    if (auto conv = dyn_cast<ConvOp>(reader)) {
      ArrayRef<int64_t> w = typeOf(conv.getW()).getShape();
      // The planes of an image are no neighbours.
      return &use == &conv.getWMutable() && isWide(conv.getX()) && w[w.size() - 2] % 2 == 0 &&
             !mayReadPlanes(conv);
    }
    return isa<ReshapeOp, TransposeOp>(reader) && mayPair(reader->getResult(0));
  });
}

/// A recipe that ends in panels which are not Winograd's: a coarse rounding would not keep its differences small.
WeightAttr panelsOf(UnpackOp op) {
  auto weight = dyn_cast_or_null<WeightAttr>(getConstantAttr(op.getX()));
  bool isTransformed = weight && llvm::any_of(weight.getSteps(), [](WeightStepAttr step) {
                         return step.getKind().getValue() == "winograd";
                       });
  return isTransformed ? WeightAttr() : weight;
}

/// [.., P, K, 16] as [.., P, K/2, 16, 2] in bf16, behind it the matrix [.., K, N] in bf16.
Value pairPanels(UnpackOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto type = typeOf(op.getX());
  int64_t rank = type.getRank(), k = type.getDimSize(rank - 2), width = type.getShape().back();
  SmallVector<int64_t> split(type.getShape().drop_back(2)), paired(split), order;
  split.append({k / 2, 2, width});
  paired.append({k / 2, width, 2});
  for (int64_t axis = 0; axis < rank - 1; ++axis)
    order.push_back(axis);
  order.append({rank, rank - 1});
  Type element = type.getElementType(), bf16 = builder.getBF16Type();
  Value panels = appendStep(builder, loc, op.getX(), "reshape", split, RankedTensorType::get(split, element));
  panels = appendStep(builder, loc, panels, "transpose", order, RankedTensorType::get(paired, element));
  panels = appendStep(builder, loc, panels, "cast", {}, RankedTensorType::get(paired, bf16));
  return UnpackOp::create(builder, loc, narrowType(op.getY()), panels);
}

/// Gives all readers of `from` the narrow value, through copies of the shape ops in between.
void replaceReaders(Value from, Value to, Narrowing &narrowing) {
  for (OpOperand &use : llvm::make_early_inc_range(from.getUses())) {
    Operation *reader = use.getOwner();
    OpBuilder builder(reader);
    if (auto dot = dyn_cast<DotGeneralOp>(reader)) {
      use.set(to);
      narrowing.want(dot.getLhsMutable());
    } else if (auto conv = dyn_cast<ConvOp>(reader)) {
      use.set(to);
      // The bias says that the sums are f32. Adding one moves the operands, so it comes before they are remembered.
      if (!conv.getBias()) {
        auto type = RankedTensorType::get({typeOf(to).getShape().back()}, builder.getF32Type());
        Value zero = ConstantOp::create(builder, conv.getLoc(), type, builder.getZeroAttr(type));
        conv.getBiasMutable().assign(zero);
      }
      narrowing.want(conv.getXMutable());
    } else {
      IRMapping mapping;
      mapping.map(from, to);
      Operation *clone = builder.clone(*reader, mapping);
      clone->getResult(0).setType(narrowType(reader->getResult(0)));
      replaceReaders(reader->getResult(0), clone->getResult(0), narrowing);
      reader->erase();
    }
  }
}

struct PairContractions : impl::PairContractionsPassBase<PairContractions> {
  void runOnOperation() override {
    Narrowing narrowing;
    SmallVector<UnpackOp> unpacks;
    getOperation().walk([&](UnpackOp op) { unpacks.push_back(op); });
    for (UnpackOp op : unpacks) {
      auto panels = typeOf(op.getX());
      bool fits = panels.getElementType().isF32() && panels.getDimSize(panels.getRank() - 2) % 2 == 0 &&
                  panels.getRank() == typeOf(op.getY()).getRank() + 1;
      if (!fits || !panelsOf(op) || op->use_empty() || !mayPair(op.getY()))
        continue;
      replaceReaders(op.getY(), pairPanels(op), narrowing);
      op.erase();
    }
    narrowing.apply();
  }
};

} // namespace
} // namespace torsh
