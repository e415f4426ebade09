//===-- GroupFormer.cpp - Which ops become one kernel --------------------------------------------------------===//
#include "passes/graph/GroupFormer.h"
#include "dialects/torsh/CumProd.h"
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/ExpandDepthwise.h"
#include "dialects/torsh/RegionPool.h"
#include "dialects/torsh/SplitDims.h"
#include "dialects/torsh/SuppressBoxes.h"
#include "dialects/torsh/TreeEnsemble.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "passes/graph/StreamedAttention.h"

using namespace mlir;

namespace torsh {

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
      .Case<MaxPoolGradOp, AvgPoolGradOp>([](auto) { return "pool_grad"; })
      .Case([](ConvWeightGradOp) { return "weight_grad"; })
      .Case<SoftmaxOp, LogSoftmaxOp, LayerNormOp, RmsNormOp>([](auto) { return "row_norm"; })
      .Case([](ReduceOp) { return "reduce"; })
      .Case<LstmOp, GruOp, RnnOp>([](auto) { return "recurrent"; })
      .Case([](ResizeOp) { return "resize"; })
      .Case<CumSumOp, CumProdOp>([](auto) { return "scan"; })
      .Case([](TreeEnsembleOp) { return "trees"; })
      .Case([](ConcatOp) { return "concat"; })
      .Case([](WinogradInputOp) { return "winograd_input"; })
      .Case([](WinogradOutputOp) { return "winograd_output"; })
      .Case<ArgReduceOp, TopKOp, GatherElementsOp, GatherNdOp, ScatterElementsOp, ScatterNdOp,
            ConvTransposeOp, GroupNormOp, BatchNormOp, RandomUniformOp, RandomNormalOp, NonZeroOp,
            NonMaxSuppressionOp, SuppressBoxesOp, RoiAlignOp, RoiMaxPoolOp>([](auto) { return "index"; })
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

} // namespace

GroupFormer::GroupFormer(Block &block, FusionLevel level, bool streamAttention)
    : block(block), level(level), streamAttention(streamAttention) {
  for (Operation &op : block)
    order[&op] = order.size();
}

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

/// The rounded copy of a value, which contractions read.
static bool isNarrowing(Operation *op) {
  auto cast = dyn_cast<CastOp>(op);
  return cast && typeOf(cast.getX()).getElementType().isF32() &&
         typeOf(cast.getY()).getElementType().isBF16();
}

unsigned GroupFormer::countYields(const OpSet &set) const {
  auto isRead = [&](Value result) {
    return llvm::any_of(result.getUsers(), [&](Operation *user) { return !set.contains(user); });
  };
  unsigned count = 0;
  for (Operation *op : set) {
    // A value and its rounded copy are one: torsh-narrow-activations keeps both only where it must.
    Operation *source = isNarrowing(op) ? op->getOperand(0).getDefiningOp() : nullptr;
    if (source && set.contains(source) && isRead(op->getOperand(0)))
      continue;
    for (Value result : op->getResults())
      count += isRead(result);
  }
  return count;
}

/// Whether a reader of the set can be computed where the root's value is, without a cycle between groups.
bool GroupFormer::mayFollow(Operation *user, const OpSet &set, Value root) const {
  if (user->getBlock() != &block || !isElementwise(user) || !sameShape(user->getResult(0), root))
    return false;
  // Only values of the root's shape may be consumed here; others are results of another index space.
  return llvm::all_of(user->getOperands(), [&](Value operand) {
    Operation *producer = operand.getDefiningOp();
    if (producer && set.contains(producer))
      return sameShape(operand, root) && (level != FusionLevel::Conservative || operand.hasOneUse());
    llvm::SmallPtrSet<Operation *, 32> visited;
    return !dependsOn(operand, set, visited);
  });
}

unsigned GroupFormer::mostYields(StringRef anchor) const {
  if (level == FusionLevel::Conservative || anchor == "attention")
    return 1;
  unsigned most = anchor == "elementwise" ? 3 : 2;
  return level == FusionLevel::Aggressive ? 2 * most : most;
}

