//===-- LaunchCost.cpp - Arithmetic and traffic of a kernel call --------------------------------------------===//
#include "compiler/LaunchCost.h"
#include "dialects/torsh/TreeEnsemble.h"

using namespace mlir;

namespace torsh {
namespace {

DimAttr elementsOf(Value value) { return getNumElements(cast<RankedTensorType>(value.getType())); }

/// Multiply-adds of one element of a contraction's result, null for other ops.
DimAttr depthOf(Operation *op) {
  MLIRContext *context = op->getContext();
  if (auto dot = dyn_cast<DotGeneralOp>(op)) {
    DimAttr depth = dim::constant(context, 1);
    SmallVector<DimAttr> dims = getDims(dot.getLhs());
    for (int64_t axis : dot.getLhsContract())
      depth = dim::mul(depth, dims[axis]);
    return depth;
  }
  if (auto conv = dyn_cast<ConvOp>(op)) {
    // The weights' elements for each output channel.
    SmallVector<DimAttr> dims = getDims(conv.getW());
    if (conv.getLayout() == Layout::channels_last)
      return dim::product(context, ArrayRef(dims).drop_back());
    return dim::product(context, ArrayRef(dims).drop_front());
  }
  if (auto gradient = dyn_cast<ConvWeightGradOp>(op)) {
    // Every position of dy.
    SmallVector<DimAttr> dims = getDims(gradient.getDy());
    if (gradient.getLayout() == Layout::channels_last)
      return dim::product(context, ArrayRef(dims).drop_back());
    dims.erase(dims.begin() + 1);
    return dim::product(context, dims);
  }
  if (auto forest = dyn_cast<TreeEnsembleOp>(op)) {
    // A step takes as long as some ten multiply-adds; as many steps as a balanced tree of so many nodes is deep.
    int64_t trees = forest.getTrees().getType().getShape()[0],
            nodes = forest.getNodes().getType().getShape()[0];
    int64_t targets = forest.getY().getType().getShape()[2];
    int64_t steps = trees * llvm::Log2_64_Ceil(std::max<int64_t>(2, nodes / trees));
    // Chunks share the trees.
    return dim::floorDiv(dim::constant(context, 10 * steps / targets), getDims(forest.getY())[0]);
  }
  if (isa<LstmOp, GruOp, RnnOp>(op)) {
    // All gates' products of the input and of the state.
    SmallVector<DimAttr> w = getDims(op->getOperand(1)), r = getDims(op->getOperand(2));
    return dim::mul(dim::floorDiv(w[1], r[2]), dim::add(w[2], r[2]));
  }
  return {};
}

} // namespace

llvm::StringMap<DimAttr> bindSymbols(LaunchOp launch, KernelOp kernel) {
  llvm::StringMap<DimAttr> binding;
  for (auto [index, attr] : llvm::enumerate(launch.getDims().getDims()))
    binding[cast<StringAttr>(kernel.getSymbols()[index]).getValue()] = attr;
  return binding;
}

LaunchCost getLaunchCost(LaunchOp launch, KernelOp kernel) {
  MLIRContext *context = launch.getContext();
  LaunchCost cost{dim::constant(context, 0), dim::constant(context, 0)};
  for (Operation &op : kernel.getBody().front()) {
    if (isa<YieldOp, ConstantOp, BroadcastOp, TransposeOp, SliceOp, PadOp, GatherOp, IotaOp, ConcatOp,
            ReshapeOp, UnpackOp>(op))
      continue;
    DimAttr depth = depthOf(&op), one = dim::constant(context, 1);
    if (depth)
      one = dim::mul(dim::constant(context, 2), depth);
    if (isa<MaxPoolOp, AvgPoolOp, MaxPoolGradOp, AvgPoolGradOp>(op))
      for (int64_t size : op.getAttrOfType<DenseI64ArrayAttr>("window").asArrayRef())
        one = dim::mul(one, dim::constant(context, size));
    // Reductions compute as many elements as they read.
    Value counted = isa<ReduceOp, ArgReduceOp>(op) ? op.getOperand(0) : Value(op.getResult(0));
    cost.flops = dim::add(cost.flops, dim::mul(one, elementsOf(counted)));
  }
  // By the kernel's types: of a launch that runs once an image, they are those of a call.
  auto addBytes = [&](auto values) {
    for (Value value : values) {
      auto type = cast<RankedTensorType>(value.getType());
      int64_t bits = std::max(8u, type.getElementTypeBitWidth());
      cost.bytes = dim::add(cost.bytes, dim::mul(getNumElements(type), dim::constant(context, bits / 8)));
    }
  };
  addBytes(kernel.getInputs());
  addBytes(kernel.getYielded());
  llvm::StringMap<DimAttr> binding = bindSymbols(launch, kernel);
  cost.flops = dim::substitute(cost.flops, binding);
  cost.bytes = dim::substitute(cost.bytes, binding);
  return cost;
}

DimAttr estimateNanoseconds(LaunchOp launch, KernelOp kernel) {
  // Of one core, in good kernels: operations and bytes from the cache in a nanosecond, and elements of a function.
  constexpr int64_t flops = 32, bytes = 16, functions = 1;
  MLIRContext *context = launch.getContext();
  LaunchCost cost = getLaunchCost(launch, kernel);
  DimAttr elements = dim::constant(context, 0);
  for (Operation &op : kernel.getBody().front())
    if (isa<ExpOp, Expm1Op, LogOp, Log1pOp, SinOp, CosOp, TanOp, TanhOp, ErfOp, SigmoidOp, SoftplusOp, PowOp,
            DivOp, GatherOp>(op))
      elements = dim::add(elements, elementsOf(op.getResult(0)));
  elements = dim::substitute(elements, bindSymbols(launch, kernel));
  auto divided = [&](DimAttr amount, int64_t by) {
    return dim::floorDiv(amount, dim::constant(context, by));
  };
  return dim::add(divided(elements, functions),
                  dim::add(divided(cost.flops, flops), divided(cost.bytes, bytes)));
}

CostReader::CostReader(const llvm::StringMap<int64_t> &sizes)
    : sizes(sizes), context(MLIRContext::Threading::DISABLED) {
  context.loadDialect<TorshDialect>();
}

double CostReader::evaluate(llvm::StringRef text) {
  FailureOr<DimAttr> parsed = dim::parse(&context, text);
  return succeeded(parsed) ? double(dim::evaluate(*parsed, sizes).value_or(0)) : 0;
}

} // namespace torsh
