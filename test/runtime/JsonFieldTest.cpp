extern "C" {
#include "runtime/JsonField.h"
}

#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

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

TEST_CASE("values and elements keep their text", "[json]") {
  const std::string text = R"({"a":[ {"x":"]"} , 2,[3,"4"]] ,"b":-1.5e3 , "c":"\"q\""})";
  const char *value;
  size_t length;
  auto get = [&](const char *key) {
    int missing = torsh_rt_json_value(text.data(), text.size(), key, &value, &length);
    return missing ? "-" : std::string(value, length);
  };
  CHECK(get("b") == "-1.5e3");
  CHECK(get("c") == R"("\"q\"")");
  CHECK(get("d") == "-");
  const std::string list = get("a");
  std::vector<std::string> elements;
  const char *at = list.data();
  while (torsh_rt_json_element(&at, list.data() + list.size(), &value, &length))
    elements.emplace_back(value, length);
  CHECK(elements == std::vector<std::string>{R"({"x":"]"})", "2", R"([3,"4"])"});
  for (const std::string bad : {"", "[", "[]", "{}", "1", "[\"a"}) {
    at = bad.data();
    CHECK_FALSE(torsh_rt_json_element(&at, bad.data() + bad.size(), &value, &length));
    CHECK(value == nullptr);
  }
  CHECK(torsh_rt_json_value(nullptr, 0, "a", &value, &length) == -1);
}
