//===-- CastOps.cpp - Cast and CastLike ----------------------------------------------------------------------===//
#include "frontends/onnx/ops/CastOps.h"
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/ops/Compose.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

Value castTo(NodeImport &n, Value x, mlir::Type target, bool saturate) {
  auto type = withElementType(mlir::cast<RankedTensorType>(x.getType()), target);
  return CastOp::create(n.builder, n.loc, type, x, saturate);
}

/// To float8e8m0, the powers of two from 2^-127 to 2^127. torsh.cast rounds to the nearest one; from there the mode's own
/// is at most one step away. As in ONNX's evaluator a sign is dropped.
FailureOr<Value> castToPower(NodeImport &n, Value x, mlir::Type target, bool saturate) {
  StringRef mode = n.stringAttr("round_mode", "up");
  if (mode != "up" && mode != "down" && mode != "nearest")
    return LogicalResult(n.malformed("round_mode is '" + mode + "'; it must be 'up', 'down' or 'nearest'"));
  mlir::Type f32 = n.builder.getF32Type();
  x = n.create<AbsOp>(n.cast(x, f32));
  if (mode == "nearest")
    return castTo(n, x, target, saturate);
  Value nearest = n.cast(castTo(n, x, target, true), f32);
  bool up = mode == "up";
  Value passed = up ? n.create<CompareOp>(nearest, x, ComparePredicate::lt)
                    : n.create<CompareOp>(nearest, x, ComparePredicate::gt);
  Value power = n.create<SelectOp>(passed, scale(n, nearest, up ? 2.0 : 0.5), nearest);
  if (!saturate) {
    // What is out of range must still be so.
    Value outside = n.create<OrOp>(compareNumber(n, x, ComparePredicate::lt, 0x1p-127),
                                   compareNumber(n, x, ComparePredicate::gt, 0x1p127));
    power = n.create<SelectOp>(outside, x, power);
  }
  return castTo(n, power, target, saturate);
}

LogicalResult importCastTo(NodeImport &n, mlir::Type target) {
  Value x = n.operand(0);
  mlir::Type from = elementTypeOf(x);
  bool saturate = n.intAttr("saturate", 1) != 0;
  if (from == target) {
    n.setResult(0, x);
    return success();
  }
  if (isa<Float8E8M0FNUType>(target)) {
    FailureOr<Value> power = castToPower(n, x, target, saturate);
    if (failed(power))
      return failure();
    n.setResult(0, *power);
    return success();
  }
  // Integers of 2 and 4 bits keep the low bits of a float's integer, as ONNX's evaluator does; wider ones saturate.
  if (auto integer = dyn_cast<IntegerType>(target); integer && isa<FloatType>(from))
    if (integer.getWidth() == 2 || integer.getWidth() == 4)
      x = n.cast(x, n.builder.getI32Type());
  n.setResult(0, castTo(n, x, target, saturate));
  return success();
}

LogicalResult importCast(NodeImport &n) {
  const Attribute *to = n.attribute("to");
  if (!to)
    return n.malformed("the attribute 'to' is missing");
  mlir::Type target = torsh::onnx::elementTypeOf(n.context(), int32_t(to->i));
  if (!target)
    return n.unsupported("a cast to " + dataTypeName(int32_t(to->i)) + " is not supported");
  return importCastTo(n, target);
}

LogicalResult importCastLike(NodeImport &n) { return importCastTo(n, n.typeOf(1).getElementType()); }

} // namespace

void addCastOps(OpTable &table) {
  table.add("", "Cast", 6, importCast);
  table.add("", "CastLike", 15, importCastLike);
}

} // namespace torsh::onnx
