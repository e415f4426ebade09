//===-- SearchCases.cpp - What a search proposes -------------------------------------------------------------===//
#include "compiler/tuner/Search.h"
#include <catch2/catch.hpp>

using namespace torsh;

namespace {

KernelChoices choose(std::initializer_list<std::pair<Knob, int64_t>> values) {
  KernelChoices choices;
  for (auto [knob, value] : values)
    choices.set(knob, value);
  return choices;
}

/// Two knobs that belong together and a third one; 4 rows with 2 panels are not allowed.
SearchSpace makeSpace() {
  SearchSpace space;
  space.stages = {{{Knob::TileRows, {2, 4}}, {Knob::TilePanels, {1, 2}}}, {{Knob::DepthUnroll, {2, 4}}}};
  space.isLegal = [](const KernelChoices &choices) {
    return bool(choices.get(Knob::TileRows)) == bool(choices.get(Knob::TilePanels)) &&
           choices.get(Knob::TileRows) * choices.get(Knob::TilePanels) <= 6;
  };
  space.prior = [](const KernelChoices &choices) {
    return 10.0 - double(choices.get(Knob::TileRows)) - double(choices.get(Knob::DepthUnroll)) / 10;
  };
  return space;
}

/// Runs a search to its end in batches; 4 x 1 with unroll 2 is the best, 2 x 2 cannot be built.
std::vector<KernelChoices> drain(SearchStrategy &search, size_t batch) {
  std::vector<KernelChoices> all;
  for (auto proposed = search.propose(batch); !proposed.empty(); proposed = search.propose(batch)) {
    REQUIRE(proposed.size() <= batch);
    for (const KernelChoices &choices : proposed) {
      all.push_back(choices);
      double ratio = 0.9;
      if (choices.get(Knob::TileRows) == 4)
        ratio = choices.get(Knob::DepthUnroll) == 2 ? 0.5 : 0.7;
      if (choices.get(Knob::TilePanels) == 2)
        ratio = std::numeric_limits<double>::infinity();
      search.report(choices, ratio);
    }
  }
  return all;
}

} // namespace

TEST_CASE("an exhaustive search proposes every legal combination once, the most promising first") {
  auto search = createExhaustiveSearch(makeSpace());
  std::vector<KernelChoices> all = drain(*search, 3);
  // (none, 2x1, 2x2, 4x1) x (none, 2, 4) without the defaults.
  CHECK(all.size() == 11);
  for (size_t i = 0; i < all.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      CHECK_FALSE(all[i] == all[j]);
  CHECK(all.front() == choose({{Knob::TileRows, 4}, {Knob::TilePanels, 1}, {Knob::DepthUnroll, 4}}));
  CHECK(search->getBest() == choose({{Knob::TileRows, 4}, {Knob::TilePanels, 1}, {Knob::DepthUnroll, 2}}));
  CHECK(search->getBestRatio() == 0.5);
}

TEST_CASE("a staged search starts a stage from the best of the stages before") {
  auto search = createStagedSearch(makeSpace(), 100);
  std::vector<KernelChoices> all = drain(*search, 8);
  REQUIRE(all.size() == 5);
  for (size_t i = 0; i < 3; ++i)
    CHECK(all[i].get(Knob::DepthUnroll) == 0);
  for (size_t i = 3; i < 5; ++i)
    CHECK(all[i].get(Knob::TileRows) == 4);
  CHECK(search->getBest() == choose({{Knob::TileRows, 4}, {Knob::TilePanels, 1}, {Knob::DepthUnroll, 2}}));
}

TEST_CASE("a staged search leaves out what the cost model rules out") {
  SearchSpace space = makeSpace();
  // 4 rows promise 1, 2 rows 3.
  space.prior = [](const KernelChoices &choices) { return choices.get(Knob::TileRows) == 4 ? 1.0 : 3.0; };
  auto search = createStagedSearch(space, 2);
  for (const KernelChoices &choices : drain(*search, 8))
    CHECK(choices.get(Knob::TileRows) == 4);
}

TEST_CASE("nothing that is slower than the defaults becomes the best") {
  auto search = createExhaustiveSearch(makeSpace());
  for (const KernelChoices &choices : search->propose(100))
    search->report(choices, 1.01);
  CHECK(search->getBest().isDefault());
}

TEST_CASE("small spaces are searched as a whole, large ones in stages") {
  auto count = [](SearchSpace space) {
    auto search = createSearch(std::move(space));
    return drain(*search, 1000).size();
  };
  CHECK(count(makeSpace()) == 11);
  SearchSpace large = makeSpace();
  large.stages.push_back({{Knob::RowBlock, {6, 12, 24, 36, 48}}});
  large.prior = [](const KernelChoices &) { return 1.0; };
  CHECK(count(large) == 10);
}
