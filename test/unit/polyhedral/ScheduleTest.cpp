//===-- ScheduleTest.cpp - Scheduled loops against loops as written -----------------------------------------===//
#include "RandomAffine.h"
#include "compiler/AffineCompiler.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>

using namespace torsh;
using namespace torsh::test;

namespace {

uint64_t setting(const char *name, uint64_t otherwise) {
  const char *text = getenv(name);
  return text ? strtoull(text, nullptr, 10) : otherwise;
}

/// The arrays of a random function, filled for one seed.
struct Arrays {
  explicit Arrays(uint64_t seed, bool floats)
      : matrices{std::vector<uint32_t>(rows * columns), std::vector<uint32_t>(rows * columns)},
        vectors{std::vector<uint32_t>(length), std::vector<uint32_t>(length)} {
    uint32_t state = seed * 2654435761u + 1;
    for (auto *array : {&matrices[0], &matrices[1], &vectors[0], &vectors[1]})
      for (uint32_t &value : *array) {
        state = state * 1664525u + 1013904223u;
        float real = (state >> 8) / float(1 << 23) - 1;
        if (floats)
          memcpy(&value, &real, sizeof value);
        else
          value = state >> 5;
      }
  }
  std::vector<uint32_t> matrices[2], vectors[2];
};

bool agree(const std::vector<uint32_t> &a, const std::vector<uint32_t> &b, bool floats) {
  if (!floats)
    return a == b;
  for (size_t i = 0; i < a.size(); ++i) {
    float x, y;
    memcpy(&x, &a[i], sizeof x);
    memcpy(&y, &b[i], sizeof y);
    if (!(std::fabs(x - y) <= 1e-4f * (1 + std::fabs(x))))
      return false;
  }
  return true;
}

using Function = void (*)(uint32_t *, uint32_t *, uint32_t *, uint32_t *, int64_t, int64_t);

/// Functions compiled in one batch.
class Batch {
public:
  Batch(const std::string &text, const AffineOptions &options) {
    auto levels = selectLevels("host");
    REQUIRE(bool(levels));
    auto object = compileAffine(text, levels->front(), options, &remarks);
    if (!object)
      FAIL(llvm::toString(object.takeError()));
    auto made = llvm::orc::LLJITBuilder().create();
    if (!made)
      FAIL(llvm::toString(made.takeError()));
    jit = std::move(*made);
    auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
        jit->getDataLayout().getGlobalPrefix());
    if (!process)
      FAIL(llvm::toString(process.takeError()));
    jit->getMainJITDylib().addGenerator(std::move(*process));
    if (auto error = jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(*object)))
      FAIL(llvm::toString(std::move(error)));
  }
  Function find(const std::string &name) {
    auto address = jit->lookup(name);
    if (!address)
      FAIL(llvm::toString(address.takeError()));
    return address->toPtr<Function>();
  }
  std::string remarks;

private:
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

bool isFloat(uint64_t seed) { return seed % 4 == 3; }

std::string programs(uint64_t first, uint64_t count) {
  std::string text;
  for (uint64_t seed = first; seed < first + count; ++seed)
    text += randomAffineFunction("f" + std::to_string(seed), seed, isFloat(seed));
  return text;
}

/// Caches so small that programs of this size are tiled.
AffineOptions scheduled() {
  AffineOptions options;
  options.optLevel = 1;
  options.passes.l1Bytes = 1 << 10;
  options.passes.l2Bytes = 4 << 10;
  options.passes.reportSchedule = true;
  return options;
}

AffineOptions plain() {
  AffineOptions options;
  options.optLevel = 1;
  options.schedule = false;
  return options;
}

/// Seeds whose results differ from those of the loops as written.
std::vector<uint64_t> differing(uint64_t first, uint64_t count, Batch &written, Batch &made) {
  std::vector<uint64_t> wrong;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    std::string name = "f" + std::to_string(seed);
    Function reference = written.find(name), function = made.find(name);
    bool same = true;
    // Sizes of zero, odd sizes and the largest.
    for (auto [n, m] : {std::pair<int64_t, int64_t>{0, 1}, {7, 16}, {mostSize, 11}}) {
      Arrays a(seed, isFloat(seed)), b(seed, isFloat(seed));
      reference(a.matrices[0].data(), a.matrices[1].data(), a.vectors[0].data(), a.vectors[1].data(), n, m);
      function(b.matrices[0].data(), b.matrices[1].data(), b.vectors[0].data(), b.vectors[1].data(), n, m);
      for (int i = 0; i < 2; ++i)
        same &= agree(a.matrices[i], b.matrices[i], isFloat(seed)) &&
                agree(a.vectors[i], b.vectors[i], isFloat(seed));
    }
    if (!same)
      wrong.push_back(seed);
  }
  return wrong;
}

size_t count(const std::string &text, const std::string &what) {
  size_t found = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++found;
  return found;
}

std::string list(const std::vector<uint64_t> &seeds) {
  std::string text;
  for (uint64_t seed : seeds)
    text += " " + std::to_string(seed);
  return text;
}

} // namespace

TEST_CASE("isl is the one of the system and not the one inside of LLVM") {
  CHECK(std::string(islVersion()).rfind("isl-" TORSH_ISL_VERSION "-", 0) == 0);
}

TEST_CASE("scheduled programs compute what the loops as written compute") {
  uint64_t first = setting("TORSH_AFFINE_SEED", 1), total = setting("TORSH_AFFINE_COUNT", 200);
  uint64_t batch = 50, kept = 0, tiled = 0;
  std::vector<uint64_t> wrong;
  for (uint64_t done = 0; done < total; done += batch) {
    uint64_t size = std::min(batch, total - done);
    std::string text = programs(first + done, size);
    Batch written(text, plain()), made(text, scheduled());
    for (uint64_t seed : differing(first + done, size, written, made))
      wrong.push_back(seed);
    kept += count(made.remarks, "keeps its loops");
    tiled += count(made.remarks, ": tiles");
  }
  INFO("wrong:" << list(wrong) << "; kept " << kept << ", tiled " << tiled << " of " << total);
  CHECK(wrong.empty());
  // The comparison means something only if most programs were scheduled, and many with tiles.
  CHECK(kept * 10 <= total);
  CHECK(tiled * 20 >= total);
  WARN(total << " programs: " << kept << " kept their loops, " << tiled << " have tiles");
}

TEST_CASE("a forgotten dependence changes results, and the verifier notices it") {
  constexpr uint64_t first = 1, total = 24;
  std::string text = programs(first, total);
  Batch written(text, plain());
  size_t noticed = 0;
  std::vector<uint64_t> unverified;
  for (int dependence = 0; dependence < 2; ++dependence) {
    AffineOptions options = scheduled();
    options.passes.dropDependence = dependence;
    Batch verified(text, options);
    noticed += count(verified.remarks, "passed its verification");
    options.passes.skipVerification = true;
    Batch mutated(text, options);
    for (uint64_t seed : differing(first, total, written, mutated))
      unverified.push_back(seed);
  }
  WARN(noticed << " schedules refused, " << unverified.size() << " wrong results without verification");
  CHECK(noticed >= 1);
  CHECK(unverified.size() >= 5);
}
