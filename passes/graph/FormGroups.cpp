//===-- FormGroups.cpp - Fusion groups ----------------------------------------------------------------------===//
#include "dialects/torsh/SplitDims.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/IR/IRMapping.h"
#include "passes/graph/Passes.h"
#include "passes/graph/StreamedAttention.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_FORMGROUPSPASS
#include "passes/graph/Passes.h.inc"

namespace {

/// The strategy that builds an op's kernel when it is an anchor, empty for ops that are not.
StringRef anchorOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case([](DotGeneralOp) { return "dot"; })
      .Case([](ConvOp conv) {
        auto weights = cast<RankedTensorType>(conv.getW().getType());
        bool depthwise = conv.getGroups() > 1 && weights.getShape().back() == int64_t(conv.getGroups()) &&
                         weights.getShape()[weights.getRank() - 2] == 1 &&
                         conv.getLayout() == Layout::channels_last;
        return depthwise ? "depthwise" : "conv";
      })
      .Case<MaxPoolOp, AvgPoolOp>([](auto) { return "pool"; })
      .Case<SoftmaxOp, LogSoftmaxOp, LayerNormOp, RmsNormOp>([](auto) { return "row_norm"; })
      .Case([](ReduceOp) { return "reduce"; })
      .Case<LstmOp, GruOp, RnnOp>([](auto) { return "recurrent"; })
      .Case([](ResizeOp) { return "resize"; })
      .Case([](CumSumOp) { return "scan"; })
      .Case([](ConcatOp) { return "concat"; })
      .Case([](WinogradInputOp) { return "winograd_input"; })
      .Case([](WinogradOutputOp) { return "winograd_output"; })
      .Case<ArgReduceOp, TopKOp, GatherElementsOp, GatherNdOp, ScatterElementsOp, ScatterNdOp,
            ConvTransposeOp, GroupNormOp, BatchNormOp, RandomUniformOp, RandomNormalOp, NonZeroOp,
            NonMaxSuppressionOp>([](auto) { return "index"; })
      .Default([](Operation *) { return ""; });
}

bool isElementwise(Operation *op) { return op->hasTrait<ElementwiseOp>(); }

/// Ops that only move elements or make them from the index; an elementwise kernel can compute them anywhere.
bool isMover(Operation *op) {
  return isa<BroadcastOp, TransposeOp, SliceOp, PadOp, GatherOp, IotaOp, ConcatOp>(op);
}

bool isSplatConstant(Operation *op) {
  auto constant = dyn_cast_or_null<ConstantOp>(op);
  auto dense = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : DenseElementsAttr();
  return dense && dense.isSplat();
}

RankedTensorType typeOf(Value value) { return dyn_cast<RankedTensorType>(value.getType()); }

bool sameShape(Value a, Value b) {
  return typeOf(a) && typeOf(b) && getDims(typeOf(a)) == getDims(typeOf(b));
}

/// Ops of one future group, in block order once it is built.
using OpSet = llvm::SmallSetVector<Operation *, 16>;

class GroupFormer {
public:
  explicit GroupFormer(Block &block) : block(block) {
    for (Operation &op : block)
      order[&op] = order.size();
  }

  LogicalResult run();

private:
  bool isFree(Operation *op) const { return !taken.contains(op); }
  bool dependsOn(Value value, const OpSet &set, llvm::SmallPtrSetImpl<Operation *> &visited) const;
  void growEpilogue(OpSet &set, Value root, unsigned maxYields);
  void addFinalTranspose(OpSet &set, Value root);
  void growPrologue(OpSet &set, Value like);
  unsigned countYields(const OpSet &set) const;
  bool isAddressable(Value value) const;
  void cloneWindows(OpSet &set, StringRef anchor);
  void build(OpSet &set, StringRef anchor);

  Block &block;
  llvm::DenseMap<Operation *, unsigned> order;
  llvm::DenseSet<Operation *> taken;
  std::vector<std::pair<OpSet, std::string>> groups;
  llvm::DenseMap<Operation *, size_t> groupOf;
};

/// Whether the value is computed from an op of the set through ops outside it: fusing its user would make a cycle.
bool GroupFormer::dependsOn(Value value, const OpSet &set,
                            llvm::SmallPtrSetImpl<Operation *> &visited) const {
  Operation *op = value.getDefiningOp();
  if (!op || !visited.insert(op).second)
    return false;
  if (set.contains(op))
    return true;
  auto through = [&](Operation *step) {
    return llvm::any_of(step->getOperands(), [&](Value operand) { return dependsOn(operand, set, visited); });
  };
  // A claimed group runs as a whole: it waits for the operands of all its ops.
  auto it = groupOf.find(op);
  if (it == groupOf.end())
    return through(op);
  return llvm::any_of(groups[it->second].first, through);
}

unsigned GroupFormer::countYields(const OpSet &set) const {
  unsigned count = 0;
  for (Operation *op : set)
    for (Value result : op->getResults())
      count += llvm::any_of(result.getUsers(), [&](Operation *user) { return !set.contains(user); });
  return count;
}

