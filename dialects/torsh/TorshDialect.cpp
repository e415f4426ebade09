//===-- TorshDialect.cpp - Registration of the torsh dialect ------------------------------------------------===//
#include "dialects/torsh/Bitcast.h"
#include "dialects/torsh/CumProd.h"
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Gradient.h"
#include "dialects/torsh/Objects.h"
#include "dialects/torsh/RegionPool.h"
#include "dialects/torsh/SuppressBoxes.h"
#include "dialects/torsh/Torsh.h"
#include "dialects/torsh/TreeEnsemble.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "dialects/torsh/TorshDialect.cpp.inc"

#include "dialects/torsh/TorshEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/torsh/TorshAttrs.cpp.inc"

#include "dialects/torsh/TorshInterfaces.cpp.inc"

namespace torsh {

namespace {

/// Functions of torsh ops may be inlined anywhere.
struct TorshInlinerInterface : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Operation *, Operation *, bool) const final { return true; }
  bool isLegalToInline(Region *, Region *, bool, IRMapping &) const final { return true; }
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final { return true; }
};

/// Carries the weight store, which belongs to the context and not to a module.
struct WeightStoreInterface : DialectInterface::Base<WeightStoreInterface> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(WeightStoreInterface)
  WeightStoreInterface(Dialect *dialect) : Base(dialect) {}
  mutable WeightStore store;
};

} // namespace

void TorshDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/torsh/TorshAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/torsh/TorshOps.cpp.inc"
      >();
  addOperations<BitcastOp, CumProdOp, GradientOp, ObjectOp, RoiAlignOp, RoiMaxPoolOp, SortKeyOp,
                SuppressBoxesOp, TreeEnsembleOp>();
  addInterfaces<TorshInlinerInterface, WeightStoreInterface>();
}

WeightStore &TorshDialect::getWeightStore() { return getRegisteredInterface<WeightStoreInterface>()->store; }

Operation *TorshDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !(isa<DenseElementsAttr, WeightAttr>(value)))
    return nullptr;
  return ConstantOp::create(builder, loc, type, value);
}

WeightAttr WeightAttr::append(WeightStepAttr step) const {
  SmallVector<WeightStepAttr> steps(getSteps());
  steps.push_back(step);
  return WeightAttr::get(getContext(), getKey(), getSourceType(), steps);
}

} // namespace torsh
