//===-- FoldConstants.cpp - Evaluates what depends on constants only ----------------------------------------===//
#include "dialects/torsh/Splat.h"
#include "passes/graph/ConstantValues.h"
#include "passes/graph/Passes.h"

using namespace mlir;

namespace torsh {
#define GEN_PASS_DEF_FOLDCONSTANTSPASS
#include "passes/graph/Passes.h.inc"

namespace {

/// Enough for a product of two matrices of 256 x 256, and little enough for no model to make compilation slow.
constexpr int64_t kMaxIterations = int64_t(1) << 24;

class ConstantFolder {
public:
  /// Replaces the op when its results can be computed now.
  void visit(Operation *op);

private:
  const Tensor *find(Value value);
  bool isSmall(Type type) const;
  bool foldSlice(SliceOp slice);
  bool foldSplat(Operation *op);

  /// Tensors of values that are constants or views of constants; the boxes keep pointers stable.
  llvm::DenseMap<Value, std::unique_ptr<Tensor>> known;
};

bool ConstantFolder::isSmall(Type type) const {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape() && tensor.getNumElements() <= kMaxFoldedElements;
}

const Tensor *ConstantFolder::find(Value value) {
  auto it = known.find(value);
  if (it != known.end())
    return it->second.get();
  std::optional<Tensor> tensor = getConstantTensor(value);
  if (!tensor)
    return nullptr;
  return (known[value] = std::make_unique<Tensor>(std::move(*tensor))).get();
}

/// A box of a large weight becomes a step of its recipe.
bool ConstantFolder::foldSlice(SliceOp slice) {
  auto constant = slice.getX().getDefiningOp<ConstantOp>();
  auto weight = constant ? dyn_cast<WeightAttr>(constant.getValue()) : WeightAttr();
  std::optional<SmallVector<int64_t>> starts = slice.getStarts().getConstants();
  std::optional<SmallVector<int64_t>> sizes = slice.getSizes().getConstants();
  if (!weight || !starts || !sizes || llvm::any_of(slice.getSteps(), [](int64_t step) { return step != 1; }))
    return false;
  MLIRContext *context = slice.getContext();
  SmallVector<int64_t> box(*starts);
  box.append(*sizes);
  auto step = WeightStepAttr::get(context, StringAttr::get(context, "slice"), box,
                                  StringAttr::get(context, ""), slice.getY().getType());
  OpBuilder builder(slice);
  slice.replaceAllUsesWith(
      ConstantOp::create(builder, slice.getLoc(), slice.getY().getType(), weight.append(step)).getY());
  slice.erase();
  return true;
}

/// f(splat, splat) of any shape, also a symbolic one, is a splat: one element is enough.
bool ConstantFolder::foldSplat(Operation *op) {
  if (!op->hasTrait<ElementwiseOp>() || op->getNumOperands() == 0 || op->getNumResults() != 1)
    return false;
  SmallVector<Value> scalars;
  SmallVector<Tensor> tensors;
  OpBuilder builder(op);
  for (Value operand : op->getOperands()) {
    std::optional<double> number = getSplatNumber(operand);
    if (!number)
      return false;
    Type element = cast<RankedTensorType>(operand.getType()).getElementType();
    Tensor scalar = Tensor::zeros(element, {});
    if (scalar.isFloat())
      scalar.floats[0] = *number;
    else
      scalar.ints[0] = wrapTo(element, int64_t(*number));
    tensors.push_back(std::move(scalar));
  }
  for (const Tensor &tensor : tensors)
    scalars.push_back(createConstant(builder, op->getLoc(), tensor));
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  auto scalarType = RankedTensorType::get({}, type.getElementType());
  OperationState state(op->getLoc(), op->getName(), scalars, {scalarType}, op->getAttrs());
  Operation *scalarOp = builder.create(state);
  dim::Bindings symbols;
  auto results = evaluateOp(scalarOp, tensors, symbols);
  scalarOp->erase();
  for (Value scalar : scalars)
    scalar.getDefiningOp()->erase();
  if (!results) {
    llvm::consumeError(results.takeError());
    return false;
  }
  Value result = createConstant(builder, op->getLoc(), results->front());
  if (type.getRank() != 0)
    result = BroadcastOp::create(builder, op->getLoc(), type, result, ArrayRef<int64_t>());
  op->getResult(0).replaceAllUsesWith(result);
  op->erase();
  return true;
}

void ConstantFolder::visit(Operation *op) {
  if (op->getNumResults() == 0 || op->getNumRegions() != 0 || isa<ConstantOp, UnpackOp>(op) || !isPure(op) ||
      !isa<TorshDialect>(op->getDialect()))
    return;
  if (!llvm::all_of(op->getResultTypes(), [&](Type type) { return isSmall(type); }) ||
      !llvm::all_of(op->getOperandTypes(), [&](Type type) { return isSmall(type); })) {
    if (auto slice = dyn_cast<SliceOp>(op); !slice || !foldSlice(slice))
      foldSplat(op);
    return;
  }
  // The bytes of a large weight that ends small are not read here; a slice of it is still a step.
  SmallVector<Tensor> operands;
  for (Value operand : op->getOperands()) {
    const Tensor *tensor = find(operand);
    if (!tensor) {
      if (auto slice = dyn_cast<SliceOp>(op))
        foldSlice(slice);
      return;
    }
    operands.push_back(*tensor);
  }
  EvaluatorLimits limits;
  limits.maxElements = kMaxFoldedElements;
  limits.maxIterations = kMaxIterations;
  dim::Bindings symbols;
  auto results = evaluateOp(op, operands, symbols, limits);
  if (!results) {
    // The op stays and says what is wrong with it when it runs.
    llvm::consumeError(results.takeError());
    return;
  }
  // A broadcast or a long iota is cheaper as an address or an index than as bytes: others compute with its
  // numbers, but it stays.
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  bool stays =
      (isa<BroadcastOp>(op) && !isa_and_present<ConstantOp>(op->getOperand(0).getDefiningOp())) ||
      (isa<BroadcastOp>(op) && type.getNumElements() > operands[0].numElements()) ||
      (isa<IotaOp>(op) && type.getNumElements() * type.getElementTypeBitWidth() > 8 * kMaxDenseBytes);
  if (stays) {
    known[op->getResult(0)] = std::make_unique<Tensor>(std::move(results->front()));
    return;
  }
  OpBuilder builder(op);
  for (auto [result, tensor] : llvm::zip_equal(op->getResults(), *results)) {
    Value constant = createConstant(builder, op->getLoc(), tensor);
    if (constant.getType() != result.getType())
      return;
    result.replaceAllUsesWith(constant);
    known[constant] = std::make_unique<Tensor>(std::move(tensor));
  }
  op->erase();
}

struct FoldConstants : impl::FoldConstantsPassBase<FoldConstants> {
  void runOnOperation() override {
    ConstantFolder folder;
    SmallVector<Operation *> ops;
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa<GroupOp>(op))
        return WalkResult::skip();
      ops.push_back(op);
      return WalkResult::advance();
    });
    for (Operation *op : ops)
      folder.visit(op);
  }
};

} // namespace
} // namespace torsh
