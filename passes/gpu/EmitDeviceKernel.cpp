//===-- EmitDeviceKernel.cpp - Which strategy builds a kernel of a GPU --------------------------------------===//
#include "passes/gpu/DeviceBuilder.h"

using namespace mlir;

namespace torsh {
namespace {

/// One row a strategy: the anchor that a fusion group carries, its code and its launch.
struct DeviceStrategy {
  StringRef anchor;
  LogicalResult (*emit)(DeviceBuilder &);
  DeviceLaunch (*launch)(KernelOp);
};

const DeviceStrategy strategies[] = {
    {"elementwise", emitDeviceElementwise, getDeviceElementwiseLaunch},
    {"concat", emitDeviceElementwise, getDeviceElementwiseLaunch},
    {"row_norm", emitDeviceRowNorm, getDeviceRowNormLaunch},
    {"dot", emitDeviceDot, getDeviceDotLaunch},
};

const DeviceStrategy *find(StringRef anchor) {
  for (const DeviceStrategy &strategy : strategies)
    if (strategy.anchor == anchor)
      return &strategy;
  return nullptr;
}

} // namespace

std::optional<DeviceLaunch> getDeviceLaunch(KernelOp kernel) {
  const DeviceStrategy *strategy = find(kernel.getAnchor());
  if (!strategy)
    return std::nullopt;
  return strategy->launch(kernel);
}

FailureOr<func::FuncOp> emitDeviceKernel(KernelOp kernel, const DeviceTarget &target, OpBuilder &builder,
                                         std::string *note) {
  const DeviceStrategy *strategy = find(kernel.getAnchor());
  if (!strategy)
    return kernel.emitError("TSH-0590: kernels anchored by '")
               << kernel.getAnchor() << "' have no code for a GPU",
           failure();
  OpBuilder::InsertionGuard guard(builder);
  DeviceBuilder db(kernel, target, strategy->launch(kernel), builder);
  LogicalResult built = strategy->emit(db);
  db.finish();
  if (note)
    *note = db.note;
  if (failed(built)) {
    db.getFunction().erase();
    return failure();
  }
  return db.getFunction();
}

} // namespace torsh
