//===-- TestTensor.cpp - Rounding, wrapping and bytes
//-------------------------------------------------------===//
#include "test/unit/reference/Harness.h"
#include "llvm/ADT/APFloat.h"
#include <cmath>
#include <random>

using namespace llvm;
using namespace torsh;
using namespace torsh::test;

/// Rounds by way of LLVM's own conversion, which the evaluator does not use.
static double convertWithApFloat(mlir::FloatType type, double value) {
  APFloat number(value);
  bool lossy;
  number.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lossy);
  number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lossy);
  return number.convertToDouble();
}

TEST_CASE("rounding agrees with another implementation") {
  std::mt19937_64 random(7);
  for (const char *name : {"f32", "f16", "bf16", "f8E4M3FN", "f8E4M3FNUZ", "f8E5M2", "f8E5M2FNUZ"}) {
    auto element = llvm::cast<mlir::FloatType>(type(name));
    Floats values = {0.0, -0.0,     1.0, inf,   -inf,  notANumber, 5e-324, 1e308, 448,
                     464, 464.0001, 480, 57344, 61440, 65504,      65519,  65520};
    std::uniform_real_distribution<double> mantissa(-2, 2);
    for (int i = 0; i < 20000; ++i)
      values.push_back(std::ldexp(mantissa(random), int(random() % 320) - 160));
    // Halfway cases between neighbours.
    for (int i = 0; i < 4096; ++i)
      values.push_back(std::ldexp(double(i) + 0.5, int(random() % 24) - 20));
    for (double value : values) {
      double expected = convertWithApFloat(element, value), actual = roundTo(element, value);
      INFO(name << " of " << value << " is " << actual << ", expected " << expected);
      bool same = (std::isnan(expected) && std::isnan(actual)) ||
                  (expected == actual && std::signbit(expected) == std::signbit(actual));
      CHECK(same);
    }
  }
}

TEST_CASE("integers wrap to their width and signedness") {
  CHECK(wrapTo(type("i8"), 130) == -126);
  CHECK(wrapTo(type("ui8"), -1) == 255);
  CHECK(wrapTo(type("i4"), 9) == -7);
  CHECK(wrapTo(type("ui4"), 17) == 1);
  CHECK(wrapTo(type("i1"), 3) == 1);
  CHECK(wrapTo(type("i64"), INT64_MIN) == INT64_MIN);
  CHECK(wrapTo(type("ui32"), -1) == 4294967295);
}

TEST_CASE("bytes are little endian, elements of fewer than 8 bits share bytes, the first one lowest") {
  CHECK(ints({2}, {1, -2}, "i16").toBytes() == std::vector<char>{1, 0, char(0xFE), char(0xFF)});
  CHECK(ints({3}, {1, -1, 7}, "i4").toBytes() == std::vector<char>{char(0xF1), 7});
  CHECK(ints({5}, {-2, 1, -1, 0, 1}, "i2").toBytes() == std::vector<char>{0x36, 1});
  CHECK(floats({3}, {0.5, -6, 1.5}, "f4E2M1FN").toBytes() == std::vector<char>{char(0xF1), 3});
  CHECK(floats({5}, {-7.5, 0.125, 1, 2, 3.5}, "f6E2M3FN").toBytes() ==
        std::vector<char>{0x7F, char(0x80), 0x40, 0x16});
  CHECK(floats({3}, {1, 0x1p-127, notANumber}, "f8E8M0FNU").toBytes() ==
        std::vector<char>{127, 0, char(0xFF)});
  CHECK(floats({1}, {1.0}).toBytes() == std::vector<char>{0, 0, char(0x80), 0x3F});
  CHECK(floats({1}, {1.0}, "bf16").toBytes() == std::vector<char>{char(0x80), 0x3F});
  CHECK(floats({2}, {1.0, -448.0}, "f8E4M3FN").toBytes() == std::vector<char>{0x38, char(0xFE)});
  CHECK(bools({2}, {1, 0}).toBytes() == std::vector<char>{1, 0});
}

TEST_CASE("bytes survive a round trip") {
  std::vector<Tensor> tensors = {floats({2, 3}, {0, -0.0, 1.5, -2.25, inf, 65504}, "f16"),
                                 floats({2}, {0.1, -1e300}, "f64"),
                                 floats({5}, {0, -0.0, 448, -0.001953125, 0.5}, "f8E4M3FN"),
                                 floats({4}, {0, 240, -0.0009765625, 0.5}, "f8E4M3FNUZ"),
                                 floats({3}, {0x1p127, 0x1p-127, 1}, "f8E8M0FNU"),
                                 floats({7}, {0, -0.0, 28, -0.0625, 0.5, 5, 3}, "f6E3M2FN"),
                                 floats({3}, {-0.0, 6, -0.5}, "f4E2M1FN"),
                                 ints({5}, {-2, 1, 0, -1, 1}, "i2"),
                                 ints({3}, {3, 0, 1}, "ui2"),
                                 ints({3}, {-8, 7, 0}, "i4"),
                                 ints({3}, {15, 0, 1}, "ui4"),
                                 ints({2}, {-1, INT64_MIN}, "ui64"),
                                 ints({}, {-5}, "i32"),
                                 ints({0, 4}, {}, "i8"),
                                 bools({3}, {1, 0, 1})};
  for (const Tensor &tensor : tensors) {
    Expected<Tensor> back = Tensor::fromBytes(tensor.elementType, tensor.shape, tensor.toBytes());
    REQUIRE(bool(back));
    CHECK(back->shape == tensor.shape);
    CHECK(back->floats == tensor.floats);
    CHECK(back->ints == tensor.ints);
  }
}

TEST_CASE("every 16-bit float is read as its value") {
  // 65536 elements take the table, fewer do not.
  std::vector<char> all;
  for (int bits = 0; bits < 65536; ++bits)
    all.insert(all.end(), {char(bits & 255), char(bits >> 8)});
  Expected<Tensor> many = Tensor::fromBytes(type("f16"), {65536}, all);
  REQUIRE(bool(many));
  CHECK(many->floats[0x3C00] == 1);
  CHECK(many->floats[0xC000] == -2);
  CHECK(many->floats[1] == std::ldexp(1.0, -24));
  CHECK(many->floats[0x7BFF] == 65504);
  CHECK(std::isinf(many->floats[0x7C00]));
  CHECK(std::isnan(many->floats[0x7E00]));
  Expected<Tensor> one = Tensor::fromBytes(type("f16"), {1}, ArrayRef<char>(all).slice(2 * 0x3555, 2));
  REQUIRE(bool(one));
  CHECK(one->floats[0] == many->floats[0x3555]);
}

TEST_CASE("bytes of another size are refused") {
  for (size_t size : {7u, 9u, 0u}) {
    Expected<Tensor> tensor = Tensor::fromBytes(type("f32"), {2}, std::vector<char>(size));
    REQUIRE(!tensor);
    CHECK_THAT(toString(tensor.takeError()), Catch::Contains("TSH-0411"));
  }
  Expected<Tensor> negative = Tensor::fromBytes(type("f32"), {-2}, {});
  REQUIRE(!negative);
  consumeError(negative.takeError());
}
