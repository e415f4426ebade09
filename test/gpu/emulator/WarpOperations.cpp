//===-- WarpOperations.cpp - What the 32 lanes of a warp do together ----------------------------------------===//
#include "WarpOperations.h"
#include <cmath>
#include <cstring>

namespace torsh::emulator {
namespace {

float asFloat(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

uint32_t word(const uint64_t *argument) {
  uint32_t value;
  std::memcpy(&value, argument, sizeof(value));
  return value;
}

double widenHalf(uint16_t bits) {
  int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  double magnitude = exponent == 31 ? (mantissa ? NAN : INFINITY)
                     : exponent     ? std::ldexp(1024 + mantissa, exponent - 25)
                                    : std::ldexp(mantissa, -24);
  return bits >> 15 ? -magnitude : magnitude;
}

double widenBf16(uint16_t bits) { return asFloat(uint32_t(bits) << 16); }

/// Tensor cores read the upper 19 bits.
double readTf32(uint32_t bits) { return asFloat(bits & 0xFFFFE000u); }

} // namespace

uint32_t roundToTf32(uint32_t bits) {
  if ((bits & 0x7F800000u) == 0x7F800000u)
    return bits;
  return (bits + 0x1000u) & 0xFFFFE000u;
}

void shuffleXor(const Lanes &lanes) {
  std::array<uint32_t, 32> values;
  for (unsigned lane = 0; lane < 32; ++lane)
    values[lane] = word(lanes[lane].arguments + 1);
  for (unsigned lane = 0; lane < 32; ++lane)
    std::memcpy(lanes[lane].result, &values[(lane ^ word(lanes[lane].arguments + 2)) % 32], 4);
}

void loadMatrixRows(const Lanes &lanes, bool isTransposed) {
  // Lane l gives row l % 8 of matrix l / 8.
  uint16_t matrices[4][8][8];
  for (unsigned lane = 0; lane < 32; ++lane)
    std::memcpy(matrices[lane / 8][lane % 8], reinterpret_cast<const void *>(lanes[lane].arguments[0]), 16);
  for (unsigned lane = 0; lane < 32; ++lane) {
    uint16_t result[8];
    unsigned group = lane / 4, pair = lane % 4 * 2;
    for (unsigned matrix = 0; matrix < 4; ++matrix)
      for (unsigned i = 0; i < 2; ++i)
        result[matrix * 2 + i] =
            isTransposed ? matrices[matrix][pair + i][group] : matrices[matrix][group][pair + i];
    std::memcpy(lanes[lane].result, result, sizeof(result));
  }
}

void multiply(Operation operation, const Lanes &lanes) {
  double left[16][16] = {}, right[16][8] = {};
  bool isTf32 = operation == Operation::MultiplyTF32;
  auto widen = [&](uint16_t bits) {
    return operation == Operation::MultiplyF16 ? widenHalf(bits) : widenBf16(bits);
  };
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned group = lane / 4, member = lane % 4;
    for (unsigned i = 0; i < 6; ++i) {
      uint32_t bits = word(lanes[lane].arguments + i);
      bool isLeft = i < 4;
      unsigned row = isLeft ? group + i % 2 * 8 : 0, step = isLeft ? i / 2 : i - 4;
      if (isTf32) {
        (isLeft ? left[row][member + step * 4] : right[member + step * 4][group]) = readTf32(bits);
        continue;
      }
      for (unsigned half = 0; half < 2; ++half) {
        unsigned k = member * 2 + step * 8 + half;
        (isLeft ? left[row][k] : right[k][group]) = widen(uint16_t(bits >> (16 * half)));
      }
    }
  }
  unsigned depth = isTf32 ? 8 : 16;
  for (unsigned lane = 0; lane < 32; ++lane) {
    float sums[4];
    for (unsigned i = 0; i < 4; ++i) {
      unsigned row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
      double sum = asFloat(word(lanes[lane].arguments + 6 + i));
      for (unsigned k = 0; k < depth; ++k)
        sum += left[row][k] * right[k][column];
      sums[i] = float(sum);
    }
    std::memcpy(lanes[lane].result, sums, sizeof(sums));
  }
}

} // namespace torsh::emulator
