#include "Fixture.h"
#include "artifact/Sha256.h"
#include "torsh/artifact.h"
extern "C" {
#include "runtime/CpuLevel.h"
}

#include <catch2/catch.hpp>
#include <cstdlib>
#include <sstream>

namespace {
struct LevelVariable {
  explicit LevelVariable(const char *value) { setenv("TORSH_CPU_LEVEL", value, 1); }
  ~LevelVariable() { unsetenv("TORSH_CPU_LEVEL"); }
};

int64_t levelOfRun() {
  ModuleHandle module = load(fake("affine.so"));
  if (!module)
    return -1;
  ContextHandle context = makeContext(module);
  AffineInputs inputs(1);
  torsh_value outputs[2] = {};
  if (api().run(context.get(), inputs.values, 2, outputs, 2, nullptr))
    return -2;
  torsh_module_info info{};
  info.size = sizeof(info);
  api().module_info(module.get(), &info);
  const int64_t ran = *static_cast<int64_t *>(outputs[1].as.tensor.data);
  return ran == int64_t(info.cpu_level) ? ran : -3;
}
} // namespace

TEST_CASE("the detected level agrees with the kernel's list of flags", "[cpu]") {
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::string line;
  while (std::getline(cpuinfo, line) && line.find("flags") != 0)
    ;
  std::istringstream words(line);
  std::vector<std::string> flags;
  for (std::string word; words >> word;)
    flags.push_back(word);
  auto has = [&](std::initializer_list<const char *> wanted) {
    for (const char *flag : wanted)
      if (std::find(flags.begin(), flags.end(), flag) == flags.end())
        return false;
    return true;
  };
  uint32_t expected = 1;
  if (has({"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}))
    expected = 2;
  if (expected == 2 && has({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"}))
    expected = 3;
  if (expected == 3 && has({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}))
    expected = has({"avx512_bf16"}) ? 5 : 4;
  CHECK(torsh_rt_cpu_level() == expected);
  CHECK(bool(torsh_sha256_has_extensions()) == has({"sha_ni"}));
}

TEST_CASE("the best code that the CPU can run is chosen, and the variable only lowers it", "[cpu]") {
  const int64_t level = torsh_rt_cpu_level();
  REQUIRE(level >= 2);
  // The fake has code up to v4.
  const int64_t best = std::min<int64_t>(level, 4);
  CHECK(levelOfRun() == best);
  {
    LevelVariable lower("v2");
    CHECK(levelOfRun() == 2);
  }
  {
    LevelVariable higher("v4");
    CHECK(levelOfRun() == best);
  }
  {
    LevelVariable nonsense("fast");
    CHECK(levelOfRun() == best);
  }
}

TEST_CASE("a CPU below every level gets a status", "[cpu]") {
  LevelVariable lower("v3");
  torsh_error error;
  CHECK_FALSE(load(fake("only_v4.so"), 1, &error));
  CHECK(error.status == TORSH_E_CPU);
  INFO(error.message);
  CHECK(std::string(error.message).find("needs a CPU of level x86-64-v4") != std::string::npos);
  LevelVariable lowest("v1");
  CHECK_FALSE(load(fake("affine.so"), 1, &error));
  CHECK(error.status == TORSH_E_CPU);
}
