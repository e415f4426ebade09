//===-- Tensor.cpp - Storage, rounding and bytes of the evaluator's tensors
//---------------------------------===//
#include "dialects/torsh/reference/Call.h"
#include "dialects/torsh/reference/Iteration.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <cstring>

using namespace llvm;
using namespace mlir;

namespace torsh {

using reference::Code;
using reference::makeError;

namespace {

/// i1 is a boolean and holds 0 or 1; other signless integers are signed.
bool isZeroExtended(IntegerType type) { return type.isUnsigned() || type.getWidth() == 1; }

/// Bits of one element in contiguous bytes: i1 takes a byte, other types below 8 bits share bytes.
unsigned storedBits(Type elementType) {
  unsigned width = elementType.getIntOrFloatBitWidth();
  return width == 1 ? 8 : width;
}

/// Rounds to nearest even in a format with `precision` significant bits (the hidden one included), of which
/// the smallest normal number is 2^minExponent. The exponent is not bounded above.
double roundMantissa(double value, int precision, int minExponent) {
  if (value == 0 || !std::isfinite(value))
    return value;
  int ulp = std::max(std::ilogb(value), minExponent) - (precision - 1);
  return std::ldexp(std::nearbyint(std::ldexp(value, -ulp)), ulp);
}

double largestOf(FloatType type) {
  APFloat largest = APFloat::getLargest(type.getFloatSemantics());
  bool lossy;
  largest.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
  return largest.convertToDouble();
}

/// What rounding to a float type of at most 16 bits needs to know.
struct SmallFormat {
  int precision, minExponent;
  double largest, overflow;
  bool isPowerOfTwo, hasNaN, hasNegativeZero;

  explicit SmallFormat(FloatType type) : SmallFormat(type, type.getFloatSemantics()) {}
  SmallFormat(FloatType type, const fltSemantics &semantics)
      : precision(APFloat::semanticsPrecision(semantics)),
        minExponent(APFloat::semanticsMinExponent(semantics)), largest(largestOf(type)),
        overflow(APFloat::semanticsHasInf(semantics)   ? INFINITY
                 : APFloat::semanticsHasNaN(semantics) ? NAN
                                                       : largest),
        isPowerOfTwo(isa<Float8E8M0FNUType>(type)), hasNaN(APFloat::semanticsHasNaN(semantics)),
        hasNegativeZero(!isa<Float8E4M3FNUZType, Float8E5M2FNUZType>(type)) {}

  double round(double value) const {
    if (isPowerOfTwo)
      return roundPower(std::fabs(value));
    if (std::isnan(value))
      return hasNaN ? value : 0.0;
    double rounded = roundMantissa(value, precision, minExponent);
    if (std::fabs(rounded) > largest)
      return std::copysign(overflow, value);
    return rounded == 0 && !hasNegativeZero ? 0.0 : rounded;
  }

private:
  /// The nearest power of two, a tie to the larger one. What lies below the smallest is no number of the type.
  double roundPower(double value) const {
    if (!(value >= std::ldexp(1.0, minExponent)) || std::isinf(value))
      return NAN;
    double below = std::ldexp(1.0, std::ilogb(value)), rounded = value < 1.5 * below ? below : 2 * below;
    return rounded > largest ? NAN : rounded;
  }
};

double decodeFloat(FloatType type, uint64_t bits) {
  if (type.isF64())
    return llvm::bit_cast<double>(bits);
  if (type.isF32())
    return llvm::bit_cast<float>(uint32_t(bits));
  APFloat value(type.getFloatSemantics(),
                APInt(type.getWidth(), bits, /*isSigned=*/false, /*implicitTrunc=*/true));
  // The conversion makes an infinity of the one of f8E8M0FNU.
  if (value.isNaN())
    return std::numeric_limits<double>::quiet_NaN();
  bool lossy;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
  return value.convertToDouble();
}

uint64_t encodeFloat(FloatType type, double number) {
  // Nothing of this type is zero, but the elements of a new tensor are before they are set.
  if (isa<Float8E8M0FNUType>(type) && number == 0)
    return 0;
  if (type.isF64())
    return llvm::bit_cast<uint64_t>(number);
  if (type.isF32())
    return llvm::bit_cast<uint32_t>(float(number));
  APFloat value(number);
  bool lossy;
  value.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lossy);
  return value.bitcastToAPInt().getZExtValue();
}

/// Every value of a float type of at most 16 bits, by its bits: decoding weights one by one is too slow.
std::vector<double> decodeTable(FloatType type) {
  std::vector<double> table(size_t(1) << type.getWidth());
  for (auto [bits, value] : enumerate(table))
    value = decodeFloat(type, bits);
  return table;
}

} // namespace

int64_t Tensor::numElements() const { return reference::productOf(shape); }

Tensor Tensor::zeros(Type elementType, ArrayRef<int64_t> shape) {
  Tensor tensor;
  tensor.elementType = elementType;
  tensor.shape.assign(shape.begin(), shape.end());
  if (tensor.isFloat())
    tensor.floats.resize(tensor.numElements());
  else
    tensor.ints.resize(tensor.numElements());
  return tensor;
}

