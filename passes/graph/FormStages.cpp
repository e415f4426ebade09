//===-- FormStages.cpp - What waits for sizes born at run time -> torsh.stage --------------------------------===//
#include "dialects/torsh/Dim.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/graph/Passes.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

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
    bool waits =
        llvm::any_of(used, [&](Value value) { return stage.waiting.contains(value.getDefiningOp()); });
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

/// The binds that a stage begins with.
SmallVector<BindSizesOp> leadingBinds(Block &block) {
  SmallVector<BindSizesOp> binds;
  for (Operation &op : block) {
    if (!isa<BindSizesOp, FromDimsOp>(op))
      break;
    if (auto bind = dyn_cast<BindSizesOp>(op))
      binds.push_back(bind);
  }
  return binds;
}

/// All symbols that a function names.
Names allNames(Operation *function) {
  Names names;
  AttrTypeWalker walker;
  walker.addWalk([&](DimAttr dim) {
    SmallVector<StringRef> symbols;
    dim::collectSymbols(dim, symbols);
    names.insert_range(symbols);
  });
  function->walk([&](Operation *op) {
    walker.walk(op->getAttrDictionary());
    for (Type type : op->getResultTypes())
      walker.walk(type);
    if (auto bind = dyn_cast<BindSizesOp>(op))
      addNames(bind, names);
  });
  return names;
}

class StageFormer {
public:
  explicit StageFormer(func::FuncOp function) : builder(function), taken(allNames(function)) {}

  /// Forms the stages of a block. `own` are the binds that the block itself begins with.
  void form(Block &block, ArrayRef<BindSizesOp> own);

private:
  StageOp move(Block &block, Stage &stage);
  void nameLongSizes(StageOp stage, const Names &later);

  OpBuilder builder;
  Names taken; ///< what the function's symbols are called
  unsigned count = 0;
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

/// Gives sizes that are long sums symbols of their own: the products of such sums, which bytes of buffers are, would be too
/// long to keep.
void StageFormer::nameLongSizes(StageOp stage, const Names &later) {
  llvm::SetVector<Attribute> sums;
  stage.walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      for (DimAttr size : getDims(cast<RankedTensorType>(type))) {
        SmallVector<StringRef> symbols;
        dim::collectSymbols(size, symbols);
        if (size.getKind() == DimKind::Add && size.getOperands().size() > 2 &&
            llvm::none_of(symbols, [&](StringRef name) { return later.contains(name); }))
          sums.insert(size);
      }
  });
  if (sums.empty())
    return;
  llvm::DenseMap<Attribute, DimAttr> names;
  SmallVector<StringRef> symbols;
  SmallVector<DimAttr> sizes;
  for (Attribute sum : sums) {
    sizes.push_back(cast<DimAttr>(sum));
    std::string name;
    do
      name = "sum_" + std::to_string(count++);
    while (taken.contains(name));
    names[sum] = dim::symbol(builder.getContext(), name);
    symbols.push_back(*dim::asSymbol(names[sum]));
  }
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](DimAttr size) -> std::optional<std::pair<Attribute, WalkResult>> {
    DimAttr name = names.lookup(size);
    return std::make_pair(name ? Attribute(name) : Attribute(size), WalkResult::skip());
  });
  // The function's results have these sizes, too.
  replacer.recursivelyReplaceElementsIn(stage->getParentOfType<func::FuncOp>(), true, false, true);
  builder.setInsertionPointAfter(leadingBinds(stage.getBody().front()).back());
  Value list = FromDimsOp::create(builder, stage.getLoc(),
                                  RankedTensorType::get({int64_t(sizes.size())}, builder.getI64Type()),
                                  DimsAttr::get(builder.getContext(), sizes));
  BindSizesOp::create(builder, stage.getLoc(), list, builder.getStrArrayAttr(symbols), UnitAttr());
}

void StageFormer::form(Block &block, ArrayRef<BindSizesOp> own) {
  Stage stage = findStage(block, own);
  StageOp op;
  if (!stage.waiting.empty()) {
    op = move(block, stage);
    nameLongSizes(op, stage.later);
    form(op.getBody().front(), leadingBinds(op.getBody().front()));
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
      StageFormer(getOperation()).form(getOperation().getBody().front(), {});
  }
};

} // namespace
} // namespace torsh
