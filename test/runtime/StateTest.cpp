#include "Fixture.h"

#include <catch2/catch.hpp>

namespace {

constexpr torsh_dtype F64{TORSH_DTYPE_FLOAT, 64, 1};

using StateHandle = std::unique_ptr<torsh_state, void (*)(torsh_state *)>;

StateHandle makeState(const ModuleHandle &module, torsh_error *error = nullptr) {
  torsh_state *state = nullptr;
  api().state_create(module.get(), &state, error);
  return StateHandle(state, api().state_destroy);
}

/// What a step of the fake takes and gives beside its state.
struct Given {
  double lr = 0.5;
  float x[4] = {1, 2, 3, 4}, loss = -1;
  std::vector<int64_t> scalar, vector{4};
  torsh_value inputs[2], outputs[1];
  Given() {
    inputs[0] = makeValue(&lr, F64, scalar);
    inputs[1] = makeValue(x, F32, vector);
    outputs[0] = makeValue(&loss, F32, scalar);
  }
};

template <typename T> T *slot(const StateHandle &state, uint32_t index) {
  torsh_value value{};
  REQUIRE(api().state_tensor(state.get(), index, &value) == TORSH_OK);
  return static_cast<T *>(value.as.tensor.data);
}

} // namespace

TEST_CASE("a state starts with the artifact's values and is described", "[state]") {
  ModuleHandle module = load(fake("step.so"));
  REQUIRE(module);
  REQUIRE(api().state_count(module.get()) == 3);
  StateHandle state = makeState(module);
  REQUIRE(state);
  torsh_state_info info{};
  info.size = sizeof(info);
  REQUIRE(api().state_info(module.get(), 0, &info) == TORSH_OK);
  CHECK(std::string(info.name) == "p");
  CHECK(info.role == 1);
  CHECK(info.bytes == 16);
  CHECK(static_cast<const float *>(info.initial)[2] == 3);
  REQUIRE(api().state_info(module.get(), 1, &info) == TORSH_OK);
  CHECK(info.initial == nullptr);
  CHECK(api().state_info(module.get(), 3, &info) == TORSH_E_INVALID_ARGUMENT);
  CHECK(slot<float>(state, 0)[3] == 4);
  CHECK(*slot<float>(state, 1) == 0);
  CHECK(*slot<int64_t>(state, 2) == 0);
}

TEST_CASE("steps change the state in place and are counted", "[state]") {
  ModuleHandle module = load(fake("step.so"));
  ContextHandle context = makeContext(module);
  StateHandle state = makeState(module);
  Given given;
  torsh_error error;
  for (int step = 0; step < 3; ++step)
    REQUIRE(api().step(context.get(), state.get(), given.inputs, 2, given.outputs, 1, &error) == TORSH_OK);
  // p is 1..4 and loses half of itself each time; m sums the numbers of the steps.
  CHECK(slot<float>(state, 0)[3] == -2);
  CHECK(*slot<float>(state, 1) == 6);
  CHECK(*slot<int64_t>(state, 2) == 3);
  CHECK(given.loss == 0);
  REQUIRE(api().state_reset(state.get()) == TORSH_OK);
  CHECK(slot<float>(state, 0)[3] == 4);
  CHECK(*slot<int64_t>(state, 2) == 0);
}

TEST_CASE("a refused step counts nothing", "[state]") {
  ModuleHandle module = load(fake("step.so")), other = load(fake("step.so"));
  ContextHandle context = makeContext(module), foreign = makeContext(other);
  StateHandle state = makeState(module);
  Given given;
  torsh_error error;
  CHECK(api().step(context.get(), state.get(), given.inputs, 1, given.outputs, 1, &error) ==
        TORSH_E_INVALID_ARGUMENT);
  CHECK(std::string(error.message).find("takes 2 inputs") != std::string::npos);
  CHECK(api().step(foreign.get(), state.get(), given.inputs, 2, given.outputs, 1, &error) ==
        TORSH_E_INVALID_ARGUMENT);
  CHECK(std::string(error.message).find("two modules") != std::string::npos);
  CHECK(api().step(nullptr, state.get(), given.inputs, 2, given.outputs, 1, nullptr) ==
        TORSH_E_INVALID_ARGUMENT);
  given.inputs[1].as.tensor.dtype = F64;
  CHECK(api().step(context.get(), state.get(), given.inputs, 2, given.outputs, 1, &error) == TORSH_E_DTYPE);
  given.inputs[1].as.tensor.dtype = F32;
  given.vector[0] = 3;
  CHECK(api().step(context.get(), state.get(), given.inputs, 2, given.outputs, 1, &error) == TORSH_E_SHAPE);
  CHECK(*slot<int64_t>(state, 2) == 0);
  CHECK(slot<float>(state, 0)[3] == 4);
}

TEST_CASE("what a step writes must overlap nothing", "[state]") {
  ModuleHandle module = load(fake("step.so"));
  ContextHandle context = makeContext(module);
  StateHandle state = makeState(module);
  Given given;
  torsh_error error;
  // The batch is the parameter itself.
  given.inputs[1].as.tensor.data = slot<float>(state, 0);
  CHECK(api().step(context.get(), state.get(), given.inputs, 2, given.outputs, 1, &error) == TORSH_E_LAYOUT);
  CHECK(std::string(error.message).find("a step writes over input 0 (\"p\")") != std::string::npos);
  // The same through run(), with every input from the caller.
  float p[4] = {1, 1, 1, 1}, m = 0;
  int64_t step = 1;
  torsh_value all[5] = {makeValue(p, F32, given.vector), makeValue(&m, F32, given.scalar),
                        makeValue(&step, I64, given.scalar), given.inputs[0],
                        makeValue(given.x, F32, given.vector)};
  REQUIRE(api().run(context.get(), all, 5, given.outputs, 1, &error) == TORSH_OK);
  CHECK(p[0] == 0.5f);
  CHECK(m == 1);
  all[1].as.tensor.data = p + 3;
  CHECK(api().run(context.get(), all, 5, given.outputs, 1, &error) == TORSH_E_LAYOUT);
}

TEST_CASE("only train steps have a state", "[state]") {
  ModuleHandle module = load(fake("affine.so"));
  CHECK(api().state_count(module.get()) == 0);
  CHECK(api().state_count(nullptr) == 0);
  torsh_error error;
  CHECK(!makeState(module, &error));
  CHECK(std::string(error.message).find("--train-step") != std::string::npos);
  CHECK(api().state_reset(nullptr) == TORSH_E_INVALID_ARGUMENT);
  api().state_destroy(nullptr);
}

TEST_CASE("initial values behind the weights are refused", "[state]") {
  torsh_error error;
  CHECK(!load(fake("step_weightless.so"), 1, &error));
  CHECK(error.status == TORSH_E_FORMAT);
}

TEST_CASE("a state outlives its module's handle", "[state]") {
  StateHandle state(nullptr, api().state_destroy);
  {
    ModuleHandle module = load(fake("step.so"));
    state = makeState(module);
  }
  CHECK(slot<float>(state, 0)[1] == 2);
  CHECK(api().state_reset(state.get()) == TORSH_OK);
}
