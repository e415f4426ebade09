//===-- OutlineRegions.cpp - Bodies of control flow -> functions --------------------------------------------===//
#include "dialects/torsh/HostControl.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"
#include "passes/graph/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_OUTLINEREGIONSPASS
#include "passes/graph/Passes.h.inc"

namespace {

/// Ops without operands that a body has of its own: as arguments constants would not be constants.
bool isCloned(Operation *op) { return isa_and_present<ConstantOp, FromDimsOp>(op); }

bool sameTypes(TypeRange a, TypeRange b) { return llvm::equal(a, b); }

/// Whether all values keep the sizes that the op declares, so that their buffers are known before the run.
LogicalResult checkSizes(Operation *control) {
  auto yielded = [](Region &region) { return TypeRange(region.front().getTerminator()->getOperandTypes()); };
  TypeRange results = control->getResultTypes();
  bool fixed = true;
  if (auto branch = dyn_cast<IfOp>(control)) {
    fixed = sameTypes(yielded(branch.getThenRegion()), results) &&
            sameTypes(yielded(branch.getElseRegion()), results);
  } else if (auto loop = dyn_cast<WhileOp>(control)) {
    fixed = sameTypes(loop.getInitial().getTypes(), results) &&
            sameTypes(TypeRange(loop.getBody().front().getArgumentTypes()), results) &&
            sameTypes(yielded(loop.getBody()).drop_front(), results);
  } else if (auto loop = dyn_cast<ForOp>(control)) {
    size_t count = loop.getInitial().size();
    TypeRange yields = yielded(loop.getBody());
    fixed = sameTypes(loop.getInitial().getTypes(), results.take_front(count)) &&
            sameTypes(TypeRange(loop.getBody().front().getArgumentTypes()).drop_front(),
                      results.take_front(count)) &&
            sameTypes(yields.take_front(count), results.take_front(count));
    for (auto [slice, stack] : llvm::zip_equal(yields.drop_front(count), results.drop_front(count))) {
      SmallVector<DimAttr> inner = getDims(cast<RankedTensorType>(slice)),
                           outer = getDims(cast<RankedTensorType>(stack));
      fixed &= outer.size() == inner.size() + 1 && std::equal(inner.begin(), inner.end(), outer.begin() + 1);
    }
  }
  if (fixed)
    return success();
  return control->emitError("TSH-0523: the sizes of a value change in '")
         << control->getName().stripDialect()
         << "' with the data, and its buffer must be known before the run; fix the sizes with --dim, pad "
            "them to the largest, or use `torshc run --naive`";
}

class Outliner {
public:
  explicit Outliner(ModuleOp module) : module(module), builder(module.getContext()) {}

  LogicalResult outline(func::FuncOp function);

private:
  func::FuncOp moveBody(Region &region, StringRef name, ArrayRef<Value> captures);
  void outline(Operation *control, StringRef name);

