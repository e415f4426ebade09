#include "Fixture.h"
#include "torsh/torsh.hpp"

#include <catch2/catch.hpp>

TEST_CASE("the C++ layer loads, describes and runs", "[wrapper]") {
  torsh::Executor executor(2);
  torsh::LoadOptions options;
  options.executor = &executor;
  torsh::Module module = torsh::Module::load(fake("affine.so"), options);
  REQUIRE(module.inputs().size() == 2);
  CHECK(module.inputs()[0].name == "x");
  CHECK(module.inputs()[0].dims == std::vector<int64_t>{-1, 8});
  CHECK(module.outputs()[1].dimNames == std::vector<std::string>{"batch"});
  CHECK(module.info().width == 2);
  CHECK(module.metadata().find("compiler") != std::string::npos);

  torsh::Context context(module);
  AffineInputs inputs(6);
  auto x = torsh::tensor(inputs.x.data(), {6, 8}), y = torsh::tensor(inputs.y.data(), {6, 8});
  torsh::Outputs outputs = context.run({x, y});
  CHECK(outputs[0].shape() == std::vector<int64_t>{6, 8});
  CHECK(inputs.matches(outputs[0].data<float>()));
  CHECK_THROWS_AS(outputs[0].data<int32_t>(), torsh::Error);
  CHECK(outputs[1].size() == 6);

  std::vector<float> z(48);
  std::vector<int64_t> level(6);
  context.run({x, y}, {torsh::tensor(z.data(), {6, 8}), torsh::tensor(level.data(), {6})});
  CHECK(inputs.matches(z.data()));
  CHECK(context.stats().runs == 2);
}

TEST_CASE("the C++ layer throws with status, port and axis", "[wrapper]") {
  CHECK_THROWS_AS(torsh::Module::load("/does/not/exist.so"), torsh::Error);
  CHECK_NOTHROW(torsh::Module::verify(fake("affine.so")));
  torsh::Context context(torsh::Module::load(fake("affine.so")));
  std::vector<float> data(18);
  auto wrong = torsh::tensor(data.data(), {2, 9});
  try {
    context.run({wrong, wrong});
    FAIL("no error");
  } catch (const torsh::Error &error) {
    CHECK(error.status() == TORSH_E_SHAPE);
    CHECK(error.port() == 0);
    CHECK(error.axis() == 1);
    CHECK(std::string(error.what()).find("TSH-8010") == 0);
  }
}
