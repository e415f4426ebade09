//===-- Plan.cpp - Reference semantics of the host plan's ops
//-----------------------------------------------===//
//
// A launch means what the group meant that its kernel was outlined from, so a plan can be compared with its
// graph.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/reference/Interpreter.h"
#include "dialects/torsh/reference/Iteration.h"

using namespace llvm;
using namespace mlir;

namespace torsh::reference {
namespace {

/// [batch..., ceil(N/p), K, p] or [batch..., ceil(N/p), K/2, p, 2] -> [batch..., K, N].
Results evaluateUnpack(UnpackOp op, Call &call) {
  const Tensor &x = call[op.getX()];
  Expected<Tensor> y = call.allocateResult(0);
  if (!y)
    return y.takeError();
  const int64_t depth = x.rank() == y->rank() + 2 ? 2 : 1;
  const int64_t batch = x.rank() - 2 - depth, rank = batch + 2;
  bool fits = batch >= 0 && y->rank() == rank &&
              (y->elementType == x.elementType || (x.elementType.isBF16() && y->elementType.isF32())) &&
              ArrayRef<int64_t>(x.shape).take_front(batch) == ArrayRef<int64_t>(y->shape).take_front(batch) &&
              x.shape[batch + 1] * depth == y->shape[batch] && (depth == 1 || x.shape.back() == 2) &&
              y->shape[batch + 1] <= x.shape[batch] * x.shape[batch + 2];
  if (!fits)
    return call.misfit(describe(x.shape, x.elementType) + " are not the panels of " +
                       describe(y->shape, y->elementType));
  SmallVector<int64_t> strides = stridesOf(x.shape);
  const int64_t panel = x.shape[batch + 2];
  copyElements(x, *y, [&](ArrayRef<int64_t> index) {
    int64_t column = index[rank - 1], k = index[rank - 2];
    int64_t position =
        column / panel * strides[batch] + k / depth * strides[batch + 1] + column % panel * depth + k % depth;
    for (int64_t dim = 0; dim < batch; ++dim)
      position += index[dim] * strides[dim];
    return position;
  });
  return single(std::move(y));
}

/// A kernel has no result; launches run it.
Results evaluateKernel(KernelOp op, Call &call) { return SmallVector<Tensor>(); }

Results evaluateLaunch(LaunchOp op, Call &call) {
  auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(op, op.getKernelAttr());
  if (!kernel)
    return call.misfit("there is no torsh.kernel with the name @" + op.getKernel());
  Expected<SmallVector<int64_t>> dims = call.valuesOf(op.getDims().getDims());
  if (!dims)
    return dims.takeError();
  ArrayAttr names = kernel.getSymbols();
  if (names.size() != dims->size())
    return call.misfit("the kernel has " + Twine(names.size()) + " symbols and the launch gives " +
                       Twine(dims->size()) + " dims");
  // The kernel sees its own symbols only.
  dim::Bindings symbols;
  for (auto [name, value] : zip(names.getAsRange<StringAttr>(), *dims))
    symbols[name.getValue()] = value;
  SmallVector<TensorRef> inputs;
  for (const Tensor *operand : call.operands)
    inputs.push_back(std::make_shared<Tensor>(*operand));
  Expected<SmallVector<TensorRef>> values = runRegion(call, kernel.getBody(), inputs, symbols);
  if (!values)
    return values.takeError();
  return copyAll(*values);
}

} // namespace

void addPlan(HandlerTable &table) {
  table.add<UnpackOp>(evaluateUnpack);
  table.add<KernelOp>(evaluateKernel);
  table.add<LaunchOp>(evaluateLaunch);
}

} // namespace torsh::reference
