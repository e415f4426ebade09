//===-- SharedCases.cpp - The cases of the CPU's kernels on a GPU -------------------------------------------===//
#include "test/gpu/kernels/DeviceHarness.h"
#include "test/unit/kernels/CaseEvaluation.h"

namespace torsh::test {

static size_t numChecked = 0, numWithoutCode = 0;

void check(const std::vector<Case> &cases) {
  DeviceOptions options;
  options.seeds = {1};
  for (const Case &one : cases) {
    INFO(textOf(one, 0));
    std::optional<DeviceResult> result = tryOnDevice(one, options);
    if (!result) {
      ++numWithoutCode;
      continue;
    }
    ++numChecked;
    CHECK(result->wrong == "");
  }
}

// What a CPU's strategy refuses says nothing about a GPU's.
void expectRefused(const Case &, const std::string &) {}

} // namespace torsh::test

TEST_CASE("zz: most cases have code for a GPU") {
  // The name sorts behind all others, and tests run in the order of their names here.
  WARN(torsh::test::numChecked << " cases ran on the GPU, " << torsh::test::numWithoutCode
                               << " have no code for it");
  CHECK(torsh::test::numChecked > torsh::test::numWithoutCode);
}
