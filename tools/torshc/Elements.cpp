//===-- Elements.cpp - Elements of any dtype as numbers
//-----------------------------------------------------===//
#include "tools/torshc/Elements.h"
#include "llvm/ADT/APFloat.h"
#include <cmath>
#include <cstring>

using namespace llvm;

namespace torsh {
namespace {

template <typename T> long double load(const char *bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

template <typename T> void store(double value, char *bytes) {
  T narrow = T(value);
  std::memcpy(bytes, &narrow, sizeof(T));
}

/// The semantics of a small float, or null.
const fltSemantics *smallFloat(torsh_dtype dtype) {
  if (dtype.code == TORSH_DTYPE_FLOAT && dtype.bits == 16)
    return &APFloat::IEEEhalf();
  if (dtype.code == TORSH_DTYPE_BFLOAT && dtype.bits == 16)
    return &APFloat::BFloat();
  switch (dtype.code) {
  case TORSH_DTYPE_FLOAT8_E4M3FN:
    return &APFloat::Float8E4M3FN();
  case TORSH_DTYPE_FLOAT8_E4M3FNUZ:
    return &APFloat::Float8E4M3FNUZ();
  case TORSH_DTYPE_FLOAT8_E5M2:
    return &APFloat::Float8E5M2();
  case TORSH_DTYPE_FLOAT8_E5M2FNUZ:
    return &APFloat::Float8E5M2FNUZ();
  case TORSH_DTYPE_FLOAT8_E8M0FNU:
    return &APFloat::Float8E8M0FNU();
  default:
    return nullptr;
  }
}

/// A complex element as two floats.
torsh_dtype component(torsh_dtype dtype) {
  if (dtype.code == TORSH_DTYPE_COMPLEX)
    return {TORSH_DTYPE_FLOAT, uint8_t(dtype.bits / 2), 1};
  return dtype;
}

} // namespace

bool hasElements(torsh_dtype dtype) { return dtype.bits >= 8 && dtype.bits % 8 == 0; }

long double readElement(torsh_dtype dtype, const char *bytes) {
  if (const fltSemantics *semantics = smallFloat(dtype)) {
    uint64_t bits = 0;
    std::memcpy(&bits, bytes, dtype.bits / 8);
    APFloat value(*semantics, APInt(dtype.bits, bits));
    bool inexact;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &inexact);
    return value.convertToDouble();
  }
  dtype = component(dtype);
  switch (dtype.code) {
  case TORSH_DTYPE_FLOAT:
    return dtype.bits == 32 ? load<float>(bytes) : load<double>(bytes);
  case TORSH_DTYPE_INT:
    return dtype.bits == 8    ? load<int8_t>(bytes)
           : dtype.bits == 16 ? load<int16_t>(bytes)
           : dtype.bits == 32 ? load<int32_t>(bytes)
                              : load<int64_t>(bytes);
  default:
    return dtype.bits == 8    ? load<uint8_t>(bytes)
           : dtype.bits == 16 ? load<uint16_t>(bytes)
           : dtype.bits == 32 ? load<uint32_t>(bytes)
                              : load<uint64_t>(bytes);
  }
}

void writeElement(torsh_dtype dtype, double value, char *bytes) {
  if (const fltSemantics *semantics = smallFloat(dtype)) {
    // The one type without a sign and without zero.
    if (dtype.code == TORSH_DTYPE_FLOAT8_E8M0FNU)
      value = std::max(std::fabs(value), 0x1p-127);
    APFloat narrow(value);
    bool inexact;
    narrow.convert(*semantics, APFloat::rmNearestTiesToEven, &inexact);
    uint64_t bits = narrow.bitcastToAPInt().getZExtValue();
    std::memcpy(bytes, &bits, dtype.bits / 8);
    return;
  }
  dtype = component(dtype);
  if (dtype.code == TORSH_DTYPE_FLOAT)
    return dtype.bits == 32 ? store<float>(value, bytes) : store<double>(value, bytes);
  int64_t integer = int64_t(value);
  std::memcpy(bytes, &integer, dtype.bits / 8);
}

Difference compareArrays(const NpyArray &actual, const NpyArray &expected, double rtol, double atol) {
  Difference result;
  torsh_dtype actualType = component(actual.dtype), expectedType = component(expected.dtype);
  size_t actualBytes = actualType.bits / 8, expectedBytes = expectedType.bits / 8;
  uint64_t count = expected.bytes.size() / expectedBytes;
  for (uint64_t i = 0; i < count; ++i)
    if (long double value = readElement(expectedType, &expected.bytes[i * expectedBytes]);
        std::isfinite(value))
      result.largestExpected = std::max(result.largestExpected, std::fabs(value));
  for (uint64_t i = 0; i < count; ++i) {
    long double want = readElement(expectedType, &expected.bytes[i * expectedBytes]);
    long double got = readElement(actualType, &actual.bytes[i * actualBytes]);
    if (want == got || (std::isnan(want) && std::isnan(got)))
      continue;
    long double difference = std::fabs(got - want);
    if (!std::isfinite(difference))
      difference = HUGE_VALL;
    if (difference > result.worst) {
      result.worst = difference;
      result.worstElement = i;
      result.expected = want;
      result.actual = got;
    }
  }
  result.within = result.worst <= atol + rtol * result.largestExpected;
  return result;
}

} // namespace torsh
