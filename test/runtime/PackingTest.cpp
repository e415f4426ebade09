#include "Fixture.h"

#include <catch2/catch.hpp>

namespace {
constexpr torsh_dtype Int4{TORSH_DTYPE_INT, 4, 1};
constexpr torsh_dtype Sixth{TORSH_DTYPE_FLOAT6_E2M3FN, 6, 1};

using Bytes = std::vector<uint8_t>;

/// x is 1, -2, 3, 0, -8; the codes are 1, 62, 63, 32, 5.
struct Inputs {
  Bytes x{0xe1, 0x03, 0x08}, code{0x81, 0xff, 0x83, 0x05};
  std::vector<int64_t> shape{5};
  torsh_value values[2] = {makeValue(x.data(), Int4, shape), makeValue(code.data(), Sixth, shape)};
};

const Bytes negated{0x2f, 0x0d, 0x08}; // -1, 2, -3, 0, 8 wrapped to -8
const Bytes sixth{0xc2, 0x0f, 0x84, 0x06};
} // namespace

TEST_CASE("elements that share bytes are unpacked for compiled code and packed for callers", "[packing]") {
  ModuleHandle module = load(fake("narrow.so"));
  ContextHandle context = makeContext(module);
  Inputs inputs;
  torsh_error error;

  torsh_value owned[2] = {};
  for (int round = 0; round < 2; ++round) {
    REQUIRE(api().run(context.get(), inputs.values, 2, owned, 2, &error) == TORSH_OK);
    for (int i = 0; i < 2; ++i) {
      const Bytes &expected = i ? sixth : negated;
      auto *data = static_cast<uint8_t *>(owned[i].as.tensor.data);
      CHECK(owned[i].as.tensor.dtype.bits == (i ? 6 : 4));
      CHECK(owned[i].as.tensor.shape[0] == 5);
      CHECK(Bytes(data, data + expected.size()) == expected);
    }
  }

  // Nothing beyond the packed bytes of a caller's buffer is touched.
  Bytes first(negated.size() + 1, 0xaa), second(sixth.size() + 1, 0xaa);
  torsh_value given[2] = {makeValue(first.data(), Int4, inputs.shape),
                          makeValue(second.data(), Sixth, inputs.shape)};
  REQUIRE(api().run(context.get(), inputs.values, 2, given, 2, &error) == TORSH_OK);
  CHECK(Bytes(first.begin(), first.end() - 1) == negated);
  CHECK(Bytes(second.begin(), second.end() - 1) == sixth);
  CHECK(first.back() == 0xaa);
  CHECK(second.back() == 0xaa);
}

TEST_CASE("unpacked tensors count towards the memory cap, and a repeat allocates nothing", "[packing]") {
  ModuleHandle module = load(fake("narrow.so"));
  ContextHandle context = makeContext(module);
  Inputs inputs;
  torsh_error error;
  Bytes first(negated.size()), second(sixth.size());
  torsh_value given[2] = {makeValue(first.data(), Int4, inputs.shape),
                          makeValue(second.data(), Sixth, inputs.shape)};
  // Two inputs and two outputs, a line of 64 bytes each.
  REQUIRE(api().set_memory_cap(context.get(), 255) == TORSH_OK);
  CHECK(api().run(context.get(), inputs.values, 2, given, 2, &error) == TORSH_E_MEMORY_CAP);
  CHECK(error.needed == 256);
  REQUIRE(api().set_memory_cap(context.get(), 256) == TORSH_OK);
  REQUIRE(api().run(context.get(), inputs.values, 2, given, 2, &error) == TORSH_OK);
  torsh_stats stats{};
  stats.size = sizeof(stats);
  REQUIRE(api().get_stats(context.get(), &stats) == TORSH_OK);
  uint64_t allocations = stats.allocations;
  REQUIRE(api().run(context.get(), inputs.values, 2, given, 2, &error) == TORSH_OK);
  REQUIRE(api().get_stats(context.get(), &stats) == TORSH_OK);
  CHECK(stats.allocations == allocations);
}