/// Adds elementwise consumers at the root's shape.
void GroupFormer::growEpilogue(OpSet &set, Value root, unsigned maxYields) {
  bool grew = true;
  while (grew) {
    grew = false;
    for (size_t i = 0; i < set.size() && !grew; ++i) {
      for (Operation *user : set[i]->getUsers()) {
        if (set.contains(user) || !isFree(user) || user->getBlock() != &block || !isElementwise(user) ||
            !sameShape(user->getResult(0), root))
          continue;
        // Only values of the root's shape may be consumed here; others are results of another index space.
        bool legal = llvm::all_of(user->getOperands(), [&](Value operand) {
          Operation *producer = operand.getDefiningOp();
          if (producer && set.contains(producer))
            return sameShape(operand, root);
          llvm::SmallPtrSet<Operation *, 32> visited;
          return !dependsOn(operand, set, visited);
        });
        if (!legal)
          continue;
        set.insert(user);
        if (countYields(set) > maxYields) {
          set.remove(user);
          continue;
        }
        grew = true;
        break;
      }
    }
  }
}

/// Adds the transpose that is the only reader of a result of the set, when it keeps the last dim: the contraction then
/// stores its rows at another place and no copy is made.
void GroupFormer::addFinalTranspose(OpSet &set, Value root) {
  for (Operation *op : set) {
    if (op->getNumResults() != 1 || !op->hasOneUse() || !sameShape(op->getResult(0), root))
      continue;
    auto transpose = dyn_cast<TransposeOp>(*op->getUsers().begin());
    if (!transpose || !isFree(transpose) || transpose->getBlock() != &block ||
        transpose.getPermutation().back() + 1 != int64_t(transpose.getPermutation().size()))
      continue;
    // A contraction that reads the transpose sees it as an address.
    if (llvm::any_of(transpose->getUsers(), [](Operation *user) { return isa<DotGeneralOp>(user); }))
      continue;
    set.insert(transpose);
    return;
  }
}

/// Adds elementwise and gathering producers of the shape of `like` that feed only the set.
void GroupFormer::growPrologue(OpSet &set, Value like) {
  bool grew = true;
  while (grew) {
    grew = false;
    for (size_t i = 0; i < set.size() && !grew; ++i) {
      for (Value operand : set[i]->getOperands()) {
        Operation *producer = operand.getDefiningOp();
        if (!producer || set.contains(producer) || !isFree(producer) || producer->getBlock() != &block)
          continue;
        if (!(isElementwise(producer) || isa<GatherOp, IotaOp>(producer)) || !sameShape(operand, like))
          continue;
        if (!llvm::all_of(producer->getUsers(), [&](Operation *user) { return set.contains(user); }))
          continue;
        set.insert(producer);
        grew = true;
        break;
      }
    }
  }
}

/// Whether codegen sees the value as a strided window on a group input.
bool isWindow(Operation *op) {
  return op && (isa<BroadcastOp, TransposeOp, SliceOp, ReshapeOp, UnpackOp>(op));
}

/// Whether the value is packed weights: the contraction's kernel looks through every reshape and transpose to the panels.
bool isPacked(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<UnpackOp>(op))
      return true;
    if (!isa<ReshapeOp, TransposeOp>(op))
      return false;
    value = op->getOperand(0);
  }
  return false;
}

/// Whether a chain of windows ends in a buffer through changes of strides alone. A reshape that merges dims is one only
/// directly on a buffer.
bool GroupFormer::isAddressable(Value value) const {
  Operation *op = value.getDefiningOp();
  if (!op || !isWindow(op) || !isFree(op) || isPacked(value))
    return true;
  if (auto reshape = dyn_cast<ReshapeOp>(op)) {
    Operation *source = reshape.getX().getDefiningOp();
    bool onBuffer = !source || !isWindow(source) || !isFree(source);
    return onBuffer || (splitSources(reshape) && isAddressable(reshape.getX()));
  }
  return isAddressable(op->getOperand(0));
}

/// Clones windows and splat constants that feed the set, so that they end in addresses and registers.
void GroupFormer::cloneWindows(OpSet &set, StringRef anchor) {
  SmallVector<Operation *> work(set.begin(), set.end());
  while (!work.empty()) {
    Operation *op = work.pop_back_val();
    // A concat copies whole contiguous inputs.
    if (isa<ConcatOp>(op) && anchor == "concat")
      continue;
    for (OpOperand &operand : op->getOpOperands()) {
      Operation *producer = operand.get().getDefiningOp();
      if (!producer || set.contains(producer))
        continue;
      bool window = isWindow(producer) && isAddressable(operand.get());
      if (isSplatConstant(producer) || window) {
        OpBuilder builder(op);
        Operation *clone = builder.clone(*producer);
        order[clone] = order[op];
        operand.set(clone->getResult(0));
        set.insert(clone);
        taken.insert(clone);
        work.push_back(clone);
      }
    }
  }
}