Expected<Tensor> Tensor::fromBytes(Type elementType, ArrayRef<int64_t> shape, ArrayRef<char> bytes) {
  if (!elementType.isIntOrFloat() || elementType.getIntOrFloatBitWidth() > 64)
    return makeError(Code::BadBytes, "the element type is not a float or an integer of at most 64 bits");
  unsigned bits = storedBits(elementType);
  std::optional<int64_t> count = reference::boundedNumElements(shape, int64_t(1) << 48);
  if (!count || int64_t(bytes.size()) != (*count * int64_t(bits) + 7) / 8)
    return makeError(Code::BadBytes, "a tensor of " + reference::describe(shape, elementType) +
                                         " cannot be read from " + Twine(bytes.size()) +
                                         " bytes; the data has another size");
  Tensor tensor = zeros(elementType, shape);
  const unsigned width = bits / 8;
  auto bitsAt = [&](int64_t i) -> uint64_t {
    if (bits < 8) {
      // Elements of 6 bits may reach into the next byte.
      int64_t at = i * bits, end = (at + bits - 1) / 8;
      unsigned pair = uint8_t(bytes[at / 8]) | uint8_t(bytes[end]) << (8 * (end - at / 8));
      return (pair >> (at % 8)) & maskTrailingOnes<unsigned>(bits);
    }
    uint64_t element = 0;
    std::memcpy(&element, bytes.data() + i * width, width);
    return element;
  };
  if (auto type = dyn_cast<FloatType>(elementType)) {
    std::vector<double> table;
    // The table pays off only when it is smaller than the tensor.
    if (bits <= 16 && *count >= int64_t(1) << bits)
      table = decodeTable(type);
    for (int64_t i = 0; i < *count; ++i)
      tensor.floats[i] = table.empty() ? decodeFloat(type, bitsAt(i)) : table[bitsAt(i)];
    return tensor;
  }
  for (int64_t i = 0; i < *count; ++i)
    // Any byte but 0 is true.
    tensor.ints[i] = elementType.isInteger(1) ? bitsAt(i) != 0 : wrapTo(elementType, int64_t(bitsAt(i)));
  return tensor;
}

std::vector<char> Tensor::toBytes() const {
  unsigned bits = storedBits(elementType), width = bits / 8;
  int64_t count = numElements();
  std::vector<char> bytes((count * int64_t(bits) + 7) / 8);
  for (int64_t i = 0; i < count; ++i) {
    uint64_t element = isFloat() ? encodeFloat(cast<FloatType>(elementType), floats[i]) : uint64_t(ints[i]);
    if (bits < 8) {
      int64_t at = i * bits, end = (at + bits - 1) / 8;
      unsigned pair = unsigned(element & maskTrailingOnes<unsigned>(bits)) << (at % 8);
      bytes[at / 8] |= char(pair);
      if (end != at / 8)
        bytes[end] |= char(pair >> 8);
    } else
      std::memcpy(bytes.data() + i * width, &element, width);
  }
  return bytes;
}

double roundTo(Type elementType, double value) {
  if (elementType.isF64())
    return value;
  if (elementType.isF32())
    return float(value);
  return SmallFormat(cast<FloatType>(elementType)).round(value);
}

int64_t wrapTo(Type elementType, int64_t value) {
  auto type = cast<IntegerType>(elementType);
  unsigned width = type.getWidth();
  if (width >= 64)
    return value;
  uint64_t low = uint64_t(value) & maskTrailingOnes<uint64_t>(width);
  return isZeroExtended(type) ? int64_t(low) : SignExtend64(low, width);
}

namespace reference {

void roundElements(Tensor &tensor) {
  if (auto type = dyn_cast<IntegerType>(tensor.elementType)) {
    if (type.getWidth() < 64)
      for (int64_t &value : tensor.ints)
        value = wrapTo(type, value);
  } else if (tensor.elementType.isF32()) {
    for (double &value : tensor.floats)
      value = float(value);
  } else if (!tensor.elementType.isF64()) {
    SmallFormat format(cast<FloatType>(tensor.elementType));
    for (double &value : tensor.floats)
      value = format.round(value);
  }
}

double lowestOf(Type, double) { return -INFINITY; }
double highestOf(Type, double) { return INFINITY; }
int64_t lowestOf(Type elementType, int64_t) {
  auto type = cast<IntegerType>(elementType);
  return isZeroExtended(type) ? 0 : minIntN(type.getWidth());
}
int64_t highestOf(Type elementType, int64_t) {
  auto type = cast<IntegerType>(elementType);
  return isZeroExtended(type) ? int64_t(maxUIntN(type.getWidth())) : maxIntN(type.getWidth());
}

double floatFromInt(Type floatType, int64_t value, bool isUnsigned64) {
  bool negative = value < 0 && !isUnsigned64;
  uint64_t magnitude = negative ? 0 - uint64_t(value) : uint64_t(value);
  if (floatType.isF64() || magnitude >> 53 == 0)
    return roundTo(floatType, negative ? -double(magnitude) : double(magnitude));
  // 53 bits with a sticky last bit round to the narrower type as the integer itself does; rounding to f64
  // first would round twice.
  int shift = 64 - countl_zero(magnitude) - 53;
  uint64_t kept = magnitude >> shift;
  if (kept << shift != magnitude)
    kept |= 1;
  double sticky = std::ldexp(double(kept), shift);
  return roundTo(floatType, negative ? -sticky : sticky);
}

int64_t intFromFloat(Type intType, double value) {
  if (std::isnan(value))
    return 0;
  int64_t lowest = lowestOf(intType, int64_t()), highest = highestOf(intType, int64_t());
  if (intType.isUnsignedInteger(64)) {
    if (value <= 0)
      return 0;
    return value >= 0x1p64 ? highest : int64_t(uint64_t(value));
  }
  // The ends are compared as doubles first: a double at or past 2^63 does not fit an int64_t.
  if (value <= double(lowest))
    return lowest;
  return value >= double(highest) ? highest : int64_t(value);
}

} // namespace reference
} // namespace torsh
