//===-- ElementwiseDevice.cpp - Elementwise chains and copies on a GPU --------------------------------------===//
//
// A thread computes one index of the result and stores all yields there, so that neighbours read and write neighbours.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "passes/gpu/DeviceBuilder.h"

using namespace mlir;

namespace torsh {

static constexpr unsigned threadsOfBlock = 256;

DeviceLaunch getDeviceElementwiseLaunch(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  DimAttr elements = dim::product(context, getDims(kernel.getYielded()[0]));
  return {dim::ceilDiv(elements, dim::constant(context, threadsOfBlock)), threadsOfBlock};
}

LogicalResult emitDeviceElementwise(DeviceBuilder &db) {
  SmallVector<Value> sizes = db.dims(db.kernel.getYielded()[0]);
  Value elements = db.constant(1);
  for (Value size : sizes)
    elements = db.mul(elements, size);
  Value index = db.add(db.mul(db.block, db.constant(threadsOfBlock)), db.thread);
  LogicalResult result = success();
  db.ifThen(db.less(index, elements), [&] {
    SmallVector<Value> at;
    if (!sizes.empty())
      at = db.delinearize(index, sizes);
    result = db.storeYielded(at, 1);
  });
  db.note = "a thread an element";
  return result;
}

} // namespace torsh
