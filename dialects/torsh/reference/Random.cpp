//===-- Random.cpp - Reference semantics of counter-based random numbers
//------------------------------------===//
//
// Philox 4x32-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011). The key and the
// counter are 64 bits each; the upper half of the 128-bit counter is 0.
//
//===----------------------------------------------------------------------------------------------------------===//
#include "dialects/torsh/reference/Random.h"
#include "dialects/torsh/reference/Call.h"
#include "llvm/ADT/APFloat.h"
#include <cmath>

using namespace llvm;
using namespace mlir;

namespace torsh::reference {

PhiloxBlock philox(PhiloxBlock counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    uint64_t product0 = uint64_t(0xD2511F53) * counter[0], product1 = uint64_t(0xCD9E8D57) * counter[2];
    counter = {uint32_t(product1 >> 32) ^ counter[1] ^ key0, uint32_t(product1),
               uint32_t(product0 >> 32) ^ counter[3] ^ key1, uint32_t(product0)};
    key0 += 0x9E3779B9; // the golden ratio
    key1 += 0xBB67AE85; // sqrt(3) - 1
  }
  return counter;
}

namespace {

/// The stream of 32-bit words that a state names.
struct Stream {
  uint64_t key, counter;

  uint32_t word(uint64_t block, unsigned index) const {
    uint64_t position = counter + block;
    return philox({uint32_t(position), uint32_t(position >> 32), 0, 0}, uint32_t(key),
                  uint32_t(key >> 32))[index];
  }
};

/// A uniform number in [0, 1): as many leading bits of the word as the type's significand holds, so that
/// rounding can never give 1.
double uniform(uint32_t word, unsigned bits) { return std::ldexp(double(word >> (32 - bits)), -int(bits)); }

/// Two blocks give four pairs of numbers for Box and Muller (1958): word w of the even block is the radius
/// and word w of the odd one the angle; the cosines fill the even block's elements and the sines the odd
/// one's.
double normal(const Stream &stream, uint64_t block, unsigned index) {
  uint64_t even = block & ~uint64_t(1);
  double radius = std::sqrt(-2 * std::log((double(stream.word(even, index)) + 1) * 0x1p-32)); // (0, 1]
  double angle = 2 * M_PI * (double(stream.word(even + 1, index)) * 0x1p-32);
  return radius * (block == even ? std::cos(angle) : std::sin(angle));
}

/// Fills the result with `element(stream, block, word index)`.
template <typename Element> Results fill(Call &call, const Tensor &state, Element element) {
  if (Error error = call.checkShape("the state", state, {2}))
    return error;
  Expected<Tensor> y = call.allocateResult(0);
  if (!y)
    return y.takeError();
  Stream stream{uint64_t(state.ints[0]), uint64_t(state.ints[1])};
  for (uint64_t i = 0; i < y->floats.size(); ++i)
    y->floats[i] = element(stream, i / 4, unsigned(i % 4));
  return single(std::move(y));
}

Results evaluateUniform(RandomUniformOp op, Call &call) {
  const fltSemantics &semantics = cast<FloatType>(call.resultElementType()).getFloatSemantics();
  unsigned bits = std::min(APFloat::semanticsPrecision(semantics), 32u);
  return fill(call, call[op.getState()], [&](const Stream &stream, uint64_t block, unsigned index) {
    return uniform(stream.word(block, index), bits);
  });
}

Results evaluateNormal(RandomNormalOp op, Call &call) { return fill(call, call[op.getState()], normal); }

} // namespace

void addRandom(HandlerTable &table) {
  table.add<RandomUniformOp>(evaluateUniform);
  table.add<RandomNormalOp>(evaluateNormal);
}

} // namespace torsh::reference
