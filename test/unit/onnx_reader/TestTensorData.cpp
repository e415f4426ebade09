//===- TestTensorData.cpp - The bytes of tensors --------------------------===//
#include "WireWriter.h"
#include "frontends/onnx/reader/TensorData.h"
#include <catch2/catch.hpp>

using namespace torsh::onnx;
using namespace torsh::onnx::test;

namespace {
struct Data {
  std::string bytes;
  bool owned = false;
  std::vector<unsigned> codes;
  std::string message;
};
} // namespace

static Data read(const Msg &message) {
  Data data;
  llvm::BumpPtrAllocator arena;
  auto parsed = readTensorBuffer(message.data(), arena);
  if (!parsed) {
    data.codes = codesOf(parsed.takeError(), &data.message);
    return data;
  }
  ExternalData external("");
  auto bytes = tensorBytes(*parsed, external);
  if (!bytes) {
    data.codes = codesOf(bytes.takeError(), &data.message);
    return data;
  }
  data.bytes = bytes->bytes().str();
  data.owned = bytes->isOwned();
  return data;
}

static bool refused(const Msg &message, Code code) {
  Data data = read(message);
  INFO(data.message);
  CHECK(data.codes == std::vector<unsigned>{unsigned(code)});
  return !data.message.empty();
}

TEST_CASE("raw and packed data are views", "[tensor]") {
  std::string floats = Msg::raw<float>({1, -2, 3});
  Data raw = read(tensor("t", 1, {3}).str(9, floats));
  CHECK(raw.bytes == floats);
  CHECK_FALSE(raw.owned);
  Data packed = read(tensor("t", 1, {3}).str(4, floats));
  CHECK(packed.bytes == floats);
  CHECK_FALSE(packed.owned);
}

TEST_CASE("typed fields convert, packed or not", "[tensor]") {
  std::string floats = Msg::raw<float>({1, -2, 3});
  Data loose = read(tensor("t", 1, {3}).fixed(4, 1.0f).fixed(4, -2.0f).fixed(4, 3.0f));
  CHECK(loose.bytes == floats);
  CHECK(loose.owned);
  CHECK(read(tensor("t", 1, {3}).fixed(4, 1.0f).str(4, Msg::raw<float>({-2, 3}))).bytes == floats);
  CHECK(read(tensor("t", 11, {2}).fixed(10, 1.0).fixed(10, 2.0)).bytes == Msg::raw<double>({1, 2}));
  CHECK(read(tensor("t", 14, {1}).str(4, Msg::raw<float>({1, 2}))).bytes == Msg::raw<float>({1, 2}));
  CHECK(read(tensor("t", 7, {2}).num(7, uint64_t(-1)).str(7, varint(1ull << 40))).bytes ==
        Msg::raw<int64_t>({-1, int64_t(1) << 40}));
  CHECK(read(tensor("t", 13, {1}).num(11, ~uint64_t(0))).bytes == Msg::raw<uint64_t>({~uint64_t(0)}));
  CHECK(read(tensor("t", 12, {1}).num(11, 0xFFFFFFFF)).bytes == Msg::raw<uint32_t>({0xFFFFFFFF}));
  CHECK(read(tensor("t", 3, {2}).str(5, varint(uint64_t(-128)) + varint(127))).bytes ==
        Msg::raw<int8_t>({-128, 127}));
  CHECK(read(tensor("t", 5, {1}).num(5, uint64_t(-300))).bytes == Msg::raw<int16_t>({-300}));
  CHECK(read(tensor("t", 6, {1}).num(5, uint64_t(-70000))).bytes == Msg::raw<int32_t>({-70000}));
  CHECK(read(tensor("t", 9, {2}).num(5, 1).num(5, 0)).bytes == std::string("\1\0", 2));
  CHECK(read(tensor("t", 10, {1}).num(5, 0xFC00)).bytes == Msg::raw<uint16_t>({0xFC00}));
  CHECK(read(tensor("t", 16, {1}).num(5, 0xFF80)).bytes == Msg::raw<uint16_t>({0xFF80}));
  CHECK(read(tensor("t", 1, {}).fixed(4, 4.0f)).bytes == Msg::raw<float>({4}));
}