/// Whether the tuner found a kernel of its own to be quicker for what follows the op.
static bool isApart(Operation *root) {
  auto choices = root->getAttrOfType<DictionaryAttr>("torsh.choices");
  return choices && choices.contains("separate_epilogue");
}

/// Adds elementwise consumers at the root's shape.
void GroupFormer::growEpilogue(OpSet &set, Value root, unsigned maxYields) {
  if (isApart(set.front()))
    return;
  bool grew = true;
  while (grew) {
    grew = false;
    for (size_t i = 0; i < set.size() && !grew; ++i) {
      for (Operation *user : set[i]->getUsers()) {
        if (set.contains(user) || !isFree(user) || !mayFollow(user, set, root))
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
static bool isWindow(Operation *op) {
  return op && (isa<BroadcastOp, TransposeOp, SliceOp, ReshapeOp, UnpackOp>(op));
}

/// Whether the value is packed weights: the contraction's kernel looks through every reshape and transpose to the panels.
static bool isPacked(Value value) {
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

/// Whether a chain of windows leaves the elements of the last dim next to each other.
static bool keepsLastDim(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isWindow(op))
      return true;
    SmallVector<DimAttr> dims = getDims(op->getOperand(0)), result = getDims(value);
    bool kept = !dims.empty() && !result.empty() && dims.back() == result.back();
    if (auto transpose = dyn_cast<TransposeOp>(op))
      kept = transpose.getPermutation().back() + 1 == int64_t(transpose.getPermutation().size());
    else if (auto slice = dyn_cast<SliceOp>(op))
      kept = slice.getSteps().back() == 1;
    else if (auto broadcast = dyn_cast<BroadcastOp>(op))
      kept &= broadcast.getAxes().back() + 1 == int64_t(result.size());
    if (!kept)
      return false;
    value = op->getOperand(0);
  }
  return true;
}

/// Whether the op reads an operand in vectors along its last dim, and has no other code: a depthwise convolution.
static bool readsVectors(Operation *op, unsigned operand) {
  return operand < 2 && anchorOf(op) == "depthwise";
}

/// Clones windows and splat constants that feed the set, so that they end in addresses and registers.
void GroupFormer::cloneInputs(OpSet &set, StringRef anchor) {
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
      bool window = isWindow(producer) && isAddressable(operand.get()) &&
                    (!readsVectors(op, operand.getOperandNumber()) || keepsLastDim(operand.get()));
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
void GroupFormer::buildGroup(OpSet &set, StringRef anchor) {
  cloneInputs(set, anchor);
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

void GroupFormer::plan() {
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
    auto softmax = streamAttention ? dyn_cast<SoftmaxOp>(op) : SoftmaxOp();
    auto attention = softmax ? matchStreamedAttention(softmax) : std::nullopt;
    if (!attention || !llvm::all_of(attention->ops, [&](Operation *op) { return isFree(op); }))
      continue;
    OpSet set(attention->ops.begin(), attention->ops.end());
    growEpilogue(set, attention->sum.getY(), mostYields("attention"));
    addFinalTranspose(set, attention->sum.getY());
    claim(set, "attention");
  }
  // A wide image that would leave the cache is filtered while it is made, row by row.
  constexpr int64_t worthFusing = 1 << 20;
  for (Operation *op : ops) {
    auto filter = dyn_cast<ConvOp>(op);
    auto pair = filter && level != FusionLevel::Conservative ? matchExpandDepthwise(filter) : std::nullopt;
    if (!pair || pair->bytesBetween() < worthFusing || isApart(pair->wide))
      continue;
    OpSet set;
    set.insert(filter);
    set.insert(pair->wide);
    set.insert(pair->between.begin(), pair->between.end());
    if (!llvm::all_of(set, [&](Operation *op) { return isFree(op); }))
      continue;
    growEpilogue(set, filter.getY(), mostYields("expand_depthwise"));
    claim(set, "expand_depthwise");
  }
  // Contractions next: their epilogues save the most traffic.
  auto anchored = [&](ArrayRef<StringRef> anchors, bool prologue, bool epilogue) {
    for (Operation *op : ops) {
      StringRef anchor = anchorOf(op);
      if (!isFree(op) || !llvm::is_contained(anchors, anchor))
        continue;
      OpSet set;
      set.insert(op);
      if (prologue && level != FusionLevel::Conservative)
        growPrologue(set, op->getOperand(0));
      if (epilogue)
        growEpilogue(set, op->getResult(0), mostYields(anchor));
      if (anchor == "dot")
        addFinalTranspose(set, op->getResult(0));
      claim(set, anchor);
    }
  };
  anchored({"dot", "conv", "winograd_output"}, false, true);
  anchored({"depthwise"}, false, true);
  anchored({"row_norm", "reduce"}, true, true);
  anchored({"pool", "pool_grad", "weight_grad", "recurrent", "resize", "scan", "concat", "winograd_input",
            "trees", "index"},
           false, false);
  // What is left: chains of elementwise ops. A conservative chain grows from its first op by single readers.
  // Rounded copies come last, so that the kernel of their source takes them.
  auto chain = [&](Operation *op, bool narrowing) {
    if (!isFree(op) || !isElementwise(op) || isNarrowing(op) != narrowing)
      return;
    OpSet set;
    set.insert(op);
    if (level != FusionLevel::Conservative)
      growPrologue(set, op->getResult(0));
    growEpilogue(set, op->getResult(0), mostYields("elementwise"));
    claim(set, "elementwise");
  };
  if (level != FusionLevel::Conservative)
    std::reverse(ops.begin(), ops.end());
  for (bool narrowing : {false, true})
    for (Operation *op : ops)
      chain(op, narrowing);
  for (Operation *op : ops)
    for (Value operand : op->getOperands())
      if (Operation *producer = operand.getDefiningOp(); producer && isRecomputed(producer, op))
        recomputed.insert({producer, op});
}

LogicalResult GroupFormer::build() {
  // Before any group is built, which replaces its ops.
  for (auto [producer, reader] : recomputed) {
    Operation *clone = OpBuilder(reader).clone(*producer);
    for (OpOperand &operand : reader->getOpOperands())
      if (operand.get().getDefiningOp() == producer)
        operand.set(clone->getResult(0));
    order[clone] = order[reader];
    taken.insert(clone);
    groups[groupOf[reader]].first.insert(clone);
  }
  for (auto &[set, anchor] : groups)
    buildGroup(set, anchor);
  // Movers with users left are copies.
  SmallVector<Operation *> rest;
  for (Operation &op : block)
    rest.push_back(&op);
  llvm::DenseSet<Operation *> gone;
  for (Operation *op : llvm::reverse(rest)) {
    if (gone.contains(op))
      continue;
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
    gone.insert(set.begin(), set.end());
    buildGroup(set, "elementwise");
  }
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isa<ReshapeOp, ConstantOp, UnpackOp, GroupOp>(op) && op.use_empty())
      op.erase();
  if (!sortTopologically(&block))
    return failure();
  return success();
}

/// Elementwise ops that cost no more than the load that they replace.
static bool isCheap(Operation *op) {
  return isa<AddOp, SubOp, MulOp, NegOp, AbsOp, MaximumOp, MinimumOp, CastOp>(op);
}

/// Whether the reader's kernel is to compute the producer again instead of loading it: a cheap op on one tensor that lies
/// in memory anyway, read where values are pulled one by one.
bool GroupFormer::isRecomputed(Operation *producer, Operation *reader) const {
  auto readerGroup = groupOf.find(reader), producerGroup = groupOf.find(producer);
  if (level != FusionLevel::Aggressive || readerGroup == groupOf.end() || producerGroup == groupOf.end() ||
      readerGroup->second == producerGroup->second || !isCheap(producer) || !isElementwise(reader))
    return false;
  unsigned tensors = 0;
  for (Value operand : producer->getOperands()) {
    Operation *source = operand.getDefiningOp();
    if (isSplatConstant(source))
      continue;
    ++tensors;
    // What the producer's own kernel computes is not in memory, and windows are addresses of something else.
    auto sourceGroup = source ? groupOf.find(source) : groupOf.end();
    if ((source && sourceGroup == groupOf.end()) ||
        (sourceGroup != groupOf.end() && sourceGroup->second == producerGroup->second))
      return false;
    // The reader's kernel must not wait for itself.
    llvm::SmallPtrSet<Operation *, 32> visited;
    if (dependsOn(operand, groups[readerGroup->second].first, visited))
      return false;
  }
  return tensors == 1;
}

//===-- Questions about the plan ----------------------------------------------------------------------------------===//

std::optional<size_t> GroupFormer::findGroup(Operation *op) const {
  auto it = groupOf.find(op);
  return it == groupOf.end() ? std::nullopt : std::optional<size_t>(it->second);
}

bool GroupFormer::areFused(Operation *producer, Operation *reader) const {
  std::optional<size_t> group = findGroup(producer);
  return (group && group == findGroup(reader)) || recomputed.contains({producer, reader});
}

Operation *GroupFormer::findProducer(Value operand) const {
  Operation *op = operand.getDefiningOp();
  while (op && isWindow(op) && isFree(op) && isAddressable(op->getResult(0)))
    op = op->getOperand(0).getDefiningOp();
  return op && (findGroup(op) || isMover(op)) ? op : nullptr;
}

static std::string shapeText(Value value) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::interleave(getDims(value), os, [&](DimAttr dim) { os << dim::toString(dim); }, "x");
  return text;
}

std::string GroupFormer::explain(Operation *producer, Operation *reader) const {
  std::optional<size_t> from = findGroup(producer), to = findGroup(reader);
  unsigned readers = llvm::range_size(producer->getUsers());
  std::string several = "its value has " + std::to_string(readers) + " readers";
  if (!from)
    return "a change of layout that is no address is a copy, which is a kernel of its own";
  if (!to)
    return "its value is copied to another layout, which is a kernel of its own";
  StringRef anchor = getAnchor(*from), target = getAnchor(*to);
  Operation *root = getRoot(*to);
  bool pulls = target == "row_norm" || target == "reduce";
  if (reader == root && !anchorOf(reader).empty()) {
    if (target == "concat")
      return "a 'concat' kernel copies its operands from memory";
    if (!pulls)
      return ("a '" + target +
              "' kernel reads its operands from memory: it would compute them again for every tile")
          .str();
    if (!anchorOf(producer).empty())
      return "both are roots of kernels";
    if (level == FusionLevel::Conservative)
      return ("a '" + target + "' kernel takes nothing that feeds it").str();
    if (!sameShape(producer->getResult(0), reader->getOperand(0)))
      return "the shapes differ: " + shapeText(producer->getResult(0)) + " and " +
             shapeText(reader->getOperand(0));
    if (anchor != "elementwise")
      return ("it belongs to the '" + anchor + "' kernel that it follows").str();
    return several + ", and it is written for the others anyway";
  }
  if (!isElementwise(reader))
    return "only elementwise code joins another kernel";
  if (llvm::is_contained({"pool", "pool_grad", "weight_grad", "recurrent", "resize", "scan", "concat",
                          "winograd_input", "index"},
                         anchor))
    return ("a '" + anchor + "' kernel has no place for code behind it").str();
  Value value = getRoot(*from)->getResult(0);
  if (!sameShape(reader->getResult(0), value))
    return "the shapes differ: " + shapeText(value) + " and " + shapeText(reader->getResult(0));
  if (level == FusionLevel::Conservative && readers > 1)
    return several;
  if (isApart(getRoot(*from)))
    return "two kernels were measured to be quicker";
  if (target != "elementwise" || root != reader)
    return ("the reader belongs to the '" + target + "' kernel that it follows or feeds").str();
  if (!mayFollow(reader, groups[*from].first, value))
    return "another operand waits for a kernel that waits for this one";
  return "the kernel would have more than " + std::to_string(mostYields(anchor)) + " results";
}

std::optional<FusionLevel> parseFusionLevel(StringRef name) {
  for (FusionLevel level : {FusionLevel::Conservative, FusionLevel::Default, FusionLevel::Aggressive})
    if (getFusionLevelName(level) == name)
      return level;
  return std::nullopt;
}

StringRef getFusionLevelName(FusionLevel level) {
  return level == FusionLevel::Conservative ? "conservative"
         : level == FusionLevel::Default    ? "default"
                                            : "aggressive";
}

} // namespace torsh
