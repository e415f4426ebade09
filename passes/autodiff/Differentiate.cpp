//===-- Differentiate.cpp - Reverse-mode differentiation of a block -----------------------------------------===//
//
// Activity comes from both ends: `varied` holds the values that depend on the inputs, and the walk in reverse only meets
// ops whose results have a cotangent, which are those that the outputs depend on.
//
//===--------------------------------------------------------------------------------------------------------===//
#include "passes/autodiff/Differentiate.h"
#include "dialects/torsh/Splat.h"
#include "dialects/torsh/gradients/Gradients.h"

using namespace mlir;

namespace torsh {

bool carriesGradient(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && isa<FloatType>(tensor.getElementType());
}

namespace {

/// The name of the model's node that an op came from, or the op's own name.
StringRef nodeNameOf(Operation *op) {
  StringRef name = op->getName().getStringRef();
  op->getLoc()->walk([&](Location part) {
    auto named = dyn_cast<NameLoc>(part);
    if (!named)
      return WalkResult::advance();
    name = named.getName().getValue();
    return WalkResult::interrupt();
  });
  return name;
}

std::string textOf(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

class Differentiation {
public:
  Differentiation(OpBuilder &builder, const ContributionHook &hook) : builder(builder), hook(hook) {}

  LogicalResult run(ArrayRef<Value> outputs, ArrayRef<Value> seeds, ArrayRef<Value> wrt);
  Value take(Value value);

private:
  friend class RuleCall;

  void markVaried(Block &block, ArrayRef<Value> wrt);
  bool isVaried(Value value) const { return varied.contains(value); }
  bool dependsOnInput(Operation *op) const;
  LogicalResult differentiate(Operation *op);
  void add(Value value, Value contribution) { contributions[value].push_back(contribution); }
  bool hasCotangent(Value value) const { return contributions.contains(value); }

  OpBuilder &builder;
  const ContributionHook &hook;
  llvm::DenseSet<Value> varied;
  /// What was added to each value's cotangent; one value after it was read.
  llvm::DenseMap<Value, SmallVector<Value>> contributions;
};

/// The context of one op's rule.
class RuleCall : public VJPContext {
public:
  RuleCall(Differentiation &parent, Operation *op)
      : parent(parent), op(op),
        loc(NameLoc::get(StringAttr::get(op->getContext(), "grad of " + nodeNameOf(op)), op->getLoc())) {}

  bool hasCotangent(unsigned result) const override { return parent.hasCotangent(op->getResult(result)); }
  Value cotangent(unsigned result) override {
    Value value = op->getResult(result);
    if (Value sum = parent.take(value))
      return sum;
    return createSplat(parent.builder, loc, cast<RankedTensorType>(value.getType()), 0);
  }
  bool needs(unsigned operand) const override { return parent.isVaried(op->getOperand(operand)); }
  void accumulate(unsigned operand, Value contribution) override;
  LogicalResult refuse(const Twine &why) override {
    refused = true;
    return op->emitError() << "TSH-0531: the gradient of node '" << nodeNameOf(op) << "' (" << op->getName()
                           << ") cannot be built: " << why.str();
  }
  Location getLoc() const override { return loc; }

  bool refused = false;

private:
  Differentiation &parent;
  Operation *op;
  Location loc;
};

void RuleCall::accumulate(unsigned operand, Value contribution) {
  if (!needs(operand))
    return;
  Value target = op->getOperand(operand);
  if (!typesMayBeEqual(contribution.getType(), target.getType())) {
    if (!refused)
      (void)refuse("internal error: the rule made " + textOf(contribution.getType()) + " for operand " +
                   Twine(operand) + " of type " + textOf(target.getType()));
    return;
  }
  // Two expressions for one size: the cotangent has the type of its value.
  if (contribution.getType() != target.getType())
    contribution = ReshapeOp::create(parent.builder, loc, target.getType(), contribution);
  if (parent.hook)
    contribution = parent.hook(parent.builder, op, operand, contribution);
  if (contribution)
    parent.add(target, contribution);
}

Value Differentiation::take(Value value) {
  auto it = contributions.find(value);
  if (it == contributions.end())
    return {};
  SmallVector<Value> &parts = it->second;
  Value sum = parts.front();
  for (Value part : ArrayRef<Value>(parts).drop_front())
    sum = AddOp::create(builder, part.getLoc(), sum, part);
  parts.assign(1, sum);
  return sum;
}

bool Differentiation::dependsOnInput(Operation *op) const {
  bool depends = llvm::any_of(op->getOperands(), [&](Value operand) { return isVaried(operand); });
  // Regions read values from outside without listing them as operands.
  if (!depends && op->getNumRegions() != 0)
    op->walk([&](Operation *inner) {
      depends |= llvm::any_of(inner->getOperands(), [&](Value operand) { return isVaried(operand); });
    });
  return depends;
}

void Differentiation::markVaried(Block &block, ArrayRef<Value> wrt) {
  for (Value value : wrt)
    if (carriesGradient(value.getType()))
      varied.insert(value);
  for (Operation &op : block) {
    if (op.hasTrait<ZeroGradient>() || !dependsOnInput(&op))
      continue;
    for (Value result : op.getResults())
      if (carriesGradient(result.getType()))
        varied.insert(result);
  }
}

LogicalResult Differentiation::differentiate(Operation *op) {
  if (op->hasTrait<NotDifferentiable>())
    return op->emitError()
           << "TSH-0532: node '" << nodeNameOf(op) << "' (" << op->getName()
           << ") has no derivative, and what is differentiated depends on it; stop the gradient "
              "before it, or differentiate by other inputs";
  auto rule = dyn_cast<GradientOpInterface>(op);
  if (!rule)
    return op->emitError()
           << "TSH-0530: node '" << nodeNameOf(op) << "' (" << op->getName()
           << ") has no gradient rule, and what is differentiated depends on it; express it by "
              "ops that have one";
  RuleCall call(*this, op);
  if (succeeded(rule.buildVJP(builder, call)) && !call.refused)
    return success();
  return call.refused ? failure() : call.refuse("the rule failed without a reason");
}

LogicalResult Differentiation::run(ArrayRef<Value> outputs, ArrayRef<Value> seeds, ArrayRef<Value> wrt) {
  Block &block = *builder.getInsertionBlock();
  Operation *last =
      builder.getInsertionPoint() == block.begin() ? nullptr : &*std::prev(builder.getInsertionPoint());
  markVaried(block, wrt);
  for (auto [output, seed] : llvm::zip_equal(outputs, seeds))
    if (isVaried(output))
      add(output, seed);
  SmallVector<Operation *> ops;
  for (Operation *op = last; op; op = op->getPrevNode())
    ops.push_back(op);
  for (Operation *op : ops) {
    bool active = llvm::any_of(op->getResults(), [&](Value result) { return hasCotangent(result); });
    if (active && dependsOnInput(op) && failed(differentiate(op)))
      return failure();
  }
  return success();
}

} // namespace

FailureOr<SmallVector<Value>> buildGradients(OpBuilder &builder, ArrayRef<Value> outputs,
                                             ArrayRef<Value> seeds, ArrayRef<Value> wrt,
                                             const ContributionHook &hook) {
  Differentiation differentiation(builder, hook);
  if (failed(differentiation.run(outputs, seeds, wrt)))
    return failure();
  SmallVector<Value> gradients;
  for (Value value : wrt)
    gradients.push_back(differentiation.take(value));
  return gradients;
}

} // namespace torsh
