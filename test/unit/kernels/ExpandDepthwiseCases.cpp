//===-- ExpandDepthwiseCases.cpp - A pointwise convolution filtered while it is computed ----------------------===//
#include "KernelHarness.h"

using namespace torsh::test;

namespace {

using Sizes = std::vector<int64_t>;
using Texts = std::vector<std::string>;

enum class Between { Nothing, Clamp, HardSwish };

struct Block {
  Sizes spatial, kernel, strides, low, high;
  int64_t inputs, channels;
  Between between = Between::Clamp;
  bool bias = true, relu = true;
  std::string batch = "1"; ///< a number or the symbol n
  int64_t dilation = 1, images = 0;
};

std::string text(int64_t value) { return std::to_string(value); }

Case block(const Block &b) {
  auto image = [&](Sizes spatial, int64_t channels) {
    return tensor(Texts{b.batch, text(spatial[0]), text(spatial[1]), text(channels)});
  };
  Sizes outputs;
  for (size_t i = 0; i < 2; ++i)
    outputs.push_back(
        (b.spatial[i] + b.low[i] + b.high[i] - b.dilation * (b.kernel[i] - 1) - 1) / b.strides[i] + 1);
  std::string x = image(b.spatial, b.inputs), wide = image(b.spatial, b.channels),
              y = image(outputs, b.channels);
  std::string panels = tensor(Sizes{(b.channels + 15) / 16, b.inputs, 16});
  std::string matrix = tensor(Sizes{b.inputs, b.channels}), w = tensor(Sizes{1, 1, b.inputs, b.channels});
  std::string v = tensor(Sizes{b.kernel[0], b.kernel[1], 1, b.channels}), bias = tensor(Sizes{b.channels});
  std::string layout = " {layout = #torsh<layout channels_last>} : (";
  std::string arguments = "%x: " + x + ", %p: " + panels + ", %v: " + v;
  if (b.bias)
    arguments += ", %b: " + bias + ", %c: " + bias;
  auto splat = [&](const std::string &name, const std::string &number, const std::string &type) {
    return "%" + name + "s = torsh.constant dense<" + number + "> : tensor<f32> -> tensor<f32>\n%" + name +
           " = torsh.broadcast %" + name + "s axes = [] : (tensor<f32>) -> " + type + "\n";
  };
  std::string body = "%m = torsh.unpack %p : (" + panels + ") -> " + matrix + "\n%w = torsh.reshape %m : (" +
                     matrix + ") -> " + w + "\n%wide = torsh.conv %x, %w" + (b.bias ? " bias %b" : "") +
                     " strides = [1, 1] dilations = [1, 1] low = [0, 0] high = [0, 0] groups = 1" + layout +
                     x + ", " + w + (b.bias ? ", " + bias : "") + ") -> " + wide + "\n";
  std::string filtered = "%wide";
  if (b.between == Between::Clamp) {
    body += splat("zero", "0.0", wide) + splat("six", "0.6", wide) +
            "%a = torsh.maximum %wide, %zero : " + wide + "\n%z = torsh.minimum %a, %six : " + wide + "\n";
    filtered = "%z";
  } else if (b.between == Between::HardSwish) {
    // The sum has two readers.
    body += splat("three", "0.3", wide) + splat("zero", "0.0", wide) +
            "%a = torsh.add %wide, %three : " + wide + "\n%c0 = torsh.maximum %a, %zero : " + wide +
            "\n%z = torsh.mul %wide, %c0 : " + wide + "\n";
    filtered = "%z";
  }
  body += "%f = torsh.conv " + filtered + ", %v" + (b.bias ? " bias %c" : "") +
          " strides = " + list(b.strides) + " dilations = " + list({b.dilation, b.dilation}) +
          " low = " + list(b.low) + " high = " + list(b.high) + " groups = " + text(b.channels) + layout +
          wide + ", " + v + (b.bias ? ", " + bias : "") + ") -> " + y + "\n";
  std::string result = "%f";
  if (b.relu) {
    body += splat("none", "0.0", y) + "%y = torsh.maximum %f, %none : " + y + "\n";
    result = "%y";
  }
  Case made{"expand_depthwise", arguments, body, result, y};
  if (b.images)
    made.symbols[b.batch] = b.images;
  return made;
}

} // namespace

TEST_CASE("a depthwise convolution of rows that are computed just before") {
  std::vector<Case> cases;
  auto add = [&](const Block &b) { cases.push_back(block(b)); };
  // One panel, several, and a last one of 8 or fewer channels.
  for (int64_t channels : {16, 48, 24, 21, 5})
    add({{9, 13}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 12, channels});
  // Strides, among them one that leaves rows out, and windows of 1, 2, 5 and 7 rows.
  add({{14, 14}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 16, 32, Between::HardSwish});
  add({{15, 11}, {3, 3}, {2, 2}, {0, 0}, {1, 1}, 7, 16});
  add({{13, 9}, {2, 2}, {3, 3}, {0, 0}, {0, 0}, 5, 16, Between::Nothing});
  add({{8, 8}, {1, 3}, {1, 1}, {0, 1}, {0, 1}, 5, 16});
  add({{12, 12}, {5, 5}, {1, 1}, {2, 2}, {2, 2}, 24, 32, Between::HardSwish});
  add({{17, 10}, {5, 5}, {2, 2}, {2, 2}, {2, 2}, 24, 40, Between::HardSwish, false});
  add({{9, 9}, {7, 7}, {1, 1}, {3, 3}, {3, 3}, 8, 16, Between::Nothing, false, false});
  add({{12, 12}, {3, 3}, {1, 1}, {2, 2}, {2, 2}, 8, 16, Between::Clamp, true, true, "1", 2});
  // Smaller than the window; more padding than rows.
  add({{1, 1}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 3, 16});
  add({{2, 3}, {5, 5}, {1, 1}, {4, 4}, {4, 4}, 3, 16});
  // Several bands of rows, which begin inside the image, and several images, of a number that is known or not.
  add({{90, 112}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 40, 24});
  add({{70, 56}, {5, 5}, {1, 1}, {2, 2}, {2, 2}, 64, 16, Between::HardSwish});
  add({{10, 10}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 16, 24, Between::Clamp, true, true, "3"});
  add({{10, 10}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 16, 24, Between::Clamp, true, true, "n", 1, 3});
  check(cases);
}

TEST_CASE("what is no pointwise convolution below a depthwise one is refused") {
  // The wide image has another reader, so it is needed whole.
  Case wrong = block({{9, 9}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 4, 16});
  size_t at = wrong.body.find("%y = torsh.maximum");
  wrong.body.insert(at, "%other = torsh.exp %z : " + tensor(Sizes{1, 9, 9, 16}) + "\n");
  expectRefused(wrong, "no pointwise convolution below a depthwise one");
}