/// Replaces the ops of the set by one group.
void GroupFormer::build(OpSet &set, StringRef anchor) {
  cloneWindows(set, anchor);
  SmallVector<Operation *> ops(set.begin(), set.end());
  // Clones share the order of their user; producers come first.
  llvm::sort(ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  llvm::SmallSetVector<Value, 8> inputs;
  SmallVector<Value> yields;
  for (Operation *op : ops) {
    for (Value operand : op->getOperands())
      if (!operand.getDefiningOp() || !set.contains(operand.getDefiningOp()))
        inputs.insert(operand);
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !set.contains(user); }))
        yields.push_back(result);
  }
  OpBuilder builder(ops.back());
  SmallVector<Location> locations;
  for (Operation *op : ops)
    if (!isa<ConstantOp>(op))
      locations.push_back(op->getLoc());
  Location loc = FusedLoc::get(builder.getContext(), locations);
  SmallVector<Type> types;
  for (Value value : yields)
    types.push_back(value.getType());
  auto group = GroupOp::create(builder, loc, types, inputs.getArrayRef(), builder.getStringAttr(anchor));
  Block *body = &group.getBody().emplaceBlock();
  IRMapping mapping;
  for (Value input : inputs)
    mapping.map(input, body->addArgument(input.getType(), input.getLoc()));
  builder.setInsertionPointToStart(body);
  for (Operation *op : ops)
    builder.clone(*op, mapping);
  SmallVector<Value> inner;
  for (Value value : yields)
    inner.push_back(mapping.lookup(value));
  YieldOp::create(builder, loc, inner);
  for (auto [outer, result] : llvm::zip_equal(yields, group.getResults()))
    outer.replaceUsesWithIf(result, [&](OpOperand &use) { return !set.contains(use.getOwner()); });
  taken.insert(group);
  for (Operation *op : llvm::reverse(ops))
    op->erase();
}

LogicalResult GroupFormer::run() {
  auto claim = [&](OpSet &set, StringRef anchor) {
    for (Operation *op : set) {
      taken.insert(op);
      groupOf[op] = groups.size();
    }
    groups.emplace_back(set, anchor.str());
  };
  SmallVector<Operation *> ops;
  for (Operation &op : block)
    ops.push_back(&op);
  // Two products and the softmax between them: the scores are never written.
  for (Operation *op : ops) {
    auto softmax = dyn_cast<SoftmaxOp>(op);
    auto attention = softmax ? matchStreamedAttention(softmax) : std::nullopt;
    if (!attention || !llvm::all_of(attention->ops, [&](Operation *op) { return isFree(op); }))
      continue;
    OpSet set(attention->ops.begin(), attention->ops.end());
    growEpilogue(set, attention->sum.getY(), 1);
    addFinalTranspose(set, attention->sum.getY());
    claim(set, "attention");
  }
  // Contractions next: their epilogues save the most traffic.
  auto anchored = [&](ArrayRef<StringRef> anchors, bool prologue, bool epilogue) {
    for (Operation *op : ops) {
      StringRef anchor = anchorOf(op);
      if (!isFree(op) || !llvm::is_contained(anchors, anchor))
        continue;
      OpSet set;
      set.insert(op);
      if (prologue)
        growPrologue(set, op->getOperand(0));
      if (epilogue)
        growEpilogue(set, op->getResult(0), 2);
      if (anchor == "dot")
        addFinalTranspose(set, op->getResult(0));
      claim(set, anchor);
    }
  };
  anchored({"dot", "conv", "winograd_output"}, false, true);
  anchored({"depthwise"}, false, true);
  anchored({"row_norm", "reduce"}, true, true);
  anchored({"pool", "recurrent", "resize", "scan", "concat", "winograd_input", "index"}, false, false);
  // What is left: chains of elementwise ops, and copies that nobody can address.
  for (Operation *op : llvm::reverse(ops)) {
    if (!isFree(op) || !isElementwise(op))
      continue;
    OpSet set;
    set.insert(op);
    growPrologue(set, op->getResult(0));
    growEpilogue(set, op->getResult(0), 3);
    claim(set, "elementwise");
  }
  for (auto &[set, anchor] : groups)
    build(set, anchor);
  // Movers with users left are copies.
  SmallVector<Operation *> rest;
  for (Operation &op : block)
    rest.push_back(&op);
  for (Operation *op : llvm::reverse(rest)) {
    // Readers that were cloned into groups leave their original behind; it must not keep a copy alive.
    if (!taken.contains(op) && op->use_empty() && (isMover(op) || isa<ReshapeOp, UnpackOp>(op))) {
      op->erase();
      continue;
    }
    if (taken.contains(op) || !isMover(op))
      continue;
    OpSet set;
    set.insert(op);
    growPrologue(set, op->getResult(0));
    taken.insert(op);
    build(set, "elementwise");
  }
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isa<ReshapeOp, ConstantOp, UnpackOp, GroupOp>(op) && op.use_empty())
      op.erase();
  if (!sortTopologically(&block))
    return failure();
  return success();
}

struct FormGroups : impl::FormGroupsPassBase<FormGroups> {
  void runOnOperation() override {
    if (getOperation().isExternal())
      return;
    if (failed(GroupFormer(getOperation().getBody().front()).run())) {
      getOperation().emitError("TSH-0510: fusion groups depend on each other in a cycle");
      signalPassFailure();
    }
  }
};

} // namespace
} // namespace torsh
