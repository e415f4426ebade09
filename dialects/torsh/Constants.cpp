//===-- Constants.cpp - Verifiers and folder of constants and parameters --------------------------------===//
#include "dialects/torsh/Dim.h"
#include "dialects/torsh/Torsh.h"

using namespace mlir;

namespace torsh {

/// Larger values are weights, whose bytes stay out of the IR.
static constexpr int64_t kMaxDenseBytes = 1024;

static LogicalResult verifyValue(Operation *op, StringRef label, Attribute value, Type type) {
  if (auto weight = dyn_cast<WeightAttr>(value)) {
    if (weight.getResultType() != type)
      return op->emitOpError(label) << ": the weight has type " << weight.getResultType() << ", not " << type;
    return success();
  }
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense)
    return op->emitOpError(label) << ": the value is neither dense nor a weight";
  if (dense.getType() != type)
    return op->emitOpError(label) << ": the value has type " << dense.getType() << ", not " << type;
  if (!dense.isSplat() && static_cast<int64_t>(dense.getRawData().size()) > kMaxDenseBytes)
    return op->emitOpError(label) << ": a dense value of " << dense.getRawData().size()
                                  << " bytes must be a weight (more than " << kMaxDenseBytes << " bytes)";
  return success();
}

LogicalResult ConstantOp::verify() { return verifyValue(*this, "constant_c1", getValue(), getY().getType()); }

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

LogicalResult ParamOp::verify() {
  if (!isa<RankedTensorType>(getType()))
    return emitOpError("param_c1: the type is ") << getType() << ", not a ranked tensor";
  return verifyValue(*this, "param_c1", getValue(), getType());
}

LogicalResult GetParamOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto param = symbols.lookupNearestSymbolFrom<ParamOp>(*this, getParamAttr());
  if (!param)
    return emitOpError("get_param_c1: there is no torsh.param ") << getParamAttr();
  if (param.getType() != getY().getType())
    return emitOpError("get_param_c1: ") << getParamAttr() << " has type " << param.getType();
  return success();
}

} // namespace torsh
