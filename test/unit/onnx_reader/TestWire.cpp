//===- TestWire.cpp - The protobuf cursor ---------------------------------===//
#include "WireWriter.h"
#include "frontends/onnx/reader/Wire.h"
#include <catch2/catch.hpp>

using namespace torsh::onnx;
using namespace torsh::onnx::test;

namespace {
struct Walk {
  std::vector<Field> fields;
  std::string message;
  std::vector<unsigned> codes;
};
} // namespace

static Walk walk(const std::string &bytes) {
  Walk result;
  WireState state(bytes, ReadLimits());
  WireCursor cursor(state, bytes);
  Field field;
  while (cursor.next(field))
    result.fields.push_back(field);
  result.codes = codesOf(state.takeError(), &result.message);
  return result;
}

TEST_CASE("every wire type is read with its payload", "[wire]") {
  std::string bytes =
      Msg().num(1, 300).str(2, "abc").fixed(3, 1.5f).fixed(4, 2.5).num(5, ~uint64_t(0)).data();
  Walk seen = walk(bytes);
  REQUIRE(seen.codes.empty());
  REQUIRE(seen.fields.size() == 5);
  CHECK(seen.fields[0].scalar == 300);
  CHECK(seen.fields[1].bytes == "abc");
  CHECK(seen.fields[1].bytes.data() == bytes.data() + 5);
  CHECK(seen.fields[2].type == WireType::Fixed32);
  CHECK(seen.fields[2].scalar == 0x3FC00000);
  CHECK(seen.fields[3].type == WireType::Fixed64);
  CHECK(seen.fields[3].scalar == 0x4004000000000000);
  CHECK(seen.fields[4].scalar == ~uint64_t(0));
}

TEST_CASE("damaged fields are refused with their place", "[wire]") {
  auto refused = [](const std::string &bytes, Code code, const char *part) {
    Walk seen = walk(bytes);
    INFO(seen.message);
    REQUIRE(seen.codes == std::vector<unsigned>{unsigned(code)});
    CHECK(seen.message.find(part) != std::string::npos);
  };
  std::string good = Msg().num(1, 1).data();
  refused(good + "\x12\x05"
                 "abc",
          Code::Truncated, "claims 5 bytes but only 3 are left");
  refused(good + "\x12\x05"
                 "abc",
          Code::Truncated, "at byte 2 of 7");
  refused(good + "\x80", Code::Truncated, "field tag");
  refused("\x08" + std::string(9, '\xFF') + "\x02", Code::Malformed, "no valid protobuf number");
  refused("\x08" + std::string(11, '\xFF'), Code::Malformed, "no valid protobuf number");
  refused(std::string("\x0D\x01\x02", 3), Code::Truncated, "takes 4 bytes");
  refused(std::string("\x09\x01\x02", 3), Code::Truncated, "takes 8 bytes");
  refused("\x0B\x0C", Code::Malformed, "wire type 3");
  refused(std::string("\x00\x01", 2), Code::Malformed, "field number 0");
  refused("\x12" + varint(~uint64_t(0)), Code::Truncated, "claims 18446744073709551615 bytes");
}

TEST_CASE("packed and unpacked numbers are the same list", "[wire]") {
  std::string packed = varint(1) + varint(uint64_t(-2)) + varint(300);
  std::string bytes = Msg().str(1, packed).num(1, 7).str(1, varint(8)).data();
  WireState state(bytes, ReadLimits());
  WireCursor cursor(state, bytes);
  llvm::SmallVector<int64_t> values;
  Field field;
  while (cursor.next(field))
    cursor.appendVarints(field, values);
  CHECK(codesOf(state.takeError()).empty());
  CHECK(std::vector<int64_t>(values.begin(), values.end()) == std::vector<int64_t>{1, -2, 300, 7, 8});
}

TEST_CASE("names are safe to print", "[wire]") {
  CHECK(quoted("conv1") == "'conv1'");
  CHECK(quoted("a\nb") == "'a\\x0ab'");
  CHECK(quoted("\xE5\xB1\x82") == "'\xE5\xB1\x82'");
  CHECK(quoted("\xFFz") == "'\\xffz'");
  CHECK(quoted(std::string(500, 'x')) == "'" + std::string(120, 'x') + "...'");
}
