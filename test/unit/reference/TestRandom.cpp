//===-- TestRandom.cpp - Counter-based random numbers
//-------------------------------------------------------===//
#include "dialects/torsh/reference/Random.h"
#include "test/unit/reference/Harness.h"
#include <cmath>

using namespace torsh;
using namespace torsh::test;
using torsh::reference::philox;
using torsh::reference::PhiloxBlock;

TEST_CASE("philox gives the published test vectors") {
  // Random123, kat_vectors, philox4x32 with 10 rounds.
  CHECK(philox({0, 0, 0, 0}, 0, 0) == PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffff, 0xffffffff) ==
        PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0) ==
        PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("uniform numbers are the leading bits of the words") {
  Tensor y = eval("torsh.random_uniform %a : (tensor<2xi64>) -> tensor<6xf32>", "tensor<6xf32>",
                  {ints({2}, {0, 0})});
  PhiloxBlock next = philox({1, 0, 0, 0}, 0, 0);
  const uint32_t words[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8, next[0], next[1]};
  for (int i = 0; i < 6; ++i)
    CHECK(y.floats[i] == double(words[i] >> 8) / 16777216.0);
}

TEST_CASE("equal states give equal numbers and a later counter continues the stream") {
  auto draw = [](int64_t key, int64_t counter) {
    return eval("torsh.random_uniform %a : (tensor<2xi64>) -> tensor<2x4xf64>", "tensor<2x4xf64>",
                {ints({2}, {key, counter})})
        .floats;
  };
  Floats first = draw(-3, 10), second = draw(-3, 11);
  CHECK(first == draw(-3, 10));
  CHECK(first != draw(-2, 10));
  CHECK(Floats(first.begin() + 4, first.end()) == Floats(second.begin(), second.begin() + 4));
  CHECK(draw(1, -1)[4] == draw(1, 0)[0]); // the counter wraps
}

TEST_CASE("uniform numbers never round to 1") {
  for (const char *element : {"f16", "bf16", "f32"}) {
    std::string result = std::string("tensor<20000x") + element + ">";
    Tensor y = eval("torsh.random_uniform %a : (tensor<2xi64>) -> " + result, result, {ints({2}, {42, 7})});
    double sum = 0;
    for (double value : y.floats) {
      CHECK((value >= 0 && value < 1));
      sum += value;
    }
    CHECK(sum / 20000 == Approx(0.5).margin(0.01));
  }
}

TEST_CASE("normal numbers pair the words of two blocks") {
  Tensor y =
      eval("torsh.random_normal %a : (tensor<2xi64>) -> tensor<8xf64>", "tensor<8xf64>", {ints({2}, {0, 0})});
  PhiloxBlock radius = philox({0, 0, 0, 0}, 0, 0), angle = philox({1, 0, 0, 0}, 0, 0);
  for (int i = 0; i < 4; ++i) {
    double r = std::sqrt(-2 * std::log((radius[i] + 1.0) / 4294967296.0)),
           t = 2 * 3.14159265358979323846 * (angle[i] / 4294967296.0);
    CHECK(y.floats[i] == Approx(r * std::cos(t)).epsilon(1e-12));
    CHECK(y.floats[4 + i] == Approx(r * std::sin(t)).epsilon(1e-12));
  }
  Tensor many = eval("torsh.random_normal %a : (tensor<2xi64>) -> tensor<40000xf32>", "tensor<40000xf32>",
                     {ints({2}, {5, 0})});
  double sum = 0, squares = 0;
  for (double value : many.floats) {
    sum += value;
    squares += value * value;
  }
  CHECK(sum / 40000 == Approx(0).margin(0.02));
  CHECK(squares / 40000 == Approx(1).margin(0.03));
}
