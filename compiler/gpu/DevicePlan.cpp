//===-- DevicePlan.cpp - What the runtime launches and copies -----------------------------------------------===//
//
// The host plan addresses host memory, and the device has a mirror of each of its regions. A call runs on one side, so the
// values that it reads must be there: an input that only the other side has is copied, once. Which inputs those are
// follows from the order of the calls alone, so it is decided here and not during a run.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "compiler/gpu/DevicePlan.h"
#include "compiler/LaunchCost.h"
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/HostControl.h"
#include "dialects/torsh/Updates.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;

namespace torsh {
namespace {

/// The value whose buffer a value lies in.
Value rootOf(Value value) {
  while (auto reshape = value.getDefiningOp<ReshapeOp>())
    value = reshape.getX();
  return value;
}

/// Bytes of a value as a kernel sees it, in the symbols of the model's inputs.
DimAttr bytesOf(Value inside, const llvm::StringMap<DimAttr> &symbols) {
  auto type = cast<RankedTensorType>(inside.getType());
  MLIRContext *context = inside.getContext();
  int64_t bits = std::max(8u, type.getElementTypeBitWidth());
  return dim::substitute(dim::mul(dim::product(context, getDims(type)), dim::constant(context, bits / 8)),
                         symbols);
}

} // namespace

llvm::Error checkDevicePlan(func::FuncOp function) {
  bool updates = false;
  for (unsigned argument = 0; argument < function.getNumArguments(); ++argument)
    updates |= isUpdated(function, argument);
  if (updates || functionsFrom(function).size() > 1)
    return llvm::createStringError(
        llvm::Twine("TSH-0683: ") +
        (updates ? "a train step" : "a model with conditions or loops that depend on data") +
        " does not run on a GPU yet; compile it with --target=cpu");
  return llvm::Error::success();
}

DevicePlan planDevice(func::FuncOp function, const DeviceTarget &target,
                      ArrayRef<CompiledDeviceKernel> kernels) {
  DevicePlan plan;
  plan.target = target;
  SymbolTable table(function->getParentOfType<ModuleOp>());
  for (const CompiledDeviceKernel &compiled : kernels) {
    auto kernel = table.lookup<KernelOp>(compiled.name);
    DevicePlan::Kernel &entry = plan.kernels[compiled.name];
    entry.image = compiled.output;
    entry.reason = compiled.reason;
    if (std::optional<DeviceLaunch> launch = getDeviceLaunch(kernel))
      entry.threads = launch->threads;
    entry.inputs = kernel.getInputs().size();
    entry.outputs = kernel.getYielded().size();
    entry.dims = kernel.getSymbols().size();
  }
  // What only one side has. Weights are on both, inputs of the model and what the plan writes itself on the host.
  DenseSet<Value> onDevice, onBoth;
  for (LaunchOp launch : function.getOps<LaunchOp>()) {
    auto kernel = table.lookup<KernelOp>(launch.getKernel());
    bool device = !plan.kernels[launch.getKernel()].image.empty();
    llvm::StringMap<DimAttr> symbols = bindSymbols(launch, kernel);
    DevicePlan::Launch &entry = plan.launches.emplace_back();
    std::optional<DeviceLaunch> shape = device ? getDeviceLaunch(kernel) : std::nullopt;
    entry.blocks = shape ? dim::substitute(shape->blocks, symbols) : dim::constant(function.getContext(), 0);
    for (auto [input, inside] : llvm::zip_equal(launch.getInputs(), kernel.getInputs())) {
      Value root = rootOf(input);
      bool isWeight = root.getDefiningOp<ConstantOp>() != nullptr;
      bool computedOnDevice = onDevice.contains(root);
      // The other side has it alone as long as nobody has asked here before.
      bool move = !isWeight && computedOnDevice != device && !onBoth.contains(root);
      if (move)
        onBoth.insert(root);
      entry.moves.push_back(move);
      entry.bytes.push_back(bytesOf(inside, symbols));
    }
    if (device)
      onDevice.insert(launch.getResults().begin(), launch.getResults().end());
  }
  for (Value output : function.getBody().front().getTerminator()->getOperands())
    plan.outputMoves.push_back(onDevice.contains(rootOf(output)));
  return plan;
}

} // namespace torsh
