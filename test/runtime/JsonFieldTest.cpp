extern "C" {
#include "runtime/JsonField.h"
}

#include <catch2/catch.hpp>
#include <cstring>
#include <string>

namespace {
/// The value, or "-" when there is none.
std::string field(const std::string &text) {
  char value[16];
  return torsh_rt_json_string(text.data(), text.size(), "key", value, sizeof(value)) ? "-" : value;
}
} // namespace

TEST_CASE("a string of the top-level object is found", "[json]") {
  CHECK(field(R"({"key":"a"})") == "a");
  CHECK(field(" {\n \"key\" : \"a b\" } ") == "a b");
  CHECK(field(R"({"x":[1,{"key":"no"},"]"],"y":{"key":"no"},"z":-1.5e3,"w":null,"key":"yes"})") == "yes");
  CHECK(field(R"({"x":"\"key\":\"no\"","key":"yes"})") == "yes");
}

TEST_CASE("everything else is refused", "[json]") {
  for (const char *text : {"", "{", "[]", "{}", R"({"key"})", R"({"key":})", R"({"key":1})", R"({"key":"a)",
                           R"({"x":{"key":"a"}})", R"({"x":[)", R"({"x":]})", R"({"key":"a\u0041"})",
                           R"({"key":"0123456789abcdef"})", R"({"x":1 "key":"a"})", "{\"x\":\"\\"})
    CHECK(field(text) == "-");
  CHECK(field(std::string("{\"key\":\"a\0b\"}", 13)) == "-");
}