  ModuleOp module;
  OpBuilder builder;
};

/// A private function of a region's ops: its arguments are the region's, then what the region uses from outside.
func::FuncOp Outliner::moveBody(Region &region, StringRef name, ArrayRef<Value> captures) {
  Block &block = region.front();
  Operation *yield = block.getTerminator();
  SmallVector<Type> arguments(block.getArgumentTypes());
  llvm::append_range(arguments, ValueRange(captures).getTypes());
  builder.setInsertionPointToEnd(module.getBody());
  auto function =
      func::FuncOp::create(builder, region.getLoc(), name,
                           builder.getFunctionType(arguments, TypeRange(yield->getOperandTypes())));
  function.setPrivate();
  Block *body = function.addEntryBlock();
  IRMapping mapping;
  for (auto [from, to] : llvm::zip(block.getArguments(), body->getArguments()))
    mapping.map(from, to);
  for (auto [from, to] : llvm::zip_equal(captures, body->getArguments().drop_front(block.getNumArguments())))
    mapping.map(from, to);
  builder.setInsertionPointToStart(body);
  llvm::SetVector<Value> used;
  getUsedValuesDefinedAbove(region, used);
  for (Value value : used)
    if (isCloned(value.getDefiningOp()))
      mapping.map(value, builder.clone(*value.getDefiningOp())->getResult(0));
  for (Operation &op : block.without_terminator())
    builder.clone(op, mapping);
  SmallVector<Value> results;
  for (Value value : yield->getOperands())
    results.push_back(mapping.lookupOrDefault(value));
  func::ReturnOp::create(builder, yield->getLoc(), results);
  return function;
}

void Outliner::outline(Operation *control, StringRef name) {
  llvm::SetVector<Value> captures;
  for (Region &region : control->getRegions())
    getUsedValuesDefinedAbove(region, captures);
  captures.remove_if([](Value value) { return isCloned(value.getDefiningOp()); });
  SmallVector<Value> inputs(control->getOperands());
  llvm::append_range(inputs, captures);

  SmallVector<func::FuncOp> bodies;
  for (Region &region : control->getRegions())
    bodies.push_back(
        moveBody(region, (name + "_body" + Twine(region.getRegionNumber())).str(), captures.getArrayRef()));
  if (isa<StageOp>(control))
    bodies.front()->setAttr(kStageAttr, builder.getUnitAttr());
  Location loc = control->getLoc();
  builder.setInsertionPoint(control);
  auto group =
      GroupOp::create(builder, loc, control->getResultTypes(), inputs, builder.getStringAttr(kControlAnchor));
  Block *inside = &group.getBody().emplaceBlock();
  IRMapping mapping;
  for (auto [index, value] : llvm::enumerate(inputs)) {
    Value argument = inside->addArgument(value.getType(), value.getLoc());
    // A value that is an operand and a capture is both; each part sees its own argument.
    if (index < control->getNumOperands())
      continue;
    mapping.map(value, argument);
  }
  builder.setInsertionPointToStart(inside);
  OperationState state(loc, control->getName());
  state.addOperands(ValueRange(inside->getArguments().take_front(control->getNumOperands())));
  state.addTypes(control->getResultTypes());
  state.addAttributes(control->getAttrs());
  for (unsigned i = 0; i < control->getNumRegions(); ++i)
    state.addRegion();
  Operation *copy = builder.create(state);
  for (auto [region, from, body] : llvm::zip_equal(copy->getRegions(), control->getRegions(), bodies)) {
    Block &block = region.emplaceBlock();
    SmallVector<Value> arguments;
    for (BlockArgument argument : from.getArguments())
      arguments.push_back(block.addArgument(argument.getType(), argument.getLoc()));
    for (Value capture : captures)
      arguments.push_back(mapping.lookup(capture));
    builder.setInsertionPointToStart(&block);
    auto call = func::CallOp::create(builder, loc, body, arguments);
    YieldOp::create(builder, loc, call.getResults());
  }
  builder.setInsertionPointToEnd(inside);
  YieldOp::create(builder, loc, copy->getResults());
  control->replaceAllUsesWith(group.getResults());
  control->erase();
}

LogicalResult Outliner::outline(func::FuncOp function) {
  SmallVector<Operation *> controls;
  for (Operation &op : function.getBody().front())
    if (isa<IfOp, ForOp, WhileOp, StageOp>(op))
      controls.push_back(&op);
  for (auto [index, control] : llvm::enumerate(controls)) {
    if (failed(checkSizes(control)))
      return failure();
    outline(control, (function.getSymName() + "_" + control->getName().stripDialect() + Twine(index)).str());
  }
  return success();
}

struct OutlineRegions : impl::OutlineRegionsPassBase<OutlineRegions> {
  void runOnOperation() override {
    Outliner outliner(getOperation());
    // Bodies are added behind, and are outlined in their turn.
    for (Operation &op : *getOperation().getBody())
      if (auto function = dyn_cast<func::FuncOp>(op); function && !function.isExternal())
        if (failed(outliner.outline(function)))
          return signalPassFailure();
  }
};

} // namespace
} // namespace torsh
