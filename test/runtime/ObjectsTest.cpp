// Lists, strings and boxes as a run uses them.
#include <catch2/catch.hpp>
#include <cstring>
#include <string>
#include <vector>

extern "C" {
#include "runtime/Objects.h"
}

namespace {

/// A table with its messages.
struct Table {
  Table() { objects.error = &error; }
  ~Table() { torsh_rt_objects_clear(&objects); }

  torsh_status run(torsh_object_call call, const std::vector<const void *> &in, void *out,
                   const std::vector<int64_t> &dims = {}) {
    void *outs[] = {out, &second};
    call.num_in = uint32_t(in.size());
    call.num_out = 1;
    return torsh_rt_object_do(&objects, &call, in.data(), outs, dims.data());
  }
  int64_t make(uint32_t function, const std::vector<const void *> &in,
               const std::vector<int64_t> &numbers = {}) {
    torsh_object_call call = {};
    call.function = function;
    call.numbers = numbers.data();
    call.num_numbers = uint32_t(numbers.size());
    int64_t handle = -1;
    REQUIRE(run(call, in, &handle) == TORSH_OK);
    return handle;
  }
  int64_t box(const std::vector<float> &values, const std::vector<int64_t> &dims) {
    torsh_object_call call = {};
    call.function = TORSH_OBJECT_BOX;
    call.dtype_code = TORSH_DTYPE_FLOAT;
    call.dtype_bits = 32;
    call.rank = uint16_t(dims.size());
    int64_t handle = -1;
    REQUIRE(run(call, {values.data()}, &handle, dims) == TORSH_OK);
    return handle;
  }
  int64_t strings(const std::vector<std::string> &values) {
    std::vector<uint64_t> offsets{0};
    std::string text;
    for (const std::string &value : values) {
      text += value;
      offsets.push_back(text.size());
    }
    std::vector<int64_t> dims{int64_t(values.size())};
    torsh_object_call call = {};
    call.function = TORSH_OBJECT_STRINGS;
    call.num_numbers = 1;
    call.numbers = dims.data();
    call.num_strings = uint32_t(values.size());
    call.offsets = offsets.data();
    call.bytes = text.data();
    int64_t handle = -1;
    REQUIRE(run(call, {}, &handle) == TORSH_OK);
    return handle;
  }
  const torsh_rt_object &object(int64_t handle) const { return *objects.objects[handle - 1]; }
  std::string text(int64_t handle, uint64_t i) const {
    const torsh_rt_object &x = object(handle);
    return std::string(x.data + x.offsets[i], x.data + x.offsets[i + 1]);
  }
  int64_t item(int64_t list, int64_t position) { return make(TORSH_OBJECT_AT, {&list, &position}); }

  torsh_rt_objects objects = {};
  torsh_error error = {};
  int64_t second = 0;
};

} // namespace

TEST_CASE("lists are immutable, however they share their items", "[objects]") {
  Table table;
  int64_t a = table.box({1}, {1}), b = table.box({2}, {1}), list = table.make(TORSH_OBJECT_LIST, {&a});
  int64_t one = table.make(TORSH_OBJECT_APPEND, {&list, &a}),
          other = table.make(TORSH_OBJECT_APPEND, {&list, &b});
  CHECK(table.item(one, 1) == a);
  CHECK(table.item(other, 1) == b);
  int64_t first = 0, last = -1;
  int64_t inserted = table.make(TORSH_OBJECT_INSERT, {&other, &b, &first});
  CHECK(table.item(inserted, 0) == b);
  CHECK(table.item(inserted, 1) == a);
  int64_t erased = table.make(TORSH_OBJECT_ERASE, {&inserted, &last});
  CHECK(table.object(erased).count == 2);
  CHECK(table.object(inserted).count == 3);
  CHECK(table.object(list).count == 1);
}

TEST_CASE("positions outside of a list are refused", "[objects]") {
  Table table;
  int64_t list = table.make(TORSH_OBJECT_LIST, {}), position = 0, handle = 0;
  torsh_object_call call = {};
  call.function = TORSH_OBJECT_AT;
  call.node = "n";
  CHECK(table.run(call, {&list, &position}, &handle) == TORSH_E_SHAPE);
  CHECK(std::strstr(table.error.message, "node 'n': the position 0 is not in a sequence of 0 items"));
  int64_t wrong = 77;
  CHECK(table.run(call, {&wrong, &position}, &handle) == TORSH_E_INVALID_ARGUMENT);
}

TEST_CASE("a tensor is split and joined again", "[objects]") {
  Table table;
  int64_t x = table.box({0, 1, 2, 3, 4, 5}, {2, 3});
  int64_t list = table.make(TORSH_OBJECT_SPLIT, {&x}, {1, 1});
  REQUIRE(table.object(list).count == 3);
  int64_t joined = table.make(TORSH_OBJECT_CONCAT, {&list}, {1, 0});
  CHECK(table.object(joined).dims[1] == 3);
  CHECK(!std::memcmp(table.object(joined).data, table.object(x).data, 24));
  int64_t stacked = table.make(TORSH_OBJECT_CONCAT, {&list}, {-1, 1});
  CHECK(table.object(stacked).rank == 3);
}

TEST_CASE("strings are joined, compared and split", "[objects]") {
  Table table;
  int64_t a = table.strings({"ab", "c"}), b = table.strings({"x"});
  int64_t joined = table.make(TORSH_OBJECT_STRING_CONCAT, {&a, &b});
  CHECK(table.text(joined, 0) == "abx");
  CHECK(table.text(joined, 1) == "cx");
  int64_t c = table.strings({"ab"}), equal = table.make(TORSH_OBJECT_STRING_EQUAL, {&a, &c});
  CHECK(table.object(equal).data[0] == 1);
  CHECK(table.object(equal).data[1] == 0);
  int64_t words = table.strings({" one  two ", ""}),
          pieces = table.make(TORSH_OBJECT_STRING_SPLIT, {&words}, {-1});
  REQUIRE(table.object(pieces).dims[1] == 2);
  CHECK(table.text(pieces, 1) == "two");
  CHECK(table.text(pieces, 2).empty());
}

TEST_CASE("objects stay below the cap", "[objects]") {
  Table table;
  table.objects.most = 4096;
  std::vector<float> values(2048);
  torsh_object_call call = {};
  call.function = TORSH_OBJECT_BOX;
  call.dtype_code = TORSH_DTYPE_FLOAT;
  call.dtype_bits = 32;
  call.rank = 1;
  int64_t handle = 0;
  CHECK(table.run(call, {values.data()}, &handle, {2048}) == TORSH_E_MEMORY_CAP);
  CHECK(table.error.needed == 8192);
  CHECK(table.run(call, {values.data()}, &handle, {-1}) == TORSH_E_SHAPE);
}
