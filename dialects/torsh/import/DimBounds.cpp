//===-- DimBounds.cpp - Signs of dim expressions
//------------------------------------------------------------===//
#include "dialects/torsh/import/DimUnifier.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace torsh {

/// The least value of an expression when input symbols are at least `inputSymbol` and others at least 0; none
/// when there is no such bound or it is not obvious.
std::optional<int64_t> DimUnifier::lowerBound(DimAttr dim, int64_t inputSymbol) const {
  if (auto value = dim::asConstant(dim))
    return value;
  if (auto name = dim::asSymbol(dim))
    return bornSymbols.contains(*name) ? 0 : inputSymbol;
  ArrayRef<DimAttr> operands = dim.getOperands();
  SmallVector<std::optional<int64_t>> bounds;
  for (DimAttr operand : operands)
    bounds.push_back(lowerBound(operand, inputSymbol));
  auto fold = [&](auto combine) -> std::optional<int64_t> {
    std::optional<int64_t> result = bounds.front();
    for (std::optional<int64_t> bound : ArrayRef(bounds).drop_front())
      result = result && bound ? combine(*result, *bound) : std::nullopt;
    return result;
  };
  using Bound = std::optional<int64_t>;
  switch (dim.getKind()) {
  case DimKind::Constant:
  case DimKind::Symbol:
    break;
  case DimKind::Add:
    return fold([](int64_t a, int64_t b) -> Bound {
      int64_t sum;
      return llvm::AddOverflow(a, b, sum) ? Bound() : Bound(sum);
    });
  case DimKind::Mul: {
    return fold([](int64_t a, int64_t b) -> Bound {
      int64_t product;
      // Only products of factors that are never negative have a bound.
      return a < 0 || b < 0 || llvm::MulOverflow(a, b, product) ? Bound() : Bound(product);
    });
  }
  case DimKind::FloorDiv:
  case DimKind::CeilDiv:
    if (Bound divisor = dim::asConstant(operands[1]); bounds[0] && divisor && *divisor > 0) {
      DimAttr least = dim::constant(context, *bounds[0]);
      return dim::asConstant(dim.getKind() == DimKind::FloorDiv ? dim::floorDiv(least, operands[1])
                                                                : dim::ceilDiv(least, operands[1]));
    }
    if (bounds[0].value_or(-1) >= 0 && bounds[1].value_or(-1) >= 0)
      return 0;
    break;
  case DimKind::Mod:
    if (bounds[1].value_or(0) > 0)
      return 0;
    break;
  case DimKind::Min:
    return fold([](int64_t a, int64_t b) -> Bound { return std::min(a, b); });
  case DimKind::Max: {
    Bound result;
    for (Bound bound : bounds)
      if (bound && (!result || *bound > *result))
        result = bound;
    return result;
  }
  }
  return std::nullopt;
}

void DimUnifier::assumePositive(DimAttr dim) {
  SmallVector<StringRef> symbols;
  dim::collectSymbols(dim, symbols);
  DimAttr one = dim::constant(context, 1);
  for (StringRef name : symbols) {
    if (bornSymbols.contains(name) || !positiveSymbols.insert(name).second)
      continue;
    DimAttr symbol = dim::symbol(context, name);
    guards.push_back({dim::max(symbol, one), symbol, ("dim " + name + " must not be 0").str()});
  }
}

std::optional<int> DimUnifier::signOf(DimAttr dim) {
  if (auto value = dim::asConstant(dim))
    return *value > 0 ? 1 : *value < 0 ? -1 : 0;
  DimAttr negated = dim::neg(dim);
  for (int64_t least : {0, 1}) {
    std::optional<int> sign;
    if (lowerBound(dim, least).value_or(0) > 0)
      sign = 1;
    else if (lowerBound(negated, least).value_or(0) > 0)
      sign = -1;
    if (!sign)
      continue;
    if (least == 1)
      assumePositive(dim);
    return sign;
  }
  return std::nullopt;
}

bool DimUnifier::isNonNegative(DimAttr dim) {
  if (lowerBound(dim, 0).value_or(-1) >= 0)
    return true;
  if (lowerBound(dim, 1).value_or(-1) < 0)
    return false;
  assumePositive(dim);
  return true;
}

DimAttr DimUnifier::min(DimAttr a, DimAttr b) {
  if (isNonNegative(dim::sub(b, a)))
    return a;
  if (isNonNegative(dim::sub(a, b)))
    return b;
  return dim::min(a, b);
}

DimAttr DimUnifier::max(DimAttr a, DimAttr b) {
  if (isNonNegative(dim::sub(b, a)))
    return b;
  if (isNonNegative(dim::sub(a, b)))
    return a;
  return dim::max(a, b);
}

} // namespace torsh
