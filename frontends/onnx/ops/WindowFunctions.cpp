//===-- WindowFunctions.cpp - Windows and filter banks of signal processing -------------------------------------===//
//
// All are computed in f64 and rounded at last. Where the sizes are constants folding makes constants of them.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "frontends/onnx/ConstantTensor.h"
#include "frontends/onnx/ops/Compose.h"
#include "frontends/onnx/ops/Topics.h"

using namespace mlir;

namespace torsh::onnx {
namespace {

constexpr double pi = 3.14159265358979323846;

/// The type that `output_datatype` names, f32 without it; null after a refusal.
mlir::Type resultType(NodeImport &n) {
  mlir::Type type = onnx::elementTypeOf(n.context(), int32_t(n.intAttr("output_datatype", 1)));
  if (!type || type.isInteger(1))
    return (void)n.unsupported("output_datatype must be a number type"), mlir::Type();
  return type;
}

/// An operand that is one size; none after a refusal.
std::optional<DimAttr> sizeOperand(NodeImport &n, size_t i, StringRef name) {
  auto size = n.shapeValue(i);
  if (size && size->size() == 1)
    return size->front();
  (void)n.unsupported(name + " must be computed from constants and from sizes of the inputs");
  return std::nullopt;
}

/// A rank-0 operand as f64.
Value numberOperand(NodeImport &n, size_t i) {
  return n.cast(n.reshape(n.operand(i), {}), n.builder.getF64Type());
}

/// a - b cos(2 pi i / m) + c cos(4 pi i / m), with m = size or, for symmetric windows, size - 1.
LogicalResult importCosineWindow(NodeImport &n, double a, double b, double c) {
  std::optional<DimAttr> size = sizeOperand(n, 0, "the size");
  mlir::Type type = size ? resultType(n) : mlir::Type();
  if (!type)
    return failure();
  mlir::Type f64 = n.builder.getF64Type();
  DimAttr period = n.intAttr("periodic", 1) ? *size : dim::sub(*size, dim::constant(n.context(), 1));
  Value index = n.create<IotaOp>(makeTensorType({*size}, f64), int64_t(0));
  Value length = n.broadcastTo(n.cast(n.fromDims({period}, true), f64), {*size});
  Value angle = n.create<DivOp>(scale(n, index, 2 * pi), length);
  Value y = addNumber(n, scale(n, n.create<CosOp>(angle), -b), a);
  if (c != 0)
    y = n.create<AddOp>(y, scale(n, n.create<CosOp>(scale(n, angle, 2)), c));
  n.setResult(0, n.cast(y, type));
  return success();
}

LogicalResult importHann(NodeImport &n) { return importCosineWindow(n, 0.5, 0.5, 0); }
LogicalResult importHamming(NodeImport &n) { return importCosineWindow(n, 25.0 / 46, 21.0 / 46, 0); }
LogicalResult importBlackman(NodeImport &n) { return importCosineWindow(n, 0.42, 0.5, 0.08); }

/// Triangles over the bins of a one-sided spectrum, with edges that are equally far apart on the mel scale.
LogicalResult importMelWeights(NodeImport &n) {
  if (failed(requireInputs(n, 5)))
    return failure();
  std::optional<DimAttr> bands = sizeOperand(n, 0, "num_mel_bins"), length = sizeOperand(n, 1, "dft_length");
  mlir::Type type = bands && length ? resultType(n) : mlir::Type();
  if (!type)
    return failure();
  mlir::Type f64 = n.builder.getF64Type();
  DimAttr one = dim::constant(n.context(), 1), two = dim::constant(n.context(), 2);
  DimAttr edges = dim::add(*bands, two), bins = dim::add(dim::floorDiv(*length, two), one);
  double perNeper = 2595 / std::log(10.0);
  auto mel = [&](Value hertz) { return scale(n, n.create<Log1pOp>(scale(n, hertz, 1.0 / 700)), perNeper); };
  Value low = mel(numberOperand(n, 3)), high = mel(numberOperand(n, 4));
  Value step = n.create<DivOp>(n.create<SubOp>(high, low), n.cast(n.fromDims({edges}, true), f64));
  auto spread = [&](Value scalar) { return n.broadcastTo(scalar, {edges}); };
  Value place = n.create<IotaOp>(makeTensorType({edges}, f64), int64_t(0));
  place = n.create<AddOp>(n.create<MulOp>(place, spread(step)), spread(low));
  Value hertz = scale(n, n.create<Expm1Op>(scale(n, place, 1 / perNeper)), 700);
  Value numerator = n.create<MulOp>(hertz, spread(n.cast(n.fromDims({dim::add(*length, one)}, true), f64)));
  Value edge = n.create<FloorOp>(n.create<DivOp>(numerator, spread(numberOperand(n, 2))));

  SmallVector<DimAttr> shape = {bins, *bands};
  RankedTensorType full = makeTensorType(shape, f64);
  auto edgeOf = [&](int64_t first) {
    return n.broadcastTo(sliceAxis(n, edge, 0, dim::constant(n.context(), first), *bands), shape);
  };
  auto compare = [&](Value a, Value b, ComparePredicate predicate) {
    return n.create<CompareOp>(withElementType(full, n.builder.getI1Type()), a, b, predicate);
  };
  auto select = [&](Value condition, Value yes, Value no) { return n.create<SelectOp>(condition, yes, no); };
  Value bin = n.create<IotaOp>(full, int64_t(0)), zero = n.splat(full, 0), unit = n.splat(full, 1);
  Value lower = edgeOf(0), center = edgeOf(1), upper = edgeOf(2);
  Value rise = n.create<SubOp>(center, lower), fall = n.create<SubOp>(upper, center);
  Value rising = n.create<DivOp>(n.create<SubOp>(bin, lower), n.create<MaximumOp>(rise, unit));
  Value isRising =
      n.create<AndOp>(compare(bin, lower, ComparePredicate::ge), compare(bin, center, ComparePredicate::le));
  // Where both edges share a bin the peak is all that is left of the side.
  Value y = select(isRising, select(compare(rise, zero, ComparePredicate::eq), unit, rising), zero);
  Value falling = n.create<DivOp>(n.create<SubOp>(upper, bin), n.create<MaximumOp>(fall, unit));
  Value isFalling =
      n.create<AndOp>(compare(bin, center, ComparePredicate::ge), compare(bin, upper, ComparePredicate::lt));
  n.setResult(0, n.cast(select(isFalling, falling, y), type));
  return success();
}

} // namespace

void addWindowFunctionOps(OpTable &table) {
  table.add("", "HannWindow", 17, importHann);
  table.add("", "HammingWindow", 17, importHamming);
  table.add("", "BlackmanWindow", 17, importBlackman);
  table.add("", "MelWeightMatrix", 17, importMelWeights);
}

} // namespace torsh::onnx
