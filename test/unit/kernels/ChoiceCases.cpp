//===-- ChoiceCases.cpp - Every choice of a strategy gives the same values -----------------------------------===//
#include "KernelHarness.h"
#include "passes/lowering/KernelChoices.h"

using namespace torsh;
using namespace torsh::test;

namespace {

/// The attribute's entries: shared ones directly, the others for both levels.
std::string entries(std::initializer_list<std::pair<Knob, int64_t>> values) {
  std::string shared, own;
  for (auto [knob, value] : values) {
    const KnobInfo &info = getKnobInfo(knob);
    std::string &text = info.shared ? shared : own;
    text += (text.empty() ? "" : ", ") + info.name.str() + " = " + std::to_string(value) + " : i64";
  }
  if (own.empty())
    return shared;
  return shared + (shared.empty() ? "" : ", ") + "v3 = {" + own + "}, v4 = {" + own + "}";
}

/// A kernel with every combination of a few choices.
void checkAll(const Case &one, const std::vector<std::string> &choices) {
  std::vector<Case> cases;
  for (const std::string &text : choices) {
    cases.push_back(one);
    cases.back().choices = text;
  }
  check(cases);
}

std::vector<std::string> productChoices() {
  std::vector<std::string> all;
  // Tiles that fit both levels.
  for (auto [rows, panels] : std::vector<std::pair<int64_t, int64_t>>{
           {1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}, {6, 1}, {1, 2}, {2, 2}, {3, 2}, {1, 4}})
    all.push_back(entries({{Knob::TileRows, rows}, {Knob::TilePanels, panels}}));
  for (int64_t value : getKnobInfo(Knob::DepthUnroll).values)
    all.push_back(entries({{Knob::DepthUnroll, value}}));
  for (int64_t value : getKnobInfo(Knob::RowBlock).values)
    all.push_back(entries({{Knob::RowBlock, value}}));
  for (int64_t value : getKnobInfo(Knob::ColumnPanels).values)
    all.push_back(entries({{Knob::ColumnPanels, value}}));
  all.push_back(entries({{Knob::TileRows, 1},
                         {Knob::TilePanels, 3},
                         {Knob::ColumnPanels, 6},
                         {Knob::RowBlock, 12},
                         {Knob::DepthUnroll, 4}}));
  all.push_back(
      entries({{Knob::TileRows, 5}, {Knob::TilePanels, 1}, {Knob::RowBlock, 24}, {Knob::ColumnPanels, 3}}));
  return all;
}

} // namespace

TEST_CASE("choices of products with packed weights") {
  // 100 columns: six whole panels and one of four columns. 11 steps of the sum are no multiple of any unrolling.
  std::string x = tensor(std::vector<std::string>{"n", "11"}),
              y = tensor(std::vector<std::string>{"n", "100"});
  std::string w = tensor({11, 100}), p = tensor({7, 11, 16});
  Case one{"dot",
           "%x: " + x + ", %w: " + p,
           "%u = torsh.unpack %w : (" + p + ") -> " + w +
               "\n%d = torsh.dot_general %x, %u batch = [] x [] contract = [1] x [0] : (" + x + ", " + w +
               ") -> " + y + "\n%y = torsh.tanh %d : " + y,
           "%y",
           y,
           {{"n", 37}}};
  checkAll(one, productChoices());
}

TEST_CASE("choices of products that pack their right operand") {
  Case one{"dot", "%x: " + tensor({2, 13, 24}) + ", %w: " + tensor({2, 40, 24}),
           "%y = torsh.dot_general %x, %w batch = [0] x [0] contract = [2] x [2] : (" + tensor({2, 13, 24}) +
               ", " + tensor({2, 40, 24}) + ") -> " + tensor({2, 13, 40}),
           "%y", tensor({2, 13, 40})};
  checkAll(one, productChoices());
}

TEST_CASE("choices of convolutions") {
  std::string x = tensor({2, 9, 7, 12}), w = tensor({3, 3, 12, 40}), y = tensor({2, 7, 5, 40}),
              p = tensor({3, 108, 16});
  Case one{"conv", "%x: " + x + ", %w: " + p,
           "%u = torsh.unpack %w : (" + p + ") -> " + tensor({108, 40}) + "\n%r = torsh.reshape %u : (" +
               tensor({108, 40}) + ") -> " + w +
               "\n%y = torsh.conv %x, %r strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] "
               "groups = 1 "
               "{layout = #torsh<layout channels_last>} : (" +
               x + ", " + w + ") -> " + y,
           "%y", y};
  checkAll(one, productChoices());
}

TEST_CASE("choices of depthwise convolutions") {
  std::vector<std::string> choices;
  for (int64_t pixels : getKnobInfo(Knob::Pixels).values)
    for (int64_t vectors : getKnobInfo(Knob::ChannelVectors).values)
      if (pixels * vectors <= 12)
        choices.push_back(entries({{Knob::Pixels, pixels}, {Knob::ChannelVectors, vectors}}));
  for (int64_t channels : getKnobInfo(Knob::ChannelBlock).values) {
    choices.push_back(entries({{Knob::ChannelBlock, channels}}));
    choices.push_back(entries({{Knob::ChannelBlock, channels}, {Knob::ChannelVectors, 3}}));
  }
  // Both a row whose length is known, with blocks that are built for its ends, and one whose length is not.
  for (const std::string &width : {"15", "n"}) {
    std::string x = tensor(std::vector<std::string>{"1", "6", width, "84"}), w = tensor({3, 3, 1, 84});
    Case one{"depthwise", "%x: " + x + ", %w: " + w,
             "%y = torsh.conv %x, %w strides = [1, 1] dilations = [1, 1] low = [1, 1] high = [1, 1] groups = "
             "84 {layout = "
             "#torsh<layout channels_last>} : (" +
                 x + ", " + w + ") -> " + x,
             "%y", x};
    if (width == "n")
      one.symbols = {{"n", 15}};
    checkAll(one, choices);
  }
}

TEST_CASE("choices of attention") {
  std::vector<std::string> choices;
  for (int64_t queries : getKnobInfo(Knob::QueryBlock).values)
    for (int64_t keys : getKnobInfo(Knob::KeyBlock).values)
      choices.push_back(entries({{Knob::QueryBlock, queries}, {Knob::KeyBlock, keys}}));
  choices.push_back(entries({{Knob::TileRows, 4}, {Knob::TilePanels, 1}, {Knob::KeyBlock, 32}}));
  choices.push_back(entries({{Knob::TileRows, 2}, {Knob::TilePanels, 2}, {Knob::DepthUnroll, 2}}));
  std::string q = tensor({2, 50, 24}), k = tensor({2, 70, 24}), s = tensor({2, 50, 70});
  Case one{"attention", "%q: " + q + ", %k: " + k + ", %v: " + k,
           "%s = torsh.dot_general %q, %k batch = [0] x [0] contract = [2] x [2] : (" + q + ", " + k +
               ") -> " + s + "\n%p = torsh.softmax %s axis = 2 : " + s +
               "\n%y = torsh.dot_general %p, %v batch = [0] x [0] contract = [2] x [1] : (" + s + ", " + k +
               ") -> " + q,
           "%y", q};
  checkAll(one, choices);
}
