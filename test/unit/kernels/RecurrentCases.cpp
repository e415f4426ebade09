//===-- RecurrentCases.cpp - LSTM, GRU and plain recurrent layers -------------------------------------------===//
#include "KernelHarness.h"

using namespace torsh::test;

namespace {

struct Layer {
  std::string kind, direction;
  int64_t time, batch, inputs, units;
  bool bias = false, state = false, lengths = false, linearFirst = false;
  std::string element = "f32";
  bool dynamic = false, peephole = false;
};

Case layer(const Layer &l) {
  using Texts = std::vector<std::string>;
  auto text = [](int64_t value) { return std::to_string(value); };
  int64_t gates = l.kind == "lstm" ? 4 : l.kind == "gru" ? 3 : 1;
  std::string d = l.direction == "bidirectional" ? "2" : "1", h = text(l.units);
  std::string time = l.dynamic ? "t" : text(l.time), batch = l.dynamic ? "b" : text(l.batch);
  std::string x = tensor(Texts{time, batch, text(l.inputs)}, l.element);
  // Weights lie in panels of 16 columns.
  std::string columns = text(gates * l.units), panels = text((gates * l.units + 15) / 16), body;
  auto unpacked = [&](const std::string &name, const std::string &length) {
    std::string packed = tensor(Texts{d, panels, length, "16"}, l.element);
    std::string matrices = tensor(Texts{d, length, columns}, l.element),
                type = tensor(Texts{d, columns, length}, l.element);
    body += "%" + name + "m = torsh.unpack %" + name + "p : (" + packed + ") -> " + matrices + "\n%" + name +
            " = torsh.transpose %" + name + "m perm = [0, 2, 1] : (" + matrices + ") -> " + type + "\n";
    return std::pair(packed, type);
  };
  auto [wPanels, w] = unpacked("w", text(l.inputs));
  auto [rPanels, r] = unpacked("r", h);
  std::string y = tensor(Texts{time, d, batch, h}, l.element), s = tensor(Texts{d, batch, h}, l.element);
  std::string arguments = "%x: " + x + ", %wp: " + wPanels + ", %rp: " + rPanels, operands = "%x, %w, %r",
              types = x + ", " + w + ", " + r;
  // Large weights of the state let rounding errors grow with every step.
  std::map<unsigned, Range> ranges = {{2, {-2.0 / l.units, 2.0 / l.units}}};
  unsigned count = 3;
  auto add = [&](const std::string &keyword, const std::string &type) {
    arguments += ", %" + keyword + ": " + type;
    operands += " " + keyword + " %" + keyword;
    types += ", " + type;
    ++count;
  };
  if (l.bias)
    add("bias", tensor(Texts{d, text(2 * gates * l.units)}, l.element));
  if (l.state) {
    add("initial_h", s);
    if (l.kind == "lstm")
      add("initial_c", s);
  }
  if (l.lengths) {
    ranges[count] = {-1, double(l.time + 1)};
    add("lengths", tensor(Texts{batch}, "i32"));
  }
  if (l.peephole)
    add("peephole", tensor(Texts{d, text(3 * l.units)}, l.element));
  std::string results = y + ", " + s + (l.kind == "lstm" ? ", " + s : "");
  std::string attributes =
      l.kind == "gru" ? std::string(" {linear_before_reset = ") + (l.linearFirst ? "true}" : "false}") : "";
  body += std::string("%y:") + (l.kind == "lstm" ? "3" : "2") + " = torsh." + l.kind + " " + l.direction +
          " " + operands + attributes + " : (" + types + ") -> (" + results + ")";
  Case made{"recurrent", arguments, body,  l.kind == "lstm" ? "%y#0, %y#1, %y#2" : "%y#0, %y#1",
            results,     {},        ranges};
  if (l.dynamic)
    made.symbols = {{"t", l.time}, {"b", l.batch}};
  return made;
}

} // namespace

TEST_CASE("recurrent layers") {
  std::vector<Case> cases;
  for (const char *kind : {"lstm", "gru", "rnn"})
    for (const char *direction : {"forward", "reverse", "bidirectional"})
      for (bool linearFirst : {false, true}) {
        if (linearFirst && kind != std::string("gru"))
          continue;
        cases.push_back(layer({kind, direction, 5, 2, 7, 10, false, false, false, linearFirst}));
        cases.push_back(layer({kind, direction, 4, 3, 33, 16, true, true, true, linearFirst}));
        cases.push_back(layer({kind, direction, 3, 1, 1, 1, true, false, false, linearFirst}));
        cases.push_back(layer({kind, direction, 3, 2, 40, 21, true, true, false, linearFirst, "f32", true}));
        cases.push_back(layer({kind, direction, 2, 2, 9, 5, true, true, false, linearFirst, "f16"}));
      }
  // More steps than wait at once, and samples that are no multiple of a tile's.
  cases.push_back(layer({"lstm", "bidirectional", 50, 5, 12, 40, true, true}));
  cases.push_back(layer({"gru", "bidirectional", 53, 6, 12, 40, true, true, false, false, "f32", true}));
  cases.push_back(layer({"lstm", "reverse", 9, 2, 6, 1030, true}));
  cases.push_back(layer({"lstm", "forward", 7, 2, 9, 12, true, true, false, false, "f64"}));
  cases.push_back(layer({"lstm", "bidirectional", 6, 3, 9, 12, true, true, true, false, "f32", false, true}));
  cases.push_back(layer({"lstm", "forward", 5, 2, 4, 3, false, false, false, false, "f32", false, true}));
  // Only the final state is used.
  cases.push_back(layer({"lstm", "forward", 5, 2, 7, 10}));
  cases.back().yields = "%y#1";
  cases.back().types = tensor(std::vector<int64_t>{1, 2, 10});
  // A batch-first input is a window.
  Case window = layer({"gru", "forward", 4, 3, 7, 10});
  std::string from = "%x: " + tensor(std::vector<int64_t>{4, 3, 7});
  window.arguments.replace(0, from.size(), "%input: tensor<3x4x7xf32>");
  window.body = "%x = torsh.transpose %input perm = [1, 0, 2] : (tensor<3x4x7xf32>) -> tensor<4x3x7xf32>\n" +
                window.body;
  cases.push_back(window);
  check(cases);
}
