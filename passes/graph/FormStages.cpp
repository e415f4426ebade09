//===-- FormStages.cpp - What waits for sizes born at run time -> torsh.stage --------------------------------===//
#include "dialects/torsh/Dim.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/graph/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_FORMSTAGESPASS
#include "passes/graph/Passes.h.inc"

namespace {

using Names = llvm::StringSet<>; // of symbols

void addNames(BindSizesOp bind, Names &names) {
  for (auto name : bind.getSymbols().getAsRange<StringAttr>())
    names.insert(name.getValue());
}

/// Whether a dim in the types or attributes of an op or of what is inside it has one of the names.
bool mentions(Operation *op, const Names &names) {
  bool found = false;
  AttrTypeWalker walker;
  walker.addWalk([&](DimAttr dim) {
    SmallVector<StringRef> symbols;
    dim::collectSymbols(dim, symbols);
    found |= llvm::any_of(symbols, [&](StringRef symbol) { return names.contains(symbol); });
  });
  op->walk([&](Operation *inner) {
    for (Type type : inner->getResultTypes())
      walker.walk(type);
    for (Region &region : inner->getRegions())
      for (Block &block : region)
        for (Type type : block.getArgumentTypes())
          walker.walk(type);
    walker.walk(inner->getAttrDictionary());
    return found ? WalkResult::interrupt() : WalkResult::advance();
  });
  return found;
}

/// What a block's stage is made of.
struct Stage {
  /// The binds that it begins with: of values that are there before, and of expressions of their sizes.
  SmallVector<BindSizesOp> first;
  /// The other ops that need one of the sizes or a value of such an op, in order.
  llvm::SetVector<Operation *> waiting;
  /// What binds among `waiting` name.
  Names later;
};

Stage findStage(Block &block, ArrayRef<BindSizesOp> own) {
  Stage stage;
  Names born;
  for (Operation &op : block.without_terminator()) {
    llvm::SetVector<Value> used;
    used.insert_range(op.getOperands());
    for (Region &region : op.getRegions())
      getUsedValuesDefinedAbove(region, used);
    bool waits = llvm::any_of(used, [&](Value value) { return stage.waiting.contains(value.getDefiningOp()); });
    auto bind = dyn_cast<BindSizesOp>(op);
    if (!bind) {
      if (waits || mentions(&op, born))
        stage.waiting.insert(&op);
      continue;
    }
    if (llvm::is_contained(own, bind))
      continue;
    addNames(bind, born);
    // An expression has its value as soon as the sizes in it have theirs.
    if (auto expression = bind.getX().getDefiningOp<FromDimsOp>())
      waits = waits && mentions(expression, stage.later);
    if (waits) {
      stage.waiting.insert(bind);
      addNames(bind, stage.later);
    } else {
      stage.first.push_back(bind);
    }
  }
  return stage;
}

class StageFormer {
public:
  explicit StageFormer(MLIRContext *context) : builder(context) {}

  /// Forms the stages of a block. `own` are the binds that the block itself begins with.
  void form(Block &block, ArrayRef<BindSizesOp> own);

private:
  StageOp move(Block &block, Stage &stage);

  OpBuilder builder;
};

StageOp StageFormer::move(Block &block, Stage &stage) {
  SmallVector<OpOperand *> returned;
  SmallVector<Value> values;
  for (OpOperand &operand : block.getTerminator()->getOpOperands())
    if (stage.waiting.contains(operand.get().getDefiningOp())) {
      returned.push_back(&operand);
      values.push_back(operand.get());
    }
  builder.setInsertionPoint(block.getTerminator());
  auto op = StageOp::create(builder, stage.first.front().getLoc(), TypeRange(ValueRange(values)));
  Block &body = op.getBody().emplaceBlock();
  auto take = [&](Operation *moved) {
    if (moved->getBlock() != &body)
      moved->moveBefore(&body, body.end());
  };
  for (BindSizesOp bind : stage.first) {
    if (Operation *source = bind.getX().getDefiningOp(); stage.waiting.contains(source))
      take(source);
    take(bind);
  }
  // Guards come first: nothing may run on sizes that do not fit together.
  for (Operation *waiting : stage.waiting)
    if (isa<GuardOp>(waiting) && !mentions(waiting, stage.later))
      take(waiting);
  for (Operation *waiting : stage.waiting)
    take(waiting);
  builder.setInsertionPointToEnd(&body);
  YieldOp::create(builder, op.getLoc(), values);
  for (auto [operand, result] : llvm::zip_equal(returned, op.getResults()))
    operand->set(result);
  return op;
}

void StageFormer::form(Block &block, ArrayRef<BindSizesOp> own) {
  Stage stage = findStage(block, own);
  StageOp op;
  if (!stage.waiting.empty()) {
    op = move(block, stage);
    form(op.getBody().front(), stage.first);
  } else {
    for (BindSizesOp bind : llvm::reverse(stage.first))
      bind.erase();
  }
  for (Operation &other : block)
    if (&other != op.getOperation())
      for (Region &region : other.getRegions())
        for (Block &inner : region)
          form(inner, {});
}

struct FormStages : impl::FormStagesPassBase<FormStages> {
  void runOnOperation() override {
    if (!getOperation().isExternal())
      StageFormer(&getContext()).form(getOperation().getBody().front(), {});
  }
};

} // namespace
} // namespace torsh
