#include "Fixture.h"

#include <catch2/catch.hpp>
#include <numeric>

namespace {

/// Inputs of the fake whose output has `count` elements.
struct Given {
  explicit Given(int64_t count, int64_t size = 8) : size{size}, one{1}, x(size_t(size)), count(count) {
    std::iota(x.begin(), x.end(), 1.0f);
    inputs[0] = makeValue(x.data(), F32, this->size);
    inputs[1] = makeValue(&this->count, I64, one);
  }
  std::vector<int64_t> size, one;
  std::vector<float> x;
  int64_t count;
  torsh_value inputs[2], output{};
};

struct Fake {
  Fake() : module(load(fake("born.so"))), context(makeContext(module)) {}
  torsh_status run(Given &given) {
    return api().run(context.get(), given.inputs, 2, &given.output, 1, &error);
  }
  ModuleHandle module;
  ContextHandle context;
  torsh_error error{};
};

} // namespace

TEST_CASE("an output of a size born at run time", "[born]") {
  Fake f;
  Given given(3);
  torsh_value described{};
  REQUIRE(api().output_dims(f.context.get(), given.inputs, 2, &described, 1, nullptr, &f.error) == TORSH_OK);
  CHECK(described.as.tensor.shape[0] == -1);
  for (int64_t count : {3, 8, 0, 5}) {
    given.count = count;
    REQUIRE(f.run(given) == TORSH_OK);
    CHECK(given.output.as.tensor.ndim == 1);
    CHECK(given.output.as.tensor.shape[0] == count);
    for (int64_t i = 0; i < count; ++i)
      CHECK(static_cast<float *>(given.output.as.tensor.data)[i] == 2 * float(i + 1));
  }
  torsh_stats stats{};
  stats.size = sizeof(stats);
  api().get_stats(f.context.get(), &stats);
  const uint64_t asked = stats.allocations;
  REQUIRE(f.run(given) == TORSH_OK);
  api().get_stats(f.context.get(), &stats);
  CHECK(stats.allocations == asked);
}

TEST_CASE("the caller's buffer for a size born at run time", "[born]") {
  Fake f;
  Given given(3);
  std::vector<float> buffer(4);
  given.output.as.tensor.data = buffer.data();
  given.output.as.tensor.device = {TORSH_DEVICE_CPU, 0};
  given.output.capacity = buffer.size() * sizeof(float);
  REQUIRE(f.run(given) == TORSH_OK);
  CHECK(buffer[2] == 6);
  CHECK(given.output.as.tensor.shape[0] == 3);

  given.count = 5;
  given.output.as.tensor.shape = nullptr;
  CHECK(f.run(given) == TORSH_E_SHAPE);
  CHECK(f.error.needed == 20);
  CHECK(std::string(f.error.message).find("needs 20 bytes") != std::string::npos);

  std::vector<int64_t> shape{4};
  given.output = makeValue(buffer.data(), F32, shape);
  CHECK(f.run(given) == TORSH_E_SHAPE);
  given.count = 4;
  CHECK(f.run(given) == TORSH_OK);
  given.output = makeValue(given.x.data() + 2, F32, shape);
  CHECK(f.run(given) == TORSH_E_LAYOUT);
}

TEST_CASE("sizes that do not fit, and memory that is capped", "[born]") {
  Fake f;
  Given given(9);
  CHECK(f.run(given) == TORSH_E_SHAPE);
  CHECK(std::string(f.error.message).find("m is at most n (left side 9, right side 8)") != std::string::npos);
  given.count = -1;
  CHECK(f.run(given) == TORSH_E_SHAPE);

  Given large(100000, 100000);
  REQUIRE(api().set_memory_cap(f.context.get(), 500000) == TORSH_OK);
  CHECK(f.run(large) == TORSH_E_MEMORY_CAP);
  CHECK(f.error.needed == 400000);
  large.count = 10000;
  CHECK(f.run(large) == TORSH_OK);
}

TEST_CASE("an output of a born size is no input of the next run", "[born]") {
  Fake f;
  Given given(8);
  REQUIRE(f.run(given) == TORSH_OK);
  given.inputs[0] = makeValue(given.output.as.tensor.data, F32, given.size);
  CHECK(f.run(given) == TORSH_E_LAYOUT);
}