TEST_CASE("small elements share bytes, an odd count is rounded up", "[tensor]") {
  CHECK(read(tensor("t", 21, {3}).str(9, "\x21\x03")).bytes == "\x21\x03");
  CHECK(read(tensor("t", 22, {3}).num(5, 0x21).num(5, 0x03)).bytes == "\x21\x03");
  CHECK(read(tensor("t", 23, {2}).str(9, "\x42")).bytes == "\x42");
  CHECK(read(tensor("t", 26, {5}).str(9, "\xE4\x01")).bytes == "\xE4\x01");
  CHECK(refused(tensor("t", 21, {3}).str(9, "\x21"), Code::DataSizeMismatch));
  CHECK(refused(tensor("t", 25, {5}).str(9, "\x21"), Code::DataSizeMismatch));
}

TEST_CASE("empty tensors are fine", "[tensor]") {
  CHECK(read(tensor("t", 1, {0, 5})).codes.empty());
  CHECK(read(tensor("t", 7, {3, 0}).str(9, "")).codes.empty());
}

TEST_CASE("data that does not fit its description is refused", "[tensor]") {
  CHECK(refused(tensor("t", 1, {3}), Code::DataSizeMismatch));
  CHECK(refused(tensor("t", 1, {3}).str(9, "12345678"), Code::DataSizeMismatch));
  CHECK(refused(tensor("t", 1, {1}).num(5, 1), Code::DataSizeMismatch));
  CHECK(refused(tensor("t", 7, {3}).num(7, 1).num(7, 2), Code::DataSizeMismatch));
  CHECK(refused(tensor("t", 1, {-1}).str(9, ""), Code::NegativeDim));
  CHECK(refused(tensor("t", 1, {0, -1}).str(9, ""), Code::NegativeDim));
  CHECK(refused(tensor("t", 1, {int64_t(1) << 40}), Code::TooManyElements));
  CHECK(refused(tensor("t", 1, {int64_t(1) << 32, int64_t(1) << 32}), Code::TooManyElements));
  CHECK(refused(tensor("t", 1, {INT64_MAX, INT64_MAX, 2}), Code::TooManyElements));
  CHECK(refused(tensor("t", 77, {1}).str(9, "1"), Code::UnknownDataType));
  CHECK(refused(tensor("t", 0, {1}).str(9, "1"), Code::UnknownDataType));
  CHECK(refused(tensor("t", 2, {1}).num(5, 300), Code::ValueOutOfRange));
  CHECK(refused(tensor("t", 3, {1}).num(5, uint64_t(-200)), Code::ValueOutOfRange));
  CHECK(refused(tensor("t", 1, {1}).fixed(4, 1.0f).str(9, "1234"), Code::AmbiguousData));
  CHECK(refused(tensor("t", 1, {1}).sub(3, Msg().num(1, 0)).str(9, "1234"), Code::AmbiguousData));
  CHECK(refused(tensor("t", 8, {1}).str(6, "text"), Code::StringsHaveNoBytes));
  CHECK(refused(tensor("t", 1, {1}).str(4, "12345"), Code::Malformed));
  CHECK(refused(tensor("t", 7, {1}).str(7, std::string(10, '\xFF') + "\1"), Code::Malformed));
}

TEST_CASE("strings are counted", "[tensor]") {
  llvm::BumpPtrAllocator arena;
  std::string two = tensor("t", 8, {2}).str(6, "a").str(6, "b").data();
  auto parsed = readTensorBuffer(two, arena);
  REQUIRE(bool(parsed));
  auto strings = tensorStrings(*parsed);
  REQUIRE(bool(strings));
  CHECK((*strings)[1] == "b");
  std::string one = tensor("t", 8, {2}).str(6, "a").data();
  auto shorter = readTensorBuffer(one, arena);
  REQUIRE(bool(shorter));
  auto missing = tensorStrings(*shorter);
  REQUIRE_FALSE(bool(missing));
  CHECK(codesOf(missing.takeError()) == std::vector<unsigned>{unsigned(Code::DataSizeMismatch)});
}
